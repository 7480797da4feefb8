//! `vakt playbook`: plans as somebody reads them, with what may be said where.

use std::path::Path;

use clap::{Args, Subcommand};

use super::draft::tongue;
use super::{Paint, Refused, Verdict, settings};
use crate::config::fault::suggest;
use crate::engine::wording;
use crate::ground::Clock;
use crate::model::{Network, Playbook};
use crate::rules::Rules;
use crate::text::length;

/// List and show playbooks.
#[derive(Debug, Args)]
pub(super) struct Playbooks {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// All of them: owner, approvals, languages, and the alerts that use them
    List,
    /// One of them in a language: what to do, what may be said and how long that is, questions and answers
    Show {
        /// Its name
        name: String,
        /// A language such as `de`
        #[arg(long, default_value = "en", value_parser = tongue)]
        language: String,
    },
}

impl Playbooks {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let config = settings(file)?;
        let rules = Rules::load(&config.rules_dir, Clock::System.now());
        let rules = rules.map_err(|_| Refused("the rules have mistakes; `vakt check` shows them".into()))?;
        match self.act {
            Act::List => list(&rules),
            Act::Show { name, language } => {
                let playbook = rules.playbook(&name).ok_or_else(|| {
                    let help = suggest(&name, rules.playbooks.iter().map(|p| p.name.as_str()));
                    Refused(format!("there is no playbook `{name}`: {help}"))
                })?;
                show(playbook, &language, Paint::new());
            }
        }
        Ok(Verdict::Done)
    }
}

fn list(rules: &Rules) {
    let paint = Paint::new();
    for p in &rules.playbooks {
        let alerts: Vec<&str> = rules.alerts.iter().filter(|a| a.playbook == p.name).map(|a| a.name.as_str()).collect();
        let mut languages: Vec<&str> = p.statements.iter().map(|s| s.language.as_str()).collect();
        languages.sort_unstable();
        languages.dedup();
        let may = p.may_approve().len();
        say!(
            "{:<20} {} of {may} approve · {} · {}",
            p.name,
            p.approvals,
            languages.join(" "),
            paint.dim(&alerts.join(", "))
        );
    }
    if rules.playbooks.is_empty() {
        say!("There are no playbooks: write playbooks/*.md.");
    }
}

fn show(p: &Playbook, language: &str, paint: Paint) {
    let Some(guide) = p.guide(language) else { return };
    let head = |text: &str| say!("\n{}", paint.bold(text));
    say!("{} ({})", paint.bold(&guide.title), p.name);
    if !p.targets.is_empty() {
        let targets: Vec<String> = p.targets.iter().map(|(severity, span)| format!("{severity} {span}")).collect();
        say!("answer within: {}", targets.join(", "));
    }
    let decides = if p.decision_maker.is_empty() { "nobody in particular" } else { &p.decision_maker };
    say!("decides: {decides}; {} of {} approve", p.approvals, p.may_approve().join(", "));
    let steps = (1..).zip(&guide.checklist).map(|(n, task)| {
        let sooner = task.sooner.iter().map(|(severity, within)| format!(", {severity} {within}"));
        let due = task.due.map(|d| format!(" ({d}{})", sooner.collect::<String>())).unwrap_or_default();
        format!("  {n:>2} {}{due}: {}", task.role, task.what)
    });
    let list = |lines: &[String]| lines.iter().map(|line| format!("  - {line}")).collect::<Vec<_>>();
    let first = guide.first.lines().map(str::to_owned).collect();
    let parts = [
        ("First ten minutes", first),
        ("Checklist", steps.collect()),
        ("Do", list(&guide.dos)),
        ("Don't", list(&guide.donts)),
    ];
    for (title, lines) in parts.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        head(title);
        lines.iter().for_each(|line| say!("{line}"));
    }
    head("What may be said");
    for s in p.statements.iter().filter(|s| s.language == language) {
        let place = s.network.map_or("everywhere", Network::title);
        // As it stands here, with what people fill in still short.
        let filled = wording::fill(&s.text, "[brand]", wording::LINK).unwrap_or_else(|| s.text.clone());
        let length = s.network.map(|n| length::measure(&filled, n));
        let length = length.map(|l| format!(" ({} of {} {})", l.used, l.most, l.unit)).unwrap_or_default();
        say!("{}{}", paint.bold(place), paint.dim(&length));
        filled.lines().for_each(|line| say!("  {line}"));
    }
    if let Some(answers) = p.answers.iter().find(|a| a.language == language) {
        head("Questions and answers");
        answers.text.lines().for_each(|line| say!("  {}", line.replace("**Q**", "?").replace("**A**", "→")));
    }
    if !p.contacts.is_empty() {
        head("Contacts");
    }
    p.contacts.iter().for_each(|line| say!("  {line}"));
}
