//! `vakt eval stories`: texts put into stories as the daemon would, beside the stories that people gave.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::super::{Paint, Refused, Verdict, safe};
use super::labelled::{Labelled, Row};
use crate::engine::clusters::{Agreement, Score, agreement};
use crate::model::time::Span;
use crate::text::Analyst;

/// Stories: whether copies fall together, and nothing else does.
///
/// FILE has columns `text` and `story`, where rows of one story have the same value, and may have `time`, `author` and `site`.
/// Texts are taken in the order of their times, else of their lines, a second apart.
#[derive(Debug, Args)]
pub(super) struct Stories {
    /// A .tsv file without quotes, or CSV with them; the first line names the columns
    file: PathBuf,
    /// Confusions to show
    #[arg(long, default_value_t = 5)]
    worst: usize,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// One text.
struct Item<'a> {
    row: &'a Row,
    text: &'a str,
    given: &'a str,
    at: Timestamp,
    found: i64,
}

/// Two groups that were taken for one, or one that was taken for two.
#[derive(Debug, serde::Serialize)]
struct Confusion {
    /// `together` what belongs apart, or `apart` what belongs together.
    kind: &'static str,
    /// Pairs of texts that it puts wrong.
    pairs: usize,
    /// The given stories: two that fell together, or the one that fell apart twice.
    stories: [String; 2],
    /// Line and text of one of each.
    texts: [(u64, String); 2],
}

impl Stories {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let labelled = Labelled::read(&self.file, &["text", "story"], &["time", "author", "site"])?;
        let mut items = items(&labelled)?;
        let analyst = Analyst::with_house([]);
        let mut stories = crate::engine::stories::Stories::default();
        for (item, fresh) in items.iter_mut().zip(1..) {
            let print = analyst.analyse("", item.text, None).print;
            item.found = stories.assign(&print, fresh, item.at).story;
        }
        let score = agreement(items.iter().map(|i| (i.given, i.found)));
        let worst = confusions(&items, self.worst);
        if self.json {
            say!("{}", serde_json::json!({ "agreement": score, "bad_rows": labelled.bad, "worst": worst }));
        } else {
            show(&score, &worst);
        }
        Ok(Verdict::Done)
    }
}

/// The texts in the order that they are told in.
fn items(labelled: &Labelled) -> anyhow::Result<Vec<Item<'_>>> {
    let timed = labelled.has("time");
    let mut out = Vec::with_capacity(labelled.rows.len());
    for (row, n) in labelled.rows.iter().zip(0..) {
        let at = match labelled.cell(row, "time") {
            "" => Timestamp::UNIX_EPOCH + Span::secs(n),
            text => text.parse().map_err(|_| {
                let line = row.line;
                Refused(format!("line {line}: `{}` is no time; write 2026-03-10T08:00:00Z", safe(text, 40)))
            })?,
        };
        out.push(Item { row, text: labelled.cell(row, "text"), given: labelled.cell(row, "story"), at, found: 0 });
    }
    if timed {
        out.sort_by_key(|i| (i.at, i.row.line));
    }
    Ok(out)
}

/// The worst confusions of both kinds, most pairs first.
fn confusions(items: &[Item<'_>], most: usize) -> Vec<Confusion> {
    let mut cells: BTreeMap<(&str, i64), Vec<&Item<'_>>> = BTreeMap::new();
    items.iter().for_each(|i| cells.entry((i.given, i.found)).or_default().push(i));
    let (mut by_given, mut by_found): (BTreeMap<&str, Vec<_>>, BTreeMap<i64, Vec<_>>) = Default::default();
    for ((given, found), of) in &cells {
        by_given.entry(given).or_default().push(of);
        by_found.entry(*found).or_default().push(of);
    }
    let mut out = Vec::new();
    let groups = by_found.values().map(|g| ("together", g)).chain(by_given.values().map(|g| ("apart", g)));
    for (kind, mut group) in groups.map(|(kind, group)| (kind, group.clone())) {
        // The two largest parts say what went wrong.
        group.sort_by_key(|of| std::cmp::Reverse(of.len()));
        let [one, other, ..] = group.as_slice() else { continue };
        let (Some(a), Some(b)) = (one.first(), other.first()) else { continue };
        let all: usize = group.iter().map(|of| of.len()).sum();
        let inside: usize = group.iter().map(|of| of.len() * of.len()).sum();
        out.push(Confusion {
            kind,
            pairs: (all * all - inside) / 2,
            stories: [safe(a.given, 40), safe(b.given, 40)],
            texts: [(a.row.line, safe(a.text, 100)), (b.row.line, safe(b.text, 100))],
        });
    }
    out.sort_by_key(|c| std::cmp::Reverse(c.pairs));
    out.truncate(most);
    out
}

fn show(a: &Agreement, worst: &[Confusion]) {
    let paint = Paint::new();
    say!("{} texts, {} stories given, {} found", a.items, a.given, a.found);
    let line = |name: &str, s: &Score| {
        let f1 = paint.bold(&format!("{:.3}", s.f1));
        say!("{name:<8}  precision {:.3}  recall {:.3}  F1 {f1}", s.precision, s.recall);
    };
    line("pairs", &a.pairs);
    line("B-cubed", &a.b_cubed);
    for c in worst {
        let what = match c.kind {
            "together" => format!("taken for one: {} and {}", c.stories[0], c.stories[1]),
            _ => format!("taken apart: {}", c.stories[0]),
        };
        say!("\n{}", paint.warm(&format!("{what} ({} pairs)", c.pairs)));
        for (n, text) in &c.texts {
            say!("  {}  {text}", paint.dim(&format!("line {n}")));
        }
    }
}
