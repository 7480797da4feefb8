//! Tells on the terminal what happens while it happens: what was read, the level, incidents, mails.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::{Paint, safe};
use super::recording::Recording;
use crate::config::Config;
use crate::daemon::Daemon;
use crate::engine::acts::Act;
use crate::engine::detect::Kept;
use crate::ground::Ground;
use crate::ground::acts::Deed;
use crate::index::Searcher;
use crate::model::time::{Span, between};
use crate::model::{Incident, Severity, Status};
use crate::report::chart::sparkline;
use crate::store::mentions::about::{self, About};
use crate::store::{StoreError, Stored, counts, groups, incidents, mentions, outbox};

/// The brand of the recording, and the alert rule that watches it as a whole.
const BRAND: &str = "acme";
const WATCHER: &str = "brand-negative";
/// Somebody takes an incident this long after it opened.
const ANSWERED: Span = Span::mins(12);
/// When the recorded crisis begins.
const CRISIS: Span = Span::mins(1290);

pub(super) struct Story {
    ground: Arc<Ground>,
    start: Timestamp,
    paint: Paint,
    read: i64,
    hour: i64,
    known: Vec<Incident>,
    mailed: HashSet<i64>,
    mails: usize,
    quiet_told: HashSet<i64>,
}

impl Story {
    pub(super) fn new(ground: Arc<Ground>, start: Timestamp, paint: Paint) -> Story {
        Story {
            ground,
            start,
            paint,
            read: 0,
            hour: -1,
            known: Vec::new(),
            mailed: HashSet::new(),
            mails: 0,
            quiet_told: HashSet::new(),
        }
    }

    /// Whether anything rang.
    pub(super) fn rang(&self) -> bool {
        self.known.iter().any(|i| i.severity >= Severity::Escalate)
    }

    pub(super) fn begin(&self, recording: &Recording, dir: &Path) {
        let p = self.paint;
        say!("{}", p.bold("vakt demo: 36 hours of an invented brand, in a minute"));
        say!(
            "Acme makes household devices. {} recorded mentions in five languages come from three feeds and one push",
            recording.items.len()
        );
        say!(
            "source on this machine; the daemon is the real one, its clock runs fast. Mails go to {}.\n",
            dir.join("mail").display()
        );
    }

    fn stamp(&self, now: Timestamp) -> String {
        self.paint.dim(&now.strftime("%a %H:%M").to_string())
    }

    /// Says what is new at a minute.
    pub(super) async fn tell(&mut self, now: Timestamp, minute: i64) -> Stored<()> {
        let all = self.ground.store.read(|c| incidents::latest(c, 50))?;
        // What is only tried out is another story.
        for incident in all.into_iter().rev().filter(|i| !i.shadow) {
            self.incident(&incident, now);
        }
        self.messages()?;
        self.answer(now).await?;
        if minute / 60 != self.hour && minute % 60 == 0 {
            self.hour = minute / 60;
            self.hourly(now)?;
        }
        Ok(())
    }

    /// One line an hour: what was read, the level and the usual one.
    fn hourly(&mut self, now: Timestamp) -> Stored<()> {
        let to = now.as_millisecond() / 60_000;
        let (total, minutes, usual) = self.ground.store.read(|c| {
            let kept = groups::all(c)?.into_iter().find(|(alert, group, _)| alert == WATCHER && group == BRAND);
            let kept: Option<Kept> = kept.map(|(_, _, text)| serde_json::from_str(&text)).transpose()?;
            let usual = kept.map(|k| k.baseline.expected(now, Span::hours(1)));
            Ok((mentions::count(c)?, counts::between(c, BRAND, to - 720, to)?, usual))
        })?;
        let mut bars = [0u32; 48];
        let (mut level, mut negative) = (0, 0);
        for (minute, n) in &minutes {
            let slot = usize::try_from((minute - (to - 720)) / 15).unwrap_or(0);
            if let Some(bar) = bars.get_mut(slot) {
                *bar += n.mentions;
            }
            if *minute >= to - 60 {
                level += n.mentions;
                negative += n.negative;
            }
        }
        let share = 100 * negative / level.max(1);
        let usual_text = usual.map_or_else(|| "–".to_owned(), |u| format!("{u:.1}"));
        let new = total - self.read;
        self.read = total;
        say!(
            "{}  read {new:>3}   Acme {level:>3} an hour, usual {usual_text:>4}, {share:>2} % negative  {}",
            self.stamp(now),
            self.paint.dim(&sparkline(&bars))
        );
        self.quiet(now, level, usual.unwrap_or(0.0), negative)
    }

    /// Says why a crowd did not ring.
    fn quiet(&mut self, now: Timestamp, level: u32, usual: f64, negative: u32) -> Stored<()> {
        let crowd = f64::from(level) > 2.5 * usual && level > 15;
        let ringing = self.known.iter().any(|i| i.status != Status::Resolved);
        if !crowd || ringing || !self.quiet_told.insert(self.hour / 3) {
            return Ok(());
        }
        let (from, to) = ((now - Span::hours(1)).as_millisecond(), now.as_millisecond());
        let about = About::topics(&[BRAND.to_owned()], true);
        let found = self.ground.store.read(|c| about::latest(c, &about, from, to, 500))?;
        let copies = |story: i64| found.iter().filter(|m| m.story == story).count();
        let largest = found.iter().map(|m| copies(m.story)).max().unwrap_or(0);
        let why = if largest * 2 > found.len() {
            format!("{} mentions, but {largest} of them are copies of one story", found.len())
        } else {
            format!("{} mentions, but only {negative} of them negative", found.len())
        };
        say!("           {}", self.paint.good(&format!("a crowd that does not ring: {why}")));
        Ok(())
    }

