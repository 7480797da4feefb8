//! Loud voices that speak of something for the first time: an outlet of a good tier, an author with many followers.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use xxhash_rust::xxh3::Xxh3DefaultBuilder;
use xxhash_rust::xxh3::xxh3_64;

use super::coordinated::author;
use crate::model::Mention;
use crate::model::alert::FirstSeen;
use crate::model::time::{Span, between};

/// Voices remembered of one group.
const MOST: usize = 5_000;
/// Nobody speaks for the first time while vakt has listened for less than this: everybody would.
pub const LISTENED: Span = Span::hours(24);

/// Who has spoken of one group.
#[derive(Debug)]
pub struct Firsts {
    want: FirstSeen,
    since: Option<Timestamp>,
    heard: HashMap<u64, Timestamp, Xxh3DefaultBuilder>,
    /// When somebody spoke for the first time, and who.
    new: VecDeque<(Timestamp, String)>,
}

impl Firsts {
    /// Nobody has spoken yet.
    pub fn new(want: FirstSeen) -> Firsts {
        Firsts { want, since: None, heard: HashMap::default(), new: VecDeque::new() }
    }

    /// Hears a mention. What is history is nobody's news.
    pub fn hear(&mut self, m: &Mention, news: bool) {
        let since = *self.since.get_or_insert(m.at);
        self.since = Some(since.min(m.at));
        let by_site = self.want.tier.is_some_and(|t| m.tier > 0 && m.tier <= t);
        let by_author = self.want.followers.is_some_and(|n| m.author.followers.is_some_and(|f| f >= n));
        let (key, who) = match (by_site, by_author) {
            (true, _) => (xxh3_64(m.site.as_bytes()), format!("{} (tier {})", m.site, m.tier)),
            (false, true) => {
                let followers = m.author.followers.unwrap_or(0);
                let who = if m.author.handle.is_empty() { &m.author.name } else { &m.author.handle };
                (author(&m.network, &m.author.name, &m.author.handle), format!("{who} ({followers} followers)"))
            }
            (false, false) => return,
        };
        let last = self.heard.insert(key, m.at);
        let first = last.is_none_or(|last| between(last, m.at) >= self.want.within);
        if first && news && between(since, m.at) >= LISTENED {
            self.new.push_back((m.at, who));
        }
        if self.heard.len() > MOST {
            let mut times: Vec<Timestamp> = self.heard.values().copied().collect();
            times.sort_unstable();
            let middle = times.get(MOST / 2).copied().unwrap_or(m.at);
            self.heard.retain(|_, at| *at > middle);
        }
        while self.new.len() > 100 {
            self.new.pop_front();
        }
    }

    /// Who spoke for the first time since an instant.
    pub fn since(&self, from: Timestamp) -> Vec<String> {
        self.new.iter().filter(|(at, _)| *at >= from).map(|(_, who)| who.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::window::tests::mention;
    use super::*;

    #[test]
    fn an_outlet_speaks_for_the_first_time_once() {
        let want = FirstSeen { tier: Some(1), followers: Some(100_000), within: Span::days(30) };
        let mut f = Firsts::new(want);
        let paper = |minute| Mention { tier: 1, site: "paper.example".into(), ..mention(1, minute, 0.0) };
        let other = |minute| Mention { site: "other.example".into(), ..paper(minute) };
        let day = 24 * 60;
        f.hear(&paper(0), true);
        f.hear(&Mention { tier: 2, ..other(day + 1) }, true);
        f.hear(&paper(day + 2), true);
        assert!(
            f.since(Timestamp::MIN).is_empty(),
            "one came before a day was over, one is of no such tier, one is known"
        );
        f.hear(&other(day + 3), true);
        f.hear(&other(day + 4), true);
        assert_eq!(f.since(mention(0, day, 0.0).at), ["other.example (tier 1)"]);
        f.hear(&paper(40 * day), true);
        assert_eq!(
            f.since(mention(0, 39 * day, 0.0).at),
            ["paper.example (tier 1)"],
            "after a long silence it is new again"
        );
        let mut loud = mention(7, 41 * day, 0.0);
        loud.author.followers = Some(200_000);
        f.hear(&loud, true);
        assert_eq!(f.since(mention(0, 41 * day, 0.0).at), ["author 7 (200000 followers)"]);
    }
}
