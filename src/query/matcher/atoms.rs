//! The words that standing queries are made of, and finding them in a text by the marks of its lexemes.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_64;

use super::Doc;
use crate::query::terms::COMPOUNDING;
use crate::query::wild::Wild;
use crate::text::common;
use crate::text::hash::Table;
use crate::text::lexeme::{spellings, stem_mark, word_mark};
use crate::text::stem;

type Marks = Table<u64, u32>;

/// One thing that queries look for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Atom {
    /// A word in any inflection.
    Word(Box<str>),
    /// A literal token, its sign included.
    Token(Box<str>),
    /// A word of which some letters are open.
    Wild(Box<str>),
    /// A compound, whole, in two parts, or within a longer word.
    Compound(Box<str>),
}

/// Where an atom stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) atom: u32,
    /// First and last position.
    pub(super) at: u32,
    pub(super) end: u32,
    /// Number of the first term.
    pub(super) term: u32,
}

impl Hit {
    /// By atom and position.
    pub(super) fn order(&self) -> (u64, u64) {
        let joined = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        (joined(self.atom, self.at), joined(self.end, self.term))
    }
}

/// Which atoms a mark means: chains through one list, so that a word of many queries costs them nothing.
#[derive(Debug, Clone, Default)]
struct Chains {
    heads: Marks,
    links: Vec<(u32, u32)>,
    /// One bit for marks that may be there: most of a text's are not, and are told apart without leaving the cache.
    seen: Vec<u64>,
}

const END: u32 = u32::MAX;
/// Bits of the filter for each mark, at least.
const BITS: usize = 16;

impl Chains {
    fn add(&mut self, mark: u64, atom: u32) {
        let head = self.heads.get(&mark).copied().unwrap_or(END);
        let mut at = head;
        while let Some((known, next)) = self.links.get(super::index(at)).filter(|_| at != END) {
            if *known == atom {
                return;
            }
            at = *next;
        }
        let place = u32::try_from(self.links.len()).unwrap_or(END);
        self.links.push((atom, head));
        self.heads.insert(mark, place);
        if self.seen.len() * 64 < self.heads.len() * BITS {
            let words = (self.heads.len() * BITS * 2 / 64).next_power_of_two().max(64);
            self.seen = vec![0; words];
            let marks: Vec<u64> = self.heads.keys().copied().collect();
            marks.into_iter().for_each(|m| self.note(m));
        } else {
            self.note(mark);
        }
    }

    fn place(&self, mark: u64) -> (usize, u64) {
        let bits = self.seen.len() * 64;
        let bit = usize::try_from(mark >> 32).unwrap_or(0) & (bits - 1);
        (bit / 64, 1 << (bit % 64))
    }

    fn note(&mut self, mark: u64) {
        let (word, bit) = self.place(mark);
        if let Some(word) = self.seen.get_mut(word) {
            *word |= bit;
        }
    }

    #[inline]
    fn each(&self, mark: u64, mut found: impl FnMut(u32)) {
        if self.seen.is_empty() {
            return;
        }
        let (word, bit) = self.place(mark);
        if self.seen.get(word).is_none_or(|w| w & bit == 0) {
            return;
        }
        let mut at = self.heads.get(&mark).copied().unwrap_or(END);
        while let Some((atom, next)) = self.links.get(super::index(at)).filter(|_| at != END) {
            found(*atom);
            at = *next;
        }
    }
}

/// Which three bytes patterns and compounds begin with: nearly every place of a text is passed over by them.
#[derive(Debug, Clone)]
struct Heads {
    seen: [u64; Heads::BITS / 64],
    /// Something shorter than three bytes is among them.
    short: bool,
}

impl Default for Heads {
    fn default() -> Heads {
        Heads { seen: [0; Heads::BITS / 64], short: false }
    }
}

impl Heads {
    const BITS: usize = 4096;

    fn place([a, b, c]: [u8; 3]) -> (usize, u64) {
        let hash = u32::from_le_bytes([a, b, c, 0]).wrapping_mul(0x9e37_79b1) >> 20;
        (super::index(hash / 64), 1 << (hash % 64))
    }

    fn add(&mut self, head: &str) {
        match head.as_bytes().first_chunk() {
            Some(three) => {
                let (word, bit) = Heads::place(*three);
                self.seen[word] |= bit;
            }
            None => self.short = true,
        }
    }

