//! How soon people are called: from the incident to the relay's 250 in quiet times and in a storm, and how late steps of
//! policies are with a thousand open incidents. `cargo bench --bench calling -- [idle] [storm] [late] [SECONDS]`, all three
//! without a word; the storm lasts 30 seconds unless said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::string_slice, missing_docs)]

#[path = "measure.rs"]
mod measure;
#[path = "../it/world.rs"]
#[allow(dead_code)]
mod world;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use measure::{Line, quantiles, usage};
use world::{Daemon, Smtp, free_port, get, until, write_rule, write_settings};

const PUSH: usize = 500;
/// Mentions a second of the storm.
const RATE: f64 = 10_000.0;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let seconds = words.iter().find_map(|w| w.parse::<u64>().ok()).unwrap_or(30);
    let named = words.iter().any(|w| w.parse::<u64>().is_err());
    let asked = |word: &str| !named || words.iter().any(|w| w == word);
    if asked("idle") {
        calls("idle", None);
    }
    if asked("storm") {
        calls("storm", Some(Duration::from_secs(seconds)));
    }
    if asked("late") {
        late();
    }
}

/// Two who are told at once, and the same two again after a wait.
fn people(wait: &str) -> String {
    let person =
        |name: &str| format!("[[person]]\nname = \"{name}\"\nemail = \"{name}@acme.example\"\nlanguages = [\"en\"]\n");
    let policy = format!(
        "[[policy]]\nname = \"pr\"\nsteps = [{{ notify = [\"anna\"], wait = \"{wait}\" }}, {{ notify = [\"bo\"], wait = \"12h\" }}]\n"
    );
    person("anna") + &person("bo") + &policy
}

fn start(dir: &Path, brands: usize, wait: &str) -> (Daemon, SocketAddr, Smtp) {
    let (smtp, port) = (Smtp::start(dir), free_port());
    let address: SocketAddr = format!("127.0.0.1:{port}").parse().unwrap();
    write_settings(dir, "127.0.0.1:9".parse().unwrap(), smtp.port, port);
    let settings = std::fs::read_to_string(dir.join("vakt.toml")).unwrap();
    std::fs::write(dir.join("vakt.toml"), settings.split("[[source]]").next().unwrap()).unwrap();
    write_rule(dir, "people.toml", &people(wait));
    let named: Vec<String> = (0..brands).map(|b| format!("brand{b}")).chain(["storm".into()]).collect();
    let topics = named.iter().map(|b| format!("[[topic]]\nname = \"{b}\"\nkind = \"brand\"\nquery = \"{b}\"\n"));
    write_rule(dir, "topics/brands.toml", &topics.collect::<String>());
    let any = named.iter().map(|b| format!("\"{b}\"")).collect::<Vec<_>>().join(", ");
    let alert = format!(
        "[[alert]]\nname = \"a\"\nany_topics = [{any}]\nwindow = \"15m\"\ncondition = \"mentions >= 3\"\nseverity = \"escalate\"\ngroup_by = [\"topic\"]\nmost_an_hour = 1000\nescalation = \"pr\"\nresolve_after = \"24h\"\n"
    );
    write_rule(dir, "alerts/a.toml", &alert);
    let daemon = Daemon::start(dir);
    until(dir, "ready", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    (daemon, address, smtp)
}

fn line(id: u64, text: &str) -> String {
    let at = jiff::Timestamp::now();
    format!(
        "{{\"id\":\"{id}\",\"text\":\"{text}, number {id}\",\"author\":{{\"name\":\"a{}\"}},\"published\":\"{at}\"}}",
        id % 5000
    )
}

/// Opens incidents one after the other, and says how long each first mail took from its incident's instant to the 250.
fn calls(what: &str, storm: Option<Duration>) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    // Two a second, but no more than a rule may open in an hour.
    let brands = storm.map_or(60, |s| usize::try_from(s.as_secs() * 2).unwrap().min(900));
    let pause = storm.map_or(Duration::from_millis(500), |s| s / u32::try_from(brands).unwrap());
    let (daemon, address, smtp) = start(dir, brands, "12h");
    let (over, pushed) = (AtomicBool::new(false), AtomicU64::new(0));
    let began = Instant::now();
    let pid = daemon.0.id();
    let (mut own, mut mapped) = (0.0f64, 0.0f64);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut most = (0.0f64, 0.0f64);
            while !over.load(Ordering::Relaxed) {
                let now = measure::resident(pid);
                most = (most.0.max(now.0), most.1.max(now.1));
                std::thread::sleep(Duration::from_millis(100));
            }
            most
        });
        for n in 0..storm.map_or(0, |_| 4u64) {
            let (over, pushed) = (&over, &pushed);
            scope.spawn(move || {
                let mut connection = Line::open(address);
                let mut id = n * 1_000_000_000;
                while !over.load(Ordering::Relaxed) {
                    let body: Vec<String> =
                        (0..PUSH).map(|k| line(id + k as u64, "they all speak of the storm now")).collect();
                    id += PUSH as u64;
                    connection.push("storm", &body.join("\n"));
                    let all = pushed.fetch_add(PUSH as u64, Ordering::Relaxed) + PUSH as u64;
                    let due = began + Duration::from_secs_f64(all as f64 / RATE);
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                }
            });
        }
        let mut connection = Line::open(address);
        for b in 0..brands {
            let body: Vec<String> =
                (0..3).map(|k| line(900_000_000_000 + (b * 3 + k) as u64, &format!("brand{b} again"))).collect();
            connection.push("brands", &body.join("\n"));
            std::thread::sleep(pause);
        }
        over.store(true, Ordering::Relaxed);
        (own, mapped) = watch.join().unwrap();
    });
    let took = began.elapsed().as_secs_f64();
    until(dir, "all told", || told(dir).len() > brands.saturating_sub(usize::from(storm.is_none())));
    let (_, peak) = usage(daemon.0.id());
    println!("== {what}: {brands} incidents one after the other");
    println!(
        "from the incident to the relay's 250:  {}  (p99 {} asked)",
        quantiles(told(dir)),
        if storm.is_some() { "5 s" } else { "1 s" }
    );
    if storm.is_some() {
        let db = rusqlite::Connection::open(dir.join("data/vakt.db")).unwrap();
        let count = |sql: &str| db.query_row(sql, [], |r| r.get::<_, i64>(0)).unwrap();
        let sent = pushed.load(Ordering::Relaxed);
        println!(
            "{sent} mentions in {took:.0} s ({:.0} a second); kept {}; peak {peak:.0} MiB (256 asked): {own:.0} of its own, {mapped:.0} mapped from files",
            sent as f64 / took,
            count("SELECT count(*) FROM mentions WHERE source = 'storm'")
        );
        println!(
            "the storm itself: {} incident, {} mails",
            count("SELECT count(*) FROM incidents WHERE grp = 'storm'"),
            count("SELECT count(*) FROM outbox WHERE incident = (SELECT id FROM incidents WHERE grp = 'storm')")
        );
    }
    println!();
    drop((daemon, smtp));
}

