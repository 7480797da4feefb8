//! What is known to come: a launch, a match, results, a public holiday, with how much more talk it may bring.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A known event of an editorial calendar or a list of public holidays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// What it is called.
    pub name: String,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends; this instant is no part of it.
    pub to: Timestamp,
    /// Up to so many times the usual is expected meanwhile; below 1 counts as 1.
    pub factor: f64,
    /// Names of the topics that it is about; none where it is about all.
    #[serde(default)]
    pub topics: Vec<String>,
}

impl Planned {
    /// Whether it is about a topic.
    pub fn is_about(&self, topic: &str) -> bool {
        self.topics.is_empty() || self.topics.iter().any(|t| t == topic)
    }

    /// Whether some of the time between two instants is in it.
    pub fn touches(&self, from: Timestamp, to: Timestamp) -> bool {
        self.from < to && self.to > from
    }

    /// Up to how many times the usual it lets expect of the time between two instants, by its share of that time.
    pub fn factor_over(&self, from: Timestamp, to: Timestamp) -> f64 {
        let (a, b) = (self.from.max(from).as_millisecond(), self.to.min(to).as_millisecond());
        let whole = (to.as_millisecond() - from.as_millisecond()).max(1);
        let more = if self.factor.is_finite() { (self.factor - 1.0).max(0.0) } else { 0.0 };
        1.0 + more * (b - a).max(0) as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Span;

    #[test]
    fn widens_by_its_share_of_the_time() {
        let at = |minutes| Timestamp::UNIX_EPOCH + Span::mins(minutes);
        let launch = Planned { name: "launch".into(), from: at(60), to: at(120), factor: 3.0, topics: Vec::new() };
        assert!(launch.touches(at(0), at(61)) && !launch.touches(at(0), at(60)) && !launch.touches(at(120), at(180)));
        assert_eq!(launch.factor_over(at(60), at(120)), 3.0);
        assert_eq!(launch.factor_over(at(90), at(150)), 2.0);
        assert_eq!(launch.factor_over(at(130), at(150)), 1.0);
        assert_eq!(Planned { factor: f64::NAN, ..launch }.factor_over(at(60), at(120)), 1.0);
    }
}
