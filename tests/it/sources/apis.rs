//! Places in the shapes that their documents show: what was said an hour ago, and two new things on two pages.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::site::{Asked, Day, Said};

/// Minutes ago: what is old, and the two new things.
const OLD: i64 = 60;
pub const FIRST: i64 = 20;
pub const SECOND: i64 = 10;

/// What stands on a page: the newest on the first, the rest on the second, all that is old on one before there is news.
pub fn on_page(day: &Day, second: bool) -> Vec<i64> {
    match (day.is_news(), second) {
        (false, false) => vec![OLD],
        (false, true) => vec![],
        (true, false) => vec![SECOND],
        (true, true) => vec![FIRST, OLD],
    }
}

pub fn missing(what: &str) -> Said {
    Said::refused(400, json!({ "error": format!("the question lacks {what}") }))
}

fn unauthorized() -> Said {
    Said::refused(401, json!({ "error": "The access token is invalid" }))
}

pub fn mastodon(asked: &Asked, day: &Day, base: &str) -> Said {
    if !asked.head.contains("authorization: bearer canary-mastodon") {
        return unauthorized();
    }
    let second = asked.path.contains("max_id=");
    let edited = if day.edited.load(Ordering::SeqCst) { "<p>It was the cat after all</p>" } else { "" };
    let post = |minutes: i64| {
        let text = if minutes == SECOND && !edited.is_empty() { edited } else { "<p>My <b>Acme</b> kettle burned</p>" };
        json!({
            "id": (1000 - minutes).to_string(), "uri": format!("https://a.example/users/ann/statuses/{minutes}"),
            "url": format!("https://a.example/@ann/{minutes}"), "created_at": day.ago(minutes).to_string(),
            "in_reply_to_id": null, "visibility": "public", "language": "en", "spoiler_text": "",
            "content": text, "replies_count": 1, "reblogs_count": 2, "favourites_count": 3,
            "account": { "acct": "ann", "display_name": "Ann Alm", "followers_count": 1200 },
            "tags": [{ "name": "acme" }], "media_attachments": [{ "type": "image", "description": format!("Soot {minutes}") }],
        })
    };
    let posts: Vec<Value> = on_page(day, second).into_iter().map(post).collect();
    // The link of the second page leads to a stranger, who must not get the token.
    let next = match (posts.is_empty(), second) {
        (false, false) => format!("<{base}/api/v1/timelines/tag/acme?limit=40&max_id=900>; rel=\"next\""),
        _ => format!("<{}/steal>; rel=\"next\"", day.canary),
    };
    Said::ok(posts.into()).with("link", &next).with("x-ratelimit-remaining", "287")
}

pub fn lemmy(asked: &Asked, day: &Day, _: &str) -> Said {
    let second = asked.path.contains("page=2");
    let about = |own: &str, minutes: i64| {
        let mut view = json!({
            "post": { "name": "Acme recalls", "ap_id": format!("https://l.example/post/{minutes}"), "body": "They burn" },
            "comment": { "content": "Mine too", "ap_id": format!("https://l.example/comment/{minutes}") },
            "creator": { "name": "bo", "display_name": "Bo", "actor_id": "https://l.example/u/bo" },
            "community": { "name": "kettles", "actor_id": "https://l.example/c/kettles" },
            "counts": { "upvotes": 5, "downvotes": 1, "comments": 2, "child_count": 0 },
        });
        view[own]["published"] = format!("{:.6}", day.ago(minutes)).into();
        view
    };
    if asked.path.contains("type_=Comments") {
        let comments = if day.is_news() { vec![about("comment", FIRST)] } else { vec![] };
        return Said::ok(json!({ "type_": "Comments", "comments": comments, "posts": [] }));
    }
    let mut posts: Vec<Value> = match (day.is_news(), second) {
        (true, false) => vec![about("post", SECOND)],
        (true, true) | (false, false) => vec![about("post", OLD)],
        (false, true) => vec![],
    };
    if day.is_news() && !second {
        let gone = |_| {
            let mut view = about("post", SECOND);
            view["post"]["ap_id"] = "https://l.example/post/gone".into();
            view["post"]["deleted"] = true.into();
            view
        };
        posts.extend((1..50).map(gone));
    }
    Said::ok(json!({ "type_": "Posts", "comments": [], "posts": posts }))
}

