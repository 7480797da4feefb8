//! The rules directory: as written, then as meant, or every fault at once.
//!
//! Reading does all that can fail before anything is swapped, and what was read can be kept as text, so that a restart
//! with a broken file still starts on the last good rules.

mod alerts;
mod calendar;
pub mod cases;
mod files;
mod lexicon;
mod listening;
mod names;
mod people;
mod playbooks;
mod reports;
mod searches;
mod topics;
mod voice;

use std::path::Path;
use std::sync::Arc;

use files::{Part, kind_of, read_dir};
pub use lexicon::{House, Site};
pub use listening::Listening;
pub use reports::Scheduled;
pub use searches::Saved;

use jiff::Timestamp;

use crate::config::fault::{self, Fault, Sheet};
use crate::config::written::{At, Desk};
use crate::model::{Alert, People, Planned, Playbook, Topic, TopicKind, Voice};
use crate::query::Node;

/// Everything that the rules directory says.
#[derive(Debug, Default)]
pub struct Rules {
    /// What to listen for.
    pub topics: Vec<Topic>,
    /// The topics' queries, in the same order.
    pub queries: Vec<Node>,
    /// When to ring.
    pub alerts: Vec<Alert>,
    /// Whom to call.
    pub people: People,
    /// What to do and what may be said.
    pub playbooks: Vec<Playbook>,
    /// How the brand speaks.
    pub voice: Voice,
    /// The house's words and sites.
    pub house: House,
    /// Saved searches.
    pub searches: Vec<Saved>,
    /// Digests that go out by themselves.
    pub reports: Vec<Scheduled>,
    /// What is known beforehand, in order. What comes back is here for 400 days to both sides of [`Rules::around`].
    pub calendar: Vec<Planned>,
    /// Names of the calendars.
    pub calendars: Vec<String>,
    /// IANA name of the zone that the calendars' days are meant in.
    pub time_zone: String,
    /// The time that the rules were read for.
    pub around: Timestamp,
    /// All topics, ready to be asked.
    pub listening: Listening,
    /// The texts that it was read from.
    pub sheets: Vec<Arc<Sheet>>,
    /// What is legal but probably wrong.
    pub warnings: Vec<Fault>,
    /// Sources that alerts watch over, by name, as written.
    pub watched: Watched,
    /// Ways to people as written.
    pub ways: Ways,
}

/// Ways to people, with where each stands.
#[derive(Debug, Default)]
pub struct Ways(Vec<people::WayWritten>);

/// Sources that alerts watch over, with where each is named.
#[derive(Debug, Default)]
pub struct Watched(Vec<Place>);

/// What a rules directory says, before anybody makes sense of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    sheets: Vec<Arc<Sheet>>,
    /// Files that could not be read.
    faults: Vec<Fault>,
}

impl Texts {
    /// Reads a rules directory.
    pub fn of(dir: &Path) -> Texts {
        let (sheets, faults) = read_dir(dir);
        Texts { sheets, faults }
    }

    /// The rules that the texts are, at a time.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn understand(self, now: Timestamp) -> Result<Rules, Vec<Fault>> {
        self.understand_after(None, now)
    }

    /// The same, where other rules were in force `before`: what did not change is taken over from them.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn understand_after(self, before: Option<&Rules>, now: Timestamp) -> Result<Rules, Vec<Fault>> {
        let Texts { sheets, mut faults } = self;
        if sheets.is_empty() && !faults.is_empty() {
            return Err(faults);
        }
        match Rules::read_after(sheets, before, now) {
            Ok(rules) if !fault::any_error(&faults) => Ok(rules),
            Ok(_) => Err(faults),
            Err(more) => {
                faults.extend(more);
                Err(faults)
            }
        }
    }
}

impl From<&Rules> for Texts {
    fn from(rules: &Rules) -> Texts {
        Texts { sheets: rules.sheets.clone(), faults: Vec::new() }
    }
}

