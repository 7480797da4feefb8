//! Topics in a network's own search words: what is asked finds everything that the topic finds, and more; the topic decides.
//!
//! A query is turned into alternatives of terms that must all be there. What a network cannot be asked is left out where
//! leaving it out finds more, and people are told. Two things lie with the network: which inflections of a word it finds,
//! and how far back and how completely it looks.

mod alternatives;

use super::aim::Sought;
use alternatives::{Alternative, Term, alternatives};

/// How a network is searched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    /// The network, as `network:` of a query names it; empty where there are several.
    pub network: &'static str,
    /// Words in quotes stay together.
    quotes: bool,
    /// Words with a space between must all be there.
    all: bool,
    /// What stands between alternatives of one search, if anything can.
    or: Option<&'static str>,
    /// Alternatives of several words may stand in brackets.
    brackets: bool,
    /// Within brackets each alternative is one word or phrase.
    flat: bool,
    /// What stands before what must not be there, if anything can.
    not: Option<&'static str>,
    /// The signs that a word keeps; another's is left out.
    signs: &'static str,
    /// Hashtags alone are told.
    tags_alone: bool,
    /// Letters of a word that is found.
    shortest: usize,
    /// Bytes of one search.
    longest: usize,
    /// Searches for one source.
    most: usize,
}

const PLAIN: Dialect = Dialect {
    network: "",
    quotes: true,
    all: true,
    or: None,
    brackets: false,
    flat: false,
    not: None,
    signs: "",
    tags_alone: false,
    shortest: 1,
    longest: 250,
    most: 12,
};

/// X: posts with `OR`, brackets and `-`.
pub(super) const X: Dialect = Dialect {
    network: "x",
    or: Some(" OR "),
    brackets: true,
    not: Some("-"),
    signs: "#@$",
    longest: 500,
    most: 5,
    ..PLAIN
};
/// Bluesky: words and phrases, all of which must be there.
pub(super) const BLUESKY: Dialect = Dialect { network: "bluesky", signs: "#", ..PLAIN };
/// Mastodon's search: words and phrases, all of which must be there.
pub(super) const MASTODON: Dialect = Dialect { network: "mastodon", signs: "#", ..PLAIN };
/// Mastodon's timelines of hashtags.
pub(super) const HASHTAGS: Dialect =
    Dialect { network: "mastodon", quotes: false, all: false, tags_alone: true, most: 20, ..PLAIN };
/// Reddit: posts with `OR` and brackets.
pub(super) const REDDIT: Dialect =
    Dialect { network: "reddit", or: Some(" OR "), brackets: true, longest: 500, most: 6, ..PLAIN };
/// YouTube: `|` between single words.
pub(super) const YOUTUBE: Dialect = Dialect { network: "youtube", or: Some("|"), most: 4, ..PLAIN };
/// Hacker News.
pub(super) const HACKERNEWS: Dialect = Dialect { network: "hackernews", ..PLAIN };
/// GitHub's issues.
pub(super) const GITHUB: Dialect = Dialect { network: "github", most: 6, ..PLAIN };
/// Stack Exchange.
pub(super) const STACKEXCHANGE: Dialect = Dialect { network: "stackexchange", most: 4, ..PLAIN };
/// GDELT: one search with `OR` in brackets, between single words or phrases alone; short words are refused. It looks through
/// whole articles of which the title is told, so nothing is excluded.
pub(super) const GDELT: Dialect = Dialect {
    network: "news",
    or: Some(" OR "),
    brackets: true,
    flat: true,
    shortest: 3,
    longest: 1000,
    most: 1,
    ..PLAIN
};
/// Lemmy: one word or phrase.
pub(super) const LEMMY: Dialect = Dialect { network: "lemmy", quotes: false, all: false, most: 8, ..PLAIN };
/// TikTok: words any one of which is in the description.
pub(super) const TIKTOK: Dialect = Dialect { network: "tiktok", quotes: false, all: false, most: 20, ..PLAIN };
/// A feed that takes a search in its address, such as that of a news search.
pub(super) const FEED: Dialect = Dialect { or: Some(" OR "), brackets: true, longest: 500, most: 1, ..PLAIN };

