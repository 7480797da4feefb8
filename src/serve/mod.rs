//! HTTP: the API that takes mentions in, incidents to look at and to take, health and metrics.

mod acts;
mod answers;
mod approve;
mod doors;
mod drafts;
mod export;
mod find;
mod guard;
mod hooks;
mod incidents;
mod mentions;
mod reports;
mod silences;
mod take;
mod websub;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::limit::ConcurrencyLimitLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

pub use guard::Tokens;
pub use hooks::Hooks;
pub use take::Wrong;

use crate::ground::{Ground, History, Pulse};
use crate::index::IndexError;
use crate::store::outbox;

/// What the handlers stand on.
#[derive(Clone)]
pub struct Served {
    /// The ground.
    pub ground: Arc<Ground>,
    /// Who may do what.
    pub tokens: Tokens,
    /// Names of the webhooks behind which a program publishes what it is given.
    pub publishers: Vec<String>,
    /// The stages' pulses.
    pub pulses: Vec<(&'static str, Arc<Pulse>)>,
    /// The metrics.
    pub metrics: Option<PrometheusHandle>,
    /// Where the index is.
    pub index_dir: PathBuf,
    /// The history, once it was asked for.
    pub shelf: Arc<Mutex<Option<History>>>,
    /// Wrong codes on pages that links lead to.
    pub wrong: Arc<Wrong>,
    /// Who may call to tell.
    pub hooks: Hooks,
    /// Links lead to this machine alone: no proxy shows it to others.
    pub at_home: bool,
}

impl Served {
    /// The history; its index is opened at the first question, and anew where it was damaged and built again.
    fn history(&self) -> Result<History, IndexError> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(history) = shelf.as_ref().filter(|h| h.is_well()) {
            return Ok(history.clone());
        }
        let history = History::open(self.ground.store.clone(), &self.index_dir)?;
        *shelf = Some(history.clone());
        Ok(history)
    }
}

/// Largest request body.
const MOST_BYTES: usize = 8 << 20;
/// Pushes that are read at once, so that the largest of them fit into memory.
const PUSHES: usize = 4;
/// Longest request.
const LONGEST: Duration = Duration::from_secs(60);
/// A stage without a pass for this long is not well.
const UNWELL: Duration = Duration::from_secs(60);

/// Serves until it is stopped; requests in hand are finished.
pub async fn run(listener: TcpListener, served: Served, stop: CancellationToken) {
    doors::keep(listener, router(served), stop).await;
}

/// All routes.
pub fn router(served: Served) -> Router {
    let fixed = |name, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    Router::new()
        .route("/api/v1/mentions", post(mentions::push).layer(ConcurrencyLimitLayer::new(PUSHES)).get(find::find))
        .route("/api/v1/incidents", get(incidents::list))
        .route("/api/v1/incidents/{id}", get(incidents::show))
        .route("/api/v1/incidents/{id}/{act}", post(acts::act))
        .route("/api/v1/incidents/{id}/report", get(reports::after))
        .route("/api/v1/incidents/{id}/tick", post(drafts::tick))
        .route("/api/v1/report", get(reports::digest))
        .route("/api/v1/answers", get(answers::list))
        .route("/api/v1/answers/{id}/{act}", post(answers::act))
        .route("/api/v1/silences", get(silences::list).post(silences::lay))
        .route("/api/v1/silences/{id}/expire", post(silences::expire))
        .route("/api/v1/drafts", get(drafts::list).post(drafts::write))
        .route("/api/v1/drafts/{id}", get(drafts::show))
        .route("/api/v1/drafts/{id}/{act}", post(drafts::act))
        .route("/incidents", get(incidents::list_page))
        .route("/incidents/{id}", get(incidents::page))
        .route("/metrics", get(metrics_page))
        .route_layer(middleware::from_fn_with_state(served.clone(), guard::authorise))
        .route("/websub/{token}", get(websub::agree).post(websub::deliver).layer(ConcurrencyLimitLayer::new(PUSHES)))
        .route("/a/{link}", get(take::show).post(take::press))
        .route("/d/{link}", get(approve::show).post(approve::press))
        .route("/hooks/{name}", post(hooks::call).get(hooks::greet))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .layer(middleware::from_fn(guard::own_pages))
        .layer(middleware::from_fn_with_state(served.clone(), guard::known_host))
        .layer(RequestBodyLimitLayer::new(MOST_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, LONGEST))
        .layer(CatchPanicLayer::new())
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .layer(fixed(header::CACHE_CONTROL, "no-store"))
        .layer(fixed(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ))
        .with_state(served)
}

/// Whether the process lives: every stage has had a pass of late.
async fn health(State(served): State<Served>) -> Response {
    match served.pulses.iter().find(|(_, p)| p.age() > UNWELL) {
        None => (StatusCode::OK, "ok\n").into_response(),
        Some((stage, _)) => (StatusCode::SERVICE_UNAVAILABLE, format!("the {stage} stage is stuck\n")).into_response(),
    }
}

/// Whether it can take mentions in: the stages run and the store answers.
async fn ready(State(served): State<Served>) -> Response {
    let begun = served.pulses.iter().all(|(_, p)| p.has_beaten());
    if !begun {
        return (StatusCode::SERVICE_UNAVAILABLE, "starting\n").into_response();
    }
    if !served.ground.has_room() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the disk is nearly full\n").into_response();
    }
    match served.ground.store.write(|tx| crate::store::meta::set(tx, "ready", "1")).await {
        Ok(()) => (StatusCode::OK, "ready\n").into_response(),
        Err(e) => (StatusCode::SERVICE_UNAVAILABLE, format!("{e}\n")).into_response(),
    }
}

async fn metrics_page(State(served): State<Served>) -> Response {
    if let Ok(standing) = served.ground.store.read(outbox::standing) {
        metrics::gauge!("vakt_outbox_waiting").set(standing.waiting as f64);
        metrics::gauge!("vakt_outbox_failed").set(standing.failed as f64);
        metrics::gauge!("vakt_outbox_held").set(standing.held as f64);
    }
    for (stage, pulse) in &served.pulses {
        metrics::gauge!("vakt_stage_pass_age_seconds", "stage" => *stage).set(pulse.age().as_secs_f64());
    }
    match &served.metrics {
        Some(handle) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()).into_response(),
        None => (StatusCode::NOT_FOUND, "this process does not count\n").into_response(),
    }
}
