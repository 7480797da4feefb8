//! What an author wants: to complain, to ask, to suggest, to praise; and whether they expect an answer.
//!
//! Turns of phrase of five languages ([`super::cues`]), what the table of feelings knows of complaints, the question mark
//! and the sentiment are weighed. A text may show several intents; the strongest is its intent.

use serde::{Deserialize, Serialize};

use super::atoms::{Atom, AtomKind};
use super::cues::Sign;
use super::sentiment::{Heard, Label};

/// What an author wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// All, in the order in which a tie is decided.
    pub const ALL: [Intent; 5] =
        [Intent::Complaint, Intent::Suggestion, Intent::Question, Intent::Praise, Intent::Other];

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

/// What an author wants, with all that the text shows of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Wants {
    /// The strongest.
    pub intent: Intent,
    /// All that the text shows, strongest first, with their strengths; [`PRESENT`] and more.
    pub shown: Vec<(Intent, f32)>,
    /// Somebody should answer.
    pub needs_answer: bool,
}

impl Wants {
    /// Whether the text shows an intent at all.
    pub fn shows(&self, intent: Intent) -> bool {
        self.shown.iter().any(|(i, _)| *i == intent)
    }
}

/// An intent of so much strength is there.
pub const PRESENT: f32 = 2.0;

/// A complaint, a question or a suggestion is answered unless so much speaks against it ("never again").
const AGAINST: f32 = -0.5;

/// What a question mark, and a feeling, add.
const ASKED: f32 = 1.5;
const FELT: f32 = 1.0;

/// What the author of a text wants. `heard` is what the text sounds like.
pub fn wants(atoms: &[Atom<'_>], language: &str, heard: &Heard) -> Wants {
    let of = |sign: Sign| heard.cues[sign as usize];
    let asked = atoms.iter().any(|a| a.kind == AtomKind::Mark && a.form.contains(['?', '？', '¿']));
    let feels = |label: Label| if heard.score.label == label { FELT } else { 0.0 };
    let (bad, good) = (feels(Label::Negative), feels(Label::Positive));
    // The table learnt complaints, cues included, in English; elsewhere it has but the signs that languages share.
    let own = if heard.own { FELT } else { 0.0 };
    let complaint = if language == "en" {
        PRESENT + heard.complaint
    } else {
        of(Sign::Complaint) + heard.complaint.clamp(-0.5, 0.5) + 1.5 * bad - good + own / 2.0
    };
    let strengths = [
        (Intent::Complaint, complaint),
        (Intent::Suggestion, of(Sign::Suggestion)),
        (Intent::Question, of(Sign::Question) + if asked { ASKED } else { 0.0 } - bad / 2.0),
        (Intent::Praise, of(Sign::Praise) + 1.5 * good + own * good / 2.0 - bad),
    ];
    let mut shown: Vec<(Intent, f32)> = strengths.into_iter().filter(|(_, s)| *s >= PRESENT).collect();
    shown.sort_by(|a, b| b.1.total_cmp(&a.1));
    let intent = shown.first().map_or(Intent::Other, |(intent, _)| *intent);
    let expects = match intent {
        Intent::Complaint | Intent::Question | Intent::Suggestion => of(Sign::Answer) >= AGAINST,
        Intent::Praise | Intent::Other => of(Sign::Answer) >= PRESENT,
    };
    Wants { intent, shown, needs_answer: expects }
}

#[cfg(test)]
mod tests {
    use super::super::Analyst;
    use super::*;

    fn of(text: &str, language: &'static str) -> Wants {
        Analyst::default().analyse_in("", text, Some(language)).wants
    }

    #[test]
    fn intents_of_five_languages() {
        assert_eq!(of("My order never arrived and nobody answers, I want a refund", "en").intent, Intent::Complaint);
        assert_eq!(of("Väntar fortfarande på mitt paket, ingen svarar", "sv").intent, Intent::Complaint);
        assert_eq!(of("Var kan man köpa den här kokaren?", "sv").intent, Intent::Question);
        assert_eq!(of("Acme sollte den Kocher auch in Rot anbieten", "de").intent, Intent::Suggestion);
        assert_eq!(of("Ottimo bollitore, grazie a tutti voi", "it").intent, Intent::Praise);
        assert_eq!(of("Acme abre una tienda en Sevilla", "es").intent, Intent::Other);
    }

    #[test]
    fn who_wants_an_answer_is_known() {
        assert!(of("Where is my order? Please help, it never arrived", "en").needs_answer);
        assert!(of("Wann kommt mein Paket? Bitte um Antwort", "de").needs_answer);
        assert!(!of("I love my new kettle, great quality!", "en").needs_answer);
    }

    #[test]
    fn a_text_may_show_several_intents() {
        let wants = of("Still waiting for my refund. Can you please call me? It would be great if you answered.", "en");
        assert!(wants.shows(Intent::Complaint) && wants.shows(Intent::Suggestion), "{wants:?}");
    }
}
