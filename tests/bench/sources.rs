//! What it costs to ask: conditional GETs beside the bare client, hosts of which some are dead or slow, ten thousand feeds, and
//! reading documents beside feed-rs alone. `cargo bench --bench sources -- [gets] [hosts] [many] [parse] [SECONDS]`, all four without a word.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::string_slice, missing_docs)]

#[path = "measure.rs"]
#[allow(dead_code)]
mod measure;
#[path = "../it/world.rs"]
#[allow(dead_code)]
mod world;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use measure::{quantiles, usage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use vakt::net::Allow;
use vakt::net::http::{Http, Limits, Request, Response};
use vakt::sources::feed::read_document;
use world::{Daemon, free_port, get, until};

/// When each path was asked.
type Asked = Arc<Mutex<Vec<(String, i64)>>>;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    if words.first().is_some_and(|w| w == "serve") {
        return runtime().block_on(async {
            let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
            println!("{}", listener.local_addr().unwrap().port());
            serve(listener, Asked::default()).await;
        });
    }
    let seconds = words.iter().find_map(|w| w.parse::<u64>().ok());
    let named = words.iter().any(|w| w.parse::<u64>().is_err());
    let asked = |word: &str| !named || words.iter().any(|w| w == word);
    if asked("gets") {
        gets();
    }
    if asked("parse") {
        parse();
    }
    if asked("hosts") {
        hosts(seconds.unwrap_or(240));
    }
    if asked("many") {
        many(seconds.unwrap_or(600));
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Feeds of ten items each; whoever knows the tag is told that nothing changed. What is called slow never answers.
async fn serve(listener: TcpListener, asked: Asked) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, asked.clone()));
    }
}

