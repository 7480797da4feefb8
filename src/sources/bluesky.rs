//! Bluesky: searches of all its posts.
//!
//! Follows <https://docs.bsky.app/docs/api/app-bsky-feed-search-posts> and the lexicons `app.bsky.feed.searchPosts` and
//! `com.atproto.server.createSession`: newest first, 100 a page, `cursor` for the next, `since`. A session is opened with a
//! handle and an app password, 300 times a day at most, and lasts about two hours; `ExpiredToken` says that it is over. The
//! public host answers searches only sometimes. Limits are told by `RateLimit-*`. With `stream` all posts are listened to as
//! they are written, by nobody's leave, and the search is a net below.

mod jetstream;
mod profiles;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::again::{AskAgain, Now};
use super::aim::{Aim, Aimed, Sought};
use super::api::{Answer, Api, Opened, Opening, Pass, Session};
use super::http::{Body, FetchError, place};
use super::listing::{Listing, Page, Place, below, with};
use super::live::Live;
use super::sieve::Sieve;
use super::told::{Told, with_pictures};
use super::{Entry, Kind, Source, settings, terms};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};
use crate::query::{self, Node};

/// Posts of Bluesky.
pub const KIND: Kind = Kind {
    name: "bluesky",
    about: "Bluesky: searches of all its posts",
    entry: Entry::Key,
    every: Some(Span::mins(1)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r##"[[source]]
kind = "bluesky"
name = "bluesky"
search = ["acme", "\"acme kettle\"", "@acme.example", "#acme"]   # each is a search of its own
handle = "watch.bsky.social"          # any account; with it goes
password = { credential = "bluesky" } # an app password of it: Settings, Privacy and security, App passwords. Without
                                      # the two the public host is asked, which often refuses
stream = true                         # stay connected to all that is written, and keep what the searches, or the topics, may
                                      # find, edits and deletions included; needs no account
jetstream = "https://jetstream2.us-east.bsky.network"   # the default, and where to ask who wrote what is kept:
profiles = "https://public.api.bsky.app"
topics = ["acme"]                     # or topics of the rules, put into the network's own words as far as it has them
every = "1m"                          # the default
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://bsky.social"         # where the account is"##;

const COUNTS: [&str; 4] = ["/replyCount", "/repostCount", "/likeCount", "/quoteCount"];
/// A session is renewed after so long, before it ends of itself.
const LASTS: Span = Span::mins(90);

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let searches = settings::words(form, "search");
    let handle = form.text("handle");
    let password = settings::secret(form, "password");
    let usual = if handle.is_some() { "https://bsky.social" } else { "https://public.api.bsky.app" };
    let api = settings::address(form, "api", usual);
    let allow = settings::allow(form, house);
    let stream = form.flag("stream").is_some_and(|f| f.value);
    let jetstream = settings::address(form, "jetstream", "https://jetstream2.us-east.bsky.network");
    let profiles = settings::address(form, "profiles", "https://public.api.bsky.app");
    if searches.is_empty() && !form.has("topics") {
        settings::nothing_to_look_for(form, "add search = [\"acme\"]");
    }
    if handle.is_some() != form.has("password") {
        form.desk.error(form.head(), "`handle` and `password` go together", "give both, or neither");
    }
    let own = if stream { queries(form) } else { Vec::new() };
    let (api, jetstream, profiles) = (api?, jetstream?, profiles?);
    // Without an account the search is asked of nobody who may refuse it, where the stream tells all the same.
    let asks = !stream || handle.is_some();
    let listings = {
        let api = api.clone();
        move |searches: &[String]| -> Vec<Box<dyn Listing>> {
            let listing = |s: &String| Box::new(Search { api: api.clone(), search: s.clone() }) as Box<dyn Listing>;
            searches.iter().filter(|_| asks).map(listing).collect()
        }
    };
    let live = {
        let allow = allow.clone();
        move |topics: &[Sought<'_>]| -> Option<Box<dyn Live>> {
            let searched = own.iter().map(|node| Sought { name: "", node, languages: &[] });
            let all: Vec<Sought<'_>> = searched.chain(topics.iter().copied()).collect();
            let (place, profiles, allow, sieve) = (jetstream.clone(), profiles.clone(), allow.clone(), Sieve::of(&all));
            stream.then(|| Box::new(jetstream::Jetstream { place, profiles, allow, sieve }) as Box<dyn Live>)
        }
    };
    let place = Place::open(allow, listings(&searches));
    let again = Again { api: api.clone() };
    let place = Place { live: live(&[]), ask_again: asks.then(|| Box::new(again) as Box<dyn AskAgain>), ..place };
    let aim: Aim = Box::new(move |topics| {
        let pushed = terms::push(&terms::BLUESKY, topics);
        let notes = if asks { pushed.notes } else { Vec::new() };
        Aimed { listings: listings(&pushed.searches), live: live(topics), notes }
    });
    let pass = match (handle, password) {
        (Some(handle), Some(password)) => Pass::session(Account { api, handle: handle.value, password }),
        _ => Pass::Open,
    };
    Some(Box::new(Place { pass, aim: Some(aim), ..place }))
}

/// What the stream is sifted by: the searches, as vakt itself would understand them.
fn queries(form: &Form<'_>) -> Vec<Node> {
    let mut out = Vec::new();
    for search in form.texts("search") {
        let parsed = query::parse(&search.value);
        let wrong = parsed.mistakes.iter().find(|m| !m.warning);
        if let Some(wrong) = wrong {
            let help = format!("write it as a query of vakt: {}", wrong.help);
            form.desk.error(search.span, format!("a stream cannot be sifted by this: {}", wrong.message), help);
        }
        out.extend(parsed.node);
    }
    out
}

/// Asks for posts again by their addresses.
struct Again {
    api: Url,
}

impl AskAgain for Again {
    fn most(&self) -> usize {
        25
    }

    fn address(&self, ids: &[&str]) -> Url {
        let all: Vec<(&str, &str)> = ids.iter().map(|id| ("uris", *id)).collect();
        below(&self.api, &["xrpc", "app.bsky.feed.getPosts"], &all)
    }

    fn read(&self, answer: &Answer, asked: &[&str]) -> Vec<Now> {
        let found = answer.body.list("/posts").iter().map(|post| Now {
            id: post.text("/uri").to_owned(),
            engagement: post.sum(&COUNTS),
            reach: None,
            ..Now::default()
        });
        Now::all(found.collect(), asked)
    }
}

struct Account {
    api: Url,
    handle: String,
    password: SecretRef,
}

impl Session for Account {
    fn open<'a>(&'a self, door: &'a Api<'a>) -> Opening<'a> {
        Box::pin(async move {
            let url = below(&self.api, &["xrpc", "com.atproto.server.createSession"], &[]);
            let password = self.password.fetch()?;
            let body = json!({ "identifier": self.handle, "password": password.expose_secret() });
            let answer = door.post(&url, Body::Json(&body), None).await?;
            match answer.body.text("/accessJwt") {
                "" => Err(FetchError::Unreadable { place: place(&url), reason: "it opened no session".into() }),
                token => {
                    Ok(Opened { header: SecretString::from(format!("Bearer {token}")), until: Some(door.now + LASTS) })
                }
            }
        })
    }
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
        let query = [("q", self.search.as_str()), ("sort", "latest"), ("limit", "100")];
        let url = below(&self.api, &["xrpc", "app.bsky.feed.searchPosts"], &query);
        match since {
            Some(since) => with(&url, "since", &since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            None => url,
        }
    }

    fn sifts(&self) -> bool {
        true
    }

    fn late(&self) -> Span {
        Span::mins(10)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let mut page = Page::default();
        let posts = answer.body.list("/posts");
        for post in posts {
            // The search sorts by the earlier of what the author says and what the network saw.
            let times = [post.time("/record/createdAt"), post.time("/indexedAt")];
            page.add(times.into_iter().flatten().min(), capture(post));
        }
        let cursor = answer.body.text("/cursor");
        page.next = (!cursor.is_empty() && !posts.is_empty()).then(|| with(asked, "cursor", cursor));
        Ok(page)
    }
}

