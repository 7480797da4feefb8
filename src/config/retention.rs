//! How long what was stored is kept.

use std::collections::BTreeMap;

use super::written::Form;
use crate::model::time::Span;

/// How long things are kept; `None` is for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Mentions, counted from when they were received.
    pub mentions: Option<Span>,
    /// Mentions of a source or of a network.
    pub sources: BTreeMap<String, Option<Span>>,
    /// Mentions that an incident is about: while it is open, and so long after.
    pub evidence: Option<Span>,
    /// What messages said, once they are delivered.
    pub letters: Option<Span>,
}

impl Default for Retention {
    fn default() -> Retention {
        // A year and a month: this March beside last March. What people wrote is not kept longer without a reason.
        let year = Some(Span::days(365));
        Retention { mentions: Some(Span::days(400)), sources: BTreeMap::new(), evidence: year, letters: year }
    }
}

/// Detectors learn from days: nothing is deleted sooner.
const LEAST: Span = Span::days(1);

impl Retention {
    /// The rule that holds for a source and its network, by name; the general one has none.
    pub fn rule(&self, source: &str, network: &str) -> &str {
        let named = self.sources.get_key_value(source).or_else(|| self.sources.get_key_value(network));
        named.map_or("", |(name, _)| name)
    }

    /// How long a rule keeps what it holds for.
    pub fn term(&self, rule: &str) -> Option<Span> {
        self.sources.get(rule).copied().unwrap_or(self.mentions)
    }

    /// All rules by name, the general one first.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        std::iter::once("").chain(self.sources.keys().map(String::as_str))
    }

    /// Reads the table as written.
    pub(super) fn read(form: Form<'_>) -> Retention {
        let mut out = Retention::default();
        for (key, to) in
            [("mentions", &mut out.mentions), ("evidence", &mut out.evidence), ("letters", &mut out.letters)]
        {
            if let Some(term) = form.term(key) {
                check(&form, term.span, key, term.value);
                *to = term.value;
            }
        }
        if let Some(sources) = form.table("sources", "[retention] sources table") {
            for (name, term) in sources.terms() {
                check(&form, name.span.clone(), &name.value, term);
                out.sources.insert(name.value, term);
            }
        }
        form.finish();
        out
    }
}

fn check(form: &Form<'_>, span: std::ops::Range<usize>, key: &str, term: Option<Span>) {
    if term.is_some_and(|t| t < LEAST) {
        form.desk.error(span, format!("`{key}` is kept for less than a day"), "write \"30d\", \"1y\" or \"forever\"");
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Fault, Sheet};
    use super::*;

    fn read(text: &str) -> Result<Retention, Vec<String>> {
        let config = Config::read(Sheet::new("vakt.toml", text));
        config.map(|c| c.retention).map_err(|faults| faults.iter().map(Fault::brief).collect())
    }

    #[test]
    fn by_source_by_network_and_in_general() {
        let text =
            "[retention]\nmentions = \"1y\"\nsources = { \"import:old\" = \"2y\", x = \"30d\", news = \"forever\" }\n";
        let r = read(text).expect("it is right");
        let of = |source: &str, network: &str| r.term(r.rule(source, network)).map(|s| s.as_millis() / 86_400_000);
        assert_eq!((of("import:old", "x"), of("api", "x"), of("news", "web")), (Some(730), Some(30), None));
        assert_eq!((of("other", "forum"), r.evidence), (Some(365), Some(Span::days(365))));
        assert_eq!(read("").expect("the usual"), Retention::default());
    }

    #[test]
    fn mistakes_are_told_with_their_places() {
        let text =
            "[retention]\nmentions = \"400\"\nsources = { x = \"for ever\", y = \"5m\", z = 3 }\nevidnce = \"1y\"\n";
        let said = read(text).expect_err("it has mistakes").join("\n");
        insta::assert_snapshot!(said, @r#"
        vakt.toml:2: `400` has no unit; write `400m` for minutes or `400s` for seconds (write for example "400d", "1y" or "forever")
        vakt.toml:3: `for ever` is no length of time; write for example `15m`, `2h` or `7d` (write for example "400d", "1y" or "forever")
        vakt.toml:3: `z` must be a length of time such as "30d", or "forever", not an integer (write a length of time such as "30d", or "forever")
        vakt.toml:3: `y` is kept for less than a day (write "30d", "1y" or "forever")
        vakt.toml:4: unknown field `evidnce` in this [retention] table (did you mean `evidence`?)
        "#);
    }
}
