//! What a site asks robots to leave alone: its `robots.txt`, read as RFC 9309 says, and asked for at most once a day.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

use super::{FetchError, Http, Request, Response, lock, place};
use crate::model::time::{Span, between};
use crate::net::guard::Allow;

/// The name that a `robots.txt` calls us by.
const TOKEN: &str = "vakt";
/// A copy is believed for so long (RFC 9309, 2.4).
const FRESH: Span = Span::hours(24);
/// Bytes that are read of one: what the RFC asks for at least.
const LONGEST: usize = 512 << 10;
/// Rules that are kept of one, bytes of one rule, and sites that are remembered.
const MOST_RULES: usize = 5_000;
const LONGEST_RULE: usize = 2_048;
const MOST_SITES: usize = 1_000;

/// What one `robots.txt` asks of us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Robots(Vec<Rule>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    allow: bool,
    /// Escaped as addresses are; `*` stands for anything, `$` at the end for the end.
    path: String,
}

/// The copies that are kept, by scheme, host and port.
pub(super) type Kept = HashMap<String, (Timestamp, Arc<Robots>)>;

impl Robots {
    /// Reads the rules for a robot of this name; where no group names it, those for all.
    pub fn read(text: &str, token: &str) -> Robots {
        let (mut own, mut all) = (None::<Vec<Rule>>, Vec::new());
        // Whom the group at hand is for, and whether a rule of it has been read.
        let (mut ours, mut everybody, mut begun) = (false, false, false);
        let mut kept = 0;
        for line in text.trim_start_matches('\u{feff}').split(['\r', '\n']) {
            let line = line.split('#').next().unwrap_or("");
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim(), value.trim());
            if key.eq_ignore_ascii_case("user-agent") {
                if std::mem::take(&mut begun) {
                    (ours, everybody) = (false, false);
                }
                let name = value.find(|c: char| !c.is_ascii_alphabetic() && c != '_' && c != '-');
                let name = name.and_then(|end| value.get(..end)).unwrap_or(value);
                everybody |= value == "*";
                if name.eq_ignore_ascii_case(token) {
                    ours = true;
                    own.get_or_insert_default();
                }
                continue;
            }
            let allow = key.eq_ignore_ascii_case("allow");
            if !allow && !key.eq_ignore_ascii_case("disallow") {
                continue;
            }
            begun = true;
            let fits = !value.is_empty() && value.len() <= LONGEST_RULE && kept < MOST_RULES;
            if !fits || !(ours || everybody) {
                continue;
            }
            kept += 1;
            let rule = Rule { allow, path: escaped(value) };
            if everybody {
                all.push(rule.clone());
            }
            if let Some(own) = own.as_mut().filter(|_| ours) {
                own.push(rule);
            }
        }
        Robots(own.unwrap_or(all))
    }

    /// Whether what stands at a path, with its query, may be fetched: the longest rule that fits decides, and of two as
    /// long the one that allows.
    pub fn allows(&self, path: &str) -> bool {
        let path = escaped(path);
        if path == "/robots.txt" {
            return true;
        }
        let fitting = self.0.iter().filter(|rule| rule.fits(&path));
        fitting.max_by_key(|rule| (rule.path.len(), rule.allow)).is_none_or(|rule| rule.allow)
    }
}

impl Rule {
    fn fits(&self, path: &str) -> bool {
        let (pattern, whole) = match self.path.strip_suffix('$') {
            Some(pattern) => (pattern, true),
            None => (self.path.as_str(), false),
        };
        let mut parts = pattern.split('*');
        let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else { return false };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return !whole || rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if whole && parts.peek().is_none() {
                return rest.ends_with(part);
            }
            let Some((_, after)) = rest.split_once(part) else { return false };
            rest = after;
        }
        true
    }
}

/// One spelling of a path: what may stand as it is does, everything else as `%` and two capital digits.
fn escaped(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = String::with_capacity(path.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).filter(|_| byte == b'%').and_then(|two| std::str::from_utf8(two).ok());
        let (byte, told) = match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(meant) => {
                at += 3;
                (meant, true)
            }
            None => {
                at += 1;
                (byte, false)
            }
        };
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if plain || (!told && byte.is_ascii_graphic()) {
            out.push(char::from(byte));
        } else if write!(out, "%{byte:02X}").is_err() {
            break;
        }
    }
    out
}

