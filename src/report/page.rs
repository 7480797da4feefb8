//! Templates of reports: each value is escaped for the page that it stands in, whoever wrote it.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value};

/// What a template makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Plain text.
    Text,
    /// CommonMark with tables.
    Markdown,
    /// HTML.
    Html,
}

/// Renders a template; a name in it that there is not is an error.
pub(super) fn render(kind: Kind, source: &str, values: Value) -> Result<String, Error> {
    let mut e = Environment::new();
    e.set_undefined_behavior(UndefinedBehavior::Strict);
    e.set_auto_escape_callback(move |_| match kind {
        Kind::Text => AutoEscape::None,
        Kind::Markdown => AutoEscape::Custom("markdown".into()),
        Kind::Html => AutoEscape::Html,
    });
    e.set_formatter(|out, state, value| match state.auto_escape() {
        AutoEscape::Custom(_) if !value.is_safe() && value.as_str().is_some() => {
            out.write_str(&markdown(value.as_str().unwrap_or_default())).map_err(Error::from)
        }
        AutoEscape::Custom(_) => out.write_str(&value.to_string()).map_err(Error::from),
        _ => minijinja::escape_formatter(out, state, value),
    });
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        e.set_syntax(syntax);
    }
    e.render_named_str("report", source, values)
}

/// Text that stays text in CommonMark, on one line and within its cell.
pub(super) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (n, c) in text.chars().enumerate() {
        match c {
            c if c.is_control() => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '$' | '!' => {
                out.push('\\');
                out.push(c);
            }
            '-' | '+' | '=' if n == 0 => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// Text that stays text in HTML, in quotes as well.
pub(super) fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#x27;")
}

/// Text on one line, so many characters at most.
pub(super) fn line(text: &str, most: usize) -> String {
    let mut out: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = out.char_indices().nth(most) {
        out.truncate(end);
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    #[test]
    fn strangers_stay_text_everywhere() {
        let evil = "<b>*x*</b> [a](http://e)\n# h | `c` & \"q\"";
        let values = || context! { evil, n => 7 };
        let text = |kind| render(kind, "{{ evil }} {{ n }}", values()).expect("it is rendered");
        let shown = "\\<b\\>\\*x\\*\\</b\\> \\[a\\](http://e) \\# h \\| \\`c\\` \\& \"q\" 7";
        assert_eq!(text(Kind::Markdown), shown);
        assert!(text(Kind::Html).starts_with("&lt;b&gt;*x*&lt;") && !text(Kind::Html).contains('"'));
        assert!(render(Kind::Html, "{{ nobody }}", values()).is_err());
        assert_eq!((markdown("- a"), line(" a\n b  c ", 3)), ("\\- a".into(), "a b…".into()));
    }
}
