//! Asking again for what is known: how it stands by now, and whether it is still there; many at once, in one question.

use std::future::Future;
use std::pin::Pin;

use url::Url;

use super::FetchError;
use super::api::Answer;
use crate::model::time::Span;

/// How something stands by now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Now {
    /// What it was asked for by.
    pub id: String,
    /// Likes, reposts, comments and the like together.
    pub engagement: Option<u64>,
    /// How many people it may have reached.
    pub reach: Option<u64>,
    /// It is not there any more, and the network says so.
    pub gone: bool,
    /// The answer left it out: it may be gone, or be hidden for a while.
    pub missing: bool,
}

impl Now {
    pub(super) fn gone(id: String) -> Now {
        Now { id, gone: true, ..Now::default() }
    }

    pub(super) fn missing(id: String) -> Now {
        Now { id, missing: true, ..Now::default() }
    }

    /// What was found of what was asked for, where what is gone is simply not there. An answer with nothing at all in it
    /// says nothing about anything.
    pub(super) fn all(found: Vec<Now>, asked: &[&str]) -> Vec<Now> {
        if found.is_empty() {
            return found;
        }
        let missing = asked.iter().filter(|id| !found.iter().any(|n| n.id == **id));
        let missing: Vec<Now> = missing.map(|id| Now::missing((*id).to_owned())).collect();
        found.into_iter().chain(missing).collect()
    }
}

/// A place being asked again.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Vec<Now>, FetchError>> + Send + 'a>>;

/// How a place is asked again.
pub(super) trait AskAgain: Send + Sync {
    /// How many can be asked for at once.
    fn most(&self) -> usize;

    /// How often it may be asked.
    fn every(&self) -> Span {
        Span::mins(10)
    }

    /// The address of the question.
    fn address(&self, ids: &[&str]) -> Url;

    /// What the answer says of what was asked for.
    fn read(&self, answer: &Answer, asked: &[&str]) -> Vec<Now>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_missing_but_silence_says_nothing() {
        let here = Now { id: "1".into(), engagement: Some(7), ..Now::default() };
        let all = Now::all(vec![here.clone()], &["1", "2"]);
        assert_eq!(all, [here, Now::missing("2".into())]);
        assert!(Now::all(Vec::new(), &["1", "2"]).is_empty());
    }
}
