//! GitHub: issues and pull requests that name you, anywhere.
//!
//! Follows <https://docs.github.com/en/rest/search/search> (API 2022-11-28), `GET /search/issues`: 100 a page, 1,000 in
//! all, the next page by `Link`; 10 searches a minute without a token and 30 with one, told by `X-RateLimit-*`, and as 403.
//! Bodies are Markdown. Comments cannot be searched for, only the issues that hold them.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::api::{Answer, Pass};
use super::listing::{Listing, Page, Place, below};
use super::told::Told;
use super::{Entry, Kind, Source, aim, settings, terms};
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};

/// Issues and pull requests of GitHub.
pub const KIND: Kind = Kind {
    name: "github",
    about: "GitHub: issues and pull requests that name you",
    entry: Entry::Open,
    every: Some(Span::mins(5)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "github"
name = "github"
search = ["acme in:title,body", "org:acme is:issue"]   # GitHub's own words for searching issues
token = { credential = "github" }     # a fine-grained token without any right: 30 searches a minute instead of 10
topics = ["acme"]                     # or topics of the rules, put into the network's own words as far as it has them
every = "5m"                          # the default
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://api.github.com"      # https://HOST/api/v3 for GitHub Enterprise Server"#;

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://api.github.com");
    let searches = settings::words(form, "search");
    let token = settings::secret(form, "token");
    let allow = settings::allow(form, house);
    if searches.is_empty() && !form.has("topics") {
        settings::nothing_to_look_for(form, "add search = [\"acme in:title,body\"]");
    }
    let api = api?;
    let listing = move |(search, only)| Box::new(Issues { api: api.clone(), search, only }) as Box<dyn Listing>;
    let place = Place::open(allow, searches.into_iter().flat_map(each).map(&listing).collect());
    let aim = aim::by_searches(&terms::GITHUB, move |words| each(words).into_iter().map(&listing).collect());
    let pass = Pass::optional("authorization", "Bearer ", token);
    Some(Box::new(Place { pass, aim: Some(aim), accept: "application/vnd.github+json", ..place }))
}

/// A search as it is asked: with a fine-grained token GitHub answers none that does not say which of the two it wants.
fn each(search: String) -> Vec<(String, &'static str)> {
    let says = ["is:issue", "is:pr", "is:pull-request", "type:"].iter().any(|word| search.contains(word));
    if says { vec![(search, "")] } else { vec![(search.clone(), " is:issue"), (search, " is:pull-request")] }
}

struct Issues {
    api: Url,
    search: String,
    /// What is added to the words.
    only: &'static str,
}

impl Listing for Issues {
    fn name(&self) -> String {
        // Issues keep the name that both had once.
        let only = if self.only == " is:issue" { "" } else { self.only };
        format!("{} {}{only}", self.api, self.search)
    }

    fn first(&self, since: Option<Timestamp>) -> Url {
        let since = since.map(|s| s.strftime(" created:>=%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
        let q = format!("{}{}{since}", self.search, self.only);
        let query = [("q", q.as_str()), ("sort", "created"), ("order", "desc"), ("per_page", "100")];
        below(&self.api, &["search", "issues"], &query)
    }

    fn sifts(&self) -> bool {
        true
    }

    fn late(&self) -> Span {
        // Most edits of an issue come in its first hours.
        Span::hours(6)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let mut page = Page::default();
        for issue in answer.body.list("/items") {
            page.add(issue.time("/created_at"), capture(issue));
        }
        page.next = answer.headers.link("next").and_then(|next| asked.join(&next).ok());
        page.cut = page.next.is_none() && answer.body.count("/total_count").unwrap_or(0) > 1_000;
        Ok(page)
    }
}

fn capture(issue: &Value) -> Option<Capture> {
    let login = issue.text("/user/login").to_owned();
    let repository = issue.text("/repository_url").rsplit('/').take(2).collect::<Vec<_>>();
    let channel = repository.into_iter().rev().collect::<Vec<_>>().join("/");
    Some(Capture {
        native_id: Some(issue.text("/node_id").to_owned()).filter(|id| !id.is_empty()),
        url: Some(issue.text("/html_url").to_owned()),
        title: Some(issue.text("/title").to_owned()),
        text: issue.text("/body").to_owned(),
        html: false,
        author: Author { name: login.clone(), handle: login, ..Author::default() },
        published: issue.time("/created_at"),
        network: "github".into(),
        engagement: issue.sum(&["/comments", "/reactions/total_count"]),
        kind: "post".into(),
        channel,
        tags: issue.list("/labels").iter().map(|l| l.text("/name").to_owned()).collect(),
        ..Capture::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    fn issues() -> Issues {
        Issues { api: Url::parse("https://api.github.com").unwrap(), search: "acme in:title,body".into(), only: "" }
    }

    #[test]
    fn issues_and_pull_requests_are_asked_for_one_by_one_unless_the_words_say() {
        let kinds = |search: &str| each(search.into()).into_iter().map(|(_, only)| only).collect::<Vec<_>>();
        assert_eq!(kinds("acme in:title,body"), [" is:issue", " is:pull-request"]);
        assert_eq!(kinds("org:acme is:issue"), [""]);
        let asked = Issues { only: " is:issue", ..issues() }.first(None);
        assert!(asked.query_pairs().any(|(k, v)| k == "q" && v == "acme in:title,body is:issue"), "{asked}");
        assert_eq!(Issues { only: " is:issue", ..issues() }.name(), issues().name(), "cursors of before go on");
    }

    #[test]
    fn issues_with_their_facts() {
        let told = json!({
            "total_count": 1200, "incomplete_results": false,
            "items": [{
                "node_id": "I_1", "number": 7, "title": "Acme SDK <crashes>", "body": "It **does**", "user": { "login": "ann" },
                "html_url": "https://github.com/b/c/issues/7", "repository_url": "https://api.github.com/repos/b/c",
                "created_at": "2026-11-01T11:59:00Z", "comments": 3, "reactions": { "total_count": 4 }, "labels": [{ "name": "bug" }],
            }, { "node_id": "I_2", "title": "No body", "body": null }],
        });
        let page = page_of(&issues(), told);
        let all = page.captures();
        assert_eq!((all.len(), page.cut), (2, true));
        assert_eq!(
            (all[0].channel.as_str(), all[0].engagement, all[0].tags.as_slice()),
            ("b/c", Some(7), ["bug".to_owned()].as_slice())
        );
        assert_eq!((all[0].author.handle.as_str(), all[0].html), ("ann", false));
        assert_eq!((all[1].text.as_str(), all[1].engagement), ("", None));
    }

    #[test]
    fn asks_for_what_is_new() {
        let asked = asked_of(&issues(), "2026-11-01T12:00:00.5Z".parse().ok());
        assert_eq!(
            asked,
            "https://api.github.com/search/issues?q=acme+in%3Atitle%2Cbody+created%3A%3E%3D2026-11-01T12%3A00%3A00Z\
             &sort=created&order=desc&per_page=100"
        );
    }
}
