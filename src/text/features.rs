//! What of a text a linear model looks at: words, pieces of words, pairs, marks, and what the lexicon says.
//!
//! Training and scoring read a text by the same code. What a word says by itself does not depend on its neighbours, so a
//! scorer works it out once for each word of a language and remembers it.

use smallvec::{SmallVec, smallvec};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::atoms::{Atom, AtomKind};
use super::cues::{Cues, Sums};
use super::lexicon::{Lexicon, Role, STRONGEST};

/// Columns of the table of feelings: negative, neutral, positive, and whether it is a complaint.
pub const COLUMNS: usize = 4;

/// What is known of an atom by itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known {
    /// Its weights.
    pub sum: [f32; COLUMNS],
    /// The squared length of its features.
    pub length: f32,
    /// What the lexicon says of it.
    pub role: Option<Role>,
    /// A phrase of the lexicon begins with it.
    pub begins_phrase: bool,
    /// A cue may begin with it.
    pub begins_cue: bool,
    /// The classes of cues that it is in, as bits.
    pub classes: u64,
    /// The number of its form.
    pub word: u64,
}

/// Where the lexicon found something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// First atom, that which turns it included.
    pub from: usize,
    /// Last atom.
    pub to: usize,
    /// −4..4 and somewhat beyond where it is emphasised.
    pub strength: f32,
    /// It stands under a negation.
    pub turned: bool,
    /// It is the house's own word.
    pub house: bool,
}

/// A text taken apart.
#[derive(Debug)]
pub struct Reading<'t> {
    /// The text.
    pub text: &'t str,
    /// Its atoms in order.
    pub atoms: &'t [Atom<'t>],
    /// What is known of each.
    pub known: Vec<Known>,
    /// What the lexicons found, in order.
    pub hits: SmallVec<[Hit; 16]>,
    /// Whether each atom stands under a negation.
    pub turned: SmallVec<[bool; 96]>,
    /// Whether each atom is part of a house word, or of a phrase that turns its own words ("not bad"), which speaks
    /// instead of it.
    pub covered: SmallVec<[bool; 96]>,
    /// What its turns of phrase add up to.
    pub cues: Sums,
    language: u64,
}

/// A negation reaches over so many atoms.
const REACH: usize = 4;
/// What a negated word keeps of its strength, turned.
const TURNED: f32 = -0.6;
/// What counts of what stands before a "but".
const BEFORE_BUT: f32 = 0.5;

/// Taken for the language in hashes.
fn seed(language: &str) -> u64 {
    xxh3_64_with_seed(language.as_bytes(), 77)
}

