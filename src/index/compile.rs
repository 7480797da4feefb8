//! Turns a query's tree into one of the index, wider than the query where the index cannot say it exactly.

use std::ops::Bound;

use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, EmptyQuery, Occur, PhraseQuery, Query, RangeQuery, RegexQuery, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

use super::spots::{SpotQuery, Tree};
use super::view::View;
use super::words::{WildQuery, WordsQuery};
use super::writer::OF;
use super::{Fields, IndexError};
use crate::query::{Fact, Field as Asked, Is, Node, Part, Place, Wanted, When, Wild, splits, stems_of};
use crate::text::lexeme::spellings;
use crate::text::tokens::Tokens;

/// A compiled query.
pub(super) struct Compiled {
    pub(super) query: Box<dyn Query>,
    /// Whether it finds exactly what the tree means; if not, what it finds has to be verified.
    pub(super) exact: bool,
}

impl Compiled {
    fn exact(query: impl Query) -> Compiled {
        Compiled { query: Box::new(query), exact: true }
    }
}

/// Words that a wildcard within a phrase or near another word may stand for; with more, mentions are verified one by one.
const MOST_WORDS: usize = 512;

/// Compiles queries against what an index holds.
pub(super) struct Compiler<'a> {
    pub(super) view: &'a View,
    pub(super) fields: &'a Fields,
    /// What «now» means, milliseconds since 1970.
    pub(super) now: i64,
    /// Whether it matters how well a mention fits.
    pub(super) scored: bool,
}

type Result<T> = std::result::Result<T, IndexError>;

