//! X (Twitter): posts of the last seven days that match a search, by contract.
//!
//! Follows <https://docs.x.com/x-api/posts/search-recent-posts> (API v2): newest first, 100 a page, `next_token`,
//! `start_time`; 450 requests in 15 minutes for one app, told by `x-rate-limit-*` with no `Retry-After`. Every post that is
//! read is paid for, so hardly anything is read twice, and edits are new posts there. Its terms ask that what is deleted
//! there is deleted elsewhere too. With `stream` posts come as they are written, and the search is a net below.

mod filtered;

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::again::{AskAgain, Now};
use super::aim::{Aim, Aimed};
use super::api::{Answer, Pass};
use super::listing::{Listing, Page, Place, below, with};
use super::live::Live;
use super::told::{Told, with_pictures};
use super::{Entry, Kind, Source, settings, terms};
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};

/// Posts of X.
pub const KIND: Kind = Kind {
    name: "x",
    about: "X (Twitter): posts that match a search; every post read is paid for",
    entry: Entry::Contract,
    every: Some(Span::mins(1)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "x"
name = "x"
search = ["(acme OR @acme) -is:retweet"]   # X's own words; each is a search of its own. Posts cost money: leave
                                      # out what you do not need, with -is:retweet, lang:sv, -from:acme
token = { credential = "x" }          # the bearer token of an app: https://console.x.com
stream = true                         # stay connected: the searches are rules of the app's filtered stream, and are asked
                                      # only after a break. One connection an app
backfill = true                       # the contract has backfill_minutes: short breaks are filled by the stream itself
topics = ["acme"]                     # or topics of the rules, put into the network's own words as far as it has them
every = "1m"                          # the default; it costs by post, not by question. Posts that open incidents are about
                                      # are asked for again, 200 at most, once a day: each is paid for
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://api.x.com"           # where the API is"#;

const POST: &str =
    "created_at,lang,public_metrics,author_id,referenced_tweets,attachments,note_tweet,conversation_id,geo";

/// The facts of a post that are asked for.
fn asked_for() -> [(&'static str, &'static str); 5] {
    [
        ("tweet.fields", POST),
        ("expansions", "author_id,attachments.media_keys,geo.place_id"),
        ("user.fields", "name,username,verified,public_metrics"),
        ("media.fields", "alt_text"),
        ("place.fields", "country_code"),
    ]
}

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://api.x.com");
    let searches = settings::words(form, "search");
    let token = settings::must_secret(form, "token");
    let allow = settings::allow(form, house);
    let stream = form.flag("stream").is_some_and(|f| f.value);
    let backfill = form.flag("backfill").is_some_and(|f| f.value);
    let tag = format!("vakt {}", form.text("name").map(|name| name.value).unwrap_or_default());
    if searches.is_empty() && !form.has("topics") {
        settings::nothing_to_look_for(form, "add search = [\"acme -is:retweet\"]");
    }
    let (api, token) = (api?, token?);
    let aim = {
        let (api, allow, token) = (api.clone(), allow.clone(), token.clone());
        move |mut rules: Vec<String>, pushed: Vec<String>| {
            let listing =
                |search: &String| Box::new(Search { api: api.clone(), search: search.clone() }) as Box<dyn Listing>;
            let listings = pushed.iter().map(listing).collect();
            rules.extend(pushed);
            let (api, allow, token, tag) = (api.clone(), allow.clone(), token.clone(), tag.clone());
            let live = Box::new(filtered::Filtered { api, allow, token, tag, rules, backfill }) as Box<dyn Live>;
            Aimed { listings, live: stream.then_some(live), notes: Vec::new() }
        }
    };
    let own = aim(Vec::new(), searches.clone());
    let aim: Aim = Box::new(move |sought| {
        let pushed = terms::push(&terms::X, sought);
        Aimed { notes: pushed.notes, ..aim(searches.clone(), pushed.searches) }
    });
    let place = Place::open(allow, own.listings);
    let pass = Pass::Header("authorization", "Bearer ", token);
    Some(Box::new(Place { pass, live: own.live, aim: Some(aim), ask_again: Some(Box::new(Again { api })), ..place }))
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
        let query = [("query", self.search.as_str()), ("max_results", "100")];
        let query = [&query[..], &asked_for()].concat();
        let url = below(&self.api, &["2", "tweets", "search", "recent"], &query);
        match since {
            Some(since) => with(&url, "start_time", &since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            None => url,
        }
    }

    fn sifts(&self) -> bool {
        true
    }

    fn reach(&self) -> Option<Span> {
        // It looks back seven days and refuses an instant before that.
        Some(Span::mins(7 * 24 * 60 - 10))
    }

    fn late(&self) -> Span {
        Span::secs(30)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let mut page = Page::default();
        for post in answer.body.list("/data") {
            page.add(post.time("/created_at"), capture(post, &answer.body));
        }
        let token = answer.body.text("/meta/next_token");
        page.next = (!token.is_empty()).then(|| with(asked, "next_token", token));
        Ok(page)
    }
}

fn capture(post: &Value, all: &Value) -> Option<Capture> {
    let id = Some(post.text("/id")).filter(|id| !id.is_empty())?;
    let author = post.text("/author_id");
    let user = all.list("/includes/users").iter().find(|u| u.text("/id") == author).unwrap_or(&Value::Null);
    let handle = user.text("/username");
    let keys: Vec<&str> = post.list("/attachments/media_keys").iter().filter_map(Value::as_str).collect();
    let media = all.list("/includes/media").iter().filter(|m| keys.contains(&m.text("/media_key")));
    // Long posts stand in a note of their own.
    let text = [post.text("/note_tweet/text"), post.text("/text")].into_iter().find(|t| !t.is_empty())?;
    let kind = post.list("/referenced_tweets").last().map_or("post", |r| match r.text("/type") {
        "retweeted" => "repost",
        "quoted" => "quote",
        _ => "reply",
    });
    let answers = post.list("/referenced_tweets").iter().find(|r| r.text("/type") == "replied_to");
    let place = post.text("/geo/place_id");
    let place = all.list("/includes/places").iter().find(|p| !place.is_empty() && p.text("/id") == place);
    Some(Capture {
        native_id: Some(id.to_owned()),
        url: Some(format!("https://x.com/{}/status/{id}", if handle.is_empty() { "i" } else { handle })),
        // The API escapes the three signs of HTML in texts, and nothing else.
        text: with_pictures(&super::refs::plain(text), false, media.map(|m| m.text("/alt_text"))),
        html: false,
        author: Author {
            name: user.text("/name").to_owned(),
            handle: handle.to_owned(),
            followers: user.count("/public_metrics/followers_count"),
            verified: user.get("verified").and_then(Value::as_bool),
        },
        published: post.time("/created_at"),
        language: Some(post.text("/lang").to_owned()).filter(|l| l != "und" && !l.starts_with('q') && l != "zxx"),
        network: "x".into(),
        reach: post.count("/public_metrics/impression_count"),
        engagement: engagement(post),
        kind: kind.into(),
        country: place.map_or("", |p| p.text("/country_code")).to_owned(),
        parent: answers.map_or("", |r| r.text("/id")).to_owned(),
        thread: post.text("/conversation_id").to_owned(),
        lookup: id.to_owned(),
        ..Capture::default()
    })
}

fn engagement(post: &Value) -> Option<u64> {
    let counts = ["retweet_count", "reply_count", "like_count", "quote_count"].map(|c| format!("/public_metrics/{c}"));
    post.sum(&counts.each_ref().map(String::as_str))
}

/// Asks for posts again by their ids.
struct Again {
    api: Url,
}

impl AskAgain for Again {
    fn most(&self) -> usize {
        100
    }

    fn every(&self) -> Span {
        // Every post that is told again is paid for again, and what is deleted has to leave within a day.
        Span::hours(24)
    }

    fn address(&self, ids: &[&str]) -> Url {
        below(&self.api, &["2", "tweets"], &[("ids", &ids.join(",")), ("tweet.fields", "public_metrics")])
    }

    fn read(&self, answer: &Answer, _: &[&str]) -> Vec<Now> {
        let found = answer.body.list("/data").iter().map(|post| Now {
            id: post.text("/id").to_owned(),
            engagement: engagement(post),
            reach: post.count("/public_metrics/impression_count"),
            ..Now::default()
        });
        // What is deleted, or only its owner may see now, is told as an error of its own.
        let gone = answer.body.list("/errors").iter();
        let gone = gone.filter(|e| e.text("/type").ends_with("resource-not-found"));
        found.chain(gone.map(|e| Now::gone(e.id("/resource_id")))).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    fn search() -> Search {
        Search { api: Url::parse("https://api.x.com").unwrap(), search: "acme -is:retweet".into() }
    }

    #[test]
    fn posts_with_their_facts() {
        let told = json!({
            "data": [
                { "id": "18", "text": "My Acme &amp; fire…", "note_tweet": { "text": "My Acme &amp; fire story, long" }, "author_id": "7", "lang": "en",
                  "created_at": "2026-11-01T11:59:00.000Z", "attachments": { "media_keys": ["3_1"] },
                  "referenced_tweets": [{ "type": "replied_to", "id": "1" }, { "type": "quoted", "id": "2" }],
                  "public_metrics": { "retweet_count": 1, "reply_count": 2, "like_count": 3, "quote_count": 4, "impression_count": 900 } },
                { "id": "17", "text": "Acme", "author_id": "8", "lang": "qme", "created_at": "2026-11-01T11:58:00.000Z" },
                { "text": "no id" },
            ],
            "includes": { "users": [{ "id": "7", "name": "Ann", "username": "ann", "verified": true, "public_metrics": { "followers_count": 1500 } }],
                          "media": [{ "media_key": "3_1", "alt_text": "A burnt kettle" }, { "media_key": "3_2", "alt_text": "Other" }] },
            "meta": { "result_count": 2, "next_token": "b26" },
        });
        let page = page_of(&search(), told);
        let all = page.captures();
        assert_eq!(all.len(), 2);
        assert_eq!(
            (all[0].text.as_str(), all[0].kind.as_str()),
            ("My Acme & fire story, long\n[A burnt kettle]", "quote")
        );
        assert_eq!((all[0].author.followers, all[0].author.verified), (Some(1500), Some(true)));
        assert_eq!((all[0].engagement, all[0].reach), (Some(10), Some(900)));
        assert_eq!(all[0].url.as_deref(), Some("https://x.com/ann/status/18"));
        assert_eq!((all[1].url.as_deref(), all[1].language.as_deref()), (Some("https://x.com/i/status/17"), None));
        assert!(page.next.is_some_and(|n| n.as_str().ends_with("next_token=b26")));
        assert!(page_of(&search(), json!({ "meta": { "result_count": 0 } })).next.is_none());
    }

    #[test]
    fn posts_are_asked_for_again_and_those_that_are_gone_are_told() {
        let again = Again { api: Url::parse("https://api.x.com").unwrap() };
        assert!(again.address(&["1", "2"]).as_str().starts_with("https://api.x.com/2/tweets?ids=1%2C2&"));
        let body = json!({
            "data": [{ "id": "1", "public_metrics": { "like_count": 7, "retweet_count": 1, "impression_count": 90 } }],
            "errors": [{ "resource_id": "2", "type": "https://api.twitter.com/2/problems/resource-not-found" },
                       { "resource_id": "3", "type": "https://api.twitter.com/2/problems/not-authorized-for-resource" }],
        });
        let stand = again.read(&Answer { body, headers: Default::default() }, &["1", "2", "3"]);
        let first = Now { id: "1".into(), engagement: Some(8), reach: Some(90), ..Now::default() };
        assert_eq!(stand, [first, Now::gone("2".into())], "what only its owner may see is still there");
    }

    #[test]
    fn asks_for_what_is_new() {
        let asked = asked_of(&search(), "2026-11-01T12:00:00Z".parse().ok());
        assert!(
            asked.starts_with("https://api.x.com/2/tweets/search/recent?query=acme+-is%3Aretweet&max_results=100"),
            "{asked}"
        );
        assert!(asked.ends_with("&start_time=2026-11-01T12%3A00%3A00Z"), "{asked}");
    }
}
