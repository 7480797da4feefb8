//! The row of feeds in the table of kinds, with their settings.

use jiff::Timestamp;

use super::{Feed, FeedCursor};
use crate::config::written::Form;
use crate::sources::{Brought, Entry, Fetching, Http, Kind, Source, settings};

/// RSS, Atom and JSON feeds.
pub const KIND: Kind = Kind {
    name: "feed",
    about: "RSS, Atom and JSON feeds, by their address",
    entry: Entry::Open,
    every: None,
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "feed"
name = "bbc-business"                 # unique; the name in searches and logs
url = "https://feeds.bbci.co.uk/news/business/rss.xml"
every = "5m"                          # else it follows how often the feed really changes
network = "news"                      # news (default), blog, forum, review, …
language = "en"                       # where you know it better than the feed
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach"#;

fn read(form: &Form<'_>, allow_private: &[String]) -> Option<Box<dyn Source>> {
    let url = form.must_text("url");
    let network = form.text("network").map_or_else(|| "news".to_owned(), |n| n.value);
    let language = form.text("language").map(|l| l.value);
    let allow = settings::allow(form, allow_private);
    let url = url?;
    if !url::Url::parse(&url.value).is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.host().is_some()) {
        form.desk.error(url.span, format!("`{}` is no web address", url.value), "write https://…");
        return None;
    }
    Some(Box::new(Feed { url: url.value, network, language, allow }))
}

impl Source for Feed {
    fn feed(&self) -> Option<&str> {
        Some(&self.url)
    }

    fn fetch<'a>(&'a self, http: &'a Http, cursor: &'a serde_json::Value, now: Timestamp) -> Fetching<'a> {
        Box::pin(async move {
            // A cursor of another kind, or none yet, begins anew.
            let cursor: FeedCursor = serde_json::from_value(cursor.clone()).unwrap_or_default();
            let fetched = Feed::fetch(self, http, &cursor, now).await?;
            Ok(Brought {
                captures: fetched.captures,
                skipped: fetched.skipped,
                skipped_total: fetched.skipped_total,
                degraded: fetched.degraded,
                gap: fetched.gap,
                anew: cursor.url != self.url,
                cursor: serde_json::to_value(&fetched.cursor).unwrap_or_default(),
                max_age: fetched.max_age,
                ..Brought::default()
            })
        })
    }
}
