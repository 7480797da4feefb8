//! Nearness: pure arithmetic on places, which the live matcher and the index share.

/// First and last position of a place where something stands.
pub type Spot = (u32, u32);

/// Most places that one part of a query is taken to have in one text: hostile repetition must not cost more.
const MOST: usize = 4096;

/// Places where one of `left` and one of `right` are at most `distance` words apart; 1 is the next word. Both are in order.
pub fn near(left: &[Spot], right: &[Spot], distance: u32, ordered: bool) -> Vec<Spot> {
    let mut out = Vec::new();
    for a in left {
        let from = right.partition_point(|b| b.0 <= a.1);
        for b in right.get(from..).unwrap_or(&[]).iter().take_while(|b| b.0 - a.1 <= distance) {
            out.push((a.0, b.1.max(a.1)));
        }
        if !ordered {
            // Those that end before it begins; places are short, so the ones that begin well before are enough.
            let to = right.partition_point(|b| b.0 < a.0);
            for b in right.get(..to).unwrap_or(&[]).iter().rev() {
                if b.1 < a.0 && a.0 - b.1 <= distance {
                    out.push((b.0, a.1.max(b.1)));
                } else if a.0 - b.0 > distance.saturating_add(REACH) {
                    break;
                }
            }
        }
        if out.len() > MOST {
            break;
        }
    }
    tidy(out)
}

/// Whether two words have positions that are at most `distance` apart; what [`near`] says of their places.
pub fn are_near(left: &[u32], right: &[u32], distance: u32, ordered: bool) -> bool {
    // Where the right ones begin that stand before, and behind, the left one that is looked at.
    let (mut before, mut behind) = (0, 0);
    for a in left {
        while right.get(before).is_some_and(|b| b < a) {
            before += 1;
        }
        behind = before.max(behind);
        while right.get(behind).is_some_and(|b| b <= a) {
            behind += 1;
        }
        let last = before.checked_sub(1).and_then(|n| right.get(n));
        if right.get(behind).is_some_and(|b| b - a <= distance) || (!ordered && last.is_some_and(|b| a - b <= distance))
        {
            return true;
        }
    }
    false
}

/// Words that a place may be long for a nearer end of it to be looked for.
const REACH: u32 = 512;

/// Places that hold one of every part, where the first words of the outermost two are at most as far apart as `distance`
/// allows for two, and one more for each further part.
pub fn within(parts: &[Vec<Spot>], distance: u32) -> Vec<Spot> {
    if let [left, right] = parts {
        return near(left, right, distance, false);
    }
    let more = u32::try_from(parts.len().saturating_sub(2)).unwrap_or(u32::MAX);
    let reach = distance.saturating_add(more);
    let mut all: Vec<(u32, u32, usize)> =
        parts.iter().enumerate().flat_map(|(n, spots)| spots.iter().map(move |(a, b)| (*a, *b, n))).collect();
    all.sort_unstable();
    let mut counts = vec![0usize; parts.len()];
    let (mut have, mut from) = (0, 0);
    let mut out = Vec::new();
    for (to, (start, _, part)) in all.iter().enumerate() {
        if let Some(count) = counts.get_mut(*part) {
            have += usize::from(*count == 0);
            *count += 1;
        }
        while let Some((first, _, part)) = all.get(from).filter(|(first, ..)| start - first > reach) {
            debug_assert!(first <= start);
            if let Some(count) = counts.get_mut(*part) {
                *count -= 1;
                have -= usize::from(*count == 0);
            }
            from += 1;
        }
        if have == parts.len() {
            let window = all.get(from..=to).unwrap_or(&[]);
            let begin = window.first().map_or(*start, |(a, ..)| *a);
            let end = window.iter().map(|(_, b, _)| *b).max().unwrap_or(*start);
            out.push((begin, end));
            if out.len() > MOST {
                break;
            }
        }
    }
    tidy(out)
}

/// Places where the parts follow each other word by word.
pub fn phrase(parts: &[Vec<Spot>]) -> Vec<Spot> {
    let Some((first, rest)) = parts.split_first() else { return Vec::new() };
    let mut open: Vec<Spot> = first.clone();
    for part in rest {
        let mut next = Vec::with_capacity(open.len());
        for (start, end) in &open {
            let from = part.partition_point(|(a, _)| *a <= *end);
            for (a, b) in part.get(from..).unwrap_or(&[]).iter().take_while(|(a, _)| *a == end + 1) {
                debug_assert!(a > start);
                next.push((*start, *b));
            }
        }
        open = next;
        if open.is_empty() {
            break;
        }
    }
    tidy(open)
}

/// Places of any of the parts.
pub fn any(parts: Vec<Vec<Spot>>) -> Vec<Spot> {
    tidy(parts.concat())
}

/// Places of all parts, where each has one at all.
pub fn all(parts: Vec<Vec<Spot>>) -> Vec<Spot> {
    if parts.iter().any(Vec::is_empty) { Vec::new() } else { any(parts) }
}

/// In order, each once, and not more than a text could honestly have.
fn tidy(mut spots: Vec<Spot>) -> Vec<Spot> {
    spots.sort_unstable();
    spots.dedup();
    spots.truncate(MOST);
    spots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(positions: &[u32]) -> Vec<Spot> {
        positions.iter().map(|p| (*p, *p)).collect()
    }

    #[test]
    fn nearness_by_hand() {
        assert_eq!(near(&at(&[10]), &at(&[7, 12, 20]), 2, false), [(10, 12)]);
        assert_eq!(near(&at(&[10]), &at(&[7]), 3, false), [(7, 10)]);
        assert_eq!(near(&at(&[10]), &at(&[7]), 3, true), []);
        assert_eq!(phrase(&[at(&[1, 5]), at(&[2, 6]), at(&[7])]), [(5, 7)]);
        assert_eq!(within(&[at(&[1]), at(&[9]), at(&[4])], 7), [(1, 9)]);
        assert_eq!(within(&[at(&[1]), at(&[9]), at(&[4])], 6), []);
    }

    proptest::proptest! {
        #[test]
        fn nearness_is_the_plain_definition(mut a in proptest::collection::vec(0u32..40, 0..8), mut b in proptest::collection::vec(0u32..40, 0..8), d in 1u32..6, ordered: bool) {
            a.sort_unstable();
            b.sort_unstable();
            a.dedup();
            b.dedup();
            let slow = a.iter().any(|x| b.iter().any(|y| (y > x && y - x <= d) || (!ordered && x > y && x - y <= d)));
            proptest::prop_assert_eq!(!near(&at(&a), &at(&b), d, ordered).is_empty(), slow);
            proptest::prop_assert_eq!(are_near(&a, &b, d, ordered), slow);
        }

        #[test]
        fn windows_are_the_plain_definition(parts in proptest::collection::vec(proptest::collection::vec(0u32..30, 0..4), 3..4), d in 1u32..8) {
            let parts: Vec<Vec<Spot>> = parts.into_iter().map(|mut p| { p.sort_unstable(); at(&p) }).collect();
            let slow = parts[0].iter().any(|a| parts[1].iter().any(|b| parts[2].iter().any(|c| {
                let (low, high) = (a.0.min(b.0).min(c.0), a.0.max(b.0).max(c.0));
                high - low <= d + 1
            })));
            proptest::prop_assert_eq!(!within(&parts, d).is_empty(), slow);
        }
    }
}
