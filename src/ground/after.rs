//! Gathers the facts of an after-action report from the store.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use super::{Knowledge, evidence};
use crate::channels::defang::{self, header_text};
use crate::channels::meanings::meaning_in;
use crate::model::time::{Span, between, from_millis};
use crate::model::{Alert, Draft, Incident, Mention, Playbook};
use crate::report::after::{Facts, Line, Sent, Statement, Step, Voice};
use crate::report::chart::Series;
use crate::store::{Connection, Stored, drafts, incidents, mentions, outbox, past, ticks};

/// Mentions that a report looks at, the first ones; and stories that it shows.
const MOST: usize = 200_000;
const VOICES: usize = 8;
/// Graphemes of a quote.
const QUOTE: usize = 280;
/// The chart has at most so many bars, of one of these lengths.
const BARS: i64 = 96;
const BUCKETS: [Span; 6] =
    [Span::mins(5), Span::mins(15), Span::hours(1), Span::hours(3), Span::hours(12), Span::days(1)];
/// The busiest stretch is one of these.
const QUARTER: Span = Span::mins(15);

/// What is known of an incident, for a reader of a language; `None` where there is no such incident.
///
/// # Errors
/// When the database cannot be read.
pub fn facts(knowledge: &Knowledge, c: &Connection, id: i64, language: &str, now: Timestamp) -> Stored<Option<Facts>> {
    let Some(incident) = incidents::get(c, id)? else { return Ok(None) };
    let rules = &knowledge.rules;
    let name = |who: &str| rules.people.person(who).map_or_else(|| who.to_owned(), |p| p.full_name.clone());
    let alert = evidence::alert_of(knowledge, &incident);
    let playbook = rules.playbook(&alert.playbook);
    let timeline: Vec<Line> = incidents::timeline(c, id)?
        .into_iter()
        .map(|e| Line { at: e.at, who: name(&e.who), what: e.what, detail: header_text(&e.detail, 4000) })
        .collect();
    let by_people = timeline.iter().filter(|l| l.who != "vakt");
    let taken = by_people.clone().find(|l| matches!(l.what.as_str(), "acknowledged" | "assigned"));
    let taken = taken.map(|l| (l.who.clone(), l.at));
    let resolved = incident.resolved.map(|at| {
        let ended = |l: &&Line| l.what == "resolved" && between(l.at, at).as_millis().abs() < 2000;
        (by_people.clone().find(ended).map_or_else(|| "vakt".to_owned(), |l| l.who.clone()), at)
    });
    let heard = Heard::of(c, &alert, &incident, now)?;
    let e = &incident.evidence;
    Ok(Some(Facts {
        incident: id,
        brand: rules.topic(&incident.topic).map_or_else(|| incident.topic.clone(), |t| t.title.clone()),
        title: alert.title.clone(),
        condition: e.condition.clone(),
        terms: e
            .terms
            .iter()
            .map(|t| (meaning_in(language, &t.signal), t.value, format!("{} {}", t.op, trimmed(t.threshold))))
            .collect(),
        severity: incident.known(),
        status: incident.status,
        drill: incident.drill.is_some(),
        shadow: incident.shadow,
        first: heard.first.map(|(at, _)| at),
        received: heard.first.map(|(_, received)| received),
        opened: incident.opened,
        taken,
        resolved,
        target: target(playbook, &incident),
        window: alert.window,
        peak: (incident.peak.max(e.signals.mentions), e.signals.expected),
        busiest: heard.busiest(),
        mentions: heard.mentions,
        negative: heard.negative,
        authors: u64::try_from(heard.authors.len()).unwrap_or(0),
        reach: heard.reach,
        networks: most_first(&heard.networks),
        languages: most_first(&heard.languages),
        series: heard.series(&alert, &incident),
        voices: heard.voices(c, &incident)?,
        sent: outbox::of_incident(c, id)?
            .into_iter()
            .map(|t| Sent {
                person: name(&t.person),
                channel: t.channel,
                state: t.state,
                created: t.created,
                done: t.done,
            })
            .collect(),
        statements: drafts::of_incident(c, id)?.iter().map(|d| statement(d, &name)).collect(),
        steps: steps(c, playbook, &incident, &name)?,
        timeline,
        now,
        summary: None,
    }))
}

