//! `[[policy]]`: who is told in which order.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::super::{Place, calendar};
use super::{hours, time_zone};
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Policy, Severity, Step};

/// Whoever has an incident has it for so long unless the policy says otherwise.
const LAPSE: Span = Span::mins(60);

#[derive(Debug)]
pub(in crate::rules) struct Written {
    pub(in crate::rules) name: Place,
    /// Each step with the places of its names.
    pub(super) steps: Vec<(Vec<Place>, Step)>,
    pub(super) last_resort: Vec<Place>,
    /// Calendars whose whole days are days off.
    pub(super) holidays: Vec<Place>,
    repeat: u32,
    lapse: Option<Span>,
    time_zone: Option<String>,
}

pub(super) fn read(form: Form<'_>) -> Option<Written> {
    let desk = form.desk;
    let name = form.must_name();
    let zone = time_zone(&form);
    let mut steps = Vec::new();
    for step in form.tables("steps", "step") {
        let notify: Vec<Place> = step.texts("notify").into_iter().map(|n| Place::new(desk, n)).collect();
        let wait = step.span("wait").map_or(Span::mins(15), |w| w.value);
        if notify.is_empty() {
            desk.error(step.span.clone(), "this step calls nobody", "add notify = [\"a person, team or schedule\"]");
        }
        if wait < Span::mins(1) {
            desk.error(step.span.clone(), "a step waits for at least a minute", "write wait = \"15m\"");
        }
        let from = step.choice("from", &Severity::ALL.map(Severity::as_str), Severity::parse).map(|s| s.value);
        let only = hours(&step, "only");
        let working_day = step.flag("working_day").map(|f| f.value);
        if zone.is_none() && (!only.is_empty() || working_day.is_some()) {
            let help = "add time_zone = \"Europe/Stockholm\" to the policy";
            desk.error(step.span.clone(), "hours and working days need the policy's time zone", help);
        }
        let names = notify.iter().map(|n| n.name().to_owned()).collect();
        steps.push((notify, Step { notify: names, wait, from, only, working_day }));
        step.finish();
    }
    let repeat = form.number("repeat", 1..=20).map_or(1, |r| u32::try_from(r.value).unwrap_or(1));
    let lapse = form.span("ack_lapses");
    if let Some(short) = lapse.as_ref().filter(|l| l.value < Span::mins(5) && l.value != Span::ZERO) {
        let help = "write ack_lapses = \"1h\", or \"0m\" for never";
        desk.error(short.span.clone(), "whoever has an incident needs five minutes at least", help);
    }
    // Without a word it is an hour; nothing means never.
    let lapse = Some(lapse.map_or(LAPSE, |l| l.value)).filter(|l| *l != Span::ZERO);
    let places = |key| form.texts(key).into_iter().map(|n| Place::new(desk, n)).collect::<Vec<_>>();
    let (last_resort, holidays) = (places("last_resort"), places("holidays"));
    form.finish();
    let name = name?;
    if steps.is_empty() {
        desk.error(
            name.span.clone(),
            format!("policy `{}` has no steps", name.value),
            "add steps = [{ notify = [\"team\"], wait = \"15m\" }]",
        );
    }
    let time_zone = zone.map(|z| z.value);
    Some(Written { name: Place::new(desk, name), steps, last_resort, holidays, repeat, lapse, time_zone })
}

impl Written {
    /// Everything that it names to be called.
    pub(super) fn called(&self) -> impl Iterator<Item = &Place> {
        self.steps.iter().flat_map(|(names, _)| names).chain(&self.last_resort)
    }

    pub(super) fn meant(&self, calendar: &calendar::Read) -> Policy {
        // Whole days are those of the brand's zone, whichever zone the policy is in.
        let zone = TimeZone::get(&calendar.zone).unwrap_or(TimeZone::UTC);
        let off = |p: &&crate::model::Planned| p.whole_day && self.holidays.iter().any(|h| h.name() == p.calendar);
        let mut days_off: Vec<Date> = Vec::new();
        for planned in calendar.planned.iter().filter(off) {
            let (first, end) = (planned.from.to_zoned(zone.clone()).date(), planned.to.to_zoned(zone.clone()).date());
            days_off.extend(first.series(jiff::ToSpan::day(1)).take_while(|d| *d < end));
        }
        days_off.sort_unstable();
        days_off.dedup();
        Policy {
            name: self.name.name().to_owned(),
            steps: self.steps.iter().map(|(_, step)| step.clone()).collect(),
            repeat: self.repeat,
            lapse: self.lapse,
            last_resort: self.last_resort.iter().map(|n| n.name().to_owned()).collect(),
            time_zone: self.time_zone.clone().unwrap_or_else(|| "UTC".to_owned()),
            days_off,
        }
    }
}
