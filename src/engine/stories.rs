//! Puts near-duplicates into one story: wire copies, reposts, quotes with a comment and copy-paste campaigns.
//!
//! Each text is filed under a few of the least hashes of its sketch. Two texts that have the part `j` in common share one
//! of these but for a chance of about `(1 − j)^8`. A shelf of the file holds so many places and never more, so a pair of
//! words that everybody writes costs no more than one that nobody does.

use jiff::Timestamp;

use crate::model::time::Span;
use crate::text::fingerprint::{Alike, Print};

/// How long after its last mention a story still takes copies.
pub const WINDOW: Span = Span::days(3);
/// Texts kept, at some 360 bytes each; one that was not copied lately goes when there are more.
pub const MOST: usize = 100_000;
/// A copy whose text has so much in common with a known one needs no place of its own.
const CLOSE: f32 = 0.8;
/// A story that goes on is noted in the store so often, so that it still does after a restart.
const RENEW: Span = Span::hours(12);

/// Hashes that a text is filed under, besides those of the whole and of its beginning.
const KEYS: usize = 8;
/// Places on a shelf, which is one line of the processor's cache; those of one key among them.
const PLACES: usize = 7;
const TURNS: u32 = 7;
const OF_ONE_KEY: usize = 2;
/// Texts that are compared with a new one at most.
const COMPARED: usize = 12;

/// The texts of the last days with their stories.
#[derive(Debug, Default)]
pub struct Stories {
    known: Vec<Known>,
    shelves: Vec<Shelf>,
    /// The next text to go, if it was not copied lately.
    hand: usize,
}

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its story.
    pub story: i64,
    /// It is to be kept in the store, so that copies of it are found after a restart.
    pub keep: bool,
}

/// What is looked at first lies in the first line of the cache.
#[derive(Debug)]
#[repr(C, align(64))]
struct Known {
    first: i64,
    last: i64,
    print: Print,
    story: i64,
    /// When the store was told of it last.
    kept: i64,
    /// It was copied since the hand passed it.
    copied: bool,
}

impl Known {
    /// Whether an instant is near enough for the story; mentions are told late, and archives in any order.
    fn is_near(&self, at: i64) -> bool {
        let window = WINDOW.as_millis();
        at.saturating_sub(self.last) <= window && self.first.saturating_sub(at) <= window
    }
}

/// Keys with the texts filed under them; a place is the number of the text plus one.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Shelf {
    keys: [u32; PLACES],
    places: [u32; PLACES],
    /// Where the oldest stands, which goes next.
    turn: u32,
}

impl Shelf {
    /// Files a text; the oldest goes, or the oldest of that key where it has many.
    fn put(&mut self, key: u32, place: u32) {
        let of_key = self.keys.iter().zip(&self.places).filter(|(k, p)| **k == key && **p != 0).count();
        let turn = index(self.turn);
        let at = match of_key < OF_ONE_KEY {
            true => {
                self.turn = (self.turn + 1) % TURNS;
                turn
            }
            false => {
                (turn..turn + PLACES).map(|n| n % PLACES).find(|n| self.keys.get(*n) == Some(&key)).unwrap_or(turn)
            }
        };
        if let (Some(k), Some(p)) = (self.keys.get_mut(at), self.places.get_mut(at)) {
            (*k, *p) = (key, place);
        }
    }
}

/// Numbers of texts that may be alike, with how often each was found.
struct Candidates {
    list: [(u32, u32); (KEYS + 1) * PLACES],
    len: usize,
}

impl Candidates {
    fn add(&mut self, place: u32) {
        let known = self.list.get_mut(..self.len).unwrap_or_default();
        match known.iter_mut().find(|(_, p)| *p == place) {
            Some((times, _)) => *times += 1,
            None => {
                if let Some(free) = self.list.get_mut(self.len) {
                    *free = (1, place);
                    self.len += 1;
                }
            }
        }
    }

    /// Those found most often first.
    fn best(&mut self) -> impl Iterator<Item = usize> {
        let found = self.list.get_mut(..self.len).unwrap_or_default();
        if found.len() > COMPARED {
            found.sort_unstable_by(|a, b| b.cmp(a));
        }
        found.iter().take(COMPARED).map(|(_, place)| index(place.wrapping_sub(1)))
    }
}

fn index(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// The key of a whole text.
fn key_of(whole: u64) -> u32 {
    u32::try_from(whole >> 32).unwrap_or(0)
}

/// The keys that a text is filed under.
fn keys(print: &Print) -> impl Iterator<Item = u32> + '_ {
    let head = Some(print.head).filter(|h| *h != 0);
    std::iter::once(key_of(print.whole)).chain(head).chain(print.least().iter().take(KEYS).copied())
}

impl Stories {
    /// The story of a text: that of a near-duplicate seen within the window, else a new one named `fresh`.
    pub fn assign(&mut self, print: &Print, fresh: i64, at: Timestamp) -> Placed {
        if print.whole == 0 {
            return Placed { story: fresh, keep: false };
        }
        let at = at.as_millisecond();
        let Some((n, alike)) = self.find(print, at) else {
            self.file(print, fresh, at);
            return Placed { story: fresh, keep: true };
        };
        let Some(known) = self.known.get_mut(n) else { return Placed { story: fresh, keep: false } };
        let story = known.story;
        (known.first, known.last, known.copied) = (known.first.min(at), known.last.max(at), true);
        // A copy that differs somewhat is remembered too, so that copies of the copy are found. A part is not: it would
        // bring together what has only that part in common.
        if matches!(alike, Alike::Whole) || matches!(alike, Alike::Near(common) if common < CLOSE) {
            self.file(print, story, at);
            return Placed { story, keep: true };
        }
        let renew = at.saturating_sub(known.kept) >= RENEW.as_millis() && !matches!(alike, Alike::Part);
        if renew {
            known.kept = at;
        }
        Placed { story, keep: renew }
    }

