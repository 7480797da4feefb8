//! The dialect: what is read, what is refused and why, and what matches.

use super::*;
use crate::model::Mention;
use crate::model::time::from_millis;
use crate::text::Analyst;

fn codes(text: &str, warnings: bool) -> Vec<&'static str> {
    parse(text).mistakes.iter().filter(|m| m.warning == warnings).map(|m| m.code.as_str()).collect()
}

#[test]
fn the_dialect_is_read() {
    for text in [
        "apple",
        "\"apple juice\"",
        "apple AND juice",
        "apple OR juice",
        "apple NOT juice",
        "apple -juice",
        "\"apple juice\"~5",
        "(apple AND juice)~5",
        "(apple OR pear) NEAR/5 (juice OR cider)",
        "apple NEAR juice",
        "apple NEAR/2f juice",
        "apple ONEAR/2 juice",
        "complain* AND customi?e",
        "carsharing~",
        "{BT} OR {Brand Watch}",
        "niño OR nino",
        "#tag OR @name OR $TICK OR 🔥",
        "apple <<<why\nthis is here>>> OR pear",
        "title:apple AND text:\"apple juice\"",
        "title:(apple OR pear) NOT site:(a.example OR b.example/path)",
        "author:\"Jane Doe\" OR author:@jane OR author:acm*",
        "reach:[10 TO 100] AND reach:>10 AND rating:<=2.5 AND authorFollowers:>=10k",
        "published:[2026-01-01 TO now-7d] AND seen:>2026-01-01",
        "sentiment:negative AND sentiment:[-1 TO -0.2]",
        "lang:sv AND subreddit:acme AND pubType:news AND engagementType:REPLY AND authorVerified:true",
        "raw:\"#Foo!\"",
        "fire OR burn* OR brand* NEAR/5 produkt OR \"retirada del mercado\"",
        "“smart quotes” AND „deutsche Anführung“",
        "(acme OR \"acme corporation\" OR @acme OR {ACME})\n  AND NOT (site:acme.example OR \"acme tools\")",
        "(a1 AND b2) NEAR/5 c3",
        "https OR note",
        "l'oréal AND car-sharing AND acme.example",
        "language:(sv OR de) AND acme",
        "((Christmas OR Xmas) NEAR/0f (\"Mince Pie\" OR Pudding))",
        "site:acme.example<<<our own>>> AND tools<<<and theirs>>>",
        "<<<<loud comment>>>> tools",
        "acme \u{200f}AND\u{200f} \u{200e}(tools OR fire)",
        "acme AND（tools OR 水果） ＡＮＤ 「果汁」",
        "acme –tools —\"power tools\" −fire",
        "language:chinese OR language:arabic",
        "country:gbr OR country:\"USA\" OR country:uk OR country:se OR country:sweden",
        "network:twitter",
        "（reach:>10） AND reach:>10<<<why>>> AND reach:>10\u{200e} AND reach:\u{200e}[1 TO 5]",
        "acme\u{200e}~ AND source:（blog OR forum）",
    ] {
        let parsed = parse(text);
        let wrong: Vec<_> = parsed.mistakes.iter().filter(|m| !m.warning).collect();
        assert!(wrong.is_empty() && parsed.node.is_some(), "{text}: {wrong:?}");
    }
}

