//! How often a source is asked: a pure timetable, and the hosts that asked to be left alone for a while.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::model::time::{Span, between};

/// What a fetch brought, as far as the timetable cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// So many items that were not there last time.
    New(usize),
    /// Nothing new.
    Unchanged,
    /// It failed, the so-manieth time in a row (1 is the first), and the site may have said when to come back.
    Failed {
        /// Failures in a row, this one included.
        streak: u32,
        /// How long the site asked us to stay away.
        retry_after: Option<Span>,
    },
    /// Nothing of the last document was left in this one: items may have been missed.
    Gap,
}

/// The bounds within which a source is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Nothing is asked more often than this.
    pub min: Span,
    /// And nothing that works more seldom.
    pub max: Span,
    /// The interval that the operator wants; without it, it follows how often the source really changes.
    pub every: Option<Span>,
}

impl Pace {
    /// How long to wait before the next fetch.
    ///
    /// `last` is the interval before this fetch, `max_age` how long the site calls its answer fresh, and `jitter`, −1 to
    /// 1, moves the answer by up to a tenth so that sources do not march in step. A source without a wish of its own is
    /// asked sooner after it brought much, later after it brought nothing. Failures double the interval from the second
    /// one on, up to `max`. What a site asked for in `Retry-After` is kept even beyond `max`.
    pub fn next_interval(&self, last: Span, outcome: Outcome, max_age: Option<Span>, jitter: f64) -> Span {
        let (min, max) = (self.min.as_millis().max(1), self.max.as_millis().max(self.min.as_millis()).max(1));
        let last = last.as_millis().clamp(min, max);
        let usual = self.every.map(|e| e.as_millis().max(min));
        let mut floor = min;
        let mut next = match outcome {
            Outcome::New(n) if n > 0 => usual.unwrap_or(if n >= 5 { last / 2 } else { last / 5 * 4 }),
            Outcome::New(_) | Outcome::Unchanged => usual.unwrap_or(last.saturating_add(last / 4)),
            Outcome::Gap => usual.unwrap_or(last).min(last) / 2,
            Outcome::Failed { streak, retry_after } => {
                floor = floor.max(retry_after.map_or(0, Span::as_millis));
                let doublings = streak.saturating_sub(1).min(20);
                // From the wish, or from the interval before the failures began.
                usual.unwrap_or(last).saturating_mul(1_i64 << doublings)
            }
        };
        if usual.is_none() && !matches!(outcome, Outcome::Failed { .. } | Outcome::Gap) {
            next = next.max(max_age.map_or(0, Span::as_millis));
        }
        // A wish longer than `max` is still the operator's wish.
        next = next.clamp(min, max.max(usual.unwrap_or(0)));
        let jitter = if jitter.is_finite() { jitter.clamp(-1.0, 1.0) } else { 0.0 };
        let moved = next.saturating_add((next as f64 * 0.1 * jitter) as i64);
        Span::millis(moved.max(floor))
    }
}

/// No host rests for longer than a day: what ends later was told by a clock that was ahead.
const LONGEST_REST: Span = Span::hours(25);

/// Hosts that answered 429 or 503: none of their sources is asked before the time they named.
#[derive(Debug, Default)]
pub struct Pauses(HashMap<String, Timestamp>);

impl Pauses {
    /// Leaves a host alone until then; a later end wins.
    pub fn pause(&mut self, host: &str, until: Timestamp) {
        let end = self.0.entry(host.to_owned()).or_insert(until);
        *end = (*end).max(until);
    }

    /// All that still rest, in the order of their names.
    pub fn all(&self, now: Timestamp) -> Vec<(String, Timestamp)> {
        let resting = self.0.iter().filter(|(_, until)| is_resting(**until, now));
        let mut all: Vec<_> = resting.map(|(host, until)| (host.clone(), *until)).collect();
        all.sort();
        all
    }

    /// How long the host still rests; forgets all that have rested enough.
    pub fn remaining(&mut self, host: &str, now: Timestamp) -> Option<Span> {
        self.0.retain(|_, until| is_resting(*until, now));
        self.0.get(host).map(|until| between(now, *until))
    }
}

