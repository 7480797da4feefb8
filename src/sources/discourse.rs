//! Discourse forums: all their posts, or searches in them.
//!
//! Follows <https://docs.discourse.org> (Discourse 3.x) and `posts_controller.rb`: `/posts.json` shows the newest posts and
//! goes on with `before` (an id), `/search.json` finds with `order:latest` and `after:` (a day) and shows excerpts. A forum
//! answers 429 with `Retry-After`. `Api-Key` is needed only where a forum is closed.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::api::{Answer, Pass};
use super::bounds::escape;
use super::listing::{Listing, Page, Place, after, below, with};
use super::told::Told;
use super::{Entry, Kind, Source, settings};
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};

/// Posts of one Discourse forum.
pub const KIND: Kind = Kind {
    name: "discourse",
    about: "Discourse forums: all posts, or searches",
    entry: Entry::Open,
    every: None,
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "discourse"
name = "kettle-forum"
instance = "https://forum.example"    # where the forum is, with its folder if it has one
search = ["acme"]                     # without it all public posts are read, which also follows their edits
token = { credential = "discourse" }  # an API key of one user, only where the forum is closed
language = "de"                       # where the forum has one
every = "2m"                          # else it follows how often there is something new
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach"#;

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let instance = settings::address(form, "instance", "");
    let searches = settings::words(form, "search");
    let language = form.text("language").map(|l| l.value);
    let token = settings::secret(form, "token");
    let allow = settings::allow(form, house);
    let instance = instance?;
    let asks: Vec<Option<String>> =
        if searches.is_empty() { vec![None] } else { searches.into_iter().map(Some).collect() };
    let listing =
        |search| Box::new(Posts { instance: instance.clone(), search, language: language.clone() }) as Box<dyn Listing>;
    let listings = asks.into_iter().map(listing).collect();
    Some(Box::new(Place { pass: Pass::optional("api-key", "", token), ..Place::open(allow, listings) }))
}

struct Posts {
    instance: Url,
    search: Option<String>,
    language: Option<String>,
}

impl Listing for Posts {
    fn name(&self) -> String {
        format!("{} {}", self.instance, self.search.as_deref().unwrap_or("all"))
    }

    fn first(&self, since: Option<Timestamp>) -> Url {
        match &self.search {
            None => below(&self.instance, &["posts.json"], &[]),
            Some(words) => {
                // `after:` is a day in the forum's own zone, so a day more is asked for.
                let day = since.map(|s| (s - Span::days(1)).strftime(" after:%Y-%m-%d").to_string());
                let q = format!("{words} order:latest{}", day.unwrap_or_default());
                below(&self.instance, &["search.json"], &[("q", &q)])
            }
        }
    }

    fn sifts(&self) -> bool {
        self.search.is_some()
    }

    fn late(&self) -> Span {
        Span::hours(1)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let mut page = Page::default();
        match &self.search {
            None => {
                let posts = answer.body.list("/latest_posts");
                for post in posts {
                    page.add(post.time("/created_at"), self.capture(post, post, post.text("/cooked"), true));
                }
                let oldest = posts.iter().filter_map(|p| p.count("/id")).min();
                // Older forums take `before` in, newer ones do not: one post more or less that is known.
                page.next = oldest.map(|id| with(asked, "before", &id.to_string()));
            }
            Some(_) => {
                for post in answer.body.list("/posts") {
                    let topic = post.count("/topic_id");
                    let topics = answer.body.list("/topics");
                    let topic =
                        topics.iter().find(|t| topic.is_some() && t.count("/id") == topic).unwrap_or(&Value::Null);
                    page.add(post.time("/created_at"), self.capture(post, topic, post.text("/blurb"), false));
                }
                if answer.body.is("/grouped_search_result/more_full_page_results") {
                    page.next = Some(after(asked));
                }
            }
        }
        Ok(page)
    }
}