#[test]
fn mistakes_have_their_codes() {
    for (text, code) in [
        ("", "empty"),
        ("<<<only this>>>", "empty"),
        ("a1 AND b2 OR c3", "mixed-and-or"),
        ("a1 OR b2 c3", "mixed-and-or"),
        ("a1 OR b2 NOT c3", "mixed-and-or"),
        ("NOT acme", "only-not"),
        ("-acme", "only-not"),
        ("acme OR NOT tools", "only-not"),
        ("*ing", "wildcard"),
        ("?at", "wildcard"),
        ("b*", "wildcard"),
        ("#* AND acme", "wildcard"),
        ("()", "empty-group"),
        ("acme AND ()", "empty-group"),
        ("\"\"", "empty-group"),
        ("{} OR acme", "empty-group"),
        ("acme AND", "missing-operand"),
        ("OR acme", "missing-operand"),
        ("acme AND OR tools", "missing-operand"),
        ("acme NEAR/3", "missing-operand"),
        ("site:", "missing-operand"),
        ("acme NOT", "missing-operand"),
        ("(acme", "unclosed-bracket"),
        ("acme)", "stray-bracket"),
        ("acme [tools]", "stray-bracket"),
        ("\"acme", "unclosed-quote"),
        ("{acme", "unclosed-brace"),
        ("<<<x", "unclosed-comment"),
        ("reach:[1 TO 2", "unclosed-range"),
        ("sit:x", "unknown-field"),
        ("\"a1 b2\"~", "tilde"),
        ("acme~5", "tilde"),
        ("(a1 OR b2)~3", "tilde"),
        ("acme NEAR/x tools", "near-number"),
        ("acme NEAR/500 tools", "near-number"),
        ("a1 AND b2 NEAR/5 c3", "and-in-near"),
        ("a1 b2 NEAR/5 c3", "and-in-near"),
        ("(a1 NOT b2) NEAR/5 c3", "in-near"),
        ("site:x.example NEAR/5 c3", "in-near"),
        ("reach:[100 TO 10]", "range-order"),
        ("published:[2026-02-01 TO 2026-01-01]", "range-order"),
        ("reach:many", "field-value"),
        ("published:>tomorrow", "field-value"),
        ("language:klingon", "field-value"),
        ("sentiment:angry", "field-value"),
        ("site:\"a b\"", "field-value"),
        ("https://acme.example/x AND acme", "address"),
        ("!!! AND acme", "no-word"),
        ("acme AND \"apple * juice\"", "wildcard"),
        ("raw:* AND acme", "field-value"),
        ("country:xx", "field-value"),
        ("country:atlantis", "field-value"),
        ("{BT OR {O2}", "unclosed-brace"),
        ("acme[tools]", "stray-bracket"),
        ("rating[1 TO 5] AND acme", "stray-bracket"),
        ("reach:1 TO 2]", "stray-bracket"),
        ("\"a1 b2\"~5f", "tilde"),
        ("<<<a <<<b>>> c>>> AND acme", "stray-bracket"),
        ("title:AND acme", "missing-operand"),
        ("acme NOT NOT tools", "missing-operand"),
        ("acme NOT -tools", "missing-operand"),
        ("acme NEAR/5 tools NOT smoke", "and-in-near"),
        ("acme OR tools AND *fire", "mixed-and-or"),
        ("acme NEAR/5 tools AND *fire", "and-in-near"),
        ("at_mentions:acme", "unknown-field"),
        ("sourc:（blog OR forum）", "unknown-field"),
    ] {
        assert!(codes(text, false).contains(&code), "{text}: {:?}", parse(text).mistakes);
    }
    assert!(codes("a1 AND ( AND \"x", false).len() >= 2, "all mistakes in one pass");
    let deep = format!("{}a{}", "(".repeat(50_000), ")".repeat(50_000));
    assert!(codes(&deep, false).contains(&"too-large"));
    let many = vec!["word"; 5000].join(" OR ");
    assert!(codes(&many, false).contains(&"too-large"));
}

#[test]
fn warnings_have_theirs() {
    for (text, code) in [
        ("apple juice", "implicit-and"),
        ("apple and juice", "small-operator"),
        ("apple near/5 juice", "small-operator"),
        ("#acm*", "open-sign"),
        ("acme NOT (acme OR tools)", "never"),
        ("language:sv AND language:de", "never"),
        ("reach:>100 AND reach:<10", "never"),
        ("emotion:joy AND acme", "never"),
    ] {
        assert!(codes(text, true).contains(&code), "{text}: {:?}", parse(text).mistakes);
        assert!(parse(text).node.is_some(), "{text}");
    }
    let stands = |text: &str, languages: &[&str]| -> Vec<&'static str> {
        let languages: Vec<String> = languages.iter().map(|l| (*l).to_owned()).collect();
        standing(&parse(text).node.expect("a query"), &languages).iter().map(|m| m.code.as_str()).collect()
    };
    assert_eq!(stands("target OR \"target stores\"", &[]), ["common-word"]);
    assert_eq!(stands("target AND store", &[]), [""; 0]);
    assert_eq!(stands("пожар OR fire", &["sv", "de"]), ["foreign-term"]);
    assert_eq!(stands("acme AND topic:other", &[]), ["never"]);
}

#[test]
fn remedies_use_the_querys_own_words() {
    let help = &parse("apple AND juice OR cider").mistakes[0].help;
    assert_eq!(help, "write (apple AND juice) OR cider, or apple AND (juice OR cider)");
    let help = &parse("serverity:x").mistakes[0].help;
    assert!(help.starts_with("known are"), "{help}");
    assert_eq!(parse("langage:sv").mistakes[0].help, "did you mean `language`?");
}

