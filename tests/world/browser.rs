//! A browser: it keeps cookies, fills in forms from the page shown and sends them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use idp::app::App;
use idp::http::Request;
use idp::http::guards::session_csrf;
use idp::secret::{Purpose, Token};

use super::{Answer, Phone, World};

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
    /// One that nobody has used yet.
    pub(super) fn new(app: Arc<App>) -> Self {
        Self {
            app,
            cookies: BTreeMap::new(),
            address: "192.0.2.1".parse().unwrap(),
            agent: "Firefox on Linux".into(),
            page: Answer::default(),
        }
    }

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

    /// Sends a form of the page shown, with its hidden fields `csrf`, `nonce` and `version`.
    pub fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all: Vec<(&str, String)> = fields.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        for name in ["csrf", "nonce", "version"] {
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

    /// Says of everything that the person was told that they have read it.
    pub fn got_it(&mut self) {
        let page = self.get("/profile/notices");
        let ids = page.body.split("name=\"notice\" value=\"").skip(1).map(|rest| rest[..36].to_owned());
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("csrf", &self.csrf());
        for id in ids {
            body.append_pair("notice", &id);
        }
        assert_eq!(self.post_raw("/profile/notices/seen", &body.finish()).status, 303);
    }

    /// Whether it is signed in, as the profile page tells.
    pub fn is_signed_in(&mut self) -> bool {
        self.clone().get("/profile").status == 200
    }
}
