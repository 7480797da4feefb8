//! The short text: what a telephone shows at night, without a word of strangers.
//!
//! Mail brings the evidence. Everything else says how bad it is, for which brand, what rises and how much, and where to
//! take it. It is kept in the outbox as it is here, and each channel puts it into its own form.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::defang::header_text;
use super::letter::{Brief, subject, what};
use super::words::Words;
use crate::model::{Draft, Network, Notice, Severity};

/// What a short text is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// An incident.
    Incident,
    /// vakt itself, for its operator.
    Operator,
    /// A draft that is handed over, to be published.
    Draft,
    /// Nothing: it is tried whether it arrives.
    Test,
}

/// What is to be published, with who answers for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Number of the draft.
    pub draft: i64,
    /// The incident that it is said in.
    pub incident: Option<i64>,
    /// The mention that it replies to.
    pub mention: Option<i64>,
    /// ISO 639-1 code.
    pub language: String,
    /// Where it is to be said.
    pub network: Option<Network>,
    /// The words.
    pub text: String,
    /// Names of all who have approved them.
    pub approved_by: Vec<String>,
    /// Name of whoever has handed them over.
    pub handed_over_by: String,
}

/// A short text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Short {
    /// What it is about.
    pub about: About,
    /// The same for all messages about one thing.
    pub thread: String,
    /// Number of the incident; 0 for what is about none.
    pub incident: i64,
    /// Why people are told.
    pub notice: Notice,
    /// How bad it is.
    pub severity: Severity,
    /// Brand and alert.
    pub what: String,
    /// All of it in one line.
    pub headline: String,
    /// Mentions in the window.
    pub mentions: u64,
    /// Mentions that are usual for it.
    pub usual: f64,
    /// Share of negative ones, 0 to 1.
    pub negative: f64,
    /// When it opened.
    pub opened: Timestamp,
    /// When this was composed.
    pub at: Timestamp,
    /// The reader's own link to take it; only for channels that one person reads.
    pub door: Option<String>,
    /// The digits that taking it asks for, with what introduces them.
    pub digits: Option<(String, String)>,
    /// Where everybody who is signed in reads about it.
    pub page: Option<String>,
    /// What is on the button that takes it, and on the one that shows it.
    pub buttons: (String, String),
    /// Messages that were held back, in words.
    pub held: Option<String>,
    /// `pause` or `resume`, where it is for the tool that publishes what is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publishing: Option<String>,
    /// What is to be published; for drafts alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Said>,
}

/// A draft on its way to whoever publishes it.
pub fn handed_over(draft: &Draft, brand: &str, from_domain: &str, now: Timestamp) -> Short {
    let place = draft.network.map(|n| format!(", {}", n.title())).unwrap_or_default();
    let headline = format!("Draft {} is approved and handed over ({}{place})", draft.id, draft.language);
    let thread = format!("draft.{}.{}@{from_domain}", draft.id, draft.written.as_millisecond());
    let by = draft.handed_over.as_ref().map(|mark| mark.by.clone()).unwrap_or_default();
    Short {
        about: About::Draft,
        incident: draft.about.incident.unwrap_or(0),
        said: Some(Said {
            draft: draft.id,
            incident: draft.about.incident,
            mention: draft.about.mention,
            language: draft.language.clone(),
            network: draft.network,
            text: draft.text.clone(),
            approved_by: draft.approvals.iter().map(|a| a.by.clone()).collect(),
            handed_over_by: by,
        }),
        ..note(&thread, brand, &headline, now)
    }
}

/// Composes the short text of a letter; `shared` where several people read what is sent there.
pub fn compose(brief: &Brief<'_>, shared: bool) -> Short {
    let words = Words::of(brief.person.languages.first().map_or("en", String::as_str));
    let (i, s) = (brief.incident, &brief.incident.evidence.signals);
    let door = brief.door.filter(|_| !shared && !brief.notice.asks_nothing()).map(str::to_owned);
    let digits = brief.digits.filter(|_| door.is_some());
    Short {
        about: About::Incident,
        thread: format!("incident.{}.{}@{}", i.id, i.opened.as_second(), brief.from_domain),
        incident: i.id,
        notice: brief.notice,
        severity: i.severity,
        what: if i.drill.is_some() { format!("DRILL · {}", what(brief)) } else { what(brief) },
        headline: subject(brief, words),
        mentions: s.mentions,
        usual: s.expected,
        negative: s.negative_share,
        opened: i.opened,
        at: brief.now,
        door,
        digits: digits.map(|d| (words.typed.to_owned(), d.to_owned())),
        page: brief.base_url.map(|base| format!("{}/incidents/{}", base.trim_end_matches('/'), i.id)),
        buttons: (words.pressed.to_owned(), words.details.to_owned()),
        held: (!brief.held.is_empty()).then(|| format!("{}: {}", words.held, brief.held.len())),
        publishing: None,
        said: None,
    }
}

