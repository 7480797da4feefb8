//! `vakt test` on the sample rules, and on rules that do not do what their tests ask for.

use std::path::Path;

use super::world::{PEOPLE, ask, write_rule};

fn fresh() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("vakt.toml"), "rules_dir = \"rules\"\ndata_dir = \"data\"\n").unwrap();
    write_rule(dir.path(), "people.toml", PEOPLE);
    write_rule(dir.path(), "topics/a.toml", "[[topic]]\nname = \"acme\"\nquery = \"acme\"\n");
    dir
}

fn alert(dir: &Path, condition: &str) {
    let text =
        format!("[[alert]]\nname = \"acme\"\ntopics = [\"acme\"]\ncondition = \"{condition}\"\nescalation = \"pr\"\n");
    write_rule(dir, "alerts/a.toml", &text);
}

#[test]
fn the_sample_rules_pass_their_tests_and_every_alert_has_two() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let said = std::process::Command::new(env!("CARGO_BIN_EXE_vakt"))
        .current_dir(root)
        .args(["--config", "systemd/vakt.toml", "test", "--rules", "rules", "--json"])
        .output()
        .unwrap();
    let value: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    let tests = value["tests"].as_array().unwrap();
    let failed: Vec<String> = tests.iter().filter(|t| t["passed"] == false).map(|t| format!("{t:#}")).collect();
    assert!(said.status.success() && failed.is_empty(), "{}", failed.join("\n"));
    let mut alerts = 0;
    for entry in std::fs::read_dir(root.join("rules/alerts")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for name in text.lines().filter_map(|l| l.strip_prefix("name = \"")?.strip_suffix('"')) {
            let of = |t: &&serde_json::Value| t["name"].as_str().unwrap().starts_with(&format!("{name}: "));
            let rings = |t: &&serde_json::Value| t["timeline"].as_array().unwrap().iter().any(|h| h["alert"] == name);
            let (ringing, quiet): (Vec<_>, Vec<_>) = tests.iter().filter(of).partition(rings);
            assert!(!ringing.is_empty() && !quiet.is_empty(), "{name}: {} ring, {} do not", ringing.len(), quiet.len());
            alerts += 1;
        }
    }
    assert!(alerts >= 14, "{alerts}");
}

#[test]
fn a_broken_rule_fails_its_test_with_reasons() {
    let dir = fresh();
    let test = "[[test]]\nname = \"three posts ring\"\n[[test.mentions]]\nfile = \"posts.jsonl\"\n[[test.expect]]\nby = \"+10m\"\n\
                open = [{ alert = \"acme\" }]\ntold = [{ who = \"pr\" }]\n";
    write_rule(dir.path(), "tests/a.toml", test);
    let posts: String = (0..3)
        .map(|n| format!("{{\"id\":\"{n}\",\"text\":\"acme {n} is bad\",\"author\":\"p{n}\",\"published\":\"2025-01-01T00:0{n}:00Z\"}}\n"))
        .collect();
    write_rule(dir.path(), "tests/posts.jsonl", &posts);
    alert(dir.path(), "mentions >= 3");
    let good = ask(dir.path(), &["test", "-v"]);
    let text = String::from_utf8_lossy(&good.stdout).into_owned();
    assert!(good.status.success() && text.contains("ok     three posts ring") && text.contains("anna, bo"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(ask(dir.path(), &["check"]).status.success());

    alert(dir.path(), "mentions >= 4");
    let bad = ask(dir.path(), &["test", "THREE", "--junit", "junit.xml"]);
    let text = String::from_utf8_lossy(&bad.stdout).into_owned();
    assert_eq!(bad.status.code(), Some(1));
    assert!(text.contains("acme has opened") && text.contains("✗ mentions 3 >= 4"), "{text}");
    let junit = std::fs::read_to_string(dir.path().join("junit.xml")).unwrap();
    assert!(junit.contains("failures=\"1\"") && junit.contains("mentions 3 &gt;= 4"), "{junit}");
    assert_eq!(ask(dir.path(), &["test", "--junit", "no/such/folder.xml"]).status.code(), Some(3));

    assert_eq!(ask(dir.path(), &["test", "nothing like it"]).status.code(), Some(2));
    write_rule(
        dir.path(),
        "tests/b.toml",
        "[[test]]\nname = \"x\"\n[[test.expect]]\nat = \"+1m\"\nquiet = [\"acm\"]\n",
    );
    let wrong = ask(dir.path(), &["test"]);
    let text = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text.contains("b.toml:5") && text.contains("did you mean `acme`?"), "{text}");
    assert_eq!(ask(dir.path(), &["check"]).status.code(), Some(1), "check reads them too");
}
