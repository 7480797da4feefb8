//! The values of fields as people write them: names, numbers, ranges, sites, instants.

use std::ops::Range;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::fact::{Fact, Field, Takes, Wanted, When};
use super::wild::Wild;
use super::{Code, Mistake, country};
use crate::model::time::Span;
use crate::text::language;
use crate::text::tokens::Tokens;

/// A value as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Written<'a> {
    /// A bare word.
    Bare(&'a str),
    /// Text in quotes.
    Quoted(&'a str),
    /// `[a TO b]`, without the brackets.
    Range(&'a str),
    /// `>`, `>=`, `<` or `<=`, and what follows.
    Compare(&'a str, &'a str),
}

type Read<T> = Result<T, (Code, String, String)>;

/// Reads the value of a field.
pub(super) fn read(field: Field, written: &Written<'_>, span: Range<usize>) -> Result<Fact, Mistake> {
    let value = match field.takes() {
        Takes::Query | Takes::Words => words(field, written),
        Takes::Name => name(field, written),
        Takes::One(known) => one(field, written, known),
        Takes::Language => spoken(written),
        Takes::Number(low, high) => number(field, written, low, high),
        Takes::Sentiment => sentiment(written),
        Takes::Time => time(field, written),
    };
    let wrong = |(code, message, help): (Code, String, String)| Mistake::error(code, span, message, help);
    value.map(|value| Fact { field, value }).map_err(wrong)
}

fn kind<T>(field: Field, wanted: &str) -> Read<T> {
    let name = field.name();
    Err((Code::FieldValue, format!("`{name}:` does not take this"), format!("write {name}:{wanted}")))
}

fn text<'a>(field: Field, written: &Written<'a>, example: &str) -> Read<&'a str> {
    match written {
        Written::Bare(text) | Written::Quoted(text) if !text.trim().is_empty() => Ok(text.trim()),
        _ => kind(field, example),
    }
}

fn words(field: Field, written: &Written<'_>) -> Read<Wanted> {
    let text = text(field, written, "word, or \"some words\"")?;
    if field == Field::Raw {
        if !text.contains(char::is_alphanumeric) && Tokens::read(text).list.is_empty() {
            return kind(field, "\"Text as it is written\"");
        }
        return Ok(Wanted::Words(vec![text.to_owned()]));
    }
    let words = address_words(text);
    if words.is_empty() {
        return kind(field, "word");
    }
    Ok(Wanted::Words(words))
}

/// The words of an address: its runs of letters and digits, lower case.
pub fn address_words(address: &str) -> Vec<String> {
    let runs = address.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    runs.map(str::to_lowercase).filter(|w| !matches!(w.as_str(), "http" | "https" | "www")).collect()
}

fn name(field: Field, written: &Written<'_>) -> Read<Wanted> {
    let example = match field {
        Field::Site => "example.org",
        Field::Country => "se",
        Field::Story => "123",
        _ => "name, or \"two words\"",
    };
    let text = text(field, written, example)?.to_lowercase();
    if field == Field::Site {
        return site(&text);
    }
    if field == Field::Country {
        let code = country::code(&text).map(|code| Wanted::Name(code.to_owned()));
        return code.ok_or_else(|| country::unknown(&text));
    }
    let text = match field {
        Field::Network => network(&text).to_owned(),
        Field::Author => text.trim_start_matches('@').to_owned(),
        Field::Channel => text.trim_start_matches("r/").trim_start_matches('#').to_owned(),
        Field::Tags => text.trim_start_matches('#').to_owned(),
        _ => text,
    };
    if text.is_empty() {
        return kind(field, example);
    }
    if !text.contains(['*', '?']) {
        return Ok(Wanted::Name(text));
    }
    let too_open = |_| {
        let help = format!("write at least two letters before the `*`: {}:acme*", field.name());
        (Code::Wildcard, "a wildcard stands after the first letters".to_owned(), help)
    };
    Wild::new(&text).map(Wanted::Wild).map_err(too_open)
}

/// Networks by their other names.
const NETWORKS: &[(&str, &str)] = &[("twitter", "x"), ("fb", "facebook"), ("ig", "instagram")];

/// The name of a network that is known by several, in lower case.
pub fn network(text: &str) -> &str {
    NETWORKS.iter().find(|(other, _)| *other == text).map_or(text, |(_, own)| own)
}

fn site(text: &str) -> Read<Wanted> {
    let bare = text.trim_start_matches("https://").trim_start_matches("http://");
    let bare = bare.trim_start_matches("www.").trim_start_matches("*.").trim_start_matches('.');
    let (host, path) = bare.split_once('/').map_or((bare, ""), |(h, p)| (h, p.trim_end_matches(['*', '/'])));
    let host = host.split(':').next().unwrap_or("").trim_end_matches('.');
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if host.is_empty() || !host.chars().all(fits) {
        let help = "write site:example.org, or site:example.org/path; subdomains are meant as well";
        return Err((Code::FieldValue, format!("`{text}` is no host"), help.into()));
    }
    Ok(Wanted::Site(host.to_owned(), path.to_owned()))
}

