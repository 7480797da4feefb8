//! Mentions on their way in, and topics that are given a past.

use super::intake::{Batch, accept};
use super::*;
use crate::config::Sheet;
use crate::model::time::Span;
use crate::model::{Author, Capture};
use crate::store::counts;
use crate::store::mentions::about::{self, About};
use jiff::Timestamp;

const PEOPLE: &str = "[[person]]\nname = \"a\"\nemail = \"a@acme.example\"\n[[policy]]\nname = \"p\"\nsteps = [{ notify = [\"a\"], wait = \"1h\" }]\n";

fn rules(topics: &[(&str, &str)]) -> Rules {
    rules_with(PEOPLE, topics)
}

fn rules_with(people: &str, topics: &[(&str, &str)]) -> Rules {
    let list: String = topics
        .iter()
        .map(|(name, query)| format!("[[topic]]\nname = \"{name}\"\nkind = \"brand\"\nquery = \"{query}\"\n"))
        .collect();
    let alert = format!(
        "[[alert]]\nname = \"x\"\ntopics = [\"{}\"]\ncondition = \"mentions >= 5\"\nescalation = \"p\"\n",
        topics[0].0
    );
    let sheets = [("rules/people.toml", people), ("rules/topics/t.toml", &list), ("rules/alerts/a.toml", &alert)];
    Rules::read(sheets.map(|(name, text)| Sheet::new(name, text)).to_vec(), jiff::Timestamp::UNIX_EPOCH)
        .expect("they are in order")
}

fn now() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("a time")
}

/// How letters look in tests.
pub(crate) fn house() -> Letterhead {
    Letterhead {
        from: "vakt <v@acme.example>".into(),
        operator: "o@acme.example".into(),
        operator_reach: Vec::new(),
        base_url: None,
        most_an_hour: 200,
    }
}

fn ground(dir: &tempfile::TempDir, rules: Rules) -> Arc<Ground> {
    let house = house();
    let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
    Ground::new(store, Clock::stepped(now()), rules, house).expect("it stands")
}

/// A ground with one topic, for the tests of others.
pub(crate) fn standing(dir: &tempfile::TempDir, clock: Clock) -> Arc<Ground> {
    peopled(dir, clock, PEOPLE)
}

