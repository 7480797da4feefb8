//! What the assistant is asked: for the words of a draft, out of a playbook and the loudest voices, and for the summary of an
//! incident out of its log.

use serde_json::json;

use super::drafts::{DraftError, Order};
use super::{Ground, after};
use crate::assistant::Prompt;
use crate::assistant::prompt::{self, Heard, Wanted};
use crate::engine::wording;
use crate::report::after::{Facts, Voice};
use crate::text::length;

/// Lines of a timeline that a summary looks at.
const LINES: usize = 120;

fn heard(voices: &[Voice]) -> Vec<Heard> {
    let one = |v: &Voice| Heard {
        place: format!("{} {}", v.place, v.network),
        language: v.language.clone(),
        text: if v.title.is_empty() { v.quote.clone() } else { format!("{}: {}", v.title, v.quote) },
    };
    voices.iter().map(one).collect()
}

impl Ground {
    /// What the assistant is asked for a draft.
    ///
    /// # Errors
    /// When what it is about is not there, or the store cannot be read.
    pub fn prompt(&self, order: &Order) -> Result<Prompt, DraftError> {
        let knowledge = self.knowledge();
        let rules = &knowledge.rules;
        let basis = self.basis(rules, order)?;
        let playbook = rules.playbook(&basis.playbook);
        let voices = match (&basis.mention, order.about.incident) {
            (Some(mention), _) => vec![after::voice(mention, 1)],
            (None, Some(id)) => {
                let now = self.clock.now();
                let found = self.store.read(|c| after::facts(&knowledge, c, id, &order.language, now))?;
                found.map(|f| f.voices).unwrap_or_default()
            }
            (None, None) => Vec::new(),
        };
        let link = order.link.as_deref();
        let statement = playbook.and_then(|p| p.statement_for(&order.language, order.network));
        let statement = statement.and_then(|s| wording::fill(&s.text, &basis.brand, link.unwrap_or(wording::LINK)));
        let answers = playbook.and_then(|p| p.answers.iter().find(|a| a.language == order.language));
        let guide = playbook.and_then(|p| p.guide(&order.language));
        let guide: Vec<String> = guide.into_iter().flat_map(|g| g.dos.iter().chain(&g.donts)).cloned().collect();
        let measured = order.network.map(|n| length::measure("", n));
        Ok(prompt::statement(&Wanted {
            brand: &basis.brand,
            language: &order.language,
            network: order.network,
            reply: order.reply || order.about.mention.is_some(),
            most: measured.map(|l| (l.most, l.unit)),
            manner: &rules.voice.at(&order.language, order.network),
            statement: statement.as_deref().unwrap_or_default(),
            answers: answers.map_or("", |a| a.text.as_str()),
            guide: &guide,
            link,
            heard: &heard(&voices),
        }))
    }
}

/// What the assistant is asked for the summary of an incident, for a reader of a language.
pub fn summary(facts: &Facts, language: &str) -> Prompt {
    let time = |at: jiff::Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let cut = |text: &str| text.chars().take(300).collect::<String>();
    let told = facts.told().map(|(who, at)| json!({ "who": who, "at": time(at) }));
    let log = json!({
        "brand": facts.brand,
        "alert": facts.title,
        "severity": facts.severity.as_str(),
        "status": facts.status.as_str(),
        "first_mention": facts.first.map(time),
        "rang": time(facts.opened),
        "first_told": told,
        "taken": facts.taken.as_ref().map(|(who, at)| json!({ "who": who, "at": time(*at) })),
        "over": facts.resolved.as_ref().map(|(who, at)| json!({ "who": who, "at": time(*at) })),
        "mentions": facts.mentions,
        "negative": facts.negative,
        "reach": facts.reach,
        "statements": facts.statements.iter().take(20).map(|s| json!({
            "language": s.language, "network": s.network, "words": cut(&s.text), "approvals": s.approvals.len(),
            "handed_over": s.handed_over.as_ref().map(|(who, at, _)| json!({ "who": who, "at": time(*at) })),
        })).collect::<Vec<_>>(),
        "steps_open": facts.steps.iter().filter(|s| s.done.is_none()).map(|s| cut(&s.what)).take(20).collect::<Vec<_>>(),
        "timeline": facts.timeline.iter().take(LINES).map(|l| json!({
            "at": time(l.at), "who": l.who, "what": l.what, "more": cut(&l.detail),
        })).collect::<Vec<_>>(),
    });
    prompt::summary(language, &log, &heard(&facts.voices))
}
