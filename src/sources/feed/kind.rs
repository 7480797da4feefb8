//! The row of feeds in the table of kinds, with their settings.

use jiff::Timestamp;

use super::{Feed, FeedCursor, Hub};
use crate::config::written::Form;
use crate::sources::http::place_of;
use crate::sources::{Brought, Entry, FetchError, Fetching, Http, Kind, Sought, Source, settings, terms};

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
url = "https://feeds.bbci.co.uk/news/business/rss.xml"   # or one such as https://news.google.com/rss/search?q={query}&hl=sv,
                                      # with topics = ["acme"]: what they look for is asked for there
websub = true                         # its hub, where it names one, tells at once what is new; needs `base_url`, which the
                                      # hub has to reach at /websub/. It is asked once an hour all the same
every = "5m"                          # else it follows how often the feed really changes
network = "news"                      # news (default), blog, forum, review, …
language = "en"                       # where you know it better than the feed
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach"#;

fn read(form: &Form<'_>, allow_private: &[String]) -> Option<Box<dyn Source>> {
    let url = form.must_text("url");
    let network = form.text("network").map_or_else(|| "news".to_owned(), |n| n.value);
    let language = form.text("language").map(|l| l.value);
    let allow = settings::allow(form, allow_private);
    let websub = form.flag("websub").is_some_and(|f| f.value);
    let url = url?;
    if !url::Url::parse(&url.value).is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.host().is_some()) {
        form.desk.error(url.span, format!("`{}` is no web address", url.value), "write https://…");
        return None;
    }
    if url.value.contains(QUERY) != form.has("topics") {
        let help =
            "write an address such as https://news.google.com/rss/search?q={query}&hl=sv, and topics = [\"acme\"]";
        form.desk.error(url.span, "`{query}` in the address and `topics` go together", help);
        return None;
    }
    Some(Box::new(Feed { url: url.value, network, language, allow, websub }))
}

/// Stands in an address for what is looked for.
const QUERY: &str = "{query}";

impl Source for Feed {
    fn aim(&mut self, topics: &[Sought<'_>]) -> Option<Vec<String>> {
        let pushed = terms::push(&terms::FEED, topics);
        if let Some(search) = pushed.searches.first() {
            let escaped: String = url::form_urlencoded::byte_serialize(search.as_bytes()).collect();
            self.url = self.url.replace(QUERY, &escaped);
        }
        Some(pushed.notes)
    }

    fn wants_hub(&self) -> bool {
        self.websub
    }

    fn hub(&self, cursor: &serde_json::Value) -> Option<Hub> {
        self.hub_of(cursor)
    }

    fn delivered<'a>(&'a self, cursor: &'a serde_json::Value, media: &'a str, body: Vec<u8>) -> Fetching<'a> {
        Box::pin(self.deliver(cursor, media, body))
    }

    fn feed(&self) -> Option<&str> {
        Some(&self.url)
    }

    fn fetch<'a>(&'a self, http: &'a Http, cursor: &'a serde_json::Value, now: Timestamp) -> Fetching<'a> {
        Box::pin(async move {
            if self.url.contains(QUERY) {
                let reason = "its topics cannot be asked for there; `vakt sources list` says why".to_owned();
                return Err(FetchError::Address { place: place_of(&self.url), reason });
            }
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
