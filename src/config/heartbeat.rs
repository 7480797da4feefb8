//! The sign of life that somebody outside waits for.

use super::written::Form;
use crate::model::people::is_mail_address;
use crate::model::time::Span;

/// Where vakt says that all is well, for as long as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// An address that is asked by GET, such as a dead man's switch gives.
    pub url: Option<String>,
    /// How often.
    pub every: Span,
    /// A mail address that hears of it through the same outbox and relays as everybody else.
    pub mail: Option<String>,
    /// How often.
    pub mail_every: Span,
}

impl Heartbeat {
    /// Reads the table as written.
    pub(super) fn read(form: Form<'_>) -> Heartbeat {
        let url = form.text("url");
        if let Some(url) = url.as_ref().filter(|u| !u.value.starts_with("https://") && !u.value.starts_with("http://"))
        {
            form.desk.error(url.span.clone(), "`url` is no address of the web", "write url = \"https://…\"");
        }
        let mail = form.text("mail");
        if let Some(mail) = mail.as_ref().filter(|m| !is_mail_address(&m.value)) {
            form.desk.error(mail.span.clone(), "`mail` is no mail address", "write mail = \"watch@example.org\"");
        }
        if url.is_none() && mail.is_none() {
            let help = "add url = \"https://…\" of a dead man's switch, or mail = \"watch@example.org\"";
            form.desk.error(form.span.clone(), "this heartbeat goes nowhere", help);
        }
        let [every, mail_every] = [("every", Span::mins(1)), ("mail_every", Span::mins(15))].map(|(key, usual)| {
            let given = form.span(key);
            if let Some(short) = given.as_ref().filter(|g| g.value < Span::secs(10)) {
                form.desk.error(short.span.clone(), format!("`{key}` is ten seconds at least"), "write \"1m\"");
            }
            given.map_or(usual, |g| g.value)
        });
        form.finish();
        Heartbeat { url: url.map(|u| u.value), every, mail: mail.map(|m| m.value), mail_every }
    }
}
