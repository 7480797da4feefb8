//! Lists of feeds from and for other readers: OPML to `[[source]]` tables and back.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use anyhow::Context;

use super::super::{Refused, Verdict, warn};
use super::named;
use crate::model::time::Span;
use crate::sources::opml::{self, Subscription};

/// Longest part of a name that comes from a title.
const LONGEST_NAME: usize = 48;

/// What the list itself does not say of its feeds.
#[derive(Debug)]
pub(super) struct Defaults {
    pub every: Option<String>,
    pub network: Option<String>,
    pub language: Option<String>,
}

/// Writes the feeds of a list as tables, without those that the settings have already.
pub(super) fn import(
    file: Option<&Path>,
    list: &Path,
    into: Option<&Path>,
    defaults: &Defaults,
) -> anyhow::Result<Verdict> {
    if let Some(wrong) = defaults.every.as_deref().and_then(|e| Span::parse(e).err()) {
        return Err(Refused(format!("--every: {wrong}")).into());
    }
    let Some((_, known)) = named(file)? else { return Ok(Verdict::Wrong) };
    let bytes = std::fs::read(list).with_context(|| format!("cannot read {}", list.display()))?;
    let (feeds, odd) =
        opml::read(&String::from_utf8_lossy(&bytes)).map_err(|why| Refused(format!("{}: {why}", list.display())))?;
    let total = feeds.len();
    let read: HashSet<&str> = known.iter().filter_map(|n| n.source.feed()).collect();
    let new: Vec<Subscription> = feeds.into_iter().filter(|f| !read.contains(f.url.as_str())).collect();
    let names: HashSet<String> = known.iter().map(|n| n.name.clone()).collect();
    let tables = tables(&new, names, defaults);
    let mut end = format!("{} feeds", new.len());
    if total > new.len() {
        end += &format!(", {} more were there already", total - new.len());
    }
    if odd > 0 {
        end += &format!(", {odd} have no web address");
    }
    match into {
        None => say!("{}", tables.trim_end()),
        Some(path) => {
            append(path, &tables)?;
            let name = path.display();
            end += &format!(" written to {name}; vakt reads it where the settings say source_files = [\"{name}\"]");
        }
    }
    warn(&end);
    Ok(Verdict::Done)
}

/// Writes the feeds of the settings as a list.
pub(super) fn export(file: Option<&Path>) -> anyhow::Result<Verdict> {
    let Some((_, named)) = named(file)? else { return Ok(Verdict::Wrong) };
    let feeds: Vec<Subscription> = named
        .iter()
        .filter_map(|n| Some(Subscription { title: n.name.clone(), url: n.source.feed()?.to_owned(), language: None }))
        .collect();
    say!("{}", opml::write("Feeds of vakt", &feeds).trim_end());
    Ok(Verdict::Done)
}

/// Writes tables at the end of a file.
pub(super) fn append(path: &Path, tables: &str) -> anyhow::Result<()> {
    let open = std::fs::File::options().create(true).append(true).open(path);
    open.and_then(|mut f| f.write_all(tables.as_bytes())).with_context(|| format!("cannot write {}", path.display()))
}

fn tables(feeds: &[Subscription], mut names: HashSet<String>, defaults: &Defaults) -> String {
    let mut out = String::new();
    for feed in feeds {
        let name = name_of(&feed.title, &feed.url, &mut names);
        let mut line = |key: &str, value: Option<&str>| {
            if let Some(value) = value {
                out.push_str(&format!("{key} = {}\n", toml::Value::from(value)));
            }
        };
        line("[[source]]\nkind", Some("feed"));
        line("name", Some(&name));
        line("url", Some(&feed.url));
        line("every", defaults.every.as_deref());
        line("network", defaults.network.as_deref());
        line("language", feed.language.as_deref().or(defaults.language.as_deref()));
        out.push('\n');
    }
    out
}

/// A name that no other source has: of the title, else of the host.
pub(super) fn name_of(title: &str, url: &str, names: &mut HashSet<String>) -> String {
    let host = || url::Url::parse(url).ok().and_then(|u| u.host_str().map(str::to_owned)).unwrap_or_default();
    let plain = [plain(title), plain(&host())].into_iter().find(|p| !p.is_empty());
    let plain = plain.unwrap_or_else(|| "feed".to_owned());
    let mut name = plain.clone();
    let mut n = 2;
    while !names.insert(name.clone()) {
        name = format!("{plain}-{n}");
        n += 1;
    }
    name
}

/// Lower-case letters a to z, digits and hyphens: what is left of a title's letters without their marks.
fn plain(title: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let letters =
        title.nfkd().flat_map(char::to_lowercase).filter(|c| !unicode_normalization::char::is_combining_mark(*c));
    let words: String = letters.map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let words = words.split('-').filter(|w| !w.is_empty()).collect::<Vec<_>>().join("-");
    words.chars().take(LONGEST_NAME).collect::<String>().trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sheet;

    #[test]
    fn tables_of_a_list_are_settings() {
        let feed = |title: &str, url: &str| Subscription { title: title.into(), url: url.into(), language: None };
        let feeds = [
            feed("Göteborgs-Posten: Näringsliv", "https://gp.example/rss?a=\"1\""),
            feed("Göteborgs-Posten / Näringsliv", "https://gp.example/2"),
            feed("新聞", "https://news.example/feed"),
            feed("known", "https://k.example/"),
        ];
        let defaults =
            Defaults { every: Some("10m".into()), network: Some("blog".into()), language: Some("sv".into()) };
        let text = tables(&feeds, HashSet::from(["known".to_owned()]), &defaults);
        let named = crate::sources::read(&Sheet::new("feeds.toml", text), &[]).expect("they can be read");
        let names: Vec<&str> = named.iter().map(|n| n.name.as_str()).collect();
        assert_eq!(names, ["goteborgs-posten-naringsliv", "goteborgs-posten-naringsliv-2", "news-example", "known-2"]);
        assert_eq!(named[0].source.feed(), Some("https://gp.example/rss?a=\"1\""));
        assert!(named.iter().all(|n| n.every == Some(Span::mins(10))));
    }
}
