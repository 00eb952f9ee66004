//! A whole provider in memory of one test: a temporary data folder, a clock that stands still, and browsers with their
//! cookies. Requests go through `App::handle`, as an embedder's would. When a world ends, its audit trail is verified.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use idp::actions::data_folder::{Serving, open, open_or_create};
use idp::actions::first_run::setup_link;
use idp::app::{App, Settings};
use idp::audit::filter::Filter;
use idp::audit::plain::Read;
use idp::audit::{Action, Entry, Source};
use idp::factors::totp::Seed;
use idp::http::guards::session_csrf;
use idp::http::{Request, Response};
use idp::secret::{Purpose, Token};
use idp::storage::audit::{Order, list};
use idp::storage::users;
use idp::time::{Clock, Timestamp};
use idp::users::User;
use rusqlite::{Connection, OpenFlags};

/// A good password that is on no list.
pub const PASSWORD: &str = "walnut harbour nineteen";

/// The provider and its surroundings.
pub struct World {
    /// The provider.
    pub app: Arc<App>,
    /// Its clock.
    pub clock: Clock,
    folder: tempfile::TempDir,
    _lock: idp::host::lock::FolderLock,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// An empty provider on 2026-11-24 at 09:00 UTC.
    pub fn new() -> Self {
        Self::at("http://localhost:8080")
    }

    /// An empty provider under this public URL.
    pub fn at(public_url: &str) -> Self {
        Self::with(public_url, |_| ())
    }

    /// An empty provider whose settings are changed before it starts.
    pub fn with(public_url: &str, change: impl FnOnce(&mut Settings)) -> Self {
        Self::by(Clock::at("2026-11-24T09:00:00Z".parse().unwrap()), public_url, change)
    }

    /// An empty provider that goes by this clock.
    pub fn by(clock: Clock, public_url: &str, change: impl FnOnce(&mut Settings)) -> Self {
        Self::over(tempfile::tempdir().unwrap(), clock, public_url, change)
    }

    /// The provider whose data folder stands in `folder` already.
    pub fn on(folder: tempfile::TempDir, clock: Clock) -> Self {
        Self::over(folder, clock, "http://localhost:8080", |_| ())
    }

    fn over(folder: tempfile::TempDir, clock: Clock, public_url: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let data = folder.path().join("data");
        let Serving { opened, lock, .. } = open_or_create(&data, &host(), clock.clone()).unwrap();
        let mut settings = Settings {
            public_url: public_url.parse().unwrap(),
            trusted_proxy: Vec::new(),
            organisation: "Fernhill Joinery".into(),
            help_contact: Some("the office, +46 8 555 01 00".into()),
            data: data.clone(),
            hash_workers: 2,
        };
        change(&mut settings);
        let app = Arc::new(App::new(opened, settings, clock.clone()).unwrap());
        Self { app, clock, folder, _lock: lock }
    }

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

    /// A browser that nobody has used yet.
    pub fn browser(&self) -> Browser {
        Browser {
            app: Arc::clone(&self.app),
            cookies: BTreeMap::new(),
            address: "192.0.2.1".parse().unwrap(),
            agent: "Firefox on Linux".into(),
            page: Answer::default(),
        }
    }

