//! Mastodon and what speaks its API: hashtags, public timelines and, with a token, searches.
//!
//! Follows <https://docs.joinmastodon.org/methods/timelines/> and `/methods/search/` (Mastodon 4.4): 40 posts a page, the
//! next by the `Link` header, 300 requests in five minutes told by `X-RateLimit-*`. A post that arrives late from another
//! server stands where its own time says, below newer ones: reading on from the newest id alone would miss it, so every
//! fetch reads half an hour deeper than it knew. Within that time edits are seen as well. Boosts are in no such timeline.
//! With `stream` posts come as the server takes them in, and the timelines are a net below.

mod streaming;

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::again::{AskAgain, Now};
use super::aim::{Aim, Aimed};
use super::api::{Answer, Pass};
use super::bounds::escape;
use super::listing::{Listing, Page, Place, below, with};
use super::live::Live;
use super::told::{Told, with_pictures};
use super::{Entry, Kind, Source, settings, terms};
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};

/// Hashtags, timelines and searches of one Mastodon server.
pub const KIND: Kind = Kind {
    name: "mastodon",
    about: "Mastodon: hashtags, public timelines, searches, as one server sees them",
    entry: Entry::Open,
    every: None,
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "mastodon"
name = "fediverse"
instance = "https://mastodon.social"  # a server sees what its people follow: a large one sees more
hashtags = ["acme", "acmekettle"]     # at least one of these three
search = ["acme"]                     # needs the token, and finds what its authors allow to be found
timeline = "all"                      # all (the public posts of every server it knows) or local
token = { credential = "mastodon" }   # Preferences, Development, New application, with read:statuses and read:search;
                                      # many servers show timelines to nobody without one
stream = true                         # stay connected to the hashtags and the timeline; needs the token, with read:statuses
streaming = "https://streaming.mastodon.social"   # where the server streams, if that is another host
topics = ["acme"]                     # or topics of the rules, put into the network's own words as far as it has them
every = "1m"                          # else it follows how often there is something new
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach"#;

const COUNTS: [&str; 3] = ["/replies_count", "/reblogs_count", "/favourites_count"];
const PER_PAGE: &str = "40";

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let instance = settings::address(form, "instance", "");
    let hashtags = settings::words(form, "hashtags");
    let searches = settings::words(form, "search");
    let timeline = form.choice("timeline", &["all", "local"], |w| match w {
        "all" => Some(Ask::Public { local: false }),
        "local" => Some(Ask::Public { local: true }),
        _ => None,
    });
    let token = settings::secret(form, "token");
    let allow = settings::allow(form, house);
    let stream = form.flag("stream").is_some_and(|f| f.value);
    let streaming = form.has("streaming").then(|| settings::address(form, "streaming", "")).flatten();
    if stream && !form.has("token") {
        let help = "add token = { credential = \"mastodon\" }";
        form.desk.error(form.head(), "Mastodon streams to nobody without a token", help);
    }
    if hashtags.is_empty() && searches.is_empty() && timeline.is_none() && !form.has("topics") {
        settings::nothing_to_look_for(form, "add hashtags = [\"acme\"], search = [\"acme\"] or timeline = \"local\"");
    }
    if !searches.is_empty() && !form.has("token") {
        let help = "add token = { credential = \"mastodon\" }";
        form.desk.error(form.head(), "Mastodon lets nobody search posts without a token", help);
    }
    let instance = instance?;
    let asks = hashtags.into_iter().map(|tag| Ask::Hashtag(tag.trim_start_matches('#').to_owned()));
    let asks: Vec<Ask> = asks.chain(searches.into_iter().map(Ask::Search)).chain(timeline.map(|t| t.value)).collect();
    let maker = {
        let (instance, allow, token) = (instance.clone(), allow.clone(), token.clone());
        move |own: &[Ask], more: Vec<Ask>| {
            let listing =
                |ask: &Ask| Box::new(Posts { instance: instance.clone(), ask: ask.clone() }) as Box<dyn Listing>;
            let listings = more.iter().map(listing).collect();
            let asks: Vec<Ask> = own.iter().cloned().chain(more).collect();
            let live = token.clone().filter(|_| stream).map(|token| {
                Box::new(streaming::Streams {
                    place: streaming.clone().unwrap_or_else(|| instance.clone()),
                    host: instance.host_str().unwrap_or("").to_owned(),
                    allow: allow.clone(),
                    token,
                    more: asks.iter().any(|ask| matches!(ask, Ask::Search(_))),
                    asks,
                }) as Box<dyn Live>
            });
            Aimed { listings, live, notes: Vec::new() }
        }
    };
    let own = maker(&[], asks.clone());
    let may_search = token.is_some();
    let aim: Aim = Box::new(move |topics| {
        let tags = terms::push(&terms::HASHTAGS, topics);
        let found = if may_search { terms::push(&terms::MASTODON, topics) } else { Default::default() };
        let mut notes = if may_search { found.notes } else { tags.notes };
        if !may_search && !tags.searches.is_empty() {
            notes.push(
                "without a token Mastodon tells of hashtags alone: posts that bear none are not found".to_owned(),
            );
        }
        let tags = tags.searches.into_iter().map(Ask::Hashtag);
        Aimed { notes, ..maker(&asks, tags.chain(found.searches.into_iter().map(Ask::Search)).collect()) }
    });
    let again = Box::new(Again { instance }) as Box<dyn AskAgain>;
    let place = Place { live: own.live, aim: Some(aim), ask_again: Some(again), ..Place::open(allow, own.listings) };
    Some(Box::new(Place { pass: Pass::optional("authorization", "Bearer ", token), ..place }))
}

