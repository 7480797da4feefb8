//! How bad it is: four steps, in order.

use serde::{Deserialize, Serialize};

/// The four severities, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Watch,
    /// Somebody should look today.
    Review,
    /// Somebody should look now.
    Escalate,
    /// Everybody should look now.
    Crisis,
}

impl Severity {
    /// All severities, mildest first.
    pub const ALL: [Severity; 4] = [Severity::Watch, Severity::Review, Severity::Escalate, Severity::Crisis];

    /// The word used in rules, pages and mails.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Watch => "watch",
            Severity::Review => "review",
            Severity::Escalate => "escalate",
            Severity::Crisis => "crisis",
        }
    }

    /// Reads the word back; `None` for any other word.
    pub fn parse(word: &str) -> Option<Severity> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_order_hold() {
        for s in Severity::ALL {
            assert_eq!(Severity::parse(s.as_str()), Some(s));
        }
        assert!(Severity::Watch < Severity::Review && Severity::Escalate < Severity::Crisis);
        assert_eq!(Severity::parse("urgent"), None);
    }
}
