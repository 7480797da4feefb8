//! Tests of rules played: what passes, and how a failure reads.

use super::*;
use crate::config::fault::{Sheet, render_all};

const TOPICS: &str = r#"
[[topic]]
name = "acme"
query = "acme"
[[topic]]
name = "fire"
kind = "risk"
query = "fire OR brand OR feuer"
"#;

const ALERTS: &str = r#"
[[alert]]
name = "acme-fire"
topics = ["acme", "fire"]
window = "15m"
condition = "mentions >= 5 && negative_share >= 0.5 && authors >= 4 && stories >= 3"
severity = "escalate"
raise = [{ to = "crisis", when = "reach > 5000 || stories_in_tier1 > 0" }]
group_by = ["topic"]
escalation = "pr"
resolve_after = "1h"
[[alert]]
name = "acme-loud"
topics = ["acme"]
condition = "mentions >= 10 && surprise >= 3.0"
for = "5m"
group_by = ["topic"]
escalation = "pr"
[[alert]]
name = "acme-tried"
topics = ["acme"]
condition = "mentions >= 10"
shadow = true
escalation = "pr"
[[alert]]
name = "wire-silent"
silence_of = ["wire"]
window = "2h"
escalation = "pr"
"#;

const PEOPLE: &str = r#"
[[person]]
name = "anna"
email = "anna@acme.example"
[[person]]
name = "bo"
email = "bo@acme.example"
[[team]]
name = "chiefs"
members = ["bo"]
[[policy]]
name = "pr"
steps = [{ notify = ["anna"], wait = "15m" }, { notify = ["chiefs"], wait = "15m" }]
"#;

const HOUSE: &str = "[[site]]\nhost = \"post.example\"\ntier = 1\nreach = 1000\n";

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20200301T090000Z\r\nDURATION:PT2H\r\n\
    RRULE:FREQ=YEARLY\r\nSUMMARY:Launch\r\nX-VAKT-FACTOR:20\r\nX-VAKT-TOPICS:acme\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn knowledge() -> Knowledge {
    let files = [
        ("topics/a.toml", TOPICS),
        ("alerts/a.toml", ALERTS),
        ("people.toml", PEOPLE),
        ("lexicon/h.toml", HOUSE),
        ("calendar/a.ics", CALENDAR),
    ];
    let sheets = files.iter().map(|(name, text)| Sheet::new(*name, *text)).collect();
    let rules = Rules::read(sheets, cases::begin()).unwrap_or_else(|f| panic!("{}", render_all(&f, false)));
    Knowledge::new(rules, 0)
}

