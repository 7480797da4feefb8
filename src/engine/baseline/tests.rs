//! Tests of the level as a whole.

use super::super::window::tests::mention;
use super::*;

/// A baseline that has watched so many hours with so many mentions each.
fn watched(hours: i64, each: i64) -> (Baseline, Timestamp) {
    let mut b = Baseline::default();
    for h in 0..hours {
        for i in 0..each {
            b.count(&mention(h * 1000 + i, h * 60 + i % 60, 0.1));
        }
    }
    let now = mention(0, hours * 60 + 30, 0.0).at;
    b.learn(now, |_, _| false);
    (b, now)
}

#[test]
fn learns_the_level() {
    let (b, now) = watched(72, 8);
    let usual = b.outlook(now, Span::mins(15), &[]);
    assert!((1.8..2.2).contains(&usual.expected), "{usual:?}");
    assert!(usual.surprise(2) < 1.0);
    assert!(usual.surprise(20) > 4.0);
    assert!(usual.surprise(20_000) > usual.surprise(200));
}

#[test]
fn a_new_group_does_not_ring_for_its_first_posts() {
    let b = Baseline::default();
    let usual = b.outlook(Timestamp::UNIX_EPOCH, Span::mins(15), &[]);
    assert!(usual.surprise(4) < 4.0, "{}", usual.surprise(4));
    assert!(usual.surprise(12) > 4.0);
}

#[test]
fn an_incident_is_not_the_new_normal() {
    let (mut b, now) = watched(72, 8);
    let before = b.expected(now, Span::hours(1));
    for i in 0..500 {
        b.count(&mention(1_000_000 + i, 72 * 60 + i % 60, -0.9));
    }
    let later = now + Span::hours(2);
    let mut frozen = b.clone();
    frozen.learn(later, |_, _| true);
    assert!((frozen.expected(later, Span::hours(1)) - before).abs() < 0.5);
    b.learn(later, |_, _| false);
    assert!(b.expected(later, Span::hours(1)) < before * 1.6, "an outlier teaches little");
}

#[test]
fn a_past_that_comes_late_is_learned_as_if_it_had_come_in_time() {
    let (whole, now) = watched(14 * 24, 5);
    // Only one mention in five was there when it was learned first, and one hour taught nothing.
    let part: Vec<Mention> = (0..14 * 24).map(|h| mention(h, h * 60, 0.1)).collect();
    let mut thin = Baseline::default();
    part.iter().for_each(|m| thin.count(m));
    thin.learn(now, |from, _| from == mention(0, 300 * 60, 0.0).at);
    let all: Vec<Mention> = (0..14 * 24 * 5).map(|n| mention(n, n / 5 * 60 + n % 5 * 9, 0.1)).collect();
    assert!(thin.is_past(all[0].at) && !thin.is_past(now));
    let anew = thin.anew(all.iter().rev(), true, now).expect("it is whole");
    let (e, usual) = (anew.expected(now, Span::hours(1)), whole.expected(now, Span::hours(1)));
    assert!((e - usual).abs() < 0.3 && thin.expected(now, Span::hours(1)) < 1.6, "{e} {usual}");
    assert!(anew.skipped.contains(hour_of(mention(0, 300 * 60, 0.0).at)));
    assert!(thin.anew(all.iter().skip(1200), false, now).is_none(), "what knows less replaces nothing");
}

#[test]
fn sentiment_falls_in_standard_errors() {
    let (b, _) = watched(72, 8);
    assert!(b.sentiment_drop(-0.7, 20) > 3.0);
    assert!(b.sentiment_drop(0.1, 20).abs() < 1.0);
}

#[test]
fn survives_the_store() {
    let (b, now) = watched(30, 3);
    let again: Baseline = serde_json::from_str(&serde_json::to_string(&b).expect("json")).expect("json");
    assert_eq!(again.expected(now, Span::hours(3)), b.expected(now, Span::hours(3)));
}

/// An instant so many hours after the first one of the tests.
fn hour(h: i64) -> Timestamp {
    mention(0, h * 60, 0.0).at
}

