//! Strikes erased mentions out of mails that are composed already: out of those that wait, and whole ones that are done.

use super::letter::{Shown, shown};
use super::{defang, plea, quoted};
use crate::model::Mention;

/// What stands in the place of what was erased.
pub const ERASED: &str = "[erased]";

/// What is struck out.
#[derive(Default)]
pub struct Strike {
    authors: Vec<(Option<String>, String)>,
    shown: Vec<Shown>,
    notes: Vec<(String, String)>,
    /// Those of the same author at the same place stay, where nothing else gives them away.
    alone: bool,
}

/// How a voice begins in the HTML of a letter, and how many lines it has, with who, what and where.
const VOICE: &str = "<div style=\"margin:10px 0;padding:2px 0 2px 12px;border-left:";
const VOICE_LINES: usize = 4;

impl Strike {
    /// Strikes mentions.
    pub fn of<'m>(mentions: impl IntoIterator<Item = &'m Mention>) -> Strike {
        Strike { shown: mentions.into_iter().map(shown).collect(), ..Strike::default() }
    }

    /// Strikes these mentions and none else that their authors wrote: each is known by its words, its title or its link.
    pub fn alone<'m>(mentions: impl IntoIterator<Item = &'m Mention>) -> Strike {
        Strike { alone: true, ..Strike::of(mentions) }
    }

    /// Strikes whatever a letter shows under an author's name, in one network or in any.
    pub fn author(&mut self, name: &str, network: Option<&str>) {
        let network = network.map(|n| defang::words(n, 20));
        self.authors.push((network, defang::words(name, 40).to_lowercase()));
    }

    /// Has a note say something else.
    pub fn note(&mut self, before: &str, after: &str) {
        self.notes.push((defang::header_text(before, 300), defang::header_text(after, 300)));
    }

    /// Whether a mail has any of it.
    pub fn touches(&self, mail: &[u8]) -> bool {
        let mut touched = false;
        each_text(mail, |html, text| {
            touched |= !html && (!self.voices(text).is_empty() || self.notes.iter().any(|(b, _)| text.contains(b)));
            None
        });
        touched
    }

    /// The mail without it. What a letter is for, the alarm and the plan, stays.
    pub fn out_of(&self, mail: &[u8]) -> Vec<u8> {
        let mut struck: Vec<usize> = Vec::new();
        let mut plain = String::new();
        each_text(mail, |html, text| {
            if !html {
                struck = self.voices(text);
                plain = self.renoted(&without(text, &struck), str::to_owned);
                return Some(plain.clone());
            }
            let escape = |s: &str| minijinja::HtmlEscape(s).to_string();
            Some(match without_html(text, &struck, blocks(&plain).len()) {
                Some(text) => self.renoted(&text, escape),
                // Not as expected: rather plain than with what was erased.
                None => format!("<!doctype html><html><body><pre>{}</pre></body></html>\n", escape(&plain)),
            })
        })
    }

    fn renoted(&self, text: &str, as_written: impl Fn(&str) -> String) -> String {
        self.notes.iter().fold(text.to_owned(), |t, (before, after)| t.replace(&as_written(before), &as_written(after)))
    }

    /// The voices of a letter that are struck, by their places in it.
    fn voices(&self, text: &str) -> Vec<usize> {
        let all = blocks(text);
        (0..).zip(&all).filter(|(_, block)| self.is_struck(block)).map(|(n, _)| n).collect()
    }

    fn is_struck(&self, block: &[&str]) -> bool {
        let mut head = block.first().map(|l| l.trim_start()).unwrap_or_default().split(" · ");
        let (place, network) = (head.next().unwrap_or_default(), head.next().unwrap_or_default());
        let author = head.next().unwrap_or_default();
        let asked = self.authors.iter().any(|(n, a)| {
            !a.is_empty() && author.to_lowercase() == *a && n.as_ref().is_none_or(|n| n.as_str() == network)
        });
        let has = |line: &str| block.iter().any(|l| l.trim_start().trim_end_matches(" (!)") == line);
        asked
            || self.shown.iter().any(|s| {
                let signed = !self.alone
                    && !s.author.is_empty()
                    && (&*s.place, &*s.network, &*s.author) == (place, network, author);
                let quoted = !s.quote.is_empty() && has(&format!("\"{}\"", s.quote));
                let titled = s.quote.is_empty() && has(&s.title);
                signed || quoted || titled || s.link.as_ref().is_some_and(|l| has(&l.shown))
            })
    }
}

/// Whether a line of a letter's text begins a voice: place, network, author, followers, language and time; or stands
/// where one was.
fn begins(before: &str, line: &str) -> bool {
    let voice = line.starts_with("  ") && line.matches(" · ").count() >= 5;
    before.is_empty() && (voice || line.trim_start() == ERASED)
}

