//! What an import shows: how columns are taken, the first mentions, and what became of them.

use std::path::Path;

use super::super::{Paint, Verdict, safe, warn};
use super::bring::Sum;
use crate::model::Capture;
use crate::sources::archive::{Archive, Cell, Field, Plan};

/// Columns that hold nothing vakt keeps are listed up to so many.
const LEFT_OUT: usize = 12;

/// The mapping as a small table: column, field, example. Beside JSON it goes to standard error.
pub(super) fn mapping(archive: &Archive, plan: &Plan, order: Option<&str>, json: bool) {
    let tell = |line: &str| if json { warn(line) } else { say!("{line}") };
    let paint = if json { Paint(super::super::colours_on_error()) } else { Paint::new() };
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut left: Vec<String> = Vec::new();
    let example = |at: usize| {
        let cells = archive.sample.iter().flat_map(|row| &row.cells).filter_map(|cells| cells.get(at));
        let found = cells.map(Cell::show).find(|text| !text.trim().is_empty());
        found.map_or_else(String::new, |text| safe(&text, 50))
    };
    let width = archive.columns.iter().map(|c| c.chars().count()).max().unwrap_or(0).min(32);
    for (at, name) in archive.columns.iter().enumerate() {
        match plan.mapping.field(at) {
            Some(field) => {
                let place = Field::all().position(|f| f == field).unwrap_or(0);
                let line = format!("  {:<width$}  → {:<11}", safe(name, 32), field.word());
                lines.push((place, format!("{line}{}", paint.dim(&example(at)))));
            }
            None if !name.is_empty() => left.push(safe(name, 32)),
            None => {}
        }
    }
    lines.sort_by_key(|(place, _)| *place);
    tell(&paint.bold(&archive.about()));
    lines.iter().for_each(|(_, line)| tell(line));
    if !left.is_empty() {
        let more = left.len().saturating_sub(LEFT_OUT);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        left.truncate(LEFT_OUT);
        tell(&format!("  {}", paint.dim(&format!("left out: {}{more}", left.join(", ")))));
    }
    if let Some(order) = order {
        tell(&format!("  dates: {order}"));
    }
}

/// The first three mentions, as they would be stored, and the first rows that are none.
pub(super) fn examples(archive: &Archive, plan: &Plan) {
    let paint = Paint::new();
    let mut good = 0;
    let mut bad = 0;
    for row in &archive.sample {
        match row.cells.clone().and_then(|cells| plan.capture(&cells)) {
            Ok(capture) if good < 3 => {
                good += 1;
                say!("\n{}", paint.bold(&format!("mention {good}")));
                example(&capture, paint);
            }
            Ok(_) => {}
            Err(why) => {
                bad += 1;
                if bad <= 5 {
                    say!("\n{}", paint.warm(&format!("row at line {}: {}", row.number, safe(&why, 200))));
                }
            }
        }
    }
    let rows = archive.sample.len();
    say!("\n{}", paint.dim(&format!("{rows} rows were looked at, {bad} of them are no mentions; nothing is stored")));
}

fn example(c: &Capture, paint: Paint) {
    let number = |n: Option<u64>| n.map_or_else(String::new, |n| n.to_string());
    let author = match (c.author.name.as_str(), c.author.handle.as_str()) {
        (name, "") => name.to_owned(),
        (name, handle) if name == handle => format!("@{}", handle.trim_start_matches('@')),
        (name, handle) => format!("{name} (@{})", handle.trim_start_matches('@')),
    };
    let lines = [
        ("published", c.published.map_or_else(|| "now, there is no date".to_owned(), |at| at.to_string())),
        ("network", c.network.clone()),
        ("author", author),
        ("url", c.url.clone().unwrap_or_default()),
        ("title", c.title.clone().unwrap_or_default()),
        ("text", c.text.clone()),
        ("language", c.language.clone().unwrap_or_default()),
        ("followers", number(c.author.followers)),
        ("reach", number(c.reach)),
        ("engagement", number(c.engagement)),
        ("kind", c.kind.clone()),
        ("country", c.country.clone()),
        ("tags", c.tags.join(", ")),
    ];
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        say!("  {}  {}", paint.dim(&format!("{name:<10}")), safe(value, 160));
    }
}

/// Fewer rows than this say nothing about a mapping.
const TELLING: usize = 10;

/// Whether the first rows are mentions, so that an import is worth beginning; why not is told.
pub(super) fn verdict_of_sample(archive: &Archive, plan: &Plan) -> Verdict {
    let reasons: Vec<(u64, String)> = archive
        .sample
        .iter()
        .filter_map(|row| {
            let why = row.cells.clone().and_then(|cells| plan.capture(&cells)).err()?;
            Some((row.number, why))
        })
        .collect();
    let rows = archive.sample.len();
    let all = reasons.len() == rows;
    if !all && (rows < TELLING || reasons.len() * 2 <= rows) {
        return Verdict::Done;
    }
    for (line, why) in reasons.iter().take(5) {
        warn(&format!("row at line {line}: {}", safe(why, 200)));
    }
    warn(&format!(
        "vakt: {} of the first {rows} rows are no mentions, so nothing is imported; name the right columns with --map \
         FIELD=COLUMN (--dry-run shows how they are taken)",
        reasons.len()
    ));
    if all { Verdict::No } else { Verdict::Wrong }
}

/// What became of a file.
pub(super) fn summary(path: &Path, sum: &Sum, watched: bool, json: bool) -> anyhow::Result<()> {
    if json {
        let mut value = serde_json::to_value(sum)?;
        if let Some(map) = value.as_object_mut() {
            map.insert("file".into(), path.display().to_string().into());
        }
        say!("{value}");
        return Ok(());
    }
    let paint = Paint::new();
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    if sum.read == 0 && sum.before > 0 {
        say!("{} was imported already, {} rows; --again reads it once more", safe(&name, 80), sum.before);
        return Ok(());
    }
    for fault in &sum.faults {
        say!("{}", paint.warm(&safe(fault, 200)));
    }
    let speed = sum.read as f64 / sum.seconds.max(0.1);
    say!(
        "{}: {} rows read in {:.1} s ({speed:.0} a second): {} new, {} known, {} edited, {} skipped",
        paint.bold(&safe(&name, 80)),
        sum.read,
        sum.seconds,
        sum.new,
        sum.known,
        sum.edited,
        sum.skipped
    );
    let where_found =
        format!("source:{}", if sum.source.contains(' ') { format!("\"{}\"", sum.source) } else { sum.source.clone() });
    let next =
        if watched { "they can be searched in a moment" } else { "they can be searched once `vakt run` has started" };
    say!("{}", paint.dim(&format!("{next}: vakt search '{where_found}'")));
    Ok(())
}
