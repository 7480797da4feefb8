//! Mentions that were deleted where they were published → gone here as well, with what quotes them, within the hour.
//!
//! Networks ask for it within a day, and so does decency. What was counted stays counted.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::Stage;
use crate::ground::Ground;
use crate::ground::erasure::{Erasure, ErasureError};
use crate::model::time::Span;
use crate::store::{mentions, withdrawn};

/// How often it looks.
const EVERY: Span = Span::hours(1);
/// Mentions that leave in one go, and the rest between two.
const MOST: u32 = 500;
const PAUSE: Span = Span::secs(1);
/// The rest after one that failed.
const REST: Span = Span::mins(5);
/// How long one pass waits for what is under way.
const LOOK: std::time::Duration = std::time::Duration::from_secs(5);
/// How long others may hold the database's log while it is emptied.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// The stage that takes away what was taken back.
pub struct Withdraw {
    ground: Arc<Ground>,
    mail_dir: PathBuf,
    next: Timestamp,
    /// What is under way on a thread of its own.
    work: Option<JoinHandle<Result<u64, ErasureError>>>,
}

impl Withdraw {
    /// The stage over a ground, with the folder that mails go to where there is no relay.
    pub fn new(ground: Arc<Ground>, mail_dir: PathBuf) -> Withdraw {
        Withdraw { ground, mail_dir, next: Timestamp::MIN, work: None }
    }
}

impl Stage for Withdraw {
    const NAME: &'static str = "withdraw";

    async fn pass(&mut self, now: Timestamp) -> Timestamp {
        // A clock that was set back puts nothing off.
        if self.work.is_none() && now < self.next && self.next <= now + EVERY {
            return self.next;
        }
        let (ground, mail_dir) = (&self.ground, &self.mail_dir);
        let mut work = self.work.take().unwrap_or_else(|| {
            let (ground, mail_dir) = (ground.clone(), mail_dir.clone());
            tokio::task::spawn_blocking(move || carry_out(&ground, &mail_dir, now))
        });
        // Where there are many letters it takes longer than a pass may.
        let Ok(done) = tokio::time::timeout(LOOK, &mut work).await else {
            self.work = Some(work);
            return now;
        };
        self.next = match done {
            Ok(Ok(0)) => now + EVERY,
            Ok(Ok(n)) => {
                tracing::info!(mentions = n, "deleted where they were published, and so here");
                metrics::counter!("vakt_withdrawn_gone_total").increment(n);
                self.ground.bells.index.notify_one();
                now + PAUSE
            }
            Ok(Err(e)) => {
                tracing::error!(stage = "withdraw", error = %e, "what was deleted elsewhere cannot be deleted here; it is tried again");
                now + REST
            }
            Err(e) => {
                tracing::error!(stage = "withdraw", error = %e, "what was deleted elsewhere cannot be deleted here; it is tried again");
                now + REST
            }
        };
        self.next
    }
}

