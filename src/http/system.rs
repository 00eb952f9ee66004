//! The state of the house.

use super::dashboard::house;
use super::error::Problem;
use super::guards::{Call, Signed};
use super::show::{Answer, Page, confirm, form_of};
use crate::actions::deliver::Tested as Tried;
use crate::host::draft::with_suffix;
use crate::host::smtp::Unsent;
use crate::pages::system::{MailView, SystemView, Tested, system};
use crate::pages::{FieldError, Form};
use crate::storage::schema::sqlite_version;
use crate::storage::{self, audit, outbox, retention};
use crate::users::Role;

/// `GET /admin/system`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    show(call, signed, 200, None, Vec::new())
}

/// `POST /admin/system/mail-test`: a message to who asks, and what came of it as the answer.
pub fn test_mail(call: &Call<'_>, signed: &Signed) -> Answer {
    let Some(smtp) = &call.app.settings.mail else { return Err(Problem::NotFound) };
    call.attempt()?;
    if let Err(errors) = confirm(call, signed) {
        return show(call, signed, 422, None, errors);
    }
    let tested = match call.app.test_mail(signed.session.id, smtp, &call.visitor)? {
        Tried::Taken(to) => Tested::Taken(to.to_string()),
        Tried::Unsent(Unsent::Later(why)) => Tested::Later(why),
        Tried::Unsent(Unsent::Never(why)) => Tested::Refused(why),
        Tried::Unsent(Unsent::Settings(why)) => Tested::Settings(why),
        Tried::OwnersOnly => return Err(Problem::Forbidden("Only owners send test messages.")),
    };
    show(call, signed, 200, Some(tested), Vec::new())
}

fn show(call: &Call<'_>, signed: &Signed, status: u16, tested: Option<Tested>, errors: Vec<FieldError>) -> Answer {
    let store = &call.app.means.store;
    let (house, head, queue, retention) = store.read(|tx| {
        let (head, queue) = (audit::get_head(tx)?, outbox::get_queue(tx, call.now)?);
        Ok::<_, storage::Error>((house(tx, call)?, head, queue, retention::get(tx, call.now)?))
    })?;
    let may_test = signed.user.role == Role::Owner && call.app.means.mails;
    let mail = MailView {
        is_set: call.app.means.mails,
        queue,
        test: may_test.then(|| form_of(call, signed, None)).transpose()?.map(|form| Form { errors, ..form }),
        tested,
    };
    // A log that is not there is an empty one.
    let bytes = |path: &std::path::Path| path.metadata().map_or(0, |file| file.len());
    let page = Page::signed(call, signed);
    let view = SystemView {
        matters: house.matters(call.now),
        version: env!("CARGO_PKG_VERSION"),
        sqlite: sqlite_version(),
        uptime: call.now.since(call.app.started_at),
        folder: call.app.settings.data.display().to_string(),
        database: bytes(store.path()),
        log: bytes(&with_suffix(store.path(), "-wal")),
        free: house.free,
        last_backup: house.last_backup,
        key_exported: house.key_exported,
        entries: head.seq,
        newest: head.at,
        lineage: &head.lineage,
        retention,
        mail,
        streams: house.streams,
    };
    Ok(page.answer(status, system(&page.frame(), &view)))
}
