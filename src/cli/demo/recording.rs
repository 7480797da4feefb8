//! The recording: some 600 mentions of the invented brand Acme over 36 hours, all texts our own.

use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use serde::Deserialize;

use crate::model::time::Span;

/// Minutes that the recording lasts.
pub(super) const MINUTES: i64 = 2160;
/// When it starts: a Tuesday, midnight UTC.
const START: &str = "2026-03-10T00:00:00Z";

/// One recorded mention.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Item {
    pub(super) minute: f64,
    pub(super) via: String,
    pub(super) language: String,
    pub(super) network: String,
    pub(super) author: String,
    #[serde(default)]
    pub(super) handle: String,
    #[serde(default)]
    pub(super) followers: u64,
    #[serde(default)]
    pub(super) site: String,
    #[serde(default)]
    pub(super) path: String,
    #[serde(default)]
    pub(super) title: String,
    pub(super) text: String,
    #[serde(default)]
    pub(super) engagement: u64,
    /// Its number in the recording.
    #[serde(skip)]
    pub(super) number: usize,
}

/// The recording.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    pub(super) start: Timestamp,
    pub(super) items: Arc<Vec<Item>>,
}

impl Recording {
    /// Reads the recording that is part of the binary.
    pub(super) fn load() -> anyhow::Result<Recording> {
        let mut items = Vec::new();
        for (line, number) in include_str!("recording.jsonl").lines().zip(1..) {
            let item: Item = serde_json::from_str(line).with_context(|| format!("line {number} of the recording"))?;
            items.push(Item { number, ..item });
        }
        Ok(Recording { start: START.parse()?, items: Arc::new(items) })
    }

    /// When an item was published.
    pub(super) fn time_of(&self, item: &Item) -> Timestamp {
        self.start + Span::millis((item.minute * 60_000.0) as i64)
    }

    /// What a feed shows at an instant: the newest first, as many as a real feed would.
    pub(super) fn shown(&self, via: &str, now: Timestamp, most: usize) -> Vec<&Item> {
        let out = self.items.iter().filter(|i| i.via == via && self.time_of(i) <= now);
        out.rev().take(most).collect()
    }

    /// What is pushed during the minute that ends at this one.
    pub(super) fn pushed_in(&self, minute: i64) -> Vec<serde_json::Value> {
        let within = |i: &&Item| i.via == "social" && i.minute <= minute as f64 && i.minute > (minute - 1) as f64;
        self.items.iter().filter(within).map(|i| self.pushed(i)).collect()
    }

    fn pushed(&self, i: &Item) -> serde_json::Value {
        serde_json::json!({
            "id": format!("demo-{}", i.number),
            "text": i.text,
            "url": format!("https://{}.example/{}/{}", i.network, i.handle.trim_start_matches('@'), i.number),
            "author": { "name": i.author, "handle": i.handle, "followers": i.followers },
            "published": self.time_of(i).to_string(),
            "network": i.network,
            "language": i.language,
            "engagement": i.engagement,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recording_is_whole() {
        let r = Recording::load().expect("it loads");
        assert!((550..=700).contains(&r.items.len()), "{}", r.items.len());
        assert!(r.items.windows(2).all(|w| w[0].minute <= w[1].minute));
        assert!(r.items.iter().all(|i| i.site.is_empty() || i.site.ends_with(".example")));
        for language in ["sv", "de", "it", "es", "en"] {
            assert!(r.items.iter().filter(|i| i.language == language).count() > 60, "{language}");
        }
        let pushed: usize = (0..=MINUTES).map(|m| r.pushed_in(m).len()).sum();
        assert_eq!(pushed, r.items.iter().filter(|i| i.via == "social").count(), "each is pushed once");
    }
}
