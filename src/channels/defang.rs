//! Makes what strangers wrote harmless in headers, letters and addresses (F63, F64).

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

/// Control characters, direction marks, zero-width and tag characters: nothing that people see.
pub(super) fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffc}' | '\u{e0000}'..='\u{e007f}')
}

/// Text for one line of a header or a list: visible characters only, composed, so many graphemes at most.
pub fn header_text(text: &str, most: usize) -> String {
    // Only as much is looked at as could be shown.
    let clipped: String = text.chars().take(most.saturating_mul(16)).collect();
    let mut last = ' ';
    let seen = |c: char| {
        // Within one emoji a joiner is seen: 👩‍👧 is a family and not two people.
        let joins = c == '\u{200d}' && !last.is_alphanumeric() && !last.is_whitespace();
        last = c;
        if unseen(c) && !joins { ' ' } else { c }
    };
    let parted: String = clipped.chars().map(seen).collect();
    let line: String = parted.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect();
    let mut graphemes = line.graphemes(true);
    let mut out: String = graphemes.by_ref().take(most).collect();
    if graphemes.next().is_some() {
        out.push('…');
    }
    // One grapheme can be any number of bytes.
    crate::text::clean::clip(&out, most.saturating_mul(8)).to_owned()
}

/// The same for what strangers wrote, with the addresses in it made such that no mail program makes links of them:
/// `https://evil.example/x` is shown as `hxxps://evil[.]example/x` (F63).
pub fn words(text: &str, most: usize) -> String {
    let line = header_text(text, most);
    line.split(' ')
        .map(|word| if leads_somewhere(word) { harmless(word) } else { word.to_owned() })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether a mail program could make a link of the word: a scheme, or a dot or an `@` between a name and letters.
fn leads_somewhere(word: &str) -> bool {
    word.contains("://")
        || word.match_indices('.').any(|(at, _)| {
            let before = word.get(..at).and_then(|w| w.chars().next_back()).is_some_and(char::is_alphanumeric);
            let tail = word.get(at + 1..).unwrap_or("");
            before && tail.chars().take_while(|c| c.is_alphabetic()).count() >= 2
        })
}

fn harmless(word: &str) -> String {
    let hidden = |scheme: &str| scheme.replacen("tt", "xx", 1).replacen("TT", "XX", 1);
    let (scheme, rest) = word.split_once("://").map_or((String::new(), word), |(s, r)| (hidden(s) + "://", r));
    scheme + &rest.replace("://", "[://]").replace('.', "[.]").replace('@', "[@]")
}

/// An address as it may stand in a letter: readable, and nothing to click on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefangedLink {
    /// `hxxps://evil[.]example/path`, shortened.
    pub shown: String,
    /// The host in ASCII.
    pub host: String,
    /// The host mixes scripts, as look-alikes of known names do.
    pub mixed_script: bool,
}

/// Makes an address harmless; `None` for what is none.
pub fn link(url: &str) -> Option<DefangedLink> {
    let parsed = Url::parse(url).ok().filter(|u| matches!(u.scheme(), "http" | "https"))?;
    let host = parsed.host_str()?.to_owned();
    let mixed_script = host.split('.').any(looks_alike);
    let path = header_text(parsed.path(), 60);
    let path = if path == "/" { String::new() } else { path };
    let scheme = parsed.scheme().replacen("tt", "xx", 1);
    Some(DefangedLink { shown: format!("{scheme}://{}{path}", host.replace('.', "[.]")), host, mixed_script })
}

/// Whether a label of a host has Cyrillic or Greek letters in it, among others or alone: before a Latin ending they are
/// there to look like Latin ones. Accents and umlauts are Latin.
fn looks_alike(label: &str) -> bool {
    label.starts_with("xn--") && {
        let (shown, _) = idna::domain_to_unicode(label);
        shown.chars().any(|c| matches!(c, '\u{370}'..='\u{52f}' | '\u{1f00}'..='\u{1fff}' | '\u{2de0}'..='\u{2dff}'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_header_survives() {
        assert_eq!(header_text("Hi\r\nBcc: x@y\u{202e}\u{200b}\u{e0041} end", 50), "Hi Bcc: x@y end");
        assert_eq!(header_text("abcdef", 3), "abc…");
        let bomb = format!("a{}", "\u{301}".repeat(100_000));
        assert!(header_text(&bomb, 100).len() <= 1600);
    }

    #[test]
    fn words_that_lead_somewhere_do_not() {
        let shown = words(
            "See https://evil.example/x?y=1 or www.evil.example, a@evil.example; 3.5 kg, e.g. this. HTTP://B.co",
            200,
        );
        assert_eq!(
            shown,
            "See hxxps://evil[.]example/x?y=1 or www[.]evil[.]example, a[@]evil[.]example; 3.5 kg, e.g. this. HXXP://B[.]co"
        );
        assert_eq!(words("👩‍👩‍👧‍👦 family", 20), "👩‍👩‍👧‍👦 family");
    }

    #[test]
    fn addresses_are_shown_and_not_clicked() {
        let l = link("https://user:pw@evil.example/a/b?token=1#x").expect("an address");
        assert_eq!(l.shown, "hxxps://evil[.]example/a/b");
        assert!(link("https://аpple.example/").expect("an address").mixed_script);
        assert!(!link("https://müller.example/").expect("an address").mixed_script);
        assert_eq!(link("javascript:alert(1)"), None);
    }
}
