//! Samples of the console's pages, hostile text included.

use maud::Markup;

use super::audit::{self, AuditView, ChainView};
use super::confirm_people::{self, ConfirmPeopleView};
use super::entry::{self, EntryLine, EntryView, Party};
use super::handover::{self, CodesIssuedView, PasswordSetView, ResetDoneView};
use super::parts::Tone;
use super::samples::{CASE, HOSTILE, at, form, step_up, typed, viewer};
use super::samples_acts::{self, mara, maryam};
use super::users::{self, AddPersonView, InvitationLinkView, UsersView};
use super::{Flash, Frame, samples_board, samples_case, samples_contacts, samples_user};
use crate::audit::Outcome;
use crate::audit::anchor::{Anchor, Way};
use crate::dashboard::Need;
use crate::ids::UserId;
use crate::policy::HowOften;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::users::{Role, Status, UserLine};

/// Every page of the console by a name of its own.
pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let mut pages = people_pages();
    pages.extend(samples_user::all());
    pages.extend(samples_contacts::all());
    pages.extend(samples_acts::all());
    pages.extend(handover_pages());
    pages.extend(samples_board::all());
    pages.extend(samples_case::all());
    pages.extend(audit_pages());
    pages
}

pub(super) const LONG: &str = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh Maximiliana";

fn line(name: &str, role: Role, status: Status, factors: u32) -> UserLine {
    UserLine {
        id: UserId::generate(),
        email: format!("{}@fernhill.example", name.split(' ').next().unwrap_or("x").to_lowercase()),
        name: name.to_owned(),
        role,
        status,
        factors,
        codes_left: factors * 2,
        last_sign_in_at: (factors > 0).then(|| at("2026-11-19T07:58:00Z")),
        needs: match (status, factors) {
            (Status::Active, 0) => vec![Need::Awaiting, Need::TemporaryPassword],
            (Status::Active, 1) => vec![Need::FewCodes, Need::FactorDisabled],
            (Status::Invited, _) => vec![Need::InvitationOver],
            _ => Vec::new(),
        },
    }
}

fn people_pages() -> Vec<(&'static str, Markup)> {
    let f = Frame {
        flash: Some(Flash { kind: Tone::Good, text: "Ada Brandt was enabled.".to_owned(), link: None }),
        ..viewer(Role::Owner)
    };
    let people = [
        line("Mara Lindqvist", Role::Member, Status::Active, 0),
        line("Ada Brandt", Role::Owner, Status::Active, 2),
        line(LONG, Role::Admin, Status::Active, 1),
        line(HOSTILE, Role::Auditor, Status::Disabled, 1),
        line("مريم العلي", Role::Member, Status::Invited, 0),
        line("Jonas Berg", Role::Member, Status::Left, 0),
    ];
    let list = |form, people, after| UsersView {
        form,
        people,
        pressing: &[],
        more_pressing: false,
        further: false,
        after,
        more_match: None,
        may_add: true,
    };
    let pressing = [people[0].clone(), people[4].clone()];
    let first = UsersView { pressing: &pressing, ..list(form(), &people, Some("c&1".to_owned())) };
    let many = UsersView { more_pressing: true, ..first.clone() };
    let next = Some("c&1".to_owned());
    let middle =
        UsersView { further: true, more_match: Some(200), ..list(typed(&[("q", HOSTILE)], &[]), &people, next) };
    let unread = typed(&[("state", "king")], &[("state", "Choose one of the list.")]);
    let add = AddPersonView {
        form: step_up(typed(
            &[("name", HOSTILE), ("email", "a"), ("role", "member")],
            &[("email", "Enter an e-mail address, like mara@example.org.")],
        )),
        roles: &Role::ALL,
        mails: true,
    };
    let waiting = Frame { people_wait: true, ..viewer(Role::Owner) };
    let link = InvitationLinkView {
        id: UserId::generate(),
        name: "Mara Lindqvist",
        link: Secret::new("https://id.fernhill.example/invitation/Q0VSVElGSUNBVEUtUkVRVUVTVC1JTlZJVEFUSU9OLTE"),
        expires_at: at("2026-11-27T10:42:00Z"),
        mailed: true,
    };
    let mut pages = confirm_pages(&people);
    pages.extend([
        ("users", users::users(&f, &middle)),
        ("users-first", users::users(&f, &first)),
        ("users-pressing", users::users(&f, &many)),
        ("users-last", users::users(&f, &UsersView { after: None, ..middle.clone() })),
        ("users-beyond", users::users(&f, &UsersView { after: None, people: &[], ..middle.clone() })),
        ("users-one", users::users(&f, &list(typed(&[("q", "mara")], &[]), &people[..1], None))),
        ("users-found", users::users(&f, &list(typed(&[("q", "a")], &[]), &people[..2], None))),
        ("users-wrong", users::users(&f, &list(unread, &[], None))),
        ("users-nobody", users::users(&f, &list(typed(&[("q", "zz"), ("state", "active")], &[]), &[], None))),
        ("users-empty", users::users(&f, &list(form(), &[], None))),
        ("users-calm", users::users(&f, &list(typed(&[("state", "attention")], &[]), &[], None))),
        ("user-add", users::add_person(&f, &add)),
        ("users-waiting", users::users(&waiting, &list(form(), &people, None))),
        ("user-link", users::invitation_link(&f, &link)),
    ]);
    pages
}

