//! Reads a query: operands joined by AND, OR, NOT and NEAR, fields and groups. All mistakes in one pass.

use std::ops::Range;

use super::fact::Field;
use super::lexer::{FARTHEST, Lex, Lexed, lex};
use super::node::{Is, Node};
use super::{Code, MOST_MISTAKES, Mistake, Parsed, lint};

mod joins;
mod operands;

/// Most operands of one query, and deepest nesting of its brackets.
const MOST_OPERANDS: usize = 4096;
const DEEPEST: usize = 64;
/// Longest query, in bytes.
const LONGEST: usize = 1 << 20;

/// Reads a query.
pub fn parse(text: &str) -> Parsed {
    if text.len() > LONGEST {
        let help = "split it into several topics";
        let mistake = Mistake::error(Code::TooLarge, 0..text.len(), "the query is longer than a megabyte", help);
        return Parsed { node: None, mistakes: vec![mistake] };
    }
    let (lexed, mistakes) = lex(text);
    let broken = !mistakes.is_empty();
    let mut p = Parser { text, broken, lexed, at: 0, mistakes, operands: 0, depth: 0, given_up: false, field: None };
    let whole = 0..text.len();
    let mut node = None;
    if p.lexed.is_empty() {
        if p.mistakes.is_empty() {
            p.wrong(Code::Empty, whole.clone(), "there is nothing to look for", "write a word, such as a brand's name");
        }
    } else {
        node = p.expression();
        while p.peek() == Some(&Lex::Close) {
            let span = p.span();
            p.wrong(Code::StrayBracket, span, "this bracket closes nothing", "take it out, or open one before");
            p.at += 1;
            // What stands behind it was joined to what stands before it.
            if matches!(p.peek(), Some(Lex::And | Lex::Or)) {
                p.at += 1;
            }
            if p.peek().is_some_and(|next| *next != Lex::Close) {
                p.expression();
            }
        }
    }
    if let Some(node) = &node
        && node.is_negative()
        && !p.mistakes.iter().any(|m| m.code == Code::MixedAndOr)
    {
        let help = "say what to look for as well: acme NOT tools";
        p.wrong(Code::OnlyNot, node.span.clone(), "NOT alone, or as an alternative, matches almost everything", help);
    }
    if p.operands > MOST_OPERANDS {
        let message = format!("the query has more than {MOST_OPERANDS} operands");
        p.wrong(Code::TooLarge, whole, message, "split it into several topics");
    }
    let node = node.filter(|_| !p.broken);
    if let Some(node) = &node {
        p.mistakes.extend(lint::always(node));
    }
    p.mistakes.sort_by_key(|m| (m.span.start, m.span.end));
    p.mistakes.dedup();
    Parsed { node, mistakes: p.mistakes }
}

/// How an operand is joined to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joined {
    First,
    And,
    Or,
}

