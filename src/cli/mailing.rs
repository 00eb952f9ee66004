//! Invitations by mail, from a command on the host: it writes them down, and `idp serve` sends them.

use std::sync::Arc;

use super::outcome::{Failure, remark};
use super::settings;
use crate::actions::Means;
use crate::actions::administer::Way;
use crate::config::{Flags, Place};

/// The way that `--mail` asks for, or its absence.
///
/// # Errors
/// No mail server is set: said before anybody is added.
pub(super) fn way(place: &Place, means: &Means, by_mail: bool, doing: &'static str) -> Result<Way, Failure> {
    if !by_mail {
        return Ok(Way::Handed);
    }
    if settings::read(&Flags { place: place.clone(), ..Flags::default() })?.mail.is_none() {
        let why = "no mail can be sent, since smtp_server is not set; without --mail the link is printed alone";
        return Err(Failure::to(doing)(why).with_answer_no());
    }
    Ok(Way::Mailed(Arc::clone(&means.key)))
}

/// Says what becomes of `links`, beside the links themselves.
pub(super) fn tell(way: &Way, links: &str) {
    if matches!(way, Way::Mailed(_)) {
        remark(&format!("{links} by mail too: idp serve sends that at once, or as soon as it runs"));
    }
}