    /// Adds a person as the owner in `admin` and lets them accept; they are signed in, in the browser returned.
    pub fn person(&self, admin: &mut Browser, email: &str, name: &str, role: &str) -> Member {
        let link = self.invite(admin, email, name, role);
        let mut browser = self.browser();
        browser.get(&link);
        assert_eq!(browser.post(&link, &[("password", PASSWORD)]).status, 303, "{}", browser.page.text());
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

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass.
    pub fn later(&self, d: Duration) {
        self.clock.advance(d);
    }

    /// A person by address.
    pub fn user(&self, email: &str) -> User {
        let email = email.parse().unwrap();
        self.app.means.store.read(|tx| users::find_by_email(tx, &email)).unwrap().expect("there is such a person")
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.data().join("idp.db")
    }

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

    /// The same data folder under a new process: what was only in memory is gone. Browsers have to
    /// [reconnect](Browser::reconnect).
    pub fn restart(&mut self) {
        let opened = open(&self.data(), self.clock.clone()).unwrap();
        self.app = Arc::new(App::new(opened, self.app.settings.clone(), self.clock.clone()).unwrap());
    }

    /// The id of the first factor of the person `id`.
    pub fn factor(&self, id: &str) -> String {
        let db = rusqlite::Connection::open(self.database()).unwrap();
        let sql = "SELECT id FROM factors WHERE user_id = ?1 ORDER BY created_at LIMIT 1";
        db.query_row(sql, [id], |row| row.get(0)).unwrap()
    }

    /// A number out of the database.
    pub fn count(&self, sql: &str) -> i64 {
        rusqlite::Connection::open(self.database()).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Whether these bytes stand anywhere in the database or its log.
    pub fn stores(&self, what: impl AsRef<[u8]>) -> bool {
        let what = what.as_ref();
        self.everything_stored().windows(what.len()).any(|w| w == what)
    }

    /// Resets the factors of the person `id` as the admin in `admin`; the pass that was shown.
    pub fn reset(&self, admin: &mut Browser, id: &str) -> String {
        let path = format!("/admin/users/{id}/mfa/reset");
        admin.get(&path);
        let page = admin.post(&path, &crate::runbook::FOUNDED);
        assert_eq!(page.status, 200, "{}", page.text());
        page.secret()
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

    /// One round of what time does by itself.
    pub fn sweep(&self) {
        idp::actions::sweep::sweep(&self.app.means, false).unwrap();
    }

    /// Everything that is stored, as text: to look for secrets in it.
    pub fn everything_stored(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for file in ["idp.db", "idp.db-wal"] {
            all.extend(std::fs::read(self.data().join(file)).unwrap_or_default());
        }
        all
    }
}

impl Drop for World {
    /// At the end of every test the whole trail is verified again, and everyone's factors and codes are counted again.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let (walk, broken) = self.app.means.store.read(idp::storage::backup::walk).unwrap();
            assert!(broken.is_none(), "the trail does not verify: {broken:?}");
            assert!(walk.entries() > 0);
            let conn = Connection::open_with_flags(self.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
            let miscounted: i64 = conn.query_row(MISCOUNTED, [], |row| row.get(0)).unwrap();
            assert_eq!(miscounted, 0, "people whose row has another number of factors or codes than there are");
        }
    }
}

const MISCOUNTED: &str = "SELECT count(*) FROM users u
    WHERE working_factors <> (SELECT count(*) FROM factors WHERE user_id = u.id AND disabled_at IS NULL)
       OR own_codes_left <> (SELECT count(*) FROM code_sets s JOIN codes ON set_id = s.id
                              WHERE user_id = u.id AND kind = 'own' AND used_at IS NULL)";

/// Where a test's own commands come from.
pub fn host() -> Source {
    Source { os_user: Some("test".into()), ..Source::default() }
}

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

/// An authenticator app with one account in it.
pub struct Phone(Seed);

impl Phone {
    /// One that holds this secret, in base32.
    pub fn holding(secret: &str) -> Self {
        let bytes = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).expect("the secret is base32");
        Self(Seed::from_bytes(&bytes).expect("the secret has 160 bits"))
    }

    /// Reads the secret from a page with a QR code, through its `otpauth:` link.
    pub fn scan(page: &str) -> Self {
        let at = page.find("secret=").expect("the page has an otpauth address");
        let secret: String = page[at + 7..].chars().take_while(char::is_ascii_alphanumeric).collect();
        Self::holding(&secret)
    }

    /// The secret itself.
    pub fn seed(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// What the app shows at `now` (RFC 6238, computed here by another way than the server's).
    pub fn code(&self, now: Timestamp) -> String {
        use aws_lc_rs::hmac;
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.as_bytes());
        let tag = hmac::sign(&key, &(now.as_seconds() / 30).to_be_bytes());
        let offset = usize::from(tag.as_ref()[19] & 15);
        let word = u32::from_be_bytes(tag.as_ref()[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", word % 1_000_000)
    }

    /// A code that is certainly not the present one, nor its neighbours.
    pub fn wrong_code(&self, now: Timestamp) -> String {
        let near: Vec<String> =
            (-2_i64..=2).map(|step| self.code(Timestamp::from_micros(now.as_micros() + step * 30_000_000))).collect();
        (0..).map(|n| format!("{n:06}")).find(|code| !near.contains(code)).unwrap()
    }
}

/// An answer, read.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    fn of(response: Response) -> Self {
        let names = [
            "location",
            "content-type",
            "cache-control",
            "content-security-policy",
            "retry-after",
            "allow",
            "x-content-type-options",
            "referrer-policy",
            "strict-transport-security",
            "x-frame-options",
            "content-disposition",
            "content-encoding",
            "vary",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "permissions-policy",
        ];
        let mut headers: Vec<(String, String)> = Vec::new();
        for name in names {
            headers.extend(response.header(name).map(|v| (name.to_owned(), v.to_owned())));
        }
        headers.extend(response.header_values("set-cookie").map(|v| ("set-cookie".to_owned(), v.to_owned())));
        let status = response.status();
        let body = String::from_utf8_lossy(&response.into_body_bytes().unwrap()).into_owned();
        Self { status, headers, body }
    }

    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Where a redirect leads; empty if it is none.
    pub fn location(&self) -> &str {
        self.header("location").unwrap_or_default()
    }

    /// The page as a person reads it: without tags, spaces run together.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut inside = false;
        for c in self.body.chars() {
            match c {
                '<' => inside = true,
                '>' => {
                    inside = false;
                    text.push(' ');
                }
                c if !inside => text.push(c),
                _ => {}
            }
        }
        let text = text.replace("&amp;", "&").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether the page says this.
    pub fn says(&self, what: &str) -> bool {
        self.text().contains(what)
    }

    /// The codes of a page that shows some.
    pub fn codes(&self) -> Vec<String> {
        let list = self.body.split("<ul class=\"codes\"").nth(1).and_then(|rest| rest.split("</ul>").next());
        let items = list.unwrap_or_default().split("<li>").skip(1);
        items.filter_map(|item| item.split("</li>").next()).map(str::to_owned).collect()
    }

    /// The one secret of a page that shows one (a pass, a password).
    pub fn secret(&self) -> String {
        let rest = self.body.split("class=\"secret\"").nth(1).expect("a secret is shown");
        rest.split('>').nth(1).and_then(|t| t.split('<').next()).unwrap_or_default().to_owned()
    }

    /// The value of the hidden field `name`, in the last form that has it.
    pub fn hidden(&self, name: &str) -> Option<String> {
        let mark = format!("name=\"{name}\" value=\"");
        let at = self.body.rfind(&mark)? + mark.len();
        Some(self.body[at..].chars().take_while(|c| *c != '"').collect())
    }
}

/// A browser: its cookies, where it is, and the page it shows.
#[derive(Clone)]
pub struct Browser {
    app: Arc<App>,
    /// Cookies by name.
    pub cookies: BTreeMap<String, String>,
    /// Where it is.
    pub address: IpAddr,
    /// What it says it is.
    pub agent: String,
    /// The page it shows: forms are filled in from it.
    pub page: Answer,
}

impl Browser {
    /// Goes on with the world's present process.
    pub fn reconnect(&mut self, world: &World) {
        self.app = Arc::clone(&world.app);
    }

