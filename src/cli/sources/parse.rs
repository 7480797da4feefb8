//! Feed documents from files: what they yield, so that anybody can check how vakt reads a feed.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::{Paint, Verdict, safe, warn};
use crate::model::Capture;
use crate::sources::feed::{Document, read_document};
use crate::text::clean::{MAX_TEXT, MAX_TITLE, html_to_text, one_line};

/// Reads each file and shows it, as JSON one a line; the answer is no where one is no feed.
pub(super) fn parse(files: &[PathBuf], base: &str, as_json: bool) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::Done;
    for file in files {
        let read = std::fs::read(file).map_err(|e| e.to_string());
        let read = read.and_then(|bytes| read_document(&bytes, None, base, "news", None).map_err(|e| e.to_string()));
        match read {
            Ok(document) if as_json => say!("{}", whole(file, &document)),
            Ok(document) => show(file, &document),
            Err(why) => {
                verdict = Verdict::No;
                match as_json {
                    true => say!("{}", json!({ "file": file.display().to_string(), "error": why })),
                    false => warn(&format!("{}: {why}", file.display())),
                }
            }
        }
    }
    Ok(verdict)
}

fn title_of(c: &Capture) -> Option<String> {
    c.title.as_deref().map(|t| one_line(&html_to_text(t, MAX_TITLE), MAX_TITLE)).filter(|t| !t.is_empty())
}

fn whole(file: &Path, document: &Document) -> Value {
    let entry = |c: &Capture| {
        json!({
            "id": c.native_id,
            "title": title_of(c),
            "link": c.url,
            "author": Some(&c.author.name).filter(|n| !n.is_empty()),
            "published": c.published,
            "updated": c.updated,
            "text": html_to_text(&c.text, MAX_TEXT),
            "html": c.text,
        })
    };
    let degraded: Vec<&String> = document.degraded.iter().chain(&document.skipped).collect();
    json!({
        "file": file.display().to_string(),
        "format": document.format,
        "title": document.title.as_deref().map(|t| one_line(&html_to_text(t, MAX_TITLE), MAX_TITLE)),
        "link": document.link,
        "language": document.language,
        "entries": document.captures.iter().map(entry).collect::<Vec<_>>(),
        "degraded": degraded,
    })
}

fn show(file: &Path, document: &Document) {
    let paint = Paint::new();
    let title = document.title.as_deref().map(|t| html_to_text(t, MAX_TITLE)).unwrap_or_default();
    let (name, entries) = (file.display().to_string(), document.captures.len());
    say!("{}  {} ({}, {entries} entries)", paint.bold(&name), safe(&title, 80), document.format);
    for c in &document.captures {
        let at =
            c.published.map_or_else(|| "no date         ".to_owned(), |p| p.strftime("%Y-%m-%d %H:%M").to_string());
        let text = title_of(c).unwrap_or_else(|| html_to_text(&c.text, MAX_TITLE));
        say!("  {}  {}", paint.dim(&at), safe(&text, 100));
        if let Some(url) = &c.url {
            say!("                    {}", paint.dim(&safe(url, 200)));
        }
    }
    for why in document.degraded.iter().chain(&document.skipped) {
        say!("  {} {}", paint.warm("not whole:"), safe(why, 200));
    }
}
