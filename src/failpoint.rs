//! Places where a test may end the process at once, as a power cut would: before and after each commit and each step of SMTP.
//!
//! A binary that ships has none: the crate behind them does something only where tests were built.

/// Every place, by the name that `FAILPOINTS` arms it by: `commit.before=3*off->return` ends the process at the fourth
/// commit.
pub const PLACES: [&str; 18] = [
    "commit.before",
    "commit.after",
    "index.before",
    "index.after",
    "greeting.before",
    "greeting.after",
    "STARTTLS.before",
    "STARTTLS.after",
    "AUTH.before",
    "AUTH.after",
    "MAIL.before",
    "MAIL.after",
    "RCPT.before",
    "RCPT.after",
    "DATA.before",
    "DATA.after",
    "mail.before",
    "mail.after",
];

/// Arms what the environment names. The names live as long as the process.
pub fn arm() {
    if fail::has_failpoints() {
        std::mem::forget(fail::FailScenario::setup());
    }
}

/// Passes a place, such as `before` of `commit`.
pub fn pass(what: &str, side: &str) {
    if fail::has_failpoints() {
        fail::eval(&format!("{what}.{side}"), |_| -> () { std::process::abort() });
    }
}
