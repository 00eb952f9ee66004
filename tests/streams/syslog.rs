//! To a syslog server.

use std::time::Duration;

use super::log_server::{Datagrams, Death, LogServer};
use super::receivers::{Certificates, first_of_each, said, until};
use super::{Sent, config, link, syslog_toml};

const MINUTE: Duration = Duration::from_secs(60);

/// The lines of `sent`'s trail arrived there, each at least once and for the first time in their order.
#[track_caller]
fn assert_whole(sent: &Sent, server: &LogServer) {
    let lines = sent.lines();
    assert_eq!(first_of_each(&server.wait_for("audit", lines.len())), lines);
}

#[test]
fn every_entry_arrives_in_its_order_as_the_line_that_an_export_has_over_tcp_and_tls() {
    for server in [LogServer::tcp(), LogServer::tls()] {
        let (mut sent, mut ada, _) = Sent::owned(&syslog_toml(&server.place(), server.ca_file()));
        assert_eq!(sent.standing().sent, sent.from, "what was before is not sent");
        sent.world.person(&mut ada, "mara@fernhill.example", "Måra “Quote” Lindqvist", "member");
        sent.round();
        sent.write(300);
        sent.round();
        let lines = sent.lines();
        assert!(lines.len() > 303);
        assert_eq!(server.wait_for("audit", lines.len()), lines, "each of them once");
        assert_eq!(server.connections(), 1);
        let (all, head) = (server.messages(), sent.world.head());
        assert_eq!((sent.standing().sent, sent.standing().failing), (head, None));
        // Sign-ins that did not work out are warnings; everything has the head that RFC 5424 asks for.
        assert!(all[0].starts_with("<109>1 2026-11-24T09:0"));
        assert!(all[0].contains("Z id.fernhill.example idp - audit [audit@32473 lineage="), "{}", all[0]);
        let seq = format!(" seq=\"{}\" ", sent.from + 1);
        assert!(all[0].contains(&seq), "{}", all[0]);
    }
}

#[test]
fn datagrams_arrive_in_their_order_and_one_that_is_refused_is_sent_again() {
    let server = Datagrams::start();
    let place = server.place();
    let mut sent = Sent::to(&syslog_toml(&place, None));
    sent.write(150);
    sent.round();
    assert_eq!(said(&server.messages(150), "audit"), sent.lines());
    // Its machine says that nothing listens there any more.
    drop(server);
    sent.write(2);
    sent.round();
    let failing = sent.standing().failing.unwrap();
    assert!(failing.error.contains("nothing listens there"), "{}", failing.error);
    assert_eq!(sent.standing().sent, sent.world.head() - 2);
    let again = Datagrams::at(place.strip_prefix("udp://").unwrap());
    sent.world.later(MINUTE);
    sent.round();
    assert_eq!((sent.standing().sent, sent.standing().failing), (sent.world.head(), None));
    assert_eq!(said(&again.messages(2), "audit"), sent.lines()[150..]);
}

#[test]
fn a_server_that_is_down_for_an_hour_loses_nothing_and_changes_no_order_also_when_ours_restarts() {
    let mut server = LogServer::tcp();
    let mut sent = Sent::to(&syslog_toml(&server.place(), None));
    sent.write(50);
    sent.round();
    server.stop(Death::Closes);
    let mut tries = Vec::new();
    for minute in 0..60 {
        sent.write(5);
        sent.round();
        tries.push(sent.standing().failing.map_or(0, |failing| failing.attempts));
        if minute % 20 == 7 {
            sent.killed();
        }
        sent.world.later(MINUTE);
    }
    assert!(tries.is_sorted() && (50..75).contains(tries.last().unwrap()), "tried all the time: {tries:?}");
    let failing = sent.standing().failing.unwrap();
    assert!(failing.error.contains("it can not be reached"), "{}", failing.error);
    assert!(sent.standing().is_stuck(sent.world.now()));
    server.start_again();
    sent.round();
    assert_whole(&sent, &server);
    assert_eq!((sent.standing().sent, sent.standing().failing), (sent.world.head(), None));
}

