//! Which files of the index are merged: small ones with their like, and never so many mentions at once that the merge itself
//! takes more memory than everything else.

use tantivy::index::SegmentMeta;
use tantivy::indexer::{LogMergePolicy, MergeCandidate, MergePolicy};

/// Files of fewer mentions than this are merged together first.
const SMALL: usize = 20_000;
/// A file of which a larger share than this is deleted is written anew, however large it is.
const DELETED: f32 = 0.3;
/// Mentions of one merge: it holds some 200 bytes for each.
const MOST: u64 = 200_000;
/// Files that one merge takes at least.
const FEWEST: usize = 4;

/// Files of like size are merged, as [`LogMergePolicy`] finds them, as many at once as may be.
#[derive(Debug)]
pub(super) struct Sparing(LogMergePolicy);

impl Default for Sparing {
    fn default() -> Sparing {
        let mut policy = LogMergePolicy::default();
        policy.set_min_layer_size(u32::try_from(SMALL).unwrap_or(u32::MAX));
        policy.set_del_docs_ratio_before_merge(DELETED);
        Sparing(policy)
    }
}

impl MergePolicy for Sparing {
    fn compute_merge_candidates(&self, files: &[SegmentMeta]) -> Vec<MergeCandidate> {
        let sizes = |MergeCandidate(ids): MergeCandidate| -> Vec<_> {
            let of = |id| files.iter().find(|f| f.id() == id).map(|f| (id, Size::of(f)));
            ids.into_iter().filter_map(of).collect()
        };
        let levels = self.0.compute_merge_candidates(files).into_iter().map(sizes);
        levels.flat_map(groups).map(MergeCandidate).collect()
    }
}

/// How large a file is.
#[derive(Debug, Clone, Copy)]
struct Size {
    mentions: u64,
    /// Too many of them are deleted.
    hollow: bool,
}

impl Size {
    fn of(file: &SegmentMeta) -> Size {
        let share = file.num_deleted_docs() as f32 / file.max_doc().max(1) as f32;
        Size { mentions: u64::from(file.num_docs()), hollow: share > DELETED }
    }
}

/// Files of one level, put together into merges that are not too large. A file with too many deletions is merged by itself
/// where it finds no company.
fn groups<I>(mut level: Vec<(I, Size)>) -> Vec<Vec<I>> {
    level.sort_by_key(|(_, size)| size.mentions);
    let mut out: Vec<(Vec<I>, bool)> = Vec::new();
    let mut sum = 0;
    for (id, size) in level {
        match out.last_mut().filter(|_| sum + size.mentions <= MOST) {
            Some((group, hollow)) => {
                group.push(id);
                *hollow |= size.hollow;
                sum += size.mentions;
            }
            None => {
                out.push((vec![id], size.hollow));
                sum = size.mentions;
            }
        }
    }
    out.into_iter().filter(|(group, hollow)| *hollow || group.len() >= FEWEST).map(|(group, _)| group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_are_bounded_and_worth_it() {
        let of = |sizes: &[(u64, bool)]| {
            let level =
                (0..).zip(sizes).map(|(n, (mentions, hollow))| (n, Size { mentions: *mentions, hollow: *hollow }));
            groups(level.collect::<Vec<(usize, Size)>>())
        };
        assert_eq!(of(&[(10_000, false); 9]), [(0..9).collect::<Vec<_>>()]);
        assert_eq!(of(&[(75_000, false); 9]), [[0usize; 0]; 0], "two of them are no company, three too many");
        assert_eq!(of(&[(50_000, false); 9]), [vec![0, 1, 2, 3], vec![4, 5, 6, 7]], "the last waits for company");
        assert_eq!(of(&[(900_000, true)]), [[0]], "however large");
        assert_eq!(of(&[(100_000, false), (150_000, true), (1, false)]), [vec![1]], "alone: the others lack company");
    }
}
