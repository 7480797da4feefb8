//! How well a labelling agrees with people: accuracy, F1, recall, confusion.

use std::collections::BTreeMap;

use serde::Serialize;

/// Pairs of what people said and what the machine said, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confusion {
    counts: BTreeMap<(String, String), usize>,
}

/// The figures of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfClass {
    /// Texts that people put into it.
    pub texts: usize,
    /// Of what the machine put into it, how much belongs there, 0..1.
    pub precision: f64,
    /// Of what belongs there, how much the machine found, 0..1.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
}

/// The figures of a labelling.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Texts.
    pub texts: usize,
    /// Share of texts with the right label.
    pub accuracy: f64,
    /// Mean of the F1 of the classes that people used.
    pub macro_f1: f64,
    /// Mean of their recalls.
    pub average_recall: f64,
    /// By class.
    pub classes: BTreeMap<String, OfClass>,
    /// How often people said the first and the machine the second.
    pub confusion: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Confusion {
    /// Counts a text.
    pub fn add(&mut self, people: &str, machine: &str) {
        *self.counts.entry((people.to_owned(), machine.to_owned())).or_default() += 1;
    }

    /// Counts all that another counted.
    pub fn add_all(&mut self, other: &Confusion) {
        for (pair, n) in &other.counts {
            *self.counts.entry(pair.clone()).or_default() += n;
        }
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The figures.
    pub fn figures(&self) -> Figures {
        let of = |fits: &dyn Fn(&str, &str) -> bool| -> usize {
            self.counts.iter().filter(|((p, m), _)| fits(p, m)).map(|(_, n)| n).sum()
        };
        let share = |part: usize, whole: usize| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let texts = of(&|_, _| true);
        let mut classes = BTreeMap::new();
        let mut confusion: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for ((people, machine), n) in &self.counts {
            confusion.entry(people.clone()).or_default().insert(machine.clone(), *n);
            let right = of(&|p, m| p == people && m == people);
            let (said, there) = (of(&|_, m| m == people), of(&|p, _| p == people));
            let class = OfClass {
                texts: there,
                precision: share(right, said),
                recall: share(right, there),
                f1: share(2 * right, said + there),
            };
            classes.insert(people.clone(), class);
        }
        let mean = |value: &dyn Fn(&OfClass) -> f64| -> f64 {
            classes.values().map(value).sum::<f64>() / classes.len().max(1) as f64
        };
        Figures {
            texts,
            accuracy: share(of(&|p, m| p == m), texts),
            macro_f1: mean(&|c| c.f1),
            average_recall: mean(&|c| c.recall),
            classes,
            confusion,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_small_labelling() {
        let mut c = Confusion::default();
        for (people, machine, n) in [("a", "a", 6), ("a", "b", 2), ("b", "b", 3), ("b", "a", 1), ("b", "c", 4)] {
            (0..n).for_each(|_| c.add(people, machine));
        }
        let f = c.figures();
        assert_eq!((f.texts, f.classes.len()), (16, 2), "a class that people never used has no figures of its own");
        assert!((f.accuracy - 9.0 / 16.0).abs() < 1e-9);
        assert!((f.classes["a"].f1 - 12.0 / 15.0).abs() < 1e-9);
        assert!((f.classes["b"].recall - 3.0 / 8.0).abs() < 1e-9);
        assert!((f.average_recall - (0.75 + 0.375) / 2.0).abs() < 1e-9);
    }
}
