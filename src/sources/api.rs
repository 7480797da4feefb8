//! An API that answers in JSON: what lets us in, one question and its answer, and why it refuses in its own words.

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::guard::Allow;
use super::http::{Body, FetchError, Headers, Http, Request, Response, place};
use super::told::Told;
use crate::config::SecretRef;
use crate::model::time::Span;
use crate::text::clean::one_line;

/// Answers longer than this are read away from the threads that serve the network.
const SMALL: usize = 128 << 10;
/// Bytes of an API's own words that are shown.
const LONGEST_WORDS: usize = 200;
/// A session is opened anew so long before it ends.
const EARLY: Span = Span::mins(1);

/// What lets a source in.
pub(super) enum Pass {
    /// Nothing is needed.
    Open,
    /// A secret of the settings in a header, after a word such as `Bearer `.
    Header(&'static str, &'static str, SecretRef),
    /// A session that secrets of the settings open, until it ends.
    Session(Box<dyn Session>, Mutex<Option<Opened>>),
}

/// A session that is open.
pub(super) struct Opened {
    /// The whole `Authorization` header.
    pub header: SecretString,
    /// When it ends, where that is known.
    pub until: Option<Timestamp>,
}

/// A session being opened.
pub(super) type Opening<'a> = Pin<Box<dyn Future<Output = Result<Opened, FetchError>> + Send + 'a>>;

/// How sessions are opened at one place.
pub(super) trait Session: Send + Sync {
    /// Opens a session; `door` speaks to the place without one.
    fn open<'a>(&'a self, door: &'a Api<'a>) -> Opening<'a>;
}

impl Pass {
    /// A pass by sessions, none of which is open yet.
    pub(super) fn session(session: impl Session + 'static) -> Pass {
        Pass::Session(Box::new(session), Mutex::new(None))
    }

    /// A secret in a header where there is one.
    pub(super) fn optional(header: &'static str, scheme: &'static str, secret: Option<SecretRef>) -> Pass {
        secret.map_or(Pass::Open, |secret| Pass::Header(header, scheme, secret))
    }
}

/// How long a refusal of this status and body asks us to stay away, where it says so in words of its own.
pub(super) type Rest = fn(u16, &Value, Timestamp) -> Option<Span>;

/// How long it is until the day ends by UTC, when allowances of a day begin anew.
pub(super) fn to_midnight(now: Timestamp) -> Span {
    const DAY: i64 = Span::days(1).as_millis();
    Span::millis(DAY - now.as_millisecond().rem_euclid(DAY))
}

/// An API during one fetch.
pub(super) struct Api<'a> {
    pub http: &'a Http,
    pub allow: &'a Allow,
    pub pass: &'a Pass,
    pub rest: Rest,
    pub accept: &'static str,
    /// Headers besides, without secrets.
    pub headers: &'a [(&'static str, String)],
    pub now: Timestamp,
}

/// What it answered.
pub(super) struct Answer {
    pub body: Value,
    pub headers: Headers,
}

impl Api<'_> {
    /// Asks a question.
    pub(super) async fn get(&self, url: &Url) -> Result<Answer, FetchError> {
        self.question(url, None).await
    }

    /// Asks a question, by POST where something is sent with it. A session that has ended is opened anew, once.
    pub(super) async fn question(&self, url: &Url, sent: Option<&Value>) -> Result<Answer, FetchError> {
        let Pass::Session(_, open) = self.pass else { return self.ask(url, sent).await };
        let was_open = open.lock().await.is_some();
        match self.ask(url, sent).await {
            // One that was opened a moment ago has not ended: then it is the account that is refused.
            Err(e) if was_open && ended(&e) => {
                *open.lock().await = None;
                self.ask(url, sent).await
            }
            answer => answer,
        }
    }

    /// Sends something, with a secret in the `Authorization` header where there is one.
    pub(super) async fn post(
        &self,
        url: &Url,
        body: Body<'_>,
        secret: Option<&SecretString>,
    ) -> Result<Answer, FetchError> {
        let secret = secret.map(|s| ("authorization", s));
        let request = Request { secret, ..self.request(url) };
        self.understand(url, self.http.post(request, body, self.now).await, secret.map(|s| s.1)).await
    }

    fn request<'u>(&'u self, url: &'u Url) -> Request<'u> {
        Request { accept: self.accept, headers: self.headers, ..Request::of(url.as_str(), self.allow) }
    }

    async fn ask(&self, url: &Url, sent: Option<&Value>) -> Result<Answer, FetchError> {
        let secret = self.secret().await?;
        let shown = secret.as_ref().map(|(name, value)| (*name, value));
        let request = Request { secret: shown, ..self.request(url) };
        let answer = match sent {
            Some(sent) => self.http.post(request, Body::Json(sent), self.now).await,
            None => self.http.get(request, self.now).await,
        };
        self.understand(url, answer, shown.map(|s| s.1)).await
    }

    async fn secret(&self) -> Result<Option<(&'static str, SecretString)>, FetchError> {
        match self.pass {
            Pass::Open => Ok(None),
            Pass::Header(name, scheme, secret) => {
                let secret = secret.fetch()?;
                Ok(Some((name, SecretString::from(format!("{scheme}{}", secret.expose_secret())))))
            }
            Pass::Session(session, open) => {
                let mut open = open.lock().await;
                if let Some(opened) = open.as_ref()
                    && opened.until.is_none_or(|until| until > self.now + EARLY)
                {
                    return Ok(Some(("authorization", opened.header.clone())));
                }
                let door = Api { pass: &Pass::Open, ..*self };
                let opened = session.open(&door).await?;
                let header = opened.header.clone();
                *open = Some(opened);
                Ok(Some(("authorization", header)))
            }
        }
    }

    async fn understand(
        &self,
        url: &Url,
        answer: Result<Response, FetchError>,
        secret: Option<&SecretString>,
    ) -> Result<Answer, FetchError> {
        let unreadable = |reason: String| FetchError::Unreadable { place: place(url), reason };
        match answer {
            Ok(Response::Fresh { body, headers, .. }) => {
                let read = match body.len() > SMALL {
                    true => {
                        tokio::task::spawn_blocking(move || json(&body)).await.unwrap_or_else(|e| Err(e.to_string()))
                    }
                    false => json(&body),
                };
                Ok(Answer { body: read.map_err(unreadable)?, headers })
            }
            Ok(Response::NotModified { .. }) => {
                Err(unreadable("it says that nothing changed to who never asked".into()))
            }
            Err(FetchError::Status { status, ref body, .. } | FetchError::Unauthorized { status, ref body, .. })
                if let Ok(told) = serde_json::from_slice::<Value>(body) =>
            {
                if let Some(wait) = (self.rest)(status, &told, self.now) {
                    return Err(self.http.rest(url, status, wait, self.now));
                }
                let words = words(&told, secret);
                Err(FetchError::Told { place: place(url), status, words })
            }
            // Some say in words of their own how long, such as until tomorrow.
            Err(FetchError::RateLimited { status, ref body, .. })
                if let Ok(told) = serde_json::from_slice::<Value>(body)
                    && let Some(wait) = (self.rest)(status, &told, self.now) =>
            {
                Err(self.http.rest(url, status, wait, self.now))
            }
            Err(e) => Err(e),
        }
    }
}