fn one(field: Field, written: &Written<'_>, known: &[&str]) -> Read<Wanted> {
    let text = text(field, written, known.first().copied().unwrap_or(""))?.to_lowercase();
    let text = match text.as_str() {
        "retweet" | "share" => "repost".to_owned(),
        "yes" => "true".to_owned(),
        "no" => "false".to_owned(),
        _ => text,
    };
    if known.contains(&text.as_str()) {
        return Ok(Wanted::Name(text));
    }
    let help = super::suggest(&text, known.iter().copied());
    Err((Code::FieldValue, format!("`{text}` is no value of `{}:`", field.name()), help))
}

/// Languages by their names, as some people write them.
const LANGUAGES: &[(&str, &str)] = &[
    ("english", "en"),
    ("swedish", "sv"),
    ("german", "de"),
    ("italian", "it"),
    ("spanish", "es"),
    ("french", "fr"),
    ("portuguese", "pt"),
    ("dutch", "nl"),
    ("danish", "da"),
    ("norwegian", "no"),
    ("finnish", "fi"),
    ("polish", "pl"),
    ("arabic", "ar"),
    ("chinese", "zh"),
    ("japanese", "ja"),
    ("korean", "ko"),
    ("russian", "ru"),
    ("ukrainian", "uk"),
    ("turkish", "tr"),
    ("greek", "el"),
    ("hebrew", "he"),
    ("hindi", "hi"),
    ("thai", "th"),
    ("vietnamese", "vi"),
    ("czech", "cs"),
    ("slovak", "sk"),
    ("slovenian", "sl"),
    ("croatian", "hr"),
    ("hungarian", "hu"),
    ("romanian", "ro"),
    ("bulgarian", "bg"),
    ("estonian", "et"),
    ("latvian", "lv"),
    ("lithuanian", "lt"),
    ("icelandic", "is"),
    ("catalan", "ca"),
];

fn spoken(written: &Written<'_>) -> Read<Wanted> {
    let text = text(Field::Language, written, "sv")?.to_lowercase();
    let code = LANGUAGES.iter().find(|(name, _)| *name == text).map_or(text.as_str(), |(_, code)| code);
    let known = language::known(code);
    if known != language::UNKNOWN || code == language::UNKNOWN {
        return Ok(Wanted::Name(known.to_owned()));
    }
    Err((
        Code::FieldValue,
        format!("`{text}` is no language that vakt knows"),
        "write an ISO 639-1 code: language:sv".into(),
    ))
}

/// `250`, `2.5`, `10k`, `1m`, `1_000`.
fn numeral(text: &str) -> Option<f64> {
    let text = text.trim().replace('_', "").to_lowercase();
    let (digits, times) = match text.strip_suffix(['k', 'm']) {
        Some(digits) if text.ends_with('k') => (digits, 1e3),
        Some(digits) => (digits, 1e6),
        None => (text.as_str(), 1.0),
    };
    let plain = digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'));
    digits.parse::<f64>().ok().filter(|n| plain && n.is_finite()).map(|n| n * times)
}

/// The two ends of `a TO b`, where `*` is open.
fn ends(range: &str) -> Option<(&str, &str)> {
    let mut words = range.split_whitespace();
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(a), Some("TO" | "to"), Some(b), None) => Some((a, b)),
        _ => None,
    }
}

/// A range that ends before it begins, with its ends the other way round.
fn order<T>(field: Field, written: &Written<'_>) -> Read<T> {
    let ends = match written {
        Written::Range(range) => ends(range),
        _ => None,
    };
    let (low, high) = ends.map_or(("10", "100"), |(a, b)| (b, a));
    let help = format!("write the smaller end first: {}:[{low} TO {high}]", field.name());
    Err((Code::RangeOrder, "this range ends before it begins".into(), help))
}

