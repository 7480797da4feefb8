//! Relays as they are in the world: a server that follows a script, one fault of reliability at a time (F20 to F30), and
//! what mails carry so that no machine answers them.
#![allow(clippy::disallowed_methods, reason = "relays of the tests run beside them")]

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::relay::Patience;
use super::*;
use crate::config::relay::RelayAddress;

/// What a relay answers: by verb, one answer for each time it is said, the last one for ever. Besides lines there are
/// `hang` (nothing more comes), `drip` (a byte now and then) and `drop` (the connection ends).
#[derive(Debug, Clone, Default)]
struct Script(HashMap<&'static str, VecDeque<&'static str>>);

impl Script {
    fn on(mut self, verb: &'static str, answers: &[&'static str]) -> Script {
        self.0.insert(verb, answers.iter().copied().collect());
        self
    }

    fn answer(&mut self, verb: &str) -> &'static str {
        let usual = match verb {
            "BANNER" => "220 relay.test ESMTP",
            "EHLO" => "250-relay.test\r\n250 8BITMIME",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            "STARTTLS" => "220 go on",
            _ => "250 ok",
        };
        match self.0.get_mut(verb) {
            Some(answers) if answers.len() > 1 => answers.pop_front().unwrap_or(usual),
            Some(answers) => answers.front().copied().unwrap_or(usual),
            None => usual,
        }
    }
}

/// A relay on loopback.
struct Scripted {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// What was said to it, without the lines of mails.
    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("whole").clone()
    }

    fn count(&self, line: &str) -> usize {
        self.heard().iter().filter(|l| *l == line).count()
    }

    fn at(&self, query: &str) -> Relay {
        self.with(&format!("smtp://127.0.0.1:{}?tls={query}", self.port), None, None)
    }

    fn plain(&self) -> Relay {
        self.at("none")
    }

    fn with(&self, url: &str, password: Option<&str>, ca: Option<&PathBuf>) -> Relay {
        let address = RelayAddress::parse(url).expect("an address");
        let user = password.map(|_| "alerts".to_owned());
        let password = password.map(|p| SecretString::from(p.to_owned()));
        let mut relay = Relay::new(&address, user, password, ca.map(PathBuf::as_path)).expect("a relay");
        let (short, long) = (Duration::from_millis(300), Duration::from_millis(900));
        relay.patience = Patience { step: short, data: short, whole: long, quit: Duration::from_millis(100) };
        relay
    }
}

/// Starts a relay; `tls` is what it speaks after STARTTLS, or from the first byte.
async fn relay(script: Script, tls: Option<(TlsAcceptor, bool)>) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let (kept, script) = (heard.clone(), Arc::new(Mutex::new(script)));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (script, kept, tls) = (script.clone(), kept.clone(), tls.clone());
            tokio::spawn(async move {
                match tls {
                    Some((acceptor, true)) => match acceptor.accept(stream).await {
                        Ok(stream) => drop(converse(stream, &script, &kept, true).await),
                        Err(_) => kept.lock().expect("whole").push("no TLS".into()),
                    },
                    Some((acceptor, false)) => {
                        if let Some(stream) = converse(stream, &script, &kept, true).await {
                            match acceptor.accept(stream).await {
                                Ok(stream) => drop(converse(stream, &script, &kept, false).await),
                                Err(_) => kept.lock().expect("whole").push("no TLS".into()),
                            }
                        }
                    }
                    None => drop(converse(stream, &script, &kept, true).await),
                }
            });
        }
    });
    Scripted { port, heard }
}

/// Speaks by the script until the connection ends; gives the stream back where TLS begins.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    script: &Mutex<Script>,
    heard: &Mutex<Vec<String>>,
    banner: bool,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    let mut verb = "BANNER".to_owned();
    let mut silent = !banner;
    loop {
        if !silent {
            let answer = script.lock().expect("whole").answer(&verb);
            match answer {
                "hang" => tokio::time::sleep(Duration::from_secs(60)).await,
                "drip" => loop {
                    stream.get_mut().write_all(b"2").await.ok()?;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                },
                "drop" => return None,
                line => stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.ok()?,
            }
            if verb == "STARTTLS" && answer.starts_with('2') {
                return Some(stream.into_inner());
            }
            if verb == "DATA" && answer.starts_with('3') {
                while line(&mut stream).await? != "." {}
                verb = "DOT".to_owned();
                heard.lock().expect("whole").push(verb.clone());
                continue;
            }
        }
        silent = false;
        let said = line(&mut stream).await?;
        verb = said.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        heard.lock().expect("whole").push(if verb == "AUTH" { said } else { verb.clone() });
    }
}

