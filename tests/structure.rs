//! The house, as a test: reads `src/` and fails where a wall was climbed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Files that may be longer than 400 lines: one machine each, half of it its tests, which reads worse in two.
const LONG_FILES: [&str; 1] = ["host/hash_pool.rs"];
/// Functions that may be longer than 70 lines: tables, one line an entry.
const LONG_FUNCTIONS: [&str; 2] = ["audit/plain.rs: said", "audit/record.rs: into_parts"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Every source file as its path below `src/` and its text.
fn files() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    collect(&source(), &mut paths);
    paths.sort();
    assert!(paths.len() > 80, "{} files", paths.len());
    let name = |path: &PathBuf| path.strip_prefix(source()).unwrap().to_str().unwrap().to_owned();
    paths.into_iter().map(|p| (name(&p), std::fs::read_to_string(&p).unwrap())).collect()
}

/// The code of a file: without comments, and without its tests, which stand at the end.
fn code(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The module at the root that a file belongs to.
fn module(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// What a file names of the crate: the word after each `crate::`, also in `use crate::{a, b::c}`.
fn named(code: &str) -> BTreeSet<String> {
    let word = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split(';').next().unwrap_or_default();
                found.extend(list.split([',', '{', '}']).map(word));
            }
            None => drop(found.insert(word(rest))),
        }
    }
    found
}

/// Which floor a module is on, and which modules above floor 0 it may name.
fn may_name(module: &str) -> Option<&'static [&'static str]> {
    Some(match module {
        "storage" => &["storage"],
        "host" => &["host"],
        "actions" => &["actions", "storage", "host"],
        "pages" => &["pages"],
        "http" | "app" => &["http", "app", "actions", "pages", "storage", "host"],
        "cli" => &["cli", "http", "app", "actions", "pages", "storage", "host"],
        "lib" | "main" => return None,
        _ => &[],
    })
}

const ABOVE_THE_NOUNS: [&str; 7] = ["storage", "host", "actions", "pages", "http", "app", "cli"];

#[test]
fn nothing_imports_upwards() {
    for (file, text) in files() {
        let Some(allowed) = may_name(module(&file)) else { continue };
        for name in named(&code(&text)) {
            let fine = !ABOVE_THE_NOUNS.contains(&&*name) || allowed.contains(&&*name);
            assert!(fine, "src/{file} names crate::{name}, which is not on a floor below it");
        }
    }
}

#[test]
fn pages_and_nouns_have_no_clock_and_no_store() {
    for (file, text) in files() {
        let floor_0_or_pages = !ABOVE_THE_NOUNS.contains(&module(&file)) || module(&file) == "pages";
        if floor_0_or_pages && !["time.rs", "lib.rs", "main.rs"].contains(&&*file) {
            for word in ["SystemTime::now", "Instant::now", "Clock::System", "std::fs::", "std::net::Tcp"] {
                assert!(!code(&text).contains(word), "src/{file} has {word}");
            }
        }
    }
}

#[test]
fn each_library_stays_behind_its_wall() {
    // maud: pages make markup, and the one file of http that turns a page into an answer holds it in its hands.
    let walls: [(&str, &[&str]); 8] = [
        ("rusqlite", &["storage/"]),
        ("tiny_http", &["http/"]),
        ("clap", &["cli/", "config.rs", "config/"]),
        ("lettre", &["host/smtp.rs", "host/smtp/"]),
        ("rustls::", &["host/tls.rs", "host/wire.rs"]),
        ("maud", &["pages/", "http/show.rs"]),
        ("unsafe ", &["host/memory.rs", "host/outq.rs"]),
        ("image::", &["portraits/"]),
    ];
    for (file, text) in files() {
        for (word, places) in walls {
            let inside = places.iter().any(|place| file.starts_with(place));
            assert!(inside || !code(&text).contains(word), "src/{file} has {word}, which belongs into {places:?}");
        }
    }
}