fn number(field: Field, written: &Written<'_>, lowest: f64, highest: f64) -> Read<Wanted> {
    let example = "[10 TO 100], or >10";
    let read = |text: &str| numeral(text).ok_or(());
    let (low, high) = match written {
        Written::Bare(text) | Written::Quoted(text) => match read(text) {
            Ok(n) => (n, n),
            Err(()) => return kind(field, example),
        },
        Written::Range(range) => {
            let Some((a, b)) = ends(range) else { return kind(field, "[10 TO 100]") };
            let end = |text: &str, open: f64| if text == "*" { Ok(open) } else { read(text) };
            match (end(a, f64::NEG_INFINITY), end(b, f64::INFINITY)) {
                (Ok(a), Ok(b)) => (a, b),
                _ => return kind(field, "[10 TO 100], with numbers"),
            }
        }
        Written::Compare(op, text) => match (*op, read(text)) {
            (">", Ok(n)) => (next_above(field, n), f64::INFINITY),
            (">=", Ok(n)) => (n, f64::INFINITY),
            ("<", Ok(n)) => (f64::NEG_INFINITY, next_below(field, n)),
            ("<=", Ok(n)) => (f64::NEG_INFINITY, n),
            _ => return kind(field, example),
        },
    };
    if low > high {
        return order(field, written);
    }
    if low > highest || high < lowest {
        let help = format!("`{}:` goes from {lowest} to {highest}", field.name());
        return Err((Code::FieldValue, "no mention has such a value".into(), help));
    }
    Ok(Wanted::Number(low, high))
}

/// Whether a field is a whole number, so that «more than 10» is 11 and more.
fn is_whole(field: Field) -> bool {
    !matches!(field, Field::Rating | Field::Sentiment)
}

fn next_above(field: Field, n: f64) -> f64 {
    if is_whole(field) { n.floor() + 1.0 } else { f64::from((n as f32).next_up()) }
}

fn next_below(field: Field, n: f64) -> f64 {
    if is_whole(field) { n.ceil() - 1.0 } else { f64::from((n as f32).next_down()) }
}

fn sentiment(written: &Written<'_>) -> Read<Wanted> {
    let labels = ["negative", "neutral", "positive"];
    if let Written::Bare(text) | Written::Quoted(text) = written
        && numeral(text).is_none()
    {
        return one(Field::Sentiment, written, &labels);
    }
    number(Field::Sentiment, written, -1.0, 1.0)
}

/// `2026-01-01`, `2026-01-01T08:00Z`, `now`, `now-7d`, `7d` (so long ago).
fn instant(text: &str) -> Option<When> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("now") {
        return Some(When::Ago(0));
    }
    let ago = text.strip_prefix("now-").or_else(|| text.strip_prefix("NOW-")).unwrap_or(text);
    if let Ok(span) = Span::parse(ago) {
        return Some(When::Ago(span.as_millis()));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(When::At(at.as_millisecond()));
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok();
    let civil =
        civil.or_else(|| text.parse::<jiff::civil::Date>().ok().map(|d| d.to_datetime(jiff::civil::Time::midnight())));
    let at = civil?.to_zoned(TimeZone::UTC).ok()?;
    Some(When::At(at.timestamp().as_millisecond()))
}

/// Whether the text is a day without a time, which lasts until its end.
fn is_day(text: &str) -> bool {
    text.trim().parse::<jiff::civil::Date>().is_ok() && !text.contains(['T', ' ', ':'])
}

const DAY: i64 = 86_400_000;

fn time(field: Field, written: &Written<'_>) -> Read<Wanted> {
    let example = "[2026-01-01 TO now-7d], or >2026-01-01";
    let bad = |text: &str| {
        let help = format!("write {}:{example}; times are 2026-01-01, 2026-01-01T08:00Z, now or now-7d", field.name());
        (Code::FieldValue, format!("`{text}` is no time"), help)
    };
    let read = |text: &str| instant(text).ok_or_else(|| bad(text));
    // The end of a day is the day's end.
    let after = |text: &str| {
        read(text).map(|when| match when {
            When::At(at) if is_day(text) => When::At(at + DAY),
            When::At(at) => When::At(at + 1),
            When::Ago(ago) => When::Ago(ago - 1),
        })
    };
    let (from, to) = match written {
        Written::Bare(text) | Written::Quoted(text) if is_day(text) => (Some(read(text)?), Some(after(text)?)),
        Written::Bare(text) | Written::Quoted(text) => (Some(read(text)?), None),
        Written::Range(range) => {
            let Some((a, b)) = ends(range) else { return kind(field, "[2026-01-01 TO 2026-02-01]") };
            let from = if a == "*" { None } else { Some(read(a)?) };
            let to = if b == "*" { None } else { Some(after(b)?) };
            (from, to)
        }
        Written::Compare(">", text) => (Some(after(text)?), None),
        Written::Compare(">=", text) => (Some(read(text)?), None),
        Written::Compare("<", text) => (None, Some(read(text)?)),
        Written::Compare(_, text) => (None, Some(after(text)?)),
    };
    let wrong = match (from, to) {
        (Some(When::At(a)), Some(When::At(b))) => a >= b,
        (Some(When::Ago(a)), Some(When::Ago(b))) => a <= b,
        _ => false,
    };
    if wrong { order(field, written) } else { Ok(Wanted::Time(from, to)) }
}
