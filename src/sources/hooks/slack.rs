//! Slack calls: messages in channels that an app of yours is a member of, by the Events API.
//!
//! Follows <https://docs.slack.dev/apis/events-api> and `/authentication/verifying-requests-from-slack`: `v0=` and the HMAC of
//! `v0:TIME:BODY`, which is no older than five minutes; the address proves itself by a challenge; a call that is not answered
//! within three seconds comes again, up to three times, with the same `event_id`.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::{Call, Hook, Kind, Refusal, Told, json, signature};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::model::time::{Span, between, from_millis};
use crate::sources::told::Told as _;
use crate::sources::{settings, slack};

pub(super) const KIND: Kind = Kind {
    name: "slack",
    about: "Slack's Events API: messages the moment that they are written",
    manual: r#"[[hook]]
kind = "slack"
name = "slack-events"                 # Slack's Request URL is https://vakt.example.org/hooks/slack-events
secret = { credential = "slack-signing" }   # the app's signing secret
workspace = "https://acme-users.slack.com"   # for the addresses of messages
channels = ["C0123456789"]            # ids of channels to listen to; all that the app is in where this is not told.
                                      # Subscribe the bot to message.channels (message.groups for closed ones)"#,
    read,
};

/// A signature older than this may have been overheard.
const OLDEST: Span = Span::mins(5);

struct Slack {
    secret: SecretRef,
    workspace: Url,
    channels: Vec<String>,
}

fn read(form: &Form<'_>) -> Option<Box<dyn Hook>> {
    let secret = settings::must_secret(form, "secret");
    let workspace = settings::address(form, "workspace", "");
    let channels = settings::words(form, "channels");
    Some(Box::new(Slack { secret: secret?, workspace: workspace?, channels }))
}

impl Hook for Slack {
    fn take(&self, call: &Call<'_>, now: Timestamp) -> Result<Told, Refusal> {
        let said = (call.header)("x-slack-signature").unwrap_or_default();
        let said = said.strip_prefix("v0=").ok_or(Refusal::Forged("X-Slack-Signature is missing"))?;
        let time = (call.header)("x-slack-request-timestamp").unwrap_or_default();
        let seconds: i64 = time.parse().map_err(|_| Refusal::Forged("X-Slack-Request-Timestamp is missing"))?;
        signature::check(&self.secret, &[b"v0:", time.as_bytes(), b":", call.body], said)?;
        let at = from_millis(seconds.saturating_mul(1000));
        if between(at, now) > OLDEST || between(now, at) > OLDEST {
            return Err(Refusal::Forged("the call is older than five minutes, or the clock of one of us is wrong"));
        }
        let body = json(call.body)?;
        let mut told = Told::default();
        match body.text("/type") {
            "url_verification" => body.text("/challenge").clone_into(&mut told.reply),
            "event_callback" => {
                told.event = Some(body.text("/event_id").to_owned());
                let event = body.pointer("/event").unwrap_or(&Value::Null);
                let channel = event.text("/channel");
                let wanted = self.channels.is_empty() || self.channels.iter().any(|c| c == channel);
                let message = match (event.text("/type"), event.text("/subtype")) {
                    ("message", "message_changed") => event.pointer("/message"),
                    ("message" | "app_mention", _) => Some(event),
                    _ => None,
                };
                if let Some(message) = message.filter(|_| wanted && !channel.is_empty()) {
                    match deleted(event, message) {
                        Some(ts) => told.take_back(slack::id(channel, ts)),
                        None => told.add(slack::message(&self.workspace, channel, message)),
                    }
                }
            }
            _ => {}
        }
        Ok(told)
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        vec![&self.secret]
    }
}

/// The number of a message that was deleted; where others have replied to it, a tombstone takes its place.
fn deleted<'a>(event: &'a Value, message: &'a Value) -> Option<&'a str> {
    let ts = match (event.text("/subtype"), message.text("/subtype")) {
        ("message_deleted", _) => event.text("/deleted_ts"),
        (_, "tombstone") => message.text("/ts"),
        _ => return None,
    };
    Some(ts).filter(|ts| !ts.is_empty())
}
