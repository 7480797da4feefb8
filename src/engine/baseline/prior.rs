//! What is assumed of a group before it has spoken: little, or what its siblings do.

use serde::{Deserialize, Serialize};

use super::{Baseline, DAY_PRIOR, DISPERSION};

/// Mentions an hour that are assumed of a group nobody has seen, and the hours that this assumption weighs.
const MEAN: f64 = 1.0;
const HOURS: f64 = 2.0;
/// Hours of its own after which a group can stand for its siblings.
const GROWN: f64 = 48.0;
/// Mentions behind each hour of the day that siblings' shapes speak with.
pub(super) const SHAPE: f64 = 32.0;
/// The least and the most mentions that siblings' levels speak with: their spread says where in between.
const LEAST: f64 = 0.5;
const MOST: f64 = 8.0;

/// An assumption about a group: a gamma distribution of its level, its dispersion, and the shape of its day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// Mentions an hour.
    pub mean: f32,
    /// Hours that the mean weighs.
    pub hours: f32,
    /// Dispersion of an hour's mentions.
    pub dispersion: f32,
    /// How many times the level each hour of the day is; empty where that is not known.
    #[serde(skip)]
    pub day: Vec<f32>,
}

impl Default for Prior {
    fn default() -> Prior {
        Prior { mean: MEAN as f32, hours: HOURS as f32, dispersion: DISPERSION as f32, day: Vec::new() }
    }
}

impl Prior {
    /// What siblings let expect of a new group: such as the same topic's groups in other languages, or other topics
    /// under the same alert rule. The more alike their levels are, the more the assumption weighs. Siblings that have
    /// learned little do not count; without others it is the plain assumption.
    pub fn of<'b>(siblings: impl IntoIterator<Item = &'b Baseline>) -> Prior {
        let grown: Vec<&Baseline> = siblings.into_iter().filter(|b| f64::from(b.hours) >= GROWN).collect();
        if grown.is_empty() {
            return Prior::default();
        }
        let plain = Prior::default();
        // Moments of the levels, with the plain assumption as one sibling more.
        let n = grown.len() as f64 + 1.0;
        let levels = || grown.iter().map(|b| b.level()).chain([f64::from(plain.mean)]);
        let mean = levels().sum::<f64>() / n;
        let spread = levels().map(|l| (l - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let mentions = (mean * mean / spread.max(1e-9)).clamp(LEAST, MOST);
        let dispersion = (grown.iter().map(|b| b.own_dispersion()).sum::<f64>() + f64::from(plain.dispersion)) / n;
        let mut day = Vec::new();
        if grown.iter().any(|b| !b.day.is_empty()) {
            let sums = (0..24).map(|slot| {
                grown.iter().map(|b| b.day.slot(slot)).fold((0.0, 0.0), |sum, s| (sum.0 + s.0, sum.1 + s.1))
            });
            day = sums.map(|(seen, would)| ((seen + DAY_PRIOR) / (would + DAY_PRIOR)) as f32).collect();
        }
        let hours = mentions / mean.max(1e-6);
        Prior { mean: mean as f32, hours: hours as f32, dispersion: dispersion as f32, day }
    }
}
