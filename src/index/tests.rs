//! The index against texts: what it finds is what the matcher says, and damage is put aside.

use std::convert::Infallible;

use super::*;
use crate::engine::window::tests::mention;
use crate::model::Mention;
use crate::query::parse;

fn texts() -> Vec<Mention> {
    [
        "Min vattenkokare från Acme började brinna igår kväll",
        "Der Acme Wasserkocher hat in der Küche gebrannt",
        "The ACME kettle is on fire again and nobody answers",
        "El niño se quemó la mano con el hervidor de Acme",
        "Nothing to do with it, a football match in the rain",
        "the brand of kettle that I bought is dangerous #acme",
    ]
    .iter()
    .zip(1i64..)
    .map(|(text, id)| Mention {
        text: (*text).to_owned(),
        language: Analyst::with_house([]).analyse("", text, None).language.to_owned(),
        ..mention(id, id, -0.5)
    })
    .collect()
}

use crate::text::Analyst;

fn filled(dir: &Path) -> Vec<Mention> {
    let all = texts();
    let (mut writer, told) = open_or_make(dir, 1).expect("it opens");
    assert_eq!(told, None);
    for m in &all {
        writer.add(m.id, m, None).expect("it is added");
    }
    assert_eq!(writer.commit().expect("it commits"), Checkpoint { seq: 6, id: 6 });
    all
}

fn ids(dir: &Path, all: &[Mention], query: &str, limit: usize) -> Vec<i64> {
    let node = parse(query).node.expect("a query");
    let what = Search {
        node,
        since: None,
        until: None,
        order: Order::Oldest,
        limit,
        after: None,
        now: all[0].received,
        total: true,
        budget: None,
    };
    let fetch = |ids: &[i64]| -> Result<Vec<Mention>, Infallible> {
        Ok(ids.iter().filter_map(|id| all.iter().find(|m| m.id == *id)).cloned().collect())
    };
    let found = Searcher::open(dir).and_then(|s| s.search(&what, fetch)).expect("it searches");
    found.mentions.iter().map(|m| m.id).collect()
}

#[test]
fn finds_what_the_matcher_says() {
    let dir = tempfile::tempdir().expect("a folder");
    let all = filled(dir.path());
    for query in [
        "acme",
        "brinner",
        "\"wasserkocher hat\"",
        "{ACME}",
        "nino",
        "niño",
        "kettle NEAR/2 brand",
        "kettle ONEAR/2 brand",
        "ket*",
        "#acme",
        "acme AND NOT kettle",
        "language:de",
        "acme AND network:x AND sentiment:negative",
        "acme OR football",
        "fire NOT {ACME}",
        "(acme OR rain) AND NOT (kettle NEAR/3 brand)",
        "site:example",
        "site:x.example",
    ] {
        let node = parse(query).node.expect("a query");
        let matcher = crate::query::Matcher::new([(&node, [].as_slice())]);
        let expected: Vec<i64> = all
            .iter()
            .filter(|m| {
                let (text, terms) = Analyst::terms("", &m.text, &m.language);
                let doc = crate::query::Doc::of(m, &text, &terms);
                !matcher.matches(&doc).is_empty()
            })
            .map(|m| m.id)
            .collect();
        assert_eq!(ids(dir.path(), &all, query, 10), expected, "{query}");
    }
}

#[test]
fn an_edit_replaces_and_a_restart_goes_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut all = filled(dir.path());
    let (mut writer, _) = open_or_make(dir.path(), 2).expect("it opens");
    assert_eq!(writer.reached(), Checkpoint { seq: 6, id: 6 });
    all[4].text = "Acme sponsors the football match".into();
    writer.add(7, &all[4], None).expect("it is added");
    writer.close().expect("it closes");
    assert_eq!(ids(dir.path(), &all, "football", 10), [5]);
    assert_eq!(ids(dir.path(), &all, "rain", 10), [] as [i64; 0]);
}

#[test]
fn damage_is_put_aside() {
    for how in ["flip", "cut", "delete", "meta"] {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("index");
        filled(&path);
        for entry in std::fs::read_dir(&path).expect("files").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let hit =
                if how == "meta" { name == "meta.json" } else { name.ends_with(".term") || name.ends_with(".pos") };
            if !hit {
                continue;
            }
            let mut bytes = std::fs::read(entry.path()).expect("bytes");
            match how {
                "delete" => {
                    std::fs::remove_file(entry.path()).expect("gone");
                    continue;
                }
                "flip" => bytes[3] ^= 0x40,
                _ => bytes.truncate(bytes.len() / 2),
            }
            std::fs::write(entry.path(), bytes).expect("written");
        }
        assert!(matches!(check(&path), Err(IndexError::Damaged(_))), "{how}");
        let (writer, told) = open_or_make(&path, 77).expect("it is made anew");
        assert!(told.is_some() && writer.reached() == Checkpoint::default(), "{how}");
        assert!(dir.path().join("index.corrupt-77").exists());
    }
}

/// Segments that know a word, and those that the folder has files of.
fn segments(dir: &Path, word: &str) -> (usize, usize, usize) {
    let (index, fields) = open(dir).expect("it opens");
    let segments = index.searchable_segments().expect("they are listed");
    let knows = |s: &tantivy::Segment| {
        let reader = tantivy::SegmentReader::open(s).expect("it opens");
        reader.inverted_index(fields.words).expect("it has words").terms().get(word).expect("it is read").is_some()
    };
    let files =
        std::fs::read_dir(dir).expect("files").flatten().filter(|f| !f.file_name().to_string_lossy().starts_with('.'));
    let mut names: Vec<String> =
        files.filter_map(|f| f.path().file_stem().map(|s| s.to_string_lossy().into_owned())).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|n| n != "meta");
    // A file of deletions has the number of its change behind the segment's.
    names.retain(|n| !n.contains('.'));
    (segments.iter().filter(|s| knows(s)).count(), segments.len(), names.len())
}

#[test]
fn of_what_is_purged_no_word_stays_in_any_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let all = filled(dir.path());
    let (mut writer, _) = open_or_make(dir.path(), 2).expect("it opens");
    let late = Mention { id: 7, text: "a late canaryword at a football match".into(), ..all[0].clone() };
    writer.add(7, &late, None).expect("it is added");
    writer.remove(8, 5);
    writer.remove(9, 7);
    writer.commit().expect("it commits");
    assert_eq!((ids(dir.path(), &all, "football", 10), writer.committed().seq), (vec![], 9));
    assert!(segments(dir.path(), "football").0 > 0, "what is deleted alone still stands in the files");
    writer.begin_purge();
    while !writer.purge_on().expect("it goes on") {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!((segments(dir.path(), "football"), segments(dir.path(), "canaryword").0), ((0, 1, 1), 0));
    assert_eq!(ids(dir.path(), &all, "kettle", 10), [3, 6]);
    assert!(check(dir.path()).is_ok());
    writer.close().expect("it closes");
}
