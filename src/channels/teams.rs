//! Microsoft Teams: a workflow's webhook takes an Adaptive Card ("Create incoming webhooks with Workflows" of
//! learn.microsoft.com, and the schema of Adaptive Cards 1.4).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::short::Short;
use super::{Channel, Kind, Means, Outcome, Parcel, Sending, hook};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::model::Severity;
use crate::net::Allow;

pub(super) const KIND: Kind = Kind {
    name: "teams",
    about: "channels and chats of Microsoft Teams, by a workflow's webhook",
    manual: r#"[[channel]]
kind = "teams"
name = "pr-teams"
webhook = { credential = "teams-pr" }  # the address of the workflow "Send webhook alerts to a channel" is the secret"#,
    to: None,
    closes: false,
    read,
};

struct Teams {
    webhook: SecretRef,
    allow: Allow,
}

fn read(form: &Form<'_>, allow_private: &[String]) -> Option<Box<dyn Channel>> {
    let (webhook, allow) = (super::secret(form, "webhook", true), super::allow(form, allow_private));
    Some(Box::new(Teams { webhook: webhook?, allow }))
}

/// The card: the headline, what stands below it, and a button.
fn card(short: &Short) -> Value {
    let colour = match short.severity {
        _ if short.notice.asks_nothing() => "good",
        Severity::Crisis | Severity::Escalate => "attention",
        Severity::Review => "warning",
        Severity::Watch => "default",
    };
    let block = |text: &str, weight: &str, colour: &str| json!({ "type": "TextBlock", "text": text, "wrap": true, "weight": weight, "color": colour });
    let mut body = vec![block(&short.headline, "bolder", colour)];
    body.extend(Some(short.below(false)).filter(|b| !b.is_empty()).map(|b| block(&b, "default", "default")));
    let open = |(url, title): (&str, &str)| json!({ "type": "Action.OpenUrl", "title": title, "url": url });
    let actions: Vec<Value> = short.link(false).map(open).into_iter().collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
                "actions": actions,
            },
        }],
    })
}

impl Teams {
    async fn post(&self, means: &Means, parcel: Parcel<'_>, now: Timestamp) -> Result<Outcome, Outcome> {
        let url = hook::secret_address(&self.webhook)?;
        let answer = hook::send(means, hook::json(&url, &self.allow, &card(parcel.short)), now).await?;
        let error: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let said = error.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
        Ok(hook::judge(&answer, said, &[&url]))
    }
}

impl Channel for Teams {
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

    const SETTINGS: &str = "kind = \"teams\"\nname = \"t\"\nwebhook = { file = \"HOOK\" }\n";

    #[tokio::test]
    async fn a_card_with_a_button() {
        let World { channels, server, .. } = world(SETTINGS, &[(202, "", "")]).await;
        assert!(matches!(channels.told("").await, Outcome::Taken(_)));
        insta::assert_snapshot!(server.asked()[0].json(), @r#"
        {
          "attachments": [
            {
              "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "actions": [
                  {
                    "title": "All about it",
                    "type": "Action.OpenUrl",
                    "url": "https://vakt.example.org/incidents/7"
                  }
                ],
                "body": [
                  {
                    "color": "attention",
                    "text": "[ESCALATE] Acme: Product safety, 42 mentions in 15m (usual 2), 88 % negative",
                    "type": "TextBlock",
                    "weight": "bolder",
                    "wrap": true
                  }
                ],
                "type": "AdaptiveCard",
                "version": "1.4"
              },
              "contentType": "application/vnd.microsoft.card.adaptive",
              "contentUrl": null
            }
          ],
          "type": "message"
        }
        "#);
    }

    #[tokio::test]
    async fn each_answer_means_what_the_documentation_says() {
        let gone = r#"{"error":{"code":"WorkflowTriggerIsNotEnabled","message":"Could not execute workflow: trigger is disabled."}}"#;
        let answers = [(400, "", gone), (429, "retry-after: 12\r\n", ""), (502, "", "")];
        let World { channels, .. } = world(SETTINGS, &answers).await;
        assert!(matches!(channels.told("").await, Outcome::Never(why) if why.contains("trigger is disabled")));
        assert!(matches!(channels.told("").await, Outcome::Later { wait: Some(_), .. }));
        assert!(matches!(channels.told("").await, Outcome::Later { wait: None, .. }));
    }
}
