//! Times, lengths and numbers as people say them.

use std::time::Duration;

use maud::{Markup, html};

use crate::time::Timestamp;

/// How long ago `at` was, with the exact moment on hover; a date once it is more than a month ago.
pub fn time_ago(at: Timestamp, now: Timestamp) -> Markup {
    let past = now.since(at);
    let text = if past < MONTH { ago(at, now) } else { day(at) };
    html! {
        time datetime=(at.to_seconds_text()) title=(exact(at)) data-ago[past < MONTH] { (text) }
    }
}

/// The same, or `never`.
pub(super) fn time_ago_or_never(at: Option<Timestamp>, now: Timestamp) -> Markup {
    html! { @if let Some(at) = at { (time_ago(at, now)) } @else { "never" } }
}

/// A time of day for today, with the date for any other day; scripts show it in the reader's own zone.
pub(super) fn clock(at: Timestamp, now: Timestamp) -> Markup {
    let text = exact(at);
    let text = if at.date() == now.date() { &text[11..16] } else { &text[..16] };
    html! { time datetime=(at.to_seconds_text()) title=(exact(at)) data-clock { (text) " UTC" } }
}

/// `2026-11-24 09:12:00 UTC`.
pub(super) fn exact(at: Timestamp) -> String {
    let text = at.to_seconds_text();
    format!("{} {} UTC", &text[..10], &text[11..19])
}

/// `3 February 2026`.
pub fn day(at: Timestamp) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let (year, month, day) = at.date();
    let month = usize::try_from(month - 1).ok().and_then(|m| MONTHS.get(m)).unwrap_or(&"");
    format!("{day} {month} {year}")
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long ago or in how long, without the exact moment.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let (distance, future) = if at > now { (at.since(now), true) } else { (now.since(at), false) };
    let unit = [(DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")].into_iter().find(|(size, _)| distance >= *size);
    match (unit, future) {
        (None, false) => "just now".to_owned(),
        (None, true) => "in less than a minute".to_owned(),
        (Some((size, word)), false) => format!("{} ago", count(distance.as_secs() / size.as_secs(), word)),
        (Some((size, word)), true) => format!("in {}", count(distance.as_secs() / size.as_secs(), word)),
    }
}

/// `1 code`, `3 codes`.
pub fn count(number: u64, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{} {word}s", grouped(number)) }
}

/// `1 person`, `3 people`.
pub fn people(number: u64) -> String {
    if number == 1 { "1 person".to_owned() } else { format!("{} people", grouped(number)) }
}

/// `48,211`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.char_indices() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A sentence in which commands stand between backticks.
pub(super) fn with_commands(text: &str) -> Markup {
    html! {
        @for (i, part) in text.split('`').enumerate() { @if i % 2 == 1 { code { (part) } } @else { (part) } }
    }
}

/// `45 seconds`, `60 minutes`, `24 hours`, `7 days`: the unit in which a person would say it.
pub fn lasting(d: Duration) -> String {
    let rounded = |size: Duration| d.as_secs().div_ceil(size.as_secs());
    if d < 2 * MINUTE {
        count(d.as_secs().max(1), "second")
    } else if d < 2 * HOUR {
        count(rounded(MINUTE), "minute")
    } else if d <= 3 * DAY {
        count(rounded(HOUR), "hour")
    } else {
        count(rounded(DAY), "day")
    }
}

/// `12.4 MB`: bytes as file managers say them.
pub(super) fn size(bytes: u64) -> String {
    let (unit, word) = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")]
        .into_iter()
        .find(|(unit, _)| bytes >= *unit)
        .unwrap_or((1, "bytes"));
    if unit == 1 { format!("{bytes} {word}") } else { format!("{}.{} {word}", bytes / unit, bytes % unit * 10 / unit) }
}

/// `K 7 P M, 2 X Q D` for `K7PM-2XQD`.
pub(super) fn spelled(text: &str) -> String {
    let group = |g: &str| g.chars().map(String::from).collect::<Vec<_>>().join(" ");
    text.split(['-', ' ']).map(group).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let said = |text: &str| time_ago(text.parse().unwrap(), now).into_string();
        assert!(said("2026-11-24T11:59:30Z").contains(">just now<"));
        assert!(said("2026-11-24T11:00:00Z").contains(">1 hour ago<"));
        assert!(said("2026-11-19T07:58:00Z").contains("title=\"2026-11-19 07:58:00 UTC\" data-ago>5 days ago<"));
        assert!(said("2026-02-03T09:12:00Z").contains("UTC\">3 February 2026<"));
        assert!(said("2026-11-24T12:59:30Z").contains(">in 59 minutes<"));
    }

    #[test]
    fn lengths_are_said_in_the_unit_a_person_would_use() {
        let said = |seconds| lasting(Duration::from_secs(seconds));
        assert_eq!(said(1), "1 second");
        assert_eq!(said(45), "45 seconds");
        assert_eq!(said(3600), "60 minutes");
        assert_eq!(said(24 * 3600), "24 hours");
        assert_eq!(said(72 * 3600), "72 hours");
        assert_eq!(said(7 * 24 * 3600), "7 days");
    }

    #[test]
    fn sizes_are_said_with_one_digit_behind_the_point() {
        assert_eq!(
            [0, 999, 1_000, 12_450_000, 3_999_999_999].map(size),
            ["0 bytes", "999 bytes", "1.0 kB", "12.4 MB", "3.9 GB"]
        );
    }

    #[test]
    fn large_numbers_are_said_in_groups() {
        assert_eq!([0, 999, 1_000, 48_211, 1_000_000].map(grouped), ["0", "999", "1,000", "48,211", "1,000,000"]);
        assert_eq!((count(1_200, "code"), people(10_000)), ("1,200 codes".to_owned(), "10,000 people".to_owned()));
    }

    #[test]
    fn commands_stand_out_in_a_sentence() {
        assert_eq!(with_commands("Run `idp backup` daily.").into_string(), "Run <code>idp backup</code> daily.");
    }

    #[test]
    fn a_pass_is_spelled_for_those_who_hear_it() {
        assert_eq!(spelled("K7PM-2XQD"), "K 7 P M, 2 X Q D");
    }
}