async fn line<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>) -> Option<String> {
    let mut line = String::new();
    let n = stream.read_line(&mut line).await.ok()?;
    (n > 0).then(|| line.trim_end().to_owned())
}

async fn send(relays: Vec<Relay>) -> Result<Accepted, SendError> {
    Mailer::new(relays).send("vakt <v@acme.example>", "a@acme.example", b"Subject: x\r\n\r\nhi\r\n").await
}

/// What became of a mail by one relay with a script, and the relay.
async fn by(script: Script) -> (Result<Accepted, SendError>, Scripted) {
    let relay = relay(script, None).await;
    (send(vec![relay.plain()]).await, relay)
}

fn later(sent: &Result<Accepted, SendError>, says: &str) -> bool {
    matches!(sent, Err(SendError::Later { reason }) if reason.contains(says))
}

#[tokio::test]
async fn f20_f22_refused_for_now_and_greylisted_is_tried_later() {
    for (verb, answer) in [
        ("MAIL", "451 4.3.0 try again later"),
        ("RCPT", "450 4.2.0 greylisted, try again in five minutes"),
        ("RCPT", "421 4.7.0 too many connections"),
        ("DATA", "451 4.3.0 out of space"),
        ("DOT", "452 4.3.1 queue is full"),
    ] {
        let (sent, _) = by(Script::default().on(verb, &[answer])).await;
        assert!(later(&sent, answer.split(' ').nth(1).unwrap_or_default()), "{verb}: {sent:?}");
    }
    // The same sender and recipient come back, and are taken.
    let grey = relay(Script::default().on("RCPT", &["450 4.2.0 greylisted", "250 ok"]), None).await;
    assert!(later(&send(vec![grey.plain()]).await, "greylisted"));
    assert!(send(vec![grey.plain()]).await.is_ok());
}

#[tokio::test]
async fn f21_refused_for_good_is_tried_at_the_fallback_once() {
    for verb in ["MAIL", "RCPT", "DATA", "DOT"] {
        let (sent, first) = by(Script::default().on(verb, &["550 5.1.1 no such user"])).await;
        assert!(
            matches!(&sent, Err(SendError::Never { reason }) if reason.contains("no such user")),
            "{verb}: {sent:?}"
        );
        assert_eq!(first.count("MAIL"), 1);
    }
    let no = || Script::default().on("RCPT", &["550 5.1.1 no such user"]);
    let (a, b) = (relay(no(), None).await, relay(Script::default(), None).await);
    assert_eq!(send(vec![a.plain(), b.plain()]).await.map(|a| a.relay), Ok(format!("127.0.0.1:{}", b.port)));
    let (c, d) = (relay(no(), None).await, relay(Script::default().on("RCPT", &["450 later"]), None).await);
    assert!(later(&send(vec![c.plain(), d.plain()]).await, "450"), "one of them may still take it");
}

#[tokio::test]
async fn f23_a_relay_that_says_nothing_or_little_is_left_for_the_fallback() {
    let steps = ["BANNER", "EHLO", "MAIL", "RCPT", "DATA", "DOT"];
    let cases = steps.iter().flat_map(|verb| ["hang", "drip"].map(|manner| (*verb, manner)));
    let tried = cases.map(|(verb, manner)| async move {
        let slow = relay(Script::default().on(verb, &[manner]), None).await;
        let good = relay(Script::default(), None).await;
        let began = Instant::now();
        let sent = send(vec![slow.plain(), good.plain()]).await;
        assert_eq!(sent.map(|a| a.relay), Ok(format!("127.0.0.1:{}", good.port)), "{verb} {manner}");
        assert!(began.elapsed() < Duration::from_secs(2), "{verb} {manner}: {:?}", began.elapsed());
    });
    futures_util::future::join_all(tried).await;
    // One step after the other may take its time; all of it may not.
    assert!(Patience::default().whole < Duration::from_secs(90));
}

