//! How far a backtest has come: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::super::warn;

/// Lines come this often where there is no terminal, and the clock is read after so many mentions.
const EVERY: Duration = Duration::from_secs(5);
const CLOSELY: u64 = 1024;

pub(super) struct Progress {
    bar: Option<ProgressBar>,
    of: u64,
    done: u64,
    said: Instant,
}

impl Progress {
    pub(super) fn new() -> Progress {
        Progress { bar: None, of: 0, done: 0, said: Instant::now() }
    }

    /// So many mentions are to come.
    pub(super) fn start(&mut self, of: usize) {
        self.of = of as u64;
        let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {pos} of {len} mentions, {eta} left");
        let style = style.ok().filter(|_| std::io::stderr().is_terminal());
        self.bar = style.map(|style| ProgressBar::new(self.of).with_style(style));
    }

    /// One more is done.
    pub(super) fn step(&mut self) {
        self.done += 1;
        if !self.done.is_multiple_of(CLOSELY) {
            return;
        }
        match &self.bar {
            Some(bar) => bar.set_position(self.done),
            None if self.said.elapsed() >= EVERY => {
                self.said = Instant::now();
                warn(&format!("backtest: {} of {} mentions", self.done, self.of));
            }
            None => {}
        }
    }

    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
