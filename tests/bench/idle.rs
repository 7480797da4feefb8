//! What the daemon costs while nothing happens: 200 feeds on 200 hosts that answer 304, asked every minute.
//! `cargo bench --bench idle [-- SECONDS]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::string_slice, missing_docs)]

#[path = "../it/world.rs"]
#[allow(dead_code)]
mod world;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use world::{Daemon, free_port, get, until};

const FEEDS: usize = 200;
static ASKED: AtomicUsize = AtomicUsize::new(0);
static FRESH: AtomicUsize = AtomicUsize::new(0);

fn main() {
    let seconds = std::env::args().filter_map(|a| a.parse().ok()).next().unwrap_or(60);
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let feeds = serve();
    let port = free_port();
    let mut settings = format!(
        "data_dir = \"data\"\nrules_dir = \"{}\"\n[http]\nlisten = \"127.0.0.1:{port}\"\n[fetch]\nmin_interval = \"1m\"\nmax_interval = \"1m\"\n",
        Path::new(env!("CARGO_MANIFEST_DIR")).join("rules").display()
    );
    for n in 0..FEEDS {
        settings.push_str(&format!(
            "[[source]]\nkind = \"feed\"\nname = \"f{n}\"\nurl = \"http://127.0.{}.{}:{}/{n}\"\nevery = \"1m\"\nallow_private = [\"127.0.0.0/8\"]\n",
            1 + n / 100,
            1 + n % 100,
            feeds.port()
        ));
    }
    std::fs::write(dir.join("vakt.toml"), settings).unwrap();
    let mut daemon = Daemon::start(dir);
    let address: SocketAddr = format!("127.0.0.1:{port}").parse().unwrap();
    until(dir, "ready", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    until(dir, "every feed has been read", || FRESH.load(Ordering::Relaxed) >= FEEDS);
    std::thread::sleep(Duration::from_secs(5));
    let (before, asked) = (cpu(daemon.0.id()), ASKED.load(Ordering::Relaxed));
    std::thread::sleep(Duration::from_secs(seconds));
    let (after, asked) = (cpu(daemon.0.id()), ASKED.load(Ordering::Relaxed) - asked);
    println!(
        "{FEEDS} feeds, {asked} answered with 304 in {seconds} s: {:.2} % of a core (bound 1), {:.0} MiB resident (bound 60)",
        (after - before) / seconds as f64 * 100.0,
        resident(daemon.0.id())
    );
    daemon.stop();
}

fn cpu(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let rss = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    rss.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

/// Feeds of 30 items each; whoever knows the tag is told that nothing changed.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                stream.set_read_timeout(Some(Duration::from_secs(120))).ok();
                let mut request = [0u8; 4096];
                while let Ok(n @ 1..) = stream.read(&mut request) {
                    let text = String::from_utf8_lossy(&request[..n]).into_owned();
                    let path = text.split_whitespace().nth(1).unwrap_or("/").to_owned();
                    let answer = if text.contains("if-none-match: \"a\"") {
                        ASKED.fetch_add(1, Ordering::Relaxed);
                        "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n".to_owned()
                    } else {
                        FRESH.fetch_add(1, Ordering::Relaxed);
                        let body = feed(&path);
                        format!(
                            "HTTP/1.1 200 OK\r\ncontent-type: application/rss+xml\r\netag: \"a\"\r\ncontent-length: {}\r\n\r\n{body}",
                            body.len()
                        )
                    };
                    if stream.write_all(answer.as_bytes()).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

fn feed(path: &str) -> String {
    let items: String = (0..30)
        .map(|i| format!("<item><guid>{path}-{i}</guid><title>Item {i} of {path}</title><link>https://news.example{path}/{i}</link><description>Nothing to see here, moving on, number {i} of the feed at {path}.</description></item>"))
        .collect();
    format!("<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>Feed {path}</title>{items}</channel></rss>")
}