/// A threshold as it was written: no places that say nothing.
fn trimmed(x: f64) -> String {
    let text = format!("{x:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// How soon an incident of its severity is to be answered.
pub(super) fn target(playbook: Option<&Playbook>, incident: &Incident) -> Option<Span> {
    let targets = playbook.map_or(&[][..], |p| p.targets.as_slice());
    targets.iter().rfind(|(severity, _)| *severity <= incident.known()).map(|(_, within)| *within)
}

fn most_first(counts: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut all: Vec<(String, u64)> = counts.iter().map(|(name, n)| (header_text(name, 40), *n)).collect();
    all.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    all
}

fn statement(d: &Draft, name: &impl Fn(&str) -> String) -> Statement {
    let marked = |m: &crate::model::draft::Mark| (name(&m.by), m.at, header_text(&m.note, 600));
    Statement {
        draft: d.id,
        language: d.language.clone(),
        network: d.network.map(|n| n.title().to_owned()).unwrap_or_default(),
        text: d.text.clone(),
        machine: d.machine.as_ref().map(|m| header_text(&m.model, 60)).unwrap_or_default(),
        authors: d.authors.iter().map(|a| name(a)).collect(),
        approvals: d.approvals.iter().map(|m| (name(&m.by), m.at)).collect(),
        asked: d.asked,
        rejected: d.rejected.as_ref().map(marked),
        handed_over: d.handed_over.as_ref().map(marked),
    }
}

fn steps(
    c: &Connection,
    playbook: Option<&Playbook>,
    incident: &Incident,
    name: &impl Fn(&str) -> String,
) -> Stored<Vec<Step>> {
    let done = ticks::of_incident(c, incident.id)?;
    let tasks = playbook.and_then(|p| p.guides.first()).map_or(&[][..], |g| g.checklist.as_slice());
    let step = |(n, task): (u32, &crate::model::playbook::Task)| Step {
        role: task.role.clone(),
        what: task.what.clone(),
        due: task.due_for(incident.known()).map(|due| incident.opened + due),
        done: done.iter().find(|t| t.step == n).map(|t| (name(&t.who), t.at)),
    };
    Ok((1..).zip(tasks).map(step).collect())
}

/// A story as far as it was heard: its mentions, and the loudest of them with its reach.
#[derive(Default)]
struct Told {
    copies: u64,
    loudest: (u64, i64),
}

/// What was heard of an incident, one mention after the other.
#[derive(Default)]
struct Heard {
    first: Option<(Timestamp, Timestamp)>,
    /// Event time, and whether it is negative.
    times: Vec<(i64, bool)>,
    from: i64,
    to: i64,
    mentions: u64,
    negative: u64,
    reach: u64,
    authors: HashSet<u64>,
    networks: BTreeMap<String, u64>,
    languages: BTreeMap<String, u64>,
    stories: HashMap<i64, Told>,
}

impl Heard {
    fn of(c: &Connection, alert: &Alert, incident: &Incident, now: Timestamp) -> Stored<Heard> {
        let from = (incident.opened - alert.window).as_millisecond();
        let to = incident.resolved.unwrap_or(now).as_millisecond();
        let mut heard = Heard { from, to, ..Heard::default() };
        match &incident.drill {
            // Nothing of an exercise is in the store.
            Some(drill) => drill.mentions.iter().for_each(|m| heard.hear(m)),
            None => {
                let mut keys = past::keys(c, Some(&alert.topics), from, to.saturating_add(1))?;
                keys.truncate(MOST);
                mentions::visit(c, keys.into_iter().map(|(_, id)| id), |m| {
                    if evidence::is_evidence(alert, incident, &m) {
                        heard.hear(&m);
                    }
                })?;
            }
        }
        Ok(heard)
    }

    fn hear(&mut self, m: &Mention) {
        if self.first.is_none_or(|(at, _)| m.at < at) {
            self.first = Some((m.at, m.received));
        }
        let bad = m.is_negative();
        self.times.push((m.at.as_millisecond(), bad));
        self.mentions += 1;
        self.negative += u64::from(bad);
        self.reach = self.reach.saturating_add(m.reach);
        let author = format!("{}\u{0}{}", m.network, m.author.identity());
        self.authors.insert(xxhash_rust::xxh3::xxh3_64(author.as_bytes()));
        // What a stranger's server calls a network or a language is kept short, and few of them.
        for (counts, name) in [(&mut self.networks, &m.network), (&mut self.languages, &m.language)] {
            if counts.len() < 200 || counts.contains_key(name) {
                *counts.entry(name.clone()).or_default() += 1;
            }
        }
        let story = self.stories.entry(if m.story == 0 { -m.id } else { m.story }).or_default();
        story.copies += 1;
        if story.copies == 1 || m.reach > story.loudest.0 {
            story.loudest = (m.reach, m.id);
        }
    }

    fn busiest(&self) -> Option<(Timestamp, u32)> {
        let mut quarters: BTreeMap<i64, u32> = BTreeMap::new();
        for (at, _) in &self.times {
            *quarters.entry(at.div_euclid(QUARTER.as_millis())).or_default() += 1;
        }
        // The first of several.
        let best = quarters.into_iter().rev().max_by_key(|(_, n)| *n);
        best.map(|(quarter, n)| (from_millis(quarter * QUARTER.as_millis()), n))
    }

    fn series(&self, alert: &Alert, incident: &Incident) -> Series {
        let length = Span::millis((self.to - self.from).max(1));
        let fits = |b: &&Span| length.as_millis() / b.as_millis() < BARS;
        let bucket = BUCKETS.iter().find(fits).or(BUCKETS.last()).copied().unwrap_or(Span::days(1));
        let width = bucket.as_millis();
        let first = self.from.div_euclid(width);
        // What goes on for longer than the chart can show is shown by its beginning.
        let slots = usize::try_from((self.to.div_euclid(width) - first + 1).min(BARS)).unwrap_or(1);
        let (mut mentions, mut negative) = (vec![0u32; slots], vec![0u32; slots]);
        for (at, bad) in &self.times {
            let slot = usize::try_from(at.div_euclid(width) - first).unwrap_or(usize::MAX);
            if let (Some(all), Some(n)) = (mentions.get_mut(slot), negative.get_mut(slot)) {
                *all += 1;
                *n += u32::from(*bad);
            }
        }
        let share = bucket.as_minutes() / alert.window.as_minutes().max(1.0);
        let usual = (incident.evidence.signals.expected * share) as f32;
        Series { start: from_millis(first * width), bucket, mentions, negative, expected: vec![usual; slots] }
    }

    /// The loudest stories: those that reach most, with the mention of each that reaches most.
    fn voices(&self, c: &Connection, incident: &Incident) -> Stored<Vec<Voice>> {
        let mut stories: Vec<&Told> = self.stories.values().collect();
        stories.sort_by_key(|t| (std::cmp::Reverse((t.loudest.0, t.copies)), t.loudest.1));
        let mut out = Vec::new();
        for told in stories.into_iter().take(VOICES) {
            let id = told.loudest.1;
            let found = match &incident.drill {
                // What was invented is in no store.
                Some(drill) => drill.mentions.iter().find(|m| m.id == id).cloned(),
                None => mentions::get(c, id)?,
            };
            out.extend(found.map(|m| voice(&m, told.copies)));
        }
        Ok(out)
    }
}

/// A mention's own words, safe to show.
pub(super) fn voice(m: &Mention, copies: u64) -> Voice {
    let who = if m.author.name.is_empty() { &m.author.handle } else { &m.author.name };
    Voice {
        place: defang::words(if m.site.is_empty() { &m.source } else { &m.site }, 60),
        network: defang::words(&m.network, 20),
        author: defang::words(who, 40),
        title: defang::words(&m.title, 120),
        quote: defang::words(&m.text, QUOTE),
        link: defang::link(&m.url).map(|l| l.shown).unwrap_or_default(),
        language: header_text(&m.language, 8),
        reach: m.reach,
        copies,
        negative: m.is_negative(),
        at: m.at,
    }
}
