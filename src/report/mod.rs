//! Pictures and tables of what was counted and found.

pub mod chart;
pub mod csv;
pub mod curve;
pub mod drill;
mod table;
pub mod timeline;
pub mod xlsx;
