//! The after-action report as Markdown and as a page of HTML that needs nothing beside it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::{Value, context};

use super::events::EVENTS;
use super::words::{ASKED, WORDS};
use super::{Facts, Statement, findings};
use crate::model::Severity;
use crate::model::time::between;
use crate::report::chart;
use crate::report::page::{self, Kind};
use crate::report::words::{filled, vocabulary, word};
use crate::text::figures::Figures;

/// In which form a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// CommonMark with tables.
    Markdown,
    /// One page of HTML.
    Html,
}

/// A report that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Its template is wrong.
    #[error("the report's template fails")]
    Template(#[from] minijinja::Error),
    /// Its chart cannot be drawn.
    #[error(transparent)]
    Chart(#[from] chart::ChartError),
}

/// Most lines of a timeline, and most of any other list.
const LINES: usize = 400;
const ROWS: usize = 100;
/// Longest text of a statement and of a line, in characters.
const TEXT: usize = 4000;
const LINE: usize = 600;

/// Figures and words of a reader, with the zone that times are shown in.
struct Reader<'a> {
    figures: &'static Figures,
    zone: &'a TimeZone,
}

impl Reader<'_> {
    fn time(&self, at: Timestamp) -> String {
        self.figures.time(at, self.zone)
    }

    fn word<'k>(&self, key: &'k str) -> &'k str {
        word(WORDS, self.figures.column, key)
    }

    fn filled(&self, key: &str, with: &[String]) -> String {
        filled(WORDS, self.figures.column, key, with)
    }

    /// How many of a list are left out, in words.
    fn more(&self, all: usize, most: usize) -> Option<String> {
        let left = u64::try_from(all.saturating_sub(most)).unwrap_or(0);
        (left > 0).then(|| self.filled("more", &[self.figures.number(left)]))
    }
}

/// Writes the report in a language (English where it is none of the five), with times of a zone.
///
/// # Errors
/// When its template or its chart fails, which is a fault of vakt.
pub fn render(f: &Facts, form: Form, language: &str, zone: &TimeZone) -> Result<String, RenderError> {
    let r = Reader { figures: Figures::of(language), zone };
    let n = r.figures;
    let title = if f.title.starts_with(&f.brand) { f.title.clone() } else { format!("{}: {}", f.brand, f.title) };
    let zone_name = zone.iana_name().unwrap_or("UTC");
    let asked = findings(f, n);
    let asked: Vec<String> = asked.iter().map(|q| filled(ASKED, n.column, q.key, &q.with)).collect();
    let values = context! {
        w => vocabulary(&[WORDS], n.column),
        code => n.code,
        title,
        incident => f.incident,
        severity => f.severity.as_str().to_uppercase(),
        colour => colour(f.severity),
        status => r.word(f.status.as_str()),
        drill => f.drill,
        shadow => f.shadow,
        written => r.time(f.now),
        zone => r.filled("zone", &[zone_name.to_owned()]),
        summary => f.summary.as_ref().map(|s| context! {
            model => page::line(&s.model, 60),
            paragraphs => s.text.split("\n\n").map(|p| page::line(p, TEXT)).filter(|p| !p.is_empty()).take(ROWS).collect::<Vec<_>>(),
        }),
        times => times(f, &r),
        figures => figures(f, &r),
        chart => picture(f, &r, form)?,
        condition => f.condition.as_str(),
        terms => f.terms.iter().map(|(signal, value, threshold)| context! {
            signal => signal.as_str(), value => n.decimal(*value, if value.fract() == 0.0 { 0 } else { 2 }), threshold => threshold.as_str(),
        }).collect::<Vec<_>>(),
        voices => f.voices.iter().map(|v| context! {
            place => v.place.as_str(), network => v.network.as_str(), author => v.author.as_str(), title => v.title.as_str(), quote => v.quote.as_str(), link => v.link.as_str(),
            language => v.language.as_str(), at => r.time(v.at), reach => n.number(v.reach), copies => n.number(v.copies),
            negative => v.negative,
        }).collect::<Vec<_>>(),
        asked => asked.iter().map(|q| ticked(q, form)).collect::<Vec<_>>(),
        statements => f.statements.iter().take(ROWS).map(|s| statement(s, &r)).collect::<Vec<_>>(),
        statements_more => r.more(f.statements.len(), ROWS),
        steps => f.steps.iter().take(ROWS).map(|s| context! {
            role => s.role.as_str(),
            what => s.what.as_str(),
            due => s.due.map(|d| r.time(d)),
            done => s.done.as_ref().map(|(who, at)| format!("{who}, {}", r.time(*at))),
            late => matches!((&s.done, s.due), (Some((_, at)), Some(due)) if *at > due),
        }).collect::<Vec<_>>(),
        decisions => f.timeline.iter().filter(|l| l.what == "decided").take(ROWS).map(|l| context! {
            at => r.time(l.at), who => l.who.as_str(), what => page::line(&l.detail, TEXT),
        }).collect::<Vec<_>>(),
        calls => f.sent.iter().take(ROWS).map(|s| context! {
            person => s.person.as_str(), channel => s.channel.as_str(), state => r.word(&s.state), at => r.time(s.created),
            took => s.done.filter(|_| s.state == "delivered").map(|done| n.span(between(s.created, done))),
        }).collect::<Vec<_>>(),
        calls_more => r.more(f.sent.len(), ROWS),
        timeline => f.timeline.iter().take(LINES).map(|l| context! {
            at => r.time(l.at), who => l.who.as_str(), what => word(EVENTS, n.column, &l.what), detail => page::line(&l.detail, LINE),
        }).collect::<Vec<_>>(),
        timeline_more => r.more(f.timeline.len(), LINES),
    };
    Ok(match form {
        Form::Markdown => page::render(Kind::Markdown, include_str!("after.md.j2"), values)?,
        Form::Html => page::render(Kind::Html, include_str!("after.html.j2"), values)?,
    })
}

