//! The words of reports in five languages, side by side, so that none is forgotten.

use std::collections::BTreeMap;

use minijinja::Value;

use crate::text::figures;

/// A key with its words in English, Swedish, German, Italian and Spanish.
pub(super) type Row = (&'static str, [&'static str; 5]);

/// The words of a column by their keys, for templates. Templates are strict: a key that is not here is an error.
pub(super) fn vocabulary(tables: &[&[Row]], column: usize) -> Value {
    let rows = tables.iter().flat_map(|t| t.iter());
    let words: BTreeMap<&str, &str> = rows.filter_map(|(key, all)| Some((*key, *all.get(column)?))).collect();
    Value::from(words)
}

/// The words of a key; the key itself where there are none.
pub(super) fn word<'k>(table: &'static [Row], column: usize, key: &'k str) -> &'k str {
    table.iter().find(|(k, _)| *k == key).and_then(|(_, all)| all.get(column).copied()).unwrap_or(key)
}

/// The words of a key with `{0}`, `{1}` … filled in.
pub(super) fn filled(table: &'static [Row], column: usize, key: &str, with: &[String]) -> String {
    figures::filled(word(table, column, key), with)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_once() {
        static T: &[Row] = &[("k", ["{1} of {0}, {2}", "{0}", "", "", ""])];
        assert_eq!(filled(T, 0, "k", &["{1}".into(), "a".into()]), "a of {1}, ");
        assert_eq!((word(T, 1, "k"), word(T, 0, "none")), ("{0}", "none"));
    }
}