#[test]
fn http_reads_the_store_and_never_writes_but_when_a_session_was_last_seen() {
    for (file, text) in files().iter().filter(|(file, _)| matches!(module(file), "http" | "app")) {
        let code = code(text);
        for door in [".change(", ".touch(", ".touch_later(", ".sweep("] {
            let known = file == "http/guards.rs" && door == ".touch_later(";
            assert!(known || !code.contains(&format!("store{door}")), "src/{file} opens {door}");
        }
        assert!(!code.contains("WriteTx"), "src/{file}");
    }
}

#[test]
fn a_noun_keeps_its_name_on_every_floor() {
    let files = files();
    let nouns: BTreeSet<&str> = files.iter().map(|(f, _)| module(f)).filter(|m| !ABOVE_THE_NOUNS.contains(m)).collect();
    let folder = |floor: &str| -> BTreeSet<String> {
        let below = files.iter().filter_map(|(f, _)| f.strip_prefix(&format!("{floor}/")).map(str::to_owned));
        below.map(|f| module(&f).to_owned()).collect()
    };
    // What each floor has besides the nouns: its machinery, and rows that have no rules of their own.
    let machinery = [
        "anchors", "backup", "carry", "devices", "faults", "instance", "links", "migrate", "mod", "nonces", "plans",
        "readers", "restore", "schema", "signals", "sweep", "touch", "writer",
    ];
    for file in folder("storage") {
        assert!(nouns.contains(&*file) || machinery.contains(&&*file) || file == "factors", "storage/{file}.rs");
    }
    let every: BTreeSet<String> =
        ["storage", "actions", "pages", "http", "cli"].iter().flat_map(|f| folder(f)).collect();
    for forbidden in ["utils", "util", "helpers", "common", "manager", "service", "misc"] {
        assert!(!every.contains(forbidden), "{forbidden}.rs");
    }
    for (page, route) in
        [("sign_in", "sign_in"), ("profile", "profile"), ("grants", "grants"), ("recovery", "recovery")]
    {
        assert!(folder("pages").contains(page) && folder("http").contains(route), "{page}");
    }
}

/// The functions of a file: name, its line's indent, its signature up to the body, its number of lines.
fn functions(text: &str) -> Vec<(String, String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let Some(at) = trimmed.find("fn ") else { continue };
        let before = &trimmed[..at];
        if !before
            .split_whitespace()
            .all(|w| w.starts_with("pub") || matches!(w, "const" | "unsafe" | "async" | "in" | "crate)"))
        {
            continue;
        }
        let indent = line.len() - trimmed.len();
        let close = format!("{}}}", " ".repeat(indent));
        let length =
            if line.ends_with('}') { 1 } else { lines[n..].iter().position(|l| *l == close).map_or(1, |p| p + 1) };
        let name = trimmed[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let signature = lines[n..].join(" ").split(" {").next().unwrap_or_default().to_owned();
        found.push((name, signature.trim_start().to_owned(), length));
    }
    found
}

#[test]
fn who_writes_rows_takes_a_write_transaction() {
    let mut writers = 0;
    for (file, text) in files().iter().filter(|(f, _)| f.starts_with("storage/")) {
        // These make the transactions, or the file before anyone else sees it.
        let makes_them = ["writer.rs", "schema.rs", "restore.rs", "carry.rs", "backup.rs", "faults.rs", "mod.rs"];
        if makes_them.iter().any(|f| file.ends_with(f)) {
            continue;
        }
        let code = code(text);
        for (name, signature, length) in functions(&code) {
            let start = code.find(&format!("fn {name}")).unwrap();
            let body: String = code[start..].lines().take(length.max(1) + 60).collect::<Vec<_>>().join("\n");
            let body = body.split("\n}\n").next().unwrap_or_default();
            let writes = ["\"INSERT ", "\"UPDATE ", "\"DELETE ", "\"REPLACE "].iter().any(|sql| body.contains(sql));
            let verb = ["insert", "update", "delete"].iter().any(|verb| name.starts_with(verb));
            let inner = signature.contains("conn: &Connection") && !signature.contains("pub fn");
            let door = ["touch.rs", "sweep.rs"].iter().any(|f| file.ends_with(f)) && signature.contains("&self");
            if verb || (writes && !door) {
                let given = signature.contains("WriteTx<") || signature.contains("TouchTx<") || inner;
                assert!(given, "src/{file}: {name} writes without a write transaction: {signature}");
                writers += 1;
            }
        }
    }
    assert!(writers > 30, "only {writers} were found");
}

