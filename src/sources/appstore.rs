//! Apple's App Store: reviews of an app, country by country.
//!
//! Follows the customer reviews feed that Apple serves as JSON beside its RSS generator
//! (`/CC/rss/customerreviews/page=N/id=APP/sortby=mostrecent/json`, seen in 2025): 50 reviews a page, 10 pages at most, so
//! the last 500 of each country. A country without reviews has no `entry`, one with a single review has no list. A review
//! that its author rewrites keeps its id.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::api::Answer;
use super::listing::{Listing, Page, Place, below};
use super::told::Told;
use super::{Entry, Kind, Source, settings};
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};

/// Reviews in the App Store.
pub const KIND: Kind = Kind {
    name: "appstore",
    about: "Apple's App Store: the newest reviews of an app, by country",
    entry: Entry::Open,
    every: Some(Span::mins(15)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "appstore"
name = "our-app"
app = "284882215"                     # the number after /id in the app's address
countries = ["se", "de", "gb"]        # two letters each; every country has its own reviews
every = "15m"                         # the default
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://itunes.apple.com"    # where the feed is"#;

const MOST_PAGES: u32 = 10;

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://itunes.apple.com");
    let app = form.must_text("app");
    let countries = settings::words(form, "countries");
    let allow = settings::allow(form, house);
    if countries.is_empty() {
        settings::nothing_to_look_for(form, "add countries = [\"se\", \"de\"]");
    }
    for country in countries.iter().filter(|c| c.len() != 2 || !c.bytes().all(|b| b.is_ascii_lowercase())) {
        form.desk.error(
            form.head(),
            format!("`{country}` is no country here"),
            "write its two letters, such as \"se\"",
        );
    }
    let (api, app) = (api?, app?);
    if !app.value.bytes().all(|b| b.is_ascii_digit()) {
        form.desk.error(app.span, "an app is known by its number", "write the digits after /id in its address");
        return None;
    }
    let listing = |country| Box::new(Reviews { api: api.clone(), app: app.value.clone(), country }) as Box<dyn Listing>;
    Some(Box::new(Place::open(allow, countries.into_iter().map(listing).collect())))
}

struct Reviews {
    api: Url,
    app: String,
    country: String,
}

impl Reviews {
    fn page(&self, number: u32) -> Url {
        let (page, id) = (format!("page={number}"), format!("id={}", self.app));
        below(&self.api, &[&self.country, "rss", "customerreviews", &page, &id, "sortby=mostrecent", "json"], &[])
    }

    fn capture(&self, entry: &Value) -> Option<Capture> {
        let id = entry.text("/id/label").to_owned();
        let rating = entry.text("/im:rating/label").parse().ok()?;
        // The store has one page for all reviews of a country, and each needs an address of its own.
        let (country, app) = (&self.country, &self.app);
        let url = format!("https://apps.apple.com/{country}/app/id{app}?see-all=reviews&review={id}");
        Some(Capture {
            native_id: Some(id),
            url: Some(url),
            title: Some(entry.text("/title/label").to_owned()),
            text: entry.text("/content/label").to_owned(),
            html: false,
            author: Author { name: entry.text("/author/name/label").to_owned(), ..Author::default() },
            published: entry.time("/updated/label"),
            network: "review".into(),
            engagement: entry.count("/im:voteCount/label"),
            kind: "review".into(),
            channel: "App Store".into(),
            country: self.country.clone(),
            rating: Some(rating),
            ..Capture::default()
        })
    }
}

impl Listing for Reviews {
    fn name(&self) -> String {
        format!("{} {}", self.app, self.country)
    }

    fn first(&self, _: Option<Timestamp>) -> Url {
        self.page(1)
    }

    fn sifts(&self) -> bool {
        false
    }

    fn late(&self) -> Span {
        // Reviews wait for the store's own checks.
        Span::days(1)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let feed = answer.body.get("feed").ok_or("this is no feed of reviews")?;
        let entries = match feed.get("entry") {
            Some(Value::Array(entries)) => entries.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let mut page = Page::default();
        // Older feeds begin with the app itself, which has no stars.
        for entry in entries.iter().filter(|e| e.get("im:rating").is_some()) {
            page.add(entry.time("/updated/label"), self.capture(entry));
        }
        let number = asked.path().split('/').find_map(|part| part.strip_prefix("page=")?.parse().ok()).unwrap_or(1);
        page.next = (!entries.is_empty() && number < MOST_PAGES).then(|| self.page(number + 1));
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    fn reviews() -> Reviews {
        Reviews { api: Url::parse("https://itunes.apple.com").unwrap(), app: "284882215".into(), country: "se".into() }
    }

    fn review(id: &str) -> Value {
        json!({
            "author": { "uri": { "label": "https://itunes.apple.com/se/reviews/id1" }, "name": { "label": "ann" }, "label": "" },
            "updated": { "label": "2026-11-01T04:59:00-07:00" }, "im:rating": { "label": "1" }, "im:version": { "label": "5.0" },
            "id": { "label": id }, "title": { "label": "Kraschar & dör" },
            "content": { "label": "Efter <uppdateringen>", "attributes": { "type": "text" } },
            "im:voteSum": { "label": "0" }, "im:voteCount": { "label": "2" },
        })
    }

    #[test]
    fn reviews_with_their_stars() {
        let app = json!({ "im:name": { "label": "The app" }, "title": { "label": "The app" } });
        let page = page_of(&reviews(), json!({ "feed": { "entry": [app, review("11"), review("12")] } }));
        let all = page.captures();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].rating, all[0].kind.as_str(), all[0].country.as_str()), (Some(1.0), "review", "se"));
        assert_eq!((all[0].title.as_deref(), all[0].text.as_str()), (Some("Kraschar & dör"), "Efter <uppdateringen>"));
        assert_eq!(all[0].published.map(|t| t.to_string()).as_deref(), Some("2026-11-01T11:59:00Z"));
        assert_ne!(all[0].url, all[1].url, "equal reviews of two people are two");
        assert!(page.next.is_some_and(|n| n.as_str().contains("/page=2/")));
    }

    #[test]
    fn one_review_and_none() {
        assert_eq!(
            asked_of(&reviews(), None),
            "https://itunes.apple.com/se/rss/customerreviews/page=1/id=284882215/sortby=mostrecent/json"
        );
        assert_eq!(page_of(&reviews(), json!({ "feed": { "entry": review("11") } })).captures().len(), 1);
        assert!(page_of(&reviews(), json!({ "feed": { "title": {} } })).next.is_none());
        let answer = Answer { body: json!({}), headers: Default::default() };
        assert!(reviews().read(&answer, &reviews().page(1)).is_err());
    }
}
