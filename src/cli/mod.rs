//! The commands, one thin file each. Exit codes: 0 done, 1 the answer is no, 2 the call was wrong, 3 the environment
//! failed.

/// Prints a line; a reader that has had enough, such as `head`, ends the command quietly.
macro_rules! say {
    ($($text:tt)*) => { $crate::cli::print_line(format_args!($($text)*)) };
}

mod answers;
mod audit;
mod backtest;
mod beside;
mod calendar;
mod channels;
mod check;
mod demo;
mod doctor;
mod draft;
mod drill;
mod erase;
mod eval;
mod import;
mod incident;
mod links;
mod oncall;
mod playbook;
mod query;
mod reindex;
mod report;
mod run;
mod score;
mod search;
mod silence;
mod sources;
mod test;
mod train;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::config::fault::{Fault, any_error, render_all};
use crate::config::{Config, Sheet};
use crate::store::Store;
use crate::telemetry::Logs;

/// The call.
#[derive(Debug, Parser)]
#[command(
    name = "vakt",
    version,
    about = "Watches what the world says about a brand, and calls the right people before a complaint becomes a crisis",
    after_help = "New here? `vakt demo` plays a recorded crisis through the real thing, in under a minute."
)]
struct Call {
    /// The settings; without it vakt.toml here, else /etc/vakt/vakt.toml, else none
    #[arg(long, short, global = true, env = "VAKT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon
    Run(run::Run),
    /// Play a recorded crisis through the real daemon, on this machine alone
    Demo(demo::Demo),
    /// Search the history
    Search(search::Find),
    /// Import history from files of other tools
    Import(import::Import),
    /// Check and explain queries
    Query(query::Queries),
    /// Check settings and rules: every mistake at once
    Check(check::Check),
    /// Who is on call, now or over a week
    Oncall(oncall::OnCall),
    /// Exercise: an invented crisis calls the real people through the running daemon
    Drill(drill::Exercise),
    /// Test the rules on mentions that tests tell
    Test(test::Test),
    /// A month of what is planned: launches, match days, holidays, posts
    Calendar(calendar::Month),
    /// Check relay, channels, sources, disk, clock and permissions
    Doctor(doctor::Doctor),
    /// What rules would have done with the past
    Backtest(backtest::Backtest),
    /// List and show incidents, take them, put them off, end them
    Incident(incident::Incidents),
    /// Know of something and be left alone until then: lay, list and end silences
    Silence(silence::Silences),
    /// The digest of a day, a week or a month
    Report(report::Report),
    /// Change the key that signs the links in mails
    Links(links::Links),
    /// List and show playbooks
    Playbook(playbook::Playbooks),
    /// Write, look over, approve and hand over what is said
    Draft(draft::Drafts),
    /// Mentions that need an answer: who has each, by when, and how fast they are answered
    Answers(answers::Answers),
    /// Who did what: show the log, and prove that it is whole
    Audit(audit::Audit),
    /// List the sources and how each stands
    Sources(sources::Sources),
    /// List the channels and the kinds that there are
    Channels(channels::Channels),
    /// Everything that is heard in a text: language, sentiment, intent, topics, and why
    Score(score::Scored),
    /// Make the tables that ship, from the public sets that they are made of
    Train(train::Train),
    /// Build the search index anew from the store
    Reindex(reindex::Reindex),
    /// Measure vakt on labelled data of your own
    Eval(eval::Eval),
    /// Forget an author, everywhere, with a receipt
    Erase(erase::Erase),
}

/// What a command comes to, besides errors.
enum Verdict {
    Done,
    /// The answer is no.
    No,
    /// The call was wrong, and has been told so.
    Wrong,
}

