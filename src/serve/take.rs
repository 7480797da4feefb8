//! Taking an incident by a link in a mail: reading shows a page and changes nothing, only pressing its button does.
//!
//! Scanners of mail open links, run scripts and submit forms. None of that takes an incident: where it is severe a code of
//! the mail has to be typed, elsewhere nobody presses within three seconds of seeing the page (F97).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use minijinja::{AutoEscape, Environment, Value, context};

use super::Served;
use crate::engine::acts::Act;
use crate::ground::acts::{Deed, Outcome};
use crate::ground::links::{Claim, Leave};
use crate::model::time::{Span, between};
use crate::model::{Incident, Severity, Status};
use crate::text::figures::Figures;

/// Nobody presses so soon after seeing the page.
pub(super) const READ: Span = Span::secs(3);
/// A page that was shown so long ago is shown again.
pub(super) const STALE: Span = Span::hours(12);
/// Wrong codes that a person may type for one incident, until vakt starts again.
const TRIES: u32 = 5;
/// Counts of wrong codes that are kept; beyond it no code is taken any more.
const MOST: usize = 10_000;

/// Wrong codes by what they are about, such as `incident 7`, and person.
#[derive(Debug, Default)]
pub struct Wrong(Mutex<HashMap<(String, String), u32>>);

impl Wrong {
    /// Whether a code may still be tried.
    pub(super) fn may(&self, about: &str, person: &str) -> bool {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (about.to_owned(), person.to_owned());
        counts.get(&key).map_or(counts.len() < MOST, |n| *n < TRIES)
    }

    pub(super) fn count(&self, about: &str, person: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((about.to_owned(), person.to_owned())).or_default() += 1;
    }
}