fn capture(post: &Value) -> Option<Capture> {
    let uri = post.text("/uri");
    let key = uri.rsplit('/').next().filter(|k| !k.is_empty())?;
    let handle = post.text("/author/handle");
    // The account's id stays when it changes its handle; a handle that is none shows as this word.
    let who = if handle.is_empty() || handle == "handle.invalid" { post.text("/author/did") } else { handle };
    let name = Some(post.text("/author/displayName")).filter(|n| !n.is_empty()).unwrap_or(handle);
    let images = ["/record/embed/images", "/record/embed/media/images"].iter().flat_map(|at| post.list(at));
    let others = ["/record/embed/alt", "/record/embed/external/title", "/record/embed/external/description"];
    let described = images.map(|i| i.text("/alt")).chain(others.into_iter().map(|at| post.text(at)));
    let embed = post.text("/record/embed/$type");
    let kind = match () {
        () if post.pointer("/record/reply/parent").is_some() => "reply",
        () if embed.starts_with("app.bsky.embed.record") => "quote",
        () => "post",
    };
    let times = [post.time("/record/createdAt"), post.time("/indexedAt")];
    Some(Capture {
        native_id: Some(uri.to_owned()),
        url: Some(format!("https://bsky.app/profile/{who}/post/{key}")),
        text: with_pictures(post.text("/record/text"), false, described),
        html: false,
        author: Author {
            name: name.to_owned(),
            handle: who.to_owned(),
            followers: None,
            verified: post.pointer("/author/verification").map(|v| v.text("/verifiedStatus") == "valid"),
        },
        published: times.into_iter().flatten().min(),
        language: post.list("/record/langs").first().and_then(Value::as_str).map(str::to_owned),
        network: "bluesky".into(),
        engagement: post.sum(&COUNTS),
        kind: kind.into(),
        parent: post.text("/record/reply/parent/uri").to_owned(),
        thread: post.text("/record/reply/root/uri").to_owned(),
        lookup: uri.to_owned(),
        tags: post.list("/record/tags").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        ..Capture::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    fn search() -> Search {
        Search { api: Url::parse("https://bsky.social").unwrap(), search: "#acme".into() }
    }

    #[test]
    fn posts_with_their_facts() {
        let told = json!({ "cursor": "100", "hitsTotal": 7, "posts": [{
            "uri": "at://did:plc:abc/app.bsky.feed.post/3k1", "cid": "b",
            "author": { "did": "did:plc:abc", "handle": "ann.example", "displayName": "Ann", "verification": { "verifiedStatus": "valid" } },
            "record": { "$type": "app.bsky.feed.post", "text": "My Acme kettle", "createdAt": "2026-11-01T11:59:00.000Z", "langs": ["sv", "en"],
                        "reply": { "root": {}, "parent": {} },
                        "embed": { "$type": "app.bsky.embed.images", "images": [{ "alt": "A burnt kettle" }, { "alt": "" }] } },
            "replyCount": 1, "repostCount": 2, "likeCount": 3, "quoteCount": 4, "indexedAt": "2026-11-01T11:59:05.000Z",
        }, {
            "uri": "at://did:plc:d/app.bsky.feed.post/3k2", "author": { "did": "did:plc:d", "handle": "handle.invalid" },
            "record": { "text": "So", "createdAt": "2030-01-01T00:00:00Z", "embed": { "$type": "app.bsky.embed.record" } },
            "indexedAt": "2026-11-01T11:58:00Z",
        }, { "uri": "" }] });
        let page = page_of(&search(), told);
        let all = page.captures();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].text.as_str(), all[0].kind.as_str()), ("My Acme kettle\n[A burnt kettle]", "reply"));
        assert_eq!(all[0].url.as_deref(), Some("https://bsky.app/profile/ann.example/post/3k1"));
        assert_eq!(
            (all[0].engagement, all[0].author.verified, all[0].language.as_deref()),
            (Some(10), Some(true), Some("sv"))
        );
        assert_eq!(
            (all[1].author.handle.as_str(), all[1].kind.as_str(), all[1].author.verified),
            ("did:plc:d", "quote", None)
        );
        assert_eq!(
            all[1].published.map(|t| t.to_string()).as_deref(),
            Some("2026-11-01T11:58:00Z"),
            "no post is from the future"
        );
        assert!(page.next.is_some_and(|n| n.as_str().ends_with("cursor=100")));
    }

    #[test]
    fn posts_are_asked_for_again() {
        let again = Again { api: Url::parse("https://bsky.social").unwrap() };
        assert!(
            again.address(&["at://a", "at://b"]).as_str().ends_with("getPosts?uris=at%3A%2F%2Fa&uris=at%3A%2F%2Fb")
        );
        let body = json!({ "posts": [{ "uri": "at://a", "likeCount": 7, "replyCount": 1 }] });
        let stand = again.read(&Answer { body, headers: Default::default() }, &["at://a", "at://b"]);
        assert_eq!((stand[0].engagement, stand[1].clone()), (Some(8), Now::missing("at://b".into())));
    }

    #[test]
    fn asks_for_what_is_new() {
        let asked = asked_of(&search(), "2026-11-01T12:00:00Z".parse().ok());
        assert_eq!(
            asked,
            "https://bsky.social/xrpc/app.bsky.feed.searchPosts?q=%23acme&sort=latest&limit=100&since=2026-11-01T12%3A00%3A00Z"
        );
    }
}
