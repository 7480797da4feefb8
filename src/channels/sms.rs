//! SMS by any provider that takes a POST: its address and body as a template, as Twilio, 46elks, sipgate and others want.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use url::form_urlencoded::byte_serialize;

use super::{Channel, Kind, Means, Outcome, Parcel, Sending, To, defang, hook};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::net::Allow;
use crate::net::http::Post;

pub(super) const KIND: Kind = Kind {
    name: "sms",
    about: "SMS, by any provider that takes a POST",
    manual: r#"[[channel]]
kind = "sms"
name = "sms"                           # `to` is the number, +46701234567
url = "https://api.46elks.com/a1/sms"
body = "from=Vakt&to={to}&message={text}"   # {to}, {text} and {id} are filled in, encoded as the type asks for
type = "form"                          # form (default) or json: body = '{"to": "{to}", "text": "{text}"}'
user = "u1234"                         # with password; or token = { … } for `Authorization: Bearer`
password = { credential = "sms" }
longest = 300                          # characters; more than 160 are several SMS"#,
    to: Some(To { what: "a number such as `+46701234567`", needed: true, fits: is_number }),
    closes: false,
    read,
};

fn is_number(to: &str) -> bool {
    to.strip_prefix('+').is_some_and(|d| (7..=15).contains(&d.len()) && d.bytes().all(|b| b.is_ascii_digit()))
}

/// How what is filled in is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Form,
    Json,
}

struct Sms {
    url: String,
    body: String,
    kind: Type,
    user: Option<String>,
    password: Option<SecretRef>,
    token: Option<SecretRef>,
    longest: usize,
    allow: Allow,
}

fn read(form: &Form<'_>, allow_private: &[String]) -> Option<Box<dyn Channel>> {
    let url = hook::address(form, "url", None);
    let kind = form.choice("type", &["form", "json"], |w| match w {
        "form" => Some(Type::Form),
        "json" => Some(Type::Json),
        _ => None,
    });
    let kind = kind.map_or(Type::Form, |k| k.value);
    let body = form.must_text("body").filter(|body| {
        let missing = ["{to}", "{text}"].into_iter().find(|hole| !body.value.contains(hole));
        if let Some(hole) = missing {
            let help = "write body = \"to={to}&message={text}\", or JSON with both";
            form.desk.error(body.span.clone(), format!("this body has no {hole}"), help);
        }
        let whole = fill(&body.value, Type::Json, [("{to}", "+1"), ("{text}", "\""), ("{id}", "")]);
        let broken = kind == Type::Json && serde_json::from_str::<serde_json::Value>(&whole).is_err();
        if broken {
            let help = "write body = '{\"to\": \"{to}\", \"text\": \"{text}\"}', with the quotation marks";
            form.desk.error(body.span.clone(), "this body is no JSON once it is filled in", help);
        }
        missing.is_none() && !broken
    });
    let user = form.text("user").map(|u| u.value);
    let (password, token) = (super::secret(form, "password", user.is_some()), super::secret(form, "token", false));
    let longest = form.number("longest", 70..=1000).and_then(|n| usize::try_from(n.value).ok()).unwrap_or(300);
    let allow = super::allow(form, allow_private);
    Some(Box::new(Sms { url: url?, body: body?.value, kind, user, password, token, longest, allow }))
}

/// Fills the holes of a template in one pass: what is filled in is never a template itself.
fn fill(template: &str, kind: Type, holes: [(&str, &str); 3]) -> String {
    let encoded = |text: &str| match kind {
        Type::Form => byte_serialize(text.as_bytes()).collect::<String>(),
        Type::Json => {
            let quoted = serde_json::Value::from(text).to_string();
            quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
        }
    };
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let hole = holes.iter().find_map(|(hole, value)| from.strip_prefix(hole).map(|after| (after, value)));
        rest = match hole {
            Some((after, value)) => {
                out.push_str(&encoded(value));
                after
            }
            None => {
                out.push('{');
                from.get(1..).unwrap_or_default()
            }
        };
    }
    out + rest
}

impl Sms {
    fn text(&self, parcel: Parcel<'_>) -> String {
        let short = parcel.short;
        let tail: Vec<String> = short
            .link(true)
            .map(|(l, _)| l.to_owned())
            .into_iter()
            .chain(short.digits.as_ref().filter(|_| short.door.is_some()).map(|(_, digits)| digits.clone()))
            .collect();
        let tail = tail.join(" ");
        // The link is worth nothing when it is cut: the headline gives way.
        let room = self.longest.saturating_sub(tail.chars().count() + 1).max(40);
        format!("{} {tail}", defang::header_text(&short.headline, room.saturating_sub(1))).trim_end().to_owned()
    }

