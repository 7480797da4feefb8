//! The public sets that the shipped tables are made from: which file, in which language, and how much it counts.
//!
//! Only sets whose terms let a model be made of them stand here; others are for measuring.

use super::feelings::{Example, Said};
use crate::text::sentiment::Label;

/// A file of labelled texts below the directory of the sets.
#[derive(Debug, Clone, Copy)]
pub struct Set {
    /// Name of the folder.
    pub name: &'static str,
    /// File below it.
    pub file: &'static str,
    /// Language of its texts.
    pub language: &'static str,
    /// It has no neutral texts.
    pub two: bool,
    /// How much a text of it counts.
    pub weight: f32,
}

const fn set(name: &'static str, file: &'static str, language: &'static str, two: bool, weight: f32) -> Set {
    Set { name, file, language, two, weight }
}

/// All sets. Subtitles (xed) are short, foreign to the matter and projected from English: they count little, and a little
/// more where a language has no others. Spanish tweets of the Mozetič set are mostly noise. Portuguese has no relatives
/// with many texts; its tweets count more.
pub const SETS: &[Set] = &[
    set("umsab", "de.train.tsv", "de", false, 1.0),
    set("umsab", "de.val.tsv", "de", false, 1.0),
    set("umsab", "en.train.tsv", "en", false, 1.0),
    set("umsab", "en.val.tsv", "en", false, 1.0),
    set("umsab", "es.train.tsv", "es", false, 1.0),
    set("umsab", "es.val.tsv", "es", false, 1.0),
    set("umsab", "fr.train.tsv", "fr", false, 1.0),
    set("umsab", "fr.val.tsv", "fr", false, 1.0),
    set("umsab", "it.train.tsv", "it", false, 1.0),
    set("umsab", "it.val.tsv", "it", false, 1.0),
    set("umsab", "pt.train.tsv", "pt", false, 1.0),
    set("umsab", "pt.val.tsv", "pt", false, 1.0),
    set("tweeteval-sentiment", "en.train-semeval2013-2016.tsv", "en", false, 1.0),
    set("tweeteval-sentiment", "en.val.tsv", "en", false, 1.0),
    set("swe-sentiment", "sv.dev.tsv", "sv", false, 1.0),
    set("mozetic-twitter", "sv.dev.tsv", "sv", true, 1.0),
    set("mozetic-twitter", "de.dev.tsv", "de", true, 1.0),
    set("mozetic-twitter", "pl.dev.tsv", "pl", true, 1.0),
    set("mozetic-twitter", "pt.dev.tsv", "pt", true, 1.5),
    set("mozetic-twitter", "es.dev.tsv", "es", true, 0.1),
    set("norec-sentence", "no.train.tsv", "no", false, 1.0),
    set("norec-sentence", "no.dev.tsv", "no", false, 1.0),
    set("danish-valence", "da.dev.tsv", "da", false, 1.0),
    set("germeval2017", "de.dev.tsv", "de", false, 1.0),
    set("xed", "sv.dev.tsv", "sv", true, 0.15),
    set("xed", "da.dev.tsv", "da", true, 0.15),
    set("xed", "no.dev.tsv", "no", true, 0.15),
    set("xed", "nl.dev.tsv", "nl", true, 0.3),
    set("xed", "pl.dev.tsv", "pl", true, 0.15),
    set("xed", "de.dev.tsv", "de", true, 0.15),
    set("xed", "es.dev.tsv", "es", true, 0.15),
    set("xed", "fr.dev.tsv", "fr", true, 0.15),
    set("xed", "it.dev.tsv", "it", true, 0.15),
    set("xed", "pt.dev.tsv", "pt", true, 0.15),
    set("xed", "fi.dev.tsv", "fi", true, 0.3),
    set("xed", "en.dev.tsv", "en", true, 0.15),
    set("complaints", "en.dev.tsv", "en", true, 1.0),
];

impl Set {
    /// An example of the set, from the label and the text of a row. `None` for a label that no set has.
    pub fn example(&self, label: &str, text: &str) -> Option<Example> {
        let said = match label {
            "negative" => Said::Feels(Label::Negative),
            "neutral" => Said::Feels(Label::Neutral),
            "positive" => Said::Feels(Label::Positive),
            "complaint" => Said::Complains(true),
            "other" => Said::Complains(false),
            _ => return None,
        };
        let text = mended(text);
        Some(Example { set: self.name, language: self.language, said, two: self.two, weight: self.weight, text })
    }
}

/// The sets write `http` for addresses, and some keep the escapes of the files that they were made from.
pub fn mended(text: &str) -> String {
    let mut out = text.replace("\\\"", "\"");
    for (escape, sign) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")] {
        out = out.replace(escape, sign);
    }
    while let Some((at, c)) = escaped(&out) {
        out.replace_range(at..at + 6, c.encode_utf8(&mut [0; 4]));
    }
    let words: Vec<&str> = out.split(' ').map(|w| if w == "http" { "http://a.example" } else { w }).collect();
    words.join(" ")
}

/// The first `\u2019` of a text, and the character that it stands for.
fn escaped(text: &str) -> Option<(usize, char)> {
    text.match_indices("\\u").find_map(|(at, _)| {
        let code = u32::from_str_radix(text.get(at + 2..at + 6)?, 16).ok()?;
        Some((at, char::from_u32(code).filter(|c| *c != '\\')?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_mended() {
        assert_eq!(mended("I\\u2019m \\\"in\\\" &amp; out http"), "I’m \"in\" & out http://a.example");
        assert_eq!(mended("C:\\users \\u00"), "C:\\users \\u00");
    }
}
