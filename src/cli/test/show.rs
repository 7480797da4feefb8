//! Tests on the terminal: a line each, and for what failed what was expected beside what happened.

use std::fmt::Write;

use super::Played;
use super::play::{Miss, Near};
use crate::cli::Paint;
use crate::engine::replay::Happening;
use crate::model::time::{Span, between};
use crate::model::{Term, signals};

/// Events of a timeline that are shown.
const MOST: usize = 24;

/// A time after the beginning: `+12m30s`.
pub(super) fn clock(at: Span) -> String {
    if at < Span::ZERO { at.to_string() } else { format!("+{at}") }
}

/// The line of a test.
pub(super) fn line(p: &Played<'_>, paint: Paint) -> String {
    let (file, line) = &p.case.place;
    match p.outcome.misses.is_empty() {
        true => format!("{} {}", paint.good("ok    "), p.case.name),
        false => format!("{} {} {}", paint.bad("FAILED"), p.case.name, paint.dim(&format!("({file}:{line})"))),
    }
}

/// What failed, with the timeline of what happened.
pub(super) fn failure(p: &Played<'_>, paint: Paint) -> String {
    let mut out = String::new();
    for miss in &p.outcome.misses {
        one(&mut out, p, miss, paint);
    }
    out.push_str(&timeline(p, paint));
    out
}

fn one(out: &mut String, p: &Played<'_>, miss: &Miss, paint: Paint) {
    let place = paint.dim(&format!("({}:{})", p.case.place.0, miss.line));
    writeln!(out, "  at {} {place}", clock(miss.at)).ok();
    writeln!(out, "    {} {}", paint.good("expected"), miss.expected).ok();
    for instead in &miss.instead {
        writeln!(out, "    {} {instead}", paint.bad("happened")).ok();
    }
    if let Some(near) = &miss.near {
        signals_of(out, near, paint);
    }
}

/// Signals beside their thresholds.
fn signals_of(out: &mut String, near: &Near, paint: Paint) {
    let of = if near.group.is_empty() { String::new() } else { format!(" of {}", near.group) };
    let when = near.at.map_or_else(|| "its worst".to_owned(), clock);
    writeln!(out, "    {}{of} at {when}:", near.alert).ok();
    let number = |x: f64| if x.fract() == 0.0 { format!("{x:.0}") } else { format!("{x:.2}") };
    for t in &near.terms {
        let Term { signal, op, threshold, value, held } = t;
        let text = format!("{signal} {} {op} {}", number(*value), number(*threshold));
        let (mark, text) = if *held { (paint.good("✓"), text) } else { (paint.bad("✗"), paint.bad(&text)) };
        writeln!(out, "      {mark} {text}  {}", paint.dim(signals::meaning(signal))).ok();
    }
    if let Some((held, hold)) = near.hold {
        writeln!(out, "      {} it held for {held} of {hold}", paint.bad("✗")).ok();
    }
}

/// What happened, in order.
pub(super) fn timeline(p: &Played<'_>, paint: Paint) -> String {
    let log = &p.outcome.log;
    if log.is_empty() {
        return format!("  {}\n", paint.dim("nothing rang"));
    }
    let mut out = String::new();
    for h in log.iter().take(MOST) {
        writeln!(out, "  {}", paint.dim(&event(p, h))).ok();
    }
    if log.len() > MOST {
        writeln!(out, "  … and {} more", log.len() - MOST).ok();
    }
    out
}

fn event(p: &Played<'_>, h: &Happening) -> String {
    let group = if h.group.is_empty() { String::new() } else { format!("/{}", h.group) };
    let told = match (h.muted_by, h.shadow, h.told.is_empty()) {
        (Some(by), ..) => format!("muted by #{by}"),
        (None, true, _) => format!("only tried out: {}", h.told.join(", ")),
        (None, false, true) => "nobody told".to_owned(),
        (None, false, false) => h.told.join(", "),
    };
    let at = clock(between(p.case.start, h.at));
    format!("{at:>9}  #{} {}{group}  {} {}  {told}", h.incident, h.alert, h.notice.as_str(), h.severity)
}
