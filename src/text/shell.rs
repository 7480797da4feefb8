//! What copies add to a text: who is reposted, where it came from, addresses, tags, invitations to read on.

use super::tokens::Kind;
use super::{Term, Terms};

/// Fewer words than this are left to no text: it is taken whole then.
const LEAST: usize = 3;
/// Terms at an end that may be a name of a place, a paper or a person.
const NAMED: usize = 4;
/// Terms at the beginning of a text that may be the place and the day of a wire.
const DATELINE: usize = 8;
/// Rounds in which an end is looked at: shells lie in shells.
const ROUNDS: usize = 6;

/// A text without what copies add.
#[derive(Debug, Clone, Copy)]
pub struct Core<'t> {
    /// Terms of the title; not all of them say something.
    pub title: &'t [Term],
    /// Terms of the body.
    pub body: &'t [Term],
    /// It ends in the middle, with `…`.
    pub cut: bool,
}

/// A text without what copies add.
pub fn core<'t>(text: &str, terms: &'t Terms) -> Core<'t> {
    let at = usize::try_from(terms.title).unwrap_or(usize::MAX).min(terms.list.len());
    let (title, body) = terms.list.split_at(at);
    let end_of_title = body.first().map_or(text.len(), |t| byte(t.start));
    let (left, _) = stripped(text, title, end_of_title);
    let (mut rest, cut) = stripped(text, body, text.len());
    if cut && rest.len() > LEAST {
        // The last word may be half of one.
        rest = rest.split_last().map_or(rest, |(_, rest)| rest);
    }
    match left.iter().chain(rest).filter(|t| says(t.kind)).nth(LEAST - 1) {
        Some(_) => Core { title: left, body: rest, cut },
        None => Core { title, body, cut: false },
    }
}

/// Whether terms of that kind say something that copies keep.
pub fn says(kind: Kind) -> bool {
    !matches!(kind, Kind::Url | Kind::Emoji)
}

fn byte(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// A piece of a text with its terms.
struct Piece<'a> {
    text: &'a str,
    terms: &'a [Term],
    end: usize,
}

impl<'a> Piece<'a> {
    fn form(&self, n: usize) -> &'a str {
        self.terms.get(n).map_or("", |t| &t.lexeme.form)
    }

    fn is(&self, n: usize, kind: Kind) -> bool {
        self.terms.get(n).is_some_and(|t| t.kind == kind)
    }

    /// What stands before a term, after the one before it.
    fn gap(&self, n: usize) -> &'a str {
        let from = n.checked_sub(1).and_then(|n| self.terms.get(n)).map_or(0, |t| byte(t.end));
        let to = self.terms.get(n).map_or(self.end, |t| byte(t.start));
        self.text.get(from..to).unwrap_or("")
    }

    fn is_capital(&self, n: usize) -> bool {
        let raw = self.terms.get(n).map_or("", |t| t.raw(self.text));
        raw.chars().next().is_some_and(char::is_uppercase)
    }

    /// Whether terms look like the name of somebody: capitals, small words between them, and not just a text all in capitals.
    fn is_name(&self, from: usize, to: usize) -> bool {
        let small = |n: usize| n > from && self.form(n).chars().count() <= 3;
        let all_loud = self.is_loud(from) && from.checked_sub(1).is_some_and(|n| self.is_loud(n));
        !all_loud && (from..to).all(|n| self.is_capital(n) || small(n))
    }

    fn is_loud(&self, n: usize) -> bool {
        let raw = self.terms.get(n).map_or("", |t| t.raw(self.text));
        raw.chars().count() > 1 && !raw.chars().any(char::is_lowercase)
    }
}

fn stripped<'t>(text: &str, terms: &'t [Term], end: usize) -> (&'t [Term], bool) {
    let piece = Piece { text, terms, end };
    let from = beginning(&piece);
    let mut to = terms.len();
    let mut cut = false;
    for _ in 0..ROUNDS {
        cut |= to > from && is_cut(piece.gap(to));
        let shorter = ending(&piece, from, to);
        if shorter == to {
            break;
        }
        to = shorter;
    }
    (terms.get(from..to).unwrap_or_default(), cut)
}

fn is_cut(gap: &str) -> bool {
    gap.contains('…') || gap.contains("...")
}

