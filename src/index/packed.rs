//! Hands the index tokens that are cut already: each as its distance from the one before it, its letters, and an end mark.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// The name under which the index knows this.
pub(super) const PACKED: &str = "packed";

/// Stands behind each token; no token holds it.
const END: char = '\u{1}';
/// Distances are characters from here on.
const ZERO: u32 = 2;
/// Longest distance that one character tells.
const FARTHEST: u32 = 0xd000;

/// Packs tokens, in the order of their positions.
#[derive(Debug, Default)]
pub(super) struct Packing {
    text: String,
    last: u32,
}

impl Packing {
    /// With room for so many bytes.
    pub(super) fn with_room(bytes: usize) -> Packing {
        Packing { text: String::with_capacity(bytes), last: 0 }
    }

    /// Adds a token at a position not before the last one's. What follows `letters` belongs to the token as well.
    pub(super) fn add(&mut self, at: u32, letters: &str, more: &str) {
        let distance = at.saturating_sub(self.last).min(FARTHEST);
        self.text.extend(char::from_u32(distance + ZERO));
        self.text.push_str(letters);
        self.text.push_str(more);
        self.text.push(END);
        self.last = at;
    }

    /// All of them.
    pub(super) fn done(self) -> String {
        self.text
    }
}

/// Takes packed tokens apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Packed {
    token: Token,
}

/// The tokens of a packed text.
pub(super) struct Unpacked<'a> {
    rest: &'a str,
    token: &'a mut Token,
    at: u32,
}

impl Tokenizer for Packed {
    type TokenStream<'a> = Unpacked<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Unpacked<'a> {
        self.token.reset();
        Unpacked { rest: text, token: &mut self.token, at: 0 }
    }
}

impl TokenStream for Unpacked<'_> {
    fn advance(&mut self) -> bool {
        let Some(end) = self.rest.find(END) else { return false };
        let (piece, rest) = self.rest.split_at(end);
        self.rest = rest.get(END.len_utf8()..).unwrap_or("");
        let mut letters = piece.chars();
        self.at += letters.next().map_or(0, |c| u32::from(c).saturating_sub(ZERO));
        self.token.position = usize::try_from(self.at).unwrap_or(usize::MAX);
        self.token.text.clear();
        self.token.text.push_str(letters.as_str());
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_again() {
        let mut packing = Packing::default();
        let tokens = [(0, "a"), (0, "ä"), (3, "🔥"), (103, "#tag"), (104, "x")];
        tokens.iter().for_each(|(at, word)| packing.add(*at, word, ""));
        let (text, mut tokenizer) = (packing.done(), Packed::default());
        let mut stream = tokenizer.token_stream(&text);
        let mut out = Vec::new();
        while stream.advance() {
            out.push((u32::try_from(stream.token().position).expect("small"), stream.token().text.clone()));
        }
        assert_eq!(out, tokens.map(|(at, word)| (at, word.to_owned())));
    }
}
