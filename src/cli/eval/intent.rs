//! `vakt eval intent`: how often what an author wants is heard.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::super::{Paint, Refused, Verdict, warn};
use super::labelled::Labelled;
use super::sentiment::code;
use super::table::Groups;
use crate::text::intent::Intent;
use crate::text::{Analyst, language};

/// Intents: complaint, question, suggestion, praise, other; and whether an answer is needed.
///
/// FILE has columns `text` and `label`, and may have `language` and `needs_answer` (yes or no). Where its labels are one intent
/// and `other`, a text counts as that intent when it shows it at all, whatever else it shows.
#[derive(Debug, Args)]
pub(super) struct Intents {
    /// A .tsv file without quotes, or CSV with them; the first line names the columns
    file: PathBuf,
    /// Language of all texts
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl Intents {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let labelled = Labelled::read(&self.file, &["text", "label"], &["language", "needs_answer"])?;
        let given = self.lang.as_deref().map(code).transpose()?;
        let analyst = Analyst::default();
        let (mut heard, mut answers, mut left) = (Vec::new(), Groups::default(), 0usize);
        for row in &labelled.rows {
            let word = labelled.cell(row, "label").to_lowercase();
            let Some(people) = Intent::ALL.into_iter().find(|i| i.as_str() == word) else {
                left += 1;
                continue;
            };
            let told = language::known(labelled.cell(row, "language"));
            let language = given.or(Some(told).filter(|t| *t != language::UNKNOWN));
            let analysis = analyst.analyse_in("", labelled.cell(row, "text"), language);
            match labelled.cell(row, "needs_answer").to_lowercase().as_str() {
                "" => {}
                word => {
                    let yes_no = |yes: bool| if yes { "yes" } else { "no" };
                    let people = yes_no(matches!(word, "yes" | "true" | "1"));
                    answers.add(analysis.language, people, yes_no(analysis.wants.needs_answer));
                }
            }
            heard.push((analysis.language, people, analysis.wants));
        }
        if heard.is_empty() {
            return Err(Refused(format!("{}: no row has an intent for its label", self.file.display())).into());
        }
        let used: BTreeSet<Intent> =
            heard.iter().map(|(_, people, _)| *people).filter(|i| *i != Intent::Other).collect();
        let alone = used.first().copied().filter(|_| used.len() == 1);
        let mut groups = Groups::default();
        for (language, people, wants) in &heard {
            let machine = match alone {
                Some(intent) if wants.shows(intent) => intent,
                Some(_) => Intent::Other,
                None => wants.intent,
            };
            groups.add(language, people.as_str(), machine.as_str());
        }
        if self.json {
            let report = serde_json::json!({
                "all": groups.all(),
                "languages": groups.figures(),
                "needs_answer": answers.all(),
                "judged_alone": alone,
                "left_out": left,
                "bad_rows": labelled.bad,
            });
            say!("{report}");
            return Ok(Verdict::Done);
        }
        groups.show("language");
        if let Some(intent) = alone {
            let what = format!("one intent and other: a text counts as {} when it shows it at all", intent.as_str());
            say!("\n{}", Paint::new().dim(&what));
        }
        if answers.all().texts > 0 {
            say!("");
            answers.show("answer");
        }
        if left > 0 {
            warn(&format!("{left} rows have another label and were left out"));
        }
        Ok(Verdict::Done)
    }
}
