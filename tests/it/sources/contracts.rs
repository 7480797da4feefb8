//! Two places that let in whoever has a contract: a search that is asked by POST, and notifications in brackets.

use serde_json::{Value, json};

use super::apis::{FIRST, SECOND, missing, on_page};
use super::site::{Asked, Day, Said};

pub fn tiktok(asked: &Asked, day: &Day, _: &str) -> Said {
    // The token that was given before there was news is over by then.
    let token = if day.is_news() { "later" } else { "early" };
    if asked.path == "/v2/oauth/token/" {
        let right = "client_key=vakt-client&client_secret=canary-tiktok&grant_type=client_credentials";
        return match asked.body == right {
            true => Said::ok(json!({ "access_token": token, "expires_in": 7200, "token_type": "Bearer" })),
            false => Said::ok(
                json!({ "error": "invalid_client", "error_description": "Client key or secret is incorrect." }),
            ),
        };
    }
    let refused = |status: u16, code: &str, message: &str| {
        Said::refused(status, json!({ "data": {}, "error": { "code": code, "message": message, "log_id": "2026" } }))
    };
    if !asked.head.contains(&format!("authorization: bearer {token}")) {
        return refused(401, "access_token_invalid", "The access token is invalid or not found in the request.");
    }
    let sent: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    let today = day.ago(0).strftime("%Y%m%d").to_string();
    let dated = sent["start_date"].as_str() < Some(today.as_str()) && sent["end_date"].as_str() >= Some(today.as_str());
    let words = json!([{ "operation": "IN", "field_name": "hashtag_name", "field_values": ["acme"] },
        { "operation": "IN", "field_name": "keyword", "field_values": ["acme"] }]);
    if !asked.head.starts_with("post /v2/research/video/query/?fields=id%2c") || !dated || sent["query"]["or"] != words
    {
        return refused(400, "invalid_params", "The request lacks dates or words.");
    }
    let second = sent["cursor"] == 100 && sent["search_id"] == "7201388525814961198";
    let video = |minutes: i64| {
        json!({ "id": 7_213_456_789_012_345_000_i64 - minutes, "video_description": format!("My Acme kettle {minutes} #acme"),
            "create_time": day.ago(minutes).as_second(), "region_code": "SE", "username": "rut", "voice_to_text": "it burned down",
            "hashtag_names": ["acme"], "like_count": 5, "comment_count": 2, "share_count": 1, "view_count": 900 })
    };
    let videos: Vec<Value> = on_page(day, second).into_iter().map(video).collect();
    let more = day.is_news() && !second;
    let data = json!({ "videos": videos, "cursor": 100, "search_id": "7201388525814961198", "has_more": more });
    Said::ok(json!({ "data": data, "error": { "code": "ok", "message": "", "log_id": "2026" } }))
}

pub fn linkedin(asked: &Asked, day: &Day, _: &str) -> Said {
    if !asked.head.contains("authorization: bearer canary-linkedin") {
        let words = "The token used in the request has expired";
        return Said::refused(
            401,
            json!({ "status": 401, "serviceErrorCode": 65602, "code": "EXPIRED_ACCESS_TOKEN", "message": words }),
        );
    }
    if !asked.head.contains("linkedin-version: 202607") || !asked.head.contains("x-restli-protocol-version: 2.0.0") {
        return Said::refused(
            400,
            json!({ "status": 400, "code": "VERSION_MISSING", "message": "A version must be present." }),
        );
    }
    if !asked.path.contains("actions=List(COMMENT,") || !asked.path.contains("=urn%3Ali%3Aorganization%3A96&") {
        return missing("actions and organizationalEntity");
    }
    if day.is_news() && !asked.path.contains("&timeRange=(start:") {
        return missing("timeRange");
    }
    let second = asked.path.ends_with("&start=50");
    let notification = |minutes: i64| {
        let at = day.ago(minutes).as_millisecond();
        match minutes {
            FIRST => {
                json!({ "action": "SHARE_MENTION", "lastModifiedAt": at, "sourcePost": "urn:li:share:90", "generatedActivity": "urn:li:share:90",
                "decoratedSourcePost": { "owner": "urn:li:person:siv", "text": "Never buy an Acme kettle again, it burned my kitchen", "entity": "urn:li:share:90" } })
            }
            _ => {
                json!({ "notificationId": minutes, "action": "COMMENT", "lastModifiedAt": at, "organizationalEntity": "urn:li:organization:96",
                "sourcePost": "urn:li:activity:70", "generatedActivity": format!("urn:li:comment:(urn:li:activity:70,{minutes})"),
                "decoratedGeneratedActivity": { "comment": { "owner": "urn:li:person:tor", "text": format!("The Acme kettle burned {minutes}") } } })
            }
        }
    };
    let mut elements: Vec<Value> = on_page(day, second).into_iter().map(notification).collect();
    if day.is_news() && !second {
        // A page is full, even where all but one of its notifications are of no use.
        let like = json!({ "action": "LIKE", "lastModifiedAt": day.ago(SECOND).as_millisecond() });
        elements.resize(50, like);
    }
    Said::ok(json!({ "paging": { "start": 0, "count": 50, "links": [] }, "elements": elements }))
}
