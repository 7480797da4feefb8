//! GitHub calls: issues, pull requests, discussions and their comments in repositories of yours.
//!
//! Follows <https://docs.github.com/en/webhooks/webhook-events-and-payloads>: `X-Hub-Signature-256` is `sha256=` and the HMAC
//! of the body, `X-GitHub-Delivery` names the delivery, also where it is sent again.

use jiff::Timestamp;
use serde_json::Value;

use super::{Call, Hook, Kind, Refusal, Told, json, signature};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::model::{Author, Capture};
use crate::sources::settings;
use crate::sources::told::Told as _;

pub(super) const KIND: Kind = Kind {
    name: "github",
    about: "GitHub: issues, pull requests, discussions and comments in repositories of yours",
    manual: r#"[[hook]]
kind = "github"
name = "github-events"                # its Payload URL is https://vakt.example.org/hooks/github-events, its content type
                                      # application/json; choose the events of issues, pull requests, discussions and comments
secret = { credential = "github-hook" }"#,
    read,
};

struct GitHub {
    secret: SecretRef,
}

fn read(form: &Form<'_>) -> Option<Box<dyn Hook>> {
    Some(Box::new(GitHub { secret: settings::must_secret(form, "secret")? }))
}

impl Hook for GitHub {
    fn take(&self, call: &Call<'_>, _: Timestamp) -> Result<Told, Refusal> {
        let said = (call.header)("x-hub-signature-256").unwrap_or_default();
        let said = said.strip_prefix("sha256=").ok_or(Refusal::Forged("X-Hub-Signature-256 is missing"))?;
        signature::check(&self.secret, &[call.body], said)?;
        let body = json(call.body)?;
        let mut told = Told { event: (call.header)("x-github-delivery"), ..Told::default() };
        let action = body.text("/action");
        let said = matches!(action, "opened" | "created" | "edited" | "submitted" | "reopened");
        let (about, own) = match (call.header)("x-github-event").as_deref() {
            Some("issues") => ("/issue", "/issue"),
            Some("issue_comment") => ("/issue", "/comment"),
            Some("pull_request") => ("/pull_request", "/pull_request"),
            Some("pull_request_review") => ("/pull_request", "/review"),
            Some("pull_request_review_comment") => ("/pull_request", "/comment"),
            Some("discussion") => ("/discussion", "/discussion"),
            Some("discussion_comment") => ("/discussion", "/comment"),
            Some("commit_comment") => ("/comment", "/comment"),
            _ => return Ok(told),
        };
        if action == "deleted" {
            told.take_back(body.pointer(own).map_or("", |own| own.text("/node_id")).to_owned());
        }
        // An approval by one click says nothing, and would bear the title of what it approves.
        let wordless = own == "/review" && body.text("/review/body").trim().is_empty();
        if let (true, Some(own), Some(about)) = (said && !wordless, body.pointer(own), body.pointer(about)) {
            told.add(Some(capture(own, about, body.text("/repository/full_name"))));
        }
        Ok(told)
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        vec![&self.secret]
    }
}

fn capture(own: &Value, about: &Value, repository: &str) -> Capture {
    let login = own.text("/user/login").to_owned();
    let is_post = own.text("/node_id") == about.text("/node_id") && !own.text("/title").is_empty();
    let published = own.time("/created_at").or_else(|| own.time("/submitted_at"));
    Capture {
        native_id: Some(own.text("/node_id").to_owned()).filter(|id| !id.is_empty()),
        url: Some(own.text("/html_url").to_owned()),
        title: Some(about.text("/title").to_owned()),
        text: own.text("/body").to_owned(),
        html: false,
        author: Author { name: login.clone(), handle: login, ..Author::default() },
        published,
        network: "github".into(),
        engagement: own.sum(&["/comments", "/reactions/total_count"]),
        kind: if is_post { "post" } else { "comment" }.into(),
        channel: repository.to_owned(),
        tags: about.list("/labels").iter().map(|l| l.text("/name").to_owned()).collect(),
        ..Capture::default()
    }
}
