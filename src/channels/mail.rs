//! Mail by lettre: letters as RFC 5322 bytes, relays tried in order.

mod dkim;
mod relay;

use jiff::Timestamp;
use lettre::Message;
use lettre::address::Address;
use lettre::message::header::{
    ContentDisposition, ContentId, ContentTransferEncoding, ContentType, HeaderName, HeaderValue,
};
use lettre::message::{Body, Mailbox, MessageBuilder, MultiPart, SinglePart};

pub use dkim::Signer;
pub use relay::{Accepted, Mailer, Relay, SendError};

use super::letter::Letter;
use super::short::Short;
use crate::model::Person;

/// A letter that cannot be made a mail.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// An address that is none.
    #[error("`{0}` is no mail address")]
    Address(String),
    /// Anything else.
    #[error("the mail cannot be built")]
    Build(#[from] lettre::error::Error),
}

/// Makes a letter the bytes of a mail: plain text and HTML with the chart inside, seven bits a byte. The same letter
/// gives the same bytes.
///
/// # Errors
/// When an address is none.
pub fn envelope_bytes(letter: &Letter, from: &str, to: &Person, now: Timestamp) -> Result<Vec<u8>, MailError> {
    let name = super::defang::header_text(&to.full_name, 80);
    let mut builder = begun(from, (Some(name), &to.email), now)?
        .subject(letter.subject.clone())
        .message_id(Some(letter.message_id.clone()));
    if let Some(reply) = &letter.in_reply_to {
        builder = builder.in_reply_to(reply.clone());
    }
    if !letter.references.is_empty() {
        builder = builder.references(letter.references.join(" "));
    }
    builder = builder
        .raw_header(raw("X-Vakt-Incident", letter.incident.to_string()))
        .raw_header(raw("X-Vakt-Severity", letter.severity.to_owned()));
    if letter.urgent {
        builder = builder.raw_header(raw("Importance", "high".to_owned()));
    }
    // The boundary follows from the letter, so that it is the same each time, and no content can know it.
    let boundary = |part: &str| {
        let hash = xxhash_rust::xxh3::xxh3_128(format!("{part}{}{}", letter.message_id, letter.text).as_bytes());
        format!("vakt-{part}-{hash:032x}")
    };
    let html = SinglePart::builder()
        .header(ContentType::TEXT_HTML)
        .body(encoded(&letter.html, ContentTransferEncoding::QuotedPrintable));
    let html = match &letter.chart {
        Some(png) => {
            let image = SinglePart::builder()
                .header(ContentType::parse("image/png").unwrap_or(ContentType::TEXT_PLAIN))
                .header(ContentDisposition::inline_with_name("chart.png"))
                .header(ContentId::from("<chart>".to_owned()))
                .body(Body::new(png.clone()));
            MultiPart::related().boundary(boundary("rel")).singlepart(html).singlepart(image)
        }
        None => MultiPart::related().boundary(boundary("rel")).singlepart(html),
    };
    let text = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .body(encoded(&letter.text, ContentTransferEncoding::QuotedPrintable));
    let whole = MultiPart::alternative().boundary(boundary("alt")).singlepart(text).multipart(html);
    Ok(builder.multipart(whole)?.formatted())
}

/// Makes a short text the bytes of a mail: plain text, for gateways that make SMS of it. The same text gives the same bytes.
///
/// # Errors
/// When an address is none.
pub fn short_bytes(short: &Short, id: &str, from: &str, to: &str) -> Result<Vec<u8>, MailError> {
    let builder = begun(from, (None, to), short.at)?.subject(short.what.clone()).message_id(Some(format!("<{id}>")));
    let text = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .body(encoded(&short.plain(true), ContentTransferEncoding::QuotedPrintable));
    Ok(builder.singlepart(text)?.formatted())
}

/// A mail with sender and recipient, and what keeps machines from answering it: nothing is to come back but bounces.
fn begun(from: &str, to: (Option<String>, &str), at: Timestamp) -> Result<MessageBuilder, MailError> {
    let from: Mailbox = from.parse().map_err(|_| MailError::Address(from.to_owned()))?;
    let address: Address = to.1.parse().map_err(|_| MailError::Address(to.1.to_owned()))?;
    let domain = from.email.domain().to_owned();
    let builder = Message::builder().from(from).to(Mailbox::new(to.0, address)).date(at.into());
    // RFC 3834, and what Exchange and list servers go by.
    Ok(builder
        .raw_header(raw("Auto-Submitted", "auto-generated".to_owned()))
        .raw_header(raw("X-Auto-Response-Suppress", "All".to_owned()))
        .raw_header(raw("List-Id", format!("<incidents.{domain}>"))))
}

fn raw(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// Quoted-printable carries any text in seven bits; lettre refuses an encoding only for what it cannot carry.
fn encoded(text: &str, encoding: ContentTransferEncoding) -> Body {
    Body::new_with_encoding(text.to_owned(), encoding).unwrap_or_else(Body::new)
}

#[cfg(test)]
mod tests;
