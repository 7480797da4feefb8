//! Taking an incident by the link in a mail, and everything else that people do with it, against the real daemon.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crate::world::{Daemon, Feed, PEOPLE, Smtp, ask, free_port, get, http, said, until, write_rule, write_settings};

fn db(dir: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(dir.join("data/vakt.db")).unwrap()
}

/// The link and the digits of the newest mail to a person.
fn door(dir: &Path, person: &str) -> (String, Option<String>) {
    let sql = "SELECT body FROM outbox WHERE person = ?1 ORDER BY id DESC LIMIT 1";
    let body: Vec<u8> = db(dir).query_row(sql, [person], |r| r.get(0)).unwrap();
    let text = String::from_utf8_lossy(&body).replace("=\r\n", "").replace("=3D", "=");
    let link = text.split("/a/").nth(1).unwrap().split_whitespace().next().unwrap();
    let digits = text.split("digits: ").nth(1).map(|d| d[..4].to_owned());
    (format!("/a/{link}"), digits)
}

fn press(address: SocketAddr, path: &str, body: &str) -> (String, String) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded"
    );
    http(address, &format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())).unwrap()
}

fn act(address: SocketAddr, path: &str, token: &str, body: &str) -> (String, String) {
    press_json(address, &format!("/api/v1/incidents/{path}"), token, body)
}

fn press_json(address: SocketAddr, path: &str, token: &str, body: &str) -> (String, String) {
    let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {token}");
    http(address, &format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())).unwrap()
}

