//! Bluesky's Jetstream: every post as it is written, over a WebSocket, of which what is looked for is kept.
//!
//! Follows <https://docs.bsky.app/docs/advanced-guides/firehose> and <https://github.com/bluesky-social/jetstream>: JSON
//! messages `commit`, `identity` and `account`, each with `time_us`; `wantedCollections` leaves likes and follows out;
//! `cursor` is a `time_us` to go on from, and goes back a day at least. Anybody may listen. Posts name their author by
//! the account's id alone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, timeout_at};
use url::Url;

use super::capture;
use super::profiles::{AT_ONCE, Profiles};
use crate::model::Capture;
use crate::model::time::{Span, from_millis};
use crate::sources::bounds::bounded;
use crate::sources::guard::Allow;
use crate::sources::http::{FetchError, Http, Request};
use crate::sources::listing::below;
use crate::sources::live::{Ear, Heard, Listening, Live};
use crate::sources::sieve::Sieve;
use crate::sources::told::Told;

/// Messages longer than this are left out there: one that is too long for us would end the connection, whenever it is
/// told again.
const LONGEST: &str = "1000000";
const POSTS: &str = "app.bsky.feed.post";
/// The whole network is never silent for so long.
const SILENCE: Span = Span::mins(1);
/// It goes on so long before where it stopped: what was under way then is told twice rather than never.
const BACK: i64 = 5_000_000;
/// What is told first after a pause is no older than this, or something has been forgotten meanwhile.
const FORGETS: i64 = 600_000_000;
/// How often the place up to which it has heard is handed on, whatever was in it.
const NOTED: Duration = Duration::from_secs(3);
/// How long what is kept waits for more, so that many authors are asked for at once.
const GATHERED: Duration = Duration::from_millis(250);
/// Deletions handed on at once.
const MOST_GONE: usize = 500;

/// Jetstream with what is kept of it.
pub(super) struct Jetstream {
    pub place: Url,
    /// Where accounts are asked for.
    pub profiles: Url,
    pub allow: Allow,
    pub sieve: Sieve,
}

/// Up to where it has been heard.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Upto {
    time_us: i64,
}

impl Live for Jetstream {
    fn listen<'a>(&'a self, http: &'a Http, cursor: &'a Value, ear: &'a Ear, now: Timestamp) -> Listening<'a> {
        Box::pin(async move {
            let upto = serde_json::from_value::<Upto>(cursor.clone()).ok();
            match self.hear(http, upto, ear, now).await {
                Ok(never) => match never {},
                Err(e) => e,
            }
        })
    }
}

impl Jetstream {
    fn address(&self, upto: Option<Upto>) -> Url {
        let mut url =
            below(&self.place, &["subscribe"], &[("wantedCollections", POSTS), ("maxMessageSizeBytes", LONGEST)]);
        if let Some(upto) = upto {
            url.query_pairs_mut().append_pair("cursor", &upto.time_us.saturating_sub(BACK).to_string());
        }
        url
    }

    async fn hear(
        &self,
        http: &Http,
        upto: Option<Upto>,
        ear: &Ear,
        now: Timestamp,
    ) -> Result<std::convert::Infallible, FetchError> {
        let url = self.address(upto);
        let mut socket = http.socket(Request::of(url.as_str(), &self.allow), SILENCE, now).await?;
        ear.open().await;
        let mut profiles = Profiles::new(&self.profiles, &self.allow);
        let opened = Instant::now();
        let mut noted = opened;
        let mut heard = Heard::default();
        let (mut last, mut handed) = (upto, upto);
        let mut first = true;
        // Since when something that is kept waits.
        let mut waits: Option<Instant> = None;
        loop {
            let until = waits.map_or(noted + NOTED, |since| (since + GATHERED).min(noted + NOTED));
            // What is no JSON, or of another kind, is passed over; what is noted is not kept back by silence.
            let told = match timeout_at(until, socket.next()).await {
                Ok(message) => serde_json::from_slice::<Value>(&message?).unwrap_or_default(),
                Err(_) => Value::Null,
            };
            if let Some(time_us) = told.pointer("/time_us").and_then(Value::as_i64) {
                if let Some(upto) = upto.filter(|_| std::mem::take(&mut first)) {
                    heard.gap = time_us.saturating_sub(upto.time_us) > FORGETS;
                }
                last = last.filter(|l| l.time_us >= time_us).or(Some(Upto { time_us }));
            }
            self.sift(&told, &mut heard);
            if waits.is_none() && !(heard.captures.is_empty() && heard.changed.is_empty()) {
                waits = Some(Instant::now());
            }
            let full = heard.captures.len() >= AT_ONCE || heard.gone.len() >= MOST_GONE;
            let gathered = waits.is_some_and(|since| since.elapsed() >= GATHERED);
            if !full && !gathered && noted.elapsed() < NOTED {
                continue;
            }
            noted = Instant::now();
            let waited = waits.take().is_some();
            if last != handed || waited || !heard.gone.is_empty() || !heard.closed.is_empty() {
                // The connection was opened at `now`, which may be days ago.
                let by_now = now + Span::millis(opened.elapsed().as_millis() as i64);
                profiles.name(&mut heard.captures, http, by_now).await;
                heard.cursor = last.and_then(|l| serde_json::to_value(l).ok());
                ear.hear(std::mem::take(&mut heard)).await;
                handed = last;
            }
        }
    }

