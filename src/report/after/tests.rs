//! After-action reports: what they say in five languages, that strangers' words stay words, and what the log asks.

use jiff::tz::TimeZone;

use super::*;
use crate::readable;
use crate::text::figures::Figures;

fn at(text: &str) -> Timestamp {
    format!("2026-03-10T{text}Z").parse().expect("a time")
}

/// A crisis that went fairly well.
pub(crate) fn facts() -> Facts {
    let mention = |place: &str, quote: &str, negative| Voice {
        place: place.into(),
        network: "news".into(),
        author: "Ann <b>".into(),
        title: "Kettle *melts* | [click](http://x)".into(),
        quote: quote.into(),
        link: "hxxps://news[.]example/a".into(),
        language: "en".into(),
        reach: 250_000,
        copies: 12,
        negative,
        at: at("21:31:00"),
    };
    let sent = |person: &str, state: &str, created: &str, done: Option<&str>| Sent {
        person: person.into(),
        channel: "mail".into(),
        state: state.into(),
        created: at(created),
        done: done.map(at),
    };
    let line = |when: &str, who: &str, what: &str, detail: &str| Line {
        at: at(when),
        who: who.into(),
        what: what.into(),
        detail: detail.into(),
    };
    Facts {
        incident: 7,
        brand: "Acme".into(),
        title: "Product safety".into(),
        condition: "mentions >= 5 && surprise >= 4.0".into(),
        terms: vec![("mentions".into(), 42.0, ">= 5".into()), ("surprise".into(), 17.34, ">= 4".into())],
        severity: Severity::Crisis,
        status: Status::Resolved,
        drill: false,
        shadow: false,
        first: Some(at("21:30:00")),
        received: Some(at("21:30:20")),
        opened: at("21:40:00"),
        taken: Some(("Maria Berg".into(), at("21:52:10"))),
        resolved: Some(("Maria Berg".into(), at("23:30:00"))),
        target: Some(Span::mins(30)),
        window: Span::mins(15),
        peak: (42, 2.04),
        busiest: Some((at("21:45:00"), 31)),
        mentions: 1180,
        negative: 940,
        authors: 802,
        reach: 1_250_000,
        networks: vec![("x".into(), 800), ("news".into(), 380)],
        languages: vec![("sv".into(), 1000), ("de".into(), 180)],
        series: Series {
            start: at("21:15:00"),
            bucket: Span::mins(15),
            mentions: vec![0, 4, 18, 31, 25, 20, 12, 6, 3],
            negative: vec![0, 3, 15, 28, 20, 14, 8, 3, 1],
            expected: vec![2.04; 9],
        },
        voices: vec![
            mention("news.example", "The handle of my Acme kettle melted <script>", true),
            mention("forum.example", "Mine is fine", false),
        ],
        sent: vec![
            sent("Maria Berg", "delivered", "21:40:01", Some("21:40:02")),
            sent("Bo Ek", "failed", "21:45:00", Some("21:45:03")),
        ],
        statements: vec![Statement {
            draft: 3,
            language: "sv".into(),
            network: "X".into(),
            machine: "small".into(),
            text: "Vi tittar på det.\n- Mer: https://acme.example/press".into(),
            authors: vec!["Maja Holm".into()],
            approvals: vec![("Maria Berg".into(), at("22:05:00")), ("Anna Keller".into(), at("22:07:00"))],
            asked: 2,
            rejected: None,
            handed_over: Some(("Maja Holm".into(), at("22:20:00"), "X".into())),
        }],
        steps: vec![
            Step {
                role: "PR lead".into(),
                what: "Read all of it".into(),
                due: Some(at("21:50:00")),
                done: Some(("Maria Berg".into(), at("21:58:00"))),
            },
            Step { role: "community".into(), what: "Answer everybody".into(), due: Some(at("23:40:00")), done: None },
        ],
        timeline: vec![
            line("21:40:00", "vakt", "opened", "crisis · maria"),
            line("21:45:00", "vakt", "escalated", "crisis · bo"),
            line("21:52:10", "Maria Berg", "acknowledged", "on it"),
            line("22:00:00", "Maria Berg", "decided", "Sales of the <kettle> stop | today"),
            line("23:30:00", "Maria Berg", "resolved", ""),
        ],
        now: at("23:59:00"),
        summary: Some(Summary { model: "small".into(), text: "A <kettle> *melted*.\n\nIt was answered.".into() }),
    }
}

fn stockholm() -> TimeZone {
    TimeZone::get("Europe/Stockholm").expect("a zone")
}

