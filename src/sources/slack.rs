//! Slack: messages in channels that an app of yours is a member of.
//!
//! Follows <https://docs.slack.dev/reference/methods/conversations.history>: newest first, `oldest` and `next_cursor`; about 50
//! requests a minute for an app of one's own workspace, one a minute and 15 messages for others since May 2025; 429 with
//! `Retry-After`. A refusal comes with status 200 and `ok: false`. Replies within threads are not in a channel's history.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::api::{Answer, Pass};
use super::listing::{Listing, Page, Place, below, with};
use super::told::{Told, with_pictures};
use super::{Entry, Kind, Source, settings};
use crate::config::written::Form;
use crate::model::time::{Span, from_millis};
use crate::model::{Author, Capture};

/// Messages of Slack.
pub const KIND: Kind = Kind {
    name: "slack",
    about: "Slack: messages in channels that your app is a member of",
    entry: Entry::Key,
    every: Some(Span::mins(1)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "slack"
name = "slack"
workspace = "https://acme-users.slack.com"   # for the addresses of messages
channels = ["C0123456789"]            # ids of channels that the app was invited to
token = { credential = "slack" }      # the bot token, xoxb-…, with channels:history (groups:history for closed ones)
every = "1m"                          # the default
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://slack.com/api"       # where the API is"#;

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://slack.com/api");
    let workspace = settings::address(form, "workspace", "");
    let channels = settings::words(form, "channels");
    let token = settings::must_secret(form, "token");
    let allow = settings::allow(form, house);
    if channels.is_empty() {
        settings::nothing_to_look_for(form, "add channels = [\"C…\"] with the ids of channels");
    }
    let (api, workspace, token) = (api?, workspace?, token?);
    let listing =
        |channel| Box::new(Messages { api: api.clone(), workspace: workspace.clone(), channel }) as Box<dyn Listing>;
    let place = Place::open(allow, channels.into_iter().map(listing).collect());
    Some(Box::new(Place { pass: Pass::Header("authorization", "Bearer ", token), ..place }))
}

struct Messages {
    api: Url,
    workspace: Url,
    channel: String,
}

impl Listing for Messages {
    fn name(&self) -> String {
        self.channel.clone()
    }

    fn first(&self, since: Option<Timestamp>) -> Url {
        let query = [("channel", self.channel.as_str()), ("limit", "200")];
        let url = below(&self.api, &["conversations.history"], &query);
        match since {
            Some(since) => with(&url, "oldest", &since.as_second().to_string()),
            None => url,
        }
    }

    fn sifts(&self) -> bool {
        true
    }

    fn late(&self) -> Span {
        Span::mins(15)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        if !answer.body.is("/ok") {
            let why: String = answer.body.text("/error").chars().take(60).collect();
            return Err(format!("Slack refuses: {why}"));
        }
        let mut page = Page::default();
        for said in answer.body.list("/messages") {
            page.add(sent(said), message(&self.workspace, &self.channel, said));
        }
        let cursor = answer.body.text("/response_metadata/next_cursor");
        page.next = (!cursor.is_empty()).then(|| with(asked, "cursor", cursor));
        Ok(page)
    }
}

/// `1793534340.000200`: seconds, and a number that makes it unique.
fn sent(message: &Value) -> Option<Timestamp> {
    let seconds: i64 = message.text("/ts").split('.').next()?.parse().ok()?;
    Some(from_millis(seconds.checked_mul(1000)?))
}

/// What a message is known by: its channel and its number there.
pub(super) fn id(channel: &str, ts: &str) -> String {
    format!("{channel} {ts}")
}

/// A message as a mention. Joins, leaves and the like are no messages of anybody.
pub(super) fn message(workspace: &Url, channel: &str, message: &Value) -> Option<Capture> {
    if !matches!(message.text("/subtype"), "" | "bot_message" | "file_share" | "thread_broadcast") {
        return None;
    }
    let ts = Some(message.text("/ts")).filter(|ts| !ts.is_empty())?;
    let who = [message.text("/user"), message.text("/username")].into_iter().find(|w| !w.is_empty()).unwrap_or("");
    let files = message.list("/files").iter().flat_map(|f| [f.text("/title"), f.text("/alt_txt")]);
    let reactions =
        message.list("/reactions").iter().filter_map(|r| r.count("/count")).fold(0_u64, u64::saturating_add);
    let point = format!("p{}", ts.replace('.', ""));
    Some(Capture {
        native_id: Some(id(channel, ts)),
        url: Some(below(workspace, &["archives", channel, &point], &[]).into()),
        // Slack escapes the three signs of HTML in texts, and nothing else.
        text: with_pictures(&super::refs::plain(message.text("/text")), false, files),
        html: false,
        author: Author { name: who.to_owned(), handle: message.text("/user").to_owned(), ..Author::default() },
        published: sent(message),
        network: "slack".into(),
        engagement: Some(reactions.saturating_add(message.count("/reply_count").unwrap_or(0))),
        kind: "post".into(),
        channel: channel.to_owned(),
        parent: Some(message.text("/thread_ts")).filter(|t| *t != ts).unwrap_or("").to_owned(),
        thread: message.text("/thread_ts").to_owned(),
        ..Capture::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    fn messages() -> Messages {
        let workspace = Url::parse("https://acme.slack.com").unwrap();
        Messages { api: Url::parse("https://slack.com/api").unwrap(), workspace, channel: "C1".into() }
    }

    #[test]
    fn messages_with_their_facts() {
        let told = json!({ "ok": true, "messages": [
            { "type": "message", "user": "U7", "text": "Acme &amp; fire &lt;3", "ts": "1793534340.000200", "reply_count": 2,
              "reactions": [{ "name": "fire", "count": 3 }], "files": [{ "title": "Soot" }] },
            { "type": "message", "subtype": "channel_join", "user": "U8", "text": "<@U8> has joined", "ts": "1793534300.0001" },
        ], "has_more": true, "response_metadata": { "next_cursor": "bmV4dA==" } });
        let page = page_of(&messages(), told);
        let all = page.captures();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].text.as_str(), all[0].engagement), ("Acme & fire <3\n[Soot]", Some(5)));
        assert_eq!(all[0].url.as_deref(), Some("https://acme.slack.com/archives/C1/p1793534340000200"));
        assert_eq!(all[0].published.map(|t| t.to_string()).as_deref(), Some("2026-11-01T11:59:00Z"));
        assert!(page.next.is_some_and(|n| n.as_str().ends_with("cursor=bmV4dA%3D%3D")));
        let answer = Answer { body: json!({ "ok": false, "error": "not_in_channel" }), headers: Default::default() };
        assert_eq!(messages().read(&answer, &messages().first(None)).unwrap_err(), "Slack refuses: not_in_channel");
        let asked = asked_of(&messages(), "2026-11-01T12:00:00Z".parse().ok());
        assert_eq!(asked, "https://slack.com/api/conversations.history?channel=C1&limit=200&oldest=1793534400");
    }
}
