//! Strangers try; a factor is worn out.

use std::time::Duration;

use idp::audit::Action;

use super::database;
use super::day::Day;
use crate::world::Member;

pub fn noon(day: &mut Day, mara: &Member) {
    for n in 0..3 {
        day.world.browser().password(&format!("nobody{n}@fernhill.example"), "open sesame, please");
    }
    day.secrets.push("open sesame, please".into());
    day.world.later(Duration::from_secs(120));
    day.world.sweep();
    let mut stranger = day.world.browser();
    for _ in 0..5 {
        stranger.password(&mara.email, "open sesame, please");
    }
    assert_eq!(day.told(), ["user.sign_in_failed failure x6"], "one for all on unknown accounts, five on a known one");
    // The long run of failures is put into the table, so that not every one of them costs a hash here.
    database(&day.world).execute("UPDATE failures SET count = 14 WHERE budget = 'account'", []).unwrap();
    while day.world.entries_of(Action::UserLocked).is_empty() {
        day.world.later(Duration::from_secs(900));
        stranger.password(&mara.email, "open sesame, please");
    }
    assert_eq!(day.told(), ["user.sign_in_failed failure", "user.locked"]);

    day.world.later(Duration::from_secs(900));
    let mut browser = day.world.browser();
    browser.password(&mara.email, "orchard lantern forty");
    let wrong = mara.phone.wrong_code(day.world.now());
    assert_eq!(browser.code(&wrong).status, 401);
    database(&day.world).execute("UPDATE failures SET count = 99 WHERE budget = 'totp'", []).unwrap();
    day.world.later(Duration::from_secs(900));
    browser.password(&mara.email, "orchard lantern forty");
    browser.code(&mara.phone.wrong_code(day.world.now()));
    assert_eq!(
        day.told(),
        [
            "user.password_verified",
            "mfa.challenge_failed failure",
            "user.password_verified",
            "mfa.challenge_failed failure",
            "mfa.factor_disabled",
        ]
    );
}
