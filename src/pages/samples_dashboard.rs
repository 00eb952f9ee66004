//! Samples of the console's start page, of the system's page and of an import, hostile text included.

use std::time::Duration;

use maud::Markup;

use super::dashboard::{self, DashboardView};
use super::import::{self, ImportView, ImportedView, JoinedLine};
use super::samples::{HOSTILE, at, form, now, step_up, typed, viewer};
use super::samples_board;
use super::samples_console::entries;
use super::system::{self, MailView, SystemView, Tested};
use super::{Form, StepUp};
use crate::dashboard::{Matter, Need};
use crate::import::read;
use crate::outbox::Queue;
use crate::policy::{Key, Setting};
use crate::retention::Retention;
use crate::secret::Secret;
use crate::streams::{Failing, Receiver, Standing};
use crate::users::Role;

/// Every one of these pages by a name of its own.
pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let mut pages = overview_pages();
    pages.extend(import_pages());
    pages
}

fn matters() -> Vec<Matter> {
    let mut matters: Vec<Matter> = (1..).zip(Need::ALL).map(|(n, need)| Matter::People(need, n)).collect();
    matters.extend([
        Matter::Expired(1),
        Matter::Locked(2),
        Matter::Invited(12),
        Matter::FewOwners(0),
        Matter::FewOwners(1),
        Matter::Backup(None),
        Matter::Backup(Some(at("2026-11-20T02:15:00Z"))),
        Matter::KeyNotExported,
        Matter::NotAnchored(at("2026-11-10T02:15:00Z")),
        Matter::MailHeldUp(1),
        Matter::MailHeldUp(4),
        Matter::MailGivenUp(1),
        Matter::MailGivenUp(2),
        Matter::StreamStuck(Receiver::Syslog, at("2026-11-24T08:41:00Z")),
        Matter::StreamStuck(Receiver::Webhook, at("2026-11-22T08:41:00Z")),
        Matter::DiskLow(734_003_200),
        Matter::ClockStepped(at("2026-11-23T02:15:00Z")),
    ]);
    matters
}

/// As they stand where each concerns one person more, or less.
fn few() -> Vec<Matter> {
    let mut matters: Vec<Matter> = Need::ALL.map(|need| Matter::People(need, 1)).into();
    matters.extend([Matter::People(Need::Awaiting, 2), Matter::Expired(2), Matter::Invited(1), Matter::Locked(1)]);
    matters
}

/// A receiver that takes nothing, and one that does.
fn receivers() -> Vec<Standing> {
    let standing = Standing {
        receiver: Receiver::Syslog,
        place: "tls://logs.fernhill.example:6514".to_owned(),
        sent: 47_988,
        sent_at: Some(at("2026-11-24T08:40:00Z")),
        failing: Some(Failing {
            since: at("2026-11-24T08:41:00Z"),
            attempts: 31,
            next_at: now(),
            error: HOSTILE.to_owned(),
        }),
    };
    let hook = Standing {
        receiver: Receiver::Webhook,
        place: "https://hooks.fernhill.example".to_owned(),
        sent: 48_209,
        sent_at: None,
        failing: None,
    };
    vec![standing, hook]
}

