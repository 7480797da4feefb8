//! Headers of an answer: what they say of freshness, of pages to come, and of how much may still be asked.

use jiff::Timestamp;
use reqwest::header::{self, HeaderMap};

use crate::model::time::{Span, between, from_millis};

pub(super) const SHORTEST_PAUSE: Span = Span::mins(1);
pub(super) const LONGEST_PAUSE: Span = Span::hours(24);

/// The headers of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Headers(Box<HeaderMap>);

/// How much of an allowance is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests, or units, that are left.
    pub left: u64,
    /// When there is more again, where the site says so.
    pub until: Option<Timestamp>,
}

impl Headers {
    pub(super) fn of(map: &HeaderMap) -> Headers {
        Headers(Box::new(map.clone()))
    }

    /// A header's text, trimmed; `None` where it is empty or no text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(|v| v.to_str().ok()).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    }

    /// How long the answer calls itself fresh, a day at most.
    pub fn max_age(&self) -> Option<Span> {
        let said = self.text(header::CACHE_CONTROL.as_str())?.to_ascii_lowercase();
        let seconds = said.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.parse::<i64>().ok())?;
        (seconds > 0).then(|| Span::secs(seconds.min(86_400)))
    }

    /// The address that `Link` names for a relation such as `next` (RFC 8288).
    pub fn link(&self, relation: &str) -> Option<String> {
        let said = self.text(header::LINK.as_str())?;
        // A comma also stands inside addresses, so the links are told apart by their angle brackets.
        said.split('<').skip(1).find_map(|part| {
            let (address, parameters) = part.split_once('>')?;
            let named = parameters.split([';', ',']).any(|p| {
                let value = p.trim().strip_prefix("rel=").map(|v| v.trim_matches('"'));
                value.is_some_and(|v| v.split(' ').any(|word| word == relation))
            });
            named.then(|| address.to_owned())
        })
    }

    /// What `X-RateLimit-Remaining` and `-Reset` say, their newer names without the `X-`, or `x-rate-limit-…` as X says.
    pub fn quota(&self, now: Timestamp) -> Option<Quota> {
        let said = |name: &str| {
            ["x-ratelimit-", "ratelimit-", "x-rate-limit-"].iter().find_map(|p| self.text(&format!("{p}{name}")))
        };
        let left = said("remaining")?.parse::<f64>().ok().filter(|n| *n >= 0.0)?;
        Some(Quota { left: left as u64, until: said("reset").and_then(|said| reset(&said, now)) })
    }

    /// What `Retry-After` says, however little or much; never below nothing.
    pub(super) fn said_retry_after(&self, now: Timestamp) -> Option<Span> {
        let said = self.text(header::RETRY_AFTER.as_str())?;
        retry_after(&said, now).map(|wait| wait.max(Span::ZERO))
    }

    /// How long the answer asks to be left alone: in `Retry-After`, or until an allowance that is used up is given again.
    pub fn retry_after(&self, now: Timestamp) -> Option<Span> {
        let said = self.text(header::RETRY_AFTER.as_str()).and_then(|said| retry_after(&said, now));
        let used_up = || self.quota(now).filter(|q| q.left == 0)?.until.map(|until| between(now, until));
        said.or_else(used_up).map(|wait| wait.clamp(SHORTEST_PAUSE, LONGEST_PAUSE))
    }

    /// Its media type in lower case, and the charset that the media type names.
    pub(super) fn media_type(&self) -> (Option<String>, Option<String>) {
        media_type(self.text(header::CONTENT_TYPE.as_str()).as_deref().unwrap_or(""))
    }
}

/// An instant, seconds since 1970 or seconds from now: sites write all three.
fn reset(said: &str, now: Timestamp) -> Option<Timestamp> {
    match said.parse::<f64>() {
        Ok(seconds) if !(0.0..1e11).contains(&seconds) => None,
        Ok(seconds) if seconds > 1e9 => Some(from_millis((seconds * 1000.0) as i64)),
        Ok(seconds) => Some(now + Span::millis((seconds * 1000.0) as i64)),
        Err(_) => said.parse().ok(),
    }
}

/// `Retry-After` as seconds or as a date; `None` where it says neither.
fn retry_after(said: &str, now: Timestamp) -> Option<Span> {
    let said = said.trim();
    let digits = said.strip_prefix('-').unwrap_or(said);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        let seconds = if digits == said { digits.parse().unwrap_or(i64::MAX / 1000) } else { 0_i64 };
        return Some(Span::secs(seconds.min(i64::MAX / 1000)));
    }
    Some(between(now, jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(said).ok()?))
}

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
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &str)]) -> Headers {
        let name = reqwest::header::HeaderName::from_static;
        Headers::of(&list.iter().map(|(k, v)| (name(k), v.parse().unwrap())).collect())
    }

    fn now() -> Timestamp {
        "2026-11-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_within_bounds() {
        let wait = |said: &str| headers(&[("retry-after", said)]).retry_after(now());
        assert_eq!(wait("120"), Some(Span::mins(2)));
        assert_eq!(wait("1"), Some(Span::mins(1)));
        assert_eq!(wait("-5"), Some(Span::mins(1)));
        assert_eq!(wait("99999999999999999999"), Some(Span::hours(24)));
        assert_eq!(wait("Sun, 01 Nov 2026 12:30:00 GMT"), Some(Span::mins(30)));
        assert_eq!(wait("Sun, 01 Nov 2020 12:30:00 GMT"), Some(Span::mins(1)));
        assert_eq!((wait("soon"), wait("")), (None, None));
    }

    #[test]
    fn an_allowance_ends_at_an_instant_however_it_is_written() {
        let until = |reset: &str| {
            let told = headers(&[("x-ratelimit-remaining", "0.0"), ("x-ratelimit-reset", reset)]);
            told.quota(now()).and_then(|q| q.until).map(|t| t.to_string())
        };
        assert_eq!(until("2026-11-01T12:05:00.000Z").as_deref(), Some("2026-11-01T12:05:00Z"));
        assert_eq!(until("1793534700").as_deref(), Some("2026-11-01T12:05:00Z"));
        assert_eq!(until("300").as_deref(), Some("2026-11-01T12:05:00Z"));
        assert_eq!((until("soon"), until("-1"), until("NaN")), (None, None, None));
        let spent = headers(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "300")]);
        assert_eq!(spent.retry_after(now()), Some(Span::mins(5)));
        let of_x = headers(&[("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", "1793534700")]);
        assert_eq!(of_x.retry_after(now()), Some(Span::mins(5)));
        assert_eq!(headers(&[("ratelimit-remaining", "7"), ("ratelimit-reset", "300")]).retry_after(now()), None);
    }

    #[test]
    fn links_are_found_by_relation() {
        let told = headers(&[(
            "link",
            "<https://a.example/x?ids=1,2>; rel=\"prev\", <https://a.example/x?max_id=3>; title=\"n\"; rel=\"next last\"",
        )]);
        assert_eq!(told.link("next").as_deref(), Some("https://a.example/x?max_id=3"));
        assert_eq!(told.link("prev").as_deref(), Some("https://a.example/x?ids=1,2"));
        assert_eq!(told.link("first"), None);
    }
}
