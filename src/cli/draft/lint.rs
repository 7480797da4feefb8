//! `vakt draft lint`: what is wrong with a text before anybody else reads it.

use std::path::PathBuf;

use clap::Args;

use super::super::{Paint, Refused, Verdict, safe};
use super::{network, text_of, tongue};
use crate::config::Config;
use crate::engine::wording::{self, Finding, Kind};
use crate::ground::Clock;
use crate::model::{Network, Voice};
use crate::rules::Rules;
use crate::text::length;

/// A text to look over.
#[derive(Debug, Args)]
pub(super) struct Lint {
    /// A file with the text, or `-`
    text: PathBuf,
    /// Its language, such as `de`
    #[arg(long, value_parser = tongue)]
    language: String,
    /// The network that it is for; all of the voice guide's are measured where none is named
    #[arg(long, value_parser = network)]
    network: Option<Network>,
    /// It is said to one person, and signed
    #[arg(long)]
    reply: bool,
    /// For somebody in rules/people.toml: in their language
    #[arg(long = "for", value_name = "NAME")]
    reader: Option<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// What was seen in a text.
pub(super) struct Look {
    /// Everything that should be otherwise, in the order of the text.
    pub(super) findings: Vec<Finding>,
    /// How long it is where it is for one network.
    pub(super) length: Option<String>,
}

/// Looks a text over.
pub(super) fn look(text: &str, voice: &Voice, language: &str, network: Option<Network>, kind: Kind) -> Look {
    let findings = wording::look(text, voice, language, network, kind);
    let length = network.map(|n| {
        let l = length::measure(text, n);
        format!("{} of {} {} on {}", l.used, l.most, l.unit, n.title())
    });
    Look { findings, length }
}

impl Look {
    /// Tells it in lines to a reader of a language, each with the words that it is about.
    pub(super) fn tell(&self, text: &str, reads: &str, paint: Paint) {
        for f in &self.findings {
            let (why, remedy) = f.said(reads);
            let line = text.get(..f.span.start).unwrap_or("").matches('\n').count() + 1;
            say!("{} line {line}: {}; {}", paint.warm("!"), safe(&why, 300), safe(&remedy, 300));
        }
        if let Some(length) = &self.length {
            say!("{}", paint.dim(length));
        }
    }
}

/// The voice guide in the rules, and the language of somebody who reads what it finds.
pub(super) fn voice(config: &Config, reader: Option<&str>) -> anyhow::Result<(Voice, String)> {
    let rules = Rules::load(&config.rules_dir, Clock::System.now());
    let rules = rules.map_err(|_| Refused("the rules have mistakes; `vakt check` shows them".into()))?;
    let reads = super::super::incident::reader(&rules, reader, None)?.0;
    Ok((rules.voice, reads))
}

impl Lint {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<Verdict> {
        let ((voice, reads), text) = (voice(config, self.reader.as_deref())?, text_of(&self.text)?);
        let kind = if self.reply { Kind::Reply } else { Kind::Statement };
        let seen = look(&text, &voice, &self.language, self.network, kind);
        // Without a network the text is measured for each that the brand speaks on.
        let unsuited: Vec<String> = match self.network {
            Some(_) => Vec::new(),
            None => voice
                .networks
                .iter()
                .filter_map(|n| wording::too_long(&text, *n))
                .map(|(_, f)| f.said(&reads).0)
                .collect(),
        };
        if self.json {
            say!("{}", serde_json::json!({ "findings": seen.findings, "length": seen.length, "too_long": unsuited }));
        } else {
            let paint = Paint::new();
            seen.tell(&text, &reads, paint);
            unsuited.iter().for_each(|why| say!("{}", paint.dim(why)));
            if seen.findings.is_empty() {
                say!("{}", paint.good("in order"));
            }
        }
        Ok(if seen.findings.is_empty() { Verdict::Done } else { Verdict::No })
    }
}
