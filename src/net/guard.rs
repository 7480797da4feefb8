//! The guard between sources and the inner network: which addresses may be asked, decided on addresses, never on names.
//!
//! A name is looked up here, every address that comes back is judged, and the connection goes to exactly the addresses
//! that passed: a name that answers differently the second time finds nobody asking. Addresses written as numbers never
//! reach a resolver, so [`check_host`] looks at them before each request and each redirect.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::Host;

/// Why a network of an allow-list cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no network: {reason}; write for example `10.1.0.0/16` or `::1/128`")]
pub struct AllowError {
    text: String,
    reason: String,
}

/// Why a host may not be asked.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// It has addresses, and none of them may be reached.
    #[error("`{host}` leads to an address inside a private or reserved network")]
    Refused {
        /// The host as it was asked for.
        host: String,
    },
    /// The name has no address.
    #[error("no address found for `{host}`")]
    Unknown {
        /// The host as it was asked for.
        host: String,
        /// What the resolver said, where it failed.
        #[source]
        source: Option<std::io::Error>,
    },
}

/// A network: an address and how many of its first bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Net {
    address: IpAddr,
    bits: u8,
}

impl Net {
    /// Reads `10.1.0.0/16`, `::1/128` or a single address.
    ///
    /// # Errors
    /// When the text is no network, or has bits beyond its length.
    pub fn parse(text: &str) -> Result<Net, AllowError> {
        let wrong = |reason: String| AllowError { text: text.to_owned(), reason };
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong(format!("`{address}` is no address")))?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => longest,
            Some(bits) => bits
                .parse()
                .ok()
                .filter(|n| *n <= longest)
                .ok_or_else(|| wrong(format!("`/{bits}` is not between /0 and /{longest}")))?,
        };
        let net = Net { address, bits };
        let first = net.first();
        if first != address {
            return Err(wrong(format!("it has bits beyond its length, so it would be read as `{first}/{bits}`")));
        }
        Ok(net)
    }

    fn first(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(a) => Ipv4Addr::from_bits(keep(u128::from(a.to_bits()), self.bits, 32) as u32).into(),
            IpAddr::V6(a) => Ipv6Addr::from_bits(keep(a.to_bits(), self.bits, 128)).into(),
        }
    }

    /// Whether the address lies in this network. An IPv4 address inside IPv6 counts as the IPv4 address.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => within_v4(ip, net, self.bits),
            (IpAddr::V6(net), IpAddr::V6(ip)) => within_v6(ip, net, self.bits),
            _ => false,
        }
    }
}

fn keep(value: u128, bits: u8, of: u8) -> u128 {
    let drop = u32::from(of.saturating_sub(bits));
    value.checked_shr(drop).and_then(|v| v.checked_shl(drop)).unwrap_or(0)
}

fn within_v4(ip: Ipv4Addr, net: Ipv4Addr, bits: u8) -> bool {
    keep(u128::from(ip.to_bits()), bits, 32) == keep(u128::from(net.to_bits()), bits, 32)
}

fn within_v6(ip: Ipv6Addr, net: Ipv6Addr, bits: u8) -> bool {
    keep(ip.to_bits(), bits, 128) == keep(net.to_bits(), bits, 128)
}

/// The networks that may be reached besides public addresses, or instead of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Allow {
    nets: Vec<Net>,
    alone: bool,
}

impl Allow {
    /// Public addresses only.
    pub const fn none() -> Allow {
        Allow { nets: Vec::new(), alone: false }
    }

    /// Reads a list of networks. Their order and repeats do not matter.
    ///
    /// # Errors
    /// Names the first entry that is no network.
    pub fn parse<S: AsRef<str>>(nets: impl IntoIterator<Item = S>) -> Result<Allow, AllowError> {
        let mut nets = nets.into_iter().map(|n| Net::parse(n.as_ref())).collect::<Result<Vec<_>, _>>()?;
        nets.sort_unstable();
        nets.dedup();
        Ok(Allow { nets, alone: false })
    }

    /// The same networks and nothing else: public addresses may not be reached.
    pub fn alone(self) -> Allow {
        Allow { alone: true, ..self }
    }

    /// Whether this address may be asked: public, unless the networks stand alone, or in one of the networks.
    pub fn permits(&self, ip: IpAddr) -> bool {
        (!self.alone && is_public(ip)) || self.nets.iter().any(|net| net.contains(ip))
    }
}

const CLOSED_V4: [(Ipv4Addr, u8); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(168, 63, 129, 16), 32), // the inner service of one cloud, on a public number
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

const CLOSED_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // Teredo, ORCHID and the like
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4 carries any IPv4 address
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether an address belongs to the public internet.
///
/// IPv4 is judged by the closed networks; IPv6 only by 2000::/3 without its own closed parts, so loopback, unique local,
/// link local, site local, multicast and everything not yet given out are closed. A NAT64 address (64:ff9b::/96) is
/// judged by the IPv4 address inside it.
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !CLOSED_V4.iter().any(|(net, bits)| within_v4(ip, *net, *bits)),
        IpAddr::V6(ip) if within_v6(ip, Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96) => {
            is_public(Ipv4Addr::from_bits((ip.to_bits() & 0xffff_ffff) as u32).into())
        }
        IpAddr::V6(ip) => {
            within_v6(ip, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
                && !CLOSED_V6.iter().any(|(net, bits)| within_v6(ip, *net, *bits))
        }
    }
}

