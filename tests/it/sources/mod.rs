//! Every kind of source against a place that speaks its API: pages, an error, sessions that end, limits, lures.

mod apis;
mod contracts;
mod inbox;
mod mailbox;
mod site;

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::world::{Daemon, PEOPLE, ask, until, write_rule};
use site::{Day, Site, Speak};

/// A server at an address that no source may ask; it counts who comes.
fn canary() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.99:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let came = Arc::new(AtomicUsize::new(0));
    let counted = came.clone();
    std::thread::spawn(move || {
        for _ in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (base, came)
}

fn day() -> (Arc<Day>, Arc<AtomicUsize>) {
    let (canary, came) = canary();
    let day = Day { began: jiff::Timestamp::now(), news: false.into(), edited: false.into(), canary };
    (Arc::new(day), came)
}

/// Each kind with its settings; `BASE` is where it is asked.
const KINDS: [(&str, Speak, &str); 25] = [
    ("mastodon", apis::mastodon, "instance = \"BASE\"\nhashtags = [\"acme\"]\ntoken = { file = \"secrets/mastodon\" }"),
    ("lemmy", apis::lemmy, "instance = \"BASE\"\nsearch = [\"acme\"]"),
    ("discourse", apis::discourse, "instance = \"BASE\"\ntoken = { file = \"secrets/discourse\" }\nlanguage = \"en\""),
    ("hackernews", apis::hackernews, "api = \"BASE\"\nsearch = [\"acme\"]"),
    ("stackexchange", apis::stackexchange, "api = \"BASE\"\nsite = \"stackoverflow\"\nsearch = [\"acme\"]"),
    ("github", apis::github, "api = \"BASE\"\nsearch = [\"acme\"]\ntoken = { file = \"secrets/github\" }"),
    ("gdelt", apis::gdelt, "api = \"BASE\"\nsearch = \"acme\""),
    ("appstore", apis::appstore, "api = \"BASE\"\napp = \"1234\"\ncountries = [\"se\"]"),
    (
        "bluesky",
        apis::bluesky,
        "api = \"BASE\"\nsearch = [\"acme\"]\nhandle = \"watch.example\"\npassword = { file = \"secrets/bluesky\" }",
    ),
    (
        "reddit",
        apis::reddit,
        "api = \"BASE\"\nlogin = \"BASE\"\nsearch = [\"acme\"]\nclient_id = \"vakt-client\"\nsecret = { file = \"secrets/reddit\" }",
    ),
    (
        "youtube",
        apis::youtube,
        "api = \"BASE\"\nsearch = [\"acme\"]\nchannels = [\"UC1\"]\nkey = { file = \"secrets/youtube\" }",
    ),
    (
        "discord",
        apis::discord,
        "api = \"BASE\"\nserver = \"1\"\nchannels = [\"2\"]\ntoken = { file = \"secrets/discord\" }",
    ),
    (
        "slack",
        apis::slack,
        "api = \"BASE\"\nworkspace = \"https://acme.slack.com\"\nchannels = [\"C1\"]\ntoken = { file = \"secrets/slack\" }",
    ),
    ("x", apis::x, "api = \"BASE\"\nsearch = [\"acme\"]\ntoken = { file = \"secrets/x\" }"),
    ("facebook", apis::facebook, "api = \"BASE\"\npage = \"1\"\ntoken = { file = \"secrets/facebook\" }"),
    ("instagram", apis::instagram, "api = \"BASE\"\naccount = \"17\"\ntoken = { file = \"secrets/instagram\" }"),
    ("threads", apis::threads, "api = \"BASE\"\nsearch = [\"acme\"]\ntoken = { file = \"secrets/threads\" }"),
    ("trustpilot", apis::trustpilot, "api = \"BASE\"\nbusiness = \"46d6\"\nkey = { file = \"secrets/trustpilot\" }"),
    (
        "page",
        apis::page,
        "url = \"BASE/news\"\nitem = \"article.news\"\ntext = \".teaser\"\nauthor = \".by\"\ntime_zone = \"Europe/Stockholm\"",
    ),
    ("telegram", apis::telegram, "api = \"BASE\"\ntoken = { file = \"secrets/telegram\" }\nchats = [\"@kettles\"]"),
    (
        "playstore",
        apis::playstore,
        "api = \"BASE\"\nlogin = \"BASE/token\"\napp = \"com.acme.kettle\"\naccount = { file = \"secrets/playstore\" }",
    ),
    (
        "tiktok",
        contracts::tiktok,
        "api = \"BASE\"\nhashtags = [\"#acme\"]\nkeywords = [\"acme\"]\nregions = [\"SE\"]\nrequests = 100000\n\
         client_key = \"vakt-client\"\nsecret = { file = \"secrets/tiktok\" }",
    ),
    ("linkedin", contracts::linkedin, "api = \"BASE\"\norganization = \"96\"\ntoken = { file = \"secrets/linkedin\" }"),
    ("busy", apis::busy, "instance = \"BASE\"\ntoken = { file = \"secrets/discourse\" }"),
    ("lure", apis::lure, "instance = \"BASE\""),
];

fn start(day: &Arc<Day>, dir: &Path) -> Vec<Site> {
    std::fs::create_dir_all(dir.join("secrets")).unwrap();
    for (name, ..) in KINDS {
        let secret = match name {
            "telegram" => "11:canary-telegram\n".to_owned(),
            "playstore" => include_str!("../../data/service-account.json").to_owned(),
            name => format!("canary-{name}\n"),
        };
        std::fs::write(dir.join("secrets").join(name), secret).unwrap();
    }
    let secrets = format!("{}/secrets/", dir.display());
    let mut text =
        "data_dir = \"data\"\nrules_dir = \"rules\"\n[http]\nlisten = \"off\"\n[fetch]\nmin_interval = \"200ms\"\n\
         allow_private = [\"127.0.0.0/26\"]\n"
            .to_owned();
    let mut sites = Vec::new();
    for (n, (name, speak, settings)) in KINDS.iter().enumerate() {
        let site = Site::start(10 + n as u8, day, *speak);
        let kind = if matches!(*name, "busy" | "lure") { "discourse" } else { name };
        let settings = settings.replace("BASE", &site.base).replace("secrets/", &secrets);
        text.push_str(&format!("[[source]]\nkind = \"{kind}\"\nname = \"{name}\"\nevery = \"200ms\"\n{settings}\n"));
        sites.push(site);
    }
    std::fs::write(dir.join("vakt.toml"), text).unwrap();
    sites
}

/// Mentions in the store, or the rows of any question.
fn rows(dir: &Path, sql: &str) -> Vec<String> {
    let Ok(db) = rusqlite::Connection::open(dir.join("data/vakt.db")) else { return Vec::new() };
    let Ok(mut q) = db.prepare(sql) else { return Vec::new() };
    let n = q.column_count();
    let row = |r: &rusqlite::Row<'_>| {
        let cell = |i| match r.get_ref(i).unwrap() {
            rusqlite::types::ValueRef::Null => "-".to_owned(),
            rusqlite::types::ValueRef::Integer(n) => n.to_string(),
            rusqlite::types::ValueRef::Real(x) => x.to_string(),
            other => other.as_str().unwrap_or("?").replace('\n', " / "),
        };
        Ok((0..n).map(cell).collect::<Vec<_>>().join(" | "))
    };
    q.query_map([], row).unwrap().map(Result::unwrap).collect()
}

