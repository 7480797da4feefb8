//! `GET /api/v1/mentions`: the same search as the command line's, a page at a time, or all of it as CSV or JSONL.

use std::convert::Infallible;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::Served;
use crate::index::{Cursor, Found, IndexError, Order, Search, Searcher};
use crate::model::time::moment;
use crate::query;
use crate::report::csv;
use crate::store::{Store, mentions};

/// Mentions on one page, unless the caller says; and at most.
const PAGE: usize = 100;
const MOST: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// The query.
    q: String,
    since: Option<String>,
    until: Option<String>,
    sort: Option<Sort>,
    limit: Option<usize>,
    cursor: Option<String>,
    format: Option<Format>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sort {
    Newest,
    Oldest,
    Reach,
    Negative,
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
}

pub(super) async fn find(State(served): State<Served>, Query(asked): Query<Asked>) -> Response {
    let format = asked.format.unwrap_or(Format::Json);
    let what = match read(&asked, served.ground.clock.now()) {
        Ok(what) => what,
        Err(why) => return (StatusCode::BAD_REQUEST, Json(why)).into_response(),
    };
    let searcher = match Searcher::open(&served.index_dir) {
        Ok(searcher) => searcher,
        Err(e) => return unable(&e),
    };
    let store = served.ground.store.clone();
    if format != Format::Json {
        return export(searcher, store, Search { limit: MOST, ..what }, format);
    }
    match page(searcher, store, what).await {
        Ok(found) => Json(serde_json::json!({
            "total": found.total, "more": found.more, "next": found.next.map(|c| c.to_string()), "mentions": found.mentions,
        }))
        .into_response(),
        Err(e) => unable(&e),
    }
}

fn unable(e: &IndexError) -> Response {
    tracing::warn!(error = %e, "a search failed");
    let body = Json(serde_json::json!({ "error": format!("{e}; the index is being built: try again in a moment") }));
    (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "10")], body).into_response()
}

/// What is asked, or what is wrong with it.
fn read(asked: &Asked, now: Timestamp) -> Result<Search, serde_json::Value> {
    let parsed = query::parse(&asked.q);
    let Some(node) = parsed.node else {
        let list: Vec<_> = parsed
            .mistakes
            .iter()
            .map(|m| serde_json::json!({ "code": m.code.as_str(), "message": m.message, "start": m.span.start, "end": m.span.end, "help": m.help }))
            .collect();
        return Err(serde_json::json!({ "error": "the query has mistakes", "diagnostics": list }));
    };
    let wrong = |why: String| serde_json::json!({ "error": why });
    let when =
        |text: &Option<String>| text.as_deref().map(|t| moment(t, now, &TimeZone::UTC)).transpose().map_err(wrong);
    let order = match asked.sort.unwrap_or(Sort::Newest) {
        Sort::Newest => Order::Newest,
        Sort::Oldest => Order::Oldest,
        Sort::Reach => Order::Reach,
        Sort::Negative => Order::Negative,
    };
    let after = asked.cursor.as_deref().map(str::parse::<Cursor>).transpose().map_err(wrong)?;
    let limit = asked.limit.unwrap_or(PAGE).min(MOST);
    Ok(Search { node, since: when(&asked.since)?, until: when(&asked.until)?, order, limit, after, now })
}

/// One page; searching is work for a thread of its own.
async fn page(searcher: Searcher, store: Store, what: Search) -> Result<Found, IndexError> {
    let work =
        tokio::task::spawn_blocking(move || searcher.search(&what, |ids| store.read(|c| mentions::of_ids(c, ids))));
    work.await.unwrap_or_else(|_| Err(IndexError::Damaged("it cannot be searched".into())))
}

/// Everything that is found, page by page, as it is found.
fn export(searcher: Searcher, store: Store, what: Search, format: Format) -> Response {
    let pages = futures_util::stream::unfold(Some((what, true)), move |state| {
        let (searcher, store) = (searcher.clone(), store.clone());
        async move {
            let (mut what, first) = state?;
            let mut out = Vec::new();
            if first && format == Format::Csv {
                csv::head(&mut out).ok()?;
            }
            let found = page(searcher, store, what.clone()).await.ok()?;
            for m in &found.mentions {
                match format {
                    Format::Csv => csv::line(&mut out, m).ok()?,
                    _ => {
                        serde_json::to_writer(&mut out, m).ok()?;
                        out.push(b'\n');
                    }
                }
            }
            let next = found.next.map(|next| {
                what.after = Some(next);
                (what, false)
            });
            Some((Ok::<_, Infallible>(Bytes::from(out)), next))
        }
    });
    let kind = if format == Format::Csv { "text/csv; charset=utf-8" } else { "application/jsonl" };
    ([(header::CONTENT_TYPE, kind)], Body::from_stream(pages)).into_response()
}
