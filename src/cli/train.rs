//! `vakt train`: makes the tables that ship from public labelled sets, the same bytes every time.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::eval::labelled::Labelled;
use super::{Paint, Verdict, warn};
use crate::lab::feelings::{self, Example, Said};
use crate::lab::measure::{Confusion, Figures};
use crate::lab::recipe::{self, SETS};
use crate::lab::tongues::{self, Sample};
use crate::text::language::{self, TONGUES};
use crate::text::sentiment::{Feelings, judged_label};

/// Make the tables that ship, from the public sets that they are made of.
#[derive(Debug, Args)]
pub(super) struct Train {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sentiment and complaints: prints how right it is on texts held out in turn
    Sentiment(Where),
    /// Languages
    Language(Where),
}

#[derive(Debug, Args)]
struct Where {
    /// The directory of the sets, one folder each
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where the table is put
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Train {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        match self.what {
            What::Sentiment(place) => place.sentiment(),
            What::Language(place) => place.language(),
        }
    }
}

impl Where {
    fn rows(&self, folder: &str, file: &str, columns: &[&'static str]) -> anyhow::Result<Labelled> {
        Labelled::read(&self.data.join(folder).join(file), columns, &[])
    }

    fn keep(&self, bytes: &[u8]) -> anyhow::Result<Verdict> {
        std::fs::write(&self.out, bytes).with_context(|| format!("cannot write {}", self.out.display()))?;
        say!("{}: {:.1} MB", self.out.display(), bytes.len() as f64 / 1e6);
        Ok(Verdict::Done)
    }

    fn sentiment(&self) -> anyhow::Result<Verdict> {
        let mut examples: Vec<Example> = Vec::new();
        for set in SETS {
            let rows = self.rows(set.name, set.file, &["label", "text"])?;
            examples.extend(rows.rows.iter().filter_map(|r| set.example(rows.cell(r, "label"), rows.cell(r, "text"))));
        }
        let (table, held) = feelings::make(&examples, |step| warn(&format!("{} texts: {step} …", examples.len())));
        show(&examples, &held, &table);
        self.keep(&table.to_bytes()?)
    }

    fn language(&self) -> anyhow::Result<Verdict> {
        let mut samples: Vec<Sample> = Vec::new();
        for set in SETS
            .iter()
            .filter(|s| s.name != "complaints" && s.name != "tweeteval-sentiment" && s.name != "germeval2017")
        {
            let rows = self.rows(set.name, set.file, &["label", "text"])?;
            let texts = rows.rows.iter().map(|r| recipe::mended(rows.cell(r, "text")));
            samples.extend(texts.map(|text| Sample { language: set.language, text }));
        }
        let rows = self.rows("langid", "lingua-testdata.dev.tsv", &["lang", "text"])?;
        let known = |tag: &str| TONGUES.iter().find(|t| **t == language::known(tag)).copied();
        samples.extend(rows.rows.iter().filter_map(|r| {
            Some(Sample { language: known(rows.cell(r, "lang"))?, text: rows.cell(r, "text").to_owned() })
        }));
        warn(&format!("{} texts …", samples.len()));
        self.keep(&tongues::make(&samples).to_bytes()?)
    }
}

/// How right the table is, set by set, on texts that it had not seen.
fn show(examples: &[Example], held: &feelings::HeldOut, table: &Feelings) {
    let mut sets: BTreeMap<(&str, &str), (bool, Confusion)> = BTreeMap::new();
    for (n, z) in held {
        let Some(e) = examples.get(*n) else { continue };
        let (Said::Feels(label), Some(tuning)) = (e.said, table.about.languages.get(e.language)) else { continue };
        let of_set = sets.entry((e.language, e.set)).or_default();
        of_set.0 = e.two;
        of_set.1.add(label.as_str(), judged_label(*z, tuning, e.two).as_str());
    }
    say!("{}", Paint::new().dim("language  set                   texts  macro-F1  accuracy   (each text judged by a table that had not seen it)"));
    for ((language, set), (two, confusion)) in &sets {
        let f: Figures = confusion.figures();
        let how = if *two { "  by its side alone" } else { "" };
        say!("{language:<9} {set:<20} {:>6}  {:>8.1}  {:>8.1}{how}", f.texts, f.macro_f1 * 100.0, f.accuracy * 100.0);
    }
}
