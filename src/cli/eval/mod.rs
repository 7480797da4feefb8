//! `vakt eval`: how often vakt is right, on data of one's own.

mod intent;
pub(super) mod labelled;
mod language;
mod sentiment;
mod spikes;
mod stories;
mod table;

use clap::{Args, Subcommand};

use super::Verdict;

/// Measure vakt on data of your own.
#[derive(Debug, Args)]
pub(super) struct Eval {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sentiment: negative, neutral, positive
    Sentiment(sentiment::Sentiment),
    /// Languages
    Language(language::Language),
    /// Intents: complaint, question, suggestion, praise, other; and whether an answer is needed
    Intent(intent::Intents),
    /// Stories: whether copies fall together, and nothing else does
    Stories(stories::Stories),
    /// Spikes: how strange each bucket of a stream of counts is
    Spikes(spikes::Spikes),
}

impl Eval {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        match self.what {
            What::Sentiment(c) => c.run(),
            What::Language(c) => c.run(),
            What::Intent(c) => c.run(),
            What::Stories(c) => c.run(),
            What::Spikes(c) => c.run(),
        }
    }
}
