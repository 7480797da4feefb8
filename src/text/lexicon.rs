//! Lists of words with a strength, one file per language, and the house's own words.
//!
//! A line begins with a strength from −4 to 4 (or `!` for words that turn what follows, `+` and `-` for those that make
//! it stronger and weaker, `&` for those after which what comes counts for more), then its terms. `word*` is a beginning,
//! `two_words` a phrase. Lines that begin with `#` are remarks.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::{LazyLock, OnceLock};

use super::atoms::word_number;
use super::hash::{Quick, Table};
use super::tokens::Tokens;

/// What a word does to those around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    /// Carries a strength of its own, −4..4.
    Strength(f32),
    /// Turns what follows.
    Not,
    /// Makes what follows stronger or weaker.
    Scale(f32),
    /// What follows counts for more than what came before.
    But,
}

/// The strengths of words, beginnings and phrases.
#[derive(Debug, Default, Clone)]
pub struct Lexicon {
    words: Table<String, Role>,
    beginnings: Table<String, f32>,
    shortest: usize,
    /// The first words of phrases.
    openings: HashSet<u64, BuildHasherDefault<Quick>>,
    /// Phrases by the numbers of their two first words: the words that follow the first, and what they do.
    phrases: Table<u64, Vec<(Vec<String>, Role)>>,
    /// A bit for each way that a term begins: a short list, as a house's is, passes nearly every word over by it.
    heads: [u64; HEADS / 64],
}

/// Bits for the beginnings of terms, and the bytes that are looked at.
const HEADS: usize = 1024;
const HEAD: usize = 3;

/// Where the beginning of a form has its bit.
fn head_of(form: &str) -> (usize, u64) {
    let head = form.as_bytes().iter().take(HEAD).fold(0u32, |all, b| all << 8 | u32::from(*b));
    let hash = head.wrapping_mul(0x9e37_79b1) >> 22;
    (hash as usize / 64, 1 << (hash % 64))
}

const TEXTS: [(&str, &str); 12] = [
    ("sv", include_str!("lexicon/sv.txt")),
    ("de", include_str!("lexicon/de.txt")),
    ("it", include_str!("lexicon/it.txt")),
    ("es", include_str!("lexicon/es.txt")),
    ("en", include_str!("lexicon/en.txt")),
    ("fr", include_str!("lexicon/fr.txt")),
    ("pt", include_str!("lexicon/pt.txt")),
    ("nl", include_str!("lexicon/nl.txt")),
    ("da", include_str!("lexicon/da.txt")),
    ("no", include_str!("lexicon/no.txt")),
    ("fi", include_str!("lexicon/fi.txt")),
    ("pl", include_str!("lexicon/pl.txt")),
];

/// Emoji and emoticons, the same in every language.
const SIGNS: &str = include_str!("lexicon/signs.txt");

/// The strongest that a word can be.
pub const STRONGEST: f32 = 4.0;

static ALL: [OnceLock<Lexicon>; TEXTS.len()] = [const { OnceLock::new() }; TEXTS.len()];

static SIGN_STRENGTHS: LazyLock<Table<&'static str, f32>> = LazyLock::new(|| {
    let lines = SIGNS.lines().filter(|l| !l.starts_with('#'));
    let strengths = lines.filter_map(|l| {
        let mut parts = l.split_whitespace();
        Some((parts.next()?.parse::<f32>().ok()?, parts))
    });
    strengths.flat_map(|(strength, signs)| signs.map(move |s| (s, strength))).collect()
});

/// The strength of an emoji or emoticon that has one, −4..4. Tones of skin and other dress do not matter.
pub fn sign(form: &str) -> Option<f32> {
    let whole = SIGN_STRENGTHS.get(form).copied();
    whole.or_else(|| {
        let first = form.chars().next().filter(|c| *c >= '\u{203c}')?;
        SIGN_STRENGTHS.get(first.encode_utf8(&mut [0; 4]) as &str).copied()
    })
}

