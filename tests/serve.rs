//! `idp serve`, the real program: what it makes, what it refuses, and how it ends.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::cli_world::{Folder, Ran, mode, names};
use crate::served::{Heard, Server};

/// Starts the server on `folder`.
fn serve(folder: &Path, args: &[&str]) -> Server {
    Server::start(&[&["--data", folder.to_str().unwrap()], args].concat(), |_| ())
}

/// Runs `idp serve` where it has to refuse; if it serves instead, it is ended after a while and the code is another.
fn try_to_serve(folder: &Path, args: &[&str], prepare: impl FnOnce(&mut Command)) -> Ran {
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "60", env!("CARGO_BIN_EXE_idp"), "serve", "--data"]).arg(folder);
    command.args(["--listen", "127.0.0.1:0"]).args(args);
    prepare(&mut command);
    Ran::of(command.output().unwrap())
}

#[test]
fn the_first_start_makes_private_files_under_any_umask_and_each_start_without_an_owner_prints_a_new_link() {
    let room = tempfile::tempdir().unwrap();
    let data = room.path().join("data");
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_idp"), "serve", "--listen", "127.0.0.1:0"]);
    let mut first = Server::of(shell.arg("--data").arg(&data));
    let old_link = first.setup_path();
    assert_eq!(first.get("GET", &old_link).status, 200);
    assert_eq!(mode(&data), 0o700);
    let files = names(&data);
    for name in ["idp.db", "seed.key", "audit-signing.key", "idp.lock"] {
        assert!(files.contains(name), "{files:?}");
    }
    for name in files {
        assert_eq!(mode(&data.join(&name)), 0o600, "{name}");
    }
    first.stop();

    let mut second = serve(&data, &[]);
    let new_link = second.setup_path();
    assert_ne!(new_link, old_link);
    assert_eq!(second.get("GET", &old_link).status, 410);
    assert_eq!(second.get("GET", &new_link).status, 200);
    second.stop();
}

#[test]
fn a_data_folder_reached_through_a_link_works_and_a_link_in_place_of_the_database_does_not() {
    let room = tempfile::tempdir().unwrap();
    std::fs::create_dir(room.path().join("disk")).unwrap();
    std::os::unix::fs::symlink("disk", room.path().join("link")).unwrap();
    let data = room.path().join("link/idp-data");
    drop(serve(&data, &[]));
    let database = data.join("idp.db");
    std::fs::rename(&database, room.path().join("elsewhere.db")).unwrap();
    std::os::unix::fs::symlink(room.path().join("elsewhere.db"), &database).unwrap();
    try_to_serve(&data, &[], |_| ()).refused(2, "can not serve");
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let folder = Folder::new();
    let first = serve(&folder.data(), &[]);
    try_to_serve(&folder.data(), &[], |_| ()).refused(2, "another idp process (a server or a restore) uses");
    assert_eq!(first.get("GET", "/sign-in").status, 200);
    first.stop();
    serve(&folder.data(), &[]).stop();
}

#[test]
fn a_folder_that_does_not_hold_what_it_should_is_refused_and_left_as_it_was() {
    let refused = |prepare: &dyn Fn(&Folder), what: &str| {
        let folder = Folder::new();
        prepare(&folder);
        // The lock's file says nothing, and may go.
        let ours = || names(&folder.data()).into_iter().filter(|name| name != "idp.lock").collect::<Vec<_>>();
        let before = ours();
        try_to_serve(&folder.data(), &[], |_| ()).refused(2, what);
        assert_eq!(ours(), before, "{what}");
    };
    let tampered = |sql: &'static str| move |folder: &Folder| folder.tamper(sql);
    let triggers = "DROP TRIGGER audit_is_append_only_update; DROP TRIGGER audit_is_append_only_delete;";
    refused(&|f| std::fs::remove_file(f.database()).unwrap(), "holds seed.key but no idp.db");
    refused(&|f| std::fs::remove_file(f.data().join("seed.key")).unwrap(), "holds a database but no seed.key");
    refused(&|f| std::fs::write(f.database(), "no database").unwrap(), "is not a usable database");
    refused(&|f| std::fs::write(f.database(), "").unwrap(), "another program made it, or none");
    refused(&tampered("PRAGMA application_id = 7"), "another program made it");
    refused(&tampered("PRAGMA user_version = 99"), "was written by a newer version");
    refused(&tampered("PRAGMA user_version = 0"), "its schema version is 0");
    refused(&tampered("UPDATE instance SET lineage = 'ffffffffffffffff'"), "belongs to another lineage");
    refused(&|f| f.tamper(&format!("{triggers} DELETE FROM audit")), "its audit trail is empty");
    let edited = format!("{triggers} UPDATE audit SET action = 'user.created' WHERE seq = 1");
    refused(&|f| f.tamper(&edited), "idp audit verify says more");
}