/// Asks for posts again by the numbers that the server gives them.
struct Again {
    instance: Url,
}

impl AskAgain for Again {
    fn most(&self) -> usize {
        20
    }

    fn address(&self, ids: &[&str]) -> Url {
        let all: Vec<(&str, &str)> = ids.iter().map(|id| ("id[]", *id)).collect();
        below(&self.instance, &["api", "v1", "statuses"], &all)
    }

    fn read(&self, answer: &Answer, asked: &[&str]) -> Vec<Now> {
        let found = answer.body.list("").iter().map(|post| Now {
            id: post.id("/id"),
            engagement: post.sum(&COUNTS),
            reach: None,
            ..Now::default()
        });
        Now::all(found.collect(), asked)
    }
}

#[derive(Clone)]
enum Ask {
    Hashtag(String),
    Search(String),
    Public { local: bool },
}

struct Posts {
    instance: Url,
    ask: Ask,
}

impl Listing for Posts {
    fn name(&self) -> String {
        match &self.ask {
            Ask::Hashtag(tag) => format!("{} #{tag}", self.instance),
            // A search that looks like one of the others is another.
            Ask::Search(words) if words.starts_with('#') || words.starts_with("timeline ") => {
                format!("{} search {words}", self.instance)
            }
            Ask::Search(words) => format!("{} {words}", self.instance),
            Ask::Public { local } => format!("{} timeline {}", self.instance, if *local { "local" } else { "all" }),
        }
    }

    fn first(&self, _: Option<Timestamp>) -> Url {
        let limit = ("limit", PER_PAGE);
        match &self.ask {
            Ask::Hashtag(tag) => below(&self.instance, &["api", "v1", "timelines", "tag", tag], &[limit]),
            Ask::Search(q) => below(&self.instance, &["api", "v2", "search"], &[("q", q), ("type", "statuses"), limit]),
            Ask::Public { local } => {
                let local = if *local { "true" } else { "false" };
                below(&self.instance, &["api", "v1", "timelines", "public"], &[("local", local), limit])
            }
        }
    }

    fn sifts(&self) -> bool {
        false
    }

    fn late(&self) -> Span {
        Span::mins(30)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let search = matches!(self.ask, Ask::Search(_));
        let posts = answer.body.list(if search { "/statuses" } else { "" });
        let mut page = Page::default();
        let host = self.instance.host_str().unwrap_or("");
        for post in posts {
            page.add(post.time("/created_at"), capture(post, host));
        }
        page.next = if search {
            // Searches are paged by how many were shown.
            let shown = asked.query_pairs().find(|(k, _)| k == "offset").and_then(|(_, n)| n.parse().ok()).unwrap_or(0);
            (!posts.is_empty()).then(|| with(asked, "offset", &posts.len().saturating_add(shown).to_string()))
        } else {
            let named = answer.headers.link("next").and_then(|next| asked.join(&next).ok());
            named.or_else(|| Some(with(asked, "max_id", posts.last()?.text("/id"))))
        };
        Ok(page)
    }
}