impl<'t> Reading<'t> {
    /// Takes a text apart. `know` says what is known of an atom by itself; `known` is where it is noted.
    pub fn new(
        text: &'t str,
        atoms: &'t [Atom<'t>],
        language: &str,
        lexicon: &Lexicon,
        house: &Lexicon,
        mut known: Vec<Known>,
        know: impl FnMut(&Atom<'_>) -> Known,
    ) -> Reading<'t> {
        known.clear();
        known.extend(atoms.iter().map(know));
        let count = atoms.len();
        let mut out = Reading {
            text,
            atoms,
            hits: SmallVec::new(),
            turned: smallvec![false; count],
            covered: smallvec![false; count],
            cues: Cues::of(language).map_or_else(Sums::default, |cues| cues.sums(atoms, &known)),
            language: seed(language),
            known,
        };
        out.find(language, lexicon, house);
        out
    }

    /// The number of further atoms, the strength, and whether the house says it.
    fn meaning(&self, at: usize, lexicon: &Lexicon, house: &Lexicon) -> Option<(usize, Role, bool)> {
        let (atom, known) = (self.atoms.get(at)?, self.known.get(at)?);
        if !atom.has_letters() {
            return known.role.map(|role| (0, role, false));
        }
        let rest = self.atoms.get(at + 1..).unwrap_or_default();
        let following = rest.iter().map(|a| a.form.as_ref());
        let second = self.known.get(at + 1).map_or(0, |k| k.word);
        if !house.is_empty() {
            if let Some((more, Role::Strength(s))) = house.phrase((known.word, second), following.clone()) {
                return Some((more, Role::Strength(s * STRONGEST), true));
            }
            if let Some(Role::Strength(s)) = house.role(&atom.form) {
                return Some((0, Role::Strength(s * STRONGEST), true));
            }
        }
        if known.begins_phrase
            && let Some((more, role)) = lexicon.phrase((known.word, second), following)
        {
            return Some((more, role, false));
        }
        known.role.map(|role| (0, role, false))
    }

    /// Walks over the text: what the lexicons find, under which negation, how loud.
    fn find(&mut self, language: &str, lexicon: &Lexicon, house: &Lexicon) {
        let (mut negated, mut scale, mut turn) = (None::<usize>, 1.0f32, TURNED);
        let mut at = 0;
        while let Some(atom) = self.atoms.get(at) {
            let (ends, letters) = (atom.ends_sentence(), atom.has_letters());
            let under = negated.filter(|n| at - n <= REACH);
            match self.meaning(at, lexicon, house) {
                Some((more, Role::Strength(s), by_house)) => {
                    let to = at + more;
                    let speaks = by_house || (more > 0 && self.has_negation(at, to));
                    let turns = under.is_some() && letters;
                    let strength = s * scale * self.loudness(at, to) * if turns { turn } else { 1.0 };
                    let from = if turns { under.unwrap_or(at) } else { at };
                    self.hits.push(Hit { from, to, strength, turned: turns, house: by_house });
                    for n in at..=to {
                        self.turned[n] |= turns;
                        self.covered[n] |= speaks;
                    }
                    scale = 1.0;
                    at = to;
                }
                Some((more, Role::Not, _)) => {
                    negated = Some(at + more);
                    // A phrase that turns ("anything but") turns wholly, and its own words say nothing.
                    turn = if more > 0 { -1.0 } else { TURNED };
                    if more > 0 {
                        self.covered[at..=at + more].fill(true);
                    }
                    // The verb has come already: «funktioniert nicht», «fungerar inte».
                    if matches!(language, "de" | "sv" | "da" | "no" | "nl")
                        && let Some(last) = self.hits.last_mut().filter(|h| h.strength > 0.0 && h.to + 1 == at)
                    {
                        (last.strength, last.to, last.turned) = (last.strength * TURNED, at, true);
                    }
                    at += more;
                }
                Some((more, Role::Scale(by), _)) => {
                    scale *= by;
                    at += more;
                }
                Some((more, Role::But, _)) => {
                    self.hits.iter_mut().for_each(|h| h.strength *= BEFORE_BUT);
                    (negated, scale) = (None, 1.0);
                    at += more;
                }
                None => {
                    if letters {
                        self.turned[at] |= under.is_some();
                        scale = 1.0;
                    }
                }
            }
            if ends {
                negated = None;
            }
            at += 1;
        }
    }

    /// Whether it is made of signs and marks alone.
    pub fn has_no_words(&self) -> bool {
        !self.atoms.iter().any(Atom::has_letters)
    }

    fn has_negation(&self, from: usize, to: usize) -> bool {
        self.known.get(from..=to).unwrap_or_default().iter().any(|k| k.role == Some(Role::Not))
    }

    /// Capitals, drawn-out letters and exclamation marks make a word louder.
    fn loudness(&self, from: usize, to: usize) -> f32 {
        let raw = |at: usize| self.atoms.get(at).and_then(|a| self.text.get(a.start..a.end)).unwrap_or("");
        let mut by = 1.0;
        if is_loud(raw(from)) {
            by *= 1.2;
        }
        if self.atoms.get(to + 1).is_some_and(|a| a.kind == AtomKind::Mark && a.form.starts_with('!')) {
            by *= 1.15;
        }
        by
    }
}

/// Written in capitals alone.
fn is_loud(raw: &str) -> bool {
    raw.chars().nth(2).is_some() && raw.chars().all(|c| !c.is_lowercase()) && raw.chars().any(char::is_uppercase)
}