pub fn discourse(asked: &Asked, day: &Day, _: &str) -> Said {
    if !asked.head.contains("api-key: canary-discourse") {
        return Said::refused(403, json!({ "errors": ["You are not permitted to view the requested resource."] }));
    }
    let post = |minutes: i64| {
        json!({ "id": 1000 - minutes, "username": "cy", "name": "Cy", "created_at": day.ago(minutes).to_string(), "post_number": 2,
            "cooked": format!("<p>Acme support is slow {minutes}</p>"), "topic_id": 7, "topic_slug": "acme", "topic_title": "Acme & me",
            "reply_count": 1, "actions_summary": [{ "id": 2, "count": 3 }] })
    };
    let posts: Vec<Value> = on_page(day, asked.path.contains("before=")).into_iter().map(post).collect();
    Said::ok(json!({ "latest_posts": posts }))
}

pub fn hackernews(asked: &Asked, day: &Day, _: &str) -> Said {
    if day.is_news() && !asked.path.contains("numericFilters=created_at_i") {
        return missing("numericFilters");
    }
    let second = asked.path.contains("page=1");
    let hit = |minutes: i64| {
        json!({ "objectID": (9000 - minutes).to_string(), "created_at_i": day.ago(minutes).as_second(), "author": "dang",
            "title": format!("Acme & fire {minutes}"), "story_text": "It <i>burns</i>", "points": 40, "num_comments": 2 })
    };
    let hits: Vec<Value> = on_page(day, second).into_iter().map(hit).collect();
    let pages = if day.is_news() { 2 } else { 1 };
    Said::ok(json!({ "hits": hits, "nbHits": 3, "page": u8::from(second), "nbPages": pages, "hitsPerPage": 100 }))
}

pub fn stackexchange(asked: &Asked, day: &Day, _: &str) -> Said {
    if day.is_news() && !asked.path.contains("fromdate=") {
        return missing("fromdate");
    }
    let second = asked.path.contains("page=2");
    let question = |minutes: i64| {
        json!({ "question_id": 5000 - minutes, "title": format!("Why is Acme&#39;s API slow {minutes}?"), "body": "<p>Any idea?</p>",
            "tags": ["acme-api"], "owner": { "display_name": "Di", "user_id": 44 }, "score": 1, "answer_count": 2, "view_count": 300,
            "creation_date": day.ago(minutes).as_second(), "link": format!("https://stackoverflow.com/q/{minutes}") })
    };
    let items: Vec<Value> = on_page(day, second).into_iter().map(question).collect();
    Said::ok(json!({ "items": items, "has_more": day.is_news() && !second, "quota_max": 300, "quota_remaining": 290 }))
}

pub fn github(asked: &Asked, day: &Day, base: &str) -> Said {
    if !asked.head.contains("authorization: bearer canary-github") {
        return Said::refused(401, json!({ "message": "Bad credentials" }));
    }
    if day.is_news() && !asked.path.contains("created%3A%3E%3D") && !asked.path.contains("page=2") {
        return missing("created:>=");
    }
    let second = asked.path.contains("&page=2");
    let issue = |minutes: i64| {
        json!({ "node_id": format!("I_{minutes}"), "title": format!("Acme SDK crashes {minutes}"), "body": "It **does**", "user": { "login": "ed" },
            "html_url": format!("https://github.com/o/r/issues/{minutes}"), "repository_url": "https://api.github.com/repos/o/r",
            "created_at": day.ago(minutes).to_string(), "comments": 1, "reactions": { "total_count": 2 }, "labels": [{ "name": "bug" }] })
    };
    let items: Vec<Value> = on_page(day, second).into_iter().map(issue).collect();
    let said = Said::ok(json!({ "total_count": 3, "incomplete_results": false, "items": items }));
    match day.is_news() && !second {
        true => said.with("link", &format!("<{base}/search/issues?q=acme&page=2>; rel=\"next\"")),
        false => said,
    }
}

pub fn gdelt(asked: &Asked, day: &Day, _: &str) -> Said {
    if day.is_news() && !asked.path.contains("startdatetime=") {
        return missing("startdatetime");
    }
    let article = |minutes: i64| {
        json!({ "url": format!("https://zeitung.example/{minutes}"), "title": format!("Acme ruft Kessel zurück , {minutes}"),
            "seendate": day.ago(minutes).strftime("%Y%m%dT%H%M%SZ").to_string(), "domain": "zeitung.example", "language": "German",
            "sourcecountry": "Germany" })
    };
    let shown = if day.is_news() { vec![SECOND, FIRST, OLD] } else { vec![OLD] };
    Said::ok(json!({ "articles": shown.into_iter().map(article).collect::<Vec<_>>() }))
}

