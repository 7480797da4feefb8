//! Looks a draft over before it is said: the voice guide, the network's length, and what may stand in a statement.

mod said;

use std::ops::Range;

use minijinja::{Environment, UndefinedBehavior, context};
use unicode_segmentation::UnicodeSegmentation;

use crate::model::voice::{Address, Manner};
use crate::model::{Network, Voice};
use crate::text::language;
use crate::text::length::{self, Length};
use crate::text::tokens::Tokens;

/// Something in a draft that should be otherwise.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The bytes of the draft.
    pub span: Range<usize>,
    /// What is wrong, in one sentence without a full stop.
    pub why: String,
    /// What to do about it.
    pub remedy: String,
    /// Which of the sentences of vakt it is, and what is filled into it: for readers of other languages.
    #[serde(skip)]
    key: &'static str,
    #[serde(skip)]
    with: Vec<String>,
}

/// What a draft is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Said to everybody: nobody signs it.
    Statement,
    /// Said to one person, and signed where the voice guide says how.
    Reply,
}

/// What stands for an address that only people know.
pub const LINK: &str = "[link]";

/// Fills a statement in; `None` where it cannot be, which the rules tell beforehand.
pub fn fill(statement: &str, brand: &str, link: &str) -> Option<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.render_str(statement, context! { brand, product => brand, link }).ok()
}

/// How much longer than it may be a text is on a network.
pub fn too_long(text: &str, network: Network) -> Option<(Length, Finding)> {
    let length = length::measure(text, network);
    let over = length.used.checked_sub(length.most).filter(|over| *over > 0)?;
    let (used, most) = (length.used.to_string(), (length.most + 1).to_string());
    let with = vec![used, length.unit.to_owned(), network.title().to_owned(), most, over.to_string()];
    Some((length, Finding::of(0..text.len(), "long", with)))
}

/// What is still to be filled in before a text can be said; an empty one is.
pub fn unfilled(text: &str) -> Option<Finding> {
    if text.trim().is_empty() {
        return Some(Finding::of(0..0, "empty", Vec::new()));
    }
    let mark = [LINK, "{{"].into_iter().find_map(|mark| text.find(mark).map(|at| at..at + mark.len()))?;
    let with = vec![text.get(mark.clone()).unwrap_or_default().to_owned()];
    Some(Finding::of(mark, "unfilled", with))
}

/// Everything that should be otherwise before a text is said: its length, what is still to be filled in, its words.
pub fn look(text: &str, voice: &Voice, language: &str, network: Option<Network>, kind: Kind) -> Vec<Finding> {
    let long = network.and_then(|n| too_long(text, n)).map(|(_, finding)| finding);
    let words = lint(text, voice, language, network, kind);
    long.into_iter().chain(unfilled(text)).chain(words).collect()
}

/// Everything in a draft that the voice guide wants otherwise, in the order of the text.
pub fn lint(text: &str, voice: &Voice, language: &str, network: Option<Network>, kind: Kind) -> Vec<Finding> {
    let text = &hidden(text);
    let manner = voice.at(language, network);
    let folded = Folded::of(text);
    let mut out = avoided(&folded, &manner);
    out.extend(foreign(text, language));
    out.extend(misspelt(text, &folded, &manner));
    if let Some(address) = manner.address {
        out.extend(misaddressed(text, language, address));
    }
    out.extend(too_many(text, &manner));
    if kind == Kind::Reply {
        out.extend(unsigned(text, &manner));
    }
    out.sort_by_key(|f| f.span.start);
    out
}

/// What a variable is blotted out with: no language has such a word.
const BLOT: &str = "xxxx";

