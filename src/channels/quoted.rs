//! Quoted-printable, read and written: how the texts of a mail stand in seven bits.

/// Longest line that may be written.
const LONGEST: usize = 76;

/// Reads a text; line ends become `\n`.
pub(super) fn read(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied().filter(|b| *b != b'\r').peekable();
    let hex = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    while let Some(byte) = rest.next() {
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        match rest.next() {
            // A line that goes on.
            Some(b'\n') | None => {}
            high => match (hex(high), hex(rest.peek().copied())) {
                (Some(high), Some(low)) => {
                    rest.next();
                    out.push(high << 4 | low);
                }
                _ => {
                    out.push(byte);
                    out.extend(high);
                }
            },
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Writes a text; line ends become CRLF.
pub(super) fn write(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 4);
    for (n, line) in text.split('\n').enumerate() {
        if n > 0 {
            out.extend(b"\r\n");
        }
        let mut width = 0;
        let bytes = line.as_bytes();
        for (at, byte) in bytes.iter().enumerate() {
            let last = at + 1 == bytes.len();
            let plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (*byte == b' ' && !last);
            let wide = if plain { 1 } else { 3 };
            // Room for the sign that the line goes on.
            if width + wide > LONGEST - 1 {
                out.extend(b"=\r\n");
                width = 0;
            }
            match plain {
                true => out.push(*byte),
                false => out.extend(format!("={byte:02X}").bytes()),
            }
            width += wide;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn reads_what_it_writes(text in "(\\PC|\n|=| ){0,200}") {
            let written = write(&text);
            proptest::prop_assert!(written.is_ascii());
            proptest::prop_assert!(written.split(|b| *b == b'\n').all(|l| l.len() <= LONGEST + 1));
            proptest::prop_assert_eq!(read(&written), text);
        }
    }

    #[test]
    fn bad_signs_stay_as_they_are() {
        assert_eq!(read(b"a=zz=3"), "a=zz=3");
        assert_eq!(read(b"f=C3=BCr =\r\nalle=\r\n"), "für alle");
    }
}
