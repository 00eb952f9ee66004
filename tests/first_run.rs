//! The first start: one link, one owner, one sitting.

use std::time::Duration;

use idp::actions::first_run::setup_link;
use idp::policy;

use crate::world::{Browser, PASSWORD, World, host};

const EMAIL: &str = "ada@fernhill.example";

fn link(world: &World) -> String {
    let token = setup_link(&world.app.means, host()).unwrap().expect("there is no owner yet");
    format!("/setup/{}", token.to_text())
}

fn accept(browser: &mut Browser, link: &str) -> u16 {
    browser.get(link);
    browser.post(link, &[("email", EMAIL), ("name", "Ada Brandt"), ("password", PASSWORD)]).status
}

#[test]
fn the_first_owner_sets_password_app_and_codes_in_one_sitting_and_learns_which_files_to_keep() {
    let world = World::new();
    let (mut browser, link) = (world.browser(), link(&world));
    assert_eq!(accept(&mut browser, &link), 303);
    let page = browser.get("/enrol");
    assert!(page.body.contains("<svg") && page.says("Fernhill"), "{}", page.text());
    assert_eq!(browser.get("/profile").status, 303, "not before there is a second factor");
    let (phone, _) = world.enrol(&mut browser.clone());
    assert_eq!(world.user(EMAIL).role.as_str(), "owner");
    assert!(world.entries().iter().any(|e| e.header.action == "mfa.backup_codes_generated"));
    let mut again = world.browser();
    assert_eq!(again.sign_in(&world, EMAIL, PASSWORD, &phone).location(), "/admin");
}

#[test]
fn the_owners_page_with_the_codes_names_the_seed_key() {
    let world = World::new();
    let (mut browser, link) = (world.browser(), link(&world));
    accept(&mut browser, &link);
    let phone = crate::world::Phone::scan(&browser.get("/enrol").body);
    let page = browser.post("/enrol", &[("code", &phone.code(world.now()))]);
    assert!(page.says("seed.key"), "{}", page.text());
    assert!(browser.post("/enrol/stored", &[]).says("Tick that you stored the codes."));
}

#[test]
fn the_setup_link_works_once_and_a_newer_one_voids_it() {
    let world = World::new();
    let older = link(&world);
    let newer = link(&world);
    let mut browser = world.browser();
    assert_eq!(browser.get(&older).status, 410);
    assert_eq!(accept(&mut browser, &newer), 303);
    let mut other = world.browser();
    let page = other.get(&newer);
    assert_eq!(page.status, 410, "{}", page.text());
    assert_eq!(world.entries_of(idp::audit::Action::UserCreated).len(), 1);
    assert!(setup_link(&world.app.means, host()).unwrap().is_none(), "there is an owner");
}

#[test]
fn of_two_who_open_the_setup_link_at_once_one_becomes_the_owner() {
    let world = World::new();
    let link = link(&world);
    let mut browsers = [world.browser(), world.browser()];
    for browser in &mut browsers {
        assert_eq!(browser.get(&link).status, 200);
    }
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads = (0_u8..).zip(&mut browsers).map(|(n, browser)| {
            let link = &link;
            let email = format!("owner{n}@fernhill.example");
            scope.spawn(move || {
                browser.post(link, &[("email", &email), ("name", "Owner"), ("password", PASSWORD)]).status
            })
        });
        threads.collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
    assert_eq!(world.count("SELECT count(*) FROM users"), 1);
}

#[test]
fn the_setup_link_expires() {
    let world = World::new();
    let link = link(&world);
    let mut browser = world.browser();
    assert_eq!(browser.get(&link).status, 200);
    world.later(policy::SETUP_LINK - Duration::from_secs(1));
    browser = world.browser();
    assert_eq!(browser.get(&link).status, 200);
    world.later(Duration::from_secs(1));
    let page = browser.post(&link, &[("email", EMAIL), ("name", "Ada"), ("password", PASSWORD)]);
    assert_eq!(page.status, 410);
    assert_eq!(world.count("SELECT count(*) FROM users"), 0);
}

#[test]
fn what_was_typed_into_the_setup_form_is_kept_but_never_the_password() {
    let world = World::new();
    let (mut browser, link) = (world.browser(), link(&world));
    browser.get(&link);
    let page = browser.post(&link, &[("email", "ada@"), ("name", "Ada <Brandt>"), ("password", "quite a secret")]);
    assert_eq!(page.status, 422);
    assert!(page.body.contains("value=\"ada@\"") && page.body.contains("value=\"Ada &lt;Brandt&gt;\""));
    assert!(!page.body.contains("quite a secret"));
    let page = browser.post(&link, &[("email", EMAIL), ("name", "Ada Brandt"), ("password", "fernhill joinery")]);
    assert!(page.status == 422 && page.says("made of your name, address or organisation"), "{}", page.text());
    assert_eq!(accept(&mut browser, &link), 303, "the link still works");
}
