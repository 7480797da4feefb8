//! A feed whose hub tells what is new: asked, agreed, renewed, signed, and passed over where it is not.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::super::world::{Daemon, ask, free_port, get, http, until};
use super::place::{Place, Talk, answer, path, read};
use super::{rows, texts, write_rules, write_settings};

fn atom(base: &str, entries: &[(usize, &str)]) -> String {
    let entry = |(n, text): &(usize, &str)| {
        let at = jiff::Timestamp::now();
        format!(
            "<entry><id>urn:{n}</id><title>News {n}</title><updated>{at}</updated><link href=\"https://n.example/{n}\"/><content>{text}</content></entry>"
        )
    };
    let entries: String = entries.iter().map(entry).collect();
    format!(
        "<?xml version=\"1.0\"?><feed xmlns=\"http://www.w3.org/2005/Atom\"><title>N</title><id>urn:f</id>\
         <link rel=\"hub\" href=\"{base}/hub\"/><link rel=\"self\" href=\"https://n.example/own\"/>{entries}</feed>"
    )
}

type Form = Vec<(String, String)>;

/// The feed and its hub at once; the hub asks back before it answers, as some do.
fn serve(mut stream: TcpStream, talk: &Talk<()>, base: &Mutex<String>, asked: &Mutex<Vec<Form>>) {
    let Some((head, body)) = read(&mut stream) else { return };
    talk.note(path(&head));
    if path(&head) == "/feed" {
        let feed = atom(&base.lock().unwrap(), &[(1, "Acme of old")]);
        return answer(&mut stream, "200 OK", "content-type: application/atom+xml\r\n", &feed);
    }
    let form: Form = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let callback = url::Url::parse(&of(&form, "hub.callback")).unwrap();
    let address: SocketAddr = format!("127.0.0.1:{}", callback.port().unwrap()).parse().unwrap();
    let topic: String = url::form_urlencoded::byte_serialize(of(&form, "hub.topic").as_bytes()).collect();
    let question = |topic: &str| {
        format!(
            "{}?hub.mode=subscribe&hub.topic={topic}&hub.challenge=ch%3Call%3Eenge&hub.lease_seconds=12",
            callback.path()
        )
    };
    let (status, _) = get(address, &question("https%3A%2F%2Felse.example")).unwrap();
    assert!(status.contains("404"), "nobody asked for another feed: {status}");
    let (status, said) = get(address, &question(&topic)).unwrap();
    assert!(status.contains("200") && said == "ch<all>enge", "{status} {said}");
    asked.lock().unwrap().push(form);
    answer(&mut stream, "202 Accepted", "", "");
}

fn of(form: &Form, key: &str) -> String {
    form.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone()).unwrap_or_default()
}

fn tell(form: &Form, body: &str, secret: &str) -> String {
    let callback = url::Url::parse(&of(form, "hub.callback")).unwrap();
    let address: SocketAddr = format!("127.0.0.1:{}", callback.port().unwrap()).parse().unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/atom+xml; charset=utf-8\r\nX-Hub-Signature: sha256={signature}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        callback.path(),
        body.len()
    );
    http(address, &request).unwrap().0
}

#[test]
fn a_hub_tells_what_is_new() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (base, asked): (Arc<Mutex<String>>, Arc<Mutex<Vec<Form>>>) = Default::default();
    let (own, forms) = (base.clone(), asked.clone());
    let place = Place::start(63, move |stream, talk| serve(stream, &talk, &own, &forms));
    base.lock().unwrap().clone_from(&place.base);
    write_rules(dir, "acme");
    let port = free_port();
    let source =
        format!("kind = \"feed\"\nname = \"news\"\nurl = \"{}/feed\"\nevery = \"30m\"\nwebsub = true", place.base);
    write_settings(dir, &format!("[http]\nlisten = \"127.0.0.1:{port}\"\n[[source]]\n{source}\n"));
    let said = ask(dir, &["sources", "list"]);
    let told = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.code() == Some(2) && told.contains("base_url"), "no hub knows where to: {told}");
    let settings = std::fs::read_to_string(dir.join("vakt.toml")).unwrap();
    std::fs::write(dir.join("vakt.toml"), format!("base_url = \"http://127.0.0.1:{port}\"\n{settings}")).unwrap();
    let mut daemon = Daemon::start(dir);
    until(dir, "a subscription", || asked.lock().unwrap().len() == 1);
    let form = asked.lock().unwrap()[0].clone();
    assert_eq!(
        (of(&form, "hub.mode").as_str(), of(&form, "hub.topic").as_str()),
        ("subscribe", "https://n.example/own")
    );
    let secret = of(&form, "hub.secret");
    assert!(secret.len() == 64 && of(&form, "hub.callback").starts_with(&format!("http://127.0.0.1:{port}/websub/")));
    until(dir, "it is agreed", || rows(dir, "SELECT state ->> 'until' FROM subscriptions").iter().all(|u| u != "0"));
    // What is signed is read at once, what is not is passed over, and both are thanked for.
    assert!(tell(&form, &atom(&place.base, &[(66, "Acme forged")]), "guessed").contains("202"));
    assert!(tell(&form, "this is no feed", &secret).contains("202"));
    assert!(
        tell(&form, &atom(&place.base, &[(2, "Acme told by the hub"), (1, "Acme of old")]), &secret).contains("202")
    );
    until(dir, "what the hub told", || texts(dir).iter().any(|t| t == "Acme told by the hub"));
    assert_eq!(texts(dir).len(), 2, "{:?}", texts(dir));
    assert_eq!(rows(dir, "SELECT flags & 2 FROM mentions ORDER BY id"), ["2", "0"], "what it tells is news");
    assert!(rows(dir, "SELECT id FROM deliveries").is_empty());
    let unknown = http(
        format!("127.0.0.1:{port}").parse().unwrap(),
        &format!(
            "POST /websub/ffff HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"
        ),
    );
    assert!(unknown.unwrap().0.contains("410"));
    let listed = String::from_utf8(ask(dir, &["sources", "list"]).stdout).unwrap();
    assert!(listed.contains("/hub tells what is new, for another"), "{listed}");
    // The promise of twelve seconds is renewed before it ends, at the same address; and a restart keeps it.
    daemon.kill();
    let mut daemon = Daemon::start(dir);
    until(dir, "a renewal", || asked.lock().unwrap().len() >= 2);
    assert_eq!(of(&asked.lock().unwrap()[1].clone(), "hub.callback"), of(&form, "hub.callback"));
    assert!(tell(&form, &atom(&place.base, &[(3, "Acme after the restart")]), &secret).contains("202"));
    until(dir, "what the hub told then", || texts(dir).iter().any(|t| t == "Acme after the restart"));
    assert!(daemon.stop().success());
    let log = std::fs::read_to_string(dir.join("vakt.log")).unwrap();
    assert!(!log.contains(&secret) && !texts(dir).iter().any(|t| t.contains("forged")));
}
