//! A mailbox on a scripted server: what is asked of it, what is read, and what it may do wrong.
#![allow(clippy::disallowed_methods, reason = "servers of the tests run beside them")]

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::config::Sheet;
use crate::config::fault::Fault;
use crate::net::Allow;
use crate::sources::Limits;

/// A mailbox as its server holds it.
struct Held {
    validity: u32,
    mails: Vec<(u32, Vec<u8>)>,
    idle: bool,
    password: &'static str,
    /// What was asked of it, without tags.
    asked: Vec<String>,
}

type Box = Arc<Mutex<Held>>;

fn plain(n: u32) -> Vec<u8> {
    format!("From: bo@b.example\r\nSubject: Mail {n}\r\nMessage-ID: <{n}@b.example>\r\n\r\nIt costs {n}\r\n")
        .into_bytes()
}

fn mailbox(uids: std::ops::RangeInclusive<u32>) -> Box {
    let mails = uids.map(|uid| (uid, plain(uid))).collect();
    Arc::new(Mutex::new(Held { validity: 1, mails, idle: false, password: "canary", asked: Vec::new() }))
}

/// Serves a mailbox by the few words that are asked of it; returns the port.
async fn serve(held: Box) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(attend(socket, held.clone()));
        }
    });
    port
}

async fn attend(socket: tokio::net::TcpStream, held: Box) {
    let (read, mut write) = socket.into_split();
    let mut lines = BufReader::new(read).lines();
    drop(write.write_all(b"* OK ready\r\n").await);
    while let Ok(Some(line)) = lines.next_line().await {
        let (tag, command) = line.split_once(' ').unwrap_or(("*", &line));
        held.lock().unwrap().asked.push(command.to_owned());
        if command == "IDLE" {
            drop(write.write_all(b"+ idling\r\n").await);
            let before = held.lock().unwrap().mails.len();
            let done = lines.next_line();
            tokio::pin!(done);
            loop {
                tokio::select! {
                    _ = &mut done => break,
                    () = tokio::time::sleep(Duration::from_millis(20)) => {
                        let now = held.lock().unwrap().mails.len();
                        if now > before {
                            drop(write.write_all(format!("* {now} EXISTS\r\n").as_bytes()).await);
                        }
                    }
                }
            }
            drop(write.write_all(format!("{tag} OK done\r\n").as_bytes()).await);
            continue;
        }
        let answer = answer(&held.lock().unwrap(), tag, command);
        if write.write_all(&answer).await.is_err() {
            return;
        }
    }
}

fn answer(held: &Held, tag: &str, command: &str) -> Vec<u8> {
    let words: Vec<&str> = command.split(' ').collect();
    let ok = format!("{tag} OK done\r\n");
    let search = |fits: &dyn Fn(u32) -> bool| {
        let found: Vec<String> =
            held.mails.iter().filter(|(uid, _)| fits(*uid)).map(|(uid, _)| uid.to_string()).collect();
        format!("* SEARCH {}\r\n{ok}", found.join(" ")).into_bytes()
    };
    let last = held.mails.last().map_or(0, |(uid, _)| *uid);
    match words.as_slice() {
        ["LOGIN", _, password] if password.trim_matches('"') == held.password => ok.into(),
        ["LOGIN", _, password] => format!("{tag} NO [AUTHENTICATIONFAILED] {password} is wrong\r\n").into(),
        ["CAPABILITY"] => format!("* CAPABILITY IMAP4rev1{}\r\n{ok}", if held.idle { " IDLE" } else { "" }).into(),
        ["EXAMINE", "\"INBOX\""] => {
            let (n, validity) = (held.mails.len(), held.validity);
            format!("* FLAGS (\\Seen)\r\n* {n} EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY {validity}] ok\r\n* OK [UIDNEXT {}] ok\r\n{tag} OK [READ-ONLY] done\r\n", last + 1).into()
        }
        ["EXAMINE", ..] => format!("{tag} NO there is none\r\n").into(),
        ["UID", "SEARCH", "UID", "*"] => search(&|uid| uid == last),
        ["UID", "SEARCH", "UID", range] => {
            let from: u32 = range.split(':').next().unwrap().parse().unwrap();
            search(&|uid| uid >= from || uid == last)
        }
        ["UID", "SEARCH", "SINCE", _] => search(&|uid| uid > 5),
        ["UID", "FETCH", set, rest @ ..] => {
            let mut out = Vec::new();
            for (n, (uid, mail)) in held.mails.iter().enumerate() {
                if !set.split(',').any(|one| one == uid.to_string()) {
                    continue;
                }
                let (seq, size) = (n + 1, if mail.starts_with(b"huge") { LONGEST as usize + 1 } else { mail.len() });
                match rest.join(" ").contains("SIZE") {
                    true => out.extend(format!("* {seq} FETCH (UID {uid} RFC822.SIZE {size})\r\n").bytes()),
                    false => {
                        out.extend(format!("* {seq} FETCH (UID {uid} BODY[] {{{}}}\r\n", mail.len()).bytes());
                        out.extend(mail);
                        out.extend(b")\r\n");
                    }
                }
            }
            out.extend(ok.bytes());
            out
        }
        ["LOGOUT"] => format!("* BYE\r\n{ok}").into(),
        _ => format!("{tag} BAD what\r\n").into(),
    }
}

