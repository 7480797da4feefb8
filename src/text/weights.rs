//! The weights of a linear model: a table of hashed features, as it is trained and as it ships.
//!
//! A file holds a magic word, the length of its header (little-endian), the header as JSON, and a row per bucket: a byte
//! that says how telling the bucket is, one that says how large the row's steps are, and its weights, in steps, a byte each.
//! A feature's row is the one that the low bits of its hash name. Rows are read where they lie: those that ship are a part
//! of the binary, and are in memory once.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What every file begins with.
const MAGIC: &[u8; 8] = b"vaktwt03";
/// Steps of a byte of tellingness.
const TELLING: f32 = 64.0;
/// The size of steps grows twofold in so many sizes.
const SIZES: f32 = 16.0;

/// All sizes of steps, up to the largest.
fn sizes(largest: f32) -> [f32; 256] {
    std::array::from_fn(|n| largest * ((n as f32 - 255.0) / SIZES).exp2())
}

/// What precedes the weights of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Header<About> {
    bits: u32,
    columns: usize,
    /// The largest step.
    scale: f32,
    about: About,
}

/// A table of weights with so many columns.
#[derive(Debug, Clone)]
pub struct Weights<const N: usize, About> {
    mask: u64,
    sizes: [f32; 256],
    /// Tellingness, size of steps and `N` weights of each bucket.
    rows: Cow<'static, [u8]>,
    /// What the makers wrote beside it.
    pub about: About,
}

impl<const N: usize, About: Serialize + DeserializeOwned> Weights<N, About> {
    /// Packs weights for shipping. `telling` and `rows` are as many, a power of two.
    pub fn pack(telling: &[f32], rows: &[[f32; N]], about: About) -> Weights<N, About> {
        let most_of = |row: &[f32; N]| row.iter().fold(0f32, |most, w| most.max(w.abs()));
        let most = rows.iter().map(most_of).fold(f32::MIN_POSITIVE, f32::max);
        let sizes = sizes(most / f32::from(i8::MAX));
        let mut bytes = Vec::with_capacity(rows.len() * Self::ROW);
        for (row, t) in rows.iter().zip(telling) {
            // The smallest steps in which the row's largest weight can still be said.
            let size = 255.0 + ((most_of(row) / most).log2() * SIZES).ceil();
            let size = size.clamp(0.0, 255.0) as u8;
            bytes.extend([(t * TELLING).round().clamp(0.0, 255.0) as u8, size]);
            let step = sizes.get(usize::from(size)).copied().unwrap_or(1.0);
            bytes.extend(row.iter().flat_map(|w| ((w / step).round() as i8).to_le_bytes()));
        }
        Weights { mask: rows.len() as u64 - 1, sizes, rows: bytes.into(), about }
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// That of a header that cannot be written as JSON.
    pub fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let header = Header { bits: self.mask.count_ones(), columns: N, scale: self.sizes[255], about: &self.about };
        let header = serde_json::to_vec(&header)?;
        let mut out = Vec::with_capacity(header.len() + self.rows.len() + 16);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&(header.len() as u64).to_le_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(&self.rows);
        Ok(out)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn from_bytes(bytes: &'static [u8]) -> Result<Weights<N, About>, String> {
        let rest = bytes.strip_prefix(MAGIC).ok_or("it is no file of weights")?;
        let (length, rest) = rest.split_first_chunk::<8>().ok_or("it ends too early")?;
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (header, rows) = rest.split_at_checked(length).ok_or("it ends within its header")?;
        let header: Header<About> = serde_json::from_slice(header).map_err(|e| format!("its header is wrong: {e}"))?;
        if header.columns != N || header.bits > 24 {
            return Err(format!(
                "it has {} columns of 2^{} rows, {N} columns were expected",
                header.columns, header.bits
            ));
        }
        let buckets = 1usize << header.bits;
        if rows.len() != buckets * Self::ROW {
            return Err("its length is wrong".to_owned());
        }
        Ok(Weights { mask: buckets as u64 - 1, sizes: sizes(header.scale), rows: rows.into(), about: header.about })
    }
}

impl<const N: usize, About> Weights<N, About> {
    /// The bucket of a feature.
    pub fn bucket(&self, feature: u64) -> usize {
        // A table has at most 2^24 buckets.
        (feature & self.mask) as usize
    }

    /// Bytes of a row.
    const ROW: usize = 2 + N;

    /// How telling a feature is, before it is scaled; the size of its steps, and its weights in them.
    fn row(&self, feature: u64) -> (u8, f32, &[u8]) {
        let at = self.bucket(feature) * Self::ROW;
        match self.rows.get(at..at + Self::ROW) {
            Some([telling, size, weights @ ..]) => (*telling, self.sizes[usize::from(*size)], weights),
            _ => (0, 0.0, &[]),
        }
    }

    /// How telling a feature is.
    pub fn telling(&self, feature: u64) -> f32 {
        f32::from(self.row(feature).0) / TELLING
    }

    /// Adds a feature's weights, times `value`.
    pub fn add(&self, feature: u64, value: f32, to: &mut [f32; N]) {
        let (_, step, weights) = self.row(feature);
        add(weights, value * step, to);
    }

    /// Adds a feature's weights, times `value` and times how telling the feature is (more where few texts have it).
    /// Returns that product.
    pub fn add_telling(&self, feature: u64, value: f32, to: &mut [f32; N]) -> f32 {
        let (telling, step, weights) = self.row(feature);
        let value = value * f32::from(telling) / TELLING;
        add(weights, value * step, to);
        value
    }
}

fn add<const N: usize>(weights: &[u8], value: f32, to: &mut [f32; N]) {
    to.iter_mut().zip(weights).for_each(|(sum, w)| *sum += f32::from(w.cast_signed()) * value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_read_again() {
        let rows = [[0.5, -2.0], [0.0, 0.25], [1.0, 1.0], [-0.125, 0.0]];
        let made = Weights::pack(&[1.0, 0.5, 3.0, 0.0], &rows, "ours".to_owned());
        let read: Weights<2, String> = Weights::from_bytes(made.to_bytes().unwrap().leak()).unwrap();
        let mut sum = [0.0; 2];
        read.add(4, 2.0, &mut sum);
        assert!((sum[0] - 1.0).abs() < 0.02 && (sum[1] + 4.0).abs() < 0.02, "{sum:?}");
        assert_eq!((read.add_telling(2, 2.0, &mut sum), read.about.as_str()), (6.0, "ours"));
    }

    #[test]
    fn what_is_no_file_of_weights_is_told() {
        let made: &[u8] = Weights::pack(&[1.0; 4], &[[1.0]; 4], ()).to_bytes().unwrap().leak();
        for cut in [0, 5, 12, 20, made.len() - 1] {
            assert!(Weights::<1, ()>::from_bytes(&made[..cut]).is_err(), "{cut}");
        }
        assert!(Weights::<2, ()>::from_bytes(made).unwrap_err().contains("columns"));
    }
}
