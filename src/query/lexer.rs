//! Cuts a query into words, quotes, brackets, ranges and operators.

use std::ops::Range;

use super::fact::Field;
use super::{Code, MOST_MISTAKES, Mistake};

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
    /// What was begun and has no end; its mistake is told.
    Broken,
}

pub(super) type Lexed = (Lex, Range<usize>);

/// Words from one to the other that `NEAR` alone means.
const NEAR: u32 = 4;
/// Most words that NEAR and `~` reach over: title and body lie further apart than this.
pub(super) const FARTHEST: u32 = 100;

/// Quotes that open and close, as keyboards and word processors of many countries make them.
const QUOTES: [char; 12] = ['"', '“', '”', '„', '‟', '«', '»', '＂', '「', '」', '『', '』'];
/// Hyphens and dashes that exclude what they stand right before.
const MINUS: [char; 4] = ['-', '–', '—', '−'];

/// Whether nothing is seen of a character: spaces without width, and marks for the direction of writing.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2060}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A word of wide letters, as East Asian keyboards make them, in those of an operator.
fn narrow(word: &str) -> String {
    let narrow = |c: char| match u32::from(c) {
        wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(c),
        _ => c,
    };
    word.chars().map(narrow).collect()
}

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
        if self.mistakes.len() < MOST_MISTAKES {
            self.mistakes.push(Mistake::error(code, span, message, help));
        }
    }

    fn put(&mut self, lex: Lex, len: usize) {
        self.out.push((lex, self.at..self.at + len));
        self.at += len;
    }

    /// Takes one piece; false at the end.
    fn step(&mut self) -> bool {
        let rest = self.rest();
        let Some(c) = rest.chars().next() else { return false };
        if c.is_whitespace() || is_unseen(c) {
            self.at += c.len_utf8();
            return true;
        }
        if rest.starts_with("<<<") {
            match rest.find(">>>") {
                Some(end) => {
                    // More signs than three are one sign.
                    let more = rest.get(end..).unwrap_or("");
                    self.at += end + more.len() - more.trim_start_matches('>').len();
                }
                None => {
                    let span = self.at..self.text.len();
                    self.at = self.text.len();
                    self.wrong(Code::UnclosedComment, span, "this comment has no end", "close it with >>>");
                }
            }
            return true;
        }
        match c {
            '(' | '（' => self.put(Lex::Open, c.len_utf8()),
            ')' | '）' => self.put(Lex::Close, c.len_utf8()),
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
                let field = match self.out.last() {
                    Some((Lex::Word(word), at)) if at.end == span.start => Field::of(word),
                    _ => None,
                };
                let help = match field {
                    Some(field) => format!("write {}:[10 TO 100], with a colon", field.name()),
                    None => "ranges follow a field: reach:[10 TO 100]; group words with ( )".to_owned(),
                };
                self.wrong(Code::StrayBracket, span, "square brackets hold the range of a field", &help);
            }
            '~' => self.tilde(),
            c if MINUS.contains(&c) => match rest.chars().nth(1) {
                Some(next) if !next.is_whitespace() && !MINUS.contains(&next) => self.put(Lex::Minus, c.len_utf8()),
                _ => self.at += c.len_utf8(),
            },
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
            Some((inner, len)) => {
                if open == '{' && inner.contains('{') {
                    let span = self.at..self.at + len;
                    self.wrong(code, span, "another brace opens before this one is closed", "close the first with }");
                }
                self.put(lex(inner), len);
            }
            None => self.broken(code, &format!("this {what} has no end"), &format!("close it with {remedy}")),
        }
    }

    /// Something goes on to the end of the text.
    fn broken(&mut self, code: Code, message: &str, help: &str) {
        let span = self.at..self.text.len();
        self.wrong(code, span.clone(), message, help);
        self.put(Lex::Broken, span.len());
    }

    fn tilde(&mut self) {
        let digits: String = self.rest().chars().skip(1).take_while(char::is_ascii_digit).collect();
        let number = if digits.is_empty() { None } else { Some(digits.parse().unwrap_or(u32::MAX)) };
        let more: usize = {
            let after = self.rest().get(1 + digits.len()..).unwrap_or("");
            after.chars().take_while(|c| c.is_alphanumeric()).map(char::len_utf8).sum()
        };
        if more > 0 {
            let span = self.at..self.at + 1 + digits.len() + more;
            let help = "write \"one two\"~5 for nearness in any order, one ONEAR/5 two to keep the order";
            self.wrong(Code::Tilde, span, "`~` takes a number and nothing else", help);
        }
        self.put(Lex::Tilde(number), 1 + digits.len() + more);
    }

    /// A bare word, an operator, or the name of a field with its colon.
    fn bare(&mut self) {
        let rest = self.rest();
        let raw = piece(rest, "(){}[]~（）");
        let len = raw.len();
        let word: String = raw.chars().filter(|c| !is_unseen(*c)).collect();
        if word.contains(">>>") {
            let span = self.at..self.at + len;
            self.wrong(Code::StrayBracket, span, "`>>>` closes no comment", "take it out, or open one with <<< before");
            return self.put(Lex::Broken, len);
        }
        let plain = narrow(&word);
        let operator = match plain.as_str() {
            "AND" => Some(Lex::And),
            "OR" => Some(Lex::Or),
            "NOT" => Some(Lex::Not),
            _ => None,
        };
        if let Some(operator) = operator {
            return self.put(operator, len);
        }
        if let Some(near) = self.near(&plain, len) {
            return self.put(near, len);
        }
        if let Some((name, value)) = raw.split_once(':')
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
        let value = rest.trim_start_matches(|c: char| c.is_whitespace() || is_unseen(c));
        if value.starts_with(opens_value) && !value.starts_with("<<<") {
            self.at += rest.len() - value.len();
        }
        let rest = self.rest();
        if rest.starts_with('[') {
            match rest.find(']') {
                Some(end) => self.put(Lex::Range(rest.get(1..end).unwrap_or("").to_owned()), end + 1),
                None => self.broken(Code::UnclosedRange, "this range has no end", "close it with ]"),
            }
            return;
        }
        let compare = [">=", "<=", ">", "<"].into_iter().find(|op| rest.starts_with(op));
        if let Some(op) = compare.filter(|_| !rest.starts_with("<<<")) {
            let after = rest.get(op.len()..).unwrap_or("");
            let gap = after.len() - after.trim_start().len();
            let raw = piece(after.trim_start(), "()[]（）");
            let value = raw.chars().filter(|c| !is_unseen(*c)).collect();
            return self.put(Lex::Compare(op, value), op.len() + gap + raw.len());
        }
        // The value of a field may hold what ends a word elsewhere, such as a colon or a tilde in an address.
        let raw = piece(rest, "()[]（）");
        let (len, word) = (raw.len(), raw.chars().filter(|c| !is_unseen(*c)).collect::<String>());
        if len > 0 && !matches!(word.as_str(), "AND" | "OR" | "NOT") {
            self.put(Lex::Word(word), len);
        }
    }

    /// `NEAR`, `NEAR/5`, `NEAR/5f`, `ONEAR/5`.
    fn near(&mut self, word: &str, len: usize) -> Option<Lex> {
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
        let span = self.at..self.at + len;
        let distance = match number.parse::<u32>() {
            // No word between the two: the next one.
            Ok(n) if n <= FARTHEST => n.max(1),
            Ok(_) => {
                let message = format!("NEAR reaches over at most {FARTHEST} words");
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

/// The beginning of a text up to where a word ends: at a space, a quote, one of `signs`, or a comment.
fn piece<'t>(rest: &'t str, signs: &str) -> &'t str {
    let ends = |c: char| c.is_whitespace() || signs.contains(c) || QUOTES.contains(&c);
    let len = rest.find(ends).unwrap_or(rest.len());
    let piece = rest.get(..len).unwrap_or("");
    piece.find("<<<").and_then(|comment| piece.get(..comment)).unwrap_or(piece)
}

/// Whether a value that a field may be parted from by a space begins like this.
fn opens_value(c: char) -> bool {
    QUOTES.contains(&c) || "(（[<>".contains(c)
}

/// Whether a word with a colon in it names a field: letters before the colon and a value right after it, or a name that
/// vakt knows; `https://…` and `Note: …` do not.
fn is_field(name: &str, value: &str, rest: &str) -> bool {
    let letters = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
    let address = value.starts_with("//") || name.eq_ignore_ascii_case("mailto");
    let follows = !value.is_empty() || rest.trim_start().starts_with(|c| opens_value(c) && !"<>".contains(c));
    letters && !address && (follows || Field::of(name).is_some())
}
