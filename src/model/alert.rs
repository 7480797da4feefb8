//! When to ring: a condition over signals.

use super::Severity;
use super::time::Span;

/// A condition that makes an incident more severe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raise {
    /// The severity it raises to.
    pub to: Severity,
    /// A condition in CEL over the signals.
    pub when: String,
}

/// Whose first word about something counts as `first_seen`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstSeen {
    /// Sites of this tier or a better one (1 is the best); `None` where sites do not count.
    pub tier: Option<u8>,
    /// Authors with at least so many followers; `None` where authors do not count.
    pub followers: Option<u64>,
    /// Whoever was silent for so long speaks for the first time again.
    pub within: Span,
}

/// An alert rule as meant: every name in it exists, every condition compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Unique name.
    pub name: String,
    /// The name to show to people.
    pub title: String,
    /// Topics that a mention must match; none where the rule watches over sources.
    pub topics: Vec<String>,
    /// True when one of `topics` is enough.
    pub any: bool,
    /// Sources whose silence is watched, each for itself; empty where the rule listens to topics.
    pub silence_of: Vec<String>,
    /// Length of the sliding window of event time.
    pub window: Span,
    /// A condition in CEL over the signals.
    pub condition: String,
    /// The condition has to hold for so long before it rings.
    pub hold: Span,
    /// While an incident is open it is calm only where this condition in CEL holds; `None` where its own condition failing
    /// is enough.
    pub calm: Option<String>,
    /// Sites or networks that have to carry it independently.
    pub min_sources: u64,
    /// What the signal `first_seen` counts; `None` where it is not asked for.
    pub first_seen: Option<FirstSeen>,
    /// Authors that have to use a word before the signal `new_terms` counts it; `None` where it is not asked for.
    pub new_term: Option<u64>,
    /// Severity when it opens.
    pub severity: Severity,
    /// Conditions that raise it, in the order written.
    pub raise: Vec<Raise>,
    /// `topic`, `language`, `network` or `source`: one incident for each value.
    pub group_by: Vec<String>,
    /// Name of the playbook; empty for none.
    pub playbook: String,
    /// Name of the escalation policy.
    pub escalation: String,
    /// Tell again this often while open and not acknowledged; `None` for never.
    pub remind: Option<Span>,
    /// Calm for this long resolves it.
    pub resolve_after: Span,
    /// Incidents that it may open in an hour; beyond that it is flooding.
    pub most_an_hour: u32,
    /// It is only tried out: its incidents are recorded, and nobody is called.
    pub shadow: bool,
}

/// A rule without a name, topics or a condition, with the usual choices for the rest.
impl Default for Alert {
    fn default() -> Alert {
        Alert {
            name: String::new(),
            title: String::new(),
            topics: Vec::new(),
            any: false,
            silence_of: Vec::new(),
            window: Span::mins(15),
            condition: String::new(),
            hold: Span::ZERO,
            calm: None,
            min_sources: 0,
            first_seen: None,
            new_term: None,
            severity: Severity::Review,
            raise: Vec::new(),
            group_by: Vec::new(),
            playbook: String::new(),
            escalation: String::new(),
            remind: None,
            resolve_after: Span::hours(2),
            most_an_hour: 20,
            shadow: false,
        }
    }
}

/// The facts of a mention that alerts may group by.
pub const GROUPS: [&str; 4] = ["topic", "language", "network", "source"];
