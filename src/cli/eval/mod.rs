//! `vakt eval`: how often vakt is right, on labelled data of one's own.

mod labelled;
mod stories;

use clap::{Args, Subcommand};

use super::Verdict;

/// Measure vakt on labelled data of your own.
#[derive(Debug, Args)]
pub(super) struct Eval {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Stories: whether copies fall together, and nothing else does
    Stories(stories::Stories),
}

impl Eval {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        match self.what {
            What::Stories(c) => c.run(),
        }
    }
}
