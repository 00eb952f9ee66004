//! Files that one verifier took and the other did not, or not for the same reason: both say the same of them now.

use std::fs;

use idp::audit::checkpoint::{Checkpoint, Point};
use idp::audit::judge::Trust;
use idp::audit::note::VerifierKey;
use idp::audit::{chain, checkpoint::origin_line};
use idp::host::keys::AuditSigningKey;
use idp::time::Timestamp;

use super::forger::{Forger, stolen_key};
use super::second::{Case, compare};
use super::{Exported, Trail, assert_said};

#[track_caller]
fn both_say(exported: &Exported, trust: &Trust, begins: &str, holds: &str) {
    assert_said(&exported.found(trust), begins, holds);
    compare(tempfile::tempdir().unwrap().path(), &Case(holds.to_owned(), exported.clone(), trust.clone()));
}

fn signed(point: Point, key: &AuditSigningKey) -> Checkpoint {
    let name = VerifierKey::new(&origin_line(&point.origin), key.public()).unwrap();
    Checkpoint::sign(point, &name, |text| key.sign(text))
}

#[test]
fn a_proof_that_begins_later_has_an_entry_before_it() {
    let trail = Trail::new();
    let mut forger = Forger::of(&trail.notes());
    forger.rows.retain(|row| row.header.seq >= 4);
    (forger.about.from, forger.about.before) = (4, chain::GENESIS);
    let forged = forger.write(&stolen_key(&trail));
    both_say(&forged, &trail.keyed(), "INVALID", "only entry 1 has nothing before it");
}

#[test]
fn a_number_that_not_every_reader_keeps_exact_is_refused() {
    let trail = Trail::new();
    for at in [9_007_199_254_740_991, 9_007_199_254_740_992, 9_007_199_254_740_993, i64::MAX] {
        let mut forger = Forger::of(&trail.notes());
        forger.rows.last_mut().unwrap().header.at = Timestamp::from_micros(at);
        let begins = if at < 1 << 53 { "UNANCHORED" } else { "INVALID" };
        both_say(&forger.write(&stolen_key(&trail)), &trail.keyed(), begins, "");
    }
}

#[test]
fn a_header_has_one_spelling_also_of_what_no_header_of_ours_holds() {
    let trail = Trail::new();
    let exported = trail.notes();
    let mut forger = Forger::of(&exported);
    let row = forger.rows.iter_mut().find(|row| row.header.seq == 4).unwrap();
    (row.header.case, row.header.target_id) = (Some("\n\t\u{1}\\n".into()), Some("\r\n".into()));
    let forged = forger.write(&stolen_key(&trail));
    both_say(&forged, &trail.keyed(), "UNANCHORED", "");
    let export = forged.export.replacen("\\u000a", "\\n", 1);
    both_say(&Exported { export, ..forged }, &trail.keyed(), "INVALID", "");
}

#[test]
fn a_body_has_texts_where_every_body_has_them() {
    let trail = Trail::new();
    for wrong in [
        r#""reason":5"#,
        r#""source":{"address":true}"#,
        r#""detail":{"x":{}}"#,
        r#""detail":{"x":1.5}"#,
        r#""detail":"x""#,
    ] {
        let exported = trail.notes();
        let mut forger = Forger::of(&exported);
        let body = format!("{{{wrong}}}");
        let row = forger.rows.iter_mut().find(|row| row.header.seq == 4).unwrap();
        row.body_digest = chain::body_digest(&[1; 16], &body);
        forger.bodies.insert(4, ([1; 16], body));
        both_say(&forger.write(&stolen_key(&trail)), &trail.keyed(), "INVALID", "");
    }
}

#[test]
fn a_note_has_as_many_signatures_as_are_read_and_a_wrong_one_counts_wherever_it_stands() {
    let trail = Trail::new();
    let exported = trail.notes();
    let (note, strange) = (exported.checkpoint(), AuditSigningKey::generate());
    let other = signed(note.point.clone(), &strange);
    let line = |of: &Checkpoint| of.to_string().split_once("\n\n").unwrap().1.to_owned();
    let wrong = line(&signed(Point { seq: 1, ..note.point.clone() }, &strange));
    let with = |lines: &str| {
        let text = serde_json::to_string(&format!("{note}{lines}")).unwrap();
        let was = serde_json::to_string(&note.to_string()).unwrap();
        Exported { proof: exported.proof.replace(&was, &text), ..exported.clone() }
    };
    let strangers = VerifierKey::new(&origin_line(&note.point.origin), strange.public()).unwrap();
    let both = Trust { keys: vec![trail.key.clone(), strangers], anchors: Vec::new() };
    for (lines, trust, begins) in [
        (line(&other).repeat(15), trail.keyed(), "UNANCHORED"),
        (line(&other).repeat(16), trail.keyed(), "INVALID"),
        (line(&other), both.clone(), "UNANCHORED"),
        (wrong.clone(), trail.keyed(), "UNANCHORED"),
        (wrong, both, "INVALID"),
        (line(&other).replace("idp.audit/", "idp.audit/+"), trail.keyed(), "INVALID"),
        (line(&other).replace("idp.audit/", "idp.audit/\u{a0}"), trail.keyed(), "INVALID"),
    ] {
        both_say(&with(&lines), &trust, begins, "");
    }
}

