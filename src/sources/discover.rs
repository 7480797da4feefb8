//! What can be read at an address that somebody pastes: known places by their address, the rest by asking them.
//!
//! Feeds are found as pages name them (`<link rel="alternate">`), Discourse by the generator that its pages name, Mastodon,
//! Lemmy and their like by NodeInfo (<https://nodeinfo.diaspora.software>, schema 2.0).

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::feed::{DocumentError, read_document};
use super::guard::Allow;
use super::http::{FetchError, Http, Request, Response, place};
use super::told::Told;

/// Feeds that are looked into.
const MOST_FEEDS: usize = 5;

/// A source that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its kind.
    pub kind: &'static str,
    /// Its settings besides kind and name: each key with its value as TOML writes it.
    pub settings: Vec<(&'static str, String)>,
    /// What it is, in a line for people.
    pub about: String,
}

impl Found {
    fn new(kind: &'static str, about: impl Into<String>, settings: &[(&'static str, toml::Value)]) -> Found {
        let settings = settings.iter().map(|(key, value)| (*key, value.to_string())).collect();
        Found { kind, settings, about: about.into() }
    }
}

/// What can be read at an address, the best first; empty where it is a page without anything to follow.
///
/// # Errors
/// Where the address cannot be read at all.
pub async fn discover(http: &Http, allow: &Allow, address: &Url, now: Timestamp) -> Result<Vec<Found>, FetchError> {
    let mut found: Vec<Found> = by_address(address).into_iter().collect();
    let (body, charset) = match get(http, allow, address, now).await {
        Ok(got) => got,
        // Some places show their pages to browsers alone, and their API to everybody.
        Err(_) if !found.is_empty() => return Ok(found),
        Err(e) => return Err(e),
    };
    let feeds = match read_document(&body, charset.as_deref(), address.as_str(), "news", None) {
        Ok(_) => vec![address.to_string()],
        Err(DocumentError::Page { feeds }) => feeds,
        Err(_) => Vec::new(),
    };
    if is_discourse(&body) {
        found.push(Found::new("discourse", "this is a Discourse forum", &[("instance", origin(address).into())]));
    } else if found.is_empty()
        && let Some(server) = fediverse(http, allow, address, now).await
    {
        found.push(server);
    }
    for url in feeds.into_iter().take(MOST_FEEDS) {
        if let Some(feed) = look_into(http, allow, &url, now).await {
            found.push(feed);
        }
    }
    Ok(found)
}

/// Places that are known by their address.
fn by_address(address: &Url) -> Option<Found> {
    let host = address.host_str()?.trim_start_matches("www.");
    let path: Vec<&str> = address.path_segments()?.filter(|p| !p.is_empty()).collect();
    let list = |one: &str| toml::Value::from(vec![one.to_owned()]);
    let about = |what: &str| format!("{what}; `vakt sources explain` tells what it needs besides");
    Some(match (host, path.as_slice()) {
        ("reddit.com" | "old.reddit.com", ["r", name, ..]) => {
            Found::new("reddit", about("posts and comments of a subreddit"), &[("subreddits", list(name))])
        }
        ("youtube.com", ["channel", id, ..]) => {
            Found::new("youtube", about("comments on a channel's videos"), &[("channels", list(id))])
        }
        ("youtube.com", ["watch"]) => {
            let id = address.query_pairs().find(|(k, _)| k == "v").map(|(_, v)| v.into_owned())?;
            Found::new("youtube", about("comments on a video"), &[("videos", list(&id))])
        }
        ("github.com", [owner, name, ..]) => {
            let search = format!("repo:{owner}/{name}");
            Found::new("github", "issues and pull requests of a repository", &[("search", list(&search))])
        }
        ("github.com", [owner]) => {
            Found::new("github", "issues and pull requests of an owner", &[("search", list(&format!("user:{owner}")))])
        }
        ("apps.apple.com", [country, "app", .., id]) if country.len() == 2 => {
            let app = id.strip_prefix("id").filter(|n| n.bytes().all(|b| b.is_ascii_digit()))?;
            Found::new("appstore", "reviews of an app", &[("app", app.into()), ("countries", list(country))])
        }
        ("play.google.com", ["store", "apps", "details"]) => {
            let app = address.query_pairs().find(|(k, _)| k == "id").map(|(_, v)| v.into_owned())?;
            Found::new("playstore", about("reviews of an app, where it is yours"), &[("app", app.into())])
        }
        ("bsky.app", ["profile", handle, ..]) => {
            Found::new("bluesky", about("posts that name an account"), &[("search", list(&format!("@{handle}")))])
        }
        (host, ["questions", "tagged", tag, ..]) => {
            let site = stack_exchange(host)?;
            Found::new("stackexchange", "questions with a tag", &[("site", site.into()), ("tagged", list(tag))])
        }
        _ => return None,
    })
}

