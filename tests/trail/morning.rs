//! Mara looks after her own account.

use super::day::Day;
use crate::world::{Member, PASSWORD, Phone};

pub fn morning(day: &mut Day, mara: &mut Member) {
    let browser = &mut mara.browser;
    browser.get("/profile");
    browser.post("/profile/factors", &[]);
    let tablet = Phone::scan(&browser.get("/profile/factors/new").body);
    let code = tablet.code(day.world.now());
    assert_eq!(browser.post("/profile/factors/new", &[("name", "Tablet"), ("code", &code)]).status, 303);
    let first = day.world.factor(&mara.id);
    let rename = format!("/profile/factors/{first}/rename");
    browser.get(&rename);
    assert_eq!(browser.post(&rename, &[("name", "old phone")]).status, 303);
    let remove = format!("/profile/factors/{first}/remove");
    browser.get(&remove);
    assert_eq!(browser.post(&remove, &[]).status, 303);
    let last = format!("/profile/factors/{}/remove", day.world.factor(&mara.id));
    browser.get(&last);
    assert_eq!(browser.post(&last, &[]).status, 422, "never the last one");
    browser.get("/profile/sessions");
    assert_eq!(browser.post("/profile/sessions/end", &[]).status, 303);
    assert_eq!(browser.post("/profile/devices/forget", &[]).status, 303);
    browser.get("/profile/password");
    let fields = [("current_password", PASSWORD), ("new_password", "orchard lantern forty")];
    assert_eq!(browser.post("/profile/password", &fields).status, 303);
    day.secrets.push("orchard lantern forty".into());
    browser.get("/profile/backup-codes");
    mara.codes = browser.post("/profile/backup-codes", &[]).codes();
    mara.codes.iter().for_each(|code| drop(day.secret(code)));
    browser.get("/profile/contacts");
    assert_eq!(browser.post("/profile/contacts", &[("kind", "phone"), ("value", "+46 70 123 45 67")]).status, 303);
    browser.get("/profile");
    assert_eq!(browser.post("/admin/audit/export", &[]).status, 403);
    browser.get("/profile");
    assert_eq!(browser.post("/sign-out", &[]).status, 303);
    let mut again = day.world.browser();
    again.password(&mara.email, "orchard lantern forty");
    assert_eq!(again.backup_code(&mara.codes[0]).location(), "/profile");
    assert_eq!(
        day.told(),
        [
            "mfa.factor_enrolled",
            "mfa.factor_renamed",
            "mfa.factor_removed",
            "mfa.factor_removed denied",
            "user.session_revoked",
            "user.device_forgotten",
            "user.password_changed",
            "mfa.backup_codes_generated",
            "user.contact_changed",
            "user.access_refused denied",
            "user.signed_out",
            "user.password_verified",
            "mfa.backup_code_used",
            "user.signed_in",
        ]
    );
}
