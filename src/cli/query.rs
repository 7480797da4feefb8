//! `vakt query`: looks a query over before it is put to work.

use std::path::Path;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::{Paint, Verdict, warn};
use crate::config::fault::{Fault, Sheet, render_all};
use crate::query::{self, Mistake};

/// Check and explain queries.
#[derive(Debug, Args)]
pub(super) struct Queries {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Every mistake in a query, with what to do about it
    Check {
        /// The query, or a file that holds it
        #[arg(allow_hyphen_values = true)]
        query: String,
        /// Print the mistakes as JSON
        #[arg(long)]
        json: bool,
    },
    /// The query in words: its tree, what each term stands for, what it is filed under
    Explain {
        /// The query, or a file that holds it
        #[arg(allow_hyphen_values = true)]
        query: String,
    },
}

impl Queries {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        match self.act {
            Act::Check { query, json } => check(&query, json),
            Act::Explain { query } => explain(&query),
        }
    }
}

/// The text of a query, which is in a file where there is one of that name.
fn text_of(query: &str) -> anyhow::Result<(String, String)> {
    // Names are far shorter than queries may be, and hold no line ends.
    let short = query.len() < 1024 && !query.contains(char::is_whitespace);
    anyhow::ensure!(
        !(short && query.contains('/') && Path::new(query).is_dir()),
        "{query} is a folder; name a file, or write a query"
    );
    let ending = Path::new(query).extension().and_then(|e| e.to_str());
    let like_a_file = short && (query.starts_with("./") || matches!(ending, Some("txt" | "bwq" | "query")));
    anyhow::ensure!(!like_a_file || Path::new(query).is_file(), "there is no file {query}");
    let named = query.len() < 1024 && !query.contains('\n') && Path::new(query).is_file();
    match named {
        true => {
            let text = std::fs::read_to_string(query).with_context(|| format!("cannot read {query}"))?;
            Ok((query.to_owned(), text))
        }
        false => Ok(("query".to_owned(), query.to_owned())),
    }
}

fn check(query: &str, json: bool) -> anyhow::Result<Verdict> {
    let (name, text) = text_of(query)?;
    let parsed = query::parse(&text);
    let valid = parsed.node.is_some();
    if json {
        let list: Vec<_> = parsed.mistakes.iter().map(as_json).collect();
        say!("{}", serde_json::json!({ "valid": valid, "diagnostics": list }));
    } else {
        show(&name, &text, &parsed.mistakes);
        if valid {
            say!("{}", Paint::new().good("in order"));
        }
    }
    Ok(if valid { Verdict::Done } else { Verdict::No })
}

fn as_json(m: &Mistake) -> serde_json::Value {
    serde_json::json!({
        "code": m.code.as_str(), "severity": if m.warning { "warning" } else { "error" }, "message": m.message,
        "start": m.span.start, "end": m.span.end, "help": m.help,
    })
}

/// Shows mistakes and warnings on standard error, with their places.
pub(super) fn show(name: &str, text: &str, mistakes: &[Mistake]) {
    if mistakes.is_empty() {
        return;
    }
    let sheet = Sheet::new(name, text);
    let fault = |m: &Mistake| {
        let message = format!("{} [{}]", m.message, m.code.as_str());
        let fault = if m.warning { Fault::warning } else { Fault::error };
        fault(&sheet, m.span.clone(), message).help(m.help.clone())
    };
    let faults: Vec<Fault> = mistakes.iter().map(fault).collect();
    warn(&render_all(&faults, super::colours_on_error()));
}

fn explain(query: &str) -> anyhow::Result<Verdict> {
    let (name, text) = text_of(query)?;
    let parsed = query::parse(&text);
    show(&name, &text, &parsed.mistakes);
    match parsed.node {
        Some(node) => {
            say!("{}", query::explain(&node).trim_end());
            Ok(Verdict::Done)
        }
        None => Ok(Verdict::No),
    }
}
