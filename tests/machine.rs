//! The sign-in state machine, walked at random through HTTP: whatever is tried in whatever order, nobody has a full
//! session without two factors, or one audited recovery.
//!
//! The ledger below knows nothing of the server's rules. It notes what each browser has really proved, by what this
//! test sent and knows to be right, and is an upper bound: a session may end early, but never be more than was proved.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use idp::audit::Action;
use idp::time::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::world::{Answer, Browser, PASSWORD, Phone, World};

const EMAIL: &str = "mara@fernhill.example";
const WRONG_CODE: &str = "AAAA-AAAA-AAAA-AAAA";

/// One thing that someone tries. The first number is the browser.
#[derive(Debug, Clone)]
enum Step {
    Password(usize, bool),
    Otp(usize, Otp),
    BackupCode(usize, Code),
    Pass(usize, bool),
    Enrol(usize, bool),
    NewPassword(usize),
    SignOut(usize),
    /// A form sent to a page out of order, with the session's own CSRF value.
    Jump(usize, usize),
    /// The second browser gets hold of the first one's session cookie, or keeps an old one.
    CopyCookies(usize, usize),
    Reset,
    Temporary,
    Disable,
    Enable,
    Later(u64),
}

#[derive(Debug, Clone, Copy)]
enum Otp {
    Now,
    Replayed,
    Wrong,
}

#[derive(Debug, Clone, Copy)]
enum Code {
    Unused,
    Used,
    Wrong,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0..3_usize;
    let otp = prop::sample::select(vec![Otp::Now, Otp::Now, Otp::Now, Otp::Replayed, Otp::Wrong]);
    let code = prop::sample::select(vec![Code::Unused, Code::Unused, Code::Used, Code::Wrong]);
    let step = prop_oneof![
        6 => (who(), prop::bool::weighted(0.85)).prop_map(|(b, right)| Step::Password(b, right)),
        6 => (who(), otp).prop_map(|(b, kind)| Step::Otp(b, kind)),
        3 => (who(), code).prop_map(|(b, kind)| Step::BackupCode(b, kind)),
        4 => (who(), prop::bool::weighted(0.8)).prop_map(|(b, right)| Step::Pass(b, right)),
        4 => (who(), prop::bool::weighted(0.8)).prop_map(|(b, right)| Step::Enrol(b, right)),
        3 => who().prop_map(Step::NewPassword),
        1 => who().prop_map(Step::SignOut),
        3 => (who(), 0..JUMPS.len()).prop_map(|(b, to)| Step::Jump(b, to)),
        1 => (who(), who()).prop_map(|(from, to)| Step::CopyCookies(from, to)),
        2 => Just(Step::Reset),
        1 => Just(Step::Temporary),
        1 => Just(Step::Disable),
        2 => Just(Step::Enable),
        3 => (1..1_500_u64).prop_map(Step::Later),
    ];
    prop::collection::vec(step, 10..60)
}

/// Forms that would be worth something if the stage before them could be skipped.
const JUMPS: &[(&str, &[(&str, &str)])] = &[
    ("/enrol/stored", &[("stored", "on")]),
    ("/enrol", &[("code", "123456")]),
    ("/sign-in/password", &[("new_password", "skipping the queue here")]),
    ("/profile/factors", &[]),
    ("/sign-in/resume", &[("password", PASSWORD)]),
];

/// What a browser has proved since its session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proved {
    Nothing,
    Password,
    PasswordAndPass,
    /// Two factors, and a password that must be changed first.
    BothButTemporary,
    Full,
}

/// The world with what is true in it.
struct Walk {
    world: World,
    ada: Browser,
    ada_phone: Phone,
    ada_since: Timestamp,
    browsers: Vec<Browser>,
    proved: Vec<Proved>,
    password: String,
    temporary: bool,
    disabled: bool,
    phone: Option<Phone>,
    last_step: i64,
    last_otp: Option<String>,
    codes: Vec<String>,
    used: Vec<String>,
    pass: Option<String>,
    reached: usize,
}

impl Walk {
    fn new() -> Self {
        let (world, mut ada, ada_phone) = World::with_owner();
        let mara = world.person(&mut ada, EMAIL, "Mara", "member");
        let browsers = vec![mara.browser, world.browser(), world.browser().from("198.51.100.7")];
        Self {
            ada_since: world.now(),
            last_step: step_of(world.now()) - 1,
            world,
            ada,
            ada_phone,
            browsers,
            proved: vec![Proved::Full, Proved::Nothing, Proved::Nothing],
            password: PASSWORD.into(),
            temporary: false,
            disabled: false,
            phone: Some(mara.phone),
            last_otp: None,
            codes: mara.codes,
            used: Vec::new(),
            pass: None,
            reached: 0,
        }
    }

    fn id(&self) -> String {
        self.world.user(EMAIL).id.to_string()
    }

