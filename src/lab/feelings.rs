//! Makes the table of feelings: sentiment in three classes, and whether a text is a complaint.
//!
//! Sets differ. Some have no neutral texts: their lessons leave the neutral column as it is. Some have ten times the texts
//! of others, or classes of very different size: every class of every set of a language counts the same within its set,
//! and sets of weak or foreign texts (subtitles) count less. What a language then leans to is set on texts that were held
//! out in turn.

use std::collections::BTreeMap;

use super::learn::{Features, Lesson, Pace, learn, sum};
use crate::text::atoms::{Atom, atoms};
use crate::text::cues::Cues;
use crate::text::features::{self, COLUMNS, Known, Reading, Sink};
use crate::text::lexicon::Lexicon;
use crate::text::sentiment::{About, Feelings, Label, Tuning, judged_label, listed};
use crate::text::tokens::Tokens;
use crate::text::weights::Weights;

/// What people said of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// How it feels.
    Feels(Label),
    /// Whether it is a complaint.
    Complains(bool),
}

/// A labelled text.
#[derive(Debug, Clone)]
pub struct Example {
    /// The set that it is from.
    pub set: &'static str,
    /// Its language.
    pub language: &'static str,
    /// What people said of it.
    pub said: Said,
    /// The set has no neutral texts.
    pub two: bool,
    /// How much its set counts.
    pub weight: f32,
    /// The text.
    pub text: String,
}

/// Buckets of the table, as a power of two.
const BITS: u32 = 19;
const PACE: Pace = Pace { rounds: 5, step: 0.5 };
/// Parts of which each is held out once for tuning.
const FOLDS: u64 = 5;
/// Bytes that are read of a text: its beginning says how it feels.
const READ: usize = 3000;

const TWO: [usize; 2] = [0, 2];
const THREE: [usize; 3] = [0, 1, 2];
const COMPLAINT: [usize; 2] = [0, 1];

/// Texts by a number, with the sums of the three columns: the number of an example, or of the class that people gave.
type Sums = Vec<(usize, [f32; 3])>;
/// The outcome of held-out texts, by the number of the example.
pub type HeldOut = Sums;

/// Makes the table, and the sums that every example of sentiment got while it was held out, by its number.
pub fn make(examples: &[Example], mut progress: impl FnMut(&str)) -> (Feelings, HeldOut) {
    progress("reading");
    let real = examples.len();
    let examples = &with_twins(examples);
    let (telling, texts) = read(examples);
    let weights = weights(examples);
    progress("holding out");
    let held = hold_out(examples, &texts, &weights);
    let mut about = About { languages: lean(examples, &held), ..About::default() };
    for e in examples.iter().take(real) {
        *about.trained_on.entry(format!("{}/{}", e.set, e.language)).or_default() += 1;
    }
    progress("learning");
    let of_feeling = lessons(examples, &texts, &weights, feeling, |_| true);
    let feelings: Vec<[f32; 3]> = learn(&of_feeling, 1 << BITS, PACE);
    let complaints = lessons(examples, &texts, &weights, complaint, |_| true);
    let sounds: Vec<[f32; 2]> = learn(&complaints, 1 << BITS, PACE);
    (about.complaint_f1, about.complaint) = complaint_cut(examples, real, &texts, &weights);
    let rows: Vec<[f32; COLUMNS]> =
        feelings.iter().zip(&sounds).map(|(f, s)| [f[0], f[1], f[2], s[1] - s[0]]).collect();
    (Weights::pack(&telling, &rows, about), held)
}

/// The examples, and behind them a twin without names for each that teaches of complaints: complaints of the sets are tweets
/// that speak to an account, those of mails and forums are not.
fn with_twins(examples: &[Example]) -> Vec<Example> {
    let twin = |e: &Example| Example { text: nameless(&e.text), weight: e.weight * TWIN, ..e.clone() };
    let twins = examples.iter().filter(|e| matches!(e.said, Said::Complains(_))).map(twin);
    examples.iter().cloned().chain(twins).collect()
}

/// What a twin counts.
const TWIN: f32 = 0.5;

