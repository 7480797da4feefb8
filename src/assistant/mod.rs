//! The assistant, where the settings name one: an endpoint that speaks OpenAI's chat completions and proposes words.
//!
//! It is given text and gives text back; it sees no tool, no store and no address. What it says is a proposal: people approve it or
//! not, and it never speaks by itself.

pub mod prompt;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

pub use prompt::Prompt;

use crate::config::{self, SecretError};
use crate::model::time::Span;
use crate::net::http::{Body, FetchError, Request, Response};
use crate::net::{Allow, Http, Limits};

/// Largest answer that is read, in bytes, and longest text that is kept of it, in characters.
const MOST_BYTES: usize = 512 << 10;
const LONGEST: usize = 8000;
/// Tokens that it may answer with.
const TOKENS: u32 = 1500;
/// Characters of a refusal that are told.
const TOLD: usize = 200;

/// Why there is no proposal.
#[derive(Debug, thiserror::Error)]
pub enum AssistantError {
    /// The client or the key.
    #[error("the assistant cannot be asked: {0}")]
    Setup(String),
    /// Its key cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It was not reached, or said no.
    #[error("the assistant gave no answer: {0}")]
    Fetch(String),
    /// It answered something that is no completion.
    #[error("the assistant answered with {0}; is `url` in [assistant] the part before /chat/completions?")]
    Odd(&'static str),
    /// It said nothing that can be kept.
    #[error("the assistant said nothing")]
    Silent,
    /// It was cut off.
    #[error(
        "the assistant did not come to an end within {} tokens, and half a text is none; ask again, or another model",
        TOKENS
    )]
    Cut,
}

/// The endpoint, ready to be asked.
#[derive(Debug)]
pub struct Assistant {
    settings: config::Assistant,
    allow: Allow,
}

impl Assistant {
    /// The endpoint of the settings.
    ///
    /// # Errors
    /// When its networks cannot be read.
    pub fn of(settings: &config::Assistant) -> Result<Assistant, AssistantError> {
        let allow = Allow::parse(&settings.allow_private).map_err(|e| AssistantError::Setup(e.to_string()))?;
        // Without TLS nothing leaves the networks of the house, whatever its name leads to.
        let allow = if plain(settings) { allow.alone() } else { allow };
        Ok(Assistant { settings: settings.clone(), allow })
    }

    /// The model that is asked.
    pub fn model(&self) -> &str {
        &self.settings.model
    }

    /// Asks, once more where it refuses a parameter. The answer is plain text of a bounded length.
    ///
    /// # Errors
    /// When it is not reached in time, refuses, or answers with something else than words.
    pub async fn ask(&self, prompt: &Prompt, contact: &str, now: Timestamp) -> Result<String, AssistantError> {
        let within = self.settings.timeout;
        let (connect, total) = (within.min(Span::secs(10)), within);
        // The words come all at once, after a while: the head of the answer may take as long as all of it.
        let limits = Limits { max_body: MOST_BYTES, connect, headers: total, total, per_host: 1, at_once: 1 };
        let http = Http::new(contact, limits).map_err(|e| AssistantError::Setup(e.to_string()))?;
        let key = match &self.settings.key {
            Some(key) => Some(SecretString::from(format!("Bearer {}", key.fetch()?.expose_secret()))),
            None => None,
        };
        let url = format!("{}/chat/completions", self.settings.url);
        let mut asked = self.body(prompt);
        loop {
            let mut request = Request { accept: "application/json", ..Request::of(&url, &self.allow) };
            request.secret = key.as_ref().map(|k| ("authorization", k));
            let answered = http.post(request, Body::Json(&asked), now).await;
            match answered {
                Ok(Response::Fresh { body, .. }) => return words(&body),
                Ok(Response::NotModified { .. }) => return Err(AssistantError::Odd("nothing")),
                Err(e) if suits(&mut asked, &e) => {}
                Err(e) => {
                    let mut said = refusal(&e, key.as_ref());
                    if matches!(e, FetchError::Refused { .. }) && plain(&self.settings) {
                        said.push_str("; without TLS it is asked nowhere else");
                    }
                    return Err(AssistantError::Fetch(said));
                }
            }
        }
    }

    /// What is sent.
    fn body(&self, prompt: &Prompt) -> Value {
        json!({
            "model": self.settings.model,
            "messages": [{ "role": "system", "content": prompt.rules }, { "role": "user", "content": prompt.facts }],
            "max_tokens": TOKENS,
            "temperature": 0.3,
            "stream": false,
        })
    }
}

