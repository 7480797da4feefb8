//! Plays a test: its mentions through the engine by its clock, and what it expects beside what is.

use jiff::Timestamp;

use super::{cast, crowd};
use crate::engine::acts;
use crate::engine::condition::Condition;
use crate::engine::replay::{Compiled, Happening, Replay};
use crate::ground::Knowledge;
use crate::model::time::{Span, between};
use crate::model::{Alert, Evidence, Incident, Mention, Planned, Silence, Status, Term};
use crate::rules::Rules;
use crate::rules::cases::{Act, Case, Deed, Expect, Heard, Which};

/// What became of a test.
#[derive(Debug)]
pub(super) struct Outcome {
    /// What was not as expected.
    pub(super) misses: Vec<Miss>,
    /// What happened.
    pub(super) log: Vec<Happening>,
    /// Mentions that it took, the quiet past among them.
    pub(super) mentions: usize,
}

/// Something that was not as expected.
#[derive(Debug)]
pub(super) struct Miss {
    /// The line of the expectation.
    pub(super) line: usize,
    /// When it should have been.
    pub(super) at: Span,
    /// What was expected.
    pub(super) expected: String,
    /// What was instead, sentence by sentence.
    pub(super) instead: Vec<String>,
    /// How near a rule came that did not ring, or to a severity that it did not reach.
    pub(super) near: Option<Near>,
}

/// How near a rule came.
#[derive(Debug)]
pub(super) struct Near {
    pub(super) alert: String,
    pub(super) group: String,
    /// When it came nearest, after the beginning; `None` for an incident at its worst.
    pub(super) at: Option<Span>,
    /// Its comparisons beside what was seen.
    pub(super) terms: Vec<Term>,
    /// All of them held, but not for as long as the rule asks for.
    pub(super) hold: Option<(Span, Span)>,
}

/// The rules that tests are played by.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) knowledge: Knowledge,
    compiled: Compiled,
    window: Span,
    /// What the calendar holds around some times: tests have their own, whenever they are played.
    plans: Vec<(Timestamp, Vec<Planned>)>,
}

/// What the calendar holds is good for so long to both sides of the time that it was read for.
const AROUND: Span = Span::days(180);

