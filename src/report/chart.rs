//! Charts: bars of mentions with their negative share, and the usual level as a dashed line; as PNG and as text.
//!
//! The picture holds no letters: what they would say stands as text around it, where it can be read at any size, aloud,
//! and without the picture.

use crate::model::Severity;
use crate::model::time::Span;
use jiff::Timestamp;

/// What a chart shows: one value of each for every bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// When the first bucket begins.
    pub start: Timestamp,
    /// Length of a bucket.
    pub bucket: Span,
    /// Mentions.
    pub mentions: Vec<u32>,
    /// Negative ones among them.
    pub negative: Vec<u32>,
    /// Mentions that are usual.
    pub expected: Vec<f32>,
}

/// A chart that cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("the chart cannot be written as PNG")]
pub struct ChartError(#[from] png::EncodingError);

const WIDTH: usize = 600;
const HEIGHT: usize = 160;
const MARGIN: usize = 8;
/// Paper, grid, mentions, negative mentions, usual level; then the four severities, mildest first. Blue and orange are told
/// apart by everybody (Okabe and Ito).
const PALETTE: [u8; 27] = [
    0xfa, 0xfa, 0xf8, 0xdd, 0xdd, 0xd8, 0x56, 0xa0, 0xd8, 0xd5, 0x5e, 0x00, 0x33, 0x33, 0x33, 0x00, 0x9e, 0x73, 0xe6,
    0x9f, 0x00, 0xd5, 0x5e, 0x00, 0xa0, 0x00, 0x50,
];
const GRID: u8 = 1;
const MENTIONS: u8 = 2;
const NEGATIVE: u8 = 3;
const USUAL: u8 = 4;
const MILDEST: u8 = 5;

struct Canvas(Vec<u8>);

impl Canvas {
    fn fill(&mut self, x: std::ops::Range<usize>, y: std::ops::Range<usize>, colour: u8) {
        for row in y {
            for column in x.clone() {
                if let Some(pixel) = self.0.get_mut(row * WIDTH + column).filter(|_| column < WIDTH) {
                    *pixel = colour;
                }
            }
        }
    }
}

/// Draws a chart of 600 × 160 pixels.
///
/// # Errors
/// When it cannot be encoded, which no series causes.
pub fn png(series: &Series) -> Result<Vec<u8>, ChartError> {
    marked(series, &[])
}

/// The same with marks where incidents opened: the bucket and the severity of each.
///
/// # Errors
/// When it cannot be encoded, which no series causes.
pub fn marked(series: &Series, marks: &[(usize, Severity)]) -> Result<Vec<u8>, ChartError> {
    let mut canvas = Canvas(vec![0; WIDTH * HEIGHT]);
    let bottom = HEIGHT - MARGIN;
    let room = (bottom - MARGIN) as f32;
    let usual_top = series.expected.iter().copied().fold(0.0, f32::max);
    let top = series.mentions.iter().copied().max().unwrap_or(0).max(4) as f32;
    let top = top.max(usual_top * 1.2);
    let height = |n: f32| (n / top * room) as usize;
    for quarter in 1..=4usize {
        let y = bottom - (bottom - MARGIN) * quarter / 4;
        canvas.fill(MARGIN..WIDTH - MARGIN, y..y + 1, GRID);
    }
    let slots = series.mentions.len().max(1);
    let left = |slot: usize| MARGIN + (WIDTH - 2 * MARGIN) * slot / slots;
    for (slot, n) in series.mentions.iter().enumerate() {
        let x = left(slot)..left(slot + 1).saturating_sub(2).max(left(slot) + 1);
        let negative = series.negative.get(slot).copied().unwrap_or(0).min(*n);
        let (all, bad) = (height(*n as f32), height(negative as f32));
        canvas.fill(x.clone(), bottom - all..bottom, MENTIONS);
        canvas.fill(x, bottom - bad..bottom, NEGATIVE);
    }
    for (slot, usual) in series.expected.iter().enumerate() {
        let y = bottom - height(*usual).min(bottom - MARGIN);
        let x = left(slot);
        canvas.fill(x..x + (left(slot + 1) - x) * 2 / 3, y.saturating_sub(1)..y + 1, USUAL);
    }
    for (slot, severity) in marks {
        let colour = MILDEST + *severity as u8;
        let x = (left(*slot) + left(slot + 1)) / 2;
        canvas.fill(x..x + 1, MARGIN..bottom, colour);
        for row in 0..6 {
            canvas.fill((x + row).saturating_sub(5)..(x + 6).saturating_sub(row), row..row + 1, colour);
        }
    }
    canvas.fill(MARGIN..WIDTH - MARGIN, bottom..bottom + 1, USUAL);
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, WIDTH as u32, HEIGHT as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(PALETTE.to_vec());
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&canvas.0)?;
    writer.finish()?;
    Ok(out)
}

/// The same as a line of text: `▁▂▃▄▅▆▇█`, with a space where there is nothing.
pub fn sparkline(values: &[u32]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let top = values.iter().copied().max().unwrap_or(0).max(1);
    values
        .iter()
        .map(|v| match v {
            0 => ' ',
            v => {
                let step = usize::try_from(u64::from(*v) * 7 / u64::from(top)).unwrap_or(7);
                BARS.get(step).copied().unwrap_or('█')
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_small_pictures_of_anything() {
        for n in [0usize, 1, 48, 1000] {
            let mentions: Vec<u32> = (0..n as u32).map(|i| i * i % 97).collect();
            let series = Series {
                start: Timestamp::UNIX_EPOCH,
                bucket: Span::mins(15),
                negative: mentions.iter().map(|m| m * 3).collect(),
                expected: vec![1e9; n / 2],
                mentions,
            };
            let png = png(&series).expect("it is drawn");
            assert!(png.starts_with(b"\x89PNG") && png.len() < 8_000, "{}", png.len());
        }
    }

    #[test]
    fn a_line_of_text() {
        assert_eq!(sparkline(&[0, 1, 4, 8]), " ▁▄█");
        assert_eq!(sparkline(&[]), "");
    }
}
