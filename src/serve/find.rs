//! `GET /api/v1/mentions`: the same search as the command line's, a page at a time, or all of it as CSV or JSONL.

use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Served, export};
use crate::ground::History;
use crate::index::{Bucket, Cursor, Facet, Found, IndexError, Order, Search};
use crate::model::time::{from_millis, moment};
use crate::query::{self, Node};
use crate::rules::Rules;

/// Mentions on one page, unless the caller says; and at most.
const PAGE: usize = 100;
const MOST: usize = 1000;
/// How long one search may take (F69), and one page of an export.
const BUDGET: Duration = Duration::from_secs(2);
const EXPORT_BUDGET: Duration = Duration::from_secs(30);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// The query.
    q: Option<String>,
    /// The name of a saved search.
    saved: Option<String>,
    since: Option<String>,
    until: Option<String>,
    sort: Option<Sort>,
    limit: Option<usize>,
    cursor: Option<String>,
    format: Option<Format>,
    /// Whether all are counted; yes, unless the caller says.
    total: Option<bool>,
    /// Counts by time instead of mentions.
    histogram: Option<Bars>,
    /// Counts by names instead of mentions; several with commas.
    facets: Option<String>,
    /// The time zone of days and of times without an offset; UTC unless the caller says.
    zone: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sort {
    Newest,
    Oldest,
    Relevance,
    Reach,
    Negative,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Bars {
    Hour,
    Day,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// One page.
    Json,
    /// Everything, one mention a line.
    Jsonl,
    /// Everything.
    Csv,
    /// Everything, as an Excel workbook.
    Xlsx,
}

pub(super) async fn find(State(served): State<Served>, Query(asked): Query<Asked>) -> Response {
    let knowledge = served.ground.knowledge();
    let (what, zone) = match read(&asked, &knowledge.rules, served.ground.clock.now()) {
        Ok(read) => read,
        Err(why) => return (StatusCode::BAD_REQUEST, Json(why)).into_response(),
    };
    let history = match served.history() {
        Ok(history) => history,
        Err(e) => return unable(&e),
    };
    if let Some(format) = asked.format.filter(|f| *f != Format::Json) {
        let what = Search { limit: MOST, total: false, budget: Some(EXPORT_BUDGET), ..what };
        return match format {
            Format::Xlsx => export::workbook(served.ground.store.path(), history, what).await,
            Format::Csv => export::stream(history, what, true),
            Format::Json | Format::Jsonl => export::stream(history, what, false),
        };
    }
    let answer = match (asked.histogram, asked.facets) {
        (Some(bars), _) => apart(move || histogram(&history, &what, bars, &zone)).await,
        (None, Some(names)) => match facets(&names) {
            Ok(named) => apart(move || counted(&history, &what, &named)).await,
            Err(why) => return (StatusCode::BAD_REQUEST, Json(why)).into_response(),
        },
        (None, None) => apart(move || history.search(&what).map(|found| page(&found))).await,
    };
    answer.map_or_else(|e| unable(&e), |body| Json(body).into_response())
}

pub(super) fn unable(e: &IndexError) -> Response {
    tracing::warn!(error = %e, "a search failed");
    let body = Json(json!({ "error": format!("{e}; the index is being built: try again in a moment") }));
    (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "10")], body).into_response()
}

/// Searching is work for a thread of its own.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, IndexError> + Send + 'static,
) -> Result<T, IndexError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(IndexError::Damaged("it cannot be searched".into())))
}

fn page(found: &Found) -> Value {
    json!({
        "total": found.total, "more": found.more, "hurried": found.hurried,
        "next": found.next.map(|c| c.to_string()), "mentions": found.mentions,
    })
}

