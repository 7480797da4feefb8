//! What hubs of feeds ask and tell, at an address that only the one hub knows.
//!
//! Follows <https://www.w3.org/TR/websub/>: a hub first asks whether we have asked it to tell, and tells with a signature
//! over every document. What has none, or a wrong one, is answered like all others and passed over.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::Served;
use crate::model::time::Span;
use crate::store::subscriptions::{self, Subscription};
use crate::text::clean::one_line;

/// Bytes of a challenge.
const LONGEST: usize = 4096;
/// A hub's promise is believed for so long.
const LONGEST_LEASE: i64 = 90 * 86_400;

/// What a hub asks back.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(rename = "hub.mode")]
    mode: String,
    #[serde(rename = "hub.topic")]
    topic: Option<String>,
    #[serde(rename = "hub.challenge")]
    challenge: Option<String>,
    #[serde(rename = "hub.lease_seconds")]
    lease: Option<i64>,
    #[serde(rename = "hub.reason")]
    reason: Option<String>,
}

/// Says that we have asked the hub to tell, where we have.
pub(super) async fn agree(
    State(served): State<Served>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let nobody = (StatusCode::NOT_FOUND, "nobody has asked for this\n").into_response();
    let Ok(Some(known)) = served.ground.store.read(|c| subscriptions::of_token(c, &token)) else { return nobody };
    let now = served.ground.clock.now();
    let same = asked.topic.as_ref().is_none_or(|t| *t == known.topic);
    let (kept, answer) = match (asked.mode.as_str(), asked.challenge) {
        ("subscribe", Some(challenge)) if asked.topic.is_some() && same && challenge.len() <= LONGEST => {
            let lease = asked.lease.unwrap_or(LONGEST_LEASE).clamp(1, LONGEST_LEASE);
            let until = (now + Span::secs(lease)).as_millisecond();
            tracing::info!(source = known.source, lease, "the hub tells what is new");
            let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (Subscription { until, error: String::new(), ..known }, (plain, challenge).into_response())
        }
        ("denied", _) if same => {
            let reason = one_line(asked.reason.as_deref().unwrap_or("it does not say why"), 200);
            tracing::warn!(source = known.source, reason, "the hub will not tell what is new");
            (
                Subscription { until: 0, error: format!("the hub will not tell: {reason}"), ..known },
                StatusCode::OK.into_response(),
            )
        }
        _ => return nobody,
    };
    match served.ground.store.write(move |tx| subscriptions::keep(tx, &kept)).await {
        Ok(()) => answer,
        Err(e) => later(&e.to_string()),
    }
}

/// Takes in what a hub tells. The answer comes once it is on disk.
pub(super) async fn deliver(
    State(served): State<Served>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let known = match served.ground.store.read(|c| subscriptions::of_token(c, &token)) {
        Ok(Some(known)) => known,
        Ok(None) => return (StatusCode::GONE, "nobody has asked for this\n").into_response(),
        Err(e) => return later(&e.to_string()),
    };
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("");
    if !is_signed(text("x-hub-signature"), known.secret.as_bytes(), &body) {
        metrics::counter!("vakt_websub_total", "outcome" => "unsigned").increment(1);
        tracing::warn!(source = known.source, "a delivery without the hub's signature is passed over");
        return StatusCode::ACCEPTED.into_response();
    }
    if !served.ground.has_room() {
        return later("the disk is nearly full");
    }
    let now: Timestamp = served.ground.clock.now();
    let media = one_line(text("content-type"), 200);
    let kept = served.ground.store.write(move |tx| {
        let taken = subscriptions::deliver(tx, &known.source, &media, &body)?;
        if taken {
            subscriptions::keep(tx, &Subscription { heard: now.as_millisecond(), ..known })?;
        }
        Ok(taken)
    });
    match kept.await {
        Ok(true) => {
            metrics::counter!("vakt_websub_total", "outcome" => "taken").increment(1);
            served.ground.bells.collect.notify_one();
            StatusCode::ACCEPTED.into_response()
        }
        Ok(false) => later("too much waits to be read"),
        Err(e) => later(&e.to_string()),
    }
}

fn later(why: &str) -> Response {
    tracing::warn!(error = why, "a hub has to tell again");
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "60")], "not stored; tell it again later\n")
        .into_response()
}

/// Whether a document bears the signature of whoever knows the secret: `sha256=…`, in hexadecimal.
fn is_signed(signature: &str, secret: &[u8], body: &[u8]) -> bool {
    let Some((method, hex)) = signature.trim().split_once('=') else { return false };
    let Some(bytes) = bytes(hex) else { return false };
    match method.to_ascii_lowercase().as_str() {
        "sha1" => verify::<Hmac<Sha1>>(secret, body, &bytes),
        "sha256" => verify::<Hmac<Sha256>>(secret, body, &bytes),
        "sha384" => verify::<Hmac<Sha384>>(secret, body, &bytes),
        "sha512" => verify::<Hmac<Sha512>>(secret, body, &bytes),
        _ => false,
    }
}

fn verify<M: Mac + KeyInit>(secret: &[u8], body: &[u8], signature: &[u8]) -> bool {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(secret) else { return false };
    mac.update(body);
    mac.verify_slice(signature).is_ok()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let digits: Option<Vec<u8>> = hex.as_bytes().iter().map(digit).collect();
    let digits = digits.filter(|d| d.len() % 2 == 0 && !d.is_empty())?;
    Some(digits.chunks_exact(2).map(|two| two.iter().fold(0, |n, d| n << 4 | d)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_of_every_method_and_no_others() {
        // RFC 2202 and RFC 4231, test case 2.
        let (secret, body) = (b"Jefe".as_slice(), b"what do ya want for nothing?".as_slice());
        let good = [
            "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "SHA256=5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843",
            "sha384=af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
        ];
        assert!(good.iter().all(|s| is_signed(s, secret, body)));
        let bad = [
            "",
            "sha256=",
            "sha256=5b",
            "md5=00",
            "sha1",
            "sha256=zz",
            "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c78",
        ];
        assert!(bad.iter().all(|s| !is_signed(s, secret, body)));
        assert!(!is_signed(good[1], b"other", body) && !is_signed(good[1], secret, b"other"));
    }
}
