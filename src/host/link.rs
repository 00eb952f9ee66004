//! What every way to a receiver of the trail has in common.

use std::time::Instant;

use crate::streams::{Item, Receiver};

/// How long a delivery may take.
#[derive(Clone, Copy)]
pub struct Patience<'p> {
    /// No longer than until then.
    pub until: Instant,
    /// And no longer than this says.
    pub go_on: &'p dyn Fn() -> bool,
}

impl Patience<'_> {
    /// Whether there is time left.
    pub fn lasts(&self) -> bool {
        (self.go_on)() && Instant::now() < self.until
    }
}

/// What came of a delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// So many of the entries arrived, the first ones.
    pub arrived: usize,
    /// Why not all of them did, in a sentence; none where there was only no time left.
    pub failed: Option<String>,
    /// A connection broke, and what was sent over it after the entry of this number may be lost.
    pub back_to: Option<i64>,
}

/// A way to a receiver.
pub trait Link: Send {
    /// To whom.
    fn receiver(&self) -> Receiver;

    /// Where, without secrets.
    fn place(&self) -> String;

    /// Whether it gets every entry, or checkpoints alone.
    fn wants_entries(&self) -> bool;

    /// Delivers these entries, which come after the entry of number `after`, in their order.
    fn deliver(&mut self, after: i64, items: &[Item], patience: Patience<'_>) -> Delivered;

    /// Looks at an idle connection: whether it broke, and then from which entry on what was sent may be lost.
    fn look(&mut self) -> Option<i64>;

    /// Takes leave; from which entry on what was sent may be lost, where the other side does not say that it has all.
    fn farewell(&mut self, patience: Patience<'_>) -> Option<i64>;

    /// Asks whether something could be delivered now, without delivering anything.
    ///
    /// # Errors
    /// Why not.
    fn check(&self) -> Result<(), String>;
}
