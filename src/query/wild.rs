//! Words of which some letters are open: `complain*`, `customi?e`.

/// A pattern over the lower-case form of a token, its sign included.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wild {
    pattern: String,
}

/// Letters that must stand before a `*`.
const LEAST: usize = 2;

/// Why a pattern is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WildError {
    /// It begins with an open letter.
    Leading,
    /// Too few letters stand before the `*`.
    Short,
}

impl Wild {
    /// Takes a folded pattern of word characters, `*` and `?`, with or without a sign.
    ///
    /// # Errors
    /// When it would have to look at almost every word there is.
    pub fn new(pattern: &str) -> Result<Wild, WildError> {
        let letters = pattern.trim_start_matches(['#', '@', '$']);
        if letters.starts_with(['*', '?']) || letters.is_empty() {
            return Err(WildError::Leading);
        }
        let before = letters.chars().take_while(|c| *c != '*').filter(|c| *c != '?').count();
        if letters.contains('*') && before < LEAST {
            return Err(WildError::Short);
        }
        Ok(Wild { pattern: pattern.to_owned() })
    }

    /// As it is written, folded.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The letters before the first open one.
    pub fn head(&self) -> &str {
        let end = self.pattern.find(['*', '?']).unwrap_or(self.pattern.len());
        self.pattern.get(..end).unwrap_or("")
    }

    /// Whether it is a beginning with any ending.
    pub fn is_prefix(&self) -> bool {
        self.pattern.find(['*', '?']).is_some_and(|at| self.pattern.get(at..) == Some("*"))
    }

    /// Whether a token fits.
    pub fn fits(&self, token: &str) -> bool {
        fits(&self.pattern, token)
    }
}

/// Whether a text fits a pattern of letters, `*` and `?`: the last `*` that could take more does, so the time is at most
/// that of comparing the two at every letter.
pub fn fits(pattern: &str, text: &str) -> bool {
    let (mut p, mut t) = (pattern.chars(), text.chars());
    let mut again: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let (pattern_before, text_before) = (p.clone(), t.clone());
        match (p.next(), t.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                again = Some((p.clone(), text_before.clone()));
                t = text_before;
                continue;
            }
            (Some('?'), Some(_)) => continue,
            (Some(a), Some(b)) if a == b => continue,
            _ => {}
        }
        drop(pattern_before);
        match &mut again {
            Some((after, from)) => {
                if from.next().is_none() {
                    return false;
                }
                p = after.clone();
                t = from.clone();
            }
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_what_it_says() {
        for (pattern, yes, no) in [
            ("complain*", "complaints", "compliant"),
            ("customi?e", "customize", "customie"),
            ("colo*r", "colour", "colourful"),
            ("a*b*c", "axxbyycc", "axxbyyd"),
            ("#ac*", "#acme", "acme"),
        ] {
            assert!(fits(pattern, yes) && !fits(pattern, no), "{pattern}");
        }
        assert!(fits("burn*", "burn") && !fits("burn?", "burn"));
    }

    #[test]
    fn what_begins_open_is_refused() {
        assert_eq!(Wild::new("*ing"), Err(WildError::Leading));
        assert_eq!(Wild::new("#?a"), Err(WildError::Leading));
        assert_eq!(Wild::new("b*"), Err(WildError::Short));
        assert!(Wild::new("bu*").is_ok() && Wild::new("a?b*").is_ok() && Wild::new("a?").is_ok());
        assert_eq!(Wild::new("colo?r*").map(|w| w.head().to_owned()), Ok("colo".into()));
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_a_regular_expression(pattern in "[ab?*]{1,6}", text in "[ab]{0,8}") {
            let regex: String = pattern.chars().map(|c| match c { '*' => ".*".to_owned(), '?' => ".".to_owned(), c => c.to_string() }).collect();
            proptest::prop_assert_eq!(fits(&pattern, &text), slow(&regex, &text));
        }
    }

    /// The plain definition, by trying everything.
    fn slow(regex: &str, text: &str) -> bool {
        let (mut signs, mut letters) = (regex.chars(), text.chars());
        match (regex.strip_prefix(".*"), signs.next(), letters.next()) {
            (Some(rest), _, letter) => slow(rest, text) || (letter.is_some() && slow(regex, letters.as_str())),
            (None, None, None) => true,
            (None, Some('.'), Some(_)) => slow(signs.as_str(), letters.as_str()),
            (None, Some(a), Some(b)) if a == b => slow(signs.as_str(), letters.as_str()),
            _ => false,
        }
    }
}
