//! Everything that a backtest tells, as it is printed as JSON.

use jiff::Timestamp;
use serde::Serialize;

use super::sweep::Sweep;
use crate::engine::compare::{Difference, compare};
use crate::engine::crises::{Observed, Score, score};
use crate::engine::hindsight::{Course, Hours, Summary, courses, summary};
use crate::engine::replay::Replay;
use crate::model::Alert;
use crate::model::time::{Span, between};

/// Buckets of a timeline at most, and their lengths to choose from, hours.
const SLOTS: i64 = 96;
const LENGTHS: [i64; 8] = [1, 2, 3, 6, 12, 24, 7 * 24, 28 * 24];

/// Mentions over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Timeline {
    /// When the first bucket begins.
    pub(super) from: Timestamp,
    /// Length of a bucket, hours.
    pub(super) hours: i64,
    /// Mentions of each bucket.
    pub(super) mentions: Vec<u32>,
    /// Negative ones among them.
    pub(super) negative: Vec<u32>,
}

impl Timeline {
    fn of(hours: &Hours, from: Timestamp, to: Timestamp) -> Timeline {
        let all = between(from, to).as_millis() / Span::hours(1).as_millis() + 1;
        let length = LENGTHS.into_iter().find(|l| all / l < SLOTS).unwrap_or(all / SLOTS + 1);
        let (from, mentions, negative) = hours.buckets(from, to, length);
        Timeline { from, hours: length, mentions, negative }
    }

    /// The bucket of an instant.
    pub(super) fn slot(&self, at: Timestamp) -> usize {
        let slot = between(self.from, at).as_millis().div_euclid(Span::hours(self.hours).as_millis());
        usize::try_from(slot).unwrap_or(0).min(self.mentions.len().saturating_sub(1))
    }
}

/// What one threshold would have done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tried {
    pub(super) threshold: f64,
    pub(super) incidents: usize,
    pub(super) a_week: f64,
    pub(super) messages_a_week: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<TriedScore>,
}

/// How a threshold would have done with known crises.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct TriedScore {
    pub(super) caught: usize,
    pub(super) missed: usize,
    pub(super) false_alarms: usize,
    pub(super) false_alarms_a_week: f64,
    pub(super) median_before_peak: Option<f64>,
}

/// All thresholds that were tried for a signal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Swept {
    pub(super) signal: String,
    pub(super) tried: Vec<Tried>,
}

/// Everything that a backtest tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Report {
    /// The directory of the rules.
    pub(super) rules: String,
    /// That of the rules that they are compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) other_rules: Option<String>,
    /// Alert rules.
    pub(super) alerts: usize,
    /// Mentions that were read, what is only learned from included.
    pub(super) read: u64,
    /// Mentions that the rules listen to.
    pub(super) mentions: u64,
    pub(super) summary: Summary,
    pub(super) incidents: Vec<Course>,
    pub(super) timeline: Timeline,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<Score>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) compared: Option<Vec<Difference>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) other_summary: Option<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) swept: Option<Swept>,
}

impl Report {
    pub(super) fn of(
        run: &Replay<'_>,
        alerts: &[Alert],
        mentions: u64,
        hours: &Hours,
        seen: Option<&Observed<'_>>,
        (from, to): (Timestamp, Timestamp),
    ) -> Report {
        let incidents = courses(run.log(), run.incidents(), to);
        Report {
            rules: String::new(),
            other_rules: None,
            alerts: alerts.len(),
            read: mentions,
            mentions,
            summary: summary(&incidents, from, to),
            timeline: Timeline::of(hours, from, to),
            score: seen.map(|seen| score(&incidents, alerts, seen, (from, to))),
            incidents,
            compared: None,
            other_summary: None,
            swept: None,
        }
    }

    /// Sets the incidents of other rules beside.
    pub(super) fn compare(&mut self, other: Option<&Replay<'_>>) {
        let Some(other) = other else { return };
        let (from, to) = (self.summary.from, self.summary.to);
        let there = courses(other.log(), other.incidents(), to);
        self.compared = Some(compare(&self.incidents, &there));
        self.other_summary = Some(summary(&there, from, to));
    }

    /// Sets what other thresholds would have done beside.
    pub(super) fn sweep(
        &mut self,
        sweep: &Sweep,
        runs: &[Replay<'_>],
        variants: &[Vec<Alert>],
        seen: Option<&Observed<'_>>,
    ) {
        let (from, to) = (self.summary.from, self.summary.to);
        let one = |((threshold, run), alerts): ((&f64, &Replay<'_>), &Vec<Alert>)| {
            let incidents = courses(run.log(), run.incidents(), to);
            let sum = summary(&incidents, from, to);
            let score = seen.map(|seen| score(&incidents, alerts, seen, (from, to)));
            Tried {
                threshold: *threshold,
                incidents: sum.incidents,
                a_week: sum.a_week,
                messages_a_week: sum.posts.iter().map(|p| p.a_week).sum(),
                score: score.map(|s| TriedScore {
                    caught: s.caught,
                    missed: s.missed,
                    false_alarms: s.false_alarms.len(),
                    false_alarms_a_week: s.false_alarms_a_week,
                    median_before_peak: s.median_before_peak,
                }),
            }
        };
        let tried = sweep.values.iter().zip(runs).zip(variants).map(one).collect();
        self.swept = Some(Swept { signal: sweep.signal.clone(), tried });
    }
}
