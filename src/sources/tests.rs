//! The table of kinds: every manual is an example that can be read, and every mistake in one is told.

use super::*;

fn faults(text: &str) -> Vec<String> {
    match read(&Sheet::new("vakt.toml", text), &[]) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(Fault::brief).collect(),
    }
}

#[test]
fn every_manual_can_be_read() {
    for kind in KINDS {
        assert!(kind.manual.starts_with(&format!("[[source]]\nkind = \"{}\"\nname = ", kind.name)), "{}", kind.name);
        assert_eq!(faults(kind.manual), Vec::<String>::new(), "{}", kind.name);
        // What is shown as a comment is a setting as well.
        let all: String = kind.manual.lines().map(|l| format!("{}\n", l.strip_prefix("# ").unwrap_or(l))).collect();
        assert_eq!(faults(&all), Vec::<String>::new(), "{}", kind.name);
    }
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let text = r#"
[[source]]
kind = "mastodon"
name = "a"
instance = "https://user:canary@mastodon.example"
search = ["acme"]
[[source]]
kind = "youtube"
name = "b"
search = ["acme"]
key = "canary"
[[source]]
kind = "reddit"
name = "c"
client_id = "x"
[[source]]
kind = "appstore"
name = "d"
app = "com.acme"
countries = ["sweden"]
[[source]]
kind = "bluesky"
name = "e"
search = [""]
handle = "acme.example"
[[source]]
kind = "lemy"
name = "f"
"#;
    insta::assert_snapshot!(faults(text).join("\n"));
    assert!(!faults(text).join("").contains("canary"));
}
