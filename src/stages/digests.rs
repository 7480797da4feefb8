//! Periods that are over → digests in the outbox, once for each reader, however often vakt is stopped.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Stage;
use crate::channels::defang::header_text;
use crate::channels::letter::Letter;
use crate::channels::mail;
use crate::ground::{Ground, digest};
use crate::model::time::Span;
use crate::model::{Period, Person};
use crate::report::digest::show;
use crate::rules::Scheduled;
use crate::store::outbox::{self, Message};
use crate::store::{StoreError, Stored, erasures, meta};

/// How often it is looked whether one is due.
const EVERY: Span = Span::secs(30);
/// The rest after one that failed.
const REST: Span = Span::mins(5);

/// The stage that writes digests.
pub struct Digests {
    ground: Arc<Ground>,
}

impl Stage for Digests {
    const NAME: &'static str = "digests";

    async fn pass(&mut self, now: Timestamp) -> Timestamp {
        let ground = self.ground.clone();
        // Sums over a month take a while: no other stage waits for them.
        let written = tokio::task::spawn_blocking(move || one(&ground, now)).await;
        match written.map_err(|e| e.to_string()).and_then(|w| w.map_err(|e| e.to_string())) {
            Ok(true) => {
                self.ground.bells.deliver.notify_one();
                now
            }
            Ok(false) => now + EVERY,
            Err(e) => {
                tracing::error!(stage = "digests", error = e, "a digest cannot be written; it is tried again");
                now + REST
            }
        }
    }
}

impl Digests {
    /// The stage over a ground.
    pub fn new(ground: Arc<Ground>) -> Digests {
        Digests { ground }
    }
}

/// Writes the first digest that is due; says whether there was one.
fn one(ground: &Ground, now: Timestamp) -> Stored<bool> {
    let knowledge = ground.knowledge();
    for report in &knowledge.rules.reports {
        for person in report.readers.iter().filter_map(|name| knowledge.rules.people.person(name)) {
            let zone = TimeZone::get(&person.time_zone).unwrap_or(TimeZone::UTC);
            let period = due(report, &zone, now);
            let key = format!("report:{}:{}", report.name, person.name);
            let mark = period.end.to_string();
            match ground.store.read(|c| meta::get(c, &key))? {
                Some(last) if last >= mark => {}
                // Whoever asks for reports today is not sent those of before.
                None => ground.store.write_blocking(move |tx| meta::set(tx, &key, &mark))?,
                // After a long rest only the last period is told: the others are a command away.
                Some(_) => {
                    tracing::info!(
                        stage = "digests",
                        report = report.name,
                        person = person.name,
                        until = mark,
                        "digest"
                    );
                    let erased = ground.store.read(erasures::mark)?;
                    let message = compose(ground, report, person, period, &zone, now)?;
                    ground.store.write_blocking(move |tx| {
                        // What quotes somebody who has been erased meanwhile is composed again.
                        if erasures::mark(tx)? != erased {
                            return Err(StoreError::Busy);
                        }
                        if let Some(message) = &message {
                            outbox::put(tx, message)?;
                        }
                        meta::set(tx, &key, &mark)
                    })?;
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

/// The last period whose digest is to be out by now.
fn due(report: &Scheduled, zone: &TimeZone, now: Timestamp) -> Period {
    let local = now.to_zoned(zone.clone());
    let period = Period::over_by(report.period, local.date());
    // On the first day after a period its hour may be still to come: until then it is the one before.
    let early = local.date() == period.end && local.time() < report.at;
    if early { period.before() } else { period }
}

/// The mail; none where it cannot be composed, which trying again would not mend.
fn compose(
    ground: &Ground,
    report: &Scheduled,
    person: &Person,
    period: Period,
    zone: &TimeZone,
    now: Timestamp,
) -> Stored<Option<Message>> {
    let knowledge = ground.knowledge();
    let failed = |why: String| {
        tracing::error!(stage = "digests", report = report.name, error = why, "a digest cannot be composed");
        Ok(None)
    };
    let topic = match digest::topic(&knowledge.rules, report.topic.as_deref()) {
        Ok(topic) => topic,
        Err(why) => return failed(why),
    };
    let found = ground.store.read(|c| digest::gather(&knowledge, c, topic, period, zone))?;
    let own = person.languages.first().map_or("en", String::as_str);
    let shown = match show(&found, report.language.as_deref().unwrap_or(own), |_| "cid:chart".to_owned()) {
        Ok(shown) => shown,
        Err(e) => return failed(e.to_string()),
    };
    let (name, domain) = (&report.name, ground.house.domain());
    let id = format!("report.{name}.{}.{}@{domain}", period.end, person.name);
    let letter = Letter {
        subject: header_text(&shown.subject, 150),
        text: shown.text,
        html: shown.html,
        chart: (found.now.mentions > 0).then_some(shown.chart),
        message_id: format!("<{id}>"),
        in_reply_to: None,
        references: vec![format!("<report.{name}@{domain}>")],
        incident: 0,
        severity: "note",
        urgent: false,
    };
    let body = match mail::envelope_bytes(&letter, &ground.house.from, person, now) {
        Ok(body) => body,
        Err(e) => return failed(e.to_string()),
    };
    Ok(Some(Message::mail(id, person, letter.subject, body, now)))
}

#[cfg(test)]
mod tests;
