//! Reads a query into its tree, and every mistake in one pass.

use std::ops::Range;

use super::lexer::{Lex, Lexed, lex};
use super::{Field, Mistake, Node, Parsed};
use crate::text::tokens::{Kind, Tokens};

/// Most operands of one query.
const MOST_OPERANDS: usize = 4096;
/// Deepest brackets.
const DEEPEST: usize = 64;
/// Fewest letters before a `*`.
const SHORTEST_PREFIX: usize = 2;

/// Reads a query.
pub fn parse(text: &str) -> Parsed {
    let (lexed, mistakes) = lex(text);
    let mut p = Parser { lexed, at: 0, mistakes, operands: 0, end: text.len(), depth: 0 };
    let node = p.expression();
    if p.at < p.lexed.len() {
        let span = p.span();
        p.mistake(span, "this bracket closes nothing", "take it out, or open one before");
    }
    if let Some(node) = &node
        && only_negative(node)
    {
        p.mistake(0..text.len(), "a query of NOT alone would match almost everything", "say what to look for as well");
    }
    if p.operands > MOST_OPERANDS {
        p.mistake(0..text.len(), "the query has more than 4,096 operands", "split it into several topics");
    }
    let broken = p.mistakes.iter().any(|m| !m.warning);
    p.mistakes.sort_by_key(|m| m.span.start);
    Parsed { node: node.filter(|_| !broken), mistakes: p.mistakes }
}

/// Whether nothing in it must be there.
fn only_negative(node: &Node) -> bool {
    match node {
        Node::Not(_) => true,
        Node::And(all) => all.iter().all(only_negative),
        Node::Or(any) => any.iter().any(only_negative),
        _ => false,
    }
}

struct Parser {
    lexed: Vec<Lexed>,
    at: usize,
    mistakes: Vec<Mistake>,
    operands: usize,
    end: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Lex> {
        self.lexed.get(self.at).map(|(l, _)| l)
    }

    fn span(&self) -> Range<usize> {
        self.lexed.get(self.at).map_or(self.end.saturating_sub(1)..self.end, |(_, s)| s.clone())
    }

    fn mistake(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(Mistake { span, message: message.into(), help: help.into(), warning: false });
    }

    fn warn(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(Mistake { span, message: message.into(), help: help.into(), warning: true });
    }

    /// Operands joined by AND, by OR, or by nothing, but not by both AND and OR.
    fn expression(&mut self) -> Option<Node> {
        let mut operands: Vec<Node> = Vec::new();
        let mut ands: Option<Range<usize>> = None;
        let mut ors: Option<Range<usize>> = None;
        loop {
            operands.extend(self.nearness());
            let span = self.span();
            match self.peek() {
                Some(Lex::And) => {
                    ands.get_or_insert(span);
                    self.at += 1;
                }
                Some(Lex::Or) => {
                    ors.get_or_insert(span);
                    self.at += 1;
                }
                None | Some(Lex::Close) => break,
                Some(Lex::Within(_)) => {
                    self.mistake(span, "`~` belongs after a quote", "write \"one two\"~5");
                    self.at += 1;
                }
                Some(_) => {
                    if !matches!(self.peek(), Some(Lex::Not | Lex::Minus)) {
                        self.warn(span.clone(), "a bare space means AND", "write AND, or quotes around a phrase");
                    }
                    ands.get_or_insert(span);
                }
            }
        }
        if let (Some(and), Some(or)) = (&ands, &ors) {
            let both = and.start.min(or.start)..and.end.max(or.end);
            self.mistake(both, "AND and OR are mixed without brackets", "write (a AND b) OR c, or a AND (b OR c)");
        }
        match operands.len() {
            0 => None,
            1 => operands.pop(),
            _ if ors.is_some() => Some(Node::Or(operands)),
            _ => Some(Node::And(operands)),
        }
    }

    /// `operand NEAR/5 operand`, or an operand alone.
    fn nearness(&mut self) -> Option<Node> {
        let mut left = self.operand()?;
        while let Some(Lex::Near { distance, ordered }) = self.peek() {
            let (distance, ordered, span) = (*distance, *ordered, self.span());
            self.at += 1;
            let right = self.operand()?;
            for side in [&left, &right] {
                if !may_be_near(side) {
                    self.mistake(
                        span.clone(),
                        "NEAR stands between words, phrases and (alternatives OR of them)",
                        "put brackets around what NEAR joins: (a OR b) NEAR/5 (c OR d)",
                    );
                    break;
                }
            }
            left = Node::Near { left: Box::new(left), right: Box::new(right), distance, ordered };
        }
        Some(left)
    }