    /// Whether something may begin like this.
    #[inline]
    fn may_begin(&self, three: [u8; 3]) -> bool {
        let (word, bit) = Heads::place(three);
        self.seen[word] & bit != 0
    }

    /// Whether a text may begin with one of them.
    #[inline]
    fn may_begin_text(&self, text: &[u8]) -> bool {
        self.short || text.first_chunk().is_some_and(|three| self.may_begin(*three))
    }
}

/// All atoms of all queries.
#[derive(Debug, Clone, Default)]
pub(super) struct Atoms {
    known: Table<Atom, u32>,
    list: Vec<Atom>,
    words: Chains,
    /// Stems by language, made when the first text of the language comes.
    stems: Stems,
    wilds: Table<u64, Vec<(u32, Wild)>>,
    /// Lengths of heads that begin with a first letter.
    lengths: Table<char, Vec<usize>>,
    wild_heads: Heads,
    compounds: Table<Box<str>, u32>,
    compound_heads: Heads,
    compound_lengths: Vec<usize>,
    /// The number of this very list of atoms, for what is noted of words; 0 for none at all.
    stamp: u64,
}

/// The number of the next list of atoms.
static NEXT: AtomicU64 = AtomicU64::new(1);

#[derive(Debug, Clone)]
struct Stems(Vec<(&'static str, OnceLock<Chains>)>);

impl Default for Stems {
    fn default() -> Stems {
        Stems(stem::languages().map(|l| (l, OnceLock::new())).collect())
    }
}

/// Words so short are in many texts.
const SHORT: usize = 4;

impl Atoms {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// How often an atom is met, very roughly: in so many of 2,000 texts, and each alternative more is one more way to be
    /// brought up.
    pub(super) fn commonness(&self, atom: u32) -> u64 {
        match self.list.get(super::index(atom)) {
            Some(Atom::Wild(_)) => 60,
            Some(Atom::Word(w) | Atom::Token(w) | Atom::Compound(w)) => {
                let short = if w.chars().count() < SHORT { 40 } else { 10 };
                short + (common::share(w) * 2000.0) as u64
            }
            None => 10,
        }
    }

    /// An atom in words.
    pub(super) fn name(&self, atom: u32) -> String {
        match self.list.get(super::index(atom)) {
            Some(Atom::Word(w) | Atom::Wild(w)) => w.to_string(),
            Some(Atom::Token(w)) => format!("\"{w}\""),
            Some(Atom::Compound(w)) => format!("{w}~"),
            None => String::new(),
        }
    }

    /// The number of an atom, given to it at first sight.
    pub(super) fn number(&mut self, atom: Atom) -> u32 {
        if let Some(n) = self.known.get(&atom) {
            return *n;
        }
        let n = u32::try_from(self.list.len()).unwrap_or(END);
        self.known.insert(atom.clone(), n);
        self.list.push(atom.clone());
        self.stamp = NEXT.fetch_add(1, Ordering::Relaxed);
        match &atom {
            Atom::Word(word) => {
                spellings(word).for_each(|s| self.words.add(word_mark(&s), n));
                for (language, chains) in &mut self.stems.0 {
                    if let Some(chains) = chains.get_mut() {
                        add_stems(chains, word, n, language);
                    }
                }
            }
            Atom::Token(token) => spellings(token).for_each(|s| self.words.add(word_mark(&s), n)),
            Atom::Wild(pattern) => {
                // The parser has made a pattern of it before.
                for wild in spellings(pattern).filter_map(|p| Wild::new(&p).ok()) {
                    let head = wild.head();
                    let length = head.len();
                    self.wild_heads.add(head);
                    if let Some(first) = head.chars().next() {
                        let lengths = self.lengths.entry(first).or_default();
                        if !lengths.contains(&length) {
                            lengths.push(length);
                        }
                    }
                    self.wilds.entry(xxh3_64(head.as_bytes())).or_default().push((n, wild));
                }
            }
            Atom::Compound(word) => {
                spellings(word).for_each(|s| self.words.add(word_mark(&s), n));
                self.compounds.insert(word.clone(), n);
                self.compound_heads.add(word);
                if !self.compound_lengths.contains(&word.len()) {
                    self.compound_lengths.push(word.len());
                }
            }
        }
        n
    }

    fn stems(&self, language: &str) -> Option<&Chains> {
        let (language, chains) = self.stems.0.iter().find(|(l, _)| *l == language)?;
        Some(chains.get_or_init(|| {
            let mut chains = Chains::default();
            for (atom, n) in self.list.iter().zip(0u32..) {
                if let Atom::Word(word) = atom {
                    add_stems(&mut chains, word, n, language);
                }
            }
            chains
        }))
    }

    /// Where the atoms stand in a text, in no order, and some of them twice. `hits` is emptied first.
    pub(super) fn find(&self, doc: &Doc<'_>, hits: &mut Vec<Hit>) {
        hits.clear();
        let stems = self.stems(doc.language);
        for (term, number) in doc.terms.list.iter().zip(0u32..) {
            let lexeme = &term.lexeme;
            let noted = lexeme.note.says(self.stamp);
            if noted == Some(false) {
                continue;
            }
            let before = hits.len();
            let mut hit = |atom| hits.push(Hit { atom, at: term.at, end: term.at, term: number });
            let (words, stemmed) = lexeme.marks.split_at_checked(lexeme.words.len()).unwrap_or((&[], &[]));
            for mark in words {
                self.words.each(*mark, &mut hit);
            }
            if let Some(stems) = stems {
                for mark in stemmed {
                    stems.each(*mark, &mut hit);
                }
            }
            if !self.wilds.is_empty() {
                lexeme.words.iter().for_each(|w| self.wild(w, &mut hit));
            }
            if noted.is_none() {
                lexeme.note.keep(self.stamp, hits.len() > before);
            }
        }
        if !self.compounds.is_empty() {
            self.compounds(doc, hits);
        }
    }

    /// Patterns that a word fits.
    fn wild(&self, word: &str, hit: &mut impl FnMut(u32)) {
        if !self.wild_heads.may_begin_text(word.as_bytes()) {
            return;
        }
        let Some(lengths) = word.chars().next().and_then(|c| self.lengths.get(&c)) else { return };
        for length in lengths {
            let Some(head) = word.get(..*length) else { continue };
            for (atom, wild) in self.wilds.get(&xxh3_64(head.as_bytes())).into_iter().flatten() {
                if wild.fits(word) {
                    hit(*atom);
                }
            }
        }
    }

    /// Whether a compound may begin as two words do one after the other.
    fn may_join(&self, left: &[u8], right: &[u8]) -> bool {
        let three = match (left, right) {
            ([a, b, c, ..], _) | ([a, b], [c, ..]) | ([a], [b, c, ..]) => [*a, *b, *c],
            _ => return true,
        };
        self.compound_heads.short || self.compound_heads.may_begin(three)
    }

    /// Compounds in two neighbouring words, and within longer words of languages that write them as one.
    fn compounds(&self, doc: &Doc<'_>, hits: &mut Vec<Hit>) {
        let list = &doc.terms.list;
        let joined = COMPOUNDING.contains(&doc.language);
        for (n, term) in list.iter().enumerate() {
            let number = u32::try_from(n).unwrap_or(u32::MAX);
            if let Some(next) = list.get(n + 1).filter(|t| t.at == term.at + 1) {
                // Literal forms alone: what the index can look for as a phrase as well.
                for left in &term.lexeme.words {
                    for right in &next.lexeme.words {
                        if self.may_join(left.as_bytes(), right.as_bytes())
                            && self.compound_lengths.contains(&(left.len() + right.len()))
                            && left.chars().count() >= 2
                            && right.chars().count() >= 2
                            && let Some(atom) = self.compounds.get(&*format!("{left}{right}"))
                        {
                            hits.push(Hit { atom: *atom, at: term.at, end: next.at, term: number });
                        }
                    }
                }
            }
            if joined {
                // A tag is known by its bare word too; names and prices are no words.
                for word in term.lexeme.words.iter().filter(|w| !w.starts_with(['#', '@', '$'])) {
                    for (start, _) in word.char_indices() {
                        if !word.as_bytes().get(start..).is_some_and(|w| self.compound_heads.may_begin_text(w)) {
                            continue;
                        }
                        for length in &self.compound_lengths {
                            let inner = word.get(start..start + length);
                            if let Some(atom) = inner.and_then(|w| self.compounds.get(w)) {
                                hits.push(Hit { atom: *atom, at: term.at, end: term.at, term: number });
                            }
                        }
                    }
                }
            }
        }
    }
}

fn add_stems(chains: &mut Chains, word: &str, n: u32, language: &str) {
    spellings(word).for_each(|s| chains.add(stem_mark(&stem::stem(&s, language), language), n));
}