#[tokio::test]
async fn f23_a_relay_that_is_down_holds_up_one_message_and_not_every_one() {
    let slow = relay(Script::default().on("BANNER", &["hang", "220 here again"]), None).await;
    let good = relay(Script::default(), None).await;
    let mailer = Mailer::new(vec![slow.plain(), good.plain()]);
    let send = async || mailer.send("v@acme.example", "a@acme.example", b"Subject: x\r\n\r\n").await;
    assert!(send().await.is_ok());
    let began = Instant::now();
    assert!(send().await.is_ok_and(|a| a.relay.ends_with(&good.port.to_string())));
    assert!(began.elapsed() < Duration::from_millis(250), "{:?}", began.elapsed());
    // What is refused is no reason to rest: the next mail may be another matter.
    let picky = relay(Script::default().on("RCPT", &["550 no", "250 ok"]), None).await;
    let mailer = Mailer::new(vec![picky.plain(), good.plain()]);
    let send = async || mailer.send("v@acme.example", "a@acme.example", b"Subject: x\r\n\r\n").await;
    assert!(send().await.is_ok_and(|a| a.relay.ends_with(&good.port.to_string())));
    assert!(send().await.is_ok_and(|a| a.relay.ends_with(&picky.port.to_string())));
}

#[tokio::test]
async fn f23_a_relay_that_has_taken_it_and_keeps_its_goodbye_to_itself_has_taken_it() {
    for manner in ["hang", "drip", "drop", "500 what"] {
        let (sent, relay) = by(Script::default().on("QUIT", &[manner])).await;
        assert!(sent.is_ok(), "{manner}: {sent:?}");
        assert_eq!(relay.count("DOT"), 1);
    }
}

#[tokio::test]
async fn f24_a_connection_that_ends_before_the_250_leaves_it_unknown_and_it_is_sent_again() {
    for verb in ["BANNER", "EHLO", "MAIL", "RCPT", "DATA", "DOT"] {
        let (sent, _) = by(Script::default().on(verb, &["drop"])).await;
        assert!(matches!(sent, Err(SendError::Later { .. })), "{verb}: {sent:?}");
    }
}

#[tokio::test]
async fn what_a_relay_says_of_us_is_no_verdict_on_a_message() {
    for (verb, answer) in [("BANNER", "554 5.7.1 you are on a list"), ("EHLO", "550 go away")] {
        let (sent, relay) = by(Script::default().on(verb, &[answer])).await;
        assert!(later(&sent, "5"), "{verb}: {sent:?}");
        assert_eq!(relay.count("MAIL"), 0);
    }
    let gone = Scripted { port: 1, heard: Arc::default() };
    assert!(later(&send(vec![gone.plain()]).await, "127.0.0.1:1: "));
}

#[tokio::test]
async fn f27_without_the_tls_that_is_asked_for_nothing_is_sent() {
    // Somebody in between takes STARTTLS out of the answer.
    let stripped = relay(Script::default(), None).await;
    let sent = send(vec![stripped.at("required")]).await;
    assert!(later(&sent, "offers no STARTTLS"), "{sent:?}");
    assert_eq!(stripped.heard(), ["EHLO"]);
    // It is announced and then refused.
    let offers = Script::default().on("EHLO", &["250-relay.test\r\n250 STARTTLS"]);
    let refuses = relay(offers.on("STARTTLS", &["454 4.7.0 not now"]), None).await;
    assert!(later(&send(vec![refuses.at("required")]).await, "454") || refuses.count("MAIL") == 0);
    assert_eq!(refuses.count("MAIL"), 0);
    // A password does not go where a mail may.
    let auth = Script::default().on("EHLO", &["250-relay.test\r\n250 AUTH PLAIN LOGIN"]);
    let open = relay(auth, None).await;
    let url = format!("smtp://127.0.0.1:{}?tls=opportunistic", open.port);
    let sent = send(vec![open.with(&url, Some("hunter2"), None)]).await;
    assert!(later(&sent, "the password is not sent"), "{sent:?}");
    assert_eq!(open.heard(), ["EHLO"]);
    assert!(send(vec![open.at("opportunistic")]).await.is_ok(), "without a password it is the operator's choice");
}

