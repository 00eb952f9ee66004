//! What owners and the operator see of the mail: the test message, the page about the system, the doctor.

use idp::audit::Action;

use super::{MINUTE, Post, change_contacts, write_messages};
use crate::cli_world::Folder;
use crate::mail_server::{FROM, MailServer, Mode};
use crate::world::{World, body};

#[test]
fn an_owner_sends_a_test_message_and_is_told_at_once_what_came_of_it() {
    let mut post = Post::new();
    let mut noor = post.world.person(&mut post.ada, "noor@fernhill.example", "Noor", "admin");
    post.round();
    post.new_letters();
    assert!(post.ada.get("/admin/system").says("Waiting 0"), "{}", post.ada.page.text());
    let page = post.ada.post("/admin/system/mail-test", &[]);
    assert!(page.status == 200 && page.says("The mail server took the message."), "{}", page.text());
    let letters = post.new_letters();
    assert_eq!((letters[0].subject.as_str(), letters[0].to[0].as_str()), ("A test message", "ada@fernhill.example"));
    post.server.refuse("ada@fernhill.example", 550);
    assert!(post.ada.post("/admin/system/mail-test", &[]).says("The mail server does not take the message."));
    post.server.refuse(FROM, 550);
    assert!(post.ada.post("/admin/system/mail-test", &[]).says("A setting has to be changed."));
    post.server.stop();
    let page = post.ada.post("/admin/system/mail-test", &[]);
    assert!(
        page.says("The message was not sent, but may be later.") && page.says("can not be reached"),
        "{}",
        page.text()
    );
    let tests: Vec<_> =
        post.world.entries_of(Action::NoticeSent).into_iter().filter(|e| body(e).fact("kind") == "test").collect();
    let outcomes: Vec<_> = tests.iter().map(|e| e.header.outcome.as_str()).collect();
    assert_eq!(outcomes, ["success", "failure", "failure", "failure"]);
    assert!(tests.iter().all(|e| e.header.actor_kind == "person"));
    // An admin sees how it stands and sends none; nor does an owner whose last code was long ago.
    assert!(!noor.browser.get("/admin/system").body.contains("mail-test"));
    noor.browser.get("/profile");
    assert_eq!(noor.browser.post("/admin/system/mail-test", &[]).status, 403);
    assert_eq!(post.world.entries_of(Action::NoticeSent).last().unwrap().header.outcome, "denied");
    post.world.later(16 * MINUTE);
    post.ada.get("/admin/system");
    let page = post.ada.post("/admin/system/mail-test", &[]);
    assert!(page.status == 422 && page.says("confirm that it is you"), "{}", page.text());
    let code = post.phone.code(post.world.now());
    let page = post.ada.post("/admin/system/mail-test", &[("step_up_code", &code)]);
    assert!(page.status == 200 && page.says("can not be reached"), "{}", page.text());
}

#[test]
fn the_page_about_the_system_says_how_the_messages_stand() {
    let mut post = Post::new();
    post.server.refuse("mara@fernhill.example", 550);
    change_contacts(&mut post, 1);
    post.round();
    post.server.stop();
    change_contacts(&mut post, 2);
    post.round();
    let page = post.ada.get("/admin/system");
    for part in [
        "Waiting 1, the oldest since just now",
        "Given up in 30 days 1",
        "Last failure 127.0.0.1:",
        "can not be reached",
    ] {
        assert!(page.says(part), "{part}: {}", page.text());
    }
    let (world, mut ada, _) = World::with_owner();
    assert!(ada.get("/admin/system").says("No mail server is set, so nothing is mailed."), "{}", ada.page.text());
    assert_eq!(ada.post("/admin/system/mail-test", &[]).status, 404);
    drop(world);
}

#[test]
fn the_doctor_counts_what_waits_where_a_mail_server_is_set() {
    let mail = MailServer::start(Mode::Plain);
    let folder = Folder::new();
    write_messages(&folder, 2);
    assert!(!folder.idp(&["doctor"]).out.contains("messages that wait"));
    std::fs::write(folder.data().join("idp.toml"), mail.toml()).unwrap();
    let ran = folder.idp(&["doctor"]);
    assert!(ran.out.contains("ok       messages that wait to be sent: 2, given up within 30 days: 0\n"), "{}", ran.out);
    folder.tamper(
        "UPDATE outbox SET next_at = NULL, given_up_at = strftime('%s', 'now') * 1000000, error = 'no such box'",
    );
    let ran = folder.idp(&["doctor"]);
    let said = "warning  messages that wait to be sent: 0, given up within 30 days: 2; the last failure: no such box. Open System";
    assert!(ran.out.contains(said), "{}", ran.out);
}
