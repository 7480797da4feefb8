//! Bytes into text: which charset a document is in, whatever it claims to be.

use std::io::Read;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

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

/// The charset of a file that is too long to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charset(&'static Encoding);

/// Bytes beyond ASCII that tell a charset as well as all of them.
const ENOUGH: usize = 1 << 20;

impl Charset {
    pub(super) const UTF_8: Charset = Charset(UTF_8);

    /// Reads a file through, and says which charset it is in.
    pub(super) fn of(mut file: impl Read) -> std::io::Result<Charset> {
        let mut buffer = vec![0; 256 << 10];
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        let (mut good, mut bad, mut fed, mut filled, mut first) = (0usize, 0usize, 0usize, 0usize, true);
        loop {
            let n = file.read(buffer.get_mut(filled..).unwrap_or_default())?;
            filled += n;
            let held = buffer.get(..filled).unwrap_or_default();
            if first && filled >= 4 {
                let marked = Encoding::for_bom(held).map(|(encoding, _)| encoding);
                if let Some(encoding) = marked.or_else(|| wide(held)).or_else(|| wide_words(held)) {
                    return Ok(Charset(encoding));
                }
                first = false;
            }
            // A character may be cut by the end of the buffer: it is looked at with what comes next.
            let cut = if n == 0 { filled } else { filled.saturating_sub(3) };
            let (whole, rest) = held.split_at(cut);
            let rest_begins = rest.iter().take_while(|b| (0x80..0xc0).contains(*b)).count();
            let whole = held.get(..whole.len() + rest_begins).unwrap_or(whole);
            if !whole.is_ascii() {
                for chunk in whole.utf8_chunks() {
                    good += chunk.valid().bytes().filter(|b| !b.is_ascii()).count();
                    bad += chunk.invalid().len();
                }
                if fed < ENOUGH {
                    detector.feed(whole, false);
                    fed += whole.len();
                }
            }
            let kept = whole.len()..filled;
            filled = kept.len();
            buffer.copy_within(kept, 0);
            if n == 0 {
                break;
            }
        }
        detector.feed(b"", true);
        let guess = detector.guess(None, Utf8Detection::Deny);
        let utf8 = bad == 0 || (good > 0 && good >= bad.saturating_mul(9));
        Ok(Charset(match () {
            () if utf8 => UTF_8,
            () if guess == UTF_8 => WINDOWS_1252,
            () => guess,
        }))
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        self.0.name()
    }

    /// The beginning of a file as text; a character cut at its end becomes U+FFFD.
    pub(super) fn text(self, beginning: &[u8]) -> String {
        self.0.decode_with_bom_removal(beginning).0.into_owned()
    }

    /// The file as UTF-8, without byte order mark.
    pub(super) fn reader<R: Read>(self, file: R) -> impl Read {
        let decoder = self.0.new_decoder_with_bom_removal();
        Decoding {
            file,
            decoder,
            raw: vec![0; 64 << 10],
            from: 0,
            to: 0,
            ended: false,
            done: false,
            spare: [0; 16],
            spared: 0..0,
        }
    }
}

/// UTF-16 without a byte order mark, as spreadsheets write it: every other byte of plain words is zero.
fn wide_words(body: &[u8]) -> Option<&'static Encoding> {
    let head = body.get(..body.len().min(200) & !1)?;
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
    match () {
        () if odd * 10 >= pairs * 7 && even == 0 => Some(UTF_16LE),
        () if even * 10 >= pairs * 7 && odd == 0 => Some(UTF_16BE),
        () => None,
    }
}

/// A file decoded as it is read.
struct Decoding<R> {
    file: R,
    decoder: Decoder,
    raw: Vec<u8>,
    from: usize,
    to: usize,
    ended: bool,
    /// The decoder has given its last.
    done: bool,
    /// Decoded bytes that did not fit a reader's small buffer.
    spare: [u8; 16],
    spared: std::ops::Range<usize>,
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        loop {
            if !self.spared.is_empty() {
                let held = self.spare.get(self.spared.clone()).unwrap_or_default();
                let n = held.len().min(out.len());
                if let (Some(to), Some(from)) = (out.get_mut(..n), held.get(..n)) {
                    to.copy_from_slice(from);
                }
                self.spared.start += n;
                return Ok(n);
            }
            if self.done {
                return Ok(0);
            }
            if self.from == self.to && !self.ended {
                (self.from, self.to) = (0, self.file.read(&mut self.raw)?);
                self.ended = self.to == 0;
            }
            let raw = self.raw.get(self.from..self.to).unwrap_or_default();
            // A decoder needs room for a whole character.
            let small = out.len() < self.spare.len();
            let target = if small { &mut self.spare[..] } else { &mut *out };
            let (result, read, wrote, _) = self.decoder.decode_to_utf8(raw, target, self.ended);
            self.from += read;
            self.done = self.ended && result == CoderResult::InputEmpty;
            if small {
                self.spared = 0..wrote;
            } else if wrote > 0 {
                return Ok(wrote);
            }
        }
    }
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

    fn streamed(bytes: &[u8]) -> (String, &'static str) {
        let charset = Charset::of(bytes).expect("memory");
        let mut text = String::new();
        charset.reader(bytes).read_to_string(&mut text).expect("it is UTF-8");
        (text, charset.name())
    }

    #[test]
    fn long_files_are_decoded_as_they_are_read() {
        let words = "smörgåsbord på ön; ".repeat(30_000);
        assert_eq!(streamed(words.as_bytes()), (words.clone(), "UTF-8"));
        let latin: Vec<u8> = words.chars().map(|c| c as u8).collect();
        assert_eq!(streamed(&latin), (words.clone(), "windows-1252"));
        let marked: Vec<u8> = [0xfeff].into_iter().chain(words.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(streamed(&marked), (words.clone(), "UTF-16LE"));
        let bare: Vec<u8> = words.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(streamed(&bare), (words.clone(), "UTF-16BE"));
        assert_eq!(streamed(b"\xEF\xBB\xBFa"), ("a".into(), "UTF-8"));
        // The first letter beyond ASCII stands far from the beginning.
        let late = [b"plain ".repeat(200_000), b"sm\xF6rg\xE5s, r\xE4ka, \xF6l".to_vec()].concat();
        assert!(streamed(&late).0.ends_with("smörgås, räka, öl"));
    }

    #[test]
    fn small_buffers_lose_nothing() {
        let mut reader = Charset::UTF_8.reader("å🔥b".as_bytes());
        let (mut all, mut one) = (Vec::new(), [0; 1]);
        while reader.read(&mut one).expect("memory") > 0 {
            all.push(one[0]);
        }
        assert_eq!(String::from_utf8(all).expect("UTF-8"), "å🔥b");
    }

    proptest::proptest! {
        #[test]
        fn any_file_becomes_text(body: Vec<u8>) {
            proptest::prop_assert!(streamed(&body).0.len() <= body.len() * 4 + 4);
        }

        #[test]
        fn any_bytes_become_allowed_text(body: Vec<u8>, http in proptest::option::of("[a-z0-9-]{0,12}")) {
            proptest::prop_assert!(decode(&body, http.as_deref()).chars().all(allowed));
        }
    }
}
