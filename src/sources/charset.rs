//! Bytes into text: which charset a document is in, whatever it claims to be.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Reads a document as text, never failing: what no charset explains becomes U+FFFD.
///
/// A byte order mark is believed first, then what HTTP says, then what the XML declaration says. A claim that the bytes
/// refute is not believed: then they are UTF-8 where they can be, and else what chardetng takes them for. Characters
/// that XML forbids are left out.
pub fn decode(body: &[u8], http: Option<&str>) -> String {
    let (encoding, body) = match Encoding::for_bom(body) {
        Some((encoding, length)) => (encoding, body.get(length..).unwrap_or_default()),
        None => (choose(body, http), body),
    };
    let (text, _) = encoding.decode_without_bom_handling(body);
    if text.chars().all(allowed) { text.into_owned() } else { text.chars().filter(|c| allowed(*c)).collect() }
}

/// What a byte means in windows-1252, as every browser takes it.
pub(super) fn western(byte: u8) -> Option<char> {
    WINDOWS_1252.decode_without_bom_handling(&[byte]).0.chars().next()
}

/// Whether XML 1.0 allows the character.
pub(super) fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..) && c != '\u{FEFF}'
}

fn choose(body: &[u8], http: Option<&str>) -> &'static Encoding {
    if let Some(wide) = wide(body) {
        return wide;
    }
    let claims = [http.and_then(|name| Encoding::for_label(name.trim().as_bytes())), declared(body)];
    for claim in claims.into_iter().flatten() {
        // Pure ASCII reads the same in all of them; a single-byte claim on good UTF-8 beyond ASCII is a mistake,
        // since text in such a charset hardly ever happens to be valid UTF-8.
        if claim.is_single_byte() && std::str::from_utf8(body).is_ok() {
            return UTF_8;
        }
        // Who says UTF-16 in a document whose declaration we can read as ASCII is wrong.
        let refuted = claim == UTF_16BE || claim == UTF_16LE;
        if !refuted && !claim.decode_without_bom_handling(body).1 {
            return claim;
        }
    }
    if std::str::from_utf8(body).is_ok() {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    // Its first hundred kilobytes tell a charset as well as all of it.
    detector.feed(body.get(..100_000).unwrap_or(body), true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    // UTF-8 with a few broken bytes stays UTF-8: most of it would be garbage in any other charset.
    if mostly_utf8(body) {
        UTF_8
    } else if guess == UTF_8 {
        WINDOWS_1252
    } else {
        guess
    }
}

/// UTF-16 without a byte order mark shows in the zero bytes around the first `<` or `{`.
fn wide(body: &[u8]) -> Option<&'static Encoding> {
    match body {
        [0, b'<' | b'{', 0, _, ..] => Some(UTF_16BE),
        [b'<' | b'{', 0, _, 0, ..] => Some(UTF_16LE),
        _ => None,
    }
}

/// Whether at least nine in ten of the bytes beyond ASCII are parts of good UTF-8.
fn mostly_utf8(body: &[u8]) -> bool {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in body.utf8_chunks() {
        good += chunk.valid().bytes().filter(|b| !b.is_ascii()).count();
        bad += chunk.invalid().len();
    }
    good >= bad.saturating_mul(9) && good > 0
}

/// What the XML declaration names.
fn declared(body: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(body.get(..300).unwrap_or(body)).into_owned();
    let head = head.trim_start();
    let (declaration, _) = head.strip_prefix("<?xml")?.split_once('>')?;
    let (_, after) = declaration.split_once("encoding")?;
    let after = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let name = after.split(quote).nth(1)?;
    Encoding::for_label(name.trim().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn believes_the_mark_then_http_then_the_declaration() {
        assert_eq!(decode(b"\xEF\xBB\xBF<a>\xC3\xA5</a>", Some("latin1")), "<a>å</a>");
        assert_eq!(decode(b"\xFF\xFE<\0a\0>\0", None), "<a>");
        assert_eq!(decode(b"\0<\0a\0>", None), "<a>");
        assert_eq!(decode(b"<a>\xE5</a>", Some("iso-8859-1")), "<a>å</a>");
        assert_eq!(
            decode(b"<?xml version='1.0' encoding='windows-1251'?><a>\xCF\xF0</a>", None).split_once("?>").unwrap().1,
            "<a>Пр</a>"
        );
    }

    #[test]
    fn refuted_claims_are_not_believed() {
        assert!(
            decode(b"<?xml version='1.0' encoding='utf-8'?><a>sm\xF6rg\xE5sbord p\xE5 \xF6n</a>", None)
                .contains("smörgåsbord")
        );
        assert_eq!(decode("<a>smörgåsbord</a>".as_bytes(), Some("iso-8859-1")), "<a>smörgåsbord</a>");
        assert!(decode(b"<?xml version='1.0' encoding='utf-16'?><a>x</a>", None).ends_with("<a>x</a>"));
    }

    #[test]
    fn a_few_broken_bytes_cost_only_themselves() {
        let mut body = "<a>".to_owned().into_bytes();
        body.extend("åäö ".repeat(20).bytes());
        body.extend(b"\xFF\0\x08</a>");
        let text = decode(&body, Some("utf-8"));
        assert!(text.contains("åäö \u{FFFD}</a>"), "{text}");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_become_allowed_text(body: Vec<u8>, http in proptest::option::of("[a-z0-9-]{0,12}")) {
            proptest::prop_assert!(decode(&body, http.as_deref()).chars().all(allowed));
        }
    }
}
