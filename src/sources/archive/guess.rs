//! How an archive is read where nobody says so: its columns, the order of its dates, their zone.

use std::collections::HashSet;
use std::ops::ControlFlow;

use jiff::tz::TimeZone;

use super::{Archive, ArchiveError, Cell, Field, Hint, Mapping, Order, Plan, Reading, Wish, hint};

/// How the order of day and month is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It does not matter: no date of the file could be either.
    Either,
    /// A date of the file can only be read one way: its text.
    Told(String),
    /// AM and PM stand beside the dates, as in America.
    Halves,
    /// Nothing in the file tells.
    Nothing,
}

/// What the dates of a column tell about the order of day and month.
#[derive(Default)]
struct Dates {
    /// One could be either.
    either: bool,
    /// AM or PM stands beside one.
    halves: bool,
    /// The first that can only be read one way.
    only: Option<(Order, String)>,
}

impl Dates {
    fn look(&mut self, cell: Option<&Cell>) {
        let Some(Cell::Text(text)) = cell else { return };
        match hint(text) {
            Hint::None => {}
            Hint::Either(halves) => (self.either, self.halves) = (true, self.halves | halves),
            Hint::Only(order) => self.only = self.only.take().or_else(|| Some((order, text.trim().to_owned()))),
        }
    }
}

impl Archive {
    /// Which columns hold what. A column of ids with so many twice numbers something else, such as the searches of a
    /// tool, and is left out unless it is wished for.
    ///
    /// # Errors
    /// What is wrong with the wishes.
    pub fn mapping(&self, wishes: &[Wish]) -> Result<Mapping, super::WrongMap> {
        let mut mapping = Mapping::guess(&self.columns, wishes)?;
        if !wishes.iter().any(|w| w.field == Field::Id) && self.ids_repeat(&mapping) {
            mapping.leave_out(Field::Id);
        }
        Ok(mapping)
    }

    fn ids_repeat(&self, mapping: &Mapping) -> bool {
        let Some(at) = mapping.column(Field::Id) else { return false };
        let cells = self.sample.iter().flat_map(|row| &row.cells).filter_map(|cells| cells.get(at));
        let ids: Vec<String> = cells.map(Cell::show).filter(|id| !id.is_empty()).collect();
        let different: HashSet<&String> = ids.iter().collect();
        different.len() * 10 < ids.len() * 9
    }

    /// Which of day and month stands first in its dates, and how that is known. The whole column is looked at as long as
    /// it could be either.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub fn order(&self, mapping: &Mapping) -> Result<(Order, Known), ArchiveError> {
        let Some(at) = mapping.column(Field::Published) else { return Ok((Order::DayFirst, Known::Either)) };
        let mut dates = Dates::default();
        self.sample.iter().flat_map(|row| &row.cells).for_each(|cells| dates.look(cells.get(at)));
        if dates.either && dates.only.is_none() {
            self.rows(&mut |row| {
                row.cells.iter().for_each(|cells| dates.look(cells.get(at)));
                if dates.only.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
        }
        let Dates { either, halves, only } = dates;
        Ok(match only {
            Some((order, text)) => (order, Known::Told(text)),
            None if !either => (Order::DayFirst, Known::Either),
            None if halves => (Order::MonthFirst, Known::Halves),
            None => (Order::DayFirst, Known::Nothing),
        })
    }

    /// Whether the column of dates says in its name that it holds UTC.
    pub fn says_utc(&self, mapping: &Mapping) -> bool {
        mapping.column(Field::Published).and_then(|at| self.columns.get(at)).is_some_and(|name| {
            let name = name.to_lowercase();
            name.contains("utc") || name.contains("gmt")
        })
    }

    /// How its rows become mentions, all guessed but what is wished for; `zone` is that of times without an offset.
    ///
    /// # Errors
    /// Why its rows cannot become mentions.
    pub fn plan(
        &self,
        wishes: &[Wish],
        zone: &TimeZone,
        network: Option<&str>,
        language: Option<&str>,
    ) -> Result<Plan, String> {
        let mapping = self.mapping(wishes).map_err(|e| e.to_string())?;
        let (order, _) = self.order(&mapping).map_err(|e| e.to_string())?;
        if mapping.column(Field::Text).is_none() && mapping.column(Field::Title).is_none() {
            let columns = self.columns.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(format!("no column holds what mentions say; its columns are {columns}"));
        }
        let zone = if self.says_utc(&mapping) { TimeZone::UTC } else { zone.clone() };
        Ok(Plan {
            mapping,
            reading: Reading { order, zone },
            network: network.map(str::to_owned),
            language: language.map(str::to_owned),
        })
    }
}