fn imap(dir: &std::path::Path, port: u16) -> Imap {
    let file = dir.join("password");
    std::fs::write(&file, "canary\n").unwrap();
    let allow = Allow::parse(["127.0.0.0/8"]).unwrap();
    Imap {
        line: Line {
            scheme: "imap",
            host: "127.0.0.1".into(),
            port,
            tls: false,
            ca_file: None,
            allow,
            trust: Trust::default(),
        },
        user: "ann".into(),
        password: SecretRef::File(file),
        folder: "INBOX".into(),
        history: None,
        letters: Letters { network: "mail".into(), language: None },
    }
}

fn now() -> Timestamp {
    "2026-11-01T12:00:00Z".parse().unwrap()
}

async fn fetch(imap: &Imap, cursor: &mut serde_json::Value) -> Result<Brought, FetchError> {
    let http = Http::new("", Limits::default()).unwrap();
    let brought = imap.fetch(&http, cursor, now()).await?;
    *cursor = brought.cursor.clone();
    Ok(brought)
}

fn titles(brought: &Brought) -> Vec<&str> {
    brought.captures.iter().filter_map(|c| c.title.as_deref()).collect()
}

#[tokio::test]
async fn history_is_read_to_its_end_and_news_once() {
    let held = mailbox(1..=205);
    let dir = tempfile::tempdir().unwrap();
    let own = imap(dir.path(), serve(held.clone()).await);
    let mut cursor = serde_json::Value::Null;
    let first = fetch(&own, &mut cursor).await.unwrap();
    assert!(first.anew && first.more && first.captures.len() == MOST);
    assert_eq!(first.captures[0].native_id.as_deref(), Some("1@b.example"));
    // Something comes while the history is read.
    held.lock().unwrap().mails.push((300, plain(300)));
    let second = fetch(&own, &mut cursor).await.unwrap();
    assert!(second.anew && second.more && second.captures.len() == 5, "history and news are never in one");
    let third = fetch(&own, &mut cursor).await.unwrap();
    assert!(!third.anew && !third.more);
    assert_eq!(titles(&third), ["Mail 300"]);
    assert!(fetch(&own, &mut cursor).await.unwrap().captures.is_empty(), "the last is found again, and not read");
    // A mail that is too long, one that is gone between two looks, and one that is none.
    {
        let mails = &mut held.lock().unwrap().mails;
        mails.extend([(301, b"huge".to_vec()), (302, Vec::new()), (303, plain(303))]);
    }
    let odd = fetch(&own, &mut cursor).await.unwrap();
    assert_eq!(titles(&odd), ["Mail 303"]);
    assert!(odd.skipped.iter().any(|s| s.starts_with("mail 301: it has more than")), "{:?}", odd.skipped);
    // UIDs that mean other mails: it begins anew.
    held.lock().unwrap().validity = 2;
    let anew = fetch(&own, &mut cursor).await.unwrap();
    assert!(anew.anew && anew.captures.len() == MOST);
    let asked = held.lock().unwrap().asked.clone();
    assert!(
        asked.iter().all(|a| !a.starts_with("SELECT") && !a.contains("STORE") && !a.contains("BODY[]")),
        "only read"
    );
    assert!(asked.iter().any(|a| a.starts_with("EXAMINE")) && asked.iter().any(|a| a == "LOGIN \"ann\" \"canary\""));
    assert!(!cursor.to_string().contains("canary"));
}