    fn operand(&mut self) -> Option<Node> {
        self.operands += 1;
        let span = self.span();
        let Some(lex) = self.peek().cloned() else {
            self.mistake(span, "something is missing at the end", "add a word, or take the operator before it out");
            return None;
        };
        match lex {
            Lex::Not | Lex::Minus => {
                self.at += 1;
                self.operand().map(|n| Node::Not(Box::new(n)))
            }
            Lex::Open => self.group(span),
            Lex::Word(word) => {
                self.at += 1;
                self.word(&word, span)
            }
            Lex::Quoted(text) => {
                self.at += 1;
                self.quoted(&text, span)
            }
            Lex::Braced(text) => {
                self.at += 1;
                if text.trim().is_empty() {
                    self.mistake(span, "there is nothing in these braces", "write {Exactly This}");
                    return None;
                }
                Some(Node::Cased(text.trim().to_owned()))
            }
            Lex::Field(name) => {
                self.at += 1;
                self.field(&name, span)
            }
            Lex::And | Lex::Or | Lex::Near { .. } | Lex::Close | Lex::Within(_) => {
                self.mistake(span, "a word is missing before this", "add a word, or take this out");
                if lex != Lex::Close {
                    self.at += 1;
                }
                None
            }
        }
    }

    fn group(&mut self, open: Range<usize>) -> Option<Node> {
        self.at += 1;
        if self.depth >= DEEPEST {
            self.mistake(open, "brackets are nested more than 64 deep", "simplify the query");
            self.at = self.lexed.len();
            return None;
        }
        if self.peek() == Some(&Lex::Close) {
            let span = open.start..self.span().end;
            self.mistake(span, "there is nothing in these brackets", "take them out");
            self.at += 1;
            return None;
        }
        self.depth += 1;
        let inner = self.expression();
        self.depth -= 1;
        if self.peek() == Some(&Lex::Close) {
            self.at += 1;
        } else {
            self.mistake(open, "this bracket is not closed", "add ) where the group ends");
        }
        inner
    }

    fn word(&mut self, word: &str, span: Range<usize>) -> Option<Node> {
        if let Some(stem) = word.strip_suffix('*') {
            return self.prefix(stem, span);
        }
        if word.contains('*') || word.contains('?') {
            self.mistake(
                span,
                "a wildcard stands at the end of a word only",
                "write the beginning of the word and a *",
            );
            return None;
        }
        let tokens = Tokens::read(word).list;
        match tokens.as_slice() {
            [] => {
                self.mistake(span, format!("`{word}` holds no word"), "write a word, a #tag, a @name or an emoji");
                None
            }
            [one] => Some(match one.kind {
                Kind::Word => Node::Word(one.form.to_string()),
                Kind::Hashtag => Node::Literal(format!("#{}", one.form)),
                Kind::Name => Node::Literal(format!("@{}", one.form)),
                Kind::Cashtag => Node::Literal(format!("${}", one.form)),
                Kind::Number | Kind::Emoji => Node::Literal(one.form.to_string()),
                Kind::Url => {
                    self.mistake(span, "an address is not looked for as a word", "use site:example.org");
                    return None;
                }
            }),
            // `car-sharing` and `l'oreal` are several tokens in every text as well.
            many => Some(Node::Phrase(many.iter().map(|t| t.form.to_string()).collect())),
        }
    }

    fn prefix(&mut self, stem: &str, span: Range<usize>) -> Option<Node> {
        let tokens = Tokens::read(stem).list;
        match tokens.as_slice() {
            [one] if one.kind == Kind::Word && one.form.chars().count() >= SHORTEST_PREFIX && one.end == stem.len() => {
                Some(Node::Prefix(one.form.to_string()))
            }
            [one] if one.kind == Kind::Word => {
                self.mistake(span, "too few letters before the `*`", "write at least two letters");
                None
            }
            [] => {
                self.mistake(span, "a wildcard cannot stand at the beginning", "write the beginning of the word first");
                None
            }
            _ => {
                self.mistake(span, "a wildcard follows one plain word", "write for example burn*");
                None
            }
        }
    }

    fn quoted(&mut self, text: &str, span: Range<usize>) -> Option<Node> {
        let words: Vec<String> = Tokens::read(text).list.iter().map(signed).collect();
        let within = match self.peek() {
            Some(Lex::Within(n)) => Some(*n),
            _ => None,
        };
        if within.is_some() {
            self.at += 1;
        }
        if words.is_empty() {
            self.mistake(span, "there is no word in these quotes", "write \"some words\"");
            return None;
        }
        match within {
            Some(distance) => Some(all_within(words, distance)),
            None => Some(Node::Phrase(words)),
        }
    }

