//! Reads tests key by key, beside the rules that they name.

use std::collections::HashSet;
use std::path::Path;

use super::{Act, Calm, Case, Crowd, Deed, Expect, Heard, Lines, Said, Set, Told, Which};
use crate::config::fault::{Fault, suggest};
use crate::config::written::{At, Desk, Form};
use crate::model::incident::Notice;
use crate::model::time::Span;
use crate::model::{Author, Capture, Severity};
use crate::rules::Rules;

/// Most mentions that one generator makes.
const MOST: f64 = 200_000.0;
/// What an act may be.
const DEEDS: [&str; 9] =
    ["acknowledge", "resolve", "snooze", "reopen", "assign", "severity", "merge_into", "split", "silence"];
/// Reads tests beside the rules that they name.
pub(super) struct Reader<'r> {
    pub(super) rules: &'r Rules,
    pub(super) desk: &'r Desk,
}

impl Reader<'_> {
    /// One `[[test]]` with its name.
    pub(super) fn case(&self, form: Form<'_>) -> Option<(Case, At<String>)> {
        let desk = self.desk;
        let name = form.must_text("name");
        let start = form.instant("at").map_or_else(super::begin, |at| at.value);
        let calm = form.span("calm");
        let rate = form.float("calm_rate");
        let topics = self.topics(&form, "calm_topics");
        let seed = form.number("seed", 0..=i64::MAX).map_or(1, |n| n.value.unsigned_abs());
        if let (Some(rate), None) = (&rate, &calm) {
            desk.error(rate.span.clone(), "there is no quiet past that this is the rate of", "add calm = \"3d\"");
        }
        let per_hour = rate.as_ref().map_or(2.0, |r| r.value);
        let calm =
            calm.map(|span| (span.span, Calm { span: span.value, per_hour, topics: topics.unwrap_or_default() }));
        if let Some((at, calm)) = &calm {
            bounded(desk, at.clone(), calm.per_hour * calm.span.as_minutes() / 60.0);
        }
        let mentions: Vec<Told> = form.tables("mentions", "mention").into_iter().filter_map(|f| self.told(f)).collect();
        let acts = form.tables("act", "act").into_iter().filter_map(|f| self.act(f)).collect();
        let expects: Vec<Expect> =
            form.tables("expect", "expectation").into_iter().filter_map(|f| self.expect(f)).collect();
        let head = form.span.start;
        if !form.has("expect") {
            let at = name.as_ref().map_or(form.span.clone(), |n| n.span.clone());
            desk.error(at, "this test expects nothing", "add [[test.expect]] with at = \"+30m\" and what must be then");
        }
        form.finish();
        let name = name?;
        let line = line_of(desk, head);
        let calm = calm.map(|(_, calm)| calm);
        let place = (desk.sheet.name.clone(), line);
        Some((Case { name: name.value.clone(), place, start, calm, seed, mentions, acts, expects }, name))
    }

    fn told(&self, form: Form<'_>) -> Option<Told> {
        if let Some(inner) = form.table("generate", "generator") {
            form.finish();
            return self.crowd(inner).map(|c| Told::Crowd(Box::new(c)));
        }
        let at = after(&form, "at").map_or(Span::ZERO, |a| a.value);
        let Some(file) = form.text("file") else { return self.said(form, at).map(|s| Told::Said(Box::new(s))) };
        let set = self.set(&form);
        form.finish();
        let beside = Path::new(&self.desk.sheet.name).parent().unwrap_or(Path::new(""));
        let plain = Path::new(&file.value).components().all(|c| matches!(c, std::path::Component::Normal(_)));
        let path = beside.join(&file.value);
        if !plain || !path.is_file() {
            let message = format!("there is no file `{}` beside this one", file.value);
            self.desk.error(
                file.span,
                message,
                "name a file of mentions in the same folder, as `vakt import` reads them",
            );
            return None;
        }
        Some(Told::File(Lines { path, at, set }))
    }

    fn said(&self, form: Form<'_>, at: Span) -> Option<Said> {
        let text = form.text("text").map(|t| t.value);
        let title = form.text("title").map(|t| t.value);
        let mut texts: Vec<String> = form.texts("texts").into_iter().map(|t| t.value).collect();
        let every = form.span("every").map_or(Span::mins(1), |e| e.value);
        let said = text.is_some() || title.is_some() || !texts.is_empty();
        if !said {
            self.desk.error(
                form.span.clone(),
                "these mentions say nothing",
                "add text = \"…\", texts = [\"…\", \"…\"], file = \"x.jsonl\" or generate = { per_hour = 60, until = \"30m\" }",
            );
        }
        if let Some(text) = text {
            texts.insert(0, text);
        }
        if texts.is_empty() {
            texts.push(String::new());
        }
        let site = form.text("site");
        let url = form.text("url").map(|u| u.value).or(site.map(|s| format!("https://{}/", s.value)));
        let author = form.text("author").map(|a| a.value).unwrap_or_default();
        let capture = Capture {
            url,
            title,
            author: Author { name: author, followers: count(&form, "followers"), ..Author::default() },
            language: form.text("language").map(|l| l.value),
            network: form.text("network").map_or_else(|| "forum".to_owned(), |n| n.value),
            reach: count(&form, "reach"),
            engagement: count(&form, "engagement"),
            kind: form.text("kind").map(|k| k.value).unwrap_or_default(),
            ..Capture::default()
        };
        let set = self.set(&form);
        form.finish();
        said.then_some(Said { at, every, texts, capture, set })
    }

    /// What mentions of all kinds may set.
    fn set(&self, form: &Form<'_>) -> Set {
        let sentiment = form.float("sentiment");
        if let Some(s) = sentiment.as_ref().filter(|s| !(-1.0..=1.0).contains(&s.value)) {
            self.desk.error(s.span.clone(), "`sentiment` is out of range", "use -1 to 1");
        }
        Set {
            topics: self.topics(form, "topics"),
            sentiment: sentiment.map(|s| s.value as f32),
            tier: form.number("tier", 0..=3).and_then(|t| u8::try_from(t.value).ok()),
            newcomer: form.flag("newcomer").map(|n| n.value),
            source: form.text("source").map_or_else(|| "test".to_owned(), |s| s.value),
            history: form.flag("history").is_some_and(|h| h.value),
        }
    }

    fn crowd(&self, form: Form<'_>) -> Option<Crowd> {
        let desk = self.desk;
        let per_hour = form.float("per_hour");
        let from = after(&form, "from").map_or(Span::ZERO, |a| a.value);
        let until = after(&form, "until");
        for (missing, example) in [(per_hour.is_none(), "per_hour = 120"), (until.is_none(), "until = \"+30m\"")] {
            let key = example.split(' ').next().unwrap_or("");
            if missing && !form.has(key) {
                desk.error(form.span.clone(), format!("this generator has no `{key}`"), format!("add {example}"));
            }
        }
        let share = |key| share(&form, key);
        let negative = share("negative").unwrap_or(0.0);
        let positive = share("positive").unwrap_or(0.0).min(1.0 - negative);
        let words = |key| form.texts(key).into_iter().map(|t| t.value).collect::<Vec<String>>();
        let or = |list: Vec<String>, usual: &str| if list.is_empty() { vec![usual.to_owned()] } else { list };
        let texts = words("texts");
        let set = self.set(&form);
        if texts.is_empty() && set.topics.is_none() {
            desk.error(
                form.span.clone(),
                "what these mentions are about is not said",
                "add topics = [\"…\"], or texts",
            );
        }
        let crowd = Crowd {
            from,
            until: until.as_ref().map_or(from, |u| u.value),
            per_hour: per_hour.as_ref().map_or(0.0, |p| p.value),
            poisson: form.flag("poisson").is_some_and(|p| p.value),
            authors: count(&form, "authors").unwrap_or(0),
            negative,
            positive,
            complaints: share("complaints"),
            questions: share("questions").unwrap_or(0.0),
            copies: share("copies").unwrap_or(0.0),
            newcomers: share("newcomers").unwrap_or(0.0),
            networks: or(words("networks"), "forum"),
            languages: or(words("languages"), "en"),
            sites: words("sites"),
            texts,
            reach: count(&form, "reach"),
            followers: count(&form, "followers"),
            engagement: count(&form, "engagement"),
            set,
        };
        let hours = Span::millis(crowd.until.as_millis() - crowd.from.as_millis()).as_minutes() / 60.0;
        match until.as_ref().filter(|_| hours <= 0.0) {
            Some(until) => desk.error(until.span.clone(), "this ends before it begins", "`until` lies after `from`"),
            None => bounded(desk, form.span.clone(), hours * crowd.per_hour),
        }
        form.finish();
        (per_hour.is_some() && until.is_some()).then_some(crowd)
    }

    fn act(&self, form: Form<'_>) -> Option<Act> {
        let at = must_after(&form, "at");
        let alert = if form.has("silence") { form.text("alert") } else { form.must_text("alert") };
        let given = alert.is_some();
        let alert = alert.and_then(|a| self.alert(a, false));
        let group = form.text("group").map(|g| g.value);
        let by = form.text("by").and_then(|w| self.person(w));
        let deeds: Vec<Deed> = self.deeds(&form).into_iter().flatten().collect();
        let done = DEEDS.iter().filter(|key| form.has(key)).count();
        if done != 1 {
            let why = if done == 0 { "nothing is done here" } else { "more than one thing is done here" };
            self.desk.error(form.span.clone(), why, format!("write one of {} for each act", DEEDS.join(", ")));
        }
        form.finish();
        let deed = deeds.into_iter().next().filter(|_| done == 1)?;
        let by = by.or_else(|| if let Deed::Acknowledge(who) = &deed { Some(who.clone()) } else { None });
        let whole = given == alert.is_some();
        whole.then_some(Act { at: at?.value, alert, group, by: by.unwrap_or_default(), deed })
    }

    /// What an act may do, in the order of [`DEEDS`].
    fn deeds(&self, form: &Form<'_>) -> [Option<Deed>; 9] {
        let words = Severity::ALL.map(Severity::as_str);
        let upto = form.choice("upto", &words, Severity::parse).map_or(Severity::Escalate, |s| s.value);
        let topics = || self.rules.topics.iter().map(|t| t.name.as_str());
        let topic = form.text("topic").and_then(|t| self.known("topic", t, topics()));
        let person = |key| form.text(key).and_then(|w| self.person(w));
        let yes = |key, deed| form.flag(key).filter(|r| r.value).map(|_| deed);
        [
            person("acknowledge").map(Deed::Acknowledge),
            yes("resolve", Deed::Resolve),
            form.span("snooze").map(|s| Deed::Snooze(s.value)),
            yes("reopen", Deed::Reopen),
            person("assign").map(Deed::Assign),
            form.choice("severity", &words, Severity::parse).map(|s| Deed::Severity(s.value)),
            form.text("merge_into").and_then(|a| self.alert(a, false)).map(Deed::Merge),
            yes("split", Deed::Split),
            form.span("silence").map(|s| Deed::Silence(s.value, upto, topic)),
        ]
    }

    fn expect(&self, form: Form<'_>) -> Option<Expect> {
        let by = after(&form, "by");
        let at = if by.is_some() { after(&form, "at").or(by.clone()) } else { must_after(&form, "at") };
        let open = form.tables("open", "incident").into_iter().filter_map(|f| self.which(f)).collect();
        let only = form.flag("only").is_some_and(|o| o.value);
        let alerts = |key, all| form.texts(key).into_iter().filter_map(|a| self.alert(a, all)).collect::<Vec<String>>();
        let (quiet, muted, shadow) = (alerts("quiet", true), alerts("muted", false), alerts("shadow", false));
        let over = alerts("over", false);
        let told = form.tables("told", "telling").into_iter().filter_map(|f| self.heard(f)).collect();
        let untold = form.texts("untold").into_iter().filter_map(|w| self.somebody(w)).collect();
        let line = line_of(self.desk, form.span.start);
        let keys = ["open", "only", "quiet", "muted", "shadow", "over", "told", "untold"];
        if !keys.iter().any(|k| form.has(k)) {
            let help = format!("add one of {}", keys.join(", "));
            self.desk.error(form.span.clone(), "nothing is expected here", help);
        }
        form.finish();
        let at = at?.value;
        Some(Expect { line, at, by: by.is_some(), open, only, quiet, muted, shadow, over, told, untold })
    }

    fn which(&self, form: Form<'_>) -> Option<Which> {
        let alert = form.must_text("alert").and_then(|a| self.alert(a, false));
        let group = form.text("group").map(|g| g.value);
        let words = Severity::ALL.map(Severity::as_str);
        let severity = form.choice("severity", &words, Severity::parse).map(|s| s.value);
        form.finish();
        Some(Which { alert: alert?, group, severity })
    }

    fn heard(&self, form: Form<'_>) -> Option<Heard> {
        let who = form.must_text("who").and_then(|w| self.somebody(w));
        let (from, by) = (after(&form, "from").map(|a| a.value), after(&form, "by").map(|a| a.value));
        let words = Notice::ALL.map(Notice::as_str);
        let notice =
            form.choice("notice", &words, |w| Notice::ALL.into_iter().find(|n| n.as_str() == w)).map(|n| n.value);
        let alert = form.text("alert").and_then(|a| self.alert(a, false));
        form.finish();
        Some(Heard { who: who?, from, by, notice, alert })
    }

    /// A name that must be known.
    fn known<'a>(&self, what: &str, name: At<String>, known: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
        if known.clone().any(|k| k == name.value) {
            return Some(name.value);
        }
        let help = suggest(&name.value, known);
        self.desk.error(name.span, format!("there is no {what} `{}`", name.value), help);
        None
    }

    fn alert(&self, name: At<String>, all: bool) -> Option<String> {
        if all && name.value == "*" {
            return Some(name.value);
        }
        self.known("alert", name, self.rules.alerts.iter().map(|a| a.name.as_str()))
    }

    fn person(&self, name: At<String>) -> Option<String> {
        self.known("person", name, self.rules.people.persons.iter().map(|p| p.name.as_str()))
    }

    fn somebody(&self, name: At<String>) -> Option<String> {
        let people = &self.rules.people;
        let teams = people.teams.iter().map(|t| t.name.as_str());
        let groups = teams.chain(people.schedules.iter().map(|s| s.name.as_str()));
        self.known("person, team or schedule", name, people.persons.iter().map(|p| p.name.as_str()).chain(groups))
    }

    fn topics(&self, form: &Form<'_>, key: &'static str) -> Option<Vec<String>> {
        let known = || self.rules.topics.iter().map(|t| t.name.as_str());
        let names = form.texts(key).into_iter().filter_map(|t| self.known("topic", t, known())).collect::<Vec<_>>();
        // In the order of the rules, as the analysis names them.
        let named: HashSet<&str> = names.iter().map(String::as_str).collect();
        form.has(key).then(|| known().filter(|t| named.contains(t)).map(str::to_owned).collect())
    }
}

