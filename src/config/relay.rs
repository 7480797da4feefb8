//! A relay's address: `smtps://user@host:465` or `smtp://host:587?tls=required`.

use url::Url;

/// How a relay's connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// TLS from the first byte.
    Implicit,
    /// STARTTLS or nothing is sent.
    Required,
    /// STARTTLS where it is offered.
    Opportunistic,
    /// None; on loopback only.
    None,
}

/// Where a relay is and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayAddress {
    /// Name or address, without brackets.
    pub host: String,
    /// Port; 465 or 587 where the url names none.
    pub port: u16,
    /// How the connection is protected.
    pub protection: Protection,
    /// The account, where the url names one.
    pub user: Option<String>,
}

impl RelayAddress {
    /// Reads a relay's url.
    ///
    /// # Errors
    /// A sentence that says what is wrong, without the password.
    pub fn parse(url: &str) -> Result<RelayAddress, String> {
        let wrong = |what: &str| format!("{what} in the relay's url");
        let parsed = Url::parse(url).map_err(|_| wrong("there is a mistake"))?;
        if parsed.password().is_some() {
            return Err("a password stands in the relay's url".into());
        }
        // Schemes that are not of the web have their hosts as they are written.
        let host = parsed.host_str().filter(|h| !h.is_empty()).ok_or_else(|| wrong("there is no host"))?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let tls = parsed.query_pairs().find(|(k, _)| k == "tls").map(|(_, v)| v.into_owned());
        let protection = match (parsed.scheme(), tls.as_deref()) {
            ("smtps", None) => Protection::Implicit,
            ("smtp", None | Some("required")) => Protection::Required,
            ("smtp", Some("opportunistic")) => Protection::Opportunistic,
            ("smtp", Some("none")) => Protection::None,
            ("smtps", Some(_)) => return Err("smtps:// is TLS from the first byte, and takes no `tls=`".into()),
            ("smtp", Some(other)) => {
                return Err(format!("`tls={other}` is unknown; use required, opportunistic or none"));
            }
            (other, _) => return Err(format!("`{other}://` is no relay; use smtp:// or smtps://")),
        };
        let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if protection == Protection::None && !local {
            return Err(format!("tls=none is for relays on this machine; {host} is not"));
        }
        let port = parsed.port().unwrap_or(if protection == Protection::Implicit { 465 } else { 587 });
        let user = (!parsed.username().is_empty()).then(|| parsed.username().replace("%40", "@"));
        Ok(RelayAddress { host, port, protection, user })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_that_make_no_sense_are_told() {
        let wrong = |url: &str| RelayAddress::parse(url).expect_err("it is refused");
        assert!(wrong("smtp://mail.example.org?tls=none").contains("on this machine"));
        assert!(wrong("http://mail.example.org").contains("smtps://"));
        assert!(wrong("smtp://mail.example.org?tls=maybe").contains("opportunistic"));
        assert!(wrong("smtps://mail.example.org?tls=none").contains("first byte"));
        assert!(wrong("nonsense").contains("mistake"));
        assert!(!wrong("smtps://a:s3cret@mail.example.org").contains("s3cret"));
        let right = RelayAddress::parse("smtps://alerts%40acme@mail.example.org").expect("it is right");
        assert_eq!((right.port, right.user.as_deref()), (465, Some("alerts@acme")));
    }
}