impl Rules {
    /// Reads a rules directory as it is at a time: that of the clock, or one that is looked at.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn load(dir: &Path, now: Timestamp) -> Result<Rules, Vec<Fault>> {
        Texts::of(dir).understand(now)
    }

    /// Reads rules from their texts as they are at a time.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn read(sheets: Vec<Arc<Sheet>>, now: Timestamp) -> Result<Rules, Vec<Fault>> {
        Rules::read_after(sheets, None, now)
    }

    fn read_after(sheets: Vec<Arc<Sheet>>, before: Option<&Rules>, now: Timestamp) -> Result<Rules, Vec<Fault>> {
        let mut written = Written::default();
        let mut faults = Vec::new();
        let (mut calendars, mut feeds) = (Vec::new(), Vec::new());
        for sheet in &sheets {
            let desk = Desk::new(sheet.clone());
            match kind_of(&sheet.name) {
                Some(Part::Topics) => desk.read(|form| topics::read(form, &mut written.topics)),
                Some(Part::Alerts) => desk.read(|form| alerts::read(form, &mut written.alerts)),
                Some(Part::People) => desk.read(|form| people::read(form, &mut written.people)),
                Some(Part::Lexicon) => desk.read(|form| lexicon::read(form, &mut written.house)),
                Some(Part::Playbook) => playbooks::read(&desk, &mut written.playbooks),
                Some(Part::Voice) => desk.read(|form| voice::read(form, &mut written.voice)),
                Some(Part::Searches) => desk.read(|form| searches::read(form, &mut written.searches)),
                Some(Part::Reports) => desk.read(|form| reports::read(form, &mut written.reports)),
                Some(Part::Tests) => {}
                Some(Part::CalendarSettings) => desk.read(|form| calendar::settings(form, &mut written.calendar)),
                Some(Part::Calendar) => calendars.push(sheet.clone()),
                Some(Part::Feed) => feeds.push(sheet.clone()),
                None => {}
            }
            faults.extend(desk.into_faults());
        }
        let missing = match (written.topics.is_empty(), written.alerts.is_empty()) {
            (true, true) => Some("there are no topics and no alerts"),
            (true, false) => Some("there are no topics"),
            // Topics alone would listen and never ring.
            (false, true) => Some("there are no alerts: nothing would ever ring"),
            (false, false) => None,
        };
        if let Some(missing) = missing.filter(|_| faults.is_empty()) {
            let fault = Fault::error(&Sheet::new("rules", ""), 0..0, missing);
            return Err(vec![fault.help("write topics/*.toml and alerts/*.toml there, or start from the samples")]);
        }
        let topics: Vec<&str> = written.topics.iter().map(|t| t.name.name()).collect();
        let (calendar, wrong) = calendar::read(&written.calendar, &calendars, &topics, now);
        faults.extend(wrong);
        faults.extend(written.people.follow(&feeds, now));
        faults.extend(written.check(&calendar));
        if fault::any_error(&faults) {
            return Err(faults);
        }
        let people = written.people.meant(&calendar);
        faults.extend(written.people.coverage(&people, now));
        let ways = Ways(std::mem::take(&mut written.people.ways));
        let reports = std::mem::take(&mut written.reports).into_iter().map(|r| r.mean(&people)).collect();
        let mut rules = Rules { people, ways, reports, ..written.mean(before) };
        (rules.calendar, rules.calendars, rules.time_zone) = (calendar.planned, calendar.names, calendar.zone);
        rules.around = now;
        rules.sheets = sheets;
        rules.warnings = faults;
        Ok(rules)
    }

    /// The topic of that name.
    pub fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.iter().find(|t| t.name == name)
    }

    /// The alert rule of that name.
    pub fn alert(&self, name: &str) -> Option<&Alert> {
        self.alerts.iter().find(|a| a.name == name)
    }

    /// The playbook of that name.
    pub fn playbook(&self, name: &str) -> Option<&Playbook> {
        self.playbooks.iter().find(|p| p.name == name)
    }

    /// The saved search of that name; else what to write instead.
    ///
    /// # Errors
    /// A sentence that names the nearest one.
    pub fn search(&self, name: &str) -> Result<&Saved, String> {
        self.searches.iter().find(|s| s.name == name).ok_or_else(|| {
            let help = fault::suggest(name, self.searches.iter().map(|s| s.name.as_str()));
            format!("no search is saved as `{name}` in searches/*.toml: {help}")
        })
    }

    /// The faults that alerts watch over the silence of sources that there are not. Rules are read without the settings,
    /// which know the sources.
    pub fn unheard(&self, sources: &[&str]) -> Vec<Fault> {
        self.watched.0.iter().filter_map(|name| name.among("source", sources)).collect()
    }

    /// The faults of ways to people: `wrong` says of a channel and of whom it tells what is wrong and what to write instead.
    /// Rules are read without the settings, which know the channels.
    pub fn unreachable(&self, wrong: impl Fn(&str, &str) -> Option<(String, String)>) -> Vec<Fault> {
        let fault = |way: &people::WayWritten| {
            wrong(way.channel.name(), &way.to).map(|(what, help)| way.channel.error(what).help(help))
        };
        self.ways.0.iter().filter_map(fault).collect()
    }

    /// Names of the topics with these numbers.
    pub fn names(&self, numbers: &[usize]) -> Vec<String> {
        numbers.iter().filter_map(|n| self.topics.get(*n)).map(|t| t.name.clone()).collect()
    }
}

