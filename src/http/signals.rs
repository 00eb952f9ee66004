//! What happened lately to an account, in words, beside every form that lets someone in.

use crate::pages::grants::{Signal, Weight};
use crate::pages::words::{count, day};
use crate::policy::{Key, Policy};
use crate::signals::{Sign, Signals};

/// Each kind of sign in words, also those that were not found: that nothing happened is worth knowing.
pub(super) fn in_words(signals: &Signals, policy: &Policy) -> Vec<Signal> {
    Sign::ALL.map(|sign| one(sign, signals, policy)).into()
}

fn one(sign: Sign, signals: &Signals, policy: &Policy) -> Signal {
    let found = signals.get(sign);
    let number = found.map_or(0, |f| f.count);
    let many = if number >= Signals::MOST { format!("{number} or more") } else { number.to_string() };
    let days = |key| count(policy.get(key).unsigned_abs(), "day");
    let on = found.and_then(|f| f.last_at).map(|at| format!(", last on {}", day(at))).unwrap_or_default();
    let within = |what: &str, key| match number {
        0 => format!("none in {}", days(key)),
        n => format!("{} within {}{on}", count(n.into(), what), days(key)),
    };
    let (label, text) = match sign {
        Sign::Changed => ("Password and contact details", within("change", Key::SignDays)),
        Sign::Refused => ("Refused before", within("refusal", Key::RefusalShown)),
        Sign::Reset => ("Earlier resets", within("reset", Key::ResetSignDays)),
        Sign::NewDevice => ("Sign-ins from new devices", within("sign-in", Key::SignDays)),
        Sign::WrongPasswords => {
            let from = addresses(found.map_or(0, |f| f.addresses));
            (
                "Wrong passwords",
                if number == 0 { "none in 24 hours".into() } else { format!("{many} in 24 hours, from {from}") },
            )
        }
        Sign::WrongCodes => (
            "Wrong codes",
            if number == 0 { "none in 24 hours".into() } else { format!("{many} in 24 hours, after a right password") },
        ),
    };
    let weight = match number {
        0 => Weight::Calm,
        _ if sign.is_strong() => Weight::Strong,
        _ => Weight::Look,
    };
    Signal { label: label.into(), text, weight }
}

fn addresses(number: u32) -> String {
    if number == 1 { "1 address".into() } else { format!("{number} addresses") }
}
