//! Tidying, stepped by hand: what is past its time goes, by source and by network; evidence stays for as long as it is
//! evidence.

use super::*;
use crate::config::Sheet;
use crate::engine::window::tests::mention;
use crate::ground::Clock;
use crate::model::{Author, Evidence, Severity};
use crate::rules::Rules;
use crate::store::mentions::{Identity, Put};
use crate::store::outbox::{self, By, Message};
use crate::store::{Store, changes};

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().expect("a time")
}

fn ground(dir: &tempfile::TempDir) -> Arc<Ground> {
    let people = "[[person]]\nname = \"a\"\nemail = \"a@acme.example\"\n[[policy]]\nname = \"p\"\nsteps = [{ notify = [\"a\"], wait = \"1h\" }]\n";
    let topics = "[[topic]]\nname = \"acme\"\nkind = \"brand\"\nquery = \"acme\"\n";
    let alerts = "[[alert]]\nname = \"x\"\ntopics = [\"acme\"]\nwindow = \"1h\"\ncondition = \"mentions >= 5\"\ngroup_by = [\"topic\"]\nescalation = \"p\"\n";
    let sheets = [("rules/people.toml", people), ("rules/topics/t.toml", topics), ("rules/alerts/a.toml", alerts)];
    let rules =
        Rules::read(sheets.map(|(n, t)| Sheet::new(n, t)).to_vec(), Timestamp::UNIX_EPOCH).expect("they are in order");
    let house = crate::ground::tests::house();
    let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
    Ground::new(store, Clock::stepped(now()), rules, house).expect("it stands")
}

/// Stores a mention that was received so many days ago.
fn bring(ground: &Ground, days: i64, source: &str, network: &str) -> i64 {
    let at = now() - Span::days(days);
    let m = Mention {
        source: source.into(),
        network: network.into(),
        at,
        received: at,
        topics: vec!["acme".into()],
        author: Author { name: "Ann".into(), ..Author::default() },
        ..mention(0, 0, 0.0)
    };
    let put = ground.store.write_blocking(move |tx| {
        let mut seq = mentions::last_seq(tx)?;
        let identity = Identity { told: seq + 1, placed: None, called: None, content: 1 };
        mentions::put(tx, &m, &identity, &mut seq, &mut TopicIds::default())
    });
    match put.expect("it is stored") {
        Put::New(id) => id,
        other => panic!("{other:?}"),
    }
}

fn ids(ground: &Ground) -> Vec<i64> {
    ground.store.read(|c| mentions::after(c, 0, 5000)).expect("read").iter().map(|m| m.id).collect()
}

/// Passes until the stage rests; how many there were.
async fn tidied(tidy: &mut Tidy, now: Timestamp) -> usize {
    let mut passes = 1;
    while tidy.pass(now).await < now + Span::mins(30) {
        passes += 1;
        assert!(passes < 500, "it never rests");
    }
    passes
}

fn keep() -> Retention {
    Retention {
        sources: [("x".to_owned(), Some(Span::days(30))), ("old".to_owned(), Some(Span::days(730)))].into(),
        ..Retention::default()
    }
}

