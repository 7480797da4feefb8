//! Deciding on a draft by a link in a mail: reading shows the text and changes nothing, only a button with the digits of
//! the mail does.
//!
//! As for incidents, scanners of mail open links, run scripts and submit forms; none of that approves a word (F97).

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use minijinja::{AutoEscape, Environment, Value, context};

use super::Served;
use super::take::{READ, STALE};
use crate::channels::plea::Words;
use crate::engine::drafts::{Act, Refusal};
use crate::engine::wording::{self, Kind};
use crate::ground::drafts::DraftError;
use crate::ground::links::Asked;
use crate::model::draft::State as Stage;
use crate::model::time::between;
use crate::model::{Draft, Voice};
use crate::store::drafts;
use crate::text::length;

/// What a link that holds leads to.
struct Led {
    asked: Asked,
    draft: Draft,
    words: &'static Words,
    now: Timestamp,
}

fn dead(words: &Words) -> Response {
    render(words, context! { title => "vakt", say => words.dead }, StatusCode::FORBIDDEN)
}

fn render(w: &Words, values: Value, status: StatusCode) -> Response {
    match html(w, values) {
        Ok(page) => (status, Html(page)).into_response(),
        Err(e) => {
            tracing::error!(error = %e, page = "approve.html", "a page cannot be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be shown\n").into_response()
        }
    }
}

fn html(w: &Words, values: Value) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let words = context! {
        code => w.code, written => w.written, machine => w.machine, digits => w.digits, findings => w.findings, approve => w.approve,
        reject => w.reject, reason => w.reason,
    };
    let values = context! { w => words, ..values };
    environment.render_named_str("approve.html", include_str!("approve.html"), values)
}

/// Reads a link; the answer where it leads nowhere.
fn follow(served: &Served, link: &str) -> Result<Led, Box<Response>> {
    let now = served.ground.clock.now();
    let nowhere = |words| Box::new(dead(words));
    let Some(asked) = served.ground.links.read_plea(link, now) else { return Err(nowhere(Words::of(&[]))) };
    let knowledge = served.ground.knowledge();
    // Whoever has left the rules can do nothing any more.
    let Some(person) = knowledge.rules.people.person(&asked.person) else { return Err(nowhere(Words::of(&[]))) };
    let words = Words::of(&person.languages);
    match served.ground.store.read(|c| drafts::get(c, asked.draft)) {
        Ok(Some(draft)) => Ok(Led { asked, draft, words, now }),
        Ok(None) => Err(nowhere(words)),
        Err(e) => Err(Box::new((StatusCode::SERVICE_UNAVAILABLE, format!("{e}\n")).into_response())),
    }
}

impl Led {
    /// What stands in the way of deciding: it is decided, or another text.
    fn already(&self) -> Option<&'static str> {
        let (d, w) = (&self.draft, self.words);
        let mine = d.approvals.iter().any(|a| a.by == self.asked.person);
        match d.state {
            Stage::HandedOver => Some(w.out),
            Stage::Rejected => Some(w.changed),
            _ if d.version != self.asked.version => Some(w.changed),
            _ if mine => Some(w.approved),
            Stage::Waiting | Stage::Approved => None,
        }
    }

    fn page(&self, served: &Served, say: Option<String>, status: StatusCode) -> Response {
        let knowledge = served.ground.knowledge();
        let author = self.draft.writer();
        let author = knowledge.rules.people.person(author).map_or(author, |p| &p.full_name);
        let seen = served.ground.links.plea_shown(&self.asked, self.now);
        render(self.words, self.values(&knowledge.rules.voice, author, &seen, say), status)
    }

    /// What the page shows: the draft as it was asked about, and the mark of the page where there is something to decide.
    fn values(&self, voice: &Voice, author: &str, seen: &str, say: Option<String>) -> Value {
        let (d, w) = (&self.draft, self.words);
        let kind = if d.reply { Kind::Reply } else { Kind::Statement };
        let findings = wording::look(&d.text, voice, &d.language, d.network, kind);
        let length = d.network.map(|n| {
            let l = length::measure(&d.text, n);
            format!("{}: {} / {}", n.title(), l.used, l.most)
        });
        let place = d.network.map(|n| format!(", {}", n.title())).unwrap_or_default();
        let already = self.already();
        let seen = already.is_none().then_some(seen);
        // Another text than the one that the mail was about is not shown as if it were that.
        let shown = (d.version == self.asked.version).then(|| {
            context! {
                about => format!("#{} · {}{place} · {}/{}", d.id, d.language, d.approvals.len(), d.asked),
                author, language => d.language.as_str(), text => d.text.as_str(), length, machine => d.by_machine(),
                findings => findings.iter().map(|f| f.said(w.code)).map(|(why, remedy)| context! { why, remedy }).collect::<Vec<_>>(),
            }
        });
        let say = say.or(already.map(str::to_owned));
        context! { title => w.waits, say, draft => shown, seen }
    }

    fn say(&self, served: &Served, say: &str, status: StatusCode) -> Response {
        self.page(served, Some(say.to_owned()), status)
    }
}

