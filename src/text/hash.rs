//! Hashing for tables of words: one quick hash of the whole key.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::xxh3_64;

/// Hashes a word at once; a key that is a hash already stays as it is.
#[derive(Debug, Default, Clone, Copy)]
pub struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.rotate_left(29) ^ xxh3_64(bytes);
    }

    // What ends a string in the standard library's hashing tells nothing here.
    fn write_u8(&mut self, _: u8) {}

    fn write_u32(&mut self, n: u32) {
        // Spread over all bits: tables look at the high ones as well.
        self.0 ^= u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u64(&mut self, n: u64) {
        self.0 ^= n;
    }
}

/// A table by words or by hashes.
pub type Table<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_are_found_again() {
        let mut words: Table<String, u32> = Table::default();
        let mut numbers: Table<u32, u32> = Table::default();
        for n in 0..5000u32 {
            words.insert(format!("word{n}"), n);
            numbers.insert(n, n + 1);
        }
        assert_eq!((words.get("word4321"), words.get("word"), numbers.get(&7)), (Some(&4321), None, Some(&8)));
    }
}
