//! What is known beforehand: launches, match days, results, public holidays and planned posts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that stands in a calendar. One that comes back is many of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// What it is called.
    pub name: String,
    /// When it begins.
    pub from: Timestamp,
    /// When it is over; after `from`.
    pub to: Timestamp,
    /// How many times the usual number of mentions may come meanwhile; at least 1.
    pub factor: f64,
    /// Names of the topics that it concerns; empty means all.
    #[serde(default)]
    pub topics: Vec<String>,
    /// It takes whole days, in the zone of the brand.
    #[serde(default)]
    pub whole_day: bool,
    /// Where it is to be published, such as `instagram`; empty where it is no post.
    #[serde(default)]
    pub channel: String,
    /// What is to be published; may be empty.
    #[serde(default)]
    pub text: String,
    /// The calendar that it stands in: its file's name without the ending.
    #[serde(default)]
    pub calendar: String,
}

/// An event without a name or any length, about all topics.
impl Default for Planned {
    fn default() -> Planned {
        Planned {
            name: String::new(),
            from: Timestamp::UNIX_EPOCH,
            to: Timestamp::UNIX_EPOCH,
            factor: Planned::FACTOR,
            topics: Vec::new(),
            whole_day: false,
            channel: String::new(),
            text: String::new(),
            calendar: String::new(),
        }
    }
}

impl Planned {
    /// The factor of what names none.
    pub const FACTOR: f64 = 3.0;
    /// The largest factor that makes sense.
    pub const LARGEST_FACTOR: f64 = 1000.0;

    /// Whether it goes on at an instant.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    /// Whether it concerns a topic.
    pub fn concerns(&self, topic: &str) -> bool {
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

    /// Whether it is something to be published.
    pub fn is_post(&self) -> bool {
        !self.channel.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Span;

    #[test]
    fn widens_by_its_share_of_the_time() {
        let at = |minutes| Timestamp::UNIX_EPOCH + Span::mins(minutes);
        let launch = Planned { name: "launch".into(), from: at(60), to: at(120), factor: 3.0, ..Planned::default() };
        assert!(launch.touches(at(0), at(61)) && !launch.touches(at(0), at(60)) && !launch.touches(at(120), at(180)));
        assert_eq!(launch.factor_over(at(60), at(120)), 3.0);
        assert_eq!(launch.factor_over(at(90), at(150)), 2.0);
        assert_eq!(launch.factor_over(at(130), at(150)), 1.0);
        assert_eq!(Planned { factor: f64::NAN, ..launch }.factor_over(at(60), at(120)), 1.0);
    }
}
