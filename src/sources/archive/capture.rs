//! A row as a mention, by the mapping of its columns.

use jiff::Timestamp;

use super::places::{country_of, kind_of, language_of, network_at, network_of};
use super::{Cell, Field, Mapping, Reading, times};
use crate::model::{Author, Capture};
use crate::text::address;

/// How the rows of an archive become mentions.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which columns hold what.
    pub mapping: Mapping,
    /// How its times are read.
    pub reading: Reading,
    /// The network where neither a column nor the address tells it.
    pub network: Option<String>,
    /// The language where no column tells it.
    pub language: Option<String>,
}

impl Plan {
    /// The mention of a row.
    ///
    /// # Errors
    /// Why it is none.
    pub fn capture(&self, cells: &[Cell]) -> Result<Capture, String> {
        let text = |field| self.text(cells, field);
        let (title, body) = (text(Field::Title), text(Field::Text));
        if title.is_none() && body.is_none() {
            return Err("it has neither title nor text".to_owned());
        }
        let published = self.published(cells)?;
        let url = text(Field::Url);
        let handle = text(Field::Handle).unwrap_or_default();
        let name = text(Field::Author).unwrap_or_else(|| handle.clone());
        let host = url.as_deref().and_then(address::canonical).map(|a| a.host);
        let host = host.or_else(|| text(Field::Site)).unwrap_or_default();
        let network = self.network(text(Field::Network).as_deref(), &host);
        let language = text(Field::Language).and_then(|word| language_of(&word)).or_else(|| self.language.clone());
        Ok(Capture {
            native_id: text(Field::Id),
            url,
            title,
            text: body.unwrap_or_default(),
            html: false,
            author: Author {
                name,
                handle,
                followers: text(Field::Followers).and_then(|t| count(&t)),
                verified: text(Field::Verified).and_then(|t| yes(&t)),
            },
            published,
            updated: None,
            language,
            network,
            reach: text(Field::Reach).and_then(|t| count(&t)),
            engagement: self.engagement(cells),
            kind: text(Field::Kind).map_or_else(String::new, |word| kind_of(&word).to_owned()),
            channel: text(Field::Channel).unwrap_or_default(),
            country: text(Field::Country).map_or_else(String::new, |word| country_of(&word)),
            tags: self.tags(cells),
            rating: text(Field::Rating).and_then(|t| stars(&t)),
            ..Capture::default()
        })
    }

    /// The network: as a column says in known words, else as the address tells, else in the column's own words.
    fn network(&self, word: Option<&str>, host: &str) -> String {
        let known = word.and_then(network_of).or_else(|| network_at(host)).map(str::to_owned);
        let other = || word.filter(|w| kind_of(w).is_empty()).map(str::to_lowercase);
        known.or_else(other).or_else(|| self.network.clone()).unwrap_or_else(|| "web".to_owned())
    }

    fn cell<'c>(&self, cells: &'c [Cell], field: Field) -> &'c Cell {
        self.mapping.column(field).and_then(|at| cells.get(at)).unwrap_or(&Cell::Empty)
    }

    fn text(&self, cells: &[Cell], field: Field) -> Option<String> {
        let words = self.cell(cells, field).show();
        let keep = matches!(field, Field::Text | Field::Title);
        let words = if keep { words } else { words.trim().to_owned() };
        (!words.trim().is_empty()).then_some(words)
    }

    /// The instant of a row; `None` where no column holds one.
    fn published(&self, cells: &[Cell]) -> Result<Option<Timestamp>, String> {
        if self.mapping.column(Field::Published).is_none() {
            return Ok(None);
        }
        let at = match self.cell(cells, Field::Published) {
            Cell::Time(date) => match self.cell(cells, Field::Time) {
                Cell::Time(time) => times::zoned(date.date().to_datetime(time.time()), &self.reading),
                Cell::Text(time) => times::instant(&format!("{} {time}", date.date()), &self.reading),
                _ => times::zoned(*date, &self.reading),
            },
            Cell::Empty => return Err("it has no date".to_owned()),
            date => {
                let (date, time) = (date.show(), self.cell(cells, Field::Time));
                let both = match time {
                    Cell::Empty => None,
                    Cell::Time(time) => times::instant(&format!("{date} {}", time.time()), &self.reading),
                    time => times::instant(&format!("{date} {}", time.show()), &self.reading),
                };
                both.or_else(|| times::instant(&date, &self.reading))
            }
        };
        let shown = || self.cell(cells, Field::Published).show().chars().take(40).collect::<String>();
        at.map(Some).ok_or_else(|| format!("`{}` is no time that vakt can read", shown()))
    }

    fn engagement(&self, cells: &[Cell]) -> Option<u64> {
        let columns = self.mapping.columns(Field::Engagement).iter();
        let counts = columns.filter_map(|at| count(&cells.get(*at)?.show()));
        counts.fold(None, |sum: Option<u64>, n| Some(sum.unwrap_or(0).saturating_add(n)))
    }

    fn tags(&self, cells: &[Cell]) -> Vec<String> {
        match self.cell(cells, Field::Tags) {
            Cell::Names(names) => names.clone(),
            cell => {
                let words = cell.show();
                words.split([',', ';', '|']).map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect()
            }
        }
    }
}