#[test]
fn a_clock_that_steps_back_keeps_no_receiver_waiting() {
    let mut server = LogServer::tcp();
    let mut sent = Sent::to(&syslog_toml(&server.place(), None));
    server.stop(Death::Closes);
    sent.write(2);
    sent.round();
    assert!(sent.standing().failing.is_some());
    server.start_again();
    sent.world.clock.set(sent.world.now().minus(Duration::from_secs(86_400)));
    sent.round();
    assert_eq!(sent.standing().failing, None);
    assert_whole(&sent, &server);
}

#[test]
fn a_clock_that_ran_ahead_for_a_moment_hides_no_receiver_that_takes_nothing() {
    let mut server = LogServer::tcp();
    let mut sent = Sent::to(&syslog_toml(&server.place(), None));
    server.stop(Death::Closes);
    let right = sent.world.now();
    sent.world.later(Duration::from_secs(10 * 365 * 86_400));
    sent.write(2);
    sent.round();
    assert!(sent.standing().failing.is_some());
    sent.world.clock.set(right);
    sent.round();
    sent.world.later(16 * MINUTE);
    sent.round();
    assert!(sent.standing().is_stuck(sent.world.now()), "{:?}", sent.standing());
}

#[test]
fn what_a_server_had_in_its_memory_when_it_was_killed_is_sent_again() {
    for mut server in [LogServer::tcp(), LogServer::tls()] {
        let mut sent = Sent::to(&syslog_toml(&server.place(), server.ca_file()));
        sent.write(3);
        sent.round();
        server.wait_for("audit", 3);
        server.reads(5);
        sent.write(40);
        sent.round();
        // Its system has acknowledged all of it.
        assert_eq!(sent.standing().sent, sent.world.head());
        until("it read what it was to read", || server.messages().len() >= 8);
        server.stop(Death::Killed);
        assert!(said(&server.messages(), "audit").len() < 43, "it has not read everything");
        server.start_again();
        sent.round();
        sent.round();
        assert_whole(&sent, &server);
    }
}

#[test]
fn what_a_server_had_in_its_memory_is_sent_again_also_when_ours_is_restarted_first() {
    let mut server = LogServer::tcp();
    let mut sent = Sent::to(&syslog_toml(&server.place(), None));
    server.reads(5);
    sent.write(40);
    sent.round();
    assert_eq!(sent.standing().sent, sent.world.head());
    let patience =
        idp::host::link::Patience { until: std::time::Instant::now() + Duration::from_millis(300), go_on: &|| true };
    // It does not say that it has everything, so it does not count.
    sent.carrier.end(&sent.world.app.means.store, &sent.world.clock, patience).unwrap();
    assert_eq!(sent.standing().sent, sent.from);
    server.stop(Death::Killed);
    server.start_again();
    sent.killed();
    sent.round();
    assert_whole(&sent, &server);
}

#[test]
fn a_restart_of_ours_sends_nothing_twice_to_a_server_that_has_it() {
    let server = LogServer::tcp();
    let mut sent = Sent::to(&syslog_toml(&server.place(), None));
    for _ in 0..3 {
        sent.write(20);
        sent.round();
        sent.restarted();
    }
    assert_eq!(server.wait_for("audit", 60), sent.lines());
}

