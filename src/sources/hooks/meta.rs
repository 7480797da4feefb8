//! Facebook and Instagram call: posts and comments on a page, comments on an account's posts, and where a page is named.
//!
//! Follows <https://developers.facebook.com/docs/graph-api/webhooks/getting-started> and `/reference/page`, `/reference/instagram`
//! (v23.0): the address proves itself by a word of yours and a challenge, calls by `X-Hub-Signature-256` with the app's secret.
//! Where an account is named elsewhere on Instagram only ids are told, without words: those are left out, and counted.

use jiff::Timestamp;
use serde_json::Value;

use super::{Call, Hook, Kind, Refusal, Told, json, signature};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::model::{Author, Capture};
use crate::sources::settings;
use crate::sources::told::Told as _;

pub(super) const KIND: Kind = Kind {
    name: "meta",
    about: "Facebook and Instagram: posts and comments on your page and account, and where the page is named",
    manual: r#"[[hook]]
kind = "meta"
name = "meta"                         # the Callback URL is https://vakt.example.org/hooks/meta; subscribe to feed and mention
                                      # of the page, and to comments of the Instagram account
secret = { credential = "meta-app" }  # the app's secret
verify_token = { credential = "meta-verify" }   # a word of your own, written under Verify token as well"#,
    read,
};

struct Meta {
    secret: SecretRef,
    verify: SecretRef,
}

fn read(form: &Form<'_>) -> Option<Box<dyn Hook>> {
    let secret = settings::must_secret(form, "secret");
    let verify = settings::must_secret(form, "verify_token");
    Some(Box::new(Meta { secret: secret?, verify: verify? }))
}

impl Hook for Meta {
    fn take(&self, call: &Call<'_>, _: Timestamp) -> Result<Told, Refusal> {
        let said = (call.header)("x-hub-signature-256").unwrap_or_default();
        let said = said.strip_prefix("sha256=").ok_or(Refusal::Forged("X-Hub-Signature-256 is missing"))?;
        signature::check(&self.secret, &[call.body], said)?;
        let body = json(call.body)?;
        let instagram = body.text("/object") == "instagram";
        let mut told = Told::default();
        for entry in body.list("/entry") {
            for change in entry.list("/changes") {
                let (field, value) = (change.text("/field"), change.pointer("/value").unwrap_or(&Value::Null));
                match (instagram, field) {
                    (false, "feed" | "mention") => page(&mut told, value, entry),
                    (true, "comments" | "live_comments") => told.add(Some(comment(value, entry))),
                    (true, "mentions") => told.skip("Instagram tells where the account is named without the words"),
                    _ => {}
                }
            }
        }
        Ok(told)
    }

    fn greet(&self, fields: &[(String, String)]) -> Result<String, Refusal> {
        let field = |name: &str| fields.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
        if field("hub.mode") != "subscribe" || !signature::same(&self.verify, field("hub.verify_token"))? {
            return Err(Refusal::Forged("hub.verify_token is not that of the settings"));
        }
        Ok(field("hub.challenge").chars().take(1000).collect())
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        vec![&self.secret, &self.verify]
    }
}

/// Posts and comments of the page's feed, and those that were removed. What is liked or hidden says nothing new.
fn page(told: &mut Told, value: &Value, entry: &Value) {
    if !matches!(value.text("/verb"), "add" | "edit" | "edited" | "remove" | "") {
        return;
    }
    let comment = value.text("/item") == "comment";
    let said = matches!(value.text("/item"), "comment" | "post" | "status" | "photo" | "video" | "link" | "share" | "");
    if !said {
        return;
    }
    let (post, id) = (value.id("/post_id"), value.id(if comment { "/comment_id" } else { "/post_id" }));
    if value.text("/verb") == "remove" {
        told.take_back(id);
        return;
    }
    let permalink = [value.text("/permalink_url"), value.text("/post/permalink_url")];
    let url = permalink.into_iter().find(|u| !u.is_empty()).map(str::to_owned);
    let built = || match comment {
        true => format!("https://www.facebook.com/{post}?comment_id={}", id.rsplit('_').next().unwrap_or(&id)),
        false => format!("https://www.facebook.com/{post}"),
    };
    let first =
        |paths: [&str; 2]| paths.map(|at| value.text(at)).into_iter().find(|t| !t.is_empty()).unwrap_or("").to_owned();
    let handle = [value.id("/from/id"), value.id("/sender_id")].into_iter().find(|h| !h.is_empty()).unwrap_or_default();
    told.add(Some(Capture {
        native_id: Some(id.clone()).filter(|id| !id.is_empty()),
        url: url.or_else(|| (!post.is_empty()).then(built)),
        text: value.text("/message").to_owned(),
        html: false,
        author: Author { name: first(["/from/name", "/sender_name"]), handle, ..Author::default() },
        published: value.time("/created_time").or_else(|| entry.time("/time")),
        network: "facebook".into(),
        kind: if comment { "comment" } else { "post" }.into(),
        ..Capture::default()
    }));
}

/// A comment on a post of the Instagram account.
fn comment(value: &Value, entry: &Value) -> Capture {
    let name = value.text("/from/username").to_owned();
    Capture {
        native_id: Some(value.id("/id")).filter(|id| !id.is_empty()),
        text: value.text("/text").to_owned(),
        html: false,
        author: Author { name: name.clone(), handle: name, ..Author::default() },
        published: entry.time("/time"),
        network: "instagram".into(),
        kind: if value.id("/parent_id").is_empty() { "comment" } else { "reply" }.into(),
        channel: value.id("/media/id"),
        ..Capture::default()
    }
}
