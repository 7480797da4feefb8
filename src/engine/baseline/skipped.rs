//! Hours that taught nothing, as runs.

use serde::{Deserialize, Deserializer, Serialize};

/// Hours since 1970, in runs from one hour to before another, in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Skipped(Vec<(i64, i64)>);

impl Skipped {
    /// Adds an hour, which is no earlier than those that are in already.
    pub(super) fn insert(&mut self, hour: i64) {
        match self.0.last_mut() {
            Some((_, end)) if *end > hour => {}
            Some((_, end)) if *end == hour => *end += 1,
            _ => self.0.push((hour, hour + 1)),
        }
    }

    pub(super) fn contains(&self, hour: i64) -> bool {
        self.0.iter().any(|(from, to)| (*from..*to).contains(&hour))
    }

    /// Forgets all before an hour.
    pub(super) fn forget_before(&mut self, hour: i64) {
        self.0.retain_mut(|(from, to)| {
            *from = (*from).max(hour);
            *from < *to
        });
    }
}

/// As it is kept, or as it was before: one hour after another.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Runs(Vec<(i64, i64)>),
    Hours(Vec<i64>),
}

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Skipped, D::Error> {
        Ok(match Kept::deserialize(from)? {
            Kept::Runs(runs) => Skipped(runs),
            Kept::Hours(mut hours) => {
                hours.sort_unstable();
                let mut out = Skipped::default();
                hours.into_iter().for_each(|h| out.insert(h));
                out
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_hours() {
        let mut s = Skipped::default();
        [3, 4, 5, 9].into_iter().for_each(|h| s.insert(h));
        assert_eq!(s, serde_json::from_str("[3,4,5,9]").expect("json"));
        assert_eq!(serde_json::to_string(&s).expect("json"), "[[3,6],[9,10]]");
        assert!(s.contains(5) && !s.contains(6) && s.contains(9));
        s.forget_before(5);
        assert_eq!(s, Skipped(vec![(5, 6), (9, 10)]));
    }
}
