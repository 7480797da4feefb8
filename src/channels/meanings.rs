//! What each signal means, in the languages of the people who are called.

use crate::model::signals::meaning;

/// A signal with its meaning in Swedish, German, Italian and Spanish; English stands with the signal itself.
type Row = (&'static str, [&'static str; 4]);

const MEANINGS: &[Row] = &[
    ("mentions", ["omnämnanden", "Erwähnungen", "menzioni", "menciones"]),
    (
        "expected",
        [
            "omnämnanden som är normala för perioden",
            "im Zeitraum übliche Erwähnungen",
            "menzioni abituali nel periodo",
            "menciones habituales en el periodo",
        ],
    ),
    (
        "ratio",
        ["gånger den normala nivån", "Vielfaches des Üblichen", "volte il livello abituale", "veces el nivel habitual"],
    ),
    (
        "surprise",
        [
            "överraskning (1 på 10 upphöjt till detta av en slump)",
            "Überraschung (1 zu 10 hoch so viel durch Zufall)",
            "sorpresa (1 su 10 elevato a tanto per caso)",
            "sorpresa (1 entre 10 elevado a esto por azar)",
        ],
    ),
    (
        "negative_surprise",
        [
            "överraskning i de negativa ensamma",
            "Überraschung allein der negativen",
            "sorpresa delle sole negative",
            "sorpresa de las negativas solas",
        ],
    ),
    (
        "silence",
        [
            "tystnad (1 på 10 upphöjt till detta av en slump)",
            "Stille (1 zu 10 hoch so viel durch Zufall)",
            "silenzio (1 su 10 elevato a tanto per caso)",
            "silencio (1 entre 10 elevado a esto por azar)",
        ],
    ),
    (
        "previous",
        [
            "omnämnanden i perioden före",
            "Erwähnungen im Zeitraum davor",
            "menzioni nel periodo precedente",
            "menciones en el periodo anterior",
        ],
    ),
    (
        "first_seen",
        [
            "starka röster som talar för första gången",
            "gewichtige Stimmen, die sich zum ersten Mal äußern",
            "voci autorevoli che parlano per la prima volta",
            "voces de peso que hablan por primera vez",
        ],
    ),
    ("new_terms", ["ord som är nya här", "Wörter, die hier neu sind", "parole nuove qui", "palabras nuevas aquí"]),
    ("negative", ["negativa omnämnanden", "negative Erwähnungen", "menzioni negative", "menciones negativas"]),
    ("positive", ["positiva omnämnanden", "positive Erwähnungen", "menzioni positive", "menciones positivas"]),
    (
        "negative_share",
        ["andel negativa", "Anteil der negativen", "quota di menzioni negative", "proporción de negativas"],
    ),
    ("sentiment", ["genomsnittlig ton", "mittlere Stimmung", "tono medio", "tono medio"]),
    (
        "sentiment_drop",
        [
            "tonens fall, i standardfel",
            "Abfall der Stimmung in Standardfehlern",
            "calo del tono, in errori standard",
            "caída del tono, en errores estándar",
        ],
    ),
    ("authors", ["olika avsändare", "verschiedene Verfasser", "autori diversi", "autores distintos"]),
    (
        "top_author_reach",
        [
            "räckvidd för den som hörs mest",
            "Reichweite der lautesten Stimme",
            "portata della voce più forte",
            "alcance de la voz más fuerte",
        ],
    ),
    ("reach", ["personer som nås", "erreichte Menschen", "persone raggiunte", "personas alcanzadas"]),
    (
        "engagement",
        [
            "gillanden, delningar, svar",
            "Likes, Weiterleitungen, Antworten",
            "mi piace, condivisioni, commenti",
            "me gusta, compartidos, comentarios",
        ],
    ),
    ("stories", ["olika berättelser", "verschiedene Geschichten", "storie diverse", "historias distintas"]),
    (
        "largest_story",
        [
            "omnämnanden i den största berättelsen",
            "Erwähnungen in der größten Geschichte",
            "menzioni nella storia più grande",
            "menciones en la historia mayor",
        ],
    ),
    (
        "coordinated",
        [
            "omnämnanden i samordnade kopior",
            "Erwähnungen in abgestimmten Kopien",
            "menzioni in copie coordinate",
            "menciones en copias coordinadas",
        ],
    ),
    (
        "stories_in_tier1",
        [
            "berättelser i ledande medier",
            "Geschichten in Leitmedien",
            "storie nelle testate principali",
            "historias en medios principales",
        ],
    ),
    ("sources", ["oberoende sajter", "unabhängige Seiten", "siti indipendenti", "sitios independientes"]),
    ("networks", ["nätverk", "Netzwerke", "reti", "redes"]),
    ("languages", ["språk", "Sprachen", "lingue", "idiomas"]),
    ("complaints", ["klagomål", "Beschwerden", "reclami", "quejas"]),
    ("questions", ["frågor", "Fragen", "domande", "preguntas"]),
    (
        "velocity",
        [
            "omnämnanden i minuten på sistone",
            "Erwähnungen je Minute zuletzt",
            "menzioni al minuto di recente",
            "menciones por minuto últimamente",
        ],
    ),
    (
        "acceleration",
        [
            "förändring av omnämnanden i minuten",
            "Änderung der Erwähnungen je Minute",
            "variazione delle menzioni al minuto",
            "variación de menciones por minuto",
        ],
    ),
    (
        "minutes_since_first",
        ["minuter sedan den första", "Minuten seit der ersten", "minuti dalla prima", "minutos desde la primera"],
    ),
];

/// What a signal means, in a language; in English where that is none of the others.
pub(super) fn meaning_in(language: &str, signal: &str) -> String {
    let column = ["sv", "de", "it", "es"].iter().position(|l| *l == language);
    let row = MEANINGS.iter().find(|(name, _)| *name == signal);
    let own = column.zip(row).and_then(|(column, (_, words))| words.get(column));
    own.map_or_else(|| meaning(signal).to_owned(), |words| (*words).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signals::SIGNALS;

    #[test]
    fn every_signal_has_its_words() {
        for (name, ..) in SIGNALS {
            assert!(MEANINGS.iter().any(|(n, _)| n == name), "{name}");
        }
        assert_eq!(MEANINGS.len(), SIGNALS.len());
        assert_eq!(meaning_in("de", "authors"), "verschiedene Verfasser");
        assert_eq!(meaning_in("fr", "authors"), "different authors");
    }
}
