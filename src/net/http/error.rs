//! Why a fetch failed, and what to do about it.

use std::error::Error;

use url::Url;

use super::place;
use crate::config::SecretError;
use crate::model::time::Span;
use crate::net::guard::GuardError;

/// What lies behind a failure: the client's own error, without the address.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why nothing usable came back. Messages name scheme, host and path, never user information or query.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The client itself could not be made, for example because the system has no CA certificates.
    #[error("cannot set up the http client: {0}")]
    Setup(String),
    /// The address is none, or not one for http.
    #[error("`{place}` cannot be fetched: {reason}")]
    Address {
        /// The address, without secrets.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The host is inside a closed network.
    #[error("{place} was not asked: {source}; if this is meant, list its network in `allow_private`")]
    Refused {
        /// The address, without secrets.
        place: String,
        /// Which host, and why.
        source: GuardError,
    },
    /// The host has no address.
    #[error("{place} was not found")]
    Dns {
        /// The address, without secrets.
        place: String,
        /// What the resolver said.
        source: Cause,
    },
    /// No connection.
    #[error("cannot connect to {place}")]
    Connect {
        /// The address, without secrets.
        place: String,
        /// What the system said.
        source: Cause,
    },
    /// No trusted connection.
    #[error("no trusted connection to {place}")]
    Tls {
        /// The address, without secrets.
        place: String,
        /// What TLS said.
        source: Cause,
    },
    /// It took too long.
    #[error("{place} took too long: no {phase} in time")]
    Timeout {
        /// The address, without secrets.
        place: String,
        /// What was being waited for.
        phase: &'static str,
    },
    /// The exchange broke off, or was not HTTP.
    #[error("the exchange with {place} broke off")]
    Broken {
        /// The address, without secrets.
        place: String,
        /// What went wrong.
        source: Cause,
    },
    /// A connection that was to go on has ended.
    #[error("{place} ended the connection")]
    Ended {
        /// The address, without secrets.
        place: String,
    },
    /// Any other status than success.
    #[error("{place} answered {status}")]
    Status {
        /// The address, without secrets.
        place: String,
        /// The status.
        status: u16,
        /// The beginning of its body; a stranger's words, never shown as they are.
        body: Vec<u8>,
    },
    /// 401 or 403.
    #[error("{place} answered {status}: access is refused")]
    Unauthorized {
        /// The address, without secrets.
        place: String,
        /// The status.
        status: u16,
        /// The beginning of its body; a stranger's words, never shown as they are.
        body: Vec<u8>,
    },
    /// An API that says why it refuses.
    #[error("{place} answered {status}: {words}")]
    Told {
        /// The address, without secrets.
        place: String,
        /// The status.
        status: u16,
        /// Its own words, on one line and without our secret.
        words: String,
    },
    /// A server that lets us in by a password does not.
    #[error("{place} refuses the user or the password: {words}")]
    Denied {
        /// The address, without secrets.
        place: String,
        /// Its own words, on one line and without our secret.
        words: String,
    },
    /// A secret that the settings name cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// 410: it is gone for good.
    #[error("{place} answered 410: it is gone for good")]
    Gone {
        /// The address, without secrets.
        place: String,
    },
    /// 429 or 503: the whole host rests.
    #[error("{place} answered {status}: its host is left alone for {retry_after}")]
    RateLimited {
        /// The address, without secrets.
        place: String,
        /// The status.
        status: u16,
        /// How long.
        retry_after: Span,
        /// The beginning of the answer, where it did not say how long in its headers.
        body: Vec<u8>,
    },
    /// The host rests after an earlier 429 or 503.
    #[error("{place} was not asked: its host is left alone for another {retry_after}")]
    Paused {
        /// The address, without secrets.
        place: String,
        /// How long still.
        retry_after: Span,
    },
    /// A redirect that is not followed.
    #[error("{place} redirects {reason}")]
    Redirect {
        /// The address, without secrets.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The site asks robots to leave the address alone.
    #[error("{place} was not asked: the site's robots.txt asks robots to leave it alone")]
    Robots {
        /// The address, without secrets.
        place: String,
    },
    /// The body is too long.
    #[error("{place} sent more than {max} bytes")]
    TooLarge {
        /// The address, without secrets.
        place: String,
        /// The bound.
        max: usize,
    },
    /// The body is not what the source reads.
    #[error("{place}: {reason}")]
    Unreadable {
        /// The address, without secrets.
        place: String,
        /// A sentence for a person.
        reason: String,
    },
}

impl FetchError {
    /// The same failure at a place that may be named, for addresses that carry a secret in their path.
    pub fn at(mut self, named: &str) -> FetchError {
        match &mut self {
            FetchError::Setup(_) | FetchError::Secret(_) => {}
            FetchError::Address { place, .. }
            | FetchError::Refused { place, .. }
            | FetchError::Dns { place, .. }
            | FetchError::Connect { place, .. }
            | FetchError::Tls { place, .. }
            | FetchError::Timeout { place, .. }
            | FetchError::Broken { place, .. }
            | FetchError::Ended { place }
            | FetchError::Status { place, .. }
            | FetchError::Unauthorized { place, .. }
            | FetchError::Told { place, .. }
            | FetchError::Denied { place, .. }
            | FetchError::Gone { place }
            | FetchError::RateLimited { place, .. }
            | FetchError::Paused { place, .. }
            | FetchError::Redirect { place, .. }
            | FetchError::Robots { place }
            | FetchError::TooLarge { place, .. }
            | FetchError::Unreadable { place, .. } => named.clone_into(place),
        }
        self
    }

    /// How long to stay away, where the site said so or its host rests.
    pub fn retry_after(&self) -> Option<Span> {
        match self {
            FetchError::RateLimited { retry_after, .. } | FetchError::Paused { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// Whether asking again is pointless until a person changes something.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            FetchError::Gone { .. }
                | FetchError::Refused { .. }
                | FetchError::Address { .. }
                | FetchError::Robots { .. }
        )
    }

    /// What a person can do about failures of a class; empty where only waiting helps.
    pub fn remedy(class: &str) -> &'static str {
        match class {
            "setup" => "check the secret, and that the system has CA certificates",
            "address" => "correct the address in the settings",
            "refused_address" => "if this is meant, list its network in `allow_private`",
            "dns" => "check the name for a slip, and the resolver of this machine",
            "connect" => "check whether the place is up, and whether a firewall stands between",
            "tls" => "the place's certificate is not trusted: check its date, and this machine's clock",
            "timeout" => "if it lasts, the place is too slow or something between swallows the connection",
            "unauthorized" => "check the token or key: it may have ended, or may not be allowed to do this",
            "secret" => "put the secret where the settings say that it is, readable for vakt",
            "gone" => "find where it went, or take it out of the settings",
            "status" => "if it lasts, check the address and what is looked for",
            "rate_limited" | "paused" => "nothing to do, unless it happens every day: then ask less often with `every`",
            "redirect" => "write the address that it leads to into the settings",
            "too_large" => "raise `max_body` under [fetch], or look for less",
            "robots" => "ask the site's owner for leave, or for a feed; its robots.txt is theirs to change",
            "decode" => "check that the address is that of a feed or API of this kind",
            _ => "",
        }
    }

    /// A word from a closed set, for metrics.
    pub fn class(&self) -> &'static str {
        match self {
            FetchError::Setup(_) => "setup",
            FetchError::Address { .. } => "address",
            FetchError::Refused { .. } => "refused_address",
            FetchError::Dns { .. } => "dns",
            FetchError::Connect { .. } => "connect",
            FetchError::Tls { .. } => "tls",
            FetchError::Timeout { .. } => "timeout",
            FetchError::Broken { .. } => "broken",
            FetchError::Ended { .. } => "ended",
            FetchError::Status { .. } => "status",
            FetchError::Unauthorized { .. } => "unauthorized",
            FetchError::Told { status: 401 | 403, .. } | FetchError::Denied { .. } => "unauthorized",
            FetchError::Told { .. } => "status",
            FetchError::Secret(_) => "secret",
            FetchError::Gone { .. } => "gone",
            FetchError::RateLimited { .. } => "rate_limited",
            FetchError::Paused { .. } => "paused",
            FetchError::Redirect { .. } => "redirect",
            FetchError::Robots { .. } => "robots",
            FetchError::TooLarge { .. } => "too_large",
            FetchError::Unreadable { .. } => "decode",
        }
    }
}

