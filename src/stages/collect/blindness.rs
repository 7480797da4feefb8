//! Sources that ought to speak and do not: seen, counted, and told to the operator.

use jiff::Timestamp;

use super::super::operator;
use super::Collect;
use crate::model::time::{Span, between};
use crate::store::Stored;
use crate::store::sources::{self, SourceState};

/// A source is blind after so many failures in a row, once nothing came for so long or for so many of its intervals.
const BLIND_FAILURES: u32 = 2;
const BLIND_AFTER: Span = Span::mins(15);
pub(super) const BLIND_INTERVALS: i64 = 3;
/// Silence that is not yet blindness, however chatty a source is, and the habit's multiple that is.
const QUIET_LEAST: Span = Span::hours(24);
const QUIET_TIMES: f64 = 10.0;
/// The operator is told of blind sources at most this often, all of them in one message (F52).
const TELL_EVERY: Span = Span::mins(10);

impl Collect {
    /// Sources that ought to speak and do not: marked, counted, and told to the operator in one message.
    pub(super) async fn look_for_blindness(&mut self, now: Timestamp) {
        let mut blind: Vec<(String, String)> = Vec::new();
        for (i, source) in self.sources.iter().enumerate() {
            let Some(state) = self.states.get_mut(&i) else { continue };
            let why = blindness(state, now);
            if why != state.blind {
                let turned = why.is_empty() != state.blind.is_empty();
                state.blind = why;
                if turned {
                    state.blind_since = now.as_millisecond();
                }
                let (name, kept) = (source.name.clone(), state.clone());
                if let Err(e) = self.ground.store.write(move |tx| sources::put(tx, &name, &kept)).await {
                    tracing::error!(source = source.name, error = %e, "the state of a source cannot be kept");
                }
            }
            if !state.blind.is_empty() {
                blind.push((source.name.clone(), state.blind.clone()));
            }
        }
        metrics::gauge!("vakt_sources_blind").set(blind.len() as f64);
        let told = self.states.values().filter(|s| s.blind_told).count();
        let news = self.states.values().any(|s| !s.blind.is_empty() && !s.blind_told) || (told > 0 && blind.is_empty());
        if news
            && self.told_at.is_none_or(|at| between(at, now) >= TELL_EVERY)
            && let Err(e) = self.tell(&blind, now).await
        {
            tracing::error!(error = %e, "the operator cannot be told of blind sources");
        }
    }

    /// Tells the operator who is blind, and remembers it over a restart.
    async fn tell(&mut self, blind: &[(String, String)], now: Timestamp) -> Stored<()> {
        self.told_at = Some(now);
        operator::blind(&self.ground, blind, now).await?;
        for (i, source) in self.sources.iter().enumerate() {
            let Some(state) = self.states.get_mut(&i).filter(|s| s.blind_told == s.blind.is_empty()) else { continue };
            state.blind_told = !state.blind.is_empty();
            let (name, kept) = (source.name.clone(), state.clone());
            self.ground.store.write(move |tx| sources::put(tx, &name, &kept)).await?;
        }
        Ok(())
    }
}

/// Why a source is taken for blind; empty while it sees. The words change once an hour at most.
fn blindness(state: &SourceState, now: Timestamp) -> String {
    let unheard = Span::millis(now.as_millisecond() - state.last_ok);
    let patience = BLIND_AFTER.max(Span::millis(state.interval.saturating_mul(BLIND_INTERVALS)));
    if state.failures > 0 && (state.hopeless || (state.failures >= BLIND_FAILURES && unheard > patience)) {
        return format!("it cannot be read: {}", state.error);
    }
    let stream = &state.stream;
    if stream.since == 0 && stream.failures >= BLIND_FAILURES {
        let down = Span::millis(now.as_millisecond() - stream.ended.max(state.last_new));
        if down > BLIND_AFTER {
            return format!("its connection cannot be opened: {}", stream.error);
        }
    }
    let silent = Span::millis(now.as_millisecond() - state.last_new);
    let allowed = QUIET_LEAST.max(Span::millis((state.habit * QUIET_TIMES) as i64));
    if state.habit > 0.0 && state.last_new > 0 && silent > allowed {
        let (silent, habit) =
            (Span::hours(silent.as_millis() / 3_600_000), Span::mins((state.habit / 60_000.0) as i64));
        return format!("nothing new for {silent}, though something comes every {habit} as a rule");
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::from_millis;

    #[test]
    fn blindness_is_failing_or_silence_against_habit() {
        let now = from_millis(1_000_000_000_000);
        let ago = |s: Span| now.as_millisecond() - s.as_millis();
        let failing = |failures, last_ok, hopeless| SourceState {
            failures,
            last_ok: ago(last_ok),
            hopeless,
            interval: Span::mins(2).as_millis(),
            error: "timed out".into(),
            ..SourceState::default()
        };
        assert_eq!(blindness(&failing(1, Span::hours(9), false), now), "");
        assert_eq!(blindness(&failing(3, Span::mins(10), false), now), "");
        assert!(blindness(&failing(3, Span::mins(16), false), now).contains("timed out"));
        assert!(blindness(&failing(1, Span::mins(1), true), now).contains("timed out"));
        let hourly = SourceState { habit: 3_600_000.0, last_new: ago(Span::hours(20)), ..SourceState::default() };
        assert_eq!(blindness(&hourly, now), "");
        let silent = SourceState { last_new: ago(Span::hours(30)), ..hourly };
        assert!(blindness(&silent, now).contains("nothing new for 1d6h"), "{}", blindness(&silent, now));
        let rare = SourceState { habit: 86_400_000.0, last_new: ago(Span::days(5)), ..SourceState::default() };
        assert_eq!(blindness(&rare, now), "");
    }
}
