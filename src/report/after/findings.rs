//! What the log of an incident asks to be changed: each finding is a question with its evidence.

use super::Facts;
use crate::model::Status;
use crate::model::time::{Span, between};
use crate::text::figures::Figures;

/// A question for those who were there: which, and what fills its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which question.
    pub key: &'static str,
    /// Its places, ready to be read.
    pub with: Vec<String>,
}

/// Later than this after the first mention is late to ring, and this long for a relay is long.
const LATE: Span = Span::mins(15);
const SLOW: Span = Span::secs(60);
/// Longest list of names in one finding.
const NAMES: usize = 6;

/// What to ask; nothing where all went as it should.
pub fn findings(f: &Facts, figures: &Figures) -> Vec<Finding> {
    let mut out: Vec<Finding> = Vec::new();
    let mut ask = |key: &'static str, with: Vec<String>| out.push(Finding { key, with });
    let count = |what: &str| f.timeline.iter().filter(|l| l.what == what).count();
    let span = |s: Span| figures.span(s);
    let number = |n: usize| figures.number(u64::try_from(n).unwrap_or(u64::MAX));
    if let Some(first) = f.first.filter(|first| between(*first, f.opened) > LATE) {
        match f.received.filter(|r| between(first, *r) > LATE) {
            Some(received) => ask("ask_source", vec![span(between(first, received))]),
            None => ask("ask_late", vec![span(between(first, f.opened)), figures.number(f.mentions)]),
        }
    }
    let silent = f.shadow || f.drill;
    if f.sent.is_empty() && !silent {
        ask("ask_nobody", Vec::new());
    }
    let not_sent = |state: &str| {
        let all = f.sent.iter().filter(|s| s.state == state).map(|s| format!("{} ({})", s.person, s.channel));
        names(all)
    };
    for (state, key) in [("failed", "ask_failed"), ("waiting", "ask_waiting"), ("held", "ask_held")] {
        if let Some(who) = not_sent(state) {
            ask(key, vec![who]);
        }
    }
    let slow = f.sent.iter().filter(|s| s.state == "delivered");
    let slow = slow.filter_map(|s| Some((s, between(s.created, s.done?)))).filter(|(_, took)| *took > SLOW);
    if let Some((worst, took)) = slow.max_by_key(|(_, took)| *took) {
        ask("ask_slow", vec![format!("{} ({})", worst.person, worst.channel), span(took)]);
    }
    match &f.taken {
        None if !f.sent.is_empty() => ask("ask_untaken", vec![number(count("escalated"))]),
        Some((_, at)) if count("escalated") > 0 => {
            ask("ask_escalated", vec![span(between(f.opened, *at)), number(count("escalated"))]);
        }
        _ => {}
    }
    for (what, key) in [
        ("unreachable", "ask_unreachable"),
        ("muted", "ask_muted"),
        ("silenced", "ask_silenced"),
        ("snoozed", "ask_snoozed"),
        ("reopened", "ask_reopened"),
        ("lapsed", "ask_lapsed"),
    ] {
        let of = f.timeline.iter().filter(|l| l.what == what && (what != "snoozed" || l.who != "vakt"));
        if let Some(who) = names(of.map(|l| if l.detail.is_empty() { l.who.clone() } else { l.detail.clone() })) {
            ask(key, vec![who]);
        }
    }
    if count("raised") > 0 && f.timeline.iter().any(|l| l.what == "lowered") {
        ask("ask_judged", Vec::new());
    }
    match (f.answered(), f.target) {
        (Some(at), Some(target)) if between(f.opened, at) > target => {
            ask("ask_answer_late", vec![span(between(f.opened, at)), span(target)]);
        }
        (None, Some(target)) if f.status == Status::Resolved && between(f.opened, f.end()) > target => {
            ask("ask_unanswered", vec![span(target)]);
        }
        _ => {}
    }
    if let Some(which) = names(f.statements.iter().filter(|s| s.rejected.is_some()).map(|s| s.draft.to_string())) {
        ask("ask_rejected", vec![which]);
    }
    let late = f.steps.iter().filter(|s| matches!((&s.done, s.due), (Some((_, at)), Some(due)) if *at > due)).count();
    if late > 0 {
        ask("ask_steps_late", vec![number(late), number(f.steps.len())]);
    }
    let open = f.steps.iter().filter(|s| s.done.is_none()).count();
    if open > 0 && f.status == Status::Resolved {
        ask("ask_steps_open", vec![number(open), number(f.steps.len())]);
    }
    out
}

/// Names once each, the first of them; nothing where there are none.
fn names(all: impl Iterator<Item = String>) -> Option<String> {
    let mut out: Vec<String> = Vec::new();
    let mut more = false;
    for name in all {
        if out.contains(&name) {
            continue;
        }
        more = out.len() == NAMES;
        if more {
            break;
        }
        out.push(name);
    }
    (!out.is_empty()).then(|| out.join(", ") + if more { ", …" } else { "" })
}
