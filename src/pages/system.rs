//! The state of the house: program, database, disk, backup, keys, trail.

use std::time::Duration;

use maud::{Markup, html};

use super::Frame;
use super::dashboard::matters;
use super::frame::Section;
use super::parts::{card, facts, heading};
use super::words::{grouped, lasting, size, time_ago, time_ago_or_never};
use crate::dashboard::Matter;
use crate::time::Timestamp;

/// `GET /admin/system`
#[derive(Debug, Clone)]
pub struct SystemView<'a> {
    /// What needs attention about the house itself.
    pub matters: Vec<Matter>,
    /// This program's version.
    pub version: &'a str,
    /// The version of the SQLite inside it.
    pub sqlite: &'a str,
    /// How long it has been running.
    pub uptime: Duration,
    /// The data folder.
    pub folder: String,
    /// Bytes of the database file.
    pub database: u64,
    /// Bytes of the database's log, which is folded into it from time to time.
    pub log: u64,
    /// Free bytes on that disk.
    pub free: u64,
    /// The last verified backup.
    pub last_backup: Option<Timestamp>,
    /// When the seed key was last exported.
    pub key_exported: Option<Timestamp>,
    /// Entries in the trail.
    pub entries: i64,
    /// When the newest was written.
    pub newest: Timestamp,
    /// Which unbroken history it belongs to.
    pub lineage: &'a str,
}

/// What an owner wants to know before something breaks.
pub fn system(frame: &Frame, view: &SystemView) -> Markup {
    let program = [
        ("Version", html! { "idp " (view.version) }),
        ("SQLite", html! { (view.sqlite) }),
        ("Running for", html! { (lasting(view.uptime)) }),
    ];
    let data = [
        ("Folder", html! { code { (view.folder) } }),
        ("Database", html! { (size(view.database)) }),
        ("Its log", html! { (size(view.log)) }),
        ("Free on the disk", html! { (size(view.free)) }),
    ];
    let safety = [
        ("Last backup", time_ago_or_never(view.last_backup, frame.now)),
        ("Seed key exported", time_ago_or_never(view.key_exported, frame.now)),
    ];
    let trail = [
        ("Entries", html! { a href="/admin/audit" { (grouped(view.entries.unsigned_abs())) } }),
        ("Newest", html! { (time_ago(view.newest, frame.now)) }),
        ("Lineage", html! { code { (view.lineage) } }),
    ];
    let content = html! {
        (heading(None, "System", None))
        @if !view.matters.is_empty() {
            (card("attention", "Needs attention", &matters(frame, &view.matters, frame.now)))
        }
        (card("safety", "Backup", &facts(&safety)))
        (card("data", "Data", &facts(&data)))
        (card("trail", "Audit trail", &html! {
            (facts(&trail))
            p class="muted" { "Whether it is unbroken is checked on the host: " code { "idp audit verify" } ", or " code { "idp doctor" } " for everything." }
        }))
        (card("program", "Program", &facts(&program)))
    };
    frame.wide(Section::System, "System", false, &content)
}
