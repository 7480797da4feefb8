//! The places of the recording: three feeds served on loopback, and somebody who pushes.

use std::fmt::Write;
use std::net::SocketAddr;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::recording::{Item, Recording};
use crate::ground::Clock;

/// Items that a feed shows.
const SHOWN: usize = 60;

#[derive(Clone)]
struct Places {
    recording: Recording,
    clock: Clock,
}

/// Serves the three feeds until the process ends; says where.
pub(super) async fn serve_feeds(recording: Recording, clock: Clock) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen on loopback")?;
    let address = listener.local_addr()?;
    let app = Router::new()
        .route("/news.rss", get(news))
        .route("/forum.atom", get(forum))
        .route("/blogs.json", get(blogs))
        .with_state(Places { recording, clock });
    #[expect(clippy::disallowed_methods, reason = "the demo's own little world is no part of the daemon")]
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

/// A feed with a validator, so that most answers are 304 as in the world.
fn answer(headers: &HeaderMap, kind: &str, items: &[&Item], body: impl FnOnce() -> String) -> Response {
    let tag = format!("\"{}\"", items.first().map_or(0, |i| i.number));
    if headers.get(header::IF_NONE_MATCH).is_some_and(|t| t.as_bytes() == tag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::ETAG, tag)], body()).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn link(i: &Item) -> String {
    let path = if i.path.is_empty() { format!("/{}", i.number) } else { i.path.clone() };
    format!("https://{}{path}?n={}", i.site, i.number)
}

async fn news(State(p): State<Places>, headers: HeaderMap) -> Response {
    let items = p.recording.shown("news", p.clock.now(), SHOWN);
    answer(&headers, "application/rss+xml; charset=utf-8", &items, || {
        let mut out = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel><title>News</title><link>https://news.example/</link><description>News</description>\n",
        );
        for i in &items {
            let date = p.recording.time_of(i).strftime("%a, %d %b %Y %H:%M:%S +0000");
            // Writing to a string cannot fail.
            writeln!(
                out,
                "<item><title>{}</title><link>{}</link><guid isPermaLink=\"false\">news-{}</guid><dc:creator>{}</dc:creator><pubDate>{date}</pubDate><description><![CDATA[<p>{}</p>]]></description></item>",
                escaped(&i.title), escaped(&link(i)), i.number, escaped(&i.author), escaped(&i.text)
            )
            .ok();
        }
        out.push_str("</channel></rss>\n");
        out
    })
}

async fn forum(State(p): State<Places>, headers: HeaderMap) -> Response {
    let items = p.recording.shown("forum", p.clock.now(), SHOWN);
    answer(&headers, "application/atom+xml; charset=utf-8", &items, || {
        let mut out = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Forum</title><id>urn:forum</id><updated>2026-03-10T00:00:00Z</updated>\n",
        );
        for i in &items {
            let date = p.recording.time_of(i);
            writeln!(
                out,
                "<entry xml:lang=\"{}\"><title>{}</title><id>urn:forum:{}</id><link href=\"{}\"/><author><name>{}</name></author><published>{date}</published><updated>{date}</updated><content type=\"text\">{}</content></entry>",
                i.language, escaped(&i.title), i.number, escaped(&link(i)), escaped(&i.author), escaped(&i.text)
            )
            .ok();
        }
        out.push_str("</feed>\n");
        out
    })
}

async fn blogs(State(p): State<Places>, headers: HeaderMap) -> Response {
    let items = p.recording.shown("blogs", p.clock.now(), SHOWN);
    answer(&headers, "application/feed+json", &items, || {
        let list: Vec<_> = items
            .iter()
            .map(|i| {
                serde_json::json!({
                    "id": format!("blog-{}", i.number), "url": link(i), "title": i.title, "content_text": i.text,
                    "date_published": p.recording.time_of(i).to_string(), "authors": [{ "name": i.author }],
                    "language": i.language,
                })
            })
            .collect();
        serde_json::json!({ "version": "https://jsonfeed.org/version/1.1", "title": "Blogs", "items": list })
            .to_string()
    })
}

/// Somebody who pushes mentions over HTTP, as a collector of social networks would.
pub(super) struct Pusher {
    address: SocketAddr,
    token: &'static str,
}

impl Pusher {
    pub(super) fn new(address: SocketAddr, token: &'static str) -> Pusher {
        Pusher { address, token }
    }

    /// Pushes mentions and waits until they are taken.
    pub(super) async fn push(&self, mentions: &[serde_json::Value]) -> anyhow::Result<()> {
        if mentions.is_empty() {
            return Ok(());
        }
        let body = serde_json::to_string(mentions)?;
        let request = format!(
            "POST /api/v1/mentions?source=social HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            self.token,
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        anyhow::ensure!(
            answer.starts_with("HTTP/1.1 200"),
            "a push was refused: {}",
            answer.lines().next().unwrap_or("")
        );
        Ok(())
    }
}
