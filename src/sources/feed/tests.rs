//! Feeds in good and bad health, whole fetches, and the test corpora.
#![allow(clippy::disallowed_methods, reason = "servers of the tests run beside them")]

mod corpora;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;

use super::*;
use crate::sources::http::Limits;

pub(super) fn read(text: &str) -> Document {
    read_document(text.as_bytes(), None, "https://example.org/feed", "news", None).unwrap()
}

fn titles(document: &Document) -> Vec<&str> {
    document.captures.iter().map(|c| c.title.as_deref().unwrap_or("")).collect()
}

#[test]
fn reads_what_matters_of_rss() {
    let document = read(
        "<?xml version='1.0'?><rss version='2.0' xmlns:c='http://purl.org/rss/1.0/modules/content/'><channel>
         <title>News</title><language>sv-SE</language>
         <item><title>R&D &nbsp;grows</title><link>/a?x=1&amp;y=2</link><guid isPermaLink='false'>g1</guid>
         <description>short</description><c:encoded><![CDATA[<p>long & <b>bold</b></p>]]></c:encoded>
         <author>me@example.org (Åsa Ek)</author><pubDate>Sun, 01 Nov 2026 10:00:00 +0100</pubDate></item>
         <item><description>no id here</description></item></channel></rss>",
    );
    assert_eq!((document.title.as_deref(), document.language.as_deref()), (Some("News"), Some("sv-se")));
    let [first, second] = document.captures.as_slice() else { panic!("{document:?}") };
    assert_eq!(first.title.as_deref(), Some("R&amp;D \u{A0}grows"));
    assert_eq!(first.url.as_deref(), Some("https://example.org/a?x=1&y=2"));
    assert_eq!((first.native_id.as_deref(), first.author.name.as_str()), (Some("g1"), "Åsa Ek"));
    assert_eq!(first.text, "<p>long & <b>bold</b></p>");
    assert_eq!(first.published, Some("2026-11-01T09:00:00Z".parse().unwrap()));
    assert!(first.html && first.network == "news");
    assert_eq!((second.native_id.as_deref(), second.url.as_deref(), second.text.as_str()), (None, None, "no id here"));
    assert_eq!(document.degraded, None);
}

#[test]
fn reads_old_and_new_atom() {
    let document = read(
        "<feed version='0.3' xmlns='http://purl.org/atom/ns#' xml:lang='de'><title>Alt</title>
         <entry><title mode='escaped' type='text/html'>&lt;b&gt;Fett&lt;/b&gt;</title><id>1</id>
         <link rel='self' href='/self'/><link rel='alternate' type='text/html' href='/1'/>
         <issued>2026-11-01T10:00:00Z</issued><content type='application/xhtml+xml' mode='xml'><p>Text</p></content>
         </entry></feed>",
    );
    let [entry] = document.captures.as_slice() else { panic!("{document:?}") };
    assert_eq!((entry.title.as_deref(), entry.text.as_str()), (Some("<b>Fett</b>"), "<p>Text</p>"));
    assert_eq!(entry.url.as_deref(), Some("https://example.org/1"));
    assert_eq!(entry.language.as_deref(), Some("de"));
    assert!(entry.published.is_some());
    let document =
        read("<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>a &lt; b</title><id>x</id></entry></feed>");
    assert_eq!(document.captures[0].title.as_deref(), Some("a &lt; b"));
}

#[test]
fn reads_json_however_sloppy() {
    let document = read(
        r#"{"version": "https://jsonfeed.org/version/1", "title": "J", "authors": [{"name": "名前（foo@example.com）"}],
        "items": [{"id": 7, "url": "/7", "title": "A < B", "content_text": "1 < 2", "tags": "no list", "attachments": 3},
                  {"id": "8", "content_html": "<p>x</p>", "date_published": "2026-11-01T10:00:00Z"}, "no object"]}"#,
    );
    assert_eq!(document.captures.len(), 2);
    assert_eq!(document.captures[0].native_id.as_deref(), Some("7"));
    assert_eq!(document.captures[0].url.as_deref(), Some("https://example.org/7"));
    assert_eq!(document.captures[0].title.as_deref(), Some("A &lt; B"));
    assert_eq!(document.captures[0].text, "1 &lt; 2");
    assert_eq!(document.captures[1].author.name, "名前");
    assert_eq!(document.skipped_total, 1);
    let broken = read(r#"{"title": "J", "items": [{"id": "1", "title": "whole"}, {"id": "2", "ti"#);
    assert_eq!(titles(&broken), ["whole"]);
    assert!(broken.degraded.is_some());
}

