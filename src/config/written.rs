//! Reads TOML as it was written, key by key, and collects every mistake instead of stopping at the first.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use xxhash_rust::xxh3::xxh3_64;

use super::fault::{Fault, Sheet, suggest};
use crate::model::time::Span;

/// A value with the bytes it was written in.
#[derive(Debug, Clone, PartialEq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Range<usize>,
}

/// Where mistakes are collected while a sheet is read.
#[derive(Debug)]
pub struct Desk {
    /// The sheet being read.
    pub sheet: Arc<Sheet>,
    faults: RefCell<Vec<Fault>>,
}

impl Desk {
    /// A desk for one sheet.
    pub fn new(sheet: Arc<Sheet>) -> Desk {
        Desk { sheet, faults: RefCell::default() }
    }

    /// Notes a mistake.
    pub fn error(&self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.push(Fault::error(&self.sheet, span, message).help(help));
    }

    /// Notes any fault.
    pub fn push(&self, fault: Fault) {
        self.faults.borrow_mut().push(fault);
    }

    /// Parses the sheet as TOML and hands its root table over; syntax errors are noted.
    pub fn read(&self, work: impl FnOnce(Form<'_>)) {
        let (table, errors) = DeTable::parse_recoverable(&self.sheet.text);
        for e in errors {
            let span = e.span().unwrap_or(0..0);
            self.push(Fault::error(&self.sheet, span, e.message().trim_end_matches('.').to_owned()));
        }
        let span = table.span();
        work(Form { desk: self, table: table.get_ref(), span, what: "file", known: RefCell::default() });
    }

    /// All mistakes noted.
    pub fn into_faults(self) -> Vec<Fault> {
        self.faults.into_inner()
    }
}

/// One table being read. Ask for every key that it may have, then call [`Form::finish`].
#[derive(Debug)]
pub struct Form<'a> {
    /// Where mistakes go.
    pub desk: &'a Desk,
    /// Where the table stands.
    pub span: Range<usize>,
    table: &'a DeTable<'a>,
    what: &'static str,
    known: RefCell<Vec<&'static str>>,
}

/// Longest name, in bytes.
const LONGEST_NAME: usize = 64;
/// Keys whose values are secrets: where one is written in their place it is not shown.
const SECRETS: [&str; 9] =
    ["password", "value", "token", "verify_token", "secret", "account", "key", "webhook", "routing_key"];

type Value<'a> = &'a Spanned<DeValue<'a>>;