/// Why an exchange with an address failed.
pub(super) fn explain(url: &Url, error: reqwest::Error) -> FetchError {
    let place = place(url);
    let error = error.without_url();
    let mut cause = error.source();
    let mut unknown_host = false;
    let mut tls = false;
    while let Some(inner) = cause {
        match inner.downcast_ref::<GuardError>() {
            Some(GuardError::Refused { host }) => {
                return FetchError::Refused { place, source: GuardError::Refused { host: host.clone() } };
            }
            Some(GuardError::Unknown { .. }) => unknown_host = true,
            None => {}
        }
        tls |= inner.is::<rustls::Error>();
        // An io::Error hides what it wraps: its source() is the source of what is inside.
        if let Some(wrapped) = inner.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref()) {
            tls |= wrapped.is::<rustls::Error>();
        }
        cause = inner.source();
    }
    if unknown_host {
        FetchError::Dns { place, source: error.into() }
    } else if error.is_timeout() {
        FetchError::Timeout { place, phase: "connection" }
    } else if tls {
        FetchError::Tls { place, source: error.into() }
    } else if error.is_connect() {
        FetchError::Connect { place, source: error.into() }
    } else {
        FetchError::Broken { place, source: error.into() }
    }
}

/// An error with its causes.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        said = format!("{said}: {inner}");
        cause = inner.source();
    }
    said
}
