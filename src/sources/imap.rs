//! Mails in a mailbox of a mail server: newsletters, mailing lists, and what places without an API write to their members.
//!
//! Follows RFC 9051 and 3501 (`EXAMINE`, `UID SEARCH`, `UID FETCH` with `BODY.PEEK[]`): the mailbox is opened for reading
//! alone, nothing in it is moved, marked or taken. Mails are told apart by `UIDVALIDITY` and their UIDs. Where the server
//! offers `IDLE` (RFC 2177) it is listened to for some minutes at a time, so that a mail is here seconds after it came.

use std::collections::HashSet;
use std::time::Duration;

use async_imap::error::Error as ImapError;
use async_imap::extensions::idle::IdleResponse;
use async_imap::{Client, Session};
use futures_util::TryStreamExt;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout, timeout_at};

use super::bounds::MOST_REASONS;
use super::mail::{LONGEST, Letters};
use super::{Brought, Entry, FetchError, Fetching, Http, Kind, Source, settings};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::model::time::Span;
use crate::net::tls::{Bounded, Line, Trust};
use crate::text::clean::one_line;

/// Mails in a mailbox.
pub const KIND: Kind = Kind {
    name: "imap",
    about: "mails in a mailbox of a mail server: newsletters, mailing lists, notices of places that have no API",
    entry: Entry::Open,
    every: Some(Span::mins(1)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "imap"
name = "inbox"
host = "imap.example.org"
user = "alerts@example.org"
password = { credential = "imap" }    # where the server asks for more than a password, one made for apps
folder = "INBOX"                      # the default; it is only read, nothing in it is marked or moved
history = "90d"                       # mails of so long before the first look are read as history; all where it is not told
network = "mail"                      # the default; news for newsletters, forum for mailing lists
language = "sv"                       # where all mails have one
every = "1m"                          # the default; where the server offers IDLE a mail is here as soon as it comes
port = 993                            # the default
tls = "required"                      # the default; "none" on this machine alone
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# ca_file = "/etc/ssl/own.pem"        # one more authority to trust, for a server with a certificate of one's own making"#;

/// Mails of one fetch, and bytes of them all; where there are more, the next follows at once.
const MOST: usize = 200;
const MOST_BYTES: u64 = 32 << 20;
/// All that may come over the line in one fetch.
const MOST_COMES: usize = 96 << 20;
/// One command and its answer take no longer than this.
const PATIENCE: Duration = Duration::from_secs(60);
/// Mails are carried over for so long in one fetch; what has come by then is kept, and the next goes on behind it.
const CARRY: Duration = Duration::from_secs(4 * 60);
/// A server is listened to for so long in one fetch.
const LISTEN: Duration = Duration::from_secs(4 * 60);
/// One that lets nobody listen for this long is not asked again at once.
const LISTENED: Duration = Duration::from_secs(30);
/// Saying good-bye is polite, and waited for no longer than this.
const FAREWELL: Duration = Duration::from_secs(2);

/// How far the mailbox has been read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    /// Server, user and folder; others begin anew.
    mailbox: String,
    /// While the server says the same, UIDs mean the same mails.
    validity: u32,
    /// The first UID that has not been read.
    next: u32,
    /// What was there at the first look is history up to this UID; 0 once it is read.
    history: u32,
}

struct Imap {
    line: Line,
    user: String,
    password: SecretRef,
    folder: String,
    history: Option<Span>,
    letters: Letters,
}

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let host = form.must_text("host");
    let port = form.number("port", 1..=65_535).map_or(993, |p| p.value);
    let user = form.must_text("user").map(|u| u.value);
    let password = settings::must_secret(form, "password");
    let folder = form.text("folder");
    let history = form.span("history").map(|h| h.value);
    let network = form.text("network").map_or_else(|| "mail".to_owned(), |n| n.value);
    let language = form.text("language").map(|l| l.value);
    let ca_file = form.has("ca_file").then(|| settings::path(form, "ca_file")).flatten();
    form.text("ca_file");
    let tls = form.choice("tls", &["required", "none"], |w| match w {
        "required" => Some(true),
        "none" => Some(false),
        _ => None,
    });
    let allow = settings::allow(form, house);
    let host = host?;
    if !host.value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':')) {
        form.desk.error(host.span, "`host` is no name of a host", "write for example \"imap.example.org\"");
        return None;
    }
    let home = matches!(host.value.as_str(), "localhost" | "127.0.0.1" | "::1");
    if let Some(tls) = tls.as_ref().filter(|tls| !tls.value && !home) {
        let help = "leave `tls` out; it may be \"none\" for a server on this machine";
        form.desk.error(tls.span.clone(), "without TLS everybody on the way reads the password", help);
    }
    if let Some(folder) = folder.as_ref().filter(|f| !f.value.is_ascii() || f.value.chars().any(char::is_control)) {
        let help = "write it as the server lists it, such as \"Entw&APw-rfe\"";
        form.desk.error(folder.span.clone(), "`folder` is written in ASCII letters (modified UTF-7)", help);
    }
    let port = u16::try_from(port).unwrap_or(993);
    let (tls, trust) = (tls.is_none_or(|t| t.value), Trust::default());
    let line = Line { scheme: "imap", host: host.value, port, tls, ca_file, allow, trust };
    let folder = folder.map_or_else(|| "INBOX".to_owned(), |f| f.value);
    let letters = Letters { network, language };
    Some(Box::new(Imap { line, user: user?, password: password?, folder, history, letters }))
}

