//! When the shipped rules ring: quiet weeks, injected crises, real crises, and what a tick costs.
//!
//! `cargo bench --bench alarms -- [quiet] [crises] [real] [tick] [NUMBER]`; all of them without a word, and with a number only so
//! many topics and crises in place of 40 and 1,000. Everything is drawn anew the same way. Real crises are read from `../shared/data/crisislex-t26` and left out where that is absent.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

#[path = "alarms/draw.rs"]
mod draw;
#[path = "alarms/real.rs"]
mod real;
#[path = "alarms/town.rs"]
mod town;

use std::time::Instant;

use draw::Draw;
use jiff::Timestamp;
use town::{HOUR, MINUTE, Town, WEEK};
use vakt::engine::detect::{Detector, Live};
use vakt::engine::replay::Replay;
use vakt::model::time::{Span, from_millis};
use vakt::model::{Alert, Mention, Severity};
use vakt::rules::Rules;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let number = words.iter().find_map(|w| w.parse::<u64>().ok());
    let named = words.iter().any(|w| w.parse::<u64>().is_err());
    let asked = |word: &str| !named || words.iter().any(|w| w == word);
    let rules = Rules::load(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/rules")), Timestamp::UNIX_EPOCH)
        .expect("in order");
    if asked("quiet") {
        quiet(&rules, number.unwrap_or(40));
    }
    if asked("crises") {
        crises(&rules, number.unwrap_or(1000));
    }
    if asked("real") {
        real::run(&rules);
    }
    if asked("tick") {
        tick();
    }
}

/// Topics that are watched for half a year, with all that is not a crisis.
fn quiet(rules: &Rules, topics: u64) {
    println!("== quiet: {topics} topics of 26 weeks each, drawn from a negative binomial with day and week");
    println!("{:>10} {:>12} {:>10} {:>10}  what it had beside", "per hour", "dispersion", "mentions", "incidents");
    let (mut worst, mut all, mut mentions) = (0, 0, 0u64);
    let began = Instant::now();
    for n in 0..topics {
        let mut town = Town::drawn(n);
        let found = town.weeks(26);
        let mut replay = Replay::new(&rules.alerts, &rules.people);
        found.iter().for_each(|m| replay.feed(m));
        replay.until(town.end());
        let rang = replay.incidents().iter().filter(|i| !i.shadow).count();
        println!(
            "{:>10.2} {:>12.2} {:>10} {:>10}  {}",
            town.rate,
            town.dispersion,
            found.len(),
            rang,
            town.trouble.join(", ")
        );
        for i in replay.incidents().iter().filter(|i| !i.shadow) {
            let s = &i.evidence.signals;
            println!(
                "{:>24} {} {} seen {} of {:.1}, surprise {:.1}, {:.0} % negative",
                i.alert,
                i.opened,
                i.severity,
                s.mentions,
                s.expected,
                s.surprise,
                s.negative_share * 100.0
            );
        }
        worst = worst.max(rang);
        all += rang;
        mentions += found.len() as u64;
    }
    println!(
        "{} weeks, {mentions} mentions in {:.1} s: {all} incidents, at most {worst} a topic in 26 weeks (1 asked)\n",
        topics * 26,
        began.elapsed().as_secs_f64()
    );
}

/// Crises that begin within a quiet month, sudden and slow.
fn crises(rules: &Rules, count: u64) {
    println!("== crises: {count}, from 3 to 300 times the level; half of them about a theme of risk");
    let mut table: Vec<(String, Vec<Option<f64>>, usize)> = Vec::new();
    for n in 0..count {
        let mut town = Town::drawn(10_000 + n);
        let (sudden, theme) = (n % 2 == 0, (n / 2) % 2 == 0);
        let mut found = town.weeks(3);
        let from = town.end().as_millisecond() - 10 * HOUR;
        found.retain(|m| m.at.as_millisecond() < from);
        let times = 10f64.powf(town.draw.between(3f64.log10(), 300f64.log10()));
        let crisis = town.crisis(from, 6 * HOUR, times, sudden, theme);
        // The fifth mention beyond what is usual 999 times in 1,000.
        let due = town.fifth_extra(&found, &crisis, 30 * MINUTE);
        found.extend(crisis);
        found.sort_by_key(|m| (m.at, m.id));
        let mut replay = Replay::new(&rules.alerts, &rules.people);
        found.iter().for_each(|m| replay.feed(m));
        replay.until(from_millis(from + 8 * HOUR));
        let after = |i: &&vakt::model::Incident| !i.shadow && i.opened.as_millisecond() >= from;
        let rang = replay.incidents().iter().filter(after).map(|i| i.opened.as_millisecond()).min();
        let size = match times {
            t if t < 10.0 => "3 to 10 times",
            t if t < 50.0 => "10 to 50 times",
            _ => "50 to 300 times",
        };
        let key = format!("{:<7} {size}", if sudden { "sudden" } else { "slow" });
        if !table.iter().any(|(k, ..)| *k == key) {
            table.push((key.clone(), Vec::new(), 0));
        }
        let row = table.iter_mut().find(|(k, ..)| *k == key).expect("it was put there");
        match due {
            Some(due) => row.1.push(rang.map(|at| (at - due) as f64 / MINUTE as f64)),
            None => row.2 += 1,
        }
        if sudden && due.is_some_and(|due| rang.is_none_or(|at| at > due + 2 * MINUTE)) {
            println!(
                "  late: {times:.0} times {:.2} an hour, theme {theme}: {}",
                town.rate,
                rang.map_or("never".into(), |at| format!(
                    "{:.1} minutes",
                    (at - due.unwrap_or(0)) as f64 / MINUTE as f64
                ))
            );
        }
    }
    table.sort_by(|a, b| a.0.cmp(&b.0));
    println!("{:<26} {:>7} {:>8} {:>9} {:>10} {:>8}", "", "crises", "caught", "in 2 min", "median", "p99");
    let (mut sudden, mut in_time) = (0, 0);
    for (key, found, few) in &table {
        let mut waits: Vec<f64> = found.iter().flatten().copied().collect();
        waits.sort_by(f64::total_cmp);
        let soon = waits.iter().filter(|w| **w <= 2.0).count();
        if key.starts_with("sudden") {
            sudden += found.len();
            in_time += soon;
        }
        let at = |q: f64| waits.get(((waits.len() as f64 - 1.0).max(0.0) * q) as usize).copied().unwrap_or(f64::NAN);
        println!(
            "{key:<26} {:>7} {:>8} {soon:>9} {:>6.1} min {:>4.1} min   ({few} never had five extra)",
            found.len(),
            waits.len(),
            at(0.5),
            at(0.99)
        );
    }
    println!(
        "sudden ones caught within two minutes after the fifth extra mention: {:.1} % (99 asked)\n",
        100.0 * in_time as f64 / f64::from(sudden.max(1) as u32)
    );
}