/// Takes the features of a text.
pub trait Sink {
    /// Everything that an atom says by itself.
    fn own(&mut self, at: usize, atom: &Atom<'_>, known: &Known);
    /// A feature that belongs to an atom (and, with `pair`, to the one before it too).
    fn sparse(&mut self, at: usize, pair: bool, feature: u64, value: f32);
    /// A feature that is not scaled by the text's length; it belongs to a hit, or to the whole text.
    fn dense(&mut self, hit: Option<usize>, feature: u64, value: f32);
}

const WORD: u64 = 1;
const PIECE: u64 = 2;
const PAIR: u64 = 3;
const TAG: u64 = 5;
const LOUD: u64 = 6;
const UNDER: u64 = 8;
const MARK: u64 = 11;
const POINT: u64 = 12;
const SUM: u64 = 20;
const STRENGTH: u64 = 25;
const LAST: u64 = 26;
const NONE: u64 = 27;
const LENGTH: u64 = 31;
const BIAS: u64 = 30;
const CUE: u64 = 33;
const LEADING: u64 = 34;
const NAMES: u64 = 35;
const DESK: u64 = 36;

/// Shortest and longest pieces of words, in letters, word ends counted.
const PIECES: std::ops::RangeInclusive<usize> = 3..=5;
/// A word weighs what three of its pieces do: it has many, and small sets learn too much from them.
const WORD_VALUE: f32 = 2.0;
const PIECE_VALUE: f32 = 0.7;
const MARK_VALUE: f32 = 2.0;
/// Longer words are cut; nobody's feeling hides behind so many letters.
const LONGEST: usize = 40;

/// What the names of help desks contain: `@AcmeSupport`, `@acme_hilft`.
const DESKS: [&str; 9] = ["help", "support", "care", "service", "ask", "assist", "hilft", "ayuda", "aiuto"];

fn mixed(kind: u64, key: u64, language: u64) -> u64 {
    let mixed =
        (key ^ language.rotate_left(17)).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ kind.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    (mixed ^ (mixed >> 29)).wrapping_mul(0x1656_67b1_9e37_79f9) ^ (mixed >> 32)
}

/// The feature of a word by itself, in any language.
pub fn word(form: &str) -> u64 {
    mixed(WORD, xxh3_64_with_seed(form.as_bytes(), WORD), 0)
}

/// The features of an atom by itself, each for its language and for all.
pub fn own(atom: &Atom<'_>, language: &str, mut add: impl FnMut(u64, f32)) {
    let language = seed(language);
    let mut both = |kind: u64, bytes: &[u8], value: f32| {
        let key = xxh3_64_with_seed(bytes, kind);
        add(mixed(kind, key, language), value);
        add(mixed(kind, key, 0), value);
    };
    if atom.kind == AtomKind::Mark {
        both(MARK, atom.form.as_bytes(), MARK_VALUE);
        if atom.form.chars().nth(1).is_some() {
            for c in atom.form.chars().take(LONGEST) {
                both(POINT, c.encode_utf8(&mut [0; 4]).as_bytes(), MARK_VALUE / 2.0);
            }
        }
        return;
    }
    both(WORD, atom.form.as_bytes(), WORD_VALUE);
    if atom.kind == AtomKind::Tag {
        both(TAG, atom.form.as_bytes(), WORD_VALUE);
    }
    if !atom.has_letters() {
        return;
    }
    let mut framed = String::with_capacity(atom.form.len() + 2);
    framed.push('^');
    framed.extend(atom.form.chars().take(LONGEST));
    framed.push('$');
    let ends: Vec<usize> = framed.char_indices().map(|(at, _)| at).chain([framed.len()]).collect();
    for size in PIECES {
        for window in ends.windows(size + 1) {
            if let (Some(from), Some(to)) = (window.first(), window.last()) {
                both(PIECE, framed.get(*from..*to).unwrap_or("").as_bytes(), PIECE_VALUE);
            }
        }
    }
}

/// How much a sum of strengths weighs, and the features of single strengths and of whole texts.
const SUM_VALUE: f32 = 0.25;
const STRENGTH_VALUE: f32 = 0.15;
const TEXT_VALUE: f32 = 0.15;
/// Sum of strengths at which the sum's feature is half of what it can be.
const HALF: f32 = 2.0;

impl Reading<'_> {
    /// Hands all features of the text to a sink.
    pub fn tell(&self, sink: &mut impl Sink) {
        self.tell_cues(sink);
        let mut before: Option<u64> = None;
        for (at, (atom, known)) in self.atoms.iter().zip(&self.known).enumerate() {
            if self.covered.get(at).copied().unwrap_or(false) {
                before = None;
                continue;
            }
            let turned = self.turned.get(at).copied().unwrap_or(false);
            // A word of some strength under a negation does not say what it says by itself.
            if !(turned && matches!(known.role, Some(Role::Strength(_)))) {
                sink.own(at, atom, known);
            }
            if atom.kind == AtomKind::Mark {
                continue;
            }
            let key = atom.key_of(known.word);
            if atom.has_letters() {
                if is_loud(self.text.get(atom.start..atom.end).unwrap_or("")) {
                    sink.sparse(at, false, mixed(LOUD, 0, self.language), 0.5);
                    sink.sparse(at, false, mixed(LOUD, 0, 0), 0.5);
                }
                if turned {
                    sink.sparse(at, false, mixed(UNDER, key, self.language), 1.0);
                }
            }
            if let Some(before) = before {
                sink.sparse(at, true, mixed(PAIR, before.rotate_left(21) ^ key, self.language), 1.0);
            }
            before = Some(key);
        }
        self.tell_hits(sink);
        self.tell_names(sink);
        let size = (self.atoms.len() + 1).ilog2();
        self.everywhere(sink, None, LENGTH, u64::from(size), TEXT_VALUE);
        self.everywhere(sink, None, BIAS, 0, TEXT_VALUE);
    }