impl Posts {
    fn capture(&self, post: &Value, topic: &Value, text: &str, html: bool) -> Option<Capture> {
        let id = post.count("/id")?;
        let number = post.count("/post_number").unwrap_or(1);
        let slug = [topic.text("/topic_slug"), topic.text("/slug"), "-"].into_iter().find(|s| !s.is_empty())?;
        let topic_id = post.count("/topic_id")?.to_string();
        let title =
            [topic.text("/topic_title"), topic.text("/title")].into_iter().find(|t| !t.is_empty()).unwrap_or("");
        let title = if html { escape(title) } else { title.to_owned() };
        let likes =
            post.list("/actions_summary").iter().find(|a| a.count("/id") == Some(2)).and_then(|a| a.count("/count"));
        let handle = post.text("/username").to_owned();
        let name = Some(post.text("/name").to_owned()).filter(|n| !n.is_empty()).unwrap_or_else(|| handle.clone());
        Some(Capture {
            native_id: Some(format!("{}post/{id}", self.instance)),
            url: Some(below(&self.instance, &["t", slug, &topic_id, &number.to_string()], &[]).into()),
            title: Some(title),
            text: text.to_owned(),
            html,
            author: Author { name, handle, ..Author::default() },
            published: post.time("/created_at"),
            language: self.language.clone(),
            network: "forum".into(),
            engagement: match (likes.or(post.count("/like_count")), post.count("/reply_count")) {
                (None, None) => None,
                (likes, replies) => Some(likes.unwrap_or(0).saturating_add(replies.unwrap_or(0))),
            },
            kind: if number > 1 { "reply" } else { "post" }.into(),
            parent: post.count("/reply_to_post_number").map(|n| format!("{topic_id}/{n}")).unwrap_or_default(),
            thread: topic_id,
            tags: topic.list("/tags").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            ..Capture::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    fn posts(search: Option<&str>) -> Posts {
        let instance = Url::parse("https://forum.example/talk").unwrap();
        Posts { instance, search: search.map(str::to_owned), language: Some("de".into()) }
    }

    #[test]
    fn all_posts() {
        let told = json!({ "latest_posts": [
            { "id": 712, "name": "Ann Alm", "username": "ann", "created_at": "2026-11-01T11:59:00.000Z", "post_number": 3,
              "cooked": "<p>Acme!</p>", "topic_id": 9, "topic_slug": "kettles", "topic_title": "Kettles & co",
              "reply_count": 2, "actions_summary": [{ "id": 2, "count": 4 }] },
            { "id": 711, "username": "bo", "created_at": "2026-11-01T11:00:00.000Z", "post_number": 1, "cooked": "<p>Hi</p>",
              "topic_id": 8, "topic_slug": "", "topic_title": "Hello" },
            { "username": "nobody" },
        ] });
        let page = page_of(&posts(None), told);
        let all = page.captures();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].url.as_deref(), Some("https://forum.example/talk/t/kettles/9/3"));
        assert_eq!((all[0].title.as_deref(), all[0].engagement), (Some("Kettles &amp; co"), Some(6)));
        assert_eq!((all[0].kind.as_str(), all[1].kind.as_str(), all[1].author.name.as_str()), ("reply", "post", "bo"));
        assert_eq!((all[1].url.as_deref(), all[1].engagement), (Some("https://forum.example/talk/t/-/8/1"), None));
        assert_eq!(page.next.map(String::from).as_deref(), Some("https://forum.example/talk/posts.json?before=711"));
        assert!(page_of(&posts(None), json!({ "latest_posts": [] })).next.is_none());
    }

    #[test]
    fn searches_find_excerpts_with_their_topics() {
        let search = posts(Some("acme"));
        let since = "2026-11-01T12:00:00Z".parse().ok();
        let asked = asked_of(&search, since);
        assert_eq!(asked, "https://forum.example/talk/search.json?q=acme+order%3Alatest+after%3A2026-10-31");
        let told = json!({
            "posts": [{ "id": 5, "username": "ann", "created_at": "2026-11-01T11:00:00Z", "like_count": 3,
                        "blurb": "my acme <kettle>", "post_number": 1, "topic_id": 2 }],
            "topics": [{ "id": 2, "title": "Kettles", "slug": "kettles", "tags": ["recall"] }],
            "grouped_search_result": { "more_full_page_results": true },
        });
        let page = page_of(&search, told);
        let c = &page.captures()[0];
        assert_eq!((c.text.as_str(), c.html, c.title.as_deref()), ("my acme <kettle>", false, Some("Kettles")));
        assert_eq!((c.engagement, c.tags.as_slice()), (Some(3), ["recall".to_owned()].as_slice()));
        assert!(page.next.is_some_and(|n| n.as_str().ends_with("&page=2")));
    }
}