/// The rules as written, with the place of each name, so that what does not fit together can be shown.
#[derive(Debug, Default)]
struct Written {
    topics: Vec<topics::Written>,
    alerts: Vec<alerts::Written>,
    people: people::Written,
    playbooks: Vec<playbooks::Written>,
    voice: Voice,
    house: House,
    searches: Vec<searches::Written>,
    calendar: calendar::Settings,
    reports: Vec<reports::Written>,
}

/// A name with the sheet that it stands in.
#[derive(Debug, Clone)]
struct Place {
    sheet: Arc<Sheet>,
    at: At<String>,
}

impl Place {
    fn new(desk: &Desk, at: At<String>) -> Place {
        Place { sheet: desk.sheet.clone(), at }
    }

    fn name(&self) -> &str {
        &self.at.value
    }

    fn error(&self, message: impl Into<String>) -> Fault {
        Fault::error(&self.sheet, self.at.span.clone(), message)
    }

    fn warning(&self, message: impl Into<String>) -> Fault {
        Fault::warning(&self.sheet, self.at.span.clone(), message)
    }

    /// The fault that a name is not among the known ones, if it is not.
    fn among(&self, what: &str, known: &[&str]) -> Option<Fault> {
        let missing = !known.contains(&self.name());
        missing.then(|| {
            let help = fault::suggest(self.name(), known.iter().copied());
            self.error(format!("there is no {what} `{}`", self.name())).help(help)
        })
    }
}

/// Faults for names that are given twice.
fn twice<'a>(what: &str, places: impl IntoIterator<Item = &'a Place>) -> Vec<Fault> {
    let mut seen: Vec<&Place> = Vec::new();
    let mut faults = Vec::new();
    for place in places {
        match seen.iter().find(|p| p.name() == place.name()) {
            Some(first) => faults.push(
                place
                    .error(format!("there are two {what}s named `{}`", place.name()))
                    .help(format!("the other one stands in {}; rename one", first.sheet.name)),
            ),
            None => seen.push(place),
        }
    }
    faults
}

