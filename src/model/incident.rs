//! An alert rule that fired for one group: open, acknowledged, resolved; with its evidence.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::time::Span;
use super::{Mention, Severity, Signals};

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nobody has it yet; the escalation policy runs.
    Open,
    /// Somebody has it; nobody else is called.
    Acknowledged,
    /// Over.
    Resolved,
}

impl Status {
    /// The word used in pages, mails and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Acknowledged => "acknowledged",
            Status::Resolved => "resolved",
        }
    }
}

/// One comparison of a condition, with what was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// The signal.
    pub signal: String,
    /// `>=`, `>`, `<=`, `<`, `==` or `!=`.
    pub op: String,
    /// The threshold as written.
    pub threshold: f64,
    /// What was seen.
    pub value: f64,
    /// Whether it held.
    pub held: bool,
}

/// Why an incident stands at its severity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The signals when it was judged.
    pub signals: Signals,
    /// The condition as written.
    pub condition: String,
    /// Its comparisons beside what was seen.
    pub terms: Vec<Term>,
    /// The `raise` conditions that held, with the severity that each asks for.
    pub raised: Vec<(Severity, String)>,
    /// Between which numbers of mentions the window usually lies: nineteen times in twenty, and 999 times in 1,000.
    #[serde(default)]
    pub range: (u64, u64),
    /// Days from one such window to the next by chance alone, for a rule that asks how strange its window is; 0 for others.
    #[serde(default)]
    pub days_apart: f64,
    /// What else speaks for it: who speaks for the first time, which words are new.
    #[serde(default)]
    pub about: Vec<String>,
    /// For how long its condition had held when it rang.
    #[serde(default)]
    pub held: Span,
}

/// Who has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// Name of the person.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What they said; may be empty.
    pub note: String,
    /// When people are called again unless it is over by then; never where this is none.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// An alert rule that fired for one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number; 0 before it is stored.
    pub id: i64,
    /// Name of the alert rule.
    pub alert: String,
    /// The group's value, such as `acme` or `acme/sv`.
    pub group: String,
    /// The topic whose name people know it by.
    pub topic: String,
    /// Where it stands.
    pub status: Status,
    /// How bad it is; a rule raises it, only people lower it.
    pub severity: Severity,
    /// What it was before people lowered it: they know of that, and only what is worse raises it again.
    #[serde(default)]
    pub overruled: Option<Severity>,
    /// When it opened.
    pub opened: Timestamp,
    /// When the condition last held.
    pub fired: Timestamp,
    /// When it was resolved.
    pub resolved: Option<Timestamp>,
    /// Its condition has been seen not to hold since people resolved it. Until then it is not back: it never went away.
    #[serde(default)]
    pub calm: bool,
    /// Who has it.
    pub ack: Option<Ack>,
    /// Steps of the policy already taken, over all rounds.
    pub steps_taken: u32,
    /// When the next step is due; `None` when the policy has run out or somebody has it.
    pub next_step: Option<Timestamp>,
    /// When the next reminder is due.
    pub next_remind: Option<Timestamp>,
    /// Names of the persons told so far.
    pub told: Vec<String>,
    /// Messages composed so far; numbers the message ids of its thread.
    pub messages: u32,
    /// Most mentions seen in one window.
    pub peak: u64,
    /// Why it stands at its severity, at its worst.
    pub evidence: Arc<Evidence>,
    /// The number of the worse incident about the same that mutes it: nobody is called for it meanwhile.
    #[serde(default)]
    pub muted_by: Option<i64>,
    /// The number of the incident that people say it is part of: while that is open and no milder, it mutes this one, and
    /// this one ends with it.
    #[serde(default)]
    pub merged_into: Option<i64>,
    /// The number of the silence that people have laid over it: nobody is called for it meanwhile.
    #[serde(default)]
    pub silenced_by: Option<i64>,
    /// Until when people have put it off; then its policy begins again.
    #[serde(default)]
    pub snoozed: Option<Timestamp>,
    /// Its rule is only tried out: nobody is called.
    #[serde(default)]
    pub shadow: bool,
    /// It is an exercise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<Arc<Drill>>,
    /// It stands for all that its rule would have opened beyond its cap: how many, and the groups of the first of them.
    #[serde(default)]
    pub flood: Option<Flood>,
}

impl Incident {
    /// What is worse than this is worse than people know.
    pub fn known(&self) -> Severity {
        self.overruled.map_or(self.severity, |o| o.max(self.severity))
    }

    /// How the audit log names it.
    pub fn about(&self) -> String {
        let mark = if self.drill.is_some() { " (DRILL)" } else { "" };
        format!("incident {}{mark}", self.id)
    }

    /// Nobody is called for it, though it is open: a worse one mutes it, or people have silenced it.
    pub fn is_hushed(&self) -> bool {
        self.muted_by.is_some() || self.silenced_by.is_some()
    }
}

/// The group of exercises: no real incident has it.
pub const DRILL: &str = "*drill";

/// An exercise: nothing of it has happened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Drill {
    /// Names of the persons who are told in the place of those whom the policy calls; empty where those are told.
    pub to: Vec<String>,
    /// The invented mentions that its messages show.
    pub mentions: Vec<Mention>,
}

/// What a rule would have opened beyond its cap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flood {
    /// How many incidents.
    pub kept_back: u64,
    /// The groups of the first of them.
    pub groups: Vec<String>,
}

/// Why people are told something about an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notice {
    /// It opened.
    Opened,
    /// It had calmed, and came back soon.
    Reopened,
    /// It became more severe.
    Raised,
    /// Nobody has acknowledged it in time; the next step is told.
    Escalated,
    /// It is still open and not acknowledged.
    Reminder,
    /// Whoever had it has had it for too long without an end.
    Lapsed,
    /// It is given to somebody, who is told.
    Assigned,
    /// People have put it off.
    Snoozed,
    /// People have made it milder.
    Lowered,
    /// It is part of another incident from now on.
    Merged,
    /// Somebody has it.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl Notice {
    /// Whether it asks nothing of anybody: it can wait until sleepers wake, needs no sound, and brings no plan with it.
    pub fn asks_nothing(self) -> bool {
        use Notice::{Acknowledged, Lowered, Merged, Resolved, Snoozed};
        matches!(self, Acknowledged | Resolved | Snoozed | Lowered | Merged)
    }

    /// Every reason to tell somebody something.
    pub const ALL: [Notice; 12] = [
        Notice::Opened,
        Notice::Reopened,
        Notice::Raised,
        Notice::Escalated,
        Notice::Reminder,
        Notice::Lapsed,
        Notice::Assigned,
        Notice::Snoozed,
        Notice::Lowered,
        Notice::Merged,
        Notice::Acknowledged,
        Notice::Resolved,
    ];

    /// The word used in subjects, pages and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Notice::Opened => "opened",
            Notice::Reopened => "reopened",
            Notice::Raised => "raised",
            Notice::Escalated => "escalated",
            Notice::Reminder => "reminder",
            Notice::Lapsed => "lapsed",
            Notice::Assigned => "assigned",
            Notice::Snoozed => "snoozed",
            Notice::Merged => "merged",
            Notice::Lowered => "lowered",
            Notice::Acknowledged => "acknowledged",
            Notice::Resolved => "resolved",
        }
    }
}