/// Whether a refusal means that the session is over: 401, or Bluesky's own word.
fn ended(e: &FetchError) -> bool {
    match e {
        FetchError::Unauthorized { status, .. } => *status == 401,
        FetchError::Told { status, words, .. } => *status == 401 || words.starts_with("ExpiredToken"),
        _ => false,
    }
}

fn json(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|e| {
        let said = one_line(&String::from_utf8_lossy(body.get(..400).unwrap_or(body)), LONGEST_WORDS);
        if said.is_empty() { "the answer is empty".to_owned() } else { format!("this is no JSON ({e}): {said}") }
    })
}

/// Why an API refuses, in its own words; the shapes of all kinds here.
fn words(told: &Value, secret: Option<&SecretString>) -> String {
    let said = ["/message", "/error/message", "/error_description", "/error_message", "/errors/0/message", "/errors/0"];
    let said = said.iter().map(|at| told.text(at)).find(|t| !t.is_empty()).unwrap_or("");
    let code = [told.text("/error"), told.text("/error_name")].into_iter().find(|c| !c.is_empty()).unwrap_or("");
    let words = match (code, said) {
        ("", "") => "it does not say why".to_owned(),
        (code, "") | ("", code) => code.to_owned(),
        (code, said) => format!("{code}: {said}"),
    };
    let bare = secret.map(|s| s.expose_secret().rsplit(' ').next().unwrap_or("")).filter(|s| !s.is_empty());
    if bare.is_some_and(|bare| words.contains(bare)) {
        return "its words repeat our secret, so they are not shown".to_owned();
    }
    one_line(&words, LONGEST_WORDS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn refusals_in_the_words_of_all_kinds() {
        let said = |told: Value| words(&told, Some(&SecretString::from("Bearer canary")));
        assert_eq!(said(json!({ "error": "The access token is invalid" })), "The access token is invalid");
        assert_eq!(
            said(json!({ "error": "ExpiredToken", "message": "Token has expired" })),
            "ExpiredToken: Token has expired"
        );
        assert_eq!(said(json!({ "message": "Not Found", "status": "404" })), "Not Found");
        assert_eq!(
            said(json!({ "error": { "code": 403, "message": "The request cannot\nbe completed" } })),
            "The request cannot be completed"
        );
        assert_eq!(
            said(json!({ "error_id": 502, "error_name": "throttle_violation", "error_message": "too many" })),
            "throttle_violation: too many"
        );
        assert_eq!(said(json!({ "errors": ["You need to be logged in"] })), "You need to be logged in");
        assert_eq!(said(json!([])), "it does not say why");
        assert!(!said(json!({ "error": "the token canary is invalid" })).contains("canary"));
    }

    #[test]
    fn what_is_no_json_says_what_it_is() {
        let error = json(b"Your query was too short or too long.\n").expect_err("no JSON");
        assert!(error.ends_with("Your query was too short or too long."), "{error}");
        assert_eq!(json(b"").expect_err("nothing"), "the answer is empty");
    }
}
