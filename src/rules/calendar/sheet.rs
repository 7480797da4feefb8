//! Calendars as CSV: a row an event, columns found by their headings.

use std::ops::Range;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::marks::{Marks, Odd, factor};
use crate::config::fault::{Fault, nearest};
use crate::config::written::Desk;

/// Most columns of a row.
const MOST_COLUMNS: usize = 256;
/// Faults of one file after which the rest of it is not read.
const ENOUGH: usize = 50;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Start,
    StartTime,
    End,
    EndTime,
    Title,
    Topics,
    Factor,
    Channel,
    Text,
}

/// Headings by what they mean, in our five languages; the first of each is the one to write.
const HEADINGS: [(Column, &[&str]); 9] = [
    (
        Column::Start,
        &[
            "start",
            "begin",
            "begins",
            "starts",
            "from",
            "date",
            "day",
            "startdate",
            "publishdate",
            "scheduled",
            "datum",
            "startdatum",
            "börjar",
            "från",
            "beginn",
            "von",
            "inizio",
            "dal",
            "data",
            "inicio",
            "desde",
            "fecha",
        ],
    ),
    (Column::StartTime, &["starttime", "time", "publishtime", "tid", "starttid", "uhrzeit", "ora", "hora"]),
    (
        Column::End,
        &[
            "end",
            "ends",
            "to",
            "until",
            "enddate",
            "slut",
            "slutar",
            "till",
            "slutdatum",
            "ende",
            "bis",
            "fine",
            "al",
            "fin",
            "hasta",
        ],
    ),
    (Column::EndTime, &["endtime", "sluttid"]),
    (
        Column::Title,
        &[
            "title", "name", "subject", "summary", "event", "campaign", "titel", "rubrik", "betreff", "titolo",
            "oggetto", "título", "titulo", "asunto",
        ],
    ),
    (Column::Topics, &["topics", "topic", "ämne", "ämnen", "thema", "themen", "temi", "tema", "temas"]),
    (Column::Factor, &["factor", "faktor", "fattore"]),
    (
        Column::Channel,
        &["channel", "network", "platform", "profile", "account", "kanal", "plattform", "canale", "canal", "red"],
    ),
    (
        Column::Text,
        &[
            "text",
            "post",
            "message",
            "body",
            "copy",
            "caption",
            "description",
            "beskrivning",
            "beschreibung",
            "testo",
            "descrizione",
            "texto",
            "descripción",
            "descripcion",
        ],
    ),
];

/// One row as it is meant.
#[derive(Debug)]
pub(super) struct Row {
    /// Where it stands.
    pub(super) span: Range<usize>,
    /// Its title.
    pub(super) name: String,
    /// From when until when.
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// It takes whole days.
    pub(super) whole_day: bool,
    /// What vakt is told of it.
    pub(super) marks: Marks,
    /// What is to be published.
    pub(super) text: String,
}

/// Reads the rows of a file; times without an offset are meant in `zone`. Mistakes are noted.
pub(super) fn read(desk: &Desk, zone: &TimeZone) -> Vec<Row> {
    let mut records = records(desk).into_iter();
    let Some((head, headings)) = records.next() else {
        desk.error(
            0..0,
            "there is nothing in this file",
            "begin with a row of headings: start,end,title,topics,factor,channel,text",
        );
        return Vec::new();
    };
    let columns: Vec<Option<Column>> = headings.iter().map(|h| column(h)).collect();
    for (n, (column, heading)) in columns.iter().zip(&headings).enumerate() {
        let twice = column.is_some_and(|c| columns.iter().take(n).any(|other| *other == Some(c)));
        if twice {
            desk.error(head.clone(), format!("the column `{heading}` is there twice under two names"), "take one away");
            return Vec::new();
        }
        if let Some(meant) = column.is_none().then(|| mistyped(heading)).flatten() {
            let message = format!("the column `{heading}` is not read");
            let fault = Fault::warning(&desk.sheet, within(desk, &head, heading), message);
            desk.push(fault.help(format!("did you mean `{meant}`?")));
        }
    }
    for (needed, name) in [(Column::Start, "start"), (Column::Title, "title")] {
        if !columns.contains(&Some(needed)) {
            let help = "the first row names the columns: start,end,title,topics,factor,channel,text";
            desk.error(head.clone(), format!("no column is called `{name}`"), help);
            return Vec::new();
        }
    }
    let (mut out, mut wrong) = (Vec::new(), 0);
    for (span, cells) in records {
        let cell = |wanted| {
            let at = columns.iter().position(|c| *c == Some(wanted));
            at.and_then(|at| cells.get(at)).map_or("", |c| c.trim())
        };
        match row(desk, &span, &cell, zone) {
            Some(row) => out.push(row),
            None => wrong += 1,
        }
        if wrong == ENOUGH {
            desk.error(span, format!("{ENOUGH} rows are wrong; the rest is not read"), "mend these first");
            break;
        }
    }
    out
}

