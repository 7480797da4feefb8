//! Counts what a query finds by time. Segments lie in the order of time, so each quarter of an hour is a run of documents:
//! where the runs begin is found once for a segment, and hits are counted without a look at their times.

use jiff::tz::TimeZone;
use tantivy::DocId;
use tantivy::columnar::Column;

use super::hunt::{Hunt, first_where};
use super::view::View;
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
const DAY: i64 = 24 * HOUR;
/// Most empty spans that are shown between two that are not.
const MOST: usize = 100_000;
const MOST_DAYS: i64 = 100_000;

/// Where in a segment each quarter begins: its number since 1970, and its first document. They fall.
pub(super) type Runs = Vec<(i64, DocId)>;

fn runs(at: &Column<i64>, docs: DocId) -> Runs {
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
        doc = first_where(at, low..docs.min(low.saturating_add(step).saturating_add(1)), earlier);
    }
    runs
}

/// The hits of a hunt by quarter, and whether it came to its end.
pub(super) fn count(hunt: &Hunt<'_>, view: &View) -> tantivy::Result<(Quarters, bool)> {
    let readers = view.searcher.segment_readers().iter().zip(&view.segments);
    let all: Vec<&Runs> = readers.map(|(r, s)| s.runs.get_or_init(|| runs(&s.at, r.max_doc()))).collect();
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
        let some = runs.iter().zip(counts).filter(|(_, n)| *n > 0);
        quarters.0.extend(some.map(|((quarter, _), n)| (*quarter, n)));
    }
    Ok((quarters, whole))
}

/// Counts by quarters of an hour, that can be put together in any time zone's hours and days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quarters(Vec<(i64, usize)>);

/// Times, milliseconds since 1970, and their mentions.
impl FromIterator<(i64, usize)> for Quarters {
    fn from_iter<I: IntoIterator<Item = (i64, usize)>>(counts: I) -> Quarters {
        Quarters(counts.into_iter().map(|(at, n)| (at.div_euclid(QUARTER), n)).collect())
    }
}

impl Quarters {
    /// Counts mentions of a time, milliseconds since 1970.
    pub fn add(&mut self, at: i64, mentions: usize) {
        self.0.push((at.div_euclid(QUARTER), mentions));
    }

    /// The bars of a time zone, empty ones between the first and the last included.
    pub fn bars(mut self, bucket: Bucket, zone: &TimeZone) -> Vec<Bar> {
        self.0.sort_unstable();
        let mut clock = Clock { zone, ahead: 0, since: i64::MAX, until: i64::MIN };
        let mut out: Vec<Bar> = Vec::new();
        let mut day_before = None;
        let mut left = self.0.as_slice();
        while let [(quarter, n), more @ ..] = left {
            let at = quarter.saturating_mul(QUARTER);
            let local = at.saturating_add(clock.ahead(at));
            let begin = match bucket {
                Bucket::Hour => at - local.rem_euclid(HOUR),
                Bucket::Day if day_before == Some(local.div_euclid(DAY)) => out.last().map_or(at, |(begin, _)| *begin),
                Bucket::Day => clock.start_of(local.div_euclid(DAY)),
            };
            match (bucket, out.last().map(|(last, _)| *last)) {
                (Bucket::Hour, Some(last)) => {
                    let empty = (1..).map(|n| last + n * HOUR).take_while(|at| *at < begin).take(MOST);
                    out.extend(empty.map(|at| (at, 0)));
                }
                (Bucket::Day, _) => {
                    let day = local.div_euclid(DAY);
                    let from = day_before.map_or(day, |before| before + 1).max(day - MOST_DAYS);
                    out.extend((from..day).map(|empty| (clock.start_of(empty), 0)));
                    day_before = Some(day);
                }
                (Bucket::Hour, None) => {}
            }
            let rest = match bucket {
                Bucket::Hour => HOUR - local.rem_euclid(HOUR),
                Bucket::Day => DAY - local.rem_euclid(DAY),
            };
            // Up to which quarter the bar goes on for certain: what is in it is only summed up.
            let goes_on = at.saturating_add(rest).min(clock.until).div_euclid(QUARTER);
            let of_it = more.iter().take_while(|(quarter, _)| *quarter < goes_on);
            let (taken, sum) = of_it.fold((0, *n), |(taken, sum), (_, n)| (taken + 1, sum + n));
            left = more.get(taken..).unwrap_or_default();
            match out.last_mut() {
                Some((last, count)) if *last == begin => *count += sum,
                _ => out.push((begin, sum)),
            }
        }
        out
    }
}

/// The offset of a zone, asked for anew only where it may have changed.
struct Clock<'z> {
    zone: &'z TimeZone,
    /// Milliseconds that local clocks are ahead of UTC, between these times.
    ahead: i64,
    since: i64,
    until: i64,
}

impl Clock<'_> {
    /// How far local clocks are ahead at a time; times are asked for in their order.
    fn ahead(&mut self, at: i64) -> i64 {
        if at >= self.until {
            let now = from_millis(at);
            self.ahead = i64::from(self.zone.to_offset(now).seconds()) * 1000;
            self.since = at;
            let change = self.zone.following(now).next();
            self.until = change.map_or(i64::MAX, |change| change.timestamp().as_millisecond());
        }
        self.ahead
    }

    /// When a local day begins, its number counted from 1970; where the clocks changed on the way, the zone is asked.
    fn start_of(&self, day: i64) -> i64 {
        let guess = day * DAY - self.ahead;
        if (self.since..self.until).contains(&guess) {
            return guess;
        }
        let offset = |at: i64| i64::from(self.zone.to_offset(from_millis(at)).seconds()) * 1000;
        day * DAY - offset(guess)
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
        let days = q.clone().bars(Bucket::Day, &zone);
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
        let hours: Vec<usize> = q.clone().bars(Bucket::Hour, &zone).into_iter().map(|(_, n)| n).collect();
        assert_eq!(hours, [1, 2, 0, 0, 1]);
        let kathmandu = TimeZone::get("Asia/Kathmandu").expect("a zone");
        let (first, _) = q.bars(Bucket::Hour, &kathmandu)[0];
        assert_eq!(first, ms("2026-10-24T23:15:00Z"));
    }
}