/// What a network is asked for topics.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pushed {
    /// Its searches, in its own words.
    pub searches: Vec<String>,
    /// What it cannot be asked, a sentence for each topic.
    pub notes: Vec<String>,
}

/// What a network is asked, so that it tells all that these topics look for.
pub(super) fn push(dialect: &Dialect, topics: &[Sought<'_>]) -> Pushed {
    let mut pushed = Pushed::default();
    let mut all: Vec<Alternative> = Vec::new();
    for topic in topics {
        let mut left_out = Vec::new();
        match alternatives(topic.node, dialect, &mut left_out) {
            None => pushed.notes.push(format!(
                "{}: it cannot be asked for here, since no word must be there; give this source words of its own",
                topic.name
            )),
            Some(found) => all.extend(found.into_iter().filter(|a| !a.0.is_empty())),
        }
        left_out.sort_unstable();
        left_out.dedup();
        if !left_out.is_empty() {
            pushed.notes.push(format!(
                "{}: the network is not asked for {}; the topic decides",
                topic.name,
                left_out.join(", ")
            ));
        }
    }
    let mut all = alternatives::simplified(all);
    if dialect.flat && all.len() > 1 && all.iter().any(|a| a.0.len() > 1) {
        all = alternatives::flattened(all);
        pushed.notes.push("each alternative is asked for by one of its words alone; the topics decide".to_owned());
    }
    let written = all.iter().map(|a| a.written(dialect)).collect();
    pushed.searches = joined(written, &all, dialect);
    if pushed.searches.len() > dialect.most {
        let n = pushed.searches.len();
        pushed.searches.truncate(dialect.most);
        let told = format!("only {} of {n} searches are asked: make several sources of these topics", dialect.most);
        pushed.notes.push(told);
    }
    pushed
}

/// Alternatives put together to as few searches as there may be.
fn joined(written: Vec<String>, all: &[Alternative], dialect: &Dialect) -> Vec<String> {
    let Some(or) = dialect.or.filter(|_| dialect.brackets || all.iter().all(|a| a.0.len() == 1)) else {
        let mut out: Vec<String> = Vec::new();
        written.into_iter().for_each(|w| {
            if !out.contains(&w) {
                out.push(w)
            }
        });
        return out;
    };
    let mut out: Vec<(String, usize)> = Vec::new();
    for (one, alternative) in written.into_iter().zip(all) {
        let one = if alternative.0.len() > 1 && written_alone(all) { one } else { bracketed(one, alternative) };
        match out.last_mut().filter(|(s, _)| s.len() + or.len() + one.len() + 2 <= dialect.longest) {
            Some((search, n)) => {
                search.push_str(or);
                search.push_str(&one);
                *n += 1;
            }
            None => out.push((one, 1)),
        }
    }
    let whole = |(search, n): (String, usize)| if n > 1 && dialect.brackets { format!("({search})") } else { search };
    out.into_iter().map(whole).collect()
}

fn written_alone(all: &[Alternative]) -> bool {
    all.len() == 1
}

fn bracketed(written: String, alternative: &Alternative) -> String {
    if alternative.0.len() > 1 { format!("({written})") } else { written }
}

impl Alternative {
    fn written(&self, dialect: &Dialect) -> String {
        self.0.iter().map(|term| term.written(dialect)).collect::<Vec<_>>().join(" ")
    }
}

impl Term {
    fn written(&self, dialect: &Dialect) -> String {
        if dialect.tags_alone {
            return self.words.iter().map(|w| w.trim_start_matches(['#', '@', '$'])).collect();
        }
        // Of words together the longest, where only one can be asked for.
        let longest = || self.words.iter().max_by_key(|w| w.chars().count()).cloned().unwrap_or_default();
        let words = if dialect.quotes || dialect.all { self.words.join(" ") } else { longest() };
        let quoted = if self.words.len() > 1 && dialect.quotes { format!("\"{words}\"") } else { words };
        let not = if self.not { dialect.not.unwrap_or("") } else { "" };
        format!("{not}{quoted}")
    }
}

#[cfg(test)]
mod tests;