impl<'a> Form<'a> {
    fn take(&self, key: &'static str) -> Option<Value<'a>> {
        self.known.borrow_mut().push(key);
        self.table.get(key)
    }

    fn wrong(&self, key: &str, value: Value<'_>, wanted: &str) {
        let found = value.get_ref().type_str();
        let found = if found == "integer" || found == "array" { format!("an {found}") } else { format!("a {found}") };
        let message = format!("`{key}` must be {wanted}, not {found}");
        let fault = Fault::error(&self.desk.sheet, value.span(), message);
        self.desk.push(match SECRETS.contains(&key) {
            true => fault
                .help(
                    "a secret is kept elsewhere: { credential = \"name\" }, { file = \"/path\" } or { env = \"NAME\" }",
                )
                .unseen(),
            false => fault.help(format!("write {wanted}")),
        });
    }

    /// What the table is, in a word for people.
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// Notes that a key which must be there is not.
    fn missing(&self, key: &str) {
        let line_end = self.head();
        self.desk.error(line_end, format!("this {} has no `{key}`", self.what), format!("add `{key} = …`"));
    }

    /// The first line of the table.
    pub fn head(&self) -> Range<usize> {
        let text = self.desk.sheet.text.get(self.span.clone()).unwrap_or("");
        self.span.start..self.span.start + text.find('\n').unwrap_or(text.len())
    }

    /// A value read by `read`, which says what it wants when it cannot.
    fn value<T>(
        &self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<At<T>> {
        let value = self.take(key)?;
        match read(value.get_ref()) {
            Some(v) => Some(At { value: v, span: value.span() }),
            None => {
                self.wrong(key, value, wanted);
                None
            }
        }
    }

    /// The `name` that must be there: it goes into addresses, commands and queries.
    pub fn must_name(&self) -> Option<At<String>> {
        let name = self.must_text("name")?;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if name.value.is_empty() || name.value.len() > LONGEST_NAME || !name.value.chars().all(fits) {
            let plain: String = name.value.to_lowercase().chars().map(|c| if fits(c) { c } else { '-' }).collect();
            let plain = plain.split('-').filter(|p| !p.is_empty()).collect::<Vec<_>>().join("-");
            let help = match plain.is_empty() || plain.len() > LONGEST_NAME {
                true => "write a short one such as `product-safety`".to_owned(),
                false => format!("write `{plain}`, and give the words that people see as title or full_name"),
            };
            self.desk.error(name.span.clone(), "a name is lower-case letters a to z, digits and hyphens", help);
        }
        Some(name)
    }

    /// Whether the key is there, right or wrong.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A number that changes when the table's text does.
    pub fn digest(&self) -> u64 {
        xxh3_64(
            format!("{:?}", self.table.iter().map(|(k, v)| (k.get_ref(), v.get_ref())).collect::<Vec<_>>()).as_bytes(),
        )
    }

    /// A string, if the key is there.
    pub fn text(&self, key: &'static str) -> Option<At<String>> {
        self.value(key, "a string in quotes", |v| v.as_str().map(str::to_owned))
    }

    /// A day or a time, as TOML writes them or as a string in quotes; read by the caller.
    pub fn time(&self, key: &'static str) -> Option<At<String>> {
        self.value(key, "a day or a time such as 2026-03-10 or 2026-03-10T09:00:00", |v| {
            v.as_str().map(str::to_owned).or_else(|| v.as_datetime().map(ToString::to_string))
        })
    }

    /// A string that must be there and not be empty.
    pub fn must_text(&self, key: &'static str) -> Option<At<String>> {
        if !self.table.contains_key(key) {
            self.known.borrow_mut().push(key);
            self.missing(key);
            return None;
        }
        let text = self.text(key)?;
        if text.value.trim().is_empty() {
            self.desk.error(text.span, format!("`{key}` is empty"), "write something between the quotes");
            return None;
        }
        Some(text)
    }

    /// A whole number within a range.
    pub fn number(&self, key: &'static str, range: std::ops::RangeInclusive<i64>) -> Option<At<i64>> {
        let n = self.value(key, "a whole number", integer)?;
        if !range.contains(&n.value) {
            let (low, high) = range.into_inner();
            self.desk.error(n.span, format!("`{key}` is out of range"), format!("use {low} to {high}"));
            return None;
        }
        Some(n)
    }

    /// A number with or without a fraction.
    pub fn float(&self, key: &'static str) -> Option<At<f64>> {
        self.value(key, "a number", |v| float(v))
    }

    /// `true` or `false`.
    pub fn flag(&self, key: &'static str) -> Option<At<bool>> {
        self.value(key, "`true` or `false`", |v| v.as_bool())
    }

    /// A list of strings; a value that is not one is noted and left out.
    pub fn texts(&self, key: &'static str) -> Vec<At<String>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let Some(list) = value.get_ref().as_array() else {
            self.wrong(key, value, "a list of strings such as [\"a\", \"b\"]");
            return Vec::new();
        };
        let mut out = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_str() {
                Some(s) => out.push(At { value: s.to_owned(), span: item.span() }),
                None => self.wrong(key, item, "a list of strings"),
            }
        }
        out
    }

    /// A length of time such as `"15m"`.
    pub fn span(&self, key: &'static str) -> Option<At<Span>> {
        let text = self.text(key)?;
        match Span::parse(&text.value) {
            Ok(value) => Some(At { value, span: text.span }),
            Err(why) => {
                self.desk.error(text.span, why, format!("write for example {key} = \"15m\""));
                None
            }
        }
    }

