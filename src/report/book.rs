//! A digest as a workbook for Excel (XLSX): a sheet for each table, with charts that Excel draws itself from the cells.

use std::io::{Seek, Write};

use jiff::tz::TimeZone;
use rust_xlsxwriter::{Chart, ChartFormat, ChartLine, ChartSolidFill, ChartType, Color, Format, Workbook, Worksheet};

use super::digest::{Datum, Digest, Table, tables};
use super::xlsx::{XlsxFailed, cut, serial_in};
use crate::model::time::{Span, between};

/// The brand among its rivals and beyond: told apart by everybody (Okabe and Ito).
const COLOURS: [u32; 8] = [0x0072b2, 0xe69f00, 0x009e73, 0xcc79a7, 0x56b4e9, 0xd55e00, 0xf0e442, 0x666666];
/// The negative ones.
const NEGATIVE: u32 = 0xd55e00;
/// Wide enough for titles, and for everything else.
const WIDE: f64 = 50.0;
const USUAL: f64 = 16.0;

/// How each kind of cell looks.
struct Looks {
    head: Format,
    time: Format,
    share: Format,
    number: Format,
    minutes: Format,
}

/// Writes a digest as a workbook, in a language.
///
/// # Errors
/// When it cannot be written.
pub fn write(d: &Digest, language: &str, out: impl Write + Seek + Send) -> Result<(), XlsxFailed> {
    let looks = Looks {
        head: Format::new().set_bold(),
        time: Format::new().set_num_format("yyyy-mm-dd hh:mm"),
        share: Format::new().set_num_format("0.0%"),
        number: Format::new().set_num_format("0.00"),
        minutes: Format::new().set_num_format("0.0\" min\""),
    };
    let mut book = Workbook::new();
    let all = tables(d, language);
    for table in &all {
        let sheet = book.add_worksheet();
        fill(sheet, table, &d.zone, &looks)?;
        if let Some(chart) = chart(table) {
            let column = u16::try_from(table.head.len() + 1).unwrap_or(8);
            sheet.insert_chart(1, column, &chart)?;
        }
    }
    if d.shares.len() > 1 {
        rivals(&mut book, d, &all, &looks)?;
    }
    Ok(book.save_to_writer(out)?)
}

/// A name that Excel takes for a sheet.
fn sheet_name(name: &str) -> String {
    let plain: String = name.chars().filter(|c| !"[]:*?/\\'".contains(*c)).collect();
    plain.chars().take(31).collect()
}

fn fill(sheet: &mut Worksheet, table: &Table, zone: &TimeZone, looks: &Looks) -> Result<(), XlsxFailed> {
    sheet.set_name(sheet_name(&table.name))?;
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_landscape();
    sheet.set_print_fit_to_pages(1, 0);
    for (column, name) in (0u16..).zip(&table.head) {
        let longest = table.rows.iter().filter_map(|r| match r.get(usize::from(column)) {
            Some(Datum::Text(words)) => Some(words.chars().count()),
            _ => None,
        });
        let longest = longest.chain([name.chars().count()]).max().unwrap_or(0) as f64 + 2.0;
        sheet.set_column_width(column, longest.clamp(USUAL, WIDE))?;
        sheet.write_string_with_format(0, column, name, &looks.head)?;
    }
    for (row, cells) in (1u32..).zip(&table.rows) {
        for (column, datum) in (0u16..).zip(cells) {
            put(sheet, row, column, datum, zone, looks)?;
        }
    }
    Ok(())
}

fn put(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    datum: &Datum,
    zone: &TimeZone,
    looks: &Looks,
) -> Result<(), XlsxFailed> {
    match datum {
        // A string is never a formula, whoever wrote it.
        Datum::Text(words) => sheet.write_string(row, column, cut(words))?,
        Datum::Count(n) => sheet.write_number(row, column, *n as f64)?,
        Datum::Number(x) => sheet.write_number_with_format(row, column, *x, &looks.number)?,
        Datum::Share(x) => sheet.write_number_with_format(row, column, *x, &looks.share)?,
        Datum::Minutes(span) => sheet.write_number_with_format(row, column, span.as_minutes(), &looks.minutes)?,
        Datum::Time(at) => match serial_in(*at, zone) {
            Some(days) => sheet.write_number_with_format(row, column, days, &looks.time)?,
            None => sheet.write_string(row, column, at.to_string())?,
        },
        Datum::Empty => sheet,
    };
    Ok(())
}

