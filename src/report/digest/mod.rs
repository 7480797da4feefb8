//! The digest of a day, a week or a month: how much was said, how it sounded, by whom, and what was done, each beside the
//! period before.

mod render;
mod table;
mod words;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use render::{Shown, show};
pub use table::{Datum, Table, tables, write_csv};

use super::after::Voice;
use super::chart::Series;
use crate::model::time::Span;
use crate::model::{Period, Severity};

/// What is counted of a topic in a period.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Mentions.
    pub mentions: u64,
    /// Negative ones.
    pub negative: u64,
    /// Positive ones.
    pub positive: u64,
    /// Those whose language is scored.
    pub scored: u64,
    /// Sum of sentiment.
    pub sentiment: f64,
    /// Sum of reach, people.
    pub reach: u64,
}

impl Tally {
    /// Negative mentions over scored ones, 0 to 1.
    pub fn negative_share(&self) -> f64 {
        self.negative as f64 / self.scored.max(1) as f64
    }

    /// Positive mentions over scored ones, 0 to 1.
    pub fn positive_share(&self) -> f64 {
        self.positive as f64 / self.scored.max(1) as f64
    }

    /// Mean sentiment, −1 to 1.
    pub fn mean(&self) -> f64 {
        self.sentiment / self.scored.max(1) as f64
    }
}

/// A brand among its competitors.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// Its title.
    pub title: String,
    /// It is the brand that the digest is about.
    pub own: bool,
    /// In the period.
    pub now: Tally,
    /// In the period before.
    pub before: Tally,
    /// Mentions of each day.
    pub days: Vec<u64>,
}

/// Something with its mentions, now and before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rank {
    /// Its name, safe to show.
    pub name: String,
    /// Mentions.
    pub now: u64,
    /// In the period before.
    pub before: u64,
}

/// An author, safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// The name.
    pub name: String,
    /// The network.
    pub network: String,
    /// Mentions.
    pub mentions: u64,
    /// Most people that one of them may have reached.
    pub reach: u64,
}

/// An incident that opened in the period.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its number.
    pub id: i64,
    /// What it was.
    pub title: String,
    /// How bad it became.
    pub severity: Severity,
    /// When it opened.
    pub opened: Timestamp,
    /// How long until somebody had it.
    pub taken: Option<Span>,
    /// How long until it was over.
    pub over: Option<Span>,
}

/// How fast people were.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Response {
    /// Incidents.
    pub incidents: u64,
    /// The middle of the times until somebody had one.
    pub taken: Option<Span>,
    /// Mentions that needed an answer.
    pub needed: u64,
    /// Those that were answered.
    pub answered: u64,
    /// Those that were answered within their time.
    pub in_time: u64,
    /// The middle of the times until an answer.
    pub answer: Option<Span>,
}

/// What a digest is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    /// Name of the topic.
    pub topic: String,
    /// Its title.
    pub title: String,
    /// The days that it is about.
    pub period: Period,
    /// The zone of the days.
    pub zone: TimeZone,
    /// The period.
    pub now: Tally,
    /// Its authors, and those of the period before.
    pub authors: (u64, u64),
    /// The period before.
    pub before: Tally,
    /// Mentions over time: by hour of a day, else by day. Expected is the mean of the period before.
    pub series: Series,
    /// The brand among its competitors, itself first.
    pub shares: Vec<Share>,
    /// Networks, most mentions first.
    pub networks: Vec<Rank>,
    /// Languages.
    pub languages: Vec<Rank>,
    /// Sites.
    pub sites: Vec<Rank>,
    /// Who was heard most.
    pub writers: Vec<Writer>,
    /// The loudest stories.
    pub stories: Vec<Voice>,
    /// What pleased people most.
    pub best: Vec<Voice>,
    /// Engagement of each of those: likes, reposts, comments.
    pub engagement: Vec<u64>,
    /// Words that are new, with the texts that have them.
    pub hot: Vec<(String, u32)>,
    /// Incidents.
    pub incidents: Vec<Event>,
    /// How fast people were, and how fast in the period before.
    pub response: (Response, Response),
}

#[cfg(test)]
pub(crate) mod tests;
