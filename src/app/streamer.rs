//! The threads that send the trail on, one a receiver, so that one that is slow does not hold up the other.

use std::sync::Arc;
use std::sync::mpsc::{Receiver as Stopped, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::App;
use crate::actions::stream::Carrier;
use crate::config::{Config, PublicUrl};
use crate::host::link::{Link, Patience};
use crate::host::syslog::Syslog;
use crate::host::tls::Unusable;
use crate::host::webhook::Webhook;

/// How often it is looked whether there are new entries.
const EVERY: Duration = Duration::from_secs(1);
/// No round takes so long; each step of it ends much sooner.
const ROUND: Duration = Duration::from_secs(86_400);
/// For so long the last entries are sent at the end.
const LAST: Duration = Duration::from_secs(3);
/// How long the end waits for a step under way beside that.
const GRACE: Duration = Duration::from_secs(2);

/// The ways to the receivers that are set, for a server that is reached at `public_url`.
///
/// # Errors
/// When a file that the settings name is not as it must be.
pub fn links(config: &Config, public_url: &PublicUrl) -> Result<Vec<Box<dyn Link>>, Unusable> {
    let mut links: Vec<Box<dyn Link>> = Vec::new();
    if let Some(settings) = &config.syslog {
        links.push(Box::new(Syslog::new(settings, public_url.host())?));
    }
    if let Some(settings) = &config.webhook {
        links.push(Box::new(Webhook::new(settings)?));
    }
    Ok(links)
}

/// The running threads. Dropping it sends what is there for a few seconds more and ends them.
pub struct Streamer(Vec<(Sender<()>, JoinHandle<()>)>);

impl Streamer {
    /// Starts sending `app`'s trail over these ways.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(app: &Arc<App>, links: Vec<Box<dyn Link>>) -> std::io::Result<Self> {
        let mut threads = Vec::new();
        for link in links {
            let (app, (stop, stopped)) = (Arc::clone(app), channel());
            let thread = std::thread::Builder::new().name(link.receiver().to_string()).stack_size(1024 * 1024);
            threads.push((stop, thread.spawn(move || stream_until(&app, Carrier::new(link), &stopped))?));
        }
        Ok(Self(threads))
    }
}

fn stream_until(app: &App, mut carrier: Carrier, stopped: &Stopped<()>) {
    let means = &app.means;
    let goes_on = || matches!(stopped.try_recv(), Err(TryRecvError::Empty));
    let (mut failed, receiver) = (None, carrier.receiver());
    let mut round = |ended: crate::storage::Result<()>| {
        // Said once: the next rounds meet the same.
        let error = ended.err().map(|e| e.to_string());
        if let Some(e) = error.as_ref().filter(|_| failed != error) {
            tracing::error!(%receiver, "the trail can not be sent on: {e}");
        }
        failed = error;
    };
    while matches!(stopped.recv_timeout(EVERY), Err(RecvTimeoutError::Timeout)) {
        let patience = Patience { until: Instant::now() + ROUND, go_on: &goes_on };
        round(carrier.round(&means.store, &means.clock, patience));
    }
    let until = Instant::now() + LAST;
    round(carrier.end(&means.store, &means.clock, Patience { until, go_on: &|| Instant::now() < until }));
}

impl Drop for Streamer {
    fn drop(&mut self) {
        let threads: Vec<_> = self.0.drain(..).map(|(_, thread)| thread).collect();
        // A receiver that takes its time must not hold up the end: what it lacks is sent at the next start.
        let until = Instant::now() + LAST + GRACE;
        while threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        for thread in threads.into_iter().filter(JoinHandle::is_finished) {
            let _ = thread.join();
        }
    }
}
