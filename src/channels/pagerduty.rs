//! PagerDuty: one alert for each incident, triggered, acknowledged and resolved (Events API v2).
//!
//! The incident's thread is the alert's key: whatever is told of it changes that one alert, however often it is sent.

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{Channel, Kind, Means, Outcome, Parcel, Sending, defang, hook};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::model::{Notice, Severity};
use crate::net::Allow;

pub(super) const KIND: Kind = Kind {
    name: "pagerduty",
    about: "alerts of PagerDuty, acknowledged and resolved with their incidents",
    manual: r#"[[channel]]
kind = "pagerduty"
name = "pagerduty"
routing_key = { credential = "pagerduty" }  # of an integration "Events API v2"
url = "https://events.pagerduty.com"        # the default; https://events.eu.pagerduty.com in Europe"#,
    to: None,
    closes: true,
    read,
};

/// Most characters of a summary, a bound of theirs.
const SUMMARY: usize = 1000;

struct PagerDuty {
    url: String,
    key: SecretRef,
    allow: Allow,
}

fn read(form: &Form<'_>, allow_private: &[String]) -> Option<Box<dyn Channel>> {
    let url = hook::address(form, "url", Some("https://events.pagerduty.com"));
    let (key, allow) = (super::secret(form, "routing_key", true), super::allow(form, allow_private));
    Some(Box::new(PagerDuty { url: format!("{}/v2/enqueue", url?), key: key?, allow }))
}

fn action(notice: Notice) -> &'static str {
    match notice {
        Notice::Acknowledged | Notice::Snoozed => "acknowledge",
        Notice::Resolved | Notice::Merged => "resolve",
        // A trigger for an alert that is open changes it.
        _ => "trigger",
    }
}

impl PagerDuty {
    async fn enqueue(&self, means: &Means, parcel: Parcel<'_>, now: Timestamp) -> Result<Outcome, Outcome> {
        let (short, key) = (parcel.short, hook::fetch(&self.key)?);
        let severity = match short.severity {
            Severity::Crisis => "critical",
            Severity::Escalate => "error",
            Severity::Review => "warning",
            Severity::Watch => "info",
        };
        let links: Vec<Value> =
            short.link(false).map(|(href, text)| json!({ "href": href, "text": text })).into_iter().collect();
        let body = json!({
            "routing_key": key.expose_secret(),
            "event_action": action(short.notice),
            "dedup_key": short.thread,
            "payload": {
                "summary": defang::header_text(&short.headline, SUMMARY),
                "source": "vakt",
                "severity": severity,
                "timestamp": short.at.to_string(),
                "component": short.what,
                "custom_details": { "mentions": short.mentions, "usual": short.usual, "negative_share": short.negative },
            },
            "links": links,
            "client": "vakt",
        });
        let answer = hook::send(means, hook::json(&self.url, &self.allow, &body), now).await?;
        let error: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
        let errors = error.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let errors: Vec<&str> = errors.iter().filter_map(Value::as_str).collect();
        Ok(hook::judge(&answer, &format!("{message} {}", errors.join(", ")), &[key.expose_secret()]))
    }
}

impl Channel for PagerDuty {
    fn send<'a>(&'a self, means: &'a Means, parcel: Parcel<'a>, now: Timestamp) -> Sending<'a> {
        Box::pin(async move { self.enqueue(means, parcel, now).await.unwrap_or_else(|o| o) })
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        vec![&self.key]
    }
}

#[cfg(test)]
mod tests {
    use super::super::short::{Short, tests::whole};
    use super::super::tests::{World, world};
    use super::*;

    const SETTINGS: &str = "kind = \"pagerduty\"\nname = \"p\"\nurl = \"BASE\"\nrouting_key = { file = \"SECRET\" }\n";
    const TAKEN: (u16, &str, &str) = (202, "", r#"{"status":"success","message":"Event processed","dedup_key":"x"}"#);

    #[tokio::test]
    async fn one_alert_from_its_beginning_to_its_end() {
        let World { channels, server, .. } = world(SETTINGS, &[TAKEN; 4]).await;
        let notices = [Notice::Opened, Notice::Raised, Notice::Acknowledged, Notice::Resolved];
        for notice in notices {
            assert!(matches!(channels.tell(&Short { notice, ..whole() }, "").await, Outcome::Taken(_)));
        }
        let asked = server.asked();
        assert!(asked[0].head.starts_with("POST /v2/enqueue HTTP/1.1"));
        insta::assert_snapshot!(asked[0].json(), @r#"
        {
          "client": "vakt",
          "dedup_key": "incident.7.1767225600@acme.example",
          "event_action": "trigger",
          "links": [
            {
              "href": "https://vakt.example.org/incidents/7",
              "text": "All about it"
            }
          ],
          "payload": {
            "component": "Acme: Product safety",
            "custom_details": {
              "mentions": 42,
              "negative_share": 0.88,
              "usual": 2.0
            },
            "severity": "error",
            "source": "vakt",
            "summary": "[ESCALATE] Acme: Product safety, 42 mentions in 15m (usual 2), 88 % negative",
            "timestamp": "2026-01-01T00:00:01Z"
          },
          "routing_key": "s3cret"
        }
        "#);
        let said = |n: usize, key: &str| asked[n].value()[key].as_str().map(str::to_owned).unwrap_or_default();
        let actions: Vec<String> = (0..4).map(|n| said(n, "event_action")).collect();
        assert_eq!(actions, ["trigger", "trigger", "acknowledge", "resolve"]);
        assert!((0..4).all(|n| said(n, "dedup_key") == whole().thread));
    }

    #[tokio::test]
    async fn each_answer_means_what_the_documentation_says() {
        let invalid = r#"{"status":"invalid event","message":"Event object is invalid","errors":["'routing_key' s3cret is invalid"]}"#;
        let World { channels, .. } = world(SETTINGS, &[(400, "", invalid), (429, "", ""), (500, "", "")]).await;
        let told = channels.told("").await;
        assert!(
            matches!(&told, Outcome::Never(why) if why.contains("is invalid") && !why.contains("s3cret")),
            "{told:?}"
        );
        for _ in 0..2 {
            assert!(matches!(channels.told("").await, Outcome::Later { .. }));
        }
    }
}
