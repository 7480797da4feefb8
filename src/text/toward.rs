//! How a text feels toward each of the names in it.
//!
//! The text is cut into clauses. A clause is about the names that stand in it; one without a name is about the name last
//! spoken of. Where two names stand in one clause, comparisons ("better than", "switched from … to") say which of them it
//! speaks for and which against.

use super::lexicon::{Lexicon, Role};
use super::sentiment::{Label, Score};
use super::tokens::{Kind, Tokens};
use crate::model::mention::NEGATIVE;

/// Where a name stands in a text: first byte, and one past its last.
pub type Place = (usize, usize);

/// Words that relate two names.
struct Related {
    language: &'static str,
    /// What stands between what is better (or worse) and what it is compared with.
    than: &'static [&'static str],
    /// What stands before that which is left, given up or not taken.
    from: &'static [&'static str],
    /// Verbs of leaving and changing, by their beginnings.
    leave: &'static [&'static str],
    /// What joins two clauses.
    and: &'static [&'static str],
}

const RELATED: [Related; 5] = [
    Related {
        language: "en",
        than: &["than"],
        from: &["from", "instead", "over"],
        leave: &[
            "switch",
            "changed",
            "changing",
            "moved",
            "moving",
            "leaving",
            "ditch",
            "dumped",
            "cancelled",
            "canceled",
            "quit",
            "prefer",
        ],
        and: &["and", "while", "whereas", "yet", "though"],
    },
    Related {
        language: "sv",
        than: &["än"],
        from: &["från", "istället", "framför"],
        leave: &["byt", "lämnat", "lämnade", "dumpa", "föredra"],
        and: &["och", "medan", "fast"],
    },
    Related {
        language: "de",
        than: &["als"],
        from: &["von", "statt", "anstatt"],
        leave: &["wechsel", "gewechselt", "umgestiegen", "umsteig", "verlass", "kündig", "gekündigt", "lieber"],
        and: &["und", "während", "wohingegen"],
    },
    Related {
        language: "it",
        than: &["di", "del", "della", "che"],
        from: &["da", "dal", "dalla", "invece", "anziché"],
        leave: &["passat", "cambiat", "lasciat", "abbandon", "disdett", "prefer", "migrat"],
        and: &["e", "mentre", "invece"],
    },
    Related {
        language: "es",
        than: &["que"],
        from: &["de", "del", "vez", "lugar"],
        leave: &["cambi", "pasado", "pasé", "dejado", "dejé", "abandon", "prefier", "migr"],
        and: &["y", "mientras"],
    },
];

/// What a comparison takes from one side and gives to the other.
const SHIFT: f32 = 0.45;
/// What is left of a comparison's feeling for the one that it is held against, turned.
const TURNED: f32 = -0.7;

/// A clause: its span, and the names in it in order.
#[derive(Debug)]
struct Clause {
    from: usize,
    to: usize,
    names: Vec<(usize, Place)>,
}

