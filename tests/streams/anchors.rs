//! Checkpoints in another machine's log are anchors, for both verifiers, as the log stands.

use std::process::Command;

use super::log_server::LogServer;
use super::{Sent, checkpoints, syslog_toml};
use crate::audit_proof::Trail;
use crate::served::Server;

#[test]
fn each_checkpoint_is_a_message_of_its_own_and_where_the_newest_went_is_noted() {
    let server = LogServer::tcp();
    let mut sent = Sent::to(&syslog_toml(&server.place(), None));
    let sign = |sent: &Sent| {
        sent.write(3);
        idp::actions::checkpoint::keep_up(&sent.world.app.means.store, sent.world.now(), false, true).unwrap();
    };
    sign(&sent);
    sign(&sent);
    sent.round();
    let told = server.wait_for("checkpoint", 2);
    assert_eq!((told.len(), checkpoints(&sent.world)), (2, 2));
    let newest = idp::audit::checkpoint::Checkpoint::find_all(&told[1]);
    let point = &newest[0].point;
    let noted = format!(
        "SELECT count(*) FROM anchors WHERE way = 'syslog' AND seq = {} AND signed_at = {} AND sent_at = {} AND whom = '{}'",
        point.seq,
        point.at.as_micros(),
        sent.world.now().as_micros(),
        server.place()
    );
    assert_eq!((point.seq, sent.world.count(&noted)), (sent.world.head() - 1, 1));
    // The one before is sent once more, as after a connection that broke: the newer one stays.
    sent.world.count("SELECT count(*) FROM anchors");
    let db = rusqlite::Connection::open(sent.world.database()).unwrap();
    db.execute("UPDATE streams SET sent = ?1", [sent.from]).unwrap();
    db.execute("UPDATE anchors SET signed_at = signed_at + 1", []).unwrap();
    drop(db);
    sent.killed();
    sent.round();
    assert_eq!(sent.world.count(&noted.replace("signed_at =", "signed_at - 1 =")), 1);
}

/// As servers write a message into a file.
fn as_file(messages: &[String], spell: impl Fn(&str) -> String) -> String {
    messages.iter().map(|m| format!("{}\n", spell(&m.replacen("<109>1 ", "", 1)))).collect()
}

#[test]
fn a_log_file_of_another_machine_is_an_anchor_as_it_stands() {
    let server = LogServer::tcp();
    let trail = Trail::new();
    std::fs::write(trail.folder.data().join("idp.toml"), syslog_toml(&server.place(), None)).unwrap();
    let data = trail.folder.data();
    let running = Server::start(&["--data", data.to_str().unwrap()], |_| ());
    super::receivers::until("the first mark", || trail.folder.count("SELECT count(*) FROM streams") == 1);
    trail.folder.idp(&["audit", "export", "-o", "first", "--proof", "first.proof"]).done();
    super::write(&trail.folder.store(), 1);
    running.stop();
    let messages = server.messages();
    assert!(server.wait_for("checkpoint", 1).len() >= 2, "also the one that is signed at the end: {messages:?}");
    let exported = trail.notes();
    let plain = as_file(&messages, str::to_owned);
    let alone: String = plain.lines().filter(|line| line.contains("idp - checkpoint")).collect::<Vec<_>>().join("\n");
    let json = as_file(&messages, |m| serde_json::json!({ "message": m }).to_string());
    let ascii = as_file(&messages, |m| serde_json::json!({ "message": m }).to_string().replace('\u{2014}', "\\u2014"));
    let note = idp::audit::checkpoint::Checkpoint::find_all(&alone).pop().unwrap();
    let octal = format!("Nov 24 09:00:00 id idp {}\n", note.to_string().replace('\n', "#012"));
    for (name, text) in [("plain", plain), ("alone", alone), ("json", json), ("ascii", ascii), ("octal", octal)] {
        std::fs::write(trail.folder.beside("syslog"), text).unwrap();
        let args = ["audit", "verify", "export", "--proof", "proof", "--anchor", "syslog"];
        let said = trail.folder.idp(&args).done();
        let expected = format!("ANCHORED to entry {} at ", note.point.seq);
        assert!(said.starts_with(&expected), "{name}: {said}");
        let mut python = Command::new("/usr/bin/python3");
        python.current_dir(trail.folder.beside("")).arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify_export.py"));
        let output = python.args(&args[2..]).output().unwrap();
        let theirs = String::from_utf8_lossy(&output.stdout);
        assert!(theirs.starts_with(&expected), "{name}: {theirs}{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(exported.export.lines().count() > 3);
    // And the log tells a history that was made anew.
    let forged = std::fs::read_to_string(trail.folder.beside("syslog")).unwrap();
    assert!(forged.contains("#012"));
    let old = trail.folder.beside("first");
    assert!(std::fs::read_to_string(old).unwrap().lines().count() > 5);
}

#[test]
fn a_checkpoint_that_somebody_wrote_into_the_trail_is_no_anchor_in_a_log_of_it() {
    let trail = Trail::new();
    let genuine = trail.notes().checkpoint();
    let mut forged = genuine.to_string().replacen(&format!("\n{}\n", genuine.point.seq), "\n3\n", 1);
    let store = trail.folder.store();
    let mara = crate::cli_world::add_person(&store, "eve@fernhill.example", "Eve", idp::users::Role::Admin);
    for spelt in ["\n", "\\n", "#012"] {
        forged = forged.replace('\n', spelt);
        crate::cli_world::add_note(&store, &mara, &format!("see \"checkpoint\":\"{forged}"));
        // In a mail this is a line of its own.
        crate::cli_world::add_note(&store, &mara, &format!("=0A{}=0A", forged.replace(spelt, "=0A")));
        forged = forged.replace(spelt, "\n");
    }
    drop(store);
    trail.export(&[]);
    let lines = std::fs::read_to_string(trail.folder.beside("export")).unwrap();
    let plain = as_file(
        &lines.lines().map(|line| format!("<109>1 id idp - audit [] \u{feff}{line}")).collect::<Vec<_>>(),
        str::to_owned,
    );
    let json = as_file(std::slice::from_ref(&plain), |m| {
        m.lines().map(|line| serde_json::json!({ "message": line }).to_string() + "\n").collect()
    });
    for text in [plain, json] {
        assert!(text.matches("idp.audit/").count() > 6);
        std::fs::write(trail.folder.beside("log"), text).unwrap();
        let args = ["audit", "verify", "export", "--proof", "proof", "--anchor", "log"];
        let expected = format!("ANCHORED to entry {} at ", genuine.point.seq);
        let said = trail.folder.idp(&args).done();
        assert!(said.starts_with(&expected), "{said}");
        let mut python = Command::new("/usr/bin/python3");
        python.current_dir(trail.folder.beside("")).arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify_export.py"));
        let output = python.args(&args[2..]).output().unwrap();
        let theirs = String::from_utf8_lossy(&output.stdout);
        assert!(theirs.starts_with(&expected), "{theirs}{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn what_a_backup_and_an_export_print_is_an_anchor_as_it_stands() {
    let trail = Trail::new();
    let printed = trail.folder.idp(&["backup", "kept.db"]).done();
    let exported = trail.folder.idp(&["audit", "export", "-o", "all"]);
    for (name, text) in [("backup", printed), ("export", exported.err)] {
        std::fs::write(trail.folder.beside("cron.txt"), format!("Cron <root@id> said:\n{text}")).unwrap();
        let said = trail.folder.idp(&["audit", "verify", "--anchor", "cron.txt"]).done();
        assert!(said.starts_with("ANCHORED to entry "), "{name}: {said}");
    }
}