pub(in crate::stages) fn incident(opened: Timestamp) -> Incident {
    Incident {
        id: 1,
        alert: "x".into(),
        group: "acme".into(),
        topic: "acme".into(),
        status: Status::Open,
        severity: Severity::Review,
        opened,
        fired: opened,
        resolved: None,
        calm: false,
        ack: None,
        steps_taken: 0,
        next_step: None,
        next_remind: None,
        told: Vec::new(),
        messages: 0,
        peak: 5,
        evidence: Evidence::default().into(),
        muted_by: None,
        merged_into: None,
        drill: None,
        silenced_by: None,
        overruled: None,
        snoozed: None,
        shadow: false,
        flood: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_age_by_source_and_by_network() {
    let dir = tempfile::tempdir().expect("a folder");
    let ground = ground(&dir);
    let (gone, imported) = (bring(&ground, 401, "news", "web"), bring(&ground, 401, "old", "x"));
    let post = bring(&ground, 40, "api", "x");
    let young = [bring(&ground, 399, "news", "web"), bring(&ground, 20, "api", "x")];
    let mut tidy = Tidy::new(ground.clone(), keep());
    tidied(&mut tidy, now()).await;
    assert_eq!(ids(&ground), [imported, young[0], young[1]]);
    let told = ground.store.read(|c| changes::after(c, 0, 99)).expect("read");
    let deleted: Vec<i64> = told
        .iter()
        .filter_map(|(_, change)| match change {
            changes::Change::Gone { mention, thorough: false } => Some(*mention),
            _ => None,
        })
        .collect();
    assert_eq!(deleted, [gone, post], "the index is told");
    // Nothing happens before the hour is over, and then only what has become old.
    assert_eq!(tidy.pass(now() + Span::mins(5)).await, now() + EVERY);
    tidied(&mut tidy, now() + Span::days(11)).await;
    assert_eq!(ids(&ground), [imported]);
    // Other rules look at everything once more.
    let mut tidy = Tidy::new(ground.clone(), Retention { sources: Default::default(), ..keep() });
    tidied(&mut tidy, now() + Span::days(11)).await;
    assert_eq!(ids(&ground), [] as [i64; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_spared_while_it_is_needed() {
    let dir = tempfile::tempdir().expect("a folder");
    let ground = ground(&dir);
    let (before, evidence) = (bring(&ground, 60, "api", "x"), bring(&ground, 50, "api", "x"));
    let opened = now() - Span::days(50) + Span::mins(10);
    let mut i = incident(opened);
    let stored = i.clone();
    ground.store.write(move |tx| incidents::insert(tx, &stored)).await.expect("stored");
    let mut tidy = Tidy::new(ground.clone(), keep());
    tidied(&mut tidy, now()).await;
    assert_eq!((ids(&ground), before < evidence), (vec![evidence], true));
    // Resolved: kept for a year from then, and no longer.
    (i.status, i.resolved, i.calm) = (Status::Resolved, Some(now()), true);
    ground.store.write(move |tx| incidents::update(tx, &i)).await.expect("stored");
    tidied(&mut tidy, now() + Span::days(364)).await;
    assert_eq!(ids(&ground), [evidence]);
    tidied(&mut tidy, now() + Span::days(366)).await;
    assert_eq!(ids(&ground), [] as [i64; 0]);
    assert_eq!(ground.store.read(|c| old::spared(c, 0, 9)).expect("read"), [] as [i64; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_go_a_few_at_a_time_and_old_letters_are_emptied() {
    let dir = tempfile::tempdir().expect("a folder");
    let ground = ground(&dir);
    (0..2100).for_each(|n| {
        bring(&ground, if n % 2 == 0 { 500 } else { 1 }, "s", "web");
    });
    let message = |n: i64| Message {
        id: 0,
        message_id: format!("m{n}"),
        incident: Some(1),
        person: "a".into(),
        by: By::default(),
        address: "a@acme.example".into(),
        subject: "s".into(),
        body: b"what was said".to_vec(),
        created: now(),
        attempts: 0,
    };
    ground
        .store
        .write(move |tx| {
            (1..=3).try_for_each(|n| outbox::put(tx, &message(n)))?;
            outbox::delivered(tx, 1, "r", now() - Span::days(366))?;
            outbox::delivered(tx, 2, "r", now() - Span::days(364))
        })
        .await
        .expect("stored");
    let mut tidy = Tidy::new(ground.clone(), keep());
    let passes = tidied(&mut tidy, now()).await;
    assert_eq!(ids(&ground).len(), 1050, "young ones among old ones are passed over, and looked at again");
    assert!(passes >= 5, "{passes}");
    let bodies: Vec<usize> = (1..=3)
        .map(|n| ground.store.read(|c| outbox::stands(c, n)).expect("read").expect("there").body.len())
        .collect();
    assert_eq!(bodies, [0, 13, 13]);
}
