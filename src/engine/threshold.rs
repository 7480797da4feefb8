//! The same condition with another threshold for one of its signals.

use super::condition::Condition;
use crate::model::Signals;

/// Whether a character belongs to a name or a number.
fn inner(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

/// A piece of a condition.
struct Piece<'t> {
    text: &'t str,
    at: usize,
}

/// Names, numbers and signs, with where each stands.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
        let first = rest.chars().next().unwrap_or(' ');
        let length = match first {
            c if inner(c) => rest.find(|c| !inner(c)).unwrap_or(rest.len()),
            '<' | '>' | '=' | '!' if rest.get(1..2) == Some("=") => 2,
            '&' | '|' => 2.min(rest.len()),
            c => c.len_utf8(),
        };
        if !first.is_whitespace() {
            out.push(Piece { text: rest.get(..length).unwrap_or(""), at });
        }
        at += length;
    }
    out
}

fn is_comparison(sign: &str) -> bool {
    matches!(sign, ">=" | ">" | "<=" | "<")
}

/// Whether a comparison may end beside this, so that no sum or product goes on.
fn is_edge(piece: Option<&Piece<'_>>) -> bool {
    piece.is_none_or(|p| matches!(p.text, "&&" | "||" | "(" | ")" | "?" | ":" | "!"))
}

/// A condition in which every threshold that a signal is compared with by `>=`, `>`, `<=` or `<` is another one; `None`
/// where it has no such comparison, or is not a condition that vakt can judge.
pub fn with_threshold(condition: &str, signal: &str, value: f64) -> Option<String> {
    let pieces = pieces(condition);
    let get = |n: usize, before: usize| n.checked_sub(before).and_then(|n| pieces.get(n));
    let mut places: Vec<(usize, usize)> = Vec::new();
    for (n, name) in pieces.iter().enumerate().filter(|(_, p)| p.text == signal) {
        let right = pieces.get(n + 1).is_some_and(|p| is_comparison(p.text));
        let left = get(n, 1).is_some_and(|p| is_comparison(p.text));
        if right && is_edge(get(n, 1)) {
            let minus = pieces.get(n + 2).is_some_and(|p| p.text == "-");
            let number = n + 2 + usize::from(minus);
            let found = pieces.get(number).filter(|p| p.text.parse::<f64>().is_ok());
            if let Some((first, last)) = pieces.get(n + 2).zip(found).filter(|_| is_edge(pieces.get(number + 1))) {
                places.push((first.at, last.at + last.text.len()));
            }
        } else if left && is_edge(pieces.get(n + 1)) {
            let found = get(n, 2).filter(|p| p.text.parse::<f64>().is_ok());
            let minus = get(n, 3).filter(|p| p.text == "-");
            let before = get(n, if minus.is_some() { 4 } else { 3 });
            if let Some(last) = found.filter(|_| is_edge(before)) {
                places.push((minus.unwrap_or(last).at, last.at + last.text.len()));
            }
        }
        debug_assert!(name.at < condition.len());
    }
    if places.is_empty() {
        return None;
    }
    let written = format!("{value}");
    let mut out = String::with_capacity(condition.len());
    let mut at = 0;
    for (from, to) in places {
        out.push_str(condition.get(at..from)?);
        let whole = condition.get(from..to)?.contains('.') && !written.contains('.');
        out.push_str(&written);
        out.push_str(if whole { ".0" } else { "" });
        at = to;
    }
    out.push_str(condition.get(at..)?);
    agrees(condition, &out, signal, value).then_some(out)
}

/// Whether a condition differs from another in nothing but the thresholds of a signal, which are all the same now.
fn agrees(before: &str, after: &str, signal: &str, value: f64) -> bool {
    let (Ok(before), Ok(after)) = (Condition::parse(before), Condition::parse(after)) else { return false };
    let (before, after) = (before.terms(&Signals::default()), after.terms(&Signals::default()));
    let same = |(a, b): (&crate::model::Term, &crate::model::Term)| {
        let threshold = if a.signal == signal && is_comparison(&a.op) { value } else { a.threshold };
        a.signal == b.signal && a.op == b.op && (b.threshold - threshold).abs() < 1e-12
    };
    before.len() == after.len() && before.iter().zip(&after).all(same)
}

#[cfg(test)]
mod tests {
    use super::with_threshold;

    #[test]
    fn thresholds_are_replaced_and_nothing_else() {
        let with = |text: &str, signal: &str, value: f64| with_threshold(text, signal, value);
        let c = "mentions >= 5 && surprise >= 4.0 && negative_share >= 0.5";
        assert_eq!(
            with(c, "surprise", 6.0).as_deref(),
            Some("mentions >= 5 && surprise >= 6.0 && negative_share >= 0.5")
        );
        assert_eq!(
            with(c, "surprise", 2.5).as_deref(),
            Some("mentions >= 5 && surprise >= 2.5 && negative_share >= 0.5")
        );
        assert_eq!(
            with(c, "mentions", 12.0).as_deref(),
            Some("mentions >= 12 && surprise >= 4.0 && negative_share >= 0.5")
        );
        assert_eq!(with(c, "negative", 2.0), None, "another signal begins so");
        assert_eq!(
            with("5 <= mentions || (surprise>4)", "mentions", 7.0).as_deref(),
            Some("7 <= mentions || (surprise>4)")
        );
        assert_eq!(
            with("5 <= mentions || (surprise>4)", "surprise", 5.5).as_deref(),
            Some("5 <= mentions || (surprise>5.5)")
        );
        assert_eq!(with("sentiment < -0.3", "sentiment", -0.5).as_deref(), Some("sentiment < -0.5"));
        assert_eq!(
            with("mentions == 0 && silence >= 4.0", "mentions", 3.0),
            None,
            "no threshold of the kind that slides"
        );
        assert_eq!(with("expected * 2.0 < 9.0", "expected", 3.0), None, "a product is no signal");
        assert_eq!(with("negative_share >= 0.5", "negative_share", 3.0), None, "it could never hold");
        assert_eq!(with("mentions >= ", "mentions", 3.0), None);
    }
}
