//! A window's signals, as mentions come and go.

use super::*;
use crate::model::Author;

/// A mention for tests: number, minute of event time and sentiment.
pub(crate) fn mention(id: i64, minute: i64, sentiment: f32) -> Mention {
    let at = Timestamp::UNIX_EPOCH + Span::days(365) + Span::mins(minute);
    Mention {
        id,
        source: "s".into(),
        network: "x".into(),
        site: "x.example".into(),
        url: format!("https://x.example/{id}"),
        author: Author { name: format!("author {id}"), ..Author::default() },
        language: "en".into(),
        sentiment: Some(sentiment),
        intent: "complaint".into(),
        reach: 100,
        engagement: 1,
        story: id,
        topics: vec!["acme".into()],
        ..Mention::of_text(&format!("text {id}"), at)
    }
}

/// Signals against what is usual of a group nobody knows.
fn signals(w: &mut Window, now: Timestamp) -> Signals {
    let unknown = Baseline::default();
    w.signals(now, &unknown.outlook(now, w.span(), &[]), &unknown)
}

#[test]
fn signals_of_a_small_window() {
    let mut w = Window::new(Span::mins(15));
    for i in 0..10 {
        w.add(&mention(i, i, if i % 2 == 0 { -0.8 } else { 0.4 }));
    }
    w.add(&mention(9, 9, 0.4));
    let now = mention(0, 16, 0.0).at;
    w.slide(now);
    let s = signals(&mut w, now);
    assert_eq!((s.mentions, s.negative, s.positive), (9, 4, 5), "the first is out of the window, the last came twice");
    assert_eq!((s.authors, s.stories, s.sources, s.reach), (9, 9, 1, 900));
    assert!((s.negative_share - 4.0 / 9.0).abs() < 1e-9);
    assert!((s.minutes_since_first - 15.0).abs() < 1e-9);
}

#[test]
fn mentions_of_coordinated_stories_are_counted() {
    let mut w = Window::new(Span::mins(120));
    for i in 0..30 {
        let story = if i < 12 { 1 } else { i };
        w.add(&Mention { story, newcomer: true, ..mention(i, i, -0.8) });
    }
    let signals = |w: &mut Window, minute| signals(w, mention(0, minute, 0.0).at);
    let s = signals(&mut w, 30);
    assert_eq!((s.largest_story, s.coordinated, s.mentions), (12, 12, 30));
    w.slide(mention(0, 123, 0.0).at);
    assert_eq!(signals(&mut w, 123).coordinated, 0, "fewer than ten are left of it");
}

#[test]
fn the_course_of_a_window_and_the_one_before_are_told() {
    let mut w = Window::new(Span::mins(30));
    // One a minute, then three a minute in the last ten.
    for i in 0..50 {
        w.add(&mention(i, i, 0.0));
    }
    for i in 50..80 {
        w.add(&mention(i, 50 + (i - 50) / 3, 0.0));
    }
    let now = mention(0, 60, 0.0).at;
    w.slide(now);
    let s = signals(&mut w, now);
    assert_eq!((s.mentions, s.previous), (50, 30));
    // The part of the window that has only begun is in it.
    assert!((s.velocity - 3.0).abs() < 0.35 && (s.acceleration - 2.0).abs() < 0.55, "{s:?}");
}

#[test]
fn a_storm_is_counted_to_the_last_and_fills_no_memory() {
    let mut w = Window::new(Span::mins(15));
    let storm = MOST as i64 * 3;
    for i in 0..storm {
        w.add(&mention(i, i * 14 / storm, -0.5));
    }
    let now = mention(0, 14, 0.0).at;
    w.slide(now);
    assert_eq!(w.held.as_ref().map(|h| h.seen.len()), Some(MOST));
    let s = signals(&mut w, now);
    assert_eq!((s.mentions, s.negative, s.reach), (storm as u64, storm as u64, storm as u64 * 100));
    w.slide(mention(0, 60, 0.0).at);
    assert!(w.is_empty() && w.held.is_none() && w.course.is_empty());
}

proptest::proptest! {
    /// Sliding and adding in any order agree with counting from scratch.
    #[test]
    fn incremental_is_the_same_as_from_scratch(minutes in proptest::collection::vec(0i64..60, 0..80)) {
        let mut w = Window::new(Span::mins(15));
        let all: Vec<Mention> = minutes.iter().zip(0i64..).map(|(m, id)| mention(id, *m, (id % 3 - 1) as f32)).collect();
        for m in &all {
            w.add(m);
        }
        let now = mention(0, 60, 0.0).at;
        w.slide(now);
        let mut fresh = Window::new(Span::mins(15));
        for m in all.iter().filter(|m| m.at >= now - Span::mins(15)) {
            fresh.add(m);
        }
        let (a, b) = (signals(&mut w, now), signals(&mut fresh, now));
        proptest::prop_assert_eq!(a.mentions, b.mentions);
        proptest::prop_assert_eq!((a.negative, a.authors, a.stories, a.reach), (b.negative, b.authors, b.stories, b.reach));
        proptest::prop_assert!((a.sentiment - b.sentiment).abs() < 1e-6);
    }
}
