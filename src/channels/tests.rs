//! Channels against servers on this machine that speak as the services do, and what is wrong with their settings.
#![allow(clippy::disallowed_methods, reason = "servers of the tests run beside them")]

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::short::tests::whole;
use super::*;
use crate::config::fault::Fault;

/// A request that the server was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn value(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string_pretty(&self.value()).expect("JSON")
    }

    pub(crate) fn header(&self, name: &str) -> String {
        let lines = self.head.lines().filter_map(|l| l.split_once(": "));
        lines.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.to_owned()).unwrap_or_default()
    }
}

/// A server with a list of answers, one for each request in turn: status, header lines and body. A status of 0 is silence.
pub(crate) struct Server {
    pub(crate) base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) async fn start(answers: &[(u16, &str, &str)]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let answers: Vec<(u16, String)> = answers
            .iter()
            .map(|(status, headers, body)| {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n");
                (*status, head + body)
            })
            .collect();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let kept = asked.clone();
        tokio::spawn(async move {
            let mut answers = answers.into_iter();
            while let Ok((mut socket, _)) = listener.accept().await {
                let Some(request) = request(&mut socket).await else { continue };
                kept.lock().expect("whole").push(request);
                match answers.next() {
                    Some((0, _)) | None => tokio::time::sleep(std::time::Duration::from_secs(60)).await,
                    Some((_, answer)) => socket.write_all(answer.as_bytes()).await.expect("it is heard"),
                }
            }
        });
        Server { base, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("whole").clone()
    }
}

async fn request(socket: &mut tokio::net::TcpStream) -> Option<Asked> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let asked = Asked { head: head.to_owned(), body: body.to_owned() };
            if body.len() >= asked.header("content-length").parse().unwrap_or(0) {
                return Some(asked);
            }
        }
        let n = socket.read(&mut buffer).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&buffer[..n]);
    }
}

/// One channel and the server that it speaks to.
pub(super) struct World {
    pub(super) channels: One,
    pub(super) server: Server,
}

/// One channel, and the folder of its secrets and mails.
pub(super) struct One(Channels, pub(super) tempfile::TempDir);

impl One {
    /// What became of a short text.
    pub(super) async fn tell(&self, short: &Short, to: &str) -> Outcome {
        let parcel = Parcel { id: "m1@acme.example", to, short };
        let name = self.0.all[0].name.clone();
        self.0.tell(&name, parcel, "2026-01-01T00:00:02Z".parse().expect("a time")).await
    }

    /// What became of the usual one.
    pub(super) async fn told(&self, to: &str) -> Outcome {
        self.tell(&whole(), to).await
    }
}

/// A channel by its settings: BASE is the server, SECRET a file with `s3cret`, HOOK one with an address.
pub(super) async fn world(settings: &str, answers: &[(u16, &str, &str)]) -> World {
    let (dir, server) = (tempfile::tempdir().expect("a folder"), Server::start(answers).await);
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let (secret, hook) = (file("secret", "s3cret\n"), file("hook", &format!("{}/services/T0/B0/s3cret", server.base)));
    let mut settings = settings.replace("BASE", &server.base).replace("SECRET", &secret).replace("HOOK", &hook);
    if !settings.contains("sms-mail") {
        settings.push_str("allow_private = [\"127.0.0.0/8\"]\n");
    }
    let all = read(&Sheet::new("vakt.toml", format!("[[channel]]\n{settings}")), &[]).expect("it is right");
    let http = Http::new("", Limits { headers: Span::millis(300), ..limits() }).expect("a client");
    let post = Post::Folder(dir.path().to_owned());
    let means = Means { http, post, from: "vakt <vakt@acme.example>".into() };
    World { channels: One(Channels::new(all, means), dir), server }
}

/// What is wrong with a channel's settings.
pub(super) fn faults(settings: &str) -> String {
    let faults = read(&Sheet::new("vakt.toml", format!("[[channel]]\n{settings}")), &[]).expect_err("it is wrong");
    faults.iter().map(Fault::brief).collect::<Vec<_>>().join("\n")
}

const HOOK: &str = "kind = \"webhook\"\nname = \"w\"\nurl = \"BASE\"\nsecret = { file = \"SECRET\" }\n";

#[tokio::test]
async fn whoever_says_nothing_is_not_waited_for() {
    let World { channels, .. } = world(HOOK, &[(0, "", "")]).await;
    let told = channels.told("").await;
    assert!(matches!(&told, Outcome::Later { why, .. } if why.contains("no answer in time")), "{told:?}");
    let nobody = world(&HOOK.replace("BASE", "http://127.0.0.1:1"), &[]).await;
    assert!(matches!(nobody.channels.told("").await, Outcome::Later { why, .. } if why.contains("cannot connect")));
}

