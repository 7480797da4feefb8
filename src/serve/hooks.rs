//! `/hooks/NAME`: what others call to tell, believed by its signature, answered once it is on disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{PUSHES, Served};
use crate::ground::intake::{self, Batch, Followed};
use crate::model::time::{Span, between};
use crate::sources::hooks::{Call, NamedHook, Refusal, Told};
use crate::store::{StoreError, hooks, sources};

/// Calls with a wrong signature are logged at most this often, with how many there were.
const LOG_EVERY: Span = Span::mins(1);
/// The body of a call is here after this, or the call is turned away.
const BODY: Duration = Duration::from_secs(10);

/// The hooks of the settings, and who knocked with a wrong signature.
#[derive(Debug, Clone)]
pub struct Hooks {
    known: Arc<HashMap<String, NamedHook>>,
    forged: Arc<Mutex<HashMap<String, (u64, Timestamp)>>>,
    /// Calls that are read at once. Whoever sends slowly holds none of them: anybody may call.
    turns: Arc<Semaphore>,
}

impl Hooks {
    /// Hooks by their names.
    pub fn new(hooks: Vec<NamedHook>) -> Hooks {
        let known = hooks.into_iter().map(|hook| (hook.name.clone(), hook)).collect();
        Hooks { known: Arc::new(known), forged: Arc::default(), turns: Arc::new(Semaphore::new(PUSHES)) }
    }

    /// Counts a call with a wrong signature; how many there were since the last that was logged, where it is time to.
    fn count(&self, name: &str, now: Timestamp) -> Option<u64> {
        let mut forged = self.forged.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, logged) = forged.entry(name.to_owned()).or_insert((0, now - LOG_EVERY));
        *count += 1;
        (between(*logged, now) >= LOG_EVERY).then(|| {
            *logged = now;
            std::mem::take(count)
        })
    }
}

/// Why a call is not answered with good news.
enum Turned {
    /// There is no hook of this name.
    Unknown,
    Refused(Refusal),
    Store(StoreError),
    /// The disk is nearly full.
    Full,
}

impl From<StoreError> for Turned {
    fn from(e: StoreError) -> Turned {
        Turned::Store(e)
    }
}

/// A call.
pub(super) async fn call(State(served): State<Served>, Path(name): Path<String>, request: Request) -> Response {
    if !served.hooks.known.contains_key(&name) {
        return answer(&served, &name, Err(Turned::Unknown));
    }
    let headers = request.headers().clone();
    let body = match timeout(BODY, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => body,
        Ok(Err(refused)) => return refused.into_response(),
        Err(_) => return (StatusCode::REQUEST_TIMEOUT, "the body takes too long\n").into_response(),
    };
    let turn = served.hooks.turns.acquire().await;
    let done = take(&served, &name, &headers, &body).await;
    drop(turn);
    answer(&served, &name, done)
}

/// The question by which a place makes sure that the address is ours.
pub(super) async fn greet(
    State(served): State<Served>,
    Path(name): Path<String>,
    Query(fields): Query<Vec<(String, String)>>,
) -> Response {
    let done = match served.hooks.known.get(&name) {
        Some(hook) => hook.hook.greet(&fields).map(|reply| (reply, "greeted")).map_err(Turned::Refused),
        None => Err(Turned::Unknown),
    };
    answer(&served, &name, done)
}

async fn take(
    served: &Served,
    name: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(String, &'static str), Turned> {
    let hook = served.hooks.known.get(name).ok_or(Turned::Unknown)?;
    let now = served.ground.clock.now();
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let mut told = hook.hook.take(&Call { header: &header, body }, now).map_err(Turned::Refused)?;
    let reply = std::mem::take(&mut told.reply);
    if !reply.is_empty() {
        return Ok((reply, "greeted"));
    }
    if !served.ground.has_room() {
        return Err(Turned::Full);
    }
    let event = told.key(body);
    if served.ground.store.read(|c| hooks::is_known(c, name, event))? {
        return Ok(("known\n".to_owned(), "known"));
    }
    store(served, name, told, event, now).await?;
    Ok(("ok\n".to_owned(), "taken"))
}

/// Stores what a call told, that it was taken, and how the hook stands, in one commit.
async fn store(served: &Served, name: &str, told: Told, event: i64, now: Timestamp) -> Result<(), StoreError> {
    let (skipped, last) = (told.skipped_total as u64, told.skipped.last().cloned());
    let batch = Batch {
        source: name.to_owned(),
        captures: told.captures,
        history: false,
        undated_is_old: false,
        archive: false,
    };
    let hook = name.to_owned();
    let followed = Followed { gone: told.gone, ..Followed::default() };
    let receipt = intake::follow(&served.ground, batch, followed, now, move |tx, receipt| {
        hooks::note(tx, &hook, event, now)?;
        let mut state = sources::get(tx, &hook)?.unwrap_or_default();
        state.begun = true;
        state.last_ok = now.as_millisecond();
        state.mentions += receipt.new as u64;
        state.skipped += skipped;
        state.skipped_last = last.unwrap_or(state.skipped_last);
        if receipt.new + receipt.edited > 0 {
            state.last_new = now.as_millisecond();
        }
        sources::put(tx, &hook, &state)
    })
    .await?;
    metrics::counter!("vakt_mentions_total", "source" => name.to_owned()).increment(receipt.new as u64);
    if receipt.new + receipt.edited > 0 {
        tracing::info!(source = name, new = receipt.new, edited = receipt.edited, "mentions by a hook");
    }
    Ok(())
}

fn answer(served: &Served, name: &str, done: Result<(String, &'static str), Turned>) -> Response {
    let count = |outcome: &'static str| {
        metrics::counter!("vakt_hook_calls_total", "hook" => name.to_owned(), "outcome" => outcome).increment(1);
    };
    let later = |why: String| {
        (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "60")], format!("{why}\n")).into_response()
    };
    match done {
        Ok((reply, outcome)) => {
            count(outcome);
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], reply).into_response()
        }
        // Whatever name it is, it is a stranger's: nothing is counted under it.
        Err(Turned::Unknown) => (StatusCode::NOT_FOUND, "there is no hook of this name\n").into_response(),
        Err(Turned::Refused(Refusal::Forged(why))) => {
            count("forged");
            if let Some(times) = served.hooks.count(name, served.ground.clock.now()) {
                tracing::warn!(source = name, times, why, "a call that is not signed as it should be");
            }
            (StatusCode::UNAUTHORIZED, format!("{why}\n")).into_response()
        }
        Err(Turned::Refused(Refusal::Malformed(why))) => {
            count("malformed");
            (StatusCode::BAD_REQUEST, format!("{}\n", crate::text::clean::one_line(&why, 300))).into_response()
        }
        Err(Turned::Refused(Refusal::Secret(e))) => {
            count("secret");
            tracing::error!(source = name, error = %e, "calls of a hook cannot be checked");
            later("calls cannot be checked now".to_owned())
        }
        Err(Turned::Store(e)) => {
            count("failed");
            tracing::error!(source = name, error = %e, "what a hook told cannot be stored");
            later("not stored".to_owned())
        }
        Err(Turned::Full) => {
            count("failed");
            later("the disk is nearly full".to_owned())
        }
    }
}
