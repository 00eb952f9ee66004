//! The demo as a newcomer meets it: from the list of codes into the console, in one window.

use std::process::Command;
use std::time::{Duration, Instant};

use super::person::{content, fits, shown};
use crate::served::Server;
use crate::webdriver::Browser;

#[test]
fn a_newcomer_is_led_from_the_list_to_the_first_recovery_and_the_codes_go_on_by_themselves() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
    let server = Server::of(command.args(["demo", "--listen", "127.0.0.1:0"]).env("TMPDIR", temporary.path()));
    let at = |path: &str| format!("http://{}{path}", server.address.replace("127.0.0.1", "localhost"));
    let list = Browser::start(390, 844);
    list.open(&at("/demo")).sees("This is a demo.").sees("Tom Okafor").sees("What to try");
    fits(&list);
    the_codes_go_on(&list);

    let desk = Browser::start(1280, 900);
    desk.open(&at("/sign-in")).sees("This is a demo.").follow("Who can sign in, with which code");
    desk.follow("Mara lost her phone").sees("Sign in");
    desk.fill("E-mail address", "tom@fernhill.example").fill("Password", idp::demo::PASSWORD).press("Continue");
    // Read just now, so that no step passes in between.
    desk.fill("6-digit code", &shown(&list, "#app-2")).press("Sign in");
    desk.sees("Force MFA reset for Mara Lindqvist")
        .sees("Passport, seen by Ada when she began")
        .sees("This is a demo.");
    content(&desk);
    content(&list);
    drop((list, desk));
    server.stop();
}

/// After at most half a minute each code is the one that was announced as the next; nothing was loaded for it.
fn the_codes_go_on(list: &Browser) {
    list.execute("window.sameAsBefore = true");
    let code = || shown(list, "#app-2");
    let next = || shown(list, "#app-2 + small [data-codes]");
    let (first, announced) = (code(), next());
    assert_ne!(first, announced);
    let begun = Instant::now();
    while code() == first {
        assert!(begun.elapsed() < Duration::from_secs(40), "{first} still stands there");
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(code(), announced);
    assert_eq!(list.execute("return window.sameAsBefore"), true);
    list.sees("The codes change in");
}
