//! What is wrong with a draft, in the languages of those who read it.

use std::ops::Range;

use super::Finding;
use crate::text::figures::{Figures, filled};

/// A key, what is wrong, and what to do about it, in English, Swedish, German, Italian and Spanish. `{0}` … are filled in; what
/// stands for `{~0}` is one of [`TERMS`].
type Row = (&'static str, [&'static str; 5], [&'static str; 5]);

static SAID: &[Row] = &[
    (
        "long",
        [
            "{0} {~1} on {2}, where {3} are too many",
            "{0} {~1} på {2}, där {3} är för många",
            "{0} {~1} auf {2}, wo {3} zu viele sind",
            "{0} {~1} su {2}, dove {3} sono troppi",
            "{0} {~1} en {2}, donde {3} son demasiados",
        ],
        ["shorten it by {4}", "korta med {4}", "um {4} kürzen", "accorciare di {4}", "acortar en {4}"],
    ),
    (
        "empty",
        [
            "there are no words",
            "det finns inga ord",
            "da stehen keine Worte",
            "non c'è nessuna parola",
            "no hay palabras",
        ],
        [
            "write what is to be said",
            "skriv vad som ska sägas",
            "schreiben, was gesagt werden soll",
            "scrivere che cosa si vuole dire",
            "escribir lo que se quiere decir",
        ],
    ),
    (
        "unfilled",
        [
            "`{0}` is still to be filled in",
            "`{0}` är inte ifyllt än",
            "`{0}` ist noch auszufüllen",
            "`{0}` è ancora da completare",
            "`{0}` está por completar",
        ],
        [
            "put in what belongs there",
            "skriv dit det som ska stå där",
            "einsetzen, was dorthin gehört",
            "mettere ciò che va lì",
            "poner lo que corresponde",
        ],
    ),
    (
        "foreign",
        [
            "it reads as `{0}`, and stands for `{1}`",
            "det läses som `{0}` och står för `{1}`",
            "es liest sich wie `{0}` und steht unter `{1}`",
            "si legge come `{0}` e sta sotto `{1}`",
            "se lee como `{0}` y figura como `{1}`",
        ],
        [
            "put it where its language is, or say it in this one",
            "lägg det där språket hör hemma, eller säg det på det här",
            "dorthin setzen, wo seine Sprache steht, oder in dieser sagen",
            "metterlo dove sta la sua lingua, o dirlo in questa",
            "ponerlo donde está su idioma, o decirlo en este",
        ],
    ),
    (
        "avoided",
        [
            "we do not say `{0}`",
            "vi säger inte `{0}`",
            "wir sagen nicht `{0}`",
            "non diciamo `{0}`",
            "no decimos `{0}`",
        ],
        // The guide's own words, which its writers chose the language of.
        ["{1}"; 5],
    ),
    (
        "misspelt",
        [
            "the name is spelt `{0}`",
            "namnet är skrivet `{0}`",
            "der Name steht da als `{0}`",
            "il nome è scritto `{0}`",
            "el nombre está escrito `{0}`",
        ],
        ["write `{1}`", "skriv `{1}`", "`{1}` schreiben", "scrivere `{1}`", "escribir `{1}`"],
    ),
    (
        "address",
        [
            "`{0}` is said to somebody whom one calls {1}",
            "`{0}` säger man till den som man kallar {1}",
            "`{0}` sagt man zu jemandem, den man mit {1} anredet",
            "`{0}` si dice a chi si dà del {1}",
            "`{0}` se dice a quien se trata de {1}",
        ],
        [
            "address people as {2}",
            "tilltala folk med {2}",
            "die Menschen mit {2} anreden",
            "rivolgersi alle persone con il {2}",
            "tratar a la gente de {2}",
        ],
    ),
    (
        "many",
        [
            "{~0}: {1}, where {2} are enough",
            "{~0}: {1}, där {2} räcker",
            "{~0}: {1}, wo {2} genügen",
            "{~0}: {1}, dove ne bastano {2}",
            "{~0}: {1}, donde bastan {2}",
        ],
        ["keep {2}", "behåll {2}", "{2} behalten", "tenerne {2}", "dejar {2}"],
    ),
    (
        "any",
        [
            "{~0}: {1}, where {2} are enough",
            "{~0}: {1}, där {2} räcker",
            "{~0}: {1}, wo {2} genügen",
            "{~0}: {1}, dove ne bastano {2}",
            "{~0}: {1}, donde bastan {2}",
        ],
        ["take it out", "ta bort det", "streichen", "toglierlo", "quitarlo"],
    ),
    (
        "unsigned",
        [
            "nobody has signed it",
            "ingen har undertecknat det",
            "niemand hat unterschrieben",
            "nessuno l'ha firmato",
            "nadie lo ha firmado",
        ],
        ["end with `{0}`", "sluta med `{0}`", "mit `{0}` schließen", "chiudere con `{0}`", "terminar con `{0}`"],
    ),
];

/// What is counted.
static TERMS: &[[&str; 5]] = &[
    ["weighted characters", "viktade tecken", "gewichtete Zeichen", "caratteri ponderati", "caracteres ponderados"],
    ["characters", "tecken", "Zeichen", "caratteri", "caracteres"],
    ["graphemes", "grafem", "Grapheme", "grafemi", "grafemas"],
    ["bytes", "byte", "Bytes", "byte", "bytes"],
    ["messages", "meddelanden", "Nachrichten", "messaggi", "mensajes"],
    ["emoji", "emojier", "Emojis", "emoji", "emojis"],
    ["hashtags", "hashtaggar", "Hashtags", "hashtag", "etiquetas"],
    ["exclamation marks", "utropstecken", "Ausrufezeichen", "punti esclamativi", "signos de exclamación"],
];

impl Finding {
    /// What is wrong at a place, by its key.
    pub(super) fn of(span: Range<usize>, key: &'static str, with: Vec<String>) -> Finding {
        let (why, remedy) = said(key, &with, 0);
        Finding { span, why, remedy, key, with }
    }

    /// What is wrong and what to do about it, for a reader of a language; in English where it is none of the five.
    pub fn said(&self, language: &str) -> (String, String) {
        said(self.key, &self.with, Figures::of(language).column)
    }
}

fn said(key: &str, with: &[String], column: usize) -> (String, String) {
    let row = SAID.iter().find(|(k, ..)| *k == key);
    let fill = |all: &[&'static str; 5]| {
        let terms: Vec<String> = with.iter().map(|w| term(w, column)).collect();
        let template = all.get(column).copied().unwrap_or_default();
        // Only where the sentence asks for a term is a value looked up: what people wrote stays as it is.
        let parts = template.split_inclusive('}');
        parts
            .map(|part| if part.contains("{~") { filled(&part.replace("{~", "{"), &terms) } else { filled(part, with) })
            .collect()
    };
    row.map_or_else(Default::default, |(_, why, remedy)| (fill(why), fill(remedy)))
}

fn term(english: &str, column: usize) -> String {
    let row = TERMS.iter().find(|t| t.first() == Some(&english));
    row.and_then(|t| t.get(column)).map_or_else(|| english.to_owned(), |t| (*t).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_is_said_in_five_languages() {
        let with = |n: usize| (0..n).map(|i| format!("<{i}>")).collect::<Vec<_>>();
        let mut lines = Vec::new();
        for (key, ..) in SAID {
            let mut said: Vec<String> = Vec::new();
            for code in Figures::CODES {
                let mut values = with(5);
                if *key == "long" {
                    values[1] = "weighted characters".into();
                } else if matches!(*key, "many" | "any") {
                    values[0] = "exclamation marks".into();
                }
                let (why, remedy) = Finding::of(0..0, key, values).said(code);
                assert!(!why.contains(['{', '~']) && !remedy.contains(['{', '~']), "{why} {remedy}");
                said.push(format!("{code}: {why}; {remedy}"));
            }
            // Each language says all that the English one says.
            let values = |line: &String| (0..5).filter(|i| line.contains(&format!("<{i}>"))).collect::<Vec<usize>>();
            assert!(said.iter().all(|line| values(line) == values(&said[0])), "{said:?}");
            lines.push(said.join("\n"));
        }
        insta::assert_snapshot!(lines.join("\n\n"));
    }

    #[test]
    fn what_people_wrote_stays_as_it_is() {
        let found = Finding::of(0..5, "avoided", vec!["bytes".into(), "{0} say it {1}".into()]);
        assert_eq!(found.said("sv"), ("vi säger inte `bytes`".into(), "{0} say it {1}".into()));
        assert_eq!(found.said("fi").0, "we do not say `bytes`");
    }
}