#[test]
fn it_says_all_in_five_languages() {
    for code in Figures::CODES {
        let text = render(&facts(), Form::Markdown, code, &stockholm()).expect("it is written");
        insta::assert_snapshot!(format!("after_{code}"), text);
    }
}

#[test]
fn as_a_page_strangers_words_are_words() {
    for code in Figures::CODES {
        let page = render(&facts(), Form::Html, code, &stockholm()).expect("it is written");
        assert_eq!(readable::faults(&page, code), [""; 0], "{code}");
        insta::assert_snapshot!(format!("after_page_{code}"), readable::outline(&page));
        let text = render(&facts(), Form::Markdown, code, &stockholm()).expect("it is written");
        let text = text.replace('\\', "").replace("\n> ", "\n");
        assert_eq!(readable::unsaid(&page, &text), [""; 0], "{code}: {text}");
        assert!(page.contains("src=\"data:image/png;base64,"), "the chart is within");
        for evil in ["<script", "<b>", "<kettle>", "href="] {
            assert!(!page.contains(evil), "{evil}");
        }
        if let Some(dir) = std::env::var_os("VAKT_PICTURES") {
            std::fs::write(std::path::Path::new(&dir).join(format!("after-{code}.html")), &page).expect("written");
        }
    }
}

#[test]
fn the_log_asks_what_went_wrong_and_nothing_else() {
    let keys = |f: &Facts| findings(f, Figures::of("en")).into_iter().map(|q| q.key).collect::<Vec<_>>();
    assert_eq!(keys(&facts()), ["ask_failed", "ask_escalated", "ask_answer_late", "ask_steps_late", "ask_steps_open"]);
    let well = |mut f: Facts| {
        f.sent.pop();
        f.timeline.retain(|l| l.what != "escalated");
        f.target = None;
        f.steps.clear();
        f
    };
    assert!(keys(&well(facts())).is_empty(), "{:?}", keys(&well(facts())));
    let late = Facts { first: Some(at("20:40:00")), received: Some(at("20:41:00")), ..well(facts()) };
    assert_eq!(keys(&late), ["ask_late"]);
    assert_eq!(keys(&Facts { received: Some(at("21:39:00")), ..late }), ["ask_source"]);
    let nobody = Facts { sent: Vec::new(), taken: None, ..well(facts()) };
    assert_eq!(keys(&nobody), ["ask_nobody"]);
    assert!(keys(&Facts { shadow: true, ..nobody }).is_empty());
    let untaken = Facts { taken: None, ..well(facts()) };
    assert_eq!(keys(&untaken), ["ask_untaken"]);
    let mut muted = well(facts());
    for what in ["muted", "silenced", "reopened", "snoozed", "unreachable"] {
        muted.timeline.push(Line { at: at("22:00:00"), who: "bo".into(), what: what.into(), detail: String::new() });
    }
    assert_eq!(keys(&muted), ["ask_unreachable", "ask_muted", "ask_silenced", "ask_snoozed", "ask_reopened"]);
    let silent = Facts { statements: Vec::new(), target: Some(Span::mins(30)), ..well(facts()) };
    assert_eq!(keys(&silent), ["ask_unanswered"]);
}

#[test]
fn what_is_long_is_cut_and_said_to_be() {
    let mut long = facts();
    let one = long.timeline.first().expect("a line").clone();
    long.timeline = vec![Line { detail: "x ".repeat(5000), ..one }; 5000];
    let text = render(&long, Form::Markdown, "en", &TimeZone::UTC).expect("it is written");
    assert!(text.len() < 600_000 && text.contains("… and 4,600 more"), "{}", text.len());
}

#[test]
fn an_incident_of_which_nothing_is_kept_is_reported_all_the_same() {
    let bare = Facts {
        first: None,
        received: None,
        taken: None,
        resolved: None,
        busiest: None,
        voices: Vec::new(),
        statements: Vec::new(),
        steps: Vec::new(),
        sent: Vec::new(),
        timeline: Vec::new(),
        summary: None,
        mentions: 0,
        series: Series { mentions: Vec::new(), negative: Vec::new(), expected: Vec::new(), ..facts().series },
        status: Status::Open,
        ..facts()
    };
    for form in [Form::Markdown, Form::Html] {
        let text = render(&bare, form, "de", &TimeZone::UTC).expect("it is written");
        assert!(text.contains("noch nicht") && !text.contains("NaN"), "{text}");
        assert!(
            form == Form::Markdown || readable::faults(&text, "de").is_empty(),
            "{:?}",
            readable::faults(&text, "de")
        );
    }
}
