//! Samples of what people are told: every kind of notice in words, on screen and on paper, hostile text included.

use std::time::Duration;

use maud::Markup;

use super::mail::{House, Outline};
use super::notices::{self, NoticeLine, OwnNoticesView, ReadView, Unseen};
use super::password_reset::{self, AskView, ChooseView, SentView};
use super::profile::{self, NewCodesView};
use super::samples::{CASE, HELP, HOSTILE, at, form, now, step_up, stranger, typed, viewer};
use super::samples_acts::mara;
use super::samples_user::{alone, head};
use super::user::notices::{self as user_notices, LetterView, NoticesView, Told};
use super::{Form, Frame};
use crate::audit::checkpoint::{Checkpoint, Point, origin_line};
use crate::audit::note::VerifierKey;
use crate::config::PublicUrl;
use crate::ids::{MessageId, NoticeId, UserId};
use crate::notices::{Facts, Kind, Notice};
use crate::outbox::{self, Content, Fate, Link, Message, Objection};
use crate::time::Timestamp;
use crate::users::Role;

/// Every such page by a name of its own.
pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let mut pages = own_pages();
    pages.extend(console_pages());
    pages.extend(letters());
    pages.extend(password_reset_pages());
    pages
}

const TOM: &str = "Tom Okafor <tom@fernhill.example>";

fn notice(kind: Kind, facts: Facts) -> Notice {
    let may = kind.may_be_objected_to();
    Notice {
        id: NoticeId::generate(),
        user_id: UserId::generate(),
        kind,
        at: at("2026-11-24T10:02:00Z"),
        case: Some(CASE).filter(|_| !facts.by_themself),
        objection_until: may.then(|| at("2026-12-08T10:02:00Z")),
        objected_at: None,
        seen_at: None,
        facts,
    }
}

/// One of each kind, as it mostly comes; and those that say something else than the first of their kind.
pub(super) fn every_notice() -> Vec<Notice> {
    let by = |by: &str, what: &str| Facts { by: by.to_owned(), what: what.to_owned(), ..Facts::default() };
    let own = |what: &str| Facts {
        by_themself: true,
        address: "192.0.2.7".to_owned(),
        device: "Firefox on Windows".to_owned(),
        ..by("Mara Lindqvist <mara@fernhill.example>", what)
    };
    let about = |facts: Facts| Facts { about: "Mara Lindqvist <mara@fernhill.example>".to_owned(), ..facts };
    let said = |facts: Facts, reason: &str| Facts { reason: reason.to_owned(), ..facts };
    let code = |count| Facts { count, ..own("") };
    let link = Facts { by: String::new(), by_themself: false, ..own("") };
    let host = "the operator, with a command on the host";
    let told = [
        (Kind::FactorsReset, by(TOM, "")),
        (Kind::FactorsReset, by(host, "")),
        (Kind::FactorEnrolled, own(HOSTILE)),
        (Kind::FactorRemoved, own("Old phone")),
        (Kind::FactorSwitchedOff, by("the program", "Old phone")),
        (Kind::CodesMade, own("")),
        (Kind::CodesIssued, by(TOM, "")),
        (Kind::CodeUsed, code(7)),
        (Kind::CodeUsed, code(1)),
        (Kind::PasswordChanged, own("")),
        (Kind::PasswordChanged, link),
        (Kind::PasswordSet, by(TOM, "")),
        (Kind::EmailChanged, by(TOM, "mara@new.example")),
        (Kind::ContactChanged, by(TOM, "Phone number added: +46705550100")),
        (Kind::GrantAsked, by(TOM, "set a temporary password")),
        (Kind::InvitedAgain, by(TOM, "")),
        (Kind::HostActed, about(by(host, "recovered with idp recover-owner"))),
        (Kind::Escalated, said(about(by(TOM, "")), HOSTILE)),
        (Kind::Disavowed, about(by("", "frozen"))),
        (Kind::Disavowed, about(by("", ""))),
        (Kind::Incident, said(about(by(TOM, "")), "she never called")),
        (Kind::PolicyLoosened, by(TOM, "evidence_minutes: 60 → 120")),
        (Kind::ObjectionLifted, by(TOM, "")),
        (Kind::Reassured, said(about(by(TOM, "")), "it was a mistake")),
        (Kind::ApprovalWaits, said(about(by(TOM, "set a temporary password")), HOSTILE)),
    ];
    told.into_iter().map(|(kind, facts)| notice(kind, facts)).collect()
}

