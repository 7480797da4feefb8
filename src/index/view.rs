//! One commit of the index as it is read: its segments with the columns that every search asks for, opened once.

use std::sync::{Arc, OnceLock};

use tantivy::columnar::Column;
use tantivy::index::SegmentId;
use tantivy::{Searcher, SegmentReader};

use super::calendar::Runs;
use super::{Fields, IndexError};

/// One commit.
pub(super) struct View {
    pub(super) searcher: Searcher,
    /// In the order of the searcher's own.
    pub(super) segments: Vec<Arc<Segment>>,
    /// Languages that there are mentions in.
    pub(super) languages: Vec<String>,
}

/// What is asked of every segment.
pub(super) struct Segment {
    id: SegmentId,
    pub(super) at: Column<i64>,
    pub(super) ids: Column<u64>,
    /// Where its quarters of an hour begin, once somebody wanted to know.
    pub(super) runs: OnceLock<Runs>,
    languages: Vec<String>,
}

impl View {
    /// Over a commit; what is known of segments that were there before is kept.
    pub(super) fn new(searcher: Searcher, fields: &Fields, before: Option<&View>) -> Result<View, IndexError> {
        let known = |id| before.into_iter().flat_map(|v| &v.segments).find(|s| s.id == id).cloned();
        let open = |reader: &SegmentReader| match known(reader.segment_id()) {
            Some(segment) => Ok(segment),
            None => Segment::open(reader, fields).map(Arc::new),
        };
        let segments: Vec<Arc<Segment>> = searcher.segment_readers().iter().map(open).collect::<Result<_, _>>()?;
        let mut languages: Vec<String> = segments.iter().flat_map(|s| s.languages.iter().cloned()).collect();
        languages.sort_unstable();
        languages.dedup();
        Ok(View { searcher, segments, languages })
    }
}

impl Segment {
    fn open(reader: &SegmentReader, fields: &Fields) -> Result<Segment, IndexError> {
        let mut languages = Vec::new();
        let list = reader.inverted_index(fields.language)?;
        let mut terms = list.terms().stream().map_err(tantivy::TantivyError::from)?;
        while terms.advance() {
            languages.extend(std::str::from_utf8(terms.key()).map(str::to_owned));
        }
        let fast = reader.fast_fields();
        let (at, ids) = (fast.i64("at")?, fast.u64("id")?);
        Ok(Segment { id: reader.segment_id(), at, ids, runs: OnceLock::new(), languages })
    }
}