/// The list that an owner confirms after a restore.
fn confirm_pages(people: &[UserLine]) -> Vec<(&'static str, Markup)> {
    let ticked = people[2].id.to_string();
    let confirm =
        ConfirmPeopleView { form: step_up(typed(&[("disable", &ticked)], &[])), people, viewer: people[1].id };
    let undecided = ConfirmPeopleView {
        form: typed(&[], &[("", "Somebody was added in between: look at the list again.")]),
        ..confirm.clone()
    };
    vec![
        ("users-confirm", confirm_people::confirm_people(&viewer(Role::Owner), &confirm)),
        ("users-confirm-wrong", confirm_people::confirm_people(&viewer(Role::Owner), &undecided)),
    ]
}

fn entry_line(seq: u64, action: &str, what: &str, outcome: Outcome) -> EntryLine {
    EntryLine {
        seq,
        at: at("2026-11-24T09:38:12.000412Z"),
        action: action.to_owned(),
        what: what.to_owned(),
        outcome,
        actor: "Tom Okafor".to_owned(),
        target: HOSTILE.to_owned(),
        case: Some(CASE),
    }
}

pub(super) fn entries() -> Vec<EntryLine> {
    vec![
        entry_line(1204, "mfa.factor_admin_reset", "Removed all factors", Outcome::Success),
        entry_line(1203, "mfa.factor_admin_reset", "Tried to remove all factors", Outcome::Denied),
        entry_line(1202, "user.sign_in_failed", "Entered a wrong password", Outcome::Failure),
    ]
}

fn handover_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let until = at("2026-11-24T11:42:00Z");
    let (case, evidence) = (samples_case::reset(), samples_case::evidence());
    let done = |pass| ResetDoneView { person: mara(), case: &case, evidence: &evidence, pass, until };
    let rightward = ResetDoneView { person: maryam(), ..done(Some(Secret::new("K7PM-2XQD-9RTH"))) };
    let codes = CodesIssuedView {
        person: mara(),
        case: None,
        codes: ["K7PM-2XQD-9RTH", "M3TR-77WX-0AQZ", "9HJK-4D2P-6VNE"].map(Secret::new).to_vec(),
        expires_at: at("2026-12-01T10:42:00Z"),
    };
    let password = PasswordSetView {
        person: mara(),
        case: Some(CASE),
        password: Secret::new("K7PM-2XQD-9RTH"),
        expires_at: at("2026-11-25T10:42:00Z"),
    };
    vec![
        ("pass", handover::reset_done(&f, &done(Some(Secret::new("K7PM-2XQD-9RTH"))))),
        ("pass-right-to-left", handover::reset_done(&f, &rightward)),
        ("pass-none", handover::reset_done(&f, &done(None))),
        ("codes-issued", handover::codes_issued(&f, &codes)),
        ("password-set", handover::password_set(&f, &password)),
    ]
}