fn is_dash(gap: &str) -> bool {
    gap.len() > 1 && [" - ", " – ", " — ", "--", " | "].iter().any(|d| gap.contains(d))
}

/// How a repost begins, and what cries for attention.
const REPOSTS: [&str; 5] = ["rt", "via", "qt", "mt", "repost"];
const CRIES: [&str; 16] = [
    "breaking",
    "update",
    "exclusive",
    "watch",
    "video",
    "just",
    "alert",
    "eilmeldung",
    "eil",
    "exklusiv",
    "senaste",
    "extra",
    "ultimora",
    "esclusiva",
    "urgente",
    "última",
];

/// Where the text itself begins.
fn beginning(p: &Piece<'_>) -> usize {
    let mut from = 0;
    while from < p.terms.len() {
        let repost = REPOSTS.contains(&p.form(from)) && p.is(from + 1, Kind::Name);
        let cry = CRIES.contains(&p.form(from)) && p.gap(from + 1).contains([':', '|', '-', '–']);
        match p.terms.get(from).map(|t| t.kind) {
            _ if repost => from += 2,
            _ if cry => from += 1,
            Some(Kind::Name | Kind::Emoji | Kind::Url) => from += 1,
            _ => break,
        }
    }
    // NEWSWIRE - …, STOCKHOLM, 3 March (Newswire) – …
    let last = (from + DATELINE).min(p.terms.len().saturating_sub(LEAST));
    let dash = (from + 1..=last).find(|n| is_dash(p.gap(*n)) && !p.gap(*n).contains('|'));
    match dash {
        Some(n) if (p.is_loud(from) && !p.is_loud(n)) || p.gap(n).contains(')') => n,
        _ => from,
    }
}

/// Invitations to read on, by their first words.
const READ_ON: [&[&str]; 30] = [
    &["read", "more"],
    &["read", "the", "full"],
    &["read", "on"],
    &["continue", "reading"],
    &["keep", "reading"],
    &["click", "here"],
    &["learn", "more"],
    &["more", "here"],
    &["full", "story"],
    &["see", "more"],
    &["läs", "mer"],
    &["läs", "hela"],
    &["fortsätt", "läsa"],
    &["klicka", "här"],
    &["mehr", "lesen"],
    &["mehr", "dazu"],
    &["mehr", "erfahren"],
    &["weiterlesen"],
    &["weiter", "lesen"],
    &["zum", "artikel"],
    &["leggi", "tutto"],
    &["leggi", "di", "più"],
    &["leggi", "anche"],
    &["continua", "a", "leggere"],
    &["leer", "más"],
    &["lee", "más"],
    &["sigue", "leyendo"],
    &["seguir", "leyendo"],
    &["lire", "la", "suite"],
    &["all", "rights", "reserved"],
];
/// Terms that such an invitation may have.
const INVITATION: usize = 10;

/// Where the text itself ends, a shell less than `to`.
fn ending(p: &Piece<'_>, from: usize, to: usize) -> usize {
    let Some(last) = to.checked_sub(1).filter(|n| *n > from) else { return to };
    if p.is(last, Kind::Url) || p.is(last, Kind::Emoji) {
        return last;
    }
    let sentence = |n: usize| {
        p.gap(n) != " " && p.gap(n).contains(['.', '!', '?', '…', '\n', '|', '[', '(', '»', '”', '"', ':', '→'])
    };
    let apart = |n: usize| sentence(n) || n.checked_sub(1).is_some_and(|b| p.is(b, Kind::Emoji) || p.is(b, Kind::Url));
    // Tags and names that hang on: one after the end of a sentence, or several.
    let hangs = |n: usize| p.is(n, Kind::Hashtag) || p.is(n, Kind::Name);
    if hangs(last) {
        let run = (from..to).rev().take_while(|n| hangs(*n) || p.is(*n, Kind::Emoji) || p.is(*n, Kind::Url)).count();
        let first = to - run;
        let by = first.checked_sub(1).filter(|n| *n > from && REPOSTS.contains(&p.form(*n)));
        if let Some(by) = by {
            return by;
        }
        if run > 1 || apart(first) {
            return first;
        }
    }
    let few = from.max(to.saturating_sub(NAMED + 1));
    // … via The Daily Example
    let via = (few + 1..last).find(|n| REPOSTS.contains(&p.form(*n)) && p.is_capital(n + 1));
    if let Some(via) = via {
        return via;
    }
    // … - The Daily Example, … | example.org, … (Newswire)
    let named = (to.saturating_sub(NAMED).max(from + LEAST)..to).find(|n| {
        let bracketed = p.gap(*n).contains('(') && p.gap(to).contains(')');
        let name = (is_dash(p.gap(*n)) || bracketed) && p.is_name(*n, to);
        name || (p.gap(*n).len() > 1 && p.gap(*n).contains(" | "))
    });
    if let Some(named) = named {
        return named;
    }
    let invited = (from.max(to.saturating_sub(INVITATION)).max(from + 1)..to)
        .find(|n| apart(*n) && READ_ON.iter().any(|words| words.iter().zip(*n..).all(|(w, at)| p.form(at) == *w)));
    if let Some(invited) = invited {
        return invited;
    }
    // The post … appeared first on …
    let appeared = |n: &usize| p.form(*n) == "appeared" && p.form(n + 1) == "first" && p.form(n + 2) == "on";
    let Some(appeared) = (from.max(to.saturating_sub(2 * INVITATION))..to).find(appeared) else { return to };
    let post = (from + 1..appeared).rev().find(|n| p.form(*n) == "the" && p.form(n + 1) == "post");
    post.unwrap_or(to)
}

