//! `vakt search --stories`: one line for each story, with its facts.

use std::collections::HashMap;

use super::{Paint, safe};
use crate::engine::facts::Facts;
use crate::ground::History;
use crate::index::{Found, Search};
use crate::model::Mention;
use crate::query;

/// Mentions of one story that its facts are worked out from.
const MOST: usize = 20_000;

/// The stories of what was found, those with most found first. The facts are of the whole story, whenever it began and
/// whoever tells it in whatever words.
pub(super) fn show(found: &Found, history: &History, what: &Search, json: bool) -> anyhow::Result<()> {
    let mut of: HashMap<i64, Vec<&Mention>> = HashMap::new();
    found.mentions.iter().for_each(|m| of.entry(m.story).or_default().push(m));
    let mut stories: Vec<(i64, Vec<&Mention>)> = of.into_iter().collect();
    stories.sort_by_key(|(story, found)| {
        (std::cmp::Reverse(found.len()), found.iter().map(|m| (m.at, m.id)).min(), *story)
    });
    let total = stories.len();
    let paint = Paint::new();
    for (story, found) in stories.into_iter().take(what.limit) {
        let whole = whole(history, what, story)?;
        // The index may lag behind what it has just found.
        let all: Vec<&Mention> = if whole.len() < found.len() { found.clone() } else { whole.iter().collect() };
        let Some(facts) = Facts::of(&all) else { continue };
        let first = all.iter().find(|m| m.id == facts.first_mention);
        let words = first.map_or("", |m| if m.title.is_empty() { &m.text } else { &m.title });
        if json {
            let mut line = serde_json::to_value(&facts)?;
            line["found"] = found.len().into();
            line["words"] = words.into();
            say!("{line}");
        } else {
            tell(&facts, words, paint);
        }
    }
    if !json {
        let at_least = if found.more { "at least " } else { "" };
        say!("{}", paint.dim(&format!("{at_least}{total} stories of {at_least}{} mentions", found.total)));
    }
    Ok(())
}

fn whole(history: &History, what: &Search, story: i64) -> anyhow::Result<Vec<Mention>> {
    let Some(node) = query::parse(&format!("story:\"{story}\"")).node else { return Ok(Vec::new()) };
    let all = Search { node, since: None, until: None, limit: MOST, after: None, total: false, ..what.clone() };
    Ok(history.search(&all)?.mentions)
}

fn tell(f: &Facts, words: &str, paint: Paint) {
    let mark = if f.coordinated { paint.bad("coordinated  ") } else { String::new() };
    let speed = match f.minutes_to_tenth {
        Some(minutes) => format!("{} an hour, ten in {}", f.peak_hour, minutes_in_words(minutes)),
        None => format!("{} an hour", f.peak_hour),
    };
    say!(
        "{:>5} mentions  {:>4} authors  {:>3} sites  reach {:>9}  {}  {mark}{}",
        f.mentions,
        f.authors,
        f.sites,
        f.reach,
        paint.dim(&f.first.strftime("%Y-%m-%d %H:%M").to_string()),
        safe(words, 80)
    );
    if f.copies > 0 {
        let half = minutes_in_words(f.minutes_to_half);
        say!("      {}", paint.dim(&format!("first is mention {}; {speed}, half in {half}", f.first_mention)));
    }
}

fn minutes_in_words(minutes: f64) -> String {
    match minutes {
        m if m < 120.0 => format!("{m:.0} min"),
        m if m < 2880.0 => format!("{:.0} h", m / 60.0),
        m => format!("{:.0} days", m / 1440.0),
    }
}
