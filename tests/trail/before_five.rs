//! The small things that an admin is asked for, until somebody leaves for good.

use super::day::{Day, INVITED};
use crate::grants::DAILY;
use crate::runbook::act;

pub fn before_five(day: &mut Day) {
    let lou = day.person("lou@fernhill.example", "Lou", "member");
    assert_eq!(day.told(), INVITED);
    for (path, fields, _) in DAILY.iter().filter(|(path, ..)| !["/role", "/unlock", "/leave"].contains(path)) {
        assert_eq!(act(&mut day.ada, &lou.id, path, fields).status, 303, "{path}");
    }
    assert_eq!(act(&mut day.ada, &lou.id, "/portrait", &[("id_note", "Passport, seen by HR")]).status, 303);
    for _ in 0..5 {
        day.world.browser().password("new@fernhill.example", "open sesame, please");
    }
    for (path, fields, _) in DAILY.iter().filter(|(path, ..)| ["/unlock", "/leave"].contains(path)) {
        assert_eq!(act(&mut day.ada, &lou.id, path, fields).status, 303, "{path}");
    }
    assert_eq!(
        day.told(),
        [
            "user.session_revoked",
            "user.password_reset_required",
            "user.updated",
            "user.email_changed",
            "user.portrait_changed",
            "user.sign_in_failed failure x5",
            "user.unlocked",
            "user.left",
            "mfa.factor_admin_reset",
            "user.portrait_changed",
        ]
    );
}
