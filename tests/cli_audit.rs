//! Exporting and checking the trail with the real program.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::process::Stdio;

use data_encoding::HEXLOWER;
use idp::audit::{Header, body, chain};
use idp::time::Timestamp;
use idp::users::Role;
use serde_json::Value;

use crate::cli_world::{Folder, Ran, add_note, add_person, mode, names};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn with_notes(count: usize) -> Folder {
    let folder = Folder::new();
    let store = folder.store();
    let mara = add_person(&store, "mara@fernhill.example", "Mara", Role::Owner);
    let jonas = add_person(&store, "jonas@fernhill.example", "Jonas", Role::Member);
    for n in 0..count {
        add_note(&store, if n % 2 == 0 { &mara } else { &jonas }, &format!("note {n}"));
    }
    folder
}

#[test]
fn a_sound_trail_is_consistent_and_said_to_be_unanchored() {
    let folder = with_notes(3);
    let _server = folder.store();
    let said = folder.idp(&["audit", "verify"]).done();
    assert!(said.starts_with("UNANCHORED: consistent in itself; nothing outside this host vouches for it\n"), "{said}");
    assert!(said.contains("entries: 6, lineages: 1"), "{said}");
    let newest = folder.idp(&["audit", "export"]).done();
    let newest = &lines(&newest)[5];
    assert!(said.contains(newest["hash"].as_str().unwrap()) && said.contains(newest["at"].as_str().unwrap()));
}

