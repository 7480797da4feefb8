//! An incident's plan as it stands: what is done, by whom, what is late, and what is drafted.

use jiff::Timestamp;

use super::super::{Paint, safe};
use super::day;
use crate::model::playbook::Task;
use crate::model::{Draft, Incident};
use crate::store::ticks::Tick;

/// The steps of its checklist, each with its due time or with who has done it.
pub(super) fn lines(i: &Incident, steps: &[Task], ticks: &[Tick], now: Timestamp, paint: Paint) -> Vec<String> {
    let mut out = Vec::new();
    for (n, task) in (1..).zip(steps) {
        let role = if task.role.is_empty() { String::new() } else { format!("{}: ", paint.bold(&task.role)) };
        let due = task.due_for(i.severity).map(|due| i.opened + due);
        let (mark, when) = match ticks.iter().find(|t| t.step == n) {
            Some(tick) => (paint.good("✓"), paint.dim(&format!("{} {}", tick.who, day(tick.at)))),
            None => match due {
                // What is over has no steps that are late.
                Some(due) if due < now && i.resolved.is_none() => {
                    (" ".into(), paint.warm(&format!("late, due {}", day(due))))
                }
                Some(due) => (" ".into(), format!("due {}", day(due))),
                None => (" ".into(), String::new()),
            },
        };
        out.push(format!("  [{mark}] {n:>2} {role}{}  {when}", safe(&task.what, 200)));
    }
    out
}

/// The drafts of an incident.
pub(super) fn drafted(drafts: &[Draft], paint: Paint) -> Vec<String> {
    let line = |d: &Draft| {
        let place = d.network.map_or("any network", |n| n.title());
        let (has, asked) = (d.approvals.len(), d.asked);
        let state = format!("{:<11} {has}/{asked}", d.state.as_str());
        format!("  {:>4}  {state}  {}, {place}  {}", d.id, d.language, paint.dim(&safe(&d.text, 60)))
    };
    drafts.iter().map(line).collect()
}
