//! A query over numbered atoms, and the atoms that it is filed under.

use super::atoms::{Atom, Atoms};
use crate::query::fact::Fact;
use crate::query::node::{Is, Node, Part, Place};
use crate::text::tokens::Tokens;

/// A query over atoms.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    Atom(u32),
    Phrase(Box<[u32]>),
    /// These words in order, written exactly so.
    Cased(Box<[u32]>, Box<[Box<str>]>),
    And(Box<[Plan]>),
    Or(Box<[Plan]>),
    /// An `Or` whose alternatives are filed one by one: only those that are brought up are looked at.
    Wide(Box<[Plan]>),
    Not(Box<Plan>),
    Near(Box<(Plan, Plan)>, u32, bool),
    Within(Box<[Plan]>, u32),
    In(Place, Box<Plan>),
    Fact(Box<Fact>),
}

/// Makes plans, numbering what they are made of.
pub(super) struct Planner<'a> {
    pub(super) atoms: &'a mut Atoms,
}

impl Planner<'_> {
    pub(super) fn plan(&mut self, node: &Node) -> Plan {
        match &node.is {
            Is::Word(word) => Plan::Atom(self.atoms.number(Atom::Word(word.as_str().into()))),
            Is::Token(token) => Plan::Atom(self.token(token)),
            Is::Wild(wild) => Plan::Atom(self.atoms.number(Atom::Wild(wild.pattern().into()))),
            Is::Compound(word) => Plan::Atom(self.atoms.number(Atom::Compound(word.as_str().into()))),
            Is::Phrase(parts) => match parts.as_slice() {
                [one] => Plan::Atom(self.part(one)),
                many => Plan::Phrase(many.iter().map(|p| self.part(p)).collect()),
            },
            Is::Cased(text) => {
                let tokens = Tokens::read(text).list;
                let raw = tokens.iter().filter_map(|t| text.get(t.start..t.end)).map(Into::into).collect();
                Plan::Cased(tokens.iter().map(|t| self.token(&t.signed())).collect(), raw)
            }
            Is::And(all) => Plan::And(self.plans(all)),
            Is::Or(any) => Plan::Or(self.plans(any)),
            Is::Not(inner) => Plan::Not(Box::new(self.plan(inner))),
            Is::Near { left, right, distance, ordered } => {
                Plan::Near(Box::new((self.plan(left), self.plan(right))), *distance, *ordered)
            }
            Is::Within { parts, distance } => Plan::Within(self.plans(parts), *distance),
            Is::In(place, inner) => Plan::In(*place, Box::new(self.plan(inner))),
            Is::Fact(fact) => Plan::Fact(Box::new(fact.clone())),
        }
    }

    fn plans(&mut self, nodes: &[Node]) -> Box<[Plan]> {
        nodes.iter().map(|n| self.plan(n)).collect()
    }

    fn token(&mut self, token: &str) -> u32 {
        self.atoms.number(Atom::Token(token.into()))
    }

    fn part(&mut self, part: &Part) -> u32 {
        match part {
            Part::Token(token) => self.token(token),
            Part::Wild(wild) => self.atoms.number(Atom::Wild(wild.pattern().into())),
        }
    }
}

/// What it costs to be filed under a part for each part that stands before it.
const LATER: u64 = 20;

/// From so many alternatives on each is filed by itself.
const WIDE: usize = 4;

/// Where a query is filed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Filing {
    /// Nowhere: it is always asked.
    Always,
    /// Under atoms of which every match holds at least one.
    Whole(Vec<u32>, Gate),
    /// Each alternative of its [`Plan::Wide`] by itself: atoms with the number of the alternative.
    Each(Vec<(u32, u32, Gate)>),
}

/// A few more atoms of which every match holds at least one; most of what an atom brings up is refused here, before
/// anything of the query itself is looked at. [`Gate::OPEN`] says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Gate([u32; 3]);

impl Gate {
    const NOTHING: u32 = u32::MAX;
    pub(super) const OPEN: Gate = Gate([Gate::NOTHING; 3]);

    /// The cheapest of some sets that says more than that the query was brought up.
    fn cheapest(mut sets: Vec<(u64, Vec<u32>)>, under: &[u32]) -> Gate {
        sets.retain(|(_, atoms)| atoms.len() <= 3 && !under.iter().all(|a| atoms.contains(a)));
        let Some((_, atoms)) = sets.into_iter().min_by_key(|(cost, _)| *cost) else { return Gate::OPEN };
        let mut gate = Gate::OPEN;
        gate.0.iter_mut().zip(atoms).for_each(|(place, atom)| *place = atom);
        gate
    }

    /// Whether it lets pass a text of whose atoms this says whether they are there.
    pub(super) fn lets(self, there: impl Fn(u32) -> bool) -> bool {
        self == Gate::OPEN || self.0.iter().any(|a| *a != Gate::NOTHING && there(*a))
    }
}

