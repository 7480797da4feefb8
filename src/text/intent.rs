//! stub
use super::{sentiment::Score, tokens::Tokens};
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Intent {
    Complaint,
    Question,
    Suggestion,
    Praise,
    Other,
}
impl Intent {
    pub fn as_str(self) -> &'static str {
        "other"
    }
}
pub fn intent(_t: &Tokens<'_>, _l: &str, _s: &Score) -> Intent {
    Intent::Other
}
