//! All topics, ready to be asked of a mention; where rules change, only the topics that did are taken out and put in.

use std::collections::HashMap;

use crate::model::Topic;
use crate::query::{Doc, Looked, Matcher, Node, TopicId};

/// The standing matcher, with the topic behind each of its numbers.
#[derive(Debug, Default)]
pub struct Listening {
    matcher: Matcher,
    /// The place of the topic among all, by its number in the matcher.
    topics: Vec<usize>,
    /// The number in the matcher, by the place of the topic.
    numbers: Vec<TopicId>,
    /// Topics that were taken out since the matcher was made: their words are still in it.
    gone: usize,
}

/// What tells whether a topic listens for the same as before.
type Key<'t> = (&'t str, &'t [String]);

fn key(topic: &Topic) -> Key<'_> {
    (&topic.query, &topic.languages)
}

impl Listening {
    /// To topics with their queries, in the same order.
    pub fn to(topics: &[Topic], queries: &[Node]) -> Listening {
        let nothing = Listening::default();
        nothing.put(topics.iter().zip(queries).map(|(topic, query)| (topic, query, None)))
    }

    /// The same after a change: `before` are the topics that are listened to here. Where more would be left behind than is
    /// listened to, all is made anew.
    pub fn changed(&self, before: &[Topic], topics: &[Topic], queries: &[Node]) -> Listening {
        let mut known: HashMap<Key<'_>, Vec<TopicId>> = HashMap::new();
        for (topic, number) in before.iter().zip(&self.numbers) {
            known.entry(key(topic)).or_default().push(*number);
        }
        let kept: Vec<Option<TopicId>> =
            topics.iter().map(|topic| known.get_mut(&key(topic)).and_then(Vec::pop)).collect();
        let gone: Vec<TopicId> = known.into_values().flatten().collect();
        let left = self.gone + gone.len();
        if left > topics.len() {
            return Listening::to(topics, queries);
        }
        let mut matcher = self.matcher.clone();
        gone.into_iter().for_each(|number| matcher.remove(number));
        let start = Listening { matcher, gone: left, ..Listening::default() };
        start.put(topics.iter().zip(queries).zip(kept).map(|((topic, query), kept)| (topic, query, kept)))
    }

    /// Puts topics in that have no number yet.
    fn put<'t>(mut self, topics: impl Iterator<Item = (&'t Topic, &'t Node, Option<TopicId>)>) -> Listening {
        for (place, (topic, query, kept)) in topics.enumerate() {
            let number = kept.unwrap_or_else(|| self.matcher.add(query, &topic.languages));
            self.numbers.push(number);
            if self.topics.len() <= number {
                self.topics.resize(number + 1, usize::MAX);
            }
            if let Some(topic) = self.topics.get_mut(number) {
                *topic = place;
            }
        }
        self
    }

    fn topic(&self, number: TopicId) -> Option<usize> {
        self.topics.get(number).copied()
    }

    /// The places of the topics that a mention is found under, in order.
    pub fn matches(&self, doc: &Doc<'_>) -> Vec<usize> {
        self.matches_with_places(doc, |_| Vec::new()).0
    }

    /// The same, and for those of them that are `chosen` the bytes of the text in which something stands that they look
    /// for, in order.
    pub fn matches_with_places(
        &self,
        doc: &Doc<'_>,
        chosen: impl FnOnce(&[usize]) -> Vec<usize>,
    ) -> (Vec<usize>, Vec<Looked>) {
        let mut found = Vec::new();
        let (_, places) = self.matcher.matches_with_places(doc, |numbers| {
            found = numbers.iter().filter_map(|n| self.topic(*n)).collect();
            found.sort_unstable();
            chosen(&found).into_iter().filter_map(|topic| self.numbers.get(topic).copied()).collect()
        });
        let places = places.into_iter().filter_map(|(number, at)| Some((self.topic(number)?, at)));
        let places = places.collect();
        (found, places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TopicKind;
    use crate::query::parse;
    use crate::text::Analyst;

    fn topic(name: &str, query: &str, languages: &[&str]) -> (Topic, Node) {
        let languages = languages.iter().map(|l| (*l).to_owned()).collect();
        let (kind, title, owner) = (TopicKind::Brand, name.to_owned(), String::new());
        let topic = Topic { name: name.into(), title, kind, owner, query: query.into(), languages };
        (topic, parse(query).node.expect("a query"))
    }

    fn heard(listening: &Listening, text: &str) -> Vec<usize> {
        let mut m = crate::engine::window::tests::mention(1, 0, 0.0);
        m.text = text.into();
        let analysis = Analyst::default().analyse_in("", text, Some("en"));
        listening.matches(&Doc::analysed(&m, &analysis))
    }

    #[test]
    fn what_did_not_change_keeps_its_number_and_every_answer_is_that_of_a_new_one() {
        let words = ["acme", "globex", "fire", "smoke", "recall", "kettle"];
        let all: Vec<(Topic, Node)> = words.iter().map(|w| topic(w, w, &[])).collect();
        let pick = |places: &[usize]| -> (Vec<Topic>, Vec<Node>) {
            places.iter().filter_map(|n| all.get(*n).cloned()).unzip()
        };
        let (mut topics, queries) = pick(&[0, 1, 2]);
        let mut listening = Listening::to(&topics, &queries);
        for next in [[2, 3, 0], [3, 2, 0], [5, 4, 0], [0, 1, 5], [1, 1, 2], [2, 3, 4], [0, 2, 4], [4, 2, 0]] {
            let (now, queries) = pick(&next);
            listening = listening.changed(&topics, &now, &queries);
            let anew = Listening::to(&now, &queries);
            for text in words.iter().map(|w| format!("the {w} of acme")).chain([words.join(" ")]) {
                assert_eq!(heard(&listening, &text), heard(&anew, &text), "{next:?} {text}");
            }
            topics = now;
        }
        let (now, queries) = pick(&[4, 2]);
        let less = listening.changed(&topics, &now, &queries);
        assert_eq!(less.numbers, listening.numbers.get(..2).unwrap_or_default());
        assert_eq!(heard(&less, "a fire in acme"), [1]);
    }

    #[test]
    fn a_topic_that_hears_other_languages_is_another_one() {
        let (topics, queries): (Vec<_>, Vec<_>) =
            [topic("a", "acme", &[]), topic("b", "fire", &[])].into_iter().unzip();
        let listening = Listening::to(&topics, &queries);
        let (now, queries): (Vec<_>, Vec<_>) =
            [topic("a", "acme", &["sv"]), topic("b", "fire", &[])].into_iter().unzip();
        let changed = listening.changed(&topics, &now, &queries);
        assert_eq!((heard(&listening, "fire at acme"), heard(&changed, "fire at acme")), (vec![0, 1], vec![1]));
    }
}
