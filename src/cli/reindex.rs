//! `vakt reindex`: builds the search index anew from the store, alone or by the daemon that runs.

use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::beside::{self, Beside, End};
use super::{Refused, Verdict, open_store, settings, warn};
use crate::config::Config;
use crate::ground::Clock;
use crate::stages::index::{self, Anew};
use crate::store::wish::{self, Standing, Wish};
use crate::store::{Store, changes};

/// Build the search index anew from the store.
#[derive(Debug, Args)]
pub(super) struct Reindex {
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// A line tells how far it is this often, where there is no terminal.
const LINE: Duration = Duration::from_secs(5);
/// Longest that a daemon may take.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

impl Reindex {
    pub(super) fn run(self, file: Option<&Path>) -> anyhow::Result<Verdict> {
        let config = settings(file)?;
        let store = open_store(&config)?;
        let mut shown = Shown::new();
        let beside = Beside::of(&config.data_dir)?;
        if !beside.is_alone() && !store.read(wish::get)?.is_some_and(|w| w.is_open()) {
            store.write_blocking(|tx| wish::put(tx, &Wish::default()))?;
        }
        let mut last = Wish::default();
        let end = beside::wait(beside, &config.data_dir, PATIENCE, || {
            last = store.read(wish::get)?.unwrap_or_default();
            shown.show(&last);
            Ok(!last.is_open())
        })?;
        let done = match end {
            End::Done => last,
            End::Late => return Err(Refused("the daemon has not built it within a day; look at its log".into()).into()),
            End::Alone(_lock) => alone(&config, &store, &mut shown)?,
        };
        shown.end();
        if done.standing == Standing::Failed {
            anyhow::bail!("the index could not be built, and the old one stays: {}", done.error);
        }
        let rate = done.done as f64 / done.seconds.max(0.001);
        match self.json {
            true => say!(
                "{}",
                serde_json::json!({ "mentions": done.done, "seconds": done.seconds, "bytes": done.bytes, "per_second": rate })
            ),
            false => say!(
                "{} mentions in {:.1} s ({rate:.0} a second), {:.1} MiB",
                done.done,
                done.seconds,
                done.bytes as f64 / f64::from(1 << 20)
            ),
        }
        Ok(Verdict::Done)
    }
}

fn alone(config: &Config, store: &Store, shown: &mut Shown) -> anyhow::Result<Wish> {
    let dir = config.index_dir();
    let mut anew = Anew::begin(store, &dir).context("the index cannot be begun")?;
    while !anew.go_on(store).context("the index cannot be built, and the old one stays")? {
        shown.show(&anew.stands());
    }
    let done = anew.replace().context("the new index cannot be put in the old one's place")?;
    if store.read(changes::awaited)?.is_some() {
        index::settle(store, &dir, Clock::System.now())?;
    }
    // A wish that a daemon has left behind is fulfilled by this as well.
    let kept = done.clone();
    store.write_blocking(move |tx| wish::put(tx, &kept))?;
    Ok(done)
}

/// How far it is: a bar on a terminal, a line now and then elsewhere.
struct Shown {
    bar: Option<ProgressBar>,
    told: Instant,
}

impl Shown {
    fn new() -> Shown {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style =
                ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} mentions, {per_sec}, {eta} left");
            ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Shown { bar, told: Instant::now() }
    }

    fn show(&mut self, wish: &Wish) {
        if let Some(bar) = &self.bar {
            bar.set_length(wish.of);
            bar.set_position(wish.done);
        } else if self.told.elapsed() >= LINE {
            self.told = Instant::now();
            warn(&match wish.standing {
                Standing::Asked => "waiting for the daemon to begin".to_owned(),
                _ => format!("{} of {} mentions", wish.done, wish.of),
            });
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