/// Whether what is asked goes without TLS.
fn plain(settings: &config::Assistant) -> bool {
    !settings.url.to_ascii_lowercase().starts_with("https:")
}

/// Has what is asked suit a model that refuses a parameter by its name; says whether it is another question now. Each is
/// changed once.
fn suits(asked: &mut Value, e: &FetchError) -> bool {
    let FetchError::Status { status: 400, body, .. } = e else { return false };
    let (Some(said), Some(asked)) = (told(body), asked.as_object_mut()) else { return false };
    if said.contains("temperature") && asked.remove("temperature").is_some() {
        return true;
    }
    let most = if said.contains("max_tokens") { asked.remove("max_tokens") } else { None };
    most.is_some_and(|most| asked.insert("max_completion_tokens".to_owned(), most).is_none())
}

/// What an error says, with the endpoint's own words where it has any, and without the key.
fn refusal(e: &FetchError, key: Option<&SecretString>) -> String {
    let key = key.map(|k| k.expose_secret().trim_start_matches("Bearer ")).filter(|k| k.len() > 3);
    // Before anything is cut: what is left of a key that was cut is not found any more.
    let without = |text: &str| key.map_or_else(|| text.to_owned(), |key| text.replace(key, "…"));
    let said = match e {
        FetchError::Status { body, .. } | FetchError::Unauthorized { body, .. } => told(body),
        _ => None,
    };
    let said = said.map(|said| one_line(&without(&said), TOLD));
    let mut out = said.map_or_else(|| e.to_string(), |said| format!("{e}: {said}"));
    let mut cause = std::error::Error::source(e);
    while let Some(inner) = cause {
        out = format!("{out}: {inner}");
        cause = inner.source();
    }
    one_line(&without(&out), TOLD + 200)
}

/// `{"error": {"message": …}}`, as OpenAI and those who follow it refuse: a stranger's words, never shown as they are.
fn told(body: &[u8]) -> Option<String> {
    let said: Value = serde_json::from_slice(body).ok()?;
    let error = said.get("error")?;
    let message = error.as_str().or_else(|| error.get("message")?.as_str())?;
    Some(message.to_owned())
}

fn one_line(text: &str, most: usize) -> String {
    let words: String = text.chars().map(|c| if unseen(c) { ' ' } else { c }).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(most).collect()
}

/// Signs that are not seen, or turn what is seen around.
fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// What comes after the thoughts that some models write down first.
fn thought(content: &str) -> Result<&str, AssistantError> {
    match content.rsplit_once("</think>") {
        Some((_, said)) => Ok(said),
        None if content.trim_start().starts_with("<think>") => Err(AssistantError::Cut),
        None => Ok(content),
    }
}

