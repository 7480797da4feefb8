//! The outbox → relays and other channels. A message leaves it only when one of them has taken it.
//!
//! Each channel has a lane of its own: one that is slow holds up its own messages and nobody else's.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;

use super::Stage;
use crate::channels::short::Short;
use crate::channels::{Channels, Outcome, Parcel, folder};
use crate::ground::Ground;
use crate::model::people::{MAIL, PUBLISHING};
use crate::model::time::Span;
use crate::store::Stored;
use crate::store::outbox::{self, Message};

/// Messages under way at once by one channel, and how many of those are kept free for urgent ones (F81).
const AT_ONCE: usize = 8;
const RESERVED: usize = 2;
/// Waits after a try that failed: the n-th, then the last of them for ever (F20).
const WAITS: [Span; 6] =
    [Span::secs(15), Span::secs(30), Span::secs(60), Span::secs(120), Span::secs(240), Span::secs(300)];
/// Real time that one pass waits for relays before it looks for other due messages.
const PATIENCE: Duration = Duration::from_millis(250);
/// Another process, such as `vakt incident ack`, rings no bell: the outbox is looked at this often.
const IDLE: Span = Span::secs(1);
/// Whoever asks for less patience than this is given so much.
const SOON: Span = Span::secs(1);
/// What relays have left once vakt stops; messages that they have not taken by then stay in the outbox.
const LAST_CALL: Duration = Duration::from_secs(8);

/// The stage that delivers.
pub struct Deliver {
    ground: Arc<Ground>,
    channels: Arc<Channels>,
    flying: FuturesUnordered<BoxFuture<'static, (Message, Outcome)>>,
    /// Of each channel, the messages under way by it, and whether each is urgent.
    airborne: HashMap<String, HashMap<i64, bool>>,
    /// What became of messages and could not be kept: nothing is sent until it is, or they would be sent again.
    unkept: Vec<(Message, Outcome)>,
    stopping: bool,
}

impl Stage for Deliver {
    const NAME: &'static str = "deliver";

    async fn pass(&mut self, now: Timestamp) -> Timestamp {
        if let Err(e) = self.keep(now).await {
            tracing::error!(stage = "deliver", error = %e, "what became of messages cannot be kept; nothing is sent until it is");
            return now + Span::secs(2);
        }
        if let Err(e) = self.launch(now) {
            tracing::error!(stage = "deliver", error = %e, "the outbox cannot be read");
            return now + Span::secs(5);
        }
        self.land(PATIENCE).await;
        if !self.flying.is_empty() {
            return now;
        }
        let next = self.ground.store.read(outbox::next_due).ok().flatten();
        next.map_or(now + IDLE, |due| due.min(now + IDLE))
    }

    /// Waits for what is under way; the rest stays in the outbox (F13).
    async fn close(&mut self) {
        self.stopping = true;
        self.land(LAST_CALL).await;
        if let Err(e) = self.keep(self.ground.clock.now()).await {
            // Those messages stay due: sent again after the start, with the same Message-ID and the same bytes.
            tracing::error!(stage = "deliver", error = %e, "what became of messages cannot be kept");
        }
    }
}

impl Deliver {
    /// The stage over a ground.
    pub fn new(ground: Arc<Ground>, channels: Channels) -> Deliver {
        Deliver {
            ground,
            channels: Arc::new(channels),
            flying: FuturesUnordered::new(),
            airborne: HashMap::new(),
            unkept: Vec::new(),
            stopping: false,
        }
    }

    fn launch(&mut self, now: Timestamp) -> Stored<()> {
        let waiting = self.ground.store.read(|c| outbox::due_channels(c, now))?;
        for channel in waiting {
            let airborne = self.airborne.entry(channel.clone()).or_default();
            let mut free = AT_ONCE.saturating_sub(airborne.len());
            if free == 0 {
                continue;
            }
            let lesser = airborne.values().filter(|urgent| !**urgent).count();
            let mut free_for_lesser = (AT_ONCE - RESERVED).saturating_sub(lesser);
            // Those under way are still due in the store, so so many more are read.
            let limit = u32::try_from(free + airborne.len()).unwrap_or(u32::MAX);
            let mut due = self.ground.store.read(|c| outbox::due(c, &channel, now, limit))?;
            due.retain(|m| !airborne.contains_key(&m.id));
            for message in due {
                let room = if message.by.urgent { free } else { free.min(free_for_lesser) };
                if room == 0 {
                    break;
                }
                free -= 1;
                free_for_lesser = free_for_lesser.saturating_sub(usize::from(!message.by.urgent));
                airborne.insert(message.id, message.by.urgent);
                let channels = self.channels.clone();
                self.flying.push(Box::pin(async move {
                    // A fault of ours is a try that failed, and never the end of the message.
                    let tried = AssertUnwindSafe(send(&channels, &message, now)).catch_unwind().await;
                    let outcome = tried.unwrap_or_else(|_| Outcome::later("a fault of vakt's own; its log has more"));
                    (message, outcome)
                }));
            }
        }
        Ok(())
    }

    async fn land(&mut self, patience: Duration) {
        let enough = tokio::time::sleep(patience);
        tokio::pin!(enough);
        loop {
            tokio::select! {
                done = self.flying.next() => match done {
                    Some((message, outcome)) => {
                        let now = self.ground.clock.now();
                        self.unkept.push((message, outcome));
                        let kept = self.keep(now).await;
                        if let Err(e) = &kept {
                            tracing::error!(stage = "deliver", error = %e, "what became of a message cannot be kept");
                        }
                        if !self.stopping && (kept.is_err() || self.launch(now).is_err()) {
                            return;
                        }
                    }
                    None => return,
                },
                () = &mut enough => return,
            }
        }
    }

