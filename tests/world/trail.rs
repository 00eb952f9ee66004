//! The audit trail, as tests ask for it.

use idp::audit::filter::Filter;
use idp::audit::plain::Read;
use idp::audit::{Action, Entry};
use idp::storage::audit::{Order, list};

use super::World;

impl World {
    /// Every entry of the trail, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        let all = |tx: &idp::storage::ReadTx<'_>| list(tx, &Filter::default(), Order::OldestFirst, None, 1_000_000);
        self.app.means.store.read(all).unwrap()
    }

    /// The entries about `action`, oldest first.
    pub fn entries_of(&self, action: Action) -> Vec<Entry> {
        self.entries().into_iter().filter(|e| e.header.action == action.as_str()).collect()
    }

    /// `action outcome` of every entry from number `seq` on.
    pub fn story_since(&self, seq: i64) -> Vec<String> {
        let since = self.entries().into_iter().filter(|e| e.header.seq > seq);
        since.map(|e| format!("{} {}", e.header.action, e.header.outcome)).collect()
    }

    /// The newest entry's number.
    pub fn head(&self) -> i64 {
        self.entries().last().unwrap().header.seq
    }
}

/// What an entry says in its body.
pub fn body(entry: &Entry) -> Read {
    Read::of(entry)
}
