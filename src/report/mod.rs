//! Pictures and tables of what was counted and found, and reports of it.

pub mod after;
pub mod book;
pub mod chart;
pub mod csv;
pub mod curve;
pub mod digest;
pub mod drill;
mod page;
mod table;
pub mod timeline;
mod words;
pub mod xlsx;
