//! Relays as they are in the world: ones that take, refuse for now, refuse for good, hang up and say nothing.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::*;

/// What a scripted relay does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manner {
    Takes,
    RefusesForNow,
    RefusesForGood,
    HangsUpAfterData,
}

/// A relay on loopback that behaves in one manner; its url.
async fn relay(manner: Manner) -> Relay {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    #[expect(clippy::disallowed_methods, reason = "a relay of the test's own")]
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (read, mut write) = stream.into_split();
            let mut lines = BufReader::new(read).lines();
            write.write_all(b"220 test\r\n").await.ok();
            let mut data = false;
            while let Ok(Some(line)) = lines.next_line().await {
                let answer: &[u8] = match line.to_ascii_uppercase() {
                    _ if data && line == "." => {
                        if manner == Manner::HangsUpAfterData {
                            break;
                        }
                        data = false;
                        b"250 taken\r\n"
                    }
                    _ if data => continue,
                    l if l.starts_with("EHLO") => b"250-test\r\n250 8BITMIME\r\n",
                    l if l.starts_with("RCPT") && manner == Manner::RefusesForNow => b"450 later\r\n",
                    l if l.starts_with("RCPT") && manner == Manner::RefusesForGood => b"550 no such user\r\n",
                    l if l == "DATA" => {
                        data = true;
                        b"354 go\r\n"
                    }
                    l if l == "QUIT" => b"221 bye\r\n",
                    _ => b"250 ok\r\n",
                };
                if write.write_all(answer).await.is_err() {
                    break;
                }
            }
        }
    });
    local(port)
}

async fn send(manners: &[Manner]) -> Result<Accepted, SendError> {
    let mut relays = Vec::new();
    for manner in manners {
        relays.push(relay(*manner).await);
    }
    Mailer::new(relays).send("vakt <v@acme.example>", "a@acme.example", b"Subject: x\r\n\r\nhi\r\n").await
}

#[tokio::test]
async fn each_manner_has_its_answer() {
    use Manner::*;
    assert!(send(&[Takes]).await.is_ok());
    assert!(matches!(send(&[RefusesForNow]).await, Err(SendError::Later { .. })));
    assert!(matches!(send(&[RefusesForGood]).await, Err(SendError::Never { reason }) if reason.contains("550")));
    assert!(matches!(send(&[HangsUpAfterData]).await, Err(SendError::Later { .. })), "unknown: sent again");
    assert!(send(&[RefusesForNow, Takes]).await.is_ok(), "the fallback takes it");
    assert!(send(&[RefusesForGood, Takes]).await.is_ok());
    assert!(matches!(send(&[RefusesForGood, RefusesForNow]).await, Err(SendError::Later { .. })));
    let gone = local(1);
    let refused = Mailer::new(vec![gone]).send("v@acme.example", "a@acme.example", b"x").await;
    assert!(matches!(refused, Err(SendError::Later { .. })));
}

fn local(port: u16) -> Relay {
    let address = RelayAddress::parse(&format!("smtp://127.0.0.1:{port}?tls=none")).expect("an address");
    Relay::new(&address, None, None, None).expect("a relay")
}