#[test]
fn a_port_in_use_is_said_so_and_makes_no_folder() {
    let room = tempfile::tempdir().unwrap();
    let data = room.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
    command.args(["serve", "--listen", &address, "--data"]).arg(&data);
    Ran::of(command.output().unwrap()).refused(2, &format!("can not listen on {address}"));
    assert!(!data.exists());
}

#[test]
fn a_misspelt_setting_is_named_with_the_nearest_right_one() {
    let folder = Folder::new();
    let file = folder.data().join("idp.toml");
    std::fs::write(&file, "orgnisation = \"Fernhill\"").unwrap();
    let ran = try_to_serve(&folder.data(), &[], |_| ());
    assert!(ran.err.contains("orgnisation") && ran.err.contains(file.to_str().unwrap()), "{ran:?}");
    ran.refused(2, "organisation");
    std::fs::remove_file(&file).unwrap();
    let ran = try_to_serve(&folder.data(), &[], |command| {
        command.env("IDP_LISTNE", "127.0.0.1:0");
    });
    assert!(ran.err.contains("IDP_LISTNE"), "{ran:?}");
    ran.refused(2, "IDP_LISTEN");
    let ran = try_to_serve(&folder.data(), &["--organization", "Fernhill"], |_| ());
    assert!(ran.code == 2 && ran.err.contains("--organisation"), "{ran:?}");
    try_to_serve(&folder.data(), &["--hash-workers", "none"], |_| ()).refused(2, "write a number from 1 to 64");
}

#[test]
fn flags_win_over_variables_and_those_over_the_file_and_that_over_the_default() {
    let folder = Folder::new();
    let data = folder.data();
    let shown = |args: &[&str], variable: Option<&str>| {
        let args = [&["--data", data.to_str().unwrap()], args].concat();
        let set = |command: &mut Command| {
            command.envs(variable.map(|v| ("IDP_ORGANISATION", v)));
        };
        let server = Server::start(&args, set);
        let page = server.get("GET", "/sign-in").body;
        server.stop();
        let title = page.split("<title>").nth(1).and_then(|t| t.split("</title>").next()).unwrap();
        title.rsplit(" · ").next().unwrap().to_owned()
    };
    assert_eq!(shown(&[], None), "idp");
    std::fs::write(folder.data().join("idp.toml"), "organisation = \"Of the file\"").unwrap();
    assert_eq!(shown(&[], None), "Of the file");
    assert_eq!(shown(&[], Some("Of the variable")), "Of the variable");
    assert_eq!(shown(&["--organisation", "Of the flag"], Some("Of the variable")), "Of the flag");
}