/// A certificate authority's file, and what a server of `127.0.0.1` needs, valid between two years.
fn certified(dir: &tempfile::TempDir, names: &[&str], years: (i32, i32)) -> (PathBuf, TlsAcceptor) {
    let mut authority = CertificateParams::new(vec![]).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("signed");
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let mut leaf = CertificateParams::new(names).expect("parameters");
    leaf.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    leaf.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = leaf.signed_by(&key, &authority).expect("signed");
    let pem = dir.path().join(format!("{}-{}.pem", years.0, years.1));
    std::fs::write(&pem, authority.pem()).expect("written");
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .expect("a server");
    (pem, TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test]
async fn f27_certificates_are_looked_at() {
    let dir = tempfile::tempdir().expect("a folder");
    let script = || {
        Script::default()
            .on("EHLO", &["250-relay.test\r\n250-STARTTLS\r\n250 AUTH PLAIN"])
            .on("AUTH", &["235 2.7.0 welcome"])
    };
    for implicit in [false, true] {
        let url = |port: u16| match implicit {
            true => format!("smtps://127.0.0.1:{port}"),
            false => format!("smtp://127.0.0.1:{port}?tls=required"),
        };
        let (ca, tls) = certified(&dir, &["127.0.0.1"], (2020, 2120));
        let good = relay(script(), Some((tls.clone(), implicit))).await;
        let sent = send(vec![good.with(&url(good.port), Some("hunter2"), Some(&ca))]).await;
        assert!(sent.is_ok(), "{sent:?}");
        let heard = good.heard();
        let auth = heard.iter().position(|l| l.starts_with("AUTH PLAIN ")).expect("it signs in");
        let tls_begins = heard.iter().position(|l| l == "STARTTLS");
        assert!(implicit || tls_begins.is_some_and(|at| at < auth), "{heard:?}");

        // One that nobody vouches for, an expired one, and one of another name: no password and no mail.
        let (expired_ca, expired) = certified(&dir, &["127.0.0.1"], (2020, 2021));
        let (other_ca, other) = certified(&dir, &["mail.other.example"], (2020, 2121));
        for (tls, ca) in [(tls, None), (expired, Some(&expired_ca)), (other, Some(&other_ca))] {
            let bad = relay(script(), Some((tls, implicit))).await;
            let sent = send(vec![bad.with(&url(bad.port), Some("hunter2"), ca)]).await;
            assert!(matches!(&sent, Err(SendError::Later { reason }) if !reason.contains("hunter2")), "{sent:?}");
            let heard = bad.heard();
            assert!(!heard.iter().any(|l| l.starts_with("AUTH") || l == "MAIL"), "{heard:?}");
        }
    }
}

#[tokio::test]
async fn f27_a_wrong_password_holds_mails_back_until_people_mend_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ca, tls) = certified(&dir, &["127.0.0.1"], (2020, 2120));
    let script = Script::default()
        .on("EHLO", &["250-relay.test\r\n250 AUTH PLAIN"])
        .on("AUTH", &["535 5.7.8 wrong password", "235 2.7.0 welcome"]);
    let relay = relay(script, Some((tls, true))).await;
    let at = || relay.with(&format!("smtps://127.0.0.1:{}", relay.port), Some("hunter2"), Some(&ca));
    let sent = send(vec![at()]).await;
    assert!(later(&sent, "5.7.8") && !format!("{sent:?}").contains("hunter2"), "{sent:?}");
    assert_eq!(relay.count("MAIL"), 0);
    assert!(send(vec![at()]).await.is_ok());
}

