//! What is put before the daemon instead of being fetched: files dropped into a folder, and calls of others.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::super::world::{Daemon, PEOPLE, ask, free_port, get, http, until, write_rule};
use super::{count, rows};

const TOPIC: &str = "[[topic]]\nname = \"acme\"\nkind = \"brand\"\nquery = \"acme\"\n";
const ALERT: &str = "[[alert]]\nname = \"many\"\ntopics = [\"acme\"]\nwindow = \"1h\"\ncondition = \"mentions >= 3\"\n\
    severity = \"watch\"\nescalation = \"pr\"\n";

fn settings(dir: &Path, port: u16, more: &str) {
    let text = format!(
        "data_dir = \"data\"\nrules_dir = \"rules\"\nbase_url = \"https://vakt.example.org\"\n[http]\nlisten = \"127.0.0.1:{port}\"\n\
         tokens = [{{ name = \"m\", role = \"read\", value = {{ file = \"read-token\" }} }}]\n\
         [fetch]\nmin_interval = \"100ms\"\n{more}"
    );
    std::fs::write(dir.join("vakt.toml"), text).unwrap();
    std::fs::write(dir.join("read-token"), "canary-read").unwrap();
    write_rule(dir, "topics/acme.toml", TOPIC);
    write_rule(dir, "people.toml", PEOPLE);
    write_rule(dir, "alerts/acme.toml", ALERT);
}

fn names(dir: &Path) -> Vec<String> {
    let mut all: Vec<String> =
        std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.file_name().into_string().unwrap()).collect();
    all.sort();
    all
}

#[test]
fn dropped_files_ring_and_are_put_away_and_no_kill_doubles_them() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let drop = dir.join("drop");
    std::fs::create_dir(&drop).unwrap();
    let source = "[[source]]\nkind = \"folder\"\nname = \"drop\"\nfolder = \"drop\"\nsettle = \"200ms\"\nevery = \"100ms\"\nnetwork = \"forum\"\n";
    settings(dir, free_port(), source);
    let now = jiff::Timestamp::now();
    // What lies there already is news as well: somebody has put it there to be told.
    let line = |n: usize| {
        format!(
            "{{\"id\": \"{n}\", \"text\": \"acme burns, says {n}\", \"author\": \"a{n}\", \"published\": \"{now}\"}}\n"
        )
    };
    std::fs::write(drop.join("first.jsonl"), line(1)).unwrap();
    let mut daemon = Daemon::start(dir);
    until(dir, "the first file", || names(&drop.join("done")) == ["first.jsonl"]);
    assert_eq!(count(dir, "NOT flags & 2 AND network = 'forum'"), 1);
    // A long file by another tool, under another name until it is whole; killed at some moment of it.
    let many: String = (0..30_000).map(line).collect();
    std::fs::write(drop.join("long.jsonl.tmp"), many).unwrap();
    std::fs::write(drop.join("odd.xlsx"), "PK\u{3}\u{4} this is no workbook").unwrap();
    std::fs::rename(drop.join("long.jsonl.tmp"), drop.join("long.jsonl")).unwrap();
    until(dir, "a part of it", || count(dir, "1") > 2_000);
    daemon.kill();
    let mut daemon = Daemon::start(dir);
    until(dir, "the rest of it", || names(&drop.join("done")) == ["first.jsonl", "long.jsonl"]);
    until(dir, "what is refused", || names(&drop.join("refused")) == ["odd.xlsx", "odd.xlsx.why.txt"]);
    // The first id is in both files, with the same words.
    assert_eq!(count(dir, "1"), 30_000);
    until(dir, "an incident", || !rows(dir, "SELECT id FROM incidents").is_empty());
    assert!(daemon.stop().success());
    let said = ask(dir, &["sources", "list"]);
    let shown = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(shown.contains("drop") && shown.contains("30000 mentions") && shown.contains("odd.xlsx: "), "{shown}");
}

/// The HMAC-SHA256 of a text, in hexadecimal.
fn signed(secret: &str, text: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect()
}

