//! An author is forgotten: not a byte of theirs stays in the data directory, and they do not come back.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::world::*;

/// What nothing may hold afterwards: the author's name, handle, words and address, in lower case.
const CANARIES: [&str; 6] = ["zuzkanary", "quillfeather", "flimmerzeug", "knackebrink", "canaryfield", "secret-perch"];

const RULES: &str = r#"
[[alert]]
name = "acme-negative"
topics = ["acme"]
window = "15m"
condition = "mentions >= 5"
severity = "escalate"
group_by = ["topic"]
most_an_hour = 1000
escalation = "pr"
"#;

fn world(dir: &Path, port: u16, feed: SocketAddr, relays: &str) {
    std::fs::write(dir.join("token"), "push-secret-canary").unwrap();
    let text = format!(
        r#"
        data_dir = "data"
        rules_dir = "rules"
        [http]
        listen = "127.0.0.1:{port}"
        tokens = [{{ name = "ci", role = "push", value = {{ file = "{dir}/token" }} }}]
        [mail]
        from = "vakt <vakt@acme.example>"
        relays = [{relays}]
        [fetch]
        min_interval = "40ms"
        [[source]]
        kind = "feed"
        name = "news"
        url = "http://{feed}/feed.json"
        every = "40ms"
        allow_private = ["127.0.0.0/8"]
        "#,
        dir = dir.display()
    );
    std::fs::write(dir.join("vakt.toml"), text).unwrap();
    write_rule(dir, "people.toml", PEOPLE);
    write_rule(dir, "topics/acme.toml", "[[topic]]\nname = \"acme\"\nkind = \"brand\"\nquery = \"acme\"\n");
    write_rule(dir, "alerts/acme.toml", RULES);
}

fn canary(n: usize) -> String {
    serde_json::json!({
        "id": format!("canary-{n}"), "network": "forum",
        "text": format!("My Acme kettle number {n} burned, terrible: flimmerzeug and knackebrink! @quillfeather"),
        "title": format!("Flimmerzeug {n}"), "url": format!("https://canaryfield.example/secret-perch/{n}"),
        "author": { "name": "Zuzkanary Müller", "handle": "QuillFeather", "followers": 900_000 },
    })
    .to_string()
}

fn other(n: usize) -> String {
    serde_json::json!({
        "id": format!("other-{n}"), "network": "forum", "text": format!("The Acme toaster {n} is dangerous, word{n}"),
        "author": format!("somebody {n}"), "url": format!("https://forum.example/{n}"),
    })
    .to_string()
}

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        match entry.path().is_dir() {
            true => files(&entry.path(), out),
            false => out.push(entry.path()),
        }
    }
}

/// Where a canary still is: in the bytes of any file, as they are or as a mail's lines are broken, and among the terms
/// of the index.
fn traces(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut all = Vec::new();
    files(&dir.join("data"), &mut all);
    all.push(dir.join("vakt.log"));
    for path in all {
        let bytes = std::fs::read(&path).unwrap_or_default().to_ascii_lowercase();
        let joined = String::from_utf8_lossy(&bytes).replace("=\r\n", "");
        for canary in
            CANARIES.iter().filter(|c| joined.contains(**c) || bytes.windows(c.len()).any(|w| w == c.as_bytes()))
        {
            found.push(format!("{canary} in {}", path.display()));
        }
    }
    let index = tantivy::Index::open_in_dir(dir.join("data/index")).unwrap();
    let segments = index.searchable_segments().unwrap();
    for segment in &segments {
        let reader = tantivy::SegmentReader::open(segment).unwrap();
        for (field, entry) in index.schema().fields().filter(|(_, e)| e.field_type().is_str() && e.is_indexed()) {
            let inverted = reader.inverted_index(field).unwrap();
            let mut terms = inverted.terms().stream().unwrap();
            while terms.advance() {
                let term = String::from_utf8_lossy(terms.key()).into_owned();
                if CANARIES.iter().any(|c| term.contains(c)) || term == "perch" {
                    found.push(format!("{term} in the terms of {}", entry.name()));
                }
            }
        }
    }
    // Files of segments that are no longer in use hold words as well.
    for file in std::fs::read_dir(dir.join("data/index")).unwrap().flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        let known = segments.iter().any(|s| name.starts_with(&s.id().uuid_string()));
        if !known && !name.starts_with('.') && name != "meta.json" {
            found.push(format!("{name} is left over"));
        }
    }
    found
}

