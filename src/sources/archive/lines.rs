//! Objects of JSON, one after the other: one a line, or in a list, whatever their size together.

use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;

use serde_json::Value;

use super::{Cell, MOST_ROW};

/// How the objects stand in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One a line.
    Lines,
    /// Over several lines, in a list or not.
    List,
    /// In a list that is the first value of an object around it.
    Wrapped,
}

/// Whoever takes objects, each with the line where it begins and its cells by name, says whether to go on.
pub(super) type Each<'a> = &'a mut dyn FnMut(u64, Result<Vec<(String, Cell)>, String>) -> ControlFlow<()>;

impl Shape {
    /// How the objects stand, from the beginning of the file; `None` where it is no JSON.
    pub(super) fn of(beginning: &str) -> Option<Shape> {
        let text = beginning.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if text.starts_with('[') {
            return Some(Shape::List);
        }
        let inside = text.strip_prefix('{')?;
        let mut lines = text.lines().filter(|l| !l.trim().is_empty());
        let first = lines.next().unwrap_or("");
        let whole = serde_json::from_str::<Value>(first).is_ok() && !begins_list(inside);
        // A first line that is broken does not make the others so; one that is very long shows no end.
        if whole || lines.next().map_or(!first.trim_end().ends_with('}'), |second| second.starts_with('{')) {
            return Some(Shape::Lines);
        }
        Some(if begins_list(inside) { Shape::Wrapped } else { Shape::List })
    }
}

/// Whether `"name": [{` follows.
fn begins_list(inside: &str) -> bool {
    let value = inside.trim_start().strip_prefix('"').and_then(|name| name.split_once('"'));
    let list = value.and_then(|(_, rest)| rest.trim_start().strip_prefix(':')).map(str::trim_start);
    list.and_then(|l| l.strip_prefix('[')).is_some_and(|l| l.trim_start().starts_with('{'))
}

/// Hands out the objects.
pub(super) fn read(text: impl Read, shape: Shape, each: Each<'_>) -> std::io::Result<()> {
    let text = BufReader::with_capacity(128 << 10, text);
    match shape {
        Shape::Lines => by_line(text, each),
        Shape::List => by_brackets(text, true, each),
        Shape::Wrapped => by_brackets(text, false, each),
    }
}

fn too_long() -> String {
    "it is longer than 1 MiB".to_owned()
}

fn by_line(mut text: impl BufRead, each: Each<'_>) -> std::io::Result<()> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let most = u64::try_from(MOST_ROW).unwrap_or(u64::MAX) + 1;
        if text.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let found = if line.len() > MOST_ROW && line.last() != Some(&b'\n') {
            text.skip_until(b'\n')?;
            Err(too_long())
        } else if line.trim_ascii().is_empty() {
            continue;
        } else {
            cells(&line)
        };
        if each(number, found).is_break() {
            break;
        }
    }
    Ok(())
}

/// Objects told by their brackets. `begun` says that the list has begun.
fn by_brackets(mut text: impl BufRead, mut begun: bool, each: Each<'_>) -> std::io::Result<()> {
    let (mut object, mut depth, mut quoted, mut escaped) = (Vec::new(), 0u32, false, false);
    let (mut line, mut began, mut long) = (1u64, 1u64, false);
    loop {
        let chunk = text.fill_buf()?;
        if chunk.is_empty() {
            if depth > 0 {
                // Nothing comes after it, so nobody's answer matters.
                each(began, Err("it has no end".to_owned())).is_break();
            }
            return Ok(());
        }
        let length = chunk.len();
        for byte in chunk {
            line += u64::from(*byte == b'\n');
            if depth == 0 {
                begun |= *byte == b'[';
                if *byte != b'{' || !begun {
                    continue;
                }
                (began, long) = (line, false);
                object.clear();
            }
            if object.len() < MOST_ROW {
                object.push(*byte);
            } else {
                long = true;
            }
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b'{' if !quoted => depth += 1,
                b'}' if !quoted => depth -= 1,
                _ => {}
            }
            if depth == 0 && each(began, if long { Err(too_long()) } else { cells(&object) }).is_break() {
                return Ok(());
            }
        }
        text.consume(length);
    }
}