pub fn appstore(asked: &Asked, day: &Day, _: &str) -> Said {
    let review = |minutes: i64| {
        json!({ "author": { "name": { "label": "Flo" } }, "updated": { "label": day.ago(minutes).to_string() }, "im:rating": { "label": "1" },
            "id": { "label": (700 - minutes).to_string() }, "title": { "label": "Kraschar" }, "content": { "label": "Acme-appen dör" },
            "im:voteCount": { "label": "2" } })
    };
    let pages = [on_page(day, false), on_page(day, true)];
    let number = asked.path.split("page=").nth(1).and_then(|t| t.split('/').next()?.parse::<usize>().ok()).unwrap_or(1);
    let entries: Vec<Value> = pages.get(number - 1).into_iter().flatten().map(|m| review(*m)).collect();
    match entries.as_slice() {
        [] => Said::ok(json!({ "feed": { "title": { "label": "Reviews" } } })),
        [one] => Said::ok(json!({ "feed": { "entry": one } })),
        many => Said::ok(json!({ "feed": { "entry": many } })),
    }
}

pub fn bluesky(asked: &Asked, day: &Day, _: &str) -> Said {
    // The session that was opened before there was news is over by then.
    let token = if day.is_news() { "jwt-later" } else { "jwt-early" };
    if asked.path.contains("createSession") {
        let sent: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        return match sent["password"] == "canary-bluesky" && sent["identifier"] == "watch.example" {
            true => Said::ok(
                json!({ "accessJwt": token, "refreshJwt": "r", "handle": "watch.example", "did": "did:plc:w" }),
            ),
            false => Said::refused(
                401,
                json!({ "error": "AuthenticationRequired", "message": "Invalid identifier or password" }),
            ),
        };
    }
    if !asked.head.contains(&format!("authorization: bearer {token}")) {
        return Said::refused(400, json!({ "error": "ExpiredToken", "message": "Token has expired" }));
    }
    let second = asked.path.contains("cursor=1");
    let post = |minutes: i64| {
        json!({ "uri": format!("at://did:plc:g/app.bsky.feed.post/3k{minutes}"), "author": { "did": "did:plc:g", "handle": "gil.example",
            "displayName": "Gil", "verification": { "verifiedStatus": "valid" } },
            "record": { "text": format!("My Acme kettle burned again {minutes}"), "createdAt": day.ago(minutes).to_string(), "langs": ["en"],
                "embed": { "$type": "app.bsky.embed.images", "images": [{ "alt": "A kettle on fire" }] } },
            "replyCount": 0, "repostCount": 1, "likeCount": 6, "quoteCount": 0, "indexedAt": day.ago(minutes).to_string() })
    };
    let posts: Vec<Value> = on_page(day, second).into_iter().map(post).collect();
    let mut body = json!({ "posts": posts });
    if day.is_news() && !second {
        body["cursor"] = "1".into();
    }
    Said::ok(body).with("ratelimit-remaining", "2999")
}

pub fn reddit(asked: &Asked, day: &Day, _: &str) -> Said {
    let token = if day.is_news() { "later" } else { "early" };
    if asked.path.contains("access_token") {
        // vakt-client:canary-reddit
        let basic = asked.head.contains("authorization: basic dmfrdc1jbgllbnq6y2fuyxj5lxjlzgrpda==");
        return match basic && asked.body == "grant_type=client_credentials" {
            true => {
                Said::ok(json!({ "access_token": token, "token_type": "bearer", "expires_in": 86400, "scope": "*" }))
            }
            false => Said::refused(401, json!({ "message": "Unauthorized", "error": 401 })),
        };
    }
    if !asked.head.contains(&format!("authorization: bearer {token}")) {
        return Said::refused(401, json!({ "message": "Unauthorized", "error": 401 }));
    }
    let second = asked.path.contains("after=t3_1");
    let post = |minutes: i64| {
        json!({ "kind": "t3", "data": { "name": format!("t3_{minutes}"), "title": "Acme kettle", "selftext": format!("Burned {minutes}"),
            "author": "hal", "subreddit": "kettles", "permalink": format!("/r/kettles/comments/{minutes}/acme/"),
            "created_utc": day.ago(minutes).as_second() as f64, "ups": 9, "num_comments": 4, "is_self": true } })
    };
    let children: Vec<Value> = on_page(day, second).into_iter().map(post).collect();
    let after = if day.is_news() && !second { json!("t3_1") } else { Value::Null };
    let said = Said::ok(json!({ "kind": "Listing", "data": { "after": after, "children": children } }));
    said.with("x-ratelimit-remaining", "99.0").with("x-ratelimit-reset", "42")
}