#[test]
fn a_broken_document_gives_what_is_whole() {
    let good = "<item><title>one</title><dc:creator>Me</dc:creator></item>";
    let cut = format!("<rss><channel><language>fi</language>{good}<item><b></i></item>{good}<item><title>cut");
    let document = read(&cut);
    assert_eq!(titles(&document), ["one", "one"]);
    assert_eq!(document.captures[0].author.name, "Me");
    assert_eq!(document.captures[0].language.as_deref(), Some("fi"));
    assert_eq!(document.skipped_total, 2, "{:?}", document.skipped);
    assert!(document.degraded.is_some_and(|d| d.starts_with("2 of its items")));
    let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>a</title></entry><entry><title>b";
    assert_eq!(titles(&read(atom)), ["a"]);
}

#[test]
fn says_what_it_is_when_it_is_no_feed() {
    let wrong = |text: &str| read_document(text.as_bytes(), None, "https://example.org/x/", "news", None).unwrap_err();
    let page = "<!DOCTYPE html><html><head><link rel=alternate type='application/rss+xml' href='../rss?a&amp;b'></head></html>";
    let said = wrong(page).to_string();
    assert!(said.ends_with("the page names these feeds: https://example.org/rss?a&b"), "{said}");
    assert!(wrong("<html></html>").to_string().contains("names no feed"));
    assert_eq!(wrong(" \n"), DocumentError::Empty);
    assert!(matches!(wrong("<svg></svg>"), DocumentError::NoFeed(_)));
    assert!(matches!(wrong("hello"), DocumentError::NoFeed(_)));
    assert!(matches!(wrong("{\"a\": 1}"), DocumentError::NoFeed(_)));
}

#[test]
fn fields_and_items_are_bounded() {
    let item =
        format!("<item><title>{}</title><description>{}</description></item>", "å".repeat(5_000), "å".repeat(99_999));
    let document = read(&format!("<rss><channel>{item}</channel></rss>"));
    assert_eq!(document.captures[0].title.as_deref().unwrap().chars().count(), 1_000);
    assert_eq!(document.captures[0].text.len(), 64 * 1024);
    let many = format!("<rss><channel>{}</channel></rss>", "<item><title>x</title></item>".repeat(2_100));
    let document = read(&many);
    assert_eq!((document.captures.len(), document.skipped_total), (2_000, 100));
    assert_eq!(document.skipped, ["100 items: past the first 2000 items"]);
}

#[test]
fn hostile_documents_do_no_harm() {
    let laughs = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><rss><channel><item><title>&b;</title></item></channel></rss>";
    assert_eq!(titles(&read(laughs)), ["&amp;b;"]);
    let npt = "<rss xmlns:m='http://search.yahoo.com/mrss/' xmlns:i='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel><item>
        <title>t</title><i:duration>99999999999999999999999</i:duration><m:thumbnail url='x' time='99999999999999999999999'/>
        <m:text start='9999999999999999999:99:99'>x</m:text><i:author>“a@b.cc”</i:author></item></channel></rss>";
    assert_eq!(titles(&read(npt)), ["t"]);
    let deep = format!("<rss><channel><item><title>t</title>{}</item></channel></rss>", "<x>".repeat(100_000));
    drop(read(&deep));
    let wide = format!("<rss {}><channel/></rss>", (0..100_000).map(|n| format!("a{n}='1' ")).collect::<String>());
    drop(read(&wide));
    drop(read_document("[".repeat(1_000_000).as_bytes(), None, "x", "news", None));
    drop(read_document(format!("{{\"items\":{}", "[".repeat(1_000_000)).as_bytes(), None, "x", "news", None));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(body: Vec<u8>) {
        drop(read_document(&body, None, "https://example.org/", "news", None));
    }

    #[test]
    fn any_soup_of_feed_parts_is_read_without_panic(parts in proptest::collection::vec(proptest::sample::select(vec![
        "<rss>", "<rss version='2.0'>", "<feed xmlns='http://www.w3.org/2005/Atom'>", "<rdf:RDF>", "<channel>", "<item>", "</item>",
        "<entry>", "</entry>", "<title>", "</title>", "<title type='xhtml'>", "<author>", "</author>", "<name>", "<dc:creator>",
        "</dc:creator>", "“", "foo@bar.com", "é.", "&#64;", "&#x201C;", "（", "<![CDATA[", "]]>", "<!--", "-->", "&amp;", "&", "<",
        ">", "'", "\"", "<b>", "</b>", "<link href='x'/>", "<description>", "</description>", "<media:thumbnail time='9'/>",
        "<media:group>", "</media:group>", "</channel>", "</rss>", "</feed>", "<?x", "?>", "<!DOCTYPE", "\0", "\u{FFFE}", " ",
        "<itunes:author>", "<media:credit>", "<itunes:owner>", "<itunes:name>", "99999999999999999999", "xml:base='::'", "<pubDate>",
    ]), 0..40)) {
        drop(read_document(parts.concat().as_bytes(), None, "https://example.org/", "news", None));
    }
}

