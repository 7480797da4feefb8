//! Google Play: reviews of an app of yours, by the Play Developer API.
//!
//! Follows <https://developers.google.com/android-publisher/reply-to-reviews> and `/api-ref/rest/v3/reviews/list` (v3), signed in
//! as <https://developers.google.com/identity/protocols/oauth2/service-account> says: reviews with words that were written or
//! changed within the last week, the newest first, 100 a page; 200 requests an hour. Others' apps cannot be read, nor stars alone.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::api::{Answer, Api, Opened, Opening, Pass, Session};
use super::http::{Body, FetchError, place};
use super::listing::{Listing, Page, Place, below, with};
use super::told::Told;
use super::{Entry, Kind, Source, settings};
use crate::config::SecretRef;
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};

/// Reviews of Google Play.
pub const KIND: Kind = Kind {
    name: "playstore",
    about: "Google Play: reviews of an app of yours",
    entry: Entry::Key,
    every: Some(Span::mins(10)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "playstore"
name = "play-reviews"
app = "com.acme.kettle"               # its package name
account = { credential = "play" }     # the JSON key of a service account that may read the app's reviews in the Play Console
every = "10m"                         # the default; the place may be asked 200 times an hour
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://androidpublisher.googleapis.com"   # where the API is, and
# login = "https://oauth2.googleapis.com/token"     # where its tokens are given"#;

const SCOPE: &str = "https://www.googleapis.com/auth/androidpublisher";

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://androidpublisher.googleapis.com");
    let login = settings::address(form, "login", "https://oauth2.googleapis.com/token");
    let app = form.must_text("app");
    let account = settings::must_secret(form, "account");
    let allow = settings::allow(form, house);
    let (api, login, app, account) = (api?, login?, app?, account?);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
    if !app.value.contains('.') || !app.value.chars().all(fits) {
        form.desk.error(
            app.span,
            format!("`{}` is no package name", app.value),
            "write for example \"com.acme.kettle\"",
        );
        return None;
    }
    let place = Place::open(allow, vec![Box::new(Reviews { api, app: app.value })]);
    Some(Box::new(Place { pass: Pass::session(Account { login, key: account }), ..place }))
}

/// A service account.
struct Account {
    login: Url,
    key: SecretRef,
}

impl Session for Account {
    fn open<'a>(&'a self, door: &'a Api<'a>) -> Opening<'a> {
        Box::pin(async move {
            let key = self.key.fetch()?;
            let signed = self.assertion(&key, door.now).map_err(FetchError::Setup)?;
            let fields =
                [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", signed.as_str())];
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            let answer = door.post(&self.login, Body::Form(&body), None).await?;
            let lasts = answer.body.count("/expires_in").unwrap_or(3600).min(86_400);
            match answer.body.text("/access_token") {
                "" => {
                    let reason = "it gave no token".to_owned();
                    Err(FetchError::Unreadable { place: place(&self.login), reason })
                }
                token => Ok(Opened {
                    header: SecretString::from(format!("Bearer {token}")),
                    until: Some(door.now + Span::secs(lasts as i64)),
                }),
            }
        })
    }
}

