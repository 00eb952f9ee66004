//! Copies of checkpoints where this host can not change them: mailed, printed, and what the console says of them.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use idp::actions::checkpoint::keep_up;
use idp::actions::deliver::Courier;
use idp::audit::checkpoint::Checkpoint;
use idp::audit::{Action, Entry, chain};
use idp::policy::Key;

use crate::audit_download::{export, unpack};
use crate::cli_world::{Folder, Ran};
use crate::mail::with_server;
use crate::mail_server::{MailServer, Mode, Received};
use crate::runbook::reset;
use crate::world::{Browser, Member, PASSWORD, World};

const HOUR: Duration = Duration::from_secs(3_600);

/// An organisation with an owner, an admin, an auditor and a member, whose mail arrives.
struct House {
    world: World,
    ada: Browser,
    lena: Member,
    server: MailServer,
    courier: Courier,
    read: usize,
}

impl House {
    fn new() -> Self {
        let server = MailServer::start(Mode::Plain);
        let (world, mut ada, _) = World::with("https://id.fernhill.example", with_server(&server)).owned();
        world.person(&mut ada, "tom@fernhill.example", "Tom Okafor", "admin");
        world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
        let lena = world.person(&mut ada, "lena@fernhill.example", "Lena Fors", "auditor");
        let mut house = Self { world, ada, lena, server, courier: Courier::default(), read: 0 };
        house.letters();
        house
    }

    /// What the server's threads do: signing, then sending. What arrived by that.
    fn letters(&mut self) -> Vec<Received> {
        keep_up(&self.world.app.means.store, self.world.now(), true, false).unwrap();
        let smtp = self.world.app.settings.mail.clone().unwrap();
        self.world.app.mail_round(&mut self.courier, &smtp, &|| true).unwrap();
        let all = self.server.received();
        let new = all[self.read..].to_vec();
        self.read = all.len();
        new
    }

    fn idp(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        Ran::of(command.args(args).arg("--data").arg(self.world.data()).output().unwrap())
    }

    /// To whom anchors went.
    fn kept_by(&mut self) -> Vec<String> {
        self.letters().iter().map(|letter| letter.to[0].clone()).collect()
    }

    fn set_policy(&mut self, key: Key, value: &str) {
        let path = format!("/admin/policy/{}", key.as_str());
        self.ada.get(&path);
        let answer = self.ada.post(&path, &[("value", value), ("reason", "Less mail")]);
        assert_eq!(answer.status, 303, "{}", answer.text());
    }
}

