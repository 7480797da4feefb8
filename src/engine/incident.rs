//! The life of an incident: what opens it, raises it, calls people again, calms it and ends it.
//!
//! Each function takes the incident and the time and returns the calls that follow. Content raises an incident and
//! never closes or lowers it; only calm or people do.

use std::sync::Arc;

use jiff::Timestamp;

use super::detect::Verdict;
use crate::model::time::Span;
use crate::model::{Alert, Incident, Notice, People, Policy, Severity, Status};

/// People to be told something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Why they are told.
    pub notice: Notice,
    /// Names of persons and teams.
    pub notify: Vec<String>,
}

/// What the rules in force say of an incident: its alert rule and its policy, where they are still there, and people.
#[derive(Debug, Clone, Copy)]
pub struct Charge<'r> {
    /// The alert rule.
    pub alert: Option<&'r Alert>,
    /// The policy.
    pub policy: Option<&'r Policy>,
    /// Who may be called.
    pub people: &'r People,
}

impl<'r> Charge<'r> {
    /// What rules say of the incidents of one alert rule.
    pub fn of(alert: Option<&'r Alert>, people: &'r People) -> Charge<'r> {
        Charge { alert, policy: people.policy(alert.map_or("", |a| &a.escalation)), people }
    }

    fn remind(&self, now: Timestamp) -> Option<Timestamp> {
        self.alert.and_then(|a| a.remind).map(|every| now + every)
    }
}

/// An incident that comes back within this time of its end is the same one.
pub const REOPEN: Span = Span::mins(30);

/// Opens an incident for a verdict that rings.
pub fn open(verdict: &Verdict, severity: Severity, charge: Charge<'_>, now: Timestamp) -> (Incident, Vec<Call>) {
    let mut incident = Incident {
        id: 0,
        alert: verdict.key.alert.clone(),
        group: verdict.key.group.clone(),
        topic: verdict.topic.clone(),
        status: Status::Open,
        severity,
        overruled: None,
        opened: now,
        fired: now,
        resolved: None,
        calm: false,
        ack: None,
        steps_taken: 0,
        next_step: None,
        next_remind: charge.remind(now),
        told: Vec::new(),
        messages: 0,
        peak: verdict.evidence.signals.mentions,
        evidence: verdict.evidence.clone(),
        muted_by: None,
        merged_into: None,
        snoozed: None,
        silenced_by: None,
        shadow: charge.alert.is_some_and(|a| a.shadow),
        flood: None,
        drill: None,
    };
    let mut calls = Vec::new();
    if let Some(notify) = next_step(&mut incident, charge, now) {
        calls.push(Call { notice: Notice::Opened, notify });
    }
    (incident, calls)
}

/// Takes the next step of the policy that counts, and sets when the one after it is due: never where there is no policy
/// any more.
fn next_step(incident: &mut Incident, charge: Charge<'_>, now: Timestamp) -> Option<Vec<String>> {
    incident.next_step = None;
    let taken = charge.policy?.take(charge.people, incident.steps_taken, incident.severity, now)?;
    incident.steps_taken = taken.steps;
    incident.next_step = taken.next;
    Some(taken.notify.to_vec())
}

/// The policy begins again: its first step is taken.
pub(super) fn begin_again(incident: &mut Incident, charge: Charge<'_>, now: Timestamp) -> Vec<String> {
    incident.steps_taken = 0;
    incident.next_remind = charge.remind(now);
    next_step(incident, charge, now).unwrap_or_default()
}

/// A worse incident about the same mutes this one, or people have silenced it; or neither does any longer: then its
/// policy begins.
pub fn hush(
    incident: &mut Incident,
    muted_by: Option<i64>,
    silenced_by: Option<i64>,
    charge: Charge<'_>,
    now: Timestamp,
) -> Vec<Call> {
    if incident.status != Status::Open {
        return Vec::new();
    }
    let was = incident.is_hushed();
    incident.muted_by = muted_by;
    incident.silenced_by = silenced_by;
    if was == incident.is_hushed() {
        return Vec::new();
    }
    if incident.is_hushed() {
        incident.next_step = None;
        incident.next_remind = None;
        return Vec::new();
    }
    if let Some(until) = incident.snoozed.filter(|until| *until > now) {
        incident.next_step = Some(until);
        return Vec::new();
    }
    let notify = begin_again(incident, charge, now);
    if notify.is_empty() { Vec::new() } else { vec![Call { notice: Notice::Opened, notify }] }
}

/// When its condition last held, where judging it would change nothing else; `None` where more may happen.
pub fn stays(i: &Incident, verdict: Option<&Verdict>, alert: Option<&Alert>, now: Timestamp) -> Option<Timestamp> {
    let ringing = verdict.and_then(|v| v.severity.map(|s| (v, s)));
    if i.status == Status::Resolved {
        let same = ringing.map_or(i.calm, |(_, severity)| !i.calm && severity <= i.known());
        return same.then_some(i.fired);
    }
    let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    if i.status == Status::Open && !i.is_hushed() && (due(i.next_step) || due(i.next_remind)) {
        return None;
    }
    if i.status == Status::Acknowledged && due(i.ack.as_ref().and_then(|a| a.until)) {
        return None;
    }
    match ringing {
        Some((v, severity)) => (severity <= i.known() && v.evidence.signals.mentions <= i.peak).then_some(now),
        None => {
            let over = crate::model::time::between(i.fired, now) >= alert.map_or(REOPEN, |a| a.resolve_after);
            (!over).then_some(i.fired)
        }
    }
}

