//! Lines to hosts that speak something else than HTTP: to addresses that the guard lets through, in TLS, and bounded.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::guard::{self, Allow, GuardError};
use super::http::{FetchError, Limits};

/// What bytes go through.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin + Debug {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + Debug> Wire for T {}

/// Whom a line trusts: read at its first connection, and kept.
#[derive(Debug, Clone, Default)]
pub struct Trust(Arc<OnceCell<Arc<ClientConfig>>>);

/// Where a line leads.
#[derive(Debug, Clone)]
pub struct Line {
    /// What is spoken there, for telling: `imap`.
    pub scheme: &'static str,
    /// The host's name, or its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether TLS is spoken from the first byte; else nothing is hidden.
    pub tls: bool,
    /// A PEM file with more authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// Networks that may be reached besides public ones.
    pub allow: Allow,
    /// Whom it trusts.
    pub trust: Trust,
}

impl Line {
    /// Scheme, host and port: what may be shown of it.
    pub fn place(&self) -> String {
        let secure = if self.tls { "s" } else { "" };
        format!("{}{secure}://{}:{}", self.scheme, self.host, self.port)
    }

    /// Connects. What comes over the line ends with an error after so many bytes.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn connect(&self, most: usize) -> Result<Bounded, FetchError> {
        let place = self.place();
        let found = guard::resolve(&self.host, &self.allow).await.map_err(|e| match e {
            GuardError::Refused { .. } => FetchError::Refused { place: place.clone(), source: e },
            GuardError::Unknown { .. } => FetchError::Dns { place: place.clone(), source: e.into() },
        })?;
        let limits = Limits::default();
        let late = |phase| FetchError::Timeout { place: place.clone(), phase };
        let broken = |source: io::Error| FetchError::Connect { place: place.clone(), source: source.into() };
        let mut failed = broken(io::ErrorKind::AddrNotAvailable.into());
        for mut address in found {
            address.set_port(self.port);
            match timeout(limits.connect.to_std(), TcpStream::connect(address)).await {
                // Another address may be alive.
                Err(_) => failed = late("connection"),
                Ok(Err(e)) => failed = broken(e),
                Ok(Ok(stream)) => {
                    // Commands are short; waiting to fill a packet would only make them late.
                    stream.set_nodelay(true).ok();
                    let wire: Box<dyn Wire> = if self.tls {
                        let secured = timeout(limits.headers.to_std(), self.secure(stream)).await;
                        let wrong = |source: io::Error| FetchError::Tls { place: place.clone(), source: source.into() };
                        Box::new(secured.map_err(|_| late("TLS"))?.map_err(wrong)?)
                    } else {
                        Box::new(stream)
                    };
                    return Ok(Bounded { wire, left: most });
                }
            }
        }
        Err(failed)
    }

    async fn secure(&self, stream: TcpStream) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let config = self.trust.0.get_or_try_init(|| self.trusting()).await?.clone();
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        TlsConnector::from(config).connect(name, stream).await
    }

    /// Reads whom to trust, away from the threads that serve the network: the system's authorities are many files.
    async fn trusting(&self) -> io::Result<Arc<ClientConfig>> {
        let file = self.ca_file.clone();
        let read = tokio::task::spawn_blocking(move || trusting(file.as_deref())).await;
        read.map_err(io::Error::other)?
    }
}

fn trusting(ca_file: Option<&Path>) -> io::Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let more = ca_file.map(authorities).transpose()?.unwrap_or_default();
    let verifier = Verifier::new_with_extra_roots(more, provider.clone()).map_err(io::Error::other)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn authorities(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let wrong = |e: rustls::pki_types::pem::Error| io::Error::other(format!("ca_file {}: {e}", file.display()));
    CertificateDer::pem_file_iter(file).map_err(wrong)?.map(|c| c.map_err(wrong)).collect()
}

/// A line over which so much may come and no more.
#[derive(Debug)]
pub struct Bounded {
    wire: Box<dyn Wire>,
    left: usize,
}

impl AsyncRead for Bounded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.wire).poll_read(cx, buffer);
        let came = buffer.filled().len().saturating_sub(before);
        match self.left.checked_sub(came) {
            Some(left) => self.left = left,
            None => {
                buffer.set_filled(before);
                return Poll::Ready(Err(io::Error::other("more comes than anybody asked for")));
            }
        }
        read
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn line(port: u16, tls: bool) -> Line {
        let allow = Allow::parse(["127.0.0.0/8"]).unwrap();
        Line { scheme: "imap", host: "127.0.0.1".into(), port, tls, ca_file: None, allow, trust: Trust::default() }
    }

    #[tokio::test]
    #[allow(clippy::disallowed_methods, reason = "servers of the tests run beside them")]
    async fn lines_are_guarded_and_bounded() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                drop(socket.write_all(&[b'x'; 5000]).await);
            }
        });
        let mut all = Vec::new();
        let mut open = line(port, false).connect(5000).await.unwrap();
        assert_eq!(open.read_to_end(&mut all).await.unwrap(), 5000);
        let mut open = line(port, false).connect(4999).await.unwrap();
        assert!(open.read_to_end(&mut all).await.unwrap_err().to_string().contains("more comes"));
        let closed = Line { allow: Allow::none(), ..line(port, false) };
        assert_eq!(closed.connect(1).await.unwrap_err().class(), "refused_address");
        assert_eq!(line(port, true).connect(1).await.unwrap_err().class(), "tls");
        assert_eq!(line(9, false).connect(1).await.unwrap_err().class(), "connect");
        let nowhere = Line { host: "host.invalid".into(), ..line(9, false) };
        let told = nowhere.connect(1).await.unwrap_err();
        assert!(told.class() == "dns" && told.to_string().contains("imap://host.invalid:9"), "{told}");
    }
}
