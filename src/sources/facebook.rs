//! Facebook: what is said on your page and where it is tagged, with comments, by contract.
//!
//! Follows <https://developers.facebook.com/docs/graph-api/reference/page/feed> and `/page/tagged` (v23.0), with a page's own
//! token and `pages_read_engagement`, `pages_read_user_content`. Posts come newest first; the newest fifty comments of each
//! come with it, so that comments are followed for two days after a post. Names of people are told only where they allow.

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

/// Posts and comments on a page of Facebook.
pub const KIND: Kind = Kind {
    name: "facebook",
    about: "Facebook: posts and comments on your page, and posts that tag it",
    entry: Entry::Contract,
    every: Some(Span::mins(5)),
    manual: MANUAL,
    read,
};

const MANUAL: &str = r#"[[source]]
kind = "facebook"
name = "facebook"
page = "1234567890"                   # the page's id
token = { credential = "facebook" }   # the page's own token, of an app with pages_read_engagement and
                                      # pages_read_user_content
tagged = true                         # posts of others that tag the page as well; the default
every = "5m"                          # the default
allow_private = ["10.0.0.0/8"]        # private networks that this source may reach
# api = "https://graph.facebook.com/v23.0"   # where the API is, with its version"#;

const POST: &str = "id,message,created_time,from,permalink_url,shares,reactions.limit(0).summary(true)";
const COMMENTS: &str = "comments.limit(50).order(reverse_chronological).summary(true)\
                        {id,message,created_time,from,permalink_url,like_count,comment_count}";

fn read(form: &Form<'_>, house: &[String]) -> Option<Box<dyn Source>> {
    let api = settings::address(form, "api", "https://graph.facebook.com/v23.0");
    let page = form.must_text("page").map(|p| p.value);
    let token = settings::must_secret(form, "token");
    let tagged = form.flag("tagged").is_none_or(|t| t.value);
    let allow = settings::allow(form, house);
    let (api, page, token) = (api?, page?, token?);
    let edges = if tagged { &["feed", "tagged"][..] } else { &["feed"] };
    let listing =
        |edge: &&'static str| Box::new(Posts { api: api.clone(), page: page.clone(), edge }) as Box<dyn Listing>;
    let place = Place::open(allow, edges.iter().map(listing).collect());
    let pass = Pass::Header("authorization", "Bearer ", token);
    Some(Box::new(Place { pass, rest: graph::rest, ..place }))
}

struct Posts {
    api: Url,
    page: String,
    edge: &'static str,
}

impl Listing for Posts {
    fn name(&self) -> String {
        format!("{} {}", self.page, self.edge)
    }

    fn first(&self, _: Option<Timestamp>) -> Url {
        let fields = format!("{POST},{COMMENTS}");
        below(&self.api, &[&self.page, self.edge], &[("fields", &fields), ("limit", "25")])
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
            let counts = ["/shares/count", "/reactions/summary/total_count", "/comments/summary/total_count"];
            page.add(post.time("/created_time"), capture(post, "post", post.sum(&counts)));
            for comment in post.list("/comments/data") {
                let counts = comment.sum(&["/like_count", "/comment_count"]);
                let own = capture(comment, "comment", counts).map(|c| of_post(c, post));
                // Comments come with their post and stand by its time, not their own.
                page.pinned(own);
            }
        }
        page.next = graph::next(&answer.body, asked);
        Ok(page)
    }
}

/// A comment without an address of its own gets one below its post's.
fn of_post(mut comment: Capture, post: &Value) -> Capture {
    (comment.parent, comment.thread) = (post.id("/id"), post.id("/id"));
    if comment.url.as_deref().is_none_or(str::is_empty) {
        let at = Url::parse(post.text("/permalink_url")).ok();
        comment.url = at.map(|url| with(&url, "comment_id", comment.native_id.as_deref().unwrap_or("")).into());
    }
    comment
}

fn capture(said: &Value, kind: &str, engagement: Option<u64>) -> Option<Capture> {
    Some(Capture {
        native_id: Some(said.id("/id")),
        url: Some(said.text("/permalink_url").to_owned()),
        text: said.text("/message").to_owned(),
        html: false,
        author: Author { name: said.text("/from/name").to_owned(), handle: said.id("/from/id"), ..Author::default() },
        published: said.time("/created_time"),
        network: "facebook".into(),
        engagement,
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
            Posts { api: Url::parse("https://graph.facebook.com/v23.0").unwrap(), page: "1".into(), edge: "feed" };
        let told = json!({ "data": [{
            "id": "1_2", "message": "Our new kettle", "created_time": "2026-11-01T10:00:00+0000", "from": { "name": "Acme", "id": "1" },
            "permalink_url": "https://www.facebook.com/1/posts/2", "shares": { "count": 3 }, "reactions": { "summary": { "total_count": 10 } },
            "comments": { "summary": { "total_count": 2 }, "data": [
                { "id": "2_9", "message": "It burned down my kitchen", "created_time": "2026-11-01T11:59:00+0000", "like_count": 4, "comment_count": 1 },
                { "id": "2_8", "message": "", "created_time": "2026-11-01T11:58:00+0000" } ] } }],
            "paging": { "cursors": { "after": "A" }, "next": "https://graph.facebook.com/?access_token=x" } });
        let page = page_of(&posts, told);
        let all = page.captures();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].engagement, all[0].kind.as_str(), all[0].author.handle.as_str()), (Some(15), "post", "1"));
        assert_eq!((all[1].engagement, all[1].kind.as_str(), all[1].author.name.as_str()), (Some(5), "comment", ""));
        assert_eq!(all[1].url.as_deref(), Some("https://www.facebook.com/1/posts/2?comment_id=2_9"));
        assert!(page.next.is_some_and(|n| n.as_str().ends_with("&after=A")));
        assert!(asked_of(&posts, None).starts_with("https://graph.facebook.com/v23.0/1/feed?fields=id%2Cmessage"));
    }
}