fn call(address: SocketAddr, name: &str, headers: &str, body: &str) -> (String, String) {
    let head = format!(
        "POST /hooks/{name} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    http(address, &format!("{head}{body}")).unwrap()
}

#[test]
fn hooks_are_believed_by_their_signature_and_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let port = free_port();
    let address: SocketAddr = format!("127.0.0.1:{port}").parse().unwrap();
    let hooks = "[[hook]]\nkind = \"slack\"\nname = \"slack-events\"\nsecret = { file = \"secret\" }\nworkspace = \"https://acme.slack.com\"\n\
        [[hook]]\nkind = \"github\"\nname = \"hub\"\nsecret = { file = \"secret\" }\n\
        [[hook]]\nkind = \"meta\"\nname = \"meta\"\nsecret = { file = \"secret\" }\nverify_token = { file = \"secret\" }\n\
        [[hook]]\nkind = \"hmac\"\nname = \"crm\"\nheader = \"X-Signature\"\nsecret = { file = \"secret\" }\n";
    settings(dir, port, hooks);
    // Without its secret nothing starts, and the place is named.
    let said = ask(dir, &["run"]);
    assert!(!said.status.success() && String::from_utf8_lossy(&said.stderr).contains("secret"), "{said:?}");
    std::fs::write(dir.join("secret"), "canary-hook\n").unwrap();
    let said = ask(dir, &["sources", "list"]);
    let shown = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(shown.contains("not called yet; called at https://vakt.example.org/hooks/crm"), "{shown}");
    let mut daemon = Daemon::start(dir);
    until(dir, "it serves", || get(address, "/readyz").is_some_and(|(status, _)| status.contains("200")));

    // Mentions of anybody who signs: stored when the answer comes, once, also after a kill.
    let now = jiff::Timestamp::now();
    let body = format!("[{{\"id\": \"1\", \"text\": \"acme burns\", \"published\": \"{now}\"}}, {{\"txt\": \"?\"}}]");
    let right = format!("X-Signature: {}\r\n", signed("canary-hook", &body));
    assert!(call(address, "crm", &right, &body).0.contains("200"));
    assert_eq!(count(dir, "source = 'crm' AND NOT flags & 2"), 1);
    assert!(call(address, "crm", &right, &body).1.contains("known"));
    daemon.kill();
    let mut daemon = Daemon::start(dir);
    until(dir, "it serves again", || get(address, "/readyz").is_some_and(|(status, _)| status.contains("200")));
    assert!(call(address, "crm", &right, &body).1.contains("known"));
    assert_eq!(count(dir, "source = 'crm'"), 1);
    for (headers, body, status) in [
        ("", body.as_str(), "401"),
        (&right, "[]", "401"),
        (&format!("X-Signature: {}\r\n", signed("canary-hook", "nonsense")), "nonsense", "400"),
    ] {
        let (told, words) = call(address, "crm", headers, body);
        assert!(told.contains(status) && !words.contains("canary"), "{told} {words}");
    }
    assert!(call(address, "nobody", &right, &body).0.contains("404"));
    // Whoever sends slowly, or not to the end, is in nobody's way.
    let begun = format!("POST /hooks/crm HTTP/1.1\r\nHost: {address}\r\nContent-Length: 9\r\n\r\n[");
    let slow = [(); 6].map(|()| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(begun.as_bytes()).unwrap();
        stream
    });
    assert!(call(address, "crm", &right, &body).1.contains("known"));
    drop(slow);
    assert!(call(address, "crm", &right, &"x".repeat(3 << 20)).0.contains("413"));

    // Slack: its challenge, and a message that is sent again before and after an edit.
    let time = now.as_second();
    let slack = |body: &str| {
        let signature = signed("canary-hook", &format!("v0:{time}:{body}"));
        call(
            address,
            "slack-events",
            &format!("X-Slack-Request-Timestamp: {time}\r\nX-Slack-Signature: v0={signature}\r\n"),
            body,
        )
    };
    assert_eq!(slack("{\"type\": \"url_verification\", \"challenge\": \"3eZb\"}").1, "3eZb");
    let event = |id: &str, text: &str| {
        format!(
            "{{\"type\": \"event_callback\", \"event_id\": \"{id}\", \"event\": {{\"type\": \"message\", \"channel\": \"C1\", \"user\": \"U7\", \"text\": \"{text}\", \"ts\": \"{time}.0002\"}}}}"
        )
    };
    for (id, text) in [("Ev1", "acme burns"), ("Ev1", "acme burns"), ("Ev2", "acme is fine"), ("Ev1", "acme burns")] {
        assert!(slack(&event(id, text)).0.contains("200"));
    }
    assert_eq!(
        rows(dir, "SELECT text FROM mentions WHERE source = 'slack-events'"),
        ["acme is fine"],
        "what comes again late undoes nothing"
    );
    let old = format!(
        "X-Slack-Request-Timestamp: {}\r\nX-Slack-Signature: v0={}\r\n",
        time - 400,
        signed("canary-hook", &format!("v0:{}:{{}}", time - 400))
    );
    assert!(call(address, "slack-events", &old, "{}").0.contains("401"));

    // Meta makes sure that the address is ours.
    let greet = |token: &str| {
        get(address, &format!("/hooks/meta?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444"))
            .unwrap()
    };
    assert_eq!(greet("canary-hook").1, "1158201444");
    assert!(greet("canary").0.contains("401") && get(address, "/hooks/crm").unwrap().0.contains("400"));
    let issue = "{\"action\": \"opened\", \"issue\": {\"node_id\": \"I1\", \"title\": \"acme SDK crashes\", \"body\": \"It does\", \"html_url\": \"https://github.com/o/r/issues/1\"}, \"repository\": {\"full_name\": \"o/r\"}}";
    let hub = format!(
        "X-Hub-Signature-256: sha256={}\r\nX-GitHub-Event: issues\r\nX-GitHub-Delivery: d1\r\n",
        signed("canary-hook", issue)
    );
    assert!(call(address, "hub", &hub, issue).0.contains("200"));
    assert_eq!(rows(dir, "SELECT title, channel FROM mentions WHERE source = 'hub'"), ["acme SDK crashes | o/r"]);

    // Who knocked with a wrong signature is counted, and the list says how each stands.
    let asking = format!(
        "GET /metrics HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer canary-read\r\nConnection: close\r\n\r\n"
    );
    let metrics = http(address, &asking).unwrap().1;
    let forged =
        metrics.lines().find(|l| l.starts_with("vakt_hook_calls_total") && l.contains("crm") && l.contains("forged"));
    assert!(forged.is_some_and(|l| l.ends_with(" 2")), "{metrics}");
    let said = ask(dir, &["sources", "list", "--json"]);
    let list: Vec<serde_json::Value> = serde_json::from_slice(&said.stdout).unwrap();
    let crm = list.iter().find(|s| s["name"] == "crm").unwrap();
    assert_eq!(
        (&crm["hook"], &crm["state"]["mentions"], &crm["state"]["skipped"]),
        (&"https://vakt.example.org/hooks/crm".into(), &1.into(), &1.into())
    );
    std::thread::sleep(Duration::from_millis(50));
    assert!(daemon.stop().success());
    super::no_secret(dir);
}
