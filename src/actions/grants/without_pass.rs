//! Where policy asks for no pass, a reset and a temporary password together let in whoever holds the password, whoever
//! did the reset: then one hand holds both halves, although two gave them.

use crate::actions::Result;
use crate::grants::Grant;
use crate::policy::Policy;
use crate::storage::{ReadTx, recovery};
use crate::time::Timestamp;
use crate::users::User;

/// Whether who carries out `grant`, or who gave what is there already, could come in alone.
pub(super) fn one_half_is_enough(
    tx: &ReadTx<'_>,
    grant: Grant,
    user: &User,
    policy: &Policy,
    now: Timestamp,
) -> Result<bool> {
    Ok(match grant {
        Grant::SetTemporaryPassword => {
            recovery::find_window(tx, user.id)?.is_some_and(|w| w.case.is_some() && w.pass.is_none() && w.is_open(now))
        }
        Grant::ResetFactors => !policy.asks_for_pass() && user.password_expires_at.is_some_and(|at| at > now),
        _ => false,
    })
}
