//! The usual level of a group, learned hour by hour: what to expect, and how surprising more is.
//!
//! A count model. The mean of an hour has a gamma prior, is learned with a half-life of a week, and is shaped by the
//! hour of the day, shrunk toward the plain level while there is little data. Counts are negative binomial; the
//! uncertainty of a mean learned from few mentions widens it, so a new topic does not ring for its first post.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use statrs::distribution::{DiscreteCDF, NegativeBinomial};
use statrs::function::gamma::ln_gamma;

use crate::model::Mention;
use crate::model::time::{Span, from_millis};

const HOUR: i64 = 3_600_000;
/// Mentions an hour that are assumed of a group nobody has seen, and the hours that this assumption weighs.
const PRIOR_MEAN: f64 = 1.0;
const PRIOR_HOURS: f64 = 2.0;
/// Hours after which what was learned weighs half.
const HALF_LIFE: f64 = 168.0;
/// Mentions that the flat day weighs against an hour's own shape.
const SEASON_PRIOR: f64 = 12.0;
/// Dispersion that is assumed, and the weight of the assumption in squared expected mentions.
const DISPERSION: f64 = 0.15;
const DISPERSION_WEIGHT: f64 = 200.0;
/// Surprise is not told beyond this.
const MOST_SURPRISE: f64 = 300.0;
/// Hours that taught nothing are remembered for so many hours.
const REMEMBERED: i64 = 24 * 14;
/// An hour is learned this long after it ended, so that late mentions are in it.
const GRACE: i64 = HOUR / 2;

/// What one hour held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Hour {
    count: u32,
    scored: u32,
    sentiment: f64,
    squares: f64,
}

/// The learned level of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Discounted mentions and hours.
    mentions: f64,
    hours: f64,
    /// Discounted mentions seen, and expected from the plain level, by hour of the day (UTC).
    season: [(f64, f64); 24],
    /// Discounted excess of squared deviations, and squared expectations.
    excess: f64,
    squared: f64,
    /// Discounted scored mentions, their sentiment and its squares.
    scored: f64,
    sentiment: f64,
    squares: f64,
    /// The first hour that was learned, and the next one to learn, since 1970.
    first: Option<i64>,
    next: Option<i64>,
    /// Hours that are not over yet.
    open: BTreeMap<i64, Hour>,
    /// Hours that taught nothing: what is told of them later teaches nothing either.
    #[serde(default)]
    skipped: BTreeSet<i64>,
}

impl Default for Baseline {
    fn default() -> Baseline {
        Baseline {
            mentions: 0.0,
            hours: 0.0,
            season: [(0.0, 0.0); 24],
            excess: 0.0,
            squared: 0.0,
            scored: 0.0,
            sentiment: 0.0,
            squares: 0.0,
            first: None,
            next: None,
            open: BTreeMap::new(),
            skipped: BTreeSet::new(),
        }
    }
}

fn hour_of(at: Timestamp) -> i64 {
    at.as_millisecond().div_euclid(HOUR)
}

fn hour_of_day(hour: i64) -> usize {
    usize::try_from(hour.rem_euclid(24)).unwrap_or(0)
}

impl Baseline {
    /// Whether the hour of an instant is learned already, or lies before all that was.
    pub fn is_past(&self, at: Timestamp) -> bool {
        self.next.is_some_and(|next| hour_of(at) < next)
    }

