//! `vakt demo`: a recorded crisis, served on loopback and watched by the real daemon with a fast clock.

mod places;
mod recording;
mod rules;
mod story;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use jiff::Timestamp;

use super::run::stop_signal;
use super::{Paint, Refused, Verdict, runtime};
use crate::config::{Config, Sheet};
use crate::daemon::{Daemon, DataLock};
use crate::ground::Clock;
use crate::model::time::Span;
use places::{Pusher, serve_feeds};
use recording::{MINUTES, Recording};
use story::Story;

/// Play a recorded crisis through the real daemon, on this machine alone.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Where the demo keeps its data and mails
    #[arg(long, default_value = "vakt-demo", value_name = "DIR")]
    dir: PathBuf,
    /// Keep running afterwards, until Ctrl-C
    #[arg(long)]
    stay: bool,
    /// Real milliseconds that a minute of the recording takes at least
    #[arg(long, default_value_t = 16, value_name = "MS", hide = true)]
    pace: u64,
}

/// The file that marks a folder as the demo's own, to be emptied by the next demo.
const MARK: &str = ".vakt-demo";
/// A stage that has not kept up within this time has failed.
const PATIENCE: Duration = Duration::from_secs(60);

impl Demo {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let recording = Recording::load()?;
        prepare(&self.dir)?;
        runtime()?.block_on(self.play(recording))
    }

    async fn play(self, recording: Recording) -> anyhow::Result<Verdict> {
        let paint = Paint::new();
        let clock = Clock::stepped(recording.start);
        let end = stop_signal();
        tokio::pin!(end);
        let feeds = serve_feeds(recording.clone(), clock.clone()).await?;
        let config = write_settings(&self.dir, feeds)?;
        let daemon = Daemon::start(&config, clock.clone(), None).await?;
        let api = daemon.address.context("the demo's daemon does not listen")?;
        let pusher = Pusher::new(api, TOKEN);
        let mut story = Story::new(daemon.ground.clone(), recording.start, paint);
        story.begin(&recording, &self.dir);
        let mut cut_short = false;
        for minute in 0..=MINUTES {
            let now = recording.start + Span::mins(minute);
            tokio::select! {
                () = &mut end => {
                    cut_short = true;
                    break;
                }
                stepped = step(&daemon, &clock, now, &recording, &pusher, minute, self.pace) => stepped?,
            }
            story.tell(now, minute).await?;
        }
        if !cut_short {
            story.settle(&daemon, &config).await?;
            story.end(&self.dir, api, self.stay);
        }
        if self.stay && !cut_short {
            stay(&clock, &mut end).await;
        }
        daemon.run_until(std::future::ready(())).await?;
        if cut_short {
            say!("\n{}", paint.dim("The demo was stopped."));
            return Ok(Verdict::Done);
        }
        anyhow::ensure!(story.rang(), "the recorded crisis did not ring: this is a fault of vakt");
        Ok(Verdict::Done)
    }
}

/// The token with which the demo pushes; the daemon listens on loopback for as long as the demo lasts.
const TOKEN: &str = "vakt_demo_push";

/// One minute of the recording: what is pushed in it, then the clock, then the stages keep up.
async fn step(
    daemon: &Daemon,
    clock: &Clock,
    now: Timestamp,
    recording: &Recording,
    pusher: &Pusher,
    minute: i64,
    pace: u64,
) -> anyhow::Result<()> {
    let began = std::time::Instant::now();
    clock.step_to(now);
    pusher.push(&recording.pushed_in(minute)).await?;
    let kept_up = async {
        for stage in ["collect", "watch", "deliver"] {
            while daemon.pulses.of(stage).is_some_and(|p| p.seen() < now) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, kept_up).await.context("the daemon does not keep up with the recording")?;
    let least = Duration::from_millis(pace);
    tokio::time::sleep(least.saturating_sub(began.elapsed())).await;
    Ok(())
}

/// Lets the clock run at the pace of the world until it is ended.
async fn stay(clock: &Clock, end: &mut (impl Future<Output = ()> + Unpin)) {
    loop {
        tokio::select! {
            () = &mut *end => return,
            () = tokio::time::sleep(Duration::from_secs(1)) => clock.step_to(clock.now() + Span::secs(1)),
        }
    }
}

/// Empties the demo's folder, if it is one, and lays the sample rules in it.
fn prepare(dir: &Path) -> anyhow::Result<()> {
    let made = dir.join(MARK).exists();
    // Held while it is emptied: a daemon that works in it keeps what it has.
    let _lock = if made { Some(DataLock::take(dir)?) } else { None };
    if dir.exists() {
        let empty = std::fs::read_dir(dir)?.next().is_none();
        if !empty && !dir.join(MARK).exists() {
            let why = format!("{} is there already and is not a demo's: name another with --dir", dir.display());
            return Err(Refused(why).into());
        }
        for part in ["index", "mail", "rules"] {
            let path = dir.join(part);
            if path.exists() {
                std::fs::remove_dir_all(&path).with_context(|| format!("cannot empty {}", path.display()))?;
            }
        }
        for part in ["vakt.db", "vakt.db-wal", "vakt.db-shm"] {
            let path = dir.join(part);
            if path.exists() {
                std::fs::remove_file(&path).with_context(|| format!("cannot empty {}", path.display()))?;
            }
        }
    }
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    std::fs::write(dir.join(MARK), "made by vakt demo; the next one empties it\n")?;
    for (name, text) in rules::FILES {
        let path = dir.join("rules").join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// Writes the settings that point the daemon at the recording, and reads them as any daemon would.
fn write_settings(dir: &Path, feeds: SocketAddr) -> anyhow::Result<Config> {
    let token = dir.join("push-token");
    std::fs::write(&token, TOKEN)?;
    let source = |name: &str, path: &str, network: &str| {
        format!(
            "[[source]]\nkind = \"feed\"\nname = \"{name}\"\nurl = \"http://{feeds}/{path}\"\nnetwork = \"{network}\"\nevery = \"5m\"\nallow_private = [\"127.0.0.0/8\"]\n\n"
        )
    };
    let text = format!(
        "# Made by `vakt demo`. Try: vakt --config {dir}/vakt.toml search 'acme AND fire'\n\
         data_dir = \".\"\nrules_dir = \"rules\"\n\n\
         [http]\nlisten = \"127.0.0.1:0\"\n\
         tokens = [{{ name = \"social\", role = \"push\", value = {{ file = {token:?} }} }}]\n\n\
         [mail]\nfrom = \"vakt <vakt@acme.example>\"\n\n{}{}{}",
        source("news", "news.rss", "news"),
        source("forum", "forum.atom", "forum"),
        source("blogs", "blogs.json", "blog"),
        dir = dir.display(),
        token = std::path::absolute(&token)?,
    );
    let path = dir.join("vakt.toml");
    std::fs::write(&path, &text)?;
    match Config::read(Sheet::new(path.display().to_string(), text)) {
        Ok(config) => Ok(config.rebase(&path)),
        Err(faults) => anyhow::bail!("the demo's own settings are wrong: {:?}", faults.first().map(|f| f.brief())),
    }
}
