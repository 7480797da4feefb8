//! How people are told: letters composed, addresses made harmless, mail through relays or into a folder.

pub mod defang;
pub mod folder;
pub mod letter;
pub mod mail;
mod meanings;
pub mod plea;
mod quoted;
pub mod strike;
mod words;
