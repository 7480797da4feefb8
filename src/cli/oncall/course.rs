//! `vakt oncall --alert`: whom an incident that began at an instant would call, and when, if nobody took it.

use jiff::Timestamp;

use super::super::{Paint, Refused, Verdict};
use crate::engine::oncall::zone;
use crate::model::Severity;
use crate::model::time::{Span, between};
use crate::rules::Rules;

/// Prints the course of an alert rule's policy; the answer is no where it would call nobody.
pub(in crate::cli) fn tell(
    rules: &Rules,
    alert: &str,
    severity: Option<Severity>,
    at: Timestamp,
    json: bool,
) -> anyhow::Result<Verdict> {
    let people = &rules.people;
    let rule = rules.must_alert(alert).map_err(Refused)?;
    let severity = severity.unwrap_or(rule.severity);
    let calls = people.policy(&rule.escalation).map(|p| p.course(people, severity, at)).unwrap_or_default();
    let reached = calls.iter().any(|c| !c.persons.is_empty());
    if json {
        let list: Vec<_> = calls
            .iter()
            .map(|c| serde_json::json!({ "at": c.at, "notify": c.notify, "persons": c.persons, "last_resort": c.last }))
            .collect();
        say!("{}", serde_json::json!({ "alert": alert, "severity": severity.as_str(), "calls": list }));
    } else {
        let (paint, zone) = (Paint::new(), zone(&rules.time_zone));
        let begun = at.to_zoned(zone.clone()).strftime("%a %-d %b %H:%M %Z").to_string();
        say!("{} opens at {severity} on {begun}, and nobody takes it:", paint.bold(alert));
        for c in &calls {
            let after = Span::mins(between(at, c.at).as_millis() / 60_000);
            let names: Vec<&str> =
                c.persons.iter().map(|n| people.person(n).map_or(n.as_str(), |p| &p.full_name)).collect();
            let clock = c.at.to_zoned(zone.clone()).strftime("%H:%M").to_string();
            let by = paint.dim(&format!("{}{}", c.notify.join(", "), if c.last { ", the last resort" } else { "" }));
            say!("  {:>7}  {clock}  {}  {by}", format!("+{after}"), names.join(", "));
        }
        if !reached {
            say!("  {}", paint.bad("nobody is called"));
        }
    }
    Ok(if reached { Verdict::Done } else { Verdict::No })
}
