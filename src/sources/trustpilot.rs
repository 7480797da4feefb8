//! Trustpilot: reviews of a business.
//!
//! Follows <https://developers.trustpilot.com/business-units-api> (v1), "get a business unit's reviews": public reviews with an
//! API key in the `apikey` header, newest first, 100 a page; 833 requests in five minutes, 10,000 an hour. A review that its
//! author rewrites keeps its id.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::api::{Answer, Pass};
use super::listing::{Listing, Page, Place, after, below};
use super::told::Told;
use super::{Entry, Kind, Source, settings};
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};

/// Reviews of Trustpilot.
pub const KIND: Kind = Kind {
    name: "trustpilot",
    about: "Trustpilot: reviews of a business",
    entry: Entry::Contract,
    every: Some(Span::mins(5)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "trustpilot"
name = "trustpilot"
business = "46d6a890000064000500e0c3" # the id of the business unit: /v1/business-units/find?name=acme.example tells it
key = { credential = "trustpilot" }   # an API key; Trustpilot gives it with its plans
every = "5m"                          # the default
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://api.trustpilot.com"  # where the API is"#;

const PER_PAGE: usize = 100;

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://api.trustpilot.com");
    let business = form.must_text("business").map(|b| b.value);
    let key = settings::must_secret(form, "key");
    let allow = settings::allow(form, house);
    let (api, business, key) = (api?, business?, key?);
    let place = Place::open(allow, vec![Box::new(Reviews { api, business })]);
    Some(Box::new(Place { pass: Pass::Header("apikey", "", key), ..place }))
}

struct Reviews {
    api: Url,
    business: String,
}

impl Listing for Reviews {
    fn name(&self) -> String {
        self.business.clone()
    }

    fn first(&self, _: Option<Timestamp>) -> Url {
        let most = PER_PAGE.to_string();
        let query = [("orderBy", "createdat.desc"), ("perPage", most.as_str()), ("page", "1")];
        below(&self.api, &["v1", "business-units", &self.business, "reviews"], &query)
    }

    fn sifts(&self) -> bool {
        false
    }

    fn late(&self) -> Span {
        Span::days(1)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let reviews = answer.body.list("/reviews");
        let mut page = Page::default();
        for review in reviews {
            page.add(review.time("/createdAt"), capture(review));
        }
        if reviews.len() >= PER_PAGE {
            page.next = Some(after(asked));
        }
        Ok(page)
    }
}

fn capture(review: &Value) -> Option<Capture> {
    let id = review.text("/id");
    Some(Capture {
        native_id: Some(id.to_owned()),
        url: Some(format!("https://www.trustpilot.com/reviews/{id}")),
        title: Some(review.text("/title").to_owned()),
        text: review.text("/text").to_owned(),
        html: false,
        author: Author {
            name: review.text("/consumer/displayName").to_owned(),
            handle: review.text("/consumer/id").to_owned(),
            ..Author::default()
        },
        published: review.time("/createdAt"),
        updated: review.time("/updatedAt"),
        language: Some(review.text("/language").to_owned()),
        network: "review".into(),
        engagement: review.count("/numberOfLikes"),
        kind: "review".into(),
        channel: "Trustpilot".into(),
        country: review.text("/consumer/countryCode").chars().take(2).collect(),
        rating: review.count("/stars").map(|s| s.min(5) as f32),
        ..Capture::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    #[test]
    fn reviews_with_their_stars() {
        let reviews = Reviews { api: Url::parse("https://api.trustpilot.com").unwrap(), business: "46d6".into() };
        let review = |id: &str| {
            json!({ "id": id, "stars": 1, "title": "Burned", "text": "It <burned>", "language": "sv", "createdAt": "2026-11-01T11:59:00Z",
                "updatedAt": "2026-11-01T12:00:00Z", "consumer": { "id": "c", "displayName": "Ann", "countryCode": "SE" }, "numberOfLikes": 2 })
        };
        let page = page_of(&reviews, json!({ "reviews": [review("a")] }));
        let c = page.captures()[0];
        assert_eq!((c.rating, c.country.as_str(), c.engagement), (Some(1.0), "SE", Some(2)));
        assert_eq!((c.text.as_str(), c.url.as_deref()), ("It <burned>", Some("https://www.trustpilot.com/reviews/a")));
        assert!(page.next.is_none());
        let full: Vec<Value> = (0..100).map(|n| review(&n.to_string())).collect();
        assert!(page_of(&reviews, json!({ "reviews": full })).next.is_some_and(|n| n.as_str().ends_with("page=2")));
        assert_eq!(
            asked_of(&reviews, None),
            "https://api.trustpilot.com/v1/business-units/46d6/reviews?orderBy=createdat.desc&perPage=100&page=1"
        );
    }
}