/// The voices of a letter's text: the lines of each.
fn blocks(text: &str) -> Vec<Vec<&str>> {
    let mut out: Vec<Vec<&str>> = Vec::new();
    let (mut before, mut inside) = ("", false);
    for line in text.split('\n') {
        if begins(before, line) {
            inside = true;
            out.push(Vec::new());
        }
        inside &= !line.is_empty();
        if let Some(block) = out.last_mut().filter(|_| inside) {
            block.push(line);
        }
        before = line;
    }
    out
}

/// A letter's text without some of its voices.
fn without(text: &str, struck: &[usize]) -> String {
    let mut out: Vec<String> = Vec::new();
    let (mut before, mut inside, mut next) = ("", false, 0);
    for line in text.split('\n') {
        if begins(before, line) {
            inside = struck.contains(&next);
            next += 1;
            if inside {
                out.push(format!("  {ERASED}"));
            }
        }
        inside &= !line.is_empty();
        if !inside {
            out.push(line.to_owned());
        }
        before = line;
    }
    out.join("\n")
}

/// A letter's HTML without some of its voices; `None` where it has not as many as its text.
fn without_html(html: &str, struck: &[usize], expected: usize) -> Option<String> {
    let mut parts = html.split(VOICE);
    let mut out = parts.next()?.to_owned();
    let mut seen = 0;
    for part in parts {
        out.push_str(VOICE);
        match struck.contains(&seen) {
            true => {
                let after = part.splitn(VOICE_LINES + 1, '\n').nth(VOICE_LINES)?;
                out.push_str(&format!("4px solid #999999\">\n<div>{ERASED}</div>\n</div>\n{after}"));
            }
            false => out.push_str(part),
        }
        seen += 1;
    }
    (seen == expected).then_some(out)
}

/// Goes through the texts of one of vakt's own mails, plain and HTML; `change` gives another text, or none.
fn each_text(mail: &[u8], mut change: impl FnMut(bool, &str) -> Option<String>) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len());
    let mut part: Vec<u8> = Vec::new();
    for line in mail.split_inclusive(|b| *b == b'\n') {
        match line.starts_with(b"--vakt-") {
            true => {
                put_part(&mut out, &part, &mut change);
                part.clear();
                out.extend(line);
            }
            false => part.extend(line),
        }
    }
    put_part(&mut out, &part, &mut change);
    out
}

fn put_part(out: &mut Vec<u8>, part: &[u8], change: &mut impl FnMut(bool, &str) -> Option<String>) {
    let head_ends = part.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4);
    let changed = head_ends.and_then(|at| part.split_at_checked(at)).and_then(|(head, body)| {
        let words = String::from_utf8_lossy(head).to_lowercase();
        if !words.contains("quoted-printable") {
            return None;
        }
        // The last line end belongs to the border behind it.
        let body = body.strip_suffix(b"\r\n").unwrap_or(body);
        let text = change(words.contains("text/html"), &quoted::read(body))?;
        Some([head, &quoted::write(&text), b"\r\n"].concat())
    });
    out.extend(changed.as_deref().unwrap_or(part));
}

/// The words of the draft in a mail that gives it to whoever posts it; `None` for every other mail. What stands around them
/// is vakt's: names of colleagues, a command.
pub fn posted(mail: &[u8]) -> Option<String> {
    let head = mail.windows(4).position(|w| w == b"\r\n\r\n").and_then(|at| mail.get(..at))?;
    let head = String::from_utf8_lossy(head);
    let id = head.lines().find_map(|l| l.strip_prefix("Message-ID: "))?;
    let mut out = String::new();
    each_text(mail, |html, text| {
        if !html {
            out.push_str(text);
        }
        None
    });
    (id.starts_with("<draft.") && id.contains(".post.")).then(|| plea::own_words(&out).to_owned())
}