/// Plays tests, and shows what became of them with nothing in it that changes from run to run.
fn with(text: &str, work: impl FnOnce(&[Played<'_>])) {
    let knowledge = knowledge();
    let (all, faults) = cases::read(vec![Sheet::new("rules/tests/a.toml", text)], &knowledge.rules);
    assert_eq!(faults, [], "{}", render_all(&faults, false));
    let chosen: Vec<&Case> = all.iter().collect();
    let stage = Stage::new(knowledge, &chosen);
    let mut played = play_all(&stage, &chosen);
    played.iter_mut().for_each(|p| p.seconds = 0.0);
    work(&played);
}

fn faults(text: &str) -> String {
    let (_, faults) = cases::read(vec![Sheet::new("rules/tests/a.toml", text)], &knowledge().rules);
    render_all(&faults, false)
}

fn shown(played: &[Played<'_>]) -> String {
    let one = |p: &Played<'_>| format!("{}\n{}", show::line(p, Paint(false)), show::failure(p, Paint(false)));
    played.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn passes(text: &str) {
    with(text, |played| assert!(played.iter().all(|p| p.outcome.misses.is_empty()), "{}", shown(played)));
}

const FIRE: &str = r#"
[[test]]
name = "Fire"
[[test.mentions]]
generate = { per_hour = 60, until = "+20m", topics = ["acme", "fire"], negative = 0.8 }
"#;

#[test]
fn people_do_with_incidents_what_they_may() {
    passes(&format!(
        r#"{FIRE}
        [[test.act]]
        at = "+10m"
        alert = "acme-fire"
        group = "acme"
        by = "bo"
        snooze = "2h"
        [[test.act]]
        at = "+12m"
        alert = "acme-fire"
        severity = "review"
        [[test.act]]
        at = "+14m"
        alert = "acme-fire"
        resolve = true
        [[test.act]]
        at = "+16m"
        alert = "acme-fire"
        reopen = true
        [[test.act]]
        at = "+17m"
        alert = "acme-fire"
        assign = "bo"
        [[test.expect]]
        at = "+9m"
        told = [{{ who = "anna", notice = "opened" }}]
        [[test.expect]]
        at = "+11m"
        told = [{{ who = "anna", notice = "snoozed", from = "+10m" }}]
        untold = ["chiefs"]
        [[test.expect]]
        at = "+15m"
        over = ["acme-fire"]
        told = [{{ who = "anna", notice = "lowered", from = "+12m" }}]
        [[test.expect]]
        at = "+18m"
        told = [{{ who = "bo", notice = "assigned", from = "+17m" }}]
        [[test]]
        name = "Silenced"
        [[test.mentions]]
        generate = {{ per_hour = 60, until = "+20m", topics = ["acme", "fire"], negative = 0.8 }}
        [[test.act]]
        at = "+1m"
        silence = "8h"
        upto = "crisis"
        topic = "acme"
        [[test.expect]]
        by = "+60m"
        open = [{{ alert = "acme-fire" }}]
        untold = ["anna", "bo"]
        "#
    ));
}

#[test]
fn an_act_is_one_thing() {
    let wrong = |act: &str| {
        let text =
            format!("{FIRE}\n[[test.act]]\nat = \"+1m\"\n{act}\n[[test.expect]]\nat = \"+9m\"\nquiet = [\"*\"]\n");
        faults(&text)
    };
    assert!(wrong("alert = \"acme-fire\"").contains("nothing is done here"));
    assert!(wrong("alert = \"acme-fire\"\nresolve = true\nreopen = true").contains("more than one thing"));
    assert!(wrong("resolve = true").contains("alert"), "{}", wrong("resolve = true"));
    assert_eq!(wrong("silence = \"1h\""), "");
}

#[test]
fn a_crowd_rings_and_its_course_is_as_expected() {
    passes(&format!(
        r#"{FIRE}
        [[test.mentions]]
        at = "+10m"
        text = "A fire in a kitchen, and an Acme kettle that is terribly dangerous"
        site = "post.example"
        [[test.act]]
        at = "+25m"
        alert = "acme-fire"
        acknowledge = "bo"
        [[test.expect]]
        at = "+9m"
        open = [{{ alert = "acme-fire", group = "acme", severity = "escalate" }}]
        only = true
        told = [{{ who = "anna", notice = "opened", alert = "acme-fire" }}]
        untold = ["chiefs"]
        [[test.expect]]
        at = "+24m"
        open = [{{ alert = "acme-fire", severity = "crisis" }}]
        shadow = ["acme-tried"]
        muted = ["acme-loud"]
        [[test.expect]]
        by = "+24m"
        open = [{{ alert = "acme-fire", severity = "escalate" }}]
        told = [{{ who = "chiefs", from = "+15m", notice = "escalated" }}]
        [[test.expect]]
        at = "+4h"
        over = ["acme-fire"]
        "#
    ));
}

#[test]
fn silence_rings_after_a_quiet_past() {
    passes(
        r#"
        [[test]]
        name = "The wire falls silent"
        calm = "7d"
        calm_rate = 12
        calm_topics = ["acme"]
        [[test.mentions]]
        at = "-1m"
        text = "Acme opens a shop"
        source = "wire"
        [[test.expect]]
        at = "+30m"
        quiet = ["*"]
        [[test.expect]]
        by = "+3h"
        open = [{ alert = "wire-silent", group = "wire" }]
        [[test]]
        name = "The wire goes on"
        calm = "7d"
        calm_rate = 12
        [[test.mentions]]
        generate = { per_hour = 12, until = "+4h", topics = ["acme"], source = "wire" }
        [[test.expect]]
        at = "+4h"
        quiet = ["*"]
        "#,
    );
}

#[test]
fn a_failure_says_what_was_expected_and_what_happened() {
    let text = format!(
        r#"{FIRE}
        [[test.expect]]
        at = "+30m"
        open = [{{ alert = "acme-fire", severity = "crisis" }}, {{ alert = "wire-silent" }}]
        only = true
        quiet = ["acme-fire"]
        told = [{{ who = "chiefs", by = "+10m" }}, {{ who = "anna", notice = "resolved" }}]
        untold = ["anna"]
        over = ["acme-fire"]
        muted = ["acme-fire"]
        [[test]]
        name = "Too short & too few"
        [[test.mentions]]
        every = "10s"
        texts = ["Acme fire, terrible", "Acme fire, horrible thing", "Acme and a fire, awful"]
        [[test.mentions]]
        at = "+1h"
        every = "2s"
        texts = ["Acme a", "Acme b", "Acme c", "Acme d", "Acme e", "Acme f", "Acme g", "Acme h", "Acme i", "Acme j"]
        [[test.expect]]
        at = "+64m"
        open = [{{ alert = "acme-fire" }}, {{ alert = "acme-loud" }}]
        only = true
        "#
    );
    with(&text, |played| {
        // How levels are learned is another room's business.
        insta::with_settings!({ filters => [(r"(surprise|silence) [0-9.]+ >", "$1 N >"), (r"(surprise|silence) [0-9.]+ &", "$1 N &")] }, {
            insta::assert_snapshot!("failures", shown(played));
            insta::assert_snapshot!("junit", junit::report(played));
        });
    });
}

#[test]
fn the_calendar_is_that_of_the_tests_own_time() {
    let at = |name: &str, day: &str, rings: &str| {
        format!(
            "[[test]]\nname = \"{name}\"\nat = {day}T09:00:00Z\ncalm = \"7d\"\n[[test.mentions]]\n\
             generate = {{ per_hour = 60, until = \"+1h\", topics = [\"acme\"] }}\n[[test.expect]]\nby = \"+1h\"\n{rings}\n"
        )
    };
    let loud = "open = [{ alert = \"acme-loud\" }]";
    let quiet = "quiet = [\"acme-loud\"]";
    // An event of every year, in years far apart; a week later the same crowd is a surprise.
    let all = [
        at("a", "2021-03-01", quiet),
        at("b", "2031-03-01", quiet),
        at("c", "2021-03-08", loud),
        at("d", "2031-03-08", loud),
    ];
    passes(&all.concat());
}

#[test]
fn made_up_crowds_have_the_shares_that_are_asked_for() {
    let knowledge = knowledge();
    let text = r#"
        [[test]]
        name = "a"
        calm = "2d"
        [[test.mentions]]
        generate = { per_hour = 600, until = "+1h", topics = ["acme"], negative = 0.6, copies = 0.25, authors = 90, networks = ["x", "forum"], poisson = true }
        [[test.expect]]
        at = "+1h"
        only = true
        "#;
    let (cases, _) = cases::read(vec![Sheet::new("a.toml", text)], &knowledge.rules);
    let all = cast::mentions(&knowledge, &cases[0], crate::model::time::Span::mins(15)).expect("they are made up");
    assert_eq!(all, cast::mentions(&knowledge, &cases[0], crate::model::time::Span::mins(15)).expect("the same"));
    let crowd: Vec<_> = all.iter().filter(|m| m.at >= cases[0].start).collect();
    let past = all.iter().filter(|m| m.history).count();
    assert!((520..680).contains(&crowd.len()) && (90..=96).contains(&past), "{} {past}", crowd.len());
    let share = |holds: &dyn Fn(&crate::model::Mention) -> bool| {
        crowd.iter().filter(|m| holds(m)).count() as f64 / crowd.len() as f64
    };
    assert!((share(&|m| m.is_negative()) - 0.6).abs() < 0.02);
    assert!((share(&|m| m.network == "x") - 0.5).abs() < 0.02);
    let mut stories: Vec<i64> = crowd.iter().map(|m| m.story).collect();
    stories.sort_unstable();
    let most = stories.chunk_by(|a, b| a == b).map(<[i64]>::len).max().unwrap_or(0);
    assert!((most as f64 / crowd.len() as f64 - 0.25).abs() < 0.02, "{most}");
    let authors: std::collections::HashSet<&str> = crowd.iter().map(|m| m.author.name.as_str()).collect();
    assert_eq!(authors.len(), 90);
}
