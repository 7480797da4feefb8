//! What was just stored, at hand for the stages that read it next until all have: each mention is analysed once, and read
//! back from the store only where it is no longer here.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::model::Mention;
use crate::text::{Term, Terms};

/// Mentions kept at hand, and the bytes that they may take; long texts have many terms.
const MOST: usize = 4096;
const BYTES: usize = 16 << 20;

/// How long one batch waits at most for those who read the last ones.
const PATIENCE: Duration = Duration::from_millis(250);

/// Who reads what was just stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The stage that watches.
    Watch,
    /// The stage that indexes.
    Index,
}

/// A stored mention with the number of its change and the terms of its text.
#[derive(Debug)]
pub struct Fresh {
    /// The number of the change.
    pub seq: i64,
    /// The mention.
    pub mention: Mention,
    /// Its terms.
    pub terms: Terms,
}

impl Fresh {
    /// What it takes, about: its text, and its terms.
    fn size(&self) -> usize {
        self.mention.text.len()
            + self.mention.title.len()
            + self.terms.list.len() * size_of::<Term>()
            + size_of::<Self>()
    }
}

/// The last mentions that were stored, in the order of their changes.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    board: Mutex<Board>,
    /// Rung when somebody has read on.
    read_on: Notify,
}

#[derive(Debug, Default)]
struct Board {
    list: VecDeque<Arc<Fresh>>,
    bytes: usize,
    /// Up to which change each [`Reader`] has read.
    read: [Option<i64>; 2],
    /// Deleted mentions, which may still be on their way here, with the last of them.
    gone: HashSet<i64>,
    gone_last: VecDeque<i64>,
}

impl Board {
    /// Whether it is nearly full of what somebody who follows closely has still to read, or has just lost. Whoever is further
    /// behind reads from the store, and nothing is gained by waiting for them.
    fn is_crowded(&self) -> bool {
        let (Some(first), Some(last)) = (self.list.front(), self.list.back()) else { return false };
        if self.list.len() < MOST * 3 / 4 && self.bytes < BYTES * 3 / 4 {
            return false;
        }
        let (quarter, lost) = (first.seq + (last.seq - first.seq) / 4, last.seq - 2 * (last.seq - first.seq));
        self.read.iter().flatten().any(|read| (lost..quarter).contains(read))
    }
}

impl Shelf {
    /// Waits a moment where those who read on would otherwise lose what is at hand: reading it back from the store costs more
    /// than waiting for them.
    pub(super) async fn pace(&self) {
        let enough = tokio::time::sleep(PATIENCE);
        tokio::pin!(enough);
        loop {
            let moved = self.read_on.notified();
            if !self.board.lock().unwrap_or_else(PoisonError::into_inner).is_crowded() {
                return;
            }
            tokio::select! {
                () = moved => {}
                () = &mut enough => return,
            }
        }
    }

    /// Adds mentions, once they are on disk.
    pub(super) fn put(&self, mut new: Vec<Fresh>) {
        new.sort_by_key(|f| f.seq);
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        let Board { list, bytes, gone, .. } = &mut *board;
        for fresh in new.into_iter().filter(|f| !gone.contains(&f.mention.id)) {
            *bytes += fresh.size();
            while list.len() >= MOST || *bytes > BYTES {
                let Some(oldest) = list.pop_front() else { break };
                *bytes -= oldest.size();
            }
            // Batches of one commit may arrive here in another order than they were written in.
            let at = list.iter().rposition(|f| f.seq < fresh.seq).map_or(0, |n| n + 1);
            list.insert(at, Arc::new(fresh));
        }
    }

    /// Takes deleted mentions away, and keeps those out that are still on their way.
    pub(super) fn forget(&self, ids: &[i64]) {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        let Board { list, bytes, gone, gone_last, .. } = &mut *board;
        for id in ids.iter().filter(|id| gone.insert(**id)) {
            gone_last.push_back(*id);
        }
        list.retain(|f| !gone.contains(&f.mention.id));
        *bytes = list.iter().map(|f| f.size()).sum();
        while gone_last.len() > MOST {
            gone_last.pop_front().map(|id| gone.remove(&id));
        }
    }

    /// Notes up to which change somebody has read; what all have read leaves.
    pub(super) fn note(&self, reader: Reader, seq: i64) {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = board.read.get_mut(reader as usize) {
            *read = Some(seq);
        }
        let Board { list, bytes, read, .. } = &mut *board;
        // Before somebody has begun to read, nothing was read by all: `None` is less than any number.
        let by_all = read.iter().copied().min().flatten();
        while let Some(first) = list.pop_front_if(|f| Some(f.seq) <= by_all) {
            *bytes -= first.size();
        }
        if list.is_empty() {
            list.shrink_to(MOST / 16);
        }
        self.read_on.notify_waiters();
    }

