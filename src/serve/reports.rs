//! Reports over the API: the same as on the command line.

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::Served;
use crate::ground::{Knowledge, after, digest as digests};
use crate::model::{Length, Period};
use crate::report::after::{Form, render};
use crate::report::book;
use crate::report::digest::{show, tables, write_csv};
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

/// Which digest is wanted, and how.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// `day`, `week` or `month`; `week` unless told.
    period: Option<Length>,
    /// The last day that it is about; else the last whole period.
    until: Option<Date>,
    /// The topic; else the first brand.
    topic: Option<String>,
    /// `text`, `html`, `csv` or `xlsx`.
    format: Option<String>,
    language: Option<String>,
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

/// Does it away from the others: reading many mentions takes a while, and nobody else waits for it.
async fn apart(work: impl FnOnce() -> Result<Response, Wrong> + Send + 'static) -> Response {
    let failed = || Err((StatusCode::INTERNAL_SERVER_ERROR, String::new()));
    let written = tokio::task::spawn_blocking(work).await;
    written.unwrap_or_else(|_| failed()).unwrap_or_else(IntoResponse::into_response)
}

pub(super) async fn after(State(served): State<Served>, Path(id): Path<i64>, Query(wanted): Query<Wanted>) -> Response {
    apart(move || try_after(&served, id, &wanted)).await
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

pub(super) async fn digest(State(served): State<Served>, Query(which): Query<Which>) -> Response {
    apart(move || try_digest(&served, which)).await
}

fn try_digest(served: &Served, which: Which) -> Result<Response, Wrong> {
    let (ground, knowledge) = (&served.ground, served.ground.knowledge());
    let wanted = Wanted { format: which.format, language: which.language, reader: which.reader };
    let (code, zone) = wanted.reader(&knowledge)?;
    let length = which.period.unwrap_or(Length::Week);
    let today = ground.clock.now().to_zoned(zone.clone()).date();
    let period = which.until.map_or_else(|| Period::over_by(length, today), |last| Period::until(length, last));
    let topic = digests::topic(&knowledge.rules, which.topic.as_deref()).map_err(wrong)?;
    let found = ground.store.read(|c| digests::gather(&knowledge, c, topic, period, &zone));
    let found = found.map_err(|e| (StatusCode::SERVICE_UNAVAILABLE, format!("{e}\n")))?;
    let failed = |e: &dyn std::error::Error| {
        tracing::error!(error = %e, "a digest cannot be written");
        (StatusCode::INTERNAL_SERVER_ERROR, "the report cannot be written\n".to_owned())
    };
    let within = |png: &[u8]| format!("data:image/png;base64,{}", STANDARD.encode(png));
    let (kind, bytes) = match wanted.format.as_deref() {
        None | Some("text") => {
            let shown = show(&found, &code, |_| String::new()).map_err(|e| failed(&e))?;
            ("text/plain; charset=utf-8", shown.text.into_bytes())
        }
        Some("html") => {
            ("text/html; charset=utf-8", show(&found, &code, within).map_err(|e| failed(&e))?.html.into_bytes())
        }
        Some("csv") => {
            let mut out = Vec::new();
            write_csv(&mut out, &tables(&found, &code)).map_err(|e| failed(&e))?;
            ("text/csv; charset=utf-8", out)
        }
        Some("xlsx") => {
            let mut out = std::io::Cursor::new(Vec::new());
            book::write(&found, &code, &mut out).map_err(|e| failed(&e))?;
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", out.into_inner())
        }
        Some(other) => return Err(wrong(format!("`{other}` is no format; ask for text, html, csv or xlsx"))),
    };
    Ok(([(header::CONTENT_TYPE, kind)], bytes).into_response())
}