/// The words of an answer: text and nothing else, without the fence or the quotes that it may stand in.
fn words(body: &[u8]) -> Result<String, AssistantError> {
    let said: Value = serde_json::from_slice(body).map_err(|_| AssistantError::Odd("something that is no JSON"))?;
    let content = said.pointer("/choices/0/message/content").ok_or(AssistantError::Odd("no completion"))?;
    let content = content.as_str().ok_or(AssistantError::Odd("something that is no text"))?;
    if said.pointer("/choices/0/finish_reason").and_then(Value::as_str) == Some("length") {
        return Err(AssistantError::Cut);
    }
    let content = thought(content)?;
    let text: String =
        content.replace("\r\n", "\n").chars().filter(|c| *c == '\n' || !unseen(*c)).take(LONGEST).collect();
    let mut text = text.trim();
    if let Some(inner) = text.strip_prefix("```").and_then(|t| t.strip_suffix("```")) {
        text = inner.split_once('\n').map_or(inner, |(_, rest)| rest).trim();
    }
    for (open, close) in [('"', '"'), ('“', '”'), ('„', '“'), ('«', '»')] {
        let inner = text.strip_prefix(open).and_then(|t| t.strip_suffix(close));
        text = inner.filter(|t| !t.contains([open, close])).map_or(text, str::trim);
    }
    if text.is_empty() { Err(AssistantError::Silent) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(content: Value) -> Result<String, AssistantError> {
        words(json!({ "choices": [{ "message": { "role": "assistant", "content": content } }] }).to_string().as_bytes())
    }

    #[test]
    fn words_are_text_and_nothing_else() {
        for (given, kept) in [
            ("Wir prüfen das.", "Wir prüfen das."),
            ("```text\nWir prüfen das.\nMehr: bald\n```", "Wir prüfen das.\nMehr: bald"),
            ("\"Wir prüfen das.\"", "Wir prüfen das."),
            ("„Wir prüfen das.“", "Wir prüfen das."),
            ("\"A\" and \"B\"", "\"A\" and \"B\""),
            ("a\u{202e}b\u{0}c\u{200b}", "abc"),
            ("<think>\nIs it safe? </think>\n\nWir prüfen das.", "Wir prüfen das."),
            ("Is it safe?</think>Wir prüfen das.", "Wir prüfen das."),
        ] {
            assert_eq!(answer(given.into()).expect("words"), kept);
        }
        assert_eq!(answer("x".repeat(100_000).into()).expect("words").len(), LONGEST);
        assert!(matches!(answer(" \n".into()), Err(AssistantError::Silent)));
        assert!(matches!(answer(Value::Null), Err(AssistantError::Odd(_))));
        assert!(matches!(answer("\n<think> Is it".into()), Err(AssistantError::Cut)));
        let half = json!({ "choices": [{ "finish_reason": "length", "message": { "content": "Wir prüfen" } }] });
        assert!(matches!(words(half.to_string().as_bytes()), Err(AssistantError::Cut)));
        assert!(matches!(words(b"{}"), Err(AssistantError::Odd(_))));
        assert!(matches!(words(b"<html>"), Err(AssistantError::Odd(_))));
    }

    #[test]
    fn a_refusal_is_told_without_the_key() {
        let body = br#"{"error": {"message": "Incorrect API key: sk-canary.\nSee https://x.example"}}"#.to_vec();
        let e = FetchError::Unauthorized { place: "https://llm.example/v1".into(), status: 401, body };
        let said = refusal(&e, Some(&SecretString::from("Bearer sk-canary")));
        assert_eq!(
            said,
            "https://llm.example/v1 answered 401: access is refused: Incorrect API key: …. See https://x.example"
        );
        // One that begins right before the cut.
        let message = format!("{} sk-canary", "x".repeat(TOLD - 6));
        let body = json!({ "error": { "message": message } }).to_string().into_bytes();
        let e = FetchError::Status { place: "https://llm.example/v1".into(), status: 400, body };
        let said = refusal(&e, Some(&SecretString::from("Bearer sk-canary")));
        assert!(said.ends_with("x …") && !said.contains("sk-"), "{said}");
    }

    #[test]
    fn what_a_model_refuses_is_asked_otherwise_once() {
        let refused = |status, message: &str| FetchError::Status {
            place: "https://llm.example/v1".into(),
            status,
            body: json!({ "error": { "message": message } }).to_string().into_bytes(),
        };
        let tokens = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.";
        let warm = "Unsupported value: 'temperature' does not support 0.3 with this model.";
        let mut asked = json!({ "model": "m", "max_tokens": 9, "temperature": 0.3 });
        assert!(!suits(&mut asked, &refused(500, tokens)) && !suits(&mut asked, &refused(400, "no")));
        assert!(suits(&mut asked, &refused(400, tokens)) && suits(&mut asked, &refused(400, warm)));
        assert_eq!(asked, json!({ "model": "m", "max_completion_tokens": 9 }));
        assert!(!suits(&mut asked, &refused(400, tokens)) && !suits(&mut asked, &refused(400, warm)));
    }

    #[test]
    fn without_tls_only_the_house_is_asked() {
        let at = |url: &str| {
            let settings = config::Assistant {
                url: url.into(),
                model: "m".into(),
                key: None,
                timeout: Span::mins(1),
                allow_private: vec!["10.0.0.0/8".into()],
            };
            Assistant::of(&settings).expect("networks").allow
        };
        let (public, house) = ("8.8.8.8".parse().expect("an address"), "10.1.2.3".parse().expect("an address"));
        for (url, may) in [("https://llm.example/v1", true), ("http://llm.example/v1", false), ("HTTP://a/v1", false)] {
            let allow = at(url);
            assert!(allow.permits(house) && allow.permits(public) == may, "{url}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_answer_panics(content in "\\PC{0,200}|[`\"„“«»\\n]{0,20}", body in "\\PC{0,100}") {
            answer(content.into()).ok();
            words(body.as_bytes()).ok();
        }
    }
}
