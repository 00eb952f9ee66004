//! `/healthz` and `/readyz`: what a supervisor and a proxy ask, without a cookie and without a write.

use idp::http::Request;
use idp::policy::DISK_RESERVE;
use idp::storage::faults::Fault;

use crate::cli_world::Folder;
use crate::served::Server;
use crate::world::{Answer, World};

fn ask(world: &World, path: &str) -> (u16, String) {
    let Answer { status, body, headers } = world.browser().get(path);
    assert!(headers.iter().any(|(n, v)| n == "content-type" && v.starts_with("text/plain")), "{headers:?}");
    assert!(!headers.iter().any(|(n, _)| n == "set-cookie"), "{headers:?}");
    assert!(headers.iter().any(|(n, v)| n == "cache-control" && v == "no-store"), "{headers:?}");
    (status, body)
}

#[test]
fn a_server_says_over_its_socket_that_it_lives_and_is_ready_to_get_and_to_head() {
    let folder = Folder::new();
    let server = Server::start(&["--data", folder.data().to_str().unwrap()], |_| ());
    let before = folder.count("SELECT count(*) FROM audit");
    for (path, body) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let (get, head) = (server.get("GET", path), server.get("HEAD", path));
        assert_eq!((get.status, &*get.body, get.header("set-cookie")), (200, body, ""), "{get:?}");
        assert_eq!((head.status, &*head.body, head.header("content-length")), (200, "", get.header("content-length")));
        assert_eq!(server.get("POST", path).status, 405);
    }
    assert_eq!(folder.count("SELECT count(*) FROM audit"), before, "asking writes nothing");
    server.stop();
}

#[test]
fn a_disk_below_its_floor_is_not_ready_and_still_alive() {
    let (world, ..) = World::with_owner();
    world.app.pretend_free(Some(DISK_RESERVE - 1));
    assert_eq!(ask(&world, "/readyz"), (503, "Less than 200 MiB of the disk are free.\n".into()));
    assert_eq!(ask(&world, "/healthz"), (200, "ok\n".into()));
    world.app.pretend_free(Some(DISK_RESERVE));
    assert_eq!(ask(&world, "/readyz").0, 200);
}

#[test]
fn a_database_that_can_not_be_written_is_not_ready_until_a_write_works_again() {
    let (world, ..) = World::with_owner();
    world.app.means.store.inject(Fault::RefuseCommit);
    assert!(world.app.means.store.touch(|_| Ok(())).is_err());
    assert_eq!(ask(&world, "/readyz"), (503, "The database can not be written.\n".into()));
    assert_eq!(ask(&world, "/healthz").0, 200);
    // The next round of what time does by itself.
    world.sweep();
    assert_eq!(ask(&world, "/readyz"), (200, "ready\n".into()));
}

#[test]
fn a_database_that_can_not_be_read_is_not_ready_and_still_alive() {
    let (world, ..) = World::with_owner();
    let aside = |sql: &str| rusqlite::Connection::open(world.database()).unwrap().execute_batch(sql).unwrap();
    aside("ALTER TABLE instance RENAME TO elsewhere");
    assert_eq!(ask(&world, "/readyz"), (503, "The database can not be read.\n".into()));
    assert_eq!(ask(&world, "/healthz").0, 200);
    aside("ALTER TABLE elsewhere RENAME TO instance");
    assert_eq!(ask(&world, "/readyz").0, 200);
}

#[test]
fn whoever_asks_with_a_session_is_answered_like_a_stranger() {
    let (world, mut ada, _) = World::with_owner();
    for path in ["/healthz", "/readyz"] {
        let (mine, theirs) = (ada.get(path), world.browser().get(path));
        assert_eq!((mine.status, &mine.headers, &mine.body), (theirs.status, &theirs.headers, &theirs.body));
    }
    let request = Request::get("/readyz").with_header("Cookie", "idp-session=nonsense");
    assert_eq!(world.browser().send(request).status, 200);
}
