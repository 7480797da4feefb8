//! Signed links: each lets one person do one thing with one incident, until a time. Whoever has the mail has the link.
//!
//! A link is what it says in base64url, a dot, and an HMAC-SHA256 over it by a key that this database alone has. When the key
//! is changed, links in mails that were sent before hold on with the one before, unless somebody else may know that.

use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::Ground;
use crate::model::time::{Span, from_millis};
use crate::store::{Connection, Store, Stored, audit, meta};

const KEY: &str = "link_key";
const KEY_BEFORE: &str = "link_key_before";
const BEFORE_UNTIL: &str = "link_key_before_until";
/// A link in a mail holds for so long.
pub const HOLDS: Span = Span::hours(72);
/// A longer link is none of ours.
const LONGEST: usize = 1000;

/// What a link lets its reader do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Leave {
    /// Take the incident.
    Take,
    /// Undo that somebody took it.
    Undo,
    /// Nothing: it says when a page was shown.
    Seen,
}

/// What a link says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The incident's number.
    #[serde(rename = "i")]
    pub incident: i64,
    /// The name of the person.
    #[serde(rename = "p")]
    pub person: String,
    /// What for.
    #[serde(rename = "l")]
    pub leave: Leave,
    /// Until when, in milliseconds since 1970; of [`Leave::Seen`] since when.
    #[serde(rename = "t")]
    at: i64,
}

/// What a link to a draft says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The draft's number.
    #[serde(rename = "d")]
    pub draft: i64,
    /// The version that it was sent for.
    #[serde(rename = "v")]
    pub version: u32,
    /// The name of the person.
    #[serde(rename = "p")]
    pub person: String,
    /// It is no link, and says when a page was shown.
    #[serde(rename = "s")]
    seen: bool,
    /// Until when, in milliseconds since 1970; since when where it was shown.
    #[serde(rename = "t")]
    at: i64,
}

/// The keys of a database's links.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Keys {
    now: String,
    /// The one before, while links that were made with it hold.
    before: Option<String>,
}

impl Keys {
    fn read(c: &Connection, at: Timestamp) -> Stored<Option<Keys>> {
        let Some(now) = meta::get(c, KEY)? else { return Ok(None) };
        let until = meta::number(c, BEFORE_UNTIL)?.map(from_millis);
        let before = meta::get(c, KEY_BEFORE)?.filter(|_| until.is_some_and(|until| at < until));
        Ok(Some(Keys { now, before }))
    }
}

/// The links of a database, shared by all that make and read them.
#[derive(Clone)]
pub struct Links {
    keys: Arc<RwLock<Keys>>,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Links")
    }
}