/// The text with its variables blotted out, each byte in its place: what will stand there is not ours to judge.
fn hidden(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((inner, behind)) = after.split_once("}}") else { break };
        out.push_str(before);
        out.push_str(&BLOT.repeat((inner.len() + 4) / BLOT.len()));
        out.push_str(BLOT.get(..(inner.len() + 4) % BLOT.len()).unwrap_or(""));
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// A text in lower case, each sign with the bytes that it was made of.
struct Folded {
    signs: Vec<(char, Range<usize>)>,
}

impl Folded {
    fn of(text: &str) -> Folded {
        let mut signs: Vec<(char, Range<usize>)> = Vec::with_capacity(text.len());
        for (at, c) in text.char_indices() {
            let from = at..at + c.len_utf8();
            match c {
                '’' | '‘' => signs.push(('\'', from)),
                _ if c.is_whitespace() => {
                    if signs.last().is_none_or(|(last, _)| *last != ' ') {
                        signs.push((' ', from));
                    }
                }
                _ => signs.extend(c.to_lowercase().map(|c| (c, from.clone()))),
            }
        }
        Folded { signs }
    }

    /// Where words stand, as words of their own; a `*` at the end stands for any ending.
    fn find(&self, words: &str) -> Vec<Range<usize>> {
        let (words, open) = words.strip_suffix('*').map_or((words, false), |w| (w, true));
        let wanted: Vec<char> = Folded::of(words.trim()).signs.into_iter().map(|(c, _)| c).collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let letter = |at: Option<usize>| at.and_then(|at| self.signs.get(at)).is_some_and(|(c, _)| c.is_alphanumeric());
        let mut out = Vec::new();
        for (at, window) in self.signs.windows(wanted.len()).enumerate() {
            let same = window.iter().map(|(c, _)| c).eq(&wanted);
            let mut end = at + wanted.len();
            if !same || letter(at.checked_sub(1)) || (letter(Some(end)) && !open) {
                continue;
            }
            while open && letter(Some(end)) {
                end += 1;
            }
            let place = |at: usize| self.signs.get(at).map(|(_, bytes)| bytes.clone()).unwrap_or_default();
            out.push(place(at).start..place(end - 1).end);
        }
        out
    }
}

/// Fewer words tell no language for certain; nor does a smaller share of the model.
const WORDS: usize = 8;
const SURE: f32 = 0.8;

/// A text in another language than it is meant for, such as one that was put below the wrong heading.
fn foreign(text: &str, code: &str) -> Option<Finding> {
    let text = text.replace(BLOT, "    ");
    if text.unicode_words().count() < WORDS {
        return None;
    }
    let (read, share) = language::guess(&Tokens::read(&text), Some(code));
    let other = read != code && read != language::UNKNOWN && share >= SURE;
    other.then(|| Finding::of(0..text.len(), "foreign", vec![read.to_owned(), code.to_owned()]))
}

fn avoided(folded: &Folded, manner: &Manner) -> Vec<Finding> {
    let finding = |span, words: &str, instead: &str| {
        Finding::of(span, "avoided", vec![words.trim_end_matches('*').to_owned(), instead.to_owned()])
    };
    let found = manner.avoid.iter().map(|a| (a, folded.find(&a.words)));
    found.flat_map(|(a, spans)| spans.into_iter().map(|s| finding(s, &a.words, &a.instead))).collect()
}

fn misspelt(text: &str, folded: &Folded, manner: &Manner) -> Vec<Finding> {
    let places = manner.spelling.iter().flat_map(|name| folded.find(name).into_iter().map(move |span| (name, span)));
    // An account or a hashtag is spelt as it is registered.
    let own = |span: &Range<usize>| text.get(..span.start).is_some_and(|before| before.ends_with(['@', '#', '/', '.']));
    places
        .filter(|(name, span)| text.get(span.clone()) != Some(name.as_str()) && !own(span))
        .map(|(name, span)| {
            let with = vec![text.get(span.clone()).unwrap_or_default().to_owned(), name.clone()];
            Finding::of(span, "misspelt", with)
        })
        .collect()
}

/// Words by which a language addresses people: informally anywhere, formally with a capital inside of a sentence.
struct Forms {
    language: &'static str,
    formal: &'static [&'static str],
    informal: &'static [&'static str],
    names: [&'static str; 2],
}

const FORMS: [Forms; 6] = [
    Forms {
        language: "sv",
        formal: &["Ni", "Er", "Ert", "Era"],
        informal: &["du", "dig", "dej", "din", "ditt", "dina"],
        names: ["Ni", "du"],
    },
    Forms {
        language: "de",
        formal: &["Sie", "Ihnen", "Ihr", "Ihre", "Ihren", "Ihrem", "Ihrer", "Ihres"],
        informal: &[
            "du", "dich", "dir", "dein", "deine", "deinen", "deinem", "deiner", "deines", "euch", "euer", "eure",
            "euren", "eurem", "eurer",
        ],
        names: ["Sie", "du"],
    },
    Forms {
        language: "it",
        formal: &["Lei", "Suo", "Sua", "Suoi", "Sue"],
        informal: &["tu", "te", "ti", "tuo", "tua", "tuoi", "tue"],
        names: ["Lei", "tu"],
    },
    Forms {
        language: "es",
        formal: &["usted", "Usted"],
        informal: &[
            "tú", "te", "ti", "contigo", "tu", "tus", "tuyo", "tuya", "os", "vosotros", "vosotras", "vuestro",
            "vuestra",
        ],
        names: ["usted", "tú"],
    },
    Forms {
        language: "fr",
        formal: &["vous", "votre", "vos"],
        informal: &["tu", "te", "toi", "tes"],
        names: ["vous", "tu"],
    },
    Forms {
        language: "nl",
        formal: &["u", "uw"],
        informal: &["jij", "je", "jou", "jouw", "jullie"],
        names: ["u", "je"],
    },
];

