//! What may be said: one statement a language that serves everywhere, and those for networks, each short enough for its own.

use super::body::Part;
use super::markdown::paragraphs;
use crate::config::fault::{Fault, suggest};
use crate::engine::wording::{self, Kind};
use crate::model::playbook::{STATEMENT_VARIABLES, Said};
use crate::model::{Network, Voice};

/// A statement with its sheet and place.
#[derive(Debug)]
pub(in crate::rules) struct Statement {
    pub(in crate::rules) said: Said,
    sheet: std::sync::Arc<crate::config::Sheet>,
    /// Where it stands, as it is written.
    place: std::ops::Range<usize>,
}

/// What statements are measured with: nothing longer will stand in place of their variables.
#[derive(Debug)]
pub(in crate::rules) struct Reach<'a> {
    /// The longest title of a brand that alerts use the playbook for.
    pub(in crate::rules) brand: &'a str,
    /// The voice guide.
    pub(in crate::rules) voice: &'a Voice,
    /// Languages that are listened to.
    pub(in crate::rules) languages: Vec<&'a str>,
}

/// An address as long as those that statements point to.
const LINK: &str = "https://www.brand.example/press/statement-1";

/// Reads a statement below the heading of its language, or below that of one network or more: `#### x, bluesky`.
pub(super) fn read(part: &Part<'_>, out: &mut Vec<Statement>) {
    let heading = || part.heading.span.clone();
    let mut networks: Vec<Option<Network>> = vec![None];
    if part.heading.level == 4 {
        networks.clear();
        for name in part.heading.title.split(',').map(str::trim) {
            let network = Network::parse(name);
            if network.is_none() {
                let help = suggest(name, Network::ALL.map(Network::as_str));
                part.desk.error(heading(), format!("there is no network `{name}` to speak on"), help);
            }
            networks.extend(network.map(Some));
        }
    }
    if let Some((message, help)) = wrong(part.text) {
        part.desk.error(part.place(), message, help);
    }
    for network in networks {
        if out.iter().any(|s| s.said.language == part.language && s.said.network == network) {
            let place = network.map(|n| format!(" for {}", n.title())).unwrap_or_default();
            let message = format!("there are two statements in `{}`{place}", part.language);
            part.desk.error(heading(), message, "take one out");
        }
        let said = Said { language: part.language.to_owned(), network, text: paragraphs(part.text) };
        out.push(Statement { said, sheet: part.desk.sheet.clone(), place: part.place() });
    }
}

/// What is wrong with a statement as it is written, if something is.
fn wrong(statement: &str) -> Option<(String, String)> {
    if statement.is_empty() {
        return Some(("there is no text below this language".into(), "write what may be said, or take it out".into()));
    }
    if statement.contains("{%") {
        return Some(("a statement has variables and nothing else".into(), "write {{ brand }}".into()));
    }
    let environment = minijinja::Environment::new();
    let template = match environment.template_from_str(statement) {
        Ok(template) => template,
        Err(e) => return Some((format!("the statement is no template: {e}"), "write {{ brand }}".into())),
    };
    let mut unknown: Vec<String> = template.undeclared_variables(false).into_iter().collect();
    unknown.retain(|v| !STATEMENT_VARIABLES.contains(&v.as_str()));
    unknown.sort();
    if let Some(first) = unknown.first() {
        return Some((format!("a statement has no variable `{first}`"), suggest(first, STATEMENT_VARIABLES)));
    }
    let filled = wording::fill(statement, "Acme", "[link]");
    filled
        .is_none()
        .then(|| ("the statement cannot be filled in".into(), "write {{ brand }} and nothing more in it".into()))
}

/// What is wrong with statements where they are said: too long for their networks, or not as the voice guide wants it.
pub(in crate::rules) fn check(all: &[Statement], reach: &Reach<'_>) -> Vec<Fault> {
    let filled = |s: &Statement| wording::fill(&s.said.text, reach.brand, LINK);
    let too_long = |s: &Statement, network| filled(s).and_then(|text| wording::too_long(&text, network));
    let mut faults = Vec::new();
    for s in all {
        if let Some((length, finding)) = s.said.network.and_then(|network| too_long(s, network)) {
            let long = format!("this statement has {}", finding.why);
            let fault = Fault::error(&s.sheet, s.place.clone(), long);
            faults.push(fault.help(format!("{}; {} fit, variables filled in", finding.remedy, length.most)));
        }
        let written = s.sheet.text.get(s.place.clone()).unwrap_or("");
        for f in wording::lint(written, reach.voice, &s.said.language, s.said.network, Kind::Statement) {
            let span = s.place.start + f.span.start..s.place.start + f.span.end;
            let fault = Fault::warning(&s.sheet, span, f.why).help(f.remedy);
            // One text for two networks is found fault with once.
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
    }
    for language in &reach.languages {
        let Some(general) = all.iter().find(|s| s.said.language == *language && s.said.network.is_none()) else {
            continue;
        };
        let own = |n: &Network| all.iter().any(|s| s.said.language == *language && s.said.network == Some(*n));
        let silent = |n: &&Network| !own(n) && too_long(general, **n).is_some();
        for network in reach.voice.networks.iter().filter(silent) {
            let message = format!("nothing is short enough for {} in `{language}`", network.title());
            let fault = Fault::warning(&general.sheet, general.place.clone(), message);
            faults.push(fault.help(format!("add `#### {network}` below this statement")));
        }
    }
    faults
}
