//! What to listen for: a named standing query.

use serde::{Deserialize, Serialize};

/// What a topic stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TopicKind {
    /// One's own brand.
    Brand,
    /// One of its products.
    Product,
    /// A person who stands for it.
    Person,
    /// A competitor.
    Competitor,
    /// A theme of risk, crossed with the others.
    Risk,
}

impl TopicKind {
    /// All kinds, as rules may name them.
    pub const ALL: [TopicKind; 5] =
        [TopicKind::Brand, TopicKind::Product, TopicKind::Person, TopicKind::Competitor, TopicKind::Risk];

    /// The word used in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            TopicKind::Brand => "brand",
            TopicKind::Product => "product",
            TopicKind::Person => "person",
            TopicKind::Competitor => "competitor",
            TopicKind::Risk => "risk",
        }
    }

    /// Reads the word back; `None` for any other word.
    pub fn parse(word: &str) -> Option<TopicKind> {
        Self::ALL.into_iter().find(|k| k.as_str() == word)
    }
}

/// A named standing query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Unique name, used in alerts, searches and mails.
    pub name: String,
    /// The name to show to people.
    pub title: String,
    /// What it stands for.
    pub kind: TopicKind,
    /// The team that keeps it; may be empty.
    pub owner: String,
    /// The query as written.
    pub query: String,
    /// Languages it listens to; empty for all.
    pub languages: Vec<String>,
}
