//! The usual level of a group, learned hour by hour: what to expect, and how surprising more is.
//!
//! A count model. The mean of an hour has a gamma prior, is learned with a half-life, and is shaped by the hour of the
//! day and of the week, each shrunk toward the plainer while there is little data; the pace of the last week against
//! the level follows a trend. Counts are negative binomial; the uncertainty of a mean learned from few mentions widens it, so a new topic
//! does not ring for its first post.

mod outlook;
mod prior;
mod shape;
mod skipped;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::mention::is_negative;
use crate::model::time::{Span, from_millis};
use crate::model::{Mention, Planned};
pub use outlook::Outlook;
pub use prior::Prior;
use shape::Shape;
use skipped::Skipped;

const HOUR: i64 = 3_600_000;
/// Hours after which what was learned of the level weighs half.
const HALF_LIFE: f64 = 672.0;
/// The same for the pace. A shorter one would tell the next hour better, but take a crisis that grows for the trend.
const PACE_HALF_LIFE: f64 = 168.0;
/// What is kept of a slot of the day from one day to the next, and of a slot of the week from one week to the next.
const KEEP_DAY: f64 = 0.97;
const KEEP_WEEK: f64 = 0.9;
/// Mentions that speak for the plain level against an hour's own shape, for the shape of the day against the week's,
/// and for no trend.
const DAY_PRIOR: f64 = 8.0;
const WEEK_PRIOR: f64 = 12.0;
const PACE_PRIOR: f64 = 12.0;
/// Hours that say what is plain, before the shape of the day is learned; and of the day, before that of the week is.
const BEFORE_DAY: f64 = 20.0;
const BEFORE_WEEK: f64 = 160.0;
/// A shape of the week is learned of groups that have so many mentions.
const WEEK_MENTIONS: f64 = 100.0;
/// Dispersion that is assumed, and the weight of the assumption in squared expected mentions.
const DISPERSION: f64 = 0.15;
const DISPERSION_WEIGHT: f64 = 200.0;
/// The share of mentions that is assumed to be negative, and the mentions that this assumption weighs.
const NEGATIVE_SHARE: f64 = 0.25;
const NEGATIVE_PRIOR: f64 = 16.0;
/// The border of the usual, in standard deviations.
const BORDER: f64 = 4.0;
/// Hours that taught nothing are remembered for so many hours.
const REMEMBERED: i64 = 24 * 14;
/// No more hours than this are caught up; what lies before is forgotten anyway.
const MOST_HOURS: i64 = 24 * 400;
/// An hour is learned this long after it ended, so that late mentions are in it.
pub const GRACE: Span = Span::mins(30);

/// What one hour held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Hour {
    count: u32,
    scored: u32,
    sentiment: f32,
    squares: f32,
    #[serde(default)]
    negative: u32,
}

/// The learned level of one group.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Baseline {
    /// Discounted mentions and hours.
    mentions: f32,
    hours: f32,
    /// Discounted mentions that the level was learned from, less what their bursts make worthless.
    known: f32,
    /// By hour of the day, beside the level; by hour of the week, beside level and day.
    #[serde(rename = "season")]
    day: Shape,
    week: Shape,
    /// Discounted mentions of the last days, and what level and season would have expected; both less bursts.
    pace: (f32, f32),
    /// Discounted excess of squared deviations, and squared expectations.
    excess: f32,
    squared: f32,
    /// Discounted scored mentions, their sentiment and its squares.
    scored: f32,
    sentiment: f32,
    squares: f32,
    /// Discounted negative mentions, and all mentions of the same hours.
    negative: (f32, f32),
    /// The first hour that was learned, and the next one to learn, since 1970.
    first: Option<i64>,
    next: Option<i64>,
    /// Hours that are not over yet.
    open: BTreeMap<i64, Hour>,
    /// Hours that taught nothing: what is told of them later teaches nothing either.
    skipped: Skipped,
    /// What is assumed, where it is not the plain assumption.
    #[serde(skip_serializing_if = "Option::is_none")]
    prior: Option<Box<Prior>>,
    /// Hours that the clock of the group's people is ahead of UTC.
    #[serde(skip_serializing_if = "is_zero")]
    ahead: i8,
    /// The shapes are by that clock, and not by UTC.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    local: bool,
}

