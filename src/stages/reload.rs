//! Changed rules → rules in force, or the operator told and the last good ones kept.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Stage, operator};
use crate::config::fault::{Fault, Sheet, render_all};
use crate::ground::{Ground, retopic};
use crate::model::time::{Span, between};
use crate::rules::{Rules, Texts};
use crate::store::{Store, Stored, meta};

const LAST_GOOD: &str = "rules_last_good";
/// Calendars are read anew after so long, so that what comes back goes on coming.
const CALENDAR: Span = Span::days(30);
/// How often the stage is called when nothing changes; its bell rings when something does.
const IDLE: Span = Span::mins(1);

/// The stage that reloads the rules.
pub struct Reload {
    ground: Arc<Ground>,
    dir: PathBuf,
    /// What was read last, where it was good, so that a touch without a change is no change, and costs little.
    last: Option<Texts>,
    refused: Option<Vec<String>>,
}

impl Stage for Reload {
    const NAME: &'static str = "reload";

    async fn pass(&mut self, now: Timestamp) -> Timestamp {
        let (dir, last) = (self.dir.clone(), self.last.take().filter(|_| !self.is_old(now)));
        let before = self.ground.knowledge();
        let reading = move || {
            let texts = Texts::of(&dir);
            let changed = last.as_ref() != Some(&texts);
            let rules = changed.then(|| texts.clone().understand_after(Some(&before.rules), now));
            (texts, rules)
        };
        let Ok((texts, read)) = tokio::task::spawn_blocking(reading).await else { return now + IDLE };
        let good = match read {
            None => true,
            Some(Ok(_)) if Texts::from(&self.ground.knowledge().rules) == texts && !self.is_old(now) => {
                self.refused = None;
                true
            }
            Some(Ok(rules)) => self.take(rules, now).await,
            Some(Err(faults)) => {
                self.refuse(&faults, now).await;
                false
            }
        };
        // What is refused is looked at again: some mistakes pass with time.
        self.last = good.then_some(texts);
        metrics::gauge!("vakt_rules_ok").set(if self.refused.is_none() { 1.0 } else { 0.0 });
        now + IDLE
    }
}

impl Reload {
    /// The stage over a ground, reading from a directory.
    pub fn new(ground: Arc<Ground>, dir: PathBuf) -> Reload {
        let last = Some(Texts::from(&ground.knowledge().rules));
        Reload { ground, dir, last, refused: None }
    }

    fn is_old(&self, now: Timestamp) -> bool {
        between(self.ground.knowledge().rules.around, now) > CALENDAR
    }

    /// Puts rules in force; says whether that was done.
    async fn take(&mut self, rules: Rules, now: Timestamp) -> bool {
        self.refused = None;
        // Before the rules are in force, so that what is usual for a new topic is known when it is first judged.
        let (store, old) = (self.ground.store.clone(), self.ground.knowledge());
        let looking = tokio::task::spawn_blocking(move || (retopic(&store, &old.rules, &rules, now), rules));
        let Ok((found, rules)) = looking.await else { return false };
        match found {
            Ok(0) => {}
            Ok(found) => tracing::info!(mentions = found, "changed topics were looked for in what is stored"),
            Err(e) => tracing::error!(error = %e, "changed topics cannot be looked for in what is stored"),
        }
        let kept = keep_last_good(&self.ground.store, &rules).await;
        if let Err(e) = kept {
            tracing::error!(error = %e, "the rules in force cannot be kept for a restart");
        }
        tracing::info!(topics = rules.topics.len(), alerts = rules.alerts.len(), "rules reloaded");
        self.ground.change_rules(rules);
        true
    }

    async fn refuse(&mut self, faults: &[Fault], now: Timestamp) {
        let said: Vec<String> = faults.iter().map(Fault::brief).collect();
        if self.refused.as_ref() == Some(&said) {
            return;
        }
        for fault in &said {
            tracing::error!(fault, "the rules have a mistake; the last good ones stay in force");
        }
        if let Err(e) = operator::rules_refused(&self.ground, &render_all(faults, false), now).await {
            tracing::error!(error = %e, "the operator cannot be told of refused rules");
            return;
        }
        self.refused = Some(said);
    }
}

/// Keeps the texts of rules that are good, so that a restart with broken files still has rules.
///
/// # Errors
/// When the database cannot be written.
pub async fn keep_last_good(store: &Store, rules: &Rules) -> Stored<()> {
    let texts: Vec<(&str, &str)> = rules.sheets.iter().map(|s| (s.name.as_str(), s.text.as_str())).collect();
    let text = serde_json::to_string(&texts)?;
    store.write(move |tx| meta::set(tx, LAST_GOOD, &text)).await
}

/// The last good rules; `None` where none were kept.
///
/// # Errors
/// When the database cannot be read.
pub fn last_good(store: &Store, now: Timestamp) -> Stored<Option<Rules>> {
    let Some(text) = store.read(|c| meta::get(c, LAST_GOOD))? else { return Ok(None) };
    let texts: Vec<(String, String)> = serde_json::from_str(&text)?;
    let sheets = texts.into_iter().map(|(name, text)| Sheet::new(name, text)).collect();
    Ok(Rules::read(sheets, now).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_good_rules_have_their_calendar() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
        let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nDTSTART:20261128T120000Z\nRRULE:FREQ=YEARLY\nEND:VEVENT\nEND:VCALENDAR\n";
        let sheets = [
            ("topics/a.toml", "[[topic]]\nname = \"a\"\nquery = \"acme\"\n"),
            (
                "alerts/a.toml",
                "[[alert]]\nname = \"a\"\ntopics = [\"a\"]\ncondition = \"mentions > 5\"\nescalation = \"p\"\n",
            ),
            (
                "people.toml",
                "[[person]]\nname = \"a\"\nemail = \"a@acme.example\"\n[[policy]]\nname = \"p\"\nsteps = [{ notify = [\"a\"] }]\n",
            ),
            ("calendar/a.ics", text),
        ];
        let sheets = sheets.map(|(n, t)| Sheet::new(format!("rules/{n}"), t)).to_vec();
        let now: Timestamp = "2026-11-28T00:00:00Z".parse().expect("an instant");
        let rules = Rules::read(sheets, now).expect("they are in order");
        keep_last_good(&store, &rules).await.expect("they are kept");
        let ten_years_on = now + Span::days(3653);
        let back = last_good(&store, ten_years_on).expect("it reads").expect("they are there");
        assert_eq!((rules.calendar.len(), back.calendar.len()), (2, 3));
        assert!(back.calendar.iter().any(|p| p.from.to_string() == "2036-11-28T12:00:00Z"), "{:?}", back.calendar);
    }
}
