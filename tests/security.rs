//! What `tests/README.md` promises: that each promise names tests that exist, and those that have no other place.

use std::collections::BTreeSet;
use std::path::Path;

use crate::runbook::{FOUNDED, act, owner_and_member};

const TABLE: &str = include_str!("README.md");

/// Whether the file that a name begins with has a test of this name.
fn exists(name: &str) -> bool {
    let Some((file, test)) = name.rsplit_once("::") else { return false };
    let file = if file.starts_with("src/") { format!("{file}.rs") } else { format!("tests/{file}.rs") };
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let begins = format!("fn {test}(");
    lines.windows(2).any(|pair| pair[0] == "#[test]" && pair[1].starts_with(&begins))
}

#[test]
fn each_promise_names_tests_that_exist() {
    let rows: Vec<&str> = TABLE.lines().filter(|l| l.starts_with("| ") && !l.starts_with("| promise ")).collect();
    assert!(rows.len() > 40, "{} rows", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        assert_eq!(cells.len(), 2, "{row}");
        let names: Vec<&str> = cells[1].split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing shows it: {row}");
        for name in names {
            assert!(exists(name), "there is no test {name}, which should show: {}", cells[0].trim());
        }
    }
    assert!(!exists("security::no_such_test") && !exists("nowhere::each_promise_names_tests_that_exist"));
}

/// Bits of a text whose symbols are drawn from so many that each stands for `each` bits.
fn bits(text: &str, alphabet: &str, each: usize) -> usize {
    let symbols: Vec<char> = text.chars().filter(|c| *c != '-' || alphabet.contains('-')).collect();
    assert!(symbols.iter().all(|c| alphabet.contains(*c)), "{text}");
    symbols.len() * each
}

#[test]
fn each_secret_that_is_made_has_the_bits_that_are_promised_and_is_stored_hashed() {
    const SPOKEN: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const TOKEN: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (world, mut ada, mara) = owner_and_member();
    let mut all: Vec<String> = mara.codes.clone();
    for code in &mara.codes {
        assert!(bits(code, SPOKEN, 5) >= 64, "{code}");
    }
    let issued = act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED).codes();
    let pass = world.reset(&mut ada, &mara.id);
    for spoken in issued.iter().chain([&pass]) {
        assert_eq!(bits(spoken, SPOKEN, 5), 60, "{spoken}");
    }
    let link = world.invite(&mut ada, "noor@fernhill.example", "Noor Haddad", "member");
    let token = link.rsplit('/').next().unwrap().to_owned();
    // 43 symbols: 256 bits, and two that fill the last one up.
    for token in [&token, &ada.cookies["idp-session"], &mara.browser.cookies["idp-session"]] {
        assert_eq!(bits(token, TOKEN, 6), 258, "{token}");
        all.push(token.clone());
    }
    all.extend(issued.into_iter().chain([pass]));
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 10 + 3 + 3 + 1, "no two are alike");
    for secret in &all {
        assert!(!world.stores(secret) && !world.stores(secret.replace('-', "")), "{secret}");
    }
    // Each symbol of the alphabet is used: none of the bits is a constant.
    let used: BTreeSet<char> = mara.codes.iter().flat_map(|code| code.chars()).filter(|c| *c != '-').collect();
    assert!(used.len() > 24, "{used:?}");
}

#[test]
fn the_database_has_a_log_and_strict_tables() {
    let (world, ..) = owner_and_member();
    let db = rusqlite::Connection::open(world.database()).unwrap();
    let mode: String = db.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    let lists = |strict: u8| {
        let sql = "SELECT count(*) FROM pragma_table_list
                   WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' AND strict = ?1";
        db.query_row(sql, [strict], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert!(lists(1) > 10, "{}", lists(1));
    assert_eq!(lists(0), 0, "every table is STRICT");
}
