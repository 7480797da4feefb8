//! What some topics have in common: the latest mentions, and how many there were by interval of time. Neither looks at more
//! than so many mentions, however many there are.

use std::fmt::Write;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::super::Stored;
use super::get;
use crate::model::Mention;
use crate::model::mention::is_negative;

/// Which mentions are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Names of topics.
    pub topics: Vec<String>,
    /// Any of them is enough; otherwise all are needed.
    pub any: bool,
    /// In this language alone.
    pub language: Option<String>,
    /// From this network alone.
    pub network: Option<String>,
    /// From this source alone.
    pub source: Option<String>,
}

/// Mentions of an interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bar {
    /// All of them.
    pub mentions: u32,
    /// The negative ones.
    pub negative: u32,
}

/// Mentions of one topic and one bar that are looked at; where there are more, they stand for the others.
const SAMPLE: u32 = 1000;
/// Mentions of one topic that are looked at for the latest that fit.
const LOOKED: u32 = 50_000;
const MINUTE: i64 = 60_000;

impl About {
    /// All (or any) of some topics.
    pub fn topics(topics: &[String], any: bool) -> About {
        About { topics: topics.to_vec(), any, ..About::default() }
    }

    /// The topics whose mentions are gone through, and those that each of them has to have besides; names are numbers here.
    /// `None` where there can be no mention.
    fn numbers(&self, c: &Connection, from: i64) -> Stored<Option<(Vec<i64>, Vec<i64>)>> {
        let mut q = c.prepare_cached("SELECT id FROM topics WHERE name = ?1")?;
        let mut known = Vec::with_capacity(self.topics.len());
        for name in &self.topics {
            match q.query_row([name], |r| r.get(0)).optional()? {
                Some(id) if known.contains(&id) => {}
                Some(id) => known.push(id),
                None if self.any => {}
                None => return Ok(None),
            }
        }
        if self.any {
            return Ok((!known.is_empty()).then_some((known, Vec::new())));
        }
        // The rarest one leads to all of them soonest.
        let mut size =
            c.prepare_cached("SELECT coalesce(sum(mentions), 0) FROM counts WHERE topic = ?1 AND minute >= ?2")?;
        let mut sized: Vec<(i64, i64)> = Vec::with_capacity(known.len());
        for id in known {
            sized.push((size.query_row([id, from.div_euclid(MINUTE)], |r| r.get(0))?, id));
        }
        sized.sort_unstable();
        let mut known: Vec<i64> = sized.into_iter().map(|(_, id)| id).collect();
        let others = known.split_off(known.len().min(1));
        Ok((!known.is_empty()).then_some((known, others)))
    }

    fn facts(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let facts = [("language", &self.language), ("network", &self.network), ("source", &self.source)];
        facts.into_iter().filter_map(|(column, value)| Some((column, value.as_ref()?)))
    }
}

/// The latest mentions of an interval of event time, its end included, newest first, among the last 50,000 of a topic.
///
/// # Errors
/// When the database cannot be read.
pub fn latest(c: &Connection, about: &About, from: i64, to: i64, limit: u32) -> Stored<Vec<Mention>> {
    let Some((topics, others)) = about.numbers(c, from)? else { return Ok(Vec::new()) };
    let mut sql =
        "SELECT s.at, s.mention FROM (SELECT at, mention FROM topic_mentions WHERE topic = ? AND at BETWEEN ? AND ?
                   ORDER BY at DESC, mention DESC LIMIT ?) s"
            .to_owned();
    let mut more: Vec<Value> = Vec::new();
    if about.facts().next().is_some() {
        sql.push_str(" JOIN mentions m ON m.id = s.mention");
    }
    sql.push_str(" WHERE TRUE");
    for other in others {
        sql.push_str(
            " AND EXISTS (SELECT 1 FROM topic_mentions o WHERE o.topic = ? AND o.at = s.at AND o.mention = s.mention)",
        );
        more.push(Value::Integer(other));
    }
    for (column, value) in about.facts() {
        // Writing to a string does not fail.
        write!(sql, " AND m.{column} = ?").ok();
        more.push(Value::Text(value.clone()));
    }
    sql.push_str(" ORDER BY s.at DESC, s.mention DESC LIMIT ?");
    let mut q = c.prepare_cached(&sql)?;
    let mut keys: Vec<(i64, i64)> = Vec::new();
    for topic in topics {
        let mut values = [topic, from, to, i64::from(LOOKED.max(limit))].map(Value::Integer).to_vec();
        values.extend(more.iter().cloned());
        values.push(Value::Integer(i64::from(limit)));
        for row in q.query_map(params_from_iter(values), |r| Ok((r.get(0)?, r.get(1)?)))? {
            keys.push(row?);
        }
    }
    keys.sort_unstable_by(|a, b| b.cmp(a));
    keys.dedup();
    keys.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    keys.into_iter().filter_map(|(_, id)| get(c, id).transpose()).collect()
}

