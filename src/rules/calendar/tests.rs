//! Calendars read from texts: clocks that change, whole days, what comes back, and files that mean harm.

use super::*;
use crate::config::fault::render_all;

const TOPICS: [&str; 2] = ["acme", "kettle"];

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn all(files: &[(&str, &str)]) -> (Read, Vec<Fault>) {
    let sheets: Vec<_> = files.iter().map(|(n, t)| Sheet::new(format!("rules/calendar/{n}"), *t)).collect();
    let (mut said, mut faults) = (Settings::default(), Vec::new());
    let (toml, rest): (Vec<_>, Vec<_>) = sheets.into_iter().partition(|s| s.name.ends_with(".toml"));
    for sheet in toml {
        let desk = Desk::new(sheet);
        desk.read(|form| settings(form, &mut said));
        faults.extend(desk.into_faults());
    }
    let (calendars, more) = read(&said, &rest, &TOPICS, at("2026-11-28T12:00:00Z"));
    faults.extend(more);
    (calendars, faults)
}

const STOCKHOLM: (&str, &str) = ("calendar.toml", "time_zone = \"Europe/Stockholm\"\n");

fn event(lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        lines.trim().replace('\n', "\r\n")
    )
}

/// The spans of one event, as they are written in UTC.
fn spans(lines: &str) -> Vec<String> {
    let (read, faults) = all(&[STOCKHOLM, ("a.ics", &event(lines))]);
    assert!(faults.is_empty(), "{}", render_all(&faults, false));
    read.planned.iter().map(|p| format!("{}/{}", short(p.from), short(p.to))).collect()
}

fn short(at: Timestamp) -> String {
    at.strftime("%m-%dT%H:%M").to_string()
}

fn faults(lines: &str) -> String {
    let (_, faults) = all(&[STOCKHOLM, ("a.ics", &event(lines))]);
    faults.iter().map(Fault::brief).collect::<Vec<_>>().join("\n")
}

#[test]
fn zones_by_every_name() {
    let expected = ["03-10T08:00/03-10T10:00"];
    for zone in [
        "DTSTART;TZID=Europe/Stockholm:20260310T090000\nDTEND;TZID=Europe/Stockholm:20260310T110000",
        "DTSTART;TZID=W. Europe Standard Time:20260310T090000\nDTEND;TZID=W. Europe Standard Time:20260310T110000",
        "DTSTART;TZID=\"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna\":20260310T090000\nDURATION:PT2H",
        "DTSTART:20260310T080000Z\nDTEND;TZID=Europe/London:20260310T100000",
        "DTSTART:20260310T090000\nDTEND:20260310T110000",
    ] {
        assert_eq!(spans(zone), expected, "{zone}");
    }
    let own = "BEGIN:VCALENDAR\nX-WR-TIMEZONE:America/New_York\nBEGIN:VTIMEZONE\nTZID:Our own\nX-LIC-LOCATION:Europe/Rome\nEND:VTIMEZONE\n\
        BEGIN:VEVENT\nSUMMARY:a\nDTSTART;TZID=Our own:20260310T090000\nEND:VEVENT\n\
        BEGIN:VEVENT\nSUMMARY:b\nDTSTART:20260310T090000\nEND:VEVENT\nEND:VCALENDAR\n";
    let (read, faults) = all(&[STOCKHOLM, ("a.ics", own)]);
    assert_eq!(faults, []);
    assert_eq!([short(read.planned[0].from), short(read.planned[1].from)], ["03-10T08:00", "03-10T13:00"]);
}

