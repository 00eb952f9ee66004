//! The company of `idp demo`, in which everybody has a password, an app and six weeks behind them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use idp::demo::PASSWORD;
use idp::time::Clock;

use crate::cli_world::Ran;
use crate::served::Server;
use crate::webdriver::Browser;

pub const DESK: (u32, u32) = (1280, 900);
pub const PHONE: (u32, u32) = (390, 844);

/// Seconds for which an authenticator app shows a code (RFC 6238).
const STEP: i64 = 30;

/// A running demo; it ends with the walk.
pub struct Company {
    server: Server,
    folder: tempfile::TempDir,
    /// The last step whose code somebody used: the app that they set up goes on where it was confirmed.
    used: RefCell<HashMap<String, i64>>,
}

impl Company {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        let server = Server::of(command.args(["demo", "--listen", "127.0.0.1:0"]).env("TMPDIR", folder.path()));
        Self { server, folder, used: RefCell::default() }
    }

    /// The address of a page.
    pub fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address.replace("127.0.0.1", "localhost"))
    }

    /// What stands about somebody on the list of the demo.
    fn row(&self, key: &str) -> String {
        let page = self.server.get("GET", "/demo").body;
        let row = page.split(&format!("<code>{key}@fernhill.example</code>")).nth(1).expect("they are on the list");
        row.split("</tr>").next().unwrap().to_owned()
    }

    /// What their app shows, or the one that they are setting up (`new-app`): never a code that was used. As from a phone
    /// whose clock is a little ahead, the second within half a minute is the next step's; the third is waited for.
    fn shown_by(&self, key: &str, app: &str) -> String {
        let step = || Clock::System.now().as_seconds() / STEP;
        let wanted = step().max(self.used.borrow().get(key).map_or(0, |used| used + 1));
        while step() + 1 < wanted {
            std::thread::sleep(Duration::from_millis(200));
        }
        let (row, now) = loop {
            let (before, row) = (step(), self.row(key));
            // Read within one step, so that the first code is that step's.
            if step() == before {
                break (row, before);
            }
        };
        self.used.borrow_mut().insert(key.to_owned(), wanted.max(now));
        let codes = row.split(&format!("id=\"{app}-")).nth(1).and_then(|rest| rest.split("data-codes=\"").nth(1));
        let codes = codes.and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("no {app}: {row}"));
        codes.split(' ').nth(usize::try_from(wanted.max(now) - now).unwrap()).unwrap().to_owned()
    }

    /// A code of the app of somebody.
    pub fn code(&self, key: &str) -> String {
        self.shown_by(key, "app")
    }

    /// A backup code of somebody, as they stored it.
    pub fn backup_code(&self, key: &str) -> String {
        let row = self.row(key);
        let code = row.split("<code class=\"whole\">").nth(1).and_then(|rest| rest.split('<').next());
        code.expect("they have backup codes").to_owned()
    }

    /// E-mail and password, on the first page of signing in, in a browser of their own.
    #[track_caller]
    pub fn knock(&self, key: &str, password: &str, (width, height): (u32, u32)) -> Browser {
        let browser = Browser::start(width, height);
        browser.open(&self.at("/sign-in")).fill("E-mail address", &format!("{key}@fernhill.example"));
        browser.fill("Password", password).press("Continue");
        browser
    }

    /// Somebody signed in, in a browser of their own.
    #[track_caller]
    pub fn person(&self, key: &str, size: (u32, u32)) -> Browser {
        let browser = self.knock(key, PASSWORD, size);
        browser.fill("6-digit code", &self.code(key)).press("Sign in").sees("Sign out");
        browser
    }

    /// Sets up the app whose QR code this page shows, and stores the codes.
    #[track_caller]
    pub fn enrol(&self, browser: &Browser, key: &str) {
        browser.sees("Set up your authenticator app").fill("6-digit code", &self.shown_by(key, "new-app"));
        browser.press("Continue").sees("Save your backup codes").tick("I stored my backup codes").press("Continue");
    }

    /// The page of somebody in the console.
    #[track_caller]
    pub fn look_up(&self, browser: &Browser, name: &str) {
        browser.open(&self.at("/admin/users")).fill("Name or e-mail", name).press("Search").follow(name);
    }

    /// Lets a quarter of an hour pass for everybody who is signed in, as somebody with access to the host could.
    pub fn a_quarter_of_an_hour_later(&self) {
        let sql = "UPDATE sessions SET step_up_at = step_up_at - 16 * 60 * 1000000";
        let ran = Command::new("sqlite3").arg(self.data().join("idp.db")).arg(sql).output();
        Ran::of(ran.expect("sqlite3 is installed")).done();
    }

    /// Runs another command of the program on the demo's folder.
    pub fn idp(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        Ran::of(command.args(args).arg("--data").arg(self.data()).env_remove("IDP_DATA").output().unwrap())
    }

    fn data(&self) -> PathBuf {
        let room = std::fs::read_dir(self.folder.path()).unwrap().next().expect("the demo has a folder");
        room.unwrap().path().join("data")
    }
}
