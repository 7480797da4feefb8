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

    /// Whether it is something to be published.
    pub fn is_post(&self) -> bool {
        !self.channel.is_empty()
    }
}
