//! `vakt report`: the digest of a day, a week or a month, for reading and for calculating.

use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use jiff::civil::Date;

use super::incident::{language, put, reader};
use super::{Refused, Verdict, open_store, settings, show_faults};
use crate::ground::{Clock, Knowledge, digest};
use crate::model::{Length, Period};
use crate::report::book;
use crate::report::digest::{show, tables, write_csv};
use crate::rules::Rules;

/// The digest of a day, a week or a month, beside the one before.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// day, week or month
    #[arg(long, value_parser = length, default_value = "week")]
    period: Length,
    /// The last day that it is about, such as 2026-03-08; else the last whole period
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// The topic; else the first brand of the rules
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// In the language of a reader: en, sv, de, it or es
    #[arg(long, value_parser = language)]
    language: Option<String>,
    /// For somebody in rules/people.toml: their language, and days of their zone
    #[arg(long = "for", value_name = "NAME")]
    reader: Option<String>,
    /// For reading, or for calculating
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Write it into this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Html,
    Xlsx,
    Csv,
}

fn length(text: &str) -> Result<Length, String> {
    Length::parse(text).ok_or_else(|| "it is day, week or month".into())
}

impl Report {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        if self.format == Format::Xlsx && self.out.is_none() {
            return Err(Refused("a workbook goes into a file: add --out report.xlsx".into()).into());
        }
        let config = settings(file)?;
        let now = Clock::System.now();
        let rules = Rules::load(&config.rules_dir, now).map_err(|faults| {
            show_faults(&faults);
            Refused("the rules cannot be used".into())
        })?;
        let store = open_store(&config)?;
        let (code, zone) = reader(&rules, self.reader.as_deref(), self.language.as_deref())?;
        let today = now.to_zoned(zone.clone()).date();
        let period = match self.until {
            Some(last) => Period::until(self.period, last),
            None => Period::over_by(self.period, today),
        };
        let knowledge = Knowledge::new(rules, 0);
        let topic = digest::topic(&knowledge.rules, self.topic.as_deref()).map_err(Refused)?;
        let found = store.read(|c| digest::gather(&knowledge, c, topic, period, &zone))?;
        let out = self.out.as_deref();
        match self.format {
            Format::Text => put(out, &show(&found, &code, |_| String::new())?.text)?,
            Format::Html => {
                let within = |png: &[u8]| format!("data:image/png;base64,{}", STANDARD.encode(png));
                put(out, &show(&found, &code, within)?.html)?;
            }
            Format::Csv => {
                let mut text = Vec::new();
                write_csv(&mut text, &tables(&found, &code))?;
                put(out, &String::from_utf8_lossy(&text))?;
            }
            Format::Xlsx => {
                let mut bytes = std::io::Cursor::new(Vec::new());
                book::write(&found, &code, &mut bytes)?;
                bytes.rewind()?;
                let path = out.unwrap_or(Path::new("report.xlsx"));
                let write = std::fs::File::create(path).and_then(|mut f| f.write_all(bytes.get_ref()));
                write.with_context(|| format!("cannot write {}", path.display()))?;
            }
        }
        Ok(Verdict::Done)
    }
}