impl Links {
    /// Those of a database, which gets a key of its own at first use.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub fn of(store: &Store, now: Timestamp) -> Stored<Links> {
        if store.read(|c| meta::get(c, KEY))?.is_none() {
            store.write_blocking(|tx| meta::make_secret(tx, KEY))?;
        }
        let keys = store.read(|c| Keys::read(c, now))?.unwrap_or(Keys { now: String::new(), before: None });
        Ok(Links { keys: Arc::new(RwLock::new(keys)) })
    }

    /// Reads the keys again: another process may have changed them, and the one before ends after a while.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn refresh(&self, store: &Store, now: Timestamp) -> Stored<()> {
        if let Some(keys) = store.read(|c| Keys::read(c, now))? {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        }
        Ok(())
    }

    fn keys(&self) -> Keys {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn sign(&self, what: &[u8]) -> Hmac<Sha256> {
        sign(&self.keys().now, what)
    }

    fn mint(&self, claim: &impl Serialize) -> String {
        let said = serde_json::to_vec(claim).unwrap_or_default();
        let mac = self.sign(&said).finalize().into_bytes();
        format!("{}.{}", URL_SAFE_NO_PAD.encode(&said), URL_SAFE_NO_PAD.encode(mac))
    }

    /// A link by which a person may do something with an incident for as long as links hold.
    pub fn link(&self, incident: i64, person: &str, leave: Leave, now: Timestamp) -> String {
        self.mint(&Claim { incident, person: person.to_owned(), leave, at: (now + HOLDS).as_millisecond() })
    }

    /// What a link of ours says that still holds.
    pub fn read(&self, link: &str, now: Timestamp) -> Option<Claim> {
        self.claim(link).filter(|c: &Claim| c.leave != Leave::Seen && c.at > now.as_millisecond())
    }

    fn claim<T: DeserializeOwned>(&self, link: &str) -> Option<T> {
        let (said, mac) = link.split_once('.').filter(|_| link.len() <= LONGEST)?;
        let (said, mac) = (URL_SAFE_NO_PAD.decode(said).ok()?, URL_SAFE_NO_PAD.decode(mac).ok()?);
        let Keys { now, before } = self.keys();
        let by = |key: &String| sign(key, &said).verify_slice(&mac).is_ok();
        if !by(&now) && !before.as_ref().is_some_and(by) {
            return None;
        }
        serde_json::from_slice(&said).ok()
    }

    /// What a page carries that is shown to a person now.
    pub fn shown(&self, to: &Claim, now: Timestamp) -> String {
        self.mint(&Claim { leave: Leave::Seen, at: now.as_millisecond(), ..to.clone() })
    }

    /// When a page was shown that carries this, if it is of the same person and incident.
    pub fn shown_at(&self, mark: &str, to: &Claim) -> Option<Timestamp> {
        let same = |c: &Claim| c.leave == Leave::Seen && c.incident == to.incident && c.person == to.person;
        self.claim(mark).filter(same).map(|c| from_millis(c.at))
    }

    /// A link by which a person may decide on a version of a draft.
    pub fn plea(&self, draft: i64, version: u32, person: &str, now: Timestamp) -> String {
        self.mint(&Asked { draft, version, person: person.to_owned(), seen: false, at: (now + HOLDS).as_millisecond() })
    }

    /// What a link to a draft says that still holds.
    pub fn read_plea(&self, link: &str, now: Timestamp) -> Option<Asked> {
        self.claim(link).filter(|c: &Asked| !c.seen && c.at > now.as_millisecond())
    }

    /// What a page carries that shows a draft to a person now.
    pub fn plea_shown(&self, to: &Asked, now: Timestamp) -> String {
        self.mint(&Asked { seen: true, at: now.as_millisecond(), ..to.clone() })
    }

    /// When a page was shown that carries this, if it is of the same person, draft and version.
    pub fn plea_shown_at(&self, mark: &str, to: &Asked) -> Option<Timestamp> {
        let same = |c: &Asked| c.seen && (c.draft, c.version, &c.person) == (to.draft, to.version, &to.person);
        self.claim(mark).filter(same).map(|c| from_millis(c.at))
    }

    /// The four digits that stand in a person's mails about an incident.
    pub fn code(&self, incident: i64, person: &str) -> String {
        self.digits(&format!("code {incident} {person}"))
    }

    /// The four digits that stand in a person's mails about a draft.
    pub fn draft_code(&self, draft: i64, person: &str) -> String {
        self.digits(&format!("draft {draft} {person}"))
    }

    /// Whether somebody typed the digits that stand in a person's mails about an incident.
    pub fn is_code(&self, typed: &str, incident: i64, person: &str) -> bool {
        self.is_digits(typed, &format!("code {incident} {person}"))
    }

    /// Whether somebody typed the digits that stand in a person's mails about a draft.
    pub fn is_draft_code(&self, typed: &str, draft: i64, person: &str) -> bool {
        self.is_digits(typed, &format!("draft {draft} {person}"))
    }

    fn digits(&self, of: &str) -> String {
        digits(&self.keys().now, of)
    }

    fn is_digits(&self, typed: &str, of: &str) -> bool {
        let Keys { now, before } = self.keys();
        let same = |key: &String| bool::from(typed.as_bytes().ct_eq(digits(key, of).as_bytes()));
        same(&now) | before.as_ref().is_some_and(same)
    }
}

fn sign(key: &str, what: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of any length: there is no other error.
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap_or_else(|_| unreachable!());
    mac.update(what);
    mac
}

fn digits(key: &str, of: &str) -> String {
    let mac = sign(key, of.as_bytes()).finalize().into_bytes();
    let number = mac.iter().take(4).fold(0u32, |n, b| (n << 8) | u32::from(*b));
    format!("{:04}", number % 10_000)
}

