//! How strange a stream of counts is, bucket by bucket, measured by its own history: what people would call a spike.
//!
//! The level is the [`Baseline`] that the daemon rings by. For windows of several lengths, what is above the level is
//! told in usual deviations of the whole series, so that as many more count the same by night and by day. How seldom a
//! peak is so high is read off the peaks of the last weeks, whose heights above a border are taken as exponential
//! (peaks over threshold, as in Coles, An Introduction to Statistical Modeling of Extreme Values, 4.2). What was told
//! already is not told again until a day after it is over, unless it grows a hundred times as seldom.
//!
//! Nothing looks ahead: a bucket is judged by what came before it and by itself.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::baseline::{Baseline, Outlook};
use crate::model::time::{Span, between};

/// A bucket whose score is at least this is a spike that starts.
pub const THRESHOLD: f64 = 0.5;

/// What is seen once in so many days has the score [`THRESHOLD`].
const SELDOM: f64 = 14.0;
/// Windows that end with each bucket, in minutes.
const WINDOWS: [i64; 6] = [5, 15, 30, 60, 180, 360];
/// Days after which a peak or a deviation weighs half.
const MEMORY: f64 = 21.0;
/// Deviations above the level from which on a peak is counted.
const PEAK: f64 = 2.0;
/// Deviations above the level that teach the usual deviation no more than this would.
const BORDER: f64 = 4.0;
/// Peaks that are assumed before any was seen, in the days that they take, and their height above [`PEAK`].
const ASSUMED_PEAKS: f64 = 6.0;
const ASSUMED_DAYS: f64 = 3.0;
const ASSUMED_HEIGHT: f64 = 2.0;
/// A peak teaches no more than so many usual heights.
const MOST_HEIGHT: f64 = 3.0;
/// −log10 of the probability that the baseline gives what is no chance.
const NO_CHANCE: f64 = 1.0;
/// How long a spike is over before the next one is told: past the same hours of the next day, when many a story comes
/// again. And how many powers of ten more seldom one is told at once.
const REST: Span = Span::hours(30);
const CLEARLY: f64 = 2.0;
/// log10 of the days beyond which nothing is told to be more seldom: no history says that much.
const MOST_SELDOM: f64 = 6.0;
/// The first day only teaches; of long buckets, so many do.
const WARM: Span = Span::days(1);
const WARM_BUCKETS: usize = 14;
/// Peaks that lie closer together are one, unless their window is longer.
const ONE_PEAK: Span = Span::hours(1);
const DAY: f64 = 86_400_000.0;

/// What is told of one bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Count that the baseline expected of it.
    pub expected: f64,
    /// How strange it is, 0..1: what is seen once in `d` days has `d / (d + 14)`; half of that where it was told already,
    /// and 0 in the first day, which only teaches.
    pub score: f64,
}

/// The heights of past peaks above [`PEAK`], and how often they came.
#[derive(Debug, Default)]
struct Gauge {
    heights: f64,
    peaks: f64,
    days: f64,
    /// The highest of the peak that is on, and the buckets since it fell below the border.
    on: Option<(f64, usize)>,
}

impl Gauge {
    fn height(&self) -> f64 {
        (self.heights + ASSUMED_PEAKS * ASSUMED_HEIGHT) / (self.peaks + ASSUMED_PEAKS)
    }

    /// log10 of the days in which so much is seen once.
    fn seldom(&self, deviations: f64) -> f64 {
        let a_day = (self.peaks + ASSUMED_PEAKS) / (self.days + ASSUMED_DAYS);
        (deviations - PEAK) / self.height() * std::f64::consts::LOG10_E - a_day.log10()
    }

    fn learn(&mut self, deviations: f64, apart: usize, keep: f64, day: f64) {
        self.heights *= keep;
        self.peaks *= keep;
        self.days = self.days * keep + day;
        self.on = match self.on {
            _ if deviations >= PEAK => Some((self.on.map_or(deviations, |(top, _)| top.max(deviations)), 0)),
            Some((top, quiet)) if quiet + 1 >= apart => {
                self.heights += (top - PEAK).min(MOST_HEIGHT * self.height());
                self.peaks += 1.0;
                None
            }
            on => on.map(|(top, quiet)| (top, quiet + 1)),
        };
    }
}

/// A window that ends with the bucket.
#[derive(Debug)]
struct Scale {
    /// Its length and the least distance of two peaks, in buckets.
    length: usize,
    apart: usize,
    /// What it holds.
    count: u64,
    expected: f64,
    /// Discounted squares of what was above or below the level.
    squares: f64,
    gauge: Gauge,
}

