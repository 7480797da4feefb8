//! What one person is told, by which ways: the letter by mail, the short text by everything else.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::Ground;
use crate::channels::letter::{self, Brief, Letter};
use crate::channels::{mail, short};
use crate::engine::ways::{self, Leg};
use crate::model::people::{MAIL, Way};
use crate::model::time::Span;
use crate::model::{People, Severity};
use crate::store::outbox::{By, Message};

/// The channels and addresses that several people name: what goes there is read by all of them.
pub(super) fn shared(people: &People) -> HashSet<(&str, &str)> {
    let mut seen: HashMap<(&str, &str), &str> = HashMap::new();
    let all = people.persons.iter().flat_map(|p| p.reach.iter().map(move |w| (p, w)));
    all.filter_map(|(p, w)| {
        let place = (w.channel.as_str(), w.to.as_str());
        let first = seen.entry(place).or_insert(&p.name);
        (*first != p.name).then_some(place)
    })
    .collect()
}

/// What goes first in the chains of a call, by channel and address, with the chain and the id of its message: people who
/// share their first way share the message.
pub(super) type Firsts = HashMap<(String, String), (String, String)>;

/// Composes what one person is told.
pub(super) struct Composer<'a> {
    pub(super) ground: &'a Ground,
    pub(super) brief: &'a Brief<'a>,
    pub(super) shared: &'a HashSet<(&'a str, &'a str)>,
    /// The ways by which the person was told of the incident before.
    pub(super) carried: &'a [(String, String)],
}

impl Composer<'_> {
    /// One message for each of the person's ways, and the id of another's message that reaches this person first.
    pub(super) fn messages(&self, firsts: &mut Firsts) -> Result<(Vec<Message>, Option<String>), String> {
        let Brief { incident, person, notice, .. } = *self.brief;
        let letter = letter::compose(self.brief).map_err(|e| e.to_string())?;
        let mut chain = letter.message_id.trim_matches(['<', '>']).to_owned();
        let carried = |w: &Way| {
            let to = if w.channel == MAIL { &person.email } else { &w.to };
            self.carried.iter().any(|(channel, address)| *channel == w.channel && address == to)
        };
        let (mut out, mut of_another) = (Vec::new(), None);
        for leg in ways::legs(person, incident.severity, notice, carried) {
            let message = self.message(&leg, &letter, &chain)?;
            if let (Some(way), Some(0)) = (leg.way, leg.place) {
                match firsts.entry((way.channel.clone(), way.to.clone())) {
                    // Somebody who is told at the same time has the same first way: one message tells both.
                    Entry::Occupied(other) => {
                        (chain, of_another) = (other.get().0.clone(), Some(other.get().1.clone()));
                        continue;
                    }
                    Entry::Vacant(free) => free.insert((chain.clone(), message.message_id.clone())),
                };
            }
            out.push(message);
        }
        Ok((out, of_another))
    }

    fn message(&self, leg: &Leg<'_>, letter: &Letter, chain: &str) -> Result<Message, String> {
        let Brief { incident, person, now, .. } = *self.brief;
        let (id, place) = (letter.message_id.trim_matches(['<', '>']), leg.place.unwrap_or(0));
        let (channel, message_id, address, body) = match leg.way {
            None => {
                let body = mail::envelope_bytes(letter, &self.ground.house.from, person, now);
                (MAIL, id.to_owned(), &person.email, body.map_err(|e| e.to_string())?)
            }
            Some(way) => {
                let shared = self.shared.contains(&(way.channel.as_str(), way.to.as_str()));
                let body = short::compose(self.brief, shared).bytes();
                // A person may have two ways by one channel: two telephones.
                let nth = person.reach.iter().position(|w| w == way).unwrap_or(0);
                (way.channel.as_str(), format!("{}.{nth}.{id}", way.channel), &way.to, body)
            }
        };
        let by = By {
            channel: channel.to_owned(),
            chain: leg.place.map(|_| chain.to_owned()).unwrap_or_default(),
            place,
            after: Span::millis(ways::PATIENCE.as_millis() * i64::from(place)),
            urgent: incident.severity >= Severity::Escalate && !self.brief.notice.asks_nothing(),
        };
        Ok(Message {
            id: 0,
            message_id,
            incident: Some(incident.id),
            person: person.name.clone(),
            by,
            address: address.clone(),
            subject: letter.subject.clone(),
            body,
            created: now,
            attempts: 0,
        })
    }
}
