//! How common a word is in posts, as far as the table of feelings tells.

use super::features;
use super::sentiment::shipped;

/// The share of posts that a lower-case word is in, 0..1, over all the languages that the table was trained on. Now and
/// then a rare word is taken for a common one, since the table's buckets are shared; never the other way round.
pub fn share(word: &str) -> f32 {
    let Some(table) = shipped() else { return 0.0 };
    // A bucket's tellingness is the root of ln(1 + 1 / share), as `vakt train` makes it.
    let telling = table.telling(features::word(word));
    1.0 / ((telling * telling).exp() - 1.0).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_everybody_are_told_from_others() {
        for (common, rare) in [("to", "strike"), ("att", "uppsägning"), ("nicht", "streik"), ("non", "sciopero")] {
            assert!(share(common) > 4.0 * share(rare), "{common} {} {rare} {}", share(common), share(rare));
        }
    }
}
