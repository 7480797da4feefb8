//! Silences over the API: the same as `vakt silence`, by a token whose role is `act`; reading them by one that reads.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::Served;
use super::acts::wrong;
use crate::ground::acts::words;
use crate::model::time::to_come;
use crate::model::{Severity, Silence};
use crate::rules::Rules;
use crate::store::silences;

/// What a request for a silence says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    /// The name of the person who lays it.
    #[serde(rename = "as")]
    by: String,
    topic: Option<String>,
    alert: Option<String>,
    /// How long, as `4h`, or until when.
    #[serde(rename = "for")]
    until: String,
    /// When it begins; now where it is not said.
    from: Option<String>,
    reason: String,
    #[serde(default)]
    even_crisis: bool,
}

/// What a request to end one says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ends {
    #[serde(rename = "as")]
    by: String,
}

/// The silence that is asked for; a sentence where it cannot be.
fn asked(body: &[u8], rules: &Rules, now: jiff::Timestamp) -> Result<Silence, String> {
    let said: Said = serde_json::from_slice(body).map_err(|e| {
        format!("the body is no silence: {e}; send {{\"as\": \"name\", \"topic\": \"…\", \"for\": \"4h\", \"reason\": \"…\"}}")
    })?;
    rules.must_person(&said.by)?;
    said.topic.as_deref().map(|t| rules.must_topic(t)).transpose()?;
    said.alert.as_deref().map(|a| rules.must_alert(a)).transpose()?;
    if said.topic.is_none() && said.alert.is_none() {
        return Err("say what is silenced: `topic`, `alert`, or both".into());
    }
    let from = said.from.map(|text| to_come(&text, now, &TimeZone::UTC)).transpose()?.unwrap_or(now);
    let until = to_come(&said.until, from, &TimeZone::UTC)?;
    let upto = if said.even_crisis { Severity::Crisis } else { Severity::Escalate };
    Ok(Silence { id: 0, alert: said.alert, topic: said.topic, upto, from, until, by: said.by, reason: said.reason })
}

/// Those in force and those to come.
pub(super) async fn list(State(served): State<Served>) -> Response {
    let now = served.ground.clock.now();
    match served.ground.store.read(|c| silences::until_after(c, now)) {
        Ok(all) => Json(serde_json::json!({ "silences": all })).into_response(),
        Err(e) => (StatusCode::SERVICE_UNAVAILABLE, format!("{e}\n")).into_response(),
    }
}

/// Lays one; answers once it is stored.
pub(super) async fn lay(State(served): State<Served>, body: Bytes) -> Response {
    let silence = match asked(&body, &served.ground.knowledge().rules, served.ground.clock.now()) {
        Ok(silence) => silence,
        Err(say) => return wrong(say),
    };
    let (ground, said) = (served.ground.clone(), words(&silence));
    match tokio::task::spawn_blocking(move || ground.silence(silence)).await {
        Ok(Ok(id)) => (StatusCode::CREATED, Json(serde_json::json!({ "id": id, "covers": said }))).into_response(),
        Ok(Err(e)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{e}; nothing has changed\n")).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Ends one now.
pub(super) async fn expire(State(served): State<Served>, Path(id): Path<i64>, body: Bytes) -> Response {
    let Ok(ends) = serde_json::from_slice::<Ends>(&body) else { return wrong("send {\"as\": \"name\"}") };
    if let Err(say) = served.ground.knowledge().rules.must_person(&ends.by) {
        return wrong(say);
    }
    let ground = served.ground.clone();
    match tokio::task::spawn_blocking(move || ground.end_silence(id, &ends.by)).await {
        Ok(Ok(true)) => Json(serde_json::json!({ "ended": true })).into_response(),
        Ok(Ok(false)) => (StatusCode::NOT_FOUND, format!("no silence {id} is in force or to come\n")).into_response(),
        Ok(Err(e)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{e}; nothing has changed\n")).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
