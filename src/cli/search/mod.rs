//! `vakt search`: the history, newest first.

mod show;
mod stories;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Paint, Refused, Verdict, open_store, safe, settings};
use crate::config::Config;
use crate::engine::hot::hot;
use crate::ground::{Clock, History};
use crate::index::{Bucket, Cursor, Facet, Order, Search};
use crate::model::time::{Span, moment};
use crate::query::{self, Node};
use crate::report::csv;
use crate::report::xlsx::Workbook;
use crate::rules::Rules;
use crate::store::mentions;

/// Search the history.
#[derive(Debug, Args)]
pub(super) struct Find {
    /// What to look for: words, "phrases", AND, OR, NOT, ( ), burn*, NEAR/5, site:, language:, topic:, …
    #[arg(required_unless_present_any = ["saved", "list"])]
    query: Option<String>,
    /// The search saved under this name in rules/searches/; a query given besides narrows it
    #[arg(long, value_name = "NAME")]
    saved: Option<String>,
    /// List the saved searches
    #[arg(long)]
    list: bool,
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
    histogram: Option<Bars>,
    /// Count by network, language, sentiment, intent, topic, source, site, author or story; several with commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',', group = "form")]
    facets: Vec<String>,
    /// The stories: first mention, copies, authors, sites, reach, speed, and whether they look coordinated
    #[arg(long, group = "form")]
    stories: bool,
    /// Words, hashtags and names that are new in what is found since --since (or a day), against what was found before
    #[arg(long, group = "form")]
    hot: bool,
    /// Print mentions as CSV, all of them
    #[arg(long, group = "form")]
    csv: bool,
    /// Write mentions as an Excel workbook, all of them
    #[arg(long, value_name = "FILE", group = "form")]
    xlsx: Option<PathBuf>,
    /// How long to search at most, for example 10s
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = Span::parse)]
    budget: Span,
    /// Print as JSON; mentions one a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    Newest,
    Oldest,
    Relevance,
    Reach,
    Negative,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Bars {
    Hour,
    Day,
}

impl Find {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let config = settings(file)?;
        if self.list {
            return list(&config, self.json);
        }
        let Some((node, since)) = self.asked(&config)? else { return Ok(Verdict::Wrong) };
        let store = open_store(&config)?;
        // «Now» of a recording is where the recording stands.
        let now = store.read(mentions::latest)?.unwrap_or_else(now);
        let history = History::open(store, &config.index_dir()).context("the search index cannot be read")?;
        let zone = TimeZone::system();
        let when = |text: Option<&str>| text.map(|t| moment(t, now, &zone).map_err(Refused)).transpose();
        let order = match self.sort {
            Sort::Newest => Order::Newest,
            Sort::Oldest => Order::Oldest,
            Sort::Relevance => Order::Relevance,
            Sort::Reach => Order::Reach,
            Sort::Negative => Order::Negative,
        };
        let (since, until) = (when(self.since.as_deref().or(since.as_deref()))?, when(self.until.as_deref())?);
        let budget = Some(std::time::Duration::from_millis(self.budget.as_millis().unsigned_abs()));
        let total = !self.json;
        let what = Search { node, since, until, order, limit: self.limit, after: self.cursor, now, total, budget };
        let some = if self.count {
            let found = history.search(&Search { limit: 0, total: true, ..what })?;
            show::count(&found, self.json)?;
            hurried(found.hurried);
            found.total > 0
        } else if let Some(bars) = self.histogram {
            let bucket = match bars {
                Bars::Hour => Bucket::Hour,
                Bars::Day => Bucket::Day,
            };
            let bars = history.bars(&what, bucket, &zone)?;
            show::histogram(&bars.counts, bucket, &zone, self.json)?;
            hurried(bars.hurried);
            !bars.counts.is_empty()
        } else if !self.facets.is_empty() {
            let facets = facets(&self.facets)?;
            let counted = history.facets(&what, &facets)?;
            show::facets(&self.facets, &counted.counts, self.json)?;
            hurried(counted.hurried);
            counted.counts.iter().any(|values| !values.is_empty())
        } else if self.csv {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            csv::head(&mut out)?;
            let some = export(&history, what, |m| Ok(csv::line(&mut out, m)?))?;
            out.flush()?;
            some > 0
        } else if let Some(path) = &self.xlsx {
            workbook(&history, what, path, &config.data_dir)? > 0
        } else if self.stories {
            let found = history.search(&Search { limit: MOST_FOR_STORIES, after: None, ..what.clone() })?;
            stories::show(&found, &history, &what, self.json)?;
            hurried(found.hurried);
            found.total > 0
        } else if self.hot {
            let since = since.unwrap_or(now - Span::days(1));
            let all = Search { limit: MOST_FOR_HOT, after: None, order: Order::Newest, ..what.clone() };
            let fresh = history.search(&Search { since: Some(since), ..all.clone() })?;
            let before = history.search(&Search { since: None, until: Some(since), ..all })?;
            hurried(fresh.hurried || before.hurried);
            show::hot(&hot(&fresh.mentions, &before.mentions, self.limit), fresh.mentions.len(), self.json)?
        } else {
            let found = history.search(&what)?;
            show::mentions(&found, &what, self.json)?;
            hurried(found.hurried);
            found.total > 0
        };
        Ok(if some { Verdict::Done } else { Verdict::No })
    }

    /// What is asked, with when it begins where a saved search says so; `None` where the query has mistakes, which are
    /// told then.
    fn asked(&self, config: &Config) -> anyhow::Result<Option<(Node, Option<String>)>> {
        let mut node = None;
        if let Some(text) = &self.query {
            let parsed = query::parse(text);
            super::query::show("query", text, &parsed.mistakes);
            node = parsed.node;
            if node.is_none() {
                return Ok(None);
            }
        }
        let Some(name) = &self.saved else { return Ok(node.map(|n| (n, None))) };
        let rules = rules(config)?;
        let saved = rules.search(name).map_err(Refused)?;
        let narrowed = match node {
            Some(node) => Node::both(saved.node.clone(), node),
            None => saved.node.clone(),
        };
        Ok(Some((narrowed, saved.since.clone())))
    }
}

