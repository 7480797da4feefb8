//! The answer queue over the API: the same as on the command line; acts need a token whose role is `act`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Served;
use super::drafts::{Wrong, person, read, wrong};
use crate::engine::answers::Act;
use crate::ground::answers::{AnswerError, queue};

/// Rows that a listing shows.
const LISTED: u32 = 200;

/// What a listing may be asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Praise, and not what needs an answer.
    #[serde(default)]
    praise: bool,
    /// What is done as well.
    #[serde(default)]
    all: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    #[serde(rename = "as")]
    by: String,
    /// What was done; of `dismiss`: why it needs no answer.
    #[serde(default)]
    note: String,
}

pub(super) async fn list(State(served): State<Served>, Query(which): Query<Which>) -> Response {
    match served.ground.store.read(|c| queue(c, which.praise, which.all, LISTED)) {
        Ok(found) => Json(found).into_response(),
        Err(e) => (StatusCode::SERVICE_UNAVAILABLE, format!("{e}\n")).into_response(),
    }
}

pub(super) async fn act(State(served): State<Served>, Path((id, word)): Path<(i64, String)>, body: Bytes) -> Response {
    try_act(&served, id, &word, &body).await.unwrap_or_else(IntoResponse::into_response)
}

async fn try_act(served: &Served, id: i64, word: &str, body: &[u8]) -> Result<Response, Wrong> {
    let done: Done = read(body, "{\"as\": \"name\", \"note\": \"…\"}")?;
    person(&served.ground, &done.by)?;
    let act = match word {
        "take" => Act::Take,
        "release" => Act::Release,
        "done" => Act::Done,
        "dismiss" => Act::Dismiss,
        _ => return Err(wrong("acts are take, release, done and dismiss")),
    };
    let ground = served.ground.clone();
    let acted = tokio::task::spawn_blocking(move || ground.act_on_answer(id, act, &done.by, &done.note)).await;
    match acted {
        Ok(Ok(answer)) => Ok(Json(answer).into_response()),
        Ok(Err(AnswerError::Store(e))) => Err((StatusCode::SERVICE_UNAVAILABLE, format!("{e}; nothing has changed\n"))),
        Ok(Err(e @ AnswerError::Refused(..))) => Err((StatusCode::CONFLICT, format!("{e}\n"))),
        Ok(Err(e @ AnswerError::Unknown(_))) => Err((StatusCode::NOT_FOUND, format!("{e}\n"))),
        Err(_) => Err((StatusCode::INTERNAL_SERVER_ERROR, String::new())),
    }
}
