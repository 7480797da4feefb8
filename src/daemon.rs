//! Opens the store and starts the stages, in one straight line; drains them in reverse, bounded.
//!
//! It is straight because order is its whole meaning: nothing may be read before the lock is held, nothing judged before
//! the store is whole, nobody answered before everything runs.

use std::fs::{File, TryLockError};
use std::future::Future;
use std::io::{Read, Seek, Write};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use notify::Watcher;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::fault::Fault;
use crate::config::{Config, SecretError};
use crate::ground::{Clock, Ground, Pulse, retopic, sought};
use crate::serve::{self, Served};
use crate::sources::{self, FetchError, Http, Limits};
use crate::stages::deliver::Deliver;
use crate::stages::{Stage, auditor, collect, digests, index, reload, stage, tidy, watch, withdraw};
use crate::store::{Store, StoreError, erasures};

mod parts;

pub use parts::{channels_of, letterhead};
use parts::{hooks_of, is_home, listen, reread, rules_in_force};

/// Why the daemon cannot start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Another one runs on the same data.
    #[error("another vakt runs on {dir} (process {pid}); stop it first, or give this one another data_dir")]
    Running {
        /// The data directory.
        dir: PathBuf,
        /// The other's process.
        pid: String,
    },
    /// The data directory cannot be used.
    #[error("cannot use the data directory {dir}")]
    DataDir {
        /// The directory.
        dir: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The settings or the rules have mistakes, and there are no last good ones.
    #[error("{} mistakes in the settings or the rules; `vakt check` shows them", .0.len())]
    Faults(Vec<Fault>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A relay that makes no sense.
    #[error("mail relay: {0}")]
    Relay(String),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] FetchError),
    /// The port cannot be listened on.
    #[error("cannot listen on {address}; set `listen` in [http] to a free port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A stage panicked over and over.
    #[error("the {0} stage failed over and over")]
    Stage(String),
}

/// The lock on a data directory, held until it is dropped, and let go by the kernel when the process dies.
#[derive(Debug)]
pub struct DataLock(#[expect(dead_code, reason = "held open for its lock")] File);

impl DataLock {
    /// Takes the lock.
    ///
    /// # Errors
    /// When another process has it, or the directory cannot be used.
    pub fn take(dir: &Path) -> Result<DataLock, DaemonError> {
        let wrong = |source| DaemonError::DataDir { dir: dir.to_owned(), source };
        // Names, addresses and letters are nobody else's business.
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(wrong)?;
        let path = dir.join("LOCK");
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(wrong)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                file.read_to_string(&mut pid).map_err(wrong)?;
                return Err(DaemonError::Running { dir: dir.to_owned(), pid: pid.trim().to_owned() });
            }
            Err(TryLockError::Error(e)) => return Err(wrong(e)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(wrong)?;
        writeln!(file, "{}", std::process::id()).map_err(wrong)?;
        Ok(DataLock(file))
    }
}

/// The stages' pulses.
#[derive(Debug, Clone)]
pub struct Pulses(Vec<(&'static str, Arc<Pulse>)>);

impl Pulses {
    /// The pulse of a stage.
    pub fn of(&self, name: &str) -> Option<&Arc<Pulse>> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, p)| p)
    }

    /// The first stage whose last pass is longer ago than this, if any.
    pub fn stale(&self, limit: Duration) -> Option<&'static str> {
        self.0.iter().find(|(_, p)| !p.has_beaten() || p.age() > limit).map(|(n, _)| *n)
    }
}

/// A stage that takes longer than this for a pass is stuck, and the watchdog is not fed.
const STUCK: Duration = Duration::from_secs(60);
/// How long the stages have to finish what is in hand.
const DRAIN: Duration = Duration::from_secs(30);
/// Databases up to this size are checked before anything starts, in about a second; larger ones while it works.
const CHECKED_AT_ONCE: u64 = 256 << 20;
/// How long a database may take to be written anew before anything starts.
const SCRUB: Duration = Duration::from_secs(1800);
/// File events are gathered for this long before the rules are read.
const SETTLE: Duration = Duration::from_millis(300);

type Ended = (&'static str, Result<(), &'static str>);

/// The running daemon.
#[derive(Debug)]
pub struct Daemon {
    /// What all stages stand on.
    pub ground: Arc<Ground>,
    /// Where HTTP is served.
    pub address: Option<SocketAddr>,
    /// The stages' pulses.
    pub pulses: Pulses,
    /// What is not in order with the rules though they are in force.
    pub warnings: Vec<Fault>,
    stop: CancellationToken,
    tasks: JoinSet<Ended>,
    _watcher: Option<notify::RecommendedWatcher>,
    _lock: DataLock,
}