fn capture(post: &Value, host: &str) -> Option<Capture> {
    // A token also sees what its owner was told alone.
    if matches!(post.text("/visibility"), "private" | "direct") {
        return None;
    }
    let acct = post.text("/account/acct");
    let pictures = post.list("/media_attachments").iter().map(|m| m.text("/description"));
    let kind = match post {
        p if !p.id("/in_reply_to_id").is_empty() => "reply",
        p if p.pointer("/quote").is_some_and(Value::is_object) => "quote",
        _ => "post",
    };
    let id = Some(post.text("/uri").to_owned()).filter(|uri| !uri.is_empty()).or_else(|| Some(post.id("/id")));
    Some(Capture {
        native_id: id,
        url: [post.text("/url"), post.text("/uri")].into_iter().find(|u| !u.is_empty()).map(str::to_owned),
        title: Some(escape(post.text("/spoiler_text"))),
        text: with_pictures(post.text("/content"), true, pictures),
        html: true,
        author: Author {
            name: post.text("/account/display_name").to_owned(),
            handle: if acct.contains('@') || acct.is_empty() { acct.to_owned() } else { format!("{acct}@{host}") },
            followers: post.count("/account/followers_count"),
            verified: None,
        },
        published: post.time("/created_at"),
        language: Some(post.text("/language").to_owned()),
        network: "mastodon".into(),
        engagement: post.sum(&COUNTS),
        kind: kind.into(),
        parent: post.id("/in_reply_to_id"),
        lookup: post.id("/id"),
        tags: post.list("/tags").iter().map(|t| t.text("/name").to_owned()).collect(),
        ..Capture::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    fn posts(ask: Ask) -> Posts {
        Posts { instance: Url::parse("https://mastodon.example").unwrap(), ask }
    }

    fn post(id: &str) -> Value {
        json!({
            "id": id, "uri": format!("https://other.example/users/ann/statuses/{id}"), "created_at": "2026-11-01T11:59:00.000Z",
            "in_reply_to_id": "7", "spoiler_text": "fire & smoke", "visibility": "public", "language": "sv",
            "url": format!("https://other.example/@ann/{id}"), "content": "<p>Min <a>#Acme</a>-kittel</p>",
            "replies_count": 1, "reblogs_count": 2, "favourites_count": 3, "tags": [{ "name": "acme" }],
            "account": { "acct": "ann@other.example", "display_name": "Ann", "followers_count": 1200 },
            "media_attachments": [{ "type": "image", "description": "En bränd kittel" }, { "description": null }],
        })
    }

    #[test]
    fn a_post_with_its_facts() {
        let mut local = post("8");
        local["account"]["acct"] = "bo".into();
        local["in_reply_to_id"] = Value::Null;
        let mut secret = post("9");
        secret["visibility"] = "direct".into();
        let page = page_of(&posts(Ask::Hashtag("acme".into())), json!([post("10"), secret, local, { "id": 3 }]));
        let all = page.captures();
        assert_eq!(all.len(), 2, "what was told to one alone, and what says nothing, are left out");
        assert_eq!(all[0].text, "<p>Min <a>#Acme</a>-kittel</p><p>[En bränd kittel]</p>");
        assert_eq!((all[0].title.as_deref(), all[0].kind.as_str()), (Some("fire &amp; smoke"), "reply"));
        assert_eq!((all[0].author.handle.as_str(), all[0].author.followers), ("ann@other.example", Some(1200)));
        assert_eq!((all[0].engagement, all[0].language.as_deref()), (Some(6), Some("sv")));
        assert_eq!((all[1].author.handle.as_str(), all[1].kind.as_str()), ("bo@mastodon.example", "post"));
        assert_eq!(
            page.next.map(String::from).as_deref(),
            Some("https://mastodon.example/api/v1/timelines/tag/acme?limit=40&max_id=")
        );
    }

    #[test]
    fn timelines_and_searches_are_asked_for() {
        assert_eq!(
            asked_of(&posts(Ask::Hashtag("åäö/..".into())), None),
            "https://mastodon.example/api/v1/timelines/tag/%C3%A5%C3%A4%C3%B6%2F..?limit=40"
        );
        assert_eq!(
            asked_of(&posts(Ask::Public { local: true }), None),
            "https://mastodon.example/api/v1/timelines/public?local=true&limit=40"
        );
        let search = posts(Ask::Search("acme kettle".into()));
        assert_eq!(
            asked_of(&search, None),
            "https://mastodon.example/api/v2/search?q=acme+kettle&type=statuses&limit=40"
        );
        let page = page_of(&search, json!({ "statuses": [post("1")], "accounts": [] }));
        assert!(page.next.is_some_and(|n| n.as_str().ends_with("offset=1")));
        assert!(page_of(&search, json!({ "statuses": [] })).next.is_none());
        assert!(page_of(&posts(Ask::Public { local: true }), json!([])).next.is_none());
    }
}
