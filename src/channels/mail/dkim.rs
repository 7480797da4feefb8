//! DKIM: signs mails in the house's name, for relays that do not (RFC 6376, relaxed/relaxed; RFC 8463 for Ed25519).
//!
//! A signature bears no time, so that the same mail is the same bytes at each try.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// Headers that are signed where they are there; `From` once more, so that nobody adds a second one.
const SIGNED: [&str; 12] = [
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "auto-submitted",
    "list-id",
];
/// Characters of a signature's line.
const LINE: usize = 72;

/// Signs in a domain's name.
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
}

enum Key {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({}._domainkey.{})", self.selector, self.domain)
    }
}

impl Signer {
    /// A signer with a private key in PEM: RSA of 2048 bits and more, or Ed25519.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the key, without the key.
    pub fn new(domain: &str, selector: &str, key: &SecretString) -> Result<Signer, String> {
        let wrong =
            || "the DKIM key is no private key in PEM: `openssl genpkey -algorithm ed25519` makes one".to_owned();
        let short = |_| "the DKIM key is neither RSA of 2048 bits and more nor Ed25519".to_owned();
        let der = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes()).map_err(|_| wrong())?;
        let key = match &der {
            PrivateKeyDer::Pkcs1(der) => Key::Rsa(RsaKeyPair::from_der(der.secret_pkcs1_der()).map_err(short)?),
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                match Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
                    Ok(key) => Key::Ed25519(key),
                    Err(_) => Key::Rsa(RsaKeyPair::from_pkcs8(der).map_err(short)?),
                }
            }
            _ => return Err("the DKIM key is neither RSA nor Ed25519".to_owned()),
        };
        Ok(Signer { domain: domain.to_owned(), selector: selector.to_owned(), key })
    }

    /// The mail with its signature before it; as it is where it is no mail, or the machine has no randomness.
    pub fn sign(&self, mail: &[u8]) -> Vec<u8> {
        let signed = std::str::from_utf8(mail).ok().and_then(|text| self.signature(text));
        let mut out = signed.map(|s| format!("DKIM-Signature: {s}\r\n").into_bytes()).unwrap_or_default();
        out.extend_from_slice(mail);
        out
    }

    fn signature(&self, mail: &str) -> Option<String> {
        let (head, body) = mail.split_once("\r\n\r\n")?;
        let headers = headers(head);
        let present = SIGNED.iter().filter(|name| headers.iter().any(|(n, _)| n == *name)).copied();
        let names: Vec<&str> = present.chain(["from"]).collect();
        let algorithm = match self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let hash = STANDARD.encode(Sha256::digest(relaxed_body(body)));
        let value = format!(
            "v=1; a={algorithm}; c=relaxed/relaxed;\r\n d={}; s={};\r\n h={};\r\n bh={hash};\r\n b=",
            self.domain,
            self.selector,
            folded(&names.join(":"), |c| c == ':')
        );
        let signature = self.raw(signed_text(&headers, &names, &value).as_bytes())?;
        Some(value + &folded(&STANDARD.encode(signature), |_| true))
    }

    fn raw(&self, text: &[u8]) -> Option<Vec<u8>> {
        match &self.key {
            Key::Ed25519(key) => Some(key.sign(&Sha256::digest(text)).as_ref().to_vec()),
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).ok()?;
                Some(signature)
            }
        }
    }
}

/// Text in lines, broken after characters that allow it.
fn folded(text: &str, breaks: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 20);
    let mut column = 0;
    for c in text.chars() {
        out.push(c);
        column += 1;
        if column >= LINE && breaks(c) {
            out.push_str("\r\n ");
            column = 0;
        }
    }
    out.trim_end().to_owned()
}

/// Names in lower case with their values, folded lines put together again.
fn headers(head: &str) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        match (line.starts_with([' ', '\t']), out.last_mut()) {
            (true, Some((_, value))) => value.push_str(line),
            _ => {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                out.push((name.trim().to_ascii_lowercase(), value.to_owned()));
            }
        }
    }
    out
}

/// What a signature is over: of each name the last header that is not yet taken, and the signature's own without itself.
fn signed_text(headers: &[(String, String)], names: &[&str], own: &str) -> String {
    let mut left: Vec<&(String, String)> = headers.iter().collect();
    let mut out = String::new();
    for name in names {
        if let Some(at) = left.iter().rposition(|(n, _)| n == name) {
            let (name, value) = left.remove(at);
            out.push_str(&format!("{name}:{}\r\n", relaxed(value)));
        }
    }
    out + "dkim-signature:" + &relaxed(own)
}

