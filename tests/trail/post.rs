//! What has waited in the outbox is sent, and somebody who forgot their password helps themself.

use super::day::{Day, INVITED};

fn round(day: &mut Day) {
    let smtp = day.world.app.settings.mail.clone().unwrap();
    day.world.app.mail_round(&mut day.courier, &smtp, &|| true).unwrap();
}

/// Every message is told of once, and none says its text.
pub fn post(day: &mut Day) {
    let eve = day.person("eve@fernhill.example", "Eve", "member");
    assert_eq!(day.told(), INVITED);
    round(day);
    let sent = day.server.received().len();
    assert_eq!(day.told(), [format!("notice.sent x{sent}")]);
    assert!(sent > 40, "{sent}");

    let mut browser = day.world.browser();
    browser.get("/password-reset");
    browser.post("/password-reset", &[("email", &eve.email)]);
    assert_eq!(day.told(), ["user.password_reset_requested"]);
    round(day);
    let letter = day.server.received().pop().unwrap().text.unwrap();
    let at = letter.find("/password-reset/").expect(&letter);
    let link = letter[at..].split_whitespace().next().unwrap().to_owned();
    day.secret(link.rsplit('/').next().unwrap());
    browser.get(&link);
    assert!(browser.post(&link, &[("new_password", "quiet ferry under cranes")]).says("Your password is changed"));
    day.secrets.push("quiet ferry under cranes".into());
    round(day);
    assert_eq!(day.told(), ["notice.sent", "user.password_reset_completed", "notice.sent"]);
}