/// One that has watched so many weeks of mornings with 30 mentions an hour, nights with 2, and quiet Sundays.
fn seasoned(weeks: i64) -> (Baseline, Timestamp) {
    let mut b = Baseline::default();
    for h in 0..weeks * 168 {
        let each = if h % 168 >= 144 || h % 24 < 8 { 2 } else { 30 };
        b.count_many(hour(h), each);
    }
    let now = hour(weeks * 168) + Span::mins(30);
    b.learn(now, |_, _| false);
    (b, now)
}

#[test]
fn the_hour_of_the_week_has_its_own_level() {
    let (b, now) = seasoned(6);
    let at = |h: i64| b.expected(hour(6 * 168 + h + 1), Span::hours(1));
    assert!((20.0..36.0).contains(&at(12)) && at(3) < 6.0 && at(144 + 12) < 9.0, "{} {} {}", at(12), at(3), at(156));
    let young = seasoned(1).0;
    assert!(young.week == Shape::default() || young.week.factor(3, WEEK_PRIOR) > 0.5, "a week says little of the week");
    // An hour ahead of UTC, the same morning is an hour later.
    let mut ahead = b.clone();
    ahead.set_ahead(1);
    assert!(ahead.expected(hour(6 * 168 + 8), Span::hours(1)) > 15.0 && at(7) < 6.0);
    assert!(b.outlook(now, Span::hours(1), &[]).dispersion < 1.0);
}

#[test]
fn is_small_in_memory_and_in_the_store() {
    let (mut b, now) = seasoned(30);
    // Two weeks of hours that nobody watched, a day each.
    b.learn(now + Span::days(14), |from, _| (hour_of(from) / 24) % 2 == 0);
    assert!(!b.week.is_empty());
    let heap = (24 + 168) * size_of::<(u16, u16)>() + 14 * size_of::<(i64, i64)>();
    let kept = serde_json::to_string(&b).expect("json").len();
    assert!(size_of::<Baseline>() + heap < 2048 && kept < 2048, "{} {heap} {kept}", size_of::<Baseline>());
    let quiet = Baseline::default();
    assert!(quiet.day.is_empty() && serde_json::to_string(&quiet).expect("json").len() < 300);
}

#[test]
fn known_events_widen_and_what_is_planned_does_not_ring() {
    let (b, now) = watched(72, 8);
    let planned = Planned {
        name: "launch".into(),
        from: now - Span::hours(1),
        to: now + Span::hours(5),
        factor: 4.0,
        ..Planned::default()
    };
    let (plain, wide) =
        (b.outlook(now, Span::hours(1), &[]), b.outlook(now, Span::hours(1), std::slice::from_ref(&planned)));
    assert_eq!(plain.expected, wide.expected, "the event may bring nothing");
    assert!(plain.surprise(40) > 3.0 && wide.surprise(40) < 1.5 && wide.surprise(400) > 3.0);
    assert!(wide.range(0.05, 0.999).1 > 2 * plain.range(0.05, 0.999).1);
    assert_eq!(wide.range(0.05, 0.999).0, plain.range(0.05, 0.999).0);
    assert_eq!(
        b.outlook(now - Span::hours(2), Span::hours(1), &[planned]).upper,
        b.expected(now - Span::hours(2), Span::hours(1))
    );
}

#[test]
fn a_new_group_expects_what_its_siblings_do() {
    let siblings: Vec<Baseline> = (0..4).map(|_| seasoned(3).0).collect();
    let b = Baseline::with_prior(Prior::of(&siblings));
    let noon = hour(13);
    let (young, plain) = (b.outlook(noon, Span::hours(1), &[]), Baseline::default().outlook(noon, Span::hours(1), &[]));
    assert!(young.expected > 8.0 && young.expected > 3.0 * b.expected(hour(4), Span::hours(1)), "{young:?}");
    assert!(young.surprise(20) < 1.0 && plain.surprise(20) > 3.0);
    let again: Baseline = serde_json::from_str(&serde_json::to_string(&b).expect("json")).expect("json");
    assert_eq!(again, b);
    assert_eq!(Prior::of(&[Baseline::default()]), Prior::default(), "who has learned nothing says nothing");
    // Its own past soon weighs more.
    let mut own = b;
    (0..120).for_each(|h| own.count_many(hour(h), 1));
    own.learn(hour(121), |_, _| false);
    assert!(own.expected(hour(121), Span::hours(24)) < 24.0 * 2.5, "{}", own.expected(hour(121), Span::hours(24)));
}

