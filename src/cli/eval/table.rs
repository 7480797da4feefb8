//! Figures by group, for people and for programs.

use std::collections::BTreeMap;

use super::super::{Paint, safe};
use crate::lab::measure::{Confusion, Figures};

/// Confusions by group, such as the language of the texts.
#[derive(Debug, Default)]
pub(super) struct Groups(BTreeMap<String, Confusion>);

impl Groups {
    /// Counts a text of a group.
    pub(super) fn add(&mut self, group: &str, people: &str, machine: &str) {
        self.0.entry(group.to_owned()).or_default().add(people, machine);
    }

    /// The figures of every group.
    pub(super) fn figures(&self) -> BTreeMap<&str, Figures> {
        self.0.iter().map(|(group, c)| (group.as_str(), c.figures())).collect()
    }

    /// The figures over all groups.
    pub(super) fn all(&self) -> Figures {
        let mut all = Confusion::default();
        self.0.values().for_each(|c| all.add_all(c));
        all.figures()
    }

    /// Prints a line for each group and one for all, then who was taken for whom.
    pub(super) fn show(&self, head: &str) {
        let paint = Paint::new();
        say!(
            "{}",
            paint
                .dim(&format!("{head:<12} {:>7}  {:>8}  {:>8}  {:>10}", "texts", "accuracy", "macro-F1", "avg recall"))
        );
        let line = |name: &str, f: &Figures| {
            let f1 = paint.bold(&format!("{:>8.1}", f.macro_f1 * 100.0));
            let (accuracy, recall) = (f.accuracy * 100.0, f.average_recall * 100.0);
            say!("{:<12} {:>7}  {accuracy:>8.1}  {f1}  {recall:>10.1}", safe(name, 12), f.texts);
        };
        let figures = self.figures();
        figures.iter().for_each(|(name, f)| line(name, f));
        let all = self.all();
        if figures.len() > 1 {
            line("all", &all);
        }
        say!("");
        say!(
            "{}",
            paint.dim(&format!(
                "{:<12} {:>7}  {:>9}  {:>6}  {:>5}  taken for",
                "class", "texts", "precision", "recall", "F1"
            ))
        );
        for (name, c) in all.classes.iter().filter(|(_, c)| c.texts > 0).take(MOST) {
            let mut wrong: Vec<(&String, &usize)> =
                all.confusion.get(name).into_iter().flatten().filter(|(machine, _)| *machine != name).collect();
            wrong.sort_by_key(|(machine, n)| (std::cmp::Reverse(**n), *machine));
            let wrong: Vec<String> = wrong.iter().take(4).map(|(m, n)| format!("{m} {n}")).collect();
            say!(
                "{:<12} {:>7}  {:>9.1}  {:>6.1}  {:>5.1}  {}",
                safe(name, 12),
                c.texts,
                c.precision * 100.0,
                c.recall * 100.0,
                c.f1 * 100.0,
                paint.dim(&wrong.join(", "))
            );
        }
    }
}

/// Classes that are listed.
const MOST: usize = 60;
