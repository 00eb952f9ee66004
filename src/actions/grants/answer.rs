//! What the rule has said about a grant, done: the entry about a refusal, the request that waits, or the grant itself.

use super::{Ask, Founded, Granted};
use crate::actions::Result;
use crate::grants::{Grant, Verdict};
use crate::storage::{Audited, WriteTx};

impl Ask {
    /// Lets `give` do what was asked for where the rule says yes to it now. A refusal gets its entry, and what something has
    /// to permit first is asked for.
    ///
    /// # Errors
    /// As `give`; storage.
    pub(in crate::actions) fn answer<T>(
        &self,
        tx: &WriteTx<'_>,
        mut f: Founded,
        (grant, argument): (Grant, &str),
        give: impl FnOnce(Founded) -> Result<Audited<Granted<T>>>,
    ) -> Result<Audited<Granted<T>>> {
        match f.verdict {
            Err(rule) => self.refused_founded(tx, &mut f, grant, rule),
            Ok(Verdict::Ask(needs)) => self.wait(tx, f, (grant, argument), needs),
            Ok(Verdict::Go) => give(f),
        }
    }
}
