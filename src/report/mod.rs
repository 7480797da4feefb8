//! Pictures of what was counted.

pub mod chart;
