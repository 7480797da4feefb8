//! What was found, for people on a terminal and for programs.

use std::io::Write;

use jiff::tz::TimeZone;

use super::{Paint, safe};
use crate::engine::hot::Hot;
use crate::index::{Bar, Bucket, Found, Search, Values};
use crate::model::Mention;
use crate::model::time::from_millis;
use crate::query::{Doc, Matcher};
use crate::text::Analyst;

/// The number of matches.
pub(super) fn count(found: &Found, json: bool) -> anyhow::Result<()> {
    let at_least = if found.more { "at least " } else { "" };
    match json {
        true => say!("{}", serde_json::json!({ "total": found.total, "more": found.more })),
        false => say!("{at_least}{}", found.total),
    }
    Ok(())
}

/// Mentions, with what was looked for set off.
pub(super) fn mentions(found: &Found, what: &Search, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        for m in &found.mentions {
            writeln!(out, "{}", serde_json::to_string(m)?)?;
        }
        return Ok(());
    }
    let paint = Paint::new();
    let matcher = Matcher::new([(&what.node, [].as_slice())]);
    for m in &found.mentions {
        mention(&mut out, m, &matcher, paint)?;
    }
    let at_least = if found.more { "at least " } else { "" };
    let next = found.next.map(|c| format!("; the next page: --cursor {c}")).unwrap_or_default();
    let shown = found.mentions.len();
    writeln!(out, "{}", paint.dim(&format!("{shown} of {at_least}{} mentions{next}", found.total)))?;
    Ok(())
}

/// Hot words, hottest first; whether there are any.
pub(super) fn hot(words: &[Hot], texts: usize, json: bool) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    if json {
        for word in words {
            writeln!(out, "{}", serde_json::to_string(word)?)?;
        }
        return Ok(!words.is_empty());
    }
    let paint = Paint::new();
    for h in words {
        let term = format!("{:<28}", safe(&h.term, 28));
        let before = paint.dim(&format!("before {:>5}   strength {:>6.1}", h.before, h.strength));
        writeln!(out, "{} {:>5}×  {before}", paint.bold(&term), h.now)?;
    }
    if words.is_empty() {
        writeln!(out, "{}", paint.dim(&format!("nothing is new in {texts} mentions")))?;
    }
    Ok(!words.is_empty())
}

fn score(m: &Mention, paint: Paint) -> String {
    match m.sentiment {
        Some(s) if m.is_negative() => paint.bad(&format!("{s:+.2}")),
        Some(s) if m.is_positive() => paint.good(&format!("{s:+.2}")),
        Some(s) => format!("{s:+.2}"),
        None => "  ?  ".to_owned(),
    }
}

fn mention(out: &mut impl Write, m: &Mention, matcher: &Matcher, paint: Paint) -> std::io::Result<()> {
    let place = if m.site.is_empty() { &m.network } else { &m.site };
    let at = m.at.strftime("%Y-%m-%d %H:%M").to_string();
    let who = safe(if m.author.name.is_empty() { &m.author.handle } else { &m.author.name }, 30);
    writeln!(
        out,
        "{}  {}  {}  {} · {} · {who} · reach {}",
        paint.dim(&at),
        score(m, paint),
        m.language,
        safe(&m.network, 20),
        safe(place, 40),
        m.reach
    )?;
    let (text, terms) = Analyst::terms(&m.title, &m.text, &m.language);
    let hits = matcher.places(&Doc::of(m, &text, &terms));
    let title = m.title.len();
    let marked = |part: &str, from: usize| -> Vec<(usize, usize)> {
        let inside = hits.iter().filter(|(a, b)| *a >= from && *b <= from + part.len());
        inside.map(|(a, b)| (a - from, b - from)).collect()
    };
    if title > 0 {
        writeln!(out, "    {}", paint.bold(&safe(&m.title, 110)))?;
    }
    if !m.text.is_empty() {
        let from = if title > 0 { title + 2 } else { 0 };
        writeln!(out, "    {}", excerpt(&m.text, &marked(&m.text, from), paint))?;
    }
    if !m.topics.is_empty() {
        writeln!(out, "    {}", paint.dim(&m.topics.join(", ")))?;
    }
    Ok(())
}