pub fn youtube(asked: &Asked, day: &Day, _: &str) -> Said {
    if !asked.head.contains("x-goog-api-key: canary-youtube") {
        return Said::refused(
            400,
            json!({ "error": { "code": 400, "message": "API key not valid. Please pass a valid API key." } }),
        );
    }
    if asked.path.contains("commentThreads") {
        let comment = json!({ "id": "c1", "snippet": { "videoId": "v20", "textOriginal": "Mine burned as well", "authorDisplayName": "@ida",
            "authorChannelId": { "value": "UC9" }, "likeCount": 3, "publishedAt": day.ago(FIRST).to_string() } });
        let items = if day.is_news() {
            vec![json!({ "snippet": { "topLevelComment": comment, "totalReplyCount": 1 } })]
        } else {
            vec![]
        };
        return Said::ok(json!({ "items": items }));
    }
    let second = asked.path.contains("pageToken=p2");
    let video = |minutes: i64| {
        json!({ "id": { "videoId": format!("v{minutes}") }, "snippet": { "publishedAt": day.ago(minutes).to_string(), "channelId": "UC1",
            "title": "Acme&#39;s kettle tested", "description": format!("Take {minutes}"), "channelTitle": "Tests" } })
    };
    let mut body =
        json!({ "items": on_page(day, second).into_iter().filter(|m| *m != FIRST).map(video).collect::<Vec<_>>() });
    if day.is_news() && !second {
        body["nextPageToken"] = "p2".into();
    }
    Said::ok(body)
}

pub fn discord(asked: &Asked, day: &Day, _: &str) -> Said {
    if !asked.head.contains("authorization: bot canary-discord") {
        return Said::refused(401, json!({ "message": "401: Unauthorized", "code": 0 }));
    }
    let second = asked.path.contains("before=");
    let message = |minutes: i64| {
        json!({ "id": (8000 - minutes).to_string(), "content": format!("My Acme kettle burned again {minutes}"), "timestamp": day.ago(minutes).to_string(),
            "author": { "id": "5", "username": "jo", "global_name": "Jo" }, "reactions": [{ "count": 2 }], "attachments": [], "embeds": [] })
    };
    let mut messages: Vec<Value> = on_page(day, second).into_iter().map(message).collect();
    if day.is_news() && !second {
        // A page is full, even where all but one of its messages are nothing but a sticker.
        messages.extend(
            (1..100).map(|n| json!({ "id": n.to_string(), "content": "", "timestamp": day.ago(SECOND).to_string() })),
        );
    }
    Said::ok(messages.into()).with("x-ratelimit-remaining", "4").with("x-ratelimit-reset-after", "1")
}

pub fn slack(asked: &Asked, day: &Day, _: &str) -> Said {
    if !asked.head.contains("authorization: bearer canary-slack") {
        return Said::ok(json!({ "ok": false, "error": "invalid_auth" }));
    }
    if day.is_news() && !asked.path.contains("oldest=") {
        return missing("oldest");
    }
    let second = asked.path.contains("cursor=next");
    let message = |minutes: i64| {
        json!({ "type": "message", "user": "U7", "text": format!("My Acme kettle &amp; I are burning {minutes}"), "ts": format!("{}.000200", day.ago(minutes).as_second()),
            "reply_count": 1 })
    };
    let messages: Vec<Value> = on_page(day, second).into_iter().map(message).collect();
    let next = if day.is_news() && !second { "next" } else { "" };
    Said::ok(json!({ "ok": true, "messages": messages, "response_metadata": { "next_cursor": next } }))
}

