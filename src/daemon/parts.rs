//! What the settings make the daemon of: rules, sources, ways out, an address to listen at.

use std::sync::Arc;

use jiff::Timestamp;

use super::DaemonError;
use crate::channels::mail::{Mailer, Relay, Signer};
use crate::channels::{self, Channels, Means, Post};
use crate::config::Config;
use crate::config::fault::Fault;
use crate::ground::Letterhead;
use crate::rules::Rules;
use crate::serve;
use crate::sources::{self, Http, Named};
use crate::stages::{collect, reload};
use crate::store::Store;

/// Reads the sources again for other topics.
pub(super) fn reread(config: &Config) -> collect::Reread {
    let (sheet, allow) = (config.sheet.clone(), config.fetch.allow_private.clone());
    Box::new(move |topics| match sources::read_in_force(&sheet, &allow, topics) {
        Ok((named, unaimed)) => {
            unaimed.iter().for_each(|fault| tracing::warn!(fault = fault.brief(), "a source is not aimed at a topic"));
            Some(named)
        }
        Err(faults) => {
            let first = faults.first().map(|f| f.message.clone()).unwrap_or_default();
            tracing::error!(
                faults = faults.len(),
                first,
                "the sources cannot be aimed at the new topics; they stay as they were"
            );
            None
        }
    })
}

/// Whether an address leads to the machine that it is opened on.
pub(super) fn is_home(base_url: &str) -> bool {
    url::Url::parse(base_url).is_ok_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    })
}

/// The rules of the directory; where they have mistakes, the last good ones, with the mistakes.
pub(super) fn rules_in_force(
    config: &Config,
    store: &Store,
    now: Timestamp,
) -> Result<(Rules, Option<Vec<Fault>>), DaemonError> {
    match Rules::load(&config.rules_dir, now) {
        Ok(rules) => Ok((rules, None)),
        Err(faults) => match reload::last_good(store, now)? {
            Some(rules) => Ok((rules, Some(faults))),
            None => Err(DaemonError::Faults(faults)),
        },
    }
}

/// How letters look, by the settings.
pub fn letterhead(config: &Config) -> Letterhead {
    let from = &config.mail.from;
    let own = from.rsplit_once('<').map_or(from.as_str(), |(_, a)| a.trim_end_matches('>'));
    Letterhead {
        from: from.clone(),
        operator: config.mail.operator.clone().unwrap_or_else(|| own.to_owned()),
        // Mistakes in them keep the daemon from starting, and nothing else.
        operator_reach: channels::read(&config.sheet, &config.fetch.allow_private)
            .and_then(|all| channels::operator(&config.sheet, &all))
            .unwrap_or_default(),
        base_url: config.base_url.clone(),
        most_an_hour: config.mail.most_an_hour,
    }
}

/// Every way out by the settings: relays, or the folder where there are none, and the other channels.
///
/// # Errors
/// When a channel has mistakes, a relay makes no sense or a secret cannot be had.
pub fn channels_of(config: &Config) -> Result<Channels, DaemonError> {
    let all = channels::read(&config.sheet, &config.fetch.allow_private).map_err(DaemonError::Faults)?;
    channels::operator(&config.sheet, &all).map_err(DaemonError::Faults)?;
    for secret in all.iter().flat_map(|named| named.channel.secrets()) {
        secret.fetch()?;
    }
    let http = Http::new(&config.fetch.contact, channels::limits()).map_err(DaemonError::Client)?;
    Ok(Channels::new(all, Means { http, post: post_of(config)?, from: config.mail.from.clone() }))
}

/// The webhooks of the settings.
///
/// # Errors
/// When one has mistakes, or a secret of it cannot be had.
pub(super) fn hooks_of(config: &Config, named: &[Named]) -> Result<serve::Hooks, DaemonError> {
    let hooks = sources::hooks::read(&config.sheet, named).map_err(DaemonError::Faults)?;
    for secret in hooks.iter().flat_map(|named| named.hook.secrets()) {
        secret.fetch()?;
    }
    Ok(serve::Hooks::new(hooks))
}

/// The way of mails: relays in their order, or a folder.
fn post_of(config: &Config) -> Result<Post, DaemonError> {
    if config.mail.relays.is_empty() {
        return Ok(Post::Folder(config.mail_dir()));
    }
    let mut relays = Vec::new();
    for spec in &config.mail.relays {
        let password = spec.password.as_ref().map(|p| p.fetch()).transpose()?;
        let relay = Relay::new(&spec.address, spec.user.clone(), password, spec.ca_file.as_deref());
        relays.push(relay.map_err(DaemonError::Relay)?);
    }
    let signer = config
        .mail
        .dkim
        .as_ref()
        .map(|dkim| Signer::new(&dkim.domain, &dkim.selector, &dkim.key.fetch()?).map_err(DaemonError::Relay));
    Ok(Post::Relays(Arc::new(Mailer::new(relays).signed(signer.transpose()?))))
}

/// Listens where the settings say so.
pub(super) async fn listen(config: &Config) -> Result<Option<tokio::net::TcpListener>, DaemonError> {
    let Some(address) = config.http.listen else { return Ok(None) };
    let listener = tokio::net::TcpListener::bind(address).await;
    listener.map(Some).map_err(|source| DaemonError::Listen { address, source })
}
