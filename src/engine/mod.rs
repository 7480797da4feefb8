//! When to ring and whom to call: pure, with the time handed in.
//!
//! [`detect::Detector`] turns mentions and ticks into verdicts with their reasons; [`duty`] turns verdicts into incidents
//! and calls. The same code serves the daemon, and by way of [`replay`] rule tests and backtests.

pub mod acts;
pub mod answers;
pub mod baseline;
pub mod budget;
pub mod clusters;
pub mod compare;
pub mod condition;
pub mod coordinated;
pub mod crises;
pub mod detect;
pub mod drafts;
pub mod duty;
pub mod escalation;
pub mod facts;
mod firsts;
mod group;
pub mod heard;
pub mod hindsight;
pub mod hot;
pub mod incident;
pub mod oncall;
pub mod rarity;
mod reckon;
pub mod replay;
mod rule;
mod scope;
mod sound;
pub mod spikes;
pub mod stories;
mod terms;
pub mod threshold;
pub mod wall;
pub mod ways;
pub mod window;
pub mod wording;
