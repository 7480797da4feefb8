//! Mastodon's streams: what was said while nobody listened is read from the timeline.

use std::net::TcpStream;

use serde_json::{Value, json};

use super::super::world::{Daemon, until};
use super::place::{Place, Talk, answer, begin, path, piece, read};
use super::{rows, texts, write_rules, write_settings};

fn status(id: usize, text: &str) -> Value {
    json!({ "id": id.to_string(), "uri": format!("https://a.example/statuses/{id}"), "url": format!("https://a.example/@ann/{id}"),
        "created_at": jiff::Timestamp::now().to_string(), "visibility": "public", "language": "en", "content": format!("<p>{text}</p>"),
        "account": { "acct": "ann", "display_name": "Ann", "followers_count": 12 }, "in_reply_to_id": "7",
        "replies_count": 0, "reblogs_count": 0, "favourites_count": 1, "media_attachments": [{ "description": "a burnt lid" }] })
}

/// Statuses as they come, and events that are no status.
#[derive(Clone)]
enum Event {
    New(Value),
    Other(&'static str, String),
}

fn serve(mut stream: TcpStream, talk: Talk<Event>) {
    let Some((head, _)) = read(&mut stream) else { return };
    let at = path(&head).to_owned();
    if !head.to_lowercase().contains("authorization: bearer canary-token") {
        return answer(&mut stream, "401 Unauthorized", "", "{\"error\":\"The access token is invalid\"}");
    }
    talk.note(&at);
    if at.starts_with("/api/v1/timelines/tag/acme") {
        let posts =
            talk.all().into_iter().rev().filter_map(|e| if let Event::New(post) = e { Some(post) } else { None });
        let posts: Vec<Value> = if at.contains("max_id") { Vec::new() } else { posts.collect() };
        return answer(&mut stream, "200 OK", "content-type: application/json\r\n", &Value::from(posts).to_string());
    }
    if !at.starts_with("/api/v1/streaming/hashtag?tag=acme") || !begin(&mut stream, "text/event-stream") {
        return answer(&mut stream, "404 Not Found", "", "{}");
    }
    // Nothing is told of what was said before.
    piece(&mut stream, ":)\n");
    talk.listen(talk.all().len(), |event| match event {
        None => piece(&mut stream, ":thump\n"),
        Some(Event::New(post)) => piece(&mut stream, &format!("event: update\ndata: {post}\n\n")),
        Some(Event::Other(name, data)) => {
            // In two pieces, as networks do.
            piece(&mut stream, &format!("event: {name}\nda")) && piece(&mut stream, &format!("ta: {data}\n\n"))
        }
    });
    // Half of an event is none.
    piece(&mut stream, "event: update\ndata: {\"id\":");
}

#[test]
fn what_was_said_while_nobody_listened_is_read_later() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let place = Place::start(61, serve);
    place.say(Event::New(status(1, "Acme of old")));
    write_rules(dir, "acme");
    std::fs::write(dir.join("token"), "canary-token").unwrap();
    let token = dir.join("token");
    let source = format!(
        "kind = \"mastodon\"\nname = \"fedi\"\ninstance = \"{}\"\nhashtags = [\"acme\"]\nstream = true\ntoken = {{ file = \"{}\" }}",
        place.base,
        token.display()
    );
    write_settings(dir, &format!("[http]\nlisten = \"off\"\n[[source]]\n{source}\n"));
    let mut daemon = Daemon::start(dir);
    let streams = || place.paths().iter().filter(|p| p.contains("/streaming/")).count();
    let asked = || place.paths().iter().filter(|p| p.contains("/timelines/")).count();
    until(dir, "history, and a stream", || texts(dir).len() == 1 && streams() == 1);
    until(dir, "the timeline is read once the stream is open", || asked() >= 2);
    assert_eq!(rows(dir, "SELECT flags & 2 FROM mentions"), ["2"], "what was there before is history");
    place.say(Event::New(status(2, "Acme kettle two")));
    until(dir, "the second", || texts(dir).len() == 2);
    assert_eq!(rows(dir, "SELECT flags & 2 FROM mentions ORDER BY id"), ["2", "0"]);
    let facts = rows(dir, "SELECT parent || ' ' || lookup || ' ' || text FROM mentions WHERE lookup = '2'");
    assert!(
        facts.len() == 1 && facts[0].starts_with("7 2 Acme kettle two") && facts[0].contains("a burnt lid"),
        "{facts:?}"
    );
    // While it streams it is hardly asked.
    let before = asked();
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert!(asked() <= before + 1, "{} questions while it streams", asked() - before);
    place.cut();
    place.say(Event::New(status(3, "Acme kettle three")));
    until(dir, "the third, from the timeline", || texts(dir).len() == 3);
    until(dir, "another stream", || streams() >= 2);
    place.say(Event::New(status(4, "Acme kettle four")));
    place.say(Event::Other("status.update", status(3, "Acme was the cat").to_string()));
    place.say(Event::Other("delete", "2".into()));
    place.say(Event::Other("filters_changed", String::new()));
    until(dir, "the fourth and the edit", || texts(dir).len() == 4 && texts(dir).iter().any(|t| t.contains("the cat")));
    until(dir, "the deletion by the server's own number", || {
        rows(dir, "SELECT m.lookup FROM withdrawn w JOIN mentions m ON m.id = w.mention") == ["2"]
    });
    assert!(daemon.stop().success());
    let log = std::fs::read_to_string(dir.join("vakt.log")).unwrap();
    assert!(!log.contains("canary-token"));
}
