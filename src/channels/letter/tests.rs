//! Letters: what they say, that they are small, and that strangers' words stay words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::channels::mail::envelope_bytes;
use crate::engine::hot::HotKind;
use crate::engine::window::tests::mention;
use crate::model::incident::Ack;
use crate::model::playbook::{Guide, Said, Task};
use crate::model::time::Span;
use crate::model::{Evidence, Raise, Signals, Status, Term};
use crate::readable;

fn incident() -> Incident {
    let term = |signal: &str, op: &str, threshold, value| Term {
        signal: signal.into(),
        op: op.into(),
        threshold,
        value,
        held: true,
    };
    Incident {
        id: 7,
        alert: "product-safety".into(),
        group: "acme".into(),
        topic: "acme".into(),
        status: Status::Open,
        severity: Severity::Crisis,
        opened: "2026-03-10T21:40:00Z".parse().expect("a time"),
        fired: "2026-03-10T21:45:00Z".parse().expect("a time"),
        resolved: None,
        calm: false,
        ack: None,
        steps_taken: 1,
        next_step: None,
        next_remind: None,
        told: vec!["maria".into()],
        messages: 1,
        peak: 42,
        evidence: Evidence {
            signals: Signals {
                mentions: 42,
                expected: 2.04,
                negative_share: 0.88,
                reach: 1_250_000,
                ..Signals::default()
            },
            condition: "mentions >= 5 && surprise >= 4.0".into(),
            terms: vec![term("mentions", ">=", 5.0, 42.0), term("surprise", ">=", 4.0, 17.345)],
            raised: vec![(Severity::Crisis, "reach > 250000".into())],
            range: (6, 11),
            days_apart: 4380.0,
            ..Evidence::default()
        }
        .into(),
        muted_by: None,
        merged_into: None,
        drill: None,
        silenced_by: None,
        overruled: None,
        snoozed: None,
        shadow: false,
        flood: None,
    }
}

fn alert() -> Alert {
    Alert {
        name: "product-safety".into(),
        title: "Product safety".into(),
        topics: vec!["acme".into()],
        severity: Severity::Escalate,
        raise: vec![Raise { to: Severity::Crisis, when: "reach > 250000".into() }],
        playbook: "p".into(),
        escalation: "pr".into(),
        ..Alert::default()
    }
}

/// A letter that quotes mentions, and whom it is for.
pub(in crate::channels) fn composed(mentions: &[Mention]) -> Letter {
    letter(Notice::Opened, "en", mentions)
}

pub(in crate::channels) fn maria() -> Person {
    person("en")
}

fn person(language: &str) -> Person {
    Person {
        name: "maria".into(),
        full_name: "Maria Lindqvist".into(),
        email: "maria@acme.example".into(),
        languages: vec![language.into()],
        time_zone: "Europe/Stockholm".into(),
        ..Person::default()
    }
}

fn guide(language: &str, [title, first, role, what, do_it, dont]: [&str; 6]) -> Guide {
    Guide {
        language: language.into(),
        title: title.into(),
        first: first.into(),
        checklist: vec![Task {
            role: role.into(),
            due: Some(Span::hours(1)),
            sooner: vec![(Severity::Escalate, Span::mins(10))],
            what: what.into(),
        }],
        dos: vec![do_it.into()],
        donts: vec![dont.into()],
    }
}

fn playbook() -> Playbook {
    Playbook {
        name: "p".into(),
        targets: vec![],
        owner: String::new(),
        decision_maker: String::new(),
        approvers: vec![],
        approvals: 1,
        contacts: vec!["Legal: +46 8 000".into()],
        guides: vec![
            guide(
                "",
                ["Product safety", "Pause scheduled posts.", "PR lead", "Read the mentions", "Answer calmly", "Guess"],
            ),
            guide(
                "sv",
                ["Produktsäkerhet", "Pausa planerade inlägg.", "PR-jouren", "Läs allt", "Svara lugnt", "Gissa"],
            ),
        ],
        statements: ["sv", "en"]
            .map(|l| Said { language: l.into(), network: None, text: format!("{l}: {{{{ brand }}}} looks into it.") })
            .into(),
        answers: vec![],
    }
}

fn letter(notice: Notice, language: &str, mentions: &[Mention]) -> Letter {
    letter_with(notice, language, mentions, &[])
}

