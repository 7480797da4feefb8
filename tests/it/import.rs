//! History from files: each mention once, whatever the format, and whatever kills the import midway.

use std::io::Write;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use super::world::*;

fn house() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("vakt.toml"),
        "rules_dir = \"rules\"\ndata_dir = \"data\"\n[http]\nlisten = \"off\"\n",
    )
    .unwrap();
    write_rule(dir.path(), "people.toml", PEOPLE);
    write_rule(dir.path(), "topics/acme.toml", "[[topic]]\nname = \"acme\"\nkind = \"brand\"\nquery = \"acme\"\n");
    write_rule(
        dir.path(),
        "alerts/acme.toml",
        "[[alert]]\nname = \"a\"\ntopics = [\"acme\"]\ncondition = \"mentions >= 5\"\nescalation = \"pr\"\n",
    );
    dir
}

fn summary(said: &Output) -> serde_json::Value {
    let text = String::from_utf8_lossy(&said.stdout);
    let line = text.lines().last().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&said.stderr)));
    serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn count(dir: &Path, sql: &str) -> i64 {
    let db = rusqlite::Connection::open(dir.join("data/vakt.db")).unwrap();
    db.busy_timeout(Duration::from_secs(5)).unwrap();
    db.query_row(sql, [], |r| r.get(0)).unwrap_or(0)
}

fn mentions(dir: &Path) -> i64 {
    if dir.join("data/vakt.db").exists() { count(dir, "SELECT count(*) FROM mentions") } else { 0 }
}

fn sentence(n: usize) -> String {
    let what = ["boils quickly", "leaks a little", "looks lovely", "hums at night", "came in a dented box"][n % 5];
    format!("Kettle number {n} of Acme {what}, says the neighbour in house {}", n * 7 % 1000)
}

#[test]
fn every_format_is_read_and_comes_back_from_vakts_own_exports() {
    let dir = house();
    let dir = dir.path();
    // JSONL, with two lines that are no mentions.
    let mut lines = String::new();
    for n in 0..30 {
        let at = format!("2024-03-{:02}T08:00:00Z", n % 28 + 1);
        let line = serde_json::json!({ "id": n, "published": at, "text": sentence(n), "author": { "name": format!("A {n}"), "followers": 10 }, "url": format!("https://forum.example/{n}") });
        lines.push_str(&format!("{line}\n"));
    }
    lines.push_str("nonsense\n{\"id\": 99, \"text\": \"Acme without a date\"}\n");
    std::fs::write(dir.join("old.jsonl"), lines).unwrap();
    let said = ask(dir, &["import", "old.jsonl"]);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert_eq!(said.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&said.stderr));
    assert!(text.contains("author.name") && text.contains("→ author"), "the mapping is shown: {text}");
    assert!(text.contains("30 new") && text.contains("2 skipped") && text.contains("line 31"), "{text}");
    assert_eq!(count(dir, "SELECT count(*) FROM topic_mentions"), 30, "topics are filed");
    assert_eq!(count(dir, "SELECT count(*) FROM mentions WHERE flags = 2 AND source = 'import-old'"), 30);
    let year = "SELECT count(*) FROM mentions WHERE at BETWEEN 1709251200000 AND 1711929600000";
    assert_eq!(count(dir, year), 30, "old dates are kept");

    // CSV with a preamble, days first, semicolons, and Latin-1.
    let mut table = "Rapport;Acme\r\n\r\nDatum;Rubrik;Innehåll;Länk;Räckvidd\r\n".to_owned();
    for n in 100..120 {
        table.push_str(&format!(
            "{:02}/04/2024 09:00;Hört i kö {n};{};https://www.reddit.com/r/a/{n};1.200\r\n",
            n - 95,
            sentence(n)
        ));
    }
    let latin: Vec<u8> = table.chars().map(|c| u8::try_from(c).unwrap()).collect();
    std::fs::write(dir.join("gammal.csv"), latin).unwrap();
    let dry = ask(dir, &["import", "gammal.csv", "--dry-run"]);
    let text = String::from_utf8_lossy(&dry.stdout).into_owned();
    assert!(text.contains("Räckvidd") && text.contains("day first, as in `13/04/2024"), "{text}");
    assert!(text.contains("mention 3") && text.contains("Hört i kö 102") && text.contains("reddit"), "{text}");
    assert_eq!(mentions(dir), 30, "a dry run stores nothing");
    let sum =
        summary(&ask(dir, &["import", "gammal.csv", "--json", "--source", "reddit archive", "--time-zone", "UTC"]));
    assert_eq!((&sum["new"], &sum["skipped"], &sum["source"]), (&20.into(), &0.into(), &"reddit archive".into()));
    let right = "SELECT count(*) FROM mentions WHERE network = 'reddit' AND reach = 1200 AND title LIKE 'Hört i kö%' AND at BETWEEN 1712307600000 AND 1713949200000";
    assert_eq!(count(dir, right), 20);

    // What vakt exports comes back: the same words at the same addresses are known, whatever the source.
    let mut daemon = Daemon::start(dir);
    until(dir, "indexed", || ask(dir, &["search", "acme", "--count"]).stdout == b"50\n");
    let csv = ask(dir, &["search", "acme", "--csv"]);
    std::fs::write(dir.join("own.csv"), csv.stdout).unwrap();
    let json = ask(dir, &["search", "acme", "--json", "--limit", "100"]);
    std::fs::write(dir.join("own.jsonl"), json.stdout).unwrap();
    for file in ["own.csv", "own.jsonl"] {
        let sum = summary(&ask(dir, &["import", file, "--json"]));
        assert_eq!((&sum["read"], &sum["new"], &sum["known"]), (&50.into(), &0.into(), &50.into()), "{file}");
    }
    // And beside the daemon, a workbook.
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in (0u16..).zip(["Date", "Headline", "Opening Text", "URL", "Influencer"]) {
        sheet.write_string(0, column, name).unwrap();
    }
    let form = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd hh:mm");
    for n in 200..210u32 {
        sheet.write_number_with_format(n - 199, 0, 45_000.5 + f64::from(n), &form).unwrap();
        sheet.write_string(n - 199, 1, format!("Headline {n}")).unwrap();
        sheet.write_string(n - 199, 2, sentence(n as usize)).unwrap();
        sheet.write_string(n - 199, 3, format!("https://news.example/{n}")).unwrap();
    }
    book.save(dir.join("sheet.xlsx")).unwrap();
    let sum = summary(&ask(dir, &["import", "sheet.xlsx", "--json", "--network", "news"]));
    assert_eq!((&sum["new"], &sum["skipped"]), (&10.into(), &0.into()));
    until(dir, "the workbook is found", || ask(dir, &["search", "source:import-sheet", "--count"]).stdout == b"10\n");
    assert_eq!(count(dir, "SELECT count(*) FROM incidents"), 0);
    daemon.kill();
}

