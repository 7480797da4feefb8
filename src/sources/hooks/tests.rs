//! Calls as places make them, the reference values that they publish, and calls of others.

use serde_json::json;

use super::*;
use crate::model::time::{Span, from_millis};
use crate::sources::FetchError;

/// A hook of some settings; every secret of it is `secret`.
fn hook(settings: &str, secret: &str) -> (tempfile::TempDir, Arc<dyn Hook>) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("secret"), secret).unwrap();
    let place = dir.path().join("secret").display().to_string();
    let text = format!("[[hook]]\nname = \"h\"\n{}", settings.replace("SECRET", &format!("{{ file = \"{place}\" }}")));
    let hooks = read(&Sheet::new("vakt.toml", text), &[]).unwrap();
    (dir, hooks[0].hook.clone())
}

fn now() -> Timestamp {
    "2026-11-01T12:00:00Z".parse().unwrap()
}

fn take(hook: &Arc<dyn Hook>, headers: &[(&str, &str)], body: &[u8], now: Timestamp) -> Result<Told, Refusal> {
    let header = |name: &str| headers.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    hook.take(&Call { header: &header, body }, now)
}

fn hex(secret: &str, parts: &[&[u8]]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    parts.iter().for_each(|p| mac.update(p));
    mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect()
}

fn faults(text: &str) -> Vec<String> {
    let sheet = Sheet::new("vakt.toml", text);
    read(&sheet, &[]).err().unwrap_or_default().iter().map(Fault::brief).collect()
}

#[test]
fn every_manual_can_be_read() {
    for kind in KINDS {
        assert!(kind.manual.starts_with(&format!("[[hook]]\nkind = \"{}\"\nname = ", kind.name)), "{}", kind.name);
        assert_eq!(faults(kind.manual), Vec::<String>::new(), "{}", kind.name);
    }
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let text = "[[hook]]\nkind = \"slak\"\nname = \"A b\"\n[[hook]]\nkind = \"hmac\"\nname = \"c\"\nheader = \"X Y\"\nsecret = \"canary\"\n\
        [[hook]]\nkind = \"github\"\nname = \"d\"\n[[hook]]\nkind = \"github\"\nname = \"e\"\nsecret = { env = \"X\" }\n\
        [[hook]]\nkind = \"github\"\nname = \"e\"\nsecret = { env = \"X\" }\n";
    let told = faults(text).join("\n");
    for part in [
        "did you mean `slack`",
        "lower-case letters",
        "no name of a header",
        "another hook or source named `e`",
        "this hook has no `secret`",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("canary"));
    let sources =
        crate::sources::read(&Sheet::new("v", "[[source]]\nkind = \"maildir\"\nname = \"c\"\nfolder = \"x\"\n"), &[])
            .unwrap();
    let text = "[[hook]]\nkind = \"github\"\nname = \"c\"\nsecret = { env = \"X\" }\n";
    assert_eq!(read(&Sheet::new("vakt.toml", text), &sources).unwrap_err().len(), 1);
    // Those who know failures of fetches know these as well.
    assert!(!FetchError::remedy("secret").is_empty());
}

#[test]
fn slack_proves_itself_as_its_documentation_shows() {
    // The example of docs.slack.dev, to the letter.
    let (_dir, slack) = hook(
        "kind = \"slack\"\nsecret = SECRET\nworkspace = \"https://acme.slack.com\"\n",
        "8f742231b10e8888abcd99yyyzzz85a5",
    );
    let body: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let headers = [
        ("x-slack-request-timestamp", "1531420618"),
        ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
    ];
    let then = from_millis(1_531_420_618_000);
    let refused = |at: Timestamp| take(&slack, &headers, body, at).unwrap_err();
    assert!(matches!(refused(then), Refusal::Malformed(_)), "it is signed, and no event");
    assert!(matches!(refused(then + Span::mins(6)), Refusal::Forged(why) if why.contains("five minutes")));
    assert!(matches!(refused(then - Span::mins(6)), Refusal::Forged(_)));
}