/// What is left of a mail that is done with: its envelope, and a word on why there is no more: an erasure by its number,
/// or 0 where what it quoted was deleted where it was published.
pub fn stub(mail: &[u8], erasure: i64) -> Vec<u8> {
    let head = mail.windows(4).position(|w| w == b"\r\n\r\n").and_then(|at| mail.get(..at)).unwrap_or(mail);
    let mut out = Vec::new();
    let mut kept = true;
    for line in head.split_inclusive(|b| *b == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = String::from_utf8_lossy(line).to_lowercase();
            kept = !name.starts_with("content-") && !name.starts_with("mime-version");
        }
        if kept {
            out.extend(line.iter().filter(|b| **b != b'\r' && **b != b'\n'));
            out.extend(b"\r\n");
        }
    }
    out.extend(b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n");
    let why = match erasure {
        0 => "This message quoted what has been deleted since where it was published.\r\nIts text was removed.\r\n"
            .into(),
        _ => format!(
            "This message quoted somebody whose words have been erased since (erasure {erasure}).\r\nIts text was \
             removed. `vakt erase --list` shows what was done.\r\n"
        ),
    };
    out.extend(why.bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::super::letter::tests as letters;
    use super::*;
    use crate::channels::mail::envelope_bytes;
    use crate::engine::window::tests::mention;

    fn three() -> Vec<Mention> {
        let of = |n: i64, who: &str, text: &str| {
            let mut m = mention(n, n, -0.5);
            (m.id, m.story) = (n, n);
            m.author.name = who.into();
            m.author.handle = format!("@{who}");
            m.text = text.into();
            m.title = format!("Title {n}");
            (m.url, m.site) = (format!("https://site{n}.example/{n}"), format!("site{n}.example"));
            m
        };
        vec![
            of(1, "Ann <b>", "It burned my hand, würklich"),
            of(2, "Caná Ry", &"Kettle & fire = 'bad' ".repeat(20)),
            of(3, "Zed Qu", "ok"),
        ]
    }

    fn mail(mentions: &[Mention]) -> Vec<u8> {
        let letter = letters::composed(mentions);
        envelope_bytes(&letter, "vakt <v@acme.example>", &letters::maria(), mention(0, 0, 0.0).at).expect("it is made")
    }

    fn texts(mail: &[u8]) -> Vec<String> {
        let mut out = Vec::new();
        each_text(mail, |_, text| {
            out.push(text.to_owned());
            None
        });
        out
    }

    #[test]
    fn a_waiting_letter_goes_on_without_what_was_erased() {
        let all = three();
        let whole = mail(&all);
        assert_eq!(each_text(&whole, |_, _| None), whole, "what is not changed stays as it is, byte for byte");
        for gone in 0..3 {
            let strike = Strike::of([&all[gone]]);
            assert!(strike.touches(&whole));
            let left = strike.out_of(&whole);
            let said = texts(&left);
            assert_eq!(said.len(), 2);
            for (n, m) in all.iter().enumerate() {
                let shown = shown(m);
                let link = shown.link.expect("a link").shown;
                let escape = |s: &str| minijinja::HtmlEscape(s).to_string();
                assert_eq!(said[0].contains(&format!("\"{}\"", shown.quote)), n != gone);
                assert_eq!((said[0].contains(&link), said[1].contains(&escape(&link))), (n != gone, n != gone));
                assert_eq!((said[0].contains(&shown.title), said[1].contains(&shown.title)), (n != gone, n != gone));
                assert_eq!(said[1].contains(&escape(&shown.author)), n != gone);
            }
            assert!(said.iter().all(|t| t.contains(ERASED) && t.contains("vakt incident ack 7")), "{said:?}");
            assert!(!strike.touches(&left));
            let parsed = mail_parser::MessageParser::default().parse(&left).expect("it is a mail");
            assert!(parsed.body_text(0).is_some_and(|t| t.contains(ERASED)) && parsed.attachment_count() > 0);
            // What was erased first does not hide what is erased next.
            let next = Strike::of([&all[(gone + 1) % 3]]);
            assert!(texts(&next.out_of(&left))[1].matches(ERASED).count() == 2);
        }
    }

    #[test]
    fn an_author_is_found_by_name_and_others_are_left_alone() {
        let whole = mail(&three());
        let by = |name: &str, network: Option<&str>| {
            let mut strike = Strike::default();
            strike.author(name, network);
            strike.touches(&whole)
        };
        assert_eq!((by("caná ry", None), by("Caná Ry", Some("x")), by("Caná Ry", Some("news"))), (true, true, false));
        assert_eq!((by("Maria", None), by("Acme", None), by("Ry", None)), (false, false, false));
        // Of what was taken back the author's other words stay.
        let mut all = three();
        all[1].author = all[0].author.clone();
        (all[1].network, all[1].site) = (all[0].network.clone(), all[0].site.clone());
        let whole = mail(&all);
        let left = texts(&Strike::alone([&all[0]]).out_of(&whole));
        let quotes = |n: usize| left[0].contains(&shown(&all[n]).quote);
        assert_eq!((quotes(0), quotes(1)), (false, true), "{}", left[0]);
        assert_eq!(texts(&Strike::of([&all[0]]).out_of(&whole))[0].matches(ERASED).count(), 2);
        let whole = mail(&three());
        let other = Mention { url: String::new(), text: "It burned".into(), ..mention(9, 9, 0.0) };
        assert!(!Strike::of([&other]).touches(&whole));
    }

    #[test]
    fn of_a_letter_that_is_done_the_envelope_stays() {
        let left = String::from_utf8(stub(&mail(&three()), 3)).expect("seven bits");
        assert!(left.contains("Message-ID: <") && left.contains("Subject: ") && left.contains("erasure 3"), "{left}");
        assert!(!left.contains("burned") && !left.contains("multipart"), "{left}");
        assert!(mail_parser::MessageParser::default().parse(left.as_bytes()).is_some());
    }
}
