//! A query in words: its tree, what each term stands for, and what it is filed under.

use std::fmt::Write;

use super::fact::{Fact, Wanted, When};
use super::matcher::Matcher;
use super::node::{Is, Node, Part, Place};
use super::terms::{splits, stems_of};
use crate::model::time::Span;
use crate::text::lexeme::spellings;

/// Languages whose stems are shown.
const SHOWN: [&str; 5] = ["sv", "de", "it", "es", "en"];

/// The tree in words, one line a node, and the words that the query is filed under.
pub fn explain(node: &Node) -> String {
    let mut out = String::new();
    tell(node, 0, &mut out);
    let mut matcher = Matcher::default();
    let id = matcher.add(node, &[]);
    let filed = matcher.filed_under(id);
    out.push_str("\nfiled under: ");
    match filed.is_empty() {
        true => out.push_str("nothing, so every mention is compared with it; add a word that must be there"),
        false => out.push_str(&filed.join(", ")),
    }
    out.push('\n');
    out
}

fn tell(node: &Node, depth: usize, out: &mut String) {
    let words = match &node.is {
        Is::Word(word) => word_in_words(word),
        Is::Token(token) => format!("exactly `{token}`"),
        Is::Wild(wild) => format!("a word that fits `{}`", wild.pattern()),
        Is::Compound(word) => {
            let parts: Vec<String> = splits(word).into_iter().map(|(a, b)| format!("{a} {b}")).take(3).collect();
            format!("`{word}`, also in two words ({}, …), and within longer German and Swedish words", parts.join(", "))
        }
        Is::Phrase(parts) => format!("exactly the words \"{}\"", parts.iter().map(part).collect::<Vec<_>>().join(" ")),
        Is::Cased(text) => format!("exactly `{text}`, in this case"),
        Is::And(_) => "all of".to_owned(),
        Is::Or(_) => "any of".to_owned(),
        Is::Not(_) => "not".to_owned(),
        Is::Near { distance, ordered: false, .. } => format!("within {distance} words of each other"),
        Is::Near { distance, .. } => format!("the second at most {distance} words after the first"),
        Is::Within { distance, .. } => format!("all within {distance} words of each other"),
        Is::In(Place::Title, _) => "in the title".to_owned(),
        Is::In(Place::Body, _) => "in the text below the title".to_owned(),
        Is::Fact(fact) => fact_in_words(fact),
    };
    // Writing to a String cannot fail.
    writeln!(out, "{}{words}", "  ".repeat(depth)).ok();
    for inner in node.parts() {
        tell(inner, depth + 1, out);
    }
}

fn word_in_words(word: &str) -> String {
    let stems = stems_of(word, |_| true);
    let mut shown: Vec<(Vec<&str>, &str)> = Vec::new();
    for (language, stem) in stems.iter().filter(|(l, _)| SHOWN.contains(l)) {
        match shown.iter_mut().find(|(_, s)| *s == stem) {
            Some((languages, _)) => languages.push(language),
            None => shown.push((vec![language], stem)),
        }
    }
    let stems: Vec<String> = shown.iter().map(|(l, s)| format!("{} `{s}`", l.join(" "))).collect();
    let other: Vec<String> = spellings(word).skip(1).map(|s| format!(" or `{s}`")).collect();
    format!("`{word}`{} in any inflection (stems: {})", other.concat(), stems.join(", "))
}

fn part(part: &Part) -> String {
    match part {
        Part::Token(token) => token.clone(),
        Part::Wild(wild) => wild.pattern().to_owned(),
    }
}

fn fact_in_words(fact: &Fact) -> String {
    let name = fact.field.name();
    let when = |w: &When| match w {
        When::At(ms) => crate::model::time::from_millis(*ms).to_string(),
        When::Ago(ms) => format!("{} ago", Span::millis(*ms)),
    };
    match &fact.value {
        Wanted::Words(words) => format!("{name} holds \"{}\"", words.join(" ")),
        Wanted::Name(value) => format!("{name} is `{value}`"),
        Wanted::Wild(wild) => format!("{name} fits `{}`", wild.pattern()),
        Wanted::Site(host, path) if path.is_empty() => format!("{name} is {host} or a part of it"),
        Wanted::Site(host, path) => format!("{name} is {host}, below /{path}"),
        Wanted::Number(low, high) if low == high => format!("{name} is {low}"),
        Wanted::Number(low, high) if high.is_infinite() => format!("{name} is at least {low}"),
        Wanted::Number(low, high) if low.is_infinite() => format!("{name} is at most {high}"),
        Wanted::Number(low, high) => format!("{name} is {low} to {high}"),
        Wanted::Time(from, to) => {
            let from = from.as_ref().map(|w| format!(" from {}", when(w))).unwrap_or_default();
            let to = to.as_ref().map(|w| format!(" before {}", when(w))).unwrap_or_default();
            format!("{name}{from}{to}")
        }
    }
}