fn histogram(history: &History, what: &Search, bars: Bars, zone: &TimeZone) -> Result<Value, IndexError> {
    let bucket = match bars {
        Bars::Hour => Bucket::Hour,
        Bars::Day => Bucket::Day,
    };
    let bars = history.bars(what, bucket, zone)?;
    let list = bars.counts.iter().map(|(at, n)| json!({ "from": from_millis(*at), "mentions": n }));
    Ok(json!({ "histogram": list.collect::<Value>(), "hurried": bars.hurried }))
}

type Named = Vec<(String, Facet)>;

fn counted(history: &History, what: &Search, named: &Named) -> Result<Value, IndexError> {
    let all: Vec<Facet> = named.iter().map(|(_, facet)| *facet).collect();
    let counted = history.facets(what, &all)?;
    let list = |values: Vec<(String, usize)>| -> Value {
        values.into_iter().map(|(v, n)| json!({ "value": v, "mentions": n })).collect()
    };
    let names = named.iter().map(|(name, _)| name.clone());
    let map: serde_json::Map<String, Value> = names.zip(counted.counts.into_iter().map(list)).collect();
    Ok(json!({ "facets": map, "hurried": counted.hurried }))
}

fn wrong(why: impl Into<String>) -> Value {
    json!({ "error": why.into() })
}

fn facets(names: &str) -> Result<Named, Value> {
    let named = |name: &str| {
        let facet = Facet::named(name).ok_or_else(|| {
            let known: Vec<&str> = Facet::ALL.iter().map(|(word, _)| *word).collect();
            wrong(format!("nothing is counted by `{name}`; there are {}", known.join(", ")))
        });
        Ok((name.to_owned(), facet?))
    };
    names.split(',').map(str::trim).map(named).collect()
}

/// What is asked and the time zone that is meant, or what is wrong with it.
fn read(asked: &Asked, rules: &Rules, now: Timestamp) -> Result<(Search, TimeZone), Value> {
    let typed = asked.q.as_deref().map(typed).transpose()?;
    let saved = asked.saved.as_deref().map(|name| rules.search(name)).transpose().map_err(wrong)?;
    let node = match (saved.map(|s| s.node.clone()), typed) {
        (Some(saved), Some(typed)) => Node::both(saved, typed),
        (Some(node), None) | (None, Some(node)) => node,
        (None, None) => return Err(wrong("`q`, the query, or `saved`, the name of a saved search, is missing")),
    };
    let zone = match asked.zone.as_deref() {
        None => TimeZone::UTC,
        Some(name) => {
            TimeZone::get(name).map_err(|_| wrong(format!("`{name}` is no time zone; write Europe/Stockholm")))?
        }
    };
    let when = |text: Option<&str>| text.map(|t| moment(t, now, &zone)).transpose().map_err(wrong);
    let order = match asked.sort.unwrap_or(Sort::Newest) {
        Sort::Newest => Order::Newest,
        Sort::Oldest => Order::Oldest,
        Sort::Relevance => Order::Relevance,
        Sort::Reach => Order::Reach,
        Sort::Negative => Order::Negative,
    };
    let since = asked.since.as_deref().or(saved.and_then(|s| s.since.as_deref()));
    let what = Search {
        node,
        since: when(since)?,
        until: when(asked.until.as_deref())?,
        order,
        limit: asked.limit.unwrap_or(PAGE).min(MOST),
        after: asked.cursor.as_deref().map(str::parse::<Cursor>).transpose().map_err(wrong)?,
        now,
        total: asked.total.unwrap_or(true),
        budget: Some(BUDGET),
    };
    Ok((what, zone))
}

fn typed(text: &str) -> Result<Node, Value> {
    let parsed = query::parse(text);
    parsed.node.ok_or_else(|| {
        let list: Vec<_> = parsed
            .mistakes
            .iter()
            .map(|m| json!({ "code": m.code.as_str(), "message": m.message, "start": m.span.start, "end": m.span.end, "help": m.help }))
            .collect();
        json!({ "error": "the query has mistakes", "diagnostics": list })
    })
}
