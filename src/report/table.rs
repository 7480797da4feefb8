//! Mentions as a table: the columns of every export and the cells of a row.

use jiff::Timestamp;

use crate::model::Mention;

/// The columns, in order.
pub const COLUMNS: [&str; 19] = [
    "id",
    "published",
    "received",
    "network",
    "source",
    "site",
    "url",
    "author",
    "handle",
    "followers",
    "language",
    "sentiment",
    "label",
    "intent",
    "reach",
    "engagement",
    "topics",
    "title",
    "text",
];

/// One cell, as what it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Strangers' words, which are never anything else.
    Text(&'a str),
    /// vakt's own words.
    Word(&'a str),
    /// Names of topics.
    Names(&'a [String]),
    /// A count.
    Count(u64),
    /// A number with three places.
    Share(f32),
    /// An instant.
    Time(Timestamp),
    /// Nothing is known.
    Empty,
}

/// The cells of a mention, in the order of the columns.
pub fn row(m: &Mention) -> [Cell<'_>; COLUMNS.len()] {
    [
        Cell::Count(u64::try_from(m.id).unwrap_or(0)),
        Cell::Time(m.at),
        Cell::Time(m.received),
        Cell::Text(&m.network),
        Cell::Text(&m.source),
        Cell::Text(&m.site),
        Cell::Text(&m.url),
        Cell::Text(&m.author.name),
        Cell::Text(&m.author.handle),
        m.author.followers.map_or(Cell::Empty, Cell::Count),
        Cell::Text(&m.language),
        m.sentiment.map_or(Cell::Empty, Cell::Share),
        Cell::Word(m.label()),
        Cell::Text(&m.intent),
        Cell::Count(m.reach),
        Cell::Count(m.engagement),
        Cell::Names(&m.topics),
        Cell::Text(&m.title),
        Cell::Text(&m.text),
    ]
}
