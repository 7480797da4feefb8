//! Mentions that are made up: a crowd as a test describes it, and the quiet past before it. The same test makes the same ones.

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use crate::ground::Knowledge;
use crate::model::time::{Span, between};
use crate::model::{Author, Mention, TopicKind};
use crate::rules::cases::{Calm, Case, Crowd};

/// Steps whose multiples spread evenly over 0..1, and independently of each other: fractions of square roots of primes
/// (H. Niederreiter, "Random number generation and quasi-Monte Carlo methods", 1992). A share of a crowd is then right in
/// every part of it, not only in the whole.
const NEGATIVE: f64 = 0.414_213_562_373_095;
const COPIES: f64 = 0.732_050_807_568_877;
const QUESTIONS: f64 = 0.236_067_977_499_79;
const NEWCOMERS: f64 = 0.645_751_311_064_59;
const NETWORKS: f64 = 0.316_624_790_355_4;
const LANGUAGES: f64 = 0.605_551_275_463_99;
const SITES: f64 = 0.123_105_625_617_661;
const COMPLAINTS: f64 = 0.358_898_943_540_674;

/// How one feels who is negative or positive.
const MOOD: f32 = 0.6;
/// People who make up a quiet past.
const REGULARS: u64 = 200;
/// Kinds of mentions that it is like.
const MOST_MODELS: usize = 50;

/// Where the n-th stands between 0 and 1.
fn place(n: u64, step: f64) -> f64 {
    ((n as f64 + 0.5) * step).fract()
}

fn one_of(list: &[String], n: u64, step: f64) -> Option<&String> {
    let at = (place(n, step) * list.len() as f64) as usize;
    list.get(at.min(list.len().saturating_sub(1)))
}

/// A small generator of numbers (G. L. Steele et al., "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Above 0, at most 1.
    fn share(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 1.0) / (1u64 << 53) as f64
    }
}

/// Instants between two: evenly spaced, or by chance.
fn instants(from: Timestamp, to: Timestamp, per_hour: f64, chance: Option<u64>) -> Vec<Timestamp> {
    let step = 3_600_000.0 / per_hour.max(1e-9);
    let all = between(from, to).as_millis() as f64;
    let mut chance = chance.map(Chance);
    let mut out = Vec::new();
    let mut at = if chance.is_some() { 0.0 } else { step / 2.0 };
    loop {
        if let Some(chance) = &mut chance {
            at -= chance.share().ln() * step;
        }
        if at >= all {
            return out;
        }
        out.push(from + Span::millis(at as i64));
        if chance.is_none() {
            at += step;
        }
    }
}

/// When the mentions of a crowd are said.
pub(super) fn times(case: &Case, crowd: &Crowd) -> Vec<Timestamp> {
    let chance = crowd.poisson.then_some(case.seed);
    instants(case.start + crowd.from, case.start + crowd.until, crowd.per_hour, chance)
}

/// Words that nobody else uses.
fn words(hash: u64) -> String {
    let syllable = |n: u64| {
        let (a, b) = ("bdfgklmnprstvz", "aeiou");
        let pick = |from: &str, n: u64| from.chars().nth((n % from.len() as u64) as usize).unwrap_or('x');
        [pick(a, n), pick(b, n / 14)]
    };
    let word = |h: u64| (0..4).flat_map(|n| syllable(h >> (n * 12))).collect::<String>();
    format!("{} {}", word(hash), word(hash.rotate_left(32)))
}

fn hash(parts: &[u64]) -> u64 {
    xxh3_64(&parts.iter().flat_map(|p| p.to_le_bytes()).collect::<Vec<u8>>())
}

/// Who says the n-th mention of a crowd, and where: everything but what is said.
pub(super) fn speaker(crowd: &Crowd, number: u64, n: u64) -> (Author, String, String) {
    let who = if crowd.authors == 0 { n } else { n % crowd.authors };
    let author = Author { name: format!("crowd {number} {who}"), followers: crowd.followers, ..Author::default() };
    let network = one_of(&crowd.networks, n, NETWORKS).cloned().unwrap_or_default();
    (author, network, one_of(&crowd.sites, n, SITES).cloned().unwrap_or_default())
}

/// Whether the n-th mention of a crowd is a copy.
pub(super) fn is_copy(crowd: &Crowd, n: u64) -> bool {
    place(n, COPIES) < crowd.copies
}

/// Whether vakt never heard of the author of the n-th mention. Of few authors it holds for each or for none.
pub(super) fn is_newcomer(crowd: &Crowd, n: u64) -> bool {
    let who = if crowd.authors == 0 { n } else { n % crowd.authors };
    place(who, NEWCOMERS) < crowd.newcomers
}

/// Whether a mention is made up, words and all.
pub(super) fn is_made_up(m: &Mention) -> bool {
    m.story != 0 && m.fingerprint == m.story.cast_unsigned()
}

