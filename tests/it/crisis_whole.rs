//! A crisis from the first alarm to the report: the recorded one of the demo with the sample rules, seen in feeds and pushes, told
//! by mail, taken by a link with its code, answered in three languages with two approvals each, resolved and written up.

use std::net::SocketAddr;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::readable;
use crate::world::{Daemon, Feed, Service, Smtp, Taken, free_port, get, http, push_as, refused, said, until};

/// The recording is told as if this minute of it were now: the crisis is an hour old.
const NOW: f64 = 1350.0;
/// What is older was there before vakt was.
const BEFORE: f64 = 1289.0;

/// One mention of the recording.
struct Line {
    minute: f64,
    via: String,
    published: Timestamp,
    of: Value,
}

fn recording(now: Timestamp) -> Vec<Line> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/demo/recording.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let line = |(n, line): (usize, &str)| {
        let mut of: Value = serde_json::from_str(line).unwrap();
        of["number"] = n.into();
        let minute = of["minute"].as_f64().unwrap();
        let published = now - SignedDuration::from_millis(((NOW - minute) * 60_000.0) as i64);
        Line { minute, via: of["via"].as_str().unwrap().to_owned(), published, of }
    };
    text.lines().enumerate().map(line).filter(|l| l.minute <= NOW).collect()
}

impl Line {
    fn text(&self, key: &str) -> &str {
        self.of[key].as_str().unwrap_or("")
    }

    /// As an item of a feed.
    fn item(&self) -> Value {
        json!({
            "id": format!("{}-{}", self.via, self.of["number"]), "title": self.text("title"), "content_text": self.text("text"),
            "url": format!("https://{}{}?n={}", self.text("site"), self.text("path"), self.of["number"]),
            "date_published": self.published.to_string(), "authors": [{ "name": self.text("author") }],
            "language": self.text("language"),
        })
    }

    /// As a collector of social networks pushes it.
    fn pushed(&self) -> Value {
        let network = self.text("network");
        json!({
            "id": format!("demo-{}", self.of["number"]), "text": self.text("text"), "network": network,
            "url": format!("https://{network}.example/{}", self.of["number"]),
            "author": { "name": self.text("author"), "handle": self.text("handle"), "followers": self.of["followers"] },
            "published": self.published.to_string(), "language": self.text("language"), "engagement": self.of["engagement"],
        })
    }
}

/// The sample rules as they stand in the project, with the tool that publishes planned posts.
fn lay_rules(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => lay_rules(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// Settings of a house: three feeds, a relay, a desk that may act, and a studio that publishes.
fn settle(dir: &Path, feeds: &[(&str, &str, &Feed)], smtp: u16, http: u16, studio: SocketAddr) {
    for secret in ["push", "act", "hook"] {
        std::fs::write(dir.join(secret), format!("{secret}-secret-canary")).unwrap();
    }
    let file = |name: &str| format!("{{ file = \"{}/{name}\" }}", dir.display());
    let mut text = format!(
        "data_dir = \"data\"\nrules_dir = \"rules\"\nbase_url = \"http://127.0.0.1:{http}\"\n\
         [http]\nlisten = \"127.0.0.1:{http}\"\ntokens = [\n\
         {{ name = \"social\", role = \"push\", value = {push} }}, {{ name = \"desk\", role = \"act\", value = {act} }} ]\n\
         [mail]\nfrom = \"vakt <vakt@acme.example>\"\nrelays = [{{ url = \"smtp://127.0.0.1:{smtp}?tls=none\" }}]\n\
         [fetch]\nmin_interval = \"100ms\"\n\
         [[channel]]\nkind = \"webhook\"\nname = \"studio\"\nurl = \"http://{studio}/\"\nsecret = {hook}\nallow_private = [\"127.0.0.0/8\"]\n",
        push = file("push"),
        act = file("act"),
        hook = file("hook"),
    );
    for (name, network, feed) in feeds {
        text.push_str(&format!(
            "[[source]]\nkind = \"feed\"\nname = \"{name}\"\nnetwork = \"{network}\"\nurl = \"http://{}/feed.json\"\nevery = \"100ms\"\nallow_private = [\"127.0.0.0/8\"]\n",
            feed.address
        ));
    }
    std::fs::write(dir.join("vakt.toml"), text).unwrap();
    let rules = dir.join("rules");
    lay_rules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules"), &rules);
    let people = std::fs::read_to_string(rules.join("people.toml")).unwrap();
    std::fs::write(rules.join("people.toml"), format!("{people}\n[publishing]\nchannel = \"studio\"\n")).unwrap();
}

/// The path of a mail's link that begins so, and the four digits that stand after it.
fn door(mail: &Taken, begins: &str) -> (String, String) {
    let after = mail.text.split(begins).nth(1).unwrap_or_else(|| panic!("no {begins} in {}", mail.text));
    let link = after.split_whitespace().next().unwrap();
    let digits = after.split_whitespace().find(|w| w.len() == 4 && w.bytes().all(|b| b.is_ascii_digit()));
    (format!("{begins}{link}"), digits.unwrap_or_else(|| panic!("no digits in {}", mail.text)).to_owned())
}

/// Presses a button of the page behind a link, once it was read.
fn press(address: SocketAddr, path: &str, fields: &[(&str, &str)]) -> (String, String) {
    let (_, page) = get(address, path).unwrap();
    let seen = page.split("name=\"seen\" value=\"").nth(1).unwrap_or_else(|| panic!("no form in {page}"));
    let seen = seen.split('"').next().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(3100));
    let pairs = [("seen", seen)].into_iter().chain(fields.iter().copied());
    let body = pairs.map(|(k, v)| format!("{k}={}", v.replace(' ', "+"))).collect::<Vec<_>>().join("&");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded"
    );
    http(address, &format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())).unwrap()
}

