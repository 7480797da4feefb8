//! `tests/*.toml`: what the rules are to do, told as data: mentions, a clock, and what must be open, told or quiet when.

mod read;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::files::read_below;
use super::{Place, Rules};
use crate::config::fault::{Fault, Sheet};
use crate::config::written::Desk;
use crate::model::incident::Notice;
use crate::model::time::{Span, from_millis};
use crate::model::{Capture, Severity};

/// The folder of the rules directory that tests stand in; their mentions may lie in files beside them.
pub const FOLDER: &str = "tests";

/// When tests begin that do not say so: on Tuesday, 10 March 2026, at nine in the morning, UTC.
pub fn begin() -> Timestamp {
    from_millis(1_773_133_200_000)
}

/// Whether it is a file of mentions that tests may name.
pub(super) fn is_data(path: &Path) -> bool {
    path.extension().is_some_and(|e| ["jsonl", "json", "csv", "tsv", "xlsx"].iter().any(|d| e == *d))
}

/// One test of the rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What it says of the rules; unique.
    pub name: String,
    /// The file that it stands in, and the line.
    pub place: (String, usize),
    /// When its clock begins.
    pub start: Timestamp,
    /// A quiet past, which warms what is usual.
    pub calm: Option<Calm>,
    /// Where made-up mentions begin to differ.
    pub seed: u64,
    /// What is said.
    pub mentions: Vec<Told>,
    /// What people do.
    pub acts: Vec<Act>,
    /// What must be.
    pub expects: Vec<Expect>,
}

/// A quiet past.
#[derive(Debug, Clone, PartialEq)]
pub struct Calm {
    /// How long it is.
    pub span: Span,
    /// Mentions an hour.
    pub per_hour: f64,
    /// Their topics; none means those of the test's mentions that are no risks.
    pub topics: Vec<String>,
}

/// Something that is said.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// Texts, one after the other.
    Said(Box<Said>),
    /// A file of mentions.
    File(Lines),
    /// A crowd that is made up.
    Crowd(Box<Crowd>),
}

/// What a test sets, in place of what the analysis finds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Set {
    /// Names of the topics.
    pub topics: Option<Vec<String>>,
    /// Sentiment in −1..1.
    pub sentiment: Option<f32>,
    /// Tier of the site.
    pub tier: Option<u8>,
    /// Vakt never heard of the author before.
    pub newcomer: Option<bool>,
    /// The source that brings it.
    pub source: String,
    /// It came with a source's first fetch or an import, and never rings.
    pub history: bool,
}

/// Texts by people.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// When the first is said, after the beginning.
    pub at: Span,
    /// How long after one the next is said.
    pub every: Span,
    /// The texts.
    pub texts: Vec<String>,
    /// Everything else of them. Without an author each has one of its own.
    pub capture: Capture,
    /// What is set.
    pub set: Set,
}

/// A file of mentions as `vakt import` reads them.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    /// The file.
    pub path: PathBuf,
    /// When its first mention is said; the others keep their distance.
    pub at: Span,
    /// What is set for all of them.
    pub set: Set,
}

/// A crowd that is made up.
#[derive(Debug, Clone, PartialEq)]
pub struct Crowd {
    /// When it begins and ends.
    pub from: Span,
    /// See `from`.
    pub until: Span,
    /// Mentions an hour.
    pub per_hour: f64,
    /// They come by chance, not evenly.
    pub poisson: bool,
    /// Different authors; 0 for one each.
    pub authors: u64,
    /// Share that is negative, and share that is positive; the rest is neutral.
    pub negative: f64,
    /// See `negative`.
    pub positive: f64,
    /// Share that is a complaint; the negative ones where it is not said.
    pub complaints: Option<f64>,
    /// Share that is a question.
    pub questions: f64,
    /// Share that are copies of one text.
    pub copies: f64,
    /// Share of authors whom vakt never heard of.
    pub newcomers: f64,
    /// Networks, languages and sites that they are spread over.
    pub networks: Vec<String>,
    /// See `networks`.
    pub languages: Vec<String>,
    /// See `networks`; may be empty.
    pub sites: Vec<String>,
    /// Their texts, which are analysed; made-up ones where there are none.
    pub texts: Vec<String>,
    /// People whom each may reach.
    pub reach: Option<u64>,
    /// Followers of each author.
    pub followers: Option<u64>,
    /// Likes and the like of each.
    pub engagement: Option<u64>,
    /// What is set.
    pub set: Set,
}