fn anchor(way: Way, seq: i64, at: Timestamp, whom: &str) -> Anchor {
    Anchor { way, seq, signed_at: at, sent_at: at, whom: whom.to_owned() }
}

fn audit_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Auditor);
    let chain = ChainView {
        newest: 1204,
        at: at("2026-11-24T09:38:12Z"),
        hash: "c4".repeat(32),
        extends: true,
        checked: Some((1180, at("2026-11-24T02:15:00Z"))),
        anchors: vec![
            anchor(Way::Mail, 1190, at("2026-11-24T08:00:00Z"), "3 people"),
            anchor(Way::Syslog, 1188, at("2026-11-24T06:00:00Z"), HOSTILE),
            anchor(Way::Printed, 1180, at("2026-11-24T02:15:00Z"), "idp backup"),
        ],
        mails: Some(HowOften::Daily),
    };
    let unsound = ChainView { extends: false, checked: None, anchors: Vec::new(), mails: None, ..chain.clone() };
    let not_yet = ChainView { anchors: Vec::new(), ..chain.clone() };
    let unmailed = ChainView { anchors: Vec::new(), mails: Some(HowOften::Never), ..chain.clone() };
    let list = |form, entries| AuditView {
        form,
        chain: chain.clone(),
        actions: &["mfa.factor_admin_reset", "user.signed_in"],
        entries,
        further: true,
        before: Some("1202".to_owned()),
    };
    let no_key =
        typed(&[("action", "user.created"), ("proof", "on")], &[("proof", "The server can not sign a proof.")]);
    let typed_filter = [("action", "mfa.factor_admin_reset"), ("since", "yesterday")];
    let entry = EntryView {
        line: entry_line(1204, "mfa.factor_admin_reset", "Removed all factors of Mara Lindqvist", Outcome::Success),
        lineage: "0193577e-4b0f-7cc0-8a5e-8f5f0c6b2d11".to_owned(),
        actor: Party { kind: "person".to_owned(), id: UserId::generate().to_string(), name: "Tom Okafor".to_owned() },
        target: Some(Party { kind: "person".to_owned(), id: UserId::generate().to_string(), name: HOSTILE.to_owned() }),
        reason: "Lost phone, verified on a video call".to_owned(),
        ticket: "#1234".to_owned(),
        source: vec![("Address".to_owned(), "192.0.2.7".to_owned()), ("Browser".to_owned(), HOSTILE.to_owned())],
        detail: vec![("factors_removed".to_owned(), "2".to_owned())],
        erased: false,
        previous_hash: "9f".repeat(32),
        body_digest: "0a".repeat(32),
        hash: "c4".repeat(32),
        previous: Some(1203),
        next: None,
    };
    vec![
        ("audit", audit::audit(&f, &list(typed(&typed_filter[..1], &[]), entries()))),
        ("audit-none", audit::audit(&f, &list(form(), Vec::new()))),
        ("audit-unmailed", audit::audit(&f, &AuditView { chain: unmailed, ..list(form(), entries()) })),
        ("audit-not-yet-mailed", audit::audit(&f, &AuditView { chain: not_yet, ..list(form(), entries()) })),
        ("audit-unsound", audit::audit(&f, &AuditView { chain: unsound, ..list(form(), entries()) })),
        ("audit-wrong", audit::audit(&f, &list(typed(&typed_filter, &[("since", "Write 2026-11-24.")]), Vec::new()))),
        ("audit-no-key", audit::audit(&f, &list(no_key, entries()))),
        ("entry", entry::entry(&f, &entry)),
        ("entry-middle", entry::entry(&f, &EntryView { next: Some(1205), ..entry.clone() })),
        ("entry-erased", entry::entry(&f, &EntryView { erased: true, ..entry.clone() })),
    ]
}
