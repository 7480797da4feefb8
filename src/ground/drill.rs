//! An exercise in the store: an incident of which nothing has happened, that calls people as a real one does.

use std::sync::Arc;

use super::acts::again;
use super::{Ground, tell};
use crate::engine::detect::{GroupKey, Verdict};
use crate::engine::incident::{self, Charge};
use crate::model::incident::{DRILL, Drill};
use crate::model::{Incident, Severity};
use crate::store::{StoreError, audit, incidents};

impl Ground {
    /// Opens an exercise of an alert rule in the name of a person: what the rule saw when it rang, how bad it is, and what
    /// was invented for it. The first messages are in the outbox when it returns.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn drill(&self, seen: &Verdict, severity: Severity, drill: &Drill, by: &str) -> Result<Incident, StoreError> {
        again(|| self.try_drill(seen, severity, drill, by))
    }

    fn try_drill(&self, seen: &Verdict, severity: Severity, drill: &Drill, by: &str) -> Result<Incident, StoreError> {
        let now = self.clock.now();
        let knowledge = self.knowledge();
        let charge = Charge::of(knowledge.rules.alert(&seen.key.alert), &knowledge.rules.people);
        let key = GroupKey { group: DRILL.to_owned(), ..seen.key.clone() };
        let (mut incident, calls) = incident::open(&Verdict { key, ..seen.clone() }, severity, charge, now);
        incident.drill = Some(Arc::new(drill.clone()));
        let letters = self.store.read(|c| {
            incident.id = incidents::next_id(c)?;
            tell::letters(self, &knowledge, c, &mut incident, &calls, now)
        })?;
        let (kept, by) = (incident.clone(), by.to_owned());
        self.store.write_blocking(move |tx| {
            if incidents::next_id(tx)? != kept.id {
                // The daemon has opened one meanwhile.
                return Err(StoreError::Busy);
            }
            incidents::insert(tx, &kept)?;
            incidents::note(tx, kept.id, now, &by, "drill", "an exercise begins")?;
            audit::append(tx, now, &by, "drill", &kept.about(), kept.severity.as_str())?;
            tell::post(tx, &kept, &calls, &letters, now)
        })?;
        self.bells.deliver.notify_one();
        Ok(incident)
    }
}
