//! People's acts: an incident changes, the others are told, and the log says who did it, all in one transaction.

use jiff::Timestamp;

use super::{Ground, tell};
use crate::engine::acts::Act;
use crate::engine::incident::Charge;
use crate::model::{Incident, Severity, Silence};
use crate::store::{StoreError, audit, incidents, silences};

/// An act of a person.
#[derive(Debug, Clone)]
pub struct Deed {
    /// The incident's number.
    pub incident: i64,
    /// The name of the person, who is in the rules.
    pub by: String,
    /// What is done.
    pub act: Act,
    /// What the others should know; may be empty.
    pub note: String,
}

/// What became of an act.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is done and kept.
    Done(Box<Incident>),
    /// All was so already, as the incident stands.
    Already(Box<Incident>),
    /// There is no such incident.
    Unknown,
}

/// Times that an act is tried again, where something else changed the incident at the same instant.
const TRIES: usize = 20;
/// Longest note, in bytes.
const NOTE: usize = 4000;

/// A note no longer than may be kept.
pub(super) fn cut(note: &str, most: usize) -> &str {
    let mut end = note.len().min(most);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    note.get(..end).unwrap_or_default()
}

impl Ground {
    /// Acts on an incident. Whatever the daemon does to it at the same time comes first; then this is tried on what it has
    /// become. Nothing is told before all is stored.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn act(&self, deed: &Deed) -> Result<Outcome, StoreError> {
        let mut tried = 0;
        loop {
            match self.try_act(deed) {
                Err(e) if e.is_passing() && tried < TRIES => tried += 1,
                done => return done,
            }
        }
    }

    fn try_act(&self, deed: &Deed) -> Result<Outcome, StoreError> {
        let now = self.clock.now();
        let Some(before) = self.store.read(|c| incidents::get(c, deed.incident))? else { return Ok(Outcome::Unknown) };
        let knowledge = self.knowledge();
        let rules = &knowledge.rules;
        let charge = Charge::of(rules.alert(&before.alert), &rules.people);
        let mut incident = before.clone();
        let note = cut(&deed.note, NOTE);
        let Some(calls) = deed.act.on(&mut incident, &deed.by, note, charge, now) else {
            return Ok(Outcome::Already(Box::new(before)));
        };
        let letters = self.store.read(|c| tell::letters(self, &knowledge, c, &mut incident, &calls, now))?;
        let (kept, deed, note) = (incident.clone(), deed.clone(), note.to_owned());
        self.store.write_blocking(move |tx| {
            if incidents::get(tx, kept.id)?.as_ref() != Some(&before) {
                return Err(StoreError::Busy);
            }
            incidents::update(tx, &kept)?;
            let (what, fact) = (deed.act.as_str(), deed.act.fact());
            let detail =
                if fact.is_empty() || note.is_empty() { format!("{fact}{note}") } else { format!("{fact}: {note}") };
            incidents::note(tx, kept.id, now, &deed.by, what, &detail)?;
            audit::append(tx, now, &deed.by, what, &format!("incident {}", kept.id), &fact)?;
            tell::post(tx, &kept, &calls, &letters, now)
        })?;
        self.bells.deliver.notify_one();
        Ok(Outcome::Done(Box::new(incident)))
    }

    /// Lays a silence; gives its number.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn silence(&self, silence: Silence) -> Result<i64, StoreError> {
        let now = self.clock.now();
        let id = self.store.write_blocking(move |tx| {
            let id = silences::put(tx, &silence)?;
            audit::append(tx, now, &silence.by, "silenced", &format!("silence {id}"), &words(&silence))?;
            Ok(id)
        })?;
        self.bells.watch.notify_one();
        Ok(id)
    }

    /// Ends a silence now; says whether it was in force or still to come.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn end_silence(&self, id: i64, by: &str) -> Result<bool, StoreError> {
        let (now, by) = (self.clock.now(), by.to_owned());
        let ended = self.store.write_blocking(move |tx| {
            let Some(silence) = silences::get(tx, id)?.filter(|s| s.until > now) else { return Ok(false) };
            silences::put(tx, &Silence { until: now, ..silence })?;
            audit::append(tx, now, &by, "expired", &format!("silence {id}"), "")?;
            Ok(true)
        })?;
        self.bells.watch.notify_one();
        Ok(ended)
    }
}

/// What a silence covers and for how long, in words.
pub fn words(silence: &Silence) -> String {
    let mut out = match (&silence.alert, &silence.topic) {
        (Some(alert), Some(topic)) => format!("{alert} about {topic}"),
        (Some(alert), None) => alert.clone(),
        (None, Some(topic)) => format!("all about {topic}"),
        (None, None) => "all".to_owned(),
    };
    if silence.upto < Severity::Crisis {
        out.push_str(&format!(" up to {}", silence.upto));
    }
    let at = |t: Timestamp| format!("{t:.0}");
    format!("{out}, {} to {}", at(silence.from), at(silence.until))
}
