//! The rules in force and the analyst that knows the house's words: what a text comes to.

use crate::model::{Mention, TopicKind};
use crate::query::Doc;
use crate::rules::Rules;
use crate::text::sentiment::{Label, Score};
use crate::text::{Analysis, Analyst};

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
        let numbers = self.rules.matcher.matches(&doc);
        let toward = self.toward(&doc, &numbers);
        m.toward = toward.into_iter().map(|(name, score)| (name, score.value)).collect();
        m.topics = self.rules.names(&numbers);
        analysis
    }

    /// How a text feels toward each of the names that it speaks of, where they are several; themes of risk are no names.
    pub fn toward(&self, doc: &Doc<'_>, numbers: &[usize]) -> Vec<(String, Score)> {
        let names = |n: &&usize| self.rules.topics.get(**n).is_some_and(|t| t.kind != TopicKind::Risk);
        let named: Vec<usize> = numbers.iter().filter(names).copied().collect();
        if named.len() < 2 {
            return Vec::new();
        }
        let places = self.rules.matcher.places_of(doc, &named);
        let scores = self.analyst.toward(doc.text, doc.language, &places);
        let felt = named.iter().zip(scores).filter_map(|(n, s)| Some((self.rules.topics.get(*n)?.name.clone(), s?)));
        felt.filter(|(_, s)| s.label != Label::Unscored).collect()
    }
}
