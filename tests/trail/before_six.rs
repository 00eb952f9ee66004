//! Cases that end otherwise: refused, handed over and closed; and a setting of the policy.

use super::day::{Day, INVITED};
use crate::world::Browser;

pub fn before_six(day: &mut Day) {
    let sam = day.person("sam@fernhill.example", "Sam", "admin");
    day.told();
    let mut sam = sam.browser;
    let lee = day.person("lee@fernhill.example", "Lee", "member");
    let pat = day.person("pat@fernhill.example", "Pat", "member");
    assert_eq!(day.told(), [INVITED, INVITED].concat());
    let case = |browser: &mut Browser, path: &str, fields: &[(&str, &str)]| {
        browser.get(path);
        let page = browser.post(path, fields);
        assert_eq!(page.status, 303, "{path}: {}", page.text());
        page.location().to_owned()
    };
    let open = [("reason", "called from an unknown number"), ("urgent", "on")];
    let refused = case(&mut sam, &format!("/admin/users/{}/case", lee.id), &open);
    case(&mut sam, &format!("{refused}/urgent"), &[]);
    case(&mut sam, &format!("{refused}/refuse"), &[("refusal", "pressure"), ("note", "shouted and hung up")]);
    let handed = case(&mut sam, &format!("/admin/users/{}/case", pat.id), &[("reason", "lost the phone")]);
    case(&mut sam, &format!("{handed}/escalate"), &[("message", "I do not know this person.")]);
    case(&mut day.ada, &format!("{handed}/close"), &[]);
    let policy = [("value", "30"), ("reason", "a quieter week")];
    case(&mut day.ada, "/admin/policy/evidence_minutes", &policy);
    assert_eq!(
        day.told(),
        [
            "recovery.case_opened",
            "recovery.urgency_changed",
            "recovery.refused",
            "recovery.case_opened",
            "recovery.escalated",
            "recovery.expired",
            "policy.updated",
        ]
    );
}