    async fn post(&self, means: &Means, parcel: Parcel<'_>, now: Timestamp) -> Result<Outcome, Outcome> {
        let secret = self.token.as_ref().or(self.password.as_ref()).map(hook::fetch).transpose()?;
        let secret = secret.as_ref().map(|s| s.expose_secret()).unwrap_or_default();
        let authorization = match (&self.token, &self.user) {
            (Some(_), _) => Some(format!("Bearer {secret}")),
            (None, Some(user)) => Some(format!("Basic {}", STANDARD.encode(format!("{user}:{secret}")))),
            _ => None,
        };
        let headers: Vec<_> = authorization.map(|a| ("authorization", a)).into_iter().collect();
        let text = self.text(parcel);
        let body = fill(&self.body, self.kind, [("{to}", parcel.to), ("{text}", &text), ("{id}", parcel.id)]);
        let content_type = match self.kind {
            Type::Form => "application/x-www-form-urlencoded",
            Type::Json => "application/json",
        };
        let body = body.into_bytes();
        let post = Post { put: false, url: &self.url, allow: &self.allow, content_type, headers: &headers, body };
        let answer = hook::send(means, post, now).await?;
        let said = hook::field(&answer, "message").unwrap_or_else(|| answer.body.clone());
        Ok(hook::judge(&answer, &said, &[secret]))
    }
}

impl Channel for Sms {
    fn send<'a>(&'a self, means: &'a Means, parcel: Parcel<'a>, now: Timestamp) -> Sending<'a> {
        Box::pin(async move { self.post(means, parcel, now).await.unwrap_or_else(|o| o) })
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        self.token.iter().chain(&self.password).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, faults, world};
    use super::*;

    const FORM: &str = "kind = \"sms\"\nname = \"s\"\nurl = \"BASE/sms\"\nbody = \"from=Vakt&to={to}&message={text}\"\nuser = \"u1\"\npassword = { file = \"SECRET\" }\n";
    const JSON: &str = "kind = \"sms\"\nname = \"s\"\nurl = \"BASE\"\ntype = \"json\"\nbody = '{\"to\": [\"{to}\"], \"text\": \"{text}\", \"ref\": \"{id}\"}'\ntoken = { file = \"SECRET\" }\n";

    #[tokio::test]
    async fn a_form_and_json_as_providers_want_them() {
        let World { channels, server, .. } = world(FORM, &[(201, "", "{}")]).await;
        assert!(matches!(channels.told("+46701234567").await, Outcome::Taken(_)));
        let asked = server.asked();
        assert!(asked[0].head.starts_with("POST /sms HTTP/1.1"));
        assert!(asked[0].head.contains("content-type: application/x-www-form-urlencoded"));
        assert!(asked[0].head.contains("authorization: Basic dTE6czNjcmV0"), "{}", asked[0].head);
        insta::assert_snapshot!(asked[0].body, @"from=Vakt&to=%2B46701234567&message=%5BESCALATE%5D+Acme%3A+Product+safety%2C+42+mentions+in+15m+%28usual+2%29%2C+88+%25+negative+https%3A%2F%2Fvakt.example.org%2Fa%2Fdoor.mac+1234");
        let World { channels, server, .. } = world(JSON, &[(200, "", "{}")]).await;
        assert!(matches!(channels.told("+46701234567").await, Outcome::Taken(_)));
        let asked = server.asked();
        assert!(asked[0].head.contains("authorization: Bearer s3cret"));
        insta::assert_snapshot!(asked[0].json(), @r#"
        {
          "ref": "m1@acme.example",
          "text": "[ESCALATE] Acme: Product safety, 42 mentions in 15m (usual 2), 88 % negative https://vakt.example.org/a/door.mac 1234",
          "to": [
            "+46701234567"
          ]
        }
        "#);
    }

    #[tokio::test]
    async fn each_answer_means_what_its_status_says() {
        let answers = [(401, "", "bad s3cret"), (429, "retry-after: 2\r\n", ""), (503, "", "")];
        let World { channels, .. } = world(FORM, &answers).await;
        assert!(matches!(channels.told("+46701234567").await, Outcome::Never(why) if !why.contains("s3cret")));
        assert!(matches!(channels.told("+46701234567").await, Outcome::Later { wait: Some(_), .. }));
        assert!(matches!(channels.told("+46701234567").await, Outcome::Later { wait: None, .. }));
    }

    #[test]
    fn bodies_that_would_tell_nobody_are_told() {
        let said = faults(&FORM.replace("{to}", "+1").replace("BASE", "https://sms.example"));
        assert!(said.contains("this body has no {to}"), "{said}");
        let said = faults(&JSON.replace("\"{text}\"", "{text}").replace("BASE", "https://sms.example"));
        assert!(said.contains("no JSON once it is filled in"), "{said}");
        let said = faults(&FORM.replace("BASE", "http://sms.example").replace("allow_private", "allow"));
        assert!(said.contains("without TLS"), "{said}");
        assert!(is_number("+46701234567") && !is_number("0701234567") && !is_number("+4670-123"));
    }

    proptest::proptest! {
        /// What is filled in never fills in anything else, and JSON stays JSON.
        #[test]
        fn what_is_filled_in_stays_text(text in "\\PC{0,40}|\\{to\\}|\"|\\\\") {
            let body = fill("{\"a\": \"{text}\", \"b\": {\"c\": \"{to}\"}}", Type::Json, [("{to}", "+1"), ("{text}", &text), ("{id}", "")]);
            let read: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            proptest::prop_assert_eq!(&read["a"], &serde_json::Value::from(text));
            proptest::prop_assert_eq!(&read["b"]["c"], "+1");
        }
    }
}