/// The name that Stack Exchange's API has for one of its sites.
fn stack_exchange(host: &str) -> Option<&str> {
    let own = ["stackoverflow.com", "serverfault.com", "superuser.com", "askubuntu.com", "mathoverflow.net"];
    let known = own.contains(&host) || host.ends_with(".stackoverflow.com");
    if known { host.strip_suffix(".com").or(Some(host)) } else { host.strip_suffix(".stackexchange.com") }
}

fn origin(address: &Url) -> String {
    let port = address.port().map(|p| format!(":{p}")).unwrap_or_default();
    format!("{}://{}{port}", address.scheme(), address.host_str().unwrap_or(""))
}

async fn get(http: &Http, allow: &Allow, url: &Url, now: Timestamp) -> Result<(Vec<u8>, Option<String>), FetchError> {
    match http
        .get(Request { accept: "text/html, application/xml, */*;q=0.5", ..Request::of(url.as_str(), allow) }, now)
        .await?
    {
        Response::Fresh { body, charset, .. } => Ok((body, charset)),
        Response::NotModified { .. } => {
            Err(FetchError::Unreadable { place: place(url), reason: "it answers nothing".into() })
        }
    }
}

/// Whether a page names Discourse as what made it.
fn is_discourse(page: &[u8]) -> bool {
    let head = String::from_utf8_lossy(page.get(..64 << 10).unwrap_or(page)).to_ascii_lowercase();
    head.split("<meta").skip(1).any(|meta| {
        let tag = meta.split('>').next().unwrap_or("");
        tag.contains("generator") && tag.contains("content=\"discourse")
    })
}

/// What a server of the fediverse says that it is.
async fn fediverse(http: &Http, allow: &Allow, address: &Url, now: Timestamp) -> Option<Found> {
    let json = async |url: Url| -> Option<Value> {
        let (body, _) = get(http, allow, &url, now).await.ok()?;
        serde_json::from_slice(&body).ok()
    };
    let known = json(address.join("/.well-known/nodeinfo").ok()?).await?;
    let link =
        known.list("/links").iter().find(|l| l.text("/rel").contains("nodeinfo.diaspora.software/ns/schema/2"))?;
    let link = address.join(link.text("/href")).ok().filter(|l| l.host_str() == address.host_str())?;
    let server = json(link).await?;
    let instance = ("instance", toml::Value::from(origin(address)));
    match server.text("/software/name") {
        "lemmy" => Some(Found::new("lemmy", "this is a Lemmy server: all that it sees", &[instance])),
        "mastodon" | "pleroma" | "akkoma" | "gotosocial" => {
            let about = "this server speaks as Mastodon does: say which hashtags";
            Some(Found::new("mastodon", about, &[instance, ("hashtags", vec!["acme".to_owned()].into())]))
        }
        _ => None,
    }
}

