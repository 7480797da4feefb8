//! The world of a journey: a feed that grows, a real SMTP server, the daemon as a process, all on loopback.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::Deserialize;

/// A JSON feed on loopback, served by a thread; its newest items first.
pub struct Feed {
    pub address: SocketAddr,
    items: Arc<Mutex<Vec<serde_json::Value>>>,
}

impl Feed {
    pub fn start() -> Feed {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let items: Arc<Mutex<Vec<serde_json::Value>>> = Arc::default();
        let shown = items.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &shown);
            }
        });
        Feed { address, items }
    }

    pub fn publish(&self, id: impl Into<String>, text: impl Into<String>, author: impl Into<String>) {
        let (text, author): (String, String) = (text.into(), author.into());
        let id: String = id.into();
        self.put(serde_json::json!({
            "id": id, "url": format!("https://news.example/{id}"), "content_text": text,
            "date_published": jiff::Timestamp::now().to_string(), "authors": [{ "name": author }],
            "language": "en",
        }));
    }

    /// One item as it stands in the feed.
    pub fn put(&self, item: serde_json::Value) {
        self.items.lock().unwrap().push(item);
    }

    pub fn len(&self) -> usize {
        self.items.lock().unwrap().len()
    }
}

/// Answers one request; a reader that was killed is no concern of the feed.
fn serve(mut stream: TcpStream, items: &Mutex<Vec<serde_json::Value>>) {
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok();
    let mut request = [0u8; 4096];
    let n = stream.read(&mut request).unwrap_or(0);
    if n == 0 {
        return;
    }
    let items = items.lock().unwrap();
    let tag = format!("\"{}\"", items.len());
    if String::from_utf8_lossy(&request[..n]).contains(&format!("if-none-match: {tag}")) {
        stream.write_all(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").ok();
        return;
    }
    let list: Vec<_> = items.iter().rev().take(1500).collect();
    let body = serde_json::json!({ "version": "https://jsonfeed.org/version/1.1", "title": "News", "items": list })
        .to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/feed+json\r\netag: {tag}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).ok();
}

/// A mail that the SMTP server has taken: it is on disk before the server says 250.
#[derive(Debug, Clone, Deserialize)]
pub struct Taken {
    pub to: String,
    pub message_id: String,
    pub subject: String,
    pub digest: String,
    /// Its plain text.
    pub text: String,
}

/// aiosmtpd from PyPI, as a process.
pub struct Smtp {
    pub port: u16,
    log: PathBuf,
    process: Child,
}

impl Smtp {
    pub fn start(dir: &Path) -> Smtp {
        Smtp::with(dir, &[])
    }

    /// The same with STARTTLS, by a certificate in `relay.pem`, for `watch` with the password in `password`.
    pub fn guarded(dir: &Path) -> Smtp {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (cert, key) = (dir.join("relay.pem"), dir.join("relay.key"));
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        std::fs::write(dir.join("password"), "smtp-secret-canary").unwrap();
        Smtp::with(dir, &[cert, key])
    }

    fn with(dir: &Path, words: &[PathBuf]) -> Smtp {
        let log = dir.join("smtp.jsonl");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/smtp_sink.py");
        let mut process = Command::new(python())
            .arg(script)
            .arg(&log)
            .args(words)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts; tests/run installs what is needed");
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(process.stdout.take().unwrap()), &mut line).unwrap();
        let port = line.trim().parse().expect("the SMTP server says its port; tests/run installs aiosmtpd");
        Smtp { port, log, process }
    }

    pub fn taken(&self) -> Vec<Taken> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect()
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The Python with aiosmtpd in it, which `tests/run` makes.
fn python() -> PathBuf {
    match std::env::var_os("VAKT_TEST_PYTHON") {
        Some(path) => path.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/.venv/bin/python"),
    }
}

/// The command that is tested.
pub fn vakt(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vakt"));
    command.current_dir(dir).arg("--config").arg(dir.join("vakt.toml")).env("NO_COLOR", "1");
    command
}

/// Runs a command to its end.
pub fn ask(dir: &Path, words: &[&str]) -> Output {
    vakt(dir).args(words).output().unwrap()
}

/// The daemon as a process; killed when the test is over.
pub struct Daemon(pub Child);

impl Daemon {
    pub fn start(dir: &Path) -> Daemon {
        let log = std::fs::File::options().create(true).append(true).open(dir.join("vakt.log")).unwrap();
        Daemon(vakt(dir).arg("run").stderr(log).spawn().unwrap())
    }

