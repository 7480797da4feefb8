//! What was learned of words, lent to one text at a time: there are as many memories as texts are read at once, not one for
//! every thread that ever read one.

use std::ops::{Deref, DerefMut};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Memories of one sort, kept by language.
pub(super) struct Lender<T>(Mutex<Vec<(&'static str, T)>>);

/// A memory while somebody has it.
pub(super) struct Lent<'l, T: Default> {
    language: &'static str,
    memory: T,
    lender: &'l Lender<T>,
}

/// Memories of a language that are kept: more are at work only while more threads are than there are cores.
static KEPT: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(2, usize::from).min(4));

impl<T: Default> Lender<T> {
    pub(super) const fn new() -> Lender<T> {
        Lender(Mutex::new(Vec::new()))
    }

    /// A memory of a language, the one that was given back last; an empty one where none is left.
    pub(super) fn lend(&self, language: &'static str) -> Lent<'_, T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().rposition(|(of, _)| *of == language);
        let memory = at.map(|at| all.remove(at).1).unwrap_or_default();
        Lent { language, memory, lender: self }
    }
}

impl<T: Default> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        let mut all = self.lender.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.iter().filter(|(of, _)| *of == self.language).count() < *KEPT {
            all.push((self.language, memory));
        }
    }
}

impl<T: Default> Deref for Lent<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.memory
    }
}

impl<T: Default> DerefMut for Lent<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.memory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_lent_again_and_no_more_is_kept_than_is_used() {
        static WORDS: Lender<Vec<u32>> = Lender::new();
        WORDS.lend("sv").push(7);
        let first = WORDS.lend("sv");
        assert_eq!((first.as_slice(), WORDS.lend("de").len()), ([7].as_slice(), 0));
        assert!(WORDS.lend("sv").is_empty(), "the other has it");
        drop(first);
        assert_eq!(WORDS.lend("sv").as_slice(), [7]);
        let many: Vec<_> = (0..20).map(|_| WORDS.lend("sv")).collect();
        drop(many);
        let kept = WORDS.0.lock().expect("whole").iter().filter(|(of, _)| *of == "sv").count();
        assert_eq!(kept, *KEPT);
    }
}
