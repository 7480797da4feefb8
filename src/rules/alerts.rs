//! `alerts/*.toml`: when to ring.

use super::{Place, topics::within};
use crate::config::fault::{Fault, suggest};
use crate::config::written::{At, Form};
use crate::engine::condition::Condition;
use crate::model::alert::{FirstSeen, GROUPS};
use crate::model::signals::SIGNALS;
use crate::model::time::Span;
use crate::model::{Alert, Raise, Severity};

/// Nobody is reminded more often than this.
const LEAST_REMIND: Span = Span::mins(5);

#[derive(Debug)]
pub(super) struct Written {
    pub(super) name: Place,
    pub(super) topics: Vec<Place>,
    pub(super) silence_of: Vec<Place>,
    pub(super) playbook: Option<Place>,
    pub(super) escalation: Place,
    alert: Alert,
}

pub(super) fn read(form: Form<'_>, out: &mut Vec<Written>) {
    for alert in form.tables("alert", "alert") {
        out.extend(read_one(alert));
    }
    form.finish();
}

fn read_one(form: Form<'_>) -> Option<Written> {
    let desk = form.desk;
    let name = form.must_name();
    let title = form.text("title");
    let all = form.texts("topics");
    let any = form.texts("any_topics");
    let silence_of = form.texts("silence_of");
    if [&all, &any, &silence_of].iter().filter(|list| !list.is_empty()).count() != 1 {
        desk.error(
            head(&form),
            "an alert has one of `topics`, `any_topics` and `silence_of`",
            "topics = [\"a\", \"b\"] where all must match a mention, any_topics where one is enough, silence_of = [\"a source\"] where nothing should have been heard",
        );
    }
    let usual_window = if silence_of.is_empty() { Span::mins(15) } else { Span::hours(6) };
    let window = form.span("window").unwrap_or(At { value: usual_window, span: form.span.clone() });
    if window.value < Span::mins(1) || window.value > Span::days(7) {
        desk.error(window.span, "the window is too short or too long", "use 1m to 7d");
    }
    let first_seen = first_seen(&form);
    let new_term = form.number("new_term", 2..=1000).map(|n| n.value.unsigned_abs());
    let condition = condition(&form, &first_seen, new_term, !silence_of.is_empty());
    let hold = form.span("for").map_or(Span::ZERO, |s| s.value);
    let calm = form.text("calm");
    if let Some(calm) = &calm {
        check_condition(&form, calm);
    }
    let min_sources = form.number("min_sources", 1..=1000).map_or(0, |n| n.value.unsigned_abs());
    let words = Severity::ALL.map(Severity::as_str);
    let severity = form.choice("severity", &words, Severity::parse).map_or(Severity::Review, |s| s.value);
    let raise = raises(&form, severity);
    let group_by = form.texts("group_by");
    for by in group_by.iter().filter(|g| !GROUPS.contains(&g.value.as_str())) {
        desk.error(by.span.clone(), format!("nothing is grouped by `{}`", by.value), suggest(&by.value, GROUPS));
    }
    if let Some(by) = group_by.first().filter(|_| !silence_of.is_empty()) {
        desk.error(by.span.clone(), "silence is watched source by source", "leave `group_by` out");
    }
    let playbook = form.text("playbook").map(|p| Place::new(desk, p));
    let escalation = form.must_text("escalation");
    let remind = form.span("remind");
    if let Some(remind) = remind.as_ref().filter(|r| r.value > Span::ZERO && r.value < LEAST_REMIND) {
        desk.error(remind.span.clone(), "reminders so often would only be noise", "use 5m or more, or 0s for none");
    }
    let remind = remind.map(|s| s.value);
    let resolve_after = form.span("resolve_after").unwrap_or(At { value: Span::hours(2), span: form.span.clone() });
    if resolve_after.value < Span::mins(1) {
        desk.error(resolve_after.span, "an incident cannot be over so soon after it rang", "use 1m or more");
    }
    let resolve_after = resolve_after.value;
    let most = form.number("most_an_hour", 1..=1000).map_or(20, |n| u32::try_from(n.value).unwrap_or(20));
    let shadow = form.flag("shadow").is_some_and(|s| s.value);
    form.finish();
    let (name, condition, escalation) = (name?, condition?, escalation?);
    let any_topics = all.is_empty();
    let silence_of: Vec<Place> = silence_of.into_iter().map(|s| Place::new(desk, s)).collect();
    let topics: Vec<Place> = if any_topics { any } else { all }.into_iter().map(|t| Place::new(desk, t)).collect();
    let alert = Alert {
        title: title.map_or_else(|| name.value.clone(), |t| t.value),
        name: name.value.clone(),
        topics: topics.iter().map(|t| t.name().to_owned()).collect(),
        any: any_topics && silence_of.is_empty(),
        silence_of: silence_of.iter().map(|s| s.name().to_owned()).collect(),
        window: window.value,
        condition,
        hold,
        calm: calm.map(|c| c.value),
        min_sources,
        first_seen,
        new_term,
        severity,
        raise,
        group_by: group_by.into_iter().map(|g| g.value).collect(),
        playbook: playbook.as_ref().map(|p| p.name().to_owned()).unwrap_or_default(),
        escalation: escalation.value.clone(),
        remind: remind.filter(|r| *r > Span::ZERO),
        resolve_after,
        most_an_hour: most,
        shadow,
    };
    let (name, escalation) = (Place::new(desk, name), Place::new(desk, escalation));
    Some(Written { name, topics, silence_of, playbook, escalation, alert })
}

