//! History that comes by import warms what is usual, whenever and in whatever order it comes, and rings for nobody.

use super::*;
use crate::config::Sheet;
use crate::engine::baseline::Baseline;
use crate::ground::Clock;
use crate::ground::intake::{Batch, accept};
use crate::model::{Author, Capture};
use crate::rules::Rules;
use crate::store::Store;

const RULES: [(&str, &str); 3] = [
    (
        "rules/people.toml",
        "[[person]]\nname = \"a\"\nemail = \"a@acme.example\"\n[[policy]]\nname = \"p\"\nsteps = [{ notify = [\"a\"], wait = \"1h\" }]\n",
    ),
    ("rules/topics/t.toml", "[[topic]]\nname = \"acme\"\nkind = \"brand\"\nquery = \"acme\"\n"),
    (
        "rules/alerts/a.toml",
        "[[alert]]\nname = \"x\"\ntopics = [\"acme\"]\ngroup_by = [\"topic\"]\ncondition = \"mentions >= 5 && surprise >= 4.0\"\nescalation = \"p\"\n",
    ),
];

fn now() -> Timestamp {
    "2026-03-10T12:20:00Z".parse().expect("a time")
}

fn ground(dir: &tempfile::TempDir) -> Arc<Ground> {
    let house = crate::ground::tests::house();
    let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
    let rules = Rules::read(RULES.map(|(name, text)| Sheet::new(name, text)).to_vec(), Timestamp::UNIX_EPOCH)
        .expect("they are in order");
    Ground::new(store, Clock::stepped(now()), rules, house).expect("it stands")
}

/// Two weeks with twelve mentions an hour, newest first.
fn quiet_weeks() -> Vec<Capture> {
    let capture = |n: i64| Capture {
        native_id: Some(n.to_string()),
        text: format!("The Acme kettle number {n} boils water, as kettles do"),
        author: Author { name: format!("author {}", n % 97), ..Author::default() },
        published: Some(now() - Span::mins(5 * n + 30)),
        network: "forum".into(),
        ..Capture::default()
    };
    (0..14 * 24 * 12).map(capture).collect()
}

async fn import(ground: &Arc<Ground>, captures: Vec<Capture>) {
    let batch = Batch { source: "import-old".into(), captures, history: true, undated_is_old: false, archive: true };
    accept(ground, batch, now(), |_, _| Ok(())).await.expect("it is stored");
}

/// What is usual in an hour, as it is kept.
fn usual(ground: &Ground, at: Timestamp) -> Option<f64> {
    let all = ground.store.read(groups::all).expect("they are read");
    let (_, _, text) = all.into_iter().find(|(_, group, _)| group == "acme")?;
    let kept: Kept = serde_json::from_str(&text).expect("it is kept");
    let baseline: Baseline = kept.baseline;
    Some(baseline.expected(at, Span::hours(1)))
}

fn incidents(ground: &Ground) -> usize {
    ground.store.read(|c| incidents::latest(c, 10)).expect("they are read").len()
}

#[tokio::test]
async fn a_daemon_on_watch_learns_what_is_imported_beside_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let ground = ground(&dir);
    let mut watch = Watch::new(ground.clone());
    watch.pass(now()).await;
    let mut seconds = 0;
    // In no order at all.
    let (whole, weeks) = (14 * 24 * 12, quiet_weeks());
    let mixed: Vec<Capture> = (0..whole).map(|n| weeks[n * 1223 % whole].clone()).collect();
    for batch in mixed.chunks(500) {
        import(&ground, batch.to_vec()).await;
        seconds += 1;
        watch.pass(now() + Span::secs(seconds)).await;
    }
    let at = now() + Span::secs(seconds);
    let early = usual(&ground, at).expect("a group");
    assert!((early - 12.0).abs() > 2.0, "what came late is not in it yet: {early}");
    // Killed before it has learned: the next one knows that there is something to learn.
    let mut watch = Watch::new(ground.clone());
    watch.pass(at).await;
    watch.pass(at + QUIET).await;
    let late = usual(&ground, at).expect("a group");
    assert!((11.0..13.0).contains(&late), "{late}, before that {early}");
    assert_eq!(incidents(&ground), 0);
    // A usual hour does not ring, an unusual one does.
    let live = |n: usize| {
        let captures = quiet_weeks().into_iter().take(n).enumerate();
        let fresh = captures.map(|(n, c)| Capture {
            native_id: Some(format!("live {n}")),
            published: Some(at - Span::secs(n as i64)),
            text: format!("{} today", c.text),
            ..c
        });
        Batch {
            source: "live".into(),
            captures: fresh.collect(),
            history: false,
            undated_is_old: false,
            archive: false,
        }
    };
    accept(&ground, live(5), at, |_, _| Ok(())).await.expect("it is stored");
    watch.pass(at + QUIET).await;
    assert_eq!(incidents(&ground), 0);
    accept(&ground, live(60), at, |_, _| Ok(())).await.expect("it is stored");
    watch.pass(at + QUIET).await;
    assert_eq!(incidents(&ground), 1);
}

#[tokio::test]
async fn a_daemon_that_starts_after_the_import_is_warm() {
    let dir = tempfile::tempdir().expect("a folder");
    let ground = ground(&dir);
    for batch in quiet_weeks().chunks(500) {
        import(&ground, batch.to_vec()).await;
    }
    let mut watch = Watch::new(ground.clone());
    for second in 0..20 {
        watch.pass(now() + Span::secs(second)).await;
    }
    let usual = usual(&ground, now()).expect("a group");
    assert!((11.0..13.0).contains(&usual), "{usual}");
    assert_eq!(incidents(&ground), 0);
}

#[tokio::test]
async fn an_archive_keeps_its_dates() {
    let dir = tempfile::tempdir().expect("a folder");
    let ground = ground(&dir);
    let old = "2019-05-01T10:00:00Z".parse().expect("a time");
    let capture = Capture { published: Some(old), ..quiet_weeks().remove(0) };
    import(&ground, vec![capture.clone(), Capture { published: None, native_id: None, ..capture }]).await;
    let all = ground.store.read(|c| mentions::after(c, 0, 9)).expect("they are read");
    assert_eq!(
        all.iter().map(|m| (m.at, m.undated, m.history)).collect::<Vec<_>>(),
        [(old, false, true), (now(), true, true)]
    );
}
