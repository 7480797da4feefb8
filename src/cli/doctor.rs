//! `vakt doctor`: what keeps this vakt from doing its work, and what to do about it.

mod channel;
mod mail;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use clap::Args;

use super::{Paint, Verdict, open_store, runtime, settings};
use crate::channels;
use crate::channels::mail::{Relay, Signer};
use crate::config::fault::Fault;
use crate::config::{Config, SecretError};
use crate::ground::Clock;
use crate::index;
use crate::rules::Rules;
use crate::sources;
use crate::store::{self, mentions, outbox};

/// Check relay, channels, sources, disk, clock and permissions.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Send a test message to this person, or to `all`, and say what became of it
    #[arg(long, value_name = "NAME")]
    mail: Option<String>,
    /// Send a marked test by the channel of this name to all whom people.toml reaches by it, and say what became of it
    #[arg(long, value_name = "NAME", conflicts_with = "mail")]
    channel: Option<String>,
    /// Send the test of `--channel` to this topic, chat or number instead
    #[arg(long, value_name = "ADDRESS", requires = "channel")]
    to: Option<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// One thing looked at.
struct Finding {
    what: &'static str,
    state: State,
    detail: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Well,
    Warning,
    Ill,
}

/// A relay that says nothing for so long is ill.
const PATIENCE: Duration = Duration::from_secs(10);
/// Less free disk than this is a warning.
const ROOM: u64 = 1 << 30;

impl Doctor {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let config = settings(file)?;
        if let Some(name) = &self.mail {
            return mail::test(&config, name, self.json);
        }
        if let Some(name) = &self.channel {
            return channel::test(&config, name, self.to.as_deref(), self.json);
        }
        let mut findings = vec![rules(&config), disk(&config), permissions(&config)];
        findings.extend(secrets(&config));
        findings.extend(state(&config));
        findings.extend(relays(&config)?);
        let ill = findings.iter().any(|f| f.state == State::Ill);
        if self.json {
            let word = |s| match s {
                State::Well => "well",
                State::Warning => "warning",
                State::Ill => "ill",
            };
            let list: Vec<_> = findings
                .iter()
                .map(|f| serde_json::json!({ "what": f.what, "state": word(f.state), "detail": f.detail }))
                .collect();
            say!("{}", serde_json::Value::from(list));
        } else {
            let paint = Paint::new();
            for f in &findings {
                let mark = match f.state {
                    State::Well => paint.good("well   "),
                    State::Warning => paint.warm("look   "),
                    State::Ill => paint.bad("ill    "),
                };
                say!("{mark} {:<12} {}", f.what, f.detail);
            }
        }
        Ok(if ill { Verdict::No } else { Verdict::Done })
    }
}

fn finding(what: &'static str, state: State, detail: impl Into<String>) -> Finding {
    Finding { what, state, detail: detail.into() }
}

fn rules(config: &Config) -> Finding {
    let dir = config.rules_dir.display();
    match Rules::load(&config.rules_dir, Clock::System.now()) {
        Ok(r) if r.warnings.is_empty() => {
            finding("rules", State::Well, format!("{dir}: {} topics, {} alerts", r.topics.len(), r.alerts.len()))
        }
        Ok(r) => {
            finding("rules", State::Warning, format!("{dir}: {} warnings; `vakt check` shows them", r.warnings.len()))
        }
        Err(f) => {
            let first = f.first().map(Fault::brief).unwrap_or_default();
            finding(
                "rules",
                State::Ill,
                format!("{dir}: {} mistakes; `vakt check` shows them; first: {first}", f.len()),
            )
        }
    }
}

fn disk(config: &Config) -> Finding {
    let dir = if config.data_dir.exists() { config.data_dir.as_path() } else { Path::new(".") };
    match rustix::fs::statvfs(dir) {
        Ok(s) => {
            let free = s.f_bavail.saturating_mul(s.f_frsize);
            let state = if free < ROOM { State::Warning } else { State::Well };
            finding("disk", state, format!("{} GiB free at {}", free >> 30, dir.display()))
        }
        Err(e) => finding("disk", State::Ill, format!("{}: {e}", dir.display())),
    }
}

fn permissions(config: &Config) -> Finding {
    let dir = config.data_dir.display();
    match std::fs::metadata(&config.data_dir) {
        Ok(facts) if facts.permissions().mode() & 0o007 != 0 => finding(
            "permissions",
            State::Warning,
            format!("everybody on this machine may read {dir}: chmod 0700 {dir}"),
        ),
        Ok(_) => finding("permissions", State::Well, format!("{dir} is private")),
        Err(_) => finding("permissions", State::Warning, format!("{dir} is not there yet; `vakt run` makes it")),
    }
}

fn secrets(config: &Config) -> Vec<Finding> {
    let relays = config.mail.relays.iter().filter_map(|r| r.password.as_ref());
    let tokens = config.http.tokens.iter().map(|t| &t.value);
    let channels = channels::read(&config.sheet, &config.fetch.allow_private).unwrap_or_default();
    let hooks = sources::hooks::read(&config.sheet, &[]).unwrap_or_default();
    relays
        .chain(tokens)
        .chain(config.mail.dkim.as_ref().map(|dkim| &dkim.key))
        .chain(channels.iter().flat_map(|named| named.channel.secrets()))
        .chain(hooks.iter().flat_map(|named| named.hook.secrets()))
        .filter_map(|s| s.fetch().err())
        .map(|e| match e {
            SecretError::NoCredentials(name) => finding(
                "secret",
                State::Warning,
                format!("the credential `{name}` is seen by the unit alone, and not from here"),
            ),
            e => finding("secret", State::Ill, e.to_string()),
        })
        .collect()
}

