//! The commands, as an auditor gives them.

use std::fs;

use serde_json::Value;

use super::{Trail, assert_said};
use idp::audit::judge::{Finding, Trust};

impl Trail {
    /// Keeps a checkpoint as an auditor would, in a mail.
    fn keep(&self, name: &str) {
        let checkpoint = self.notes().checkpoint();
        let mail =
            format!("From: idp\r\n\r\nKeep this.\r\n\r\n{}\r\nBye.\r\n", checkpoint.to_string().replace('\n', "\r\n"));
        fs::write(self.folder.beside(name), mail).unwrap();
    }
}

#[test]
fn an_auditor_with_yesterdays_mail_is_told_that_all_is_there() {
    let trail = Trail::new();
    trail.keep("mail.txt");
    let exported = trail.notes();
    let ran = trail.folder.idp(&["audit", "verify", "export", "--proof", "proof", "--anchor", "mail.txt"]);
    let said = ran.done();
    assert!(said.starts_with("ANCHORED to entry 8 at "), "{said}");
    assert!(said.contains("filter: action=user.note_added; range: entries 1 to 9 of instance "), "{said}");
    assert!(said.contains("entries: 4: each is genuine, and none that matches the filter is missing\n"), "{said}");
    assert!(said.contains("entries 9 to 10 are later than the anchor: nobody's word was asked for that"), "{said}");
    fs::write(trail.folder.beside("key.pub"), format!("{}\n", trail.key)).unwrap();
    let args = ["audit", "verify", "export", "--proof", "proof", "--anchor", "mail.txt", "--key", "key.pub", "--json"];
    let said: Value = serde_json::from_str(&trail.folder.idp(&args).done()).unwrap();
    let facts =
        ["verdict", "filter", "anchored_to", "through", "last", "entries", "signed"].map(|fact| said[fact].clone());
    assert_eq!(Value::from(facts.to_vec()).to_string(), r#"["ANCHORED","action=user.note_added",8,9,10,4,true]"#);
    assert_eq!(exported.export.lines().count(), 4);
}

#[test]
fn the_answer_no_is_exit_code_1_and_a_file_that_is_something_else_is_2() {
    let trail = Trail::new();
    trail.notes();
    let export = trail.folder.beside("export");
    let text = fs::read_to_string(&export).unwrap();
    fs::write(&export, text.replace("note 1", "note 7")).unwrap();
    let ran = trail.folder.idp(&["audit", "verify", "export", "--proof", "proof"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("INVALID: line 2 of the export: entry 4 has a body that is not the one"), "{ran:?}");
    assert!(ran.out.contains("filter: action=user.note_added; range: entries 1 to 7"), "{ran:?}");
    let ran = trail.folder.idp(&["audit", "verify", "export", "--proof", "export"]);
    assert_eq!(ran.code, 2);
    assert!(ran.out.starts_with("COULD NOT TELL: the proof does not begin as one"), "{ran:?}");
    fs::write(trail.folder.beside("nothing"), "nothing").unwrap();
    let ran = trail.folder.idp(&["audit", "verify", "export", "--proof", "proof", "--anchor", "nothing"]);
    assert!(ran.code == 2 && ran.out.starts_with("COULD NOT TELL: can not read the anchor"), "{ran:?}");
    assert!(ran.err.contains("nothing holds no checkpoint"), "{ran:?}");
    let ran = trail.folder.idp(&["audit", "verify", "export"]);
    assert!(ran.code == 2 && ran.out.contains("If it is an export, name its proof as well: --proof FILE"), "{ran:?}");
    let ran = trail.folder.idp(&["audit", "verify", "export", "--proof", "proof", "--key", "export"]);
    assert!(ran.code == 2 && ran.err.contains("`idp audit key export-public` writes one"), "{ran:?}");
}

#[test]
fn what_came_after_an_anchor_is_proved_from_there() {
    let trail = Trail::new();
    trail.keep("mail.txt");
    let later = trail.export(&["--from-anchor", "mail.txt"]);
    assert_eq!(later.export.lines().count(), 1, "the entry about the checkpoint");
    assert!(later.proof.lines().nth(2).unwrap().starts_with("[9,"));
    assert_eq!(later.found(&trail.keyed()), Finding::Unanchored);
    let said = trail.folder.idp(&["audit", "verify", "export", "--proof", "proof", "--anchor", "mail.txt"]).done();
    assert!(said.starts_with("ANCHORED to entry 8 at ") && said.contains("range: entries 9 to 9"), "{said}");

    let other = Trail::new();
    other.keep("mail.txt");
    fs::copy(other.folder.beside("mail.txt"), trail.folder.beside("other.txt")).unwrap();
    let ran = trail.folder.idp(&["audit", "export", "--proof", "new", "--from-anchor", "other.txt"]);
    assert!(ran.code == 2 && ran.err.contains("the anchor is of another instance"), "{ran:?}");
    assert!(!trail.folder.beside("new").exists());
}

#[test]
fn a_key_that_was_replaced_signs_nothing_any_more_and_the_new_one_counts_once_it_is_known() {
    let trail = Trail::new();
    let old = super::forger::stolen_key(&trail);
    let new = trail.folder.idp(&["audit", "key", "rotate"]).done();
    let shown = trail.folder.idp(&["audit", "key", "show"]).done();
    assert!(new.starts_with(shown.trim()), "{shown}");
    let exported = trail.notes();
    let new = Trust { keys: vec![new.parse().unwrap()], anchors: Vec::new() };
    assert_eq!(exported.found(&new), Finding::Unanchored);
    assert_said(
        &exported.found(&trail.keyed()),
        "INVALID",
        "entry 8 says that it replaced the one before, which counts when",
    );
    // The anchor covers the entry, so that it is not only the host's word.
    let anchored = Trust { anchors: vec![exported.checkpoint()], ..trail.keyed() };
    assert_eq!(exported.judged(&anchored).signed, Some(true));

    let by_the_old = super::forger::Forger::of(&exported).write(&old);
    assert_said(&by_the_old.found(&trail.keyed()), "INVALID", "signed by a key that was replaced at entry 8");
}

#[test]
fn a_lost_key_is_replaced_only_when_that_is_said_and_the_trail_shows_it() {
    let trail = Trail::new();
    fs::remove_file(trail.folder.data().join("audit-signing.key")).unwrap();
    let ran = trail.folder.idp(&["audit", "key", "rotate"]);
    assert!(ran.code == 2 && ran.err.contains("idp audit key rotate --lost"), "{ran:?}");
    let new = trail.folder.idp(&["audit", "key", "rotate", "--lost"]).done();
    let entries = trail.folder.idp(&["audit", "export", "--action", "audit.key_rotated"]).done();
    let entry: Value = serde_json::from_str(&entries).unwrap();
    assert_eq!((entry["detail"]["lost"].as_bool(), entry["detail"]["new"].as_str()), (Some(true), Some(new.trim())));
    assert!(entry["detail"]["old"].is_null() && entry["detail"]["endorsed"].is_null());
    assert_said(&trail.notes().found(&trail.keyed()), "INVALID", "not the key that was given");
}

#[test]
fn a_backup_of_yesterday_is_not_todays_trail() {
    let trail = Trail::new();
    trail.folder.idp(&["backup", "yesterday.db"]).done();
    trail.keep("mail.txt");
    let said = trail.folder.idp(&["audit", "verify", "--anchor", "mail.txt"]).done();
    assert!(said.starts_with("ANCHORED to entry 10 at "), "{said}");
    let ran = trail.folder.idp(&["audit", "verify", "yesterday.db", "--anchor", "mail.txt"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("INCOMPLETE: the trail ends at entry 7, and the anchor of "), "{ran:?}");
}

#[test]
fn a_restore_is_told_apart_from_a_forgery_and_the_trail_goes_on() {
    let trail = Trail::new();
    trail.folder.idp(&["backup", "yesterday.db"]).done();
    let before = trail.notes();
    trail.folder.idp(&["audit", "export", "-o", "more"]).done();
    let lost = trail.notes();
    trail.folder.idp(&["restore", "yesterday.db"]).done();
    let after = trail.export(&["--action", "user.note_added"]);
    assert_eq!(after.found(&trail.keyed()), Finding::Unanchored);
    let of = |anchor: &super::Exported| after.found(&Trust { anchors: vec![anchor.checkpoint()], ..trail.keyed() });
    assert_said(&of(&lost), "RESTORED", "entry 8 records a restore");
    assert_said(&of(&before), "RESTORED", "entry 8 records a restore");
    assert_eq!(of(&after), Finding::Anchored(after.checkpoint().point));
    let said = trail.folder.idp(&["audit", "verify"]).done();
    assert!(said.contains("lineages: 2"), "{said}");
}

#[test]
fn a_server_is_not_started_on_an_older_copy_of_its_database() {
    let trail = Trail::new();
    let database = trail.folder.database();
    let old = fs::read(&database).unwrap();
    trail.notes();
    fs::write(&database, old).unwrap();
    let args = ["serve", "--listen", "127.0.0.1:0"];
    trail.folder.idp(&args).refused(2, "is not the one that was last used here");
    let ran = trail.folder.idp(&["user", "add", "lena@fernhill.example", "--name", "Lena"]);
    assert!(ran.code == 2 && ran.err.contains("audit-checkpoint.txt beside it is of entry 8"), "{ran:?}");
    // What reads and copies goes on, so that nothing is lost.
    trail.folder.idp(&["audit", "verify"]).done();
}

#[test]
fn a_restore_on_purpose_is_no_older_copy() {
    let trail = Trail::new();
    trail.folder.idp(&["backup", "yesterday.db"]).done();
    trail.notes();
    trail.folder.idp(&["restore", "yesterday.db"]).done();
    trail.folder.idp(&["user", "add", "lena@fernhill.example", "--name", "Lena"]).done();
    let kept = fs::read_to_string(trail.folder.data().join("audit-checkpoint.txt")).unwrap();
    let point = idp::audit::checkpoint::Checkpoint::parse(&kept).unwrap().point;
    assert_eq!((point.seq, point.origin), (8, trail.notes().checkpoint().point.origin));
}

#[test]
fn what_is_kept_and_what_proves_is_private() {
    let trail = Trail::new();
    trail.notes();
    for file in
        [trail.folder.beside("proof"), trail.folder.beside("export"), trail.folder.data().join("audit-checkpoint.txt")]
    {
        assert_eq!(crate::cli_world::mode(&file), 0o600, "{}", file.display());
    }
}
