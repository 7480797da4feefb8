//! Made-up mentions, the same for every run: words of the demo's own five languages mixed with rare ones, some 300 bytes
//! a text, four tenths with a title, brands by Zipf.

use std::collections::BTreeMap;
use std::path::Path;

/// One mention as it is pushed, and its parts for the peers.
#[derive(Debug, Clone)]
pub struct Made {
    pub id: u64,
    pub title: String,
    pub text: String,
    pub language: &'static str,
    pub handle: String,
    pub site: String,
    pub network: &'static str,
    /// Milliseconds since 1970.
    pub at: i64,
    pub followers: u64,
}

impl Made {
    /// The line that is pushed.
    pub fn json(&self) -> String {
        let published = jiff::Timestamp::from_millisecond(self.at).unwrap().to_string();
        serde_json::json!({
            "id": self.id.to_string(), "url": format!("https://{}/{}", self.site, self.id), "title": self.title,
            "text": self.text, "author": { "name": self.handle, "handle": self.handle, "followers": self.followers },
            "published": published, "network": self.network,
        })
        .to_string()
    }
}

/// A source of numbers that look random and are the same in every run.
#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Draw {
        Draw(seed | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() >> 11).unwrap() % n.max(1)
    }

    /// 0 is drawn most often, about as Zipf says.
    pub fn zipf(&mut self, n: usize) -> usize {
        let unit = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        let x = ((n as f64 + 1.0).powf(unit) - 1.0).floor();
        (x as usize).min(n - 1)
    }
}

/// Makes mentions.
#[derive(Debug, Clone)]
pub struct Corpus {
    words: BTreeMap<&'static str, Vec<String>>,
    draw: Draw,
    next: u64,
    end: i64,
}

/// What arrives was published within the last ten minutes, as most is.
const AGE: usize = 600_000;

const LANGUAGES: [(&str, usize); 5] = [("en", 50), ("sv", 15), ("de", 15), ("es", 10), ("it", 10)];
const NETWORKS: [&str; 6] = ["x", "mastodon", "news", "forum", "reddit", "blog"];
/// Brands that texts name.
pub const BRANDS: usize = 5000;

/// The name of a brand: two syllables that no language has as a word, and a number.
pub fn brand(n: usize) -> String {
    format!("brandx{n}")
}

impl Corpus {
    /// From a seed, with event times shortly before `end`.
    pub fn new(seed: u64, end: i64) -> Corpus {
        let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/demo/recording.jsonl");
        let mut words: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for line in std::fs::read_to_string(recording).unwrap().lines() {
            let told: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = told.get("text").and_then(|t| t.as_str()).unwrap_or("");
            let language = told.get("language").and_then(|l| l.as_str()).unwrap_or("en");
            let Some((language, _)) = LANGUAGES.iter().find(|(l, _)| *l == language) else { continue };
            words.entry(language).or_default().extend(text.split_whitespace().map(str::to_owned));
        }
        assert_eq!(words.len(), LANGUAGES.len(), "the recording has texts in every language");
        Corpus { words, draw: Draw::new(seed), next: 0, end }
    }

    fn sentence(&mut self, language: &'static str, length: usize) -> String {
        let mut out = String::new();
        let list = &self.words[language];
        // Pieces of real sentences keep a language's look; rare words keep the dictionary of an index growing.
        while out.len() < length {
            if !out.is_empty() {
                out.push(' ');
            }
            match self.draw.below(10) {
                0 => {
                    let rare = self.draw.zipf(400_000);
                    out.push_str(["kra", "lo", "vi", "sten", "mur", "ona"][rare % 6]);
                    out.push_str(["dis", "pen", "tor", "gal", "fre"][rare / 6 % 5]);
                    out.push_str(&format!("{:x}", rare / 30));
                }
                _ => {
                    let from = self.draw.below(list.len().saturating_sub(4));
                    out.push_str(&list[from..from + 4].join(" "));
                }
            }
        }
        out
    }
}

impl Iterator for Corpus {
    type Item = Made;

    fn next(&mut self) -> Option<Made> {
        let mut pick = self.draw.below(100);
        let (language, _) = LANGUAGES
            .iter()
            .find(|(_, share)| {
                let here = pick < *share;
                pick = pick.saturating_sub(*share);
                here
            })
            .copied()
            .unwrap_or(LANGUAGES[0]);
        let length = [80, 140, 180, 240, 280, 300, 380, 450, 600][self.draw.below(9)];
        let brand = brand(self.draw.zipf(BRANDS));
        let text = format!("{brand} {}", self.sentence(language, length));
        let title = if self.draw.below(10) < 4 { self.sentence(language, 50) } else { String::new() };
        let author = self.draw.zipf(50_000);
        let made = Made {
            id: self.next,
            title,
            text,
            language,
            handle: format!("author{author}"),
            site: format!("site{}.example", self.draw.zipf(2000)),
            network: NETWORKS[self.draw.below(NETWORKS.len())],
            at: self.end - i64::try_from(self.draw.below(AGE)).unwrap(),
            followers: u64::try_from(author).unwrap(),
        };
        self.next += 1;
        Some(made)
    }
}
