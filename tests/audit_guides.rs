//! What auditors read besides the list: what the trail promises, and how to verify an export with what stands there.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cli_world::{Ran, idp_on};
use crate::runbook::{owner_and_member, reset};
use crate::world::{Answer, Browser, World};

fn auditor() -> (World, Browser, Browser, String) {
    let (world, mut ada, mara) = owner_and_member();
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "auditor").browser;
    (world, ada, noor, mara.id)
}

/// The text of the element with this id, as the button beside it copies it.
fn copied(page: &Answer, id: &str) -> String {
    let rest = page.body.split(&format!("id=\"{id}\">")).nth(1).expect(id);
    rest.split('<').next().unwrap().trim().to_owned()
}

/// Runs what is to be typed, where the second program is the one that was downloaded.
fn run(folder: &Path, command: &str) -> Ran {
    let command = command.replace("python3 ", "/usr/bin/python3 ");
    let command = command.replace("idp audit", &format!("{} audit", env!("CARGO_BIN_EXE_idp")));
    let mut words = command.split(' ');
    Ran::of(Command::new(words.next().unwrap()).args(words).current_dir(folder).env_clear().output().unwrap())
}

#[test]
fn an_auditor_is_led_from_the_log_to_what_it_promises_and_how_to_verify() {
    let (_world, _, mut noor, _) = auditor();
    let page = noor.get("/admin/audit");
    for (path, title, says) in [
        (
            "/admin/audit/promises",
            "What this trail promises, and what not",
            vec![
                "It does not prevent; it shows.",
                "What no anchor has seen can be rewritten.",
                "An entry can be untrue.",
                "may be erased after a time that an owner sets",
                "A copy on the machine of the server is none.",
                "One of them is forged.",
            ],
        ),
        (
            "/admin/audit/verify",
            "How to verify an export on your own machine",
            vec![
                "compare it once by another way",
                "On Windows and macOS use",
                "must not be newer than the export",
                "compare that with what you wanted to know",
                "that only if you gave its key",
                "save the file that came with it, or the whole message",
                "everything is as it was, and nothing is missing",
                "a program that deceives you",
            ],
        ),
    ] {
        assert!(page.body.contains(&format!("href=\"{path}\"")), "{path}");
        let guide = noor.get(path);
        assert_eq!(guide.status, 200, "{path}");
        assert!(guide.says(title) && guide.body.contains("data-print"), "{path}");
        for text in says {
            assert!(guide.says(text), "{text}: {}", guide.text());
        }
        for verdict in ["ANCHORED", "UNANCHORED", "INVALID", "INCOMPLETE", "DIVERGED", "RESTORED", "COULD NOT TELL"] {
            assert!(guide.says(verdict), "{path}: {verdict}");
        }
        // Nobody has to know the words; where the console uses one of them, it is said what it is.
        let text = guide.text().replace("In this console the seal is called hash.", "");
        for word in ["hash", "SHA", "digest", "Ed25519", "tamper", "lineage "] {
            assert!(!text.contains(word), "{path}: {word}");
        }
    }
}

#[test]
fn what_the_pages_hand_out_is_enough_to_verify_an_export() {
    let (world, mut ada, mut noor, mara) = auditor();
    assert!(noor.get("/admin/audit/promises").says("This server has signed none yet."));
    reset(&mut ada, &mara);
    let folder = tempfile::tempdir().unwrap();
    let keep = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let export = || {
        for name in ["audit.jsonl", "audit.proof"] {
            let _ = fs::remove_file(folder.path().join(name));
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        command.args(["audit", "export", "-o", "audit.jsonl", "--proof", "audit.proof", "--data"]);
        Ran::of(command.arg(world.data()).current_dir(folder.path()).output().unwrap()).done();
    };
    export();
    let page = noor.get("/admin/audit/promises");
    let anchor = copied(&page, "checkpoint");
    assert!(page.says(&format!("about entry {}", anchor.lines().nth(1).unwrap())), "{}", page.text());
    keep("anchor.txt", &anchor);

    let page = noor.get("/admin/audit/verify");
    let key = copied(&page, "key");
    assert_eq!(key, idp_on(&world.data(), &["audit", "key", "export-public"]).done().trim());
    keep("idp-audit.pub", &key);
    let program = noor.get("/admin/audit/verifier");
    assert_eq!(program.header("content-disposition"), Some("attachment; filename=\"verify_export.py\""));
    keep("verify_export.py", &program.body);
    export();
    for id in ["ask", "ask-second"] {
        let ran = run(folder.path(), &copied(&page, id));
        assert!(ran.code == 0 && ran.out.starts_with("ANCHORED to entry "), "{ran:?}");
    }
}

#[test]
fn the_description_of_the_files_is_whole() {
    let (_world, _, mut noor, _) = auditor();
    let page = noor.get("/admin/audit/format");
    assert_eq!(page.header("content-disposition"), Some("attachment; filename=\"audit-proof-format.md\""));
    for part in ["idp-audit-proof-1", "# What is hashed", "`field(\"idp audit entry v1\")`", "# A line of an export"] {
        assert!(page.body.contains(part), "{part}");
    }
    assert!(!page.body.contains("audit::"), "it speaks of no module that only our sources have");
}

#[test]
fn where_the_key_can_not_be_read_the_page_says_whom_to_ask() {
    let (world, _, mut noor, _) = auditor();
    let key = world.data().join("audit-signing.key");
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let page = noor.get("/admin/audit/verify");
    assert_eq!(page.status, 200);
    assert!(page.says("is missing or damaged") && page.says("idp audit key show"), "{}", page.text());
    assert!(!page.body.contains("idp-data") && !page.body.contains("audit-signing.key"), "no path of the host");
    fs::write(&key, kept).unwrap();
}
