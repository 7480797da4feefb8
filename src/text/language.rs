//! Which language a text is in; `und` where nobody can know.
//!
//! Scripts that one language has to itself tell it at once. For the others a linear model adds up what the words say by
//! their pieces, and remembers it of each word. It was trained by `vakt train` on tweets and sentences: on posts it is
//! right more often than whatlang and whichlang, in less time than either, and it knows Danish, Norwegian and Polish,
//! which whichlang does not (`cargo bench --bench text` prints all three).

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::hash::Table;
use super::lent::Lender;
use super::lexicon::squeezed;
use super::tokens::{Kind, Tokens};
use super::weights::Weights;

/// The code of a text whose language is not known.
pub const UNKNOWN: &str = "und";

const CODES: [&str; 43] = [
    "af", "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "eo", "es", "et", "fa", "fi", "fr", "he", "hi", "hr",
    "hu", "hy", "is", "it", "ja", "ka", "ko", "lt", "lv", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "ta",
    "th", "tr", "uk", "vi", "zh",
];

/// The static code of a known language tag (`de-AT` is `de`, `nb` and `nn` are `no`), else `und`.
pub fn known(tag: &str) -> &'static str {
    let main = tag.split(['-', '_']).next().unwrap_or("").to_ascii_lowercase();
    let main = if matches!(main.as_str(), "nb" | "nn") { "no" } else { main.as_str() };
    CODES.iter().find(|c| **c == main).copied().unwrap_or(UNKNOWN)
}

/// Languages that the model tells apart, in the order of its columns.
pub const TONGUES: [&str; 28] = [
    "sv", "de", "it", "es", "en", "fr", "pt", "nl", "da", "no", "fi", "pl", "af", "ca", "cs", "el", "eo", "et", "hu",
    "is", "lt", "lv", "ro", "ru", "sk", "tr", "uk", "vi",
];

/// The table that `vakt train` makes.
pub type Tongues = Weights<{ TONGUES.len() }, About>;

/// What stands beside the weights.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Added to each column.
    pub lean: Vec<f32>,
    /// Texts that it was trained on.
    pub texts: usize,
}

static SHIPPED: LazyLock<Option<Tongues>> =
    LazyLock::new(|| Weights::from_bytes(include_bytes!("weights/tongues.bin")).ok());

/// Words that are looked at.
const WORDS: usize = 50;
/// Fewer letters than this, and only the source's own tag is believed.
const FEWEST: usize = 4;
/// Below this share nobody can know.
const UNSURE: f32 = 0.25;
/// What the source's own tag weighs, as the logarithm of its odds.
const HINT: f32 = 2.0;
/// Words in one memory; a full one is emptied.
const REMEMBERED: usize = 25_000;

/// What a word says: the sum of each column and the squared length of its features.
type Says = ([f32; TONGUES.len()], f32);

static MEMORIES: Lender<Table<u64, Says>> = Lender::new();

/// The language of a text. `hint` is the tag that the source declares.
pub fn detect(tokens: &Tokens<'_>, hint: Option<&str>) -> &'static str {
    guess(tokens, hint).0
}

/// The language of a text, and the share that the model gives it, 0..1.
pub fn guess(tokens: &Tokens<'_>, hint: Option<&str>) -> (&'static str, f32) {
    let hint = hint.map(known).filter(|c| *c != UNKNOWN);
    let words = || tokens.list.iter().filter(|t| t.kind == Kind::Word).take(WORDS);
    let letters = words().flat_map(|t| t.form.chars()).filter(|c| c.is_alphabetic());
    let mut scripts = Scripts::default();
    letters.for_each(|c| scripts.count(c));
    if let Some(code) = scripts.tell(hint) {
        return (code, 1.0);
    }
    if scripts.all < FEWEST {
        return hint.map_or((UNKNOWN, 0.0), |hint| (hint, UNSURE));
    }
    let Some(table) = SHIPPED.as_ref() else { return (hint.unwrap_or(UNKNOWN), 0.0) };
    let mut z = sum(table, words().map(|t| t.form.as_ref()));
    z.iter_mut().zip(&table.about.lean).for_each(|(z, lean)| *z += lean);
    if let Some(hint) = hint.and_then(|h| TONGUES.iter().position(|t| *t == h)) {
        z[hint] += HINT;
    }
    let most = z.iter().copied().fold(f32::MIN, f32::max);
    let all: f32 = z.iter().map(|z| (z - most).exp()).sum();
    let best = z.iter().position(|z| *z >= most).unwrap_or(0);
    let share = 1.0 / all;
    match hint {
        _ if share >= UNSURE => (TONGUES[best], share),
        Some(hint) => (hint, UNSURE),
        None => (UNKNOWN, share),
    }
}

fn sum<'w>(table: &Tongues, words: impl Iterator<Item = &'w str>) -> [f32; TONGUES.len()] {
    let (mut z, mut length) = ([0f32; TONGUES.len()], 0f32);
    let mut memory = MEMORIES.lend(UNKNOWN);
    for word in words {
        let key = xxh3_64_with_seed(word.as_bytes(), 0);
        if memory.len() >= REMEMBERED {
            memory.clear();
        }
        let says = memory.entry(key).or_insert_with(|| {
            let mut says: Says = ([0.0; TONGUES.len()], 0.0);
            pieces(word, |feature| {
                let value = table.add_telling(feature, 1.0, &mut says.0);
                says.1 += value * value;
            });
            says
        });
        z.iter_mut().zip(says.0).for_each(|(z, w)| *z += w);
        length += says.1;
    }
    let scale = 1.0 / length.sqrt().max(f32::MIN_POSITIVE);
    z.map(|z| z * scale)
}

