//! What a source answered, stored with its cursor and when it is due next.

use std::sync::Arc;

use jiff::Timestamp;

use super::blindness::BLIND_INTERVALS;
use super::{GONE, HOPELESS};
use crate::ground::Ground;
use crate::ground::intake::{self, Batch, Followed, Receipt};
use crate::model::time::Span;
use crate::sources::pace::{Outcome, Pace};
use crate::sources::{Brought, FetchError, Named};
use crate::store::sources::{self, SourceState};
use crate::store::{StoreError, Stored};

/// What an undated feed shows after a pause longer than this may be as old as the pause.
const PAUSE: Span = Span::hours(1);

/// One answer being settled: the source that gave it, and what its next turn hangs on.
pub(super) struct Settling {
    pub(super) ground: Arc<Ground>,
    pub(super) source: Named,
    pub(super) pace: Pace,
    pub(super) jitter: f64,
    pub(super) now: Timestamp,
}

impl Settling {
    /// Stores an answer; the state of its source after it, as it is stored.
    pub(super) async fn of(self, state: SourceState, answer: Result<Brought, FetchError>) -> Stored<SourceState> {
        match answer {
            Ok(brought) => self.take_in(state, brought).await,
            Err(e) => self.put_off(state, &e).await,
        }
    }

    async fn take_in(self, mut state: SourceState, brought: Brought) -> Stored<SourceState> {
        let Settling { ground, source, pace, jitter, now } = self;
        let history = (!state.begun && source.source.begins_with_history()) || brought.anew;
        let undated_is_old = was_away(&state, now);
        let batch =
            Batch { source: source.name.clone(), captures: brought.captures, history, undated_is_old, archive: false };
        state.begun = true;
        state.cursor = brought.cursor;
        state.failures = 0;
        state.hopeless = false;
        state.error.clear();
        state.error_class.clear();
        state.degraded = brought.degraded.unwrap_or_default();
        state.last_ok = now.as_millisecond();
        state.skipped += brought.skipped_total as u64;
        state.skipped_last = brought.skipped.last().cloned().unwrap_or(state.skipped_last);
        state.gaps += u64::from(brought.gap);
        state.quota_left = brought.quota.map(|q| q.left);
        state.quota_until = brought.quota.and_then(|q| q.until).map_or(0, |t| t.as_millisecond());
        let (name, kept) = (source.name.clone(), state);
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let (gap, more, max_age) = (brought.gap, brought.more, brought.max_age);
        let followed = Followed { gone: brought.gone, ..Followed::default() };
        let receipt = intake::follow(&ground, batch, followed, now, move |tx, receipt| {
            let mut state = after_answer(kept, receipt, &pace, gap, max_age, jitter, now);
            if more {
                state.due = now.as_millisecond();
            }
            sources::put(tx, &name, &state)?;
            // The receiver waits in this very function.
            sender.send(state).ok();
            Ok(())
        })
        .await?;
        let state = receiver.await.map_err(|_| StoreError::Closed)?;
        source.source.stored(&state.cursor).await;
        let fresh = receipt.new + receipt.edited;
        metrics::counter!("vakt_mentions_total", "source" => source.name.clone()).increment(receipt.new as u64);
        metrics::counter!("vakt_fetches_total", "outcome" => if fresh > 0 { "new" } else { "unchanged" }).increment(1);
        if fresh > 0 {
            tracing::info!(source = source.name, new = receipt.new, edited = receipt.edited, history, "mentions");
        }
        if gap {
            tracing::warn!(source = source.name, "more was published than the source could show: items may be missed");
        }
        Ok(state)
    }

    async fn put_off(self, mut state: SourceState, e: &FetchError) -> Stored<SourceState> {
        let Settling { ground, source, pace, jitter, now } = self;
        state.failures += 1;
        state.hopeless = e.is_final();
        state.error = e.to_string();
        state.error_class = e.class().to_owned();
        let last = Span::millis(state.interval).max(pace.min);
        let outcome = Outcome::Failed { streak: state.failures, retry_after: e.retry_after() };
        let wait = match e {
            FetchError::Gone { .. } => pace.max.max(GONE),
            e if e.is_final() => pace.max.max(HOPELESS),
            // It was not even asked, since its host rests for a moment: then it is asked as soon as that is over.
            FetchError::Paused { retry_after, .. } if *retry_after < last => *retry_after,
            _ => pace.next_interval(last, outcome, None, jitter),
        };
        state.due = (now + wait).as_millisecond();
        metrics::counter!("vakt_fetches_total", "outcome" => e.class()).increment(1);
        tracing::warn!(source = source.name, failures = state.failures, error = %e, wait = %wait, "a source cannot be read");
        let (name, kept) = (source.name.clone(), state.clone());
        ground.store.write(move |tx| sources::put(tx, &name, &kept)).await?;
        Ok(state)
    }
}

fn after_answer(
    mut state: SourceState,
    receipt: &Receipt,
    pace: &Pace,
    gap: bool,
    max_age: Option<Span>,
    jitter: f64,
    now: Timestamp,
) -> SourceState {
    let fresh = receipt.new + receipt.edited;
    let last = if state.interval > 0 {
        Span::millis(state.interval)
    } else {
        pace.every.unwrap_or(Span::mins(5)).max(pace.min)
    };
    let outcome = match fresh {
        _ if gap => Outcome::Gap,
        0 => Outcome::Unchanged,
        n => Outcome::New(n),
    };
    let next = pace.next_interval(last, outcome, max_age, jitter);
    state.interval = next.as_millis();
    state.due = (now + next).as_millisecond();
    if fresh > 0 {
        state.note_new(now.as_millisecond(), receipt.new as u64);
    }
    state
}

/// Whether a source was not read for so long that what bears no date may be as old as that.
pub(super) fn was_away(state: &SourceState, now: Timestamp) -> bool {
    let paused = Span::millis(now.as_millisecond() - state.last_ok);
    paused > PAUSE.max(Span::millis(state.interval.saturating_mul(BLIND_INTERVALS)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::from_millis;

    #[test]
    fn after_a_pause_what_has_no_date_may_be_old() {
        let now = from_millis(1_000_000_000_000);
        let read = |ago: Span, interval: Span| SourceState {
            last_ok: now.as_millisecond() - ago.as_millis(),
            interval: interval.as_millis(),
            ..SourceState::default()
        };
        assert!(!was_away(&read(Span::mins(50), Span::mins(1)), now));
        assert!(was_away(&read(Span::mins(70), Span::mins(1)), now));
        assert!(!was_away(&read(Span::mins(70), Span::hours(1)), now));
    }
}
