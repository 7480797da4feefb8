//! What channels by HTTP have in common: addresses of settings, a request sent, and what its answer means.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;

use super::{Means, Outcome, defang};
use crate::config::SecretRef;
use crate::config::written::{At, Form};
use crate::model::time::Span;
use crate::net::Allow;
use crate::net::http::{Answer, FetchError, Post};

/// Characters of an answer that are told.
const TOLD: usize = 200;
/// Nobody is waited for longer than this: their next try is the better way to find out.
const LONGEST_WAIT: Span = Span::mins(50);

/// An address of the settings: https, or http within networks that its own `allow_private` names.
pub(super) fn address(form: &Form<'_>, key: &'static str, usual: Option<&str>) -> Option<String> {
    let written = match (form.has(key), usual) {
        (false, Some(usual)) => {
            form.text(key);
            return Some(usual.to_owned());
        }
        _ => form.must_text(key)?,
    };
    checked(form, written)
}

fn checked(form: &Form<'_>, written: At<String>) -> Option<String> {
    let url = Url::parse(&written.value).ok().filter(|u| u.host().is_some());
    match url.as_ref().map(|u| (u.scheme(), u.password().is_some())) {
        Some((_, true)) => {
            let help = "keep it elsewhere: password = { credential = \"name\" }";
            let fault =
                crate::config::Fault::error(&form.desk.sheet, written.span, "a password stands in this address");
            form.desk.push(fault.help(help).unseen());
        }
        Some(("https", _)) => return Some(written.value.trim_end_matches('/').to_owned()),
        Some(("http", _)) if form.has("allow_private") => return Some(written.value.trim_end_matches('/').to_owned()),
        Some(("http", _)) => {
            let help = "write https://…, or list its network in allow_private where it stands in the house";
            form.desk.error(written.span, "messages do not leave the house without TLS", help);
        }
        _ => form.desk.error(written.span, format!("`{}` is no web address", written.value), "write https://…"),
    }
    None
}

/// Fetches a secret; while it is not there, nothing is sent.
pub(super) fn fetch(secret: &SecretRef) -> Result<SecretString, Outcome> {
    secret.fetch().map_err(|e| Outcome::later(e.to_string()))
}

/// An address that is a secret itself.
pub(super) fn secret_address(secret: &SecretRef) -> Result<String, Outcome> {
    let url = fetch(secret)?.expose_secret().to_owned();
    match Url::parse(&url).is_ok_and(|u| u.host().is_some()) {
        true => Ok(url),
        false => Err(Outcome::Never("the secret that should be the hook's address is no web address".into())),
    }
}

/// A request with JSON, so far.
pub(super) fn json<'a>(url: &'a str, allow: &'a Allow, body: &impl Serialize) -> Post<'a> {
    let body = serde_json::to_vec(body).unwrap_or_default();
    Post { put: false, url, allow, content_type: "application/json", headers: &[], body }
}

/// Sends a request once. Where there is no answer it may be taken later, but for addresses that are never asked.
pub(super) async fn send(means: &Means, post: Post<'_>, now: Timestamp) -> Result<Answer, Outcome> {
    means.http.tell(post, now).await.map_err(|e| match e {
        FetchError::Refused { .. } | FetchError::Address { .. } => Outcome::Never(e.to_string()),
        e => Outcome::later(told(&e)),
    })
}

/// An error with what lies behind it.
fn told(e: &FetchError) -> String {
    let mut out = e.to_string();
    let mut source = std::error::Error::source(e);
    while let Some(cause) = source {
        out = format!("{out}: {cause}");
        source = cause.source();
    }
    defang::header_text(&out, 300)
}

/// What an answer means by its status; `said` is what it says for people, with what must not be told taken out.
pub(super) fn judge(answer: &Answer, said: &str, hidden: &[&str]) -> Outcome {
    if (200..300).contains(&answer.status) {
        return Outcome::Taken(answer.place.clone());
    }
    refused(answer, said, hidden, answer.retry_after)
}

/// An answer that says no, and how long to wait where it says so.
pub(super) fn refused(answer: &Answer, said: &str, hidden: &[&str], wait: Option<Span>) -> Outcome {
    // First hidden, then cut: half a secret is one as well.
    let mut said = said.to_owned();
    for secret in hidden.iter().flat_map(|h| parts_of(h)) {
        said = said.replace(&secret, "…");
    }
    let said = defang::header_text(&said, TOLD);
    let said = if said.is_empty() { said } else { format!(": {said}") };
    let why = format!("{} answered {}{said}", answer.place, answer.status);
    match answer.status {
        408 | 425 | 429 | 500..=599 => Outcome::Later { why, wait: wait.map(|w| w.min(LONGEST_WAIT)) },
        300..=399 => Outcome::Never(format!("{why}; it leads elsewhere, write where to")),
        _ => Outcome::Never(why),
    }
}

/// A secret, and where it is an address all of it that an answer may repeat: its path, its query, and longer parts of the path.
fn parts_of(secret: &str) -> Vec<String> {
    let mut out = vec![secret.to_owned()];
    if let Ok(url) = url::Url::parse(secret) {
        out.push(url.path().to_owned());
        out.extend(url.query().map(str::to_owned));
        out.extend(url.path_segments().into_iter().flatten().filter(|part| part.len() >= 8).map(str::to_owned));
    }
    out.retain(|part| part.len() > 1);
    out
}

/// A text of an answer in JSON.
pub(super) fn field(answer: &Answer, key: &str) -> Option<String> {
    let said: serde_json::Value = serde_json::from_str(&answer.body).ok()?;
    said.get(key)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_secret_address_is_told() {
        let secret = "https://chat.example/hooks/abcdefghij?key=klmnop";
        let answer = |body: &str| Answer {
            place: "https://chat.example".into(),
            status: 404,
            retry_after: None,
            body: body.into(),
        };
        let long = format!("{} /hooks/abcdefghij", "x".repeat(TOLD - 10));
        for said in ["Cannot POST /hooks/abcdefghij", "[abcdefghij] is not here", "?key=klmnop", long.as_str(), secret]
        {
            let Outcome::Never(why) = judge(&answer(said), said, &[secret]) else { panic!("404 is never") };
            assert!(!why.contains("abcde") && !why.contains("klmnop"), "{why}");
        }
    }
}
