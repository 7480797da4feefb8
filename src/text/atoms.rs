//! The things of a text that speak: its tokens, and the marks and signs between them.

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_64;

use super::lexicon::{sign, squeezed};
use super::tokens::{Kind, Tokens};

/// What an atom is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtomKind {
    /// A word.
    Word,
    /// A hashtag without its sign.
    Tag,
    /// An emoji or an emoticon.
    Sign,
    /// Punctuation.
    Mark,
    /// A number, an address or somebody's name: that there is one, not which.
    Any,
}

/// One thing of a text that speaks.
#[derive(Debug, Clone)]
pub struct Atom<'t> {
    /// Lower case, without drawn-out letters beyond three.
    pub form: Cow<'t, str>,
    /// What it is.
    pub kind: AtomKind,
    /// First byte in the text.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
}

impl Atom<'_> {
    /// A number that tells it from every other.
    pub fn key(&self) -> u64 {
        self.key_of(word_number(&self.form))
    }

    /// The same, where the number of its form is known.
    pub fn key_of(&self, word: u64) -> u64 {
        word.wrapping_add((self.kind as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Whether a sentence ends with it.
    pub fn ends_sentence(&self) -> bool {
        self.kind == AtomKind::Mark && self.form.contains(['.', '!', '?', '\n', '。', '！', '？'])
    }

    /// Whether it is a word or a hashtag.
    pub fn has_letters(&self) -> bool {
        matches!(self.kind, AtomKind::Word | AtomKind::Tag)
    }
}

/// The number by which a word is known, whatever kind of atom it is.
pub fn word_number(form: &str) -> u64 {
    xxh3_64(form.as_bytes())
}

/// The atoms of a text: its tokens, and what stands between them.
pub fn atoms<'t>(tokens: &Tokens<'t>) -> Vec<Atom<'t>> {
    let mut out: Vec<Atom<'t>> = Vec::with_capacity(tokens.list.len() + 8);
    let mut at = 0;
    for token in &tokens.list {
        gap(tokens.text, at, token.start, &mut out);
        at = token.end;
        // The letter or digit of an emoticon: `:D`, `<3`, `xD` is a word already.
        if token.end - token.start == 1
            && let Some(last) = out.last_mut().filter(|m| m.kind == AtomKind::Mark && m.end == token.start)
            && last.form.ends_with([':', ';', '=', '-', '<', '\''])
        {
            let whole = format!("{}{}", last.form, token.form);
            if sign(&whole).is_some() {
                *last = Atom { form: whole.into(), kind: AtomKind::Sign, start: last.start, end: token.end };
                continue;
            }
        }
        let (kind, form): (AtomKind, Cow<'t, str>) = match token.kind {
            Kind::Url => (AtomKind::Any, "url".into()),
            Kind::Name => (AtomKind::Any, "name".into()),
            Kind::Number => (AtomKind::Any, "number".into()),
            Kind::Hashtag => (AtomKind::Tag, drawn(token.form.clone())),
            Kind::Emoji => (AtomKind::Sign, token.form.clone()),
            Kind::Word | Kind::Cashtag => (AtomKind::Word, drawn(token.form.clone())),
        };
        out.push(Atom { form, kind, start: token.start, end: token.end });
    }
    gap(tokens.text, at, tokens.text.len(), &mut out);
    out
}

/// The marks between two tokens, each run of them an atom.
fn gap<'t>(text: &'t str, from: usize, to: usize, out: &mut Vec<Atom<'t>>) {
    let between = text.get(from..to).unwrap_or("");
    if between.len() <= 1 && between.trim().is_empty() {
        return;
    }
    let mut at = from;
    for run in between.split_inclusive(char::is_whitespace) {
        let marks = run.trim_end();
        if !marks.is_empty() {
            let lower: Cow<'t, str> = drawn(marks.into());
            let kind = if sign(&lower).is_some() { AtomKind::Sign } else { AtomKind::Mark };
            out.push(Atom { form: lower, kind, start: at, end: at + marks.len() });
        }
        at += run.len();
    }
}

/// A form whose drawn-out letters are three.
fn drawn(form: Cow<'_, str>) -> Cow<'_, str> {
    let mut run = (0, '\0');
    let long = form.chars().any(|c| {
        run = if c == run.1 { (run.0 + 1, c) } else { (1, c) };
        run.0 > 3
    });
    if long { squeezed(&form, 3).into() } else { form }
}
