//! The auditor: looks at what should have happened, apart from those that were to do it, and only where all of it did
//! lets the watchdog be fed and somebody outside hear that vakt lives.
//!
//! A step of an escalation that is overdue, a message that no relay takes, a source that nobody asks: each has to stand
//! for a while of real time before it counts, so that neither a restart nor a machine that slept is taken for a fault.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Stage, operator};
use crate::config::Heartbeat;
use crate::ground::{Ground, Pulse};
use crate::model::Status;
use crate::model::people::MAIL;
use crate::model::time::{Span, between, from_millis};
use crate::sources::http::Request;
use crate::sources::{Allow, Http};
use crate::store::{Stored, audit, incidents, meta, outbox, sources};

/// Looks this often.
const EVERY: Span = Span::secs(20);
/// For how long something has to stand before it counts.
const STEP: Duration = Duration::from_secs(60);
const MESSAGE: Duration = Duration::from_secs(300);
const SOURCE: Duration = Duration::from_secs(600);
/// A channel that has taken nothing for so long is told of, and again after so long.
const STUCK: Span = Span::mins(5);
const TELL_AGAIN: Span = Span::hours(1);

/// When the heartbeat and the head of the log were mailed, and which line that was.
const MAILED: &str = "heartbeat_mailed";
const HEAD_MAILED: &str = "audit_mailed";
const HEAD: &str = "audit_mailed_line";

/// Something that should have happened, in words.
type Late = HashMap<String, (Instant, Duration)>;

/// The stage that looks at the others' work.
pub struct Auditor {
    ground: Arc<Ground>,
    http: Http,
    heartbeat: Option<Heartbeat>,
    /// What the heartbeat may reach besides public addresses.
    allow: Allow,
    /// Names of the sources in the settings.
    named: HashSet<String>,
    /// Beats while no step is overdue: the watchdog counts it among the stages' own.
    duty: Arc<Pulse>,
    late: Late,
    told: Vec<String>,
    sent: Option<Instant>,
    /// Channels that take nothing, and when the operator was last told so.
    stuck: HashMap<String, Timestamp>,
}

impl Stage for Auditor {
    const NAME: &'static str = "auditor";

    async fn pass(&mut self, now: Timestamp) -> Timestamp {
        match self.look(now) {
            Ok(found) => {
                self.judge(found, now).await;
                if let Err(e) = self.ground.links.refresh(&self.ground.store, now) {
                    tracing::warn!(stage = "auditor", error = %e, "the keys of links cannot be read");
                }
                if let Err(e) = self.mail_head(now).await {
                    tracing::warn!(stage = "auditor", error = %e, "the head of the log cannot be mailed");
                }
            }
            Err(e) => tracing::error!(stage = "auditor", error = %e, "the store cannot be read"),
        }
        if let Err(e) = self.tell_stuck(now).await {
            tracing::error!(stage = "auditor", error = %e, "nobody can be told of channels that take nothing");
        }
        now + EVERY
    }
}

impl Auditor {
    /// The stage over a ground; `duty` beats while nobody waits for a step that is overdue.
    pub fn new(
        ground: Arc<Ground>,
        http: Http,
        heartbeat: Option<Heartbeat>,
        allow: Allow,
        named: HashSet<String>,
        duty: Arc<Pulse>,
    ) -> Auditor {
        Auditor {
            ground,
            http,
            heartbeat,
            allow,
            named,
            duty,
            late: Late::new(),
            told: Vec::new(),
            sent: None,
            stuck: HashMap::new(),
        }
    }

    /// All that is late at this moment, each with how long it has to stand.
    fn look(&self, now: Timestamp) -> Stored<Vec<(String, Duration)>> {
        let at = now.as_millisecond();
        let (live, stuck, waiting) =
            self.ground.store.read(|c| Ok((incidents::live(c, now)?, outbox::stuck(c, now)?, sources::due(c, at)?)))?;
        let mut out = Vec::new();
        for i in live.iter().filter(|i| i.status == Status::Open && !i.is_hushed()) {
            if let Some(due) = i.next_step.filter(|due| *due <= now) {
                out.push((format!("the step of incident {} that was due at {due:.0} is not taken", i.id), STEP));
            }
        }
        // Other channels have their own line to the operator; without mail nobody is told with the evidence.
        if let Some(mail) = stuck.iter().find(|s| s.channel == MAIL) {
            out.push((format!("a message of {:.0} is not taken by any relay", mail.oldest), MESSAGE));
        }
        for (name, due) in waiting.iter().filter(|(name, _)| self.named.contains(name)) {
            out.push((format!("{name}, which was due at {:.0}, is not asked", from_millis(*due)), SOURCE));
        }
        Ok(out)
    }

