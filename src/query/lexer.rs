//! Cuts a query into words, quotes, brackets and operators.

use std::ops::Range;

use super::Mistake;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lex {
    Open,
    Close,
    And,
    Or,
    Not,
    Minus,
    Near {
        distance: u32,
        ordered: bool,
    },
    /// Bare text.
    Word(String),
    /// Text in quotes.
    Quoted(String),
    /// Text in braces.
    Braced(String),
    /// `~5` after a quote.
    Within(u32),
    /// `name:` right before a value.
    Field(String),
}

pub(super) type Lexed = (Lex, Range<usize>);

/// Words between them that `NEAR` alone means.
const NEAR: u32 = 4;

pub(super) fn lex(text: &str) -> (Vec<Lexed>, Vec<Mistake>) {
    let mut out: Vec<Lexed> = Vec::new();
    let mut mistakes = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
        let Some(c) = rest.chars().next() else { break };
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        if rest.starts_with("<<<") {
            match rest.find(">>>") {
                Some(end) => at += end + 3,
                None => {
                    mistakes.push(mistake(at..text.len(), "this comment has no end", "close it with >>>"));
                    at = text.len();
                }
            }
            continue;
        }
        let (lex, len) = match c {
            '(' => (Lex::Open, 1),
            ')' => (Lex::Close, 1),
            '"' | '“' | '”' => match enclosed(rest, c, &['"', '“', '”']) {
                Some((inner, len)) => (Lex::Quoted(inner), len),
                None => {
                    mistakes.push(mistake(at..text.len(), "this quote has no end", "close it with \""));
                    break;
                }
            },
            '{' => match enclosed(rest, c, &['}']) {
                Some((inner, len)) => (Lex::Braced(inner), len),
                None => {
                    mistakes.push(mistake(at..text.len(), "this brace has no end", "close it with }"));
                    break;
                }
            },
            '~' => within(rest, at, &mut mistakes),
            '-' if rest.len() > 1 && !rest.starts_with("- ") => (Lex::Minus, 1),
            _ => bare(rest),
        };
        out.push((lex, at..at + len));
        at += len;
    }
    (out, mistakes)
}

fn mistake(span: Range<usize>, message: &str, help: &str) -> Mistake {
    Mistake { span, message: message.into(), help: help.into(), warning: false }
}

/// The text up to a closing character, and the bytes of it all.
fn enclosed(rest: &str, open: char, close: &[char]) -> Option<(String, usize)> {
    let inner = rest.get(open.len_utf8()..)?;
    let end = inner.find(close)?;
    let closing = inner.get(end..)?.chars().next()?.len_utf8();
    Some((inner.get(..end)?.to_owned(), open.len_utf8() + end + closing))
}

fn within(rest: &str, at: usize, mistakes: &mut Vec<Mistake>) -> (Lex, usize) {
    let digits: String = rest.chars().skip(1).take_while(char::is_ascii_digit).collect();
    let len = 1 + digits.len();
    match digits.parse() {
        Ok(n) => (Lex::Within(n), len),
        Err(_) => {
            mistakes.push(mistake(at..at + len, "`~` needs a number of words", "write for example \"one two\"~5"));
            (Lex::Within(0), len)
        }
    }
}

/// A bare word, an operator, or the name of a field with its colon.
fn bare(rest: &str) -> (Lex, usize) {
    let len = rest
        .find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"' | '“' | '”' | '{' | '~'))
        .unwrap_or(rest.len());
    let word = rest.get(..len).unwrap_or("");
    match word {
        "AND" => return (Lex::And, len),
        "OR" => return (Lex::Or, len),
        "NOT" => return (Lex::Not, len),
        _ => {}
    }
    if let Some(near) = near(word) {
        return (near, len);
    }
    if let Some((name, _)) = word.split_once(':') {
        let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic());
        if named && !matches!(name, "http" | "https") {
            return (Lex::Field(name.to_owned()), name.len() + 1);
        }
    }
    (Lex::Word(word.to_owned()), len)
}

/// `NEAR`, `NEAR/5`, `NEAR/5f`, `ONEAR/5`.
fn near(word: &str) -> Option<Lex> {
    let (ordered, rest) = match word.strip_prefix("ONEAR") {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix("NEAR")?),
    };
    if rest.is_empty() {
        return Some(Lex::Near { distance: NEAR, ordered });
    }
    let number = rest.strip_prefix('/')?;
    let (number, forward) = number.strip_suffix('f').map_or((number, false), |n| (n, true));
    Some(Lex::Near { distance: number.parse().ok()?, ordered: ordered || forward })
}