    /// The changes right after one, as far as they follow each other without a gap, at most so many.
    pub(super) fn after(&self, seq: i64, most: usize) -> Vec<Arc<Fresh>> {
        let board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        let from = board.list.partition_point(|f| f.seq <= seq);
        let follows = |(n, f): &(i64, &Arc<Fresh>)| f.seq == seq + n;
        (1..).zip(board.list.range(from..)).take_while(follows).map(|(_, f)| f.clone()).take(most).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(seq: i64) -> Fresh {
        let mention = crate::engine::window::tests::mention(seq, 0, 0.0);
        Fresh { seq, mention, terms: Terms::default() }
    }

    #[test]
    fn what_follows_without_a_gap() {
        let shelf = Shelf::default();
        shelf.put(vec![fresh(5), fresh(4)]);
        shelf.put(vec![fresh(8)]);
        shelf.put(vec![fresh(3), fresh(6)]);
        let after = |seq| shelf.after(seq, 10).iter().map(|f| f.seq).collect::<Vec<_>>();
        assert_eq!((after(2), after(4), after(6)), (vec![3, 4, 5, 6], vec![5, 6], vec![]));
        assert_eq!((after(7), after(0)), (vec![8], vec![]));
        (10..9000).for_each(|n| shelf.put(vec![fresh(n)]));
        assert_eq!(shelf.board.lock().expect("whole").list.len(), MOST);
    }

    #[test]
    fn a_crowded_shelf_waits_for_those_who_follow_closely() {
        let shelf = Shelf::default();
        let crowded = || shelf.board.lock().expect("whole").is_crowded();
        let read_to = |reader, seq| shelf.note(reader, seq);
        (1..=10_000).for_each(|n| shelf.put(vec![fresh(n)]));
        assert!(!crowded(), "nobody reads");
        read_to(Reader::Watch, 9_000);
        read_to(Reader::Index, 1_000);
        assert!(!crowded(), "one follows closely, the other reads from the store anyway");
        read_to(Reader::Index, 6_000);
        assert!(crowded());
        read_to(Reader::Index, 7_000);
        assert!(!crowded());
    }

    #[test]
    fn what_all_have_read_leaves() {
        let shelf = Shelf::default();
        (1..=100).for_each(|n| shelf.put(vec![fresh(n)]));
        shelf.note(Reader::Watch, 60);
        assert_eq!(shelf.after(0, 100).len(), 100, "one reader may not have begun");
        shelf.note(Reader::Index, 40);
        assert_eq!(shelf.after(40, 100).first().map(|f| f.seq), Some(41));
        shelf.note(Reader::Index, 100);
        assert_eq!(shelf.after(60, 100).len(), 40);
        shelf.note(Reader::Watch, 100);
        let board = shelf.board.lock().expect("whole");
        assert_eq!((board.list.len(), board.bytes), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_when_they_have_read_and_after_a_moment() {
        let shelf = Shelf::default();
        (1..=10_000).for_each(|n| shelf.put(vec![fresh(n)]));
        shelf.note(Reader::Watch, 6_000);
        let began = tokio::time::Instant::now();
        shelf.pace().await;
        assert!(began.elapsed() >= PATIENCE, "nobody reads on");
        let began = tokio::time::Instant::now();
        let reading = async {
            tokio::time::sleep(PATIENCE / 5).await;
            shelf.note(Reader::Watch, 9_000);
        };
        tokio::join!(shelf.pace(), reading);
        assert!(began.elapsed() < PATIENCE);
    }

    #[test]
    fn long_texts_leave_room_for_fewer() {
        let shelf = Shelf::default();
        for n in 1..200 {
            let mut long = fresh(n);
            long.mention.text = "x".repeat(1 << 20);
            shelf.put(vec![long]);
        }
        let board = shelf.board.lock().expect("whole");
        assert!(board.list.len() == 15 && board.bytes <= BYTES, "{} in {}", board.list.len(), board.bytes);
    }

    #[test]
    fn what_is_deleted_stays_away() {
        let shelf = Shelf::default();
        shelf.put(vec![fresh(1), fresh(2)]);
        shelf.forget(&[2, 3]);
        shelf.put(vec![fresh(3), fresh(4)]);
        let at_hand = |seq| shelf.after(seq, 10).iter().map(|f| f.seq).collect::<Vec<_>>();
        assert_eq!((at_hand(0), at_hand(1), at_hand(3)), (vec![1], vec![], vec![4]));
    }
}
