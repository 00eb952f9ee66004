//! One recovery case: its page, opening one, what is done in it, and what has to be permitted.

pub mod case;
pub mod errands;
pub mod evidence;
pub mod opening;
pub mod requests;
pub mod withdrawal;

use super::error::Problem;
use super::guards::Call;
use crate::ids::{CaseNumber, UserId};
use crate::policy::Key;
use crate::recovery::Case;
use crate::storage::{policy, recovery};

/// A case in which help was refused lately to the person whom the address is about: every page of the console about them
/// says so, whoever wrote the page.
///
/// # Errors
/// When the database can not be read.
pub fn refused_lately(call: &Call<'_>) -> Result<Option<Case>, Problem> {
    let of_person = call.route.starts_with("/admin/users/{id}").then(|| call.param::<UserId>("id").ok()).flatten();
    let of_case =
        call.route.starts_with("/admin/recovery/{case}").then(|| call.param::<CaseNumber>("case").ok()).flatten();
    if of_person.is_none() && of_case.is_none() {
        return Ok(None);
    }
    call.app.means.store.read(|tx| {
        let of_case = of_case.map(|case| recovery::find(tx, case)).transpose()?.flatten();
        let Some(person) = of_person.or(of_case.as_ref().map(|c| c.user_id)) else { return Ok(None) };
        let since = call.now.minus(policy::get(tx, call.now)?.lasting(Key::RefusalShown));
        let refused = recovery::find_refusal(tx, person, since)?;
        // The case itself says it anyway.
        Ok(refused.filter(|refused| of_case.is_none_or(|case| case.number != refused.number)))
    })
}
