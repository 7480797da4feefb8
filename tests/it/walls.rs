//! The walls of the house: a room imports lower floors only, and a dependency stands in its own room.

use std::path::{Path, PathBuf};

/// Rooms by floor, lowest first.
const FLOORS: &[&[&str]] = &[
    &["model", "telemetry", "failpoint"],
    &["config", "text"],
    &["engine", "net", "query", "lab"],
    &["rules", "sources", "channels", "assistant", "report", "store", "index"],
    &["ground"],
    &["stages", "serve"],
    &["daemon"],
    &["cli"],
    &["main", "lib"],
];

/// Where each dependency may be named: files, or folders that end in a slash.
const ROOMS: &[(&str, &[&str])] = &[
    ("reqwest", &["net/http.rs", "net/http/"]),
    ("tokio_tungstenite", &["net/http/"]),
    ("feed_rs", &["sources/feed/"]),
    ("chrono", &["sources/feed/"]),
    ("mail_parser", &["sources/mail.rs"]),
    ("async_imap", &["sources/imap.rs"]),
    ("rustls_platform_verifier", &["net/tls.rs"]),
    ("tokio_rustls", &["net/tls.rs"]),
    ("scraper", &["sources/page/"]),
    ("html5ever", &["sources/page/"]),
    ("ego_tree", &["sources/page/"]),
    ("encoding_rs", &["sources/charset.rs"]),
    ("chardetng", &["sources/charset.rs"]),
    ("tantivy", &["index/"]),
    ("fail", &["failpoint.rs"]),
    ("rusqlite", &["store/"]),
    ("rusqlite_migration", &["store/"]),
    ("rust_stemmers", &["text/stem.rs"]),
    ("html5gum", &["text/clean.rs"]),
    ("lettre", &["channels/mail.rs", "channels/mail/"]),
    ("ring", &["channels/mail/dkim.rs", "sources/playstore.rs"]),
    ("png", &["report/chart.rs"]),
    ("rust_xlsxwriter", &["report/xlsx.rs", "report/book.rs"]),
    ("calamine", &["sources/archive/", "rules/calendar/book.rs"]),
    ("csv_core", &["sources/archive/", "rules/calendar/"]),
    ("calcard", &["rules/calendar/"]),
    ("cel", &["engine/condition.rs", "engine/reckon.rs", "engine/sound.rs"]),
    ("statrs", &["engine/baseline/"]),
    ("annotate_snippets", &["config/fault.rs"]),
    ("pulldown_cmark", &["rules/playbooks/"]),
    ("notify", &["daemon.rs"]),
    ("sd_notify", &["daemon.rs"]),
    ("clap", &["cli/"]),
    ("anyhow", &["cli/", "main.rs"]),
    ("tikv_jemallocator", &["main.rs"]),
    ("tracing_subscriber", &["telemetry.rs"]),
    ("metrics_exporter_prometheus", &["telemetry.rs", "daemon.rs", "serve/"]),
];

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Every source file with its path below `src/` and its code without comments and tests.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    let mut out = Vec::new();
    for path in found {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        if name.contains("tests") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code: Vec<&str> = code.lines().filter(|l| !l.trim_start().starts_with("//")).collect();
        out.push((name, code.join("\n")));
    }
    out
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// Whether a word stands in a code as a path's first part.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        let after = &code[at + word.len()..];
        !before.is_alphanumeric() && before != '_' && before != ':' && before != '.' && after.starts_with("::")
    })
}

#[test]
fn imports_go_down() {
    let mut wrong = Vec::new();
    for (name, code) in sources() {
        let room = name.split(['/', '.']).next().unwrap();
        let floor = floor_of(room).unwrap_or_else(|| panic!("{name}: a room without a floor"));
        for part in code.split("crate::").skip(1) {
            let target: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let targets: Vec<String> = match target.is_empty() {
                true => part
                    .trim_start_matches('{')
                    .split(',')
                    .map(|t| t.trim().chars().take_while(|c| c.is_alphanumeric()).collect())
                    .collect(),
                false => vec![target],
            };
            for target in targets.iter().filter(|t| *t != room) {
                if let Some(other) = floor_of(target)
                    && other >= floor
                {
                    wrong.push(format!("{name} imports {target}, which is not below it"));
                }
            }
        }
    }
    // `main` may call `cli`, which stands below it; nothing else is excused.
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn dependencies_stand_in_their_rooms() {
    let mut wrong = Vec::new();
    for (name, code) in sources() {
        for (dependency, rooms) in ROOMS {
            let allowed = rooms.iter().any(|r| if r.ends_with('/') { name.starts_with(r) } else { name == *r });
            if !allowed && names(&code, dependency) {
                wrong.push(format!("{name} names {dependency}, which belongs to {}", rooms.join(", ")));
            }
        }
        let spawns = code.contains("tokio::spawn(") && name != "daemon.rs" && !name.starts_with("cli/demo/");
        if spawns {
            wrong.push(format!("{name} starts a task; tasks are started in daemon.rs"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_and_stays_readable() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} does not begin with what it is", path.display());
        assert!(text.lines().count() <= 520, "{} is two rooms", path.display());
    }
}
