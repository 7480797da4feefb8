//! What outlasts a restart, and a change of the rules: which hosts rest and until when, and what sources are aimed at.

use jiff::Timestamp;

use super::Collect;
use crate::ground::sought;
use crate::store::{Stored, pauses};

impl Collect {
    /// Leaves the hosts alone that wanted it when vakt last ran.
    pub(super) fn remember_rests(&mut self) -> Stored<()> {
        if self.rests.is_none() {
            let rests = self.ground.store.read(pauses::all)?;
            self.http.remember(&rests);
            self.rests = Some(rests);
        }
        Ok(())
    }

    /// Keeps which hosts rest, where that has changed.
    pub(super) async fn keep_rests(&mut self, now: Timestamp) {
        let rests = self.http.rests(now);
        if self.rests.as_ref() == Some(&rests) {
            return;
        }
        let kept = rests.clone();
        match self.ground.store.write(move |tx| pauses::keep(tx, &kept)).await {
            Ok(()) => self.rests = Some(rests),
            Err(e) => tracing::error!(stage = "collect", error = %e, "it cannot be kept which hosts want to rest"),
        }
    }

    /// Aims the sources anew where the rules have changed; those that are aimed elsewhere by it begin at once.
    pub(super) fn mind_the_rules(&mut self) {
        let knowledge = self.ground.knowledge();
        let Some(reread) = self.reread.as_ref().filter(|_| knowledge.generation != self.generation) else { return };
        self.generation = knowledge.generation;
        let Some(named) = reread(&sought(&knowledge.rules)) else { return };
        for (i, source) in self.sources.iter_mut().enumerate() {
            let same = named.iter().find(|n| n.name == source.name && n.kind == source.kind && !n.topics.is_empty());
            let Some(new) = same.filter(|n| n.settings != source.settings) else { continue };
            tracing::info!(source = source.name, topics = new.topics.join(", "), "aimed anew");
            *source = new.clone();
            self.streams.cut(i);
            if let Some(state) = self.states.get_mut(&i) {
                state.settings = new.settings;
                (state.due, state.failures, state.hopeless) = (0, 0, false);
                (state.stream.due, state.stream.failures) = (0, 0);
            }
        }
    }
}