fn number(dir: &Path, sql: &str) -> i64 {
    rusqlite::Connection::open(dir.join("data/vakt.db")).unwrap().query_row(sql, [], |r| r.get(0)).unwrap()
}

fn erase(dir: &Path, words: &[&str]) -> (Option<i32>, serde_json::Value) {
    let said = ask(dir, &[&["erase", "--json"], words].concat());
    let value = serde_json::from_slice(&said.stdout).unwrap_or_default();
    assert!(said.stderr.is_empty() || said.status.code() != Some(0), "{}", String::from_utf8_lossy(&said.stderr));
    (said.status.code(), value)
}

/// Brings mentions of both, until an incident is open and its letters are composed.
fn crisis(dir: &Path, address: SocketAddr, feed: &Feed) {
    until(dir, "ready", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    feed.publish("first", "nothing to see", "x");
    until(dir, "the feed's history is in", || number(dir, "SELECT count(*) FROM mentions") > 0);
    feed.publish("perch", "Acme kettles again: flimmerzeug, they burn", "Zuzkanary Müller");
    let lines: Vec<String> = (0..6).flat_map(|n| [canary(n), other(n)]).collect();
    let (status, body) = push(address, &lines.join("\n")).unwrap();
    assert!(status.contains("200") && body.contains("\"new\":12"), "{status} {body}");
    until(dir, "both letters", || number(dir, "SELECT count(*) FROM outbox") >= 2);
    until(dir, "indexed", || ask(dir, &["search", "flimmerzeug", "--count"]).stdout == b"7\n");
}

#[test]
fn an_author_is_erased_beside_a_running_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (feed, port) = (Feed::start(), free_port());
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    world(dir, port, feed.address, "");
    let mut daemon = Daemon::start(dir);
    crisis(dir, address, &feed);
    until(dir, "both mails", || std::fs::read_dir(dir.join("data/mail")).is_ok_and(|l| l.count() >= 2));
    let note = "talked to @QuillFeather about https://canaryfield.example/secret-perch/1";
    assert!(ask(dir, &["incident", "ack", "1", "--as", "anna", "--note", note]).status.success());
    assert!(traces(dir).len() > 20, "the canaries are everywhere: {:?}", traces(dir));

    let asked = ask(dir, &["erase", "--author", "quillfeather"]);
    assert_eq!(asked.status.code(), Some(2), "nobody is there to say yes");
    assert_eq!(erase(dir, &["--author", "nobody", "--yes"]).0, Some(1));
    assert_eq!(ask(dir, &["erase"]).status.code(), Some(2));
    let (code, said) = erase(dir, &["--author", "@quillFEATHER", "--yes", "--reason", "request 17"]);
    let receipt = &said["receipt"];
    assert_eq!((code, receipt["mentions"].as_u64(), receipt["notes"].as_u64()), (Some(0), Some(6), Some(1)), "{said}");
    assert_eq!((&receipt["index_done"], &receipt["database_done"]), (&true.into(), &true.into()), "{said}");
    assert!(receipt["stubbed"].as_u64() >= Some(2) && receipt["files"].as_u64() >= Some(2), "{said}");
    // What the feed told has the name alone.
    let (code, said) = erase(dir, &["--author", "ZUZKANARY MÜLLER", "--yes"]);
    assert_eq!((code, said["receipt"]["mentions"].as_u64()), (Some(0), Some(1)), "{said}");
    assert_eq!(traces(dir), Vec::<String>::new());

    // They do not come back, under any id, from the feed nor pushed; others do.
    let (_, body) = push(address, &[canary(1), canary(99), other(99)].join("\n")).unwrap();
    assert!(body.contains("\"new\":1") && body.contains("\"forgotten\":2"), "{body}");
    feed.publish("more", "Acme: flimmerzeug once more", "zuzkanary müller");
    until(dir, "refused and counted", || {
        get(address, "/metrics").is_some_and(|(_, m)| m.contains("vakt_forgotten_total 4"))
    });
    assert_eq!(number(dir, "SELECT count(*) FROM mentions"), 8);
    until(dir, "the others are found", || ask(dir, &["search", "acme", "--count"]).stdout == b"7\n");
    assert_eq!(number(dir, "SELECT count(*) FROM gone"), 1, "a passed deletion is forgotten, but for the last number");
    let counted = number(dir, "SELECT sum(mentions) FROM counts");
    assert_eq!(counted, 14, "numbers stay: they are nobody's");
    assert!(daemon.stop().success());
    assert_eq!(traces(dir), Vec::<String>::new());
    let list = ask(dir, &["erase", "--list"]);
    let text = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(text.contains("request 17") && text.contains("6 erased") && !text.contains("pending"), "{text}");
}

