//! Writes mentions into the index, and with each commit how far it has read.

use futures_util::FutureExt;
use tantivy::index::{SegmentId, SegmentMeta};
use tantivy::indexer::IndexWriterOptions;
use tantivy::{FutureResult, Index, TantivyDocument, Term};

use super::files::Sparing;
use super::packed::Packing;
use super::{Fields, IndexError};
use crate::failpoint;
use crate::model::Mention;
use crate::query::address_words;
use crate::text::tokens::Kind;
use crate::text::{Analyst, Terms};

/// Memory that uncommitted mentions may take.
const ARENA: usize = 24 << 20;
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
    purge: Option<Purge>,
}

/// Files with deleted mentions in them that are being written anew without them.
#[derive(Default)]
struct Purge {
    files: Vec<SegmentId>,
    merges: Vec<std::pin::Pin<Box<FutureResult<Option<SegmentMeta>>>>>,
    rounds: u32,
    tries: u32,
}

/// A merge that was under way before the deletion carries the deleted into its new file: that one is found by a second
/// look, when all such merges have ended, since there is one thread for them.
const ROUNDS: u32 = 2;
/// A file that so many merges could not write anew has another trouble than a merge in the way.
const TRIES: u32 = 20;

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
        writer.set_merge_policy(Box::new(Sparing::default()));
        Ok(IndexWriter { writer, fields, committed, reached: committed, purge: None })
    }

    /// How far it has read, uncommitted mentions included.
    pub fn reached(&self) -> Checkpoint {
        self.reached
    }

    /// How far the last commit has read.
    pub fn committed(&self) -> Checkpoint {
        self.committed
    }

    /// Whether there is something to commit.
    pub fn is_dirty(&self) -> bool {
        self.reached != self.committed
    }

    /// Adds a mention, or replaces it where it was edited. `seq` is the number of the change, `terms` those of its text
    /// where they are at hand.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn add(&mut self, seq: i64, m: &Mention, terms: Option<&Terms>) -> Result<(), IndexError> {
        if m.id <= self.reached.id {
            self.writer.delete_term(Term::from_field_u64(self.fields.id, m.id.cast_unsigned()));
        }
        self.writer.add_document(document(&self.fields, m, terms))?;
        self.reached = Checkpoint { seq: self.reached.seq.max(seq), id: self.reached.id.max(m.id) };
        Ok(())
    }

    /// Deletes a mention. `seq` is the number of the change.
    pub fn remove(&mut self, seq: i64, id: i64) {
        self.writer.delete_term(Term::from_field_u64(self.fields.id, id.cast_unsigned()));
        self.reached.seq = self.reached.seq.max(seq);
    }

    /// Begins to write every file anew in which there are deleted mentions, as of the last commit: until then their words
    /// stay in it.
    pub fn begin_purge(&mut self) {
        self.purge = Some(Purge::default());
    }

    /// Whether a purge is under way.
    pub fn is_purging(&self) -> bool {
        self.purge.is_some()
    }

    /// Goes on with a purge, without waiting; says whether it is done: no file that people could read has a word of what
    /// was deleted before it began.
    ///
    /// # Errors
    /// When the index cannot be read or written.
    pub fn purge_on(&mut self) -> Result<bool, IndexError> {
        let Some(mut purge) = self.purge.take() else { return Ok(true) };
        // A merge that fails has met another one over the same file; the next look tells.
        purge.merges.retain_mut(|merge| merge.now_or_never().is_none());
        let segments = self.writer.index().searchable_segment_metas()?;
        let there: Vec<SegmentId> =
            segments.iter().map(SegmentMeta::id).filter(|id| purge.files.contains(id)).collect();
        if !purge.merges.is_empty() {
            self.purge = Some(purge);
            return Ok(false);
        }
        if there.is_empty() {
            purge.files = segments.iter().filter(|s| s.has_deletes()).map(SegmentMeta::id).collect();
            purge.rounds += 1;
        }
        if purge.files.is_empty() || purge.rounds > ROUNDS {
            drop(segments);
            self.writer.garbage_collect_files().wait()?;
            return Ok(true);
        }
        purge.tries = if there.is_empty() { 0 } else { purge.tries + 1 };
        if purge.tries > TRIES {
            return Err(IndexError::Io("files with deleted mentions cannot be written anew; is the disk full?".into()));
        }
        let left = if there.is_empty() { purge.files.clone() } else { there };
        purge.merges = left.iter().map(|id| Box::pin(self.writer.merge(&[*id]))).collect();
        self.purge = Some(purge);
        Ok(false)
    }

    /// Commits what was added, with the place that it reaches to.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn commit(&mut self) -> Result<Checkpoint, IndexError> {
        let mut prepared = self.writer.prepare_commit()?;
        prepared.set_payload(&format!("{} {}", self.reached.seq, self.reached.id));
        failpoint::pass("index", "before");
        prepared.commit()?;
        failpoint::pass("index", "after");
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

