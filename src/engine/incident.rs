//! The life of an incident: what opens it, raises it, calls people again, calms it and ends it.
//!
//! Each function takes the incident and the time and returns the calls that follow. Content raises an incident and
//! never closes or lowers it; only calm or people do.

use std::sync::Arc;

use jiff::Timestamp;

use super::detect::Verdict;
use super::escalation::Next;
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
        snoozed: None,
        silenced_by: None,
        shadow: charge.alert.is_some_and(|a| a.shadow),
        flood: None,
    };
    let mut calls = Vec::new();
    if let Some(notify) = next_step(&mut incident, charge, now) {
        calls.push(Call { notice: Notice::Opened, notify });
    }
    (incident, calls)
}

/// Takes the next step of the policy that counts, and sets when the one after it is due.
fn next_step(incident: &mut Incident, charge: Charge<'_>, now: Timestamp) -> Option<Vec<String>> {
    let policy = charge.policy?;
    incident.next_step = None;
    match policy.next(charge.people, incident.steps_taken, incident.severity, now) {
        Next::Step { step, taken } => {
            incident.steps_taken = taken;
            incident.next_step = policy.wait(step, taken).map(|wait| now + wait);
            Some(step.notify.clone())
        }
        Next::LastResort { notify, taken } => {
            incident.steps_taken = taken;
            Some(notify.to_vec())
        }
        Next::Nobody => None,
    }
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
    let notify = begin_again(incident, charge, now);
    if notify.is_empty() { Vec::new() } else { vec![Call { notice: Notice::Opened, notify }] }
}

