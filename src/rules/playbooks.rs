//! `playbooks/*.md`: what to do and what may be said. TOML between `+++` lines, then Markdown.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

use super::{Place, people};
use crate::config::fault::{Fault, Sheet, suggest};
use crate::config::written::{Desk, Form};
use crate::model::playbook::{STATEMENT_VARIABLES, Said, Task};
use crate::model::time::Span;
use crate::model::{Playbook, Severity};
use crate::text::language;

#[derive(Debug)]
pub(super) struct Written {
    pub(super) name: Place,
    pub(super) statements: Vec<Said>,
    owner: Option<Place>,
    decision_maker: Option<Place>,
    approvers: Vec<Place>,
    playbook: Playbook,
}

/// Sections of a playbook.
const SECTIONS: [&str; 6] = ["First ten minutes", "Checklist", "Do", "Don't", "Statements", "Questions and answers"];

pub(super) fn read(desk: &Desk, out: &mut Vec<Written>) {
    let text = &desk.sheet.text;
    let parts = text.strip_prefix("+++").and_then(|rest| {
        let end = rest.find("\n+++")?;
        Some((3..3 + end + 1, 3 + end + 4))
    });
    let Some((front, body_from)) = parts else {
        desk.error(
            0..text.len().min(3),
            "a playbook begins with settings between two +++ lines",
            "write +++, name = \"…\", +++",
        );
        return;
    };
    // The settings are read as a sheet of their own, blanked elsewhere, so that places stay right.
    let blank = |part: &str| part.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect::<String>();
    let settings = text.get(front.clone()).unwrap_or("");
    let alone = format!("   {settings}{}", blank(text.get(front.end..).unwrap_or("")));
    let inner = Desk::new(Sheet::new(desk.sheet.name.clone(), alone));
    let mut written = None;
    inner.read(|form| written = settings_of(form));
    for mut fault in inner.into_faults() {
        fault.sheet = desk.sheet.clone();
        desk.push(fault);
    }
    let Some(mut written) = written else { return };
    for place in [&mut written.name]
        .into_iter()
        .chain(&mut written.approvers)
        .chain(&mut written.owner)
        .chain(&mut written.decision_maker)
    {
        place.sheet = desk.sheet.clone();
    }
    body(desk, body_from, &mut written);
    out.push(written);
}

fn settings_of(form: Form<'_>) -> Option<Written> {
    let desk = form.desk;
    let name = form.must_name();
    let title = form.text("title");
    let owner = form.text("owner").map(|o| Place::new(desk, o));
    let decision_maker = form.text("decision_maker").map(|d| Place::new(desk, d));
    let approvers: Vec<Place> = form.texts("approvers").into_iter().map(|a| Place::new(desk, a)).collect();
    let contacts = form.texts("contacts").into_iter().map(|c| c.value).collect();
    let mut targets = Vec::new();
    if let Some(table) = form.table("severity_targets", "table of targets") {
        for (word, span) in table.spans() {
            match Severity::parse(&word.value) {
                Some(severity) => targets.push((severity, span)),
                None => desk.error(
                    word.span,
                    format!("unknown severity `{}`", word.value),
                    suggest(&word.value, Severity::ALL.map(Severity::as_str)),
                ),
            }
        }
    }
    form.finish();
    let name = name?;
    targets.sort();
    let playbook = Playbook {
        name: name.value.clone(),
        title: title.map_or_else(|| name.value.clone(), |t| t.value),
        targets,
        owner: owner.as_ref().map(|o| o.name().to_owned()).unwrap_or_default(),
        decision_maker: decision_maker.as_ref().map(|d| d.name().to_owned()).unwrap_or_default(),
        approvers: approvers.iter().map(|a| a.name().to_owned()).collect(),
        contacts,
        first: String::new(),
        checklist: Vec::new(),
        dos: Vec::new(),
        donts: Vec::new(),
        statements: Vec::new(),
        answers: Vec::new(),
    };
    Some(Written { name: Place::new(desk, name), statements: Vec::new(), owner, decision_maker, approvers, playbook })
}

/// A heading with where it stands, and where its text begins.
struct Heading {
    level: HeadingLevel,
    title: String,
    span: Range<usize>,
}

fn body(desk: &Desk, from: usize, out: &mut Written) {
    let text = desk.sheet.text.get(from..).unwrap_or("");
    let headings = headings(text, from);
    let mut section = "";
    for (i, heading) in headings.iter().enumerate() {
        let end = headings.get(i + 1).map_or(desk.sheet.text.len(), |h| h.span.start);
        let range = heading.span.end..end;
        let part = desk.sheet.text.get(range.clone()).unwrap_or("").trim();
        match heading.level {
            HeadingLevel::H2 => {
                section = match SECTIONS.iter().find(|s| **s == heading.title.replace('’', "'")) {
                    Some(known) => known,
                    None => {
                        let help = suggest(&heading.title, SECTIONS);
                        desk.error(heading.span.clone(), format!("unknown section `{}`", heading.title), help);
                        ""
                    }
                };
                match section {
                    "First ten minutes" => out.playbook.first = folded(part),
                    "Checklist" => {
                        let items = items(part);
                        for item in items.iter().filter(|i| mistimed(i)) {
                            let at = desk.sheet.text.get(range.clone()).and_then(|t| t.find("due ")).unwrap_or(0);
                            let message = format!("no due time can be read in `{item}`");
                            desk.error(range.start + at..range.start + at + 4, message, "write `due 10m`, `due 2h`");
                        }
                        out.playbook.checklist = items.iter().map(|i| task(i)).collect();
                    }
                    "Do" => out.playbook.dos = items(part),
                    "Don't" => out.playbook.donts = items(part),
                    _ => {}
                }
            }
            HeadingLevel::H3 => said(desk, section, heading, part, range, out),
            _ => {}
        }
    }
    if out.playbook.checklist.is_empty() {
        let fault = out.name.warning("the playbook has no checklist");
        desk.push(fault.help("add `## Checklist` with lines such as `- [ ] **PR lead** · due 10m · what to do`"));
    }
    out.playbook.statements.clone_from(&out.statements);
}

