//! Counts by topic and minute of event time, in the transaction that stores the mentions.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::Stored;
use super::mentions::TopicIds;
use crate::model::Mention;
use crate::model::mention::{is_negative, is_positive};

/// What is counted of one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Count {
    /// Mentions.
    pub mentions: u32,
    /// Negative ones.
    pub negative: u32,
    /// Positive ones.
    pub positive: u32,
    /// Those whose language is scored.
    pub scored: u32,
    /// Sum of sentiment.
    pub sentiment: f64,
    /// Sum of reach.
    pub reach: u64,
}

/// What is added to the counts of one minute, or taken away.
#[derive(Debug, Clone, Copy, Default)]
struct Change {
    mentions: i64,
    negative: i64,
    positive: i64,
    scored: i64,
    sentiment: f64,
    reach: i64,
}

/// Changes of counts gathered before they are written.
#[derive(Debug, Default)]
pub struct Counts(BTreeMap<String, BTreeMap<i64, Change>>);

impl Counts {
    /// Counts a mention for topics.
    pub fn add<'t>(&mut self, m: &Mention, topics: impl IntoIterator<Item = &'t String>) {
        self.change(m, topics, 1);
    }

    /// Takes a mention out of the counts of topics.
    pub fn remove<'t>(&mut self, m: &Mention, topics: impl IntoIterator<Item = &'t String>) {
        self.change(m, topics, -1);
    }

    fn change<'t>(&mut self, m: &Mention, topics: impl IntoIterator<Item = &'t String>, by: i64) {
        let minute = m.at.as_millisecond().div_euclid(60_000);
        for topic in topics {
            let sentiment = m.sentiment_toward(topic);
            if !self.0.contains_key(topic) {
                self.0.insert(topic.clone(), BTreeMap::new());
            }
            let Some(count) = self.0.get_mut(topic).map(|minutes| minutes.entry(minute).or_default()) else { continue };
            count.mentions += by;
            count.negative += by * i64::from(is_negative(sentiment));
            count.positive += by * i64::from(is_positive(sentiment));
            count.scored += by * i64::from(sentiment.is_some());
            count.sentiment += by as f64 * f64::from(sentiment.unwrap_or(0.0));
            count.reach += by * i64::try_from(m.reach).unwrap_or(0);
        }
    }

    /// Adds them to the stored ones.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn write(&self, c: &Connection, ids: &mut TopicIds) -> Stored<()> {
        let mut put = c.prepare_cached(
            "INSERT INTO counts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (topic, minute) DO UPDATE SET
             mentions = mentions + ?3, negative = negative + ?4, positive = positive + ?5, scored = scored + ?6,
             sentiment = sentiment + ?7, reach = reach + ?8",
        )?;
        for (topic, minutes) in &self.0 {
            let topic = ids.get(c, topic)?;
            for (minute, n) in minutes {
                put.execute(params![
                    topic,
                    minute,
                    n.mentions,
                    n.negative,
                    n.positive,
                    n.scored,
                    n.sentiment,
                    n.reach
                ])?;
            }
        }
        Ok(())
    }
}

/// The counts of a topic between two minutes since 1970, the last one excluded. An edit is not counted, so that a change of
/// topics after it may leave less than nothing behind: that is nothing.
///
/// # Errors
/// When the database cannot be read.
pub fn between(c: &Connection, topic: &str, from: i64, to: i64) -> Stored<Vec<(i64, Count)>> {
    let mut q = c.prepare_cached(
        "SELECT minute, max(mentions, 0), max(negative, 0), max(positive, 0), max(scored, 0), sentiment, reach FROM counts
         WHERE topic = (SELECT id FROM topics WHERE name = ?1) AND minute >= ?2 AND minute < ?3 ORDER BY minute",
    )?;
    let rows = q.query_map(params![topic, from, to], |r| {
        let reach: i64 = r.get(6)?;
        let count = Count {
            mentions: r.get(1)?,
            negative: r.get(2)?,
            positive: r.get(3)?,
            scored: r.get(4)?,
            sentiment: r.get(5)?,
            reach: u64::try_from(reach).unwrap_or(0),
        };
        Ok((r.get(0)?, count))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
