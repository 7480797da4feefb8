//! Turns calls into messages: gathers the evidence, composes a letter and short texts for each person, ready for the outbox.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::links::Leave;
use super::messages::{Composer, Firsts, shared};
use super::{Ground, Knowledge, evidence, publishing};
use crate::channels::letter::Brief;
use crate::engine::budget::{self, Asked};
use crate::engine::duty;
use crate::engine::incident::Call;
use crate::model::incident::Notice;
use crate::model::time::Span;
use crate::model::{Incident, Severity};
use crate::store::outbox::{self, Message};
use crate::store::{Connection, StoreError, Stored, audit, erasures, incidents};

/// Composed messages, and the mark of erasures that held when their evidence was read.
#[derive(Debug, Clone, Default)]
pub struct Letters {
    /// The messages.
    pub messages: Vec<Message>,
    /// Of each person, what may hold theirs back.
    limits: BTreeMap<String, Limit>,
    /// Messages that reach others as well, with the name of each of those.
    shared: Vec<(String, String)>,
    mark: i64,
}

/// What may hold a person's messages back.
#[derive(Debug, Clone)]
struct Limit {
    budget: Option<u32>,
    /// Mails an hour that are enough for everybody together.
    hourly: u32,
    /// When the person's day began.
    day: Timestamp,
    notice: Notice,
    /// Messages held before, which these tell of.
    tells: Vec<i64>,
}

impl Limit {
    /// Whether what the person is told of an incident is held.
    fn holds(&self, c: &Connection, person: &str, incident: &Incident, now: Timestamp) -> Stored<bool> {
        if incident.severity >= Severity::Escalate {
            return Ok(false);
        }
        let asked = Asked {
            severity: incident.severity,
            notice: self.notice,
            told: outbox::was_told(c, person, incident.id)?,
            sent: outbox::sent_since(c, person, self.day)?,
        };
        let budget = if outbox::is_full(c, self.hourly, now - Span::hours(1))? { Some(0) } else { self.budget };
        Ok(budget::is_held(budget, &asked))
    }
}

