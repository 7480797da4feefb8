//! The loudest voices of a letter: what strangers wrote, as text and nothing else.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::Brief;
use crate::channels::defang;
use crate::channels::words::Words;
use crate::model::Mention;

/// Graphemes of each quote.
const QUOTE: usize = 280;

/// One voice, with how many copies it has.
#[derive(Debug, Serialize)]
pub(super) struct Voice {
    place: String,
    network: String,
    author: String,
    reach: String,
    language: String,
    at: String,
    title: String,
    quote: String,
    link: String,
    mixed: bool,
    copies: usize,
    sites: usize,
    negative: bool,
}

/// What a letter shows of a mention's own words.
pub(in crate::channels) struct Shown {
    pub(in crate::channels) place: String,
    pub(in crate::channels) network: String,
    pub(in crate::channels) author: String,
    pub(in crate::channels) title: String,
    pub(in crate::channels) quote: String,
    pub(in crate::channels) link: Option<defang::DefangedLink>,
}

/// What a letter shows of a mention's own words.
pub(in crate::channels) fn shown(m: &Mention) -> Shown {
    let who = if m.author.name.is_empty() { &m.author.handle } else { &m.author.name };
    Shown {
        place: defang::words(if m.site.is_empty() { &m.source } else { &m.site }, 60),
        network: defang::words(&m.network, 20),
        author: defang::words(who, 40),
        title: defang::words(&m.title, 120),
        quote: defang::words(&m.text, QUOTE),
        link: defang::link(&m.url),
    }
}

/// The loudest mentions, one for each story, with how many copies it has.
pub(super) fn voices(brief: &Brief<'_>, words: &Words, zone: &TimeZone, most: usize) -> Vec<Voice> {
    let mut leads: Vec<&Mention> = Vec::new();
    for m in brief.mentions {
        if leads.len() < most && !leads.iter().any(|l| l.story == m.story) {
            leads.push(m);
        }
    }
    let voice = |m: &&Mention| {
        let same = || brief.mentions.iter().filter(|c| c.story == m.story);
        let mut sites: Vec<&str> = same().map(|c| c.site.as_str()).collect();
        sites.sort_unstable();
        sites.dedup();
        let Shown { place, network, author, title, quote, link } = shown(m);
        Voice {
            place,
            network,
            author,
            reach: words.number(m.reach),
            language: m.language.clone(),
            at: words.time(m.at, zone),
            title,
            quote,
            mixed: link.as_ref().is_some_and(|l| l.mixed_script),
            link: link.map(|l| l.shown).unwrap_or_default(),
            copies: same().count().saturating_sub(1),
            sites: sites.len(),
            negative: m.is_negative(),
        }
    };
    leads.iter().map(voice).collect()
}
