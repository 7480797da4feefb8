//! The loops that carry mentions from the sources to the people. Each has one `pass(now)`, which tests step by hand.

pub mod auditor;
pub mod collect;
pub mod deliver;
pub mod digests;
pub mod index;
pub mod operator;
pub mod reload;
pub mod stage;
pub mod tidy;
pub mod watch;
pub mod withdraw;

pub use stage::Stage;