/// The cells of an object, by name; those of an object within it by `outer.inner`.
pub(super) fn cells(object: &[u8]) -> Result<Vec<(String, Cell)>, String> {
    match serde_json::from_slice(object) {
        Ok(Value::Object(map)) => {
            let mut out = Vec::with_capacity(map.len());
            for (name, value) in map {
                flatten(name, value, 0, &mut out);
            }
            Ok(out)
        }
        Ok(_) => Err("it is JSON, but no object".to_owned()),
        Err(e) => Err(format!("it is no JSON: {e}")),
    }
}

/// Objects within objects within objects are looked into, deeper ones not.
const DEEPEST: u32 = 3;

fn flatten(name: String, value: Value, depth: u32, out: &mut Vec<(String, Cell)>) {
    let cell = match value {
        Value::Null => Cell::Empty,
        Value::Bool(yes) => Cell::Text(yes.to_string()),
        Value::Number(n) => Cell::Text(n.to_string()),
        Value::String(text) => Cell::of(text),
        Value::Array(list) => {
            let names: Vec<String> = list.into_iter().filter_map(one_name).collect();
            if names.is_empty() { Cell::Empty } else { Cell::Names(names) }
        }
        Value::Object(map) => {
            if depth < DEEPEST {
                map.into_iter().for_each(|(inner, v)| flatten(format!("{name}.{inner}"), v, depth + 1, out));
            }
            return;
        }
    };
    out.push((name, cell));
}

/// What stands for one thing of a list: a word, a number, or the name of an object.
fn one_name(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(n) => Some(n.to_string()),
        Value::Object(mut map) => match map.remove("name") {
            Some(Value::String(name)) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(u64, String)> {
        let mut out = Vec::new();
        let shape = Shape::of(text).expect("JSON");
        let mut each = |line, found: Result<Vec<(String, Cell)>, String>| {
            out.push((line, found.map_or_else(|e| e, |cells| cells.first().map_or(String::new(), |(_, c)| c.show()))));
            ControlFlow::Continue(())
        };
        read(text.as_bytes(), shape, &mut each).expect("memory");
        out
    }

    #[test]
    fn lines_lists_and_wrappers() {
        let good = |lines: [u64; 2]| vec![(lines[0], "a".to_owned()), (lines[1], "b}{".to_owned())];
        assert_eq!(names("{\"t\":\"a\"}\n\n{\"t\":\"b}{\"}"), good([1, 3]));
        assert_eq!(names("[{\"t\":\"a\"},\n{\"t\":\"b}{\"}]"), good([1, 2]));
        assert_eq!(names("{\n \"t\": \"a\"\n}\n{\n \"t\": \"b}{\"\n}"), good([1, 4]));
        assert_eq!(names("{\"mentions\": [{\"t\":\"a\"},{\"t\":\"b}{\"}], \"more\": false}"), good([1, 1]));
        assert_eq!(names("[{\"t\":\"say \\\"hi\\\" {\"}]"), [(1, "say \"hi\" {".to_owned())]);
    }

    #[test]
    fn broken_and_endless_ones_cost_only_themselves() {
        let long = format!("{{\"t\":\"{}\"}}", "a".repeat(MOST_ROW));
        let found = names(&format!("{{\"t\":\"a\"}}\n{{\"t\":\n[1]\n{long}\n{{\"t\":\"z\"}}"));
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found[1].1.starts_with("it is no JSON") && found[2].1.contains("no object"));
        assert!(found[3].1.contains("1 MiB"));
        assert_eq!(found[4], (5, "z".to_owned()));
        let found = names(&format!("[{long},{{\"t\":\"z\"}},{{\"t\":"));
        assert_eq!(
            found.iter().map(|f| f.1.as_str()).collect::<Vec<_>>(),
            ["it is longer than 1 MiB", "z", "it has no end"]
        );
    }

    #[test]
    fn objects_within_objects_have_names() {
        let object = br#"{"author":{"name":"Ann","followers":12},"tags":["a",{"name":"b"},[1]],"id":12345678901234567890,"why":[["x",1.0]],"no":null}"#;
        let cells = cells(object).expect("an object");
        let get = |name: &str| cells.iter().find(|(n, _)| n == name).map(|(_, c)| c.show()).unwrap_or_default();
        assert_eq!(
            (get("author.name"), get("author.followers"), get("tags")),
            ("Ann".into(), "12".into(), "a, b".into())
        );
        assert_eq!((get("id"), get("why"), get("no")), ("12345678901234567890".into(), String::new(), String::new()));
    }
}