/// The chart of a table, where a picture says more.
fn chart(table: &Table) -> Option<Chart> {
    let last = u32::try_from(table.rows.len()).ok()?;
    let sheet = sheet_name(&table.name);
    let (kind, columns): (ChartType, &[(u16, u32)]) = match table.key {
        "over_time" => (ChartType::Column, &[(1, COLOURS[0]), (2, NEGATIVE)]),
        "voice_share" => (ChartType::Bar, &[(2, COLOURS[0]), (3, COLOURS[7])]),
        "networks" | "languages" | "sites" => (ChartType::Bar, &[(1, COLOURS[0]), (2, COLOURS[7])]),
        _ => return None,
    };
    let mut chart = Chart::new(kind);
    chart.title().set_name(&table.name);
    for (column, colour) in columns {
        chart
            .add_series()
            .set_name((sheet.as_str(), 0, *column))
            .set_categories((sheet.as_str(), 1, 0, last, 0))
            .set_values((sheet.as_str(), 1, *column, last, *column))
            .set_format(ChartFormat::new().set_solid_fill(ChartSolidFill::new().set_color(Color::RGB(*colour))));
    }
    let mut grid = ChartLine::new();
    grid.set_color(Color::RGB(0xdddddd));
    if kind == ChartType::Bar {
        // The first row on top, as in the table.
        chart.y_axis().set_reverse();
        chart.x_axis().set_major_gridlines_line(&grid);
    } else {
        chart.y_axis().set_major_gridlines_line(&grid);
    }
    match table.key {
        "voice_share" => {
            chart.x_axis().set_num_format("0%");
        }
        "over_time" => {
            chart.x_axis().set_num_format(if hourly(table) { "hh:mm" } else { "yyyy-mm-dd" });
        }
        _ => {}
    }
    chart.set_width(720).set_height(360);
    chart.set_alt_text(format!("{}: {}", table.name, table.head.join(", ")));
    Some(chart)
}

/// Whether rows are less than a day apart.
fn hourly(table: &Table) -> bool {
    let mut times = table.rows.iter().filter_map(|r| match r.first() {
        Some(Datum::Time(at)) => Some(*at),
        _ => None,
    });
    times.next().zip(times.next()).is_some_and(|(a, b)| between(a, b) < Span::hours(20))
}

/// The brand and its competitors day by day, as lines.
fn rivals(book: &mut Workbook, d: &Digest, all: &[Table], looks: &Looks) -> Result<(), XlsxFailed> {
    let Some(shares) = all.iter().find(|t| t.key == "voice_share") else { return Ok(()) };
    let days: Vec<_> = d.period.days().collect();
    let name = sheet_name(&format!("{} +", shares.name));
    let sheet = book.add_worksheet();
    sheet.set_name(&name)?;
    sheet.set_freeze_panes(1, 1)?;
    sheet.set_landscape();
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_column_width(0, USUAL)?;
    for (row, day) in (1u32..).zip(&days) {
        let at = crate::model::period::midnight(*day, &d.zone);
        put(sheet, row, 0, &Datum::Time(at), &d.zone, looks)?;
    }
    let last = u32::try_from(days.len()).unwrap_or(1);
    let mut chart = Chart::new(if days.len() == 1 { ChartType::Column } else { ChartType::Line });
    chart.title().set_name(&shares.name);
    for ((column, share), colour) in (1u16..).zip(&d.shares).zip(COLOURS.iter().cycle()) {
        sheet.write_string_with_format(0, column, cut(&share.title), &looks.head)?;
        for (row, n) in (1u32..).zip(&share.days) {
            sheet.write_number(row, column, *n as f64)?;
        }
        let mut format = ChartFormat::new();
        format.set_line(ChartLine::new().set_color(Color::RGB(*colour)).set_width(2.25));
        chart
            .add_series()
            .set_name((name.as_str(), 0, column))
            .set_categories((name.as_str(), 1, 0, last, 0))
            .set_values((name.as_str(), 1, column, last, column))
            .set_format(&mut format);
    }
    chart.x_axis().set_num_format("yyyy-mm-dd");
    chart.set_width(900).set_height(420);
    let titles: Vec<&str> = d.shares.iter().map(|s| s.title.as_str()).collect();
    chart.set_alt_text(format!("{}: {}", shares.name, titles.join(", ")));
    let column = u16::try_from(d.shares.len() + 2).unwrap_or(8);
    sheet.insert_chart(1, column, &chart)?;
    Ok(())
}
