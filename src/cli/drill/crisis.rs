//! The invented crisis of an exercise: its mentions through the engine until the rule has rung and raised.

use jiff::Timestamp;

use super::super::test::cast;
use crate::engine::detect::{GroupKey, Verdict};
use crate::engine::replay::Replay;
use crate::ground::Knowledge;
use crate::model::time::{Span, between};
use crate::model::{Alert, Mention, Severity};
use crate::rules::cases::{Calm, Case, Crowd, Set, Told};

/// Mentions an hour of the crisis, and of the quiet time before it.
const LOUD: f64 = 300.0;
const QUIET: f64 = 1.0;
/// A rule that has not rung after so long cannot be exercised.
const LONGEST: Span = Span::hours(2);
/// The rule is watched for so long after it rang: what raises it comes a little later.
const ON: Span = Span::mins(10);
/// Mentions that messages of the exercise show.
const SHOWN: usize = 24;

/// An invented crisis that has rung.
pub(super) struct Crisis {
    /// What the rule saw, at its worst.
    pub(super) verdict: Verdict,
    /// How bad it became.
    pub(super) severity: Severity,
    /// How long after the first mention the rule rang.
    pub(super) after: Span,
    /// How many mentions it rang at.
    pub(super) heard: u64,
    /// The latest of its mentions, as if it had rung at the instant that was asked for.
    pub(super) mentions: Vec<Mention>,
}

/// Invents a crisis that rings at an instant; `None` where the rule does not ring for angry crowds.
///
/// # Errors
/// A sentence that says why no mentions can be invented.
pub(super) fn invent(knowledge: &Knowledge, alert: &Alert, now: Timestamp) -> Result<Option<Crisis>, String> {
    let case = case(knowledge, alert, now);
    let mentions = cast::mentions(knowledge, &case, alert.window)?;
    let rules = &knowledge.rules;
    let mut replay = Replay::new(std::slice::from_ref(alert), &rules.people).in_zone(&rules.time_zone);
    let mut end = case.start + LONGEST;
    for m in &mentions {
        if m.at > end {
            break;
        }
        replay.feed(m);
        if let Some(i) = replay.incidents().first() {
            end = end.min(i.opened + ON);
        }
    }
    replay.until(end);
    let Some(rang) = replay.incidents().iter().find(|i| i.opened >= case.start) else { return Ok(None) };
    let heard = mentions.iter().filter(|m| m.at >= case.start && m.at <= rang.opened).count() as u64;
    let shift = between(rang.opened, now);
    let mut shown: Vec<Mention> =
        mentions.into_iter().filter(|m| m.at >= case.start && m.at <= end).rev().take(SHOWN).collect();
    let title = &alert.title;
    for (n, m) in (1..).zip(&mut shown) {
        m.at = (m.at + shift).min(now);
        m.received = m.at;
        m.text = format!("DRILL, nobody has said this: invented mention {n} about {title}.");
    }
    Ok(Some(Crisis {
        verdict: Verdict {
            key: GroupKey { alert: alert.name.clone(), group: rang.group.clone() },
            topic: rang.topic.clone(),
            severity: Some(rang.severity),
            evidence: rang.evidence.clone(),
        },
        severity: rang.severity,
        after: Span::secs(between(case.start, rang.opened).as_millis() / 1000),
        heard,
        mentions: shown,
    }))
}

/// A day's quiet, then a crowd that is angry in every language and network.
fn case(knowledge: &Knowledge, alert: &Alert, now: Timestamp) -> Case {
    let topics = alert.topics.clone();
    let mut languages: Vec<String> =
        topics.iter().filter_map(|t| knowledge.rules.topic(t)).flat_map(|t| t.languages.clone()).collect();
    languages.sort_unstable();
    languages.dedup();
    if languages.is_empty() {
        languages.push("en".into());
    }
    let crowd = Crowd {
        from: Span::ZERO,
        until: LONGEST,
        per_hour: LOUD,
        poisson: false,
        authors: 0,
        negative: 0.85,
        positive: 0.0,
        complaints: None,
        questions: 0.15,
        copies: 0.0,
        newcomers: 0.2,
        networks: ["x", "mastodon", "forum", "news"].map(str::to_owned).to_vec(),
        languages,
        sites: Vec::new(),
        texts: Vec::new(),
        reach: Some(12_000),
        followers: Some(2_000),
        engagement: Some(20),
        set: Set { topics: Some(topics.clone()), source: "drill".into(), ..Set::default() },
    };
    Case {
        name: "drill".into(),
        place: (String::new(), 0),
        start: now,
        calm: Some(Calm { span: Span::days(7), per_hour: QUIET, topics }),
        seed: 1,
        mentions: vec![Told::Crowd(Box::new(crowd))],
        acts: Vec::new(),
        expects: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::Clock;
    use crate::ground::tests::standing;

    #[test]
    fn what_is_invented_rings_says_that_it_is_and_ends_now() {
        let now = "2026-06-01T09:00:00Z".parse::<Timestamp>().expect("a time");
        let alert = Alert {
            name: "a".into(),
            title: "Acme".into(),
            topics: vec!["acme".into()],
            group_by: vec!["topic".into()],
            condition: "mentions >= 5 && surprise >= 4.0 && negative_share >= 0.5".into(),
            severity: Severity::Escalate,
            ..Alert::default()
        };
        let dir = tempfile::tempdir().expect("a folder");
        let knowledge = standing(&dir, Clock::stepped(now)).knowledge();
        let crisis = invent(&knowledge, &alert, now).expect("mentions").expect("it rings");
        assert!(crisis.after > Span::ZERO && crisis.after <= Span::mins(5), "{}", crisis.after);
        assert_eq!(crisis.severity, Severity::Escalate);
        assert!(
            crisis.mentions.len() == SHOWN && crisis.mentions.iter().all(|m| m.at <= now && m.text.contains("DRILL"))
        );
        let never = Alert { condition: "mentions >= 5 && positive > negative".into(), ..alert };
        assert!(invent(&knowledge, &never, now).expect("mentions").is_none());
    }
}