impl Source for Imap {
    fn fetch<'a>(&'a self, _: &'a Http, cursor: &'a serde_json::Value, now: Timestamp) -> Fetching<'a> {
        Box::pin(async move {
            let cursor: Cursor = serde_json::from_value(cursor.clone()).unwrap_or_default();
            self.visit(cursor, now).await
        })
    }
}

type Open = Session<Bounded>;

/// What is in the mailbox at the moment.
struct Mailbox {
    validity: u32,
    /// The UID that the next mail will have, where the server says so.
    next: Option<u32>,
}

impl Imap {
    async fn visit(&self, mut cursor: Cursor, now: Timestamp) -> Result<Brought, FetchError> {
        let (mut session, mailbox, listens) = self.within("answer", self.enter()).await?;
        let name = format!("{} {} {}", self.line.place(), self.user, self.folder);
        let anew = cursor.mailbox != name || cursor.validity != mailbox.validity;
        if anew {
            cursor = Cursor { mailbox: name, validity: mailbox.validity, next: 1, history: 0 };
            let begin = self.within("search", self.begin(&mut session, now)).await?;
            let newest = self.within("search", self.newest(&mut session)).await?;
            cursor.history = mailbox.next.map_or(newest, |next| next.saturating_sub(1)).max(newest);
            cursor.next = begin.unwrap_or(cursor.history.saturating_add(1));
        }
        let mut brought = Brought { anew, ..Brought::default() };
        let until = Instant::now() + LISTEN;
        let began = Instant::now();
        loop {
            self.batch(&mut session, &mut cursor, &mut brought).await?;
            let told = !brought.captures.is_empty() || brought.more || brought.skipped_total > 0;
            if told || brought.anew || !listens || Instant::now() >= until {
                break;
            }
            session = match self.listen(session, until).await? {
                Some(session) => session,
                None => {
                    brought.cursor = serde_json::to_value(&cursor).unwrap_or_default();
                    return Ok(brought);
                }
            };
        }
        // Whoever was listened to is listened to again: the rest is between two lines only.
        brought.more |= listens && !brought.anew && began.elapsed() >= LISTENED;
        timeout(FAREWELL, session.logout()).await.ok();
        brought.cursor = serde_json::to_value(&cursor).unwrap_or_default();
        Ok(brought)
    }

    /// Bounds the time of an exchange.
    async fn within<T>(
        &self,
        phase: &'static str,
        work: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        let late = |_| FetchError::Timeout { place: self.line.place(), phase };
        timeout(PATIENCE, work).await.map_err(late)?
    }

    /// Connects, signs in and opens the mailbox for reading; whether the server lets people listen.
    async fn enter(&self) -> Result<(Open, Mailbox, bool), FetchError> {
        let password = self.password.fetch()?;
        let mut client = Client::new(self.line.connect(MOST_COMES).await?);
        if client.read_response().await.map_err(|e| self.failed(e.into()))?.is_none() {
            return Err(self.failed(ImapError::ConnectionLost));
        }
        let entered = client.login(&self.user, password.expose_secret()).await;
        let mut session = entered.map_err(|(e, _)| self.denied(e, password.expose_secret()))?;
        let listens = session.capabilities().await.map_err(|e| self.failed(e))?.has_str("IDLE");
        let mailbox = session.examine(&self.folder).await.map_err(|e| match e {
            ImapError::No(words) => {
                self.wrong(format!("the folder `{}` cannot be opened: {}", self.folder, said(&words)))
            }
            e => self.failed(e),
        })?;
        let validity = mailbox.uid_validity.unwrap_or(0);
        Ok((session, Mailbox { validity, next: mailbox.uid_next }, listens))
    }

