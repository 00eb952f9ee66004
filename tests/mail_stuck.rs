//! Mail that does not go out is told where somebody looks first.

use std::time::Duration;

use crate::mail::Post;

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn the_dashboard_tells_of_messages_that_wait_for_over_an_hour_and_leads_to_the_mail() {
    let mut post = Post::new();
    post.server.stop();
    post.world.reset(&mut post.ada, &post.mara.id.clone());
    post.round();
    let stuck = "waiting to be sent for over an hour";
    assert!(!post.ada.get("/admin").says(stuck));
    post.world.later(HOUR + Duration::from_secs(60));
    post.round();
    let mut ada = post.world.browser();
    ada.sign_in(&post.world, "ada@fernhill.example", crate::world::PASSWORD, &post.phone);
    let page = ada.get("/admin");
    assert!(page.says(stuck) && page.body.contains("href=\"/admin/system#mail\""), "{}", page.text());
    assert!(ada.get("/admin/system").body.contains("id=\"mail\""));
    post.server.start_again();
    post.world.later(Duration::from_secs(300));
    post.round();
    post.round();
    assert!(!ada.get("/admin").says(stuck), "{}", ada.page.text());
}

#[test]
fn what_was_given_up_is_told_for_a_week() {
    let mut post = Post::new();
    post.server.refuse("mara@fernhill.example", 550);
    post.world.reset(&mut post.ada, &post.mara.id.clone());
    post.round();
    let page = post.ada.get("/admin");
    assert!(page.says("1 message could not be delivered within a week"), "{}", page.text());
    post.world.later(8 * 24 * HOUR);
    let mut ada = post.world.browser();
    ada.sign_in(&post.world, "ada@fernhill.example", crate::world::PASSWORD, &post.phone);
    assert!(!ada.get("/admin").says("could not be delivered within a week"), "{}", ada.page.text());
}

#[test]
fn where_no_mail_server_is_set_nothing_is_stuck() {
    let (world, mut ada, phone) = crate::world::World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    world.reset(&mut ada, &mara.id);
    world.later(2 * HOUR);
    let mut ada = world.browser();
    ada.sign_in(&world, "ada@fernhill.example", crate::world::PASSWORD, &phone);
    assert!(world.count("SELECT count(*) FROM outbox WHERE next_at IS NOT NULL") > 0);
    assert!(!ada.get("/admin").says("waiting to be sent"), "{}", ada.page.text());
}
