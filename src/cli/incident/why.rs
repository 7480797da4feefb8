//! Why an incident stands as it does, in lines for a terminal.

use super::super::Paint;
use crate::model::Incident;
use crate::model::signals::{SIGNALS, Value, meaning};
use crate::text::seldom::seldom;

/// The reasons of an incident; `all` of them, or those that a reader in a hurry needs. `muted` are the incidents that it
/// mutes.
pub(super) fn lines(i: &Incident, muted: &[i64], all: bool, paint: Paint) -> Vec<String> {
    let e = &i.evidence;
    let s = &e.signals;
    let mut out = vec![format!("\n{}", paint.bold("Why it rang"))];
    if all {
        out.push(format!("  {}", e.condition));
    }
    for t in &e.terms {
        let mark = if t.held { paint.good("✓") } else { paint.dim("–") };
        out.push(format!("  {mark} {:<42} {:>10.2}   threshold {} {}", meaning(&t.signal), t.value, t.op, t.threshold));
    }
    for (to, when) in &e.raised {
        out.push(format!("  raised to {to}: {when}"));
    }
    out.push(format!(
        "  usual for the window: {:.1} mentions; seen {}, {:.0} % negative",
        s.expected,
        s.mentions,
        s.negative_share * 100.0
    ));
    if e.range.1 > 0 {
        out.push(format!("  usually at most {}, one time in a thousand more than {}", e.range.0, e.range.1));
    }
    if e.days_apart > 0.0 {
        out.push(format!("  {}, with every look of the rule counted", seldom("en", e.days_apart).to_lowercase()));
    }
    if !e.about.is_empty() {
        out.push(format!("  for the first time: {}", e.about.join(", ")));
    }
    if e.held.as_millis() > 0 {
        out.push(format!("  its condition had held for {} when it rang", e.held));
    }
    if s.mentions > s.stories && s.stories > 0 {
        out.push(format!(
            "  merged: {} mentions are {} stories, the largest of {}",
            s.mentions, s.stories, s.largest_story
        ));
    }
    if let Some(by) = i.muted_by {
        let why = match i.merged_into == Some(by) {
            true => format!("part of incident {by}, which calls for both"),
            false => format!("muted: incident {by} about the same is a crisis; nobody is called"),
        };
        out.push(format!("  {}", paint.warm(&why)));
    }
    if let Some(by) = i.silenced_by {
        out.push(format!("  {}", paint.warm(&format!("silence {by} covers it; nobody is called"))));
    }
    if let Some(until) = i.snoozed {
        out.push(format!("  {}", paint.warm(&format!("put off until {}", super::day(until)))));
    }
    if !muted.is_empty() {
        let numbers: Vec<String> = muted.iter().map(i64::to_string).collect();
        out.push(format!("  mutes lesser incidents about the same: {}", numbers.join(", ")));
    }
    if i.shadow {
        out.push("  its rule is only tried out (shadow): nobody is called".into());
    }
    if let Some(flood) = &i.flood {
        let first: Vec<&str> = flood.groups.iter().take(10).map(String::as_str).collect();
        out.push(format!("  its rule floods: {} incidents were kept back, of {} …", flood.kept_back, first.join(", ")));
    }
    if all {
        out.push(format!("\n{}", paint.bold("All signals of its window")));
        for (name, get, means) in SIGNALS {
            let value = match get(s) {
                Value::Int(n) => n.to_string(),
                Value::Float(x) => format!("{x:.2}"),
            };
            out.push(format!("  {name:<20} {value:>12}   {}", paint.dim(means)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::detect::{GroupKey, Verdict};
    use crate::model::Alert;
    use crate::model::{Evidence, People, Severity, Signals, Term};

    #[test]
    fn every_reason_is_told() {
        let term = |signal: &str, threshold, value| Term {
            signal: signal.into(),
            op: ">=".into(),
            threshold,
            value,
            held: value >= threshold,
        };
        let evidence = Evidence {
            signals: Signals { mentions: 42, stories: 30, largest_story: 9, expected: 3.2, ..Signals::default() },
            condition: "mentions >= 5 && surprise >= 4.0".into(),
            terms: vec![term("mentions", 5.0, 42.0), term("surprise", 4.0, 17.3)],
            raised: vec![(Severity::Crisis, "reach > 9".into())],
            range: (7, 12),
            days_apart: 4380.0,
            about: vec!["paper.example (tier 1)".into()],
            held: crate::model::time::Span::mins(2),
        };
        let key = GroupKey { alert: "a".into(), group: "acme".into() };
        let verdict =
            Verdict { key, topic: "acme".into(), severity: Some(Severity::Crisis), evidence: evidence.into() };
        let now = jiff::Timestamp::UNIX_EPOCH;
        let (alert, people) = (Alert::default(), People::default());
        let charge = crate::engine::incident::Charge::of(Some(&alert), &people);
        let (i, _) = crate::engine::incident::open(&verdict, Severity::Crisis, charge, now);
        let i = Incident { muted_by: Some(3), shadow: true, ..i };
        insta::assert_snapshot!(lines(&i, &[8, 9], true, Paint(false)).join("\n"));
    }
}
