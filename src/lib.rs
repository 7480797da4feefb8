//! vakt watches what the world says about a brand, and calls the right people before a complaint becomes a crisis.
//!
//! # The tour
//!
//! Mentions flow one way, from [`sources`] through [`text`] into the [`store`], past the [`engine`] that judges them,
//! into the outbox and out through [`channels`]. The [`stages`] are the loops that carry them; [`daemon`] starts the
//! stages; [`serve`] answers HTTP; both stand on the [`ground`]; [`cli`] is one thin file for each command.
//!
//! Floors, top down; a room imports lower floors only, and no other room of its own:
//!
//! | floor | rooms |
//! |---|---|
//! | 7 | `main`, [`cli`] |
//! | 6 | [`daemon`] |
//! | 5 | [`stages`], [`serve`] |
//! | 4 | [`ground`] |
//! | 3 | [`rules`], [`sources`], [`channels`], [`assistant`], [`report`], [`store`], [`index`] |
//! | 2 | [`engine`], [`net`], [`query`], [`lab`] |
//! | 1 | [`config`], [`text`] |
//! | 0 | [`model`], [`telemetry`], [`failpoint`] |
//!
//! `tests/it/walls.rs` reads the imports and holds these walls, and with them the room of every dependency.

pub mod assistant;
pub mod channels;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod engine;
pub mod failpoint;
pub mod ground;
pub mod index;
pub mod lab;
pub mod model;
pub mod net;
pub mod query;
pub mod report;
pub mod rules;
pub mod serve;
pub mod sources;
pub mod stages;
pub mod store;
pub mod telemetry;
pub mod text;

#[cfg(test)]
#[path = "../tests/it/readable.rs"]
mod readable;