/// The words of the page in one language.
struct Words {
    code: &'static str,
    /// Mentions, usual, negative.
    level: [&'static str; 3],
    ask: &'static str,
    note: &'static str,
    take: &'static str,
    undo: &'static str,
    taken: &'static str,
    undone: &'static str,
    has: &'static str,
    over: &'static str,
    open: &'static str,
    wrong: &'static str,
    too_often: &'static str,
    again: &'static str,
    dead: &'static str,
}

static WORDS: [Words; 5] = [
    Words {
        code: "en",
        level: ["mentions", "usual", "negative"],
        ask: "The four digits in the mail",
        note: "What the others should know (may stay empty)",
        take: "I take it",
        undo: "Call people again",
        taken: "You have it. The others are told.",
        undone: "It is open again, and people are called.",
        has: "has it",
        over: "It is over already.",
        open: "Nobody has it: people are being called already.",
        wrong: "Those are not the digits in the mail. Nothing has changed.",
        too_often: "Too many wrong codes. Take it with `vakt incident ack`, or ask somebody who can.",
        again: "Please press once more: nothing has changed yet.",
        dead: "This link is not valid, or no longer. Nothing has changed. The latest mail has one that works.",
    },
    Words {
        code: "sv",
        level: ["omnämnanden", "normalt", "negativa"],
        ask: "De fyra siffrorna i mejlet",
        note: "Vad de andra bör veta (får vara tomt)",
        take: "Jag tar det",
        undo: "Larma igen",
        taken: "Du har det. De andra får veta.",
        undone: "Det är öppet igen, och folk larmas.",
        has: "har det",
        over: "Det är redan över.",
        open: "Ingen har det: folk larmas redan.",
        wrong: "Det är inte siffrorna i mejlet. Inget har ändrats.",
        too_often: "För många felaktiga koder. Ta det med `vakt incident ack` eller be någon som kan.",
        again: "Tryck en gång till: inget har ändrats än.",
        dead: "Länken gäller inte, eller inte längre. Inget har ändrats. Det senaste mejlet har en som fungerar.",
    },
    Words {
        code: "de",
        level: ["Erwähnungen", "üblich", "negativ"],
        ask: "Die vier Ziffern in der Mail",
        note: "Was die anderen wissen sollten (darf leer bleiben)",
        take: "Ich übernehme",
        undo: "Wieder alarmieren",
        taken: "Sie haben es übernommen. Die anderen erfahren es.",
        undone: "Es ist wieder offen, und es wird alarmiert.",
        has: "hat es übernommen",
        over: "Es ist schon vorbei.",
        open: "Niemand hat es übernommen: es wird bereits alarmiert.",
        wrong: "Das sind nicht die Ziffern in der Mail. Nichts hat sich geändert.",
        too_often: "Zu viele falsche Codes. Übernehmen Sie mit `vakt incident ack`, oder bitten Sie jemanden darum.",
        again: "Bitte noch einmal drücken: es hat sich noch nichts geändert.",
        dead: "Dieser Link gilt nicht oder nicht mehr. Nichts hat sich geändert. In der letzten Mail steht einer, der gilt.",
    },
    Words {
        code: "it",
        level: ["menzioni", "di solito", "negative"],
        ask: "Le quattro cifre nella mail",
        note: "Che cosa devono sapere gli altri (può restare vuoto)",
        take: "Me ne occupo io",
        undo: "Avvisare di nuovo",
        taken: "Lo ha preso in carico Lei. Gli altri vengono informati.",
        undone: "È di nuovo aperto, e si avvisano le persone.",
        has: "lo ha preso in carico",
        over: "È già finito.",
        open: "Nessuno lo ha preso: le persone vengono già avvisate.",
        wrong: "Non sono le cifre della mail. Non è cambiato nulla.",
        too_often: "Troppi codici errati. Usi `vakt incident ack` o chieda a chi può farlo.",
        again: "Prema ancora una volta: non è ancora cambiato nulla.",
        dead: "Questo link non è valido, o non lo è più. Non è cambiato nulla. L'ultima mail ne ha uno che funziona.",
    },
    Words {
        code: "es",
        level: ["menciones", "habitual", "negativas"],
        ask: "Las cuatro cifras del correo",
        note: "Lo que deben saber los demás (puede quedar vacío)",
        take: "Me hago cargo",
        undo: "Volver a avisar",
        taken: "Usted se ha hecho cargo. Se informa a los demás.",
        undone: "Está abierto de nuevo, y se avisa a la gente.",
        has: "se ha hecho cargo",
        over: "Ya ha terminado.",
        open: "Nadie se ha hecho cargo: ya se está avisando.",
        wrong: "No son las cifras del correo. Nada ha cambiado.",
        too_often: "Demasiados códigos erróneos. Use `vakt incident ack` o pídaselo a quien pueda.",
        again: "Pulse una vez más: todavía no ha cambiado nada.",
        dead: "Este enlace no es válido, o ya no lo es. Nada ha cambiado. El último correo tiene uno que funciona.",
    },
];

fn words(languages: &[String]) -> &'static Words {
    let of = |language: &String| WORDS.iter().find(|w| w.code == language);
    languages.iter().find_map(of).unwrap_or(&WORDS[0])
}

/// A page about an incident for one person.
struct Page<'a> {
    words: &'static Words,
    incident: Option<&'a Incident>,
    /// What it is about: the brand and the alert's title.
    what: &'a str,
    say: Option<String>,
    /// The mark of the page where it has a button, and whether that asks for a code.
    form: Option<(Leave, String, bool)>,
}

