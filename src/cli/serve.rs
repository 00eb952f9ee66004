//! `idp serve`.

use std::sync::Arc;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::outcome::{Answer, Failure, say};
use super::{log, operator, settings};
use crate::actions::data_folder::{Serving, open_or_create};
use crate::actions::first_run::setup_link;
use crate::actions::upgrade::Upgraded;
use crate::app::{App, Mailer, Settings, Streamer, Sweeper, links};
use crate::config::{Flags, PublicUrl};
use crate::host::notify::{READY, STOPPING, notify};
use crate::http::confirm_people;
use crate::http::edge::{Edge, EdgeError, Limits};
use crate::http::guards::Call;
use crate::http::headers::protect;
use crate::http::{Request, Response};
use crate::pages::Frame;
use crate::pages::errors::{ErrorView, error};
use crate::secret::Token;
use crate::storage::schema::VERSION;
use crate::time::Clock;

const EXAMPLES: &str = "\
To try it, on this machine alone:
  idp serve

Behind a proxy that speaks https:
  idp serve --data /var/lib/idp --public-url https://id.example.org --trusted-proxy 127.0.0.1

Settings come from flags, then from IDP_… variables, then from idp.toml in the data folder, then from the defaults. In
idp.toml they are called as the flags are, with underscores:
  public_url = \"https://id.example.org\"
  organisation = \"Fernhill Joinery\"
  help_contact = \"the office, +46 8 555 01 00\"

The first start creates the data folder and prints a one-time link with which the first owner sets up password,
authenticator app and backup codes. The link is printed again, as a new one, at every start until there is an owner.

A database that an earlier version wrote is first copied, as idp-before-schema-… beside it, and then brought up to date.

SIGTERM or Ctrl-C ends the server: it takes no new requests, finishes those under way, and writes everything down.";

/// Runs the identity provider.
///
/// Waits for requests over plain HTTP on one address; put a proxy with https in front of it to serve other machines.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Serve {
    #[command(flatten)]
    flags: Flags,
}

impl Serve {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let doing = "serve";
        let config = settings::read(&self.flags)?;
        log::start(config.log_level);
        raise_descriptors();
        let edge = Edge::bind(config.listen, Limits::default()).map_err(|e| {
            let why = format!(
                "can not listen on {}: {e}. Is another server running there? --listen takes another address",
                config.listen
            );
            Failure::to(doing)(why)
        })?;
        let bound = edge.local_addr().map_err(Failure::to(doing))?;
        // Before anything is made: who has mail set up counts on it.
        let settings = Settings::new(&config, config.public_url_at(bound)).map_err(Failure::to("send mail"))?;
        let links = links(&config, &settings.public_url).map_err(Failure::to("send the audit trail on"))?;
        let source = operator::source();
        let Serving { opened, lock, upgraded, .. } =
            open_or_create(&config.data, &source, Clock::System).map_err(Failure::to(doing))?;
        if let Some(Upgraded { from, backup }) = upgraded {
            let backup = backup.display();
            tracing::info!(from_schema = from, to_schema = VERSION, %backup, "the database was brought up to date");
        }
        let public_url = settings.public_url.clone();
        lock.announce(public_url.as_str());
        let app = Arc::new(App::new(opened, settings, Clock::System).map_err(Failure::to(doing))?);
        let link = setup_link(&app.means, source).map_err(Failure::to(doing))?;
        let sweeper = Sweeper::start(Arc::clone(&app)).map_err(Failure::to(doing))?;
        let mailer = Mailer::start(&app).map_err(Failure::to(doing))?;
        let streamer = Streamer::start(&app, links).map_err(Failure::to(doing))?;
        let stopper = edge.stopper();
        stop_on_signals(&[SIGTERM, SIGINT], move || stopper.stop(), || ()).map_err(Failure::to(doing))?;

        announce(&public_url, link.as_ref());
        // Whoever connects from here on waits at most until the next line.
        notify(READY);
        serve(edge, &app);
        drop(mailer);
        drop(sweeper);
        // After the last checkpoint, which is sent too.
        drop(streamer);
        drop(app);
        drop(lock);
        Ok(Answer::Done)
    }
}

/// Says where the server is, and how the first owner comes in. Who started it may not listen; that stops no server.
fn announce(public_url: &PublicUrl, link: Option<&Token>) {
    let mut lines = vec![format!("idp {} is ready at {public_url}", env!("CARGO_PKG_VERSION"))];
    if let Some(token) = link {
        let link = public_url.link(&format!("/setup/{}", token.to_text()));
        lines.push(
            "There is no owner yet. Open this link within 72 hours, with your phone at hand; it works once:".into(),
        );
        lines.push(format!("  {link}"));
    }
    if let Err(e) = lines.iter().try_for_each(|line| say(line)) {
        tracing::warn!("{e}");
    }
}

/// Serves until a signal comes.
pub(super) fn serve(edge: Edge, app: &Arc<App>) {
    let (handler, pages, door) = (Arc::clone(app), Arc::clone(app), Arc::clone(app));
    let cut = edge
        .with_error_pages(move |e, request| error_page(&pages, e, request))
        .with_large_bodies(move |head| door.allowance(head))
        .serve(Arc::new(move |request| handler.handle(request)));
    if cut > 0 {
        tracing::warn!("{cut} requests were still under way after the time for that and were cut");
    }
}

/// A refusal by the edge, as a page with the headers of every other.
fn error_page(app: &App, e: EdgeError, whole: &Request) -> Response {
    let visitor = Call::new(app, whole).visitor;
    let (request, client, status) = (visitor.request_id.as_str(), visitor.address, e.status());
    if matches!(e, EdgeError::Failed) {
        tracing::error!(request, status, %client, "a request ended in a panic");
    } else {
        tracing::info!(request, status, %client, "refused before it was read");
    }
    let frame = Frame {
        organisation: &app.settings.organisation,
        signed_in: None,
        people_wait: false,
        refused: None,
        demo: app.demo.is_some(),
        unseen: None,
        flash: None,
        now: app.now(),
    };
    let detail = match e {
        EdgeError::BodyTooLarge if whole.path() == confirm_people::PATH => confirm_people::TOO_MANY.to_owned(),
        e => e.to_string(),
    };
    let sign_in = (status == 401).then_some("/sign-in");
    let view = ErrorView { status, detail: &detail, retry_after: None, sign_in, request_id: request };
    protect(app, Response::html(status, error(&frame, &view).into_string()))
}

/// As many descriptors as the system allows: each connection needs one, and the usual soft limit is 1,024.
pub(super) fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Without it, the edge takes fewer connections.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// At the first of these signals `stop` is called; at the second `abandon`, and the process ends.
pub(super) fn stop_on_signals(
    signals: &[i32],
    stop: impl FnOnce() + Send + 'static,
    abandon: impl FnOnce() + Send + 'static,
) -> std::io::Result<()> {
    let mut signals = Signals::new(signals)?;
    let thread = std::thread::Builder::new().name("signals".into()).stack_size(128 * 1024);
    thread.spawn(move || {
        if signals.forever().next().is_some() {
            tracing::info!("stopping: requests under way are finished");
            notify(STOPPING);
            stop();
        }
        // The second signal does not wait.
        if signals.forever().next().is_some() {
            abandon();
            std::process::exit(2);
        }
    })?;
    Ok(())
}
