//! TikTok: videos that carry a hashtag or a word, by contract.
//!
//! Follows <https://developers.tiktok.com/doc/research-api-specs-query-videos> (API v2, as of September 2026), with tokens of
//! `/doc/client-access-token-management` (they last two hours) and the errors of `/doc/tiktok-api-v2-error-handling`: days by
//! UTC, 30 at most; 100 videos a page, then `cursor` with the `search_id` of what the search found. One client may ask
//! 1,000 times a day, which begins at midnight by UTC (`/doc/research-api-faq`); that is counted here, and what others ask
//! with the same client is told by `daily_quota_limit_exceeded` alone, a code that the public clients of the API know.
//! From memory, not from the documents that were read: videos come by falling id, so newest first; the lists `and` and `or`
//! of a query hold together; and new videos may take up to two days until a search finds them. TikTok approves
//! researchers, and asks that what is deleted there is deleted elsewhere too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded};

use super::aim::{Aim, Aimed};
use super::api::{Answer, Api, Opened, Opening, Pass, Session, to_midnight};
use super::http::{Body, FetchError, place};
use super::listing::{Listing, Page, Place, below};
use super::told::{Told, with_pictures};
use super::{Entry, Kind, Source, settings, terms};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};

/// Videos of TikTok.
pub const KIND: Kind = Kind {
    name: "tiktok",
    about: "TikTok: videos with a hashtag or a word, once TikTok has approved your research",
    entry: Entry::Contract,
    every: Some(Span::mins(15)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r##"[[source]]
kind = "tiktok"
name = "tiktok"
hashtags = ["acme"]                   # videos with any of these, and
keywords = ["acme"]                   # videos with any of these in their description: all in one question
regions = ["SE", "DE"]                # where their authors registered, in two letters each; without it everywhere
client_key = "aw1234567890"           # of the research project: https://developers.tiktok.com/research
secret = { credential = "tiktok" }    # its client secret
topics = ["acme"]                     # or topics of the rules, put into the network's own words as far as it has them
requests = 1000                       # the default: what the client may ask in a day; when it is used up vakt waits for
                                      # midnight by UTC
every = "15m"                         # the default: 96 questions a day, and more where a page does not hold two days
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://open.tiktokapis.com" # where the API is"##;

const FIELDS: &str = "id,video_description,create_time,region_code,share_count,view_count,like_count,comment_count,\
                      hashtag_names,username,voice_to_text";
/// How far back the first question looks.
const HISTORY: Span = Span::days(7);

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://open.tiktokapis.com");
    let bare = |tag: String| tag.trim_start_matches('#').to_owned();
    let hashtags: Vec<String> = settings::words(form, "hashtags").into_iter().map(bare).collect();
    let keywords = settings::words(form, "keywords");
    let regions = settings::words(form, "regions");
    for region in regions.iter().filter(|r| r.len() != 2 || !r.bytes().all(|b| b.is_ascii_uppercase())) {
        form.desk.error(form.head(), format!("`{region}` in `regions` is no region"), "write two letters such as SE");
    }
    let client = form.must_text("client_key").map(|c| c.value);
    let secret = settings::must_secret(form, "secret");
    let most = form.number("requests", 1..=10_000_000).map_or(1000, |n| n.value.unsigned_abs());
    let allow = settings::allow(form, house);
    if hashtags.is_empty() && keywords.is_empty() && !form.has("topics") {
        settings::nothing_to_look_for(form, "add hashtags = [\"acme\"] or keywords = [\"acme\"]");
    }
    let (api, client, secret) = (api?, client?, secret?);
    let spent = Arc::new(Spent { most, day: Mutex::default() });
    let videos = {
        let (api, spent) = (api.clone(), spent.clone());
        move |hashtags: Vec<String>, keywords: Vec<String>| -> Vec<Box<dyn Listing>> {
            if hashtags.is_empty() && keywords.is_empty() {
                return Vec::new();
            }
            let (api, regions, spent) = (api.clone(), regions.clone(), spent.clone());
            vec![Box::new(Videos { api, hashtags, keywords, regions, spent })]
        }
    };
    let place = Place::open(allow, videos(hashtags, keywords));
    let aim: Aim = Box::new(move |sought| {
        let pushed = terms::push(&terms::TIKTOK, sought);
        Aimed { listings: videos(Vec::new(), pushed.searches), live: None, notes: pushed.notes }
    });
    let pass = Pass::session(Client { api, client, secret });
    Some(Box::new(Place { pass, rest, aim: Some(aim), ..place }))
}

/// What is used up for the day comes back at midnight by UTC; everything else is a matter of a minute.
fn rest(_: u16, told: &Value, now: Timestamp) -> Option<Span> {
    (told.text("/error/code") == "daily_quota_limit_exceeded").then(|| to_midnight(now))
}

/// How much was asked today, by all listings of a source; begun anew with the daemon.
struct Spent {
    most: u64,
    day: Mutex<Day>,
}

#[derive(Default)]
struct Day {
    until: Option<Timestamp>,
    asked: u64,
    now: Timestamp,
}

impl Spent {
    fn one_more(&self, now: Timestamp) {
        let mut day = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        if day.until.is_none_or(|until| until <= now) {
            *day = Day { until: Some(now + to_midnight(now)), asked: 0, now };
        }
        (day.asked, day.now) = (day.asked.saturating_add(1), now);
    }

    /// How much is left of the day, and how long to wait where it is nothing.
    fn left(&self) -> (u64, Option<Span>) {
        let day = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.most.saturating_sub(day.asked);
        (left, (left == 0).then(|| to_midnight(day.now)))
    }
}

struct Client {
    api: Url,
    client: String,
    secret: SecretRef,
}

impl Session for Client {
    fn open<'a>(&'a self, door: &'a Api<'a>) -> Opening<'a> {
        Box::pin(async move {
            let url = below(&self.api, &["v2", "oauth", "token", ""], &[]);
            let secret = self.secret.fetch()?;
            let fields = [
                ("client_key", self.client.as_str()),
                ("client_secret", secret.expose_secret()),
                ("grant_type", "client_credentials"),
            ];
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            let answer = door.post(&url, Body::Form(&body), None).await?;
            let lasts = answer.body.count("/expires_in").unwrap_or(7200).min(86_400);
            match answer.body.text("/access_token") {
                // It also answers with 200 when it refuses.
                "" => {
                    let code = answer.body.text("/error").chars().take(40).collect::<String>();
                    let reason = format!("it gave no token ({code}): check client_key and secret");
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

struct Videos {
    api: Url,
    hashtags: Vec<String>,
    keywords: Vec<String>,
    regions: Vec<String>,
    spent: Arc<Spent>,
}

impl Listing for Videos {
    fn name(&self) -> String {
        let tags = self.hashtags.iter().map(|tag| format!("#{tag}"));
        tags.chain(self.keywords.iter().cloned()).collect::<Vec<_>>().join(", ")
    }

    fn first(&self, since: Option<Timestamp>) -> Url {
        let url = below(&self.api, &["v2", "research", "video", "query", ""], &[("fields", FIELDS)]);
        since.map_or_else(|| url.clone(), |since| noted(&url, "start_date", &date(since)))
    }

    fn first_at(&self, since: Option<Timestamp>, now: Timestamp) -> Url {
        noted(&self.first(Some(since.unwrap_or(now - HISTORY))), "end_date", &date(now))
    }

    fn sent(&self, asked: &Url, now: Timestamp) -> Option<Value> {
        self.spent.one_more(now);
        let mut body = Map::new();
        body.insert("query".into(), self.query());
        body.insert("max_count".into(), 100.into());
        body.insert("is_random".into(), false.into());
        for (key, value) in notes(asked) {
            let value = match key.as_str() {
                "cursor" => value.parse::<u64>().ok()?.into(),
                _ => value.into(),
            };
            body.insert(key, value);
        }
        Some(body.into())
    }

    fn sifts(&self) -> bool {
        true
    }

    fn reach(&self) -> Option<Span> {
        Some(Span::days(29))
    }

    fn late(&self) -> Span {
        Span::days(2)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let code = answer.body.text("/error/code");
        if !matches!(code, "" | "ok") {
            let words = crate::text::clean::one_line(answer.body.text("/error/message"), 200);
            return Err(format!("TikTok refuses with {}: {words}", code.chars().take(40).collect::<String>()));
        }
        let mut page = Page::default();
        for video in answer.body.list("/data/videos") {
            page.add(video.time("/create_time"), capture(video));
        }
        if let Some(cursor) = answer.body.count("/data/cursor").filter(|_| answer.body.is("/data/has_more")) {
            let next = noted(asked, "cursor", &cursor.to_string());
            page.next = Some(noted(&next, "search_id", &answer.body.id("/data/search_id")));
        }
        let (left, wait) = self.spent.left();
        (page.left, page.rest) = (Some(left), wait);
        Ok(page)
    }
}

impl Videos {
    fn query(&self) -> Value {
        let one_of = |field: &str, values: &[String]| {
            let condition = json!({ "operation": "IN", "field_name": field, "field_values": values });
            (!values.is_empty()).then_some(condition)
        };
        let words = [one_of("hashtag_name", &self.hashtags), one_of("keyword", &self.keywords)];
        let mut all: Vec<Value> = one_of("region_code", &self.regions).into_iter().collect();
        let mut words: Vec<Value> = words.into_iter().flatten().collect();
        if words.len() == 1 {
            all.append(&mut words);
        }
        let lists = [("and", all), ("or", words)].into_iter().filter(|(_, list)| !list.is_empty());
        lists.map(|(name, list)| (name.to_owned(), Value::from(list))).collect::<Map<_, _>>().into()
    }
}

fn date(at: Timestamp) -> String {
    at.strftime("%Y%m%d").to_string()
}

/// What stands behind the `#` of an address: dates, and where in the listing it leads.
fn notes(url: &Url) -> HashMap<String, String> {
    form_urlencoded::parse(url.fragment().unwrap_or("").as_bytes()).into_owned().collect()
}

/// The address with one more note; one that is empty is none.
fn noted(url: &Url, key: &str, value: &str) -> Url {
    let mut all: Vec<(String, String)> = notes(url).into_iter().filter(|(k, _)| k != key).collect();
    all.extend((!value.is_empty()).then(|| (key.to_owned(), value.to_owned())));
    all.sort();
    let mut out = url.clone();
    out.set_fragment(Some(&form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish()));
    out
}

fn capture(video: &Value) -> Option<Capture> {
    let id = Some(video.id("/id")).filter(|id| !id.is_empty())?;
    let name = video.text("/username");
    let mut url = Url::parse("https://www.tiktok.com").ok()?;
    url.path_segments_mut().ok()?.extend([format!("@{name}").as_str(), "video", &id]);
    Some(Capture {
        url: Some(url.into()),
        // What is said in the video is searched too.
        text: with_pictures(video.text("/video_description"), false, [video.text("/voice_to_text")].into_iter()),
        html: false,
        author: Author { name: name.to_owned(), handle: name.to_owned(), ..Author::default() },
        published: video.time("/create_time"),
        network: "tiktok".into(),
        reach: video.count("/view_count"),
        engagement: video.sum(&["/like_count", "/comment_count", "/share_count"]),
        kind: "post".into(),
        country: video.text("/region_code").chars().take(2).collect(),
        tags: video.list("/hashtag_names").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        native_id: Some(id),
        ..Capture::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::http::tests::{local, now as http_now, path, reply, serve};
    use crate::sources::listing::page_of;

    fn now() -> Timestamp {
        "2026-11-10T23:30:00Z".parse().unwrap()
    }

    fn videos(hashtags: &[&str], keywords: &[&str], regions: &[&str], most: u64) -> Videos {
        let owned = |words: &[&str]| words.iter().map(|w| w.to_string()).collect();
        Videos {
            api: Url::parse("https://open.tiktokapis.com").unwrap(),
            hashtags: owned(hashtags),
            keywords: owned(keywords),
            regions: owned(regions),
            spent: Arc::new(Spent { most, day: Mutex::default() }),
        }
    }

    #[test]
    fn videos_with_their_facts() {
        let told = json!({ "data": { "cursor": 100, "has_more": true, "search_id": "7201388525814961198", "videos": [
            { "id": 7_213_456_789_012_345_678_u64, "video_description": "My Acme & me #acme", "create_time": 1_793_534_340, "region_code": "SE",
              "username": "ann", "voice_to_text": "it burned down", "hashtag_names": ["acme", 7], "like_count": 5, "comment_count": 2,
              "share_count": 1, "view_count": 900 },
            { "id": "", "video_description": "no id" },
            { "id": "9", "username": "../x?y", "video_description": "Acme" },
        ] }, "error": { "code": "ok", "message": "" } });
        let page = page_of(&videos(&["acme"], &[], &[], 1000), told);
        let all = page.captures();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].text.as_str(), all[0].tags.len()), ("My Acme & me #acme\n[it burned down]", 1));
        assert_eq!((all[0].engagement, all[0].reach, all[0].country.as_str()), (Some(8), Some(900), "SE"));
        assert_eq!(all[0].url.as_deref(), Some("https://www.tiktok.com/@ann/video/7213456789012345678"));
        assert_eq!(all[0].published.map(|t| t.to_string()).as_deref(), Some("2026-11-01T11:59:00Z"));
        assert_eq!(
            all[1].url.as_deref(),
            Some("https://www.tiktok.com/@..%2Fx%3Fy/video/9"),
            "a name leads nowhere else"
        );
        let next = page.next.expect("there is more");
        assert_eq!(next.fragment(), Some("cursor=100&search_id=7201388525814961198"));
    }

    #[test]
    fn a_refusal_in_a_good_answer_is_told() {
        let body = json!({ "data": {}, "error": { "code": "invalid_params", "message": "The dates\nare wrong" } });
        let answer = Answer { body, headers: Default::default() };
        let listing = videos(&["acme"], &[], &[], 1000);
        let error = listing.read(&answer, &listing.first(None)).expect_err("refused");
        assert_eq!(error, "TikTok refuses with invalid_params: The dates are wrong");
    }

    #[test]
    fn the_question_holds_days_by_utc_and_where_it_goes_on() {
        let listing = videos(&["acme"], &["kettle", "fire"], &["SE"], 1000);
        let first = listing.first_at("2026-11-08T23:59:00Z".parse().ok(), now());
        let sent = listing.sent(&first, now()).unwrap();
        assert_eq!((sent["start_date"].as_str(), sent["end_date"].as_str()), (Some("20261108"), Some("20261110")));
        assert_eq!(
            sent["query"]["and"],
            json!([{ "operation": "IN", "field_name": "region_code", "field_values": ["SE"] }])
        );
        assert_eq!(sent["query"]["or"][1]["field_values"], json!(["kettle", "fire"]));
        assert!(sent.get("cursor").is_none());
        let later = noted(&noted(&first, "cursor", "200"), "search_id", "72");
        let sent = listing.sent(&later, now() + Span::days(1)).unwrap();
        assert_eq!(
            (&sent["cursor"], &sent["search_id"], &sent["end_date"]),
            (&json!(200), &json!("72"), &json!("20261110"))
        );
        let history = listing.sent(&listing.first_at(None, now()), now()).unwrap();
        assert_eq!(history["start_date"], "20261103");
        // One condition needs no `or`.
        let query = videos(&[], &["acme"], &[], 1000).query();
        assert_eq!(query, json!({ "and": [{ "operation": "IN", "field_name": "keyword", "field_values": ["acme"] }] }));
        assert!(
            first.as_str().starts_with("https://open.tiktokapis.com/v2/research/video/query/?fields=id%2Cvideo_desc")
        );
    }

    #[tokio::test]
    async fn a_token_that_ends_mid_way_is_renewed_and_a_used_up_day_is_waited_for() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let (given, asked) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (base, _) = serve(move |head| {
            if path(head) == "/v2/oauth/token/" {
                let n = given.fetch_add(1, Ordering::SeqCst);
                let token = json!({ "access_token": format!("clt.{n}"), "expires_in": 7200 });
                return reply("200 OK", "", token.to_string().as_bytes());
            }
            assert!(head.starts_with("POST /v2/research/video/query/?fields=") && !head.contains('#'), "{head}");
            let first = head.contains("Bearer clt.0");
            match (asked.fetch_add(1, Ordering::SeqCst), first) {
                (0, true) => {
                    let data = json!({ "cursor": 100, "has_more": true, "search_id": "72",
                        "videos": [{ "id": "2", "video_description": "Acme", "create_time": 1_793_534_340 }] });
                    reply("200 OK", "", json!({ "data": data, "error": { "code": "ok" } }).to_string().as_bytes())
                }
                (2, false) => {
                    assert!(head.contains(r#""cursor":100"#) && head.contains(r#""search_id":"72""#), "{head}");
                    let data =
                        json!({ "videos": [{ "id": "1", "video_description": "Acme", "create_time": 1_793_534_300 }] });
                    reply("200 OK", "", json!({ "data": data }).to_string().as_bytes())
                }
                (3, false) => reply("429 X", "", br#"{"error":{"code":"daily_quota_limit_exceeded","message":""}}"#),
                _ => reply(
                    "401 X",
                    "",
                    br#"{"error":{"code":"access_token_invalid","message":"The access token is invalid"}}"#,
                ),
            }
        })
        .await;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        std::fs::write(&file, "canary").unwrap();
        let api = Url::parse(&base).unwrap();
        let listing = Videos { api: api.clone(), ..videos(&["acme"], &[], &[], 1000) };
        let pass = Pass::session(Client { api, client: "aw".into(), secret: SecretRef::File(file) });
        let place = Place { pass, rest, ..Place::open(local(), vec![Box::new(listing)]) };
        let http = crate::sources::Http::new("", crate::sources::Limits::default()).unwrap();
        let noon = http_now();
        let brought = place.fetch(&http, &Value::Null, noon).await.unwrap();
        assert_eq!((brought.captures.len(), brought.degraded), (2, None));
        assert_eq!(brought.quota.map(|q| q.left), Some(998));
        let told = place.fetch(&http, &brought.cursor, noon).await.unwrap_err();
        assert_eq!(told.retry_after(), Some(Span::hours(12)), "{told}");
        assert!(matches!(
            place.fetch(&http, &brought.cursor, noon + Span::hours(11)).await,
            Err(FetchError::Paused { .. })
        ));
    }

    #[test]
    fn a_day_has_so_many_questions_and_ends_at_midnight() {
        let listing = videos(&["acme"], &[], &[], 2);
        let ask = |now| {
            listing.sent(&listing.first_at(None, now), now);
            let page = page_of(&listing, json!({ "data": { "videos": [] } }));
            (page.left, page.rest)
        };
        assert_eq!(ask(now()), (Some(1), None));
        assert_eq!(ask(now() + Span::mins(10)), (Some(0), Some(Span::mins(20))));
        assert_eq!(ask(now() + Span::mins(30)), (Some(1), None), "a new day has begun");
        let refused = json!({ "error": { "code": "daily_quota_limit_exceeded", "message": "…" } });
        assert_eq!(rest(429, &refused, now()), Some(Span::mins(30)));
        assert_eq!(rest(429, &json!({ "error": { "code": "rate_limit_exceeded" } }), now()), None);
    }
}
