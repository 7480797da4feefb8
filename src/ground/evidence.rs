//! What an incident is about: its loudest mentions, the words that are new in them, and its chart.

use jiff::Timestamp;

use super::Knowledge;
use crate::channels::letter::ChartFacts;
use crate::engine::hot::{Hot, hot};
use crate::model::time::{Span, from_millis};
use crate::model::{Alert, Incident, Mention};
use crate::report::chart;
use crate::store::mentions::about::{self, About, Bar};
use crate::store::{Connection, Stored};

/// Mentions that a letter is made from.
const EVIDENCE: u32 = 400;
/// The chart shows so many buckets of this length.
const BUCKET: Span = Span::mins(15);
const BUCKETS: usize = 48;

/// The loudest mentions of the incident, loudest first.
///
/// # Errors
/// When they cannot be read.
pub fn loudest(c: &Connection, alert: &Alert, incident: &Incident, now: Timestamp) -> Stored<Vec<Mention>> {
    let from = (incident.opened - alert.window).min(now - alert.window).max(now - Span::days(2));
    let about = about(alert, incident);
    let mut found = about::latest(c, &about, from.as_millisecond(), now.as_millisecond(), EVIDENCE)?;
    found.retain(|m| !m.history);
    found.sort_by_key(|m| {
        let loud = m.reach.saturating_add(m.engagement.saturating_mul(20));
        (std::cmp::Reverse(m.tier == 1), std::cmp::Reverse(m.is_negative()), std::cmp::Reverse(loud), m.id)
    });
    found.truncate(200);
    Ok(found)
}

/// Mentions of before that hot words are held against, of how long before the incident, and hot words that are told.
const BEFORE: u32 = 1000;
const BEFORE_SPAN: Span = Span::days(7);
const HOT: usize = 6;

/// Words of the incident's mentions that its mentions of before did not have.
///
/// # Errors
/// When those of before cannot be read.
pub fn hot_words(
    c: &Connection,
    alert: &Alert,
    incident: &Incident,
    now: &[Mention],
    at: Timestamp,
) -> Stored<Vec<Hot>> {
    let to = (incident.opened - alert.window).min(at - alert.window);
    let from = to - BEFORE_SPAN;
    let about = about(alert, incident);
    let before = about::latest(c, &about, from.as_millisecond(), to.as_millisecond(), BEFORE)?;
    Ok(hot(now, &before, HOT))
}

/// The alert rule of an incident, or enough of one where it is gone from the rules.
pub fn alert_of(knowledge: &Knowledge, incident: &Incident) -> Alert {
    knowledge.rules.alert(&incident.alert).cloned().unwrap_or_else(|| bare_alert(incident))
}

/// Whether an incident is about a mention: its letters may quote it.
pub fn is_evidence(alert: &Alert, incident: &Incident, m: &Mention) -> bool {
    let has = |t: &String| m.topics.contains(t);
    let topics = if alert.any { alert.topics.iter().any(has) } else { alert.topics.iter().all(has) };
    let from = incident.opened - alert.window;
    topics
        && !m.history
        && m.at >= from
        && incident.resolved.is_none_or(|end| m.at <= end)
        && in_group(alert, incident, m)
}

/// Whether a mention belongs to the incident's group.
fn in_group(alert: &Alert, incident: &Incident, m: &Mention) -> bool {
    parts(alert, incident).into_iter().all(|(by, value)| match by {
        "topic" => m.topics.iter().any(|t| t == value),
        "language" => m.language == value,
        "network" => m.network == value,
        _ => m.source == value,
    })
}

/// What the incident's group is, by what its alert rule groups by; nothing where the rule grouped otherwise when it opened.
fn parts<'a>(alert: &'a Alert, incident: &'a Incident) -> Vec<(&'a str, &'a str)> {
    let by = alert.group_by.iter().map(String::as_str);
    let values: Vec<&str> = match by.len() {
        1 => vec![&incident.group],
        _ => incident.group.split('/').collect(),
    };
    let same = values.len() == by.len() && !incident.group.is_empty();
    if same { by.zip(values).collect() } else { Vec::new() }
}

