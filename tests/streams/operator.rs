//! What operators and owners see of it: the log, the doctor, the page about the system, the dashboard.

use std::time::Duration;

use super::log_server::{Death, LogServer};
use super::receivers::until;
use super::{Sent, syslog_toml, write};
use crate::cli_world::Folder;
use crate::mail_server::write_private;
use crate::served::Server;

const MINUTE: Duration = Duration::from_secs(60);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn the_dashboard_tells_of_a_receiver_that_took_nothing_for_a_quarter_of_an_hour_and_leads_to_why() {
    let mut server = LogServer::tcp();
    let (mut sent, mut ada, _) = Sent::owned(&syslog_toml(&server.place(), None));
    let stuck = "The syslog server stopped taking audit entries";
    server.stop(Death::Closes);
    sent.write(3);
    sent.round();
    assert!(!ada.get("/admin").says(stuck));
    let page = ada.get("/admin/system");
    let far = format!("nothing yet; it gets what was written after entry {}, of {}", sent.from, sent.world.head());
    for part in [far.as_str(), &server.place(), "It stopped taking entries just now", "it can not be reached"] {
        assert!(page.says(part), "{part}: {}", page.text());
    }
    sent.world.later(16 * MINUTE);
    sent.round();
    let page = ada.get("/admin");
    assert!(page.says(stuck) && page.body.contains("href=\"/admin/system#streams\""), "{}", page.text());
    server.start_again();
    sent.world.later(MINUTE);
    sent.round();
    assert!(!ada.get("/admin").says(stuck), "{}", ada.page.text());
    let page = ada.get("/admin/system");
    let head = sent.world.head();
    assert!(page.says(&format!("everything up to entry {head} of {head}")), "{}", page.text());
}

#[test]
fn where_no_receiver_is_set_nothing_is_stuck_whatever_was_once() {
    let server = LogServer::tcp();
    let (mut sent, mut ada, _) = Sent::owned(&syslog_toml(&server.place(), None));
    drop(server);
    sent.write(1);
    sent.round();
    sent.world.later(20 * MINUTE);
    assert!(ada.get("/admin").says("The syslog server stopped taking"), "{}", ada.page.text());
    let mut settings = sent.world.app.settings.clone();
    settings.streams.clear();
    let opened = idp::actions::data_folder::open(&sent.world.data(), sent.world.clock.clone()).unwrap();
    sent.world.app = std::sync::Arc::new(idp::app::App::new(opened, settings, sent.world.clock.clone()).unwrap());
    ada.reconnect(&sent.world);
    assert!(!ada.get("/admin").says("stopped taking"), "{}", ada.page.text());
    assert!(ada.get("/admin/system").says("The audit trail is kept on this host alone."), "{}", ada.page.text());
}

#[test]
fn a_server_says_once_that_it_fails_and_once_that_it_works_again_ends_in_time_and_tells_no_secret() {
    let mut server = LogServer::tcp();
    let folder = Folder::new();
    let (data, secret) = (folder.data(), folder.beside("secret"));
    write_private(&secret, SECRET);
    // Nobody listens there, and nobody will.
    let hook = format!("webhook = \"http://127.0.0.1:9/path-token\"\nwebhook_secret_file = \"{}\"\n", secret.display());
    let toml = format!("{}{hook}log_level = \"debug\"\n", syslog_toml(&server.place(), None));
    std::fs::write(data.join("idp.toml"), toml).unwrap();
    server.stop(Death::Closes);
    let log = folder.beside("log");
    let running = Server::logged(&["--data", data.to_str().unwrap()], &log);
    let store = folder.store();
    until("both marks", || folder.count("SELECT count(*) FROM streams") == 2);
    write(&store, 5);
    until("two tries of each", || folder.count("SELECT count(*) FROM streams WHERE attempts >= 2") == 2);
    server.start_again();
    until("it works", || folder.count("SELECT count(*) FROM streams WHERE failing_since IS NULL") == 1);
    server.wait_for("audit", 5);
    let began = std::time::Instant::now();
    running.stop();
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let told = std::fs::read_to_string(log).unwrap();
    let times = |what: &str| told.lines().filter(|line| line.contains(what)).count();
    assert_eq!((times("the trail is not taken"), times("the trail is sent again")), (2, 1), "{told}");
    assert!(told.contains(&server.place()) && told.contains("http://127.0.0.1:9"));
    for quiet in ["path-token", SECRET, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
        assert!(!told.contains(quiet), "{told}");
    }
    // What came after the last round before the end went out with it: the checkpoint of the end.
    assert_eq!(server.wait_for("checkpoint", 1).len(), 1);
}

#[test]
fn the_doctor_says_of_each_receiver_where_it_is_how_far_and_why_it_fails() {
    let mut server = LogServer::tcp();
    let folder = Folder::new();
    assert!(folder.idp(&["doctor"]).out.contains("the audit trail is sent nowhere else"));
    let secret = folder.beside("secret");
    write_private(&secret, SECRET);
    let hook = format!("webhook = \"http://127.0.0.1:9/quiet\"\nwebhook_secret_file = \"{}\"\n", secret.display());
    std::fs::write(folder.data().join("idp.toml"), format!("{}{hook}", syslog_toml(&server.place(), None))).unwrap();
    let place = server.place();
    let said = folder.idp(&["doctor"]).out;
    assert!(
        said.contains(&format!("ok       the syslog server {place} gets what is written from the next start on")),
        "{said}"
    );
    assert!(said.contains("warning  the webhook http://127.0.0.1:9 gets what"), "{said}");
    assert!(said.contains(", and takes none at this moment: it can not be reached"), "{said}");
    assert!(said.contains(&format!("warning  syslog goes to {place}, which is this machine")), "{said}");
    folder.tamper(&format!(
        "INSERT INTO streams (receiver, place, sent, failing_since, next_at, error) VALUES
         ('syslog', '{place}', 1, 1795000000000000, 1795000000000000, 'the connection broke: x')"
    ));
    let said = folder.idp(&["doctor"]).out;
    let newest = folder.count("SELECT max(seq) FROM audit");
    let expected = format!(
        "warning  the syslog server {place} has nothing yet of what was written after entry 1, of {newest}, and takes no more since \
         2026-11-18T11:06:40Z (the connection broke: x); at this moment: it can be reached now"
    );
    assert!(said.contains(&expected) && !said.contains("quiet"), "{said}");
    server.stop(Death::Closes);
    assert!(folder.idp(&["doctor"]).out.contains("at this moment: it can not be reached: "));
    folder.tamper("UPDATE streams SET sent_at = 1795000000000000");
    assert!(
        folder.idp(&["doctor"]).out.contains(&format!("has everything up to entry 1 of {newest} and takes no more"))
    );
    std::fs::remove_file(&secret).unwrap();
    let ran = folder.idp(&["doctor"]);
    assert!(ran.code == 1 && ran.out.contains("problem  idp serve would not start: can not open"), "{ran:?}");
    folder.idp(&["serve", "--listen", "127.0.0.1:0"]).refused(2, "can not send the audit trail on: can not open");
    assert!(folder.idp(&["doctor", "--config", "nowhere.toml"]).code > 0);
}
