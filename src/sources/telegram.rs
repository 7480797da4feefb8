//! Telegram: posts of channels and messages of groups that a bot of yours is in, by the Bot API.
//!
//! Follows <https://core.telegram.org/bots/api#getupdates> (Bot API 9): `offset` names the first update that is wanted and
//! makes Telegram forget all before it, so that it is only ever asked with what is stored; 100 at once; what nobody asks for
//! is kept for 24 hours, so that a longer pause leaves a gap. A bot sees channels that it administers, and of groups what
//! their privacy mode lets it: all where that is off or the bot administers them. Nothing from before it came.

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::bounds::bounded;
use super::guard::Allow;
use super::http::{Request, Response, place};
use super::listing::below;
use super::told::{Told, with_pictures};
use super::{Brought, Entry, FetchError, Fetching, Http, Kind, Source, settings};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::model::time::{Span, between};
use crate::model::{Author, Capture};
use crate::text::clean::one_line;

/// Channels and groups of Telegram.
pub const KIND: Kind = Kind {
    name: "telegram",
    about: "Telegram: posts of channels and messages of groups that your bot is in",
    entry: Entry::Key,
    every: Some(Span::mins(1)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "telegram"
name = "telegram"
token = { credential = "telegram" }   # of a bot by @BotFather, for this alone: one reader gets its messages, and no webhook
                                      # may be set. Make it an administrator of channels, and a member of groups with its
                                      # privacy mode off (/setprivacy); what people write to it alone is not read
chats = ["@acme_users", "-1001234567890"]   # only these; all that the bot is in where this is not told
every = "1m"                          # the default; Telegram keeps what nobody asks for 24 hours
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://api.telegram.org"    # else a Bot API server of your own"#;

/// Updates of one answer.
const MOST: usize = 100;
/// After a week without any, the numbers of updates begin anywhere: from then on the last is not believed.
const FORGOTTEN: Span = Span::days(6);
/// Telegram keeps updates for so long.
const KEPT: Span = Span::hours(24);
const WANTED: &str = r#"["message","edited_message","channel_post","edited_channel_post"]"#;

/// Where reading stands.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    /// The place and the number of the bot.
    bot: String,
    /// The first update that has not been read.
    offset: i64,
    /// When the last one came, and when it was last asked.
    heard: Option<Timestamp>,
    asked: Option<Timestamp>,
    /// What had been waiting at the first look is not read to its end.
    history: bool,
}

struct Telegram {
    api: Url,
    token: SecretRef,
    chats: Vec<String>,
    allow: Allow,
}

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://api.telegram.org");
    let token = settings::must_secret(form, "token");
    let chats = settings::words(form, "chats");
    let allow = settings::allow(form, house);
    Some(Box::new(Telegram { api: api?, token: token?, chats, allow }))
}

impl Source for Telegram {
    fn fetch<'a>(&'a self, http: &'a Http, cursor: &'a Value, now: Timestamp) -> Fetching<'a> {
        Box::pin(self.updates(http, serde_json::from_value(cursor.clone()).unwrap_or_default(), now))
    }
}

impl Telegram {
    async fn updates(&self, http: &Http, mut cursor: Cursor, now: Timestamp) -> Result<Brought, FetchError> {
        let token = self.token.fetch()?;
        let token = token.expose_secret();
        // A token is a number, a colon and letters: anything else would lead elsewhere.
        let number = token.split_once(':').map(|(number, _)| number);
        let plain = token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-'));
        let Some(number) = number.filter(|_| plain) else {
            return Err(FetchError::Setup("the token of the bot is none: it is a number, a colon and letters".into()));
        };
        let bot = format!("{} {number}", place(&self.api));
        let anew = cursor.bot != bot;
        if anew {
            cursor = Cursor { bot, history: true, ..Cursor::default() };
        }
        let mut brought = Brought { anew: cursor.history, ..Brought::default() };
        brought.gap = !anew && cursor.asked.is_some_and(|asked| between(asked, now) > KEPT);
        if cursor.heard.is_some_and(|heard| between(heard, now) > FORGOTTEN) {
            cursor.offset = 0;
        }
        // One answer a fetch: asking on makes Telegram forget what is not stored yet.
        let list = self.ask(http, token, cursor.offset, now).await?;
        for update in &list {
            cursor.offset = cursor.offset.max(update.count("/update_id").map_or(0, |id| (id as i64).saturating_add(1)));
            let said = ["/message", "/edited_message", "/channel_post", "/edited_channel_post"];
            let message = said.into_iter().find_map(|at| update.pointer(at));
            brought.captures.extend(message.filter(|m| self.wants(m)).and_then(capture).and_then(bounded));
        }
        if !list.is_empty() {
            cursor.heard = Some(now);
        }
        brought.more = list.len() >= MOST;
        cursor.history &= brought.more;
        cursor.asked = Some(now);
        brought.cursor = serde_json::to_value(&cursor).unwrap_or_default();
        Ok(brought)
    }

