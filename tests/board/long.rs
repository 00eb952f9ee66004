//! The board with thousands of cases on it: a page at a time, each case once.

use std::collections::BTreeSet;

use super::{EVERYONE, HOUR, Put, ask, card, company, numbers, open, walk};

#[test]
fn of_five_thousand_cases_each_page_holds_one_page_and_the_pages_together_hold_all() {
    let (world, mut company, members) = company(5_000);
    let [ada, _, noor, sam] = [0, 1, 2, 3].map(|i| company[i].id.clone());
    let mut db = open(&world);
    let tx = db.transaction().unwrap();
    // All within a few moments, so that most stand at the same place but for their number, which gets a digit more.
    for (n, user) in (8_000..).zip(&members) {
        let state = match n % 20 {
            0 => "escalated",
            1 => "disavowed",
            2 | 3 => "awaiting_approval",
            4 => "approved",
            5..=9 => "awaiting_enrolment",
            10 => "opened",
            11 => "verified",
            _ => ["recovered", "refused", "expired", "incident", "reassured", "approval_denied"][n as usize % 6],
        };
        let opener = if n % 3 == 0 { &noor } else { &sam };
        let closed_ago = (n % 20 > 11).then_some(i64::from(n % 4) * HOUR);
        let (urgent, due_in) = (n % 7 == 0, HOUR + i64::from(n % 3) * HOUR);
        let case = Put { urgent, due_in, closed_ago, ..Put::new(user, opener, state) }.write(&world, &tx, n);
        let asked = match n % 20 {
            2 => Some(("owner", "waiting")),
            3 => Some(("admin", "waiting")),
            4 => Some(("admin", "approved")),
            _ => None,
        };
        if let Some((needs, state)) = asked {
            ask(&world, &tx, &case, if n % 2 == 0 { &noor } else { &ada }, needs, state);
        }
    }
    tx.commit().unwrap();
    let viewer = &mut company[2].browser;
    let page = viewer.get("/admin/recovery");
    for id in EVERYONE {
        assert_eq!(card(&page, id).len(), 10, "{id}");
    }
    assert_eq!(card(&page, "closed").len(), 10);
    assert!(
        page.says("Waits for the person · 100 or more") && page.says("Waits for an owner · 100 or more"),
        "{}",
        page.text()
    );
    for (list, wanted) in [
        ("frozen", "state = 'disavowed'"),
        ("owner", "state = 'escalated'"),
        ("approval", "state = 'awaiting_approval'"),
        ("approved", "state = 'approved'"),
        ("person", "state = 'awaiting_enrolment'"),
        ("open", "state IN ('opened', 'verified')"),
        ("yours", &*format!(
            "number IN (SELECT case_number FROM case_requests WHERE needs = 'admin' AND (state = 'waiting') = (asked_by_id <> '{noor}'))
             OR state IN ('opened', 'verified') AND opened_by_id = '{noor}'"
        )),
        ("closed", "closed_at IS NOT NULL"),
        ("refused", "state = 'refused'"),
        ("expired", "state = 'expired'"),
    ] {
        let mut query = db.prepare(&format!("SELECT number FROM cases WHERE {wanted}")).unwrap();
        let wanted: BTreeSet<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let pages = walk(viewer, list);
        assert!(wanted.len() > 100, "{list}: {}", wanted.len());
        let (last, full) = pages.split_last().unwrap();
        assert!(full.iter().all(|page| page.len() == 50) && (1..=50).contains(&last.len()), "{list}");
        let shown: Vec<String> = pages.concat();
        assert_eq!(shown.len(), wanted.len(), "{list}: one twice, or not at all");
        assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), wanted, "{list}");
    }
}

#[test]
fn what_waits_is_found_by_its_state_whatever_was_forgotten_beside_it() {
    let (world, mut company, members) = company(20);
    let db = open(&world);
    let noor = company[2].id.clone();
    // A case in each state, without a request where there should be one.
    let states = idp::recovery::CaseState::ALL;
    for (n, state) in (1..).zip(states) {
        let closed_ago = state.is_closed().then_some(0);
        Put { closed_ago, ..Put::new(&members[n as usize], &noor, state.as_str()) }.write(&world, &db, n);
    }
    let page = company[0].browser.get("/admin/recovery");
    let lists = EVERYONE[1..].iter().chain(&["closed"]);
    let mut seen: Vec<String> = lists.flat_map(|id| card(&page, id)).collect();
    seen.sort();
    let all: Vec<u32> = (1..=u32::try_from(states.len()).unwrap()).collect();
    assert_eq!(seen, numbers(&all), "each stands in one list");
    // A request that is over leaves no trace in the lists.
    ask(&world, &db, "R-2026-0001", &noor, "owner", "waiting");
    assert_eq!(
        world.count("SELECT count(*) FROM cases WHERE waits_for = 'approval_owner' AND number = 'R-2026-0001'"),
        1
    );
    for (state, waits) in [("approved", "approved"), ("used", "open")] {
        db.execute("UPDATE case_requests SET state = ?1", [state]).unwrap();
        let found = format!("SELECT count(*) FROM cases WHERE waits_for = '{waits}' AND number = 'R-2026-0001'");
        assert_eq!(world.count(&found), 1, "{state}");
    }
}
