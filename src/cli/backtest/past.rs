//! Where the past comes from, and the topics that other rules would have found in it.

use std::borrow::Cow;
use std::path::Path;

use jiff::Timestamp;

use super::super::open_store;
use super::lines::Lines;
use crate::config::Config;
use crate::ground::{Clock, Knowledge};
use crate::model::Mention;
use crate::model::time::from_millis;
use crate::query::{Doc, Matcher};
use crate::rules::Rules;
use crate::stages::reload;
use crate::store::{Store, past};
use crate::text::Analyst;

/// Mentions read in one go.
const CHUNK: usize = 500;

/// The past.
#[derive(Debug)]
pub(super) enum Past {
    /// What vakt has stored.
    Store(Store),
    /// A file.
    Lines(Box<Lines>),
}

impl Past {
    /// Opens a file, or what is stored where none is named; and the rules by which its mentions got their topics, where
    /// they are others than those that are tried.
    pub(super) fn open(config: &Config, input: Option<&Path>) -> anyhow::Result<(Past, Option<Rules>)> {
        if let Some(path) = input {
            return Ok((Past::Lines(Box::new(Lines::open(path)?)), None));
        }
        let store = open_store(config)?;
        let kept = reload::last_good(&store, Clock::System.now())?;
        let in_force = kept.or_else(|| Rules::load(&config.rules_dir, Clock::System.now()).ok()).unwrap_or_default();
        Ok((Past::Store(store), Some(in_force)))
    }

    /// Event time of the last mention.
    pub(super) fn last(&self) -> anyhow::Result<Option<Timestamp>> {
        match self {
            Past::Store(store) => Ok(store.read(past::last)?.map(from_millis)),
            Past::Lines(lines) => Ok(lines.last()),
        }
    }

    /// Hands out the mentions of an interval of event time in order; `topics` are those that matter, where the others can be
    /// left out. `ready` hears first how many there are.
    pub(super) fn each(
        &self,
        knowledge: &Knowledge,
        topics: Option<&[String]>,
        (from, to): (Timestamp, Timestamp),
        ready: &mut dyn FnMut(usize),
        each: &mut dyn FnMut(&Mention),
    ) -> anyhow::Result<()> {
        match self {
            Past::Lines(lines) => {
                ready(lines.count(from, to));
                lines.each(knowledge, from, to, each)
            }
            Past::Store(store) => {
                let (from, to) = (from.as_millisecond(), to.as_millisecond());
                let keys = store.read(|c| past::keys(c, topics, from, to))?;
                ready(keys.len());
                for some in keys.chunks(CHUNK) {
                    store.read(|c| past::mentions(c, some))?.iter().for_each(&mut *each);
                }
                Ok(())
            }
        }
    }
}

/// Topics that are defined otherwise than when the mentions got theirs: they are looked for anew.
#[derive(Debug)]
pub(super) struct Again<'k> {
    knowledge: &'k Knowledge,
    /// Numbers of the changed topics.
    changed: Vec<usize>,
    matcher: Matcher,
}

impl<'k> Again<'k> {
    /// What has changed since some rules; `None` where every topic is as it was.
    pub(super) fn since(before: &Rules, knowledge: &'k Knowledge) -> Option<Again<'k>> {
        let now = &knowledge.rules;
        let changed: Vec<usize> = (0..now.topics.len())
            .filter(|n| {
                let topic = now.topics.get(*n);
                let old = topic.and_then(|t| before.topic(&t.name));
                old.zip(topic).is_none_or(|(a, b)| a.query != b.query || a.languages != b.languages)
            })
            .collect();
        let gone = before.topics.iter().any(|t| now.topic(&t.name).is_none());
        if changed.is_empty() && !gone {
            return None;
        }
        let listened =
            changed.iter().filter_map(|n| Some((now.queries.get(*n)?, now.topics.get(*n)?.languages.as_slice())));
        let matcher = Matcher::new(listened);
        Some(Again { knowledge, changed, matcher })
    }

    /// A mention with the topics that it has by these rules.
    pub(super) fn mention<'m>(&self, m: &'m Mention) -> Cow<'m, Mention> {
        let rules = &self.knowledge.rules;
        let place = |name: &String| rules.topics.iter().position(|t| t.name == *name);
        let kept = m.topics.iter().filter_map(place).filter(|n| !self.changed.contains(n));
        let (text, terms) = Analyst::terms(&m.title, &m.text, &m.language);
        let doc = Doc::of(m, &text, &terms);
        let found = self.matcher.matches(&doc).into_iter().filter_map(|n| self.changed.get(n).copied());
        let mut numbers: Vec<usize> = kept.chain(found).collect();
        numbers.sort_unstable();
        let topics = rules.names(&numbers);
        if topics == m.topics {
            return Cow::Borrowed(m);
        }
        let (_, toward) = self.knowledge.topics(&doc);
        let toward =
            toward.into_iter().filter(|(t, _)| topics.contains(t)).map(|(t, score)| (t, score.value)).collect();
        Cow::Owned(Mention { topics, toward, ..m.clone() })
    }
}
