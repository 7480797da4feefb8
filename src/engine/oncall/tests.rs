//! On-call arithmetic against a reference that goes minute by minute, in zones whose clocks change in every way.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::model::schedule::Stretch;

const NAMES: [&str; 4] = ["anna", "bo", "eva", "tom"];

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn hours(text: &str) -> Hours {
    Hours::parse(text).expect("hours")
}

fn layer(rotation: &[&str], days: i32, hand_over: &str, start: &str) -> Layer {
    Layer {
        rotation: rotation.iter().map(|n| (*n).to_owned()).collect(),
        days,
        hand_over: hand_over.parse().expect("a time"),
        start: start.parse().expect("a day"),
        begins: false,
        only: Vec::new(),
    }
}

fn schedule(layers: Vec<Layer>) -> Schedule {
    Schedule { name: "s".into(), time_zone: "Europe/Stockholm".into(), layers, ..Schedule::default() }
}

fn told(s: &Schedule, from: &str, to: &str) -> Vec<String> {
    let zone = zone(&s.time_zone);
    let show = |t: Timestamp| t.to_zoned(zone.clone()).strftime("%d.%H:%M%z").to_string();
    s.shifts(at(from), at(to)).iter().map(|d| format!("{} {}", show(d.from), d.who.join("+"))).collect()
}

