//! Run by systemd: the units of `assets/systemd/`, and what the server tells a service manager.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::cli_world::{Folder, Ran, names};
use crate::served::Server;

#[test]
fn a_service_manager_is_told_when_the_server_is_ready_and_when_it_stops() {
    let folder = Folder::new();
    let path = folder.beside("notify");
    let name = format!("idp-test-{}", std::process::id());
    let abstract_name = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
    let sockets = [
        (path.display().to_string(), UnixDatagram::bind(&path).unwrap()),
        (format!("@{name}"), UnixDatagram::bind_addr(&abstract_name).unwrap()),
    ];
    for (address, socket) in sockets {
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let heard = || {
            let mut buffer = [0; 64];
            let length = socket.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        };
        let data = folder.data();
        let server = Server::start(&["--data", data.to_str().unwrap()], |command| {
            command.env("NOTIFY_SOCKET", &address);
        });
        assert_eq!(heard(), "READY=1", "{address}");
        assert_eq!(server.get("GET", "/healthz").status, 200);
        server.stop();
        assert_eq!(heard(), "STOPPING=1", "{address}");
    }
    // A service manager that has gone away stops no server.
    let server = Server::start(&["--data", folder.data().to_str().unwrap()], |command| {
        command.env("NOTIFY_SOCKET", folder.beside("absent"));
    });
    assert_eq!(server.get("GET", "/healthz").status, 200);
    server.stop();
}

#[test]
fn the_units_are_taken_without_a_complaint_and_leave_little_open() {
    let units = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/systemd"));
    let room = tempfile::tempdir().unwrap();
    let all = names(units);
    assert_eq!(all.iter().collect::<Vec<_>>(), ["idp-backup.service", "idp-backup.timer", "idp.service"]);
    for name in &all {
        let text = std::fs::read_to_string(units.join(name)).unwrap();
        // The program has to be there, and where the units say it is it need not be on this machine.
        let text = text.replace("/usr/local/bin/idp", env!("CARGO_BIN_EXE_idp"));
        std::fs::write(room.path().join(name), text).unwrap();
    }
    let analyze = |args: &[&str], names: &[&str]| {
        let mut command = Command::new("systemd-analyze");
        command.args(args).args(names.iter().map(|name| room.path().join(name)));
        Ran::of(command.output().expect("systemd-analyze"))
    };
    for name in &all {
        let ran = analyze(&["verify", "--man=no"], &[name]);
        // Other units of this machine are none of ours.
        assert!(ran.code == 0 && !ran.err.contains("idp"), "{name}: {ran:?}");
    }
    let readme = include_str!("../README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    // What stands there for cron is what the timer runs: with the whole path, for cron looks for programs in few places.
    let service = include_str!("../assets/systemd/idp-backup.service");
    let command = service.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    assert!(readme.contains(&format!("15 2 * * * {command}")), "{command}");
    assert!(readme.contains("`systemd-analyze security` says 1.5 of 10 or less"));
    // Out of 10 that a unit without any wall has; in tenths here.
    for (name, most) in [("idp.service", "15"), ("idp-backup.service", "10")] {
        let ran = analyze(&["security", "--no-pager", "--offline=true", &format!("--threshold={most}")], &[name]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.out.lines().last().unwrap_or_default());
    }
}