/// A text without the names of accounts.
fn nameless(text: &str) -> String {
    let is_name = |word: &&str| word.trim_start_matches(['.', '"', '(', '-']).starts_with('@');
    text.split_whitespace().filter(|word| !is_name(word)).collect::<Vec<&str>>().join(" ")
}

/// A number that is the same for texts that differ in marks and names alone, so that copies are held out together.
fn likeness(text: &str) -> u64 {
    let plain: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    xxhash_rust::xxh3::xxh3_64(plain.replace("user", "").replace("http", "").as_bytes())
}

/// Collects the features of a text by bucket, sparse and dense apart.
struct Collect<'a> {
    language: &'a str,
    sparse: Features,
    dense: Features,
}

fn bucket(feature: u64) -> u32 {
    (feature & ((1 << BITS) - 1)) as u32
}

impl Sink for Collect<'_> {
    fn own(&mut self, _: usize, atom: &Atom<'_>, _: &Known) {
        let sparse = &mut self.sparse;
        features::own(atom, self.language, |feature, value| sparse.push((bucket(feature), value)));
    }

    fn sparse(&mut self, _: usize, _: bool, feature: u64, value: f32) {
        self.sparse.push((bucket(feature), value));
    }

    fn dense(&mut self, _: Option<usize>, feature: u64, value: f32) {
        self.dense.push((bucket(feature), value));
    }
}

/// How telling every bucket is (the root of the logarithm of how rare it is), and the features of all texts.
fn read(examples: &[Example]) -> (Vec<f32>, Vec<Features>) {
    let none = Lexicon::default();
    let mut of_language: BTreeMap<&str, f32> = BTreeMap::new();
    examples.iter().for_each(|e| *of_language.entry(e.language).or_default() += 1.0);
    let mut share = vec![0f32; 1 << BITS];
    let mut collected: Vec<(Features, Features)> = Vec::with_capacity(examples.len());
    for e in examples {
        let text = beginning(&e.text);
        let tokens = Tokens::read(text);
        let lexicon = Lexicon::of(e.language).unwrap_or(&none);
        let atoms = atoms(&tokens);
        let cues = Cues::of(e.language);
        let reading =
            Reading::new(text, &atoms, e.language, lexicon, &none, Vec::new(), |atom| listed(atom, lexicon, cues));
        let mut sink = Collect { language: e.language, sparse: Vec::with_capacity(400), dense: Vec::new() };
        reading.tell(&mut sink);
        let mut once: Vec<u32> = sink.sparse.iter().map(|(b, _)| *b).collect();
        once.sort_unstable();
        once.dedup();
        let one = 1.0 / of_language.get(e.language).copied().unwrap_or(1.0);
        once.iter().for_each(|b| share[*b as usize] += one);
        collected.push((sink.sparse, sink.dense));
    }
    let telling: Vec<f32> = share.iter().map(|s| (1.0 + 1.0 / s.max(1e-4)).ln().sqrt()).collect();
    let texts = collected.into_iter().map(|(mut sparse, dense)| {
        sparse.iter_mut().for_each(|(b, v)| *v *= telling[*b as usize]);
        let length = sparse.iter().map(|(_, v)| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        sparse.iter_mut().for_each(|(_, v)| *v /= length);
        sparse.extend(dense);
        sparse.shrink_to_fit();
        sparse
    });
    let texts = texts.collect();
    (telling, texts)
}

fn beginning(text: &str) -> &str {
    let mut end = text.len().min(READ);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}

/// What each example counts: every class of a set and language the same.
fn weights(examples: &[Example]) -> Vec<f32> {
    let key = |e: &Example| (e.set, e.language, matches!(e.said, Said::Complains(_)));
    let class = |e: &Example| match e.said {
        Said::Feels(label) => label as usize,
        Said::Complains(yes) => usize::from(yes),
    };
    let mut counts: BTreeMap<_, BTreeMap<usize, f32>> = BTreeMap::new();
    examples.iter().for_each(|e| *counts.entry(key(e)).or_default().entry(class(e)).or_default() += 1.0);
    let weight = |e: &Example| {
        let of = counts.get(&key(e));
        let all: f32 = of.map_or(0.0, |c| c.values().sum());
        let own = of.and_then(|c| c.get(&class(e))).copied().unwrap_or(1.0);
        e.weight * all / (own * of.map_or(1, BTreeMap::len) as f32)
    };
    examples.iter().map(weight).collect()
}

fn column(label: Label) -> usize {
    Label::SCORED.iter().position(|l| *l == label).unwrap_or(1)
}

/// What an example teaches of sentiment: its class, and the classes that its set tells apart.
fn feeling(e: &Example) -> Option<(usize, &'static [usize])> {
    match e.said {
        Said::Feels(label) => Some((column(label), if e.two { &TWO } else { &THREE })),
        Said::Complains(_) => None,
    }
}

/// What an example teaches of complaints.
fn complaint(e: &Example) -> Option<(usize, &'static [usize])> {
    match e.said {
        Said::Complains(yes) => Some((usize::from(yes), &COMPLAINT)),
        Said::Feels(_) => None,
    }
}

/// The lessons of the examples that are taken, by their number.
fn lessons<'a>(
    examples: &[Example],
    texts: &'a [Features],
    weights: &[f32],
    teaches: impl Fn(&Example) -> Option<(usize, &'static [usize])>,
    taken: impl Fn(usize) -> bool,
) -> Vec<Lesson<'a>> {
    let of = |(n, e): (usize, &Example)| {
        let (class, among) = teaches(e).filter(|_| taken(n))?;
        Some(Lesson { features: &texts[n], class, among, weight: weights[n] })
    };
    examples.iter().enumerate().filter_map(of).collect()
}

