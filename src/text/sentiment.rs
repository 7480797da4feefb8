//! What a text feels like, and the words that say so: lexicons with negation, emphasis, contrast and emoji.
//!
//! Behind [`Scorer`] a better model can take its place; what it must keep is the reasons.

use serde::Serialize;

use super::tokens::{Kind, Token, Tokens};

/// What a score comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// Negative.
    Negative,
    /// Neither.
    Neutral,
    /// Positive.
    Positive,
    /// The language is not known to the scorer, which is not the same as neutral.
    Unscored,
}

/// A term with what it added to a score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// As it was read.
    pub term: String,
    /// −1..1.
    pub weight: f32,
}

/// The sentiment of a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// −1..1.
    pub value: f32,
    /// What it comes to.
    pub label: Label,
    /// 0..1, from how much in the text speaks and how much it agrees.
    pub confidence: f32,
    /// What made it, strongest first.
    pub why: Vec<Reason>,
}

/// Scores texts.
pub trait Scorer: Send + Sync {
    /// The sentiment of a text in a language.
    fn score(&self, tokens: &Tokens<'_>, language: &str) -> Score;
}

type Map<V> = super::hash::Table<String, V>;

/// What a word does to those around it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    /// Carries a weight of its own.
    Weight(f32),
    /// Turns what follows.
    Not,
    /// Makes what follows stronger or weaker.
    Scale(f32),
    /// What follows counts for more than what came before.
    But,
}

#[derive(Debug, Default)]
struct Lexicon {
    words: Map<Role>,
    prefixes: Map<f32>,
    shortest: usize,
    /// Phrases by their first word: the words that follow, and the weight.
    phrases: Map<Vec<(Vec<String>, f32)>>,
}

/// Scores by lexicons and rules, in Swedish, German, Italian, Spanish and English.
#[derive(Debug)]
pub struct LexiconScorer {
    lexicons: Vec<(&'static str, Lexicon)>,
    house: Lexicon,
}

const TEXTS: [(&str, &str); 5] = [
    ("en", include_str!("lexicon/en.txt")),
    ("sv", include_str!("lexicon/sv.txt")),
    ("de", include_str!("lexicon/de.txt")),
    ("it", include_str!("lexicon/it.txt")),
    ("es", include_str!("lexicon/es.txt")),
];

/// Weights in the files go from −4 to 4.
const STRONGEST: f32 = 4.0;
/// A negation reaches over so many words.
const REACH: usize = 3;
/// What a negated word keeps of its weight, turned.
const TURNED: f32 = -0.6;
/// Sum of weights at which a text is half way to the end of the scale.
const HALF: f32 = 0.9;
/// Reasons that are kept.
const REASONS: usize = 6;

impl Lexicon {
    fn read(text: &str) -> Lexicon {
        let mut out = Lexicon { shortest: usize::MAX, ..Lexicon::default() };
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            let mut parts = line.split_whitespace();
            let Some(head) = parts.next() else { continue };
            let role = match head {
                "!" => Role::Not,
                "+" => Role::Scale(1.35),
                "-" => Role::Scale(0.7),
                "&" => Role::But,
                // The files are ours, and a test reads every line of them.
                n => Role::Weight(n.parse::<f32>().unwrap_or(0.0) / STRONGEST),
            };
            for term in parts {
                out.add(&term.replace('_', " "), role);
            }
        }
        out
    }

    fn add(&mut self, term: &str, role: Role) {
        let (term, open) = term.strip_suffix('*').map_or((term, false), |t| (t, true));
        let mut tokens = Tokens::read(term).list.into_iter().map(|t| t.form.into_owned());
        let Some(first) = tokens.next() else { return };
        let rest: Vec<String> = tokens.collect();
        match role {
            Role::Weight(w) if !rest.is_empty() => self.phrases.entry(first).or_default().push((rest, w)),
            Role::Weight(w) if open => {
                self.shortest = self.shortest.min(first.chars().count());
                self.prefixes.insert(first, w);
            }
            role => {
                self.words.insert(first, role);
            }
        }
    }

    /// The longest phrase that begins here: how many tokens more, and its weight.
    fn phrase(&self, first: &str, following: &[Token<'_>]) -> Option<(usize, f32)> {
        let fits =
            |words: &[String]| words.len() <= following.len() && words.iter().zip(following).all(|(w, t)| *w == t.form);
        let found = self.phrases.get(first)?.iter().filter(|(words, _)| fits(words));
        found.max_by_key(|(words, _)| words.len()).map(|(words, w)| (words.len(), *w))
    }

    fn role(&self, form: &str) -> Option<Role> {
        if let Some(role) = self.words.get(form) {
            return Some(*role);
        }
        if self.prefixes.is_empty() {
            return None;
        }
        // Longest beginning first; bytes are at least as many as letters.
        let begins = |(at, c): (usize, char)| form.get(..at + c.len_utf8()).filter(|p| p.len() >= self.shortest);
        let found = form.char_indices().rev().map_while(begins).find_map(|p| self.prefixes.get(p));
        found.map(|weight| Role::Weight(*weight))
    }
}

impl Default for LexiconScorer {
    fn default() -> Self {
        Self::new()
    }
}

impl LexiconScorer {
    /// A scorer with the lexicons that ship.
    pub fn new() -> LexiconScorer {
        LexiconScorer {
            lexicons: TEXTS.iter().map(|(code, text)| (*code, Lexicon::read(text))).collect(),
            house: Lexicon { shortest: usize::MAX, ..Lexicon::default() },
        }
    }

