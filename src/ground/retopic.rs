//! What new and changed topics find in the mentions of the last weeks, so that they have a past: their baselines are
//! warm and a search for them is whole.

use jiff::Timestamp;

use crate::model::Mention;
use crate::model::time::Span;
use crate::query::{Doc, Matcher};
use crate::rules::Rules;
use crate::store::counts::Counts;
use crate::store::{Store, Stored, groups, mentions};
use crate::text::Analyst;

/// How far back they look, and at how many mentions at most; older ones that arrived since, as imports do, are passed over.
const BACK: Span = Span::days(14);
const MOST: usize = 100_000;
const MOST_PASSED: usize = 500_000;
/// Mentions looked at in one go.
const CHUNK: u32 = 500;

/// A mention with the topics that it has from now on.
type Change = (Mention, Vec<String>);

/// Looks for the topics that are in `new` and were not so in `old`; tells how many mentions have other topics now.
///
/// # Errors
/// When the database cannot be read or written; what was found until then stays.
pub fn retopic(store: &Store, old: &Rules, new: &Rules, now: Timestamp) -> Stored<usize> {
    let changed: Vec<usize> = (0..new.topics.len())
        .filter(|n| {
            let topic = new.topics.get(*n);
            topic
                .and_then(|t| old.topic(&t.name))
                .is_none_or(|before| topic.is_none_or(|t| t.query != before.query || t.languages != before.languages))
        })
        .collect();
    if changed.is_empty() {
        return Ok(0);
    }
    let names: Vec<&str> = changed.iter().filter_map(|n| new.topics.get(*n)).map(|t| t.name.as_str()).collect();
    let redefined: Vec<String> = names.iter().filter(|n| old.topic(n).is_some()).map(|n| (*n).to_owned()).collect();
    if !redefined.is_empty() {
        store.write_blocking(move |tx| redefined.iter().try_for_each(|topic| groups::forget(tx, topic)))?;
    }
    let listened =
        changed.iter().filter_map(|n| Some((new.queries.get(*n)?, new.topics.get(*n)?.languages.as_slice())));
    let matcher = Matcher::new(listened);
    let from = now - BACK;
    let (mut before, mut seen, mut passed, mut found) = (i64::MAX, 0usize, 0usize, 0usize);
    while seen < MOST && passed < MOST_PASSED {
        let some = store.read(|c| mentions::before(c, before, CHUNK))?;
        let Some(last) = some.last() else { break };
        before = last.id;
        let here = some.iter().filter(|m| m.at >= from).count();
        seen += here;
        passed += some.len() - here;
        // Numbers follow arrival, so what was received before then was published before then as well, or nearly.
        let done = last.received < from;
        let changes: Vec<Change> =
            some.into_iter().filter(|m| m.at >= from).filter_map(|m| change(&matcher, &names, m)).collect();
        found += changes.len();
        if !changes.is_empty() {
            store.write_blocking(move |tx| {
                let mut seq = mentions::last_seq(tx)?;
                let (mut counts, mut ids) = (Counts::default(), mentions::TopicIds::default());
                for (m, topics) in &changes {
                    seq += 1;
                    mentions::set_topics(tx, m, topics, seq, &mut ids)?;
                    counts.remove(m, m.topics.iter().filter(|t| !topics.contains(t)));
                    counts.add(m, topics.iter().filter(|t| !m.topics.contains(t)));
                }
                counts.write(tx, &mut ids)?;
                ids.close(tx)
            })?;
        }
        if done {
            break;
        }
    }
    Ok(found)
}

/// The topics of a mention, where they are others now.
fn change(matcher: &Matcher, names: &[&str], m: Mention) -> Option<Change> {
    let (text, terms) = Analyst::terms(&m.title, &m.text, &m.language);
    let now: Vec<&str> =
        matcher.matches(&Doc::of(&m, &text, &terms)).into_iter().filter_map(|n| names.get(n).copied()).collect();
    let mut topics: Vec<String> = m.topics.iter().filter(|t| !names.contains(&t.as_str())).cloned().collect();
    topics.extend(now.into_iter().map(str::to_owned));
    let same = topics.len() == m.topics.len() && topics.iter().all(|t| m.topics.contains(t));
    (!same).then_some((m, topics))
}
