//! `topics/*.toml`: what to listen for.

use super::Place;
use crate::config::fault::Fault;
use crate::config::written::Form;
use crate::model::{Topic, TopicKind};
use crate::query::{self, Node};

#[derive(Debug)]
pub(super) struct Written {
    pub(super) name: Place,
    pub(super) owner: Option<Place>,
    pub(super) languages: Vec<String>,
    pub(super) title: String,
    pub(super) kind: TopicKind,
    query: String,
    node: Option<Node>,
}

pub(super) fn read(form: Form<'_>, out: &mut Vec<Written>) {
    for topic in form.tables("topic", "topic") {
        out.extend(read_one(topic));
    }
    form.finish();
}

fn read_one(form: Form<'_>) -> Option<Written> {
    let desk = form.desk;
    let name = form.must_name();
    let title = form.text("title");
    let kinds = TopicKind::ALL.map(TopicKind::as_str);
    let kind = form.choice("kind", &kinds, TopicKind::parse).map_or(TopicKind::Brand, |k| k.value);
    let owner = form.text("owner").map(|o| Place::new(desk, o));
    let languages = languages(&form);
    let query = form.must_text("query");
    form.finish();
    let (name, query) = (name?, query?);
    let mut parsed = query::parse(&query.value);
    if let Some(node) = &parsed.node {
        parsed.mistakes.extend(query::standing(node, &languages));
    }
    let broken = parsed.mistakes.iter().any(|m| !m.warning);
    for m in parsed.mistakes {
        let span = within(&desk.sheet.text, &query.span, &query.value, m.span);
        let fault = if m.warning {
            Fault::warning(&desk.sheet, span, m.message)
        } else {
            Fault::error(&desk.sheet, span, m.message)
        };
        desk.push(fault.help(m.help));
    }
    Some(Written {
        title: title.map_or_else(|| name.value.clone(), |t| t.value),
        name: Place::new(desk, name),
        owner,
        languages,
        kind,
        query: query.value,
        node: parsed.node.filter(|_| !broken),
    })
}

/// Language codes that vakt knows; others are faults.
pub(super) fn languages(form: &Form<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for code in form.texts("languages") {
        if crate::text::language::known(&code.value) == crate::text::language::UNKNOWN {
            form.desk.error(
                code.span,
                format!("unknown language `{}`", code.value),
                "write ISO 639-1 codes such as \"sv\"",
            );
        } else {
            out.push(crate::text::language::known(&code.value).to_owned());
        }
    }
    out
}

/// Where a part of a string's value stands in the sheet: exact where the value stands there as it is, without escapes.
pub(super) fn within(
    sheet: &str,
    string: &std::ops::Range<usize>,
    value: &str,
    part: std::ops::Range<usize>,
) -> std::ops::Range<usize> {
    match sheet.get(string.clone()).and_then(|written| written.find(value)) {
        Some(offset) => string.start + offset + part.start..string.start + offset + part.end,
        None => string.clone(),
    }
}

impl Written {
    pub(super) fn mean(self) -> Option<(Topic, Node)> {
        let topic = Topic {
            name: self.name.at.value,
            title: self.title,
            kind: self.kind,
            owner: self.owner.map(|o| o.at.value).unwrap_or_default(),
            query: self.query,
            languages: self.languages,
        };
        Some((topic, self.node?))
    }
}