impl Ground {
    /// Gives links another key, in the name of a person. Links in mails that were sent already hold on, unless `at_once`:
    /// then only new ones do. A running daemon follows within seconds.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn change_link_key(&self, by: &str, at_once: bool) -> Stored<()> {
        let (now, by) = (self.clock.now(), by.to_owned());
        self.store.write_blocking(move |tx| {
            let until = if at_once { now } else { now + HOLDS };
            let before = meta::get(tx, KEY)?.filter(|_| !at_once).unwrap_or_default();
            meta::set(tx, KEY_BEFORE, &before)?;
            meta::set(tx, BEFORE_UNTIL, &until.as_millisecond().to_string())?;
            meta::forget(tx, KEY)?;
            meta::make_secret(tx, KEY)?;
            audit::append(tx, now, &by, "rekeyed", "links", if at_once { "at once" } else { "" })
        })?;
        self.links.refresh(&self.store, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> (tempfile::TempDir, Links) {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("vakt.db")).expect("it opens");
        let now = Timestamp::UNIX_EPOCH;
        let links = Links::of(&store, now).expect("a key");
        assert_eq!(Links::of(&store, now).expect("the same").keys(), links.keys());
        assert_eq!(links.keys().now.len(), 64);
        (dir, links)
    }

    #[test]
    fn a_link_says_what_it_was_made_for_until_it_ends() {
        let (_dir, links) = links();
        let now = Timestamp::UNIX_EPOCH + Span::days(20_000);
        let link = links.link(7, "anna", Leave::Take, now);
        let claim = links.read(&link, now + Span::hours(71)).expect("it holds");
        assert_eq!((claim.incident, claim.person.as_str(), claim.leave), (7, "anna", Leave::Take));
        assert_eq!(links.read(&link, now + HOLDS), None);
        let mark = links.shown(&claim, now);
        assert_eq!(links.read(&mark, now), None, "what a page carries is no link");
        assert_eq!(links.shown_at(&mark, &claim), Some(now));
        assert_eq!(links.shown_at(&mark, &Claim { person: "bo".into(), ..claim.clone() }), None);
        assert_eq!(links.shown_at(&link, &claim), None);
        assert_ne!(links.code(7, "anna"), links.code(8, "anna"));
        let (_other, others) = super::tests::links();
        assert_eq!(others.read(&link, now), None, "another database's");
    }

    #[test]
    fn another_key_lets_old_links_hold_for_their_time_or_not_at_all() {
        let dir = tempfile::tempdir().expect("a folder");
        let now = Timestamp::UNIX_EPOCH + Span::days(20_000);
        let ground = crate::ground::tests::standing(&dir, crate::ground::Clock::stepped(now));
        let links = ground.links.clone();
        let (old, code) = (links.link(7, "anna", Leave::Take, now), links.code(7, "anna"));
        ground.change_link_key("anna", false).expect("written");
        assert!(links.read(&old, now).is_some() && links.is_code(&code, 7, "anna"));
        let new = links.link(7, "anna", Leave::Take, now);
        assert!(new != old && links.read(&new, now).is_some());
        links.refresh(&ground.store, now + HOLDS).expect("read");
        assert!(
            links.claim::<Claim>(&old).is_none() && links.claim::<Claim>(&new).is_some(),
            "the key before has ended"
        );
        ground.change_link_key("anna", true).expect("written");
        assert!(links.read(&new, now).is_none());
    }

    #[test]
    fn a_link_to_a_draft_is_for_one_version_and_none_to_an_incident() {
        let (_dir, links) = links();
        let now = Timestamp::UNIX_EPOCH + Span::days(20_000);
        let link = links.plea(3, 2, "anna", now);
        let asked = links.read_plea(&link, now).expect("it holds");
        assert_eq!((asked.draft, asked.version, asked.person.as_str()), (3, 2, "anna"));
        assert_eq!((links.read_plea(&link, now + HOLDS), links.read(&link, now)), (None, None));
        let mark = links.plea_shown(&asked, now);
        assert_eq!((links.read_plea(&mark, now), links.plea_shown_at(&mark, &asked)), (None, Some(now)));
        assert_eq!(links.plea_shown_at(&mark, &Asked { version: 3, ..asked }), None);
        assert_eq!(links.read_plea(&links.link(3, "anna", Leave::Take, now), now), None);
        assert_ne!(links.draft_code(3, "anna"), links.code(3, "anna"));
    }

    proptest::proptest! {
        /// Whatever is changed in a link, it is none any more.
        #[test]
        fn a_changed_link_is_none(at in 0usize..150, with in "[A-Za-z0-9_.-]", cut in 0usize..150) {
            let (_dir, links) = links();
            let now = Timestamp::UNIX_EPOCH;
            let link = links.link(7, "anna", Leave::Take, now);
            let at = at % link.len();
            let mut changed = link.clone();
            changed.replace_range(at..=at, &with);
            proptest::prop_assert!(changed == link || links.read(&changed, now).is_none());
            proptest::prop_assert!(links.read(link.get(..cut % link.len()).unwrap_or(""), now).is_none());
        }
    }
}
