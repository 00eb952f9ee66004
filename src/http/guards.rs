//! From a request to a proof of who sent it. Handlers take the proof, so a route without its guard does not compile.

use tiny_http::Method;

use super::Request;
use super::cookies::Cookie;
use super::error::Problem;
use super::fields::Fields;
use crate::actions::Visitor;
use crate::actions::nonce::Nonce;
use crate::app::App;
use crate::config::client_address;
use crate::host::keys::MacUse;
use crate::notices::Notice;
use crate::pages::FieldError;
use crate::policy;
use crate::recovery::Case;
use crate::secret::{Purpose, Token, TokenHash, equal, random};
use crate::sessions::{Freshness, Session, Stage, same_origin_path};
use crate::storage::{instance, notices, sessions};
use crate::time::Timestamp;
use crate::users::{Role, User};

/// So much of what somebody has not read is looked up with each request.
const UNSEEN: u32 = 20;

/// One request on its way through the house.
pub struct Call<'a> {
    /// The provider.
    pub app: &'a App,
    /// What was sent.
    pub request: &'a Request,
    /// The route's pattern, for the log: it holds no secret, as a path may.
    pub route: &'static str,
    /// What stands in the pattern's places.
    pub params: Vec<(&'static str, String)>,
    /// The form's or query's fields.
    pub fields: Fields,
    /// Who comes.
    pub visitor: Visitor,
    /// This moment.
    pub now: Timestamp,
    /// A case of the person whom the address is about, in which help was refused lately, for who looks after people.
    pub refused: Option<Case>,
    /// What is wrong with the code by which a form confirms that it is still the same person.
    pub step_up_errors: Vec<FieldError>,
}

impl<'a> Call<'a> {
    /// A request of which nothing is known yet but where it came from.
    pub fn new(app: &'a App, request: &'a Request) -> Self {
        // A proxy may add its line below those that it was sent: together they are one list (RFC 9110 section 5.3).
        let forwarded = request.header_values("x-forwarded-for").collect::<Vec<_>>().join(",");
        let agent = request.header("user-agent").unwrap_or_default();
        let visitor = Visitor {
            address: client_address(request.peer(), Some(&forwarded), &app.settings.trusted_proxy),
            user_agent: crate::audit::clean(agent).replace('\n', " ").chars().take(200).collect(),
            request_id: app.request_id(),
            device: Cookie::Device.token(request, app.settings.public_url.is_https()),
            session: Cookie::Session.token(request, app.settings.public_url.is_https()),
        };
        Self {
            app,
            request,
            route: "",
            params: Vec::new(),
            fields: Fields::default(),
            visitor,
            now: app.now(),
            refused: None,
            step_up_errors: Vec::new(),
        }
    }

    /// Whether cookies are Secure.
    pub fn https(&self) -> bool {
        self.app.settings.public_url.is_https()
    }