fn rules(config: &Config) -> anyhow::Result<Rules> {
    Rules::load(&config.rules_dir, Clock::System.now()).map_err(|faults| {
        super::show_faults(&faults);
        Refused("the rules cannot be used".into()).into()
    })
}

/// The saved searches.
fn list(config: &Config, json: bool) -> anyhow::Result<Verdict> {
    let rules = rules(config)?;
    for s in &rules.searches {
        if json {
            say!("{}", serde_json::json!({ "name": s.name, "about": s.about, "query": s.query, "since": s.since }));
        } else {
            let paint = Paint::new();
            let since = s.since.as_deref().map(|s| format!("  (since {s})")).unwrap_or_default();
            let one_line = s.query.split_whitespace().collect::<Vec<_>>().join(" ");
            say!("{}  {}\n    {}", paint.bold(&s.name), s.about, paint.dim(&format!("{one_line}{since}")));
        }
    }
    if rules.searches.is_empty() && !json {
        say!("No search is saved; write them as [[search]] into {}/searches/", config.rules_dir.display());
    }
    Ok(if rules.searches.is_empty() { Verdict::No } else { Verdict::Done })
}

fn facets(names: &[String]) -> Result<Vec<Facet>, Refused> {
    let named = |name: &String| {
        Facet::named(name).ok_or_else(|| {
            let help = crate::config::fault::suggest(name, Facet::ALL.iter().map(|(w, _)| *w));
            Refused(format!("nothing is counted by `{name}`: {help}"))
        })
    };
    names.iter().map(named).collect()
}

/// Says that a limit was hit.
fn hurried(is: bool) {
    if is {
        super::warn("vakt: the search was stopped at its limit, so this is not everything; narrow it, or set --budget");
    }
}

/// Mentions that are read for hot words, on each side.
const MOST_FOR_HOT: usize = 2000;
/// Mentions that are put into stories.
const MOST_FOR_STORIES: usize = 20_000;
/// Mentions fetched at a time for an export.
const PAGE: usize = 1000;

/// Everything that is found, page by page; tells how many there were.
fn export(
    history: &History,
    mut what: Search,
    mut each: impl FnMut(&crate::model::Mention) -> anyhow::Result<()>,
) -> anyhow::Result<usize> {
    what.limit = PAGE;
    what.total = false;
    let mut all = 0;
    loop {
        let found = history.search(&what)?;
        found.mentions.iter().try_for_each(&mut each)?;
        all += found.mentions.len();
        match found.next {
            Some(next) => what.after = Some(next),
            None => {
                hurried(found.hurried);
                return Ok(all);
            }
        }
    }
}

/// Everything that is found as a workbook; a file of that name is replaced only by a whole one.
fn workbook(history: &History, what: Search, path: &Path, data_dir: &Path) -> anyhow::Result<usize> {
    let mut book = Workbook::in_folder(data_dir)?;
    let all = export(history, what, |m| Ok(book.add(m)?))?;
    let new = path.with_extension("xlsx.new");
    let wrong = || format!("cannot write {}", path.display());
    let file = std::fs::File::create(&new).with_context(wrong)?;
    book.save(std::io::BufWriter::new(file)).with_context(wrong)?;
    std::fs::rename(&new, path).with_context(wrong)?;
    super::warn(&format!("{all} mentions are in {}", path.display()));
    Ok(all)
}

#[expect(clippy::disallowed_methods, reason = "a search is asked now")]
fn now() -> Timestamp {
    Timestamp::now()
}
