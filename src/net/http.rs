//! The one polite HTTP client: it asks seldom, waits its turn, believes no header about sizes, and never leaves the guard.
//!
//! A `reqwest::Client` has one resolver, and each source may have its own allow-list, so there is one client for each
//! distinct [`Allow`]: a connection that one list opened is never lent to a source with another.

use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use url::Url;

use super::guard::{self, Allow, GuardError};
use super::pace::Pauses;
use crate::model::time::{Span, between};

mod error;
mod post;

pub use error::FetchError;
pub use post::{Answer, Post};

/// How many redirects are followed.
const HOPS: usize = 5;
const SHORTEST_PAUSE: Span = Span::mins(1);
const LONGEST_PAUSE: Span = Span::hours(24);

/// The bounds of fetching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest body, in bytes after decompression.
    pub max_body: usize,
    /// Time to find the host and connect, TLS included.
    pub connect: Span,
    /// Time until the headers of one answer are here.
    pub headers: Span,
    /// Time for all of it, redirects and body included, waiting for a turn not.
    pub total: Span,
    /// Requests under way to one host.
    pub per_host: usize,
    /// Requests under way altogether.
    pub at_once: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_body: 8 << 20,
            connect: Span::secs(5),
            headers: Span::secs(10),
            total: Span::secs(30),
            per_host: 1,
            at_once: 64,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The address; `http` or `https`.
    pub url: &'a str,
    /// Networks that may be reached besides public ones.
    pub allow: &'a Allow,
    /// Validator of the last answer.
    pub etag: Option<&'a str>,
    /// Validator of the last answer.
    pub last_modified: Option<&'a str>,
    /// The `Accept` header; empty for none.
    pub accept: &'a str,
}

/// An answer that is good news.
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// Nothing changed since the answer whose validators were sent.
    NotModified {
        /// How long the site calls this fresh.
        max_age: Option<Span>,
    },
    /// A document.
    Fresh {
        /// Its bytes, decompressed.
        body: Vec<u8>,
        /// Its media type, lower case, without parameters.
        content_type: Option<String>,
        /// The charset that its media type names.
        charset: Option<String>,
        /// Validator for the next request.
        etag: Option<String>,
        /// Validator for the next request.
        last_modified: Option<String>,
        /// Where it was found, when every hop there was a permanent redirect.
        moved_to: Option<String>,
        /// How long the site calls this fresh.
        max_age: Option<Span>,
    },
}

/// The client; a clone shares its limits, connections and pauses.
#[derive(Clone)]
pub struct Http {
    inner: Arc<Inner>,
}

struct Inner {
    agent: String,
    limits: Limits,
    clients: Mutex<HashMap<Allow, Client>>,
    turns: Arc<Semaphore>,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
    pauses: Mutex<Pauses>,
}

/// A turn at one host; given back when dropped.
struct Turn {
    _host: OwnedSemaphorePermit,
    _global: OwnedSemaphorePermit,
}

