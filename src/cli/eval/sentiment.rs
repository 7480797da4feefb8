//! `vakt eval sentiment`: how often people would agree.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;

use super::super::{Paint, Refused, Verdict, warn};
use super::labelled::Labelled;
use super::table::Groups;
use crate::text::Analyst;
use crate::text::language;
use crate::text::sentiment::Label;

/// Sentiment: negative, neutral, positive.
///
/// FILE has columns `text` and `label`, and may have `language`; without it the language is found out. Labels are negative,
/// neutral and positive; rows with others are left out and counted. Where a language has no neutral texts, the score is
/// judged by its side alone. A text that vakt does not score is a wrong answer.
#[derive(Debug, Args)]
pub(super) struct Sentiment {
    /// A .tsv file without quotes, or CSV with them; the first line names the columns
    file: PathBuf,
    /// Language of all texts
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// The label of a word of a file.
fn label(word: &str) -> Option<Label> {
    match word.trim().to_lowercase().as_str() {
        "negative" | "neg" | "-1" => Some(Label::Negative),
        "neutral" | "neu" | "0" => Some(Label::Neutral),
        "positive" | "pos" | "1" | "+1" => Some(Label::Positive),
        _ => None,
    }
}

/// A code of a call or a cell, checked.
pub(super) fn code(tag: &str) -> anyhow::Result<&'static str> {
    match language::known(tag) {
        language::UNKNOWN if tag != language::UNKNOWN => {
            Err(Refused(format!("`{}` is no language that vakt knows", super::super::safe(tag, 20))).into())
        }
        code => Ok(code),
    }
}

impl Sentiment {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let labelled = Labelled::read(&self.file, &["text", "label"], &["language"])?;
        let given = self.lang.as_deref().map(code).transpose()?;
        let analyst = Analyst::default();
        let mut heard: Vec<(&'static str, Label, Label, f32)> = Vec::with_capacity(labelled.rows.len());
        let mut left = 0usize;
        for row in &labelled.rows {
            let Some(people) = label(labelled.cell(row, "label")) else {
                left += 1;
                continue;
            };
            let told = language::known(labelled.cell(row, "language"));
            let text = labelled.cell(row, "text");
            let language = match given.or(Some(told).filter(|t| *t != language::UNKNOWN)) {
                Some(language) => language,
                None => analyst.language(text, None),
            };
            let score = analyst.hear(text, language).score;
            heard.push((language, people, score.label, score.value));
        }
        if heard.is_empty() {
            return Err(Refused(format!("{}: no row is negative, neutral or positive", self.file.display())).into());
        }
        let three: HashSet<&str> = heard.iter().filter(|h| h.1 == Label::Neutral).map(|h| h.0).collect();
        let mut groups = Groups::default();
        for (language, people, machine, value) in &heard {
            // A language found for a text that the file says nothing of may have few texts: the file decides then.
            let two =
                if given.is_some() || labelled.has("language") { !three.contains(language) } else { three.is_empty() };
            let machine = match machine {
                Label::Unscored => Label::Unscored,
                _ if two && *value > 0.0 => Label::Positive,
                _ if two => Label::Negative,
                label => *label,
            };
            groups.add(language, people.as_str(), machine.as_str());
        }
        let unscored = heard.iter().filter(|h| h.2 == Label::Unscored).count();
        let sides: Vec<&str> = groups.figures().into_keys().filter(|l| !three.contains(l)).collect();
        if self.json {
            let report = serde_json::json!({
                "all": groups.all(),
                "languages": groups.figures(),
                "judged_by_side": sides,
                "unscored": unscored,
                "left_out": left,
                "bad_rows": labelled.bad,
            });
            say!("{report}");
            return Ok(Verdict::Done);
        }
        groups.show("language");
        if !sides.is_empty() {
            say!(
                "\n{}",
                Paint::new().dim(&format!("without neutral texts, judged by the side alone: {}", sides.join(", ")))
            );
        }
        if unscored > 0 {
            warn(&format!("{unscored} texts are in languages that vakt does not score"));
        }
        if left > 0 {
            warn(&format!("{left} rows have another label and were left out"));
        }
        Ok(Verdict::Done)
    }
}