    async fn ask(&self, http: &Http, token: &str, offset: i64, now: Timestamp) -> Result<Vec<Value>, FetchError> {
        let from = offset.to_string();
        let mut fields = vec![("limit", "100"), ("timeout", "0"), ("allowed_updates", WANTED)];
        if offset > 0 {
            fields.push(("offset", &from));
        }
        let url = below(&self.api, &[&format!("bot{token}"), "getUpdates"], &fields);
        // The address holds the token: failures name the place alone.
        let named = place(&self.api);
        let unreadable = |reason: String| FetchError::Unreadable { place: named.clone(), reason };
        let answer =
            http.get(Request { accept: "application/json", ..Request::of(url.as_str(), &self.allow) }, now).await;
        let body = match answer {
            Ok(Response::Fresh { body, .. }) => body,
            Ok(Response::NotModified { .. }) => return Ok(Vec::new()),
            Err(FetchError::Status { status, body, .. } | FetchError::Unauthorized { status, body, .. }) => {
                let told: Value = serde_json::from_slice(&body).unwrap_or_default();
                let words = told.text("/description").replace(token, "…");
                let words = if words.is_empty() { "it does not say why".to_owned() } else { one_line(&words, 200) };
                return Err(FetchError::Told { place: named, status, words });
            }
            Err(e) => return Err(e.at(&named)),
        };
        let mut told: Value =
            serde_json::from_slice(&body).map_err(|e| unreadable(format!("this is no JSON ({e})")))?;
        match told.pointer_mut("/result").map(Value::take) {
            Some(Value::Array(list)) => Ok(list),
            _ => Err(unreadable("this is no answer of the Bot API".into())),
        }
    }

    /// Whether a message is of a chat that is read: never what people write to the bot alone.
    fn wants(&self, message: &Value) -> bool {
        let (id, name) = (message.id("/chat/id"), message.text("/chat/username"));
        let listed =
            |chat: &String| *chat == id || chat.trim_start_matches('@').eq_ignore_ascii_case(name) && !name.is_empty();
        message.text("/chat/type") != "private" && (self.chats.is_empty() || self.chats.iter().any(listed))
    }
}

