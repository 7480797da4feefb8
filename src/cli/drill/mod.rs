//! `vakt drill`: an exercise from the alarm to whoever takes it, with the rules, the relays and the people of every day.

mod crisis;
mod follow;

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;

use self::crisis::Crisis;
use super::beside::Beside;
use super::incident::ground_for;
use super::{Paint, Refused, Verdict, oncall, settings, show_faults};
use crate::config::Config;
use crate::engine::acts::Act;
use crate::engine::oncall::zone;
use crate::ground::acts::Deed;
use crate::ground::{Clock, Ground, Knowledge};
use crate::model::incident::Drill;
use crate::model::time::Span;
use crate::model::{Alert, Incident, Severity};
use crate::report::drill::Facts;
use crate::rules::Rules;
use crate::store::incidents;

/// Exercise: an invented crisis calls the real people, through the running daemon and its relays. Everything says DRILL.
#[derive(Debug, Args)]
pub(super) struct Exercise {
    /// The alert rule that rings; the first of the most severe unless you say
    #[arg(long, value_name = "ALERT")]
    alert: Option<String>,
    /// Your name in rules/people.toml
    #[arg(long = "as", value_name = "NAME", required_unless_present = "dry_run")]
    by: Option<String>,
    /// Tell only these, in the place of those whom the policy calls
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    to: Vec<String>,
    /// How bad it is; as bad as the rule makes it unless you say
    #[arg(long, value_parser = super::incident::severity)]
    severity: Option<Severity>,
    /// How long to wait for somebody to take it
    #[arg(long = "for", default_value = "30m", value_parser = span, value_name = "TIME")]
    most: Span,
    /// Only print what would ring, who would be called and when
    #[arg(long)]
    dry_run: bool,
    /// Where the account goes; else drill-DATE.md here
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print the account as JSON
    #[arg(long)]
    json: bool,
}

fn span(text: &str) -> Result<Span, String> {
    Span::parse(text).ok().filter(|s| *s > Span::ZERO).ok_or_else(|| "write for example 30m or 2h".into())
}

impl Exercise {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let config = settings(file)?;
        let now = Clock::System.now();
        let rules = Rules::load(&config.rules_dir, now).map_err(|faults| {
            show_faults(&faults);
            Refused("the rules cannot be used".into())
        })?;
        let alert = self.chosen(&rules)?.clone();
        let knowledge = Knowledge::new(rules, 0);
        let Some(crisis) = crisis::invent(&knowledge, &alert, now).map_err(|e| anyhow!(e))? else {
            let name = &alert.name;
            return Err(Refused(format!("`{name}` does not ring for an angry crowd; exercise another rule")).into());
        };
        let severity = self.severity.unwrap_or(crisis.severity);
        let paint = Paint::new();
        if !self.json {
            say!(
                "{} {}: rings {} after the first of {} invented mentions, and becomes {}",
                paint.bold("DRILL"),
                alert.name,
                crisis.after,
                crisis.heard,
                crisis.severity
            );
        }
        if self.dry_run {
            return oncall::course::tell(&knowledge.rules, &alert.name, Some(severity), now, self.json);
        }
        self.hold(&config, &alert, &crisis, severity, paint)
    }

    /// The rule that is exercised.
    fn chosen<'r>(&self, rules: &'r Rules) -> anyhow::Result<&'r Alert> {
        match &self.alert {
            Some(name) => Ok(rules.must_alert(name).map_err(Refused)?),
            None => {
                let calls = |a: &&Alert| !a.shadow && rules.people.policy(&a.escalation).is_some();
                let worst = |a: &&Alert| (a.raise.iter().map(|r| r.to).chain([a.severity]).max(), a.severity);
                // The first of the worst: the last of equals would be the maximum.
                let found = rules.alerts.iter().rev().filter(calls).max_by_key(worst);
                found.ok_or_else(|| Refused("no alert rule calls anybody".into()).into())
            }
        }
    }

    fn hold(
        &self,
        config: &Config,
        alert: &Alert,
        crisis: &Crisis,
        severity: Severity,
        paint: Paint,
    ) -> anyhow::Result<Verdict> {
        if Beside::of(&config.data_dir)?.is_alone() {
            return Err(
                Refused("vakt does not run: an exercise is of the running daemon; start it first".into()).into()
            );
        }
        let by = self.by.as_deref().unwrap_or_default();
        let who: Vec<&str> = self.to.iter().map(String::as_str).chain([by]).collect();
        let ground = ground_for(config, &who)?;
        let open = ground.store.read(incidents::unresolved)?;
        if let Some(real) = follow::in_the_way(&open) {
            let why = format!("incident {real} is open and real; an exercise would get in its way");
            return Err(Refused(why).into());
        }
        if let Some(other) = open.iter().find(|i| i.drill.is_some()) {
            let why = format!("incident {} is an exercise that is not over; `vakt incident resolve {0}`", other.id);
            return Err(Refused(why).into());
        }
        let drill = Drill { to: self.to.clone(), mentions: crisis.mentions.clone() };
        let incident = ground.drill(&crisis.verdict, severity, &drill, by)?;
        if !self.json {
            say!("Incident {} calls; it is over when somebody has it, or in {}.", incident.id, self.most);
        }
        let ended = follow::follow(&ground, &incident, self.most, paint, |line| {
            if !self.json {
                say!("{line}");
            }
        });
        // Whatever happened, nobody is called for it any longer.
        let over =
            Deed { incident: incident.id, by: by.to_owned(), act: Act::Resolve, note: "the exercise is over".into() };
        ground.act(&over)?;
        let facts = facts(alert, &incident, crisis, by, ended?);
        self.tell(&ground, &facts, paint)
    }

    fn tell(&self, ground: &Ground, facts: &Facts, paint: Paint) -> anyhow::Result<Verdict> {
        let zone = zone(&ground.knowledge().rules.time_zone);
        let file = self.report.clone().unwrap_or_else(|| {
            PathBuf::from(format!("drill-{}.md", facts.began.to_zoned(zone.clone()).strftime("%Y-%m-%d-%H%M")))
        });
        std::fs::write(&file, facts.markdown(&zone))
            .with_context(|| format!("the account cannot be written to {}", file.display()))?;
        let faults = facts.faults();
        if self.json {
            say!("{}", serde_json::json!({ "drill": facts, "faults": faults, "account": file }));
        } else {
            for fault in &faults {
                say!("{} {fault}", paint.bad("✗"));
            }
            if faults.is_empty() {
                say!("{} everybody was reached, and somebody took it", paint.good("✓"));
            }
            say!("The account is in {}.", file.display());
        }
        Ok(if faults.is_empty() { Verdict::Done } else { Verdict::No })
    }
}

fn facts(alert: &Alert, incident: &Incident, crisis: &Crisis, by: &str, ended: follow::Ended) -> Facts {
    Facts {
        incident: incident.id,
        alert: alert.name.clone(),
        title: alert.title.clone(),
        severity: incident.severity,
        by: by.to_owned(),
        began: incident.opened,
        rang: (crisis.after, crisis.heard),
        sent: ended.sent,
        taken: ended.taken,
        timeline: ended.timeline,
        broken_off: ended.broken_off,
    }
}