    /// The CSRF value of its session's forms, also where no page shows it.
    pub fn csrf(&self) -> String {
        let cookie = self.cookies.iter().find(|(name, _)| name.ends_with("idp-session"));
        let token = Token::parse(cookie.expect("there is a session").1).unwrap();
        session_csrf(&self.app, &token.hash(Purpose::Session))
    }

    /// With these cookies, as a `Cookie` header has them.
    pub fn holding(mut self, cookies: &str) -> Self {
        let pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
        self.cookies = pairs.map(|(name, value)| (name.into(), value.into())).collect();
        self
    }

    /// The same browser at another address.
    #[must_use]
    pub fn from(mut self, address: &str) -> Self {
        self.address = address.parse().unwrap();
        self
    }

    /// Opens a page.
    pub fn get(&mut self, target: &str) -> Answer {
        let request = self.dress(Request::get(target));
        self.send(request)
    }

    /// Opens a page and follows redirects, at most five.
    pub fn follow(&mut self, target: &str) -> Answer {
        let mut answer = self.get(target);
        for _ in 0..5 {
            if answer.status != 303 {
                break;
            }
            let to = answer.location().to_owned();
            answer = self.get(&to);
        }
        answer
    }

    /// Sends a form of the page shown, with its hidden fields `csrf` and `nonce`.
    pub fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all: Vec<(&str, String)> = fields.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        for name in ["csrf", "nonce"] {
            if let Some(value) = self.page.hidden(name)
                && !fields.iter().any(|(n, _)| *n == name)
            {
                all.push((name, value));
            }
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
        self.post_raw(target, &body)
    }

    /// Sends a body as it is.
    pub fn post_raw(&mut self, target: &str, body: &str) -> Answer {
        let request = Request::post(target, body.as_bytes().to_vec())
            .with_header("Content-Type", "application/x-www-form-urlencoded");
        let request = self.dress(request);
        self.send(request)
    }

    /// Address, user agent and cookies.
    pub fn dress(&self, request: Request) -> Request {
        let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let request = request.from_peer(self.address).with_header("User-Agent", &self.agent);
        if cookies.is_empty() { request } else { request.with_header("Cookie", &cookies.join("; ")) }
    }

    /// Sends a request as it is and keeps the cookies of the answer.
    pub fn send(&mut self, request: Request) -> Answer {
        let answer = Answer::of(self.app.handle(request));
        for (_, line) in answer.headers.iter().filter(|(n, _)| n == "set-cookie") {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if answer.status != 303 {
            self.page = answer.clone();
        }
        answer
    }

    /// E-mail and password, from a fresh sign-in page.
    pub fn password(&mut self, email: &str, password: &str) -> Answer {
        self.get("/sign-in");
        self.post("/sign-in", &[("email", email), ("password", password)])
    }

    /// A code on the second page of signing in.
    pub fn code(&mut self, code: &str) -> Answer {
        self.get("/sign-in/code");
        self.post("/sign-in/code", &[("code", code)])
    }

    /// A backup code on its page.
    pub fn backup_code(&mut self, code: &str) -> Answer {
        self.get("/sign-in/backup-code");
        self.post("/sign-in/backup-code", &[("code", code)])
    }

    /// A whole sign-in.
    pub fn sign_in(&mut self, world: &World, email: &str, password: &str, phone: &Phone) -> Answer {
        let answer = self.password(email, password);
        assert_eq!((answer.status, answer.location()), (303, "/sign-in/code"), "{}", answer.text());
        world.later(Duration::from_secs(30));
        self.code(&phone.code(world.now()))
    }

    /// Whether it is signed in, as the profile page tells.
    pub fn is_signed_in(&mut self) -> bool {
        self.clone().get("/profile").status == 200
    }
}

/// What an entry says in its body.
pub fn body(entry: &Entry) -> Read {
    Read::of(entry)
}
