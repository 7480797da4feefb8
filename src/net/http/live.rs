//! Answers that go on: an open answer line by line, and the messages of a WebSocket, within bounds of size and of silence.
//!
//! Both go through the same guard, pauses and certificates as everything else that is asked. A turn at the host is taken
//! for the opening alone: what is open may stay so for days, and the host is asked other things meanwhile. A connection on
//! which nothing comes for longer than the place promises is a dead one, whatever TCP thinks of it.

use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;
use reqwest::header::{self, HeaderValue};
use reqwest::{Client, Method, StatusCode, Upgraded};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use url::Url;

use super::{FetchError, Http, Request, check, explain, place, redirect, sensitive};
use crate::model::time::Span;

/// Bytes of a line or message; what is longer ends the connection.
const LONGEST: usize = 1 << 20;

/// An answer that goes on, line by line.
pub struct Lines {
    url: Url,
    answer: reqwest::Response,
    read: Vec<u8>,
    /// So many bytes of it hold no line end.
    looked: usize,
    silence: Duration,
}

impl Lines {
    /// The next line, without its end.
    ///
    /// # Errors
    /// When the connection ends, is silent for too long, or sends a line beyond all bounds.
    pub async fn next(&mut self) -> Result<Vec<u8>, FetchError> {
        loop {
            let end = self.read.get(self.looked..).and_then(|rest| rest.iter().position(|b| *b == b'\n'));
            if let Some(end) = end.map(|at| self.looked + at) {
                let mut line: Vec<u8> = self.read.drain(..=end).collect();
                line.truncate(end);
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                self.looked = 0;
                return Ok(line);
            }
            self.looked = self.read.len();
            if self.read.len() > LONGEST {
                return Err(FetchError::TooLarge { place: place(&self.url), max: LONGEST });
            }
            match timeout(self.silence, self.answer.chunk()).await {
                Err(_) => return Err(silent(&self.url)),
                Ok(Err(e)) => return Err(explain(&self.url, e)),
                Ok(Ok(None)) => return Err(FetchError::Ended { place: place(&self.url) }),
                Ok(Ok(Some(chunk))) => self.read.extend_from_slice(&chunk),
            }
        }
    }
}

/// An open WebSocket.
pub struct Socket {
    url: Url,
    stream: WebSocketStream<Upgraded>,
    silence: Duration,
    /// When it last showed that it lives.
    heard: Instant,
}

impl Socket {
    /// The next message, text or binary. Whoever stops waiting for it loses nothing.
    ///
    /// # Errors
    /// When the connection ends, is silent for too long, or sends a message beyond all bounds.
    pub async fn next(&mut self) -> Result<Vec<u8>, FetchError> {
        loop {
            let broken = |e: tokio_tungstenite::tungstenite::Error| FetchError::Broken {
                place: place(&self.url),
                source: e.into(),
            };
            let next = timeout_at(self.heard + self.silence, self.stream.next()).await;
            self.heard = Instant::now();
            match next {
                Err(_) => return Err(silent(&self.url)),
                Ok(None) => return Err(FetchError::Ended { place: place(&self.url) }),
                Ok(Some(Err(e))) => return Err(broken(e)),
                Ok(Some(Ok(Message::Text(text)))) => return Ok(text.as_bytes().to_vec()),
                Ok(Some(Ok(Message::Binary(bytes)))) => return Ok(bytes.to_vec()),
                Ok(Some(Ok(Message::Close(_)))) => return Err(FetchError::Ended { place: place(&self.url) }),
                // Pings are answered below this; both are signs of life.
                Ok(Some(Ok(_))) => {}
            }
        }
    }
}

fn silent(url: &Url) -> FetchError {
    FetchError::Timeout { place: place(url), phase: "sign of life" }
}

impl Http {
    /// Opens an answer that goes on. A place that is silent for longer than `silence` is taken for gone. Nobody is followed
    /// elsewhere: where the place wants it, the error says where to.
    ///
    /// # Errors
    /// When it is not opened; see [`FetchError`].
    pub async fn open(&self, request: Request<'_>, silence: Span, now: Timestamp) -> Result<Lines, FetchError> {
        // What is squeezed is held back until there is enough of it.
        let plain = [(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))];
        let client = self.client(request.allow, false)?;
        let (url, answer) = self.knock(&client, &request, &plain, now).await?;
        match answer.status() {
            StatusCode::OK => Ok(Lines { url, answer, read: Vec::new(), looked: 0, silence: silence.to_std() }),
            _ => Err(self.refusal(&url, answer, self.inner.limits.headers.to_std(), now).await),
        }
    }

    /// Opens a WebSocket; the address is `http` or `https` all the same.
    ///
    /// # Errors
    /// When it is not opened; see [`FetchError`].
    pub async fn socket(&self, request: Request<'_>, silence: Span, now: Timestamp) -> Result<Socket, FetchError> {
        let key = generate_key();
        let name = |e: header::InvalidHeaderValue| FetchError::Setup(e.to_string());
        let upgrade = [
            (header::CONNECTION, HeaderValue::from_static("Upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
            (header::SEC_WEBSOCKET_KEY, HeaderValue::from_str(&key).map_err(name)?),
        ];
        let client = self.client(request.allow, true)?;
        let (url, answer) = self.knock(&client, &request, &upgrade, now).await?;
        let no_socket = || FetchError::Unreadable { place: place(&url), reason: "this is no WebSocket".into() };
        if answer.status().is_success() {
            return Err(no_socket());
        }
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(self.refusal(&url, answer, self.inner.limits.headers.to_std(), now).await);
        }
        let agreed = answer.headers().get(header::SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
        if agreed != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return Err(no_socket());
        }
        let upgraded = answer.upgrade().await.map_err(|e| explain(&url, e))?;
        let bounds = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
        let stream = WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(bounds)).await;
        Ok(Socket { url, stream, silence: silence.to_std(), heard: Instant::now() })
    }

    /// Asks for an answer of which only the head has come.
    async fn knock(
        &self,
        client: &Client,
        request: &Request<'_>,
        more: &[(header::HeaderName, HeaderValue)],
        now: Timestamp,
    ) -> Result<(Url, reqwest::Response), FetchError> {
        let url = Url::parse(request.url)
            .map_err(|e| FetchError::Address { place: super::place_of(request.url), reason: e.to_string() })?;
        check(&url, request.allow)?;
        let _turn = self.turn(&url, now).await?;
        let mut ask = client.request(Method::GET, url.clone());
        if let Some((name, secret)) = request.secret {
            ask = ask.header(name, sensitive(secret)?);
        }
        if let Ok(accept) = HeaderValue::from_str(request.accept) {
            ask = ask.header(header::ACCEPT, accept);
        }
        for (name, value) in more {
            ask = ask.header(name, value.clone());
        }
        let answer = match timeout(self.inner.limits.headers.to_std(), ask.send()).await {
            Err(_) => return Err(FetchError::Timeout { place: place(&url), phase: "headers" }),
            Ok(answer) => answer.map_err(|e| explain(&url, e))?,
        };
        match redirect(&url, &answer)? {
            Some(to) => Err(FetchError::Redirect { place: place(&url), reason: format!("to {}", place(&to)) }),
            None => Ok((url, answer)),
        }
    }
}

#[cfg(test)]
mod tests;
