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
    assert_eq!(complete("rec", "rec"), ["recover-owner"]);
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
