//! Words of other tools in vakt's own: networks, kinds, languages and countries.

use crate::query::country;

/// Networks by the words for them, the plainest last. A word that begins with `=` has to be all of it.
const NETWORKS: &[(&str, &str)] = &[
    ("x", "=x|twitter|tweet"),
    ("facebook", "facebook|=fb"),
    ("instagram", "instagram|=ig"),
    ("reddit", "reddit"),
    ("youtube", "youtube"),
    ("tiktok", "tiktok"),
    ("linkedin", "linkedin"),
    ("mastodon", "mastodon"),
    ("bluesky", "bluesky|bsky"),
    ("threads", "=threads"),
    ("telegram", "telegram"),
    ("pinterest", "pinterest"),
    ("tumblr", "tumblr"),
    ("podcast", "podcast"),
    ("review", "review|bewertung|recension|recensioni|reseña"),
    ("forum", "forum|messageboard|board|foro"),
    ("blog", "blog"),
    ("broadcast", "broadcast|=tv|=radio|television|fernsehen"),
    (
        "news",
        "news|press|print|magazine|newspaper|editorial|online|nachricht|zeitung|nyhet|tidning|notizi|giornal|noticia|prensa",
    ),
];

/// Networks by the hosts of their pages; a dot at the end stands for any country.
const HOSTS: &[(&str, &str)] = &[
    ("x", "x.com|twitter.com|t.co"),
    ("reddit", "reddit.com|redd.it"),
    ("facebook", "facebook.com|fb.com|fb.watch"),
    ("instagram", "instagram.com"),
    ("youtube", "youtube.com|youtu.be"),
    ("tiktok", "tiktok.com"),
    ("linkedin", "linkedin.com"),
    ("threads", "threads.net|threads.com"),
    ("bluesky", "bsky.app"),
    ("telegram", "t.me"),
    ("pinterest", "pinterest."),
    ("tumblr", "tumblr.com"),
    ("mastodon", "mastodon.|mstdn."),
    ("review", "trustpilot.|tripadvisor.|yelp.|play.google.com|apps.apple.com|glassdoor."),
    ("blog", "medium.com|wordpress.com|blogspot.|blogger.com|substack.com"),
];

/// The network that a page type or platform names.
pub(super) fn network_of(word: &str) -> Option<&'static str> {
    let plain: String = word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let is = |w: &str| w.strip_prefix('=').map_or(plain.contains(w), |whole| whole == plain);
    NETWORKS.iter().find(|(name, words)| *name == plain || words.split('|').any(is)).map(|(name, _)| *name)
}

/// The network that a host belongs to.
pub(super) fn network_at(host: &str) -> Option<&'static str> {
    let host = host.trim().trim_end_matches('.').to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let at = |name: &str| match name.strip_suffix('.') {
        Some(any) => host.split('.').any(|label| label == any) && !host.ends_with(&format!(".{any}")),
        None => host == name || host.strip_suffix(name).is_some_and(|before| before.ends_with('.')),
    };
    let known = HOSTS.iter().find(|(_, names)| names.split('|').any(at)).map(|(network, _)| *network);
    known.or_else(|| {
        let label = host.split('.').next().unwrap_or("");
        match label {
            "blog" | "blogs" => Some("blog"),
            "forum" | "forums" | "community" | "board" => Some("forum"),
            _ => None,
        }
    })
}

/// `post`, `reply`, `repost`, `quote`, `comment` or `review`.
pub(super) fn kind_of(word: &str) -> &'static str {
    let word = word.to_lowercase();
    let kinds = [
        ("retweet", "repost"),
        ("repost", "repost"),
        ("share", "repost"),
        ("quote", "quote"),
        ("repl", "reply"),
        ("comment", "comment"),
        ("review", "review"),
    ];
    let known = kinds.iter().find(|(part, _)| word.contains(part)).map(|(_, kind)| *kind);
    known.unwrap_or(if word.contains("post") || word.contains("tweet") || word.contains("original") {
        "post"
    } else {
        ""
    })
}

