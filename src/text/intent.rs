//! What an author wants: to complain, to ask, to suggest, to praise. Simple rules that can be read.

use std::sync::LazyLock;

use serde::Serialize;

use super::hash::Table;
use super::sentiment::{Label, Score};
use super::tokens::Tokens;

/// What an author wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Intent {
    /// Something went wrong for them.
    Complaint,
    /// They want to know something.
    Question,
    /// They want something else.
    Suggestion,
    /// They are pleased.
    Praise,
    /// Anything else.
    Other,
}

impl Intent {
    /// The word used in queries and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Intent::Complaint => "complaint",
            Intent::Question => "question",
            Intent::Suggestion => "suggestion",
            Intent::Praise => "praise",
            Intent::Other => "other",
        }
    }
}

/// Words of somebody who speaks of their own dealings.
const OWN: &[&str] = &[
    "i", "my", "me", "we", "our", "us", "jag", "min", "mitt", "mina", "mig", "vi", "vår", "oss", "ich", "mein",
    "meine", "meinen", "meinem", "mir", "mich", "wir", "unser", "unsere", "uns", "io", "mio", "mia", "miei", "mi",
    "noi", "nostro", "nostra", "ci", "yo", "mis", "nosotros", "nuestro", "nuestra", "nos", "me",
];
/// Words of shops and service.
const SERVICE: &[&str] = &[
    "service",
    "refund",
    "order",
    "delivery",
    "support",
    "customer",
    "kundtjänst",
    "order",
    "leverans",
    "återbetalning",
    "kundservice",
    "kundendienst",
    "bestellung",
    "lieferung",
    "erstattung",
    "servizio",
    "clienti",
    "rimborso",
    "ordine",
    "consegna",
    "assistenza",
    "servicio",
    "cliente",
    "reembolso",
    "pedido",
    "entrega",
    "atención",
];
const ASK: &[&str] = &[
    "who", "what", "when", "where", "why", "how", "which", "does", "anyone", "can", "vem", "vad", "när", "var",
    "varför", "hur", "vilken", "någon", "kan", "wer", "was", "wann", "wo", "warum", "wie", "welche", "welcher",
    "jemand", "kann", "chi", "cosa", "quando", "dove", "perché", "come", "quale", "qualcuno", "quién", "qué", "cuándo",
    "dónde", "cómo", "cuál", "alguien",
];
const WISH: &[&str] = &[
    "should",
    "could",
    "wish",
    "suggest",
    "borde",
    "skulle",
    "önskar",
    "föreslår",
    "sollte",
    "sollten",
    "könnte",
    "wünsche",
    "wünschte",
    "vorschlag",
    "dovrebbe",
    "dovreste",
    "potreste",
    "vorrei",
    "suggerisco",
    "debería",
    "deberían",
    "podrían",
    "ojalá",
    "sugiero",
];

/// The lists that a word stands in, as bits.
static LISTS: LazyLock<Table<&'static str, u8>> = LazyLock::new(|| {
    let mut table: Table<&'static str, u8> = Table::default();
    for (bit, list) in [(1, OWN), (2, SERVICE), (4, ASK), (8, WISH)] {
        for word in list {
            *table.entry(word).or_default() |= bit;
        }
    }
    table
});

/// What the author of a text wants, by its words, its question marks and its sentiment.
pub fn intent(tokens: &Tokens<'_>, _language: &str, score: &Score) -> Intent {
    let bits = tokens.list.iter().filter_map(|t| LISTS.get(t.form.as_ref())).fold(0, |all, bits| all | bits);
    let asks = tokens.text.contains(['?', '？', '¿']);
    match score.label {
        Label::Negative if bits & 3 != 0 => Intent::Complaint,
        _ if asks && bits & 4 != 0 => Intent::Question,
        _ if bits & 8 != 0 => Intent::Suggestion,
        Label::Positive => Intent::Praise,
        _ if asks => Intent::Question,
        _ => Intent::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sentiment::{LexiconScorer, Scorer};
    use super::*;

    fn of(text: &str, language: &str) -> Intent {
        let tokens = Tokens::read(text);
        let score = LexiconScorer::new().score(&tokens, language);
        intent(&tokens, language, &score)
    }

    #[test]
    fn intents_of_five_languages() {
        assert_eq!(of("My kettle broke and the service is useless", "en"), Intent::Complaint);
        assert_eq!(of("Var kan man köpa den här kokaren?", "sv"), Intent::Question);
        assert_eq!(of("Acme sollte den Kocher auch in Rot anbieten", "de"), Intent::Suggestion);
        assert_eq!(of("Ottimo bollitore, grazie Acme", "it"), Intent::Praise);
        assert_eq!(of("Acme abre una tienda en Sevilla", "es"), Intent::Other);
    }
}