fn count(dir: &Path, which: &str) -> usize {
    rows(dir, &format!("SELECT id FROM mentions WHERE {which}")).len()
}

#[test]
fn every_kind_brings_its_mentions_with_their_facts() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (day, came) = day();
    let sites = start(&day, dir);
    write_rule(dir, "topics/acme.toml", "[[topic]]\nname = \"acme\"\nkind = \"brand\"\nquery = \"acme\"\n");
    write_rule(dir, "people.toml", PEOPLE);
    let alert = "[[alert]]\nname = \"many\"\ntopics = [\"acme\"]\nwindow = \"1h\"\ncondition = \"mentions >= 999\"\n\
        severity = \"watch\"\nescalation = \"pr\"\n";
    write_rule(dir, "alerts/acme.toml", alert);
    let mut daemon = Daemon::start(dir);
    // Of each place what was said an hour ago, as history; the lure has nothing.
    until(dir, "history of all twenty-four", || count(dir, "flags & 2") == 24);
    day.news.store(true, Ordering::SeqCst);
    // Two new things of twenty-three places. Every one of them stumbled first; three sessions had ended.
    until(dir, "news of all twenty-three", || count(dir, "NOT flags & 2") == 46);
    let facts = format!(
        "SELECT source, network, ({} - at) / 60000, url, title, text, author, handle, followers, verified, language, engagement, reach,
         kind, channel, country, tags, rating FROM mentions WHERE source <> 'busy' ORDER BY source, at DESC",
        day.ago(0).as_millisecond()
    );
    let facts =
        sites.iter().zip(KINDS).fold(rows(dir, &facts).join("\n"), |t, (s, (name, ..))| t.replace(&s.base, name));
    // The address of a message in Slack holds its time.
    insta::with_settings!({ filters => [(r"/p\d{10}000200", "/pTIME")] }, {
        insta::assert_snapshot!("facts", facts);
    });

    // The cursor survives: whoever is killed asks for what is new, and stores nothing twice.
    daemon.kill();
    let asked: Vec<usize> = sites.iter().map(|s| s.asked.load(Ordering::SeqCst)).collect();
    let mut daemon = Daemon::start(dir);
    let quiet = ["busy", "lure", "gdelt"];
    until(dir, "all are asked again", || {
        let of = |(site, before): (&Site, &usize)| site.asked.load(Ordering::SeqCst) > before + 2;
        sites.iter().zip(&asked).zip(KINDS).all(|(at, (name, ..))| quiet.contains(&name) || of(at))
    });
    assert_eq!(count(dir, "1"), 70);
    let hackernews = sites[3].paths.lock().unwrap();
    assert!(hackernews.iter().rev().take(2).all(|p| p.contains("numericFilters=created_at_i")), "{hackernews:?}");
    drop(hackernews);

    // What somebody changes is changed here too.
    day.edited.store(true, Ordering::SeqCst);
    until(dir, "the edit", || count(dir, "text LIKE 'It was the cat after all%'") == 1);
    assert_eq!(count(dir, "1"), 70);

    // A place that wants rest gets it, one that leads inside is not followed, and both are told in words.
    let said = ask(dir, &["sources", "list", "--json"]);
    let list: Vec<serde_json::Value> = serde_json::from_slice(&said.stdout).unwrap();
    let error = |name: &str| list.iter().find(|s| s["name"] == name).unwrap()["state"]["error"].to_string();
    assert!(error("busy").contains("left alone for"), "{}", error("busy"));
    assert!(error("lure").contains("allow_private"), "{}", error("lure"));
    assert_eq!(came.load(Ordering::SeqCst), 0, "somebody followed a stranger inside");
    let busy = &sites[KINDS.iter().position(|(name, ..)| *name == "busy").unwrap()];
    let told = busy.paths.lock().unwrap().len();
    std::thread::sleep(std::time::Duration::from_millis(600));
    assert_eq!(busy.paths.lock().unwrap().len(), told, "the busy place is left alone");
    assert!(daemon.stop().success());
    no_secret(dir);
}

