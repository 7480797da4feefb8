//! A place on loopback that speaks an API: one address of its own each, as the polite client counts by host.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use serde_json::Value;

/// A request as it came.
pub struct Asked {
    /// Path and query.
    pub path: String,
    /// The whole head, lower case.
    pub head: String,
    pub body: String,
}

/// An answer.
pub struct Said {
    pub status: u16,
    pub headers: String,
    pub body: Value,
}

impl Said {
    pub fn ok(body: Value) -> Said {
        Said { status: 200, headers: String::new(), body }
    }

    pub fn with(self, name: &str, value: &str) -> Said {
        Said { headers: format!("{}{name}: {value}\r\n", self.headers), ..self }
    }

    pub fn refused(status: u16, body: Value) -> Said {
        Said { status, headers: String::new(), body }
    }
}

/// What all places know of the day: the hour that it began, and whether there is news yet.
pub struct Day {
    pub began: Timestamp,
    pub news: AtomicBool,
    /// Somebody has changed what they said.
    pub edited: AtomicBool,
    /// A place inside somebody's own network, which nobody may ask.
    pub canary: String,
}

impl Day {
    pub fn is_news(&self) -> bool {
        self.news.load(Ordering::SeqCst)
    }

    /// The instant so many minutes before the day began.
    pub fn ago(&self, minutes: i64) -> Timestamp {
        let second = self.began.as_second();
        Timestamp::from_second(second).unwrap() - minutes.minutes()
    }
}

/// How a place answers; it is told its own address.
pub type Speak = fn(&Asked, &Day, &str) -> Said;

/// A place.
pub struct Site {
    /// `http://127.0.0.N:PORT`
    pub base: String,
    pub asked: Arc<AtomicUsize>,
    /// What it was asked, in order.
    pub paths: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// Serves at `127.0.0.host`. The first question after there is news fails, as it does in the world.
    pub fn start(host: u8, day: &Arc<Day>, speak: Speak) -> Site {
        let listener = TcpListener::bind(format!("127.0.0.{host}:0")).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (asked, paths): (Arc<AtomicUsize>, Arc<Mutex<Vec<String>>>) = Default::default();
        let (counted, noted, day, own) = (asked.clone(), paths.clone(), day.clone(), base.clone());
        std::thread::spawn(move || {
            let mut stumbled = false;
            for mut stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                let Some(asked) = read(&mut stream) else { continue };
                noted.lock().unwrap().push(asked.path.clone());
                let said = match day.is_news() && !std::mem::replace(&mut stumbled, day.is_news()) {
                    true => Said::refused(502, serde_json::json!({ "message": "the gateway is tired" })),
                    false => speak(&asked, &day, &own),
                };
                write(&mut stream, &said);
            }
        });
        Site { base, asked, paths }
    }
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    let mut all = Vec::new();
    let mut buffer = [0u8; 8192];
    loop {
        let n = stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
        all.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&all);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_owned();
        let lower = head.to_lowercase();
        let length = lower.lines().find_map(|l| l.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        if body.len() >= length.unwrap_or(0) {
            let path = head.split(' ').nth(1)?.to_owned();
            return Some(Asked { path, head: lower, body: body.to_owned() });
        }
    }
}

fn write(stream: &mut TcpStream, said: &Said) {
    // A text is a page as it is; everything else is JSON.
    let body = said.body.as_str().map_or_else(|| said.body.to_string(), str::to_owned);
    let head = format!(
        "HTTP/1.1 {} X\r\ncontent-type: application/json\r\n{}content-length: {}\r\nconnection: close\r\n\r\n",
        said.status,
        said.headers,
        body.len()
    );
    // A reader that was killed is no concern of the place.
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).ok();
}
