//! How a text feels: −1..1, with the words that made it.
//!
//! A linear model over words, pieces of words, pairs and what the lexicons say ([`super::features`]), trained by
//! `vakt train` on labelled texts of twelve languages. Where the house has a word of its own, the house decides what it
//! says. A language that the model was not measured on is [`Label::Unscored`].

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};

use super::atoms::{Atom, AtomKind, word_number};
use super::cues::{Cues, Sums};
use super::features::{self, COLUMNS, Known, Reading, Sink};
use super::hash::Table;
use super::lent::Lender;
use super::lexicon::{Lexicon, Role, STRONGEST, sign};
use super::weights::Weights;
use crate::model::mention::NEGATIVE;

/// What a score comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// Negative.
    Negative,
    /// Neither.
    Neutral,
    /// Positive.
    Positive,
    /// The language is not known to the scorer, which is not the same as neutral.
    Unscored,
}

impl Label {
    /// The three that a scored text can have, in the order of the model's columns.
    pub const SCORED: [Label; 3] = [Label::Negative, Label::Neutral, Label::Positive];

    /// The word used in queries and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Label::Negative => "negative",
            Label::Neutral => "neutral",
            Label::Positive => "positive",
            Label::Unscored => "unscored",
        }
    }
}

/// A term with what it added to a score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// As it was read.
    pub term: String,
    /// −1..1.
    pub weight: f32,
}

/// The sentiment of a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// −1..1.
    pub value: f32,
    /// What it comes to.
    pub label: Label,
    /// 0..1: the share that the model gives to its label.
    pub confidence: f32,
    /// What made it, strongest first.
    pub why: Vec<Reason>,
}

impl Score {
    /// That of a text in a language that is not scored.
    pub fn unscored() -> Score {
        Score { value: 0.0, label: Label::Unscored, confidence: 0.0, why: Vec::new() }
    }
}

/// What the table's makers know of a language.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// Added to negative, neutral and positive before the largest is taken.
    pub lean: [f32; 3],
}

/// What stands beside the weights.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Languages that it was measured on.
    pub languages: BTreeMap<String, Tuning>,
    /// Added to a complaint's column, so that more than 0 is a complaint.
    pub complaint: f32,
    /// F1 of complaints on texts held out in turn, 0..1.
    pub complaint_f1: f64,
    /// The sets that it was trained on, with their rows.
    pub trained_on: BTreeMap<String, usize>,
}

/// The table that `vakt train` makes.
pub type Feelings = Weights<COLUMNS, About>;

static SHIPPED: LazyLock<Option<Feelings>> =
    LazyLock::new(|| Weights::from_bytes(include_bytes!("weights/feelings.bin")).ok());

/// The table that ships. A test reads it; without it nothing would be scored.
pub fn shipped() -> Option<&'static Feelings> {
    SHIPPED.as_ref()
}

/// A text heard: how it feels, and how much it sounds like a complaint.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// Its sentiment.
    pub score: Score,
    /// Above 0 it sounds like a complaint.
    pub complaint: f32,
    /// What its turns of phrase add up to.
    pub cues: Sums,
    /// The author speaks of their own dealings.
    pub own: bool,
}

/// Scores texts by the table that ships and the house's own words.
#[derive(Debug, Default, Clone)]
pub struct Scorer {
    house: Lexicon,
}

/// Words in one memory of a language; a full one is emptied.
const REMEMBERED: usize = 40_000;

/// What is remembered of words, and room for one text's.
#[derive(Default)]
struct Memory {
    words: Table<u64, Known>,
    noted: Vec<Known>,
}

static MEMORIES: Lender<Memory> = Lender::new();

/// What a house word of strength 1 adds to its side.
const HOUSE: f32 = 4.0;
/// Reasons that are kept, and the smallest that is one.
const REASONS: usize = 6;
const LEAST: f32 = 0.06;

impl Scorer {
    /// A scorer with the house's own words and phrases, −1..1, which go before all others in every language.
    pub fn new(house: impl IntoIterator<Item = (String, f32)>) -> Scorer {
        Scorer { house: Lexicon::of_house(house) }
    }