impl Written {
    /// What does not fit together.
    fn check(&self, calendar: &calendar::Read) -> Vec<Fault> {
        let topics: Vec<&str> = self.topics.iter().map(|t| t.name.name()).collect();
        let playbooks: Vec<&str> = self.playbooks.iter().map(|p| p.name.name()).collect();
        let policies: Vec<&str> = self.people.policies.iter().map(|p| p.name.name()).collect();
        let teams: Vec<&str> = self.people.teams.iter().map(|t| t.name.name()).collect();
        let mut faults = twice("topic", self.topics.iter().map(|t| &t.name));
        faults.extend(twice("alert", self.alerts.iter().map(|a| &a.name)));
        faults.extend(twice("playbook", self.playbooks.iter().map(|p| &p.name)));
        faults.extend(twice("search", self.searches.iter().map(|s| &s.name)));
        let calendars: Vec<&str> = calendar.names.iter().map(String::as_str).collect();
        faults.extend(self.people.check(&calendars));
        let called: Vec<&str> = self.people.person_names().into_iter().chain(teams.iter().copied()).collect();
        faults.extend(reports::check(&self.reports, &called, &topics));
        for topic in &self.topics {
            faults.extend(topic.owner.as_ref().and_then(|o| o.among("team", &teams)));
        }
        for playbook in &self.playbooks {
            faults.extend(playbook.check(&self.people));
            faults.extend(playbooks::check(&playbook.statements, &self.reach(playbook.name.name())));
        }
        for alert in &self.alerts {
            faults.extend(alert.topics.iter().filter_map(|t| t.among("topic", &topics)));
            faults.extend(alert.playbook.as_ref().and_then(|p| p.among("playbook", &playbooks)));
            faults.extend(alert.escalation.among("escalation policy", &policies));
            faults.extend(self.unspoken(alert));
        }
        faults
    }

    /// What a playbook's statements have to stand up to.
    fn reach(&self, playbook: &str) -> playbooks::Reach<'_> {
        let alerts = self.alerts.iter().filter(|a| a.playbook.as_ref().is_some_and(|p| p.name() == playbook));
        let names: Vec<&str> = alerts.flat_map(|a| a.topics.iter().map(Place::name)).collect();
        let topics = || self.topics.iter().filter(|t| names.contains(&t.name.name()));
        let brands = topics().filter(|t| t.kind != TopicKind::Risk).map(|t| t.title.as_str());
        let mut languages: Vec<&str> = topics().flat_map(|t| t.languages.iter().map(String::as_str)).collect();
        languages.sort_unstable();
        languages.dedup();
        playbooks::Reach { brand: brands.max_by_key(|b| b.len()).unwrap_or("The brand"), voice: &self.voice, languages }
    }

    /// Languages that an alert's topics listen to and its playbook has no holding statement in.
    fn unspoken(&self, alert: &alerts::Written) -> Option<Fault> {
        let name = alert.playbook.as_ref()?;
        let playbook = self.playbooks.iter().find(|p| p.name.name() == name.name())?;
        let topics = self.topics.iter().filter(|t| alert.topics.iter().any(|a| a.name() == t.name.name()));
        let mut silent: Vec<&str> = topics
            .flat_map(|t| t.languages.iter().map(String::as_str))
            .filter(|l| !playbook.statements.iter().any(|s| s.said.language == *l && s.said.network.is_none()))
            .collect();
        silent.sort_unstable();
        silent.dedup();
        (!silent.is_empty()).then(|| {
            name.warning(format!("playbook `{}` has no holding statement in {}", name.name(), silent.join(", ")))
                .help("add `### CODE` below `## Statements`")
        })
    }

    fn mean(self, before: Option<&Rules>) -> Rules {
        let mut rules = Rules { voice: self.voice, house: self.house, ..Rules::default() };
        for topic in self.topics {
            if let Some((topic, node)) = topic.mean() {
                rules.topics.push(topic);
                rules.queries.push(node);
            }
        }
        rules.watched = Watched(self.alerts.iter().flat_map(|a| a.silence_of.iter().cloned()).collect());
        rules.alerts = self.alerts.into_iter().map(alerts::Written::mean).collect();
        rules.searches = self.searches.into_iter().filter_map(searches::Written::mean).collect();
        rules.playbooks = self.playbooks.into_iter().map(playbooks::Written::mean).collect();
        rules.listening = match before {
            Some(before) => before.listening.changed(&before.topics, &rules.topics, &rules.queries),
            None => Listening::to(&rules.topics, &rules.queries),
        };
        rules
    }
}

#[cfg(test)]
mod tests;