/// Composes the letters of calls and moves the incident's numbers on. Stores nothing.
///
/// # Errors
/// When the evidence cannot be read.
pub fn letters(
    ground: &Ground,
    knowledge: &Knowledge,
    c: &Connection,
    incident: &mut Incident,
    calls: &[Call],
    now: Timestamp,
) -> Stored<Letters> {
    let people = &knowledge.rules.people;
    let mut out = Letters { mark: erasures::mark(c)?, ..Letters::default() };
    let alert = evidence::alert_of(knowledge, incident);
    let brand = knowledge.rules.topic(&incident.topic).map_or_else(|| incident.topic.clone(), |t| t.title.clone());
    let about = publishing::About { alert: &alert, brand: &brand, house: &ground.house };
    out.messages.extend(publishing::order(c, people, incident, calls, &about, now)?);
    if calls.is_empty() || incident.shadow {
        return Ok(out);
    }
    let (loudest, facts, hot) = match &incident.drill {
        // Nothing of an exercise is in the store.
        Some(drill) => {
            let chart = evidence::chart_of(&drill.mentions, &alert, incident, now);
            (drill.mentions.clone(), Some(chart), Vec::new())
        }
        None => {
            let loudest = evidence::loudest(c, &alert, incident, now)?;
            let hot = evidence::hot_words(c, &alert, incident, &loudest, now)?;
            (loudest, Some(evidence::chart(c, &alert, incident, now)?), hot)
        }
    };
    let taken_by =
        incident.ack.as_ref().map(|a| people.person(&a.by).map_or_else(|| a.by.clone(), |p| p.full_name.clone()));
    let shared = shared(people);
    let planned = publishing::planned(&knowledge.rules, &alert, incident, now);
    let mut served: HashSet<String> = HashSet::new();
    let mut firsts = Firsts::default();
    for call in calls {
        let reached = duty::reached(incident, call, people, now);
        if reached.is_empty() && !matches!(call.notice, Notice::Acknowledged | Notice::Resolved) {
            // Nobody to call must never mean silence (F99).
            tracing::error!(incident = incident.id, notice = call.notice.as_str(), "there is nobody to tell");
        }
        let told: Vec<String> =
            incident.told.iter().map(|n| people.person(n).map_or_else(|| n.clone(), |p| p.full_name.clone())).collect();
        // Nobody gets two letters about one incident at one time: the first call is the one that says most.
        for person in reached.into_iter().filter(|p| served.insert(p.name.clone())) {
            let leave = match call.notice {
                Notice::Resolved | Notice::Snoozed | Notice::Lowered | Notice::Merged | Notice::Assigned => None,
                Notice::Acknowledged => Some(Leave::Undo),
                _ => Some(Leave::Take),
            };
            let base = ground.house.base_url.as_deref().zip(leave);
            let door = base.map(|(base, leave)| {
                format!("{}/a/{}", base.trim_end_matches('/'), ground.links.link(incident.id, &person.name, leave, now))
            });
            let asks = leave == Some(Leave::Take) && incident.severity >= Severity::Escalate;
            let digits = (asks && door.is_some()).then(|| ground.links.code(incident.id, &person.name));
            // What was held is told of by a real message.
            let held = if incident.drill.is_some() { Vec::new() } else { outbox::held_of(c, &person.name)? };
            let held_about: Vec<i64> = held.iter().map(|(_, about)| *about).collect();
            let brief = Brief {
                notice: call.notice,
                door: door.as_deref(),
                digits: digits.as_deref(),
                incident,
                alert: &alert,
                brand: &brand,
                mentions: &loudest,
                hot: &hot,
                chart: facts.as_ref(),
                playbook: knowledge.rules.playbook(&alert.playbook),
                person,
                told: &told,
                held: &held_about,
                planned: &planned,
                taken_by: taken_by.as_deref(),
                base_url: ground.house.base_url.as_deref(),
                now,
                from_domain: ground.house.domain(),
            };
            let carried = outbox::ways_of(c, &person.name, incident.id)?;
            let composer = Composer { ground, brief: &brief, shared: &shared, carried: &carried };
            match composer.messages(&mut firsts) {
                Ok((messages, of_another)) => {
                    out.shared.extend(of_another.map(|id| (id, person.name.clone())));
                    let day = budget::day_of(person, now);
                    let tells = held.into_iter().map(|(id, _)| id).collect();
                    let limit = Limit {
                        budget: person.budget,
                        hourly: ground.house.most_an_hour,
                        day,
                        notice: call.notice,
                        tells,
                    };
                    out.limits.insert(person.name.clone(), limit);
                    out.messages.extend(messages);
                }
                Err(why) => {
                    // A letter that cannot be composed must not keep the others from being sent.
                    tracing::error!(
                        incident = incident.id,
                        person = person.name,
                        error = why,
                        "a letter cannot be composed"
                    );
                }
            }
        }
    }
    Ok(out)
}