    /// Remembers a text that has its story already, after a restart.
    pub fn remember(&mut self, print: &Print, story: i64, at: Timestamp) {
        let at = at.as_millisecond();
        if print.whole == 0 {
            return;
        }
        if let Some(known) = self.same(print, at).and_then(|n| self.known.get_mut(n)).filter(|k| k.story == story) {
            (known.first, known.last) = (known.first.min(at), known.last.max(at));
            known.kept = known.kept.max(at);
            return;
        }
        self.file(print, story, at);
    }

    /// How many texts are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    fn shelf(&self, key: u32) -> Option<&Shelf> {
        self.shelves.get(index(key) & self.shelves.len().wrapping_sub(1))
    }

    /// The same text, near in time.
    fn same(&self, print: &Print, at: i64) -> Option<usize> {
        let key = key_of(print.whole);
        let shelf = self.shelf(key)?;
        let of_key = shelf.keys.iter().zip(&shelf.places).filter(|(k, _)| **k == key);
        of_key
            .map(|(_, p)| index(p.wrapping_sub(1)))
            .find(|n| self.known.get(*n).is_some_and(|k| k.print.whole == print.whole && k.is_near(at)))
    }

    /// The text most alike, near in time.
    fn find(&self, print: &Print, at: i64) -> Option<(usize, Alike)> {
        if let Some(n) = self.same(print, at) {
            return Some((n, Alike::Same));
        }
        // All shelves are asked for before any is looked at, and all texts likewise: memory answers many at once.
        let touched = keys(print).filter_map(|key| self.shelf(key)).fold(0, |sum, shelf| sum ^ shelf.turn);
        std::hint::black_box(touched);
        let mut candidates = Candidates { list: [(0, 0); (KEYS + 1) * PLACES], len: 0 };
        for key in keys(print).skip(1) {
            let Some(shelf) = self.shelf(key) else { continue };
            for (k, place) in shelf.keys.iter().zip(&shelf.places) {
                if *k == key && *place != 0 {
                    candidates.add(*place);
                }
            }
        }
        let mut best: Option<(f32, usize, Alike)> = None;
        let touched = |n: &usize| self.known.get(*n).map_or(0, |k| k.last ^ i64::from(k.print.size));
        std::hint::black_box(candidates.best().map(|n| touched(&n)).fold(0, |sum, n| sum ^ n));
        for n in candidates.best() {
            let Some(known) = self.known.get(n).filter(|k| k.is_near(at)) else { continue };
            let Some(alike) = print.alike(&known.print) else { continue };
            let rank = match alike {
                Alike::Same => 2.0,
                Alike::Near(common) => 1.0 + common,
                Alike::Part => 1.0,
                Alike::Whole => 0.5,
            };
            if best.as_ref().is_none_or(|(r, ..)| rank > *r) {
                best = Some((rank, n, alike));
            }
        }
        best.map(|(_, n, alike)| (n, alike))
    }

    fn file(&mut self, print: &Print, story: i64, at: i64) {
        let known = Known { print: *print, story, first: at, last: at, kept: at, copied: false };
        let n = if self.known.len() < MOST {
            if self.known.len() == self.known.capacity() {
                // Gently: twice as many would be half empty at the end.
                self.known.reserve_exact((self.known.len() / 4).clamp(64, MOST));
            }
            self.known.push(known);
            self.known.len() - 1
        } else {
            let n = self.next_to_go();
            if let Some(place) = self.known.get_mut(n) {
                *place = known;
            }
            n
        };
        if self.known.len() * (KEYS + 2) > self.shelves.len() * PLACES * 3 / 4 {
            self.widen();
        } else {
            self.put(n);
        }
    }

    /// What was filed under a text that goes is left there, and found wanting when it is compared.
    fn put(&mut self, n: usize) {
        let (Some(known), mask) = (self.known.get(n), self.shelves.len().wrapping_sub(1)) else { return };
        let place = u32::try_from(n + 1).unwrap_or(0);
        for key in keys(&known.print) {
            if let Some(shelf) = self.shelves.get_mut(index(key) & mask) {
                shelf.put(key, place);
            }
        }
    }

    /// Four times as many shelves, and everything filed anew.
    fn widen(&mut self) {
        let wider = (self.shelves.len() * 4).max(256);
        self.shelves.clear();
        self.shelves.resize(wider, Shelf::default());
        (0..self.known.len()).for_each(|n| self.put(n));
    }

    fn next_to_go(&mut self) -> usize {
        // Whatever was copied since the last round stays for one more.
        for _ in 0..=self.known.len() {
            let n = self.hand;
            self.hand = (self.hand + 1) % self.known.len().max(1);
            match self.known.get_mut(n) {
                Some(known) if known.copied => known.copied = false,
                _ => return n,
            }
        }
        self.hand
    }
}

#[cfg(test)]
pub(super) mod made;
#[cfg(test)]
mod tests;
