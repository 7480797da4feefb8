//! The fields of the index. Texts are not stored in it: the store has them.

use tantivy::Index;
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions};

use super::packed::{PACKED, Packed};

/// The fields of the index.
#[derive(Debug, Clone, Copy)]
pub struct Fields {
    /// Number of the mention.
    pub id: Field,
    /// Words, signs included, with positions.
    pub words: Field,
    /// Stems, each with its language behind it, with positions.
    pub stems: Field,
    /// Words of the address.
    pub url: Field,
    /// Words of the addresses in the text.
    pub links: Field,
    /// Host of the url and the domains that it belongs to.
    pub site: Field,
    /// Name of the source, lower case, as are all names below.
    pub source: Field,
    /// Network.
    pub network: Field,
    /// ISO 639-1 code.
    pub language: Field,
    /// ISO 3166-1 code.
    pub country: Field,
    /// Handle and name of the author.
    pub author: Field,
    /// Names of topics.
    pub topic: Field,
    /// Number of the story.
    pub story: Field,
    /// Tags.
    pub tags: Field,
    /// Subreddit, group, page or board.
    pub channel: Field,
    /// `post`, `reply`, …
    pub kind: Field,
    /// `true` or `false`, where the network says.
    pub verified: Field,
    /// `negative`, `neutral` or `positive`.
    pub label: Field,
    /// What the author wants.
    pub intent: Field,
    /// Event time, milliseconds.
    pub at: Field,
    /// When it was received, milliseconds.
    pub received: Field,
    /// Minute of the day of the event time, UTC.
    pub minute: Field,
    /// People reached.
    pub reach: Field,
    /// Likes, reposts and comments.
    pub engagement: Field,
    /// Followers of the author, where they are known.
    pub followers: Field,
    /// Stars, where there are any.
    pub rating: Field,
    /// 0 to 3.
    pub tier: Field,
    /// Sentiment, −1..1, where it is scored.
    pub sentiment: Field,
    /// Words of the title: positions below this lie in it.
    pub title: Field,
}

impl Fields {
    /// The schema with its fields.
    pub fn make() -> (Schema, Fields) {
        let mut b = Schema::builder();
        let indexed = |option, norms| {
            let indexing = TextFieldIndexing::default().set_tokenizer(PACKED).set_fieldnorms(norms);
            TextOptions::default().set_indexing_options(indexing.set_index_option(option))
        };
        let placed = indexed(IndexRecordOption::WithFreqsAndPositions, true);
        let bare = indexed(IndexRecordOption::Basic, false);
        let fields = Fields {
            id: b.add_u64_field("id", INDEXED | FAST),
            words: b.add_text_field("words", placed.clone()),
            stems: b.add_text_field("stems", placed),
            url: b.add_text_field("url", bare.clone()),
            links: b.add_text_field("links", bare),
            site: b.add_text_field("site", STRING | FAST),
            source: b.add_text_field("source", STRING | FAST),
            network: b.add_text_field("network", STRING | FAST),
            language: b.add_text_field("language", STRING | FAST),
            country: b.add_text_field("country", STRING),
            author: b.add_text_field("author", STRING | FAST),
            topic: b.add_text_field("topic", STRING | FAST),
            story: b.add_u64_field("story", INDEXED | FAST),
            tags: b.add_text_field("tags", STRING),
            channel: b.add_text_field("channel", STRING),
            kind: b.add_text_field("kind", STRING),
            verified: b.add_text_field("verified", STRING),
            label: b.add_text_field("label", STRING | FAST),
            intent: b.add_text_field("intent", STRING | FAST),
            at: b.add_i64_field("at", FAST),
            received: b.add_i64_field("received", FAST),
            minute: b.add_u64_field("minute", FAST),
            reach: b.add_u64_field("reach", FAST),
            engagement: b.add_u64_field("engagement", FAST),
            followers: b.add_u64_field("followers", FAST),
            rating: b.add_f64_field("rating", FAST),
            tier: b.add_u64_field("tier", FAST),
            sentiment: b.add_f64_field("sentiment", FAST),
            title: b.add_u64_field("title", FAST),
        };
        (b.build(), fields)
    }

    /// The fields of an opened schema; `None` when it is not this one.
    pub fn of(schema: &Schema) -> Option<Fields> {
        let (wanted, fields) = Fields::make();
        (*schema == wanted).then_some(fields)
    }

    /// Teaches an opened index how its texts are packed.
    pub(super) fn teach(index: &Index) {
        index.tokenizers().register(PACKED, Packed::default());
    }
}