impl Page<'_> {
    fn render(self, status: StatusCode) -> Response {
        match self.html() {
            Ok(page) => (status, Html(page)).into_response(),
            Err(e) => {
                tracing::error!(error = %e, page = "take.html", "a page cannot be rendered");
                (StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be shown\n").into_response()
            }
        }
    }

    fn html(self) -> Result<String, minijinja::Error> {
        let w = self.words;
        let form = self.form.map(|(leave, seen, code)| {
            let button = if leave == Leave::Undo { w.undo } else { w.take };
            context! { seen, code, button, note => leave == Leave::Take }
        });
        let title = self.incident.map(|i| {
            let mark = if i.drill.is_some() { "DRILL · " } else { "" };
            format!("{mark}{} · {}", i.severity.as_str().to_uppercase(), self.what)
        });
        let about = self.incident.map(|i| {
            let s = &i.evidence.signals;
            let [mentions, usual, negative] = w.level;
            let n = Figures::of(w.code);
            let places = usize::from(s.expected < 10.0);
            let (count, level) = (n.number(s.mentions), n.decimal(s.expected, places));
            format!("#{}: {count} {mentions} ({usual} {level}), {} {negative}", i.id, n.share(s.negative_share))
        });
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        let values = context! {
            w => context! { code => w.code, ask => w.ask, note => w.note },
            title => title.unwrap_or_else(|| "vakt".into()), about, say => self.say, form => Value::from(form),
        };
        environment.render_named_str("take.html", include_str!("take.html"), values)
    }
}

/// Brand and alert, as the mail calls them; their names where the rules know them no more.
fn what(served: &Served, i: &Incident) -> String {
    let knowledge = served.ground.knowledge();
    let rules = &knowledge.rules;
    let brand = rules.topic(&i.topic).map_or(i.topic.as_str(), |t| t.title.as_str());
    let title = rules.alert(&i.alert).map_or(i.alert.as_str(), |a| a.title.as_str());
    if title.starts_with(brand) { title.to_owned() } else { format!("{brand}: {title}") }
}

/// What a link that holds leads to.
struct Led {
    claim: Claim,
    incident: Incident,
    words: &'static Words,
    now: Timestamp,
}

/// Reads a link; the answer where it leads nowhere.
fn follow(served: &Served, link: &str) -> Result<Led, Box<Response>> {
    let now = served.ground.clock.now();
    let dead = |words: &'static Words| {
        let page = Page { words, incident: None, what: "", say: Some(words.dead.into()), form: None };
        Box::new(page.render(StatusCode::FORBIDDEN))
    };
    let Some(claim) = served.ground.links.read(link, now) else { return Err(dead(&WORDS[0])) };
    let knowledge = served.ground.knowledge();
    // Whoever has left the rules can do nothing any more.
    let Some(person) = knowledge.rules.people.person(&claim.person) else { return Err(dead(&WORDS[0])) };
    let words = words(&person.languages);
    match served.ground.whole_of(claim.incident) {
        Ok(Some(incident)) => Ok(Led { claim, incident, words, now }),
        Ok(None) => Err(dead(words)),
        Err(e) => Err(Box::new((StatusCode::SERVICE_UNAVAILABLE, format!("{e}\n")).into_response())),
    }
}

impl Led {
    /// What stands in the way of doing it: nothing to do any more.
    fn already(&self, served: &Served) -> Option<String> {
        let w = self.words;
        match (self.incident.status, self.claim.leave) {
            (Status::Resolved, _) => Some(w.over.into()),
            (Status::Open, Leave::Take) | (Status::Acknowledged, Leave::Undo) => None,
            (Status::Open, _) => Some(w.open.into()),
            (Status::Acknowledged, _) => {
                let by = self.incident.ack.as_ref().map_or("", |a| &a.by);
                let knowledge = served.ground.knowledge();
                let name = knowledge.rules.people.person(by).map_or(by, |p| &p.full_name);
                Some(format!("{name} {}", w.has))
            }
        }
    }

    /// Severe incidents ask for the code.
    fn asks(&self) -> bool {
        self.claim.leave == Leave::Take && self.incident.severity >= Severity::Escalate
    }

    fn page(&self, served: &Served, say: Option<&str>, status: StatusCode) -> Response {
        let already = self.already(served);
        let seen = served.ground.links.shown(&self.claim, self.now);
        let form = already.is_none().then(|| (self.claim.leave, seen, self.asks()));
        let say = already.or(say.map(str::to_owned));
        let what = what(served, &self.incident);
        Page { words: self.words, incident: Some(&self.incident), what: &what, say, form }.render(status)
    }
}

