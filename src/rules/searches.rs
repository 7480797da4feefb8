//! `searches/*.toml`: questions to the history that are asked again and again, by name.

use super::{Place, topics};
use crate::config::fault::Fault;
use crate::config::written::Form;
use crate::query::{self, Node};

/// A saved search.
#[derive(Debug, Clone)]
pub struct Saved {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// The query as it is written.
    pub query: String,
    /// The query.
    pub node: Node,
    /// From when on, unless the caller says: `7d` or a day.
    pub since: Option<String>,
}

#[derive(Debug)]
pub(super) struct Written {
    pub(super) name: Place,
    about: String,
    query: String,
    node: Option<Node>,
    since: Option<String>,
}

pub(super) fn read(form: Form<'_>, out: &mut Vec<Written>) {
    for search in form.tables("search", "search") {
        out.extend(read_one(search));
    }
    form.finish();
}

fn read_one(form: Form<'_>) -> Option<Written> {
    let desk = form.desk;
    let name = form.must_name();
    let about = form.text("about").map(|a| a.value).unwrap_or_default();
    let since = form.text("since");
    let query = form.must_text("query");
    form.finish();
    if let Some(since) = &since {
        let read = crate::model::time::moment(&since.value, jiff::Timestamp::UNIX_EPOCH, &jiff::tz::TimeZone::UTC);
        if let Err(why) = read {
            desk.push(Fault::error(&desk.sheet, since.span.clone(), why));
        }
    }
    let (name, query) = (name?, query?);
    let parsed = query::parse(&query.value);
    for m in parsed.mistakes {
        let span = topics::within(&desk.sheet.text, &query.span, &query.value, m.span);
        let fault = if m.warning { Fault::warning } else { Fault::error };
        desk.push(fault(&desk.sheet, span, m.message).help(m.help));
    }
    Some(Written {
        name: Place::new(desk, name),
        about,
        query: query.value,
        node: parsed.node,
        since: since.map(|s| s.value),
    })
}

impl Written {
    pub(super) fn mean(self) -> Option<Saved> {
        let node = self.node?;
        Some(Saved { name: self.name.at.value, about: self.about, query: self.query, node, since: self.since })
    }
}
