//! A brand's made-up life: hours with a day and a week, what is not a crisis, and crises.

use jiff::Timestamp;
use statrs::distribution::{DiscreteCDF, NegativeBinomial};
use vakt::model::time::from_millis;
use vakt::model::{Author, Mention};

use super::draw::Draw;

pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
pub const WEEK: i64 = 7 * DAY;

const THEMES: [&str; 10] = [
    "product-safety",
    "data-breach",
    "legal",
    "boycott",
    "discrimination",
    "executive-conduct",
    "outage",
    "labour",
    "environment",
    "fake-news",
];

/// One brand.
pub struct Town {
    pub draw: Draw,
    /// Mentions an hour, in the mean.
    pub rate: f64,
    pub dispersion: f64,
    /// What is negative of ordinary talk.
    negative: f64,
    /// How much day and night, working day and weekend differ.
    swing: (f64, f64),
    pub trouble: Vec<String>,
    start: i64,
    end: i64,
    id: i64,
}

impl Town {
    pub fn drawn(seed: u64) -> Town {
        let mut draw = Draw::new(seed + 1);
        let start = "2026-03-02T00:00:00Z".parse::<Timestamp>().expect("a time").as_millisecond();
        Town {
            rate: 10f64.powf(draw.between(-0.7, 1.7)),
            dispersion: draw.between(0.02, 0.4),
            negative: draw.between(0.08, 0.3),
            swing: (draw.between(0.2, 0.9), draw.between(0.0, 0.5)),
            trouble: Vec::new(),
            start,
            end: start,
            id: 0,
            draw,
        }
    }

    pub fn end(&self) -> Timestamp {
        from_millis(self.end)
    }

    /// The mean of an hour; clocks change at the end of March.
    fn mean(&self, at: i64) -> f64 {
        let at = if at > self.start + 27 * DAY { at + HOUR } else { at };
        let hour = at.rem_euclid(DAY) as f64 / HOUR as f64;
        let day = 1.0 + self.swing.0 * ((hour - 15.0) / 24.0 * std::f64::consts::TAU).cos();
        let weekend = at.div_euclid(DAY).rem_euclid(7) < 2;
        self.rate * day * if weekend { 1.0 - self.swing.1 } else { 1.0 }
    }

    fn mention(&mut self, at: i64, negative: f64) -> Mention {
        self.id += 1;
        let feels = match self.draw.unit() {
            u if u < negative => -0.6,
            u if u < negative + 0.3 => 0.5,
            _ => 0.0,
        };
        let network = ["x", "mastodon", "forum", "blog", "reddit"][self.draw.below(5) as usize];
        let author = self.draw.below(4000);
        Mention {
            id: self.id,
            source: network.into(),
            network: network.into(),
            site: format!("{network}.example"),
            author: Author { name: format!("a{author}"), ..Author::default() },
            language: ["sv", "de", "en"][self.draw.below(3) as usize].into(),
            sentiment: Some(feels),
            intent: if feels < 0.0 && self.draw.unit() < 0.5 { "complaint".into() } else { "other".into() },
            reach: 50 + self.draw.below(800),
            story: self.id,
            topics: vec!["acme".into()],
            ..Mention::of_text("", from_millis(at))
        }
    }

    /// Some weeks from where it ended last, in the order of time.
    pub fn weeks(&mut self, weeks: i64) -> Vec<Mention> {
        let (from, to) = (self.end, self.end + weeks * WEEK);
        let mut out = Vec::new();
        // Half a day in which the largest source is dead, now and then.
        let dead: Vec<i64> = (0..weeks / 6).map(|_| from + (self.draw.unit() * (to - from) as f64) as i64).collect();
        let mut hour = from;
        while hour < to {
            let alive = if dead.iter().any(|d| (0..12 * HOUR).contains(&(hour - d))) { 0.3 } else { 1.0 };
            let n = self.draw.counts(self.mean(hour) * alive, self.dispersion);
            for _ in 0..n {
                let at = hour + (self.draw.unit() * HOUR as f64) as i64;
                let negative = self.negative;
                let mut m = self.mention(at, negative);
                // One in thirty is about a theme of risk as well.
                if self.draw.unit() < 0.033 {
                    m.topics.push(THEMES[self.draw.below(10) as usize].into());
                }
                out.push(m);
            }
            hour += HOUR;
        }
        if !dead.is_empty() {
            self.trouble.push(format!("{} dead sources", dead.len()));
        }
        self.copies(from, to, &mut out);
        self.first_poll(from, to, &mut out);
        self.end = to;
        out.sort_by_key(|m| (m.at, m.id));
        out
    }

