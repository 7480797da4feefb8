//! Digests: what they say in five languages, that strangers' words stay words, and that their cells are what they are.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use jiff::tz::TimeZone;

use super::*;
use crate::model::Length;
use crate::readable;
use crate::report::after::tests::facts;
use crate::report::book;
use crate::text::figures::Figures;

/// A week with a crisis in it.
pub(crate) fn digest() -> Digest {
    let tally = |mentions: u64| Tally {
        mentions,
        negative: mentions / 3,
        positive: mentions / 4,
        scored: mentions * 9 / 10,
        sentiment: mentions as f64 * -0.12,
        reach: mentions * 4210,
    };
    let rank = |name: &str, now, before| Rank { name: name.into(), now, before };
    let days = |scale: u64| [3, 4, 3, 9, 20, 7, 4].map(|n| n * scale).to_vec();
    let stories = facts().voices;
    Digest {
        topic: "acme".into(),
        title: "Acme".into(),
        period: Period::until(Length::Week, "2026-03-08".parse().expect("a day")),
        zone: TimeZone::get("Europe/Stockholm").expect("a zone"),
        now: tally(12_480),
        authors: (8120, 7010),
        before: tally(9_600),
        series: Series {
            start: "2026-03-01T23:00:00Z".parse().expect("a time"),
            bucket: Span::days(1),
            mentions: vec![900, 1100, 1000, 2300, 4800, 1480, 900],
            negative: vec![200, 250, 240, 900, 2100, 400, 70],
            expected: vec![1371.4; 7],
        },
        shares: vec![
            Share { title: "Acme".into(), own: true, now: tally(12_480), before: tally(9_600), days: days(40) },
            Share { title: "Globex".into(), own: false, now: tally(6_100), before: tally(7_000), days: days(20) },
            Share { title: "=Initech".into(), own: false, now: tally(900), before: tally(0), days: days(3) },
        ],
        networks: vec![rank("x", 8000, 5000), rank("news", 3000, 3100), rank("mastodon", 1480, 0)],
        languages: vec![rank("sv", 9000, 7000), rank("de", 3480, 2600)],
        sites: vec![rank("news[.]example", 420, 300)],
        writers: vec![Writer { name: "Ann <b>".into(), network: "x".into(), mentions: 12, reach: 250_000 }],
        best: stories.iter().skip(1).cloned().collect(),
        stories,
        engagement: vec![4_321],
        hot: vec![("#acmemelt".into(), 320), ("handles".into(), 210)],
        incidents: vec![Event {
            id: 7,
            title: "Acme: product safety".into(),
            severity: Severity::Crisis,
            opened: "2026-03-06T21:40:00Z".parse().expect("a time"),
            taken: Some(Span::mins(12)),
            over: None,
        }],
        response: (
            Response {
                incidents: 1,
                taken: Some(Span::mins(12)),
                needed: 80,
                answered: 71,
                in_time: 60,
                answer: Some(Span::mins(48)),
            },
            Response {
                incidents: 2,
                taken: Some(Span::mins(20)),
                needed: 60,
                answered: 60,
                in_time: 41,
                answer: Some(Span::mins(95)),
            },
        ),
    }
}

#[test]
fn it_says_all_in_five_languages() {
    for code in Figures::CODES {
        let shown = show(&digest(), code, |_| "cid:chart".into()).expect("it is shown");
        insta::assert_snapshot!(format!("digest_{code}"), format!("{}\n\n{}", shown.subject, shown.text));
        assert_eq!(readable::faults(&shown.html, code), [""; 0], "{code}");
        assert_eq!(readable::unsaid(&shown.html, &shown.text), [""; 0], "{code}: {}", shown.text);
        insta::assert_snapshot!(format!("digest_page_{code}"), readable::outline(&shown.html));
        assert!(shown.html.len() < 60_000 && shown.chart.starts_with(b"\x89PNG"));
        for evil in ["<script", "<b>", "href="] {
            assert!(!shown.html.contains(evil), "{evil}");
        }
        if let Some(dir) = std::env::var_os("VAKT_PICTURES") {
            let dir = std::path::Path::new(&dir);
            let page = shown.html.replace("cid:chart", &format!("digest-{code}.png"));
            std::fs::write(dir.join(format!("digest-{code}.html")), page).expect("written");
            std::fs::write(dir.join(format!("digest-{code}.png")), &shown.chart).expect("written");
        }
    }
}