impl Compiler<'_> {
    /// Compiles a query, within a part of the text where one is named.
    pub(super) fn compile(&self, node: &Node, place: Option<Place>) -> Result<Compiled> {
        match &node.is {
            Is::And(all) => self.and(all, place),
            Is::Or(any) => {
                let parts = any.iter().map(|n| self.compile(n, place)).collect::<Result<Vec<_>>>()?;
                let exact = parts.iter().all(|p| p.exact);
                Ok(Compiled { query: any_of(parts.into_iter().map(|p| p.query).collect()), exact })
            }
            Is::Not(inner) => {
                let inner = self.compile(inner, place)?;
                let query: Box<dyn Query> = if inner.exact {
                    let all: Box<dyn Query> = Box::new(AllQuery);
                    Box::new(BooleanQuery::new(vec![(Occur::Must, all), (Occur::MustNot, inner.query)]))
                } else {
                    Box::new(AllQuery)
                };
                Ok(Compiled { query, exact: inner.exact })
            }
            Is::In(place, inner) => self.compile(inner, Some(*place)),
            Is::Fact(fact) => self.fact(fact),
            Is::Wild(wild) if place.is_none() => {
                let wilds = spellings(wild.pattern()).filter_map(|p| Wild::new(&p).ok()).collect();
                Ok(Compiled::exact(WildQuery { field: self.fields.words, wilds }))
            }
            Is::Compound(word) if place.is_none() => self.compound(word),
            _ => self.placed(node, place),
        }
    }

    fn and(&self, all: &[Node], place: Option<Place>) -> Result<Compiled> {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        let (mut exact, mut positive) = (true, false);
        for part in all {
            if let Is::Not(inner) = &part.is {
                let inner = self.compile(inner, place)?;
                // What is excluded must not be wider than meant: if it is, leave it to the verification.
                if inner.exact {
                    clauses.push((Occur::MustNot, inner.query));
                }
                exact &= inner.exact;
            } else {
                let part = self.compile(part, place)?;
                exact &= part.exact;
                positive = true;
                clauses.push((Occur::Must, part.query));
            }
        }
        if !positive {
            clauses.push((Occur::Must, Box::new(AllQuery)));
        }
        Ok(Compiled { query: Box::new(BooleanQuery::new(clauses)), exact })
    }

    /// Words, phrases and nearness.
    fn placed(&self, node: &Node, place: Option<Place>) -> Result<Compiled> {
        let Some(tree) = self.tree(node)? else {
            // Something in it has no terms of its own: all of its words, wherever they are, and then a closer look.
            return Ok(Compiled { query: self.wider(node)?, exact: false });
        };
        Ok(Compiled::exact(match (tree, place) {
            (Tree::Leaf(terms), None) => {
                return Ok(Compiled { query: self.any_word(terms), exact: true });
            }
            (tree, None) => match tree.words() {
                // Words in a row are a question that the engine answers itself.
                Some(words) => return Ok(Compiled::exact(PhraseQuery::new(words))),
                None => SpotQuery { tree, place },
            },
            (tree, place) => SpotQuery { tree, place },
        }))
    }

    /// The tree of something that has places; `None` where it cannot be found from postings alone.
    fn tree(&self, node: &Node) -> Result<Option<Tree>> {
        let all = |nodes: &[Node]| -> Result<Option<Vec<Tree>>> {
            Ok(nodes.iter().map(|n| self.tree(n)).collect::<Result<Vec<_>>>()?.into_iter().collect())
        };
        Ok(match &node.is {
            Is::Word(word) => Some(Tree::Leaf(self.word(word))),
            Is::Token(token) => Some(Tree::Leaf(self.token(token))),
            Is::Wild(wild) => self.wild(wild)?.map(Tree::Leaf),
            Is::Phrase(parts) => {
                let mut trees = Vec::with_capacity(parts.len());
                for part in parts {
                    let terms = match part {
                        Part::Token(token) => Some(self.token(token)),
                        Part::Wild(wild) => self.wild(wild)?,
                    };
                    let Some(terms) = terms else { return Ok(None) };
                    trees.push(Tree::Leaf(terms));
                }
                if trees.len() == 1 { trees.pop() } else { Some(Tree::Phrase(trees)) }
            }
            Is::Or(any) => all(any)?.map(Tree::Any),
            Is::And(parts) => all(parts)?.map(Tree::All),
            Is::Within { parts, distance } => all(parts)?.map(|t| Tree::Within(t, *distance)),
            Is::Near { left, right, distance, ordered } => self.near(left, right, *distance, *ordered)?,
            Is::Compound(_) | Is::Cased(_) | Is::Not(_) | Is::In(..) | Is::Fact(_) => None,
        })
    }

    /// Nearness of groups: where a side is an AND, each of its parts has to be near the other side.
    fn near(&self, left: &Node, right: &Node, distance: u32, ordered: bool) -> Result<Option<Tree>> {
        let each = |sides: Vec<(&Node, &Node)>| -> Result<Option<Tree>> {
            let trees = sides.into_iter().map(|(l, r)| self.near(l, r, distance, ordered));
            let trees: Option<Vec<Tree>> = trees.collect::<Result<Vec<_>>>()?.into_iter().collect();
            Ok(trees.map(Tree::All))
        };
        match (&left.is, &right.is) {
            (Is::And(all), _) => each(all.iter().map(|l| (l, right)).collect()),
            (_, Is::And(all)) => each(all.iter().map(|r| (left, r)).collect()),
            _ => Ok(match (self.tree(left)?, self.tree(right)?) {
                (Some(l), Some(r)) => Some(Tree::Near(Box::new(l), Box::new(r), distance, ordered)),
                _ => None,
            }),
        }
    }

    /// Any of some terms; where it matters how well a mention fits, the engine's own query says so.
    fn any_word(&self, terms: Vec<Term>) -> Box<dyn Query> {
        let option = if self.scored { IndexRecordOption::WithFreqs } else { IndexRecordOption::Basic };
        let plain = any_of(terms.iter().map(|t| Box::new(TermQuery::new(t.clone(), option)) as _).collect());
        if self.scored || terms.len() < 2 { plain } else { Box::new(WordsQuery { terms, plain }) }
    }

    /// Every mention that could match something with places, and others.
    fn wider(&self, node: &Node) -> Result<Box<dyn Query>> {
        let each = |nodes: Vec<&Node>| nodes.into_iter().map(|n| self.wider(n)).collect::<Result<Vec<_>>>();
        Ok(match &node.is {
            Is::And(_) | Is::Within { .. } | Is::Near { .. } => all_of(each(node.parts())?),
            Is::Or(_) => any_of(each(node.parts())?),
            Is::Cased(text) => {
                let tokens = Tokens::read(text).list;
                let terms = tokens.iter().map(|t| self.token(&t.signed()));
                all_of(terms.map(|t| any_of(t.into_iter().map(term_query).collect())).collect())
            }
            Is::Phrase(parts) => {
                let part = |part: &Part| -> Result<Box<dyn Query>> {
                    match part {
                        Part::Token(token) => Ok(any_of(self.token(token).into_iter().map(term_query).collect())),
                        Part::Wild(wild) => {
                            Ok(Box::new(WildQuery { field: self.fields.words, wilds: vec![wild.clone()] }))
                        }
                    }
                };
                all_of(parts.iter().map(part).collect::<Result<Vec<_>>>()?)
            }
            _ => self.compile(node, None)?.query,
        })
    }

    /// A word in any inflection: its stems in the languages that the index has, and itself.
    fn word(&self, word: &str) -> Vec<Term> {
        let mut terms = self.token(word);
        for (language, stem) in stems_of(word, |l| self.view.languages.iter().any(|here| here == l)) {
            terms.push(Term::from_field_text(self.fields.stems, &format!("{stem}{OF}{language}")));
        }
        terms.sort();
        terms.dedup();
        terms
    }

    /// A literal token in its spellings.
    fn token(&self, token: &str) -> Vec<Term> {
        spellings(token).map(|spelling| Term::from_field_text(self.fields.words, &spelling)).collect()
    }

    /// The words of the index that fit a pattern; `None` where they are too many.
    fn wild(&self, wild: &Wild) -> Result<Option<Vec<Term>>> {
        let mut terms = Vec::new();
        for wild in spellings(wild.pattern()).filter_map(|p| Wild::new(&p).ok()) {
            self.walk(self.fields.words, wild.head(), |word| {
                if wild.fits(word) {
                    terms.push(Term::from_field_text(self.fields.words, word));
                }
                terms.len() <= MOST_WORDS
            })?;
        }
        terms.sort();
        terms.dedup();
        Ok((terms.len() <= MOST_WORDS).then_some(terms))
    }

    /// Goes through the terms of a field that begin so, until `each` has had enough.
    fn walk(&self, field: Field, head: &str, mut each: impl FnMut(&str) -> bool) -> Result<()> {
        for segment in self.view.searcher.segment_readers() {
            let list = segment.inverted_index(field)?;
            let mut terms = list.terms().range().ge(head).into_stream().map_err(tantivy::TantivyError::from)?;
            while terms.advance() {
                match std::str::from_utf8(terms.key()) {
                    Ok(term) if term.starts_with(head) => {
                        if !each(term) {
                            return Ok(());
                        }
                    }
                    _ => break,
                }
            }
        }
        Ok(())
    }

    /// A compound: itself, in two words, and within longer words of the languages that write it as one.
    fn compound(&self, word: &str) -> Result<Compiled> {
        let mut ways: Vec<Box<dyn Query>> = self.token(word).into_iter().map(term_query).collect();
        for (left, right) in splits(word) {
            let terms = [&left, &right].map(|w| Term::from_field_text(self.fields.words, w));
            if self.view.searcher.doc_freq(&terms[0])? > 0 && self.view.searcher.doc_freq(&terms[1])? > 0 {
                let tree = Tree::Phrase(terms.map(|t| Tree::Leaf(vec![t])).into());
                ways.push(Box::new(SpotQuery { tree, place: None }));
            }
        }
        let inside = RegexQuery::from_pattern(&format!("{word}.*|[^#@$].*{word}.*"), self.fields.words)?;
        let languages = ["de", "sv"].map(|l| term_query(Term::from_field_text(self.fields.language, l)));
        ways.push(all_of(vec![Box::new(inside), any_of(languages.into())]));
        Ok(Compiled { query: any_of(ways), exact: true })
    }

    fn fact(&self, fact: &Fact) -> Result<Compiled> {
        let f = self.fields;
        let (field, column) = match fact.field {
            Asked::Site => (f.site, None),
            Asked::Url => (f.url, None),
            Asked::Links => (f.links, None),
            Asked::Author => (f.author, None),
            Asked::Source => (f.source, None),
            Asked::Network => (f.network, None),
            Asked::Language => (f.language, None),
            Asked::Country => (f.country, None),
            Asked::Topic => (f.topic, None),
            Asked::Story => {
                let number = match &fact.value {
                    Wanted::Name(value) => value.parse::<i64>().ok(),
                    _ => None,
                };
                let term = number.map(|n| Term::from_field_u64(f.story, n.cast_unsigned()));
                return Ok(Compiled { query: term.map_or_else(|| Box::new(EmptyQuery) as _, term_query), exact: true });
            }
            Asked::Tags => (f.tags, None),
            Asked::Channel => (f.channel, None),
            Asked::EngagementType => (f.kind, None),
            Asked::AuthorVerified => (f.verified, None),
            Asked::Intent => (f.intent, None),
            Asked::Sentiment => (f.label, Some((f.sentiment, true))),
            Asked::Rating => (f.rating, Some((f.rating, true))),
            Asked::AuthorFollowers => (f.followers, Some((f.followers, false))),
            Asked::Reach => (f.reach, Some((f.reach, false))),
            Asked::Engagement => (f.engagement, Some((f.engagement, false))),
            Asked::Tier => (f.tier, Some((f.tier, false))),
            Asked::MinuteOfDay => (f.minute, Some((f.minute, false))),
            Asked::Published => (f.at, None),
            Asked::Seen => (f.received, None),
            Asked::Title | Asked::Text | Asked::Raw | Asked::Emotion => return Ok(Compiled::exact(EmptyQuery)),
        };
        let name = |name: &str| term_query(Term::from_field_text(field, name));
        Ok(match &fact.value {
            Wanted::Name(value) => Compiled { query: name(value), exact: true },
            Wanted::Wild(wild) => Compiled::exact(WildQuery { field, wilds: vec![wild.clone()] }),
            Wanted::Site(host, path) => Compiled { query: name(host), exact: path.is_empty() },
            Wanted::Words(words) => {
                Compiled { query: all_of(words.iter().map(|w| name(w)).collect()), exact: words.len() == 1 }
            }
            Wanted::Number(low, high) => match column {
                Some((field, true)) => {
                    let term = |n: f64| Term::from_field_f64(field, n);
                    Compiled::exact(RangeQuery::new(Bound::Included(term(*low)), Bound::Included(term(*high))))
                }
                Some((field, false)) if *high >= 0.0 => {
                    let bound = |n: f64| Bound::Included(Term::from_field_u64(field, n as u64));
                    let low = if *low <= 0.0 { Bound::Unbounded } else { bound(low.ceil()) };
                    let high = if high.is_finite() { bound(high.floor()) } else { Bound::Unbounded };
                    match (&low, &high) {
                        // Whatever has a value at all.
                        (Bound::Unbounded, Bound::Unbounded) => {
                            Compiled::exact(RangeQuery::new(bound(0.0), bound(u64::MAX as f64)))
                        }
                        _ => Compiled::exact(RangeQuery::new(low, high)),
                    }
                }
                _ => Compiled::exact(EmptyQuery),
            },
            Wanted::Time(from, to) => {
                let at = |when: &When| Term::from_field_i64(field, when.at(self.now));
                let from = from.as_ref().map_or(Bound::Unbounded, |w| Bound::Included(at(w)));
                let to = to.as_ref().map_or(Bound::Unbounded, |w| Bound::Excluded(at(w)));
                match (&from, &to) {
                    (Bound::Unbounded, Bound::Unbounded) => Compiled::exact(AllQuery),
                    _ => Compiled::exact(RangeQuery::new(from, to)),
                }
            }
        })
    }
}

fn term_query(term: Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn any_of(mut queries: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    match queries.len() {
        0 => Box::new(EmptyQuery),
        1 => queries.pop().unwrap_or_else(|| Box::new(EmptyQuery)),
        _ => Box::new(BooleanQuery::new(queries.into_iter().map(|q| (Occur::Should, q)).collect())),
    }
}

fn all_of(queries: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    Box::new(BooleanQuery::new(queries.into_iter().map(|q| (Occur::Must, q)).collect()))
}