#[test]
fn spans_are_the_text_underlined() {
    let text = "acme AND sit:x OR (tools";
    for m in parse(text).mistakes {
        let part = text.get(m.span.clone()).expect("a piece of the text");
        let wanted = match m.code {
            Code::UnknownField => "sit:",
            Code::UnclosedBracket => "(",
            Code::MixedAndOr => continue,
            other => panic!("{other:?}"),
        };
        assert_eq!(part, wanted);
    }
}

#[test]
fn a_long_query_in_eight_languages_is_read_at_once() {
    let words = ["brand", "återkalla", "Rückruf", "incendio", "retirada", "incêndie", "пожар", "火災"];
    let groups: Vec<String> = (0..400)
        .map(|n| format!("({} NEAR/5 word{n}) <<<row {n}>>>\n OR \"{} {n}\"", words[n % 8], words[(n + 3) % 8]))
        .collect();
    let parsed = parse(&groups.join(" OR "));
    assert!(parsed.node.is_some(), "{:?}", parsed.mistakes.first());
}

fn matches(query: &str, mention: &Mention) -> bool {
    let node = parse(query).node.unwrap_or_else(|| panic!("{query}: {:?}", parse(query).mistakes));
    let analysis = Analyst::with_house([]).analyse(&mention.title, &mention.text, Some(&mention.language));
    !Matcher::new([(&node, [].as_slice())]).matches(&Doc::analysed(mention, &analysis)).is_empty()
}

fn mention(title: &str, text: &str, language: &str) -> Mention {
    let at = from_millis(1_770_000_000_000);
    let mut m: Mention = serde_json::from_value(serde_json::json!({
        "id": 1, "source": "s", "network": "x", "site": "", "url": "", "title": "", "text": "", "author": {}, "at": at,
        "received": at, "undated": false, "history": false, "language": "", "sentiment": null, "why": [], "intent": "other",
        "reach": 0, "engagement": 0, "tier": 0, "story": 1, "fingerprint": 0, "topics": [],
    }))
    .expect("a mention");
    (m.title, m.text, m.language) = (title.into(), text.into(), language.into());
    m
}

fn text(query: &str, text: &str, language: &str) -> bool {
    matches(query, &mention("", text, language))
}

#[test]
fn words_phrases_and_signs() {
    let sv = "Min nya vattenkokare från Acme började brinna igår kväll #AcmeGlow @acme_se 🔥";
    let on = |query: &str| text(query, sv, "sv");
    assert!(on("vattenkokaren AND brinner") && on("\"började brinna\"") && !on("\"brinna började\""));
    assert!(on("acmeglow AND #acmeglow AND @acme_se AND 🔥") && !on("#acme"));
    assert!(on("{Acme}") && !on("{ACME}") && on("brin*") && !on("kokar*") && on("br?nna"));
    assert!(on("acme NOT tools") && !on("acme -brinna") && on("#acmeg*"));
    assert!(
        text("\"fir* engine\"", "a fire engine came", "en") && !text("\"fire engines\"", "a fire engine came", "en")
    );
}

#[test]
fn accents_umlauts_and_compounds() {
    assert!(text("nino", "El niño se quemó", "es") && text("niño", "El niño se quemó", "es"));
    assert!(!text("niño", "El nino se quemó", "es"));
    assert!(text("mueller", "Frau Müller klagt", "de") && text("müller", "Frau Mueller klagt", "de"));
    assert!(text("muller", "Frau Müller klagt", "de") && !text("\"müller\"", "Frau Muller klagt", "de"));
    assert!(text("strasse", "auf der Straße", "de") && text("straße", "auf der Strasse", "de"));
    assert!(!text("kott", "gott kött till middag", "sv"), "in Swedish ö is a letter of its own");
    assert!(text("acme", "L'incendio dell'Acme di ieri sera", "it"));
    for (t, language) in [
        ("new carsharing rules", "en"),
        ("new car sharing rules", "en"),
        ("new car-sharing rules", "en"),
        ("der Carsharinganbieter zahlt", "de"),
    ] {
        assert!(text("carsharing~", t, language), "{t}");
    }
    assert!(!text("carsharing~", "my car was sharing", "en") && !text("carsharing", "car sharing", "en"));
}