fn is_zero(n: &i8) -> bool {
    *n == 0
}

fn hour_of(at: Timestamp) -> i64 {
    at.as_millisecond().div_euclid(HOUR)
}

/// Adds to a sum of which `keep` is left. Sums are kept in the 32 bits that their text in the store holds exactly.
fn add(sum: &mut f32, more: f64, keep: f64) {
    *sum = (f64::from(*sum) * keep + more).clamp(-1e30, 1e30) as f32;
}

fn slot(hour: i64, slots: i64) -> usize {
    usize::try_from(hour.rem_euclid(slots)).unwrap_or(0)
}

/// What a rate is made of.
struct Rate {
    level: f64,
    day: f64,
    week: f64,
    pace: f64,
}

impl Rate {
    fn all(&self) -> f64 {
        self.level * self.day * self.week * self.pace
    }
}

impl Baseline {
    /// One that knows nothing yet but what is assumed of its like.
    pub fn with_prior(prior: Prior) -> Baseline {
        let day = if prior.day.len() == 24 { Shape::of(&prior.day, prior::SHAPE) } else { Shape::default() };
        Baseline { day, prior: Some(Box::new(Prior { day: Vec::new(), ..prior })), ..Baseline::default() }
    }

    /// Says how many hours the clock of the group's people is ahead of UTC, so that their day stays theirs when clocks
    /// change. Learn first what is over.
    pub fn set_ahead(&mut self, hours: i8) {
        self.ahead = hours;
    }

    /// The same, where what was learned may be by UTC: that is moved to their hours once.
    pub fn go_by(&mut self, hours: i8) {
        if !std::mem::replace(&mut self.local, true) {
            let places = hours.saturating_sub(self.ahead);
            self.day.turn(places);
            self.week.turn(places);
        }
        self.set_ahead(hours);
    }

    /// What it is taken for is by the clock of the group's people already.
    pub fn begin_local(&mut self) {
        self.local = true;
    }

    /// Whether it goes by a clock that is so many hours ahead of UTC.
    pub fn is_ahead(&self, hours: i8) -> bool {
        self.local && self.ahead == hours
    }

