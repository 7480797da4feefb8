//! How many messages a day a person bears, and which are held back beyond that.

use jiff::Timestamp;

use super::oncall::zone;
use crate::model::{Notice, Person, Severity};

/// What speaks for holding a message back, beside the person's budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// How severe its incident is.
    pub severity: Severity,
    /// Why the person is told.
    pub notice: Notice,
    /// The person was told of the incident before, by a message that was not held.
    pub told: bool,
    /// Messages about incidents that went to the person on this day.
    pub sent: u64,
}

/// Whether a message is held back. Those of severe incidents never are, and nobody who was told of an incident is left
/// without knowing that somebody has it, that it is part of another, or that it is over.
pub fn is_held(budget: Option<u32>, asked: &Asked) -> bool {
    let closes = matches!(asked.notice, Notice::Acknowledged | Notice::Merged | Notice::Resolved) && asked.told;
    // Whoever is given something has to know of it.
    let given = asked.notice == Notice::Assigned;
    asked.severity < Severity::Escalate && !closes && !given && budget.is_some_and(|most| asked.sent >= u64::from(most))
}

/// When the day of a person began.
pub fn day_of(person: &Person, now: Timestamp) -> Timestamp {
    let local = now.to_zoned(zone(&person.time_zone));
    local.start_of_day().map_or(now, |start| start.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_budget_is_held() {
        let asked = Asked { severity: Severity::Review, notice: Notice::Opened, told: false, sent: 20 };
        assert!(is_held(Some(20), &asked) && !is_held(None, &asked));
        assert!(!is_held(Some(20), &Asked { sent: 19, ..asked }));
        assert!(!is_held(Some(20), &Asked { severity: Severity::Escalate, ..asked }));
        let over = Asked { notice: Notice::Resolved, ..asked };
        assert!(!is_held(Some(20), &Asked { told: true, ..over }));
        assert!(!is_held(Some(20), &Asked { notice: Notice::Assigned, ..asked }));
        assert!(is_held(Some(20), &over), "who was not told that it began need not hear that it ended");
    }

    #[test]
    fn a_day_is_the_persons_own() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let anna = Person { time_zone: "Europe/Stockholm".into(), ..Person::default() };
        assert_eq!(day_of(&anna, at("2026-03-29T12:00:00Z")), at("2026-03-28T23:00:00Z"));
        assert_eq!(day_of(&anna, at("2026-03-29T22:30:00Z")), at("2026-03-29T22:00:00Z"));
        assert_eq!(day_of(&Person::default(), at("2026-03-29T22:30:00Z")), at("2026-03-29T00:00:00Z"));
    }

    proptest::proptest! {
        #[test]
        fn what_is_severe_is_never_held(
            budget: Option<u32>, severity in 0usize..4, notice in 0usize..12, told: bool, sent: u64,
        ) {
            let asked = Asked { severity: Severity::ALL[severity], notice: Notice::ALL[notice], told, sent };
            let held = is_held(budget, &asked);
            proptest::prop_assert!(!held || (asked.severity < Severity::Escalate && budget.is_some()));
            proptest::prop_assert!(!(held && told && notice >= 9));
            // More of a budget never holds more.
            proptest::prop_assert!(held || !is_held(budget.map(|b| b.saturating_add(1)), &asked));
        }
    }
}
