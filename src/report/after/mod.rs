//! The after-action report of an incident: what happened, how soon it was seen, told, taken and answered, what was said,
//! and what the log asks to be changed.
//!
//! It is written from the log alone: every time, name and number in it was kept when it happened.

mod events;
mod findings;
mod render;
mod words;

use jiff::Timestamp;
use serde::Serialize;

pub use findings::{Finding, findings};
pub use render::{Form, RenderError, render};

use super::chart::Series;
use crate::model::time::{Span, between};
use crate::model::{Severity, Status};

/// One of the loudest stories, in words that are safe to show.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Voice {
    /// Site or source, network and author.
    pub place: String,
    /// The network.
    pub network: String,
    /// Who wrote it.
    pub author: String,
    /// Its headline; may be empty.
    pub title: String,
    /// Its words, shortened.
    pub quote: String,
    /// Its address, such that nobody clicks on it; may be empty.
    pub link: String,
    /// Language, ISO 639-1.
    pub language: String,
    /// People it may have reached.
    pub reach: u64,
    /// Mentions of the same story, itself among them.
    pub copies: u64,
    /// It is negative.
    pub negative: bool,
    /// When it was published.
    pub at: Timestamp,
}

/// One message that the incident caused.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// Whom it was for.
    pub person: String,
    /// By which channel.
    pub channel: String,
    /// `waiting`, `delivered`, `failed`, `held` or `spared`.
    pub state: String,
    /// When it was composed.
    pub created: Timestamp,
    /// When somebody took it, or it was given up.
    pub done: Option<Timestamp>,
}

/// One thing that was said or was to be said.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Number of the draft.
    pub draft: i64,
    /// ISO 639-1 code.
    pub language: String,
    /// The network; empty where it serves everywhere.
    pub network: String,
    /// Its words.
    pub text: String,
    /// The model that proposed its first words; empty where people wrote them.
    pub machine: String,
    /// Who wrote of it.
    pub authors: Vec<String>,
    /// Who approved it, and when.
    pub approvals: Vec<(String, Timestamp)>,
    /// How many had to.
    pub asked: usize,
    /// Who sent it back, when and why.
    pub rejected: Option<(String, Timestamp, String)>,
    /// Who handed it over, when and to whom.
    pub handed_over: Option<(String, Timestamp, String)>,
}

/// One step of the checklist.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Who was to do it.
    pub role: String,
    /// What was to be done.
    pub what: String,
    /// By when.
    pub due: Option<Timestamp>,
    /// Who did it, and when.
    pub done: Option<(String, Timestamp)>,
}

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// Who: a person, or `vakt`.
    pub who: String,
    /// What, in the log's word.
    pub what: String,
    /// More of it.
    pub detail: String,
}

/// What a machine has summed up.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The model, in the words of the settings.
    pub model: String,
    /// Plain text; an empty line parts paragraphs.
    pub text: String,
}

/// What is known of an incident. Persons are full names.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Its number.
    pub incident: i64,
    /// The brand, product, person or theme.
    pub brand: String,
    /// The alert rule's title.
    pub title: String,
    /// The condition as it was written, with what was seen beside each threshold.
    pub condition: String,
    /// Each comparison of it: what its signal means, in the reader's language, what was seen, `>= 5`.
    pub terms: Vec<(String, f64, String)>,
    /// How bad it was at its worst.
    pub severity: Severity,
    /// Where it stands.
    pub status: Status,
    /// It was an exercise: nothing of it happened.
    pub drill: bool,
    /// Its rule was only tried out: nobody was called.
    pub shadow: bool,
    /// Publication of its first mention.
    pub first: Option<Timestamp>,
    /// When vakt had that mention.
    pub received: Option<Timestamp>,
    /// When it rang.
    pub opened: Timestamp,
    /// Who took it first, and when.
    pub taken: Option<(String, Timestamp)>,
    /// Who ended it, and when; `vakt` where it calmed by itself.
    pub resolved: Option<(String, Timestamp)>,
    /// How soon the playbook asks for an answer.
    pub target: Option<Span>,
    /// Length of the rule's window.
    pub window: Span,
    /// Most mentions within one window, and mentions that are usual in it.
    pub peak: (u64, f64),
    /// When its busiest quarter of an hour began, and its mentions.
    pub busiest: Option<(Timestamp, u32)>,
    /// Mentions from the first to the end.
    pub mentions: u64,
    /// Negative ones.
    pub negative: u64,
    /// Distinct authors.
    pub authors: u64,
    /// Sum of their reach, people.
    pub reach: u64,
    /// Networks with their mentions, most first.
    pub networks: Vec<(String, u64)>,
    /// Languages with their mentions, most first.
    pub languages: Vec<(String, u64)>,
    /// Its mentions over time.
    pub series: Series,
    /// The loudest stories, loudest first.
    pub voices: Vec<Voice>,
    /// The messages, in order.
    pub sent: Vec<Sent>,
    /// What was said.
    pub statements: Vec<Statement>,
    /// The checklist.
    pub steps: Vec<Step>,
    /// The timeline.
    pub timeline: Vec<Line>,
    /// When the report was written.
    pub now: Timestamp,
    /// What a machine makes of it, where somebody asked one.
    pub summary: Option<Summary>,
}

impl Facts {
    /// When the first person was told: some channel took a message for them.
    pub fn told(&self) -> Option<(&str, Timestamp)> {
        let delivered = self.sent.iter().filter(|s| s.state == "delivered");
        delivered.filter_map(|s| Some((s.person.as_str(), s.done?))).min_by_key(|(_, at)| *at)
    }

    /// When something was first handed over to be published.
    pub fn answered(&self) -> Option<Timestamp> {
        self.statements.iter().filter_map(|s| s.handed_over.as_ref()).map(|(_, at, _)| *at).min()
    }

    /// When it was over; now, where it is not.
    pub fn end(&self) -> Timestamp {
        self.resolved.as_ref().map_or(self.now, |(_, at)| *at)
    }

    /// How long something took after the first mention; after it rang, where no mention is kept.
    fn after_first(&self, at: Timestamp) -> Span {
        between(self.first.unwrap_or(self.opened), at)
    }
}

#[cfg(test)]
pub(crate) mod tests;
