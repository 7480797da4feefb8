//! The commands as people call them.

use super::world::ask;

fn fresh() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("vakt.toml"), "rules_dir = \"rules\"\ndata_dir = \"data\"\n").unwrap();
    dir
}

#[test]
fn check_tells_every_mistake_and_exits_with_1() {
    let dir = fresh();
    super::world::write_rule(
        dir.path(),
        "topics/a.toml",
        "[[topic]]\nname = \"a\"\nknd = \"brand\"\nquery = \"a AND (\"\n",
    );
    let said = ask(dir.path(), &["check"]);
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(1));
    assert!(
        text.contains("did you mean `kind`?") && text.contains("a.toml:3:1") && text.contains("not closed"),
        "{text}"
    );
    let json = ask(dir.path(), &["check", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(value["valid"], false);
    assert!(value["faults"].as_array().unwrap().len() >= 2);
}

#[test]
fn the_sample_rules_and_settings_are_in_order() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let said = std::process::Command::new(env!("CARGO_BIN_EXE_vakt"))
        .current_dir(root)
        .args(["--config", "systemd/vakt.toml", "check", "rules"])
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert!(said.stderr.is_empty(), "{}", String::from_utf8_lossy(&said.stderr));
}

#[test]
fn wrong_calls_exit_with_2_and_missing_data_with_3() {
    let dir = fresh();
    assert_eq!(ask(dir.path(), &["serach"]).status.code(), Some(2));
    assert_eq!(ask(dir.path(), &["search", "a AND"]).status.code(), Some(2));
    let none = ask(dir.path(), &["search", "acme"]);
    assert_eq!(none.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&none.stderr).contains("vakt run"));
    assert_eq!(ask(dir.path(), &["sources", "kinds"]).status.code(), Some(0));
    assert_eq!(ask(dir.path(), &["doctor"]).status.code(), Some(1), "there are no rules");
}

#[test]
fn stories_are_measured_on_labelled_texts() {
    let dir = fresh();
    let text = "the maker of kettles will take back every one of them that was sold in spring";
    let rows = format!(
        "story\ttext\na\tRT @x: {text}\na\t{text}! #acme #no\n\tlost\nb\tanother thing at all\nc\tanother thing at all\n"
    );
    std::fs::write(dir.path().join("t.tsv"), rows).unwrap();
    let said = ask(dir.path(), &["eval", "stories", "t.tsv", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!((said.status.code(), &value["bad_rows"]), (Some(0), &1.into()), "{value}");
    assert_eq!(value["agreement"]["pairs"], serde_json::json!({ "precision": 0.5, "recall": 1.0, "f1": 2.0 / 3.0 }));
    assert_eq!((&value["worst"][0]["kind"], &value["worst"][0]["stories"][1]), (&"together".into(), &"c".into()));
    let said = ask(dir.path(), &["eval", "stories", "t.tsv"]);
    let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(
        out.contains("B-cubed") && out.contains("taken for one: b and c") && err.contains("t.tsv:4: "),
        "{out}{err}"
    );
    std::fs::write(dir.path().join("t.csv"), "text,label\na,b\n").unwrap();
    assert_eq!(ask(dir.path(), &["eval", "stories", "t.csv"]).status.code(), Some(2));
    assert_eq!(ask(dir.path(), &["eval", "stories", "none.csv"]).status.code(), Some(3));
}

#[test]
fn queries_are_checked_and_explained() {
    let dir = fresh();
    let good = ask(dir.path(), &["query", "check", "(acme OR globex) NOT site:acme.example", "--json"]);
    assert_eq!((good.status.code(), String::from_utf8_lossy(&good.stdout).contains("\"valid\":true")), (Some(0), true));
    std::fs::write(dir.path().join("q.txt"), "acme AND fire OR smoke\n AND (").unwrap();
    let bad = ask(dir.path(), &["query", "check", "q.txt", "--json"]);
    assert_eq!(bad.status.code(), Some(1));
    let said: serde_json::Value = serde_json::from_slice(&bad.stdout).unwrap();
    let codes: Vec<&str> = said["diagnostics"].as_array().unwrap().iter().filter_map(|d| d["code"].as_str()).collect();
    assert!(codes.contains(&"mixed-and-or") && codes.contains(&"unclosed-bracket"), "{codes:?}");
    let shown = ask(dir.path(), &["query", "check", "q.txt"]);
    assert!(String::from_utf8_lossy(&shown.stderr).contains("q.txt:1:"), "{shown:?}");
    let told = ask(dir.path(), &["query", "explain", "kettles NEAR/3 fire"]);
    assert!(String::from_utf8_lossy(&told.stdout).contains("within 3 words of each other"));
}

#[test]
fn the_demo_tells_its_story() {
    let dir = tempfile::tempdir().unwrap();
    let said = std::process::Command::new(env!("CARGO_BIN_EXE_vakt"))
        .current_dir(dir.path())
        .args(["demo", "--pace", "1"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert_eq!(said.status.code(), Some(0), "{text}\n{}", String::from_utf8_lossy(&said.stderr));
    assert!(text.contains("product-safety · acme") && text.contains("▲ raised to CRISIS"), "{text}");
    assert!(text.contains("The launch and the copied wire story rang for nobody."), "{text}");
    assert_eq!(text.matches("a crowd that does not ring").count(), 2, "{text}");
    let mails = std::fs::read_dir(dir.path().join("vakt-demo/mail")).unwrap().count();
    assert!(mails > 10, "{mails}");
    let found = ask(
        &dir.path().join("vakt-demo"),
        &["search", "acme AND (fire OR brann OR incendio)", "--since", "36h", "--json"],
    );
    assert!(found.status.success());
    let first: serde_json::Value = serde_json::from_slice(found.stdout.split(|b| *b == b'\n').next().unwrap()).unwrap();
    assert!(first["topics"].as_array().unwrap().iter().any(|t| t == "acme"));
}