fn overview_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Owner);
    let since = at("2026-11-23T10:42:00Z");
    let view = |waiting, matters, entries| DashboardView { waiting, matters, since, entries };
    let (waiting, others) = (samples_board::waiting(), samples_board::other_numbers());
    let for_ever = Retention { days: 0, held: false, hold: None, erased: 0, last: None, aged: 0, borne_out: false };
    let system = SystemView {
        matters: vec![Matter::Backup(None), Matter::KeyNotExported],
        version: "0.1.0",
        sqlite: "3.54.1",
        uptime: Duration::from_secs(93_000),
        folder: HOSTILE.to_owned(),
        database: 12_450_000,
        log: 4_120,
        free: 81_000_000_000,
        last_backup: None,
        key_exported: None,
        entries: 48_211,
        newest: now(),
        lineage: "9f86d081884c7d65",
        retention: for_ever.clone(),
        mail: MailView { is_set: false, queue: Queue::default(), test: None, tested: None },
        streams: Vec::new(),
    };
    let streams = SystemView { streams: receivers(), ..system.clone() };
    let queue = Queue {
        waiting: 1_204,
        waiting_since: Some(at("2026-11-24T09:12:00Z")),
        given_up: 2,
        last_error: Some(HOSTILE.to_owned()),
        last_sent: Some(at("2026-11-24T09:11:00Z")),
    };
    let mail = |tested| MailView { is_set: true, queue: queue.clone(), test: Some(form()), tested };
    let tested = |tested| SystemView { mail: mail(Some(tested)), ..system.clone() };
    let refused = || "mail.fernhill.example:587 refuses the recipient: 550 no".to_owned();
    let wrong = typed(&[], &[("step_up_code", "This code does not match.")]);
    let wrong = Form { step_up: Some(StepUp { backup_codes: true }), ..wrong };
    let unconfirmed = SystemView { mail: MailView { test: Some(wrong), ..mail(None) }, ..system.clone() };
    let [held, erased] = kept_for_a_while(for_ever);
    let kept = |retention: &Retention| SystemView { retention: retention.clone(), ..system.clone() };
    let calm = SystemView {
        matters: Vec::new(),
        last_backup: Some(at("2026-11-24T02:15:00Z")),
        key_exported: Some(at("2026-11-01T10:00:00Z")),
        ..system.clone()
    };
    vec![
        ("dashboard", dashboard::dashboard(&f, &view(waiting, matters(), entries()))),
        ("dashboard-few", dashboard::dashboard(&f, &view(others.clone(), few(), Vec::new()))),
        ("dashboard-recoveries", dashboard::dashboard(&f, &view(others, Vec::new(), entries()))),
        ("dashboard-calm", dashboard::dashboard(&f, &view(Vec::new(), Vec::new(), entries()))),
        ("system", system::system(&f, &system)),
        ("system-streams", system::system(&f, &streams)),
        ("system-calm", system::system(&f, &calm)),
        ("system-held", system::system(&f, &kept(&held))),
        ("system-watches", system::system(&f, &kept(&erased))),
        ("system-mail", system::system(&f, &tested(Tested::Taken(HOSTILE.to_owned())))),
        ("system-mail-later", system::system(&f, &tested(Tested::Later(refused())))),
        ("system-mail-refused", system::system(&f, &tested(Tested::Refused(refused())))),
        ("system-mail-settings", system::system(&f, &tested(Tested::Settings(refused())))),
        ("system-mail-wrong", system::system(&f, &unconfirmed)),
    ]
}

/// Details are kept for 400 days: under a legal hold, and without one, where nothing is erased after a gap in the log.
fn kept_for_a_while(for_ever: Retention) -> [Retention; 2] {
    let hold = Setting {
        id: 1,
        key: Key::LegalHold,
        value: 1,
        set_by: HOSTILE.to_owned(),
        set_at: at("2026-11-20T08:00:00Z"),
        effective_at: at("2026-11-20T08:00:00Z"),
        cancelled_at: None,
    };
    let last = Some(at("2026-11-23T08:00:00Z"));
    let erased = Retention { days: 400, erased: 12_500, last, aged: 13_500, ..for_ever };
    [Retention { held: true, hold: Some(hold), ..erased.clone() }, erased]
}

fn import_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let list = format!("email,name,role\nmara@x.example,Mara Lindqvist\nevil@x.example,{HOSTILE},\nno address,,king\n");
    let lines = read(&list).expect("samples can be read");
    let good = read(&list.replace("no address,,king\n", "")).expect("samples can be read");
    let wrong = [("text", "1 line can not be added as it is. The table says what to do about it.")];
    let view = |form, lines| ImportView { form, lines, mails: true };
    let joined = |name: &str| JoinedLine {
        name: name.to_owned(),
        email: "mara@fernhill.example".to_owned(),
        link: Secret::new("https://id.fernhill.example/invitation/Q0VSVElGSUNBVEUtUkVRVUVTVC1JTlZJVEFUSU9OLTE"),
    };
    let imported =
        |joined, left_out| ImportedView { joined, left_out, expires_at: at("2026-11-27T10:42:00Z"), mailed: true };
    let unread = typed(&[("text", HOSTILE)], &[("file", "This is a spreadsheet, not a list as text.")]);
    vec![
        ("import", import::import(&f, &view(form(), &[]))),
        ("import-unread", import::import(&f, &view(unread, &[]))),
        ("import-wrong", import::import(&f, &view(typed(&[("text", &list)], &wrong), &lines))),
        ("import-all-wrong", import::import(&f, &view(typed(&[("text", &list)], &wrong), &lines[2..]))),
        ("import-good", import::import(&f, &view(step_up(typed(&[("text", &list)], &[])), &good))),
        ("imported", import::imported(&f, &imported(vec![joined("Mara Lindqvist"), joined(HOSTILE)], &lines[2..]))),
        ("imported-one", import::imported(&f, &imported(vec![joined(HOSTILE)], &[]))),
    ]
}