#[test]
fn a_source_is_tried_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (day, came) = day();
    let _sites = start(&day, dir);
    let text =
        |said: &std::process::Output| String::from_utf8_lossy(&[&said.stdout[..], &said.stderr].concat()).into_owned();
    let said = ask(dir, &["sources", "try", "mastodon"]);
    let shown = text(&said);
    assert!(said.status.success() && shown.contains("My Acme kettle burned [Soot 60]"), "{shown}");
    assert!(
        shown.contains("followers 1200") && shown.contains("287 requests left") && shown.contains("Nothing was stored"),
        "{shown}"
    );
    let said = ask(dir, &["sources", "try", "appstore", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!((&json["mentions"][0]["rating"], &json["total"]), (&1.0.into(), &1.into()), "{json}");
    let said = ask(dir, &["sources", "try", "lure"]);
    assert!(said.status.code() == Some(1) && text(&said).contains("allow_private"), "{}", text(&said));
    // A secret that is wrong is told as such, in the place's own words.
    std::fs::write(dir.join("secrets/github"), "canary-wrong").unwrap();
    let said = ask(dir, &["sources", "try", "github"]);
    let shown = text(&said);
    assert!(
        said.status.code() == Some(1) && shown.contains("401: Bad credentials") && shown.contains("check the token"),
        "{shown}"
    );
    std::fs::write(dir.join("secrets/linkedin"), "canary-old").unwrap();
    let said = ask(dir, &["sources", "try", "linkedin"]);
    let shown = text(&said);
    assert!(
        said.status.code() == Some(1) && shown.contains("401: The token used in the request has expired"),
        "{shown}"
    );
    std::fs::write(dir.join("secrets/tiktok"), "canary-wrong").unwrap();
    let shown = text(&ask(dir, &["sources", "try", "tiktok"]));
    assert!(shown.contains("invalid_client") && shown.contains("check client_key and secret"), "{shown}");
    std::fs::remove_file(dir.join("secrets/github")).unwrap();
    let shown = text(&ask(dir, &["sources", "try", "github"]));
    assert!(shown.contains("cannot be read") && shown.contains("put the secret"), "{shown}");
    let said = ask(dir, &["sources", "try", "mastodn"]);
    assert!(said.status.code() == Some(2) && text(&said).contains("did you mean `mastodon`"), "{}", text(&said));
    assert!(!dir.join("data").exists(), "nothing is stored");
    assert_eq!(came.load(Ordering::SeqCst), 0);
}

#[test]
fn lists_of_feeds_come_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let settings = "data_dir = \"data\"\nsource_files = [\"feeds.toml\"]\n[[source]]\nkind = \"feed\"\nname = \"feed-7\"\nurl = \"https://f7.example/rss\"\n";
    std::fs::write(dir.join("vakt.toml"), settings).unwrap();
    let said = ask(dir, &["sources"]);
    assert!(
        said.status.code() == Some(2) && String::from_utf8_lossy(&said.stderr).contains("feeds.toml cannot be read")
    );
    std::fs::write(dir.join("feeds.toml"), "").unwrap();
    let outline = |n| format!("<outline text=\"Feed {n}\" xmlUrl=\"https://f{n}.example/rss\"/>");
    let list: String = (0..300).map(outline).collect();
    std::fs::write(dir.join("mine.opml"), format!("<opml version=\"2.0\"><body>{list}</body></opml>")).unwrap();
    let said = ask(dir, &["sources", "import", "mine.opml", "--into", "feeds.toml", "--every", "15m"]);
    let end = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success() && end.contains("299 feeds, 1 more were there already"), "{end}");
    let said = ask(dir, &["sources", "list", "--json"]);
    let all: Vec<serde_json::Value> = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!((all.len(), all[0]["standing"].as_str()), (300, Some("new")));
    let said = ask(dir, &["sources", "export"]);
    assert_eq!(String::from_utf8_lossy(&said.stdout).matches("xmlUrl=\"https://f").count(), 300);
    let said = ask(dir, &["sources", "import", "mine.opml"]);
    assert!(said.stdout.iter().all(u8::is_ascii_whitespace), "all are there already");
    // A mistake in the other file is told with its own place.
    std::fs::write(
        dir.join("feeds.toml"),
        "[[source]]\nkind = \"feed\"\nname = \"feed-7\"\nurl = \"https://x.example/\"\n",
    )
    .unwrap();
    let said = ask(dir, &["sources"]);
    let told = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(told.contains("two sources named `feed-7`") && told.contains("feeds.toml:3"), "{told}");
}

