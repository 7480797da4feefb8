//! `POST /api/v1/mentions`: mentions pushed by others, as JSON or JSONL, told apart by their ids.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::Served;
use super::guard::Caller;
use crate::ground::intake::{self, Batch, Receipt};
use crate::sources::pushed;

/// Refused items that are listed in the answer.
const LISTED: usize = 20;

#[derive(Debug, Deserialize)]
pub(super) struct Options {
    /// The source that the mentions are filed under; the token's name where it is not given.
    source: Option<String>,
}

#[derive(Debug, Serialize)]
struct Answer {
    #[serde(flatten)]
    receipt: Receipt,
    /// Items that could not be read.
    refused: usize,
    /// What was wrong with the first of them.
    errors: Vec<String>,
}

/// Takes mentions in. The answer comes once they are on disk.
pub(super) async fn push(
    State(served): State<Served>,
    Extension(Caller(caller)): Extension<Caller>,
    Query(options): Query<Options>,
    body: Bytes,
) -> Response {
    if !served.ground.has_room() {
        let again = Json(serde_json::json!({ "error": "not stored: the disk is nearly full; send it again later" }));
        return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "300")], again).into_response();
    }
    let (captures, errors) = match pushed::read(&body) {
        Ok(read) => read,
        Err(why) => return (StatusCode::BAD_REQUEST, Json(serde_json::json!({ "error": why }))).into_response(),
    };
    let refused = errors.len();
    let source = options.source.filter(|s| !s.trim().is_empty()).unwrap_or(caller);
    let now = served.ground.clock.now();
    let batch = Batch {
        source: crate::text::clean::one_line(&source, 100),
        captures,
        history: false,
        undated_is_old: false,
        archive: false,
    };
    match intake::accept(&served.ground, batch, now, |_, _| Ok(())).await {
        Ok(receipt) => {
            metrics::counter!("vakt_mentions_total", "source" => "push").increment(receipt.new as u64);
            let errors: Vec<String> = errors.into_iter().take(LISTED).collect();
            let status =
                if refused > 0 && receipt == Receipt::default() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            (status, Json(Answer { receipt, refused, errors })).into_response()
        }
        Err(e) => {
            tracing::error!(error = %e, "pushed mentions cannot be stored");
            let again = Json(serde_json::json!({ "error": format!("not stored: {e}; send it again later") }));
            (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "30")], again).into_response()
        }
    }
}