/// Whether vakt can tell a language's forms of address apart.
pub fn has_forms(language: &str) -> bool {
    FORMS.iter().any(|f| f.language == language)
}

fn misaddressed(text: &str, language: &str, wanted: Address) -> Vec<Finding> {
    let Some(forms) = FORMS.iter().find(|f| f.language == language) else { return Vec::new() };
    let [formal, informal] = forms.names;
    let (words, used, better) = match wanted {
        Address::Formal => (forms.informal, informal, formal),
        Address::Informal => (forms.formal, formal, informal),
    };
    // At the beginning of a sentence the capital says nothing.
    let begins = |at: usize| {
        let before = text.get(..at).unwrap_or("").trim_end_matches([' ', '"', '„', '“', '»', '«', '(', '¿', '¡']);
        before.is_empty() || before.ends_with(['.', '!', '?', ':', '…', '\n'])
    };
    let is = |word: &str, at: usize| match wanted {
        Address::Formal => words.contains(&word.to_lowercase().as_str()),
        Address::Informal => {
            let capital = word.chars().next().is_some_and(char::is_uppercase);
            words.contains(&word) && !(capital && begins(at))
        }
    };
    text.unicode_word_indices()
        .filter(|(at, word)| is(word, *at))
        .map(|(at, word)| {
            let with = [word, used, better].map(str::to_owned);
            Finding::of(at..at + word.len(), "address", with.into())
        })
        .collect()
}

