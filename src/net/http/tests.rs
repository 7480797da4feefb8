//! The client against real servers on this machine.
#![allow(clippy::disallowed_methods, reason = "servers of the tests run beside them")]

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

pub(crate) fn now() -> Timestamp {
    "2026-11-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn local() -> Allow {
    Allow::parse(["127.0.0.0/8"]).unwrap()
}

/// A server that answers each request with what `answer` makes of it, head and body; returns its address and a count.
pub(crate) async fn serve(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (count, answer) = (Arc::new(AtomicUsize::new(0)), Arc::new(answer));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (answer, counted) = (Arc::clone(&answer), Arc::clone(&counted));
            tokio::spawn(async move {
                let mut head = Vec::new();
                let mut buffer = [0; 4096];
                while !is_whole(&head) {
                    match socket.read(&mut buffer).await {
                        Ok(0) | Err(_) => return,
                        Ok(n) => head.extend_from_slice(&buffer[..n]),
                    }
                }
                counted.fetch_add(1, Ordering::SeqCst);
                let bytes = answer(&String::from_utf8_lossy(&head));
                if bytes.is_empty() {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                }
                drop(socket.write_all(&bytes).await);
                drop(socket.shutdown().await);
            });
        }
    });
    (base, count)
}

/// Whether head and body of a request are here.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

pub(crate) fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n", body.len())
            .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

pub(crate) fn path(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or("")
}

fn client(limits: Limits) -> Http {
    Http::new("https://example.org/bot", limits).unwrap()
}

async fn get(http: &Http, url: &str, allow: &Allow, etag: Option<&str>) -> Result<Response, FetchError> {
    http.get(Request { etag, accept: "*/*", ..Request::of(url, allow) }, now()).await
}

#[tokio::test]
async fn asks_conditionally_and_says_who_it_is() {
    let (base, _) = serve(|head| {
        let head = head.to_ascii_lowercase();
        assert!(head.contains("user-agent: vakt/") && head.contains("(+https://example.org/bot)"), "{head}");
        if head.contains("if-none-match: \"v1\"") {
            reply("304 Not Modified", "cache-control: public, max-age=120\r\n", b"")
        } else {
            reply("200 OK", "etag: \"v1\"\r\ncontent-type: Text/XML; charset=\"latin1\"\r\n", b"<rss/>")
        }
    })
    .await;
    let http = client(Limits::default());
    let Response::Fresh { body, content_type, charset, etag, moved_to, .. } =
        get(&http, &base, &local(), None).await.unwrap()
    else {
        panic!("expected a document")
    };
    assert_eq!((body.as_slice(), etag.as_deref()), (b"<rss/>".as_slice(), Some("\"v1\"")));
    assert_eq!((content_type.as_deref(), charset.as_deref(), moved_to), (Some("text/xml"), Some("latin1"), None));
    let again = get(&http, &base, &local(), etag.as_deref()).await.unwrap();
    assert_eq!(again, Response::NotModified { max_age: Some(Span::mins(2)) });
    assert_eq!(get(&http, &base, &local(), Some("bad\nvalue")).await.map(|_| ()).ok(), Some(()));
}

#[tokio::test]
async fn redirects_are_followed_within_bounds() {
    let (base, count) = serve(|head| match path(head) {
        "/old" => reply("301 Moved", "location: /older\r\n", b""),
        "/older" => reply("308 Moved", "location: new?x=1#f\r\n", b""),
        "/brief" => reply("302 Found", "location: /new\r\n", b""),
        "/loop" => reply("302 Found", "location: /loop\r\n", b""),
        "/inner" => reply("302 Found", "location: http://10.0.0.1/\r\n", b""),
        "/file" => reply("302 Found", "location: file:///etc/passwd\r\n", b""),
        "/bare" => reply("302 Found", "", b""),
        _ => reply("200 OK", "", b"ok"),
    })
    .await;
    let http = client(Limits::default());
    let ask = async |path: &str| get(&http, &format!("{base}{path}"), &local(), None).await;
    let moved = |r: Response| match r {
        Response::Fresh { moved_to, .. } => moved_to,
        Response::NotModified { .. } => panic!("expected a document"),
    };
    assert_eq!(moved(ask("/old").await.unwrap()), Some(format!("{base}/new?x=1")));
    assert_eq!(moved(ask("/brief").await.unwrap()), None);
    let before = count.load(Ordering::SeqCst);
    assert_eq!(ask("/loop").await.unwrap_err().class(), "redirect");
    assert_eq!(count.load(Ordering::SeqCst) - before, 6);
    let inner = ask("/inner").await.unwrap_err();
    assert_eq!((inner.class(), inner.is_final()), ("refused_address", true));
    assert_eq!(ask("/file").await.unwrap_err().class(), "redirect");
    assert_eq!(ask("/bare").await.unwrap_err().class(), "redirect");
}

