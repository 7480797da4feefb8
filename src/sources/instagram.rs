//! Instagram: comments on your account's posts, and posts that tag it, by contract.
//!
//! Follows <https://developers.facebook.com/docs/instagram-platform> (Graph API v23.0), `IG User/media` and `IG User/tags`, for a
//! professional account with `instagram_basic` and `instagram_manage_comments`. Posts come newest first, each with its newest
//! fifty comments, so that comments are followed for two days after a post. Hashtags may be asked for 30 times a week only,
//! which is no watch.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::api::{Answer, Pass};
use super::graph;
use super::listing::{Listing, Page, Place, below, with};
use super::told::Told;
use super::{Entry, Kind, Source, settings};
use crate::config::written::Form;
use crate::model::time::Span;
use crate::model::{Author, Capture};

/// Posts and comments of Instagram.
pub const KIND: Kind = Kind {
    name: "instagram",
    about: "Instagram: comments on your account's posts, and posts that tag it",
    entry: Entry::Contract,
    every: Some(Span::mins(5)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "instagram"
name = "instagram"
account = "17841400000000000"         # the id of the professional account
token = { credential = "instagram" }  # a long-lived token with instagram_basic and instagram_manage_comments
every = "5m"                          # the default
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://graph.facebook.com/v23.0"   # where the API is, with its version"#;

const POST: &str = "id,caption,permalink,timestamp,username,like_count,comments_count";
const COMMENTS: &str = "comments.limit(50){id,text,timestamp,username,like_count}";

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://graph.facebook.com/v23.0");
    let account = form.must_text("account").map(|p| p.value);
    let token = settings::must_secret(form, "token");
    let allow = settings::allow(form, house);
    let (api, account, token) = (api?, account?, token?);
    let listing = |edge| Box::new(Posts { api: api.clone(), account: account.clone(), edge }) as Box<dyn Listing>;
    let place = Place::open(allow, ["media", "tags"].map(listing).into());
    let pass = Pass::Header("authorization", "Bearer ", token);
    Some(Box::new(Place { pass, rest: graph::rest, ..place }))
}

struct Posts {
    api: Url,
    account: String,
    edge: &'static str,
}

impl Listing for Posts {
    fn name(&self) -> String {
        format!("{} {}", self.account, self.edge)
    }

    fn first(&self, _: Option<Timestamp>) -> Url {
        let fields = if self.edge == "media" { format!("{POST},{COMMENTS}") } else { POST.to_owned() };
        below(&self.api, &[&self.account, self.edge], &[("fields", &fields), ("limit", "25")])
    }

    fn sifts(&self) -> bool {
        false
    }

    fn late(&self) -> Span {
        Span::days(2)
    }

    fn read(&self, answer: &Answer, asked: &Url) -> Result<Page, String> {
        let mut page = Page::default();
        for post in answer.body.list("/data") {
            page.add(post.time("/timestamp"), of(post, "/caption", post.text("/permalink"), "post"));
            for comment in post.list("/comments/data") {
                // Equal comments of two people are two: each has an address of its own.
                let at = Url::parse(post.text("/permalink")).map(|u| with(&u, "comment", &comment.id("/id")));
                let at = at.map(String::from).unwrap_or_default();
                let under = |c: Capture| Capture { parent: post.id("/id"), thread: post.id("/id"), ..c };
                page.pinned(of(comment, "/text", &at, "comment").map(under));
            }
        }
        page.next = graph::next(&answer.body, asked);
        Ok(page)
    }
}

fn of(said: &Value, text: &str, at: &str, kind: &str) -> Option<Capture> {
    let name = said.text("/username");
    Some(Capture {
        native_id: Some(said.id("/id")),
        url: Some(at.to_owned()),
        text: said.text(text).to_owned(),
        html: false,
        author: Author { name: name.to_owned(), handle: name.to_owned(), ..Author::default() },
        published: said.time("/timestamp"),
        network: "instagram".into(),
        engagement: said.sum(&["/like_count", "/comments_count"]),
        kind: kind.to_owned(),
        ..Capture::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sources::listing::{asked_of, page_of};

    #[test]
    fn posts_with_their_comments() {
        let posts =
            Posts { api: Url::parse("https://graph.facebook.com/v23.0").unwrap(), account: "17".into(), edge: "media" };
        let comment = |id: &str| json!({ "id": id, "text": "🔥", "timestamp": "2026-11-01T11:59:00+0000", "username": "bo", "like_count": 1 });
        let told = json!({ "data": [{
            "id": "9", "caption": "Our #acme kettle", "permalink": "https://www.instagram.com/p/abc/", "timestamp": "2026-11-01T10:00:00+0000",
            "username": "acme", "like_count": 20, "comments_count": 2, "comments": { "data": [comment("1"), comment("2")] } }] });
        let page = page_of(&posts, told);
        let all = page.captures();
        assert_eq!((all.len(), all[0].engagement, all[0].author.handle.as_str()), (3, Some(22), "acme"));
        assert_eq!(
            (all[1].kind.as_str(), all[1].url.as_deref()),
            ("comment", Some("https://www.instagram.com/p/abc/?comment=1"))
        );
        assert!(all[1].url != all[2].url && page.next.is_none());
        assert!(asked_of(&posts, None).contains("comments.limit%2850%29"));
        assert!(!asked_of(&Posts { edge: "tags", ..posts }, None).contains("comments.limit"));
    }
}
