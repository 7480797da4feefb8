//! Server-sent events: lines put together to events, as <https://html.spec.whatwg.org/multipage/server-sent-events.html>
//! says, whatever else stands between them.

/// Bytes of one event's data; what is longer is no event.
const LONGEST: usize = 1 << 20;

/// An event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// Its name; `message` where it has none.
    pub name: String,
    /// Its data, lines apart by line feeds.
    pub data: String,
}

/// Puts events together.
#[derive(Debug, Default)]
pub(super) struct Events {
    name: String,
    data: Option<String>,
    spoiled: bool,
}

impl Events {
    /// Takes a line in; the event that it ends, if it ends one.
    pub(super) fn line(&mut self, line: &[u8]) -> Option<Event> {
        let line = String::from_utf8_lossy(line);
        let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
        if line.is_empty() {
            let Events { name, data, spoiled } = std::mem::take(self);
            let name = if name.is_empty() { "message".to_owned() } else { name };
            return data.filter(|_| !spoiled).map(|data| Event { name, data });
        }
        // A line that begins with a colon is a sign of life.
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.name = value.chars().take(100).collect(),
            "data" if self.data.as_ref().map_or(0, String::len) + value.len() > LONGEST => {
                (self.spoiled, self.data) = (true, Some(String::new()));
            }
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let mut events = Events::default();
        let all = text.split('\n').filter_map(|line| events.line(line.as_bytes()));
        all.map(|e| (e.name, e.data)).collect()
    }

    #[test]
    fn events_and_whatever_stands_between_them() {
        let text = ":)\n\nevent: update\ndata: {\"id\":1}\n\n:thump\nid: 7\nretry\nevent:delete\ndata:42\n\ndata: a\ndata\ndata:  b\n\nevent: empty\n\ndata: cut";
        let wanted = [("update", "{\"id\":1}"), ("delete", "42"), ("message", "a\n\n b")];
        assert_eq!(read(text), wanted.map(|(n, d)| (n.to_owned(), d.to_owned())));
    }

    #[test]
    fn an_event_without_end_is_none_and_the_next_is() {
        let long = format!("data: {}\n", "x".repeat(600_000));
        assert_eq!(read(&format!("{long}{long}\ndata: b\n\n")), [("message".to_owned(), "b".to_owned())]);
    }

    proptest::proptest! {
        #[test]
        fn nothing_upsets_it(lines in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 0..40), 0..40)) {
            let mut events = Events::default();
            for line in &lines {
                events.line(line);
            }
            events.line(b"");
            events.line(b"data: x");
            proptest::prop_assert_eq!(events.line(b"").map(|e| e.data), Some("x".to_owned()));
        }
    }
}
