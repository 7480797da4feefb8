//! A query over numbered atoms, and the atoms that it is filed under.

use super::atoms::{Atom, Atoms};
use crate::query::fact::Fact;
use crate::query::node::{Is, Node, Part, Place};
use crate::text::tokens::Tokens;

/// A query over atoms.
#[derive(Debug)]
pub(super) enum Plan {
    Atom(u32),
    Phrase(Box<[u32]>),
    /// These words in order, written exactly so.
    Cased(Box<[u32]>, Box<[Box<str>]>),
    And(Box<[Plan]>),
    Or(Box<[Plan]>),
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

impl Plan {
    /// Atoms of which every match holds at least one, with what it costs to be filed under them; `None` where there is
    /// no such set.
    pub(super) fn anchor(&self, cost: &impl Fn(u32) -> u64) -> Option<(u64, Vec<u32>)> {
        let one = |atom: &u32| (cost(*atom), vec![*atom]);
        // People write what a topic is about first, and what narrows it after: of equals, the first is the rarer one.
        let later = |(n, (cost, atoms)): (u64, (u64, Vec<u32>))| (cost + n * LATER, atoms);
        let cheapest = |plans: &mut dyn Iterator<Item = &Plan>| {
            let found = (0..).zip(plans).filter_map(|(n, p)| Some(later((n, p.anchor(cost)?))));
            found.min_by_key(|(cost, atoms)| (*cost, atoms.len()))
        };
        match self {
            Plan::Atom(atom) => Some(one(atom)),
            Plan::Phrase(atoms) | Plan::Cased(atoms, _) => atoms.iter().map(one).min_by_key(|(cost, _)| *cost),
            Plan::And(all) | Plan::Within(all, _) => cheapest(&mut all.iter()),
            Plan::Near(sides, ..) => cheapest(&mut [&sides.0, &sides.1].into_iter()),
            Plan::In(_, inner) => inner.anchor(cost),
            Plan::Or(any) => {
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
