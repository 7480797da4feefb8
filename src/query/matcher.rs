//! Answers which of many queries a mention matches, without asking all of them.
//!
//! Each query is filed under a set of marks of which every match must hold at least one; only queries that a mention's
//! marks bring up are verified, on positions.

use std::collections::HashMap;

use xxhash_rust::xxh3::Xxh3DefaultBuilder;

use super::{Field, Mark, Node, emit, stems_of};
use crate::model::Mention;
use crate::text::{Analysis, Term};

/// What a query is asked of: a mention's terms and facts.
#[derive(Debug, Clone, Copy)]
pub struct Doc<'a> {
    /// Title and body as the terms' byte ranges mean them.
    pub text: &'a str,
    /// Its terms.
    pub terms: &'a [Term],
    /// ISO 639-1 code, or `und`.
    pub language: &'a str,
    /// Host of the url.
    pub site: &'a str,
    /// Name of the source.
    pub source: &'a str,
    /// Network.
    pub network: &'a str,
    /// Handle of the author.
    pub handle: &'a str,
    /// Name of the author.
    pub author: &'a str,
    /// `negative`, `neutral`, `positive`, or empty where it is not scored.
    pub sentiment: &'a str,
    /// What the author wants.
    pub intent: &'a str,
    /// Topics it matches, where they are known already.
    pub topics: &'a [String],
}

impl<'a> Doc<'a> {
    /// A text without any other facts.
    pub fn text(analysis: &'a Analysis) -> Doc<'a> {
        Doc {
            text: &analysis.text,
            terms: &analysis.terms,
            language: analysis.language,
            site: "",
            source: "",
            network: "",
            handle: "",
            author: "",
            sentiment: "",
            intent: "",
            topics: &[],
        }
    }
}

impl<'a> Doc<'a> {
    /// A mention with the terms of its text.
    pub fn of(m: &'a Mention, text: &'a str, terms: &'a [Term]) -> Doc<'a> {
        Doc {
            text,
            terms,
            language: &m.language,
            site: &m.site,
            source: &m.source,
            network: &m.network,
            handle: &m.author.handle,
            author: &m.author.name,
            sentiment: m.label(),
            intent: &m.intent,
            topics: &m.topics,
        }
    }
}

type Id = u32;
type Map<K, V> = HashMap<K, V, Xxh3DefaultBuilder>;

/// A query over interned marks.
#[derive(Debug, Clone)]
enum Plan {
    /// Any of these marks.
    Any(Vec<Id>),
    /// These words in order.
    Phrase(Vec<Id>),
    /// These words in order, written exactly so.
    Cased(Vec<Id>, Vec<String>),
    /// Words that begin so, as a mark of its own.
    Prefix(Id),
    And(Vec<Plan>),
    Or(Vec<Plan>),
    Not(Box<Plan>),
    Near(Box<Plan>, Box<Plan>, u32, bool),
    Field(Field, String),
}

/// Many standing queries.
#[derive(Debug, Default)]
pub struct Matcher {
    words: Map<String, Id>,
    stems: Map<String, Id>,
    prefixes: Map<String, Id>,
    /// Lengths in characters that prefixes have, in order.
    lengths: Vec<usize>,
    plans: Vec<Plan>,
    languages: Vec<Vec<String>>,
    filed: Vec<Vec<u32>>,
    always: Vec<u32>,
}

/// Where each known mark stands in a text.
struct Found<'d> {
    doc: &'d Doc<'d>,
    /// Mark, position and the number of the term.
    at: Vec<(Id, u32, u32)>,
}

impl Found<'_> {
    fn of(&self, id: Id) -> &[(Id, u32, u32)] {
        let from = self.at.partition_point(|(i, ..)| *i < id);
        let to = self.at.partition_point(|(i, ..)| *i <= id);
        self.at.get(from..to).unwrap_or(&[])
    }
}