#[test]
fn an_author_is_erased_without_a_daemon_and_no_waiting_alarm_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (feed, port, nowhere) = (Feed::start(), free_port(), free_port());
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    world(dir, port, feed.address, &format!("{{ url = \"smtp://127.0.0.1:{nowhere}?tls=none\" }}"));
    let mut daemon = Daemon::start(dir);
    crisis(dir, address, &feed);
    assert!(daemon.stop().success());
    let waiting = "SELECT count(*) FROM outbox WHERE state = 'waiting'";
    let before = number(dir, waiting);
    assert!(before >= 2);

    let (code, said) = erase(dir, &["--author", "quillfeather", "--network", "news", "--yes"]);
    assert_eq!(code, Some(1), "in that network they wrote nothing: {said}");
    let (code, said) = erase(dir, &["--author", "Zuzkanary Müller", "--yes"]);
    let receipt = &said["receipt"];
    assert_eq!(
        (code, receipt["mentions"].as_u64(), receipt["struck"].as_i64()),
        (Some(0), Some(7), Some(before)),
        "{said}"
    );
    assert_eq!((&receipt["index_done"], &receipt["database_done"]), (&true.into(), &true.into()), "{said}");
    assert_eq!((number(dir, waiting), traces(dir)), (before, vec![]));

    // The alarm goes out without them, once there is a relay.
    let smtp = Smtp::start(dir);
    world(dir, port, feed.address, &format!("{{ url = \"smtp://127.0.0.1:{}?tls=none\" }}", smtp.port));
    let db = rusqlite::Connection::open(dir.join("data/vakt.db")).unwrap();
    db.execute("UPDATE outbox SET due = 0", []).unwrap();
    drop(db);
    let mut daemon = Daemon::start(dir);
    until(dir, "the alarm is sent", || smtp.taken().len() >= 2);
    assert!(smtp.taken().iter().any(|t| t.subject.starts_with("[ESCALATE]")));
    until(dir, "ready", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    let (_, body) = push(address, &canary(50)).unwrap();
    assert!(body.contains("\"forgotten\":1"), "the handle went with the name: {body}");
    assert_eq!(ask(dir, &["search", "acme", "--count"]).stdout, b"6\n");
    assert!(daemon.stop().success());
    assert_eq!(traces(dir), Vec::<String>::new());
}

#[test]
fn whoever_goes_on_writing_is_erased_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (feed, port) = (Feed::start(), free_port());
    let address: SocketAddr = format!("127.0.0.1:{port}").parse().unwrap();
    world(dir, port, feed.address, "");
    // Letters are composed all the while: every few mentions make another incident.
    write_rule(dir, "alerts/acme.toml", &RULES.replace("[\"topic\"]", "[\"topic\", \"source\"]"));
    let mut daemon = Daemon::start(dir);
    crisis(dir, address, &feed);
    let going_on = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|s| {
        s.spawn(|| {
            for n in 100.. {
                if !going_on.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                push_as(address, &format!("s{}", n / 4), &[canary(n), other(n)].join("\n"));
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        });
        std::thread::sleep(std::time::Duration::from_secs(2));
        for who in ["quillfeather", "zuzkanary müller"] {
            let (code, said) = erase(dir, &["--author", who, "--yes"]);
            assert_eq!((code, said["receipt"]["index_done"].as_bool()), (Some(0), Some(true)), "{said}");
        }
        std::thread::sleep(std::time::Duration::from_secs(2));
        going_on.store(false, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(daemon.stop().success());
    assert_eq!(traces(dir), Vec::<String>::new());
    assert!(number(dir, "SELECT count(*) FROM mentions") > 50);
    assert!(number(dir, "SELECT count(*) FROM incidents") > 10);
}
