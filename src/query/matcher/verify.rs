//! Whether a plan holds for a text whose atoms have been found.

use super::atoms::{Atoms, Hit};
use super::plan::Plan;
use std::cell::Cell;

use super::{Doc, Filed};
use crate::query::fact::{Fact, Field, Wanted};
use crate::query::node::Place;
use crate::query::places::{self, Spot};
use crate::query::value::address_words;
use crate::text::tokens::Kind;

/// A text with what was found in it.
pub(super) struct Found<'d> {
    doc: &'d Doc<'d>,
    spare: Box<Spare>,
}

/// The lists of what was found, kept by each thread for the next text.
#[derive(Default)]
pub(super) struct Spare {
    /// As they were found, until they are put in order: by atom and position, each once.
    hits: Vec<Hit>,
    /// The atoms that are there, each once.
    atoms: Vec<u32>,
    /// The same in order, each with where its hits begin and end; nothing until they are put in order.
    ranges: Vec<(u32, u32, u32)>,
    /// A bit for each atom that is there: most that a query looks for are not, and this says so at once.
    there: Vec<u64>,
}

impl Spare {
    /// Emptied for another text.
    fn clear(&mut self) {
        for atom in self.atoms.drain(..) {
            if let Some(word) = self.there.get_mut(super::index(atom) / 64) {
                *word = 0;
            }
        }
        self.hits.clear();
        self.ranges.clear();
    }
}

thread_local! {
    static SPARE: Cell<Option<Box<Spare>>> = const { Cell::new(None) };
}

impl Drop for Found<'_> {
    /// Leaves its lists to the thread's next text.
    fn drop(&mut self) {
        let mut spare = std::mem::take(&mut self.spare);
        spare.clear();
        // A thread that is ending needs them no more.
        SPARE.try_with(|kept| kept.set(Some(spare))).ok();
    }
}