/// The six times that count, each with how long after the first mention it was and with who.
fn times(f: &Facts, r: &Reader<'_>) -> Vec<Value> {
    let row = |key: &'static str, at: Option<Timestamp>, who: &str| {
        let missing = if f.resolved.is_some() { "never" } else { "not_yet" };
        context! {
            name => r.word(key),
            at => at.map_or_else(|| r.word(missing).to_owned(), |at| r.time(at)),
            after => at.map(|at| r.figures.span(f.after_first(at))),
            who,
        }
    };
    let (told, taken) = (f.told(), f.taken.as_ref());
    let ended = f.resolved.as_ref();
    let by = ended.map_or("", |(who, _)| if who == "vakt" { r.word("by_itself") } else { who.as_str() });
    let mut out = Vec::new();
    out.extend(f.first.map(|at| row("t_first", Some(at), "")));
    out.extend(f.received.map(|at| row("t_received", Some(at), "")));
    out.push(row("t_opened", Some(f.opened), ""));
    out.push(row("t_told", told.map(|(_, at)| at), told.map_or("", |(who, _)| who)));
    out.push(row("t_taken", taken.map(|(_, at)| *at), taken.map_or("", |(who, _)| who)));
    let said = f.statements.iter().filter_map(|s| s.handed_over.as_ref()).min_by_key(|(_, at, _)| *at);
    out.push(row("t_answered", f.answered(), said.map_or("", |(who, _, _)| who)));
    out.push(row("t_resolved", ended.map(|(_, at)| *at), by));
    out
}