#[test]
fn whole_days_are_those_of_the_brand() {
    assert_eq!(
        spans("DTSTART;VALUE=DATE:20260329\nDTEND;VALUE=DATE:20260330"),
        ["03-28T23:00/03-29T22:00"],
        "23 hours"
    );
    assert_eq!(spans("DTSTART;VALUE=DATE:20261025"), ["10-24T22:00/10-25T23:00"], "25 hours");
    assert_eq!(spans("DTSTART;VALUE=DATE:20261025\nDTEND;VALUE=DATE:20261025"), ["10-24T22:00/10-25T23:00"]);
    assert_eq!(spans("DTSTART:20261224\nDURATION:P3D"), ["12-23T23:00/12-26T23:00"]);
    let (read, _) = all(&[("a.ics", &event("SUMMARY:x\nDTSTART;VALUE=DATE:20260329"))]);
    assert_eq!(
        (short(read.planned[0].from), read.zone.as_str(), read.planned[0].whole_day),
        ("03-29T00:00".into(), "UTC", true)
    );
}

#[test]
fn what_comes_back_keeps_its_hour() {
    let weekly = spans(
        "DTSTART;TZID=Europe/Stockholm:20261019T090000\nDTEND;TZID=Europe/Stockholm:20261019T170000\nRRULE:FREQ=WEEKLY;COUNT=3",
    );
    assert_eq!(weekly, ["10-19T07:00/10-19T15:00", "10-26T08:00/10-26T16:00", "11-02T08:00/11-02T16:00"]);
    // UNTIL is the last time itself, in UTC: 09:00 in Stockholm.
    let until = spans("DTSTART;TZID=Europe/Stockholm:20261019T090000\nRRULE:FREQ=WEEKLY;UNTIL=20261102T080000Z");
    assert_eq!(until.len(), 3, "{until:?}");
    let day = spans("DTSTART;TZID=America/New_York:20261019T210000\nRRULE:FREQ=DAILY;UNTIL=20261021");
    assert_eq!(day.len(), 3, "the last day is meant to its end: {day:?}");
    // In the hour that is not, and in the one that is twice.
    let gap = spans("DTSTART;TZID=Europe/Stockholm:20260328T023000\nDURATION:PT30M\nRRULE:FREQ=DAILY;COUNT=2");
    assert_eq!(gap, ["03-28T01:30/03-28T02:00", "03-29T01:30/03-29T02:00"]);
    let fold = spans(
        "DTSTART;TZID=Europe/Stockholm:20261024T023000\nDTEND;TZID=Europe/Stockholm:20261024T030000\nRRULE:FREQ=DAILY;COUNT=2",
    );
    assert_eq!(fold, ["10-24T00:30/10-24T01:00", "10-25T00:30/10-25T02:00"]);
    // A shift of a week ends when the next one begins, in the week of the clock change too.
    let shift = spans(
        "DTSTART;TZID=Europe/Stockholm:20261019T090000\nDTEND;TZID=Europe/Stockholm:20261026T090000\nRRULE:FREQ=WEEKLY;COUNT=2",
    );
    assert_eq!(shift, ["10-19T07:00/10-26T08:00", "10-26T08:00/11-02T08:00"]);
    let last = spans("DTSTART:20260130T120000Z\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3");
    assert_eq!(last, ["01-30T12:00/01-30T13:00", "02-27T12:00/02-27T13:00", "03-27T12:00/03-27T13:00"]);
}

