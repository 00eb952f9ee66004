//! The man page, the completions and the table of settings: made of the program, read by the programs that use them.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::cli_world::{Ran, names};

fn idp(args: &[&str]) -> String {
    Ran::of(Command::new(env!("CARGO_BIN_EXE_idp")).args(args).output().unwrap()).done()
}

/// What `program` says about `input`, without a complaint.
fn fed(program: &str, args: &[&str], input: &str) -> String {
    let mut command = Command::new(program);
    command.args(args).env("MANWIDTH", "100").env("LC_ALL", "C.UTF-8").stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect(program);
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Ran::of(child.wait_with_output().unwrap()).done()
}

#[test]
fn the_man_page_is_read_without_a_warning_and_says_what_the_help_says() {
    let page = fed("man", &["--warnings", "-l", "-"], &idp(&["man"]));
    for what in ["recover-owner", "Exit codes:", "seed.key", "idp-serve(1)"] {
        assert!(page.contains(what), "{what}: {page}");
    }
    let folder = tempfile::tempdir().unwrap();
    idp(&["man", "-o", folder.path().to_str().unwrap()]);
    let pages = names(folder.path());
    assert!(pages.len() > 20, "{pages:?}");
    for name in ["idp.1", "idp-serve.1", "idp-audit-export.1", "idp-key-export.1"] {
        assert!(pages.contains(name), "{name}: {pages:?}");
    }
    for name in &pages {
        let page = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(fed("man", &["--warnings", "-l", "-"], &page).contains("SYNOPSIS"), "{name}");
    }
    let absent = Command::new(env!("CARGO_BIN_EXE_idp")).args(["man", "-o", "/absent"]).output().unwrap();
    Ran::of(absent).refused(2, "can not write the man page");
}

#[test]
fn a_shell_completes_commands_and_options() {
    let bash = idp(&["completions", "bash"]);
    fed("bash", &["-n"], &bash);
    let complete = |words: &str, typed: &str| {
        let count = words.split(' ').count();
        let ask = format!(
            "{bash}\nCOMP_WORDS=(idp {words}); COMP_CWORD={count}; _idp idp '{typed}' ''; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        fed("bash", &[], &ask).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete("rec", "rec"), ["recover-owner", "recovery"]);
    assert_eq!(complete("recovery a", "a"), ["approve"]);
    assert_eq!(complete("audit ex", "ex"), ["export"]);
    assert_eq!(complete("serve --pub", "--pub"), ["--public-url"]);
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(idp(&["completions", shell]).contains("recover-owner"), "{shell}");
    }
    assert_eq!(Ran::of(Command::new(env!("CARGO_BIN_EXE_idp")).args(["completions", "sh"]).output().unwrap()).code, 2);
}

#[test]
fn the_settings_in_the_readme_are_the_settings_of_the_program() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let table =
        readme.split("<!-- idp config reference -->\n").nth(1).and_then(|rest| rest.split("<!-- end -->").next());
    let printed = idp(&["config", "reference"]);
    assert_eq!(table.unwrap(), printed, "put what `idp config reference` prints between the marks");
    assert_eq!(printed.lines().count(), 2 + idp::config::SETTINGS.len());
    let help = idp(&["serve", "--help"]);
    for row in printed.lines().skip(2) {
        let cells: Vec<&str> =
            row.split('|').map(|cell| cell.trim().trim_matches('`')).filter(|c| !c.is_empty()).collect();
        let [_, flag, variable, default, sentence] = cells[..] else { panic!("{row}") };
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [flag, variable, default, sentence] {
            assert!(help.contains(part), "{part}");
        }
    }
}

/// A length of time in whole units of so many seconds.
fn units(d: std::time::Duration, seconds: u64) -> u64 {
    assert_eq!(d.as_secs() % seconds, 0);
    d.as_secs() / seconds
}

#[test]
fn the_numbers_in_the_readme_are_those_of_the_policy() {
    use idp::policy::{self, Key, Policy};
    let readme = include_str!("../README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    let (minute, hour, day) = (60, 3_600, 86_400);
    assert_eq!((policy::ISSUED_CODES, policy::WRONG_PASSES), (3, 5));
    assert_eq!(units(Policy::default().lasting(Key::IssuedCodes), day), 7);
    // “within a week”, “an hour stands in”, “a day later”.
    assert_eq!(units(Policy::default().lasting(Key::SameHands), day), 7);
    assert_eq!(units(Policy::default().lasting(Key::CoolingOff), hour), 1);
    assert_eq!(units(policy::LOOSENING, day), 1);
    for says in [
        format!("Open this link within {} hours", units(policy::SETUP_LINK, hour)),
        format!(
            "and set up the new phone within {} minutes. Five wrong passes void it.",
            units(Policy::default().window(), minute)
        ),
        format!(
            "on a number that was on their account for {} days before they asked",
            units(Policy::default().lasting(Key::KnownNumber), day)
        ),
        format!(
            "Set temporary password*, good for {} hours",
            units(Policy::default().lasting(Key::TemporaryPassword), hour)
        ),
        "gives three codes to dictate, good for seven days".to_owned(),
        format!("carries it out, once, within {} hours", units(Policy::default().lasting(Key::ApprovalLife), hour)),
        "What makes it looser takes effect a day later".to_owned(),
        format!("{} MiB of the disk are free", policy::DISK_RESERVE / (1024 * 1024)),
        "you are shown a pass of twelve symbols, once".to_owned(),
        format!("it needs Rust {} and a C compiler", env!("CARGO_PKG_RUST_VERSION")),
        format!("idp {} is ready at", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(readme.contains(&says), "the README does not say: {says}");
    }
    let units = include_str!("../assets/systemd/idp-backup.service");
    assert!(readme.contains("every night and keeps 14") && units.contains("--keep 14"));
}
