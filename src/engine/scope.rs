//! Which mentions an alert rule is about, and which group of it each belongs to. Rules that are about the same share it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::model::{Alert, Mention};

/// A group of a scope: what is learned of it serves every rule over that scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ScopeKey {
    /// Name of the scope.
    pub scope: String,
    /// The values grouped by, joined by `/`; empty where nothing is grouped by.
    pub group: String,
}

/// What some rules are about: topics or sources, and what they group by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Its name: the same for the same scope, over restarts.
    pub name: String,
    /// Topics that a mention must match.
    pub topics: Vec<String>,
    /// One of `topics` is enough.
    pub any: bool,
    /// Sources that it watches over instead.
    pub sources: Vec<String>,
    group_by: Vec<String>,
}

impl Scope {
    /// The scope of an alert rule. Its topics stand between slashes in its name.
    pub fn of(alert: &Alert) -> Scope {
        let how = if alert.any { "any" } else { "all" };
        let name = match alert.silence_of.is_empty() {
            true => format!("{how} /{}/ by {}", alert.topics.join("/"), alert.group_by.join(",")),
            false => format!("sources {}", alert.silence_of.join(",")),
        };
        let group_by = alert.group_by.clone();
        Scope { name, topics: alert.topics.clone(), any: alert.any, sources: alert.silence_of.clone(), group_by }
    }

    /// The groups that a mention belongs to, each with the topic that it is known by.
    fn groups_of<'a>(&'a self, m: &'a Mention, out: &mut Vec<(String, &'a str)>) {
        if !self.sources.is_empty() {
            if self.sources.contains(&m.source) {
                out.push((m.source.clone(), ""));
            }
            return;
        }
        let matching: Vec<&String> = self.topics.iter().filter(|t| m.topics.contains(t)).collect();
        if matching.is_empty() || (!self.any && matching.len() < self.topics.len()) {
            return;
        }
        // A rule over several topics at once is known by its first, which is the brand.
        let per_topic = self.any && self.group_by.iter().any(|g| g == "topic");
        let topics = if per_topic { matching.as_slice() } else { matching.get(..1).unwrap_or(&[]) };
        for topic in topics {
            let parts: Vec<&str> = self
                .group_by
                .iter()
                .map(|by| match by.as_str() {
                    "topic" => topic.as_str(),
                    "language" => m.language.as_str(),
                    "network" => m.network.as_str(),
                    _ => m.source.as_str(),
                })
                .collect();
            out.push((parts.join("/"), topic.as_str()));
        }
    }
}

/// All scopes, found by topic and by source.
#[derive(Debug, Default)]
pub struct Scopes {
    all: Vec<Scope>,
    by_topic: HashMap<String, Vec<usize>>,
    by_source: HashMap<String, Vec<usize>>,
}

impl Scopes {
    /// Adds the scope of a rule; its number, which is that of an equal one where there is one.
    pub fn add(&mut self, alert: &Alert) -> usize {
        let scope = Scope::of(alert);
        let all = &self.all;
        let known = |n: &&usize| all.get(**n).is_some_and(|s| *s == scope);
        let index = if scope.sources.is_empty() { &mut self.by_topic } else { &mut self.by_source };
        let first = scope.topics.iter().chain(&scope.sources).next();
        if let Some(n) = first.and_then(|key| index.get(key)).into_iter().flatten().find(known) {
            return *n;
        }
        let n = self.all.len();
        // A mention of all topics is found by the first of them.
        let most = if scope.any || !scope.sources.is_empty() { usize::MAX } else { 1 };
        for key in scope.topics.iter().chain(&scope.sources).take(most) {
            index.entry(key.clone()).or_default().push(n);
        }
        self.all.push(scope);
        n
    }

    /// The scope of a number.
    pub fn get(&self, n: usize) -> Option<&Scope> {
        self.all.get(n)
    }

    /// The number of the scope of that name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.all.iter().position(|s| s.name == name)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// The groups that a mention belongs to: number of the scope, group, and the topic that it is known by.
    pub fn groups_of(&self, m: &Mention) -> Vec<(usize, String, String)> {
        let of_topics = m.topics.iter().filter_map(|t| self.by_topic.get(t)).flatten();
        let mut numbers: Vec<usize> =
            of_topics.chain(self.by_source.get(&m.source).into_iter().flatten()).copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        let (mut out, mut found) = (Vec::new(), Vec::new());
        for n in numbers {
            let Some(scope) = self.all.get(n) else { continue };
            scope.groups_of(m, &mut found);
            out.extend(found.drain(..).map(|(group, topic)| (n, group, topic.to_owned())));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::window::tests::mention;
    use super::*;

    fn groups(alerts: &[Alert], m: &Mention) -> Vec<String> {
        let mut scopes = Scopes::default();
        alerts.iter().for_each(|a| {
            scopes.add(a);
        });
        scopes.groups_of(m).into_iter().map(|(n, group, topic)| format!("{n} {group} {topic}")).collect()
    }

    #[test]
    fn groups_by_language_and_by_any_topic() {
        let by = |topics: &[&str], any, by: &[&str]| Alert {
            topics: topics.iter().map(|t| (*t).to_owned()).collect(),
            any,
            group_by: by.iter().map(|t| (*t).to_owned()).collect(),
            ..Alert::default()
        };
        let alerts = [
            by(&["acme"], false, &["topic", "language"]),
            by(&["acme", "globex"], true, &["topic"]),
            by(&["acme", "fire"], false, &["topic"]),
            by(&["acme", "globex"], false, &[]),
            Alert { silence_of: vec!["s".into()], ..Alert::default() },
        ];
        let m = Mention { topics: vec!["globex".into(), "acme".into()], ..mention(1, 1, 0.0) };
        assert_eq!(groups(&alerts, &m), ["0 acme/en acme", "1 acme acme", "1 globex globex", "3  acme", "4 s "]);
    }

    #[test]
    fn rules_about_the_same_share_a_scope() {
        let a = Alert { topics: vec!["acme".into()], ..Alert::default() };
        let mut scopes = Scopes::default();
        let other = Alert { name: "b".into(), window: crate::model::time::Span::hours(1), ..a.clone() };
        assert_eq!((scopes.add(&a), scopes.add(&other), scopes.count()), (0, 0, 1));
        assert_eq!(scopes.add(&Alert { any: true, ..a }), 1);
    }
}
