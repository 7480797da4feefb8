//! The auditor, stepped by hand: what is late for a while is a fault, and what only just became late is none.

use super::*;
use crate::engine::incident::tests::opened;
use crate::ground::Clock;
use crate::sources::Limits;

fn auditor(ground: &Arc<Ground>) -> Auditor {
    let http = Http::new("https://acme.example/bot", Limits::default()).expect("a client");
    Auditor::new(ground.clone(), http, None, Allow::none(), vec!["news".into()], Pulse::new())
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
