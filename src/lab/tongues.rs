//! Makes the table that tells languages apart.

use std::collections::BTreeMap;

use super::learn::{Features, Lesson, Pace, learn};
use crate::text::language::{About, TONGUES, Tongues, pieces};
use crate::text::tokens::{Kind, Tokens};
use crate::text::weights::Weights;

/// A text with its language.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its language, one of [`TONGUES`].
    pub language: &'static str,
    /// The text.
    pub text: String,
}

/// Buckets of the table, as a power of two.
const BITS: u32 = 16;
const PACE: Pace = Pace { rounds: 8, step: 2.0 };
const ALL: [usize; TONGUES.len()] = {
    let mut all = [0; TONGUES.len()];
    let mut n = 0;
    while n < all.len() {
        all[n] = n;
        n += 1;
    }
    all
};

/// Makes the table.
pub fn make(samples: &[Sample]) -> Tongues {
    let texts: Vec<Vec<u32>> = samples.iter().map(|s| features(&s.text)).collect();
    let mut share = vec![0f32; 1 << BITS];
    for text in &texts {
        let mut once = text.clone();
        once.sort_unstable();
        once.dedup();
        once.iter().for_each(|b| share[*b as usize] += 1.0 / texts.len() as f32);
    }
    let telling: Vec<f32> = share.iter().map(|s| (1.0 + 1.0 / s.max(1e-4)).ln().sqrt()).collect();
    let valued = |text: &Vec<u32>| -> Features {
        let length = text.iter().map(|b| telling[*b as usize].powi(2)).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        text.iter().map(|b| (*b, telling[*b as usize] / length)).collect()
    };
    let texts: Vec<Features> = texts.iter().map(valued).collect();
    let mut counts: BTreeMap<&str, f32> = BTreeMap::new();
    samples.iter().for_each(|s| *counts.entry(s.language).or_default() += 1.0);
    let mean = samples.len() as f32 / counts.len().max(1) as f32;
    let lessons: Vec<Lesson<'_>> = samples
        .iter()
        .zip(&texts)
        .filter(|(_, features)| !features.is_empty())
        .filter_map(|(s, features)| {
            let class = TONGUES.iter().position(|t| *t == s.language)?;
            // A language with few texts counts more, but not as much as one with many.
            let weight = (mean / counts.get(s.language).copied().unwrap_or(mean)).powf(0.7);
            Some(Lesson { features, class, among: &ALL, weight })
        })
        .collect();
    let rows: Vec<[f32; TONGUES.len()]> = learn(&lessons, 1 << BITS, PACE);
    Weights::pack(&telling, &rows, About { lean: vec![0.0; TONGUES.len()], texts: samples.len() })
}

fn features(text: &str) -> Vec<u32> {
    let tokens = Tokens::read(text);
    let mut out = Vec::new();
    for token in tokens.list.iter().filter(|t| t.kind == Kind::Word).take(50) {
        pieces(&token.form, |feature| out.push((feature & ((1 << BITS) - 1)) as u32));
    }
    out
}
