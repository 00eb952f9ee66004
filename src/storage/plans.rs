//! How SQLite goes about the queries that must not take longer the more there is.

use rusqlite::{Connection, OpenFlags};

use super::recovery::board;
use super::users::search::{Query, Search};
use super::{audit, dashboard, retention, schema, signals};
use crate::audit::filter::{ActorFilter, Filter};
use crate::audit::{Action, Outcome};
use crate::dashboard::{Chosen, Need};
use crate::ids::{CaseNumber, UserId};
use crate::recovery::CaseState;
use crate::recovery::board::{Closed, Waits, Walk};
use crate::time::Timestamp;
use crate::users::{Role, Status};

/// A new database, which SQLite knows as much of as of a full one.
fn database() -> Connection {
    let file = tempfile::NamedTempFile::new().unwrap();
    let conn = schema::open(file.path(), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    conn.execute_batch(&format!("BEGIN; {}; COMMIT", include_str!("../../schema.sql"))).unwrap();
    conn
}

/// The steps of a query, as SQLite tells them.
fn plan(conn: &Connection, sql: &str) -> Vec<String> {
    let mut query = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let values = vec![0_i64; query.parameter_count()];
    let rows = query.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
    let steps: Vec<_> = rows.map(Result::unwrap).collect();
    assert!(!steps.is_empty());
    steps
}

/// What is looked at to find a page, from SQLite's first step to its last.
fn walk(conn: &Connection, search: &Search, place: Option<(String, i64)>) -> Vec<String> {
    let steps = plan(conn, &Query::new(NOW).page(search, None, place, 51));
    let (begin, end) = ("MATERIALIZE part", "SCAN part");
    assert_eq!(steps[0], begin);
    let found = steps.iter().position(|step| step == end).unwrap();
    let shown = steps[found + 1..].iter().filter(|step| step.starts_with("SCAN")).collect::<Vec<_>>();
    assert_eq!(shown, [""; 0], "what is shown of those on the page is looked up");
    steps[1..found].to_vec()
}

const NOW: Timestamp = Timestamp::from_micros(0);

/// The indexes that hold hardly anybody but those in one need.
const FEW: [&str; 5] =
    ["cases_open", "users_without_factor", "factors_disabled", "users_with_temporary_password", "users_with_few_codes"];

fn searches(roles: &[Option<Role>], states: impl Iterator<Item = Option<Chosen>>) -> Vec<Search> {
    let all = states.flat_map(|state| roles.iter().map(move |role| Search { state, role: *role, ..Search::default() }));
    all.collect()
}

#[test]
fn a_page_of_people_in_one_state_or_role_is_one_walk_in_the_order_of_names() {
    let conn = database();
    let states = [None].into_iter().chain(Status::ALL.map(|s| Some(Chosen::Status(s))));
    for search in searches(&[None, Some(Role::Member)], states) {
        for (place, from) in [(None, ""), (Some((String::new(), 1)), "name>?")] {
            let index = match (search.role, search.state) {
                (None, None) => "users_by_name",
                (None, Some(_)) => "users_by_status (status=?",
                (Some(_), None) => "users_by_role (role=?",
                (Some(_), Some(_)) => "users_by_role_and_status (role=? AND status=?",
            };
            let steps = walk(&conn, &search, place);
            assert!(matches!(&steps[..], [one] if one.contains(index) && one.contains(from)), "{search:?}: {steps:?}");
        }
    }
}

#[test]
fn people_in_need_are_found_where_hardly_anybody_else_is() {
    let conn = database();
    let states = Need::ALL.map(|need| Some(Chosen::Need(need))).into_iter().chain([Some(Chosen::Attention)]);
    for search in searches(&[None, Some(Role::Member)], states) {
        for place in [None, Some((String::new(), 1))] {
            let later = place.is_some();
            let steps = walk(&conn, &search, place);
            for step in steps.iter().filter(|step| step.starts_with("SCAN")) {
                assert!(step == "SCAN d" || FEW.iter().any(|few| step.contains(few)), "{search:?}: {step}");
            }
            // Those who are few by nature are put into order, the others stand so in their index.
            let sorted = steps.iter().filter(|step| step.contains("TEMP B-TREE")).count();
            let few = match search.state {
                Some(Chosen::Need(Need::Awaiting | Need::FactorDisabled)) => 1,
                Some(Chosen::Attention) => 2,
                _ => 0,
            };
            assert_eq!(sorted, few, "{search:?}: {steps:?}");
            let walked = steps.iter().filter(|step| step.contains("SCAN u ")).count();
            assert!(!later || walked == 0, "{search:?}: a later page begins where it begins: {steps:?}");
        }
    }
}

#[test]
fn what_the_dashboard_counts_is_walked_and_nothing_else() {
    let conn = database();
    for need in Need::ALL {
        for step in plan(&conn, &dashboard::count_query(need)).iter().filter(|step| step.starts_with("SCAN")) {
            assert!(step == "SCAN d" || FEW.iter().any(|few| step.contains(few)), "{need:?}: {step}");
        }
    }
    for (sql, by) in [
        (dashboard::INVITED, "users_by_status (status=?)"),
        (&*dashboard::expired_query(), "cases_closed (closed_at>?)"),
        (audit::PEOPLE, "audit_by_action (action=? AND rowid>?)"),
        (audit::NEWEST, "audit_by_action (action=?)"),
        (&*audit::newest_query(Action::ALL, 10), "audit_by_action (action=?)"),
        (&*audit::notes_query(), "audit_notes (target_id=? AND rowid<?)"),
    ] {
        let steps = plan(&conn, sql);
        assert!(steps.iter().any(|step| step.contains(by)), "{sql}: {steps:?}");
        let whole = ["SCAN u", "SCAN audit", "u USING INDEX users_by_status"];
        assert!(!steps.iter().any(|step| whole.iter().any(|w| step.contains(w))), "{sql}: {steps:?}");
    }
}

#[test]
fn what_involves_a_person_is_walked_in_both_indexes_and_each_half_stops_in_time() {
    let conn = database();
    let filter = Filter { involving: Some(UserId::generate()), ..Filter::default() };
    for order in [audit::Order::NewestFirst, audit::Order::OldestFirst] {
        let steps = plan(&conn, &audit::selection(&filter, 1, 2, order, 51).0);
        for by in ["audit_by_target (target_id=? AND rowid>?", "audit_by_actor (actor_id=? AND rowid>?"] {
            assert!(steps.iter().any(|step| step.contains(by)), "{by}: {steps:?}");
        }
        assert!(!steps.iter().any(|step| step.starts_with("SCAN audit")), "{steps:?}");
    }
}

#[test]
fn each_single_filter_of_the_trail_walks_its_own_index_within_the_time_range() {
    let conn = database();
    let (all, user) = (Filter::default(), UserId::generate());
    let actor = |actor| Filter { actor: Some(actor), ..Filter::default() };
    for (filter, by) in [
        (all.clone(), "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (Filter { user: Some(user), ..all.clone() }, "audit_by_target (target_id=? AND rowid>? AND rowid<?)"),
        (actor(ActorFilter::Person(user)), "audit_by_actor (actor_id=? AND rowid>? AND rowid<?)"),
        (actor(ActorFilter::Host), "audit_by_actor_kind (actor_kind=? AND rowid>? AND rowid<?)"),
        (
            Filter { action: Some(Action::UserSignedIn), ..all.clone() },
            "audit_by_action (action=? AND rowid>? AND rowid<?)",
        ),
        (
            Filter { action: Some(Action::MfaFactorAdminReset), outcome: Some(Outcome::Success), ..all.clone() },
            "audit_by_action (action=? AND rowid>? AND rowid<?)",
        ),
        (
            Filter { outcome: Some(Outcome::Denied), ..all.clone() },
            "audit_by_outcome (outcome=? AND rowid>? AND rowid<?)",
        ),
        (
            Filter { case: Some(CaseNumber::new(2026, 1)), ..all },
            "audit_by_case (case_number=? AND rowid>? AND rowid<?)",
        ),
    ] {
        for order in [audit::Order::NewestFirst, audit::Order::OldestFirst] {
            let steps = plan(&conn, &audit::selection(&filter, 1, 2, order, 51).0);
            assert!(matches!(&steps[..], [one] if one.contains(by)), "{filter:?}: {steps:?}");
        }
    }
}

#[test]
fn each_list_of_the_board_is_walked_from_a_place_in_its_order() {
    let conn = database();
    let by_list = "SEARCH k USING INDEX cases_on_board (waits_for=? AND urgent=? AND (pressing_at,number)>(?,?))";
    let of_opener = "SEARCH k USING INDEX cases_of_opener (opened_by_id=? AND urgent=? AND (pressing_at,number)>(?,?))";
    let all = Waits::ALL.into_iter().flat_map(|w| [Walk::All(w), Walk::MayDecide(w)]);
    for walk in all.chain([Walk::Opened]) {
        let steps = plan(&conn, &board::page_query(walk));
        assert_eq!(steps[0], if walk == Walk::Opened { of_opener } else { by_list }, "{walk:?}");
        assert!(!steps.iter().any(|s| s.starts_with("SCAN") || s.contains("TEMP B-TREE")), "{walk:?}: {steps:?}");
    }
    // One person's own requests are few, and put into order.
    let steps = plan(&conn, &board::page_query(Walk::Permitted));
    assert_eq!(steps[0], "SEARCH r USING INDEX case_requests_by_asker (asked_by_id=?)");
    assert!(!steps.iter().any(|s| s.starts_with("SCAN")), "{steps:?}");
    for walk in [Walk::All(Waits::Open), Walk::Permitted, Walk::Opened] {
        let steps = plan(&conn, &board::count_query(walk));
        assert!(!steps.iter().any(|s| s.starts_with("SCAN k") || s.starts_with("SCAN r")), "{walk:?}: {steps:?}");
    }
}

#[test]
fn closed_cases_are_walked_backwards_from_a_place() {
    let conn = database();
    for (closed, by) in [
        (Closed::Any, "SEARCH k USING INDEX cases_closed (closed_at>? AND (closed_at,number)<(?,?))"),
        (
            Closed::In(CaseState::Refused),
            "SEARCH k USING INDEX cases_closed_in (state=? AND closed_at>? AND (closed_at,number)<(?,?))",
        ),
    ] {
        let steps = plan(&conn, &board::closed_query(closed));
        assert_eq!(steps[0], by);
        assert!(!steps.iter().any(|s| s.starts_with("SCAN") || s.contains("TEMP B-TREE")), "{steps:?}");
    }
}

#[test]
fn unusual_signs_are_found_where_there_is_little_else() {
    let conn = database();
    let action = Action::UserPasswordChanged;
    for (sql, by) in [
        (signals::failures_query(), "audit_signs (target_id=? AND action=? AND rowid>?)"),
        (signals::changes_query(), "audit_signs (target_id=? AND action=? AND rowid>?)"),
        (signals::NEW_DEVICES.to_owned(), "audit_new_devices (target_id=? AND rowid>?)"),
        (signals::last_query(action), "audit_signs (target_id=? AND action=?)"),
        (signals::given_query(action), "audit_signs (target_id=? AND action=? AND rowid>?)"),
        (signals::address_before_query(), "audit_signs (target_id=? AND action=? AND rowid>?)"),
        // What is not in that index is found all the same, if more slowly.
        (signals::last_query(Action::UserSignedIn), "audit_by_target (target_id=?)"),
    ] {
        let steps = plan(&conn, &sql);
        assert!(steps.iter().any(|step| step.starts_with("SEARCH audit") && step.contains(by)), "{sql}: {steps:?}");
        let sorted = steps.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY"));
        assert!(!sorted && !steps.iter().any(|step| step.starts_with("SCAN audit")), "{sql}: {steps:?}");
    }
}

#[test]
fn what_may_be_erased_is_found_in_steps_however_long_the_trail_is() {
    let conn = database();
    assert_eq!(plan(&conn, retention::EARLIER), ["SEARCH audit USING COVERING INDEX audit_by_time (at>? AND at<?)"]);
    assert_eq!(plan(&conn, retention::RECORDS), ["SEARCH audit USING INDEX audit_by_action (action=?)"]);
}
