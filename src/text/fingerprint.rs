//! A signature of 64 bits that near-duplicates share but for a few bits.
//!
//! SimHash after M. Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002, over the words
//! of a text; short texts add word pairs, since few words alone say too little.

use xxhash_rust::xxh3::xxh3_64;

use super::tokens::{Kind, Tokens};

/// Texts with fewer words than this add their pairs of words.
const SHORT: usize = 20;

/// The signature of a text; 0 for a text without words.
pub fn fingerprint(tokens: &Tokens<'_>) -> u64 {
    let mut weights = [0i32; 64];
    let all = tokens.list.iter().filter(|t| matches!(t.kind, Kind::Word | Kind::Hashtag | Kind::Number)).count();
    // In a text of some length the short words are those that every text has.
    let shortest = if all < SHORT { 0 } else { 4 };
    let words = || {
        tokens
            .list
            .iter()
            .filter(|t| matches!(t.kind, Kind::Word | Kind::Hashtag | Kind::Number) && t.form.len() >= shortest)
            .map(|t| xxh3_64(t.form.as_bytes()))
            .take(2000)
    };
    let count = words().count();
    if count == 0 {
        return 0;
    }
    let mut last: Option<u64> = None;
    for hash in words() {
        add(&mut weights, hash);
        if all < SHORT {
            if let Some(last) = last {
                add(&mut weights, (last.rotate_left(23) ^ hash).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            }
            last = Some(hash);
        }
    }
    weights.iter().enumerate().fold(0, |f, (bit, w)| f | (u64::from(*w > 0) << bit))
}

#[inline]
fn add(weights: &mut [i32; 64], hash: u64) {
    for (bit, w) in weights.iter_mut().enumerate() {
        *w += i32::try_from((hash >> bit) & 1).unwrap_or(0) * 2 - 1;
    }
}

/// Bits in which two signatures differ.
pub fn distance(a: u64, b: u64) -> u32 {
    (a ^ b).count_ones()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> u64 {
        fingerprint(&Tokens::read(text))
    }

    #[test]
    fn copies_are_near_and_others_far() {
        let wire = "Acme lowers its profit forecast for the year after weak demand in the spring quarter, the maker of household \
                    devices said on Tuesday. Analysts had expected growth of four percent and called the news a disappointment. \
                    Shares fell in early trading while the company kept its dividend unchanged for the coming year.";
        let copy = format!("NEWSWIRE - {wire} Read more on our site.");
        assert!(distance(of(wire), of(&copy)) <= 13, "{}", distance(of(wire), of(&copy)));
        let other =
            "My new kettle is lovely and boils water fast, and I would buy it again for my mother in the north.";
        assert!(distance(of(wire), of(other)) > 18);
        assert!(distance(of("Acme kettle burned my hand"), of("Acme kettle burned my table")) > 3);
    }
}