#[tokio::test]
async fn closed_addresses_are_never_asked() {
    let (base, count) = serve(|_| reply("200 OK", "", b"secret")).await;
    let port = base.rsplit(':').next().unwrap();
    let http = client(Limits::default());
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "127.0.0.1.", "localhost", "[::ffff:127.0.0.1]", "0"] {
        let error =
            get(&http, &format!("http://u:p@{host}:{port}/x?key=secret"), &Allow::none(), None).await.unwrap_err();
        assert_eq!(error.class(), "refused_address", "{host}: {error:?}");
        assert!(!error.to_string().contains("secret") && !error.to_string().contains("u:p"), "{error}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
    // The same name, asked by a source that may: no connection or answer of one list serves another.
    assert!(get(&http, &format!("http://localhost:{port}/"), &local(), None).await.is_ok());
    assert!(get(&http, &format!("http://localhost:{port}/"), &Allow::none(), None).await.is_err());
    for url in ["file:///etc/passwd", "gopher://example.org/", "data:,x", "nonsense", ""] {
        let error = get(&http, url, &local(), None).await.unwrap_err();
        assert_eq!((error.class(), error.is_final()), ("address", true), "{url}");
    }
}

#[tokio::test]
async fn a_host_that_asks_for_rest_gets_it() {
    let (base, count) = serve(|head| match path(head) {
        "/busy" => reply("429 Too Many", "retry-after: 600\r\n", b""),
        _ => reply("200 OK", "", b"ok"),
    })
    .await;
    let http = client(Limits::default());
    let error = get(&http, &format!("{base}/busy"), &local(), None).await.unwrap_err();
    assert_eq!((error.class(), error.retry_after()), ("rate_limited", Some(Span::mins(10))));
    let error = get(&http, &format!("{base}/other"), &local(), None).await.unwrap_err();
    assert_eq!((error.class(), error.retry_after()), ("paused", Some(Span::mins(10))));
    assert_eq!(count.load(Ordering::SeqCst), 1);
    let (url, allow) = (format!("{base}/other"), local());
    let later = Request::of(&url, &allow);
    assert!(http.get(later, now() + Span::mins(10)).await.is_ok());
}

#[tokio::test]
async fn statuses_have_their_classes() {
    let (base, _) = serve(|head| reply(path(head).trim_start_matches('/'), "", b"")).await;
    let http = client(Limits::default());
    for (status, class, is_final) in [
        ("404", "status", false),
        ("410", "gone", true),
        ("401", "unauthorized", false),
        ("403", "unauthorized", false),
        ("500", "status", false),
        ("304", "status", false),
    ] {
        let error = get(&http, &format!("{base}/{status}"), &local(), None).await.unwrap_err();
        assert_eq!((error.class(), error.is_final()), (class, is_final), "{status}");
    }
}

#[tokio::test]
async fn bombs_are_cut_after_unpacking() {
    // Identity bodies are cut by the same count.
    let bomb = bomb(256 << 20);
    let (base, _) = serve(move |head| match path(head) {
        "/gzip" => reply("200 OK", "content-encoding: gzip\r\n", &bomb),
        _ => reply("200 OK", "", &vec![b'x'; 3 << 20]),
    })
    .await;
    let http = client(Limits { max_body: 1 << 20, ..Limits::default() });
    for path in ["/gzip", "/plain"] {
        let before = resident();
        let error = get(&http, &format!("{base}{path}"), &local(), None).await.unwrap_err();
        assert_eq!(error.class(), "too_large");
        assert!(resident().saturating_sub(before) < 100 << 20, "memory grew");
    }
}

/// So many equal bytes as gzip: one block of fixed codes that repeats the last byte 258 times in 13 bits.
fn bomb(length: usize) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let (mut held, mut count) = (0u32, 0);
    let mut put = |code: u32, length: u32, bytes: &mut Vec<u8>| {
        held |= code << count;
        count += length;
        while count >= 8 {
            bytes.push(held as u8);
            (held, count) = (held >> 8, count - 8);
        }
    };
    put(0b011, 3, &mut bytes);
    put(0b0000_1100, 8, &mut bytes);
    for _ in 0..length / 258 {
        put(0b1010_0011, 8, &mut bytes);
        put(0, 5, &mut bytes);
    }
    put(0, 7, &mut bytes);
    put(0, 7, &mut bytes);
    bytes
}

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0) * 4096
}

