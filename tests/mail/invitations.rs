//! Invitations that go out by mail.

use idp::audit::Action;

use super::{MINUTE, Post};
use crate::mail_server::Received;
use crate::world::body;

/// The path of the invitation link in a letter.
fn invitation(letter: &Received) -> String {
    assert_eq!(letter.subject, "Your invitation");
    let text = letter.text.as_deref().unwrap();
    let at = text.find("/invitation/").expect(text);
    text[at..].split_whitespace().next().unwrap().to_owned()
}

#[test]
fn an_invitation_goes_out_by_mail_too_where_that_is_wanted_and_its_link_is_the_one_that_was_shown() {
    let mut post = Post::new();
    post.ada.get("/admin/users/new");
    assert!(post.ada.page.body.contains("name=\"by_mail\" value=\"on\" checked"), "{}", post.ada.page.body);
    let fields = [("email", "noor@fernhill.example"), ("name", "Noor"), ("role", "member"), ("by_mail", "on")];
    let page = post.ada.post("/admin/users/new", &fields);
    assert!(page.says("It is mailed to the address that they will sign in with, too."), "{}", page.text());
    // Without the tick the link is for whoever made it to hand over.
    post.world.invite(&mut post.ada, "otto@fernhill.example", "Otto", "member");
    assert!(!post.ada.page.says("mailed"));
    post.round();
    let letters = post.new_letters();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!(letter.to, ["noor@fernhill.example"]);
    let link = invitation(letter);
    assert!(page.body.contains(&link) && letter.html.as_deref().unwrap().contains(&link));
    assert!(!post.world.stores(link.rsplit('/').next().unwrap()), "no row holds the link");
    let browser = post.world.accept(&link);
    assert!(browser.clone().get("/enrol").status == 200);
    let sent = body(&post.world.entries_of(Action::NoticeSent).pop().unwrap()).fact("kind");
    assert_eq!(sent, "invitation");
    let path = format!("/admin/users/{}/notices", post.world.user("noor@fernhill.example").id);
    assert!(post.ada.get(&path).says("Invitation link noor@fernhill.example"), "{}", post.ada.page.text());
}

#[test]
fn a_list_of_people_is_invited_by_mail_each_with_their_own_link() {
    let mut post = Post::new();
    let list = "email,name\nnoor@fernhill.example,Noor\notto@fernhill.example,Otto\n";
    post.ada.get("/admin/users/import");
    let page = post.ada.post("/admin/users/import", &[("text", list), ("step", "check")]);
    assert!(page.body.contains("name=\"by_mail\" value=\"on\" checked"), "{}", page.body);
    let page = post.ada.post("/admin/users/import", &[("text", list), ("step", "import"), ("by_mail", "on")]);
    assert!(page.says("Each is mailed to the address beside it, too."), "{}", page.text());
    post.round();
    let letters = post.new_letters();
    assert_eq!(
        letters.iter().map(|l| l.to[0].as_str()).collect::<Vec<_>>(),
        ["noor@fernhill.example", "otto@fernhill.example"]
    );
    let links: Vec<_> = letters.iter().map(invitation).collect();
    assert!(links[0] != links[1] && links.iter().all(|link| page.body.contains(link)));
}

#[test]
fn an_invitation_that_was_replaced_or_used_before_it_could_be_sent_is_not_sent() {
    let mut post = Post::new();
    post.server.stop();
    post.ada.get("/admin/users/new");
    let fields = [("email", "noor@fernhill.example"), ("name", "Noor"), ("role", "member"), ("by_mail", "on")];
    assert_eq!(post.ada.post("/admin/users/new", &fields).status, 200);
    post.round();
    let again = format!("/admin/users/{}/invitation", post.world.user("noor@fernhill.example").id);
    assert!(post.ada.get(&again).body.contains("name=\"by_mail\" value=\"on\" checked"));
    let fields: Vec<_> = crate::runbook::FOUNDED[..3].iter().copied().chain([("by_mail", "on")]).collect();
    let page = post.ada.post(&again, &fields);
    assert_eq!(page.status, 200, "{}", page.text());
    post.server.start_again();
    post.world.later(5 * MINUTE);
    post.round();
    post.round();
    let letters = post.new_letters();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert!(page.body.contains(&invitation(letter)));
    let given_up = post.world.entries_of(Action::NoticeSent).into_iter().filter(|e| e.header.outcome == "failure");
    assert_eq!(given_up.map(|e| body(&e).fact("kind")).collect::<Vec<_>>(), ["invitation"]);
}
