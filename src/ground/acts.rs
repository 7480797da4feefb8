//! People's acts: an incident changes, the others are told, and the log says who did it, all in one transaction.

use jiff::Timestamp;

use super::{Ground, tell};
use crate::engine::acts::{self, Act};
use crate::engine::incident::Charge;
use crate::model::{Incident, Severity, Silence, Status};
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
    /// It cannot be: why.
    Cannot(&'static str),
    /// There is no such incident.
    Unknown,
}

/// Times that an act is tried again, where something else changed the incident at the same instant.
const TRIES: usize = 20;
/// Parts of parts of parts are followed for so long.
const LONGEST_WAY: usize = 16;
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

/// Tries again while something else changes what is acted on.
pub(super) fn again<T>(act: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let mut tried = 0;
    loop {
        match act() {
            Err(e) if e.is_passing() && tried < TRIES => tried += 1,
            done => return done,
        }
    }
}

impl Ground {
    /// Acts on an incident. Whatever the daemon does to it at the same time comes first; then this is tried on what it has
    /// become. Nothing is told before all is stored.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn act(&self, deed: &Deed) -> Result<Outcome, StoreError> {
        again(|| self.try_act(deed))
    }

    /// Makes one incident part of another, in the name of a person.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn merge(&self, part: i64, whole: i64, by: &str, note: &str) -> Result<Outcome, StoreError> {
        again(|| self.try_merge(part, whole, by, cut(note, NOTE)))
    }

    fn try_merge(&self, part: i64, whole: i64, by: &str, note: &str) -> Result<Outcome, StoreError> {
        let now = self.clock.now();
        let both = self.store.read(|c| Ok(incidents::get(c, part)?.zip(incidents::get(c, whole)?)))?;
        let Some(before) = both else { return Ok(Outcome::Unknown) };
        let knowledge = self.knowledge();
        let charge = Charge::of(knowledge.rules.alert(&before.1.alert), &knowledge.rules.people);
        let (mut part, mut whole) = before.clone();
        let calls = match acts::merge(&mut part, &mut whole, charge, now) {
            Ok(Some(calls)) => calls,
            Ok(None) => return Ok(Outcome::Already(Box::new(part))),
            Err(why) => return Ok(Outcome::Cannot(why)),
        };
        let [of_part, of_whole] = calls;
        let letters = self.store.read(|c| {
            let of_part = tell::letters(self, &knowledge, c, &mut part, &of_part, now)?;
            Ok((of_part, tell::letters(self, &knowledge, c, &mut whole, &of_whole, now)?))
        })?;
        let (kept, by, note) = ((part.clone(), whole), by.to_owned(), note.to_owned());
        self.store.write_blocking(move |tx| {
            let now_are = incidents::get(tx, before.0.id)?.zip(incidents::get(tx, before.1.id)?);
            if now_are.as_ref() != Some(&before) {
                return Err(StoreError::Busy);
            }
            let (part, whole) = kept;
            let fact = format!("into {}", whole.id);
            let detail = if note.is_empty() { fact.clone() } else { format!("{fact}: {note}") };
            incidents::update(tx, &part)?;
            incidents::update(tx, &whole)?;
            incidents::note(tx, part.id, now, &by, "merged", &detail)?;
            incidents::note(tx, whole.id, now, &by, "joined", &format!("incident {} is part of it", part.id))?;
            audit::append(tx, now, &by, "merged", &part.about(), &fact)?;
            tell::post(tx, &part, &of_part, &letters.0, now)?;
            tell::post(tx, &whole, &of_whole, &letters.1, now)
        })?;
        self.bells.deliver.notify_one();
        Ok(Outcome::Done(Box::new(part)))
    }

    /// An incident, or that which it is part of: whoever takes, puts off or ends a part means the whole.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn whole_of(&self, incident: i64) -> Result<Option<Incident>, StoreError> {
        self.store.read(|c| {
            let Some(mut meant) = incidents::get(c, incident)? else { return Ok(None) };
            // Parts of parts: no longer a way than anybody would merge.
            for _ in 0..LONGEST_WAY {
                let is_part = meant.status != Status::Resolved && meant.muted_by == meant.merged_into;
                let whole = meant.merged_into.filter(|_| is_part).map(|into| incidents::get(c, into)).transpose()?;
                match whole.flatten().filter(|w| w.status != Status::Resolved) {
                    Some(whole) => meant = whole,
                    None => break,
                }
            }
            Ok(Some(meant))
        })
    }

    fn try_act(&self, deed: &Deed) -> Result<Outcome, StoreError> {
        let now = self.clock.now();
        let found = match deed.act {
            Act::Acknowledge | Act::Snooze(_) | Act::Resolve | Act::Reopen | Act::Assign(_) => {
                self.whole_of(deed.incident)
            }
            _ => self.store.read(|c| incidents::get(c, deed.incident)),
        };
        let Some(before) = found? else { return Ok(Outcome::Unknown) };
        if deed.act == Act::Reopen && before.status == Status::Resolved {
            // Of a group only the latest is judged.
            let later = |o: &Incident| o.id > before.id && (&o.alert, &o.group) == (&before.alert, &before.group);
            if self.store.read(incidents::unresolved)?.iter().any(later) {
                return Ok(Outcome::Cannot("a later incident of the same group is open: act on that one"));
            }
        }
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
            audit::append(tx, now, &deed.by, what, &kept.about(), &fact)?;
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
