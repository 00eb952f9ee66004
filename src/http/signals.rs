//! What happened lately to an account, in words, beside every form that lets someone in.

use super::error::Problem;
use super::guards::Call;
use crate::audit::{Action, Outcome};
use crate::pages::grants::{Signal, Weight};
use crate::pages::words::{count, day};
use crate::storage::{ReadTx, recovery, signals};
use crate::time::Timestamp;
use crate::users::User;

/// What happened lately to this account.
pub(super) fn signals_of(tx: &ReadTx<'_>, call: &Call<'_>, user: &User) -> Result<Vec<Signal>, Problem> {
    let yesterday = call.now.minus(std::time::Duration::from_secs(86_400));
    let week = call.now.minus(std::time::Duration::from_secs(7 * 86_400));
    let quarter = call.now.minus(std::time::Duration::from_secs(90 * 86_400));
    let (wrong, addresses) =
        signals::count_entries(tx, user.id, Action::UserSignInFailed, Outcome::Failure, yesterday)?;
    let (codes, _) = signals::count_entries(tx, user.id, Action::MfaChallengeFailed, Outcome::Failure, yesterday)?;
    let devices = signals::count_new_devices(tx, user.id, week)?;
    let resets = recovery::count_since(tx, user.id, quarter)?;
    let (contacts, _) = signals::count_entries(tx, user.id, Action::UserContactChanged, Outcome::Success, week)?;
    let (portraits, _) = signals::count_entries(tx, user.id, Action::UserPortraitChanged, Outcome::Success, week)?;
    let changed = |action| Ok::<_, Problem>(signals::find_last(tx, user.id, action)?.filter(|at| *at >= week));
    let (password, address) = (changed(Action::UserPasswordChanged)?, changed(Action::UserEmailChanged)?);
    let weigh = |n: u32, weight| if n == 0 { Weight::Calm } else { weight };
    let signal = |label: &str, text: String, weight| Signal { label: label.to_owned(), text, weight };
    Ok(vec![
        signal(
            "Wrong passwords",
            if wrong == 0 {
                "none in 24 hours".into()
            } else {
                format!("{wrong} in 24 hours, from {}", plural(addresses))
            },
            weigh(wrong, Weight::Look),
        ),
        signal(
            "Wrong codes",
            if codes == 0 { "none in 24 hours".into() } else { format!("{codes} in 24 hours, after a right password") },
            weigh(codes, Weight::Look),
        ),
        signal("Password", changed_on(password), weigh(u32::from(password.is_some()), Weight::Strong)),
        signal("Sign-in address", changed_on(address), weigh(u32::from(address.is_some()), Weight::Strong)),
        signal(
            "Contact details",
            if contacts == 0 {
                "not changed in 7 days".into()
            } else {
                format!("{} within 7 days", count(contacts.into(), "change"))
            },
            weigh(contacts, Weight::Strong),
        ),
        signal(
            "Photo and ID",
            if portraits == 0 { "not changed in 7 days".into() } else { "changed within 7 days".into() },
            weigh(portraits, Weight::Look),
        ),
        signal(
            "New devices",
            if devices == 0 { "none in 7 days".into() } else { format!("{devices} signed in within 7 days") },
            weigh(devices, Weight::Strong),
        ),
        signal(
            "Earlier resets",
            if resets == 0 { "none in 90 days".into() } else { format!("{resets} within 90 days") },
            weigh(resets, Weight::Strong),
        ),
    ])
}

fn changed_on(at: Option<Timestamp>) -> String {
    at.map_or("not changed in 7 days".into(), |at| format!("changed on {}", day(at)))
}

fn plural(addresses: u32) -> String {
    if addresses == 1 { "1 address".into() } else { format!("{addresses} addresses") }
}