/// Letters of a text that are shown, and those of them before the first hit.
const SHOWN: usize = 200;
const BEFORE: usize = 60;

/// A piece of a text around its first hit, with the hits set off.
fn excerpt(text: &str, hits: &[(usize, usize)], paint: Paint) -> String {
    let first = hits.first().map_or(0, |(a, _)| *a);
    let begin = text.char_indices().rev().map(|(i, _)| i).filter(|i| *i <= first).nth(BEFORE).unwrap_or(0);
    let begin = if first <= BEFORE { 0 } else { begin };
    let end = text.char_indices().map(|(i, _)| i).filter(|i| *i >= begin).nth(SHOWN).unwrap_or(text.len());
    let mut out = String::from(if begin > 0 { "…" } else { "" });
    let mut at = begin;
    let piece = |from: usize, to: usize| safe_piece(text.get(from..to).unwrap_or(""));
    for (from, to) in hits.iter().filter(|(a, b)| *a >= begin && *b <= end) {
        if *from < at {
            continue;
        }
        out.push_str(&piece(at, *from));
        out.push_str(&paint.warm(&piece(*from, *to)));
        at = *to;
    }
    out.push_str(&piece(at, end));
    out.push_str(if end < text.len() { "…" } else { "" });
    out
}

/// A piece of strangers' text without line ends and control characters; spaces at its ends stay.
fn safe_piece(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '\u{202e}' { ' ' } else { c }).collect()
}

/// Width of the longest bar.
const BAR: usize = 60;

/// Counts by time, as bars.
pub(super) fn histogram(bars: &[Bar], bucket: Bucket, zone: &TimeZone, json: bool) -> anyhow::Result<()> {
    if json {
        let list: Vec<_> =
            bars.iter().map(|(at, n)| serde_json::json!({ "from": from_millis(*at), "mentions": n })).collect();
        say!("{}", serde_json::Value::from(list));
        return Ok(());
    }
    let paint = Paint::new();
    let most = bars.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1);
    let form = match bucket {
        Bucket::Day => "%a %Y-%m-%d",
        Bucket::Hour => "%a %Y-%m-%d %H:%M",
    };
    for (at, n) in bars {
        let eighths = n * BAR * 8 / most;
        let mut bar = "█".repeat(eighths / 8);
        bar.extend(['▏', '▎', '▍', '▌', '▋', '▊', '▉'].get((eighths % 8).wrapping_sub(1)));
        let at = from_millis(*at).to_zoned(zone.clone()).strftime(form).to_string();
        say!("{}  {n:>7}  {}", paint.dim(&at), bar);
    }
    Ok(())
}

/// Counts by names.
pub(super) fn facets(names: &[String], all: &[Values], json: bool) -> anyhow::Result<()> {
    if json {
        let of = |values: &Values| -> serde_json::Value {
            values.iter().map(|(v, n)| serde_json::json!({ "value": v, "mentions": n })).collect()
        };
        let map: serde_json::Map<String, serde_json::Value> =
            names.iter().zip(all).map(|(name, values)| (name.clone(), of(values))).collect();
        say!("{}", serde_json::Value::from(map));
        return Ok(());
    }
    let paint = Paint::new();
    for (name, values) in names.iter().zip(all) {
        say!("{}", paint.bold(name));
        let most = values.first().map_or(1, |(_, n)| *n).max(1);
        for (value, n) in values.iter().take(30) {
            say!("  {:<24} {n:>7}  {}", safe(value, 24), "█".repeat((n * 30).div_ceil(most)));
        }
        if values.len() > 30 {
            say!("  {}", paint.dim(&format!("and {} more", values.len() - 30)));
        }
    }
    Ok(())
}
