//! From a call to everybody's telephones: what goes at once, what only when something else fails, and who waits for whom.

use super::*;
use crate::channels::tests::Server;
use crate::channels::{self, Means, Post, short};
use crate::config::Sheet;
use crate::engine::incident::{Call, tests::opened};
use crate::ground::tests::peopled;
use crate::ground::{Clock, tell};
use crate::model::{Incident, Notice, Severity};
use crate::net::{Http, Limits};
use crate::store::incidents;
use crate::store::outbox::By;

const PEOPLE: &str = r#"
[[person]]
name = "anna"
email = "anna@acme.example"
reach = [{ channel = "push", to = "anna" }, { channel = "page" }]
[[person]]
name = "bo"
email = "bo@acme.example"
reach = [{ channel = "push", to = "anna" }, { channel = "mail", from = "crisis" }]
[[person]]
name = "cleo"
email = "cleo@acme.example"
[[policy]]
name = "p"
steps = [{ notify = ["anna"], wait = "1h" }]
"#;

/// A ground whose people are reached by a push service and a pager that answer by a list, and a stage that delivers.
struct World {
    _dir: tempfile::TempDir,
    ground: Arc<Ground>,
    deliver: Deliver,
    push: Server,
    page: Server,
    now: Timestamp,
}

async fn world(push: &[(u16, &str, &str)], page: &[(u16, &str, &str)]) -> World {
    world_of(PEOPLE, push, page).await
}

async fn world_of(people: &str, push: &[(u16, &str, &str)], page: &[(u16, &str, &str)]) -> World {
    let dir = tempfile::tempdir().expect("a folder");
    let now = Timestamp::UNIX_EPOCH + Span::days(20_000);
    let ground = peopled(&dir, Clock::stepped(now), people);
    let (push, page) = (Server::start(push).await, Server::start(page).await);
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "s3cret").expect("written");
    let settings = format!(
        "[[channel]]\nkind = \"ntfy\"\nname = \"push\"\nurl = \"{}\"\nallow_private = [\"127.0.0.0/8\"]\n\
         [[channel]]\nkind = \"pagerduty\"\nname = \"page\"\nurl = \"{}\"\nrouting_key = {{ file = \"{}\" }}\nallow_private = [\"127.0.0.0/8\"]\n",
        push.base,
        page.base,
        secret.display()
    );
    let all = channels::read(&Sheet::new("vakt.toml", settings), &[]).expect("it is right");
    let http = Http::new("", Limits { headers: Span::millis(400), ..channels::limits() }).expect("a client");
    let means = Means { http, post: Post::Folder(dir.path().join("mail")), from: ground.house.from.clone() };
    let deliver = Deliver::new(ground.clone(), Channels::new(all, means));
    World { _dir: dir, ground, deliver, push, page, now }
}

impl World {
    fn call(&self, incident: &mut Incident, notice: Notice, notify: &[&str]) {
        let calls = [Call { notice, notify: notify.iter().map(|n| (*n).to_owned()).collect() }];
        let (ground, now) = (&self.ground, self.now);
        let letters = ground.store.read(|c| tell::letters(ground, &ground.knowledge(), c, incident, &calls, now));
        let (letters, kept) = (letters.expect("composed"), incident.clone());
        self.ground
            .store
            .write_blocking(move |tx| {
                if incidents::get(tx, kept.id)?.is_none() {
                    incidents::insert(tx, &kept)?;
                }
                incidents::update(tx, &kept)?;
                tell::post(tx, &kept, &calls, &letters, now)
            })
            .expect("posted");
    }

    /// Passes until nothing is under way.
    async fn deliver(&mut self) {
        while self.deliver.pass(self.now).await <= self.now {}
    }

    async fn after(&mut self, wait: Span) {
        self.now = self.now + wait;
        self.ground.clock.step_to(self.now);
        self.deliver().await;
    }

    fn states(&self) -> String {
        let told = self.ground.store.read(|c| outbox::of_incident(c, 1)).expect("read");
        told.iter().map(|t| format!("{}.{} {}", t.person, t.channel, t.state)).collect::<Vec<_>>().join(", ")
    }
}

fn incident(severity: Severity) -> Incident {
    let next_step = Some(Timestamp::UNIX_EPOCH + Span::days(20_001));
    Incident { id: 1, severity, next_step, told: Vec::new(), ..opened() }
}

const TAKEN: (u16, &str, &str) = (202, "", "{}");