/// What the page's form carries.
fn seen(page: &str) -> String {
    page.split("name=\"seen\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn status(dir: &Path) -> String {
    db(dir).query_row("SELECT status FROM incidents WHERE id = 1", [], |r| r.get(0)).unwrap()
}

#[test]
fn people_take_incidents_and_scanners_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (feed, smtp, port) = (Feed::start(), Smtp::start(dir), free_port());
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    write_settings(dir, feed.address, smtp.port, port);
    let settings = std::fs::read_to_string(dir.join("vakt.toml")).unwrap();
    std::fs::write(dir.join("act"), "act-secret-canary").unwrap();
    let token =
        format!("tokens = [{{ name = \"desk\", role = \"act\", value = {{ file = \"{}/act\" }} }}, ", dir.display());
    let settings = settings.replace("tokens = [", &token);
    std::fs::write(dir.join("vakt.toml"), format!("base_url = \"http://{address}\"\n{settings}")).unwrap();
    write_rule(dir, "people.toml", PEOPLE);
    write_rule(dir, "topics/acme.toml", "[[topic]]\nname = \"acme\"\nkind = \"brand\"\nquery = \"acme\"\n");
    let alert = "[[alert]]\nname = \"any\"\ntopics = [\"acme\"]\nwindow = \"1h\"\ncondition = \"mentions >= 3\"\nseverity = \"escalate\"\nescalation = \"pr\"\n";
    write_rule(dir, "alerts/any.toml", alert);
    // Nobody has been mailed yet; one who is tried is told of no more, and whoever no relay takes is.
    let mut daemon = Daemon::start(dir);
    until(dir, "ready", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    assert!(said(dir, &["check"]).contains("for anna, bo within 30 days"));
    assert!(said(dir, &["doctor", "--mail", "anna"]).contains("taken: 127.0.0.1"));
    assert!(said(dir, &["check"]).contains("for bo within 30 days"));
    let tried = smtp.taken();
    assert!(tried.len() == 1 && tried[0].to == "anna@acme.example" && tried[0].subject.contains("a test"), "{tried:?}");
    assert_eq!(ask(dir, &["doctor", "--mail", "ana"]).status.code(), Some(2));
    feed.publish("0", "Acme was founded long ago", "ann");
    until(dir, "history stored", || ask(dir, &["search", "acme", "--count"]).stdout == b"1\n");
    for n in 1..6 {
        feed.publish(format!("{n}"), format!("Acme, what have you done now, number {n}?"), format!("voice {n}"));
    }
    until(dir, "two mails", || smtp.taken().len() >= 3);

    // A scanner opens the link, runs the page's script, of which there is none, and submits its form at once.
    let (path, digits) = door(dir, "anna");
    let digits = digits.expect("a severe incident's mail has a code");
    let (_, page) = get(address, &path).unwrap();
    assert!(page.contains("ESCALATE") && page.contains("inputmode=\"numeric\""), "{page}");
    let head = http(address, &format!("HEAD {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")).unwrap();
    assert!(head.0.contains("200") && head.1.is_empty());
    let first = seen(&page);
    assert!(press(address, &path, "").1.contains("press once more"));
    assert!(press(address, &path, &format!("seen={first}&code={digits}")).1.contains("press once more"));
    std::thread::sleep(Duration::from_millis(3100));
    assert!(press(address, &path, &format!("seen={first}&code=")).0.contains("403"));
    let changed = path.replace("/a/e", "/a/f");
    assert!(get(address, &changed).unwrap().0.contains("403"), "{changed}");
    let cross = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n\r\n"
    );
    assert!(http(address, &cross).unwrap().0.contains("403"));
    assert_eq!(status(dir), "open");

    // Anna reads, types the code and presses.
    let (answer, page) = press(address, &path, &format!("seen={first}&code={digits}&note=on+it"));
    assert!(answer.contains("200") && page.contains("You have it"), "{page}");
    assert_eq!(status(dir), "acknowledged");
    assert!(
        press(address, &path, &format!("seen={first}&code={digits}")).1.contains("Anna Alm has it"),
        "twice is once"
    );
    until(dir, "bo hears of it", || smtp.taken().iter().filter(|t| t.subject.contains("Anna Alm")).count() == 2);

    // Bo undoes it by the link of that mail.
    let (undo, _) = door(dir, "bo");
    let page = get(address, &undo).unwrap().1;
    std::thread::sleep(Duration::from_millis(3100));
    let (answer, page) = press(address, &undo, &format!("seen={}", seen(&page)));
    assert!(answer.contains("200") && page.contains("öppet igen"), "{page}");
    assert_eq!(status(dir), "open");

    // Five wrong codes, and no code helps any more.
    let (path, digits) = door(dir, "anna");
    let page = get(address, &path).unwrap().1;
    std::thread::sleep(Duration::from_millis(3100));
    let wrong = if digits.as_deref() == Some("0000") { "0001" } else { "0000" };
    for _ in 0..5 {
        press(address, &path, &format!("seen={}&code={wrong}", seen(&page)));
    }
    let right = format!("seen={}&code={}", seen(&page), digits.unwrap());
    assert!(press(address, &path, &right).1.contains("Too many wrong codes"));
    assert_eq!(status(dir), "open");

    // The API and the command line.
    assert!(act(address, "1/ack", "push-secret-canary", "{\"as\":\"bo\"}").0.contains("401"));
    let token = "act-secret-canary";
    let misspelt = act(address, "1/ack", token, "{\"as\":\"boo\"}");
    assert!(misspelt.0.contains("400") && misspelt.1.contains("did you mean `bo`"), "{misspelt:?}");
    assert!(act(address, "9/ack", token, "{\"as\":\"bo\"}").0.contains("404"));
    assert!(act(address, "1/snooze", token, "{\"as\":\"bo\",\"for\":\"2h\"}").1.contains("\"changed\":true"));
    assert!(act(address, "1/ack", token, "{\"as\":\"bo\",\"note\":\"mine\"}").1.contains("\"changed\":true"));
    assert!(act(address, "1/ack", token, "{\"as\":\"anna\"}").1.contains("\"changed\":false"));
    said(dir, &["incident", "assign", "1", "--as", "bo", "--to", "anna"]);
    said(dir, &["incident", "severity", "1", "--as", "anna", "--to", "review"]);
    // The rule goes on to ask for more; what people have lowered stays so.
    feed.publish("6", "Acme, and what about number six?", "voice 6");
    until(dir, "it is heard", || ask(dir, &["search", "acme", "--count"]).stdout == b"7\n");
    std::thread::sleep(Duration::from_secs(2));
    assert!(said(dir, &["incident", "list"]).contains("review"));
    assert_eq!(status(dir), "acknowledged");
    said(dir, &["incident", "note", "1", "--as", "anna", "--note", "the plant is called"]);
    let shown = said(dir, &["incident", "show", "1"]);
    assert!(shown.contains("until ") && shown.contains("to anna") && shown.contains("the plant is called"), "{shown}");

    // What is silenced is kept on record and calls nobody.
    said(dir, &["incident", "resolve", "1", "--as", "anna"]);
    until(dir, "all is told", || {
        db(dir).query_row("SELECT count(*) FROM outbox WHERE state = 'waiting'", [], |r| r.get::<_, i64>(0)).unwrap()
            == 0
    });
    let other = alert.replace("\"any\"", "\"other\"");
    said(dir, &["silence", "add", "--topic", "acme", "--for", "4h", "--as", "anna", "--reason", "a known story"]);
    assert!(said(dir, &["silence", "list"]).contains("all about acme up to escalate"));
    assert_eq!(
        ask(dir, &["silence", "add", "--topic", "acne", "--for", "4h", "--as", "anna", "--reason", "x"]).status.code(),
        Some(2)
    );
    let before = smtp.taken().len();
    write_rule(dir, "alerts/other.toml", &other);
    until(dir, "it is on record", || said(dir, &["incident", "list"]).contains("other"));
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(smtp.taken().len(), before, "nobody is called");
    said(dir, &["silence", "expire", "1", "--as", "anna"]);
    until(dir, "then people are called", || smtp.taken().len() >= before + 2);

    // The same over the API.
    let laid = press_json(
        address,
        "/api/v1/silences",
        token,
        "{\"as\":\"anna\",\"topic\":\"acme\",\"for\":\"1h\",\"reason\":\"works\"}",
    );
    assert!(laid.0.contains("201") && laid.1.contains("all about acme"), "{laid:?}");
    assert!(get(address, "/api/v1/silences").unwrap().1.contains("\"reason\":\"works\""));
    assert!(press_json(address, "/api/v1/silences/2/expire", token, "{\"as\":\"anna\"}").1.contains("true"));
    let misspelt = press_json(
        address,
        "/api/v1/silences",
        token,
        "{\"as\":\"anna\",\"topic\":\"acne\",\"for\":\"1h\",\"reason\":\"x\"}",
    );
    assert!(misspelt.0.contains("400") && misspelt.1.contains("did you mean `acme`"), "{misspelt:?}");
    assert!(press_json(address, "/api/v1/silences", "push-secret-canary", "{}").0.contains("401"));
    assert!(said(dir, &["links", "rotate", "--as", "anna"]).contains("another key"));

    // Two about the same: the second becomes part of a third, which is taken by the act on the part.
    write_rule(dir, "alerts/third.toml", &alert.replace("\"any\"", "\"third\""));
    until(dir, "a third", || said(dir, &["incident", "list"]).contains("third"));
    assert_eq!(ask(dir, &["incident", "merge", "2", "--into", "2", "--as", "anna"]).status.code(), Some(2));
    assert!(act(address, "2/merge", token, "{\"as\":\"anna\",\"into\":1}").0.contains("409"), "the first is over");
    let merged = act(address, "2/merge", token, "{\"as\":\"anna\",\"into\":3}");
    assert!(merged.1.contains("\"changed\":true") && merged.1.contains("\"merged_into\":3"), "{merged:?}");
    until(dir, "its people hear of it", || smtp.taken().iter().any(|t| t.subject.ends_with("incident 3")));
    assert!(said(dir, &["incident", "ack", "2", "--as", "bo"]).contains("incident 3 is acknowledged"));
    assert!(said(dir, &["incident", "split", "2", "--as", "anna"]).contains("incident 2 is split"));
    until(dir, "its policy begins", || smtp.taken().iter().filter(|t| t.subject.contains("back again")).count() > 1);
    said(dir, &["incident", "merge", "2", "--into", "3", "--as", "anna"]);
    said(dir, &["incident", "resolve", "3", "--as", "bo"]);
    until(dir, "the part ends with the whole", || said(dir, &["incident", "show", "2"]).contains("part of incident 3"));

    // All of it is in the log, which is whole, and says so when it no longer is.
    let whole = said(dir, &["audit", "verify"]);
    let head = whole.trim_end().rsplit(' ').next().unwrap().to_owned();
    assert!(whole.contains("whole"));
    assert!(said(dir, &["audit", "verify", "--head", &head]).contains("has that hash"));
    assert_eq!(ask(dir, &["audit", "verify", "--head", "00"]).status.code(), Some(1));
    let log = said(dir, &["audit", "list"]);
    for word in [
        "acknowledged",
        "reopened",
        "snoozed",
        "assigned",
        "severity",
        "noted",
        "silenced",
        "expired",
        "unsilenced",
        "merged",
        "split",
        "rekeyed",
    ] {
        assert!(log.contains(word), "{word}: {log}");
    }
    assert!(!log.contains("the plant"), "no words of people's");
    assert!(daemon.stop().success());
    let spoilt = db(dir);
    spoilt.execute_batch("DROP TRIGGER audit_stays; UPDATE audit SET who = 'bo' WHERE id = 3").unwrap();
    let broken = ask(dir, &["audit", "verify"]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&broken.stdout).contains("line 3"));
    let log = std::fs::read_to_string(dir.join("vakt.log")).unwrap();
    assert!(!log.contains("canary") && !log.contains("/a/"), "no secret in the log");
}
