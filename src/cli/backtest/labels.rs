//! `crises.toml`: crises that people know to have been.

use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::{Refused, show_faults};
use crate::config::Sheet;
use crate::config::fault::{Fault, any_error, suggest};
use crate::config::written::{Desk, Form};
use crate::engine::crises::{About, Crisis};
use crate::model::time::{Span, moment};
use crate::rules::Rules;

/// Reads the crises; mistakes are told, all at once.
pub(super) fn read(path: &Path, rules: &Rules) -> anyhow::Result<Vec<Crisis>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let sheet = Sheet::new(path.display().to_string(), text);
    let (crises, faults) = of_sheet(Desk::new(sheet), rules);
    if !faults.is_empty() {
        show_faults(&faults);
    }
    if any_error(&faults) {
        return Err(Refused(format!("{} cannot be used", path.display())).into());
    }
    Ok(crises)
}

fn of_sheet(desk: Desk, rules: &Rules) -> (Vec<Crisis>, Vec<Fault>) {
    let mut out = Vec::new();
    desk.read(|form| {
        let all = form.tables("crisis", "crisis");
        if all.is_empty() {
            let help = "write [[crisis]] with name, from, to, and topic or alert";
            desk.error(form.span.clone(), "there is no crisis in this file", help);
        }
        out.extend(all.into_iter().filter_map(|f| one(f, rules)));
        form.finish();
    });
    (out, desk.into_faults())
}

fn time(form: &Form<'_>, key: &'static str) -> Option<Timestamp> {
    let text = form.text(key)?;
    let read = match Span::parse(&text.value) {
        Ok(_) => Err(format!("`{}` is no day and no time", text.value)),
        Err(_) => moment(&text.value, Timestamp::UNIX_EPOCH, &TimeZone::UTC),
    };
    let help = "write \"2026-03-10\" or \"2026-03-10T08:00Z\"; UTC is meant where nothing else is said";
    read.map_err(|why| form.desk.error(text.span, why, help)).ok()
}

fn one(form: Form<'_>, rules: &Rules) -> Option<Crisis> {
    let desk = form.desk;
    let name = form.must_text("name");
    let here = name.as_ref().map_or(form.span.clone(), |n| n.span.clone());
    let missing: Vec<&str> = ["from", "to"].into_iter().filter(|key| !form.has(key)).collect();
    if !missing.is_empty() {
        desk.error(here.clone(), format!("this crisis has no {}", missing.join(" and no ")), "say when it was");
    }
    let (from, to) = (time(&form, "from"), time(&form, "to"));
    let (peak, first_article) = (time(&form, "peak"), time(&form, "first_article"));
    let (topic, alert) = (form.text("topic"), form.text("alert"));
    let unknown = |what: &str, name: &str, known: Vec<&str>, span: std::ops::Range<usize>| {
        if !known.contains(&name) {
            desk.error(span, format!("there is no {what} `{name}`"), suggest(name, known.iter().copied()));
        }
    };
    let about = match (topic, alert) {
        (Some(t), None) => {
            unknown("topic", &t.value, rules.topics.iter().map(|t| t.name.as_str()).collect(), t.span);
            Some(About::Topic(t.value))
        }
        (None, Some(a)) => {
            unknown("alert", &a.value, rules.alerts.iter().map(|a| a.name.as_str()).collect(), a.span);
            Some(About::Alert(a.value))
        }
        (both, _) => {
            let what = if both.is_some() { "both a topic and an alert" } else { "neither a topic nor an alert" };
            desk.error(here.clone(), format!("this crisis has {what}"), "write one of them");
            None
        }
    };
    form.finish();
    let (from, to) = (from?, to?);
    if to <= from {
        desk.error(here, "this crisis ends before it begins", "`from` is the earlier one");
    }
    Some(Crisis { name: name?.value, from, to, about: about?, peak, first_article })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Alert;

    fn read(text: &str) -> (Vec<Crisis>, String) {
        let rules = Rules { alerts: vec![Alert { name: "fire".into(), ..Alert::default() }], ..Rules::default() };
        let (crises, faults) = of_sheet(Desk::new(Sheet::new("crises.toml", text)), &rules);
        (crises, crate::config::fault::render_all(&faults, false))
    }

    #[test]
    fn crises_are_read_and_every_mistake_is_told() {
        let (crises, told) = read(
            "[[crisis]]\nname = \"The fire\"\nfrom = \"2026-03-10\"\nto = \"2026-03-12T10:00+01:00\"\nalert = \"fire\"\n\
             peak = \"2026-03-10T15:30Z\"\n",
        );
        assert_eq!(told, "");
        assert_eq!(crises[0].about, About::Alert("fire".into()));
        assert_eq!(crises[0].to.to_string(), "2026-03-12T09:00:00Z");
        assert_eq!(crises[0].peak.map(|p| p.to_string()).as_deref(), Some("2026-03-10T15:30:00Z"));
        let (_, told) = read(
            "[[crisis]]\nname = \"a\"\nfrom = \"2026-03-10\"\nalert = \"fier\"\n[[crisis]]\nname = \"b\"\nfrom = \"7d\"\n\
             to = \"2026-03-10\"\npaek = \"x\"\n",
        );
        for part in ["has no to", "no alert `fier`", "did you mean `fire`?", "no day", "`paek`", "neither a topic"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert!(read("").1.contains("no crisis"));
    }
}
