//! The one way out by HTTP: the guard before inner networks, the polite client, and how often somebody may be asked.

pub mod guard;
pub mod http;
pub mod pace;

pub use guard::Allow;
pub use http::{FetchError, Http, Limits};