#[test]
fn reads_what_older_versions_kept() {
    let pairs: Vec<String> = (0..24).map(|h| format!("[{},40.0]", if h < 8 { 10.0 } else { 55.0 })).collect();
    let old = format!(
        "{{\"mentions\":480.5,\"hours\":120.25,\"season\":[{}],\"excess\":12.5,\"squared\":900.0,\"scored\":3.0,\
         \"sentiment\":0.3,\"squares\":0.2,\"first\":490000,\"next\":490200,\"open\":{{\"490200\":{{\"count\":2,\
         \"scored\":1,\"sentiment\":0.1,\"squares\":0.01}}}},\"skipped\":[490010,490011,490012]}}",
        pairs.join(",")
    );
    let b: Baseline = serde_json::from_str(&old).expect("it is read");
    assert!(b.skipped.contains(490_011) && !b.skipped.contains(490_013) && b.open.len() == 1);
    let at = |h: i64| b.expected(from_millis((490_200 / 24 * 24 + h + 1) * HOUR), Span::hours(1));
    assert!(at(12) > 3.0 * at(3) && (1.0..12.0).contains(&at(12)), "{} {}", at(12), at(3));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn learning_late_is_learning_every_hour(
        counts in proptest::collection::vec((0i64..40, 0u32..50), 0..30),
        weeks in 0i64..12,
        unknown in proptest::collection::vec(0i64..1200, 0..20),
    ) {
        let mut hourly = Baseline::default();
        counts.iter().for_each(|(h, n)| hourly.count_many(hour(*h), *n));
        let mut lazy = hourly.clone();
        let unknown: Vec<Timestamp> = unknown.into_iter().map(hour).collect();
        let end = 40 + weeks * 168;
        // Both learn at the first hour, so that they have the same past.
        lazy.learn(hour(0), |from, _| unknown.contains(&from));
        for h in 0..=end {
            hourly.learn(hour(h), |from, _| unknown.contains(&from));
        }
        lazy.learn(hour(end), |from, _| unknown.contains(&from));
        proptest::prop_assert_eq!(&lazy, &hourly);
        let again: Baseline = serde_json::from_str(&serde_json::to_string(&lazy).expect("json")).expect("json");
        proptest::prop_assert_eq!(again, lazy);
    }

    #[test]
    fn expects_no_nonsense(
        counts in proptest::collection::vec((0i64..2000, 0u32..100_000), 0..60),
        at in -100i64..3000,
        window in 1i64..40_000,
    ) {
        let mut b = Baseline::default();
        for (h, n) in counts {
            b.count_many(hour(h), n);
            b.learn(hour(h), |_, _| false);
        }
        let o = b.outlook(hour(at), Span::mins(window), &[]);
        proptest::prop_assert!(o.expected >= 0.0 && o.expected.is_finite() && o.dispersion > 0.0 && o.dispersion.is_finite());
        proptest::prop_assert!(o.surprise(10) >= o.surprise(9) - 1e-9 && o.surprise(0) == 0.0);
    }
}

#[test]
fn few_but_furious_mentions_surprise_by_themselves() {
    let start = Timestamp::UNIX_EPOCH + Span::days(365);
    let mut b = Baseline::default();
    // Four an hour for a week, one in eight of them negative.
    for n in 0..672i64 {
        let sentiment = Some(if n % 8 == 0 { -0.6 } else { 0.3 });
        let m = Mention { id: n, sentiment, ..Mention::of_text("", start + Span::mins(n * 15)) };
        b.count(&m);
    }
    let now = start + Span::days(7);
    b.learn(now + Span::hours(1), |_, _| false);
    let all = b.outlook(now, Span::hours(1), &[]);
    let negative = b.negative_outlook(&all);
    assert!((0.4..0.7).contains(&negative.expected), "half a negative one an hour is usual: {negative:?}");
    assert!(negative.dispersion > all.dispersion);
    // Eight within the hour are hardly strange, eight negative ones are.
    assert!(all.surprise(8) < 2.0, "{}", all.surprise(8));
    assert!(negative.surprise(8) > 4.0, "{}", negative.surprise(8));
    // Nobody who knows nothing is surprised by one.
    let none = Baseline::default();
    let unknown = none.outlook(now, Span::hours(1), &[]);
    assert!(none.negative_outlook(&unknown).surprise(1) < 1.0);
}
