//! Counts what a query finds by time. Segments lie in the order of time, so each quarter of an hour is a run of documents:
//! where the runs begin is found once for a segment, and hits are counted without a look at their times.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tantivy::index::SegmentId;
use tantivy::{DocId, Searcher, SegmentReader};

use super::hunt::{Hunt, first_where};
use crate::model::time::from_millis;

/// The spans of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// Hours.
    Hour,
    /// Days of a time zone.
    Day,
}

/// The begin of a span, milliseconds since 1970, and its mentions.
pub type Bar = (i64, usize);

const QUARTER: i64 = 15 * 60_000;
const HOUR: i64 = 3_600_000;
/// Most spans of a histogram.
const MOST: usize = 100_000;

/// Where in a segment each quarter begins: its number since 1970, and its first document. They fall.
type Runs = Vec<(i64, DocId)>;

/// The runs of the segments in use.
#[derive(Debug, Default)]
pub(super) struct Calendars(Mutex<HashMap<SegmentId, Arc<Runs>>>);

impl Calendars {
    fn of(&self, reader: &SegmentReader) -> tantivy::Result<Arc<Runs>> {
        let known = |all: &HashMap<SegmentId, Arc<Runs>>| all.get(&reader.segment_id()).cloned();
        if let Some(runs) = known(&self.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(runs);
        }
        let made = Arc::new(runs(reader)?);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(reader.segment_id(), made.clone());
        Ok(made)
    }

    /// Forgets the segments that are no more.
    pub(super) fn keep(&self, searcher: &Searcher) {
        let here = |id: &SegmentId| searcher.segment_readers().iter().any(|r| r.segment_id() == *id);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| here(id));
    }
}

fn runs(reader: &SegmentReader) -> tantivy::Result<Runs> {
    let at = reader.fast_fields().i64("at")?;
    let docs = reader.max_doc();
    let mut runs = Vec::new();
    let mut doc = 0;
    while doc < docs {
        let quarter = at.first(doc).unwrap_or(i64::MIN).div_euclid(QUARTER);
        runs.push((quarter, doc));
        let earlier = |t: i64| t.div_euclid(QUARTER) < quarter;
        // Runs are short beside a segment: the end is looked for in steps that double.
        let (mut low, mut step) = (doc + 1, 1);
        while low + step < docs && !at.first(low + step).is_some_and(earlier) {
            low += step;
            step *= 2;
        }
        doc = first_where(&at, low..docs.min(low.saturating_add(step).saturating_add(1)), earlier);
    }
    Ok(runs)
}

/// The hits of a hunt by quarter, and whether it came to its end.
pub(super) fn count(hunt: &Hunt<'_>, searcher: &Searcher, calendars: &Calendars) -> tantivy::Result<(Quarters, bool)> {
    let all: Vec<Arc<Runs>> =
        searcher.segment_readers().iter().map(|r| calendars.of(r)).collect::<tantivy::Result<_>>()?;
    let mut counts: Vec<Vec<usize>> = all.iter().map(|runs| vec![0; runs.len()]).collect();
    let (mut place, mut segment) = (0, usize::MAX);
    let whole = hunt.blocks(|n, docs| {
        let (Some(runs), Some(counts)) = (all.get(n), counts.get_mut(n)) else { return };
        if segment != n {
            (segment, place) = (n, 0);
        }
        for doc in docs {
            while runs.get(place + 1).is_some_and(|(_, first)| first <= doc) {
                place += 1;
            }
            if let Some(count) = counts.get_mut(place) {
                *count += 1;
            }
        }
    })?;
    let mut quarters = Quarters::default();
    for (runs, counts) in all.iter().zip(counts) {
        for ((quarter, _), n) in runs.iter().zip(counts).filter(|(_, n)| *n > 0) {
            quarters.add(quarter.saturating_mul(QUARTER), n);
        }
    }
    Ok((quarters, whole))
}

/// Counts by quarters of an hour, that can be put together in any time zone's hours and days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quarters(BTreeMap<i64, usize>);

impl Quarters {
    /// Counts mentions of a time, milliseconds since 1970.
    pub fn add(&mut self, at: i64, mentions: usize) {
        *self.0.entry(at.div_euclid(QUARTER)).or_default() += mentions;
    }

    /// The bars of a time zone, empty ones between the first and the last included.
    pub fn bars(&self, bucket: Bucket, zone: &TimeZone) -> Vec<Bar> {
        let mut out: Vec<Bar> = Vec::new();
        let mut days: BTreeMap<Date, usize> = BTreeMap::new();
        for (quarter, n) in &self.0 {
            let at = quarter.saturating_mul(QUARTER);
            match bucket {
                Bucket::Day => *days.entry(from_millis(at).to_zoned(zone.clone()).date()).or_default() += n,
                Bucket::Hour => {
                    let ahead = i64::from(zone.to_offset(from_millis(at)).seconds()) * 1000;
                    let from = at - (at + ahead).rem_euclid(HOUR);
                    while let Some((last, _)) = out.last().filter(|(last, _)| *last < from - HOUR && out.len() < MOST) {
                        out.push((last + HOUR, 0));
                    }
                    match out.last_mut() {
                        Some((last, count)) if *last == from => *count += n,
                        _ => out.push((from, *n)),
                    }
                }
            }
        }
        let Some(((first, _), (last, _))) = days.first_key_value().zip(days.last_key_value()) else { return out };
        let begin = |day: Date| day.to_zoned(zone.clone()).map_or(0, |z| z.timestamp().as_millisecond());
        let all = first.series(jiff::Span::new().days(1)).take_while(|day| day <= last).take(MOST);
        all.map(|day| (begin(day), days.get(&day).copied().unwrap_or(0))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().expect("a time").as_millisecond()
    }

    #[test]
    fn days_are_those_of_the_zone() {
        let zone = TimeZone::get("Europe/Stockholm").expect("a zone");
        let mut q = Quarters::default();
        q.add(ms("2026-03-28T22:59:00Z"), 1);
        q.add(ms("2026-03-28T23:00:00Z"), 2);
        // The clocks go forward on the 29th: that day has 23 hours.
        q.add(ms("2026-03-29T21:59:00Z"), 4);
        q.add(ms("2026-03-31T00:00:00Z"), 8);
        let days = q.bars(Bucket::Day, &zone);
        let wanted = [("2026-03-27T23:00:00Z", 1), ("2026-03-28T23:00:00Z", 6), ("2026-03-29T22:00:00Z", 0)];
        assert_eq!(days[..3], wanted.map(|(t, n)| (ms(t), n)));
        assert_eq!(days[3..], [(ms("2026-03-30T22:00:00Z"), 8)]);
    }

    #[test]
    fn hours_go_through_a_change_of_the_clocks() {
        let zone = TimeZone::get("Europe/Stockholm").expect("a zone");
        let mut q = Quarters::default();
        ["2026-10-25T00:10:00Z", "2026-10-25T01:10:00Z", "2026-10-25T01:40:00Z", "2026-10-25T04:00:00Z"]
            .iter()
            .for_each(|t| q.add(ms(t), 1));
        let hours: Vec<usize> = q.bars(Bucket::Hour, &zone).into_iter().map(|(_, n)| n).collect();
        assert_eq!(hours, [1, 2, 0, 0, 1]);
        let kathmandu = TimeZone::get("Asia/Kathmandu").expect("a zone");
        let (first, _) = q.bars(Bucket::Hour, &kathmandu)[0];
        assert_eq!(first, ms("2026-10-24T23:15:00Z"));
    }
}
