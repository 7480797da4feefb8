//! Threads: public posts that match a keyword, by contract.
//!
//! Follows <https://developers.facebook.com/docs/threads/keyword-search> (v1.0, January 2026): `keyword_search` with
//! `search_type=RECENT`; 2,200 queries in 24 hours, of which those that find nothing do not count. Before Meta has approved
//! the app for `threads_keyword_search`, only the account's own posts are found. Counts of likes are told to nobody.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::api::{Answer, Pass};
use super::graph;
use super::listing::{Listing, Page, Place, below, with};
use super::told::Told;
use super::{Entry, Kind, Source, settings};
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};

/// Posts of Threads.
pub const KIND: Kind = Kind {
    name: "threads",
    about: "Threads: public posts that hold a keyword, once Meta has approved your app",
    entry: Entry::Contract,
    every: Some(Span::mins(5)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "threads"
name = "threads"
search = ["acme"]                     # each is a search of its own
token = { credential = "threads" }    # a long-lived token with threads_basic and threads_keyword_search
every = "5m"                          # the default: 288 of the 2,200 queries of a day for each search
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://graph.threads.net/v1.0"   # where the API is"#;

const FIELDS: &str = "id,text,permalink,timestamp,username,is_quote_post,is_reply,alt_text";

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://graph.threads.net/v1.0");
    let searches = settings::words(form, "search");
    let token = settings::must_secret(form, "token");
    let allow = settings::allow(form, house);
    if searches.is_empty() {
        settings::nothing_to_look_for(form, "add search = [\"acme\"]");
    }
    let (api, token) = (api?, token?);
    let listing = |search| Box::new(Search { api: api.clone(), search }) as Box<dyn Listing>;
    let place = Place::open(allow, searches.into_iter().map(listing).collect());
    let pass = Pass::Header("authorization", "Bearer ", token);
    Some(Box::new(Place { pass, rest: graph::rest, ..place }))
}

struct Search {
    api: Url,
    search: String,
}

impl Listing for Search {
    fn name(&self) -> String {
        self.search.clone()
    }

    fn first(&self, since: Option<Timestamp>) -> Url {
        let query = [("q", self.search.as_str()), ("search_type", "RECENT"), ("fields", FIELDS), ("limit", "100")];
        let url = below(&self.api, &["keyword_search"], &query);
        match since {
            Some(since) => with(&url, "since", &since.as_second().to_string()),
            None => url,
        }
    }

    fn sifts(&self) -> bool {
        true
    }

    fn late(&self) -> Span {
        Span::mins(15)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let mut page = Page::default();
        for post in answer.body.list("/data") {
            page.add(post.time("/timestamp"), capture(post));
        }
        page.next = graph::next(&answer.body, asked);
        Ok(page)
    }
}

fn capture(post: &Value) -> Option<Capture> {
    let name = post.text("/username");
    let kind = match () {
        () if post.is("/is_reply") => "reply",
        () if post.is("/is_quote_post") => "quote",
        () => "post",
    };
    Some(Capture {
        native_id: Some(post.id("/id")),
        url: Some(post.text("/permalink").to_owned()),
        text: super::told::with_pictures(post.text("/text"), false, [post.text("/alt_text")].into_iter()),
        html: false,
        author: Author { name: name.to_owned(), handle: name.to_owned(), ..Author::default() },
        published: post.time("/timestamp"),
        network: "threads".into(),
        kind: kind.into(),
        ..Capture::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    #[test]
    fn posts_and_how_they_are_asked_for() {
        let search = Search { api: Url::parse("https://graph.threads.net/v1.0").unwrap(), search: "acme".into() };
        let told = json!({ "data": [{
            "id": "123", "text": "My Acme kettle", "permalink": "https://www.threads.net/@ann/post/abc", "timestamp": "2026-11-01T11:59:00+0000",
            "username": "ann", "is_quote_post": false, "is_reply": true, "alt_text": "Soot" }] });
        let page = page_of(&search, told);
        let c = page.captures()[0];
        assert_eq!(
            (c.text.as_str(), c.kind.as_str(), c.author.handle.as_str()),
            ("My Acme kettle\n[Soot]", "reply", "ann")
        );
        assert_eq!(c.published.map(|t| t.to_string()).as_deref(), Some("2026-11-01T11:59:00Z"));
        let asked = asked_of(&search, "2026-11-01T12:00:00Z".parse().ok());
        assert!(
            asked.starts_with(
                "https://graph.threads.net/v1.0/keyword_search?q=acme&search_type=RECENT&fields=id%2Ctext"
            ),
            "{asked}"
        );
        assert!(asked.ends_with("&limit=100&since=1793534400"), "{asked}");
    }
}
