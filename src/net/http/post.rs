//! Telling somebody something: one request with a body, sent once; nothing is followed, and the address may be a secret.
//!
//! Addresses of hooks and bots carry their secret in the path, so failures name scheme and host alone.

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{self, HeaderName, HeaderValue};
use tokio::time::timeout;
use url::Url;

use super::{FetchError, Headers, Http, check, explain, place};
use crate::model::time::Span;
use crate::net::guard::Allow;

/// Bytes that are read of an answer: enough to say what is wrong.
const MOST_ANSWER: usize = 16 << 10;

/// What is sent.
#[derive(Debug, Clone)]
pub struct Post<'a> {
    /// Whether the address names what is put there, so that doing so twice leaves one.
    pub put: bool,
    /// The address; `http` or `https`.
    pub url: &'a str,
    /// Networks that may be reached besides public ones.
    pub allow: &'a Allow,
    /// The body's media type.
    pub content_type: &'a str,
    /// Other headers; none of their values is ever logged.
    pub headers: &'a [(&'static str, String)],
    /// The body.
    pub body: Vec<u8>,
}

/// What was answered, whatever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Scheme and host, for telling.
    pub place: String,
    /// The status.
    pub status: u16,
    /// How long it asks to be left alone.
    pub retry_after: Option<Span>,
    /// The beginning of its body.
    pub body: String,
}

impl Http {
    /// Sends once, without waiting for a turn: whoever sends bounds its own and keeps their timetable.
    ///
    /// # Errors
    /// Where there is no answer at all; see [`FetchError`].
    pub async fn tell(&self, post: Post<'_>, now: Timestamp) -> Result<Answer, FetchError> {
        let wrong = |reason: &str| FetchError::Address { place: "the address".into(), reason: reason.to_owned() };
        let url = Url::parse(post.url).map_err(|e| wrong(&e.to_string()))?;
        let shown = bare(&url).ok_or_else(|| wrong("it names no host"))?;
        let named = place(&shown);
        let unnamed = |e: FetchError| match e {
            FetchError::Refused { source, .. } => FetchError::Refused { place: named.clone(), source },
            FetchError::Address { reason, .. } => FetchError::Address { place: named.clone(), reason },
            other => other,
        };
        check(&url, post.allow).map_err(unnamed)?;
        let client = self.client(post.allow, false)?;
        let method = if post.put { Method::PUT } else { Method::POST };
        let mut ask = client.request(method, url).header(header::CONTENT_TYPE, post.content_type).body(post.body);
        for (name, value) in post.headers {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| wrong(&format!("the value of `{name}` cannot stand in a header")))?;
            value.set_sensitive(true);
            ask = ask.header(HeaderName::from_static(name), value);
        }
        let late = |phase| FetchError::Timeout { place: named.clone(), phase };
        let wait = self.inner.limits.headers.to_std();
        let answered = timeout(wait, ask.send()).await.map_err(|_| late("answer"))?;
        let mut answer = answered.map_err(|e| explain(&shown, e))?;
        let status = answer.status().as_u16();
        let retry_after = Headers::of(answer.headers()).said_retry_after(now);
        let mut body = Vec::new();
        let read = async {
            while let Ok(Some(chunk)) = answer.chunk().await {
                body.extend(chunk.iter().take(MOST_ANSWER.saturating_sub(body.len())));
                if body.len() >= MOST_ANSWER {
                    break;
                }
            }
        };
        // The status says whether it was taken; a body that does not come changes nothing.
        drop(timeout(wait, read).await);
        Ok(Answer { place: named, status, retry_after, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

/// Scheme, host and port of an address.
fn bare(url: &Url) -> Option<Url> {
    let mut bare = url.join("/").ok()?;
    bare.set_username("").and_then(|()| bare.set_password(None)).ok()?;
    bare.host_str()?;
    Some(bare)
}
