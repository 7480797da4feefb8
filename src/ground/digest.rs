//! Gathers a digest from the store.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Knowledge, after};
use crate::channels::defang::{header_text, words};
use crate::engine::hot::hot;
use crate::model::time::{Span, between};
use crate::model::{Period, Topic, TopicKind};
use crate::report::chart::Series;
use crate::report::digest::{Digest, Event, Rank, Response, Share, Tally, Writer};
use crate::rules::Rules;
use crate::store::mentions::about::{self, About};
use crate::store::sums::{self, By, Order};
use crate::store::{Connection, Stored, answers, counts, incidents, mentions};

/// Rows of each list.
const ROWS: u32 = 8;
/// Stories, and competitors.
const STORIES: u32 = 6;
const RIVALS: usize = 12;
/// Mentions whose words are compared, and of the period before.
const HEARD: u32 = 1500;
const HEARD_BEFORE: u32 = 3000;
const HOT: usize = 10;

const MINUTE: i64 = 60_000;

/// The topic that a digest is about: that of a name, or the first brand of the rules.
///
/// # Errors
/// A sentence that says what to write instead.
pub fn topic<'r>(rules: &'r Rules, named: Option<&str>) -> Result<&'r Topic, String> {
    match named {
        Some(name) => rules.topic(name).ok_or_else(|| {
            let help = crate::config::fault::suggest(name, rules.topics.iter().map(|t| t.name.as_str()));
            format!("there is no topic `{name}`: {help}")
        }),
        None => {
            let brand = rules.topics.iter().find(|t| t.kind == TopicKind::Brand).or(rules.topics.first());
            brand.ok_or_else(|| "the rules have no topics".to_owned())
        }
    }
}

/// The digest of a topic and a period, whose days are those of a zone.
///
/// # Errors
/// When the database cannot be read.
pub fn gather(knowledge: &Knowledge, c: &Connection, topic: &Topic, period: Period, zone: &TimeZone) -> Stored<Digest> {
    let rules = &knowledge.rules;
    let (from, to) = period.bounds(zone);
    let (before_from, before_to) = period.before().bounds(zone);
    let (now, before) = (millis(from, to), millis(before_from, before_to));
    let name = topic.name.as_str();
    let minutes = counts_of(c, name, now)?;
    let minutes_before = counts_of(c, name, before)?;
    let (tally_now, tally_before) = (tally(&minutes), tally(&minutes_before));
    let own = [topic].into_iter();
    let rivals = rules.topics.iter().filter(|t| t.kind == TopicKind::Competitor && t.name != topic.name).take(RIVALS);
    let mut shares = Vec::new();
    for (n, t) in own.chain(rivals).enumerate() {
        let (of_now, of_before) = (counts_of(c, &t.name, now)?, counts_of(c, &t.name, before)?);
        let days = period.days().map(|day| {
            let (a, b) =
                Period { first: day, end: day.saturating_add(jiff::Span::new().days(1)), ..period }.bounds(zone);
            let within =
                |m: &&(i64, counts::Count)| m.0 * MINUTE >= a.as_millisecond() && m.0 * MINUTE < b.as_millisecond();
            of_now.iter().filter(within).map(|(_, n)| u64::from(n.mentions)).sum()
        });
        let days = days.collect();
        shares.push(Share {
            title: t.title.clone(),
            own: n == 0,
            now: tally(&of_now),
            before: tally(&of_before),
            days,
        });
    }
    let ranked = |by: By| -> Stored<Vec<Rank>> {
        let was = sums::by(c, by, name, before, 1000)?;
        let rank = |(what, n): (String, u64)| Rank {
            before: was.iter().find(|(w, _)| *w == what).map_or(0, |(_, n)| *n),
            name: words(&what, 60),
            now: n,
        };
        Ok(sums::by(c, by, name, now, ROWS)?.into_iter().map(rank).collect())
    };
    let writers = sums::writers(c, name, now, ROWS)?.into_iter().map(|a| Writer {
        name: words(&a.name, 40),
        network: words(&a.network, 20),
        mentions: a.mentions,
        reach: a.reach,
    });
    let told = |order: Order| -> Stored<Vec<_>> {
        let mut out = Vec::new();
        for (id, copies) in sums::stories(c, order, name, now, STORIES)? {
            out.extend(mentions::get(c, id)?.map(|m| (after::voice(&m, copies), m.engagement)));
        }
        Ok(out)
    };
    let (best, engagement) = told(Order::Best)?.into_iter().unzip();
    let of = About::topics(std::slice::from_ref(&topic.name), true);
    let recent = about::latest(c, &of, now.0, now.1 - 1, HEARD)?;
    let past = about::latest(c, &of, before.0, before.1 - 1, HEARD_BEFORE)?;
    let events = events(c, rules, name, from, to)?;
    let events_before = events_of(c, rules, name, before_from, before_to)?;
    Ok(Digest {
        topic: topic.name.clone(),
        title: topic.title.clone(),
        period,
        zone: zone.clone(),
        series: series(&minutes, tally_before.mentions, period, zone),
        now: tally_now,
        authors: (sums::authors(c, name, now)?, sums::authors(c, name, before)?),
        before: tally_before,
        shares,
        networks: ranked(By::Network)?,
        languages: ranked(By::Language)?,
        sites: ranked(By::Site)?,
        writers: writers.collect(),
        stories: told(Order::Loudest)?.into_iter().map(|(v, _)| v).collect(),
        best,
        engagement,
        hot: hot(&recent, &past, HOT).into_iter().map(|h| (words(&h.term, 40), h.now)).collect(),
        response: (
            response(c, &events, name, (from, to))?,
            response(c, &events_before, name, (before_from, before_to))?,
        ),
        incidents: events,
    })
}

