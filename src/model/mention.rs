//! One piece of content by one author: as a source told it, and as vakt keeps it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who wrote a mention, as far as the source says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The name to show.
    #[serde(default)]
    pub name: String,
    /// The account's handle without `@`; empty where the network has none.
    #[serde(default)]
    pub handle: String,
    /// Followers of the account.
    #[serde(default)]
    pub followers: Option<u64>,
    /// Whether the network vouches for the account.
    #[serde(default)]
    pub verified: Option<bool>,
}

impl Author {
    /// What tells one author from another within a network: the handle, else the name, lower-cased.
    pub fn identity(&self) -> String {
        Author::who(&self.name, &self.handle)
    }

    /// The same for a name and a handle.
    pub fn who(name: &str, handle: &str) -> String {
        let who = if handle.is_empty() { name } else { handle };
        who.trim().to_lowercase()
    }
}

/// A mention as its source told it, before analysis. Nothing in it is trusted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Capture {
    /// The id the source gave it, stable across fetches; `None` where it gave none.
    pub native_id: Option<String>,
    /// Where a reader finds it.
    pub url: Option<String>,
    /// The headline, possibly with markup when `html` is set.
    pub title: Option<String>,
    /// The body, possibly with markup when `html` is set.
    pub text: String,
    /// Whether title and text hold HTML.
    pub html: bool,
    /// Who wrote it.
    pub author: Author,
    /// When the source says that it was published.
    pub published: Option<Timestamp>,
    /// When the source says that it was last changed.
    pub updated: Option<Timestamp>,
    /// The language tag that the source declares (`sv`, `de-AT`).
    pub language: Option<String>,
    /// The network (`news`, `forum`, `blog`, `x`, `mastodon`, …).
    pub network: String,
    /// How many people it may have reached, where the source knows.
    pub reach: Option<u64>,
    /// Likes, reposts, comments and the like together.
    pub engagement: Option<u64>,
    /// `post`, `reply`, `repost`, `quote`, `comment` or `review`; empty where the source does not say.
    pub kind: String,
    /// Subreddit, group, page or board.
    pub channel: String,
    /// ISO 3166-1 code.
    pub country: String,
    /// Tags that the source gave it.
    pub tags: Vec<String>,
    /// Stars of a review.
    pub rating: Option<f32>,
    /// What it answers, by its network's own id; empty where it answers nothing.
    pub parent: String,
    /// The talk that it belongs to, by its network's own id; empty where there is none.
    pub thread: String,
    /// What the source's API calls it when it is asked about it again; empty where it cannot be.
    pub lookup: String,
}

/// A mention as vakt keeps it: cleaned, bounded, dated and analysed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mention {
    /// Its number in the store; 0 before it is stored.
    pub id: i64,
    /// Name of the source that brought it.
    pub source: String,
    /// The network (`news`, `forum`, `x`, …).
    pub network: String,
    /// Host of the url, lower case, without `www.`; empty where there is no url.
    pub site: String,
    /// Where a reader finds it; empty where there is none.
    pub url: String,
    /// The headline as plain text; may be empty.
    pub title: String,
    /// The body as plain text.
    pub text: String,
    /// Who wrote it.
    pub author: Author,
    /// Event time: publication, held within 30 days before and 10 minutes after arrival; an archive's is believed however
    /// old it is.
    pub at: Timestamp,
    /// When vakt received it.
    pub received: Timestamp,
    /// The publication date was missing or impossible, so `at` is the time of arrival.
    pub undated: bool,
    /// Came with a source's first fetch or an import: it warms baselines and never rings.
    pub history: bool,
    /// ISO 639-1 code, or `und` where vakt does not know.
    pub language: String,
    /// Sentiment in −1..1; `None` where the language is not scored.
    pub sentiment: Option<f32>,
    /// Sentiment toward topics, where the text names several and speaks of each in its own way; −1..1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub toward: Vec<(String, f32)>,
    /// The words that made the sentiment, with their weights.
    pub why: Vec<(String, f32)>,
    /// `complaint`, `question`, `suggestion`, `praise` or `other`.
    pub intent: String,
    /// People it may have reached.
    pub reach: u64,
    /// Likes, reposts, comments and the like together.
    pub engagement: u64,
    /// 1 (national press) to 3, 0 where the site has none.
    pub tier: u8,
    /// The story it belongs to: the fingerprint of the story's first mention.
    pub story: i64,
    /// Hash of its words without what copies add: equal for exact copies; 0 where there are too few.
    pub fingerprint: u64,
    /// Names of the topics it matches, in the order of the rules.
    pub topics: Vec<String>,
    /// `post`, `reply`, `repost`, `quote`, `comment` or `review`; empty where nobody said.
    #[serde(default)]
    pub kind: String,
    /// Subreddit, group, page or board; may be empty.
    #[serde(default)]
    pub channel: String,
    /// ISO 3166-1 code, lower case; may be empty.
    #[serde(default)]
    pub country: String,
    /// Tags that the source gave it.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Stars of a review.
    #[serde(default)]
    pub rating: Option<f32>,
    /// Vakt had never heard of the author before.
    #[serde(default)]
    pub newcomer: bool,
    /// What it answers, by its network's own id; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub parent: String,
    /// The talk that it belongs to, by its network's own id; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub thread: String,
    /// What the source's API calls it when it is asked about it again; empty where it cannot be.
    #[serde(default, skip_serializing)]
    pub lookup: String,
}

