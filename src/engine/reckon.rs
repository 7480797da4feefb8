//! A condition as a tree that is quick to judge: CEL's own machine builds a context of all its functions for every judgement,
//! and a detector judges a million times an hour on busy days. A test holds both to the same answers.

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use crate::model::Signals;
use crate::model::signals::{Get, SIGNALS, Value};

/// What a part of a condition comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Worth {
    Truth(bool),
    Whole(i64),
    Broken(f64),
}

/// What joins two numbers or compares them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Add,
    Subtract,
    Multiply,
    Equal,
    Unequal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// A part of a condition.
#[derive(Debug)]
enum Part {
    Signal(Get),
    /// A signal that costs more than others, and is told after them.
    Late(Get),
    Fixed(Worth),
    And(Box<[Part]>),
    Or(Box<[Part]>),
    Not(Box<Part>),
    Minus(Box<Part>),
    Two(Sign, Box<[Part; 2]>),
    Choice(Box<[Part; 3]>),
}

/// A condition, ready to be judged.
#[derive(Debug)]
pub(super) struct Reckoning(Part);

impl Reckoning {
    /// The tree of a condition that is sound; `None` for anything else.
    pub(super) fn of(expr: &IdedExpr) -> Option<Reckoning> {
        part(expr).map(Reckoning)
    }

    /// Whether it holds; `None` where that cannot be said, as with numbers beyond all bounds.
    pub(super) fn holds(&self, s: &Signals) -> Option<bool> {
        match self.0.worth(s)? {
            Worth::Truth(yes) => Some(yes),
            _ => None,
        }
    }

    /// Whether it cannot hold, whatever the signals that are told late turn out to be.
    pub(super) fn cannot_hold(&self, s: &Signals) -> bool {
        self.0.cannot_hold(s)
    }
}

/// Signals that cost more than others, and are told after them.
const LATE: [&str; 5] = ["surprise", "negative_surprise", "silence", "first_seen", "new_terms"];

fn part(expr: &IdedExpr) -> Option<Part> {
    match &expr.expr {
        Expr::Ident(name) => SIGNALS.iter().find(|(n, _, _)| n == name).map(|(n, get, _)| match LATE.contains(n) {
            true => Part::Late(*get),
            false => Part::Signal(*get),
        }),
        Expr::Literal(LiteralValue::Boolean(b)) => Some(Part::Fixed(Worth::Truth(*b.inner()))),
        Expr::Literal(LiteralValue::Int(n)) => Some(Part::Fixed(Worth::Whole(*n.inner()))),
        Expr::Literal(LiteralValue::UInt(n)) => Some(Part::Fixed(Worth::Whole(i64::try_from(*n.inner()).ok()?))),
        Expr::Literal(LiteralValue::Double(x)) => Some(Part::Fixed(Worth::Broken(*x.inner()))),
        Expr::Call(call) if call.target.is_none() => {
            let parts = call.args.iter().map(part).collect::<Option<Vec<_>>>()?;
            operation(&call.func_name, parts)
        }
        _ => None,
    }
}

fn operation(name: &str, parts: Vec<Part>) -> Option<Part> {
    let sign = match name {
        operators::LOGICAL_AND => return Some(Part::And(parts.into())),
        operators::LOGICAL_OR => return Some(Part::Or(parts.into())),
        operators::LOGICAL_NOT => return Some(Part::Not(Box::new(parts.into_iter().next()?))),
        operators::NEGATE => return Some(Part::Minus(Box::new(parts.into_iter().next()?))),
        operators::CONDITIONAL => return Some(Part::Choice(Box::new(parts.try_into().ok()?))),
        operators::ADD => Sign::Add,
        operators::SUBSTRACT => Sign::Subtract,
        operators::MULTIPLY => Sign::Multiply,
        operators::EQUALS => Sign::Equal,
        operators::NOT_EQUALS => Sign::Unequal,
        operators::GREATER => Sign::Greater,
        operators::GREATER_EQUALS => Sign::GreaterOrEqual,
        operators::LESS => Sign::Less,
        operators::LESS_EQUALS => Sign::LessOrEqual,
        _ => return None,
    };
    Some(Part::Two(sign, Box::new(parts.try_into().ok()?)))
}

