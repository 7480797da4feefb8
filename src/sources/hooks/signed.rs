//! Anybody's calls: mentions in the words of the API, signed with a secret that both know.

use jiff::Timestamp;

use super::{Call, Hook, Kind, Refusal, Told, signature};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::sources::{pushed, settings};

pub(super) const KIND: Kind = Kind {
    name: "hmac",
    about: "any tool that signs what it sends with HMAC-SHA256: mentions as POST /api/v1/mentions takes them",
    manual: r#"[[hook]]
kind = "hmac"
name = "crm"                          # it is called at https://vakt.example.org/hooks/crm
header = "X-Signature"                # where the HMAC-SHA256 of the body stands, in hexadecimal or Base64
prefix = "sha256="                    # what stands before it there; nothing unless told
secret = { file = "/etc/vakt/crm-secret" }"#,
    read,
};

struct Signed {
    header: String,
    prefix: String,
    secret: SecretRef,
}

fn read(form: &Form<'_>) -> Option<Box<dyn Hook>> {
    let header = form.must_text("header");
    let prefix = form.text("prefix").map(|p| p.value).unwrap_or_default();
    let secret = settings::must_secret(form, "secret");
    let header = header?;
    if !header.value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        form.desk.error(header.span, "`header` is no name of a header", "write for example \"X-Signature\"");
        return None;
    }
    Some(Box::new(Signed { header: header.value.to_ascii_lowercase(), prefix, secret: secret? }))
}

impl Hook for Signed {
    fn take(&self, call: &Call<'_>, _: Timestamp) -> Result<Told, Refusal> {
        let said = (call.header)(&self.header).ok_or(Refusal::Forged("the header with the signature is missing"))?;
        let said = said.strip_prefix(&self.prefix).ok_or(Refusal::Forged("the signature begins in another way"))?;
        signature::check(&self.secret, &[call.body], said)?;
        let (captures, errors) = pushed::read(call.body).map_err(Refusal::Malformed)?;
        let mut told = Told { captures, ..Told::default() };
        if told.captures.is_empty()
            && let Some(first) = errors.first()
        {
            return Err(Refusal::Malformed(first.clone()));
        }
        errors.into_iter().for_each(|why| told.skip(why));
        Ok(told)
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        vec![&self.secret]
    }
}
