//! Follows an exercise in the store while the daemon runs it, line by line, until somebody has it or time is up.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;

use super::super::Paint;
use crate::ground::Ground;
use crate::model::time::{Span, between};
use crate::model::{Incident, Severity, Status};
use crate::report::drill::{Sent, after};
use crate::store::incidents::Entry;
use crate::store::outbox::Told;
use crate::store::{incidents, outbox};

/// How often the store is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Once somebody has it, the messages that say so may take so long.
const LAST: Span = Span::secs(45);

/// How an exercise ended.
pub(super) struct Ended {
    /// The messages.
    pub(super) sent: Vec<Sent>,
    /// Who took it, and when.
    pub(super) taken: Option<(String, Span)>,
    /// The timeline.
    pub(super) timeline: Vec<(Span, String, String)>,
    /// The real incident that broke it off.
    pub(super) broken_off: Option<i64>,
}

/// What the store says of an exercise.
struct Look {
    incident: Option<Incident>,
    messages: Vec<Told>,
    timeline: Vec<Entry>,
    /// The first real incident that people are called for.
    real: Option<i64>,
}

/// A real incident that an exercise would get in the way of.
pub(super) fn in_the_way(all: &[Incident]) -> Option<i64> {
    let calls = |i: &&Incident| i.drill.is_none() && !i.shadow && i.severity >= Severity::Escalate;
    all.iter().find(calls).map(|i| i.id)
}

fn look(ground: &Ground, id: i64) -> anyhow::Result<Look> {
    Ok(ground.store.read(|c| {
        Ok(Look {
            incident: incidents::get(c, id)?,
            messages: outbox::of_incident(c, id)?,
            timeline: incidents::timeline(c, id)?,
            real: in_the_way(&incidents::unresolved(c)?),
        })
    })?)
}

/// Follows it for at most so long. `says` gets a line for each thing that happens.
pub(super) fn follow(
    ground: &Ground,
    incident: &Incident,
    most: Span,
    paint: Paint,
    mut says: impl FnMut(String),
) -> anyhow::Result<Ended> {
    let began = incident.opened;
    let end = began + most;
    let mut told: HashSet<String> = HashSet::new();
    let mut taken: Option<(String, Timestamp)> = None;
    let mut over = None;
    loop {
        let now = ground.clock.now();
        let seen = look(ground, incident.id)?;
        for m in seen.messages.iter().filter(|m| m.state != "waiting") {
            if told.insert(format!("{} {} {}", m.person, m.subject, m.state)) {
                let took = m.done.map_or_else(String::new, |done| format!(" after {}", between(m.created, done)));
                let state = if m.state == "delivered" { paint.good(&m.state) } else { paint.bad(&m.state) };
                says(format!("{:>8}  {:<16} {state}{took}  {}", plus(began, now), m.person, paint.dim(&m.subject)));
            }
        }
        if let Some(ack) = seen.incident.as_ref().and_then(|i| i.ack.as_ref()).filter(|_| taken.is_none()) {
            says(format!("{:>8}  {}", plus(began, ack.at), paint.bold(&format!("{} has it", ack.by))));
            taken = Some((ack.by.clone(), ack.at));
        }
        let ended = seen.incident.as_ref().is_none_or(|i| i.status == Status::Resolved);
        if over.is_none() && (ended || taken.is_some() || seen.real.is_some()) {
            over = Some(now);
        }
        let waiting = seen.messages.iter().any(|m| m.state == "waiting");
        let told_all = over.is_some_and(|at| !waiting || between(at, now) >= LAST);
        if told_all || now >= end || seen.real.is_some() {
            return Ok(account(seen, began, taken));
        }
        std::thread::sleep(LOOK);
    }
}

fn account(seen: Look, began: Timestamp, taken: Option<(String, Timestamp)>) -> Ended {
    let sent = |m: Told| Sent {
        took: m.done.filter(|_| m.state == "delivered").map(|done| between(m.created, done).max(Span::ZERO)),
        after: after(began, m.created),
        person: m.person,
        subject: m.subject,
        state: m.state,
    };
    let said = |e: Entry| {
        let what = if e.detail.is_empty() { e.what } else { format!("{}: {}", e.what, e.detail) };
        (after(began, e.at), e.who, what)
    };
    Ended {
        sent: seen.messages.into_iter().map(sent).collect(),
        taken: taken.map(|(by, at)| (by, after(began, at))),
        timeline: seen.timeline.into_iter().map(said).collect(),
        broken_off: seen.real,
    }
}

fn plus(began: Timestamp, at: Timestamp) -> String {
    let seconds = between(began, at).as_millis().max(0) / 1000;
    format!("+{}:{:02}", seconds / 60, seconds % 60)
}
