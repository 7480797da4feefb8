//! How well clusters that were found agree with those that people gave.

use std::collections::BTreeMap;

/// Figures of an agreement, each 0..1.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Score {
    /// What was brought together that belongs together.
    pub precision: f64,
    /// What belongs together that was brought together.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
}

impl Score {
    fn new(precision: f64, recall: f64) -> Score {
        let sum = precision + recall;
        Score { precision, recall, f1: if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 } }
    }
}

/// How two ways of clustering the same items agree.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Agreement {
    /// Items.
    pub items: u64,
    /// Clusters given.
    pub given: u64,
    /// Clusters found.
    pub found: u64,
    /// Over pairs of items: of those in one found cluster, those in one given cluster, and the other way round.
    pub pairs: Score,
    /// B-cubed (A. Bagga and B. Baldwin, 1998): the same for each item's cluster, averaged over items, so that a large
    /// cluster does not outweigh all others.
    pub b_cubed: Score,
}

fn pairs(n: u64) -> f64 {
    n as f64 * (n.saturating_sub(1)) as f64 / 2.0
}

/// Compares clusters: the given and the found one of each item.
pub fn agreement<G: Ord, F: Ord>(items: impl IntoIterator<Item = (G, F)> + Clone) -> Agreement {
    let (mut given, mut found, mut both) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut n = 0u64;
    for (g, f) in items.clone() {
        *given.entry(g).or_insert(0u64) += 1;
        *found.entry(f).or_insert(0u64) += 1;
        n += 1;
    }
    for (g, f) in items {
        *both.entry((g, f)).or_insert(0u64) += 1;
    }
    let sum = |counts: &mut dyn Iterator<Item = &u64>| counts.map(|n| pairs(*n)).sum::<f64>();
    let (of_given, of_found) = (sum(&mut given.values()), sum(&mut found.values()));
    let right = sum(&mut both.values());
    let share = |part: f64, all: f64| if all > 0.0 { part / all } else { 1.0 };
    let (mut precision, mut recall) = (0.0, 0.0);
    for ((g, f), n) in &both {
        let n = *n as f64;
        precision += n * n / found.get(f).copied().unwrap_or(1) as f64;
        recall += n * n / given.get(g).copied().unwrap_or(1) as f64;
    }
    Agreement {
        items: n,
        given: given.len() as u64,
        found: found.len() as u64,
        pairs: Score::new(share(right, of_found), share(right, of_given)),
        b_cubed: Score::new(share(precision, n as f64), share(recall, n as f64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_what_is_counted_by_hand() {
        // Given a a a b b, found 1 1 2 2 3.
        let a = agreement([("a", 1), ("a", 1), ("a", 2), ("b", 2), ("b", 3)]);
        assert_eq!((a.items, a.given, a.found), (5, 2, 3));
        assert_eq!((a.pairs.precision, a.pairs.recall), (0.5, 0.25));
        let (p, r) = ((1.0 + 1.0 + 0.5 + 0.5 + 1.0) / 5.0, (2.0 / 3.0 + 2.0 / 3.0 + 1.0 / 3.0 + 0.5 + 0.5) / 5.0);
        assert!((a.b_cubed.precision - p).abs() < 1e-12 && (a.b_cubed.recall - r).abs() < 1e-12, "{a:?}");
        assert_eq!(agreement([("a", 1), ("b", 2)]).pairs.f1, 1.0, "nothing to bring together");
        assert_eq!(agreement(Vec::<(u8, u8)>::new()).items, 0);
    }
}