impl Part {
    fn is_late(&self) -> bool {
        match self {
            Part::Signal(_) | Part::Fixed(_) => false,
            Part::Late(_) => true,
            Part::And(parts) | Part::Or(parts) => parts.iter().any(Part::is_late),
            Part::Not(part) | Part::Minus(part) => part.is_late(),
            Part::Two(_, parts) => parts.iter().any(Part::is_late),
            Part::Choice(parts) => parts.iter().any(Part::is_late),
        }
    }

    fn cannot_hold(&self, s: &Signals) -> bool {
        match self {
            Part::And(parts) => parts.iter().any(|part| part.cannot_hold(s)),
            Part::Or(parts) => parts.iter().all(|part| part.cannot_hold(s)),
            part => !part.is_late() && part.worth(s) == Some(Worth::Truth(false)),
        }
    }

    fn worth(&self, s: &Signals) -> Option<Worth> {
        Some(match self {
            Part::Signal(get) | Part::Late(get) => match get(s) {
                Value::Int(n) => Worth::Whole(n),
                Value::Float(x) => Worth::Broken(x),
            },
            Part::Fixed(worth) => *worth,
            Part::And(parts) => Worth::Truth(!any(parts, s, false)?),
            Part::Or(parts) => Worth::Truth(any(parts, s, true)?),
            Part::Not(part) => match part.worth(s)? {
                Worth::Truth(yes) => Worth::Truth(!yes),
                _ => return None,
            },
            Part::Minus(part) => match part.worth(s)? {
                Worth::Whole(n) => Worth::Whole(n.checked_neg()?),
                Worth::Broken(x) => Worth::Broken(-x),
                Worth::Truth(_) => return None,
            },
            Part::Two(sign, parts) => {
                let [a, b] = &**parts;
                two(*sign, a.worth(s)?, b.worth(s)?)?
            }
            Part::Choice(parts) => {
                let [when, yes, no] = &**parts;
                if when.worth(s)? == Worth::Truth(true) { yes.worth(s)? } else { no.worth(s)? }
            }
        })
    }
}

/// Whether any part is what is looked for. One that cannot be said matters only where no other is.
fn any(parts: &[Part], s: &Signals, wanted: bool) -> Option<bool> {
    let mut unknown = false;
    for part in parts {
        match part.worth(s) {
            Some(Worth::Truth(found)) if found == wanted => return Some(true),
            Some(_) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(false)
}

fn two(sign: Sign, a: Worth, b: Worth) -> Option<Worth> {
    use Worth::{Broken, Truth, Whole};
    if let (Whole(a), Whole(b)) = (a, b) {
        return match sign {
            Sign::Add => a.checked_add(b).map(Whole),
            Sign::Subtract => a.checked_sub(b).map(Whole),
            Sign::Multiply => a.checked_mul(b).map(Whole),
            sign => Some(Truth(ordered(sign, a.cmp(&b)))),
        };
    }
    let number = |w| match w {
        Whole(n) => Some(n as f64),
        Broken(x) => Some(x),
        Truth(_) => None,
    };
    let (a, b) = (number(a)?, number(b)?);
    Some(match sign {
        Sign::Add => Broken(a + b),
        Sign::Subtract => Broken(a - b),
        Sign::Multiply => Broken(a * b),
        // What is no number is unequal to all and greater than none.
        sign => Truth(a.partial_cmp(&b).map_or(sign == Sign::Unequal, |order| ordered(sign, order))),
    })
}

fn ordered(sign: Sign, order: std::cmp::Ordering) -> bool {
    match sign {
        Sign::Equal => order.is_eq(),
        Sign::Unequal => order.is_ne(),
        Sign::Greater => order.is_gt(),
        Sign::GreaterOrEqual => order.is_ge(),
        Sign::Less => order.is_lt(),
        Sign::LessOrEqual => order.is_le(),
        Sign::Add | Sign::Subtract | Sign::Multiply => false,
    }
}
