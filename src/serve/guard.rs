//! Who may ask, and under which name: tokens, and the hosts that this server answers for.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Served;
use crate::config::{Role, SecretError, Token};

/// The tokens by the hash of their values.
#[derive(Debug, Clone, Default)]
pub struct Tokens(Arc<Vec<Known>>);

#[derive(Debug)]
struct Known {
    name: String,
    role: Role,
    hash: [u8; 32],
}

/// The name of the token that a request came with.
#[derive(Debug, Clone)]
pub(super) struct Caller(pub(super) String);

impl Tokens {
    /// Fetches the tokens of the settings.
    ///
    /// # Errors
    /// When one cannot be had.
    pub fn fetch(specs: &[Token]) -> Result<Tokens, SecretError> {
        let mut known = Vec::new();
        for spec in specs {
            let value = spec.value.fetch()?;
            let hash = Sha256::digest(value.expose_secret().as_bytes()).into();
            known.push(Known { name: spec.name.clone(), role: spec.role, hash });
        }
        Ok(Tokens(Arc::new(known)))
    }

    /// The token of a value; the time it takes does not tell how near a wrong one is.
    fn find(&self, value: &str, role: Role) -> Option<&Known> {
        let hash: [u8; 32] = Sha256::digest(value.as_bytes()).into();
        self.0.iter().filter(|t| t.role == role).find(|t| bool::from(t.hash.ct_eq(&hash)))
    }

    fn any(&self, role: Role) -> bool {
        self.0.iter().any(|t| t.role == role)
    }
}

/// `Authorization: Bearer TOKEN`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// Lets a request through that has the token its route needs. Reading needs none where no token for it is set, vakt is
/// known to this machine alone, and the request did not come through a proxy.
pub(super) async fn authorise(State(served): State<Served>, mut request: Request, next: Next) -> Response {
    let acts = ["/api/v1/incidents", "/api/v1/drafts", "/api/v1/silences", "/api/v1/answers"]
        .iter()
        .any(|p| request.uri().path().starts_with(p));
    let role = match *request.method() {
        Method::POST if acts => Role::Act,
        Method::POST => Role::Push,
        _ => Role::Read,
    };
    let forwarded = request.headers().keys().any(|k| k.as_str().starts_with("x-forwarded") || k == "forwarded");
    let open = role == Role::Read && !served.tokens.any(Role::Read) && !forwarded && served.at_home;
    let caller = bearer(request.headers()).and_then(|value| served.tokens.find(value, role));
    match caller {
        Some(token) => {
            let caller = Caller(token.name.clone());
            request.extensions_mut().insert(caller);
        }
        None if open => {}
        None => return refused(role, served.tokens.any(role)),
    }
    next.run(request).await
}

fn refused(role: Role, any: bool) -> Response {
    let word = match role {
        Role::Push => "push",
        Role::Read => "read",
        Role::Act => "act",
    };
    let help = if any {
        format!("send `Authorization: Bearer TOKEN` with a token whose role is `{word}`\n")
    } else {
        format!("no token may do this: add one with role = \"{word}\" to `tokens` in [http]\n")
    };
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], help).into_response()
}

/// Refuses what a page of somebody else's sends by the browser of a reader: buttons are pressed on our own pages (F91).
pub(super) async fn own_pages(request: Request, next: Next) -> Response {
    let foreign = request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    if foreign && !request.method().is_safe() {
        return (StatusCode::FORBIDDEN, "the button is pressed on the page itself\n").into_response();
    }
    next.run(request).await
}

/// Answers only for its own names, so that a page of somebody else's cannot reach it through the browser of somebody
/// on this machine (F90).
pub(super) async fn known_host(State(served): State<Served>, uri: Uri, request: Request, next: Next) -> Response {
    let header = request.headers().get(header::HOST).and_then(|h| h.to_str().ok());
    let host = header.or(uri.host()).unwrap_or("");
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    let own = served.ground.house.base_url.as_deref().and_then(|b| url::Url::parse(b).ok());
    let own = own.as_ref().and_then(|u| u.host_str());
    let local = matches!(name, "localhost" | "127.0.0.1" | "::1");
    if local || own.is_some_and(|o| o.eq_ignore_ascii_case(name)) {
        return next.run(request).await;
    }
    (StatusCode::MISDIRECTED_REQUEST, "this server does not answer for that host; set `base_url`\n").into_response()
}
