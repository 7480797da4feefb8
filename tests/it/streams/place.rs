//! A place that keeps talking: each connection has a thread of its own, and everything that was said is remembered.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What all connections see: what was said, in order, and how many times everybody was cut off.
#[derive(Default)]
pub struct Said<T> {
    pub all: Vec<T>,
    pub cuts: usize,
    /// Paths that were asked for, in order.
    pub paths: Vec<String>,
}

/// The place.
pub struct Place<T> {
    pub base: String,
    said: Arc<(Mutex<Said<T>>, Condvar)>,
}

impl<T: Clone + Send + 'static> Place<T> {
    /// Serves at `127.0.0.host`; `serve` is called with each connection.
    pub fn start(host: u8, serve: impl Fn(TcpStream, Talk<T>) + Send + Sync + 'static) -> Place<T> {
        let listener = TcpListener::bind(format!("127.0.0.{host}:0")).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let said: Arc<(Mutex<Said<T>>, Condvar)> =
            Arc::new((Mutex::new(Said { all: Vec::new(), cuts: 0, paths: Vec::new() }), Condvar::new()));
        let (shared, serve) = (said.clone(), Arc::new(serve));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (talk, serve) = (Talk { said: shared.clone() }, serve.clone());
                std::thread::spawn(move || serve(stream, talk));
            }
        });
        Place { base, said }
    }

    /// Says something to everybody who listens.
    pub fn say(&self, what: T) {
        self.said.0.lock().unwrap().all.push(what);
        self.said.1.notify_all();
    }

    /// Cuts everybody off.
    pub fn cut(&self) {
        self.said.0.lock().unwrap().cuts += 1;
        self.said.1.notify_all();
    }

    pub fn paths(&self) -> Vec<String> {
        self.said.0.lock().unwrap().paths.clone()
    }
}

/// What one connection sees of what is said.
pub struct Talk<T> {
    said: Arc<(Mutex<Said<T>>, Condvar)>,
}

impl<T: Clone> Talk<T> {
    pub fn note(&self, path: &str) {
        self.said.0.lock().unwrap().paths.push(path.to_owned());
    }

    pub fn all(&self) -> Vec<T> {
        self.said.0.lock().unwrap().all.clone()
    }

    /// Hands over what is said from a place in it on, until everybody is cut off or `hand` fails.
    pub fn listen(&self, from: usize, mut hand: impl FnMut(Option<&T>) -> bool) {
        let (lock, bell) = &*self.said;
        let mut next = from;
        let cuts = lock.lock().unwrap().cuts;
        loop {
            let new: Vec<T> = {
                let said = lock.lock().unwrap();
                let waits = |s: &mut Said<T>| s.cuts == cuts && s.all.len() <= next;
                let (said, _) = bell.wait_timeout_while(said, Duration::from_millis(200), waits).unwrap();
                if said.cuts != cuts {
                    return;
                }
                said.all[next.min(said.all.len())..].to_vec()
            };
            next += new.len();
            // A sign of life where nothing is said.
            let well = if new.is_empty() { hand(None) } else { new.iter().all(|one| hand(Some(one))) };
            if !well {
                return;
            }
        }
    }
}

/// Head and body of a request.
pub fn read(stream: &mut TcpStream) -> Option<(String, String)> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut all = Vec::new();
    let mut buffer = [0u8; 8192];
    loop {
        let n = stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
        all.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&all).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some((head.to_owned(), body.to_owned()));
        }
    }
}

/// The path of a request's head.
pub fn path(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or("")
}

/// A whole answer.
pub fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    // A reader that was killed is no concern of the place.
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).ok();
    stream.shutdown(Shutdown::Both).ok();
}

/// The head of an answer that goes on, and its pieces.
pub fn begin(stream: &mut TcpStream, media: &str) -> bool {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {media}\r\ntransfer-encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).is_ok()
}

pub fn piece(stream: &mut TcpStream, text: &str) -> bool {
    stream.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).is_ok()
}