#[test]
fn exceptions_and_stand_ins() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:Talk\nDTSTART;TZID=Europe/Stockholm:20261019T090000\nRRULE:FREQ=WEEKLY;COUNT=5\n\
        EXDATE;TZID=Europe/Stockholm:20261026T090000\nRDATE;TZID=Europe/Stockholm:20261231T090000\nEND:VEVENT\n\
        BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;TZID=Europe/Stockholm:20261102T090000\nSUMMARY:Talk\\, late\nDTSTART:20261102T150000Z\nEND:VEVENT\n\
        BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20261109T080000Z\nSTATUS:CANCELLED\nSUMMARY:Talk\nDTSTART:20261109T080000Z\nEND:VEVENT\n\
        BEGIN:VEVENT\nUID:2\nSTATUS:CANCELLED\nSUMMARY:Off\nDTSTART:20261109T080000Z\nEND:VEVENT\n\
        BEGIN:VEVENT\nUID:3\nSUMMARY:Days\nDTSTART;VALUE=DATE:20261201\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20261202\nEND:VEVENT\n\
        BEGIN:VTODO\nSUMMARY:no event\nEND:VTODO\nEND:VCALENDAR\n";
    let (read, faults) = all(&[STOCKHOLM, ("a.ics", text)]);
    assert_eq!(faults, []);
    let said: Vec<String> = read.planned.iter().map(|p| format!("{} {}", short(p.from), p.name)).collect();
    assert_eq!(
        said,
        [
            "10-19T07:00 Talk",
            "11-02T15:00 Talk, late",
            "11-16T08:00 Talk",
            "11-30T23:00 Days",
            "12-02T23:00 Days",
            "12-31T08:00 Talk"
        ]
    );
}

#[test]
fn only_what_is_near_comes_back_and_what_comes_once_stays() {
    let daily = spans("DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY");
    assert_eq!(daily.len(), 800);
    let yearly = spans("DTSTART;VALUE=DATE:19500606\nRRULE:FREQ=YEARLY");
    assert_eq!(yearly.len(), 2, "{yearly:?}");
    assert_eq!(spans("DTSTART:20120101T000000Z").len(), 1);
    assert_eq!(
        spans("DTSTART:20120101T000000Z\nRRULE:FREQ=DAILY;UNTIL=20111231T000000Z").len(),
        0,
        "split series end so"
    );
}

#[test]
fn marks_come_from_properties_notes_and_categories() {
    let lines = "SUMMARY:Launch\nDTSTART:20260310T090000Z\nX-VAKT-FACTOR:5\nX-VAKT-TOPICS:acme,kettle\nX-VAKT-CHANNEL:instagram\nDESCRIPTION:Words\\nto post";
    let (read, faults) = all(&[("a.ics", &event(lines))]);
    assert_eq!(faults, []);
    let p = &read.planned[0];
    assert_eq!(
        (p.factor, p.topics.len(), p.channel.as_str(), p.text.as_str()),
        (5.0, 2, "instagram", "Words\nto post")
    );
    assert_eq!((p.calendar.as_str(), p.whole_day), ("a", false));
    let lines = "SUMMARY:Launch\nDTSTART:20260310T090000Z\nDESCRIPTION:We go\\nvakt:factor=5 vakt:channel=x\nCATEGORIES:Red category,ACME";
    let (read, faults) = all(&[("a.ics", &event(lines))]);
    assert_eq!(faults, []);
    let p = &read.planned[0];
    assert_eq!(
        (p.factor, p.topics.as_slice(), p.channel.as_str(), p.text.as_str()),
        (5.0, ["acme".to_owned()].as_slice(), "x", "We go")
    );
    let usual = "[[file]]\nname = \"a.ics\"\nfactor = 1\ntopics = [\"kettle\"]\nchannel = \"mastodon\"\n";
    let (read, faults) = all(&[("c.toml", usual), ("a.ics", &event("SUMMARY:Post\nDTSTART:20260310T090000Z"))]);
    assert_eq!(faults, []);
    let p = &read.planned[0];
    assert_eq!(
        (p.factor, p.topics.as_slice(), p.channel.as_str()),
        (1.0, ["kettle".to_owned()].as_slice(), "mastodon")
    );
}