/// The mentions of a crowd without texts of its own: what the analysis would find is set.
pub(super) fn made_up(knowledge: &Knowledge, case: &Case, crowd: &Crowd, number: u64) -> Vec<Mention> {
    let mut out = Vec::new();
    for (n, at) in (0..).zip(times(case, crowd)) {
        let mood = place(n, NEGATIVE);
        let sentiment = match () {
            () if mood < crowd.negative => -MOOD,
            () if mood >= 1.0 - crowd.positive => MOOD,
            () => 0.0,
        };
        let complains = crowd.complaints.map_or(sentiment < 0.0, |share| place(n, COMPLAINTS) < share);
        let intent = match () {
            () if place(n, QUESTIONS) < crowd.questions => "question",
            () if complains => "complaint",
            () if sentiment > 0.0 => "praise",
            () => "other",
        };
        let own = if is_copy(crowd, n) { u64::MAX } else { n };
        let story = hash(&[case.seed, number, own]);
        let (author, network, site) = speaker(crowd, number, n);
        let house = knowledge.rules.house.site(&site);
        let reach = crowd.reach.unwrap_or(0).max(crowd.followers.unwrap_or(0)).max(house.reach);
        out.push(Mention {
            source: crowd.set.source.clone(),
            network,
            site,
            author,
            history: crowd.set.history,
            language: one_of(&crowd.languages, n, LANGUAGES).cloned().unwrap_or_default(),
            sentiment: Some(crowd.set.sentiment.unwrap_or(sentiment)),
            intent: intent.to_owned(),
            reach,
            engagement: crowd.engagement.unwrap_or(0),
            tier: crowd.set.tier.unwrap_or(house.tier),
            story: story.cast_signed(),
            fingerprint: story,
            topics: crowd.set.topics.clone().unwrap_or_default(),
            newcomer: crowd.set.newcomer.unwrap_or_else(|| is_newcomer(crowd, n)),
            ..Mention::of_text(&words(story), at)
        });
    }
    out
}

/// A quiet past of what a test speaks of: like its mentions, but spread out, each a story of its own, and in no mood. Themes
/// of risk are nobody's everyday: they come up once a day, unless the test speaks of nothing else.
pub(super) fn quiet_past(knowledge: &Knowledge, case: &Case, calm: &Calm, like: &[Mention]) -> Vec<Mention> {
    let models = models(knowledge, case, calm, like);
    let (begin, mut out) = (case.start - calm.span, Vec::new());
    let mut say = |n: u64, model: &Mention, topics: &[String], at: Timestamp| {
        let story = hash(&[case.seed, u64::MAX, n]);
        out.push(Mention {
            source: model.source.clone(),
            network: model.network.clone(),
            language: model.language.clone(),
            topics: topics.to_vec(),
            author: Author { name: format!("regular {}", n % REGULARS), ..Author::default() },
            sentiment: Some(0.1),
            intent: "other".to_owned(),
            story: story.cast_signed(),
            fingerprint: story,
            ..Mention::of_text(&words(story), at)
        });
    };
    let mut said = 0;
    for at in instants(begin, case.start, calm.per_hour, None) {
        if let Some((model, everyday)) = models.get((said % models.len().max(1) as u64) as usize) {
            say(said, model, everyday, at);
            said += 1;
        }
    }
    let risks = models.iter().filter(|(model, everyday)| calm.topics.is_empty() && model.topics != *everyday);
    for (model, _) in risks {
        for at in instants(begin, case.start, 1.0 / 24.0, None) {
            say(said, model, &model.topics, at);
            said += 1;
        }
    }
    out
}

/// What a quiet past is like: mentions of each kind that a test has, with their topics of every day.
fn models(knowledge: &Knowledge, case: &Case, calm: &Calm, like: &[Mention]) -> Vec<(Mention, Vec<String>)> {
    let is_risk = |t: &String| knowledge.rules.topic(t).is_some_and(|t| t.kind == TopicKind::Risk);
    let everyday = |m: &Mention| {
        let plain: Vec<String> = m.topics.iter().filter(|t| !is_risk(t)).cloned().collect();
        if plain.is_empty() { m.topics.clone() } else { plain }
    };
    let same = |a: &Mention, b: &Mention| {
        (&a.topics, &a.network, &a.language, &a.source) == (&b.topics, &b.network, &b.language, &b.source)
    };
    let mut models: Vec<(Mention, Vec<String>)> = Vec::new();
    for m in like {
        if models.len() < MOST_MODELS && !models.iter().any(|(known, _)| same(known, m)) {
            models.push((m.clone(), if calm.topics.is_empty() { everyday(m) } else { calm.topics.clone() }));
        }
    }
    if models.is_empty() {
        models.push((Mention { network: "forum".into(), ..Mention::of_text("", case.start) }, calm.topics.clone()));
    }
    models
}