    fn field(&mut self, name: &str, span: Range<usize>) -> Option<Node> {
        let field = Field::ALL.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, f)| *f);
        let value_span = self.span();
        let value = match self.peek() {
            Some(Lex::Word(w)) => w.clone(),
            Some(Lex::Quoted(q)) => q.clone(),
            _ => {
                self.mistake(span, format!("`{name}:` has no value"), format!("write {name}:value"));
                return None;
            }
        };
        self.at += 1;
        let Some(field) = field else {
            let names: Vec<&str> = Field::ALL.iter().map(|(n, _)| *n).collect();
            let near = names.iter().min_by_key(|n| strsim::damerau_levenshtein(name, n)).copied().unwrap_or("site");
            self.mistake(
                span,
                format!("there is no field `{name}`"),
                format!("did you mean `{near}:`? known are {}", names.join(", ")),
            );
            return None;
        };
        let value = value.trim().to_lowercase();
        let known: &[&str] = match field {
            Field::Sentiment => &["negative", "neutral", "positive"],
            Field::Intent => &["complaint", "question", "suggestion", "praise", "other"],
            _ => &[],
        };
        if !known.is_empty() && !known.contains(&value.as_str()) {
            self.mistake(value_span, format!("`{value}` is no {name}"), format!("use {}", known.join(", ")));
            return None;
        }
        let value = match field {
            Field::Site => value.trim_start_matches("www.").trim_end_matches('/').to_owned(),
            Field::Author => value.trim_start_matches('@').to_owned(),
            _ => value,
        };
        Some(Node::Field(field, value))
    }
}

fn signed(token: &crate::text::tokens::Token<'_>) -> String {
    match token.kind {
        Kind::Hashtag => format!("#{}", token.form),
        Kind::Name => format!("@{}", token.form),
        Kind::Cashtag => format!("${}", token.form),
        _ => token.form.to_string(),
    }
}

/// All words of a quote within a distance, in any order: each word near its neighbour.
fn all_within(words: Vec<String>, distance: u32) -> Node {
    let mut words = words.into_iter().map(|w| Node::Phrase(vec![w]));
    let Some(first) = words.next() else { return Node::And(Vec::new()) };
    words.fold(first, |left, right| Node::Near {
        left: Box::new(left),
        right: Box::new(right),
        distance: distance.saturating_add(1),
        ordered: false,
    })
}

fn may_be_near(node: &Node) -> bool {
    match node {
        Node::Word(_) | Node::Literal(_) | Node::Phrase(_) | Node::Prefix(_) | Node::Cased(_) | Node::Near { .. } => {
            true
        }
        Node::Or(any) => any.iter().all(may_be_near),
        Node::And(_) | Node::Not(_) | Node::Field(..) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> Vec<String> {
        parse(text).mistakes.into_iter().filter(|m| !m.warning).map(|m| m.message).collect()
    }

    #[test]
    fn the_dialect() {
        let query =
            "(acme OR \"acme corporation\" OR @acme OR {ACME}) <<<why>>> AND NOT (site:acme.example OR \"acme tools\")";
        let parsed = parse(query);
        assert_eq!(parsed.mistakes, []);
        let Some(Node::And(all)) = parsed.node else { panic!("an AND of two") };
        assert!(matches!(&all[0], Node::Or(any) if any.len() == 4));
        assert!(matches!(&all[1], Node::Not(_)));
        assert!(matches!(parse("brand* NEAR/5 produkt").node, Some(Node::Near { distance: 5, ordered: false, .. })));
        assert!(matches!(parse("(a OR b) ONEAR/2 (c OR d)").node, Some(Node::Near { distance: 2, ordered: true, .. })));
        assert_eq!(parse("l'oréal").node, Some(Node::Phrase(vec!["l".into(), "oréal".into()])));
        assert!(parse("apple juice").mistakes.iter().all(|m| m.warning));
    }

    #[test]
    fn mistakes_say_what_to_do() {
        for (text, part) in [
            ("a AND b OR c", "mixed"),
            ("NOT acme", "NOT alone"),
            ("*ing", "wildcard"),
            ("b*", "too few"),
            ("()", "nothing in these brackets"),
            ("acme AND", "missing"),
            ("(acme", "not closed"),
            ("acme)", "closes nothing"),
            ("\"acme", "no end"),
            ("sit:x", "no field"),
            ("\"a b\"~", "number of words"),
            ("<<<x", "no end"),
            ("(a AND b) NEAR/3 c", "NEAR stands"),
            ("", "missing"),
        ] {
            let errors = errors(text);
            assert!(errors.iter().any(|e| e.contains(part)), "{text}: {errors:?}");
        }
        assert!(errors("a AND ( AND \"x").len() >= 2, "all mistakes in one pass");
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}a{}", "(".repeat(50_000), ")".repeat(50_000));
        assert!(errors(&deep).iter().any(|e| e.contains("nested")));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[ab()\"{}~*:#@<>AND NEAR/5OR-]{0,60}|\\PC{0,40}") {
            let parsed = parse(&text);
            for m in &parsed.mistakes {
                proptest::prop_assert!(m.span.end <= text.len() && m.span.start <= m.span.end);
            }
        }
    }
}
