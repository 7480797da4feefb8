//! JSON of strangers, read by path: what is missing or of another shape is simply not there, and costs no other item.

use jiff::Timestamp;
use serde_json::Value;

use super::bounds::escape;
use crate::model::time::from_millis;

/// What an API told, looked into by JSON Pointers such as `/account/acct`.
pub(super) trait Told {
    /// A text; empty where there is none.
    fn text(&self, at: &str) -> &str;
    /// A text or a whole number as text; empty where there is neither.
    fn id(&self, at: &str) -> String;
    /// A count; `None` where there is none or it is negative.
    fn count(&self, at: &str) -> Option<u64>;
    /// The sum of counts; `None` where not one of them is there.
    fn sum(&self, at: &[&str]) -> Option<u64>;
    /// Whether it is there and true.
    fn is(&self, at: &str) -> bool;
    /// A list; empty where there is none.
    fn list(&self, at: &str) -> &[Value];
    /// An instant: RFC 3339 with or without an offset (then UTC), or seconds since 1970.
    fn time(&self, at: &str) -> Option<Timestamp>;
}

impl Told for Value {
    fn text(&self, at: &str) -> &str {
        self.pointer(at).and_then(Value::as_str).unwrap_or("")
    }

    fn id(&self, at: &str) -> String {
        match self.pointer(at) {
            Some(Value::String(id)) => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            _ => String::new(),
        }
    }

    fn count(&self, at: &str) -> Option<u64> {
        let value = self.pointer(at)?;
        // Some count in texts, as YouTube does, and some with a fraction of nothing.
        let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
        number.or_else(|| value.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64))
    }

    fn sum(&self, at: &[&str]) -> Option<u64> {
        at.iter().filter_map(|at| self.count(at)).reduce(u64::saturating_add)
    }

    fn is(&self, at: &str) -> bool {
        self.pointer(at).and_then(Value::as_bool).unwrap_or(false)
    }

    fn list(&self, at: &str) -> &[Value] {
        self.pointer(at).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn time(&self, at: &str) -> Option<Timestamp> {
        match self.pointer(at)? {
            Value::String(text) => instant(text),
            Value::Number(seconds) => {
                let seconds = seconds.as_f64().filter(|s| s.abs() < 1e11)?;
                Some(from_millis((seconds * 1000.0) as i64))
            }
            _ => None,
        }
    }
}

fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let without_offset = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    text.parse().ok().or_else(|| without_offset().map(|z| z.timestamp()))
}

/// A text with what its pictures show, as their authors described them, so that it is searched too. `html` says which
/// of the two the text is.
pub(super) fn with_pictures<'a>(text: &str, html: bool, described: impl Iterator<Item = &'a str>) -> String {
    let mut out = text.to_owned();
    for words in described.map(str::trim).filter(|w| !w.is_empty()).take(20) {
        out.push_str(&if html { format!("<p>[{}]</p>", escape(words)) } else { format!("\n[{words}]") });
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn odd_shapes_are_simply_not_there() {
        let v = json!({ "a": { "n": 7, "s": "7", "f": 7.0, "neg": -1, "t": "2026-11-01T12:00:00Z" }, "l": [1], "yes": true });
        assert_eq!(
            (v.count("/a/n"), v.count("/a/s"), v.count("/a/f"), v.count("/a/neg")),
            (Some(7), Some(7), Some(7), None)
        );
        assert_eq!(
            (v.text("/a/n"), v.id("/a/n").as_str(), v.id("/a/s").as_str(), v.id("/l").as_str()),
            ("", "7", "7", "")
        );
        assert_eq!((v.sum(&["/a/n", "/a/s", "/x"]), v.sum(&["/x"])), (Some(14), None));
        assert_eq!((v.list("/l").len(), v.list("/a").len(), v.is("/yes"), v.is("/l")), (1, 0, true, false));
    }

    #[test]
    fn times_as_apis_write_them() {
        let at = |v: Value| json!({ "t": v }).time("/t").map(|t| t.to_string());
        assert_eq!(at(json!("2026-11-01T13:00:00.123+01:00")).as_deref(), Some("2026-11-01T12:00:00.123Z"));
        assert_eq!(at(json!("2026-11-01T12:00:00.123456")).as_deref(), Some("2026-11-01T12:00:00.123456Z"));
        assert_eq!(at(json!(1_793_534_400)).as_deref(), Some("2026-11-01T12:00:00Z"));
        assert_eq!((at(json!("soon")), at(json!(1e300)), at(json!(null))), (None, None, None));
    }

    #[test]
    fn pictures_are_read_aloud() {
        let words = || ["a <burnt> kettle", " "].into_iter();
        assert_eq!(with_pictures("<p>Look</p>", true, words()), "<p>Look</p><p>[a &lt;burnt> kettle]</p>");
        assert_eq!(with_pictures("Look", false, words()), "Look\n[a <burnt> kettle]");
    }
}
