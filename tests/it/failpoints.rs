//! The process ends at every commit, before and after, and at every step of SMTP, after the 250 among them (F25): each time all is there after the next start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Child;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use vakt::failpoint::PLACES;

use crate::world::{Daemon, Feed, PEOPLE, Smtp, ask, free_port, until, vakt, write_rule, write_settings};

/// The n-th passing of a place ends the process. Commits are many in one run; of the rest the first and the second matter.
fn cases() -> Vec<(&'static str, u32)> {
    let most = |place: &str| if place.starts_with("commit") { 10 } else { 2 };
    PLACES.iter().flat_map(|place| (0..most(place)).map(|n| (*place, n))).collect()
}

/// A daemon that ends at the place; `None` where it has ended while starting.
fn armed(dir: &Path, place: &str, n: u32) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(dir.join("vakt.log")).unwrap();
    let action = if n == 0 { "return".to_owned() } else { format!("{n}*off->return") };
    vakt(dir).arg("run").env("FAILPOINTS", format!("{place}={action}")).stderr(log).spawn().unwrap()
}

/// Runs a story from the first fetch to the mails that are taken; says whether the place was reached.
fn play(place: &str, n: u32) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (feed, smtp, port) = (Feed::start(), Smtp::guarded(dir), free_port());
    write_settings(dir, feed.address, smtp.port, port);
    let settings = std::fs::read_to_string(dir.join("vakt.toml")).unwrap();
    let plain = format!("{{ url = \"smtp://127.0.0.1:{}?tls=none\" }}", smtp.port);
    let signed_in = format!(
        "{{ url = \"smtp://watch@localhost:{}\", password = {{ file = \"{1}/password\" }}, ca_file = \"{1}/relay.pem\" }}",
        smtp.port,
        dir.display()
    );
    assert!(settings.contains(&plain));
    std::fs::write(dir.join("vakt.toml"), settings.replace(&plain, &signed_in)).unwrap();
    write_rule(dir, "people.toml", PEOPLE);
    write_rule(dir, "topics/acme.toml", "[[topic]]\nname = \"acme\"\nkind = \"brand\"\nquery = \"acme\"\n");
    let alert = "[[alert]]\nname = \"any\"\ntopics = [\"acme\"]\nwindow = \"1h\"\ncondition = \"mentions >= 3\"\nseverity = \"escalate\"\nescalation = \"pr\"\n";
    write_rule(dir, "alerts/any.toml", alert);
    feed.publish("0", "Acme was founded long ago", "ann");

    let mut daemon = Daemon(armed(dir, place, n));
    let (mut hit, mut published) = (false, false);
    let began = Instant::now();
    loop {
        if daemon.0.try_wait().unwrap().is_some() {
            hit = true;
            daemon = Daemon::start(dir);
        }
        let known =
            String::from_utf8_lossy(&ask(dir, &["search", "acme", "--count"]).stdout).trim().parse().unwrap_or(0);
        if !published && known == 1 {
            for n in 1..5 {
                feed.publish(
                    format!("{n}"),
                    format!("Acme, what have you done now, number {n}?"),
                    format!("voice {n}"),
                );
            }
            published = true;
        }
        let told: BTreeSet<String> = smtp.taken().into_iter().map(|t| t.to).collect();
        if published && known == 5 && told.len() == 2 && settled(dir) {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{place} {n}: {known} mentions, told {told:?}; see {}",
            log(dir)
        );
        std::thread::sleep(Duration::from_millis(30));
    }
    hit |= daemon.0.try_wait().unwrap().is_some();
    drop(daemon);
    verify(dir, &smtp, place, n);
    hit
}

/// Whether all messages were taken and that is kept.
fn settled(dir: &Path) -> bool {
    let db = rusqlite::Connection::open(dir.join("data/vakt.db")).unwrap();
    let sql = "SELECT count(*), coalesce(sum(state = 'delivered'), 0) FROM outbox";
    db.query_row(sql, [], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?)))
        .is_ok_and(|(all, done)| all >= 2 && all == done)
}

fn log(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("vakt.log"))
        .unwrap_or_default()
        .lines()
        .rev()
        .take(20)
        .collect::<Vec<_>>()
        .join("\n")
}

fn verify(dir: &Path, smtp: &Smtp, place: &str, n: u32) {
    let _daemon = Daemon::start(dir);
    until(dir, "the index is whole", || ask(dir, &["search", "acme", "--count"]).stdout == b"5\n");
    let db = rusqlite::Connection::open(dir.join("data/vakt.db")).unwrap();
    let count = |sql: &str| db.query_row(sql, [], |r| r.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM mentions"), 5, "{place} {n}");
    assert_eq!(count("SELECT count(*) FROM incidents"), 1, "{place} {n}");
    let mut mails: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    let taken = smtp.taken();
    for mail in &taken {
        mails.entry(mail.to.clone()).or_default().insert((mail.message_id.clone(), mail.digest.clone()));
    }
    assert!(mails.values().all(|different| different.len() == 1), "{place} {n}: {mails:?}");
    // Both may be in flight at once; whatever was is sent once more.
    let most = mails.keys().map(|to| taken.iter().filter(|t| t.to == *to).count()).max();
    assert!(most <= Some(2), "{place} {n}: {taken:?}");
}

#[test]
fn whatever_ends_the_process_nothing_is_lost() {
    let (cases, next) = (cases(), AtomicUsize::new(0));
    let hits: Mutex<BTreeMap<&str, u32>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((place, n)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if play(place, *n) {
                        *hits.lock().unwrap().entry(place).or_default() += 1;
                    }
                }
            });
        }
    });
    let hits = hits.into_inner().unwrap();
    let never: Vec<_> = PLACES.iter().filter(|place| !hits.contains_key(*place)).collect();
    assert!(never.is_empty(), "never reached: {never:?} of {hits:?}");
    assert!(hits["commit.before"] >= 5 && hits["commit.after"] >= 5, "{hits:?}");
}
