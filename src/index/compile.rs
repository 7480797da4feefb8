//! Turns a query's tree into one of the index, wider than the query where the index cannot say it exactly.

use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, EmptyQuery, Occur, PhraseQuery, Query, RegexQuery, TermQuery, TermSetQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

use super::{Fields, IndexError};
use crate::query::{Field as Fact, Node, stems_of};
use crate::text::tokens::Tokens;

/// A compiled query.
pub(super) struct Compiled {
    pub(super) query: Box<dyn Query>,
    /// Whether it finds exactly what the tree means; if not, what it finds has to be verified.
    pub(super) exact: bool,
}

pub(super) fn compile(node: &Node, fields: &Fields) -> Result<Compiled, IndexError> {
    let exact = |query: Box<dyn Query>| Ok(Compiled { query, exact: true });
    match node {
        Node::Word(word) => {
            let mut terms: Vec<Term> =
                stems_of(word).into_iter().map(|(_, stem)| Term::from_field_text(fields.stems, &stem)).collect();
            terms.push(Term::from_field_text(fields.words, word));
            terms.sort();
            terms.dedup();
            exact(Box::new(TermSetQuery::new(terms)))
        }
        Node::Literal(token) => exact(term(fields.words, token)),
        Node::Phrase(words) => exact(phrase(words, fields)),
        Node::Cased(text) => {
            let words: Vec<String> = Tokens::read(text).list.iter().map(|t| t.form.to_string()).collect();
            Ok(Compiled { query: phrase(&words, fields), exact: false })
        }
        Node::Prefix(prefix) => {
            // Only letters and digits come out of the parser, so nothing in it is a sign of the pattern language.
            let pattern = format!("{prefix}.*");
            exact(Box::new(RegexQuery::from_pattern(&pattern, fields.words)?))
        }
        Node::And(all) => {
            let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
            let mut whole = true;
            let mut positive = false;
            for part in all {
                if let Node::Not(inner) = part {
                    let inner = compile(inner, fields)?;
                    // What is excluded must not be wider than meant: if it is, leave it to the verification.
                    if inner.exact {
                        clauses.push((Occur::MustNot, inner.query));
                    }
                    whole &= inner.exact;
                } else {
                    let part = compile(part, fields)?;
                    whole &= part.exact;
                    positive = true;
                    clauses.push((Occur::Must, part.query));
                }
            }
            if !positive {
                clauses.push((Occur::Must, Box::new(AllQuery)));
            }
            Ok(Compiled { query: Box::new(BooleanQuery::new(clauses)), exact: whole })
        }
        Node::Or(any) => {
            let parts = any.iter().map(|n| compile(n, fields)).collect::<Result<Vec<_>, _>>()?;
            let whole = parts.iter().all(|p| p.exact);
            let clauses = parts.into_iter().map(|p| (Occur::Should, p.query)).collect();
            Ok(Compiled { query: Box::new(BooleanQuery::new(clauses)), exact: whole })
        }
        Node::Not(inner) => {
            let inner = compile(inner, fields)?;
            let query: Box<dyn Query> = if inner.exact {
                Box::new(BooleanQuery::new(vec![(Occur::Must, Box::new(AllQuery) as _), (Occur::MustNot, inner.query)]))
            } else {
                Box::new(AllQuery)
            };
            Ok(Compiled { query, exact: inner.exact })
        }
        Node::Near { left, right, .. } => {
            let (left, right) = (compile(left, fields)?, compile(right, fields)?);
            let clauses = vec![(Occur::Must, left.query), (Occur::Must, right.query)];
            Ok(Compiled { query: Box::new(BooleanQuery::new(clauses)), exact: false })
        }
        Node::Field(fact, value) => {
            let field = match fact {
                Fact::Site => fields.site,
                Fact::Source => fields.source,
                Fact::Network => fields.network,
                Fact::Language => fields.language,
                Fact::Author => fields.author,
                Fact::Topic => fields.topic,
                Fact::Sentiment => fields.label,
                Fact::Intent => fields.intent,
            };
            exact(term(field, value))
        }
    }
}

fn term(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::Basic))
}

fn phrase(words: &[String], fields: &Fields) -> Box<dyn Query> {
    match words {
        [] => Box::new(EmptyQuery),
        [one] => term(fields.words, one),
        many => Box::new(PhraseQuery::new(many.iter().map(|w| Term::from_field_text(fields.words, w)).collect())),
    }
}
