//! The sample rules, as they stand in the project's `rules/`.

macro_rules! files {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("../../../rules/", $name)))),*] };
}

/// Path below the rules directory, and text.
pub(super) const FILES: &[(&str, &str)] = files![
    "README.md",
    "alerts/brand.toml",
    "alerts/competitors.toml",
    "alerts/early.toml",
    "alerts/risks.toml",
    "calendar/acme.ics",
    "calendar/calendar.toml",
    "calendar/holidays-de.ics",
    "calendar/holidays-es.ics",
    "calendar/holidays-gb.ics",
    "calendar/holidays-it.ics",
    "calendar/holidays-se.ics",
    "calendar/posts.csv",
    "lexicon/house.toml",
    "people.toml",
    "playbooks/boycott.md",
    "playbooks/brand-criticism.md",
    "playbooks/competitor-watch.md",
    "playbooks/data-breach.md",
    "playbooks/executive-conduct.md",
    "playbooks/false-news.md",
    "playbooks/legal-matters.md",
    "playbooks/person-criticism.md",
    "playbooks/product-safety.md",
    "playbooks/responsibility.md",
    "playbooks/service-outage.md",
    "searches/desk.toml",
    "tests/brand.toml",
    "tests/competitors.toml",
    "tests/early.toml",
    "tests/risks.toml",
    "tests/safety.toml",
    "topics/acme.toml",
    "topics/competitors.toml",
    "topics/risk-boycott.toml",
    "topics/risk-data-breach.toml",
    "topics/risk-discrimination.toml",
    "topics/risk-environment.toml",
    "topics/risk-executive-conduct.toml",
    "topics/risk-fake-news.toml",
    "topics/risk-labour.toml",
    "topics/risk-legal.toml",
    "topics/risk-outage.toml",
    "topics/risk-product-safety.toml",
    "voice.toml",
];

#[cfg(test)]
mod tests {
    use super::FILES;
    use crate::config::Sheet;
    use crate::config::fault::render_all;
    use crate::rules::Rules;

    #[test]
    fn all_files_are_here_and_in_order() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let mut found = Vec::new();
        let mut waiting = vec![root.clone()];
        while let Some(dir) = waiting.pop() {
            for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
                match entry.file_type().expect("a type").is_dir() {
                    true => waiting.push(entry.path()),
                    false => found.push(entry.path().strip_prefix(&root).expect("below").display().to_string()),
                }
            }
        }
        found.sort();
        assert_eq!(found, FILES.iter().map(|(n, _)| *n).collect::<Vec<_>>());
        let sheets = FILES.iter().map(|(n, t)| Sheet::new(format!("rules/{n}"), *t)).collect();
        let rules = Rules::read(sheets, "2026-11-28T12:00:00Z".parse().expect("an instant"))
            .unwrap_or_else(|f| panic!("{}", render_all(&f, false)));
        assert!(rules.warnings.is_empty(), "{}", render_all(&rules.warnings, false));
    }
}
