//! How seldom chance alone would show as much to a rule that looks at its window all the time.

use crate::model::time::Span;

/// Rarer than this, in days, is not told apart.
pub const RAREST: f64 = 1e6;

const DAY: f64 = 86_400_000.0;

/// Days from one such window to the next by chance alone.
///
/// `surprise` is told of one window, yet windows slide, and each mention is another look. Of a window in which `expected`
/// are usual, `seen` or more are reached anew `(seen − expected)² / seen` times as often as the one window says: the rate
/// of clumps of a scan statistic (S. E. Alm, "On the distribution of the scan statistic of a Poisson process", 1983),
/// with the tail taken as geometric. Where counts vary more than Poisson's, this counts too many looks rather than too few.
pub fn days_apart(surprise: f64, seen: u64, expected: f64, window: Span) -> f64 {
    let n = seen as f64;
    let looks = if n > expected { (n - expected).powi(2) / n } else { 1.0 };
    let days = window.as_millis() as f64 / DAY * 10f64.powf(surprise) / looks.max(1.0);
    if days.is_finite() { days.min(RAREST) } else { RAREST }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::baseline::Outlook;
    use crate::engine::stories::made::Dice;

    #[test]
    fn more_is_rarer_and_nothing_breaks() {
        let window = Span::mins(15);
        let days = |surprise, seen| days_apart(surprise, seen, 3.0, window);
        assert!(days(4.0, 12) < days(6.0, 16));
        assert_eq!((days(300.0, 100_000), days(f64::INFINITY, 9)), (RAREST, RAREST));
        assert!((days(0.0, 0) - 15.0 / 1440.0).abs() < 1e-9);
    }

    /// Ten years of Poisson mentions, watched at each of them: crowds come as often as is told, not as one window says.
    #[test]
    fn chance_comes_as_often_as_is_told() {
        let (window, per_window, crowd) = (Span::mins(60), 4.0, 14u64);
        let surprise = Outlook { expected: per_window, upper: per_window, dispersion: 1e-6 }.surprise(crowd);
        let told = days_apart(surprise, crowd, per_window, window);
        let mut dice = Dice(7);
        let days = 365.0 * 20.0;
        let (mut at, mut seen, mut crowds, mut within) = (0.0f64, std::collections::VecDeque::new(), 0u32, false);
        while at < days * 24.0 {
            at -= ((dice.below(1 << 30) as f64 + 1.0) / (1u64 << 30) as f64).ln() / per_window;
            seen.push_back(at);
            while seen.front().is_some_and(|t| *t < at - 1.0) {
                seen.pop_front();
                within = within && seen.len() as u64 >= crowd / 2;
            }
            if !within && seen.len() as u64 >= crowd {
                (crowds, within) = (crowds + 1, true);
            }
        }
        let seen = days / f64::from(crowds);
        assert!((0.5..2.0).contains(&(told / seen)), "told once in {told:.1} days, seen once in {seen:.1}");
        let alone = window.as_millis() as f64 / DAY * 10f64.powf(surprise);
        assert!(alone / seen > 3.0, "one window alone says once in {alone:.1} days");
    }
}