impl Plan {
    /// Chooses where to file it. Many alternatives become [`Plan::Wide`].
    pub(super) fn file(&mut self, cost: &impl Fn(u32) -> u64) -> Filing {
        let Some((_, atoms)) = self.anchor(cost) else { return Filing::Always };
        let mut all = Vec::new();
        self.required(cost, &mut all);
        let Some(any) = self.wide(cost) else { return Filing::Whole(atoms.clone(), Gate::cheapest(all, &atoms)) };
        let filed = (0u32..).zip(any).map(|(n, plan)| {
            let (_, atoms) = plan.anchor(cost)?;
            let mut sets = all.clone();
            plan.required(cost, &mut sets);
            let gate = Gate::cheapest(sets, &atoms);
            Some(atoms.into_iter().map(move |a| (a, n, gate)))
        });
        match filed.collect::<Option<Vec<_>>>() {
            Some(filed) => Filing::Each(filed.into_iter().flatten().collect()),
            None => Filing::Whole(atoms, Gate::OPEN),
        }
    }

    /// Sets of atoms of each of which every match holds at least one, with what it would cost to be filed under each.
    fn required(&self, cost: &impl Fn(u32) -> u64, out: &mut Vec<(u64, Vec<u32>)>) {
        match self {
            Plan::Atom(atom) => out.push((cost(*atom), vec![*atom])),
            Plan::Phrase(atoms) | Plan::Cased(atoms, _) => out.extend(atoms.iter().map(|a| (cost(*a), vec![*a]))),
            Plan::And(all) | Plan::Within(all, _) => all.iter().for_each(|p| p.required(cost, out)),
            Plan::Near(sides, ..) => [&sides.0, &sides.1].into_iter().for_each(|p| p.required(cost, out)),
            Plan::In(_, inner) => inner.required(cost, out),
            Plan::Or(_) | Plan::Wide(_) => out.extend(self.anchor(cost)),
            Plan::Not(_) | Plan::Fact(_) => {}
        }
    }

    /// The alternatives that [`Plan::anchor`] chooses, made wide where they are many.
    fn wide(&mut self, cost: &impl Fn(u32) -> u64) -> Option<&[Plan]> {
        match self {
            Plan::And(all) => {
                let (_, chosen, _) = cheapest(&mut all.iter(), cost)?;
                all.get_mut(chosen)?.wide(cost)
            }
            Plan::Or(any) => {
                let mut flat = Vec::new();
                flatten(std::mem::take(any).into_vec(), &mut flat);
                if flat.len() < WIDE {
                    *self = Plan::Or(flat.into());
                    return None;
                }
                *self = Plan::Wide(flat.into());
                match self {
                    Plan::Wide(any) => Some(any),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Atoms of which every match holds at least one, with what it costs to be filed under them; `None` where there is
    /// no such set.
    pub(super) fn anchor(&self, cost: &impl Fn(u32) -> u64) -> Option<(u64, Vec<u32>)> {
        let one = |atom: &u32| (cost(*atom), vec![*atom]);
        let cheapest =
            |plans: &mut dyn Iterator<Item = &Plan>| cheapest(plans, cost).map(|(cost, _, atoms)| (cost, atoms));
        match self {
            Plan::Atom(atom) => Some(one(atom)),
            Plan::Phrase(atoms) | Plan::Cased(atoms, _) => atoms.iter().map(one).min_by_key(|(cost, _)| *cost),
            Plan::And(all) | Plan::Within(all, _) => cheapest(&mut all.iter()),
            Plan::Near(sides, ..) => cheapest(&mut [&sides.0, &sides.1].into_iter()),
            Plan::In(_, inner) => inner.anchor(cost),
            Plan::Or(any) | Plan::Wide(any) => {
                let all = any.iter().map(|p| p.anchor(cost)).collect::<Option<Vec<_>>>()?;
                let total = all.iter().map(|(cost, _)| cost).sum();
                let mut atoms: Vec<u32> = all.into_iter().flat_map(|(_, atoms)| atoms).collect();
                atoms.sort_unstable();
                atoms.dedup();
                Some((total, atoms))
            }
            Plan::Not(_) | Plan::Fact(_) => None,
        }
    }
}

/// The part that it costs least to be filed under: the cost, its place and its atoms.
fn cheapest(plans: &mut dyn Iterator<Item = &Plan>, cost: &impl Fn(u32) -> u64) -> Option<(u64, usize, Vec<u32>)> {
    // People write what a topic is about first, and what narrows it after: of equals, the first is the rarer one.
    let found = (0u64..).zip(plans).enumerate().filter_map(|(place, (n, plan))| {
        let (cost, atoms) = plan.anchor(cost)?;
        Some((cost + n * LATER, place, atoms))
    });
    found.min_by_key(|(cost, _, atoms)| (*cost, atoms.len()))
}

/// Alternatives of alternatives are alternatives.
fn flatten(any: Vec<Plan>, out: &mut Vec<Plan>) {
    for plan in any {
        match plan {
            Plan::Or(inner) => flatten(inner.into_vec(), out),
            other => out.push(other),
        }
    }
}
