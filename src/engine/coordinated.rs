//! Whether the copies of a text look like a campaign of accounts made for it, and not like people or papers who pass it on.
//!
//! A story is `coordinated` when, within one hour, at least ten mentions carry its text as their own words, at least 80 %
//! of them by different accounts, at least 80 % of which vakt had never heard of before, and, of those accounts whose
//! followers are known, at least 80 % have fewer than 200. Reposts and quotes do not count: a repost by a stranger is how
//! things spread. Nor does what a news site or anybody with a tier carries; where such are half of a story or more, it is
//! a wire story whoever else copies it. Decided in 2026-11; real campaigns that it misses, or crowds that it accuses, would
//! change the numbers.

use std::collections::HashMap;

use xxhash_rust::xxh3::{Xxh3DefaultBuilder, xxh3_64};

use crate::model::time::Span;
use crate::model::{Author, Mention};

/// Mentions with the text as their own words, at least.
pub const LEAST: usize = 10;
/// The time that they come in.
pub const WITHIN: Span = Span::hours(1);
/// Followers of an account that few know.
pub const FEW: u64 = 200;
/// Percent that have to be so, in each respect.
const SHARE: usize = 80;

/// What it takes to know of a mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voice {
    /// Event time, milliseconds.
    pub at: i64,
    /// Hash of the author within the network.
    pub author: u64,
    /// Carried by a news site.
    pub press: bool,
    /// Somebody's own words, as far as it says.
    pub own: bool,
    /// The account was never heard of before.
    pub new: bool,
    /// Few follow the account, where that is known.
    pub small: Option<bool>,
}

/// Networks that are news.
const PRESS: [&str; 10] =
    ["news", "press", "print", "newspaper", "magazine", "agency", "wire", "tv", "radio", "broadcast"];

impl Voice {
    /// What a mention tells.
    pub fn of(m: &Mention) -> Voice {
        let press = m.tier > 0 || PRESS.contains(&m.network.as_str());
        let passed = matches!(m.kind.as_str(), "repost" | "quote" | "retweet" | "share" | "reblog");
        let passed = passed || m.text.get(..4).is_some_and(|t| t.eq_ignore_ascii_case("rt @"));
        let known = m.author.verified == Some(true);
        Voice {
            at: m.at.as_millisecond(),
            author: author(&m.network, &m.author.name, &m.author.handle),
            press,
            own: !press && !passed && !m.author.identity().is_empty(),
            new: m.newcomer && !known,
            small: if known { Some(false) } else { m.author.followers.map(|n| n < FEW) },
        }
    }
}

/// The hash of an author within a network.
pub fn author(network: &str, name: &str, handle: &str) -> u64 {
    xxh3_64(format!("{network}\u{1f}{}", Author::who(name, handle)).as_bytes())
}

/// How many of some are so.
#[derive(Default)]
struct Crowd {
    mentions: usize,
    /// By account: mentions, whether it is new, and whether few follow it.
    accounts: HashMap<u64, (usize, bool, Option<bool>), Xxh3DefaultBuilder>,
    new: usize,
    small: usize,
    known: usize,
}

impl Crowd {
    fn add(&mut self, v: &Voice) {
        self.mentions += 1;
        let account = self.accounts.entry(v.author).or_insert((0, v.new, v.small));
        account.0 += 1;
        if account.0 == 1 {
            self.new += usize::from(v.new);
            self.small += usize::from(v.small == Some(true));
            self.known += usize::from(v.small.is_some());
        }
    }

    fn remove(&mut self, v: &Voice) {
        self.mentions -= 1;
        let Some(account) = self.accounts.get_mut(&v.author) else { return };
        account.0 -= 1;
        let (left, new, small) = *account;
        if left == 0 {
            self.accounts.remove(&v.author);
            self.new -= usize::from(new);
            self.small -= usize::from(small == Some(true));
            self.known -= usize::from(small.is_some());
        }
    }

    fn is_coordinated(&self) -> bool {
        let most = |part: usize, of: usize| part * 100 >= of * SHARE;
        self.mentions >= LEAST
            && most(self.accounts.len(), self.mentions)
            && most(self.new, self.accounts.len())
            && most(self.small, self.known)
    }
}

/// Whether the mentions of one story look like a campaign.
pub fn is_coordinated(voices: &[Voice]) -> bool {
    let press = voices.iter().filter(|v| v.press).count();
    let mut own: Vec<&Voice> = voices.iter().filter(|v| v.own).collect();
    if own.len() < LEAST || press * 2 >= voices.len() {
        return false;
    }
    own.sort_unstable_by_key(|v| v.at);
    let mut crowd = Crowd::default();
    let mut first = 0;
    for v in &own {
        crowd.add(v);
        while let Some(old) = own.get(first).filter(|old| v.at.saturating_sub(old.at) > WITHIN.as_millis()) {
            crowd.remove(old);
            first += 1;
        }
        if crowd.is_coordinated() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::window::tests::mention;
    use super::*;

    fn copies(n: i64, each: impl Fn(i64, &mut Mention)) -> bool {
        let made = (0..n).map(|i| {
            let mut m = mention(i, i, -0.5);
            (m.story, m.newcomer, m.text) = (1, true, "Acme kettles burn, throw yours away now".into());
            m.author = Author { followers: Some(12), ..m.author };
            each(i, &mut m);
            Voice::of(&m)
        });
        is_coordinated(&made.collect::<Vec<_>>())
    }

    #[test]
    fn a_burst_of_strangers_is_marked_and_others_are_not() {
        assert!(copies(12, |_, _| {}));
        assert!(copies(12, |_, m| m.author.followers = None), "followers need not be known");
        assert!(copies(40, |i, m| m.newcomer = i % 8 != 0));
        assert!(!copies(9, |_, _| {}), "few");
        assert!(!copies(12, |i, m| m.at = m.at + Span::mins(i * 10)), "over two hours");
        assert!(!copies(12, |i, m| m.newcomer = i % 2 == 0), "half of them are known");
        assert!(!copies(12, |_, m| m.author.followers = Some(5000)));
        assert!(!copies(12, |_, m| m.author.verified = Some(true)));
        assert!(!copies(30, |_, m| m.author.name = "one".into()), "one account");
        assert!(!copies(30, |_, m| m.kind = "repost".into()));
        assert!(!copies(30, |_, m| m.text = format!("RT @ann: {}", m.text)));
        assert!(!copies(30, |_, m| m.network = "news".into()), "papers with a wire story");
        assert!(!copies(30, |i, m| m.tier = u8::from(i % 2 == 0)), "and who copies them");
        assert!(copies(40, |i, m| m.at = m.at + Span::days(i64::from(i < 20))), "an old story that is taken up");
    }
}