/// The same with other people.
pub(crate) fn peopled(dir: &tempfile::TempDir, clock: Clock, people: &str) -> Arc<Ground> {
    let house = house();
    let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
    Ground::new(store, clock, rules_with(people, &[("acme", "acme")]), house).expect("it stands")
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
        ground
            .store
            .read(|c| about::latest(c, &About::topics(&[topic.to_owned()], false), 0, i64::MAX, 9))
            .expect("read")
            .len()
    };
    assert_eq!((of("acme"), of("globex")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_erased_stay_away_where_they_were_erased() {
    use super::erasure::{Erasure, Who, find};
    let dir = tempfile::tempdir().expect("a folder");
    let ground = ground(&dir, rules(&[("acme", "acme")]));
    let by = |id: &str, network: &str, handle: &str| Capture {
        author: Author { name: "Ann".into(), handle: handle.into(), ..Author::default() },
        network: network.into(),
        ..capture(id, &format!("Acme by {id}, said to @ann_x"))
    };
    bring(&ground, vec![by("1", "news", "ann_x"), by("2", "forum", ""), by("3", "news", "other")]).await;
    let stored = |g: &Ground| g.store.read(mentions::count).expect("they are counted");
    let erase = |who: Who| {
        let ground = ground.clone();
        let mail = dir.path().join("mail");
        let work = tokio::task::spawn_blocking(move || {
            let found = find(&ground.store, &who).expect("they are found");
            let counted = (found.mentions.len(), found.named);
            let done = Erasure::carry_out(&ground, &mail, &who, found, "", now()).expect("they are erased");
            (counted, done.receipt)
        });
        async { work.await.expect("it ends") }
    };
    let (counted, receipt) = erase(Who::new("@ANN_X", Some("News"), None)).await;
    assert_eq!((counted, receipt.mentions, receipt.identities, stored(&ground)), ((1, 2), 1, 1, 2));
    // The handle and the very item are refused, whoever is said to have written it; the name is another person's too.
    let nobody = Capture { author: Author::default(), ..by("1", "news", "") };
    let again =
        bring(&ground, vec![by("4", "news", "Ann_X"), nobody, by("5", "news", "ann_y"), by("6", "forum", "ann_x")]);
    let again = again.await;
    assert_eq!((again.forgotten, again.new), (2, 2));
    // In what one source told: another source's are others.
    let (counted, _) = erase(Who::new("ann", None, Some("s"))).await;
    assert_eq!((counted.0, stored(&ground)), (4, 0));
    let other = Batch {
        source: "t".into(),
        captures: vec![by("7", "news", "ann_z"), by("8", "news", "other")],
        history: false,
        undated_is_old: false,
        archive: false,
    };
    let other = accept(&ground, other, now(), |_, _| Ok(())).await.expect("it is stored");
    let own = bring(&ground, vec![by("7", "news", "ann_z")]).await;
    assert_eq!((other.new, other.forgotten, own.new, own.forgotten), (2, 0, 0, 1));
    let kept = ground.store.read(crate::store::erasures::all).expect("receipts");
    assert_eq!(kept.iter().map(|r| (r.id, r.mentions)).collect::<Vec<_>>(), [(1, 1), (2, 4)]);
    let everything = serde_json::to_string(&kept).expect("it is written").to_lowercase();
    assert!(!everything.contains("ann"), "a receipt names nobody: {everything}");
}

#[tokio::test]
async fn stories_go_on_after_a_restart_and_campaigns_are_seen() {
    let dir = tempfile::tempdir().expect("a folder");
    let words = "Acme kettles burn our hands and nobody there cares, throw yours away today";
    let by = |n: usize, text: String| Capture {
        author: Author { name: format!("account {n}"), followers: Some(3), ..Author::default() },
        network: "x".into(),
        ..capture(&n.to_string(), &text)
    };
    let first = {
        let ground = ground(&dir, rules(&[("acme", "acme")]));
        // Whoever was heard of is no newcomer, and at first everybody is unheard of.
        bring(&ground, (0..1100).map(|n| by(n, format!("number {n} is {}", n * n))).collect()).await;
        bring(&ground, vec![by(5000, words.into())]).await;
        ground.store.read(|c| mentions::after(c, 1100, 10)).expect("read").remove(0)
    };
    assert!(first.newcomer);
    let ground = ground(&dir, rules(&[("acme", "acme")]));
    let copies = (1..=12).map(|n| by(if n == 12 { 7 } else { 6000 + n }, format!("{words}! #acme #no{n}"))).collect();
    bring(&ground, copies).await;
    let all = ground.store.read(|c| mentions::after(c, 1100, 100)).expect("read");
    assert_eq!(all.len(), 12, "one came under the id of another");
    assert!(all.iter().all(|m| m.story == first.story && m.fingerprint == first.fingerprint));
    let facts = crate::engine::facts::Facts::of(&all.iter().collect::<Vec<_>>()).expect("facts");
    assert!(facts.coordinated, "{facts:?}");
    // What is deleted leaves no sketch behind.
    let sketches =
        |ground: &Ground| ground.store.read(|c| sketches::since(c, Timestamp::MIN, 9999)).expect("read").len();
    let before = sketches(&ground);
    let gone = ground.store.write(move |tx| {
        let mut seq = mentions::last_seq(tx)?;
        mentions::remove(tx, &first, true, &mut seq, &mut mentions::TopicIds::default())
    });
    assert!(gone.await.expect("written"));
    assert_eq!(sketches(&ground), before - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_author_is_in_no_draft() {
    use crate::engine::drafts::Act;
    let dir = tempfile::tempdir().expect("a folder");
    let ground = ground(&dir, rules(&[("acme", "acme")]));
    let text = "Acme kettle burned my whole kitchen down on Monday";
    bring(
        &ground,
        vec![Capture { author: Author { handle: "canary_7".into(), ..Author::default() }, ..capture("1", text) }],
    )
    .await;
    let id = ground.store.read(|c| mentions::after(c, 0, 1)).expect("read")[0].id;
    let order = |about, text: &str| drafts::Order {
        about,
        language: "en".into(),
        text: Some(text.into()),
        ..drafts::Order::default()
    };
    let reply = crate::model::draft::About { mention: Some(id), incident: None };
    let said = format!("@canary_7, you wrote \"{text}\". Call us.");
    let mine = ground.draft(order(reply, &said), "a").expect("written");
    let other = ground.draft(order(Default::default(), "Nobody is named here: canary."), "maja").expect("written");
    ground.act_on_draft(mine.id, &Act::Approve(1), "anna", "").expect("approved");
    // One is on its way to be published.
    let out = ground.draft(order(reply, "@canary_7, thank you."), "maja").expect("written");
    ground.act_on_draft(out.id, &Act::Approve(1), "anna", "").expect("approved");
    ground.hand_over(out.id, "maja", "", drafts::Way::Channel("desk")).expect("handed over");
    let nobody = pleas::Asker::of(&ground, String::new()).post(&out, "gone", now());
    assert!(nobody.is_err_and(|why| why.contains("nobody is called `gone`")), "it is handed over to nobody");
    // One is with somebody who posts it, and said something else before.
    let posted = ground.draft(order(reply, "@canary_7, we know."), "maja").expect("written");
    ground.act_on_draft(posted.id, &Act::Write("@canary_7, we call.".into()), "maja", "").expect("rewritten");
    ground.act_on_draft(posted.id, &Act::Approve(2), "anna", "").expect("approved");
    ground.hand_over(posted.id, "maja", "", drafts::Way::Mail("a")).expect("handed over");
    let who = erasure::Who::new("canary_7", None, None);
    let found = erasure::find(&ground.store, &who).expect("found");
    let done = erasure::Erasure::carry_out(&ground, dir.path(), &who, found, "", now()).expect("erased");
    assert_eq!((done.receipt.notes, done.receipt.stubbed), (3, 2));
    let mails = ground.store.read(|c| crate::store::outbox::bodies_after(c, 0, 99)).expect("read");
    let mails: Vec<_> = mails.iter().map(|(_, mail)| String::from_utf8_lossy(mail)).collect();
    assert!(mails.len() == 3 && mails.iter().all(|m| !m.contains("canary")), "no mail names them");
    assert!(mails.iter().any(|m| m.contains(".2.back.a@")), "its author knows that it has to be approved again");
    let bodies = ground.store.read(crate::store::outbox::parcels).expect("read");
    let text = String::from_utf8_lossy(&bodies[0].1);
    assert!(bodies.len() == 1 && text.contains("@[erased], thank you.") && !text.contains("canary"), "{text}");
    let waiting = ground.store.read(|c| crate::store::outbox::due(c, "desk", now(), 9)).expect("read");
    assert_eq!(waiting, [], "what would name them is not published");
    let now_is = |id| ground.store.read(|c| crate::store::drafts::get(c, id)).expect("read").expect("it is there");
    let back = now_is(out.id);
    assert_eq!((back.text.as_str(), back.state.as_str()), ("@[erased], thank you.", "waiting"), "it never went out");
    let left = now_is(mine.id);
    assert_eq!(left.text, "@[erased], you wrote \"[erased]\". Call us.");
    assert_eq!((left.version, left.approvals.len(), left.state.as_str()), (2, 0, "waiting"), "it is another text");
    assert_eq!(now_is(other.id), other);
    let last = now_is(posted.id);
    assert_eq!((last.text.as_str(), last.past[0].text.as_str()), ("@[erased], we call.", "@[erased], we know."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_counts_what_was_said_beside_the_day_before() {
    use crate::model::{Length, Period};
    let dir = tempfile::tempdir().expect("a folder");
    let ground = ground(&dir, rules(&[("acme", "acme"), ("globex", "globex")]));
    let said = |id: &str, who: &str, network: &str, text: &str, hours: i64| Capture {
        author: Author { name: who.into(), ..Author::default() },
        network: network.into(),
        url: Some(format!("https://{who}.example/{id}")),
        published: Some(now() - Span::hours(hours)),
        reach: Some(u64::try_from(100 * hours).unwrap_or(0)),
        engagement: Some(7),
        ..capture(id, text)
    };
    let complaint = "Where is my order? Please help, Acme, it never arrived";
    bring(
        &ground,
        vec![
            said("1", "ann", "x", complaint, 1),
            said("2", "bo", "x", "I love my new Acme kettle, great quality and wonderful!", 2),
            said("3", "cy", "news", "Acme raises its dividend by two crowns a share this year", 3),
            said("4", "cy", "news", "Acme and Globex met", 20),
            said("5", "di", "news", "Nothing of either", 1),
        ],
    )
    .await;
    let zone = jiff::tz::TimeZone::UTC;
    let today = Period::until(Length::Day, "2026-03-10".parse().expect("a day"));
    let knowledge = ground.knowledge();
    let topic = digest::topic(&knowledge.rules, None).expect("a brand");
    let d = ground.store.read(|c| digest::gather(&knowledge, c, topic, today, &zone)).expect("read");
    assert_eq!((d.topic.as_str(), d.now.mentions, d.before.mentions, d.authors), ("acme", 3, 1, (3, 1)));
    assert_eq!((d.now.negative, d.now.positive, d.now.reach), (1, 1, 600));
    let ranks =
        |of: &[crate::report::digest::Rank]| of.iter().map(|r| (r.name.clone(), r.now, r.before)).collect::<Vec<_>>();
    assert_eq!(ranks(&d.networks), [("x".to_owned(), 2, 0), ("news".to_owned(), 1, 1)]);
    let counted: Vec<(usize, u32)> = d.series.mentions.iter().copied().enumerate().filter(|(_, n)| *n > 0).collect();
    assert_eq!((counted, d.series.mentions.len()), (vec![(9, 1), (10, 1), (11, 1)], 24));
    assert_eq!(d.writers.first().map(|w| (w.name.as_str(), w.reach)), Some(("cy", 300)));
    assert_eq!(d.stories.first().map(|v| (v.copies, v.reach)), Some((1, 300)));
    assert!(d.best.len() == 1 && d.best[0].quote.contains("I love") && d.engagement == [7], "{:?}", d.best);
    // The complaint waits, the praise has its own list, and the rest needs nothing.
    let queue = |praise| ground.store.read(|c| answers::queue(c, praise, false, 9)).expect("read");
    let texts = |of: Vec<answers::Asked>| of.into_iter().map(|a| a.mention.text).collect::<Vec<_>>();
    assert_eq!(texts(queue(false)), [complaint]);
    assert_eq!((queue(true).len(), d.response.0.needed, d.response.0.answered), (1, 1, 0));
    // What is deleted waits for nothing.
    let gone = queue(false).remove(0).mention;
    let deleted = ground.store.write_blocking(move |tx| {
        let (mut seq, mut ids) = (mentions::last_seq(tx)?, mentions::TopicIds::default());
        mentions::remove(tx, &gone, false, &mut seq, &mut ids)
    });
    assert!(deleted.expect("written") && queue(false).is_empty());
}