#[tokio::test]
async fn one_push_for_both_who_share_it_and_the_rest_is_spared() {
    let mut world = world(&[TAKEN; 2], &[]).await;
    let mut one = incident(Severity::Crisis);
    world.call(&mut one, Notice::Opened, &["anna", "bo", "cleo"]);
    world.deliver().await;
    assert_eq!(
        world.states(),
        "anna.mail delivered, anna.push delivered, anna.page spared, bo.mail spared, cleo.mail delivered"
    );
    assert_eq!((world.push.asked().len(), world.page.asked().len()), (1, 0));
    // What brought it tells that it is over.
    world.call(&mut one, Notice::Resolved, &["anna", "bo", "cleo"]);
    world.deliver().await;
    let last = world.states().split(", ").skip(5).collect::<Vec<_>>().join(", ");
    assert_eq!(last, "anna.mail delivered, anna.push delivered, bo.mail delivered, cleo.mail delivered");
    assert_eq!(world.push.asked()[1].value()["priority"], 2, "without a sound");
}

#[tokio::test]
async fn a_way_that_is_refused_calls_the_next_at_once() {
    let mut world = world(&[(403, "", "{}")], &[TAKEN]).await;
    let mut one = incident(Severity::Crisis);
    world.call(&mut one, Notice::Opened, &["anna", "bo"]);
    world.deliver().await;
    assert_eq!(world.states(), "anna.mail delivered, anna.push failed, anna.page delivered, bo.mail delivered");
    assert_eq!(world.page.asked()[0].value()["event_action"], "trigger");
    let next = world.ground.store.read(|c| incidents::get(c, 1)).expect("read").expect("there").next_step;
    assert_eq!(next, one.next_step, "everybody was reached: nobody else is called sooner");
}

#[tokio::test]
async fn a_way_that_is_not_taken_in_time_is_not_waited_for_and_holds_nobody_up() {
    // The push service says nothing at all.
    let mut world = world(&[(0, "", "")], &[TAKEN]).await;
    let mut one = incident(Severity::Escalate);
    world.call(&mut one, Notice::Opened, &["anna", "cleo"]);
    world.deliver.pass(world.now).await;
    assert_eq!(
        world.states(),
        "anna.mail delivered, anna.push waiting, anna.page waiting, cleo.mail delivered",
        "mail goes meanwhile"
    );
    world.deliver().await;
    world.after(Span::secs(89)).await;
    assert_eq!(world.page.asked().len(), 0);
    world.after(Span::secs(1)).await;
    assert_eq!(world.states(), "anna.mail delivered, anna.push spared, anna.page delivered, cleo.mail delivered");
}

#[tokio::test]
async fn the_same_message_again_is_the_same_alert() {
    // The pager takes it and its answer is lost.
    let mut world = world(&[(404, "", "{}")], &[(500, "", ""), TAKEN]).await;
    let mut one = incident(Severity::Escalate);
    world.call(&mut one, Notice::Opened, &["anna"]);
    world.deliver().await;
    world.after(Span::secs(17)).await;
    let asked = world.page.asked();
    assert_eq!((asked.len(), &asked[0].body), (2, &asked[1].body));
    assert_eq!(world.states(), "anna.mail delivered, anna.push failed, anna.page delivered");
}

#[tokio::test]
async fn nobody_reached_at_all_is_the_next_steps_business() {
    let mut world = world(&[(404, "", "{}")], &[]).await;
    let mut one = incident(Severity::Escalate);
    // Mail comes in bo's ways from a crisis on only, so the push is all that goes.
    world.call(&mut one, Notice::Opened, &["bo"]);
    world.deliver().await;
    assert_eq!(world.states(), "bo.push failed");
    let next = world.ground.store.read(|c| incidents::get(c, 1)).expect("read").expect("there").next_step;
    assert_eq!(next, Some(world.now));
}

#[tokio::test]
async fn old_news_do_not_ring_when_a_service_is_back() {
    let mut world = world(&[(503, "", ""), (200, "", "{}"), (200, "", "{}")], &[]).await;
    let mut one = incident(Severity::Escalate);
    world.call(&mut one, Notice::Opened, &["anna"]);
    world.deliver().await;
    assert_eq!(world.states(), "anna.mail delivered, anna.push waiting, anna.page waiting");
    world.call(&mut one, Notice::Acknowledged, &["anna"]);
    world.after(Span::secs(300)).await;
    // The pager never went off; the push service says one thing only: that somebody has it.
    assert_eq!(
        world.states(),
        "anna.mail delivered, anna.push spared, anna.page spared, anna.mail delivered, anna.push delivered"
    );
    assert_eq!(world.push.asked().len(), 2);
}

#[tokio::test]
async fn what_two_share_reaches_one_though_it_is_held_from_the_other() {
    let people = PEOPLE
        .replace("email = \"anna@acme.example\"", "email = \"anna@acme.example\"\nbudget = 1")
        .replace("to = \"anna\"", "to = \"anna\", from = \"watch\"");
    let mut world = world_of(&people, &[TAKEN; 3], &[]).await;
    for id in [1, 2] {
        let mut one = Incident { id, ..incident(Severity::Review) };
        world.call(&mut one, Notice::Opened, &["anna", "bo"]);
        world.deliver().await;
    }
    let told = world.ground.store.read(|c| outbox::of_incident(c, 2)).expect("read");
    let states: Vec<String> = told.iter().map(|t| format!("{}.{} {}", t.person, t.channel, t.state)).collect();
    assert_eq!(states, ["anna.mail held", "bo.push delivered"], "bo's mail comes from a crisis on");
    assert_eq!(world.push.asked().len(), 2);
}