fn objection(notice: &Notice) -> Option<Objection> {
    let path = "/objection/Q0VSVElGSUNBVEUtUkVRVUVTVC1JTlZJVEFUSU9OLTE".to_owned();
    notice.objection_until.map(|until| Link { path, until })
}

fn url() -> PublicUrl {
    "https://id.fernhill.example".parse().expect("samples hold addresses")
}

fn house(url: &PublicUrl) -> House<'_> {
    House { organisation: "Fernhill Joinery", help_contact: HELP, public_url: url }
}

fn own_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Member);
    let line = |notice: Notice| NoticeLine::of(&notice, objection(&notice));
    let mut read = every_notice();
    (read[0].seen_at, read[1].objected_at) = (Some(now()), Some(now()));
    let view = |lines| OwnNoticesView { form: form(), lines };
    let lines: Vec<NoticeLine> = read.into_iter().map(line).collect();
    let unseen = Unseen { lines: lines[..3].to_vec(), more: true, here: "/profile".to_owned() };
    let alerts = Unseen { lines: lines[20..21].to_vec(), more: false, here: "/admin".to_owned() };
    let waits = Unseen { lines: lines[lines.len() - 1..].to_vec(), more: false, here: "/admin".to_owned() };
    // The frame's banner, above a page that has little of its own.
    let under = |frame: &Frame| profile::new_codes(frame, &NewCodesView { form: Form::new("csrf-1"), codes_left: 10 });
    let confirms = |form| ReadView { form, lines: lines[..2].to_vec(), next: "/profile".to_owned() };
    let wrong = typed(&[], &[("step_up_code", "This code is not right. Wait for the next one and try again.")]);
    vec![
        ("notices-confirm", notices::read(&f, &confirms(step_up(form())))),
        ("notices-confirm-wrong", notices::read(&f, &confirms(step_up(wrong)))),
        ("notices", notices::own(&f, &view(lines.clone()))),
        ("notices-none", notices::own(&f, &view(Vec::new()))),
        ("notices-banner", under(&Frame { unseen: Some(&unseen), ..viewer(Role::Member) })),
        ("notices-banner-approver", under(&Frame { unseen: Some(&waits), ..viewer(Role::Admin) })),
        ("notices-banner-owner", under(&Frame { unseen: Some(&alerts), ..viewer(Role::Owner) })),
    ]
}

fn message(kind: outbox::Kind, fate: Fate, error: &str) -> Message {
    Message {
        id: MessageId::generate(),
        kind,
        user: None,
        notice: None,
        case: None,
        address: "mara@fernhill.example".parse().expect("samples hold addresses"),
        name: HOSTILE.to_owned(),
        may_object: true,
        subject: HOSTILE.to_owned(),
        text: "Hello Mara,\n\nyour phone works again.\nRegards".to_owned(),
        created_at: at("2026-11-24T10:02:00Z"),
        attempts: 1,
        error: error.to_owned(),
        fate,
    }
}

fn messages() -> Vec<Message> {
    let of = |fate, error| message(outbox::Kind::Notice, fate, error);
    vec![
        of(Fate::Sent(at("2026-11-24T10:03:00Z")), ""),
        of(Fate::Waits(at("2026-11-24T10:43:00Z")), "mail.fernhill.example:587 can not be reached"),
        of(Fate::GivenUp(at("2026-11-24T10:03:00Z")), HOSTILE),
        of(Fate::GivenUp(at("2026-11-24T10:03:00Z")), outbox::NO_SERVER),
    ]
}