#[cfg(test)]
mod tests {
    use super::super::Analyst;
    use super::*;

    fn words(title: &str, body: &str) -> String {
        let (text, terms) = Analyst::terms(title, body, "en");
        let core = core(&text, &terms);
        let all = core.title.iter().chain(core.body).filter(|t| says(t.kind));
        all.map(|t| &*t.lexeme.form).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn shells_come_off() {
        let plain = "acme recalls its kettles after a fire";
        for copy in [
            "RT @news: Acme recalls its kettles after a fire",
            "RT @news: RT @wire_1: Acme recalls its kettles after a fire!! 🔥🔥🔥 https://x.example/1",
            "@ann @ben Acme recalls its kettles after a fire.",
            "NEWSWIRE - Acme recalls its kettles after a fire",
            "STOCKHOLM, 3 March (Newswire) – Acme recalls its kettles after a fire",
            "BREAKING: Acme recalls its kettles after a fire",
            "Acme recalls its kettles after a fire via @news",
            "Acme recalls its kettles after a fire (via @news) https://x.example",
            "Acme recalls its kettles after a fire via The Daily Example",
            "Acme recalls its kettles after a fire | The Daily Example",
            "Acme recalls its kettles after a fire - The House of News",
            "Acme recalls its kettles after a fire | example.org",
            "Acme recalls its kettles after a fire. #acme",
            "Acme recalls its kettles after a fire #acme #kettle 🔥",
            "Acme recalls its kettles after a fire. Read more on our site: https://x.example",
            "Acme recalls its kettles after a fire. Läs mer",
            "Acme recalls its kettles after a fire [Weiterlesen]",
            "Acme recalls its kettles after a fire (Newswire)",
            "Acme recalls its kettles after a fire. The post Acme recalls appeared first on Example.",
        ] {
            assert_eq!(words("", copy), plain, "{copy}");
        }
        assert_eq!(words("Acme recalls its kettles - Daily Example", "WIRE - After a fire."), plain);
    }

    #[test]
    fn what_is_said_stays() {
        for (text, all) in [
            ("I hate #acme", "i hate acme"),
            ("RT @news", "rt news"),
            ("My hand was burned by #acme", "my hand was burned by acme"),
            ("I asked @acme and @globex about it", "i asked acme and globex about it"),
            ("Acme - the maker of kettles", "acme the maker of kettles"),
            ("ACME BURNS HANDS - NOBODY CARES", "acme burns hands nobody cares"),
            ("Acme kettle is bad - It leaks", "acme kettle is bad it leaks"),
            ("Read more about kettles", "read more about kettles"),
        ] {
            assert_eq!(words("", text), all);
        }
        let (text, terms) = Analyst::terms("", "Acme recalls its kettles after a fi…", "en");
        let core = core(&text, &terms);
        assert!(core.cut && core.body.len() == 6);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(title in "\\PC{0,30}", body in "\\PC{0,80}") {
            let (text, terms) = Analyst::terms(&title, &body, "en");
            core(&text, &terms);
        }
    }
}
