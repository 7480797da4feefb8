//! Slack and Mattermost: incoming webhooks ("Sending messages using incoming webhooks" of docs.slack.dev, and "Incoming
//! webhooks" of docs.mattermost.com 11, which takes the same).

use jiff::Timestamp;
use serde_json::json;

use super::{Channel, Kind, Means, Outcome, Parcel, Sending, To, hook};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::net::Allow;

pub(super) const KIND: Kind = Kind {
    name: "slack",
    about: "rooms of Slack or Mattermost, by an incoming webhook",
    manual: r#"[[channel]]
kind = "slack"
name = "pr-room"
webhook = { credential = "slack-pr" }  # the address that Slack or Mattermost gave is the secret
allow_private = ["10.0.0.0/8"]         # for a Mattermost within the house
# `to` may stay out. Mattermost takes another room or "@name" there, where the webhook is not locked to its own."#,
    to: Some(To { what: "a room such as `pr` or a person such as `@sara`", needed: false, fits: is_room }),
    closes: false,
    read,
};

fn is_room(to: &str) -> bool {
    to.len() <= 80 && to.bytes().all(|b| b.is_ascii_graphic() && !b"<>&\"".contains(&b))
}

struct Slack {
    webhook: SecretRef,
    allow: Allow,
}

fn read(form: &Form<'_>, allow_private: &[String]) -> Option<Box<dyn Channel>> {
    let (webhook, allow) = (super::secret(form, "webhook", true), super::allow(form, allow_private));
    Some(Box::new(Slack { webhook: webhook?, allow }))
}

/// What a webhook takes as text: these three begin mentions and links with Slack; with Mattermost an `@` does as well.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "@\u{200b}")
}

impl Slack {
    async fn post(&self, means: &Means, parcel: Parcel<'_>, now: Timestamp) -> Result<Outcome, Outcome> {
        let url = hook::secret_address(&self.webhook)?;
        let mut body = json!({ "text": escaped(&parcel.short.plain(false)) });
        if let Some(body) = body.as_object_mut().filter(|_| !parcel.to.is_empty()) {
            body.insert("channel".into(), json!(parcel.to));
        }
        let answer = hook::send(means, hook::json(&url, &self.allow, &body), now).await?;
        // Slack says one word, Mattermost a sentence in JSON.
        let said = hook::field(&answer, "message").unwrap_or_else(|| answer.body.clone());
        Ok(hook::judge(&answer, &said, &[&url]))
    }
}

impl Channel for Slack {
    fn send<'a>(&'a self, means: &'a Means, parcel: Parcel<'a>, now: Timestamp) -> Sending<'a> {
        Box::pin(async move { self.post(means, parcel, now).await.unwrap_or_else(|o| o) })
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        vec![&self.webhook]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, world};
    use super::*;

    const SETTINGS: &str = "kind = \"slack\"\nname = \"s\"\nwebhook = { file = \"HOOK\" }\n";

    #[tokio::test]
    async fn a_room_reads_of_it_and_gets_nobodys_own_link() {
        let World { channels, server, .. } = world(SETTINGS, &[(200, "", "ok"), (200, "", "ok")]).await;
        assert!(matches!(channels.told("").await, Outcome::Taken(_)));
        channels.told("@sara").await;
        let asked = server.asked();
        assert!(asked[0].head.starts_with("POST /services/T0/B0/s3cret HTTP/1.1"), "{}", asked[0].head);
        insta::assert_snapshot!(asked[0].json(), @r#"
        {
          "text": "[ESCALATE] Acme: Product safety, 42 mentions in 15m (usual 2), 88 % negative\nhttps://vakt.example.org/incidents/7"
        }
        "#);
        assert!(asked[1].body.contains("\"channel\":\"@sara\""));
        assert_eq!(escaped("<!channel> & <@U1>"), "&lt;!channel&gt; &amp; &lt;@\u{200b}U1&gt;");
    }

    #[tokio::test]
    async fn each_answer_means_what_the_documentation_says() {
        let refusals = [
            (404, "", "no_service"),
            (410, "", "channel_is_archived"),
            (429, "retry-after: 30\r\n", "rate_limited"),
            (500, "", "rollup_error"),
            (400, "", r#"{"id":"x","message":"Couldn't find the channel."}"#),
            (302, "location: https://elsewhere.example/s3cret\r\n", ""),
        ];
        let World { channels, .. } = world(SETTINGS, &refusals).await;
        let mut told = Vec::new();
        for _ in refusals {
            told.push(match channels.told("").await {
                Outcome::Taken(_) => panic!("it was refused"),
                Outcome::Later { why, wait } => format!("later {wait:?} {why}"),
                Outcome::Never(why) => format!("never {why}"),
            });
        }
        let told = told.join("\n");
        assert!(!told.contains("s3cret") && !told.contains("/services"), "{told}");
        insta::with_settings!({ filters => vec![(r"127\.0\.0\.1:\d+", "HOST")] }, { insta::assert_snapshot!(told, @r#"
        never http://HOST/ answered 404: no_service
        never http://HOST/ answered 410: channel_is_archived
        later Some(Span(30000)) http://HOST/ answered 429: rate_limited
        later None http://HOST/ answered 500: rollup_error
        never http://HOST/ answered 400: Couldn't find the channel.
        never http://HOST/ answered 302; it leads elsewhere, write where to
        "#) });
    }
}