fn capture(message: &Value) -> Option<Capture> {
    let number = message.id("/message_id");
    let (chat, name) = (message.id("/chat/id"), message.text("/chat/username"));
    let words = ["/text", "/caption", "/poll/question"].map(|at| message.text(at));
    let text = words.into_iter().find(|t| !t.is_empty())?;
    let options = message.list("/poll/options").iter().map(|o| o.text("/text"));
    let url = match (name, chat.strip_prefix("-100")) {
        ("", None) => None,
        ("", Some(inner)) => Some(format!("https://t.me/c/{inner}/{number}")),
        (name, _) => Some(format!("https://t.me/{name}/{number}")),
    };
    // Who speaks for a channel or group is that.
    let person = [message.text("/from/first_name"), message.text("/from/last_name")].join(" ").trim().to_owned();
    let spoken = [message.text("/sender_chat/title"), &person, message.text("/chat/title")];
    let handle = match message.text("/sender_chat/title") {
        "" => message.text("/from/username"),
        _ => message.text("/sender_chat/username"),
    };
    let kind = match () {
        () if message.get("forward_origin").is_some() => "repost",
        () if message.get("reply_to_message").is_some() => "reply",
        () => "post",
    };
    Some(Capture {
        native_id: Some(format!("{chat} {number}")),
        url,
        text: with_pictures(text, false, options),
        html: false,
        author: Author {
            name: spoken.into_iter().find(|n| !n.is_empty()).unwrap_or("").to_owned(),
            handle: handle.to_owned(),
            ..Author::default()
        },
        published: message.time("/date"),
        network: "telegram".into(),
        kind: kind.into(),
        channel: message.text("/chat/title").to_owned(),
        ..Capture::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::Limits;
    use crate::sources::http::tests::{local, now, path, reply, serve};

    fn telegram(dir: &std::path::Path, base: &str, token: &str) -> Telegram {
        let file = dir.join("token");
        std::fs::write(&file, token).unwrap();
        let api = Url::parse(base).unwrap();
        Telegram { api, token: SecretRef::File(file), chats: Vec::new(), allow: local() }
    }

    fn message(id: u64, more: Value) -> Value {
        let mut message = json!({ "message_id": id, "date": 1_793_534_340, "text": "My Acme burns",
            "from": { "id": 7, "first_name": "Åsa", "last_name": "Ek", "username": "asa" },
            "chat": { "id": -1_001_234, "type": "supergroup", "title": "Kettles" } });
        if let (Some(message), Value::Object(more)) = (message.as_object_mut(), more) {
            message.extend(more);
        }
        message
    }

    #[test]
    fn messages_with_their_facts() {
        let c = capture(&message(5, json!({}))).unwrap();
        assert_eq!(
            (c.author.name.as_str(), c.author.handle.as_str(), c.channel.as_str()),
            ("Åsa Ek", "asa", "Kettles")
        );
        assert_eq!((c.url.as_deref(), c.native_id.as_deref()), (Some("https://t.me/c/1234/5"), Some("-1001234 5")));
        assert_eq!(c.published.map(|t| t.to_string()).as_deref(), Some("2026-11-01T11:59:00Z"));
        let post = json!({ "from": null, "text": null, "caption": "Recall", "forward_origin": {},
            "chat": { "id": -1_005, "type": "channel", "title": "News", "username": "acme_news" } });
        let c = capture(&message(6, post)).unwrap();
        assert_eq!((c.text.as_str(), c.author.name.as_str(), c.kind.as_str()), ("Recall", "News", "repost"));
        assert_eq!(c.url.as_deref(), Some("https://t.me/acme_news/6"));
        let c = capture(&message(
            7,
            json!({ "text": null, "poll": { "question": "Whose burned?", "options": [{ "text": "Mine" }] } }),
        ))
        .unwrap();
        assert_eq!(c.text, "Whose burned?\n[Mine]");
        assert_eq!(capture(&message(8, json!({ "reply_to_message": {} }))).unwrap().kind, "reply");
        assert!(capture(&message(9, json!({ "text": null, "new_chat_title": "x" }))).is_none());
        for odd in [json!(null), json!([]), json!({ "text": "x", "chat": 7, "date": "soon" })] {
            drop(capture(&odd));
        }
    }

    #[test]
    fn only_chats_that_are_meant_and_never_private_ones() {
        let dir = tempfile::tempdir().unwrap();
        let all = telegram(dir.path(), "https://t.example", "1:a");
        let private = message(1, json!({ "chat": { "id": 7, "type": "private" } }));
        assert!(all.wants(&message(1, json!({}))) && !all.wants(&private));
        let some = Telegram { chats: vec!["@Acme_News".into(), "-1001234".into()], ..all };
        let named = |name: &str| message(1, json!({ "chat": { "id": -5, "type": "channel", "username": name } }));
        assert!(some.wants(&message(1, json!({}))) && some.wants(&named("acme_news")));
        assert!(!some.wants(&named("other")) && !some.wants(&named("")) && !some.wants(&private));
    }

    #[tokio::test]
    async fn what_is_stored_is_confirmed_and_the_token_is_never_told() {
        let (base, _) = serve(|head| {
            let path = path(head);
            let updates = |from: u64, n: u64| {
                let list: Vec<Value> =
                    (from..from + n).map(|id| json!({ "update_id": id, "message": message(id, json!({})) })).collect();
                reply("200 OK", "", json!({ "ok": true, "result": list }).to_string().as_bytes())
            };
            match path {
                p if !p.starts_with("/bot11:canary/getUpdates?limit=100&timeout=0&allowed_updates=") => reply(
                    "409 Conflict",
                    "",
                    br#"{"ok":false,"error_code":409,"description":"Conflict: bot12:canary is polled by another"}"#,
                ),
                p if p.ends_with("&offset=101") => updates(101, 3),
                p if p.ends_with("&offset=104") => updates(104, 0),
                p if !p.contains("offset") => updates(1, 100),
                _ => reply("400 Bad Request", "", b""),
            }
        })
        .await;
        let dir = tempfile::tempdir().unwrap();
        let own = telegram(dir.path(), &base, "11:canary");
        let http = Http::new("", Limits::default()).unwrap();
        let mut cursor = Value::Null;
        let fetch = async |cursor: &mut Value, now: Timestamp| {
            let brought = own.fetch(&http, cursor, now).await.unwrap();
            *cursor = brought.cursor.clone();
            brought
        };
        let first = fetch(&mut cursor, now()).await;
        assert!(first.anew && first.more && first.captures.len() == 100);
        let second = fetch(&mut cursor, now()).await;
        assert!(second.anew && !second.more && second.captures.len() == 3, "what was waiting is history to its end");
        let third = fetch(&mut cursor, now() + Span::hours(1)).await;
        assert!(!third.anew && !third.gap && third.captures.is_empty());
        assert!(!cursor.to_string().contains("canary"));
        // After a day of silence of ours something may be lost; after a week of theirs numbers begin anew.
        assert!(fetch(&mut cursor, now() + Span::hours(26)).await.gap);
        let anywhere = fetch(&mut cursor, now() + Span::days(7)).await;
        assert_eq!(anywhere.captures.len(), 100, "it is asked without a number");
        let other = telegram(dir.path(), &base, "12:canary");
        let told = other.fetch(&http, &Value::Null, now()).await.unwrap_err().to_string();
        assert!(told.contains("409: Conflict: bot… is polled by another") && !told.contains("canary"), "{told}");
        let wrong = telegram(dir.path(), &base, "12:canary/../x");
        assert_eq!(wrong.fetch(&http, &Value::Null, now()).await.unwrap_err().class(), "setup");
        let gone = telegram(dir.path(), "http://127.0.0.1:9", "12:canary");
        let told = format!("{:?}", gone.fetch(&http, &Value::Null, now()).await.unwrap_err());
        assert!(told.contains("127.0.0.1:9/") && !told.contains("canary"), "{told}");
    }
}
