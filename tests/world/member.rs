//! People: how they come in, and what admins do to them.

use std::time::Duration;

use idp::actions::first_run::setup_link;
use idp::storage::users;
use idp::users::User;

use super::{Browser, PASSWORD, Phone, World, host};

/// A person with what they carry.
pub struct Member {
    /// Where they are signed in.
    pub browser: Browser,
    /// Their authenticator app.
    pub phone: Phone,
    /// Their backup codes.
    pub codes: Vec<String>,
    /// What they sign in with.
    pub email: String,
    /// Their id, as addresses have it.
    pub id: String,
}

/// Someone who is let in again and has given the password.
pub struct HalfWayIn {
    browser: Browser,
    pass: String,
    codes: Vec<String>,
}

impl HalfWayIn {
    /// Neither the pass nor a code that was issued opens anything more.
    #[track_caller]
    pub fn finds_no_way(mut self) {
        assert_eq!(self.browser.post("/enrol/pass", &[("pass", &self.pass)]).status, 401);
        assert_eq!(self.browser.post("/sign-in/backup-code", &[("code", &self.codes[0])]).status, 401);
    }
}

impl World {
    /// A provider with an owner who is signed in, in the browser returned.
    pub fn with_owner() -> (Self, Browser, Phone) {
        Self::new().owned()
    }

    /// The same with its first owner, who is signed in, in the browser returned.
    pub fn owned(self) -> (Self, Browser, Phone) {
        let world = self;
        let token = setup_link(&world.app.means, host()).unwrap().expect("a new provider has no owner");
        let mut browser = world.browser();
        let path = format!("/setup/{}", token.to_text());
        browser.get(&path);
        let fields = [("email", "ada@fernhill.example"), ("name", "Ada Brandt"), ("password", PASSWORD)];
        assert_eq!(browser.post(&path, &fields).status, 303);
        let (phone, _) = world.enrol(&mut browser);
        (world, browser, phone)
    }

    /// Adds a person as the owner in `admin` and lets them accept; they are signed in, in the browser returned.
    pub fn person(&self, admin: &mut Browser, email: &str, name: &str, role: &str) -> Member {
        let link = self.invite(admin, email, name, role);
        let mut browser = self.accept(&link);
        let (phone, codes) = self.enrol(&mut browser);
        let id = self.user(email).id.to_string();
        Member { browser, phone, codes, email: email.into(), id }
    }

    /// Adds a person as the admin in `admin`; the path of their invitation link.
    pub fn invite(&self, admin: &mut Browser, email: &str, name: &str, role: &str) -> String {
        admin.get("/admin/users/new");
        let page = admin.post("/admin/users/new", &[("email", email), ("name", name), ("role", role)]);
        assert_eq!(page.status, 200, "{}", page.text());
        let at = page.body.find("/invitation/").expect("the link is shown");
        page.body[at..].chars().take_while(|c| *c != '<' && *c != '"').collect()
    }

    /// Sets a password through an invitation link; the browser that goes on to enrol.
    pub fn accept(&self, link: &str) -> Browser {
        let mut browser = self.browser();
        browser.get(link);
        assert_eq!(browser.post(link, &[("password", PASSWORD)]).location(), "/enrol", "{}", browser.page.text());
        browser
    }

    /// Resets the person `id` as the admin in `admin`, issues codes, and lets them come as far as the pass.
    pub fn half_way_in(&self, admin: &mut Browser, member: &Member) -> HalfWayIn {
        let pass = self.reset(admin, &member.id);
        let path = format!("/admin/users/{}/mfa/backup-codes", member.id);
        admin.get(&path);
        let codes = admin.post(&path, &crate::runbook::FOUNDED).codes();
        let mut browser = self.browser();
        browser.password(&member.email, PASSWORD);
        assert!(browser.get("/enrol").says("Enter the pass"), "{}", browser.page.text());
        HalfWayIn { browser, pass, codes }
    }

    /// From the enrolment page to a full session: the new phone, and the backup codes that were shown.
    pub fn enrol(&self, browser: &mut Browser) -> (Phone, Vec<String>) {
        let page = browser.get("/enrol");
        assert_eq!(page.status, 200, "{}", page.text());
        let phone = Phone::scan(&page.body);
        let page = browser.post("/enrol", &[("code", &phone.code(self.now()))]);
        assert_eq!(page.status, 200, "{}", page.text());
        let codes = page.codes();
        assert_eq!(codes.len(), 10);
        assert_eq!(browser.post("/enrol/stored", &[("stored", "on")]).status, 303);
        // The step that enrolled is used up; the next code is another.
        self.later(Duration::from_secs(30));
        (phone, codes)
    }

    /// A person by address.
    pub fn user(&self, email: &str) -> User {
        let email = email.parse().unwrap();
        self.app.means.store.read(|tx| users::find_by_email(tx, &email)).unwrap().expect("there is such a person")
    }

    /// The id of the first factor of the person `id`.
    pub fn factor(&self, id: &str) -> String {
        let db = rusqlite::Connection::open(self.database()).unwrap();
        let sql = "SELECT id FROM factors WHERE user_id = ?1 ORDER BY created_at LIMIT 1";
        db.query_row(sql, [id], |row| row.get(0)).unwrap()
    }

    /// Resets the factors of the person `id` as the admin in `admin`; the pass that was shown.
    pub fn reset(&self, admin: &mut Browser, id: &str) -> String {
        let path = format!("/admin/users/{id}/mfa/reset");
        admin.get(&path);
        let page = admin.post(&path, &crate::runbook::FOUNDED);
        assert_eq!(page.status, 200, "{}", page.text());
        page.secret()
    }

    /// Lets owners do at once what policy would have somebody else approve: for sentences about something else.
    pub fn without_second_person(&self) {
        let db = rusqlite::Connection::open(self.database()).unwrap();
        let sql = "INSERT INTO policy_settings (key, value, set_by, set_at, effective_at)
                   VALUES ('second_person', 0, 'a test', 0, 0)";
        db.execute(sql, []).unwrap();
    }

    /// Sets a temporary password for the person `id` as the admin in `admin`; the password that was shown.
    pub fn temporary_password(&self, admin: &mut Browser, id: &str) -> String {
        let path = format!("/admin/users/{id}/password");
        admin.get(&path);
        let page = admin.post(&path, &crate::runbook::FOUNDED[..3]);
        assert_eq!(page.status, 200, "{}", page.text());
        page.secret()
    }

    /// Disables the person `id` as the admin in `admin`.
    pub fn disable(&self, admin: &mut Browser, id: &str) {
        let path = format!("/admin/users/{id}/disable");
        admin.get(&path);
        assert_eq!(admin.post(&path, &[("reason", "left the company")]).status, 303, "{}", admin.page.text());
    }
}
