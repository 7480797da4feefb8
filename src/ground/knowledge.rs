//! The rules in force and the analyst that knows the house's words: what a text comes to.

use crate::model::{Mention, TopicKind};
use crate::query::Doc;
use crate::rules::Rules;
use crate::text::sentiment::{Label, Score};
use crate::text::toward::Place;
use crate::text::{Analysis, Analyst};

/// Numbers of topics, and where the words that they share stand.
type Name = (Vec<usize>, Vec<Place>);

/// Topics that look for the same word in a text, such as a brand and its product, speak of one thing.
fn grouped(places: Vec<Vec<Place>>) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for (n, own) in places.into_iter().enumerate().filter(|(_, own)| !own.is_empty()) {
        let (same, mut others): (Vec<Name>, Vec<Name>) =
            names.into_iter().partition(|(_, there)| there.iter().any(|p| own.contains(p)));
        let mut name: Name = (vec![n], own);
        for (topics, there) in same {
            name.0.extend(topics);
            name.1.extend(there);
        }
        name.1.sort_unstable();
        name.1.dedup();
        others.push(name);
        names = others;
    }
    names
}

/// The rules in force with the analyst that knows the house's words.
#[derive(Debug)]
pub struct Knowledge {
    /// The rules.
    pub rules: Rules,
    /// The analyst.
    pub analyst: Analyst,
    /// Rises with every change of the rules.
    pub generation: u64,
}

impl Knowledge {
    /// The knowledge that rules give.
    pub fn new(rules: Rules, generation: u64) -> Knowledge {
        let analyst = Analyst::with_house(rules.house.sentiment.iter().cloned());
        Knowledge { rules, analyst, generation }
    }

    /// Analyses a mention: its language, sentiment, intent and topics are set. `hint` is the language tag that its
    /// source declares.
    pub fn analyse(&self, m: &mut Mention, hint: Option<&str>) -> Analysis {
        let analysis = self.analyst.analyse(&m.title, &m.text, hint);
        m.language = analysis.language.to_owned();
        m.sentiment = (analysis.score.label != Label::Unscored).then_some(analysis.score.value);
        m.why = analysis.score.why.iter().map(|r| (r.term.clone(), r.weight)).collect();
        m.intent = analysis.wants.intent.as_str().to_owned();
        m.fingerprint = analysis.print.whole;
        let doc = Doc::analysed(m, &analysis);
        let (numbers, toward) = self.topics(&doc);
        m.toward = toward.into_iter().map(|(name, score)| (name, score.value)).collect();
        m.topics = self.rules.names(&numbers);
        analysis
    }

    /// Whether one's own people answer a mention: it is about the brand, a product or a person of it.
    pub fn answers_for(&self, m: &Mention) -> bool {
        let own = |t: &crate::model::Topic| matches!(t.kind, TopicKind::Brand | TopicKind::Product | TopicKind::Person);
        m.topics.iter().any(|name| self.rules.topic(name).is_some_and(own))
    }

    /// The topics of a text, and how it feels toward each of the names that it speaks of, where they are several; themes
    /// of risk are no names.
    pub fn topics(&self, doc: &Doc<'_>) -> (Vec<usize>, Vec<(String, Score)>) {
        let is_name = |n: &usize| self.rules.topics.get(*n).is_some_and(|t| t.kind != TopicKind::Risk);
        let names = |numbers: &[usize]| {
            let named: Vec<usize> = numbers.iter().copied().filter(is_name).collect();
            if named.len() < 2 { Vec::new() } else { named }
        };
        let (numbers, places) = self.rules.listening.matches_with_places(doc, names);
        let toward = self.toward(doc, places);
        (numbers, toward)
    }

    fn toward(&self, doc: &Doc<'_>, places: Vec<(usize, Vec<Place>)>) -> Vec<(String, Score)> {
        let (named, places): (Vec<usize>, Vec<Vec<Place>>) = places.into_iter().unzip();
        let names = grouped(places);
        if names.len() < 2 {
            return Vec::new();
        }
        let (names, places): (Vec<Vec<usize>>, Vec<Vec<Place>>) = names.into_iter().unzip();
        let scores = self.analyst.toward(doc.text, doc.language, &places);
        let mut out = Vec::new();
        for (of_name, score) in names.into_iter().zip(scores) {
            let Some(score) = score.filter(|s| s.label != Label::Unscored) else { continue };
            let topics = of_name.iter().filter_map(|n| self.rules.topics.get(*named.get(*n)?));
            out.extend(topics.map(|t| (t.name.clone(), score.clone())));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_that_share_a_word_are_one_name() {
        let brand = vec![(4, 8)];
        let product = vec![(0, 3), (4, 8)];
        let rival = vec![(20, 26)];
        let silent = vec![];
        let names = grouped(vec![brand, rival, product, silent]);
        assert_eq!(names, [(vec![1], vec![(20, 26)]), (vec![2, 0], vec![(0, 3), (4, 8)])]);
    }
}
