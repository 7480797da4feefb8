//! From an address that somebody pastes to a source that they can keep.

use std::collections::HashSet;
use std::path::Path;

use url::Url;

use super::super::{Refused, Verdict, runtime, safe, warn};
use super::feeds::{append, name_of};
use super::named;
use crate::ground::Clock;
use crate::sources::discover::{Found, discover};
use crate::sources::{Allow, FetchError, Http, Limits};

/// Looks at an address and proposes sources; the answer is no where there is nothing to follow.
pub(super) fn add(file: Option<&Path>, address: &str, into: Option<&Path>) -> anyhow::Result<Verdict> {
    let Some((config, known)) = named(file)? else { return Ok(Verdict::Wrong) };
    let whole = if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
    let Some(url) = Url::parse(&whole).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.host().is_some())
    else {
        return Err(Refused(format!("`{address}` is no web address")).into());
    };
    let limits = Limits { max_body: config.fetch.max_body, ..Limits::default() };
    let http = Http::new(&config.fetch.contact, limits)?;
    let allow = Allow::parse(&config.fetch.allow_private)?;
    let found = match runtime()?.block_on(discover(&http, &allow, &url, Clock::System.now())) {
        Ok(found) => found,
        Err(e) => {
            warn(&format!("{e}\n→ {}", FetchError::remedy(e.class())));
            return Ok(Verdict::No);
        }
    };
    if found.is_empty() {
        warn(
            "Nothing here can be followed: it names no feed, and is no place that vakt knows. `vakt sources kinds` shows those; a\n\
             page whose items can be told apart is read all the same: `vakt sources explain page`.",
        );
        return Ok(Verdict::No);
    }
    let mut names: HashSet<String> = known.iter().map(|n| n.name.clone()).collect();
    let tables: String = found.iter().map(|f| table(f, &url, &mut names)).collect();
    match into {
        None => say!("{}", tables.trim_end()),
        Some(path) => {
            append(path, &tables)?;
            warn(&format!("{} sources written to {}", found.len(), path.display()));
        }
    }
    Ok(Verdict::Done)
}

fn table(found: &Found, url: &Url, names: &mut HashSet<String>) -> String {
    let title = found.about.split(':').next().filter(|_| found.kind == "feed").unwrap_or("");
    let name = name_of(title, url.as_str(), names);
    let mut out = format!("# {}\n[[source]]\nkind = \"{}\"\nname = \"{name}\"\n", safe(&found.about, 150), found.kind);
    for (key, value) in &found.settings {
        out.push_str(&format!("{key} = {value}\n"));
    }
    out + "\n"
}
