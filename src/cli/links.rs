//! `vakt links`: the key that signs the links in mails.

use std::path::Path;

use clap::{Args, Subcommand};

use super::incident::ground_for;
use super::{Verdict, settings};

/// Change the key that signs the links in mails.
#[derive(Debug, Args)]
pub(super) struct Links {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Sign with another key from now on. Links that were sent already hold for their 72 hours
    Rotate {
        /// Your name in rules/people.toml
        #[arg(long = "as", value_name = "NAME")]
        by: String,
        /// Somebody else may know the key: all links that were sent end now
        #[arg(long)]
        at_once: bool,
    },
}

impl Links {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let Act::Rotate { by, at_once } = self.act;
        ground_for(&settings(file)?, &[&by])?.change_link_key(&by, at_once)?;
        let old = if at_once { "those that were sent have ended" } else { "those that were sent hold for their time" };
        say!("links are signed with another key; {old}. A running vakt follows within half a minute.");
        Ok(Verdict::Done)
    }
}
