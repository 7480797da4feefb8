//! Pages in good and bad shape, settings that are wrong, and whole fetches.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::config::Sheet;
use crate::config::fault::Fault;
use crate::sources::Limits;
use crate::sources::http::tests::{local, now, path, reply, serve};

const PRESS: &str = r#"<!DOCTYPE html><html lang="sv"><head><base href="/news/"><title>Press</title></head><body>
<nav><a href="/">Home</a></nav>
<ul id="list">
 <li class="news"><h2><a href="recall?utm_source=x">Acme &amp; co <em>recalls</em> kettles</a></h2>
  <time datetime="2026-10-31T08:00:00+01:00">i går</time><p class="by">Åsa  Ek</p>
  <div class="teaser"><p>They burn.<br>Some <b>bad</b>ly.</p><p>Return them</p></div><script>alert(1)</script></li>
 <li class="news"><h2>No link</h2><span class="when">30 oktober 2026 14:05</span><p>First
    line</p><style>p{}</style><p>second line</p></li>
 <li class="news"><h2><a href="javascript:alert(1)">Strange</a></h2><span class="when">soon</span></li>
 <li class="news"></li>
</ul></body></html>"#;

fn picks(item: &str) -> Picks {
    Picks {
        item: item.into(),
        title: None,
        link: None,
        date: None,
        text: None,
        author: None,
        formats: Vec::new(),
        zone: TimeZone::get("Europe/Stockholm").unwrap(),
        network: "news".into(),
        language: None,
    }
}

fn read_page(html: &str, picks: &Picks) -> Result<Document, String> {
    let url = Url::parse("https://u:canary@press.example/start").unwrap();
    document::read(html.as_bytes(), None, &url, picks, now())
}

#[test]
fn items_with_their_facts() {
    let some = |s: &str| Some(s.to_owned());
    let picks = Picks {
        date: some("time, .when"),
        text: some(".teaser, .teaser p"),
        author: some(".by"),
        ..picks("#list > .news")
    };
    let document = read_page(PRESS, &picks).unwrap();
    let [first, second, third] = document.captures.as_slice() else { panic!("{document:?}") };
    assert_eq!(first.title.as_deref(), Some("Acme & co recalls kettles"));
    assert_eq!(first.text, "They burn.\nSome badly.\nReturn them", "what stands within another is not read twice");
    assert_eq!(first.url.as_deref(), Some("https://press.example/news/recall?utm_source=x"));
    assert_eq!((first.author.name.as_str(), first.language.as_deref()), ("Åsa Ek", Some("sv")));
    assert_eq!(first.published.map(|t| t.to_string()).as_deref(), Some("2026-10-31T07:00:00Z"));
    assert_eq!(second.published.map(|t| t.to_string()).as_deref(), Some("2026-10-30T13:05:00Z"));
    assert_eq!(second.url.as_deref(), Some("https://press.example/start"), "without what lets vakt in");
    assert!(second.native_id.is_some() && second.native_id != third.native_id);
    assert_eq!((third.title.as_deref(), third.published), (Some("Strange"), None));
    assert_eq!((document.skipped_total, document.skipped[0].as_str()), (1, "item 4 holds neither title nor text"));
    let odd = document.odd().unwrap();
    assert!(odd.starts_with("1 of 3 dates cannot be read, the first is `soon`"), "{odd}");
}

#[test]
fn what_is_not_told_is_guessed() {
    let document = read_page(PRESS, &picks(".news")).unwrap();
    assert_eq!(document.captures[0].title.as_deref(), Some("Acme & co recalls kettles"));
    assert_eq!(
        document.captures[0].text, "Åsa Ek\nThey burn.\nSome badly.\nReturn them",
        "title and date are told apart"
    );
    assert_eq!(document.captures[1].text, "30 oktober 2026 14:05\nFirst line\nsecond line");
    assert_eq!(document.odd(), None);
    // A list of links alone.
    let document =
        read_page("<ul><li><a class=x href='/1'>One</a><li><a class=x href='/2'>Two</a></ul>", &picks("a.x")).unwrap();
    assert_eq!(
        document.captures.iter().map(|c| (c.text.as_str(), c.url.as_deref().unwrap())).collect::<Vec<_>>(),
        [("One", "https://press.example/1"), ("Two", "https://press.example/2")]
    );
}

