//! The auditor, stepped by hand: what is late for a while is a fault, and what only just became late is none.

use super::*;
use crate::engine::incident::tests::opened;
use crate::ground::Clock;
use crate::sources::Limits;

fn auditor(ground: &Arc<Ground>) -> Auditor {
    let http = Http::new("https://acme.example/bot", Limits::default()).expect("a client");
    Auditor::new(ground.clone(), http, None, Allow::none(), ["news".into()].into(), Pulse::new())
}

/// Makes all that is late so for ten minutes longer.
fn age(auditor: &mut Auditor) {
    for (begun, _) in auditor.late.values_mut() {
        *begun = begun.checked_sub(SOURCE).expect("the machine has run for ten minutes");
    }
}

#[tokio::test]
async fn what_stays_late_is_a_fault_and_keeps_the_watchdog_hungry() {
    let dir = tempfile::tempdir().expect("a folder");
    let now = Timestamp::UNIX_EPOCH + Span::days(1);
    let ground = crate::ground::tests::standing(&dir, Clock::stepped(now));
    let mut auditor = auditor(&ground);
    auditor.pass(now).await;
    assert!(auditor.told.is_empty() && auditor.duty.has_beaten());

    let incident = crate::model::Incident { id: 1, ..opened() };
    let due = incident.next_step.expect("a step waits");
    ground.store.write_blocking(move |tx| incidents::insert(tx, &incident)).expect("written");
    auditor.duty = Pulse::new();
    auditor.pass(now).await;
    assert!(auditor.told.is_empty() && auditor.duty.has_beaten(), "it has only just been seen");
    age(&mut auditor);
    auditor.duty = Pulse::new();
    auditor.pass(now).await;
    assert_eq!(auditor.told, [format!("the step of incident 1 that was due at {due:.0} is not taken")]);
    assert!(!auditor.duty.has_beaten());

    let state = sources::SourceState { due: 5, ..sources::SourceState::default() };
    ground
        .store
        .write_blocking(move |tx| {
            tx.execute_batch("DELETE FROM incidents")?;
            sources::put(tx, "gone from the settings", &state)?;
            sources::put(tx, "news", &state)
        })
        .expect("written");
    auditor.pass(now).await;
    assert!(auditor.told.is_empty() && auditor.duty.has_beaten());
    age(&mut auditor);
    auditor.duty = Pulse::new();
    auditor.pass(now).await;
    assert_eq!(auditor.told.len(), 1, "{:?}", auditor.told);
    assert!(auditor.duty.has_beaten(), "a source that is not asked is no reason to be restarted");
}

#[tokio::test]
async fn somebody_outside_hears_of_it_while_all_is_well() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/ping/secret", listener.local_addr().expect("an address"));
    let mut heard = tokio::task::JoinSet::new();
    heard.spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a caller");
        let mut head = vec![0u8; 2048];
        let n = stream.read(&mut head).await.expect("a request");
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            .await
            .expect("answered");
        String::from_utf8_lossy(&head[..n]).into_owned()
    });
    let dir = tempfile::tempdir().expect("a folder");
    let now = Timestamp::UNIX_EPOCH + Span::days(1);
    let ground = crate::ground::tests::standing(&dir, Clock::stepped(now));
    let mut auditor = auditor(&ground);
    auditor.allow = Allow::parse(["127.0.0.0/8"]).expect("a network");
    auditor.heartbeat = Some(Heartbeat {
        url: Some(url),
        every: Span::mins(1),
        mail: Some("watch@acme.example".into()),
        mail_every: Span::mins(15),
    });
    let state = sources::SourceState { due: 5, ..sources::SourceState::default() };
    ground.store.write_blocking(move |tx| sources::put(tx, "news", &state)).expect("written");
    auditor.pass(now).await;
    age(&mut auditor);
    auditor.sent = None;
    let unmail = "DELETE FROM meta WHERE key = 'heartbeat_mailed'";
    ground.store.write_blocking(move |tx| Ok(tx.execute_batch(unmail)?)).expect("written");
    let before = ground.store.read(outbox::standing).expect("read").waiting;
    auditor.pass(now).await;
    assert!(auditor.sent.is_none(), "what is late keeps it silent");
    assert_eq!(ground.store.read(outbox::standing).expect("read").waiting, before);
    let asked = heard.join_next().await.expect("a server").expect("it was asked");
    assert!(asked.starts_with("GET /ping/secret "));
}

