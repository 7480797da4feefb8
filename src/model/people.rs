//! Whom to call: persons, teams and escalation policies.

use super::time::Span;

/// One human being who may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// One step of an escalation policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Names of persons and teams to tell.
    pub notify: Vec<String>,
    /// How long to wait for an acknowledgement before the next step.
    pub wait: Span,
}

/// Who is told, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Unique name.
    pub name: String,
    /// Steps in order; never empty.
    pub steps: Vec<Step>,
    /// How many times the steps run altogether.
    pub repeat: u32,
    /// Told once when all steps have passed without an acknowledgement.
    pub last_resort: Vec<String>,
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

    /// The persons behind names of persons and teams, each once, in order.
    pub fn reach<'a>(&'a self, names: &[String]) -> Vec<&'a Person> {
        let mut found: Vec<&Person> = Vec::new();
        let mut add = |person: Option<&'a Person>| {
            if let Some(p) = person.filter(|p| !found.iter().any(|f| f.name == p.name)) {
                found.push(p);
            }
        };
        for name in names {
            match self.team(name) {
                Some(team) => team.members.iter().for_each(|m| add(self.person(m))),
                None => add(self.person(name)),
            }
        }
        found
    }
}