fn said(desk: &Desk, section: &str, heading: &Heading, part: &str, range: Range<usize>, out: &mut Written) {
    let code = language::known(&heading.title);
    if code == language::UNKNOWN {
        let message = format!("`{}` is no language", heading.title);
        desk.error(heading.span.clone(), message, "write an ISO 639-1 code such as `### sv`");
        return;
    }
    match section {
        "Statements" => {
            if let Some((message, help)) = wrong_variable(part) {
                let lead = desk.sheet.text.get(range.clone()).map_or(0, |t| t.len() - t.trim_start().len());
                let shown = if part.is_empty() {
                    heading.span.clone()
                } else {
                    range.start + lead..range.start + lead + part.len()
                };
                desk.error(shown, message, help);
            }
            if out.statements.iter().any(|s| s.language == code) {
                desk.error(heading.span.clone(), format!("there are two statements in `{code}`"), "take one out");
            }
            out.statements.push(Said { language: code.to_owned(), text: folded(part) });
        }
        "Questions and answers" => out.playbook.answers.push(Said { language: code.to_owned(), text: part.to_owned() }),
        _ => {}
    }
}

/// What is wrong with the variables of a statement, if something is.
fn wrong_variable(statement: &str) -> Option<(String, String)> {
    if statement.is_empty() {
        return Some(("there is no text below this language".into(), "write what may be said, or take it out".into()));
    }
    if statement.contains("{%") {
        return Some(("a statement has variables and nothing else".into(), "write {{ brand }}".into()));
    }
    let mut environment = minijinja::Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    let template = match environment.template_from_str(statement) {
        Ok(template) => template,
        Err(e) => return Some((format!("the statement is no template: {e}"), "write {{ brand }}".into())),
    };
    let mut unknown: Vec<String> = template.undeclared_variables(false).into_iter().collect();
    unknown.retain(|v| !STATEMENT_VARIABLES.contains(&v.as_str()));
    unknown.sort();
    if let Some(first) = unknown.first() {
        return Some((format!("a statement has no variable `{first}`"), suggest(first, STATEMENT_VARIABLES)));
    }
    let sample: std::collections::BTreeMap<&str, &str> = STATEMENT_VARIABLES.into_iter().zip(["Acme"; 3]).collect();
    let wrong = template.render(sample).err()?;
    Some((
        format!("the statement cannot be filled in: {}", wrong.kind()),
        "write {{ brand }} and nothing more in it".into(),
    ))
}

fn headings(text: &str, from: usize) -> Vec<Heading> {
    let mut out: Vec<Heading> = Vec::new();
    let mut open = false;
    for (event, range) in Parser::new(text).into_offset_iter() {
        let span = range.start + from..range.end + from;
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                open = true;
                out.push(Heading { level, title: String::new(), span });
            }
            Event::End(TagEnd::Heading(_)) => open = false,
            Event::Text(t) | Event::Code(t) if open => {
                if let Some(h) = out.last_mut() {
                    h.title.push_str(&t);
                }
            }
            _ => {}
        }
    }
    for h in &mut out {
        h.title = h.title.trim().to_owned();
    }
    out
}

/// The items of a list as plain text.
fn items(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut depth = 0;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Item) => {
                depth += 1;
                if depth == 1 {
                    out.push(String::new());
                }
            }
            Event::End(TagEnd::Item) => depth -= 1,
            Event::Text(t) | Event::Code(t) if depth > 0 => {
                if let Some(item) = out.last_mut() {
                    item.push_str(&t);
                }
            }
            Event::SoftBreak | Event::HardBreak if depth > 0 => {
                if let Some(item) = out.last_mut() {
                    item.push(' ');
                }
            }
            _ => {}
        }
    }
    out.into_iter().map(|i| folded(i.trim_start_matches("[ ]").trim_start_matches("[x]"))).collect()
}

/// Whether its second part begins as a due time does and is none.
fn mistimed(item: &str) -> bool {
    let due = item.split(" · ").nth(1).and_then(|p| p.trim().strip_prefix("due "));
    due.is_some_and(|d| Span::parse(d).is_err())
}

/// `role · due 10m · what`, where role and due time may be missing.
fn task(item: &str) -> Task {
    let mut parts: Vec<&str> = item.splitn(3, " · ").map(str::trim).collect();
    let due = parts.get(1).and_then(|p| p.strip_prefix("due ")).and_then(|s| Span::parse(s).ok());
    if due.is_some() {
        parts.remove(1);
    }
    match parts.as_slice() {
        [what] => Task { role: String::new(), due, what: (*what).to_owned() },
        [role, rest @ ..] => Task { role: (*role).to_owned(), due, what: rest.join(" · ") },
        [] => Task { role: String::new(), due, what: String::new() },
    }
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Written {
    pub(super) fn check(&self, people: &people::Written) -> Vec<Fault> {
        let persons = people.person_names();
        let teams: Vec<&str> = people.teams.iter().map(|t| t.name.name()).collect();
        let mut faults: Vec<Fault> = self.approvers.iter().filter_map(|a| a.among("person", &persons)).collect();
        faults.extend(self.decision_maker.as_ref().and_then(|d| d.among("person", &persons)));
        faults.extend(self.owner.as_ref().and_then(|o| o.among("team", &teams)));
        faults
    }

    pub(super) fn mean(self) -> Playbook {
        self.playbook
    }
}