#[test]
fn slack_tells_messages() {
    let (_dir, slack) = hook(
        "kind = \"slack\"\nsecret = SECRET\nworkspace = \"https://acme.slack.com\"\nchannels = [\"C1\"]\n",
        "s3cret",
    );
    let time = now().as_second().to_string();
    let call = |body: serde_json::Value| {
        let body = body.to_string();
        let signature = format!("v0={}", hex("s3cret", &[b"v0:", time.as_bytes(), b":", body.as_bytes()]));
        take(&slack, &[("x-slack-request-timestamp", &time), ("x-slack-signature", &signature)], body.as_bytes(), now())
    };
    assert_eq!(call(json!({ "type": "url_verification", "challenge": "3eZb" })).unwrap().reply, "3eZb");
    let event = |event: serde_json::Value| {
        call(json!({ "type": "event_callback", "event_id": "Ev1", "event": event })).unwrap()
    };
    let told = event(
        json!({ "type": "message", "channel": "C1", "user": "U7", "text": "Acme &amp; fire", "ts": "1793534340.000200" }),
    );
    assert_eq!((told.captures[0].text.as_str(), told.event.as_deref()), ("Acme & fire", Some("Ev1")));
    assert_eq!(told.captures[0].native_id.as_deref(), Some("C1 1793534340.000200"));
    let edited = json!({ "type": "message", "subtype": "message_changed", "channel": "C1",
        "message": { "user": "U7", "text": "Acme", "ts": "1793534340.000200", "edited": {} } });
    assert_eq!(event(edited).captures[0].text, "Acme");
    let quiet = [
        json!({ "type": "message", "channel": "C2", "user": "U7", "text": "elsewhere", "ts": "1.2" }),
        json!({ "type": "message", "subtype": "channel_join", "channel": "C1", "text": "joined", "ts": "1.2" }),
        json!({ "type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": "1.2" }),
        json!({ "type": "reaction_added", "item": {} }),
    ];
    assert!(quiet.into_iter().all(|e| event(e).captures.is_empty()));
    let deleted = |channel: &str| {
        let told = json!({ "type": "message", "subtype": "message_deleted", "channel": channel, "deleted_ts": "1793534340.000200" });
        event(told).gone
    };
    assert_eq!(deleted("C1"), ["C1 1793534340.000200"]);
    assert!(deleted("C2").is_empty());
    let tombstone = json!({ "type": "message", "subtype": "message_changed", "channel": "C1",
        "message": { "subtype": "tombstone", "text": "This message was deleted.", "ts": "1793534340.000200" } });
    let told = event(tombstone);
    assert_eq!((told.gone.len(), told.captures.len()), (1, 0));
    assert!(matches!(take(&slack, &[], b"{}", now()), Err(Refusal::Forged(_))));
}

#[test]
fn github_proves_itself_as_its_documentation_shows() {
    // The example of docs.github.com, to the letter.
    let (dir, github) = hook("kind = \"github\"\nsecret = SECRET\n", "It's a Secret to Everybody");
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let call = |signature: &str, body: &[u8]| take(&github, &[("x-hub-signature-256", signature)], body, now());
    assert!(matches!(call(signature, b"Hello, World!"), Err(Refusal::Malformed(_))));
    assert!(matches!(call(signature, b"Hello, World?"), Err(Refusal::Forged(_))));
    assert!(matches!(call("sha256=7571", b"Hello, World!"), Err(Refusal::Forged(_))));
    assert!(matches!(call("", b"Hello, World!"), Err(Refusal::Forged(_))));
    std::fs::remove_file(dir.path().join("secret")).unwrap();
    assert!(matches!(call(signature, b"Hello, World!"), Err(Refusal::Secret(_))));
}

