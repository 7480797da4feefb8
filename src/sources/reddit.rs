//! Reddit: searches of all of it, and all posts and comments of subreddits.
//!
//! Follows <https://www.reddit.com/dev/api> and <https://github.com/reddit-archive/reddit/wiki/OAuth2> ("application only"):
//! a token lasts a day, `GET /search`, `/r/NAME/new` and `/r/NAME/comments` show 100 a page and about 1,000 in all, `after`
//! names where the next begins; 100 requests a minute for one client, told by `X-Ratelimit-*`. Its terms ask that what is
//! deleted there is deleted elsewhere too. Comments cannot be searched for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::again::{AskAgain, Now};
use super::api::{Answer, Api, Opened, Opening, Pass, Session};
use super::http::{Body, FetchError, place};
use super::listing::{Listing, Page, Place, below, with};
use super::told::{Told, with_pictures};
use super::{Entry, Kind, Source, aim, settings, terms};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};

/// Posts and comments of Reddit.
pub const KIND: Kind = Kind {
    name: "reddit",
    about: "Reddit: searches, and all posts and comments of subreddits",
    entry: Entry::Key,
    every: Some(Span::mins(1)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "reddit"
name = "reddit"
search = ["acme kettle"]              # posts anywhere; Reddit's own words such as subreddit:kettles and title:acme work
subreddits = ["kettles", "BuyItForLife"]   # all their posts and comments
client_id = "p-jcoLKBynTLew"          # of an app of type script: https://www.reddit.com/prefs/apps
secret = { credential = "reddit" }    # its secret
topics = ["acme"]                     # or topics of the rules, put into the network's own words as far as it has them
every = "1m"                          # the default; one client may ask 100 times a minute
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://oauth.reddit.com"    # where the API is, and
# login = "https://www.reddit.com"    # where its tokens are given"#;

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://oauth.reddit.com");
    let login = settings::address(form, "login", "https://www.reddit.com");
    let searches = settings::words(form, "search");
    let subreddits = settings::words(form, "subreddits");
    let client = form.must_text("client_id").map(|c| c.value);
    let secret = settings::must_secret(form, "secret");
    let allow = settings::allow(form, house);
    if searches.is_empty() && subreddits.is_empty() && !form.has("topics") {
        settings::nothing_to_look_for(form, "add search = [\"acme\"] or subreddits = [\"kettles\"]");
    }
    let (api, login, client, secret) = (api?, login?, client?, secret?);
    let mut asks: Vec<Ask> = searches.into_iter().map(Ask::Search).collect();
    for name in subreddits {
        let name = name.trim_start_matches("/r/").trim_start_matches("r/").to_owned();
        asks.extend([Ask::Posts(name.clone()), Ask::Comments(name)]);
    }
    let again = Box::new(Again { api: api.clone() }) as Box<dyn AskAgain>;
    let listing = move |ask| Box::new(Things { api: api.clone(), ask }) as Box<dyn Listing>;
    let place = Place::open(allow, asks.into_iter().map(&listing).collect());
    let aim = aim::by_searches(&terms::REDDIT, move |words| vec![listing(Ask::Search(words))]);
    let pass = Pass::session(App { login, client, secret });
    Some(Box::new(Place { pass, aim: Some(aim), ask_again: Some(again), ..place }))
}

/// Asks for things again by their full names.
struct Again {
    api: Url,
}

impl AskAgain for Again {
    fn most(&self) -> usize {
        100
    }

    fn address(&self, ids: &[&str]) -> Url {
        below(&self.api, &["api", "info"], &[("id", &ids.join(",")), ("raw_json", "1")])
    }

    fn read(&self, answer: &Answer, _: &[&str]) -> Vec<Now> {
        let things = answer.body.list("/data/children").iter().filter_map(|thing| thing.get("data"));
        let now = |data: &Value| {
            let engagement = data.sum(&["/ups", "/num_comments"]);
            Now { id: data.text("/name").to_owned(), engagement, reach: None, gone: is_gone(data), missing: false }
        };
        things.map(now).collect()
    }
}

struct App {
    login: Url,
    client: String,
    secret: SecretRef,
}

impl Session for App {
    fn open<'a>(&'a self, door: &'a Api<'a>) -> Opening<'a> {
        Box::pin(async move {
            let url = below(&self.login, &["api", "v1", "access_token"], &[]);
            let secret = self.secret.fetch()?;
            let both = STANDARD.encode(format!("{}:{}", self.client, secret.expose_secret()));
            let basic = SecretString::from(format!("Basic {both}"));
            let answer = door.post(&url, Body::Form("grant_type=client_credentials"), Some(&basic)).await?;
            let lasts = answer.body.count("/expires_in").unwrap_or(3600).min(86_400);
            match answer.body.text("/access_token") {
                "" => {
                    let reason = format!("it gave no token: {}", answer.body.text("/error"));
                    Err(FetchError::Unreadable { place: place(&url), reason })
                }
                token => Ok(Opened {
                    header: SecretString::from(format!("Bearer {token}")),
                    until: Some(door.now + Span::secs(lasts as i64)),
                }),
            }
        })
    }
}