fn letter_with(notice: Notice, language: &str, mentions: &[Mention], held: &[i64]) -> Letter {
    briefed(notice, language, mentions, held, |brief| compose(brief).expect("it is composed"))
}

/// Something made of a brief about strangers' mentions.
pub(in crate::channels) fn with_brief(notice: Notice, work: impl FnOnce(&Brief<'_>)) {
    briefed(notice, "en", &[hostile("stranger's words")], &[], work);
}

fn briefed<T>(
    notice: Notice,
    language: &str,
    mentions: &[Mention],
    held: &[i64],
    work: impl FnOnce(&Brief<'_>) -> T,
) -> T {
    let (incident, alert, person, playbook) = (incident(), alert(), person(language), playbook());
    let chart = ChartFacts { sparkline: "▁▂█".into(), most: 42, usual: 1.5, png: Some(vec![1, 2, 3]) };
    let hot = [("#acmefire", HotKind::Hashtag, 12), ("smält<b>", HotKind::Word, 7)].map(|(term, kind, now)| Hot {
        term: term.into(),
        kind,
        now,
        before: 0,
        strength: 40.0,
    });
    work(&Brief {
        notice,
        incident: &incident,
        alert: &alert,
        brand: "Acme",
        mentions,
        hot: &hot,
        chart: Some(&chart),
        playbook: Some(&playbook),
        person: &person,
        told: &["Maria Lindqvist".to_owned(), "Bo".to_owned()],
        held,
        planned: &[],
        taken_by: None,
        base_url: Some("https://vakt.acme.example"),
        door: match notice {
            Notice::Resolved => None,
            _ => Some("https://vakt.acme.example/a/e30.c2ln"),
        },
        digits: (notice != Notice::Acknowledged).then_some("0417"),
        now: incident.fired,
        from_domain: "acme.example",
    })
}

#[test]
fn what_is_about_to_be_published_is_asked_to_be_held() {
    let post = |channel: &str, name: &str, whole_day| Planned {
        name: name.into(),
        from: "2026-03-10T22:30:00Z".parse().expect("a time"),
        to: "2026-03-10T23:30:00Z".parse().expect("a time"),
        channel: channel.into(),
        text: "Meet <b>Glow</b>".into(),
        whole_day,
        ..Planned::default()
    };
    let posts = [post("instagram", "Launch | film", false), post("x", "Greeting", true)];
    let planned: Vec<&Planned> = posts.iter().collect();
    for (language, words) in [
        ("en", "hold it back?"),
        ("sv", "hålla inne?"),
        ("de", "zurückhalten?"),
        ("it", "trattenere?"),
        ("es", "¿retener?"),
    ] {
        let letter = |notice| {
            briefed(notice, language, &two(), &[], |brief| {
                compose(&Brief { planned: &planned, ..*brief }).expect("it is composed")
            })
        };
        let opened = letter(Notice::Opened);
        for text in [&opened.text, &opened.html] {
            assert!(text.contains(words) && text.contains("23:30") && text.contains("Greeting"), "{text}");
        }
        assert!(opened.html.contains("&lt;b&gt;Glow") && !opened.html.contains("<b>Glow"));
        assert!(!letter(Notice::Resolved).text.contains(words), "it is over");
    }
}

fn hostile(text: &str) -> Mention {
    let mut m = mention(1, 1, -0.8);
    m.title = text.to_owned();
    m.text = text.to_owned();
    m.author.name = text.to_owned();
    m.url = "https://tracker.example/p?u=1".to_owned();
    m
}

fn two() -> Vec<Mention> {
    let a = Mention { title: "Kettle on fire".into(), text: "It burned my hand".into(), ..mention(1, 1, -0.8) };
    let b = Mention { story: 1, site: "post.example".into(), ..mention(2, 2, -0.5) };
    vec![a, b]
}

const LANGUAGES: [&str; 5] = ["en", "sv", "de", "it", "es"];

/// The letter of an incident that has all that a notice may tell.
fn full(notice: Notice, language: &str) -> Letter {
    let posts =
        [("instagram", "Launch film", false), ("x", "Greeting", true)].map(|(channel, name, whole_day)| Planned {
            name: name.into(),
            from: "2026-03-10T22:30:00Z".parse().expect("a time"),
            to: "2026-03-10T23:30:00Z".parse().expect("a time"),
            channel: channel.into(),
            text: "Meet the new one".into(),
            whole_day,
            ..Planned::default()
        });
    let ack =
        Ack { by: "bo".into(), at: "2026-03-10T21:52:00Z".parse().expect("a time"), note: "on it".into(), until: None };
    let incident = Incident {
        ack: (notice == Notice::Acknowledged).then_some(ack),
        snoozed: Some("2026-03-10T23:00:00Z".parse().expect("a time")),
        merged_into: Some(5),
        ..incident()
    };
    let planned: Vec<&Planned> = posts.iter().collect();
    briefed(notice, language, &two(), &[12, 14], |brief| {
        compose(&Brief { planned: &planned, incident: &incident, taken_by: Some("Bo Berg"), ..*brief })
            .expect("it is composed")
    })
}

/// Leaves a mail where pictures are made of it.
fn picture(letter: &Letter, name: &str) {
    if let Some(dir) = std::env::var_os("VAKT_PICTURES") {
        let chart = crate::report::chart::png(&crate::report::after::tests::facts().series).expect("drawn");
        let chart = format!("data:image/png;base64,{}", STANDARD.encode(chart));
        let path = std::path::Path::new(&dir).join(format!("{}.html", name.to_lowercase()));
        std::fs::write(path, letter.html.replace("cid:chart", &chart)).expect("written");
    }
}

#[test]
fn every_mail_is_readable_and_its_plain_text_says_all_of_it() {
    for language in LANGUAGES {
        let mut outlines = Vec::new();
        for notice in Notice::ALL {
            let letter = full(notice, language);
            assert_eq!(readable::faults(&letter.html, language), [""; 0], "{notice:?} in {language}");
            assert_eq!(
                readable::unsaid(&letter.html, &letter.text),
                [""; 0],
                "{notice:?} in {language}: {}",
                letter.text
            );
            let outline = readable::outline(&letter.html);
            if matches!(notice, Notice::Opened | Notice::Acknowledged) {
                picture(&letter, &format!("letter-{notice:?}-{language}"));
            }
            // All that ask for something bring the same plan; the first one shows it.
            let lines = if notice == Notice::Opened || notice.asks_nothing() { usize::MAX } else { 5 };
            outlines.push(outline.lines().take(lines).collect::<Vec<_>>().join("\n"));
        }
        insta::assert_snapshot!(format!("letters_{language}"), outlines.join("\n\n"));
    }
}

#[test]
fn a_mail_that_lacks_most_of_it_is_readable_as_well() {
    let drill = Some(crate::model::incident::Drill { to: Vec::new(), mentions: Vec::new() }.into());
    let incident = Incident { drill, ..incident() };
    let nobody = Person { time_zone: "UTC".into(), ..person("sv") };
    let bare = briefed(Notice::Opened, "sv", &[], &[], |brief| {
        let bare = Brief {
            incident: &incident,
            chart: None,
            playbook: None,
            hot: &[],
            told: &[],
            door: None,
            digits: None,
            base_url: None,
            person: &nobody,
            ..*brief
        };
        compose(&bare).expect("it is composed")
    });
    let note = note(&Note {
        subject: "<relay> is down",
        text: "smtp://a:25 & more\nlines",
        message_id: "note.1@acme.example",
    });
    for (letter, language) in [(&bare, "sv"), (&note, "en")] {
        assert_eq!(readable::faults(&letter.html, language), [""; 0], "{}", letter.html);
        assert_eq!(readable::unsaid(&letter.html, &letter.text), [""; 0], "{}", letter.text);
    }
    assert!(note.html.contains("<title>&lt;relay&gt; is down</title>") && note.html.contains("25 &amp; more\nlines"));
}

#[test]
fn understood_in_ten_seconds() {
    let subject = |notice, language| letter(notice, language, &[]).subject;
    insta::assert_snapshot!(subject(Notice::Opened, "en"), @"[CRISIS] Acme: Product safety, 42 mentions in 15m (usual 2), 88 % negative");
    insta::assert_snapshot!(subject(Notice::Reminder, "sv"), @"[CRISIS · påminnelse] Acme: Product safety, 42 omnämnanden på 15m (normalt 2), 88 % negativa");
    insta::assert_snapshot!(subject(Notice::Resolved, "de"), @"[CRISIS · vorbei] Acme: Product safety");
}

#[test]
fn the_letter_in_words() {
    insta::assert_snapshot!(letter(Notice::Opened, "en", &two()).text);
}

#[test]
fn the_letter_in_swedish() {
    insta::assert_snapshot!(letter(Notice::Raised, "sv", &two()).text);
}

#[test]
fn strangers_words_stay_words() {
    for text in [
        "<script>alert(1)</script><img src=http://t.example/p.gif>",
        "x\r\nBcc: victim@example.org\r\n\r\nbody",
        "{{ 7*7 }}{% for x in y %}",
        "\u{202e}gpj.exe [CRISIS] fake",
        "<a href=https://evil.example>apple.com</a>",
        "Recall: log in at https://evil.example/phish?x=1 or www.evil.example, or write to help@evil.example",
    ] {
        let l = letter(Notice::Opened, "en", &[hostile(text)]);
        assert!(
            !l.html.contains("<script")
                && !l.html.contains("<img src=http")
                && !l.html.contains("<a href=https://evil")
        );
        assert!(!l.html.contains("https://tracker.example") && l.html.contains("tracker[.]example"));
        for words in [&l.html, &l.text] {
            for place in ["http://", "https://", "www.", "evil.example"] {
                let own = words.matches(place).count()
                    - words.matches("https://vakt.acme.example").count() * usize::from(place == "https://");
                assert_eq!(own, 0, "a mail program would make a link of {place}: {words}");
            }
        }
        assert!(!l.html.contains('\u{202e}') && !l.text.contains('\u{202e}'));
        let bytes = envelope_bytes(&l, "vakt <vakt@acme.example>", &person("en"), incident().fired).expect("bytes");
        assert!(bytes.iter().all(u8::is_ascii), "seven bits a byte");
        let mail = mail_parser::MessageParser::default().parse(&bytes).expect("a mail");
        assert_eq!(mail.bcc(), None);
        assert!(mail.subject().is_some_and(|s| s.starts_with("[CRISIS] Acme")));
        assert_eq!(mail.attachments().count(), 1, "the chart and nothing else");
    }
}

#[test]
fn one_incident_is_one_thread_and_the_bytes_are_the_same() {
    let a = letter(Notice::Opened, "en", &two());
    let b = letter(Notice::Reminder, "en", &two());
    assert_eq!(a.references, b.references);
    assert_eq!(a.message_id, "<incident.7.1773178800.maria.1@acme.example>");
    let bytes = |l| envelope_bytes(l, "vakt <vakt@acme.example>", &person("en"), incident().fired).expect("bytes");
    assert_eq!(bytes(&a), bytes(&a));
}

#[test]
fn whatever_comes_is_under_100_kilobytes() {
    let huge: Vec<Mention> = (0..200).map(|i| Mention { story: i, ..hostile(&"🔥<&>ä".repeat(20_000)) }).collect();
    let l = letter(Notice::Opened, "sv", &huge);
    let bytes = envelope_bytes(&l, "vakt <vakt@acme.example>", &person("sv"), incident().fired).expect("bytes");
    assert!(bytes.len() < 100_000, "{}", bytes.len());
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_a_letter(text in "\\PC{0,300}|[\\x00-\\x1f<>&\"'{}%]{0,60}") {
        let l = letter(Notice::Opened, "it", &[hostile(&text)]);
        let bytes = envelope_bytes(&l, "vakt <vakt@acme.example>", &person("it"), incident().fired).expect("bytes");
        proptest::prop_assert!(mail_parser::MessageParser::default().parse(&bytes).is_some());
        proptest::prop_assert!(!l.subject.contains(['\r', '\n']));
    }
}

#[test]
fn what_was_held_back_is_told() {
    let lines = ["en", "sv", "de", "it", "es"].map(|language| {
        let text = letter_with(Notice::Reminder, language, &two(), &[12, 14, 12]).text;
        text.lines().find(|l| l.contains("12, 14")).unwrap_or("nothing").to_owned()
    });
    insta::assert_snapshot!(lines.join("\n"), @"
    Held back beyond your messages a day: 3 (incidents: 12, 14)
    Hålls inne utöver dina meddelanden per dag: 3 (händelser: 12, 14)
    Zurückgehalten über Ihre Nachrichten pro Tag hinaus: 3 (Vorfälle: 12, 14)
    Trattenuti oltre i tuoi messaggi al giorno: 3 (incidenti: 12, 14)
    Retenidos por encima de sus mensajes al día: 3 (incidentes: 12, 14)
    ");
}
