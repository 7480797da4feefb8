//! `vakt doctor --mail`: a test message to somebody, by the way that alarms go, and what became of it.

use anyhow::anyhow;

use super::super::{Paint, Refused, Verdict, open_store, runtime};
use crate::channels::Outcome;
use crate::channels::letter::{self, Note};
use crate::channels::mail;
use crate::config::Config;
use crate::config::fault::suggest;
use crate::daemon::{channels_of, letterhead};
use crate::ground::Clock;
use crate::model::Person;
use crate::rules::Rules;
use crate::stages::deliver;
use crate::store::outbox::{self, Message};

/// What the name of everybody is.
const ALL: &str = "all";

fn people(config: &Config, name: &str) -> anyhow::Result<Vec<Person>> {
    let rules = Rules::load(&config.rules_dir, Clock::System.now())
        .map_err(|_| Refused("the rules have mistakes; `vakt check` shows them".into()))?;
    let persons = rules.people.persons;
    if name == ALL {
        return Ok(persons);
    }
    match persons.iter().find(|p| p.name == name) {
        Some(person) => Ok(vec![person.clone()]),
        None => {
            let help = suggest(name, persons.iter().map(|p| p.name.as_str()).chain([ALL]));
            Err(Refused(format!("nobody is called `{name}` in the rules: {help}")).into())
        }
    }
}

/// Sends a test message to a person, or to all, and says what the relays answered.
pub(super) fn test(config: &Config, name: &str, json: bool) -> anyhow::Result<Verdict> {
    let (persons, store, channels) = (people(config, name)?, open_store(config)?, channels_of(config)?);
    let (house, paint) = (letterhead(config), Paint::new());
    let mut ill = false;
    for person in persons {
        let now = Clock::System.now();
        let message_id = format!("test.{}.{}@{}", person.name, now.as_millisecond(), house.domain());
        let text = format!(
            "This is a test of vakt: {} is called at this address. There is nothing to do.\n",
            person.full_name
        );
        let note = letter::note(&Note { subject: "[vakt] a test message", text: &text, message_id: &message_id });
        let body = mail::envelope_bytes(&note, &house.from, &person, now).map_err(|e| anyhow!("{e}"))?;
        let message = Message::mail(message_id, &person, note.subject, body, now);
        let outcome = runtime()?.block_on(deliver::send(&channels, &message, now));
        let (word, detail) = match &outcome {
            Outcome::Taken(by) => ("taken", by),
            Outcome::Later { why, .. } => ("put off", why),
            Outcome::Never(why) => ("refused", why),
        };
        ill |= !matches!(outcome, Outcome::Taken(_));
        if let Outcome::Taken(by) = &outcome {
            let by = by.clone();
            store.write_blocking(move |tx| outbox::was_sent(tx, &message, &by, now))?;
        }
        if json {
            say!(
                "{}",
                serde_json::json!({ "person": person.name, "address": person.email, "outcome": word, "detail": detail })
            );
        } else {
            let word = if word == "taken" { paint.good(word) } else { paint.bad(word) };
            say!("{} <{}>  {word}: {}", person.name, person.email, super::super::safe(detail, 300));
        }
    }
    Ok(if ill { Verdict::No } else { Verdict::Done })
}