fn post(address: SocketAddr, path: &str, body: &str) -> (String, String) {
    let head = format!(
        "POST /api/v1/{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer act-secret-canary"
    );
    http(address, &format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())).unwrap()
}

/// What the studio was told, by type.
fn told(studio: &Service, kind: &str) -> Vec<Value> {
    studio.asked().into_iter().map(|(_, body)| body).filter(|body| body["type"] == kind).collect()
}

#[test]
fn from_the_alarm_to_the_report() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (smtp, port, studio) = (Smtp::start(dir), free_port(), Service::start(""));
    let places = ["news", "forum", "blogs"].map(|via| (via, Feed::start()));
    let feeds: Vec<(&str, &str, &Feed)> =
        places.iter().map(|(via, f)| (*via, if *via == "blogs" { "blog" } else { *via }, f)).collect();
    settle(dir, &feeds, smtp.port, port, studio.address);
    let address: SocketAddr = format!("127.0.0.1:{port}").parse().unwrap();
    said(dir, &["check"]);

    // What was there before: the feeds show it, and the social networks' comes out of an export.
    let lines = recording(Timestamp::now());
    let (old, new): (Vec<&Line>, Vec<&Line>) = lines.iter().partition(|l| l.minute <= BEFORE);
    let show = |lines: &[&Line]| {
        for line in lines {
            if let Some((_, feed)) = places.iter().find(|(via, _)| *via == line.via) {
                feed.put(line.item());
            }
        }
    };
    show(&old);
    let export: String = old.iter().filter(|l| l.via == "social").map(|l| format!("{}\n", l.pushed())).collect();
    std::fs::write(dir.join("social.jsonl"), export).unwrap();
    said(dir, &["import", "social.jsonl", "--source", "social"]);
    let _daemon = Daemon::start(dir);
    until(dir, "ready", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    let kept = || -> i64 {
        let db = rusqlite::Connection::open(dir.join("data/vakt.db")).unwrap();
        db.query_row("SELECT count(*) FROM mentions", [], |r| r.get(0)).unwrap_or(0)
    };
    until(dir, "all that was before", || kept() == old.len() as i64);
    assert!(said(dir, &["incident", "list"]).contains("All is quiet"));

    // The alarm: from every place at once, as it stands an hour after the first word.
    show(&new);
    let pushed: Vec<Value> = new.iter().filter(|l| l.via == "social").map(|l| l.pushed()).collect();
    let (status, why) = push_as(address, "social", &json!(pushed).to_string()).unwrap();
    assert!(status.contains("200"), "{status}: {why}");
    let find = || -> Option<Value> {
        let all: Vec<Value> = serde_json::from_str(&said(dir, &["incident", "list", "--json"])).unwrap();
        all.into_iter().find(|i| i["alert"] == "product-safety" && i["severity"] == "crisis")
    };
    until(dir, "a crisis", || find().is_some());
    let id = find().unwrap()["id"].to_string();
    let mails = |to: &str, words: &str| -> Vec<Taken> {
        let to = format!("{to}@acme.example");
        smtp.taken().into_iter().filter(|m| m.to == to && m.subject.contains(words)).collect()
    };
    for person in ["sara.lind", "jonas.weber", "giulia.conti", "carmen.ortega", "erik.nyberg", "lena.vogt"] {
        until(dir, person, || !mails(person, "[CRISIS").is_empty());
    }
    // Whatever a browser is shown is readable, in the language of whoever was sent there.
    let sound = |path: &str, language: &str| {
        let (status, page) = get(address, path).unwrap();
        assert!(status.contains("200"), "{path}: {status}");
        assert_eq!(readable::faults(&page, language), [""; 0], "{path}: {page}");
    };
    for (person, language) in
        [("sara.lind", "sv"), ("jonas.weber", "de"), ("giulia.conti", "it"), ("carmen.ortega", "es")]
    {
        sound(&door(&mails(person, "[CRISIS")[0], "/a/").0, language);
    }
    sound("/incidents", "en");
    sound(&format!("/incidents/{id}"), "en");
    let alarm = &mails("sara.lind", "[CRISIS")[0];
    for words in ["Ring produktsäkerhet", "/a/", &format!("vakt incident ack {id} --as sara-lind")] {
        assert!(alarm.text.contains(words), "{words}: {}", alarm.text);
    }
    // Which languages it has something to say in depends on which places had been read when it rang.
    assert!(["[de]", "[es]", "[it]", "[en]"].iter().any(|l| alarm.text.contains(l)), "{}", alarm.text);
    assert!(mails("jonas.weber", "[CRISIS")[0].text.contains("Produktsicherheit anrufen"));
    let ordered =
        |order: &str| told(&studio, order).iter().any(|said| said["data"]["incident"] == find().unwrap()["id"]);
    until(dir, "planned posts are held", || ordered("publishing.pause"));

    // Taken by the link: no page that was only opened, and no wrong code, takes it.
    let (path, code) = door(alarm, "/a/");
    assert!(press(address, &path, &[("code", "none")]).0.contains("403"));
    assert_eq!(find().unwrap()["status"], "open");
    let (status, page) = press(address, &path, &[("code", &code), ("note", "I read all of it")]);
    assert!(status.contains("200") && page.contains("Du har det"), "{page}");
    assert_eq!(find().unwrap()["ack"]["by"], "sara-lind");
    for person in ["jonas.weber", "erik.nyberg"] {
        until(dir, "the others know", || !mails(person, "Sara Lind").is_empty());
    }
    said_in_three_languages(dir, address, &id, &mails, &studio);

    // It is over, for people and for the studio.
    said(dir, &["incident", "resolve", &id, "--as", "sara-lind", "--note", "sold no more, all answered"]);
    until(dir, "planned posts go on", || ordered("publishing.resume"));
    until(dir, "all told", || !said(dir, &["incident", "show", &id]).contains("waiting"));
    written_up(dir, address, &id);
}