/// A count as tools write it: `1,234`, `1.234`, `1 234`, `12.5K`, `1234.0`.
fn count(text: &str) -> Option<u64> {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && *c != '\'').collect();
    let (text, times) = match text.to_lowercase() {
        t if t.ends_with('k') => (t.trim_end_matches('k').to_owned(), 1e3),
        t if t.ends_with('m') => (t.trim_end_matches('m').to_owned(), 1e6),
        t if t.ends_with('b') => (t.trim_end_matches('b').to_owned(), 1e9),
        t => (t, 1.0),
    };
    let mut groups = text.split([',', '.']);
    let first = groups.next().unwrap_or("");
    let rest: Vec<&str> = groups.collect();
    let grouped = times == 1.0 && !rest.is_empty() && matches!(first.len(), 1..=3) && rest.iter().all(|g| g.len() == 3);
    let plain = if grouped { text.replace([',', '.'], "") } else { text.replace(',', ".") };
    let number = plain.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0)? * times;
    Some(number.round() as u64)
}

fn stars(text: &str) -> Option<f32> {
    text.split('/').next()?.trim().replace(',', ".").parse().ok()
}

fn yes(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" | "ja" | "sì" | "si" | "sí" => Some(true),
        "false" | "no" | "0" | "nein" | "nej" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::archive::Order;

    fn plan(columns: &str) -> Plan {
        let columns: Vec<String> = columns.split(',').map(str::to_owned).collect();
        Plan {
            mapping: Mapping::guess(&columns, &[]).expect("no wishes"),
            reading: Reading { order: Order::DayFirst, zone: jiff::tz::TimeZone::UTC },
            network: None,
            language: Some("sv".into()),
        }
    }

    fn row(cells: &str) -> Vec<Cell> {
        cells.split('|').map(|c| Cell::of(c.to_owned())).collect()
    }

    #[test]
    fn counts_of_tools() {
        let all = ["1,234", "1.234", "1 234", "12.5K", "1.2M", "1234.0", "12,5", "0", "1,234,567", "-3", "n/a", ""];
        assert_eq!(
            all.map(count),
            [
                Some(1234),
                Some(1234),
                Some(1234),
                Some(12_500),
                Some(1_200_000),
                Some(1234),
                Some(13),
                Some(0),
                Some(1_234_567),
                None,
                None,
                None
            ]
        );
    }

    #[test]
    fn the_network_as_far_as_anybody_tells() {
        let plan = Plan { network: Some("intranet".into()), ..plan("Text") };
        let all = [
            (Some("Online News"), "reddit.com"),
            (Some("Social"), "x.com"),
            (Some("Xing"), "xing.example"),
            (Some("Comment"), "a.example"),
            (None, "forum.example"),
            (None, ""),
        ];
        let networks: Vec<String> = all.iter().map(|(word, host)| plan.network(*word, host)).collect();
        assert_eq!(networks, ["news", "x", "xing", "intranet", "forum", "intranet"]);
    }

    #[test]
    fn a_row_becomes_a_mention() {
        let plan = plan("Date,Time,Title,Url,Author,Likes,Comments,Page Type,Country,Tags,Rating");
        let capture = plan
            .capture(&row(
                "10/03/2026|8:15 PM|Acme kettles|https://www.reddit.com/r/kettles/1|Ann|1,200|3||Germany|a; b|4,5",
            ))
            .expect("a mention");
        assert_eq!(capture.published.expect("a date").to_string(), "2026-03-10T20:15:00Z");
        assert_eq!(
            (capture.network.as_str(), capture.engagement, capture.country.as_str()),
            ("reddit", Some(1203), "de")
        );
        assert_eq!((capture.tags.len(), capture.rating, capture.language.as_deref()), (2, Some(4.5), Some("sv")));
        let error = plan.capture(&row("soon||Acme||||||||")).expect_err("no time");
        assert!(error.contains("`soon`"), "{error}");
        assert!(plan.capture(&row("||Acme||||||||")).expect_err("none").contains("no date"));
        assert!(plan.capture(&row("10/03/2026||||||||||")).expect_err("none").contains("neither title nor text"));
    }
}
