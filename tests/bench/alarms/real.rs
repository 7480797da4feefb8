//! Real crises, minute by minute: how long after the first mentions the shipped rules ring.
//!
//! The counts of CrisisLexT26 are a sample of one in a hundred and begin with the event: there is no calm before. Each counted
//! tweet takes the text of a labelled one of about its time; the crisis is taken for one of the brand's product safety.

use std::path::Path;

use jiff::Timestamp;
use vakt::engine::replay::Replay;
use vakt::ground::{Knowledge, Rehearsal};
use vakt::model::time::from_millis;
use vakt::model::{Author, Capture, Mention};
use vakt::rules::Rules;

use super::town::{HOUR, MINUTE};

pub fn run(rules: &Rules) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/crisislex-t26");
    println!("== real: crises of CrisisLexT26");
    let Ok(entries) = std::fs::read_dir(dir.join("volume")) else {
        println!("left out: {} is absent\n", dir.display());
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let knowledge = Knowledge::new(Rules::load(&root, Timestamp::UNIX_EPOCH).expect("in order"), 0);
    let mut names: Vec<String> =
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    println!(
        "{:<34} {:>7} {:>9} {:>9} {:>9} {:>9}  rule and severity",
        "", "counted", "negative", "by then", "rang", "peak"
    );
    for name in names {
        let all = mentions(&dir, &name, &knowledge);
        let Some(first) = all.first().map(|m| m.at.as_millisecond()) else { continue };
        let mut replay = Replay::new(&rules.alerts, &rules.people);
        all.iter().for_each(|m| replay.feed(m));
        replay.until(from_millis(all.last().map_or(0, |m| m.at.as_millisecond()) + HOUR));
        let opened = replay.incidents().iter().find(|i| !i.shadow);
        let negative = all.iter().filter(|m| m.is_negative()).count() as f64 / all.len() as f64;
        // The busiest hour.
        let mut busiest = (0, 0);
        let mut from = 0;
        for (n, m) in all.iter().enumerate() {
            while all[from].at.as_millisecond() < m.at.as_millisecond() - HOUR {
                from += 1;
            }
            busiest = busiest.max((n - from, m.at.as_millisecond()));
        }
        let minutes = |at: i64| (at - first) / MINUTE;
        let by_then = |at: i64| all.iter().filter(|m| m.at.as_millisecond() <= at).count();
        let told = opened.map_or_else(
            || ("-".to_owned(), "never".to_owned(), String::new()),
            |i| {
                let at = i.opened.as_millisecond();
                (by_then(at).to_string(), format!("{} min", minutes(at)), format!("{} {}", i.alert, i.severity))
            },
        );
        println!(
            "{:<34} {:>7} {:>7.0} % {:>9} {:>9} {:>5} min  {}",
            name.trim_end_matches(".tsv"),
            all.len(),
            negative * 100.0,
            told.0,
            told.1,
            minutes(busiest.1),
            told.2
        );
    }
    println!();
}

fn rows(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().skip(1).map(|l| l.split('\t').map(str::to_owned).collect()).collect()
}

/// The counted tweets with texts of their time.
fn mentions(dir: &Path, name: &str, knowledge: &Knowledge) -> Vec<Mention> {
    let time = |text: &str| text.parse::<Timestamp>().ok().map(|t| t.as_millisecond());
    let texts: Vec<(i64, String)> = rows(&dir.join("tweets").join(name))
        .into_iter()
        .filter_map(|r| Some((time(r.first()?)?, r.last()?.clone())))
        .collect();
    let mut rehearsal = Rehearsal::new(knowledge);
    let (mut out, mut at_text) = (Vec::new(), 0);
    for row in rows(&dir.join("volume").join(name)) {
        let (Some(at), Some(n)) = (row.first().and_then(|t| time(t)), row.get(1).and_then(|n| n.parse::<i64>().ok()))
        else {
            continue;
        };
        while at_text + 1 < texts.len() && texts[at_text + 1].0 <= at {
            at_text += 1;
        }
        for k in 0..n {
            // Tweets around the time in turn: there are more counted than labelled.
            let offset = usize::try_from(k).unwrap_or(0) % 7;
            let text = texts.get((at_text + offset).min(texts.len().saturating_sub(1))).map_or("", |(_, t)| t);
            let at = from_millis(at + k * 5 * MINUTE / n);
            let author = Author { name: format!("a{}", out.len()), ..Author::default() };
            let capture = Capture {
                // The same text comes from several people.
                native_id: Some(out.len().to_string()),
                text: text.to_owned(),
                author,
                network: "x".into(),
                published: Some(at),
                ..Capture::default()
            };
            let Some(mut m) = rehearsal.mention("x", capture, at, false) else { continue };
            m.topics = vec!["acme".into(), "product-safety".into()];
            out.push(m);
        }
    }
    out
}
