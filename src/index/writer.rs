//! Writes mentions into the index, and with each commit how far it has read.

use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::schema::Field;
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{Index, TantivyDocument, Term};

use super::{Fields, IndexError};
use crate::model::Mention;
use crate::query::{Mark, emit};
use crate::text::Analyst;

/// Memory that uncommitted mentions may take.
const ARENA: usize = 24 << 20;
/// Files of fewer mentions than this are merged together first.
const SMALL: usize = 20_000;

/// How far the index has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checkpoint {
    /// The last change of the store that is in it.
    pub seq: i64,
    /// The largest number of a mention that is in it.
    pub id: i64,
}

/// The one writer of the index.
pub struct IndexWriter {
    writer: tantivy::IndexWriter,
    fields: Fields,
    committed: Checkpoint,
    reached: Checkpoint,
}

impl std::fmt::Debug for IndexWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IndexWriter({:?})", self.committed)
    }
}

impl IndexWriter {
    pub(super) fn new(index: Index, fields: Fields) -> Result<IndexWriter, IndexError> {
        let payload = index.load_metas()?.payload.unwrap_or_default();
        let mut numbers = payload.split(' ').map(|n| n.parse::<i64>().unwrap_or(0));
        let committed = Checkpoint { seq: numbers.next().unwrap_or(0), id: numbers.next().unwrap_or(0) };
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(ARENA)
            .build();
        let writer = index.writer_with_options(options)?;
        let mut policy = LogMergePolicy::default();
        policy.set_min_layer_size(u32::try_from(SMALL).unwrap_or(u32::MAX));
        writer.set_merge_policy(Box::new(policy));
        Ok(IndexWriter { writer, fields, committed, reached: committed })
    }

    /// How far it has read, uncommitted mentions included.
    pub fn reached(&self) -> Checkpoint {
        self.reached
    }

    /// Whether there is something to commit.
    pub fn is_dirty(&self) -> bool {
        self.reached != self.committed
    }

    /// Adds a mention, or replaces it where it was edited. `seq` is the number of the change.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn add(&mut self, seq: i64, m: &Mention) -> Result<(), IndexError> {
        if m.id <= self.reached.id {
            self.writer.delete_term(Term::from_field_u64(self.fields.id, m.id.cast_unsigned()));
        }
        self.writer.add_document(document(&self.fields, m))?;
        self.reached = Checkpoint { seq: self.reached.seq.max(seq), id: self.reached.id.max(m.id) };
        Ok(())
    }

    /// Commits what was added, with the place that it reaches to.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn commit(&mut self) -> Result<Checkpoint, IndexError> {
        let mut prepared = self.writer.prepare_commit()?;
        prepared.set_payload(&format!("{} {}", self.reached.seq, self.reached.id));
        prepared.commit()?;
        self.committed = self.reached;
        Ok(self.committed)
    }

    /// Commits and waits for merges that are under way.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn close(mut self) -> Result<(), IndexError> {
        if self.is_dirty() {
            self.commit()?;
        }
        self.writer.wait_merging_threads()?;
        Ok(())
    }
}

/// The document of a mention.
pub(super) fn document(fields: &Fields, m: &Mention) -> TantivyDocument {
    let (_, terms) = Analyst::terms(&m.title, &m.text, &m.language);
    let mut words = Vec::with_capacity(terms.len() + 8);
    let mut stems = Vec::with_capacity(terms.len());
    for term in &terms {
        let position = usize::try_from(term.at).unwrap_or(usize::MAX);
        emit(term, &m.language, |mark| {
            let (list, text) = match mark {
                Mark::Word(word) => (&mut words, word.into_owned()),
                Mark::Stem(stem) => (&mut stems, stem.into_owned()),
            };
            list.push(Token { offset_from: 0, offset_to: 0, position, text, position_length: 1 });
        });
    }
    let mut d = TantivyDocument::new();
    let mut marks = |field: Field, tokens: Vec<Token>| {
        d.add_pre_tokenized_text(field, PreTokenizedString { text: String::new(), tokens });
    };
    marks(fields.words, words);
    marks(fields.stems, stems);
    d.add_u64(fields.id, m.id.cast_unsigned());
    let mut site = Some(m.site.as_str());
    while let Some(name) = site.filter(|s| !s.is_empty()) {
        d.add_text(fields.site, name);
        site = name.split_once('.').map(|(_, domain)| domain);
    }
    d.add_text(fields.source, m.source.to_lowercase());
    d.add_text(fields.network, &m.network);
    d.add_text(fields.language, &m.language);
    for name in [&m.author.handle, &m.author.name].into_iter().filter(|n| !n.is_empty()) {
        d.add_text(fields.author, name.to_lowercase());
    }
    for topic in &m.topics {
        d.add_text(fields.topic, topic);
    }
    let label = m.label();
    if !label.is_empty() {
        d.add_text(fields.label, label);
    }
    d.add_text(fields.intent, &m.intent);
    d.add_i64(fields.at, m.at.as_millisecond());
    d.add_u64(fields.reach, m.reach);
    d.add_f64(fields.sentiment, f64::from(m.sentiment.unwrap_or(0.0)));
    d
}