fn too_many(text: &str, manner: &Manner) -> Vec<Finding> {
    let graphemes = text.grapheme_indices(true);
    let emoji: Vec<Range<usize>> =
        graphemes.filter(|(_, g)| emojis::get(g).is_some()).map(|(at, g)| at..at + g.len()).collect();
    let tag = |(at, rest): (usize, &str)| {
        let end = rest.char_indices().skip(1).find(|(_, c)| !c.is_alphanumeric() && *c != '_').map(|(i, _)| i);
        let end = end.unwrap_or(rest.len());
        let alone = !text.get(..at).is_some_and(|b| b.ends_with(|c: char| c.is_alphanumeric() || c == '/' || c == '#'));
        (alone && end > 1).then(|| at..at + end)
    };
    let hashes = text.match_indices('#').filter_map(|(at, _)| Some((at, text.get(at..)?)));
    let tags: Vec<Range<usize>> = hashes.filter_map(tag).collect();
    let cries: Vec<Range<usize>> = text.match_indices('!').map(|(at, m)| at..at + m.len()).collect();
    let beyond = |found: Vec<Range<usize>>, most: Option<usize>, what: &str| {
        let most = most?;
        let span = found.get(most)?.clone();
        let with = vec![what.to_owned(), found.len().to_string(), most.to_string()];
        Some(Finding::of(span, if most == 0 { "any" } else { "many" }, with))
    };
    [
        beyond(emoji, manner.emoji, "emoji"),
        beyond(tags, manner.hashtags, "hashtags"),
        beyond(cries, manner.exclamations, "exclamation marks"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn unsigned(text: &str, manner: &Manner) -> Option<Finding> {
    let end = text.trim_end();
    let signed = manner.sign_offs.iter().any(|s| match s.split_once("{name}") {
        // The name is one or two words behind what stands before it, on the last line.
        Some((before, after)) => {
            let line = end.lines().last().unwrap_or("");
            let name = line.strip_suffix(after.trim_end()).and_then(|l| l.rsplit_once(before.trim_end()));
            name.is_some_and(|(_, name)| (1..=3).contains(&name.split_whitespace().count()))
        }
        None => end.ends_with(s.trim_end()),
    });
    let how = manner.sign_offs.first().filter(|_| !signed)?;
    Some(Finding::of(end.len()..end.len(), "unsigned", vec![how.clone()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::voice::Avoided;

    fn voice() -> Voice {
        let avoid = |words: &str, instead: &str| Avoided { words: words.into(), instead: instead.into() };
        Voice {
            networks: vec![],
            manners: vec![
                Manner {
                    emoji: Some(0),
                    hashtags: Some(1),
                    exclamations: Some(0),
                    spelling: vec!["Acme".into()],
                    ..Manner::default()
                },
                Manner {
                    language: Some("de".into()),
                    address: Some(Address::Formal),
                    avoid: vec![
                        avoid("bedauerlicher Einzelfall", "say how many"),
                        avoid("unannehmlichkeit*", "name it"),
                    ],
                    sign_offs: vec!["Ihr Acme-Team".into(), "/ {name}".into()],
                    ..Manner::default()
                },
                Manner {
                    language: Some("de".into()),
                    network: Some(Network::Instagram),
                    address: Some(Address::Informal),
                    emoji: Some(1),
                    ..Manner::default()
                },
            ],
        }
    }

    fn said(text: &str, language: &str, network: Option<Network>, kind: Kind) -> String {
        let findings = lint(text, &voice(), language, network, kind);
        let line = |f: &Finding| format!("{} | {} | {}", text.get(f.span.clone()).expect("in it"), f.why, f.remedy);
        findings.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn everything_that_is_said_otherwise_is_found() {
        let text = "Ein BEDAUERLICHER\nEinzelfall bei ACME! Wir bitten dich, die Unannehmlichkeiten zu entschuldigen 🙏 #acme #sorry";
        insta::assert_snapshot!(said(text, "de", None, Kind::Reply), @"
        BEDAUERLICHER
        Einzelfall | we do not say `bedauerlicher Einzelfall` | say how many
        ACME | the name is spelt `ACME` | write `Acme`
        ! | exclamation marks: 1, where 0 are enough | take it out
        dich | `dich` is said to somebody whom one calls du | address people as Sie
        Unannehmlichkeiten | we do not say `unannehmlichkeit` | name it
        🙏 | emoji: 1, where 0 are enough | take it out
        #sorry | hashtags: 2, where 1 are enough | keep 1
         | nobody has signed it | end with `Ihr Acme-Team`
        ");
        assert_eq!(said("Wir melden uns bei Ihnen. / Maja Holm", "de", None, Kind::Reply), "");
        assert_eq!(said("Wir melden uns.\n\nIhr Acme-Team", "de", Some(Network::X), Kind::Reply), "");
    }

    #[test]
    fn the_narrower_goes_before_the_wider() {
        let network = Some(Network::Instagram);
        assert_eq!(said("Schreib uns, wenn du Fragen hast 🙏", "de", network, Kind::Statement), "");
        let formal = "Sie haben recht. Schreiben Sie uns: Ihre Nachricht hilft.";
        let found = lint(formal, &voice(), "de", network, Kind::Statement);
        assert_eq!(found.iter().map(|f| f.span.start).collect::<Vec<_>>(), [27], "capitals that begin say nothing");
        assert_eq!(said("Tú decides", "es", None, Kind::Statement), "", "nothing is said about Spanish");
    }

    #[test]
    fn variables_are_not_judged_and_words_are_whole() {
        assert_eq!(said("{{ acme }} und Acme, @acme, #acme, https://acme.example", "de", None, Kind::Statement), "");
        assert_eq!(said("Unannehmlich", "de", None, Kind::Statement), "");
        assert_eq!(fill("{{ brand }}: {{ link }}", "Acme", "[link]").as_deref(), Some("Acme: [link]"));
        assert_eq!(fill("{{ barnd }}", "Acme", ""), None);
    }

    #[test]
    fn a_text_in_another_language_is_told() {
        let spanish = "Hemos recibido avisos de un incidente con {{ product }} y los tomamos muy en serio.";
        let found = lint(spanish, &Voice::default(), "it", None, Kind::Statement);
        assert_eq!((found.len(), found[0].why.as_str()), (1, "it reads as `es`, and stands for `it`"));
        assert_eq!(lint(spanish, &Voice::default(), "es", None, Kind::Statement), []);
        assert_eq!(
            lint("Acme Glow, Acme One", &Voice::default(), "it", None, Kind::Statement),
            [],
            "names are of no language"
        );
    }

    #[test]
    fn what_is_too_long_is_told_by_how_much() {
        let (length, finding) = too_long(&"a".repeat(290), Network::X).expect("too long");
        assert_eq!((length.used, finding.remedy.as_str()), (290, "shorten it by 10"));
        assert_eq!(too_long("short", Network::X), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_and_places_are_in_it(text in "\\PC{0,120}|(\\{\\{|\\}\\}|#|!|İ|du|Sie |’|🙏){0,40}") {
            for network in [None, Some(Network::Instagram)] {
                for f in lint(&text, &voice(), "de", network, Kind::Reply) {
                    proptest::prop_assert!(text.get(f.span).is_some());
                }
            }
        }
    }
}