/// At or below this a mention counts as negative; at or above its opposite, as positive.
pub const NEGATIVE: f32 = -0.15;

/// Whether a sentiment counts as negative.
pub fn is_negative(sentiment: Option<f32>) -> bool {
    sentiment.is_some_and(|s| s <= NEGATIVE)
}

/// Whether a sentiment counts as positive.
pub fn is_positive(sentiment: Option<f32>) -> bool {
    sentiment.is_some_and(|s| s >= -NEGATIVE)
}

impl Mention {
    /// Whether it counts as negative.
    pub fn is_negative(&self) -> bool {
        is_negative(self.sentiment)
    }

    /// A text of nobody in particular, at an instant; everything else is unknown.
    pub fn of_text(text: &str, at: Timestamp) -> Mention {
        Mention {
            id: 0,
            source: String::new(),
            network: String::new(),
            site: String::new(),
            url: String::new(),
            title: String::new(),
            text: text.to_owned(),
            author: Author::default(),
            at,
            received: at,
            undated: false,
            history: false,
            language: String::new(),
            sentiment: None,
            toward: Vec::new(),
            why: Vec::new(),
            intent: String::new(),
            reach: 0,
            engagement: 0,
            tier: 0,
            story: 0,
            fingerprint: 0,
            topics: Vec::new(),
            kind: String::new(),
            channel: String::new(),
            country: String::new(),
            tags: Vec::new(),
            rating: None,
            newcomer: false,
            parent: String::new(),
            thread: String::new(),
            lookup: String::new(),
        }
    }

    /// The sentiment that a topic sees: that toward it, where it is another than the mention's own.
    pub fn sentiment_toward(&self, topic: &str) -> Option<f32> {
        self.toward.iter().find(|(t, _)| t == topic).map_or(self.sentiment, |(_, s)| Some(*s))
    }

    /// The mention as a topic sees it: with the sentiment toward it, where that is another than the mention's own.
    pub fn seen_from(&self, topic: &str) -> Cow<'_, Mention> {
        match self.toward.iter().find(|(t, _)| t == topic) {
            Some((_, sentiment)) => Cow::Owned(Mention { sentiment: Some(*sentiment), ..self.clone() }),
            None => Cow::Borrowed(self),
        }
    }

    /// `negative`, `neutral` or `positive`; empty where it is not scored.
    pub fn label(&self) -> &'static str {
        match self.sentiment {
            None => "",
            Some(_) if self.is_negative() => "negative",
            Some(_) if self.is_positive() => "positive",
            Some(_) => "neutral",
        }
    }

    /// Whether it counts as positive.
    pub fn is_positive(&self) -> bool {
        is_positive(self.sentiment)
    }
}
