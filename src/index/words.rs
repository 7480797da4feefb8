//! Queries for any of several words: those that a query's word may stand for, and those that fit a pattern. What they
//! find in a segment is gathered at once where it is little, and on the way where it is much.

use tantivy::postings::TermInfo;
use tantivy::query::{BitSetDocSet, ConstScorer, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocId, DocSet, InvertedIndexReader, Score, SegmentReader, TERMINATED, TantivyError, Term};

use crate::query::Wild;

/// Documents that are gathered into a list; more go into a set of bits, or stay where they are.
const LITTLE: u32 = 2048;

/// Mentions with any of some terms.
#[derive(Debug)]
pub(super) struct WordsQuery {
    pub(super) terms: Vec<Term>,
    /// The same as the engine would be asked.
    pub(super) plain: Box<dyn Query>,
}

impl Clone for WordsQuery {
    fn clone(&self) -> WordsQuery {
        WordsQuery { terms: self.terms.clone(), plain: self.plain.box_clone() }
    }
}

impl Query for WordsQuery {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(WordsWeight { terms: self.terms.clone(), plain: self.plain.weight(scoring)? }))
    }
}

struct WordsWeight {
    terms: Vec<Term>,
    plain: Box<dyn Weight>,
}

impl Weight for WordsWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let mut found = Vec::with_capacity(self.terms.len());
        for term in &self.terms {
            let list = reader.inverted_index(term.field())?;
            if let Some(info) = list.get_term_info(term)? {
                found.push((list, info));
            }
        }
        if let [(list, info)] = found.as_slice() {
            let postings = list.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
            return Ok(Box::new(ConstScorer::new(postings, boost)));
        }
        if found.iter().map(|(_, info)| info.doc_freq).fold(0, u32::saturating_add) > LITTLE {
            return self.plain.scorer(reader, boost);
        }
        let mut docs = Vec::new();
        found.iter().try_for_each(|(list, info)| each(list, info, |doc| docs.push(doc)))?;
        Ok(listed(docs, boost))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        self.plain.explain(reader, doc)
    }
}

/// Mentions with a word that fits any of some patterns.
#[derive(Debug, Clone)]
pub(super) struct WildQuery {
    pub(super) field: Field,
    pub(super) wilds: Vec<Wild>,
}

impl Query for WildQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(WildWeight(self.clone())))
    }
}

struct WildWeight(WildQuery);

impl Weight for WildWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let list = reader.inverted_index(self.0.field)?;
        let mut found: Vec<TermInfo> = Vec::new();
        for wild in &self.0.wilds {
            // All that begin so stand side by side; the first that does not ends them.
            let range = list.terms().range().ge(wild.head());
            let mut terms = range.into_stream().map_err(TantivyError::from)?;
            while terms.advance() && terms.key().starts_with(wild.head().as_bytes()) {
                if wild.is_prefix() || std::str::from_utf8(terms.key()).is_ok_and(|word| wild.fits(word)) {
                    found.push(terms.value().clone());
                }
            }
        }
        if found.iter().map(|info| info.doc_freq).fold(0, u32::saturating_add) <= LITTLE {
            let mut docs = Vec::new();
            found.iter().try_for_each(|info| each(&list, info, |doc| docs.push(doc)))?;
            return Ok(listed(docs, boost));
        }
        let mut bits = BitSet::with_max_value(reader.max_doc());
        found.iter().try_for_each(|info| {
            each(&list, info, |doc| {
                bits.insert(doc);
            })
        })?;
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(bits), boost)))
    }

    fn explain(&self, _: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        Err(TantivyError::InvalidArgument(format!("document {doc} has no score to explain")))
    }
}

fn each(list: &InvertedIndexReader, info: &TermInfo, mut take: impl FnMut(DocId)) -> tantivy::Result<()> {
    let mut blocks = list.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
    while !blocks.docs().is_empty() {
        blocks.docs().iter().copied().for_each(&mut take);
        blocks.advance();
    }
    Ok(())
}

fn listed(mut docs: Vec<DocId>, boost: Score) -> Box<dyn Scorer> {
    docs.sort_unstable();
    docs.dedup();
    match docs.is_empty() {
        true => Box::new(EmptyScorer),
        false => Box::new(ConstScorer::new(Listed { docs, at: 0 }, boost)),
    }
}

/// A few documents, in order.
struct Listed {
    docs: Vec<DocId>,
    at: usize,
}

impl DocSet for Listed {
    fn advance(&mut self) -> DocId {
        self.at = self.docs.len().min(self.at + 1);
        self.doc()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.at += self.docs.get(self.at..).map_or(0, |rest| rest.partition_point(|doc| *doc < target));
        self.doc()
    }

    fn doc(&self) -> DocId {
        self.docs.get(self.at).copied().unwrap_or(TERMINATED)
    }

    fn size_hint(&self) -> u32 {
        u32::try_from(self.docs.len()).unwrap_or(u32::MAX)
    }
}
