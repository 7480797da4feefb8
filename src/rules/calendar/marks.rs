//! What vakt is told in the words of an event: `vakt:factor=5 vakt:topics=acme vakt:channel=instagram`.
//!
//! Calendars of telephones cannot write properties of their own, but all have room for notes.

use crate::config::fault::suggest;
use crate::model::Planned;

/// The keys that are known.
pub(super) const KEYS: [&str; 3] = ["factor", "topics", "channel"];

/// What was told, each with the text that it was told by.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Marks {
    /// How many times the usual may come.
    pub(super) factor: Option<f64>,
    /// Topics that it concerns.
    pub(super) topics: Vec<String>,
    /// Where it is published.
    pub(super) channel: Option<String>,
}

/// A word that is wrong, what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Odd {
    pub(super) word: String,
    pub(super) message: String,
    pub(super) help: String,
}

impl Marks {
    /// Takes the marks of a text, and gives the text without them.
    pub(super) fn take(&mut self, text: &str, odd: &mut Vec<Odd>) -> String {
        let mut rest = String::new();
        let mut tail = text;
        while let Some(at) = tail.find("vakt:") {
            let (before, mark) = tail.split_at(at);
            rest.push_str(before);
            let end = mark.find(|c: char| c.is_whitespace() || c == '<').unwrap_or(mark.len());
            let (mark, after) = mark.split_at(end);
            tail = after;
            match mark.strip_prefix("vakt:").and_then(|m| m.split_once('=')) {
                Some((key, value)) => self.set(key, value, mark, odd),
                None => odd.push(Odd {
                    word: mark.to_owned(),
                    message: format!("`{mark}` tells vakt nothing"),
                    help: "write vakt:factor=5, vakt:topics=acme,kettle or vakt:channel=instagram".into(),
                }),
            }
        }
        rest.push_str(tail);
        rest.trim().to_owned()
    }

    /// Sets one of them.
    pub(super) fn set(&mut self, key: &str, value: &str, word: &str, odd: &mut Vec<Odd>) {
        let value = value.trim_end_matches([',', '.', ';']).trim();
        match key.to_ascii_lowercase().as_str() {
            "factor" => match factor(value) {
                Ok(factor) => self.factor = Some(factor),
                Err((message, help)) => odd.push(Odd { word: word.to_owned(), message, help }),
            },
            "topics" => {
                let names = value.split([',', ' ', ';']).map(str::trim).filter(|t| !t.is_empty());
                self.topics.extend(names.map(str::to_owned));
            }
            "channel" => self.channel = Some(value.to_owned()).filter(|c| !c.is_empty()),
            _ => odd.push(Odd {
                word: word.to_owned(),
                message: format!("`{key}` is nothing that vakt can be told of an event"),
                help: suggest(&key.to_ascii_lowercase(), KEYS),
            }),
        }
    }
}

/// Reads a factor; else what is wrong and what to do.
pub(super) fn factor(text: &str) -> Result<f64, (String, String)> {
    let help = format!("write 1 to {}: how many times the usual may come", Planned::LARGEST_FACTOR);
    match text.trim().trim_start_matches(['x', '×']).replace(',', ".").parse::<f64>() {
        Ok(n) if (1.0..=Planned::LARGEST_FACTOR).contains(&n) => Ok(n),
        Ok(_) => Err((format!("a factor of {text} makes no sense"), help)),
        Err(_) => Err((format!("`{text}` is no factor"), help)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Marks, String, Vec<Odd>) {
        let (mut marks, mut odd) = (Marks::default(), Vec::new());
        let rest = marks.take(text, &mut odd);
        (marks, rest, odd)
    }

    #[test]
    fn marks_are_read_out_of_notes() {
        let (marks, rest, odd) = read("See the plan.\nvakt:factor=5 vakt:topics=acme,kettle<br>vakt:channel=instagram");
        assert_eq!((marks.factor, marks.channel.as_deref()), (Some(5.0), Some("instagram")));
        assert_eq!(marks.topics, ["acme", "kettle"]);
        assert_eq!((rest.as_str(), odd.len()), ("See the plan.\n <br>", 0));
    }

    #[test]
    fn what_is_mistyped_is_told() {
        let (_, _, odd) = read("vakt:facter=5 vakt:factor=0.5 vakt:factor=lots vakt:now");
        let said: Vec<&str> = odd.iter().map(|o| o.help.as_str()).collect();
        assert_eq!(said[0], "did you mean `factor`?");
        assert_eq!(odd.len(), 4, "{odd:?}");
        assert!(factor("NaN").is_err() && factor("1e9").is_err() && factor("2,5") == Ok(2.5));
    }
}
