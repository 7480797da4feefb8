//! The loops that carry mentions from the sources to the people. Each has one `pass(now)`, which tests step by hand.

pub mod clock;
pub mod collect;
pub mod deliver;
pub mod ground;
pub mod index;
pub mod intake;
pub mod operator;
pub mod reload;
pub mod stage;
pub mod tell;
pub mod watch;

pub use clock::Clock;
pub use ground::{Ground, Letterhead};
pub use stage::{Pulse, Stage};
