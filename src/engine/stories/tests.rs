//! What falls together and what does not, measured on texts that are made here.

use std::collections::{BTreeMap, HashMap};

use super::made::{Made, texts};

use super::*;
use crate::engine::clusters::{Agreement, agreement};
use crate::text::Analyst;

fn print(title: &str, text: &str) -> Print {
    Analyst::with_house([]).analyse(title, text, None).print
}

fn of(text: &str) -> Print {
    print("", text)
}

/// Stories of texts told a minute apart.
fn stories(all: &[Made]) -> Vec<i64> {
    let mut stories = Stories::default();
    let place = |(m, n): (&Made, i64)| {
        stories.assign(&print(&m.title, &m.text), n, Timestamp::UNIX_EPOCH + Span::secs(n)).story
    };
    all.iter().zip(1..).map(place).collect()
}

/// Of each kind of text, the part that fell together with most of its story.
fn by_kind(all: &[Made], found: &[i64]) -> BTreeMap<&'static str, (u32, u32)> {
    let mut of_story: HashMap<u32, HashMap<i64, u32>> = HashMap::new();
    for (m, f) in all.iter().zip(found) {
        *of_story.entry(m.story).or_default().entry(*f).or_default() += 1;
    }
    let mut size: HashMap<i64, u32> = HashMap::new();
    found.iter().for_each(|f| *size.entry(*f).or_default() += 1);
    let mut out: BTreeMap<&'static str, (u32, u32)> = BTreeMap::new();
    for (m, f) in all.iter().zip(found) {
        let most = of_story[&m.story].iter().max_by_key(|(f, n)| (**n, **f)).map(|(f, _)| *f);
        // What is a story of its own is right when it is alone.
        let alone = matches!(m.kind, "short" | "unrelated" | "reply");
        let right = if alone { size[f] == 1 } else { most == Some(*f) };
        let entry = out.entry(m.kind).or_default();
        entry.0 += u32::from(right);
        entry.1 += 1;
    }
    out
}

fn measure(all: &[Made], found: &[i64]) -> Agreement {
    let score = agreement(all.iter().zip(found).map(|(m, f)| (m.story, *f)));
    println!("{} texts of {} stories, found {}", score.items, score.given, score.found);
    println!("pairs    P {:.4}  R {:.4}  F1 {:.4}", score.pairs.precision, score.pairs.recall, score.pairs.f1);
    println!("B-cubed  P {:.4}  R {:.4}  F1 {:.4}", score.b_cubed.precision, score.b_cubed.recall, score.b_cubed.f1);
    for (kind, (right, all)) in by_kind(all, found) {
        println!("  {kind:<12} {right:>5} of {all:>5}  {:.1} %", f64::from(right) * 100.0 / f64::from(all));
    }
    score
}

#[test]
fn measured_on_copies_of_all_kinds() {
    let all = texts(7);
    let found = stories(&all);
    let score = measure(&all, &found);
    assert!(score.pairs.precision > 0.99 && score.pairs.recall > 0.95, "{score:?}");
    assert!(score.b_cubed.precision > 0.99 && score.b_cubed.recall > 0.95, "{score:?}");
}

fn at(minute: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Span::days(400) + Span::mins(minute)
}

const DAY: i64 = 24 * 60;

const POST: &str = "The Acme kettle that I bought in May has burned my hand, and nobody at the shop wanted to hear of it. \
                    They gave me a number that nobody answers, and sent me home with it.";

#[test]
fn copies_fall_together_and_replies_do_not() {
    let mut s = Stories::default();
    let mut story = |text: &str, fresh| s.assign(&of(text), fresh, at(fresh)).story;
    assert_eq!(story(POST, 1), 1);
    assert_eq!(story(&format!("RT @ann: {POST}"), 2), 1);
    assert_eq!(story(&format!("This is beyond belief! \"{POST}\" https://x.example/1"), 3), 1);
    let cut: String = POST.chars().take(100).collect();
    assert_eq!(story(&format!("RT @ann: {cut}…"), 4), 1);
    assert_eq!(story(&POST.replace("May", "June").replace("hand", "arm"), 5), 1);
    let reply = "@ann \"a number that nobody answers\" is what all of them have, mine was no better. I went back three times, wrote \
                 two letters, and in the end my sister, who knows somebody there, got me the money.";
    assert_eq!(story(reply, 6), 6);
    assert_eq!(story("Acme kettle burned my hand", 7), 7);
    assert_eq!(story("Acme kettle burned my table", 8), 8);
    assert_eq!(story("😀", 9), 9);
    assert_eq!(story("🔥", 10), 10, "no words are nobody's copy");
}

