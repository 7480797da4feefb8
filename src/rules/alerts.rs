//! `alerts/*.toml`: when to ring.

use super::{Place, topics::within};
use crate::config::fault::{Fault, suggest};
use crate::config::written::{At, Form};
use crate::engine::condition::Condition;
use crate::model::alert::GROUPS;
use crate::model::signals::SIGNALS;
use crate::model::time::Span;
use crate::model::{Alert, Raise, Severity};

/// Nobody is reminded more often than this.
const LEAST_REMIND: Span = Span::mins(5);

#[derive(Debug)]
pub(super) struct Written {
    pub(super) name: Place,
    pub(super) topics: Vec<Place>,
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
    if all.is_empty() == any.is_empty() {
        desk.error(
            head(&form),
            "an alert has either `topics` or `any_topics`",
            "topics = [\"a\", \"b\"] where all must match a mention, any_topics where one is enough",
        );
    }
    let window = form.span("window").unwrap_or(At { value: Span::mins(15), span: form.span.clone() });
    if window.value < Span::mins(1) || window.value > Span::days(7) {
        desk.error(window.span, "the window is too short or too long", "use 1m to 7d");
    }
    let condition = form.must_text("condition");
    if let Some(condition) = &condition {
        check_condition(&form, condition);
    }
    let words = Severity::ALL.map(Severity::as_str);
    let severity = form.choice("severity", &words, Severity::parse).map_or(Severity::Review, |s| s.value);
    let raise = raises(&form, severity);
    let group_by = form.texts("group_by");
    for by in group_by.iter().filter(|g| !GROUPS.contains(&g.value.as_str())) {
        desk.error(by.span.clone(), format!("nothing is grouped by `{}`", by.value), suggest(&by.value, GROUPS));
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
    form.finish();
    let (name, condition, escalation) = (name?, condition?, escalation?);
    let any_topics = all.is_empty();
    let topics: Vec<Place> = if any_topics { any } else { all }.into_iter().map(|t| Place::new(desk, t)).collect();
    let alert = Alert {
        title: title.map_or_else(|| name.value.clone(), |t| t.value),
        name: name.value.clone(),
        topics: topics.iter().map(|t| t.name().to_owned()).collect(),
        any: any_topics,
        window: window.value,
        condition: condition.value,
        severity,
        raise,
        group_by: group_by.into_iter().map(|g| g.value).collect(),
        playbook: playbook.as_ref().map(|p| p.name().to_owned()).unwrap_or_default(),
        escalation: escalation.value.clone(),
        remind: remind.filter(|r| *r > Span::ZERO),
        resolve_after,
    };
    Some(Written { name: Place::new(desk, name), topics, playbook, escalation: Place::new(desk, escalation), alert })
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
