//! From a feed to an escalation mail: a crisis rings exactly once for each recipient, and a restart repeats nothing.

use std::time::Duration;

use super::world::*;

const RULES: &str = r#"
[[alert]]
name = "acme-negative"
title = "Unusual criticism"
topics = ["acme"]
window = "15m"
condition = "mentions >= 8 && surprise >= 4.0 && negative_share >= 0.5 && authors >= 5"
severity = "escalate"
group_by = ["topic"]
playbook = "plan"
escalation = "pr"
"#;

const PLAYBOOK: &str = "+++\nname = \"plan\"\n+++\n## First ten minutes\nBreathe.\n## Checklist\n- [ ] **PR lead** · due 10m · Read\n## Statements\n### en\nWe at {{ brand }} look into it.\n### sv\nVi på {{ brand }} tittar på det.\n";

fn rules(dir: &std::path::Path) {
    write_rule(dir, "people.toml", PEOPLE);
    write_rule(
        dir,
        "topics/acme.toml",
        "[[topic]]\nname = \"acme\"\ntitle = \"Acme\"\nkind = \"brand\"\nquery = \"acme\"\n",
    );
    write_rule(dir, "alerts/acme.toml", RULES);
    write_rule(dir, "playbooks/plan.md", PLAYBOOK);
}

fn terrible(feed: &Feed, from: usize, to: usize) {
    for i in from..to {
        let how = ["burned my hand", "caught fire", "is dangerous", "melted, unacceptable", "smokes, terrible"][i % 5];
        feed.publish(
            format!("bad-{i}"),
            format!("My Acme kettle number {i} {how}, never again! word{i}"),
            format!("author {i}"),
        );
    }
}

