//! What to do and what may be said.

use super::Severity;
use super::time::Span;

/// One line of a checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Who does it.
    pub role: String,
    /// How soon after the incident opened; `None` where none is said.
    pub due: Option<Span>,
    /// What to do.
    pub what: String,
}

/// A text in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// ISO 639-1 code.
    pub language: String,
    /// The text, with `{{ … }}` for what the incident fills in.
    pub text: String,
}

/// A plan for one kind of incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playbook {
    /// Unique name.
    pub name: String,
    /// The name to show.
    pub title: String,
    /// How soon to have answered, by severity.
    pub targets: Vec<(Severity, Span)>,
    /// The team that owns it.
    pub owner: String,
    /// The person who decides.
    pub decision_maker: String,
    /// The persons who approve what is said.
    pub approvers: Vec<String>,
    /// Contacts outside of the team, as lines of text.
    pub contacts: Vec<String>,
    /// What to do first, one paragraph.
    pub first: String,
    /// The checklist in order.
    pub checklist: Vec<Task>,
    /// What to do, in words.
    pub dos: Vec<String>,
    /// What not to do.
    pub donts: Vec<String>,
    /// Holding statements, one a language.
    pub statements: Vec<Said>,
    /// Questions and answers, one text a language.
    pub answers: Vec<Said>,
}

impl Playbook {
    /// The holding statement in a language.
    pub fn statement(&self, language: &str) -> Option<&Said> {
        self.statements.iter().find(|s| s.language == language)
    }
}

/// The variables that a holding statement may use.
pub const STATEMENT_VARIABLES: [&str; 3] = ["brand", "product", "link"];
