//! A query on positions: words, phrases and nearness, in any part of the text or in one, found from the postings alone.
//!
//! The arithmetic is [`places`]'s, which the live matcher uses as well.

use tantivy::columnar::Column;
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::query::{EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED, TantivyError, Term};

use crate::query::Place;
use crate::query::places::{self, Spot};

/// What is looked for, over terms that are in the index.
#[derive(Debug, Clone)]
pub(super) enum Tree {
    /// One of these terms.
    Leaf(Vec<Term>),
    Phrase(Vec<Tree>),
    Near(Box<Tree>, Box<Tree>, u32, bool),
    Within(Vec<Tree>, u32),
    Any(Vec<Tree>),
    All(Vec<Tree>),
}

impl Tree {
    /// The words of a phrase in which each has one spelling.
    pub(super) fn words(&self) -> Option<Vec<Term>> {
        let Tree::Phrase(parts) = self else { return None };
        let one = |part: &Tree| match part {
            Tree::Leaf(terms) => <&[Term; 1]>::try_from(terms.as_slice()).ok().map(|[term]| term.clone()),
            _ => None,
        };
        parts.iter().map(one).collect()
    }
}

/// Mentions in which a tree has a place.
#[derive(Debug, Clone)]
pub(super) struct SpotQuery {
    pub(super) tree: Tree,
    pub(super) place: Option<Place>,
}

impl Query for SpotQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(SpotWeight(self.clone())))
    }
}

struct SpotWeight(SpotQuery);

impl Weight for SpotWeight {
    fn scorer(&self, reader: &SegmentReader, _: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let Some(walk) = Walk::over(&self.0.tree, reader)? else { return Ok(Box::new(EmptyScorer)) };
        let title = match self.0.place {
            Some(place) => Some((place, reader.fast_fields().u64("title")?)),
            None => None,
        };
        let (all, some) = (f64::from(reader.max_doc()), f64::from(walk.size()));
        let rarity = (1.0 + (all - some + 0.5) / (some + 0.5)).ln() as Score;
        let mut scorer = SpotScorer { walk, title, doc: 0, within: None, desk: Desk::default(), rarity };
        scorer.settle(0);
        Ok(Box::new(scorer))
    }

    fn explain(&self, _: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        Err(TantivyError::InvalidArgument(format!("document {doc} has no score to explain")))
    }
}

struct SpotScorer {
    walk: Walk,
    title: Option<(Place, Column<u64>)>,
    doc: DocId,
    /// Where in the document places count.
    within: Part,
    desk: Desk,
    /// What one place says: the rarer, the more.
    rarity: Score,
}

impl SpotScorer {
    /// Goes to the first document from `target` on that has a place.
    fn settle(&mut self, target: DocId) -> DocId {
        let mut doc = self.walk.seek(target);
        while doc != TERMINATED {
            let within = self.title.as_ref().map(|(place, column)| (*place, column.first(doc).unwrap_or(0)));
            if self.walk.has(doc, within, &mut self.desk) {
                self.within = within;
                break;
            }
            doc = self.walk.seek(doc + 1);
        }
        self.doc = doc;
        doc
    }
}

impl DocSet for SpotScorer {
    fn advance(&mut self) -> DocId {
        if self.doc == TERMINATED { TERMINATED } else { self.settle(self.doc + 1) }
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc >= target { self.doc } else { self.settle(target) }
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.walk.size()
    }

    fn cost(&self) -> u64 {
        // Positions have to be read for every candidate.
        u64::from(self.walk.size()) * 10
    }
}

impl Scorer for SpotScorer {
    /// BM25 without the length of the text: each further place says less.
    fn score(&mut self) -> Score {
        let found = self.walk.spots(self.doc, self.within).len() as Score;
        self.rarity * found * 2.2 / (found + 1.2)
    }
}

/// Positions of two words, kept from document to document.
#[derive(Default)]
struct Desk(Vec<u32>, Vec<u32>);

/// A tree's walk through the postings of one segment.
enum Walk {
    Leaf(Vec<SegmentPostings>),
    Phrase(Vec<Walk>),
    Near(Box<Walk>, Box<Walk>, u32, bool),
    Within(Vec<Walk>, u32),
    Any(Vec<Walk>),
    All(Vec<Walk>),
}

/// A part of the text, with the words that the title has.
type Part = Option<(Place, u64)>;

impl Walk {
    /// The walk of a tree; `None` where nothing in the segment can match.
    fn over(tree: &Tree, reader: &SegmentReader) -> tantivy::Result<Option<Walk>> {
        let every = |trees: &[Tree]| -> tantivy::Result<Option<Vec<Walk>>> {
            let walks = trees.iter().map(|t| Walk::over(t, reader)).collect::<tantivy::Result<Vec<_>>>()?;
            Ok(walks.into_iter().collect())
        };
        Ok(match tree {
            Tree::Leaf(terms) => {
                let mut postings = Vec::with_capacity(terms.len());
                for term in terms {
                    let list = reader.inverted_index(term.field())?;
                    postings.extend(list.read_postings(term, IndexRecordOption::WithFreqsAndPositions)?);
                }
                (!postings.is_empty()).then_some(Walk::Leaf(postings))
            }
            Tree::Phrase(parts) => every(parts)?.map(Walk::Phrase),
            Tree::Within(parts, distance) => every(parts)?.map(|w| Walk::Within(w, *distance)),
            Tree::All(parts) => every(parts)?.map(Walk::All),
            Tree::Near(left, right, distance, ordered) => {
                match (Walk::over(left, reader)?, Walk::over(right, reader)?) {
                    (Some(l), Some(r)) => Some(Walk::Near(Box::new(l), Box::new(r), *distance, *ordered)),
                    _ => None,
                }
            }
            Tree::Any(parts) => {
                let walks = parts.iter().map(|t| Walk::over(t, reader)).collect::<tantivy::Result<Vec<_>>>()?;
                let walks: Vec<Walk> = walks.into_iter().flatten().collect();
                (!walks.is_empty()).then_some(Walk::Any(walks))
            }
        })
    }

