//! `vakt doctor --channel`: a marked test by a channel, to those who are reached by it, and what became of it.

use super::super::{Paint, Refused, Verdict, runtime};
use crate::channels::{self, Named, Outcome, Parcel, short};
use crate::config::Config;
use crate::config::fault::{Fault, suggest};
use crate::daemon::{channels_of, letterhead};
use crate::ground::Clock;
use crate::model::{Notice, Person};
use crate::rules::Rules;

/// Whom the test is for: full names, where they are known, and addresses in the channel's own words.
fn targets(config: &Config, named: &Named, to: Option<&str>) -> anyhow::Result<Vec<(String, String)>> {
    if let Some(to) = to {
        return Ok(vec![(String::new(), to.to_owned())]);
    }
    let rules = Rules::load(&config.rules_dir, Clock::System.now())
        .map_err(|_| Refused("the rules have mistakes; `vakt check` shows them".into()))?;
    let ways = |p: &Person| {
        let by_it = p.reach.iter().filter(|w| w.channel == named.name);
        by_it.map(|w| (p.full_name.clone(), w.to.clone())).collect::<Vec<_>>()
    };
    let mut out: Vec<(String, String)> = Vec::new();
    for (name, to) in rules.people.persons.iter().flat_map(ways) {
        match out.iter_mut().find(|(_, other)| *other == to) {
            // One message to what several people read.
            Some((names, _)) => names.clear(),
            None => out.push((name, to)),
        }
    }
    match (out.is_empty(), named.kind.to) {
        (true, Some(to)) if to.needed => {
            let help = format!("nobody is reached by `{}` in people.toml: say --to with {}", named.name, to.what);
            Err(Refused(help).into())
        }
        (true, _) => Ok(vec![(String::new(), String::new())]),
        _ => Ok(out),
    }
}

/// Sends a marked test by the channel of that name, and says what it answered.
pub(super) fn test(config: &Config, name: &str, to: Option<&str>, json: bool) -> anyhow::Result<Verdict> {
    let all = channels::read(&config.sheet, &config.fetch.allow_private).map_err(|faults| {
        let first = faults.first().map(Fault::brief).unwrap_or_default();
        Refused(format!("the settings have mistakes; first: {first}"))
    })?;
    let Some(named) = all.iter().find(|n| n.name == name) else {
        let help = suggest(name, all.iter().map(|n| n.name.as_str()));
        return Err(Refused(format!("there is no channel `{name}` in the settings: {help}")).into());
    };
    if let Some((what, help)) = to.and_then(|to| channels::wrong(&all, name, to)) {
        return Err(Refused(format!("{what}: {help}")).into());
    }
    let targets = targets(config, named, to)?;
    let (channels, house, paint) = (channels_of(config)?, letterhead(config), Paint::new());
    let mut ill = false;
    for (n, (full_name, to)) in targets.iter().enumerate() {
        let now = Clock::System.now();
        let id = format!("test.{name}.{n}.{}@{}", now.as_millisecond(), house.domain());
        let mut short = short::test(&id, full_name, now);
        let send = |id: &str, short: &short::Short| {
            let parcel = Parcel { id, to, short };
            runtime().map(|r| r.block_on(channels.tell(name, parcel, now)))
        };
        let mut outcome = send(&id, &short)?;
        if named.kind.closes && matches!(outcome, Outcome::Taken(_)) {
            // What a test opens it closes.
            short.notice = Notice::Resolved;
            outcome = send(&format!("end.{id}"), &short)?;
        }
        let (word, detail) = match &outcome {
            Outcome::Taken(by) => ("taken", by),
            Outcome::Later { why, .. } => ("put off", why),
            Outcome::Never(why) => ("refused", why),
        };
        ill |= word != "taken";
        if json {
            say!("{}", serde_json::json!({ "channel": name, "to": to, "outcome": word, "detail": detail }));
        } else {
            let word = if word == "taken" { paint.good(word) } else { paint.bad(word) };
            let to = if to.is_empty() { String::new() } else { format!(" {}", super::super::safe(to, 80)) };
            say!("{name}{to}  {word}: {}", super::super::safe(detail, 300));
        }
    }
    Ok(if ill { Verdict::No } else { Verdict::Done })
}