/// Shows what the link is about; changes nothing.
pub(super) async fn show(State(served): State<Served>, Path(link): Path<String>) -> Response {
    match follow(&served, &link) {
        Ok(led) => led.page(&served, None, StatusCode::OK),
        Err(answer) => *answer,
    }
}

/// Somebody pressed the button.
pub(super) async fn press(State(served): State<Served>, Path(link): Path<String>, body: Bytes) -> Response {
    let led = match follow(&served, &link) {
        Ok(led) => led,
        Err(answer) => return *answer,
    };
    let fields: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| fields.get(name).map_or("", String::as_str).trim();
    if led.already(&served).is_some() {
        return led.page(&served, None, StatusCode::OK);
    }
    let links = &served.ground.links;
    let shown = links.shown_at(field("seen"), &led.claim).map(|at| between(at, led.now));
    if !shown.is_some_and(|ago| ago >= READ && ago < STALE) {
        return led.page(&served, Some(led.words.again), StatusCode::OK);
    }
    if led.asks() {
        let about = format!("incident {}", led.claim.incident);
        if !served.wrong.may(&about, &led.claim.person) {
            return led.page(&served, Some(led.words.too_often), StatusCode::FORBIDDEN);
        }
        // The digits of the whole do where the link is of a part.
        let is_code = |of: i64| links.is_code(field("code"), of, &led.claim.person);
        if !is_code(led.claim.incident) && !is_code(led.incident.id) {
            served.wrong.count(&about, &led.claim.person);
            return led.page(&served, Some(led.words.wrong), StatusCode::FORBIDDEN);
        }
    }
    let (act, done) = match led.claim.leave {
        Leave::Undo => (Act::Reopen, led.words.undone),
        _ => (Act::Acknowledge, led.words.taken),
    };
    let deed = Deed { incident: led.claim.incident, by: led.claim.person.clone(), act, note: field("note").to_owned() };
    let ground = served.ground.clone();
    // The answer comes after the commit (I5).
    match tokio::task::spawn_blocking(move || ground.act(&deed)).await {
        Ok(Ok(Outcome::Done(incident))) => {
            let what = what(&served, &incident);
            Page { words: led.words, incident: Some(&incident), what: &what, say: Some(done.into()), form: None }
                .render(StatusCode::OK)
        }
        Ok(Ok(Outcome::Already(incident))) => Led { incident: *incident, ..led }.page(&served, None, StatusCode::OK),
        Ok(Ok(Outcome::Unknown | Outcome::Cannot(_))) => StatusCode::NOT_FOUND.into_response(),
        Ok(Err(e)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{e}; nothing has changed\n")).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readable;

    #[test]
    fn pages_are_readable_in_five_languages() {
        let incident = crate::engine::incident::tests::opened();
        for words in &WORDS {
            let shown = |say: Option<&str>, form: Option<(Leave, bool)>, known: bool| {
                let form = form.map(|(leave, code)| (leave, "seen.mark".to_owned(), code));
                let incident = known.then_some(&incident);
                let say = say.map(str::to_owned);
                let page = Page { words, incident, what: "Acme: <product> safety", say, form };
                let page = page.html().expect("it is rendered");
                assert_eq!(readable::faults(&page, words.code), [""; 0], "{page}");
                if let Some(dir) = std::env::var_os("VAKT_PICTURES").filter(|_| page.contains("name=\"code\"")) {
                    let path = std::path::Path::new(&dir).join(format!("take-{}.html", words.code));
                    std::fs::write(path, &page).expect("written");
                }
                readable::outline(&page)
            };
            let pages = [
                shown(None, Some((Leave::Take, true)), true),
                shown(Some(words.again), Some((Leave::Take, false)), true),
                shown(None, Some((Leave::Undo, false)), true),
                shown(Some(words.taken), None, true),
                shown(Some(words.dead), None, false),
            ];
            insta::assert_snapshot!(format!("take_{}", words.code), pages.join("\n\n"));
        }
    }
}
