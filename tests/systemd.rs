//! Under systemd, with the units that the README has: systemd's own checker reads them, and the server says how far it is.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use crate::cli_world::{Folder, Ran};
use crate::served::Server;

/// The README's units, by the name of their file.
fn units() -> Vec<(&'static str, &'static str)> {
    let block = include_str!("../README.md").split("```ini\n").nth(1).and_then(|rest| rest.split("```").next());
    let files = block.expect("the README has units").split("# /etc/systemd/system/").skip(1);
    files.filter_map(|file| file.split_once('\n')).collect()
}

#[test]
fn a_service_manager_is_told_when_requests_are_taken_and_when_the_server_stops() {
    let folder = Folder::new();
    let path = folder.beside("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let heard = || {
        let mut said = [0; 64];
        let length = manager.recv(&mut said).unwrap();
        String::from_utf8(said[..length].to_vec()).unwrap()
    };
    let data = folder.data();
    let server = Server::start(&["--data", data.to_str().unwrap()], |command| {
        command.env("NOTIFY_SOCKET", &path);
    });
    assert_eq!(heard(), "READY=1");
    server.stop();
    assert_eq!(heard(), "STOPPING=1");
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units_of_the_readme() {
    let room = tempfile::tempdir().unwrap();
    let units = units();
    assert_eq!(
        units.iter().map(|u| u.0).collect::<Vec<_>>(),
        ["idp.service", "idp-backup.service", "idp-backup.timer"]
    );
    for (name, unit) in units {
        let path = room.path().join(name);
        std::fs::write(&path, unit.replace("/usr/local/bin/idp", env!("CARGO_BIN_EXE_idp"))).unwrap();
        let mut command = Command::new("systemd-analyze");
        let ran = Ran::of(command.args(["verify", "--man=no"]).arg(path).output().expect("systemd-analyze"));
        assert!(ran.code == 0 && ran.out.is_empty() && ran.err.is_empty(), "{name}: {ran:?}");
    }
    let mut command = Command::new("systemd-analyze");
    let unit = room.path().join("idp.service");
    // The scale ends at 10.0; the threshold is in tenths.
    let ran = Ran::of(command.args(["security", "--offline=true", "--threshold=15"]).arg(unit).output().unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");
}
