//! Drafts: replies and statements that wait for approval, and what became of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Network;

/// How far a draft has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for approvals.
    Waiting,
    /// Everybody who was asked has approved it.
    Approved,
    /// Somebody has sent it back, and said why.
    Rejected,
    /// It was given to whoever publishes it.
    HandedOver,
}

impl State {
    /// The word to show.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Approved => "approved",
            State::Rejected => "rejected",
            State::HandedOver => "handed over",
        }
    }
}

/// Somebody's mark on a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Name of the person.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// In words: why it was rejected, where it was handed to. Empty for an approval.
    #[serde(default)]
    pub note: String,
}

/// What a draft answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The incident that it is said in.
    pub incident: Option<i64>,
    /// The mention that it replies to.
    pub mention: Option<i64>,
}

/// What a draft said before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Its number.
    pub version: u32,
    /// Name of whoever wrote it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The words.
    pub text: String,
}

/// A machine that has proposed a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The model, in the words of the settings.
    pub model: String,
    /// The version that it proposed; later ones are of people.
    pub version: u32,
}

/// Earlier versions that are kept; of more the oldest are forgotten.
const KEPT: usize = 50;

/// A reply or a statement with everything that was done to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Its number; 0 before it is stored.
    pub id: i64,
    /// What it answers.
    pub about: About,
    /// Name of the playbook that it is written by; empty for none.
    pub playbook: String,
    /// ISO 639-1 code.
    pub language: String,
    /// The network that it is for; `None` for one that serves everywhere.
    pub network: Option<Network>,
    /// Said to one person.
    pub reply: bool,
    /// What is to be said.
    pub text: String,
    /// From 1; each change of the text is one more, and needs its own approvals.
    pub version: u32,
    /// Everybody who has written of it, the first one first: they do not approve it.
    pub authors: Vec<String>,
    /// When the text was written as it is.
    pub written: Timestamp,
    /// How many have to approve it.
    pub asked: usize,
    /// Who may; empty for everybody but its authors.
    pub approvers: Vec<String>,
    /// How far it has come.
    pub state: State,
    /// The approvals of this version.
    pub approvals: Vec<Mark>,
    /// The last rejection.
    pub rejected: Option<Mark>,
    /// To whom it was handed over.
    pub handed_over: Option<Mark>,
    /// Whoever wrote the text as it is; empty in drafts of older versions of vakt.
    #[serde(default)]
    pub writer: String,
    /// What it said before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<Past>,
    /// The machine that proposed its first text, at the wish of its first author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
}

impl Draft {
    /// Whoever wrote the text as it is.
    pub fn writer(&self) -> &str {
        if self.writer.is_empty() { self.authors.last().map_or("", String::as_str) } else { &self.writer }
    }

    /// The model that proposed the text as it is, which no person has changed.
    pub fn by_machine(&self) -> Option<&str> {
        self.machine.as_ref().filter(|m| m.version == self.version).map(|m| m.model.as_str())
    }

    /// Has it say something else, in somebody's words; what it said is kept.
    pub fn rewrite(&mut self, text: String, by: &str, now: Timestamp) {
        let writer = self.writer().to_owned();
        self.past.push(Past { version: self.version, by: writer, at: self.written, text: self.text.clone() });
        let over = self.past.len().saturating_sub(KEPT);
        self.past.drain(..over);
        self.writer = by.to_owned();
        self.renew(text, now);
    }

    /// Has it say something else without keeping what it said: what was approved was another text. Whose words they are
    /// stays: no person has written any.
    pub fn strike(&mut self, text: String, now: Timestamp) {
        if let Some(machine) = self.machine.as_mut().filter(|m| m.version == self.version) {
            machine.version += 1;
        }
        self.renew(text, now);
    }

    fn renew(&mut self, text: String, now: Timestamp) {
        self.text = text;
        self.version += 1;
        self.written = now;
        self.approvals.clear();
        if self.state == State::Approved {
            self.state = State::Waiting;
        }
    }
}