    /// What stands in the place `name` of the path, read as its type.
    ///
    /// # Errors
    /// [`Problem::NotFound`] if it is none.
    pub fn param<T: std::str::FromStr>(&self, name: &str) -> Result<T, Problem> {
        let text = self.params.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| v);
        text.parse().map_err(|_| Problem::NotFound)
    }

    /// The link token in the place `name` of the path.
    ///
    /// # Errors
    /// [`Problem::NotFound`] if it is none.
    pub fn token(&self, name: &str) -> Option<Token> {
        self.params.iter().find(|(n, _)| *n == name).and_then(|(_, v)| Token::parse(v))
    }

    /// The path and query, to come back to.
    pub fn here(&self) -> String {
        match self.request.query() {
            "" => self.request.path().to_owned(),
            query => format!("{}?{query}", self.request.path()),
        }
    }

    /// The field `next`, if it is a path of ours, and no step of a sign-in: these lead on to each other, and who is signed
    /// in would be sent round in a circle.
    pub fn next(&self) -> Option<&str> {
        const STEPS: [&str; 6] = ["/sign-in", "/sign-out", "/enrol", "/setup", "/invitation", "/password-reset"];
        let path = same_origin_path(self.fields.get("next"))?;
        let first = path.split(['?', '#']).next().unwrap_or_default();
        let is_step =
            STEPS.iter().any(|step| first.strip_prefix(step).is_some_and(|r| r.is_empty() || r.starts_with('/')));
        (!is_step).then_some(path)
    }

    /// Whether this is a form that was sent.
    pub fn is_post(&self) -> bool {
        *self.request.method() == Method::Post
    }

    /// Refuses a form that another site's page sent: before its CSRF value is even looked at.
    ///
    /// # Errors
    /// [`Problem::StaleForm`].
    pub fn check_origin(&self) -> Result<(), Problem> {
        let fine = match self.request.header("sec-fetch-site") {
            Some(site) => matches!(site, "same-origin" | "none"),
            None => self.request.header("origin").is_none_or(|o| o == self.app.settings.public_url.as_str()),
        };
        if fine { Ok(()) } else { Err(Problem::StaleForm) }
    }

    fn check_csrf(&self, right: &str) -> Result<(), Problem> {
        let given = self.fields.get("csrf");
        if !self.is_post() || equal(given.as_bytes(), right.as_bytes()) { Ok(()) } else { Err(Problem::StaleForm) }
    }

    /// Charges an attempt to the client's address.
    ///
    /// # Errors
    /// [`Problem::TooMany`].
    pub fn attempt(&self) -> Result<(), Problem> {
        self.app.may_attempt(self.visitor.address).map_err(Problem::TooMany)
    }

    /// The form's nonce, which was made for this session.
    ///
    /// # Errors
    /// [`Problem::StaleForm`].
    pub fn nonce(&self, signed: &Signed) -> Result<Nonce, Problem> {
        Nonce::parse(&self.app.means.key, signed.session.id, self.fields.get("nonce"), self.now)
            .ok_or(Problem::StaleForm)
    }

    /// A new nonce for a form that this session is shown.
    pub fn new_nonce(&self, signed: &Signed) -> String {
        Nonce::issue(&self.app.means.key, signed.session.id, self.now)
    }
}

/// A visitor without a session who may fill in a form: the form is bound to a stateless, signed cookie.
pub struct Guest {
    /// The form's CSRF value.
    pub csrf: String,
    /// The cookie to set, where there was none or an old one.
    pub cookie: Option<String>,
}

impl Guest {
    /// Reads the guest's cookie, or makes one; writes nothing.
    ///
    /// # Errors
    /// [`Problem::StaleForm`] for a form that was not made for this cookie.
    pub fn enter(call: &Call<'_>) -> Result<Self, Problem> {
        let sent = Cookie::Guest.read(call.request, call.https()).filter(|c| is_guest_cookie(call, c));
        let (value, cookie) = match sent {
            Some(value) => (value.to_owned(), None),
            None => {
                let value = new_guest_cookie(call);
                let cookie = Cookie::Guest.set(&value, call.https(), Some(policy::PRE_SESSION));
                (value, Some(cookie))
            }
        };
        let csrf = mac_text(call.app.means.key.mac(MacUse::Csrf, &[b"guest", value.as_bytes()]));
        call.check_csrf(&csrf)?;
        Ok(Self { csrf, cookie })
    }
}

/// 16 random bytes, the moment, and half an HMAC over both.
fn new_guest_cookie(call: &Call<'_>) -> String {
    let mut bytes = random::<16>().to_vec();
    bytes.extend_from_slice(&call.now.as_micros().to_be_bytes());
    let mac = call.app.means.key.mac(MacUse::PreSession, &[&bytes]);
    bytes.extend_from_slice(&mac[..16]);
    data_encoding::BASE64URL_NOPAD.encode(&bytes)
}

