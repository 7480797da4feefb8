//! What people do with an incident: take it, put it off, end it, open it again, give it away, say how bad it is.
//!
//! Each act changes the incident and returns the calls that follow, or nothing where all is so already. Only people lower
//! and end; what they do is undone by another act.

use jiff::Timestamp;

use super::incident::{Call, Charge, begin_again, end, open_again};
use crate::model::incident::Ack;
use crate::model::{Incident, Notice, Severity, Status};

/// Something that a person does with an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The person has it: nobody else is called.
    Acknowledge,
    /// Nobody is called until an instant; then the policy begins again.
    Snooze(Timestamp),
    /// It is over.
    Resolve,
    /// It is not over, or nobody has it after all: the policy begins again.
    Reopen,
    /// Another person has it, who is told.
    Assign(String),
    /// How bad it is.
    Severity(Severity),
    /// It is no part of another incident after all: its policy begins.
    Split,
    /// Something to remember; nobody is told.
    Note,
    /// Something that was decided; nobody is told.
    Decide,
}

impl Act {
    /// The word for timelines and the audit log.
    pub fn as_str(&self) -> &'static str {
        match self {
            Act::Acknowledge => "acknowledged",
            Act::Snooze(_) => "snoozed",
            Act::Resolve => "resolved",
            Act::Reopen => "reopened",
            Act::Assign(_) => "assigned",
            Act::Severity(_) => "severity",
            Act::Split => "split",
            Act::Note => "noted",
            Act::Decide => "decided",
        }
    }

    /// What else the act says: until when, to whom, how bad. Empty where there is nothing.
    pub fn fact(&self) -> String {
        match self {
            Act::Snooze(until) => format!("until {until:.0}"),
            Act::Assign(to) => format!("to {to}"),
            Act::Severity(severity) => severity.to_string(),
            Act::Acknowledge | Act::Resolve | Act::Reopen | Act::Split | Act::Note | Act::Decide => String::new(),
        }
    }

    /// What a person does at an instant. `None` where the incident is so already: nothing has changed.
    pub fn on(
        &self,
        incident: &mut Incident,
        by: &str,
        note: &str,
        charge: Charge<'_>,
        now: Timestamp,
    ) -> Option<Vec<Call>> {
        let told = |i: &Incident, notice| vec![Call { notice, notify: i.told.clone() }];
        let taken = |by: &str| {
            let until = charge.policy.and_then(|p| p.lapse).map(|lapse| now + lapse);
            Some(Ack { by: by.to_owned(), at: now, note: note.to_owned(), until })
        };
        match self {
            Act::Acknowledge => {
                if incident.status != Status::Open {
                    return None;
                }
                have(incident, taken(by));
                Some(told(incident, Notice::Acknowledged))
            }
            Act::Assign(to) => {
                let has = incident.ack.as_ref().is_some_and(|a| a.by == *to);
                if incident.status == Status::Resolved || has {
                    return None;
                }
                have(incident, taken(to));
                let others = incident.told.iter().filter(|name| *name != to).cloned().collect();
                Some(vec![
                    Call { notice: Notice::Assigned, notify: vec![to.clone()] },
                    Call { notice: Notice::Acknowledged, notify: others },
                ])
            }
            Act::Snooze(until) => {
                if incident.status == Status::Resolved || *until <= now || incident.snoozed == Some(*until) {
                    return None;
                }
                incident.status = Status::Open;
                incident.ack = None;
                incident.snoozed = Some(*until);
                incident.steps_taken = 0;
                incident.next_step = Some(*until);
                incident.next_remind = charge.alert.and_then(|a| a.remind).map(|every| *until + every);
                Some(told(incident, Notice::Snoozed))
            }
            Act::Resolve => {
                if incident.status == Status::Resolved {
                    return None;
                }
                end(incident, now);
                Some(told(incident, Notice::Resolved))
            }
            Act::Reopen => {
                if incident.status == Status::Open && incident.snoozed.is_none() {
                    return None;
                }
                open_again(incident, now);
                if incident.resolved.take().is_some() {
                    (incident.merged_into, incident.muted_by, incident.silenced_by) = (None, None, None);
                }
                incident.calm = false;
                // It would calm at once where it has not rung for long: people want to see it for a while.
                incident.fired = now;
                let mut notify = begin_again(incident, charge, now);
                notify.extend(incident.told.iter().cloned());
                Some(vec![Call { notice: Notice::Reopened, notify }])
            }
            Act::Severity(severity) => {
                if incident.severity == *severity || incident.status == Status::Resolved {
                    return None;
                }
                let raised = *severity > incident.severity;
                incident.overruled = Some(incident.known()).filter(|known| known > severity);
                incident.severity = *severity;
                Some(told(incident, if raised { Notice::Raised } else { Notice::Lowered }))
            }
            Act::Split => {
                incident.merged_into.take()?;
                incident.muted_by = None;
                if incident.status != Status::Open || incident.is_hushed() {
                    return Some(Vec::new());
                }
                let mut notify = begin_again(incident, charge, now);
                notify.extend(incident.told.iter().cloned());
                Some(vec![Call { notice: Notice::Reopened, notify }])
            }
            Act::Note | Act::Decide => (!note.is_empty()).then(Vec::new),
        }
    }
}

