//! Makes what strangers wrote harmless in headers, letters and addresses (F63, F64).

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

/// Control characters, direction marks, zero-width and tag characters: nothing that people see.
fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffc}' | '\u{e0000}'..='\u{e007f}')
}

/// Text for one line of a header or a list: visible characters only, composed, so many graphemes at most.
pub fn header_text(text: &str, most: usize) -> String {
    // Only as much is looked at as could be shown.
    let clipped: String = text.chars().take(most.saturating_mul(16)).collect();
    let joined =
        clipped.split(|c: char| c.is_whitespace() || unseen(c)).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    let line: String = joined.nfc().collect();
    let mut graphemes = line.graphemes(true);
    let mut out: String = graphemes.by_ref().take(most).collect();
    if graphemes.next().is_some() {
        out.push('…');
    }
    // One grapheme can be any number of bytes.
    crate::text::clean::clip(&out, most.saturating_mul(8)).to_owned()
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
    let mixed_script = host.split('.').any(|label| label.starts_with("xn--"));
    let path = header_text(parsed.path(), 60);
    let path = if path == "/" { String::new() } else { path };
    let scheme = parsed.scheme().replacen("tt", "xx", 1);
    Some(DefangedLink { shown: format!("{scheme}://{}{path}", host.replace('.', "[.]")), host, mixed_script })
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
    fn addresses_are_shown_and_not_clicked() {
        let l = link("https://user:pw@evil.example/a/b?token=1#x").expect("an address");
        assert_eq!(l.shown, "hxxps://evil[.]example/a/b");
        assert!(link("https://аpple.example/").expect("an address").mixed_script);
        assert_eq!(link("javascript:alert(1)"), None);
    }
}
