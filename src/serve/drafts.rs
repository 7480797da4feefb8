//! Drafts and checklists over the API: the same as on the command line, by a token whose role is `act`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Served;
use crate::config::fault::suggest;
use crate::engine::drafts::Act;
use crate::engine::wording::{self, Kind};
use crate::ground::Ground;
use crate::ground::drafts::{DraftError, Order, Way};
use crate::model::draft::{About, State as Stage};
use crate::model::{Draft, Network};
use crate::store::drafts;
use crate::text::{language, length};

/// Drafts that a listing shows.
const LISTED: u32 = 200;

/// What a listing may be asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Those that are handed over as well.
    #[serde(default)]
    all: bool,
    /// Those of one incident.
    incident: Option<i64>,
}

/// A draft that somebody wants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    #[serde(rename = "as")]
    by: String,
    incident: Option<i64>,
    mention: Option<i64>,
    playbook: Option<String>,
    language: String,
    network: Option<Network>,
    text: Option<String>,
    link: Option<String>,
    #[serde(default)]
    reply: bool,
}

/// What is done with a draft.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    #[serde(rename = "as")]
    by: String,
    /// Of `edit`: what it says.
    text: Option<String>,
    /// Of `approve`: the version that was read.
    read: Option<u32>,
    /// Of `reject`: why. Of `hand-over`: to whom.
    #[serde(default)]
    note: String,
    /// Of `hand-over`: the webhook of the settings that publishes it.
    channel: Option<String>,
    /// Of `hand-over`: the person who posts it, and gets it by mail.
    mail: Option<String>,
}

/// A step that is done, or is not after all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ticked {
    #[serde(rename = "as")]
    by: String,
    step: u32,
    #[serde(default = "yes")]
    done: bool,
}

fn yes() -> bool {
    true
}

/// What is answered where something is wrong.
pub(super) type Wrong = (StatusCode, String);

pub(super) fn wrong(say: impl std::fmt::Display) -> Wrong {
    (StatusCode::BAD_REQUEST, format!("{say}\n"))
}

/// Reads a body; a sentence where it is no such thing.
pub(super) fn read<T: DeserializeOwned>(body: &[u8], example: &str) -> Result<T, Wrong> {
    serde_json::from_slice(body).map_err(|e| wrong(format!("the body cannot be read: {e}; send {example}")))
}

/// The person, who is in the rules.
pub(super) fn person(ground: &Ground, name: &str) -> Result<(), Wrong> {
    ground.knowledge().rules.must_person(name).map(|_| ()).map_err(wrong)
}

/// A draft with what is wrong with it.
fn shown(ground: &Ground, draft: &Draft) -> serde_json::Value {
    let kind = if draft.reply { Kind::Reply } else { Kind::Statement };
    let voice = &ground.knowledge().rules.voice;
    let findings = wording::look(&draft.text, voice, &draft.language, draft.network, kind);
    let measured = draft.network.map(|n| {
        let l = length::measure(&draft.text, n);
        serde_json::json!({ "used": l.used, "most": l.most, "unit": l.unit })
    });
    serde_json::json!({ "draft": draft, "findings": findings, "length": measured })
}

/// Does it away from the others, who wait for nobody's disk.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T, DraftError> + Send + 'static) -> Result<T, Wrong> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(DraftError::Store(e))) => Err((StatusCode::SERVICE_UNAVAILABLE, format!("{e}; nothing has changed\n"))),
        Ok(Err(e @ DraftError::Refused(..))) => Err((StatusCode::CONFLICT, format!("{e}\n"))),
        Ok(Err(e @ DraftError::Missing(_))) => Err((StatusCode::NOT_FOUND, format!("{e}\n"))),
        Err(_) => Err((StatusCode::INTERNAL_SERVER_ERROR, String::new())),
    }
}

pub(super) async fn list(State(served): State<Served>, Query(which): Query<Which>) -> Response {
    let found = served.ground.store.read(|c| match which.incident {
        Some(id) => drafts::of_incident(c, id),
        None => drafts::latest(c, which.all, LISTED),
    });
    match found {
        Ok(mut found) => {
            found.retain(|d| which.all || d.state != Stage::HandedOver);
            Json(found).into_response()
        }
        Err(e) => (StatusCode::SERVICE_UNAVAILABLE, format!("{e}\n")).into_response(),
    }
}