#[test]
fn the_side_doors_offer_exactly_what_is_known() {
    let public = |file: &str, text: &str| -> Vec<String> {
        let of: Vec<_> = functions(text).into_iter().filter(|(_, s, _)| s.starts_with("pub fn")).map(|f| f.0).collect();
        assert!(!of.is_empty(), "{file}");
        of
    };
    let files: BTreeMap<String, String> = files().into_iter().collect();
    let touch = public("touch", &code(&files["storage/touch.rs"]));
    assert_eq!(
        touch,
        [
            "session_seen",
            "seed_prepared",
            "stranger_failed",
            "message_failed",
            "anchored",
            "messages_due",
            "notices_seen",
            "stranger_asked",
            "stream_begun",
            "stream_moved",
            "stream_set_back",
            "stream_failed"
        ]
    );
    let sweep = public("sweep", &code(&files["storage/sweep.rs"]));
    assert_eq!(sweep, ["expired", "unsendable", "list_unknown_failures", "delete_unknown_failures"]);
    // Whoever else takes such a transaction widens the door, from its own file.
    for (file, text) in &files {
        let widens = |door: &str| functions(&code(text)).iter().filter(|f| f.1.contains(door)).count();
        let known = match file.as_str() {
            "storage/throttle.rs" => (1, 0),
            "storage/mod.rs" | "storage/touch.rs" | "storage/sweep.rs" => continue,
            _ => (0, 0),
        };
        assert_eq!((widens("TouchTx<"), widens("SweepTx<")), known, "src/{file}");
    }
    // The door for what is no evidence can not reach what is.
    for table in ["factors", "users", "codes", "code_sets", "cases", "audit", "role_history", "links", "devices"] {
        for verb in ["UPDATE", "INSERT INTO", "DELETE FROM"] {
            let sql = format!("{verb} {table} ");
            assert!(!files["storage/touch.rs"].contains(&sql), "touch.rs has {sql}");
        }
    }
}

#[test]
fn files_and_functions_are_short_enough_to_be_read_and_no_exception_is_listed_in_vain() {
    let (mut long_files, mut long_functions) = (Vec::new(), Vec::new());
    for (file, text) in files() {
        let long = functions(&text).into_iter().filter(|(_, _, lines)| *lines > 70);
        long_functions.extend(long.map(|(name, ..)| format!("{file}: {name}")));
        if text.lines().count() > 400 {
            long_files.push(file);
        }
    }
    assert_eq!(
        (long_files, long_functions),
        (LONG_FILES.map(Into::into).into(), LONG_FUNCTIONS.map(Into::into).into())
    );
}

#[test]
fn no_file_of_tests_is_too_long_to_be_read_either() {
    let mut paths = Vec::new();
    collect(&source().with_file_name("tests"), &mut paths);
    assert!(paths.len() > 80, "{} files", paths.len());
    for path in paths {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines: split it by what it is about", path.display());
    }
}

#[test]
fn nothing_is_left_to_do_later() {
    // Put together here, so that this file does not find itself.
    let marks = [["TO", "DO"], ["FIX", "ME"], ["to", "do!("], ["unimpl", "emented!("]].map(|parts| parts.concat());
    for (file, text) in files() {
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "src/{file} has {mark}");
        }
        let doc = text.starts_with("//!") || file == "main.rs";
        assert!(doc, "src/{file} does not begin with the sentence that it is about");
    }
}

#[test]
fn every_action_has_its_name_once_and_its_sentence() {
    let mut names = BTreeSet::new();
    for action in idp::audit::Action::ALL {
        let (name, sentence) = (action.as_str(), action.sentence());
        assert!(names.insert(name), "{name} stands twice");
        let (noun, verb) = name.split_once('.').expect("a noun, a dot, what happened");
        let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(plain(noun) && plain(verb), "{name}");
        assert!(sentence.len() > 15 && sentence.ends_with('.'), "{name}: {sentence}");
        assert_eq!(name.parse::<idp::audit::Action>().ok().map(|a| a.as_str()), Some(name));
    }
    assert!(names.len() > 25);
}
