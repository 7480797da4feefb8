//! What the stages and the server stand on: the store, the clock, the rules in force, the bells between them, and the way
//! in for mentions.

pub mod acts;
pub mod after;
mod aim;
pub mod answers;
mod clock;
pub mod digest;
pub mod drafts;
mod drill;
pub mod erasure;
pub mod evidence;
mod fresh;
mod history;
pub mod intake;
mod knowledge;
pub mod links;
mod messages;
mod plain;
mod pleas;
pub mod propose;
mod publishing;
mod pulse;
mod rehearse;
mod retopic;
pub mod returned;
mod room;
pub mod tell;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::{Notify, Semaphore};

pub use aim::sought;
pub use clock::Clock;
pub use fresh::{Fresh, Reader};
pub use history::History;
pub use knowledge::Knowledge;
pub use pulse::Pulse;
pub use rehearse::Rehearsal;
pub use retopic::retopic;

use crate::engine::coordinated;
use crate::engine::heard::Heard;
use crate::engine::stories::{self, Stories};
use crate::model::people::Way;
use crate::rules::Rules;
use crate::store::{Store, Stored, mentions, sketches};

/// Only a bell rings between stages; the work itself waits in a table.
#[derive(Debug, Default)]
pub struct Bells {
    /// Sources changed, or something is due: wakes collect.
    pub collect: Arc<Notify>,
    /// Mentions were stored: wakes watch.
    pub watch: Arc<Notify>,
    /// Mentions were stored: wakes index.
    pub index: Arc<Notify>,
    /// Messages were put into the outbox: wakes deliver.
    pub deliver: Arc<Notify>,
}

/// What all stages stand on.
#[derive(Debug)]
pub struct Ground {
    /// The store.
    pub store: Store,
    /// The clock.
    pub clock: Clock,
    /// The bells.
    pub bells: Bells,
    /// How letters look.
    pub house: Letterhead,
    /// The links in letters.
    pub links: links::Links,
    knowledge: RwLock<Arc<Knowledge>>,
    stories: Mutex<Stories>,
    heard: Mutex<Heard>,
    room: room::Room,
    shelf: fresh::Shelf,
    desks: Arc<Semaphore>,
}

/// What every letter needs of the settings.
#[derive(Debug, Clone)]
pub struct Letterhead {
    /// The sender, `name <address>`.
    pub from: String,
    /// Where the operator is told things; the sender's own address where none is set.
    pub operator: String,
    /// By which channels the operator is told them as well.
    pub operator_reach: Vec<Way>,
    /// What links begin with.
    pub base_url: Option<String>,
    /// Mails an hour about incidents that are not severe, beyond which they are held.
    pub most_an_hour: u32,
}

impl Letterhead {
    /// The domain of the sender's address, for message ids.
    pub fn domain(&self) -> &str {
        self.from.rsplit_once('@').map_or("localhost", |(_, d)| d.trim_end_matches('>'))
    }
}

/// Mentions whose authors are heard of again after a restart.
const REMEMBERED: u32 = 30_000;

impl Ground {
    /// The ground over an open store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(store: Store, clock: Clock, rules: Rules, house: Letterhead) -> Stored<Arc<Ground>> {
        let mut stories = Stories::default();
        let since = clock.now() - stories::WINDOW;
        for (story, print, at) in store.read(|c| sketches::since(c, since, stories::MOST))? {
            stories.remember(&print, story, at);
        }
        let mut heard = Heard::default();
        store.read(|c| {
            mentions::last_authors(c, REMEMBERED, |network, name, handle| {
                heard.is_new(coordinated::author(network, name, handle));
            })
        })?;
        Ok(Arc::new(Ground {
            links: links::Links::of(&store, clock.now())?,
            room: room::Room::of(store.path()),
            shelf: fresh::Shelf::default(),
            desks: Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from))),
            store,
            clock,
            bells: Bells::default(),
            house,
            knowledge: RwLock::new(Arc::new(Knowledge::new(rules, 0))),
            stories: Mutex::new(stories),
            heard: Mutex::new(heard),
        }))
    }

    /// The changes right after one that are at hand, without a gap.
    pub fn fresh_after(&self, seq: i64, most: usize) -> Vec<Arc<Fresh>> {
        self.shelf.after(seq, most)
    }

    /// A stage has read up to a change: what waits for it may go on.
    pub fn has_read(&self, reader: Reader, seq: i64) {
        self.shelf.note(reader, seq);
    }

    /// Mentions are deleted: they are no longer at hand.
    pub fn forget_fresh(&self, ids: &[i64]) {
        self.shelf.forget(ids);
    }

    /// Whether the disk has room for more mentions; what has to ring needs none of it.
    pub fn has_room(&self) -> bool {
        self.room.left()
    }

    /// The rules in force.
    pub fn knowledge(&self) -> Arc<Knowledge> {
        self.knowledge.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts other rules in force.
    pub fn change_rules(&self, rules: Rules) {
        let mut knowledge = self.knowledge.write().unwrap_or_else(PoisonError::into_inner);
        let generation = knowledge.generation + 1;
        *knowledge = Arc::new(Knowledge::new(rules, generation));
        drop(knowledge);
        self.bells.watch.notify_one();
    }

    /// The stories of the last days.
    pub fn stories(&self) -> std::sync::MutexGuard<'_, Stories> {
        self.stories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The authors whom vakt has heard of.
    pub fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(crate) mod tests;
