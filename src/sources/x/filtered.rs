//! X's filtered stream: posts that match rules, as they are written, one JSON text a line.
//!
//! Follows <https://docs.x.com/x-api/posts/filtered-stream/introduction>: rules are kept by X for the whole app, each with a
//! tag and no two with the same search. Ours carry the name of the source, and the others are left alone; where one of them
//! searches for the same it serves us as well, so that posts are known by the numbers of the rules that found them. An
//! empty line every twenty seconds is a sign of life. `backfill_minutes` tells again what was missed in the last five
//! minutes, where the contract has it; without it, and beyond, the search is asked once the stream is open again. Several
//! connections of one app are refused.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::{asked_for, capture};
use crate::config::SecretRef;
use crate::model::time::Span;
use crate::sources::api::{Api, Pass};
use crate::sources::bounds::{bounded, clip};
use crate::sources::guard::Allow;
use crate::sources::http::{Body, FetchError, Http, Request, place};
use crate::sources::listing::{below, with};
use crate::sources::live::{Ear, Heard, Listening, Live};
use crate::sources::told::Told;

/// A sign of life comes every twenty seconds.
const SILENCE: Span = Span::secs(60);

/// The stream of one app.
pub(super) struct Filtered {
    pub api: Url,
    pub allow: Allow,
    pub token: SecretRef,
    /// What its rules are known by: two sources may share an app.
    pub tag: String,
    /// Searches in X's own words; each is a rule.
    pub rules: Vec<String>,
    /// The contract has `backfill_minutes`.
    pub backfill: bool,
}

impl Live for Filtered {
    fn listen<'a>(&'a self, http: &'a Http, _: &'a Value, ear: &'a Ear, now: Timestamp) -> Listening<'a> {
        Box::pin(async move {
            match self.hear(http, ear, now).await {
                Ok(never) => match never {},
                Err(e) => e,
            }
        })
    }
}

impl Filtered {
    async fn hear(&self, http: &Http, ear: &Ear, now: Timestamp) -> Result<std::convert::Infallible, FetchError> {
        let token = SecretString::from(format!("Bearer {}", self.token.fetch()?.expose_secret()));
        let ours = self.keep_rules(http, &token, now).await?;
        let stream = below(&self.api, &["2", "tweets", "search", "stream"], &asked_for());
        let stream = if self.backfill { with(&stream, "backfill_minutes", "5") } else { stream };
        let secret = Some(("authorization", &token));
        let request = Request { accept: "application/json", secret, ..Request::of(stream.as_str(), &self.allow) };
        let mut lines = http.open(request, SILENCE, now).await?;
        ear.open().await;
        loop {
            let line = lines.next().await?;
            let Ok(told) = serde_json::from_slice::<Value>(&line) else { continue };
            match heard(&told, &ours) {
                Ok(Some(heard)) => ear.hear(heard).await,
                Ok(None) => {}
                Err(reason) => return Err(FetchError::Unreadable { place: place(&stream), reason }),
            }
        }
    }

    /// Has X keep our rules as they are in the settings; the numbers of all that search for what we do.
    async fn keep_rules(&self, http: &Http, token: &SecretString, now: Timestamp) -> Result<Vec<String>, FetchError> {
        let url = below(&self.api, &["2", "tweets", "search", "stream", "rules"], &[]);
        let pass = Pass::Header("authorization", "Bearer ", self.token.clone());
        let rest = |_: u16, _: &Value, _: Timestamp| None;
        let api = Api { http, allow: &self.allow, pass: &pass, rest, accept: "application/json", headers: &[], now };
        let kept = api.get(&url).await?.body;
        let (stale, missing) = changes(&self.tag, &self.rules, &kept);
        let mut ours = numbers(&self.rules, kept.list("/data"));
        if !stale.is_empty() {
            api.post(&url, Body::Json(&json!({ "delete": { "ids": stale } })), Some(token)).await?;
        }
        if missing.is_empty() {
            return Ok(ours);
        }
        let add: Vec<Value> = missing.iter().map(|rule| json!({ "value": rule, "tag": self.tag })).collect();
        let answer = api.post(&url, Body::Json(&json!({ "add": add })), Some(token)).await?.body;
        ours.extend(numbers(&self.rules, answer.list("/data")));
        // Another source was first with it.
        let (known, refused): (Vec<&Value>, Vec<&Value>) =
            answer.list("/errors").iter().partition(|e| e.text("/title") == "DuplicateRule");
        ours.extend(known.iter().map(|e| e.id("/id")).filter(|id| !id.is_empty()));
        // Some rules are refused in an answer that is no error.
        match refused.first() {
            None => Ok(ours),
            Some(e) => {
                let words = [e.text("/details/0"), e.text("/detail"), e.text("/title")];
                let words = words.into_iter().find(|w| !w.is_empty()).unwrap_or("it does not say why");
                let reason = format!("a search is no rule for X: {}", clip(words, 200));
                Err(FetchError::Unreadable { place: place(&url), reason })
            }
        }
    }
}

