//! The weights of a linear model: a table of hashed features, as it is trained and as it ships.
//!
//! A file holds a magic word, the length of its header, the header as JSON, one byte per bucket that says how telling
//! the bucket is, then one row of 16-bit weights per bucket. Everything is little-endian. A feature's row is the one that
//! the low bits of its hash name.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What every file begins with.
const MAGIC: &[u8; 8] = b"vaktwt01";
/// Steps of a byte of tellingness.
const TELLING: f32 = 64.0;

/// What precedes the weights of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Header<About> {
    bits: u32,
    columns: usize,
    scale: f32,
    about: About,
}

/// What is known of a bucket, side by side: a look at it is one look at memory.
#[derive(Debug, Clone, Copy)]
struct Row<const N: usize> {
    weights: [i16; N],
    telling: u8,
}

/// A table of weights with so many columns.
#[derive(Debug, Clone)]
pub struct Weights<const N: usize, About> {
    mask: u64,
    scale: f32,
    rows: Vec<Row<N>>,
    /// What the makers wrote beside it.
    pub about: About,
}

impl<const N: usize, About: Serialize + DeserializeOwned> Weights<N, About> {
    /// Packs weights for shipping. `telling` and `rows` are as many, a power of two.
    pub fn pack(telling: &[f32], rows: &[[f32; N]], about: About) -> Weights<N, About> {
        let most = rows.iter().flatten().fold(0f32, |most, w| most.max(w.abs())).max(f32::MIN_POSITIVE);
        let scale = most / f32::from(i16::MAX);
        Weights {
            mask: rows.len() as u64 - 1,
            scale,
            rows: rows
                .iter()
                .zip(telling)
                .map(|(row, t)| Row {
                    weights: row.map(|w| (w / scale).round() as i16),
                    telling: (t * TELLING).round().clamp(0.0, 255.0) as u8,
                })
                .collect(),
            about,
        }
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// That of a header that cannot be written as JSON.
    pub fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let header = Header { bits: self.mask.count_ones(), columns: N, scale: self.scale, about: &self.about };
        let header = serde_json::to_vec(&header)?;
        let mut out = Vec::with_capacity(header.len() + self.rows.len() * (N * 2 + 1) + 16);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&(header.len() as u64).to_le_bytes());
        out.extend_from_slice(&header);
        out.extend(self.rows.iter().map(|row| row.telling));
        self.rows.iter().flat_map(|row| row.weights).for_each(|w| out.extend_from_slice(&w.to_le_bytes()));
        Ok(out)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn from_bytes(bytes: &[u8]) -> Result<Weights<N, About>, String> {
        let rest = bytes.strip_prefix(MAGIC).ok_or("it is no file of weights")?;
        let (length, rest) = rest.split_first_chunk::<8>().ok_or("it ends too early")?;
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (header, rest) = rest.split_at_checked(length).ok_or("it ends within its header")?;
        let header: Header<About> = serde_json::from_slice(header).map_err(|e| format!("its header is wrong: {e}"))?;
        if header.columns != N || header.bits > 24 {
            return Err(format!(
                "it has {} columns of 2^{} rows, {N} columns were expected",
                header.columns, header.bits
            ));
        }
        let buckets = 1usize << header.bits;
        let (telling, rest) = rest.split_at_checked(buckets).ok_or("it ends too early")?;
        if rest.len() != buckets * N * 2 {
            return Err("its length is wrong".to_owned());
        }
        let number = |pair: &[u8]| i16::from_le_bytes(pair.first_chunk().copied().unwrap_or_default());
        let row = |(bytes, telling): (&[u8], &u8)| {
            let mut weights = [0; N];
            weights.iter_mut().zip(bytes.chunks_exact(2)).for_each(|(w, pair)| *w = number(pair));
            Row { weights, telling: *telling }
        };
        Ok(Weights {
            mask: buckets as u64 - 1,
            scale: header.scale,
            rows: rest.chunks_exact(N * 2).zip(telling).map(row).collect(),
            about: header.about,
        })
    }
}

impl<const N: usize, About> Weights<N, About> {
    /// The bucket of a feature.
    pub fn bucket(&self, feature: u64) -> usize {
        // A table has at most 2^24 buckets.
        (feature & self.mask) as usize
    }

    /// How telling a feature is.
    pub fn telling(&self, feature: u64) -> f32 {
        self.rows.get(self.bucket(feature)).map_or(0.0, |row| f32::from(row.telling) / TELLING)
    }

    /// Adds a feature's weights, times `value`.
    pub fn add(&self, feature: u64, value: f32, to: &mut [f32; N]) {
        if let Some(row) = self.rows.get(self.bucket(feature)) {
            let value = value * self.scale;
            to.iter_mut().zip(row.weights).for_each(|(sum, w)| *sum += f32::from(w) * value);
        }
    }

    /// Adds a feature's weights, times `value` and times how telling the feature is (more where few texts have it).
    /// Returns that product.
    pub fn add_telling(&self, feature: u64, value: f32, to: &mut [f32; N]) -> f32 {
        let Some(row) = self.rows.get(self.bucket(feature)) else { return 0.0 };
        let value = value * f32::from(row.telling) / TELLING;
        let scaled = value * self.scale;
        to.iter_mut().zip(row.weights).for_each(|(sum, w)| *sum += f32::from(w) * scaled);
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_read_again() {
        let rows = [[0.5, -2.0], [0.0, 0.25], [1.0, 1.0], [-0.125, 0.0]];
        let made = Weights::pack(&[1.0, 0.5, 3.0, 0.0], &rows, "ours".to_owned());
        let read: Weights<2, String> = Weights::from_bytes(&made.to_bytes().unwrap()).unwrap();
        let mut sum = [0.0; 2];
        read.add(4, 2.0, &mut sum);
        assert!((sum[0] - 1.0).abs() < 1e-3 && (sum[1] + 4.0).abs() < 1e-3, "{sum:?}");
        assert_eq!((read.add_telling(2, 2.0, &mut sum), read.about.as_str()), (6.0, "ours"));
    }

    #[test]
    fn what_is_no_file_of_weights_is_told() {
        let made = Weights::pack(&[1.0; 4], &[[1.0]; 4], ()).to_bytes().unwrap();
        for cut in [0, 5, 12, 20, made.len() - 1] {
            assert!(Weights::<1, ()>::from_bytes(&made[..cut]).is_err(), "{cut}");
        }
        assert!(Weights::<2, ()>::from_bytes(&made).unwrap_err().contains("columns"));
    }
}
