//! The endpoint that proposes words, where there is one.

use super::secret::SecretRef;
use super::written::Form;
use crate::model::time::Span;

/// Shortest and longest time that an answer may take.
const SHORTEST: Span = Span::secs(5);
const LONGEST: Span = Span::mins(5);

/// An endpoint that speaks OpenAI's chat completions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assistant {
    /// What comes before `/chat/completions`, without a slash at the end.
    pub url: String,
    /// The model that is asked, in the endpoint's own words.
    pub model: String,
    /// Where its key is kept; `None` for an endpoint that needs none.
    pub key: Option<SecretRef>,
    /// Longest time that an answer takes.
    pub timeout: Span,
    /// Networks that it may stand in besides public ones.
    pub allow_private: Vec<String>,
}

impl Assistant {
    /// Reads the table as written; mistakes are noted.
    pub(super) fn read(form: Form<'_>) -> Option<Assistant> {
        let (url, model) = (form.must_text("url"), form.must_text("model"));
        let key = form.table("key", "secret").and_then(SecretRef::read);
        let allow_private: Vec<String> = form.texts("allow_private").into_iter().map(|n| n.value).collect();
        let mut sound = true;
        if let Some(written) = &url {
            let parsed = url::Url::parse(&written.value).ok().filter(|u| u.host().is_some());
            let wrong = match &parsed {
                Some(u) if u.password().is_some() || !u.username().is_empty() || u.query().is_some() => {
                    Some(("a key does not stand in this address", "keep it elsewhere: key = { credential = \"name\" }"))
                }
                Some(u) if u.scheme() == "https" || (u.scheme() == "http" && !allow_private.is_empty()) => None,
                Some(u) if u.scheme() == "http" => Some((
                    "what people write does not leave the house without TLS",
                    "write https://…, or list its network in allow_private where it stands in the house",
                )),
                _ => Some(("`url` is no web address", "write url = \"https://llm.example.org/v1\"")),
            };
            if let Some((message, help)) = wrong {
                form.desk
                    .push(super::Fault::error(&form.desk.sheet, written.span.clone(), message).help(help).unseen());
                sound = false;
            }
        }
        let given = form.span("timeout");
        if let Some(odd) = given.as_ref().filter(|g| g.value < SHORTEST || g.value > LONGEST) {
            form.desk.error(
                odd.span.clone(),
                format!("`timeout` is {SHORTEST} to {LONGEST}"),
                "write timeout = \"60s\"",
            );
        }
        let timeout = given.map_or(Span::mins(1), |g| g.value);
        form.finish();
        let (url, model) = (url.filter(|_| sound)?, model?);
        Some(Assistant {
            url: url.value.trim_end_matches('/').to_owned(),
            model: model.value,
            key,
            timeout,
            allow_private,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Sheet};
    use super::*;

    #[test]
    fn it_is_off_unless_it_is_written_and_no_key_stands_in_it() {
        let read = |text: &str| Config::read(Sheet::new("vakt.toml", text));
        assert_eq!(read("").expect("nothing is written").assistant, None);
        let near = "[assistant]\nurl = \"http://127.0.0.1:9/v1/\"\nmodel = \"m\"\nallow_private = [\"127.0.0.0/8\"]\n";
        let found = read(near).expect("it stands in the house").assistant.expect("it is there");
        assert_eq!((found.url.as_str(), found.key, found.timeout), ("http://127.0.0.1:9/v1", None, Span::mins(1)));
        for (text, why) in [
            ("url = \"http://llm.example/v1\"\nmodel = \"m\"", "without TLS"),
            ("url = \"https://llm.example/v1?key=canary\"\nmodel = \"m\"", "a key does not stand"),
            ("url = \"https://u:canary@llm.example/v1\"\nmodel = \"m\"", "a key does not stand"),
            ("url = \"llm\"\nmodel = \"m\"", "no web address"),
            ("url = \"https://llm.example/v1\"", "model"),
            ("url = \"https://llm.example/v1\"\nmodel = \"m\"\ntimeout = \"1h\"", "`timeout` is"),
            ("url = \"https://llm.example/v1\"\nmodel = \"m\"\nkey = \"canary\"", "must be a table"),
        ] {
            let faults = read(&format!("[assistant]\n{text}\n")).expect_err(why);
            let told = super::super::fault::render_all(&faults, false);
            assert!(faults.iter().any(|f| f.message.contains(why)), "{why}: {told}");
            assert!(!text.contains("://u:") || !told.contains("canary"), "{told}");
        }
    }
}
