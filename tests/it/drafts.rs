//! What is said in an incident: drafted in three languages, approved by two, handed over; its checklist ticked off.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use crate::world::{Daemon, Feed, ask, free_port, get, http, refused, said, until, write_rule, write_settings};

const PEOPLE: &str = "\
[[person]]\nname = \"anna\"\nemail = \"anna@acme.example\"\n\
[[person]]\nname = \"bo\"\nemail = \"bo@acme.example\"\n\
[[person]]\nname = \"eva\"\nemail = \"eva@acme.example\"\nlanguages = [\"sv\"]\n\
[[person]]\nname = \"maja\"\nemail = \"maja@acme.example\"\n\
[[policy]]\nname = \"pr\"\nsteps = [{ notify = [\"anna\"], wait = \"12h\" }]\n";

const PLAYBOOK: &str = "\
+++\nname = \"fire\"\ntitle = \"Fire\"\napprovers = [\"anna\", \"bo\", \"eva\"]\napprovals = 2\n+++\n\
## Checklist\n- [ ] **PR lead** · due 10m · read all of it\n- [ ] **community** · due 2h · answer everybody\n\
## Statements\n### de\nWir prüfen, was mit {{ product }} ist. Aktueller Stand: {{ link }}\n\
### sv\nVi på {{ brand }} tittar på det.\n#### x, bluesky\nVi tittar på det. Mer: {{ link }}\n\
### en\nWe are looking into it.\n";

const VOICE: &str = "\
networks = [\"x\"]\n[[voice]]\nexclamations = 0\n[[voice]]\nlanguage = \"de\"\naddress = \"formal\"\n\
avoid = [{ words = [\"Einzelfall\"], instead = \"sagen, wie viele\" }]\nsign_offs = [\"/ {name}\"]\n";

/// A program that publishes what it is given: its address, and the bodies that it took.
fn publisher() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, (taken, bodies)) = (listener.local_addr().unwrap(), channel());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            stream.set_read_timeout(Some(std::time::Duration::from_millis(500))).ok();
            let (mut request, mut some) = (Vec::new(), [0u8; 4096]);
            while let Ok(n @ 1..) = stream.read(&mut some) {
                request.extend(&some[..n]);
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").ok();
            let text = String::from_utf8_lossy(&request).into_owned();
            taken.send(text.split("\r\n\r\n").nth(1).unwrap_or("").to_owned()).ok();
        }
    });
    (address, bodies)
}

