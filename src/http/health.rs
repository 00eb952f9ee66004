//! For supervisors and proxies: whether the process answers, and whether it can do its work. No cookie, no page, no write.

use super::Response;
use super::guards::Call;
use super::show::Answer;
use crate::policy::DISK_RESERVE;
use crate::storage::instance;

/// The process answers; nothing else is looked at, so that a full disk does not make a supervisor restart it in vain.
pub fn alive(_: &Call<'_>) -> Answer {
    Ok(Response::text(200, "ok\n"))
}

/// The database can be read and written, and the disk has room for what anyone can cause.
pub fn ready(call: &Call<'_>) -> Answer {
    Ok(match trouble(call) {
        None => Response::text(200, "ready\n"),
        Some(sentence) => Response::text(503, format!("{sentence}\n")),
    })
}

/// What is wrong, in a sentence that tells a stranger nothing about the host; the reason goes into the log.
fn trouble(call: &Call<'_>) -> Option<String> {
    let store = &call.app.means.store;
    if let Err(e) = store.read(instance::get) {
        tracing::warn!("not ready: {e}");
        return Some("The database can not be read.".to_owned());
    }
    if let Err(e) = store.check_writer() {
        tracing::warn!("not ready: {e}");
        return Some("The database can not be written.".to_owned());
    }
    let least = DISK_RESERVE / (1024 * 1024);
    (!call.app.has_room()).then(|| format!("Less than {least} MiB of the disk are free."))
}