/// Milliseconds from the incident's instant to the 250 of each message that was taken.
fn told(dir: &Path) -> Vec<f64> {
    let db = rusqlite::Connection::open(dir.join("data/vakt.db")).unwrap();
    let sql = "SELECT done - created FROM outbox WHERE state = 'delivered' AND incident IS NOT NULL";
    let mut q = db.prepare(sql).unwrap();
    let rows = q.query_map([], |r| r.get::<_, i64>(0)).unwrap();
    rows.map(|ms| ms.unwrap() as f64).collect()
}

/// A thousand incidents at once; a minute later each one's second step is due.
fn late() {
    const OPEN: usize = 1000;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (daemon, address, smtp) = start(dir, OPEN, "1m");
    let mut connection = Line::open(address);
    for chunk in (0..OPEN).collect::<Vec<_>>().chunks(100) {
        let body: Vec<String> = chunk
            .iter()
            .flat_map(|b| (0..3).map(move |k| line((b * 3 + k) as u64, &format!("brand{b} again"))))
            .collect();
        connection.push("brands", &body.join("\n"));
    }
    let db = rusqlite::Connection::open(dir.join("data/vakt.db")).unwrap();
    let second =
        "SELECT o.created - i.opened - 60000 FROM outbox o JOIN incidents i ON i.id = o.incident WHERE o.person = 'bo'";
    let began = Instant::now();
    loop {
        let n: i64 = db.query_row("SELECT count(*) FROM outbox WHERE person = 'bo'", [], |r| r.get(0)).unwrap_or(0);
        if n >= OPEN as i64 || began.elapsed() > Duration::from_secs(180) {
            break;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    let mut q = db.prepare(second).unwrap();
    let waits: Vec<f64> = q.query_map([], |r| r.get::<_, i64>(0)).unwrap().map(|ms| ms.unwrap() as f64).collect();
    println!("== late: {} open incidents, each with a step that is due after a minute", waits.len());
    println!("from when it is due to its message in the outbox:  {}  (5 s asked)", quantiles(waits));
    drop((daemon, smtp));
}