    /// Hears a text by its atoms. `language` is a code that vakt knows.
    pub fn hear(&self, text: &str, atoms: &[Atom<'_>], language: &'static str) -> Heard {
        let Some((table, tuning)) = shipped().and_then(|t| Some((t, t.about.languages.get(language)?))) else {
            return Heard { score: Score::unscored(), complaint: 0.0, cues: Sums::default(), own: false };
        };
        let none = Lexicon::default();
        let lexicon = Lexicon::of(language).unwrap_or(&none);
        let cues = Cues::of(language);
        let mut memory = MEMORIES.lend(language);
        let Memory { words, noted } = &mut *memory;
        let reading = Reading::new(text, atoms, language, lexicon, &self.house, std::mem::take(noted), |atom| {
            let key = atom.key();
            if let Some(known) = words.get(&key) {
                return *known;
            }
            if words.len() >= REMEMBERED {
                words.clear();
            }
            let known = know(atom, language, lexicon, cues, table);
            words.insert(key, known);
            known
        });
        let mut sum = Sum::new(table, &reading);
        reading.tell(&mut sum);
        let mut heard = sum.comes_to(&reading, tuning);
        if let Some(cues) = cues {
            heard.own = cues.speaks_of_own(&reading.known);
        }
        *noted = reading.known;
        heard
    }
}

/// What lexicon and cues say of an atom by itself, without weights.
pub fn listed(atom: &Atom<'_>, lexicon: &Lexicon, cues: Option<&Cues>) -> Known {
    let letters = atom.has_letters();
    let (classes, begins_cue) = cues.filter(|_| letters).map_or((0, false), |cues| cues.of_word(&atom.form));
    let role = match atom.kind {
        AtomKind::Sign => sign(&atom.form).map(Role::Strength),
        _ if letters => lexicon.role(&atom.form),
        _ => None,
    };
    let begins_phrase = lexicon.begins_phrase(&atom.form);
    Known { role, begins_phrase, begins_cue, classes, word: word_number(&atom.form), ..Known::default() }
}

fn know(atom: &Atom<'_>, language: &str, lexicon: &Lexicon, cues: Option<&Cues>, table: &Feelings) -> Known {
    let mut known = listed(atom, lexicon, cues);
    features::own(atom, language, |feature, value| {
        let value = table.add_telling(feature, value, &mut known.sum);
        known.length += value * value;
    });
    known
}

/// The sum of a text's features, and which atom and hit gave what.
struct Sum<'a> {
    table: &'a Feelings,
    sparse: [f32; COLUMNS],
    dense: [f32; COLUMNS],
    length: f32,
    by_atom: SmallVec<[f32; 96]>,
    by_hit: SmallVec<[f32; 16]>,
}

/// How far weights lean to the positive side.
fn leaning(sum: &[f32; COLUMNS]) -> f32 {
    sum[2] - sum[0]
}

impl<'a> Sum<'a> {
    fn new(table: &'a Feelings, reading: &Reading<'_>) -> Sum<'a> {
        Sum {
            table,
            sparse: [0.0; COLUMNS],
            dense: [0.0; COLUMNS],
            length: 0.0,
            by_atom: smallvec![0.0; reading.atoms.len()],
            by_hit: smallvec![0.0; reading.hits.len()],
        }
    }

    fn comes_to(mut self, reading: &Reading<'_>, tuning: &Tuning) -> Heard {
        let scale = if self.length > 0.0 { 1.0 / self.length.sqrt() } else { 0.0 };
        let mut z = self.dense;
        z.iter_mut().zip(self.sparse).for_each(|(z, s)| *z += s * scale);
        self.by_atom.iter_mut().for_each(|w| *w *= scale);
        for (hit, by) in reading.hits.iter().zip(&mut self.by_hit).filter(|(h, _)| h.house) {
            let push = HOUSE * hit.strength / STRONGEST;
            *by += push;
            z[if push > 0.0 { 2 } else { 0 }] += push.abs();
        }
        if reading.has_no_words() {
            // Signs alone say what they say.
            let push: f32 = reading.hits.iter().map(|h| h.strength).sum();
            z[if push > 0.0 { 2 } else { 0 }] += push.abs();
        }
        z.iter_mut().zip(tuning.lean).for_each(|(z, lean)| *z += lean);
        let complaint = z[3] + self.table.about.complaint;
        let (value, label, confidence) = judged([z[0], z[1], z[2]]);
        let score = Score { value, label, confidence, why: self.why(reading) };
        Heard { score, complaint, cues: reading.cues, own: false }
    }

    /// What made it: hits with all atoms that they span, then atoms alone.
    fn why(&self, reading: &Reading<'_>) -> Vec<Reason> {
        let mut told: SmallVec<[bool; 96]> = smallvec![false; reading.atoms.len()];
        let mut found: SmallVec<[(usize, usize, f32); 64]> = SmallVec::new();
        for (hit, by) in reading.hits.iter().zip(&self.by_hit) {
            let mut weight = *by;
            for at in hit.from..=hit.to {
                if !std::mem::replace(&mut told[at], true) {
                    weight += self.by_atom[at];
                }
            }
            found.push((hit.from, hit.to, weight));
        }
        found.extend(self.by_atom.iter().enumerate().filter(|(at, _)| !told[*at]).map(|(at, w)| (at, at, *w)));
        found.retain(|(_, _, w)| w.abs() >= LEAST);
        found.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()).then(a.0.cmp(&b.0)));
        found.truncate(REASONS);
        let raw = |from: usize, to: usize| {
            let span = reading.atoms.get(from).map_or(0, |a| a.start)..reading.atoms.get(to).map_or(0, |a| a.end);
            reading.text.get(span).unwrap_or("").to_owned()
        };
        found.into_iter().map(|(from, to, w)| Reason { term: raw(from, to), weight: w / (1.0 + w.abs()) }).collect()
    }
}

