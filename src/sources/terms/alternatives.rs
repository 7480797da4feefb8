//! A query as alternatives, each of terms that must all be there; together they find all that the query finds.

use super::Dialect;
use crate::query::{Fact, Field, Is, Node, Part, Wanted};

/// Alternatives that one query may become before some of what must be there is left out.
const MOST: usize = 24;
/// Alternatives with all that must be there, at the very most.
const WIDEST: usize = 400;

/// Words in order that must be there, or must not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Term {
    /// The words, lower case, with the signs that the network knows.
    pub words: Vec<String>,
    /// They must not be there.
    pub not: bool,
}

/// Terms that must all hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Alternative(pub Vec<Term>);

/// The alternatives of a query; `None` where it finds things without any word that could be asked for, and none at all where
/// it finds nothing in this network. What is left out is told in `left_out`.
pub(super) fn alternatives(node: &Node, dialect: &Dialect, left_out: &mut Vec<String>) -> Option<Vec<Alternative>> {
    let found = of(node, dialect, left_out)?;
    // Where nothing must be there, whatever there is is found.
    let asks = |a: &Alternative| a.0.iter().any(|term| !term.not);
    found.iter().all(asks).then_some(found)
}

fn one(words: Vec<String>) -> Option<Vec<Alternative>> {
    Some(vec![Alternative(vec![Term { words, not: false }])])
}

fn of(node: &Node, dialect: &Dialect, left_out: &mut Vec<String>) -> Option<Vec<Alternative>> {
    match &node.is {
        Is::Word(word) | Is::Token(word) => term(std::slice::from_ref(word), dialect, left_out),
        Is::Cased(text) => {
            left_out.push("capital letters".to_owned());
            let words: Vec<String> = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
            let words: Vec<String> = words.into_iter().filter(|w| !w.is_empty()).collect();
            term(&words, dialect, left_out)
        }
        Is::Phrase(parts) => phrase(parts, dialect, left_out),
        Is::Wild(wild) => {
            left_out.push(format!("open endings such as {}", wild.pattern()));
            None
        }
        Is::Compound(word) => {
            left_out.push(format!("{word} within longer words"));
            None
        }
        Is::And(all) => both(all.iter().map(|n| of(n, dialect, left_out)).collect(), dialect),
        Is::Or(any) => {
            let mut out = Vec::new();
            for found in any.iter().map(|n| of(n, dialect, left_out)) {
                out.extend(found?);
            }
            (out.len() <= WIDEST).then(|| simplified(out))
        }
        Is::Near { left, right, .. } => {
            left_out.push("nearness".to_owned());
            both(vec![of(left, dialect, left_out), of(right, dialect, left_out)], dialect)
        }
        Is::Within { parts, .. } => {
            left_out.push("nearness".to_owned());
            both(parts.iter().map(|n| of(n, dialect, left_out)).collect(), dialect)
        }
        Is::In(_, inner) => {
            left_out.push("title or body alone".to_owned());
            of(inner, dialect, left_out)
        }
        Is::Not(inner) => without(inner, dialect, left_out),
        Is::Fact(fact) => of_fact(fact, dialect, left_out),
    }
}

/// Words together; only those that the network can be asked for.
fn term(words: &[String], dialect: &Dialect, left_out: &mut Vec<String>) -> Option<Vec<Alternative>> {
    let kept: Vec<String> = words.iter().map(|w| signed(w, dialect)).collect();
    let can = |w: &String| {
        w.chars().filter(|c| c.is_alphanumeric()).count() >= dialect.shortest
            && w.trim_start_matches(['#', '@', '$']).chars().all(char::is_alphanumeric)
    };
    if !kept.is_empty() && kept.iter().all(can) {
        if dialect.quotes || kept.len() == 1 || !dialect.all {
            return one(kept);
        }
        return Some(vec![Alternative(kept.into_iter().map(|w| Term { words: vec![w], not: false }).collect())]);
    }
    // Of words together each by itself must be there.
    let some: Vec<Term> = kept.into_iter().filter(can).map(|w| Term { words: vec![w], not: false }).collect();
    left_out.push(format!("\"{}\" as it is written", words.join(" ")));
    if some.is_empty() { None } else { Some(vec![narrowed(Alternative(some), dialect)]) }
}

fn signed(word: &str, dialect: &Dialect) -> String {
    match word.chars().next().filter(|c| matches!(c, '#' | '@' | '$')) {
        Some(sign) if !dialect.signs.contains(sign) => word.trim_start_matches(sign).to_owned(),
        _ => word.to_owned(),
    }
}

fn phrase(parts: &[Part], dialect: &Dialect, left_out: &mut Vec<String>) -> Option<Vec<Alternative>> {
    let words: Vec<String> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Token(token) => Some(token.clone()),
            Part::Wild(_) => None,
        })
        .collect();
    if words.len() == parts.len() {
        return term(&words, dialect, left_out);
    }
    left_out.push("open endings within phrases".to_owned());
    let all: Vec<Option<Vec<Alternative>>> =
        words.iter().map(|w| term(std::slice::from_ref(w), dialect, left_out)).collect();
    both(all, dialect)
}

