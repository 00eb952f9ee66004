//! Somebody erases on their own, or makes it look so: `idp audit verify` of the database says what and where.

use idp::audit::{Action, Header, chain};
use rusqlite::Connection;

use super::Firm;

/// A firm whose old entries were erased, without a server, and what somebody does to its file who can write it.
struct Tampered {
    firm: Firm,
    through: i64,
}

impl Tampered {
    fn new() -> Self {
        let mut firm = Firm::aged();
        firm.world.sweep();
        firm.goes_on(2);
        firm.ada();
        let through = firm.world.count("SELECT pruned_through FROM instance");
        assert!(firm.verify(&[]).starts_with("UNANCHORED"));
        Self { firm, through }
    }

    /// Opens the way into the trail and closes it again; as it was once the verdict was given.
    #[track_caller]
    fn is_said(&self, sql: &str, says: &str) {
        let path = self.firm.world.database();
        let saved = self.firm.world.data().join("saved.db");
        let db = Connection::open(&path).unwrap();
        db.execute_batch(&format!("VACUUM INTO '{}'", saved.display())).unwrap();
        let copy = Connection::open(&saved).unwrap();
        let guard = "SELECT sql FROM sqlite_schema WHERE name = 'audit_is_append_only_update'";
        let guard: String = copy.query_row(guard, [], |row| row.get(0)).unwrap();
        copy.execute_batch(&format!("DROP TRIGGER audit_is_append_only_update; {sql}; {guard}")).unwrap();
        drop(copy);
        let said = self.firm.verify(&[saved.to_str().unwrap()]);
        assert!(said.starts_with("INVALID: ") && said.lines().next().unwrap().contains(says), "{sql}: {said}");
        std::fs::remove_file(&saved).unwrap();
    }

    fn pruned(&self) -> i64 {
        self.firm.world.entries_of(Action::AuditPruned)[0].header.seq
    }
}

#[test]
fn a_body_that_is_gone_without_a_record_is_named_whatever_the_database_says_of_itself() {
    let tampered = Tampered::new();
    let (next, through) = (tampered.firm.young(), tampered.through);
    let gone = |seq: i64| format!("UPDATE audit SET salt = NULL, body = NULL WHERE seq = {seq}");
    tampered.is_said(&gone(next), &format!("entry {next} has lost its body"));
    let forged = format!("{}; UPDATE instance SET pruned_through = {next}", gone(next));
    tampered.is_said(&forged, &format!("entry {next} has lost its body"));
    let forged = format!("UPDATE instance SET pruned_through = {next}");
    let says = format!(
        "entry {next} is where the database says that erasing has come to; the trail records it up to entry {through}"
    );
    tampered.is_said(&forged, &says);
    tampered.is_said(
        "UPDATE instance SET pruned_through = 0",
        &format!("entry {through} is recorded as erased; the database"),
    );
}

#[test]
fn what_is_of_a_kind_that_is_kept_is_never_erased_soundly() {
    let tampered = Tampered::new();
    tampered.is_said("UPDATE audit SET salt = NULL, body = NULL WHERE seq = 1", "entry 1 has lost its body");
    let pruned = tampered.pruned();
    let sql = format!("UPDATE audit SET salt = NULL, body = NULL WHERE seq = {pruned}");
    // Without the record nothing before it is recorded as erased.
    tampered.is_said(&sql, "entry 2 has lost its body");
    let sql = format!("{sql}; UPDATE instance SET pruned_through = 0");
    tampered.is_said(&sql, "entry 2 has lost its body");
}

#[test]
fn a_record_that_says_something_else_is_not_the_one_that_was_written() {
    let tampered = Tampered::new();
    let (pruned, through, young) = (tampered.pruned(), tampered.through, tampered.firm.young());
    let sql = format!(
        "UPDATE audit SET body = replace(body, '\"through\":{through}', '\"through\":{young}') WHERE seq = {pruned};
         UPDATE audit SET salt = NULL, body = NULL WHERE seq = {young}; UPDATE instance SET pruned_through = {young}"
    );
    tampered.is_said(&sql, "entry 2 has lost its body");
    // Less than that, and old enough: then it is the record itself that is not what was written.
    let sql = format!("UPDATE audit SET body = replace(body, '\"days\":400', '\"days\":500') WHERE seq = {pruned}");
    tampered.is_said(&sql, &format!("entry {pruned} has a body that is not the one it was written with"));
}

#[test]
fn another_body_in_the_place_of_one_that_was_erased_is_named_and_so_is_the_same_one() {
    let tampered = Tampered::new();
    let put = |body: &str| format!("UPDATE audit SET salt = zeroblob(16), body = '{body}' WHERE seq = 3");
    tampered.is_said(&put("{}"), "entry 3 has a body that is not the one it was written with");
    let firm = Firm::aged();
    let note = firm.world.entries_of(Action::UserNoteAdded)[0].clone();
    let (seq, salt, body) = (note.header.seq, note.salt.unwrap(), note.body.unwrap());
    assert_eq!(chain::body_digest(&salt, &body), note.body_digest);
    firm.world.sweep();
    let tampered = Tampered { through: firm.world.count("SELECT pruned_through FROM instance"), firm };
    let salt = data_encoding::HEXLOWER.encode(&salt);
    let sql = format!("UPDATE audit SET salt = x'{salt}', body = '{body}' WHERE seq = {seq}");
    tampered.is_said(&sql, &format!("entry {seq} has its body, and the trail records that it was erased"));
}

#[test]
fn a_record_with_every_hash_right_does_not_erase_what_is_young_nor_leave_anything_out() {
    // Who owns the host can write entries; not such that erase what is not a year old.
    let tampered = Tampered::new();
    let (head, through) = (tampered.firm.world.head(), tampered.through);
    let young = append(&tampered.firm, through + 1, head);
    tampered.is_said(&young, &format!("entry {} records that bodies were erased that were not old enough", head + 1));
    let gap = append(&tampered.firm, through + 2, through + 2);
    let says =
        format!("entry {} records that bodies were erased, and not from where the record before ended", head + 1);
    tampered.is_said(&gap, &says);
}

/// An entry of which every hash is right.
fn append(firm: &Firm, first: i64, through: i64) -> String {
    let last = firm.world.entries().pop().unwrap();
    let body = format!(r#"{{"detail":{{"days":400,"first":{first},"through":{through}}}}}"#);
    let digest = chain::body_digest(&[0; 16], &body);
    let header = Header {
        seq: last.header.seq + 1,
        action: "audit.pruned".into(),
        outcome: "success".into(),
        actor_kind: "system".into(),
        actor_id: None,
        target_kind: "system".into(),
        target_id: None,
        case: None,
        ..last.header
    };
    let hash = chain::entry_hash(&last.hash, &header, &digest);
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    format!(
        "INSERT INTO audit (seq, lineage, at, action, outcome, actor_kind, target_kind, salt, body, body_digest, prev_hash, hash)
         VALUES ({}, '{}', {}, 'audit.pruned', '{}', 'system', 'system', zeroblob(16), '{body}', x'{}', x'{}', x'{}')",
        header.seq,
        header.lineage,
        header.at.as_micros(),
        header.outcome,
        hex(&digest),
        hex(&last.hash),
        hex(&hash)
    )
}