#[test]
fn a_shortened_copy_that_came_first_takes_the_whole() {
    let mut s = Stories::default();
    let cut: String = POST.chars().take(90).collect();
    assert_eq!(s.assign(&of(&format!("{cut}…")), 1, at(0)), Placed { story: 1, keep: true });
    assert_eq!(s.assign(&of(POST), 2, at(1)), Placed { story: 1, keep: true });
    assert_eq!(s.assign(&of(&POST.to_uppercase()), 3, at(2)), Placed { story: 1, keep: false });
}

#[test]
fn a_story_takes_copies_for_as_long_as_they_come() {
    let mut s = Stories::default();
    let mut story = |fresh, minute| s.assign(&of(POST), fresh, at(minute)).story;
    assert_eq!((story(1, 0), story(2, 2 * DAY), story(3, 4 * DAY)), (1, 1, 1));
    assert_eq!(story(4, 8 * DAY), 4, "the same words four days later");
    assert_eq!((story(5, 9 * DAY), story(6, DAY)), (4, 1), "what is told late goes where it belongs");
}

#[test]
fn archives_are_read_in_any_order() {
    let mut s = Stories::default();
    let mut story = |fresh, minute| s.assign(&of(POST), fresh, at(minute)).story;
    assert_eq!(story(1, 0), 1);
    assert_eq!(story(2, -300 * DAY), 2, "the same words a year ago");
    assert_eq!(story(3, 2 * DAY), 1, "the story of today goes on");
    assert_eq!((story(4, -2 * DAY), story(5, -301 * DAY)), (1, 2));
}

#[test]
fn remembered_after_a_restart() {
    let (mut before, mut after) = (Stories::default(), Stories::default());
    let kept: Vec<i64> = (0..8).filter(|n| before.assign(&of(POST), 1, at(n * DAY / 3)).keep).collect();
    assert_eq!(kept, [0, 2, 4, 6], "once in twelve hours at most");
    kept.iter().for_each(|n| after.remember(&of(POST), 1, at(n * DAY / 3)));
    assert_eq!((after.len(), after.assign(&of(POST), 2, at(4 * DAY)).story), (1, 1));
}

#[test]
fn memory_is_bounded_and_what_is_copied_stays() {
    let mut s = Stories::default();
    let copied = of(POST);
    s.assign(&copied, 1, at(0));
    for n in 0..i64::try_from(MOST * 3 / 2).unwrap() {
        let mut print = Print::default();
        print.whole = (n.cast_unsigned() + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        s.assign(&print, n + 2, at(1));
        if n % 50_000 == 0 {
            assert_eq!(s.assign(&copied, 0, at(1)).story, 1, "{n}");
        }
    }
    assert_eq!(s.len(), MOST);
}

proptest::proptest! {
    /// Case, marks, pictures, who is reposted, addresses, tags at the end and invitations change nothing.
    #[test]
    fn what_copies_add_changes_nothing(
        n in 0usize..200, repost in proptest::bool::ANY, upper in proptest::bool::ANY, marks in "[!?.]{0,3}", emoji in "[🔥😀🤬]{0,4}",
        end in proptest::sample::select(vec!["", " via @news", " #acme #fail", " https://x.example/1", " (via @ann)", "\n\nRead more on our site",
            " | The Daily Example"]),
    ) {
        let words: Vec<&str> = POST.split_whitespace().collect();
        let mut text = words[..8 + n % (words.len() - 8)].join(" ");
        text = text.trim_end_matches(['.', ',']).to_owned();
        let plain = of(&text);
        let whole = if upper { text.to_uppercase() } else { text };
        let begin = if repost { "RT @ann_1: " } else { "" };
        let copy = format!("{begin}{whole}{marks}{end} {emoji}");
        let mut s = Stories::default();
        s.assign(&plain, 1, at(0));
        proptest::prop_assert_eq!(s.assign(&of(&copy), 2, at(1)).story, 1, "{}", copy);
    }
}