#[test]
fn what_was_refused_together_comes_back_apart() {
    let waits: std::collections::HashSet<i64> = (0..50).map(|id| jitter(Span::secs(60), id, 1).as_millis()).collect();
    assert!(waits.len() > 40 && waits.iter().all(|w| (60_000..66_000).contains(w)), "{waits:?}");
    assert!(jitter(SOON, 1, 1) >= SOON);
}

#[tokio::test]
async fn a_flood_of_lesser_messages_leaves_room_for_urgent_ones() {
    let mut world = world(&[], &[]).await;
    let now = world.now;
    let put = |n: i64, urgent: bool| {
        let message = Message {
            id: 0,
            message_id: format!("m{n}"),
            incident: None,
            person: "anna".into(),
            by: outbox::By { channel: "push".into(), urgent, ..outbox::By::default() },
            address: "anna".into(),
            subject: "s".into(),
            body: Vec::new(),
            created: now,
            attempts: 0,
        };
        world.ground.store.write_blocking(move |tx| outbox::put(tx, &message)).expect("written");
    };
    (0..20).for_each(|n| put(n, false));
    world.deliver.launch(now).expect("read");
    let under_way = |deliver: &Deliver| {
        let lane = &deliver.airborne["push"];
        (lane.len(), lane.values().filter(|urgent| **urgent).count())
    };
    assert_eq!(under_way(&world.deliver), (AT_ONCE - RESERVED, 0));
    (20..25).for_each(|n| put(n, true));
    world.deliver.launch(now).expect("read");
    assert_eq!(under_way(&world.deliver), (AT_ONCE, RESERVED));
}

#[tokio::test]
async fn a_channel_that_hangs_with_many_messages_holds_up_its_own_alone() {
    let mut world = world(&[(0, "", "")], &[]).await;
    let now = world.now;
    let message = move |n: usize, channel: &str| Message {
        id: 0,
        message_id: format!("{channel}.{n}"),
        incident: Some(1),
        person: "anna".into(),
        by: By { channel: channel.into(), ..By::default() },
        address: "anna@acme.example".into(),
        subject: "s".into(),
        body: short::test("t", "", now).bytes(),
        created: now,
        attempts: 0,
    };
    let all: Vec<Message> = (0..3 * AT_ONCE).map(|n| message(n, "push")).chain([message(0, MAIL)]).collect();
    world.ground.store.write_blocking(move |tx| all.iter().try_for_each(|m| outbox::put(tx, m))).expect("put");
    world.deliver.pass(world.now).await;
    assert!(world.deliver.airborne.get("push").is_some_and(|lane| lane.len() <= AT_ONCE));
    assert!(world.states().ends_with("anna.mail delivered"), "{}", world.states());
    // Stopping does not wait for it either: what is not taken stays for the next start.
    let began = std::time::Instant::now();
    world.deliver.close().await;
    assert!(began.elapsed() < LAST_CALL + Duration::from_secs(2));
    assert!(!world.states().contains("push delivered") && world.states().contains("push waiting"));
}

#[tokio::test]
async fn a_hand_over_that_arrives_nowhere_is_taken_back_and_told() {
    use crate::engine::drafts::Act;
    use crate::ground::drafts::{Order, Way};
    let mut world = world(&[], &[]).await;
    let ground = world.ground.clone();
    let order = Order { language: "en".into(), text: Some("We look into it.".into()), ..Order::default() };
    let id = ground.draft(order, "anna").expect("written").id;
    ground.act_on_draft(id, &Act::Approve(1), "bo", "").expect("approved");
    for times in 1..=2 {
        ground.hand_over(id, "cleo", "", Way::Channel("gone")).expect("handed over");
        world.deliver().await;
        let left = ground.store.read(|c| crate::store::drafts::get(c, id)).expect("read").expect("it is there");
        assert_eq!((left.state.as_str(), left.approvals.len(), left.handed_over), ("approved", 1, None));
        let mails = ground.store.read(|c| outbox::bodies_after(c, 0, 99)).expect("read");
        let told = mails.iter().filter(|(_, body)| String::from_utf8_lossy(body).contains(".undelivered."));
        assert_eq!(told.count(), 2 * times, "its author, and whoever handed it over");
        world.after(Span::secs(1)).await;
    }
    ground.hand_over(id, "cleo", "", Way::Hands).expect("it is out");
}
