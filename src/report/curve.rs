//! A long series of counts as SVG: counts, the usual level, and where something strange began.
//!
//! Heights are square roots, so that a quiet day can be seen beside a spike. Many buckets share a column, which shows the
//! highest of them.

use std::fmt::Write;

const WIDTH: usize = 1200;
const HEIGHT: usize = 240;
const LEFT: usize = 56;
const MARGIN: usize = 24;
/// Columns of the picture.
const COLUMNS: usize = WIDTH - LEFT - MARGIN;

/// One bucket of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// What was counted.
    pub count: f64,
    /// What is usual.
    pub expected: f64,
    /// Something strange began.
    pub strange: bool,
}

/// Text that XML takes as it is meant.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Draws a curve of 1200 × 240 pixels, with a title and the words under its first and last bucket.
pub fn svg(title: &str, points: &[Point], first: &str, last: &str) -> String {
    let top = points.iter().map(|p| p.count.max(p.expected)).fold(4.0, f64::max);
    let floor = (HEIGHT - MARGIN) as f64;
    let y = |n: f64| floor - (n.max(0.0) / top).sqrt() * (floor - MARGIN as f64);
    let per_column = points.len().div_ceil(COLUMNS).max(1);
    let columns = points.len().div_ceil(per_column).max(1);
    let x = |column: usize| LEFT as f64 + column as f64 * COLUMNS as f64 / columns as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"11\" fill=\"#333\">\n<title>{0}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         fill=\"#fafaf8\"/>\n<text x=\"{LEFT}\" y=\"16\" font-size=\"13\">{0}</text>\n",
        escaped(title)
    );
    // A text that is only written to memory cannot fail.
    let mut put = |line: std::fmt::Arguments<'_>| out.write_fmt(line).unwrap_or_default();
    for n in [0.0, top / 16.0, top / 4.0, top] {
        let (y, n) = (y(n), n.round());
        put(format_args!("<path d=\"M{LEFT} {y:.1}H{}\" stroke=\"#ddd\"/>\n", WIDTH - MARGIN));
        put(format_args!("<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{n}</text>\n", LEFT - 6, y + 4.0));
    }
    for (column, of) in points.chunks(per_column).enumerate().filter(|(_, of)| of.iter().any(|p| p.strange)) {
        let high = of.iter().filter(|p| p.strange).map(|p| p.count).fold(0.0, f64::max);
        let (x, y) = (x(column), y(high));
        put(format_args!("<path d=\"M{x:.1} {floor}V{MARGIN}\" stroke=\"#d55e00\" stroke-opacity=\".35\"/>\n"));
        put(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"none\" stroke=\"#d55e00\"/>\n"));
    }
    let counts = |of: &[Point]| of.iter().map(|p| p.count).fold(0.0, f64::max);
    let usual = |of: &[Point]| of.iter().map(|p| p.expected).sum::<f64>() / of.len().max(1) as f64;
    for (value, colour) in [(&counts as &dyn Fn(&[Point]) -> f64, "#56a0d8"), (&usual, "#333")] {
        let mut path = String::new();
        for (column, of) in points.chunks(per_column).enumerate() {
            let step = if column == 0 { 'M' } else { 'L' };
            write!(path, "{step}{:.1} {:.1}", x(column), y(value(of))).unwrap_or_default();
        }
        put(format_args!("<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\"/>\n"));
    }
    let (low, right) = (HEIGHT - 8, WIDTH - MARGIN);
    put(format_args!("<text x=\"{LEFT}\" y=\"{low}\">{}</text>\n", escaped(first)));
    put(format_args!("<text x=\"{right}\" y=\"{low}\" text-anchor=\"end\">{}</text>\n</svg>\n", escaped(last)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_small_pictures_of_anything() {
        for n in [0usize, 1, 100, 50_000] {
            let points: Vec<Point> =
                (0..n).map(|i| Point { count: (i * i % 97) as f64, expected: 9.0, strange: i % 20_000 == 7 }).collect();
            let svg = svg("a < b & \"c\"", &points, "2026-03-10", "2026-03-11");
            assert!(svg.contains("<title>a &lt; b &amp; &quot;c&quot;</title>") && svg.ends_with("</svg>\n"));
            assert!(svg.len() < 60_000 && !svg.contains("NaN"), "{}", svg.len());
            assert_eq!(svg.matches("<circle").count(), (n + 19_992) / 20_000);
        }
    }
}
