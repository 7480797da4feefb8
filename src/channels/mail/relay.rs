//! One relay, spoken to step by step, each step with its own patience; and relays in their order.
//!
//! What a relay says of a message (after MAIL, RCPT and DATA) is told apart from what it says of us (before that): only a
//! message can be refused for good, and a wrong password is mended by people while messages wait.

use std::fmt::Display;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lettre::address::{Address, Envelope};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use secrecy::{ExposeSecret, SecretString};

use super::dkim::Signer;
use crate::channels::defang;
use crate::config::relay::{Protection, RelayAddress};
use crate::failpoint;

/// How long a relay is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For one answer.
    pub(super) step: Duration,
    /// For the answer to a whole mail: relays look into it first.
    pub(super) data: Duration,
    /// For all of it: the fallback has its turn in time (F23).
    pub(super) whole: Duration,
    /// For the goodbye, which changes nothing.
    pub(super) quit: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        let seconds = Duration::from_secs;
        Patience { step: seconds(30), data: seconds(60), whole: seconds(85), quit: seconds(2) }
    }
}

/// A relay that failed is asked last for so long, so that it holds up the first message and not every one.
const RESTS: Duration = Duration::from_secs(60);
/// Addresses that a relay's name had are good for so long while the name is not to be had (F28).
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// One relay.
pub struct Relay {
    /// Host and port, for telling.
    name: String,
    address: RelayAddress,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    pub(super) patience: Patience,
    /// What its name led to, and when.
    known: Mutex<Option<(Instant, Vec<SocketAddr>)>>,
    /// When it last failed, where it has taken nothing since.
    failed: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Relay({})", self.name)
    }
}

/// Why one relay did not take a message.
#[derive(Debug)]
struct Refusal {
    /// What it said, or what went wrong.
    why: String,
    verdict: Verdict,
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The message, for good.
    Never,
    /// The message, for now.
    Later,
    /// The relay itself, whatever the message.
    Relay,
}

impl Refusal {
    fn of_relay(why: impl Into<String>) -> Refusal {
        Refusal { why: why.into(), verdict: Verdict::Relay }
    }

    /// The same before there is a message: all that is said then is about us.
    fn early(self) -> Refusal {
        Refusal { verdict: Verdict::Relay, ..self }
    }
}

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
        let tls = match address.protection {
            Protection::None => None,
            _ => {
                let built = tls.build();
                Some(built.map_err(|_| "TLS cannot be set up: are there CA certificates on this machine?".to_owned())?)
            }
        };
        let credentials = user
            .or(address.user.clone())
            .zip(password)
            .map(|(user, password)| Credentials::new(user, password.expose_secret().to_owned()));
        let name = format!("{host}:{}", address.port);
        let (patience, known, failed) = (Patience::default(), Mutex::default(), Mutex::default());
        Ok(Relay { name, address: address.clone(), tls, credentials, patience, known, failed })
    }

    /// Whether it can be reached, with the protection and the password that it asks for; sends nothing.
    ///
    /// # Errors
    /// What keeps it from being reached, in a sentence.
    pub async fn greet(&self) -> Result<(), String> {
        let mut conn = self.connect().await.map_err(|refusal| refusal.why)?;
        drop(tokio::time::timeout(self.patience.quit, conn.quit()).await);
        Ok(())
    }

    /// Tries once, within bounds.
    async fn take(&self, envelope: &Envelope, mail: &[u8]) -> Result<(), Refusal> {
        let whole = self.patience.whole;
        let taken = match tokio::time::timeout(whole, self.try_once(envelope, mail)).await {
            Ok(done) => done,
            Err(_) => Err(Refusal::of_relay(format!("not done within {} s", whole.as_secs()))),
        };
        let down = taken.as_ref().is_err_and(|refusal| refusal.verdict == Verdict::Relay);
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = down.then(Instant::now);
        metrics::gauge!("vakt_relay_up", "relay" => self.name.clone()).set(if down { 0.0 } else { 1.0 });
        taken
    }

    /// It failed a moment ago: others go first.
    fn rests(&self) -> bool {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|at| at.elapsed() < RESTS)
    }

    async fn try_once(&self, envelope: &Envelope, mail: &[u8]) -> Result<(), Refusal> {
        let mut conn = self.connect().await?;
        let taken = self.hand_over(&mut conn, envelope, mail).await;
        // Whatever becomes of the goodbye, the relay has taken the message or has not.
        if !conn.has_broken() {
            drop(tokio::time::timeout(self.patience.quit, conn.quit()).await);
        }
        taken
    }

    /// A connection that is as protected as it has to be, and signed in.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Refusal> {
        let addresses = self.addresses().await?;
        let (hello, step) = (ClientId::default(), self.patience.step);
        let implicit = self.tls.clone().filter(|_| self.address.protection == Protection::Implicit);
        // Half of it for each address: one that leads nowhere leaves time for the next.
        let connect = AsyncSmtpConnection::connect_tokio1(&addresses[..], Some(step / 2), &hello, implicit, None);
        let mut conn = within(step, "greeting", connect).await.map_err(Refusal::early)?;
        let offers = conn.can_starttls();
        match (self.address.protection, &self.tls) {
            (Protection::Required, _) if !offers => {
                return Err(Refusal::of_relay(
                    "it offers no STARTTLS, so nothing is sent; somebody may stand in between",
                ));
            }
            (Protection::Required | Protection::Opportunistic, Some(tls)) if offers => {
                within(step, "STARTTLS", conn.starttls(tls.clone(), &hello)).await.map_err(Refusal::early)?;
            }
            _ => {}
        }
        if let Some(credentials) = &self.credentials {
            if !conn.is_encrypted() && self.address.protection != Protection::None {
                return Err(Refusal::of_relay("it offers no TLS, so the password is not sent"));
            }
            let auth = conn.auth(DEFAULT_MECHANISMS, credentials);
            within(step, "AUTH", auth).await.map_err(Refusal::early)?;
        }
        Ok(conn)
    }

    async fn hand_over(&self, conn: &mut AsyncSmtpConnection, envelope: &Envelope, mail: &[u8]) -> Result<(), Refusal> {
        let step = self.patience.step;
        let mut options = Vec::new();
        if !mail.is_ascii() {
            // Ours are seven bits a byte; this is for what others put into the outbox.
            if !conn.server_info().supports_feature(Extension::EightBitMime) {
                let why = "it takes no mail of eight bits a byte".into();
                return Err(Refusal { why, verdict: Verdict::Never });
            }
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let from = Mail::new(envelope.from().cloned(), options);
        within(step, "MAIL", conn.command(from)).await?;
        for to in envelope.to() {
            within(step, "RCPT", conn.command(Rcpt::new(to.clone(), vec![]))).await?;
        }
        within(step, "DATA", conn.command(Data)).await?;
        // Beyond this point it may have been taken though nobody says so: it is sent again with the same Message-ID (F24).
        within(self.patience.data, "mail", conn.message(mail)).await?;
        Ok(())
    }

    /// Where the relay is; where it was, while its name leads nowhere.
    async fn addresses(&self) -> Result<Vec<SocketAddr>, Refusal> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let look = tokio::net::lookup_host((self.address.host.as_str(), self.address.port));
        let found = match tokio::time::timeout(self.patience.step / 3, look).await {
            Ok(Ok(found)) => Ok(found.collect::<Vec<_>>()),
            Ok(Err(e)) => Err(format!("its name is not found: {e}")),
            Err(_) => Err("its name is not found in time".to_owned()),
        };
        match found {
            Ok(found) if !found.is_empty() => {
                *known() = Some((Instant::now(), found.clone()));
                Ok(found)
            }
            other => {
                let why = other.err().unwrap_or_else(|| "its name has no address".to_owned());
                let before = known().clone().filter(|(at, _)| at.elapsed() < REMEMBERED);
                before.map(|(_, addresses)| addresses).ok_or(Refusal::of_relay(why))
            }
        }
    }
}

