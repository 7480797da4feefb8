//! The topics of the rules as sources look for them.

use crate::rules::Rules;
use crate::sources::Sought;

/// The topics of the rules, each with its query.
pub fn sought(rules: &Rules) -> Vec<Sought<'_>> {
    let both = rules.topics.iter().zip(&rules.queries);
    both.map(|(topic, node)| Sought { name: &topic.name, node, languages: &topic.languages }).collect()
}