    /// Why nobody is let in, without the password: some servers repeat what they were told.
    fn denied(&self, e: ImapError, password: &str) -> FetchError {
        match e {
            ImapError::No(words) | ImapError::Bad(words) => {
                let words = one_line(&without(&unescaped(&words), password), 200);
                FetchError::Denied { place: self.line.place(), words }
            }
            // An answer that cannot be read is shown with all that came.
            e => {
                let shown = unescaped(&e.to_string());
                let repeats = without(&shown, password) != shown;
                if repeats { self.wrong("this is no answer of an IMAP server".into()) } else { self.failed(e) }
            }
        }
    }

    fn failed(&self, e: ImapError) -> FetchError {
        let place = self.line.place();
        match e {
            ImapError::No(words) | ImapError::Bad(words) => self.wrong(format!("the server refuses: {}", said(&words))),
            ImapError::Io(e) => FetchError::Broken { place, source: e.into() },
            ImapError::ConnectionLost => FetchError::Broken { place, source: "the server ended the connection".into() },
            e => self.wrong(format!("this is no answer of an IMAP server: {}", one_line(&e.to_string(), 200))),
        }
    }

    fn wrong(&self, reason: String) -> FetchError {
        FetchError::Unreadable { place: self.line.place(), reason }
    }

    /// The first UID of the history that is wanted; `None` where there is none.
    async fn begin(&self, session: &mut Open, now: Timestamp) -> Result<Option<u32>, FetchError> {
        let Some(history) = self.history else { return Ok(Some(1)) };
        let since = (now - history).strftime("SINCE %-d-%b-%Y").to_string();
        let found = session.uid_search(since).await.map_err(|e| self.failed(e))?;
        Ok(found.into_iter().min())
    }

    async fn newest(&self, session: &mut Open) -> Result<u32, FetchError> {
        let found = session.uid_search("UID *").await.map_err(|e| self.failed(e))?;
        Ok(found.into_iter().max().unwrap_or(0))
    }

    /// Reads mails that are new, the oldest first. History is never in one fetch with what came since.
    async fn batch(&self, session: &mut Open, cursor: &mut Cursor, brought: &mut Brought) -> Result<(), FetchError> {
        let found = self.within("search", self.since(session, cursor.next)).await?;
        // `*` is the last mail, also where that has been read.
        let mut found: Vec<u32> = found.into_iter().filter(|uid| *uid >= cursor.next).collect();
        found.sort_unstable();
        let newest = found.last().copied().unwrap_or(0);
        let history = found.iter().take_while(|uid| **uid <= cursor.history).count();
        if history > 0 {
            brought.anew = true;
            found.truncate(history);
        }
        found.truncate(MOST);
        let (mut wanted, mut bytes) = (Vec::new(), 0u64);
        // What is taken away between two looks has no size.
        let mut next = found.last().map_or(cursor.next, |uid| uid.saturating_add(1));
        for (uid, size) in self.within("sizes", self.sizes(session, &found)).await? {
            bytes = bytes.saturating_add(size.min(LONGEST));
            if bytes > MOST_BYTES && !wanted.is_empty() {
                next = uid;
                break;
            }
            match size > LONGEST {
                true => skip(brought, uid, &format!("it has more than {LONGEST} bytes")),
                false => wanted.push(uid),
            }
        }
        if let Some(unread) = self.bodies(session, &wanted, brought).await? {
            next = unread;
        }
        cursor.next = next;
        brought.more = newest >= next;
        if next > cursor.history || history == 0 {
            cursor.history = 0;
        }
        Ok(())
    }

    /// The UIDs from this one on, and the last.
    async fn since(&self, session: &mut Open, next: u32) -> Result<HashSet<u32>, FetchError> {
        session.uid_search(format!("UID {}:*", next.max(1))).await.map_err(|e| self.failed(e))
    }