/// Letters of a word that are looked at.
const LONGEST: usize = 30;

/// The features of a word: itself, and its pieces of up to five letters, its ends counted.
pub fn pieces(word: &str, mut add: impl FnMut(u64)) {
    let word = squeezed(word, 2);
    let mut framed = String::with_capacity(word.len() + 2);
    framed.push('^');
    framed.extend(word.chars().take(LONGEST));
    framed.push('$');
    add(xxh3_64_with_seed(framed.as_bytes(), 9));
    let ends: Vec<usize> = framed.char_indices().map(|(at, _)| at).chain([framed.len()]).collect();
    for size in 1..=5usize {
        for window in ends.windows(size + 1) {
            if let (Some(from), Some(to)) = (window.first(), window.last()) {
                let piece = framed.get(*from..*to).unwrap_or("");
                if piece != "^" && piece != "$" {
                    add(xxh3_64_with_seed(piece.as_bytes(), size as u64));
                }
            }
        }
    }
}

/// Letters by script.
#[derive(Default)]
struct Scripts {
    all: usize,
    latin: usize,
    own: [usize; OWN.len()],
    persian: usize,
}

/// Scripts that one language has to itself, or nearly so: where they begin, where they end, and the language.
const OWN: [(char, char, &str); 12] = [
    ('\u{0530}', '\u{058f}', "hy"),
    ('\u{0590}', '\u{05ff}', "he"),
    ('\u{0600}', '\u{06ff}', "ar"),
    ('\u{0900}', '\u{097f}', "hi"),
    ('\u{0980}', '\u{09ff}', "bn"),
    ('\u{0b80}', '\u{0bff}', "ta"),
    ('\u{0e00}', '\u{0e7f}', "th"),
    ('\u{10a0}', '\u{10ff}', "ka"),
    ('\u{3040}', '\u{30ff}', "ja"),
    ('\u{4e00}', '\u{9fff}', "zh"),
    ('\u{ac00}', '\u{d7af}', "ko"),
    ('\u{0370}', '\u{03ff}', "el"),
];
const ARABIC: usize = 2;
const KANA: usize = 8;
const HAN: usize = 9;

impl Scripts {
    fn count(&mut self, c: char) {
        self.all += 1;
        if c.is_ascii() {
            self.latin += 1;
            return;
        }
        if let Some(own) = OWN.iter().position(|(from, to, _)| (*from..=*to).contains(&c)) {
            self.own[own] += 1;
            self.persian += usize::from(matches!(c, 'پ' | 'چ' | 'ژ' | 'گ'));
        }
    }

    /// The language whose own script most letters are of. A tag of the source decides between languages that share one.
    fn tell(&self, hint: Option<&'static str>) -> Option<&'static str> {
        let most = self.own.iter().copied().max().filter(|most| *most > 0)?;
        // A character of these scripts says about as much as three Latin letters.
        let script = self.own.iter().position(|n| *n == most)?;
        let weight = if matches!(script, KANA | HAN) { 3 } else { 1 };
        if most * weight * 2 < self.all {
            return None;
        }
        let code = match script {
            // Japanese is written with both.
            HAN if self.own[KANA] > 0 => "ja",
            ARABIC if hint == Some("fa") || self.persian > 0 => "fa",
            _ => OWN[script].2,
        };
        Some(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, hint: Option<&str>) -> &'static str {
        detect(&Tokens::read(text), hint)
    }

    #[test]
    fn the_first_languages_are_told_apart() {
        assert_eq!(of("Min vattenkokare från Acme började brinna i morse", None), "sv");
        assert_eq!(of("Mein Wasserkocher von Acme hat heute Morgen gebrannt", None), "de");
        assert_eq!(of("Il mio bollitore Acme ha preso fuoco stamattina", None), "it");
        assert_eq!(of("Mi hervidor de Acme empezó a arder esta mañana", None), "es");
        assert_eq!(of("My Acme kettle caught fire this morning", None), "en");
        assert_eq!(of("Min elkedel gik i brand i dag, og jeg er rigtig træt af kundeservice", None), "da");
        assert_eq!(of("Vannkokeren min fra Acme tok fyr i morges", None), "no");
    }

    #[test]
    fn scripts_tell_their_languages() {
        assert_eq!(of("הקומקום שלי עלה באש", None), "he");
        assert_eq!(of("やかんが燃えた 最悪", None), "ja");
        assert_eq!(of("我的水壶着火了 Acme", None), "zh");
        assert_eq!(of("주전자에 불이 났어요", None), "ko");
        assert_eq!(of("کتری من آتش گرفت پس", None), "fa");
    }

    #[test]
    fn little_text_is_the_sources_word_or_unknown() {
        assert_eq!(of("ok!", None), UNKNOWN);
        assert_eq!(of("ok!", Some("sv-SE")), "sv");
        assert_eq!(of("🔥🔥 https://a.example/en/the-fire", None), UNKNOWN);
        assert_eq!(known("nb"), "no");
    }

    #[test]
    fn the_source_decides_between_close_answers_only() {
        assert_eq!(of("takk for hjelpen", Some("nn")), "no");
        assert_eq!(of("Mein Wasserkocher hat heute Morgen gebrannt und niemand antwortet", Some("en")), "de");
    }
}
