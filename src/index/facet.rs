//! Counts what a query finds by names: networks, authors, sites and the like, from the columns of the index.

use std::collections::HashMap;

use tantivy::COLLECT_BLOCK_BUFFER_LEN;
use tantivy::columnar::{ColumnIndex, StrColumn};

use super::IndexError;
use super::hunt::Hunt;
use super::view::View;
use crate::model::Mention;

/// What mentions may be counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facet {
    /// Network.
    Network,
    /// Language.
    Language,
    /// Negative, neutral, positive.
    Sentiment,
    /// Intent.
    Intent,
    /// Topic.
    Topic,
    /// Source.
    Source,
    /// Site.
    Site,
    /// Handle of the author, or the name where there is none.
    Author,
    /// Number of the story.
    Story,
}

/// The values of a facet with their mentions, most first.
pub type Values = Vec<(String, usize)>;

/// Values that are told of one facet.
const MOST_VALUES: usize = 1000;

impl Facet {
    /// Every facet with its word.
    pub const ALL: [(&'static str, Facet); 9] = [
        ("network", Facet::Network),
        ("language", Facet::Language),
        ("sentiment", Facet::Sentiment),
        ("intent", Facet::Intent),
        ("topic", Facet::Topic),
        ("source", Facet::Source),
        ("site", Facet::Site),
        ("author", Facet::Author),
        ("story", Facet::Story),
    ];

    /// The facet of a word.
    pub fn named(word: &str) -> Option<Facet> {
        Facet::ALL.iter().find(|(name, _)| *name == word).map(|(_, facet)| *facet)
    }

    fn column(self) -> &'static str {
        match self {
            Facet::Network => "network",
            Facet::Language => "language",
            Facet::Sentiment => "label",
            Facet::Intent => "intent",
            Facet::Topic => "topic",
            Facet::Source => "source",
            Facet::Site => "site",
            Facet::Author => "author",
            Facet::Story => "story",
        }
    }

    /// Whether a mention may have several values; of others the first of the column counts, which is the most exact one:
    /// the whole host before its domains, the handle before the name.
    fn is_many(self) -> bool {
        self == Facet::Topic
    }

    /// The values of one mention.
    pub(super) fn of(self, m: &Mention) -> Vec<String> {
        let one = |name: &str| if name.is_empty() { Vec::new() } else { vec![name.to_lowercase()] };
        match self {
            Facet::Network => one(&m.network),
            Facet::Language => one(&m.language),
            Facet::Sentiment => one(m.label()),
            Facet::Intent => one(&m.intent),
            Facet::Topic => m.topics.iter().map(|t| t.to_lowercase()).collect(),
            Facet::Source => one(&m.source),
            Facet::Site => one(&m.site),
            Facet::Author => one(if m.author.handle.is_empty() { &m.author.name } else { &m.author.handle }),
            Facet::Story => one(&m.story.to_string()),
        }
    }
}

/// A column of one segment with its counts, where the segment has it.
enum Counted {
    None,
    Names(StrColumn, Vec<u32>),
    Numbers(tantivy::columnar::Column<u64>, HashMap<u64, usize>),
}

/// Counts the hits of a hunt by several facets in one go, and says whether it came to its end.
pub(super) fn count(hunt: &Hunt<'_>, view: &View, facets: &[Facet]) -> Result<(Vec<Values>, bool), IndexError> {
    let mut segments: Vec<Vec<Counted>> = Vec::new();
    for reader in view.searcher.segment_readers() {
        let open = |facet: &Facet| -> tantivy::Result<Counted> {
            if *facet == Facet::Story {
                return Ok(Counted::Numbers(reader.fast_fields().u64(facet.column())?, HashMap::new()));
            }
            Ok(match reader.fast_fields().str(facet.column())? {
                Some(column) => {
                    let counts = vec![0; column.num_terms()];
                    Counted::Names(column, counts)
                }
                None => Counted::None,
            })
        };
        segments.push(facets.iter().map(open).collect::<tantivy::Result<_>>()?);
    }
    let mut firsts = [None; COLLECT_BLOCK_BUFFER_LEN];
    let mut values = [0; COLLECT_BLOCK_BUFFER_LEN];
    let whole = hunt.blocks(|n, docs| {
        let Some(columns) = segments.get_mut(n) else { return };
        for (facet, counted) in facets.iter().zip(columns) {
            match counted {
                Counted::None => {}
                Counted::Numbers(column, counts) => {
                    docs.iter().filter_map(|d| column.first(*d)).for_each(|v| *counts.entry(v).or_default() += 1);
                }
                Counted::Names(column, counts) => {
                    let mut add = |ord: u64| {
                        if let Some(n) = usize::try_from(ord).ok().and_then(|o| counts.get_mut(o)) {
                            *n += 1;
                        }
                    };
                    if facet.is_many() {
                        docs.iter().flat_map(|doc| column.ords().values_for_doc(*doc)).for_each(&mut add);
                    } else if let (ColumnIndex::Full, Some(values)) =
                        (&column.ords().index, values.get_mut(..docs.len()))
                    {
                        // Every mention has exactly one, as most columns are.
                        column.ords().values.get_vals(docs, values);
                        values.iter().copied().for_each(&mut add);
                    } else if let Some(firsts) = firsts.get_mut(..docs.len()) {
                        firsts.fill(None);
                        column.ords().first_vals(docs, firsts);
                        firsts.iter().flatten().copied().for_each(&mut add);
                    }
                }
            }
        }
    })?;
    let mut all: Vec<HashMap<String, usize>> = facets.iter().map(|_| HashMap::new()).collect();
    for columns in segments {
        for (counted, all) in columns.into_iter().zip(&mut all) {
            match counted {
                Counted::None => {}
                Counted::Numbers(_, counts) => {
                    counts.into_iter().for_each(|(v, n)| *all.entry(v.to_string()).or_default() += n);
                }
                Counted::Names(column, counts) => names(&column, &counts, all)?,
            }
        }
    }
    Ok((all.into_iter().map(sorted).collect(), whole))
}

/// Adds the counts of one segment's values under their names.
fn names(column: &StrColumn, counts: &[u32], all: &mut HashMap<String, usize>) -> Result<(), IndexError> {
    let some: Vec<(u64, u32)> = (0..).zip(counts.iter().copied()).filter(|(_, n)| *n > 0).collect();
    let mut n = some.iter();
    let failed = |e| tantivy::TantivyError::from(std::io::Error::other(e));
    column
        .dictionary()
        .sorted_ords_to_term_cb(&some.iter().map(|(ord, _)| *ord).collect::<Vec<_>>(), |name| {
            if let (Some((_, n)), Ok(name)) = (n.next(), std::str::from_utf8(name)) {
                *all.entry(name.to_owned()).or_default() += usize::try_from(*n).unwrap_or(0);
            }
        })
        .map_err(failed)?;
    Ok(())
}

/// Values with their mentions, most first.
pub(super) fn sorted(counted: HashMap<String, usize>) -> Values {
    let mut out: Values = counted.into_iter().collect();
    out.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    out.truncate(MOST_VALUES);
    out
}