/// Takes the first of them away; how many.
fn carry_out(ground: &Ground, mail_dir: &std::path::Path, now: Timestamp) -> Result<u64, ErasureError> {
    let store = &ground.store;
    let ids = store.read(|c| withdrawn::first(c, MOST))?;
    if ids.is_empty() {
        return Ok(0);
    }
    let found = store.read(|c| mentions::of_ids(c, &ids))?;
    Erasure::withdraw(ground, mail_dir, found, now)?;
    let n = ids.len() as u64;
    store.write_blocking(move |tx| withdrawn::done(tx, &ids))?;
    // What is deleted is overwritten in the database at once, and stays in its log until that is emptied.
    if !store.scrub(false, PATIENCE)? {
        tracing::debug!("the database's log is in use; it is emptied later");
    }
    Ok(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::Clock;
    use crate::ground::intake::{self, Batch, Followed};
    use crate::ground::tests::standing;
    use crate::model::Capture;

    const CANARY: &str = "canarysecretwords";

    fn batch(captures: Vec<Capture>) -> Batch {
        Batch { source: "s".into(), captures, history: false, undated_is_old: false, archive: false }
    }

    fn said(id: &str, lookup: &str, text: &str) -> Capture {
        Capture { native_id: Some(id.into()), lookup: lookup.into(), text: text.into(), ..Capture::default() }
    }

    #[tokio::test]
    async fn what_is_taken_back_leaves_and_stays_away() {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        let ground = standing(&dir, Clock::stepped(now));
        let also = |_: &crate::store::Transaction<'_>, _: &intake::Receipt| Ok(());
        let captures =
            vec![said("a", "", &format!("Acme {CANARY}")), said("uri-b", "7", "Acme two"), said("c", "", "Acme three")];
        assert_eq!(intake::accept(&ground, batch(captures), now, also).await.unwrap().new, 3);
        let counted =
            || ground.store.read(|c| Ok(c.query_row("SELECT sum(mentions) FROM counts", [], |r| r.get::<_, i64>(0))?));
        let before = counted().unwrap();
        // By its id, by what it is looked up by, and what nobody knows. An edit follows what is known alone.
        let followed = Followed {
            changed: vec![said("c", "", "Acme three and a half"), said("d", "", "Acme four")],
            gone: ["a", "7", "nobody"].map(str::to_owned).to_vec(),
            ..Followed::default()
        };
        let receipt = intake::follow(&ground, batch(Vec::new()), followed, now, also).await.unwrap();
        assert_eq!((receipt.withdrawn, receipt.edited, receipt.new), (2, 1, 0));
        let mut stage = Withdraw::new(ground.clone(), dir.path().join("mail"));
        let next = stage.pass(now).await;
        assert_eq!(stage.pass(next).await, next + EVERY, "nothing is left to do");
        let texts =
            || ground.store.read(|c| Ok(mentions::after(c, 0, 9)?.into_iter().map(|m| m.text).collect::<Vec<_>>()));
        assert_eq!(texts().unwrap(), ["Acme three and a half"]);
        assert_eq!(counted().unwrap(), before, "what was counted stays counted");
        for entry in std::fs::read_dir(dir.path()).unwrap().flatten().filter(|e| e.path().is_file()) {
            let bytes = std::fs::read(entry.path()).unwrap();
            assert!(
                !bytes.windows(CANARY.len()).any(|w| w == CANARY.as_bytes()),
                "{} holds it",
                entry.path().display()
            );
        }
        // A source that still tells it does not bring it back.
        let again = batch(vec![said("a", "", &format!("Acme {CANARY}")), said("uri-b", "7", "Acme two")]);
        let receipt = intake::accept(&ground, again, now, also).await.unwrap();
        assert_eq!((receipt.new, receipt.known), (0, 2));
    }

    #[tokio::test]
    async fn what_is_new_and_told_as_an_edit_as_well_is_new_once() {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        let ground = standing(&dir, Clock::stepped(now));
        let also = |_: &crate::store::Transaction<'_>, _: &intake::Receipt| Ok(());
        let followed = Followed { changed: vec![said("a", "", "Acme one")], ..Followed::default() };
        let receipt =
            intake::follow(&ground, batch(vec![said("a", "", "Acme one")]), followed, now, also).await.unwrap();
        assert_eq!((receipt.new, receipt.edited), (1, 0));
    }

    #[tokio::test]
    async fn what_is_said_again_with_other_words_before_it_left_stays() {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        let ground = standing(&dir, Clock::stepped(now));
        let also = |_: &crate::store::Transaction<'_>, _: &intake::Receipt| Ok(());
        intake::accept(&ground, batch(vec![said("a", "", "Acme one")]), now, also).await.unwrap();
        let followed = Followed { gone: vec!["a".to_owned()], ..Followed::default() };
        assert_eq!(intake::follow(&ground, batch(Vec::new()), followed, now, also).await.unwrap().withdrawn, 1);
        let receipt = intake::accept(&ground, batch(vec![said("a", "", "Acme two")]), now, also).await.unwrap();
        assert_eq!(receipt.edited, 1);
        assert!(ground.store.read(|c| withdrawn::first(c, 9)).unwrap().is_empty());
    }
}
