//! A digest as tables, whose cells are what they are: for CSV and for workbooks.

use std::io::Write;

use jiff::Timestamp;

use super::words::WORDS;
use super::{Digest, Rank, Tally};
use crate::model::time::Span;
use crate::report::after::Voice;
use crate::report::csv;
use crate::report::words::word;
use crate::text::figures::Figures;

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    /// Words.
    Text(String),
    /// A count.
    Count(u64),
    /// A number.
    Number(f64),
    /// A share of 0 to 1.
    Share(f64),
    /// An instant.
    Time(Timestamp),
    /// Minutes.
    Minutes(Span),
    /// Nothing is known.
    Empty,
}

/// A table with its head.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The key of its name, the same in every language.
    pub key: &'static str,
    /// Its name.
    pub name: String,
    /// The names of its columns.
    pub head: Vec<String>,
    /// Its rows, each as long as the head.
    pub rows: Vec<Vec<Datum>>,
}

fn text(words: &str) -> Datum {
    Datum::Text(words.to_owned())
}

fn after(span: Option<Span>) -> Datum {
    span.map_or(Datum::Empty, Datum::Minutes)
}

/// All tables of a digest in a language; empty ones are left out.
pub fn tables(d: &Digest, language: &str) -> Vec<Table> {
    let column = Figures::of(language).column;
    let w = |key: &str| word(WORDS, column, key).to_owned();
    let mut out: Vec<Table> = Vec::new();
    let mut add = |key: &'static str, head: &[&str], rows: Vec<Vec<Datum>>| {
        if !rows.is_empty() {
            let head = head.iter().map(|key| word(WORDS, column, key).to_owned()).collect();
            out.push(Table { key, name: word(WORDS, column, key).to_owned(), head, rows });
        }
    };
    let (now, before, fast) = (&d.now, &d.before, &d.response);
    let row = |key: &str, a: Datum, b: Datum| vec![Datum::Text(w(key)), a, b];
    let count = |key: &str, of: fn(&Tally) -> u64| row(key, Datum::Count(of(now)), Datum::Count(of(before)));
    let share = |key: &str, of: fn(&Tally) -> f64| row(key, Datum::Share(of(now)), Datum::Share(of(before)));
    add(
        "glance",
        &["measure", "now", "before"],
        vec![
            count("mentions", |t| t.mentions),
            row("authors", Datum::Count(d.authors.0), Datum::Count(d.authors.1)),
            count("reach", |t| t.reach),
            share("negative", Tally::negative_share),
            share("positive", Tally::positive_share),
            row("sentiment", Datum::Number(now.mean()), Datum::Number(before.mean())),
            row("incidents", Datum::Count(fast.0.incidents), Datum::Count(fast.1.incidents)),
            row("median_taken", after(fast.0.taken), after(fast.1.taken)),
            row("needed", Datum::Count(fast.0.needed), Datum::Count(fast.1.needed)),
            row("answered", Datum::Count(fast.0.answered), Datum::Count(fast.1.answered)),
            row("in_time", Datum::Count(fast.0.in_time), Datum::Count(fast.1.in_time)),
            row("median_answer", after(fast.0.answer), after(fast.1.answer)),
        ],
    );
    let width = d.series.bucket.as_millis();
    let bucket = |n: usize| Span::millis(width.saturating_mul(i64::try_from(n).unwrap_or(0)));
    let hourly = d.series.bucket < Span::days(1);
    let days = d.period.days().map(|day| crate::model::period::midnight(day, &d.zone));
    let starts: Vec<Timestamp> = match hourly {
        true => (0..d.series.mentions.len()).map(|n| d.series.start + bucket(n)).collect(),
        false => days.collect(),
    };
    let counted = d.series.mentions.iter().zip(&d.series.negative);
    let over_time = starts
        .into_iter()
        .zip(counted)
        .map(|(at, (all, bad))| vec![Datum::Time(at), Datum::Count(u64::from(*all)), Datum::Count(u64::from(*bad))]);
    add("over_time", &[if hourly { "hour" } else { "date" }, "mentions", "negative"], over_time.collect());
    let (all, all_before) = (total(d, |s| s.now.mentions), total(d, |s| s.before.mentions));
    let shares = d.shares.iter().map(|s| {
        vec![
            text(&s.title),
            Datum::Count(s.now.mentions),
            Datum::Share(s.now.mentions as f64 / all),
            Datum::Share(s.before.mentions as f64 / all_before),
            Datum::Share(s.now.negative_share()),
            Datum::Number(s.now.mean()),
            Datum::Count(s.now.reach),
        ]
    });
    add("voice_share", &["brand", "mentions", "share", "before", "negative", "sentiment", "reach"], shares.collect());
    let ranked = |of: &[Rank]| -> Vec<Vec<Datum>> {
        of.iter().map(|r| vec![text(&r.name), Datum::Count(r.now), Datum::Count(r.before)]).collect()
    };
    add("networks", &["network", "now", "before"], ranked(&d.networks));
    add("languages", &["language", "now", "before"], ranked(&d.languages));
    add("sites", &["site", "now", "before"], ranked(&d.sites));
    let writers = d.writers.iter();
    let writers =
        writers.map(|a| vec![text(&a.name), text(&a.network), Datum::Count(a.mentions), Datum::Count(a.reach)]);
    add("writers", &["author", "network", "mentions", "reach"], writers.collect());
    let told = |v: &Voice| {
        let words = if v.title.is_empty() { &v.quote } else { &v.title };
        vec![
            text(words),
            text(&v.place),
            text(&v.author),
            Datum::Time(v.at),
            Datum::Count(v.copies),
            Datum::Count(v.reach),
        ]
    };
    let head = ["story", "site", "author", "published", "mentions", "reach"];
    add("stories", &head, d.stories.iter().map(told).collect());
    let best = d.best.iter().zip(&d.engagement).map(|(v, n)| [told(v), vec![Datum::Count(*n)]].concat());
    add("best", &[&head[..], &["engaged"]].concat(), best.collect());
    let hot = d.hot.iter().map(|(term, n)| vec![text(term), Datum::Count(u64::from(*n))]);
    add("hot", &["word", "texts"], hot.collect());
    let incidents = d.incidents.iter().map(|i| {
        vec![
            Datum::Count(u64::try_from(i.id).unwrap_or(0)),
            text(&i.title),
            text(i.severity.as_str()),
            Datum::Time(i.opened),
            after(i.taken),
            after(i.over),
        ]
    });
    add("incidents", &["incident", "story", "severity", "opened", "taken", "over"], incidents.collect());
    out
}

/// All mentions of all brands, one at least.
pub(super) fn total(d: &Digest, of: impl Fn(&super::Share) -> u64) -> f64 {
    d.shares.iter().map(of).sum::<u64>().max(1) as f64
}

/// Writes tables as CSV, each row with the name of its table before it.
///
/// # Errors
/// When the writer fails.
pub fn write_csv(out: &mut impl Write, tables: &[Table]) -> std::io::Result<()> {
    for table in tables {
        let mut head = vec![table.key.to_owned()];
        head.extend(table.head.iter().cloned());
        csv::cells(out, &head)?;
        for row in &table.rows {
            let cells = row.iter().map(|datum| match datum {
                Datum::Text(words) => words.clone(),
                Datum::Count(n) => n.to_string(),
                Datum::Number(x) | Datum::Share(x) => format!("{x:.4}"),
                Datum::Time(at) => at.to_string(),
                Datum::Minutes(span) => format!("{:.1}", span.as_minutes()),
                Datum::Empty => String::new(),
            });
            csv::cells(out, &std::iter::once(table.key.to_owned()).chain(cells).collect::<Vec<_>>())?;
        }
    }
    Ok(())
}