#[test]
fn an_edited_entry_is_found_and_named_beside_a_running_server() {
    let folder = with_notes(6);
    let _server = folder.store();
    folder.tamper("DROP TRIGGER audit_is_append_only_update");
    let ran = folder.idp(&["audit", "verify"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("INVALID: the table's guard audit_is_append_only_update is missing"), "{ran:?}");

    folder.tamper("UPDATE audit SET body = replace(body, 'note 2', 'note 9') WHERE seq = 6");
    let ran = folder.idp(&["audit", "verify"]);
    assert_eq!(ran.code, 1);
    let first = "INVALID: entry 6 has a body that is not the one it was written with (user.note_added at ";
    assert!(ran.out.starts_with(first), "{ran:?}");
    assert!(ran.out.contains("entries before it that are sound: 5"), "{ran:?}");
}

#[test]
fn every_kind_of_edit_is_found() {
    let open = "DROP TRIGGER audit_is_append_only_update; DROP TRIGGER audit_is_append_only_delete;
                PRAGMA ignore_check_constraints = ON;";
    let cases = [
        ("UPDATE audit SET outcome = 'denied' WHERE seq = 3", "entry 3 has a header or hash"),
        ("UPDATE audit SET at = at + 1 WHERE seq = 9", "entry 9 has a header or hash"),
        ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 4", "entry 4 has a header or hash"),
        ("UPDATE audit SET hash = zeroblob(31) WHERE seq = 4", "entry 4 has a header or hash"),
        ("UPDATE audit SET action = CAST(x'ff' AS TEXT) WHERE seq = 4", "entry 4 can not be read"),
        ("UPDATE audit SET salt = NULL, body = NULL WHERE seq = 4", "entry 4 has lost its body"),
        ("DELETE FROM audit WHERE seq = 5", "entry 5 is missing"),
        ("DELETE FROM audit", "entry 1 is missing"),
        ("UPDATE instance SET lineage = '0000000000000000'", "entry 9 belongs to lineage"),
    ];
    for (edit, found) in cases {
        let folder = with_notes(6);
        folder.tamper(&format!("{open} {edit}"));
        let ran = folder.idp(&["audit", "verify"]);
        assert!(ran.code == 1 && ran.out.starts_with(&format!("INVALID: {found}")), "{edit}: {ran:?}");
    }
}

#[test]
fn a_guard_that_was_put_back_in_another_form_is_found() {
    let folder = with_notes(0);
    folder.tamper(
        "DROP TRIGGER audit_is_append_only_delete;
         CREATE TRIGGER audit_is_append_only_delete BEFORE DELETE ON audit BEGIN SELECT 1; END",
    );
    let ran = folder.idp(&["audit", "verify"]);
    assert!(ran.code == 1 && ran.out.contains("audit_is_append_only_delete is missing or was altered"), "{ran:?}");
}

#[test]
fn what_is_no_database_of_ours_can_not_be_told() {
    let folder = Folder::new();
    let other = folder.beside("other.db");
    std::fs::write(&other, "something else entirely, long enough to be looked at").unwrap();
    folder.idp(&["audit", "verify", other.to_str().unwrap()]).refused(2, "not a usable database of this program");
    folder.idp(&["audit", "verify", "no-such-file"]).refused(2, "no-such-file");
}

#[test]
fn an_export_is_exact_for_its_filter_and_does_not_hold_its_own_entry() {
    let folder = with_notes(7);
    let all = lines(&folder.idp(&["audit", "export"]).done());
    assert_eq!(all.len(), 10);
    let seqs = |args: &[&str]| -> Vec<i64> {
        let args: Vec<&str> = ["audit", "export"].into_iter().chain(args.iter().copied()).collect();
        lines(&folder.idp(&args).done()).iter().map(|l| l["seq"].as_i64().unwrap()).collect()
    };
    assert_eq!(seqs(&["--action", "user.note_added"]), [4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(seqs(&["--user", "jonas@fernhill.example"]), [3, 5, 7, 9]);
    let jonas = all[2]["target"]["id"].as_str().unwrap();
    assert_eq!(seqs(&["--user", jonas, "--action", "user.created"]), [3]);
    assert_eq!(seqs(&["--action", "audit.exported"]), [11, 13, 15, 17]);
    let none = folder.idp(&["audit", "export", "--outcome", "denied"]);
    assert!(none.code == 0 && none.out.is_empty() && none.err.starts_with("idp: no entry matches"), "{none:?}");
    let (from, to) = (all[4]["at"].as_str().unwrap(), all[6]["at"].as_str().unwrap());
    assert_eq!(seqs(&["--since", from, "--until", to]), [5, 6]);
    let own = &lines(&folder.idp(&["audit", "export", "--action", "audit.exported"]).done())[1];
    assert_eq!(own["detail"]["filter"], "action=user.note_added");
    assert_eq!(own["detail"]["entries_up_to"], 12);
    assert!(own["source"]["os_user"].as_str().unwrap().contains("uid"));
}

/// What an outside verifier does, from the lines alone.
#[test]
fn the_whole_chain_can_be_computed_again_from_an_export() {
    let folder = with_notes(0);
    let store = folder.store();
    let odd = add_person(&store, "zoe@fernhill.example", "Zoë \"Z\" \\ Ø", Role::Admin);
    add_note(&store, &odd, "tab\t\u{202e}bidi\u{85}\u{2028}\u{1F600}\u{e0041}\u{7f}=\u{1}");
    let text = folder.idp(&["audit", "export"]).done();
    assert!(text.chars().all(|c| c == '\n' || !idp::audit::export::deceives(c)));
    let mut before = chain::GENESIS;
    for line in lines(&text) {
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let optional = |v: &Value| v.as_str().map(str::to_owned);
        let header = Header {
            lineage: text(&line["lineage"]),
            seq: line["seq"].as_i64().unwrap(),
            at: line["at"].as_str().unwrap().parse::<Timestamp>().unwrap(),
            action: text(&line["action"]),
            outcome: text(&line["outcome"]),
            actor_kind: text(&line["actor"]["kind"]),
            actor_id: optional(&line["actor"]["id"]),
            target_kind: text(&line["target"]["kind"]),
            target_id: optional(&line["target"]["id"]),
            case: optional(&line["case"]),
        };
        let salt: [u8; 16] = HEXLOWER.decode(text(&line["salt"]).as_bytes()).unwrap().try_into().unwrap();
        let digest = chain::body_digest(&salt, &canonical_body(&line));
        assert_eq!(HEXLOWER.encode(&digest), text(&line["body_digest"]), "{line}");
        assert_eq!(HEXLOWER.encode(&before), text(&line["prev_hash"]));
        before = chain::entry_hash(&before, &header, &digest);
        assert_eq!(HEXLOWER.encode(&before), text(&line["hash"]));
    }
}

fn canonical_body(line: &Value) -> String {
    let members = ["actor_name", "detail", "reason", "source", "target_name", "ticket"];
    let members: Vec<_> = members.iter().filter(|m| line.get(**m).is_some()).collect();
    let members: Vec<_> = members.iter().map(|m| format!("\"{m}\":{}", canonical(&line[**m]))).collect();
    format!("{{{}}}", members.join(","))
}

fn canonical(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let mut out = String::new();
            body::push_string(&mut out, text);
            out
        }
        Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort();
            let members: Vec<_> = keys.iter().map(|k| format!("\"{k}\":{}", canonical(&map[*k]))).collect();
            format!("{{{}}}", members.join(","))
        }
        other => other.to_string(),
    }
}

