//! What every page and mail of vakt's must be: sound for a parser, and readable on a telephone, in the dark, aloud, and as plain text.
//! The unit tests take this file as well.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::collections::HashSet;

use scraper::{ElementRef, Html, Node, Selector};

/// The narrowest screen that is read on, in CSS pixels.
const NARROW: u32 = 320;
/// Contrast of text that is read without effort (WCAG 2.2, AA).
const CONTRAST: f64 = 4.5;

fn all<'a>(doc: &'a Html, css: &str) -> Vec<ElementRef<'a>> {
    doc.select(&Selector::parse(css).unwrap()).collect()
}

fn text(e: ElementRef<'_>) -> String {
    e.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn style<'a>(e: ElementRef<'a>, key: &str) -> Option<&'a str> {
    let rules = e.attr("style")?.split(';');
    rules.filter_map(|rule| rule.split_once(':')).find(|(k, _)| k.trim() == key).map(|(_, v)| v.trim())
}

fn pixels(value: &str) -> Option<u32> {
    value.trim().strip_suffix("px").unwrap_or(value.trim()).parse().ok()
}

/// Relative luminance of `#rrggbb`.
fn luminance(colour: &str) -> Option<f64> {
    let n = u32::from_str_radix(colour.strip_prefix('#').filter(|c| c.len() == 6)?, 16).ok()?;
    let part = |shift: u32| {
        let c = f64::from(n >> shift & 255) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    Some(0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0))
}

