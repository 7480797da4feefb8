//! Incidents, as JSON and as pages that only show.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};

use super::Served;
use crate::model::signals::meaning;
use crate::store::{StoreError, drafts, incidents, outbox, ticks};

/// Incidents that a listing shows.
const LISTED: u32 = 100;

fn failed(e: &StoreError) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{e}\n")).into_response()
}

fn unknown(id: i64) -> Response {
    (StatusCode::NOT_FOUND, format!("there is no incident {id}\n")).into_response()
}

pub(super) async fn list(State(served): State<Served>) -> Response {
    match served.ground.store.read(|c| incidents::latest(c, LISTED)) {
        Ok(list) => Json(list).into_response(),
        Err(e) => failed(&e),
    }
}

pub(super) async fn show(State(served): State<Served>, Path(id): Path<i64>) -> Response {
    let read = served.ground.store.read(|c| {
        let (ticks, drafts) = (ticks::of_incident(c, id)?, drafts::of_incident(c, id)?);
        Ok((incidents::get(c, id)?, incidents::timeline(c, id)?, ticks, drafts))
    });
    match read {
        Ok((Some(incident), timeline, ticks, drafts)) => {
            let whole = serde_json::json!({
                "incident": incident, "timeline": timeline, "ticks": ticks, "drafts": drafts,
            });
            Json(whole).into_response()
        }
        Ok((None, ..)) => unknown(id),
        Err(e) => failed(&e),
    }
}

fn render(name: &str, source: &str, values: Value) -> Response {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    match environment.render_named_str(name, source, values) {
        Ok(page) => Html(page).into_response(),
        Err(e) => {
            tracing::error!(error = %e, page = name, "a page cannot be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be shown\n").into_response()
        }
    }
}

pub(super) async fn list_page(State(served): State<Served>) -> Response {
    match served.ground.store.read(|c| incidents::latest(c, LISTED)) {
        Ok(list) => {
            render("incidents.html", include_str!("incidents.html"), context! { incidents => Value::from(Serde(list)) })
        }
        Err(e) => failed(&e),
    }
}

pub(super) async fn page(State(served): State<Served>, Path(id): Path<i64>) -> Response {
    let read = served
        .ground
        .store
        .read(|c| Ok((incidents::get(c, id)?, incidents::timeline(c, id)?, outbox::of_incident(c, id)?)));
    let (incident, timeline, messages) = match read {
        Ok((Some(incident), timeline, messages)) => (incident, timeline, messages),
        Ok((None, ..)) => return unknown(id),
        Err(e) => return failed(&e),
    };
    let terms: Vec<_> = incident
        .evidence
        .terms
        .iter()
        .map(|t| {
            let value = format!("{:.2}", t.value);
            let value = value.trim_end_matches('0').trim_end_matches('.').to_owned();
            context! { meaning => meaning(&t.signal), op => t.op.as_str(), threshold => t.threshold, value, held => t.held }
        })
        .collect();
    render(
        "incident.html",
        include_str!("incident.html"),
        context! { i => Value::from(Serde(incident)), terms, timeline => Value::from(Serde(timeline)), messages => Value::from(Serde(messages)) },
    )
}
