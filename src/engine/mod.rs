//! When to ring and whom to call: pure, with the time handed in.
//!
//! [`detect::Detector`] turns mentions and ticks into verdicts with their reasons; [`incident`] turns verdicts into
//! incidents and calls. The same code serves the daemon, rule tests and backtests.

pub mod baseline;
pub mod clusters;
pub mod condition;
pub mod coordinated;
pub mod detect;
pub mod facts;
pub mod heard;
pub mod hot;
pub mod incident;
mod sound;
pub mod stories;
pub mod window;
