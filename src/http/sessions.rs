//! A person's own sessions and remembered devices.

use super::error::Problem;
use super::guards::{Call, Signed};
use super::show::{Answer, Page, Said, redirect_saying, wrong};
use crate::actions::{Error, Result, sessions as act};
use crate::pages::parts::SessionLine;
use crate::pages::sessions::{DeviceLine, SessionsView, sessions as sessions_markup};
use crate::pages::{FieldError, Form};
use crate::sessions::device_name;
use crate::storage::{devices, sessions};

/// `GET /profile/sessions`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    show(call, signed, 200, Vec::new())
}

fn show(call: &Call<'_>, signed: &Signed, status: u16, errors: Vec<FieldError>) -> Answer {
    let (user, here) = (signed.user.id, &signed.session);
    let (sessions, devices) =
        call.app.means.store.read(|tx| {
            Ok::<_, Problem>((sessions::list_full(tx, user, call.now)?, devices::list(tx, user, call.now)?))
        })?;
    let devices = devices.into_iter().map(|d| DeviceLine {
        id: d.id,
        name: device_name(&d.user_agent),
        address: d.address,
        since: d.created_at,
        signed_in_at: d.seen_at,
        here: here.device_id == Some(d.id),
    });
    let view = SessionsView {
        form: Form { errors, ..Form::new(&signed.csrf) },
        sessions: sessions.iter().map(|s| SessionLine::of(s, here.id)).collect(),
        devices: devices.collect(),
    };
    let page = Page::signed(call, signed);
    Ok(page.answer(status, sessions_markup(&page.frame(), &view)))
}

/// Back to the page, saying what was done. What is not there, not any more or not theirs, is all the same.
fn done(call: &Call<'_>, signed: &Signed, result: Result<()>, said: Said) -> Answer {
    match result {
        Ok(()) => Ok(redirect_saying(call, "/profile/sessions", said)),
        Err(Error::NotFound) => {
            let text = "That is not in the list any more. It was ended or forgotten before.";
            show(call, signed, 404, vec![wrong("", text)])
        }
        Err(e) => Err(e.into()),
    }
}

/// `POST /profile/sessions/{id}/end`
pub fn end(call: &Call<'_>, signed: &Signed) -> Answer {
    let result = act::end(&call.app.means, &signed.session, call.param("id")?, &call.visitor);
    done(call, signed, result, Said::SessionEnded)
}

/// `POST /profile/sessions/end`
pub fn end_others(call: &Call<'_>, signed: &Signed) -> Answer {
    let result = act::end_others(&call.app.means, &signed.session, &call.visitor);
    done(call, signed, result, Said::OtherSessionsEnded)
}

/// `POST /profile/devices/{id}/forget`
pub fn forget(call: &Call<'_>, signed: &Signed) -> Answer {
    let result = act::forget(&call.app.means, &signed.session, call.param("id")?, &call.visitor);
    done(call, signed, result, Said::DeviceForgotten)
}

/// `POST /profile/devices/forget`
pub fn forget_all(call: &Call<'_>, signed: &Signed) -> Answer {
    let result = act::forget_all(&call.app.means, &signed.session, &call.visitor);
    done(call, signed, result, Said::DevicesForgotten)
}
