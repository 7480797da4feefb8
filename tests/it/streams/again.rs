//! What an open incident is about is asked for again: how much it engages by now, and whether it is still there.

use std::net::TcpStream;

use serde_json::{Value, json};

use super::super::world::{Daemon, until, write_rule};
use super::place::{Place, Talk, answer, path, read};
use super::{rows, texts, write_rules, write_settings};

fn serve(mut stream: TcpStream, talk: Talk<u32>) {
    let Some((head, _)) = read(&mut stream) else { return };
    let at = path(&head).to_owned();
    talk.note(&at);
    let status = |id: u32, likes: u32| {
        json!({ "id": id.to_string(), "uri": format!("https://a.example/statuses/{id}"), "url": format!("https://a.example/@ann/{id}"),
            "created_at": jiff::Timestamp::now().to_string(), "visibility": "public", "content": format!("<p>Acme kettle {id}</p>"),
            "account": { "acct": "ann" }, "replies_count": 0, "reblogs_count": 0, "favourites_count": likes })
    };
    let answered: Vec<Value> = match at.as_str() {
        // By now the second is liked by many, and the third is left out.
        at if at.starts_with("/api/v1/statuses?") => vec![status(2, 500)],
        at if at.contains("max_id") => Vec::new(),
        _ => talk.all().into_iter().rev().map(|id| status(id, 1)).collect(),
    };
    answer(&mut stream, "200 OK", "content-type: application/json\r\n", &Value::from(answered).to_string());
}

#[test]
fn open_incidents_know_how_things_stand_by_now() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let place = Place::start(67, serve);
    place.say(1);
    write_rules(dir, "acme");
    let alert = "[[alert]]\nname = \"any\"\ntopics = [\"acme\"]\nwindow = \"1h\"\ncondition = \"mentions >= 2\"\n\
        severity = \"watch\"\nescalation = \"pr\"\n";
    write_rule(dir, "alerts/acme.toml", alert);
    let source = format!(
        "kind = \"mastodon\"\nname = \"fedi\"\ninstance = \"{}\"\nhashtags = [\"acme\"]\nevery = \"200ms\"",
        place.base
    );
    write_settings(dir, &format!("[http]\nlisten = \"off\"\n[[source]]\n{source}\n"));
    let mut daemon = Daemon::start(dir);
    until(dir, "history", || texts(dir).len() == 1);
    place.say(2);
    place.say(3);
    until(dir, "an incident", || rows(dir, "SELECT id FROM incidents").len() == 1);
    assert!(place.paths().iter().all(|p| !p.contains("/statuses?")), "nothing was open before");
    // The first look is right after the start.
    daemon.kill();
    let mut daemon = Daemon::start(dir);
    until(dir, "how the second stands", || rows(dir, "SELECT engagement FROM mentions WHERE lookup = '2'") == ["500"]);
    assert!(rows(dir, "SELECT mention FROM withdrawn").is_empty(), "what is left out once may come back");
    let asked: Vec<String> = place.paths().into_iter().filter(|p| p.contains("/statuses?")).collect();
    assert_eq!(asked.len(), 1, "one question for all of them: {asked:?}");
    assert!(daemon.stop().success());
}
