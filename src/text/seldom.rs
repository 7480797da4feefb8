//! How seldom something comes by chance alone, in the words of five languages.

use super::figures::Figures;

/// English, Swedish, German, Italian, Spanish; `{}` is a length of time.
const ABOUT: [&str; 5] = [
    "By chance alone about once in {}",
    "Av en slump ungefär en gång på {}",
    "Durch Zufall allein etwa einmal in {}",
    "Per puro caso circa una volta in {}",
    "Por puro azar, más o menos una vez cada {}",
];

const HARDLY_EVER: [&str; 5] = [
    "By chance alone less than once in a thousand years",
    "Av en slump mer sällan än en gång på tusen år",
    "Durch Zufall allein seltener als einmal in tausend Jahren",
    "Per puro caso meno di una volta in mille anni",
    "Por puro azar, menos de una vez cada mil años",
];

/// Days of a unit, its name where there are several, and from how many of it on the next one is used.
const UNITS: [(f64, [&str; 5], f64); 5] = [
    (1.0 / 24.0, ["hours", "timmar", "Stunden", "ore", "horas"], 48.0),
    (1.0, ["days", "dagar", "Tagen", "giorni", "días"], 21.0),
    (7.0, ["weeks", "veckor", "Wochen", "settimane", "semanas"], 10.0),
    (30.4375, ["months", "månader", "Monaten", "mesi", "meses"], 24.0),
    (365.25, ["years", "år", "Jahren", "anni", "años"], f64::INFINITY),
];

/// So many days apart, in words: `By chance alone about once in 12 years`. Two hours are the least that is told.
pub fn seldom(language: &str, days: f64) -> String {
    let figures = Figures::of(language);
    let word = |words: &[&'static str; 5]| words.get(figures.column).copied().unwrap_or("");
    if days > 365.25 * 1000.0 {
        return word(&HARDLY_EVER).to_owned();
    }
    let unit = UNITS.iter().find(|(unit, _, most)| days / unit < *most);
    let Some((unit, names, _)) = unit.filter(|_| days.is_finite()) else { return String::new() };
    let n = format!("{}\u{a0}{}", figures.decimal((days / unit).max(2.0), 0), word(names));
    word(&ABOUT).replace("{}", &n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_words() {
        let said = |language, days| seldom(language, days).replace('\u{a0}', " ");
        assert_eq!(said("en", 0.0), "By chance alone about once in 2 hours");
        assert_eq!(said("sv", 1.9), "Av en slump ungefär en gång på 46 timmar");
        assert_eq!(said("de", 20.0), "Durch Zufall allein etwa einmal in 20 Tagen");
        assert_eq!(said("it", 60.0), "Per puro caso circa una volta in 9 settimane");
        assert_eq!(said("es", 400.0), "Por puro azar, más o menos una vez cada 13 meses");
        assert_eq!(said("en", 4380.0), "By chance alone about once in 12 years");
        assert_eq!(said("en", 1e6), "By chance alone less than once in a thousand years");
        assert_eq!(seldom("en", f64::NAN), "");
    }
}
