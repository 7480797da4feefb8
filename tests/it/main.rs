//! Journeys of the real binary against real servers, and the walls of the house. `tests/run` installs what they need.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::string_slice, missing_docs)]

mod assistant;
mod backtest;
mod calendar;
mod channels;
mod commands;
mod crash;
mod crisis_whole;
mod drafts;
mod drill;
mod erase;
mod failpoints;
mod import;
mod journey;
mod oncall;
mod readable;
mod reindex;
mod reports;
mod ruletest;
mod sources;
mod streams;
mod take;
mod themes;
mod walls;
mod world;
