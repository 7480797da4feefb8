//! The one polite HTTP client: it asks seldom, waits its turn, believes no header about sizes, and never leaves the guard.
//!
//! A `reqwest::Client` has one resolver, and each source may have its own allow-list, so there is one client for each
//! distinct [`Allow`]: a connection that one list opened is never lent to a source with another.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{self, HeaderValue};
use reqwest::{Client, Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use url::Url;

use super::guard::{self, Allow};
use super::pace::Pauses;
use crate::model::time::Span;

mod address;
mod error;
mod exchange;
mod headers;
mod live;
mod post;
mod robots;

use address::{check, redirect};
pub(crate) use address::{place, place_of};
pub use error::FetchError;
use error::{chain, explain};
pub use exchange::{Body, Request, Response};
pub use headers::{Headers, Quota};
use headers::{LONGEST_PAUSE, SHORTEST_PAUSE};
pub use live::{Lines, Socket};
pub use post::{Answer, Post};
pub use robots::Robots;

/// How many redirects are followed.
const HOPS: usize = 5;
/// The longest beginning of a refusal that is read, in bytes.
const LONGEST_REFUSAL: usize = 16 << 10;

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

/// The client; a clone shares its limits, connections and pauses.
#[derive(Clone)]
pub struct Http {
    inner: Arc<Inner>,
}

struct Inner {
    agent: String,
    limits: Limits,
    /// By allow-list, and by whether they speak HTTP/1.1 alone, as a WebSocket wants it.
    clients: Mutex<HashMap<(Allow, bool), Client>>,
    turns: Arc<Semaphore>,
    hosts: Mutex<Hosts>,
    pauses: Mutex<Pauses>,
    robots: Mutex<robots::Kept>,
}

/// The queue of each host that somebody stands in line at.
#[derive(Default)]
struct Hosts {
    queues: HashMap<String, Arc<Semaphore>>,
    /// How many hosts there may be before those are forgotten that nobody waits for.
    most: usize,
}

impl Hosts {
    fn queue(&mut self, host: &str, at_once: usize) -> Arc<Semaphore> {
        if self.queues.len() >= self.most {
            self.queues.retain(|_, queue| Arc::strong_count(queue) > 1);
            self.most = self.queues.len() * 2 + 64;
        }
        let fresh = || Arc::new(Semaphore::new(at_once.max(1)));
        Arc::clone(self.queues.entry(host.to_owned()).or_insert_with(fresh))
    }
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
        let first = build(&agent, &limits, &Allow::none(), false)?;
        let inner = Inner {
            agent,
            turns: Arc::new(Semaphore::new(limits.at_once.max(1))),
            limits,
            clients: Mutex::new(HashMap::from([((Allow::none(), false), first)])),
            hosts: Mutex::default(),
            pauses: Mutex::default(),
            robots: Mutex::default(),
        };
        Ok(Http { inner: Arc::new(inner) })
    }

    /// Fetches a document, following redirects within the guard.
    ///
    /// # Errors
    /// Everything that is neither a document nor "not modified"; see [`FetchError`].
    pub async fn get(&self, request: Request<'_>, now: Timestamp) -> Result<Response, FetchError> {
        self.exchange(request, None, now).await
    }

    /// Sends something and fetches what is answered. What is sent never goes anywhere else: a redirect is an error.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn post(&self, request: Request<'_>, body: Body<'_>, now: Timestamp) -> Result<Response, FetchError> {
        self.exchange(request, Some(body), now).await
    }

    /// Leaves the host of an address alone for a while, as its answer asked in words of its own; the error that says so.
    pub fn rest(&self, url: &Url, status: u16, wait: Span, now: Timestamp) -> FetchError {
        let retry_after = wait.clamp(Span::secs(1), LONGEST_PAUSE);
        lock(&self.inner.pauses).pause(url.host_str().unwrap_or_default(), now + retry_after);
        FetchError::RateLimited { place: place(url), status, retry_after, body: Vec::new() }
    }

    /// The hosts that are left alone, each with the end of its rest.
    pub fn rests(&self, now: Timestamp) -> Vec<(String, Timestamp)> {
        lock(&self.inner.pauses).all(now)
    }

    /// Leaves hosts alone that wanted it before.
    pub fn remember(&self, rests: &[(String, Timestamp)]) {
        let mut pauses = lock(&self.inner.pauses);
        rests.iter().for_each(|(host, until)| pauses.pause(host, *until));
    }

    async fn exchange(
        &self,
        mut request: Request<'_>,
        body: Option<Body<'_>>,
        now: Timestamp,
    ) -> Result<Response, FetchError> {
        let mut url = Url::parse(request.url)
            .map_err(|e| FetchError::Address { place: place_of(request.url), reason: e.to_string() })?;
        let client = self.client(request.allow, false)?;
        let secret = !url.username().is_empty() || url.password().is_some();
        let mut left = self.inner.limits.total.to_std();
        let mut permanent = true;
        for hop in 0..=HOPS {
            check(&url, request.allow)?;
            let turn = self.turn(&url, now).await?;
            let began = Instant::now();
            let answer = self.send(&client, &url, &request, body, left).await?;
            let status = answer.status();
            if let Some(target) = redirect(&url, &answer)? {
                if body.is_some() {
                    let reason = "though something was sent to it".to_owned();
                    return Err(FetchError::Redirect { place: place(&url), reason });
                }
                drop(turn);
                if target.origin() != url.origin() {
                    request.secret = None;
                }
                permanent &= matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT);
                left = left.saturating_sub(began.elapsed());
                url = target;
                continue;
            }
            let left = left.saturating_sub(began.elapsed());
            // A site that says "not modified" to an unconditional request leaves us with nothing.
            let asked_again = request.etag.is_some() || request.last_modified.is_some();
            match status.as_u16() {
                304 if asked_again => {
                    return Ok(Response::NotModified { max_age: Headers::of(answer.headers()).max_age() });
                }
                200 | 203 => {}
                201 | 202 | 204 if body.is_some() => {}
                _ => return Err(self.refusal(&url, answer, left, now).await),
            }
            // An address with a password is never stored as moved: the new one would lack the password.
            let moved_to = (hop > 0 && permanent && !secret).then(|| url.to_string());
            let late = |_| FetchError::Timeout { place: place(&url), phase: "whole body" };
            return timeout(left, self.read(&url, answer, moved_to)).await.map_err(late)?;
        }
        Err(FetchError::Redirect { place: place_of(request.url), reason: format!("more than {HOPS} times") })
    }

    fn client(&self, allow: &Allow, old: bool) -> Result<Client, FetchError> {
        let mut clients = lock(&self.inner.clients);
        if let Some(client) = clients.get(&(allow.clone(), old)) {
            return Ok(client.clone());
        }
        if clients.len() >= 64 {
            // Only reloads with ever new lists come here; the clients in use live on in their requests.
            clients.clear();
        }
        let client = build(&self.inner.agent, &self.inner.limits, allow, old)?;
        clients.insert((allow.clone(), old), client.clone());
        Ok(client)
    }

    /// Waits for a turn: first at the host, then globally, so that a slow host's queue holds up nobody else.
    async fn turn(&self, url: &Url, now: Timestamp) -> Result<Turn, FetchError> {
        let host = url.host_str().unwrap_or_default();
        let queue = lock(&self.inner.hosts).queue(host, self.inner.limits.per_host);
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
        body: Option<Body<'_>>,
        left: Duration,
    ) -> Result<reqwest::Response, FetchError> {
        let mut ask = client.request(if body.is_some() { Method::POST } else { Method::GET }, url.clone());
        ask = match body {
            None => ask,
            Some(Body::Json(json)) => ask.header(header::CONTENT_TYPE, "application/json").body(json.to_string()),
            Some(Body::Form(fields)) => {
                ask.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(fields.to_owned())
            }
        };
        if let Some((name, secret)) = request.secret {
            ask = ask.header(name, sensitive(secret)?);
        }
        for (name, value) in request.headers {
            ask = ask.header(*name, value);
        }
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

    /// What an answer that is no good news says, with the beginning of its body for whoever can read more out of it.
    async fn refusal(&self, url: &Url, answer: reqwest::Response, left: Duration, now: Timestamp) -> FetchError {
        let status = answer.status().as_u16();
        let asks_for_rest = Headers::of(answer.headers()).retry_after(now);
        match (status, asks_for_rest) {
            (429 | 503, None) => match self.rest(url, status, SHORTEST_PAUSE, now) {
                FetchError::RateLimited { place, status, retry_after, .. } => {
                    FetchError::RateLimited { place, status, retry_after, body: beginning(answer, left).await }
                }
                other => other,
            },
            (429 | 503, Some(wait)) => self.rest(url, status, wait, now),
            // GitHub and others call an allowance that is used up "forbidden".
            (403, Some(wait)) => self.rest(url, status, wait, now),
            (410, _) => FetchError::Gone { place: place(url) },
            (401 | 403, _) => {
                FetchError::Unauthorized { place: place(url), status, body: beginning(answer, left).await }
            }
            _ => FetchError::Status { place: place(url), status, body: beginning(answer, left).await },
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
        let headers = Headers::of(answer.headers());
        let (content_type, charset) = headers.media_type();
        Ok(Response::Fresh {
            body,
            content_type,
            charset,
            etag: headers.text(header::ETAG.as_str()).filter(|t| t.len() <= 1024),
            last_modified: headers.text(header::LAST_MODIFIED.as_str()).filter(|t| t.len() <= 128),
            moved_to,
            max_age: headers.max_age(),
            headers,
        })
    }
}

/// A secret as the value of a header.
fn sensitive(secret: &SecretString) -> Result<HeaderValue, FetchError> {
    let mut value = HeaderValue::from_str(secret.expose_secret())
        .map_err(|_| FetchError::Setup("the secret holds what no header can hold, such as a line end".into()))?;
    value.set_sensitive(true);
    Ok(value)
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

/// The beginning of a body, as far as it comes in time.
async fn beginning(mut answer: reqwest::Response, left: Duration) -> Vec<u8> {
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = answer.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= LONGEST_REFUSAL {
                break;
            }
        }
    };
    // What came until then will do.
    timeout(left, read).await.ok();
    body.truncate(LONGEST_REFUSAL);
    body
}

fn build(agent: &str, limits: &Limits, allow: &Allow, old: bool) -> Result<Client, FetchError> {
    let builder = if old { Client::builder().http1_only() } else { Client::builder() };
    builder
        .user_agent(agent)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(limits.connect.to_std())
        // Pages of one answer follow each other at once; what is asked again in minutes costs more memory open than anew.
        .pool_idle_timeout(Duration::from_millis(500))
        .pool_max_idle_per_host(limits.per_host.max(1))
        .dns_resolver(Guarded { allow: allow.clone() })
        .build()
        .map_err(|e| FetchError::Setup(chain(&e)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is done under these locks can leave them half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests;
