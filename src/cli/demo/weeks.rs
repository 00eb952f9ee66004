//! The weeks that follow: what happens on ordinary days, and in between what `cases.rs` tells.

use std::path::Path;

use super::cases;
use super::company::{Company, Done, ELSEWHERE, browser, yes};
use super::first_days::{back_up, invite_one_more};
use crate::actions::sign_in::with_password;
use crate::actions::step_up::step_up;
use crate::actions::{administer, contacts};
use crate::contacts::{Detail, Kind};

/// Six weeks but for the first days, up to half an hour ago.
pub(super) fn pass(company: &Company<'_>, room: &Path) -> Done {
    company.until(36, 110)?;
    company.sign_in("mara")?;
    company.until(35, 300)?;
    company.sign_in("oskar")?;
    company.until(28, 45)?;
    note(
        company,
        "sofia",
        "Works from the workshop in Aarhus on Thursdays; her calls come from a Danish number then.",
    )?;
    sofia_without_her_phone(company)?;
    company.until(21, 200)?;
    cases::lena_loses_her_phone(company)?;
    company.until(18, 60)?;
    eva_goes_on_leave(company)?;
    company.until(15, 400)?;
    cases::jonas_is_impersonated(company)?;
    company.until(9, 90)?;
    company.sign_in("oskar")?;
    company.until(6, 15)?;
    company.sign_in("piet")?;
    company.until(3, 120)?;
    cases::piet_is_refused(company)?;
    company.until(2, 150)?;
    mara_has_a_new_number(company)?;
    company.until(1, 30)?;
    invite_one_more(company, &company.sign_in("tom")?)?;
    company.until(0, 9 * 60)?;
    back_up(company, room)?;
    company.until(0, 5 * 60)?;
    somebody_tries_passwords(company)?;
    company.until(0, 60)?;
    cases::mara_calls(company)?;
    company.until(0, 25)?;
    cases::noor_has_to_be_approved(company)
}

fn note(company: &Company<'_>, key: &str, text: &str) -> Done {
    let tom = company.sign_in("tom")?;
    yes(administer::add_note(company.means(), company.ask(&tom, key)?, text.parse()?)?)
}

/// Her phone is being mended for four days: she uses up eight of her ten codes.
fn sofia_without_her_phone(company: &Company<'_>) -> Done {
    for day in [26, 25, 24, 23] {
        company.until(day, 500)?;
        let session = company.sign_in_with_code("sofia")?;
        company.later(35)?;
        let sofia = company.member("sofia")?;
        let code = company.next_code(&sofia)?;
        step_up(company.means(), &session, code, &sofia.visitor)?;
    }
    Ok(())
}

fn eva_goes_on_leave(company: &Company<'_>) -> Done {
    let ruth = company.sign_in("ruth")?;
    let reason = "On leave until summer, as agreed with her".parse()?;
    yes(administer::disable(company.means(), company.ask(&ruth, "eva")?, reason)?)
}

/// A number that is too new to be called when she needs help.
fn mara_has_a_new_number(company: &Company<'_>) -> Done {
    let session = company.sign_in("mara")?;
    let number = Detail::parse(Kind::Phone, "+46 70 174 06 99")?;
    contacts::add_own(company.means(), &session, number, &company.member("mara")?.visitor)?;
    Ok(())
}

/// From an address that nobody knows: on Mara's account, and on accounts that there are not.
fn somebody_tries_passwords(company: &Company<'_>) -> Done {
    let stranger = browser(3, ELSEWHERE);
    let mara = company.member("mara")?.part.email();
    for (email, password) in [
        ("admin@fernhill.example", "letmein-2024"),
        (mara.as_str(), "fernhill-joinery"),
        (mara.as_str(), "Summer2024!"),
        ("office@fernhill.example", "welcome-home"),
        (mara.as_str(), "mara-mara-1"),
        (mara.as_str(), "Password123"),
    ] {
        company.later(3)?;
        with_password(company.means(), email, password, "", &stranger)?;
    }
    Ok(())
}
