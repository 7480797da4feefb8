//! Drafts and checklists: what people write, approve, hand over and tick off, each with its line in the log, in one
//! transaction.

use super::pleas::Asker;
use super::{Ground, answers};
use crate::channels::plea::Matter;
use crate::channels::short;
use crate::engine::drafts::{self, Act, Refusal};
use crate::engine::wording;
use crate::model::draft::{About, Machine, State};
use crate::model::{Draft, Mention, Network, Playbook, TopicKind};
use crate::rules::Rules;
use crate::store::drafts as kept;
use crate::store::outbox::{self, By, Message};
use crate::store::ticks::{self, Tick};
use crate::store::{StoreError, audit, incidents, mentions};

/// Longest text of a draft, in bytes; longest note with an act.
const LONGEST: usize = 20_000;
const NOTE: usize = 4000;
/// Times that an act is tried again, where something else changed the draft at the same instant.
const TRIES: usize = 20;

/// What keeps an act from being done.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rules of approval.
    #[error("draft {0}: {1}")]
    Refused(i64, Refusal),
    /// What was asked for is not there.
    #[error("{0}")]
    Missing(String),
}

fn missing(what: impl Into<String>) -> DraftError {
    DraftError::Missing(what.into())
}

/// A draft that somebody wants.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// What it answers.
    pub about: About,
    /// The playbook; that of the incident's alert rule where none is named.
    pub playbook: Option<String>,
    /// ISO 639-1 code.
    pub language: String,
    /// Where it is to be said.
    pub network: Option<Network>,
    /// Said to one person.
    pub reply: bool,
    /// Its words; those of the playbook's statement where there are none.
    pub text: Option<String>,
    /// The address that the statement leads to.
    pub link: Option<String>,
    /// The model that proposed the text, where a machine did.
    pub machine: Option<String>,
}