impl Http {
    /// Makes the client. `contact` is where a site's owner can ask about us; it goes into the User-Agent.
    ///
    /// # Errors
    /// [`FetchError::Setup`] where the contact is no header text or the system has no CA certificates.
    pub fn new(contact: &str, limits: Limits) -> Result<Http, FetchError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Losing the race against another installer is fine: there is a provider then.
            drop(rustls::crypto::ring::default_provider().install_default());
        }
        let agent = match contact.trim() {
            "" => format!("vakt/{}", env!("CARGO_PKG_VERSION")),
            contact => format!("vakt/{} (+{contact})", env!("CARGO_PKG_VERSION")),
        };
        let first = build(&agent, &limits, &Allow::none())?;
        let inner = Inner {
            agent,
            turns: Arc::new(Semaphore::new(limits.at_once.max(1))),
            limits,
            clients: Mutex::new(HashMap::from([(Allow::none(), first)])),
            hosts: Mutex::default(),
            pauses: Mutex::default(),
        };
        Ok(Http { inner: Arc::new(inner) })
    }

    /// Fetches a document, following redirects within the guard.
    ///
    /// # Errors
    /// Everything that is neither a document nor "not modified"; see [`FetchError`].
    pub async fn get(&self, request: Request<'_>, now: Timestamp) -> Result<Response, FetchError> {
        let mut url = Url::parse(request.url)
            .map_err(|e| FetchError::Address { place: place_of(request.url), reason: e.to_string() })?;
        let client = self.client(request.allow)?;
        let secret = !url.username().is_empty() || url.password().is_some();
        let mut left = self.inner.limits.total.to_std();
        let mut permanent = true;
        for hop in 0..=HOPS {
            check(&url, request.allow)?;
            let turn = self.turn(&url, now).await?;
            let began = Instant::now();
            let answer = self.send(&client, &url, &request, left).await?;
            let status = answer.status();
            if let Some(target) = redirect(&url, &answer)? {
                drop(turn);
                permanent &= matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT);
                left = left.saturating_sub(began.elapsed());
                url = target;
                continue;
            }
            self.judge(&url, &request, &answer, now)?;
            if status == StatusCode::NOT_MODIFIED {
                return Ok(Response::NotModified { max_age: max_age(answer.headers()) });
            }
            // An address with a password is never stored as moved: the new one would lack the password.
            let moved_to = (hop > 0 && permanent && !secret).then(|| url.to_string());
            let left = left.saturating_sub(began.elapsed());
            let late = |_| FetchError::Timeout { place: place(&url), phase: "whole body" };
            return timeout(left, self.read(&url, answer, moved_to)).await.map_err(late)?;
        }
        Err(FetchError::Redirect { place: place_of(request.url), reason: format!("more than {HOPS} times") })
    }

    fn client(&self, allow: &Allow) -> Result<Client, FetchError> {
        let mut clients = lock(&self.inner.clients);
        if let Some(client) = clients.get(allow) {
            return Ok(client.clone());
        }
        if clients.len() >= 64 {
            // Only reloads with ever new lists come here; the clients in use live on in their requests.
            clients.clear();
        }
        let client = build(&self.inner.agent, &self.inner.limits, allow)?;
        clients.insert(allow.clone(), client.clone());
        Ok(client)
    }

    /// Waits for a turn: first at the host, then globally, so that a slow host's queue holds up nobody else.
    async fn turn(&self, url: &Url, now: Timestamp) -> Result<Turn, FetchError> {
        let host = url.host_str().unwrap_or_default();
        let queue = {
            let mut hosts = lock(&self.inner.hosts);
            hosts.retain(|_, queue| Arc::strong_count(queue) > 1);
            let fresh = || Arc::new(Semaphore::new(self.inner.limits.per_host.max(1)));
            Arc::clone(hosts.entry(host.to_owned()).or_insert_with(fresh))
        };
        let closed = |_| FetchError::Setup("the client is shutting down".into());
        let of_host = queue.acquire_owned().await.map_err(closed)?;
        // The host may have been paused while we stood in line.
        if let Some(retry_after) = lock(&self.inner.pauses).remaining(host, now) {
            return Err(FetchError::Paused { place: place(url), retry_after });
        }
        let global = Arc::clone(&self.inner.turns).acquire_owned().await.map_err(closed)?;
        Ok(Turn { _host: of_host, _global: global })
    }

    async fn send(
        &self,
        client: &Client,
        url: &Url,
        request: &Request<'_>,
        left: Duration,
    ) -> Result<reqwest::Response, FetchError> {
        let mut ask = client.get(url.clone());
        let wanted = [
            (header::ACCEPT, Some(request.accept).filter(|a| !a.is_empty())),
            (header::IF_NONE_MATCH, request.etag),
            (header::IF_MODIFIED_SINCE, request.last_modified),
        ];
        for (name, value) in wanted {
            // A validator that is no header text came from the site itself; asking without it is always right.
            if let Some(value) = value.and_then(|v| HeaderValue::from_str(v).ok()) {
                ask = ask.header(name, value);
            }
        }
        let wait = left.min(self.inner.limits.headers.to_std());
        match timeout(wait, ask.send()).await {
            Err(_) => Err(FetchError::Timeout { place: place(url), phase: "headers" }),
            Ok(Err(error)) => Err(explain(url, error)),
            Ok(Ok(answer)) => Ok(answer),
        }
    }

    fn judge(
        &self,
        url: &Url,
        request: &Request<'_>,
        answer: &reqwest::Response,
        now: Timestamp,
    ) -> Result<(), FetchError> {
        let place = || place(url);
        let status = answer.status();
        match status.as_u16() {
            // A site that says "not modified" to an unconditional request leaves us with nothing.
            304 if request.etag.is_none() && request.last_modified.is_none() => {
                Err(FetchError::Status { place: place(), status: 304 })
            }
            304 | 200 | 203 => Ok(()),
            401 | 403 => Err(FetchError::Unauthorized { place: place(), status: status.as_u16() }),
            410 => Err(FetchError::Gone { place: place() }),
            429 | 503 => {
                let said = text(answer.headers(), &header::RETRY_AFTER);
                let retry_after = said.and_then(|t| parse_retry_after(&t, now)).unwrap_or(SHORTEST_PAUSE);
                lock(&self.inner.pauses).pause(url.host_str().unwrap_or_default(), now + retry_after);
                Err(FetchError::RateLimited { place: place(), status: status.as_u16(), retry_after })
            }
            other => Err(FetchError::Status { place: place(), status: other }),
        }
    }

    async fn read(
        &self,
        url: &Url,
        mut answer: reqwest::Response,
        moved_to: Option<String>,
    ) -> Result<Response, FetchError> {
        let max = self.inner.limits.max_body;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| explain(url, e))? {
            if body.len() + chunk.len() > max {
                return Err(FetchError::TooLarge { place: place(url), max });
            }
            body.extend_from_slice(&chunk);
        }
        let headers = answer.headers();
        let (content_type, charset) = media_type(text(headers, &header::CONTENT_TYPE).as_deref().unwrap_or(""));
        Ok(Response::Fresh {
            body,
            content_type,
            charset,
            etag: text(headers, &header::ETAG).filter(|t| t.len() <= 1024),
            last_modified: text(headers, &header::LAST_MODIFIED).filter(|t| t.len() <= 128),
            moved_to,
            max_age: max_age(headers),
        })
    }
}