#[test]
fn a_crisis_rings_once_for_each_recipient() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (feed, smtp, port) = (Feed::start(), Smtp::start(dir), free_port());
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    write_settings(dir, feed.address, smtp.port, port);
    rules(dir);
    // What a source shows at first is history, however bad it sounds.
    terrible(&feed, 0, 20);
    let mut daemon = Daemon::start(dir);
    until(dir, "ready", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    until(dir, "history stored", || ask(dir, &["search", "acme", "--count"]).stdout == b"20\n");
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(smtp.taken().len(), 0, "history never rings");

    terrible(&feed, 20, 32);
    until(dir, "two mails", || smtp.taken().len() >= 2);
    // Between a relay's 250 and the note of it a kill repeats a mail (RFC 1047); `crash.rs` counts those.
    let waiting = || {
        let db = rusqlite::Connection::open(dir.join("data/vakt.db")).unwrap();
        db.query_row("SELECT count(*) FROM outbox WHERE state = 'waiting'", [], |r| r.get::<_, i64>(0)).unwrap()
    };
    until(dir, "both are noted", || waiting() == 0);
    // The same source goes on, the daemon is killed and started again: nobody hears of it twice.
    terrible(&feed, 32, 40);
    daemon.kill();
    let mut daemon = Daemon::start(dir);
    until(dir, "all stored", || ask(dir, &["search", "acme", "--count"]).stdout == b"40\n");
    std::thread::sleep(Duration::from_secs(2));
    let taken = smtp.taken();
    let mut to: Vec<&str> = taken.iter().map(|t| t.to.as_str()).collect();
    to.sort_unstable();
    assert_eq!(to, ["anna@acme.example", "bo@acme.example"], "{taken:?}");
    assert!(taken.iter().any(|t| t.subject.starts_with("[ESCALATE] Acme: Unusual criticism,")), "{taken:?}");
    assert!(taken.iter().any(|t| t.subject.contains("omnämnanden")), "each in their own language");

    // Pages and metrics; a stranger's host is not answered.
    let (status, page) = get(address, "/incidents/1").unwrap();
    assert!(status.contains("200") && page.contains("escalate: acme-negative"), "{status}");
    let (_, metrics) = get(address, "/metrics").unwrap();
    assert!(metrics.contains("vakt_mentions_total") && metrics.contains("vakt_sources_blind 0"), "{metrics}");
    let foreign = http(address, "GET /incidents HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").unwrap();
    assert!(foreign.0.contains("421"));

    // Somebody takes it; the others hear of it, once.
    let said = ask(dir, &["incident", "ack", "1", "--as", "anna", "--note", "on it"]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    until(dir, "taken is told", || smtp.taken().iter().filter(|t| t.subject.contains("Anna Alm")).count() == 2);
    assert_eq!(ask(dir, &["incident", "ack", "1", "--as", "nobody"]).status.code(), Some(2));
    assert!(daemon.stop().success(), "SIGTERM ends it in order");

    let log = std::fs::read_to_string(dir.join("vakt.log")).unwrap();
    assert!(!log.contains("canary"), "no secret in the log");
}

#[test]
fn pushed_mentions_are_taken_once_and_rules_reload() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (feed, smtp, port) = (Feed::start(), Smtp::start(dir), free_port());
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    write_settings(dir, feed.address, smtp.port, port);
    rules(dir);
    let settings = std::fs::read_to_string(dir.join("vakt.toml")).unwrap();
    std::fs::write(dir.join("vakt.toml"), format!("{settings}\n[heartbeat]\nmail = \"watch@acme.example\"\n")).unwrap();
    feed.publish("first", "Nothing to see", "x");
    let mut daemon = Daemon::start(dir);
    until(dir, "ready", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    until(dir, "somebody outside hears that all is well", || smtp.taken().iter().any(|t| t.to == "watch@acme.example"));

    let lines = "{\"id\":\"1\",\"text\":\"Globex is great\",\"author\":\"Ann\"}\nnonsense\n{\"id\":\"2\",\"text\":\"Globex again\"}";
    let (status, body) = push(address, lines).unwrap();
    assert!(status.contains("200") && body.contains("\"new\":2") && body.contains("\"refused\":1"), "{status} {body}");
    let (_, body) = push(address, lines).unwrap();
    assert!(body.contains("\"new\":0") && body.contains("\"known\":2"), "the same ids are the same mentions: {body}");
    let refused = http(
        address,
        &format!(
            "POST /api/v1/mentions HTTP/1.1\r\nHost: {address}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"
        ),
    );
    assert!(refused.unwrap().0.contains("401"));

    // A new topic is in force a moment after its file is saved.
    write_rule(dir, "topics/globex.toml", "[[topic]]\nname = \"globex\"\nkind = \"competitor\"\nquery = \"globex\"\n");
    until(dir, "reloaded", || {
        let id = jiff::Timestamp::now().as_nanosecond();
        push(address, &format!("{{\"id\":\"{id}\",\"text\":\"Globex number {id}\"}}"));
        ask(dir, &["search", "topic:globex", "--count"]).stdout != b"0\n"
    });
    // The history over HTTP: a page at a time without a gap, or all of it at once.
    let page = |cursor: &str| -> serde_json::Value {
        let (status, body) = get(address, &format!("/api/v1/mentions?q=globex&sort=oldest&limit=1{cursor}")).unwrap();
        assert!(status.contains("200"), "{status} {body}");
        serde_json::from_str(&body).unwrap()
    };
    until(dir, "both pushed ones are found", || page("")["total"].as_u64() >= Some(3));
    let (first, total) = (page(""), page("")["total"].as_u64().unwrap());
    let mut seen = vec![first["mentions"][0]["id"].clone()];
    let mut next = first["next"].clone();
    while let Some(cursor) = next.as_str() {
        let more = page(&format!("&cursor={cursor}"));
        seen.extend(more["mentions"].as_array().unwrap().iter().map(|m| m["id"].clone()));
        next = more["next"].clone();
    }
    assert_eq!(seen.len() as u64, total, "{seen:?}");
    seen.sort_by_key(|id| id.as_i64());
    seen.dedup();
    assert_eq!(seen.len() as u64, total, "no mention twice");
    let (_, csv) = get(address, "/api/v1/mentions?q=globex&format=csv").unwrap();
    assert!(csv.contains("id,published,received") && csv.contains("Globex is great"), "{csv}");
    let (status, body) = get(address, "/api/v1/mentions?q=globex+AND").unwrap();
    assert!(status.contains("400") && body.contains("missing-operand"), "{status} {body}");
    let ask_json = |query: &str| -> serde_json::Value {
        let (status, body) = get(address, &format!("/api/v1/mentions?{query}")).unwrap();
        assert!(status.contains("200"), "{status} {body}");
        serde_json::from_str(&body).unwrap()
    };
    // A topic's chart comes from kept counts, a narrower question's from the index, which comes a moment later.
    until(dir, "both charts are the same", || {
        let of_topic = ask_json("q=topic:globex&histogram=day&zone=Europe/Stockholm");
        of_topic == ask_json("q=topic:globex+AND+globex&histogram=day&zone=Europe/Stockholm")
            && of_topic["histogram"][0]["mentions"].as_u64() > Some(1)
    });
    let facets = ask_json("q=globex&facets=author,site,story,topic");
    assert_eq!(facets["facets"]["topic"][0]["value"], "globex", "{facets}");
    // The same as a saved search, narrowed, and as a workbook.
    write_rule(dir, "searches/desk.toml", "[[search]]\nname = \"rival\"\nquery = \"globex\"\n");
    let book = dir.join("rival.xlsx");
    let said =
        ask(dir, &["search", "great", "--saved", "rival", "--sort", "relevance", "--xlsx", book.to_str().unwrap()]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(&book).unwrap();
    let sheet = calamine::Reader::worksheet_range(&mut book, "mentions").unwrap();
    assert!(
        sheet.rows().skip(1).count() >= 1
            && sheet.rows().skip(1).all(|r| r.iter().any(|c| c.to_string().contains("great")))
    );
    let said = ask(dir, &["search", "--saved", "rivel"]);
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&said.stderr).contains("did you mean `rival`"), "{said:?}");
    for form in [&["--histogram", "hour"][..], &["--facets", "network,topic,author"], &["--stories"], &["--csv"]] {
        let words: Vec<&str> = ["search", "globex"].iter().chain(form).copied().collect();
        let said = ask(dir, &words);
        assert!(
            said.status.success() && !said.stdout.is_empty(),
            "{form:?}: {}",
            String::from_utf8_lossy(&said.stderr)
        );
    }
    let said = ask(dir, &["search", "globex", "--stories", "--json"]);
    let story: serde_json::Value =
        serde_json::from_str(String::from_utf8_lossy(&said.stdout).lines().next().unwrap()).unwrap();
    assert!(story["first_mention"].as_i64() > Some(0) && story["coordinated"] == false, "{story}");
    assert!(story["mentions"].as_u64() >= story["found"].as_u64() && story["peak_hour"].as_u64() > Some(0), "{story}");
    // A mistake keeps the last good rules, and tells the operator.
    write_rule(dir, "topics/globex.toml", "[[topic]]\nname = \"globex\"\nqery = \"globex\"\n");
    until(dir, "the operator is told", || smtp.taken().iter().any(|t| t.to == "ops@acme.example"));
    // A restart with broken files still has rules.
    assert!(daemon.stop().success());
    let mut daemon = Daemon::start(dir);
    until(dir, "ready again", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    // A second daemon on the same data says so and stops.
    let second = ask(dir, &["run"]);
    assert_eq!(second.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&second.stderr).contains(&daemon.0.id().to_string()));
    assert!(daemon.stop().success());
}

