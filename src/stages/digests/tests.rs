//! Digests go out once for each reader and period, in their zone and language, whatever happens meanwhile.

use super::*;
use crate::config::Sheet;
use crate::ground::{Clock, Letterhead};
use crate::rules::Rules;
use crate::store::Store;

const PEOPLE: &str = r#"
[[person]]
name = "anna"
email = "anna@acme.example"
languages = ["de"]
time_zone = "Europe/Berlin"
[[person]]
name = "bo"
email = "bo@acme.example"
languages = ["sv"]
time_zone = "America/New_York"
[[team]]
name = "pr"
members = ["anna", "bo"]
[[policy]]
name = "p"
steps = [{ notify = ["anna"], wait = "1h" }]
"#;

fn ground(dir: &tempfile::TempDir, clock: Clock) -> Arc<Ground> {
    let topics = "[[topic]]\nname = \"acme\"\ntitle = \"Acme\"\nkind = \"brand\"\nquery = \"acme\"\n";
    let alerts = "[[alert]]\nname = \"x\"\ntopics = [\"acme\"]\ncondition = \"mentions >= 5\"\nescalation = \"p\"\n";
    let reports = "[[report]]\nname = \"daily\"\nperiod = \"day\"\nat = \"07:00\"\nto = [\"pr\", \"anna\"]\n";
    let sheets =
        [("people.toml", PEOPLE), ("topics/t.toml", topics), ("alerts/a.toml", alerts), ("reports.toml", reports)];
    let sheets = sheets.map(|(name, text)| Sheet::new(format!("rules/{name}"), text)).to_vec();
    let rules = Rules::read(sheets, clock.now()).expect("they are in order");
    let house = Letterhead {
        from: "vakt <v@acme.example>".into(),
        operator: "o@acme.example".into(),
        base_url: None,
        most_an_hour: 200,
        operator_reach: Vec::new(),
    };
    let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
    Ground::new(store, clock, rules, house).expect("it stands")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// All that is due at an instant, as a new start finds it; whom it is for, and the subjects of all that waits.
fn pass(ground: &Ground, now: &str) -> Vec<(String, String)> {
    while one(ground, at(now)).expect("it works") {}
    let due = ground.store.read(|c| outbox::due(c, "mail", at(now), 100)).expect("read");
    due.into_iter().map(|m| (m.person, m.subject.replace('\u{a0}', " "))).collect()
}

#[test]
fn each_period_is_told_once_in_the_readers_zone_and_language() {
    let dir = tempfile::tempdir().expect("a folder");
    let ground = ground(&dir, Clock::stepped(at("2026-03-10T05:00:00Z")));
    assert!(pass(&ground, "2026-03-10T05:00:00Z").is_empty(), "what was before is not told");
    assert!(pass(&ground, "2026-03-10T05:59:00Z").is_empty(), "not before seven");
    let anna = ("anna".to_owned(), "[vakt] Tagesbericht: Acme, Mo 9. März 2026".to_owned());
    assert_eq!(pass(&ground, "2026-03-10T06:00:00Z"), std::slice::from_ref(&anna).to_vec());
    assert_eq!(pass(&ground, "2026-03-10T06:00:10Z").len(), 1, "once");
    let bo = ("bo".to_owned(), "[vakt] Dagsrapport: Acme, mån 9 mars 2026".to_owned());
    assert_eq!(pass(&ground, "2026-03-10T11:00:00Z"), [anna, bo]);
    // A rest of a week is one more digest for each.
    assert_eq!(pass(&ground, "2026-03-17T20:00:00Z").len(), 4);
    // The mark is lost and the message is not: nobody gets it twice.
    ground.store.write_blocking(|tx| meta::set(tx, "report:daily:anna", "2026-03-16")).expect("written");
    assert_eq!(pass(&ground, "2026-03-17T20:00:00Z").len(), 4);
}
