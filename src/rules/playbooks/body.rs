//! A playbook below its settings: sections, each for everybody and in languages, and statements for networks.

use std::ops::Range;

use super::markdown::{Heading, folded, headings, items};
use super::{Titles, Written, statements};
use crate::config::fault::{Fault, suggest};
use crate::config::written::Desk;
use crate::model::Severity;
use crate::model::playbook::{Guide, Said, Task};
use crate::model::time::Span;
use crate::text::language;

/// Sections of a playbook.
const SECTIONS: [&str; 6] = ["First ten minutes", "Checklist", "Do", "Don't", "Statements", "Questions and answers"];

/// A part of the body: what stands below one heading.
pub(super) struct Part<'a> {
    pub(super) desk: &'a Desk,
    pub(super) heading: &'a Heading,
    /// ISO 639-1 code; empty right below a section's heading.
    pub(super) language: &'static str,
    pub(super) text: &'a str,
    /// Where the text stands, with what surrounds it.
    pub(super) range: Range<usize>,
}

impl Part<'_> {
    /// Notes a mistake at the heading.
    fn wrong(&self, message: impl Into<String>, help: impl Into<String>) {
        self.desk.error(self.heading.span.clone(), message, help);
    }

    /// Where the text stands; the heading where there is none.
    pub(super) fn place(&self) -> Range<usize> {
        let whole = self.desk.sheet.text.get(self.range.clone()).unwrap_or("");
        let lead = self.range.start + whole.len() - whole.trim_start().len();
        if self.text.is_empty() { self.heading.span.clone() } else { lead..lead + self.text.len() }
    }
}

pub(super) fn read(desk: &Desk, from: usize, titles: &Titles, out: &mut Written) {
    let text = desk.sheet.text.get(from..).unwrap_or("");
    let headings = headings(text, from);
    let mut guides: Vec<Guide> = Vec::new();
    for (language, title) in titles {
        guides.push(Guide { language: (*language).to_owned(), title: title.clone(), ..Guide::default() });
    }
    let (mut section, mut language) = ("", "");
    for (i, heading) in headings.iter().enumerate() {
        let end = headings.get(i + 1).map_or(desk.sheet.text.len(), |h| h.span.start);
        let range = heading.span.end..end;
        let text = desk.sheet.text.get(range.clone()).unwrap_or("").trim();
        match heading.level {
            2 => (section, language) = (known(desk, heading), ""),
            3 => {
                language = language::known(&heading.title);
                if language == language::UNKNOWN {
                    let message = format!("`{}` is no language", heading.title);
                    desk.error(heading.span.clone(), message, "write an ISO 639-1 code such as `### sv`");
                    // What stands below it is not read for another language.
                    section = "";
                }
            }
            _ => {}
        }
        let part = Part { desk, heading, language, text, range };
        match (section, heading.level) {
            ("Statements", 3 | 4) => statements::read(&part, &mut out.statements),
            ("Questions and answers", 3) => {
                out.playbook.answers.push(Said { language: language.to_owned(), network: None, text: text.to_owned() });
            }
            (_, 2 | 3) => told(&part, section, &mut guides),
            (_, 4) => part.wrong(
                format!("`{}` stands below no statement", heading.title),
                "networks stand below the languages of `## Statements`",
            ),
            _ => {}
        }
    }
    if guides.first().is_none_or(|g| g.checklist.is_empty()) {
        let fault = out.name.warning("the playbook has no checklist");
        desk.push(fault.help("add `## Checklist` with lines such as `- [ ] **PR lead** · due 10m · what to do`"));
    }
    out.playbook.guides = completed(guides);
}

/// The section of that heading; empty where there is none.
fn known(desk: &Desk, heading: &Heading) -> &'static str {
    let found = SECTIONS.into_iter().find(|s| **s == heading.title.replace('’', "'"));
    found.unwrap_or_else(|| {
        let help = suggest(&heading.title, SECTIONS);
        desk.error(heading.span.clone(), format!("unknown section `{}`", heading.title), help);
        ""
    })
}

/// The guide in a language, new where there is none yet.
fn guide<'a>(guides: &'a mut Vec<Guide>, language: &str) -> Option<&'a mut Guide> {
    if !guides.iter().any(|g| g.language == language) {
        guides.push(Guide { language: language.to_owned(), ..Guide::default() });
    }
    guides.iter_mut().find(|g| g.language == language)
}

/// What the team is told: right below the section's heading for everybody, below `### sv` in Swedish.
fn told(part: &Part<'_>, section: &str, guides: &mut Vec<Guide>) {
    if part.text.is_empty() && part.heading.level == 2 {
        return;
    }
    let general = guides.first().cloned().unwrap_or_default();
    let Some(mine) = guide(guides, part.language) else { return };
    let twice = match section {
        "First ten minutes" => !std::mem::replace(&mut mine.first, folded(part.text)).is_empty(),
        "Checklist" => {
            let tasks = checklist(part, &general.checklist);
            !std::mem::replace(&mut mine.checklist, tasks).is_empty()
        }
        "Do" => !std::mem::replace(&mut mine.dos, lines(part, &general.dos)).is_empty(),
        "Don't" => !std::mem::replace(&mut mine.donts, lines(part, &general.donts)).is_empty(),
        _ => false,
    };
    if twice {
        part.wrong(format!("`{section}` is told twice in this language"), "take one out");
    }
}