/// Puts messages into the outbox and notes them on the incident's timeline.
///
/// # Errors
/// When the database cannot be written; [`StoreError::Busy`] when somebody was erased since the letters were composed:
/// they may quote what is gone, and are to be composed again.
pub fn post(c: &Connection, incident: &Incident, calls: &[Call], letters: &Letters, now: Timestamp) -> Stored<()> {
    if !letters.messages.is_empty() && erasures::mark(c)? != letters.mark {
        return Err(StoreError::Busy);
    }
    for call in calls {
        let tried = if incident.shadow { "would have told " } else { "" };
        let detail = format!("{} · {tried}{}", incident.severity, call.notify.join(", "));
        incidents::note(c, incident.id, now, "vakt", call.notice.as_str(), &detail)?;
        audit::append(c, now, "vakt", call.notice.as_str(), &incident.about(), &detail)?;
    }
    // Decided before any of them is put: what goes to a person by several ways is told once.
    let mut held: HashSet<&str> = HashSet::new();
    for (person, limit) in &letters.limits {
        if limit.holds(c, person, incident, now)? {
            held.insert(person);
        } else {
            limit.tells.iter().try_for_each(|id| outbox::held_is_told(c, *id, now))?;
        }
    }
    // What waits by other channels is old news once people have it or it is over: a telephone must not ring for it hours
    // later, when its service is back. Mail keeps the whole story.
    let old = |call: &Call| matches!(call.notice, Notice::Acknowledged | Notice::Resolved | Notice::Merged);
    if calls.iter().any(old) {
        let over = calls.iter().any(|call| matches!(call.notice, Notice::Resolved | Notice::Merged));
        outbox::overtaken(c, incident.id, over, now)?;
    }
    let mut kept: HashSet<&str> = HashSet::new();
    for message in &letters.messages {
        let other =
            letters.shared.iter().find(|(id, other)| *id == message.message_id && !held.contains(other.as_str()));
        match (held.contains(message.person.as_str()), other) {
            (false, _) => outbox::put(c, message)?,
            // It is held from one of those whom it reaches, and not from another.
            (true, Some((_, other))) => outbox::put(c, &Message { person: other.clone(), ..message.clone() })?,
            (true, None) if kept.insert(&message.person) => {
                outbox::hold(c, message)?;
                incidents::note(c, incident.id, now, "vakt", "held", &message.person)?;
            }
            (true, None) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Person, Severity};
    use crate::store::Store;
    use crate::store::outbox::By;

    #[test]
    fn letters_from_before_an_erasure_are_composed_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
        let now = Timestamp::UNIX_EPOCH;
        let incident = crate::engine::incident::tests::opened();
        let message = Message {
            id: 0,
            message_id: "m".into(),
            incident: Some(1),
            person: "a".into(),
            by: By::default(),
            address: "a@acme.example".into(),
            subject: "s".into(),
            body: b"what was said".to_vec(),
            created: now,
            attempts: 0,
        };
        let letters = |mark| Letters { messages: vec![message.clone()], mark, ..Letters::default() };
        let post = |letters: Letters| {
            let incident = incident.clone();
            store.write_blocking(move |tx| post(tx, &incident, &[], &letters, now))
        };
        store.write_blocking(|tx| erasures::move_mark(tx)).expect("written");
        assert!(matches!(post(letters(0)), Err(StoreError::Busy)));
        assert!(post(Letters::default()).is_ok(), "what quotes nobody is not held up");
        assert!(post(letters(1)).is_ok());
    }

    #[test]
    fn what_is_beyond_a_budget_is_held_and_told_of_later() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
        let now = Timestamp::UNIX_EPOCH + Span::days(10);
        let send = |id: i64, severity, notice, at: Timestamp| {
            let incident = Incident { id, severity, ..crate::engine::incident::tests::opened() };
            store
                .write_blocking(move |tx| {
                    let n = outbox::standing(tx)?;
                    let message = Message {
                        id: 0,
                        message_id: format!("m{}", n.waiting + n.held),
                        incident: Some(id),
                        person: "a".into(),
                        by: By::default(),
                        address: "a@acme.example".into(),
                        subject: "s".into(),
                        body: b"what was said".to_vec(),
                        created: at,
                        attempts: 0,
                    };
                    let tells = outbox::held_of(tx, "a")?.into_iter().map(|(id, _)| id).collect();
                    let person = Person::default();
                    let limit = Limit { budget: Some(2), hourly: 6, day: budget::day_of(&person, at), notice, tells };
                    let limits = BTreeMap::from([("a".to_owned(), limit)]);
                    let letters = Letters { messages: vec![message], limits, ..Letters::default() };
                    post(tx, &incident, &[], &letters, at)?;
                    Ok(outbox::of_incident(tx, id)?.pop().map(|t| t.state))
                })
                .expect("written")
                .expect("it is kept")
        };
        let known = move |id| Incident { id, ..crate::engine::incident::tests::opened() };
        store.write_blocking(move |tx| (1..=5).try_for_each(|id| incidents::insert(tx, &known(id)))).expect("written");
        let held = || store.read(|c| outbox::held_of(c, "a")).expect("read");
        let (review, escalate) = (Severity::Review, Severity::Escalate);
        assert_eq!([1, 2].map(|id| send(id, review, Notice::Opened, now)), ["waiting", "waiting"]);
        assert_eq!([3, 4].map(|id| send(id, review, Notice::Opened, now)), ["held", "held"]);
        assert_eq!(held().iter().map(|(_, about)| *about).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(send(2, review, Notice::Resolved, now), "waiting", "they know that it began");
        assert_eq!(held(), [], "that message told of them");
        assert_eq!(send(3, review, Notice::Resolved, now), "held");
        assert_eq!(send(3, escalate, Notice::Raised, now), "waiting");
        assert_eq!(send(5, review, Notice::Opened, now + Span::days(1)), "waiting", "another day");
        let standing = store.read(outbox::standing).expect("read");
        assert_eq!((standing.waiting, standing.held), (5, 3));
    }
}
