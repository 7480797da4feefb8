//! Rules walked by us and by calcard: one answer wherever calcard's is right.

use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarProperty, ICalendarValue,
};
use calcard::{Entry, Parser};
use jiff::civil::date;

use super::*;

fn rule(text: &str) -> Rule {
    let text = format!("BEGIN:VEVENT\r\nRRULE:{text}\r\nEND:VEVENT\r\n");
    let Entry::ICalendar(c) = Parser::new(&text).entry() else { panic!("{text}") };
    match c.components[0].entries[0].values[0].clone() {
        ICalendarValue::RecurrenceRule(rule) => *rule,
        other => panic!("{other:?}"),
    }
}

fn ours(text: &str, start: DateTime, last: DateTime) -> Vec<DateTime> {
    times(&rule(text), start, start, last).unwrap_or_else(|e| panic!("{e:?}"))
}

/// What calcard makes of it, in floating time.
fn theirs(text: &str, start: DateTime, last: DateTime, most: usize) -> Option<Vec<DateTime>> {
    let partial = |at: DateTime| PartialDateTime {
        year: u16::try_from(at.year()).ok(),
        month: u8::try_from(at.month()).ok(),
        day: u8::try_from(at.day()).ok(),
        hour: u8::try_from(at.hour()).ok(),
        minute: u8::try_from(at.minute()).ok(),
        second: u8::try_from(at.second()).ok(),
        ..PartialDateTime::default()
    };
    let mut rule = rule(text);
    rule.until = Some(partial(last));
    let event = ICalendarComponent {
        component_type: ICalendarComponentType::VEvent,
        entries: vec![
            ICalendarEntry::new(ICalendarProperty::Dtstart).with_value(partial(start)),
            ICalendarEntry::new(ICalendarProperty::Rrule).with_value(ICalendarValue::RecurrenceRule(Box::new(rule))),
        ],
        component_ids: Vec::new(),
    };
    let expanded = ICalendar { components: vec![event] }.expand_dates(Tz::Floating, most);
    if !expanded.errors.is_empty() {
        return None;
    }
    let seconds = expanded.events.iter().map(|e| e.start.timestamp());
    let mut out: Vec<DateTime> = seconds
        .map(|s| jiff::Timestamp::from_second(s).expect("in range").to_zoned(jiff::tz::TimeZone::UTC).datetime())
        .collect();
    out.sort_unstable();
    out.dedup();
    Some(out)
}

