//! The operator's settings, `vakt.toml`: as written, then as meant, or every mistake at once.

mod assistant;
mod dkim;
pub mod fault;
mod heartbeat;
pub mod relay;
mod retention;
pub mod secret;
pub mod written;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use assistant::Assistant;
pub use dkim::Dkim;
pub use fault::{Fault, Sheet, Weight};
pub use heartbeat::Heartbeat;
pub use retention::Retention;
pub use secret::{SecretError, SecretRef};

use crate::model::people::{address_of, is_mail_address};
use crate::model::time::Span;
use relay::RelayAddress;
use written::{Desk, Form};

/// All settings but those of sources, hooks and channels, which they read for themselves out of [`Config::sheet`].
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
    /// How long things are kept.
    pub retention: Retention,
    /// Who outside waits for a sign of life.
    pub heartbeat: Option<Heartbeat>,
    /// What proposes words; `None` for nobody.
    pub assistant: Option<Assistant>,
}

/// Settings of the HTTP server.
#[derive(Debug, Clone)]
pub struct Http {
    /// Where it listens; `None` for not at all.
    pub listen: Option<SocketAddr>,
    /// A proxy that speaks TLS stands in front of it.
    pub behind_proxy: bool,
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
    /// Act on incidents in people's names.
    Act,
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
    /// Mails an hour about incidents below `escalate` that are enough; what is beyond them is held. Severe ones always go.
    pub most_an_hour: u32,
    /// How mails are signed; `None` where relays do so, or nobody does.
    pub dkim: Option<Dkim>,
}