    /// Whether it has learned up to some hour.
    pub fn has_begun(&self) -> bool {
        self.next.is_some()
    }

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
        let mut fresh =
            Baseline { prior: self.prior.clone(), ahead: self.ahead, local: self.local, ..Baseline::default() };
        mentions.for_each(|m| fresh.count(m));
        fresh.learn(now, |from, _| self.skipped.contains(hour_of(from)));
        (whole || fresh.hours >= self.hours).then_some(fresh)
    }

    /// Counts a mention in its hour. One of an hour that is learned already is added to what was learned; one from
    /// before all that is too late.
    pub fn count(&mut self, m: &Mention) {
        self.count_felt(m, m.sentiment);
    }

    /// The same with the sentiment that the group's topic sees.
    pub fn count_felt(&mut self, m: &Mention, sentiment: Option<f32>) {
        self.count_many(m.at, 1);
        if let Some(s) = sentiment
            && let Some(open) = self.open.get_mut(&hour_of(m.at))
        {
            open.scored += 1;
            open.sentiment += s;
            open.squares += s * s;
            open.negative += u32::from(is_negative(sentiment));
        }
    }

    /// Counts so many mentions of which nothing is known but their hour.
    pub fn count_many(&mut self, at: Timestamp, mentions: u32) {
        let hour = hour_of(at);
        if let Some(next) = self.next.filter(|next| hour < *next) {
            if self.first.is_some_and(|first| hour >= first) && !self.skipped.contains(hour) {
                self.add_late(hour, (next - hour) as f64, f64::from(mentions));
            }
            return;
        }
        let open = self.open.entry(hour).or_default();
        open.count = open.count.saturating_add(mentions);
    }

    fn add_late(&mut self, hour: i64, age: f64, mentions: f64) {
        let left = |half_life: f64| mentions * 0.5f64.powf(age / half_life);
        let worth = 1.0 / (1.0 + self.own_dispersion() * self.rate(hour).all());
        add(&mut self.mentions, left(HALF_LIFE), 1.0);
        add(&mut self.known, left(HALF_LIFE) * worth, 1.0);
        self.day.learn(self.day_slot(hour), left(HALF_LIFE) * worth, 0.0, 1.0);
        self.week.learn(self.week_slot(hour), left(HALF_LIFE) * worth, 0.0, 1.0);
        add(&mut self.pace.0, left(PACE_HALF_LIFE) * worth, 1.0);
    }

    /// Learns the hours that are over, however many there are. `unknown` says that an hour was not watched, or is part
    /// of an incident or of a known event; such an hour teaches nothing.
    pub fn learn(&mut self, now: Timestamp, unknown: impl Fn(Timestamp, Timestamp) -> bool) -> bool {
        let over = (now.as_millisecond() - GRACE.as_millis()).div_euclid(HOUR);
        let first = self.open.keys().next().copied().unwrap_or(over);
        let mut hour = self.next.unwrap_or(first.min(over)).max(over - MOST_HOURS);
        if hour >= over {
            self.next = Some(hour);
            self.first.get_or_insert(hour);
            return false;
        }
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
        self.next = Some(hour);
        self.open.retain(|h, _| *h >= hour);
        self.skipped.forget_before(hour - REMEMBERED);
        true
    }

    fn learn_hour(&mut self, hour: i64, seen: Hour) {
        let rate = self.rate(hour);
        let expected = rate.all();
        let own = self.own_dispersion();
        // What is far out teaches only as much as the border of the usual would.
        let variance = expected + self.dispersion(hour) * expected * expected;
        let most = expected + BORDER * variance.sqrt() + 2.0;
        let count = f64::from(seen.count).min(most);
        let keep = 0.5f64.powf(1.0 / HALF_LIFE);
        // A burst of many is worth fewer than as many that came one by one.
        let worth = 1.0 / (1.0 + own * expected);
        if f64::from(self.hours) >= BEFORE_DAY {
            if self.day.is_empty() {
                self.day = Shape::flat(24);
            }
            let would = rate.level * rate.pace;
            self.day.learn(self.day_slot(hour), count * worth, would * worth, KEEP_DAY);
        }
        if f64::from(self.hours) >= BEFORE_WEEK && (f64::from(self.mentions) >= WEEK_MENTIONS || !self.week.is_empty())
        {
            if self.week.is_empty() {
                self.week = Shape::flat(168);
            }
            let would = rate.level * rate.pace * rate.day;
            self.week.learn(self.week_slot(hour), count * worth, would * worth, KEEP_WEEK);
        }
        let keep_pace = 0.5f64.powf(1.0 / PACE_HALF_LIFE);
        let would = rate.level * rate.day * rate.week;
        add(&mut self.pace.0, count * worth, keep_pace);
        add(&mut self.pace.1, would * worth, keep_pace);
        add(&mut self.excess, (count - expected).powi(2) - expected, keep);
        add(&mut self.squared, expected * expected, keep);
        add(&mut self.mentions, count, keep);
        add(&mut self.known, count * worth, keep);
        add(&mut self.hours, 1.0, keep);
        if seen.scored > 0 && f64::from(seen.count) <= most {
            add(&mut self.scored, seen.scored.into(), keep);
            add(&mut self.sentiment, seen.sentiment.into(), keep);
            add(&mut self.squares, seen.squares.into(), keep);
            add(&mut self.negative.0, seen.negative.into(), keep);
            add(&mut self.negative.1, seen.count.into(), keep);
        }
    }

    fn day_slot(&self, hour: i64) -> usize {
        slot(hour + i64::from(self.ahead), 24)
    }

    fn week_slot(&self, hour: i64) -> usize {
        slot(hour + i64::from(self.ahead), 168)
    }

    /// Mentions that are assumed, the hours of this, and the dispersion.
    fn assumed(&self) -> (f64, f64, f64) {
        let of = |p: &Prior| (f64::from(p.mean) * f64::from(p.hours), f64::from(p.hours), f64::from(p.dispersion));
        self.prior.as_ref().map_or_else(|| of(&Prior::default()), |p| of(p))
    }

    /// Mentions an hour, whatever the hour.
    fn level(&self) -> f64 {
        let (mentions, hours, _) = self.assumed();
        (f64::from(self.mentions) + mentions) / (f64::from(self.hours) + hours).max(1e-6)
    }

    /// What mentions are expected in one hour, and why.
    fn rate(&self, hour: i64) -> Rate {
        Rate {
            level: self.level(),
            day: self.day.factor(self.day_slot(hour), DAY_PRIOR),
            week: self.week.factor(self.week_slot(hour), WEEK_PRIOR),
            pace: (f64::from(self.pace.0) + PACE_PRIOR) / (f64::from(self.pace.1) + PACE_PRIOR),
        }
    }

    /// How much more than Poisson the counts of an hour vary.
    fn own_dispersion(&self) -> f64 {
        let (_, _, assumed) = self.assumed();
        let excess = f64::from(self.excess.max(0.0));
        let own = (excess + assumed * DISPERSION_WEIGHT) / (f64::from(self.squared) + DISPERSION_WEIGHT);
        own.clamp(0.02, 4.0)
    }

    /// The same with what few mentions leave open about the mean, and few days about the hour.
    fn dispersion(&self, hour: i64) -> f64 {
        let (mentions, ..) = self.assumed();
        let (_, day) = self.day.slot(self.day_slot(hour));
        self.own_dispersion() + 1.0 / (f64::from(self.known) + mentions).max(1e-6) + 1.0 / (day + DAY_PRIOR)
    }

    /// What is usual in the window that ends at `now`, with the known events that may lie in it.
    pub fn outlook(&self, now: Timestamp, window: Span, planned: &[Planned]) -> Outlook {
        let end = now.as_millisecond();
        let mut at = end - window.as_millis();
        let (mut expected, mut upper) = (0.0, 0.0);
        while at < end {
            let hour = at.div_euclid(HOUR);
            let until = ((hour + 1) * HOUR).min(end);
            let mentions = self.rate(hour).all() * (until - at) as f64 / HOUR as f64;
            let factors = planned.iter().map(|p| p.factor_over(from_millis(at), from_millis(until)));
            expected += mentions;
            upper += mentions * factors.fold(1.0, f64::max);
            at = until;
        }
        Outlook { expected, upper, dispersion: self.dispersion((end - 1).div_euclid(HOUR)) }
    }

    /// What is usual of the negative mentions in a window where `outlook` is usual of all. A share of what is negative
    /// binomial is so again, with the same dispersion; what few mentions leave open about the share widens it.
    pub fn negative_outlook(&self, outlook: &Outlook) -> Outlook {
        let negative = f64::from(self.negative.0) + NEGATIVE_SHARE * NEGATIVE_PRIOR;
        let share = (negative / (f64::from(self.negative.1) + NEGATIVE_PRIOR)).clamp(0.0, 1.0);
        Outlook {
            expected: outlook.expected * share,
            upper: outlook.upper * share,
            dispersion: outlook.dispersion + 1.0 / negative,
        }
    }

    /// Mentions expected in the window that ends at `now`.
    pub fn expected(&self, now: Timestamp, window: Span) -> f64 {
        self.outlook(now, window, &[]).expected
    }

    /// How far a window's mean sentiment lies below the usual one, in standard errors of a mean of `n`.
    pub fn sentiment_drop(&self, mean: f64, n: u64) -> f64 {
        if n == 0 {
            return 0.0;
        }
        // Prior: neutral, with a standard deviation of 0.4, as strong as five mentions.
        let weight = f64::from(self.scored) + 5.0;
        let usual = f64::from(self.sentiment) / weight;
        let variance = ((f64::from(self.squares) + 5.0 * 0.16) / weight - usual * usual).max(0.01);
        (usual - mean) / (variance / n as f64).sqrt()
    }
}
