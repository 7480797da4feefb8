//! `vakt search`: the history, newest first.

mod show;

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{Paint, Refused, Verdict, open_store, safe, settings};
use crate::index::{Cursor, Facet, Order, Search, Searcher};
use crate::model::time::{Span, moment};
use crate::query;
use crate::store::mentions;

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
    /// Go on where the last page ended, with the cursor that it told
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<Cursor>,
    /// Print the number of matches only
    #[arg(long, group = "form")]
    count: bool,
    /// Count by hour or by day, as a chart
    #[arg(long, value_enum, value_name = "BUCKET", group = "form")]
    histogram: Option<Bucket>,
    /// Count by network, language, sentiment, intent, topic or source; several with commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',', group = "form")]
    facets: Vec<String>,
    /// One line for each story, with its copies
    #[arg(long, group = "form")]
    stories: bool,
    /// Print mentions as CSV, all of them
    #[arg(long, group = "form")]
    csv: bool,
    /// Print as JSON; mentions one a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    Newest,
    Oldest,
    Reach,
    Negative,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Bucket {
    Hour,
    Day,
}

impl Find {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let parsed = query::parse(&self.query);
        super::query::show("query", &self.query, &parsed.mistakes);
        let Some(node) = parsed.node else { return Ok(Verdict::Wrong) };
        let config = settings(file)?;
        let store = open_store(&config)?;
        let searcher = Searcher::open(&config.index_dir()).context("the search index cannot be read")?;
        // «Now» of a recording is where the recording stands.
        let now = store.read(mentions::latest)?.unwrap_or_else(now);
        let zone = jiff::tz::TimeZone::system();
        let when = |text: &Option<String>| text.as_deref().map(|t| moment(t, now, &zone).map_err(Refused)).transpose();
        let order = match self.sort {
            Sort::Newest => Order::Newest,
            Sort::Oldest => Order::Oldest,
            Sort::Reach => Order::Reach,
            Sort::Negative => Order::Negative,
        };
        let (since, until) = (when(&self.since)?, when(&self.until)?);
        let what = Search { node, since, until, order, limit: self.limit, after: self.cursor, now };
        let get = |ids: &[i64]| store.read(|c| mentions::of_ids(c, ids));
        let some = if self.count {
            let found = searcher.search(&Search { limit: 0, ..what }, get)?;
            show::count(&found, self.json)?;
            found.total > 0
        } else if let Some(bucket) = self.histogram {
            let width = match bucket {
                Bucket::Hour => Span::hours(1),
                Bucket::Day => Span::days(1),
            };
            let bars = searcher.histogram(&what, width, get)?;
            show::histogram(&bars, width, self.json)?;
            !bars.is_empty()
        } else if !self.facets.is_empty() {
            let mut all = Vec::new();
            for name in &self.facets {
                let known = Facet::ALL.iter().find(|(word, _)| word == name);
                let Some((word, facet)) = known else {
                    let help = crate::config::fault::suggest(name, Facet::ALL.iter().map(|(w, _)| *w));
                    return Err(Refused(format!("nothing is counted by `{name}`: {help}")).into());
                };
                all.push((*word, searcher.facet(&what, *facet, get)?));
            }
            show::facets(&all, self.json)?;
            all.iter().any(|(_, values)| !values.is_empty())
        } else if self.csv {
            export(&searcher, what, &store)?
        } else if self.stories {
            let found = searcher.search(&Search { limit: MOST_FOR_STORIES, after: None, ..what }, get)?;
            show::stories(&found, self.limit, self.json)?;
            found.total > 0
        } else {
            let found = searcher.search(&what, get)?;
            show::mentions(&found, &what, self.json)?;
            found.total > 0
        };
        Ok(if some { Verdict::Done } else { Verdict::No })
    }
}

/// Mentions that are put into stories.
const MOST_FOR_STORIES: usize = 20_000;
/// Mentions fetched at a time for an export.
const PAGE: usize = 1000;

/// Everything that is found, page by page, as CSV.
fn export(searcher: &Searcher, mut what: Search, store: &crate::store::Store) -> anyhow::Result<bool> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    crate::report::csv::head(&mut out)?;
    what.limit = PAGE;
    let mut some = false;
    loop {
        let found = searcher.search(&what, |ids| store.read(|c| mentions::of_ids(c, ids)))?;
        for m in &found.mentions {
            some = true;
            crate::report::csv::line(&mut out, m)?;
        }
        match found.next {
            Some(next) => what.after = Some(next),
            None => break,
        }
    }
    out.flush()?;
    Ok(some)
}

#[expect(clippy::disallowed_methods, reason = "a search is asked now")]
fn now() -> Timestamp {
    Timestamp::now()
}
