//! The operator's settings, `vakt.toml`: as written, then as meant, or every mistake at once.

pub mod fault;
pub mod secret;
pub mod written;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use fault::{Fault, Sheet, Weight};
pub use secret::{SecretError, SecretRef};

use crate::model::time::Span;
use written::{Desk, Form};

/// All settings but the sources', which the sources read for themselves out of [`Config::sheet`].
#[derive(Debug, Clone)]
pub struct Config {
    /// The text that it was read from.
    pub sheet: Arc<Sheet>,
    /// Where the state is kept.
    pub data_dir: PathBuf,
    /// Where the rules are kept.
    pub rules_dir: PathBuf,
    /// The address that links in mails begin with, without a slash at the end.
    pub base_url: Option<String>,
    /// The HTTP server.
    pub http: Http,
    /// Mail.
    pub mail: Mail,
    /// Fetching.
    pub fetch: Fetch,
}

/// Settings of the HTTP server.
#[derive(Debug, Clone)]
pub struct Http {
    /// Where it listens; `None` for not at all.
    pub listen: Option<SocketAddr>,
    /// Tokens that may call the API.
    pub tokens: Vec<Token>,
}

/// A token of the API.
#[derive(Debug, Clone)]
pub struct Token {
    /// Its name in logs.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Where it is kept.
    pub value: SecretRef,
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Push mentions.
    Push,
    /// Read metrics and incidents.
    Read,
}

/// Settings of mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The sender, `name <address>`.
    pub from: String,
    /// Where the operator is told of blind sources and refused rules.
    pub operator: Option<String>,
    /// Relays in the order in which they are tried; none for a folder in the data directory.
    pub relays: Vec<RelaySpec>,
}

/// One relay as written.
#[derive(Debug, Clone)]
pub struct RelaySpec {
    /// `smtp://` or `smtps://` with host, port and `?tls=`.
    pub url: String,
    /// Account; the url's user where it has one.
    pub user: Option<String>,
    /// Where the password is kept.
    pub password: Option<SecretRef>,
    /// A PEM file with one more authority to trust, for relays with a certificate of one's own making.
    pub ca_file: Option<PathBuf>,
}

/// Settings of fetching.
#[derive(Debug, Clone)]
pub struct Fetch {
    /// Goes into the User-Agent so that a site's owner can find the operator.
    pub contact: String,
    /// Most bytes of a body, counted after decompression.
    pub max_body: usize,
    /// Networks that sources may reach besides public addresses.
    pub allow_private: Vec<String>,
    /// Nothing is asked more often than this.
    pub min_interval: Span,
    /// Nothing is asked less often than this.
    pub max_interval: Span,
}

impl Config {
    /// Reads the settings of a sheet.
    ///
    /// # Errors
    /// Every mistake in it, sources excepted.
    pub fn read(sheet: Arc<Sheet>) -> Result<Config, Vec<Fault>> {
        let desk = Desk::new(sheet.clone());
        let mut config = None;
        desk.read(|form| config = read_root(&sheet, form));
        let faults = desk.into_faults();
        match config {
            Some(config) if !fault::any_error(&faults) => Ok(config),
            _ => Err(faults),
        }
    }

    /// The settings that hold where there is no file: state in `./vakt-data`, rules in `./rules`.
    pub fn unwritten() -> Config {
        let sheet = Sheet::new("vakt.toml", "");
        Config {
            sheet,
            data_dir: "vakt-data".into(),
            rules_dir: "rules".into(),
            base_url: None,
            http: Http { listen: Some(DEFAULT_LISTEN), tokens: Vec::new() },
            mail: Mail { from: DEFAULT_FROM.into(), operator: None, relays: Vec::new() },
            fetch: Fetch::default(),
        }
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.data_dir.join("vakt.db")
    }

    /// The folder of the search index.
    pub fn index_dir(&self) -> PathBuf {
        self.data_dir.join("index")
    }

    /// The folder where mails go while there is no relay.
    pub fn mail_dir(&self) -> PathBuf {
        self.data_dir.join("mail")
    }

    /// Paths in the file are meant from where the file stands.
    pub fn rebase(mut self, file: &Path) -> Config {
        let dir = file.parent().unwrap_or(Path::new("."));
        for path in [&mut self.data_dir, &mut self.rules_dir] {
            if path.is_relative() {
                *path = dir.join(&*path);
            }
        }
        self
    }
}

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
const DEFAULT_FROM: &str = "vakt <vakt@localhost>";

impl Default for Fetch {
    fn default() -> Fetch {
        Fetch {
            contact: "no contact given".into(),
            max_body: 8 << 20,
            allow_private: Vec::new(),
            min_interval: Span::mins(1),
            max_interval: Span::hours(1),
        }
    }
}

fn read_root(sheet: &Arc<Sheet>, form: Form<'_>) -> Option<Config> {
    let mut config = Config { sheet: sheet.clone(), ..Config::unwritten() };
    if let Some(dir) = form.text("data_dir") {
        config.data_dir = dir.value.into();
    }
    if let Some(dir) = form.text("rules_dir") {
        config.rules_dir = dir.value.into();
    }
    if let Some(base) = form.text("base_url") {
        match url::Url::parse(&base.value) {
            Ok(u) if matches!(u.scheme(), "http" | "https") => {
                config.base_url = Some(base.value.trim_end_matches('/').to_owned());
            }
            _ => form.desk.error(base.span, "`base_url` is no web address", "write \"https://vakt.example.org\""),
        }
    }
    if let Some(http) = form.table("http", "[http] table") {
        config.http = read_http(http);
    }
    if let Some(mail) = form.table("mail", "[mail] table") {
        config.mail = read_mail(mail);
    }
    if let Some(fetch) = form.table("fetch", "[fetch] table") {
        config.fetch = read_fetch(fetch);
    }
    form.tables("source", "source");
    form.finish();
    Some(config)
}