fn line_of(desk: &Desk, at: usize) -> usize {
    Fault::error(&desk.sheet, at..at, "").line()
}

/// A time after the beginning: `+5m`, or `-3h` before it.
fn after(form: &Form<'_>, key: &'static str) -> Option<At<Span>> {
    let text = form.text(key)?;
    let plain = text.value.trim();
    let (sign, length) = match plain.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, plain.strip_prefix('+').unwrap_or(plain)),
    };
    match Span::parse(length) {
        Ok(span) => Some(At { value: Span::millis(sign * span.as_millis()), span: text.span }),
        Err(why) => {
            form.desk.error(text.span, why, format!("write {key} = \"+15m\": a time after the test begins"));
            None
        }
    }
}

fn must_after(form: &Form<'_>, key: &'static str) -> Option<At<Span>> {
    form.must_text(key)?;
    after(form, key)
}

fn count(form: &Form<'_>, key: &'static str) -> Option<u64> {
    form.number(key, 0..=10_000_000_000).map(|n| n.value.unsigned_abs())
}

/// A share of 0 to 1.
fn share(form: &Form<'_>, key: &'static str) -> Option<f64> {
    let share = form.float(key)?;
    if !(0.0..=1.0).contains(&share.value) {
        form.desk.error(share.span, format!("`{key}` is out of range"), "use 0 to 1");
        return None;
    }
    Some(share.value)
}

fn bounded(desk: &Desk, at: std::ops::Range<usize>, mentions: f64) {
    if !(0.0..=MOST).contains(&mentions) {
        desk.error(at, format!("these would be {mentions:.0} mentions"), format!("make {MOST} or fewer"));
    }
}