/// The sums of every example of sentiment by tables that never saw it.
fn hold_out(examples: &[Example], texts: &[Features], weights: &[f32]) -> HeldOut {
    let folds: Vec<u64> = examples.iter().map(|e| likeness(&e.text) % FOLDS).collect();
    let one = |fold: u64| -> HeldOut {
        let lessons = lessons(examples, texts, weights, feeling, |n| folds[n] != fold);
        let rows: Vec<[f32; 3]> = learn(&lessons, 1 << BITS, PACE);
        let held = (0..examples.len()).filter(|n| folds[*n] == fold && matches!(examples[*n].said, Said::Feels(_)));
        held.map(|n| (n, sum(&rows, &texts[n]))).collect()
    };
    // Two at a time: each takes a few megabytes and one core.
    let mut out = HeldOut::new();
    for pair in (0..FOLDS).collect::<Vec<u64>>().chunks(2) {
        std::thread::scope(|scope| {
            let running: Vec<_> = pair.iter().map(|fold| scope.spawn(|| one(*fold))).collect();
            for thread in running {
                match thread.join() {
                    Ok(held) => out.extend(held),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
    }
    out.sort_by_key(|(n, _)| *n);
    out
}

/// Steps that a lean is tried in.
const STEP: f32 = 0.1;
const STEPS: i32 = 12;

/// What every language leans to: the lean under which the mean F1 of its sets is highest.
fn lean(examples: &[Example], held: &HeldOut) -> BTreeMap<String, Tuning> {
    let mut sets: BTreeMap<&str, BTreeMap<&str, Sums>> = BTreeMap::new();
    let mut most: BTreeMap<&str, f32> = BTreeMap::new();
    for e in examples.iter().filter(|e| matches!(e.said, Said::Feels(_))) {
        let most = most.entry(e.language).or_default();
        *most = most.max(e.weight);
    }
    for (n, z) in held {
        if let (e, Said::Feels(label)) = (&examples[*n], examples[*n].said)
            && most.get(e.language).is_some_and(|most| e.weight >= most * MATTERS)
        {
            sets.entry(e.language).or_default().entry(e.set).or_default().push((column(label), *z));
        }
    }
    let tuned = sets.iter().map(|(language, sets)| {
        let mut best = (f64::MIN, [0f32; 3]);
        for (down, up) in (-STEPS..=STEPS).flat_map(|a| (-STEPS..=STEPS).map(move |b| (a, b))) {
            let lean = [down as f32 * STEP, 0.0, up as f32 * STEP];
            // Of two that are as good, the smaller one.
            let cost = f64::from(lean[0].abs() + lean[2].abs()) * 1e-3;
            let mean = sets.values().map(|of_set| f1(of_set, lean)).sum::<f64>() / sets.len() as f64 - cost;
            if mean > best.0 {
                best = (mean, lean);
            }
        }
        let neutral = if *language == "en" { MOSTLY_NEUTRAL } else { 0.0 };
        ((*language).to_owned(), Tuning { lean: [best.1[0], neutral, best.1[2]] })
    });
    let mut tuned: BTreeMap<String, Tuning> = tuned.collect();
    // Languages without neutral texts lean as the others do in the mean.
    let has_three = |l: &str| sets.get(l).is_some_and(|s| s.values().flatten().any(|(c, _)| *c == 1));
    let three: Vec<[f32; 3]> = tuned.iter().filter(|(l, _)| has_three(l)).map(|(_, t)| t.lean).collect();
    let mean = |c: usize| three.iter().map(|l| l[c]).sum::<f32>() / three.len().max(1) as f32;
    for (language, tuning) in &mut tuned {
        if !has_three(language) {
            let off = (tuning.lean[2] - tuning.lean[0]) / 2.0;
            let shift = (mean(0) + mean(2)) / 2.0;
            tuning.lean = [shift - off, 0.0, shift + off];
        }
    }
    tuned
}

/// The English sets were picked so that half of their texts feel something; of posts about brands most are neutral.
const MOSTLY_NEUTRAL: f32 = 0.2;
/// Sets that count less than this share of the language's first one are too weak to set a lean by.
const MATTERS: f32 = 0.5;

/// The mean F1 of the classes of a set under a lean; a set without neutral texts is judged by the side alone.
fn f1(of_set: &[(usize, [f32; 3])], lean: [f32; 3]) -> f64 {
    let two = of_set.iter().all(|(c, _)| *c != 1);
    let mut counts = [[0usize; 3]; 3];
    for (class, z) in of_set {
        counts[*class][column(judged_label(*z, &Tuning { lean }, two))] += 1;
    }
    let classes: &[usize] = if two { &TWO } else { &THREE };
    let of = |c: usize| {
        let (said, there): (usize, usize) = (counts.iter().map(|row| row[c]).sum(), counts[c].iter().sum());
        2.0 * counts[c][c] as f64 / (said + there).max(1) as f64
    };
    classes.iter().map(|c| of(*c)).sum::<f64>() / classes.len() as f64
}

/// What is added to the sum of a complaint so that the F1 of complaints is highest on texts held out in turn, behind that
/// F1. The first `real` examples are judged; the others are their twins, and held out with them.
fn complaint_cut(examples: &[Example], real: usize, texts: &[Features], weights: &[f32]) -> (f64, f32) {
    let mut sums: Vec<(f32, bool)> = Vec::new();
    let folds: Vec<u64> = examples.iter().map(|e| likeness(&nameless(&e.text)) % FOLDS).collect();
    for held in 0..FOLDS {
        let rows: Vec<[f32; 2]> =
            learn(&lessons(examples, texts, weights, complaint, |n| folds[n] != held), 1 << BITS, PACE);
        for (n, e) in examples.iter().enumerate().take(real).filter(|(n, _)| folds[*n] == held) {
            if let Said::Complains(yes) = e.said {
                let z = sum(&rows, &texts[n]);
                sums.push((z[1] - z[0], yes));
            }
        }
    }
    let f1 = |cut: f32| {
        let said = sums.iter().filter(|(z, _)| z + cut > 0.0);
        let (right, all) = said.fold((0usize, 0usize), |(r, a), (_, yes)| (r + usize::from(*yes), a + 1));
        2.0 * right as f64 / (all + sums.iter().filter(|(_, yes)| *yes).count()).max(1) as f64
    };
    let cuts = (-30..=30).map(|n| n as f32 * 0.05);
    cuts.fold((f64::MIN, 0.0), |best, cut| if f1(cut) > best.0 { (f1(cut), cut) } else { best })
}
