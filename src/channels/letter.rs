//! Composes what people are told: understood in ten seconds, with the reasons, the loudest voices and the plan.
//!
//! Everything that strangers wrote is text and nothing else: escaped, stripped of what cannot be seen, and with
//! addresses that cannot be clicked.

mod voices;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::defang::{self, header_text};
use super::meanings::meaning_in;
use super::words::Words;
use crate::engine::hot::Hot;
use crate::engine::wording;
use crate::model::incident::Notice;
use crate::model::{Alert, Incident, Mention, Person, Planned, Playbook, Severity};
use crate::text::seldom::seldom;
use voices::voices;
pub(super) use voices::{Shown, shown};

/// What a letter is made of.
#[derive(Debug)]
pub struct Brief<'a> {
    /// Why people are told.
    pub notice: Notice,
    /// The incident.
    pub incident: &'a Incident,
    /// Its alert rule.
    pub alert: &'a Alert,
    /// The topic's title.
    pub brand: &'a str,
    /// Its mentions, loudest first.
    pub mentions: &'a [Mention],
    /// Words that are new in it, hottest first.
    pub hot: &'a [Hot],
    /// Its chart.
    pub chart: Option<&'a ChartFacts>,
    /// What to do.
    pub playbook: Option<&'a Playbook>,
    /// Whom the letter is for.
    pub person: &'a Person,
    /// Full names of all who were told.
    pub told: &'a [String],
    /// The incidents of messages that were held back from the person, one for each message.
    pub held: &'a [i64],
    /// What is about to be published on the brand's channels, soonest first.
    pub planned: &'a [&'a Planned],
    /// Full name of whoever has it.
    pub taken_by: Option<&'a str>,
    /// What links begin with.
    pub base_url: Option<&'a str>,
    /// The reader's own link to take the incident, or to undo that somebody did, where links can be followed.
    pub door: Option<&'a str>,
    /// The digits that taking it asks for.
    pub digits: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
    /// Domain of message ids.
    pub from_domain: &'a str,
}

/// A chart in its forms.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartFacts {
    /// As a line of text.
    pub sparkline: String,
    /// Most mentions of one bar.
    pub most: u64,
    /// The usual level of a bar.
    pub usual: f64,
    /// As a picture.
    pub png: Option<Vec<u8>>,
}

/// A letter for one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// The whole of it as plain text.
    pub text: String,
    /// The same as HTML, with the chart as `cid:chart`.
    pub html: String,
    /// The chart as PNG.
    pub chart: Option<Vec<u8>>,
    /// With angle brackets.
    pub message_id: String,
    /// What it answers.
    pub in_reply_to: Option<String>,
    /// The thread that it belongs to.
    pub references: Vec<String>,
    /// Number of the incident; 0 for notes to the operator.
    pub incident: i64,
    /// `watch`, `review`, `escalate`, `crisis`, or `note`.
    pub severity: &'static str,
    /// Whether mail programs should make much of it.
    pub urgent: bool,
}