#[test]
fn examples_of_the_standard() {
    let start = date(1997, 9, 2).at(9, 0, 0, 0);
    let days = |text: &str, start: DateTime| -> String {
        let all = ours(text, start, date(2010, 1, 1).at(0, 0, 0, 0));
        all.iter().take(6).map(|t| t.strftime("%y%m%d").to_string()).collect::<Vec<_>>().join(" ")
    };
    for (text, expected) in [
        ("FREQ=DAILY;COUNT=3", "970902 970903 970904"),
        ("FREQ=DAILY;INTERVAL=10;COUNT=3", "970902 970912 970922"),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,TH;COUNT=4", "970902 970904 970916 970918"),
        ("FREQ=MONTHLY;BYDAY=1FR;COUNT=3", "970905 971003 971107"),
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=1SU,-1SU;COUNT=4", "970907 970928 971102 971130"),
        ("FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=3", "970928 971029 971128"),
        ("FREQ=YEARLY;INTERVAL=3;COUNT=4;BYYEARDAY=1,100,200", "000101 000409 000718 030101"),
        ("FREQ=YEARLY;BYDAY=20MO;COUNT=2", "980518 990517"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=2", "980511 990517"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=3", "980213 980313 981113"),
        ("FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=2", "971104 011106"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "970904 971007 971106"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=3", "970929 971030 971127"),
    ] {
        assert_eq!(days(text, start), expected, "{text}");
    }
    // Where weeks begin makes a difference.
    let start = date(1997, 8, 5).at(9, 0, 0, 0);
    assert_eq!(days("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", start), "970805 970810 970819 970824");
    assert_eq!(days("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", start), "970805 970817 970819 970831");
}

#[test]
fn skipping_ahead_passes_nothing() {
    for text in [
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=WEEKLY;INTERVAL=5;BYDAY=SU",
        "FREQ=MONTHLY;INTERVAL=7;BYMONTHDAY=31",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    ] {
        let (start, last) = (date(1970, 1, 31).at(8, 0, 0, 0), date(2028, 3, 1).at(0, 0, 0, 0));
        let all = ours(text, start, last);
        let first = date(2024, 2, 1).at(0, 0, 0, 0);
        let late = times(&rule(text), start, first, last).expect("it holds");
        assert_eq!(late, all.into_iter().filter(|t| *t >= first).collect::<Vec<_>>(), "{text}");
    }
}

/// A rule of one of the four kinds, from numbers.
fn made(freq: usize, interval: u16, parts: &[(usize, i32)]) -> String {
    let names = ["BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY", "BYHOUR", "BYMINUTE"];
    let days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let mut rule = format!("FREQ={};INTERVAL={interval}", ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"][freq]);
    for (n, name) in names.iter().enumerate() {
        let values = parts.iter().filter(|(part, _)| *part == n).map(|(_, v)| *v);
        let mut written: Vec<String> = values
            .filter_map(|v| {
                let positive = v.unsigned_abs();
                Some(match *name {
                    "BYMONTH" => (positive % 12 + 1).to_string(),
                    "BYMONTHDAY" if freq != 1 => nonzero(v % 32)?.to_string(),
                    "BYYEARDAY" if freq == 3 => nonzero(v)?.to_string(),
                    "BYWEEKNO" if freq == 3 => nonzero(v % 54)?.to_string(),
                    "BYDAY" if freq < 2 => days[positive as usize % 7].to_owned(),
                    // Numbered or not, never both: there calcard goes its own way.
                    "BYDAY" => format!("{}{}", v % 5 + if v % 5 == 0 { 1 } else { 0 }, days[positive as usize % 7]),
                    "BYHOUR" => (positive % 24).to_string(),
                    "BYMINUTE" => (positive % 60).to_string(),
                    _ => return None,
                })
            })
            .collect();
        written.dedup();
        if !written.is_empty() {
            rule.push_str(&format!(";{name}={}", written.join(",")));
        }
    }
    rule
}

fn nonzero(n: i32) -> Option<i32> {
    (n != 0).then_some(n)
}

proptest::proptest! {
    // Few: calcard takes its time over rules that can never hold.
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 60, ..Default::default() })]
    #[test]
    fn calcard_says_the_same(
        freq in 0usize..4, interval in 1u16..6, year in 2020i16..2027, month in 1i8..13, day in 1i8..29, hour in 0i8..24,
        parts in proptest::collection::vec((0usize..7, -366i32..367), 0..5), setpos in proptest::option::of(-3i32..4),
        count in proptest::option::of(1u32..40),
    ) {
        let mut text = made(freq, interval, &parts);
        if let Some(n) = count {
            text.push_str(&format!(";COUNT={n}"));
        }
        // In its first week calcard counts positions from the first day on, not from the week's beginning.
        if let Some(n) = setpos.filter(|n| *n != 0 && freq != 1 && text.contains("BY")) {
            text.push_str(&format!(";BYSETPOS={n}"));
        }
        let start = date(year, month, day).at(hour, 0, 0, 0);
        let last = start.saturating_add(jiff::SignedDuration::from_hours(24 * 900));
        let (Ok(ours), Some(theirs)) = (times(&rule(&text), start, start, last), theirs(&text, start, last, 9_000)) else {
            return Ok(());
        };
        proptest::prop_assert_eq!(ours, theirs, "{} from {}", text, start);
    }
}