fn console_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let url = url();
    let text =
        |notice: &Notice| Outline::of_notice(house(&url), "Mara Lindqvist", notice, objection(notice).as_ref()).text();
    let told = |mut notice: Notice, seen_at: Option<Timestamp>| {
        (notice.seen_at, notice.objected_at) = (seen_at, seen_at);
        Told { text: Some(text(&notice)), messages: messages(), notice }
    };
    let view = NoticesView {
        head: head("Mara Lindqvist"),
        told: every_notice().into_iter().enumerate().map(|(n, x)| told(x, (n % 2 == 0).then(now))).collect(),
        others: outbox::Kind::ALL.map(|kind| message(kind, Fate::Sent(now()), "")).into(),
        mails: true,
        refused: None,
    };
    let unmailed = NoticesView {
        told: vec![Told { text: None, messages: messages(), notice: every_notice().remove(0) }],
        mails: false,
        refused: Some("Admins and auditors rank alike.".to_owned()),
        ..view.clone()
    };
    let none = NoticesView { head: alone(), told: Vec::new(), others: Vec::new(), ..view.clone() };
    vec![
        ("user-notices", user_notices::told(&f, &view)),
        ("user-notices-unmailed", user_notices::told(&f, &unmailed)),
        ("user-notices-none", user_notices::told(&f, &none)),
    ]
}

fn checkpoint() -> Checkpoint {
    let point = Point {
        origin: "0193a7c2-0000-7000-8000-000000000000".to_owned(),
        lineage: "00112233445566ff".to_owned(),
        seq: 1204,
        hash: [7; 32],
        at: now(),
    };
    let key = VerifierKey::new(&origin_line(&point.origin), [1; 32]).expect("a UUID is a name");
    Checkpoint::sign(point, &key, |_| [9; 64])
}

fn letters() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let url = url();
    let letter = |outline: &Outline| {
        let view = LetterView { person: mara(), outline };
        user_notices::letter(&f, &view)
    };
    let written =
        |content: Content| Outline::of(house(&url), &message(outbox::Kind::Message, Fate::Waits(now()), ""), &content);
    let link = || Link { path: "/password-reset/Q0VSVElGSUNBVEUtUkVRVUVTVC1JTlZJVEFUSU9OLTE".to_owned(), until: now() };
    let asked = Facts { device: HOSTILE.to_owned(), address: "192.0.2.7".to_owned(), ..Facts::default() };
    let nobody = House { help_contact: None, ..house(&url) };
    let reset = &every_notice()[0];
    vec![
        ("letter", letter(&Outline::of_notice(house(&url), "Mara Lindqvist", reset, objection(reset).as_ref()))),
        ("letter-no-link", letter(&Outline::of_notice(nobody, HOSTILE, reset, None))),
        ("letter-invitation", letter(&written(Content::Invitation(link())))),
        ("letter-password-reset", letter(&written(Content::PasswordReset(link(), asked)))),
        ("letter-written", letter(&written(Content::Written))),
        ("letter-anchor", letter(&written(Content::Anchor(checkpoint())))),
        ("letter-test", letter(&written(Content::Test))),
    ]
}

fn password_reset_pages() -> Vec<(&'static str, Markup)> {
    let f = stranger();
    let valid = Duration::from_secs(30 * 60);
    let wrong = typed(&[("email", HOSTILE)], &[("email", "Enter an e-mail address.")]);
    let common = typed(&[], &[("new_password", "This is one of the most common passwords. Choose another.")]);
    let choose = |form| ChooseView { form, action: "/password-reset/abc", email: "mara@fernhill.example" };
    vec![
        ("password-reset", password_reset::ask(&f, &AskView { form: form(), valid })),
        ("password-reset-wrong", password_reset::ask(&f, &AskView { form: wrong, valid })),
        ("password-reset-sent", password_reset::sent(&f, &SentView { valid, help_contact: HELP })),
        ("password-reset-choose", password_reset::choose(&f, &choose(form()))),
        ("password-reset-choose-wrong", password_reset::choose(&f, &choose(common))),
        ("password-reset-done", password_reset::done(&f)),
    ]
}
