//! The export with its proof, as one download from the console: what is in it, and what a verifier says of it who has
//! nothing else.

use std::fs;
use std::path::Path;
use std::process::Command;

use idp::audit::Action;
use idp::http::response::Body;
use idp::http::{Request, Response};
use serde_json::Value;

use crate::cli_world::{Ran, idp_on, names};
use crate::runbook::{owner_and_member, reset};
use crate::world::{Browser, World, body};

/// The form of the export, sent as it stands there with `fields` filled in.
pub fn export(world: &World, browser: &Browser, fields: &[(&str, &str)]) -> Response {
    let csrf = browser.csrf();
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("csrf", &csrf).extend_pairs(fields);
    let request = Request::post("/admin/audit/export", form.finish().into_bytes())
        .with_header("Content-Type", "application/x-www-form-urlencoded");
    world.app.handle(browser.dress(request))
}

/// The entries in an archive that a real browser has saved, with this ending.
pub fn unpacked(archive: &Path, ending: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let names = unpack(&fs::read(archive).unwrap(), folder.path());
    assert!(names.len() == 3 && names[2] == "HOW-TO-VERIFY.txt", "{names:?}");
    assert!(names[0].ends_with(&format!(".{ending}")), "{names:?}");
    fs::read_to_string(folder.path().join(&names[0])).unwrap()
}

/// The archive, unpacked into `folder` by Python's reader, which also checks it; the names in it.
pub fn unpack(archive: &[u8], folder: &Path) -> Vec<String> {
    let path = folder.join("download.zip");
    fs::write(&path, archive).unwrap();
    let script = "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1]) as z:\n    assert z.testzip() is None\n    \
                  z.extractall(sys.argv[2])\n    print(*z.namelist())";
    let output = Command::new("/usr/bin/python3").args(["-c", script]).arg(&path).arg(folder).output().unwrap();
    let output = Ran::of(output);
    fs::remove_file(&path).unwrap();
    output.done().split_whitespace().map(str::to_owned).collect()
}

/// A download, unpacked, beside the instance's public key.
struct Downloaded {
    folder: tempfile::TempDir,
    /// Without its ending.
    stem: String,
}

