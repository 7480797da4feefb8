//! Who is behind the accounts that the stream tells by their ids alone: handle, name and followers, asked for of all whose
//! posts are kept and remembered for a while.
//!
//! Follows <https://docs.bsky.app/docs/api/app-bsky-actor-get-profiles>: 25 accounts at once, which anybody may ask for.
//! Where nobody answers in time the id has to do.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::timeout;
use url::Url;

use crate::model::{Author, Capture};
use crate::sources::api::{Api, Pass};
use crate::sources::guard::Allow;
use crate::sources::http::Http;
use crate::sources::listing::below;
use crate::sources::told::Told;

/// Accounts asked for at once, and remembered.
pub(super) const AT_ONCE: usize = 25;
const MOST: usize = 5_000;
/// How long posts wait for their authors.
const PATIENCE: Duration = Duration::from_secs(5);

/// The accounts that are known.
pub(super) struct Profiles<'a> {
    pub place: &'a Url,
    pub allow: &'a Allow,
    /// None where nobody knows of one.
    known: HashMap<String, Option<Author>>,
}

impl<'a> Profiles<'a> {
    pub(super) fn new(place: &'a Url, allow: &'a Allow) -> Profiles<'a> {
        Profiles { place, allow, known: HashMap::new() }
    }

    /// Puts the authors of posts in the place of their accounts' ids.
    pub(super) async fn name(&mut self, posts: &mut [Capture], http: &Http, now: Timestamp) {
        let mut unknown: Vec<String> = Vec::new();
        for did in posts.iter().map(|c| &c.author.handle) {
            if !self.known.contains_key(did) && !unknown.contains(did) && unknown.len() < AT_ONCE {
                unknown.push(did.clone());
            }
        }
        if !unknown.is_empty() {
            self.ask(&unknown, http, now).await;
        }
        for post in posts {
            if let Some(author) = self.known.get(&post.author.handle).and_then(Option::as_ref) {
                post.author = author.clone();
            }
        }
    }

    async fn ask(&mut self, dids: &[String], http: &Http, now: Timestamp) {
        let actors: Vec<(&str, &str)> = dids.iter().map(|did| ("actors", did.as_str())).collect();
        let url = below(self.place, &["xrpc", "app.bsky.actor.getProfiles"], &actors);
        let rest = |_: u16, _: &Value, _: Timestamp| None;
        let api =
            Api { http, allow: self.allow, pass: &Pass::Open, rest, accept: "application/json", headers: &[], now };
        let Ok(Ok(answer)) = timeout(PATIENCE, api.get(&url)).await else { return };
        if self.known.len() > MOST {
            self.known.clear();
        }
        self.known.extend(dids.iter().map(|did| (did.clone(), None)));
        for profile in answer.body.list("/profiles") {
            let did = profile.text("/did");
            if dids.iter().any(|asked| asked == did) {
                self.known.insert(did.to_owned(), Some(author(profile)));
            }
        }
    }
}

fn author(profile: &Value) -> Author {
    let handle = profile.text("/handle");
    let handle = if handle.is_empty() || handle == "handle.invalid" { profile.text("/did") } else { handle };
    let name = Some(profile.text("/displayName")).filter(|n| !n.is_empty()).unwrap_or(handle);
    let clip = |text: &str| crate::sources::bounds::clip(text.trim(), crate::sources::bounds::LONGEST_NAME).to_owned();
    Author {
        name: clip(name),
        handle: clip(handle),
        followers: profile.count("/followersCount"),
        verified: profile.pointer("/verification").map(|v| v.text("/verifiedStatus") == "valid"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_account_with_its_facts_and_one_without() {
        let ann =
            author(&json!({ "did": "did:plc:a", "handle": "ann.example", "displayName": " Ann ", "followersCount": 12,
            "verification": { "verifiedStatus": "valid" } }));
        assert_eq!(
            (ann.name.as_str(), ann.handle.as_str(), ann.followers, ann.verified),
            ("Ann", "ann.example", Some(12), Some(true))
        );
        let nobody = author(&json!({ "did": "did:plc:b", "handle": "handle.invalid" }));
        assert_eq!((nobody.name.as_str(), nobody.handle.as_str(), nobody.verified), ("did:plc:b", "did:plc:b", None));
    }
}
