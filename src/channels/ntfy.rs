//! ntfy: push messages to telephones, by ntfy.sh or a server of one's own ("Publish as JSON" of docs.ntfy.sh, 2.11).

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::json;

use super::{Channel, Kind, Means, Outcome, Parcel, Sending, To, hook};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::model::Severity;
use crate::net::Allow;
use crate::net::http::Post;

pub(super) const KIND: Kind = Kind {
    name: "ntfy",
    about: "push messages to telephones, by ntfy.sh or a server of your own",
    manual: r#"[[channel]]
kind = "ntfy"
name = "ntfy-oncall"                   # people's `reach` names it; `to` is the topic: whoever knows it reads along
url = "https://ntfy.sh"                # the default
token = { credential = "ntfy-token" }  # where the topic is protected
allow_private = ["10.0.0.0/8"]         # private networks that this channel may reach"#,
    to: Some(To { what: "a topic: up to 64 letters, digits, `-` and `_`", needed: true, fits: is_topic }),
    closes: false,
    read,
};

fn is_topic(to: &str) -> bool {
    (1..=64).contains(&to.len()) && to.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

struct Ntfy {
    url: String,
    token: Option<SecretRef>,
    allow: Allow,
}

fn read(form: &Form<'_>, allow_private: &[String]) -> Option<Box<dyn Channel>> {
    let url = hook::address(form, "url", Some("https://ntfy.sh"));
    let (token, allow) = (super::secret(form, "token", false), super::allow(form, allow_private));
    Some(Box::new(Ntfy { url: url?, token, allow }))
}

/// 5 rings through most silent modes, 2 makes no sound.
fn priority(severity: Severity, quiet: bool) -> u8 {
    match severity {
        _ if quiet => 2,
        Severity::Crisis => 5,
        Severity::Escalate => 4,
        Severity::Review => 3,
        Severity::Watch => 2,
    }
}

impl Ntfy {
    async fn push(&self, means: &Means, parcel: Parcel<'_>, now: Timestamp) -> Result<Outcome, Outcome> {
        let short = parcel.short;
        let below = short.below(true);
        let mut body = json!({
            "topic": parcel.to,
            "title": short.what,
            "message": if below.is_empty() { short.headline.clone() } else { format!("{}\n{below}", short.headline) },
            "priority": priority(short.severity, short.notice.asks_nothing()),
            "tags": [short.severity.as_str()],
        });
        if let (Some((link, label)), Some(body)) = (short.link(true), body.as_object_mut()) {
            body.insert("click".into(), json!(link));
            body.insert("actions".into(), json!([{ "action": "view", "label": label, "url": link }]));
        }
        let token = self.token.as_ref().map(hook::fetch).transpose()?;
        let bearer = token.as_ref().map(|t| ("authorization", format!("Bearer {}", t.expose_secret())));
        let headers: Vec<_> = bearer.into_iter().collect();
        let post = Post { headers: &headers, ..hook::json(&self.url, &self.allow, &body) };
        let answer = hook::send(means, post, now).await?;
        let said = hook::field(&answer, "error").unwrap_or_default();
        Ok(hook::judge(&answer, &said, &[parcel.to]))
    }
}

impl Channel for Ntfy {
    fn send<'a>(&'a self, means: &'a Means, parcel: Parcel<'a>, now: Timestamp) -> Sending<'a> {
        Box::pin(async move { self.push(means, parcel, now).await.unwrap_or_else(|o| o) })
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        self.token.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, world};
    use super::*;

    const SETTINGS: &str = "kind = \"ntfy\"\nname = \"n\"\nurl = \"BASE\"\ntoken = { file = \"SECRET\" }\n";

    #[tokio::test]
    async fn a_telephone_shows_what_it_is_and_where_to_take_it() {
        let World { channels, server, .. } = world(SETTINGS, &[(200, "", r#"{"id":"x"}"#)]).await;
        assert!(
            matches!(channels.told("oncall").await, Outcome::Taken(place) if place.starts_with("http://127.0.0.1"))
        );
        let asked = server.asked();
        assert!(asked[0].head.starts_with("POST / HTTP/1.1") && asked[0].head.contains("authorization: Bearer s3cret"));
        insta::assert_snapshot!(asked[0].json(), @r#"
        {
          "actions": [
            {
              "action": "view",
              "label": "I take it",
              "url": "https://vakt.example.org/a/door.mac"
            }
          ],
          "click": "https://vakt.example.org/a/door.mac",
          "message": "[ESCALATE] Acme: Product safety, 42 mentions in 15m (usual 2), 88 % negative\nIt asks for these digits: 1234",
          "priority": 4,
          "tags": [
            "escalate"
          ],
          "title": "Acme: Product safety",
          "topic": "oncall"
        }
        "#);
    }

    #[tokio::test]
    async fn each_answer_means_what_the_documentation_says() {
        let refusals = [
            (429, "retry-after: 7\r\n", r#"{"code":42901,"http":429,"error":"limit reached: too many requests"}"#),
            (403, "", r#"{"code":40301,"http":403,"error":"forbidden"}"#),
            (507, "", ""),
        ];
        let World { channels, .. } = world(SETTINGS, &refusals).await;
        let Outcome::Later { why, wait } = channels.told("oncall").await else { panic!("it asks for patience") };
        assert!(
            why.contains("answered 429: limit reached") && wait == Some(crate::model::time::Span::secs(7)),
            "{why}"
        );
        assert!(matches!(channels.told("oncall").await, Outcome::Never(why) if why.contains("403: forbidden")));
        assert!(matches!(channels.told("oncall").await, Outcome::Later { .. }));
    }

    #[test]
    fn topics_and_priorities() {
        assert!(is_topic("acme_on-call") && !is_topic("") && !is_topic("a/b") && !is_topic(&"a".repeat(65)));
        assert_eq!(Severity::ALL.map(|s| priority(s, false)), [2, 3, 4, 5]);
        assert_eq!(priority(Severity::Crisis, true), 2);
    }
}