    /// Sends a form to a page; its answer, and whether the session got a new token, which is what leads on.
    fn send(&mut self, b: usize, page: Option<&str>, path: &str, fields: &[(&str, &str)]) -> (Answer, bool) {
        let browser = &mut self.browsers[b];
        let before = browser.cookies.get("idp-session").cloned();
        if let Some(page) = page {
            browser.get(page);
        }
        let answer = browser.post(path, fields);
        let led_on = browser.cookies.get("idp-session").is_some_and(|now| before.as_ref() != Some(now));
        (answer, led_on)
    }

    fn ends_for_all(&mut self) {
        self.proved.fill(Proved::Nothing);
    }

    /// The owner, signed in recently enough for any act.
    fn owner(&mut self) {
        if self.world.now().since(self.ada_since) > Duration::from_secs(600) {
            self.ada.cookies.remove("idp-session");
            let answer = self.ada.sign_in(&self.world, "ada@fernhill.example", PASSWORD, &self.ada_phone);
            assert_eq!(answer.status, 303);
            self.ada_since = self.world.now();
        }
    }

    /// Both factors were right in browser `b`.
    fn both(&mut self, b: usize) {
        self.proved[b] = if self.temporary { Proved::BothButTemporary } else { Proved::Full };
        self.reached += usize::from(!self.temporary);
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Password(b, right) => self.type_password(b, right),
            Step::Otp(b, kind) => self.type_otp(b, kind),
            Step::BackupCode(b, kind) => self.type_backup_code(b, kind),
            Step::Pass(b, right) => self.give_pass(b, right),
            Step::Enrol(b, right) => self.enrol(b, right),
            Step::NewPassword(b) => self.choose_password(b),
            Step::SignOut(b) => {
                if self.browsers[b].cookies.contains_key("idp-session") {
                    let csrf = self.browsers[b].csrf();
                    let (answer, _) = self.send(b, None, "/sign-out", &[("csrf", &csrf)]);
                    if answer.status == 303 {
                        self.proved[b] = Proved::Nothing;
                    }
                }
            }
            Step::Jump(b, to) => self.jump(b, to),
            Step::CopyCookies(from, to) => {
                self.browsers[to].cookies = self.browsers[from].cookies.clone();
                self.proved[to] = self.proved[from];
            }
            Step::Later(seconds) => self.world.later(Duration::from_secs(seconds)),
            Step::Reset | Step::Temporary | Step::Disable | Step::Enable => self.administer(step),
        }
    }

    fn type_password(&mut self, b: usize, right: bool) {
        let password = if right { self.password.clone() } else { "certainly not this one".to_owned() };
        let (_, led_on) = self.send(b, Some("/sign-in"), "/sign-in", &[("email", EMAIL), ("password", &password)]);
        if led_on {
            assert!(right && !self.disabled, "a wrong password, or a disabled account, led on");
            self.proved[b] = Proved::Password;
        }
    }

    fn type_otp(&mut self, b: usize, kind: Otp) {
        let now = self.world.now();
        let (code, fresh) = match (kind, &self.phone, &self.last_otp) {
            (Otp::Now, Some(phone), _) => (phone.code(now), step_of(now) > self.last_step),
            (Otp::Replayed, Some(_), Some(code)) => (code.clone(), false),
            (_, Some(phone), _) => (phone.wrong_code(now), false),
            (_, None, _) => ("123456".to_owned(), false),
        };
        let (_, led_on) = self.send(b, Some("/sign-in/code"), "/sign-in/code", &[("code", &code)]);
        if led_on {
            assert!(fresh, "{kind:?} led on");
            assert!(matches!(self.proved[b], Proved::Password | Proved::PasswordAndPass), "{:?}", self.proved[b]);
            (self.last_step, self.last_otp) = (step_of(now), Some(code));
            self.both(b);
        }
    }

    fn type_backup_code(&mut self, b: usize, kind: Code) {
        let (code, good) = match (kind, self.codes.last(), self.used.last()) {
            (Code::Unused, Some(code), _) => (code.clone(), true),
            (Code::Used, _, Some(code)) => (code.clone(), false),
            _ => (WRONG_CODE.to_owned(), false),
        };
        let (_, led_on) = self.send(b, Some("/sign-in/backup-code"), "/sign-in/backup-code", &[("code", &code)]);
        if led_on {
            assert!(good, "{kind:?} led on");
            assert!(matches!(self.proved[b], Proved::Password | Proved::PasswordAndPass), "{:?}", self.proved[b]);
            self.used.extend(self.codes.pop());
            self.both(b);
        }
    }

    fn give_pass(&mut self, b: usize, right: bool) {
        let pass = self.pass.clone().filter(|_| right);
        let typed = pass.clone().unwrap_or_else(|| "AAAA-AAAA-AAAA".into());
        let (_, led_on) = self.send(b, Some("/enrol"), "/enrol/pass", &[("pass", &typed)]);
        if led_on {
            assert!(pass.is_some() && self.phone.is_none(), "a wrong pass led on");
            assert_eq!(self.proved[b], Proved::Password);
            self.proved[b] = Proved::PasswordAndPass;
        }
    }

    fn enrol(&mut self, b: usize, right: bool) {
        let page = self.browsers[b].get("/enrol");
        let phone = page.body.contains("secret=").then(|| Phone::scan(&page.body));
        if phone.is_some() {
            assert_eq!(self.proved[b], Proved::PasswordAndPass, "a secret was shown");
        }
        let now = self.world.now();
        let code = match &phone {
            Some(phone) if right => phone.code(now),
            Some(phone) => phone.wrong_code(now),
            None => "123456".into(),
        };
        let (answer, led_on) = self.send(b, None, "/enrol", &[("code", &code)]);
        if led_on {
            assert!(right && self.pass.is_some(), "enrolled without a recovery");
            (self.codes, self.used, self.phone, self.pass) = (answer.codes(), Vec::new(), phone, None);
            (self.last_step, self.last_otp) = (step_of(now), Some(code));
            self.both(b);
        }
    }

    fn choose_password(&mut self, b: usize) {
        let new = format!("walnut harbour number {}", self.world.head());
        let (_, led_on) = self.send(b, Some("/sign-in/password"), "/sign-in/password", &[("new_password", &new)]);
        if led_on {
            assert_eq!(self.proved[b], Proved::BothButTemporary);
            self.ends_for_all();
            (self.password, self.temporary) = (new, false);
            self.both(b);
        }
    }

    fn jump(&mut self, b: usize, to: usize) {
        if !self.browsers[b].cookies.contains_key("idp-session") {
            return;
        }
        let (path, fields) = JUMPS[to];
        let csrf = self.browsers[b].csrf();
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        let proved = self.proved[b];
        let (_, led_on) = self.send(b, None, path, &fields);
        match path {
            _ if !led_on => {}
            // Here it was no jump but the next step.
            "/sign-in/password" if proved == Proved::BothButTemporary => {
                self.ends_for_all();
                (self.password, self.temporary) = ("skipping the queue here".into(), false);
                self.both(b);
            }
            "/sign-in/resume" if proved == Proved::Full => assert_eq!(self.password, PASSWORD),
            _ => panic!("{path} led on from {proved:?}"),
        }
    }

    fn administer(&mut self, step: &Step) {
        if self.disabled != matches!(step, Step::Enable) {
            return;
        }
        self.owner();
        let id = self.id();
        match step {
            Step::Reset => {
                self.pass = Some(self.world.reset(&mut self.ada, &id));
                (self.phone, self.codes, self.used) = (None, Vec::new(), Vec::new());
            }
            Step::Temporary => {
                self.password = self.world.temporary_password(&mut self.ada, &id);
                self.temporary = true;
            }
            Step::Disable => {
                self.world.disable(&mut self.ada, &id);
                (self.disabled, self.pass) = (true, None);
            }
            _ => {
                let path = format!("/admin/users/{id}/enable");
                self.ada.get(&path);
                assert_eq!(self.ada.post(&path, &[("reason", "a mistake")]).status, 303);
                self.disabled = false;
            }
        }
        self.ends_for_all();
    }

    /// What must hold after every step.
    fn check(&mut self, step: &Step) {
        for (b, browser) in self.browsers.iter_mut().enumerate() {
            if browser.is_signed_in() {
                assert_eq!(self.proved[b], Proved::Full, "browser {b} is signed in after {step:?}");
            }
        }
    }

    /// What the trail must say in the end.
    fn finish(&self) {
        let id = self.id();
        let about = |action: Action| {
            let entries = self.world.entries_of(action).into_iter();
            entries.filter(|e| e.header.target_id.as_deref() == Some(&id)).collect::<Vec<_>>()
        };
        let resets: Vec<_> = about(Action::MfaFactorAdminReset).into_iter().map(|e| e.header.case).collect();
        let enrolled = about(Action::MfaFactorEnrolled).into_iter().skip(1);
        let mut cases: Vec<_> = enrolled.map(|e| e.header.case).collect();
        assert!(cases.iter().all(|case| case.is_some() && resets.contains(case)), "{cases:?} of {resets:?}");
        let all = cases.len();
        cases.dedup();
        assert_eq!(cases.len(), all, "one enrolment a recovery");
    }
}

fn step_of(t: Timestamp) -> i64 {
    t.as_seconds() / 30
}

#[test]
fn no_walk_however_odd_yields_a_full_session_without_two_factors_or_one_audited_recovery() {
    let reached = AtomicUsize::new(0);
    let config = Config { cases: 16, max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let walked = TestRunner::new(config).run(&steps(), |steps| {
        let mut walk = Walk::new();
        for step in &steps {
            walk.take(step);
            walk.check(step);
        }
        walk.finish();
        reached.fetch_add(walk.reached, Ordering::Relaxed);
        Ok(())
    });
    walked.unwrap_or_else(|e| panic!("{e}"));
    // Walks that never get in would show nothing. Chance alone may not lead one there, so here is one that does.
    let mut straight = Walk::new();
    for step in [Step::SignOut(0), Step::Later(60), Step::Password(0, true), Step::Otp(0, Otp::Now)] {
        straight.take(&step);
        straight.check(&step);
    }
    assert!(straight.reached + reached.into_inner() > 0, "some walks do get in");
}