    /// Once in two months the same wire story in thirty papers within two hours, sober or bad news.
    fn copies(&mut self, from: i64, to: i64, out: &mut Vec<Mention>) {
        let stories = (to - from) / (8 * WEEK);
        for _ in 0..stories {
            let at = from + (self.draw.unit() * (to - from - DAY) as f64) as i64;
            let (story, bad) = (1_000_000_000 + at, self.draw.unit() < 0.5);
            for n in 0..30 {
                let when = at + (self.draw.unit() * 2.0 * HOUR as f64) as i64;
                let mut m = self.mention(when, if bad { 1.0 } else { 0.0 });
                (m.story, m.network, m.site) = (story, "news".into(), format!("paper{n}.example"));
                m.author = Author { name: format!("paper{n}"), ..Author::default() };
                (m.tier, m.intent, m.source) = (if n == 0 { 1 } else { 2 }, "other".into(), "news".into());
                out.push(m);
            }
        }
        if stories > 0 {
            self.trouble.push(format!("{stories} wire stories"));
        }
    }

    /// A source that is new brings 200 mentions of its past at once.
    fn first_poll(&mut self, from: i64, to: i64, out: &mut Vec<Mention>) {
        if to - from < 8 * WEEK {
            return;
        }
        let polled = from + (self.draw.unit() * (to - from) as f64) as i64;
        for _ in 0..200 {
            let at = polled - (self.draw.unit() * 2.0 * DAY as f64) as i64;
            let m = self.mention(at, 0.6);
            out.push(Mention { history: true, source: "new".into(), ..m });
        }
        self.trouble.push("a first poll".into());
    }

    /// A crisis of so many times the level beside the ordinary talk: at once, or growing for half of its length.
    pub fn crisis(&mut self, from: i64, length: i64, times: f64, sudden: bool, theme: bool) -> Vec<Mention> {
        let theme = theme.then(|| THEMES[self.draw.below(10) as usize]);
        let mut out = Vec::new();
        let mut minute = from;
        while minute < from + length {
            let share = if sudden { 1.0 } else { ((minute - from) as f64 / (length as f64 / 2.0)).min(1.0) };
            // The ordinary talk goes on within it.
            let mean = self.mean(minute) / 60.0 * (1.0 + (times - 1.0) * share);
            let bad = 1.0 - 1.0 / (1.0 + (times - 1.0) * share).max(1.0);
            for _ in 0..self.draw.poisson(mean) {
                let at = minute + (self.draw.unit() * MINUTE as f64) as i64;
                let of_it = self.draw.unit() < bad;
                let negative = if of_it { 0.85 } else { self.negative };
                let mut m = self.mention(at, negative);
                if of_it {
                    m.author.name = format!("c{}", self.draw.below(1_000_000));
                    m.topics.extend(theme.map(str::to_owned));
                    m.tags.push("crisis".into());
                }
                out.push(m);
            }
            minute += MINUTE;
        }
        out
    }

    /// When the fifth mention beyond the 99.9th percentile of the usual came, within a sliding window.
    pub fn fifth_extra(&self, before: &[Mention], crisis: &[Mention], window: i64) -> Option<i64> {
        let mut times: Vec<i64> = before.iter().chain(crisis).map(|m| m.at.as_millisecond()).collect();
        times.sort_unstable();
        let begin = crisis.iter().map(|m| m.at.as_millisecond()).min()?;
        let mut first = 0;
        for (n, at) in times.iter().enumerate().filter(|(_, at)| **at >= begin) {
            while times[first] < at - window {
                first += 1;
            }
            let mean = self.mean(at - window / 2) * window as f64 / HOUR as f64;
            let r = 1.0 / self.dispersion;
            let usual = NegativeBinomial::new(r, r / (r + mean)).expect("a distribution").inverse_cdf(0.999);
            if (n - first + 1) as u64 >= usual + 5 {
                return Some(*at);
            }
        }
        None
    }
}