#[test]
fn a_read_only_data_folder_is_refused_with_what_to_check() {
    let folder = Folder::new();
    let set = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    let root = rustix::process::geteuid().is_root();
    if root {
        // Modes mean nothing to root: the server runs as nobody, who owns the files.
        chown(folder.data().parent().unwrap(), Some(65_534), None).unwrap();
        for name in names(&folder.data()) {
            chown(folder.data().join(name), Some(65_534), None).unwrap();
        }
        chown(folder.data(), Some(65_534), None).unwrap();
    }
    let as_nobody = |command: &mut Command| {
        if root {
            command.uid(65_534);
        }
    };
    let files: Vec<_> = names(&folder.data()).into_iter().map(|name| folder.data().join(name)).collect();
    files.iter().for_each(|file| set(file, 0o400));
    set(&folder.data(), 0o500);
    let ran = try_to_serve(&folder.data(), &[], as_nobody);
    set(&folder.data(), 0o700);
    files.iter().for_each(|file| set(file, 0o600));
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("can not be written") || ran.err.contains("ermission denied"), "{ran:?}");
    // Nothing has to be repaired.
    let mut server = Server::start(&["--data", folder.data().to_str().unwrap()], as_nobody);
    let link = server.setup_path();
    assert_eq!(server.get("GET", &link).status, 200);
    server.stop();
}

#[test]
fn a_term_signal_finishes_the_requests_under_way_and_writes_everything_down() {
    let folder = Folder::new();
    let mut server = serve(&folder.data(), &["--hash-workers", "1"]);
    let page = server.get("GET", "/sign-in");
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("csrf", &*page.hidden("csrf")), ("email", "nobody@fernhill.example"), ("password", "a guess")])
        .finish();
    let request = format!(
        "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nContent-Type: application/x-www-form-urlencoded\
         \r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answers: Vec<Heard> = std::thread::scope(|scope| {
        // One worker takes them one after another: most are under way when the signal comes.
        let ask = || server.ask(&request);
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        std::thread::sleep(std::time::Duration::from_millis(70));
        server.terminate();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    for answer in &answers {
        assert_eq!(answer.status, 401, "{}", answer.body);
    }
    assert_eq!(server.wait().code(), Some(0));
    assert!(TcpStream::connect(&server.address).is_err());
    assert_eq!(folder.count("SELECT count(*) FROM unknown_failures"), 0);
    let counted = "SELECT sum(body ->> '$.detail.count') FROM audit WHERE action = 'user.sign_in_failed'";
    assert_eq!(folder.count(counted), 4);
}

#[test]
fn every_answer_over_the_socket_carries_the_headers_that_protect_it() {
    let folder = Folder::new();
    let server = serve(&folder.data(), &[]);
    let post = |path: &str, length: usize| {
        let kind = "Content-Type: application/x-www-form-urlencoded";
        format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{kind}\r\nContent-Length: {length}\r\n\r\n")
    };
    let large_head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\n\r\n", "a".repeat(17 * 1024));
    let answers = [
        (200, server.get("GET", "/sign-in")),
        (200, server.get("HEAD", "/sign-in")),
        (303, server.get("GET", "/profile")),
        (404, server.get("GET", "/nothing-here")),
        (405, server.get("DELETE", "/sign-in")),
        (413, server.ask(&post("/sign-in", 1_000_000))),
        (431, server.ask(&large_head)),
        (400, server.ask("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")),
        // The one form that may be long, from a stranger.
        (401, server.ask(&post("/admin/users/x/portrait", 1_000_000))),
    ];
    for (status, heard) in &answers {
        assert_eq!(heard.status, *status, "{heard:?}");
        assert!(heard.header("content-security-policy").contains("frame-ancestors 'none'"), "{heard:?}");
        assert!(!heard.header("content-security-policy").contains("unsafe-inline"));
        assert_eq!(heard.header("x-content-type-options"), "nosniff");
        assert_eq!(heard.header("referrer-policy"), "same-origin");
        assert_eq!(heard.header("cache-control"), "no-store");
    }
    let (get, head) = (&answers[0].1, &answers[1].1);
    assert!(head.body.is_empty() && !get.body.is_empty());
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    assert_eq!(answers[4].1.header("allow"), "GET, POST, HEAD");
    assert!(answers[3].1.body.contains("Nothing is here") && answers[5].1.body.contains("too much at once"));
    assert!(answers[8].1.body.contains("href=\"/sign-in\""), "{}", answers[8].1.body);
    server.stop();
}
