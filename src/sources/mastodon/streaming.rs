//! Mastodon's streaming: posts of hashtags and timelines as the server takes them in, as server-sent events.
//!
//! Follows <https://docs.joinmastodon.org/methods/streaming/>: `update`, `status.update` and `delete`, and `:thump` every
//! fifteen seconds. Nothing is remembered for whoever was away: the timelines are read once a connection is open again.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::{Ask, capture};
use crate::config::SecretRef;
use crate::model::time::Span;
use crate::sources::bounds::bounded;
use crate::sources::guard::Allow;
use crate::sources::http::{FetchError, Http, Lines, Request};
use crate::sources::listing::below;
use crate::sources::live::{Ear, Heard, Listening, Live};
use crate::sources::sse::{Event, Events};

/// A sign of life comes every fifteen seconds.
const SILENCE: Span = Span::secs(90);

/// The streams of one server.
pub(super) struct Streams {
    /// Where it streams; some servers have another host for it.
    pub place: Url,
    /// The server itself, whose people have no host in their names.
    pub host: String,
    pub allow: Allow,
    pub token: SecretRef,
    pub asks: Vec<Ask>,
    /// The source also looks for what no stream tells.
    pub more: bool,
}

impl Live for Streams {
    fn listen<'a>(&'a self, http: &'a Http, _: &'a Value, ear: &'a Ear, now: Timestamp) -> Listening<'a> {
        Box::pin(async move {
            match self.hear(http, ear, now).await {
                Ok(()) => FetchError::Ended { place: crate::sources::http::place(&self.place) },
                Err(e) => e,
            }
        })
    }

    fn hears_all(&self) -> bool {
        !self.more
    }
}

impl Streams {
    fn address(&self, ask: &Ask) -> Option<Url> {
        let streaming = ["api", "v1", "streaming"];
        match ask {
            Ask::Hashtag(tag) => Some(below(&self.place, &[&streaming[..], &["hashtag"]].concat(), &[("tag", tag)])),
            Ask::Public { local: false } => Some(below(&self.place, &[&streaming[..], &["public"]].concat(), &[])),
            Ask::Public { local: true } => {
                Some(below(&self.place, &[&streaming[..], &["public", "local"]].concat(), &[]))
            }
            Ask::Search(_) => None,
        }
    }

    async fn hear(&self, http: &Http, ear: &Ear, now: Timestamp) -> Result<(), FetchError> {
        let token = SecretString::from(format!("Bearer {}", self.token.fetch()?.expose_secret()));
        let mut all = Vec::new();
        for url in self.asks.iter().filter_map(|ask| self.address(ask)) {
            let secret = Some(("authorization", &token));
            let request = Request { accept: "text/event-stream", secret, ..Request::of(url.as_str(), &self.allow) };
            all.push(http.open(request, SILENCE, now).await?);
        }
        ear.open().await;
        let mut listeners: FuturesUnordered<_> = all.into_iter().map(|lines| self.one(lines, ear)).collect();
        // Where one of them ends all are opened anew.
        listeners.next().await.unwrap_or(Ok(()))
    }

    async fn one(&self, mut lines: Lines, ear: &Ear) -> Result<(), FetchError> {
        let mut events = Events::default();
        loop {
            if let Some(heard) = events.line(&lines.next().await?).and_then(|event| heard(&event, &self.host)) {
                ear.hear(heard).await;
            }
        }
    }
}

/// What an event means for us; `None` where it means nothing.
fn heard(event: &Event, host: &str) -> Option<Heard> {
    let post = || capture(&serde_json::from_str::<Value>(&event.data).ok()?, host).and_then(bounded);
    match event.name.as_str() {
        "update" => Some(Heard { captures: vec![post()?], ..Heard::default() }),
        "status.update" => Some(Heard { changed: vec![post()?], ..Heard::default() }),
        "delete" => {
            let id = event.data.trim();
            (!id.is_empty() && id.len() < 100).then(|| Heard { gone: vec![id.to_owned()], ..Heard::default() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_what_they_mean() {
        let event = |name: &str, data: &str| heard(&Event { name: name.into(), data: data.into() }, "m.example");
        let post = r#"{"id":"7","uri":"https://m.example/7","visibility":"public","content":"<p>Acme</p>","account":{"acct":"ann"}}"#;
        let new = event("update", post).expect("a post");
        assert_eq!(
            (new.captures[0].native_id.as_deref(), new.captures[0].lookup.as_str()),
            (Some("https://m.example/7"), "7")
        );
        assert_eq!(new.captures[0].author.handle, "ann@m.example");
        let edit = event("status.update", post).expect("an edit");
        assert_eq!((edit.captures.len(), edit.changed.len()), (0, 1));
        assert_eq!(event("delete", "7\n").expect("gone").gone, ["7"]);
        assert!(
            event("update", "{").is_none() && event("filters_changed", "").is_none() && event("delete", "").is_none()
        );
        assert!(event("update", &post.replace("public", "direct")).is_none(), "what was told to one alone");
    }

    #[test]
    fn each_stream_has_its_address() {
        let streams = Streams {
            place: Url::parse("https://streaming.m.example").unwrap(),
            host: "m.example".into(),
            allow: Allow::none(),
            token: SecretRef::Env("X".into()),
            asks: Vec::new(),
            more: false,
        };
        let at = |ask: Ask| streams.address(&ask).map(String::from);
        assert_eq!(
            at(Ask::Hashtag("åå".into())).as_deref(),
            Some("https://streaming.m.example/api/v1/streaming/hashtag?tag=%C3%A5%C3%A5")
        );
        assert_eq!(
            at(Ask::Public { local: true }).as_deref(),
            Some("https://streaming.m.example/api/v1/streaming/public/local")
        );
        assert_eq!(at(Ask::Search("x".into())), None);
    }
}