impl Downloaded {
    fn new(world: &World, browser: &Browser, filter: &[(&str, &str)], ending: &str) -> Self {
        let fields = [filter, &[("format", ending), ("proof", "on")]].concat();
        let answer = export(world, browser, &fields);
        assert_eq!((answer.status(), answer.header("content-type")), (200, Some("application/zip")));
        assert!(matches!(answer.body(), Body::Stream(_)), "it is made while it is sent");
        let name = answer.header("content-disposition").unwrap().to_owned();
        let stem = name.strip_prefix("attachment; filename=\"").and_then(|name| name.strip_suffix(".zip\"")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let held = unpack(&answer.into_body_bytes().unwrap(), folder.path());
        assert_eq!(held, [format!("{stem}.{ending}"), format!("{stem}.proof"), "HOW-TO-VERIFY.txt".into()]);
        let key = idp_on(&world.data(), &["audit", "key", "export-public"]).done();
        fs::write(folder.path().join("idp-audit.pub"), key).unwrap();
        Self { folder, stem: stem.to_owned() }
    }

    fn note(&self) -> String {
        fs::read_to_string(self.folder.path().join("HOW-TO-VERIFY.txt")).unwrap()
    }

    /// The command that the page names, and the one of the second verifier.
    fn commands(&self) -> [String; 2] {
        let note = self.note();
        let line = |begin: &str| note.lines().map(str::trim).find(|l| l.starts_with(begin)).unwrap().to_owned();
        [line(&format!("idp audit verify {}", self.stem)), line("python3 verify_export.py")]
    }

    /// Runs what the page says, in the folder, with nothing of the server.
    fn run(&self, command: &str) -> Ran {
        let verifier = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify_export.py");
        let command = command.replace("python3 verify_export.py", &format!("/usr/bin/python3 {verifier}"));
        let command = command.replace("idp audit", &format!("{} audit", env!("CARGO_BIN_EXE_idp")));
        let mut words = command.split(' ');
        let mut command = Command::new(words.next().unwrap());
        Ran::of(command.args(words).current_dir(self.folder.path()).env_clear().output().unwrap())
    }
}

#[test]
fn an_export_with_its_proof_is_one_archive_of_which_both_verifiers_say_that_it_is_genuine_and_complete() {
    let (world, mut ada, mara) = owner_and_member();
    reset(&mut ada, &mara.id);
    let earlier = Downloaded::new(&world, &ada, &[], "jsonl").note();
    // Whoever exports could drop it: nobody is told that an anchor is kept somewhere.
    assert!(ada.get("/admin/audit").says("No anchor yet"));
    let filters: [&[(&str, &str)]; 3] = [
        &[],
        &[("action", "mfa.factor_admin_reset")],
        &[("person", "mara@fernhill.example"), ("outcome", "success"), ("since", "2026-11-24")],
    ];
    for filter in filters {
        for ending in ["jsonl", "csv"] {
            let downloaded = Downloaded::new(&world, &ada, filter, ending);
            // The page of an earlier export is an anchor.
            fs::write(downloaded.folder.path().join("anchor.txt"), &earlier).unwrap();
            let [ours, second] = downloaded.commands();
            let said = downloaded.run(&ours).done();
            assert!(
                said.starts_with("ANCHORED to entry ") && said.contains("signed with the key that was given"),
                "{said}"
            );
            assert!(downloaded.run(&second).done().starts_with("ANCHORED to entry "));
            let without = ours.split(" --anchor").next().unwrap();
            let facts: Value = serde_json::from_str(&downloaded.run(&format!("{without} --json")).done()).unwrap();

            // The same as for an export by the command line.
            let mut args = vec!["audit", "export", "--format", ending, "-o", "e", "--proof", "p"];
            for (name, value) in filter {
                args.push(match *name {
                    "person" => "--user",
                    "action" => "--action",
                    "outcome" => "--outcome",
                    _ => "--since",
                });
                args.push(value);
            }
            let folder = tempfile::tempdir().unwrap();
            let ran = Command::new(env!("CARGO_BIN_EXE_idp"))
                .args(args)
                .arg("--data")
                .arg(world.data())
                .current_dir(folder.path())
                .output();
            Ran::of(ran.unwrap()).done();
            let args = ["audit", "verify", "e", "--proof", "p", "--json", "--key"];
            let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
            command.args(args).arg(downloaded.folder.path().join("idp-audit.pub")).current_dir(folder.path());
            let theirs: Value = serde_json::from_str(&Ran::of(command.output().unwrap()).done()).unwrap();
            for fact in ["verdict", "filter", "from", "instance", "signed"] {
                assert_eq!(facts[fact], theirs[fact], "{fact}");
            }
            if !filter.is_empty() {
                assert_eq!(facts["entries"], theirs["entries"]);
            }
        }
    }
}

#[test]
fn what_was_changed_in_a_download_is_found() {
    let (world, mut ada, mara) = owner_and_member();
    reset(&mut ada, &mara.id);
    for ending in ["jsonl", "csv"] {
        let downloaded = Downloaded::new(&world, &ada, &[("action", "mfa.factor_admin_reset")], ending);
        let path = downloaded.folder.path().join(format!("{}.{ending}", downloaded.stem));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("lost her phone", "sold her phone")).unwrap();
        let [ours, second] = downloaded.commands();
        for command in [ours, second] {
            let command = command.split(" --anchor").next().unwrap();
            let ran = downloaded.run(command);
            assert!(ran.code == 1 && ran.out.starts_with("INVALID"), "{ran:?}");
        }
    }
}

#[test]
fn the_page_in_the_archive_says_what_was_exported_when_by_whom_and_what_to_look_for() {
    let (world, mut ada, mara) = owner_and_member();
    reset(&mut ada, &mara.id);
    let head = world.head();
    let filter = [("action", "mfa.factor_admin_reset"), ("person", " mara@fernhill.example ")];
    let downloaded = Downloaded::new(&world, &ada, &filter, "csv");
    assert_eq!(downloaded.stem, format!("audit-2026-11-24-{head}"));
    let own = world.entries_of(Action::AuditExported).pop().unwrap();
    assert_eq!((own.header.seq, body(&own).text("actor_name")), (head + 1, "Ada Brandt <ada@fernhill.example>"));
    let signed = world.entries_of(Action::AuditCheckpointSigned).pop().unwrap();
    assert_eq!((signed.header.seq, body(&signed).fact("occasion").as_str()), (head + 2, "export"));

    let note = downloaded.note();
    let checkpoint = body(&signed).fact("checkpoint");
    let origin = checkpoint.lines().next().unwrap();
    for said in [
        "Fernhill Joinery",
        "action mfa.factor_admin_reset, person mara@fernhill.example",
        &format!("action=mfa.factor_admin_reset user={}", mara.id),
        &format!("entries 1 to {head}"),
        "Found:       1 entry\r\n",
        "2026-11-24T09:",
        "Z by Ada Brandt <ada@fernhill.example>",
        &format!("as entry {}.", head + 1),
        &format!("{origin}\r\n\r\n   and the number that follows is {} or less", head + 1),
        "verify_export.py",
        "python3 -m pip install cryptography\r\n",
        "and that only if\r\n                you gave the key.",
        "the file that came with it or\r\n   the whole message",
        "What no program can tell: whether an entry was true",
        &checkpoint.replace('\n', "\r\n"),
    ] {
        assert!(note.contains(said), "{said}: {note}");
    }
    assert!(note.lines().all(|line| line.len() < 200) && !note.replace("\r\n", "").contains('\n'));
    // Everything is told without the word that somebody may not know.
    assert!(!note.contains("hash") && !note.contains("SHA"), "{note}");
}

