//! Discord: messages in channels that a bot of yours may read.
//!
//! Follows <https://discord.com/developers/docs/resources/message#get-channel-messages> (API v10): newest first, 100 a page, the
//! next by `before`. Every channel has a small allowance of its own (`X-RateLimit-*`), and 429 says how long to wait. The bot
//! needs the message content intent, and to be let in by the server's owner.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::api::{Answer, Pass};
use super::listing::{Listing, Page, Place, below, with};
use super::told::{Told, with_pictures};
use super::{Entry, Kind, Source, settings};
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};

/// Messages of Discord.
pub const KIND: Kind = Kind {
    name: "discord",
    about: "Discord: messages in channels that your bot may read",
    entry: Entry::Key,
    every: Some(Span::mins(1)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "discord"
name = "discord"
server = "197038439483310086"         # its id; Settings, Advanced, Developer mode, then Copy server ID
channels = ["197038439483310087"]     # ids of channels that the bot may read
token = { credential = "discord" }    # of a bot with the message content intent: https://discord.com/developers
every = "1m"                          # the default
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://discord.com/api/v10" # where the API is"#;

const PER_PAGE: usize = 100;

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://discord.com/api/v10");
    let server = form.must_text("server").map(|s| s.value);
    let channels = settings::words(form, "channels");
    let token = settings::must_secret(form, "token");
    let allow = settings::allow(form, house);
    if channels.is_empty() {
        settings::nothing_to_look_for(form, "add channels = [\"…\"] with the ids of channels");
    }
    let (api, server, token) = (api?, server?, token?);
    let listing =
        |channel| Box::new(Messages { api: api.clone(), server: server.clone(), channel }) as Box<dyn Listing>;
    let place = Place::open(allow, channels.into_iter().map(listing).collect());
    Some(Box::new(Place { pass: Pass::Header("authorization", "Bot ", token), ..place }))
}

struct Messages {
    api: Url,
    server: String,
    channel: String,
}

impl Listing for Messages {
    fn name(&self) -> String {
        self.channel.clone()
    }

    fn first(&self, _: Option<Timestamp>) -> Url {
        below(&self.api, &["channels", &self.channel, "messages"], &[("limit", &PER_PAGE.to_string())])
    }

    fn sifts(&self) -> bool {
        false
    }

    fn late(&self) -> Span {
        Span::mins(15)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let messages = answer.body.as_array().ok_or("this is no list of messages")?;
        let mut page = Page::default();
        for message in messages {
            page.add(message.time("/timestamp"), self.capture(message));
        }
        let oldest = messages.last().filter(|_| messages.len() >= PER_PAGE);
        page.next = oldest.map(|m| with(asked, "before", m.text("/id")));
        Ok(page)
    }
}

impl Messages {
    fn capture(&self, message: &Value) -> Option<Capture> {
        let id = Some(message.text("/id")).filter(|id| !id.is_empty())?;
        let handle = message.text("/author/username");
        let name = Some(message.text("/author/global_name")).filter(|n| !n.is_empty()).unwrap_or(handle);
        let files = message.list("/attachments").iter().map(|a| a.text("/description"));
        let embeds = message.list("/embeds").iter().flat_map(|e| [e.text("/title"), e.text("/description")]);
        let reactions =
            message.list("/reactions").iter().filter_map(|r| r.count("/count")).fold(0_u64, u64::saturating_add);
        let (server, channel) = (&self.server, &self.channel);
        Some(Capture {
            native_id: Some(id.to_owned()),
            url: Some(format!("https://discord.com/channels/{server}/{channel}/{id}")),
            text: with_pictures(message.text("/content"), false, files.chain(embeds)),
            html: false,
            author: Author { name: name.to_owned(), handle: handle.to_owned(), ..Author::default() },
            published: message.time("/timestamp"),
            network: "discord".into(),
            engagement: Some(reactions),
            kind: if message.pointer("/message_reference/message_id").is_some() { "reply" } else { "post" }.into(),
            channel: channel.clone(),
            parent: message.text("/message_reference/message_id").to_owned(),
            ..Capture::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    fn messages() -> Messages {
        Messages { api: Url::parse("https://discord.com/api/v10").unwrap(), server: "1".into(), channel: "2".into() }
    }

    #[test]
    fn messages_with_their_facts() {
        let message = json!({
            "id": "77", "content": "My Acme kettle", "timestamp": "2026-11-01T11:59:00.123000+00:00", "edited_timestamp": null,
            "author": { "id": "5", "username": "ann", "global_name": "Ann" }, "attachments": [{ "filename": "a.png", "description": "Soot" }],
            "reactions": [{ "count": 2 }, { "count": 3 }], "message_reference": { "message_id": "70" }, "embeds": [] });
        let page = page_of(&messages(), json!([message, { "content": "no id" }]));
        let all = page.captures();
        assert_eq!(all.len(), 1);
        assert_eq!(
            (all[0].text.as_str(), all[0].engagement, all[0].kind.as_str()),
            ("My Acme kettle\n[Soot]", Some(5), "reply")
        );
        assert_eq!(all[0].url.as_deref(), Some("https://discord.com/channels/1/2/77"));
        assert!(page.next.is_none());
        assert_eq!(asked_of(&messages(), None), "https://discord.com/api/v10/channels/2/messages?limit=100");
        let full: Vec<Value> = (0..100).map(|n| json!({ "id": format!("{}", 500 - n) })).collect();
        assert!(page_of(&messages(), full.into()).next.is_some_and(|n| n.as_str().ends_with("before=401")));
        let answer = Answer { body: json!({ "message": "?" }), headers: Default::default() };
        assert!(messages().read(&answer, &messages().first(None)).is_err());
    }
}