#[test]
fn a_lost_index_is_built_again_and_nothing_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (feed, smtp, port) = (Feed::start(), Smtp::start(dir), free_port());
    write_settings(dir, feed.address, smtp.port, port);
    rules(dir);
    terrible(&feed, 0, 30);
    let mut daemon = Daemon::start(dir);
    until(dir, "indexed", || ask(dir, &["search", "acme", "--count"]).stdout == b"30\n");
    daemon.kill();
    for entry in std::fs::read_dir(dir.join("data/index")).unwrap().flatten() {
        if entry.path().extension().is_some_and(|e| e == "term") {
            std::fs::write(entry.path(), b"damaged").unwrap();
        }
    }
    terrible(&feed, 30, 45);
    let mut daemon = Daemon::start(dir);
    until(dir, "it rings all the same", || smtp.taken().len() >= 2);
    until(dir, "indexed anew", || ask(dir, &["search", "acme", "--count"]).stdout == b"45\n");
    // Somebody takes its files away while it runs: noticed though nothing new comes, and mended without a restart.
    for entry in std::fs::read_dir(dir.join("data/index")).unwrap().flatten() {
        std::fs::remove_file(entry.path()).ok();
    }
    until(dir, "indexed once more", || ask(dir, &["search", "acme", "--count"]).stdout == b"45\n");
    assert!(daemon.stop().success());
}
