//! Mentions and ticks in, verdicts out: what rings, for whom, and what is learned meanwhile.

use super::super::window::tests::mention;
use super::*;
use crate::model::Raise;

pub(crate) fn alert() -> Alert {
    Alert {
        name: "acme-negative".into(),
        title: "Acme, negative".into(),
        topics: vec!["acme".into()],
        condition: "mentions >= 5 && surprise >= 4.0 && negative_share >= 0.5".into(),
        severity: Severity::Escalate,
        raise: vec![Raise { to: Severity::Crisis, when: "reach > 3000".into() }],
        group_by: vec!["topic".into()],
        escalation: "pr".into(),
        remind: Some(Span::mins(30)),
        ..Alert::default()
    }
}

fn quiet_day(d: &mut Detector) -> Timestamp {
    for h in 0..48 {
        for i in 0..4 {
            d.feed(&mention(h * 10 + i, h * 60 + i * 14, 0.2));
        }
        d.tick(mention(0, h * 60 + 59, 0.0).at, &Live::new());
    }
    mention(0, 48 * 60, 0.0).at
}

#[test]
fn a_spike_of_complaints_rings_and_says_why() {
    let mut d = Detector::new(&[alert()]);
    quiet_day(&mut d);
    for i in 0..20 {
        d.feed(&mention(10_000 + i, 48 * 60 + i / 2, -0.8));
    }
    let verdicts = d.tick(mention(0, 48 * 60 + 10, 0.0).at, &Live::new());
    assert_eq!(verdicts.len(), 1);
    assert_eq!(verdicts[0].severity, Some(Severity::Escalate));
    assert_eq!(verdicts[0].key.group, "acme");
    assert!(verdicts[0].evidence.terms.iter().all(|t| t.held));
}

#[test]
fn history_and_praise_do_not_ring() {
    let mut d = Detector::new(&[alert()]);
    quiet_day(&mut d);
    for i in 0..40 {
        let m = mention(10_000 + i, 48 * 60 + i / 4, if i < 20 { 0.8 } else { -0.8 });
        d.feed(&Mention { history: i >= 20, ..m });
    }
    let verdicts = d.tick(mention(0, 48 * 60 + 10, 0.0).at, &Live::new());
    assert!(verdicts.iter().all(|v| v.severity.is_none()), "{verdicts:?}");
}

#[test]
fn the_morning_stays_the_morning_when_clocks_change() {
    // Twelve an hour from eight to ten in Stockholm, for five weeks around the change of clocks.
    let zone = jiff::tz::TimeZone::get("Europe/Stockholm").expect("it is known");
    let start: Timestamp = "2026-03-02T00:00:00Z".parse().expect("a time");
    let expected = |name: &str, by_utc: i64| {
        let mut d = Detector::new(&[alert()]);
        d.set_zone(name);
        for h in 0..28 * 24 {
            if h == by_utc {
                d.set_zone("Europe/Stockholm");
            }
            let at = start + Span::hours(h);
            let busy = (8..10).contains(&at.to_zoned(zone.clone()).hour());
            for i in 0..if busy { 12 } else { 1 } {
                d.feed(&Mention { at: at + Span::mins(i * 4), ..mention(h * 100 + i, 0, 0.2) });
            }
            d.tick(at + Span::mins(29), &Live::new());
            d.tick(at + Span::mins(59), &Live::new());
        }
        // Monday after the change: eight in the morning is six o'clock UTC.
        let monday: Timestamp = "2026-03-30T07:00:00Z".parse().expect("a time");
        d.tick(monday - Span::hours(1), &Live::new());
        d.groups[0].baseline.expected(monday, Span::hours(1))
    };
    let (local, utc) = (expected("Europe/Stockholm", -1), expected("UTC", -1));
    assert!(local > 3.0 * utc, "{local} {utc}");
    let moved = expected("UTC", 20 * 24);
    assert!(moved > 2.0 * utc, "what was learned by UTC before a zone was set is not lost: {moved} {utc}");
}

#[test]
fn a_restart_changes_nothing() {
    let mut a = Detector::new(&[alert()]);
    quiet_day(&mut a);
    let mut kept = Vec::new();
    let spike: Vec<Mention> = (0..20).map(|i| mention(10_000 + i, 48 * 60 + i / 2, -0.8)).collect();
    spike.iter().for_each(|m| a.feed(m));
    kept.extend(a.take_changes());
    let mut b = Detector::new(&[alert()]);
    kept.into_iter().for_each(|(k, v)| b.restore(k, v));
    b.restore_watch(mention(0, 48 * 60 - 1, 0.0).at, Vec::new());
    spike.iter().for_each(|m| b.refill(m));
    let now = mention(0, 48 * 60 + 10, 0.0).at;
    let (x, y) = (a.tick(now, &Live::new()), b.tick(now, &Live::new()));
    assert_eq!(x[0].severity, y[0].severity);
    assert_eq!(x[0].evidence.signals.mentions, 20 + u64::from(x[0].evidence.signals.mentions > 20));
    assert_eq!(y[0].evidence.signals.mentions, 20);
}
