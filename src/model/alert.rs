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

/// An alert rule as meant: every name in it exists, every condition compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Unique name.
    pub name: String,
    /// The name to show to people.
    pub title: String,
    /// Topics that a mention must match.
    pub topics: Vec<String>,
    /// True when one of `topics` is enough.
    pub any: bool,
    /// Length of the sliding window of event time.
    pub window: Span,
    /// A condition in CEL over the signals.
    pub condition: String,
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
}

/// The facts of a mention that alerts may group by.
pub const GROUPS: [&str; 4] = ["topic", "language", "network", "source"];