/// Our rules that X keeps and that are wanted no more, by their ids, and those that nobody has it keep yet.
fn changes(tag: &str, wanted: &[String], kept: &Value) -> (Vec<String>, Vec<String>) {
    let all = || kept.list("/data").iter();
    let ours = all().filter(|rule| rule.text("/tag") == tag);
    let stale = ours.filter(|rule| !wanted.iter().any(|w| w == rule.text("/value"))).map(|rule| rule.id("/id"));
    let missing = wanted.iter().filter(|w| !all().any(|rule| rule.text("/value") == w.as_str()));
    (stale.filter(|id| !id.is_empty()).collect(), missing.cloned().collect())
}

/// The ids of rules that search for something wanted, whoever has X keep them.
fn numbers(wanted: &[String], rules: &[Value]) -> Vec<String> {
    let ours = rules.iter().filter(|rule| wanted.iter().any(|w| w == rule.text("/value")));
    ours.map(|rule| rule.id("/id")).filter(|id| !id.is_empty()).collect()
}

/// What a line means for us: a post that one of our rules found, or why X ends the stream.
fn heard(told: &Value, ours: &[String]) -> Result<Option<Heard>, String> {
    if told.get("data").is_none() {
        return match told.list("/errors").first() {
            Some(e) => {
                let words = [e.text("/detail"), e.text("/title")].into_iter().find(|w| !w.is_empty());
                Err(format!("it ends the stream: {}", clip(words.unwrap_or("it does not say why"), 200)))
            }
            None => Ok(None),
        };
    }
    let rules = told.list("/matching_rules");
    if !rules.is_empty() && !rules.iter().any(|rule| ours.contains(&rule.id("/id"))) {
        return Ok(None);
    }
    let post = told.get("data").and_then(|post| capture(post, told)).and_then(bounded);
    Ok(post.map(|post| Heard { captures: vec![post], ..Heard::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_others_are_left_alone() {
        let kept = json!({ "data": [
            { "id": "1", "value": "acme", "tag": "vakt x" }, { "id": "2", "value": "old", "tag": "vakt x" },
            { "id": "3", "value": "theirs", "tag": "vakt y" }, { "id": "4", "value": "both" },
        ] });
        let wanted = ["acme".to_owned(), "both".to_owned(), "new".to_owned()];
        assert_eq!(changes("vakt x", &wanted, &kept), (vec!["2".to_owned()], vec!["new".to_owned()]));
        assert_eq!(numbers(&wanted, kept.list("/data")), ["1", "4"], "one of others that is the same serves us too");
        assert_eq!(changes("vakt x", &wanted, &json!({ "meta": {} })), (vec![], wanted.to_vec()));
    }

    #[test]
    fn lines_and_what_they_mean() {
        let line = |id: &str| {
            json!({ "data": { "id": "18", "text": "Acme", "author_id": "7" }, "includes": { "users": [{ "id": "7", "username": "ann" }] },
                "matching_rules": [{ "id": id, "tag": "whatever" }] })
        };
        let heard = |told: &Value| heard(told, &["1".to_owned()]);
        let post = heard(&line("1")).expect("a post").expect("ours");
        assert_eq!(post.captures[0].url.as_deref(), Some("https://x.com/ann/status/18"));
        assert!(heard(&line("2")).expect("a post").is_none());
        assert!(heard(&json!({})).expect("nothing").is_none());
        let over = json!({ "errors": [{ "title": "operational-disconnect", "detail": "Disconnected for failing to keep up" }] });
        assert!(heard(&over).expect_err("the end").contains("failing to keep up"));
    }
}
