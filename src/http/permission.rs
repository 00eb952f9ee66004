//! What a form about a grant says beforehand: what has to permit it, and what happened lately; filled in where it is
//! permitted already.

use super::error::Problem;
use super::grants::Sheet;
use super::recovery::evidence::known_in_case;
use super::signals::in_words;
use crate::actions::grants::{Ahead, Preview};
use crate::grants::Grant;
use crate::pages::Form;
use crate::pages::evidence::{Known, OnRecord};
use crate::pages::grants::Signal;
use crate::pages::permission::{Other, Permission, Standing};
use crate::policy::Key;
use crate::recovery::{Doer, Request};
use crate::storage::{ReadTx, policy, recovery, signals};

/// What such a form says besides its fields.
pub(super) struct Beforehand {
    /// What has to permit it, or does.
    pub permission: Permission,
    /// By what the person can be known.
    pub known: Known,
    /// What happened lately.
    pub signals: Vec<Signal>,
    /// What permits it.
    permitted: Option<Request>,
}

impl Beforehand {
    /// Reads it, for a form about `grant`.
    pub(super) fn read(tx: &ReadTx<'_>, sheet: &Sheet<'_>, grant: Grant) -> Result<Self, Problem> {
        let (user, now) = (&sheet.user, sheet.call.now);
        let policy = policy::get(tx, now)?;
        let case = recovery::find_open(tx, user.id)?.map(|c| c.number);
        let found = signals::get(tx, user.id, case, &policy, now)?;
        let words = in_words(&found, &policy);
        let preview = Preview::read(tx, &sheet.signed.user, user, now)?.with_signals(found);
        let ahead = preview.ahead(tx, grant)?;
        let other =
            preview.other(grant).map(|r| Other { who: r.asked_by.name.clone(), grant: r.grant, asked_at: r.asked_at });
        let standing = match &ahead {
            Ahead::Free => Standing::Free,
            Ahead::Asks(needed, given) => {
                let wait = policy.lasting(Key::CoolingOff);
                Standing::Asks { needs: needed.needs, why: needed.why, given: *given, wait }
            }
            Ahead::Waits(r) => Standing::Waits { case: r.case, asked_at: r.asked_at, ripe_at: r.ripe_at },
            Ahead::Permitted(r) => {
                Standing::Permitted { by: r.decided_by.as_ref().map(|by: &Doer| by.name.clone()), until: r.valid_until }
            }
        };
        let permitted = if let Ahead::Permitted(request) = ahead { Some(request) } else { None };
        let known = known_in_case(tx, sheet.call, user.id, permitted.as_ref())?;
        Ok(Self { permission: Permission { standing, other }, known, signals: words, permitted })
    }

    /// The form, at first with the evidence that stands in the case, and with what was asked for, where that is permitted:
    /// it is carried out as it was asked.
    pub(super) fn fill<'f>(&self, sheet: &Sheet<'_>, mut form: Form<'f>) -> Form<'f> {
        if sheet.call.is_post() {
            return form;
        }
        if self.known.on_record.is_some() {
            form.values.push(("evidence".to_owned(), OnRecord::VALUE.to_owned()));
        }
        if let Some(request) = &self.permitted {
            let ticket = request.ticket.as_deref().unwrap_or_default();
            let asked = [("reason", request.reason.as_str()), ("ticket", ticket), ("email", &request.argument)];
            form.values.extend(asked.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        form
    }
}