enum Ask {
    Search(String),
    Posts(String),
    Comments(String),
}

struct Things {
    api: Url,
    ask: Ask,
}

impl Listing for Things {
    fn name(&self) -> String {
        match &self.ask {
            Ask::Search(words) => format!("search {words}"),
            Ask::Posts(name) => format!("r/{name}"),
            Ask::Comments(name) => format!("r/{name} comments"),
        }
    }

    fn first(&self, _: Option<Timestamp>) -> Url {
        let shown = [("limit", "100"), ("raw_json", "1")];
        match &self.ask {
            Ask::Search(words) => {
                let query = [("q", words.as_str()), ("sort", "new"), ("type", "link")];
                below(&self.api, &["search"], &[query.as_slice(), &shown].concat())
            }
            Ask::Posts(name) => below(&self.api, &["r", name, "new"], &shown),
            Ask::Comments(name) => below(&self.api, &["r", name, "comments"], &shown),
        }
    }

    fn sifts(&self) -> bool {
        false
    }

    fn late(&self) -> Span {
        Span::hours(1)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        if answer.body.text("/kind") != "Listing" {
            return Err("this is no listing of Reddit".into());
        }
        let mut page = Page::default();
        for thing in answer.body.list("/data/children") {
            let data = thing.get("data").unwrap_or(&Value::Null);
            if is_gone(data) {
                page.taken_back(data.time("/created_utc").filter(|_| !data.is("/stickied")), data.text("/name"));
                continue;
            }
            let capture = match thing.text("/kind") {
                "t3" => post(data),
                "t1" => comment(data),
                other => {
                    page.skip(format!("a thing of kind `{}`", other.chars().take(8).collect::<String>()));
                    None
                }
            };
            match data.is("/stickied") {
                true => page.pinned(capture),
                false => page.add(data.time("/created_utc"), capture),
            }
        }
        let after = answer.body.text("/data/after");
        page.next = (!after.is_empty()).then(|| with(asked, "after", after));
        Ok(page)
    }
}

/// Whether something was taken back or away, though it is still listed.
fn is_gone(data: &Value) -> bool {
    !data.text("/removed_by_category").is_empty()
        || data.text("/author") == "[deleted]"
        || ["/body", "/selftext"].iter().any(|at| matches!(data.text(at), "[deleted]" | "[removed]"))
}

fn post(data: &Value) -> Option<Capture> {
    let captions = data.list("/gallery_data/items").iter().map(|item| item.text("/caption"));
    let linked = Some(data.text("/url")).filter(|_| !data.is("/is_self")).unwrap_or("");
    Some(Capture {
        title: Some(data.text("/title").to_owned()),
        text: with_pictures(
            [data.text("/selftext"), linked].into_iter().find(|t| !t.is_empty()).unwrap_or(""),
            false,
            captions,
        ),
        engagement: data.sum(&["/ups", "/num_comments"]),
        kind: "post".into(),
        thread: data.text("/name").to_owned(),
        ..common(data)?
    })
}

fn comment(data: &Value) -> Option<Capture> {
    Some(Capture {
        title: Some(data.text("/link_title").to_owned()),
        text: data.text("/body").to_owned(),
        engagement: data.count("/ups").or(data.count("/score")),
        kind: "comment".into(),
        parent: data.text("/parent_id").to_owned(),
        thread: data.text("/link_id").to_owned(),
        ..common(data)?
    })
}

