//! Who is asked to approve a draft, and the mails that ask them, posted in the transaction that wrote it.

use std::sync::Arc;

use jiff::Timestamp;

use super::links::Links;
use super::{Ground, Knowledge, Letterhead};
use crate::channels::mail;
use crate::channels::plea::{self, Plea};
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
        let rules = &self.knowledge.rules;
        let kind = if draft.reply { Kind::Reply } else { Kind::Statement };
        let findings = wording::look(&draft.text, &rules.voice, &draft.language, draft.network, kind).len();
        let author = draft.authors.last().map_or("", String::as_str);
        let author = rules.people.person(author).map_or(author, |p| &p.full_name);
        let asked = draft.approvers.iter().filter(|name| !draft.authors.contains(name));
        for person in asked.filter_map(|name| rules.people.person(name)) {
            let link = self.links.plea(draft.id, draft.version, &person.name, now);
            let door = self.house.base_url.as_deref().map(|b| format!("{}/d/{link}", b.trim_end_matches('/')));
            let digits = self.links.draft_code(draft.id, &person.name);
            let plea = Plea {
                draft,
                person,
                author,
                brand: &self.brand,
                findings,
                door: door.as_deref().map(|door| (door, digits.as_str())),
                from_domain: self.house.domain(),
            };
            let letter = plea::compose(&plea).map_err(|e| e.to_string());
            let mail = letter.and_then(|l| {
                let body = mail::envelope_bytes(&l, &self.house.from, person, now).map_err(|e| e.to_string())?;
                Ok((l, body))
            });
            match mail {
                Ok((letter, body)) => outbox::put(
                    c,
                    &Message {
                        id: 0,
                        message_id: letter.message_id.trim_matches(['<', '>']).to_owned(),
                        incident: None,
                        person: person.name.clone(),
                        address: person.email.clone(),
                        subject: letter.subject,
                        body,
                        created: now,
                        attempts: 0,
                    },
                )?,
                // A mail that cannot be composed must not keep the draft from being written.
                Err(why) => tracing::error!(draft = draft.id, person = person.name, error = why, "nobody is asked"),
            }
        }
        Ok(())
    }
}
