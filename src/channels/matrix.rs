//! Matrix: a message into a room (client-server API 1.11, `PUT …/rooms/{roomId}/send/m.room.message/{txnId}`).
//!
//! The message's id is the transaction's: a server that has it already gives the same event back, and posts no second one.

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use super::{Channel, Kind, Means, Outcome, Parcel, Sending, To, hook};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::model::Severity;
use crate::model::time::Span;
use crate::net::Allow;
use crate::net::http::Post;

pub(super) const KIND: Kind = Kind {
    name: "matrix",
    about: "rooms of Matrix (Element and others)",
    manual: r#"[[channel]]
kind = "matrix"
name = "matrix-pr"                     # `to` is the room's id, such as !abc:example.org; the account has joined it
url = "https://matrix.example.org"     # the home server
token = { credential = "matrix-token" }
allow_private = ["10.0.0.0/8"]         # for a server within the house"#,
    to: Some(To { what: "a room's id such as `!abc:example.org`", needed: true, fits: is_room }),
    closes: false,
    read,
};

fn is_room(to: &str) -> bool {
    to.len() <= 255 && to.strip_prefix('!').is_some_and(|r| !r.is_empty() && r.bytes().all(|b| b.is_ascii_graphic()))
}

struct Matrix {
    url: String,
    token: SecretRef,
    allow: Allow,
}

fn read(form: &Form<'_>, allow_private: &[String]) -> Option<Box<dyn Channel>> {
    let url = hook::address(form, "url", None);
    let (token, allow) = (super::secret(form, "token", true), super::allow(form, allow_private));
    Some(Box::new(Matrix { url: url?, token: token?, allow }))
}

impl Matrix {
    fn address(&self, room: &str, id: &str) -> Option<String> {
        let mut url = Url::parse(&self.url).ok()?;
        let place = ["_matrix", "client", "v3", "rooms", room, "send", "m.room.message", id];
        url.path_segments_mut().ok()?.pop_if_empty().extend(place);
        Some(url.into())
    }

    async fn put(&self, means: &Means, parcel: Parcel<'_>, now: Timestamp) -> Result<Outcome, Outcome> {
        let short = parcel.short;
        let url = self.address(parcel.to, parcel.id);
        let url = url.ok_or_else(|| Outcome::Never("the home server's address takes no path".into()))?;
        let token = hook::fetch(&self.token)?;
        let quiet = short.notice.asks_nothing();
        // Whether the room's people are rung is theirs and the server's to say.
        let rings = !quiet && short.severity >= Severity::Escalate;
        let body = json!({
            "msgtype": if quiet { "m.notice" } else { "m.text" },
            "body": short.plain(false),
            "m.mentions": if rings { json!({ "room": true }) } else { json!({}) },
        });
        let headers = [("authorization", format!("Bearer {}", token.expose_secret()))];
        let post = Post { put: true, headers: &headers, ..hook::json(&url, &self.allow, &body) };
        let answer = hook::send(means, post, now).await?;
        if (200..300).contains(&answer.status) {
            return Ok(Outcome::Taken(answer.place));
        }
        let error: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let code = error.get("errcode").and_then(Value::as_str).unwrap_or_default();
        let said = error.get("error").and_then(Value::as_str).unwrap_or_default();
        // Servers before 1.10 say it in the body alone.
        let wait = error.get("retry_after_ms").and_then(Value::as_i64).map(Span::millis).filter(|w| *w > Span::ZERO);
        let wait = answer.retry_after.or(wait);
        Ok(hook::refused(&answer, format!("{code} {said}").trim(), &[token.expose_secret()], wait))
    }
}

impl Channel for Matrix {
    fn send<'a>(&'a self, means: &'a Means, parcel: Parcel<'a>, now: Timestamp) -> Sending<'a> {
        Box::pin(async move { self.put(means, parcel, now).await.unwrap_or_else(|o| o) })
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        vec![&self.token]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, world};
    use super::*;

    const SETTINGS: &str = "kind = \"matrix\"\nname = \"m\"\nurl = \"BASE\"\ntoken = { file = \"SECRET\" }\n";

    #[tokio::test]
    async fn the_same_message_is_the_same_transaction() {
        let taken = (200, "", r#"{"event_id":"$x"}"#);
        let World { channels, server, .. } = world(SETTINGS, &[taken, taken]).await;
        for _ in 0..2 {
            assert!(matches!(channels.told("!a/b:example.org").await, Outcome::Taken(_)));
        }
        let asked = server.asked();
        let line = asked[0].head.lines().next().unwrap_or_default();
        assert_eq!(
            line,
            "PUT /_matrix/client/v3/rooms/!a%2Fb:example.org/send/m.room.message/m1@acme.example HTTP/1.1"
        );
        assert!(asked[0].head.contains("authorization: Bearer s3cret"));
        assert_eq!(asked[0].body, asked[1].body);
        assert_eq!(asked[1].head.lines().next(), Some(line));
        insta::assert_snapshot!(asked[0].json(), @r#"
        {
          "body": "[ESCALATE] Acme: Product safety, 42 mentions in 15m (usual 2), 88 % negative\nhttps://vakt.example.org/incidents/7",
          "m.mentions": {
            "room": true
          },
          "msgtype": "m.text"
        }
        "#);
    }

    #[tokio::test]
    async fn each_answer_means_what_the_documentation_says() {
        let answers = [
            (429, "", r#"{"errcode":"M_LIMIT_EXCEEDED","error":"Too many requests","retry_after_ms":2000}"#),
            (429, "retry-after: 9\r\n", r#"{"errcode":"M_LIMIT_EXCEEDED","error":"Too many requests"}"#),
            (403, "", r#"{"errcode":"M_FORBIDDEN","error":"not in room"}"#),
            (401, "", r#"{"errcode":"M_UNKNOWN_TOKEN","error":"token s3cret is unknown"}"#),
            (502, "", ""),
        ];
        let World { channels, .. } = world(SETTINGS, &answers).await;
        for wait in [2, 9] {
            let told = channels.told("!a:b").await;
            assert!(matches!(told, Outcome::Later { wait: Some(w), .. } if w == Span::secs(wait)));
        }
        assert!(matches!(channels.told("!a:b").await, Outcome::Never(why) if why.contains("M_FORBIDDEN not in room")));
        assert!(matches!(channels.told("!a:b").await, Outcome::Never(why) if !why.contains("s3cret")));
        assert!(matches!(channels.told("!a:b").await, Outcome::Later { .. }));
        assert!(is_room("!abc:example.org") && is_room("!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM"));
        assert!(!is_room("#alias:example.org") && !is_room("!"));
    }
}
