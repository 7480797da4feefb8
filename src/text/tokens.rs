//! Cuts a text into words, numbers, hashtags, names, cashtags, emoji and addresses.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, char::is_combining_mark, is_nfkc_quick};
use unicode_segmentation::UnicodeSegmentation;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word.
    Word,
    /// Digits.
    Number,
    /// `#tag`, kept without the sign.
    Hashtag,
    /// `@name`, kept without the sign.
    Name,
    /// `$TICK`, kept without the sign.
    Cashtag,
    /// An emoji, whole.
    Emoji,
    /// A web address.
    Url,
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token<'t> {
    /// Lower case, NFKC; hashtags, names and cashtags without their sign.
    pub form: Cow<'t, str>,
    /// First byte in the text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
}

impl Token<'_> {
    /// The form with its sign.
    pub fn signed(&self) -> String {
        match self.kind {
            Kind::Hashtag => format!("#{}", self.form),
            Kind::Name => format!("@{}", self.form),
            Kind::Cashtag => format!("${}", self.form),
            _ => self.form.to_string(),
        }
    }
}

/// A text and its tokens in order.
#[derive(Debug, Clone)]
pub struct Tokens<'t> {
    /// The text.
    pub text: &'t str,
    /// Its tokens.
    pub list: Vec<Token<'t>>,
}

/// Longest token kept, in bytes; what is longer is cut there.
const LONGEST: usize = 120;

impl<'t> Tokens<'t> {
    /// Cuts a text. An apostrophe parts words (`l'incendio`, `Acme's`), save in the English `n't`.
    pub fn read(text: &'t str) -> Tokens<'t> {
        let mut list = Vec::with_capacity(text.len() / 6 + 1);
        let mut rest = text.char_indices();
        let mut from_byte = 0;
        while let Some((offset, c)) = rest.next() {
            let start = from_byte + offset;
            if c == ' ' {
                continue;
            }
            let tail = text.get(start..).unwrap_or("");
            let after = text.get(start + c.len_utf8()..).unwrap_or("");
            let (kind, from, len) = match c {
                '#' | '＃' => (Kind::Hashtag, c.len_utf8(), run(after, tag_char)),
                '@' | '＠' => (Kind::Name, c.len_utf8(), handle(after)),
                '$' => (Kind::Cashtag, 1, run(after, |c| c.is_alphabetic())),
                'h' | 'H' | 'w' if is_url(tail) => {
                    (Kind::Url, 0, run(tail, |c| !c.is_whitespace() && !"<>\"'“”«»".contains(c)))
                }
                _ if c.is_numeric() => number_or_word(tail),
                _ if alone(c) => (Kind::Word, 0, c.len_utf8()),
                _ if c.is_alphabetic() => (Kind::Word, 0, word(tail)),
                _ if may_be_emoji(c) => match emoji(tail) {
                    Some(len) => (Kind::Emoji, 0, len),
                    None => continue,
                },
                _ => continue,
            };
            if len == 0 {
                continue;
            }
            let end = start + from + len;
            list.push(Token { form: fold(text.get(start + from..end).unwrap_or(""), kind), start, end, kind });
            rest = text.get(end..).unwrap_or("").char_indices();
            from_byte = end;
        }
        Tokens { text, list }
    }
}

/// Bytes of the longest beginning whose characters all pass.
fn run(text: &str, pass: impl Fn(char) -> bool) -> usize {
    text.find(|c| !pass(c)).unwrap_or(text.len())
}

/// Bytes of the plain letters and digits that a text begins with: most of most words.
fn plain_run(text: &str) -> usize {
    text.bytes().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(text.len())
}

fn tag_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || is_combining_mark(c)
}

