//! Puts near-duplicates into one story: wire copies, reposts and copy-paste campaigns.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

use crate::model::time::{Span, between};
use crate::text::fingerprint::distance;

/// How long after its last mention a story still takes copies.
const WINDOW: Span = Span::days(3);
/// Stories kept; the oldest goes when there are more.
const MOST: usize = 100_000;
/// Bits that may differ between copies of a text of some length, and of a short one.
const NEAR: u32 = 13;
const NEAR_SHORT: u32 = 3;
/// Texts of fewer bytes are short.
const SHORT: usize = 120;

/// The stories of the last days, found by the eighths of their fingerprints.
#[derive(Debug)]
pub struct Stories {
    known: HashMap<u64, Known, Xxh3DefaultBuilder>,
    /// Fingerprints by band and by the byte that they have there.
    bands: Vec<Vec<u64>>,
    order: VecDeque<u64>,
    /// Mentions come in any order of time.
    any_order: bool,
}

impl Default for Stories {
    fn default() -> Stories {
        Stories {
            known: HashMap::default(),
            bands: vec![Vec::new(); BANDS * 256],
            order: VecDeque::new(),
            any_order: false,
        }
    }
}

/// Bytes of a fingerprint.
const BANDS: usize = 8;

#[derive(Debug)]
struct Known {
    story: i64,
    first: Timestamp,
    last: Timestamp,
}

impl Known {
    fn new(story: i64, at: Timestamp) -> Known {
        Known { story, first: at, last: at }
    }

    /// Whether an instant is near enough for the story; mentions are told late, and archives in any order.
    fn is_near(&self, at: Timestamp) -> bool {
        between(self.last, at) <= WINDOW && between(at, self.first) <= WINDOW
    }

    fn widen(&mut self, at: Timestamp) {
        self.first = self.first.min(at);
        self.last = self.last.max(at);
    }
}

/// Where a fingerprint is filed in each band.
fn bands(fingerprint: u64) -> impl Iterator<Item = usize> {
    fingerprint.to_le_bytes().into_iter().zip(0..).map(|(byte, band)| band * 256 + usize::from(byte))
}

impl Stories {
    /// From now on mentions come in any order of time, as they do from archives, and none is of the present.
    pub fn take_any_order(&mut self) {
        self.any_order = true;
    }

    /// The story of a text: that of a near-duplicate seen within the window, else a new one named `fresh`.
    pub fn assign(&mut self, fingerprint: u64, length: usize, fresh: i64, at: Timestamp) -> i64 {
        if fingerprint == 0 {
            return fresh;
        }
        let near = if length < SHORT { NEAR_SHORT } else { NEAR };
        let found = self.nearest(fingerprint, near, at);
        let story = found.and_then(|f| self.known.get(&f)).map_or(fresh, |k| k.story);
        // The same words of another time begin a story of their own, which takes the copies from now on; what is told
        // late takes none from a story that goes on.
        if found.is_none()
            && let Some(known) = self.known.get_mut(&fingerprint)
            && (self.any_order || known.last < at)
        {
            *known = Known::new(story, at);
        }
        if let Some(known) = found.and_then(|f| self.known.get_mut(&f)) {
            known.widen(at);
        }
        // A copy that differs somewhat is remembered too, so that copies of the copy are found.
        if found.is_none_or(|f| distance(f, fingerprint) > NEAR_SHORT) {
            self.remember(fingerprint, story, at);
        }
        story
    }

    /// Remembers a mention that has its story already, after a restart.
    pub fn remember(&mut self, fingerprint: u64, story: i64, at: Timestamp) {
        if fingerprint == 0 || self.known.contains_key(&fingerprint) {
            return;
        }
        while self.known.len() >= MOST {
            let Some(oldest) = self.order.pop_front() else { break };
            self.forget(oldest);
        }
        self.known.insert(fingerprint, Known::new(story, at));
        self.order.push_back(fingerprint);
        for band in bands(fingerprint) {
            if let Some(list) = self.bands.get_mut(band) {
                list.push(fingerprint);
            }
        }
    }

    fn nearest(&self, fingerprint: u64, near: u32, at: Timestamp) -> Option<u64> {
        if let Some(known) = self.known.get(&fingerprint)
            && known.is_near(at)
        {
            return Some(fingerprint);
        }
        bands(fingerprint)
            .filter_map(|band| self.bands.get(band))
            .flatten()
            .map(|f| (distance(*f, fingerprint), *f))
            .filter(|(d, _)| *d <= near)
            .filter(|(_, f)| self.known.get(f).is_some_and(|k| k.is_near(at)))
            .min()
            .map(|(_, f)| f)
    }

    fn forget(&mut self, fingerprint: u64) {
        self.known.remove(&fingerprint);
        for band in bands(fingerprint) {
            if let Some(list) = self.bands.get_mut(band) {
                list.retain(|f| *f != fingerprint);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_ones_fall_together_and_old_ones_do_not() {
        let at = Timestamp::UNIX_EPOCH;
        let mut stories = Stories::default();
        assert_eq!(stories.assign(0xffff_0000_ffff_0000, 500, 1, at), 1);
        assert_eq!(stories.assign(0xffff_0000_ffff_000f, 500, 2, at), 1, "four bits differ");
        assert_eq!(stories.assign(0xffff_0000_ffff_000f ^ 0xf0, 30, 3, at), 3, "a short text must be nearer");
        assert_eq!(stories.assign(0x0f0f_0f0f_0f0f_0f0f, 500, 4, at), 4);
        assert_eq!(stories.assign(0xffff_0000_ffff_0000, 500, 5, at + Span::days(9)), 5);
        assert_eq!(stories.assign(0, 0, 6, at), 6);
    }

    #[test]
    fn archives_are_read_in_any_order() {
        let (words, now) = (0xffff_0000_ffff_0000, Timestamp::UNIX_EPOCH + Span::days(400));
        let mut stories = Stories::default();
        assert_eq!(stories.assign(words, 500, 1, now), 1);
        assert_eq!(stories.assign(words, 500, 9, now - Span::days(300)), 9, "the same words a year ago");
        assert_eq!(stories.assign(words, 500, 9, now + Span::days(2)), 1, "the story of today goes on");
        assert_eq!(stories.assign(words, 500, 9, now - Span::days(2)), 1, "and takes what is told late");
        stories.take_any_order();
        assert_eq!(stories.assign(words, 500, 2, now - Span::days(300)), 2);
        assert_eq!(stories.assign(words, 500, 3, now - Span::days(301)), 2, "and those copied then");
    }
}
