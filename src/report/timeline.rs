//! Mentions over days and weeks as SVG, with marks where incidents opened and bands where crises were.

use std::fmt::Write;
use std::ops::Range;

use super::chart::Series;
use crate::model::Severity;

const WIDTH: usize = 1200;
const HEIGHT: usize = 260;
const LEFT: usize = 56;
const MARGIN: usize = 24;
/// Where marks stand, and where bars begin and end.
const MARKS: usize = 44;
const TOP: usize = 56;
const FLOOR: usize = HEIGHT - MARGIN;

/// An incident that opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// In which bucket.
    pub slot: usize,
    /// How severe it became.
    pub severity: Severity,
    /// What it was, in a line.
    pub about: String,
}

/// A crisis.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// The buckets that it lasted.
    pub slots: Range<usize>,
    /// Its name.
    pub about: String,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The title.
    pub title: String,
    /// Words under the first bucket.
    pub first: String,
    /// Words under the last bucket.
    pub last: String,
    /// Mentions by bucket; what is expected is not drawn.
    pub series: Series,
    /// Incidents.
    pub marks: Vec<Mark>,
    /// Crises.
    pub bands: Vec<Band>,
}

/// The colour of a severity, told apart by everybody (Okabe and Ito).
fn colour(s: Severity) -> &'static str {
    match s {
        Severity::Watch => "#009e73",
        Severity::Review => "#e69f00",
        Severity::Escalate => "#d55e00",
        Severity::Crisis => "#a00050",
    }
}

/// Text that XML takes as it is meant.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Picture {
    /// Draws 1200 × 260 pixels.
    pub fn svg(&self) -> String {
        let slots = self.series.mentions.len().max(1);
        let right = WIDTH - MARGIN;
        let x = |slot: usize| LEFT as f64 + (right - LEFT) as f64 * slot as f64 / slots as f64;
        let top = self.series.mentions.iter().copied().max().unwrap_or(0).max(4);
        let y = |n: u32| FLOOR as f64 - (FLOOR - TOP) as f64 * f64::from(n) / f64::from(top);
        let title = escaped(&self.title);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"11\" fill=\"#333\">\n<title>{title}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             fill=\"#fafaf8\"/>\n<text x=\"{LEFT}\" y=\"18\" font-size=\"13\">{title}</text>\n"
        );
        // A text that is only written to memory cannot fail.
        let mut put = |line: std::fmt::Arguments<'_>| out.write_fmt(line).unwrap_or_default();
        for band in &self.bands {
            let (from, to, about) = (x(band.slots.start), x(band.slots.end), escaped(&band.about));
            put(format_args!(
                "<rect x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{}\" fill=\"#e8d8e0\"><title>{about}</title></rect>\n",
                to - from,
                FLOOR - TOP
            ));
        }
        for n in [0, top / 2, top] {
            let y = y(n);
            put(format_args!("<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#ddd\"/>\n"));
            put(format_args!("<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{n}</text>\n", LEFT - 6, y + 4.0));
        }
        for (counts, fill) in [(&self.series.mentions, "#56a0d8"), (&self.series.negative, "#d55e00")] {
            let mut path = String::new();
            for (slot, n) in counts.iter().enumerate().filter(|(_, n)| **n > 0) {
                let (from, to) = (x(slot), x(slot + 1));
                write!(path, "M{from:.1} {FLOOR}V{:.1}H{:.1}V{FLOOR}z", y(*n), from + (to - from) * 0.85)
                    .unwrap_or_default();
            }
            put(format_args!("<path d=\"{path}\" fill=\"{fill}\"/>\n"));
        }
        for mark in &self.marks {
            let (middle, fill) = ((x(mark.slot) + x(mark.slot + 1)) / 2.0, colour(mark.severity));
            put(format_args!("<path d=\"M{middle:.1} {TOP}V{FLOOR}\" stroke=\"{fill}\" stroke-dasharray=\"2 3\"/>\n"));
            put(format_args!(
                "<path d=\"M{:.1} {}h12l-6 10z\" fill=\"{fill}\"><title>{}</title></path>\n",
                middle - 6.0,
                MARKS - 2,
                escaped(&mark.about)
            ));
        }
        let mut at = right;
        for severity in Severity::ALL.into_iter().rev() {
            at -= 66;
            put(format_args!("<path d=\"M{at} 10h10l-5 8z\" fill=\"{}\"/>\n", colour(severity)));
            put(format_args!("<text x=\"{}\" y=\"18\">{severity}</text>\n", at + 13));
        }
        let low = HEIGHT - 8;
        put(format_args!("<text x=\"{LEFT}\" y=\"{low}\">{}</text>\n", escaped(&self.first)));
        put(format_args!(
            "<text x=\"{right}\" y=\"{low}\" text-anchor=\"end\">{}</text>\n</svg>\n",
            escaped(&self.last)
        ));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Span;

    #[test]
    fn draws_small_pictures_of_anything() {
        for n in [0usize, 1, 96] {
            let series = Series {
                start: jiff::Timestamp::UNIX_EPOCH,
                bucket: Span::days(1),
                mentions: (0..n as u32).map(|i| i * i % 97).collect(),
                negative: vec![1; n],
                expected: Vec::new(),
            };
            let marks = vec![Mark { slot: n / 2, severity: Severity::Crisis, about: "a < b".into() }];
            let bands = vec![Band { slots: n / 2..n, about: "\"it\"".into() }];
            let words = |t: &str| t.to_owned();
            let (title, first, last) = (words("a & b"), words("2026-03-10"), words("2026-03-11"));
            let svg = Picture { title, first, last, series, marks, bands }.svg();
            assert!(svg.contains("<title>a &amp; b</title>") && svg.contains("a &lt; b") && svg.ends_with("</svg>\n"));
            assert!(svg.len() < 20_000 && !svg.contains("NaN"), "{}", svg.len());
        }
    }
}
