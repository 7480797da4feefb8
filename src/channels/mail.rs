//! Mail by lettre: letters as RFC 5322 bytes, relays tried in order.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use lettre::address::{Address, Envelope};
use lettre::message::header::{
    ContentDisposition, ContentId, ContentTransferEncoding, ContentType, HeaderName, HeaderValue,
};
use lettre::message::{Body, Mailbox, MessageBuilder, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};

use super::letter::Letter;
use super::short::Short;
use crate::config::relay::{Protection, RelayAddress};
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

/// One relay.
pub struct Relay {
    /// Host and port, for telling.
    name: String,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Relay({})", self.name)
    }
}

/// Longest wait for one answer of a relay.
const PER_COMMAND: Duration = Duration::from_secs(30);
/// Longest attempt on one relay: the fallback has its turn in time (F23).
const PER_RELAY: Duration = Duration::from_secs(85);

impl Relay {
    /// A relay at an address. `ca_file` names one more authority to trust.
    ///
    /// # Errors
    /// A sentence that says what is wrong, without the password.
    pub fn new(
        address: &RelayAddress,
        user: Option<String>,
        password: Option<SecretString>,
        ca_file: Option<&Path>,
    ) -> Result<Relay, String> {
        let host = address.host.as_str();
        let mut tls = TlsParameters::builder(host.to_owned());
        if let Some(path) = ca_file {
            let pem = std::fs::read(path).map_err(|e| format!("ca_file {}: {e}", path.display()))?;
            let certificate =
                Certificate::from_pem(&pem).map_err(|_| format!("ca_file {} is no PEM certificate", path.display()))?;
            tls = tls.add_root_certificate(certificate);
        }
        let parameters =
            || tls.build().map_err(|_| "TLS cannot be set up: are there CA certificates on this machine?".to_owned());
        let tls = match address.protection {
            Protection::Implicit => Tls::Wrapper(parameters()?),
            Protection::Required => Tls::Required(parameters()?),
            Protection::Opportunistic => Tls::Opportunistic(parameters()?),
            Protection::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(address.port)
            .tls(tls)
            .timeout(Some(PER_COMMAND));
        if let (Some(user), Some(password)) = (user.or(address.user.clone()), password) {
            builder = builder.credentials(Credentials::new(user, password.expose_secret().to_owned()));
        }
        Ok(Relay { name: format!("{host}:{}", address.port), transport: builder.build() })
    }
}

/// A message that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Trying later is right.
    #[error("{reason}")]
    Later {
        /// What each relay said.
        reason: String,
    },
    /// Every relay refuses it for good.
    #[error("{reason}")]
    Never {
        /// What each relay said.
        reason: String,
    },
}

/// A relay has taken a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Which one.
    pub relay: String,
}

/// Sends through relays in order.
#[derive(Debug)]
pub struct Mailer {
    relays: Vec<Relay>,
}

impl Mailer {
    /// A mailer over relays, best first.
    pub fn new(relays: Vec<Relay>) -> Mailer {
        Mailer { relays }
    }

    /// Sends one message to one recipient. A relay that does not take it, for now or for good, leaves it to the next.
    ///
    /// # Errors
    /// When no relay took it; for good only when every relay said so.
    pub async fn send(&self, from: &str, to: &str, bytes: &[u8]) -> Result<Accepted, SendError> {
        let address = from.rsplit_once('<').map_or(from, |(_, a)| a.trim_end_matches('>'));
        let parse = |a: &str| {
            a.parse::<Address>().map_err(|_| SendError::Never { reason: format!("`{a}` is no mail address") })
        };
        let envelope = Envelope::new(Some(parse(address)?), vec![parse(to)?])
            .map_err(|_| SendError::Never { reason: "there is no recipient".into() })?;
        let mut reasons = Vec::new();
        let mut for_good = true;
        for relay in &self.relays {
            match tokio::time::timeout(PER_RELAY, relay.transport.send_raw(&envelope, bytes)).await {
                Ok(Ok(_)) => return Ok(Accepted { relay: relay.name.clone() }),
                Ok(Err(e)) => {
                    // Only an answer of 5xx is for good; refused connections and failed TLS are neither, and pass.
                    for_good &= e.is_permanent();
                    reasons.push(format!("{}: {}", relay.name, told(&e)));
                }
                Err(_) => {
                    for_good = false;
                    reasons.push(format!("{}: no answer within {} s", relay.name, PER_RELAY.as_secs()));
                }
            }
        }
        let reason = reasons.join("; ");
        if for_good && !self.relays.is_empty() {
            Err(SendError::Never { reason })
        } else {
            Err(SendError::Later { reason })
        }
    }
}

/// The error with its causes, on one line of bounded length: a relay's words are a stranger's.
fn told(e: &lettre::transport::smtp::Error) -> String {
    let mut out = e.to_string();
    let mut source = std::error::Error::source(e);
    while let Some(cause) = source {
        out.push_str(": ");
        out.push_str(&cause.to_string());
        source = cause.source();
    }
    super::defang::header_text(&out, 300)
}

#[cfg(test)]
mod tests;
