//! Webhooks to programs of one's own, signed (Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`,
//! `webhook-signature` with HMAC-SHA256).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::json;
use sha2::Sha256;
use xxhash_rust::xxh3::xxh3_128;

use super::short::About;
use super::{Channel, Kind, Means, Outcome, Parcel, Sending, hook};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::net::Allow;
use crate::net::http::Post;

pub(super) const KIND: Kind = Kind {
    name: "webhook",
    about: "programs of your own, by a signed request (Standard Webhooks)",
    manual: r#"[[channel]]
kind = "webhook"
name = "desk"
url = "https://desk.example.org/vakt"  # takes {"type": "incident.opened", "timestamp": …, "data": {…}}
secret = { credential = "desk-hook" }  # whsec_… or any text; the signature is HMAC-SHA256 over id.timestamp.body
allow_private = ["10.0.0.0/8"]         # for a program within the house; then http:// will do as well
# Named as `publishing` in people.toml, it takes publishing.pause and publishing.resume as well.
# The same message has the same webhook-id at each try: whoever has taken it answers 2xx and leaves it at that.
# `vakt draft hand-over N --channel desk` posts an approved draft: {"type": "draft.handed_over", "data": {"text": …}}"#,
    to: None,
    closes: false,
    read,
};

struct Webhook {
    url: String,
    secret: SecretRef,
    allow: Allow,
}

fn read(form: &Form<'_>, allow_private: &[String]) -> Option<Box<dyn Channel>> {
    let url = hook::address(form, "url", None);
    let (secret, allow) = (super::secret(form, "secret", true), super::allow(form, allow_private));
    Some(Box::new(Webhook { url: url?, secret: secret?, allow }))
}

/// The key within a secret: base64 after `whsec_`, else the text itself.
fn key(secret: &str) -> Vec<u8> {
    let coded = secret.strip_prefix("whsec_").and_then(|coded| STANDARD.decode(coded).ok());
    coded.unwrap_or_else(|| secret.as_bytes().to_vec())
}

fn sign(secret: &str, id: &str, at: i64, body: &[u8]) -> String {
    // HMAC takes keys of any length: there is no other error.
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)).unwrap_or_else(|_| unreachable!());
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

impl Webhook {
    async fn post(&self, means: &Means, parcel: Parcel<'_>, now: Timestamp) -> Result<Outcome, Outcome> {
        let (short, secret) = (parcel.short, hook::fetch(&self.secret)?);
        let kind = match (&short.publishing, short.about) {
            (Some(order), _) => format!("publishing.{order}"),
            (None, About::Test) => "test".to_owned(),
            (None, About::Operator) => "operator".to_owned(),
            (None, About::Draft) => "draft.handed_over".to_owned(),
            (None, About::Incident) => format!("incident.{}", short.notice.as_str()),
        };
        let data = match &short.said {
            Some(said) => json!(said),
            None => json!({
                "incident": short.incident,
                "thread": short.thread,
                "severity": short.severity.as_str(),
                "what": short.what,
                "headline": short.headline,
                "mentions": short.mentions,
                "usual": short.usual,
                "negative_share": short.negative,
                "opened": short.opened.to_string(),
                "page": short.page,
            }),
        };
        let body = json!({ "type": kind, "timestamp": short.at.to_string(), "data": data });
        // Ids of messages have dots, which part what is signed.
        let (id, at) = (format!("msg_{:032x}", xxh3_128(parcel.id.as_bytes())), now.as_second());
        let post = hook::json(&self.url, &self.allow, &body);
        let headers = [
            ("webhook-signature", sign(secret.expose_secret(), &id, at, &post.body)),
            ("webhook-timestamp", at.to_string()),
            ("webhook-id", id),
        ];
        let answer = hook::send(means, Post { headers: &headers, ..post }, now).await?;
        Ok(hook::judge(&answer, &answer.body, &[secret.expose_secret()]))
    }
}

impl Channel for Webhook {
    fn send<'a>(&'a self, means: &'a Means, parcel: Parcel<'a>, now: Timestamp) -> Sending<'a> {
        Box::pin(async move { self.post(means, parcel, now).await.unwrap_or_else(|o| o) })
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        vec![&self.secret]
    }
}

#[cfg(test)]
mod tests {
    use super::super::short::Short;
    use super::super::short::tests::whole;
    use super::super::tests::{World, world};
    use super::*;

    const SETTINGS: &str = "kind = \"webhook\"\nname = \"w\"\nurl = \"BASE/vakt\"\nsecret = { file = \"SECRET\" }\n";

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // The example of the specification's reference libraries.
        let body = br#"{"test": 2432232314}"#;
        let signed =
            sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[tokio::test]
    async fn whoever_takes_it_can_tell_who_sent_it_and_whether_it_came_before() {
        let World { channels, server, .. } = world(SETTINGS, &[(500, "", "oh"), (204, "", "")]).await;
        assert!(matches!(channels.told("").await, Outcome::Later { why, .. } if why.contains("500: oh")));
        assert!(matches!(channels.told("").await, Outcome::Taken(_)));
        let asked = server.asked();
        let header = |n: usize, name: &str| asked[n].header(name);
        assert_eq!(header(0, "webhook-id"), header(1, "webhook-id"));
        assert_eq!(asked[0].body, asked[1].body);
        let at: i64 = header(1, "webhook-timestamp").parse().expect("seconds");
        let signed = sign("s3cret", &header(1, "webhook-id"), at, asked[1].body.as_bytes());
        assert_eq!(header(1, "webhook-signature"), signed);
        insta::assert_snapshot!(asked[0].json(), @r#"
        {
          "data": {
            "headline": "[ESCALATE] Acme: Product safety, 42 mentions in 15m (usual 2), 88 % negative",
            "incident": 7,
            "mentions": 42,
            "negative_share": 0.88,
            "opened": "2026-01-01T00:00:00Z",
            "page": "https://vakt.example.org/incidents/7",
            "severity": "escalate",
            "thread": "incident.7.1767225600@acme.example",
            "usual": 2.0,
            "what": "Acme: Product safety"
          },
          "timestamp": "2026-01-01T00:00:01Z",
          "type": "incident.opened"
        }
        "#);
    }

    #[tokio::test]
    async fn the_tool_that_publishes_is_told_to_pause() {
        let World { channels, server, .. } = world(SETTINGS, &[(204, "", "")]).await;
        let pause = Short { publishing: Some("pause".into()), ..whole() };
        assert!(matches!(channels.tell(&pause, "").await, Outcome::Taken(_)));
        assert!(server.asked()[0].json().contains("\"type\": \"publishing.pause\""));
    }

    #[tokio::test]
    async fn each_answer_means_what_the_specification_says() {
        let answers =
            [(410, "", "gone"), (429, "retry-after: 20\r\n", ""), (504, "", ""), (401, "", "s3cret is wrong")];
        let World { channels, .. } = world(SETTINGS, &answers).await;
        assert!(matches!(channels.told("").await, Outcome::Never(_)));
        assert!(matches!(channels.told("").await, Outcome::Later { wait: Some(_), .. }));
        assert!(matches!(channels.told("").await, Outcome::Later { wait: None, .. }));
        assert!(matches!(channels.told("").await, Outcome::Never(why) if !why.contains("s3cret")));
    }
}
