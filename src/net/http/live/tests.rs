//! Answers that go on, from servers on this machine that end, fall silent, overdo it and lead elsewhere.
#![allow(clippy::disallowed_methods, reason = "servers of the tests run beside them")]

use futures_util::SinkExt;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::tests::{local, now};
use super::super::{Allow, Limits};
use super::*;

fn http() -> Http {
    Http::new("https://a.example/bot", Limits::default()).unwrap()
}

/// A server that says these pieces to whoever asks and then ends, or falls silent.
async fn says(pieces: Vec<Vec<u8>>, ends: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/stream", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut head = [0; 4096];
            drop(socket.read(&mut head).await);
            for piece in &pieces {
                drop(socket.write_all(piece).await);
                drop(socket.flush().await);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if !ends {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
        }
    });
    base
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

async fn open(base: &str, silence: Span) -> Result<Lines, FetchError> {
    http().open(Request::of(base, &local()), silence, now()).await
}

#[tokio::test]
async fn lines_come_whole_however_they_are_cut() {
    let base =
        says(vec![[HEAD, b"one\ntw"].concat(), b"o\r\n\n".to_vec(), "å\n".as_bytes().to_vec(), b"cut".to_vec()], true)
            .await;
    let mut lines = open(&base, Span::secs(5)).await.unwrap();
    for wanted in ["one", "two", "", "å"] {
        assert_eq!(lines.next().await.unwrap(), wanted.as_bytes());
    }
    let end = lines.next().await.unwrap_err();
    assert!(matches!(end, FetchError::Ended { .. }), "half a line is none: {end}");
}

#[tokio::test]
async fn silence_and_lines_without_end_end_it() {
    let base = says(vec![[HEAD, b"one\n"].concat()], false).await;
    let mut lines = open(&base, Span::millis(50)).await.unwrap();
    assert_eq!(lines.next().await.unwrap(), b"one");
    let end = lines.next().await.unwrap_err();
    assert!(end.to_string().contains("no sign of life in time"), "{end}");
    let base = says(vec![[HEAD, &vec![b'x'; LONGEST + 1]].concat()], false).await;
    let end = open(&base, Span::secs(5)).await.unwrap().next().await.unwrap_err();
    assert!(matches!(end, FetchError::TooLarge { .. }), "{end}");
}

#[tokio::test]
async fn refusals_rests_and_other_places_are_told() {
    let reply = |text: &str| says(vec![text.as_bytes().to_vec()], true);
    let base = reply("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").await;
    assert!(matches!(open(&base, Span::secs(5)).await, Err(FetchError::Unauthorized { status: 401, .. })));
    let base =
        reply("HTTP/1.1 302 Found\r\nlocation: https://streaming.a.example/x\r\ncontent-length: 0\r\n\r\n").await;
    let told = open(&base, Span::secs(5)).await.err().unwrap().to_string();
    assert!(told.contains("redirects to https://streaming.a.example/x"), "{told}");
    let base = reply("HTTP/1.1 429 Too Many\r\nretry-after: 90\r\ncontent-length: 0\r\n\r\n").await;
    let client = http();
    let first = client.open(Request::of(&base, &local()), Span::secs(5), now()).await.err().unwrap();
    assert_eq!(first.retry_after(), Some(Span::secs(90)));
    let second = client.socket(Request::of(&base, &local()), Span::secs(5), now()).await.err().unwrap();
    assert!(matches!(second, FetchError::Paused { .. }), "the host rests for streams as well: {second}");
    // A turn at the host is given back once it is open: other things are asked beside it.
    let base = says(vec![[HEAD, b"one\n"].concat()], false).await;
    let client = http();
    let _first = client.open(Request::of(&base, &local()), Span::secs(5), now()).await.unwrap();
}

#[tokio::test]
async fn no_stream_leads_inside() {
    let base = says(vec![HEAD.to_vec()], true).await;
    let nobody = Allow::none();
    let one = http().open(Request::of(&base, &nobody), Span::secs(5), now()).await.err().unwrap();
    let other = http().socket(Request::of(&base, &nobody), Span::secs(5), now()).await.err().unwrap();
    let named = base.replace("127.0.0.1", "localhost");
    let third = http().socket(Request::of(&named, &nobody), Span::secs(5), now()).await.err().unwrap();
    for e in [one, other, third] {
        assert!(matches!(e, FetchError::Refused { .. }), "{e}");
    }
}

/// A WebSocket that says these messages and then closes, or falls silent.
async fn socket_says(messages: Vec<Message>, ends: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/subscribe", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { continue };
            for message in messages.clone() {
                drop(socket.send(message).await);
            }
            if !ends {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            drop(socket.close(None).await);
        }
    });
    base
}

#[tokio::test]
async fn a_socket_tells_until_it_ends_falls_silent_or_overdoes_it() {
    let secret = SecretString::from("Bearer canary");
    let messages = vec![Message::text("one"), Message::Ping(b"?".to_vec().into()), Message::binary(b"two".to_vec())];
    let base = socket_says(messages.clone(), true).await;
    let allow = local();
    let request = Request { secret: Some(("authorization", &secret)), ..Request::of(&base, &allow) };
    let mut socket = http().socket(request, Span::secs(5), now()).await.unwrap();
    assert_eq!((socket.next().await.unwrap(), socket.next().await.unwrap()), (b"one".to_vec(), b"two".to_vec()));
    assert!(matches!(socket.next().await, Err(FetchError::Ended { .. })));
    let base = socket_says(messages, false).await;
    let mut socket = http().socket(Request::of(&base, &local()), Span::millis(80), now()).await.unwrap();
    assert_eq!((socket.next().await.unwrap(), socket.next().await.unwrap()), (b"one".to_vec(), b"two".to_vec()));
    let end = socket.next().await.unwrap_err();
    assert!(end.to_string().contains("no sign of life"), "{end}");
    let base = socket_says(vec![Message::binary(vec![0; LONGEST + 1])], false).await;
    let mut socket = http().socket(Request::of(&base, &local()), Span::secs(5), now()).await.unwrap();
    assert!(matches!(socket.next().await, Err(FetchError::Broken { .. })));
}

#[tokio::test]
async fn what_is_no_socket_is_told_as_such() {
    let base = says(vec![HEAD.to_vec()], true).await;
    let told = http().socket(Request::of(&base, &local()), Span::secs(5), now()).await.err().unwrap();
    assert!(told.to_string().contains("no WebSocket"), "{told}");
    let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: bogus\r\n\r\n";
    let base = says(vec![head.as_bytes().to_vec()], false).await;
    let told = http().socket(Request::of(&base, &local()), Span::secs(5), now()).await.err().unwrap();
    assert!(told.to_string().contains("no WebSocket"), "{told}");
}
