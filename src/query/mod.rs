//! The query language: what topics listen for and what searches look for.
//!
//! One parser and one tree. [`Matcher`] answers live which of many queries a mention matches; the index compiles the same
//! tree for history. Both look at the marks that a text's lexemes have, and both find nearness with [`places`], so that
//! they cannot disagree.

mod country;
mod explain;
mod fact;
mod lexer;
mod lint;
mod loosen;
mod matcher;
mod node;
mod parser;
pub mod places;
mod terms;
mod value;
mod wild;

use std::ops::Range;

pub use country::code as country;
pub use explain::explain;
pub use fact::{Fact, Field, Wanted, When};
pub use lint::standing;
pub use loosen::loosen;
pub use matcher::{Doc, Looked, Matcher, TopicId};
pub use node::{Is, Node, Part, Place, topic_of};
pub use parser::parse;
pub use terms::{splits, stems_of};
pub use value::{address_words, network};
pub use wild::Wild;

/// What kind of mistake it is, for programs; the words of each never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// Nothing is looked for.
    Empty,
    /// A quote without an end.
    UnclosedQuote,
    /// A brace without an end.
    UnclosedBrace,
    /// A bracket without an end.
    UnclosedBracket,
    /// A range without an end.
    UnclosedRange,
    /// A comment without an end.
    UnclosedComment,
    /// A bracket that closes nothing, or stands where none may.
    StrayBracket,
    /// A group, quote or brace with nothing in it.
    EmptyGroup,
    /// An operator without one of its sides.
    MissingOperand,
    /// AND and OR side by side without brackets.
    MixedAndOr,
    /// AND and NEAR side by side without brackets.
    AndInNear,
    /// Something that has no place in a text within NEAR or `~`.
    InNear,
    /// A number of words that is none, or too large.
    NearNumber,
    /// `~` without a number, or where it does not belong.
    Tilde,
    /// Nothing but exclusions.
    OnlyNot,
    /// A wildcard at the beginning, or after too few letters.
    Wildcard,
    /// Nothing that is a word.
    NoWord,
    /// A web address as a word.
    Address,
    /// A field that vakt does not have.
    UnknownField,
    /// A value that the field does not take.
    FieldValue,
    /// A range that ends before it begins.
    RangeOrder,
    /// More than may be.
    TooLarge,
    /// A bare space that means AND.
    ImplicitAnd,
    /// An operator in small letters.
    SmallOperator,
    /// An open ending right after `#` or `@`.
    OpenSign,
    /// Something that can never match.
    Never,
    /// A common word without context.
    CommonWord,
    /// A term that no text in the languages listened to has.
    ForeignTerm,
}

impl Code {
    /// The word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Empty => "empty",
            Code::UnclosedQuote => "unclosed-quote",
            Code::UnclosedBrace => "unclosed-brace",
            Code::UnclosedBracket => "unclosed-bracket",
            Code::UnclosedRange => "unclosed-range",
            Code::UnclosedComment => "unclosed-comment",
            Code::StrayBracket => "stray-bracket",
            Code::EmptyGroup => "empty-group",
            Code::MissingOperand => "missing-operand",
            Code::MixedAndOr => "mixed-and-or",
            Code::AndInNear => "and-in-near",
            Code::InNear => "in-near",
            Code::NearNumber => "near-number",
            Code::Tilde => "tilde",
            Code::OnlyNot => "only-not",
            Code::Wildcard => "wildcard",
            Code::NoWord => "no-word",
            Code::Address => "address",
            Code::UnknownField => "unknown-field",
            Code::FieldValue => "field-value",
            Code::RangeOrder => "range-order",
            Code::TooLarge => "too-large",
            Code::ImplicitAnd => "implicit-and",
            Code::SmallOperator => "small-operator",
            Code::OpenSign => "open-sign",
            Code::Never => "never",
            Code::CommonWord => "common-word",
            Code::ForeignTerm => "foreign-term",
        }
    }
}

/// Most mistakes that are told of one query: one more or less makes no difference to hundreds.
const MOST_MISTAKES: usize = 500;

/// A mistake in a query, or a warning about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What kind it is.
    pub code: Code,
    /// Bytes of the query.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Whether the query can be used all the same.
    pub warning: bool,
}

impl Mistake {
    fn error(code: Code, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Mistake {
        Mistake { code, span, message: message.into(), help: help.into(), warning: false }
    }

    fn warning(code: Code, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Mistake {
        Mistake { warning: true, ..Mistake::error(code, span, message, help) }
    }
}

/// A query read, or every mistake in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The tree; `None` when there are mistakes that are no warnings.
    pub node: Option<Node>,
    /// Mistakes and warnings, in the order of the text.
    pub mistakes: Vec<Mistake>,
}

/// A remedy that names the nearest known word, else lists some.
fn suggest<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let lower = word.to_lowercase();
    let near = known.clone().map(|k| (strsim::damerau_levenshtein(&lower, &k.to_lowercase()), k)).min();
    match near {
        Some((distance, k)) if distance <= 1 + k.len().min(word.len()) / 4 => format!("did you mean `{k}`?"),
        _ => format!("known are {}", known.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests;