#[tokio::test]
async fn the_operator_hears_by_another_way_that_one_takes_nothing() {
    use crate::model::Severity;
    use crate::model::people::Way;
    use crate::store::outbox::{By, Message};
    let dir = tempfile::tempdir().expect("a folder");
    let start = Timestamp::UNIX_EPOCH + Span::days(1);
    let mut ground = crate::ground::tests::standing(&dir, Clock::stepped(start));
    let way = |channel: &str| Way { channel: channel.into(), to: "ops".into(), from: Severity::Watch };
    Arc::get_mut(&mut ground).expect("nobody else has it").house.operator_reach = vec![way("push"), way("chat")];
    let mut auditor = auditor(&ground);
    let waits = |channel: &str| Message {
        id: 0,
        message_id: channel.into(),
        incident: Some(1),
        person: "anna".into(),
        by: By { channel: channel.into(), ..By::default() },
        address: "x".into(),
        subject: "s".into(),
        body: b"b".to_vec(),
        created: start,
        attempts: 0,
    };
    let told = |after: i64| {
        let sql = "SELECT group_concat(channel, ' ') FROM (SELECT channel FROM outbox WHERE person = 'operator' AND id > ?1 ORDER BY channel)";
        ground
            .store
            .read(|c| Ok(c.query_row(sql, [after], |r| r.get::<_, Option<String>>(0))?))
            .expect("read")
            .unwrap_or_default()
    };
    let (mail, push) = (waits("mail"), waits("push"));
    ground.store.write_blocking(move |tx| outbox::put(tx, &mail).and_then(|()| outbox::put(tx, &push))).expect("put");
    auditor.pass(start + Span::mins(6)).await;
    assert_eq!(told(0), "", "nobody has tried them yet");
    ground
        .store
        .write_blocking(move |tx| outbox::later(tx, 1, "535 wrong password", start + Span::mins(9)))
        .expect("tried");
    auditor.pass(start + Span::mins(4)).await;
    assert_eq!(told(0), "", "it may pass");
    auditor.pass(start + Span::mins(6)).await;
    assert_eq!(told(0), "chat push", "by everything but mail");
    auditor.pass(start + Span::mins(7)).await;
    assert_eq!(told(4), "", "once an hour");
    ground.store.write_blocking(move |tx| outbox::later(tx, 2, "503", start + Span::mins(9))).expect("tried");
    auditor.pass(start + Span::mins(8)).await;
    assert_eq!(told(4), "chat mail", "by everything but push");
}

#[tokio::test]
async fn the_head_of_the_log_is_mailed_once_a_day_while_it_grows() {
    let dir = tempfile::tempdir().expect("a folder");
    let now = Timestamp::UNIX_EPOCH + Span::days(1);
    let ground = crate::ground::tests::standing(&dir, Clock::stepped(now));
    let mut first = auditor(&ground);
    let mailed = || ground.store.read(outbox::standing).expect("read").waiting;
    let acts = |n: i64| {
        let work = move |tx: &_| audit::append(tx, now, "anna", "noted", &format!("incident {n}"), "");
        ground.store.write_blocking(move |tx| work(tx)).expect("written");
    };
    first.pass(now).await;
    acts(1);
    first.pass(now + Span::hours(23)).await;
    assert_eq!(mailed(), 0, "a day has to pass");
    first.pass(now + Span::hours(24)).await;
    assert_eq!(mailed(), 1);
    acts(2);
    first.pass(now + Span::hours(47)).await;
    auditor(&ground).pass(now + Span::hours(47)).await;
    assert_eq!(mailed(), 1, "not twice a day, nor after a restart");
    first.pass(now + Span::hours(48)).await;
    first.pass(now + Span::hours(72)).await;
    assert_eq!(mailed(), 2, "what has not grown is not told again");
}
