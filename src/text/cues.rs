//! Turns of phrase by which people complain, ask, suggest and praise: a file of cues per language, and their matcher.
//!
//! `= name word…` names a class of words; `intent weight cue…` gives cues of an intent. The elements of a cue are joined by
//! `_`: a word, a beginning (`word*`), a class (`<name>`), `^` where a sentence begins, `?` at its end for a question mark
//! that ends the sentence, wherever. Two words of the class `skip` may stand between elements. Every cue counts once in a text.

use std::sync::OnceLock;

use super::features::{Atom, AtomKind};
use super::hash::Table;

/// What cues speak for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Something went wrong for the author.
    Complaint,
    /// They want to know something.
    Question,
    /// They want something else.
    Suggestion,
    /// They are pleased.
    Praise,
    /// They expect to hear from somebody.
    Answer,
}

impl Sign {
    const ALL: [(Sign, &str); 5] = [
        (Sign::Complaint, "complaint"),
        (Sign::Question, "question"),
        (Sign::Suggestion, "suggestion"),
        (Sign::Praise, "praise"),
        (Sign::Answer, "answer"),
    ];
}

/// What the cues of a text add up to, by [`Sign`].
pub type Sums = [f32; 5];

/// One part of a cue.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    Word(String),
    Beginning(String),
    Class(u32),
}

#[derive(Debug, Clone)]
struct Cue {
    sign: Sign,
    weight: f32,
    first: bool,
    asked: bool,
    rest: Vec<Part>,
}

/// The cues of a language.
#[derive(Debug, Default)]
pub struct Cues {
    /// Cues by their first part: a word, the four first letters of a beginning, or a class.
    by_word: Table<String, Vec<usize>>,
    by_beginning: Table<String, Vec<(String, usize)>>,
    by_class: Vec<Vec<usize>>,
    cues: Vec<Cue>,
    /// The classes of a word, as bits, and beginnings with the bit of their class.
    classes: Table<String, u32>,
    openings: Vec<(String, u32)>,
    skip: u32,
}

const TEXTS: [(&str, &str); 5] = [
    ("sv", include_str!("cues/sv.txt")),
    ("de", include_str!("cues/de.txt")),
    ("it", include_str!("cues/it.txt")),
    ("es", include_str!("cues/es.txt")),
    ("en", include_str!("cues/en.txt")),
];

static ALL: [OnceLock<Cues>; TEXTS.len()] = [const { OnceLock::new() }; TEXTS.len()];

/// Words of the class `skip` that may stand between two parts.
const SKIPPED: usize = 2;

