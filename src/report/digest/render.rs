//! A digest as plain text and as HTML for mail: the same in both, in the reader's language.

use jiff::tz::TimeZone;
use minijinja::{Value, context};

use super::table::total;
use super::words::WORDS;
use super::{Digest, Rank};
use crate::model::time::Span;
use crate::report::after::{RenderError, Voice};
use crate::report::chart;
use crate::report::page::{self, Kind};
use crate::report::words::{filled, vocabulary, word};
use crate::text::figures::Figures;

/// A digest to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// One line.
    pub subject: String,
    /// All of it as plain text.
    pub text: String,
    /// All of it as HTML, with the chart as whatever was said for its address.
    pub html: String,
    /// The chart as PNG.
    pub chart: Vec<u8>,
}

struct Reader {
    figures: &'static Figures,
    zone: TimeZone,
}

impl Reader {
    fn word<'k>(&self, key: &'k str) -> &'k str {
        word(WORDS, self.figures.column, key)
    }

    fn filled(&self, key: &str, with: &[String]) -> String {
        filled(WORDS, self.figures.column, key, with)
    }

    /// How much more it is, or a dash where there was nothing before.
    fn change(&self, now: u64, before: u64) -> String {
        match before {
            0 => "–".to_owned(),
            _ => self.figures.change(now as f64 / before as f64 - 1.0),
        }
    }

    fn span(&self, span: Option<Span>) -> String {
        span.map_or_else(|| "–".to_owned(), |s| self.figures.span(s))
    }
}

/// Shows a digest in a language; `chart` is the address of the chart within the HTML, made from its bytes.
///
/// # Errors
/// When its template or its chart fails, which is a fault of vakt.
pub fn show(d: &Digest, language: &str, chart: impl Fn(&[u8]) -> String) -> Result<Shown, RenderError> {
    let r = Reader { figures: Figures::of(language), zone: d.zone.clone() };
    let n = r.figures;
    let png = chart::png(&d.series)?;
    let days = |p: crate::model::Period| match p.first == p.last() {
        true => n.long_day(p.first),
        false => format!("{} – {}", n.short_day(p.first), n.day(p.last())),
    };
    let kind = r.word(d.period.length.as_str());
    let heading = format!("{kind}: {}", d.title);
    let when = days(d.period);
    let all = (total(d, |s| s.now.mentions), total(d, |s| s.before.mentions));
    let largest = |of: &[Rank]| of.iter().map(|x| x.now).max().unwrap_or(1).max(1);
    let ranked = |of: &[Rank]| {
        let most = largest(of);
        of.iter()
            .map(|x| context! { name => x.name.as_str(), now => n.number(x.now), change => r.change(x.now, x.before), bar => x.now * 100 / most })
            .collect::<Vec<Value>>()
    };
    let values = context! {
        w => vocabulary(&[WORDS], n.column),
        code => n.code,
        heading,
        when => when.as_str(),
        against => r.filled("against", &[days(d.period.before())]),
        zone => r.filled("zone", &[r.zone.iana_name().unwrap_or("UTC").to_owned()]),
        glance => glance(d, &r),
        silent => d.now.mentions == 0,
        chart => context! { src => Value::from_safe_string(chart(&png)), alt => alt(d, &r), line => chart::sparkline(&d.series.mentions) },
        shares => d.shares.iter().map(|s| {
            let (now, before) = (s.now.mentions as f64 / all.0, s.before.mentions as f64 / all.1);
            context! {
                title => s.title.as_str(), own => s.own, share => n.share(now), before => n.share(before), bar => (now * 100.0).round() as i64,
                mentions => n.number(s.now.mentions), change => r.change(s.now.mentions, s.before.mentions),
                negative => n.share(s.now.negative_share()),
            }
        }).collect::<Vec<_>>(),
        networks => ranked(&d.networks),
        languages => ranked(&d.languages),
        sites => ranked(&d.sites),
        writers => d.writers.iter().map(|a| context! {
            name => a.name.as_str(), network => a.network.as_str(), mentions => n.number(a.mentions), reach => n.number(a.reach),
        }).collect::<Vec<_>>(),
        stories => d.stories.iter().map(|v| told(v, None, &r)).collect::<Vec<_>>(),
        best => d.best.iter().zip(&d.engagement).map(|(v, e)| told(v, Some(*e), &r)).collect::<Vec<_>>(),
        hot => d.hot.iter().map(|(term, texts)| format!("{term} {texts}×")).collect::<Vec<_>>(),
        incidents => d.incidents.iter().take(20).map(|i| context! {
            id => i.id, title => i.title.as_str(), severity => i.severity.as_str().to_uppercase(), opened => n.time(i.opened, &r.zone),
            taken => r.span(i.taken), over => r.span(i.over),
        }).collect::<Vec<_>>(),
    };
    Ok(Shown {
        subject: format!("[vakt] {kind}: {}, {when}", d.title),
        text: page::render(Kind::Text, include_str!("digest.txt.j2"), values.clone())?,
        html: page::render(Kind::Html, include_str!("digest.html.j2"), values)?,
        chart: png,
    })
}