#[test]
fn every_mistake_at_once() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:no start\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20261345T090000\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:2026-03-10\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART;TZID=Europe/Stokholm:20260310T090000\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20260310T090000Z\nDTEND:20260310T080000Z\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20260310T090000Z\nDURATION:2 hours\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20260310T090000Z\nRRULE:FREQ=WEEKY\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20260310T090000Z\nRRULE:FREQ=WEEKLY;BYDAYS=MO\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20260310T090000Z\nRRULE:FREQ=DAILY;BYHOUR=300\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20260310T090000Z\nRRULE:FREQ=SECONDLY\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20260310T090000Z\nX-VAKT-TOPICS:acmee\nX-VAKT-FACTER:2\nDESCRIPTION:vakt:factor=0\nEND:VEVENT\n\
        END:VCALENDAR\n";
    let toml = "time_zone = \"Europe/Stokholm\"\n[[file]]\nname = \"b.ics\"\ntopics = [\"kettel\"]\nfactor = 0\nchanel = \"x\"\n";
    let csv = "start,title,topics\n2026-03-10,Fair,fair\n";
    let (_, faults) = all(&[("a.ics", text), ("calendar.toml", toml), ("c.csv", csv)]);
    insta::assert_snapshot!(render_all(&faults, false));
}

#[test]
fn files_that_mean_harm_are_bounded_and_told() {
    let began = std::time::Instant::now();
    let many = "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;BYMINUTE=0,10,20,30,40,50";
    assert!(faults(many).contains("more than 10000 times"), "{}", faults(many));
    let often = "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11;COUNT=9000";
    let three: String = (0..3).map(|_| format!("BEGIN:VEVENT\n{often}\nEND:VEVENT\n")).collect();
    let (read, told) = all(&[("a.ics", &format!("BEGIN:VCALENDAR\n{three}END:VCALENDAR\n"))]);
    assert!(
        read.planned.len() <= MOST && told.iter().any(|f| f.message.contains("more than 20000 events")),
        "{told:?}"
    );
    // Rules that can never hold, as many as there is room for.
    let never = "BEGIN:VEVENT\nDTSTART:20260101T000000Z\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\nEND:VEVENT\n";
    let (_, told) = all(&[("a.ics", &format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", never.repeat(2_100)))]);
    assert!(told.iter().any(|f| f.message.contains("never")) && told.len() < 60, "{}", told.len());
    let wrong = "BEGIN:VEVENT\nEND:VEVENT\n".repeat(40_000);
    let (_, told) = all(&[("a.ics", &format!("BEGIN:VCALENDAR\n{wrong}END:VCALENDAR\n"))]);
    assert!(told.len() < 60, "{}", told.len());
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

/// The files of public holidays that ship, against Easter Sundays and weekdays that are known.
#[test]
fn public_holidays_are_right() {
    let files = [
        ("holidays-se.ics", include_str!("../../../rules/calendar/holidays-se.ics")),
        ("holidays-de.ics", include_str!("../../../rules/calendar/holidays-de.ics")),
        ("holidays-it.ics", include_str!("../../../rules/calendar/holidays-it.ics")),
        ("holidays-es.ics", include_str!("../../../rules/calendar/holidays-es.ics")),
        ("holidays-gb.ics", include_str!("../../../rules/calendar/holidays-gb.ics")),
    ];
    let (read, faults) = all(&[&[STOCKHOLM], files.as_slice()].concat());
    assert!(faults.is_empty(), "{}", render_all(&faults, false));
    let zone = TimeZone::get("Europe/Stockholm").expect("it is known");
    let day = |p: &Planned| p.from.to_zoned(zone.clone()).date();
    let on = |calendar: &str, name: &str| -> Vec<String> {
        let named = read.planned.iter().filter(|p| p.calendar == calendar && p.name == name);
        named.map(|p| day(p).to_string()).collect()
    };
    let easter = ["2026-04-05", "2027-03-28", "2028-04-16"].map(|d| d.parse::<jiff::civil::Date>().expect("a day"));
    for (calendar, name, after) in [
        ("holidays-se", "Långfredagen", -2),
        ("holidays-se", "Kristi himmelsfärdsdag", 39),
        ("holidays-se", "Pingstdagen", 49),
        ("holidays-de", "Karfreitag", -2),
        ("holidays-de", "Ostermontag", 1),
        ("holidays-de", "Christi Himmelfahrt", 39),
        ("holidays-de", "Pfingstmontag", 50),
        ("holidays-it", "Pasqua", 0),
        ("holidays-it", "Lunedì dell'Angelo", 1),
        ("holidays-es", "Viernes Santo", -2),
        ("holidays-gb", "Good Friday", -2),
        ("holidays-gb", "Easter Monday", 1),
    ] {
        let expected = easter.map(|e| e.checked_add(jiff::ToSpan::days(after)).expect("a day").to_string());
        assert_eq!(on(calendar, name), expected, "{name}");
    }
    assert_eq!(on("holidays-se", "Midsommardagen"), ["2026-06-20", "2027-06-26", "2028-06-24"]);
    assert_eq!(on("holidays-se", "Alla helgons dag"), ["2026-10-31", "2027-11-06", "2028-11-04"]);
    assert_eq!(on("holidays-gb", "Early May bank holiday"), ["2026-05-04", "2027-05-03", "2028-05-01"]);
    assert_eq!(on("holidays-gb", "Spring bank holiday"), ["2026-05-25", "2027-05-31", "2028-05-29"]);
    assert_eq!(on("holidays-gb", "Summer bank holiday"), ["2026-08-31", "2027-08-30", "2028-08-28"]);
    assert_eq!(on("holidays-gb", "Boxing Day (substitute)"), ["2026-12-28", "2027-12-28"]);
    assert_eq!(on("holidays-gb", "Christmas Day (substitute)"), ["2027-12-27"]);
    assert_eq!(on("holidays-gb", "New Year's Day (substitute)"), ["2028-01-03"]);
    for (calendar, a_year) in [("holidays-se", 16), ("holidays-de", 9), ("holidays-it", 13), ("holidays-es", 10)] {
        let all = read.planned.iter().filter(|p| p.calendar == calendar).count();
        assert_eq!(all, 3 * a_year, "{calendar}");
    }
    let days = read.planned.iter().all(|p| p.whole_day && p.factor == 2.0 && p.topics.is_empty());
    assert!(days && read.planned.iter().all(|p| p.to.duration_since(p.from).as_hours().abs_diff(24) < 2));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}", lines in proptest::collection::vec(
        "(DTSTART|DTEND|RRULE|EXDATE|DURATION|SUMMARY|RECURRENCE-ID|RDATE)(;TZID=[a-zA-Z/ ]{0,20})?:[0-9TZ=;,A-Z+-]{0,40}", 0..8))
    {
        all(&[("a.ics", &text), ("a.csv", &text), ("a.toml", &text)]);
        all(&[("a.ics", &event(&lines.join("\n")))]);
    }

    #[test]
    fn no_rule_panics_and_each_is_bounded(
        freq in 0usize..4, interval in 1u16..1001, count in 0u16..200, year in 1900u16..9000,
        month in 1u8..13, day in 1u8..29,
        parts in proptest::collection::vec((0usize..7, -366i32..367), 0..4),
    ) {
        let names = ["BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "BYDAY", "BYHOUR"];
        let days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
        let mut rule = format!("RRULE:FREQ={};INTERVAL={interval}", ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"][freq]);
        if count > 0 {
            rule.push_str(&format!(";COUNT={count}"));
        }
        for (n, value) in parts {
            let value = if names[n] == "BYDAY" {
                format!("{}{}", if value % 2 == 0 { String::new() } else { (value % 6).to_string() }, days[value.unsigned_abs() as usize % 7])
            } else {
                let most = [12, 31, 366, 53, 366, 0, 23][n];
                (value % (most + 1)).to_string()
            };
            rule.push_str(&format!(";{}={value}", names[n]));
        }
        all(&[("a.ics", &event(&format!("DTSTART:{year:04}{month:02}{day:02}T090000Z\n{rule}")))]);
    }
}
