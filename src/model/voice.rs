//! How the brand speaks: tone, form of address, words to avoid, signs and signatures.

use super::Network;

/// How people are addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// Sie, usted, Lei, vous, u.
    Formal,
    /// Du, tú, tu, je.
    Informal,
}

impl Address {
    /// The word that files use.
    pub fn as_str(self) -> &'static str {
        match self {
            Address::Formal => "formal",
            Address::Informal => "informal",
        }
    }

    /// Reads [`Address::as_str`].
    pub fn parse(word: &str) -> Option<Address> {
        [Address::Formal, Address::Informal].into_iter().find(|a| a.as_str() == word)
    }
}

/// Words that the brand does not use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Avoided {
    /// The words, in any case; a `*` at the end stands for any ending.
    pub words: String,
    /// What to do in their place, in one sentence without a full stop.
    pub instead: String,
}

/// How the brand speaks in a language, on a network, on both, or everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manner {
    /// ISO 639-1 code; `None` for every language.
    pub language: Option<String>,
    /// `None` for every network, and for statements outside of them.
    pub network: Option<Network>,
    /// What it should sound like, for people.
    pub tone: String,
    /// How people are addressed; `None` where either is right.
    pub address: Option<Address>,
    /// Most emoji of a text.
    pub emoji: Option<usize>,
    /// Most hashtags.
    pub hashtags: Option<usize>,
    /// Most exclamation marks.
    pub exclamations: Option<usize>,
    /// What replies end with, one of these; `{name}` stands for a name of up to three words.
    pub sign_offs: Vec<String>,
    /// Words to avoid.
    pub avoid: Vec<Avoided>,
    /// Names as they are spelt, such as `vakt` or `AcmeOne`.
    pub spelling: Vec<String>,
}

/// The voice guide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Voice {
    /// Networks that the brand speaks on.
    pub networks: Vec<Network>,
    /// What it says, wider things before narrower ones.
    pub manners: Vec<Manner>,
}

impl Voice {
    /// All that holds in a language and, where the text is for one, on a network: the narrower goes before the wider, lists
    /// add up, and where a narrower one says how replies end, only that holds.
    pub fn at(&self, language: &str, network: Option<Network>) -> Manner {
        let holds = |m: &&Manner| {
            m.language.as_deref().is_none_or(|l| l == language) && (m.network.is_none() || m.network == network)
        };
        let mut all = Manner { language: Some(language.to_owned()), network, ..Manner::default() };
        for m in self.manners.iter().filter(holds) {
            if !m.tone.is_empty() {
                all.tone.clone_from(&m.tone);
            }
            all.address = m.address.or(all.address);
            all.emoji = m.emoji.or(all.emoji);
            all.hashtags = m.hashtags.or(all.hashtags);
            all.exclamations = m.exclamations.or(all.exclamations);
            if !m.sign_offs.is_empty() {
                all.sign_offs.clone_from(&m.sign_offs);
            }
            all.avoid.extend(m.avoid.iter().cloned());
            all.spelling.extend(m.spelling.iter().cloned());
        }
        all
    }
}