#[test]
fn github_tells_issues_and_comments() {
    let (_dir, github) = hook("kind = \"github\"\nsecret = SECRET\n", "s");
    let call = |event: &str, body: serde_json::Value| {
        let body = body.to_string();
        let signature = format!("sha256={}", hex("s", &[body.as_bytes()]));
        let headers =
            [("x-hub-signature-256", signature.as_str()), ("x-github-event", event), ("x-github-delivery", "d-1")];
        take(&github, &headers, body.as_bytes(), now()).unwrap()
    };
    let issue = json!({ "node_id": "I_1", "title": "SDK crashes", "body": "It does", "html_url": "https://github.com/o/r/issues/1",
        "user": { "login": "ed" }, "created_at": "2026-11-01T11:00:00Z", "labels": [{ "name": "bug" }] });
    let comment = json!({ "node_id": "IC_2", "body": "Here too", "html_url": "https://github.com/o/r/issues/1#issuecomment-2",
        "user": { "login": "flo" }, "created_at": "2026-11-01T11:30:00Z", "reactions": { "total_count": 2 } });
    let repository = json!({ "full_name": "o/r" });
    let told = call("issues", json!({ "action": "opened", "issue": issue, "repository": repository }));
    let c = &told.captures[0];
    assert_eq!(
        (c.title.as_deref(), c.kind.as_str(), c.channel.as_str(), c.author.handle.as_str()),
        (Some("SDK crashes"), "post", "o/r", "ed")
    );
    assert_eq!(told.event.as_deref(), Some("d-1"));
    let told = call(
        "issue_comment",
        json!({ "action": "created", "issue": issue, "comment": comment, "repository": repository }),
    );
    let c = &told.captures[0];
    assert_eq!(
        (c.text.as_str(), c.kind.as_str(), c.title.as_deref(), c.engagement),
        ("Here too", "comment", Some("SDK crashes"), Some(2))
    );
    assert_eq!(c.native_id.as_deref(), Some("IC_2"));
    assert!(call("issues", json!({ "action": "closed", "issue": issue })).captures.is_empty());
    let told = call("issue_comment", json!({ "action": "deleted", "issue": issue, "comment": comment }));
    assert!(told.captures.is_empty() && told.gone == ["IC_2"], "{told:?}");
    let review = |body: &str| {
        let review = json!({ "node_id": "PRR_3", "body": body, "user": { "login": "flo" } });
        let pull = json!({ "node_id": "PR_3", "title": "Mend the SDK" });
        call("pull_request_review", json!({ "action": "submitted", "pull_request": pull, "review": review })).captures
    };
    assert_eq!((review("").len(), review("Not yet").len()), (0, 1));
    assert!(call("ping", json!({ "zen": "Keep it logically awesome." })).captures.is_empty());
}

#[test]
fn meta_is_greeted_and_tells_posts_and_comments() {
    let (_dir, meta) = hook("kind = \"meta\"\nsecret = SECRET\nverify_token = SECRET\n", "s");
    let greet = |token: &str| {
        let fields = [("hub.mode", "subscribe"), ("hub.verify_token", token), ("hub.challenge", "1158201444")];
        meta.greet(&fields.map(|(k, v)| (k.to_owned(), v.to_owned())))
    };
    assert_eq!(greet("s").unwrap(), "1158201444");
    assert!(matches!(greet("x"), Err(Refusal::Forged(_))) && matches!(meta.greet(&[]), Err(Refusal::Forged(_))));
    let call = |body: serde_json::Value| {
        let body = body.to_string();
        let signature = format!("sha256={}", hex("s", &[body.as_bytes()]));
        take(&meta, &[("x-hub-signature-256", &signature)], body.as_bytes(), now()).unwrap()
    };
    let change = |field: &str, value: serde_json::Value| json!({ "field": field, "value": value });
    let comment = json!({ "item": "comment", "verb": "add", "comment_id": "2_9", "post_id": "1_2", "created_time": 1_793_534_340,
        "from": { "id": "77", "name": "Bo" }, "message": "It burned down my kitchen" });
    let told = call(json!({ "object": "page", "entry": [{ "id": "1", "time": 1_793_534_350, "changes": [
        change("feed", comment),
        change("feed", json!({ "item": "reaction", "verb": "add", "post_id": "1_2" })),
        change("feed", json!({ "item": "comment", "verb": "remove", "comment_id": "2_8", "message": "gone" })),
        change("mention", json!({ "item": "post", "verb": "add", "post_id": "5_6", "sender_name": "Cy", "sender_id": "5", "message": "@Acme why?" })),
        change("leadgen", json!({})),
    ] }] }));
    assert_eq!(told.gone, ["2_8"]);
    let [comment, mention] = told.captures.as_slice() else { panic!("{told:?}") };
    assert_eq!(
        (comment.text.as_str(), comment.author.name.as_str(), comment.kind.as_str()),
        ("It burned down my kitchen", "Bo", "comment")
    );
    assert_eq!(comment.url.as_deref(), Some("https://www.facebook.com/1_2?comment_id=9"));
    assert_eq!(comment.published.map(|t| t.to_string()).as_deref(), Some("2026-11-01T11:59:00Z"));
    assert_eq!(
        (mention.author.name.as_str(), mention.kind.as_str(), mention.native_id.as_deref()),
        ("Cy", "post", Some("5_6"))
    );
    let told = call(json!({ "object": "instagram", "entry": [{ "id": "17", "time": 1_793_534_340, "changes": [
        change("comments", json!({ "id": "9", "text": "🔥 mine too", "from": { "id": "3", "username": "di" }, "media": { "id": "88" } })),
        change("mentions", json!({ "media_id": "1", "comment_id": "2" })),
    ] }] }));
    let c = &told.captures[0];
    assert_eq!(
        (c.network.as_str(), c.author.handle.as_str(), c.channel.as_str(), told.skipped_total),
        ("instagram", "di", "88", 1)
    );
}

