//! How far the clock on the wall is ahead of UTC, so that what is usual at nine in the morning is so after clocks change.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The clock of the people that a house listens to.
#[derive(Debug, Clone)]
pub struct Wall {
    zone: TimeZone,
    now: Ahead,
    until: Option<Timestamp>,
}

/// What the wall shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// Whole hours ahead of UTC.
    pub hours: i8,
    /// Since when; the beginning of time where clocks never changed.
    pub since: Timestamp,
}

impl Wall {
    /// The clock of a zone with an IANA name; `None` for one that never differs from UTC, and for one that is not known.
    pub fn of(name: &str) -> Option<Wall> {
        let zone = TimeZone::get(name).ok()?;
        let flat = zone.to_fixed_offset().is_ok_and(|offset| offset.seconds() == 0);
        let now = Ahead { hours: 0, since: Timestamp::MIN };
        (!flat).then_some(Wall { zone, now, until: Some(Timestamp::MIN) })
    }

    /// What it shows at an instant.
    pub fn at(&mut self, now: Timestamp) -> Ahead {
        if now < self.now.since || self.until.is_some_and(|until| now >= until) {
            let seconds = self.zone.to_offset(now).seconds();
            let since = self.zone.preceding(now).next().map_or(Timestamp::MIN, |change| change.timestamp());
            self.now = Ahead { hours: i8::try_from(seconds.div_euclid(3600)).unwrap_or(0), since };
            self.until = self.zone.following(now).next().map(|change| change.timestamp());
        }
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_change_when_they_do() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let mut wall = Wall::of("Europe/Stockholm").expect("it is known");
        let change = at("2026-03-29T01:00:00Z");
        assert_eq!(wall.at(at("2026-03-29T00:59:59Z")).hours, 1);
        assert_eq!(wall.at(at("2026-03-29T01:00:01Z")), Ahead { hours: 2, since: change });
        assert_eq!(wall.at(at("2026-07-01T12:00:00Z")), Ahead { hours: 2, since: change });
        assert_eq!(wall.at(at("2026-11-01T12:00:00Z")).hours, 1);
        assert_eq!(wall.at(at("2026-07-01T12:00:00Z")).hours, 2, "time that goes back is read again");
        assert!(Wall::of("UTC").is_none() && Wall::of("Europe/Stokholm").is_none());
        assert_eq!(Wall::of("Asia/Kolkata").map(|mut w| w.at(change).hours), Some(5));
    }
}