/// When its condition last held, where judging it would change nothing else; `None` where more may happen.
pub fn stays(i: &Incident, verdict: Option<&Verdict>, alert: Option<&Alert>, now: Timestamp) -> Option<Timestamp> {
    let ringing = verdict.and_then(|v| v.severity.map(|s| (v, s)));
    if i.status == Status::Resolved {
        let same = ringing.map_or(i.calm, |(_, severity)| !i.calm && severity <= i.severity);
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
        Some((v, severity)) => (severity <= i.severity && v.evidence.signals.mentions <= i.peak).then_some(now),
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
            Some((verdict, severity)) if incident.calm || severity > incident.severity => {
                reopen(incident, verdict, severity, charge, now, &mut calls);
            }
            Some(_) => {}
            None => incident.calm = true,
        }
        return calls;
    }
    if let Some((verdict, severity)) = ringing {
        incident.fired = now;
        let raised = severity > incident.severity;
        if raised || verdict.evidence.signals.mentions > incident.peak {
            incident.peak = incident.peak.max(verdict.evidence.signals.mentions);
            let range = incident.evidence.range;
            incident.evidence = verdict.evidence.clone();
            if incident.evidence.range == (0, 0) {
                Arc::make_mut(&mut incident.evidence).range = range;
            }
        }
        if raised {
            incident.severity = severity;
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
    incident.silenced_by = None;
    incident.snoozed = None;
    incident.calm = false;
    incident.ack = None;
    incident.fired = now;
    incident.severity = incident.severity.max(severity);
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
pub(crate) mod tests {
    use super::super::acts::Act;
    use super::super::detect::GroupKey;
    use super::super::detect::tests::alert;
    use super::*;
    use crate::model::{Evidence, Person, Signals, Step};

    pub(crate) fn people() -> People {
        let person = |name: &str| Person { name: name.into(), ..Person::default() };
        People { persons: ["anna", "bo", "chief"].map(person).to_vec(), policies: vec![policy()], ..People::default() }
    }

    fn judged(i: &mut Incident, v: &Verdict, minute: i64) -> Vec<Call> {
        let alert = alert();
        judge(i, Some(v), Charge::of(Some(&alert), &people()), t(minute))
    }

    fn done(i: &mut Incident, act: Act, by: &str, minute: i64) -> Vec<Call> {
        let alert = alert();
        act.on(i, by, "", Charge::of(Some(&alert), &people()), t(minute)).unwrap_or_default()
    }

    fn policy() -> Policy {
        let step = |who: &str| Step { notify: vec![who.into()], wait: Span::mins(15), ..Step::default() };
        Policy {
            name: "pr".into(),
            steps: vec![step("anna"), step("bo")],
            repeat: 2,
            last_resort: vec!["chief".into()],
            lapse: Some(Span::mins(90)),
            ..Policy::default()
        }
    }

    pub(crate) fn verdict(severity: Option<Severity>, mentions: u64) -> Verdict {
        Verdict {
            key: GroupKey { alert: "acme-negative".into(), group: "acme".into() },
            topic: "acme".into(),
            severity,
            evidence: Evidence { signals: Signals { mentions, ..Signals::default() }, ..Evidence::default() }.into(),
        }
    }

    fn t(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Span::mins(minute)
    }

    pub(crate) fn opened() -> Incident {
        let v = verdict(Some(Severity::Escalate), 10);
        let alert = alert();
        let (mut i, calls) = open(&v, Severity::Escalate, Charge::of(Some(&alert), &people()), t(0));
        assert_eq!(calls, [Call { notice: Notice::Opened, notify: vec!["anna".into()] }]);
        i.told = vec!["anna".into()];
        i
    }

    pub(crate) fn tick(i: &mut Incident, severity: Option<Severity>, minute: i64) -> Vec<Notice> {
        let v = verdict(severity, 10);
        judged(i, &v, minute).into_iter().map(|c| c.notice).collect()
    }

    #[test]
    fn steps_go_round_and_end_in_the_last_resort() {
        let mut i = opened();
        let ringing = Some(Severity::Escalate);
        let mut told = Vec::new();
        for minute in 1..200 {
            let v = verdict(ringing, 10);
            for call in judged(&mut i, &v, minute) {
                if call.notice == Notice::Escalated {
                    told.push((minute, call.notify.join("+")));
                }
            }
        }
        let expected = [(15, "bo"), (30, "anna"), (45, "bo"), (60, "chief")];
        assert_eq!(told, expected.map(|(m, who)| (m, who.to_owned())));
    }

    #[test]
    fn overdue_steps_become_one_call() {
        let mut i = opened();
        let v = verdict(Some(Severity::Escalate), 10);
        let calls = judged(&mut i, &v, 40);
        assert_eq!(calls.len(), 1, "{calls:?}");
        assert_eq!(calls[0].notify, ["bo", "anna"]);
    }

    #[test]
    fn acknowledged_means_quiet_until_it_gets_worse() {
        let mut i = opened();
        assert_eq!(done(&mut i, Act::Acknowledge, "anna", 5).len(), 1);
        assert_eq!(done(&mut i, Act::Acknowledge, "bo", 6), []);
        assert_eq!(tick(&mut i, Some(Severity::Escalate), 50), []);
        let worse = tick(&mut i, Some(Severity::Crisis), 51);
        assert_eq!(worse, [Notice::Raised, Notice::Escalated]);
        assert_eq!((i.status, i.severity), (Status::Open, Severity::Crisis));
    }

    #[test]
    fn calm_resolves_and_a_quick_return_is_the_same_incident() {
        let mut i = opened();
        done(&mut i, Act::Acknowledge, "anna", 1);
        assert_eq!(tick(&mut i, None, 60), []);
        assert_eq!(tick(&mut i, None, 120), [Notice::Resolved]);
        assert_eq!(tick(&mut i, None, 121), []);
        assert_eq!(tick(&mut i, Some(Severity::Review), 130), [Notice::Reopened]);
        assert_eq!((i.status, i.severity), (Status::Open, Severity::Escalate), "it never gets milder by itself");
    }

    #[test]
    fn what_people_resolve_stays_so_until_it_has_calmed_or_is_worse() {
        let mut i = opened();
        let ringing = verdict(Some(Severity::Escalate), 12);
        done(&mut i, Act::Resolve, "anna", 5);
        assert_eq!(judged(&mut i, &ringing, 6), []);
        assert_eq!(i.status, Status::Resolved, "it rings on, as they knew");
        let mut worse = i.clone();
        let crisis = verdict(Some(Severity::Crisis), 40);
        assert_eq!(judged(&mut worse, &crisis, 7)[0].notice, Notice::Reopened);
        judged(&mut i, &verdict(None, 1), 8);
        assert!(i.calm);
        let back = judged(&mut i, &ringing, 9);
        assert_eq!((back[0].notice, i.status), (Notice::Reopened, Status::Open));
    }

    #[test]
    fn reminds_while_nobody_has_it() {
        let lone = Policy {
            steps: vec![Step { notify: vec!["anna".into()], wait: Span::mins(15), ..Step::default() }],
            repeat: 1,
            last_resort: vec![],
            ..policy()
        };
        let people = People { policies: vec![lone], ..people() };
        let alert = alert();
        let charge = Charge::of(Some(&alert), &people);
        let v = verdict(Some(Severity::Escalate), 10);
        let (mut i, _) = open(&v, Severity::Escalate, charge, t(0));
        i.told = vec!["anna".into()];
        let reminders: Vec<i64> = (1..100)
            .filter(|m| judge(&mut i, Some(&v), charge, t(*m)).iter().any(|c| c.notice == Notice::Reminder))
            .collect();
        assert_eq!(reminders, [30, 60, 90]);
    }

    proptest::proptest! {
        /// What is said to stay as it is does.
        #[test]
        fn what_stays_is_not_changed_by_judging(steps in proptest::collection::vec((0u8..6, 8u64..13, 1i64..40), 1..60)) {
            let mut i = opened();
            let mut minute = 0;
            for (kind, mentions, wait) in steps {
                minute += wait;
                if kind == 5 {
                    done(&mut i, Act::Acknowledge, "anna", minute);
                }
                let v = verdict(usize::from(kind).checked_sub(1).and_then(|n| Severity::ALL.get(n).copied()), mentions);
                let (stays, mut before) = (stays(&i, Some(&v), Some(&alert()), t(minute)), i.clone());
                let calls = judged(&mut i, &v, minute);
                if let Some(fired) = stays {
                    before.fired = fired;
                    proptest::prop_assert!(calls.is_empty());
                    proptest::prop_assert_eq!(&i, &before);
                }
            }
        }

        /// Whatever comes, in whatever order: content never resolves early, lowers or acknowledges.
        #[test]
        fn content_only_raises(steps in proptest::collection::vec((0u8..6, 1i64..40), 1..60)) {
            let mut i = opened();
            let mut minute = 0;
            for (kind, wait) in steps {
                minute += wait;
                let before = i.clone();
                match kind {
                    0 => { tick(&mut i, None, minute); }
                    1..=4 => { tick(&mut i, Some(Severity::ALL[usize::from(kind) - 1]), minute); }
                    _ => { done(&mut i, Act::Acknowledge, "anna", minute); }
                }
                proptest::prop_assert!(i.severity >= before.severity);
                if kind < 5 && i.status == Status::Acknowledged {
                    proptest::prop_assert_eq!(before.status, Status::Acknowledged);
                }
                if before.status != Status::Resolved && i.status == Status::Resolved {
                    proptest::prop_assert!(crate::model::time::between(before.fired, t(minute)) >= alert().resolve_after);
                }
                if i.status != Status::Open {
                    proptest::prop_assert!(i.next_step.is_none() && i.next_remind.is_none());
                }
            }
        }
    }
}
