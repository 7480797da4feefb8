//! Sources that look for topics, before and after the rules change; and rests that outlast a restart.

use std::net::TcpStream;

use serde_json::json;

use super::super::world::{Daemon, ask, until};
use super::place::{Place, Talk, answer, path, read};
use super::{texts, write_rules, write_settings};

/// Hacker News by Algolia: one comment that says what was asked for.
fn algolia(mut stream: TcpStream, talk: Talk<()>) {
    let Some((head, _)) = read(&mut stream) else { return };
    let url = url::Url::parse(&format!("http://a.example{}", path(&head))).unwrap();
    let query = url.query_pairs().find(|(k, _)| k == "query").map(|(_, v)| v.into_owned()).unwrap_or_default();
    talk.note(&query);
    let at = jiff::Timestamp::now().as_second();
    let hit = json!({ "objectID": query, "created_at_i": at, "author": "ann", "story_title": "S", "comment_text": format!("I like {query}") });
    let body = json!({ "hits": [hit], "nbHits": 1, "page": 0, "nbPages": 1, "hitsPerPage": 100 });
    answer(&mut stream, "200 OK", "content-type: application/json\r\n", &body.to_string());
}

#[test]
fn a_source_looks_for_what_the_topic_says_by_now() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let place = Place::start(64, algolia);
    write_rules(dir, "(acme OR \"acme corporation\") AND NOT burn*");
    let source = |topic: &str| {
        format!(
            "[http]\nlisten = \"off\"\n[[source]]\nkind = \"hackernews\"\nname = \"hn\"\napi = \"{}\"\nevery = \"200ms\"\ntopics = [\"{topic}\"]\n",
            place.base
        )
    };
    write_settings(dir, &source("acmee"));
    let said = ask(dir, &["check"]);
    let told = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    assert!(told.contains("no topic `acmee`") && told.contains("did you mean `acme`"), "{told}");
    write_settings(dir, &source("acme"));
    let listed = String::from_utf8(ask(dir, &["sources", "list"]).stdout).unwrap();
    assert!(
        listed.contains("acme: the network is not asked for what must not be there; the topic decides"),
        "{listed}"
    );
    let mut daemon = Daemon::start(dir);
    until(dir, "the topic's word is asked for", || texts(dir) == ["I like acme"]);
    assert!(place.paths().iter().all(|q| q == "acme"), "{:?}", place.paths());
    write_rules(dir, "acme OR globex");
    until(dir, "the new word is asked for as well", || texts(dir).contains(&"I like globex".to_owned()));
    assert!(daemon.stop().success());
}

/// A host that wants rest for an hour.
fn weary(mut stream: TcpStream, talk: Talk<()>) {
    let Some((head, _)) = read(&mut stream) else { return };
    talk.note(path(&head));
    answer(&mut stream, "429 Too Many Requests", "retry-after: 3600\r\n", "");
}

#[test]
fn a_host_that_wants_rest_has_it_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let place = Place::start(65, weary);
    write_rules(dir, "acme");
    let feed =
        |name: &str| format!("[[source]]\nkind = \"feed\"\nname = \"{name}\"\nurl = \"{}/{name}\"\n", place.base);
    write_settings(dir, &format!("[http]\nlisten = \"off\"\n{}", feed("one")));
    let mut daemon = Daemon::start(dir);
    until(dir, "it is asked", || place.paths().len() == 1);
    until(dir, "the rest is kept", || super::rows(dir, "SELECT host FROM pauses") == ["127.0.0.65"]);
    daemon.kill();
    // A source that nobody had asked before, at the same host.
    write_settings(dir, &format!("[http]\nlisten = \"off\"\n{}{}", feed("one"), feed("two")));
    let mut daemon = Daemon::start(dir);
    until(dir, "the second was not asked, and says why", || {
        super::rows(dir, "SELECT state ->> 'error' FROM sources WHERE name = 'two'")
            .iter()
            .any(|e| e.contains("left alone"))
    });
    assert_eq!(place.paths(), ["/one"]);
    let listed = String::from_utf8(ask(dir, &["sources", "list"]).stdout).unwrap();
    assert!(listed.contains("127.0.0.65 is left alone for another"), "{listed}");
    assert!(daemon.stop().success());
}
