//! Pictures and tables of what was counted and found.

pub mod chart;
pub mod csv;
mod table;
pub mod timeline;
pub mod xlsx;
