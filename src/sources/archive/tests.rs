//! Archives as files: what tools write, and what vakt wrote itself.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::engine::window::tests::mention;
use crate::model::{Author, Capture, Mention};

fn plan(archive: &Archive) -> Plan {
    Plan {
        mapping: Mapping::guess(&archive.columns, &[]).expect("no wishes"),
        reading: Reading { order: Order::DayFirst, zone: jiff::tz::TimeZone::UTC },
        network: None,
        language: None,
    }
}

fn file(dir: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    path
}

/// Everything in a file, bad rows by their reasons.
fn read(path: &std::path::Path) -> (Archive, Vec<Result<Capture, String>>) {
    let archive = Archive::open(path, &[]).expect("it is read");
    let plan = plan(&archive);
    let mut out = Vec::new();
    archive
        .rows(&mut |row| {
            out.push(row.cells.and_then(|cells| plan.capture(&cells)));
            ControlFlow::Continue(())
        })
        .expect("it is read on");
    (archive, out)
}

#[test]
fn a_table_below_a_preamble_in_any_charset() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = "Bericht;Acme\r\nZeitraum;01.02.2026 - 01.03.2026\r\n\r\nDatum;Überschrift;Inhalt;Link;Reichweite\r\n10.02.2026 08:00;Kessel für Köln;Schöner Kessel;https://blog.example/1;1.200\r\n11.02.2026 09:00;;\"zwei\r\nZeilen; ja\";https://x.com/acme/status/2;\r\n;;;;\r\nEnde;;;;\r\n";
    let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let wide: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    for (name, bytes) in [("plain", text.as_bytes()), ("latin", &latin), ("wide", &wide), ("marked", &marked)] {
        let (archive, rows) = read(&file(&dir, name, bytes));
        assert_eq!(archive.columns, ["Datum", "Überschrift", "Inhalt", "Link", "Reichweite"], "{name}");
        assert!(archive.about().contains("`;`") && archive.about().contains("header in row"), "{}", archive.about());
        assert_eq!(rows.len(), 3, "{name}: {rows:?}");
        let first = rows[0].as_ref().expect("a mention");
        assert_eq!((first.title.as_deref(), first.reach), (Some("Kessel für Köln"), Some(1200)));
        assert_eq!(first.network, "blog");
        let second = rows[1].as_ref().expect("a mention");
        assert_eq!((second.text.as_str(), second.network.as_str()), ("zwei\r\nZeilen; ja", "x"));
        assert!(rows[2].is_err());
        assert_eq!(archive.sample.last().expect("rows").number, 9);
    }
}

#[test]
fn a_workbook_of_another_tool() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("export.xlsx");
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().write_string(0, 0, "About this report").expect("written");
    let sheet = book.add_worksheet();
    sheet.set_name("Mentions").expect("named");
    sheet.write_string(0, 0, "Report: Acme, weekly").expect("written");
    for (n, name) in (0u16..).zip(["Date", "Headline", "Snippet", "Url", "Page Type", "Reach (new)"]) {
        sheet.write_string(3, n, name).expect("written");
    }
    let format = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd hh:mm");
    sheet.write_number_with_format(4, 0, 46_091.343_75, &format).expect("written");
    sheet.write_string(4, 1, "Acme kettles").expect("written");
    sheet.write_string(4, 4, "Twitter").expect("written");
    sheet.write_number(4, 5, 1200).expect("written");
    sheet.write_string(6, 0, "11 Mar 2026 09:00").expect("written");
    sheet.write_string(6, 2, "=not a formula").expect("written");
    book.save(&path).expect("saved");
    let (archive, rows) = read(&path);
    assert_eq!(archive.about(), "XLSX, sheet Mentions, header in row 2");
    assert_eq!(rows.len(), 2);
    let first = rows[0].as_ref().expect("a mention");
    assert_eq!(first.published.expect("dated").to_string(), "2026-03-10T08:15:00Z");
    assert_eq!((first.network.as_str(), first.reach), ("x", Some(1200)));
    assert_eq!(rows[1].as_ref().expect("a mention").text, "=not a formula");
    assert_eq!(archive.sample[1].number, 7);
}