    /// The first document from `target` on that has the words, wherever they stand.
    fn seek(&mut self, target: DocId) -> DocId {
        let go = |p: &mut SegmentPostings| if p.doc() < target { p.seek(target) } else { p.doc() };
        match self {
            Walk::Leaf(postings) => postings.iter_mut().map(go).min().unwrap_or(TERMINATED),
            Walk::Any(walks) => walks.iter_mut().map(|w| w.seek(target)).min().unwrap_or(TERMINATED),
            Walk::Phrase(walks) | Walk::Within(walks, _) | Walk::All(walks) => {
                together(&mut walks.iter_mut().collect::<Vec<_>>(), target)
            }
            Walk::Near(left, right, ..) => together(&mut [&mut **left, &mut **right], target),
        }
    }

    /// Whether a document that `seek` has gone to has a place. Two words near each other, which is what is asked most, are
    /// looked at without making lists.
    fn has(&mut self, doc: DocId, part: Part, desk: &mut Desk) -> bool {
        let (left, right, distance, ordered) = match self {
            Walk::Leaf(_) if part.is_none() => return true,
            Walk::Near(left, right, distance, ordered) if part.is_none() => {
                (&mut **left, &mut **right, *distance, *ordered)
            }
            Walk::Within(walks, distance) if part.is_none() => match walks.as_mut_slice() {
                [left, right] => (left, right, *distance, false),
                _ => return !self.spots(doc, part).is_empty(),
            },
            _ => return !self.spots(doc, part).is_empty(),
        };
        match (left, right) {
            (Walk::Leaf(left), Walk::Leaf(right)) => {
                let read = |lists: &mut Vec<SegmentPostings>, out: &mut Vec<u32>| {
                    out.clear();
                    lists.iter_mut().filter(|p| p.doc() == doc).for_each(|p| p.append_positions_with_offset(0, out));
                    if lists.len() > 1 {
                        out.sort_unstable();
                    }
                };
                read(left, &mut desk.0);
                read(right, &mut desk.1);
                places::are_near(&desk.0, &desk.1, distance, ordered)
            }
            _ => !self.spots(doc, part).is_empty(),
        }
    }

    /// Places in a document that `seek` has gone to.
    fn spots(&mut self, doc: DocId, part: Part) -> Vec<Spot> {
        let all = |walks: &mut Vec<Walk>| walks.iter_mut().map(|w| w.spots(doc, part)).collect::<Vec<_>>();
        match self {
            Walk::Leaf(postings) => {
                let mut positions = Vec::new();
                for list in postings.iter_mut().filter(|p| p.doc() == doc) {
                    list.append_positions_with_offset(0, &mut positions);
                }
                let inside = |at: &u32| match part {
                    None => true,
                    Some((Place::Title, title)) => u64::from(*at) < title,
                    Some((Place::Body, title)) => u64::from(*at) >= title,
                };
                positions.retain(inside);
                positions.sort_unstable();
                positions.dedup();
                positions.into_iter().map(|at| (at, at)).collect()
            }
            Walk::Phrase(walks) => places::phrase(&all(walks)),
            Walk::Within(walks, distance) => places::within(&all(walks), *distance),
            Walk::Any(walks) => places::any(all(walks)),
            Walk::All(walks) => places::all(all(walks)),
            Walk::Near(left, right, distance, ordered) => {
                places::near(&left.spots(doc, part), &right.spots(doc, part), *distance, *ordered)
            }
        }
    }

    fn size(&self) -> u32 {
        match self {
            Walk::Leaf(postings) => postings.iter().map(SegmentPostings::doc_freq).fold(0, u32::saturating_add),
            Walk::Any(walks) => walks.iter().map(Walk::size).fold(0, u32::saturating_add),
            Walk::Phrase(walks) | Walk::Within(walks, _) | Walk::All(walks) => {
                walks.iter().map(Walk::size).min().unwrap_or(0)
            }
            Walk::Near(left, right, ..) => left.size().min(right.size()),
        }
    }
}

/// The first document from `target` on that all of them have: each in turn goes to where the last one stands, until all stand
/// there.
fn together(walks: &mut [&mut Walk], target: DocId) -> DocId {
    let (mut doc, mut there, all) = (target, 0, walks.len());
    if all == 0 {
        return TERMINATED;
    }
    loop {
        for walk in walks.iter_mut() {
            let at = walk.seek(doc);
            there = if at == doc { there + 1 } else { 1 };
            doc = at;
            if there == all || doc == TERMINATED {
                return doc;
            }
        }
    }
}
