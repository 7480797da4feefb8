//! Escalation policies: who is told in which order, when a step counts, and who is told last.
//!
//! Which step is next at an instant is worked out by `engine::escalation`.

use jiff::civil::Date;

use super::Severity;
use super::schedule::Hours;
use super::time::Span;

/// The name that means every person.
pub const EVERYBODY: &str = "everybody";

/// One step of an escalation policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// Names of persons, teams and schedules to tell, or [`EVERYBODY`].
    pub notify: Vec<String>,
    /// How long to wait for an acknowledgement before the next step.
    pub wait: Span,
    /// It counts for this severity and those above; for all where this is none.
    pub from: Option<Severity>,
    /// It counts at these hours of the policy's zone; always where this is empty.
    pub only: Vec<Hours>,
    /// It counts on working days, or on the others; on all where this is none.
    pub working_day: Option<bool>,
}

/// Who is told, in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Unique name.
    pub name: String,
    /// Steps in order; never empty.
    pub steps: Vec<Step>,
    /// How many times the steps run altogether.
    pub repeat: u32,
    /// Told once when all steps have passed without an acknowledgement.
    pub last_resort: Vec<String>,
    /// Whoever has an incident has it for so long; then people are called again. For ever where this is none.
    pub lapse: Option<Span>,
    /// IANA name of the zone that hours and days of its steps are meant in; UTC where it is empty.
    pub time_zone: String,
    /// Days off besides Saturdays and Sundays, in order: those of the calendars that it names.
    pub days_off: Vec<Date>,
}
