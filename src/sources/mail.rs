//! Mails as mentions, wherever they were found.

use mail_parser::{HeaderValue, Message, MessageParser};
use xxhash_rust::xxh3::xxh3_64;

use super::bounds::bounded;
use crate::model::time::from_millis;
use crate::model::{Author, Capture};
use crate::text::clean::{MAX_TEXT, html_to_text};

/// Bytes of one mail.
pub(super) const LONGEST: u64 = 8 << 20;

/// What the settings say of all mails of a place.
#[derive(Debug, Clone)]
pub(super) struct Letters {
    pub network: String,
    pub language: Option<String>,
}

impl Letters {
    /// The mention of a mail; `None` where it says nothing.
    pub(super) fn read(&self, bytes: &[u8]) -> Result<Option<Capture>, &'static str> {
        let message = MessageParser::default().parse(bytes).ok_or("this is no mail")?;
        Ok(bounded(self.capture(&message, bytes)))
    }

    fn capture(&self, message: &Message<'_>, bytes: &[u8]) -> Capture {
        let from = message.from().and_then(|f| f.first());
        let address = from.and_then(|f| f.address()).unwrap_or("").to_owned();
        let name = from.and_then(|f| f.name()).map(str::to_owned).filter(|n| !n.trim().is_empty());
        let html = message.html_bodies().any(|part| part.is_text_html());
        let text = if html { message.body_html(0) } else { message.body_text(0) };
        let text = text.unwrap_or_default();
        // Before it is cut: a newsletter's markup is many times its text, and stands before it.
        let text = if html { html_to_text(&text, MAX_TEXT) } else { text.into_owned() };
        let archived = message.header_raw("Archived-At").map(|at| at.trim().trim_matches(['<', '>']).to_owned());
        Capture {
            native_id: Some(message.message_id().map_or_else(|| format!("{:x}", xxh3_64(bytes)), str::to_owned)),
            url: archived,
            title: Some(message.subject().unwrap_or("").to_owned()),
            text,
            html: false,
            author: Author { name: name.unwrap_or_else(|| address.clone()), handle: address, ..Author::default() },
            published: message.date().map(|d| from_millis(d.to_timestamp().saturating_mul(1000))),
            language: self.language.clone(),
            network: self.network.clone(),
            kind: if *message.in_reply_to() == HeaderValue::Empty { "post" } else { "reply" }.into(),
            channel: list_of(message),
            ..Capture::default()
        }
    }
}

/// The name of a mailing list: what stands before its id.
fn list_of(message: &Message<'_>) -> String {
    let raw = message.header_raw("List-Id").unwrap_or("").trim();
    let (name, id) = raw.split_once('<').unwrap_or((raw, ""));
    let name = name.trim().trim_matches('"');
    if name.is_empty() { id.trim_end_matches('>').to_owned() } else { name.to_owned() }
}

#[cfg(test)]
pub(super) const LETTER: &str = "From: =?UTF-8?Q?=C3=85sa?= <asa@list.example>\r\nSubject: Acme & fire\r\nDate: Sun, 01 Nov 2026 11:59:00 +0000\r\n\
        Message-ID: <1@list.example>\r\nIn-Reply-To: <0@list.example>\r\nList-Id: \"Kettles\" <kettles.list.example>\r\n\
        Archived-At: <https://list.example/1>\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n\
        --b\r\nContent-Type: text/html\r\n\r\n<p>It <b>burns</b></p>\r\n--b--\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_takes_no_room_of_the_text() {
        let style = "x".repeat(100_000);
        let mail = format!(
            "Subject: Kettles\r\nContent-Type: text/html\r\n\r\n<style>{style}</style><p>They <b>burn</b></p>\r\n"
        );
        let read = Letters { network: "mail".into(), language: None }.read(mail.as_bytes());
        let capture = read.unwrap().unwrap();
        assert_eq!((capture.text.as_str(), capture.html), ("They burn", false));
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_is_read(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            drop(Letters { network: "mail".into(), language: None }.read(&bytes));
        }
    }
}
