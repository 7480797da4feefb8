//! Whom to call: persons, teams, and with them schedules and escalation policies.

use super::Severity;
use super::policy::Policy;
use super::schedule::{Hours, Schedule};

/// One human being who may be called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Unique short name.
    pub name: String,
    /// The name to show.
    pub full_name: String,
    /// Where mail goes: an address of ASCII letters.
    pub email: String,
    /// Languages that the person reads, best first.
    pub languages: Vec<String>,
    /// IANA name of the time zone in which times are shown to the person.
    pub time_zone: String,
    /// Telephone number as `+` and digits; empty where none is known.
    pub phone: String,
    /// When the person sleeps.
    pub quiet: Option<Quiet>,
    /// Messages a day, in the person's zone, beyond which those of lesser incidents are held; `None` for no limit.
    pub budget: Option<u32>,
    /// Ways to the person in their order: the first goes at once, each other when those before it fail. Mail that is not
    /// among them goes always.
    pub reach: Vec<Way>,
}

/// The name of mail among the channels.
pub const MAIL: &str = "mail";

/// A way to reach a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Way {
    /// Name of a channel of the settings, or [`MAIL`].
    pub channel: String,
    /// Whom the channel tells, in its own words: a topic, a chat, a number; empty where its settings say all.
    pub to: String,
    /// It counts for this severity and those above.
    pub from: Severity,
}

/// Hours in which a person is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    /// The hours, in the person's zone.
    pub hours: Vec<Hours>,
    /// This severity and those above wake all the same.
    pub wake_for: Severity,
}

/// A named group of persons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Unique name; no person has the same.
    pub name: String,
    /// The name to show.
    pub title: String,
    /// Names of its members; never empty.
    pub members: Vec<String>,
}

/// The address within `name <address>`, or the text itself.
pub fn address_of(mailbox: &str) -> &str {
    match mailbox.rsplit_once('<') {
        Some((_, address)) => address.trim_end().strip_suffix('>').unwrap_or(""),
        None => mailbox,
    }
}

/// Whether it is an address of ASCII letters with one `@` and nothing that a mail header could stumble over (F29, F64).
pub fn is_mail_address(address: &str) -> bool {
    let part = |p: &str| !p.is_empty() && !p.starts_with('.') && !p.ends_with('.');
    address.len() < 255
        && address.bytes().all(|b| b.is_ascii_graphic() && !b"<>()[],;:\\\"".contains(&b))
        && address.split_once('@').is_some_and(|(local, host)| part(local) && part(host) && !host.contains('@'))
}

/// Everybody whom the rules know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// Persons by their order in the file.
    pub persons: Vec<Person>,
    /// Teams.
    pub teams: Vec<Team>,
    /// On-call schedules.
    pub schedules: Vec<Schedule>,
    /// Policies.
    pub policies: Vec<Policy>,
}

impl People {
    /// The person of that name.
    pub fn person(&self, name: &str) -> Option<&Person> {
        self.persons.iter().find(|p| p.name == name)
    }

    /// The team of that name.
    pub fn team(&self, name: &str) -> Option<&Team> {
        self.teams.iter().find(|t| t.name == name)
    }

    /// The policy of that name.
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|p| p.name == name)
    }

    /// The schedule of that name.
    pub fn schedule(&self, name: &str) -> Option<&Schedule> {
        self.schedules.iter().find(|s| s.name == name)
    }
}
