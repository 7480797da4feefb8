//! Sources that stay connected, against servers on loopback that break off, come back and repeat themselves; hubs that tell.

mod again;
mod jetstream;
mod mastodon;
mod place;
mod topics;
mod websub;
mod x;

use std::path::Path;

use super::world::{PEOPLE, write_rule};

/// Rules with one topic, and an alert that never rings.
fn write_rules(dir: &Path, query: &str) {
    write_rule(dir, "topics/acme.toml", &format!("[[topic]]\nname = \"acme\"\nkind = \"brand\"\nquery = '{query}'\n"));
    write_rule(dir, "people.toml", PEOPLE);
    let alert = "[[alert]]\nname = \"many\"\ntopics = [\"acme\"]\nwindow = \"1h\"\ncondition = \"mentions >= 99999\"\n\
        severity = \"watch\"\nescalation = \"pr\"\n";
    write_rule(dir, "alerts/acme.toml", alert);
}

fn write_settings(dir: &Path, more: &str) {
    let text = format!(
        "data_dir = \"data\"\nrules_dir = \"rules\"\n[fetch]\nmin_interval = \"100ms\"\nallow_private = [\"127.0.0.0/8\"]\n{more}"
    );
    std::fs::write(dir.join("vakt.toml"), text).unwrap();
}

/// The first cells of the rows of a question.
fn rows(dir: &Path, sql: &str) -> Vec<String> {
    let Ok(db) = rusqlite::Connection::open(dir.join("data/vakt.db")) else { return Vec::new() };
    let Ok(mut q) = db.prepare(sql) else { return Vec::new() };
    let cell = |r: &rusqlite::Row<'_>| {
        Ok(match r.get_ref(0)? {
            rusqlite::types::ValueRef::Integer(n) => n.to_string(),
            other => other.as_str().unwrap_or("").to_owned(),
        })
    };
    q.query_map([], cell).map(|rows| rows.flatten().collect()).unwrap_or_default()
}

fn texts(dir: &Path) -> Vec<String> {
    rows(dir, "SELECT text FROM mentions ORDER BY id")
}

/// Whether a text stands in any file of the data directory.
fn stands_in(dir: &Path, words: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else { return false };
    entries.flatten().map(|e| e.path()).any(|path| match path.is_dir() {
        true => stands_in(&path, words),
        false => std::fs::read(&path).unwrap_or_default().windows(words.len()).any(|w| w == words.as_bytes()),
    })
}