#[test]
fn drafted_in_three_languages_approved_by_two_and_handed_over() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (feed, port) = (Feed::start(), free_port());
    write_settings(dir, feed.address, 1, port);
    let settings = std::fs::read_to_string(dir.join("vakt.toml")).unwrap();
    let alone: Vec<&str> = settings.lines().filter(|l| !l.contains("relays")).collect();
    std::fs::write(dir.join("act"), "act-secret-canary").unwrap();
    let token =
        format!("tokens = [{{ name = \"desk\", role = \"act\", value = {{ file = \"{}/act\" }} }}, ", dir.display());
    let settings = alone.join("\n").replace("tokens = [", &token);
    let (desk, published) = publisher();
    let hook = format!(
        "[[channel]]\nkind = \"webhook\"\nname = \"desk\"\nurl = \"http://{desk}/\"\nsecret = {{ file = \"{}/act\" }}\nallow_private = [\"127.0.0.0/8\"]\n",
        dir.display()
    );
    let settings = format!("base_url = \"http://127.0.0.1:{port}\"\n{settings}\n{hook}");
    std::fs::write(dir.join("vakt.toml"), settings).unwrap();
    let alert = "[[alert]]\nname = \"any\"\ntopics = [\"acme\"]\nwindow = \"1h\"\ncondition = \"mentions >= 3\"\nplaybook = \"fire\"\nescalation = \"pr\"\n";
    write_rule(dir, "people.toml", PEOPLE);
    write_rule(
        dir,
        "topics/acme.toml",
        "[[topic]]\nname = \"acme\"\ntitle = \"Acme\"\nkind = \"brand\"\nquery = \"acme\"\n",
    );
    write_rule(dir, "alerts/any.toml", alert);
    write_rule(dir, "playbooks/fire.md", PLAYBOOK);
    write_rule(dir, "voice.toml", VOICE);

    // Before there is any data a text can be looked over.
    std::fs::write(dir.join("bad.txt"), "Das ist ein Einzelfall!\nMeldet euch bei uns.").unwrap();
    let lint = ask(dir, &["draft", "lint", "bad.txt", "--language", "de", "--network", "x", "--reply"]);
    let text = String::from_utf8_lossy(&lint.stdout);
    assert_eq!(lint.status.code(), Some(1), "{text}");
    for why in
        ["we do not say `Einzelfall`", "exclamation marks: 1", "line 2: `euch`", "nobody has signed", "44 of 280"]
    {
        assert!(text.contains(why), "{why}: {text}");
    }

    // In the language of whoever reads it.
    let lint = ask(dir, &["draft", "lint", "bad.txt", "--language", "de", "--network", "x", "--reply", "--for", "eva"]);
    let text = String::from_utf8_lossy(&lint.stdout);
    for why in ["vi säger inte `Einzelfall`", "utropstecken: 1, där 0 räcker; ta bort det", "tilltala folk med Sie"]
    {
        assert!(text.contains(why), "{why}: {text}");
    }
    let shown = said(dir, &["playbook", "show", "fire", "--language", "sv"]);
    assert!(shown.contains("Bluesky (29 of 300 graphemes)") && shown.contains("2 of anna, bo, eva approve"), "{shown}");
    assert!(said(dir, &["playbook", "list"]).contains("2 of 3 approve · de en sv · any"));

    let _daemon = Daemon::start(dir);
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    until(dir, "ready", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    feed.publish("0", "Acme was founded long ago", "ann");
    until(dir, "history stored", || ask(dir, &["search", "acme", "--count"]).stdout == b"1\n");
    for n in 1..6 {
        feed.publish(format!("{n}"), format!("Acme, what have you done now, number {n}?"), format!("voice {n}"));
    }
    until(dir, "an incident", || said(dir, &["incident", "list"]).contains("any"));

    let new = |more: &[&str]| said(dir, &[&["draft", "new", "--as", "maja", "--incident", "1"], more].concat());
    let link = ["--link", "https://acme.example/press"];
    assert!(
        new(&[&["--language", "sv", "--network", "x"], &link[..]].concat())
            .contains("Vi tittar på det. Mer: https://acme")
    );
    assert!(new(&["--language", "de"]).contains("`[link]` is still to be filled in"));
    assert!(new(&["--language", "en"]).contains("0 of 2 approvals; ask anna or bo or eva"));
    assert!(
        refused(dir, &["draft", "new", "--as", "maja", "--incident", "1", "--language", "it"])
            .contains("says nothing in `it`")
    );

    // Nobody approves what they wrote, what is unfinished, what they did not read, or twice.
    let approve = ["draft", "approve", "1", "--read", "1", "--as"];
    let by = |who: &'static str| [&approve[..], &[who]].concat();
    assert!(refused(dir, &by("maja")).contains("nobody approves their own words; ask anna or bo or eva"));
    assert!(refused(dir, &["draft", "approve", "2", "--read", "1", "--as", "anna"]).contains("`[link]` is still"));
    assert!(refused(dir, &["draft", "hand-over", "1", "--as", "maja"]).contains("0 of 2 approvals"));
    assert!(said(dir, &by("anna")).contains("1 of 2"));
    assert!(refused(dir, &by("anna")).contains("already"));
    std::fs::write(dir.join("better.txt"), "Vi tittar på det nu. Mer: https://acme.example/press\n").unwrap();
    said(dir, &["draft", "edit", "1", "--as", "bo", "--text", "better.txt"]);
    assert!(refused(dir, &by("eva")).contains("version 2 and not 1"));
    let second = |who: &'static str| ["draft", "approve", "1", "--read", "2", "--as", who];
    said(dir, &second("anna"));
    assert!(said(dir, &second("eva")).contains("is approved"));
    assert_eq!(
        said(dir, &["draft", "hand-over", "1", "--as", "maja", "--to", "X"]),
        "Vi tittar på det nu. Mer: https://acme.example/press\n"
    );
    assert!(said(dir, &["draft", "reject", "3", "--as", "eva", "--reason", "colder than we are"]).contains("rejected"));
    assert!(said(dir, &["draft", "show", "3"]).contains("rejected by eva: colder than we are"));
    assert!(!said(dir, &["draft", "list"]).contains("handed over"));

    // The checklist, and what was decided.
    said(dir, &["incident", "tick", "1", "1", "--as", "maja"]);
    assert!(said(dir, &["incident", "tick", "1", "1", "--as", "bo"]).contains("already"));
    assert!(refused(dir, &["incident", "tick", "1", "3", "--as", "bo"]).contains("they are 1 to 2"));
    said(dir, &["incident", "decide", "1", "We answer where it began", "--as", "anna"]);
    let shown = said(dir, &["incident", "show", "1"]);
    for words in [
        "What to do: Fire",
        "[✓]  1 PR lead: read all of it  maja",
        "[ ]  2 community: answer everybody  due ",
        "handed over 2/2  sv, X",
        "ticked off",
        "decided      We answer where it began anna",
        "draft 1: version 2, sv, x, 2 of 2 approvals",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    by_the_api(address);
    by_the_link(dir, address);

    // Out by a webhook, with the names of those who answer for it.
    for who in ["anna", "bo"] {
        said(dir, &["draft", "approve", "5", "--read", "2", "--as", who]);
    }
    let out = ["draft", "hand-over", "5", "--as", "maja", "--channel"];
    assert!(refused(dir, &[&out[..], &["dsk"]].concat()).contains("did you mean `desk`?"));
    said(dir, &[&out[..], &["desk"]].concat());
    let posted: serde_json::Value =
        serde_json::from_str(&published.recv_timeout(std::time::Duration::from_secs(30)).unwrap()).unwrap();
    assert_eq!((&posted["type"], &posted["data"]["draft"]), (&"draft.handed_over".into(), &5.into()), "{posted}");
    assert_eq!(posted["data"]["text"], "Vi tittar på det nu. Mer: https://acme.example/press");
    assert_eq!(posted["data"]["approved_by"], serde_json::json!(["anna", "bo"]));
    assert!(refused(dir, &[&out[..], &["desk"]].concat()).contains("handed over by maja already"));
    by_mail(dir, address, &published);
    let log = said(dir, &["audit", "list"]);
    assert!(log.contains("handed over") && log.contains("draft 1") && log.contains("ticked off"), "{log}");
    assert!(!log.contains("Vi tittar") && !log.contains("colder"), "the log quotes nothing: {log}");
    assert!(said(dir, &["audit", "verify"]).contains("whole"));
}

/// The newest mail about a draft to a person: the path of its link, and its digits.
fn mailed(dir: &Path, person: &str) -> (String, String) {
    let db = rusqlite::Connection::open(dir.join("data/vakt.db")).unwrap();
    let sql = "SELECT body FROM outbox WHERE person = ?1 AND subject LIKE '[vakt]%' ORDER BY id DESC LIMIT 1";
    let body: Vec<u8> = db.query_row(sql, [person], |r| r.get(0)).unwrap();
    let text = String::from_utf8_lossy(&body).replace("=\r\n", "").replace("=3D", "=");
    assert!(!text.contains("kettle"), "the text stands on the page alone");
    let link = text.split("/d/").nth(1).unwrap().split_whitespace().next().unwrap();
    (format!("/d/{link}"), text.split("digits: ").nth(1).unwrap()[..4].to_owned())
}

/// Asked by mail, read and decided on the page; what only opens links and presses buttons decides nothing.
fn by_the_link(dir: &Path, address: SocketAddr) {
    std::fs::write(dir.join("five.txt"), "<b>Your kettle</b> is being looked at.\nMore tomorrow.").unwrap();
    said(dir, &["draft", "new", "--as", "maja", "--incident", "1", "--language", "en", "--text", "five.txt"]);
    let press = |path: &str, body: &str| {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded"
        );
        http(address, &format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())).unwrap()
    };
    let seen = |page: &str| page.split("name=\"seen\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let ((anna, code), (bo, bos)) = (mailed(dir, "anna"), mailed(dir, "bo"));
    let page = get(address, &anna).unwrap().1;
    assert!(page.contains("&lt;b&gt;Your kettle&lt;&#x2f;b&gt;") && page.contains("0&#x2f;2"), "{page}");
    let (mark, other) = (seen(&page), seen(&get(address, &bo).unwrap().1));
    let at_once = press(&anna, &format!("seen={mark}&code={code}&do=approve"));
    assert!(at_once.1.contains("press once more"), "{}", at_once.1);
    std::thread::sleep(std::time::Duration::from_millis(3100));
    assert!(press(&anna, &format!("seen={other}&code={code}&do=approve")).1.contains("press once more"));
    assert!(press(&anna, &format!("seen={mark}&code=&do=approve")).0.contains("403"));
    assert!(get(address, &anna.replace("/d/", "/a/")).unwrap().0.contains("403"), "it takes no incident");
    assert!(get(address, &anna.replace("/d/e", "/d/f")).unwrap().0.contains("403"));
    assert!(said(dir, &["draft", "show", "5"]).contains("0 of 2 approvals"));
    let done = press(&anna, &format!("seen={mark}&code={code}&do=approve"));
    assert!(done.0.contains("200") && done.1.contains("You have approved it."), "{}", done.1);
    assert!(
        press(&anna, &format!("seen={mark}&code={code}&do=approve")).1.contains("You have approved it."),
        "twice is once"
    );
    assert!(press(&bo, &format!("seen={other}&code={bos}&do=reject&note=")).1.contains("say why"));
    assert!(press(&bo, &format!("seen={other}&code={bos}&do=reject&note=Too+cold")).1.contains("sent back"));
    assert!(said(dir, &["draft", "show", "5"]).contains("rejected by bo: Too cold"));
    said(dir, &["draft", "edit", "5", "--as", "maja", "--text", "better.txt"]);
    let page = get(address, &anna).unwrap().1;
    assert!(page.contains("changed or decided") && !page.contains("nu. Mer"), "an old link shows no new text: {page}");
    let told = "SELECT count(*) FROM outbox WHERE person = 'maja' AND subject LIKE '[vakt] Acme · Your draft %'";
    let db = rusqlite::Connection::open(dir.join("data/vakt.db")).unwrap();
    assert_eq!(db.query_row(told, [], |r| r.get::<_, i64>(0)).unwrap(), 4, "two are approved, two come back");
    let (again, _) = mailed(dir, "anna");
    assert!(get(address, &again).unwrap().1.contains("nu. Mer"), "a new text comes with a new mail");
}

