//! Conditions over signals in CEL, checked when the rules are read so that they cannot fail later.

use std::ops::Range;

use cel::Program;
use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use super::reckon::Reckoning;
use super::sound;
use crate::model::signals::{SIGNALS, Value};
use crate::model::{Signals, Term};

/// Longest condition, in bytes.
const LONGEST: usize = 1024;

/// A condition that compiles, names only signals and yields true or false.
pub struct Condition {
    text: String,
    program: Program,
    reckoning: Reckoning,
    names: Vec<&'static str>,
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Condition({:?})", self.text)
    }
}

/// What is wrong with a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Bytes of the condition.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// The word that was not known, for a suggestion.
    pub unknown: Option<String>,
}

impl Condition {
    /// Compiles a condition.
    ///
    /// # Errors
    /// Every mistake found: syntax, unknown signals, calls of functions, a result that is not true or false.
    pub fn parse(text: &str) -> Result<Condition, Vec<Mistake>> {
        let all = 0..text.len();
        let wrong = |message: String| vec![Mistake { span: all.clone(), message, unknown: None }];
        if text.len() > LONGEST {
            return Err(wrong(format!("the condition is longer than {LONGEST} bytes")));
        }
        let program = Program::compile(text).map_err(|errors| syntax(text, &errors))?;
        let mut names: Vec<String> = program.references().variables().iter().map(|v| (*v).to_owned()).collect();
        names.sort();
        let mut mistakes = Vec::new();
        let mut known = Vec::new();
        for name in &names {
            match SIGNALS.iter().find(|(n, _, _)| n == name) {
                Some((n, _, _)) => known.push(*n),
                None => mistakes.push(Mistake {
                    span: find_word(text, name),
                    message: format!("there is no signal `{name}`"),
                    unknown: Some(name.clone()),
                }),
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let parts = program.expression();
        if let Some(why) = sound::fault(parts) {
            return Err(wrong(why));
        }
        let terms = |part: &IdedExpr| {
            let mut out = Vec::new();
            collect(part, &Signals::default(), &mut out);
            out
        };
        if let Some(why) = sound::never(parts, terms) {
            return Err(wrong(why));
        }
        let reckoning = Reckoning::of(parts).ok_or_else(|| wrong("vakt cannot judge this condition".into()))?;
        Ok(Condition { text: text.to_owned(), program, reckoning, names: known })
    }

    /// The condition as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signals it names.
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// Whether it holds. A judgement that fails, as one beyond all numbers could, does not hold, and is counted.
    pub fn holds(&self, signals: &Signals) -> bool {
        self.reckoning.holds(signals).unwrap_or_else(|| {
            metrics::counter!("vakt_conditions_failed_total").increment(1);
            false
        })
    }

    /// Whether it cannot hold, whatever the signals that are told late turn out to be.
    pub fn cannot_hold(&self, signals: &Signals) -> bool {
        self.reckoning.cannot_hold(signals)
    }

    /// With fewer or more mentions it cannot hold, as far as that can be told.
    pub fn bounds(&self) -> (u64, u64) {
        let terms = |part: &IdedExpr| {
            let mut out = Vec::new();
            collect(part, &Signals::default(), &mut out);
            out
        };
        sound::bounds(self.program.expression(), terms, "mentions")
    }

    /// Its comparisons of a signal with a number, beside what was seen, in the order written.
    pub fn terms(&self, signals: &Signals) -> Vec<Term> {
        let mut out = Vec::new();
        collect(self.program.expression(), signals, &mut out);
        out
    }
}

fn collect(expr: &IdedExpr, signals: &Signals, out: &mut Vec<Term>) {
    let Expr::Call(call) = &expr.expr else { return };
    let op = match call.func_name.as_str() {
        operators::GREATER_EQUALS => ">=",
        operators::GREATER => ">",
        operators::LESS_EQUALS => "<=",
        operators::LESS => "<",
        operators::EQUALS => "==",
        operators::NOT_EQUALS => "!=",
        _ => {
            call.args.iter().for_each(|a| collect(a, signals, out));
            return;
        }
    };
    let [left, right] = call.args.as_slice() else { return };
    let (signal, threshold, op) = match (&left.expr, number(right), &right.expr, number(left)) {
        (Expr::Ident(name), Some(n), ..) => (name, n, op),
        (_, _, Expr::Ident(name), Some(n)) => (name, n, mirrored(op)),
        _ => return,
    };
    let value = match signals.get(signal) {
        Some(Value::Int(n)) => n as f64,
        Some(Value::Float(x)) => x,
        None => return,
    };
    let held = match op {
        ">=" => value >= threshold,
        ">" => value > threshold,
        "<=" => value <= threshold,
        "<" => value < threshold,
        "==" => value == threshold,
        _ => value != threshold,
    };
    out.push(Term { signal: signal.clone(), op: op.to_owned(), threshold, value, held });
}

fn mirrored(op: &str) -> &str {
    match op {
        ">=" => "<=",
        ">" => "<",
        "<=" => ">=",
        "<" => ">",
        same => same,
    }
}

fn number(expr: &IdedExpr) -> Option<f64> {
    match &expr.expr {
        Expr::Literal(LiteralValue::Int(n)) => Some(*n.inner() as f64),
        Expr::Literal(LiteralValue::UInt(n)) => Some(*n.inner() as f64),
        Expr::Literal(LiteralValue::Double(x)) => Some(*x.inner()),
        Expr::Call(call) if call.func_name == operators::NEGATE => call.args.first().and_then(number).map(|n| -n),
        _ => None,
    }
}

/// Where a word stands in a text, as a whole word.
fn find_word(text: &str, word: &str) -> Range<usize> {
    text.match_indices(word)
        .find(|(at, _)| {
            let before = text.get(..*at).and_then(|t| t.chars().next_back());
            let after = text.get(at + word.len()..).and_then(|t| t.chars().next());
            let inner = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            !inner(before) && !inner(after)
        })
        .map_or(0..text.len(), |(at, w)| at..at + w.len())
}

fn syntax(text: &str, errors: &cel::ParseErrors) -> Vec<Mistake> {
    errors
        .errors
        .iter()
        .map(|e| {
            let line = usize::try_from(e.pos.0.max(1)).unwrap_or(1);
            let column = usize::try_from(e.pos.1.max(1)).unwrap_or(1);
            let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
            let at = (before + column - 1).min(text.len().saturating_sub(1));
            let message = e.msg.lines().next().unwrap_or("syntax error").to_owned();
            Mistake { span: at..at + 1, message: format!("the condition is not CEL: {message}"), unknown: None }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_and_explains() {
        let c = Condition::parse("mentions >= 5 && surprise >= 4.0 && negative_share >= 0.5").expect("it is right");
        let s = Signals { mentions: 42, surprise: 9.5, negative_share: 0.88, ..Signals::default() };
        assert!(c.holds(&s));
        assert!(!c.holds(&Signals { mentions: 4, ..s }));
        let terms = c.terms(&s);
        assert_eq!(terms.len(), 3);
        assert_eq!(
            (terms[1].signal.as_str(), terms[1].op.as_str(), terms[1].threshold, terms[1].held),
            ("surprise", ">=", 4.0, true)
        );
    }

    #[test]
    fn says_how_many_mentions_it_takes() {
        let bounds = |text: &str| Condition::parse(text).expect("it is right").bounds();
        assert_eq!(bounds("surprise >= 4.0 && (mentions >= 5 && negative >= 2)"), (5, u64::MAX));
        assert_eq!(bounds("mentions > 5 && mentions >= 3 && mentions < 9"), (6, 8));
        assert_eq!(bounds("mentions >= 5 || reach > 9"), (0, u64::MAX));
        assert_eq!(bounds("mentions == 0 && silence >= 4.0"), (0, 0));
        assert_eq!(bounds("!(mentions >= 5)"), (0, u64::MAX));
    }

    #[test]
    fn whole_and_broken_numbers_compare() {
        for text in ["surprise >= 4", "mentions >= 4.5", "reach > 250000 || stories_in_tier1 > 0", "5 <= mentions"] {
            assert!(Condition::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn mistakes_are_found_at_load() {
        let unknown = Condition::parse("mentoins >= 5 && surprise > 1.0").expect_err("a typo");
        assert_eq!((unknown[0].span.clone(), unknown[0].unknown.as_deref()), (0..8, Some("mentoins")));
        assert!(Condition::parse("mentions >= ").is_err());
        assert!(Condition::parse("mentions").is_err());
        assert!(Condition::parse("mentions >= 'x'").is_err());
        for hidden in [
            "mentions >= 5 && reach",
            "negative_share >= 0.5 && authors.size() > 3",
            "mentions >= 5 || reach == 'big'",
            "mentions / authors >= 2",
            "expected * 2 >= 3.0",
            "negative_share >= 50.0",
            "mentions > 5 && surprise > 1.0 && mentions < 6",
        ] {
            assert!(Condition::parse(hidden).is_err(), "{hidden}");
        }
        for right in [
            "mentions > 5 || mentions < 3",
            "!(mentions > 5 && mentions < 3)",
            "expected * 2.0 < 9.0",
            "-sentiment > 0.2",
        ] {
            assert!(Condition::parse(right).is_ok(), "{right}");
        }
    }

    /// What CEL's own machine says.
    fn by_cel(condition: &Condition, signals: &Signals) -> bool {
        let mut context = cel::Context::default();
        for name in &condition.names {
            match signals.get(name) {
                Some(Value::Int(n)) => context.add_variable_from_value(*name, n),
                Some(Value::Float(x)) => context.add_variable_from_value(*name, x),
                None => {}
            }
        }
        matches!(condition.program.execute(&context), Ok(cel::Value::Bool(true)))
    }

    proptest::proptest! {
        /// The quick way and CEL's own agree.
        #[test]
        fn judged_as_cel_would(
            mentions in 0u64..12,
            authors in 0u64..12,
            reach in proptest::prelude::prop_oneof![0u64..9, proptest::prelude::Just(u64::MAX)],
            surprise in 0.0f64..6.0,
            sentiment in -1.0f64..1.0,
        ) {
            let s = Signals { mentions, authors, reach, surprise, sentiment, ..Signals::default() };
            for text in [
                "mentions >= 5 && surprise >= 4.0 && authors > 3",
                "mentions > 5 || mentions < 3",
                "!(mentions > 5 && mentions != 7)",
                "authors * 2 <= mentions && mentions + 1 - authors > 2",
                "mentions >= 4.5 || surprise >= 4",
                "-sentiment > 0.2 && sentiment * 2.0 < 9.0",
                "-mentions <= -3",
                "mentions > 5 ? surprise > 1.0 : sentiment <= 0.0",
                "(mentions > 5 ? authors : mentions) == 4",
                "reach > 5 && mentions >= 1",
                "reach * 2 > 5 || mentions >= 9",
                "mentions >= 9 || reach * 2 > 5",
                "reach * 2 > 5 && mentions >= 9",
                "mentions == 4 && authors != 3 && true",
                "surprise == surprise",
            ] {
                let c = Condition::parse(text).expect("it is right");
                proptest::prop_assert_eq!(c.holds(&s), by_cel(&c, &s), "{} {:?}", text, s);
            }
        }

        #[test]
        fn no_text_panics(text in "[ a-z0-9<>=&|!().\"'+*/-]{0,40}") {
            drop(Condition::parse(&text));
        }
    }
}
