//! Drafts that name somebody who is erased, or quote them.

use std::collections::HashSet;

use jiff::Timestamp;

use super::Erasure;
use crate::channels::plea::Matter;
use crate::ground::drafts::note;
use crate::ground::pleas::Asker;
use crate::model::Draft;
use crate::model::draft::State;
use crate::store::{StoreError, Stored, drafts, incidents};

/// Times that a draft is tried again, where people change it at the same instant.
const TRIES: usize = 20;

impl Erasure<'_> {
    /// Names and words of theirs in drafts that reply to them, or that belong to such incidents. A text that is another one
    /// has to be approved again.
    pub(super) fn drafts(&mut self, now: Timestamp) -> Stored<()> {
        let ids: HashSet<i64> = self.mentions.iter().map(|m| m.id).collect();
        let topics: HashSet<String> = self.mentions.iter().flat_map(|m| m.topics.clone()).collect();
        for draft in self.store.read(|c| drafts::latest(c, true, u32::MAX))? {
            let incident = self.store.read(|c| draft.about.incident.map_or(Ok(None), |id| incidents::get(c, id)))?;
            let answers = draft.about.mention.is_some_and(|id| ids.contains(&id));
            if !answers && !incident.is_some_and(|i| topics.contains(&i.topic)) {
                continue;
            }
            let mut tried = 0;
            loop {
                match self.draft(draft.id, now) {
                    Err(StoreError::Busy) if tried < TRIES => tried += 1,
                    done => {
                        done?;
                        break;
                    }
                }
            }
        }
        self.ground.bells.deliver.notify_one();
        Ok(())
    }

    /// One draft as it is now. Whoever approves it is asked again, and its authors hear of it, where it was approved.
    fn draft(&mut self, id: i64, now: Timestamp) -> Stored<()> {
        let Some(before) = self.store.read(|c| drafts::get(c, id))? else { return Ok(()) };
        let after = self.struck_draft(&before, now);
        if after == before {
            return Ok(());
        }
        let incident = after.about.incident.unwrap_or(0);
        let asker = Asker::of(self.ground, self.ground.spoken_for(&after)?);
        self.store.write_blocking(move |tx| {
            // What somebody does to it at the same instant comes first, and this is done to what it has become.
            if drafts::get(tx, id)?.as_ref() != Some(&before) {
                return Err(StoreError::Busy);
            }
            drafts::put(tx, &after)?;
            note(tx, &after, now, "vakt", "struck")?;
            if after.version == before.version {
                return Ok(());
            }
            if before.state == State::Approved {
                asker.tell(tx, Matter::Back, &after, "vakt", now)?;
            }
            if after.state == State::Waiting { asker.ask(tx, &after, now) } else { Ok(()) }
        })?;
        self.receipt.notes += 1;
        self.touch(incident);
        Ok(())
    }

    fn struck_draft(&self, draft: &Draft, now: Timestamp) -> Draft {
        let mut after = draft.clone();
        let left = self.struck(&draft.text);
        match draft.state {
            // What is out of the house was approved as it was.
            State::HandedOver => after.text = left,
            _ if left != draft.text => after.strike(left, now),
            _ => {}
        }
        for past in &mut after.past {
            past.text = self.struck(&past.text);
        }
        for mark in [&mut after.rejected, &mut after.handed_over].into_iter().flatten() {
            mark.note = self.struck(&mark.note);
        }
        after
    }
}