/// Names of languages, for tools that write them out.
const LANGUAGES: &[(&str, &str)] = &[
    ("en", "english|englisch|engelska|inglese|inglés"),
    ("de", "german|deutsch|tyska|tedesco|alemán"),
    ("sv", "swedish|schwedisch|svenska|svedese|sueco"),
    ("it", "italian|italienisch|italienska|italiano"),
    ("es", "spanish|spanisch|spanska|spagnolo|español|castellano"),
    ("fr", "french|französisch|franska|francese|francés|français"),
    ("pt", "portuguese|portugiesisch|portugisiska|portoghese|portugués|português"),
    ("nl", "dutch|niederländisch|nederländska|olandese|neerlandés|nederlands"),
    ("da", "danish|dänisch|danska|danese|danés|dansk"),
    ("no", "norwegian|norwegisch|norska|norvegese|noruego|norsk"),
    ("fi", "finnish|finnisch|finska|finlandese|finlandés|finés|suomi"),
    ("pl", "polish|polnisch|polska|polacco|polaco"),
    ("ru", "russian|russisch|ryska|russo|ruso"),
    ("tr", "turkish|türkisch|turkiska|turco"),
    ("ar", "arabic|arabisch|arabiska|arabo|árabe"),
    ("ja", "japanese|japanisch|japanska|giapponese|japonés"),
    ("zh", "chinese|chinesisch|kinesiska|cinese|chino"),
];

/// The tag of a language, told as tag or name.
pub(in crate::sources) fn language_of(word: &str) -> Option<String> {
    let word = word.trim().to_lowercase();
    let short = word.split(['-', '_']).next().is_some_and(|tag| matches!(tag.len(), 2 | 3)) && word.is_ascii();
    let named =
        LANGUAGES.iter().find(|(_, names)| names.split('|').any(|n| n == word)).map(|(tag, _)| (*tag).to_owned());
    named.or_else(|| (short && word != "und").then(|| word.replace('_', "-")))
}

/// The ISO 3166-1 code of a country, told as code or name; empty where it is neither.
pub(in crate::sources) fn country_of(word: &str) -> String {
    country(&word.trim().to_lowercase()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_tools_and_hosts() {
        let words =
            ["SOCIALMEDIA_TWITTER", "X", "Reddit", "ONLINENEWS", "Message Boards/Forums", "BLOG", "Reviews", "Xing"];
        let networks: Vec<&str> = words.iter().map(|w| network_of(w).unwrap_or("-")).collect();
        assert_eq!(networks, ["x", "x", "reddit", "news", "forum", "blog", "review", "-"]);
        let hosts = [
            "x.com",
            "mobile.twitter.com",
            "old.reddit.com",
            "www.trustpilot.de",
            "forum.example",
            "mastodon.social",
            "netflix.com",
            "medium.com",
        ];
        let at: Vec<&str> = hosts.iter().map(|h| network_at(h).unwrap_or("-")).collect();
        assert_eq!(at, ["x", "x", "reddit", "review", "forum", "mastodon", "-", "blog"]);
    }

    #[test]
    fn languages_countries_and_kinds() {
        assert_eq!(language_of("Deutsch").as_deref(), Some("de"));
        assert_eq!(language_of("pt_BR").as_deref(), Some("pt-br"));
        assert_eq!((language_of("unknown"), language_of("und")), (None, None));
        assert_eq!(
            (country_of("GBR").as_str(), country_of("Sverige").as_str(), country_of("se").as_str()),
            ("gb", "se", "se")
        );
        assert_eq!((country_of("UK").as_str(), country_of("Atlantis").as_str()), ("gb", ""));
        assert_eq!(
            (kind_of("Retweet"), kind_of("Replies"), kind_of("Original post"), kind_of("?")),
            ("repost", "reply", "post", "")
        );
    }
}