impl Cues {
    /// The cues of a language that has some.
    pub fn of(language: &str) -> Option<&'static Cues> {
        let (place, (_, text)) = ALL.iter().zip(TEXTS).find(|(_, (code, _))| *code == language)?;
        Some(place.get_or_init(|| Cues::read(text)))
    }

    fn read(text: &str) -> Cues {
        let mut out = Cues::default();
        let mut names: Vec<&str> = Vec::new();
        let lines = || text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        for line in lines().filter_map(|l| l.strip_prefix('=')) {
            let mut words = line.split_whitespace();
            let Some(name) = words.next() else { continue };
            let class = names.iter().position(|n| *n == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            for word in words {
                match word.strip_suffix('*') {
                    Some(beginning) => out.openings.push((beginning.to_owned(), 1 << class)),
                    None => *out.classes.entry(word.to_owned()).or_default() |= 1 << class,
                }
            }
        }
        out.by_class = vec![Vec::new(); names.len()];
        out.skip = names.iter().position(|n| *n == "skip").map_or(0, |class| 1 << class);
        for line in lines().filter(|l| !l.starts_with('=')) {
            let mut parts = line.split_whitespace();
            let sign = parts.next().and_then(|s| Sign::ALL.iter().find(|(_, name)| *name == s));
            let weight = parts.next().and_then(|w| w.parse::<f32>().ok());
            // The files are ours, and a test reads every line of them.
            let (Some((sign, _)), Some(weight)) = (sign, weight) else { continue };
            parts.for_each(|cue| out.add(cue, *sign, weight, &names));
        }
        out
    }

    fn add(&mut self, cue: &str, sign: Sign, weight: f32, names: &[&str]) {
        let (cue, first) = cue.strip_prefix("^_").map_or((cue, false), |c| (c, true));
        let (cue, asked) = cue.strip_suffix("_?").map_or((cue, false), |c| (c, true));
        let part = |p: &str| match (p.strip_prefix('<').and_then(|p| p.strip_suffix('>')), p.strip_suffix('*')) {
            (Some(class), _) => names.iter().position(|n| *n == class).map(|n| Part::Class(1 << n)),
            (_, Some(beginning)) => Some(Part::Beginning(beginning.to_owned())),
            _ => Some(Part::Word(p.to_owned())),
        };
        let Some(mut parts) = cue.split('_').map(part).collect::<Option<Vec<Part>>>() else { return };
        if parts.is_empty() {
            return;
        }
        let head = parts.remove(0);
        let number = self.cues.len();
        match head {
            Part::Word(word) => self.by_word.entry(word).or_default().push(number),
            Part::Beginning(b) => {
                self.by_beginning.entry(b.chars().take(HEAD).collect()).or_default().push((b, number));
            }
            Part::Class(bit) => self.by_class[bit.trailing_zeros() as usize].push(number),
        }
        self.cues.push(Cue { sign, weight, first, asked, rest: parts });
    }

    /// The classes of a word, as bits.
    fn classes_of(&self, form: &str) -> u32 {
        let own = self.classes.get(form).copied().unwrap_or(0);
        self.openings.iter().filter(|(b, _)| form.starts_with(b.as_str())).fold(own, |all, (_, bit)| all | bit)
    }

    /// What the cues of a text add up to.
    pub fn sums(&self, atoms: &[Atom<'_>]) -> Sums {
        let mut found: Vec<usize> = Vec::new();
        for sentence in atoms.split(|a| a.kind == AtomKind::Mark && ends(&a.form) && !a.form.contains('?')) {
            // A question mark ends a sentence too, and is seen at its end.
            let mut from = 0;
            for (at, atom) in sentence.iter().enumerate() {
                if atom.kind == AtomKind::Mark && atom.form.contains('?') {
                    self.look(sentence.get(from..at).unwrap_or_default(), true, &mut found);
                    from = at + 1;
                }
            }
            self.look(sentence.get(from..).unwrap_or_default(), false, &mut found);
        }
        found.sort_unstable();
        found.dedup();
        let mut sums = Sums::default();
        for cue in found.iter().filter_map(|n| self.cues.get(*n)) {
            sums[cue.sign as usize] += cue.weight;
        }
        sums
    }

    fn look(&self, sentence: &[Atom<'_>], asked: bool, found: &mut Vec<usize>) {
        let words: Vec<(&str, u32)> = sentence
            .iter()
            .filter(|a| matches!(a.kind, AtomKind::Word | AtomKind::Tag))
            .map(|a| (a.form.as_ref(), self.classes_of(&a.form)))
            .collect();
        for (at, (form, classes)) in words.iter().enumerate() {
            let mut take = |number: usize| {
                let fits = self.cues.get(number).is_some_and(|c| {
                    (!c.first || at == 0) && (!c.asked || asked) && self.goes_on(&c.rest, words.get(at + 1..).unwrap_or_default())
                });
                if fits {
                    found.push(number);
                }
            };
            self.by_word.get(*form).into_iter().flatten().for_each(|n| take(*n));
            let head: String = form.chars().take(HEAD).collect();
            for size in 1..=head.chars().count() {
                let head: String = head.chars().take(size).collect();
                let begun = self.by_beginning.get(&head).into_iter().flatten();
                begun.filter(|(b, _)| form.starts_with(b.as_str())).for_each(|(_, n)| take(*n));
            }
            for (class, numbers) in self.by_class.iter().enumerate().filter(|(class, _)| classes >> class & 1 == 1) {
                debug_assert!(class < 32);
                numbers.iter().for_each(|n| take(*n));
            }
        }
    }

    fn goes_on(&self, parts: &[Part], mut words: &[(&str, u32)]) -> bool {
        for part in parts {
            let mut skipped = 0;
            loop {
                let Some(((form, classes), rest)) = words.split_first() else { return false };
                words = rest;
                let fits = match part {
                    Part::Word(w) => w == form,
                    Part::Beginning(b) => form.starts_with(b.as_str()),
                    Part::Class(bit) => classes & bit != 0,
                };
                if fits {
                    break;
                }
                if classes & self.skip == 0 || skipped == SKIPPED {
                    return false;
                }
                skipped += 1;
            }
        }
        true
    }
}

/// Letters by which beginnings are filed.
const HEAD: usize = 4;

fn ends(mark: &str) -> bool {
    mark.contains(['.', '!', '?', '。', '！', '？'])
}

#[cfg(test)]
mod tests {
    use super::super::features::atoms;
    use super::super::tokens::Tokens;
    use super::*;

    #[test]
    fn every_line_of_the_cues_is_read() {
        for (code, text) in TEXTS {
            let classes: Vec<&str> =
                text.lines().filter_map(|l| l.strip_prefix("= ")?.split_whitespace().next()).collect();
            assert!(classes.len() < 32, "{code}");
            for line in text.lines().filter(|l| !l.is_empty() && !l.starts_with(['#', '='])) {
                let mut parts = line.split_whitespace();
                let (sign, weight) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
                assert!(Sign::ALL.iter().any(|(_, name)| *name == sign), "{code}: {line}");
                assert!(weight.parse::<f32>().is_ok_and(|w| w.abs() <= 3.0), "{code}: {line}");
                for class in parts.flat_map(|p| p.split('_')).filter_map(|p| p.strip_prefix('<')) {
                    assert!(classes.contains(&class.trim_end_matches('>')), "{code}: {line}");
                }
            }
        }
    }

    fn sums(cues: &str, text: &str) -> Sums {
        Cues::read(cues).sums(&atoms(&Tokens::read(text)))
    }

    #[test]
    fn words_classes_beginnings_sentences_and_questions() {
        let cues = "= good nice great\n= skip very really\n= do add fix\nsuggestion 2 would_be_<good> ^_<do>\n\
                    question 1 ^_who_? anyone_know\ncomplaint 2 disappoint*\ncomplaint -1 shares";
        assert_eq!(sums(cues, "It would be really very nice.")[Sign::Suggestion as usize], 2.0);
        assert_eq!(sums(cues, "It would be. Nice")[Sign::Suggestion as usize], 0.0, "no cue crosses a sentence");
        assert_eq!(sums(cues, "Hello. Add a lamp. Fix it")[Sign::Suggestion as usize], 2.0, "each cue counts once");
        assert_eq!(sums(cues, "I add it")[Sign::Suggestion as usize], 0.0);
        assert_eq!(sums(cues, "Who made this? Me.")[Sign::Question as usize], 1.0);
        assert_eq!(sums(cues, "Who made this.")[Sign::Question as usize], 0.0);
        assert_eq!(sums(cues, "Disappointing shares, does anyone know")[Sign::Complaint as usize], 1.0);
    }
}
