//! Settings that kinds of source share: networks to allow, addresses, secrets, and words to look for.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use url::Url;

use super::guard::Allow;
use crate::config::SecretRef;
use crate::config::fault::Fault;
use crate::config::written::Form;

/// Things that one source may look for.
const MOST_WORDS: usize = 20;

/// The networks that a source may reach besides public ones: the whole house's and its own `allow_private`.
pub(super) fn allow(form: &Form<'_>, house: &[String]) -> Allow {
    let own = form.texts("allow_private");
    let networks = house.iter().map(String::as_str).chain(own.iter().map(|n| n.value.as_str()));
    Allow::parse(networks).unwrap_or_else(|e| {
        let span = own.first().map_or(form.span.clone(), |n| n.span.clone());
        form.desk.error(span, e.to_string(), "write networks such as \"10.0.0.0/8\"");
        Allow::none()
    })
}

/// A web address; where the key is not there, `or`, and where that is empty too, a mistake.
pub(super) fn address(form: &Form<'_>, key: &'static str, or: &str) -> Option<Url> {
    let Some(text) = (if or.is_empty() { form.must_text(key) } else { form.text(key) }) else {
        return Url::parse(or).ok();
    };
    let url = Url::parse(text.value.trim_end_matches('/')).ok();
    let url = url.filter(|u| matches!(u.scheme(), "http" | "https") && u.host().is_some());
    let bare = url.filter(|u| u.query().is_none() && u.username().is_empty() && u.password().is_none());
    if bare.is_none() {
        let fault = Fault::error(&form.desk.sheet, text.span, format!("`{key}` is no plain web address"));
        // It may hold a password, so it is not shown.
        form.desk.push(fault.help("write https://host.example").unseen());
    }
    bare
}

/// Where a secret is kept, if the key is there.
pub(super) fn secret(form: &Form<'_>, key: &'static str) -> Option<SecretRef> {
    form.table(key, "secret").and_then(SecretRef::read)
}

/// Where a secret is kept that has to be there.
pub(super) fn must_secret(form: &Form<'_>, key: &'static str) -> Option<SecretRef> {
    if !form.has(key) {
        let help = format!("add {key} = {{ credential = \"name\" }}, {{ file = \"/path\" }} or {{ env = \"NAME\" }}");
        form.desk.error(form.head(), format!("this {} has no `{key}`", form.what()), help);
    }
    secret(form, key)
}

/// The `time_zone` of times that name none, where it is told.
pub(super) fn zone(form: &Form<'_>) -> Option<TimeZone> {
    let name = form.text("time_zone")?;
    let zone = TimeZone::get(&name.value).ok();
    if zone.is_none() {
        let message = format!("there is no time zone `{}`", name.value);
        form.desk.error(name.span, message, "write for example Europe/Stockholm");
    }
    zone
}

/// A path under a key, meant from where the settings stand.
pub(super) fn path(form: &Form<'_>, key: &'static str) -> Option<PathBuf> {
    let stand = Path::new(&form.desk.sheet.name).parent().unwrap_or(Path::new(""));
    Some(stand.join(form.must_text(key)?.value))
}

/// Words under a key, each once: a hashtag, a subreddit, a search.
pub(super) fn words(form: &Form<'_>, key: &'static str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in form.texts(key) {
        let text = word.value.trim();
        if text.is_empty() || text.len() > 500 || text.chars().any(char::is_control) {
            form.desk.error(word.span, format!("nothing can be looked for here in `{key}`"), "write a short text");
        } else if out.len() >= MOST_WORDS {
            let help = "make a second source of the rest";
            form.desk.error(word.span, format!("`{key}` holds more than {MOST_WORDS}"), help);
            break;
        } else if !out.iter().any(|known| known == text) {
            out.push(text.to_owned());
        }
    }
    out
}

/// Notes that not one of the keys which say what to look for is there.
pub(super) fn nothing_to_look_for(form: &Form<'_>, help: &str) {
    form.desk.error(form.head(), "this source does not say what to look for", help);
}