#[test]
fn nearness_and_places() {
    let t = "the brand of kettle that I bought last week in the city is a dangerous product";
    let on = |query: &str| text(query, t, "en");
    assert!(on("kettle NEAR/2 brand") && !on("kettle ONEAR/2 brand") && !on("kettle NEAR/1 brand"));
    assert!(on("(fire OR dangerous) NEAR/1 product") && !on("brand NEAR/5 product"));
    assert!(on("\"kettle brand\"~3") && on("(kettle AND \"the brand\")~3") && on("(kettle AND brand) NEAR/6 bought"));
    assert!(!on("(kettle AND product) NEAR/4 bought"));
    let m = mention("Kettle recalled", "Acme says nothing yet", "en");
    assert!(matches("title:kettle AND text:acme", &m) && !matches("title:acme", &m) && !matches("text:kettle", &m));
    assert!(matches("title:(kettle NOT acme)", &m) && !matches("\"recalled acme\"", &m));
    assert!(matches("title:\"kettle recalled\" AND title:(recalled OR fire)", &m));
}

#[test]
fn facts() {
    let mut m = mention("", "acme see https://shop.example/sale/x now", "en");
    m.url = "https://www.news.acme.example/2026/fire-report?id=1".into();
    m.site = "news.acme.example".into();
    m.author.handle = "Ann_X".into();
    (m.author.name, m.author.followers, m.author.verified) = ("Ann Xu".into(), Some(1200), Some(true));
    (m.network, m.channel, m.country, m.kind) = ("reddit".into(), "Acme".into(), "se".into(), "reply".into());
    (m.tags, m.rating, m.reach, m.tier) = (vec!["VIP".into()], Some(2.5), 5000, 1);
    (m.sentiment, m.intent) = (Some(-0.6), "complaint".into());
    m.at = from_millis(1_770_000_000_000);
    m.received = from_millis(1_770_000_600_000);
    for query in [
        "site:acme.example",
        "site:news.acme.example/2026",
        "site:https://www.acme.example/",
        "url:\"fire report\"",
        "links:shop.example",
        "author:@ann_x",
        "author:\"ann xu\"",
        "author:ann*",
        "network:Reddit",
        "subreddit:acme",
        "country:SE",
        "engagementType:REPLY",
        "tags:vip",
        "rating:<3",
        "rating:2.5",
        "reach:[5k TO 6000]",
        "tier:1",
        "sentiment:negative",
        "sentiment:[-1 TO -0.5]",
        "intent:complaint",
        "authorFollowers:>1k",
        "verified:yes",
        "published:2026-02-02",
        "published:[2026-02-01 TO 2026-02-02]",
        "published:<2026-02-03",
        "seen:>2026-02-01",
        "published:>now-1h",
        "minuteOfDay:[160 TO 170]",
        "language:english",
        "-site:other.example acme",
    ] {
        assert!(matches(query, &m), "{query}");
    }
    for query in [
        "site:me.example",
        "site:acme.example/2025",
        "url:\"report fire\"",
        "author:bob",
        "reach:>5000",
        "rating:>2.5",
        "sentiment:positive",
        "published:>=2026-02-03",
        "seen:<2026-02-02",
        "published:<now-1h",
        "tier:[2 TO 3]",
        "engagementType:post",
        "verified:false",
        "links:other.example",
        "country:de",
        "topic:acme",
    ] {
        assert!(!matches(query, &m), "{query}");
    }
}

#[test]
fn topics_come_and_go() {
    let node = |q: &str| parse(q).node.expect("a query");
    let mut m = Matcher::new([(&node("acme"), [].as_slice()), (&node("globex OR fire*"), [].as_slice())]);
    let at = mention("", "Acme and Globex on fire", "en");
    let analysis = Analyst::with_house([]).analyse("", &at.text, Some("en"));
    let ask = |m: &Matcher| m.matches(&Doc::analysed(&at, &analysis));
    assert_eq!(ask(&m), [0, 1]);
    m.remove(0);
    assert_eq!((ask(&m), m.len()), (vec![1], 1));
    let only = ["sv".to_owned()];
    assert_eq!(m.add(&node("globex AND fires"), &[]), 0);
    assert_eq!(m.add(&node("acme"), &only), 2);
    assert_eq!(ask(&m), [0, 1], "the third hears Swedish only");
    assert_eq!(m.filed_under(0).len(), 1);
    // A word that nobody looked for before.
    assert_eq!(m.add(&node("\"on\""), &[]), 3);
    assert_eq!(ask(&m), [0, 1, 3]);
}