impl Account {
    /// Who we are, signed with the account's key (RFC 7523, RS256); the error is told without the key.
    fn assertion(&self, key: &SecretString, now: Timestamp) -> Result<String, String> {
        let wrong = |what: &str| {
            format!("the key of the service account is none: {what}; make a JSON key in the Cloud Console")
        };
        let account: Value = serde_json::from_str(key.expose_secret()).map_err(|_| wrong("this is no JSON"))?;
        let email = account.text("/client_email");
        if email.is_empty() {
            return Err(wrong("it has no client_email"));
        }
        let pem = account.text("/private_key");
        let der =
            PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| wrong("it has no private_key in PEM"))?;
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der());
        let pair = pair.map_err(|_| wrong("its private_key is not RSA of 2048 bits and more"))?;
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let claims = json!({
            "iss": email, "scope": SCOPE, "aud": self.login.as_str(), "iat": now.as_second(), "exp": now.as_second() + 3600,
        });
        let head = json!({ "alg": "RS256", "typ": "JWT", "kid": account.text("/private_key_id") });
        let told = format!("{}.{}", encode(&head), encode(&claims));
        let mut signature = vec![0; pair.public().modulus_len()];
        let signed = pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), told.as_bytes(), &mut signature);
        signed.map_err(|_| "the machine has no randomness to sign with".to_owned())?;
        Ok(format!("{told}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

struct Reviews {
    api: Url,
    app: String,
}

impl Listing for Reviews {
    fn name(&self) -> String {
        self.app.clone()
    }

    fn first(&self, _: Option<Timestamp>) -> Url {
        let path = ["androidpublisher", "v3", "applications", &self.app, "reviews"];
        below(&self.api, &path, &[("maxResults", "100")])
    }

    fn sifts(&self) -> bool {
        false
    }

    fn late(&self) -> Span {
        // Reviews wait for the store's own checks.
        Span::days(1)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let mut page = Page::default();
        for review in answer.body.list("/reviews") {
            let said = review.list("/comments").iter().find_map(|c| c.get("userComment"));
            match said {
                Some(said) => page.add(written(said), Some(self.capture(review, said))),
                None => page.skip("a review without words"),
            }
        }
        let next = answer.body.text("/tokenPagination/nextPageToken");
        page.next = (!next.is_empty()).then(|| with(asked, "token", next));
        Ok(page)
    }
}

/// When a review was written or changed.
fn written(said: &Value) -> Option<Timestamp> {
    Timestamp::from_second(said.count("/lastModified/seconds")?.try_into().ok()?).ok()
}

impl Reviews {
    fn capture(&self, review: &Value, said: &Value) -> Capture {
        let id = review.text("/reviewId").to_owned();
        // Title and words of older reviews stand in one, parted by a tab.
        let (title, text) = match said.text("/text").trim().split_once('\t') {
            Some((title, text)) if !text.trim().is_empty() => (Some(title.to_owned()), text),
            _ => (None, said.text("/text")),
        };
        let own = url::form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>();
        let url = format!("https://play.google.com/store/apps/details?id={}&reviewId={own}", self.app);
        Capture {
            native_id: Some(id),
            url: Some(url),
            title,
            text: text.trim().to_owned(),
            html: false,
            author: Author { name: review.text("/authorName").to_owned(), ..Author::default() },
            published: written(said),
            language: Some(said.text("/reviewerLanguage").to_owned()).filter(|l| !l.is_empty()),
            network: "review".into(),
            engagement: said.count("/thumbsUpCount"),
            kind: "review".into(),
            channel: "Google Play".into(),
            rating: said.count("/starRating").filter(|n| (1..=5).contains(n)).map(|n| n as f32),
            ..Capture::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::sources::http::tests::{local, now, path, reply, serve};
    use crate::sources::listing::{asked_of, page_of};
    use crate::sources::{Http, Limits};

    /// A key of 2048 bits that signs nothing but these tests.
    const KEY: &str = include_str!("../../tests/data/service-account.json");

    fn reviews() -> Reviews {
        Reviews { api: Url::parse("https://p.example").unwrap(), app: "com.acme.kettle".into() }
    }

    #[test]
    fn reviews_with_their_facts() {
        let told = json!({ "reviews": [
            { "reviewId": "r-1", "authorName": "Åsa", "comments": [
                { "userComment": { "text": "\tIt burns", "lastModified": { "seconds": "1793534340", "nanos": 5 }, "starRating": 1,
                  "reviewerLanguage": "sv", "thumbsUpCount": 3 } },
                { "developerComment": { "text": "Sorry" } } ] },
            { "reviewId": "r-2", "comments": [{ "userComment": { "text": "Bad\tVery bad", "lastModified": { "seconds": "1793534300" }, "starRating": 9 } }] },
            { "reviewId": "r-3", "comments": [] },
        ], "tokenPagination": { "nextPageToken": "n=" } });
        let page = page_of(&reviews(), told);
        let all = page.captures();
        assert_eq!((all.len(), all[0].text.as_str(), all[0].title.as_deref()), (2, "It burns", None));
        assert_eq!((all[0].rating, all[0].engagement, all[0].language.as_deref()), (Some(1.0), Some(3), Some("sv")));
        assert_eq!(all[0].published.map(|t| t.to_string()).as_deref(), Some("2026-11-01T11:59:00Z"));
        assert_eq!(
            all[0].url.as_deref(),
            Some("https://play.google.com/store/apps/details?id=com.acme.kettle&reviewId=r-1")
        );
        assert_eq!((all[1].title.as_deref(), all[1].text.as_str(), all[1].rating), (Some("Bad"), "Very bad", None));
        assert!(page.next.is_some_and(|n| n.as_str().ends_with("maxResults=100&token=n%3D")));
        let asked = asked_of(&reviews(), None);
        assert_eq!(asked, "https://p.example/androidpublisher/v3/applications/com.acme.kettle/reviews?maxResults=100");
    }

    #[tokio::test]
    async fn the_account_signs_in_and_its_token_is_used() {
        let given = Arc::new(AtomicUsize::new(0));
        let counted = given.clone();
        let (base, _) = serve(move |head| match path(head) {
            "/token" => {
                counted.fetch_add(1, Ordering::SeqCst);
                let body = head.split("\r\n\r\n").nth(1).unwrap_or("");
                let fields: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
                let signed = fields.iter().find(|(k, _)| k == "assertion").map(|(_, v)| v.clone()).unwrap_or_default();
                let parts: Vec<&str> = signed.split('.').collect();
                let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
                assert_eq!(claims["iss"], "vakt@acme.iam.gserviceaccount.com");
                assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
                // The signature holds by the key's public half.
                let account: Value = serde_json::from_str(KEY).unwrap();
                let der = PrivatePkcs8KeyDer::from_pem_slice(account["private_key"].as_str().unwrap().as_bytes()).unwrap();
                let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
                let public = ring::signature::UnparsedPublicKey::new(&ring::signature::RSA_PKCS1_2048_8192_SHA256, pair.public());
                let told = format!("{}.{}", parts[0], parts[1]);
                assert!(public.verify(told.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).is_ok());
                reply("200 OK", "", br#"{"access_token":"jwt-early","expires_in":3599,"token_type":"Bearer"}"#)
            }
            _ if head.contains("authorization: Bearer jwt-early") => {
                reply("200 OK", "", br#"{"reviews":[{"reviewId":"1","comments":[{"userComment":{"text":"ok","lastModified":{"seconds":"1793534340"}}}]}]}"#)
            }
            _ => reply("401 Unauthorized", "", b"{}"),
        })
        .await;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key.json");
        std::fs::write(&file, KEY).unwrap();
        let place = || {
            let reviews = Reviews { api: Url::parse(&base).unwrap(), ..reviews() };
            let account =
                Account { login: Url::parse(&format!("{base}/token")).unwrap(), key: SecretRef::File(file.clone()) };
            Place { pass: Pass::session(account), ..Place::open(local(), vec![Box::new(reviews)]) }
        };
        let http = Http::new("", Limits::default()).unwrap();
        let one = place();
        for _ in 0..2 {
            assert_eq!(one.fetch(&http, &Value::Null, now()).await.unwrap().captures.len(), 1);
        }
        assert_eq!(given.load(Ordering::SeqCst), 1, "a token does for an hour");
        for wrong in ["canary", "{}", r#"{"client_email":"a@b","private_key":"canary"}"#] {
            std::fs::write(&file, wrong).unwrap();
            let told = place().fetch(&http, &Value::Null, now()).await.unwrap_err();
            assert!(told.class() == "setup" && !told.to_string().contains("canary"), "{told}");
        }
    }
}
