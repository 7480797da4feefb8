//! Where the models that ship are made and measured: learning, tuning and the figures. Pure; files are read elsewhere.

pub mod feelings;
pub mod learn;
pub mod measure;
pub mod recipe;
pub mod tongues;
