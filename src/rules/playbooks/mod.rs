//! `playbooks/*.md`: what to do and what may be said. TOML between `+++` lines, then Markdown.

mod body;
mod markdown;
mod statements;

use super::{Place, people};
use crate::config::fault::{Fault, Sheet, suggest};
use crate::config::written::{Desk, Form};
use crate::model::{Playbook, Severity};
use crate::text::language;

pub(super) use statements::{Reach, check};

#[derive(Debug)]
pub(super) struct Written {
    pub(super) name: Place,
    pub(super) statements: Vec<statements::Statement>,
    owner: Option<Place>,
    decision_maker: Option<Place>,
    approvers: Vec<Place>,
    approvals: Option<Place>,
    playbook: Playbook,
}

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
    let Some((mut written, titles)) = written else { return };
    for place in [&mut written.name]
        .into_iter()
        .chain(&mut written.approvers)
        .chain(&mut written.approvals)
        .chain(&mut written.owner)
        .chain(&mut written.decision_maker)
    {
        place.sheet = desk.sheet.clone();
    }
    body::read(desk, body_from, &titles, &mut written);
    out.push(written);
}

/// The name to show, by language; the first one has none and serves all others.
type Titles = Vec<(&'static str, String)>;

fn settings_of(form: Form<'_>) -> Option<(Written, Titles)> {
    let desk = form.desk;
    let name = form.must_name();
    let title = form.text("title");
    let owner = form.text("owner").map(|o| Place::new(desk, o));
    let decision_maker = form.text("decision_maker").map(|d| Place::new(desk, d));
    let approvers: Vec<Place> = form.texts("approvers").into_iter().map(|a| Place::new(desk, a)).collect();
    let approvals = form.number("approvals", 1..=20);
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
    let mut titles: Titles = Vec::new();
    if let Some(table) = form.table("titles", "table of titles") {
        for (code, title) in table.words() {
            match language::known(&code.value) {
                language::UNKNOWN => {
                    let message = format!("`{}` is no language", code.value);
                    desk.error(code.span, message, "write an ISO 639-1 code such as `sv`");
                }
                code => titles.push((code, title.value)),
            }
        }
    }
    form.finish();
    let name = name?;
    titles.insert(0, ("", title.map_or_else(|| name.value.clone(), |t| t.value)));
    targets.sort();
    let enough = approvals.as_ref().and_then(|n| usize::try_from(n.value).ok());
    let playbook = Playbook {
        name: name.value.clone(),
        targets,
        owner: owner.as_ref().map(|o| o.name().to_owned()).unwrap_or_default(),
        decision_maker: decision_maker.as_ref().map(|d| d.name().to_owned()).unwrap_or_default(),
        approvers: approvers.iter().map(|a| a.name().to_owned()).collect(),
        approvals: enough.unwrap_or(1),
        contacts,
        guides: Vec::new(),
        statements: Vec::new(),
        answers: Vec::new(),
    };
    let approvals = approvals.map(|n| crate::config::written::At { value: n.value.to_string(), span: n.span });
    let approvals = approvals.map(|n| Place::new(desk, n));
    let name = Place::new(desk, name);
    Some((Written { name, statements: Vec::new(), owner, decision_maker, approvers, approvals, playbook }, titles))
}

impl Written {
    pub(super) fn check(&self, people: &people::Written) -> Vec<Fault> {
        let persons = people.person_names();
        let teams: Vec<&str> = people.teams.iter().map(|t| t.name.name()).collect();
        let mut faults: Vec<Fault> = self.approvers.iter().filter_map(|a| a.among("person", &persons)).collect();
        faults.extend(self.decision_maker.as_ref().and_then(|d| d.among("person", &persons)));
        faults.extend(self.owner.as_ref().and_then(|o| o.among("team", &teams)));
        faults.extend(self.stuck());
        faults
    }

    /// Nobody approves what they have written: there must be enough others.
    fn stuck(&self) -> Option<Fault> {
        let place = self.approvals.as_ref()?;
        let (asked, may) = (self.playbook.approvals, self.playbook.may_approve().len());
        if may < asked {
            let fault = place.error(format!("{asked} have to approve, and only {may} may"));
            return Some(fault.help("name more `approvers`, or ask for fewer `approvals`"));
        }
        (may == asked).then(|| {
            let fault = place.warning(format!("all {may} who may approve have to: none of them could write a draft"));
            fault.help("name one more among the `approvers`, or ask for fewer `approvals`")
        })
    }

    pub(super) fn mean(mut self) -> Playbook {
        self.playbook.statements = self.statements.into_iter().map(|s| s.said).collect();
        self.playbook
    }
}
