//! Hubs of feeds: subscribed to and renewed, and what they deliver read as the feed itself is.

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;

use super::Collect;
use super::settle::was_away;
use crate::ground::intake::{self, Batch};
use crate::model::time::{Span, between, from_millis};
use crate::sources::http::{Body, Request, Response};
use crate::sources::{FetchError, Named};
use crate::store::subscriptions::{self, Delivery, Subscription};
use crate::store::{Stored, sources};

/// How often subscriptions are looked at.
const LOOK: Span = Span::secs(5);
/// A hub that has not answered is asked again after so long, and one that refused after longer.
const PATIENCE: Span = Span::mins(5);
const REFUSED: Span = Span::hours(1);
/// How long a hub is asked to tell, and the last part of it in which that is renewed: a third, a day at most.
const LEASE: Span = Span::days(7);
const RENEW: Span = Span::hours(24);
/// While a hub tells what is new, asking is a net below it.
const NET: Span = Span::hours(1);
/// Deliveries read in one pass.
const MOST_READ: usize = 20;

type Answer = (usize, Result<Response, FetchError>);

/// Hubs being asked.
#[derive(Default)]
pub(super) struct Hubs {
    flying: FuturesUnordered<BoxFuture<'static, Answer>>,
    due: Option<Timestamp>,
}

impl Hubs {
    pub(super) fn is_idle(&self) -> bool {
        self.flying.is_empty()
    }

    pub(super) async fn next(&mut self) -> Option<Answer> {
        self.flying.next().await
    }
}

/// Whether a hub is to be asked to tell, for the first time or on.
fn is_due(s: &Subscription, now: Timestamp) -> bool {
    let since = between(from_millis(s.asked), now);
    let lease = Span::millis(s.until.saturating_sub(s.asked).max(0));
    let left = Span::millis(s.until.saturating_sub(now.as_millisecond()));
    let margin = Span::millis(lease.as_millis() / 3).min(RENEW);
    match s.until > 0 && left > margin {
        true => false,
        false if !s.error.is_empty() => since >= REFUSED || since < Span::ZERO,
        false => since >= PATIENCE.min(margin.max(LOOK)) || since < Span::ZERO,
    }
}

impl Collect {
    /// How seldom a source may be asked because its hub tells what is new.
    pub(super) fn net_of_hub(&self, source: &Named, now: Timestamp) -> Option<Span> {
        if !source.source.wants_hub() {
            return None;
        }
        let told = self.ground.store.read(|c| subscriptions::of_source(c, &source.name)).ok().flatten()?;
        (told.until > now.as_millisecond() && told.error.is_empty()).then_some(NET)
    }

    /// Subscribes to the hubs that feeds name, and renews what is about to end.
    pub(super) async fn ask_hubs(&mut self, now: Timestamp) {
        if self.hubs.due.is_some_and(|due| due > now && due <= now + LOOK) || !self.hubs.is_idle() {
            return;
        }
        self.hubs.due = Some(now + LOOK);
        if let Err(e) = self.end_subscriptions().await {
            tracing::error!(stage = "collect", error = %e, "a subscription that nobody wants cannot be ended");
        }
        for i in 0..self.sources.len() {
            if let Err(e) = self.ask_hub(i, now).await {
                tracing::error!(stage = "collect", error = %e, "a subscription cannot be kept");
            }
        }
    }

    /// Ends what no source wants any more; its hub learns of it when it next delivers.
    async fn end_subscriptions(&mut self) -> Stored<()> {
        for name in self.ground.store.read(subscriptions::sources)? {
            if self.sources.iter().any(|s| s.name == name && s.source.wants_hub()) {
                continue;
            }
            tracing::info!(source = name, "the hub need not tell any more");
            self.ground.store.write(move |tx| subscriptions::end(tx, &name)).await?;
        }
        Ok(())
    }

