//! The query language: what topics listen for and what searches look for.
//!
//! One parser and one tree; [`matcher`] answers live, the index compiles the same tree for history. Both look at the
//! tokens that [`emit`] makes of a text, so they cannot disagree on what a word is.

mod lexer;
pub mod matcher;
pub mod parser;

use std::ops::Range;
use std::sync::Arc;

pub use matcher::{Doc, Matcher};
pub use parser::parse;

use crate::text::Term;
use crate::text::tokens::{Kind, plain};

/// A query as meant.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A word in any inflection, as its lower-case form.
    Word(String),
    /// A literal token, with its sign where it has one: `#tag`, `@name`, `$tick`, an emoji, a number.
    Literal(String),
    /// Exactly these words, in order. Lower-case forms.
    Phrase(Vec<String>),
    /// Exactly these words in exactly this case.
    Cased(String),
    /// Any word that begins so.
    Prefix(String),
    /// All of them.
    And(Vec<Node>),
    /// One of them at least.
    Or(Vec<Node>),
    /// Not this.
    Not(Box<Node>),
    /// Some word of each side within so many words of each other.
    Near {
        /// One side: words, phrases and alternatives of them.
        left: Box<Node>,
        /// The other side.
        right: Box<Node>,
        /// Most words from one to the other.
        distance: u32,
        /// Whether the left side must come first.
        ordered: bool,
    },
    /// A fact of the mention.
    Field(Field, String),
}

/// The facts of a mention that a query may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Host of the url, or a domain that it belongs to.
    Site,
    /// Name of the source.
    Source,
    /// Network.
    Network,
    /// ISO 639-1 code.
    Language,
    /// Handle or name of the author.
    Author,
    /// Name of a topic.
    Topic,
    /// `negative`, `neutral` or `positive`.
    Sentiment,
    /// `complaint`, `question`, `suggestion`, `praise` or `other`.
    Intent,
}

impl Field {
    /// Every field with its name in queries.
    pub const ALL: [(&'static str, Field); 8] = [
        ("site", Field::Site),
        ("source", Field::Source),
        ("network", Field::Network),
        ("language", Field::Language),
        ("author", Field::Author),
        ("topic", Field::Topic),
        ("sentiment", Field::Sentiment),
        ("intent", Field::Intent),
    ];
}

/// A mistake in a query, or a warning about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Bytes of the query.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Whether the query can be used all the same.
    pub warning: bool,
}

/// A query read, or every mistake in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The tree; `None` when there are mistakes that are no warnings.
    pub node: Option<Node>,
    /// Mistakes and warnings, in the order of the text.
    pub mistakes: Vec<Mistake>,
}

/// What a text's token is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark<'a> {
    /// A form that a literal, phrase or prefix looks for, with its sign where it has one.
    Word(std::borrow::Cow<'a, str>),
    /// A stem in the text's language.
    Stem(std::borrow::Cow<'a, str>),
}

/// The marks of one token: its form, its stem, and both without accents where they have any. A hashtag is known by its
/// word as well.
pub fn emit<'a>(term: &'a Term, language: &str, mut each: impl FnMut(Mark<'a>)) {
    let signed = |sign: char| Mark::Word(format!("{sign}{}", term.form).into());
    match term.kind {
        Kind::Url => return,
        Kind::Name => return each(signed('@')),
        Kind::Cashtag => return each(signed('$')),
        Kind::Hashtag => each(signed('#')),
        Kind::Word | Kind::Number | Kind::Emoji => {}
    }
    each(Mark::Word(term.form.as_str().into()));
    if let Some(plain) = &term.plain {
        each(Mark::Word(plain.as_str().into()));
    }
    if let Some(stem) = &term.stem {
        each(Mark::Stem(stem_mark(language, stem).into()));
        if let Some(plain) = plain(stem) {
            each(Mark::Stem(stem_mark(language, &plain).into()));
        }
    }
}

/// A stem with the language that it was made in, since stems of two languages may look the same.
fn stem_mark(language: &str, stem: &str) -> String {
    format!("{language} {stem}")
}

/// The stem marks that a query's word may be known by: one for every language with a stemmer, and the word itself for
/// the others.
pub fn stems_of(word: &str) -> Vec<(&'static str, String)> {
    let mut out: Vec<(&'static str, String)> = crate::text::stem::languages()
        .map(|language| {
            let stem: Arc<str> = crate::text::stem::Stemmer::new(language).stem(word);
            (language, stem_mark(language, &stem))
        })
        .collect();
    out.push((crate::text::language::UNKNOWN, word.to_owned()));
    out
}