fn read_http(form: Form<'_>) -> Http {
    let mut http = Http { listen: Some(DEFAULT_LISTEN), tokens: Vec::new() };
    let behind_proxy = form.flag("behind_tls_proxy").is_some_and(|f| f.value);
    if let Some(listen) = form.text("listen") {
        match listen.value.parse::<SocketAddr>() {
            _ if listen.value == "off" => http.listen = None,
            Ok(a) if a.ip().is_loopback() || behind_proxy => http.listen = Some(a),
            Ok(_) => form.desk.error(
                listen.span,
                "vakt speaks plain HTTP and so listens on loopback only",
                "listen on 127.0.0.1 behind a proxy that speaks TLS, or say `behind_tls_proxy = true`",
            ),
            Err(_) => form.desk.error(listen.span, "`listen` is no address", "write \"127.0.0.1:8080\" or \"off\""),
        }
    }
    for token in form.tables("tokens", "token") {
        let name = token.must_text("name");
        let role = token.choice("role", &["push", "read"], |w| match w {
            "push" => Some(Role::Push),
            "read" => Some(Role::Read),
            _ => None,
        });
        let value = token.table("value", "secret").and_then(SecretRef::read);
        if value.is_none() {
            token.desk.error(
                token.span.clone(),
                "this token has no `value`",
                "add value = { env = \"VAKT_PUSH_TOKEN\" } or { credential = \"push-token\" }",
            );
        }
        if let (Some(name), Some(value)) = (name, value) {
            http.tokens.push(Token { name: name.value, role: role.map_or(Role::Push, |r| r.value), value });
        }
        token.finish();
    }
    form.finish();
    http
}

fn read_mail(form: Form<'_>) -> Mail {
    let mut mail = Mail {
        from: form.must_text("from").map_or_else(|| DEFAULT_FROM.into(), |f| f.value),
        operator: form.text("operator").map(|o| o.value),
        relays: Vec::new(),
    };
    for relay in form.tables("relays", "relay") {
        let url = relay.must_text("url");
        let user = relay.text("user").map(|u| u.value);
        let ca_file = relay.text("ca_file").map(|f| f.value.into());
        let password = relay.table("password", "secret").and_then(SecretRef::read);
        if let Some(url) = url {
            if url::Url::parse(&url.value).is_ok_and(|u| u.password().is_some()) {
                relay.desk.error(
                    url.span.clone(),
                    "a password stands in the relay's url",
                    "take it out and add password = { credential = \"smtp-password\" }",
                );
            }
            mail.relays.push(RelaySpec { url: url.value, user, password, ca_file });
        }
        relay.finish();
    }
    form.finish();
    mail
}

fn read_fetch(form: Form<'_>) -> Fetch {
    let mut fetch = Fetch::default();
    if let Some(contact) = form.text("contact") {
        fetch.contact = contact.value;
    }
    if let Some(max) = form.bytes("max_body") {
        fetch.max_body = max.value;
    }
    fetch.allow_private = form.texts("allow_private").into_iter().map(|n| n.value).collect();
    if let Some(min) = form.span("min_interval") {
        fetch.min_interval = min.value;
    }
    if let Some(max) = form.span("max_interval") {
        fetch.max_interval = max.value;
    }
    fetch.max_interval = fetch.max_interval.max(fetch.min_interval);
    form.finish();
    fetch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_settings() {
        let text = r#"
            data_dir = "/var/lib/vakt"
            base_url = "https://vakt.example.org/"
            [http]
            listen = "127.0.0.1:9000"
            tokens = [{ name = "ci", role = "push", value = { env = "T" } }]
            [mail]
            from = "vakt <vakt@example.org>"
            relays = [{ url = "smtps://a@mail.example.org:465", password = { credential = "smtp" } }]
            [fetch]
            max_body = "1 MiB"
            [[source]]
            kind = "feed"
        "#;
        let config = Config::read(Sheet::new("vakt.toml", text)).expect("it is right");
        assert_eq!(config.base_url.as_deref(), Some("https://vakt.example.org"));
        assert_eq!(config.fetch.max_body, 1 << 20);
        assert_eq!(config.mail.relays[0].password, Some(SecretRef::Credential("smtp".into())));
        assert_eq!(config.http.tokens[0].value, SecretRef::Env("T".into()));
    }

    #[test]
    fn secrets_stay_out_of_the_text_and_the_world_out_of_the_port() {
        let text = "[http]\nlisten = \"0.0.0.0:80\"\n[mail]\nfrom = \"a@b.example\"\nrelays = [{ url = \"smtp://a:secret@h\" }]\n";
        let faults = Config::read(Sheet::new("vakt.toml", text)).expect_err("both are refused");
        assert_eq!(faults.len(), 2);
        assert!(faults.iter().any(|f| f.message.contains("password")));
        assert!(faults.iter().any(|f| f.message.contains("loopback")));
    }
}
