//! What people do with drafts: write, approve, reject, hand over. Nobody approves their own words, and nobody approves words
//! that they have not read.

use jiff::Timestamp;

use super::wording::{self, Finding};
use crate::model::Draft;
use crate::model::draft::{Mark, State};

/// Something that a person does with a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Has it say something else.
    Write(String),
    /// Approves the version that was read.
    Approve(u32),
    /// Sends it back: the version that was read, where that is said.
    Reject(Option<u32>),
    /// Gives it to whoever publishes it.
    HandOver,
}

impl Act {
    /// The word for timelines and the audit log.
    pub fn as_str(&self) -> &'static str {
        match self {
            Act::Write(_) => "rewritten",
            Act::Approve(_) => "approved",
            Act::Reject(_) => "rejected",
            Act::HandOver => "handed over",
        }
    }
}

/// Why somebody may not do that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its authors do not approve it.
    #[error("{0} has written it, and nobody approves their own words; ask {1}")]
    Own(String, String),
    /// Others were asked.
    #[error("{0} is not asked for an approval; ask {1}")]
    Stranger(String, String),
    /// Once is enough.
    #[error("{0} has approved it already; ask {1}")]
    Twice(String, String),
    /// It was changed since.
    #[error("it says something else since: version {1} and not {0}; read it, then approve that")]
    Unread(u32, u32),
    /// It was rejected.
    #[error("it was rejected by {0}: {1}; it is written anew before it can go on")]
    Rejected(String, String),
    /// It is out of the house.
    #[error("it was handed over by {0} already; write a new one")]
    HandedOver(String),
    /// It is not approved.
    #[error("it has {0} of {1} approvals; ask {2}")]
    Waiting(usize, usize, String),
    /// It cannot be said as it is.
    #[error("it cannot be approved as it is: {}; {}", .0.why, .0.remedy)]
    Unfit(Finding),
    /// There are no words.
    #[error("say why, so that it can be written better")]
    Unsaid,
    /// Nothing would change.
    #[error("it says so already")]
    Same,
}

/// Does it, or says why not.
///
/// # Errors
/// When the person may not, or the draft has not come that far.
pub fn act(draft: &mut Draft, act: &Act, by: &str, note: &str, now: Timestamp) -> Result<(), Refusal> {
    if let Some(mark) = &draft.handed_over {
        return Err(Refusal::HandedOver(mark.by.clone()));
    }
    let mark = || Mark { by: by.to_owned(), at: now, note: String::new() };
    match act {
        Act::Write(text) => {
            if *text == draft.text && draft.state != State::Rejected {
                return Err(Refusal::Same);
            }
            draft.rewrite(text.clone(), by, now);
            draft.state = State::Waiting;
            if !draft.authors.iter().any(|a| a == by) {
                draft.authors.push(by.to_owned());
            }
        }
        Act::Approve(read) => {
            going(draft)?;
            if *read != draft.version {
                return Err(Refusal::Unread(*read, draft.version));
            }
            let (name, others) = (by.to_owned(), whom(draft));
            if draft.authors.iter().any(|a| a == by) {
                return Err(Refusal::Own(name, others));
            }
            if !draft.approvers.is_empty() && !draft.approvers.iter().any(|a| a == by) {
                return Err(Refusal::Stranger(name, others));
            }
            if draft.approvals.iter().any(|a| a.by == by) {
                return Err(Refusal::Twice(name, others));
            }
            let long = draft.network.and_then(|n| wording::too_long(&draft.text, n)).map(|(_, finding)| finding);
            if let Some(finding) = wording::unfilled(&draft.text).or(long) {
                return Err(Refusal::Unfit(finding));
            }
            draft.approvals.push(mark());
            if draft.approvals.len() >= draft.asked {
                draft.state = State::Approved;
            }
        }
        Act::Reject(read) => {
            going(draft)?;
            if let Some(read) = read.filter(|read| *read != draft.version) {
                return Err(Refusal::Unread(read, draft.version));
            }
            if note.trim().is_empty() {
                return Err(Refusal::Unsaid);
            }
            draft.rejected = Some(Mark { note: note.to_owned(), ..mark() });
            draft.state = State::Rejected;
            draft.approvals.clear();
        }
        Act::HandOver => {
            going(draft)?;
            if draft.state != State::Approved {
                return Err(Refusal::Waiting(draft.approvals.len(), draft.asked, whom(draft)));
            }
            draft.handed_over = Some(Mark { note: note.to_owned(), ..mark() });
            draft.state = State::HandedOver;
        }
    }
    Ok(())
}

/// A rejected draft goes on only when it is written anew.
fn going(draft: &Draft) -> Result<(), Refusal> {
    match (draft.state, &draft.rejected) {
        (State::Rejected, Some(mark)) => Err(Refusal::Rejected(mark.by.clone(), mark.note.clone())),
        _ => Ok(()),
    }
}

