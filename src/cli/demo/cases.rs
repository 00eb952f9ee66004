//! The cases of the demo's story: one that went well, one that was an attack, one that was refused, and two that wait.

use super::company::{Company, Done, ELSEWHERE, Member, browser, stuck, yes};
use crate::actions::casework::{self, InCase, OpenedCase};
use crate::actions::enrol::{PassGiven, give_pass};
use crate::actions::follow_up::follow_up;
use crate::actions::grants::Granted;
use crate::actions::recover::force_reset;
use crate::actions::sign_in::with_password;
use crate::actions::{contacts, incident};
use crate::contacts::{Detail, Kind};
use crate::demo::PASSWORD;
use crate::recovery::Refusal;
use crate::recovery::follow_up::{How, Message};
use crate::secret::EnrolmentPass;
use crate::sessions::Session;

/// Lost in the morning, back in at once: what it looks like when all goes well.
pub(super) fn lena_loses_her_phone(company: &Company<'_>) -> Done {
    let tom = company.sign_in("tom")?;
    let seen = ("video_call", "Her face, and the identity card that is on record", "");
    let why = "Her phone fell into the lake, with the backup codes in its case";
    let statement = company.statement(why, seen, "HD-1043")?;
    let reset = yes(force_reset(company.means(), company.ask(&tom, "lena")?, statement, true)?)?;
    company.later(4)?;
    let mut lena = company.member("lena")?;
    lena.visitor = browser(2, lena.visitor.address);
    let Some(pass) = reset.pass else { return stuck("there is no pass") };
    come_back(company, &mut lena, &pass, "New phone")?;
    company.remember(lena);
    company.later(5)?;
    let message = "Hello Lena, your authenticator app was set up anew today, after we had seen each other on the video call. \
                   Please keep the new backup codes where your phone is not. Tom";
    yes(follow_up(company.means(), company.ask(&tom, "lena")?, reset.case, How::Copied, Message::parse(message)?)?)
}

/// Signs in with the password, gives the pass, and sets up an app.
fn come_back(company: &Company<'_>, member: &mut Member, pass: &EnrolmentPass, app: &str) -> Done<Session> {
    let means = company.means();
    let progress = with_password(means, &member.part.email(), PASSWORD, "", &member.visitor)?;
    let session = company.onwards(&mut member.visitor, progress)?;
    let PassGiven::Right(progress) = give_pass(means, &session, pass, &member.visitor)? else {
        return stuck("a pass was not right");
    };
    let session = company.onwards(&mut member.visitor, progress)?;
    company.later(2)?;
    company.enrol(member, &session, app)
}

/// Somebody who knows his password talks an admin into a reset; the next morning he can not sign in, and comes to the office.
pub(super) fn jonas_is_impersonated(company: &Company<'_>) -> Done {
    let means = company.means();
    let noor = company.sign_in("noor")?;
    let said = ("manager_ticket", "The ticket came by mail, and looked as always", "Ada Brandt");
    let statement = company.statement("New phone; needs it for the delivery today", said, "HD-1051")?;
    let reset_at = means.clock.now();
    let reset = yes(force_reset(means, company.ask(&noor, "jonas")?, statement, true)?)?;
    company.later(6)?;
    let Some(pass) = reset.pass else { return stuck("there is no pass") };
    let mut jonas = company.member("jonas")?;
    let mut impostor = Member { visitor: browser(3, ELSEWHERE), ..jonas.clone() };
    let session = come_back(company, &mut impostor, &pass, "Phone")?;
    company.later(3)?;
    let address = Detail::parse(Kind::Email, "j.weber.fernhill@post.example")?;
    contacts::add_own(means, &session, address, &impostor.visitor)?;
    company.until(14, 420)?;
    let ada = company.sign_in("ada")?;
    let why = "Jonas stands in the office and never asked for a reset; the ticket was not mine";
    yes(incident::declare(means, company.ask(&ada, "jonas")?, Some(reset.case), reset_at, why.parse()?)?)?;
    (jonas.seed, jonas.codes) = (None, Vec::new());
    company.remember(jonas);
    Ok(())
}

/// Somebody in a hurry, who is told no.
pub(super) fn piet_is_refused(company: &Company<'_>) -> Done {
    let tom = company.sign_in("tom")?;
    let why = "Called as Piet, would not turn the camera on, and said that I would answer to Ada for it";
    let reason = "Says that he lost his phone".parse()?;
    let opened = yes(casework::open(company.means(), company.ask(&tom, "piet")?, (reason, None), false)?)?;
    let OpenedCase::New(case) = opened else { return stuck("he has a case already") };
    company.later(3)?;
    let errand = InCase { ask: company.ask(&tom, "piet")?, case, version: None };
    yes(casework::refuse(company.means(), errand, Refusal::Pressure, why.parse()?)?)
}

/// An hour ago. Nobody has made sure yet that it is her.
pub(super) fn mara_calls(company: &Company<'_>) -> Done {
    let tom = company.sign_in("tom")?;
    let why = "Lost her phone on the train and has to sign off the drawings by noon";
    yes(casework::open(company.means(), company.ask(&tom, "mara")?, (why.parse()?, None), true)?).map(drop)
}

/// An admin, so that somebody else has to look before anything happens.
pub(super) fn noor_has_to_be_approved(company: &Company<'_>) -> Done {
    let tom = company.sign_in("tom")?;
    let seen = ("in_person", "She is at my desk, with her staff card", "");
    let statement = company.statement("Wiped her old phone before the new one was set up", seen, "HD-1077")?;
    match force_reset(company.means(), company.ask(&tom, "noor")?, statement, true)? {
        Granted::Waits(_) => Ok(()),
        Granted::Yes(_) => stuck("nobody had to approve it"),
        Granted::No(rule) => stuck(rule.sentence()),
    }
}