/// The resolver of one client: it only knows addresses that the guard lets through.
struct Guarded {
    allow: Allow,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let allow = self.allow.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = guard::resolve(name.as_str(), &allow).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn build(agent: &str, limits: &Limits, allow: &Allow) -> Result<Client, FetchError> {
    Client::builder()
        .user_agent(agent)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(limits.connect.to_std())
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(limits.per_host.max(1))
        .dns_resolver(Guarded { allow: allow.clone() })
        .build()
        .map_err(|e| FetchError::Setup(chain(&e)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is done under these locks can leave them half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check(url: &Url, allow: &Allow) -> Result<(), FetchError> {
    let wrong = |reason: &str| FetchError::Address { place: place(url), reason: reason.to_owned() };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("only http and https are fetched"));
    }
    let host = url.host().ok_or_else(|| wrong("it names no host"))?;
    guard::check_host(&host, allow).map_err(|source| FetchError::Refused { place: place(url), source })
}

/// Where an answer sends us, if it does.
fn redirect(from: &Url, answer: &reqwest::Response) -> Result<Option<Url>, FetchError> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let wrong = |reason: &str| FetchError::Redirect { place: place(from), reason: reason.to_owned() };
    let location = answer.headers().get(header::LOCATION).ok_or_else(|| wrong("without saying where to"))?;
    let location = String::from_utf8_lossy(location.as_bytes());
    let mut to = from.join(&location).map_err(|_| wrong("to something that is no address"))?;
    if !matches!(to.scheme(), "http" | "https") {
        return Err(wrong("to something that is neither http nor https"));
    }
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err(wrong("from https to http"));
    }
    let same = from.host_str() == to.host_str() && from.port_or_known_default() == to.port_or_known_default();
    // The host of a redirect never gets a password, neither ours nor one it made up.
    if !same || (to.username(), to.password()) != (from.username(), from.password()) {
        let cleared = to.set_username("").and_then(|()| to.set_password(None));
        cleared.map_err(|()| wrong("to an address without a host"))?;
    }
    to.set_fragment(None);
    Ok(Some(to))
}