/// The condition as written, or what a rule means that only says what it listens for.
fn condition(form: &Form<'_>, first_seen: &Option<FirstSeen>, new_term: Option<u64>, silence: bool) -> Option<String> {
    if let Some(condition) = form.text("condition") {
        check_condition(form, &condition);
        let named = Condition::parse(&condition.value).map(|c| c.names().to_vec()).unwrap_or_default();
        let unset = |signal: &str, set: bool, remedy: &str| {
            if named.contains(&signal) && !set {
                let what = format!("the signal `{signal}` is always 0 here");
                form.desk.error(condition.span.clone(), what, remedy);
            }
        };
        unset("first_seen", first_seen.is_some(), "add first_seen = { tier = 1 }, or followers = 100000");
        unset("new_terms", new_term.is_some(), "add new_term = 5, the number of authors that make a word new");
        return Some(condition.value);
    }
    let meant = match (first_seen, new_term) {
        (Some(_), _) => "first_seen >= 1",
        (None, Some(_)) => "new_terms >= 1",
        (None, None) if silence => "mentions == 0 && silence >= 4.0",
        (None, None) => return form.must_text("condition").map(|c| c.value),
    };
    Some(meant.to_owned())
}

fn first_seen(form: &Form<'_>) -> Option<FirstSeen> {
    let inner = form.table("first_seen", "first_seen")?;
    let tier = inner.number("tier", 1..=3).and_then(|t| u8::try_from(t.value).ok());
    let followers = inner.number("followers", 1..=1_000_000_000).map(|n| n.value.unsigned_abs());
    let within = inner.span("within").map_or(Span::days(30), |s| s.value);
    if tier.is_none() && followers.is_none() {
        form.desk.error(
            inner.span.clone(),
            "nobody is listened for",
            "write first_seen = { tier = 1 } for outlets, { followers = 100000 } for authors, or both",
        );
    }
    inner.finish();
    Some(FirstSeen { tier, followers, within })
}

fn head(form: &Form<'_>) -> std::ops::Range<usize> {
    let text = form.desk.sheet.text.get(form.span.clone()).unwrap_or("");
    form.span.start..form.span.start + text.find('\n').unwrap_or(text.len())
}

fn raises(form: &Form<'_>, severity: Severity) -> Vec<Raise> {
    let words = Severity::ALL.map(Severity::as_str);
    let mut out = Vec::new();
    for raise in form.tables("raise", "raise") {
        let to = raise.choice("to", &words, Severity::parse);
        let when = raise.must_text("when");
        if let Some(to) = to.as_ref().filter(|to| to.value <= severity) {
            form.desk.error(
                to.span.clone(),
                "this raises to no more than the alert's own severity",
                "raise to a higher one",
            );
        }
        if let Some(when) = &when {
            check_condition(&raise, when);
        }
        if let (Some(to), Some(when)) = (to, when) {
            out.push(Raise { to: to.value, when: when.value });
        }
        raise.finish();
    }
    out
}

fn check_condition(form: &Form<'_>, condition: &At<String>) {
    let desk = form.desk;
    for mistake in Condition::parse(&condition.value).err().unwrap_or_default() {
        let span = within(&desk.sheet.text, &condition.span, &condition.value, mistake.span);
        let help = match &mistake.unknown {
            Some(word) => suggest(word, SIGNALS.iter().map(|(n, _, _)| *n)),
            None => "write for example \"mentions >= 5 && surprise >= 4.0 && negative_share >= 0.5\"".to_owned(),
        };
        desk.push(Fault::error(&desk.sheet, span, mistake.message).help(help));
    }
}

impl Written {
    pub(super) fn mean(self) -> Alert {
        self.alert
    }
}
