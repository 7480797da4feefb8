//! What is asked of a site, and what it answers.

use secrecy::SecretString;

use super::headers::Headers;
use crate::model::time::Span;
use crate::net::guard::Allow;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The address; `http` or `https`.
    pub url: &'a str,
    /// Networks that may be reached besides public ones.
    pub allow: &'a Allow,
    /// Validator of the last answer.
    pub etag: Option<&'a str>,
    /// Validator of the last answer.
    pub last_modified: Option<&'a str>,
    /// The `Accept` header; empty for none.
    pub accept: &'a str,
    /// A header with a secret in it, by its name. No other host ever gets it, wherever a redirect leads.
    pub secret: Option<(&'static str, &'a SecretString)>,
    /// Headers besides, such as the version that an API is asked for.
    pub headers: &'a [(&'static str, String)],
}

impl<'a> Request<'a> {
    /// Anything at all that is at an address.
    pub fn of(url: &'a str, allow: &'a Allow) -> Request<'a> {
        Request { url, allow, etag: None, last_modified: None, accept: "", secret: None, headers: &[] }
    }
}

/// What is sent with a request.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// A JSON document. It may hold a secret.
    Json(&'a serde_json::Value),
    /// Fields as a web form sends them: `a=1&b=2`, escaped.
    Form(&'a str),
}

/// An answer that is good news.
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// Nothing changed since the answer whose validators were sent.
    NotModified {
        /// How long the site calls this fresh.
        max_age: Option<Span>,
    },
    /// A document.
    Fresh {
        /// Its bytes, decompressed.
        body: Vec<u8>,
        /// Its media type, lower case, without parameters.
        content_type: Option<String>,
        /// The charset that its media type names.
        charset: Option<String>,
        /// Validator for the next request.
        etag: Option<String>,
        /// Validator for the next request.
        last_modified: Option<String>,
        /// Where it was found, when every hop there was a permanent redirect.
        moved_to: Option<String>,
        /// How long the site calls this fresh.
        max_age: Option<Span>,
        /// All its headers, for whoever knows more of them.
        headers: Headers,
    },
}