/// Why one incident cannot become part of another.
pub const SAME: &str = "an incident is no part of itself";
/// Why one incident cannot become part of another.
pub const OVER: &str = "one of them is over";
/// Why one incident cannot become part of another.
pub const UNLIKE: &str = "an exercise is nobody's part, and what calls people is no part of what is only tried out";
/// Why one incident cannot become part of another.
pub const PART: &str = "the other is itself part of a third; merge into that one";

/// One incident becomes part of another: from now on the other calls the people of both and is as bad as the worse of the
/// two. Gives the calls of either, or nothing where it is so already.
///
/// # Errors
/// Why it cannot be.
pub fn merge(
    part: &mut Incident,
    whole: &mut Incident,
    charge: Charge<'_>,
    now: Timestamp,
) -> Result<Option<[Vec<Call>; 2]>, &'static str> {
    if part.id == whole.id {
        return Err(SAME);
    }
    if part.drill.is_some() || whole.drill.is_some() || part.shadow != whole.shadow {
        return Err(UNLIKE);
    }
    if part.status == Status::Resolved || whole.status == Status::Resolved {
        return Err(OVER);
    }
    if whole.merged_into.is_some() {
        return Err(PART);
    }
    if part.merged_into == Some(whole.id) {
        return Ok(None);
    }
    part.merged_into = Some(whole.id);
    part.muted_by = Some(whole.id);
    (part.status, part.ack, part.snoozed) = (Status::Open, None, None);
    (part.next_step, part.next_remind) = (None, None);
    whole.peak = whole.peak.max(part.peak);
    let mut of_whole = Vec::new();
    if part.severity > whole.severity {
        whole.severity = part.severity;
        whole.overruled = None;
        if whole.status == Status::Acknowledged || whole.snoozed.is_some() {
            open_again(whole, now);
            whole.next_remind = charge.alert.and_then(|a| a.remind).map(|every| now + every);
        }
        of_whole.push(Call { notice: Notice::Raised, notify: whole.told.clone() });
    }
    let told = part.told.clone();
    whole.told.extend(told.iter().filter(|name| !whole.told.contains(name)).cloned().collect::<Vec<_>>());
    Ok(Some([vec![Call { notice: Notice::Merged, notify: told }], of_whole]))
}

fn have(incident: &mut Incident, ack: Option<Ack>) {
    incident.status = Status::Acknowledged;
    incident.ack = ack;
    incident.snoozed = None;
    incident.next_step = None;
    incident.next_remind = None;
}

#[cfg(test)]
mod tests {
    use super::super::detect::tests::alert;
    use super::super::incident::tests::{opened, people, tick};
    use super::*;
    use crate::model::Policy;
    use crate::model::time::Span;

    fn t(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Span::mins(minute)
    }

    fn act(i: &mut Incident, act: Act, by: &str, minute: i64) -> Option<Vec<Notice>> {
        let (people, alert) = (people(), alert());
        let calls = act.on(i, by, "", Charge::of(Some(&alert), &people), t(minute))?;
        Some(calls.into_iter().map(|c| c.notice).collect())
    }

    #[test]
    fn twice_is_once() {
        let mut i = opened();
        assert_eq!(act(&mut i, Act::Acknowledge, "anna", 1), Some(vec![Notice::Acknowledged]));
        assert_eq!(act(&mut i, Act::Acknowledge, "bo", 2), None);
        assert_eq!(
            act(&mut i, Act::Assign("bo".into()), "anna", 3),
            Some(vec![Notice::Assigned, Notice::Acknowledged])
        );
        assert_eq!(act(&mut i, Act::Assign("bo".into()), "anna", 4), None);
        assert_eq!(act(&mut i, Act::Resolve, "bo", 5), Some(vec![Notice::Resolved]));
        assert_eq!(act(&mut i, Act::Resolve, "bo", 6), None);
        assert_eq!(act(&mut i, Act::Snooze(t(60)), "bo", 7), None, "what is over cannot be put off");
        assert_eq!(act(&mut i, Act::Reopen, "anna", 8), Some(vec![Notice::Reopened]));
        assert_eq!(act(&mut i, Act::Reopen, "anna", 9), None);
        assert_eq!((i.status, i.ack, i.resolved), (Status::Open, None, None));
        assert_eq!(act(&mut opened(), Act::Note, "anna", 1), None, "a note says something");
    }

