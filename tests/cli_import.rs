//! `idp user import`.

use std::io::Write;
use std::process::Stdio;

use crate::cli_world::{Folder, Ran};

const URL: [&str; 2] = ["--public-url", "https://id.fernhill.example"];

fn import(folder: &Folder, list: &[u8], options: &[&str]) -> Ran {
    let file = folder.beside("people.csv");
    std::fs::write(&file, list).unwrap();
    folder.idp(&[&["user", "import", file.to_str().unwrap()], &URL[..], options].concat())
}

fn people(folder: &Folder) -> i64 {
    folder.count("SELECT count(*) FROM users")
}

#[test]
fn a_list_is_imported_from_the_host_with_a_link_for_each() {
    let folder = Folder::new();
    let list = b"email,name,role\nmara@x.example,Mara Lindqvist,\nada@x.example,Ada,owner\n";
    let said = import(&folder, list, &["--dry-run"]).done();
    assert_eq!((said.as_str(), people(&folder)), ("2 people would be added, 0 lines to mend\n", 0));
    let said = import(&folder, list, &[]).done();
    let lines: Vec<(&str, &str)> = said.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert_eq!(lines.iter().map(|(email, _)| *email).collect::<Vec<_>>(), ["mara@x.example", "ada@x.example"]);
    assert!(lines.iter().all(|(_, link)| link.starts_with("https://id.fernhill.example/invitation/")));
    let roles = "SELECT count(*) FROM users WHERE status = 'invited' AND (email, role) IN
                 (VALUES ('mara@x.example', 'member'), ('ada@x.example', 'owner'))";
    assert_eq!((people(&folder), folder.count(roles)), (2, 2));
    let entries = "SELECT count(*) FROM audit WHERE action IN ('user.created', 'user.invited') AND actor_kind = 'host'";
    assert_eq!(folder.count(entries), 4);
}

#[test]
fn bad_lines_are_named_and_stop_everything_unless_they_are_skipped() {
    let folder = Folder::new();
    import(&folder, b"email,name\nmara@x.example,Mara\n", &[]).done();
    let list = "email,name\nMARA@x.example,Mara\nsam@x.example,Sam\nno address,\u{202e}\n".as_bytes();
    let dry = import(&folder, list, &["--dry-run"]);
    assert_eq!(dry.code, 1, "{dry:?}");
    let lines: Vec<&str> = dry.out.lines().collect();
    assert!(lines[0].starts_with("line 2: MARA@x.example,Mara: Someone with this address is here already."), "{dry:?}");
    assert!(lines[1].starts_with("line 4: no address") && !dry.out.contains('\u{202e}'), "{dry:?}");
    assert_eq!(lines[2], "0 people would be added, 2 lines to mend");
    let stopped = import(&folder, list, &[]);
    assert!(stopped.code == 1 && stopped.out.is_empty() && people(&folder) == 1, "{stopped:?}");
    assert!(
        stopped.err.contains("line 2: ")
            && stopped.err.contains("line 4: ")
            && stopped.err.contains("nobody was added")
    );
    let skipped = import(&folder, list, &["--skip-bad-lines", "--dry-run"]);
    assert!(skipped.code == 0 && skipped.out.contains("1 person would be added, 2 lines to mend"), "{skipped:?}");
    let skipped = import(&folder, list, &["--skip-bad-lines"]);
    assert!(
        skipped.code == 0 && skipped.out.starts_with("sam@x.example https://") && people(&folder) == 2,
        "{skipped:?}"
    );
    assert_eq!((skipped.out.lines().count(), skipped.err.lines().count()), (1, 2), "links here, bad lines there");
}

#[test]
fn a_list_is_read_from_standard_input_and_what_is_no_list_is_refused_in_one_line() {
    let folder = Folder::new();
    let mut child = folder
        .command(&["user", "import", "-", "--dry-run"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"name;email\nMara;mara@x.example\n").unwrap();
    assert!(Ran::of(child.wait_with_output().unwrap()).done().starts_with("1 person would be added"));
    import(&folder, b"\xff\xfe", &[]).refused(2, "not UTF-8 text");
    import(&folder, b"email,phone\n", &[]).refused(2, "no column");
    import(&folder, &vec![b'a'; 300 * 1024], &[]).refused(2, "longer than 256 KiB");
    folder.idp(&["user", "import", "nowhere.csv"]).refused(2, "nowhere.csv: ");
    assert_eq!(people(&folder), 0);
}
