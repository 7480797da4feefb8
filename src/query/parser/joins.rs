//! What stands between operands: bare spaces, operators in small letters, and operators that must not be mixed.

use std::ops::Range;

use super::{Joined, Parser, parse};
use crate::query::Code;
use crate::query::lexer::{FARTHEST, Lex};
use crate::query::node::{Is, Node};

impl Parser<'_> {
    /// A bare space before what stands at `span`: AND, unless a small operator was meant on either side of it. Says whether
    /// that it means AND was told, which is done once.
    pub(super) fn implicit(&mut self, span: Range<usize>, told: bool) -> bool {
        let here = self.at;
        let sides = [here.checked_sub(1), Some(here)].into_iter().flatten();
        let sides: Vec<Range<usize>> =
            sides.filter_map(|n| self.lexed.get(n)).filter(|(l, _)| is_bare(l)).map(|(_, s)| s.clone()).collect();
        let mut small = false;
        for side in sides {
            let word = self.written(&side);
            if let Some(meant) = operator_meant(word).filter(|_| word.starts_with(char::is_alphabetic)) {
                small = true;
                let message = format!("`{word}` is looked for as a word");
                let help = format!("did you mean {meant}? operators are in capitals");
                self.warn(Code::SmallOperator, side, message, help);
            }
        }
        let after_near =
            here.checked_sub(2).and_then(|n| self.lexed.get(n)).is_some_and(|(l, _)| matches!(l, Lex::Near { .. }));
        let number = here.checked_sub(1).and_then(|n| self.lexed.get(n)).map(|(_, s)| s.clone());
        if let Some(number) = number.filter(|_| after_near)
            && self.written(&number).parse().is_ok_and(|n: u32| n <= FARTHEST)
        {
            small = true;
            let written = self.written(&number);
            let (message, help) =
                (format!("`{written}` is looked for as a word"), format!("did you mean NEAR/{written}?"));
            self.warn(Code::SmallOperator, number, message, help);
        }
        if !small && !told {
            let help = "write AND between them, or quotes around a phrase";
            self.warn(Code::ImplicitAnd, span, "a bare space means AND", help);
        }
        !small
    }

    pub(super) fn check_joins(
        &mut self,
        operands: &[Node],
        joins: &[(Joined, Range<usize>)],
        nears: &[Range<usize>],
        failed: bool,
    ) {
        let first = |joined| joins.iter().find(|(j, _)| *j == joined).map(|(_, s)| s.clone());
        let (and, or) = (first(Joined::And), first(Joined::Or));
        if let (Some(and), Some(or)) = (&and, &or) {
            let both = and.start.min(or.start)..and.end.max(or.end);
            let help = if failed { None } else { self.bracketed(operands, joins) };
            let help = help.unwrap_or_else(|| "write (a AND b) OR c, or a AND (b OR c)".to_owned());
            self.wrong(Code::MixedAndOr, both, "AND and OR are mixed without brackets", help);
        }
        if let (Some(and), Some(near)) = (&and, nears.first()) {
            let both = and.start.min(near.start)..and.end.max(near.end);
            let is_not = matches!(self.written(and), "NOT" | "-" | "–" | "—" | "−");
            let (word, help) = match is_not {
                true => ("NOT", "put brackets around what NEAR joins: (a NEAR/5 b) NOT c"),
                false => ("AND", "put brackets around what NEAR joins: a AND (b NEAR/5 c)"),
            };
            self.wrong(Code::AndInNear, both, format!("{word} and NEAR are mixed without brackets"), help);
        }
    }

    /// The ways in which mixed operands can be meant, in the query's own words where they are few; each of them is a query.
    fn bracketed(&self, operands: &[Node], joins: &[(Joined, Range<usize>)]) -> Option<String> {
        let short = |n: &Node| {
            let text = self.written(&n.span);
            let fits = text.chars().count() <= 24 && operator_meant(text).is_none();
            let near = matches!(n.is, Is::Near { .. }) && !text.starts_with('(');
            fits.then(|| if near { format!("({text})") } else { text.to_owned() })
        };
        let words: Vec<String> = operands.iter().map(short).collect::<Option<_>>()?;
        if words.len() > 6 {
            return None;
        }
        // One reading groups what AND joins, the other what OR joins.
        let grouped = |inner: Joined, word: &str, outer: &str| {
            let mut groups: Vec<Vec<&str>> = Vec::new();
            for (word, (join, _)) in words.iter().zip(joins) {
                match groups.last_mut() {
                    Some(group) if *join == inner => group.push(word),
                    _ => groups.push(vec![word]),
                }
            }
            let show = |g: &Vec<&str>| if g.len() > 1 { format!("({})", g.join(word)) } else { g.concat() };
            let text = groups.iter().map(show).collect::<Vec<_>>().join(outer);
            text.replace("AND NOT NOT", "NOT").replace("AND NOT AND", "AND NOT")
        };
        let readings = [grouped(Joined::And, " AND ", " OR "), grouped(Joined::Or, " OR ", " AND ")];
        let good: Vec<String> = readings.into_iter().filter(|text| parse(text).node.is_some()).collect();
        (!good.is_empty()).then(|| format!("write {}", good.join(", or ")))
    }
}

/// Whether it is bare text, which an operator could have been meant by.
fn is_bare(lex: &Lex) -> bool {
    matches!(lex, Lex::Word(_))
}

/// The operator that somebody may have meant by a word.
pub(super) fn operator_meant(word: &str) -> Option<String> {
    let upper = word.to_uppercase();
    let distance = upper.strip_prefix('O').unwrap_or(&upper).strip_prefix("NEAR");
    match upper.as_str() {
        "AND" | "&&" | "&" => Some("AND".to_owned()),
        "OR" | "||" | "|" => Some("OR".to_owned()),
        "NOT" => Some("NOT".to_owned()),
        "NEAR" => Some("NEAR/5".to_owned()),
        _ => {
            let number = distance?.trim_start_matches('/').trim_end_matches('F');
            let ordered = upper.starts_with('O') || upper.ends_with('F');
            let operator = if ordered { "ONEAR" } else { "NEAR" };
            number.parse().is_ok_and(|n: u32| n <= FARTHEST).then(|| format!("{operator}/{number}"))
        }
    }
}