#[test]
fn what_is_no_archive_is_told_in_words() {
    let dir = tempfile::tempdir().expect("a folder");
    let why = |name: &str, bytes: &[u8]| Archive::open(&file(&dir, name, bytes), &[]).expect_err("refused").to_string();
    assert!(why("empty", b"").contains("the file is empty"));
    assert!(why("old", &[0xd0, 0xcf, 0x11, 0xe0, 0]).contains("XLSX"));
    assert!(why("packed", &[0x1f, 0x8b, 8, 0]).contains("gunzip"));
    assert!(why("zip", b"PK\x03\x04nothing").contains("workbook"));
    assert!(why("head", b"Date,Title,Text\n").contains("no rows"));
    assert!(Archive::open(dir.path(), &[]).is_err());
}

fn same(m: &Mention, c: &Capture) {
    assert_eq!(c.title.as_deref().unwrap_or(""), m.title);
    assert_eq!(c.text, m.text);
    assert_eq!(c.author.name, if m.author.name.is_empty() { m.author.handle.as_str() } else { m.author.name.as_str() });
    assert_eq!(c.url.as_deref().unwrap_or(""), m.url);
    assert_eq!(c.published.expect("dated").as_millisecond(), m.at.as_millisecond());
    assert_eq!((c.author.followers, c.reach, c.engagement), (m.author.followers, Some(m.reach), Some(m.engagement)));
}

/// A word as `clean` leaves it: nothing unseen, no spaces at its ends.
fn words() -> impl Strategy<Value = String> {
    "[=+@'|%\\-]{0,2}[a-zåäöÅß0-9 \"',;:\\n🔥＝/\\\\{}\\[\\]<>&]{0,40}[a-z.!]".prop_map(|t| t.trim().to_owned())
}

fn some_mention() -> impl Strategy<Value = Mention> {
    (words(), words(), words(), proptest::option::of(0u64..5_000_000_000), 0i64..2_000_000_000_000, 0u64..99_999)
        .prop_map(|(title, text, name, followers, ms, reach)| Mention {
            title: title.replace('\n', " "),
            text,
            author: Author { name: name.replace('\n', " "), followers, ..Author::default() },
            at: crate::model::time::from_millis(ms),
            reach,
            ..mention(reach as i64, 0, 0.2)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn vakts_own_exports_come_back(mentions in proptest::collection::vec(some_mention(), 1..8)) {
        let dir = tempfile::tempdir().expect("a folder");
        let mut table = Vec::new();
        crate::report::csv::head(&mut table).expect("memory");
        let mut lines = String::new();
        for m in &mentions {
            crate::report::csv::line(&mut table, m).expect("memory");
            lines.push_str(&serde_json::to_string(m).expect("json"));
            lines.push('\n');
        }
        for path in [file(&dir, "a.csv", &table), file(&dir, "a.jsonl", lines.as_bytes())] {
            let (_, rows) = read(&path);
            prop_assert_eq!(rows.len(), mentions.len());
            for (m, c) in mentions.iter().zip(&rows) {
                same(m, c.as_ref().expect("a mention"));
            }
        }
    }

    #[test]
    fn any_file_is_read_or_refused(bytes: Vec<u8>, text in "[\\[{\"},:;\\n\\ta-z0-9]{0,80}") {
        let dir = tempfile::tempdir().expect("a folder");
        for content in [bytes.as_slice(), text.as_bytes()] {
            if let Ok(archive) = Archive::open(&file(&dir, "x", content), &[]) {
                archive.rows(&mut |_| ControlFlow::Continue(())).expect("it is read");
            }
        }
    }
}

#[test]
fn vakts_own_workbook_comes_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.xlsx");
    let mut book = crate::report::xlsx::Workbook::new();
    let mentions: Vec<Mention> =
        (1..=30).map(|n| Mention { title: format!("=Acme {n}"), ..mention(n, n * 61, -0.5) }).collect();
    mentions.iter().for_each(|m| book.add(m).expect("added"));
    book.save(std::fs::File::create(&path).expect("made")).expect("saved");
    let (archive, rows) = read(&path);
    assert_eq!(archive.length, 31);
    assert_eq!(rows.len(), mentions.len());
    mentions.iter().zip(&rows).for_each(|(m, c)| same(m, c.as_ref().expect("a mention")));
}
