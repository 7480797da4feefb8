//! Fields: the facts of a mention that a query may ask for, in one table, and what each may be asked to be.

use super::wild::Wild;

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Words of the headline.
    Title,
    /// Words of the body.
    Text,
    /// Words of the address.
    Url,
    /// Words of the addresses that the text holds.
    Links,
    /// Host of the address or a domain that it belongs to, with or without a path.
    Site,
    /// Handle or name of the author.
    Author,
    /// Name of the source.
    Source,
    /// Network.
    Network,
    /// ISO 639-1 code.
    Language,
    /// ISO 3166-1 code.
    Country,
    /// Name of a topic.
    Topic,
    /// Number of a story.
    Story,
    /// A tag that the source or a person gave it.
    Tags,
    /// Subreddit, group, page or board.
    Channel,
    /// Post, reply, repost, …
    EngagementType,
    /// Whether the network has verified the author.
    AuthorVerified,
    /// `negative`, `neutral`, `positive`, or a range in −1..1.
    Sentiment,
    /// What the author wants.
    Intent,
    /// What the author feels.
    Emotion,
    /// Text exactly as it is written.
    Raw,
    /// Followers of the author.
    AuthorFollowers,
    /// People reached.
    Reach,
    /// Likes, reposts and comments.
    Engagement,
    /// Stars of a review.
    Rating,
    /// 1 (national press) to 3, 0 for others.
    Tier,
    /// Minute of the day of publication, UTC.
    MinuteOfDay,
    /// When it was published.
    Published,
    /// When vakt received it.
    Seen,
}

/// What values a field takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Takes {
    /// A query of words, asked of a part of the mention.
    Query,
    /// Words in order.
    Words,
    /// A name; open letters allowed.
    Name,
    /// One of these words.
    One(&'static [&'static str]),
    /// A language.
    Language,
    /// A number within these bounds.
    Number(f64, f64),
    /// A label of sentiment, or a number.
    Sentiment,
    /// An instant.
    Time,
}

const ENGAGEMENTS: &[&str] = &["post", "reply", "repost", "quote", "comment", "review"];
const MANY: f64 = 1e15;

/// Every field: its name, the vendors' other names for it, and what it takes.
const FIELDS: &[(Field, &str, &[&str], Takes)] = &[
    (Field::Title, "title", &["headline"], Takes::Query),
    (Field::Text, "text", &["body", "content", "fulltext", "snippet"], Takes::Query),
    (Field::Url, "url", &["urls"], Takes::Words),
    (Field::Links, "links", &["link"], Takes::Words),
    (Field::Site, "site", &["domainurl", "domain", "host"], Takes::Name),
    (Field::Author, "author", &["authors", "username", "handle", "user"], Takes::Name),
    (Field::Source, "source", &["publication", "publisher", "sourcename"], Takes::Name),
    (Field::Network, "network", &["sourcetype", "pubType", "pagetype", "platform", "mediatype"], Takes::Name),
    (Field::Language, "language", &["lang"], Takes::Language),
    (Field::Country, "country", &["countrycode", "sourcecountry"], Takes::Name),
    (Field::Topic, "topic", &["topics"], Takes::Name),
    (Field::Story, "story", &["cluster"], Takes::Name),
    (Field::Tags, "tags", &["tag", "category"], Takes::Name),
    (Field::Channel, "channel", &["subreddit", "board", "group", "page"], Takes::Name),
    (Field::EngagementType, "engagementType", &["posttype"], Takes::One(ENGAGEMENTS)),
    (Field::AuthorVerified, "authorVerified", &["verified"], Takes::One(&["true", "false"])),
    (Field::Sentiment, "sentiment", &["tone"], Takes::Sentiment),
    (Field::Intent, "intent", &[], Takes::One(&["complaint", "question", "suggestion", "praise", "other"])),
    (Field::Emotion, "emotion", &[], Takes::One(&["anger", "disgust", "fear", "joy", "sadness", "surprise"])),
    (Field::Raw, "raw", &[], Takes::Words),
    (Field::AuthorFollowers, "authorFollowers", &["followers"], Takes::Number(0.0, MANY)),
    (Field::Reach, "reach", &["monthlyvisitors", "audience"], Takes::Number(0.0, MANY)),
    (Field::Engagement, "engagement", &["interactions"], Takes::Number(0.0, MANY)),
    (Field::Rating, "rating", &["stars"], Takes::Number(0.0, 100.0)),
    (Field::Tier, "tier", &[], Takes::Number(0.0, 3.0)),
    (Field::MinuteOfDay, "minuteOfDay", &[], Takes::Number(0.0, 1439.0)),
    (Field::Published, "published", &["date"], Takes::Time),
    (Field::Seen, "seen", &["added", "indexed"], Takes::Time),
];

impl Field {
    /// The field of that name, in any case, by vakt's own word or a vendor's.
    pub fn of(name: &str) -> Option<Field> {
        let same = |other: &&str| other.eq_ignore_ascii_case(name);
        FIELDS.iter().find(|(_, own, others, _)| same(own) || others.iter().any(same)).map(|(field, ..)| *field)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        FIELDS.iter().find(|(field, ..)| *field == self).map_or("", |(_, name, ..)| name)
    }

    /// The names of all fields.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        FIELDS.iter().map(|(_, name, ..)| *name)
    }

    pub(super) fn takes(self) -> Takes {
        FIELDS.iter().find(|(field, ..)| *field == self).map_or(Takes::Name, |(.., takes)| *takes)
    }

    /// Whether its value is a query of its own, asked of a part of the mention.
    pub fn holds_words(self) -> bool {
        self.takes() == Takes::Query
    }

    /// Whether a mention has one value of it, so that two different ones exclude each other.
    pub fn is_single(self) -> bool {
        !matches!(
            self,
            Field::Topic | Field::Tags | Field::Author | Field::Links | Field::Url | Field::Site | Field::Raw
        ) && !self.holds_words()
    }
}

/// A fact that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The field.
    pub field: Field,
    /// What it must be.
    pub value: Wanted,
}

/// What a field must be.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// These words in order, lower case.
    Words(Vec<String>),
    /// This name, lower case.
    Name(String),
    /// A name of which some letters are open.
    Wild(Wild),
    /// A host or a domain, and the beginning of a path, which is empty for any.
    Site(String, String),
    /// A number from here to there, both included.
    Number(f64, f64),
    /// An instant from here on, and before there.
    Time(Option<When>, Option<When>),
}

/// An instant, or one so long ago.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// Milliseconds since 1970.
    At(i64),
    /// So many milliseconds before now.
    Ago(i64),
}

impl When {
    /// Milliseconds since 1970, where it is `now`.
    pub fn at(self, now: i64) -> i64 {
        match self {
            When::At(at) => at,
            When::Ago(ago) => now.saturating_sub(ago),
        }
    }
}
