//! `vakt search`: the history, newest first.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{Paint, Refused, Verdict, open_store, safe, settings, show_faults};
use crate::config::{Fault, Sheet};
use crate::index::{Found, Order, Search, Searcher};
use crate::model::Mention;
use crate::model::time::Span;
use crate::query;
use crate::store::{StoreError, mentions};

/// Search the history.
#[derive(Debug, Args)]
pub(super) struct Find {
    /// What to look for: words, "phrases", AND, OR, NOT, ( ), burn*, NEAR/5, site:, language:, topic:, …
    query: String,
    /// From this time on: 7d, 36h, 2026-03-10, or 2026-03-10T08:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Up to this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// The order
    #[arg(long, value_enum, default_value_t = Sort::Newest)]
    sort: Sort,
    /// Most mentions to show
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Print the number of matches only
    #[arg(long)]
    count: bool,
    /// Print mentions as JSON, one a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Sort {
    Newest,
    Oldest,
    Reach,
    Negative,
}

impl Find {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let node = match parse(&self.query) {
            Ok(node) => node,
            Err(faults) => {
                show_faults(&faults);
                return Ok(Verdict::Wrong);
            }
        };
        let config = settings(file)?;
        let store = open_store(&config)?;
        let searcher = Searcher::open(&config.index_dir()).context("the search index cannot be read")?;
        // «Now» of a recording is where the recording stands.
        let now = store.read(mentions::latest)?.unwrap_or_else(crate::cli::search::now);
        let when = |text: &Option<String>| text.as_deref().map(|t| time(t, now)).transpose();
        let order = match self.sort {
            Sort::Newest => Order::Newest,
            Sort::Oldest => Order::Oldest,
            Sort::Reach => Order::Reach,
            Sort::Negative => Order::Negative,
        };
        let limit = if self.count { 0 } else { self.limit };
        let what =
            Search { node, since: when(&self.since)?, until: when(&self.until)?, order, limit, after: None, now };
        let found = searcher.search(&what, |ids| fetch(&store, ids))?;
        self.show(&found)?;
        Ok(if found.total > 0 { Verdict::Done } else { Verdict::No })
    }

    fn show(&self, found: &Found) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        let at_least = if found.more { "at least " } else { "" };
        if self.count {
            match self.json {
                true => writeln!(out, "{}", serde_json::json!({ "total": found.total, "more": found.more }))?,
                false => writeln!(out, "{at_least}{}", found.total)?,
            }
            return Ok(());
        }
        if self.json {
            for m in &found.mentions {
                writeln!(out, "{}", serde_json::to_string(m)?)?;
            }
            return Ok(());
        }
        let paint = Paint::new();
        for m in &found.mentions {
            write_mention(&mut out, m, paint)?;
        }
        let shown = found.mentions.len();
        writeln!(out, "{}", paint.dim(&format!("{shown} of {at_least}{} mentions", found.total)))?;
        Ok(())
    }
}

fn write_mention(out: &mut impl Write, m: &Mention, paint: Paint) -> std::io::Result<()> {
    let score = match m.sentiment {
        Some(s) if m.is_negative() => paint.bad(&format!("{s:+.2}")),
        Some(s) if m.is_positive() => paint.good(&format!("{s:+.2}")),
        Some(s) => format!("{s:+.2}"),
        None => "  ?  ".to_owned(),
    };
    let place = if m.site.is_empty() { &m.network } else { &m.site };
    let at = m.at.strftime("%Y-%m-%d %H:%M").to_string();
    let who = safe(if m.author.name.is_empty() { &m.author.handle } else { &m.author.name }, 30);
    writeln!(
        out,
        "{}  {score}  {}  {} · {} · {who}",
        paint.dim(&at),
        m.language,
        safe(&m.network, 20),
        safe(place, 40)
    )?;
    if !m.title.is_empty() {
        writeln!(out, "    {}", paint.bold(&safe(&m.title, 110)))?;
    }
    if !m.text.is_empty() {
        writeln!(out, "    {}", safe(&m.text, 200))?;
    }
    if !m.topics.is_empty() {
        writeln!(out, "    {}", paint.dim(&m.topics.join(", ")))?;
    }
    Ok(())
}

fn parse(text: &str) -> Result<query::Node, Vec<Fault>> {
    let parsed = query::parse(text);
    let sheet = Sheet::new("query", text);
    let faults = parsed.mistakes.into_iter().map(|m| Fault::error(&sheet, m.span, m.message).help(m.help));
    parsed.node.ok_or_else(|| faults.collect())
}

/// Mentions by their numbers, in that order; those that are gone are left out.
pub(super) fn fetch(store: &crate::store::Store, ids: &[i64]) -> Result<Vec<Mention>, StoreError> {
    store.read(|c| {
        let mut found: BTreeMap<i64, Mention> = BTreeMap::new();
        for id in ids {
            found.extend(mentions::get(c, *id)?.map(|m| (*id, m)));
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    })
}

#[expect(clippy::disallowed_methods, reason = "a search is asked now")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// `7d` ago, a day, or an instant.
fn time(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    if let Ok(span) = Span::parse(text) {
        return Ok(now - span);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let zone = jiff::tz::TimeZone::system();
    if let Ok(at) = text.parse::<jiff::civil::DateTime>() {
        return Ok(at.to_zoned(zone)?.timestamp());
    }
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        return Ok(day.to_zoned(zone)?.timestamp());
    }
    Err(Refused(format!("`{text}` is no time; write 7d, 36h, 2026-03-10 or 2026-03-10T08:00Z")).into())
}