    /// The same with the house's own words and phrases, −1..1, which go before all others in every language.
    pub fn with_house(mut self, house: impl IntoIterator<Item = (String, f32)>) -> LexiconScorer {
        for (term, weight) in house {
            self.house.add(&term, Role::Weight(weight));
        }
        self
    }

    fn meaning(&self, lexicon: &Lexicon, tokens: &[Token<'_>]) -> Option<(usize, Role)> {
        let (first, following) = tokens.split_first()?;
        if first.kind == Kind::Emoji {
            return emoji(&first.form).map(|w| (0, Role::Weight(w)));
        }
        if !matches!(first.kind, Kind::Word | Kind::Hashtag) {
            return None;
        }
        let form = first.form.as_ref();
        if let Some((more, w)) = self.house.phrase(form, following) {
            return Some((more, Role::Weight(w)));
        }
        if let Some(role) = self.house.role(form) {
            return Some((0, role));
        }
        if let Some((more, w)) = lexicon.phrase(form, following) {
            return Some((more, Role::Weight(w)));
        }
        lexicon.role(form).map(|role| (0, role))
    }
}

/// A weight found in the text.
struct Hit {
    from: usize,
    to: usize,
    weight: f32,
}

impl Scorer for LexiconScorer {
    fn score(&self, tokens: &Tokens<'_>, language: &str) -> Score {
        let Some((_, lexicon)) = self.lexicons.iter().find(|(code, _)| *code == language) else {
            return Score { value: 0.0, label: Label::Unscored, confidence: 0.0, why: Vec::new() };
        };
        let mut hits: Vec<Hit> = Vec::new();
        let (mut negated, mut scale) = (None::<usize>, 1.0f32);
        let mut at = 0;
        while let Some(rest) = tokens.list.get(at..).filter(|r| !r.is_empty()) {
            let Some(token) = rest.first() else { break };
            match self.meaning(lexicon, rest) {
                Some((more, Role::Weight(weight))) => {
                    let end = rest.get(more).map_or(token.end, |t| t.end);
                    let raw = tokens.text.get(token.start..end).unwrap_or("");
                    let mut weight = weight * scale * loudness(raw, tokens.text.get(end..).unwrap_or(""));
                    if negated.is_some_and(|n| at - n <= REACH) {
                        weight *= TURNED;
                    }
                    hits.push(Hit {
                        from: negated.filter(|n| at - n <= REACH).map_or(token.start, |n| start_of(tokens, n)),
                        to: end,
                        weight,
                    });
                    scale = 1.0;
                    at += more;
                }
                Some((_, Role::Not)) => {
                    negated = Some(at);
                    // The German verb has come already: «funktioniert nicht».
                    if language == "de"
                        && let Some(last) = hits.last_mut().filter(|h| h.weight > 0.0 && h.to + 1 >= token.start)
                    {
                        last.weight *= TURNED;
                        last.to = token.end;
                        negated = None;
                    }
                }
                Some((_, Role::Scale(by))) => scale *= by,
                Some((_, Role::But)) => {
                    hits.iter_mut().for_each(|h| h.weight *= 0.5);
                    (negated, scale) = (None, 1.0);
                }
                None => {
                    if negated.is_some_and(|n| at - n >= REACH) {
                        negated = None;
                    }
                    scale = 1.0;
                }
            }
            // A sentence's end ends a negation.
            if tokens.text.get(token.end..).is_some_and(|t| t.starts_with(['.', '!', '?', '\n'])) {
                negated = None;
            }
            at += 1;
        }
        comes_to(tokens, hits)
    }
}

fn start_of(tokens: &Tokens<'_>, at: usize) -> usize {
    tokens.list.get(at).map_or(0, |t| t.start)
}

/// Capitals, drawn-out letters and exclamation marks make a word louder.
fn loudness(raw: &str, after: &str) -> f32 {
    let mut by = 1.0;
    if raw.chars().count() > 2 && raw.chars().all(|c| c.is_uppercase() || !c.is_alphabetic()) {
        by *= 1.2;
    }
    if after.starts_with('!') {
        by *= 1.15;
    }
    by
}

fn comes_to(tokens: &Tokens<'_>, hits: Vec<Hit>) -> Score {
    let sum: f32 = hits.iter().map(|h| h.weight).sum();
    let size: f32 = hits.iter().map(|h| h.weight.abs()).sum();
    let value = sum / (sum.abs() + HALF);
    let label = match value {
        v if v <= crate::model::mention::NEGATIVE => Label::Negative,
        v if v >= -crate::model::mention::NEGATIVE => Label::Positive,
        _ => Label::Neutral,
    };
    let agreement = if size > 0.0 { sum.abs() / size } else { 1.0 };
    let confidence = if hits.is_empty() { 0.3 } else { (size / (size + 0.5)) * agreement };
    let mut why: Vec<Reason> = hits
        .iter()
        .filter(|h| h.weight != 0.0)
        .map(|h| Reason {
            term: tokens.text.get(h.from..h.to).unwrap_or("").to_owned(),
            weight: h.weight.clamp(-1.0, 1.0),
        })
        .collect();
    why.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    why.truncate(REASONS);
    Score { value: value.clamp(-1.0, 1.0), label, confidence, why }
}

/// The weight of an emoji that has one.
fn emoji(form: &str) -> Option<f32> {
    let first = form.chars().next()?;
    Some(match first {
        '😡' | '🤬' | '🤮' | '💀' | '☠' => -0.8,
        '😠' | '👎' | '🤢' | '😱' | '😨' | '😤' | '💔' | '🚨' => -0.6,
        '😢' | '😭' | '😞' | '😟' | '🙁' | '☹' | '😕' | '⚠' | '😩' => -0.45,
        '🔥' => -0.2,
        '🙂' | '😉' | '👌' | '🙏' | '✨' | '☀' => 0.35,
        '😊' | '😀' | '😃' | '😄' | '👍' | '👏' | '🎉' | '💪' | '☺' | '😁' => 0.55,
        '❤' | '😍' | '🥰' | '💖' | '🤩' | '💙' | '💚' => 0.75,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(text: &str, language: &str) -> Score {
        LexiconScorer::new().score(&Tokens::read(text), language)
    }

    #[test]
    fn every_line_of_the_lexicons_is_read() {
        for (code, text) in TEXTS {
            for line in text.lines().filter(|l| !l.starts_with('#')) {
                let head = line.split_whitespace().next().unwrap_or("");
                assert!(
                    matches!(head, "!" | "+" | "-" | "&") || head.parse::<f32>().is_ok_and(|w| w.abs() <= STRONGEST),
                    "{code}: {line}"
                );
            }
        }
    }

    #[test]
    fn the_five_languages_tell_a_fire_from_a_delight() {
        for (language, bad, good) in [
            (
                "en",
                "My Acme kettle caught fire, this is unacceptable and dangerous",
                "I love my new Acme kettle, great quality, thanks!",
            ),
            (
                "sv",
                "Min vattenkokare började brinna, livsfarligt och helt oacceptabelt",
                "Älskar min nya kokare, fantastisk kvalitet, tack!",
            ),
            (
                "de",
                "Mein Wasserkocher ist geschmolzen, das ist lebensgefährlich",
                "Toller Wasserkocher, bin sehr zufrieden, danke!",
            ),
            (
                "it",
                "Il bollitore ha preso fuoco, pericoloso e inaccettabile",
                "Adoro il mio nuovo bollitore, ottimo, grazie!",
            ),
            (
                "es",
                "El hervidor se quemó, es peligroso y una vergüenza",
                "Me encanta mi nuevo hervidor, excelente, gracias!",
            ),
        ] {
            assert_eq!(score(bad, language).label, Label::Negative, "{bad}");
            assert_eq!(score(good, language).label, Label::Positive, "{good}");
        }
    }

    #[test]
    fn negation_contrast_and_emphasis() {
        assert!(score("not good", "en").value < 0.0);
        assert!(score("inte bra", "sv").value < 0.0 && score("nicht gut", "de").value < 0.0);
        assert!(score("funktioniert nicht", "de").value < 0.0);
        assert!(score("non è buono", "it").value < 0.0 && score("no es bueno", "es").value < 0.0);
        assert!(score("I don't like it", "en").value < 0.0);
        assert!(score("very good", "en").value > score("good", "en").value);
        assert!(score("TERRIBLE!", "en").value < score("terrible", "en").value);
        assert!(score("nice design but dangerous", "en").value < score("dangerous but nice design", "en").value);
        assert!(score("❤️", "en").value > 0.3 && score("😡", "sv").value < -0.3);
    }

    #[test]
    fn the_house_knows_better_and_reasons_are_told() {
        let scorer = LexiconScorer::new().with_house([
            ("war zone".to_owned(), 0.0),
            ("glow".to_owned(), 0.9),
            ("fire sale".to_owned(), 0.3),
        ]);
        assert!(scorer.score(&Tokens::read("the fire sale"), "en").value > 0.0);
        let s = scorer.score(&Tokens::read("terrible glow, not good"), "en");
        assert_eq!(s.why[0].term, "glow");
        assert!(s.why.iter().any(|r| r.term == "not good" && r.weight < 0.0), "{:?}", s.why);
    }

    #[test]
    fn an_unknown_language_is_unscored() {
        assert_eq!(score("hei maailma", "fi").label, Label::Unscored);
        assert_eq!(score("good", "und").label, Label::Unscored);
    }

    proptest::proptest! {
        #[test]
        fn stays_on_the_scale(text in "\\PC{0,120}") {
            for language in ["en", "de"] {
                let s = score(&text, language);
                proptest::prop_assert!((-1.0..=1.0).contains(&s.value) && s.why.len() <= REASONS);
            }
        }
    }
}