    fn everywhere(&self, sink: &mut impl Sink, hit: Option<usize>, kind: u64, key: u64, value: f32) {
        sink.dense(hit, mixed(kind, key, self.language), value);
        sink.dense(hit, mixed(kind, key, 0), value);
    }

    /// What the turns of phrase add up to, in steps.
    fn tell_cues(&self, sink: &mut impl Sink) {
        for (sum, sign) in self.cues.iter().zip(0u64..) {
            let step = sum.round().clamp(-2.0, 4.0) as i64;
            if step != 0 {
                self.everywhere(sink, None, CUE, sign * 16 + (step + 2).unsigned_abs(), TEXT_VALUE);
            }
        }
    }

    /// Whom it speaks to: names that it begins with, how many there are, and whether one is that of a help desk.
    fn tell_names(&self, sink: &mut impl Sink) {
        let is_name = |a: &&Atom<'_>| a.kind == AtomKind::Any && a.form == "name";
        let names = self.atoms.iter().filter(is_name).count();
        if names == 0 {
            return;
        }
        let leading = self.atoms.iter().filter(|a| a.kind != AtomKind::Mark).take_while(is_name).count();
        let desk = |a: &Atom<'_>| {
            let name = self.text.get(a.start..a.end).unwrap_or("").to_lowercase();
            DESKS.iter().any(|desk| name.contains(desk))
        };
        let desk = self.atoms.iter().filter(is_name).any(desk);
        for (kind, count) in [(LEADING, leading.min(3)), (NAMES, names.min(4)), (DESK, usize::from(desk))] {
            if count > 0 {
                sink.dense(None, mixed(kind, count as u64, 0), TEXT_VALUE);
            }
        }
    }

    /// What the lexicon found: the sum of each side, how often each strength, and which came last.
    fn tell_hits(&self, sink: &mut impl Sink) {
        let shipped = || self.hits.iter().enumerate().filter(|(_, h)| !h.house && h.strength != 0.0);
        for (side, positive) in [(0, false), (1, true)] {
            let of_side = || shipped().filter(|(_, h)| (h.strength > 0.0) == positive);
            let sum: f32 = of_side().map(|(_, h)| h.strength.abs()).sum();
            // Every hit has its share of what the sum says.
            for (n, hit) in of_side() {
                let share = hit.strength.abs() / (sum + HALF);
                self.everywhere(sink, Some(n), SUM, side, SUM_VALUE * share);
            }
        }
        let mut counts = [[0u16; 2]; 9];
        let place = |h: &Hit| (h.strength.round().clamp(-STRONGEST, STRONGEST) as i32 + 4) as usize;
        for (_, hit) in shipped() {
            counts[place(hit)][usize::from(hit.turned)] += 1;
        }
        for (n, hit) in shipped() {
            let count = f32::from(counts[place(hit)][usize::from(hit.turned)]);
            let key = place(hit) as u64 * 2 + u64::from(hit.turned);
            self.everywhere(sink, Some(n), STRENGTH, key, STRENGTH_VALUE / count.sqrt());
        }
        match shipped().next_back() {
            Some((n, hit)) => {
                let key = place(hit) as u64 * 2 + u64::from(hit.turned);
                self.everywhere(sink, Some(n), LAST, key, STRENGTH_VALUE);
            }
            None => self.everywhere(sink, None, NONE, 0, STRENGTH_VALUE),
        }
    }
}