#[tokio::test]
async fn slow_servers_are_left() {
    let (base, _) = serve(|_| Vec::new()).await;
    let (half, _) = serve(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec()).await;
    let limits = Limits { headers: Span::millis(200), total: Span::millis(400), ..Limits::default() };
    let http = client(limits);
    let error = get(&http, &base, &local(), None).await.unwrap_err();
    assert!(matches!(error, FetchError::Timeout { phase: "headers", .. }), "{error:?}");
    assert_eq!(get(&http, &half, &local(), None).await.unwrap_err().class(), "broken");
}

#[tokio::test]
async fn nobody_there() {
    let http = client(Limits::default());
    let error = get(&http, "http://no-such-host.invalid/", &Allow::none(), None).await.unwrap_err();
    assert_eq!(error.class(), "dns", "{error:?}");
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(get(&http, &format!("http://{free}/"), &local(), None).await.unwrap_err().class(), "connect");
    // Plain text where TLS was expected.
    let (base, _) = serve(|_| reply("200 OK", "", b"ok")).await;
    let error = get(&http, &base.replace("http:", "https:"), &local(), None).await.unwrap_err();
    assert!(matches!(error.class(), "tls" | "connect" | "timeout"), "{error:?}");
}

#[tokio::test]
async fn one_host_is_asked_one_at_a_time() {
    let busy = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&busy);
    let (base, _) = serve(move |_| {
        assert_eq!(seen.fetch_add(1, Ordering::SeqCst), 0, "two at once");
        std::thread::sleep(Duration::from_millis(20));
        seen.fetch_sub(1, Ordering::SeqCst);
        reply("200 OK", "", b"ok")
    })
    .await;
    let http = client(Limits::default());
    let (allow, five) = (local(), [&base; 5]);
    let asked = futures_util::future::join_all(five.map(|url| get(&http, url, &allow, None))).await;
    assert!(asked.iter().all(Result::is_ok));
    assert!(get(&http, "http://no-such-host.invalid/", &allow, None).await.is_err());
    // Hosts that nobody waits for are forgotten once there are many.
    let mut hosts = Hosts::default();
    (0..1000).for_each(|n| drop(hosts.queue(&format!("h{n}.example"), 1)));
    assert!(hosts.queues.len() <= 64, "{}", hosts.queues.len());
}

#[test]
fn redirects_never_step_down_or_carry_passwords() {
    let answer = |location: &str| {
        let answer = axum::http::Response::builder().status(302).header("location", location).body("").unwrap();
        reqwest::Response::from(answer)
    };
    let from = Url::parse("https://me:pw@a.example/x").unwrap();
    let to = |location: &str| redirect(&from, &answer(location)).map(|to| to.map(String::from));
    assert_eq!(to("http://a.example/").unwrap_err().to_string(), "https://a.example/x redirects from https to http");
    assert_eq!(to("https://b.example/").unwrap().as_deref(), Some("https://b.example/"));
    assert_eq!(to("https://you:pw@b.example/").unwrap().as_deref(), Some("https://b.example/"));
    assert_eq!(to("/y").unwrap().as_deref(), Some("https://me:pw@a.example/y"));
    assert_eq!(to("//b.example/y").unwrap().as_deref(), Some("https://b.example/y"));
    assert!(to("ftp://a.example/").is_err());
    assert!(to("https://[::1").is_err());
}

