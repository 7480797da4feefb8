//! Silences: what people know of and do not want to be called for, until when.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Incident, Severity};

/// A matcher and an end time; incidents that it covers are recorded, but nobody is called. One that begins later is a
/// maintenance window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its number; 0 before it is stored.
    pub id: i64,
    /// Covers incidents of this alert rule; of all where this is none.
    pub alert: Option<String>,
    /// Covers incidents about this topic; about all where this is none.
    pub topic: Option<String>,
    /// Covers incidents up to this severity, which is below crisis unless somebody says so: what gets worse calls.
    pub upto: Severity,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// Who laid it.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Silence {
    /// Whether it is in force.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }

    /// Whether nobody is to be called for an incident.
    pub fn covers(&self, incident: &Incident, now: Timestamp) -> bool {
        self.holds(now)
            && incident.severity <= self.upto
            && self.alert.as_ref().is_none_or(|a| *a == incident.alert)
            && self.topic.as_ref().is_none_or(|t| *t == incident.topic)
    }
}