/// What stands between a stem and its language.
pub(super) const OF: char = '\u{2}';

/// The document of a mention; its terms are made where they are not at hand.
pub(super) fn document(fields: &Fields, m: &Mention, terms: Option<&Terms>) -> TantivyDocument {
    let made;
    let terms = match terms {
        Some(terms) => terms,
        None => {
            made = Analyst::terms(&m.title, &m.text, &m.language).1;
            &made
        }
    };
    // A word, its distance and its end; a stem is a word with the language behind it.
    let (letters, count) = (m.title.len() + m.text.len(), terms.list.len());
    let (mut words, mut stems) = (Packing::with_room(letters + count * 2), Packing::with_room(letters + count * 5));
    let mut links = Packing::default();
    let language = format!("{OF}{}", m.language);
    let mut text = None;
    for term in &terms.list {
        term.lexeme.words.iter().for_each(|w| words.add(term.at, w, ""));
        term.lexeme.stems.iter().for_each(|s| stems.add(term.at, s, &language));
        if term.kind == Kind::Url {
            let text = text.get_or_insert_with(|| whole_text(m));
            address_words(term.raw(text)).iter().for_each(|w| links.add(0, w, ""));
        }
    }
    let mut d = TantivyDocument::new();
    d.add_text(fields.words, words.done());
    d.add_text(fields.stems, stems.done());
    let mut url = Packing::default();
    address_words(&m.url).iter().for_each(|w| url.add(0, w, ""));
    for (field, packed) in [(fields.url, url.done()), (fields.links, links.done())] {
        if !packed.is_empty() {
            d.add_text(field, packed);
        }
    }
    d.add_u64(fields.id, m.id.cast_unsigned());
    let mut site = Some(m.site.as_str());
    while let Some(name) = site.filter(|s| !s.is_empty()) {
        d.add_text(fields.site, name);
        site = name.split_once('.').map(|(_, domain)| domain);
    }
    let verified = m.author.verified.map(|v| if v { "true" } else { "false" });
    for (field, name) in [
        (fields.source, m.source.as_str()),
        (fields.network, &m.network),
        (fields.language, &m.language),
        (fields.country, &m.country),
        (fields.author, &m.author.handle),
        (fields.author, &m.author.name),
        (fields.channel, &m.channel),
        (fields.kind, &m.kind),
        (fields.verified, verified.unwrap_or("")),
        (fields.label, m.label()),
        (fields.intent, &m.intent),
    ] {
        if !name.is_empty() {
            d.add_text(field, name.to_lowercase());
        }
    }
    m.topics.iter().for_each(|t| d.add_text(fields.topic, t.to_lowercase()));
    m.tags.iter().for_each(|t| d.add_text(fields.tags, t.to_lowercase()));
    let minute = m.at.as_millisecond().div_euclid(60_000).rem_euclid(1440);
    d.add_i64(fields.at, m.at.as_millisecond());
    d.add_i64(fields.received, m.received.as_millisecond());
    d.add_u64(fields.minute, minute.cast_unsigned());
    d.add_u64(fields.story, m.story.cast_unsigned());
    d.add_u64(fields.reach, m.reach);
    d.add_u64(fields.engagement, m.engagement);
    d.add_u64(fields.tier, m.tier.into());
    d.add_u64(fields.title, terms.title.into());
    if let Some(followers) = m.author.followers {
        d.add_u64(fields.followers, followers);
    }
    if let Some(rating) = m.rating {
        d.add_f64(fields.rating, f64::from(rating));
    }
    if let Some(sentiment) = m.sentiment {
        d.add_f64(fields.sentiment, f64::from(sentiment));
    }
    d
}

/// Title and body as the analysis joins them.
fn whole_text(m: &Mention) -> String {
    if m.title.is_empty() { m.text.clone() } else { format!("{}\n\n{}", m.title, m.text) }
}