/// One mistake is told once, and nothing that follows from it.
#[test]
fn no_mistake_is_told_of_what_is_right() {
    for (text, code) in [
        ("acme OR tools) AND fire", "stray-bracket"),
        ("acme AND \"fire", "unclosed-quote"),
        ("reach:[1 TO 2", "unclosed-range"),
        ("acme OR tools NOT fire", "mixed-and-or"),
        ("OR", "missing-operand"),
        ("(acme OR )", "missing-operand"),
        ("acme && tools", "no-word"),
    ] {
        assert_eq!(codes(text, false), [code], "{text}: {:?}", parse(text).mistakes);
    }
    assert_eq!(codes(&format!("{}acme", "(".repeat(65)), false), ["too-large"]);
    assert_eq!(codes("acme))", false), ["stray-bracket", "stray-bracket"]);
    assert_eq!(parse("ac\u{200b}me").node, parse("acme").node.map(|n| Node { span: 0..7, ..n }));
}

#[test]
fn operators_that_are_words_are_told_of() {
    for text in [
        "acme tools or fire",
        "not acme",
        "acme oR tools",
        "acme NEAR5 tools",
        "acme near tools",
        "acme near/5 tools",
        "acme NEAR 5 tools",
        "acme !tools",
        "acme AND !tools",
    ] {
        assert!(codes(text, true).contains(&"small-operator"), "{text}: {:?}", parse(text).mistakes);
    }
    assert!(!codes("acme tools and fire", true).is_empty() && codes("\"not\" AND acme", true).is_empty());
}

/// What a remedy proposes is in order itself.
#[test]
fn remedies_work() {
    for (text, remedy) in [
        ("published:[2026-02-01 TO 2026-01-01]", "published:[2026-01-01 TO 2026-02-01]"),
        ("sentiment:[1 TO -1]", "sentiment:[-1 TO 1]"),
        ("a1 AND b1 OR NOT c1", "a1 AND (b1 OR NOT c1)"),
        ("acme OR smoke AND fire", "(acme OR smoke) AND fire"),
    ] {
        let parsed = parse(text);
        assert!(parsed.mistakes.iter().any(|m| m.help.contains(remedy)), "{text}: {:?}", parsed.mistakes);
        assert!(parse(remedy).node.is_some(), "{remedy}");
    }
    let near = parse("acme NEAR/5 fire OR tools AND smoke");
    assert!(near.mistakes.iter().any(|m| m.help.contains("(acme NEAR/5 fire)")), "{:?}", near.mistakes);
}

#[test]
fn hostile_queries_are_refused_in_no_time() {
    for text in [
        format!("a1 AND {}b1", "NOT ".repeat(100_000)),
        format!("a1 AND {}b1", "NOT -".repeat(100_000)),
        format!("a1{}", " NEAR/5 b1".repeat(100_000)),
        format!("a1{}", ")".repeat(100_000)),
        format!("{}a1", "(".repeat(100_000)),
        "\"".repeat(100_001),
        format!("a1{}", " OR b1".repeat(5000)),
        format!("{}{}", "or ".repeat(50_000), "~ ".repeat(50_000)),
        "}".repeat(100_000),
        format!("{}a1{}", "(".repeat(60), " NEAR/5 b1 NEAR/5 c1 NEAR/5 d1)".repeat(60)),
    ] {
        let parsed = parse(&text);
        assert!(parsed.node.is_none() && parsed.mistakes.len() <= 1100, "{:.20}: {}", text, parsed.mistakes.len());
    }
    for text in [" OR (x1)".repeat(2100), " OR (a1 NEAR/5 b1)".repeat(1400), " OR title:x1".repeat(2100)] {
        assert_eq!(codes(text.trim_start_matches(" OR "), false), [] as [&str; 0]);
    }
}

#[test]
fn explained_in_words() {
    let node =
        parse("((brinner OR \"på vattnet\" OR carsharing~) NEAR/5 kök) NOT site:acme.example").node.expect("a query");
    insta::assert_snapshot!(explain(&node));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "[ab()\"{}~*?:#@<>\\[\\]AND NEAR/5OR-]{0,60}|\\PC{0,60}") {
        let parsed = parse(&text);
        for m in &parsed.mistakes {
            proptest::prop_assert!(m.span.end <= text.len() && m.span.start <= m.span.end, "{:?}", m);
            proptest::prop_assert!(!m.help.is_empty());
        }
        proptest::prop_assert_eq!(parsed.node.is_some(), parsed.mistakes.iter().all(|m| m.warning));
    }
}
