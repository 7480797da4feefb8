//! Topics that a source looks for in place of words of its own.

use super::listing::Listing;
use super::live::Live;
use super::terms::{self, Dialect};
use crate::query::Node;

/// A topic that is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its query.
    pub node: &'a Node,
    /// The languages that it listens to; none for all.
    pub languages: &'a [String],
}

/// What a source does for topics.
#[derive(Default)]
pub(super) struct Aimed {
    /// What it reads for them.
    pub listings: Vec<Box<dyn Listing>>,
    /// How it stays connected for them.
    pub live: Option<Box<dyn Live>>,
    /// What its network cannot be asked, for people.
    pub notes: Vec<String>,
}

/// How a source is aimed at topics.
pub(super) type Aim = Box<dyn Fn(&[Sought<'_>]) -> Aimed + Send + Sync>;

/// A source that makes listings of searches in its network's own words.
pub(super) fn by_searches(
    dialect: &'static Dialect,
    listings: impl Fn(String) -> Vec<Box<dyn Listing>> + Send + Sync + 'static,
) -> Aim {
    Box::new(move |topics| {
        let pushed = terms::push(dialect, topics);
        Aimed { listings: pushed.searches.into_iter().flat_map(&listings).collect(), live: None, notes: pushed.notes }
    })
}