fn state(config: &Config) -> Vec<Finding> {
    let store = match open_store(config) {
        Ok(store) => store,
        Err(e) => {
            // Only what is not there yet will come by itself.
            let state = if config.database().exists() { State::Ill } else { State::Warning };
            return vec![finding("store", state, format!("{e:#}"))];
        }
    };
    let mut out = Vec::new();
    out.push(match store.check() {
        Ok(()) => {
            finding("store", State::Well, format!("whole, {} mentions", store.read(mentions::count).unwrap_or(0)))
        }
        Err(e) => finding("store", State::Ill, format!("{e}: restore the last backup")),
    });
    out.push(match index::check(&config.index_dir()) {
        Ok(()) => finding("index", State::Well, "whole"),
        Err(index::IndexError::Missing(_)) => finding("index", State::Warning, "not there yet; `vakt run` builds it"),
        Err(e) => finding("index", State::Warning, format!("{e}; `vakt run` builds it anew")),
    });
    if let Ok(o) = store.read(outbox::standing) {
        let line = format!("{} waiting, {} delivered, {} failed, {} held", o.waiting, o.delivered, o.failed, o.held);
        let state = if o.failed > 0 || !o.last_error.is_empty() && o.waiting > 0 { State::Ill } else { State::Well };
        let line = if o.last_error.is_empty() { line } else { format!("{line}; last error: {}", o.last_error) };
        out.push(finding("outbox", state, line));
    }
    let waiting = store.read(store::changes::awaited).unwrap_or(None).is_some();
    let unwritten = store.read(store::erasures::all).unwrap_or_default().into_iter().rfind(|r| !r.database_done);
    if let Some(receipt) = unwritten.filter(|_| !waiting) {
        let line = format!(
            "the database is written anew at the next start (erasure {}): restart vakt when it suits",
            receipt.id
        );
        out.push(finding("erasure", State::Warning, line));
    } else if waiting {
        let line = "the index has yet to carry one out; a running daemon does within a minute or two";
        out.push(finding("erasure", State::Warning, line));
    }
    for (name, s) in store.read(store::sources::all).unwrap_or_default() {
        if !s.blind.is_empty() {
            out.push(finding("source", State::Ill, format!("{name} is blind: {}", s.blind)));
        }
    }
    out.push(clock(&store));
    out
}

#[expect(clippy::disallowed_methods, reason = "it is the machine's clock that is looked at")]
fn clock(store: &store::Store) -> Finding {
    let now = jiff::Timestamp::now();
    match store.read(mentions::last_at).ok().flatten() {
        Some(last) if last > now + crate::model::time::Span::hours(1) => {
            finding("clock", State::Ill, format!("it says {now}, before the last mention of {last}: set the clock"))
        }
        _ => finding("clock", State::Well, now.strftime("%Y-%m-%d %H:%M UTC").to_string()),
    }
}

fn relays(config: &Config) -> anyhow::Result<Vec<Finding>> {
    if let Err(faults) = sources::read(&config.sheet, &config.fetch.allow_private) {
        let first = faults.first().map(Fault::brief).unwrap_or_default();
        return Ok(vec![finding("sources", State::Ill, format!("{} mistakes; first: {first}", faults.len()))]);
    }
    if let Err(faults) = channels::read(&config.sheet, &config.fetch.allow_private) {
        let first = faults.first().map(Fault::brief).unwrap_or_default();
        return Ok(vec![finding("channels", State::Ill, format!("{} mistakes; first: {first}", faults.len()))]);
    }
    if config.mail.relays.is_empty() {
        let folder = config.mail_dir().display().to_string();
        return Ok(vec![finding(
            "mail",
            State::Warning,
            format!("no relay is set: mails go to {folder}, and call nobody"),
        )]);
    }
    let mut out = Vec::new();
    if let Some(dkim) = &config.mail.dkim
        && let Ok(key) = dkim.key.fetch()
    {
        out.push(match Signer::new(&dkim.domain, &dkim.selector, &key) {
            Ok(_) => finding("dkim", State::Well, format!("{}._domainkey.{} signs", dkim.selector, dkim.domain)),
            Err(wrong) => finding("dkim", State::Ill, wrong),
        });
    }
    for spec in &config.mail.relays {
        let name = format!("{}:{}", spec.address.host, spec.address.port);
        // A credential of the unit is not seen from here; that is told as a finding of its own.
        let password = spec.password.as_ref().and_then(|p| p.fetch().ok());
        let signs_in = password.is_some();
        let reached = match Relay::new(&spec.address, spec.user.clone(), password, spec.ca_file.as_deref()) {
            Ok(relay) => runtime()?.block_on(async {
                tokio::time::timeout(PATIENCE, relay.greet()).await.unwrap_or_else(|_| Err("no answer in time".into()))
            }),
            Err(wrong) => Err(wrong),
        };
        out.push(match (reached, signs_in) {
            (Ok(()), true) => finding("relay", State::Well, format!("{name} answers, and takes the password")),
            (Ok(()), false) => finding("relay", State::Well, format!("{name} answers")),
            (Err(why), _) => finding("relay", State::Ill, format!("{name}: {}", super::safe(&why, 200))),
        });
    }
    Ok(out)
}