/// Counts what is allocated: what the system gave the process says more of what was freed before.
#[global_allocator]
static MEMORY: cap::Cap<std::alloc::System> = cap::Cap::new(std::alloc::System, usize::MAX);

/// Memory that is allocated, bytes.
fn memory() -> usize {
    MEMORY.allocated()
}

/// 10,000 topics with four rules each: what they take, and what a tick costs when nothing comes.
fn tick() {
    println!("== tick: 10,000 topics with 4 alert rules each");
    let rule = |topic: &str, n: usize| Alert {
        name: format!("{topic}-{n}"),
        topics: vec![topic.to_owned()],
        window: [Span::mins(15), Span::mins(30), Span::hours(1), Span::hours(6)][n],
        condition: format!("mentions >= {} && surprise >= 4.0 && negative_share >= 0.5 && authors >= 4", 5 + n),
        severity: Severity::Review,
        group_by: vec!["topic".into()],
        ..Alert::default()
    };
    let alerts: Vec<Alert> = (0..10_000).flat_map(|t| (0..4).map(move |n| rule(&format!("t{t}"), n))).collect();
    let empty = memory();
    let mut detector = Detector::new(&alerts);
    let ready = memory();
    let start = "2026-03-02T00:00:00Z".parse::<Timestamp>().expect("a time").as_millisecond();
    let mut draw = Draw::new(5);
    // Four weeks in which each topic is spoken of some 40 times.
    let mut all: Vec<Mention> = Vec::new();
    for t in 0..10_000 {
        for k in 0..40 {
            let at = from_millis(start + (draw.unit() * 4.0 * WEEK as f64) as i64);
            let mut m = Mention::of_text("", at);
            (m.id, m.topics, m.sentiment) = (t * 40 + k, vec![format!("t{t}")], Some(0.1));
            all.push(m);
        }
    }
    all.sort_by_key(|m| (m.at, m.id));
    let live = Live::new();
    let mut busiest = 0.0f64;
    let mut hour = start;
    let feeding = Instant::now();
    let mut ticking = 0.0;
    for m in &all {
        while m.at.as_millisecond() > hour {
            hour += HOUR / 4;
            let began = Instant::now();
            detector.tick(from_millis(hour), &live);
            let took = began.elapsed().as_secs_f64();
            ticking += took;
            busiest = busiest.max(took);
        }
        detector.feed(m);
    }
    let fed = feeding.elapsed().as_secs_f64() - ticking;
    let count = all.len();
    drop(all);
    let end = start + 4 * WEEK + 7 * HOUR;
    detector.tick(from_millis(end), &live);
    detector.tick(from_millis(end + MINUTE), &live);
    let mut times: Vec<f64> = (1..=600)
        .map(|s| {
            let began = Instant::now();
            detector.tick(from_millis(end + MINUTE + s * 1000), &live);
            began.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let kept: usize =
        detector.take_changes().iter().map(|(_, k)| serde_json::to_string(k).map_or(0, |t| t.len())).sum();
    println!(
        "a mention {:.2} us; a tick of a quarter of an hour's chatter at most {:.1} ms",
        fed / count as f64 * 1e6,
        busiest * 1000.0
    );
    println!(
        "a tick of one second when all are quiet: median {:.4} ms, most {:.4} ms (50 asked)",
        times[300], times[599]
    );
    println!(
        "memory a topic: rules {:.2} KiB, state {:.2} KiB (2 asked); kept in the store {:.2} KiB\n",
        (ready - empty) as f64 / 10_000.0 / 1024.0,
        (memory().saturating_sub(ready)) as f64 / 10_000.0 / 1024.0,
        kept as f64 / 10_000.0 / 1024.0
    );
}