/// Judges an incident at a tick: raised, escalated, reminded, calmed, resolved or reopened.
pub fn judge(incident: &mut Incident, verdict: Option<&Verdict>, charge: Charge<'_>, now: Timestamp) -> Vec<Call> {
    let mut calls = Vec::new();
    let ringing = verdict.and_then(|v| v.severity.map(|s| (v, s)));
    if incident.status == Status::Resolved {
        match ringing {
            // People who say that it is over know that it still rings, unless it has become worse.
            Some((verdict, severity)) if incident.calm || severity > incident.known() => {
                reopen(incident, verdict, severity, charge, now, &mut calls);
            }
            Some(_) => {}
            None => incident.calm = true,
        }
        return calls;
    }
    if let Some((verdict, severity)) = ringing {
        incident.fired = now;
        let raised = severity > incident.known();
        if raised || verdict.evidence.signals.mentions > incident.peak {
            incident.peak = incident.peak.max(verdict.evidence.signals.mentions);
            let (range, held) = (incident.evidence.range, incident.evidence.held);
            incident.evidence = verdict.evidence.clone();
            let evidence = Arc::make_mut(&mut incident.evidence);
            // How long its condition had held is told of the moment when it rang.
            evidence.held = held;
            if evidence.range == (0, 0) {
                evidence.range = range;
            }
        }
        if raised {
            incident.severity = severity;
            incident.overruled = None;
            if incident.status == Status::Acknowledged || incident.snoozed.take().is_some() {
                // Whoever had it or put it off had something smaller: it is open again, and the policy goes on.
                open_again(incident, now);
            }
            calls.push(Call { notice: Notice::Raised, notify: incident.told.clone() });
        }
    } else if crate::model::time::between(incident.fired, now) >= charge.alert.map_or(REOPEN, |a| a.resolve_after) {
        end(incident, now);
        incident.calm = true;
        calls.push(Call { notice: Notice::Resolved, notify: incident.told.clone() });
        return calls;
    }
    let lapsed = incident.ack.as_ref().is_some_and(|a| a.until.is_some_and(|until| until <= now));
    if lapsed && incident.status == Status::Acknowledged {
        open_again(incident, now);
        let mut notify = begin_again(incident, charge, now);
        notify.extend(incident.told.iter().cloned());
        calls.push(Call { notice: Notice::Lapsed, notify });
    }
    if incident.status == Status::Open && !incident.is_hushed() {
        escalate(incident, charge, now, &mut calls);
        remind(incident, charge, now, &mut calls);
    }
    calls
}

/// Nobody has it any longer: the policy goes on now.
pub(super) fn open_again(incident: &mut Incident, now: Timestamp) {
    incident.status = Status::Open;
    incident.ack = None;
    incident.snoozed = None;
    incident.next_step = Some(now);
}

fn reopen(
    incident: &mut Incident,
    verdict: &Verdict,
    severity: Severity,
    charge: Charge<'_>,
    now: Timestamp,
    calls: &mut Vec<Call>,
) {
    incident.status = Status::Open;
    incident.resolved = None;
    incident.muted_by = None;
    incident.merged_into = None;
    incident.silenced_by = None;
    incident.snoozed = None;
    incident.calm = false;
    incident.ack = None;
    incident.fired = now;
    if severity > incident.known() {
        incident.severity = severity;
        incident.overruled = None;
    }
    incident.evidence = verdict.evidence.clone();
    incident.peak = incident.peak.max(verdict.evidence.signals.mentions);
    let mut notify = begin_again(incident, charge, now);
    notify.extend(incident.told.iter().cloned());
    calls.push(Call { notice: Notice::Reopened, notify });
}

/// Steps that are overdue, after a crash or a long sleep, become one call of all whom they would have told.
fn escalate(incident: &mut Incident, charge: Charge<'_>, now: Timestamp, calls: &mut Vec<Call>) {
    let mut notify: Vec<String> = Vec::new();
    while let Some(due) = incident.next_step.filter(|due| *due <= now) {
        // The next wait counts from when the step was due, so that lateness does not add up.
        incident.snoozed = None;
        match next_step(incident, charge, due) {
            Some(names) => notify.extend(names),
            None => break,
        }
    }
    if !notify.is_empty() {
        calls.push(Call { notice: Notice::Escalated, notify });
    }
}

fn remind(incident: &mut Incident, charge: Charge<'_>, now: Timestamp, calls: &mut Vec<Call>) {
    if incident.next_remind.is_some_and(|due| due <= now) {
        incident.next_remind = charge.remind(now);
        // Nobody is told twice in one tick.
        if calls.is_empty() {
            calls.push(Call { notice: Notice::Reminder, notify: incident.told.clone() });
        }
    }
}

pub(super) fn end(incident: &mut Incident, now: Timestamp) {
    incident.status = Status::Resolved;
    incident.resolved = Some(now);
    incident.next_step = None;
    incident.next_remind = None;
    incident.snoozed = None;
}

#[cfg(test)]
pub(crate) mod tests;