/// How the text feels toward each name. `places` tells where each stands; a name that stands nowhere gets nothing.
/// `hear` scores a piece of the text.
pub fn toward(text: &str, language: &str, places: &[Vec<Place>], hear: impl Fn(&str) -> Score) -> Vec<Option<Score>> {
    let related = RELATED.iter().find(|r| r.language == language);
    let clauses = clauses(text, language, related, places);
    let mut parts: Vec<Vec<(usize, usize)>> = vec![Vec::new(); places.len()];
    let mut shifts: Vec<f32> = vec![0.0; places.len()];
    let mut turned: Vec<Vec<(usize, usize)>> = vec![Vec::new(); places.len()];
    let first: Vec<usize> = clauses.iter().find(|c| !c.names.is_empty()).map(|c| ids(&c.names)).unwrap_or_default();
    let mut spoken = first;
    for clause in &clauses {
        let span = (clause.from, clause.to);
        let names = ids(&clause.names);
        match names.as_slice() {
            [] => spoken.iter().for_each(|n| parts[*n].push(span)),
            [one] => {
                parts[*one].push(span);
                spoken = names;
            }
            _ => {
                let (left, right) = (clause.names[0], clause.names[clause.names.len() - 1]);
                let between = words(text.get(left.1.1..right.1.0).unwrap_or(""));
                let before = words(text.get(clause.from..left.1.0).unwrap_or(""));
                let after = words(text.get(right.1.1..clause.to).unwrap_or(""));
                let has = |list: &[String], of: &[&str]| list.iter().any(|w| of.contains(&w.as_str()));
                let begins = |list: &[String], of: &[&str]| list.iter().any(|w| of.iter().any(|b| w.starts_with(b)));
                let leaves = |r: &Related| [&before, &between, &after].iter().any(|list| begins(list, r.leave));
                match related {
                    Some(r) if leaves(r) && has(&before, r.from) => {
                        // From the one to the other.
                        (shifts[left.0], shifts[right.0]) = (shifts[left.0] - SHIFT, shifts[right.0] + SHIFT);
                        spoken = vec![right.0];
                    }
                    Some(r) if has(&between, r.than) && compares(&between, language) => {
                        parts[left.0].push(span);
                        turned[right.0].push(span);
                        spoken = vec![left.0];
                    }
                    Some(r) if leaves(r) && has(&between, r.from) => {
                        // The one instead of the other.
                        (shifts[left.0], shifts[right.0]) = (shifts[left.0] + SHIFT, shifts[right.0] - SHIFT);
                        spoken = vec![left.0];
                    }
                    Some(r) if leaves(r) => {
                        (shifts[left.0], shifts[right.0]) = (shifts[left.0] - SHIFT, shifts[right.0] + SHIFT);
                        spoken = vec![right.0];
                    }
                    _ => {
                        names.iter().for_each(|n| parts[*n].push(span));
                        spoken = names;
                    }
                }
            }
        }
    }
    // Names that share their clauses are heard once.
    let mut heard: Vec<(String, Score)> = Vec::new();
    (0..places.len())
        .map(|n| {
            if places[n].is_empty() {
                return None;
            }
            let own = pieced(text, &parts[n], places);
            let against = pieced(text, &turned[n], places);
            let mut score = match heard.iter().find(|(piece, _)| *piece == own) {
                Some((_, score)) => score.clone(),
                None => {
                    let score = hear(&own);
                    heard.push((own.clone(), score.clone()));
                    score
                }
            };
            if score.label == Label::Unscored {
                return Some(score);
            }
            if own.is_empty() {
                (score.value, score.why) = (0.0, Vec::new());
            }
            if !against.is_empty() {
                let held = hear(&against);
                score.value += held.value * TURNED;
                score.why = held.why;
            }
            score.value = (score.value + shifts[n]).clamp(-1.0, 1.0);
            score.label = match score.value {
                v if v <= NEGATIVE => Label::Negative,
                v if v >= -NEGATIVE => Label::Positive,
                _ => Label::Neutral,
            };
            Some(score)
        })
        .collect()
}

/// Each of the names once, in the order of their first place.
fn ids(names: &[(usize, Place)]) -> Vec<usize> {
    let mut out: Vec<usize> = Vec::with_capacity(2);
    for (n, _) in names {
        if !out.contains(n) {
            out.push(*n);
        }
    }
    out
}

fn words(text: &str) -> Vec<String> {
    Tokens::read(text).list.into_iter().filter(|t| t.kind == Kind::Word).map(|t| t.form.into_owned()).collect()
}

/// Whether words say more or less of something: a comparative, or a word of strength.
fn compares(between: &[String], language: &str) -> bool {
    let Some(lexicon) = Lexicon::of(language) else { return false };
    between.iter().any(|w| {
        matches!(lexicon.role(w), Some(Role::Strength(_)))
            || ["more", "less", "mer", "mindre", "mehr", "weniger", "più", "meno", "más", "menos"].contains(&w.as_str())
    })
}

/// The pieces of a text with every name in them replaced: what a name sounds like says nothing of it.
fn pieced(text: &str, spans: &[(usize, usize)], places: &[Vec<Place>]) -> String {
    let mut names: Vec<Place> = places.iter().flatten().copied().collect();
    names.sort_unstable();
    let mut out = String::new();
    for (from, to) in spans {
        let mut at = *from;
        for (start, end) in names.iter().filter(|(start, end)| start >= from && end <= to) {
            if *start < at {
                continue;
            }
            out.push_str(text.get(at..*start).unwrap_or(""));
            out.push_str("@name");
            at = *end;
        }
        out.push_str(text.get(at..*to).unwrap_or("").trim_end());
        out.push('\n');
    }
    out.trim_end().to_owned()
}