    async fn ask_hub(&mut self, i: usize, now: Timestamp) -> Stored<()> {
        let Some(source) = self.sources.get(i).filter(|s| s.source.wants_hub()).cloned() else { return Ok(()) };
        let Some(state) = self.states.get(&i).filter(|s| s.begun) else { return Ok(()) };
        let (Some(hub), Some(base)) = (source.source.hub(&state.cursor), self.ground.house.base_url.clone()) else {
            return Ok(());
        };
        let name = source.name.clone();
        let known = self.ground.store.read(|c| subscriptions::of_source(c, &name))?;
        if known.is_some_and(|s| s.hub == hub.hub && s.topic == hub.topic && !is_due(&s, now)) {
            return Ok(());
        }
        let at = (hub.hub.clone(), hub.topic.clone());
        // Before it is asked: it may ask back before it answers.
        let begun = self.ground.store.write(move |tx| {
            let Some(begun) = subscriptions::begin(tx, &name, &at.0, &at.1)? else { return Ok(None) };
            let begun = Subscription { asked: now.as_millisecond(), error: String::new(), ..begun };
            subscriptions::keep(tx, &begun)?;
            Ok(Some(begun))
        });
        let Some(begun) = begun.await? else { return Ok(()) };
        tracing::info!(
            source = source.name,
            hub = crate::sources::http::place_of(&hub.hub),
            "asks the hub to tell what is new"
        );
        let seconds = (LEASE.as_millis() / 1000).to_string();
        let callback = format!("{}/websub/{}", base.trim_end_matches('/'), begun.token);
        let fields: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("hub.mode", "subscribe"),
                ("hub.topic", &hub.topic),
                ("hub.callback", &callback),
                ("hub.secret", &begun.secret),
                ("hub.lease_seconds", &seconds),
            ])
            .finish();
        let http = self.http.clone();
        self.hubs.flying.push(Box::pin(async move {
            let answer = http.post(Request::of(&hub.hub, &hub.allow), Body::Form(&fields), now).await;
            (i, answer)
        }));
        Ok(())
    }

    /// What a hub answers; that it tells from now on it says by asking back.
    pub(super) async fn hub_answered(&mut self, i: usize, answer: Result<Response, FetchError>) {
        let (Some(source), Err(e)) = (self.sources.get(i), answer) else { return };
        tracing::warn!(source = source.name, error = %e, "the hub does not tell what is new; the feed is asked as before");
        let (name, error) = (source.name.clone(), e.to_string());
        let kept = self.ground.store.write(move |tx| {
            let Some(known) = subscriptions::of_source(tx, &name)? else { return Ok(()) };
            subscriptions::keep(tx, &Subscription { error, ..known })
        });
        if let Err(e) = kept.await {
            tracing::error!(stage = "collect", error = %e, "a subscription cannot be kept");
        }
    }

    /// Reads what hubs have delivered.
    pub(super) async fn read_deliveries(&mut self, now: Timestamp) {
        if self.full {
            return;
        }
        for _ in 0..MOST_READ {
            let read = match self.ground.store.read(subscriptions::first) {
                Ok(None) => return,
                Ok(Some(delivery)) => self.read_delivery(delivery, now).await,
                Err(e) => Err(e),
            };
            if let Err(e) = read {
                tracing::error!(stage = "collect", error = %e, "what a hub delivered cannot be stored; it is tried again");
                return;
            }
        }
    }

    async fn read_delivery(&mut self, delivery: Delivery, now: Timestamp) -> Stored<()> {
        let id = delivery.id;
        let place = self.sources.iter().position(|s| s.name == delivery.source && s.source.wants_hub());
        let known = place.and_then(|i| Some((i, self.sources.get(i)?.clone(), self.states.get(&i)?.clone())));
        let Some((i, source, mut state)) = known else {
            return self.ground.store.write(move |tx| subscriptions::done(tx, id)).await;
        };
        let brought = match source.source.delivered(&state.cursor, &delivery.media, delivery.body).await {
            Ok(brought) => brought,
            Err(e) => {
                tracing::warn!(source = source.name, error = %e, "what its hub delivered cannot be read");
                // The feed itself is asked.
                state.due = now.as_millisecond();
                self.states.insert(i, state);
                return self.ground.store.write(move |tx| subscriptions::done(tx, id)).await;
            }
        };
        let batch = Batch {
            source: source.name.clone(),
            captures: brought.captures,
            history: false,
            undated_is_old: was_away(&state, now),
            archive: false,
        };
        state.cursor = brought.cursor;
        state.skipped += brought.skipped_total as u64;
        let name = source.name.clone();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let receipt = intake::accept(&self.ground, batch, now, move |tx, receipt| {
            if receipt.new + receipt.edited > 0 {
                state.note_new(now.as_millisecond(), receipt.new as u64);
            }
            sources::put(tx, &name, &state)?;
            subscriptions::done(tx, id)?;
            // The receiver waits in this very function.
            sender.send(state).ok();
            Ok(())
        })
        .await?;
        self.states.insert(i, receiver.await.map_err(|_| crate::store::StoreError::Closed)?);
        metrics::counter!("vakt_mentions_total", "source" => source.name.clone()).increment(receipt.new as u64);
        tracing::info!(source = source.name, new = receipt.new, edited = receipt.edited, "told by the hub");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_are_renewed_in_time_and_hubs_that_refuse_are_left_alone() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        let ms = |t: Timestamp| t.as_millisecond();
        let asked = |ago: Span, left: Span, error: &str| Subscription {
            asked: ms(now - ago),
            until: if left == Span::ZERO { 0 } else { ms(now + left) },
            error: error.into(),
            ..Subscription::default()
        };
        assert!(is_due(&Subscription::default(), now));
        assert!(
            !is_due(&asked(Span::secs(2), Span::ZERO, ""), now) && is_due(&asked(Span::mins(6), Span::ZERO, ""), now)
        );
        assert!(!is_due(&asked(Span::days(2), Span::days(5), ""), now));
        assert!(is_due(&asked(Span::days(6), Span::hours(23), ""), now));
        assert!(
            !is_due(&asked(Span::mins(6), Span::ZERO, "no"), now)
                && is_due(&asked(Span::hours(2), Span::ZERO, "no"), now)
        );
        assert!(is_due(&asked(Span::secs(-60), Span::ZERO, ""), now), "a clock that went back puts nothing off");
    }
}
