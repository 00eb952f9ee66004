//! The tab of what a person was told, and the letter.
//!
//! The link to object stands in what is copied and printed here, so whoever acts for the person can see it. That is no way
//! in: it blocks sign-in and does nothing else, and who may hand it over may disable the account anyway.

use super::super::error::Problem;
use super::super::grants::subject;
use super::super::guards::{Call, Signed};
use super::super::show::{Answer, Page};
use super::load;
use crate::actions::grants::Preview;
use crate::actions::notices::objection;
use crate::grants::{Grant, Rule};
use crate::ids::{NoticeId, UserId};
use crate::notices::Notice;
use crate::pages::mail::Outline;
use crate::pages::user::notices::{LetterView, NoticesView, Told, letter as letter_markup, told as told_markup};
use crate::storage::{ReadTx, notices, outbox, users};
use crate::users::User;

/// Notices, and other messages, on the page.
const MOST: u32 = 50;

/// Why this viewer may not hand a message over: rank, as for any act on the account. Its state is no obstacle.
fn refusal(tx: &ReadTx<'_>, call: &Call<'_>, signed: &Signed, user: &User) -> Result<Option<Rule>, Problem> {
    let rule = Preview::read(tx, &signed.user, user, call.now)?.refusal(Grant::Rename);
    Ok(rule.filter(|rule| !rule.is_about_state()))
}

fn outline(call: &Call<'_>, user: &User, notice: &Notice) -> Outline {
    let objection = objection(&call.app.means.key, notice, call.now);
    Outline::of_notice(call.app.house(), user.name.as_str(), notice, objection.as_ref())
}

/// `GET /admin/users/{id}/notices`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    let id: UserId = call.param("id")?;
    let (loaded, refused, told, others) = call.app.means.store.read(|tx| {
        let loaded = load(tx, call, signed, id)?;
        let refused = refusal(tx, call, signed, &loaded.user)?;
        let mut told = Vec::new();
        for notice in notices::list_of_user(tx, id, MOST)? {
            let text = refused.is_none().then(|| outline(call, &loaded.user, &notice).text());
            told.push(Told { text, messages: outbox::list_of_notice(tx, notice.id)?, notice });
        }
        Ok::<_, Problem>((loaded, refused, told, outbox::list_of_user(tx, id, MOST)?))
    })?;
    let view = NoticesView {
        head: loaded.head(),
        told,
        others,
        mails: call.app.means.mails,
        refused: refused.map(|rule| rule.sentence().to_owned()),
    };
    let page = Page::signed(call, signed);
    Ok(page.answer(200, told_markup(&page.frame(), &view)))
}

/// `GET /admin/users/{id}/notices/{notice}`
pub fn letter(call: &Call<'_>, signed: &Signed) -> Answer {
    let (id, notice): (UserId, NoticeId) = (call.param("id")?, call.param("notice")?);
    let (user, notice, refused) = call.app.means.store.read(|tx| {
        let user = users::find_ranked(tx, id, call.now)?.ok_or(Problem::NotFound)?;
        let notice = notices::find(tx, notice)?.filter(|n| n.user_id == id).ok_or(Problem::NotFound)?;
        let refused = refusal(tx, call, signed, &user)?;
        Ok::<_, Problem>((user, notice, refused))
    })?;
    if let Some(rule) = refused {
        return Err(Problem::Forbidden(rule.sentence()));
    }
    let outline = outline(call, &user, &notice);
    let view = LetterView { person: subject(&user), outline: &outline };
    let page = Page::signed(call, signed);
    Ok(page.answer(200, letter_markup(&page.frame(), &view)))
}
