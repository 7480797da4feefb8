//! `lexicon/*.toml`: the house's own words, and how far sites reach.

use std::collections::HashMap;

use crate::config::written::Form;

/// What the house knows better than any lexicon.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct House {
    /// Words and phrases with the sentiment that they have here, −1..1.
    pub sentiment: Vec<(String, f32)>,
    /// Sites by host.
    pub sites: HashMap<String, Site>,
}

/// How much a site weighs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Site {
    /// 1 (national press) to 3; 0 where nothing is known.
    pub tier: u8,
    /// People whom one article reaches.
    pub reach: u64,
}

impl House {
    /// What is known of a host, or of the domain that it belongs to.
    pub fn site(&self, host: &str) -> Site {
        let mut rest = Some(host);
        while let Some(name) = rest {
            if let Some(site) = self.sites.get(name) {
                return *site;
            }
            rest = name.split_once('.').map(|(_, domain)| domain).filter(|d| d.contains('.'));
        }
        Site::default()
    }
}

pub(super) fn read(form: Form<'_>, out: &mut House) {
    if let Some(words) = form.table("sentiment", "[sentiment] table") {
        for (word, value) in words.numbers() {
            if (-1.0..=1.0).contains(&value) {
                out.sentiment.push((word.value.to_lowercase(), value as f32));
            } else {
                form.desk.error(
                    word.span,
                    format!("the sentiment of `{}` is out of range", word.value),
                    "use -1.0 to 1.0",
                );
            }
        }
    }
    // A word that is ignored has no sentiment.
    out.sentiment.extend(form.texts("ignore").into_iter().map(|w| (w.value.to_lowercase(), 0.0)));
    for site in form.tables("site", "site") {
        let host = site.must_text("host");
        let tier = site.number("tier", 0..=3).map_or(0, |t| u8::try_from(t.value).unwrap_or(0));
        let reach = site.number("reach", 0..=i64::MAX).map_or(0, |r| u64::try_from(r.value).unwrap_or(0));
        if let Some(host) = host {
            out.sites.insert(host.value.trim_start_matches("www.").to_lowercase(), Site { tier, reach });
        }
        site.finish();
    }
    form.finish();
}