/// The community manager drafts, the head of PR, the lawyer and product safety approve, each in their own way.
fn said_in_three_languages(
    dir: &Path,
    address: SocketAddr,
    id: &str,
    mails: &impl Fn(&str, &str) -> Vec<Taken>,
    studio: &Service,
) {
    for (language, network) in [("sv", "x"), ("de", "mastodon"), ("en", "bluesky")] {
        let new = ["draft", "new", "--as", "maja-holm", "--incident", id, "--language", language, "--network", network];
        let shown = said(dir, &[&new[..], &["--link", "https://acme.example/glow"]].concat());
        assert!(shown.contains("https://acme.example/glow") && shown.contains("0 of 2 approvals"), "{shown}");
    }
    let approve = |draft: &'static str, who: &'static str| ["draft", "approve", draft, "--read", "1", "--as", who];
    assert!(refused(dir, &approve("1", "maja-holm")).contains("nobody approves their own words"));
    assert!(refused(dir, &approve("1", "jonas-weber")).contains("is not asked for an approval"));
    // Swedish: by the link of the mail and on the command line.
    until(dir, "three pleas", || mails("sara.lind", "[vakt]").len() == 3);
    let plea = mails("sara.lind", "(sv").remove(0);
    let (path, code) = door(&plea, "/d/");
    assert_eq!(readable::faults(&get(address, &path).unwrap().1, "sv"), [""; 0]);
    let (status, page) = press(address, &path, &[("code", &code), ("do", "approve")]);
    assert!(status.contains("200") && page.contains("Du har godkänt"), "{page}");
    assert!(refused(dir, &["draft", "hand-over", "1", "--as", "maja-holm"]).contains("1 of 2 approvals"));
    assert!(said(dir, &approve("1", "anna-keller")).contains("is approved"));
    // German: by two links.
    for person in ["anna.keller", "erik.nyberg"] {
        let (path, code) = door(&mails(person, "(de").remove(0), "/d/");
        let (status, page) = press(address, &path, &[("code", &code), ("do", "approve")]);
        assert!(status.contains("200") && !page.contains("name=\"seen\""), "{page}");
    }
    // English: by the API, for two people of a console.
    for who in ["sara-lind", "erik-nyberg"] {
        let body = json!({ "as": who, "read": 1 }).to_string();
        assert!(post(address, "drafts/3/approve", &body).0.contains("200"));
    }
    until(dir, "the author knows", || mails("maja.holm", "[vakt]").len() == 3);
    // Out: to the studio by a signed request, and into somebody's hands.
    said(dir, &["draft", "hand-over", "1", "--as", "maja-holm", "--channel", "studio"]);
    until(dir, "it is with the studio", || told(studio, "draft.handed_over").len() == 1);
    let given = told(studio, "draft.handed_over").remove(0);
    assert_eq!(given["data"]["approved_by"], json!(["sara-lind", "anna-keller"]));
    assert!(given["data"]["text"].as_str().unwrap().starts_with("Vi har fått uppgifter om en händelse med Acme"));
    let printed = said(dir, &["draft", "hand-over", "2", "--as", "maja-holm", "--to", "Mastodon"]);
    assert!(printed.contains("Acme") && printed.contains("https://acme.example/glow"), "{printed}");
    let body = json!({ "as": "maja-holm", "note": "Bluesky" }).to_string();
    assert!(post(address, "drafts/3/hand-over", &body).0.contains("200"));
    for step in ["1", "2", "4"] {
        said(dir, &["incident", "tick", id, step, "--as", "maja-holm"]);
    }
    said(dir, &["incident", "decide", id, "No Glow is sold until the laboratory has an answer", "--as", "erik-nyberg"]);
}

