//! Hand-overs that arrive nowhere: the draft may be handed over again, and whoever counted on it hears of that.

use jiff::Timestamp;

use super::pleas::Asker;
use super::{Ground, answers, drafts};
use crate::model::Draft;
use crate::model::draft::State;
use crate::store::drafts as kept;
use crate::store::outbox::{self, Message};
use crate::store::{Connection, Stored};

/// What takes back the hand-over that a message was.
pub struct Return {
    draft: i64,
    asker: Asker,
}

impl Ground {
    /// What takes back the hand-over that a message was; `None` where it was none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn hand_over_of(&self, message: &Message) -> Stored<Option<Return>> {
        let Some(id) = draft_of(message) else { return Ok(None) };
        let Some(draft) = self.store.read(|c| kept::get(c, id))? else { return Ok(None) };
        let brand = self.spoken_for(&draft)?;
        Ok(Some(Return { draft: id, asker: Asker::of(self, brand) }))
    }
}

impl Return {
    /// Takes it back, in the transaction that notes that the message has failed for good.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub fn carry_out(&self, tx: &Connection, message: &Message, now: Timestamp) -> Stored<()> {
        let Some(before) = kept::get(tx, self.draft)? else { return Ok(()) };
        // Only what this message was about: it may have been taken back and handed over again since.
        let at = message.created.as_millisecond();
        let Some(mark) = before.handed_over.as_ref().filter(|mark| mark.at.as_millisecond() == at) else {
            return Ok(());
        };
        let mut after = Draft { state: State::Approved, handed_over: None, ..before.clone() };
        // Where somebody was struck out of it meanwhile, nobody has approved what it says now.
        if outbox::stands(tx, message.id)?.is_some_and(|now_is| now_is.body != message.body) {
            let text = after.text.clone();
            after.strike(text, now);
        }
        kept::put(tx, &after)?;
        drafts::note(tx, &after, now, "vakt", "undelivered")?;
        if let Some(mention) = before.about.mention {
            answers::unreplied(tx, mention, mark, now)?;
        }
        self.asker.undelivered(tx, &before, now)?;
        if after.state == State::Waiting { self.asker.ask(tx, &after, now) } else { Ok(()) }
    }
}

/// The number of the draft that a message hands over.
fn draft_of(message: &Message) -> Option<i64> {
    let parts: Vec<&str> = message.message_id.split('@').next()?.split('.').collect();
    match parts.as_slice() {
        ["out", "draft", id, ..] | ["draft", id, _, _, "post", ..] => id.parse().ok(),
        _ => None,
    }
}