pub(super) async fn show(State(served): State<Served>, Path(id): Path<i64>) -> Response {
    match served.ground.store.read(|c| drafts::get(c, id)) {
        Ok(Some(draft)) => Json(shown(&served.ground, &draft)).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, format!("there is no draft {id}\n")).into_response(),
        Err(e) => (StatusCode::SERVICE_UNAVAILABLE, format!("{e}\n")).into_response(),
    }
}

pub(super) async fn write(State(served): State<Served>, body: Bytes) -> Response {
    answer(try_write(&served, &body).await)
}

async fn try_write(served: &Served, body: &[u8]) -> Result<Response, Wrong> {
    let new: New = read(body, "{\"as\": \"name\", \"incident\": 7, \"language\": \"de\", \"network\": \"x\"}")?;
    person(&served.ground, &new.by)?;
    let code = language::known(&new.language);
    if code == language::UNKNOWN {
        return Err(wrong(format!("`{}` is no language; write an ISO 639-1 code such as \"sv\"", new.language)));
    }
    let order = Order {
        about: About { incident: new.incident, mention: new.mention },
        playbook: new.playbook,
        language: code.to_owned(),
        network: new.network,
        reply: new.reply,
        text: new.text,
        link: new.link,
        machine: None,
    };
    let ground = served.ground.clone();
    let draft = apart(move || ground.draft(order, &new.by)).await?;
    Ok((StatusCode::CREATED, Json(shown(&served.ground, &draft))).into_response())
}

pub(super) async fn act(State(served): State<Served>, Path((id, word)): Path<(i64, String)>, body: Bytes) -> Response {
    answer(try_act(&served, id, &word, &body).await)
}

async fn try_act(served: &Served, id: i64, word: &str, body: &[u8]) -> Result<Response, Wrong> {
    let done: Done = read(body, "{\"as\": \"name\", \"note\": \"…\"}")?;
    person(&served.ground, &done.by)?;
    let act = match word {
        "edit" => Act::Write(done.text.ok_or_else(|| wrong("`edit` needs `text`"))?),
        "approve" => Act::Approve(done.read.ok_or_else(|| wrong("`approve` needs `read`, the version that was read"))?),
        "reject" => Act::Reject(done.read),
        "hand-over" => Act::HandOver,
        _ => return Err(wrong("acts are edit, approve, reject and hand-over")),
    };
    if done.channel.is_some() && done.mail.is_some() {
        return Err(wrong("say either `channel` or `mail`"));
    }
    if act != Act::HandOver && (done.channel.is_some() || done.mail.is_some()) {
        return Err(wrong("`channel` and `mail` say how a draft is handed over"));
    }
    if let Some(channel) = done.channel.as_deref().filter(|c| !served.publishers.iter().any(|p| p == c)) {
        let help = suggest(channel, served.publishers.iter().map(String::as_str));
        return Err(wrong(format!("no webhook is called `{channel}` in the settings: {help}")));
    }
    if let Some(name) = &done.mail {
        person(&served.ground, name)?;
    }
    let ground = served.ground.clone();
    let draft = apart(move || match (&done.channel, &done.mail) {
        (Some(channel), _) => ground.hand_over(id, &done.by, to(&done.note, channel), Way::Channel(channel)),
        (None, Some(name)) => ground.hand_over(id, &done.by, to(&done.note, name), Way::Mail(name)),
        (None, None) => ground.act_on_draft(id, &act, &done.by, &done.note),
    });
    Ok(Json(shown(&served.ground, &draft.await?)).into_response())
}

/// To whom, in the caller's words where there are any.
fn to<'a>(note: &'a str, usual: &'a str) -> &'a str {
    if note.trim().is_empty() { usual } else { note }
}

pub(super) async fn tick(State(served): State<Served>, Path(id): Path<i64>, body: Bytes) -> Response {
    answer(try_tick(&served, id, &body).await)
}

async fn try_tick(served: &Served, id: i64, body: &[u8]) -> Result<Response, Wrong> {
    let ticked: Ticked = read(body, "{\"as\": \"name\", \"step\": 1}")?;
    person(&served.ground, &ticked.by)?;
    let ground = served.ground.clone();
    let changed = apart(move || ground.tick(id, ticked.step, &ticked.by, ticked.done)).await?;
    Ok(Json(serde_json::json!({ "changed": changed })).into_response())
}

fn answer(result: Result<Response, Wrong>) -> Response {
    result.unwrap_or_else(IntoResponse::into_response)
}