/// Reads a stream of counts.
#[derive(Debug)]
pub struct Spikes {
    bucket: Span,
    baseline: Baseline,
    scales: Vec<Scale>,
    /// Count and expectation of the last buckets, the newest first.
    recent: VecDeque<(u32, f64)>,
    /// Buckets that only teach, yet to come.
    warm: usize,
    /// Discounted buckets that were judged.
    seen: f64,
    next: Option<Timestamp>,
    /// Times without buckets that are not learned past yet.
    missing: Vec<(Timestamp, Timestamp)>,
    /// How seldom the last spike was, and when it was last on.
    told: Option<(f64, Timestamp)>,
}

impl Spikes {
    /// For counts of buckets of that length, a millisecond at least.
    pub fn new(bucket: Span) -> Spikes {
        let bucket = Span::millis(bucket.as_millis().max(1));
        let buckets = |span: Span| {
            let n = (span.as_millis() + bucket.as_millis() - 1) / bucket.as_millis();
            usize::try_from(n).unwrap_or(1).max(1)
        };
        let mut lengths: Vec<usize> = WINDOWS.iter().map(|minutes| buckets(Span::mins(*minutes))).collect();
        lengths.dedup();
        let scale = |length: usize| Scale {
            length,
            apart: length.max(buckets(ONE_PEAK)),
            count: 0,
            expected: 0.0,
            squares: 0.0,
            gauge: Gauge::default(),
        };
        Spikes {
            bucket,
            baseline: Baseline::default(),
            scales: lengths.into_iter().map(scale).collect(),
            recent: VecDeque::new(),
            warm: buckets(WARM).max(WARM_BUCKETS),
            seen: 0.0,
            next: None,
            missing: Vec::new(),
            told: None,
        }
    }

    /// Takes the count of the bucket that begins at `at`, which is later than all before, and judges it. Buckets that
    /// were left out are unknown, not empty.
    pub fn take(&mut self, at: Timestamp, count: u32) -> Moment {
        self.skip_to(at);
        let missing = &self.missing;
        self.baseline.learn(at, |from, to| missing.iter().any(|(a, b)| *a < to && *b > from));
        self.missing.retain(|(_, to)| between(*to, at) < Span::hours(3));
        let end = at + self.bucket;
        let outlook = self.baseline.outlook(end, self.bucket, &[]);
        self.count(at, count);
        self.next = Some(end);
        if self.warm > 0 {
            self.warm -= 1;
            self.push(count, count.into());
            return Moment { expected: outlook.expected, score: 0.0 };
        }
        self.push(count, outlook.expected);
        let seldom = self.seldom(outlook.dispersion);
        let days = 10f64.powf(seldom);
        let strange = days / (days + SELDOM);
        let score = if self.tells(seldom, at) { strange } else { strange.min(1.0) * THRESHOLD };
        Moment { expected: outlook.expected, score: score.clamp(0.0, 1.0) }
    }

    /// Notes that buckets were left out.
    fn skip_to(&mut self, at: Timestamp) {
        let Some(next) = self.next.filter(|next| *next < at) else { return };
        let left_out = between(next, at).as_millis() / self.bucket.as_millis();
        if left_out == 0 {
            return;
        }
        self.missing.push((next, at));
        let longest = self.scales.last().map_or(1, |s| s.length);
        for _ in 0..usize::try_from(left_out).unwrap_or(longest).min(longest) {
            self.push(0, 0.0);
        }
    }

    /// Lets the baseline count a bucket, spread over its hours where it is longer than one.
    fn count(&mut self, at: Timestamp, count: u32) {
        let hours = u32::try_from(self.bucket.as_millis() / Span::hours(1).as_millis()).unwrap_or(1).clamp(1, 24 * 31);
        for hour in 0..hours {
            let share = count / hours + u32::from(hour < count % hours);
            self.baseline.count_many(at + Span::hours(hour.into()), share);
        }
    }

    /// Moves the windows on by a bucket.
    fn push(&mut self, count: u32, expected: f64) {
        self.recent.push_front((count, expected));
        for scale in &mut self.scales {
            let (gone, gone_expected) = self.recent.get(scale.length).copied().unwrap_or_default();
            scale.count = scale.count + u64::from(count) - u64::from(gone);
            scale.expected = (scale.expected + expected - gone_expected).max(0.0);
        }
        self.recent.truncate(self.scales.last().map_or(1, |s| s.length));
    }