#[test]
fn an_auditor_downloads_it_and_nobody_else_who_may_not_read_the_trail_does() {
    let (world, mut ada, _) = owner_and_member();
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "auditor").browser;
    Downloaded::new(&world, &noor, &[("outcome", "denied")], "jsonl");
    let kim = world.person(&mut ada, "kim@fernhill.example", "Kim", "member").browser;
    let exported = world.entries_of(Action::AuditExported).len();
    let head = world.head();
    let answer = export(&world, &kim, &[("proof", "on")]);
    assert_eq!((answer.status(), answer.header("content-disposition")), (403, None));
    assert_eq!(world.story_since(head), ["user.access_refused denied"]);
    let answer = world.app.handle(
        Request::post("/admin/audit/export", b"proof=on".to_vec())
            .with_header("Content-Type", "application/x-www-form-urlencoded"),
    );
    assert_eq!((answer.status(), world.head()), (401, head + 1));
    assert_eq!(world.entries_of(Action::AuditExported).len(), exported);
    assert_eq!(export(&world, &noor, &[("proof", "maybe")]).status(), 400);
}

#[test]
fn the_form_offers_the_proof_unasked_and_without_the_key_says_what_to_do() {
    let (world, mut ada, _) = owner_and_member();
    let page = ada.get("/admin/audit?action=user.created");
    assert!(page.body.contains("name=\"proof\" value=\"on\" checked"), "{}", page.body);
    assert!(page.says("that nothing was changed and nothing was left out"));

    let (head, key) = (world.head(), world.data().join("audit-signing.key"));
    let kept = fs::read(&key).unwrap();
    for broken in [None, Some("no key")] {
        fs::remove_file(&key).unwrap();
        if let Some(text) = broken {
            fs::write(&key, text).unwrap();
        }
        let before = names(&world.data());
        let answer = ada.post("/admin/audit/export", &[("action", "user.created"), ("format", "csv"), ("proof", "on")]);
        assert_eq!((answer.status, world.head()), (422, head), "{}", answer.text());
        assert!(answer.says("Nothing was exported.") && answer.says("`idp audit key show`"), "{}", answer.text());
        for kept in ["value=\"user.created\"", "value=\"csv\" selected", "name=\"proof\" value=\"on\" checked"] {
            assert!(answer.body.contains(kept), "{kept}");
        }
        assert!(!answer.body.contains("idp-data") && answer.says("user.created"), "the entries are there, no path is");
        assert_eq!(names(&world.data()), before);
        if broken.is_none() {
            fs::write(&key, &kept).unwrap();
        }
    }
    // The way out that it names.
    let answer = ada.post("/admin/audit/export", &[("action", "user.created"), ("format", "csv")]);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/csv; charset=utf-8")));
    fs::write(&key, kept).unwrap();
}

#[test]
fn a_download_that_can_not_be_read_to_its_end_does_not_open() {
    let (world, ada, _) = owner_and_member();
    let edit = |to: &str| {
        let db = rusqlite::Connection::open(world.database()).unwrap();
        let guard = "SELECT sql FROM sqlite_schema WHERE name = 'audit_is_append_only_update'";
        let guard: String = db.query_row(guard, [], |row| row.get(0)).unwrap();
        let edit = format!("UPDATE audit SET case_number = {to} WHERE seq = 3");
        db.execute_batch(&format!("DROP TRIGGER audit_is_append_only_update; {edit}; {guard}")).unwrap();
    };
    // The entries that are asked for can be read; one of which the proof needs the header can not.
    edit("CAST(x'ff' AS TEXT)");
    let answer = export(&world, &ada, &[("action", "user.disabled"), ("proof", "on")]);
    assert_eq!(answer.status(), 200);
    assert!(answer.into_body_bytes().is_err(), "the edge cuts the answer, and the list of files is never sent");
    edit("NULL");
    let left = names(&world.data());
    assert!(left.iter().all(|name| !name.contains("zip") && !name.contains("proof")), "{left:?}");
}