    /// How long mails are, in the order of their UIDs.
    async fn sizes(&self, session: &mut Open, uids: &[u32]) -> Result<Vec<(u32, u64)>, FetchError> {
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let answers = session.uid_fetch(listed(uids), "(UID RFC822.SIZE)").await.map_err(|e| self.failed(e))?;
        let answers: Vec<_> = answers.try_collect().await.map_err(|e| self.failed(e))?;
        let own = answers.iter().filter_map(|f| Some((f.uid?, u64::from(f.size.unwrap_or(0)))));
        let mut sizes: Vec<(u32, u64)> = own.filter(|(uid, _)| uids.contains(uid)).collect();
        sizes.sort_unstable();
        sizes.dedup_by_key(|(uid, _)| *uid);
        Ok(sizes)
    }

    /// Reads mails; the first that had not come where it took too long, and some had.
    async fn bodies(&self, session: &mut Open, uids: &[u32], brought: &mut Brought) -> Result<Option<u32>, FetchError> {
        if uids.is_empty() {
            return Ok(None);
        }
        let until = Instant::now() + CARRY;
        let late = || FetchError::Timeout { place: self.line.place(), phase: "mails" };
        let asked = timeout_at(until, session.uid_fetch(listed(uids), "(UID BODY.PEEK[])")).await;
        let mut answers = asked.map_err(|_| late())?.map_err(|e| self.failed(e))?;
        let mut mails: Vec<(u32, Vec<u8>)> = Vec::new();
        let mut unread = None;
        loop {
            match timeout_at(until, answers.try_next()).await {
                Ok(answer) => {
                    let Some(answer) = answer.map_err(|e| self.failed(e))? else { break };
                    if let (Some(uid), Some(body)) = (answer.uid.filter(|uid| uids.contains(uid)), answer.body()) {
                        mails.push((uid, body.to_vec()));
                    }
                }
                Err(_) if mails.is_empty() => return Err(late()),
                Err(_) => {
                    unread = uids.iter().copied().find(|uid| mails.iter().all(|(came, _)| came != uid));
                    break;
                }
            }
        }
        // Away from the threads that serve the network.
        let letters = self.letters.clone();
        let read = move || mails.into_iter().map(|(uid, body)| (uid, letters.read(&body))).collect::<Vec<_>>();
        let read = tokio::task::spawn_blocking(read).await;
        for (uid, read) in read.map_err(|_| self.wrong("reading a mail failed inside the mail reader".into()))? {
            match read {
                Ok(capture) => brought.captures.extend(capture),
                Err(why) => skip(brought, uid, why),
            }
        }
        Ok(unread)
    }

    /// Waits until something happens in the mailbox, or until then; `None` where the server broke off meanwhile.
    async fn listen(&self, session: Open, until: Instant) -> Result<Option<Open>, FetchError> {
        let mut idle = session.idle();
        self.within("IDLE", async { idle.init().await.map_err(|e| self.failed(e)) }).await?;
        let heard = {
            let (heard, _stop) = idle.wait_with_timeout(LISTEN);
            timeout_at(until, heard).await
        };
        match heard {
            Ok(Err(_)) | Ok(Ok(IdleResponse::ManualInterrupt)) => return Ok(None),
            Ok(Ok(IdleResponse::NewData(_) | IdleResponse::Timeout)) | Err(_) => {}
        }
        // A server that is tired of us has told all there was to tell.
        Ok(timeout(PATIENCE, idle.done()).await.ok().and_then(Result::ok))
    }
}

/// What a server said for people, of a refusal as the client tells it: `code: None, info: Some("…")`, or longer.
fn said(words: &str) -> String {
    one_line(&unescaped(words), 200)
}

/// The same, however long it is.
fn unescaped(words: &str) -> String {
    let info = words.split_once("info").and_then(|(_, rest)| rest.split_once("Some(\""));
    let info = info.and_then(|(_, rest)| rest.rsplit_once("\")")).map(|(info, _)| info);
    info.unwrap_or(words).replace("\\\"", "\"").replace("\\\\", "\\")
}

/// A text without a password, as it is or as IMAP quotes it.
fn without(text: &str, password: &str) -> String {
    let quoted = password.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace(&quoted, "…").replace(password, "…")
}

/// UIDs as commands list them.
fn listed(uids: &[u32]) -> String {
    uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

fn skip(brought: &mut Brought, uid: u32, why: &str) {
    brought.skipped_total += 1;
    if brought.skipped.len() < MOST_REASONS {
        brought.skipped.push(format!("mail {uid}: {why}"));
    }
}

#[cfg(test)]
mod tests;
