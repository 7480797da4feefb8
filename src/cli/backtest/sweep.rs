//! `--sweep surprise=2..8`: the same rules with other thresholds.

use super::super::Refused;
use crate::engine::threshold::with_threshold;
use crate::model::Alert;
use crate::model::signals::SIGNALS;

/// Thresholds that are tried at most.
const MOST: usize = 100;

/// A signal and the thresholds to try for it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sweep {
    pub(super) signal: String,
    pub(super) values: Vec<f64>,
}

impl Sweep {
    /// Reads `surprise=2..8`, or with a step `surprise=2..8:0.5`.
    pub(super) fn parse(text: &str) -> Result<Sweep, String> {
        let wrong = || format!("`{text}` is no sweep; write for example surprise=2..8 or surprise=2..8:0.5");
        let (signal, range) = text.split_once('=').ok_or_else(wrong)?;
        let signal = signal.trim();
        if !SIGNALS.iter().any(|(name, _, _)| *name == signal) {
            let help = crate::config::fault::suggest(signal, SIGNALS.iter().map(|(name, _, _)| *name));
            return Err(format!("there is no signal `{signal}`: {help}"));
        }
        let (range, step) = range.split_once(':').unwrap_or((range, "1"));
        let (low, high) = range.split_once("..").ok_or_else(wrong)?;
        let number = |t: &str| t.trim().parse::<f64>().ok().filter(|n| n.is_finite()).ok_or_else(wrong);
        let (low, high, step) = (number(low)?, number(high)?, number(step)?);
        let steps = ((high - low) / step + 1e-9).floor();
        if step <= 0.0 || high < low {
            return Err(wrong());
        }
        if steps >= MOST as f64 {
            return Err(format!("`{text}` tries more than {MOST} thresholds; write a longer step"));
        }
        // Rounded, so that 0.1 three times is 0.3.
        let value = |n: u32| ((low + step * f64::from(n)) * 1e9).round() / 1e9;
        Ok(Sweep { signal: signal.to_owned(), values: (0..=steps as u32).map(value).collect() })
    }

    /// The rules with each threshold; those whose condition does not compare the signal stay as they are.
    pub(super) fn variants(&self, alerts: &[Alert]) -> Result<Vec<Vec<Alert>>, Refused> {
        let uses = |a: &&Alert| self.values.iter().any(|v| with_threshold(&a.condition, &self.signal, *v).is_some());
        let touched: Vec<&str> = alerts.iter().filter(uses).map(|a| a.name.as_str()).collect();
        if touched.is_empty() {
            return Err(Refused(format!("no condition of these rules has a threshold for `{}`", self.signal)));
        }
        let one = |alert: &Alert, value: f64| -> Result<Alert, Refused> {
            if !touched.contains(&alert.name.as_str()) {
                return Ok(alert.clone());
            }
            let condition = with_threshold(&alert.condition, &self.signal, value).ok_or_else(|| {
                Refused(format!(
                    "`{}` could never hold in `{}` with {} {value}",
                    alert.condition, alert.name, self.signal
                ))
            })?;
            Ok(Alert { condition, ..alert.clone() })
        };
        self.values.iter().map(|value| alerts.iter().map(|a| one(a, *value)).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(Sweep::parse("surprise=2..8").expect("a sweep").values, [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert_eq!(Sweep::parse("negative_share=0.1..0.4:0.1").expect("a sweep").values, [0.1, 0.2, 0.3, 0.4]);
        assert_eq!(Sweep::parse("mentions = 3..3").expect("a sweep").values, [3.0]);
        assert!(Sweep::parse("suprise=2..8").is_err_and(|e| e.contains("did you mean `surprise`")));
        for wrong in
            ["surprise", "surprise=2", "surprise=8..2", "surprise=2..8:0", "surprise=0..9:0.01", "surprise=a..b"]
        {
            assert!(Sweep::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rules_without_the_signal_stay() {
        let rule =
            |name: &str, condition: &str| Alert { name: name.into(), condition: condition.into(), ..Alert::default() };
        let rules = [rule("a", "mentions >= 5 && surprise >= 4.0"), rule("b", "mentions >= 3")];
        let all = Sweep::parse("surprise=2..3").expect("a sweep").variants(&rules).expect("two");
        assert_eq!(all[1][0].condition, "mentions >= 5 && surprise >= 3.0");
        assert_eq!(all[1][1], rules[1]);
        assert!(Sweep::parse("reach=1..2").expect("a sweep").variants(&rules).is_err());
    }
}
