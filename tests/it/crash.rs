//! `kill -9` at random moments, with a feed, pushes and an SMTP server live: no mention, incident or mail is lost.
//!
//! `VAKT_CRASH_CYCLES` says how often; 300 without it. Doubles are counted: a kill between a relay's 250 and the note of
//! it sends the same bytes under the same Message-ID again, which no order of steps can close (RFC 1047).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::world::*;

/// Brands of the feed; each one's third mention opens its incident.
const EACH: usize = 4;

fn cycles() -> u64 {
    std::env::var("VAKT_CRASH_CYCLES").ok().and_then(|n| n.parse().ok()).unwrap_or(300)
}

#[test]
fn nothing_is_lost_by_killing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (feed, smtp, port) = (Feed::start(), Smtp::start(dir), free_port());
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    write_settings(dir, feed.address, smtp.port, port);
    let cycles = cycles();
    let brands = usize::try_from(cycles).unwrap() * 3 / 10 + 1;
    write_rule(dir, "people.toml", PEOPLE);
    let topics: String = (0..brands)
        .map(|b| format!("[[topic]]\nname = \"brand{b}\"\nkind = \"brand\"\nquery = \"brand{b}\"\n"))
        .collect();
    write_rule(dir, "topics/brands.toml", &topics);
    let names: Vec<String> = (0..brands).map(|b| format!("\"brand{b}\"")).collect();
    let alert = format!(
        "[[alert]]\nname = \"a\"\nany_topics = [{}]\nwindow = \"6h\"\ncondition = \"mentions >= 3\"\nseverity = \"escalate\"\ngroup_by = [\"topic\"]\nmost_an_hour = 1000\nescalation = \"pr\"\nresolve_after = \"24h\"\n",
        names.join(", ")
    );
    write_rule(dir, "alerts/a.toml", &alert);

    feed.publish("first", "nothing to see", "x");
    let mut daemon = Daemon::start(dir);
    until(dir, "the first fetch is history", || ask(dir, &["search", "nothing", "--count"]).stdout == b"1\n");
    daemon.kill();

    let mut draw = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: u64| {
        draw ^= draw << 13;
        draw ^= draw >> 7;
        draw ^= draw << 17;
        draw % below
    };
    let mut pushed: BTreeSet<String> = BTreeSet::new();
    let items = brands * EACH;
    let mut published = 0;
    for cycle in 0..cycles {
        let mut daemon = Daemon::start(dir);
        let die = Instant::now() + Duration::from_millis(20 + random(780));
        while Instant::now() < die {
            let target = usize::try_from(cycle + 1).unwrap() * items / usize::try_from(cycles).unwrap();
            if published < target {
                let brand = published / EACH;
                feed.publish(
                    format!("n{published}"),
                    format!("brand{brand} story {published} word{published}"),
                    format!("a{published}"),
                );
                published += 1;
            }
            let id = format!("p{cycle}-{}", random(1_000_000));
            let body = format!("{{\"id\":\"{id}\",\"text\":\"pushed {id}\"}}");
            if push(address, &body).is_some_and(|(status, _)| status.contains("200")) {
                pushed.insert(format!("pushed {id}"));
            }
            std::thread::sleep(Duration::from_millis(random(25)));
        }
        daemon.kill();
    }
    while published < items {
        let brand = published / EACH;
        feed.publish(
            format!("n{published}"),
            format!("brand{brand} story {published} word{published}"),
            format!("a{published}"),
        );
        published += 1;
    }

    let mut daemon = Daemon::start(dir);
    let open = || rusqlite::Connection::open(dir.join("data/vakt.db")).unwrap();
    let count = |sql: &str| open().query_row(sql, [], |r| r.get::<_, i64>(0)).unwrap_or(-1);
    let from_feed = i64::try_from(feed.len()).unwrap();
    until(dir, "every item of the feed is stored", || {
        count("SELECT count(*) FROM mentions WHERE source = 'news'") == from_feed
    });
    let all = i64::try_from(brands).unwrap();
    until(dir, "every brand has its incident", || count("SELECT count(*) FROM incidents") >= all);
    until(dir, "the outbox is empty", || count("SELECT count(*) FROM outbox WHERE state = 'waiting'") == 0);
    std::thread::sleep(Duration::from_secs(1));
    assert!(daemon.stop().success());

    let db = open();
    let whole: String = db.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
    assert_eq!(whole, "ok");
    let texts = |sql: &str| -> Vec<String> {
        let mut q = db.prepare(sql).unwrap();
        q.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let stored: BTreeSet<String> = texts("SELECT text FROM mentions WHERE source = 'ci'").into_iter().collect();
    let lost: Vec<&String> = pushed.difference(&stored).collect();
    assert!(lost.is_empty(), "pushed, answered with 200 and lost: {lost:?}");
    let groups = texts("SELECT grp FROM incidents");
    assert_eq!(groups.len(), brands, "one incident for each brand");
    assert_eq!(groups.iter().collect::<BTreeSet<_>>().len(), brands);

    let mut mails: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for t in smtp.taken() {
        mails.entry(t.message_id).or_default().push(t.digest);
    }
    assert_eq!(mails.len(), 2 * brands, "one mail for each incident and recipient");
    let doubles: usize = mails.values().map(|d| d.len() - 1).sum();
    assert!(mails.values().all(|d| d.iter().all(|x| x == &d[0])), "a double is the same to the byte");
    assert!(doubles <= usize::try_from(cycles).unwrap() * 8, "{doubles} doubles");
    println!(
        "{cycles} kills: {from_feed} items of the feed and {} pushed mentions stored, {brands} incidents, {} mails; lost 0, doubles {doubles}",
        pushed.len(),
        mails.len()
    );
}
