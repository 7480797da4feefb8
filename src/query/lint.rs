//! What is legal and probably not meant: branches that can never match, common words without context, terms that no text
//! in the languages listened to has.

use std::collections::BTreeMap;
use std::ops::Range;

use super::fact::{Field, Wanted};
use super::node::{Is, Node};
use super::{Code, Mistake};

/// Warnings about any query.
pub(super) fn always(node: &Node) -> Vec<Mistake> {
    let mut out = Vec::new();
    walk(node, &mut |n| contradictions(n, &mut out));
    walk(node, &mut |n| {
        if let Is::Fact(fact) = &n.is
            && fact.field == Field::Emotion
        {
            let help = "use sentiment: or intent:";
            out.push(Mistake::warning(
                Code::Never,
                n.span.clone(),
                "emotions are not told apart yet, so none matches",
                help,
            ));
        }
    });
    out
}

/// Warnings about a query that stands for good: a topic's. `languages` are those that it listens to; none for all.
pub fn standing(node: &Node, languages: &[String]) -> Vec<Mistake> {
    let mut out = Vec::new();
    walk(node, &mut |n| match &n.is {
        Is::Fact(fact) if fact.field == Field::Topic => {
            let help = "write the other topic's words, or name both in the alert's `topics`";
            out.push(Mistake {
                warning: false,
                ..Mistake::warning(Code::Never, n.span.clone(), "a topic cannot ask for a topic", help)
            });
        }
        Is::Word(word) | Is::Compound(word) => out.extend(foreign(word, &n.span, languages)),
        _ => {}
    });
    for alone in alternatives(node) {
        if let Is::Word(word) = &alone.is
            && COMMON.contains(&word.as_str())
        {
            let name: String = self::capitalised(word);
            let message = format!("`{word}` is a common word, and most who write it mean something else");
            let help =
                format!("write {{{name}}} for exactly this case, or add context: {word} NEAR/10 (shop OR store)");
            out.push(Mistake::warning(Code::CommonWord, alone.span.clone(), message, help));
        }
    }
    out
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn walk<'n>(node: &'n Node, each: &mut impl FnMut(&'n Node)) {
    each(node);
    node.parts().into_iter().for_each(|n| walk(n, each));
}

/// The parts of which one alone makes the whole match.
fn alternatives(node: &Node) -> Vec<&Node> {
    match &node.is {
        Is::Or(any) => any.iter().flat_map(alternatives).collect(),
        // Exclusions give no context.
        Is::And(all) => {
            let needed: Vec<&Node> = all.iter().filter(|n| !n.is_negative()).collect();
            match needed.as_slice() {
                [one] => alternatives(one),
                _ => Vec::new(),
            }
        }
        _ => vec![node],
    }
}

/// Names of brands that are everyday words as well.
const COMMON: &[&str] = &[
    "target", "visa", "apple", "orange", "shell", "gap", "next", "boots", "polo", "dove", "amazon", "subway", "galaxy",
    "windows", "office", "word", "access", "teams", "edge", "zoom", "slack", "signal", "x", "meta", "alphabet",
    "block", "square", "stripe", "bolt", "tide", "crest", "axe", "lynx", "mars", "twix", "monster", "rockstar", "puma",
    "jaguar", "mini", "smart", "seat", "golf", "focus", "fiesta", "virgin", "time", "life", "people", "fortune", "sun",
    "mirror", "express", "metro", "guess", "fossil", "diesel", "esprit", "mango", "only", "bild", "stern", "die",
    "welt", "zeit", "spiegel", "eins", "o2", "drei", "tele", "telia", "tre", "ica", "coop", "max", "ahlens", "indiska",
    "lush", "pret", "sprint", "discover", "chase", "ally", "root", "lemonade", "oscar", "nest", "ring", "echo",
    "kindle",
];

/// Whether no text in the languages that are listened to has the letters of a word.
fn foreign(word: &str, span: &Range<usize>, languages: &[String]) -> Option<Mistake> {
    let (script, spoken): (&str, &[&str]) = match word.chars().next()? {
        '\u{400}'..='\u{52f}' => ("Cyrillic", &["ru", "uk", "bg", "sr", "mk", "be"]),
        '\u{370}'..='\u{3ff}' => ("Greek", &["el"]),
        '\u{600}'..='\u{6ff}' => ("Arabic", &["ar", "fa", "ur"]),
        '\u{590}'..='\u{5ff}' => ("Hebrew", &["he"]),
        '\u{3040}'..='\u{30ff}' => ("Japanese", &["ja"]),
        '\u{ac00}'..='\u{d7af}' => ("Korean", &["ko"]),
        '\u{4e00}'..='\u{9fff}' => ("Chinese", &["zh", "ja"]),
        _ => return None,
    };
    let heard = languages.is_empty() || languages.iter().any(|l| spoken.contains(&l.as_str()));
    (!heard).then(|| {
        let message = format!("`{word}` is {script}, and the topic listens to {} only", languages.join(", "));
        let help = format!("add \"{}\" to its languages, or take the word out", spoken.first().unwrap_or(&""));
        Mistake::warning(Code::ForeignTerm, span.clone(), message, help)
    })
}

/// An AND of which the parts exclude each other.
fn contradictions(node: &Node, out: &mut Vec<Mistake>) {
    let Is::And(all) = &node.is else { return };
    let excluded: Vec<&Node> =
        all.iter().filter_map(|n| if let Is::Not(inner) = &n.is { Some(&**inner) } else { None }).collect();
    let all_excluded: Vec<&Node> =
        excluded.iter().flat_map(|n| if let Is::Or(any) = &n.is { any.iter().collect() } else { vec![*n] }).collect();
    for part in all {
        let branches: Vec<&Node> = if let Is::Or(any) = &part.is { any.iter().collect() } else { vec![part] };
        for branch in branches {
            if all_excluded.iter().any(|gone| same(gone, branch)) {
                let message = "this is asked for and excluded, so it can never match";
                out.push(Mistake::warning(Code::Never, branch.span.clone(), message, "take one of the two out"));
            }
        }
    }
    let mut names: BTreeMap<Field, (&str, Range<usize>)> = BTreeMap::new();
    let mut numbers: BTreeMap<Field, (f64, f64)> = BTreeMap::new();
    for part in all {
        let Is::Fact(fact) = &part.is else { continue };
        let clash = match &fact.value {
            Wanted::Name(name) if fact.field.is_single() => match names.get(&fact.field) {
                Some((other, _)) => *other != name,
                None => {
                    names.insert(fact.field, (name, part.span.clone()));
                    false
                }
            },
            Wanted::Number(low, high) => {
                let (l, h) = numbers.entry(fact.field).or_insert((f64::NEG_INFINITY, f64::INFINITY));
                (*l, *h) = (l.max(*low), h.min(*high));
                l > h
            }
            _ => false,
        };
        if clash {
            let message = format!("a mention has one `{}:`, and another is asked for as well", fact.field.name());
            let help = format!("write {}:(one OR other)", fact.field.name());
            out.push(Mistake::warning(Code::Never, part.span.clone(), message, help));
        }
    }
}

/// Whether two parts say the same, wherever they are written.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.is, &b.is) {
        (Is::And(x), Is::And(y)) | (Is::Or(x), Is::Or(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(a, b)| same(a, b))
        }
        (Is::Not(x), Is::Not(y)) => same(x, y),
        (Is::In(p, x), Is::In(q, y)) => p == q && same(x, y),
        (Is::Near { .. } | Is::Within { .. }, _) => false,
        (x, y) => x == y,
    }
}
