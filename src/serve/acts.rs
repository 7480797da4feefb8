//! Acts on incidents over the API: the same as on the command line, by a token whose role is `act`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::Served;
use crate::engine::acts::Act;
use crate::ground::acts::{Deed, Outcome};
use crate::model::Severity;
use crate::model::time::to_come;

/// What a request says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    /// The name of the person who acts.
    #[serde(rename = "as")]
    by: String,
    #[serde(default)]
    note: String,
    /// Of `snooze`: how long, as `2h`, or until when.
    #[serde(rename = "for")]
    until: Option<String>,
    /// Of `assign` a name, of `severity` a severity.
    to: Option<String>,
    /// Of `merge` the number of the incident that this one is part of.
    into: Option<i64>,
}

pub(super) fn wrong(say: impl Into<String>) -> Response {
    let mut say: String = say.into();
    say.push('\n');
    (StatusCode::BAD_REQUEST, say).into_response()
}

/// What a path asks for.
enum Asked {
    Act(Act),
    Merge(i64),
}

/// The act of a path and what goes with it; a sentence where something is missing.
fn asked(word: &str, said: &Said, now: jiff::Timestamp) -> Result<Asked, String> {
    if word == "merge" {
        return said.into.map(Asked::Merge).ok_or_else(|| "`merge` needs `into`, the number of an incident".into());
    }
    act_of(word, said, now).map(Asked::Act)
}

fn act_of(word: &str, said: &Said, now: jiff::Timestamp) -> Result<Act, String> {
    let to = said.to.as_deref().ok_or_else(|| format!("`{word}` needs `to`"));
    Ok(match word {
        "ack" => Act::Acknowledge,
        "resolve" => Act::Resolve,
        "reopen" => Act::Reopen,
        "split" => Act::Split,
        "note" => Act::Note,
        "decide" => Act::Decide,
        "assign" => Act::Assign(to?.to_owned()),
        "severity" => Act::Severity(Severity::parse(to?).ok_or("`to` is watch, review, escalate or crisis")?),
        "snooze" => {
            let text = said.until.as_deref().ok_or("`snooze` needs `for`, as \"2h\" or a time to come")?;
            Act::Snooze(to_come(text, now, &TimeZone::UTC)?)
        }
        _ => {
            let acts = "ack, snooze, resolve, reopen, assign, severity, merge, split, note, decide and tick";
            return Err(format!("acts are {acts}"));
        }
    })
}

/// Acts; answers once it is stored. Doing it twice changes nothing and is answered alike.
pub(super) async fn act(State(served): State<Served>, Path((id, word)): Path<(i64, String)>, body: Bytes) -> Response {
    let said: Said = match serde_json::from_slice(&body) {
        Ok(said) => said,
        Err(e) => return wrong(format!("the body is no act: {e}; send {{\"as\": \"name\", \"note\": \"…\"}}")),
    };
    let asked = match asked(&word, &said, served.ground.clock.now()) {
        Ok(asked) => asked,
        Err(say) => return wrong(say),
    };
    let knowledge = served.ground.knowledge();
    let named = std::iter::once(said.by.as_str()).chain(match &asked {
        Asked::Act(Act::Assign(to)) => Some(to.as_str()),
        _ => None,
    });
    for name in named {
        if let Err(say) = knowledge.rules.must_person(name) {
            return wrong(say);
        }
    }
    let ground = served.ground.clone();
    let done = tokio::task::spawn_blocking(move || match asked {
        Asked::Act(act) => ground.act(&Deed { incident: id, by: said.by, act, note: said.note }),
        Asked::Merge(whole) => ground.merge(id, whole, &said.by, &said.note),
    });
    match done.await {
        Ok(Ok(Outcome::Done(incident))) => {
            Json(serde_json::json!({ "changed": true, "incident": incident })).into_response()
        }
        Ok(Ok(Outcome::Already(incident))) => {
            Json(serde_json::json!({ "changed": false, "incident": incident })).into_response()
        }
        Ok(Ok(Outcome::Cannot(why))) => (StatusCode::CONFLICT, format!("{why}\n")).into_response(),
        Ok(Ok(Outcome::Unknown)) => (StatusCode::NOT_FOUND, format!("there is no incident {id}\n")).into_response(),
        Ok(Err(e)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{e}; nothing has changed\n")).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
