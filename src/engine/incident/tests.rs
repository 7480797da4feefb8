//! The life of an incident, minute by minute.

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
fn what_people_lowered_stays_so_unless_it_becomes_worse_than_they_knew() {
    let mut i = opened();
    done(&mut i, Act::Severity(Severity::Review), "anna", 1);
    assert_eq!(tick(&mut i, Some(Severity::Escalate), 2), []);
    assert_eq!(i.severity, Severity::Review);
    assert_eq!(tick(&mut i, Some(Severity::Crisis), 3), [Notice::Raised]);
    assert_eq!((i.severity, i.overruled), (Severity::Crisis, None));
}

#[test]
fn nothing_is_due_once_the_rule_is_gone() {
    let mut i = opened();
    let people = people();
    let v = verdict(None, 10);
    let charge = Charge::of(None, &people);
    assert_eq!(judge(&mut i, Some(&v), charge, t(16)), []);
    assert_eq!(i.next_step, None, "or it would be overdue for ever");
}

#[test]
fn what_is_put_off_stays_so_when_nothing_hushes_it_any_more() {
    let mut i = opened();
    done(&mut i, Act::Snooze(t(60)), "anna", 1);
    let (alert, people) = (alert(), people());
    let charge = Charge::of(Some(&alert), &people);
    assert_eq!(hush(&mut i, Some(9), None, charge, t(2)), []);
    assert_eq!(hush(&mut i, None, None, charge, t(3)), []);
    assert_eq!(i.next_step, Some(t(60)));
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

#[test]
fn what_grows_tells_of_the_moment_when_it_rang() {
    let with = |mentions, held| {
        let v = verdict(Some(Severity::Escalate), mentions);
        let evidence = Evidence { held: Span::mins(held), range: (0, 0), ..Evidence::clone(&v.evidence) };
        Verdict { evidence: evidence.into(), ..v }
    };
    let mut i = opened();
    i.evidence = Evidence { held: Span::mins(2), range: (3, 7), ..Evidence::clone(&i.evidence) }.into();
    judged(&mut i, &with(25, 14), 3);
    assert_eq!((i.peak, i.evidence.signals.mentions), (25, 25));
    assert_eq!((i.evidence.held, i.evidence.range), (Span::mins(2), (3, 7)));
}
