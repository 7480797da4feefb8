//! An exercise through the real daemon and a real SMTP server, taken by a person.

use crate::world::{Daemon, Feed, PEOPLE, Smtp, ask, free_port, get, until, vakt, write_rule, write_settings};

const RULE: &str = "[[alert]]\nname = \"anger\"\ntitle = \"Acme: anger\"\ntopics = [\"acme\"]\nwindow = \"30m\"\ngroup_by = [\"topic\"]\ncondition = \"mentions >= 5 && negative_share >= 0.5\"\nseverity = \"escalate\"\nescalation = \"pr\"\n";

#[test]
fn an_exercise_calls_people_and_says_that_it_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (feed, smtp, port) = (Feed::start(), Smtp::start(dir), free_port());
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    write_settings(dir, feed.address, smtp.port, port);
    write_rule(dir, "people.toml", PEOPLE);
    write_rule(dir, "topics/acme.toml", "[[topic]]\nname = \"acme\"\nkind = \"brand\"\nquery = \"acme\"\n");
    write_rule(dir, "alerts/anger.toml", RULE);

    let tried = ask(dir, &["drill", "--dry-run"]);
    let said = String::from_utf8_lossy(&tried.stdout).into_owned();
    assert!(tried.status.success() && said.contains("anger: rings ") && said.contains("+0s"), "{said}");
    let alone = ask(dir, &["drill", "--as", "anna"]);
    assert_eq!(alone.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&alone.stderr).contains("does not run"));

    let mut daemon = Daemon::start(dir);
    until(dir, "ready", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    let account = dir.join("account.md");
    let words = ["drill", "--as", "anna", "--to", "bo", "--for", "2m", "--report"];
    let mut drill = vakt(dir).args(words).arg(&account).stdout(std::process::Stdio::piped()).spawn().unwrap();
    until(dir, "a mail", || !smtp.taken().is_empty());
    let first = &smtp.taken()[0];
    assert!(first.to == "bo@acme.example" && first.subject.starts_with("[DRILL · ESCALATE] "), "{first:?}");
    let second = ask(dir, &["drill", "--as", "anna"]);
    assert!(String::from_utf8_lossy(&second.stderr).contains("not over"), "{second:?}");
    assert!(ask(dir, &["incident", "ack", "1", "--as", "bo"]).status.success());
    let ended = drill.wait().unwrap();
    assert!(ended.success(), "{ended:?}");
    let account = std::fs::read_to_string(account).unwrap();
    assert!(
        account.contains("| Taken | by bo after") && account.contains("Nothing: everybody was reached"),
        "{account}"
    );
    until(dir, "all is told", || {
        smtp.taken().iter().any(|t| t.subject.contains("DRILL") && t.subject.contains("över"))
    });
    assert!(
        smtp.taken().iter().all(|t| t.to == "bo@acme.example" && t.subject.contains("DRILL")),
        "{:?}",
        smtp.taken()
    );
    let log = ask(dir, &["audit", "list"]);
    assert!(String::from_utf8_lossy(&log.stdout).contains("incident 1 (DRILL)"));
    // Nothing of it is in the history.
    assert_eq!(ask(dir, &["search", "drill", "--count"]).stdout, b"0\n");

    // A real incident goes before.
    feed.publish("0", "Acme was founded long ago", "ann");
    until(dir, "history stored", || ask(dir, &["search", "acme", "--count"]).stdout == b"1\n");
    for n in 1..9 {
        feed.publish(format!("{n}"), format!("Acme is terrible, awful and broken, number {n}"), format!("voice {n}"));
    }
    until(dir, "a real alarm", || smtp.taken().iter().any(|t| t.subject.starts_with("[ESCALATE]")));
    let refused = ask(dir, &["drill", "--as", "anna"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is open and real"));
    assert!(daemon.stop().success());
}
