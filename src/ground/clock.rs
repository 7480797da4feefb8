//! The one clock that the stages read: the machine's, or one that is stepped by hand for demos and tests.

use jiff::Timestamp;
use tokio::sync::watch;

use crate::model::time::{between, from_millis};

/// A clock.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's.
    System,
    /// One that stands still until it is stepped; its value is milliseconds since 1970.
    Stepped(watch::Sender<i64>),
}

impl Clock {
    /// A clock that stands at an instant.
    pub fn stepped(at: Timestamp) -> Clock {
        Clock::Stepped(watch::Sender::new(at.as_millisecond()))
    }

    /// The time.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::System => Timestamp::now(),
            Clock::Stepped(at) => from_millis(*at.borrow()),
        }
    }

    /// Moves a stepped clock; the machine's own cannot be moved.
    pub fn step_to(&self, to: Timestamp) {
        if let Clock::Stepped(at) = self {
            at.send_replace(to.as_millisecond());
        }
    }

    /// Waits until an instant of this clock.
    pub async fn sleep_until(&self, until: Timestamp) {
        match self {
            Clock::System => tokio::time::sleep(between(self.now(), until).to_std()).await,
            Clock::Stepped(at) => {
                let mut at = at.subscribe();
                // The sender lives as long as this clock.
                at.wait_for(|now| *now >= until.as_millisecond()).await.ok();
            }
        }
    }
}
