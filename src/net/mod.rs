//! The ways out: the guard before inner networks, the polite HTTP client, lines in TLS, and how often somebody may be asked.

pub mod guard;
pub mod http;
pub mod pace;
pub mod tls;

pub use guard::Allow;
pub use http::{FetchError, Http, Limits};