impl<'d> Found<'d> {
    /// What of some atoms is in a text, in no order yet.
    pub(super) fn new(doc: &'d Doc<'d>, known: &Atoms) -> Found<'d> {
        let mut spare = SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default();
        let Spare { hits, atoms, there, .. } = &mut *spare;
        known.find(doc, hits);
        if there.len() * 64 <= known.len() {
            there.resize(known.len() / 64 + 1, 0);
        }
        for hit in hits.iter() {
            let Some(word) = there.get_mut(super::index(hit.atom) / 64) else { continue };
            let bit = 1 << (hit.atom % 64);
            if *word & bit == 0 {
                *word |= bit;
                atoms.push(hit.atom);
            }
        }
        Found { doc, spare }
    }

    /// Puts what was found in order, which everything that asks for places needs.
    pub(super) fn order(&mut self) {
        let Spare { hits, ranges, .. } = &mut *self.spare;
        hits.sort_unstable_by_key(Hit::order);
        hits.dedup();
        ranges.clear();
        for (hit, n) in hits.iter().zip(0u32..) {
            match ranges.last_mut() {
                Some((atom, _, end)) if *atom == hit.atom => *end = n + 1,
                _ => ranges.push((hit.atom, n, n + 1)),
            }
        }
    }

    /// The numbers of the terms in which some atom stands, in order.
    pub(super) fn all_terms(&self) -> Vec<u32> {
        let mut terms: Vec<u32> = self.spare.hits.iter().map(|h| h.term).collect();
        terms.sort_unstable();
        terms.dedup();
        terms
    }

    /// The atoms that are there, each once.
    pub(super) fn atoms(&self) -> impl Iterator<Item = u32> {
        self.spare.atoms.iter().copied()
    }

    pub(super) fn is_atom_there(&self, atom: u32) -> bool {
        self.spare.there.get(super::index(atom) / 64).is_some_and(|word| word >> (atom % 64) & 1 == 1)
    }

    fn of(&self, atom: u32) -> &[Hit] {
        if !self.is_atom_there(atom) {
            return &[];
        }
        let place = self.spare.ranges.binary_search_by_key(&atom, |(atom, ..)| *atom).ok();
        let (_, from, to) = place.and_then(|n| self.spare.ranges.get(n)).copied().unwrap_or_default();
        self.spare.hits.get(super::index(from)..super::index(to)).unwrap_or(&[])
    }

    /// Hits of an atom within a part of the text.
    fn within(&self, atom: u32, place: Option<Place>) -> impl Iterator<Item = &Hit> {
        let title = self.doc.terms.title;
        self.of(atom).iter().filter(move |h| match place {
            None => true,
            Some(Place::Title) => h.end < title,
            Some(Place::Body) => h.at >= title,
        })
    }

    /// Numbers of the terms that a plan looks for, as far as they are there; what it wants absent is not among them.
    pub(super) fn terms(&self, plan: &Plan) -> Vec<u32> {
        match plan {
            Plan::Atom(atom) => self.of(*atom).iter().map(|h| h.term).collect(),
            Plan::Phrase(_) | Plan::Cased(..) | Plan::Near(..) | Plan::Within(..)
                if self.spots(plan, None).is_empty() =>
            {
                Vec::new()
            }
            Plan::Phrase(atoms) | Plan::Cased(atoms, _) => {
                atoms.iter().flat_map(|a| self.of(*a)).map(|h| h.term).collect()
            }
            Plan::And(all) | Plan::Or(all) | Plan::Wide(all) | Plan::Within(all, _) => {
                all.iter().flat_map(|p| self.terms(p)).collect()
            }
            Plan::In(_, inner) => self.terms(inner),
            Plan::Near(sides, ..) => [&sides.0, &sides.1].into_iter().flat_map(|p| self.terms(p)).collect(),
            Plan::Not(_) | Plan::Fact(_) => Vec::new(),
        }
    }

    /// Whether a query holds of whose alternatives these were brought up.
    pub(super) fn holds_of(&self, plan: &Plan, up: &[Filed]) -> bool {
        match plan {
            Plan::And(all) => all.iter().all(|p| self.holds_of(p, up)),
            Plan::Wide(any) => up.iter().filter_map(|f| any.get(f.alternative()?)).any(|p| self.holds(p, None)),
            _ => self.holds(plan, None),
        }
    }

    /// Whether it holds, within a part of the text where one is named.
    pub(super) fn holds(&self, plan: &Plan, place: Option<Place>) -> bool {
        match plan {
            Plan::And(all) => all.iter().all(|p| self.holds(p, place)),
            Plan::Or(any) | Plan::Wide(any) => any.iter().any(|p| self.holds(p, place)),
            Plan::Not(inner) => !self.holds(inner, place),
            Plan::In(inner_place, inner) => self.holds(inner, Some(*inner_place)),
            Plan::Fact(fact) => has(self.doc, fact),
            Plan::Atom(atom) => self.within(*atom, place).next().is_some(),
            Plan::Phrase(_) | Plan::Cased(..) | Plan::Near(..) | Plan::Within(..) => {
                self.is_there(plan) && !self.spots(plan, place).is_empty()
            }
        }
    }

    /// Whether the atoms that something with places needs are there at all, wherever they stand: most often they are
    /// not, and nothing has to be measured.
    fn is_there(&self, plan: &Plan) -> bool {
        let has = |atom: &u32| self.is_atom_there(*atom);
        match plan {
            Plan::Atom(atom) => has(atom),
            Plan::Phrase(atoms) | Plan::Cased(atoms, _) => atoms.iter().all(has),
            Plan::And(all) | Plan::Within(all, _) => all.iter().all(|p| self.is_there(p)),
            Plan::Or(any) | Plan::Wide(any) => any.iter().any(|p| self.is_there(p)),
            Plan::Near(sides, ..) => self.is_there(&sides.0) && self.is_there(&sides.1),
            Plan::Not(_) | Plan::Fact(_) | Plan::In(..) => true,
        }
    }

    fn spots(&self, plan: &Plan, place: Option<Place>) -> Vec<Spot> {
        let of = |atom: &u32| -> Vec<Spot> { self.within(*atom, place).map(|h| (h.at, h.end)).collect() };
        match plan {
            Plan::Atom(atom) => of(atom),
            Plan::Phrase(atoms) => places::phrase(&atoms.iter().map(of).collect::<Vec<_>>()),
            Plan::Cased(atoms, raw) => {
                let exact = |(atom, raw): (&u32, &str)| -> Vec<Spot> {
                    self.within(*atom, place).filter(|h| self.written(h) == raw).map(|h| (h.at, h.end)).collect()
                };
                let raw = raw.iter().map(|r| &**r);
                places::phrase(&atoms.iter().zip(raw).map(exact).collect::<Vec<_>>())
            }
            Plan::Or(any) | Plan::Wide(any) => {
                places::any(any.iter().filter(|p| self.is_there(p)).map(|p| self.spots(p, place)).collect())
            }
            Plan::And(all) => places::all(all.iter().map(|p| self.spots(p, place)).collect()),
            Plan::Near(sides, distance, ordered) => near(self, &sides.0, &sides.1, *distance, *ordered, place),
            Plan::Within(parts, distance) => {
                let parts: Vec<Vec<Spot>> = parts.iter().map(|p| self.spots(p, place)).collect();
                places::within(&parts, *distance)
            }
            Plan::Not(_) | Plan::Fact(_) | Plan::In(..) => Vec::new(),
        }
    }

    fn written(&self, hit: &Hit) -> &str {
        self.doc.terms.list.get(super::index(hit.term)).map_or("", |t| t.raw(self.doc.text))
    }
}