impl Http {
    /// Asks whether a site lets robots fetch an address. Its `robots.txt` is asked for once a day; where there is none
    /// everything is let, and where it cannot be had the last copy holds, or nothing is let until it can.
    ///
    /// # Errors
    /// [`FetchError::Robots`] where the site lets nobody; else why its `robots.txt` cannot be had.
    pub async fn may_fetch(&self, url: &Url, allow: &Allow, now: Timestamp) -> Result<(), FetchError> {
        let robots = self.robots(url, allow, now).await?;
        let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        if robots.allows(&path) { Ok(()) } else { Err(FetchError::Robots { place: place(url) }) }
    }

    async fn robots(&self, url: &Url, allow: &Allow, now: Timestamp) -> Result<Arc<Robots>, FetchError> {
        let site = url.origin().ascii_serialization();
        let known = lock(&self.inner.robots).get(&site).cloned();
        if let Some((at, robots)) = &known
            && (Span::ZERO..FRESH).contains(&between(*at, now))
        {
            return Ok(robots.clone());
        }
        let there = url.join("/robots.txt").map(String::from).unwrap_or_default();
        let robots =
            match self.get(Request { accept: "text/plain, */*;q=0.5", ..Request::of(&there, allow) }, now).await {
                Ok(Response::Fresh { body, .. }) => {
                    let text = String::from_utf8_lossy(body.get(..LONGEST).unwrap_or(&body)).into_owned();
                    Robots::read(&text, TOKEN)
                }
                Ok(Response::NotModified { .. }) => Robots::default(),
                Err(e) if is_none(&e) => Robots::default(),
                // What cannot be read now is what it was.
                Err(e) => return known.map(|(_, robots)| robots).ok_or(e),
            };
        let robots = Arc::new(robots);
        let mut kept = lock(&self.inner.robots);
        if kept.len() >= MOST_SITES {
            kept.clear();
        }
        kept.insert(site, (now, robots.clone()));
        Ok(robots)
    }
}

