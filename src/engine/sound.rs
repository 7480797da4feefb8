//! Whether a condition can be judged whatever the signals are: every part is a number or true-or-false where it has to
//! be. CEL would find out only when that part is reached, and `&&` and `||` reach some parts seldom.

use std::collections::BTreeMap;

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use crate::model::Signals;
use crate::model::Term;
use crate::model::signals::Value;

/// What a part of a condition comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Yields {
    Truth,
    Whole,
    Broken,
}

impl Yields {
    fn word(self) -> &'static str {
        match self {
            Yields::Truth => "true or false",
            Yields::Whole => "a whole number",
            Yields::Broken => "a number with a fraction",
        }
    }
}

/// What is wrong with the parts of a condition, if something is.
pub(super) fn fault(expr: &IdedExpr) -> Option<String> {
    match yields(expr) {
        Ok(Yields::Truth) => None,
        Ok(other) => Some(format!("the condition comes to {} instead of true or false", other.word())),
        Err(why) => Some(why),
    }
}

fn yields(expr: &IdedExpr) -> Result<Yields, String> {
    match &expr.expr {
        Expr::Ident(name) => match Signals::default().get(name) {
            Some(Value::Int(_)) => Ok(Yields::Whole),
            Some(Value::Float(_)) => Ok(Yields::Broken),
            None => Err(format!("there is no signal `{name}`")),
        },
        Expr::Literal(LiteralValue::Boolean(_)) => Ok(Yields::Truth),
        Expr::Literal(LiteralValue::Int(_) | LiteralValue::UInt(_)) => Ok(Yields::Whole),
        Expr::Literal(LiteralValue::Double(_)) => Ok(Yields::Broken),
        Expr::Literal(_) => Err("a condition compares numbers, and a text or null is none".into()),
        Expr::Call(call) if call.target.is_none() => {
            let parts = call.args.iter().map(yields).collect::<Result<Vec<_>, _>>()?;
            operation(&call.func_name, &parts)
        }
        _ => Err("a condition is made of signals, numbers, comparisons, &&, || and !".into()),
    }
}

fn operation(name: &str, parts: &[Yields]) -> Result<Yields, String> {
    let all_truth = parts.iter().all(|p| *p == Yields::Truth);
    let numbers = parts.iter().all(|p| *p != Yields::Truth);
    match (name, parts) {
        (operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT, _) => match all_truth {
            true => Ok(Yields::Truth),
            false => Err("&&, || and ! stand between comparisons, and a number alone is none".into()),
        },
        (
            operators::EQUALS
            | operators::NOT_EQUALS
            | operators::GREATER
            | operators::GREATER_EQUALS
            | operators::LESS
            | operators::LESS_EQUALS,
            _,
        ) => match numbers {
            true => Ok(Yields::Truth),
            false => Err("a comparison stands between two numbers".into()),
        },
        (operators::ADD | operators::SUBSTRACT | operators::MULTIPLY, [a, b]) if numbers => match a == b {
            true => Ok(*a),
            false => Err("whole numbers and fractions do not mix: write 2.0 beside a signal with a fraction".into()),
        },
        (operators::NEGATE, [a]) if numbers => Ok(*a),
        (operators::CONDITIONAL, [Yields::Truth, a, b]) if a == b => Ok(*a),
        (operators::DIVIDE | operators::MODULO, _) => {
            Err("a division fails when its divisor is 0: multiply the other side instead".into())
        }
        _ => Err("a condition is made of signals, numbers, comparisons, &&, || and !".into()),
    }
}

/// What can never hold: comparisons that all have to hold and exclude each other, or a share beyond 0 to 1.
pub(super) fn never(expr: &IdedExpr, terms: impl Fn(&IdedExpr) -> Vec<Term>) -> Option<String> {
    let mut bounds: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for part in conjuncts(expr) {
        for t in terms(part) {
            let whole = matches!(Signals::default().get(&t.signal), Some(Value::Int(_)));
            let step = if whole { 1.0 } else { f64::MIN_POSITIVE };
            let (lowest, highest) = range_of(&t.signal);
            let (low, high) = bounds.entry(t.signal.clone()).or_insert((lowest, highest));
            match t.op.as_str() {
                ">=" => *low = low.max(t.threshold),
                ">" => *low = low.max(t.threshold + step),
                "<=" => *high = high.min(t.threshold),
                "<" => *high = high.min(t.threshold - step),
                "==" => (*low, *high) = (low.max(t.threshold), high.min(t.threshold)),
                _ => {}
            }
            if low > high {
                let own = if lowest.is_finite() && highest.is_finite() {
                    format!("`{}` goes from {lowest} to {highest}: ", t.signal)
                } else {
                    String::new()
                };
                return Some(format!("{own}`{} {} {}` can never hold here", t.signal, t.op, t.threshold));
            }
        }
    }
    None
}

/// The least and the greatest value of a whole signal with which a condition can hold, as far as it says.
pub(super) fn bounds(expr: &IdedExpr, terms: impl Fn(&IdedExpr) -> Vec<Term>, signal: &str) -> (u64, u64) {
    let (mut least, mut most) = (0.0_f64, f64::INFINITY);
    for t in conjuncts(expr).into_iter().flat_map(terms).filter(|t| t.signal == signal) {
        let (low, high) = match t.op.as_str() {
            ">=" => (t.threshold.ceil(), f64::INFINITY),
            ">" => (t.threshold.floor() + 1.0, f64::INFINITY),
            "<=" => (0.0, t.threshold.floor()),
            "<" => (0.0, t.threshold.ceil() - 1.0),
            "==" => (t.threshold, t.threshold),
            _ => continue,
        };
        (least, most) = (least.max(low), most.min(high));
    }
    // An infinite or a negative bound saturates.
    (least as u64, most as u64)
}

/// The comparisons that all have to hold: those joined by && at the top.
fn conjuncts(expr: &IdedExpr) -> Vec<&IdedExpr> {
    match &expr.expr {
        Expr::Call(call) if call.func_name == operators::LOGICAL_AND => call.args.iter().flat_map(conjuncts).collect(),
        // Alternatives and what is turned round say nothing for sure.
        Expr::Call(call)
            if matches!(
                call.func_name.as_str(),
                operators::LOGICAL_OR | operators::LOGICAL_NOT | operators::CONDITIONAL
            ) =>
        {
            Vec::new()
        }
        _ => vec![expr],
    }
}

fn range_of(signal: &str) -> (f64, f64) {
    match signal {
        "negative_share" => (0.0, 1.0),
        "sentiment" => (-1.0, 1.0),
        "sentiment_drop" | "acceleration" => (f64::NEG_INFINITY, f64::INFINITY),
        _ => (0.0, f64::INFINITY),
    }
}