/// Nearness of groups: where a side is an AND, each of its parts has to be near the other side.
fn near(found: &Found<'_>, left: &Plan, right: &Plan, distance: u32, ordered: bool, place: Option<Place>) -> Vec<Spot> {
    match (left, right) {
        (Plan::And(all), _) => {
            places::all(all.iter().map(|p| near(found, p, right, distance, ordered, place)).collect())
        }
        (_, Plan::And(all)) => {
            places::all(all.iter().map(|p| near(found, left, p, distance, ordered, place)).collect())
        }
        _ => places::near(&found.spots(left, place), &found.spots(right, place), distance, ordered),
    }
}

/// Whether a mention has a fact.
fn has(doc: &Doc<'_>, fact: &Fact) -> bool {
    let m = doc.mention;
    let is = |text: &str| match &fact.value {
        Wanted::Name(name) => text.to_lowercase() == *name,
        Wanted::Wild(wild) => wild.fits(&text.to_lowercase()),
        _ => false,
    };
    let between = |n: f64| matches!(&fact.value, Wanted::Number(low, high) if (*low..=*high).contains(&n));
    let when = |at: i64| match &fact.value {
        Wanted::Time(from, to) => from.is_none_or(|f| at >= f.at(doc.now)) && to.is_none_or(|t| at < t.at(doc.now)),
        _ => false,
    };
    match fact.field {
        Field::Site => match &fact.value {
            Wanted::Site(host, path) => on_site(&m.site, &m.url, host, path),
            _ => false,
        },
        Field::Url => in_words(&address_words(&m.url), &fact.value),
        Field::Links => links(doc).any(|link| in_words(&address_words(link), &fact.value)),
        Field::Author => [&m.author.handle, &m.author.name].into_iter().any(|n| !n.is_empty() && is(n)),
        Field::Source => is(&m.source),
        Field::Network => is(&m.network),
        Field::Language => is(&m.language),
        Field::Country => is(&m.country),
        Field::Topic => m.topics.iter().any(|t| is(t)),
        Field::Story => is(&m.story.to_string()),
        Field::Tags => m.tags.iter().any(|t| is(t)),
        Field::Channel => !m.channel.is_empty() && is(&m.channel),
        Field::EngagementType => is(&m.kind),
        Field::AuthorVerified => m.author.verified.is_some_and(|v| is(if v { "true" } else { "false" })),
        Field::Sentiment => match &fact.value {
            Wanted::Number(..) => m.sentiment.is_some_and(|s| between(f64::from(s))),
            _ => is(m.label()),
        },
        Field::Intent => is(&m.intent),
        Field::AuthorFollowers => m.author.followers.is_some_and(|n| between(n as f64)),
        Field::Reach => between(m.reach as f64),
        Field::Engagement => between(m.engagement as f64),
        Field::Rating => m.rating.is_some_and(|r| between(f64::from(r))),
        Field::Tier => between(f64::from(m.tier)),
        Field::MinuteOfDay => between(minute_of_day(m.at.as_millisecond())),
        Field::Published => when(m.at.as_millisecond()),
        Field::Seen => when(m.received.as_millisecond()),
        // Words are no facts, and emotions are not known.
        Field::Title | Field::Text | Field::Raw | Field::Emotion => false,
    }
}

/// The minute of the day, UTC.
fn minute_of_day(ms: i64) -> f64 {
    ms.div_euclid(60_000).rem_euclid(1440) as f64
}

/// Whether an address lies on a host or below it, and its path begins so.
fn on_site(site: &str, url: &str, host: &str, path: &str) -> bool {
    let here = site == host || site.strip_suffix(host).is_some_and(|sub| sub.ends_with('.'));
    here && (path.is_empty()
        || path_of(url).strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '.'])))
}

/// The path and query of an address, lower case, without the first slash.
fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, r)| r);
    rest.split_once('/').map_or("", |(_, path)| path).to_lowercase()
}

fn in_words(words: &[String], value: &Wanted) -> bool {
    let Wanted::Words(wanted) = value else { return false };
    words.windows(wanted.len().max(1)).any(|w| w == wanted.as_slice())
}

/// The addresses that a text holds.
fn links<'a>(doc: &'a Doc<'_>) -> impl Iterator<Item = &'a str> {
    doc.terms.list.iter().filter(|t| t.kind == Kind::Url).map(|t| t.raw(doc.text))
}
