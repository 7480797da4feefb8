//! Answers which of many standing queries a mention matches, without asking all of them.
//!
//! Each query is filed under a set of marks of which every match must hold at least one, the fewest and rarest that it
//! has; only queries that a mention's marks bring up are verified, on positions. Where a query is a list of alternatives, as
//! themes of risk are, each is filed by itself, and only those that are brought up are looked at. Queries come and go one
//! by one.

mod atoms;
mod plan;
mod verify;

use crate::model::Mention;
use crate::text::{Analysis, Terms};

use super::Node;
use atoms::Atoms;
use plan::{Filing, Gate, Plan, Planner};
use verify::Found;

/// What a query is asked of: a mention's terms and facts.
#[derive(Debug, Clone, Copy)]
pub struct Doc<'a> {
    /// Title and body as the terms' byte ranges mean them.
    pub text: &'a str,
    /// Its terms.
    pub terms: &'a Terms,
    /// ISO 639-1 code, or `und`.
    pub language: &'a str,
    /// Everything else that a query may ask for.
    pub mention: &'a Mention,
    /// What «now» means, milliseconds since 1970.
    pub now: i64,
}

impl<'a> Doc<'a> {
    /// A mention with the terms of its text.
    pub fn of(m: &'a Mention, text: &'a str, terms: &'a Terms) -> Doc<'a> {
        Doc { text, terms, language: &m.language, mention: m, now: m.received.as_millisecond() }
    }

    /// A mention with its analysis.
    pub fn analysed(m: &'a Mention, analysis: &'a Analysis) -> Doc<'a> {
        Doc { language: analysis.language, ..Doc::of(m, &analysis.text, &analysis.terms) }
    }
}

/// The number of a standing query.
pub type TopicId = usize;

/// What is filed under an atom: a query, or one alternative of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Filed {
    number: u32,
    alternative: u32,
    gate: Gate,
}

/// The alternative of what is filed whole.
const WHOLE: u32 = u32::MAX;

impl Filed {
    fn alternative(self) -> Option<usize> {
        Some(index(self.alternative)).filter(|_| self.alternative != WHOLE)
    }
}

/// A query with the bytes of a text in which something stands that it looks for, in order.
pub type Looked = (TopicId, Vec<(usize, usize)>);

#[derive(Debug, Clone)]
struct Slot {
    plan: Plan,
    languages: Box<[Box<str>]>,
    /// Where it is filed; nothing for queries that are always asked.
    filed: Box<[u32]>,
}

/// Many standing queries.
#[derive(Debug, Clone, Default)]
pub struct Matcher {
    atoms: Atoms,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    /// Queries and alternatives by the atom that they are filed under.
    filed: Vec<Vec<Filed>>,
    always: Vec<Filed>,
}

