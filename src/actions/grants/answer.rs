//! What the rule has said about a grant, done: the entry about a refusal, the request that waits, or the grant itself.

use super::{Ask, Founded, Granted};
use crate::actions::Result;
use crate::actions::cases::{self, Given};
use crate::audit::{Record, Source};
use crate::grants::{Grant, Verdict};
use crate::ids::CaseNumber;
use crate::recovery::Act;
use crate::storage::{Audited, WriteTx};
use crate::time::Timestamp;

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

impl Founded {
    /// For a grant that opens no case by itself: where one is open, it is given in that, which then waits for the person to
    /// use it.
    ///
    /// # Errors
    /// As [`Founded::begin`].
    pub(in crate::actions) fn settle(
        &mut self,
        tx: &WriteTx<'_>,
        (act, until): (Act, Timestamp),
        source: &Source,
    ) -> Result<(Option<CaseNumber>, Vec<Record>)> {
        if self.case.is_none() {
            return Ok((None, Vec::new()));
        }
        let (mut case, records) = self.begin_giving(tx, source)?;
        let given = Given { act, by: self.admin.doer(), until, signals: self.signals.clone() };
        cases::acted(tx, &mut case, given, &self.policy, |_| ())?;
        Ok((Some(case.number), records))
    }
}
