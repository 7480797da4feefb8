//! What open incidents are about is asked for again, as far as networks tell many at once: how much it engages by now, and
//! whether it is still there.

use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;

use super::Collect;
use crate::ground::evidence;
use crate::ground::intake::{self, Batch, Followed};
use crate::model::time::{Span, between};
use crate::sources::{FetchError, Now};
use crate::store::mentions::{self, about, raise};
use crate::store::{Stored, incidents};

/// How often what open incidents are about is asked for again, and how far back.
const EVERY: Span = Span::mins(10);
const BACK: Span = Span::hours(24);
/// Questions to one source in one round.
const MOST_QUESTIONS: usize = 2;
/// What an answer leaves out is gone once it is still left out after so long: accounts are closed for a while, and posts
/// hidden, and what leaves here does not come back.
const SURE: Span = Span::hours(1);
/// Mentions of one incident that are looked at.
const MOST_MENTIONS: u32 = 500;

type Answer = (usize, Result<Vec<Now>, FetchError>);

/// Sources being asked again.
#[derive(Default)]
pub(super) struct Again {
    flying: FuturesUnordered<BoxFuture<'static, Answer>>,
    due: Option<Timestamp>,
    /// When each source was asked last, as some are asked more seldom.
    last: HashMap<usize, Timestamp>,
    /// The mentions that were asked for, by source and by what it calls them.
    asked: HashMap<(usize, String), i64>,
    /// When what was left out of an answer was first left out.
    missed: HashMap<(usize, String), Timestamp>,
}

impl Again {
    pub(super) fn is_idle(&self) -> bool {
        self.flying.is_empty()
    }

    pub(super) async fn next(&mut self) -> Option<Answer> {
        self.flying.next().await
    }

    /// What is gone by the answers of a source: what it says so of, and what it has left out for long enough.
    fn gone(&mut self, i: usize, stand: &[Now], now: Timestamp) -> Vec<String> {
        // What nobody asks for any more, and what a clock that has gone back since had missed, is forgotten.
        self.missed.retain(|_, first| *first <= now && *first >= now - BACK - BACK);
        let mut out = Vec::new();
        for n in stand {
            let key = (i, n.id.clone());
            let gone = match n.missing {
                true => between(*self.missed.entry(key.clone()).or_insert(now), now) >= SURE,
                false => n.gone,
            };
            if gone || !n.missing {
                self.missed.remove(&key);
            }
            if gone {
                out.push(n.id.clone());
            }
        }
        out
    }
}

impl Collect {
    /// Asks again for what open incidents are about, where that is due.
    pub(super) fn ask_again(&mut self, now: Timestamp) {
        if !self.again.is_idle() || self.again.due.is_some_and(|due| due > now && due <= now + EVERY) {
            return;
        }
        self.again.due = Some(now + EVERY);
        self.again.asked.clear();
        let wanted = match self.wanted_again(now) {
            Ok(wanted) => wanted,
            Err(e) => {
                tracing::warn!(stage = "collect", error = %e, "what open incidents are about cannot be looked for");
                return;
            }
        };
        for (i, ids) in wanted {
            let Some(source) = self.sources.get(i) else { continue };
            let (most, every) = (source.source.most_again(), source.source.again_every());
            // A clock that has gone back puts nothing off.
            if every > EVERY && self.again.last.get(&i).is_some_and(|last| *last <= now && now < *last + every) {
                continue;
            }
            self.again.last.insert(i, now);
            for some in ids.chunks(most.max(1)).take(MOST_QUESTIONS) {
                let (http, name) = (self.http.clone(), source.name.clone());
                let (source, some) = (source.source.clone(), some.to_vec());
                self.again.flying.push(Box::pin(async move {
                    let answer = AssertUnwindSafe(source.ask_again(&http, &some, now)).catch_unwind().await;
                    let fault = |_| {
                        let reason = "a fault of vakt's own while it was asked again; the log has more".to_owned();
                        Err(FetchError::Unreadable { place: name, reason })
                    };
                    (i, answer.unwrap_or_else(fault))
                }));
            }
        }
    }

