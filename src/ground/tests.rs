//! Mentions on their way in, and topics that are given a past.

use super::intake::{Batch, accept};
use super::*;
use crate::config::Sheet;
use crate::model::{Author, Capture};
use crate::store::counts;
use jiff::Timestamp;

const PEOPLE: &str = "[[person]]\nname = \"a\"\nemail = \"a@acme.example\"\n[[policy]]\nname = \"p\"\nsteps = [{ notify = [\"a\"], wait = \"1h\" }]\n";

fn rules(topics: &[(&str, &str)]) -> Rules {
    let list: String = topics
        .iter()
        .map(|(name, query)| format!("[[topic]]\nname = \"{name}\"\nkind = \"brand\"\nquery = \"{query}\"\n"))
        .collect();
    let alert = format!(
        "[[alert]]\nname = \"x\"\ntopics = [\"{}\"]\ncondition = \"mentions >= 5\"\nescalation = \"p\"\n",
        topics[0].0
    );
    let sheets = [("rules/people.toml", PEOPLE), ("rules/topics/t.toml", &list), ("rules/alerts/a.toml", &alert)];
    Rules::read(sheets.map(|(name, text)| Sheet::new(name, text)).to_vec()).expect("they are in order")
}

fn now() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("a time")
}

fn ground(dir: &tempfile::TempDir, rules: Rules) -> Arc<Ground> {
    let house = Letterhead { from: "vakt <v@acme.example>".into(), operator: "o@acme.example".into(), base_url: None };
    let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
    Ground::new(store, Clock::stepped(now()), rules, house).expect("it stands")
}

fn capture(id: &str, text: &str) -> Capture {
    Capture {
        native_id: Some(id.into()),
        text: text.into(),
        author: Author { name: "Ann".into(), ..Author::default() },
        published: Some(now() - Span::mins(5)),
        network: "news".into(),
        ..Capture::default()
    }
}

async fn bring(ground: &Arc<Ground>, captures: Vec<Capture>) -> intake::Receipt {
    let batch = Batch { source: "s".into(), captures, history: false, undated_is_old: false, archive: false };
    accept(ground, batch, now(), |_, _| Ok(())).await.expect("it is stored")
}

fn texts(ground: &Ground) -> Vec<(String, Vec<String>)> {
    let all = ground.store.read(|c| mentions::after(c, 0, 100)).expect("they are read");
    all.into_iter().map(|m| (m.text, m.topics)).collect()
}

#[tokio::test]
async fn two_items_under_one_id_are_two_and_stay_two() {
    let dir = tempfile::tempdir().expect("a folder");
    let ground = ground(&dir, rules(&[("acme", "acme")]));
    let both = || vec![capture("same", "Acme one thing happened"), capture("same", "Acme another thing happened")];
    assert_eq!(bring(&ground, both()).await.new, 2);
    let again = bring(&ground, both()).await;
    assert_eq!((again.new, again.edited, again.known), (0, 0, 2), "the next fetch changes nothing");
    let edit = bring(&ground, vec![capture("same", "Acme one thing happened, corrected")]).await;
    assert_eq!((edit.new, edit.edited), (0, 1));
}

#[tokio::test]
async fn absurd_numbers_do_not_keep_others_from_being_stored() {
    let dir = tempfile::tempdir().expect("a folder");
    let ground = ground(&dir, rules(&[("acme", "acme")]));
    for id in ["1", "2"] {
        let absurd =
            Capture { reach: Some(u64::MAX), engagement: Some(u64::MAX), ..capture(id, &format!("Acme {id}")) };
        assert_eq!(bring(&ground, vec![absurd]).await.new, 1);
    }
}

#[tokio::test]
async fn a_new_topic_has_a_past_and_a_changed_one_another() {
    let dir = tempfile::tempdir().expect("a folder");
    let old = rules(&[("acme", "acme")]);
    let ground = ground(&dir, rules(&[("acme", "acme")]));
    bring(
        &ground,
        vec![capture("1", "Acme kettle on fire"), capture("2", "Globex kettle on fire"), capture("3", "rain")],
    )
    .await;
    let new = rules(&[("acme", "kettle NOT acme"), ("globex", "globex")]);
    let changed = {
        let (store, at) = (ground.store.clone(), now());
        tokio::task::spawn_blocking(move || retopic(&store, &old, &new, at))
            .await
            .expect("it ends")
            .expect("it is stored")
    };
    assert_eq!(changed, 2);
    let topics: Vec<Vec<String>> = texts(&ground).into_iter().map(|(_, topics)| topics).collect();
    assert_eq!(topics, [vec![], vec!["acme".to_owned(), "globex".to_owned()], vec![]]);
    let count = |topic: &str| {
        let all = ground.store.read(|c| counts::between(c, topic, 0, i64::MAX)).expect("they are read");
        all.into_iter().map(|(_, n)| n.mentions).sum::<u32>()
    };
    assert_eq!((count("acme"), count("globex")), (1, 1));
    let of = |topic: &str| {
        ground.store.read(|c| mentions::of_topics(c, &[topic.to_owned()], false, 0, i64::MAX, 9)).expect("read").len()
    };
    assert_eq!((of("acme"), of("globex")), (1, 1));
}
