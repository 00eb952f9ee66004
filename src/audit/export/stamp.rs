//! Moments for a million lines.
//!
//! Architecture invariant: exactly the text that `Timestamp` displays.

use std::fmt::Write;

use crate::time::Timestamp;

/// As `Timestamp` is displayed, without its general formatting, which takes as long as the rest of a header.
pub(super) fn push_time(out: &mut String, at: Timestamp) {
    const DAY: i64 = 86_400_000_000;
    let (days, rest) = (at.as_micros().div_euclid(DAY), at.as_micros().rem_euclid(DAY));
    // Days since 0000-03-01 in eras of 400 years, each 146,097 days; a year here begins in March, so that the day that
    // comes and goes is its last.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day + 2) / 153;
    let day = day - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    if !(0..=9_999).contains(&year) {
        // Writing to a string can not fail.
        let _ = write!(out, "{at}");
        return;
    }
    let seconds = rest / 1_000_000;
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    put_digits(&mut text[0..4], year);
    put_digits(&mut text[5..7], month);
    put_digits(&mut text[8..10], day);
    put_digits(&mut text[11..13], seconds / 3_600);
    put_digits(&mut text[14..16], seconds / 60 % 60);
    put_digits(&mut text[17..19], seconds % 60);
    put_digits(&mut text[20..26], rest % 1_000_000);
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}

fn put_digits(text: &mut [u8], mut value: i64) {
    for digit in text.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_everywhere_else() {
        let year = 31_556_952_000_000;
        for n in -80..400 {
            for beside in [-86_400_000_001, -1, 0, 1, 12_345_678_901] {
                let at = Timestamp::from_micros(n * year + n * 86_400_000_000 + beside);
                let mut out = String::new();
                push_time(&mut out, at);
                assert_eq!(out, at.to_string());
            }
        }
        let mut out = String::new();
        push_time(&mut out, "2028-02-29T23:59:59.999999Z".parse().unwrap());
        push_time(&mut out, "2100-03-01".parse().unwrap());
        push_time(&mut out, Timestamp::from_micros(i64::MIN));
        assert!(out.starts_with("2028-02-29T23:59:59.999999Z2100-03-01T00:00:00.000000Z"), "{out}");
    }
}
