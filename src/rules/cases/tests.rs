//! Tests of rules read from texts: what is right, and every mistake at once.

use std::sync::LazyLock;

use super::*;
use crate::config::fault::render_all;

static RULES: LazyLock<Rules> = LazyLock::new(rules);

fn rules() -> Rules {
    let files = [
        (
            "topics/a.toml",
            "[[topic]]\nname = \"acme\"\nquery = \"acme\"\n[[topic]]\nname = \"fire\"\nquery = \"fire\"\n",
        ),
        (
            "alerts/a.toml",
            "[[alert]]\nname = \"acme-fire\"\ntopics = [\"acme\", \"fire\"]\ncondition = \"mentions >= 3\"\nescalation = \"pr\"\n",
        ),
        (
            "people.toml",
            "[[person]]\nname = \"anna\"\nemail = \"anna@acme.example\"\n[[policy]]\nname = \"pr\"\nsteps = [{ notify = [\"anna\"], wait = \"15m\" }]\n",
        ),
    ];
    let sheets = files.iter().map(|(name, text)| Sheet::new(*name, *text)).collect();
    Rules::read(sheets, jiff::Timestamp::UNIX_EPOCH).unwrap_or_else(|f| panic!("{}", render_all(&f, false)))
}

fn read_one(text: &str) -> (Vec<Case>, Vec<Fault>) {
    read(vec![Sheet::new("tests/a.toml", text)], &RULES)
}

#[test]
fn what_is_right_is_meant() {
    let (cases, faults) = read_one(
        r#"
        [[test]]
        name = "Fire rings"
        at = 2026-06-01T08:00:00+02:00
        calm = "3d"
        [[test.mentions]]
        at = "-5m"
        texts = ["a", "b"]
        site = "post.example"
        [[test.mentions]]
        generate = { per_hour = 120, from = "+30m", until = "+90m", topics = ["fire", "acme"], negative = 0.6 }
        [[test.act]]
        at = "+40m"
        alert = "acme-fire"
        acknowledge = "anna"
        [[test.expect]]
        by = "+45m"
        open = [{ alert = "acme-fire", severity = "review" }]
        [[test.expect]]
        at = "+45m"
        quiet = ["*"]
        told = [{ who = "anna", notice = "opened" }]
        "#,
    );
    assert_eq!(faults, [], "{}", render_all(&faults, false));
    let case = &cases[0];
    assert_eq!((case.start.to_string().as_str(), case.place.1), ("2026-06-01T06:00:00Z", 2));
    assert_eq!(case.calm.as_ref().map(|c| (c.span, c.per_hour)), Some((Span::days(3), 2.0)));
    let Told::Said(said) = &case.mentions[0] else { panic!("{:?}", case.mentions) };
    assert_eq!(
        (said.at, said.texts.len(), said.capture.url.as_deref()),
        (Span::mins(-5), 2, Some("https://post.example/"))
    );
    let Told::Crowd(crowd) = &case.mentions[1] else { panic!("{:?}", case.mentions) };
    assert_eq!(crowd.set.topics, Some(vec!["acme".to_owned(), "fire".to_owned()]), "in the order of the rules");
    assert_eq!((case.expects[0].by, case.expects[1].by, case.expects[0].at), (true, false, Span::mins(45)));
}

#[test]
fn every_mistake_at_once() {
    let (_, faults) = read_one(
        r#"
        [[test]]
        name = "Twice"
        clam = "3d"
        [[test.mentions]]
        at = "5"
        text = "a"
        topics = ["fir"]
        sentiment = 3
        [[test.mentions]]
        author = "ann"
        [[test.mentions]]
        file = "../../etc/passwd"
        [[test.mentions]]
        generate = { per_hour = 1e9, from = "+2h", until = "+1h", negative = 60 }
        [[test.act]]
        at = "+1m"
        alert = "acme-fire"
        [[test.expect]]
        at = "+1h"
        open = [{ alert = "acme-fir", severity = "bad" }]
        told = [{ who = "ana", notice = "opend" }]
        [[test.expect]]
        at = "+1h"
        [[test]]
        name = "Twice"
        "#,
    );
    insta::assert_snapshot!(faults.iter().map(Fault::brief).collect::<Vec<_>>().join("\n"));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        drop(read_one(&format!("[[test]]\nname = \"a\"\n{text}")));
    }
}
