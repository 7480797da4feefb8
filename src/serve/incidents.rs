//! Incidents, as JSON and as pages that only show.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};

use super::Served;
use crate::model::Incident;
use crate::model::signals::meaning;
use crate::store::incidents::Entry;
use crate::store::outbox::Told;
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

fn html(name: &str, source: &str, values: Value) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.render_named_str(name, source, values)
}

fn render(name: &str, source: &str, values: Value) -> Response {
    match html(name, source, values) {
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
    render("incident.html", include_str!("incident.html"), values(&incident, timeline, messages))
}

/// What the page of an incident shows.
fn values(incident: &Incident, timeline: Vec<Entry>, messages: Vec<Told>) -> Value {
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
    context! { i => Value::from(Serde(incident)), terms, timeline => Value::from(Serde(timeline)), messages => Value::from(Serde(messages)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Severity, Term};
    use crate::readable;

    #[test]
    fn pages_are_readable() {
        let mut incident = crate::engine::incident::tests::opened();
        let term = Term { signal: "mentions".into(), op: ">=".into(), threshold: 5.0, value: 42.0, held: true };
        let evidence = crate::model::Evidence {
            terms: vec![term],
            raised: vec![(Severity::Crisis, "reach > 250000 || stories_in_tier1 > 0".into())],
            ..crate::model::Evidence::default()
        };
        incident.evidence = evidence.into();
        let at = incident.opened;
        let entry =
            |what: &str, detail: &str| Entry { at, who: "vakt".into(), what: what.into(), detail: detail.into() };
        let timeline = vec![
            entry("opened", "crisis · sara-lind, jonas-weber, giulia-conti, carmen-ortega"),
            entry("noted", "<b>on it</b>"),
        ];
        let told = Told {
            person: "sara-lind".into(),
            channel: "mail".into(),
            subject: "[CRISIS] Acme: product safety, 42 mentions in 15m (usual 2), 88 % negative".into(),
            state: "delivered".into(),
            created: at,
            done: Some(at),
        };
        let one = html("incident.html", include_str!("incident.html"), values(&incident, timeline, vec![told]));
        let all = context! { incidents => Value::from(Serde(vec![incident])) };
        let all = html("incidents.html", include_str!("incidents.html"), all);
        for (name, page) in [("incident", one), ("incidents", all)] {
            let page = page.expect("it is rendered");
            assert_eq!(readable::faults(&page, "en"), [""; 0], "{page}");
            if let Some(dir) = std::env::var_os("VAKT_PICTURES") {
                std::fs::write(std::path::Path::new(&dir).join(format!("{name}.html")), &page).expect("written");
            }
            insta::assert_snapshot!(name, readable::outline(&page));
        }
    }
}
