//! Short texts by mail: for gateways that make SMS of mails, and for any other address that wants one line only.

use jiff::Timestamp;

use super::{Channel, Kind, Means, Outcome, Parcel, Sending, To, mail};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::model::people::is_mail_address;

pub(super) const KIND: Kind = Kind {
    name: "sms-mail",
    about: "short texts by mail, for gateways that make SMS of them",
    manual: r#"[[channel]]
kind = "sms-mail"
name = "sms"                           # `to` is the address, such as 46701234567@sms.example.net
# It goes by the relays of [mail]."#,
    to: Some(To { what: "a mail address", needed: true, fits: is_mail_address }),
    closes: false,
    read: |_: &Form<'_>, _: &[String]| Some(Box::new(SmsMail)),
};

struct SmsMail;

impl Channel for SmsMail {
    fn send<'a>(&'a self, means: &'a Means, parcel: Parcel<'a>, _now: Timestamp) -> Sending<'a> {
        Box::pin(async move {
            match mail::short_bytes(parcel.short, parcel.id, &means.from, parcel.to) {
                Ok(bytes) => means.post.send(&means.from, parcel.id, parcel.to, &bytes).await,
                Err(e) => Outcome::Never(e.to_string()),
            }
        })
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, world};
    use super::*;

    #[tokio::test]
    async fn one_short_mail_that_nothing_answers_by_itself() {
        let World { channels, .. } = world("kind = \"sms-mail\"\nname = \"s\"\n", &[]).await;
        let Outcome::Taken(path) = channels.told("46701234567@sms.example.net").await else { panic!("it is taken") };
        assert!(path.starts_with(&channels.1.path().display().to_string()));
        let mail = std::fs::read_to_string(path).expect("it is there");
        insta::assert_snapshot!(mail.replace('\r', ""), @r#"
        From: vakt <vakt@acme.example>
        To: 46701234567@sms.example.net
        Date: Thu, 01 Jan 2026 00:00:01 +0000
        Auto-Submitted: auto-generated
        X-Auto-Response-Suppress: All
        List-Id: <incidents.acme.example>
        Subject: Acme: Product safety
        Message-ID: <m1@acme.example>
        MIME-Version: 1.0
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        [ESCALATE] Acme: Product safety, 42 mentions in 15m (usual 2), 88 % negative
        https://vakt.example.org/a/door.mac
        It asks for these digits: 1234
        "#);
    }
}
