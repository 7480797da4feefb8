//! LinkedIn: comments on your page's posts, and posts that share or mention it, by contract.
//!
//! Follows "Organization Social Action Notifications" of the Community Management API,
//! <https://learn.microsoft.com/en-us/linkedin/marketing/community-management/organizations/organization-social-action-notifications>
//! (li-lms-2026-07): `organizationalEntityNotifications?q=criteria` with `rw_organization_admin`; notifications are kept for
//! 60 days, and LinkedIn means them to fill what its webhooks missed. Only public posts are told, people by a number and
//! not by name. Shapes of notifications were read in public clients of the API, since the document was seen in part only.
//! From memory: the words of an allowance that is used up for the day, which begins at midnight by UTC. A page's token is
//! a member's and ends after 60 days; LinkedIn then says so in its own words.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::api::{Answer, Pass, to_midnight};
use super::listing::{Listing, Page, Place, below, with};
use super::told::Told;
use super::{Entry, Kind, Source, settings};
use crate::config::written::Form;
use crate::model::time::{Span, from_millis};
use crate::model::{Author, Capture};

/// What is said to and of a page of LinkedIn.
pub const KIND: Kind = Kind {
    name: "linkedin",
    about: "LinkedIn: comments on your page's posts, and posts that share or mention it",
    entry: Entry::Contract,
    every: Some(Span::mins(15)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "linkedin"
name = "linkedin"
organization = "1234567"              # the page's id, as in linkedin.com/company/1234567/admin
token = { credential = "linkedin" }   # an administrator's token with rw_organization_admin, of an app that LinkedIn has
                                      # approved for the Community Management API; renew it before its 60 days are over
version = "202607"                    # the default: the month of the API; LinkedIn ends each after about a year
every = "15m"                         # the default
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://api.linkedin.com"    # where the API is"#;

const PER_PAGE: usize = 50;
/// Likes and what the page itself comments are nobody's opinion of it.
const ACTIONS: &str = "COMMENT,COMMENT_EDIT,COMMENT_DELETE,SHARE,SHARE_MENTION";

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://api.linkedin.com");
    let page = form.must_text("organization");
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(page) = page.as_ref().filter(|p| !digits(&p.value)) {
        let help = "write the number in the address of the page's admin view";
        form.desk.error(page.span.clone(), "`organization` is no page's id", help);
    }
    let version = form.text("version");
    if let Some(version) = version.as_ref().filter(|v| v.value.len() != 6 || !digits(&v.value)) {
        form.desk.error(version.span.clone(), "`version` is no month", "write for example 202607");
    }
    let token = settings::must_secret(form, "token");
    let allow = settings::allow(form, house);
    let (api, organization, token) = (api?, page?.value, token?);
    let version = version.map_or_else(|| "202607".to_owned(), |v| v.value);
    let headers = vec![("linkedin-version", version), ("x-restli-protocol-version", "2.0.0".to_owned())];
    let place = Place::open(allow, vec![Box::new(Notifications { api, organization })]);
    Some(Box::new(Place { pass: Pass::Header("authorization", "Bearer ", token), rest, headers, ..place }))
}

/// An allowance of a day comes back at midnight by UTC.
fn rest(status: u16, told: &Value, now: Timestamp) -> Option<Span> {
    (status == 429 && told.text("/message").contains("DAY limit")).then(|| to_midnight(now))
}

struct Notifications {
    api: Url,
    organization: String,
}

impl Listing for Notifications {
    fn name(&self) -> String {
        self.organization.clone()
    }

    fn first(&self, _: Option<Timestamp>) -> Url {
        let mut url = below(&self.api, &["rest", "organizationalEntityNotifications"], &[]);
        // Its brackets and commas must not be escaped, and the signs within a name must be.
        let page = format!("urn%3Ali%3Aorganization%3A{}", self.organization);
        let query = format!("q=criteria&actions=List({ACTIONS})&organizationalEntity={page}&count={PER_PAGE}&start=0");
        url.set_query(Some(&query));
        url
    }

    fn first_at(&self, since: Option<Timestamp>, now: Timestamp) -> Url {
        let mut url = self.first(since);
        if let (Some(since), Some(query)) = (since, url.query().map(str::to_owned)) {
            let (start, end) = (since.as_millisecond(), now.as_millisecond());
            let (what, pages) = query.rsplit_once("&start=").unwrap_or((&query, "0"));
            url.set_query(Some(&format!("{what}&timeRange=(start:{start},end:{end})&start={pages}")));
        }
        url
    }

    fn sifts(&self) -> bool {
        true
    }

    fn reach(&self) -> Option<Span> {
        Some(Span::days(59))
    }

    fn late(&self) -> Span {
        Span::hours(1)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let notifications = answer.body.list("/elements");
        let mut page = Page::default();
        for notification in notifications {
            let at = notification.count("/lastModifiedAt").and_then(|ms| i64::try_from(ms).ok()).map(from_millis);
            match notification.text("/action") {
                "COMMENT_DELETE" => page.taken_back(at, &id(notification.text("/generatedActivity"))),
                "COMMENT" | "COMMENT_EDIT" | "SHARE" | "SHARE_MENTION" => {
                    let capture = capture(notification, at);
                    if capture.as_ref().is_some_and(|c| c.text.trim().is_empty()) {
                        page.skip("LinkedIn tells of something without its text");
                    }
                    page.add(at, capture);
                }
                _ => page.add(at, None),
            }
        }
        if notifications.len() >= PER_PAGE {
            page.next = after(asked);
        }
        Ok(page)
    }
}

/// The same question for what comes after it.
fn after(asked: &Url) -> Option<Url> {
    let (what, start) = asked.query()?.rsplit_once("&start=")?;
    let start = start.parse::<usize>().ok()?.checked_add(PER_PAGE)?;
    let mut out = asked.clone();
    out.set_query(Some(&format!("{what}&start={start}")));
    Some(out)
}

/// The number at the end of a name such as `urn:li:comment:(urn:li:activity:1,2)`, before which LinkedIn writes different
/// things, with what it is the name of; empty where it is no such name.
fn id(urn: &str) -> String {
    let kind = urn.strip_prefix("urn:li:").and_then(|rest| rest.split(':').next()).unwrap_or("");
    let number = urn.trim_end_matches(')').rsplit([':', ',']).next().unwrap_or("");
    match !kind.is_empty() && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
        true => format!("{kind}:{number}"),
        false => String::new(),
    }
}

