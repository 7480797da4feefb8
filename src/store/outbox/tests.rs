//! Ways of which one is enough: what is spared, what is due sooner, and who is reached after all.

use super::*;
use crate::store::Store;

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
    (dir, store)
}

fn message(person: &str, channel: &str, chain: &str, place: u32) -> Message {
    Message {
        id: 0,
        message_id: format!("{channel}.{person}"),
        incident: Some(1),
        person: person.into(),
        by: By {
            channel: channel.into(),
            chain: chain.into(),
            place,
            after: Span::secs(90 * i64::from(place)),
            urgent: false,
        },
        address: "x".into(),
        subject: "s".into(),
        body: b"b".to_vec(),
        created: now(0),
        attempts: 0,
    }
}

fn now(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Span::days(9) + Span::secs(seconds)
}

/// Anna's mail, her push shared with Bo, and what each has besides.
fn whole(store: &Store) {
    let all = [
        message("anna", MAIL, "", 0),
        message("anna", "push", "c", 0),
        message("anna", "sms", "c", 1),
        message("anna", "page", "c", 2),
        message("bo", "sms", "c", 1),
    ];
    store.write_blocking(move |tx| all.iter().try_for_each(|m| put(tx, m))).expect("put");
}

fn states(store: &Store) -> String {
    let told = store.read(|c| of_incident(c, 1)).expect("read");
    told.iter().map(|t| format!("{}.{} {}", t.person, t.channel, t.state)).collect::<Vec<_>>().join(", ")
}

fn due_at(store: &Store, at: Timestamp) -> String {
    store
        .read(|c| {
            let mut out = Vec::new();
            for channel in due_channels(c, at)? {
                out.extend(due(c, &channel, at, 9)?.into_iter().map(|m| m.message_id));
            }
            out.sort();
            Ok(out.join(" "))
        })
        .expect("read")
}

#[test]
fn what_is_taken_spares_the_others() {
    let (_dir, store) = store();
    whole(&store);
    assert_eq!(due_at(&store, now(0)), "mail.anna push.anna");
    assert_eq!(due_at(&store, now(90)), "mail.anna push.anna sms.anna sms.bo");
    store.write_blocking(|tx| delivered(tx, 2, "r", now(1))).expect("written");
    assert_eq!(
        states(&store),
        "anna.mail waiting, anna.push delivered, anna.sms spared, anna.page spared, bo.sms spared"
    );
    assert_eq!(due_at(&store, now(999)), "mail.anna");
    let standing = store.read(standing).expect("read");
    assert_eq!((standing.waiting, standing.delivered, standing.failed), (1, 1, 0));
}

#[test]
fn what_fails_calls_the_next_at_once_and_ones_own_way_spares_nobody_elses() {
    let (_dir, store) = store();
    whole(&store);
    store.write_blocking(|tx| failed(tx, 2, "no", now(1))).expect("written");
    assert_eq!(due_at(&store, now(1)), "mail.anna sms.anna sms.bo");
    store.write_blocking(|tx| delivered(tx, 3, "r", now(2))).expect("written");
    assert_eq!(
        states(&store),
        "anna.mail waiting, anna.push failed, anna.sms delivered, anna.page spared, bo.sms waiting"
    );
    let bo = Message { id: 5, ..message("bo", "sms", "c", 1) };
    let anna = Message { id: 1, ..message("anna", MAIL, "", 0) };
    assert!(store.read(|c| goes_otherwise(c, &anna)).expect("read"));
    assert!(!store.read(|c| goes_otherwise(c, &bo)).expect("read"), "nothing else goes to bo");
}

#[test]
fn several_ways_are_one_message_of_a_budget() {
    let (_dir, store) = store();
    whole(&store);
    assert_eq!(store.read(|c| sent_since(c, "anna", now(0))).expect("read"), 1);
    assert_eq!(store.read(|c| sent_since(c, "bo", now(0))).expect("read"), 1);
    let ways = |person: &'static str| {
        let ways = store.read(|c| ways_of(c, person, 1)).expect("read");
        ways.into_iter().map(|(channel, _)| channel).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((ways("anna").as_str(), ways("bo").as_str()), ("mail push", ""), "what waits for others told nobody");
}

#[test]
fn an_hour_is_full_when_enough_mails_were_put_in_it() {
    let (_dir, store) = store();
    let put_at = |n: i64, seconds: i64, channel: &str| {
        let m = message("anna", channel, "", 0);
        let m = Message { message_id: format!("{channel}{n}"), created: now(seconds), ..m };
        store.write_blocking(move |tx| put(tx, &m)).expect("put");
    };
    let full = |most, since: i64| store.read(|c| is_full(c, most, now(since))).expect("read");
    assert!(!full(1, 0), "nothing was put");
    (0..3).for_each(|n| put_at(n, n * 60, MAIL));
    (0..9).for_each(|n| put_at(n, 200, "push"));
    assert!(full(3, 0) && !full(4, 0), "pushes are no mails");
    assert!(!full(3, 30) && full(2, 30), "the first is long ago");
}
