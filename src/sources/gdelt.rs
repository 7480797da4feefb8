//! GDELT: news of the whole world, found by their text.
//!
//! Follows <https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/> (DOC 2.0, `artlist`): up to 250 articles of the last
//! three months, newest first, told every 15 minutes; one request in five seconds, else status 429. Refusals of a query
//! come as plain text with status 200. It tells title and address of an article, not its text.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::api::Answer;
use super::archive::{country_of, language_of};
use super::listing::{Listing, Page, Place, below, with};
use super::told::Told;
use super::{Entry, Kind, Source, aim, settings, terms};
use crate::config::written::Form;
use crate::model::Capture;
use crate::model::time::Span;

/// News that GDELT found.
pub const KIND: Kind = Kind {
    name: "gdelt",
    about: "GDELT: titles of the world's online news, in 65 languages, found by their text",
    entry: Entry::Open,
    every: Some(Span::mins(15)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "gdelt"
name = "world-news"
search = "\"acme corporation\" (sourcelang:german OR sourcelang:swedish)"   # GDELT's own words: (a OR b), -without,
                                      # sourcecountry:, sourcelang:, domain:, near5:"…"; a word has three letters or more
every = "15m"                         # the default: GDELT itself has news every 15 minutes
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://api.gdeltproject.org"    # where the API is"#;

const MOST: usize = 250;
/// One request in so long.
const PACE: Span = Span::secs(5);
const DATES: &str = "%Y%m%d%H%M%S";

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://api.gdeltproject.org");
    let topics = form.has("topics");
    let search = if topics { form.text("search") } else { form.must_text("search") }.map(|s| s.value);
    let allow = settings::allow(form, house);
    let api = api?;
    if search.is_none() && !topics {
        return None;
    }
    let listing = move |search| Box::new(Articles { api: api.clone(), search }) as Box<dyn Listing>;
    let place = Place::open(allow, search.into_iter().map(&listing).collect());
    Some(Box::new(Place { aim: Some(aim::by_searches(&terms::GDELT, move |words| vec![listing(words)])), ..place }))
}

struct Articles {
    api: Url,
    search: String,
}

impl Listing for Articles {
    fn name(&self) -> String {
        self.search.clone()
    }

    fn first(&self, since: Option<Timestamp>) -> Url {
        let most = MOST.to_string();
        let mut query = vec![("query", self.search.as_str()), ("mode", "artlist"), ("format", "json")];
        query.extend([("maxrecords", most.as_str()), ("sort", "datedesc")]);
        let url = below(&self.api, &["api", "v2", "doc", "doc"], &query);
        match since {
            Some(since) => with(&url, "startdatetime", &since.strftime(DATES).to_string()),
            None => with(&url, "timespan", "1d"),
        }
    }

    fn sifts(&self) -> bool {
        true
    }

    fn late(&self) -> Span {
        Span::hours(2)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let mut page = Page::default();
        page.rest = Some(PACE);
        let articles = answer.body.list("/articles");
        let mut oldest: Option<Timestamp> = None;
        for article in articles {
            let seen = seen(article.text("/seendate"));
            oldest = seen.map_or(oldest, |s| Some(oldest.map_or(s, |o| o.min(s))));
            page.add(seen, capture(article, seen));
        }
        if articles.len() >= MOST {
            // There is more: it is asked for up to the oldest that was shown.
            page.cut = true;
            let bounded = asked.query_pairs().any(|(k, _)| k == "startdatetime");
            page.next = oldest.filter(|_| bounded).map(|o| with(asked, "enddatetime", &o.strftime(DATES).to_string()));
        }
        Ok(page)
    }
}

/// `20261101T120000Z`
fn seen(text: &str) -> Option<Timestamp> {
    jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", text)
        .ok()?
        .to_datetime()
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|z| z.timestamp())
}

fn capture(article: &Value, seen: Option<Timestamp>) -> Option<Capture> {
    let url = article.text("/url").to_owned();
    Some(Capture {
        native_id: Some(url.clone()),
        url: Some(url),
        title: Some(spaced(article.text("/title"))),
        published: seen,
        language: language_of(article.text("/language")),
        country: country_of(article.text("/sourcecountry")),
        network: "news".into(),
        kind: "post".into(),
        ..Capture::default()
    })
}

/// GDELT parts words and signs by spaces: `Acme ' s kettle , again`.
fn spaced(title: &str) -> String {
    let mut out = title.split_whitespace().collect::<Vec<_>>().join(" ");
    for sign in [",", ".", ":", ";", "!", "?"] {
        out = out.replace(&format!(" {sign}"), sign);
    }
    out.replace(" ' s ", "'s ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    fn articles() -> Articles {
        Articles {
            api: Url::parse("https://api.gdeltproject.org").unwrap(),
            search: "\"acme kettle\" sourcelang:german".into(),
        }
    }

    fn article(n: usize) -> Value {
        json!({
            "url": format!("https://zeitung.example/{n}"), "url_mobile": "", "title": "Acme ruft Kessel zurück : Brandgefahr !",
            "seendate": format!("20261101T{:02}3000Z", n % 24), "domain": "zeitung.example", "language": "German", "sourcecountry": "Germany",
        })
    }

    #[test]
    fn articles_with_their_facts() {
        let page = page_of(&articles(), json!({ "articles": [article(11), { "title": "" }] }));
        let c = &page.captures()[0];
        assert_eq!(page.captures().len(), 1);
        assert_eq!(
            (c.title.as_deref(), c.language.as_deref(), c.country.as_str()),
            (Some("Acme ruft Kessel zurück: Brandgefahr!"), Some("de"), "de")
        );
        assert_eq!(c.published.map(|t| t.to_string()).as_deref(), Some("2026-11-01T11:30:00Z"));
        assert_eq!((page.rest, page.cut, page.next.is_some()), (Some(PACE), false, false));
        assert!(page_of(&articles(), json!({})).captures().is_empty());
        assert_eq!(seen("yesterday"), None);
    }

    #[test]
    fn more_than_it_shows_is_asked_for_backwards() {
        let since = "2026-11-01T10:00:00Z".parse().ok();
        let asked = asked_of(&articles(), since);
        assert!(asked.ends_with("&maxrecords=250&sort=datedesc&startdatetime=20261101100000"), "{asked}");
        let body = json!({ "articles": (0..250).map(|_| article(13)).collect::<Vec<_>>() });
        let answer = Answer { body, headers: Default::default() };
        let page = articles().read(&answer, &Url::parse(&asked).unwrap()).unwrap();
        assert!(page.next.is_some_and(|n| n.as_str().ends_with("&enddatetime=20261101133000")));
    }
}