/// How many mentions there were in `n` intervals of `width` minutes, the first of which begins at a minute since 1970. An
/// interval in which a topic has more than 1,000 is judged by its first ones.
///
/// # Errors
/// When the database cannot be read.
pub fn bars(c: &Connection, about: &About, first: i64, width: i64, n: usize) -> Stored<Vec<Bar>> {
    let width = width.max(1);
    let Some((topics, _)) = about.numbers(c, first * MINUTE)? else { return Ok(vec![Bar::default(); n]) };
    let mut sums = vec![(0.0, 0.0); n];
    for topic in topics {
        for ((mentions, negative), slot) in sums.iter_mut().zip(0i64..) {
            let from = first + slot * width;
            let part = sample(c, about, topic, from * MINUTE, (from + width) * MINUTE)?;
            let scale = if part.seen < SAMPLE { 1.0 } else { part.scale(c, topic, from, from + width)? };
            *mentions += part.mentions * scale;
            *negative += part.negative * scale;
        }
    }
    let whole = |n: f64| n.round() as u32;
    Ok(sums
        .into_iter()
        .map(|(mentions, negative)| Bar { mentions: whole(mentions), negative: whole(negative) })
        .collect())
}

/// What the first mentions of an interval are.
#[derive(Debug, Default)]
struct Part {
    seen: u32,
    mentions: f64,
    negative: f64,
}

impl Part {
    /// How many mentions of the interval each of these stands for.
    fn scale(&self, c: &Connection, topic: i64, from: i64, to: i64) -> Stored<f64> {
        let sql = "SELECT coalesce(sum(mentions), 0) FROM counts WHERE topic = ?1 AND minute >= ?2 AND minute < ?3";
        let all: i64 = c.prepare_cached(sql)?.query_row([topic, from, to], |r| r.get(0))?;
        let seen = f64::from(self.seen.max(1));
        Ok((all as f64 / seen).max(1.0))
    }
}

