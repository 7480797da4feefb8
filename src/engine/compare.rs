//! What other rules would have changed: the incidents of two runs over the same past, side by side.

use jiff::Timestamp;
use serde::Serialize;

use super::hindsight::Course;
use crate::model::Severity;
use crate::model::time::{Span, between};

/// How an incident differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It opened under these rules only.
    OnlyHere,
    /// It opened under the other rules only.
    OnlyThere,
    /// The other rules open it earlier.
    Earlier,
    /// The other rules open it later.
    Later,
    /// They open it at the same time, with another worst severity.
    Severity,
    /// Nothing changes.
    Same,
}

/// One incident under two sets of rules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// How it differs.
    pub change: Change,
    /// The alert rule.
    pub alert: String,
    /// The group.
    pub group: String,
    /// When it opened under these rules.
    pub here: Option<Timestamp>,
    /// When it opened under the other rules.
    pub there: Option<Timestamp>,
    /// Minutes that the other rules are later; negative where they are earlier.
    pub minutes: Option<f64>,
    /// Its worst severity under these rules.
    pub severity_here: Option<Severity>,
    /// Its worst severity under the other rules.
    pub severity_there: Option<Severity>,
}

impl Difference {
    /// When it first opened.
    fn at(&self) -> Option<Timestamp> {
        self.here.into_iter().chain(self.there).min()
    }
}

/// Incidents of the same group that open within this time of each other are about the same.
const NEAR: Span = Span::hours(6);

/// The incidents of a run beside those of another, in the order of time. An incident has its counterpart in the next of the
/// same rule and group that overlaps it or opens within six hours of it.
pub fn compare(here: &[Course], there: &[Course]) -> Vec<Difference> {
    let mut free: Vec<&Course> = there.iter().collect();
    let mut out = Vec::new();
    for a in here {
        let away = |b: &Course| between(a.opened, b.opened).as_millis().abs();
        let same =
            |b: &&&Course| b.alert == a.alert && b.group == a.group && (overlap(a, b) || away(b) <= NEAR.as_millis());
        let nearest = free.iter().filter(same).min_by_key(|b| (away(b), b.incident)).map(|b| b.incident);
        let b = nearest.and_then(|id| free.iter().position(|b| b.incident == id)).map(|n| free.remove(n));
        out.push(difference(Some(a), b));
    }
    out.extend(free.into_iter().map(|b| difference(None, Some(b))));
    out.sort_by(|a, b| (a.at(), &a.alert, &a.group).cmp(&(b.at(), &b.alert, &b.group)));
    out
}

fn overlap(a: &Course, b: &Course) -> bool {
    let end = |s: Option<Timestamp>| s.unwrap_or(Timestamp::MAX);
    a.open.iter().any(|x| b.open.iter().any(|y| x.from <= end(y.to) && y.from <= end(x.to)))
}

fn difference(here: Option<&Course>, there: Option<&Course>) -> Difference {
    let change = match (here, there) {
        (Some(a), Some(b)) if b.opened < a.opened => Change::Earlier,
        (Some(a), Some(b)) if b.opened > a.opened => Change::Later,
        (Some(a), Some(b)) if a.severity != b.severity => Change::Severity,
        (Some(_), Some(_)) => Change::Same,
        (Some(_), None) => Change::OnlyHere,
        (None, _) => Change::OnlyThere,
    };
    let any = here.or(there);
    Difference {
        change,
        alert: any.map(|c| c.alert.clone()).unwrap_or_default(),
        group: any.map(|c| c.group.clone()).unwrap_or_default(),
        here: here.map(|c| c.opened),
        there: there.map(|c| c.opened),
        minutes: here.zip(there).map(|(a, b)| between(a.opened, b.opened).as_minutes()),
        severity_here: here.map(|c| c.severity),
        severity_there: there.map(|c| c.severity),
    }
}

#[cfg(test)]
mod tests {
    use super::super::hindsight::tests::course;
    use super::*;

    #[test]
    fn incidents_find_their_counterparts() {
        let here =
            [course(1, "a", 0, 60), course(2, "a", 2000, 2060), course(3, "a", 5000, 5060), course(4, "b", 9000, 9100)];
        let mut there = [
            course(1, "a", 10, 60),
            course(2, "a", 1990, 2060),
            course(3, "a", 5000, 5060),
            course(4, "a", 7000, 7060),
            course(5, "b", 9000, 9001),
        ];
        there[4].severity = Severity::Crisis;
        let found: Vec<(Change, Option<f64>)> = compare(&here, &there).iter().map(|d| (d.change, d.minutes)).collect();
        let expected = [
            (Change::Later, Some(10.0)),
            (Change::Earlier, Some(-10.0)),
            (Change::Same, Some(0.0)),
            (Change::OnlyThere, None),
            (Change::Severity, Some(0.0)),
        ];
        assert_eq!(found, expected);
        assert_eq!(compare(&here[..1], &[])[0].change, Change::OnlyHere);
    }
}