/// One step; silence and broken connections are the relay's business, answers the message's.
async fn within<T>(
    patience: Duration,
    what: impl Display,
    work: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
) -> Result<T, Refusal> {
    let step = what.to_string();
    failpoint::pass(&step, "before");
    let done = tokio::time::timeout(patience, work).await;
    failpoint::pass(&step, "after");
    match done {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(e)) => {
            let verdict = match (e.is_permanent(), e.is_transient()) {
                (true, _) => Verdict::Never,
                (_, true) => Verdict::Later,
                _ => Verdict::Relay,
            };
            Err(Refusal { why: told(&e), verdict })
        }
        Err(_) => Err(Refusal::of_relay(format!("no answer to {what} within {} s", patience.as_secs()))),
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
    defang::header_text(&out, 300)
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
    signer: Option<Signer>,
}

impl Mailer {
    /// A mailer over relays, best first.
    pub fn new(relays: Vec<Relay>) -> Mailer {
        Mailer { relays, signer: None }
    }

    /// The same, and every mail is signed.
    pub fn signed(self, signer: Option<Signer>) -> Mailer {
        Mailer { signer, ..self }
    }

    /// Sends one message to one recipient. A relay that does not take it, for now or for good, leaves it to the next; one
    /// that failed a moment ago goes last.
    ///
    /// # Errors
    /// When no relay took it; for good only when every relay said so.
    pub async fn send(&self, from: &str, to: &str, bytes: &[u8]) -> Result<Accepted, SendError> {
        let address = from.rsplit_once('<').map_or(from, |(_, a)| a.trim_end_matches('>'));
        // Not every relay takes others (F29), and the rules let none in.
        let parse = |a: &str| match a.parse::<Address>() {
            Ok(address) if a.is_ascii() => Ok(address),
            _ => Err(SendError::Never { reason: format!("`{a}` is no mail address of ASCII letters") }),
        };
        let envelope = Envelope::new(Some(parse(address)?), vec![parse(to)?])
            .map_err(|_| SendError::Never { reason: "there is no recipient".into() })?;
        let signed = self.signer.as_ref().map(|signer| signer.sign(bytes));
        let bytes = signed.as_deref().unwrap_or(bytes);
        let mut reasons = Vec::new();
        let mut for_good = !self.relays.is_empty();
        let (rested, resting): (Vec<&Relay>, Vec<&Relay>) = self.relays.iter().partition(|r| !r.rests());
        for relay in rested.into_iter().chain(resting) {
            match relay.take(&envelope, bytes).await {
                Ok(()) => return Ok(Accepted { relay: relay.name.clone() }),
                Err(refusal) => {
                    for_good &= refusal.verdict == Verdict::Never;
                    reasons.push(format!("{}: {}", relay.name, refusal.why));
                }
            }
        }
        let reason = reasons.join("; ");
        if for_good { Err(SendError::Never { reason }) } else { Err(SendError::Later { reason }) }
    }
}

#[cfg(test)]
impl Relay {
    /// Gives it another name, as a resolver would that has lost the first.
    pub(super) fn rename(&mut self, host: &str) {
        self.address.host = host.to_owned();
    }

    /// Forgets where it was.
    pub(super) fn forget(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