    /// An instant: a date and a time with an offset, with or without quotes.
    pub fn instant(&self, key: &'static str) -> Option<At<jiff::Timestamp>> {
        let text = |v: &DeValue<'_>| v.as_str().map(str::to_owned).or_else(|| v.as_datetime().map(ToString::to_string));
        self.value(key, "a time with an offset such as 2026-03-10T09:00:00+01:00", |v| text(v)?.parse().ok())
    }

    /// A length of time, or `"forever"`, which is `None`.
    pub fn term(&self, key: &'static str) -> Option<At<Option<Span>>> {
        let text = self.text(key)?;
        match term(&text.value) {
            Ok(value) => Some(At { value, span: text.span }),
            Err(why) => {
                self.desk.error(text.span, why, TERM);
                None
            }
        }
    }

    /// A number of bytes such as `"8 MiB"`.
    pub fn bytes(&self, key: &'static str) -> Option<At<usize>> {
        let text = self.text(key)?;
        match bytes(&text.value) {
            Some(value) => Some(At { value, span: text.span }),
            None => {
                self.desk.error(
                    text.span,
                    format!("`{}` is no size", text.value),
                    "write for example \"512 KiB\" or \"8 MiB\"",
                );
                None
            }
        }
    }

    /// One word out of a few.
    pub fn choice<T>(
        &self,
        key: &'static str,
        words: &[&'static str],
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<At<T>> {
        let text = self.text(key)?;
        match read(&text.value) {
            Some(value) => Some(At { value, span: text.span }),
            None => {
                self.desk.error(
                    text.span,
                    format!("unknown {key} `{}`", text.value),
                    suggest(&text.value, words.iter().copied()),
                );
                None
            }
        }
    }

    /// A table under a key.
    pub fn table(&self, key: &'static str, what: &'static str) -> Option<Form<'a>> {
        let value = self.take(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(Form { desk: self.desk, span: value.span(), table, what, known: RefCell::default() }),
            None => {
                self.wrong(key, value, "a table");
                None
            }
        }
    }

    /// Tables under a key, as `[[key]]` or as a list of inline tables.
    pub fn tables(&self, key: &'static str, what: &'static str) -> Vec<Form<'a>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let Some(list) = value.get_ref().as_array() else {
            self.wrong(key, value, "a list of tables");
            return Vec::new();
        };
        let mut out = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_table() {
                Some(table) => {
                    out.push(Form { desk: self.desk, span: item.span(), table, what, known: RefCell::default() })
                }
                None => self.wrong(key, item, "a table"),
            }
        }
        out
    }

    /// Every key with a string, for tables whose keys are the reader's own words.
    pub fn words(&self) -> Vec<(At<String>, At<String>)> {
        let mut out = Vec::new();
        for (key, value) in self.table.iter() {
            let name = At { value: key.get_ref().to_string(), span: key.span() };
            match value.get_ref().as_str() {
                Some(text) => out.push((name, At { value: text.to_owned(), span: value.span() })),
                None => self.wrong(key.get_ref(), value, "a string in quotes"),
            }
        }
        out
    }

    /// Every key with a number, for tables whose keys are the reader's own words.
    pub fn numbers(&self) -> Vec<(At<String>, f64)> {
        let mut out = Vec::new();
        for (key, value) in self.table.iter() {
            match float(value.get_ref()) {
                Some(n) => out.push((At { value: key.get_ref().to_string(), span: key.span() }, n)),
                None => self.wrong(key.get_ref(), value, "a number"),
            }
        }
        out
    }

    /// Every key with a length of time, for tables whose keys are the reader's own words.
    pub fn spans(&self) -> Vec<(At<String>, Span)> {
        let mut out = Vec::new();
        for (key, value) in self.table.iter() {
            match value.get_ref().as_str().map(Span::parse) {
                Some(Ok(span)) => out.push((At { value: key.get_ref().to_string(), span: key.span() }, span)),
                Some(Err(why)) => self.desk.error(value.span(), why, "write for example \"30m\""),
                None => self.wrong(key.get_ref(), value, "a length of time such as \"30m\""),
            }
        }
        out
    }

    /// Every key with a length of time or `"forever"`, for tables whose keys are the reader's own words.
    pub fn terms(&self) -> Vec<(At<String>, Option<Span>)> {
        let mut out = Vec::new();
        for (key, value) in self.table.iter() {
            match value.get_ref().as_str().map(term) {
                Some(Ok(term)) => out.push((At { value: key.get_ref().to_string(), span: key.span() }, term)),
                Some(Err(why)) => self.desk.error(value.span(), why, TERM),
                None => self.wrong(key.get_ref(), value, "a length of time such as \"30d\", or \"forever\""),
            }
        }
        out
    }

    /// Notes every key that nobody has asked for, with the nearest one that is known.
    pub fn finish(self) {
        let known = self.known.borrow();
        for (key, _) in self.table.iter() {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                self.desk.error(
                    key.span(),
                    format!("unknown field `{name}` in this {}", self.what),
                    suggest(name, known.iter().copied()),
                );
            }
        }
    }
}

