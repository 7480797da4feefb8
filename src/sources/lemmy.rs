//! Lemmy: posts and comments of one server, of communities, or found by a search.
//!
//! Follows <https://join-lemmy.org/api/> (API v3, Lemmy 0.18 and 0.19): `search`, `post/list` and `comment/list`, sorted by
//! `New`, 50 a page. A server answers 429 or 400 with `rate_limit_error`; searching is bounded more closely than listing.
//! Texts are Markdown. `ap_id` is one for all servers, so two of them do not count a post twice.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::api::Answer;
use super::listing::{Listing, Page, Place, after, below};
use super::told::{Told, with_pictures};
use super::{Entry, Kind, Source, aim, settings, terms};
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};

/// Posts and comments of one Lemmy server.
pub const KIND: Kind = Kind {
    name: "lemmy",
    about: "Lemmy: posts and comments of a server, of communities, or searches",
    entry: Entry::Open,
    every: None,
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "lemmy"
name = "lemmy"
instance = "https://lemmy.world"      # a server sees what its people follow: a large one sees more
search = ["acme"]                     # searches, or
communities = ["kettles@lemmy.ml"]    # all of these communities; with neither, all that the server sees
topics = ["acme"]                     # or topics of the rules, put into the network's own words as far as it has them
every = "2m"                          # else it follows how often there is something new
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach"#;

const PER_PAGE: usize = 50;

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let instance = settings::address(form, "instance", "");
    let searches = settings::words(form, "search");
    let communities = settings::words(form, "communities");
    let allow = settings::allow(form, house);
    let instance = instance?;
    let mut asks: Vec<Ask> = searches.into_iter().map(Ask::Search).collect();
    asks.extend(communities.into_iter().map(|c| Ask::Community(c.trim_start_matches('!').to_owned())));
    if asks.is_empty() && !form.has("topics") {
        asks.push(Ask::All);
    }
    let both = asks.into_iter().flat_map(|ask| [(ask.clone(), false), (ask, true)]);
    let listing =
        move |(ask, comments)| Box::new(Talk { instance: instance.clone(), ask, comments }) as Box<dyn Listing>;
    let place = Place::open(allow, both.map(&listing).collect());
    let aim = aim::by_searches(&terms::LEMMY, move |words| {
        [false, true].map(|comments| listing((Ask::Search(words.clone()), comments))).into()
    });
    Some(Box::new(Place { rest, aim: Some(aim), ..place }))
}

/// Older servers say with 400 that it was too much.
fn rest(_: u16, told: &Value, _: Timestamp) -> Option<Span> {
    (told.text("/error") == "rate_limit_error").then_some(Span::mins(1))
}

#[derive(Clone)]
enum Ask {
    Search(String),
    Community(String),
    All,
}

/// Posts, or comments.
struct Talk {
    instance: Url,
    ask: Ask,
    comments: bool,
}

impl Listing for Talk {
    fn name(&self) -> String {
        let what = if self.comments { "comments" } else { "posts" };
        match &self.ask {
            Ask::Search(words) => format!("{} {what} {words}", self.instance),
            Ask::Community(name) => format!("{} {what} !{name}", self.instance),
            Ask::All => format!("{} {what}", self.instance),
        }
    }

    fn first(&self, _: Option<Timestamp>) -> Url {
        let most = PER_PAGE.to_string();
        let mut query = vec![("sort", "New"), ("limit", most.as_str()), ("page", "1")];
        let path = match (&self.ask, self.comments) {
            (Ask::Search(words), comments) => {
                query.extend([("q", words.as_str()), ("listing_type", "All")]);
                query.push(("type_", if comments { "Comments" } else { "Posts" }));
                &["api", "v3", "search"][..]
            }
            (ask, comments) => {
                query.push(("type_", "All"));
                if let Ask::Community(name) = ask {
                    query.push(("community_name", name));
                }
                if comments { &["api", "v3", "comment", "list"][..] } else { &["api", "v3", "post", "list"][..] }
            }
        };
        below(&self.instance, path, &query)
    }

    fn sifts(&self) -> bool {
        false
    }

    fn late(&self) -> Span {
        // Posts of other servers arrive late, and stand where their own time says.
        Span::mins(30)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let mut page = Page::default();
        let (list, own) = if self.comments { ("/comments", "comment") } else { ("/posts", "post") };
        let views = answer.body.list(list);
        for view in views {
            let item = view.get(own).unwrap_or(&Value::Null);
            let pinned = item.is("/featured_community") || item.is("/featured_local");
            if item.is("/deleted") || item.is("/removed") {
                page.taken_back(item.time("/published").filter(|_| !pinned), item.text("/ap_id"));
                continue;
            }
            let capture = self.capture(view, item);
            match pinned {
                true => page.pinned(capture),
                false => page.add(item.time("/published"), capture),
            }
        }
        if views.len() >= PER_PAGE {
            page.next = Some(after(asked));
        }
        Ok(page)
    }
}