/// Cuts a text where sentences and clauses end, before a "but", and before an "and" that a new name follows.
fn clauses(text: &str, language: &str, related: Option<&Related>, places: &[Vec<Place>]) -> Vec<Clause> {
    let mut names: Vec<(usize, Place)> =
        places.iter().enumerate().flat_map(|(n, of_name)| of_name.iter().map(move |p| (n, *p))).collect();
    names.sort_by_key(|(_, place)| *place);
    let lexicon = Lexicon::of(language);
    let tokens = Tokens::read(text);
    let mut cuts: Vec<usize> = Vec::new();
    let mut before = 0;
    for token in &tokens.list {
        let gap = text.get(before..token.start).unwrap_or("");
        let parts = gap != " "
            && (gap.contains(['!', '?', ';', '\n', '–', '—'])
                || gap.contains(". ")
                || gap.contains(", ")
                || gap.contains(": "));
        let but = token.kind == Kind::Word && lexicon.is_some_and(|l| l.is_but(&token.form));
        // Both sides speak: «Acme is great and Globex is terrible».
        let and = related.is_some_and(|r| r.and.contains(&token.form.as_ref()))
            && spoken_of(&names, cuts.last().copied().unwrap_or(0), token.start, text)
            && names.iter().any(|(_, (start, _))| *start > token.end && joins(text.get(token.end..*start)));
        if parts || but || and {
            cuts.push(token.start);
        }
        before = token.end;
    }
    cuts.push(text.len());
    let mut from = 0;
    let mut out = Vec::with_capacity(cuts.len());
    for to in cuts {
        if to > from {
            let inside = names.iter().filter(|(_, (start, _))| (from..to).contains(start)).copied().collect();
            out.push(Clause { from, to, names: inside });
        }
        from = to;
    }
    out
}

/// Whether a name stands between two bytes and words enough are said of it.
fn spoken_of(names: &[(usize, Place)], from: usize, to: usize, text: &str) -> bool {
    let last = names.iter().rev().find(|(_, (start, end))| *start >= from && *end <= to);
    last.is_some_and(|(_, (_, end))| words(text.get(*end..to).unwrap_or("")).len() >= 2)
}

/// Whether so few words stand before the next name that the clause begins with it.
fn joins(between: Option<&str>) -> bool {
    between.is_some_and(|b| words(b).len() <= 2)
}

#[cfg(test)]
mod tests {
    use super::super::Analyst;
    use super::*;

    /// Values toward Acme and Globex.
    fn of(text: &str, language: &str) -> (f32, f32) {
        let places: Vec<Vec<Place>> = ["Acme", "Globex"]
            .iter()
            .map(|n| text.match_indices(n).map(|(at, m)| (at, at + m.len())).collect())
            .collect();
        let scores = Analyst::default().toward(text, language, &places);
        let value = |n: usize| scores.get(n).and_then(Option::as_ref).map_or(f32::NAN, |s| s.value);
        (value(0), value(1))
    }

    #[test]
    fn each_name_has_its_own_clauses() {
        let (acme, globex) = of("Acme is terrible, my order never came. Globex is wonderful and quick.", "en");
        assert!(acme < -0.3 && globex > 0.3, "{acme} {globex}");
        let (acme, globex) = of("Acme is great and Globex is terrible", "en");
        assert!(acme > 0.15 && globex < -0.15, "{acme} {globex}");
        let (acme, globex) = of("Acme är uselt men Globex är fantastiskt bra", "sv");
        assert!(acme < -0.15 && globex > 0.15, "{acme} {globex}");
    }

    #[test]
    fn whoever_switches_speaks_against_what_they_leave() {
        let (acme, globex) = of("switched from Acme to Globex, so much better", "en");
        assert!(acme < -0.15 && globex > 0.15, "{acme} {globex}");
        let (acme, globex) = of("Bin von Acme zu Globex gewechselt, viel besser", "de");
        assert!(acme < 0.0 && globex > 0.15, "{acme} {globex}");
        let (acme, globex) = of("Bytte från Acme till Globex, mycket bättre", "sv");
        assert!(acme < -0.15 && globex > 0.15, "{acme} {globex}");
    }

    #[test]
    fn comparisons_speak_for_one_and_against_the_other() {
        let (acme, globex) = of("Globex is so much better than Acme", "en");
        assert!(globex > 0.15 && acme < 0.0, "{acme} {globex}");
        let (acme, globex) = of("Acme is worse than Globex", "en");
        assert!(acme < -0.15 && globex > 0.0, "{acme} {globex}");
    }

    #[test]
    fn a_name_that_comes_again_is_still_one_of_two() {
        let (acme, globex) = of("Acme and Globex and again Acme, all awful", "en");
        assert!(acme < -0.15 && globex < -0.15, "{acme} {globex}");
    }

    #[test]
    fn names_that_share_a_clause_share_its_feeling() {
        let (acme, globex) = of("Acme and Globex are both awful", "en");
        assert!(acme < -0.15 && globex < -0.15, "{acme} {globex}");
    }

    proptest::proptest! {
        #[test]
        fn any_text_and_places_will_do(text in "[a-zA-Z,.! ]{0,80}", a in 0usize..80, b in 0usize..80) {
            let place = |at: usize| if at + 2 <= text.len() { vec![(at, at + 2)] } else { Vec::new() };
            let scores = Analyst::default().toward(&text, "en", &[place(a), place(b)]);
            proptest::prop_assert_eq!(scores.len(), 2);
        }
    }
}