fn is_resting(until: Timestamp, now: Timestamp) -> bool {
    until > now && between(now, until) <= LONGEST_REST
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { min: Span::mins(1), max: Span::mins(60), every: None };

    fn next(last: Span, outcome: Outcome) -> Span {
        PACE.next_interval(last, outcome, None, 0.0)
    }

    #[test]
    fn follows_the_source() {
        assert_eq!(next(Span::mins(10), Outcome::New(9)), Span::mins(5));
        assert_eq!(next(Span::mins(10), Outcome::New(1)), Span::mins(8));
        assert_eq!(next(Span::mins(10), Outcome::Unchanged), Span::secs(750));
        assert_eq!(next(Span::mins(10), Outcome::Gap), Span::mins(5));
        assert_eq!(next(Span::mins(1), Outcome::New(9)), Span::mins(1));
        assert_eq!(next(Span::mins(59), Outcome::Unchanged), Span::mins(60));
    }

    #[test]
    fn failures_back_off_and_retry_after_is_kept() {
        let fail = |streak, retry_after| Outcome::Failed { streak, retry_after };
        assert_eq!(next(Span::mins(10), fail(1, None)), Span::mins(10));
        assert_eq!(next(Span::mins(10), fail(2, None)), Span::mins(20));
        assert_eq!(next(Span::mins(50), fail(3, None)), Span::mins(60));
        assert_eq!(next(Span::mins(10), fail(1, Some(Span::hours(3)))), Span::hours(3));
        let wish = Pace { every: Some(Span::mins(5)), ..PACE };
        let at = |streak| wish.next_interval(Span::mins(5), fail(streak, None), None, 0.0);
        assert_eq!([at(1), at(2), at(3), at(99)], [5, 10, 20, 60].map(Span::mins));
    }

    #[test]
    fn a_wish_is_kept_but_for_the_floor() {
        let wish = Pace { every: Some(Span::mins(5)), ..PACE };
        assert_eq!(wish.next_interval(Span::mins(5), Outcome::New(99), Some(Span::mins(9)), 0.0), Span::mins(5));
        assert_eq!(wish.next_interval(Span::mins(5), Outcome::Gap, None, 0.0), Span::secs(150));
        let hasty = Pace { every: Some(Span::secs(5)), ..PACE };
        assert_eq!(hasty.next_interval(Span::mins(1), Outcome::Unchanged, None, -1.0), Span::mins(1));
        let slow = Pace { every: Some(Span::hours(6)), ..PACE };
        assert_eq!(slow.next_interval(Span::mins(1), Outcome::Unchanged, None, 0.0), Span::hours(6));
    }

    #[test]
    fn freshness_and_jitter_move_it_within_bounds() {
        assert_eq!(PACE.next_interval(Span::mins(4), Outcome::Unchanged, Some(Span::mins(30)), 0.0), Span::mins(30));
        assert_eq!(PACE.next_interval(Span::mins(4), Outcome::Unchanged, Some(Span::days(3)), 0.0), Span::mins(60));
        assert_eq!(PACE.next_interval(Span::mins(20), Outcome::New(9), None, 1.0), Span::mins(11));
        assert_eq!(PACE.next_interval(Span::mins(20), Outcome::New(9), None, f64::NAN), Span::mins(10));
    }

    #[test]
    fn a_host_rests_as_a_whole() {
        let now: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
        let mut pauses = Pauses::default();
        pauses.pause("a.example", now + Span::mins(5));
        pauses.pause("a.example", now + Span::mins(2));
        assert_eq!(pauses.remaining("a.example", now), Some(Span::mins(5)));
        assert_eq!(pauses.remaining("b.example", now), None);
        assert_eq!(pauses.remaining("a.example", now + Span::mins(5)), None);
        assert!(pauses.0.is_empty());
        pauses.pause("b.example", now + Span::mins(1));
        pauses.pause("a.example", now + Span::mins(2));
        let all = |now| pauses.all(now).into_iter().map(|(host, _)| host).collect::<Vec<_>>();
        assert_eq!(
            (all(now), all(now + Span::mins(1))),
            (vec!["a.example".into(), "b.example".into()], vec!["a.example".to_owned()])
        );
        // Told by a clock that was days ahead.
        pauses.pause("c.example", now + Span::days(3));
        assert_eq!(pauses.all(now).len(), 2);
        assert_eq!(pauses.remaining("c.example", now), None);
    }

    proptest::proptest! {
        #[test]
        fn never_under_the_floor(last in proptest::num::i64::ANY, n in 0usize..20, streak in proptest::num::u32::ANY, jitter in -2.0f64..2.0) {
            for outcome in [Outcome::New(n), Outcome::Unchanged, Outcome::Gap, Outcome::Failed { streak, retry_after: None }] {
                let next = PACE.next_interval(Span::millis(last), outcome, None, jitter);
                proptest::prop_assert!(next >= Span::mins(1) && next <= Span::mins(66));
            }
        }
    }
}