    /// What is to be asked for again, by source, the newest first.
    fn wanted_again(&mut self, now: Timestamp) -> Stored<BTreeMap<usize, Vec<String>>> {
        let mut out: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let names: HashMap<&str, usize> = (0..)
            .zip(&self.sources)
            .filter(|(_, s)| s.source.most_again() > 0)
            .map(|(i, s)| (s.name.as_str(), i))
            .collect();
        if names.is_empty() {
            return Ok(out);
        }
        let knowledge = self.ground.knowledge();
        let (from, to) = ((now - BACK).as_millisecond(), now.as_millisecond());
        for incident in self.ground.store.read(incidents::unresolved)? {
            let about = evidence::about(&evidence::alert_of(&knowledge, &incident), &incident);
            let found = self.ground.store.read(|c| about::latest(c, &about, from, to, MOST_MENTIONS))?;
            for m in found.into_iter().filter(|m| !m.lookup.is_empty()) {
                let Some(i) = names.get(m.source.as_str()) else { continue };
                if self.again.asked.insert((*i, m.lookup.clone()), m.id).is_none() {
                    out.entry(*i).or_default().push(m.lookup);
                }
            }
        }
        Ok(out)
    }

    /// Keeps how things stand by now.
    pub(super) async fn stands(&mut self, i: usize, answer: Result<Vec<Now>, FetchError>, now: Timestamp) {
        let Some(source) = self.sources.get(i) else { return };
        let stand = match answer {
            Ok(stand) => stand,
            Err(e) => {
                tracing::warn!(source = source.name, error = %e, "what was said before cannot be asked for again");
                return;
            }
        };
        let gone = self.again.gone(i, &stand, now);
        let known = |n: &Now| {
            let id = self.again.asked.get(&(i, n.id.clone()))?;
            Some((*id, n.engagement.unwrap_or(0), n.reach.unwrap_or(0)))
        };
        let raised: Vec<(i64, u64, u64)> = stand.iter().filter(|n| !n.gone && !n.missing).filter_map(known).collect();
        let batch = Batch {
            source: source.name.clone(),
            captures: Vec::new(),
            history: false,
            undated_is_old: false,
            archive: false,
        };
        let followed = Followed { gone, ..Followed::default() };
        let kept = intake::follow(&self.ground, batch, followed, now, move |tx, _| {
            let mut seq = mentions::last_seq(tx)?;
            raised
                .iter()
                .try_for_each(|(id, engagement, reach)| raise(tx, *id, *engagement, *reach, &mut seq).map(|_| ()))
        });
        match kept.await {
            Ok(receipt) => {
                self.ground.bells.index.notify_one();
                metrics::counter!("vakt_withdrawn_total").increment(receipt.withdrawn as u64);
            }
            Err(e) => tracing::error!(stage = "collect", error = %e, "how things stand by now cannot be kept"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_once_may_come_back() {
        let at = |mins| "2026-03-10T12:00:00Z".parse::<Timestamp>().unwrap() + Span::mins(mins);
        let of = |id: &str, missing, gone| Now { id: id.into(), missing, gone, ..Now::default() };
        let (mut again, none) = (Again::default(), Vec::<String>::new());
        assert_eq!(again.gone(0, &[of("a", true, false), of("b", false, true)], at(0)), ["b"], "the network says so");
        assert_eq!(again.gone(0, &[of("a", true, false)], at(10)), none);
        assert_eq!(again.gone(1, &[of("a", true, false)], at(70)), none, "another source's");
        assert_eq!(again.gone(0, &[of("a", true, false)], at(70)), ["a"]);
        assert_eq!(again.gone(0, &[of("c", true, false)], at(80)), none);
        assert_eq!(again.gone(0, &[of("c", false, false)], at(90)), none, "it is there again");
        assert_eq!(again.gone(0, &[of("c", true, false)], at(150)), none);
    }
}