    /// log10 of the days in which what the windows hold is seen once: half the most that any says, half their mean.
    fn seldom(&mut self, dispersion: f64) -> f64 {
        let day = self.bucket.as_millis() as f64 / DAY;
        let keep = 0.5f64.powf(day / MEMORY);
        let (mut most, mut sum) = (f64::NEG_INFINITY, 0.0);
        for scale in &mut self.scales {
            let full = self.recent.len() >= scale.length;
            let above = if full { scale.count as f64 - scale.expected } else { 0.0 };
            // A day of counts that vary like a Poisson's is assumed.
            let usual = ((scale.squares + scale.expected / day) / (self.seen + 1.0 / day)).sqrt().max(0.5);
            let deviations = above / usual;
            let outlook = Outlook { expected: scale.expected, upper: scale.expected, dispersion };
            let chance = deviations < PEAK || outlook.surprise(scale.count) < NO_CHANCE;
            let seldom = if chance { -1.0 } else { scale.gauge.seldom(deviations).clamp(-1.0, MOST_SELDOM) };
            most = most.max(seldom);
            sum += seldom;
            scale.gauge.learn(deviations, scale.apart, keep, day);
            let taught = above.clamp(-BORDER * usual, BORDER * usual);
            scale.squares = scale.squares * keep + taught * taught;
        }
        self.seen = self.seen * keep + 1.0;
        (most + sum / self.scales.len().max(1) as f64) / 2.0
    }

    /// Whether something that is so seldom is news; what is not seldom always is.
    fn tells(&mut self, seldom: f64, at: Timestamp) -> bool {
        if seldom < SELDOM.log10() {
            return true;
        }
        match self.told {
            Some((top, last)) if between(last, at) <= REST && seldom <= top + CLEARLY => {
                self.told = Some((top, at));
                false
            }
            _ => {
                self.told = Some((seldom, at));
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts with a daily season and noise that is always the same.
    fn quiet(n: i64) -> u32 {
        let noise = (n.wrapping_mul(2_654_435_761).rem_euclid(1 << 32) * 5) >> 32;
        u32::try_from(if n % 288 < 96 { noise / 2 } else { 6 + noise }).unwrap_or(0)
    }

    fn at(n: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Span::mins(5 * n)
    }

    fn scores(counts: impl Iterator<Item = (i64, u32)>) -> Vec<(i64, f64)> {
        let mut spikes = Spikes::new(Span::mins(5));
        counts.map(|(n, count)| (n, spikes.take(at(n), count).score)).collect()
    }

    #[test]
    fn a_spike_is_told_once_and_again_when_it_grows() {
        let spike = |n: i64| match n {
            5000..5030 => quiet(n) + 14,
            5030..5040 => quiet(n) + 2000,
            _ => quiet(n),
        };
        let told: Vec<i64> =
            scores((0..8000).map(|n| (n, spike(n)))).into_iter().filter(|s| s.1 >= THRESHOLD).map(|s| s.0).collect();
        assert!(told.first().is_some_and(|n| (5000..5003).contains(n)), "{told:?}");
        assert!(told.iter().all(|n| (5000..5040).contains(n)) && told.len() <= 5, "{told:?}");
        assert!(told.iter().any(|n| *n >= 5030), "{told:?}");
    }

    #[test]
    fn what_follows_changes_no_score() {
        let all = scores((0..3000).map(|n| (n, quiet(n) + u32::from(n % 700 == 0) * 90)));
        let part = scores((0..2000).map(|n| (n, quiet(n) + u32::from(n % 700 == 0) * 90)));
        assert_eq!(all[..2000], part[..]);
    }

    #[test]
    fn what_is_missing_is_no_calm() {
        let gaps = scores((0..6000).filter(|n| n % 1000 < 700).map(|n| (n, quiet(n))));
        assert!(gaps.iter().all(|(_, score)| *score < THRESHOLD));
    }

    proptest::proptest! {
        #[test]
        fn scores_lie_between_0_and_1(
            minutes in 1i64..3000,
            steps in proptest::collection::vec((1i64..50, 0u32..=u32::MAX), 0..200),
        ) {
            let mut spikes = Spikes::new(Span::mins(minutes));
            let mut now = Timestamp::UNIX_EPOCH;
            for (step, count) in steps {
                let moment = spikes.take(now, count);
                proptest::prop_assert!((0.0..=1.0).contains(&moment.score) && moment.expected >= 0.0);
                now = now + Span::mins(minutes * step / 7 + 1);
            }
        }
    }
}
