//! Signatures of calls: HMAC with SHA-256 over what came, compared in a time that tells nothing.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;

use super::Refusal;
use crate::config::SecretRef;

/// Checks that a signature is that of the parts, one after the other. It may be in hexadecimal or Base64.
pub(super) fn check(secret: &SecretRef, parts: &[&[u8]], said: &str) -> Result<(), Refusal> {
    let key = secret.fetch()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()).unwrap_or_else(|_| unreachable!());
    for part in parts {
        mac.update(part);
    }
    let bytes = bytes_of(said.trim()).ok_or(Refusal::Forged("the signature is none"))?;
    mac.verify_slice(&bytes).map_err(|_| Refusal::Forged("the signature is wrong"))
}

/// Whether two secrets are the same.
pub(super) fn same(secret: &SecretRef, said: &str) -> Result<bool, Refusal> {
    use subtle::ConstantTimeEq;
    let key = secret.fetch()?;
    // Both are signed, so that neither their lengths nor how far they agree can be told from the time.
    let sign = |text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"vakt").unwrap_or_else(|_| unreachable!());
        mac.update(text.as_bytes());
        mac.finalize().into_bytes()
    };
    Ok(sign(key.expose_secret()).ct_eq(&sign(said)).into())
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let hex = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if hex {
        let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
        return (0..64).step_by(2).map(pair).collect();
    }
    STANDARD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok()
}