/// To the person who posts it, by mail, from the command line and over the API; what a draft said before is kept.
fn by_mail(dir: &Path, address: SocketAddr, published: &Receiver<String>) {
    let post = |path: &str, body: &str| {
        let head = format!(
            "POST /api/v1/{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer act-secret-canary"
        );
        http(address, &format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())).unwrap()
    };
    for id in ["6", "7", "8"] {
        std::fs::write(dir.join("first.txt"), format!("We look into it, number {id}.")).unwrap();
        said(dir, &["draft", "new", "--as", "maja", "--incident", "1", "--language", "en", "--text", "first.txt"]);
        std::fs::write(dir.join("then.txt"), format!("We look into it now, number {id}.\nÅ = 1.")).unwrap();
        let shown = said(dir, &["draft", "edit", id, "--as", "bo", "--text", "then.txt"]);
        let (version, words) = ("version 1 by maja, ", format!("We look into it, number {id}."));
        assert!(shown.contains(version) && shown.contains(&words) && shown.contains("version 2"), "{shown}");
    }
    let early = ["draft", "hand-over", "6", "--as", "maja", "--mail", "eva"];
    assert!(refused(dir, &early).contains("0 of 2 approvals"));
    for id in ["6", "7", "8"] {
        for who in ["anna", "eva"] {
            said(dir, &["draft", "approve", id, "--read", "2", "--as", who]);
        }
    }
    assert!(refused(dir, &["draft", "hand-over", "6", "--as", "maja", "--mail", "evva"]).contains("`eva`"));
    assert!(said(dir, &early).contains("goes to eva by mail"));
    let over = |body: &str| post("drafts/7/hand-over", body);
    for (body, why) in [
        (r#"{"as": "maja", "mail": "nobody"}"#, "nobody"),
        (r#"{"as": "maja", "channel": "dsk"}"#, "did you mean `desk`?"),
        (r#"{"as": "maja", "channel": "desk", "mail": "bo"}"#, "either"),
    ] {
        let (status, said) = over(body);
        assert!(status.contains("400") && said.contains(why), "{status} {said}");
    }
    assert!(over(r#"{"as": "maja", "mail": "bo"}"#).0.contains("200"));
    assert!(over(r#"{"as": "maja", "mail": "bo"}"#).0.contains("409"), "once is enough");
    let out = post("drafts/8/hand-over", r#"{"as": "maja", "channel": "desk"}"#);
    let out: serde_json::Value = serde_json::from_str(&out.1).unwrap();
    assert_eq!(
        (&out["draft"]["handed_over"]["note"], &out["draft"]["past"][0]["by"]),
        (&"desk".into(), &"maja".into())
    );
    let posted: serde_json::Value =
        serde_json::from_str(&published.recv_timeout(std::time::Duration::from_secs(30)).unwrap()).unwrap();
    assert_eq!(posted["data"]["text"], "We look into it now, number 8.\nÅ = 1.");
    let mails = || {
        let files = std::fs::read_dir(dir.join("data/mail")).into_iter().flatten().flatten();
        let texts = files.filter_map(|f| std::fs::read_to_string(f.path()).ok());
        texts.map(|t| t.replace("=\r\n", "").replace("=3D", "=")).collect::<Vec<_>>()
    };
    let (swedish, english) = ("godk=C3=A4nd av anna, eva", "approved by anna, eva");
    for (person, words, approved) in [("eva", "number 6.", swedish), ("bo", "number 7.", english)] {
        let there = |m: &String| m.contains(approved) && m.contains(&format!("{person}@acme.example"));
        until(dir, person, || mails().iter().any(there));
        let mail = mails().into_iter().find(there).unwrap();
        assert!(mail.contains(words) && mail.contains("=C3=85 = 1."), "{mail}");
    }
}

/// The same by the API: written, refused, approved, handed over, ticked off.
fn by_the_api(address: SocketAddr) {
    let post = |path: &str, body: &str| {
        let head = format!(
            "POST /api/v1/{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer act-secret-canary"
        );
        let (status, body) = http(address, &format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())).unwrap();
        (status.split(' ').nth(1).unwrap().parse::<u16>().unwrap(), body)
    };
    let order = r#"{"as": "maja", "incident": 1, "language": "en", "network": "x", "text": "We look into it! #acme"}"#;
    let (status, body) = post("drafts", order);
    let made: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &made["draft"]["id"], &made["length"]["used"]), (201, &4.into(), &22.into()), "{body}");
    assert_eq!(made["findings"][0]["why"], "exclamation marks: 1, where 0 are enough");
    assert_eq!(post("drafts", r#"{"as": "nobody", "language": "en"}"#).0, 400);
    assert_eq!(post("drafts", r#"{"as": "maja", "language": "en"}"#).0, 404, "there is nothing to begin with");
    let (status, why) = post("drafts/4/approve", r#"{"as": "maja", "read": 1}"#);
    assert!(status == 409 && why.contains("nobody approves their own words"), "{why}");
    assert_eq!(post("drafts/4/approve", r#"{"as": "anna"}"#).0, 400);
    for who in ["anna", "bo"] {
        assert_eq!(post("drafts/4/approve", &format!(r#"{{"as": "{who}", "read": 1}}"#)).0, 200);
    }
    assert_eq!(post("drafts/4/hand-over", r#"{"as": "maja", "note": "X"}"#).0, 200);
    assert_eq!(post("drafts/9/reject", r#"{"as": "maja", "note": "no"}"#).0, 404);
    assert_eq!(post("incidents/1/tick", r#"{"as": "bo", "step": 2}"#), (200, "{\"changed\":true}".to_owned()));
    let (_, shown) = get(address, "/api/v1/incidents/1").unwrap();
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&shown["ticks"][1]["who"], &shown["drafts"][3]["state"]), (&"bo".into(), &"handed_over".into()));
    let (_, waiting) = get(address, "/api/v1/drafts").unwrap();
    let waiting: serde_json::Value = serde_json::from_str(&waiting).unwrap();
    assert_eq!(waiting.as_array().map(Vec::len), Some(2), "two are out of the house");
    let push =
        format!("POST /api/v1/drafts HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    assert!(http(address, &push).unwrap().0.contains("401"));
}
