//! Hacker News, by the search that Algolia keeps of it.
//!
//! Follows <https://hn.algolia.com/api> (API v1): `search_by_date` with `tags`, `numericFilters` and pages of up to 1,000
//! hits in all; 10,000 requests an hour from one address. Its texts are HTML. Comments can be edited for two hours, which
//! the index follows; what is deleted leaves it.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::api::Answer;
use super::bounds::escape;
use super::listing::{Listing, Page, Place, below, with};
use super::told::Told;
use super::{Entry, Kind, Source, aim, settings, terms};
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};

/// Stories and comments of Hacker News.
pub const KIND: Kind = Kind {
    name: "hackernews",
    about: "Hacker News: stories and comments that name you",
    entry: Entry::Open,
    every: None,
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "hackernews"
name = "hn"
search = ["acme", "\"acme kettle\""]  # each is a search of its own; quotes keep words together
topics = ["acme"]                     # or topics of the rules, put into the network's own words as far as it has them
every = "2m"                          # the API allows 10,000 requests an hour from one address
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://hn.algolia.com"      # where the API is"#;

const API: &str = "https://hn.algolia.com";
const PER_PAGE: usize = 100;

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", API);
    let searches = settings::words(form, "search");
    let allow = settings::allow(form, house);
    if searches.is_empty() && !form.has("topics") {
        settings::nothing_to_look_for(form, "add search = [\"acme\"]");
    }
    let api = api?;
    let listing = move |search| Box::new(Search { api: api.clone(), search }) as Box<dyn Listing>;
    let place = Place::open(allow, searches.into_iter().map(&listing).collect());
    Some(Box::new(Place {
        aim: Some(aim::by_searches(&terms::HACKERNEWS, move |words| vec![listing(words)])),
        ..place
    }))
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
        let most = PER_PAGE.to_string();
        let query = [("query", self.search.as_str()), ("tags", "(story,comment)"), ("hitsPerPage", &most)];
        let url = below(&self.api, &["api", "v1", "search_by_date"], &query);
        match since {
            Some(since) => with(&url, "numericFilters", &format!("created_at_i>={}", since.as_second())),
            None => url,
        }
    }

    fn sifts(&self) -> bool {
        true
    }

    fn late(&self) -> Span {
        // For as long as a comment can be edited.
        Span::hours(2)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let mut page = Page::default();
        for hit in answer.body.list("/hits") {
            page.add(hit.time("/created_at_i"), capture(hit));
        }
        let number = answer.body.count("/page").unwrap_or(0);
        let pages = answer.body.count("/nbPages").unwrap_or(0);
        if number < pages.saturating_sub(1) {
            page.next = Some(with(asked, "page", &number.saturating_add(1).to_string()));
        } else {
            let shown = pages.saturating_mul(answer.body.count("/hitsPerPage").unwrap_or(PER_PAGE as u64));
            page.cut = answer.body.count("/nbHits").unwrap_or(0) > shown;
        }
        Ok(page)
    }
}

fn capture(hit: &Value) -> Option<Capture> {
    let id = hit.id("/objectID");
    let comment = !hit.text("/comment_text").is_empty();
    let (title, text) = match comment {
        true => (hit.text("/story_title"), hit.text("/comment_text")),
        false => (hit.text("/title"), hit.text("/story_text")),
    };
    let author = hit.text("/author");
    (!id.is_empty()).then(|| Capture {
        url: Some(format!("https://news.ycombinator.com/item?id={id}")),
        native_id: Some(id),
        // Escaped or not: both are seen.
        title: Some(escape(&super::refs::plain(title))),
        text: text.to_owned(),
        html: true,
        author: Author { name: author.to_owned(), handle: author.to_owned(), ..Author::default() },
        published: hit.time("/created_at_i"),
        language: Some("en".into()),
        network: "hackernews".into(),
        engagement: hit.sum(&["/points", "/num_comments"]),
        kind: if comment { "comment" } else { "post" }.into(),
        parent: hit.id("/parent_id"),
        thread: hit.id("/story_id"),
        ..Capture::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    fn search() -> Search {
        Search { api: Url::parse(API).unwrap(), search: "acme kettle".into() }
    }

    #[test]
    fn stories_and_comments() {
        let told = json!({
            "hits": [
                { "objectID": "41", "created_at": "2026-11-01T11:59:00Z", "created_at_i": 1_793_534_340, "author": "pg",
                  "title": "Acme <recalls> kettles", "url": "https://acme.example/", "points": 120, "num_comments": 45,
                  "story_text": null, "_tags": ["story", "author_pg", "story_41"], "comment_text": null },
                { "objectID": "42", "created_at_i": 1_793_534_100, "author": "ann", "story_title": "Acme recalls kettles",
                  "story_id": 41, "parent_id": 41, "comment_text": "<p>Mine burned &#x2F; melted", "points": null },
                { "created_at_i": "odd" },
            ],
            "nbHits": 1500, "page": 9, "nbPages": 10, "hitsPerPage": 100,
        });
        let page = page_of(&search(), told);
        let all = page.captures();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].title.as_deref(), Some("Acme &lt;recalls> kettles"));
        assert_eq!((all[0].engagement, all[0].kind.as_str()), (Some(165), "post"));
        assert_eq!(all[0].published.map(|t| t.to_string()).as_deref(), Some("2026-11-01T11:59:00Z"));
        assert_eq!(all[1].url.as_deref(), Some("https://news.ycombinator.com/item?id=42"));
        assert_eq!((all[1].kind.as_str(), all[1].author.handle.as_str(), all[1].engagement), ("comment", "ann", None));
        assert!(page.cut && page.next.is_none(), "it shows 1,000 of 1,500");
    }

    #[test]
    fn asks_for_what_is_new_page_by_page() {
        let since = "2026-11-01T12:00:00Z".parse().ok();
        let asked = asked_of(&search(), since);
        assert_eq!(
            asked,
            "https://hn.algolia.com/api/v1/search_by_date?query=acme+kettle&tags=%28story%2Ccomment%29&hitsPerPage=100\
             &numericFilters=created_at_i%3E%3D1793534400"
        );
        let page =
            page_of(&search(), json!({ "hits": [], "page": 0, "nbPages": 2, "nbHits": 150, "hitsPerPage": 100 }));
        assert!(page.next.is_some_and(|n| n.as_str().ends_with("page=1")) && !page.cut);
    }
}
