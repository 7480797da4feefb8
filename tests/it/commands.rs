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
fn check_knows_the_sources_whose_silence_is_watched() {
    let dir = fresh();
    let quiet = "[[alert]]\nname = \"quiet\"\nsilence_of = [\"wir\"]\nescalation = \"pr\"\n";
    let topic = "[[topic]]\nname = \"a\"\nkind = \"brand\"\nquery = \"a\"\n";
    let people = "[[person]]\nname = \"anna\"\nemail = \"anna@acme.example\"\n[[policy]]\nname = \"pr\"\n\
        steps = [{ notify = [\"anna\"], wait = \"15m\" }]\n";
    for (name, text) in [("alerts/quiet.toml", quiet), ("topics/a.toml", topic), ("people.toml", people)] {
        super::world::write_rule(dir.path(), name, text);
    }
    let rules = dir.path().join("rules");
    let more = "[[source]]\nname = \"wire\"\nkind = \"feed\"\nurl = \"https://wire.example/feed\"\n";
    let settings = dir.path().join("vakt.toml");
    std::fs::write(&settings, std::fs::read_to_string(&settings).unwrap() + more).unwrap();
    let said = ask(dir.path(), &["check", rules.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(text.contains("there is no source `wir`") && text.contains("quiet.toml:3"), "{text}");
    assert!(text.contains("did you mean `wire`?") && said.status.code() == Some(1), "{text}");
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
fn spikes_are_told_where_they_begin() {
    let dir = fresh();
    let start: jiff::Timestamp = "2026-03-10T00:00:00Z".parse().unwrap();
    let mut rows = String::from("value,timestamp\n");
    for n in 0..5 * 288i64 {
        let at = (start + jiff::SignedDuration::from_mins(5 * n)).strftime("%Y-%m-%d %H:%M:%S");
        let count = 4 + n * 7919 % 5 + if (1200..1206).contains(&n) { 90 } else { 0 };
        rows += &format!("{count},{at}\n");
        if n == 700 {
            rows += &format!("7,{at}\n-1,2026-03-12T10:21:00\nmany,2026-03-12T10:22:00\n3,yesterday\n,\n");
        }
    }
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("acme.csv"), &rows).unwrap();
    let one = ask(dir.path(), &["eval", "spikes", "data/acme.csv"]);
    let (out, err) = (String::from_utf8_lossy(&one.stdout), String::from_utf8_lossy(&one.stderr));
    let lines: Vec<Vec<&str>> = out.lines().map(|l| l.split(',').collect()).collect();
    assert_eq!(
        (one.status.code(), lines.len(), lines[0].join(",")),
        (Some(0), 1441, "timestamp,value,expected,anomaly_score".into()),
        "{err}"
    );
    let strange: Vec<&str> = lines[1..].iter().filter(|l| l[3].parse::<f64>().unwrap() >= 0.5).map(|l| l[0]).collect();
    assert!(
        strange.contains(&"2026-03-14 04:00:00") && strange.iter().all(|at| at.starts_with("2026-03-14 04:")),
        "{strange:?}"
    );
    let usual: f64 = lines[1440][2].parse().unwrap();
    assert!((4.0..9.0).contains(&usual), "{usual}");
    assert!(err.contains("5 bad rows") && err.contains("`-1` is no count") && err.contains("0.5 or more"), "{err}");
    let said = ask(dir.path(), &["eval", "spikes", "data", "--json", "--out", "scores", "--chart", "charts"]);
    let value: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    let acme = &value["series"][0];
    assert_eq!(
        (&value["threshold"], &acme["series"], &acme["bad_rows"]),
        (&0.5.into(), &"acme".into(), &5.into()),
        "{value}"
    );
    assert_eq!((&acme["bucket_minutes"], &acme["spikes"]), (&5.0.into(), &strange.len().into()), "{value}");
    assert!(acme["strangest"][0]["value"].as_u64().unwrap() >= 94, "{value}");
    assert_eq!(std::fs::read_to_string(dir.path().join("scores/acme.csv")).unwrap(), out);
    assert!(std::fs::read_to_string(dir.path().join("charts/acme.svg")).unwrap().contains("<circle"));
    assert_eq!(ask(dir.path(), &["eval", "spikes", "data"]).status.code(), Some(2), "it must say where to");
    assert_eq!(
        ask(dir.path(), &["eval", "spikes", "data", "--out", "data"]).status.code(),
        Some(2),
        "nothing is overwritten"
    );
    assert_eq!(std::fs::read_to_string(data.join("acme.csv")).unwrap(), rows);
    assert_eq!(ask(dir.path(), &["eval", "spikes", "none.csv"]).status.code(), Some(3));
    std::fs::write(dir.path().join("b.csv"), "time,value\n1,2\n").unwrap();
    assert_eq!(ask(dir.path(), &["eval", "spikes", "b.csv"]).status.code(), Some(2));
}

#[test]
fn texts_are_scored_with_reasons() {
    let dir = fresh();
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
    std::fs::write(dir.path().join("vakt.toml"), format!("rules_dir = {rules:?}\ndata_dir = \"data\"\n")).unwrap();
    let score = |text: &str, more: &[&str]| -> serde_json::Value {
        let said = ask(dir.path(), &[&["score", text, "--json"], more].concat());
        assert_eq!(said.status.code(), Some(0), "{}", String::from_utf8_lossy(&said.stderr));
        serde_json::from_slice(&said.stdout).unwrap()
    };
    let two = score("switched from Acme to Globex, so much better", &[]);
    let toward = |name: &str| {
        let list = two["toward"].as_array().unwrap();
        list.iter().find(|t| t["topic"] == name).map(|t| t["label"].as_str().unwrap().to_owned())
    };
    assert_eq!((toward("acme").as_deref(), toward("globex").as_deref()), (Some("negative"), Some("positive")), "{two}");
    let fire = score("Min kokare från Acme började brinna, livsfarligt, och ingen svarar", &["--topic", "acme"]);
    assert_eq!(
        (&fire["language"], &fire["label"], &fire["intent"]),
        (&"sv".into(), &"negative".into(), &"complaint".into())
    );
    assert!(fire["why"][0]["weight"].as_f64().unwrap() < 0.0 && fire["toward"][0]["topic"] == "acme", "{fire}");
    assert_eq!(score("War Zone is out on Friday", &["--lang", "en"])["label"], "neutral", "the house knows better");
    assert_eq!(score("It smells of plastic in the evening", &["--lang", "en"])["label"], "negative");
    let unknown = score("Ужасный чайник, не покупайте", &[]);
    assert_eq!((&unknown["label"], &unknown["sentiment"]), (&"unscored".into(), &serde_json::Value::Null));
    assert_eq!(ask(dir.path(), &["score", "x", "--topic", "none"]).status.code(), Some(2));
    let plain = ask(dir.path(), &["score", "I love my new kettle, great quality!"]);
    let text = String::from_utf8_lossy(&plain.stdout);
    assert!(text.contains("positive") && text.contains("because") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn sentiment_languages_and_intents_are_measured_on_labelled_texts() {
    let dir = fresh();
    let eval = |what: &str, file: &str, text: &str| -> serde_json::Value {
        std::fs::write(dir.path().join(file), text).unwrap();
        let said = ask(dir.path(), &["eval", what, file, "--json"]);
        assert_eq!(said.status.code(), Some(0), "{}", String::from_utf8_lossy(&said.stderr));
        serde_json::from_slice(&said.stdout).unwrap()
    };
    let three = eval(
        "sentiment",
        "a.csv",
        "language,label,text\nen,positive,\"I love it, great quality\"\nen,negative,This is terrible\nen,neutral,Acme opens a store in Leeds\n\
         sv,negative,Det är hemskt\nsv,positive,Fantastisk kvalitet\nen,irrelevant,nothing\n",
    );
    assert_eq!((&three["all"]["texts"], &three["left_out"]), (&5.into(), &1.into()), "{three}");
    assert_eq!(
        (&three["all"]["accuracy"], &three["judged_by_side"]),
        (&1.0.into(), &serde_json::json!(["sv"])),
        "{three}"
    );
    assert_eq!(three["languages"]["en"]["confusion"]["neutral"]["neutral"], 1);
    let wrong = eval(
        "sentiment",
        "b.tsv",
        "label\ttext\tlanguage\npositive\tThis is terrible\ten\nnegative\tThis is terrible\ten\n",
    );
    assert_eq!(wrong["all"]["accuracy"], 0.5, "a wrong label is counted as one: {wrong}");
    let languages = eval(
        "language",
        "c.tsv",
        "language\ttext\nsv\tMin vattenkokare började brinna i morse\nnb\tVannkokeren min tok fyr i morges\nde\tMy kettle caught fire\n",
    );
    assert_eq!(
        (&languages["languages"]["sv"], &languages["languages"]["no"]),
        (&1.0.into(), &1.0.into()),
        "{languages}"
    );
    assert_eq!(languages["languages"]["de"], 0.0);
    let alone = eval(
        "intent",
        "d.tsv",
        "label\tneeds_answer\ttext\tlanguage\nsuggestion\tyes\tPlease add a dark mode, it would be great\ten\nother\tno\tIt rained in Leeds\ten\n",
    );
    assert_eq!((&alone["judged_alone"], &alone["all"]["accuracy"]), (&"suggestion".into(), &1.0.into()), "{alone}");
    assert_eq!(alone["needs_answer"]["accuracy"], 1.0, "{alone}");
    std::fs::write(dir.path().join("e.tsv"), "text\tlabel\na\tb\n").unwrap();
    assert_eq!(ask(dir.path(), &["eval", "sentiment", "e.tsv"]).status.code(), Some(2));
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