impl Matcher {
    /// A matcher of queries; the answers are their numbers in this order. A query listens to `languages` only, where
    /// it names any, and to texts in an unknown language.
    pub fn new<'q>(queries: impl IntoIterator<Item = (&'q Node, &'q [String])>) -> Matcher {
        let mut m = Matcher::default();
        for (node, languages) in queries {
            let plan = m.plan(node);
            let number = u32::try_from(m.plans.len()).unwrap_or(u32::MAX);
            let mut anchor = anchor(&plan);
            if let Some(ids) = &mut anchor {
                ids.sort_unstable();
                ids.dedup();
            }
            match anchor {
                Some(ids) => {
                    for id in ids {
                        let slot = usize::try_from(id).unwrap_or(usize::MAX);
                        if m.filed.len() <= slot {
                            m.filed.resize(slot + 1, Vec::new());
                        }
                        if let Some(list) = m.filed.get_mut(slot) {
                            list.push(number);
                        }
                    }
                }
                None => m.always.push(number),
            }
            m.plans.push(plan);
            m.languages.push(languages.to_vec());
        }
        m.lengths = m.prefixes.keys().map(|p| p.chars().count()).collect();
        m.lengths.sort_unstable();
        m.lengths.dedup();
        m
    }

    fn next(&self) -> Id {
        let n = self.words.len() + self.stems.len() + self.prefixes.len();
        Id::try_from(n).unwrap_or(Id::MAX)
    }

    fn word(&mut self, word: &str) -> Id {
        let next = self.next();
        *self.words.entry(word.to_owned()).or_insert(next)
    }

    fn plan(&mut self, node: &Node) -> Plan {
        match node {
            Node::Word(word) => {
                let mut ids: Vec<Id> = Vec::new();
                for (_, stem) in stems_of(word) {
                    let next = self.next();
                    ids.push(*self.stems.entry(stem).or_insert(next));
                }
                // A language without a stemmer, or a number glued to letters: the word as it stands.
                ids.push(self.word(word));
                Plan::Any(ids)
            }
            Node::Literal(token) => Plan::Any(vec![self.word(token)]),
            Node::Phrase(words) => Plan::Phrase(words.iter().map(|w| self.word(w)).collect()),
            Node::Cased(text) => {
                let tokens = crate::text::tokens::Tokens::read(text);
                let raw = tokens.list.iter().filter_map(|t| text.get(t.start..t.end).map(str::to_owned)).collect();
                Plan::Cased(tokens.list.iter().map(|t| self.word(&t.form)).collect(), raw)
            }
            Node::Prefix(prefix) => {
                let next = self.next();
                Plan::Prefix(*self.prefixes.entry(prefix.clone()).or_insert(next))
            }
            Node::And(all) => Plan::And(all.iter().map(|n| self.plan(n)).collect()),
            Node::Or(any) => Plan::Or(any.iter().map(|n| self.plan(n)).collect()),
            Node::Not(inner) => Plan::Not(Box::new(self.plan(inner))),
            Node::Near { left, right, distance, ordered } => {
                Plan::Near(Box::new(self.plan(left)), Box::new(self.plan(right)), *distance, *ordered)
            }
            Node::Field(field, value) => Plan::Field(*field, value.clone()),
        }
    }

    /// Numbers of the queries that match, in order.
    pub fn matches(&self, doc: &Doc<'_>) -> Vec<usize> {
        let found = self.find(doc);
        let mut candidates: Vec<u32> = self.always.clone();
        let mut last = None;
        for (id, ..) in &found.at {
            if last != Some(*id) {
                last = Some(*id);
                let slot = usize::try_from(*id).unwrap_or(usize::MAX);
                candidates.extend(self.filed.get(slot).into_iter().flatten());
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        candidates
            .into_iter()
            .filter_map(|n| usize::try_from(n).ok())
            .filter(|n| self.listens(*n, doc.language) && self.plans.get(*n).is_some_and(|p| holds(p, &found)))
            .collect()
    }

    fn listens(&self, number: usize, language: &str) -> bool {
        let known = self.languages.get(number).is_some_and(|l| !l.is_empty());
        !known
            || language == crate::text::language::UNKNOWN
            || self.languages.get(number).is_some_and(|l| l.iter().any(|x| x == language))
    }

    fn find<'d>(&self, doc: &'d Doc<'d>) -> Found<'d> {
        let mut at = Vec::new();
        for (number, term) in (0u32..).zip(doc.terms) {
            emit(term, doc.language, |mark| match mark {
                Mark::Word(word) => {
                    if let Some(id) = self.words.get(word.as_ref()) {
                        at.push((*id, term.at, number));
                    }
                    for length in &self.lengths {
                        let end = word.char_indices().nth(*length).map_or(word.len(), |(i, _)| i);
                        if let Some(id) = word.get(..end).and_then(|p| self.prefixes.get(p)) {
                            at.push((*id, term.at, number));
                        }
                    }
                }
                Mark::Stem(stem) => {
                    if let Some(id) = self.stems.get(stem.as_ref()) {
                        at.push((*id, term.at, number));
                    }
                }
            });
        }
        at.sort_unstable();
        at.dedup();
        Found { doc, at }
    }
}

/// Marks of which every match holds at least one; `None` where there is no such set. Fewest marks win.
fn anchor(plan: &Plan) -> Option<Vec<Id>> {
    match plan {
        Plan::Any(ids) => Some(ids.clone()),
        Plan::Prefix(id) => Some(vec![*id]),
        // The longest words of a phrase are not known here; any one of them will do.
        Plan::Phrase(ids) | Plan::Cased(ids, _) => ids.last().map(|id| vec![*id]),
        Plan::And(all) => all.iter().filter_map(anchor).min_by_key(Vec::len),
        Plan::Or(any) => any.iter().map(anchor).collect::<Option<Vec<_>>>().map(|v| v.concat()),
        Plan::Near(left, right, ..) => [left, right].into_iter().filter_map(|p| anchor(p)).min_by_key(Vec::len),
        Plan::Not(_) | Plan::Field(..) => None,
    }
}

fn holds(plan: &Plan, found: &Found<'_>) -> bool {
    match plan {
        Plan::And(all) => all.iter().all(|p| holds(p, found)),
        Plan::Or(any) => any.iter().any(|p| holds(p, found)),
        Plan::Not(inner) => !holds(inner, found),
        Plan::Field(field, value) => has(found.doc, *field, value),
        Plan::Any(ids) => ids.iter().any(|id| !found.of(*id).is_empty()),
        Plan::Prefix(id) => !found.of(*id).is_empty(),
        Plan::Phrase(_) | Plan::Cased(..) | Plan::Near(..) => !places(plan, found).is_empty(),
    }
}

/// First and last position of every place where a plan of words holds.
fn places(plan: &Plan, found: &Found<'_>) -> Vec<(u32, u32)> {
    let mut out: Vec<(u32, u32)> = match plan {
        Plan::Any(ids) => ids.iter().flat_map(|id| found.of(*id)).map(|(_, at, _)| (*at, *at)).collect(),
        Plan::Prefix(id) => found.of(*id).iter().map(|(_, at, _)| (*at, *at)).collect(),
        Plan::Phrase(ids) => phrase(ids, None, found),
        Plan::Cased(ids, raw) => phrase(ids, Some(raw), found),
        Plan::Or(any) => any.iter().flat_map(|p| places(p, found)).collect(),
        Plan::Near(left, right, distance, ordered) => {
            let (left, right) = (places(left, found), places(right, found));
            let mut out = Vec::new();
            for a in &left {
                for b in &right {
                    let forward = b.0 > a.1 && b.0 - a.1 <= *distance;
                    let back = !ordered && a.0 > b.1 && a.0 - b.1 <= *distance;
                    if forward || back {
                        out.push((a.0.min(b.0), a.1.max(b.1)));
                    }
                }
                // Hostile repetition must not make this quadratic without bound.
                if out.len() > 10_000 {
                    break;
                }
            }
            out
        }
        Plan::And(_) | Plan::Not(_) | Plan::Field(..) => Vec::new(),
    };
    out.sort_unstable();
    out.dedup();
    out
}

fn phrase(ids: &[Id], raw: Option<&[String]>, found: &Found<'_>) -> Vec<(u32, u32)> {
    let Some((first, rest)) = ids.split_first() else { return Vec::new() };
    let written = |index: usize, term: u32| {
        let Some(raw) = raw else { return true };
        let term = usize::try_from(term).ok().and_then(|t| found.doc.terms.get(t));
        let text = term.and_then(|t| found.doc.text.get(t.start..t.end));
        text.is_some_and(|t| raw.get(index).is_some_and(|r| r == t))
    };
    let mut out = Vec::new();
    for (_, start, term) in found.of(*first) {
        if !written(0, *term) {
            continue;
        }
        let follows = rest.iter().zip(1u32..).all(|(id, step)| {
            let index = usize::try_from(step).unwrap_or(usize::MAX);
            found.of(*id).iter().any(|(_, at, term)| *at == start + step && written(index, *term))
        });
        if follows {
            out.push((*start, start + u32::try_from(rest.len()).unwrap_or(0)));
        }
    }
    out
}

fn has(doc: &Doc<'_>, field: Field, value: &str) -> bool {
    match field {
        Field::Site => {
            let site = doc.site;
            site == value || site.strip_suffix(value).is_some_and(|sub| sub.ends_with('.'))
        }
        Field::Source => doc.source.to_lowercase() == value,
        Field::Network => doc.network == value,
        Field::Language => doc.language == value,
        Field::Author => doc.handle.to_lowercase() == value || doc.author.to_lowercase() == value,
        Field::Topic => doc.topics.iter().any(|t| t == value),
        Field::Sentiment => doc.sentiment == value,
        Field::Intent => doc.intent == value,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::text::Analyst;

    fn matches(query: &str, text: &str) -> bool {
        let node = parse(query).node.unwrap_or_else(|| panic!("{query}: {:?}", parse(query).mistakes));
        let analysis = Analyst::with_house([]).analyse("", text, None);
        let doc = Doc { site: "news.acme.example", network: "x", handle: "Ann", ..Doc::text(&analysis) };
        !Matcher::new([(&node, [].as_slice())]).matches(&doc).is_empty()
    }

    #[test]
    fn words_phrases_and_signs() {
        let sv = "Min nya vattenkokare från Acme började brinna igår kväll #AcmeGlow @acme_se 🔥";
        assert!(matches("vattenkokaren AND brinner", sv));
        assert!(matches("\"började brinna\"", sv) && !matches("\"brinna började\"", sv));
        assert!(matches("acmeglow AND #acmeglow AND @acme_se AND 🔥", sv) && !matches("#acme", sv));
        assert!(matches("{Acme}", sv) && !matches("{ACME}", sv));
        assert!(matches("brin*", sv) && !matches("kokar*", sv));
        assert!(matches("acme NOT tools", sv) && !matches("acme -brinna", sv));
    }

    #[test]
    fn accents_and_apostrophes() {
        assert!(
            matches("nino", "El niño se quemó con el hervidor") && matches("niño", "El niño se quemó con el hervidor")
        );
        assert!(!matches("niño", "El nino se quemó con el hervidor"));
        assert!(matches("acme", "L'incendio dell'Acme di ieri sera è stato spento"));
        assert!(matches("acme", "Acme's kettle is on fire again and nobody answers"));
    }

    #[test]
    fn nearness() {
        let t = "the brand of kettle that I bought last week in the city is a dangerous product";
        assert!(matches("kettle NEAR/2 brand", t) && !matches("kettle ONEAR/2 brand", t));
        assert!(matches("(fire OR dangerous) NEAR/1 product", t) && !matches("brand NEAR/5 product", t));
        assert!(matches("\"kettle brand\"~3", t));
    }

    #[test]
    fn fields() {
        assert!(matches("acme AND site:acme.example", "acme acme acme"));
        assert!(!matches("acme AND NOT site:acme.example", "acme acme acme"));
        assert!(matches("acme AND author:@ann AND network:x", "acme"));
        assert!(!matches("acme AND site:me.example", "acme"));
    }

    #[test]
    fn a_topic_hears_its_languages_only() {
        let node = parse("acme").node.expect("a query");
        let only = ["sv".to_owned()];
        let m = Matcher::new([(&node, only.as_slice())]);
        let analyst = Analyst::with_house([]);
        let de = analyst.analyse("", "Der Wasserkocher von Acme ist schon wieder kaputt gegangen", None);
        let und = analyst.analyse("", "acme!", None);
        assert!(m.matches(&Doc::text(&de)).is_empty());
        assert_eq!(m.matches(&Doc::text(&und)), [0]);
    }

    proptest::proptest! {
        /// Filing queries under anchors answers the same as asking each of them.
        #[test]
        fn filing_changes_no_answer(
            queries in proptest::collection::vec("(alpha|beta|gam\\*|\"alpha beta\"|#beta|alpha NEAR/2 delta|NOT beta)( (AND|AND NOT) (beta|delta|gamma)){0,2}", 1..8),
            words in proptest::collection::vec("(alpha|beta|gamma|delta|#beta|omega)", 0..12),
        ) {
            let nodes: Vec<Node> = queries.iter().filter_map(|q| parse(q).node).collect();
            let analysis = Analyst::with_house([]).analyse("", &words.join(" "), Some("en"));
            let doc = Doc::text(&analysis);
            let together = Matcher::new(nodes.iter().map(|n| (n, [].as_slice()))).matches(&doc);
            for (i, node) in nodes.iter().enumerate() {
                let alone = Matcher::new([(node, [].as_slice())]);
                let found = alone.find(&doc);
                proptest::prop_assert_eq!(together.contains(&i), holds(&alone.plans[0], &found));
            }
        }
    }
}