fn row<'c>(desk: &Desk, span: &Range<usize>, cell: &impl Fn(Column) -> &'c str, zone: &TimeZone) -> Option<Row> {
    let name = cell(Column::Title);
    if name.is_empty() {
        desk.error(span.clone(), "this row has no title", "write what happens");
        return None;
    }
    let joined = |day: Column, time: Column| format!("{} {}", cell(day), cell(time)).trim().to_owned();
    let begin = when(desk, span, &joined(Column::Start, Column::StartTime), None, zone)?;
    let end = match joined(Column::End, Column::EndTime).as_str() {
        "" => None,
        text => Some(when(desk, span, text, Some(begin.local.date()), zone)?),
    };
    let to = match &end {
        // The last day is meant to its end.
        Some(end) if end.whole_day => {
            zone.to_timestamp(end.local.date().tomorrow().ok()?.to_datetime(Time::midnight())).ok()?
        }
        Some(end) if end.at == begin.at => end.at + SignedDuration::from_hours(1),
        Some(end) => end.at,
        None if begin.whole_day => {
            zone.to_timestamp(begin.local.date().tomorrow().ok()?.to_datetime(Time::midnight())).ok()?
        }
        None => begin.at + SignedDuration::from_hours(1),
    };
    if to <= begin.at {
        desk.error(span.clone(), "this ends before it begins", "let the end come after the start");
        return None;
    }
    let (mut marks, mut odd) = (Marks::default(), Vec::new());
    let text = marks.take(cell(Column::Text), &mut odd);
    match cell(Column::Factor) {
        "" => {}
        value => match factor(value) {
            Ok(n) => marks.factor = Some(n),
            Err((message, help)) => odd.push(Odd { word: value.to_owned(), message, help }),
        },
    }
    for (key, column) in [("topics", Column::Topics), ("channel", Column::Channel)] {
        if !cell(column).is_empty() {
            marks.set(key, cell(column), cell(column), &mut odd);
        }
    }
    for odd in &odd {
        desk.error(within(desk, span, &odd.word), odd.message.as_str(), odd.help.as_str());
    }
    let whole_day = begin.whole_day && end.as_ref().is_none_or(|e| e.whole_day);
    odd.is_empty().then(|| Row {
        span: span.clone(),
        name: name.to_owned(),
        from: begin.at,
        to,
        whole_day,
        marks,
        text,
    })
}

struct When {
    at: Timestamp,
    local: DateTime,
    whole_day: bool,
}

/// Reads a day or a time; `day` is meant where there is an hour alone.
fn when(desk: &Desk, span: &Range<usize>, text: &str, day: Option<Date>, zone: &TimeZone) -> Option<When> {
    let iso = iso(text);
    if let Ok(at) = iso.parse::<Timestamp>() {
        return Some(When { at, local: at.to_zoned(zone.clone()).datetime(), whole_day: false });
    }
    let has_hour = iso.contains(':');
    let local = match has_hour {
        true => iso.parse::<DateTime>().ok().or_else(|| Some(day?.to_datetime(iso.parse::<Time>().ok()?))),
        false => iso.parse::<Date>().ok().map(|d| d.to_datetime(Time::midnight())),
    };
    let read = local.and_then(|local| Some(When { at: zone.to_timestamp(local).ok()?, local, whole_day: !has_hour }));
    if read.is_none() {
        let message = if text.is_empty() { "this row has no start".to_owned() } else { format!("`{text}` is no time") };
        let help = "write 2026-03-10, 2026-03-10 09:00 or 10.03.2026 09:00";
        desk.error(within(desk, span, text), message, help);
    }
    read
}