/// A marked test.
pub fn test(id: &str, full_name: &str, now: Timestamp) -> Short {
    let told = if full_name.is_empty() { String::new() } else { format!(" {full_name} is called here.") };
    let headline = header_text(&format!("[TEST] A test of vakt.{told} There is nothing to do."), 200);
    Short { about: About::Test, ..note(id, "vakt: a test", &headline, now) }
}

/// A line for the operator; it is over where `over` says so.
pub fn operator(thread: &str, headline: &str, over: bool, now: Timestamp) -> Short {
    let notice = if over { Notice::Resolved } else { Notice::Opened };
    Short { notice, severity: Severity::Escalate, ..note(thread, "vakt", &header_text(headline, 200), now) }
}

fn note(thread: &str, what: &str, headline: &str, now: Timestamp) -> Short {
    Short {
        about: About::Operator,
        thread: thread.to_owned(),
        incident: 0,
        notice: Notice::Opened,
        severity: Severity::Watch,
        what: what.to_owned(),
        headline: headline.to_owned(),
        mentions: 0,
        usual: 0.0,
        negative: 0.0,
        opened: now,
        at: now,
        door: None,
        digits: None,
        page: None,
        buttons: (String::new(), String::new()),
        held: None,
        publishing: None,
        said: None,
    }
}

impl Short {
    /// Reads it back from the outbox.
    pub fn read(body: &[u8]) -> Option<Short> {
        serde_json::from_slice(body).ok()
    }

    /// As it is kept in the outbox.
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Where it leads, with what stands on the button: to its taking for one reader, to its page for many.
    pub fn link(&self, personal: bool) -> Option<(&str, &str)> {
        let door = self.door.as_deref().filter(|_| personal).map(|d| (d, self.buttons.0.as_str()));
        door.or_else(|| self.page.as_deref().map(|p| (p, self.buttons.1.as_str())))
    }

    /// What stands below the headline, link aside; empty for nothing.
    pub fn below(&self, personal: bool) -> String {
        let digits = self.digits.as_ref().filter(|_| personal).map(|(word, digits)| format!("{word}: {digits}"));
        digits.into_iter().chain(self.held.clone()).collect::<Vec<_>>().join("\n")
    }

    /// All of it as plain text.
    pub fn plain(&self, personal: bool) -> String {
        let mut lines = vec![self.headline.clone()];
        lines.extend(self.link(personal).map(|(link, _)| link.to_owned()));
        lines.extend(Some(self.below(personal)).filter(|b| !b.is_empty()));
        lines.join("\n")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::letter::tests as letters;
    use super::*;

    /// One with everything in it.
    pub(in crate::channels) fn whole() -> Short {
        Short {
            about: About::Incident,
            thread: "incident.7.1767225600@acme.example".into(),
            incident: 7,
            notice: Notice::Opened,
            severity: Severity::Escalate,
            what: "Acme: Product safety".into(),
            headline: "[ESCALATE] Acme: Product safety, 42 mentions in 15m (usual 2), 88 % negative".into(),
            mentions: 42,
            usual: 2.0,
            negative: 0.88,
            opened: "2026-01-01T00:00:00Z".parse().expect("a time"),
            at: "2026-01-01T00:00:01Z".parse().expect("a time"),
            door: Some("https://vakt.example.org/a/door.mac".into()),
            digits: Some(("It asks for these digits".into(), "1234".into())),
            page: Some("https://vakt.example.org/incidents/7".into()),
            buttons: ("I take it".into(), "All about it".into()),
            held: None,
            publishing: None,
            said: None,
        }
    }

    #[test]
    fn it_comes_back_from_the_outbox_as_it_was() {
        assert_eq!(Short::read(&whole().bytes()), Some(whole()));
        assert_eq!(Short::read(b"From: x\r\n"), None);
        insta::assert_snapshot!(whole().plain(true), @r#"
        [ESCALATE] Acme: Product safety, 42 mentions in 15m (usual 2), 88 % negative
        https://vakt.example.org/a/door.mac
        It asks for these digits: 1234
        "#);
        insta::assert_snapshot!(whole().plain(false), @r#"
        [ESCALATE] Acme: Product safety, 42 mentions in 15m (usual 2), 88 % negative
        https://vakt.example.org/incidents/7
        "#);
    }

    #[test]
    fn it_has_no_word_of_strangers_and_no_link_of_ones_own_where_many_read() {
        letters::with_brief(Notice::Opened, |brief| {
            for shared in [false, true] {
                let short = compose(brief, shared);
                let said = String::from_utf8(short.bytes()).expect("text");
                assert!(
                    !said.contains("stranger") && !said.contains("acmefire") && !said.contains("tracker"),
                    "{said}"
                );
                assert_eq!((short.door.is_some(), short.digits.is_some()), (!shared, !shared));
            }
        });
        letters::with_brief(Notice::Acknowledged, |brief| {
            assert_eq!(compose(brief, false).door, None, "what asks nothing has nothing to press");
        });
    }
}
