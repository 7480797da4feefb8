//! A mailbox on a real mail server, Dovecot: history, a mail that is listened for, a kill, and nothing in it changed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::super::world::{Daemon, PEOPLE, ask, free_port, until, write_rule};
use super::{count, rows};

struct Dovecot {
    process: Child,
    mail: PathBuf,
    owner: String,
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let pid = self.process.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().ok();
        self.process.wait().ok();
    }
}

fn output(words: &[&str]) -> String {
    let said = Command::new(words[0]).args(&words[1..]).output().unwrap();
    String::from_utf8_lossy(&said.stdout).trim().to_owned()
}

impl Dovecot {
    /// Serves one mailbox in TLS on a port of loopback, with a certificate that is left in `cert.pem`.
    fn start(dir: &Path, port: u16) -> Option<Dovecot> {
        let program = ["/usr/sbin/dovecot", "/usr/bin/dovecot"].into_iter().find(|p| Path::new(p).exists())?;
        // It keeps no mail for root.
        let root = output(&["id", "-u"]) == "0";
        let owner = if root { "mail".to_owned() } else { output(&["id", "-un"]) };
        let (uid, gid) = (output(&["id", "-u", &owner]), output(&["id", "-g", &owner]));
        for sub in ["run", "home", "mail/new", "mail/cur", "mail/tmp"] {
            std::fs::create_dir_all(dir.join(sub)).unwrap();
        }
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(dir.join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(dir.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let own = if root {
            String::new()
        } else {
            format!("default_internal_user = {owner}\ndefault_login_user = {owner}\n")
        };
        let settings = format!(
            "protocols = imap\nbase_dir = D/run\nstate_dir = D/run\nlog_path = D/dovecot.log\nmail_location = maildir:D/mail\n\
             listen = 127.0.0.1\nssl = required\nssl_cert = <D/cert.pem\nssl_key = <D/key.pem\n{own}\
             passdb {{\n driver = static\n args = password=canary-imap\n}}\n\
             userdb {{\n driver = static\n args = uid={uid} gid={gid} home=D/home\n}}\n\
             service imap-login {{\n chroot =\n inet_listener imap {{\n port = 0\n }}\n inet_listener imaps {{\n port = {port}\n ssl = yes\n }}\n}}\n\
             service anvil {{\n chroot =\n}}\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n"
        );
        std::fs::write(dir.join("dovecot.conf"), settings.replace("D/", &format!("{}/", dir.display()))).unwrap();
        if root {
            let owned = format!("{owner}:{}", output(&["id", "-gn", &owner]));
            for (command, what, place) in
                [("chown", owned.as_str(), "mail"), ("chown", &owned, "home"), ("chmod", "a+rx", ".")]
            {
                assert!(Command::new(command).args(["-R", what]).arg(dir.join(place)).status().unwrap().success());
            }
        }
        let process = Command::new(program)
            .args(["-F", "-c"])
            .arg(dir.join("dovecot.conf"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Dovecot { process, mail: dir.join("mail"), owner })
    }

    /// Delivers a mail as its own delivery does.
    fn deliver(&self, n: usize) {
        let text = format!(
            "From: Bo <bo@b.example>\r\nSubject: acme mail {n}\r\nMessage-ID: <{n}@b.example>\r\nDate: {}\r\n\r\nThe kettle burns\r\n",
            jiff::fmt::rfc2822::to_string(&jiff::Zoned::now()).unwrap()
        );
        let path = self.mail.join(format!("tmp/{n}.host"));
        std::fs::write(&path, text).unwrap();
        Command::new("chown").arg(&self.owner).arg(&path).status().unwrap();
        std::fs::rename(&path, self.mail.join(format!("new/{n}.host"))).unwrap();
    }
}

#[test]
fn a_mailbox_is_read_and_listened_to_and_never_changed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let port = free_port();
    let Some(dovecot) = Dovecot::start(dir, port) else {
        eprintln!("there is no Dovecot on this machine (dovecot-imapd): its mailbox is not read");
        return;
    };
    (1..=3).for_each(|n| dovecot.deliver(n));
    std::fs::write(dir.join("password"), "canary-imap\n").unwrap();
    let settings = format!(
        "data_dir = \"data\"\nrules_dir = \"rules\"\n[http]\nlisten = \"off\"\n[fetch]\nmin_interval = \"200ms\"\n\
         [[source]]\nkind = \"imap\"\nname = \"inbox\"\nhost = \"localhost\"\nport = {port}\nuser = \"vakt@acme.example\"\n\
         password = {{ file = \"{d}/password\" }}\nca_file = \"cert.pem\"\nevery = \"200ms\"\nallow_private = [\"127.0.0.0/8\", \"::1/128\"]\n",
        d = dir.display()
    );
    std::fs::write(dir.join("vakt.toml"), settings).unwrap();
    write_rule(dir, "topics/acme.toml", "[[topic]]\nname = \"acme\"\nkind = \"brand\"\nquery = \"acme\"\n");
    write_rule(dir, "people.toml", PEOPLE);
    let alert = "[[alert]]\nname = \"many\"\ntopics = [\"acme\"]\nwindow = \"1h\"\ncondition = \"mentions >= 999\"\n\
        severity = \"watch\"\nescalation = \"pr\"\n";
    write_rule(dir, "alerts/acme.toml", alert);
    let mut daemon = Daemon::start(dir);
    until(dir, "the history", || count(dir, "flags & 2") == 3);
    // It is listened to by now: a mail is here in a moment.
    std::thread::sleep(Duration::from_secs(1));
    dovecot.deliver(4);
    let sent = Instant::now();
    until(dir, "a mail that is listened for", || count(dir, "NOT flags & 2") == 1);
    eprintln!("from its delivery to the store: {:?}", sent.elapsed());
    daemon.kill();
    dovecot.deliver(5);
    let mut daemon = Daemon::start(dir);
    until(dir, "a mail of meanwhile", || count(dir, "NOT flags & 2") == 2);
    assert_eq!(rows(dir, "SELECT title FROM mentions ORDER BY id").last().map(String::as_str), Some("acme mail 5"));
    assert_eq!(count(dir, "1"), 5);
    assert!(daemon.stop().success());
    // Nobody has seen them but vakt: not one is marked or moved.
    let names = |sub: &str| -> Vec<String> {
        let all = std::fs::read_dir(dovecot.mail.join(sub)).unwrap().flatten();
        all.map(|e| e.file_name().into_string().unwrap()).filter(|n| n.contains(":2,") && !n.ends_with(":2,")).collect()
    };
    assert_eq!((names("cur"), names("new")), (Vec::new(), Vec::new()));
    // A password that is wrong is told as such, without it.
    std::fs::write(dir.join("password"), "canary-wrong").unwrap();
    let said = ask(dir, &["sources", "try", "inbox"]);
    let shown = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    assert!(shown.contains("refuses the user or the password") && !shown.contains("canary"), "{shown}");
    super::no_secret(dir);
}