/// A feed, where it is one.
async fn look_into(http: &Http, allow: &Allow, url: &str, now: Timestamp) -> Option<Found> {
    let address = Url::parse(url).ok()?;
    let (body, charset) = get(http, allow, &address, now).await.ok()?;
    let feed = read_document(&body, charset.as_deref(), url, "news", None).ok()?;
    let newest = feed.captures.iter().filter_map(|c| c.published).max();
    let newest = newest.map(|n| n.strftime(", the newest of %Y-%m-%d").to_string()).unwrap_or_default();
    let title = feed.title.as_deref().unwrap_or("a feed");
    let about = format!("{title}: {} entries{newest}", feed.captures.len());
    Some(Found::new("feed", about, &[("url", url.into())]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::Limits;
    use crate::sources::http::tests::{local, now, path, reply, serve};

    fn known(address: &str) -> String {
        let found = by_address(&Url::parse(address).unwrap());
        found.map_or_else(
            || "-".into(),
            |f| {
                format!(
                    "{} {} {}",
                    f.kind,
                    f.settings[0].0,
                    f.settings.iter().map(|s| s.1.as_str()).collect::<Vec<_>>().join(" ")
                )
            },
        )
    }

    #[test]
    fn known_places_by_their_address() {
        assert_eq!(known("https://www.reddit.com/r/kettles/comments/1/x/"), "reddit subreddits [\"kettles\"]");
        assert_eq!(known("https://www.youtube.com/channel/UC1/videos"), "youtube channels [\"UC1\"]");
        assert_eq!(known("https://www.youtube.com/watch?t=3&v=abc"), "youtube videos [\"abc\"]");
        assert_eq!(known("https://github.com/acme/kettle/issues"), "github search [\"repo:acme/kettle\"]");
        assert_eq!(known("https://apps.apple.com/se/app/acme/id1234"), "appstore app \"1234\" [\"se\"]");
        let play = "https://play.google.com/store/apps/details?hl=sv&id=com.acme.kettle";
        assert_eq!(known(play), "playstore app \"com.acme.kettle\"");
        assert_eq!(known("https://bsky.app/profile/acme.example"), "bluesky search [\"@acme.example\"]");
        assert_eq!(
            known("https://es.stackoverflow.com/questions/tagged/acme"),
            "stackexchange site \"es.stackoverflow\" [\"acme\"]"
        );
        assert_eq!(
            known("https://cooking.stackexchange.com/questions/tagged/kettle"),
            "stackexchange site \"cooking\" [\"kettle\"]"
        );
        assert_eq!((known("https://example.org/r/kettles"), known("https://github.com/")), ("-".into(), "-".into()));
    }

    #[tokio::test]
    async fn other_places_are_asked() {
        let feed = "<rss version=\"2.0\"><channel><title>Blog</title><item><title>x</title><pubDate>Sun, 01 Nov 2026 10:00:00 GMT</pubDate></item></channel></rss>";
        let (base, _) = serve(move |head| match path(head) {
            "/blog" => reply("200 OK", "", b"<!DOCTYPE html><html><link rel='alternate' type='application/rss+xml' href='/feed'><link rel='alternate' type='application/rss+xml' href='/gone'></html>"),
            "/feed" => reply("200 OK", "", feed.as_bytes()),
            "/forum" => reply("200 OK", "", b"<!DOCTYPE html><html><meta name=\"generator\" content=\"Discourse 3.4\"></html>"),
            "/" => reply("200 OK", "", b"<!DOCTYPE html><html>hi</html>"),
            "/.well-known/nodeinfo" => reply("200 OK", "", b"{\"links\":[{\"rel\":\"http://nodeinfo.diaspora.software/ns/schema/2.1\",\"href\":\"/nodeinfo/2.1\"}]}"),
            "/nodeinfo/2.1" => reply("200 OK", "", b"{\"software\":{\"name\":\"lemmy\"}}"),
            _ => reply("404 Not Found", "", b""),
        })
        .await;
        let http = Http::new("", Limits::default()).unwrap();
        let at = async |path: &str| {
            let found = discover(&http, &local(), &Url::parse(&format!("{base}{path}")).unwrap(), now()).await;
            found.map(|all| all.into_iter().map(|f| (f.kind, f.about)).collect::<Vec<_>>())
        };
        let blog = at("/blog").await.unwrap();
        assert_eq!(
            blog.iter().find(|f| f.0 == "feed").map(|f| f.1.as_str()),
            Some("Blog: 1 entries, the newest of 2026-11-01")
        );
        assert_eq!(at("/feed").await.unwrap().len(), 2, "the feed, and the server that it stands on");
        assert_eq!(at("/forum").await.unwrap().first().map(|f| f.0), Some("discourse"));
        assert_eq!(at("/").await.unwrap().first().map(|f| f.0), Some("lemmy"));
        assert!(at("/nothing").await.is_err());
    }
}
