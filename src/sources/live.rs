//! Sources that stay connected: what they hear goes into a queue that has an end, and from there into the store together
//! with the place up to which they have heard.
//!
//! Whoever listens waits while the queue is full, and so does the place at the other end. Where a connection ends it is
//! opened again from the place that was stored last; what is told twice is known. A place that remembers nothing is asked
//! for what was missed once it is open again.

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{FetchError, Http};
use crate::model::Capture;

/// What was heard at once.
#[derive(Debug, Default)]
pub struct Heard {
    /// What was said.
    pub captures: Vec<Capture>,
    /// What was changed by its author; it is followed where it is known, and left alone where it is not.
    pub changed: Vec<Capture>,
    /// What was taken back, by the ids that the source gives to captures, or looks them up by.
    pub gone: Vec<String>,
    /// Accounts that were closed, by how all begins that the source looks theirs up by.
    pub closed: Vec<String>,
    /// Where to go on after it, in the source's own words; `None` where the place remembers nothing.
    pub cursor: Option<Value>,
    /// Something before it was missed.
    pub gap: bool,
}

impl Heard {
    /// Takes in what is said, by now: of what bears the same id it is the new words, and there it is again.
    pub fn say(&mut self, capture: Capture) {
        self.changed.retain(|c| !is_same(c, &capture));
        self.is_there(&capture);
        match self.captures.iter_mut().find(|c| is_same(c, &capture)) {
            Some(known) => *known = capture,
            None => self.captures.push(capture),
        }
    }

    /// Takes in what an author has changed: what has just been said is new all the same.
    pub fn change(&mut self, capture: Capture) {
        self.is_there(&capture);
        match self.captures.iter_mut().chain(&mut self.changed).find(|c| is_same(c, &capture)) {
            Some(known) => *known = capture,
            None => self.changed.push(capture),
        }
    }

    /// Takes in what was heard later.
    pub fn then(&mut self, more: Heard) {
        more.captures.into_iter().for_each(|c| self.say(c));
        more.changed.into_iter().for_each(|c| self.change(c));
        self.gone.extend(more.gone);
        self.closed.extend(more.closed);
        self.cursor = more.cursor.or(self.cursor.take());
        self.gap |= more.gap;
    }

    fn is_there(&mut self, capture: &Capture) {
        self.gone.retain(|id| capture.native_id.as_ref() != Some(id));
    }
}

fn is_same(a: &Capture, b: &Capture) -> bool {
    a.native_id.is_some() && a.native_id == b.native_id
}

/// What a source that stays connected has to say.
#[derive(Debug)]
pub enum Said {
    /// It is connected from now on.
    Open,
    /// It has heard something.
    Heard(Heard),
}

/// Takes in what one connection hears.
#[derive(Debug)]
pub struct Ear {
    connection: u64,
    queue: mpsc::Sender<(u64, Said)>,
}

impl Ear {
    /// The ear of a connection, by its number.
    pub fn new(connection: u64, queue: mpsc::Sender<(u64, Said)>) -> Ear {
        Ear { connection, queue }
    }

    /// Says that the connection is open.
    pub async fn open(&self) {
        // Whoever closes the queue drops the listener as well.
        self.queue.send((self.connection, Said::Open)).await.ok();
    }

    /// Hands over what was heard; waits where the queue is full.
    pub async fn hear(&self, heard: Heard) {
        self.queue.send((self.connection, Said::Heard(heard))).await.ok();
    }
}

/// A connection that lasts until it ends, and then says why.
pub type Listening<'a> = Pin<Box<dyn Future<Output = FetchError> + Send + 'a>>;

/// How a source stays connected.
pub trait Live: Send + Sync {
    /// Connects, and listens from `cursor` on, which is null at first.
    fn listen<'a>(&'a self, http: &'a Http, cursor: &'a Value, ear: &'a Ear, now: Timestamp) -> Listening<'a>;

    /// Whether it hears everything that asking would find, so that asking is no more than a net below it.
    fn hears_all(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(id: Option<&str>, text: &str) -> Capture {
        Capture { native_id: id.map(str::to_owned), text: text.into(), ..Capture::default() }
    }

    fn texts(of: &[Capture]) -> Vec<&str> {
        of.iter().map(|c| c.text.as_str()).collect()
    }

    #[test]
    fn of_one_thing_what_it_says_last_counts() {
        let mut heard = Heard::default();
        heard.say(of(Some("a"), "one"));
        heard.say(of(None, "nameless"));
        heard.say(of(None, "nameless too"));
        heard.change(of(Some("a"), "two"));
        heard.change(of(Some("b"), "three"));
        assert_eq!(texts(&heard.captures), ["two", "nameless", "nameless too"], "an edit of what is new is new");
        assert_eq!(texts(&heard.changed), ["three"]);
        heard.then(Heard { captures: vec![of(Some("b"), "four")], ..Heard::default() });
        assert_eq!(texts(&heard.captures), ["two", "nameless", "nameless too", "four"]);
        assert!(heard.changed.is_empty());
    }

    #[test]
    fn what_is_taken_back_and_said_again_is_there() {
        let gone = |id: &str| Heard { gone: vec![id.into()], ..Heard::default() };
        let mut heard = gone("a");
        heard.then(gone("b"));
        heard.say(of(Some("a"), "again"));
        assert_eq!(heard.gone, ["b"]);
        heard.then(gone("a"));
        assert_eq!(heard.gone, ["b", "a"]);
    }
}