pub fn x(asked: &Asked, day: &Day, _: &str) -> Said {
    if !asked.head.contains("authorization: bearer canary-x") {
        return Said::refused(
            401,
            json!({ "title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized" }),
        );
    }
    if day.is_news() && !asked.path.contains("start_time=") {
        return missing("start_time");
    }
    let second = asked.path.contains("next_token=b26");
    let post = |minutes: i64| {
        json!({ "id": (3000 - minutes).to_string(), "text": format!("Acme &amp; fire {minutes}"), "author_id": "7", "lang": "en",
            "created_at": day.ago(minutes).to_string(),
            "public_metrics": { "retweet_count": 1, "reply_count": 0, "like_count": 5, "quote_count": 0, "impression_count": 9000 } })
    };
    let posts: Vec<Value> = on_page(day, second).into_iter().map(post).collect();
    let users = json!([{ "id": "7", "name": "Kim", "username": "kim", "verified": false, "public_metrics": { "followers_count": 80 } }]);
    let mut body = json!({ "data": posts, "includes": { "users": users }, "meta": { "result_count": 1 } });
    if day.is_news() && !second {
        body["meta"]["next_token"] = "b26".into();
    }
    Said::ok(body)
        .with("x-rate-limit-remaining", "449")
        .with("x-rate-limit-reset", &(day.began.as_second() + 900).to_string())
}

/// A page of the Graph API; the address that it names for the next one holds the token, as Meta's do.
fn graph(asked: &Asked, day: &Day, base: &str, secret: &str, item: impl Fn(i64) -> Value) -> Said {
    if !asked.head.contains(&format!("authorization: bearer {secret}")) {
        let words = "Error validating access token: Session has expired";
        return Said::refused(400, json!({ "error": { "message": words, "type": "OAuthException", "code": 190 } }));
    }
    let second = asked.path.contains("after=QQ");
    let items: Vec<Value> = on_page(day, second).into_iter().map(item).collect();
    let next = format!("{base}/x?after=QQ&access_token={secret}");
    let paging = match day.is_news() && !second {
        true => json!({ "cursors": { "after": "QQ" }, "next": next }),
        false => json!({ "cursors": { "after": "QQ" } }),
    };
    Said::ok(json!({ "data": items, "paging": paging }))
}

pub fn threads(asked: &Asked, day: &Day, base: &str) -> Said {
    graph(asked, day, base, "canary-threads", |minutes| {
        json!({ "id": minutes.to_string(), "text": format!("My Acme kettle is burning {minutes}"), "permalink": format!("https://www.threads.net/@lea/post/{minutes}"),
            "timestamp": day.ago(minutes).strftime("%Y-%m-%dT%H:%M:%S+0000").to_string(), "username": "lea", "is_reply": false })
    })
}

pub fn facebook(asked: &Asked, day: &Day, base: &str) -> Said {
    if asked.path.contains("/tagged") {
        return Said::ok(json!({ "data": [] }));
    }
    graph(asked, day, base, "canary-facebook", |minutes| {
        let at = day.ago(minutes).strftime("%Y-%m-%dT%H:%M:%S+0000").to_string();
        let comment = json!({ "id": "1_c", "message": "It burned", "created_time": at, "from": { "name": "Mia", "id": "8" }, "like_count": 2 });
        // The first of the new things is a comment on the old post.
        match minutes {
            FIRST => {
                json!({ "id": "1_e", "message": "", "created_time": at, "permalink_url": "https://www.facebook.com/1/posts/e",
                "comments": { "data": [comment], "summary": { "total_count": 1 } } })
            }
            _ => {
                json!({ "id": format!("1_{minutes}"), "message": "Our Acme kettle", "created_time": at, "from": { "name": "Acme", "id": "1" },
                "permalink_url": format!("https://www.facebook.com/1/posts/{minutes}"), "reactions": { "summary": { "total_count": 6 } } })
            }
        }
    })
}

pub fn instagram(asked: &Asked, day: &Day, base: &str) -> Said {
    if asked.path.contains("/tags") {
        return Said::ok(json!({ "data": [] }));
    }
    graph(asked, day, base, "canary-instagram", |minutes| {
        json!({ "id": minutes.to_string(), "caption": "Our #acme kettle", "permalink": format!("https://www.instagram.com/p/{minutes}/"),
            "timestamp": day.ago(minutes).strftime("%Y-%m-%dT%H:%M:%S+0000").to_string(), "username": "acme", "like_count": 7, "comments_count": 1 })
    })
}

pub fn trustpilot(asked: &Asked, day: &Day, _: &str) -> Said {
    if !asked.head.contains("apikey: canary-trustpilot") {
        return Said::refused(401, json!({ "message": "Invalid ApiKey" }));
    }
    let second = asked.path.contains("&page=2");
    let review = |minutes: i64| {
        json!({ "id": format!("tp{minutes}"), "stars": 2, "title": "Burned", "text": "The Acme kettle burned my hand", "language": "en",
            "createdAt": day.ago(minutes).to_string(), "consumer": { "id": "c9", "displayName": "Ned", "countryCode": "GB" }, "numberOfLikes": 1 })
    };
    let mut reviews: Vec<Value> = on_page(day, second).into_iter().map(review).collect();
    if day.is_news() && !second {
        reviews.extend((1..100).map(|n| json!({ "id": n.to_string(), "createdAt": day.ago(SECOND).to_string() })));
    }
    Said::ok(json!({ "reviews": reviews }))
}

