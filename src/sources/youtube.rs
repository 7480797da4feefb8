//! YouTube: videos that name you, and comments on your channel.
//!
//! Follows <https://developers.google.com/youtube/v3/docs> (Data API v3), `search.list` and `commentThreads.list`. A project
//! has 10,000 units a day, given anew at midnight in California: a page of a search costs 100, a page of comments 1. What
//! is used up comes as 403 with a reason. The key goes in the `X-Goog-Api-Key` header and so stands in no address.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use url::Url;

use super::again::{AskAgain, Now};
use super::api::{Answer, Pass};
use super::bounds::escape;
use super::listing::{Listing, Page, Place, below, with};
use super::told::Told;
use super::{Entry, Kind, Source, aim, settings, terms};
use crate::config::written::Form;
use crate::model::time::{Span, between};
use crate::model::{Author, Capture};

/// Videos and comments of YouTube.
pub const KIND: Kind = Kind {
    name: "youtube",
    about: "YouTube: videos that name you, and comments on channels and videos",
    entry: Entry::Key,
    every: Some(Span::mins(20)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "youtube"
name = "youtube"
search = ["acme kettle"]              # videos; each fetch costs 100 of the 10,000 units of a day
channels = ["UC_x5XG1OV2P6uZZ5FSM9Ttw"]   # comments on all videos of a channel, by its id; a fetch costs 1 unit
videos = ["dQw4w9WgXcQ"]              # comments on one video, by its id
key = { credential = "youtube" }      # an API key of a Google Cloud project with the YouTube Data API v3
topics = ["acme"]                     # or topics of the rules, put into the network's own words as far as it has them
every = "20m"                         # the default; with two searches say 40m or more. Make a source of its own of
                                      # comments, which may be asked for every minute
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://www.googleapis.com"  # where the API is"#;

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://www.googleapis.com");
    let searches = settings::words(form, "search");
    let channels = settings::words(form, "channels");
    let videos = settings::words(form, "videos");
    let key = settings::must_secret(form, "key");
    let allow = settings::allow(form, house);
    if searches.is_empty() && channels.is_empty() && videos.is_empty() && !form.has("topics") {
        settings::nothing_to_look_for(form, "add search = [\"acme\"], channels = [\"UC…\"] or videos = [\"…\"]");
    }
    let (api, key) = (api?, key?);
    let asks = searches.into_iter().map(Ask::Search).chain(channels.into_iter().map(Ask::Channel));
    let asks = asks.chain(videos.into_iter().map(Ask::Video));
    let again = Box::new(Again { api: api.clone() }) as Box<dyn AskAgain>;
    let listing = move |ask| Box::new(Found { api: api.clone(), ask }) as Box<dyn Listing>;
    let place = Place::open(allow, asks.map(&listing).collect());
    let aim = aim::by_searches(&terms::YOUTUBE, move |words| vec![listing(Ask::Search(words))]);
    let pass = Pass::Header("x-goog-api-key", "", key);
    Some(Box::new(Place { pass, rest, aim: Some(aim), ask_again: Some(again), ..place }))
}

/// A day's units end at midnight in California, those of a minute in a minute.
fn rest(status: u16, told: &Value, now: Timestamp) -> Option<Span> {
    let reasons = told.list("/error/errors").iter().map(|e| e.text("/reason"));
    match reasons.into_iter().find(|r| r.contains("imitExceeded") || *r == "quotaExceeded")? {
        _ if status != 403 && status != 429 => None,
        "rateLimitExceeded" | "userRateLimitExceeded" => Some(Span::mins(1)),
        _ => {
            let zone = TimeZone::get("America/Los_Angeles").unwrap_or(TimeZone::UTC);
            let tomorrow = now.to_zoned(zone).tomorrow().and_then(|t| t.start_of_day()).ok()?;
            Some(between(now, tomorrow.timestamp()))
        }
    }
}

/// Asks for videos again by their ids, which costs one unit for fifty of them.
struct Again {
    api: Url,
}

impl AskAgain for Again {
    fn most(&self) -> usize {
        50
    }

    fn address(&self, ids: &[&str]) -> Url {
        below(&self.api, &["youtube", "v3", "videos"], &[("part", "statistics"), ("id", &ids.join(","))])
    }

    fn read(&self, answer: &Answer, asked: &[&str]) -> Vec<Now> {
        let found = answer.body.list("/items").iter().map(|video| Now {
            id: video.text("/id").to_owned(),
            engagement: video.sum(&["/statistics/likeCount", "/statistics/commentCount"]),
            reach: video.count("/statistics/viewCount"),
            ..Now::default()
        });
        Now::all(found.collect(), asked)
    }
}

enum Ask {
    Search(String),
    Channel(String),
    Video(String),
}

struct Found {
    api: Url,
    ask: Ask,
}

impl Listing for Found {
    fn name(&self) -> String {
        match &self.ask {
            Ask::Search(words) => format!("search {words}"),
            Ask::Channel(id) => format!("channel {id}"),
            Ask::Video(id) => format!("video {id}"),
        }
    }

    fn first(&self, since: Option<Timestamp>) -> Url {
        let threads = |key, id| {
            let query = [("part", "snippet,replies"), (key, id), ("order", "time"), ("maxResults", "100")];
            with(&below(&self.api, &["youtube", "v3", "commentThreads"], &query), "textFormat", "plainText")
        };
        match &self.ask {
            Ask::Channel(id) => threads("allThreadsRelatedToChannelId", id.as_str()),
            Ask::Video(id) => threads("videoId", id.as_str()),
            Ask::Search(words) => {
                let query =
                    [("part", "snippet"), ("type", "video"), ("order", "date"), ("maxResults", "50"), ("q", words)];
                let url = below(&self.api, &["youtube", "v3", "search"], &query);
                match since {
                    Some(since) => with(&url, "publishedAfter", &since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
                    None => url,
                }
            }
        }
    }

    fn sifts(&self) -> bool {
        matches!(self.ask, Ask::Search(_))
    }

    fn late(&self) -> Span {
        // The search finds some videos only hours after they were published.
        if self.sifts() { Span::hours(12) } else { Span::hours(1) }
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let mut page = Page::default();
        for item in answer.body.list("/items") {
            if self.sifts() {
                page.add(item.time("/snippet/publishedAt"), video(item));
                continue;
            }
            let top = item.pointer("/snippet/topLevelComment").unwrap_or(&Value::Null);
            page.add(top.time("/snippet/publishedAt"), comment(top, item, "comment"));
            // Replies come with their thread and stand by its time, not their own.
            for reply in item.list("/replies/comments") {
                page.pinned(comment(reply, &Value::Null, "reply"));
            }
        }
        let token = answer.body.text("/nextPageToken");
        page.next = (!token.is_empty()).then(|| with(asked, "pageToken", token));
        Ok(page)
    }
}

fn video(item: &Value) -> Option<Capture> {
    let id = Some(item.text("/id/videoId")).filter(|id| !id.is_empty())?;
    let channel = item.text("/snippet/channelTitle");
    Some(Capture {
        native_id: Some(format!("video {id}")),
        url: Some(with(&watch()?, "v", id).into()),
        // The search escapes what it tells.
        title: Some(item.text("/snippet/title").to_owned()),
        text: item.text("/snippet/description").to_owned(),
        html: true,
        author: Author {
            name: super::refs::plain(channel),
            handle: item.text("/snippet/channelId").to_owned(),
            ..Author::default()
        },
        published: item.time("/snippet/publishedAt"),
        network: "youtube".into(),
        kind: "post".into(),
        thread: id.to_owned(),
        lookup: id.to_owned(),
        ..Capture::default()
    })
}

fn comment(comment: &Value, thread: &Value, kind: &str) -> Option<Capture> {
    let (id, video) = (comment.text("/id"), comment.text("/snippet/videoId"));
    let author = comment.text("/snippet/authorDisplayName");
    let text = [comment.text("/snippet/textOriginal"), comment.text("/snippet/textDisplay")];
    let likes = comment.count("/snippet/likeCount");
    let replies = thread.count("/snippet/totalReplyCount");
    Some(Capture {
        native_id: Some(format!("comment {id}")),
        url: Some(with(&with(&watch()?, "v", video), "lc", id).into()),
        text: escape(text.into_iter().find(|t| !t.is_empty()).unwrap_or("")).replace('\n', "<br>"),
        html: true,
        author: Author {
            name: author.to_owned(),
            handle: comment.text("/snippet/authorChannelId/value").to_owned(),
            ..Author::default()
        },
        published: comment.time("/snippet/publishedAt"),
        network: "youtube".into(),
        engagement: likes.map(|l| l.saturating_add(replies.unwrap_or(0))),
        kind: kind.to_owned(),
        parent: [comment.text("/snippet/parentId"), video].into_iter().find(|p| !p.is_empty()).unwrap_or("").to_owned(),
        thread: video.to_owned(),
        ..Capture::default()
    })
}

fn watch() -> Option<Url> {
    Url::parse("https://www.youtube.com/watch").ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    fn found(ask: Ask) -> Found {
        Found { api: Url::parse("https://www.googleapis.com").unwrap(), ask }
    }

    #[test]
    fn videos_are_asked_for_again() {
        let again = Again { api: Url::parse("https://www.googleapis.com").unwrap() };
        assert!(again.address(&["a", "b"]).as_str().ends_with("/youtube/v3/videos?part=statistics&id=a%2Cb"));
        let body = json!({ "items": [{ "id": "a", "statistics": { "viewCount": "900", "likeCount": "7", "commentCount": "2" } }] });
        let stand = again.read(&Answer { body, headers: Default::default() }, &["a", "b"]);
        let first = Now { id: "a".into(), engagement: Some(9), reach: Some(900), ..Now::default() };
        assert_eq!(stand, [first, Now::missing("b".into())]);
    }

    #[test]
    fn videos_and_comments() {
        let told = json!({ "nextPageToken": "CAUQAA", "items": [{
            "id": { "kind": "youtube#video", "videoId": "abc" },
            "snippet": { "publishedAt": "2026-11-01T11:59:00Z", "channelId": "UC1", "title": "Acme&#39;s kettle", "description": "It burns",
                         "channelTitle": "Ann &amp; Bo", "liveBroadcastContent": "none" } }] });
        let page = page_of(&found(Ask::Search("acme".into())), told);
        let c = &page.captures()[0];
        assert_eq!(
            (c.url.as_deref(), c.author.name.as_str()),
            (Some("https://www.youtube.com/watch?v=abc"), "Ann & Bo")
        );
        assert!(page.next.is_some_and(|n| n.as_str().ends_with("pageToken=CAUQAA")));

        let snippet = |text: &str, likes: u32| {
            json!({ "videoId": "abc", "textOriginal": text, "authorDisplayName": "@ann",
            "authorChannelId": { "value": "UC2" }, "likeCount": likes, "publishedAt": "2026-11-01T11:00:00Z" })
        };
        let told = json!({ "items": [{
            "snippet": { "topLevelComment": { "id": "x1", "snippet": snippet("a <b>\nc", 3) }, "totalReplyCount": 2 },
            "replies": { "comments": [{ "id": "x1.y", "snippet": snippet("so did mine", 0) }] } }] });
        let page = page_of(&found(Ask::Channel("UC1".into())), told);
        let all = page.captures();
        assert_eq!(
            (all[0].text.as_str(), all[0].engagement, all[0].kind.as_str()),
            ("a &lt;b><br>c", Some(5), "comment")
        );
        assert_eq!(all[0].url.as_deref(), Some("https://www.youtube.com/watch?v=abc&lc=x1"));
        assert_eq!((all[1].kind.as_str(), all[1].author.handle.as_str(), all[1].engagement), ("reply", "UC2", Some(0)));
    }

    #[test]
    fn the_key_stands_in_no_address() {
        let since = "2026-11-01T12:00:00Z".parse().ok();
        assert_eq!(
            asked_of(&found(Ask::Search("acme kettle".into())), since),
            "https://www.googleapis.com/youtube/v3/search?part=snippet&type=video&order=date&maxResults=50&q=acme+kettle\
             &publishedAfter=2026-11-01T12%3A00%3A00Z"
        );
        let asked = asked_of(&found(Ask::Video("abc".into())), since);
        assert!(asked.ends_with(
            "commentThreads?part=snippet%2Creplies&videoId=abc&order=time&maxResults=100&textFormat=plainText"
        ));
    }

    #[test]
    fn units_come_back_at_midnight_in_california() {
        let now: Timestamp = "2026-11-02T20:00:00Z".parse().unwrap();
        let told = |reason: &str| json!({ "error": { "code": 403, "errors": [{ "reason": reason }] } });
        assert_eq!(rest(403, &told("quotaExceeded"), now), Some(Span::hours(12)));
        assert_eq!(rest(403, &told("rateLimitExceeded"), now), Some(Span::mins(1)));
        assert_eq!((rest(403, &told("commentsDisabled"), now), rest(400, &told("quotaExceeded"), now)), (None, None));
    }
}