struct Parser<'t> {
    text: &'t str,
    lexed: Vec<Lexed>,
    at: usize,
    mistakes: Vec<Mistake>,
    /// There is a mistake that is no warning.
    broken: bool,
    operands: usize,
    depth: usize,
    /// Brackets were nested too deep: the rest was not read.
    given_up: bool,
    /// The field whose group is being read: bare words are its values.
    field: Option<Field>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Lex> {
        self.lexed.get(self.at).map(|(l, _)| l)
    }

    /// Where the next piece stands; the end of the text where there is none.
    fn span(&self) -> Range<usize> {
        self.lexed.get(self.at).map_or_else(|| self.last_end()..self.last_end(), |(_, s)| s.clone())
    }

    /// The last byte that was read.
    fn last_end(&self) -> usize {
        self.at.checked_sub(1).and_then(|i| self.lexed.get(i)).map_or(0, |(_, s)| s.end)
    }

    fn wrong(&mut self, code: Code, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.tell(Mistake::error(code, span, message, help));
    }

    fn warn(&mut self, code: Code, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.tell(Mistake::warning(code, span, message, help));
    }

    /// The first that is no warning is told in any case.
    fn tell(&mut self, mistake: Mistake) {
        let first = !mistake.warning && !self.broken;
        self.broken |= !mistake.warning;
        if first || self.mistakes.len() < MOST_MISTAKES {
            self.mistakes.push(mistake);
        }
    }

    fn written(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or("")
    }

    /// Operands joined by AND, by OR, or by nothing, but not by both AND and OR.
    fn expression(&mut self) -> Option<Node> {
        let start = self.span().start;
        let mut operands: Vec<Node> = Vec::new();
        let mut joins: Vec<(Joined, Range<usize>)> = Vec::new();
        let mut nears: Vec<Range<usize>> = Vec::new();
        let (mut told, mut failed) = (false, false);
        let mut next = Joined::First;
        let mut join_span = start..start;
        loop {
            let before = self.at;
            let (node, near) = self.nearness(next);
            nears.extend(near);
            // What has a mistake of its own is joined all the same; what is missing is not.
            if node.is_some() || before != self.at {
                joins.push((next, join_span.clone()));
            }
            failed |= node.is_none();
            operands.extend(node);
            let span = self.span();
            join_span = span.clone();
            match self.peek() {
                Some(Lex::And) => {
                    self.at += 1;
                    next = Joined::And;
                    // `AND NOT` is one operator; `AND OR` is a mistake that the operand tells.
                }
                Some(Lex::Or) => {
                    self.at += 1;
                    next = Joined::Or;
                }
                None | Some(Lex::Close) => break,
                Some(other) => {
                    let silent = matches!(other, Lex::Not | Lex::Minus);
                    if !silent && before != self.at {
                        told |= self.implicit(span.clone(), told);
                    }
                    next = Joined::And;
                    if before == self.at {
                        // Something that cannot be read as an operand: go past it.
                        self.at += 1;
                    }
                }
            }
        }
        self.check_joins(&operands, &joins, &nears, failed);
        let any = joins.iter().any(|(j, _)| *j == Joined::Or);
        let span = operands.first()?.span.start.min(start)..operands.last()?.span.end;
        match operands.len() {
            1 => operands.pop(),
            _ if any => Some(Node::new(span, Is::Or(operands))),
            _ => Some(Node::new(span, Is::And(operands))),
        }
    }

    /// `operand NEAR/5 operand`, or an operand alone; with where a NEAR stands.
    fn nearness(&mut self, joined: Joined) -> (Option<Node>, Option<Range<usize>>) {
        if matches!(self.peek(), Some(Lex::Not | Lex::Minus)) {
            let start = self.span().start;
            self.at += 1;
            while matches!(self.peek(), Some(Lex::Not | Lex::Minus)) {
                let here = self.span();
                self.at += 1;
                self.wrong(Code::MissingOperand, here, "a word is missing before this NOT", "take one of the two out");
            }
            let (inner, near) = self.nearness(joined);
            let node = inner.map(|n| Node::new(start..n.span.end, Is::Not(Box::new(n))));
            return (node, near);
        }
        let mut seen = None;
        let mut chain = 0;
        let mut left = self.operand(joined);
        while let Some(Lex::Near { distance, ordered }) = self.peek() {
            let (distance, ordered, span) = (*distance, *ordered, self.span());
            self.at += 1;
            if let Some(Lex::Not | Lex::Minus) = self.peek() {
                let here = self.span();
                self.at += 1;
                self.wrong(
                    Code::InNear,
                    here,
                    "NOT cannot stand beside NEAR",
                    "exclude it outside: (a NEAR/5 b) NOT c",
                );
            }
            seen.get_or_insert(span.clone());
            chain += 1;
            if chain == DEEPEST {
                let message = format!("more than {DEEPEST} NEAR stand in one row");
                self.wrong(Code::TooLarge, span.clone(), message, "group alternatives: (a OR b) NEAR/5 (c OR d)");
            }
            let right = self.operand(Joined::And);
            left = match (left, right) {
                // A longer row is refused, and no tree so deep is built.
                (Some(l), Some(_)) if chain >= DEEPEST => Some(l),
                (Some(l), Some(r)) => {
                    self.check_near(&l, &span);
                    self.check_near(&r, &span);
                    let whole = l.span.start..r.span.end;
                    let is = Is::Near { left: Box::new(l), right: Box::new(r), distance, ordered };
                    Some(Node::new(whole, is))
                }
                (one, other) => one.or(other),
            };
        }
        // Rows within rows: what goes over the tree goes down into it.
        match left {
            Some(node) if chain > 0 && depth(&node) > 2 * DEEPEST => {
                self.wrong(Code::TooLarge, node.span, "NEAR stand within NEAR too deep", "simplify the query");
                (None, seen)
            }
            left => (left, seen),
        }
    }

    fn check_near(&mut self, side: &Node, near: &Range<usize>) {
        if !side.has_places() {
            let span = if side.span.is_empty() { near.clone() } else { side.span.clone() };
            let help = "NEAR and ~ join words, phrases and groups of them; exclusions and fields stand outside";
            self.wrong(Code::InNear, span, "this has no place in a text that something could be near", help);
        }
    }

    fn operand(&mut self, joined: Joined) -> Option<Node> {
        let span = self.span();
        let Some(lex) = self.peek().cloned() else {
            let before = self.lexed.last().map_or(0..0, |(_, s)| s.clone());
            if self.given_up || self.mistakes.iter().any(|m| m.code == Code::MissingOperand && m.span == before) {
                return None;
            }
            let message = "something is missing at the end";
            self.wrong(Code::MissingOperand, before, message, "add a word, or take the operator out");
            return None;
        };
        match lex {
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
                self.braced(&text, span)
            }
            Lex::Field(name) => {
                self.at += 1;
                self.field(&name, span)
            }
            Lex::Tilde(_) => {
                self.at += 1;
                let help = "write \"one two\"~5 or (one AND two)~5 for nearness, and word~ for compounds";
                self.wrong(Code::Tilde, span, "`~` stands right after a word, a quote or a group", help);
                None
            }
            Lex::Broken => {
                self.at += 1;
                None
            }
            Lex::Range(_) | Lex::Compare(..) => {
                self.at += 1;
                self.wrong(Code::StrayBracket, span, "a range follows a field", "write for example reach:[10 TO 100]");
                None
            }
            Lex::Not | Lex::Minus => {
                self.wrong(Code::MissingOperand, span, "a word is missing before this", "add one, or take this out");
                self.at += 1;
                None
            }
            Lex::Close if joined != Joined::First || self.at > 0 => {
                let before = self.at.checked_sub(1).and_then(|n| self.lexed.get(n)).map_or(span, |(_, s)| s.clone());
                let message = "a word is missing between this and the bracket";
                self.wrong(Code::MissingOperand, before, message, "add one, or take this out");
                None
            }
            Lex::And | Lex::Or | Lex::Near { .. } | Lex::Close => {
                let help = match joined {
                    Joined::First => "add a word before it, or take it out",
                    _ => "add a word between the two, or take one of them out",
                };
                self.wrong(Code::MissingOperand, span, "a word is missing before this", help);
                None
            }
        }
    }

    fn group(&mut self, open: Range<usize>) -> Option<Node> {
        self.at += 1;
        if self.depth >= DEEPEST {
            let help = "simplify the query";
            self.wrong(Code::TooLarge, open, format!("brackets are nested more than {DEEPEST} deep"), help);
            self.at = self.lexed.len();
            self.given_up = true;
            return None;
        }
        if self.peek() == Some(&Lex::Close) {
            let span = open.start..self.span().end;
            self.wrong(Code::EmptyGroup, span, "there is nothing in these brackets", "take them out");
            self.at += 1;
            return None;
        }
        self.depth += 1;
        let inner = self.expression();
        self.depth -= 1;
        let mut end = self.last_end();
        if self.peek() == Some(&Lex::Close) {
            end = self.span().end;
            self.at += 1;
        } else if !self.given_up {
            self.wrong(Code::UnclosedBracket, open.clone(), "this bracket is not closed", "add ) where the group ends");
        }
        let inner = inner.map(|n| Node::new(open.start..end, n.is));
        match self.tilde(end) {
            None => inner,
            Some(distance) => self.within(inner?, distance),
        }
    }

    /// The number of a `~` that stands right here; `None` where there is none.
    fn tilde(&mut self, end: usize) -> Option<u32> {
        let Some(Lex::Tilde(number)) = self.peek() else { return None };
        let (number, span) = (*number, self.span());
        if span.start != end {
            return None;
        }
        self.at += 1;
        match number {
            Some(n) if n <= FARTHEST => Some(n.max(1)),
            Some(_) => {
                let message = format!("`~` reaches over at most {FARTHEST} words");
                self.wrong(Code::NearNumber, span, message, "write for example \"one two\"~5");
                Some(1)
            }
            None => {
                self.wrong(Code::Tilde, span, "`~` needs a number of words", "write for example \"one two\"~5");
                Some(1)
            }
        }
    }

    /// `(a AND b)~5`.
    fn within(&mut self, inner: Node, distance: u32) -> Option<Node> {
        let span = inner.span.clone();
        match inner.is {
            Is::And(parts) => {
                for part in &parts {
                    self.check_near(part, &span);
                }
                Some(Node::new(span, Is::Within { parts, distance }))
            }
            _ => {
                let help = "write (one AND two)~5, or \"one two\"~5";
                self.wrong(Code::Tilde, span, "`~` after a group needs words joined by AND in it", help);
                None
            }
        }
    }
}

/// How many nodes stand below each other, at most.
fn depth(node: &Node) -> usize {
    1 + node.parts().into_iter().map(depth).max().unwrap_or(0)
}
