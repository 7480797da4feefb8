//! The authors whom vakt has heard of: a set in bounded memory that may take a stranger for known, never the other way
//! round while it remembers.

/// Bits of one generation, and the authors that it takes: one stranger in 250 is taken for known when it is full.
const BITS: usize = 1 << 22;
const MOST: u32 = 300_000;
/// Bits of one author.
const EACH: u32 = 4;
/// Before so many were heard of nobody is called new: at the beginning everybody would be.
const ENOUGH: u32 = 1000;

/// Bloom filters (B. Bloom, 1970) of two generations: the last 300,000 authors at least.
#[derive(Debug, Default)]
pub struct Heard {
    young: Vec<u64>,
    old: Vec<u64>,
    count: u32,
    all: u32,
}

impl Heard {
    /// Hears of an author, by a hash; says whether that is news.
    pub fn is_new(&mut self, author: u64) -> bool {
        let known = contains(&self.young, author);
        if known {
            return false;
        }
        let known = contains(&self.old, author);
        if self.count >= MOST || self.young.is_empty() {
            self.old = std::mem::replace(&mut self.young, vec![0; BITS / 64]);
            self.count = 0;
        }
        self.count += 1;
        for (word, bit) in places(author) {
            if let Some(word) = self.young.get_mut(word) {
                *word |= bit;
            }
        }
        if known {
            return false;
        }
        self.all = self.all.saturating_add(1);
        self.all > ENOUGH
    }
}

fn contains(bits: &[u64], author: u64) -> bool {
    places(author).all(|(word, bit)| bits.get(word).is_some_and(|w| w & bit != 0))
}

/// Where the bits of an author stand.
fn places(author: u64) -> impl Iterator<Item = (usize, u64)> {
    let step = author.rotate_left(32) | 1;
    (0..EACH).map(move |n| {
        let at = usize::try_from(author.wrapping_add(step.wrapping_mul(n.into())) >> 40).unwrap_or(0) % BITS;
        (at / 64, 1 << (at % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use xxhash_rust::xxh3::xxh3_64;

    #[test]
    fn known_ones_are_known_and_few_strangers_are_taken_for_them() {
        let mut heard = Heard::default();
        let author = |n: u64| xxh3_64(&n.to_le_bytes());
        assert!((0..1000).all(|n| !heard.is_new(author(n))), "at first nobody is new");
        let new = (1000..400_000).filter(|n| heard.is_new(author(*n))).count();
        assert!(new > 395_000, "{new}");
        assert!((110_000..400_000).all(|n| !heard.is_new(author(n))));
    }
}
