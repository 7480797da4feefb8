//! What people do with mentions that need an answer, each with its line in the log, in one transaction.

use jiff::Timestamp;

use super::Ground;
use super::acts::cut;
use crate::engine::answers::{self, Act};
use crate::model::answer::State;
use crate::model::draft::Mark;
use crate::model::{Answer, Mention};
use crate::store::answers as kept;
use crate::store::{Connection, StoreError, Stored, audit, mentions};

/// Longest note, in bytes.
const NOTE: usize = 1000;

/// What keeps an answer from being acted on.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be: why.
    #[error("mention {0}: {1}")]
    Refused(i64, String),
    /// There is no such mention in the queue.
    #[error("mention {0} waits for no answer; `vakt answers list` shows those that do")]
    Unknown(i64),
}

/// One row of the queue: what is to be answered, and to whom.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Asked {
    /// What became of it.
    pub answer: Answer,
    /// The mention.
    pub mention: Mention,
}

impl Ground {
    /// Acts on an answer as it stands.
    ///
    /// # Errors
    /// When there is none, it cannot be, or the store cannot be written.
    pub fn act_on_answer(&self, mention: i64, act: Act, by: &str, note: &str) -> Result<Answer, AnswerError> {
        let (now, by, note) = (self.clock.now(), by.to_owned(), cut(note, NOTE).to_owned());
        // It is read and written in one transaction: two who take it at once cannot both have it.
        self.store.write_blocking(move |tx| {
            let Some(mut answer) = kept::get(tx, mention)? else { return Ok(Err(AnswerError::Unknown(mention))) };
            if let Err(why) = answers::act(&mut answer, act, &by, &note, now) {
                return Ok(Err(AnswerError::Refused(mention, why)));
            }
            keep(tx, &answer, act, &by, now)?;
            Ok(Ok(answer))
        })?
    }
}

fn keep(tx: &Connection, answer: &Answer, act: Act, by: &str, now: Timestamp) -> Stored<()> {
    kept::put(tx, answer)?;
    let in_time = if answer.done.is_some_and(|done| done > answer.due) { "late" } else { "" };
    audit::append(tx, now, by, act.as_str(), &format!("mention {}", answer.mention), in_time)
}

/// A reply to a mention is out of the house: whoever handed it over has answered.
pub(super) fn replied(tx: &Connection, mention: i64, by: &str, now: Timestamp) -> Stored<()> {
    let Some(mut answer) = kept::get(tx, mention)?.filter(|a| a.state.is_open()) else { return Ok(()) };
    // A colleague may have had it: the reply stands all the same.
    answer.owner = by.to_owned();
    match answers::act(&mut answer, Act::Done, by, "", now) {
        Ok(()) => keep(tx, &answer, Act::Done, by, now),
        Err(_) => Ok(()),
    }
}

/// A reply has arrived nowhere: the mention waits again, with whoever handed the reply over.
pub(super) fn unreplied(tx: &Connection, mention: i64, handed_over: &Mark, now: Timestamp) -> Stored<()> {
    let then = Some(handed_over.at.as_millisecond());
    let of_it = |a: &Answer| a.state == State::Answered && a.done.map(|t| t.as_millisecond()) == then;
    let Some(answer) = kept::get(tx, mention)?.filter(of_it) else { return Ok(()) };
    kept::put(tx, &Answer { state: State::Taken, done: None, ..answer })?;
    audit::append(tx, now, "vakt", "waits again", &format!("mention {mention}"), "")
}

/// The queue, or the praise, with the mentions.
///
/// # Errors
/// When the database cannot be read.
pub fn queue(c: &Connection, praise: bool, all: bool, limit: u32) -> Stored<Vec<Asked>> {
    let mut out = Vec::new();
    for answer in kept::list(c, praise, all, limit)? {
        out.extend(mentions::get(c, answer.mention)?.map(|mention| Asked { answer, mention }));
    }
    Ok(out)
}