impl Daemon {
    /// Starts everything.
    ///
    /// # Errors
    /// Whatever keeps it from running; nothing runs then.
    pub async fn start(
        config: &Config,
        clock: Clock,
        metrics: Option<PrometheusHandle>,
    ) -> Result<Daemon, DaemonError> {
        let lock = DataLock::take(&config.data_dir)?;
        let store = Store::open(&config.database())?;
        let small = std::fs::metadata(config.database()).is_ok_and(|m| m.len() <= CHECKED_AT_ONCE);
        if small {
            store.check()?;
        }
        finish_erasures(&store)?;
        let (rules, broken) = rules_in_force(config, &store, clock.now())?;
        let mut warnings = broken.unwrap_or_else(|| rules.warnings.clone());
        if let Some(before) = reload::last_good(&store, clock.now())? {
            retopic(&store, &before, &rules, clock.now())?;
        }
        reload::keep_last_good(&store, &rules).await?;
        let named = sources::read_in_force(&config.sheet, &config.fetch.allow_private, &sought(&rules));
        let (named, unaimed) = named.map_err(DaemonError::Faults)?;
        warnings.extend(unaimed);
        let hooks = hooks_of(config, &named)?;
        let names = named.iter().map(|n| n.name.clone()).collect();
        // The list has just been read without a fault.
        let allow = sources::Allow::parse(&config.fetch.allow_private).unwrap_or_default();
        let limits = Limits { max_body: config.fetch.max_body, ..Limits::default() };
        let http = Http::new(&config.fetch.contact, limits).map_err(DaemonError::Client)?;
        let channels = channels_of(config)?;
        warnings.extend(rules.unreachable(|channel, to| channels.wrong(channel, to)));
        let publishers = channels.publishers();
        let tokens = serve::Tokens::fetch(&config.http.tokens)?;
        let listener = listen(config).await?;
        let address = listener.as_ref().and_then(|l| l.local_addr().ok());
        let letterhead = letterhead(config);
        let ground = Ground::new(store, clock, rules, letterhead)?;

        let stop = CancellationToken::new();
        let mut daemon = Daemon {
            ground: ground.clone(),
            address,
            pulses: Pulses(Vec::new()),
            warnings,
            stop,
            tasks: JoinSet::new(),
            _watcher: None,
            _lock: lock,
        };
        let bells = &ground.bells;
        let (min, max) = (config.fetch.min_interval, config.fetch.max_interval);
        daemon.spawn(Deliver::new(ground.clone(), channels), bells.deliver.clone());
        daemon.spawn(watch::Watch::new(ground.clone()), bells.watch.clone());
        daemon.spawn(index::Indexing::new(ground.clone(), config.index_dir()), bells.index.clone());
        let collect = collect::Collect::new(ground.clone(), http.clone(), named, min, max).aimed(reread(config));
        daemon.spawn(collect, bells.collect.clone());
        let nobody_rings = Arc::new(tokio::sync::Notify::new());
        let duty = Pulse::new();
        daemon.pulses.0.push(("escalation", duty.clone()));
        let auditor = auditor::Auditor::new(ground.clone(), http, config.heartbeat.clone(), allow, names, duty);
        daemon.spawn(auditor, nobody_rings.clone());
        daemon.spawn(digests::Digests::new(ground.clone()), nobody_rings.clone());
        daemon.spawn(tidy::Tidy::new(ground.clone(), config.retention.clone()), nobody_rings.clone());
        daemon.spawn(withdraw::Withdraw::new(ground.clone(), config.mail_dir()), nobody_rings);
        let rules_bell = Arc::new(tokio::sync::Notify::new());
        daemon.spawn(reload::Reload::new(ground.clone(), config.rules_dir.clone()), rules_bell.clone());
        daemon.watch_rules(&config.rules_dir, rules_bell);
        if let Some(listener) = listener {
            let served = Served {
                ground,
                tokens,
                publishers,
                pulses: daemon.pulses.0.clone(),
                metrics: metrics.clone(),
                index_dir: config.index_dir(),
                shelf: Arc::default(),
                wrong: Arc::default(),
                hooks,
                at_home: config.base_url.as_deref().is_none_or(is_home)
                    && !config.http.behind_proxy
                    && config.http.listen.is_none_or(|a| a.ip().is_loopback()),
            };
            let stop = daemon.stop.clone();
            daemon.tasks.spawn(async move {
                serve::run(listener, served, stop).await;
                ("serve", Ok(()))
            });
        }
        daemon.keep_watchdog(metrics);
        if !small {
            daemon.check_store();
        }
        Ok(daemon)
    }