#[test]
fn a_long_export_is_read_page_by_page_without_a_gap() {
    let folder = with_notes(2_100);
    let seqs: Vec<i64> =
        lines(&folder.idp(&["audit", "export"]).done()).iter().map(|l| l["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=2_103).collect::<Vec<_>>());
}

#[test]
fn a_file_is_private_appears_whole_and_replaces_nothing_unasked() {
    let folder = with_notes(1);
    let file = folder.beside("trail.jsonl");
    let path = file.to_str().unwrap();
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "umask 000; exec \"$0\" audit export --data \"$1\" -o \"$2\""]);
    shell.arg(env!("CARGO_BIN_EXE_idp")).arg(folder.data()).arg(&file);
    assert!(Ran::of(shell.output().unwrap()).done().is_empty());
    assert_eq!(mode(&file), 0o600);
    assert_eq!(lines(&std::fs::read_to_string(&file).unwrap()).len(), 4);

    folder.idp(&["audit", "export", "-o", path]).refused(2, "--force");
    folder.idp(&["audit", "export", "--force", "-o", path, "--action", "user.note_added"]).done();
    assert_eq!(lines(&std::fs::read_to_string(&file).unwrap()).len(), 1);

    let (link, target) = (folder.beside("link"), folder.beside("target"));
    symlink(&target, &link).unwrap();
    folder.idp(&["audit", "export", "--force", "-o", link.to_str().unwrap()]).refused(2, "symbolic link");
    assert!(!target.exists());
    folder.idp(&["audit", "export", "-o", "no/such/folder/x"]).refused(2, "No such file");
    assert!(!names(folder.data().parent().unwrap()).iter().any(|n| n.ends_with(".new")));
}

#[test]
fn a_spreadsheet_gets_names_on_top_and_no_formula() {
    let folder = with_notes(0);
    let store = folder.store();
    let user = add_person(&store, "eve@fernhill.example", "=HYPERLINK(\"x\")", Role::Member);
    add_note(&store, &user, "two\nlines, \"quoted\"");
    let text = folder.idp(&["audit", "export", "--format", "csv"]).done();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().unwrap().iter().next(), Some("seq"));
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 5);
    assert_eq!(text.lines().count(), 6, "an entry is one line in a spreadsheet's file too");
    assert!(rows[3][9].starts_with("'=HYPERLINK"), "{:?}", &rows[3][9]);
    assert!(rows[4][17].contains("two\\nlines"));
}

#[test]
fn a_reader_that_goes_away_ends_the_export_quietly() {
    let folder = with_notes(1_200);
    let mut child = folder.command(&["audit", "export"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("{\"lineage\""));
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert!(ran.code == 0 && ran.err.is_empty(), "{ran:?}");
}

#[test]
fn wrong_usage_ends_with_two_and_says_what_is_near() {
    let folder = Folder::new();
    let ran = folder.idp(&["audit", "export", "--action", "mfa.admin_reset"]);
    assert!(ran.code == 2 && ran.err.contains("mfa.factor_admin_reset"), "{ran:?}");
    assert!(ran.err.contains("idp audit actions"), "{ran:?}");
    folder.idp(&["audit", "export", "--user", "nobody@fernhill.example"]).refused(2, "nobody has the address");
    assert_eq!(folder.idp(&["audit", "export", "--since", "yesterday"]).code, 2);
    assert_eq!(folder.idp(&["audit", "frobnicate"]).code, 2);
    let listed = folder.idp(&["audit", "actions"]).done();
    assert_eq!(listed.lines().count(), idp::audit::Action::ALL.len());
    assert!(folder.idp(&["version"]).done().contains("SQLite 3."));
}

/// Swallows the entries of an action without an error.
const HIDE: &str = "CREATE TRIGGER hide BEFORE INSERT ON audit WHEN new.action = 'user.note_added'
                    BEGIN SELECT raise(IGNORE); END";

#[test]
fn a_trigger_that_swallows_entries_is_found_and_no_program_writes_beside_it() {
    let folder = with_notes(1);
    folder.tamper(HIDE);
    let found = "trigger hide is missing, or is not as this program made it";
    let ran = folder.idp(&["audit", "verify"]);
    assert!(ran.code == 1 && ran.out.contains(&format!("INVALID: the database's {found}")), "{ran:?}");
    let add = ["user", "add", "kim@fernhill.example", "--name", "Kim"];
    for command in [&add[..], &["backup", "copy.db"], &["audit", "export"]] {
        let ran = folder.idp(command);
        assert!(ran.code != 0 && ran.err.contains(found), "{command:?}: {ran:?}");
    }
    folder.tamper("DROP TRIGGER hide");
    folder.idp(&["audit", "verify"]).done();
}

#[test]
fn a_filter_that_can_not_be_meant_so_is_no_answer() {
    let folder = with_notes(1);
    let (since, until) = ("2026-12-01T00:00:00Z", "2026-11-01T00:00:00Z");
    folder.idp(&["audit", "export", "--since", since, "--until", until]).refused(2, "--since has to be before --until");
    folder.idp(&["audit", "export", "--case", "R-2026-9999"]).refused(2, "there is no case R-2026-9999");
}