    #[test]
    fn what_is_put_off_comes_back_with_its_first_step() {
        let mut i = opened();
        assert_eq!(act(&mut i, Act::Snooze(t(60)), "anna", 1), Some(vec![Notice::Snoozed]));
        assert_eq!(tick(&mut i, Some(Severity::Escalate), 59), []);
        assert_eq!(tick(&mut i, Some(Severity::Escalate), 60), [Notice::Escalated]);
        assert_eq!((i.snoozed, i.steps_taken), (None, 1));
        act(&mut i, Act::Snooze(t(120)), "anna", 61);
        assert_eq!(
            tick(&mut i, Some(Severity::Crisis), 62),
            [Notice::Raised, Notice::Escalated],
            "worse is no longer that"
        );
    }

    #[test]
    fn what_somebody_has_for_too_long_calls_again() {
        let mut people = people();
        people.policies = people.policies.into_iter().map(|p| Policy { lapse: Some(Span::mins(60)), ..p }).collect();
        let alert = alert();
        let charge = Charge::of(Some(&alert), &people);
        let mut i = opened();
        Act::Acknowledge.on(&mut i, "anna", "", charge, t(1));
        let mut told = Vec::new();
        for minute in 2..70 {
            let v = super::super::incident::tests::verdict(Some(Severity::Escalate), 10);
            let calls = super::super::incident::judge(&mut i, Some(&v), charge, t(minute));
            told.extend(calls.into_iter().map(|c| (minute, c.notice)));
        }
        assert_eq!(told, [(61, Notice::Lapsed)]);
        assert_eq!((i.status, i.steps_taken), (Status::Open, 1));
    }

    #[test]
    fn a_part_is_as_quiet_as_its_whole_is_loud() {
        let people = people();
        let alert = alert();
        let charge = Charge::of(Some(&alert), &people);
        let (mut part, mut whole) = (Incident { id: 2, ..opened() }, Incident { id: 1, ..opened() });
        part.severity = Severity::Crisis;
        part.told = vec!["bo".into()];
        act(&mut whole, Act::Acknowledge, "anna", 1);
        let [of_part, of_whole] = merge(&mut part, &mut whole, charge, t(2)).expect("it can").expect("it is new");
        assert_eq!(of_part, [Call { notice: Notice::Merged, notify: vec!["bo".into()] }]);
        assert_eq!(of_whole, [Call { notice: Notice::Raised, notify: vec!["anna".into()] }]);
        assert_eq!((whole.severity, whole.status), (Severity::Crisis, Status::Open), "anna had something smaller");
        assert_eq!(whole.told, ["anna", "bo"]);
        assert!(part.is_hushed() && part.next_step.is_none());
        assert_eq!(merge(&mut part, &mut whole, charge, t(3)), Ok(None));
        let mut exercise = Incident { id: 4, drill: Some(Default::default()), ..opened() };
        assert_eq!(merge(&mut part.clone(), &mut exercise, charge, t(3)), Err(UNLIKE));
        let mut third = Incident { id: 3, ..opened() };
        assert_eq!(merge(&mut third, &mut part, charge, t(3)), Err(PART));
        assert_eq!(merge(&mut third.clone(), &mut third, charge, t(3)), Err(SAME));
        assert_eq!(act(&mut part, Act::Split, "bo", 4), Some(vec![Notice::Reopened]));
        assert_eq!((part.merged_into, part.is_hushed()), (None, false));
        assert_eq!(act(&mut part, Act::Split, "bo", 5), None);
        act(&mut whole, Act::Resolve, "anna", 6);
        assert_eq!(merge(&mut part, &mut whole, charge, t(7)), Err(OVER));
    }

    #[test]
    fn only_people_lower() {
        let mut i = opened();
        assert_eq!(act(&mut i, Act::Severity(Severity::Review), "anna", 1), Some(vec![Notice::Lowered]));
        assert_eq!(act(&mut i, Act::Severity(Severity::Crisis), "anna", 2), Some(vec![Notice::Raised]));
        assert_eq!(act(&mut i, Act::Severity(Severity::Crisis), "anna", 3), None);
    }
}