/// `10.3.2026` as `2026-03-10`; what has slashes may begin with the month, and stays.
fn iso(text: &str) -> String {
    let (day, rest) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let parts: Vec<&str> = day.split('.').collect();
    let day = match parts.as_slice() {
        [d, m, y] if y.len() == 4 => format!("{y}-{m:0>2}-{d:0>2}"),
        _ => day.to_owned(),
    };
    let rest = match rest.split_once(':') {
        Some((hour, minutes)) => format!("{hour:0>2}:{minutes}"),
        None => rest.to_owned(),
    };
    if rest.is_empty() { day } else { format!("{day}T{rest}") }
}

fn plain(heading: &str) -> String {
    heading.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

fn column(heading: &str) -> Option<Column> {
    let heading = plain(heading);
    HEADINGS.iter().find(|(_, names)| names.contains(&heading.as_str())).map(|(column, _)| *column)
}

/// The heading that was probably meant; short words are near to everything.
fn mistyped(heading: &str) -> Option<&'static str> {
    let heading = plain(heading);
    let ours = HEADINGS.iter().filter_map(|(_, names)| names.first().copied());
    if heading.chars().count() < 5 { None } else { nearest(&heading, ours) }
}

/// Where a word stands within a row.
fn within(desk: &Desk, span: &Range<usize>, word: &str) -> Range<usize> {
    let row = desk.sheet.text.get(span.clone()).unwrap_or("");
    match row.find(word).filter(|_| !word.is_empty()) {
        Some(at) => span.start + at..span.start + at + word.len(),
        None => span.clone(),
    }
}

