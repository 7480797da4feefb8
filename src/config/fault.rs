//! A mistake in what somebody wrote: where it stands, what is wrong and what to do.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// A text that somebody wrote, with the name it is known by.
#[derive(Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Path as shown to people.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl Sheet {
    /// A sheet with a name and a text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Sheet> {
        Arc::new(Sheet { name: name.into(), text: text.into() })
    }
}

/// Whether a fault keeps the text from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The text cannot be used.
    Error,
    /// Legal, but probably not what was meant.
    Warning,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Whether it is an error.
    pub weight: Weight,
    /// The text it stands in.
    pub sheet: Arc<Sheet>,
    /// Bytes of the text that are wrong.
    pub span: Range<usize>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The text may hold a secret, and is not shown.
    pub unseen: bool,
}

impl Fault {
    /// A mistake that keeps the text from being used.
    pub fn error(sheet: &Arc<Sheet>, span: Range<usize>, message: impl Into<String>) -> Fault {
        Fault { weight: Weight::Error, sheet: sheet.clone(), span, message: message.into(), help: None, unseen: false }
    }

    /// Something legal but probably wrong.
    pub fn warning(sheet: &Arc<Sheet>, span: Range<usize>, message: impl Into<String>) -> Fault {
        Fault { weight: Weight::Warning, ..Fault::error(sheet, span, message) }
    }

    /// Adds what to do.
    pub fn help(mut self, help: impl Into<String>) -> Fault {
        self.help = Some(help.into());
        self
    }

    /// Does not show the text, which may hold a secret.
    pub fn unseen(mut self) -> Fault {
        self.unseen = true;
        self
    }

    /// The line it begins in, counted from 1.
    pub fn line(&self) -> usize {
        self.sheet.text.bytes().take(self.span.start).filter(|b| *b == b'\n').count() + 1
    }

    /// One line for logs: `file:line: message (help)`.
    pub fn brief(&self) -> String {
        let help = self.help.as_deref().map(|h| format!(" ({h})")).unwrap_or_default();
        format!("{}:{}: {}{help}", self.sheet.name, self.line(), self.message)
    }

    /// The whole of it for people: file, line, the text underlined, the remedy.
    pub fn render(&self, colour: bool) -> String {
        let level = match self.weight {
            Weight::Error => Level::ERROR,
            Weight::Warning => Level::WARNING,
        };
        let span = self.span_on_characters();
        let title = level.primary_title(self.message.as_str());
        let mut group: Group<'_> = if self.unseen {
            title.element(Origin::path(self.sheet.name.as_str()).line(self.line()))
        } else {
            title.element(
                Snippet::source(self.sheet.text.as_str())
                    .path(self.sheet.name.as_str())
                    .annotation(AnnotationKind::Primary.span(span)),
            )
        };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    /// The span, held inside the text and on character borders.
    fn span_on_characters(&self) -> Range<usize> {
        let text = &self.sheet.text;
        let floor = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = floor(self.span.start);
        start..floor(self.span.end).max(start)
    }
}

/// Whether any of them is an error.
pub fn any_error(faults: &[Fault]) -> bool {
    faults.iter().any(|f| f.weight == Weight::Error)
}

/// All of them for people, by file and line, errors and warnings together, with a blank line between.
pub fn render_all(faults: &[Fault], colour: bool) -> String {
    let mut sorted: Vec<&Fault> = faults.iter().collect();
    sorted.sort_by(|a, b| (&a.sheet.name, a.span.start).cmp(&(&b.sheet.name, b.span.start)));
    sorted.iter().map(|f| f.render(colour)).collect::<Vec<_>>().join("\n\n")
}

/// The known word nearest to a mistyped one, when one is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(word, k), k))
        .filter(|(d, k)| *d <= 1 + k.len().min(word.len()) / 4)
        .min_by_key(|(d, _)| *d)
        .map(|(_, k)| k)
}

/// A remedy that names the nearest known word, else lists all of them.
pub fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(word, known.clone()) {
        Some(k) => format!("did you mean `{k}`?"),
        None => {
            let all: Vec<&str> = known.into_iter().collect();
            if all.is_empty() { "there is none yet".to_owned() } else { format!("known are: {}", all.join(", ")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_and_what_to_do() {
        let sheet = Sheet::new("rules/alerts/a.toml", "[[alert]]\nserverity = \"crisis\"\n");
        let fault = Fault::error(&sheet, 10..19, "unknown field `serverity`")
            .help(suggest("serverity", ["severity", "window"]));
        insta::assert_snapshot!(fault.render(false), @r#"
        error: unknown field `serverity`
         --> rules/alerts/a.toml:2:1
          |
        2 | serverity = "crisis"
          | ^^^^^^^^^
          |
          = help: did you mean `severity`?
        "#);
        assert_eq!(fault.brief(), "rules/alerts/a.toml:2: unknown field `serverity` (did you mean `severity`?)");
    }

    proptest::proptest! {
        #[test]
        fn any_span_renders(text in "\\PC{0,40}", a in 0usize..60, b in 0usize..60) {
            let sheet = Sheet::new("x", text);
            Fault::error(&sheet, a.min(b)..a.max(b), "wrong").render(false);
        }
    }
}
