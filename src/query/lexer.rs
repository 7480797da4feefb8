//! Cuts a query into words, quotes, brackets, ranges and operators.

use std::ops::Range;

use super::fact::Field;
use super::{Code, Mistake};

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
    /// `~5` after a quote or a group, `~` after a word.
    Tilde(Option<u32>),
    /// `name:` before a value.
    Field(String),
    /// `[10 TO 100]` after a field, without its brackets.
    Range(String),
    /// `>`, `>=`, `<` or `<=` after a field, with what follows.
    Compare(&'static str, String),
}

pub(super) type Lexed = (Lex, Range<usize>);

/// Words from one to the other that `NEAR` alone means.
const NEAR: u32 = 4;
/// Most words that NEAR and `~` reach over: title and body lie further apart than this.
pub(super) const FARTHEST: u32 = 100;

/// Quotes that open and close, as keyboards and word processors make them.
const QUOTES: [char; 7] = ['"', '“', '”', '„', '‟', '«', '»'];

pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    out: Vec<Lexed>,
    mistakes: Vec<Mistake>,
}

pub(super) fn lex(text: &str) -> (Vec<Lexed>, Vec<Mistake>) {
    let mut lexer = Lexer { text, at: 0, out: Vec::new(), mistakes: Vec::new() };
    while lexer.step() {}
    (lexer.out, lexer.mistakes)
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn wrong(&mut self, code: Code, span: Range<usize>, message: &str, help: &str) {
        self.mistakes.push(Mistake::error(code, span, message, help));
    }

    fn put(&mut self, lex: Lex, len: usize) {
        self.out.push((lex, self.at..self.at + len));
        self.at += len;
    }

    /// Takes one piece; false at the end.
    fn step(&mut self) -> bool {
        let rest = self.rest();
        let Some(c) = rest.chars().next() else { return false };
        if c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}' {
            self.at += c.len_utf8();
            return true;
        }
        if rest.starts_with("<<<") {
            match rest.find(">>>") {
                Some(end) => self.at += end + 3,
                None => {
                    let span = self.at..self.text.len();
                    self.at = self.text.len();
                    self.wrong(Code::UnclosedComment, span, "this comment has no end", "close it with >>>");
                }
            }
            return true;
        }
        match c {
            '(' => self.put(Lex::Open, 1),
            ')' => self.put(Lex::Close, 1),
            c if QUOTES.contains(&c) => self.enclosed(c, &QUOTES, Lex::Quoted, Code::UnclosedQuote, "quote", "\""),
            '{' => self.enclosed('{', &['}'], Lex::Braced, Code::UnclosedBrace, "brace", "}"),
            '}' => {
                let span = self.at..self.at + 1;
                self.at += 1;
                self.wrong(Code::StrayBracket, span, "this brace closes nothing", "take it out, or open one before");
            }
            '[' | ']' => {
                let span = self.at..self.at + 1;
                self.at += 1;
                let help = "ranges follow a field: reach:[10 TO 100]; group words with ( )";
                self.wrong(Code::StrayBracket, span, "square brackets hold the range of a field", help);
            }
            '~' => self.tilde(),
            '-' if rest.chars().nth(1).is_some_and(|n| !n.is_whitespace() && n != '-') => self.put(Lex::Minus, 1),
            '–' | '—' | '-' => self.at += c.len_utf8(),
            _ => self.bare(),
        }
        true
    }

    /// Text up to a closing character.
    fn enclosed(&mut self, open: char, close: &[char], lex: fn(String) -> Lex, code: Code, what: &str, remedy: &str) {
        let inner = self.rest().get(open.len_utf8()..).unwrap_or("");
        let found = inner.find(close).and_then(|end| {
            let closing = inner.get(end..)?.chars().next()?.len_utf8();
            Some((inner.get(..end)?.to_owned(), open.len_utf8() + end + closing))
        });
        match found {
            Some((inner, len)) => self.put(lex(inner), len),
            None => {
                let span = self.at..self.text.len();
                self.at = self.text.len();
                self.wrong(code, span, &format!("this {what} has no end"), &format!("close it with {remedy}"));
            }
        }
    }

    fn tilde(&mut self) {
        let digits: String = self.rest().chars().skip(1).take_while(char::is_ascii_digit).collect();
        let number = if digits.is_empty() { None } else { Some(digits.parse().unwrap_or(u32::MAX)) };
        self.put(Lex::Tilde(number), 1 + digits.len());
    }

    /// A bare word, an operator, or the name of a field with its colon.
    fn bare(&mut self) {
        let rest = self.rest();
        let ends = |c: char| c.is_whitespace() || "(){}~".contains(c) || QUOTES.contains(&c);
        let len = rest.find(ends).unwrap_or(rest.len());
        let word = rest.get(..len).unwrap_or("").to_owned();
        let operator = match word.as_str() {
            "AND" => Some(Lex::And),
            "OR" => Some(Lex::Or),
            "NOT" => Some(Lex::Not),
            _ => None,
        };
        if let Some(operator) = operator {
            return self.put(operator, len);
        }
        if let Some(near) = self.near(&word) {
            return self.put(near, len);
        }
        if let Some((name, value)) = word.split_once(':')
            && is_field(name, value, rest.get(name.len() + 1..).unwrap_or(""))
        {
            self.put(Lex::Field(name.to_owned()), name.len() + 1);
            return self.value();
        }
        self.put(Lex::Word(word), len);
    }

    /// What follows a field's colon, where it is no word, quote or group.
    fn value(&mut self) {
        let rest = self.rest();
        let space = rest.len() - rest.trim_start().len();
        if rest.trim_start().starts_with(['(', '"', '“', '„', '[', '>', '<']) && !rest.trim_start().starts_with("<<<")
        {
            self.at += space;
        }
        let rest = self.rest();
        if rest.starts_with('[') {
            match rest.find(']') {
                Some(end) => self.put(Lex::Range(rest.get(1..end).unwrap_or("").to_owned()), end + 1),
                None => {
                    let span = self.at..self.text.len();
                    self.at = self.text.len();
                    self.wrong(Code::UnclosedRange, span, "this range has no end", "close it with ]");
                }
            }
            return;
        }
        let compare = [">=", "<=", ">", "<"].into_iter().find(|op| rest.starts_with(op));
        if let Some(op) = compare.filter(|_| !rest.starts_with("<<<")) {
            let after = rest.get(op.len()..).unwrap_or("");
            let gap = after.len() - after.trim_start().len();
            let value: String =
                after.trim_start().chars().take_while(|c| !c.is_whitespace() && !"()".contains(*c)).collect();
            let len = op.len() + gap + value.len();
            return self.put(Lex::Compare(op, value), len);
        }
        // The value of a field may hold what ends a word elsewhere, such as a colon or a tilde in an address.
        let len =
            rest.find(|c: char| c.is_whitespace() || c == '(' || c == ')' || QUOTES.contains(&c)).unwrap_or(rest.len());
        if len > 0 {
            let word = rest.get(..len).unwrap_or("").to_owned();
            self.put(Lex::Word(word), len);
        }
    }

    /// `NEAR`, `NEAR/5`, `NEAR/5f`, `ONEAR/5`.
    fn near(&mut self, word: &str) -> Option<Lex> {
        let (ordered, rest) = match word.strip_prefix("ONEAR") {
            Some(rest) => (true, rest),
            None => (false, word.strip_prefix("NEAR")?),
        };
        if rest.is_empty() {
            return Some(Lex::Near { distance: NEAR, ordered });
        }
        let number = rest.strip_prefix('/')?;
        let (number, forward) = number.strip_suffix(['f', 'F']).map_or((number, false), |n| (n, true));
        let ordered = ordered || forward;
        let span = self.at..self.at + word.len();
        let distance = match number.parse::<u32>() {
            Ok(n) if (1..=FARTHEST).contains(&n) => n,
            Ok(_) => {
                let message = format!("NEAR reaches over 1 to {FARTHEST} words");
                self.wrong(Code::NearNumber, span, &message, "write for example NEAR/5");
                NEAR
            }
            Err(_) => {
                self.wrong(Code::NearNumber, span, "NEAR/ needs a number of words", "write for example NEAR/5");
                NEAR
            }
        };
        Some(Lex::Near { distance, ordered })
    }
}

/// Whether a word with a colon in it names a field: letters before the colon and a value right after it, or a name that
/// vakt knows; `https://…` and `Note: …` do not.
fn is_field(name: &str, value: &str, rest: &str) -> bool {
    let letters = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
    let address = value.starts_with("//") || name.eq_ignore_ascii_case("mailto");
    let follows = !value.is_empty() || rest.trim_start().starts_with(['"', '“', '„', '(', '[']);
    letters && !address && (follows || Field::of(name).is_some())
}
