//! The fields of the index. Texts are not stored in it: the store has them.

use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions};

/// The fields of the index.
#[derive(Debug, Clone, Copy)]
pub struct Fields {
    /// Number of the mention.
    pub id: Field,
    /// Word marks with positions.
    pub words: Field,
    /// Stem marks with positions.
    pub stems: Field,
    /// Host of the url and the domains that it belongs to.
    pub site: Field,
    /// Name of the source, lower case.
    pub source: Field,
    /// Network.
    pub network: Field,
    /// ISO 639-1 code.
    pub language: Field,
    /// Handle and name of the author, lower case.
    pub author: Field,
    /// Names of topics.
    pub topic: Field,
    /// `negative`, `neutral` or `positive`.
    pub label: Field,
    /// What the author wants.
    pub intent: Field,
    /// Event time, milliseconds.
    pub at: Field,
    /// People reached.
    pub reach: Field,
    /// Sentiment, −1..1; 0 where it is not scored.
    pub sentiment: Field,
}

impl Fields {
    /// The schema with its fields.
    pub fn make() -> (Schema, Fields) {
        let mut b = Schema::builder();
        let marks = TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer("raw")
                .set_fieldnorms(true)
                .set_index_option(IndexRecordOption::WithFreqsAndPositions),
        );
        let fields = Fields {
            id: b.add_u64_field("id", INDEXED | FAST),
            words: b.add_text_field("words", marks.clone()),
            stems: b.add_text_field("stems", marks),
            site: b.add_text_field("site", STRING),
            source: b.add_text_field("source", STRING),
            network: b.add_text_field("network", STRING),
            language: b.add_text_field("language", STRING),
            author: b.add_text_field("author", STRING),
            topic: b.add_text_field("topic", STRING),
            label: b.add_text_field("label", STRING),
            intent: b.add_text_field("intent", STRING),
            at: b.add_i64_field("at", INDEXED | FAST),
            reach: b.add_u64_field("reach", FAST),
            sentiment: b.add_f64_field("sentiment", FAST),
        };
        (b.build(), fields)
    }

    /// The fields of an opened schema; `None` when it is not this one.
    pub fn of(schema: &Schema) -> Option<Fields> {
        let (wanted, fields) = Fields::make();
        (*schema == wanted).then_some(fields)
    }
}
