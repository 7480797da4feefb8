//! What mending makes of documents.

use super::*;

fn mended(text: &str) -> String {
    let mended = mend(text);
    mended.text.strip_prefix(&mended.open).unwrap_or(&mended.text).to_owned()
}

#[test]
fn bare_ampersands_and_stray_brackets() {
    assert_eq!(mended("<rss><title>R&D &nbsp; 1 < 2</title></rss>"), "<title>R&amp;D \u{A0} 1 &lt; 2</title></rss>");
}

#[test]
fn declarations_comments_and_doctypes_go() {
    let text = "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY a 'b>'>]><!-- <item> --><rss><a/><!-- x</rss>";
    assert_eq!(mended(text), "<a/> x</rss>");
    assert_eq!(mend(text).root, Root::Rss);
}

#[test]
fn fields_with_markup_are_escaped_whole() {
    let text = "<rss><description>Go <b>now<br> & win</description></rss>";
    assert_eq!(mended(text), "<description>Go &lt;b&gt;now&lt;br&gt; &amp; win</description></rss>");
    let text = "<feed><content type='xhtml'><div>Hi<br></div></content></feed>";
    assert_eq!(mended(text), "<content type=\"html\">&lt;div&gt;Hi&lt;br&gt;&lt;/div&gt;</content></feed>");
}

#[test]
fn an_open_field_does_not_swallow_the_next_item() {
    let text = "<rss><item><title>A <b>b</item><item><title>C</title></item></rss>";
    assert!(mended(text).ends_with("</item><item><title>C</title></item></rss>"));
}

#[test]
fn persons_lose_what_feed_rs_chokes_on() {
    assert_eq!(without_address("lawyer@boyer.net (Lawyer Boyer)"), "Lawyer Boyer");
    assert_eq!(without_address("名前（foo@example.com）"), "名前");
    assert_eq!(without_address("é.foo@example.com"), ".foo@example.com");
    assert_eq!(without_address("  A   Name "), "A Name");
    assert_eq!(mended("<rss><author>“<![CDATA[foo@bar.com]]>”</author></rss>"), "<author>foo@bar.com</author></rss>");
}

#[test]
fn what_stands_before_the_root_is_cut() {
    let text = "<br /><b>Warning</b>: in x.php<rss version='3'><channel/></rss>";
    let mended = mend(text);
    assert_eq!(mended.root, Root::Rss);
    assert!(mended.open.contains("version=\"2.0\""), "{}", mended.open);
    assert_eq!(mend("<!DOCTYPE html><html><pre><rss></pre></html>").root, Root::Html);
}

#[test]
fn tags_with_odd_quotes_end_somewhere() {
    assert_eq!(tag_end("<a b='x>y'>z"), Some(("a b='x>y'", "z")));
    assert_eq!(tag_end("<a b='x>z <c>"), Some(("a b='x", "z <c>")));
    assert_eq!(tag_end("< a>"), None);
    let (name, attributes, empty) = parts("a href=x checked b='1' b='2' \"=3/");
    assert_eq!((name, empty), ("a", true));
    assert_eq!(attributes.len(), 3, "{attributes:?}");
}

#[test]
fn hostile_repeats_stay_linear() {
    for piece in ["<title>", "<!--", "<a b='", "&", "&ab;", "<![CDATA[", "<item><title><b>", "<description><title>"] {
        let text = format!("<rss>{}", piece.repeat(1_000_000 / piece.len()));
        assert!(mend(&text).text.len() >= 5, "{piece}");
    }
}

/// Each of these made the mender look through the whole rest of the document once for every tag; now a megabyte of
/// them is read in well under a second, where it would have taken minutes.
#[test]
fn no_markup_makes_it_look_twice() {
    for tag in ["<?a>", "<!a>", "<!a[>", "<!--", "<![CDATA[", "<title>", "<a "] {
        let text = format!("<rss>{}", tag.repeat(1_000_000 / tag.len()));
        mend(&text);
    }
}