/// A letter that cannot be composed.
#[derive(Debug, thiserror::Error)]
#[error("the letter's template fails")]
pub struct LetterError(#[from] minijinja::Error);

/// Most stories that a letter shows.
const STORIES: usize = 8;
/// A letter stays under 100 KB with its chart and its encoding; beyond so many bytes of HTML, stories are left out.
const MOST_HTML: usize = 40_000;

#[derive(Debug, Serialize)]
struct Reason {
    meaning: String,
    value: String,
    threshold: String,
    held: bool,
}

#[derive(Debug, Serialize)]
struct Statement {
    language: String,
    text: String,
}

/// Composes a letter.
///
/// # Errors
/// When a template fails, which is a fault of vakt.
pub fn compose(brief: &Brief<'_>) -> Result<Letter, LetterError> {
    let words = Words::of(brief.person.languages.first().map_or("en", String::as_str));
    let mut stories = STORIES;
    let (mut text, mut html) = render(brief, words, stories)?;
    while html.len() > MOST_HTML && stories > 0 {
        stories -= 1;
        (text, html) = render(brief, words, stories)?;
    }
    let i = brief.incident;
    // Numbers begin again in another data directory; the time of opening tells such incidents apart.
    let thread = format!("incident.{}.{}", i.id, i.opened.as_second());
    let root = format!("<{thread}@{}>", brief.from_domain);
    let told_before = i.messages > 1;
    Ok(Letter {
        subject: subject(brief, words),
        text,
        html,
        chart: brief.chart.filter(|_| whole(brief.notice)).and_then(|c| c.png.clone()),
        message_id: format!("<{thread}.{}.{}@{}>", brief.person.name, i.messages, brief.from_domain),
        in_reply_to: told_before.then(|| root.clone()),
        references: vec![root],
        incident: i.id,
        severity: i.severity.as_str(),
        urgent: i.severity >= Severity::Escalate && whole(brief.notice),
    })
}

/// Whether the notice brings the plan with it, or is but a word.
fn whole(notice: Notice) -> bool {
    !notice.asks_nothing()
}

/// Brand and alert; the brand once, where the alert's title begins with it.
pub(super) fn what(brief: &Brief<'_>) -> String {
    let (brand, title) = (header_text(brief.brand, 40), header_text(&brief.alert.title, 60));
    if title.starts_with(&brand) { title } else { format!("{brand}: {title}") }
}

/// `Acme: Product safety, 42 mentions in 15m (usual 2), 88 % negative`.
fn headline(brief: &Brief<'_>, words: &Words) -> String {
    let s = &brief.incident.evidence.signals;
    if let Some(flood) = &brief.incident.flood {
        return header_text(&format!("{}: {} {}", what(brief), words.floods, words.number(flood.kept_back)), 150);
    }
    let usual = words.decimal(s.expected, if s.expected < 10.0 { 1 } else { 0 });
    header_text(
        &format!(
            "{}, {} {} {} {} ({} {}), {:.0} % {}",
            what(brief),
            words.number(s.mentions),
            words.mentions,
            words.within,
            brief.alert.window,
            words.usual,
            usual,
            s.negative_share * 100.0,
            words.negative
        ),
        150,
    )
}

/// How severe, in capitals, and before it that nothing has happened where it is an exercise.
pub(super) fn severity(i: &Incident) -> String {
    let severity = i.severity.as_str().to_uppercase();
    if i.drill.is_some() { format!("DRILL · {severity}") } else { severity }
}

/// The bracket is ours: what strangers wrote is not in a subject at all.
pub(super) fn subject(brief: &Brief<'_>, words: &Words) -> String {
    let severity = severity(brief.incident);
    let notice = words.notice(brief.notice);
    match brief.notice {
        Notice::Opened => format!("[{severity}] {}", headline(brief, words)),
        Notice::Acknowledged => {
            let by = brief.taken_by.unwrap_or("");
            let what = what(brief);
            format!("[{severity} · {notice}] {what}, {} {}", header_text(by, 40), words.has_it)
        }
        Notice::Resolved | Notice::Lowered => {
            let what = what(brief);
            format!("[{severity} · {notice}] {what}")
        }
        Notice::Merged => {
            let into = brief.incident.merged_into.unwrap_or(0);
            format!("[{severity} · {notice}] {} → {} {into}", what(brief), words.incident)
        }
        Notice::Snoozed => {
            let zone = TimeZone::get(&brief.person.time_zone).unwrap_or(TimeZone::UTC);
            let until = brief.incident.snoozed.map(|t| words.time(t, &zone)).unwrap_or_default();
            format!("[{severity} · {notice}] {} → {until}", what(brief))
        }
        _ => format!("[{severity} · {notice}] {}", headline(brief, words)),
    }
}

fn environment() -> Environment<'static> {
    let mut e = Environment::new();
    e.set_undefined_behavior(UndefinedBehavior::Strict);
    e.set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        e.set_syntax(syntax);
    }
    e
}

/// Planned posts that are named.
const PLANNED: usize = 8;
/// Incidents of held messages that are named.
const HELD: usize = 20;

