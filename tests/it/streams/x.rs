//! X's filtered stream: our rules and nobody else's, and the search after a break.

use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::super::world::{Daemon, until};
use super::place::{Place, Talk, answer, begin, path, piece, read};
use super::{rows, texts, write_rules, write_settings};

fn post(id: usize) -> Value {
    json!({ "id": id.to_string(), "text": format!("Acme kettle {id}"), "author_id": "7", "lang": "en", "conversation_id": "1",
        "created_at": jiff::Timestamp::now().to_string(), "public_metrics": { "like_count": 1 } })
}

fn serve(mut stream: TcpStream, talk: &Talk<Value>, rules: &Mutex<Vec<Value>>) {
    let Some((head, body)) = read(&mut stream) else { return };
    let at = path(&head).to_owned();
    if !head.to_lowercase().contains("authorization: bearer canary-x") {
        return answer(&mut stream, "401 Unauthorized", "", "{\"title\":\"Unauthorized\"}");
    }
    talk.note(&format!("{} {at}", head.split(' ').next().unwrap()));
    let json = "content-type: application/json\r\n";
    let users = json!({ "users": [{ "id": "7", "username": "ann", "name": "Ann" }] });
    if at.starts_with("/2/tweets/search/stream/rules") {
        let mut rules = rules.lock().unwrap();
        let sent: Value = serde_json::from_str(&body).unwrap_or_default();
        for id in sent["delete"]["ids"].as_array().into_iter().flatten() {
            rules.retain(|r| r["id"] != *id);
        }
        for add in sent["add"].as_array().into_iter().flatten() {
            let id = (rules.len() + 10).to_string();
            rules.push(json!({ "id": id, "value": add["value"], "tag": add["tag"] }));
        }
        let status = if head.starts_with("POST") { "201 Created" } else { "200 OK" };
        return answer(&mut stream, status, json, &json!({ "data": *rules, "meta": {} }).to_string());
    }
    if at.starts_with("/2/tweets/search/recent") {
        let all = talk.all();
        let posts: Vec<&Value> = all.iter().rev().collect();
        return answer(
            &mut stream,
            "200 OK",
            json,
            &json!({ "data": posts, "includes": users, "meta": {} }).to_string(),
        );
    }
    if !begin(&mut stream, "application/json") {
        return;
    }
    talk.listen(talk.all().len(), |post| match post {
        None => piece(&mut stream, "\r\n"),
        Some(post) => {
            let ours = json!({ "data": post, "includes": users, "matching_rules": [{ "id": "11", "tag": "vakt x" }] });
            let theirs = json!({ "data": { "id": "666", "text": "Acme of others" }, "matching_rules": [{ "id": "1", "tag": "other" }] });
            piece(&mut stream, &format!("{theirs}\r\n{ours}\r\n"))
        }
    });
    piece(
        &mut stream,
        "{\"errors\":[{\"title\":\"operational-disconnect\",\"detail\":\"This stream has been disconnected\"}]}\r\n",
    );
}

#[test]
fn rules_are_kept_and_breaks_are_filled_by_the_search() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let other = json!({ "id": "1", "value": "theirs", "tag": "other" });
    let stale = json!({ "id": "2", "value": "what we wanted once", "tag": "vakt x" });
    let rules = Arc::new(Mutex::new(vec![other.clone(), stale]));
    let kept = rules.clone();
    let place = Place::start(62, move |stream, talk| serve(stream, &talk, &kept));
    write_rules(dir, "acme");
    std::fs::write(dir.join("token"), "canary-x").unwrap();
    let source = format!(
        "kind = \"x\"\nname = \"x\"\napi = \"{}\"\nsearch = [\"acme -is:retweet\"]\nstream = true\ntoken = {{ file = \"{}\" }}",
        place.base,
        dir.join("token").display()
    );
    write_settings(dir, &format!("[http]\nlisten = \"off\"\n[[source]]\n{source}\n"));
    let mut daemon = Daemon::start(dir);
    let streams = || place.paths().iter().filter(|p| p.contains("search/stream?")).count();
    until(dir, "a stream", || streams() == 1);
    let values: Vec<Value> = rules.lock().unwrap().iter().map(|r| r["value"].clone()).collect();
    assert_eq!(values, ["theirs", "acme -is:retweet"]);
    until(dir, "the search is asked as well", || place.paths().iter().any(|p| p.contains("/recent")));
    place.say(post(1));
    until(dir, "a post", || texts(dir) == ["Acme kettle 1"]);
    assert_eq!(
        rows(dir, "SELECT url || ' ' || thread || ' ' || lookup FROM mentions"),
        ["https://x.com/ann/status/1 1 1"]
    );
    place.cut();
    place.say(post(2));
    until(dir, "what was said meanwhile", || texts(dir).len() == 2);
    until(dir, "another stream", || streams() >= 2);
    place.say(post(3));
    until(dir, "the third", || texts(dir).len() == 3);
    assert!(texts(dir).iter().all(|t| !t.contains("others")), "{:?}", texts(dir));
    let log = std::fs::read_to_string(dir.join("vakt.log")).unwrap();
    assert!(log.contains("This stream has been disconnected") && !log.contains("canary-x"));
    assert!(daemon.stop().success());
}
