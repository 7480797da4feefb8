//! Connections that tell a little and end, from the place that was stored last on.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::ground::tests::standing;
use crate::ground::{Clock, Ground};
use crate::model::Capture;
use crate::sources::live::{Listening, Live};
use crate::sources::{Brought, Fetching, Http, Limits, Source};
use crate::stages::Stage;
use crate::store::mentions;

#[test]
fn connections_come_back_later_and_later() {
    let ended = FetchError::Ended { place: "a.example".into() };
    let after = |failures| rest(failures, &ended, 1.0);
    assert_eq!([after(1), after(2), after(4), after(99)], [1, 2, 8, 300].map(Span::secs));
    assert_eq!(rest(3, &ended, -1.0), Span::secs(2));
    let refused = FetchError::Unauthorized { place: "a.example".into(), status: 401, body: Vec::new() };
    assert_eq!(rest(1, &refused, 1.0), HOPELESS);
    let busy = FetchError::RateLimited {
        place: "a.example".into(),
        status: 429,
        retry_after: Span::mins(7),
        body: Vec::new(),
    };
    assert_eq!(rest(1, &busy, -1.0), Span::mins(7));
}

/// Tells three things from its cursor on, and ends; or goes on listening where it is `patient`.
struct Teller {
    /// The cursors that it was asked to go on from.
    from: Arc<Mutex<Vec<Value>>>,
    patient: bool,
}

impl Source for Teller {
    fn fetch<'a>(&'a self, _: &'a Http, _: &'a Value, _: Timestamp) -> Fetching<'a> {
        Box::pin(async { Ok(Brought::default()) })
    }

    fn live(&self) -> Option<&dyn Live> {
        Some(self)
    }
}

impl Live for Teller {
    fn listen<'a>(&'a self, _: &'a Http, cursor: &'a Value, ear: &'a Ear, now: Timestamp) -> Listening<'a> {
        Box::pin(async move {
            self.from.lock().unwrap().push(cursor.clone());
            ear.open().await;
            let from = cursor.as_i64().unwrap_or(0);
            for n in from + 1..=from + 3 {
                let capture = Capture {
                    native_id: Some(n.to_string()),
                    text: format!("Acme {n}"),
                    published: Some(now),
                    ..Capture::default()
                };
                ear.hear(Heard { captures: vec![capture], cursor: Some(json!(n)), ..Heard::default() }).await;
            }
            if self.patient {
                std::future::pending::<()>().await;
            }
            FetchError::Ended { place: "a.example".into() }
        })
    }
}

fn collect(ground: &Arc<Ground>, patient: bool) -> (Collect, Arc<Mutex<Vec<Value>>>) {
    let from: Arc<Mutex<Vec<Value>>> = Arc::default();
    let named = Named {
        name: "t".into(),
        kind: "teller",
        every: None,
        settings: 1,
        topics: Vec::new(),
        notes: Vec::new(),
        source: Arc::new(Teller { from: from.clone(), patient }),
    };
    let http = Http::new("https://a.example", Limits::default()).unwrap();
    (Collect::new(ground.clone(), http, vec![named], Span::mins(1), Span::hours(1)), from)
}

fn count(ground: &Ground) -> usize {
    ground.store.read(|c| mentions::after(c, 0, 100)).unwrap().len()
}

fn now() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn what_is_heard_is_stored_with_its_place_and_told_on_from_there() {
    let dir = tempfile::tempdir().unwrap();
    let ground = standing(&dir, Clock::stepped(now()));
    let (mut stage, from) = collect(&ground, false);
    stage.pass(now()).await;
    while stage.streams.are_open() {
        stage.pass(now()).await;
    }
    let stream = stage.states[&0].stream.clone();
    assert_eq!((count(&ground), &stream.cursor, stream.since, stream.ends), (3, &json!(3), 0, 1));
    let wait = between(now(), crate::model::time::from_millis(stream.due));
    assert!(wait >= Span::millis(500) && wait <= Span::secs(1), "{wait}");
    assert!(stream.error.contains("ended the connection"), "{}", stream.error);
    // Not before it is due; then from its place on, and over a restart as well.
    stage.pass(now() + Span::millis(100)).await;
    assert_eq!(from.lock().unwrap().len(), 1);
    let (mut stage, from) = collect(&ground, true);
    stage.pass(now() + Span::secs(2)).await;
    assert_eq!((from.lock().unwrap().clone(), count(&ground)), (vec![json!(3)], 6));
    assert!(stage.states[&0].stream.since > 0 && stage.streams.are_open());
    // It is asked as a net alone while it hears everything.
    let named = stage.sources[0].clone();
    assert_eq!(stage.every_of(0, &named, now()), Some(NET));
    // Cut by ourselves it comes back like any other, and whatever else it had to say is not taken from the old one.
    stage.streams.cut(0);
    let late = Said::Heard(Heard { cursor: Some(json!(99)), ..Heard::default() });
    stage.hear(vec![(1, late)], now()).await;
    stage.pass(now() + Span::secs(2)).await;
    assert_eq!((&stage.states[&0].stream.cursor, stage.states[&0].stream.since), (&json!(6), 0));
    assert_eq!(stage.every_of(0, &named, now()), None);
}

#[tokio::test]
async fn on_a_full_disk_nothing_that_was_told_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let ground = standing(&dir, Clock::stepped(now()));
    let (mut stage, _) = collect(&ground, false);
    let ear = Ear::new(7, stage.streams.ear.clone());
    ear.hear(Heard { cursor: Some(json!(1)), ..Heard::default() }).await;
    stage.full = true;
    stage.ended(8, &FetchError::Ended { place: "a.example".into() }, now()).await;
    assert!(stage.streams.queue.try_recv().is_ok(), "it waits until there is room");
}
