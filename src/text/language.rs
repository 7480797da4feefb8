//! Which language a text is in; `und` where nobody can know.
//!
//! A fast look by whichlang; where its answer is one that it confuses with a language it does not have, or the text is
//! short, whatlang is asked as well. The source's own tag decides between close answers.

use std::sync::LazyLock;

use whichlang::Lang as Fast;

use super::hash::Table;
use super::tokens::{Kind, Tokens};

/// The code of a text whose language is not known.
pub const UNKNOWN: &str = "und";

const CODES: [&str; 32] = [
    "ar", "bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu", "it", "ja",
    "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "ta", "tr", "uk", "vi", "zh",
];

/// The static code of a known language tag (`de-AT` is `de`, `nb` and `nn` are `no`), else `und`.
pub fn known(tag: &str) -> &'static str {
    let main = tag.split(['-', '_']).next().unwrap_or("").to_ascii_lowercase();
    let main = if matches!(main.as_str(), "nb" | "nn") { "no" } else { main.as_str() };
    CODES.iter().find(|c| **c == main).copied().unwrap_or(UNKNOWN)
}

/// Bytes of words that are looked at.
const SAMPLE: usize = 280;
/// Fewer letters than this, and only the source's own tag is believed.
const FEWEST: usize = 12;
/// Fewer letters than this, and the careful look is taken as well.
const SHORT: usize = 40;

/// The language of a text. `hint` is the tag that the source declares.
pub fn detect(tokens: &Tokens<'_>, hint: Option<&str>) -> &'static str {
    let hint = hint.map(known).filter(|c| *c != UNKNOWN);
    let mut sample = String::with_capacity(SAMPLE + 40);
    for token in tokens.list.iter().filter(|t| t.kind == Kind::Word) {
        if sample.len() > SAMPLE {
            break;
        }
        sample.push_str(&token.form);
        sample.push(' ');
    }
    let letters = sample.chars().filter(|c| c.is_alphabetic()).take(SHORT).count();
    let wide = sample.chars().any(|c| c >= '\u{e00}');
    if letters < FEWEST && !(wide && letters >= 3) {
        return hint.unwrap_or(UNKNOWN);
    }
    let fast = fast_code(whichlang::detect_language(&sample));
    if Some(fast) == hint {
        return fast;
    }
    let sure = matches!(fast, "en" | "de" | "fr" | "ja" | "ko" | "zh" | "hi" | "ar" | "vi");
    if hint.is_none() && letters >= SHORT && (sure || confirmed(tokens, fast)) {
        return fast;
    }
    let Some(careful) = whatlang::detect(&sample) else { return hint.unwrap_or(fast) };
    let code = slow_code(careful.lang());
    if code == fast || Some(code) == hint {
        return code;
    }
    // The fast look has no Danish, Norwegian, Finnish, Polish, …: a reliable careful look may bring them in.
    if careful.is_reliable() && code != UNKNOWN && !FAST_CODES.contains(&code) {
        return code;
    }
    match hint {
        Some(hint) if letters < SHORT || !careful.is_reliable() => hint,
        _ => fast,
    }
}

/// Small words that tell a language from those that look like it.
const TELLING: &[(&str, &[&str])] = &[
    (
        "sv",
        &["och", "att", "är", "inte", "jag", "på", "från", "efter", "eller", "också", "någon", "mycket", "sig", "nu"],
    ),
    ("it", &["che", "non", "il", "di", "della", "è", "sono", "per", "gli", "anche", "più", "questo", "ho", "mio"]),
    ("es", &["el", "los", "que", "por", "y", "pero", "está", "una", "muy", "más", "las", "es", "mi", "con"]),
    ("pt", &["não", "uma", "você", "são", "também", "muito", "mas", "isso", "meu", "pela", "foi", "está"]),
    ("nl", &["het", "een", "niet", "van", "ik", "zijn", "dat", "ook", "maar", "naar", "voor", "wel"]),
];

/// So many small words, more than of any other language, make the fast look sure.
const ENOUGH: usize = 2;

/// The languages that a small word tells, as bits.
static SMALL: LazyLock<Table<&'static str, u8>> = LazyLock::new(|| {
    let mut table: Table<&'static str, u8> = Table::default();
    for ((_, words), bit) in TELLING.iter().zip(0..) {
        for word in *words {
            *table.entry(word).or_default() |= 1 << bit;
        }
    }
    table
});

/// Whether the small words of a text say the same as the fast look.
fn confirmed(tokens: &Tokens<'_>, fast: &str) -> bool {
    let mut hits = [0usize; TELLING.len()];
    for bits in tokens.list.iter().take(60).filter_map(|t| SMALL.get(t.form.as_ref())) {
        for (n, bit) in hits.iter_mut().zip(0..) {
            *n += usize::from(bits >> bit & 1);
        }
    }
    let own = TELLING.iter().position(|(code, _)| *code == fast).and_then(|n| hits.get(n)).copied().unwrap_or(0);
    own >= ENOUGH && hits.iter().filter(|n| **n >= own).count() == 1
}

const FAST_CODES: [&str; 16] =
    ["ar", "nl", "en", "fr", "de", "hi", "it", "ja", "ko", "zh", "pt", "ru", "es", "sv", "tr", "vi"];

fn fast_code(lang: Fast) -> &'static str {
    match lang {
        Fast::Ara => "ar",
        Fast::Cmn => "zh",
        Fast::Deu => "de",
        Fast::Eng => "en",
        Fast::Fra => "fr",
        Fast::Hin => "hi",
        Fast::Ita => "it",
        Fast::Jpn => "ja",
        Fast::Kor => "ko",
        Fast::Nld => "nl",
        Fast::Por => "pt",
        Fast::Rus => "ru",
        Fast::Spa => "es",
        Fast::Swe => "sv",
        Fast::Tur => "tr",
        Fast::Vie => "vi",
    }
}

fn slow_code(lang: whatlang::Lang) -> &'static str {
    use whatlang::Lang::*;
    match lang {
        Ara => "ar",
        Bul => "bg",
        Cat => "ca",
        Ces => "cs",
        Dan => "da",
        Deu => "de",
        Ell => "el",
        Eng => "en",
        Spa => "es",
        Est => "et",
        Pes => "fa",
        Fin => "fi",
        Fra => "fr",
        Heb => "he",
        Hin => "hi",
        Hrv => "hr",
        Hun => "hu",
        Ita => "it",
        Jpn => "ja",
        Kor => "ko",
        Nld => "nl",
        Nob => "no",
        Pol => "pl",
        Por => "pt",
        Ron => "ro",
        Rus => "ru",
        Swe => "sv",
        Tam => "ta",
        Tur => "tr",
        Ukr => "uk",
        Vie => "vi",
        Cmn => "zh",
        _ => UNKNOWN,
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
    }

    #[test]
    fn little_text_is_the_sources_word_or_unknown() {
        assert_eq!(of("ok!", None), UNKNOWN);
        assert_eq!(of("ok!", Some("sv-SE")), "sv");
        assert_eq!(of("🔥🔥 https://a.example/en/the-fire", None), UNKNOWN);
        assert_eq!(known("nb"), "no");
    }
}