#[test]
fn a_server_that_takes_nothing_more_is_waited_for_over_the_same_connection() {
    let server = LogServer::tcp();
    let mut sent = Sent::to(&syslog_toml(&server.place(), None));
    server.reads(1);
    // More than fits into the memory of both sides.
    sent.write(14_000);
    sent.round_of(Duration::from_secs(4));
    let standing = sent.standing();
    let failing = standing.failing.clone().expect("it stalls");
    assert!(failing.error.contains("it takes nothing more at the moment"), "{}", failing.error);
    assert!(standing.sent < sent.world.head());
    server.reads(usize::MAX);
    sent.world.later(MINUTE);
    sent.round();
    let lines = sent.lines();
    assert_eq!(server.wait_for("audit", lines.len()), lines, "each of them once");
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_connection_that_breaks_again_and_again_is_not_made_anew_all_the_time() {
    let mut server = LogServer::tcp();
    let mut sent = Sent::to(&syslog_toml(&server.place(), None));
    for _ in 0..20 {
        sent.write(1);
        server.reads(0);
        sent.round();
        server.stop(Death::Killed);
        server.start_again();
        sent.round();
        sent.world.later(Duration::from_secs(1));
    }
    // Those that were cut before the server took them are not counted.
    let made = server.connections();
    assert!(made <= 14, "{made} connections");
    sent.world.later(MINUTE);
    sent.round();
    assert_whole(&sent, &server);
}

#[test]
fn a_certificate_that_is_not_trusted_gets_no_entry() {
    let (server, other) = (LogServer::tls(), Certificates::make());
    let elsewhere = server.place().replace("127.0.0.1", "localhost");
    for toml in [
        syslog_toml(&server.place(), Some(other.ca_file())),
        syslog_toml(&server.place(), None),
        syslog_toml(&elsewhere, server.ca_file()),
    ] {
        let mut sent = Sent::to(&toml);
        sent.write(2);
        sent.round();
        let error = sent.standing().failing.unwrap().error;
        assert!(error.contains("its certificate is not trusted") && error.contains("syslog_ca_file"), "{error}");
        assert_eq!(sent.standing().sent, sent.from);
        assert!(link(&toml).check().unwrap_err().contains("is not trusted"));
    }
    assert!(server.messages().is_empty());
    assert_eq!(link(&syslog_toml(&server.place(), server.ca_file())).check(), Ok(()));
    let clear = LogServer::tcp();
    let mut sent = Sent::to(&syslog_toml(&clear.place().replace("tcp:", "tls:"), server.ca_file()));
    sent.write(1);
    sent.round_of(Duration::from_secs(2));
    assert!(sent.standing().failing.is_some() && clear.messages().is_empty());
}

#[test]
fn a_mark_beyond_every_entry_is_set_back_and_a_receiver_with_another_address_goes_on() {
    let server = LogServer::tcp();
    let mut sent = Sent::to(&syslog_toml(&server.place(), None));
    let db = rusqlite::Connection::open(sent.world.database()).unwrap();
    db.execute("UPDATE streams SET sent = 999999", []).unwrap();
    drop(db);
    sent.from = sent.world.head();
    sent.round();
    sent.write(3);
    sent.round();
    sent.round();
    // What was written until it was noticed is said to be there: nobody knows where that mark came from.
    assert_eq!(sent.standing().sent, sent.world.head());
    let next = LogServer::tcp();
    sent.write(4);
    sent.toml = syslog_toml(&next.place(), None);
    sent.killed();
    sent.round();
    assert_eq!(next.wait_for("audit", 4), sent.lines()[3..]);
    assert_eq!(sent.standing().place, next.place());
}

#[test]
fn where_only_checkpoints_are_wanted_no_entry_goes_out() {
    let server = LogServer::tcp();
    let toml = format!("{}syslog_send = \"checkpoints\"\n", syslog_toml(&server.place(), None));
    assert!(!config(&toml).syslog.unwrap().entries);
    let mut sent = Sent::to(&toml);
    sent.write(5);
    sent.round();
    idp::actions::checkpoint::keep_up(&sent.world.app.means.store, sent.world.now(), false, true).unwrap();
    sent.write(5);
    sent.round();
    assert_eq!(server.wait_for("checkpoint", 1).len(), 1);
    assert_eq!(server.messages().len(), 1);
}