fn contrast(a: f64, b: f64) -> f64 {
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Not shown to anybody, or not read aloud.
fn unheard(e: ElementRef<'_>) -> bool {
    e.attr("aria-hidden") == Some("true") || style(e, "display") == Some("none")
}

/// Everything that is wrong with a page that is read in a language.
pub fn faults(html: &str, language: &str) -> Vec<String> {
    let doc = Html::parse_document(html);
    let mut out: Vec<String> = doc.errors.iter().map(|e| format!("the parser says: {e}")).collect();
    let mut must = |holds: bool, what: String| {
        if !holds {
            out.push(what);
        }
    };
    must(html.starts_with("<!doctype html>"), "it begins with something else than its doctype".into());
    must(doc.root_element().attr("lang") == Some(language), format!("lang is not {language}"));
    let meta =
        |name: &str| all(&doc, &format!("meta[name={name}]")).first().and_then(|m| m.attr("content")).unwrap_or("");
    must(!all(&doc, "head > meta[charset=utf-8]").is_empty(), "it does not say its charset".into());
    must(meta("viewport").starts_with("width=device-width"), "a telephone shows it shrunk".into());
    must(meta("color-scheme") == "light dark", "it does not say that it can be dark".into());
    must(all(&doc, "head > title").first().is_some_and(|t| !text(*t).is_empty()), "it has no title".into());

    // Headings lead through it: one first, and none is left out.
    let headings = all(&doc, "h1,h2,h3,h4,h5,h6");
    let levels: Vec<u32> = headings.iter().map(|h| h.value().name().trim_start_matches('h').parse().unwrap()).collect();
    must(levels.first().is_none_or(|first| *first == 1), format!("headings begin with h{:?}", levels.first()));
    must(levels.iter().filter(|l| **l == 1).count() <= 1, "it has two h1".into());
    must(levels.windows(2).all(|w| w[1] <= w[0] + 1), format!("a heading is left out: {levels:?}"));
    must(headings.iter().all(|h| !text(*h).is_empty()), "a heading is empty".into());

    let ids: Vec<&str> = all(&doc, "[id]").iter().filter_map(|e| e.attr("id")).collect();
    must(ids.iter().collect::<HashSet<_>>().len() == ids.len(), format!("an id is there twice: {ids:?}"));
    let labelled: Vec<&str> = all(&doc, "label[for]").iter().filter_map(|l| l.attr("for")).collect();
    must(labelled.iter().all(|l| ids.contains(l)), "a label is for nothing".into());
    for field in all(&doc, "input:not([type=hidden]),textarea,select") {
        must(field.attr("id").is_some_and(|id| labelled.contains(&id)), format!("no label: {}", field.html()));
    }
    for e in all(&doc, "a,button,label,th,summary") {
        must(!text(e).is_empty(), format!("nothing to read: {}", e.html()));
    }
    for link in all(&doc, "a") {
        let to = link.attr("href").unwrap_or("");
        must(
            to.starts_with("https://") || to.starts_with("http://") || to.starts_with('/'),
            format!("a link to `{to}`"),
        );
    }
    for table in all(&doc, "table:not([role=presentation])") {
        let heads: Vec<ElementRef<'_>> = table.select(&Selector::parse("th").unwrap()).collect();
        must(!heads.is_empty(), format!("a table without headings: {}", text(table)));
        must(heads.iter().all(|h| h.attr("scope").is_some()), format!("of what is it the heading: {}", text(table)));
    }
    let sheet: String = all(&doc, "style").iter().map(|s| s.text().collect::<String>()).collect();
    let spaced = sheet.replace([' ', '\n'], "");
    for img in all(&doc, "img") {
        must(img.attr("alt").is_some_and(|alt| !alt.trim().is_empty()), "a picture without words".into());
        let from = img.attr("src").unwrap_or("");
        must(
            from.starts_with("cid:") || from.starts_with("data:image/png;base64,"),
            format!("a picture from `{from}`"),
        );
        let rule = spaced.split("img{").nth(1).and_then(|rest| rest.split('}').next()).unwrap_or("");
        let bends = style(img, "width") == Some("100%") || rule.contains("width:100%");
        let wide = img.attr("width").and_then(pixels).is_some_and(|w| w > NARROW);
        must(!wide || bends, "a picture is wider than a telephone".into());
    }
    for e in all(&doc, "[style]") {
        for key in ["width", "min-width"] {
            let fixed = style(e, key).filter(|v| v.ends_with("px")).and_then(pixels);
            must(fixed.is_none_or(|w| w <= NARROW), format!("{key} of {}: {:?}", e.value().name(), e.attr("style")));
        }
        let (colour, behind) = (style(e, "color"), style(e, "background"));
        if let Some(own) = colour.and_then(luminance) {
            let behind = behind.and_then(luminance);
            must(behind.is_some(), format!("its own colour on any ground: {:?}", e.attr("style")));
            must(behind.is_none_or(|b| contrast(own, b) >= CONTRAST), format!("hard to read: {:?}", e.attr("style")));
        } else if behind.is_some() {
            must(text(e).is_empty(), format!("any colour on its own ground: {:?}", e.attr("style")));
        }
    }
    for pre in all(&doc, "pre") {
        let wraps = style(pre, "white-space") == Some("pre-wrap") || spaced.contains("pre{white-space:pre-wrap");
        must(wraps, "long lines leave the page".into());
    }
    for outside in ["<script", "<iframe", "<object", "<link", "url(", "@import", "javascript:"] {
        must(!html.to_lowercase().contains(outside), format!("it has {outside}"));
    }
    out
}

/// Words as they are compared: letters and figures, with the signs within figures.
fn words(text: &str) -> Vec<String> {
    let word = |w: &str| w.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    text.split(|c: char| c.is_whitespace() || "·|()[]".contains(c)).map(word).filter(|w| !w.is_empty()).collect()
}

fn heard(e: ElementRef<'_>, out: &mut String) {
    for child in e.children() {
        match child.value() {
            Node::Text(t) => out.push_str(t),
            _ => {
                // Plain text has no columns that need a heading.
                let own = |c: &ElementRef<'_>| !unheard(*c) && c.value().name() != "thead";
                let Some(child) = ElementRef::wrap(child).filter(own) else { continue };
                out.push(' ');
                heard(child, out);
                out.push(' ');
            }
        }
    }
}

/// What the page says and its plain text does not: words, figures, links, and each statement as a whole.
pub fn unsaid(html: &str, plain: &str) -> Vec<String> {
    let doc = Html::parse_document(html);
    let body = all(&doc, "body")[0];
    let mut told = String::new();
    heard(body, &mut told);
    let known: HashSet<String> = words(plain).into_iter().collect();
    let mut out: Vec<String> = words(&told).into_iter().filter(|w| !known.contains(w)).collect();
    out.extend(
        all(&doc, "a[href]").iter().filter_map(|a| a.attr("href")).filter(|to| !plain.contains(to)).map(Into::into),
    );
    out.extend(
        all(&doc, "img[alt]").iter().filter_map(|i| i.attr("alt")).filter(|a| !plain.contains(a)).map(Into::into),
    );
    let flat = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    // A statement's language stands before it.
    for said in all(&doc, "p[lang],blockquote[lang]") {
        let whole = text(said);
        let own =
            whole.split_once(' ').filter(|(code, _)| Some(*code) == said.attr("lang")).map_or(&*whole, |(_, own)| own);
        if !flat.contains(own) {
            out.push(own.to_owned());
        }
    }
    out
}

const INLINE: [&str; 12] = ["a", "strong", "b", "em", "span", "small", "code", "br", "img", "input", "button", "label"];

/// A page as it is read: a line for each heading, paragraph and row, with links, pictures, fields and languages.
pub fn outline(html: &str) -> String {
    let doc = Html::parse_document(html);
    let title = all(&doc, "title").first().map(|t| text(*t)).unwrap_or_default();
    let mut out = vec![format!("<{}> {title}", doc.root_element().attr("lang").unwrap_or("?"))];
    if let Some(body) = all(&doc, "body").first() {
        block(*body, "", &mut out);
    }
    out.join("\n")
}

fn block(e: ElementRef<'_>, mark: &str, out: &mut Vec<String>) {
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut Vec<String>| {
        let line = run.split_whitespace().collect::<Vec<_>>().join(" ");
        if !line.is_empty() {
            out.push(format!("{mark}{line}"));
        }
        run.clear();
    };
    for child in e.children() {
        match (child.value(), ElementRef::wrap(child)) {
            (Node::Text(t), _) => run.push_str(t),
            (_, Some(c)) if INLINE.contains(&c.value().name()) => inline(c, &mut run),
            (_, Some(c)) if c.value().name() == "tr" => {
                flush(&mut run, out);
                let cells = c.children().filter_map(ElementRef::wrap).map(|cell| {
                    let mut text = String::new();
                    inside(cell, &mut text);
                    text.split_whitespace().collect::<Vec<_>>().join(" ")
                });
                out.push(format!("{mark}| {} |", cells.collect::<Vec<_>>().join(" | ")));
            }
            (_, Some(c)) => {
                flush(&mut run, out);
                let lang = c.attr("lang").map(|l| format!("<{l}> ")).unwrap_or_default();
                let own = match c.value().name() {
                    "h1" => "# ",
                    "h2" => "## ",
                    "h3" => "### ",
                    "li" => "- ",
                    "blockquote" => "> ",
                    _ => "",
                };
                let hidden = if unheard(c) { "(unheard) " } else { "" };
                block(c, &format!("{mark}{hidden}{own}{lang}"), out);
            }
            _ => {}
        }
    }
    flush(&mut run, out);
}

fn inside(e: ElementRef<'_>, run: &mut String) {
    for child in e.children() {
        match (child.value(), ElementRef::wrap(child)) {
            (Node::Text(t), _) => run.push_str(t),
            (_, Some(c)) if !unheard(c) => inline(c, run),
            _ => {}
        }
    }
}

fn inline(e: ElementRef<'_>, run: &mut String) {
    let attr = |key: &str| e.attr(key).unwrap_or("");
    match e.value().name() {
        "br" => run.push_str(" / "),
        "img" => run.push_str(&format!("![{}]({})", attr("alt"), attr("src").chars().take(14).collect::<String>())),
        "input" if attr("type") == "hidden" => {}
        "input" => run.push_str(&format!(" {{{}: ____}} ", attr("name"))),
        "button" => run.push_str(&format!(" {{{} {}}} ", attr("value"), text(e)).replace("{ ", "{")),
        "a" => run.push_str(&format!("[{}]({})", text(e), attr("href"))),
        _ => inside(e, run),
    }
}

#[test]
fn faults_are_seen() {
    let page = |head: &str, body: &str| {
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><title>t</title>{head}</head><body>{body}</body></html>"
        )
    };
    assert_eq!(faults(&page("", "<h1>a</h1><p>b</p>"), "en"), Vec::<String>::new());
    for (body, what) in [
        ("<p>a<div>b</div></p>", "the parser says"),
        ("<h1>a</h1><h3>b</h3>", "left out"),
        ("<h2>a</h2>", "begin with"),
        ("<img src=\"cid:chart\">", "without words"),
        ("<img src=\"https://t.example/p.png\" alt=\"a\">", "a picture from"),
        ("<img src=\"cid:chart\" alt=\"a\" width=\"600\">", "wider"),
        ("<p style=\"min-width:400px\">a</p>", "min-width"),
        ("<p style=\"color:#ffffff\">a</p>", "its own colour"),
        ("<p style=\"background:#ffffff\">a</p>", "any colour"),
        ("<p style=\"color:#888888;background:#999999\">a</p>", "hard to read"),
        ("<input id=\"a\">", "no label"),
        ("<label for=\"b\">b</label>", "for nothing"),
        ("<table><tr><td>a</td></tr></table>", "without headings"),
        ("<pre>a</pre>", "long lines"),
        ("<a href=\"javascript:x\">a</a>", "a link to"),
        ("<i id=a>a</i><i id=a>b</i>", "twice"),
    ] {
        let found = faults(&page("", body), "en");
        assert!(found.iter().any(|f| f.contains(what)), "{what}: {found:?}");
    }
    assert!(faults(&page("", "a"), "sv").iter().any(|f| f.contains("lang")));
    assert!(!faults("<html><body>a", "en").is_empty());
}

#[test]
fn what_only_the_page_says_is_seen() {
    let html = "<!doctype html><html><body><p>Acme: 42 (usual 2)</p><a href=\"https://v.example/a\">take</a><p lang=\"sv\"><b>sv</b> Vi ser det.</p><i aria-hidden=\"true\">bar</i></body></html>";
    assert_eq!(
        unsaid(html, "Acme: 42 mentions, usual 2. take https://v.example/a [sv] Vi ser det."),
        Vec::<String>::new()
    );
    let missing = unsaid(html, "Acme: 43, usual 2, take [sv] det ser Vi");
    assert_eq!(missing, ["42", "https://v.example/a", "Vi ser det."]);
}