impl Sink for Sum<'_> {
    fn own(&mut self, at: usize, _: &Atom<'_>, known: &Known) {
        self.sparse.iter_mut().zip(known.sum).for_each(|(sum, w)| *sum += w);
        self.length += known.length;
        self.by_atom[at] += leaning(&known.sum);
    }

    fn sparse(&mut self, at: usize, pair: bool, feature: u64, value: f32) {
        let mut sum = [0.0; COLUMNS];
        let value = self.table.add_telling(feature, value, &mut sum);
        self.sparse.iter_mut().zip(sum).for_each(|(all, w)| *all += w);
        self.length += value * value;
        let leaning = leaning(&sum);
        if pair && at > 0 {
            self.by_atom[at - 1] += leaning / 2.0;
            self.by_atom[at] += leaning / 2.0;
        } else {
            self.by_atom[at] += leaning;
        }
    }

    fn dense(&mut self, hit: Option<usize>, feature: u64, value: f32) {
        let mut sum = [0.0; COLUMNS];
        self.table.add(feature, value, &mut sum);
        self.dense.iter_mut().zip(sum).for_each(|(all, w)| *all += w);
        if let Some(hit) = hit {
            self.by_hit[hit] += leaning(&sum);
        }
    }
}

/// The shares of three classes.
pub fn shares(z: [f32; 3]) -> [f32; 3] {
    let most = z.iter().copied().fold(f32::MIN, f32::max);
    let e = z.map(|z| (z - most).exp());
    let sum: f32 = e.iter().sum();
    e.map(|e| e / sum)
}

/// The label of sums under a tuning; with `two`, of the sides alone, for texts that have no neutral ones among them.
pub fn judged_label(mut z: [f32; 3], tuning: &Tuning, two: bool) -> Label {
    z.iter_mut().zip(tuning.lean).for_each(|(z, lean)| *z += lean);
    match judged(z) {
        (value, ..) if two => {
            if value > 0.0 {
                Label::Positive
            } else {
                Label::Negative
            }
        }
        (_, label, _) => label,
    }
}

/// Value, label and share of the label. The label is that of the largest share; the value is how much more positive than
/// negative it is, and lies on its label's side of the cut-offs that the whole of vakt uses.
fn judged(z: [f32; 3]) -> (f32, Label, f32) {
    let p = shares(z);
    let leaning = p[2] - p[0];
    let cut = -NEGATIVE;
    if p[1] >= p[0] && p[1] >= p[2] {
        // Neither: squeezed between the cut-offs, the nearer the stronger it leans.
        (leaning * cut * 0.999, Label::Neutral, p[1])
    } else if leaning > 0.0 {
        (leaning.max(cut).min(1.0), Label::Positive, p[2])
    } else {
        (leaning.min(-cut).max(-1.0), Label::Negative, p[0])
    }
}

#[cfg(test)]
mod tests {
    use super::super::atoms::atoms;
    use super::super::tokens::Tokens;
    use super::*;

    fn with(scorer: &Scorer, text: &str, language: &'static str) -> Score {
        scorer.hear(text, &atoms(&Tokens::read(text)), language).score
    }

    fn score(text: &str, language: &'static str) -> Score {
        with(&Scorer::default(), text, language)
    }