/// What somebody does with the incidents of a rule that are open, or over where they are opened again.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// When.
    pub at: Span,
    /// The alert rule; a silence may be about all of them.
    pub alert: Option<String>,
    /// The group, where not all are meant.
    pub group: Option<String>,
    /// Who does it; may be empty.
    pub by: String,
    /// What is done.
    pub deed: Deed,
}

/// What is done with incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A person takes them.
    Acknowledge(String),
    /// They are over.
    Resolve,
    /// They are put off for so long.
    Snooze(Span),
    /// They are opened again.
    Reopen,
    /// A person is given them.
    Assign(String),
    /// They are as bad as this.
    Severity(Severity),
    /// They become part of the oldest open incident of another rule.
    Merge(String),
    /// They are no part of another after all.
    Split,
    /// Nobody is called for so long for incidents up to a severity, about one topic or any.
    Silence(Span, Severity, Option<String>),
}

/// An incident that is meant: of which alert, group and severity, as far as they matter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Which {
    /// The alert rule.
    pub alert: String,
    /// The group.
    pub group: Option<String>,
    /// The severity.
    pub severity: Option<Severity>,
}

/// Somebody who must have been told.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// A person, or a team, all of which is meant.
    pub who: String,
    /// No earlier than this.
    pub from: Option<Span>,
    /// No later than this; the expectation's own time where it is not said.
    pub by: Option<Span>,
    /// Why they are told.
    pub notice: Option<Notice>,
    /// Of which alert.
    pub alert: Option<String>,
}

/// What must be at an instant, or have been by then.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    /// The line that it stands in.
    pub line: usize,
    /// When.
    pub at: Span,
    /// It is enough that it was so at some time until then.
    pub by: bool,
    /// Incidents that are open.
    pub open: Vec<Which>,
    /// No others are, but those of rules that are only tried out.
    pub only: bool,
    /// Alert rules that have not rung; `*` is all that are not only tried out.
    pub quiet: Vec<String>,
    /// Alert rules whose incident a crisis mutes.
    pub muted: Vec<String>,
    /// Alert rules that rang and called nobody, being only tried out.
    pub shadow: Vec<String>,
    /// Alert rules that have rung and whose incidents are over.
    pub over: Vec<String>,
    /// Who has been told.
    pub told: Vec<Heard>,
    /// Who has not been told anything.
    pub untold: Vec<String>,
}

/// The tests of a rules directory with what is wrong in them, beside the rules that they are about.
pub fn load(dir: &Path, rules: &Rules) -> (Vec<Case>, Vec<Fault>) {
    let folder = dir.join(FOLDER);
    if !folder.is_dir() {
        return (Vec::new(), Vec::new());
    }
    let (sheets, mut faults) = read_below(dir, folder);
    let (cases, wrong) = read(sheets, rules);
    faults.extend(wrong);
    (cases, faults)
}

/// Reads tests from their texts.
pub fn read(sheets: Vec<Arc<Sheet>>, rules: &Rules) -> (Vec<Case>, Vec<Fault>) {
    let (mut cases, mut places, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for sheet in sheets {
        let desk = Desk::new(sheet);
        let reader = read::Reader { rules, desk: &desk };
        desk.read(|form| {
            for test in form.tables("test", "test") {
                if let Some((case, name)) = reader.case(test) {
                    cases.push(case);
                    places.push(Place::new(&desk, name));
                }
            }
            form.finish();
        });
        faults.extend(desk.into_faults());
    }
    faults.extend(super::twice("test", &places));
    (cases, faults)
}

#[cfg(test)]
mod tests;