/// Shows the draft; changes nothing.
pub(super) async fn show(State(served): State<Served>, Path(link): Path<String>) -> Response {
    match follow(&served, &link) {
        Ok(led) => led.page(&served, None, StatusCode::OK),
        Err(answer) => *answer,
    }
}

/// Somebody pressed a button.
pub(super) async fn press(State(served): State<Served>, Path(link): Path<String>, body: Bytes) -> Response {
    let led = match follow(&served, &link) {
        Ok(led) => led,
        Err(answer) => return *answer,
    };
    let (w, links) = (led.words, &served.ground.links);
    if led.already().is_some() {
        return led.page(&served, None, StatusCode::OK);
    }
    let fields: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| fields.get(name).map_or("", String::as_str).trim();
    let shown = links.plea_shown_at(field("seen"), &led.asked).map(|at| between(at, led.now));
    if !shown.is_some_and(|ago| ago >= READ && ago < STALE) {
        return led.say(&served, w.again, StatusCode::OK);
    }
    let about = format!("draft {}", led.asked.draft);
    if !served.wrong.may(&about, &led.asked.person) {
        return led.say(&served, w.too_often, StatusCode::FORBIDDEN);
    }
    if !links.is_draft_code(field("code"), led.asked.draft, &led.asked.person) {
        served.wrong.count(&about, &led.asked.person);
        return led.say(&served, w.wrong, StatusCode::FORBIDDEN);
    }
    let (act, done) = match field("do") {
        "reject" => (Act::Reject(Some(led.asked.version)), w.rejected),
        "approve" => (Act::Approve(led.asked.version), w.approved),
        _ => return led.say(&served, w.again, StatusCode::OK),
    };
    let (ground, person, note) = (served.ground.clone(), led.asked.person.clone(), field("note").to_owned());
    let (id, doing) = (led.asked.draft, act);
    match tokio::task::spawn_blocking(move || ground.act_on_draft(id, &doing, &person, &note)).await {
        Ok(Ok(draft)) => Led { draft, ..led }.say(&served, done, StatusCode::OK),
        Ok(Err(DraftError::Refused(_, refusal))) => {
            let say = match refusal {
                Refusal::Unfit(finding) => {
                    let (why, remedy) = finding.said(w.code);
                    format!("{} {why}; {remedy}", w.unfit)
                }
                Refusal::Unsaid => w.unsaid.to_owned(),
                _ => w.changed.to_owned(),
            };
            led.page(&served, Some(say), StatusCode::CONFLICT)
        }
        Ok(Err(DraftError::Missing(_))) => dead(w),
        Ok(Err(DraftError::Store(e))) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("{e}; nothing has changed\n")).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::draft::Mark;
    use crate::readable;

    #[test]
    fn pages_are_readable_in_five_languages() {
        for language in ["en", "sv", "de", "it", "es"] {
            let words = Words::of(&[language.to_owned()]);
            let asked = |version: u32| -> Asked {
                let said = serde_json::json!({ "d": 3, "v": version, "p": "anna", "s": false, "t": 0 });
                serde_json::from_value(said).expect("what a link says")
            };
            let draft = || Draft {
                text: "Wir sehen <es> uns an.\nMehr: [link]".into(),
                ..crate::engine::drafts::tests::draft()
            };
            let shown = |draft: Draft, version, say: Option<&str>| {
                let led = Led { asked: asked(version), draft, words, now: Timestamp::UNIX_EPOCH };
                let values = led.values(&Voice::default(), "Maja Holm", "seen.mark", say.map(str::to_owned));
                let page = html(words, values).expect("it is rendered");
                assert_eq!(readable::faults(&page, language), [""; 0], "{page}");
                // Enter in a field presses the first button of its form.
                let mut forms = page.split("<form").skip(1).filter(|f| f.contains("name=\"note\""));
                assert!(forms.all(|f| !f.contains("value=\"approve\"")), "{page}");
                if let Some(dir) = std::env::var_os("VAKT_PICTURES").filter(|_| say.is_none()) {
                    let path = std::path::Path::new(&dir).join(format!("approve-{language}.html"));
                    std::fs::write(path, &page).expect("written");
                }
                readable::outline(&page)
            };
            let mark = Mark { by: "anna".into(), at: Timestamp::UNIX_EPOCH, note: String::new() };
            let machine = Some(crate::model::draft::Machine { model: "small <b>".into(), version: 1 });
            let pages = [
                shown(Draft { machine, ..draft() }, 1, None),
                shown(draft(), 1, Some(words.wrong)),
                shown(Draft { approvals: vec![mark], ..draft() }, 1, Some(words.approved)),
                shown(draft(), 2, Some(words.changed)),
                readable::outline(
                    &html(words, context! { title => "vakt", say => words.dead }).expect("it is rendered"),
                ),
            ];
            insta::assert_snapshot!(format!("approve_{language}"), pages.join("\n\n"));
        }
    }
}