    fn incident(&mut self, i: &Incident, now: Timestamp) {
        let before = self.known.iter().find(|k| k.id == i.id).cloned();
        let p = self.paint;
        let name = format!("incident {} · {} · {}", i.id, i.alert, i.group);
        match &before {
            None => {
                let s = &i.evidence.signals;
                say!("{}  {}", self.stamp(now), p.bad(&format!("● {} · {name}", i.severity.as_str().to_uppercase())));
                say!(
                    "           {} mentions where {:.1} are usual (surprise {:.1}), {:.0} % negative, {} authors, {} stories, {} languages",
                    s.mentions,
                    s.expected,
                    s.surprise,
                    s.negative_share * 100.0,
                    s.authors,
                    s.stories,
                    s.languages
                );
            }
            Some(b) if i.severity > b.severity => {
                say!(
                    "{}  {}",
                    self.stamp(now),
                    p.bad(&format!("▲ raised to {} · {name}", i.severity.as_str().to_uppercase()))
                );
                for (_, when) in &i.evidence.raised {
                    say!("           because {when}");
                }
            }
            Some(b) if i.status != b.status => {
                let by = i.ack.as_ref().map(|a| format!(" by {}", a.by)).unwrap_or_default();
                let word = match i.status {
                    Status::Open => p.bad("open again"),
                    Status::Acknowledged => p.good(&format!("acknowledged{by}")),
                    Status::Resolved => p.good("calm again: resolved"),
                };
                say!("{}  {} {word}", self.stamp(now), p.bold(&name));
            }
            Some(_) => {}
        }
        self.known.retain(|k| k.id != i.id);
        self.known.push(i.clone());
    }

    fn messages(&mut self) -> Stored<()> {
        let known: Vec<i64> = self.known.iter().map(|i| i.id).collect();
        for id in known {
            let all = self.ground.store.read(|c| outbox::of_incident(c, id))?;
            let seen = all.iter().filter(|m| m.done.is_some()).count();
            let told = self.mailed.iter().filter(|m| **m / 10_000 == id).count();
            for (n, m) in all.iter().filter(|m| m.done.is_some()).enumerate().skip(told) {
                self.mailed.insert(id * 10_000 + i64::try_from(n).unwrap_or(0));
                self.mails += 1;
                if n == told {
                    let more = match seen - told {
                        1 => String::new(),
                        n => self.paint.dim(&format!("  and {} more", n - 1)),
                    };
                    let at = m.done.map(|d| self.stamp(d)).unwrap_or_default();
                    say!("{at}    ✉ {:<12} {}{more}", m.person, safe(&m.subject, 110));
                }
            }
        }
        Ok(())
    }

    /// In the demo somebody answers: whoever was told first takes it, as `vakt incident ack` would.
    async fn answer(&self, now: Timestamp) -> Stored<()> {
        let waiting = self.known.iter().find(|i| i.status == Status::Open && between(i.opened, now) >= ANSWERED);
        let Some(before) = waiting.filter(|i| !i.told.is_empty()).cloned() else { return Ok(()) };
        let by = before.told.first().cloned().unwrap_or_default();
        let deed = Deed { incident: before.id, by, act: Act::Acknowledge, note: "I have it".into() };
        let ground = self.ground.clone();
        let acted = tokio::task::spawn_blocking(move || ground.act(&deed)).await;
        acted.map_err(|_| StoreError::Busy)??;
        Ok(())
    }

    /// Waits for the last mails and for the index, so that what is suggested next works.
    pub(super) async fn settle(&mut self, daemon: &Daemon, config: &Config) -> anyhow::Result<()> {
        let stored = self.ground.store.read(mentions::count)?;
        for _ in 0..300 {
            let waiting = self.ground.store.read(outbox::standing)?.waiting;
            let indexed = Searcher::open(&config.index_dir()).and_then(|s| s.count()).unwrap_or(0);
            if waiting == 0 && i64::try_from(indexed).unwrap_or(0) >= stored {
                break;
            }
            daemon.ground.bells.index.notify_one();
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        self.messages()?;
        Ok(())
    }

    pub(super) fn end(&self, dir: &Path, api: std::net::SocketAddr, stay: bool) {
        let p = self.paint;
        let worst = self.known.iter().max_by_key(|i| (i.severity, i.peak));
        let hours = between(self.start, self.ground.clock.now()).as_minutes() / 60.0;
        say!("\n{}", p.bold("That was it."));
        say!(
            "{} mentions in {hours:.0} hours, {} incidents, {} mails. {}",
            self.ground.store.read(mentions::count).unwrap_or(0),
            self.known.len(),
            self.mails,
            match self.known.iter().filter(|i| i.opened < self.start + CRISIS).count() {
                0 => "The launch and the copied wire story rang for nobody.".to_owned(),
                n => format!("{n} of the incidents rang before the crisis."),
            }
        );
        say!("\n{}", p.bold("What to try next"));
        let config = dir.join("vakt.toml");
        let config = config.display();
        say!("  vakt -c {config} search 'acme AND (fire OR brann OR incendio)' --sort reach");
        if let Some(i) = worst {
            say!("  vakt -c {config} incident show {}", i.id);
        }
        say!("  open a mail: {}/*.eml", dir.join("mail").display());
        say!("  vakt -c {config} incident list");
        say!("  change a rule in {} and check it: vakt -c {config} check", dir.join("rules").display());
        if stay {
            say!("\nStill running: http://{api}/incidents (Ctrl-C ends it)");
        }
        say!("  ({} stands for `cargo run --release --` in a checkout)", p.bold("vakt"));
    }
}
