//! Who is on call, as people see it.

use super::world::{PEOPLE, ask, write_rule};

const SCHEDULES: &str = r#"
[[schedule]]
name = "pr-on-call"
title = "Press on call"
time_zone = "Europe/Stockholm"
layers = [
  { rotation = ["anna", "bo"], hand_over = "Mon 09:00", start = 2026-10-19 },
  { rotation = ["bo"], only = ["Sat-Sun"] },
]
overrides = [{ person = "anna", from = "2026-10-25 12:00", to = "2026-10-25 18:00" }]
[[schedule]]
name = "office"
time_zone = "America/New_York"
layers = [{ rotation = ["anna"], only = ["Mon-Fri 08:00-18:00"] }]
[[policy]]
name = "duty"
steps = [{ notify = ["pr-on-call"], wait = "10m" }, { notify = ["pr"], wait = "10m" }]
"#;

fn rules() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("vakt.toml"), "rules_dir = \"rules\"\ndata_dir = \"data\"\n").unwrap();
    write_rule(dir.path(), "people.toml", &format!("{PEOPLE}{SCHEDULES}"));
    write_rule(dir.path(), "topics/acme.toml", "[[topic]]\nname = \"acme\"\nquery = \"acme\"\n");
    let alert = "[[alert]]\nname = \"a\"\ntopics = [\"acme\"]\ncondition = \"mentions >= 5\"\nescalation = \"duty\"\n";
    write_rule(dir.path(), "alerts/a.toml", alert);
    dir
}

#[test]
fn the_watch_is_shown_at_a_time_and_over_a_week() {
    let dir = rules();
    let said = ask(dir.path(), &["oncall", "--at", "2026-10-25T00:30Z"]);
    assert_eq!(said.status.code(), Some(1), "in the office nobody is");
    let week = ask(dir.path(), &["oncall", "pr-on-call", "--week", "--at", "2026-10-25T00:30Z"]);
    assert!(week.status.success(), "{}", String::from_utf8_lossy(&week.stderr));
    let both = format!("{}\n{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&week.stdout));
    insta::assert_snapshot!(both, @r"
    pr-on-call  Bo Berg  until Sun 25 Oct 12:00 (10h30m), then Anna Alm  Europe/Stockholm
    office      nobody   until Mon 26 Oct 08:00 (1d11h30m), then Anna Alm  America/New_York

    Press on call · week of 19 October 2026 · Europe/Stockholm

    Mon 19 Oct  00:00–09:00  nobody
                09:00–24:00  Anna Alm
    Tue 20 Oct  all day      Anna Alm
    Wed 21 Oct  all day      Anna Alm
    Thu 22 Oct  all day      Anna Alm
    Fri 23 Oct  all day      Anna Alm
    Sat 24 Oct  all day      Bo Berg
    Sun 25 Oct  00:00–12:00  Bo Berg
                12:00–18:00  Anna Alm
                18:00–24:00  Bo Berg
    ");
    let json = ask(dir.path(), &["oncall", "pr-on-call", "--week", "--json", "--at", "2026-10-26T08:30+01:00"]);
    let all: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&all[0]["who"], &all[0]["until"]), (&serde_json::json!(["anna"]), &"2026-10-26T08:00:00Z".into()));
    assert_eq!(all[0]["next"], serde_json::json!(["bo"]));
    assert_eq!(all[0]["shifts"].as_array().unwrap().last().unwrap()["to"], "2026-11-01T23:00:00Z");
    assert_eq!(ask(dir.path(), &["oncall", "pr-oncall"]).status.code(), Some(2));
    assert_eq!(ask(dir.path(), &["oncall", "--at", "soon"]).status.code(), Some(2));
}

#[test]
fn an_alarm_is_walked_through_before_it_rings() {
    let dir = rules();
    let said = ask(dir.path(), &["oncall", "--alert", "a", "--at", "2026-10-20T10:00:00Z"]);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success() && text.starts_with("a opens at review on"), "{text}");
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert!(lines[0].contains("+0s") && lines[0].contains("Anna Alm  pr-on-call"), "{text}");
    assert!(lines[1].contains("+10m") && lines[1].contains("Anna Alm, Bo Berg  pr") && lines.len() == 2, "{text}");
    assert_eq!(ask(dir.path(), &["oncall", "--alert", "b"]).status.code(), Some(2));
}

#[test]
fn check_finds_the_hours_without_anybody() {
    let dir = rules();
    let said = ask(dir.path(), &["check"]);
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success(), "{text}");
    assert!(text.contains("nobody is on call by `office` for ") && text.contains("of the next four weeks"), "{text}");
    assert!(!text.contains("`pr-on-call`"), "{text}");
}