#[test]
fn addresses_that_are_not_their_own_tell_no_items_apart() {
    let item = |link: &str, words: &str| format!("<p class=i><a href='{link}'>{words}</a></p>");
    let ids = |page: &[(&str, &str)]| -> Vec<String> {
        let html: String = page.iter().map(|(link, words)| item(link, words)).collect();
        let document = read_page(&html, &picks(".i")).unwrap();
        document.captures.into_iter().filter_map(|c| c.native_id).collect()
    };
    let shared = ids(&[("/kettles", "One"), ("/kettles", "Two"), ("/3", "Three")]);
    assert!(shared[0] != shared[1] && !shared[0].contains("kettles"), "{shared:?}");
    assert_eq!(shared[2], "https://press.example/3");
    let itself = ids(&[("#", "One"), ("/start#two", "Two")]);
    assert!(itself[0] != itself[1] && itself.iter().all(|id| !id.contains("press.example")), "{itself:?}");
    assert_ne!(ids(&[("#", "Three")])[0], itself[0], "what is new is no edit of what was there");
}

#[test]
fn dates_as_pages_write_them() {
    let date = |html: &str, formats: &[&str]| {
        let formats = formats.iter().map(|f| (*f).to_owned()).collect();
        let page = format!("<p class=i>x <i class=d>{html}</i></p>");
        let picks = Picks { date: Some(".d, meta, time".into()), formats, ..picks(".i") };
        let document = read_page(&page, &picks).unwrap();
        (document.captures[0].published.map(|t| t.to_string()), document.odd().is_some())
    };
    let at = |text: &str| (Some(text.to_owned()), false);
    assert_eq!(date("Sat, 31 Oct 2026 09:00:00 +0200", &[]), at("2026-10-31T07:00:00Z"));
    assert_eq!(date("31.10.2026 09:00", &[]), at("2026-10-31T08:00:00Z"));
    assert_eq!(date("kl 9 den 31/10 -26", &["kl %k den %d/%m -%y"]), at("2026-10-31T08:00:00Z"));
    assert_eq!(date("10/31/2026", &["%m/%d/%Y"]), at("2026-10-30T23:00:00Z"));
    // Midnight of today was before anybody could see it: it is taken at arrival.
    assert_eq!(date("2026-11-01", &[]), (None, false));
    assert_eq!(date("now", &[]), (None, true));
    assert_eq!(date("", &[]), (None, false));
}

#[test]
fn a_page_that_changed_is_a_failure_in_words() {
    let why = read_page(PRESS, &picks(".story")).unwrap_err();
    assert!(why.starts_with("0 items by `.story`; did the page change?"), "{why}");
    let why = read_page("<p class=i></p><p class=i></p>", &picks(".i")).unwrap_err();
    assert!(why.starts_with("2 items by `.i`, and not one holds"), "{why}");
}

#[test]
fn other_charsets_are_read() {
    let latin = b"<meta charset=\"iso-8859-2\"><p class=i>\xBE\xE1dost</p>";
    let url = Url::parse("https://a.example/").unwrap();
    let document = document::read(latin, None, &url, &picks(".i"), now()).unwrap();
    assert_eq!(document.captures[0].text, "žádost");
}

#[test]
fn pages_made_to_take_for_ever_end() {
    // Each paragraph makes all that stand open anew: the tree grows with the square.
    let bomb: String = (0..20_000).map(|n| format!("<p><b id={n}>")).collect();
    let why = read_page(&bomb, &picks("p")).unwrap_err();
    assert!(why.contains("more than 500000 elements") || why.contains("s to read"), "{why}");
    let deep = format!("{}x", "<div class=i>".repeat(20_000));
    let why = read_page(&deep, &picks(".i")).unwrap_err();
    assert!(why.contains("512 deep") || why.contains("s to read"), "{why}");
    let wide: String = (0..600).map(|n| format!("<p class=i>item {n}</p>")).collect();
    let document = read_page(&wide, &picks(".i")).unwrap();
    assert_eq!(document.captures.len(), 500);
    assert!(document.odd().is_some_and(|told| told.contains("more than 500 items")));
}

