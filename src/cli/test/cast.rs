//! From a test to the mentions that it speaks of, in the order of their time, as they would be live.

use std::ops::ControlFlow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::crowd;
use crate::ground::{Knowledge, Rehearsal};
use crate::model::time::{Span, between};
use crate::model::{Capture, Mention};
use crate::rules::cases::{Case, Lines, Said, Set, Told};
use crate::sources::archive::{Archive, Mapping, Order, Plan, Reading};

/// Something that is still to be analysed.
struct Draft {
    at: Timestamp,
    capture: Capture,
    set: Set,
}

/// The mentions of a test. `window` is the longest of the rules: what lies within it before the beginning is in the windows
/// already, what is older only warms what is usual.
///
/// # Errors
/// A sentence that says which file cannot be read, and why.
pub(in crate::cli) fn mentions(knowledge: &Knowledge, case: &Case, window: Span) -> Result<Vec<Mention>, String> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut all: Vec<Mention> = Vec::new();
    for (number, told) in (1..).zip(&case.mentions) {
        match told {
            Told::Said(said) => said_one_by_one(case, said, number, &mut drafts),
            Told::File(lines) => from_file(case, lines, &mut drafts)?,
            Told::Crowd(c) if c.texts.is_empty() => all.extend(crowd::made_up(knowledge, case, c, number)),
            Told::Crowd(c) => {
                for (n, at) in (0..).zip(crowd::times(case, c)) {
                    let (author, network, site) = crowd::speaker(c, number, n);
                    let turn = if crowd::is_copy(c, n) { 0 } else { n % c.texts.len() as u64 };
                    let text = c.texts.get(turn as usize).cloned().unwrap_or_default();
                    let newcomer = c.set.newcomer.unwrap_or_else(|| crowd::is_newcomer(c, n));
                    let url = (!site.is_empty()).then(|| format!("https://{site}/{number}-{n}"));
                    let (reach, engagement) = (c.reach, c.engagement);
                    let capture = Capture { text, author, network, url, reach, engagement, ..Capture::default() };
                    drafts.push(Draft { at, capture, set: Set { newcomer: Some(newcomer), ..c.set.clone() } });
                }
            }
        }
    }
    drafts.sort_by_key(|d| d.at);
    let mut rehearsal = Rehearsal::new(knowledge);
    for Draft { at, capture, set } in drafts {
        let Some(mention) = rehearsal.mention(&set.source, capture, at, set.history) else { continue };
        all.push(Mention {
            topics: set.topics.unwrap_or(mention.topics),
            sentiment: set.sentiment.or(mention.sentiment),
            toward: if set.sentiment.is_some() { Vec::new() } else { mention.toward },
            tier: set.tier.unwrap_or(mention.tier),
            newcomer: set.newcomer.unwrap_or(mention.newcomer),
            ..mention
        });
    }
    if let Some(calm) = &case.calm {
        let mut past = crowd::quiet_past(knowledge, case, calm, &all);
        past.iter_mut().for_each(|m| m.history = m.at < case.start - window);
        all.extend(past);
    }
    all.sort_by_key(|m| m.at);
    (1..).zip(&mut all).for_each(|(n, m)| m.id = n);
    Ok(all)
}

fn said_one_by_one(case: &Case, said: &Said, number: u64, drafts: &mut Vec<Draft>) {
    for (n, text) in (0i64..).zip(&said.texts) {
        let mut capture = Capture { text: text.clone(), ..said.capture.clone() };
        if capture.author.name.is_empty() {
            capture.author.name = format!("somebody {number} {n}");
        }
        // Each is a page of its own, where only the site is known.
        capture.url = capture.url.map(|url| if url.ends_with('/') { format!("{url}{number}-{n}") } else { url });
        let at = case.start + said.at + Span::millis(said.every.as_millis() * n);
        drafts.push(Draft { at, capture, set: said.set.clone() });
    }
}

fn from_file(case: &Case, lines: &Lines, drafts: &mut Vec<Draft>) -> Result<(), String> {
    let archive = Archive::open(&lines.path, &[]).map_err(|e| e.to_string())?;
    let mapping = Mapping::guess(&archive.columns, &[]).map_err(|e| e.to_string())?;
    let reading = Reading { order: Order::DayFirst, zone: TimeZone::UTC };
    let plan = Plan { mapping, reading, network: None, language: None };
    let (mut captures, mut wrong) = (Vec::new(), None);
    let read = archive.rows(&mut |row| {
        match row.cells.and_then(|cells| plan.capture(&cells)) {
            Ok(capture) => captures.push(capture),
            Err(why) => wrong = Some(format!("{}:{}: {why}", lines.path.display(), row.number)),
        }
        if wrong.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    read.map_err(|e| e.to_string())?;
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    let begin = case.start + lines.at;
    let first = captures.iter().filter_map(|c| c.published).min().unwrap_or(begin);
    for mut capture in captures {
        let at = begin + between(first, capture.published.unwrap_or(first));
        capture.published = None;
        drafts.push(Draft { at, capture, set: lines.set.clone() });
    }
    Ok(())
}