    /// Keeps what became of messages; those whose fate cannot be kept stay on the list, and are not sent again.
    async fn keep(&mut self, now: Timestamp) -> Stored<()> {
        while let Some((message, outcome)) = self.unkept.last().cloned() {
            let (id, channel) = (message.id, message.by.channel.clone());
            self.settle(message, outcome, now).await?;
            if let Some(lane) = self.airborne.get_mut(&channel) {
                lane.remove(&id);
            }
            self.airborne.retain(|_, lane| !lane.is_empty());
            self.unkept.pop();
        }
        Ok(())
    }

    async fn settle(&mut self, message: Message, outcome: Outcome, now: Timestamp) -> Stored<()> {
        let id = message.id;
        let (person, incident) = (message.person.as_str(), message.incident.unwrap_or(0));
        let channel = message.by.channel.as_str();
        match outcome {
            Outcome::Taken(relay) => {
                count(channel, "delivered");
                tracing::info!(person, incident, channel, relay, subject = message.subject, "delivered");
                let stands = self.ground.store.write(move |tx| {
                    outbox::delivered(tx, id, &relay, now)?;
                    outbox::stands(tx, id)
                });
                let stands = stands.await?;
                mind_the_folder(&self.channels, &message, stands.map(|s| s.body));
                Ok(())
            }
            Outcome::Later { why, wait } => {
                let tries = usize::try_from(message.attempts).unwrap_or(usize::MAX);
                let usual = WAITS.get(tries).or(WAITS.last()).copied().unwrap_or(IDLE);
                let wait = jitter(wait.map_or(usual, |asked| asked.max(SOON)), id, message.attempts);
                count(channel, "later");
                tracing::warn!(person, incident, channel, error = why, wait = %wait, "a message was not taken; it is tried again");
                self.ground.store.write(move |tx| outbox::later(tx, id, &why, now + wait)).await
            }
            Outcome::Never(why) => {
                count(channel, "failed");
                tracing::error!(person, incident, channel, error = why, "a message is refused for good");
                self.fail(message, why, now).await
            }
        }
    }

    /// The person's next way is due at once; where there is none, the incident's next step is (F21).
    async fn fail(&mut self, message: Message, why: String, now: Timestamp) -> Stored<()> {
        let watch = self.ground.bells.watch.clone();
        let hand_over = self.ground.hand_over_of(&message)?;
        self.ground
            .store
            .write(move |tx| {
                outbox::failed(tx, message.id, &why, now)?;
                if let Some(hand_over) = &hand_over {
                    return hand_over.carry_out(tx, &message, now);
                }
                // No person waits for what the publishing tool refuses.
                let Some(number) = message.incident.filter(|_| message.person != PUBLISHING) else { return Ok(()) };
                if outbox::goes_otherwise(tx, &message)? {
                    return Ok(());
                }
                if let Some(mut incident) = crate::store::incidents::get(tx, number)?
                    && incident.snoozed.is_none()
                    && incident.next_step.is_some_and(|due| due > now)
                {
                    incident.next_step = Some(now);
                    crate::store::incidents::update(tx, &incident)?;
                    crate::store::incidents::note(tx, number, now, "vakt", "unreachable", &message.person)?;
                }
                Ok(())
            })
            .await?;
        watch.notify_one();
        Ok(())
    }
}

fn count(channel: &str, outcome: &'static str) {
    metrics::counter!("vakt_messages_total", "channel" => channel.to_owned(), "outcome" => outcome).increment(1);
}

/// Up to a tenth longer, so that what was refused together does not come back together (F20).
fn jitter(wait: Span, id: i64, attempts: u32) -> Span {
    let hash = i64::from(xxhash_rust::xxh3::xxh3_64(format!("{id} {attempts}").as_bytes()) as u32);
    Span::millis(wait.as_millis() + hash % (wait.as_millis() / 10).max(1))
}

/// A mail in the folder says what the outbox says: somebody it quotes may have been erased while it was written.
fn mind_the_folder(channels: &Channels, message: &Message, stands: Option<Vec<u8>>) {
    let Some(dir) = channels.folder().filter(|_| message.by.channel == MAIL) else { return };
    let Some(body) = stands.filter(|body| *body != message.body) else { return };
    if let Err(e) = folder::drop_mail(dir, &file_name(message), &body) {
        tracing::error!(stage = "deliver", error = %e, "a mail in the folder still quotes what was erased");
    }
}

fn file_name(message: &Message) -> String {
    format!("{}-{}", message.created.strftime("%Y%m%dT%H%M%S"), message.message_id)
}

/// Sends one message once.
pub async fn send(channels: &Channels, message: &Message, now: Timestamp) -> Outcome {
    if message.by.channel == MAIL {
        return channels.mail(&file_name(message), &message.address, &message.body).await;
    }
    match Short::read(&message.body) {
        Some(short) => {
            let parcel = Parcel { id: &message.message_id, to: &message.address, short: &short };
            channels.tell(&message.by.channel, parcel, now).await
        }
        None => Outcome::Never("the outbox holds no short text for it".into()),
    }
}

#[cfg(test)]
mod tests;
