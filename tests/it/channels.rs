//! Reaching people by more than mail, against the real daemon: a push service, a pager and a room on loopback.

use crate::world::{Daemon, Feed, Service, Smtp, ask, free_port, get, until, write_rule, write_settings};

const PEOPLE: &str = r#"
[[person]]
name = "anna"
full_name = "Anna Alm"
email = "anna@acme.example"
languages = ["en"]
reach = [{ channel = "push", to = "anna-alm" }, { channel = "pager" }]
[[person]]
name = "bo"
full_name = "Bo Berg"
email = "bo@acme.example"
languages = ["sv"]
reach = [{ channel = "room" }]
[[team]]
name = "pr"
members = ["anna", "bo"]
[[policy]]
name = "pr"
steps = [{ notify = ["pr"], wait = "12h" }]
"#;

#[test]
fn telephones_ring_and_pagers_are_told_that_it_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (feed, smtp, port) = (Feed::start(), Smtp::start(dir), free_port());
    let (push, pager, room) = (Service::start("anna-alm"), Service::start(""), Service::start(""));
    let studio = Service::start("");
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    write_settings(dir, feed.address, smtp.port, port);
    std::fs::write(dir.join("key"), "routing-key-canary").unwrap();
    std::fs::write(dir.join("hook"), format!("http://{}/services/hook-canary", room.address)).unwrap();
    let settings = std::fs::read_to_string(dir.join("vakt.toml")).unwrap();
    let near = "allow_private = [\"127.0.0.0/8\"]";
    let channels = format!(
        "[[channel]]\nkind = \"ntfy\"\nname = \"push\"\nurl = \"http://{}\"\n{near}\n\
         [[channel]]\nkind = \"pagerduty\"\nname = \"pager\"\nurl = \"http://{}\"\nrouting_key = {{ file = \"{dir}/key\" }}\n{near}\n\
         [[channel]]\nkind = \"slack\"\nname = \"room\"\nwebhook = {{ file = \"{dir}/hook\" }}\n{near}\n\
         [[channel]]\nkind = \"webhook\"\nname = \"studio\"\nurl = \"http://{}/posts\"\nsecret = {{ file = \"{dir}/key\" }}\n{near}\n",
        push.address,
        pager.address,
        studio.address,
        dir = dir.display()
    );
    std::fs::write(dir.join("vakt.toml"), format!("base_url = \"http://{address}\"\n{settings}\n{channels}")).unwrap();
    write_rule(dir, "people.toml", &PEOPLE.replace("\"room\"", "\"rom\""));
    write_rule(dir, "topics/acme.toml", "[[topic]]\nname = \"acme\"\nkind = \"brand\"\nquery = \"acme\"\n");
    let alert = "[[alert]]\nname = \"any\"\ntopics = [\"acme\"]\nwindow = \"1h\"\ncondition = \"mentions >= 3\"\nseverity = \"escalate\"\nescalation = \"pr\"\n";
    write_rule(dir, "alerts/any.toml", alert);

    // A way that leads nowhere is a mistake.
    let checked = ask(dir, &["check"]);
    let said = String::from_utf8_lossy(&checked.stderr).into_owned() + &String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.code() == Some(1) && said.contains("did you mean `room`"), "{said}");
    write_rule(dir, "people.toml", &format!("{PEOPLE}[publishing]\nchannel = \"studi\"\n"));
    let checked = ask(dir, &["check"]);
    assert!(String::from_utf8_lossy(&checked.stderr).contains("did you mean `studio`"), "{checked:?}");
    write_rule(dir, "people.toml", &format!("{PEOPLE}[publishing]\nchannel = \"studio\"\n"));
    assert!(ask(dir, &["check"]).status.success());

    // Each is tried beforehand, marked as a test; what a test opens it closes.
    let tried = ask(dir, &["doctor", "--channel", "pager"]);
    assert!(String::from_utf8_lossy(&tried.stdout).contains("pager  taken: http://127.0.0.1"), "{tried:?}");
    let actions: Vec<_> = pager.asked().iter().map(|(_, body)| body["event_action"].clone()).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    let refused = ask(dir, &["doctor", "--channel", "push"]);
    assert!(refused.status.code() == Some(1) && String::from_utf8_lossy(&refused.stdout).contains("answered 403"));
    assert!(push.asked()[0].1["message"].as_str().unwrap().contains("[TEST]"));
    assert_eq!(ask(dir, &["doctor", "--channel", "pagr"]).status.code(), Some(2));

    let mut daemon = Daemon::start(dir);
    until(dir, "ready", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    feed.publish("0", "Acme was founded long ago", "ann");
    until(dir, "history stored", || ask(dir, &["search", "acme", "--count"]).stdout == b"1\n");
    for n in 1..6 {
        feed.publish(format!("{n}"), format!("Acme, what have you done now, number {n}?"), format!("voice {n}"));
    }
    until(dir, "mails and room", || smtp.taken().len() >= 2 && !room.asked().is_empty());
    // Anna's push service refuses, so her pager goes off.
    until(dir, "the pager", || pager.asked().len() >= 3);
    let (line, alarm) = pager.asked()[2].clone();
    assert!(line.starts_with("POST /v2/enqueue "));
    assert_eq!((&alarm["event_action"], &alarm["payload"]["severity"]), (&"trigger".into(), &"error".into()));
    let text = room.asked()[0].1["text"].as_str().unwrap().to_owned();
    assert!(text.contains("[ESCALATE]") && text.contains(&format!("http://{address}/incidents/1")), "{text}");
    for said in [alarm.to_string(), text, push.asked()[1].1.to_string()] {
        assert!(!said.contains("what have you done") && !said.contains("voice"), "no word of strangers: {said}");
    }
    let shown = ask(dir, &["incident", "show", "1"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("push       failed") && shown.contains("pager      delivered"), "{shown}");

    // Whoever heard that it began hears that somebody has it and that it is over, by the same way.
    assert!(ask(dir, &["incident", "ack", "1", "--as", "bo"]).status.success());
    until(dir, "the pager knows", || pager.asked().len() >= 4);
    assert!(ask(dir, &["incident", "resolve", "1", "--as", "bo"]).status.success());
    until(dir, "the pager is quiet", || pager.asked().len() >= 5);
    let ends: Vec<_> = pager.asked()[3..].iter().map(|(_, body)| body["event_action"].clone()).collect();
    assert_eq!(ends, ["acknowledge", "resolve"]);
    let keys: Vec<_> = pager.asked()[2..].iter().map(|(_, body)| body["dedup_key"].clone()).collect();
    assert!(keys.iter().all(|k| *k == alarm["dedup_key"]), "{keys:?}");
    // The tool that publishes has paused once, and goes on.
    until(dir, "the studio goes on", || studio.asked().len() >= 2);
    let orders: Vec<_> = studio.asked().iter().map(|(_, body)| body["type"].clone()).collect();
    assert_eq!(orders, ["publishing.pause", "publishing.resume"]);
    assert!(daemon.stop().success());
    let log = std::fs::read_to_string(dir.join("vakt.log")).unwrap();
    assert!(!log.contains("canary") && !log.contains("/services"), "no secret in the log");
}