    fn spawn<S: Stage + 'static>(&mut self, stage: S, bell: Arc<tokio::sync::Notify>) {
        let pulse = Pulse::new();
        self.pulses.0.push((S::NAME, pulse.clone()));
        let (clock, stop) = (self.ground.clock.clone(), self.stop.clone());
        self.tasks.spawn(async move { (S::NAME, stage::run(stage, clock, bell, pulse, stop).await) });
    }

    /// Rings when a file of the rules changes, and at SIGHUP.
    fn watch_rules(&mut self, dir: &Path, bell: Arc<tokio::sync::Notify>) {
        let (changed, changes) = tokio::sync::watch::channel(());
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|e| !e.kind.is_access()) {
                changed.send_replace(());
            }
        });
        match watcher {
            Ok(mut watcher) => match watcher.watch(dir, notify::RecursiveMode::Recursive) {
                Ok(()) => self._watcher = Some(watcher),
                Err(e) => tracing::warn!(error = %e, "the rules directory cannot be watched; SIGHUP still reloads it"),
            },
            Err(e) => tracing::warn!(error = %e, "files cannot be watched; SIGHUP still reloads the rules"),
        }
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            ring_on_change(changes, bell, stop).await;
            ("rules watcher", Ok(()))
        });
    }

    /// Checks a large database while it works already; one that is damaged ends the daemon.
    fn check_store(&mut self) {
        let store = self.ground.store.clone();
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let checked = tokio::task::spawn_blocking(move || store.check()).await;
            match checked {
                Ok(Err(e)) => {
                    tracing::error!(error = %e, "the database is damaged: restore the last backup");
                    ("store", Err("store"))
                }
                _ => {
                    stop.cancelled().await;
                    ("store", Ok(()))
                }
            }
        });
    }

    /// Feeds systemd's watchdog while every stage has ticked, and drains the metrics' histograms.
    fn keep_watchdog(&mut self, metrics: Option<PrometheusHandle>) {
        let (pulses, stop) = (self.pulses.clone(), self.stop.clone());
        let every = sd_notify::watchdog_enabled().map_or(Duration::from_secs(5), |d| d / 3).min(Duration::from_secs(5));
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return ("watchdog", Ok(())),
                    () = tokio::time::sleep(every) => {}
                }
                if let Some(metrics) = &metrics {
                    metrics.run_upkeep();
                }
                match pulses.stale(STUCK) {
                    None => tell_systemd(&[sd_notify::NotifyState::Watchdog]),
                    Some(stage) => tracing::error!(stage, "a stage is stuck; the watchdog is not fed"),
                }
            }
        });
    }

    /// Runs until `end`, or until a stage gives up; then stops taking in, and finishes what is in hand.
    ///
    /// # Errors
    /// When a stage gave up.
    pub async fn run_until(mut self, end: impl Future<Output = ()>) -> Result<(), DaemonError> {
        tell_systemd(&[sd_notify::NotifyState::Ready]);
        let mut verdict = Ok(());
        tokio::pin!(end);
        let store = self.ground.store.clone();
        tokio::select! {
            () = &mut end => {}
            failed = store.failed() => verdict = Err(failed.into()),
            ended = self.tasks.join_next() => {
                let name = match ended {
                    Some(Ok((name, _))) => name.to_owned(),
                    _ => "unknown".to_owned(),
                };
                verdict = Err(DaemonError::Stage(name));
            }
        }
        tell_systemd(&[sd_notify::NotifyState::Stopping]);
        self.stop.cancel();
        let drained = tokio::time::timeout(DRAIN, async { while self.tasks.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            tracing::warn!("some work did not finish in time; it goes on at the next start");
            self.tasks.abort_all();
        }
        verdict
    }
}

fn tell_systemd(states: &[sd_notify::NotifyState<'_>]) {
    // Without systemd there is nobody to tell.
    sd_notify::notify(states).ok();
}

async fn ring_on_change(
    mut changes: tokio::sync::watch::Receiver<()>,
    bell: Arc<tokio::sync::Notify>,
    stop: CancellationToken,
) {
    let hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
    let mut hangup = match hangup {
        Ok(h) => h,
        Err(e) => {
            tracing::warn!(error = %e, "SIGHUP cannot be heard");
            return stop.cancelled().await;
        }
    };
    let mut watching = true;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = changes.changed(), if watching => watching = changed.is_ok(),
            _ = hangup.recv() => {}
        }
        // An editor makes several events of one save; a storm of signals is one reload.
        tokio::time::sleep(SETTLE).await;
        changes.mark_unchanged();
        bell.notify_one();
    }
}

/// Writes the database anew where an erasure beside a running daemon could not: nothing waits for it yet.
fn finish_erasures(store: &Store) -> Result<(), StoreError> {
    let Some(last) = store.read(erasures::all)?.into_iter().rfind(|r| !r.database_done) else { return Ok(()) };
    tracing::info!(erasure = last.id, "the database is written anew, so that nothing of what was erased stays in it");
    let patience = u32::try_from(SCRUB.as_micros()).unwrap_or(u32::MAX);
    tell_systemd(&[sd_notify::NotifyState::ExtendTimeoutUsec(patience)]);
    match store.scrub(true, SCRUB) {
        Ok(true) => store.write_blocking(move |tx| erasures::scrubbed(tx, last.id)),
        Ok(false) => {
            tracing::warn!(erasure = last.id, "the database could not be written anew; it is tried at the next start");
            Ok(())
        }
        Err(e) => Err(e),
    }
}