const TERM: &str = "write for example \"400d\", \"1y\" or \"forever\"";

fn term(text: &str) -> Result<Option<Span>, String> {
    if text == "forever" { Ok(None) } else { Span::parse(text).map(Some) }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let n = value.as_integer()?;
    i64::from_str_radix(&n.as_str().replace('_', ""), n.radix()).ok()
}

fn float(value: &DeValue<'_>) -> Option<f64> {
    if value.is_integer() {
        return integer(value).map(|n| n as f64);
    }
    value.as_float()?.as_str().replace('_', "").parse().ok()
}

/// Reads `8 MiB`, `512KiB`, `1000`.
fn bytes(text: &str) -> Option<usize> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: usize = match unit.trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1000,
        "KiB" | "K" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" | "M" => 1 << 20,
        "GB" => 1_000_000_000,
        "GiB" | "G" => 1 << 30,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_at_once() {
        let sheet = Sheet::new(
            "t.toml",
            "name = 3\nwindow = \"15\"\nkind = \"brnad\"\nlist = [1]\nnmae = \"x\"\nsize = \"9 XB\"\n",
        );
        let desk = Desk::new(sheet);
        desk.read(|form| {
            form.must_text("name");
            form.must_text("query");
            form.span("window");
            form.choice("kind", &["brand", "risk"], |w| (w == "brand").then_some(()));
            form.texts("list");
            form.bytes("size");
            form.finish();
        });
        let said: Vec<String> = desk.into_faults().iter().map(Fault::brief).collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        t.toml:1: `name` must be a string in quotes, not an integer (write a string in quotes)
        t.toml:1: this file has no `query` (add `query = …`)
        t.toml:2: `15` has no unit; write `15m` for minutes or `15s` for seconds (write for example window = "15m")
        t.toml:3: unknown kind `brnad` (did you mean `brand`?)
        t.toml:4: `list` must be a list of strings, not an integer (write a list of strings)
        t.toml:6: `9 XB` is no size (write for example "512 KiB" or "8 MiB")
        t.toml:5: unknown field `nmae` in this file (did you mean `name`?)
        "#);
    }

    #[test]
    fn broken_syntax_is_told_and_the_rest_still_read() {
        let desk = Desk::new(Sheet::new("t.toml", "a = \nb = \"x\"\n"));
        let mut b = None;
        desk.read(|form| {
            form.text("a");
            b = form.text("b");
        });
        assert_eq!(b.map(|b| b.value).as_deref(), Some("x"));
        assert!(!desk.into_faults().is_empty());
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes("8 MiB"), Some(8 << 20));
        assert_eq!(bytes("512KiB"), Some(512 << 10));
        assert_eq!(bytes("x"), None);
    }
}
