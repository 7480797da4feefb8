//! What Facebook, Instagram and Threads share: pages of Meta's Graph API, and its own words for "too much".
//!
//! Follows <https://developers.facebook.com/docs/graph-api/results> and `/overview/rate-limiting` (v23.0). The address of a
//! next page that an answer names holds the token, so it is never kept: pages are asked for by `after`.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::listing::with;
use super::told::Told;
use crate::model::time::Span;

/// The page after this one.
pub(super) fn next(body: &Value, asked: &Url) -> Option<Url> {
    let after = body.text("/paging/cursors/after");
    let more = !body.text("/paging/next").is_empty();
    (more && !after.is_empty()).then(|| with(asked, "after", after))
}

/// Codes of limits: of the app, the user, the page, a custom one, and those of business use cases.
pub(super) fn rest(_: u16, told: &Value, _: Timestamp) -> Option<Span> {
    let code = told.count("/error/code")?;
    (matches!(code, 4 | 17 | 32 | 613) || (80_000..=80_014).contains(&code)).then_some(Span::mins(15))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_token_of_a_next_page_is_not_kept() {
        let asked = Url::parse("https://graph.facebook.com/v23.0/1/feed?limit=25").unwrap();
        let body = json!({ "paging": { "cursors": { "after": "QVF" }, "next": "https://graph.facebook.com/v23.0/1/feed?access_token=canary&after=QVF" } });
        assert_eq!(
            next(&body, &asked).map(String::from).as_deref(),
            Some("https://graph.facebook.com/v23.0/1/feed?limit=25&after=QVF")
        );
        assert_eq!(next(&json!({ "paging": { "cursors": { "after": "QVF" } } }), &asked), None);
        let now = crate::model::time::from_millis(0);
        assert_eq!(rest(400, &json!({ "error": { "code": 32 } }), now), Some(Span::mins(15)));
        assert_eq!(rest(400, &json!({ "error": { "code": 190 } }), now), None);
    }
}
