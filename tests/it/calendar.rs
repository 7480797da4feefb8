//! What is planned, as people see it.

use super::world::{PEOPLE, ask, write_rule};

fn rules() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("vakt.toml"), "rules_dir = \"rules\"\ndata_dir = \"data\"\n").unwrap();
    write_rule(dir.path(), "people.toml", PEOPLE);
    write_rule(dir.path(), "topics/acme.toml", "[[topic]]\nname = \"acme\"\nquery = \"acme\"\n");
    let alert = "[[alert]]\nname = \"a\"\ntopics = [\"acme\"]\ncondition = \"mentions >= 5\"\nescalation = \"pr\"\n";
    write_rule(dir.path(), "alerts/a.toml", alert);
    write_rule(dir.path(), "calendar/calendar.toml", "time_zone = \"Europe/Stockholm\"\n");
    let events = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Match day\nDTSTART;TZID=W. Europe Standard Time:20261017T150000\n\
        DURATION:PT3H\nRRULE:FREQ=WEEKLY;COUNT=3\nDESCRIPTION:vakt:factor=4 vakt:topics=acme\nEND:VEVENT\n\
        BEGIN:VEVENT\nSUMMARY:Fair\nDTSTART;VALUE=DATE:20261024\nDTEND;VALUE=DATE:20261027\nEND:VEVENT\nEND:VCALENDAR\n";
    write_rule(dir.path(), "calendar/events.ics", events);
    let posts = "start,title,channel,factor\n2026-10-24 16:00,Half-time post,instagram,1\n2026-09-30 23:00,The month before,x,1\n";
    write_rule(dir.path(), "calendar/posts.csv", posts);
    dir
}

#[test]
fn a_month_is_shown_by_days() {
    let dir = rules();
    let said = ask(dir.path(), &["calendar", "--month", "2026-10"]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    insta::assert_snapshot!(String::from_utf8_lossy(&said.stdout), @r"
    October 2026 · Europe/Stockholm

    Sat 17  15:00–18:00   Match day       ×4  acme

    Sat 24  until Mon 26  Fair            ×3  every topic
            15:00–18:00   Match day       ×4  acme
            16:00–17:00   Half-time post  ×1  every topic  → instagram

    Sat 31  15:00–18:00   Match day       ×4  acme
    ");
    let json = ask(dir.path(), &["calendar", "--month", "2026-10", "--json"]);
    let all: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let match_days: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .filter(|p| p["name"] == "Match day")
        .filter_map(|p| p["from"].as_str())
        .collect();
    assert_eq!(
        match_days,
        ["2026-10-17T13:00:00Z", "2026-10-24T13:00:00Z", "2026-10-31T14:00:00Z"],
        "the clocks change"
    );
    assert_eq!(all[0]["topics"][0], "acme");
    let empty = ask(dir.path(), &["calendar", "--month", "2031-05"]);
    assert!(String::from_utf8_lossy(&empty.stdout).contains("Nothing is planned"));
    assert_eq!(ask(dir.path(), &["calendar", "--month", "May"]).status.code(), Some(2));
    let check = ask(dir.path(), &["check"]);
    assert!(String::from_utf8_lossy(&check.stdout).contains("6 planned"), "{check:?}");
}

#[test]
fn a_bad_event_is_a_fault_with_its_line() {
    let dir = rules();
    let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Launch\nDTSTART:20261017T150000\nX-VAKT-TOPICS:acmee\nEND:VEVENT\nEND:VCALENDAR\n";
    write_rule(dir.path(), "calendar/launch.ics", text);
    write_rule(dir.path(), "calendar/old.xls", "x");
    let large = std::fs::File::create(dir.path().join("rules/calendar/large.ics")).unwrap();
    large.set_len(50 << 20).unwrap();
    let said = ask(dir.path(), &["check"]);
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(1), "{text}");
    for part in ["launch.ics:5:15", "did you mean `acme`?", "larger than 4 MiB", "end in .ics, .csv, .xlsx or .toml"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// A workbook with rows of texts, and days as Excel keeps them in the first column.
fn workbook(dir: &std::path::Path, name: &str, rows: &[(f64, [&str; 3])]) {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, heading) in (0u16..).zip(["Datum", "Titel", "Kanal", "Text"]) {
        sheet.write_string(0, column, heading).unwrap();
    }
    let day = rust_xlsxwriter::Format::new().set_num_format("dd/mm/yyyy hh:mm");
    for (row, (at, words)) in (1u32..).zip(rows) {
        sheet.write_number_with_format(row, 0, *at, &day).unwrap();
        for (column, word) in (1u16..).zip(words) {
            sheet.write_string(row, column, *word).unwrap();
        }
    }
    book.save(dir.join("rules/calendar").join(name)).unwrap();
}

#[test]
fn a_workbook_is_a_calendar_as_well() {
    let dir = rules();
    // 2026-10-20 at 18:30 and 2026-10-21, whatever the cells look like.
    let rows =
        [(46_315.770_833_333, ["Film", "instagram", "Meet; the \"new\"\none"]), (46_316.0, ["Greeting", "x", ""])];
    workbook(dir.path(), "plan.xlsx", &rows);
    std::fs::write(dir.path().join("rules/calendar/~$plan.xlsx"), "open in Excel").unwrap();
    assert!(ask(dir.path(), &["check"]).status.success());
    let said = ask(dir.path(), &["calendar", "--month", "2026-10"]);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    for words in ["Tue 20  18:30–19:30   Film", "→ instagram", "Wed 21", "Greeting"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    workbook(dir.path(), "plan.xlsx", &[(46_315.0, ["Fair", "", ""]), (46_316.0, ["", "x", ""])]);
    let said = ask(dir.path(), &["check"]);
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.code() == Some(1) && text.contains("plan.xlsx:3"), "{text}");
    assert!(text.contains("this row has no title"), "{text}");
    std::fs::write(dir.path().join("rules/calendar/plan.xlsx"), "no workbook").unwrap();
    let said = ask(dir.path(), &["check"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("no workbook that can be read"), "{said:?}");
}
