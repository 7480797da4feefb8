//! Bluesky's stream of everything: cut off in the middle, killed in the middle, and nothing missed or told twice.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::{Message, accept_hdr};

use super::super::world::{Daemon, ask, until};
use super::place::{Place, Talk, answer, path, read};
use super::{rows, stands_in, texts, write_rules, write_settings};

fn now_us() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

fn commit(operation: &str, key: &str, text: &str) -> Value {
    let mut commit = json!({ "operation": operation, "collection": "app.bsky.feed.post", "rkey": key });
    if operation != "delete" {
        commit["record"] = json!({ "$type": "app.bsky.feed.post", "text": text, "createdAt": jiff::Timestamp::now().to_string(), "langs": ["en"] });
    }
    json!({ "did": "did:plc:ann", "time_us": now_us(), "kind": "commit", "commit": commit })
}

/// Tells what was said since the cursor, or from now on.
#[expect(clippy::result_large_err, reason = "the library's own type")]
fn serve(stream: TcpStream, talk: Talk<Value>) {
    let mut cursor = None;
    // Before anybody can know that it is open.
    let now = talk.all().len();
    let look = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let uri = request.uri().to_string();
        cursor = uri.split("cursor=").nth(1).and_then(|c| c.parse::<i64>().ok());
        talk.note(&uri);
        Ok(response)
    };
    let Ok(mut socket) = accept_hdr(stream, look) else { return };
    let all = talk.all();
    let from = match cursor {
        Some(cursor) => all.iter().position(|told| told["time_us"].as_i64() >= Some(cursor)).unwrap_or(all.len()),
        None => now,
    };
    talk.listen(from, |told| match told {
        Some(told) => socket.send(Message::text(told.to_string())).is_ok(),
        None => socket.send(Message::Ping(Vec::new().into())).is_ok(),
    });
    // Cut off without a word, as it happens.
}

/// The one account there is.
fn profiles(mut stream: TcpStream, talk: Talk<()>) {
    let Some((head, _)) = read(&mut stream) else { return };
    talk.note(path(&head));
    let ann = json!({ "did": "did:plc:ann", "handle": "ann.example", "displayName": "Ann Alm", "followersCount": 321 });
    answer(&mut stream, "200 OK", "content-type: application/json\r\n", &json!({ "profiles": [ann] }).to_string());
}

#[test]
fn everything_is_heard_once_whatever_breaks() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let place = Place::start(60, serve);
    write_rules(dir, "acme");
    let accounts = Place::start(66, profiles);
    let source = format!(
        "kind = \"bluesky\"\nname = \"sky\"\nsearch = [\"acme\"]\nstream = true\njetstream = \"{}\"\nprofiles = \"{}\"",
        place.base, accounts.base
    );
    write_settings(dir, &format!("[http]\nlisten = \"off\"\n[[source]]\n{source}\n"));
    let mut daemon = Daemon::start(dir);
    until(dir, "a connection", || place.paths().len() == 1);
    assert!(!place.paths()[0].contains("cursor"), "{:?}", place.paths());
    for n in 0..5 {
        place.say(commit("create", &format!("a{n}"), &format!("My Acme kettle {n} is canarytext{n}")));
        place.say(commit("create", &format!("b{n}"), "Nobody looks for this"));
    }
    place.say(json!({ "kind": "identity", "did": "did:plc:ann", "time_us": now_us() }));
    until(dir, "five posts", || texts(dir).len() == 5);
    assert_eq!(
        rows(dir, "SELECT DISTINCT author || ' ' || handle || ' ' || followers || ' ' || reach FROM mentions"),
        ["Ann Alm ann.example 321 321"]
    );
    assert_eq!(accounts.paths(), ["/xrpc/app.bsky.actor.getProfiles?actors=did%3Aplc%3Aann"], "she is asked for once");
    // Cut off; what is said meanwhile is told by the cursor, and nothing twice.
    place.cut();
    for n in 5..8 {
        place.say(commit("create", &format!("a{n}"), &format!("My Acme kettle {n}")));
    }
    until(dir, "three more", || texts(dir).len() == 8);
    assert!(place.paths().last().unwrap().contains("cursor="), "{:?}", place.paths());
    // Killed in the middle of many, twice.
    for round in 0..2 {
        for n in 0..150 {
            place.say(commit("create", &format!("c{round}-{n}"), &format!("Acme again {round} {n}")));
            if n == 60 {
                daemon.kill();
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        daemon = Daemon::start(dir);
    }
    until(dir, "all of them", || texts(dir).len() >= 308);
    std::thread::sleep(Duration::from_millis(500));
    let all = rows(dir, "SELECT url FROM mentions");
    let once: std::collections::HashSet<&String> = all.iter().collect();
    assert_eq!((all.len(), once.len()), (308, 308));
    // An edit is followed, whatever it says now; what is taken back leaves, with every word of it.
    place.say(commit("update", "a1", "It was the cat"));
    place.say(commit("delete", "a2", ""));
    until(dir, "the edit", || texts(dir).contains(&"It was the cat".to_owned()));
    until(dir, "the deletion is noted", || rows(dir, "SELECT mention FROM withdrawn").len() == 1);
    // Another account is closed, and whatever it said leaves as well.
    let mut other = commit("create", "z1", "Acme says canaryclosed");
    other["did"] = "did:plc:bo".into();
    place.say(other);
    until(dir, "what another says", || texts(dir).len() == 309);
    place.say(json!({ "did": "did:plc:bo", "time_us": now_us(), "kind": "account", "account": { "active": false, "status": "deleted" } }));
    until(dir, "the account is noted", || rows(dir, "SELECT mention FROM withdrawn").len() == 2);
    assert!(stands_in(&dir.join("data"), "canarytext3") && stands_in(&dir.join("data"), "canaryclosed"));
    let listed = String::from_utf8(ask(dir, &["sources", "list"]).stdout).unwrap();
    assert!(listed.contains("connected for"), "{listed}");
    assert!(daemon.stop().success());
    // It leaves with the first look after the start, and at last from the files of the index.
    let mut daemon = Daemon::start(dir);
    until(dir, "it has left", || {
        texts(dir).iter().all(|t| !t.contains("canarytext2")) && rows(dir, "SELECT mention FROM withdrawn").is_empty()
    });
    until(dir, "no trace in any file", || {
        !stands_in(&dir.join("data"), "canarytext2") && !stands_in(&dir.join("data"), "canaryclosed")
    });
    assert_eq!(rows(dir, "SELECT sum(mentions) FROM counts"), ["309"], "what was counted stays counted");
    assert_eq!(texts(dir).len(), 307);
    assert!(daemon.stop().success());
}