/// What must not be there is asked where the network can, and where it excludes no more than the query does: words that
/// stand alone. In a network where it cannot be nothing is excluded.
fn without(inner: &Node, dialect: &Dialect, left_out: &mut Vec<String>) -> Option<Vec<Alternative>> {
    if let Is::Fact(Fact { field: Field::Network, value: Wanted::Name(name) }) = &inner.is
        && *name == dialect.network
    {
        return Some(Vec::new());
    }
    let alone = match &inner.is {
        Is::Or(any) => any.iter().map(plain).collect::<Option<Vec<_>>>(),
        _ => plain(inner).map(|words| vec![words]),
    };
    match alone.filter(|_| dialect.not.is_some() && dialect.quotes) {
        Some(all) => {
            let term = |words: Vec<String>| Term { words, not: true };
            Some(vec![Alternative(all.into_iter().map(term).collect())])
        }
        None => {
            left_out.push("what must not be there".to_owned());
            None
        }
    }
}

/// A word or phrase of letters alone.
fn plain(node: &Node) -> Option<Vec<String>> {
    let letters = |w: &String| !w.is_empty() && w.chars().all(char::is_alphanumeric);
    let words = match &node.is {
        Is::Word(word) => vec![word.clone()],
        Is::Phrase(parts) => parts
            .iter()
            .map(|part| match part {
                Part::Token(token) => Some(token.clone()),
                Part::Wild(_) => None,
            })
            .collect::<Option<_>>()?,
        _ => return None,
    };
    words.iter().all(letters).then_some(words)
}

fn of_fact(fact: &Fact, dialect: &Dialect, left_out: &mut Vec<String>) -> Option<Vec<Alternative>> {
    match (&fact.field, &fact.value) {
        // It can be of no other network, and here it always is.
        (Field::Network, Wanted::Name(name)) if !dialect.network.is_empty() => {
            if name == dialect.network {
                None
            } else {
                Some(Vec::new())
            }
        }
        (Field::Tags, Wanted::Name(name)) if dialect.tags_alone && name.chars().all(char::is_alphanumeric) => {
            one(vec![name.clone()])
        }
        _ => {
            left_out.push(format!("`{}:`", fact.field.name()));
            None
        }
    }
}

/// All of several: every alternative of one with every one of the others, as far as that stays few.
fn both(parts: Vec<Option<Vec<Alternative>>>, dialect: &Dialect) -> Option<Vec<Alternative>> {
    let mut known: Vec<Vec<Alternative>> = parts.into_iter().flatten().collect();
    if known.iter().any(Vec::is_empty) {
        return Some(Vec::new());
    }
    // What must not be there only goes along with what must.
    let asks = |list: &Vec<Alternative>| list.iter().all(|a| a.0.iter().any(|t| !t.not));
    known.sort_by_key(|list| (!asks(list), list.len(), std::cmp::Reverse(shortest(list))));
    let mut all = known.into_iter();
    let mut out = all.next()?;
    for next in all {
        if out.len().saturating_mul(next.len()) > MOST {
            continue;
        }
        out = out.iter().flat_map(|a| next.iter().map(|b| a.with(b))).collect();
    }
    Some(simplified(out.into_iter().map(|a| narrowed(a, dialect)).collect()))
}

/// Letters of the shortest alternative: long words are rarer.
fn shortest(list: &[Alternative]) -> usize {
    let letters =
        |a: &Alternative| a.0.iter().filter(|t| !t.not).flat_map(|t| &t.words).map(|w| w.chars().count()).sum();
    list.iter().map(letters).min().unwrap_or(0)
}

/// Where only one term can be asked for, the longest.
fn narrowed(a: Alternative, dialect: &Dialect) -> Alternative {
    if dialect.all || a.0.len() < 2 {
        return a;
    }
    let longest =
        a.0.into_iter().filter(|t| !t.not).max_by_key(|t| t.words.iter().map(|w| w.chars().count()).sum::<usize>());
    Alternative(longest.into_iter().collect())
}

impl Alternative {
    fn with(&self, other: &Alternative) -> Alternative {
        let mut all = self.0.clone();
        all.extend(other.0.iter().filter(|t| !self.0.contains(t)).cloned());
        Alternative(all)
    }

    /// Whether it finds all that another finds.
    fn covers(&self, other: &Alternative) -> bool {
        self.0.iter().all(|term| other.0.iter().any(|t| term.covers(t)))
    }
}

impl Term {
    /// Whether it holds wherever another does.
    fn covers(&self, other: &Term) -> bool {
        match (self.not, other.not) {
            (false, false) => other.words.windows(self.words.len().max(1)).any(|w| w == self.words.as_slice()),
            (true, true) => self.words.windows(other.words.len().max(1)).any(|w| w == other.words.as_slice()),
            _ => false,
        }
    }
}

/// Alternatives without those of which another finds everything.
pub(super) fn simplified(all: Vec<Alternative>) -> Vec<Alternative> {
    let mut out: Vec<Alternative> = Vec::new();
    for a in all {
        if out.iter().any(|known| known.covers(&a)) {
            continue;
        }
        out.retain(|known| !a.covers(known));
        out.push(a);
    }
    out
}

/// Alternatives of one term each, which find all that these find and more: what all of them ask for, or else the longest
/// of each.
pub(super) fn flattened(all: Vec<Alternative>) -> Vec<Alternative> {
    let letters = |term: &Term| term.words.iter().map(|w| w.chars().count()).sum::<usize>();
    let common = |term: &Term| all.iter().all(|a| a.0.contains(term));
    let choose = |a: &Alternative| {
        let asked = a.0.iter().filter(|t| !t.not);
        asked.max_by_key(|t| (common(t), letters(t))).cloned()
    };
    let flat = all.iter().map(|a| Alternative(choose(a).into_iter().collect())).filter(|a| !a.0.is_empty());
    simplified(flat.collect())
}
