//! Names that people give from outside the rules: who or what is meant, or a sentence with the nearest that there is.

use super::Rules;
use crate::config::fault::suggest;
use crate::model::{Alert, Person, Topic};

impl Rules {
    /// The person of a name.
    ///
    /// # Errors
    /// A sentence that names the nearest.
    pub fn must_person(&self, name: &str) -> Result<&Person, String> {
        let known = || self.people.persons.iter().map(|p| p.name.as_str());
        let unknown = || format!("nobody is called `{name}` in the rules: {}", suggest(name, known()));
        self.people.person(name).ok_or_else(unknown)
    }

    /// The topic of a name.
    ///
    /// # Errors
    /// A sentence that names the nearest.
    pub fn must_topic(&self, name: &str) -> Result<&Topic, String> {
        let known = || self.topics.iter().map(|t| t.name.as_str());
        self.topic(name).ok_or_else(|| format!("there is no topic `{name}`: {}", suggest(name, known())))
    }

    /// The alert rule of a name.
    ///
    /// # Errors
    /// A sentence that names the nearest.
    pub fn must_alert(&self, name: &str) -> Result<&Alert, String> {
        let known = || self.alerts.iter().map(|a| a.name.as_str());
        self.alert(name).ok_or_else(|| format!("there is no alert `{name}`: {}", suggest(name, known())))
    }
}