    /// What a message means for us.
    fn sift(&self, told: &Value, heard: &mut Heard) {
        // Some are away for a while alone, and what they said is there again when they are.
        if told.text("/kind") == "account" && matches!(told.text("/account/status"), "deleted" | "takendown") {
            heard.closed.extend(Some(told.text("/did")).filter(|d| !d.is_empty()).map(|did| format!("at://{did}/")));
            return;
        }
        if told.text("/kind") != "commit" || told.text("/commit/collection") != POSTS {
            return;
        }
        let (did, key) = (told.text("/did"), told.text("/commit/rkey"));
        if did.is_empty() || key.is_empty() {
            return;
        }
        let uri = format!("at://{did}/{POSTS}/{key}");
        match told.text("/commit/operation") {
            "delete" => heard.gone.push(uri),
            "create" => {
                if let Some(c) = post(told, &uri).filter(|c| self.sieve.passes(c)) {
                    heard.say(c);
                }
            }
            "update" => match post(told, &uri) {
                // What it says now may be looked for, whatever it said before.
                Some(c) if self.sieve.passes(&c) => heard.say(c),
                Some(c) => heard.change(c),
                None => {}
            },
            _ => {}
        }
    }
}

/// A post as the search tells it, but for what only the search knows.
fn post(told: &Value, uri: &str) -> Option<Capture> {
    let seen = told.pointer("/time_us").and_then(Value::as_i64).map(|us| from_millis(us / 1000).to_string());
    let record = told.pointer("/commit/record")?;
    let view = json!({ "uri": uri, "author": { "did": told.text("/did") }, "record": record, "indexedAt": seen });
    capture(&view).and_then(bounded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::parse;
    use crate::sources::aim::Sought;

    fn stream() -> Jetstream {
        let node = parse("acme").node.unwrap();
        Jetstream {
            place: Url::parse("https://jetstream.example").unwrap(),
            profiles: Url::parse("https://api.example").unwrap(),
            allow: Allow::none(),
            sieve: Sieve::of(&[Sought { name: "s", node: &node, languages: &[] }]),
        }
    }

    fn commit(operation: &str, text: &str) -> Value {
        json!({ "did": "did:plc:a", "time_us": 1_793_534_340_123_456_i64, "kind": "commit", "commit": { "operation": operation,
            "collection": POSTS, "rkey": "3k1", "record": { "text": text, "createdAt": "2026-11-01T11:58:00Z", "langs": ["en"],
            "reply": { "root": { "uri": "at://r" }, "parent": { "uri": "at://p" } } } } })
    }

    fn with_key(key: &str, mut told: Value) -> Value {
        told["commit"]["rkey"] = key.into();
        told
    }

    #[test]
    fn posts_are_sifted_and_what_becomes_of_them_is_followed() {
        let mut heard = Heard::default();
        let all = [
            commit("create", "My Acme kettle"),
            with_key("3k2", commit("create", "My cat")),
            with_key("3k2", commit("update", "My cat again")),
            with_key("3k3", commit("update", "acme after all")),
            with_key("3k4", commit("delete", "")),
            with_key("3k4", commit("create", "Acme, said anew")),
            commit("delete", ""),
            json!({ "kind": "account", "did": "did:plc:a", "account": { "active": false, "status": "deactivated" } }),
            json!({ "kind": "account", "did": "did:plc:b", "account": { "active": false, "status": "deleted" } }),
            json!([]),
        ];
        all.iter().for_each(|told| stream().sift(told, &mut heard));
        let texts = |of: &[Capture]| of.iter().map(|c| c.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&heard.captures), ["My Acme kettle", "acme after all", "Acme, said anew"]);
        assert_eq!(texts(&heard.changed), ["My cat again"]);
        assert_eq!(heard.gone, ["at://did:plc:a/app.bsky.feed.post/3k1"]);
        assert_eq!(heard.closed, ["at://did:plc:b/"]);
        let c = &heard.captures[0];
        assert_eq!((c.native_id.as_deref(), c.author.handle.as_str()), (Some(heard.gone[0].as_str()), "did:plc:a"));
        assert_eq!((c.parent.as_str(), c.thread.as_str(), c.kind.as_str()), ("at://p", "at://r", "reply"));
        assert_eq!(c.published.map(|t| t.to_string()).as_deref(), Some("2026-11-01T11:58:00Z"));
    }

    #[test]
    fn it_goes_on_a_little_before_where_it_stopped() {
        let address = |upto| stream().address(upto).to_string();
        assert_eq!(
            address(None),
            "https://jetstream.example/subscribe?wantedCollections=app.bsky.feed.post&maxMessageSizeBytes=1000000"
        );
        assert!(address(Some(Upto { time_us: 1_793_534_340_000_000 })).ends_with("&cursor=1793534335000000"));
    }
}