fn index(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

impl Matcher {
    /// A matcher of queries; the answers are their numbers in this order. A query listens to `languages` only, where
    /// it names any, and to texts in an unknown language.
    pub fn new<'q>(queries: impl IntoIterator<Item = (&'q Node, &'q [String])>) -> Matcher {
        let mut m = Matcher::default();
        for (node, languages) in queries {
            m.add(node, languages);
        }
        m
    }

    /// Adds a query, from now on matched as well; its number is one that is free.
    pub fn add(&mut self, node: &Node, languages: &[String]) -> TopicId {
        let mut plan = Planner { atoms: &mut self.atoms }.plan(node);
        let number = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.filed.resize_with(self.atoms.len(), Vec::new);
        let under: Vec<(u32, u32, Gate)> = match plan.file(&|atom| self.cost(atom)) {
            Filing::Always => {
                self.always.push(Filed { number, alternative: WHOLE, gate: Gate::OPEN });
                Vec::new()
            }
            Filing::Whole(atoms, gate) => atoms.into_iter().map(|atom| (atom, WHOLE, gate)).collect(),
            Filing::Each(alternatives) => alternatives,
        };
        for (atom, alternative, gate) in &under {
            if let Some(list) = self.filed.get_mut(index(*atom)) {
                list.push(Filed { number, alternative: *alternative, gate: *gate });
            }
        }
        let mut filed: Vec<u32> = under.into_iter().map(|(atom, ..)| atom).collect();
        filed.sort_unstable();
        filed.dedup();
        let languages = languages.iter().map(|l| l.as_str().into()).collect();
        let slot = Slot { plan, languages, filed: filed.into() };
        if let Some(place) = self.slots.get_mut(index(number)) {
            *place = Some(slot);
        }
        index(number)
    }

    /// Takes a query out.
    pub fn remove(&mut self, id: TopicId) {
        let Some(slot) = self.slots.get_mut(id).and_then(Option::take) else { return };
        let number = u32::try_from(id).unwrap_or(u32::MAX);
        for atom in &slot.filed {
            if let Some(list) = self.filed.get_mut(index(*atom)) {
                list.retain(|f| f.number != number);
            }
        }
        self.always.retain(|f| f.number != number);
        self.free.push(number);
    }

    /// How many queries there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it costs to file a query under an atom: how often it will be brought up, roughly.
    fn cost(&self, atom: u32) -> u64 {
        let shared = self.filed.get(index(atom)).map_or(0, Vec::len) as u64;
        self.atoms.commonness(atom) + shared
    }

    /// The words that a query is filed under, for people; nothing where it is always asked.
    pub fn filed_under(&self, id: TopicId) -> Vec<String> {
        let slot = self.slots.get(id).and_then(Option::as_ref);
        slot.map(|s| s.filed.iter().map(|a| self.atoms.name(*a)).collect()).unwrap_or_default()
    }

    /// Bytes of the text in which something that any query looks for stands, in order and apart; for setting it off.
    pub fn places(&self, doc: &Doc<'_>) -> Vec<(usize, usize)> {
        let mut out: Vec<(usize, usize)> = Vec::new();
        for term in Found::new(doc, &self.atoms).all_terms().into_iter().filter_map(|n| doc.terms.list.get(index(n))) {
            let (from, to) = (index(term.start), index(term.end));
            match out.last_mut() {
                Some(last) if from < last.1 => last.1 = last.1.max(to),
                _ => out.push((from, to)),
            }
        }
        out
    }

    /// Numbers of the queries that match, in order.
    pub fn matches(&self, doc: &Doc<'_>) -> Vec<TopicId> {
        self.matching(doc, &mut Found::new(doc, &self.atoms))
    }

    /// The same, and for those of them that are `chosen` the bytes of the text in which something stands that they look
    /// for, in order.
    pub fn matches_with_places(
        &self,
        doc: &Doc<'_>,
        chosen: impl FnOnce(&[TopicId]) -> Vec<TopicId>,
    ) -> (Vec<TopicId>, Vec<Looked>) {
        let mut found = Found::new(doc, &self.atoms);
        let matching = self.matching(doc, &mut found);
        let places = |id: TopicId| {
            let slot = self.slots.get(id).and_then(Option::as_ref);
            let mut terms = slot.map(|s| found.terms(&s.plan)).unwrap_or_default();
            terms.sort_unstable();
            terms.dedup();
            let places = terms.into_iter().filter_map(|n| doc.terms.list.get(index(n)));
            (id, places.map(|t| (index(t.start), index(t.end))).collect())
        };
        let places = chosen(&matching).into_iter().map(places).collect();
        (matching, places)
    }

    fn matching(&self, doc: &Doc<'_>, found: &mut Found<'_>) -> Vec<TopicId> {
        let mut up: Vec<Filed> = self.always.clone();
        for atom in found.atoms() {
            let filed = self.filed.get(index(atom)).into_iter().flatten();
            up.extend(filed.filter(|f| f.gate.lets(|atom| found.is_atom_there(atom))));
        }
        if up.is_empty() {
            return Vec::new();
        }
        found.order();
        up.sort_unstable();
        up.dedup();
        let listens = |slot: &Slot| {
            slot.languages.is_empty()
                || doc.language == crate::text::language::UNKNOWN
                || slot.languages.iter().any(|l| **l == *doc.language)
        };
        let holds = |up: &&[Filed]| {
            let Some(first) = up.first() else { return false };
            let Some(slot) = self.slots.get(index(first.number)).and_then(Option::as_ref) else { return false };
            listens(slot)
                && match first.alternative() {
                    Some(_) => found.holds_of(&slot.plan, up),
                    None => found.holds(&slot.plan, None),
                }
        };
        let of_query = up.chunk_by(|a, b| a.number == b.number);
        of_query.filter(holds).filter_map(|up| up.first()).map(|f| index(f.number)).collect()
    }
}