proptest::proptest! {
    #[test]
    fn whatever_comes_is_read(html in "(<[a-z]{1,3}( class=i| href='[a-z:/]{0,9}')?>|</[a-z]{1,3}>|[ a-zå&;]{0,9}){0,30}") {
        drop(read_page(&html, &picks(".i, p")));
    }
}

fn faults(settings: &str) -> Vec<String> {
    let text = format!("[[source]]\nkind = \"page\"\nname = \"p\"\n{settings}");
    match crate::sources::read(&Sheet::new("vakt.toml", text), &[]) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(Fault::brief).collect(),
    }
}

#[test]
fn mistakes_are_told_where_they_stand() {
    let told = faults(
        "url = \"ftp://a.example\"\nitem = \"li[\"\ntitle = \"::\"\ndate_formats = [\"%~\"]\ntime_zone = \"Europe/Acme\"\n",
    );
    let all = told.join("\n");
    for part in [
        "no web address",
        "`item` is no CSS selector",
        "`title` is no CSS selector",
        "`%~` is no format",
        "no time zone",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert_eq!(told.len(), 5, "{all}");
    assert!(faults("url = \"https://a.example\"\n").join("").contains("no `item`"));
}

#[tokio::test]
async fn a_page_is_asked_as_its_site_wishes() {
    let shown = Arc::new(AtomicUsize::new(0));
    let turn = shown.clone();
    let (base, _) = serve(move |head| match (path(head), turn.load(Ordering::SeqCst)) {
        ("/robots.txt", _) => reply("200 OK", "", b"User-agent: vakt\nDisallow: /closed\n"),
        (_, _) if head.to_ascii_lowercase().contains("if-none-match: \"v1\"") => reply("304 Not Modified", "", b""),
        (_, 0) => reply("200 OK", "etag: \"v1\"\r\n", b"<p class=i>one</p><p class=i>two</p>"),
        (_, 1) => reply("200 OK", "", b"<p class=i>three</p><p class=i>two</p>"),
        (_, 2) => reply("200 OK", "", b"<p class=i>four</p>"),
        _ => reply("200 OK", "", b"<p class=j>five</p>"),
    })
    .await;
    let http = Http::new("", Limits::default()).unwrap();
    let page =
        |path: &str| Page { url: Url::parse(&format!("{base}{path}")).unwrap(), picks: picks(".i"), allow: local() };
    let open = page("/news");
    let mut cursor = serde_json::Value::Null;
    let fetch = async |cursor: &mut serde_json::Value, later: Span| {
        let brought = open.fetch(&http, cursor, now() + later).await?;
        *cursor = brought.cursor.clone();
        Ok::<_, FetchError>(brought)
    };
    let first = fetch(&mut cursor, Span::ZERO).await.unwrap();
    assert!(first.anew && first.captures.len() == 2 && !first.gap);
    let same = fetch(&mut cursor, Span::mins(5)).await.unwrap();
    assert!(!same.anew && same.captures.is_empty(), "it is asked with validators");
    shown.store(1, Ordering::SeqCst);
    let second = fetch(&mut cursor, Span::hours(25)).await.unwrap();
    assert!(second.captures.len() == 2 && !second.gap);
    shown.store(2, Ordering::SeqCst);
    assert!(fetch(&mut cursor, Span::hours(26)).await.unwrap().gap, "nothing of the last page is left");
    shown.store(3, Ordering::SeqCst);
    let failed = fetch(&mut cursor, Span::hours(27)).await.unwrap_err();
    assert!(failed.to_string().contains("/news: 0 items by `.i`"), "{failed}");
    let secret = base.replace("http://", "http://u:canary@");
    let secret = Page { url: Url::parse(&format!("{secret}/news")).unwrap(), picks: picks(".j"), allow: local() };
    let brought = secret.fetch(&http, &serde_json::Value::Null, now() + Span::hours(28)).await.unwrap();
    assert!(brought.anew && !brought.cursor.to_string().contains("canary"), "{}", brought.cursor);
    let closed = page("/closed/news");
    let refused = closed.fetch(&http, &serde_json::Value::Null, now()).await.unwrap_err();
    assert_eq!((refused.class(), refused.is_final()), ("robots", true));
}
