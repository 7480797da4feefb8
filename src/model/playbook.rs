//! What to do and what may be said.

use super::time::Span;
use super::{Network, Severity};

/// One step of a checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Who does it.
    pub role: String,
    /// How soon after the incident opened; `None` where none is said.
    pub due: Option<Span>,
    /// How soon where it is that bad or worse, mildest first.
    pub sooner: Vec<(Severity, Span)>,
    /// What to do.
    pub what: String,
}

impl Task {
    /// How soon after the incident opened, where it is so bad.
    pub fn due_for(&self, severity: Severity) -> Option<Span> {
        self.sooner.iter().rfind(|(from, _)| *from <= severity).map(|(_, within)| *within).or(self.due)
    }
}

/// A text in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// ISO 639-1 code.
    pub language: String,
    /// The network that it is written for; `None` for the one that serves everywhere.
    pub network: Option<Network>,
    /// The text, with `{{ … }}` for what the incident fills in; paragraphs are parted by an empty line.
    pub text: String,
}

/// What the team is told, in one language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guide {
    /// ISO 639-1 code; empty for the one that is told to everybody whose language is not here.
    pub language: String,
    /// The name to show.
    pub title: String,
    /// What to do first, one paragraph.
    pub first: String,
    /// The checklist in order: the same steps, with the same due times, in every language.
    pub checklist: Vec<Task>,
    /// What to do, in words.
    pub dos: Vec<String>,
    /// What not to do.
    pub donts: Vec<String>,
}

/// A plan for one kind of incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playbook {
    /// Unique name.
    pub name: String,
    /// How soon to have answered, by severity.
    pub targets: Vec<(Severity, Span)>,
    /// The team that owns it.
    pub owner: String,
    /// The person who decides.
    pub decision_maker: String,
    /// The persons who approve what is said.
    pub approvers: Vec<String>,
    /// How many of them have to.
    pub approvals: usize,
    /// Contacts outside of the team, as lines of text.
    pub contacts: Vec<String>,
    /// What the team is told; the first one serves all languages that have none of their own. Never empty.
    pub guides: Vec<Guide>,
    /// Holding statements: one a language that serves everywhere, and those for networks.
    pub statements: Vec<Said>,
    /// Questions and answers, one text a language.
    pub answers: Vec<Said>,
}

impl Playbook {
    /// What is told to somebody who reads a language.
    pub fn guide(&self, language: &str) -> Option<&Guide> {
        self.guides.iter().find(|g| g.language == language).or(self.guides.first())
    }

    /// The holding statement in a language that serves everywhere.
    pub fn statement(&self, language: &str) -> Option<&Said> {
        self.statements.iter().find(|s| s.language == language && s.network.is_none())
    }

    /// The holding statement in a language for a network; the one that serves everywhere where there is none.
    pub fn statement_for(&self, language: &str, network: Option<Network>) -> Option<&Said> {
        let own = self.statements.iter().find(|s| s.language == language && s.network == network);
        own.or_else(|| self.statement(language))
    }

    /// All who may approve what is said: the approvers, and whoever decides.
    pub fn may_approve(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.approvers.iter().map(String::as_str).collect();
        if !self.decision_maker.is_empty() && !all.contains(&self.decision_maker.as_str()) {
            all.push(&self.decision_maker);
        }
        all
    }
}

/// The variables that a holding statement may use.
pub const STATEMENT_VARIABLES: [&str; 3] = ["brand", "product", "link"];