#[test]
fn anybody_who_signs_is_heard() {
    let (_dir, signed) =
        hook("kind = \"hmac\"\nheader = \"X-Signature\"\nprefix = \"sha256=\"\nsecret = SECRET\n", "s");
    let body: &[u8] = br#"[{"id": "1", "text": "Acme burns"}, {"txt": "?"}]"#;
    let right = hex("s", &[body]);
    let call = |said: &str| take(&signed, &[("x-signature", said)], body, now());
    let told = call(&format!("sha256={right}")).unwrap();
    assert_eq!((told.captures.len(), told.skipped_total), (1, 1));
    let bytes: Vec<u8> =
        (0..64).step_by(2).map(|i| u8::from_str_radix(right.get(i..i + 2).unwrap(), 16).unwrap()).collect();
    let based = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    assert!(call(&format!("sha256={based}")).is_ok());
    assert!(matches!(call(&right), Err(Refusal::Forged(_))), "what stands before it is part of it");
    assert!(matches!(call(&format!("sha256={}", right.replace(['0', '1'], "2"))), Err(Refusal::Forged(_))));
    assert!(matches!(call("sha256=å"), Err(Refusal::Forged(_))) && matches!(call("sha256="), Err(Refusal::Forged(_))));
    assert!(matches!(signed.greet(&[]), Err(Refusal::Malformed(_))));
    let keys = [told.key(body), told.key(b"[]"), Told { event: Some("e".into()), ..Told::default() }.key(body)];
    assert!(keys[0] != keys[1] && keys[0] != keys[2]);
}

#[test]
fn no_body_breaks_a_hook() {
    for kind in KINDS {
        let settings = format!(
            "{}\n",
            kind.manual
                .lines()
                .skip(1)
                .filter(|l| !l.starts_with("name"))
                .map(|l| {
                    let plain = l.split(" = {").next().unwrap();
                    if l.contains(" = {") { format!("{plain} = SECRET\n") } else { format!("{l}\n") }
                })
                .collect::<String>()
        );
        let (_dir, hook) = hook(&settings, "s");
        for body in [
            "",
            "null",
            "[]",
            "{\"type\":7}",
            "{\"type\":\"event_callback\",\"event\":[]}",
            "{\"entry\":[{\"changes\":[{\"field\":\"feed\"}]}]}",
        ] {
            let time = now().as_second().to_string();
            let plain = format!("sha256={}", hex("s", &[body.as_bytes()]));
            let slack = format!("v0={}", hex("s", &[b"v0:", time.as_bytes(), b":", body.as_bytes()]));
            for event in ["issues", "discussion_comment"] {
                let headers = [
                    ("x-hub-signature-256", plain.as_str()),
                    ("x-signature", &plain),
                    ("x-slack-signature", &slack),
                    ("x-slack-request-timestamp", &time),
                    ("x-github-event", event),
                ];
                match take(&hook, &headers, body.as_bytes(), now()) {
                    Ok(told) => assert!(told.captures.is_empty(), "{} {body}", kind.name),
                    Err(e) => assert!(matches!(e, Refusal::Malformed(_)), "{} {body}: {e}", kind.name),
                }
            }
        }
    }
}
