//! Asks somebody to read a draft and to approve it, and tells its author what came of that. The draft itself stands on the page that the mail leads to: there it is
//! always the text as it is now.

mod words;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use super::defang::header_text;
use super::letter::{Letter, LetterError};
use crate::model::{Draft, Person};

pub use words::Words;

/// Why somebody is written to about a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// It waits for the reader's approval.
    Ask,
    /// It is approved: its author may hand it over.
    Approved,
    /// It was sent back to its author.
    Back,
    /// It is approved and handed over to the reader, who posts it: the only mail that has the words in it.
    Post,
    /// It is approved and was handed over, and has arrived nowhere: it may be handed over again.
    Undelivered,
}

/// What a plea is made of.
#[derive(Debug)]
pub struct Plea<'a> {
    /// Why it is written.
    pub matter: Matter,
    /// The draft.
    pub draft: &'a Draft,
    /// Whom it is for.
    pub person: &'a Person,
    /// Full name of whoever has written the text as it is.
    pub author: &'a str,
    /// Full names of all who have approved it.
    pub approved_by: &'a [String],
    /// The brand that is spoken for; empty where there is none.
    pub brand: &'a str,
    /// How many things are wrong with it by the voice guide and its length.
    pub findings: usize,
    /// The reader's own link, where links can be followed, with the digits that it asks for.
    pub door: Option<(&'a str, &'a str)>,
    /// Domain of message ids.
    pub from_domain: &'a str,
}

/// The draft's own words in the plain text of a mail that gives it to whoever posts it; the whole text where they are not
/// found in it.
pub fn own_words(text: &str) -> &str {
    let begun = Words::all().iter().find_map(|w| text.split_once(&format!("\n{}:\n", w.as_it_stands)));
    let Some((_, rest)) = begun else { return text };
    rest.rsplit_once("\n  vakt draft show ").map_or(rest, |(own, _)| own)
}

/// Composes the mail.
///
/// # Errors
/// When a template fails, which is a fault of vakt.
pub fn compose(plea: &Plea<'_>) -> Result<Letter, LetterError> {
    let (d, w) = (plea.draft, Words::of(&plea.person.languages));
    let (id, name) = (d.id, &plea.person.name);
    let (says, kind, command) = match plea.matter {
        Matter::Ask => {
            let approve = format!("vakt draft approve {id} --read {} --as {name}", d.version);
            (w.waits, "ask", format!("vakt draft show {id}; {approve}"))
        }
        Matter::Approved => (w.yours_approved, "approved", format!("vakt draft hand-over {id} --as {name}")),
        Matter::Back => (w.yours_back, "back", format!("vakt draft show {id}")),
        Matter::Post => (w.to_post, "post", format!("vakt draft show {id}")),
        Matter::Undelivered => (w.undelivered, "undelivered", format!("vakt draft hand-over {id} --as {name}")),
    };
    // Each hand-over has its own mails.
    let kind = d.handed_over.as_ref().map_or(kind.to_owned(), |mark| format!("{kind}.{}", mark.at.as_millisecond()));
    let place = d.network.map(|n| format!(", {}", n.title())).unwrap_or_default();
    let brand = if plea.brand.is_empty() { String::new() } else { format!("{} · ", header_text(plea.brand, 40)) };
    let values = context! {
        w => context! {
            code => w.code, read => w.read, digits => w.digits, findings => w.findings, also => w.also, written => w.written,
            approved_by => w.approved_by, machine => w.machine, as_it_stands => w.as_it_stands,
        },
        headline => header_text(&format!("{brand}{says}"), 150),
        about => format!("#{id} · {}{place} · {}/{}", d.language, d.approvals.len(), d.asked),
        author => header_text(plea.author, 80),
        approved_by => (plea.matter == Matter::Post).then(|| plea.approved_by.join(", ")),
        language => d.language.as_str(),
        text => (plea.matter == Matter::Post).then_some(d.text.as_str()),
        machine => d.by_machine().map(|model| header_text(model, 60)),
        findings => plea.findings,
        door => plea.door.map(|(door, _)| door),
        digits => plea.door.map(|(_, digits)| digits),
        command,
    };
    let mut e = Environment::new();
    e.set_undefined_behavior(UndefinedBehavior::Strict);
    e.set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    let text = e.render_named_str("plea.txt", include_str!("plea/plea.txt.j2"), &values)?;
    let html = e.render_named_str("plea.html", include_str!("plea/plea.html.j2"), &values)?;
    let thread = format!("draft.{}.{}", d.id, d.written.as_millisecond());
    Ok(Letter {
        subject: header_text(&format!("[vakt] {brand}{says} ({}{place})", d.language), 150),
        text,
        html,
        chart: None,
        message_id: format!("<{thread}.{}.{kind}.{name}@{}>", d.version, plea.from_domain),
        in_reply_to: None,
        references: Vec::new(),
        incident: d.about.incident.unwrap_or(0),
        severity: "note",
        urgent: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::letter::tests::maria;
    use crate::channels::mail::envelope_bytes;
    use crate::engine::drafts::tests::draft;
    use crate::readable;

    #[test]
    fn somebody_is_asked_in_their_language_and_readably() {
        let machine = Some(crate::model::draft::Machine { model: "small <b>".into(), version: 1 });
        let (draft, links) = (Draft { machine, ..draft() }, ("https://vakt.acme.example/d/e30.c2ln", "0417"));
        let written = |matter, language: &str, door| {
            let person = Person { languages: vec![language.into()], ..maria() };
            let plea = Plea {
                matter,
                draft: &draft,
                person: &person,
                author: "Maja <b>Holm",
                approved_by: &["Sara Lind".to_owned(), "Anna Keller".to_owned()],
                brand: "Acme",
                findings: 2,
                door,
                from_domain: "acme.example",
            };
            compose(&plea).expect("it is composed")
        };
        let asked = |language: &str, door| written(Matter::Ask, language, door);
        let letter = asked("en", Some(links));
        assert!(
            letter.html.contains("Maja &lt;b&gt;Holm") && !letter.text.contains(&draft.text),
            "the page shows the text"
        );
        for language in ["en", "sv", "de", "it", "es"] {
            let outlines =
                [Matter::Ask, Matter::Approved, Matter::Back, Matter::Post, Matter::Undelivered].map(|matter| {
                    let letter = written(matter, language, (matter == Matter::Ask).then_some(links));
                    assert_eq!(readable::faults(&letter.html, language), [""; 0], "{matter:?} in {language}");
                    assert_eq!(readable::unsaid(&letter.html, &letter.text), [""; 0], "{matter:?}: {}", letter.text);
                    if matter == Matter::Post {
                        let own = own_words(&letter.text).trim();
                        assert!(own.starts_with(&draft.text) && !own.contains("Maja"), "{}", letter.text);
                    }
                    if let Some(dir) = std::env::var_os("VAKT_PICTURES").filter(|_| matter == Matter::Ask) {
                        let path = std::path::Path::new(&dir).join(format!("plea-{language}.html"));
                        std::fs::write(path, &letter.html).expect("written");
                    }
                    readable::outline(&letter.html)
                });
            insta::assert_snapshot!(format!("pleas_{language}"), outlines.join("\n\n"));
        }
        envelope_bytes(&letter, "vakt <vakt@acme.example>", &maria(), draft.written).expect("a mail");
        let all = ["sv", "de", "it", "es"].map(|l| format!("{}\n", asked(l, None).subject));
        insta::assert_snapshot!(format!(
            "{}\n\n{}\n{}{}",
            letter.subject,
            letter.text,
            all.concat(),
            asked("fi", None).text
        ));
    }
}