#[test]
fn a_week_is_a_week_in_the_night_of_the_clock_change() {
    let s = schedule(vec![layer(&["anna", "bo"], 7, "09:00", "2026-10-19")]);
    assert_eq!(
        told(&s, "2026-10-19T00:00:00Z", "2026-11-03T00:00:00Z"),
        ["19.02:00+0200 bo", "19.09:00+0200 anna", "26.09:00+0100 bo", "02.09:00+0100 anna"]
    );
    assert_eq!(s.next_change(at("2026-10-19T07:00:00Z")), Some(at("2026-10-26T08:00:00Z")));
    // A hand-over in the hour that is skipped, and in the one that comes twice.
    let spring = schedule(vec![layer(&["anna", "bo"], 1, "02:30", "2026-03-28")]);
    assert_eq!(
        told(&spring, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"),
        ["28.13:00+0100 anna", "29.03:30+0200 bo"]
    );
    let autumn = schedule(vec![layer(&["anna", "bo"], 1, "02:30", "2026-10-24")]);
    assert_eq!(
        told(&autumn, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"),
        ["24.14:00+0200 anna", "25.02:30+0200 bo"]
    );
}

#[test]
fn later_layers_go_before_earlier_ones_where_they_apply() {
    let mut nights = layer(&["eva", "tom"], 7, "20:00", "2026-03-02");
    nights.only = vec![hours("20:00-08:00")];
    let mut weekend = layer(&["bo"], 7, "00:00", "2026-03-02");
    weekend.only = vec![hours("Fri 20:00-Mon 08:00")];
    let mut s = schedule(vec![layer(&["anna"], 7, "09:00", "2026-03-02"), nights, weekend]);
    s.overrides = vec![
        Watch { person: "tom".into(), from: at("2026-03-05T12:00:00Z"), to: at("2026-03-05T20:00:00Z") },
        Watch { person: "eva".into(), from: at("2026-03-05T13:00:00Z"), to: at("2026-03-05T14:00:00Z") },
    ];
    assert_eq!(
        told(&s, "2026-03-05T00:00:00Z", "2026-03-09T12:00:00Z"),
        [
            "05.01:00+0100 eva",
            "05.08:00+0100 anna",
            "05.13:00+0100 tom",
            "05.14:00+0100 eva",
            "05.15:00+0100 tom",
            "05.21:00+0100 eva",
            "06.08:00+0100 anna",
            "06.20:00+0100 bo",
            "09.08:00+0100 anna",
        ]
    );
}

#[test]
fn gaps_and_beginnings() {
    let mut office = layer(&["anna"], 7, "09:00", "2026-03-02");
    (office.only, office.begins) = (vec![hours("Mon-Fri 08:00-18:00")], true);
    let s = schedule(vec![office]);
    let show = |from, to| -> Vec<String> { s.gaps(at(from), at(to)).iter().map(|(a, b)| format!("{a}/{b}")).collect() };
    assert_eq!(
        show("2026-03-05T12:00:00Z", "2026-03-09T12:00:00Z"),
        ["2026-03-05T17:00:00Z/2026-03-06T07:00:00Z", "2026-03-06T17:00:00Z/2026-03-09T07:00:00Z"]
    );
    assert_eq!(s.who(at("2026-03-02T07:30:00Z")), [""; 0], "its first hand-over is at nine");
    assert_eq!(s.who(at("2026-03-02T08:00:00Z")), ["anna"]);
    let empty = schedule(Vec::new());
    assert_eq!(
        (
            empty.gaps(at("2026-03-05T12:00:00Z"), at("2026-03-06T12:00:00Z")).len(),
            empty.next_change(at("2026-03-05T12:00:00Z"))
        ),
        (1, None)
    );
    assert!(empty.shifts(at("2026-03-05T12:00:00Z"), at("2026-03-05T12:00:00Z")).is_empty());
}

/// A zone as a table of its minutes.
struct Minutes {
    first: i64,
    local: Vec<DateTime>,
    earliest: HashMap<DateTime, i64>,
}

impl Minutes {
    fn new(name: &str, from: Timestamp, minutes: i64) -> Minutes {
        let (zone, first) = (zone(name), from.as_second() / 60);
        let local: Vec<DateTime> = (first..first + minutes)
            .map(|m| Timestamp::from_second(m * 60).expect("in range").to_zoned(zone.clone()).datetime())
            .collect();
        let mut earliest = HashMap::new();
        for (n, l) in local.iter().enumerate() {
            earliest.entry(*l).or_insert(first + n as i64);
        }
        Minutes { first, local, earliest }
    }

    /// The minute at which the clock on the wall first shows a time; as long after the leap as the time lies in it.
    fn of(&self, wall: DateTime) -> Option<i64> {
        if let Some(minute) = self.earliest.get(&wall) {
            return Some(*minute);
        }
        let leap = self.local.windows(2).position(|w| w[0] < wall && wall < w[1])?;
        let over = wall.duration_since(self.local[leap]).as_mins();
        Some(self.first + leap as i64 + over)
    }

    fn hours(&self, only: &[Hours]) -> Vec<(i64, i64)> {
        let mut out = Vec::new();
        let (first, last) = (self.local[0].date(), self.local[self.local.len() - 1].date());
        for day in first.series(1.day()).take_while(|d| *d <= last) {
            for s in only.iter().flat_map(|h| &h.stretches).filter(|s| s.day == day.weekday()) {
                let end = day.checked_add(i64::from(s.days).days()).expect("a day");
                if let (Some(a), Some(b)) = (self.of(day.to_datetime(s.from)), self.of(end.to_datetime(s.to))) {
                    out.push((a, b));
                }
            }
        }
        out
    }

    /// Hand-overs with the number of the turn that each begins.
    fn hand_overs(&self, layer: &Layer) -> Vec<(i64, i64)> {
        let (first, last) = (self.local[0].date(), self.local[self.local.len() - 1].date());
        let mut out: Vec<(i64, i64)> = first
            .series(1.day())
            .take_while(|d| *d <= last)
            .filter_map(|d| {
                let days = i64::from((d - layer.start).get_days());
                let every = i64::from(layer.days);
                let minute = if days % every == 0 { self.of(d.to_datetime(layer.hand_over)) } else { None };
                Some((minute?, days / every))
            })
            .collect();
        out.sort_unstable();
        out
    }
}

/// Who is on call in each minute of a stretch, told minute by minute.
fn reference(s: &Schedule, table: &Minutes, from: i64, to: i64) -> Vec<Vec<String>> {
    let layers: Vec<_> = s.layers.iter().map(|l| (l, table.hand_overs(l), table.hours(&l.only))).collect();
    let minute = |t: Timestamp| t.as_second() / 60;
    (from..to)
        .map(|m| {
            let holds = |w: &&Watch| minute(w.from) <= m && m < minute(w.to);
            if let Some(w) = s.overrides.iter().rev().find(holds) {
                return vec![w.person.clone()];
            }
            let mut fed: Vec<String> = s.feed.iter().filter(holds).map(|w| w.person.clone()).collect();
            if !fed.is_empty() {
                let mut seen = Vec::new();
                fed.retain(|p| {
                    !seen.contains(p) && {
                        seen.push(p.clone());
                        true
                    }
                });
                return fed;
            }
            for (layer, turns, hours) in layers.iter().rev() {
                if !layer.only.is_empty() && !hours.iter().any(|(a, b)| *a <= m && m < *b) {
                    continue;
                }
                let turn = turns
                    .iter()
                    .rev()
                    .find(|(begin, _)| *begin <= m)
                    .map(|(_, turn)| *turn)
                    .expect("the table is long");
                if layer.begins && turn < 0 {
                    continue;
                }
                return vec![layer.rotation[turn.rem_euclid(layer.rotation.len() as i64) as usize].clone()];
            }
            Vec::new()
        })
        .collect()
}

/// Zones and days around which their clocks change: by an hour, by half an hour, at midnight, not at all.
const CHANGES: [(&str, &str); 10] = [
    ("Europe/Stockholm", "2026-03-29"),
    ("Europe/Stockholm", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("America/Santiago", "2026-04-05"),
    ("America/Santiago", "2026-09-06"),
    ("Africa/Cairo", "2026-04-24"),
    ("Asia/Kathmandu", "2026-05-01"),
];

fn a_time() -> impl Strategy<Value = Time> {
    // The small hours are where clocks change.
    (prop_oneof![0i8..4, 0i8..24], 0i8..4).prop_map(|(h, q)| Time::constant(h, q * 15, 0, 0))
}

fn some_hours() -> impl Strategy<Value = Hours> {
    proptest::collection::vec((0i8..7, a_time(), 0i8..4, a_time()), 1..4).prop_map(|all| {
        let stretches = all.into_iter().map(|(day, from, days, to)| {
            let days = if days == 0 && to <= from { 1 } else { days };
            Stretch { day: Weekday::from_monday_zero_offset(day).expect("a day"), from, days, to }
        });
        Hours { text: String::new(), stretches: stretches.collect() }
    })
}

fn a_layer(day: Date) -> impl Strategy<Value = Layer> {
    let only = prop_oneof![Just(Vec::new()), proptest::collection::vec(some_hours(), 1..3)];
    let days = prop_oneof![Just(7), Just(14), 1i32..12];
    // Often a hand-over falls on the day on which the clocks change.
    let start = prop_oneof![2 => Just(0i64), 3 => -60i64..20];
    (proptest::collection::vec(0usize..4, 1..5), days, a_time(), start, any::<bool>(), only).prop_map(
        move |(rotation, days, hand_over, start, begins, only)| Layer {
            rotation: rotation.into_iter().map(|n| NAMES[n].to_owned()).collect(),
            days,
            hand_over,
            start: day.checked_add(start.days()).expect("a day"),
            begins,
            only,
        },
    )
}

fn a_watch(from: Timestamp) -> impl Strategy<Value = Watch> {
    (0usize..4, 0i64..20 * 1440, 1i64..3 * 1440).prop_map(move |(who, begin, length)| Watch {
        person: NAMES[who].to_owned(),
        from: from + Span::mins(begin),
        to: from + Span::mins(begin + length),
    })
}

fn a_schedule() -> impl Strategy<Value = (Schedule, Timestamp)> {
    (0usize..CHANGES.len()).prop_flat_map(|n| {
        let (zone_name, day) = CHANGES[n];
        let day: Date = day.parse().expect("a day");
        let midnight = zone(zone_name).to_timestamp(day.to_datetime(Time::midnight())).expect("in range");
        let from = Timestamp::from_second(midnight.as_second() / 60 * 60).expect("in range") - Span::days(10);
        let layers = proptest::collection::vec(a_layer(day), 0..4);
        let feed = proptest::collection::vec(a_watch(from), 0..3);
        let overrides = proptest::collection::vec(a_watch(from), 0..3);
        (layers, feed, overrides).prop_map(move |(layers, feed, overrides)| {
            let name = "s".to_owned();
            let title = String::new();
            (Schedule { name, title, time_zone: zone_name.to_owned(), layers, feed, overrides }, from)
        })
    })
}

/// Every half hour of the days on which clocks change, as a hand-over and as the beginning and the end of hours.
#[test]
fn every_half_hour_of_those_days() {
    for (zone_name, day) in CHANGES {
        let day: Date = day.parse().expect("a day");
        let begin = zone(zone_name).to_timestamp(day.yesterday().expect("a day").at(12, 0, 0, 0)).expect("in range");
        let table = Minutes::new(zone_name, begin - Span::days(4), 10 * 1440);
        let (first, length) = (begin.as_second() / 60, 3 * 1440);
        for half in 0..48i8 {
            let time = Time::constant(half / 2, half % 2 * 30, 0, 0);
            let end = time.wrapping_add(90.minutes());
            let all = |day: Weekday| Stretch { day, from: time, days: i8::from(end <= time), to: end };
            let only =
                Hours { text: String::new(), stretches: Weekday::Monday.cycle_forward().take(7).map(all).collect() };
            let turns = Layer { hand_over: time, ..layer(&["anna", "bo"], 1, "00:00", "2026-01-01") };
            let hours = Layer { only: vec![only], ..layer(&["eva"], 7, "00:00", "2026-01-01") };
            for layers in [vec![turns.clone()], vec![turns, hours]] {
                let s = Schedule { time_zone: zone_name.to_owned(), ..schedule(layers) };
                let truth = reference(&s, &table, first, first + length);
                let mut told = Vec::new();
                for shift in s.shifts(begin, begin + Span::mins(length)) {
                    let minutes = (shift.to.as_second() - shift.from.as_second()) / 60;
                    told.extend(std::iter::repeat_n(shift.who, usize::try_from(minutes).expect("after")));
                }
                let wrong = truth.iter().zip(&told).position(|(a, b)| a != b);
                assert_eq!((wrong, told.len()), (None, truth.len()), "{zone_name} {day} {time}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn every_minute_is_right((s, from) in a_schedule(), probes in proptest::collection::vec(0usize..20 * 1440, 12)) {
        // A turn of fourteen days has begun in the table, and a stretch of the week has ended in it.
        let table = Minutes::new(&s.time_zone, from - Span::days(20), (20 + 22 + 10) * 1440);
        let first = from.as_second() / 60;
        let truth = reference(&s, &table, first, first + 22 * 1440);
        let minute = |n: usize| Timestamp::from_second((first + n as i64) * 60).expect("in range");
        let shifts = s.shifts(from, from + Span::days(22));
        prop_assert_eq!(shifts.first().map(|d| d.from), Some(from));
        prop_assert_eq!(shifts.last().map(|d| d.to), Some(from + Span::days(22)));
        prop_assert!(shifts.windows(2).all(|w| w[0].to == w[1].from && w[0].who != w[1].who));
        let mut n = 0;
        for shift in &shifts {
            while minute(n) < shift.to && n < truth.len() {
                prop_assert_eq!(&shift.who, &truth[n], "{} {}", minute(n), s.time_zone);
                n += 1;
            }
        }
        prop_assert_eq!(n, truth.len());
        for probe in probes {
            prop_assert_eq!(s.who(minute(probe)), truth[probe].iter().map(String::as_str).collect::<Vec<_>>());
            if let Some(next) = (probe..truth.len()).find(|n| truth[*n] != truth[probe]) {
                prop_assert_eq!(s.next_change(minute(probe)), Some(minute(next)));
            }
        }
        let gap: usize = truth.iter().filter(|who| who.is_empty()).count();
        let told: i64 = s.gaps(from, from + Span::days(22)).iter().map(|(a, b)| (b.as_second() - a.as_second()) / 60).sum();
        prop_assert_eq!(told, gap as i64);
    }
}