fn capture(notification: &Value, at: Option<Timestamp>) -> Option<Capture> {
    let action = notification.text("/action");
    let made = notification.text("/generatedActivity");
    let post = notification.text("/sourcePost");
    let comment = action.starts_with("COMMENT");
    let at_path = if comment { "/decoratedGeneratedActivity/comment" } else { "/decoratedGeneratedActivity/share" };
    // Of a mention the post that mentions is told as the one that it began with, or as what was made of it.
    let mention = notification.pointer("/decoratedSourcePost").filter(|_| action == "SHARE_MENTION");
    let said = notification.pointer(at_path).or(mention).unwrap_or(&Value::Null);
    let urn = [made, said.text("/entity"), if comment { "" } else { post }].into_iter().find(|u| !id(u).is_empty())?;
    let owner = said.text("/owner").rsplit(':').next().unwrap_or("");
    let home = if comment { post } else { urn };
    let page = Url::parse("https://www.linkedin.com/feed/update/").ok().filter(|_| !id(home).is_empty());
    let page = page.map(|base| below(&base, &[home, ""], &[])).map(|page| match comment {
        true => with(&page, "commentUrn", urn),
        false => page,
    });
    let edited = action == "COMMENT_EDIT";
    let talk = if comment { id(post) } else { String::new() };
    Some(Capture {
        native_id: Some(id(urn)),
        url: page.map(String::from),
        text: said.text("/text").to_owned(),
        html: false,
        author: Author { handle: owner.to_owned(), ..Author::default() },
        published: at.filter(|_| !edited),
        updated: at.filter(|_| edited),
        network: "linkedin".into(),
        kind: match action {
            "SHARE" => "repost",
            "SHARE_MENTION" => "post",
            _ => "comment",
        }
        .into(),
        parent: talk.clone(),
        thread: talk,
        ..Capture::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    fn notifications() -> Notifications {
        Notifications { api: Url::parse("https://api.linkedin.com").unwrap(), organization: "96".into() }
    }

    fn comment(action: &str, text: &str) -> Value {
        json!({ "notificationId": 5, "action": action, "lastModifiedAt": 1_793_534_340_000_i64, "organizationalEntity": "urn:li:organization:96",
            "sourcePost": "urn:li:activity:70", "generatedActivity": "urn:li:comment:(activity:70,71)",
            "decoratedSourcePost": { "owner": "urn:li:organization:96", "text": "Our kettle", "entity": "urn:li:share:69" },
            "decoratedGeneratedActivity": { "comment": { "owner": "urn:li:person:zLq", "text": text,
                "entity": "urn:li:comment:(urn:li:activity:70,71)", "object": "urn:li:activity:70" } } })
    }

    #[test]
    fn comments_shares_and_mentions() {
        let share = |action: &str| {
            json!({ "action": action, "lastModifiedAt": 1_793_534_000_000_i64, "sourcePost": "urn:li:share:80", "generatedActivity": "urn:li:share:81",
                "decoratedGeneratedActivity": { "share": { "owner": "urn:li:person:bo", "text": "Look at Acme", "entity": "urn:li:share:81" } } })
        };
        let mention = json!({ "action": "SHARE_MENTION", "lastModifiedAt": 1_793_533_000_000_i64, "sourcePost": "urn:li:share:90",
            "decoratedSourcePost": { "owner": "urn:li:person:cy", "text": "Never Acme again", "entity": "urn:li:share:90" } });
        let told = json!({ "elements": [comment("COMMENT", "It burned"), share("SHARE"), mention, share("LIKE"), comment("COMMENT", ""),
            json!({ "action": "SHARE", "generatedActivity": "javascript:1" })] });
        let page = page_of(&notifications(), told);
        let all = page.captures();
        assert_eq!(all.len(), 3);
        assert_eq!(
            (all[0].text.as_str(), all[0].kind.as_str(), all[0].author.handle.as_str()),
            ("It burned", "comment", "zLq")
        );
        assert_eq!((all[0].native_id.as_deref(), all[0].parent.as_str()), (Some("comment:71"), "activity:70"));
        assert_eq!(all[0].published.map(|t| t.to_string()).as_deref(), Some("2026-11-01T11:59:00Z"));
        let at = "https://www.linkedin.com/feed/update/urn:li:activity:70/?commentUrn=urn%3Ali%3Acomment%3A%28activity%3A70%2C71%29";
        assert_eq!(all[0].url.as_deref(), Some(at));
        assert_eq!((all[1].kind.as_str(), all[1].native_id.as_deref()), ("repost", Some("share:81")));
        assert_eq!(
            (all[2].text.as_str(), all[2].url.as_deref()),
            ("Never Acme again", Some("https://www.linkedin.com/feed/update/urn:li:share:90/"))
        );
        assert!(page.next.is_none());
    }

    #[test]
    fn what_is_edited_and_deleted_keeps_its_id() {
        let told = json!({ "elements": [comment("COMMENT_EDIT", "It was the cat"), comment("COMMENT_DELETE", "")] });
        let page = page_of(&notifications(), told);
        assert_eq!(page.captures()[0].native_id.as_deref(), Some("comment:71"));
        assert!(page.captures()[0].updated.is_some() && page.captures()[0].published.is_none());
        assert_eq!(page.gone(), ["comment:71".to_owned()]);
    }

    #[test]
    fn pages_and_how_they_are_asked_for() {
        let listing = notifications();
        let asked = "https://api.linkedin.com/rest/organizationalEntityNotifications?q=criteria\
            &actions=List(COMMENT,COMMENT_EDIT,COMMENT_DELETE,SHARE,SHARE_MENTION)&organizationalEntity=urn%3Ali%3Aorganization%3A96&count=50";
        assert_eq!(asked_of(&listing, None), format!("{asked}&start=0"));
        let (since, now) = (from_millis(1_793_530_000_000), from_millis(1_793_534_400_000));
        let first = listing.first_at(Some(since), now);
        assert_eq!(first.as_str(), format!("{asked}&timeRange=(start:1793530000000,end:1793534400000)&start=0"));
        let next = after(&first).unwrap();
        assert!(next.as_str().ends_with("end:1793534400000)&start=50"), "{next}");
        let full: Vec<Value> = vec![comment("COMMENT", "Acme"); 50];
        assert!(page_of(&listing, json!({ "elements": full })).next.is_some_and(|n| n.as_str().ends_with("&start=50")));
        let limit =
            json!({ "status": 429, "message": "Resource level throttle APPLICATION_AND_MEMBER DAY limit is reached" });
        assert_eq!(rest(429, &limit, now), Some(Span::hours(12)));
        assert_eq!(rest(429, &json!({ "message": "slow down" }), now), None);
    }
}
