//! How the company begins: the first owner, everybody else, and how they are reached.

use std::path::Path;

use super::company::{Company, Done, Member, OFFICE, browser, source_of, stuck, yes};
use crate::actions::administer::{AddedPerson, Way, add_person};
use crate::actions::authorise::By;
use crate::actions::checkpoint::{self, Occasion};
use crate::actions::first_run::{accept_invitation, set_up_owner, setup_link};
use crate::actions::portraits::{self, Picture};
use crate::actions::{backup, contacts, key_export};
use crate::audit::Actor;
use crate::contacts::{Detail, Kind};
use crate::demo::{CAST, ORGANISATION, PASSWORD, Part};
use crate::ids::UserId;
use crate::password::NewPassword;
use crate::secret::Token;
use crate::sessions::Session;
use crate::users::NewPerson;

/// Who is not there from the beginning.
const LATER: &str = "hugo";
/// Whom Ruth looks after; Ada looks after the others.
const RUTHS: [&str; 4] = ["mara", "piet", "sofia", "eva"];

/// The first two days.
pub(super) fn pass(company: &Company<'_>, room: &Path) -> Done {
    let ada = begin(company)?;
    company.later(5)?;
    let mut invited = Vec::new();
    for (n, part) in CAST.iter().enumerate().filter(|(_, p)| p.key != "ada" && p.key != LATER) {
        let (id, token) = invite(company, &ada, part)?;
        invited.push((n, part, id, token));
    }
    // Hashing their codes takes longest, so that each core has somebody.
    for together in invited.chunks(company.app.settings.hash_workers) {
        company.later(11)?;
        std::thread::scope(|scope| {
            let join = |(n, part, id, token)| scope.spawn(move || join(company, (n, part), id, &token));
            let threads: Vec<_> = together.iter().cloned().map(join).collect();
            let joined = threads.into_iter().map(|t| t.join().unwrap_or_else(|_| stuck("somebody fell over")));
            joined.collect::<Done>()
        })?;
    }
    company.until(41, 30)?;
    put_on_record(company)?;
    for folder in ["stick", "backups"] {
        crate::host::files::create_folder(&room.join(folder))?;
    }
    let means = company.means();
    key_export::to_file(&means.store, &means.key, &company.host, &room.join("stick/seed.key"))?;
    back_up(company, room)
}

/// The first owner comes in by the link that a first start prints.
fn begin(company: &Company<'_>) -> Done<Session> {
    let means = company.means();
    let Some(link) = setup_link(means, company.host.clone())? else { return stuck("there is an owner already") };
    company.later(10)?;
    let part = &CAST[0];
    let mut visitor = browser(0, OFFICE);
    let password = password_of(part)?;
    let progress = set_up_owner(means, &link, part.email().parse()?, part.name.parse()?, &password, &visitor)?;
    let session = company.onwards(&mut visitor, progress)?;
    let mut ada = Member { part, id: session.user_id, visitor, seed: None, codes: Vec::new(), invitation: None };
    let session = company.enrol(&mut ada, &session, "Phone")?;
    company.remember(ada);
    Ok(session)
}

fn password_of(part: &Part) -> Done<NewPassword> {
    Ok(NewPassword::parse(PASSWORD, &[&part.email(), part.name, ORGANISATION])?)
}

/// Adds somebody: their id, and the secret of their invitation.
fn invite(company: &Company<'_>, by: &Session, part: &Part) -> Done<(UserId, Token)> {
    let person = NewPerson { email: part.email().parse()?, name: part.name.parse()?, role: part.role };
    match add_person(company.means(), By::Session(by.id), person, Way::Handed, None, source_of(by))? {
        AddedPerson::Done(invitation) => Ok((invitation.user, invitation.token)),
        AddedPerson::Taken(_) => stuck(format!("{} is here already", part.name)),
        AddedPerson::Refused(rule) => stuck(rule.sentence()),
    }
}

/// Somebody accepts their invitation, sets up their app, and says under which number they are reached.
fn join(company: &Company<'_>, (n, part): (usize, &'static Part), id: UserId, token: &Token) -> Done {
    let means = company.means();
    let mut visitor = browser(n, OFFICE);
    let progress = accept_invitation(means, token, &password_of(part)?, &visitor)?;
    let session = company.onwards(&mut visitor, progress)?;
    let mut member = Member { part, id, visitor, seed: None, codes: Vec::new(), invitation: None };
    let session = company.enrol(&mut member, &session, "Phone")?;
    // Numbers that are given to nobody.
    let number = Detail::parse(Kind::Phone, &format!("+46 70 174 06 {:02}", n + 5))?;
    contacts::add_own(means, &session, number, &member.visitor)?;
    company.remember(member);
    Ok(())
}

/// Who vouches for whom, and whose ID was seen.
fn put_on_record(company: &Company<'_>) -> Done {
    let ada = company.sign_in("ada")?;
    let means = company.means();
    for part in CAST.iter().filter(|part| part.role == crate::users::Role::Member && part.key != LATER) {
        let manager = if RUTHS.contains(&part.key) { "Ruth Adeyemi" } else { "Ada Brandt" };
        let manager = Detail::parse(Kind::Manager, manager)?;
        yes(contacts::add(means, company.ask(&ada, part.key)?, manager)?)?;
    }
    for (key, note) in [
        ("mara", "Passport, seen by Ada when she began; it ends in 4711"),
        ("lena", "Identity card, seen by Ada when she began; it ends in 0815"),
        ("sofia", "Driving licence, seen by Ruth; it ends in 2310"),
    ] {
        yes(portraits::change(means, company.ask(&ada, key)?, Picture::Keep, note.parse()?)?)?;
    }
    Ok(())
}

/// As every night.
pub(super) fn back_up(company: &Company<'_>, room: &Path) -> Done {
    let (store, now) = (&company.means().store, company.means().clock.now());
    backup::create(store, &company.host, &room.join("backups"), None, now)?;
    let checkpoint = checkpoint::sign(store, (Actor::Host, &company.host), Occasion::Backup)?;
    checkpoint::printed(store, &checkpoint, "idp backup")?;
    Ok(())
}

/// Somebody is invited who has not come in yet.
pub(super) fn invite_one_more(company: &Company<'_>, by: &Session) -> Done {
    let Some(part) = CAST.iter().find(|part| part.key == LATER) else { return stuck("there is nobody to invite") };
    let (id, token) = invite(company, by, part)?;
    let invitation = Some(format!("/invitation/{}", token.to_text()));
    let visitor = browser(0, OFFICE);
    company.remember(Member { part, id, visitor, seed: None, codes: Vec::new(), invitation });
    Ok(())
}
