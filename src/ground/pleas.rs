//! Who is asked to approve a draft, and who hears what came of it: mails posted in the transaction that did it.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::links::Links;
use super::{Ground, Knowledge, Letterhead};
use crate::channels::mail;
use crate::channels::plea::{self, Matter, Plea};
use crate::engine::wording::{self, Kind};
use crate::model::Draft;
use crate::store::outbox::{self, Message};
use crate::store::{Connection, Stored};

/// What it takes to ask, apart from the ground: it goes into a transaction.
pub(super) struct Asker {
    knowledge: Arc<Knowledge>,
    links: Links,
    house: Letterhead,
    brand: String,
}

impl Asker {
    pub(super) fn of(ground: &Ground, brand: String) -> Asker {
        Asker { knowledge: ground.knowledge(), links: ground.links.clone(), house: ground.house.clone(), brand }
    }

    /// Asks everybody who may approve the text as it is. Where everybody may, nobody is asked.
    pub(super) fn ask(&self, c: &Connection, draft: &Draft, now: Timestamp) -> Stored<()> {
        let asked = draft.approvers.iter().filter(|name| !draft.authors.contains(name));
        asked.into_iter().try_for_each(|name| self.write(c, Matter::Ask, draft, name, now))
    }

    /// Tells its authors what came of it, but for whoever did it.
    pub(super) fn tell(&self, c: &Connection, matter: Matter, draft: &Draft, by: &str, now: Timestamp) -> Stored<()> {
        let told = draft.authors.iter().filter(|name| *name != by);
        told.into_iter().try_for_each(|name| self.write(c, matter, draft, name, now))
    }

    /// Tells its authors, and whoever handed it over, that it has arrived nowhere: the draft as it was handed over.
    pub(super) fn undelivered(&self, c: &Connection, draft: &Draft, now: Timestamp) -> Stored<()> {
        let by = draft.handed_over.as_ref().map(|mark| &mark.by);
        let told: BTreeSet<&String> = draft.authors.iter().chain(by).collect();
        told.into_iter().try_for_each(|name| self.write(c, Matter::Undelivered, draft, name, now))
    }

    /// The mail that gives an approved text to whoever posts it; a sentence where there can be none: nothing is handed
    /// over then.
    pub(super) fn post(&self, draft: &Draft, name: &str, now: Timestamp) -> Result<Message, String> {
        self.mail(Matter::Post, draft, name, now)
    }

    fn write(&self, c: &Connection, matter: Matter, draft: &Draft, name: &str, now: Timestamp) -> Stored<()> {
        if self.knowledge.rules.people.person(name).is_none() {
            return Ok(());
        }
        match self.mail(matter, draft, name, now) {
            Ok(mail) => outbox::put(c, &mail),
            Err(why) => {
                // A mail that cannot be composed must not keep the draft from going on.
                tracing::error!(draft = draft.id, person = name, error = why, "nobody is told of a draft");
                Ok(())
            }
        }
    }

    fn mail(&self, matter: Matter, draft: &Draft, name: &str, now: Timestamp) -> Result<Message, String> {
        let rules = &self.knowledge.rules;
        let person = rules.must_person(name)?;
        let kind = if draft.reply { Kind::Reply } else { Kind::Statement };
        let full_name = |name: &str| rules.people.person(name).map_or_else(|| name.to_owned(), |p| p.full_name.clone());
        let approved_by: Vec<String> = draft.approvals.iter().map(|a| full_name(&a.by)).collect();
        let link = self.links.plea(draft.id, draft.version, name, now);
        let asks = self.house.base_url.as_deref().filter(|_| matter == Matter::Ask);
        let door = asks.map(|base| format!("{}/d/{link}", base.trim_end_matches('/')));
        let digits = self.links.draft_code(draft.id, name);
        let letter = plea::compose(&Plea {
            matter,
            draft,
            person,
            author: &full_name(draft.writer()),
            approved_by: &approved_by,
            brand: &self.brand,
            findings: match matter {
                Matter::Ask => wording::look(&draft.text, &rules.voice, &draft.language, draft.network, kind).len(),
                Matter::Approved | Matter::Back | Matter::Post | Matter::Undelivered => 0,
            },
            door: door.as_deref().map(|door| (door, digits.as_str())),
            from_domain: self.house.domain(),
        });
        let letter = letter.map_err(|e| e.to_string())?;
        let body = mail::envelope_bytes(&letter, &self.house.from, person, now).map_err(|e| e.to_string())?;
        let id = letter.message_id.trim_matches(['<', '>']).to_owned();
        Ok(Message::mail(id, person, letter.subject, body, now))
    }
}