#[test]
fn an_address_becomes_a_source() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let feed = super::world::Feed::start();
    feed.publish("1", "Acme", "Ann");
    let settings = "data_dir = \"data\"\nsource_files = [\"more.toml\"]\n[fetch]\nallow_private = [\"127.0.0.0/8\"]\n";
    std::fs::write(dir.join("vakt.toml"), settings).unwrap();
    std::fs::write(dir.join("more.toml"), "").unwrap();
    let address = format!("http://{}/feed.json", feed.address);
    let said = ask(dir, &["sources", "add", &address, "--into", "more.toml"]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let written = std::fs::read_to_string(dir.join("more.toml")).unwrap();
    assert!(written.contains("# News: 1 entries") && written.contains("name = \"news\""), "{written}");
    assert!(ask(dir, &["sources", "try", "news"]).status.success());
    assert_eq!(ask(dir, &["sources", "add", "http://127.0.0.1:1/"]).status.code(), Some(1));
    assert_eq!(ask(dir, &["sources", "add", "ftp://x"]).status.code(), Some(2));
}

#[test]
fn a_feed_document_shows_what_it_yields() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let feed = "<rss version=\"2.0\"><channel><title>Acme &amp;amp; co</title><link>/home</link><language>sv</language><item><guid>1</guid>\
        <title>A &lt;b&gt;bold&lt;/b&gt; claim</title><link>/1</link><author>Ann</author><pubDate>Sun, 01 Nov 2026 10:00:00 GMT</pubDate>\
        <description>&lt;p&gt;It burns&lt;/p&gt;</description></item><item><title>cut";
    std::fs::write(dir.join("feed.xml"), feed).unwrap();
    std::fs::write(dir.join("page.html"), "<!DOCTYPE html><html></html>").unwrap();
    let said = ask(dir, &["sources", "parse", "feed.xml", "page.html", "--base", "https://a.example/", "--json"]);
    let lines: Vec<serde_json::Value> =
        String::from_utf8_lossy(&said.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((said.status.code(), lines.len()), (Some(1), 2));
    let (feed, entry) = (&lines[0], &lines[0]["entries"][0]);
    assert_eq!(
        (&feed["format"], &feed["title"], &feed["language"]),
        (&"rss".into(), &"Acme & co".into(), &"sv".into())
    );
    assert_eq!((&entry["title"], &entry["link"]), (&"A bold claim".into(), &"https://a.example/1".into()), "{feed}");
    assert_eq!((&entry["text"], &entry["html"]), (&"It burns".into(), &"<p>It burns</p>".into()));
    assert_eq!((&entry["published"], &entry["author"]), (&"2026-11-01T10:00:00Z".into(), &"Ann".into()));
    assert!(feed["degraded"].as_array().is_some_and(|d| d.len() == 2), "{feed}");
    assert!(lines[1]["error"].as_str().is_some_and(|e| e.contains("HTML page")), "{}", lines[1]);
    let said = ask(dir, &["sources", "parse", "feed.xml"]);
    assert!(said.status.success() && String::from_utf8_lossy(&said.stdout).contains("A bold claim"));
}

/// No secret stands in the log, the store or what commands print.
fn no_secret(dir: &Path) {
    let mut text = std::fs::read_to_string(dir.join("vakt.log")).unwrap();
    for entry in std::fs::read_dir(dir.join("data")).unwrap().flatten().filter(|e| e.path().is_file()) {
        text.push_str(&String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()));
    }
    for words in [&["sources", "list"][..], &["sources", "list", "--json"], &["check"]] {
        let said = ask(dir, words);
        text.push_str(&String::from_utf8_lossy(&[said.stdout, said.stderr].concat()));
    }
    for secret in ["canary-", "jwt-early", "jwt-later", "PRIVATE KEY"] {
        assert!(!text.contains(secret), "{secret} is somewhere");
    }
}
