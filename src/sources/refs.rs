//! Character references: `&eacute;`, `&#8217;` and the `&` that is none.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::charset::{allowed, western};

/// Text with all its references read, also the five of XML.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    references(text, &mut out);
    if !out.contains('&') {
        return out;
    }
    let out = out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    out.replace("&amp;", "&")
}

/// Writes text so that only the five references of XML are left in it, and every `&` begins one.
pub(super) fn references(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<']) {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        if let Some(after) = tail.strip_prefix('<') {
            out.push_str("&lt;");
            rest = after;
            continue;
        }
        let after = tail.strip_prefix('&').unwrap_or("");
        let end = after.bytes().take(33).position(|b| b == b';');
        let name = end.and_then(|end| after.get(..end)).unwrap_or("");
        match character(name) {
            Some(Ok(c)) => out.push(c),
            Some(Err(kept)) => out.push_str(kept),
            None => {
                out.push_str("&amp;");
                rest = after;
                continue;
            }
        }
        rest = after.get(name.len() + 1..).unwrap_or("");
    }
    out.push_str(rest);
}

/// What `&name;` stands for: a character, or a reference that must stay one.
fn character(name: &str) -> Option<Result<char, &'static str>> {
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => match name.strip_prefix('#') {
            Some(number) => {
                let hex = number.strip_prefix(['x', 'X']);
                let code = hex.map_or_else(|| number.parse().ok(), |h| u32::from_str_radix(h, 16).ok())?;
                numbered(code)
            }
            None => named(name)?,
        },
    };
    Some(match c {
        '&' => Err("&amp;"),
        '<' => Err("&lt;"),
        '>' => Err("&gt;"),
        '"' => Err("&quot;"),
        '\'' => Err("&apos;"),
        c => Ok(c),
    })
}

/// Numbers 128 to 159 are meant as windows-1252, as in every browser; what XML forbids becomes U+FFFD.
fn numbered(code: u32) -> char {
    let c = match u8::try_from(code) {
        Ok(byte @ 0x80..=0x9F) => western(byte),
        _ => char::from_u32(code),
    };
    c.filter(|c| allowed(*c)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The references of HTML 4; the others stay as they are and are read with the markup.
fn named(name: &str) -> Option<char> {
    static TABLE: LazyLock<HashMap<&str, char>> = LazyLock::new(|| {
        let latin = LATIN_1.split_ascii_whitespace().zip('\u{A0}'..);
        let mut words = OTHERS.split_ascii_whitespace();
        let others = std::iter::from_fn(|| Some((words.next()?, words.next()?.chars().next()?)));
        let unseen = [("ensp", ' '), ("emsp", ' '), ("thinsp", ' '), ("zwnj", '\u{200C}'), ("zwj", '\u{200D}')];
        latin.chain(others).chain(unseen).collect()
    });
    TABLE.get(name).copied()
}

/// From U+00A0 on, in order.
const LATIN_1: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute \
     micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig \
     Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash \
     Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute \
     ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc \
     uuml yacute thorn yuml";

const OTHERS: &str = "OElig Œ oelig œ Scaron Š scaron š Yuml Ÿ fnof ƒ circ ˆ tilde ˜ Alpha Α Beta Β Gamma Γ Delta Δ Epsilon Ε Zeta Ζ \
     Eta Η Theta Θ Iota Ι Kappa Κ Lambda Λ Mu Μ Nu Ν Xi Ξ Omicron Ο Pi Π Rho Ρ Sigma Σ Tau Τ Upsilon Υ Phi Φ Chi Χ \
     Psi Ψ Omega Ω alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ mu μ nu ν xi \
     ξ omicron ο pi π rho ρ sigmaf ς sigma σ tau τ upsilon υ phi φ chi χ psi ψ omega ω thetasym ϑ upsih ϒ piv ϖ ndash \
     – mdash — lsquo ‘ rsquo ’ sbquo ‚ ldquo “ rdquo ” bdquo „ dagger † Dagger ‡ bull • hellip … permil ‰ prime ′ \
     Prime ″ lsaquo ‹ rsaquo › oline ‾ frasl ⁄ euro € image ℑ weierp ℘ real ℜ trade ™ alefsym ℵ larr ← uarr ↑ rarr → \
     darr ↓ harr ↔ crarr ↵ lArr ⇐ uArr ⇑ rArr ⇒ dArr ⇓ hArr ⇔ forall ∀ part ∂ exist ∃ empty ∅ nabla ∇ isin ∈ notin ∉ \
     ni ∋ prod ∏ sum ∑ minus − lowast ∗ radic √ prop ∝ infin ∞ ang ∠ and ∧ or ∨ cap ∩ cup ∪ int ∫ there4 ∴ sim ∼ cong \
     ≅ asymp ≈ ne ≠ equiv ≡ le ≤ ge ≥ sub ⊂ sup ⊃ nsub ⊄ sube ⊆ supe ⊇ oplus ⊕ otimes ⊗ perp ⊥ sdot ⋅ lceil ⌈ rceil ⌉ \
     lfloor ⌊ rfloor ⌋ lang 〈 rang 〉 loz ◊ spades ♠ clubs ♣ hearts ♥ diams ♦";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_characters() {
        let mut out = String::new();
        references("Caf&eacute; &amp; Tea & AT&T &#8217; &#146; &#x41; &#0; &nbsp;&lt;b&gt; &fjlig; &", &mut out);
        assert_eq!(out, "Café &amp; Tea &amp; AT&amp;T ’ ’ A \u{FFFD} \u{A0}&lt;b&gt; &amp;fjlig; &amp;");
        assert_eq!(plain("&yuml;&euro;&hearts;&amp;lt;"), "ÿ€♥&lt;");
    }
}