impl Talk {
    fn capture(&self, view: &Value, item: &Value) -> Option<Capture> {
        let id = item.text("/ap_id").to_owned();
        let text = match self.comments {
            true => item.text("/content").to_owned(),
            false => with_pictures(item.text("/body"), false, [item.text("/alt_text")].into_iter()),
        };
        let name = view.text("/creator/name");
        let home = |at: &str| Url::parse(view.text(at)).ok().and_then(|u| u.host_str().map(str::to_owned));
        let at_home = |name: &str, at: &str| home(at).map_or_else(|| name.to_owned(), |host| format!("{name}@{host}"));
        let shown = Some(view.text("/creator/display_name")).filter(|n| !n.is_empty()).unwrap_or(name);
        Some(Capture {
            native_id: Some(id.clone()),
            url: Some(id),
            title: Some(view.text("/post/name").to_owned()),
            text,
            html: false,
            author: Author { name: shown.to_owned(), handle: at_home(name, "/creator/actor_id"), ..Author::default() },
            published: item.time("/published"),
            network: "lemmy".into(),
            engagement: view.sum(&["/counts/upvotes", "/counts/downvotes", "/counts/comments", "/counts/child_count"]),
            kind: if self.comments { "comment" } else { "post" }.into(),
            parent: if self.comments { parent(item, view) } else { String::new() },
            thread: view.text("/post/ap_id").to_owned(),
            channel: at_home(view.text("/community/name"), "/community/actor_id"),
            ..Capture::default()
        })
    }
}

/// What a comment answers: the comment whose number stands before its own in its path, else the post.
fn parent(comment: &Value, view: &Value) -> String {
    let above = comment.text("/path").rsplit('.').nth(1).filter(|n| !n.is_empty() && *n != "0");
    above.map_or_else(|| view.text("/post/ap_id").to_owned(), |n| format!("comment {n}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    fn talk(ask: Ask, comments: bool) -> Talk {
        Talk { instance: Url::parse("https://lemmy.example").unwrap(), ask, comments }
    }

    fn view(own: &str, more: Value) -> Value {
        let mut view = json!({
            "post": { "name": "Acme recalls kettles", "ap_id": "https://a.example/post/1", "published": "2026-11-01T11:00:00.123456Z",
                      "body": "They **burn**.", "alt_text": "A burnt kettle" },
            "creator": { "name": "ann", "actor_id": "https://b.example/u/ann" },
            "community": { "name": "kettles", "actor_id": "https://c.example/c/kettles" },
            "counts": { "upvotes": 7, "downvotes": 1, "comments": 4, "score": 6 },
        });
        for (key, value) in more.as_object().unwrap() {
            view[own][key] = value.clone();
        }
        view
    }

    #[test]
    fn posts_and_comments_with_their_facts() {
        let told = json!({ "posts": [
            view("post", json!({ "featured_community": true, "published": "2020-01-01T00:00:00Z" })),
            view("post", json!({})), view("post", json!({ "deleted": true })), view("post", json!({ "removed": true })),
        ] });
        let page = page_of(&talk(Ask::All, false), told);
        let all = page.captures();
        assert_eq!(all.len(), 2);
        assert_eq!(all[1].text, "They **burn**.\n[A burnt kettle]");
        assert_eq!((all[1].author.handle.as_str(), all[1].channel.as_str()), ("ann@b.example", "kettles@c.example"));
        assert_eq!((all[1].engagement, all[1].kind.as_str()), (Some(12), "post"));
        let comment = json!({ "content": "Mine too", "ap_id": "https://b.example/comment/9", "published": "2026-11-01T11:30:00" });
        let page = page_of(&talk(Ask::All, true), json!({ "comments": [view("comment", comment)] }));
        let c = &page.captures()[0];
        assert_eq!(
            (c.title.as_deref(), c.text.as_str(), c.kind.as_str()),
            (Some("Acme recalls kettles"), "Mine too", "comment")
        );
        assert_eq!(c.url.as_deref(), Some("https://b.example/comment/9"));
        assert!(page.next.is_none());
    }

    #[test]
    fn asks_for_searches_communities_and_all() {
        let asked = asked_of(&talk(Ask::Search("acme kettle".into()), true), None);
        assert_eq!(
            asked,
            "https://lemmy.example/api/v3/search?sort=New&limit=50&page=1&q=acme+kettle&listing_type=All&type_=Comments"
        );
        let asked = asked_of(&talk(Ask::Community("kettles@lemmy.ml".into()), false), None);
        assert!(
            asked.ends_with("/api/v3/post/list?sort=New&limit=50&page=1&type_=All&community_name=kettles%40lemmy.ml")
        );
        let full: Vec<Value> = (0..50).map(|_| view("post", json!({}))).collect();
        let page = page_of(&talk(Ask::All, false), json!({ "posts": full }));
        assert!(page.next.is_some_and(|n| n.as_str().contains("page=2")));
        assert_eq!(
            rest(400, &json!({ "error": "rate_limit_error" }), crate::model::time::from_millis(0)),
            Some(Span::mins(1))
        );
    }
}
