//! The tree of a query: every node with the bytes that it was written in.

use std::ops::Range;

use super::fact::{Fact, Field, Wanted};
use super::wild::Wild;

/// A part of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Bytes of the query.
    pub span: Range<usize>,
    /// What it is.
    pub is: Is,
}

impl Node {
    /// Both of two queries.
    pub fn both(left: Node, right: Node) -> Node {
        Node { span: left.span.clone(), is: Is::And(vec![left, right]) }
    }
}

/// The topic that a query asks for and nothing else, if it is of that kind.
pub fn topic_of(node: &Node) -> Option<&str> {
    match &node.is {
        Is::Fact(Fact { field: Field::Topic, value: Wanted::Name(name) }) => Some(name),
        _ => None,
    }
}

/// What a part of a query is.
#[derive(Debug, Clone, PartialEq)]
pub enum Is {
    /// A word in any inflection, as its lower-case form.
    Word(String),
    /// A literal token, with its sign where it has one: `#tag`, `@name`, `$tick`, an emoji, a number.
    Token(String),
    /// A word of which some letters are open.
    Wild(Wild),
    /// A compound, also in parts and within longer words.
    Compound(String),
    /// Exactly these words, in order.
    Phrase(Vec<Part>),
    /// Exactly these words in exactly this case.
    Cased(String),
    /// All of them.
    And(Vec<Node>),
    /// One of them at least.
    Or(Vec<Node>),
    /// Not this.
    Not(Box<Node>),
    /// Some place of each side within so many words of each other.
    Near {
        /// One side: words, phrases and groups of them.
        left: Box<Node>,
        /// The other side.
        right: Box<Node>,
        /// Most words from one to the other; 1 is the next word.
        distance: u32,
        /// Whether the left side must come first.
        ordered: bool,
    },
    /// All of them within so many words of each other, in any order.
    Within {
        /// Words, phrases and groups of them.
        parts: Vec<Node>,
        /// Most words between neighbours, as for `Near`.
        distance: u32,
    },
    /// In the title, or in the body, alone.
    In(Place, Box<Node>),
    /// A fact of the mention.
    Fact(Fact),
}

/// One word of a phrase.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Exactly this token, with its sign.
    Token(String),
    /// A word of which some letters are open.
    Wild(Wild),
}

/// A part of a mention that has words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The headline.
    Title,
    /// Everything below it.
    Body,
}

impl Node {
    /// A node.
    pub fn new(span: Range<usize>, is: Is) -> Node {
        Node { span, is }
    }

    /// The nodes right below it.
    pub fn parts(&self) -> Vec<&Node> {
        match &self.is {
            Is::And(all) | Is::Or(all) | Is::Within { parts: all, .. } => all.iter().collect(),
            Is::Not(inner) | Is::In(_, inner) => vec![inner],
            Is::Near { left, right, .. } => vec![left, right],
            _ => Vec::new(),
        }
    }

    /// Whether nothing that it asks for must be there.
    pub fn is_negative(&self) -> bool {
        match &self.is {
            Is::Not(_) => true,
            Is::And(all) => all.iter().all(Node::is_negative),
            Is::Or(any) => any.iter().any(Node::is_negative),
            Is::In(_, inner) => inner.is_negative(),
            _ => false,
        }
    }

    /// Whether it has places in a text, so that something can be near it.
    pub fn has_places(&self) -> bool {
        match &self.is {
            Is::And(all) | Is::Or(all) => all.iter().all(Node::has_places),
            Is::Not(_) | Is::Fact(_) | Is::In(..) => false,
            _ => true,
        }
    }
}