    #[test]
    fn the_table_that_ships_is_whole() {
        let table = shipped().expect("it is read");
        for language in ["sv", "de", "it", "es", "en", "fr", "pt", "nl", "da", "no", "fi", "pl"] {
            assert!(table.about.languages.contains_key(language), "{language}");
            assert!(Lexicon::of(language).is_some_and(|l| !l.is_empty()), "{language}");
        }
    }

    #[test]
    fn the_five_languages_tell_a_fire_from_a_delight() {
        for (language, bad, good) in [
            (
                "en",
                "My Acme kettle caught fire, this is unacceptable and dangerous",
                "I love my new Acme kettle, great quality, thanks!",
            ),
            (
                "sv",
                "Min vattenkokare började brinna, livsfarligt och helt oacceptabelt",
                "Älskar min nya kokare, fantastisk kvalitet, tack!",
            ),
            (
                "de",
                "Mein Wasserkocher ist geschmolzen, das ist lebensgefährlich",
                "Toller Wasserkocher, bin sehr zufrieden, danke!",
            ),
            (
                "it",
                "Il bollitore ha preso fuoco, pericoloso e inaccettabile",
                "Adoro il mio nuovo bollitore, ottimo, grazie!",
            ),
            (
                "es",
                "El hervidor se quemó, es peligroso y una vergüenza",
                "Me encanta mi nuevo hervidor, excelente, gracias!",
            ),
        ] {
            assert_eq!(score(bad, language).label, Label::Negative, "{bad}");
            assert_eq!(score(good, language).label, Label::Positive, "{good}");
        }
    }

    #[test]
    fn negation_contrast_and_emphasis() {
        for (text, language) in [
            ("not good", "en"),
            ("I don't like it", "en"),
            ("The service is anything but good", "en"),
            ("inte bra", "sv"),
            ("fungerar inte", "sv"),
            ("nicht gut", "de"),
            ("alles andere als gut", "de"),
            ("funktioniert nicht", "de"),
            ("non è buono", "it"),
            ("no es bueno", "es"),
        ] {
            assert!(score(text, language).value < 0.0, "{text}");
        }
        assert!(score("Gar nicht schlecht", "de").value > 0.0 && score("not bad at all", "en").value > 0.0);
        assert!(score("very good", "en").value > score("good", "en").value);
        assert!(score("nice design but dangerous", "en").value < score("dangerous but nice design", "en").value);
        assert!(score("❤️", "en").value > 0.15 && score("😡", "sv").value < -0.15);
        assert!(score("soooo gooood :)", "en").value > 0.3 && score("it is what it is :(", "en").value < 0.0);
    }

    #[test]
    fn the_house_knows_better_and_reasons_are_told() {
        let scorer = Scorer::new([
            ("war zone".to_owned(), 0.0),
            ("glow".to_owned(), 0.9),
            ("fire sale".to_owned(), 0.3),
            ("squeak".to_owned(), -0.8),
        ]);
        assert!(with(&scorer, "the fire sale", "en").value > 0.0);
        assert_eq!(with(&scorer, "War Zone is out on Friday", "en").label, Label::Neutral);
        assert_eq!(with(&scorer, "a squeak in the evening", "en").label, Label::Negative);
        let s = with(&scorer, "terrible glow, not good", "en");
        assert!(s.why.iter().any(|r| r.term == "glow" && r.weight > 0.0), "{:?}", s.why);
        assert!(s.why.iter().any(|r| r.term == "not good" && r.weight < 0.0), "{:?}", s.why);
    }

    #[test]
    fn a_language_that_was_not_measured_is_unscored() {
        assert_eq!(score("Ужасный чайник", "ru").label, Label::Unscored);
        assert_eq!(score("good", "und").label, Label::Unscored);
    }

    proptest::proptest! {
        #[test]
        fn stays_on_the_scale_and_on_its_labels_side(text in "\\PC{0,120}") {
            for language in ["en", "de"] {
                let s = score(&text, language);
                proptest::prop_assert!((-1.0..=1.0).contains(&s.value) && s.why.len() <= REASONS);
                let by_value = match s.value {
                    v if v <= NEGATIVE => Label::Negative,
                    v if v >= -NEGATIVE => Label::Positive,
                    _ => Label::Neutral,
                };
                proptest::prop_assert_eq!(by_value, s.label);
            }
        }
    }
}