/// A page without a feed, whose site lets robots read it.
pub fn page(asked: &Asked, day: &Day, _: &str) -> Said {
    if asked.path == "/robots.txt" {
        return Said::ok(Value::String("User-agent: *\nDisallow: /\nAllow: /news$\n".into()));
    }
    let item = |minutes: i64| {
        format!(
            "<article class=\"news\"><h2><a href=\"/news/{minutes}\">Acme &amp; fire {minutes}</a></h2>\
             <time datetime=\"{}\">just now</time><p class=\"teaser\">The kettle <b>burns</b></p><p class=\"by\">Ola</p></article>",
            day.ago(minutes)
        )
    };
    let shown: &[i64] = if day.is_news() { &[SECOND, FIRST, OLD] } else { &[OLD] };
    let items: String = shown.iter().map(|minutes| item(*minutes)).collect();
    Said::ok(Value::String(format!("<!DOCTYPE html><html lang=\"en\"><body><nav>Menu</nav>{items}</body></html>")))
}

/// What is stored is asked for no more, and forgotten.
pub fn telegram(asked: &Asked, day: &Day, _: &str) -> Said {
    if !asked.path.starts_with("/bot11:canary-telegram/getUpdates?") {
        return Said::refused(401, json!({ "ok": false, "error_code": 401, "description": "Unauthorized" }));
    }
    let from: i64 = asked.path.rsplit_once("offset=").map_or(0, |(_, n)| n.parse().unwrap());
    let update = |(id, minutes): (i64, i64)| {
        json!({ "update_id": id, "message": { "message_id": 100 - minutes, "date": day.ago(minutes).as_second(),
            "text": format!("My Acme kettle burned {minutes}"), "from": { "id": 7, "first_name": "Pia", "username": "pia" },
            "chat": { "id": -1_001_234, "type": "supergroup", "title": "Kettles", "username": "kettles" } } })
    };
    let all = [(1, OLD), (2, FIRST), (3, SECOND)].into_iter().filter(|(id, _)| *id == 1 || day.is_news());
    let list: Vec<Value> = all.filter(|(id, _)| *id >= from).map(update).collect();
    Said::ok(json!({ "ok": true, "result": list }))
}

pub fn playstore(asked: &Asked, day: &Day, _: &str) -> Said {
    if asked.path == "/token" {
        return match asked.body.contains("assertion=ey") {
            true => Said::ok(json!({ "access_token": "jwt-early", "expires_in": 3599, "token_type": "Bearer" })),
            false => Said::refused(400, json!({ "error": "invalid_grant" })),
        };
    }
    if !asked.head.contains("authorization: bearer jwt-early") {
        return Said::refused(
            401,
            json!({ "error": { "code": 401, "message": "Request had invalid authentication credentials." } }),
        );
    }
    let second = asked.path.contains("token=n");
    let review = |minutes: i64| {
        json!({ "reviewId": format!("gp-{minutes}"), "authorName": "Quinn", "comments": [{ "userComment": {
            "text": "\tThe Acme app crashes", "lastModified": { "seconds": day.ago(minutes).as_second().to_string() }, "starRating": 2,
            "reviewerLanguage": "en", "thumbsUpCount": 4 } }] })
    };
    let reviews: Vec<Value> = on_page(day, second).into_iter().map(review).collect();
    let next = if day.is_news() && !second { json!({ "nextPageToken": "n" }) } else { json!({}) };
    Said::ok(json!({ "reviews": reviews, "tokenPagination": next }))
}

/// A place that is asked too much as soon as there is news.
pub fn busy(asked: &Asked, day: &Day, base: &str) -> Said {
    match day.is_news() {
        true => Said::refused(429, json!({ "error": "Too many requests" })).with("retry-after", "300"),
        false => discourse(
            &Asked { head: "api-key: canary-discourse".into(), path: asked.path.clone(), body: String::new() },
            day,
            base,
        ),
    }
}

/// A place that sends its readers into somebody's own network.
pub fn lure(_: &Asked, day: &Day, _: &str) -> Said {
    Said::refused(302, Value::Null).with("location", &format!("{}/secret", day.canary))
}