#[tokio::test]
async fn a_secret_stays_with_its_host() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let (there, here) = (seen.clone(), seen.clone());
    let (stranger, _) = serve(move |head| {
        lock(&there).push(format!("stranger {}", head.to_ascii_lowercase()));
        reply("200 OK", "", b"ok")
    })
    .await;
    let away = format!("location: {stranger}/taken\r\n");
    let (base, _) = serve(move |head| {
        lock(&here).push(format!("{} {}", path(head), head.to_ascii_lowercase()));
        match path(head) {
            "/near" => reply("302 Found", "location: /here\r\n", b""),
            "/away" => reply("302 Found", &away, b""),
            _ => reply("200 OK", "x-ratelimit-remaining: 7\r\n", b"ok"),
        }
    })
    .await;
    let (http, allow) = (client(Limits::default()), local());
    let token = secrecy::SecretString::from("Bearer canary");
    let ask = async |url: String| {
        let request = Request { secret: Some(("authorization", &token)), ..Request::of(&url, &allow) };
        http.get(request, now()).await
    };
    let Response::Fresh { headers, .. } = ask(format!("{base}/near")).await.unwrap() else { panic!("a document") };
    assert_eq!(headers.quota(now()).map(|q| q.left), Some(7));
    ask(format!("{base}/away")).await.unwrap();
    let seen = lock(&seen).clone();
    let carried: Vec<bool> = seen.iter().map(|s| s.contains("authorization: bearer canary")).collect();
    assert_eq!(carried, [true, true, true, false], "{seen:?}");
    assert!(seen[3].starts_with("stranger"));
    let broken = secrecy::SecretString::from("can\nary");
    let request = Request { secret: Some(("authorization", &broken)), ..Request::of(&base, &allow) };
    let error = http.get(request, now()).await.unwrap_err().to_string();
    assert!(!error.contains("can\nary"), "{error}");
}

#[tokio::test]
async fn what_is_sent_goes_nowhere_else() {
    let (base, count) = serve(|head| match path(head) {
        "/moved" => reply("307 Moved", "location: /other\r\n", b""),
        _ if head.starts_with("POST") && head.contains("application/json") => reply("200 OK", "", b"json"),
        _ if head.starts_with("POST") && head.contains("form-urlencoded") => reply("200 OK", "", b"form"),
        _ => reply("400 Bad", "", b"{\"error\":\"no\"}"),
    })
    .await;
    let (http, allow) = (client(Limits::default()), local());
    let post = async |url: String, body: Body<'_>| http.post(Request::of(&url, &allow), body, now()).await;
    let body = |r: Response| match r {
        Response::Fresh { body, .. } => String::from_utf8(body).unwrap(),
        Response::NotModified { .. } => panic!("expected a document"),
    };
    let json = serde_json::json!({ "password": "canary" });
    assert_eq!(body(post(base.clone(), Body::Json(&json)).await.unwrap()), "json");
    assert_eq!(body(post(base.clone(), Body::Form("a=1")).await.unwrap()), "form");
    let before = count.load(Ordering::SeqCst);
    let error = post(format!("{base}/moved"), Body::Json(&json)).await.unwrap_err();
    assert_eq!((error.class(), count.load(Ordering::SeqCst) - before), ("redirect", 1));
    // What a refusal says comes along for whoever can read it, and is not shown.
    let error = get(&http, &base, &allow, None).await.unwrap_err();
    let FetchError::Status { status: 400, ref body, .. } = error else { panic!("{error:?}") };
    assert_eq!(body, b"{\"error\":\"no\"}");
    assert!(!error.to_string().contains("no\""), "{error}");
}

#[tokio::test]
async fn an_allowance_that_is_used_up_is_a_rest() {
    let (base, _) = serve(|head| match path(head) {
        "/spent" => reply("403 Forbidden", "x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 600\r\n", b""),
        _ => reply("403 Forbidden", "x-ratelimit-remaining: 9\r\n", b"why"),
    })
    .await;
    let http = client(Limits::default());
    let error = get(&http, &format!("{base}/closed"), &local(), None).await.unwrap_err();
    assert_eq!(error.class(), "unauthorized");
    let error = get(&http, &format!("{base}/spent"), &local(), None).await.unwrap_err();
    assert_eq!((error.class(), error.retry_after()), ("rate_limited", Some(Span::mins(10))));
    // A kind that reads such words in a body says it itself.
    let (http, url) = (client(Limits::default()), Url::parse(&base).unwrap());
    assert_eq!(http.rest(&url, 400, Span::secs(20), now()).retry_after(), Some(Span::secs(20)));
    assert_eq!(get(&http, &base, &local(), None).await.unwrap_err().retry_after(), Some(Span::secs(20)));
}
