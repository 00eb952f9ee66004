//! The list of people where there are many: who needs attention stands first, and no page holds more than a page.

use std::collections::BTreeSet;

use idp::policy::INVITATION;

use crate::runbook::{act, reset};
use crate::world::{Answer, Browser, PASSWORD, World};

/// Rows on one page of the list.
const PAGE: usize = 50;

/// The names in the card called `id`, in its order; none where there is no such card.
fn names_in(page: &Answer, id: &str) -> Vec<String> {
    let card = page.body.split(&format!("aria-labelledby=\"{id}\"")).nth(1).unwrap_or_default();
    names(card.split("</section>").next().unwrap())
}

fn names(part: &str) -> Vec<String> {
    part.split("<strong><bdi>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

/// The address of the next page, if there is one.
fn next(page: &Answer) -> Option<String> {
    let links = page.body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    links.map(|link| link.replace("&amp;", "&")).find(|link| link.contains("after="))
}

/// Every page of a list, from its first one on.
fn pages(browser: &mut Browser, address: &str) -> Vec<Answer> {
    let mut pages = vec![browser.get(address)];
    while let Some(address) = next(pages.last().unwrap()) {
        pages.push(browser.get(&address));
        assert_eq!(pages.last().unwrap().status, 200, "{address}");
    }
    pages
}

#[test]
fn who_needs_attention_stands_first_where_the_list_begins_the_most_pressing_on_top() {
    let (world, mut ada, phone) = World::with_owner();
    let zoe = world.person(&mut ada, "zoe@fernhill.example", "Zoë Last", "member");
    let yan = world.person(&mut ada, "yan@fernhill.example", "Yan Before", "member");
    let page = ada.get("/admin/users");
    assert_eq!(names_in(&page, "attention"), [""; 0], "where nobody needs attention, nothing is said of it");
    assert_eq!(names(&page.body), ["Ada Brandt", "Yan Before", "Zoë Last"]);
    for n in 0..9 {
        world.invite(&mut ada, &format!("p{n}@fernhill.example"), &format!("Person {n}"), "member");
    }
    assert_eq!(names_in(&ada.get("/admin/users"), "attention"), [""; 0], "an invitation that works needs none");
    world.later(INVITATION);
    let mut ada = world.browser();
    ada.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone);
    world.temporary_password(&mut ada, &yan.id);
    let invited: Vec<String> = (0..9).map(|n| format!("Person {n}")).collect();
    let expected = |first: &[&str], invited: &[String]| {
        first.iter().map(|name| (*name).to_owned()).chain(invited.iter().cloned()).collect::<Vec<_>>()
    };
    let page = ada.get("/admin/users");
    assert_eq!(names_in(&page, "attention"), expected(&["Yan Before"], &invited));
    assert!(page.says("Needs attention 10 people.") && !page.says("most pressing"), "{}", page.text());
    // One more than fit, who waits at the door: the others make room.
    reset(&mut ada, &zoe.id);
    let page = ada.get("/admin/users");
    assert_eq!(names_in(&page, "attention"), expected(&["Zoë Last", "Yan Before"], &invited[..8]));
    assert!(page.says("The 10 most pressing. See all who need attention ."), "{}", page.text());
    // Everyone stands below by name, and behind the link are all who need attention.
    assert_eq!(
        names_in(&page, "everyone"),
        expected(&["Ada Brandt"], &[&invited[..], &["Yan Before".into(), "Zoë Last".into()]].concat())
    );
    assert!(page.body.contains("href=\"/admin/users?state=attention\">See all who need attention<"));
    assert_eq!(names(&ada.get("/admin/users?state=attention").body).len(), 11);
    // Whoever looks for somebody is shown nobody else.
    for narrowed in ["q=ada", "state=active", "role=owner", "state=attention"] {
        let page = ada.get(&format!("/admin/users?{narrowed}"));
        assert_eq!((page.status, names_in(&page, "attention").len()), (200, 0), "{narrowed}");
    }
    // Two needs do not make two lines, and who is disabled needs nothing.
    world.temporary_password(&mut ada, &zoe.id);
    assert_eq!(names_in(&ada.get("/admin/users"), "attention"), expected(&["Zoë Last", "Yan Before"], &invited[..8]));
    act(&mut ada, &zoe.id, "/disable", &[("reason", "left the firm")]);
    assert_eq!(names_in(&ada.get("/admin/users"), "attention"), expected(&["Yan Before"], &invited));
}

#[test]
fn of_ten_thousand_people_no_page_holds_more_than_a_page_and_nobody_is_left_out() {
    let (world, mut ada, _) = World::with_owner();
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.execute_batch(
        "INSERT INTO users (id, email, name, role, status, password_hash, created_at)
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9999)
         SELECT printf('%08x-0000-7000-8000-%012x', n, n), printf('p%04d@fernhill.example', n),
                printf('Person %04d', n), 'member', 'active', password_hash, created_at
         FROM n, users WHERE row = 1",
    )
    .unwrap();
    assert_eq!(world.count("SELECT count(*) FROM users"), 10_000);

    let everyone = pages(&mut ada, "/admin/users");
    let (first, last) = (&everyone[0], everyone.last().unwrap());
    // Nobody of them has a factor, and ten of those stand above the list.
    assert_eq!((names_in(first, "attention").len(), names_in(first, "everyone").len()), (10, PAGE));
    assert!(first.says("50 people on this page, from Ada Brandt to Person 0049 ."), "{}", first.text());
    assert!(last.says("50 people on this page, from Person 9950 to Person 9999 . These are the last."));
    let mut seen: Vec<String> = names_in(first, "everyone");
    for page in &everyone[1..] {
        let here = names(&page.body);
        assert_eq!(here.len(), PAGE);
        seen.extend(here);
    }
    assert_eq!(everyone.len(), 200);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 10_000, "nobody twice, nobody left out");
    assert!(seen.is_sorted());

    for (search, found) in [("q=person+123", 10), ("q=P4711%40", 1), ("q=nobody", 0), ("q=person", 200), ("q=p", 200)] {
        let pages = pages(&mut ada, &format!("/admin/users?{search}"));
        let sizes: Vec<usize> = pages.iter().map(|page| names(&page.body).len()).collect();
        assert!(sizes.iter().all(|size| *size <= PAGE) && sizes.iter().sum::<usize>() == found, "{search}: {sizes:?}");
        assert_eq!(pages[0].says("More than 200 people match"), found == 200, "{search}");
    }
    for narrowed in ["state=attention", "state=no-factor", "role=member"] {
        let page = ada.get(&format!("/admin/users?{narrowed}"));
        assert_eq!((page.status, names(&page.body).len()), (200, PAGE), "{narrowed}");
    }
}
