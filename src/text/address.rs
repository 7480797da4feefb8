//! Web addresses: one spelling for one place.

use url::Url;

/// An address in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address, without fragment and trackers.
    pub url: String,
    /// Its host, lower case, without `www.`.
    pub host: String,
}

/// Longest address that is kept.
const LONGEST: usize = 2000;

/// Query parameters that say who sent the reader, not what is read.
fn tracks(name: &str) -> bool {
    name.starts_with("utm_")
        || matches!(
            name,
            "fbclid" | "gclid" | "dclid" | "msclkid" | "mc_cid" | "mc_eid" | "igshid" | "yclid" | "ocid" | "cmpid"
        )
}

/// The canonical spelling of an http or https address; `None` for anything else.
pub fn canonical(text: &str) -> Option<Address> {
    let text = text.trim();
    if text.len() > LONGEST {
        return None;
    }
    let mut url = Url::parse(text).ok().filter(|u| matches!(u.scheme(), "http" | "https"))?;
    let host = url.host_str()?.trim_end_matches('.').to_lowercase();
    url.set_fragment(None);
    // An account in an address is never kept; these fail only for addresses without a host.
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    if url.query().is_some() {
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(k, _)| !tracks(&k.to_ascii_lowercase()))
            .map(|(k, v)| (k.into(), v.into()))
            .collect();
        let all = url.query_pairs().count();
        if kept.is_empty() {
            url.set_query(None);
        } else if kept.len() < all {
            url.query_pairs_mut().clear().extend_pairs(kept);
        }
    }
    Some(Address { url: url.into(), host: host.trim_start_matches("www.").to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trackers_fragments_and_accounts_go() {
        let a = canonical("https://user:pw@WWW.News.example/a?utm_source=x&id=3&fbclid=y#top").expect("an address");
        assert_eq!((a.url.as_str(), a.host.as_str()), ("https://www.news.example/a?id=3", "news.example"));
        assert_eq!(canonical("https://a.example/?utm_medium=x").map(|a| a.url).as_deref(), Some("https://a.example/"));
        assert_eq!(canonical("javascript:alert(1)"), None);
        assert_eq!(canonical("not an address"), None);
    }
}