/// How large it was: names and values.
fn figures(f: &Facts, r: &Reader<'_>) -> Vec<Value> {
    let n = r.figures;
    let pair = |name: String, value: String| context! { name, value };
    let listed = |all: &[(String, u64)]| {
        all.iter().take(8).map(|(name, count)| format!("{name} {}", n.number(*count))).collect::<Vec<_>>().join(", ")
    };
    let share = f.negative as f64 / f.mentions.max(1) as f64;
    let (peak, usual) = f.peak;
    let places = usize::from(usual < 10.0);
    let mut out = vec![
        pair(
            r.word("n_mentions").into(),
            format!("{} ({} {}, {})", n.number(f.mentions), r.word("n_negative"), n.number(f.negative), n.share(share)),
        ),
        pair(r.word("n_authors").into(), n.number(f.authors)),
        pair(r.word("n_reach").into(), n.number(f.reach)),
        pair(
            r.filled("n_peak", &[n.span(f.window)]),
            format!("{} ({} {})", n.number(peak), r.word("n_usual"), n.decimal(usual, places)),
        ),
    ];
    if let Some((at, count)) = f.busiest {
        out.push(pair(r.word("n_busiest").into(), format!("{}: {}", r.time(at), n.number(u64::from(count)))));
    }
    for (key, all) in [("n_networks", &f.networks), ("n_languages", &f.languages)] {
        if !all.is_empty() {
            out.push(pair(r.word(key).into(), listed(all)));
        }
    }
    out
}

/// The chart as a line of text and as a picture within the page, with what it shows in words.
fn picture(f: &Facts, r: &Reader<'_>, form: Form) -> Result<Value, RenderError> {
    let (s, n) = (&f.series, r.figures);
    let buckets = i64::try_from(s.mentions.len()).unwrap_or(0);
    let width = s.bucket.as_millis().max(1);
    let last = s.start + crate::model::time::Span::millis(width.saturating_mul(buckets));
    let most = s.mentions.iter().copied().max().unwrap_or(0);
    let usual = s.expected.iter().copied().fold(0.0, f32::max);
    let with =
        [r.time(s.start), r.time(last), n.span(s.bucket), n.number(u64::from(most)), n.decimal(f64::from(usual), 1)];
    let slot = usize::try_from(between(s.start, f.opened).as_millis() / width).unwrap_or(0);
    let png = match form {
        Form::Markdown => None,
        Form::Html => {
            let drawn = chart::marked(s, &[(slot.min(s.mentions.len().saturating_sub(1)), f.severity)])?;
            Some(Value::from_safe_string(format!("data:image/png;base64,{}", STANDARD.encode(drawn))))
        }
    };
    Ok(context! { line => chart::sparkline(&s.mentions), alt => r.filled("chart_alt", &with), png })
}

fn statement(s: &Statement, r: &Reader<'_>) -> Value {
    let text: String = s.text.chars().take(TEXT).collect();
    let approvals: Vec<String> = s.approvals.iter().map(|(who, at)| format!("{who}, {}", r.time(*at))).collect();
    let count = |n: usize| r.figures.number(u64::try_from(n).unwrap_or(0));
    let signed = |(who, at, note): &(String, Timestamp, String)| {
        let note = page::line(note, LINE);
        format!("{who}, {}{}", r.time(*at), if note.is_empty() { String::new() } else { format!(": {note}") })
    };
    context! {
        draft => s.draft,
        language => s.language.as_str(),
        network => if s.network.is_empty() { r.word("anywhere") } else { &s.network },
        lines => text.lines().map(str::to_owned).collect::<Vec<_>>(),
        machine => s.machine.as_str(),
        authors => s.authors.join(", "),
        approvals,
        asked => r.filled("of_asked", &[count(s.approvals.len()), count(s.asked)]),
        rejected => s.rejected.as_ref().map(signed),
        handed_over => s.handed_over.as_ref().map(signed),
    }
}

/// A sentence of ours in which commands stand between backticks; what fills it is escaped.
fn ticked(text: &str, form: Form) -> Value {
    let mut out = String::new();
    for (n, part) in text.split('`').enumerate() {
        let code = n % 2 == 1;
        out.push_str(&match (form, code) {
            (Form::Markdown, true) => format!("`{part}`"),
            (Form::Markdown, false) => page::markdown(part),
            (Form::Html, true) => format!("<code>{}</code>", page::html(part)),
            (Form::Html, false) => page::html(part),
        });
    }
    Value::from_safe_string(out)
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
