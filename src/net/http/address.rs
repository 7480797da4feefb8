//! Addresses: which may be asked, where an answer sends us, and what may be shown of them.

use reqwest::header;
use url::Url;

use super::FetchError;
use crate::net::guard::{self, Allow};

/// Whether an address may be asked at all.
pub(super) fn check(url: &Url, allow: &Allow) -> Result<(), FetchError> {
    let wrong = |reason: &str| FetchError::Address { place: place(url), reason: reason.to_owned() };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("only http and https are fetched"));
    }
    let host = url.host().ok_or_else(|| wrong("it names no host"))?;
    guard::check_host(&host, allow).map_err(|source| FetchError::Refused { place: place(url), source })
}

/// Where an answer sends us, if it does.
pub(super) fn redirect(from: &Url, answer: &reqwest::Response) -> Result<Option<Url>, FetchError> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let wrong = |reason: &str| FetchError::Redirect { place: place(from), reason: reason.to_owned() };
    let location = answer.headers().get(header::LOCATION).ok_or_else(|| wrong("without saying where to"))?;
    let location = String::from_utf8_lossy(location.as_bytes());
    let mut to = from.join(&location).map_err(|_| wrong("to something that is no address"))?;
    if !matches!(to.scheme(), "http" | "https") {
        return Err(wrong("to something that is neither http nor https"));
    }
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err(wrong("from https to http"));
    }
    let same = from.host_str() == to.host_str() && from.port_or_known_default() == to.port_or_known_default();
    // The host of a redirect never gets a password, neither ours nor one it made up.
    if !same || (to.username(), to.password()) != (from.username(), from.password()) {
        let cleared = to.set_username("").and_then(|()| to.set_password(None));
        cleared.map_err(|()| wrong("to an address without a host"))?;
    }
    to.set_fragment(None);
    Ok(Some(to))
}

/// Scheme, host and path: what may be shown of an address.
pub(crate) fn place(url: &Url) -> String {
    match url.host_str() {
        Some(host) => {
            let port = url.port().map(|p| format!(":{p}")).unwrap_or_default();
            format!("{}://{host}{port}{}", url.scheme(), url.path())
        }
        None => format!("{}:", url.scheme()),
    }
}

/// The same for text that may be no address at all.
pub(crate) fn place_of(text: &str) -> String {
    Url::parse(text).map_or_else(|_| "the address".to_owned(), |url| place(&url))
}