async fn answer(mut stream: TcpStream, asked: Asked) {
    let mut request = vec![0u8; 4096];
    while let Ok(n @ 1..) = stream.read(&mut request).await {
        let text = String::from_utf8_lossy(&request[..n]);
        let path = text.split_whitespace().nth(1).unwrap_or("/").to_owned();
        asked.lock().unwrap().push((path.clone(), jiff::Timestamp::now().as_millisecond()));
        if path.starts_with("/slow") {
            tokio::time::sleep(Duration::from_secs(120)).await;
            return;
        }
        let answer = if text.contains("if-none-match: \"a\"") {
            "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n".to_owned()
        } else {
            let (body, kind) = (feed(&path, 10), "application/rss+xml");
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\netag: \"a\"\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn feed(path: &str, items: usize) -> String {
    let item = |i: usize| {
        format!(
            "<item><guid>{path}-{i}</guid><title>Item {i} of {path}</title><link>https://news.example{path}/{i}</link><pubDate>Tue, 10 Mar 2026 09:{:02}:00 GMT</pubDate><description><![CDATA[<p>{}</p>]]></description></item>",
            i % 60,
            "Nothing to see here, moving on to the <b>next</b> thing &amp; the one after it. ".repeat(35)
        )
    };
    let items: String = (0..items).map(item).collect();
    format!("<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>Feed {path}</title>{items}</channel></rss>")
}

/// The server as a process of its own, so that what it costs is not counted.
struct Server(Child, u16);

impl Server {
    fn start() -> Server {
        let mut child =
            Command::new(std::env::current_exe().unwrap()).arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Server(child, line.trim().parse().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The address of one of many hosts on loopback.
fn host(n: usize) -> String {
    format!("127.{}.{}.{}", 1 + n / 40_000, n / 200 % 200, 1 + n % 200)
}

const GETS: usize = 20_000;
const HOSTS: usize = 200;

/// Seconds of processor time that work takes in this process.
fn cost(work: impl std::future::Future<Output = ()>) -> f64 {
    let before = usage(std::process::id()).0;
    runtime().block_on(work);
    usage(std::process::id()).0 - before
}

fn gets() {
    let server = Server::start();
    let urls: Vec<String> = (0..HOSTS).map(|n| format!("http://{}:{}/{n}", host(n), server.1)).collect();
    let allow = Allow::parse(["127.0.0.0/8"]).unwrap();
    println!("== gets: {GETS} conditional GETs to {HOSTS} hosts, answered with 304");
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        ours.push(cost(async {
            let http = Http::new("bench", Limits::default()).unwrap();
            let all = (0..GETS).map(|n| {
                let (http, url, allow) = (&http, &urls[n % HOSTS], &allow);
                async move {
                    let request = Request { etag: Some("\"a\""), ..Request::of(url, allow) };
                    let answer = http.get(request, jiff::Timestamp::now()).await.unwrap();
                    assert!(matches!(answer, Response::NotModified { .. }));
                }
            });
            futures_util::stream::iter(all).buffer_unordered(64).collect::<Vec<()>>().await;
        }));
        bare.push(cost(async {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let all = (0..GETS).map(|n| {
                let (client, url) = (&client, &urls[n % HOSTS]);
                async move {
                    let answer = client.get(url).header("if-none-match", "\"a\"").send().await.unwrap();
                    assert_eq!(answer.status(), 304);
                }
            });
            futures_util::stream::iter(all).buffer_unordered(64).collect::<Vec<()>>().await;
        }));
    }
    let per = |all: &[f64]| {
        let mut all = all.to_vec();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2] / GETS as f64 * 1e6
    };
    let (ours, bare) = (per(&ours), per(&bare));
    println!(
        "ours {ours:.1} µs of CPU each ({:.0} a second and core), the bare client {bare:.1}: {:.2} times (bound 1.3)\n",
        1e6 / ours,
        ours / bare
    );
}

fn parse() {
    let document = feed("/news", 50);
    println!("== parse: a feed of 50 items with bodies in CDATA, {} bytes", document.len());
    let (mut ours, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        let time = |work: &dyn Fn() -> usize| {
            let began = Instant::now();
            (0..200).for_each(|_| assert_eq!(work(), 50));
            began.elapsed().as_secs_f64() / 200.0 * 1e6
        };
        ours.push(time(&|| {
            read_document(document.as_bytes(), None, "https://news.example/", "news", None).unwrap().captures.len()
        }));
        alone.push(time(&|| feed_rs::parser::parse(document.as_bytes()).unwrap().entries.len()));
    }
    ours.sort_by(f64::total_cmp);
    alone.sort_by(f64::total_cmp);
    println!(
        "with charset, mending and plain texts {:.0} µs, feed-rs alone {:.0} µs: {:.2} times\n",
        ours[3],
        alone[3],
        ours[3] / alone[3]
    );
}

/// A daemon with so many feeds, one in ten of them dead or slow where that is asked.
fn start(dir: &Path, feeds: usize, port: u16, every: &str, dead: bool) -> (Daemon, SocketAddr) {
    let api = free_port();
    let mut settings = format!(
        "data_dir = \"data\"\nrules_dir = \"{}\"\n[http]\nlisten = \"127.0.0.1:{api}\"\n[fetch]\nmin_interval = \"{every}\"\nmax_interval = \"{every}\"\nallow_private = [\"127.0.0.0/8\"]\n",
        Path::new(env!("CARGO_MANIFEST_DIR")).join("rules").display()
    );
    for n in 0..feeds {
        let (what, port) = match n % 20 {
            3 if dead => ("slow", port),
            // Nobody listens there.
            13 if dead => ("dead", 9),
            _ => ("feed", port),
        };
        settings.push_str(&format!(
            "[[source]]\nkind = \"feed\"\nname = \"f{n}\"\nurl = \"http://{}:{port}/{what}/{n}\"\nevery = \"{every}\"\n",
            host(n)
        ));
    }
    std::fs::write(dir.join("vakt.toml"), settings).unwrap();
    let daemon = Daemon::start(dir);
    let address: SocketAddr = format!("127.0.0.1:{api}").parse().unwrap();
    until(dir, "ready", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    (daemon, address)
}

/// A server in this process, and when what was asked of it.
fn own_server() -> (u16, Asked) {
    let listener = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let (port, asked) = (listener.local_addr().unwrap().port(), Asked::default());
    let log = asked.clone();
    std::thread::spawn(move || {
        runtime().block_on(async { serve(TcpListener::from_std(listener).unwrap(), log).await });
    });
    (port, asked)
}

/// How much later than they were due feeds are asked, in milliseconds, once the first round is over. A due time is seen in the
/// store before it comes.
fn lags(dir: &Path, asked: &Asked, seconds: u64) -> Vec<f64> {
    let db = rusqlite::Connection::open(dir.join("data/vakt.db")).unwrap();
    let mut due: HashMap<String, Vec<i64>> = HashMap::new();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(seconds) {
        let mut q = db.prepare_cached("SELECT name, due FROM sources").unwrap();
        let rows = q.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?))).unwrap();
        for (name, at) in rows.map(Result::unwrap) {
            let known = due.entry(name).or_default();
            if known.last() != Some(&at) {
                known.push(at);
            }
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    let mut out = Vec::new();
    for (path, at) in asked.lock().unwrap().iter() {
        let Some(n) = path.strip_prefix("/feed/") else { continue };
        let of = due.get(&format!("f{n}")).into_iter().flatten();
        let before = of.filter(|due| **due <= *at + 5).max();
        out.extend(before.map(|due| (at - due) as f64).filter(|lag| *lag < 60_000.0));
    }
    out
}

fn hosts(seconds: u64) {
    const FEEDS: usize = 1000;
    let dir = tempfile::tempdir().unwrap();
    let (port, asked) = own_server();
    let (mut daemon, _) = start(dir.path(), FEEDS, port, "1m", true);
    println!("== hosts: {FEEDS} feeds every minute, 50 hosts dead and 50 that never answer, {seconds} s");
    std::thread::sleep(Duration::from_secs(30));
    asked.lock().unwrap().clear();
    let lags = lags(dir.path(), &asked, seconds);
    println!("{} fetches of the others, later than due by:  {}  (p99 5 s asked)\n", lags.len(), quantiles(lags));
    daemon.stop();
}

fn many(seconds: u64) {
    const FEEDS: usize = 10_000;
    let dir = tempfile::tempdir().unwrap();
    let (port, asked) = own_server();
    let began = Instant::now();
    let (mut daemon, _) = start(dir.path(), FEEDS, port, "5m", false);
    while asked.lock().unwrap().len() < FEEDS {
        assert!(began.elapsed() < Duration::from_secs(900), "only {} were asked", asked.lock().unwrap().len());
        std::thread::sleep(Duration::from_millis(200));
    }
    println!(
        "== many: {FEEDS} feeds every 5 minutes; first asked, 100,000 items, within {:.0} s",
        began.elapsed().as_secs_f64()
    );
    std::thread::sleep(Duration::from_secs(60));
    asked.lock().unwrap().clear();
    let (before, _) = usage(daemon.0.id());
    let lags = lags(dir.path(), &asked, seconds);
    let (after, peak) = usage(daemon.0.id());
    println!(
        "{} fetches in {seconds} s: {:.1} % of a core; later than due by  {};  peak of resident memory {peak:.0} MiB (256 asked)\n",
        lags.len(),
        (after - before) / seconds as f64 * 100.0,
        quantiles(lags)
    );
    daemon.stop();
}
