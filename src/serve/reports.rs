//! Reports over the API: the same as on the command line.

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::Served;
use crate::ground::{Knowledge, after};
use crate::report::after::{Form, render};
use crate::text::figures::Figures;

/// How a report is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// `md` or `html`.
    format: Option<String>,
    /// One of the five languages.
    language: Option<String>,
    /// The name of a person, in whose language and zone it is.
    #[serde(rename = "for")]
    reader: Option<String>,
}

type Wrong = (StatusCode, String);

fn wrong(say: impl std::fmt::Display) -> Wrong {
    (StatusCode::BAD_REQUEST, format!("{say}\n"))
}

impl Wanted {
    /// The language and the zone.
    fn reader(&self, knowledge: &Knowledge) -> Result<(String, TimeZone), Wrong> {
        let rules = &knowledge.rules;
        let person = match &self.reader {
            Some(name) => Some(rules.people.person(name).ok_or_else(|| {
                let help = crate::config::fault::suggest(name, rules.people.persons.iter().map(|p| p.name.as_str()));
                wrong(format!("nobody is called `{name}` in the rules: {help}"))
            })?),
            None => None,
        };
        if let Some(code) = self.language.as_deref().filter(|code| !Figures::CODES.contains(code)) {
            return Err(wrong(format!("reports are in {}, not `{code}`", Figures::CODES.join(", "))));
        }
        let own = person.and_then(|p| p.languages.first());
        let zone = person.map_or(rules.time_zone.as_str(), |p| p.time_zone.as_str());
        let code = self.language.as_ref().or(own).map_or("en", String::as_str);
        Ok((code.to_owned(), TimeZone::get(zone).unwrap_or(TimeZone::UTC)))
    }
}

pub(super) async fn after(State(served): State<Served>, Path(id): Path<i64>, Query(wanted): Query<Wanted>) -> Response {
    // Reading many mentions takes a while: nobody else waits for it.
    let written = tokio::task::spawn_blocking(move || try_after(&served, id, &wanted)).await;
    let failed = || Err((StatusCode::INTERNAL_SERVER_ERROR, String::new()));
    written.unwrap_or_else(|_| failed()).unwrap_or_else(IntoResponse::into_response)
}

fn try_after(served: &Served, id: i64, wanted: &Wanted) -> Result<Response, Wrong> {
    let (form, kind) = match wanted.format.as_deref() {
        None | Some("md") => (Form::Markdown, "text/markdown; charset=utf-8"),
        Some("html") => (Form::Html, "text/html; charset=utf-8"),
        Some(other) => return Err(wrong(format!("`{other}` is no format; ask for md or html"))),
    };
    let (ground, knowledge) = (&served.ground, served.ground.knowledge());
    let (code, zone) = wanted.reader(&knowledge)?;
    let found = ground.store.read(|c| after::facts(&knowledge, c, id, &code, ground.clock.now()));
    let found = found.map_err(|e| (StatusCode::SERVICE_UNAVAILABLE, format!("{e}\n")))?;
    let facts = found.ok_or_else(|| (StatusCode::NOT_FOUND, format!("there is no incident {id}\n")))?;
    match render(&facts, form, &code, &zone) {
        Ok(text) => Ok(([(header::CONTENT_TYPE, kind)], text).into_response()),
        Err(e) => {
            tracing::error!(error = %e, incident = id, "a report cannot be written");
            Err((StatusCode::INTERNAL_SERVER_ERROR, "the report cannot be written\n".into()))
        }
    }
}