/// Judges a host that is written as an address; a name passes, because [`resolve`] judges it.
///
/// # Errors
/// [`GuardError::Refused`] where the address may not be asked.
pub fn check_host(host: &Host<&str>, allow: &Allow) -> Result<(), GuardError> {
    let ip: IpAddr = match host {
        Host::Domain(_) => return Ok(()),
        Host::Ipv4(ip) => (*ip).into(),
        Host::Ipv6(ip) => (*ip).into(),
    };
    if allow.permits(ip) { Ok(()) } else { Err(GuardError::Refused { host: ip.to_string() }) }
}

/// Looks a name up and keeps the addresses that may be asked; their port is 0.
///
/// # Errors
/// Where the name has no address, or none that may be asked.
pub async fn resolve(host: &str, allow: &Allow) -> Result<Vec<SocketAddr>, GuardError> {
    let found = tokio::net::lookup_host((host, 0))
        .await
        .map_err(|source| GuardError::Unknown { host: host.to_owned(), source: Some(source) })?;
    permitted(host, found, allow)
}

fn permitted(
    host: &str,
    found: impl Iterator<Item = SocketAddr>,
    allow: &Allow,
) -> Result<Vec<SocketAddr>, GuardError> {
    let found: Vec<SocketAddr> = found.collect();
    if found.is_empty() {
        return Err(GuardError::Unknown { host: host.to_owned(), source: None });
    }
    let good: Vec<SocketAddr> = found.into_iter().filter(|a| allow.permits(a.ip())).collect();
    if good.is_empty() { Err(GuardError::Refused { host: host.to_owned() }) } else { Ok(good) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_is_public() {
        let closed = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "2001::1",
            "2001:0:53aa::1",
            "2001:db8::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "3fff::1",
            "5f00::1",
        ];
        for ip in closed {
            assert!(!is_public(ip.parse().unwrap()), "{ip} must be closed");
        }
        let open = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "193.0.0.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450:4001::8a",
            "64:ff9b::808:808",
            "::ffff:8.8.8.8",
            "2001:4860::1",
        ];
        for ip in open {
            assert!(is_public(ip.parse().unwrap()), "{ip} must be open");
        }
    }

    #[test]
    fn reads_an_allow_list() {
        let allow = Allow::parse(["127.0.0.0/8", "10.1.0.0/16", "::1/128", "192.168.1.7"]).unwrap();
        for (ip, may) in [
            ("127.5.5.5", true),
            ("10.1.255.1", true),
            ("10.2.0.1", false),
            ("::1", true),
            ("::2", false),
            ("192.168.1.7", true),
            ("192.168.1.8", false),
            ("::ffff:127.0.0.1", true),
            ("8.8.8.8", true),
        ] {
            assert_eq!(allow.permits(ip.parse().unwrap()), may, "{ip}");
        }
        let alone = allow.clone().alone();
        assert!(allow.permits("8.8.8.8".parse().unwrap()) && alone.permits("10.1.0.1".parse().unwrap()));
        assert!(!alone.permits("8.8.8.8".parse().unwrap()) && alone != allow);
        assert!(Allow::parse(["0.0.0.0/0"]).unwrap().permits("10.0.0.1".parse().unwrap()));
        for (text, says) in [
            ("10.1.0.0/33", "between /0 and /32"),
            ("10.1.0.1/16", "`10.1.0.0/16`"),
            ("intranet", "no address"),
            ("::/129", "/128"),
            ("", "no address"),
        ] {
            let error = Allow::parse([text]).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn written_addresses_are_judged_in_every_spelling() {
        let spellings = [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
            "http://me@127.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://0/",
            "http://[64:ff9b::7f00:1]/",
            "http://１２７.0.0.1/",
            "http://[fe80::1]/",
            "http://169.254.169.254/latest/meta-data",
        ];
        for text in spellings {
            let url = url::Url::parse(text).unwrap();
            assert!(check_host(&url.host().unwrap(), &Allow::none()).is_err(), "{text}");
        }
        assert!(check_host(&Host::Domain("example.org"), &Allow::none()).is_ok());
    }

    #[test]
    fn only_permitted_addresses_of_a_name_are_kept() {
        let both = ["10.0.0.1:0".parse().unwrap(), "8.8.8.8:0".parse().unwrap()];
        assert_eq!(permitted("mixed", both.into_iter(), &Allow::none()).unwrap(), ["8.8.8.8:0".parse().unwrap()]);
        let inner = ["10.0.0.1:0".parse().unwrap()];
        assert!(matches!(permitted("in", inner.into_iter(), &Allow::none()), Err(GuardError::Refused { .. })));
        assert!(matches!(permitted("none", [].into_iter(), &Allow::none()), Err(GuardError::Unknown { .. })));
    }
}