/// One relay as written.
#[derive(Debug, Clone)]
pub struct RelaySpec {
    /// Where it is and how it is spoken to.
    pub address: RelayAddress,
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
        let (config, faults) = Config::read_all(sheet);
        if fault::any_error(&faults) { Err(faults) } else { Ok(config) }
    }

    /// Reads what can be read of the settings of a sheet, with every mistake in it, sources excepted.
    pub fn read_all(sheet: Arc<Sheet>) -> (Config, Vec<Fault>) {
        let desk = Desk::new(sheet.clone());
        let mut config = Config { sheet: sheet.clone(), ..Config::unwritten() };
        desk.read(|form| read_root(&mut config, form));
        (config, desk.into_faults())
    }

    /// The settings that hold where there is no file: state in `./vakt-data`, rules in `./rules`.
    pub fn unwritten() -> Config {
        let sheet = Sheet::new("vakt.toml", "");
        Config {
            sheet,
            data_dir: "vakt-data".into(),
            rules_dir: "rules".into(),
            base_url: None,
            http: Http { listen: Some(DEFAULT_LISTEN), behind_proxy: false, tokens: Vec::new() },
            mail: Mail {
                from: DEFAULT_FROM.into(),
                operator: None,
                relays: Vec::new(),
                most_an_hour: MOST_AN_HOUR,
                dkim: None,
            },
            fetch: Fetch::default(),
            retention: Retention::default(),
            heartbeat: None,
            assistant: None,
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
/// Least that `max_body` may be.
const LEAST_BODY: usize = 64 << 10;
/// Mails an hour that are enough where nothing is said.
pub const MOST_AN_HOUR: u32 = 200;
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

fn read_root(config: &mut Config, form: Form<'_>) {
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
    if let Some(retention) = form.table("retention", "[retention] table") {
        config.retention = Retention::read(retention);
    }
    config.assistant = form.table("assistant", "[assistant] table").and_then(Assistant::read);
    config.heartbeat = form.table("heartbeat", "[heartbeat] table").map(Heartbeat::read);
    // Those the sources and channels read for themselves.
    form.tables("source", "source");
    form.tables("hook", "hook");
    form.tables("channel", "channel");
    form.table("operator", "[operator] table");
    form.texts("source_files");
    form.finish();
}

fn read_http(form: Form<'_>) -> Http {
    let behind_proxy = form.flag("behind_tls_proxy").is_some_and(|f| f.value);
    let mut http = Http { listen: Some(DEFAULT_LISTEN), behind_proxy, tokens: Vec::new() };
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
        let role = token.choice("role", &["push", "read", "act"], |w| match w {
            "push" => Some(Role::Push),
            "read" => Some(Role::Read),
            "act" => Some(Role::Act),
            _ => None,
        });
        if let Some(name) = name.as_ref().filter(|n| http.tokens.iter().any(|t| t.name == n.value)) {
            token.desk.error(name.span.clone(), format!("there are two tokens named `{}`", name.value), "rename one");
        }
        let given = token.has("value");
        let value = token.table("value", "secret").and_then(SecretRef::read);
        if !given {
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
    let (from, operator) = (form.must_text("from"), form.text("operator"));
    let addressed = from.as_ref().map(|f| (f, address_of(&f.value))).into_iter();
    for (at, address) in addressed.chain(operator.as_ref().map(|o| (o, o.value.as_str()))) {
        if !is_mail_address(address) {
            let help = "write \"vakt <vakt@example.org>\", in ASCII letters between the brackets";
            form.desk.error(at.span.clone(), format!("`{}` is no mail address", at.value), help);
        }
    }
    let mut mail = Mail {
        from: from.map_or_else(|| DEFAULT_FROM.into(), |f| f.value),
        operator: operator.map(|o| o.value),
        relays: Vec::new(),
        most_an_hour: form.number("most_an_hour", 1..=100_000).map_or(MOST_AN_HOUR, |n| n.value as u32),
        dkim: None,
    };
    let domain = address_of(&mail.from).rsplit_once('@').map(|(_, domain)| domain.to_owned()).unwrap_or_default();
    mail.dkim = form.table("dkim", "DKIM table").and_then(|dkim| Dkim::read(dkim, &domain));
    for relay in form.tables("relays", "relay") {
        let url = relay.must_text("url");
        let user = relay.text("user").map(|u| u.value);
        let ca_file = relay.text("ca_file").map(|f| f.value.into());
        let password = relay.table("password", "secret").and_then(SecretRef::read);
        match url.as_ref().map(|url| (url, RelayAddress::parse(&url.value))) {
            Some((url, Ok(address))) => {
                if password.is_some() && user.is_none() && address.user.is_none() {
                    let help = "add user = \"…\", or write it before the host: smtps://alerts@mail.example.org";
                    relay.desk.error(url.span.clone(), "this relay has a password and no user", help);
                }
                mail.relays.push(RelaySpec { address, user, password, ca_file });
            }
            Some((url, Err(wrong))) => {
                let help =
                    "write smtps://alerts@mail.example.org:465, and password = { credential = \"smtp-password\" }";
                relay.desk.push(Fault::error(&relay.desk.sheet, url.span.clone(), wrong).help(help).unseen());
            }
            None => {}
        }
        relay.finish();
    }
    form.finish();
    mail
}

fn read_fetch(form: Form<'_>) -> Fetch {
    let mut fetch = Fetch::default();
    if let Some(contact) = form.text("contact") {
        if !contact.value.chars().all(|c| c.is_ascii() && !c.is_ascii_control()) {
            let help = "write a web or mail address";
            form.desk.error(contact.span.clone(), "`contact` goes into a header and is plain ASCII on one line", help);
        }
        fetch.contact = contact.value;
    }
    if let Some(max) = form.bytes("max_body") {
        if max.value < LEAST_BODY {
            form.desk.error(max.span.clone(), "with so few bytes hardly any feed could be read", "write \"8 MiB\"");
        }
        fetch.max_body = max.value;
    }
    fetch.allow_private = form.texts("allow_private").into_iter().map(|n| n.value).collect();
    if let Some(min) = form.span("min_interval") {
        fetch.min_interval = min.value;
    }
    match form.span("max_interval") {
        Some(max) if max.value < fetch.min_interval => {
            form.desk.error(max.span, "`max_interval` is shorter than `min_interval`", "make it longer");
        }
        Some(max) => fetch.max_interval = max.value,
        None => fetch.max_interval = fetch.max_interval.max(fetch.min_interval),
    }
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
            dkim = { selector = "vakt", key = { credential = "dkim" } }
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
        let key = SecretRef::Credential("dkim".into());
        assert_eq!(config.mail.dkim, Some(Dkim { domain: "example.org".into(), selector: "vakt".into(), key }));
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