/// The lines of a list, as many in every language.
fn lines(part: &Part<'_>, general: &[String]) -> Vec<String> {
    let lines = items(part.text);
    if !part.language.is_empty() && !general.is_empty() && lines.len() != general.len() {
        let message = format!("{} lines here, and {} for everybody else", lines.len(), general.len());
        let fault = Fault::warning(&part.desk.sheet, part.heading.span.clone(), message);
        part.desk.push(fault.help("say the same things in every language"));
    }
    lines
}

/// The steps of a checklist. In a language they are those that everybody has, in the same order: each role is always called
/// the same, and due times need not be said again.
fn checklist(part: &Part<'_>, plan: &[Task]) -> Vec<Task> {
    let items = items(part.text);
    for item in items.iter().filter(|i| mistimed(i)) {
        let at = part.desk.sheet.text.get(part.range.clone()).and_then(|t| t.find("due ")).unwrap_or(0);
        let at = part.range.start + at;
        let help = "write `due 10m`, or `due 2h, escalate 1h, crisis 30m`: the worse, the sooner";
        part.desk.error(at..at + 4, format!("no due time can be read in `{item}`"), help);
    }
    let mut tasks: Vec<Task> = items.iter().map(|i| task(i)).collect();
    if part.language.is_empty() || plan.is_empty() {
        return tasks;
    }
    if tasks.len() != plan.len() {
        let message = format!("{} steps here, and {} in the plan for everybody", tasks.len(), plan.len());
        part.wrong(message, "tell every step in every language, in the same order");
        return tasks;
    }
    let mut roles: Vec<(&str, String)> = Vec::new();
    for (n, (task, planned)) in tasks.iter_mut().zip(plan).enumerate() {
        let said = task.due.is_some() || !task.sooner.is_empty();
        if said && (task.due, &task.sooner) != (planned.due, &planned.sooner) {
            part.wrong(format!("step {} has another due time in the plan for everybody", n + 1), "take it out here");
        }
        (task.due, task.sooner) = (planned.due, planned.sooner.clone());
        match roles.iter().find(|(role, _)| *role == planned.role) {
            Some((_, called)) if *called != task.role => {
                let message = format!("step {} is for `{}`, which was called `{called}` before", n + 1, task.role);
                part.wrong(message, "call each role the same throughout, and keep the order of the plan");
            }
            Some(_) => {}
            None => roles.push((&planned.role, task.role.clone())),
        }
    }
    tasks
}

/// Every guide with all sections: what is not told in a language is told as to everybody.
fn completed(mut guides: Vec<Guide>) -> Vec<Guide> {
    let Some((general, others)) = guides.split_first_mut() else { return guides };
    for mine in others {
        if mine.title.is_empty() {
            mine.title.clone_from(&general.title);
        }
        if mine.first.is_empty() {
            mine.first.clone_from(&general.first);
        }
        if mine.checklist.is_empty() {
            mine.checklist.clone_from(&general.checklist);
        }
        if mine.dos.is_empty() {
            mine.dos.clone_from(&general.dos);
        }
        if mine.donts.is_empty() {
            mine.donts.clone_from(&general.donts);
        }
    }
    guides
}

/// A due time for all, and those of worse incidents.
type Due = (Option<Span>, Vec<(Severity, Span)>);

/// Reads what stands after `due `: `10m`, or `2h, escalate 1h, crisis 30m`, where the worse is the sooner.
fn due(text: &str) -> Option<Due> {
    let mut parts = text.split(',').map(str::trim);
    let all = Span::parse(parts.next()?).ok()?;
    let (mut sooner, mut last) = (Vec::new(), (Severity::Watch, all));
    for part in parts {
        let (severity, within) = part.split_once(' ')?;
        let next = (Severity::parse(severity)?, Span::parse(within.trim()).ok()?);
        if next.0 <= last.0 || next.1 >= last.1 {
            return None;
        }
        sooner.push(next);
        last = next;
    }
    Some((Some(all), sooner))
}

/// Whether its second part begins as a due time does and is none.
fn mistimed(item: &str) -> bool {
    let said = item.split(" · ").nth(1).and_then(|p| p.trim().strip_prefix("due "));
    said.is_some_and(|d| due(d).is_none())
}

/// `role · due 10m · what`, where role and due time may be missing.
fn task(item: &str) -> Task {
    let mut parts: Vec<&str> = item.splitn(3, " · ").map(str::trim).collect();
    let said = parts.get(1).and_then(|p| p.strip_prefix("due ")).and_then(due);
    if said.is_some() {
        parts.remove(1);
    }
    let (due, sooner) = said.unwrap_or_default();
    let (role, what) = match parts.as_slice() {
        [what] => (String::new(), (*what).to_owned()),
        [role, rest @ ..] => ((*role).to_owned(), rest.join(" · ")),
        [] => Default::default(),
    };
    Task { role, due, sooner, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_it_is_the_sooner_a_step_is_due() {
        let step = task("PR lead · due 2h, escalate 1h, crisis 30m · read all of it");
        let within = |severity| step.due_for(severity).map(|s| s.to_string()).unwrap_or_default();
        let all = [Severity::Watch, Severity::Review, Severity::Escalate, Severity::Crisis].map(within);
        assert_eq!((all.map(|s| s).join(" ").as_str(), step.what.as_str()), ("2h 2h 1h 30m", "read all of it"));
        assert_eq!(task("PR lead · read").due_for(Severity::Crisis), None);
        for odd in ["2h, crisis", "2h, crisis 3h", "2h, crisis 1h, escalate 30m", "crisis 30m", "2h, bad 1h", "2h,"] {
            assert!(mistimed(&format!("PR lead · due {odd} · read")), "{odd}");
        }
    }
}
