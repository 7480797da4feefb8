//! The search index built anew, by a command that has the data to itself and by the daemon.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::world::*;

fn found(dir: &Path, query: &str) -> String {
    String::from_utf8_lossy(&ask(dir, &["search", query, "--count"]).stdout).trim().to_owned()
}

fn reindex(dir: &Path) -> serde_json::Value {
    let said = ask(dir, &["reindex", "--json"]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    serde_json::from_slice(&said.stdout).unwrap()
}

#[test]
fn the_index_is_built_anew_with_and_without_a_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (feed, port) = (Feed::start(), free_port());
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    write_settings(dir, feed.address, 9, port);
    write_rule(dir, "people.toml", PEOPLE);
    write_rule(dir, "topics/acme.toml", "[[topic]]\nname = \"acme\"\nkind = \"brand\"\nquery = \"acme\"\n");
    write_rule(
        dir,
        "alerts/a.toml",
        "[[alert]]\nname = \"a\"\ntopics = [\"acme\"]\ncondition = \"mentions >= 9999999\"\nescalation = \"pr\"\n",
    );
    assert_eq!(ask(dir, &["reindex"]).status.code(), Some(3), "there is no data yet");
    let mut daemon = Daemon::start(dir);
    until(dir, "ready", || get(address, "/readyz").is_some_and(|(s, _)| s.contains("200")));
    let post = |from: usize, to: usize| {
        let line = |n| format!("{{\"id\":\"{n}\",\"text\":\"Acme number {n}\",\"author\":\"somebody {}\"}}", n % 3);
        let lines: Vec<String> = (from..to).map(line).collect();
        let (status, _) = push(address, &lines.join("\n")).unwrap();
        assert!(status.contains("200"), "{status}");
    };
    post(0, 2500);
    until(dir, "indexed", || found(dir, "acme") == "2500");

    // The daemon does it, goes on taking in, and the old index is searched meanwhile.
    let inode = || std::fs::metadata(dir.join("data/index")).unwrap().ino();
    let before = inode();
    let asked = std::thread::scope(|s| {
        let asked = s.spawn(|| reindex(dir));
        post(2500, 2510);
        while !asked.is_finished() {
            let n: usize = found(dir, "acme").parse().unwrap();
            assert!(n >= 2500, "{n}");
        }
        asked.join().unwrap()
    });
    assert!(asked["mentions"].as_u64() >= Some(2500) && asked["bytes"].as_u64() > Some(0), "{asked}");
    assert_ne!(inode(), before, "another folder is in its place");
    until(dir, "what came meanwhile is found", || found(dir, "acme") == "2510");
    // A deletion goes into the new one as well.
    assert!(ask(dir, &["erase", "--author", "somebody 1", "--yes"]).status.success());
    assert_eq!(found(dir, "acme"), "1673");
    assert!(daemon.stop().success());

    // Alone; what an attempt before it left is swept away, and the old index was whole until then.
    std::fs::create_dir(dir.join("data/index.new")).unwrap();
    std::fs::write(dir.join("data/index.new/meta.json"), "cut short").unwrap();
    assert_eq!(found(dir, "acme"), "1673");
    let before = inode();
    let alone = reindex(dir);
    assert_eq!(alone["mentions"].as_u64(), Some(1673), "{alone}");
    assert_ne!(inode(), before);
    assert!(!dir.join("data/index.new").exists());
    assert_eq!(found(dir, "acme"), "1673");
    // Whenever it is killed there is an index, whole: the old one or the new one.
    for n in 0..12 {
        let mut killed = vakt(dir).arg("reindex").stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(40 * n));
        killed.kill().unwrap();
        killed.wait().unwrap();
        assert_eq!(found(dir, "acme"), "1673", "killed after {} ms", 40 * n);
    }
    // Not even a lost index is needed.
    std::fs::remove_dir_all(dir.join("data/index")).unwrap();
    reindex(dir);
    assert_eq!(found(dir, "acme"), "1673");
    assert!(String::from_utf8_lossy(&ask(dir, &["doctor"]).stdout).contains("whole"));
}