async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { drop(axum::serve(listener, app).await) });
    base
}

fn feed(url: String) -> Feed {
    Feed { url, network: "news".into(), language: None, allow: Allow::parse(["127.0.0.0/8"]).unwrap(), websub: false }
}

fn rss(ids: std::ops::Range<u32>) -> String {
    let items: String = ids.map(|n| format!("<item><guid>{n}</guid><title>t{n}</title></item>")).collect();
    format!("<rss version='2.0'><channel>{items}</channel></rss>")
}

#[tokio::test]
async fn a_fetch_keeps_validators_and_sees_gaps() {
    let now: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
    let round = Arc::new(AtomicUsize::new(0));
    let app = Router::new().route(
        "/f",
        get(move |headers: HeaderMap| {
            let n = round.fetch_add(1, Ordering::SeqCst);
            async move {
                let asked = headers.get("if-none-match").and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
                match n {
                    0 => ([("etag", "\"a\"")], rss(0..10)).into_response(),
                    1 if asked == "\"a\"" => StatusCode::NOT_MODIFIED.into_response(),
                    2 if asked.is_empty() => ([("etag", "\"b\"")], rss(8..12)).into_response(),
                    3 => ([("etag", "\"c\"")], rss(20..30)).into_response(),
                    4 => ([("etag", "\"d\"")], rss(25..31).replace("</channel></rss>", "<item>")).into_response(),
                    _ => StatusCode::IM_A_TEAPOT.into_response(),
                }
            }
        }),
    );
    let feed = feed(format!("{}/f", serve(app).await));
    let http = Http::new("", Limits::default()).unwrap();
    let first = feed.fetch(&http, &FeedCursor::default(), now).await.unwrap();
    assert_eq!((first.captures.len(), first.fresh, first.gap), (10, 10, false));
    let second = feed.fetch(&http, &first.cursor, now + Span::mins(5)).await.unwrap();
    assert!(second.not_modified);
    let third = feed.fetch(&http, &second.cursor, now + Span::hours(25)).await.unwrap();
    assert_eq!((third.fresh, third.gap), (2, false));
    let fourth = feed.fetch(&http, &third.cursor, now + Span::hours(26)).await.unwrap();
    assert!(fourth.gap);
    assert_eq!(fourth.cursor.etag.as_deref(), Some("\"c\""));
    let fifth = feed.fetch(&http, &fourth.cursor, now + Span::hours(27)).await.unwrap();
    assert!(fifth.degraded.is_some() && !fifth.gap);
    assert_eq!((fifth.captures.len(), fifth.cursor.etag.as_deref()), (6, None));
    let json = serde_json::to_string(&fifth.cursor).unwrap();
    assert_eq!(serde_json::from_str::<FeedCursor>(&json).unwrap(), fifth.cursor);
    assert_eq!(serde_json::from_str::<FeedCursor>("{}").unwrap(), FeedCursor::default());
}

#[tokio::test]
async fn a_move_is_believed_the_third_time() {
    let now: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
    let (asked, lost) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, gone) = (Arc::clone(&asked), Arc::clone(&lost));
    let app = Router::new()
        .route(
            "/old",
            get(move || {
                let n = counted.fetch_add(1, Ordering::SeqCst);
                async move {
                    if n < 3 {
                        (StatusCode::MOVED_PERMANENTLY, [("location", "/new")], "").into_response()
                    } else {
                        rss(0..3).into_response()
                    }
                }
            }),
        )
        .route(
            "/new",
            get(move || {
                let gone = gone.load(Ordering::SeqCst) > 0;
                async move { if gone { StatusCode::NOT_FOUND.into_response() } else { rss(0..3).into_response() } }
            }),
        );
    let feed = feed(format!("{}/old", serve(app).await));
    let http = Http::new("", Limits::default()).unwrap();
    let mut cursor = FeedCursor::default();
    for seen in [1, 2, 3, 3] {
        cursor = feed.fetch(&http, &cursor, now).await.unwrap().cursor;
        assert_eq!(cursor.moved_seen, seen);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    lost.store(1, Ordering::SeqCst);
    cursor = feed.fetch(&http, &cursor, now).await.unwrap().cursor;
    assert_eq!((cursor.moved_to.as_deref(), asked.load(Ordering::SeqCst)), (None, 4));
}
