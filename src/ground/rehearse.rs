//! What is told by a file, a test or the past becomes mentions as it does live: cleaned, told apart, analysed, with story,
//! reach and tier; nothing is stored.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{Knowledge, plain};
use crate::engine::heard::Heard;
use crate::engine::stories::Stories;
use crate::model::{Capture, Mention};

/// A rehearsal of the way in, with the stories, the authors and the mentions that it knows.
#[derive(Debug)]
pub struct Rehearsal<'k> {
    knowledge: &'k Knowledge,
    stories: Stories,
    heard: Heard,
    /// What tells the mentions so far from all others.
    known: HashSet<i64>,
    /// Mentions so far: they are numbered from 1, as the engine tells those of one instant apart by their numbers.
    count: i64,
}

impl<'k> Rehearsal<'k> {
    /// A rehearsal that knows nothing yet.
    pub fn new(knowledge: &'k Knowledge) -> Rehearsal<'k> {
        Rehearsal { knowledge, stories: Stories::default(), heard: Heard::default(), known: HashSet::new(), count: 0 }
    }

    /// The mention that a capture of a source becomes when it arrives at `at`. The date that it bears is believed however
    /// old it is, as an archive's; what has none, or one that is still to come, is dated `at`. Captures come in the order of
    /// their time. `None` for one without any text, and for one that is known already: a repetition or an edit.
    pub fn mention(&mut self, source: &str, capture: Capture, at: Timestamp, history: bool) -> Option<Mention> {
        let (hint, native) = (capture.language.clone(), capture.native_id.clone());
        let mut mention = plain::mention(self.knowledge, source, capture, history, plain::first_ever(), at);
        if mention.text.is_empty() && mention.title.is_empty() {
            return None;
        }
        let identity = plain::identity(&mention, native.as_deref());
        let placed = identity.placed.filter(|p| *p != identity.told);
        if self.known.contains(&identity.told) || placed.is_some_and(|p| self.known.contains(&p)) {
            return None;
        }
        self.known.extend(placed.into_iter().chain([identity.told]));
        let print = self.knowledge.analyse(&mut mention, hint.as_deref()).print;
        mention.story = self.stories.assign(&print, identity.told, mention.at).story;
        mention.newcomer = plain::is_newcomer(&mention, &mut self.heard);
        self.count += 1;
        mention.id = self.count;
        Some(mention)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fault::{Sheet, render_all};
    use crate::model::Author;
    use crate::rules::Rules;

    fn knowledge() -> Knowledge {
        let files = [
            ("topics/a.toml", "[[topic]]\nname = \"acme\"\nquery = \"acme\"\n"),
            (
                "alerts/a.toml",
                "[[alert]]\nname = \"a\"\ntopics = [\"acme\"]\ncondition = \"mentions >= 1\"\nescalation = \"pr\"\n",
            ),
            (
                "people.toml",
                "[[person]]\nname = \"anna\"\nemail = \"anna@acme.example\"\n[[policy]]\nname = \"pr\"\nsteps = [{ notify = [\"anna\"], wait = \"15m\" }]\n",
            ),
            ("lexicon/a.toml", "[[site]]\nhost = \"post.example\"\ntier = 1\nreach = 1000\n"),
        ];
        let sheets = files.iter().map(|(name, text)| Sheet::new(*name, *text)).collect();
        Knowledge::new(Rules::read(sheets, at(0)).unwrap_or_else(|f| panic!("{}", render_all(&f, false))), 0)
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + crate::model::time::Span::days(20_000) + crate::model::time::Span::mins(minute)
    }

    fn said(who: &str, url: Option<&str>, text: &str) -> Capture {
        let author = Author { name: who.into(), ..Author::default() };
        Capture { text: text.into(), author, url: url.map(str::to_owned), ..Capture::default() }
    }

    #[test]
    fn a_capture_becomes_what_it_would_live() {
        let knowledge = knowledge();
        let mut rehearsal = Rehearsal::new(&knowledge);
        let text = "My Acme kettle caught fire this morning and burned my hand, it was a terrible and dangerous thing";
        let first = said("ann", Some("https://www.post.example/1?utm_source=x"), text);
        let first = rehearsal.mention("wire", first, at(0), false).expect("a mention");
        assert_eq!((first.topics.as_slice(), first.tier, first.reach), (["acme".to_owned()].as_slice(), 1, 1000));
        assert_eq!((first.language.as_str(), first.at, first.is_negative()), ("en", at(0), true));
        let copy = rehearsal.mention("forum", said("bo", None, text), at(1), false).expect("a copy");
        assert_eq!((copy.story, first.id, copy.id), (first.story, 1, 2));
        let other = said("bo", None, "Acme opens a new shop in Stockholm on Saturday with music and free tea for all");
        assert_ne!(rehearsal.mention("forum", other, at(2), false).expect("another").story, first.story);
    }

    #[test]
    fn what_is_known_or_empty_is_no_mention() {
        let knowledge = knowledge();
        let mut rehearsal = Rehearsal::new(&knowledge);
        let mut is_new = |source: &str, capture: Capture| rehearsal.mention(source, capture, at(0), false).is_some();
        assert!(is_new("s", said("ann", None, "Acme is fine")));
        assert!(!is_new("s", said("ann", None, "Acme is fine")), "a repetition");
        assert!(is_new("s", said("bo", None, "Acme is fine")));
        assert!(!is_new("s", said("bo", None, "  ")));
        let with_id = |text: &str| Capture { native_id: Some("7".into()), ..said("ann", None, text) };
        assert!(is_new("s", with_id("Acme is good")));
        assert!(!is_new("s", with_id("Acme is better")), "an edit");
        assert!(is_new("a", said("", Some("https://a.example/1"), "Acme")));
        assert!(!is_new("b", said("", Some("https://a.example/1"), "Acme")), "the same page by another source");
    }
}