fn common(data: &Value) -> Option<Capture> {
    let author = data.text("/author");
    let name = data.text("/name");
    let page = Url::parse("https://www.reddit.com").ok()?.join(data.text("/permalink")).ok();
    (!name.is_empty()).then(|| Capture {
        native_id: Some(name.to_owned()),
        // An address that a stranger wrote leads nowhere else.
        url: page.filter(|u| u.host_str() == Some("www.reddit.com")).map(String::from),
        html: false,
        author: Author { name: author.to_owned(), handle: author.to_owned(), ..Author::default() },
        published: data.time("/created_utc"),
        network: "reddit".into(),
        channel: format!("r/{}", data.text("/subreddit")),
        lookup: name.to_owned(),
        ..Capture::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    fn things(ask: Ask) -> Things {
        Things { api: Url::parse("https://oauth.reddit.com").unwrap(), ask }
    }

    #[test]
    fn posts_and_comments() {
        let post = |name: &str, more: Value| {
            let mut data = json!({ "name": name, "title": "Acme & fire", "selftext": "It burned", "author": "ann", "subreddit": "kettles",
                "permalink": "/r/kettles/comments/1/acme/", "created_utc": 1_793_534_340.0, "ups": 10, "score": 8, "num_comments": 5,
                "is_self": true, "stickied": false, "removed_by_category": null, "url": "https://www.reddit.com/r/kettles/comments/1/acme/" });
            for (key, value) in more.as_object().unwrap() {
                data[key] = value.clone();
            }
            json!({ "kind": "t3", "data": data })
        };
        let told = json!({ "kind": "Listing", "data": { "after": "t3_4", "children": [
            post("t3_1", json!({ "stickied": true, "created_utc": 1_500_000_000.0 })),
            post("t3_2", json!({ "is_self": false, "selftext": "", "url": "https://news.example/fire" })),
            post("t3_3", json!({ "removed_by_category": "moderator" })),
            post("t3_4", json!({ "permalink": "//evil.example/x" })),
            { "kind": "t1", "data": { "name": "t1_9", "body": "Mine too", "author": "bo", "subreddit": "kettles", "link_title": "Acme & fire",
              "permalink": "/r/kettles/comments/1/acme/9/", "created_utc": 1_793_534_300, "ups": 2 } },
            { "kind": "t1", "data": { "name": "t1_8", "body": "[deleted]" } },
            { "kind": "more", "data": {} },
        ] } });
        let page = page_of(&things(Ask::Posts("kettles".into())), told);
        let all = page.captures();
        assert_eq!((all.len(), page.gone()), (4, &["t3_3".to_owned(), "t1_8".to_owned()][..]));
        assert_eq!(
            (all[1].text.as_str(), all[1].engagement, all[1].channel.as_str()),
            ("https://news.example/fire", Some(15), "r/kettles")
        );
        assert_eq!(all[1].published.map(|t| t.to_string()).as_deref(), Some("2026-11-01T11:59:00Z"));
        assert_eq!(all[2].url, None, "no stranger sends us elsewhere");
        assert_eq!((all[3].kind.as_str(), all[3].title.as_deref()), ("comment", Some("Acme & fire")));
        assert_eq!(all[3].url.as_deref(), Some("https://www.reddit.com/r/kettles/comments/1/acme/9/"));
        assert!(page.next.is_some_and(|n| n.as_str().ends_with("after=t3_4")));
        let answer = Answer { body: json!({ "message": "?" }), headers: Default::default() };
        assert!(things(Ask::Posts("x".into())).read(&answer, &Url::parse("https://a.example").unwrap()).is_err());
    }

    #[test]
    fn things_are_asked_for_again() {
        let again = Again { api: Url::parse("https://oauth.reddit.com").unwrap() };
        assert_eq!(
            again.address(&["t3_1", "t1_2"]).as_str(),
            "https://oauth.reddit.com/api/info?id=t3_1%2Ct1_2&raw_json=1"
        );
        let body = json!({ "kind": "Listing", "data": { "children": [
            { "kind": "t3", "data": { "name": "t3_1", "author": "ann", "ups": 30, "num_comments": 4, "selftext": "It burned" } },
            { "kind": "t1", "data": { "name": "t1_2", "author": "[deleted]", "body": "[deleted]", "ups": 1 } },
        ] } });
        let stand = again.read(&Answer { body, headers: Default::default() }, &["t3_1", "t1_2"]);
        assert_eq!((stand[0].engagement, stand[0].gone, stand[1].gone), (Some(34), false, true));
    }

    #[test]
    fn asks_for_the_newest() {
        assert_eq!(
            asked_of(&things(Ask::Search("acme kettle".into())), None),
            "https://oauth.reddit.com/search?q=acme+kettle&sort=new&type=link&limit=100&raw_json=1"
        );
        assert_eq!(
            asked_of(&things(Ask::Comments("kettles".into())), None),
            "https://oauth.reddit.com/r/kettles/comments?limit=100&raw_json=1"
        );
    }
}