/// The first mentions of a topic in an interval: how many of them are asked for. One that is in several of the topics is
/// shared among them, since each of them is gone through.
fn sample(c: &Connection, about: &About, topic: i64, from: i64, to: i64) -> Stored<Part> {
    let mut q = c.prepare_cached(
        "SELECT m.topics, m.sentiment, m.toward, m.language, m.network, m.source FROM (SELECT mention FROM topic_mentions
         WHERE topic = ?1 AND at >= ?2 AND at < ?3 ORDER BY at, mention LIMIT ?4) s JOIN mentions m ON m.id = s.mention",
    )?;
    let mut rows = q.query(params![topic, from, to, SAMPLE])?;
    let mut names: Vec<&String> = about.topics.iter().collect();
    names.sort_unstable();
    names.dedup();
    let mut part = Part::default();
    while let Some(r) = rows.next()? {
        part.seen += 1;
        let has: String = r.get(0)?;
        let there = names.iter().filter(|t| has.lines().any(|h| h == ***t)).count();
        let facts: [Option<String>; 3] = [r.get(3)?, r.get(4)?, r.get(5)?];
        let wanted = [&about.language, &about.network, &about.source];
        let fits = wanted.into_iter().zip(&facts).all(|(wanted, fact)| wanted.is_none() || wanted == fact);
        if !fits || there == 0 || (!about.any && there < names.len()) {
            continue;
        }
        // An alert over several topics is about its first, which is the brand.
        let toward: String = r.get(2)?;
        let toward: Vec<(String, f32)> = serde_json::from_str(&toward).unwrap_or_default();
        let of = |t: &String| toward.iter().find(|(topic, _)| topic == t).map(|(_, s)| *s);
        let sentiment = about.topics.iter().find_map(of).map_or_else(|| r.get(1), |s| Ok(Some(s)))?;
        let share = if about.any { 1.0 / there as f64 } else { 1.0 };
        part.mentions += share;
        part.negative += if is_negative(sentiment) { share } else { 0.0 };
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::super::{Identity, TopicIds, put};
    use super::*;
    use crate::engine::window::tests::mention;
    use crate::store::Store;
    use crate::store::counts::Counts;

    /// Mentions by minute, topics, sentiment and language.
    type Made<'m> = (i64, &'m [&'m str], f32, &'m str);

    fn store_with(all: &[Made<'_>]) -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
        let made = all.iter().zip(1..).map(|((minute, topics, sentiment, language), id)| Mention {
            topics: topics.iter().map(|t| (*t).to_owned()).collect(),
            language: (*language).to_owned(),
            at: crate::model::time::from_millis(minute * MINUTE),
            ..mention(id, 0, *sentiment)
        });
        let made: Vec<Mention> = made.collect();
        store
            .write_blocking(move |tx| {
                let (mut seq, mut ids, mut counts) = (0, TopicIds::default(), Counts::default());
                for m in &made {
                    counts.add(m, &m.topics);
                    let identity = Identity { told: m.id, placed: None, called: None, content: m.id };
                    put(tx, m, &identity, &mut seq, &mut ids)?;
                }
                counts.write(tx, &mut ids)?;
                ids.close(tx)
            })
            .expect("stored");
        (dir, store)
    }

    fn plain(all: &[Made<'_>], about: &About) -> Vec<usize> {
        let has = |m: &Made<'_>, t: &String| m.1.contains(&t.as_str());
        let fits = |m: &&Made<'_>| {
            let topics =
                if about.any { about.topics.iter().any(|t| has(m, t)) } else { about.topics.iter().all(|t| has(m, t)) };
            !about.topics.is_empty() && topics && about.language.as_ref().is_none_or(|l| l == m.3)
        };
        let mut found: Vec<usize> = (0..all.len()).filter(|n| all.get(*n).is_some_and(|m| fits(&m))).collect();
        found.sort_by_key(|n| std::cmp::Reverse((all[*n].0, *n)));
        found
    }

    #[test]
    fn latest_and_bars_are_the_plain_definition() {
        let topics: [&[&str]; 5] = [&["a"], &["b"], &["a", "b"], &["a", "b", "c"], &[]];
        let all: Vec<Made<'_>> = (0..200usize)
            .map(|n| {
                let minute = i64::try_from(n * 37 % 90).expect("small");
                (minute, topics[n * 7 % 5], if n % 3 == 0 { -0.9 } else { 0.1 }, if n % 2 == 0 { "sv" } else { "de" })
            })
            .collect();
        let (_dir, store) = store_with(&all);
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        for any in [true, false] {
            for of in [names(&["a"]), names(&["a", "b"]), names(&["c", "a", "nobody"]), names(&[]), names(&["b", "b"])]
            {
                for language in [None, Some("sv".to_owned())] {
                    let about = About { language, ..About::topics(&of, any) };
                    let found = store.read(|c| latest(c, &about, 0, 90 * MINUTE, 50)).expect("read");
                    let wanted = plain(&all, &about);
                    let ids: Vec<usize> = found.iter().map(|m| usize::try_from(m.id).expect("small") - 1).collect();
                    assert_eq!(ids, wanted.iter().copied().take(50).collect::<Vec<_>>(), "{about:?}");
                    let bars = store.read(|c| bars(c, &about, 0, 15, 6)).expect("read");
                    for (slot, bar) in (0i64..).zip(bars) {
                        let of_slot = || wanted.iter().filter_map(|n| all.get(*n)).filter(|m| m.0 / 15 == slot);
                        let negative = of_slot().filter(|m| m.2 < 0.0).count();
                        let wanted = (of_slot().count(), negative);
                        assert_eq!((bar.mentions as usize, bar.negative as usize), wanted, "{about:?} {slot}");
                    }
                }
            }
        }
    }

    #[test]
    fn very_many_are_judged_by_the_first() {
        let all: Vec<Made<'_>> =
            (0..5000).map(|n| (n / 500, if n % 4 == 0 { ["a", "b"].as_slice() } else { &["a"] }, -0.5, "en")).collect();
        let (_dir, store) = store_with(&all);
        let about = About::topics(&["a".to_owned(), "b".to_owned()], false);
        let found = store.read(|c| bars(c, &about, 0, 10, 1)).expect("read");
        assert_eq!(found, [Bar { mentions: 1250, negative: 1250 }]);
    }
}
