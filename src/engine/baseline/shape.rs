//! The shape of a day or a week: how the slots of it differ from the level, as small as it can be kept.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Mentions seen, and expected without the shape, for every slot. It is empty until there is something to learn.
///
/// Each is kept to half a per cent, in two bytes, in memory as in the store: a restart changes nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Shape(Box<[(u16, u16)]>);

/// A number that is not negative, in two bytes: the upper half of an `f32` without its sign.
fn pack(n: f64) -> u16 {
    let bits = (n.clamp(0.0, 1e30) as f32).to_bits();
    u16::try_from((bits + (1 << 14)) >> 15).unwrap_or(u16::MAX)
}

fn unpack(n: u16) -> f64 {
    f64::from(f32::from_bits(u32::from(n) << 15))
}

impl Shape {
    /// A flat one of so many slots.
    pub(super) fn flat(slots: usize) -> Shape {
        Shape(vec![(0, 0); slots].into())
    }

    /// One that is believed already: the factor of each slot, with so many mentions behind it.
    pub(super) fn of(factors: &[f32], weight: f64) -> Shape {
        Shape(factors.iter().map(|f| (pack(f64::from(*f) * weight), pack(weight))).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Mentions seen and expected in a slot.
    pub(super) fn slot(&self, slot: usize) -> (f64, f64) {
        self.0.get(slot).map_or((0.0, 0.0), |(seen, would)| (unpack(*seen), unpack(*would)))
    }

    /// Moves every slot so many places on.
    pub(super) fn turn(&mut self, places: i8) {
        let slots = self.0.len();
        if let (Ok(all), true) = (i64::try_from(slots), slots > 0) {
            self.0.rotate_right(usize::try_from(i64::from(places).rem_euclid(all)).unwrap_or(0));
        }
    }

    /// How many times the level a slot is, where `prior` mentions speak for a flat shape.
    pub(super) fn factor(&self, slot: usize, prior: f64) -> f64 {
        let (seen, would) = self.slot(slot);
        (seen + prior) / (would + prior)
    }

    /// Learns what was seen in a slot beside what would have been expected; `keep` is left of what was known.
    pub(super) fn learn(&mut self, slot: usize, seen: f64, would: f64, keep: f64) {
        if let Some(slot) = self.0.get_mut(slot) {
            *slot = (pack(unpack(slot.0) * keep + seen), pack(unpack(slot.1) * keep + would));
        }
    }
}

/// Characters of 6 bits; three of them are a number.
const LETTERS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut out = String::with_capacity(self.0.len() * 6);
        for n in self.0.iter().flat_map(|(seen, would)| [*seen, *would]) {
            for shift in [12, 6, 0] {
                out.push(LETTERS.get(usize::from(n >> shift & 63)).map_or('0', |l| char::from(*l)));
            }
        }
        to.serialize_str(&out)
    }
}

/// A shape as it is kept, or as it was before: pairs of numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Text(String),
    Pairs(Vec<(f64, f64)>),
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Shape, D::Error> {
        Ok(match Kept::deserialize(from)? {
            Kept::Text(text) => {
                let digit = |c: &u8| LETTERS.iter().position(|l| l == c).map(|n| n as u32);
                let numbers: Option<Vec<u16>> = text
                    .as_bytes()
                    .chunks(3)
                    .map(|c| c.iter().try_fold(0, |n, c| Some(n << 6 | digit(c)?)).and_then(|n| u16::try_from(n).ok()))
                    .collect();
                let numbers = numbers.ok_or_else(|| serde::de::Error::custom("this is no shape of a day or week"))?;
                Shape(numbers.chunks_exact(2).filter_map(|p| Some((*p.first()?, *p.get(1)?))).collect())
            }
            Kept::Pairs(pairs) if pairs.iter().all(|(_, would)| *would <= 0.0) => Shape::default(),
            Kept::Pairs(pairs) => Shape(pairs.iter().map(|(seen, would)| (pack(*seen), pack(*would))).collect()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn is_kept_as_it_is(pairs in proptest::collection::vec((0.0f64..1e9, 0.0f64..1e9), 0..40)) {
            let mut shape = Shape::flat(pairs.len());
            pairs.iter().enumerate().for_each(|(n, (seen, would))| shape.learn(n, *seen, *would, 0.5));
            for (n, (seen, would)) in pairs.iter().enumerate() {
                let (a, b) = shape.slot(n);
                proptest::prop_assert!((a - seen).abs() <= seen * 0.003 && (b - would).abs() <= would * 0.003);
            }
            let text = serde_json::to_string(&shape).expect("json");
            proptest::prop_assert_eq!(serde_json::from_str::<Shape>(&text).expect("json"), shape);
        }

        #[test]
        fn no_text_panics(text: String) {
            let text = serde_json::to_string(&text).expect("json");
            let read = serde_json::from_str::<Shape>(&text);
            proptest::prop_assert!(read.is_err() || read.is_ok_and(|s| s.factor(0, 1.0) >= 0.0));
        }
    }

    #[test]
    fn reads_the_pairs_of_older_states() {
        let old: Shape = serde_json::from_str("[[3.0,1.5],[0.0,1.5]]").expect("json");
        assert!((old.factor(0, 0.0) - 2.0).abs() < 0.01 && old.factor(1, 0.0) == 0.0);
        assert!(serde_json::from_str::<Shape>("[[0.0,0.0]]").expect("json").is_empty());
    }
}
