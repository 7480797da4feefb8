//! What is known of a story, worked out from its mentions whenever it is asked for.

use std::collections::HashSet;

use jiff::Timestamp;

use super::coordinated::{Voice, is_coordinated};
use crate::model::Mention;
use crate::model::time::{Span, between};

/// The facts of one story.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Facts {
    /// Its number.
    pub story: i64,
    /// Number of its first mention.
    pub first_mention: i64,
    /// When that was published.
    pub first: Timestamp,
    /// When the last one was.
    pub last: Timestamp,
    /// Mentions.
    pub mentions: usize,
    /// Mentions after the first.
    pub copies: usize,
    /// Different authors.
    pub authors: usize,
    /// Different sites.
    pub sites: usize,
    /// Reach of all mentions, added up.
    pub reach: u64,
    /// Reach of the mention that reaches most.
    pub top_reach: u64,
    /// Mentions in its busiest hour.
    pub peak_hour: usize,
    /// Minutes from the first mention to the tenth, where there is one.
    pub minutes_to_tenth: Option<f64>,
    /// Minutes from the first mention until half of all were there.
    pub minutes_to_half: f64,
    /// It looks like a campaign of accounts made for it; see [`super::coordinated`].
    pub coordinated: bool,
}

impl Facts {
    /// The facts of the mentions of one story, in any order; `None` where there are none.
    pub fn of(mentions: &[&Mention]) -> Option<Facts> {
        let mut all = mentions.to_vec();
        all.sort_by_key(|m| (m.at, m.id));
        let (first, last) = (all.first()?, all.last()?);
        let after = |m: &Mention| between(first.at, m.at).as_minutes();
        let half = all.get((all.len() - 1) / 2)?;
        let voices: Vec<Voice> = all.iter().map(|m| Voice::of(m)).collect();
        let authors: HashSet<u64> = voices.iter().map(|v| v.author).collect();
        let sites: HashSet<&str> = all.iter().map(|m| m.site.as_str()).filter(|s| !s.is_empty()).collect();
        Some(Facts {
            story: first.story,
            first_mention: first.id,
            first: first.at,
            last: last.at,
            mentions: all.len(),
            copies: all.len() - 1,
            authors: authors.len(),
            sites: sites.len(),
            reach: all.iter().fold(0, |sum, m| sum.saturating_add(m.reach)),
            top_reach: all.iter().map(|m| m.reach).max().unwrap_or(0),
            peak_hour: busiest(&all),
            minutes_to_tenth: all.get(9).map(|m| after(m)),
            minutes_to_half: after(half),
            coordinated: is_coordinated(&voices),
        })
    }
}

/// Most mentions within an hour; they are in order.
fn busiest(all: &[&Mention]) -> usize {
    let mut first = 0;
    let mut most = 0;
    for (n, m) in all.iter().enumerate() {
        while all.get(first).is_some_and(|old| between(old.at, m.at) >= Span::hours(1)) {
            first += 1;
        }
        most = most.max(n + 1 - first);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::super::window::tests::mention;
    use super::*;

    #[test]
    fn facts_of_a_story_that_spread() {
        let minutes = [90, 0, 10, 20, 30, 40, 50, 61, 62, 63, 300, 301];
        let all: Vec<Mention> =
            (0i64..).zip(minutes).map(|(id, minute)| Mention { story: 7, ..mention(id, minute, 0.0) }).collect();
        let facts = Facts::of(&all.iter().collect::<Vec<_>>()).expect("there are some");
        assert_eq!((facts.story, facts.first_mention, facts.mentions, facts.copies), (7, 1, 12, 11));
        assert_eq!((facts.authors, facts.sites, facts.reach, facts.top_reach), (12, 1, 1200, 100));
        assert_eq!(facts.peak_hour, 8, "from minute 10 to 63");
        assert_eq!((facts.minutes_to_tenth, facts.minutes_to_half), (Some(90.0), 50.0));
        assert!(!facts.coordinated);
        assert_eq!(Facts::of(&[]), None);
    }
}