    async fn judge(&mut self, found: Vec<(String, Duration)>, now: Timestamp) {
        let since = std::mem::take(&mut self.late);
        for (what, limit) in found {
            let begun = since.get(&what).map_or_else(Instant::now, |(begun, _)| *begun);
            self.late.insert(what, (begun, limit));
        }
        let mut faults: Vec<String> = Vec::new();
        let mut duty = true;
        for (what, (begun, limit)) in &self.late {
            if begun.elapsed() >= *limit {
                duty &= *limit != STEP;
                faults.push(what.clone());
            }
        }
        faults.sort_unstable();
        metrics::gauge!("vakt_audit_faults").set(faults.len() as f64);
        for fault in faults.iter().filter(|f| !self.told.contains(f)) {
            tracing::error!(stage = "auditor", fault, "something that should have happened has not");
        }
        if duty {
            self.duty.beat(now);
        }
        if faults.is_empty() {
            self.send_heartbeat(now).await;
        }
        self.told = faults;
    }

    /// Tells the operator of channels that take nothing, by the other ways; of each once an hour.
    async fn tell_stuck(&mut self, now: Timestamp) -> Stored<()> {
        let stuck = self.ground.store.read(|c| outbox::stuck(c, now))?;
        self.stuck.retain(|channel, at| stuck.iter().any(|s| s.channel == *channel) || between(*at, now) < TELL_AGAIN);
        for one in stuck.iter().filter(|s| !s.error.is_empty() && between(s.oldest, now) >= STUCK) {
            if self.stuck.get(&one.channel).is_none_or(|at| between(*at, now) >= TELL_AGAIN) {
                operator::stuck(&self.ground, one, now).await?;
                self.stuck.insert(one.channel.clone(), now);
            }
        }
        Ok(())
    }

    /// Tells somebody outside that all is well; once that no longer comes, they know.
    async fn send_heartbeat(&mut self, now: Timestamp) {
        let Some(heartbeat) = self.heartbeat.clone() else { return };
        let due = |last: Option<Instant>, every: Span| last.is_none_or(|at| at.elapsed() >= every.to_std());
        if let Some(url) = heartbeat.url.as_deref().filter(|_| due(self.sent, heartbeat.every)) {
            let request = Request::of(url, &self.allow);
            match self.http.get(request, now).await {
                Ok(_) => self.sent = Some(Instant::now()),
                Err(e) => tracing::warn!(error = %e, "the heartbeat is not heard"),
            }
        }
        if let Some(address) = heartbeat.mail.as_deref()
            && let Err(e) = self.mail_heartbeat(address, heartbeat.mail_every, now).await
        {
            tracing::warn!(error = %e, "the heartbeat cannot be mailed");
        }
    }

    async fn mail_heartbeat(&self, address: &str, every: Span, now: Timestamp) -> Stored<()> {
        if self.is_due(MAILED, every, now)? {
            operator::heartbeat(&self.ground, address, now).await?;
            self.done(MAILED, now).await?;
        }
        Ok(())
    }

    /// Mails the head of the log once a day, where it has grown; for the first time after a day.
    async fn mail_head(&self, now: Timestamp) -> Stored<()> {
        if self.ground.store.read(|c| meta::number(c, HEAD_MAILED))?.is_none() {
            return self.done(HEAD_MAILED, now).await;
        }
        if !self.is_due(HEAD_MAILED, Span::days(1), now)? {
            return Ok(());
        }
        let (head, before) = self.ground.store.read(|c| Ok((audit::head(c)?, meta::number(c, HEAD)?)))?;
        let Some(head) = head.filter(|h| Some(h.id) != before) else { return Ok(()) };
        operator::log_head(&self.ground, &head, now).await?;
        self.ground.store.write(move |tx| meta::set(tx, HEAD, &head.id.to_string())).await?;
        self.done(HEAD_MAILED, now).await
    }

    /// Whether something was not done for so long. It is kept, so that no restart does it again.
    fn is_due(&self, what: &'static str, every: Span, now: Timestamp) -> Stored<bool> {
        let last = self.ground.store.read(|c| meta::number(c, what))?.map(from_millis);
        // A clock that was set back is no reason to wait for ever.
        Ok(last.is_none_or(|last| between(last, now) >= every || last > now))
    }

    async fn done(&self, what: &'static str, now: Timestamp) -> Stored<()> {
        self.ground.store.write(move |tx| meta::set(tx, what, &now.as_millisecond().to_string())).await
    }
}

#[cfg(test)]
mod tests;