fn is_guest_cookie(call: &Call<'_>, text: &str) -> bool {
    let Ok(bytes) = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()) else { return false };
    let Some((signed, mac)) = bytes.split_at_checked(24) else { return false };
    let Ok(made_at) = signed[16..].try_into() else { return false };
    let made_at = Timestamp::from_micros(i64::from_be_bytes(made_at));
    let right = call.app.means.key.mac(MacUse::PreSession, &[signed]);
    equal(mac, &right[..16]) && call.now.since(made_at) < policy::PRE_SESSION
}

fn mac_text(mac: [u8; 32]) -> String {
    data_encoding::BASE64URL_NOPAD.encode(&mac)
}

/// The CSRF value of the session behind this cookie.
pub fn session_csrf(app: &App, token: &TokenHash) -> String {
    mac_text(app.means.key.mac(MacUse::Csrf, &[b"session", token.as_bytes()]))
}

/// A session of whatever stage, with its person.
pub struct Signed {
    /// The session.
    pub session: Session,
    /// Whose it is.
    pub user: User,
    /// The CSRF value of its forms.
    pub csrf: String,
    /// Whether everybody but owners waits until an owner, as this person is, has confirmed who is here.
    pub people_wait: bool,
    /// What they were told and have not read yet, the newest first; nothing of what was done in this very session.
    pub unseen: Vec<Notice>,
}

impl Signed {
    /// The session behind the cookie, of whatever stage and freshness; `None` for a stranger.
    ///
    /// # Errors
    /// When the database can not be read.
    pub fn look(call: &Call<'_>) -> Result<Option<Self>, Problem> {
        let Some(token) = Cookie::Session.token(call.request, call.https()) else { return Ok(None) };
        let hash = token.hash(Purpose::Session);
        let (found, people_wait, unseen) = call.app.means.store.read(|tx| {
            let found = sessions::find(tx, &hash)?;
            let is_owner = found.as_ref().is_some_and(|(_, user)| user.role == Role::Owner);
            let unseen = match &found {
                Some((session, user)) if session.stage == Stage::Full => notices::list_unseen(tx, user.id, UNSEEN)?,
                _ => Vec::new(),
            };
            Ok::<_, Problem>((found, is_owner && !instance::get_people_confirmed(tx)?, unseen))
        })?;
        let found = found.filter(|(session, _)| session.freshness(call.now) != Freshness::Over);
        Ok(found.map(|(session, user)| {
            let unseen = unseen.into_iter().filter(|notice| !notice.is_of(&session)).collect();
            Self { csrf: session_csrf(call.app, &hash), session, user, people_wait, unseen }
        }))
    }

    /// A session of one of these stages. Anyone else is answered as a stranger.
    ///
    /// # Errors
    /// [`Problem::SignIn`], [`Problem::Resume`], [`Problem::StaleForm`].
    pub fn enter(call: &Call<'_>, stages: &[Stage]) -> Result<Self, Problem> {
        let here = || if call.is_post() { String::new() } else { call.here() };
        let signed = Self::look(call)?.filter(|s| stages.contains(&s.session.stage));
        let signed = signed.ok_or_else(|| Problem::SignIn(here()))?;
        if signed.session.freshness(call.now) == Freshness::Idle {
            return Err(Problem::Resume(here()));
        }
        call.check_csrf(&signed.csrf)?;
        signed.touch(call);
        Ok(signed)
    }

    /// A session of one of these stages, however long it has been idle.
    ///
    /// # Errors
    /// [`Problem::SignIn`], [`Problem::StaleForm`].
    pub fn enter_idle(call: &Call<'_>, stages: &[Stage]) -> Result<Self, Problem> {
        let signed = Self::look(call)?.filter(|s| stages.contains(&s.session.stage));
        let signed = signed.ok_or_else(|| Problem::SignIn(String::new()))?;
        call.check_csrf(&signed.csrf)?;
        Ok(signed)
    }

    /// Notes that the session was used, at most once a minute and without waiting for it.
    fn touch(&self, call: &Call<'_>) {
        if call.now.since(self.session.seen_at) >= policy::SEEN_EVERY {
            let (id, at) = (self.session.id, call.now);
            call.app.means.store.touch_later(move |tx| tx.session_seen(id, at));
        }
    }
}