/// The numbers that are looked at first, each beside the period before.
fn glance(d: &Digest, r: &Reader) -> Vec<Value> {
    let n = r.figures;
    let row = |key: &str, now: String, before: String, change: String| {
        context! { name => r.word(key), now, before, change }
    };
    let count = |key: &str, a: u64, b: u64| row(key, n.number(a), n.number(b), r.change(a, b));
    // Shares differ in points of their own: a change of a change misleads.
    let share = |key: &str, a: f64, b: f64| row(key, n.share(a), n.share(b), String::new());
    let (now, before, fast) = (&d.now, &d.before, &d.response);
    let mut out = vec![
        count("mentions", now.mentions, before.mentions),
        count("authors", d.authors.0, d.authors.1),
        count("reach", now.reach, before.reach),
        share("negative", now.negative_share(), before.negative_share()),
        share("positive", now.positive_share(), before.positive_share()),
        row("sentiment", n.decimal(now.mean(), 2), n.decimal(before.mean(), 2), String::new()),
        count("incidents", fast.0.incidents, fast.1.incidents),
        row("median_taken", r.span(fast.0.taken), r.span(fast.1.taken), String::new()),
    ];
    if fast.0.needed + fast.1.needed > 0 {
        out.push(count("needed", fast.0.needed, fast.1.needed));
        out.push(count("answered", fast.0.answered, fast.1.answered));
        out.push(count("in_time", fast.0.in_time, fast.1.in_time));
        out.push(row("median_answer", r.span(fast.0.answer), r.span(fast.1.answer), String::new()));
    }
    out
}

fn alt(d: &Digest, r: &Reader) -> String {
    let n = r.figures;
    let (slot, most) =
        d.series.mentions.iter().enumerate().max_by_key(|(n, m)| (**m, std::cmp::Reverse(*n))).unwrap_or((0, &0));
    let at = match d.series.bucket < Span::days(1) {
        true => n.time(d.series.start + Span::hours(i64::try_from(slot).unwrap_or(0)), &r.zone),
        false => d.period.days().nth(slot).map(|day| n.long_day(day)).unwrap_or_default(),
    };
    let usual = d.series.expected.first().copied().unwrap_or(0.0);
    r.filled("chart_alt", &[n.span(d.series.bucket), n.number(u64::from(*most)), at, n.decimal(f64::from(usual), 1)])
}

fn told(v: &Voice, engagement: Option<u64>, r: &Reader) -> Value {
    let n = r.figures;
    context! {
        place => v.place.as_str(), network => v.network.as_str(), author => v.author.as_str(), title => v.title.as_str(),
        quote => v.quote.as_str(), link => v.link.as_str(), language => v.language.as_str(), at => n.time(v.at, &r.zone),
        reach => n.number(v.reach), copies => n.number(v.copies), negative => v.negative,
        engagement => engagement.map(|e| n.number(e)),
    }
}
