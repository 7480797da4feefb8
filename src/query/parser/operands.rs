//! Operands of a query: words, quotes, braces, compounds, and fields with their values.

use std::ops::Range;

use super::{Joined, Parser};
use crate::query::fact::{Field, Wanted};
use crate::query::lexer::Lex;
use crate::query::node::{Is, Node, Part, Place};
use crate::query::value::{self, Written};
use crate::query::wild::{Wild, WildError};
use crate::query::{Code, suggest};
use crate::text::tokens::{Kind, Tokens, folded, is_word_char};

impl Parser<'_> {
    pub(super) fn word(&mut self, word: &str, span: Range<usize>) -> Option<Node> {
        if let Some(field) = self.field {
            return self.value(field, &Written::Bare(word), span);
        }
        self.operands += 1;
        if let Some(excluded) = word.strip_prefix('!').filter(|w| w.starts_with(char::is_alphanumeric)) {
            let message = format!("`{word}` looks for {excluded}");
            self.warn(Code::SmallOperator, span.clone(), message, format!("write NOT {excluded} to exclude it"));
        }
        let parts = self.parts(word, &span, true)?;
        let compound = matches!(self.peek(), Some(Lex::Tilde(_))) && self.span().start == span.end;
        if compound {
            return self.compound(&parts, span);
        }
        let is = match parts.as_slice() {
            [] => {
                let message = format!("`{word}` holds no word");
                let help = match super::joins::operator_meant(word) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => "write a word, a #tag, a @name or an emoji".to_owned(),
                };
                self.wrong(Code::NoWord, span, message, help);
                return None;
            }
            [(Part::Wild(wild), _)] => Is::Wild(wild.clone()),
            [(Part::Token(token), Kind::Word)] => Is::Word(token.clone()),
            [(Part::Token(token), _)] => Is::Token(token.clone()),
            // `car-sharing` and `l'oreal` are several tokens in every text as well.
            many => Is::Phrase(many.iter().map(|(p, _)| p.clone()).collect()),
        };
        Some(Node::new(span, is))
    }

    /// `carsharing~`.
    fn compound(&mut self, parts: &[(Part, Kind)], span: Range<usize>) -> Option<Node> {
        let whole = span.start..self.span().end;
        let number = matches!(self.peek(), Some(Lex::Tilde(Some(_))));
        self.at += 1;
        match parts {
            _ if number => {
                let help = "write word~ for compounds, and \"one two\"~5 for nearness";
                self.wrong(Code::Tilde, whole, "`~` with a number stands after a quote or a group", help);
                None
            }
            [(Part::Token(token), Kind::Word)] if token.chars().count() >= 4 => {
                Some(Node::new(whole, Is::Compound(token.clone())))
            }
            _ => {
                let help = "write one word of four letters or more before it: carsharing~";
                self.wrong(Code::Tilde, whole, "`~` makes a compound of one longer word", help);
                None
            }
        }
    }

    /// The words of a bare word or a quote, with what each is; `None` where there is a mistake.
    fn parts(&mut self, text: &str, span: &Range<usize>, bare: bool) -> Option<Vec<(Part, Kind)>> {
        let mut out = Vec::new();
        for chunk in text.split_whitespace() {
            if !chunk.contains(['*', '?']) {
                let tokens = Tokens::read(chunk).list;
                if bare && tokens.iter().any(|t| t.kind == Kind::Url) {
                    let help = "write site:example.org, or url:\"words of the address\"";
                    self.wrong(Code::Address, span.clone(), "an address is not looked for as a word", help);
                    return None;
                }
                out.extend(tokens.iter().map(|t| (Part::Token(t.signed()), t.kind)));
                continue;
            }
            let open = |c: char| is_word_char(c) || matches!(c, '*' | '?' | '#' | '@' | '$');
            for piece in chunk.split(|c| !open(c)).filter(|p| !p.is_empty()) {
                self.piece(piece, span, bare, &mut out)?;
            }
        }
        Some(out)
    }

    /// One run of word characters, which may have open letters.
    fn piece(&mut self, piece: &str, span: &Range<usize>, bare: bool, out: &mut Vec<(Part, Kind)>) -> Option<()> {
        // In a quote a question mark at the end of a word is most likely a question mark.
        let piece = if bare { piece } else { piece.trim_end_matches('?') };
        if !piece.contains(['*', '?']) {
            out.extend(Tokens::read(piece).list.iter().map(|t| (Part::Token(t.signed()), t.kind)));
            return Some(());
        }
        if piece.chars().all(|c| matches!(c, '*' | '?')) && !bare {
            let help = "write \"one two\"~2 for words that may stand between";
            self.wrong(Code::Wildcard, span.clone(), "a wildcard stands for letters of a word, not for a word", help);
            return None;
        }
        match Wild::new(&folded(piece)) {
            Ok(wild) => {
                if wild.head().len() == 1 && wild.pattern().starts_with(['#', '@', '$']) {
                    let message = "a wildcard stands right after the sign";
                    self.wrong(Code::Wildcard, span.clone(), message, "write at least two letters before it");
                    return None;
                }
                if wild.pattern().starts_with(['#', '@']) {
                    let help = "fine if every such tag or name is meant; else write it out";
                    self.warn(
                        Code::OpenSign,
                        span.clone(),
                        "a tag or name with an open ending finds many others",
                        help,
                    );
                }
                out.push((Part::Wild(wild), Kind::Word));
                Some(())
            }
            Err(WildError::Leading) => {
                let help = "write the beginning of the word first: burn*";
                self.wrong(Code::Wildcard, span.clone(), "a wildcard cannot stand at the beginning", help);
                None
            }
            Err(WildError::Short) => {
                let help = "write at least two letters before the `*`: bu*";
                self.wrong(Code::Wildcard, span.clone(), "too few letters stand before the `*`", help);
                None
            }
        }
    }

    pub(super) fn quoted(&mut self, text: &str, span: Range<usize>) -> Option<Node> {
        if let Some(field) = self.field {
            return self.value(field, &Written::Quoted(text), span);
        }
        self.operands += 1;
        let within = self.tilde(span.end);
        let parts = self.parts(text, &span, false)?;
        if parts.is_empty() {
            self.wrong(Code::EmptyGroup, span, "there is no word in these quotes", "write \"some words\"");
            return None;
        }
        let exact = |part: Part| match part {
            Part::Token(_) => Is::Phrase(vec![part]),
            Part::Wild(wild) => Is::Wild(wild),
        };
        let parts: Vec<Part> = parts.into_iter().map(|(p, _)| p).collect();
        let is = match within {
            Some(distance) if parts.len() > 1 => {
                let parts = parts.into_iter().map(|p| Node::new(span.clone(), exact(p))).collect();
                Is::Within { parts, distance }
            }
            _ => Is::Phrase(parts),
        };
        Some(Node::new(span, is))
    }

    pub(super) fn braced(&mut self, text: &str, span: Range<usize>) -> Option<Node> {
        if let Some(field) = self.field {
            return self.value(field, &Written::Quoted(text), span);
        }
        if Tokens::read(text).list.is_empty() {
            self.wrong(Code::EmptyGroup, span, "there is no word in these braces", "write {Exactly This}");
            return None;
        }
        self.operands += 1;
        if text.contains(['*', '?']) {
            let help = "braces hold whole words; for an open ending write BT* without them";
            self.warn(Code::Wildcard, span.clone(), "a wildcard in braces has no effect", help);
        }
        Some(Node::new(span, Is::Cased(text.trim().to_owned())))
    }

    pub(super) fn field(&mut self, name: &str, span: Range<usize>) -> Option<Node> {
        let Some(field) = Field::of(name) else {
            let help = match vendors(name) {
                Some(help) => help.to_owned(),
                None => match suggest(name, Field::names()) {
                    near if near.starts_with("did") => near,
                    all => format!("{all}; words with a colon are looked for in quotes"),
                },
            };
            self.wrong(Code::UnknownField, span, format!("there is no field `{name}`"), help);
            self.skip_value();
            return None;
        };
        let outer = self.field.take();
        let node = self.field_value(field, &span);
        self.field = outer;
        node
    }

    fn field_value(&mut self, field: Field, name: &Range<usize>) -> Option<Node> {
        let place = match field {
            Field::Title => Some(Place::Title),
            Field::Text => Some(Place::Body),
            _ => None,
        };
        let at = self.span();
        let lex = self.peek().cloned();
        match (lex, place) {
            (Some(Lex::Open | Lex::Word(_) | Lex::Quoted(_) | Lex::Braced(_)), Some(place)) => {
                let inner = self.operand(Joined::First)?;
                let span = name.start..inner.span.end;
                Some(Node::new(span, Is::In(place, Box::new(inner))))
            }
            (Some(Lex::Open), None) => {
                self.field = Some(field);
                let inner = self.group(at);
                self.field = None;
                inner.map(|n| Node::new(name.start..n.span.end, n.is))
            }
            (Some(Lex::Broken), _) => {
                self.at += 1;
                None
            }
            (Some(Lex::Word(word)), _) => self.take_value(field, &Written::Bare(&word), name.start..at.end),
            (Some(Lex::Quoted(text) | Lex::Braced(text)), _) => {
                self.take_value(field, &Written::Quoted(&text), name.start..at.end)
            }
            (Some(Lex::Range(range)), _) => self.take_value(field, &Written::Range(&range), name.start..at.end),
            (Some(Lex::Compare(op, value)), _) => {
                self.take_value(field, &Written::Compare(op, &value), name.start..at.end)
            }
            _ => {
                let message = format!("`{}:` has no value", field.name());
                self.wrong(Code::MissingOperand, name.clone(), message, format!("write {}:value", field.name()));
                None
            }
        }
    }

    fn take_value(&mut self, field: Field, written: &Written<'_>, span: Range<usize>) -> Option<Node> {
        self.at += 1;
        self.value(field, written, span)
    }

    fn value(&mut self, field: Field, written: &Written<'_>, span: Range<usize>) -> Option<Node> {
        self.operands += 1;
        if let (Field::Url | Field::Links, Written::Bare(text) | Written::Quoted(text)) = (field, written)
            && text.trim_matches(['*', '/']).contains('*') | text.trim_end_matches('*').ends_with(is_word_char)
            && text.contains('*')
        {
            let help = format!("write whole words of the address: {}:\"word word\"", field.name());
            self.warn(Code::Wildcard, span.clone(), "a wildcard has no effect here", help);
        }
        match value::read(field, written, span.clone()) {
            Ok(fact) => {
                let is = match (&fact.value, field) {
                    // Text as it is written is a matter of words, not of facts.
                    (Wanted::Words(words), Field::Raw) => Is::Cased(words.concat()),
                    _ => Is::Fact(fact),
                };
                Some(Node::new(span, is))
            }
            Err(mistake) => {
                self.tell(mistake);
                None
            }
        }
    }

    /// Goes past the value of a field that is not known.
    fn skip_value(&mut self) {
        match self.peek() {
            Some(Lex::Open) => {
                let span = self.span();
                // Its mistakes are told; what it means is not.
                self.field = Some(Field::Tags);
                self.group(span);
                self.field = None;
            }
            Some(Lex::Word(_) | Lex::Quoted(_) | Lex::Braced(_) | Lex::Range(_) | Lex::Compare(..)) => self.at += 1,
            _ => {}
        }
    }
}

/// What to write instead of fields that other tools have.
fn vendors(name: &str) -> Option<&'static str> {
    Some(match name.to_lowercase().as_str() {
        "continent" | "region" | "state" | "city" | "location" | "county" => "vakt knows countries: country:se",
        "at_mentions" | "atmentions" | "mentions" | "engagingwith" | "engagingwithguid" => {
            "write the name itself: @acme; or who writes: author:acme"
        }
        "hashtags" | "hashtag" => "write the tag itself: #acme",
        "authorgender" | "gender" | "authorprofession" | "interest" | "authorinterest" | "authorbio" => {
            "vakt does not profile people; ask for what they say, or author:name"
        }
        _ => return None,
    })
}
