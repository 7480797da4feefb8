//! Turns of phrase by which people complain, ask, suggest and praise: a file of cues per language, and their matcher.
//!
//! `= name word…` names a class of words; `intent weight cue…` gives cues of an intent. The elements of a cue are joined by
//! `_`: a word, a beginning (`word*`), a class (`<name>`), `^` where a sentence begins, `?` at its end for a question mark
//! that ends the sentence, wherever; `?` alone is any question. Two words of the class `skip` may stand between elements. Every cue counts once in a text.
//! The class `we` holds the words by which people speak of their own dealings.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::OnceLock;

use smallvec::SmallVec;

use super::atoms::{Atom, AtomKind, word_number};
use super::features::Known;
use super::hash::{Quick, Table};

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
    /// The number of a word.
    Word(u64),
    Beginning(String),
    Class(u64),
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
    by_word: Table<u64, Vec<usize>>,
    by_beginning: Table<String, Vec<(String, usize)>>,
    by_class: Vec<Vec<usize>>,
    /// Cues whose second part is a word, by their first and second: most are, and few of them fit.
    by_pair: Table<u64, Vec<usize>>,
    /// Words that are the second part of a cue.
    seconds: HashSet<u64, BuildHasherDefault<Quick>>,
    /// The classes that a cue may begin with, as bits.
    heads: u64,
    cues: Vec<Cue>,
    /// Cues that any question is.
    questions: Vec<usize>,
    /// The classes of a word, as bits, and beginnings with the bit of their class.
    classes: Table<String, u64>,
    openings: Vec<(String, u64)>,
    skip: u64,
    /// The classes by which people speak of their own dealings.
    own: u64,
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
                    Some(beginning) => out.openings.push((beginning.to_owned(), 1u64 << class)),
                    None => *out.classes.entry(word.to_owned()).or_default() |= 1u64 << class,
                }
            }
        }
        out.by_class = vec![Vec::new(); names.len()];
        let bit = |name: &str| names.iter().position(|n| *n == name).map_or(0, |class| 1u64 << class);
        (out.skip, out.own) = (bit("skip"), bit("we"));
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
            (Some(class), _) => names.iter().position(|n| *n == class).map(|n| Part::Class(1u64 << n)),
            (_, Some(beginning)) => Some(Part::Beginning(beginning.to_owned())),
            _ => Some(Part::Word(word_number(p))),
        };
        if cue == "?" {
            self.questions.push(self.cues.len());
            self.cues.push(Cue { sign, weight, first, asked, rest: Vec::new() });
            return;
        }
        let Some(mut parts) = cue.split('_').map(part).collect::<Option<Vec<Part>>>() else { return };
        if parts.is_empty() {
            return;
        }
        let head = parts.remove(0);
        let number = self.cues.len();
        let second = match parts.first() {
            Some(Part::Word(second)) => Some(*second),
            _ => None,
        };
        self.seconds.extend(second);
        match head {
            Part::Word(word) => {
                if let Some(second) = second {
                    self.by_pair.entry(pair(word, second)).or_default().push(number);
                }
                let alone = self.by_word.entry(word).or_default();
                alone.extend(Some(number).filter(|_| second.is_none()));
            }
            Part::Beginning(b) => {
                self.by_beginning.entry(b.chars().take(HEAD).collect()).or_default().push((b, number));
            }
            Part::Class(bit) => {
                self.heads |= bit;
                match second {
                    Some(second) => self.by_pair.entry(pair(class_head(bit), second)).or_default().push(number),
                    None => self.by_class[bit.trailing_zeros() as usize].push(number),
                }
            }
        }
        self.cues.push(Cue { sign, weight, first, asked, rest: parts });
    }

    /// The classes of a word, as bits.
    fn classes_of(&self, form: &str) -> u64 {
        let own = self.classes.get(form).copied().unwrap_or(0);
        self.openings.iter().filter(|(b, _)| form.starts_with(b.as_str())).fold(own, |all, (_, bit)| all | bit)
    }

    /// The classes of a word, as bits, and whether a cue may begin with it.
    pub fn of_word(&self, form: &str) -> (u64, bool) {
        let classes = self.classes_of(form);
        let begun = if self.begun(form).next().is_some() { BEGUN } else { 0 };
        let word = word_number(form);
        let second = if self.seconds.contains(&word) { SECOND } else { 0 };
        (classes | begun | second, classes & self.heads != 0 || begun != 0 || self.by_word.contains_key(&word))
    }

    /// The cues that begin with a beginning of a word.
    fn begun<'s>(&'s self, form: &'s str) -> impl Iterator<Item = usize> + 's {
        let heads = form.char_indices().take(HEAD).map(|(at, c)| form.get(..at + c.len_utf8()).unwrap_or(""));
        let filed = heads.filter_map(|head| self.by_beginning.get(head)).flatten();
        filed.filter(move |(b, _)| form.starts_with(b.as_str())).map(|(_, n)| *n)
    }

    /// Whether a text speaks of its author's own dealings.
    pub fn speaks_of_own(&self, known: &[Known]) -> bool {
        known.iter().any(|k| k.classes & self.own != 0)
    }

    /// What the cues of a text add up to. `known` says for each atom what [`Cues::of_word`] says of it.
    pub fn sums(&self, atoms: &[Atom<'_>], known: &[Known]) -> Sums {
        let mut found: SmallVec<[usize; 32]> = SmallVec::new();
        let mut words: SmallVec<[Word<'_>; 64]> = SmallVec::new();
        for (atom, known) in atoms.iter().zip(known) {
            match atom.kind {
                AtomKind::Word | AtomKind::Tag => words.push(Word { form: &atom.form, known }),
                AtomKind::Mark if ends(&atom.form) => {
                    self.look(&words, atom.form.contains(['?', '？']), &mut found);
                    words.clear();
                }
                _ => {}
            }
        }
        self.look(&words, false, &mut found);
        found.sort_unstable();
        found.dedup();
        let mut sums = Sums::default();
        for cue in found.iter().filter_map(|n| self.cues.get(*n)) {
            sums[cue.sign as usize] += cue.weight;
        }
        sums
    }

    /// Looks for cues in the words of a sentence.
    fn look(&self, words: &[Word<'_>], asked: bool, found: &mut SmallVec<[usize; 32]>) {
        if asked && !words.is_empty() {
            found.extend_from_slice(&self.questions);
        }
        // A sentence may begin with words that are passed over.
        let opening = words.iter().take(SKIPPED).take_while(|w| w.known.classes & self.skip != 0).count();
        for (at, word) in words.iter().enumerate().filter(|(_, w)| w.known.begins_cue) {
            let rest = words.get(at + 1..).unwrap_or_default();
            let mut take = |number: usize| {
                let fits = |c: &Cue| (!c.first || at <= opening) && (!c.asked || asked) && self.goes_on(&c.rest, rest);
                if self.cues.get(number).is_some_and(fits) {
                    found.push(number);
                }
            };
            self.by_word.get(&word.known.word).into_iter().flatten().for_each(|n| take(*n));
            // The second word, and what comes after words that may be passed over.
            let passed = rest.iter().take_while(|w| w.known.classes & self.skip != 0).count().min(SKIPPED);
            let heads = || bits(word.known.classes & self.heads);
            for second in rest.iter().take(passed + 1).filter(|w| w.known.classes & SECOND != 0) {
                for head in heads().map(class_head).chain([word.known.word]) {
                    self.by_pair.get(&pair(head, second.known.word)).into_iter().flatten().for_each(|n| take(*n));
                }
            }
            if word.known.classes & BEGUN != 0 {
                self.begun(word.form).for_each(&mut take);
            }
            for class in heads() {
                self.by_class.get(class.trailing_zeros() as usize).into_iter().flatten().for_each(|n| take(*n));
            }
        }
    }

    fn goes_on(&self, parts: &[Part], mut words: &[Word<'_>]) -> bool {
        for part in parts {
            let mut skipped = 0;
            loop {
                let Some((word, rest)) = words.split_first() else { return false };
                words = rest;
                let fits = match part {
                    Part::Word(w) => *w == word.known.word,
                    Part::Beginning(b) => word.form.starts_with(b.as_str()),
                    Part::Class(bit) => word.known.classes & bit != 0,
                };
                if fits {
                    break;
                }
                if word.known.classes & self.skip == 0 || skipped == SKIPPED {
                    return false;
                }
                skipped += 1;
            }
        }
        true
    }
}

/// Each bit by itself.
fn bits(of: u64) -> impl Iterator<Item = u64> {
    let some = |bits: u64| Some(bits).filter(|b| *b != 0);
    std::iter::successors(some(of), move |b| some(b & (b - 1))).map(|b| b & b.wrapping_neg())
}

/// The number of a class that a cue begins with.
fn class_head(bit: u64) -> u64 {
    u64::from(bit.trailing_zeros())
}

/// The number of a first part, which is a word's or a class's, and a second one.
fn pair(head: u64, second: u64) -> u64 {
    (head.rotate_left(23) ^ second).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A word of a sentence.
struct Word<'a> {
    form: &'a str,
    known: &'a Known,
}

/// Beside the classes of a word: a cue begins with its beginning.
const BEGUN: u64 = 1 << 63;
/// Beside the classes of a word: it is the second part of a cue.
const SECOND: u64 = 1 << 62;
/// Letters by which beginnings are filed.
const HEAD: usize = 4;

fn ends(mark: &str) -> bool {
    mark.contains(['.', '!', '?', '。', '！', '？'])
}

#[cfg(test)]
mod tests {
    use super::super::atoms::atoms;
    use super::super::tokens::Tokens;
    use super::*;

    #[test]
    fn every_line_of_the_cues_is_read() {
        for (code, text) in TEXTS {
            let classes: Vec<&str> =
                text.lines().filter_map(|l| l.strip_prefix("= ")?.split_whitespace().next()).collect();
            assert!(classes.len() < 62, "{code}");
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
        let (cues, tokens) = (Cues::read(cues), Tokens::read(text));
        let atoms = atoms(&tokens);
        let known = |a: &Atom<'_>| {
            let (classes, begins_cue) = cues.of_word(&a.form);
            Known { classes, begins_cue, word: word_number(&a.form), ..Known::default() }
        };
        let known: Vec<Known> = atoms.iter().map(known).collect();
        cues.sums(&atoms, &known)
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
