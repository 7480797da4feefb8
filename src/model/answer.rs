//! A mention that somebody should answer, and what became of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How far an answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody has it.
    New,
    /// Somebody has it.
    Taken,
    /// It was answered.
    Answered,
    /// It needs no answer.
    Dismissed,
}

impl State {
    /// The word to show and to store.
    pub fn as_str(self) -> &'static str {
        match self {
            State::New => "new",
            State::Taken => "taken",
            State::Answered => "answered",
            State::Dismissed => "dismissed",
        }
    }

    /// Reads the word back; `New` for any other.
    pub fn parse(word: &str) -> State {
        let all = [State::Taken, State::Answered, State::Dismissed];
        all.into_iter().find(|s| s.as_str() == word).unwrap_or(State::New)
    }

    /// Whether somebody still has to do something.
    pub fn is_open(self) -> bool {
        matches!(self, State::New | State::Taken)
    }
}

/// A mention that somebody should answer, or give thanks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Number of the mention.
    pub mention: i64,
    /// It is praise: thanks are enough.
    pub praise: bool,
    /// 0 to 100.
    pub urgency: u8,
    /// When vakt had it.
    pub asked: Timestamp,
    /// When it should be answered.
    pub due: Timestamp,
    /// How far it has come.
    pub state: State,
    /// Name of the person who has it; empty for nobody.
    pub owner: String,
    /// When it was answered or dismissed.
    pub done: Option<Timestamp>,
    /// What was done, or why nothing was.
    pub note: String,
}