#[test]
fn two_histories_are_told_also_beside_a_restore_and_where_the_proof_breaks_off() {
    let trail = Trail::new();
    trail.folder.idp(&["backup", "backup.db"]).done();
    let replaced = trail.notes();
    trail.folder.idp(&["restore", "backup.db"]).done();
    trail.notes();
    let after = trail.notes();
    let other = signed(Point { hash: [7; 32], ..after.checkpoint().point }, &stolen_key(&trail));
    let anchors = vec![replaced.checkpoint(), other];
    assert!(anchors[0].point.seq < anchors[1].point.seq);
    both_say(&after, &Trust { anchors: anchors[..1].to_vec(), ..trail.keyed() }, "RESTORED", "");
    both_say(&after, &Trust { anchors, ..trail.keyed() }, "DIVERGED", "one of two histories is forged");

    let exported = trail.notes();
    let other = signed(Point { seq: 4, hash: [7; 32], ..exported.checkpoint().point }, &stolen_key(&trail));
    let cut = exported.proof.lines().take(8).map(|line| format!("{line}\n")).collect();
    let cut = Exported { proof: cut, ..exported };
    both_say(&cut, &trail.keyed(), "INCOMPLETE", "breaks off");
    both_say(&cut, &Trust { anchors: vec![other], keys: Vec::new() }, "DIVERGED", "");
}

#[test]
fn what_is_judged_does_not_vouch_for_itself() {
    let trail = Trail::new();
    trail.notes();
    let all = trail.export(&[]);
    assert!(Checkpoint::find_all(&all.export).len() == 1 && Checkpoint::find_all(&all.proof).len() == 1);
    for anchor in ["export", "proof", "./proof"] {
        let args = ["export", "--proof", "proof", "--anchor", anchor];
        let ours = trail.folder.idp(&[&["audit", "verify"], &args[..]].concat());
        let mut python = std::process::Command::new("/usr/bin/python3");
        python.current_dir(trail.folder.beside("")).arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify_export.py"));
        let theirs = python.args(args).output().unwrap();
        let vouches = "nothing vouches for itself";
        assert!(ours.code == 2 && ours.out.starts_with("COULD NOT TELL") && ours.out.contains(vouches), "{ours:?}");
        assert!(
            theirs.status.code() == Some(2) && String::from_utf8_lossy(&theirs.stdout).contains(vouches),
            "{theirs:?}"
        );
    }
}

#[test]
fn an_anchor_is_found_by_both_above_a_name_and_in_a_mail_that_was_saved_as_it_came() {
    let trail = Trail::new();
    let exported = trail.notes();
    let note = exported.checkpoint().to_string();
    let quoted = note.replace('=', "=3D").replace('\u{2014}', "=E2=80=94").replace("lineage ", "lin=\neage ");
    let head = "Subject: Keep this\ncontent-transfer-encoding: Quoted-Printable\n\n";
    for (text, found) in [
        (format!("{note}\u{2014} Lena\n"), true),
        (format!("{head}{quoted}"), true),
        (quoted, false),
        (format!("{note}> {note}"), true),
        (note.lines().map(|line| format!("\u{a0}> {line} \r\n")).collect(), true),
    ] {
        fs::write(trail.folder.beside("kept.txt"), &text).unwrap();
        let args = ["export", "--proof", "proof", "--anchor", "kept.txt"];
        let ours = trail.folder.idp(&[&["audit", "verify"], &args[..]].concat());
        let mut python = std::process::Command::new("/usr/bin/python3");
        python.current_dir(trail.folder.beside("")).arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify_export.py"));
        let theirs = python.args(args).output().unwrap();
        let word = if found { "ANCHORED" } else { "COULD NOT TELL" };
        let begins = String::from_utf8_lossy(&theirs.stdout).starts_with(word) && ours.out.starts_with(word);
        assert!(begins, "{text}\n{ours:?}\n{theirs:?}");
    }
}