/// What an incident is about: the topics of its alert rule, and what its group is.
pub fn about(alert: &Alert, incident: &Incident) -> About {
    let mut about = About::topics(&alert.topics, alert.any);
    for (by, value) in parts(alert, incident) {
        let value = value.to_owned();
        match by {
            "topic" if about.any => (about.topics, about.any) = (vec![value], false),
            "topic" if about.topics.contains(&value) => {}
            "topic" => about.topics.push(value),
            "language" => about.language = Some(value),
            "network" => about.network = Some(value),
            _ => about.source = Some(value),
        }
    }
    about
}

/// The number of the chart's first bar.
fn first_bar(now: Timestamp) -> i64 {
    now.as_millisecond().div_euclid(BUCKET.as_millis()) - BUCKETS as i64 + 1
}

/// The chart of the incident's mentions.
///
/// # Errors
/// When they cannot be counted.
pub fn chart(c: &Connection, alert: &Alert, incident: &Incident, now: Timestamp) -> Stored<ChartFacts> {
    let width = BUCKET.as_millis() / 60_000;
    let bars = about::bars(c, &about(alert, incident), first_bar(now) * width, width, BUCKETS)?;
    Ok(draw(&bars, alert, incident, now))
}

/// The chart of these mentions alone.
pub fn chart_of(mentions: &[Mention], alert: &Alert, incident: &Incident, now: Timestamp) -> ChartFacts {
    let mut bars = vec![Bar::default(); BUCKETS];
    for m in mentions {
        let slot = m.at.as_millisecond().div_euclid(BUCKET.as_millis()) - first_bar(now);
        if let Some(bar) = usize::try_from(slot).ok().and_then(|slot| bars.get_mut(slot)) {
            bar.mentions += 1;
            bar.negative += u32::from(m.is_negative());
        }
    }
    draw(&bars, alert, incident, now)
}

fn draw(bars: &[Bar], alert: &Alert, incident: &Incident, now: Timestamp) -> ChartFacts {
    let start = from_millis(first_bar(now) * BUCKET.as_millis());
    let all: Vec<u32> = bars.iter().map(|b| b.mentions).collect();
    let negative = bars.iter().map(|b| b.negative).collect();
    let share = BUCKET.as_minutes() / alert.window.as_minutes().max(1.0);
    let usual = (incident.evidence.signals.expected * share) as f32;
    let peak = all.iter().copied().max().unwrap_or(0);
    let sparkline = chart::sparkline(&all);
    let series = chart::Series { start, bucket: BUCKET, mentions: all, negative, expected: vec![usual; BUCKETS] };
    let png = match chart::png(&series) {
        Ok(png) => Some(png),
        Err(e) => {
            tracing::warn!(error = %e, "the chart cannot be drawn; the letter goes without it");
            None
        }
    };
    ChartFacts { sparkline, most: u64::from(peak), usual: f64::from(usual), png }
}

/// Enough of an alert rule for the letters of an incident whose rule is gone from the rules.
fn bare_alert(incident: &Incident) -> Alert {
    Alert {
        name: incident.alert.clone(),
        title: incident.alert.clone(),
        topics: vec![incident.topic.clone()],
        any: true,
        condition: incident.evidence.condition.clone(),
        severity: incident.severity,
        ..Alert::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_is_about_its_group() {
        let of = |any, by: &[&str], group: &str| {
            let texts = |all: &[&str]| all.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
            let alert = Alert { topics: texts(&["acme", "fire"]), any, group_by: texts(by), ..Alert::default() };
            about(&alert, &Incident { group: group.into(), ..crate::engine::incident::tests::opened() })
        };
        let both = About::topics(&["acme".into(), "fire".into()], false);
        assert_eq!(of(true, &["topic"], "fire"), About::topics(&["fire".into()], false));
        assert_eq!(of(false, &["topic"], "fire"), both);
        let sv = || Some("sv".to_owned());
        assert_eq!(of(false, &["language"], "sv"), About { language: sv(), ..both.clone() });
        let named = About { source: Some("x/1".into()), any: true, ..both.clone() };
        assert_eq!(of(true, &["source"], "x/1"), named);
        let two = About { network: Some("news".into()), language: sv(), ..both.clone() };
        assert_eq!(of(false, &["network", "language"], "news/sv"), two);
        assert_eq!(of(false, &["language"], ""), both, "it opened before the rule grouped");
        assert_eq!(of(false, &["language", "network"], "sv"), both);
    }
}
