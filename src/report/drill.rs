//! The account of an exercise, in Markdown: how soon it was seen, told and taken, and what to look at.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::Severity;
use crate::model::time::{Span, between};

/// One message of the exercise.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Sent {
    /// Name of the person.
    pub person: String,
    /// Its subject.
    pub subject: String,
    /// `waiting`, `delivered`, `failed` or `held`.
    pub state: String,
    /// How long after the beginning it was composed.
    pub after: Span,
    /// How long a relay took to take it; `None` where none has.
    pub took: Option<Span>,
}

/// What is known of an exercise.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Facts {
    /// Number of the incident.
    pub incident: i64,
    /// Name of the alert rule.
    pub alert: String,
    /// Its title.
    pub title: String,
    /// How bad the invented crisis was at its worst.
    pub severity: Severity,
    /// Who held it.
    pub by: String,
    /// When it began.
    pub began: Timestamp,
    /// How long after the first invented mention the rule rang, and with how many.
    pub rang: (Span, u64),
    /// The messages in their order.
    pub sent: Vec<Sent>,
    /// Who took it, and how long after the beginning.
    pub taken: Option<(String, Span)>,
    /// What happened: how long after the beginning, who did it, what.
    pub timeline: Vec<(Span, String, String)>,
    /// A real incident came between.
    pub broken_off: Option<i64>,
}

impl Facts {
    /// What to look at; nothing where all went well.
    pub fn faults(&self) -> Vec<String> {
        let mut out = Vec::new();
        if let Some(real) = self.broken_off {
            out.push(format!("It was broken off for incident {real}, which is real."));
        }
        for sent in self.sent.iter().filter(|s| s.state != "delivered") {
            let what = match sent.state.as_str() {
                "waiting" => "No relay had taken a message to",
                "failed" => "Every relay refuses messages to",
                _ => "A budget held back a message to",
            };
            out.push(format!("{what} {}: `{}`", sent.person, sent.subject));
        }
        if self.sent.is_empty() {
            out.push("Nobody was called.".to_owned());
        }
        if self.taken.is_none() && self.broken_off.is_none() {
            out.push("Nobody took it.".to_owned());
        }
        let slow = |s: &&Sent| s.took.is_some_and(|took| took > Span::secs(60));
        for sent in self.sent.iter().filter(slow) {
            let took = sent.took.map(seconds).unwrap_or_default();
            out.push(format!("A message to {} took {took}: see the relay with `vakt doctor`.", sent.person));
        }
        out
    }

    /// The median and the longest time that relays took.
    pub fn delivery(&self) -> Option<(Span, Span)> {
        let mut all: Vec<Span> = self.sent.iter().filter_map(|s| s.took).collect();
        all.sort_unstable();
        Some((all.get(all.len() / 2).copied()?, all.last().copied()?))
    }

    /// The account, in a zone.
    pub fn markdown(&self, zone: &TimeZone) -> String {
        let mut out: Vec<String> = Vec::new();
        let began = self.began.to_zoned(zone.clone());
        let faults = self.faults();
        out.push(format!("# Drill: {}\n", line(&self.title)));
        out.push(format!(
            "Incident {} of the alert rule `{}`, {}, held by {} on {}. Nothing of it has happened.\n",
            self.incident,
            self.alert,
            self.severity,
            line(&self.by),
            began.strftime("%A, %-d %B %Y, %H:%M %Z")
        ));
        out.push("| | |\n|---|---|".to_owned());
        let (after, mentions) = self.rang;
        out.push(format!("| Seen | {after} after the first of {mentions} invented mentions |"));
        match self.delivery() {
            Some((median, longest)) => {
                let told = self.sent.iter().filter(|s| s.took.is_some()).count();
                out.push(format!(
                    "| Told | {told} of {} messages taken by a relay, median {}, longest {} |",
                    self.sent.len(),
                    seconds(median),
                    seconds(longest)
                ));
            }
            None => {
                out.push(format!("| Told | no message of {} was taken by a relay |", self.sent.len()));
            }
        }
        match &self.taken {
            Some((by, after)) => {
                out.push(format!("| Taken | by {} after {} |", line(by), seconds(*after)));
            }
            None => {
                out.push("| Taken | by nobody |".to_owned());
            }
        }
        out.push("\n## What to look at\n".to_owned());
        if faults.is_empty() {
            out.push("Nothing: everybody was reached, and somebody took it.".to_owned());
        }
        for fault in &faults {
            out.push(format!("- {fault}"));
        }
        out.push(
            "\n## Messages\n\n| after | to | state | a relay took it within | subject |\n|---|---|---|---|---|"
                .to_owned(),
        );
        for s in &self.sent {
            let took = s.took.map_or_else(|| "–".to_owned(), seconds);
            out.push(format!("| +{} | {} | {} | {took} | {} |", seconds(s.after), s.person, s.state, line(&s.subject)));
        }
        out.push("\n## Timeline\n".to_owned());
        for (after, who, what) in &self.timeline {
            out.push(format!("- +{} · {}: {}", seconds(*after), line(who), line(what)));
        }
        out.push(String::new());
        out.join("\n")
    }
}

/// How long between the beginning and an instant.
pub fn after(began: Timestamp, at: Timestamp) -> Span {
    between(began, at).max(Span::ZERO)
}

/// Seconds with one place below a minute, else minutes and seconds.
fn seconds(span: Span) -> String {
    let millis = span.as_millis();
    if millis < 60_000 {
        return format!("{:.1} s", millis as f64 / 1000.0);
    }
    format!("{} min {} s", millis / 60_000, millis / 1000 % 60)
}

/// Text that cannot leave its cell or its line.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let sent = |person: &str, after: i64, took: Option<i64>| Sent {
            person: person.into(),
            subject: format!("[DRILL · CRISIS] Acme | for {person}"),
            state: if took.is_some() { "delivered" } else { "waiting" }.into(),
            after: Span::secs(after),
            took: took.map(Span::millis),
        };
        Facts {
            incident: 7,
            alert: "product-safety".into(),
            title: "Acme: product safety".into(),
            severity: Severity::Crisis,
            by: "anna".into(),
            began: Timestamp::UNIX_EPOCH,
            rang: (Span::mins(2), 9),
            sent: vec![sent("anna", 0, Some(420)), sent("bo", 0, Some(1800)), sent("chief", 310, None)],
            taken: Some(("bo".into(), Span::secs(402))),
            timeline: vec![(Span::ZERO, "anna".into(), "drill: an exercise begins".into())],
            broken_off: None,
        }
    }

    #[test]
    fn the_account_says_what_was_seen_told_and_taken() {
        insta::assert_snapshot!(facts().markdown(&TimeZone::UTC));
    }

    #[test]
    fn all_well_is_said_and_nothing_is_hidden() {
        let mut well = facts();
        well.sent.pop();
        assert!(well.faults().is_empty() && well.markdown(&TimeZone::UTC).contains("Nothing: everybody"));
        let nobody = Facts { sent: Vec::new(), taken: None, ..facts() };
        assert_eq!(nobody.faults(), ["Nobody was called.", "Nobody took it."]);
        let broken = Facts { broken_off: Some(9), taken: None, ..well };
        assert_eq!(broken.faults().len(), 1);
    }
}
