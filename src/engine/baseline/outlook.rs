//! What is usual in a window: how many mentions, how much they vary, and how strange another number would be.

use statrs::distribution::{DiscreteCDF, NegativeBinomial};
use statrs::function::gamma::ln_gamma;

/// Surprise is not told beyond this.
const MOST_SURPRISE: f64 = 300.0;

/// What a baseline expects of a window. Counts are negative binomial: their variance is `mean + dispersion · mean²`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// Mentions expected.
    pub expected: f64,
    /// Mentions that the upper side is judged by: more than expected while a known event is on.
    pub upper: f64,
    /// How much more than Poisson they vary, with what little data leaves open.
    pub dispersion: f64,
}

/// The distribution of counts with a mean and a dispersion.
fn counts(mean: f64, dispersion: f64) -> Option<NegativeBinomial> {
    let r = 1.0 / dispersion.max(1e-6);
    NegativeBinomial::new(r, r / (r + mean.max(1e-9))).ok()
}

impl Outlook {
    /// −log10 of the probability of at least so many mentions.
    pub fn surprise(&self, mentions: u64) -> f64 {
        if mentions == 0 {
            return 0.0;
        }
        let tail = counts(self.upper, self.dispersion).map_or(1.0, |nb| nb.sf(mentions - 1));
        if tail > 1e-250 {
            return (-tail.log10()).clamp(0.0, MOST_SURPRISE) + 0.0;
        }
        // Too far out for a probability: its logarithm, with the tail taken as geometric.
        let r = 1.0 / self.dispersion.max(1e-6);
        let p = r / (r + self.upper.max(1e-9));
        let k = mentions as f64;
        let falls = p.max(1.0 - (r + k) / (k + 1.0) * (1.0 - p));
        let ln = ln_gamma(r + k) - ln_gamma(r) - ln_gamma(k + 1.0) + r * p.ln() + k * (1.0 - p).ln() - falls.ln();
        (-ln / std::f64::consts::LN_10).clamp(0.0, MOST_SURPRISE)
    }

    /// −log10 of the probability of at most so many mentions.
    pub fn silence(&self, mentions: u64) -> f64 {
        let below = counts(self.expected, self.dispersion).map_or(1.0, |nb| nb.cdf(mentions));
        (-below.max(1e-300).log10()).clamp(0.0, MOST_SURPRISE) + 0.0
    }

    /// The band of the usual: the least number that more than a share `low` of all windows stay at or below, and the
    /// same for `high`, such as `range(0.05, 0.999)`.
    pub fn range(&self, low: f64, high: f64) -> (u64, u64) {
        let least = least(self.expected, self.dispersion, low);
        (least, least.max(self::least(self.upper, self.dispersion, high)))
    }
}

/// The least count at or below which more than a share of all counts are.
fn least(mean: f64, dispersion: f64, share: f64) -> u64 {
    let Some(nb) = counts(mean, dispersion) else { return 0 };
    let within = |n: u64| nb.cdf(n) > share.clamp(0.0, 0.999_999_999);
    let mut high = 1;
    while !within(high) && high < 1 << 40 {
        high *= 2;
    }
    let mut low = 0;
    while low < high {
        let middle = low + (high - low) / 2;
        if within(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn more_is_never_less_surprising(mean in 0.0f64..5000.0, dispersion in 0.01f64..8.0, n in 0u64..200_000, more in 1u64..1000) {
            let o = Outlook { expected: mean, upper: mean, dispersion };
            proptest::prop_assert!(o.surprise(n + more) >= o.surprise(n) - 1e-6);
            proptest::prop_assert!(o.silence(n + more) <= o.silence(n) + 1e-6);
            let wider = Outlook { upper: mean * 3.0, ..o };
            proptest::prop_assert!(wider.surprise(n) <= o.surprise(n) + 1e-6, "a known event never rings more");
        }

        #[test]
        fn the_band_holds_its_share(mean in 0.0f64..5000.0, dispersion in 0.01f64..8.0) {
            let o = Outlook { expected: mean, upper: mean, dispersion };
            let (low, high) = o.range(0.05, 0.999);
            proptest::prop_assert!(low <= high);
            proptest::prop_assert!(o.surprise(high + 1) >= 3.0 - 1e-6 && o.surprise(high) <= 3.0 + 1e-6);
        }
    }

    #[test]
    fn far_out_is_told_by_its_logarithm() {
        let o = Outlook { expected: 1.0, upper: 1.0, dispersion: 0.2 };
        assert!(o.surprise(300) < o.surprise(330) && o.surprise(1_000_000) == MOST_SURPRISE);
    }
}