/// The rows of a file with their places; empty ones are left out.
fn records(desk: &Desk) -> Vec<(Range<usize>, Vec<String>)> {
    let text = desk.sheet.text.as_str();
    let first = text.lines().next().unwrap_or("");
    let count = |c: char| first.matches(c).count();
    let delimiter = [',', ';', '\t'].into_iter().max_by_key(|c| (count(*c), *c == ',')).unwrap_or(',');
    let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter as u8).build();
    let mut cells = vec![0; text.len() + 1];
    let mut ends = [0; MOST_COLUMNS];
    let (mut out, mut at) = (Vec::new(), 0);
    loop {
        let input = text.as_bytes().get(at..).unwrap_or_default();
        let (mut read, mut written, mut columns, mut last) = (0, 0, 0, false);
        loop {
            let rest = input.get(read..).unwrap_or_default();
            let (Some(room), Some(more)) = (cells.get_mut(written..), ends.get_mut(columns..)) else { return out };
            let (result, n, w, c) = reader.read_record(rest, room, more);
            (read, written, columns) = (read + n, written + w, columns + c);
            match result {
                csv_core::ReadRecordResult::InputEmpty => continue,
                csv_core::ReadRecordResult::Record => break,
                csv_core::ReadRecordResult::End => {
                    last = true;
                    break;
                }
                csv_core::ReadRecordResult::OutputFull | csv_core::ReadRecordResult::OutputEndsFull => {
                    let line = at..at + input.iter().position(|b| *b == b'\n').unwrap_or(input.len());
                    desk.error(line, format!("a row has more than {MOST_COLUMNS} columns"), "export fewer");
                    return Vec::new();
                }
            }
        }
        if last {
            return out;
        }
        let mut row = Vec::with_capacity(columns);
        let mut from = 0;
        for end in ends.iter().take(columns) {
            row.push(String::from_utf8_lossy(cells.get(from..*end).unwrap_or_default()).into_owned());
            from = *end;
        }
        let whole = text.get(at..at + read).unwrap_or("");
        let start = at + whole.len() - whole.trim_start_matches(['\r', '\n']).len();
        let end = at + whole.trim_end_matches(['\r', '\n']).len();
        at += read;
        if row.iter().any(|c| !c.trim().is_empty()) {
            out.push((start..end.max(start), row));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sheet;
    use crate::config::fault::Fault;

    fn read_text(text: &str) -> (Vec<Row>, Vec<Fault>) {
        let desk = Desk::new(Sheet::new("rules/calendar/a.csv", text));
        let zone = TimeZone::get("Europe/Stockholm").expect("it is known");
        (read(&desk, &zone), desk.into_faults())
    }

    #[test]
    fn rows_are_read_by_their_headings() {
        let text = "Start;Slut;Titel;Ämne;Faktor;Kanal;Text\r\n10.3.2026 9:00;;\"Launch; at last\";acme,kettle;2,5;instagram;\"Two\nlines\"\r\n\r\n2026-03-29;2026-03-30;Fair;;;;\r\n2026-03-29 08:00;10:30;Talk;;;;\r\n";
        let (rows, faults) = read_text(text);
        assert_eq!(faults, []);
        let said: Vec<String> = rows.iter().map(|r| format!("{} {}..{}", r.name, r.from, r.to)).collect();
        assert_eq!(
            said,
            [
                "Launch; at last 2026-03-10T08:00:00Z..2026-03-10T09:00:00Z",
                "Fair 2026-03-28T23:00:00Z..2026-03-30T22:00:00Z",
                "Talk 2026-03-29T06:00:00Z..2026-03-29T08:30:00Z",
            ]
        );
        assert_eq!((rows[0].marks.factor, rows[0].marks.topics.len(), rows[1].whole_day), (Some(2.5), 2, true));
        assert_eq!((rows[0].marks.channel.as_deref(), rows[0].text.as_str()), (Some("instagram"), "Two\nlines"));
    }

    #[test]
    fn what_outlook_and_google_export_is_read() {
        let (rows, faults) = read_text(
            "Subject,Start Date,Start Time,End Date,End Time,All Day Event,Description\nLaunch,2026-03-10,09:00,2026-03-10,11:00,False,vakt:factor=4\n",
        );
        assert_eq!(
            (faults.len(), rows[0].marks.factor, rows[0].to.to_string().as_str()),
            (0, Some(4.0), "2026-03-10T10:00:00Z")
        );
    }

    #[test]
    fn mistakes_are_told_by_row() {
        let (rows, faults) = read_text(
            "start,end,title,topcs,factor\n03/10/2026,,Launch,,\n2026-03-10,2026-03-09,Fair,,\n2026-03-10,,,,\n2026-03-10,,X,,0\n",
        );
        let said: Vec<String> = faults.iter().map(Fault::brief).collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        rules/calendar/a.csv:1: the column `topcs` is not read (did you mean `topics`?)
        rules/calendar/a.csv:2: `03/10/2026` is no time (write 2026-03-10, 2026-03-10 09:00 or 10.03.2026 09:00)
        rules/calendar/a.csv:3: this ends before it begins (let the end come after the start)
        rules/calendar/a.csv:4: this row has no title (write what happens)
        rules/calendar/a.csv:5: a factor of 0 makes no sense (write 1 to 1000: how many times the usual may come)
        ");
        assert_eq!(rows.len(), 0);
        assert!(read_text("").1[0].message.contains("nothing"));
        assert!(read_text("a,b\n1,2\n").1[0].message.contains("`start`"));
        assert!(read_text(&",".repeat(1000)).1[0].message.contains("columns"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,80}", rows in "[0-9a-z,;:\"\\n ./-]{0,120}") {
            read_text(&text);
            read_text(&format!("start,end,title,topics,factor,channel,text\n{rows}"));
        }
    }
}