#[tokio::test]
async fn f28_a_name_that_leads_nowhere_for_a_while_leads_where_it_did() {
    let server = relay(Script::default(), None).await;
    let url = format!("smtp://localhost:{}?tls=none", server.port);
    let mut relay = server.with(&url, None, None);
    assert!(relay.greet().await.is_ok());
    relay.rename("no-such-relay.invalid");
    assert!(relay.greet().await.is_ok(), "where it was yesterday");
    assert_eq!(server.count("MAIL"), 0, "a greeting sends nothing");
    relay.forget();
    let gone = relay.greet().await;
    assert!(gone.as_ref().is_err_and(|why| why.contains("its name is not found")), "{gone:?}");
}

#[tokio::test]
async fn f29_mails_are_seven_bits_and_ask_nothing_of_a_relay() {
    let bare = Script::default().on("EHLO", &["250 relay.test"]);
    let relay = relay(bare, None).await;
    let letter = crate::channels::letter::tests::composed(&[]);
    let maria = crate::channels::letter::tests::maria();
    let person = Person { full_name: "Åsa Öström 🔥".into(), ..maria };
    let bytes = envelope_bytes(&letter, "Väktaren <v@acme.example>", &person, Timestamp::UNIX_EPOCH).expect("a mail");
    assert!(bytes.is_ascii());
    assert!(bytes.split(|b| *b == b'\n').all(|l| l.len() < 998), "no line is too long for SMTP");
    let mailer = Mailer::new(vec![relay.plain()]);
    assert!(mailer.send("Väktaren <v@acme.example>", &person.email, &bytes).await.is_ok());
    let eight = mailer.send("v@acme.example", "a@acme.example", "Subject: å\r\n\r\n".as_bytes()).await;
    assert!(matches!(&eight, Err(SendError::Never { reason }) if reason.contains("eight bits")), "{eight:?}");
    let foreign = mailer.send("v@acme.example", "å@acme.example", b"Subject: x\r\n\r\n").await;
    assert!(matches!(&foreign, Err(SendError::Never { reason }) if reason.contains("ASCII")), "{foreign:?}");
}

#[tokio::test]
async fn f30_a_relay_that_takes_so_many_a_minute_sends_the_rest_to_the_fallback() {
    let limited = Script::default().on("MAIL", &["250 ok", "250 ok", "450 4.7.1 rate limit exceeded"]);
    let (limited, free) = (relay(limited, None).await, relay(Script::default(), None).await);
    let mut takers = Vec::new();
    for _ in 0..4 {
        takers.push(send(vec![limited.plain(), free.plain()]).await.expect("taken").relay);
    }
    let of = |port: u16| takers.iter().filter(|t| t.ends_with(&format!(":{port}"))).count();
    assert_eq!((of(limited.port), of(free.port)), (2, 2));
}

#[test]
fn no_machine_answers_our_mails() {
    let letter = crate::channels::letter::tests::composed(&[]);
    let maria = crate::channels::letter::tests::maria();
    let long = envelope_bytes(&letter, "vakt <v@acme.example>", &maria, Timestamp::UNIX_EPOCH).expect("a mail");
    let short = crate::channels::short::test("m1@acme.example", "", Timestamp::UNIX_EPOCH);
    let short = short_bytes(&short, "m1@acme.example", "vakt <v@acme.example>", &maria.email).expect("a mail");
    for mail in [long, short] {
        let parsed = mail_parser::MessageParser::default().parse(&mail).expect("a mail");
        let header = |name: &str| parsed.header(name).and_then(|h| h.as_text()).map(str::to_owned);
        // RFC 3834 asks answering machines to leave these alone; Exchange goes by the second, list servers by the third.
        assert_eq!(header("Auto-Submitted").as_deref(), Some("auto-generated"));
        assert_eq!(header("X-Auto-Response-Suppress").as_deref(), Some("All"));
        assert!(parsed.header("List-Id").is_some());
        assert!(parsed.message_id().is_some() && parsed.date().is_some());
        // Nothing asks for a receipt, which would be an answer too.
        for asks in ["Disposition-Notification-To", "Return-Receipt-To", "X-Confirm-Reading-To"] {
            assert!(parsed.header(asks).is_none(), "{asks}");
        }
    }
}