/// A handle, with the host of a federated one, never ending in a dot.
fn handle(text: &str) -> usize {
    let len = run(text, |c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
    text.get(..len).unwrap_or("").trim_end_matches(['.', '-']).len()
}

fn is_url(text: &str) -> bool {
    ["http://", "https://", "www.", "HTTP://", "HTTPS://", "Http://", "Https://"].iter().any(|p| text.starts_with(p))
}

/// Scripts written without spaces: each character is a word, so that phrases of them still match.
fn alone(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
        && c.is_alphanumeric()
}

fn word_char(c: char) -> bool {
    (c.is_alphanumeric() && !alone(c)) || c == '_' || is_combining_mark(c) || c == '\u{ad}'
}

fn word(text: &str) -> usize {
    let plain = plain_run(text);
    let len = plain + run(text.get(plain..).unwrap_or(""), word_char);
    let tail = text.get(len..).unwrap_or("");
    let ends_in_n = text.get(..len).is_some_and(|w| w.ends_with(['n', 'N']));
    let quote = tail.chars().next().filter(|c| matches!(c, '\'' | '’'));
    match quote {
        Some(q) if ends_in_n => {
            let rest = tail.get(q.len_utf8()..).unwrap_or("");
            if run(rest, word_char) == 1 && rest.starts_with(['t', 'T']) { len + q.len_utf8() + 1 } else { len }
        }
        _ => len,
    }
}

/// `3`, `3.5`, `1,200` are numbers; `3M` and `4chan` are words.
fn number_or_word(text: &str) -> (Kind, usize, usize) {
    let len = run(text, word_char);
    let whole = text.get(..len).unwrap_or("");
    if whole.chars().any(char::is_alphabetic) {
        return (Kind::Word, 0, len);
    }
    let mut len = len;
    while let Some(tail) = text.get(len..) {
        let mark = tail.chars().next().filter(|c| matches!(c, '.' | ','));
        let digits = mark.map_or(0, |_| run(tail.get(1..).unwrap_or(""), |c| c.is_numeric()));
        if digits == 0 {
            break;
        }
        len += 1 + digits;
    }
    (Kind::Number, 0, len)
}

fn may_be_emoji(c: char) -> bool {
    matches!(c, '\u{a9}' | '\u{ae}' | '\u{203c}'..='\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

/// Bytes of the emoji that the text begins with, if it does.
fn emoji(text: &str) -> Option<usize> {
    let grapheme = text.graphemes(true).next()?;
    let pictured = grapheme.contains('\u{fe0f}') || grapheme.chars().any(|c| c >= '\u{1f000}');
    (emojis::get(grapheme).is_some() || pictured).then_some(grapheme.len())
}

/// Lower case and compatibility-composed; borrowed where the text is so already.
fn fold(raw: &str, kind: Kind) -> Cow<'_, str> {
    let mut cut = raw.len().min(LONGEST);
    while !raw.is_char_boundary(cut) {
        cut -= 1;
    }
    let raw = raw.get(..cut).unwrap_or("");
    if kind == Kind::Emoji {
        return Cow::Borrowed(raw);
    }
    if raw.is_ascii() {
        return if raw.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(raw.to_ascii_lowercase())
        } else {
            Cow::Borrowed(raw)
        };
    }
    let awkward = |c: char| c == '’' || c == '\u{ad}' || c.is_uppercase();
    if is_nfkc_quick(raw.chars()) == IsNormalized::Yes && !raw.contains(awkward) {
        return Cow::Borrowed(raw);
    }
    let lower: String = raw.nfkc().flat_map(char::to_lowercase).filter(|c| *c != '\u{ad}').collect();
    Cow::Owned(lower.nfc().map(|c| if c == '’' { '\'' } else { c }).collect())
}

/// A form without its accents, where it has any: `niño` gives `nino`, `straße` gives `strasse`. In Swedish `å`, `ä` and
/// `ö` are letters of their own and stay.
pub fn plain(form: &str, language: &str) -> Option<String> {
    if form.is_ascii() {
        return None;
    }
    let mut out = String::with_capacity(form.len());
    for letter in form.nfc() {
        if language == "sv" && matches!(letter, 'å' | 'ä' | 'ö') {
            out.push(letter);
            continue;
        }
        for c in std::iter::once(letter).nfd().filter(|c| !is_combining_mark(*c)) {
            match c {
                'ß' => out.push_str("ss"),
                'ø' => out.push('o'),
                'æ' => out.push_str("ae"),
                'œ' => out.push_str("oe"),
                'ð' => out.push('d'),
                'þ' => out.push_str("th"),
                'ł' => out.push('l'),
                'đ' => out.push('d'),
                'ı' => out.push('i'),
                c => out.push(c),
            }
        }
    }
    let out: String = out.nfc().collect();
    (out != form).then_some(out)
}

/// A form with `ae`, `oe` and `ue` for umlauts and `ss` for `ß`, as people write who have no such keys.
pub fn expanded(form: &str) -> Option<String> {
    if form.is_ascii() || !form.contains(['ä', 'ö', 'ü', 'ß']) {
        return None;
    }
    Some(form.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue").replace('ß', "ss"))
}

/// A word or pattern of a query in the form that tokens have.
pub fn folded(text: &str) -> String {
    fold(text, Kind::Word).into_owned()
}

/// Whether the character may stand within a word.
pub fn is_word_char(c: char) -> bool {
    word_char(c) || alone(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(text: &str) -> Vec<String> {
        Tokens::read(text).list.iter().map(|t| t.form.to_string()).collect()
    }

    #[test]
    fn words_of_five_languages() {
        assert_eq!(forms("Wasserkocher schmilzt! Größe"), ["wasserkocher", "schmilzt", "größe"]);
        assert_eq!(forms("l'incendio dell’Acme, c'è"), ["l", "incendio", "dell", "acme", "c", "è"]);
        assert_eq!(forms("I don't DON’T like Acme's"), ["i", "don't", "don't", "like", "acme", "s"]);
    }

    #[test]
    fn signs_and_pictures() {
        let text = "#AcmeGlow @acme_se @ann@m.example $ACME 🔥👩‍🚒 https://a.example/x?y 3.5 4chan";
        let kinds: Vec<Kind> = Tokens::read(text).list.iter().map(|t| t.kind).collect();
        use Kind::*;
        assert_eq!(kinds, [Hashtag, Name, Name, Name, Cashtag, Emoji, Emoji, Url, Number, Word]);
        assert_eq!(forms("サービス")[0], "サ");
    }

    #[test]
    fn accents_come_off() {
        assert_eq!(plain("niño", "es").as_deref(), Some("nino"));
        assert_eq!(plain("straße", "de").as_deref(), Some("strasse"));
        assert_eq!(plain("köttidé", "sv").as_deref(), Some("köttide"));
        assert_eq!((plain("acme", "de"), expanded("café")), (None, None));
    }

    proptest::proptest! {
        #[test]
        fn tokens_lie_in_order_within_the_text(text in "\\PC{0,80}") {
            let tokens = Tokens::read(&text);
            let mut last = 0;
            for t in &tokens.list {
                proptest::prop_assert!(t.start >= last && t.end > t.start && t.end <= text.len());
                proptest::prop_assert!(text.get(t.start..t.end).is_some());
                last = t.end;
            }
        }
    }
}