impl Lexicon {
    /// The lexicon that ships for a language.
    pub fn of(language: &str) -> Option<&'static Lexicon> {
        let (place, (_, text)) = ALL.iter().zip(TEXTS).find(|(_, (code, _))| *code == language)?;
        Some(place.get_or_init(|| Lexicon::read(text)))
    }

    fn read(text: &str) -> Lexicon {
        let mut out = Lexicon { shortest: usize::MAX, ..Lexicon::default() };
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            let mut parts = line.split_whitespace();
            let Some(head) = parts.next() else { continue };
            let role = match head {
                "!" => Role::Not,
                "+" => Role::Scale(1.35),
                "-" => Role::Scale(0.7),
                "&" => Role::But,
                // The files are ours, and a test reads every line of them.
                n => Role::Strength(n.parse::<f32>().unwrap_or(0.0)),
            };
            for term in parts {
                out.add(&term.replace('_', " "), role);
            }
        }
        out
    }

    /// A lexicon of the house's own words and phrases with strengths from −1 to 1.
    pub fn of_house(words: impl IntoIterator<Item = (String, f32)>) -> Lexicon {
        let mut out = Lexicon { shortest: usize::MAX, ..Lexicon::default() };
        for (term, strength) in words {
            out.add(&term, Role::Strength(strength));
        }
        out
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.beginnings.is_empty() && self.phrases.is_empty()
    }

    fn add(&mut self, term: &str, role: Role) {
        let (term, open) = term.strip_suffix('*').map_or((term, false), |t| (t, true));
        let mut tokens = Tokens::read(term).list.into_iter().map(|t| t.form.into_owned());
        let Some(first) = tokens.next() else { return };
        let rest: Vec<String> = tokens.collect();
        let (word, bit) = head_of(&first);
        self.heads[word] |= bit;
        match role {
            role if !rest.is_empty() => {
                let (first, second) = (word_number(&first), word_number(rest.first().map_or("", String::as_str)));
                self.openings.insert(first);
                self.phrases.entry(pair(first, second)).or_default().push((rest, role));
            }
            Role::Strength(s) if open => {
                self.shortest = self.shortest.min(first.len());
                if first.len() < HEAD {
                    self.heads.fill(u64::MAX);
                }
                self.beginnings.insert(first, s);
            }
            role => {
                self.words.insert(first, role);
            }
        }
    }

    /// Whether a phrase begins with a word.
    pub fn begins_phrase(&self, form: &str) -> bool {
        !self.openings.is_empty() && self.openings.contains(&word_number(form))
    }

    /// The longest phrase that begins with the words of two numbers and goes on in those that follow the first: how many
    /// words more, and what it does.
    pub fn phrase<'w>(
        &self,
        (first, second): (u64, u64),
        following: impl Iterator<Item = &'w str> + Clone,
    ) -> Option<(usize, Role)> {
        let fits = |words: &[String]| {
            let mut next = following.clone();
            words.iter().all(|w| next.next() == Some(w.as_str()))
        };
        let found = self.phrases.get(&pair(first, second))?.iter().filter(|(words, _)| fits(words));
        found.max_by_key(|(words, _)| words.len()).map(|(words, role)| (words.len(), *role))
    }

    /// What a word does: as it is written, by the longest beginning that is known, and with drawn-out letters let go.
    pub fn role(&self, form: &str) -> Option<Role> {
        let exactly = if self.may_begin(form) { self.exactly(form) } else { None };
        exactly.or_else(|| {
            let drawn = || self.exactly(&squeezed(form, 2)).or_else(|| self.exactly(&squeezed(form, 1)));
            if is_drawn(form) { drawn() } else { None }
        })
    }

    fn may_begin(&self, form: &str) -> bool {
        let (word, bit) = head_of(form);
        self.heads[word] & bit != 0
    }

    /// Whether what follows a word counts for more than what came before.
    pub fn is_but(&self, form: &str) -> bool {
        match self.words.get(form) {
            Some(role) => *role == Role::But,
            None => is_drawn(form) && self.role(form) == Some(Role::But),
        }
    }

    fn exactly(&self, form: &str) -> Option<Role> {
        if let Some(role) = self.words.get(form) {
            return Some(*role);
        }
        if self.beginnings.is_empty() {
            return None;
        }
        // Longest beginning first.
        let begins = |(at, c): (usize, char)| form.get(..at + c.len_utf8()).filter(|p| p.len() >= self.shortest);
        let found = form.char_indices().rev().map_while(begins).find_map(|p| self.beginnings.get(p));
        found.map(|strength| Role::Strength(*strength))
    }
}

/// The number of a first and a second word.
fn pair(first: u64, second: u64) -> u64 {
    (first.rotate_left(23) ^ second).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Whether a character stands three times in a row, and more.
fn is_drawn(form: &str) -> bool {
    let mut run = (0, '\0');
    form.chars().any(|c| {
        run = if c == run.1 { (run.0 + 1, c) } else { (1, c) };
        run.0 > 2
    })
}

/// A form in which no character stands more often in a row than so many times, where it is drawn out (three and more).
pub fn squeezed(form: &str, most: usize) -> String {
    let mut out = String::with_capacity(form.len());
    let mut chars = form.chars().peekable();
    while let Some(c) = chars.next() {
        let mut run = 1;
        while chars.next_if_eq(&c).is_some() {
            run += 1;
        }
        let kept = if run >= 3 { most } else { run };
        out.extend(std::iter::repeat_n(c, kept));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_lexicons_is_read() {
        for (code, text) in TEXTS.iter().chain([&("signs", SIGNS)]) {
            for line in text.lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
                let head = line.split_whitespace().next().unwrap_or("");
                let strength = head.parse::<f32>().is_ok_and(|s| s.abs() <= STRONGEST && s != 0.0);
                assert!(matches!(head, "!" | "+" | "-" | "&") || strength, "{code}: {line}");
            }
        }
    }

    #[test]
    fn words_beginnings_phrases_and_drawn_out_letters() {
        let l = Lexicon::read("2 good nice\n-3 enttäusch*\n-2 waste_of_time waste\n! not");
        assert_eq!(l.role("good"), Some(Role::Strength(2.0)));
        assert_eq!(l.role("gooood"), Some(Role::Strength(2.0)));
        assert_eq!(l.role("niiiice"), Some(Role::Strength(2.0)));
        assert_eq!(l.role("enttäuschung"), Some(Role::Strength(-3.0)));
        assert_eq!(l.role("not"), Some(Role::Not));
        assert_eq!(l.role("god"), None);
        assert!(l.begins_phrase("waste"));
        let begins = (word_number("waste"), word_number("of"));
        assert_eq!(l.phrase(begins, ["of", "time", "!"].into_iter()), Some((2, Role::Strength(-2.0))));
        assert_eq!(l.phrase(begins, ["of"].into_iter()), None);
    }

    #[test]
    fn signs_whatever_their_dress() {
        assert!(sign("👍🏽").is_some_and(|s| s > 0.0) && sign(":(").is_some_and(|s| s < 0.0));
        assert_eq!(sign("🧱"), None);
    }
}
