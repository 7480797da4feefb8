//! How long a text is where it is published, counted as each network counts it.
//!
//! X: twitter-text, configuration v3 (280 in all; code points up to U+10FF and some punctuation weigh one, others and
//! every emoji two, an address 23). Bluesky: lexicon `app.bsky.feed.post` (300 graphemes, 3,000 bytes). Mastodon 4,
//! `StatusLengthValidator` (500 graphemes, an address 23, a mention without its server). Threads API (500, an emoji as many
//! as its bytes). LinkedIn Posts API (3,000). Instagram and TikTok captions (2,200). YouTube Data API v3 (description: 5,000
//! bytes). Facebook posts (63,206). Text messages: 3GPP TS 23.038 (160 signs of GSM-7, or 70 of UCS-2; 153 and 67 each in a
//! message of parts).

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::model::Network;

/// How long a text is and may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Length {
    /// How long it is.
    pub used: usize,
    /// How long it may be.
    pub most: usize,
    /// What is counted, such as `graphemes`.
    pub unit: &'static str,
}

impl Length {
    /// Whether it may be published.
    pub fn fits(&self) -> bool {
        self.used <= self.most
    }
}

/// What an address counts on X and on Mastodon, however long it is.
const ADDRESS: usize = 23;
/// Most parts of a text message: each of them costs, and old telephones show them one by one.
const PARTS: usize = 3;

/// How long a text is on a network.
pub fn measure(text: &str, network: Network) -> Length {
    let text = text.trim();
    let length = |used, most, unit| Length { used, most, unit };
    match network {
        Network::X => length(weighed(text), 280, "weighted characters"),
        Network::Bluesky => match text.len() > 3000 {
            true => length(text.len(), 3000, "bytes"),
            false => length(text.graphemes(true).count(), 300, "graphemes"),
        },
        Network::Mastodon => length(tooted(text), 500, "characters"),
        Network::Threads => length(threaded(text), 500, "characters"),
        Network::Facebook => length(text.encode_utf16().count(), 63_206, "characters"),
        Network::Instagram | Network::Tiktok => length(text.encode_utf16().count(), 2200, "characters"),
        Network::Linkedin => length(text.encode_utf16().count(), 3000, "characters"),
        Network::Youtube => length(text.len(), 5000, "bytes"),
        Network::Sms => length(parts(text), PARTS, "messages"),
    }
}

/// A word with the space before it, so that nothing is lost between words.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace)
}

/// The address in a word, with what stands before and after it; none in most words.
fn address(word: &str) -> Option<(&str, &str)> {
    let at = ["https://", "http://"].into_iter().find_map(|s| word.find(s))?;
    let (before, rest) = word.split_at_checked(at)?;
    // A full stop or a bracket behind an address is no part of it.
    let address = rest.trim_end().trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '"', '\'', '»', '”']);
    Some((before, rest.get(address.len()..)?))
}

fn counted(text: &str, count: impl Fn(&str) -> usize) -> usize {
    words(text)
        .map(|word| match address(word) {
            Some((before, after)) => count(before) + ADDRESS + count(after),
            None => count(word),
        })
        .sum()
}

/// Whether a grapheme is shown as a picture.
fn is_emoji(grapheme: &str) -> bool {
    emojis::get(grapheme).is_some()
}

/// By the weights of X.
fn weighed(text: &str) -> usize {
    let text: String = text.nfc().collect();
    let light = |c: char| matches!(u32::from(c), 0..=0x10FF | 0x2000..=0x200D | 0x2010..=0x201F | 0x2032..=0x2037);
    let sign = |g: &str| match is_emoji(g) {
        true => 2,
        false => g.chars().map(|c| if light(c) { 1 } else { 2 }).sum(),
    };
    counted(&text, |part| part.graphemes(true).map(sign).sum())
}