enum Mark<'c> {
    Act(&'c Act),
    Expect(&'c Expect),
}

impl Stage {
    /// A stage for tests, whose rules were read for any time.
    pub(super) fn new(knowledge: Knowledge, cases: &[&Case]) -> Stage {
        let rules = &knowledge.rules;
        let mut plans = vec![(rules.around, rules.calendar.clone())];
        for case in cases {
            let known = plans.iter().any(|(around, _)| apart(*around, case.start) <= AROUND);
            if let Some(there) = (!known).then(|| Rules::read(rules.sheets.clone(), case.start).ok()).flatten() {
                plans.push((case.start, there.calendar));
            }
        }
        let compiled = Compiled::new(&rules.alerts);
        let window = rules.alerts.iter().map(|a| a.window).max().unwrap_or(Span::ZERO);
        Stage { knowledge, compiled, window, plans }
    }

    /// The engine before a test begins.
    fn replay(&self, case: &Case) -> Replay<'_> {
        let rules = &self.knowledge.rules;
        let plan = self.plans.iter().min_by_key(|(around, _)| apart(*around, case.start));
        let planned = plan.map(|(_, planned)| planned.as_slice()).unwrap_or_default();
        Replay::of(&self.compiled, &rules.alerts, &rules.people).with_plan(planned).in_zone(&rules.time_zone)
    }

    /// Plays a test.
    pub(super) fn play(&self, case: &Case) -> Outcome {
        let mentions = match cast::mentions(&self.knowledge, case, self.window) {
            Ok(mentions) => mentions,
            Err(why) => {
                let expected = "mentions that can be read".to_owned();
                let miss = Miss { line: case.place.1, at: Span::ZERO, expected, instead: vec![why], near: None };
                return Outcome { misses: vec![miss], log: Vec::new(), mentions: 0 };
            }
        };
        let mut replay = self.replay(case);
        let mut marks: Vec<(Span, Mark<'_>)> = case.acts.iter().map(|a| (a.at, Mark::Act(a))).collect();
        marks.extend(case.expects.iter().map(|e| (e.at, Mark::Expect(e))));
        marks.sort_by_key(|(at, _)| *at);
        let mut coming = mentions.iter().peekable();
        let mut misses = Vec::new();
        for (at, mark) in marks {
            let now = case.start + at;
            while let Some(m) = coming.next_if(|m| m.at <= now) {
                replay.feed(m);
            }
            replay.until(now);
            match mark {
                Mark::Act(act) => carry_out(&mut replay, act),
                Mark::Expect(expect) => {
                    Judge { stage: self, case, expect, replay: &replay, mentions: &mentions }.all(&mut misses)
                }
            }
        }
        Outcome { misses, log: replay.log().to_vec(), mentions: mentions.len() }
    }

    /// When a rule came nearest to ringing until an instant, and how near.
    fn nearest(&self, case: &Case, mentions: &[Mention], alert: &str, until: Timestamp) -> Option<Near> {
        let rule = self.knowledge.rules.alert(alert)?;
        let mut replay = self.replay(case);
        let mut best: Option<(f64, Timestamp, String, Evidence)> = None;
        let mut look = |replay: &mut Replay<'_>, at: Timestamp| {
            for (group, evidence) in replay.peek(alert) {
                let far = distance(&evidence.terms) - evidence.held.as_minutes() * 1e-6;
                if best.as_ref().is_none_or(|(least, ..)| far < *least) {
                    best = Some((far, at, group, evidence));
                }
            }
        };
        let (mut acts, mut due) = (case.acts.iter().peekable(), case.start);
        for m in mentions.iter().filter(|m| m.at <= until) {
            while let Some(act) = acts.next_if(|a| case.start + a.at <= m.at) {
                replay.until(case.start + act.at);
                carry_out(&mut replay, act);
            }
            replay.feed(m);
            // Only what came since the test began is of interest, and of many mentions not each.
            if m.at >= due {
                look(&mut replay, m.at);
                due = m.at + Span::secs(if mentions.len() > 5000 { 60 } else { 1 });
            }
        }
        replay.until(until);
        look(&mut replay, until);
        let (_, at, group, evidence) = best?;
        let all = evidence.terms.iter().all(|t| t.held);
        let hold = (all && rule.hold > Span::ZERO).then_some((evidence.held, rule.hold));
        let at = Some(between(case.start, at));
        Some(Near { alert: alert.to_owned(), group, at, terms: evidence.terms, hold })
    }
}

/// The time between two instants, whichever is the first.
fn apart(a: Timestamp, b: Timestamp) -> Span {
    between(a.min(b), a.max(b))
}

fn carry_out(replay: &mut Replay<'_>, act: &Act) {
    let Some(now) = replay.now() else { return };
    if let Deed::Silence(span, upto, topic) = &act.deed {
        let (from, until, upto) = (now, now + *span, *upto);
        let (alert, topic) = (act.alert.clone(), topic.clone());
        replay.silence(Silence { id: 0, alert, topic, upto, from, until, by: act.by.clone(), reason: String::new() });
        return;
    }
    let over = act.deed == Deed::Reopen;
    let meant = |i: &&Incident| {
        Some(&i.alert) == act.alert.as_ref()
            && act.group.as_ref().is_none_or(|g| *g == i.group)
            && (i.status == Status::Resolved) == over
    };
    let ids: Vec<i64> = replay.incidents().iter().filter(meant).map(|i| i.id).collect();
    let does = match &act.deed {
        Deed::Acknowledge(_) => acts::Act::Acknowledge,
        Deed::Resolve => acts::Act::Resolve,
        Deed::Snooze(span) => acts::Act::Snooze(now + *span),
        Deed::Reopen => acts::Act::Reopen,
        Deed::Assign(to) => acts::Act::Assign(to.clone()),
        Deed::Severity(severity) => acts::Act::Severity(*severity),
        Deed::Split => acts::Act::Split,
        Deed::Merge(into) => {
            let whole = replay.incidents().iter().find(|i| i.alert == *into && i.status != Status::Resolved);
            let Some(whole) = whole.map(|i| i.id) else { return };
            ids.into_iter().for_each(|part| replay.merge(part, whole));
            return;
        }
        Deed::Silence(..) => return,
    };
    ids.into_iter().for_each(|id| replay.act(id, &act.by, &does));
}

