//! `vakt eval language`: how often the language is right.

use std::path::PathBuf;

use clap::Args;

use super::super::Verdict;
use super::labelled::Labelled;
use super::table::Groups;
use crate::text::{Analyst, language};

/// Languages.
///
/// FILE has columns `text` and `language` (ISO 639-1; nb and nn are no), and may have `hint`, the tag that the source declares.
#[derive(Debug, Args)]
pub(super) struct Language {
    /// A .tsv file without quotes, or CSV with them; the first line names the columns
    file: PathBuf,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl Language {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let labelled = Labelled::read(&self.file, &["text", "language"], &["hint"])?;
        let analyst = Analyst::default();
        let mut groups = Groups::default();
        for row in &labelled.rows {
            let tag = labelled.cell(row, "language");
            let people = match language::known(tag) {
                language::UNKNOWN => tag.to_lowercase(),
                code => code.to_owned(),
            };
            let hint = Some(labelled.cell(row, "hint")).filter(|h| !h.is_empty());
            groups.add("all", &people, analyst.language(labelled.cell(row, "text"), hint));
        }
        if self.json {
            let all = groups.all();
            let languages: std::collections::BTreeMap<&String, f64> =
                all.classes.iter().map(|(l, c)| (l, c.recall)).collect();
            say!("{}", serde_json::json!({ "all": all, "languages": languages, "bad_rows": labelled.bad }));
        } else {
            groups.show("languages");
        }
        Ok(Verdict::Done)
    }
}