    pub fn kill(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }

    /// SIGTERM, and how it ended.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.0.wait().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until something holds; the log says why it never did.
pub fn until(dir: &Path, what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        if began.elapsed() > Duration::from_secs(60) {
            let log = std::fs::read_to_string(dir.join("vakt.log")).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(30).collect();
            panic!("never: {what}\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A free port.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Writes settings that read a feed quickly and send through the SMTP server.
pub fn write_settings(dir: &Path, feed: SocketAddr, smtp: u16, http: u16) {
    std::fs::write(dir.join("token"), "push-secret-canary").unwrap();
    let text = format!(
        r#"
        data_dir = "data"
        rules_dir = "rules"
        [http]
        listen = "127.0.0.1:{http}"
        tokens = [{{ name = "ci", role = "push", value = {{ file = "{dir}/token" }} }}]
        [mail]
        from = "vakt <vakt@acme.example>"
        operator = "ops@acme.example"
        relays = [{{ url = "smtp://127.0.0.1:{smtp}?tls=none" }}]
        [fetch]
        min_interval = "40ms"
        [[source]]
        kind = "feed"
        name = "news"
        url = "http://{feed}/feed.json"
        every = "40ms"
        allow_private = ["127.0.0.0/8"]
        "#,
        dir = dir.display()
    );
    std::fs::write(dir.join("vakt.toml"), text).unwrap();
}

/// Writes one file of the rules.
pub fn write_rule(dir: &Path, name: &str, text: &str) {
    let path = dir.join("rules").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Two people who are called at once, and nobody after them.
pub const PEOPLE: &str = r#"
[[person]]
name = "anna"
full_name = "Anna Alm"
email = "anna@acme.example"
languages = ["en"]
[[person]]
name = "bo"
full_name = "Bo Berg"
email = "bo@acme.example"
languages = ["sv"]
[[team]]
name = "pr"
members = ["anna", "bo"]
[[policy]]
name = "pr"
steps = [{ notify = ["pr"], wait = "12h" }]
"#;

/// A service that takes what is posted to it, but for requests whose body has `refuse` in it.
pub struct Service {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<(String, serde_json::Value)>>>,
}

impl Service {
    pub fn start(refuse: &'static str) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<(String, serde_json::Value)>>> = Arc::default();
        let kept = asked.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                stream.set_read_timeout(Some(Duration::from_secs(2))).ok();
                let (mut text, mut buffer) = (String::new(), [0u8; 8192]);
                let body = loop {
                    let n = stream.read(&mut buffer).unwrap_or(0);
                    text.push_str(&String::from_utf8_lossy(&buffer[..n]));
                    let whole = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
                    match whole.and_then(|body| serde_json::from_str(&body).ok()) {
                        Some(body) => break Some(body),
                        None if n == 0 => break None,
                        None => {}
                    }
                };
                let Some(body) = body else { continue };
                let refused = !refuse.is_empty() && text.contains(refuse);
                kept.lock().unwrap().push((text.lines().next().unwrap_or_default().to_owned(), body));
                let status = if refused { "403 Forbidden" } else { "202 Accepted" };
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
                stream.write_all(answer.as_bytes()).ok();
            }
        });
        Service { address, asked }
    }

    pub fn asked(&self) -> Vec<(String, serde_json::Value)> {
        self.asked.lock().unwrap().clone()
    }
}

/// One HTTP request by hand: status line and body.
pub fn http(address: SocketAddr, request: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.lines().next()?.to_owned(), body.to_owned()))
}

/// GET of a path.
pub fn get(address: SocketAddr, path: &str) -> Option<(String, String)> {
    http(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"))
}

/// POST of mentions with the test's token.
pub fn push(address: SocketAddr, body: &str) -> Option<(String, String)> {
    push_as(address, "ci", body)
}

/// The same under the name of a source.
pub fn push_as(address: SocketAddr, source: &str, body: &str) -> Option<(String, String)> {
    let token = "push-secret-canary";
    http(
        address,
        &format!(
            "POST /api/v1/mentions?source={source} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ),
    )
}

/// What a command says, which must go well.
pub fn said(dir: &Path, words: &[&str]) -> String {
    let out = ask(dir, words);
    assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// What a command says that is called in a wrong way.
pub fn refused(dir: &Path, words: &[&str]) -> String {
    let out = ask(dir, words);
    assert_eq!(out.status.code(), Some(2), "{words:?}: {}", String::from_utf8_lossy(&out.stdout));
    String::from_utf8_lossy(&out.stderr).into_owned()
}