fn render(brief: &Brief<'_>, words: &Words, stories: usize) -> Result<(String, String), LetterError> {
    let i = brief.incident;
    let s = &i.evidence.signals;
    let zone = TimeZone::get(&brief.person.time_zone).unwrap_or(TimeZone::UTC);
    let time = |t: Timestamp| words.time(t, &zone);
    let reasons: Vec<Reason> = i.evidence.terms.iter().map(|t| reason(t, words)).collect();
    let raised: Vec<_> =
        i.evidence.raised.iter().map(|(to, when)| context! { to => to.as_str(), when => when.as_str() }).collect();
    let told: Vec<String> = brief
        .told
        .iter()
        .map(|n| if *n == brief.person.full_name { format!("{n} ({})", words.you) } else { n.clone() })
        .collect();
    let path = format!("/incidents/{}", i.id);
    let guide = brief.playbook.and_then(|p| p.guide(words.code));
    let values = context! {
        w => vocabulary(words),
        headline => headline(brief, words),
        notice => words.notice(brief.notice),
        whole => whole(brief.notice),
        severity => severity(i),
        exercise => i.drill.as_ref().map(|_| words.exercise),
        colour => colour(i.severity),
        opened => time(i.opened),
        zone => brief.person.time_zone.as_str(),
        reach => words.number(s.reach),
        languages => s.languages,
        reasons => Value::from(Serde(reasons)),
        raised,
        usual => usual(i, words),
        seldom => by_chance(i, words),
        fresh => i.evidence.about.iter().map(|a| header_text(a, 60)).collect::<Vec<_>>(),
        ack => i.ack.as_ref().map(|a| context! { by => brief.taken_by.unwrap_or(a.by.as_str()), at => time(a.at), note => header_text(&a.note, 300) }),
        resolved => brief.notice == Notice::Resolved,
        chart => brief.chart.map(|c| context! { line => c.sparkline.as_str(), alt => words.drawn(c.most, c.usual), png => c.png.is_some() }),
        voices => Value::from(Serde(voices(brief, words, &zone, stories))),
        hot => brief.hot.iter().map(|h| format!("{} {}×", header_text(&h.term, 40), h.now)).collect::<Vec<_>>(),
        told,
        held => held(brief.held),
        planned => brief.planned.iter().take(PLANNED).map(|p| post(p, words, &zone)).collect::<Vec<_>>(),
        first => guide.map(|g| g.first.as_str()).unwrap_or_default(),
        playbook => guide.map(|g| g.title.as_str()).unwrap_or_default(),
        tasks => guide.map(|g| g.checklist.iter().take(15).map(|t| task(t, i.severity)).collect::<Vec<_>>()).unwrap_or_default(),
        dos => guide.map(|g| g.dos.iter().take(6).cloned().collect::<Vec<_>>()).unwrap_or_default(),
        donts => guide.map(|g| g.donts.iter().take(6).cloned().collect::<Vec<_>>()).unwrap_or_default(),
        statements => Value::from(Serde(statements(brief))),
        draft => draft(brief, words),
        contacts => brief.playbook.map(|p| p.contacts.clone()).unwrap_or_default(),
        link => brief.base_url.map(|b| format!("{b}{path}")),
        door => brief.door,
        digits => brief.digits,
        undo => words.undo,
        pressed => words.pressed,
        typed => words.typed,
        command => format!("vakt incident ack {} --as {}", i.id, brief.person.name),
    };
    let e = environment();
    let text = e.render_named_str("letter.txt", include_str!("letter/letter.txt.j2"), &values)?;
    let html = e.render_named_str("letter.html", include_str!("letter/letter.html.j2"), &values)?;
    Ok((text, html))
}

fn vocabulary(w: &Words) -> Value {
    context! {
        code => w.code, why => w.why, seen => w.seen, threshold => w.threshold, raised => w.raised, chart => w.chart,
        loudest => w.loudest, copies => w.copies, sites => w.sites, followers => w.followers, reached => w.reached,
        told => w.told, first => w.first, checklist => w.checklist, due => w.due, dos => w.dos, donts => w.donts,
        say => w.say, take => w.take, details => w.details, people => w.people, has_it => w.has_it, over => w.over,
        since => w.since, hot => w.hot, fresh => w.fresh, held => w.held, incidents => w.incidents,
        planned => w.planned,
    }
}

/// A post that is planned: when, where and what.
fn post(p: &Planned, words: &Words, zone: &TimeZone) -> Value {
    // A day's post has no hour that could be told.
    let at = if p.whole_day { String::new() } else { words.time(p.from, zone) };
    context! { at, channel => header_text(&p.channel, 30), name => header_text(&p.name, 80), text => header_text(&p.text, 160) }
}

