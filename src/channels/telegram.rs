//! Telegram: a bot's message into a chat (Bot API 9, `sendMessage`).

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{Channel, Kind, Means, Outcome, Parcel, Sending, To, hook};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::model::time::Span;
use crate::net::Allow;

pub(super) const KIND: Kind = Kind {
    name: "telegram",
    about: "chats of Telegram, by a bot",
    manual: r#"[[channel]]
kind = "telegram"
name = "telegram"                      # `to` is the chat: a person's number once they have written to the bot,
                                       # a group's (it begins with -), or @channel
token = { credential = "telegram-bot" }
url = "https://api.telegram.org"       # the default; else a Bot API server of your own"#,
    to: Some(To { what: "a chat's number or `@channel`", needed: true, fits: is_chat }),
    closes: false,
    read,
};

fn is_chat(to: &str) -> bool {
    let name = |n: &str| (4..=64).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    to.parse::<i64>().is_ok_and(|n| n != 0) || to.strip_prefix('@').is_some_and(name)
}

struct Telegram {
    url: String,
    token: SecretRef,
    allow: Allow,
}

fn read(form: &Form<'_>, allow_private: &[String]) -> Option<Box<dyn Channel>> {
    let url = hook::address(form, "url", Some("https://api.telegram.org"));
    let (token, allow) = (super::secret(form, "token", true), super::allow(form, allow_private));
    Some(Box::new(Telegram { url: url?, token: token?, allow }))
}

impl Telegram {
    async fn post(&self, means: &Means, parcel: Parcel<'_>, now: Timestamp) -> Result<Outcome, Outcome> {
        let token = hook::fetch(&self.token)?;
        let token = token.expose_secret();
        // A token is a number, a colon and letters: anything else would lead elsewhere.
        if !token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-')) {
            return Err(Outcome::Never("the bot's token is none: it is a number, a colon and letters".into()));
        }
        let url = format!("{}/bot{token}/sendMessage", self.url);
        // Persons' chats have numbers above nothing; what goes to groups and channels is read by many.
        let personal = parcel.to.parse::<i64>().is_ok_and(|chat| chat > 0);
        let body = json!({
            "chat_id": parcel.to,
            "text": parcel.short.plain(personal),
            "disable_notification": parcel.short.notice.asks_nothing(),
            "link_preview_options": { "is_disabled": true },
        });
        let answer = hook::send(means, hook::json(&url, &self.allow, &body), now).await?;
        let said: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if answer.status == 200 && said.get("ok") == Some(&Value::Bool(true)) {
            return Ok(Outcome::Taken(answer.place));
        }
        if answer.status == 200 && !said.get("ok").is_some_and(Value::is_boolean) {
            // Somebody on the way answers in its place.
            return Ok(Outcome::later(format!("{} answered 200 with something that is not Telegram's", answer.place)));
        }
        let wait = said.pointer("/parameters/retry_after").and_then(Value::as_i64).map(Span::secs);
        let why = said.get("description").and_then(Value::as_str).unwrap_or_default();
        Ok(hook::refused(&answer, why, &[token], wait.or(answer.retry_after)))
    }
}

impl Channel for Telegram {
    fn send<'a>(&'a self, means: &'a Means, parcel: Parcel<'a>, now: Timestamp) -> Sending<'a> {
        Box::pin(async move { self.post(means, parcel, now).await.unwrap_or_else(|o| o) })
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        vec![&self.token]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, world};
    use super::*;

    const SETTINGS: &str = "kind = \"telegram\"\nname = \"t\"\nurl = \"BASE\"\ntoken = { file = \"SECRET\" }\n";
    const TAKEN: (u16, &str, &str) = (200, "", r#"{"ok":true,"result":{"message_id":5}}"#);

    #[tokio::test]
    async fn a_person_gets_their_own_link_and_a_group_does_not() {
        let World { channels, server, .. } = world(SETTINGS, &[TAKEN, TAKEN]).await;
        for chat in ["4711", "-1001234"] {
            assert!(matches!(channels.told(chat).await, Outcome::Taken(_)));
        }
        let asked = server.asked();
        assert!(asked[0].head.starts_with("POST /bots3cret/sendMessage HTTP/1.1"));
        assert!(asked[0].body.contains("/a/door.mac") && !asked[1].body.contains("/a/door.mac"));
        insta::assert_snapshot!(asked[1].json(), @r#"
        {
          "chat_id": "-1001234",
          "disable_notification": false,
          "link_preview_options": {
            "is_disabled": true
          },
          "text": "[ESCALATE] Acme: Product safety, 42 mentions in 15m (usual 2), 88 % negative\nhttps://vakt.example.org/incidents/7"
        }
        "#);
    }

    #[tokio::test]
    async fn each_answer_means_what_the_documentation_says() {
        let answers = [
            (
                429,
                "",
                r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 3","parameters":{"retry_after":3}}"#,
            ),
            (403, "", r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"#),
            (400, "", r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#),
            (401, "", r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#),
            (500, "", ""),
            (200, "", "<html>sign in to the network</html>"),
            (429, "", r#"{"ok":false,"parameters":{"retry_after":9223372036854775807}}"#),
        ];
        let World { channels, .. } = world(SETTINGS, &answers).await;
        let told = channels.told("1").await;
        assert!(
            matches!(&told, Outcome::Later { wait: Some(w), why } if *w == Span::secs(3) && !why.contains("s3cret"))
        );
        for said in ["blocked by the user", "chat not found", "Unauthorized"] {
            let told = channels.told("1").await;
            assert!(matches!(&told, Outcome::Never(why) if why.contains(said)), "{told:?}");
        }
        for _ in 0..3 {
            assert!(matches!(channels.told("1").await, Outcome::Later { .. }));
        }
        assert!(is_chat("-1001234") && is_chat("@acme_pr") && !is_chat("acme") && !is_chat("0") && !is_chat(""));
    }
}
