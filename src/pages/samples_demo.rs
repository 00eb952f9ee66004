//! Samples of the demo: people in every state that its list knows.

use maud::Markup;

use super::Frame;
use super::demo::{self, DemoView, WalkView};
use super::samples::{HELP, HOSTILE, form, stranger};
use super::sign_in::{self, PasswordView};
use crate::demo::{CAST, Demo, KeyRing, PasswordNow, WALKS};
use crate::secret::Secret;
use crate::users::Status;

fn secrets(texts: &[&str]) -> Vec<Secret> {
    texts.iter().map(|text| Secret::new(*text)).collect()
}

fn people() -> Vec<KeyRing> {
    let person = |key: &str| {
        let part = CAST.iter().find(|part| part.key == key).expect("samples are about the cast");
        KeyRing {
            about: Some(part.about),
            name: part.name.to_owned(),
            email: part.email(),
            role: part.role,
            status: Status::Active,
            password: PasswordNow::Shared,
            app: secrets(&["287082", "081804", "050471"]),
            new_app: Vec::new(),
            codes: secrets(&["K7PM-2XQD-9RTH-4ABC", "K7PM-2XQD-9RTH-5ABC", "K7PM-2XQD-9RTH-6ABC"]),
            codes_left: 10,
            invitation: None,
        }
    };
    let adding = KeyRing { app: Vec::new(), new_app: secrets(&["005924", "279037"]), ..person("mara") };
    let temporary = KeyRing { password: PasswordNow::Temporary, codes: Vec::new(), codes_left: 3, ..person("lena") };
    let closed = KeyRing {
        status: Status::Disabled,
        password: PasswordNow::None,
        app: Vec::new(),
        codes: Vec::new(),
        codes_left: 0,
        ..person("jonas")
    };
    let invited = KeyRing { status: Status::Invited, invitation: Some("/invitation/abc".into()), ..closed.clone() };
    let added = KeyRing {
        about: None,
        name: HOSTILE.to_owned(),
        email: "nils@fernhill.example".to_owned(),
        password: PasswordNow::Chosen,
        codes: Vec::new(),
        ..person("sofia")
    };
    vec![person("ada"), person("tom"), adding, temporary, closed, invited, added]
}

/// Every page by a name of its own.
pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let f = Frame { demo: true, ..stranger() };
    let cast = Demo { folder: "/tmp/idp-demo-0193577e4b0f/data".into(), people: Vec::new() };
    let walk = |walk: &crate::demo::Walk| WalkView {
        title: walk.title,
        who: walk.who.map(|key| ("Tom Okafor", format!("{key}@fernhill.example"))),
        path: walk.path.replace("{id}", "0193577e-4b0f-7000-8000-000000000001"),
        text: walk.text.replace("{folder}", &cast.folder.display().to_string()),
    };
    let view = DemoView { people: people(), walks: WALKS.iter().map(walk).collect(), seconds_left: 17 };
    let password = PasswordView { form: form(), next: None, trouble: None, help_contact: HELP, mails: false };
    vec![("demo", demo::demo(&f, &view)), ("sign-in-demo", sign_in::password(&f, &password))]
}