/// Runs the command of the call.
pub fn main() -> ExitCode {
    crate::failpoint::arm();
    let call = Call::parse();
    let file = call.config.as_deref();
    let result = match call.command {
        Command::Run(c) => c.run(file),
        Command::Demo(c) => c.run(),
        Command::Search(c) => c.run(file),
        Command::Import(c) => c.run(file),
        Command::Query(c) => c.run(),
        Command::Check(c) => c.run(file),
        Command::Oncall(c) => c.run(file),
        Command::Drill(c) => c.run(file),
        Command::Test(c) => c.run(file),
        Command::Calendar(c) => c.run(file),
        Command::Doctor(c) => c.run(file),
        Command::Backtest(c) => c.run(file),
        Command::Incident(c) => c.run(file),
        Command::Silence(c) => c.run(file),
        Command::Report(c) => c.run(file),
        Command::Links(c) => c.run(file),
        Command::Playbook(c) => c.run(file),
        Command::Draft(c) => c.run(file),
        Command::Answers(c) => c.run(file),
        Command::Audit(c) => c.run(file),
        Command::Sources(c) => c.run(file),
        Command::Channels(c) => c.run(file),
        Command::Reindex(c) => c.run(file),
        Command::Eval(c) => c.run(),
        Command::Erase(c) => c.run(file),
        Command::Score(c) => c.run(file),
        Command::Train(c) => c.run(),
    };
    match result {
        Ok(Verdict::Done) => ExitCode::SUCCESS,
        Ok(Verdict::No) => ExitCode::from(1),
        Ok(Verdict::Wrong) => ExitCode::from(2),
        Err(e) if is_closed_pipe(&e) => ExitCode::SUCCESS,
        Err(e) => {
            warn(&format!("vakt: {e:#}"));
            match e.downcast_ref::<Refused>() {
                Some(_) => ExitCode::from(2),
                None => ExitCode::from(3),
            }
        }
    }
}

/// A call or settings that cannot be carried out as they are.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(String);

/// A reader that has had enough, such as `head`, is no failure.
fn is_closed_pipe(e: &anyhow::Error) -> bool {
    e.chain().filter_map(|c| c.downcast_ref::<std::io::Error>()).any(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}

/// A line to standard output.
fn print_line(line: std::fmt::Arguments<'_>) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(0);
    }
}

/// A line to standard error; when even that is closed there is nobody to tell.
fn warn(line: &str) {
    writeln!(std::io::stderr(), "{line}").ok();
}

/// Whether standard output is a terminal that wants colours.
fn colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Whether standard error is a terminal that wants colours.
fn colours_on_error() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Colours for a terminal; nothing elsewhere.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn new() -> Paint {
        Paint(colours())
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    fn bad(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    fn warm(self, text: &str) -> String {
        self.wrap("33", text)
    }
}

/// Where the settings are: named in the call, here, or in /etc.
fn settings_file(named: Option<&Path>) -> Option<PathBuf> {
    let usual = [Path::new("vakt.toml"), Path::new("/etc/vakt/vakt.toml")];
    named.map(Path::to_owned).or_else(|| usual.into_iter().find(|p| p.exists()).map(Path::to_owned))
}

/// Reads the settings, or those that hold where there is no file; mistakes are told.
fn settings(named: Option<&Path>) -> anyhow::Result<Config> {
    let Some(path) = settings_file(named) else { return Ok(Config::unwritten()) };
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("cannot read the settings {}", path.display()))?;
    match Config::read(Sheet::new(path.display().to_string(), text)) {
        Ok(config) => Ok(config.rebase(&path)),
        Err(faults) => {
            show_faults(&faults);
            Err(Refused(format!("{} cannot be used", path.display())).into())
        }
    }
}

/// Shows faults on standard error, with their places.
fn show_faults(faults: &[Fault]) {
    warn(&render_all(faults, colours_on_error()));
    let errors = faults.iter().filter(|f| f.weight == crate::config::Weight::Error).count();
    let warnings = faults.len() - errors;
    if any_error(faults) {
        warn(&format!("\n{errors} mistakes, {warnings} warnings"));
    }
}

/// Opens the store that the daemon made.
fn open_store(config: &Config) -> anyhow::Result<Store> {
    let path = config.database();
    anyhow::ensure!(path.exists(), "there is no data at {} yet; start `vakt run` first", config.data_dir.display());
    Store::open(&path).with_context(|| format!("cannot open {}", path.display()))
}

/// A runtime for commands that need one.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")
}

/// Logs for a daemon in this process.
fn logs(json: bool) {
    crate::telemetry::start_logs(if json { Logs::Json } else { Logs::Auto });
}

/// Text of strangers made safe for a terminal: no escapes, no line ends.
fn safe(text: &str, most: usize) -> String {
    let line = crate::text::clean::one_line(text, most.saturating_mul(4));
    let mut short: String = line.chars().take(most).collect();
    if line.chars().count() > most {
        short.push('…');
    }
    short
}