#[tokio::test]
async fn inner_networks_are_closed_to_channels_too() {
    let inner = HOOK.replace("BASE", "https://10.0.0.1/secret-path");
    let World { channels, .. } = world(&inner, &[]).await;
    let told = channels.told("").await;
    assert!(
        matches!(&told, Outcome::Never(why) if why.contains("allow_private") && !why.contains("secret-path")),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_secret_that_is_not_there_holds_messages_back() {
    let World { channels, server, .. } = world(&HOOK.replace("SECRET", "/nowhere/at/all"), &[]).await;
    let told = channels.told("").await;
    assert!(matches!(&told, Outcome::Later { why, .. } if why.contains("/nowhere/at/all cannot be read")), "{told:?}");
    assert!(server.asked().is_empty());
    let parcel = Parcel { id: "x", to: "", short: &whole() };
    let gone = channels.0.tell("gone", parcel, Timestamp::UNIX_EPOCH).await;
    assert!(matches!(gone, Outcome::Never(why) if why.contains("there is no channel `gone`")));
}

#[test]
fn every_mistake_of_the_settings_at_once() {
    let all = "kind = \"webhok\"\nname = \"a\"\n\
        [[channel]]\nkind = \"webhook\"\nname = \"mail\"\nurl = \"https://u:hunter2@h.example\"\n\
        [[channel]]\nkind = \"slack\"\nname = \"S\"\nwebhook = \"https://hooks.slack.example/hunter2\"\n\
        [[channel]]\nkind = \"ntfy\"\nname = \"b\"\ntopci = \"x\"\n\
        [[channel]]\nkind = \"ntfy\"\nname = \"b\"\nallow_private = [\"10.0.0.1/8\"]\n";
    let said = faults(all);
    assert!(!said.contains("hunter2"), "{said}");
    insta::assert_snapshot!(said, @r#"
    vakt.toml:2: unknown kind of channel `webhok` (did you mean `webhook`?)
    vakt.toml:6: `mail` is the mail of [mail] (take another name)
    vakt.toml:7: a password stands in this address (keep it elsewhere: password = { credential = "name" })
    vakt.toml:4: this channel has no `secret` (add secret = { credential = "name" }, { file = "/path" } or { env = "NAME" })
    vakt.toml:10: a name is lower-case letters a to z, digits and hyphens (write `s`, and give the words that people see as title or full_name)
    vakt.toml:11: `webhook` must be a table, not a string (a secret is kept elsewhere: { credential = "name" }, { file = "/path" } or { env = "NAME" })
    vakt.toml:15: unknown field `topci` in this channel (known are: name, kind, url, token, allow_private)
    vakt.toml:18: there are two channels named `b` (rename one)
    vakt.toml:19: `10.0.0.1/8` is no network: it has bits beyond its length, so it would be read as `10.0.0.0/8`; write for example `10.1.0.0/16` or `::1/128` (write networks such as "10.0.0.0/8")
    "#);
}

#[test]
fn ways_that_lead_nowhere_are_told() {
    let text = "[[channel]]\nkind = \"ntfy\"\nname = \"oncall\"\n[[channel]]\nkind = \"teams\"\nname = \"room\"\nwebhook = { env = \"X\" }\n";
    let all = read(&Sheet::new("vakt.toml", text), &[]).expect("it is right");
    let said =
        |channel, to| wrong(&all, channel, to).map(|(what, help)| format!("{what} ({help})")).unwrap_or_default();
    assert_eq!([said("oncall", "acme"), said("room", ""), said("mail", "")], ["", "", ""]);
    assert!(said("onkall", "x").contains("did you mean `oncall`"));
    assert!(said("oncall", "").contains("does not know whom to tell"));
    assert!(said("oncall", "a b").contains("is not a topic"));
    assert!(said("room", "x").contains("takes no `to`") && said("mail", "x").contains("takes no `to`"));
}

#[test]
fn the_operator_is_reached_by_channels_that_there_are() {
    let text = "[operator]\nreach = [{ channel = \"push\", to = \"acme-ops\" }, { channel = \"push\" }, { channel = \"mail\" }, { channel = \"psuh\", to = \"x\" }]\n\
        [[channel]]\nkind = \"ntfy\"\nname = \"push\"\n";
    let sheet = Sheet::new("vakt.toml", text);
    let all = read(&sheet, &[]).expect("the channels are right");
    let said: Vec<String> = operator(&sheet, &all).expect_err("three are wrong").iter().map(Fault::brief).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].contains("whom to tell") && said[1].contains("always") && said[2].contains("did you mean `push`"));
    let sheet = Sheet::new("vakt.toml", text.split(", {").next().map(|t| format!("{t}]\n")).unwrap_or_default());
    assert_eq!(operator(&sheet, &all).expect("it is right").len(), 1);
    assert!(crate::config::Config::read(sheet).is_ok());
}

#[test]
fn every_kind_says_how_it_is_written() {
    for kind in KINDS {
        let sheet = Sheet::new("vakt.toml", kind.manual);
        let read = read(&sheet, &[]).unwrap_or_else(|f| panic!("{}: {}", kind.name, f[0].brief()));
        assert_eq!(read[0].kind.name, kind.name);
    }
}
