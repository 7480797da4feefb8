//! How far an import has come: a bar on a terminal, a line now and then elsewhere.

use std::cell::Cell;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::super::warn;
use super::bring::Sum;
use crate::sources::archive::Archive;

/// Lines come this often where there is no terminal.
const EVERY: Duration = Duration::from_secs(5);

pub(super) struct Progress {
    bar: Option<ProgressBar>,
    read: Arc<AtomicU64>,
    length: u64,
    began: Instant,
    said: Cell<Instant>,
}

impl Progress {
    pub(super) fn start(archive: &Archive, before: u64) -> Progress {
        if before > 0 {
            warn(&format!("going on after row {before}, where the last import ended; --again begins at the beginning"));
        }
        let terminal = std::io::stderr().is_terminal();
        let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}, {eta} left");
        let bar = style.ok().filter(|_| terminal).map(|style| ProgressBar::new(archive.length).with_style(style));
        let now = Instant::now();
        Progress { bar, read: archive.read.clone(), length: archive.length, began: now, said: Cell::new(now) }
    }

    pub(super) fn at(&self, sum: &Sum) {
        let read = self.read.load(Ordering::Relaxed).min(self.length);
        let speed = sum.read as f64 / self.began.elapsed().as_secs_f64().max(0.001);
        let words = format!("{} rows, {speed:.0} a second", sum.before + sum.read);
        match &self.bar {
            Some(bar) => {
                bar.set_position(read);
                bar.set_message(words);
            }
            None if self.said.get().elapsed() >= EVERY => {
                self.said.set(Instant::now());
                let percent = read * 100 / self.length.max(1);
                warn(&format!("importing: {words}, {percent} % of the file read"));
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