/// Scheme, host and path: what may be shown of an address.
fn place(url: &Url) -> String {
    match url.host_str() {
        Some(host) => {
            let port = url.port().map(|p| format!(":{p}")).unwrap_or_default();
            format!("{}://{host}{port}{}", url.scheme(), url.path())
        }
        None => format!("{}:", url.scheme()),
    }
}

/// The same for text that may be no address at all.
pub(crate) fn place_of(text: &str) -> String {
    Url::parse(text).map_or_else(|_| "the address".to_owned(), |url| place(&url))
}

fn explain(url: &Url, error: reqwest::Error) -> FetchError {
    let place = place(url);
    let error = error.without_url();
    let mut cause = error.source();
    let mut unknown_host = false;
    let mut tls = false;
    while let Some(inner) = cause {
        match inner.downcast_ref::<GuardError>() {
            Some(GuardError::Refused { host }) => {
                return FetchError::Refused { place, source: GuardError::Refused { host: host.clone() } };
            }
            Some(GuardError::Unknown { .. }) => unknown_host = true,
            None => {}
        }
        tls |= inner.is::<rustls::Error>();
        // An io::Error hides what it wraps: its source() is the source of what is inside.
        if let Some(wrapped) = inner.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref()) {
            tls |= wrapped.is::<rustls::Error>();
        }
        cause = inner.source();
    }
    if unknown_host {
        FetchError::Dns { place, source: error.into() }
    } else if error.is_timeout() {
        FetchError::Timeout { place, phase: "connection" }
    } else if tls {
        FetchError::Tls { place, source: error.into() }
    } else if error.is_connect() {
        FetchError::Connect { place, source: error.into() }
    } else {
        FetchError::Broken { place, source: error.into() }
    }
}

fn chain(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        said = format!("{said}: {inner}");
        cause = inner.source();
    }
    said
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|v| v.to_str().ok()).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
}

/// `Retry-After` as seconds or as a date, held within a minute and a day; `None` where it says neither.
fn parse_retry_after(said: &str, now: Timestamp) -> Option<Span> {
    said_in_retry_after(said, now).map(|wait| wait.clamp(SHORTEST_PAUSE, LONGEST_PAUSE))
}

/// `Retry-After` as it is said, never below nothing.
fn said_in_retry_after(said: &str, now: Timestamp) -> Option<Span> {
    let said = said.trim();
    let digits = said.strip_prefix('-').unwrap_or(said);
    let wait = if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        let seconds = if digits == said { digits.parse().unwrap_or(i64::MAX / 1000) } else { 0_i64 };
        Span::secs(seconds.min(i64::MAX / 1000))
    } else {
        between(now, jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(said).ok()?)
    };
    Some(wait.max(Span::ZERO))
}

fn max_age(headers: &HeaderMap) -> Option<Span> {
    let said = text(headers, &header::CACHE_CONTROL)?.to_ascii_lowercase();
    let seconds = said.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.parse::<i64>().ok())?;
    (seconds > 0).then(|| Span::secs(seconds.min(86_400)))
}

/// The media type in lower case, and the charset that its parameters name.
fn media_type(said: &str) -> (Option<String>, Option<String>) {
    let mut parts = said.split(';');
    let kind = parts.next().map(|k| k.trim().to_ascii_lowercase()).filter(|k| !k.is_empty());
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    });
    (kind, charset.filter(|c| !c.is_empty()))
}

#[cfg(test)]
mod tests;