fn millis(from: Timestamp, to: Timestamp) -> (i64, i64) {
    (from.as_millisecond(), to.as_millisecond())
}

fn counts_of(c: &Connection, topic: &str, (from, to): (i64, i64)) -> Stored<Vec<(i64, counts::Count)>> {
    counts::between(c, topic, from.div_euclid(MINUTE), to.div_euclid(MINUTE))
}

fn tally(minutes: &[(i64, counts::Count)]) -> Tally {
    let mut out = Tally::default();
    for (_, n) in minutes {
        out.mentions += u64::from(n.mentions);
        out.negative += u64::from(n.negative);
        out.positive += u64::from(n.positive);
        out.scored += u64::from(n.scored);
        out.sentiment += n.sentiment;
        out.reach = out.reach.saturating_add(n.reach);
    }
    out
}

/// Mentions by hour of a day, else by day; what is expected is the mean of the period before.
fn series(minutes: &[(i64, counts::Count)], before: u64, period: Period, zone: &TimeZone) -> Series {
    let (from, to) = period.bounds(zone);
    let mut starts: Vec<Timestamp> = period.days().map(|day| crate::model::period::midnight(day, zone)).collect();
    let mut bucket = Span::days(1);
    if starts.len() == 1 {
        bucket = Span::hours(1);
        let hours = between(from, to).as_millis() / bucket.as_millis();
        starts = (0..hours).map(|n| from + Span::hours(n)).collect();
    }
    let (mut all, mut negative) = (vec![0u32; starts.len()], vec![0u32; starts.len()]);
    for (minute, n) in minutes {
        let at = crate::model::time::from_millis(minute * MINUTE);
        let slot = starts.partition_point(|s| *s <= at).saturating_sub(1);
        if let (Some(a), Some(bad)) = (all.get_mut(slot), negative.get_mut(slot)) {
            *a += n.mentions;
            *bad += n.negative;
        }
    }
    let usual = before as f32 / starts.len().max(1) as f32;
    Series { start: from, bucket, expected: vec![usual; starts.len()], mentions: all, negative }
}

/// The incidents about a topic, or by a rule that listens to it.
fn events_of(c: &Connection, rules: &Rules, topic: &str, from: Timestamp, to: Timestamp) -> Stored<Vec<Event>> {
    let mut out = Vec::new();
    for i in incidents::opened_between(c, from, to)? {
        let alert = rules.alert(&i.alert);
        if i.topic != topic && !alert.is_some_and(|a| a.topics.iter().any(|t| t == topic)) {
            continue;
        }
        let title = alert.map_or(i.alert.as_str(), |a| a.title.as_str());
        out.push(Event {
            id: i.id,
            title: header_text(title, 80),
            severity: i.known(),
            opened: i.opened,
            taken: incidents::taken(c, i.id)?.map(|at| between(i.opened, at)),
            over: i.resolved.map(|at| between(i.opened, at)),
        });
    }
    Ok(out)
}

fn events(c: &Connection, rules: &Rules, topic: &str, from: Timestamp, to: Timestamp) -> Stored<Vec<Event>> {
    let mut out = events_of(c, rules, topic, from, to)?;
    out.sort_by_key(|e| (std::cmp::Reverse(e.severity), e.opened));
    Ok(out)
}

fn response(c: &Connection, events: &[Event], topic: &str, (from, to): (Timestamp, Timestamp)) -> Stored<Response> {
    let n = answers::numbers(c, Some(topic), from, to, to)?;
    Ok(Response {
        incidents: u64::try_from(events.len()).unwrap_or(0),
        taken: median(events.iter().filter_map(|e| e.taken).collect()),
        needed: n.needed,
        answered: n.answered,
        in_time: n.in_time,
        answer: n.median,
    })
}

/// The middle of some times; the lower of two.
fn median(mut all: Vec<Span>) -> Option<Span> {
    all.sort_unstable();
    all.get(all.len().checked_sub(1)? / 2).copied()
}