/// Whether a failure says that there is no `robots.txt`: 4xx, or a redirect that leads nowhere (RFC 9309, 2.3.1).
fn is_none(e: &FetchError) -> bool {
    match e {
        FetchError::Status { status, .. } => (400..500).contains(status),
        FetchError::Unauthorized { .. } | FetchError::Gone { .. } | FetchError::Redirect { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU16, Ordering};

    use super::super::tests::{local, now, path, reply, serve};
    use super::*;
    use crate::net::Limits;

    fn may(text: &str, path: &str) -> bool {
        Robots::read(text, TOKEN).allows(path)
    }

    #[test]
    fn the_group_of_our_name_is_obeyed_and_else_that_of_all() {
        let text = "\u{feff}User-agent: *\nDisallow: /\n\nuser-agent: VAKT/1.0\nUser-Agent: other # both\nDisallow: /closed\r\nSitemap: x\n";
        assert!(may(text, "/open") && !may(text, "/closed/a"));
        assert!(!Robots::read(text, "somebody").allows("/open"));
        assert!(!Robots::read(text, "other").allows("/closed"));
        // Two groups of one name are one; a name that only begins with ours is another's.
        let text =
            "User-agent: vakt\nDisallow: /a\nUser-agent: vaktmaster\nDisallow: /c\nUser-agent: vakt\nDisallow: /b\n";
        assert!(!may(text, "/a") && !may(text, "/b") && may(text, "/c"));
        // An empty rule lets everything, and a group of ours without rules does too.
        assert!(may("User-agent: *\nDisallow:\n", "/a") && may("", "/a"));
        assert!(may("User-agent: *\nDisallow: /\nUser-agent: vakt\nAllow:\n", "/a"));
        // Other lines between names do not part them.
        assert!(!may("User-agent: vakt\nCrawl-delay: 5\nUser-agent: b\nDisallow: /\n", "/a"));
        assert!(may("User-agent: *\nDisallow: /\n", "/robots.txt"));
    }

    #[test]
    fn the_longest_rule_that_fits_decides() {
        let text = "User-agent: *\nAllow: /p\nDisallow: /\n";
        assert!(may(text, "/page") && !may(text, "/other"));
        assert!(may("User-agent: *\nAllow: /folder\nDisallow: /folder\n", "/folder/page"), "of two as long, it is let");
        assert!(
            may("User-agent: *\nAllow: /page\nDisallow: /*.htm\n", "/page")
                && !may("User-agent: *\nAllow: /page\nDisallow: /*.htm\n", "/page.htm")
        );
        assert!(
            may("User-agent: *\nAllow: /$\nDisallow: /\n", "/")
                && !may("User-agent: *\nAllow: /$\nDisallow: /\n", "/page.htm")
        );
        let text = "User-agent: *\nDisallow: /*.php$\nDisallow: /fish*heads*end\n";
        assert!(!may(text, "/a/index.php") && may(text, "/a/index.php?x=1") && may(text, "/a.php5"));
        assert!(!may(text, "/fish-heads-the-end.html") && may(text, "/fish-end-heads") && may(text, "/Fish-heads-end"));
        assert!(!may("User-agent: *\nDisallow: /*?page=\n", "/news?page=2"));
    }

    #[test]
    fn one_spelling_for_all() {
        let text = "User-agent: *\nDisallow: /foo/bar?baz=http://foo.bar\nDisallow: /ツ\nDisallow: /%62%61%7A\nDisallow: /a%3cd\n";
        assert!(!may(text, "/foo/bar?baz=http://foo.bar") && may(text, "/foo/bar?baz=http%3A%2F%2Ffoo.bar"));
        assert!(!may(text, "/%E3%83%84") && !may(text, "/%e3%83%84") && !may(text, "/baz") && !may(text, "/a%3Cd"));
        assert_eq!(escaped("%zz%4"), "%zz%4");
    }

    proptest::proptest! {
        #[test]
        fn whatever_stands_there(text: String, rule in "[/a*$%]{0,12}", path in "[/a%*$]{0,12}") {
            may(&text, &path);
            may(&format!("User-agent: *\nDisallow: {rule}"), &path);
        }
    }

    #[tokio::test]
    async fn a_site_is_asked_once_a_day_and_waited_for() {
        let status = Arc::new(AtomicU16::new(200));
        let told = status.clone();
        let (base, count) = serve(move |head| match (path(head), told.load(Ordering::SeqCst)) {
            ("/robots.txt", 200) => reply("200 OK", "", b"User-agent: *\nDisallow: /closed"),
            ("/robots.txt", status) => reply(&format!("{status} X"), "", b""),
            _ => reply("200 OK", "", b"a page"),
        })
        .await;
        let http = Http::new("", Limits::default()).unwrap();
        let at = |path: &str| Url::parse(&format!("{base}{path}")).unwrap();
        let may = async |http: &Http, path: &str, now| http.may_fetch(&at(path), &local(), now).await;
        assert!(may(&http, "/open", now()).await.is_ok());
        let refused = may(&http, "/closed/a", now()).await.unwrap_err();
        assert!(refused.is_final() && refused.to_string().contains("/closed/a was not asked"), "{refused}");
        assert_eq!(count.load(Ordering::SeqCst), 1, "one copy does for both");
        // A day later it is asked again; what cannot be had then is what it was.
        status.store(500, Ordering::SeqCst);
        let later = now() + Span::hours(25);
        assert!(may(&http, "/open", later).await.is_ok() && may(&http, "/closed", later).await.is_err());
        assert_eq!(count.load(Ordering::SeqCst), 3);
        // Whoever knows nothing of a site waits; where there is none, all is let.
        let http = Http::new("", Limits::default()).unwrap();
        assert_eq!(may(&http, "/open", now()).await.unwrap_err().class(), "status");
        for none in [404, 403, 410] {
            status.store(none, Ordering::SeqCst);
            let http = Http::new("", Limits::default()).unwrap();
            assert!(may(&http, "/closed", now()).await.is_ok(), "{none}");
        }
        status.store(503, Ordering::SeqCst);
        let http = Http::new("", Limits::default()).unwrap();
        assert!(may(&http, "/open", now()).await.unwrap_err().retry_after().is_some());
    }
}