/// How many messages were held back, and the first of the incidents that they are about.
fn held(of: &[i64]) -> Option<Value> {
    let mut incidents = of.to_vec();
    incidents.sort_unstable();
    incidents.dedup();
    let more = incidents.len() > HELD;
    let mut named: Vec<String> = incidents.iter().take(HELD).map(i64::to_string).collect();
    named.extend(more.then(|| "…".to_owned()));
    (!of.is_empty()).then(|| context! { n => of.len(), incidents => named.join(", ") })
}

/// Between what the window usually lies; empty for an incident that does not know.
fn usual(i: &Incident, words: &Words) -> String {
    match i.evidence.range {
        (_, 0) => String::new(),
        (most, rare) => {
            format!("{} {}, {} {}", words.at_most, words.number(most), words.seldom, words.number(rare))
        }
    }
}

/// How seldom chance alone would bring as much; empty for a rule that does not ask how strange its window is.
fn by_chance(i: &Incident, words: &Words) -> String {
    let days = i.evidence.days_apart;
    if days > 0.0 { seldom(words.code, days) } else { String::new() }
}

/// White on each of these is read at 4.5 : 1 and better.
fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Crisis => "#9b1c1c",
        Severity::Escalate => "#a33b00",
        Severity::Review => "#6b5200",
        Severity::Watch => "#1f5f8b",
    }
}

fn reason(t: &crate::model::Term, words: &Words) -> Reason {
    Reason {
        meaning: meaning_in(words.code, &t.signal),
        value: words.decimal(t.value, 2),
        threshold: format!("{} {}", t.op, words.decimal(t.threshold, 2)),
        held: t.held,
    }
}

fn task(t: &crate::model::playbook::Task, severity: Severity) -> Value {
    context! { role => t.role.as_str(), due => t.due_for(severity).map(|d| d.to_string()), what => t.what.as_str() }
}

/// Holding statements in the languages that the mentions speak, most spoken first, and in the reader's own.
fn statements(brief: &Brief<'_>) -> Vec<Statement> {
    let Some(playbook) = brief.playbook else { return Vec::new() };
    let mut spoken: Vec<(&str, usize)> = Vec::new();
    for m in brief.mentions {
        match spoken.iter_mut().find(|(l, _)| *l == m.language) {
            Some((_, n)) => *n += 1,
            None => spoken.push((&m.language, 1)),
        }
    }
    spoken.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let mut languages: Vec<&str> = spoken.into_iter().map(|(l, _)| l).collect();
    if let Some(own) = brief.person.languages.first()
        && !languages.contains(&own.as_str())
    {
        languages.push(own);
    }
    languages
        .into_iter()
        .filter_map(|l| playbook.statement(l))
        .map(|s| {
            // What is said in public leads to a page of the brand's, which only people know: never to vakt's own. The rules
            // room has tried every statement; one that fails is shown as it is written.
            let text = wording::fill(&s.text, brief.brand, wording::LINK).unwrap_or_else(|| s.text.clone());
            Statement { language: s.language.clone(), text: header_text(&text, 1200) }
        })
        .collect()
}

/// How to begin a statement for one network.
fn draft(brief: &Brief<'_>, words: &Words) -> String {
    let (id, name) = (brief.incident.id, &brief.person.name);
    format!("vakt draft new --incident {id} --language {} --network x --as {name}", words.code)
}

/// A note to the operator.
#[derive(Debug)]
pub struct Note<'a> {
    /// One line.
    pub subject: &'a str,
    /// Plain text.
    pub text: &'a str,
    /// Without angle brackets.
    pub message_id: &'a str,
}

/// Most characters of a note.
const MOST_NOTE: usize = 40_000;

/// Composes a note to the operator.
pub fn note(note: &Note<'_>) -> Letter {
    let text: String = note.text.chars().filter(|c| *c == '\n' || !defang::unseen(*c)).take(MOST_NOTE).collect();
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let subject = header_text(note.subject, 150);
    Letter {
        html: format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{}</title></head>\n\
             <body><pre style=\"white-space:pre-wrap;overflow-wrap:anywhere\">{}</pre></body></html>",
            escaped(&subject),
            escaped(&text)
        ),
        subject,
        text,
        chart: None,
        message_id: format!("<{}>", note.message_id),
        in_reply_to: None,
        references: Vec::new(),
        incident: 0,
        severity: "note",
        urgent: false,
    }
}

#[cfg(test)]
pub(super) mod tests;