#[test]
fn a_period_of_silence_is_told_too() {
    let none = Tally::default();
    let empty = Series {
        mentions: vec![0; 24],
        negative: vec![0; 24],
        expected: vec![0.0; 24],
        bucket: Span::hours(1),
        ..digest().series
    };
    let quiet = Digest {
        period: Period::until(Length::Day, "2026-03-08".parse().expect("a day")),
        now: none,
        before: none,
        authors: (0, 0),
        series: empty,
        shares: Vec::new(),
        networks: Vec::new(),
        languages: Vec::new(),
        sites: Vec::new(),
        writers: Vec::new(),
        stories: Vec::new(),
        best: Vec::new(),
        engagement: Vec::new(),
        hot: Vec::new(),
        incidents: Vec::new(),
        response: Default::default(),
        ..digest()
    };
    let shown = show(&quiet, "de", |_| "cid:chart".into()).expect("it is shown");
    assert!(shown.text.contains("Es wurde nichts gesagt.") && !shown.text.contains("NaN"), "{}", shown.text);
    assert_eq!(readable::faults(&shown.html, "de"), [""; 0]);
    assert_eq!(readable::unsaid(&shown.html, &shown.text), [""; 0], "{}", shown.text);
    let mut out = Cursor::new(Vec::new());
    book::write(&quiet, "de", &mut out).expect("it is written");
    assert!(Xlsx::new(out).expect("it is a workbook").sheet_names().len() >= 2);
}

#[test]
fn cells_are_what_they_are_and_charts_are_excels_own() {
    let mut out = Cursor::new(Vec::new());
    book::write(&digest(), "en", &mut out).expect("it is written");
    let bytes = out.get_ref().clone();
    if let Some(dir) = std::env::var_os("VAKT_PICTURES") {
        std::fs::write(std::path::Path::new(&dir).join("digest.xlsx"), &bytes).expect("written");
    }
    let charts =
        (1..=9).filter(|n| bytes.windows(24).any(|w| w.starts_with(format!("xl/charts/chart{n}.xml").as_bytes())));
    assert_eq!(charts.count(), 6, "over time, share of voice twice, networks, languages, sites");
    let mut book = Xlsx::new(out).expect("it is a workbook");
    let share = book.worksheet_range("Share of voice").expect("the sheet");
    assert_eq!(share.get_value((3, 0)), Some(&Data::String("=Initech".into())));
    assert_eq!(share.get_value((1, 1)), Some(&Data::Float(12_480.0)));
    let time = book.worksheet_range("Over time").expect("the sheet");
    let Some(Data::DateTime(at)) = time.get_value((1, 0)) else { panic!("a day is a day") };
    assert_eq!(at.as_f64(), 46_083.0, "2 March 2026, midnight in Stockholm");
    for sheet in book.sheet_names() {
        assert!(book.worksheet_formula(&sheet).expect("the sheet").is_empty(), "{sheet}");
    }
}

#[test]
fn as_csv_each_row_says_what_it_is_of() {
    let mut out = Vec::new();
    write_csv(&mut out, &tables(&digest(), "sv")).expect("memory");
    let text = String::from_utf8(out).expect("text");
    for line in [
        "glance,Omnämnanden,12480,9600\r\n",
        "voice_share,'=Initech,900,",
        "incidents,7,Acme: product safety,crisis,2026-03-06T21:40:00Z,12.0,\r\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}
