//! Exports over HTTP: everything that a search finds, without a cap, in bounded memory.

use std::fs::File;
use std::io::Seek;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio::io::AsyncReadExt;

use super::find::{apart, unable};
use crate::ground::History;
use crate::index::{Found, IndexError, Search};
use crate::report::csv;
use crate::report::xlsx::Workbook;

/// Everything that is found, page by page, as it is found. Where it cannot go on it breaks off, so that half an export
/// is not taken for a whole one.
pub(super) fn stream(history: History, what: Search, as_csv: bool) -> Response {
    let pages = futures_util::stream::unfold(Some((what, true)), move |state| {
        let history = history.clone();
        async move {
            let (mut what, first) = state?;
            let mut out = Vec::new();
            let asked = what.clone();
            let found = match apart(move || history.search(&asked)).await {
                Ok(found) if found.hurried => {
                    return Some((Err(std::io::Error::other("the search took too long")), None));
                }
                Ok(found) => found,
                Err(e) => return Some((Err(std::io::Error::other(e)), None)),
            };
            if let Err(e) = written(&mut out, &found, first, as_csv) {
                return Some((Err(e), None));
            }
            let next = found.next.map(|next| {
                what.after = Some(next);
                (what, false)
            });
            Some((Ok(Bytes::from(out)), next))
        }
    });
    let kind = if as_csv { "text/csv; charset=utf-8" } else { "application/jsonl" };
    ([(header::CONTENT_TYPE, kind)], Body::from_stream(pages)).into_response()
}

/// Everything that is found as a workbook, which has to be whole before its first byte can be sent: it is made in a file
/// that is gone once it was read.
pub(super) async fn workbook(database: &Path, history: History, mut what: Search) -> Response {
    let folder = database.parent().unwrap_or(Path::new(".")).to_owned();
    let made = apart(move || {
        let wrong = |e: Box<dyn std::error::Error + Send + Sync>| IndexError::Fetch(e);
        let mut book = Workbook::in_folder(&folder).map_err(|e| wrong(e.into()))?;
        loop {
            let found = history.search(&what)?;
            if found.hurried {
                return Err(wrong("the search took too long".into()));
            }
            found.mentions.iter().try_for_each(|m| book.add(m)).map_err(|e| wrong(e.into()))?;
            match found.next {
                Some(next) => what.after = Some(next),
                None => break,
            }
        }
        let mut file = unnamed(&folder).map_err(|e| wrong(e.into()))?;
        book.save(&mut file).map_err(|e| wrong(e.into()))?;
        file.rewind().map_err(|e| wrong(e.into()))?;
        Ok(file)
    });
    let file = match made.await {
        Ok(file) => tokio::fs::File::from_std(file),
        Err(e) => return unable(&e),
    };
    let pieces = futures_util::stream::unfold(file, |mut file| async move {
        let mut piece = vec![0; 64 << 10];
        match file.read(&mut piece).await {
            Ok(0) => None,
            Ok(n) => {
                piece.truncate(n);
                Some((Ok(Bytes::from(piece)), file))
            }
            Err(e) => Some((Err(e), file)),
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"mentions.xlsx\""),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}

/// A file that has no name any more, so that it goes when it is closed, whatever happens.
fn unnamed(folder: &Path) -> std::io::Result<File> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = format!("export-{}-{}.tmp", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let path = folder.join(name);
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

fn written(out: &mut Vec<u8>, found: &Found, first: bool, as_csv: bool) -> std::io::Result<()> {
    if first && as_csv {
        csv::head(out)?;
    }
    for m in &found.mentions {
        if as_csv {
            csv::line(out, m)?;
        } else {
            serde_json::to_writer(&mut *out, m)?;
            out.push(b'\n');
        }
    }
    Ok(())
}
