//! Tests as JUnit XML, for continuous integration.

use std::fmt::Write;

use super::{Played, show};
use crate::cli::Paint;

/// The whole report: a suite for each file.
pub(super) fn report(all: &[Played<'_>]) -> String {
    let failed = |list: &[&Played<'_>]| list.iter().filter(|p| !p.outcome.misses.is_empty()).count();
    let seconds = |list: &[&Played<'_>]| list.iter().map(|p| p.seconds).sum::<f64>();
    let every: Vec<&Played<'_>> = all.iter().collect();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (tests, failures, time) = (every.len(), failed(&every), seconds(&every));
    writeln!(out, r#"<testsuites name="vakt test" tests="{tests}" failures="{failures}" time="{time:.3}">"#).ok();
    let mut files: Vec<&str> = all.iter().map(|p| p.case.place.0.as_str()).collect();
    files.dedup();
    for file in files {
        let of: Vec<&Played<'_>> = all.iter().filter(|p| p.case.place.0 == file).collect();
        let (name, tests, failures, time) = (escaped(file), of.len(), failed(&of), seconds(&of));
        writeln!(
            out,
            r#"  <testsuite name="{name}" tests="{tests}" failures="{failures}" errors="0" time="{time:.3}">"#
        )
        .ok();
        of.into_iter().for_each(|p| case(&mut out, p));
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn case(out: &mut String, p: &Played<'_>) {
    let (name, class, time, line) = (escaped(&p.case.name), escaped(&p.case.place.0), p.seconds, p.case.place.1);
    write!(out, r#"    <testcase name="{name}" classname="{class}" file="{class}" line="{line}" time="{time:.3}""#)
        .ok();
    let Some(first) = p.outcome.misses.first() else {
        out.push_str("/>\n");
        return;
    };
    let message = escaped(&format!("expected: {}", first.expected));
    let text = escaped(&show::failure(p, Paint(false)));
    writeln!(out, ">\n      <failure message=\"{message}\" type=\"expectation\">{text}</failure>\n    </testcase>")
        .ok();
}

/// Text within XML 1.0, which has no place for control characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