/// White space within a line as one space, and none around it.
fn relaxed(text: &str) -> String {
    text.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The body with white space as one space and none at the end of lines and of all.
fn relaxed_body(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    for line in body.split("\r\n") {
        let mut space = false;
        for c in line.trim_end_matches([' ', '\t']).chars() {
            match c {
                ' ' | '\t' => space = true,
                c => {
                    if std::mem::take(&mut space) {
                        out.push(' ');
                    }
                    out.push(c);
                }
            }
        }
        out.push_str("\r\n");
    }
    let whole = out.trim_end_matches("\r\n");
    if whole.is_empty() { String::new() } else { format!("{whole}\r\n") }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ED25519, KeyPair, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    /// The example of RFC 8463, Appendix A: its key in PEM, its mail, its signature.
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    const MAIL: &str = "From: Joe SixPack <joe@football.example.com>\r\n\
        To: Suzie Q <suzie@shopping.example.net>\r\n\
        Subject: Is dinner ready?\r\n\
        Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n\
        Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\n\
        Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

    fn signer(pem: &str) -> Result<Signer, String> {
        Signer::new("football.example.com", "brisbane", &SecretString::from(pem.to_owned()))
    }

    #[test]
    fn the_example_of_the_standard_is_signed_as_there() {
        let (head, body) = MAIL.split_once("\r\n\r\n").expect("a mail");
        assert_eq!(STANDARD.encode(Sha256::digest(relaxed_body(body))), "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
        let own = "v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n \
            q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n subject : date : message-id : from : subject : date;\r\n \
            bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=";
        let names = ["from", "to", "subject", "date", "message-id", "from", "subject", "date"];
        let signature = signer(KEY).expect("a key").raw(signed_text(&headers(head), &names, own).as_bytes());
        assert_eq!(
            STANDARD.encode(signature.expect("signed")),
            "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
        );
    }

    /// Takes a signed mail apart as whoever receives it does, and checks it by the key alone.
    fn holds(signed: &str, check: impl Fn(&[u8], &[u8]) -> bool) -> bool {
        let (head, body) = signed.split_once("\r\n\r\n").expect("a mail");
        let all = headers(head);
        let (name, own) = &all[0];
        assert_eq!(name, "dkim-signature");
        let tag = |tag: &str| {
            let tags = own.split(';').filter_map(|t| t.split_once('='));
            tags.into_iter().find(|(n, _)| n.trim() == tag).map(|(_, v)| v.replace([' ', '\r', '\n'], ""))
        };
        let (h, bh, b) = (tag("h").expect("h"), tag("bh").expect("bh"), tag("b").expect("b"));
        let names: Vec<&str> = h.split(':').collect();
        let bare = own.split_once(" b=").map(|(before, _)| format!("{before} b=")).expect("it has a signature");
        let text = signed_text(&all[1..], &names, &bare);
        bh == STANDARD.encode(Sha256::digest(relaxed_body(body)))
            && check(text.as_bytes(), &STANDARD.decode(b).expect("base64"))
    }

    #[test]
    fn what_is_signed_holds_until_it_is_changed() {
        let key = signer(KEY).expect("a key");
        let Key::Ed25519(pair) = &key.key else { panic!("an Ed25519 key") };
        let public = pair.public_key().as_ref().to_vec();
        let check = |text: &[u8], signature: &[u8]| {
            UnparsedPublicKey::new(&ED25519, &public).verify(&Sha256::digest(text), signature).is_ok()
        };
        let letter = crate::channels::letter::tests::composed(&[]);
        let maria = crate::channels::letter::tests::maria();
        let mail = super::super::envelope_bytes(&letter, "vakt <v@acme.example>", &maria, jiff::Timestamp::UNIX_EPOCH);
        let mail = mail.expect("a mail");
        let signed = String::from_utf8(key.sign(&mail)).expect("text");
        assert_eq!(key.sign(&mail), signed.as_bytes(), "the same at each try");
        assert!(holds(&signed, check));
        assert!(signed.lines().take(8).all(|l| l.len() < 100), "{signed}");
        let relayed = signed.replace("Subject: ", "Subject:   ") + "\r\n\r\n";
        assert!(holds(&relayed, check), "white space may change on the way");
        for (before, after) in [("Subject: [", "Subject: {"), ("From: ", "From: x"), ("text/html", "text/htm1")] {
            assert!(signed.contains(before) && !holds(&signed.replacen(before, after, 1), check), "{before}");
        }
        let second = signed.replacen("\r\nTo: ", "\r\nFrom: evil@acme.example\r\nTo: ", 1);
        assert!(!holds(&second, check), "a second sender");
    }

    #[test]
    fn keys_that_will_not_do_are_told_without_the_key() {
        for (pem, says) in [
            ("", "no private key"),
            ("s3cret", "no private key"),
            ("-----BEGIN PRIVATE KEY-----\nczNjcmV0\n-----END PRIVATE KEY-----\n", "neither RSA of 2048"),
        ] {
            let wrong = signer(pem).expect_err("it is refused");
            assert!(wrong.contains(says) && !wrong.contains("s3cret"), "{wrong}");
        }
        let rsa = include_str!("rsa.test.pem");
        let key = signer(rsa).expect("a key");
        let Key::Rsa(pair) = &key.key else { panic!("an RSA key") };
        let public = pair.public().as_ref().to_vec();
        let signed = String::from_utf8(key.sign(MAIL.as_bytes())).expect("text");
        assert!(holds(&signed, |text, signature| {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public).verify(text, signature).is_ok()
        }));
    }

    proptest::proptest! {
        /// However strange a mail is, it is sent.
        #[test]
        fn any_mail_is_signed_or_left_alone(mail in "(\\PC|\\r\\n| ){0,80}") {
            let signed = signer(KEY).expect("a key").sign(mail.as_bytes());
            proptest::prop_assert!(signed.ends_with(mail.as_bytes()));
        }
    }
}
