//! `vakt audit`: who did what, and whether the log is whole.

use std::path::Path;

use clap::{Args, Subcommand};

use super::{Paint, Verdict, open_store, safe, settings};
use crate::store::audit::{self, Soundness};

/// Show the log of acts, and prove that it is whole.
#[derive(Debug, Args)]
pub(super) struct Audit {
    #[command(subcommand)]
    act: Act,
    /// Print as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// The last acts, newest first
    List {
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Reckon the whole chain again. A hash that is kept elsewhere, such as in the operator's mails, shows that no end of it
    /// was cut off
    Verify {
        /// A hash that the log had
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
    },
}

impl Audit {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let store = open_store(&settings(file)?)?;
        let paint = Paint::new();
        match self.act {
            Act::List { limit } => {
                let lines = store.read(|c| audit::latest(c, limit))?;
                if self.json {
                    say!("{}", serde_json::to_string(&lines)?);
                    return Ok(Verdict::Done);
                }
                for l in lines {
                    let at = l.at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string();
                    let hash = l.hash.get(..12).unwrap_or_default();
                    say!(
                        "{:>6}  {}  {:<12} {:<12} {:<14} {}  {}",
                        l.id,
                        at,
                        safe(&l.who, 40),
                        l.what,
                        l.about,
                        safe(&l.fact, 120),
                        paint.dim(hash)
                    );
                }
                Ok(Verdict::Done)
            }
            Act::Verify { head } => {
                let found = store.read(audit::verify)?;
                if self.json {
                    say!("{}", serde_json::to_string(&found)?);
                }
                if let Some(head) = head.filter(|_| matches!(found, Soundness::Whole(..))) {
                    match store.read(|c| audit::line_of(c, &head))? {
                        Some(line) => say!("line {line} has that hash"),
                        None => {
                            say!(
                                "{} no line has that hash: the log was cut off, or written anew",
                                paint.bad("broken:")
                            );
                            return Ok(Verdict::No);
                        }
                    }
                }
                match found {
                    Soundness::Whole(count, hash) => {
                        if !self.json {
                            say!("{} {count} lines, each following from the one before", paint.good("whole:"));
                            say!("the last hash is {}", if hash.is_empty() { "none yet" } else { &hash });
                        }
                        Ok(Verdict::Done)
                    }
                    Soundness::Broken(line) => {
                        if !self.json {
                            say!(
                                "{} line {line} is not what was written, or one is missing before it",
                                paint.bad("broken:")
                            );
                        }
                        Ok(Verdict::No)
                    }
                }
            }
        }
    }
}