#[test]
fn owners_and_auditors_get_an_anchor_once_a_day_and_nobody_else_does() {
    let mut house = House::new();
    house.world.later(22 * HOUR);
    assert!(house.kept_by().is_empty(), "no day has passed");
    house.world.later(3 * HOUR);
    assert_eq!(house.kept_by(), ["ada@fernhill.example", "lena@fernhill.example"]);
    assert!(house.kept_by().is_empty());
    house.world.later(23 * HOUR);
    assert!(house.kept_by().is_empty());
    // Signed for another reason shortly before, so that the day's own occasion is not there.
    assert_eq!(house.idp(&["audit", "export", "-o", house.world.data().join("x").to_str().unwrap()]).code, 0);
    house.world.later(2 * HOUR);
    assert_eq!(house.kept_by(), ["ada@fernhill.example", "lena@fernhill.example"]);
    let told = house.world.entries_of(Action::NoticeSent);
    let told = told.iter().filter(|e| e.body.as_ref().unwrap().contains(r#""kind":"anchor""#)).count();
    assert_eq!(told, 4, "each is on record");
}

#[test]
fn an_owner_sets_how_often_and_less_often_takes_effect_a_day_later() {
    let mut house = House::new();
    let page = house.ada.get("/admin/policy/anchor_mails");
    assert!(page.says("“Keep this: receipt for … entries of the audit log”") && page.says("stay as good as they were"));
    house.set_policy(Key::AnchorMails, "1");
    house.letters();
    house.world.later(25 * HOUR);
    assert_eq!(house.kept_by().len(), 0, "from now on it is once a week");
    house.world.later(6 * 24 * HOUR);
    assert_eq!(house.kept_by().len(), 2);
}

#[test]
fn a_mail_that_was_saved_as_it_came_shows_whether_the_log_is_still_what_it_was() {
    let mut house = House::new();
    house.world.later(25 * HOUR);
    let letter = house.letters().remove(0);
    let text = letter.text.clone().unwrap();
    assert!(letter.subject.starts_with("Keep this: receipt for "), "{}", letter.subject);
    assert!(text.contains("Please keep this message") && text.contains("idp audit verify --anchor FILE"), "{text}");
    assert!(text.contains("does not mean that anything happened") && text.contains("/admin/audit/promises"), "{text}");
    let [checkpoint] = &Checkpoint::find_all(&text)[..] else { panic!("{text}") };
    let eml = house.world.data().join("mail.eml");
    std::fs::write(&eml, letter.raw()).unwrap();
    let file = letter.raw();
    assert!(file.contains(&format!("filename=\"anchor-{}.txt\"", checkpoint.point.seq)), "{file}");
    let said = house.idp(&["audit", "verify", "--anchor", eml.to_str().unwrap()]).done();
    assert!(said.starts_with(&format!("ANCHORED to entry {} ", checkpoint.point.seq)), "{said}");

    // Somebody who owns the host lets another have done what the owner did, and makes the whole chain fit again.
    let forged = house.world.data().join("forged.db");
    house.idp(&["backup", forged.to_str().unwrap()]).done();
    rewrite(&forged, &house.world.entries());
    let unsuspecting = house.idp(&["audit", "verify", forged.to_str().unwrap()]).done();
    assert!(unsuspecting.starts_with("UNANCHORED"), "{unsuspecting}");
    let ran = house.idp(&["audit", "verify", forged.to_str().unwrap(), "--anchor", eml.to_str().unwrap()]);
    assert!(ran.code == 1 && ran.out.starts_with("DIVERGED"), "{ran:?}");
}

/// Names somebody else as who did what a person did, and computes every hash from there on anew.
fn rewrite(database: &Path, entries: &[Entry]) {
    let conn = rusqlite::Connection::open(database).unwrap();
    conn.execute_batch("DROP TRIGGER audit_is_append_only_update").unwrap();
    let (mut before, mut changed) = (chain::GENESIS, false);
    for entry in entries {
        let mut header = entry.header.clone();
        if !changed && header.actor_id.is_some() {
            (header.actor_id, changed) = (Some("01a20e80-0000-7000-8000-00000000000f".into()), true);
        }
        let hash = chain::entry_hash(&before, &header, &entry.body_digest);
        let sql = "UPDATE audit SET actor_id = ?2, prev_hash = ?3, hash = ?4 WHERE seq = ?1";
        conn.execute(sql, (header.seq, header.actor_id, before, hash)).unwrap();
        before = hash;
    }
    assert!(changed);
    let guard = include_str!("../schema.sql").split("CREATE TRIGGER audit_is_append_only_update").nth(1).unwrap();
    let guard = &guard[..guard.find("END;").unwrap() + 4];
    conn.execute_batch(&format!("CREATE TRIGGER audit_is_append_only_update{guard}")).unwrap();
}

/// The anchor at the end of a line that was printed.
fn printed(line: &str) -> Checkpoint {
    let text: String = serde_json::from_str(line.trim_end().split_once("anchor ").unwrap().1).unwrap();
    Checkpoint::parse(&text).unwrap()
}

#[test]
fn a_backup_prints_an_anchor_at_the_end_of_its_line_and_an_export_says_one_beside_what_it_writes() {
    let folder = Folder::new();
    let line = folder.idp(&["backup", "copy.db"]).done();
    assert_eq!(line.lines().count(), 1);
    let anchor = printed(&line);
    // The line as it is, in whatever cron or a shell keeps it in.
    std::fs::write(folder.beside("anchor"), format!("02:15 {line}")).unwrap();
    let said = folder.idp(&["audit", "verify", "--anchor", "anchor"]).done();
    assert!(said.starts_with("ANCHORED to entry 2 "), "{said}");
    let ran = folder.idp(&["audit", "export"]);
    assert!(ran.code == 0 && ran.out.lines().all(|line| line.starts_with('{')), "{ran:?}");
    let (words, text) = ran.err.trim_end().split_once("change it: ").unwrap();
    assert_eq!(words, "idp: an anchor, to be kept where nobody on this host can ");
    let none = folder.idp(&["audit", "export", "--action", "audit.pruned"]);
    assert!(none.out.is_empty() && none.err.starts_with("idp: no entry matches, so none was exported\n"), "{none:?}");
    let text: String = serde_json::from_str(text).unwrap();
    assert_eq!(Checkpoint::parse(&text).unwrap().point.seq, anchor.point.seq + 2);
    // Without the key there is none, and both commands still do what they are for.
    std::fs::remove_file(folder.data().join("audit-signing.key")).unwrap();
    let ran = folder.idp(&["backup", "copy.db"]);
    assert!(ran.code == 0 && !ran.out.contains("anchor") && ran.err.contains("no checkpoint of the trail"), "{ran:?}");
}

#[test]
fn the_console_says_where_the_last_anchor_went_and_what_to_do_where_there_is_none() {
    let mut house = House::new();
    let none = "No anchor yet: nothing outside this host says how far the log has come.";
    let page = house.lena.browser.get("/admin/audit");
    assert!(page.says(none) && page.says("Owners and auditors are mailed one once a day."), "{}", page.text());
    house.world.later(25 * HOUR);
    let [first, ..] = &house.letters()[..] else { panic!("two mails") };
    let seq = Checkpoint::find_all(first.text.as_deref().unwrap())[0].point.seq;
    let mut lena = house.world.browser();
    lena.sign_in(&house.world, &house.lena.email, PASSWORD, &house.lena.phone);
    let page = lena.get("/admin/audit");
    assert!(page.says(&format!("Last anchor: of {seq} entries")) && page.says("mailed to 2 people"), "{}", page.text());
    assert!(page.body.contains("href=\"/admin/audit/promises#anchors\""));
    house.idp(&["backup", house.world.data().join("copy.db").to_str().unwrap()]).done();
    let page = lena.get("/admin/audit");
    assert!(page.says("printed by idp backup") && page.says("for whoever keeps what that prints"), "{}", page.text());
}

/// What the second verifier says, run with what lies in the folder and nothing else of ours.
fn second(folder: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new("/usr/bin/python3");
    Ran::of(command.arg("verify_export.py").args(args).current_dir(folder).env_clear().output().unwrap())
}

#[test]
fn with_yesterdays_mail_alone_the_second_verifier_shows_that_an_export_is_genuine_and_complete() {
    let mut house = House::new();
    let mara = house.world.user("mara@fernhill.example").id.to_string();
    let jonas = house.world.person(&mut house.ada, "jonas@fernhill.example", "Jonas Weber", "member").id;
    reset(&mut house.ada, &mara);
    reset(&mut house.ada, &jonas);
    house.letters();
    house.world.later(25 * HOUR);
    let letters = house.letters();
    let letter = letters.iter().find(|letter| letter.subject.starts_with("Keep this")).unwrap();
    let seq = Checkpoint::find_all(letter.text.as_deref().unwrap())[0].point.seq;
    // A day later, with one more reset that the mail can not know of.
    house.world.later(24 * HOUR);
    house.idp(&["recover-owner", "ada@fernhill.example", "--reason", "Lost phone"]).done();

    let desk = tempfile::tempdir().unwrap();
    let on_desk = |name: &str| desk.path().join(name);
    std::fs::write(on_desk("mail.eml"), letter.raw()).unwrap();
    let mut lena = house.world.browser();
    lena.sign_in(&house.world, &house.lena.email, PASSWORD, &house.lena.phone);
    std::fs::write(on_desk("verify_export.py"), &lena.get("/admin/audit/verifier").body).unwrap();
    let mut handed_over = Vec::new();
    for ending in ["jsonl", "csv"] {
        let fields = [("action", "mfa.factor_admin_reset"), ("format", ending), ("proof", "on")];
        let names = unpack(&export(&house.world, &lena, &fields).into_body_bytes().unwrap(), desk.path());
        handed_over.push((names[0].clone(), names[1].clone()));
        let (file, proof) = (format!("host.{ending}"), format!("host-{ending}.proof"));
        let (to, proof_to) = (on_desk(&file), on_desk(&proof));
        let args = ["audit", "export", "--action", "mfa.factor_admin_reset", "--format", ending];
        let to = ["-o", to.to_str().unwrap(), "--proof", proof_to.to_str().unwrap()];
        house.idp(&[args.as_slice(), &to].concat()).done();
        handed_over.push((file, proof));
    }
    for (file, proof) in handed_over {
        let args = [file.as_str(), "--proof", &proof, "--anchor", "mail.eml"];
        let said = second(desk.path(), &args).done();
        assert!(said.starts_with(&format!("ANCHORED to entry {seq} at ")), "{file}: {said}");
        assert!(said.contains("filter: action=mfa.factor_admin_reset; range: entries 1 to "), "{file}: {said}");
        let text = std::fs::read_to_string(on_desk(&file)).unwrap();
        assert!(text.contains(&mara) && text.contains(&jonas) && text.contains("Lost phone"), "{file}: {text}");
        // Without one of them, or with another word in one, it is not.
        let without: String = text.split_inclusive('\n').filter(|line| !line.contains(&jonas)).collect();
        let reworded = text.replace("lost her phone", "sold her phone");
        for (edited, word) in [(without, "INCOMPLETE"), (reworded, "INVALID")] {
            assert_ne!(edited, text);
            std::fs::write(on_desk(&file), edited).unwrap();
            let ran = second(desk.path(), &args);
            assert!(ran.code == 1 && ran.out.starts_with(word), "{file}: {ran:?}");
        }
    }
}

#[test]
fn a_clock_that_ran_ahead_for_a_moment_stops_no_anchor_and_hides_not_that_none_goes_out() {
    let mut house = House::new();
    let signed = |house: &House| house.world.entries_of(Action::AuditCheckpointSigned).len();
    house.world.later(25 * HOUR);
    assert_eq!(house.kept_by().len(), 2);
    let right = house.world.now();
    house.world.later(10 * 365 * 24 * HOUR);
    assert_eq!(house.kept_by().len(), 2);
    house.world.clock.set(right);
    let ahead = signed(&house);
    let warning = "What was logged lately could be changed without anybody noticing.";
    let page = |house: &House| {
        let mut lena = house.world.browser();
        lena.sign_in(&house.world, &house.lena.email, PASSWORD, &house.lena.phone);
        lena.get("/admin/audit")
    };
    house.world.later(HOUR);
    assert!(page(&house).says(warning), "the one of ten years ahead does not count as new");
    for day in 1..4 {
        house.world.later(25 * HOUR);
        assert_eq!((house.kept_by().len(), signed(&house) - ahead), (2, day));
        assert!(house.kept_by().is_empty(), "once a day");
    }
    assert!(!page(&house).says(warning), "{}", page(&house).text());
    assert_eq!(house.world.count("SELECT count(*) FROM anchors"), 1);
}
