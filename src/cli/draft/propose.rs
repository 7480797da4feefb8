//! `vakt draft propose`: a machine proposes words, and people decide.

use clap::Args;

use super::super::incident::ground_for;
use super::super::{Refused, runtime};
use super::{What, show, told};
use crate::assistant::{Assistant, Prompt};
use crate::config::Config;
use crate::ground::Clock;
use crate::ground::drafts::Order;

/// A draft whose words the assistant proposes.
#[derive(Debug, Args)]
pub(super) struct Propose {
    #[command(flatten)]
    what: What,
    /// Print what the assistant would be asked, and ask nobody
    #[arg(long)]
    show_prompt: bool,
}

/// Prints a prompt.
pub(in crate::cli) fn tell(prompt: &Prompt) {
    say!("{}\n\n{}", prompt.rules, prompt.facts);
}

/// Asks the assistant of the settings: its model, and what it says.
pub(in crate::cli) fn ask(config: &Config, prompt: &Prompt) -> anyhow::Result<(String, String)> {
    let settings = config.assistant.as_ref().ok_or_else(|| {
        Refused(
            "no assistant is set up: add [assistant] with url, model and key to vakt.toml, or write it yourself".into(),
        )
    })?;
    let assistant = Assistant::of(settings)?;
    let words = runtime()?.block_on(assistant.ask(prompt, &config.fetch.contact, Clock::System.now()))?;
    Ok((assistant.model().to_owned(), words))
}

impl Propose {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<()> {
        let by = self.what.by.clone();
        let ground = ground_for(config, &[&by])?;
        let order = self.what.order();
        let prompt = told(ground.prompt(&order))?;
        if self.show_prompt {
            tell(&prompt);
            return Ok(());
        }
        let (model, text) = ask(config, &prompt)?;
        let draft = told(ground.draft(Order { text: Some(text), machine: Some(model), ..order }, &by))?;
        show::one(&draft, &ground.knowledge().rules.voice, "en", false)
    }
}
