//! Stack Exchange: questions on any of its sites.
//!
//! Follows <https://api.stackexchange.com/docs/advanced-search> (API 2.3): newest first, 100 a page, `has_more`,
//! `fromdate`, always compressed. One address may ask 300 times a day without a key and 10,000 times with one; an answer
//! may ask for a pause in `backoff`, and throttles with status 400 and error 502. Without a key only 25 pages are shown.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::api::Answer;
use super::listing::{Listing, Page, Place, after, below};
use super::told::Told;
use super::{Entry, Kind, Source, aim, settings, terms};
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};

/// Questions on Stack Exchange sites.
pub const KIND: Kind = Kind {
    name: "stackexchange",
    about: "Stack Overflow and its sister sites: questions that name you",
    entry: Entry::Open,
    every: Some(Span::mins(10)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "stackexchange"
name = "overflow"
site = "stackoverflow"                # as in https://api.stackexchange.com/2.3/sites: superuser, askubuntu, …
search = ["acme"]                     # searches, or
tagged = ["acme-api"]                 # all questions with these tags
app_key = "…"                         # an application key, which is no secret: 10,000 requests a day instead of 300
language = "en"                       # en is the default; es on es.stackoverflow, and so on
topics = ["acme"]                     # or topics of the rules, put into the network's own words as far as it has them
every = "10m"                         # the default: 144 requests a day for each search or tag
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://api.stackexchange.com"   # where the API is"#;

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://api.stackexchange.com");
    let site = form.must_text("site").map(|s| s.value);
    let searches = settings::words(form, "search");
    let tags = settings::words(form, "tagged");
    let key = form.text("app_key").map(|k| k.value);
    let language = form.text("language").map_or_else(|| "en".to_owned(), |l| l.value);
    let allow = settings::allow(form, house);
    if searches.is_empty() && tags.is_empty() && !form.has("topics") {
        settings::nothing_to_look_for(form, "add search = [\"acme\"] or tagged = [\"acme-api\"]");
    }
    let (api, site) = (api?, site?);
    let asks = searches.into_iter().map(|q| ("q", q)).chain(tags.into_iter().map(|t| ("tagged", t)));
    let listing = move |ask| {
        let (api, site, key, language) = (api.clone(), site.clone(), key.clone(), language.clone());
        Box::new(Questions { api, site, ask, key, language }) as Box<dyn Listing>
    };
    let place = Place::open(allow, asks.map(&listing).collect());
    let aim = aim::by_searches(&terms::STACKEXCHANGE, move |words| vec![listing(("q", words))]);
    Some(Box::new(Place { rest, aim: Some(aim), ..place }))
}

/// "too many requests from this IP, more requests available in 83 seconds"
fn rest(_: u16, told: &Value, _: Timestamp) -> Option<Span> {
    (told.count("/error_id") == Some(502)).then(|| {
        let seconds = told.text("/error_message").split(' ').filter_map(|w| w.parse().ok()).next_back();
        Span::secs(seconds.unwrap_or(600).clamp(0, 86_400))
    })
}

struct Questions {
    api: Url,
    site: String,
    ask: (&'static str, String),
    key: Option<String>,
    language: String,
}

impl Listing for Questions {
    fn name(&self) -> String {
        format!("{} {} {}", self.site, self.ask.0, self.ask.1)
    }

    fn first(&self, since: Option<Timestamp>) -> Url {
        let since = since.map(|s| s.as_second().to_string());
        let mut query = vec![("site", self.site.as_str()), (self.ask.0, &self.ask.1), ("order", "desc")];
        query.extend([("sort", "creation"), ("pagesize", "100"), ("filter", "withbody")]);
        query.extend(since.as_deref().map(|s| ("fromdate", s)));
        query.extend(self.key.as_deref().map(|k| ("key", k)));
        below(&self.api, &["2.3", "search", "advanced"], &query)
    }

    fn sifts(&self) -> bool {
        true
    }

    fn late(&self) -> Span {
        // Most edits of a question come in its first hours.
        Span::hours(6)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let mut page = Page::default();
        for question in answer.body.list("/items") {
            page.add(question.time("/creation_date"), self.capture(question));
        }
        page.rest = answer.body.count("/backoff").map(|s| Span::secs(s.min(86_400) as i64));
        page.left = answer.body.count("/quota_remaining");
        if answer.body.is("/has_more") {
            page.next = Some(after(asked));
        }
        Ok(page)
    }
}

impl Questions {
    fn capture(&self, question: &Value) -> Option<Capture> {
        let id = question.count("/question_id")?;
        Some(Capture {
            native_id: Some(format!("{}/{id}", self.site)),
            url: Some(question.text("/link").to_owned()),
            // The API escapes its titles and names.
            title: Some(question.text("/title").to_owned()),
            text: question.text("/body").to_owned(),
            html: true,
            author: Author {
                name: super::refs::plain(question.text("/owner/display_name")),
                handle: question.id("/owner/user_id"),
                ..Author::default()
            },
            published: question.time("/creation_date"),
            language: Some(self.language.clone()),
            network: "forum".into(),
            engagement: question.sum(&["/score", "/answer_count"]),
            reach: question.count("/view_count"),
            kind: "post".into(),
            channel: self.site.clone(),
            tags: question.list("/tags").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            ..Capture::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    fn questions() -> Questions {
        Questions {
            api: Url::parse("https://api.stackexchange.com").unwrap(),
            site: "stackoverflow".into(),
            ask: ("q", "acme".into()),
            key: Some("k".into()),
            language: "en".into(),
        }
    }

    #[test]
    fn questions_with_their_facts() {
        let told = json!({
            "items": [{
                "question_id": 77, "title": "Acme&#39;s API is &lt;slow&gt;", "body": "<p>Why?</p>", "tags": ["acme-api", "http"],
                "owner": { "display_name": "Ann O&#39;Hara", "user_id": 12, "reputation": 101 }, "score": -2, "answer_count": 3,
                "view_count": 150, "creation_date": 1_793_534_340, "link": "https://stackoverflow.com/questions/77/acme",
            }, { "title": "no id" }],
            "has_more": true, "quota_max": 300, "quota_remaining": 12, "backoff": 10,
        });
        let page = page_of(&questions(), told);
        let all = page.captures();
        assert_eq!(all.len(), 1);
        assert_eq!(
            (all[0].title.as_deref(), all[0].author.name.as_str()),
            (Some("Acme&#39;s API is &lt;slow&gt;"), "Ann O'Hara")
        );
        assert_eq!((all[0].engagement, all[0].reach, all[0].tags.len()), (Some(3), Some(150), 2));
        assert_eq!((page.rest, page.left), (Some(Span::secs(10)), Some(12)));
        assert!(page.next.is_some_and(|n| n.as_str().ends_with("page=2")));
    }

    #[test]
    fn asks_and_rests() {
        let asked = asked_of(&questions(), "2026-11-01T12:00:00Z".parse().ok());
        assert_eq!(
            asked,
            "https://api.stackexchange.com/2.3/search/advanced?site=stackoverflow&q=acme&order=desc&sort=creation\
             &pagesize=100&filter=withbody&fromdate=1793534400&key=k"
        );
        let now = crate::model::time::from_millis(0);
        let throttled = json!({ "error_id": 502, "error_name": "throttle_violation",
            "error_message": "too many requests from this IP, more requests available in 83 seconds" });
        assert_eq!(rest(400, &throttled, now), Some(Span::secs(83)));
        assert_eq!(rest(400, &json!({ "error_id": 502 }), now), Some(Span::mins(10)));
        assert_eq!(rest(400, &json!({ "error_id": 400 }), now), None);
    }
}