/// As Mastodon counts: `@name@server` is `@name`.
fn tooted(text: &str) -> usize {
    let mention = |word: &str| -> Option<usize> {
        let rest = word.strip_prefix('@')?;
        let (name, server) = rest.split_once('@')?;
        let host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | ':');
        let end = server.find(|c| !host(c)).unwrap_or(server.len());
        (!name.is_empty() && end > 0).then(|| {
            let after = server.get(end..).unwrap_or("");
            1 + name.graphemes(true).count() + after.graphemes(true).count()
        })
    };
    counted(text, |part| mention(part).unwrap_or_else(|| part.graphemes(true).count()))
}

/// As Threads counts: emoji by their bytes.
fn threaded(text: &str) -> usize {
    text.graphemes(true).map(|g| if is_emoji(g) { g.len() } else { g.chars().count() }).sum()
}

/// The signs of GSM-7 besides ASCII, then those that take two places.
const GSM: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
const GSM_TWICE: &str = "^{}\\[~]|€";

/// How many messages a text is sent in.
fn parts(text: &str) -> usize {
    let septets = |c: char| match c {
        c if GSM_TWICE.contains(c) => Some(2),
        '`' => None,
        ' '..='~' | '\n' | '\r' => Some(1),
        c if GSM.contains(c) => Some(1),
        _ => None,
    };
    let (used, alone, joined) = match text.chars().map(septets).sum::<Option<usize>>() {
        Some(septets) => (septets, 160, 153),
        None => (text.encode_utf16().count(), 70, 67),
    };
    if used <= alone { 1 } else { used.div_ceil(joined) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(text: &str, network: Network) -> usize {
        measure(text, network).used
    }

    #[test]
    fn x_weighs_signs_pictures_and_addresses() {
        let x = |text| used(text, Network::X);
        assert_eq!(x("Hej på dig"), 10);
        assert_eq!(x("日本"), 4);
        assert_eq!(x("👨‍👩‍👧‍👦🔥"), 4, "a family is one emoji");
        assert_eq!(x("👍🏽"), 2);
        assert_eq!(x("“quoted” – and … so"), 20, "the ellipsis weighs two, quotes and dashes one");
        assert_eq!(x("e\u{301}"), 1, "composed first");
        assert_eq!(x("https://acme.example/a/very/long/address?with=parts"), 23);
        assert_eq!(x("Mehr (https://acme.example/a)."), 6 + 23 + 2);
        assert!(measure(&"a".repeat(280), Network::X).fits() && !measure(&"a".repeat(281), Network::X).fits());
    }

    #[test]
    fn each_network_counts_in_its_own_way() {
        let family = "👨‍👩‍👧‍👦";
        assert_eq!(used(family, Network::Bluesky), 1);
        assert_eq!(used(&family.repeat(130), Network::Bluesky), 130 * family.len(), "bytes are bounded too");
        assert_eq!(used("Hi @anna@mastodon.example, see https://acme.example/long/path", Network::Mastodon), 14 + 23);
        assert_eq!(used("Hi 🔥", Network::Threads), 3 + 4);
        assert_eq!(used("Hi 🔥", Network::Instagram), 5);
        assert_eq!(used("ä", Network::Youtube), 2);
        assert_eq!(measure("x", Network::Linkedin).most, 3000);
    }

    #[test]
    fn text_messages_come_in_parts() {
        let sms = |text: &str| used(text, Network::Sms);
        assert_eq!(sms("Vi hör av oss när vi vet mer. Más: ñ ¿ è à"), 1, "á is none of GSM-7, and 42 are less than 70");
        assert_eq!((sms(&"a".repeat(160)), sms(&"a".repeat(161)), sms(&"a".repeat(307))), (1, 2, 3));
        assert_eq!((sms(&"€".repeat(80)), sms(&"€".repeat(81))), (1, 2));
        assert_eq!((sms(&"á".repeat(70)), sms(&"á".repeat(71)), sms(&"á".repeat(202))), (1, 2, 4));
        assert!(!measure(&"á".repeat(202), Network::Sms).fits());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}|(@a@b.c|https://|é|👍🏽| ){0,40}") {
            for network in Network::ALL {
                measure(&text, network);
            }
        }
    }
}
