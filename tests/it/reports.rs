//! What is reported: an incident afterwards, as it was logged.

use std::net::SocketAddr;
use std::path::Path;

use crate::world::{Daemon, Feed, PEOPLE, ask, free_port, get, http, said, until, write_rule, write_settings};

/// Questions wait for an answer; one of them is taken, one answered, one dismissed, each by one person alone.
fn answer_queue(dir: &Path, address: SocketAddr) {
    let queue =
        || -> Vec<serde_json::Value> { serde_json::from_str(&said(dir, &["answers", "list", "--json"])).unwrap() };
    let waiting = queue();
    assert_eq!(waiting.len(), 5, "{waiting:?}");
    let number = |n: usize| waiting[n]["answer"]["mention"].to_string();
    said(dir, &["answers", "take", &number(0), "--as", "bo"]);
    let other = ask(dir, &["answers", "done", &number(0), "--as", "anna"]);
    assert!(other.status.code() == Some(2) && String::from_utf8_lossy(&other.stderr).contains("bo has it"));
    said(dir, &["answers", "done", &number(0), "--as", "bo", "--note", "sent a new one"]);
    said(dir, &["answers", "dismiss", &number(1), "--as", "anna", "--reason", "a joke"]);
    assert_eq!(ask(dir, &["answers", "take", "999", "--as", "bo"]).status.code(), Some(2));
    let post = |path: &str, token: &str, body: &str| {
        let request = format!(
            "POST /api/v1/answers/{path} HTTP/1.1\r\nHost: {address}\r\n{token}Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        http(address, &request).unwrap()
    };
    let token = "Authorization: Bearer act-secret-canary\r\n";
    let take = format!("{}/take", number(2));
    assert!(post(&take, "", r#"{"as": "bo"}"#).0.contains("401"));
    assert!(post(&take, token, r#"{"as": "bo"}"#).0.contains("200"));
    assert!(post(&take, token, r#"{"as": "anna"}"#).0.contains("409"));
    let (_, body) = get(address, "/api/v1/answers").unwrap();
    let open: Vec<serde_json::Value> = serde_json::from_str(&body).unwrap();
    assert_eq!(open.iter().filter(|a| a["answer"]["owner"] == "bo").count(), 1);
    assert_eq!((open.len(), queue().len()), (3, 3));
    let numbers = said(dir, &["answers", "numbers"]);
    assert!(numbers.contains("needed an answer   4") && numbers.contains("answered           1 (25 %)"), "{numbers}");
    assert!(said(dir, &["audit", "list"]).contains("dismissed"));
    // A reply that is handed over is an answer.
    std::fs::write(dir.join("reply.txt"), "We are sorry, and will write to you.").unwrap();
    let mention = number(3);
    let new = ["draft", "new", "--as", "anna", "--mention", &mention, "--language", "en", "--text", "reply.txt"];
    said(dir, &new);
    said(dir, &["draft", "approve", "1", "--read", "1", "--as", "bo"]);
    said(dir, &["draft", "hand-over", "1", "--as", "anna", "--to", "X"]);
    assert_eq!(queue().len(), 2);
}

#[test]
fn an_incident_is_reported_as_it_was_logged() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (feed, port) = (Feed::start(), free_port());
    write_settings(dir, feed.address, 1, port);
    let settings = std::fs::read_to_string(dir.join("vakt.toml")).unwrap();
    let alone: Vec<&str> = settings.lines().filter(|l| !l.contains("relays")).collect();
    std::fs::write(dir.join("act"), "act-secret-canary").unwrap();
    let token =
        format!("tokens = [{{ name = \"desk\", role = \"act\", value = {{ file = \"{}/act\" }} }}, ", dir.display());
    std::fs::write(dir.join("vakt.toml"), alone.join("\n").replace("tokens = [", &token)).unwrap();
    let alert = "[[alert]]\nname = \"any\"\ntopics = [\"acme\"]\nwindow = \"1h\"\ncondition = \"mentions >= 3\"\nescalation = \"pr\"\n";
    write_rule(dir, "people.toml", PEOPLE);
    let topic = "[[topic]]\nname = \"acme\"\ntitle = \"Acme\"\nkind = \"brand\"\nquery = \"acme\"\n";
    write_rule(dir, "topics/acme.toml", topic);
    write_rule(dir, "alerts/any.toml", alert);
    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(2)).strftime("%Y-%m-%d %H:%M").to_string();
    write_rule(dir, "calendar/posts.csv", &format!("start,title,channel\n{soon},Launch film,instagram\n"));

    let _daemon = Daemon::start(dir);
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    until(dir, "ready", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    feed.publish("0", "Acme was founded long ago", "ann");
    until(dir, "history stored", || ask(dir, &["search", "acme", "--count"]).stdout == b"1\n");
    for n in 1..6 {
        feed.publish(format!("{n}"), format!("Acme, what <b>awful</b> thing is number {n}?"), format!("voice {n}"));
    }
    until(dir, "an incident", || said(dir, &["incident", "list"]).contains("any"));
    // Whoever is called is asked to hold back what is about to be published.
    let mails = || {
        let files = std::fs::read_dir(dir.join("data/mail")).into_iter().flatten().flatten();
        files.filter_map(|f| std::fs::read_to_string(f.path()).ok()).collect::<Vec<_>>()
    };
    until(dir, "two mails", || mails().len() >= 2);
    assert!(mails().iter().all(|m| m.contains("instagram: Launch film")), "{:?}", mails());
    said(dir, &["incident", "ack", "1", "--as", "bo", "--note", "on it"]);
    said(dir, &["incident", "decide", "1", "We say nothing | yet", "--as", "anna"]);
    said(dir, &["incident", "resolve", "1", "--as", "anna"]);
    until(dir, "all told", || !said(dir, &["incident", "show", "1"]).contains("waiting"));

    let text = said(dir, &["incident", "report", "1"]);
    for part in
        ["| Taken |", "Bo Berg |", "| Over |", "Anna Alm |", "We say nothing \\| yet", "| Mentions | ", "delivered"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let swedish = said(dir, &["incident", "report", "1", "--for", "bo"]);
    assert!(swedish.contains("# Efterrapport") && swedish.contains("| övertogs | on it |"), "{swedish}");
    said(dir, &["incident", "report", "1", "--format", "html", "--language", "it", "--out", "report.html"]);
    let page = std::fs::read_to_string(dir.join("report.html")).unwrap();
    assert!(page.contains("<html lang=\"it\">") && !page.contains("<b>awful"), "{page}");
    let (status, body) = get(address, "/api/v1/incidents/1/report?format=html&language=es").unwrap();
    assert!(status.contains("200") && body.contains("Informe posterior"), "{status}");
    assert!(get(address, "/api/v1/incidents/9/report").unwrap().0.contains("404"));
    assert!(get(address, "/api/v1/incidents/1/report?language=xx").unwrap().0.contains("400"));
    answer_queue(dir, address);

    // The day that is not over yet, in every form.
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let day = |more: &[&str]| said(dir, &[&["report", "--period", "day", "--until", &today], more].concat());
    let text = day(&[]);
    for part in ["Daily report: Acme", "Mentions: ", "news: ", "any, ", "voice 5 (news)"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(day(&["--for", "bo"]).contains("Dagsrapport: Acme"));
    let csv = day(&["--format", "csv", "--language", "de"]);
    assert!(
        csv.contains("glance,Beantwortet,2,0")
            && csv.contains("glance,Erwähnungen,")
            && csv.contains("incidents,1,any,review,"),
        "{csv}"
    );
    day(&["--format", "html", "--language", "it", "--out", "day.html"]);
    let page = std::fs::read_to_string(dir.join("day.html")).unwrap();
    assert!(page.contains("src=\"data:image/png;base64,") && !page.contains("<b>awful"), "{page}");
    day(&["--format", "xlsx", "--out", "day.xlsx"]);
    assert!(std::fs::read(dir.join("day.xlsx")).unwrap().starts_with(b"PK"));
    assert_eq!(ask(dir, &["report", "--format", "xlsx"]).status.code(), Some(2));
    let nothing = ask(dir, &["report", "--topic", "acmee"]);
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("did you mean `acme`?"));
    let (status, body) = get(address, &format!("/api/v1/report?period=day&until={today}&format=csv&for=bo")).unwrap();
    assert!(status.contains("200") && body.contains("glance,Omnämnanden,"), "{status}: {body}");
    assert!(get(address, "/api/v1/report?format=pdf").unwrap().0.contains("400"));
    let none = ask(dir, &["incident", "report", "9"]);
    assert_eq!(none.status.code(), Some(2), "{}", String::from_utf8_lossy(&none.stderr));
}
