//! Whatever is typed: the parser answers, its spans lie in the text, and what it calls a query can be used as one.
#![no_main]
#![allow(missing_docs, unsafe_code, clippy::unwrap_used, clippy::expect_used, clippy::string_slice)]

use libfuzzer_sys::fuzz_target;
use vakt::query::{Matcher, explain, parse, standing};

fuzz_target!(|text: &str| {
    let parsed = parse(text);
    for mistake in &parsed.mistakes {
        assert!(text.get(mistake.span.clone()).is_some(), "{text:?}: {mistake:?} lies outside of the text");
        assert!(!mistake.message.is_empty());
    }
    let broken = parsed.mistakes.iter().any(|m| !m.warning);
    assert_eq!(parsed.node.is_none(), broken, "{text:?}: a query without mistakes, or mistakes without a query");
    let Some(node) = parsed.node else { return };
    for mistake in standing(&node, &["sv".into(), "de".into()]) {
        assert!(text.get(mistake.span.clone()).is_some(), "{text:?}: {mistake:?} lies outside of the text");
    }
    explain(&node);
    Matcher::new([(&node, [].as_slice())]);
});