    /// The same, learned anew from mentions of the past, some of which were not known when it was learned first; hours
    /// that taught nothing then teach nothing now. `whole` says that there are no more of them; otherwise what was
    /// learned of more hours stays, and there is `None`.
    pub fn anew<'m>(
        &self,
        mentions: impl Iterator<Item = &'m Mention>,
        whole: bool,
        now: Timestamp,
    ) -> Option<Baseline> {
        let mut fresh = Baseline::default();
        mentions.for_each(|m| fresh.count(m));
        fresh.learn(now, |from, _| self.skipped.contains(&hour_of(from)));
        (whole || fresh.hours >= self.hours).then_some(fresh)
    }

    /// Counts a mention in its hour. One of an hour that is learned already is added to what was learned; one from
    /// before all that is too late.
    pub fn count(&mut self, m: &Mention) {
        self.count_felt(m, m.sentiment);
    }

    /// Counts a mention with the sentiment that the group's topic sees.
    pub fn count_felt(&mut self, m: &Mention, sentiment: Option<f32>) {
        let hour = hour_of(m.at);
        if let Some(next) = self.next.filter(|next| hour < *next) {
            if self.first.is_some_and(|first| hour >= first) && !self.skipped.contains(&hour) {
                let weight = 0.5f64.powf((next - hour) as f64 / HALF_LIFE);
                self.mentions += weight;
                self.season[hour_of_day(hour)].0 += if self.hours >= 20.0 { weight } else { 0.0 };
            }
            return;
        }
        let open = self.open.entry(hour).or_default();
        open.count += 1;
        if let Some(s) = sentiment {
            open.scored += 1;
            open.sentiment += f64::from(s);
            open.squares += f64::from(s) * f64::from(s);
        }
    }

    /// Learns the hours that are over. `unknown` says that an hour was not watched, or is part of an incident;
    /// such an hour teaches nothing.
    pub fn learn(&mut self, now: Timestamp, unknown: impl Fn(Timestamp, Timestamp) -> bool) -> bool {
        let over = (now.as_millisecond() - GRACE).div_euclid(HOUR);
        let first = self.open.keys().next().copied().unwrap_or(over);
        let mut hour = self.next.unwrap_or(first.min(over)).max(over - 24 * 60);
        let changed = hour < over;
        self.first.get_or_insert(hour);
        while hour < over {
            let seen = self.open.remove(&hour).unwrap_or_default();
            let (from, to) = (from_millis(hour * HOUR), from_millis((hour + 1) * HOUR));
            if unknown(from, to) {
                self.skipped.insert(hour);
            } else {
                self.learn_hour(hour, seen);
            }
            hour += 1;
        }
        self.next = Some(hour.max(self.next.unwrap_or(hour)));
        self.open.retain(|h, _| *h >= hour);
        self.skipped.retain(|h| *h >= hour - REMEMBERED);
        changed
    }

    fn learn_hour(&mut self, hour: i64, seen: Hour) {
        let expected = self.rate(hour);
        // What is far out teaches only as much as the border of the usual would.
        let most = expected + 4.0 * self.variance(expected).sqrt() + 2.0;
        let count = f64::from(seen.count).min(most);
        let keep = 0.5f64.powf(1.0 / HALF_LIFE);
        let plain = self.level();
        // The shape of the day is learned once a day has said what is plain.
        if self.hours >= 20.0 {
            let (had, would) = &mut self.season[hour_of_day(hour)];
            // An hour of the day comes once in 24.
            let keep_day = keep.powi(24);
            *had = *had * keep_day + count;
            *would = *would * keep_day + plain;
        }
        self.excess = self.excess * keep + (count - expected).powi(2) - expected;
        self.squared = self.squared * keep + expected * expected;
        self.mentions = self.mentions * keep + count;
        self.hours = self.hours * keep + 1.0;
        if seen.scored > 0 && seen.count <= most as u32 {
            self.scored = self.scored * keep + f64::from(seen.scored);
            self.sentiment = self.sentiment * keep + seen.sentiment;
            self.squares = self.squares * keep + seen.squares;
        }
    }

    /// Mentions an hour, whatever the hour.
    fn level(&self) -> f64 {
        (self.mentions + PRIOR_MEAN * PRIOR_HOURS) / (self.hours + PRIOR_HOURS)
    }

    /// Mentions expected in one hour.
    fn rate(&self, hour: i64) -> f64 {
        let (had, would) = self.season[hour_of_day(hour)];
        self.level() * (had + SEASON_PRIOR) / (would + SEASON_PRIOR)
    }

    /// How much more than Poisson the counts vary, with what few mentions leave open about the mean.
    fn dispersion(&self) -> f64 {
        let own = (self.excess.max(0.0) + DISPERSION * DISPERSION_WEIGHT) / (self.squared + DISPERSION_WEIGHT);
        own.clamp(0.02, 4.0) + 1.0 / (self.mentions + PRIOR_MEAN * PRIOR_HOURS)
    }

    fn variance(&self, mean: f64) -> f64 {
        mean + self.dispersion() * mean * mean
    }

    /// Mentions expected in the window that ends at `now`.
    pub fn expected(&self, now: Timestamp, window: Span) -> f64 {
        let end = now.as_millisecond();
        let mut at = end - window.as_millis();
        let mut sum = 0.0;
        while at < end {
            let hour = at.div_euclid(HOUR);
            let until = ((hour + 1) * HOUR).min(end);
            sum += self.rate(hour) * (until - at) as f64 / HOUR as f64;
            at = until;
        }
        sum
    }

    /// −log10 of the probability of at least `mentions` where `expected` are usual.
    pub fn surprise(&self, mentions: u64, expected: f64) -> f64 {
        if mentions == 0 {
            return 0.0;
        }
        let r = 1.0 / self.dispersion();
        let p = r / (r + expected.max(1e-9));
        let tail = NegativeBinomial::new(r, p).map_or(1.0, |nb| nb.sf(mentions - 1));
        if tail > 1e-250 {
            return (-tail.log10()).clamp(0.0, MOST_SURPRISE);
        }
        // Too far out for a probability: its logarithm, with the tail taken as geometric.
        let k = mentions as f64;
        let ln = ln_gamma(r + k) - ln_gamma(r) - ln_gamma(k + 1.0) + r * p.ln() + k * (1.0 - p).ln() - p.ln();
        (-ln / std::f64::consts::LN_10).clamp(0.0, MOST_SURPRISE)
    }

    /// How far a window's mean sentiment lies below the usual one, in standard errors of a mean of `n`.
    pub fn sentiment_drop(&self, mean: f64, n: u64) -> f64 {
        if n == 0 {
            return 0.0;
        }
        // Prior: neutral, with a standard deviation of 0.4, as strong as five mentions.
        let weight = self.scored + 5.0;
        let usual = self.sentiment / weight;
        let variance = ((self.squares + 5.0 * 0.16) / weight - usual * usual).max(0.01);
        (usual - mean) / (variance / n as f64).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::super::window::tests::mention;
    use super::*;

    /// A baseline that has watched so many hours with so many mentions each.
    fn watched(hours: i64, each: i64) -> (Baseline, Timestamp) {
        let mut b = Baseline::default();
        for h in 0..hours {
            for i in 0..each {
                b.count(&mention(h * 1000 + i, h * 60 + i % 60, 0.1));
            }
        }
        let now = mention(0, hours * 60 + 30, 0.0).at;
        b.learn(now, |_, _| false);
        (b, now)
    }

    #[test]
    fn learns_the_level() {
        let (b, now) = watched(72, 8);
        let e = b.expected(now, Span::mins(15));
        assert!((1.8..2.2).contains(&e), "{e}");
        assert!(b.surprise(2, e) < 1.0);
        assert!(b.surprise(20, e) > 4.0);
        assert!(b.surprise(20_000, e) > b.surprise(200, e));
    }

    #[test]
    fn a_new_group_does_not_ring_for_its_first_posts() {
        let b = Baseline::default();
        let e = b.expected(Timestamp::UNIX_EPOCH, Span::mins(15));
        assert!(b.surprise(4, e) < 4.0, "{}", b.surprise(4, e));
        assert!(b.surprise(12, e) > 4.0);
    }

    #[test]
    fn an_incident_is_not_the_new_normal() {
        let (mut b, now) = watched(72, 8);
        let before = b.expected(now, Span::hours(1));
        for i in 0..500 {
            b.count(&mention(1_000_000 + i, 72 * 60 + i % 60, -0.9));
        }
        let later = now + Span::hours(2);
        let mut frozen = b.clone();
        frozen.learn(later, |_, _| true);
        assert!((frozen.expected(later, Span::hours(1)) - before).abs() < 0.5);
        b.learn(later, |_, _| false);
        assert!(b.expected(later, Span::hours(1)) < before * 1.6, "an outlier teaches little");
    }

    #[test]
    fn a_past_that_comes_late_is_learned_as_if_it_had_come_in_time() {
        let (whole, now) = watched(14 * 24, 5);
        // Only one mention in five was there when it was learned first, and one hour taught nothing.
        let part: Vec<Mention> = (0..14 * 24).map(|h| mention(h, h * 60, 0.1)).collect();
        let mut thin = Baseline::default();
        part.iter().for_each(|m| thin.count(m));
        thin.learn(now, |from, _| from == mention(0, 300 * 60, 0.0).at);
        let all: Vec<Mention> = (0..14 * 24 * 5).map(|n| mention(n, n / 5 * 60 + n % 5 * 9, 0.1)).collect();
        assert!(thin.is_past(all[0].at) && !thin.is_past(now));
        let anew = thin.anew(all.iter().rev(), true, now).expect("it is whole");
        let (e, usual) = (anew.expected(now, Span::hours(1)), whole.expected(now, Span::hours(1)));
        assert!((e - usual).abs() < 0.3 && thin.expected(now, Span::hours(1)) < 1.6, "{e} {usual}");
        assert!(anew.skipped.contains(&hour_of(mention(0, 300 * 60, 0.0).at)));
        assert!(thin.anew(all.iter().skip(1200), false, now).is_none(), "what knows less replaces nothing");
    }

    #[test]
    fn sentiment_falls_in_standard_errors() {
        let (b, _) = watched(72, 8);
        assert!(b.sentiment_drop(-0.7, 20) > 3.0);
        assert!(b.sentiment_drop(0.1, 20).abs() < 1.0);
    }

    #[test]
    fn survives_the_store() {
        let (b, now) = watched(30, 3);
        let again: Baseline = serde_json::from_str(&serde_json::to_string(&b).expect("json")).expect("json");
        assert_eq!(again.expected(now, Span::hours(3)), b.expected(now, Span::hours(3)));
    }
}