/// Whose approvals are still missing, in words.
pub fn whom(draft: &Draft) -> String {
    let done = |name: &&String| draft.authors.contains(name) || draft.approvals.iter().any(|a| a.by == **name);
    let left: Vec<&str> = draft.approvers.iter().filter(|n| !done(n)).map(String::as_str).collect();
    if left.is_empty() { "somebody else".to_owned() } else { left.join(" or ") }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::Network;
    use crate::model::draft::Machine;

    /// One that waits, for the tests of others.
    pub(crate) fn draft() -> Draft {
        Draft {
            id: 3,
            about: Default::default(),
            playbook: "fire".into(),
            language: "de".into(),
            network: Some(Network::X),
            reply: false,
            text: "Wir sehen es uns an.".into(),
            version: 1,
            authors: vec!["maja".into()],
            written: Timestamp::UNIX_EPOCH,
            asked: 2,
            approvers: ["maja", "sara", "anna"].map(str::to_owned).into(),
            state: State::Waiting,
            approvals: vec![],
            rejected: None,
            handed_over: None,
            writer: "maja".into(),
            past: vec![],
            machine: None,
        }
    }

    fn does(d: &mut Draft, what: Act, by: &str, note: &str) -> String {
        let said = act(d, &what, by, note, Timestamp::UNIX_EPOCH).map_err(|e| e.to_string());
        said.err().unwrap_or_else(|| d.state.as_str().to_owned())
    }

    #[test]
    fn as_many_as_are_asked_and_never_its_author() {
        let mut d = draft();
        let said = [
            does(&mut d, Act::Approve(1), "maja", ""),
            does(&mut d, Act::Approve(1), "bo", ""),
            does(&mut d, Act::HandOver, "maja", ""),
            does(&mut d, Act::Approve(1), "sara", ""),
            does(&mut d, Act::Approve(1), "sara", ""),
            does(&mut d, Act::Approve(1), "anna", ""),
            does(&mut d, Act::HandOver, "maja", "the press desk"),
            does(&mut d, Act::Write("Anders.".into()), "maja", ""),
        ];
        insta::assert_snapshot!(said.join("\n"), @"
        maja has written it, and nobody approves their own words; ask sara or anna
        bo is not asked for an approval; ask sara or anna
        it has 0 of 2 approvals; ask sara or anna
        waiting
        sara has approved it already; ask anna
        approved
        handed over
        it was handed over by maja already; write a new one
        ");
    }

    #[test]
    fn another_text_needs_its_own_approvals() {
        let mut d = draft();
        assert_eq!(does(&mut d, Act::Approve(1), "sara", ""), "waiting");
        assert_eq!(does(&mut d, Act::Approve(1), "anna", ""), "approved");
        assert_eq!(does(&mut d, Act::Write("Anders.".into()), "sara", ""), "waiting");
        assert_eq!((d.version, d.approvals.len(), d.authors.len()), (2, 0, 2));
        assert!(does(&mut d, Act::Approve(1), "anna", "").contains("version 2 and not 1"));
        assert!(does(&mut d, Act::Approve(2), "sara", "").contains("ask anna"));
        assert!(does(&mut d, Act::Reject(Some(3)), "anna", "too cool") != "rejected", "nobody has read that");
        assert_eq!(does(&mut d, Act::Reject(None), "anna", " "), "say why, so that it can be written better");
        assert_eq!(does(&mut d, Act::Reject(Some(2)), "anna", "too cool"), "rejected");
        assert!(does(&mut d, Act::Approve(2), "anna", "").starts_with("it was rejected by anna: too cool"));
        assert_eq!(does(&mut d, Act::Write("Anders.".into()), "maja", ""), "waiting");
    }

    #[test]
    fn what_it_said_before_is_kept_with_who_wrote_it() {
        let mut d = Draft { machine: Some(Machine { model: "m".into(), version: 1 }), ..draft() };
        assert_eq!((d.writer(), d.by_machine()), ("maja", Some("m")));
        let mut struck = d.clone();
        struck.strike("Wir sehen [erased].".into(), Timestamp::UNIX_EPOCH);
        assert_eq!((struck.version, struck.by_machine()), (2, Some("m")), "they are no person's words for that");
        does(&mut d, Act::Write("Zwei.".into()), "sara", "");
        does(&mut d, Act::Write("Drei.".into()), "maja", "");
        let said: Vec<_> = d.past.iter().map(|p| (p.version, p.by.as_str(), p.text.as_str())).collect();
        assert_eq!(said, [(1, "maja", "Wir sehen es uns an."), (2, "sara", "Zwei.")]);
        assert_eq!((d.writer(), d.by_machine(), d.authors.len()), ("maja", None, 2));
        for n in 0..80 {
            does(&mut d, Act::Write(format!("{n}")), "maja", "");
        }
        assert_eq!((d.past.len(), d.past[0].version, d.version), (50, 33, 83));
        // Whoever asked a machine for words has written them: the machine is no second person.
        let mut d = Draft { machine: Some(Machine { model: "m".into(), version: 1 }), asked: 1, ..draft() };
        assert!(does(&mut d, Act::Approve(1), "maja", "").contains("nobody approves their own words"));
        assert!(does(&mut d, Act::HandOver, "maja", "").contains("0 of 1 approvals"));
    }

    #[test]
    fn what_cannot_be_said_is_not_approved() {
        for (text, why) in
            [("a".repeat(281), "281 weighted characters"), ("Mehr: [link]".into(), "[link]"), (" ".into(), "no words")]
        {
            let mut d = Draft { text, ..draft() };
            let said = does(&mut d, Act::Approve(1), "sara", "");
            assert!(said.starts_with("it cannot be approved as it is") && said.contains(why), "{said}");
        }
    }
}
