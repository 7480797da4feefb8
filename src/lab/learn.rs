//! Softmax regression over hashed features by stochastic gradient descent: deterministic, in one thread.

/// Features of one text: bucket and value.
pub type Features = Vec<(u32, f32)>;

/// One text to learn from.
#[derive(Debug, Clone, Copy)]
pub struct Lesson<'a> {
    /// What it shows.
    pub features: &'a [(u32, f32)],
    /// The class that it belongs to.
    pub class: usize,
    /// The classes that its set can tell apart: the others are left as they are.
    pub among: &'a [usize],
    /// How much it counts.
    pub weight: f32,
}

/// How to learn.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Times that every lesson is seen.
    pub rounds: usize,
    /// The first step's size; it falls to 0 in a straight line.
    pub step: f32,
}

/// Weights of `N` classes for each of `buckets` features.
pub fn learn<const N: usize>(lessons: &[Lesson<'_>], buckets: usize, pace: Pace) -> Vec<[f32; N]> {
    let mut rows = vec![[0f32; N]; buckets];
    let mut order: Vec<usize> = (0..lessons.len()).collect();
    let (total, mut seen) = ((pace.rounds * lessons.len()).max(1) as f32, 0f32);
    let mut chance = 0x9e37_79b9_7f4a_7c15u64;
    for _ in 0..pace.rounds {
        for at in (1..order.len()).rev() {
            // xorshift64: the same order in every run.
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            order.swap(at, (chance % (at as u64 + 1)) as usize);
        }
        for lesson in order.iter().filter_map(|n| lessons.get(*n)) {
            let step = pace.step * (1.0 - seen / total) * lesson.weight;
            seen += 1.0;
            let shares = shares_among(sum(&rows, lesson.features), lesson.among);
            for (bucket, value) in lesson.features {
                let row = &mut rows[*bucket as usize];
                for class in lesson.among {
                    let wrong = shares[*class] - f32::from(u8::from(*class == lesson.class));
                    row[*class] -= step * wrong * value;
                }
            }
        }
    }
    rows
}

/// The sum of a text's rows.
pub fn sum<const N: usize>(rows: &[[f32; N]], features: &[(u32, f32)]) -> [f32; N] {
    let mut z = [0f32; N];
    for (bucket, value) in features {
        z.iter_mut().zip(rows[*bucket as usize]).for_each(|(z, w)| *z += w * value);
    }
    z
}

fn shares_among<const N: usize>(z: [f32; N], among: &[usize]) -> [f32; N] {
    let most = among.iter().map(|c| z[*c]).fold(f32::MIN, f32::max);
    let mut out = [0f32; N];
    among.iter().for_each(|c| out[*c] = (z[*c] - most).exp());
    let sum: f32 = out.iter().sum();
    out.map(|e| e / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_learnt_and_the_rest_left_alone() {
        let texts: Vec<Features> = (0..40u32).map(|n| vec![(n % 2, 1.0), (2 + n % 5, 0.3)]).collect();
        let among = [0, 2];
        let lessons: Vec<Lesson<'_>> = texts
            .iter()
            .zip(0..)
            .map(|(f, n)| Lesson { features: f, class: if n % 2 == 0 { 0 } else { 2 }, among: &among, weight: 1.0 })
            .collect();
        let rows: Vec<[f32; 3]> = learn(&lessons, 8, Pace { rounds: 20, step: 0.5 });
        let (even, odd) = (sum(&rows, &texts[0]), sum(&rows, &texts[1]));
        assert!(even[0] > even[2] + 1.0 && odd[2] > odd[0] + 1.0, "{even:?} {odd:?}");
        assert!(rows.iter().all(|row| row[1] == 0.0), "a class that no lesson tells apart");
        assert_eq!(rows, learn::<3>(&lessons, 8, Pace { rounds: 20, step: 0.5 }), "twice the same");
    }
}
