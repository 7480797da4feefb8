//! Turns what strangers send into plain text of bounded length.

use html5gum::{Token, Tokenizer};
use unicode_segmentation::UnicodeSegmentation;

/// Most bytes of a body that are kept.
pub const MAX_TEXT: usize = 64 << 10;
/// Most bytes of a title that are kept.
pub const MAX_TITLE: usize = 1000;
/// Most bytes of a name, handle or other short field.
pub const MAX_FIELD: usize = 300;

/// The text of an HTML fragment: no markup, scripts or styles; blocks end lines.
///
/// A tokeniser without a tree: time grows with the length alone, however deep the markup nests (F61).
pub fn html_to_text(html: &str, max: usize) -> String {
    // Markup can be many times the text; what stands after so much of it is not read.
    let mut html = clip(html, max.saturating_mul(8));
    if let Some((before, tag)) = html.rsplit_once('<')
        && !tag.contains('>')
    {
        html = before;
    }
    let mut out: Vec<u8> = Vec::with_capacity(html.len().min(max));
    let mut hidden: Option<Vec<u8>> = None;
    let mut tokenizer = Tokenizer::new(html);
    while let Some(Ok(token)) = tokenizer.next() {
        match token {
            Token::StartTag(tag) => {
                let name: &[u8] = &tag.name;
                if hidden.is_none()
                    && matches!(name, b"script" | b"style" | b"template" | b"noscript" | b"svg" | b"head")
                {
                    hidden = (!tag.self_closing).then(|| name.to_vec());
                } else if breaks(name) {
                    out.push(b'\n');
                } else if name == b"img"
                    && hidden.is_none()
                    && let Some(alt) = tag.attributes.get(b"alt".as_slice()).filter(|a| !a.is_empty())
                {
                    out.push(b' ');
                    out.extend_from_slice(alt);
                    out.push(b' ');
                }
            }
            Token::EndTag(tag) => {
                let name: &[u8] = &tag.name;
                if hidden.as_deref() == Some(name) {
                    hidden = None;
                } else if breaks(name) {
                    out.push(b'\n');
                }
            }
            Token::String(text) if hidden.is_none() => out.extend_from_slice(&text),
            _ => {}
        }
        if out.len() > max.saturating_mul(2) {
            break;
        }
    }
    plain_text(&String::from_utf8_lossy(&out), max)
}

fn breaks(tag: &[u8]) -> bool {
    matches!(
        tag,
        b"p" | b"br"
            | b"div"
            | b"li"
            | b"ul"
            | b"ol"
            | b"tr"
            | b"td"
            | b"table"
            | b"blockquote"
            | b"section"
            | b"article"
            | b"h1"
            | b"h2"
            | b"h3"
            | b"h4"
            | b"h5"
            | b"h6"
            | b"hr"
            | b"pre"
            | b"figure"
            | b"figcaption"
            | b"header"
            | b"footer"
    )
}

/// Plain text without control and invisible characters, spaces folded, at most one blank line, cut at a grapheme.
pub fn plain_text(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    let mut newlines = 0;
    let mut space = false;
    for c in text.chars() {
        match c {
            '\n' => newlines += 1,
            c if c.is_whitespace() => space = true,
            c if unseen(c) => {}
            c => {
                if !out.is_empty() && newlines > 0 {
                    out.push_str(if newlines > 1 { "\n\n" } else { "\n" });
                } else if !out.is_empty() && space {
                    out.push(' ');
                }
                newlines = 0;
                space = false;
                out.push(c);
                if out.len() > max {
                    break;
                }
            }
        }
    }
    if out.len() > max { clip(&out, max).trim_end().to_owned() } else { out }
}

/// The same on one line, for titles, names and handles.
pub fn one_line(text: &str, max: usize) -> String {
    let folded: String = plain_text(text, max.saturating_mul(2)).split_whitespace().collect::<Vec<_>>().join(" ");
    clip(&folded, max).to_owned()
}

/// Control characters, direction overrides, zero-width characters that join nothing, and tag characters.
fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffc}')
        || matches!(c, '\u{e0000}'..='\u{e001f}')
}

/// Whether a spreadsheet could take a text for a formula, were it not for apostrophes before it.
pub fn is_like_formula(text: &str) -> bool {
    let begins = text.trim_start_matches([' ', '\u{a0}', '\'']).chars().next();
    begins.is_some_and(|c| {
        matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠' | '|' | '%')
    })
}

/// The longest beginning of at most `max` bytes that ends at a grapheme's border.
pub fn clip(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let whole = text.get(..end).unwrap_or("");
    // Step back over a grapheme that the cut went through, unless it is longer than any real one.
    let tail_from = (0..=whole.len().min(64)).rev().map(|n| whole.len() - n).find(|i| whole.is_char_boundary(*i));
    let tail = tail_from.and_then(|f| whole.get(f..)).unwrap_or("");
    let last = tail.graphemes(true).next_back().map_or(0, str::len);
    let joins = text
        .get(end..)
        .and_then(|t| t.chars().next())
        .is_some_and(|c| c == '\u{200d}' || c == '\u{fe0f}' || unicode_normalization::char::is_combining_mark(c));
    if joins { whole.get(..whole.len() - last).unwrap_or("") } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_goes_and_blocks_part() {
        let html = "<p>Kettle &amp; fire&nbsp;!</p><script>alert(1)</script><style>p{}</style><ul><li>one<li>two</ul>a<br>b<img src=x alt='a photo'>";
        assert_eq!(html_to_text(html, 1000), "Kettle & fire !\n\none\ntwo\na\nb a photo");
    }

    #[test]
    fn deep_nesting_costs_no_more_than_its_length() {
        let html = format!("{}x{}", "<div>".repeat(60_000), "</div>".repeat(60_000));
        assert_eq!(html_to_text(&html, MAX_TEXT), "x");
    }

    #[test]
    fn unseen_characters_go() {
        assert_eq!(one_line("a\u{202e}b\r\nBcc: c\u{0}", 100), "ab Bcc: c");
        assert_eq!(clip("ae\u{301}", 2), "a");
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_is_bounded(text in ".{0,200}", max in 0usize..50) {
            proptest::prop_assert!(html_to_text(&text, max).len() <= max);
            proptest::prop_assert!(one_line(&text, max).len() <= max);
        }
    }
}
