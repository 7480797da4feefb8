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
