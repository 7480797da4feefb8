//! The numbers that conditions are made of, over one alert rule's group and window.

use serde::{Deserialize, Serialize};

/// Every signal of one group over one window of event time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signals {
    /// Mentions in the window.
    pub mentions: u64,
    /// Mentions that the learned baseline expects in the window.
    pub expected: f64,
    /// `mentions` over `expected`.
    pub ratio: f64,
    /// −log10 of the probability of at least this many mentions under the baseline.
    pub surprise: f64,
    /// The same for the negative mentions alone: of at least so many, where the learned share of them is usual.
    pub negative_surprise: f64,
    /// −log10 of the probability of at most this many mentions under the baseline.
    pub silence: f64,
    /// Mentions in the window of the same length before this one.
    pub previous: u64,
    /// Negative mentions.
    pub negative: u64,
    /// Positive mentions.
    pub positive: u64,
    /// Negative mentions over the mentions that could be scored, 0..1.
    pub negative_share: f64,
    /// Mean sentiment of the scored mentions, −1..1.
    pub sentiment: f64,
    /// How far `sentiment` lies below its baseline, in standard errors of the window's mean.
    pub sentiment_drop: f64,
    /// Distinct authors.
    pub authors: u64,
    /// Largest reach of one author's mention.
    pub top_author_reach: u64,
    /// Sum of reach, people.
    pub reach: u64,
    /// Sum of likes, reposts and comments.
    pub engagement: u64,
    /// Distinct stories.
    pub stories: u64,
    /// Mentions in the largest story.
    pub largest_story: u64,
    /// Mentions of stories that look like a campaign of accounts made for it.
    pub coordinated: u64,
    /// Distinct stories that a tier-1 site carries.
    pub stories_in_tier1: u64,
    /// Distinct sites or networks that independently carry it.
    pub sources: u64,
    /// Distinct networks.
    pub networks: u64,
    /// Distinct languages.
    pub languages: u64,
    /// Complaints.
    pub complaints: u64,
    /// Questions.
    pub questions: u64,
    /// Mentions per minute in the last third of the window.
    pub velocity: f64,
    /// `velocity` less the same for the middle third, per minute.
    pub acceleration: f64,
    /// Minutes since the window's first mention.
    pub minutes_since_first: f64,
    /// Outlets and authors, of the kind that the rule asks for, that speak of it for the first time.
    pub first_seen: u64,
    /// Words that were never used here before and that as many people use as the rule asks for.
    pub new_terms: u64,
}

/// A signal's value: whole numbers compare with whole numbers in CEL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A count.
    Int(i64),
    /// Anything else.
    Float(f64),
}

/// How one signal is read from the lot.
pub type Get = fn(&Signals) -> Value;

fn int(n: u64) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

/// Every signal: its name in conditions, how to read it, and what it means.
pub const SIGNALS: &[(&str, Get, &str)] = &[
    ("mentions", |s| int(s.mentions), "mentions"),
    ("expected", |s| Value::Float(s.expected), "mentions usual for this window"),
    ("ratio", |s| Value::Float(s.ratio), "times the usual level"),
    ("surprise", |s| Value::Float(s.surprise), "surprise (1 in 10 to this power by chance)"),
    ("negative_surprise", |s| Value::Float(s.negative_surprise), "surprise of the negative ones alone"),
    ("silence", |s| Value::Float(s.silence), "silence (1 in 10 to this power by chance)"),
    ("previous", |s| int(s.previous), "mentions in the window before"),
    ("negative", |s| int(s.negative), "negative mentions"),
    ("positive", |s| int(s.positive), "positive mentions"),
    ("negative_share", |s| Value::Float(s.negative_share), "share that is negative"),
    ("sentiment", |s| Value::Float(s.sentiment), "mean sentiment"),
    ("sentiment_drop", |s| Value::Float(s.sentiment_drop), "drop of sentiment, standard errors"),
    ("authors", |s| int(s.authors), "different authors"),
    ("top_author_reach", |s| int(s.top_author_reach), "reach of the loudest author"),
    ("reach", |s| int(s.reach), "people reached"),
    ("engagement", |s| int(s.engagement), "likes, reposts, comments"),
    ("stories", |s| int(s.stories), "different stories"),
    ("largest_story", |s| int(s.largest_story), "mentions in the largest story"),
    ("coordinated", |s| int(s.coordinated), "mentions in coordinated copies"),
    ("stories_in_tier1", |s| int(s.stories_in_tier1), "stories in tier-1 outlets"),
    ("sources", |s| int(s.sources), "independent sites"),
    ("networks", |s| int(s.networks), "networks"),
    ("languages", |s| int(s.languages), "languages"),
    ("complaints", |s| int(s.complaints), "complaints"),
    ("questions", |s| int(s.questions), "questions"),
    ("velocity", |s| Value::Float(s.velocity), "mentions per minute lately"),
    ("acceleration", |s| Value::Float(s.acceleration), "change of mentions per minute"),
    ("minutes_since_first", |s| Value::Float(s.minutes_since_first), "minutes since the first"),
    ("first_seen", |s| int(s.first_seen), "loud voices that speak for the first time"),
    ("new_terms", |s| int(s.new_terms), "words that are new here"),
];

impl Signals {
    /// The value of a signal by its name in conditions.
    pub fn get(&self, name: &str) -> Option<Value> {
        SIGNALS.iter().find(|(n, _, _)| *n == name).map(|(_, get, _)| get(self))
    }
}

/// What a signal means, in a few words; the name itself where there is no such signal.
pub fn meaning(name: &str) -> &str {
    SIGNALS.iter().find(|(n, _, _)| *n == name).map_or(name, |(_, _, words)| words)
}
