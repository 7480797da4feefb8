//! A source asked now, as if for the first time: what would be kept of it. Nothing is stored.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{Paint, Refused, Verdict, runtime, safe, warn};
use super::named;
use crate::config::Config;
use crate::config::fault::suggest;
use crate::ground::Clock;
use crate::model::Capture;
use crate::sources::live::{Ear, Live, Said};
use crate::sources::{Brought, FetchError, Http, Limits, Named};
use crate::text::clean::{MAX_TEXT, html_to_text, plain_text};

/// How long a source that stays connected is listened to.
const LISTENS: std::time::Duration = std::time::Duration::from_secs(10);

/// Asks a source and shows the newest of what it told; the answer is no where it cannot be read.
pub(super) fn probe(file: Option<&Path>, name: &str, limit: usize, json: bool) -> anyhow::Result<Verdict> {
    let Some((config, named)) = named(file)? else { return Ok(Verdict::Wrong) };
    let Some(source) = named.iter().find(|n| n.name == name) else {
        let help = suggest(name, named.iter().map(|n| n.name.as_str()));
        return Err(Refused(format!("there is no source `{name}`: {help}")).into());
    };
    match ask(&config, source)? {
        Ok(brought) if json => say!("{}", as_json(&brought, limit)),
        Ok(brought) => show(source, &brought, limit),
        Err(e) => {
            warn(&format!("{}: {}", source.name, told(&e)));
            let remedy = FetchError::remedy(e.class());
            if !remedy.is_empty() {
                warn(&format!("→ {remedy}"));
            }
            return Ok(Verdict::No);
        }
    }
    Ok(Verdict::Done)
}

fn ask(config: &Config, source: &Named) -> anyhow::Result<Result<Brought, FetchError>> {
    let limits = Limits { max_body: config.fetch.max_body, ..Limits::default() };
    let http = Http::new(&config.fetch.contact, limits)?;
    let now = Clock::System.now();
    runtime()?.block_on(async {
        let brought = source.source.fetch(&http, &Value::Null, now).await;
        match (brought, source.source.live()) {
            (Ok(brought), Some(live)) => Ok(listen(&http, live, brought, now).await),
            (brought, _) => Ok(brought),
        }
    })
}

/// Listens for a while as well, where the source stays connected.
async fn listen(http: &Http, live: &dyn Live, mut brought: Brought, now: Timestamp) -> Result<Brought, FetchError> {
    let (ear, mut queue) = tokio::sync::mpsc::channel(64);
    let ear = Ear::new(0, ear);
    let mut listening = live.listen(http, &Value::Null, &ear, now);
    let enough = tokio::time::sleep(LISTENS);
    tokio::pin!(enough);
    loop {
        tokio::select! {
            why = &mut listening => return Err(why),
            Some((_, said)) = queue.recv() => if let Said::Heard(heard) = said {
                brought.captures.extend(heard.captures);
            },
            () = &mut enough => return Ok(brought),
        }
    }
}

/// A failure with what lies behind it.
fn told(e: &FetchError) -> String {
    let mut said = e.to_string();
    let mut cause = std::error::Error::source(e);
    while let Some(inner) = cause {
        said = format!("{said}: {inner}");
        cause = inner.source();
    }
    safe(&said, 500)
}

/// The newest first; what has no date comes last, in its own order.
fn newest(brought: &Brought, limit: usize) -> Vec<&Capture> {
    let mut all: Vec<&Capture> = brought.captures.iter().collect();
    all.sort_by_key(|c| std::cmp::Reverse(c.published));
    all.truncate(limit);
    all
}

fn text_of(c: &Capture, raw: &str) -> String {
    if c.html { html_to_text(raw, MAX_TEXT) } else { plain_text(raw, MAX_TEXT) }
}

fn show(source: &Named, brought: &Brought, limit: usize) {
    let paint = Paint::new();
    for c in newest(brought, limit) {
        let at =
            c.published.map_or_else(|| "no date         ".to_owned(), |p| p.strftime("%Y-%m-%d %H:%M").to_string());
        let who = [&c.author.name, &c.author.handle].into_iter().find(|w| !w.is_empty()).map_or("", String::as_str);
        let title = c.title.as_deref().map(|t| text_of(c, t)).filter(|t| !t.is_empty());
        say!("{}  {}", paint.dim(&at), paint.bold(&safe(title.as_deref().unwrap_or(who), 100)));
        let text = safe(&text_of(c, &c.text), 200);
        if !text.is_empty() {
            say!("                  {text}");
        }
        let mut facts = vec![c.network.clone()];
        let mut add = |name: &str, value: String| {
            if !value.is_empty() {
                facts.push(format!("{name}{}", safe(&value, 60)));
            }
        };
        add("", c.kind.clone());
        add("by ", who.to_owned());
        add("in ", c.channel.clone());
        add("followers ", c.author.followers.map(|n| n.to_string()).unwrap_or_default());
        add("engagement ", c.engagement.map(|n| n.to_string()).unwrap_or_default());
        add("stars ", c.rating.map(|n| n.to_string()).unwrap_or_default());
        add("language ", c.language.clone().unwrap_or_default());
        add("country ", c.country.clone());
        say!("                  {}", paint.dim(&facts.join(" · ")));
        if let Some(url) = &c.url {
            say!("                  {}", paint.dim(&safe(url, 200)));
        }
    }
    let skipped = match brought.skipped_total {
        0 => String::new(),
        n => format!(", {n} left out: {}", safe(&brought.skipped.join("; "), 200)),
    };
    let quota = brought.quota.map(|q| format!(", {} requests left", q.left)).unwrap_or_default();
    say!(
        "{} ({}) tells {} things now{skipped}{quota}. Nothing was stored.",
        source.name,
        source.kind,
        brought.captures.len()
    );
    if let Some(why) = &brought.degraded {
        say!("{} {}", paint.warm("Not all of it could be read:"), safe(why, 300));
    }
}

fn as_json(brought: &Brought, limit: usize) -> Value {
    let one = |c: &Capture| {
        json!({
            "id": c.native_id, "url": c.url, "title": c.title.as_deref().map(|t| text_of(c, t)), "text": text_of(c, &c.text),
            "author": c.author.name, "handle": c.author.handle, "followers": c.author.followers, "verified": c.author.verified,
            "published": c.published, "language": c.language, "network": c.network, "reach": c.reach, "engagement": c.engagement,
            "kind": c.kind, "channel": c.channel, "country": c.country, "tags": c.tags, "rating": c.rating,
            "parent": c.parent, "thread": c.thread,
        })
    };
    json!({
        "mentions": newest(brought, limit).into_iter().map(one).collect::<Vec<_>>(), "total": brought.captures.len(),
        "skipped": brought.skipped, "skipped_total": brought.skipped_total, "degraded": brought.degraded,
        "quota_left": brought.quota.map(|q| q.left),
    })
}