/// How an approved draft leaves the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way<'a> {
    /// In somebody's hands: nothing is sent.
    Hands,
    /// To a program that publishes it, by the webhook of that name.
    Channel(&'a str),
    /// To the person who posts it, by mail.
    Mail(&'a str),
}

/// What a draft stands on.
pub(super) struct Basis {
    /// The mention that it replies to.
    pub(super) mention: Option<Mention>,
    /// Name of the playbook; empty for none.
    pub(super) playbook: String,
    /// The brand that is spoken for.
    pub(super) brand: String,
}

impl Ground {
    /// Writes a draft.
    ///
    /// # Errors
    /// When what it is about is not there, nothing is said to begin with, or the store cannot be written.
    pub fn draft(&self, order: Order, by: &str) -> Result<Draft, DraftError> {
        let now = self.clock.now();
        let knowledge = self.knowledge();
        let rules = &knowledge.rules;
        let Basis { playbook: name, brand, .. } = self.basis(rules, &order)?;
        let playbook = rules.playbook(&name);
        let text = match order.text {
            Some(text) => text,
            None => said(playbook, &order.language, order.network, &brand, order.link.as_deref())?,
        };
        let approvers = playbook.map(Playbook::may_approve).unwrap_or_default();
        let mut draft = Draft {
            id: 0,
            about: order.about,
            playbook: name,
            language: order.language,
            network: order.network,
            reply: order.reply || order.about.mention.is_some(),
            text: fitting(text)?,
            version: 1,
            authors: vec![by.to_owned()],
            written: now,
            // Whatever a playbook asks for, somebody else has read it first.
            asked: playbook.map_or(1, |p| p.approvals).max(1),
            approvers: approvers.into_iter().map(str::to_owned).collect(),
            state: State::Waiting,
            approvals: Vec::new(),
            rejected: None,
            handed_over: None,
            writer: by.to_owned(),
            past: Vec::new(),
            machine: order.machine.map(|model| Machine { model, version: 1 }),
        };
        let (kept, by, asker) = (draft.clone(), by.to_owned(), Asker::of(self, brand));
        draft.id = self.store.write_blocking(move |tx| {
            let kept = Draft { id: kept::put(tx, &kept)?, ..kept };
            note(tx, &kept, now, &by, if kept.machine.is_some() { "proposed" } else { "drafted" })?;
            asker.ask(tx, &kept, now)?;
            Ok(kept.id)
        })?;
        self.bells.deliver.notify_one();
        Ok(draft)
    }

    /// What an order is about, as far as it is there.
    pub(super) fn basis(&self, rules: &Rules, order: &Order) -> Result<Basis, DraftError> {
        let incident = match order.about.incident {
            Some(id) => Some(
                self.store
                    .read(|c| incidents::get(c, id))?
                    .ok_or_else(|| missing(format!("there is no incident {id}; `vakt incident list` shows all")))?,
            ),
            None => None,
        };
        let mention = match order.about.mention {
            Some(id) => Some(
                self.store
                    .read(|c| mentions::get(c, id))?
                    .ok_or_else(|| missing(format!("there is no mention {id}; `vakt search` shows their numbers")))?,
            ),
            None => None,
        };
        let alert = incident.as_ref().and_then(|i| rules.alert(&i.alert));
        let name = order.playbook.clone().or_else(|| alert.map(|a| a.playbook.clone())).unwrap_or_default();
        let playbook = rules.playbook(&name);
        if playbook.is_none() && !name.is_empty() {
            let help = crate::config::fault::suggest(&name, rules.playbooks.iter().map(|p| p.name.as_str()));
            return Err(missing(format!("there is no playbook `{name}`: {help}")));
        }
        let topics = incident.iter().map(|i| &i.topic).chain(mention.iter().flat_map(|m| &m.topics));
        let brand = brand(rules, topics);
        Ok(Basis { mention, playbook: name, brand })
    }

    /// Acts on a draft. What somebody else does to it at the same instant comes first; then this is tried on what it has
    /// become, which says no where another version was read.
    ///
    /// # Errors
    /// When there is no such draft, the person may not, or the store cannot be written.
    pub fn act_on_draft(&self, id: i64, act: &Act, by: &str, words: &str) -> Result<Draft, DraftError> {
        self.persist(id, act, by, words, Way::Hands)
    }

    /// Hands a draft over to a program or a person that publishes it. It goes out with the messages of the outbox, once the
    /// daemon runs.
    ///
    /// # Errors
    /// As for [`Ground::act_on_draft`].
    pub fn hand_over(&self, id: i64, by: &str, words: &str, way: Way<'_>) -> Result<Draft, DraftError> {
        if let Way::Mail(name) = way {
            self.knowledge().rules.must_person(name).map_err(missing)?;
        }
        self.persist(id, &Act::HandOver, by, words, way)
    }

    fn persist(&self, id: i64, act: &Act, by: &str, words: &str, via: Way<'_>) -> Result<Draft, DraftError> {
        let mut tried = 0;
        loop {
            match self.try_on_draft(id, act.clone(), by, words, via) {
                Err(DraftError::Store(e)) if e.is_passing() && tried < TRIES => tried += 1,
                done => return done,
            }
        }
    }

    fn try_on_draft(&self, id: i64, act: Act, by: &str, words: &str, via: Way<'_>) -> Result<Draft, DraftError> {
        let now = self.clock.now();
        let found = self.store.read(|c| kept::get(c, id))?;
        let before = found.ok_or_else(|| missing(format!("there is no draft {id}; `vakt draft list` shows all")))?;
        let act = match act {
            Act::Write(text) => Act::Write(fitting(text)?),
            other => other,
        };
        let mut draft = before.clone();
        drafts::act(&mut draft, &act, by, super::acts::cut(words, NOTE), now)
            .map_err(|e| DraftError::Refused(id, e))?;
        let approved = draft.state == State::Approved && before.state != State::Approved;
        let brand = self.spoken_for(&draft)?;
        let asker = Asker::of(self, brand.clone());
        // What cannot be sent is not handed over.
        let out = match via {
            Way::Hands => None,
            Way::Channel(channel) => Some(self.parcel(&draft, &brand, channel, now)),
            Way::Mail(person) => Some(asker.post(&draft, person, now).map_err(missing)?),
        };
        let (after, by) = (draft.clone(), by.to_owned());
        self.store.write_blocking(move |tx| {
            if kept::get(tx, id)?.as_ref() != Some(&before) {
                return Err(StoreError::Busy);
            }
            kept::put(tx, &after)?;
            note(tx, &after, now, &by, act.as_str())?;
            if let (State::HandedOver, Some(mention)) = (after.state, after.about.mention) {
                answers::replied(tx, mention, &by, now)?;
            }
            if let Some(out) = &out {
                outbox::put(tx, out)?;
            }
            match act {
                Act::Write(_) => asker.ask(tx, &after, now),
                Act::Approve(_) if approved => asker.tell(tx, Matter::Approved, &after, &by, now),
                Act::Reject(_) => asker.tell(tx, Matter::Back, &after, &by, now),
                Act::Approve(_) | Act::HandOver => Ok(()),
            }
        })?;
        self.bells.deliver.notify_one();
        Ok(draft)
    }

    /// A draft as it goes out.
    fn parcel(&self, draft: &Draft, brand: &str, channel: &str, now: jiff::Timestamp) -> Message {
        let short = short::handed_over(draft, brand, self.house.domain(), now);
        Message {
            id: 0,
            // A draft that came back may be handed over again.
            message_id: format!("out.draft.{}.{}@{}", draft.id, now.as_millisecond(), self.house.domain()),
            incident: None,
            person: short.said.as_ref().map(|s| s.handed_over_by.clone()).unwrap_or_default(),
            by: By { channel: channel.to_owned(), ..By::default() },
            address: String::new(),
            subject: short.headline.clone(),
            body: short.bytes(),
            created: now,
            attempts: 0,
        }
    }

    /// The brand that a draft speaks for.
    pub(super) fn spoken_for(&self, draft: &Draft) -> Result<String, StoreError> {
        let (incident, mention) = self.store.read(|c| {
            let incident = draft.about.incident.map_or(Ok(None), |id| incidents::get(c, id))?;
            Ok((incident, draft.about.mention.map_or(Ok(None), |id| mentions::get(c, id))?))
        })?;
        let topics = incident.iter().map(|i| &i.topic).chain(mention.iter().flat_map(|m| &m.topics));
        Ok(brand(&self.knowledge().rules, topics))
    }

    /// Ticks a step of an incident's checklist off, or takes that back; says whether it was otherwise before.
    ///
    /// # Errors
    /// When there is no such incident or step, or the store cannot be written.
    pub fn tick(&self, incident: i64, step: u32, by: &str, done: bool) -> Result<bool, DraftError> {
        let now = self.clock.now();
        let found = self.store.read(|c| incidents::get(c, incident))?;
        let found =
            found.ok_or_else(|| missing(format!("there is no incident {incident}; `vakt incident list` shows all")))?;
        let knowledge = self.knowledge();
        let playbook = knowledge.rules.alert(&found.alert).and_then(|a| knowledge.rules.playbook(&a.playbook));
        let steps = playbook.and_then(|p| p.guides.first()).map_or(0, |g| g.checklist.len());
        let index = usize::try_from(step).unwrap_or(usize::MAX);
        if index == 0 || index > steps {
            let all = if steps == 0 { "it has none".to_owned() } else { format!("they are 1 to {steps}") };
            return Err(missing(format!("the checklist of incident {incident} has no step {step}: {all}")));
        }
        let by = by.to_owned();
        Ok(self.store.write_blocking(move |tx| {
            let changed = match done {
                true => ticks::put(tx, incident, &Tick { step, at: now, who: by.clone() })?,
                false => ticks::take_back(tx, incident, step)?,
            };
            if changed {
                let (what, fact) = (if done { "ticked off" } else { "took back" }, format!("step {step}"));
                incidents::note(tx, incident, now, &by, what, &fact)?;
                audit::append(tx, now, &by, what, &format!("incident {incident}"), &fact)?;
            }
            Ok(changed)
        })?)
    }
}

/// The line in the audit log, and on the incident's timeline where it is about one. Neither says what the draft says.
pub(super) fn note(
    tx: &crate::store::Connection,
    draft: &Draft,
    now: jiff::Timestamp,
    by: &str,
    what: &str,
) -> Result<(), StoreError> {
    let place = draft.network.map(|n| format!(", {n}")).unwrap_or_default();
    let count = format!("{} of {} approvals", draft.approvals.len(), draft.asked);
    let fact = format!("version {}, {}{place}, {count}", draft.version, draft.language);
    audit::append(tx, now, by, what, &format!("draft {}", draft.id), &fact)?;
    match draft.about.incident {
        Some(incident) => incidents::note(tx, incident, now, by, what, &format!("draft {}: {fact}", draft.id)),
        None => Ok(()),
    }
}

fn fitting(text: String) -> Result<String, DraftError> {
    match text.trim() {
        "" => Err(missing("a draft has words: give them in a file, or after `-` on standard input")),
        text if text.len() > LONGEST => {
            Err(missing(format!("the text has {} bytes, and a draft at most {LONGEST}: shorten it", text.len())))
        }
        text => Ok(text.to_owned()),
    }
}

/// The brand that is spoken for: of the topics that it is about, else the first of the rules.
fn brand<'a>(rules: &Rules, topics: impl Iterator<Item = &'a String>) -> String {
    let ours = |t: &&crate::model::Topic| matches!(t.kind, TopicKind::Brand | TopicKind::Product | TopicKind::Person);
    let about = topics.filter_map(|name| rules.topic(name)).find(ours);
    about.or_else(|| rules.topics.iter().find(ours)).map(|t| t.title.clone()).unwrap_or_default()
}

/// What the playbook says, filled in.
fn said(
    playbook: Option<&Playbook>,
    language: &str,
    network: Option<Network>,
    brand: &str,
    link: Option<&str>,
) -> Result<String, DraftError> {
    let Some(playbook) = playbook else {
        return Err(missing("there is no playbook to begin with: name one with --playbook, or give --text"));
    };
    let statement = playbook.statement_for(language, network).ok_or_else(|| {
        missing(format!("playbook `{}` says nothing in `{language}`: give --text, or add it there", playbook.name))
    })?;
    wording::fill(&statement.text, brand, link.unwrap_or(wording::LINK))
        .ok_or_else(|| missing(format!("the statement of playbook `{}` cannot be filled in", playbook.name)))
}