#[tokio::test]
async fn history_may_be_short() {
    let held = mailbox(1..=8);
    let dir = tempfile::tempdir().unwrap();
    let own = Imap { history: Some(Span::days(90)), ..imap(dir.path(), serve(held.clone()).await) };
    let first = fetch(&own, &mut serde_json::Value::Null).await.unwrap();
    assert!(first.anew);
    assert_eq!(titles(&first), ["Mail 6", "Mail 7", "Mail 8"]);
    assert!(held.lock().unwrap().asked.iter().any(|a| a == "UID SEARCH SINCE 3-Aug-2026"));
    let held = mailbox(1..=3);
    let own = Imap { history: Some(Span::days(90)), ..imap(dir.path(), serve(held.clone()).await) };
    let mut cursor = serde_json::Value::Null;
    assert!(fetch(&own, &mut cursor).await.unwrap().captures.is_empty());
    held.lock().unwrap().mails.push((4, plain(4)));
    let news = fetch(&own, &mut cursor).await.unwrap();
    assert!(!news.anew && titles(&news) == ["Mail 4"]);
}

#[tokio::test]
async fn a_server_that_lets_people_listen_is_listened_to() {
    let held = mailbox(1..=1);
    held.lock().unwrap().idle = true;
    let dir = tempfile::tempdir().unwrap();
    let own = imap(dir.path(), serve(held.clone()).await);
    let mut cursor = serde_json::Value::Null;
    assert!(fetch(&own, &mut cursor).await.unwrap().anew, "history is not waited for");
    let later = held.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        later.lock().unwrap().mails.push((2, plain(2)));
    });
    let began = Instant::now();
    let news = fetch(&own, &mut cursor).await.unwrap();
    assert!(!news.anew && titles(&news) == ["Mail 2"] && began.elapsed() < Duration::from_secs(20));
    assert!(held.lock().unwrap().asked.iter().any(|a| a == "IDLE"));
}

#[tokio::test]
async fn what_is_wrong_is_told_without_the_password() {
    let held = mailbox(1..=1);
    let dir = tempfile::tempdir().unwrap();
    let port = serve(held.clone()).await;
    let own = imap(dir.path(), port);
    held.lock().unwrap().password = "other";
    let told = fetch(&own, &mut serde_json::Value::Null).await.unwrap_err();
    assert_eq!(told.class(), "unauthorized");
    assert!(
        told.to_string().contains("refuses the user or the password") && !told.to_string().contains("canary"),
        "{told}"
    );
    held.lock().unwrap().password = "canary";
    let other = Imap { folder: "Nowhere".into(), ..imap(dir.path(), port) };
    let told = fetch(&other, &mut serde_json::Value::Null).await.unwrap_err().to_string();
    assert!(told.contains("the folder `Nowhere` cannot be opened: there is none"), "{told}");
    for greeting in [
        &b""[..],
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"* BYE\r\n",
        b"\xff\x00\r\n",
        b"* OK ready\r\n* 4294967296 EXISTS\r\nx\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = imap(dir.path(), listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                drop(socket.write_all(greeting).await);
            }
        });
        let told = fetch(&own, &mut serde_json::Value::Null).await.unwrap_err();
        assert!(matches!(told.class(), "broken" | "decode" | "unauthorized"), "{told:?}");
    }
}

#[test]
fn a_password_is_not_repeated_in_any_form() {
    let dir = tempfile::tempdir().unwrap();
    let (own, password) = (imap(dir.path(), 9), r#"can"ar\y"#);
    for form in [password, r#"can\"ar\\y"#] {
        // As the client tells a refusal, with the password where it is cut.
        let info = Some(format!("{} {form} is wrong", "x".repeat(190)));
        let told = own.denied(ImapError::No(format!("code: None, info: {info:?}")), password).to_string();
        assert!(told.contains("x …") && !told.contains("can"), "{told}");
        let odd = std::io::Error::other(format!("Error during parsing of {:?}", format!("* {form}")));
        let told = format!("{:?}", own.denied(odd.into(), password));
        assert!(!told.contains("can"), "{told}");
    }
    assert!(matches!(own.denied(ImapError::ConnectionLost, password), FetchError::Broken { .. }));
}

#[test]
fn mistakes_are_told_where_they_stand() {
    let faults = |settings: &str| -> Vec<String> {
        let text = format!(
            "[[source]]\nkind = \"imap\"\nname = \"p\"\nuser = \"a\"\npassword = {{ env = \"X\" }}\n{settings}"
        );
        let read = crate::sources::read(&Sheet::new("vakt.toml", text), &[]);
        read.err().unwrap_or_default().iter().map(Fault::brief).collect()
    };
    assert!(faults("host = \"imap.example.org\"\n").is_empty());
    assert!(faults("host = \"localhost\"\ntls = \"none\"\nport = 143\n").is_empty());
    assert!(faults("host = \"imap.example.org\"\ntls = \"none\"\n").join("").contains("reads the password"));
    assert!(faults("host = \"imaps://x\"\n").join("").contains("no name of a host"));
    assert!(faults("host = \"h\"\nfolder = \"Entwürfe\"\n").join("").contains("modified UTF-7"));
}