#[test]
fn wrong_calls_and_wrong_files_say_what_to_do() {
    let dir = house();
    let dir = dir.path();
    let refused = |words: &[&str], code: i32, says: &str| {
        let said = ask(dir, words);
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(code), "{words:?}: {text}");
        assert!(text.contains(says), "{words:?}: {text}");
    };
    std::fs::write(dir.join("a.csv"), "When,What\n2024-03-01,Acme one\n2024-03-02,Acme two\n").unwrap();
    refused(&["import", "a.csv"], 2, "--map text=COLUMN");
    refused(&["import", "a.csv", "--map", "text=What"], 2, "--map published=COLUMN");
    refused(&["import", "a.csv", "--map", "txt=What"], 2, "did you mean `text`?");
    refused(&["import", "a.csv", "--map", "text=Wat"], 2, "did you mean `What`?");
    refused(&["import", "a.csv", "--time-zone", "Mars/Olympus"], 2, "Europe/Stockholm");
    refused(&["import", "none.csv"], 3, "none.csv");
    std::fs::write(dir.join("bad.csv"), format!("Date,Text\n{}", "soon,Acme\n".repeat(30))).unwrap();
    refused(&["import", "bad.csv"], 1, "`soon` is no time");
    std::fs::write(dir.join("half.csv"), format!("Date,Text\n2024-03-01,Acme\n{}", "soon,Acme\n".repeat(30))).unwrap();
    refused(&["import", "half.csv"], 2, "--map");
    assert_eq!(mentions(dir), 0);
    let done = ask(dir, &["import", "a.csv", "--map", "text=What", "--map", "published=When"]);
    assert_eq!((done.status.code(), mentions(dir)), (Some(0), 2), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn an_import_that_is_killed_goes_on_where_it_was() {
    const ROWS: usize = 20_000;
    let dir = house();
    let dir = dir.path();
    let mut file = std::io::BufWriter::new(std::fs::File::create(dir.join("long.jsonl")).unwrap());
    for n in 0..ROWS {
        let at = jiff::Timestamp::from_second(1_700_000_000 + n as i64 * 60).unwrap();
        let line = serde_json::json!({ "id": n.to_string(), "published": at, "text": sentence(n), "author": format!("author {}", n % 999) });
        writeln!(file, "{line}").unwrap();
    }
    file.flush().unwrap();
    drop(file);
    let mut kills = 0;
    for enough in [2000, 9000] {
        let mut import = vakt(dir).args(["import", "long.jsonl"]).stdout(std::process::Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while mentions(dir) < enough
            && began.elapsed() < Duration::from_secs(120)
            && import.try_wait().unwrap().is_none()
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        kills += i32::from(import.try_wait().unwrap().is_none());
        import.kill().unwrap();
        import.wait().unwrap();
    }
    assert_eq!(kills, 2, "both were killed midway");
    let stored = mentions(dir);
    assert!((9000..ROWS as i64).contains(&stored), "{stored}");
    let said = ask(dir, &["import", "long.jsonl", "--json"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("going on after row"), "{said:?}");
    let sum = summary(&said);
    assert_eq!(sum["before"].as_i64(), Some(stored), "it goes on exactly behind what is stored");
    assert_eq!((sum["new"].as_i64(), sum["known"].as_i64()), (Some(ROWS as i64 - stored), Some(0)));
    assert_eq!(mentions(dir), ROWS as i64);
    eprintln!("{} rows in {} s", sum["read"], sum["seconds"]);
    let again = ask(dir, &["import", "long.jsonl"]);
    assert!(String::from_utf8_lossy(&again.stdout).contains("was imported already"), "{again:?}");
    let sum = summary(&ask(dir, &["import", "long.jsonl", "--again", "--json"]));
    assert_eq!((sum["read"].as_i64(), sum["known"].as_i64()), (Some(ROWS as i64), Some(ROWS as i64)));
    assert_eq!(mentions(dir), ROWS as i64);
}
