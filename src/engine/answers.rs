//! Which mentions somebody should answer, how urgent each is and by when; and what people do with them.

use jiff::Timestamp;

use crate::model::answer::State;
use crate::model::time::Span;
use crate::model::{Answer, Mention, Severity};
use crate::text::intent::{Intent, Wants};

/// Within which time answers are due where the rules do not say.
const WITHIN: [(Severity, Span); 4] = [
    (Severity::Watch, Span::hours(24)),
    (Severity::Review, Span::hours(8)),
    (Severity::Escalate, Span::hours(2)),
    (Severity::Crisis, Span::mins(30)),
];
/// From which urgency on a mention counts as this severe.
const SEVERE: [(u8, Severity); 3] = [(80, Severity::Crisis), (60, Severity::Escalate), (40, Severity::Review)];

/// How urgent an answer is, 0 to 100: what its author wants, how it feels, whom it reaches, who joins in.
pub fn urgency(m: &Mention, wants: &Wants) -> u8 {
    let intent = match wants.intent {
        Intent::Complaint => 30.0,
        Intent::Question => 20.0,
        Intent::Suggestion => 10.0,
        Intent::Praise | Intent::Other => 5.0,
    };
    let feeling = f64::from(-m.sentiment.unwrap_or(0.0)).clamp(0.0, 1.0) * 20.0;
    let heard = (m.reach as f64 + 1.0).log10() * 7.0;
    let joined = (m.engagement as f64 + 1.0).log10() * 5.0;
    let tier = if m.tier == 1 { 10.0 } else { 0.0 };
    (intent + feeling + heard.min(40.0) + joined.min(15.0) + tier).clamp(0.0, 100.0) as u8
}

/// How severe an urgency is.
pub fn severity(urgency: u8) -> Severity {
    SEVERE.into_iter().find(|(from, _)| urgency >= *from).map_or(Severity::Watch, |(_, s)| s)
}

/// The place of a mention in the queue: for one that needs an answer, and for praise; `None` for all others, and for the
/// past. `within` is what the rules say, by severity.
pub fn queued(m: &Mention, wants: &Wants, within: &[(Severity, Span)], now: Timestamp) -> Option<Answer> {
    let praise = !wants.needs_answer && wants.intent == Intent::Praise;
    if m.history || !(praise || wants.needs_answer) {
        return None;
    }
    let urgency = urgency(m, wants);
    let severe = if praise { Severity::Watch } else { severity(urgency) };
    let said = within.iter().find(|(s, _)| *s == severe);
    let span = said.or(WITHIN.iter().find(|(s, _)| *s == severe)).map_or(Span::hours(24), |(_, span)| *span);
    Some(Answer {
        mention: m.id,
        praise,
        urgency,
        asked: now,
        due: now + span,
        state: State::New,
        owner: String::new(),
        done: None,
        note: String::new(),
    })
}

/// What a person does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// They will answer.
    Take,
    /// They will not after all: it is anybody's again.
    Release,
    /// They have answered, or thanked.
    Done,
    /// It needs no answer.
    Dismiss,
}

impl Act {
    /// The word for the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Act::Take => "took",
            Act::Release => "released",
            Act::Done => "answered",
            Act::Dismiss => "dismissed",
        }
    }
}

/// Does it; a sentence where it cannot be done.
///
/// # Errors
/// When somebody else has it, it is done already, or no reason is given.
pub fn act(answer: &mut Answer, act: Act, by: &str, note: &str, now: Timestamp) -> Result<(), String> {
    if !answer.state.is_open() {
        return Err(format!("it is {} by {} already", answer.state.as_str(), answer.owner));
    }
    // Answering what a colleague has is how an author gets two answers.
    if answer.state == State::Taken && answer.owner != by && act != Act::Release {
        return Err(format!("{} has it; ask them, or release it first", answer.owner));
    }
    let state = match act {
        Act::Take if answer.state == State::Taken => return Err("you have it already".into()),
        Act::Release if answer.state == State::New => return Err("nobody has it".into()),
        Act::Dismiss if note.trim().is_empty() => return Err("say why it needs no answer".into()),
        Act::Take => State::Taken,
        Act::Release => State::New,
        Act::Done => State::Answered,
        Act::Dismiss => State::Dismissed,
    };
    answer.state = state;
    answer.owner = if state == State::New { String::new() } else { by.to_owned() };
    answer.done = (!state.is_open()).then_some(now);
    answer.note = note.trim().to_owned();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(intent: Intent, needs_answer: bool) -> Wants {
        Wants { intent, shown: Vec::new(), needs_answer }
    }

    fn mention(reach: u64, sentiment: f32) -> Mention {
        Mention { reach, sentiment: Some(sentiment), ..Mention::of_text("", Timestamp::UNIX_EPOCH) }
    }

    #[test]
    fn louder_and_angrier_is_more_urgent_and_due_sooner() {
        let now = Timestamp::UNIX_EPOCH;
        let complaint = wants(Intent::Complaint, true);
        let quiet = queued(&mention(10, -0.2), &complaint, &[], now).expect("it needs one");
        let loud = queued(&mention(900_000, -0.9), &complaint, &[], now).expect("it needs one");
        assert!(quiet.urgency < 50 && loud.urgency >= 80, "{} {}", quiet.urgency, loud.urgency);
        assert!(loud.due < quiet.due && loud.due == now + Span::mins(30));
        let own = [(Severity::Crisis, Span::mins(5))];
        assert_eq!(queued(&mention(900_000, -0.9), &complaint, &own, now).map(|a| a.due), Some(now + Span::mins(5)));
        let thanks = queued(&mention(900_000, 0.9), &wants(Intent::Praise, false), &[], now).expect("it is praise");
        assert!(thanks.praise && thanks.due == now + Span::hours(24));
        assert_eq!(queued(&mention(9, 0.0), &wants(Intent::Other, false), &[], now), None);
        let past = Mention { history: true, ..mention(9, 0.0) };
        assert_eq!(queued(&past, &complaint, &[], now), None);
        assert!(urgency(&mention(u64::MAX, -9.0), &complaint) <= 100);
    }

    #[test]
    fn nobody_answers_what_another_has_and_nothing_is_answered_twice() {
        let now = Timestamp::UNIX_EPOCH;
        let mut a = queued(&mention(10, -0.2), &wants(Intent::Question, true), &[], now).expect("it needs one");
        assert_eq!(act(&mut a, Act::Release, "bo", "", now), Err("nobody has it".into()));
        assert_eq!(act(&mut a, Act::Take, "anna", "", now), Ok(()));
        assert!(act(&mut a, Act::Done, "bo", "", now).is_err_and(|e| e.contains("anna has it")));
        assert_eq!(act(&mut a, Act::Release, "bo", "", now), Ok(()));
        assert!(act(&mut a, Act::Dismiss, "bo", " ", now).is_err());
        assert_eq!(act(&mut a, Act::Done, "bo", "sent a spare part", now), Ok(()));
        assert_eq!((a.state, a.owner.as_str(), a.done), (State::Answered, "bo", Some(now)));
        assert!(act(&mut a, Act::Take, "anna", "", now).is_err());
    }
}
