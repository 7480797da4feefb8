//! stub
use super::tokens::Tokens;
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Label {
    Negative,
    Neutral,
    Positive,
    Unscored,
}
#[derive(Debug, Clone)]
pub struct Reason {
    pub term: String,
    pub weight: f32,
}
#[derive(Debug, Clone)]
pub struct Score {
    pub value: f32,
    pub label: Label,
    pub confidence: f32,
    pub why: Vec<Reason>,
}
pub trait Scorer: Send + Sync {
    fn score(&self, tokens: &Tokens<'_>, lang: &str) -> Score;
}
pub struct LexiconScorer;
impl LexiconScorer {
    pub fn new() -> Self {
        Self
    }
    pub fn with_house(self, _o: impl IntoIterator<Item = (String, f32)>) -> Self {
        self
    }
}
impl Scorer for LexiconScorer {
    fn score(&self, _t: &Tokens<'_>, _l: &str) -> Score {
        Score { value: 0.0, label: Label::Neutral, confidence: 0.0, why: vec![] }
    }
}