/// Whether a mention is for a rule over topics.
fn is_for(rule: &Alert, m: &Mention) -> bool {
    let matches = |t: &String| m.topics.contains(t);
    if rule.any { rule.topics.iter().any(matches) } else { rule.topics.iter().all(matches) }
}

/// Mentions that a rule did not hear, as far as they are shown.
const MOST_OTHERS: usize = 3;

/// How far comparisons are from holding: those that do not hold, and by how much of their thresholds they fail.
fn distance(terms: &[Term]) -> f64 {
    let gap = |t: &Term| 1.0 + ((t.value - t.threshold).abs() / t.threshold.abs().max(1.0)).min(1e3) * 1e-3;
    terms.iter().filter(|t| !t.held).map(gap).sum()
}

/// Holds one expectation against what is.
struct Judge<'j> {
    stage: &'j Stage,
    case: &'j Case,
    expect: &'j Expect,
    replay: &'j Replay<'j>,
    mentions: &'j [Mention],
}

impl Judge<'_> {
    fn after(&self, at: Timestamp) -> String {
        super::show::clock(between(self.case.start, at))
    }

    fn all(&self, misses: &mut Vec<Miss>) {
        let e = self.expect;
        let wanted = e.open.iter().filter_map(|w| self.open(w));
        let found = wanted.chain(self.others()).chain(e.quiet.iter().filter_map(|a| self.quiet(a)));
        let found = found.chain(e.muted.iter().filter_map(|a| self.muted(a)));
        let found = found.chain(e.shadow.iter().filter_map(|a| self.shadow(a)));
        let found = found.chain(e.over.iter().filter_map(|a| self.over(a)));
        let found = found.chain(e.told.iter().filter_map(|h| self.told(h)));
        misses.extend(found.chain(e.untold.iter().filter_map(|who| self.untold(who))));
    }

    fn miss(&self, expected: impl Into<String>, instead: Vec<String>) -> Miss {
        Miss { line: self.expect.line, at: self.expect.at, expected: expected.into(), instead, near: None }
    }

    fn of<'a>(&'a self, alert: &'a str) -> impl Iterator<Item = &'a Incident> {
        self.replay.incidents().iter().filter(move |i| i.alert == alert)
    }

    fn is_meant(which: &Which, i: &Incident) -> bool {
        i.alert == which.alert && which.group.as_ref().is_none_or(|g| *g == i.group)
    }

    fn open(&self, which: &Which) -> Option<Miss> {
        let severe = |s| which.severity.is_none_or(|w| w == s);
        let meant = |i: &&Incident| Self::is_meant(which, i);
        let all = self.replay.incidents();
        let right = match self.expect.by {
            false => all.iter().filter(meant).any(|i| i.status != Status::Resolved && severe(i.severity)),
            true => {
                let of = |h: &&Happening| h.alert == which.alert && which.group.as_ref().is_none_or(|g| *g == h.group);
                self.replay.log().iter().filter(of).any(|h| severe(h.severity))
            }
        };
        if right {
            return None;
        }
        let group = which.group.as_ref().map(|g| format!(" of {g}")).unwrap_or_default();
        let severity = which.severity.map(|s| format!(" at {s}")).unwrap_or_default();
        let verb = if self.expect.by { "has opened" } else { "is open" };
        let expected = format!("{}{group} {verb}{severity}", which.alert);
        let found: Vec<&Incident> = all.iter().filter(|i| i.alert == which.alert).collect();
        let mut miss = self.miss(expected, found.iter().map(|i| self.about(i)).collect());
        match found.iter().rev().find(|i| meant(i)) {
            Some(i) => miss.near = self.near_severity(which, i),
            None if found.is_empty() => self.explain(&which.alert, &mut miss),
            None => {}
        }
        Some(miss)
    }

    /// Why a rule has not rung.
    fn explain(&self, alert: &str, miss: &mut Miss) {
        miss.instead.push("it has not rung".to_owned());
        let until = self.case.start + self.expect.at;
        miss.near = self.stage.nearest(self.case, self.mentions, alert, until);
        let Some(rule) = self.stage.knowledge.rules.alert(alert) else { return };
        let few = |near: &Near| near.terms.iter().any(|t| !t.held && t.signal == "mentions");
        if miss.near.as_ref().is_some_and(few) && rule.silence_of.is_empty() {
            let so_far = self.mentions.iter().filter(|m| m.at >= self.case.start && m.at <= until);
            let others = so_far.filter(|m| !crowd::is_made_up(m) && !is_for(rule, m));
            miss.instead.extend(others.take(MOST_OTHERS).map(|m| {
                let text = crate::cli::safe(if m.text.is_empty() { &m.title } else { &m.text }, 60);
                let topics = if m.topics.is_empty() { "no topic".to_owned() } else { m.topics.join(", ") };
                format!("it did not hear “{text}” ({topics})")
            }));
        }
        if miss.near.is_none() {
            let wanted = rule.topics.join(", ");
            let mut heard: Vec<(String, usize)> = Vec::new();
            for m in self.mentions.iter().filter(|m| m.at >= self.case.start && m.at <= until) {
                let topics = if m.topics.is_empty() { "none".to_owned() } else { m.topics.join("+") };
                match heard.iter_mut().find(|(t, _)| *t == topics) {
                    Some((_, n)) => *n += 1,
                    None => heard.push((topics, 1)),
                }
            }
            heard.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
            let heard: Vec<String> = heard.into_iter().take(5).map(|(t, n)| format!("{n} × {t}")).collect();
            let heard = if heard.is_empty() { "nothing was said".to_owned() } else { heard.join(", ") };
            miss.instead.push(format!("no mention was for it; it listens to {wanted}, and the mentions have: {heard}"));
        }
    }

    /// The conditions that would have raised an incident so far, beside what was seen.
    fn near_severity(&self, which: &Which, i: &Incident) -> Option<Near> {
        let wanted = which.severity.filter(|s| *s > i.severity)?;
        let alert = self.stage.knowledge.rules.alert(&which.alert)?;
        let raises = alert.raise.iter().filter(|r| r.to == wanted).filter_map(|r| Condition::parse(&r.when).ok());
        let terms: Vec<Term> = raises.flat_map(|c| c.terms(&i.evidence.signals)).collect();
        let near = Near { alert: i.alert.clone(), group: i.group.clone(), at: None, terms, hold: None };
        (!near.terms.is_empty()).then_some(near)
    }

    /// An incident in a sentence.
    fn about(&self, i: &Incident) -> String {
        let group = if i.group.is_empty() { String::new() } else { format!(" of {}", i.group) };
        let stand = match i.status {
            Status::Resolved => {
                format!("over since {}", i.resolved.map(|at| self.after(at)).unwrap_or_default())
            }
            status => format!("{} at {}", status.as_str(), i.severity),
        };
        let mute = i.muted_by.map(|by| format!(", muted by #{by}")).unwrap_or_default();
        let shadow = if i.shadow { ", only tried out" } else { "" };
        format!("#{} {}{group} opened at {} and is {stand}{mute}{shadow}", i.id, i.alert, self.after(i.opened))
    }

    fn others(&self) -> Option<Miss> {
        let named = |i: &Incident| self.expect.open.iter().any(|w| Self::is_meant(w, i));
        // What is only tried out rings for nobody.
        let open = self.replay.incidents().iter();
        let open = open.filter(|i| i.status != Status::Resolved && !i.shadow && !named(i));
        let others: Vec<String> = open.map(|i| self.about(i)).collect();
        (self.expect.only && !others.is_empty()).then(|| self.miss("nothing else is open", others))
    }

    fn quiet(&self, alert: &str) -> Option<Miss> {
        let meant = |i: &&Incident| if alert == "*" { !i.shadow } else { i.alert == alert };
        let rang = self.replay.incidents().iter().filter(meant);
        let rang: Vec<&Incident> = rang.collect();
        let first = rang.first()?;
        let what = if alert == "*" { "nothing has rung".to_owned() } else { format!("{alert} has not rung") };
        let mut miss = self.miss(what, rang.iter().map(|i| self.about(i)).collect());
        miss.near = Some(Near {
            alert: first.alert.clone(),
            group: first.group.clone(),
            at: None,
            terms: first.evidence.terms.clone(),
            hold: None,
        });
        Some(miss)
    }

    fn muted(&self, alert: &str) -> Option<Miss> {
        let is = self.of(alert).any(|i| i.status != Status::Resolved && i.muted_by.is_some());
        (!is).then(|| self.rang_or_not(alert, format!("{alert} is open and muted by a crisis")))
    }

    fn shadow(&self, alert: &str) -> Option<Miss> {
        let is = self.of(alert).any(|i| i.shadow);
        (!is).then(|| self.rang_or_not(alert, format!("{alert} has rung, being only tried out")))
    }

    fn over(&self, alert: &str) -> Option<Miss> {
        let mut of = self.of(alert).peekable();
        let is = of.peek().is_some() && of.all(|i| i.status == Status::Resolved);
        (!is).then(|| self.rang_or_not(alert, format!("{alert} has rung and is over")))
    }

    fn rang_or_not(&self, alert: &str, expected: String) -> Miss {
        let mut miss = self.miss(expected, self.of(alert).map(|i| self.about(i)).collect());
        if miss.instead.is_empty() {
            self.explain(alert, &mut miss);
        }
        miss
    }

    /// Everything that somebody was told.
    fn tellings(&self, who: &str) -> Vec<&Happening> {
        self.replay.log().iter().filter(|h| !h.shadow && h.told.iter().any(|t| t == who)).collect()
    }

    fn persons(&self, who: &str) -> Vec<String> {
        let people = &self.stage.knowledge.rules.people;
        let at = self.case.start + self.expect.at;
        people.reach(&[who.to_owned()], at).into_iter().map(|p| p.name.clone()).collect()
    }

    fn told(&self, heard: &Heard) -> Option<Miss> {
        let by = heard.by.unwrap_or(self.expect.at).min(self.expect.at);
        let right = |h: &&Happening| {
            let at = between(self.case.start, h.at);
            at <= by
                && heard.from.is_none_or(|from| at >= from)
                && heard.notice.is_none_or(|n| n == h.notice)
                && heard.alert.as_ref().is_none_or(|a| *a == h.alert)
        };
        let persons = self.persons(&heard.who);
        let missed: Vec<String> = persons.into_iter().filter(|p| !self.tellings(p).iter().any(right)).collect();
        let of = heard.alert.as_ref().map(|a| format!(" of {a}")).unwrap_or_default();
        let notice = heard.notice.map(|n| format!(" that it is {}", n.as_str())).unwrap_or_default();
        let from = heard.from.map(|f| format!(" from {}", super::show::clock(f))).unwrap_or_default();
        let by = super::show::clock(by);
        let expected = format!("{} told{of}{notice}{from} by {by}", missed.join(", "));
        let instead = missed.iter().map(|p| self.heard_by(p)).collect();
        (!missed.is_empty()).then(|| self.miss(expected, instead))
    }

    fn untold(&self, who: &str) -> Option<Miss> {
        let persons = self.persons(who).into_iter();
        let told: Vec<String> = persons.filter(|p| !self.tellings(p).is_empty()).collect();
        let instead = told.iter().map(|p| self.heard_by(p)).collect();
        (!told.is_empty()).then(|| self.miss(format!("{} told nothing", told.join(", ")), instead))
    }

    /// What somebody was told, in a sentence.
    fn heard_by(&self, person: &str) -> String {
        let all = self.tellings(person);
        let one = |h: &&Happening| format!("{} {} {}", self.after(h.at), h.alert, h.notice.as_str());
        let mut list: Vec<String> = all.iter().take(MOST_TELLINGS).map(one).collect();
        if all.len() > list.len() {
            list.push(format!("… and {} more", all.len() - list.len()));
        }
        if list.is_empty() { format!("{person} told nothing") } else { format!("{person} told: {}", list.join("; ")) }
    }
}

/// What one person was told, as far as it is shown.
const MOST_TELLINGS: usize = 5;
