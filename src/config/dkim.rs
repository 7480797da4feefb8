//! The key by which mails are signed in the house's name.

use super::SecretRef;
use super::written::{At, Form};

/// How mails are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dkim {
    /// The domain in whose name; that of the sender.
    pub domain: String,
    /// Under which name its DNS has the public key: `SELECTOR._domainkey.DOMAIN`.
    pub selector: String,
    /// Where the private key is kept, in PEM.
    pub key: SecretRef,
}

impl Dkim {
    /// Reads the table as written; `domain` is the sender's.
    pub(super) fn read(form: Form<'_>, domain: &str) -> Option<Dkim> {
        let selector = form.must_text("selector");
        let written = form.text("domain");
        for name in [&selector, &written].into_iter().flatten().filter(|n| !is_name(n)) {
            let message = format!("`{}` is no name of DNS", name.value);
            form.desk.error(name.span.clone(), message, "write letters, digits, hyphens and dots");
        }
        if !form.has("key") {
            let help = "add key = { credential = \"dkim-key\" }, a private key in PEM";
            form.desk.error(form.span.clone(), "this DKIM table has no `key`", help);
        }
        let key = form.table("key", "secret").and_then(SecretRef::read);
        form.finish();
        let domain = written.map_or_else(|| domain.to_owned(), |d| d.value);
        Some(Dkim { domain, selector: selector?.value, key: key? })
    }
}

fn is_name(name: &At<String>) -> bool {
    let part = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    name.value.len() <= 253 && name.value.split('.').all(part)
}