/// The report tells when what happened, what was said and who approved it; the log is whole.
fn written_up(dir: &Path, address: SocketAddr, id: &str) {
    let report = said(dir, &["incident", "report", id, "--language", "en"]);
    let part = |heading: &str| {
        let from = report.split(&format!("## {heading}\n")).nth(1).unwrap_or_else(|| panic!("{heading}: {report}"));
        from.split("\n## ").next().unwrap().to_owned()
    };
    let times = part("How soon");
    for row in [
        "| First person told |",
        "| Taken |",
        "Sara Lind |",
        "| First statement handed over |",
        "Maja Holm |",
        "| Over |",
    ] {
        assert!(times.contains(row), "{row}: {times}");
    }
    assert!(!times.contains("never"), "{times}");
    let statements = part("What was said");
    for words in [
        "Vi har fått uppgifter om en händelse med Acme",
        "Anna Keller",
        "Sara Lind",
        "Erik Nyberg",
        "Maja Holm",
        "· sv · X",
        "· de · Mastodon",
        "· en · Bluesky",
        "studio",
    ] {
        assert!(statements.contains(words), "{words}: {statements}");
    }
    assert_eq!(statements.matches("(2 of 2): ").count(), 3, "two approvals for each: {statements}");
    assert!(part("Decisions").contains("**Erik Nyberg**: No Glow is sold"), "{report}");
    let timeline = part("Timeline");
    let order = ["opened", "taken", "drafted", "approved", "handed over", "decided", "over"];
    let at: Vec<Option<usize>> = order.iter().map(|what| timeline.find(&format!("| {what} |"))).collect();
    assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{at:?}: {timeline}");
    for language in ["sv", "de", "it", "es"] {
        let (status, page) =
            get(address, &format!("/api/v1/incidents/{id}/report?format=html&language={language}")).unwrap();
        assert!(status.contains("200") && page.contains(&format!("<html lang=\"{language}\">")), "{status}");
        assert!(page.contains("Vi har fått uppgifter om en händelse med Acme"), "{language}");
        assert_eq!(readable::faults(&page, language), [""; 0], "{page}");
    }
    let log = said(dir, &["audit", "list"]);
    assert!(log.contains("handed over") && log.contains("draft 3") && !log.contains("Vi har fått"), "{log}");
    assert!(said(dir, &["audit", "verify"]).contains("whole"));
}
